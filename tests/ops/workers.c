/* More than one thread works where rows are few and long: pieces of a loop are as small as their
 * work allows, so that two rows of a million elements make two pieces. Samples of every op are
 * stretched along the last axis and run until a second worker has taken a piece. */
#include "ops/walk.h"

#include <string.h>

enum { STRETCH = 1 << 12, MOST_ROWS = 15, TRIES = 200, OPS = 256 };
/* Pieces of loops do not depend on the build: one sees all of them. */
enum { LEAST_OPS = PLX_AS_SHIPPED ? 80 : 8, MOST_VALUES = 1 << (PLX_AS_SHIPPED ? 20 : 18) };
static const int64_t PATIENCE_NS = 1000000000; /* until the second worker is awake */

/* Ops that run in the caller, and ops whose stretched samples are one row, one block, or one
 * chunk of rows, whose sizes are fixed so that bits do not depend on the number of threads. */
static const char *const alone[] = {
    "select_grad",   "reduce_max",      "reduce_max_grad",      "nll",
    "dense",         "conv2d",          "conv2d_dense",         "layer_norm_grad",
    "rms_norm_grad", "group_norm_grad", "batch_norm_inference",
};

static bool works_alone(const char *op) {
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; ++i)
        if (!strcmp(alone[i], op)) return true;
    return false;
}

/* Lengthens every last axis of the same size as the first operand's, as far as memory allows.
 * Returns false if there is none, if there are many rows, or if attributes hold a shape. */
static bool stretch(plx__sample *sample) {
    const int first = sample->inputs[0].rank;
    if (!first || sample->attrs.rank) return false;
    const int64_t rows = plx__product(first - 1, sample->inputs[0].dims);
    if (first > 1 && rows > MOST_ROWS) return false;
    const int64_t size = sample->inputs[0].dims[first - 1];
    int64_t factor = STRETCH;
    for (int k = 0; k < sample->inputs_count; ++k)
        while (factor > 1 &&
               plx__product(sample->inputs[k].rank, sample->inputs[k].dims) * factor > MOST_VALUES)
            factor /= 2;
    for (int k = 0; k < sample->inputs_count; ++k) {
        const int rank = sample->inputs[k].rank;
        int64_t *dims = sample->inputs[k].dims;
        if (rank && dims[rank - 1] == size) dims[rank - 1] *= factor;
    }
    return true;
}

typedef struct worker_walk {
    plx_ctx *ctx;
    const plx_op *op; /* whose samples are being walked */
    int number;       /* its number among those that ran */
    const char *names[OPS];
    bool worked[OPS]; /* with two workers */
} worker_walk;

static void come(void *arg, int64_t begin, int64_t end, int worker) {
    (void)arg;
    (void)begin;
    (void)end;
    (void)worker;
}

/* Each run begins when the second worker is awake, even on a busy machine. */
static bool two_worked(plx_ctx *ctx, plx_plan *plan) {
    for (int i = 0; i < TRIES; ++i) {
        plx__parallel_each(ctx->pool, 2, PATIENCE_NS, come, NULL);
        plx__pool_forget(ctx->pool);
        if (plx_plan_run(plan) == PLX_OK && plx__pool_worked(ctx->pool) > 1) return true;
    }
    return false;
}

static void walk_sample(void *arg, const plx_op *op, const plx__sample *sample, const char *text) {
    worker_walk *w = arg;
    plx__sample longer = *sample;
    (void)text;
    if ((!PLX_AS_SHIPPED && w->number > LEAST_OPS) || works_alone(op->name) ||
        (w->op == op && w->worked[w->number]) || op->flags & PLX__OP_VIEW || !stretch(&longer))
        return;
    plx_check quiet = {.quiet = true}; /* not every sample can be stretched */
    plx_walk walk;
    plx_plan *plan = NULL;
    const plx_plan_options all_threads = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};
    const bool open = plx_walk_open(&quiet, w->ctx, op, &longer, PLX_WALK_PLAIN, &walk);
    const int64_t size = open ? plx__size(plx__at(walk.graph, walk.y)) : 0;
    if (size > 0 && size <= MOST_VALUES &&
        plx_compile(walk.graph, 1, &walk.y, &all_threads, &plan) == PLX_OK) {
        if (w->op != op) w->number += 1;
        w->op = op;
        w->names[w->number] = op->name;
        w->worked[w->number] = two_worked(w->ctx, plan);
    }
    plx_plan_free(plan);
    plx_walk_close(&walk);
}

void plx_test_ops_workers(plx_check *t) {
    worker_walk w = {.ctx = plx_check_context(t, NULL, 2), .number = -1};
    if (w.ctx && w.ctx->threads > 1) {
        plx_walk_ops(walk_sample, &w);
        CHECK(t, w.number > LEAST_OPS, "only %d operations could be stretched", w.number);
    }
    for (int i = 0; i <= w.number; ++i)
        CHECK(t, w.worked[i], "%s, stretched: one thread did all the work", w.names[i]);
    plx_ctx_free(w.ctx);
}
