/* Operations along axes, on indices and on the last two axes: values computed by hand. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TENSORS = 64, MOST_RESULTS = 48, MOST_VALUES = 24 };

typedef struct world {
    plx_check *t;
    plx_ctx *ctx;
    plx_graph *graph;
    int tensors_count, results_count;
    plx_tensor *tensors[MOST_TENSORS];
    plx_node results[MOST_RESULTS];
    const char *names[MOST_RESULTS];
    int counts[MOST_RESULTS];
    double values[MOST_RESULTS][MOST_VALUES];
} world;

static plx_node tensor(world *w, plx_dtype dtype, int rank, const int64_t *dims,
                       const double *values) {
    plx_tensor *made = NULL;
    plx_tensor_new(w->ctx, dtype, rank, dims, &made);
    w->tensors[w->tensors_count++] = made;
    for (int64_t i = 0; i < plx_tensor_size(made); ++i)
        if (dtype == PLX_DTYPE_I32)
            ((int32_t *)plx_tensor_data(made))[i] = (int32_t)values[i];
        else
            ((plx_real *)plx_tensor_data(made))[i] = (plx_real)values[i];
    return plx_parameter(w->graph, NULL, made);
}

#define D(...) ((const int64_t[]){__VA_ARGS__})
#define RANK(...) ((int)(sizeof(D(__VA_ARGS__)) / sizeof(int64_t)))
#define V(...) ((const double[]){__VA_ARGS__})
#define SHAPE(...) RANK(__VA_ARGS__), D(__VA_ARGS__)
#define REAL(shape, values) tensor(w, PLX_DTYPE_REAL, shape, values)
#define WHOLE(shape, values) tensor(w, PLX_DTYPE_I32, shape, values)
#define EXPECT(node, ...)                                                                          \
    expect(w, #node, node, (int)(sizeof(V(__VA_ARGS__)) / sizeof(double)), V(__VA_ARGS__))

static void expect(world *w, const char *name, plx_node node, int count, const double *values) {
    const int i = w->results_count++;
    w->results[i] = node;
    w->names[i] = name;
    w->counts[i] = count;
    memcpy(w->values[i], values, (size_t)count * sizeof *values);
}

/* The gradients of sum(weights y) with respect to two nodes. */
static void gradients_of(world *w, plx_node y, plx_node weights, plx_node *wrt) {
    const plx_node loss = plx_reduce_sum(w->graph, plx_mul(w->graph, y, weights), PLX_ALL_AXES);
    CHECK(w->t, plx_gradients(w->graph, loss, 2, wrt, wrt) == PLX_OK, "%s", plx_message(w->ctx));
}

static bool same(double got, double expected) {
    if (isnan(expected)) return isnan(got);
    if (isinf(expected)) return got == expected;
    return fabs(got - expected) <= 1e-6 * fabs(expected);
}

static void compare(world *w, const plx_plan *plan, int i) {
    const plx_dtype dtype = plx_node_dtype(w->graph, w->results[i]);
    const void *data = plx_plan_output_as(plan, w->results[i], dtype);
    const int64_t *dims = NULL;
    int64_t size = 1;
    for (int axis = plx_node_shape(w->graph, w->results[i], &dims) - 1; axis >= 0; --axis)
        size *= dims[axis];
    if (!CHECK(w->t, size == w->counts[i], "%s has %lld values", w->names[i], (long long)size))
        return;
    for (int k = 0; k < w->counts[i]; ++k) {
        const double got = dtype == PLX_DTYPE_I32 ? ((const int32_t *)data)[k]
                                                  : (double)((const plx_real *)data)[k];
        CHECK(w->t, same(got, w->values[i][k]), "%s: element %d is %.9g, not %.9g", w->names[i], k,
              got, w->values[i][k]);
    }
}

static void finish(world *w) {
    plx_plan *plan = NULL;
    plx_status status = plx_compile(w->graph, w->results_count, w->results, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(w->t, status == PLX_OK, "%s", plx_message(w->ctx)))
        for (int i = 0; i < w->results_count; ++i) compare(w, plan, i);
    plx_plan_free(plan);
    plx_graph_free(w->graph);
    for (int i = 0; i < w->tensors_count; ++i) plx_tensor_free(w->tensors[i]);
}

static world begin(plx_check *t, plx_ctx *ctx) {
    world w = {.t = t, .ctx = ctx};
    plx_graph_new(ctx, &w.graph);
    return w;
}

/* ---- Indices --------------------------------------------------------------------------------- */

static void check_indices(plx_check *t, plx_ctx *ctx) {
    world own = begin(t, ctx), *w = &own;
    plx_graph *g = w->graph;
    const plx_node x = REAL(SHAPE(2, 3), V(1, 2, 3, 4, 5, 6));
    const plx_node row = WHOLE(SHAPE(1, 3), V(1, 0, 1)), two = WHOLE(SHAPE(2, 2), V(2, 0, 1, 1));
    const plx_node u = REAL(SHAPE(2, 2), V(10, 20, 30, 40));
    EXPECT(plx_take_along(g, x, row, 0), 4, 2, 6);
    EXPECT(plx_take_along(g, x, two, -1), 3, 1, 5, 5);
    EXPECT(plx_take_along(g, WHOLE(SHAPE(3), V(7, 8, 9)), WHOLE(SHAPE(1), V(2)), 0), 9);
    EXPECT(plx_scatter_along(g, x, two, u, 1, PLX_SCATTER_SET), 20, 2, 10, 4, 40, 6);
    EXPECT(plx_scatter_along(g, x, two, u, 1, PLX_SCATTER_ADD), 21, 2, 13, 4, 75, 6);
    EXPECT(plx_scatter_along(g, x, two, u, 1, PLX_SCATTER_MUL), 20, 2, 30, 4, 6000, 6);
    EXPECT(plx_scatter_along(g, x, two, u, 1, PLX_SCATTER_MAX), 20, 2, 10, 4, 40, 6);
    EXPECT(plx_scatter_along(g, x, two, u, 1, PLX_SCATTER_MIN), 1, 2, 3, 4, 5, 6);
    EXPECT(plx_scatter_along(g, REAL(SHAPE(2), V(NAN, 1)), WHOLE(SHAPE(2), V(0, 1)),
                             REAL(SHAPE(2), V(5, NAN)), 0, PLX_SCATTER_MAX),
           NAN, NAN);
    EXPECT(plx_one_hot(g, WHOLE(SHAPE(2), V(1, -1)), 3, -1), 0, 1, 0, 0, 0, 0);
    EXPECT(plx_one_hot(g, WHOLE(SHAPE(2), V(1, 3)), 3, 0), 0, 0, 1, 0, 0, 0);
    finish(w);
}

/* Twenty equal indices, of which the sums carry their errors: not into infinities. */
static void check_many_updates(plx_check *t, plx_ctx *ctx) {
    world own = begin(t, ctx), *w = &own;
    double zeros[20] = {0}, ones[20], infinite[20];
    for (int i = 0; i < 20; ++i) ones[i] = infinite[i] = 1;
    infinite[3] = INFINITY;
    const plx_node indices = WHOLE(SHAPE(20), zeros), x = REAL(SHAPE(2), V(1e8, 5));
    EXPECT(
        plx_sub(w->graph,
                plx_scatter_along(w->graph, x, indices, REAL(SHAPE(20), ones), 0, PLX_SCATTER_ADD),
                x),
        sizeof(plx_real) == sizeof(float) ? 16 : 20, 0); /* floats near 1e8 are 8 apart */
    EXPECT(plx_scatter_along(w->graph, x, indices, REAL(SHAPE(20), infinite), 0, PLX_SCATTER_ADD),
           INFINITY, 5);
    finish(w);
}

/* Where updates share an element. */
static void check_shared_gradients(plx_check *t, plx_ctx *ctx) {
    world own = begin(t, ctx), *w = &own;
    plx_graph *g = w->graph;
    plx_node set[] = {REAL(SHAPE(3), V(1, 2, 3)), REAL(SHAPE(2), V(5, 6))};
    gradients_of(w,
                 plx_scatter_along(g, set[0], WHOLE(SHAPE(2), V(0, 0)), set[1], 0, PLX_SCATTER_SET),
                 REAL(SHAPE(3), V(1, 2, 3)), set);
    EXPECT(set[0], 0, 2, 3);
    EXPECT(set[1], 0, 1);
    plx_node tie[] = {REAL(SHAPE(2), V(1, 2)), REAL(SHAPE(4), V(1, 1, 5, 5))};
    gradients_of(
        w, plx_scatter_along(g, tie[0], WHOLE(SHAPE(4), V(0, 0, 1, 1)), tie[1], 0, PLX_SCATTER_MAX),
        REAL(SHAPE(2), V(1, 2)), tie);
    EXPECT(tie[0], 1, 0);
    EXPECT(tie[1], 0, 0, 2, 0);
    plx_node zero[] = {REAL(SHAPE(2), V(2, 0)), REAL(SHAPE(4), V(3, 0, 4, 5))};
    gradients_of(
        w,
        plx_scatter_along(g, zero[0], WHOLE(SHAPE(4), V(0, 0, 1, 1)), zero[1], 0, PLX_SCATTER_MUL),
        REAL(SHAPE(2), V(1, 1)), zero);
    EXPECT(zero[0], 0, 20);
    EXPECT(zero[1], 0, 6, 0, 0);
    plx_node edge[] = {REAL(SHAPE(3), V(5, 6, 7)), REAL(SHAPE(3), V(2, 0, 3))};
    const plx_node padded = plx_pad_repeat(g, edge[0], D(1), D(2), PLX_PAD_EDGE);
    gradients_of(w, plx_add(g, padded, plx_reduce_prod(g, edge[1], 0)),
                 REAL(SHAPE(6), V(1, 1, 1, 1, 1, 1)), edge);
    EXPECT(edge[0], 2, 1, 3);
    EXPECT(edge[1], 0, 36, 0);
    finish(w);
}

/* ---- Along an axis --------------------------------------------------------------------------- */

static void check_axes(plx_check *t, plx_ctx *ctx) {
    world own = begin(t, ctx), *w = &own;
    plx_graph *g = w->graph;
    const plx_node x = REAL(SHAPE(2, 3), V(1, 2, 3, 4, 5, 6)), line = REAL(SHAPE(3), V(0, 1, 2));
    EXPECT(plx_reduce_min(g, REAL(SHAPE(2, 2), V(3, -1, NAN, 4)), 1), -1, NAN);
    EXPECT(plx_reduce_min(g, plx_slice(g, x, 0, 0, 0, 1), 0), INFINITY, INFINITY, INFINITY);
    EXPECT(plx_reduce_prod(g, x, 0), 4, 10, 18);
    EXPECT(plx_reduce_prod(g, x, -1), 6, 120);
    EXPECT(plx_reduce_prod(g, x, PLX_ALL_AXES), 720);
    EXPECT(plx_reduce_prod(g, plx_slice(g, x, 1, 0, 0, 1), 1), 1, 1);
    EXPECT(plx_cumsum(g, x, 1, false, false), 1, 3, 6, 4, 9, 15);
    EXPECT(plx_cumsum(g, x, 0, true, false), 0, 0, 0, 1, 2, 3);
    EXPECT(plx_cumsum(g, x, 1, false, true), 6, 5, 3, 15, 11, 6);
    EXPECT(plx_cumsum(g, x, 1, true, true), 5, 3, 0, 11, 6, 0);
    EXPECT(plx_cumsum(g, REAL(SHAPE(3), V(1e8, 1, -1e8)), 0, false, false), 1e8, 1e8 + 1, 1);
    EXPECT(plx_cumsum(g, REAL(SHAPE(3), V(1, INFINITY, 2)), 0, false, false), 1, INFINITY,
           INFINITY);
    EXPECT(plx_trilu(g, x, true, 0), 1, 2, 3, 0, 5, 6);
    EXPECT(plx_trilu(g, x, false, 0), 1, 0, 0, 4, 5, 0);
    EXPECT(plx_trilu(g, x, true, 2), 0, 0, 3, 0, 0, 0);
    EXPECT(plx_trilu(g, x, false, INT64_MAX), 1, 2, 3, 4, 5, 6);
    EXPECT(plx_trilu(g, x, false, INT64_MIN), 0, 0, 0, 0, 0, 0);
    EXPECT(plx_pad_repeat(g, line, D(1), D(2), PLX_PAD_EDGE), 0, 0, 1, 2, 2, 2);
    EXPECT(plx_pad_repeat(g, line, D(1), D(2), PLX_PAD_REFLECT), 1, 0, 1, 2, 1, 0);
    EXPECT(plx_pad_repeat(g, line, D(1), D(2), PLX_PAD_WRAP), 2, 0, 1, 2, 0, 1);
    EXPECT(plx_pad_repeat(g, line, D(5), D(0), PLX_PAD_REFLECT), 1, 0, 1, 2, 1, 0, 1, 2);
    EXPECT(plx_pad_repeat(g, REAL(SHAPE(1), V(7)), D(1), D(1), PLX_PAD_REFLECT), 7, 7, 7);
    EXPECT(plx_pad_repeat(g, WHOLE(SHAPE(1, 2), V(3, 4)), D(0, 1), D(1, 0), PLX_PAD_WRAP), 4, 3, 4,
           4, 3, 4);
    finish(w);
}

#define RESIZE(...) (&(const plx_resize_options){__VA_ARGS__})

static void check_resize(plx_check *t, plx_ctx *ctx) {
    world own = begin(t, ctx), *w = &own;
    plx_graph *g = w->graph;
    const plx_node two = REAL(SHAPE(2), V(1, 2)), four = REAL(SHAPE(4), V(1, 2, 3, 4));
    const plx_node three = REAL(SHAPE(3), V(1, 2, 3));
    EXPECT(plx_resize(g, two, D(5), NULL, NULL), 1, 1, 1, 2, 2);
    EXPECT(plx_resize(g, three, D(6), NULL,
                      RESIZE(.coordinates = PLX_ASYMMETRIC, .rounding = PLX_FLOOR)),
           1, 1, 2, 2, 3, 3);
    EXPECT(plx_resize(g, three, D(6), NULL,
                      RESIZE(.coordinates = PLX_ASYMMETRIC, .rounding = PLX_CEIL)),
           1, 2, 2, 3, 3, 3);
    EXPECT(plx_resize(g, four, D(2), NULL, RESIZE(.rounding = PLX_PREFER_CEIL)), 2, 4);
    EXPECT(plx_resize(g, four, D(2), NULL, RESIZE(.rounding = PLX_PREFER_FLOOR)), 1, 3);
    EXPECT(plx_resize(g, two, D(4), NULL, RESIZE(.method = PLX_RESIZE_LINEAR)), 1, 1.25, 1.75, 2);
    EXPECT(plx_resize(g, two, D(4), NULL,
                      RESIZE(.method = PLX_RESIZE_LINEAR, .coordinates = PLX_ASYMMETRIC)),
           1, 1.5, 2, 2);
    EXPECT(plx_resize(g, two, D(3), NULL,
                      RESIZE(.method = PLX_RESIZE_LINEAR, .coordinates = PLX_ALIGN_CORNERS)),
           1, 1.5, 2);
    EXPECT(plx_resize(g, four, D(2), V(0.6),
                      RESIZE(.method = PLX_RESIZE_LINEAR, .coordinates = PLX_ALIGN_CORNERS)),
           1, 1 + 3 / 1.4);
    EXPECT(plx_resize(g, three, D(4), V(1.33333337306976318359375),
                      RESIZE(.coordinates = PLX_ALIGN_CORNERS, .rounding = PLX_FLOOR)),
           1, 1, 2, 3);
    EXPECT(plx_resize(g, two, D(3), V(1.6), RESIZE(.method = PLX_RESIZE_LINEAR)), 1, 1.4375, 2);
    EXPECT(plx_resize(g, four, D(2), V(0.6),
                      RESIZE(.method = PLX_RESIZE_LINEAR, .coordinates = PLX_HALF_PIXEL_SYMMETRIC)),
           5.0 / 3, 10.0 / 3);
    EXPECT(plx_resize(g, two, D(1), NULL,
                      RESIZE(.method = PLX_RESIZE_LINEAR, .coordinates = PLX_PYTORCH_HALF_PIXEL)),
           1);
    EXPECT(plx_resize(g, two, D(1), NULL, RESIZE(.method = PLX_RESIZE_LINEAR, .antialias = true)),
           1.5);
    EXPECT(plx_resize(g, four, D(2), NULL, RESIZE(.method = PLX_RESIZE_LINEAR, .antialias = true)),
           1.625, 3.375);
    EXPECT(plx_resize(g, four, D(8), NULL, RESIZE(.method = PLX_RESIZE_CUBIC)), 0.89453125,
           1.19140625, 1.66796875, 2.296875, 2.703125, 3.33203125, 3.80859375, 4.10546875);
    EXPECT(
        plx_resize(g, two, D(4), NULL, RESIZE(.method = PLX_RESIZE_CUBIC, .exclude_outside = true)),
        0.66796875 / 0.7734375, 1.40234375 / 1.140625, 3 - 1.40234375 / 1.140625,
        3 - 0.66796875 / 0.7734375);
    /* Rows, then columns; every image and channel alike. */
    EXPECT(plx_resize(g, REAL(SHAPE(1, 2, 2, 1), V(1, 2, 3, 4)), D(1, 4, 2, 1), NULL,
                      RESIZE(.method = PLX_RESIZE_LINEAR)),
           1, 2, 1.5, 2.5, 2.5, 3.5, 3, 4);
    finish(w);
}

/* ---- Batches of products --------------------------------------------------------------------- */

/* a [1, 3, m, k] and b [2, 1, k, n], on one thread and on two, against single products. */
static void check_batch(plx_check *t, const char *isa, int64_t m, int64_t n, int64_t k) {
    plx_real *results[2] = {NULL, NULL};
    const int64_t a_dims[] = {1, 3, m, k}, b_dims[] = {2, 1, k, n}, size = 6 * m * n;
    plx_real *single = malloc((size_t)size * sizeof *single);
    for (int threads = 1; threads <= 2; ++threads) {
        plx_ctx *ctx = plx_check_context(t, isa, threads);
        plx_tensor *a = NULL, *b = NULL;
        plx_graph *graph = NULL;
        plx_plan *plan = NULL;
        plx_rng rng = plx_rng_new(1, 0);
        plx_tensor_new(ctx, PLX_DTYPE_REAL, 4, a_dims, &a);
        plx_tensor_new(ctx, PLX_DTYPE_REAL, 4, b_dims, &b);
        plx_tensor_init(a, PLX_INIT_NORMAL, 1, &rng);
        plx_tensor_init(b, PLX_INIT_NORMAL, 1, &rng);
        plx_graph_new(ctx, &graph);
        const plx_node y = plx_matmul(graph, plx_parameter(graph, NULL, a),
                                      plx_parameter(graph, NULL, b), false, false);
        /* Without the pass parallel, so that small products use both threads, too. */
        const plx_plan_options options = {.passes = PLX_PASS_ALL & ~PLX_PASS_PARALLEL};
        plx_status status = plx_compile(graph, 1, &y, &options, &plan);
        if (status == PLX_OK) status = plx_plan_run(plan);
        CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
        results[threads - 1] = malloc((size_t)size * sizeof *single);
        memcpy(results[threads - 1], plx_plan_output(plan, y), (size_t)size * sizeof *single);
        for (int64_t i = 0; i < 6 && threads == 1; ++i)
            plx_gemm(ctx, false, false, m, n, k, 1, (plx_real *)plx_tensor_data(a) + i % 3 * m * k,
                     k, (plx_real *)plx_tensor_data(b) + i / 3 * k * n, n, 0, single + i * m * n,
                     n);
        plx_plan_free(plan);
        plx_graph_free(graph);
        plx_tensor_free(a);
        plx_tensor_free(b);
        plx_ctx_free(ctx);
    }
    for (int i = 0; i < 2; ++i) {
        CHECK(t, !memcmp(results[i], single, (size_t)size * sizeof *single),
              "%s: products of %lld x %lld x %lld on %d threads have other bits than single ones",
              isa, (long long)m, (long long)n, (long long)k, i + 1);
        free(results[i]);
    }
    free(single);
}

void plx_test_unit_arrays(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 2);
        if (!ctx) continue;
        check_indices(t, ctx);
        check_many_updates(t, ctx);
        check_shared_gradients(t, ctx);
        check_axes(t, ctx);
        check_resize(t, ctx);
        plx_ctx_free(ctx);
        check_batch(t, plx_isa_name(i), 5, 7, 9);
        check_batch(t, plx_isa_name(i), 160, 130, 140); /* each worth both threads */
        check_batch(t, plx_isa_name(i), 1, 40, 30);
    }
}
