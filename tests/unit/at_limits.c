/* Results for empty arrays, and losses at infinite logits. */
#include "check.h"

#include <math.h>

/* ---- Empty arrays ---------------------------------------------------------------------------- */

typedef struct given {
    plx_graph *graph;
    plx_node a, b; /* [0, 3] */
} given;

typedef plx_node (*builder)(given g);
#define CASE(name, ...)                                                                            \
    static plx_node name(given g) {                                                                \
        return __VA_ARGS__;                                                                        \
    }
CASE(mean_of_all, plx_reduce_mean(g.graph, g.a, PLX_ALL_AXES))
CASE(mean_of_rows, plx_reduce_mean(g.graph, g.a, 0))
CASE(mean_of_columns, plx_reduce_mean(g.graph, plx_transpose(g.graph, g.a, (const int[]){1, 0}), 1))
CASE(sum_of_rows, plx_reduce_sum(g.graph, g.a, 0))
CASE(max_of_rows, plx_reduce_max(g.graph, g.a, 0))
CASE(log_sum_of_rows, plx_log_sum_exp(g.graph, g.a, 0))
CASE(mse, plx_mse(g.graph, g.a, g.b))
CASE(l1, plx_l1(g.graph, g.a, g.b))
CASE(huber, plx_huber(g.graph, g.a, g.b, 1))
CASE(binary, plx_binary_cross_entropy(g.graph, g.a, g.b))
CASE(cosine, plx_cosine_loss(g.graph, g.a, g.b))
CASE(contrast, plx_info_nce(g.graph, g.a, g.b, plx_constant(g.graph, 1)))

/* As in NumPy and PyTorch. */
static const struct {
    const char *name;
    builder build;
    double value;
} empties[] = {
    {"mean of all", mean_of_all, NAN},
    {"mean of rows", mean_of_rows, NAN},
    {"mean of columns", mean_of_columns, NAN},
    {"sum of rows", sum_of_rows, 0},
    {"largest of rows", max_of_rows, -INFINITY},
    {"log-sum of rows", log_sum_of_rows, -INFINITY},
    {"mse", mse, NAN},
    {"l1", l1, NAN},
    {"huber", huber, NAN},
    {"binary cross-entropy", binary, NAN},
    {"cosine loss", cosine, NAN},
    {"contrastive loss", contrast, NAN},
};

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || a == b;
}

static void check_empty(plx_check *t, plx_ctx *ctx, int i) {
    static const plx_real nothing[1];
    static const int64_t dims[] = {0, 3};
    given g;
    plx_plan *plan = NULL;
    if (plx_graph_new(ctx, &g.graph) != PLX_OK) return;
    g.a = plx_input(g.graph, "a", PLX_DTYPE_REAL, 2, dims);
    g.b = plx_input(g.graph, "b", PLX_DTYPE_REAL, 2, dims);
    const plx_node y = empties[i].build(g);
    plx_status status = plx_compile(g.graph, 1, &y, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, g.a, nothing);
    if (status == PLX_OK) status = plx_plan_bind(plan, g.b, nothing);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s: %s", empties[i].name, plx_message(ctx))) {
        const double value = (double)plx_plan_output(plan, y)[0];
        CHECK(t, same(value, empties[i].value), "%s of nothing: %g instead of %g", empties[i].name,
              value, empties[i].value);
    }
    plx_plan_free(plan);
    plx_graph_free(g.graph);
}

/* ---- Infinite logits ------------------------------------------------------------------------- */

/* Limits of log(1 + exp(x)) - x t, and of its derivative sigmoid(x) - t. */
static const struct {
    double x, t, loss, slope;
} ends[] = {
    {INFINITY, 1, 0, 0},  {INFINITY, 0, INFINITY, 1},   {INFINITY, 0.25, INFINITY, 0.75},
    {-INFINITY, 0, 0, 0}, {-INFINITY, 1, INFINITY, -1}, {-INFINITY, 0.25, INFINITY, -0.25},
    {NAN, 0, NAN, NAN},   {INFINITY, NAN, NAN, NAN},
};

/* Tests the element alone, and within a whole vector of elements whose loss is log 2. */
static void check_end(plx_check *t, plx_ctx *ctx, int i, int64_t size) {
    enum { MOST = 40 };
    plx_real x[MOST] = {0}, target[MOST] = {0};
    plx_graph *graph;
    plx_plan *plan = NULL;
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    x[size - 1] = (plx_real)ends[i].x;
    target[size - 1] = (plx_real)ends[i].t;
    const plx_node logits = plx_input(graph, "x", PLX_DTYPE_REAL, 1, &size);
    const plx_node targets = plx_input(graph, "t", PLX_DTYPE_REAL, 1, &size);
    plx_node outputs[2] = {plx_binary_cross_entropy(graph, logits, targets)};
    plx_status status = plx_gradients(graph, outputs[0], 1, &logits, &outputs[1]);
    if (status == PLX_OK) status = plx_compile(graph, 2, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, logits, x);
    if (status == PLX_OK) status = plx_plan_bind(plan, targets, target);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        const double n = (double)size, others = (n - 1) / n * log(2);
        const double loss = (double)plx_plan_output(plan, outputs[0])[0];
        const double slope = n * (double)plx_plan_output(plan, outputs[1])[size - 1];
        const double wanted = ends[i].loss == 0 ? others : ends[i].loss;
        CHECK(t, same(loss, wanted) || fabs(loss - wanted) < 1e-6,
              "%s: the loss of %g against %g, one of %lld, is %g instead of %g",
              plx_ctx_get_info(ctx).isa, ends[i].x, ends[i].t, (long long)size, loss, wanted);
        CHECK(t, same(slope, ends[i].slope) || fabs(slope - ends[i].slope) < 1e-6,
              "%s: its slope at %g against %g is %g instead of %g", plx_ctx_get_info(ctx).isa,
              ends[i].x, ends[i].t, slope, ends[i].slope);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

void plx_test_unit_limits(plx_check *t) {
    for (int isa = 0; plx_isa_name(isa); ++isa) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(isa), 1);
        if (!ctx) return;
        for (size_t i = 0; i < sizeof empties / sizeof *empties; ++i) check_empty(t, ctx, (int)i);
        for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
            check_end(t, ctx, (int)i, 1);
            check_end(t, ctx, (int)i, 16);
            check_end(t, ctx, (int)i, 35);
        }
        plx_ctx_free(ctx);
    }
}
