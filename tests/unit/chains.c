/* Chains of elementwise steps: fewer steps, the same bits. */
#include "base/status.h"
#include "check.h"

#include <string.h>

enum { GRAPHS = 40, NODES = 14, MOST = 4900, RUNS = 2, OUTPUTS = 4 };

/* Tiles have 512 elements: a part of one, a row of several, rows in one, whole ones and a rest. */
static const int64_t shapes[][2] = {{5, 7}, {3, 1300}, {37, 129}, {1, 1}, {64, 64}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

typedef struct elementwise {
    plx_graph *graph;
    plx_tensor *tensors[2]; /* x, and one row */
    plx_node y, outputs[OUTPUTS];
} elementwise;

static plx_node combine(plx_graph *g, plx_rng *rng, plx_node a, plx_node b) {
    static const plx_activation functions[] = {PLX_RELU, PLX_TANH, PLX_LEAKY_RELU, PLX_SIGMOID};
    switch (plx_rng_below(rng, 9)) {
    case 0: return plx_sub(g, a, b);
    case 1: return plx_mul(g, a, b);
    case 2: return plx_max(g, a, b);
    case 3: return plx_mul(g, b, plx_constant(g, 0.5));
    case 4: return plx_dropout(g, a, 0.25, 3);
    case 5:
    case 6: return plx_activate(g, a, functions[plx_rng_below(rng, 4)], (plx_real)0.1);
    default: return plx_add(g, a, b);
    }
}

/* A tree with some values used twice, its loss, and the gradients. */
static plx_status build(plx_ctx *ctx, uint64_t seed, elementwise *e) {
    const int64_t *dims = shapes[seed % SHAPES];
    plx_rng rng = plx_rng_new(seed, 1);
    PLX_TRY(plx_graph_new(ctx, &e->graph));
    for (int i = 0; i < 2; ++i) {
        PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, 2 - i, dims + i, &e->tensors[i]));
        PLX_TRY(plx_tensor_init(e->tensors[i], PLX_INIT_NORMAL, 1, &rng));
    }
    plx_node values[NODES + 4] = {plx_parameter(e->graph, "x", e->tensors[0]),
                                  plx_parameter(e->graph, "row", e->tensors[1])};
    values[2] = e->y = plx_input(e->graph, "y", PLX_DTYPE_REAL, 2, dims);
    values[3] = plx_add(e->graph, values[0], values[1]);
    const int64_t newest = 3;
    for (int64_t i = 4; i < NODES + 4; ++i) {
        const plx_node other = values[plx_rng_below(&rng, 3)];
        const bool again = plx_rng_below(&rng, 4) == 0;
        const plx_node last = values[again ? newest + plx_rng_below(&rng, i - newest) : i - 1];
        values[i] = combine(e->graph, &rng, last, other);
    }
    e->outputs[0] = plx_add(e->graph, values[NODES + 3], values[newest]);
    e->outputs[1] = values[newest + plx_rng_below(&rng, NODES)];
    const plx_node loss = plx_mse(e->graph, e->outputs[0], e->y);
    return plx_gradients(e->graph, loss, 2, values, e->outputs + 2);
}

static void close_graph(elementwise *e) {
    plx_graph_free(e->graph);
    for (int i = 0; i < 2; ++i) plx_tensor_free(e->tensors[i]);
}

/* The bits of all outputs, and the number of steps. */
static int run(plx_check *t, plx_ctx *ctx, const elementwise *e, int passes, int threads,
               plx_real out[OUTPUTS][MOST]) {
    static plx_real y[MOST];
    plx_rng rng = plx_rng_new(5, 0);
    plx_plan *plan = NULL;
    plx_plan_options options = plx_plan_default();
    options.passes = passes;
    options.threads = threads;
    for (int i = 0; i < MOST; ++i) y[i] = (plx_real)plx_rng_normal(&rng);
    plx_status status = plx_compile(e->graph, OUTPUTS, e->outputs, &options, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, e->y, y);
    for (int i = 0; i < RUNS && status == PLX_OK; ++i) status = plx_plan_run(plan);
    int steps = 0;
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        steps = plx_plan_steps(plan);
        for (int k = 0; k < OUTPUTS; ++k) {
            const int64_t *dims;
            const int rank = plx_node_shape(e->graph, e->outputs[k], &dims);
            int64_t size = 1;
            for (int i = 0; i < rank; ++i) size *= dims[i];
            memcpy(out[k], plx_plan_output(plan, e->outputs[k]), (size_t)size * sizeof **out);
        }
    }
    plx_plan_free(plan);
    return steps;
}

static void compare(plx_check *t, plx_ctx *ctx, uint64_t seed, int *steps, int *chained) {
    static plx_real plain[OUTPUTS][MOST], own[OUTPUTS][MOST];
    elementwise e = {0};
    const plx_status status = build(ctx, seed, &e);
    if (CHECK(t, status == PLX_OK, "graph %d: %s", (int)seed, plx_message(ctx))) {
        const int without[] = {PLX_PASS_ALL & ~PLX_PASS_CHAIN, PLX_PASS_DEAD_CODE};
        for (int i = 0; i < 2; ++i) {
            memset(plain, 0, sizeof plain);
            memset(own, 0, sizeof own);
            *steps += run(t, ctx, &e, without[i], 1, plain);
            for (int threads = 1; threads <= 2; ++threads) {
                const int count = run(t, ctx, &e, without[i] | PLX_PASS_CHAIN, threads, own);
                if (threads == 1) *chained += count;
                CHECK(t, !memcmp(plain, own, sizeof own),
                      "graph %d, passes %d, %d threads: other bits", (int)seed, without[i],
                      threads);
            }
        }
    }
    close_graph(&e);
}

/* A step does not move past one that writes what it reads: the running mean of a batch norm. */
static void check_written(plx_check *t, plx_ctx *ctx) {
    enum { ROWS = 4, CHANNELS = 3 };
    static const int64_t dims[] = {ROWS, CHANNELS};
    static const plx_real x[ROWS * CHANNELS] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
    plx_real results[2] = {0};
    for (int on = 0; on < 2; ++on) {
        plx_graph *g = NULL;
        plx_plan *plan = NULL;
        plx_tensor *running[2] = {NULL};
        plx_plan_options options = plx_plan_default();
        if (!on) options.passes &= ~PLX_PASS_CHAIN;
        plx_status status = plx_graph_new(ctx, &g);
        for (int i = 0; i < 2 && status == PLX_OK; ++i)
            status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, dims + 1, &running[i]);
        if (status == PLX_OK) {
            const plx_node in = plx_input(g, "x", PLX_DTYPE_REAL, 2, dims);
            const plx_node mean = plx_parameter(g, "mean", running[0]);
            const plx_node before = plx_sub(g, in, mean);
            const plx_node norm =
                plx_batch_norm(g, in, plx_none(), plx_none(), mean,
                               plx_parameter(g, "variance", running[1]), true, 0.5, 1e-3);
            const plx_node y = plx_add(g, before, norm);
            status = plx_compile(g, 1, &y, &options, &plan);
            if (status == PLX_OK) status = plx_plan_bind(plan, in, x);
            if (status == PLX_OK) status = plx_plan_run(plan);
            if (status == PLX_OK) results[on] = plx_plan_output(plan, y)[0];
        }
        CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
        plx_plan_free(plan);
        plx_graph_free(g);
        for (int i = 0; i < 2; ++i) plx_tensor_free(running[i]);
    }
    CHECK(t, results[0] == results[1], "%g before the mean moved, %g after", (double)results[0],
          (double)results[1]);
}

/* What a plan says about one chain. */
static void check_label(plx_check *t, plx_ctx *ctx) {
    static const int64_t dims[] = {3, 4};
    plx_graph *g = NULL;
    plx_plan *plan = NULL;
    plx_status status = plx_graph_new(ctx, &g);
    if (status == PLX_OK) {
        const plx_node x = plx_input(g, "x", PLX_DTYPE_REAL, 2, dims);
        const plx_node y =
            plx_activate(g, plx_add(g, plx_mul(g, x, x), plx_square(g, x)), PLX_RELU, 0);
        status = plx_compile(g, 1, &y, NULL, &plan);
    }
    if (CHECK(t, status == PLX_OK && plan, "%s", plx_message(ctx))) {
        const plx_step_info info = plx_plan_step(plan, 0);
        CHECK(t, plx_plan_steps(plan) == 1 && !strcmp(info.op, "chain"), "%d steps, first %s",
              plx_plan_steps(plan), info.op);
        CHECK(t, !strcmp(info.fused, "square+mul+add+relu"), "\"%s\"", info.fused);
    }
    plx_plan_free(plan);
    plx_graph_free(g);
}

void plx_test_unit_chains(plx_check *t) {
    int steps = 0, chained = 0;
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 2);
        for (uint64_t seed = 0; ctx && seed < GRAPHS; ++seed)
            compare(t, ctx, seed, &steps, &chained);
        if (ctx && !i) check_written(t, ctx);
        if (ctx && !i) check_label(t, ctx);
        plx_ctx_free(ctx);
    }
    CHECK(t, 3 * chained < 2 * steps, "%d steps became %d", steps, chained);
}
