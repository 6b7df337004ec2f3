/* Calls that take a number and cannot fail: outside the range they give nothing, and touch
 * nothing. Those that can fail refuse. */
#include "bench/network.h"
#include "bench/tasks.h"
#include "parallax_learn.h"

#include "check.h"

#include <limits.h>
#include <string.h>

static void check_plan(plx_check *t, const plx_plan *plan, int i) {
    const plx_step_info step = plx_plan_step(plan, i);
    CHECK(t, !*step.op && !*step.name && !*step.fused && !*step.method, "step %d: a text", i);
    CHECK(t, step.arena_offset == -1 && !step.rank && !step.threads && step.flops == 0,
          "step %d: not all 0", i);
    CHECK(t, plx_plan_threshold_rows(plan, i) == 0, "step %d has a threshold", i);
}

static void check_lists(plx_check *t, int i) {
    char text[32] = "untouched";
    CHECK(t, !plx_isa_name(i) && !plx_pass_at(i), "there is a target or pass %d", i);
    CHECK(t, !plx_model_name(i, text, sizeof text) && !strcmp(text, "untouched"), "model %d", i);
    CHECK(t,
          !plx_activation_name((plx_activation)i) && plx_activation_default((plx_activation)i) == 0,
          "activation %d", i);
    CHECK(t, !plx_optimizer_name((plx_optimizer_kind)i), "optimizer %d", i);
    CHECK(t, !plx_layer_name((plx_layer_kind)i) && !plx_loss_name((plx_loss)i), "layer %d", i);
    CHECK(t, !plx_schedule_name((plx_schedule_kind)i), "schedule %d", i);
    CHECK(t, !plx_future_policy_name((plx_future_policy)i), "policy %d", i);
    CHECK(t, !strcmp(plx_status_name((plx_status)(i < 0 ? INT_MIN : i)), "unknown status"),
          "status %d", i);
}

static void check_model(plx_check *t, const plx_model *model, int i) {
    const plx_port in = plx_model_input(model, i), out = plx_model_output(model, i);
    const plx_layer_info layer = plx_model_layer(model, i);
    const char *name = "untouched";
    plx_weight_role role = PLX_WEIGHT_STATE;
    CHECK(t, !*in.name && !in.rank && !*out.name && !out.rank, "port %d", i);
    CHECK(t, !*layer.kind && !*layer.name && !layer.rank, "layer %d", i);
    CHECK(t,
          !plx_weights_at(plx_model_weights(model), i, &name, &role) &&
              !strcmp(name, "untouched") && role == PLX_WEIGHT_STATE,
          "weight %d", i);
}

static void check_graph(plx_check *t, plx_ctx *ctx, int i) {
    plx_graph *graph;
    if (!CHECK(t, plx_graph_new(ctx, &graph) == PLX_OK, "%s", plx_message(ctx))) return;
    const plx_node sum = plx_add(graph, plx_constant(graph, 1), plx_constant(graph, 2));
    CHECK(t, plx_graph_node(graph, i).id < 0, "node %d", i);
    CHECK(t, plx_node_operand(graph, sum, i).id < 0, "operand %d", i);
    plx_graph_free(graph);
}

static void check_optimizer(plx_check *t, plx_ctx *ctx, int i) {
    const plx_optimizer_options sgd = plx_optimizer_default(PLX_SGD);
    plx_tensor *tensor = NULL;
    plx_optimizer *optimizer = NULL;
    plx_status status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 0, NULL, &tensor);
    if (status == PLX_OK) status = plx_optimizer_new(ctx, &sgd, 1, &tensor, &optimizer);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)))
        CHECK(t,
              plx_optimizer_set_group(optimizer, i, 1, 0) == PLX_ERR_ARGUMENT &&
                  plx_optimizer_set_decay(optimizer, i, 0) == PLX_ERR_ARGUMENT,
              "parameter %d", i);
    plx_optimizer_free(optimizer);
    plx_tensor_free(tensor);
}

static void check_network(plx_check *t, plx_ctx *ctx) {
    const plx_network_options options = {
        .model = "mlp:7-5-3", .batch = 2, .plan = plx_plan_default()};
    plx_network network = {0};
    if (CHECK(t, plx_network_open(ctx, &options, &network) == PLX_OK, "%s", plx_message(ctx))) {
        const int wrong[] = {-1, plx_plan_steps(network.plan), INT_MAX};
        for (int i = 0; i < 3; ++i) check_plan(t, network.plan, wrong[i]);
        const plx_weights *weights = plx_model_weights(network.model);
        const int beyond[] = {-1, plx_weights_count(weights), INT_MAX};
        for (int i = 0; i < 3; ++i) check_model(t, network.model, beyond[i]);
        CHECK(t, !*plx_model_layer(network.model, plx_model_layers(network.model)).kind, "layer");
        CHECK(t, !*plx_model_input(network.model, 1).name, "input 1 of 1");
        CHECK(t, !*plx_model_output(network.model, 1).name, "output 1 of 1");
        plx_metrics metrics;
        const plx_dataset none = {0};
        for (int i = 0; i < 3; ++i)
            CHECK(t,
                  plx_model_evaluate(network.model, beyond[i], PLX_LOSS_MSE, &none, &metrics,
                                     NULL) == PLX_ERR_ARGUMENT,
                  "output %d", beyond[i]);
    }
    plx_network_free(&network);
}

void plx_test_unit_numbers(plx_check *t) {
    static const int wrong[] = {-1, 1000000, INT_MAX};
    /* With one thread no step has a threshold. */
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    check_network(t, ctx);
    for (int i = 0; i < 3; ++i) {
        check_lists(t, wrong[i]);
        check_graph(t, ctx, wrong[i]);
        check_optimizer(t, ctx, wrong[i]);
    }
    CHECK(t, plx_pass_at(0) && plx_isa_name(0), "there is no first pass or target");
    plx_ctx_free(ctx);
}
