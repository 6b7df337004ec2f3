/* Imported models, described by the plain structures that whoever decodes a file fills in. The
 * files themselves and the operators are tested by tests/cli/onnx.test.mjs. */
#include "check.h"
#include "parallax_onnx.h"

#include <string.h>

/* y = relu(x w + b), [batch, 2] times [2, 3]. */
static const int64_t w_dims[] = {2, 3}, b_dims[] = {3};
static const float w_values[] = {1, -2, 3, 0.5F, 4, -1}, b_values[] = {0.25F, 0, -1};
static const plx_onnx_tensor initializers[] = {
    {"w", PLX_ONNX_FLOAT, 2, w_dims, w_values, sizeof w_values},
    {"b", PLX_ONNX_FLOAT, 1, b_dims, b_values, sizeof b_values}};
static const plx_onnx_dim x_shape[] = {{-1, "batch"}, {2, ""}};
static const plx_onnx_port inputs[] = {{"x", PLX_ONNX_FLOAT, 2, x_shape}},
                           outputs[] = {{"y", PLX_ONNX_FLOAT, -1, NULL}};
static const char *const gemm_inputs[] = {"x", "w", "b"}, *const gemm_outputs[] = {"h"},
                         *const relu_inputs[] = {"h"}, *const relu_outputs[] = {"y"};
static const plx_onnx_node nodes[] = {{.name = "first",
                                       .op = "Gemm",
                                       .domain = "",
                                       .inputs_count = 3,
                                       .outputs_count = 1,
                                       .inputs = gemm_inputs,
                                       .outputs = gemm_outputs},
                                      {.name = "",
                                       .op = "Relu",
                                       .domain = "ai.onnx",
                                       .inputs_count = 1,
                                       .outputs_count = 1,
                                       .inputs = relu_inputs,
                                       .outputs = relu_outputs}};
static const plx_onnx_opset opsets[] = {{"", 17}};
static const plx_onnx_model model = {.ir_version = 8,
                                     .opsets_count = 1,
                                     .opsets = opsets,
                                     .graph = {.nodes_count = 2,
                                               .initializers_count = 2,
                                               .inputs_count = 1,
                                               .outputs_count = 1,
                                               .nodes = nodes,
                                               .initializers = initializers,
                                               .inputs = inputs,
                                               .outputs = outputs}};
static const plx_onnx_binding batch = {"batch", 2};
static const plx_onnx_options of_two = {.sizes_count = 1, .sizes = &batch};
static const plx_real x[] = {1, 2, -3, 0.5F};

static void runs(plx_check *t, plx_ctx *ctx, plx_onnx *onnx) {
    const plx_onnx_value in = plx_onnx_input(onnx, 0), out = plx_onnx_output(onnx, 0);
    plx_plan *plan = NULL;
    CHECK(t, in.name && !strcmp(in.name, "x") && in.rank == 2 && in.dims[0] == 2, "the input");
    CHECK(t, out.name && !strcmp(out.name, "y") && out.rank == 2 && out.dims[1] == 3, "the output");
    CHECK(t, !plx_onnx_input(onnx, 1).name && !plx_onnx_output(onnx, -1).name, "no others");
    if (!CHECK(t,
               plx_compile(plx_onnx_graph_of(onnx), 1, &out.node, NULL, &plan) == PLX_OK &&
                   plx_plan_bind(plan, in.node, x) == PLX_OK && plx_plan_run(plan) == PLX_OK,
               "%s", plx_message(ctx))) {
        plx_plan_free(plan);
        return;
    }
    /* All exact: products of small dyadic fractions. */
    const plx_real *y = plx_plan_output(plan, out.node);
    const double expected[] = {2.25, 6, 0, 0, 8, 0};
    for (int i = 0; i < 6; ++i)
        CHECK(t, (double)y[i] == expected[i], "y[%d] is %g", i, (double)y[i]);
    plx_plan_free(plan);
}

/* The sum of y has the gradient of b that counts the positive elements of each column. */
static void trains(plx_check *t, plx_ctx *ctx, plx_onnx *onnx) {
    plx_graph *graph = plx_onnx_graph_of(onnx);
    const char *name = NULL;
    plx_tensor *b = NULL;
    plx_plan *plan = NULL;
    for (int i = 0; plx_onnx_parameter(onnx, i, &name); ++i)
        if (!strcmp(name, "b")) b = plx_onnx_parameter(onnx, i, NULL);
    if (!CHECK(t, b != NULL, "b is a parameter")) return;
    const plx_node wrt = plx_parameter(graph, "b", b);
    const plx_node loss = plx_reduce_sum(graph, plx_onnx_output(onnx, 0).node, PLX_ALL_AXES);
    plx_node gradient;
    if (!CHECK(t,
               plx_gradients(graph, loss, 1, &wrt, &gradient) == PLX_OK &&
                   plx_compile(graph, 1, &gradient, NULL, &plan) == PLX_OK &&
                   plx_plan_bind(plan, plx_onnx_input(onnx, 0).node, x) == PLX_OK &&
                   plx_plan_run(plan) == PLX_OK,
               "%s", plx_message(ctx))) {
        plx_plan_free(plan);
        return;
    }
    const plx_real *g = plx_plan_output(plan, gradient);
    CHECK(t, g[0] == 1 && g[1] == 2 && g[2] == 0, "the gradient of b: %g, %g, %g", (double)g[0],
          (double)g[1], (double)g[2]);
    plx_plan_free(plan);
}

static void refuse(plx_check *t, plx_ctx *ctx, const char *what, const plx_onnx_model *given,
                   const plx_onnx_options *options, plx_status status, const char *expected) {
    plx_onnx *onnx = NULL;
    const plx_status found = plx_onnx_import(ctx, given, options, &onnx);
    CHECK(t, found == status && !onnx && strstr(plx_message(ctx), expected), "%s: %s, \"%s\"", what,
          plx_status_name(found), plx_message(ctx));
    plx_onnx_free(onnx);
}

static void refusals(plx_check *t, plx_ctx *ctx) {
    const plx_onnx_binding other = {"time", 2}, negative = {"batch", -1};
    const plx_onnx_tensor wide = {.name = "x", .type = PLX_ONNX_FLOAT, .rank = 2, .dims = w_dims},
                          unknown = {.name = "z", .type = PLX_ONNX_FLOAT};
    plx_onnx_node twice[] = {nodes[0], nodes[0]}, backwards[] = {nodes[1], nodes[0]};
    plx_onnx_model changed = model;
    refuse(t, ctx, "no model", NULL, NULL, PLX_ERR_ARGUMENT, "model is NULL");
    refuse(t, ctx, "no size", &model, NULL, PLX_ERR_ARGUMENT, "not fixed but named \"batch\"");
    refuse(t, ctx, "another size", &model, &(plx_onnx_options){.sizes_count = 1, .sizes = &other},
           PLX_ERR_ARGUMENT, "no input of the model has a dimension \"time\"");
    refuse(t, ctx, "a negative size", &model,
           &(plx_onnx_options){.sizes_count = 1, .sizes = &negative}, PLX_ERR_ARGUMENT, "is -1");
    refuse(t, ctx, "another shape", &model, &(plx_onnx_options){.shapes_count = 1, .shapes = &wide},
           PLX_ERR_SHAPE, "size 2 at axis 1, but is given 3");
    refuse(t, ctx, "another input", &model,
           &(plx_onnx_options){.values_count = 1, .values = &unknown}, PLX_ERR_ARGUMENT,
           "no input \"z\"");
    changed.graph.nodes = twice;
    refuse(t, ctx, "a name twice", &changed, &of_two, PLX_ERR_FORMAT, "two values named \"h\"");
    changed.graph.nodes = backwards;
    refuse(t, ctx, "nodes in another order", &changed, &of_two, PLX_ERR_FORMAT,
           "reads \"h\", which no node before it makes");
    changed.graph.nodes = nodes;
    changed.graph.nodes_count = 1;
    refuse(t, ctx, "no output", &changed, &of_two, PLX_ERR_FORMAT, "no node makes the output");
    twice[0].domain = "com.example";
    changed.graph.nodes = twice;
    refuse(t, ctx, "another domain", &changed, &of_two, PLX_ERR_UNSUPPORTED,
           "node \"first\" (Gemm): operators of the domain \"com.example\"");
}

static void table(plx_check *t) {
    const char *name, *before = "";
    int first = 0, last = 0, i = 0;
    for (; (name = plx_onnx_operator(i, &first, &last)); ++i) {
        CHECK(t, strcmp(before, name) < 0, "%s comes behind %s", name, before);
        CHECK(t, first >= 1 && first <= last && last <= PLX_ONNX_OPSET_NEWEST, "%s: %d to %d", name,
              first, last);
        before = name;
    }
    CHECK(t, i > 90 && !plx_onnx_operator(-1, NULL, NULL), "%d operators", i);
}

void plx_test_unit_onnx(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_onnx *onnx = NULL;
    if (!ctx) return;
    if (CHECK(t, plx_onnx_import(ctx, &model, &of_two, &onnx) == PLX_OK, "%s", plx_message(ctx))) {
        runs(t, ctx, onnx);
        trains(t, ctx, onnx);
    }
    plx_onnx_free(onnx);
    refusals(t, ctx);
    table(t);
    plx_ctx_free(ctx);
}
