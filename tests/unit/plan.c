/* Passes may change how a plan runs, never what it computes. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 96, IN = 20, STEPS = 12 };

static plx_dataset make_data(plx_real *x, int32_t *labels) {
    plx_rng rng = plx_rng_new(11, 0);
    for (int i = 0; i < N * IN; ++i) x[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < N; ++i) labels[i] = x[i * IN] + x[i * IN + 1] > 0 ? 2 : (x[i * IN] > 0);
    return (plx_dataset){.n = N, .inputs = {x}, .targets = {labels}};
}

/* joining: threads that the context gains after the first steps. */
static void losses_with(plx_check *t, int passes, int threads, int joining, plx_real *losses,
                        plx_memory *memory) {
    static plx_real x[N * IN];
    static int32_t labels[N];
    const plx_dataset data = make_data(x, labels);
    plx_ctx *ctx = plx_check_context(t, NULL, threads);
    if (!ctx) return;
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    const int64_t dims[] = {IN};
    plx_model_new(ctx, 1, dims, 4, &model);
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_DENSE, .units = 64, .activation = PLX_RELU},
        {.kind = PLX_LAYER_DROPOUT, .rate = 0.1},
        {.kind = PLX_LAYER_DENSE, .units = 33, .activation = PLX_GELU},
        {.kind = PLX_LAYER_DENSE, .units = 3},
    };
    for (int i = 0; i < 4; ++i)
        CHECK(t, plx_model_add(model, &layers[i]) == PLX_OK, "%s", plx_message(ctx));
    plx_trainer_options options = plx_trainer_default();
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.batch = 40; /* leaves a batch of 16 */
    options.epochs = 4;
    options.plan.passes = passes;
    plx_progress progress = {0};
    plx_status status = plx_trainer_new(model, &options, &data, &trainer);
    if (status == PLX_OK) status = plx_trainer_run(trainer, 5, &progress);
    if (status == PLX_OK && joining) status = plx_ctx_set_threads(ctx, joining);
    while (status == PLX_OK && !progress.done) status = plx_trainer_run(trainer, 5, &progress);
    CHECK(t, status == PLX_OK && progress.step == STEPS, "passes %d: %s", passes, plx_message(ctx));
    if (trainer) {
        int64_t count;
        const plx_real *own = plx_trainer_losses(trainer, &count);
        memcpy(losses, own, STEPS * sizeof *losses);
        *memory = plx_trainer_memory(trainer);
    }
    plx_trainer_free(trainer);
    plx_model_free(model);
    plx_ctx_free(ctx);
}

/* Gradients that are parameters are not part of the plan's own memory; computed ones are, once
 * each. */
static void check_memory_roles(plx_check *t, bool computed) {
    enum { SIZE = 1000 };
    static const int64_t size = SIZE;
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_tensor *tensors[2] = {NULL};
    plx_optimizer *optimizer = NULL;
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    const plx_optimizer_options sgd = plx_optimizer_default(PLX_SGD);
    if (!ctx) return;
    plx_status status = plx_graph_new(ctx, &graph);
    for (int i = 0; i < 2 && status == PLX_OK; ++i)
        status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &size, &tensors[i]);
    if (status == PLX_OK) status = plx_optimizer_new(ctx, &sgd, 1, tensors, &optimizer);
    if (status == PLX_OK) {
        const plx_node gradient = plx_parameter(graph, "g", tensors[1]);
        const plx_node own = computed ? plx_exp(graph, gradient) : gradient;
        const plx_node update = plx_update(graph, optimizer, &own);
        status = plx_compile(graph, 1, &update, NULL, &plan);
    }
    if (CHECK(t, status == PLX_OK && plan, "%s", plx_message(ctx))) {
        const plx_memory memory = plx_plan_memory(plan);
        const int64_t bytes = SIZE * (int64_t)sizeof(plx_real);
        CHECK(t, memory.gradients == (computed ? bytes : 0), "gradients take %lld bytes",
              (long long)memory.gradients);
        /* Slots start at cache lines. */
        CHECK(t, memory.activations >= 0 && memory.activations < 64, "activations take %lld bytes",
              (long long)memory.activations);
        CHECK(t, memory.parameters == 2 * bytes, "parameters take %lld bytes",
              (long long)memory.parameters);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
    plx_optimizer_free(optimizer);
    for (int i = 0; i < 2; ++i) plx_tensor_free(tensors[i]);
    plx_ctx_free(ctx);
}

/* The table lists each bit once, under the names that options accept. */
static void check_pass_table(plx_check *t) {
    int bits = 0;
    for (int i = 0; plx_pass_at(i); ++i) {
        const plx_pass_info *pass = plx_pass_at(i);
        CHECK(t, pass->flag && !(pass->flag & (pass->flag - 1)) && !(bits & pass->flag),
              "pass %s has the bits %d", pass->name, pass->flag);
        CHECK(t, *pass->name && *pass->without, "pass %d has no name or no text", i);
        bits |= pass->flag;
    }
    CHECK(t, bits == PLX_PASS_ALL && !plx_pass_at(-1), "the table has the bits %d", bits);
    CHECK(t, plx_plan_default().passes == PLX_PASS_ALL, "a pass is off by default");
}

/* With the pass off, steps that no output needs do run, but write no tensor and need no input. */
static void check_dead_code(plx_check *t) {
    enum { SIZE = 5 };
    static const int64_t size = SIZE;
    static const plx_real data[SIZE] = {1, 2, 3, 4, 5};
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_tensor *tensor = NULL;
    plx_optimizer *optimizer = NULL;
    plx_graph *graph = NULL;
    const plx_optimizer_options sgd = plx_optimizer_default(PLX_SGD);
    if (!ctx) return;
    plx_status status = plx_graph_new(ctx, &graph);
    if (status == PLX_OK) status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &size, &tensor);
    if (status == PLX_OK) status = plx_optimizer_new(ctx, &sgd, 1, &tensor, &optimizer);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 1, &size);
    const plx_node other = plx_input(graph, "other", PLX_DTYPE_REAL, 1, &size);
    const plx_node w = plx_parameter(graph, "w", tensor);
    const plx_node y = plx_exp(graph, plx_add(graph, x, w));
    plx_sin(graph, plx_cos(graph, x)); /* two steps that run */
    plx_square(graph, other);
    plx_update(graph, optimizer, &y);
    for (int on = 0; on < 2; ++on) {
        plx_plan_options options = plx_plan_default();
        plx_plan *plan = NULL;
        options.passes &= ~PLX_PASS_CHAIN; /* each node is a step */
        if (!on) options.passes &= ~PLX_PASS_DEAD_CODE;
        status = plx_compile(graph, 1, &y, &options, &plan);
        if (status == PLX_OK) status = plx_plan_bind(plan, x, data);
        if (status == PLX_OK) status = plx_plan_run(plan);
        if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
            CHECK(t, plx_plan_steps(plan) == (on ? 2 : 4), "%d steps", plx_plan_steps(plan));
            CHECK(t, *(plx_real *)plx_tensor_data(tensor) == 0, "a tensor was written");
        }
        plx_plan_free(plan);
    }
    plx_graph_free(graph);
    plx_optimizer_free(optimizer);
    plx_tensor_free(tensor);
    plx_ctx_free(ctx);
}

/* A plan uses threads that have joined since it was compiled, with scratch memory for all of
 * them. */
static void threads_join(plx_check *t) {
    enum { SIZE = 512 };
    static const int64_t dims[] = {SIZE, SIZE};
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_tensor *tensor = NULL;
    if (!ctx) return;
    plx_status status = plx_graph_new(ctx, &graph);
    if (status == PLX_OK) status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, dims, &tensor);
    plx_plan_options options = plx_plan_default();
    options.passes &= ~PLX_PASS_PARALLEL; /* all threads, whatever they cost */
    if (status == PLX_OK) {
        plx_real *data = plx_tensor_data(tensor);
        for (int i = 0; i < SIZE * SIZE; ++i) data[i] = (plx_real)(i % 17) / 16;
        const plx_node x = plx_parameter(graph, "x", tensor);
        const plx_node y = plx_matmul(graph, x, x, false, false);
        status = plx_compile(graph, 1, &y, &options, &plan);
        if (status == PLX_OK) status = plx_plan_run(plan);
        static plx_real before[SIZE * SIZE];
        if (status == PLX_OK) memcpy(before, plx_plan_output(plan, y), sizeof before);
        CHECK(t, plx_ctx_set_threads(ctx, 0) == PLX_OK || plx_ctx_get_info(ctx).cpus < 1, "%s",
              plx_message(ctx));
        const int threads = plx_ctx_get_info(ctx).threads;
        if (status == PLX_OK) status = plx_plan_run(plan);
        if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
            CHECK(t, plx_plan_step(plan, 0).threads == threads, "%d of %d threads",
                  plx_plan_step(plan, 0).threads, threads);
            CHECK(t, !memcmp(before, plx_plan_output(plan, y), sizeof before),
                  "other bits with %d threads", threads);
        }
        CHECK(t, plx_ctx_set_threads(ctx, -1) == PLX_ERR_ARGUMENT, "-1 threads were accepted");
        CHECK(t, plx_ctx_set_threads(ctx, 129) == PLX_ERR_ARGUMENT, "129 threads were accepted");
        CHECK(t, threads < 2 || plx_ctx_set_threads(ctx, 1) == PLX_ERR_ARGUMENT,
              "the context lost threads");
    }
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_plan_free(plan);
    plx_graph_free(graph);
    plx_tensor_free(tensor);
    plx_ctx_free(ctx);
}

/* Each pass and each pair of them, alone and left out. */
static bool is_tried(int passes) {
    int on = 0, all = 0;
    for (int bit = 1; bit <= PLX_PASS_ALL; bit *= 2) {
        on += (passes & bit) > 0;
        all += 1;
    }
    return on <= 2 || on >= all - 2;
}

void plx_test_unit_plan(plx_check *t) {
    check_pass_table(t);
    check_dead_code(t);
    threads_join(t);
    check_memory_roles(t, false);
    check_memory_roles(t, true);
    plx_real reference[STEPS] = {0};
    plx_memory most, memory;
    losses_with(t, 0, 1, 0, reference, &most);
    CHECK(t, reference[STEPS - 1] < reference[0], "the loss did not fall: %g to %g",
          (double)reference[0], (double)reference[STEPS - 1]);
    const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    for (int passes = 0; passes <= PLX_PASS_ALL; ++passes)
        for (int threads = 1; is_tried(passes) && threads <= 3; ++threads) {
            plx_real own[STEPS] = {0};
            losses_with(t, passes, threads < 3 ? threads : 1, threads < 3 ? 0 : 3, own, &memory);
            if (!(passes & PLX_PASS_FUSE)) {
                CHECK(t, !memcmp(own, reference, sizeof own), "passes %d, %d threads: other bits",
                      passes, threads);
                continue;
            }
            /* Fusion rounds a few values of each step differently; training amplifies that by
             * less than a thousand in twelve steps. */
            for (int i = 0; i < STEPS; ++i)
                CHECK(t, fabs((double)own[i] - (double)reference[i]) < 1000 * eps,
                      "passes %d, step %d: %g vs %g", passes, i, (double)own[i],
                      (double)reference[i]);
        }
    CHECK(t, memory.activations < most.activations, "liveness saved nothing: %lld of %lld bytes",
          (long long)memory.activations, (long long)most.activations);
    CHECK(t,
          memory.parameters == (IN * 64 + 64 + 64 * 33 + 33 + 33 * 3 + 3) * (int)sizeof(plx_real),
          "parameters take %lld bytes", (long long)memory.parameters);
    CHECK(t, memory.optimizer == 2 * memory.parameters, "Adam keeps %lld bytes",
          (long long)memory.optimizer);
}
