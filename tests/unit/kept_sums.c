/* A cross-entropy that keeps its sums for the gradient: the same bits, with one more buffer. */
#include "base/status.h"
#include "check.h"

#include <string.h>

enum { ROWS = 37, MOST = ROWS * 2000, OUTPUTS = 3 };

typedef struct losses {
    plx_graph *graph;
    plx_tensor *logits;
    plx_node labels,
        outputs[OUTPUTS]; /* two losses of the same logits, and the gradient of their sum */
} losses;

static plx_status build(plx_ctx *ctx, int64_t classes, double smoothing, losses *l) {
    const int64_t dims[] = {ROWS, classes};
    plx_rng rng = plx_rng_new(3, 0);
    PLX_TRY(plx_graph_new(ctx, &l->graph));
    PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, dims, &l->logits));
    PLX_TRY(plx_tensor_init(l->logits, PLX_INIT_NORMAL, 3, &rng));
    const plx_node x = plx_parameter(l->graph, "x", l->logits);
    l->labels = plx_input(l->graph, "labels", PLX_DTYPE_I32, 1, dims);
    l->outputs[0] = plx_cross_entropy_smooth(l->graph, x, l->labels, smoothing);
    /* Another step's value, which its gradient may overwrite. */
    const plx_node doubled = plx_mul(l->graph, x, plx_constant(l->graph, 2));
    l->outputs[1] = plx_cross_entropy(l->graph, doubled, l->labels);
    const plx_node sum = plx_add(l->graph, l->outputs[0], l->outputs[1]);
    return plx_gradients(l->graph, sum, 1, &x, &l->outputs[2]);
}

static int run(plx_check *t, plx_ctx *ctx, const losses *l, int64_t classes, bool on, int threads,
               plx_real *out) {
    int32_t labels[ROWS];
    plx_plan *plan = NULL;
    plx_plan_options options = plx_plan_default();
    options.threads = threads;
    options.passes &= ~(PLX_PASS_PARALLEL | (on ? 0 : PLX_PASS_KEEP_SUMS));
    for (int i = 0; i < ROWS; ++i) labels[i] = i % 5 ? (int32_t)(i % classes) : PLX_IGNORED_LABEL;
    plx_status status = plx_compile(l->graph, OUTPUTS, l->outputs, &options, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, l->labels, labels);
    for (int i = 0; i < 2 && status == PLX_OK; ++i) status = plx_plan_run(plan);
    int buffers = 0;
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        out[0] = *plx_plan_output(plan, l->outputs[0]);
        out[1] = *plx_plan_output(plan, l->outputs[1]);
        memcpy(out + 2, plx_plan_output(plan, l->outputs[2]),
               (size_t)(ROWS * classes) * sizeof *out);
        for (int i = 0; i < plx_plan_steps(plan); ++i)
            buffers += !strcmp(plx_plan_step(plan, i).op, "buffer");
    }
    plx_plan_free(plan);
    return buffers;
}

static void compare(plx_check *t, plx_ctx *ctx, int64_t classes, double smoothing) {
    static plx_real plain[MOST + 2], own[MOST + 2];
    losses l = {0};
    const plx_status status = build(ctx, classes, smoothing, &l);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        const int none = run(t, ctx, &l, classes, false, 1, plain);
        for (int threads = 1; threads <= 2; ++threads) {
            const int buffers = run(t, ctx, &l, classes, true, threads, own);
            CHECK(t, !none && buffers == 2, "%d buffers, without the pass %d", buffers, none);
            CHECK(t, !memcmp(plain, own, (size_t)(ROWS * classes + 2) * sizeof *own),
                  "%lld classes, smoothing %g, %d threads: other bits", (long long)classes,
                  smoothing, threads);
        }
    }
    plx_graph_free(l.graph);
    plx_tensor_free(l.logits);
}

void plx_test_unit_kept_sums(plx_check *t) {
    static const int64_t classes[] = {1, 2, 10, 2000};
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 2);
        for (int k = 0; ctx && k < 8; ++k) compare(t, ctx, classes[k / 2], k % 2 ? 0.1 : 0);
        plx_ctx_free(ctx);
    }
}
