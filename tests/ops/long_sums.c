/* Long sums: every operation that adds many terms, with up to ten million of them, on every
 * target. All terms of a sum are equal, so the correct value is a formula; such sums drift most,
 * since every rounding of a chain goes the same way. The bound is what each reduction promises: (16
 * + log2 n) EPS sum |terms|. */
#include "check.h"

#include "base/platform.h"
#include "kernels/kernels.h"
#include "ops/op.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = PLX_AS_SHIPPED ? 10000000 : 1000000 };

/* Operands are 1, or 0.1 as rounded to the element type. */
#define TENTH ((long double)(plx_real)0.1)

enum { OPERANDS = 6 };
typedef struct bench {
    plx_ctx *ctx;
    plx_graph *graph;
    plx_plan *plan;
    int count;
    plx_node nodes[OPERANDS];
    void *data[OPERANDS];
    plx_tensor *tensors[2];
} bench;

static int64_t product(int rank, const int64_t *dims) {
    int64_t size = 1;
    for (int i = 0; i < rank; ++i) size *= dims[i];
    return size;
}

static plx_node operand(bench *b, int rank, const int64_t *dims, double value) {
    const int64_t size = product(rank, dims);
    plx_real *data = malloc((size_t)size * sizeof *data);
    for (int64_t i = 0; data && i < size; ++i) data[i] = (plx_real)value;
    b->data[b->count] = data;
    b->nodes[b->count] = plx_input(b->graph, NULL, PLX_DTYPE_REAL, rank, dims);
    return b->nodes[b->count++];
}

static plx_node labels(bench *b, int64_t n, int32_t value) {
    int32_t *data = malloc((size_t)n * sizeof *data);
    for (int64_t i = 0; data && i < n; ++i) data[i] = value;
    b->data[b->count] = data;
    b->nodes[b->count] = plx_input(b->graph, NULL, PLX_DTYPE_I32, 1, &n);
    return b->nodes[b->count++];
}

#define DIMS(...)                                                                                  \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                       \
        __VA_ARGS__                                                                                \
    }
#define TENTHS(...) operand(b, DIMS(__VA_ARGS__), 0.1)
#define ONES(...) operand(b, DIMS(__VA_ARGS__), 1)

/* d sum(y / 10) / dx */
static plx_node gradient(bench *b, plx_node y, plx_node x) {
    plx_node g = plx_none();
    const plx_node loss =
        plx_reduce_sum(b->graph, plx_mul(b->graph, y, plx_constant(b->graph, 0.1)), PLX_ALL_AXES);
    plx_gradients(b->graph, loss, 1, &x, &g);
    return g;
}

/* ---- Sums along axes ------------------------------------------------------------------------- */

static plx_node sum_all(bench *b) {
    return plx_reduce_sum(b->graph, TENTHS(N), PLX_ALL_AXES);
}
static plx_node sum_rows(bench *b) {
    return plx_reduce_sum(b->graph, TENTHS(2, N / 2), 1);
}
static plx_node sum_down(bench *b) {
    return plx_reduce_sum(b->graph, TENTHS(N / 2, 2), 0);
}
static plx_node sum_down_wide(bench *b) {
    return plx_reduce_sum(b->graph, TENTHS(N / 100, 100), 0);
}
static plx_node sum_between(bench *b) {
    return plx_reduce_sum(b->graph, TENTHS(2, N / 6, 3), 1);
}
static plx_node mean_down(bench *b) {
    return plx_reduce_mean(b->graph, TENTHS(N / 4, 4), 0);
}
static plx_node bias(bench *b) {
    const plx_node shift = TENTHS(4);
    return gradient(b, plx_bias(b->graph, TENTHS(N / 4, 4), shift), shift);
}
/* Two separate groups of summed axes. */
static plx_node scale_between(bench *b) {
    const plx_node scale = ONES(3, 1);
    return gradient(b, plx_mul(b->graph, ONES(N / 300, 3, 100), scale), scale);
}

/* ---- Products -------------------------------------------------------------------------------- */

static plx_node row_by_column(bench *b) {
    return plx_matmul(b->graph, TENTHS(1, N), ONES(N, 1), false, false);
}
static plx_node row_by_transposed(bench *b) {
    return plx_matmul(b->graph, TENTHS(1, N), ONES(2, N), false, true);
}
static plx_node few_rows(bench *b) {
    return plx_matmul(b->graph, TENTHS(3, N / 3), ONES(N / 3, 2), false, false);
}
static plx_node weight_gradient(bench *b) {
    return plx_matmul(b->graph, TENTHS(N / 5, 5), ONES(N / 5, 3), true, false);
}
static plx_node plain_depth(bench *b) {
    return plx_matmul(b->graph, TENTHS(20, 8192), ONES(8192, 40), false, false);
}
static plx_node deep_columns(bench *b) {
    return plx_matmul(b->graph, TENTHS(20, 20000), ONES(20000, 70), false, false);
}
static plx_node deep_rows(bench *b) {
    return plx_matmul(b->graph, TENTHS(200, 20000), ONES(20000, 7), false, false);
}

static plx_node convolve(bench *b, plx_node x, int rank, const int64_t *dims, int64_t stride,
                         int64_t groups) {
    plx_conv2d_options options = plx_conv2d_default();
    options.stride[0] = options.stride[1] = stride;
    options.groups = groups;
    const plx_node weights = operand(b, rank, dims, 1);
    return gradient(b, plx_conv2d(b->graph, x, weights, plx_none(), &options), weights);
}
static plx_node conv_product(bench *b) {
    return convolve(b, ONES(1, N / 4000, 1000, 4), DIMS(1, 1, 4, 2), 1, 1);
}
static plx_node conv_winograd(bench *b) {
    return convolve(b, ONES(1, 802, N / 8000 + 2, 8), DIMS(3, 3, 8, 8), 1, 1);
}
static plx_node conv_lower(bench *b) {
    return convolve(b, ONES(2, 1003, N / 2000 + 3, 1), DIMS(5, 5, 1, 2), 1, 1);
}
static plx_node conv_depthwise(bench *b) {
    return convolve(b, ONES(1, 1002, N / 4000 + 2, 4), DIMS(3, 3, 1, 4), 1, 4);
}

/* One window that covers the whole image. */
static plx_node window(bench *b, int64_t side, int64_t in, int64_t out, int64_t groups) {
    plx_conv2d_options options = plx_conv2d_default();
    options.groups = groups;
    return plx_conv2d(b->graph, TENTHS(1, side, side, in), ONES(side, side, in / groups, out),
                      plx_none(), &options);
}
static plx_node conv_window(bench *b) {
    return window(b, 200, 8, 2, 1);
}
static plx_node conv_depthwise_window(bench *b) {
    return window(b, 500, 4, 4, 4);
}

/* ---- Pools and norms ------------------------------------------------------------------------- */

static plx_node global_mean(bench *b) {
    return plx_global_avg_pool2d(b->graph, TENTHS(1, 1000, N / 1000, 1));
}
static plx_node window_mean(bench *b) {
    plx_pool2d_options options = plx_pool2d_default(1000);
    options.size[1] = options.stride[1] = N / 3000;
    return plx_avg_pool2d(b->graph, TENTHS(1, 1000, N / 3000, 3), &options);
}
static plx_node batch_norm(bench *b) {
    const int64_t channels = 4;
    for (int i = 0; i < 2; ++i)
        plx_tensor_new(b->ctx, PLX_DTYPE_REAL, 1, &channels, &b->tensors[i]);
    return plx_batch_norm(b->graph, TENTHS(N / 4, 4), plx_none(), plx_none(),
                          plx_parameter(b->graph, NULL, b->tensors[0]),
                          plx_parameter(b->graph, NULL, b->tensors[1]), true, 1, 1e-5);
}
static plx_node rms_row(bench *b) {
    return plx_rms_norm(b->graph, TENTHS(1, N), plx_none(), 0);
}
static plx_node shift_gradient(bench *b) {
    const plx_node shift = ONES(4);
    return gradient(b, plx_layer_norm(b->graph, TENTHS(N / 4, 4), plx_none(), shift, 1e-5), shift);
}
static plx_node group_shift_gradient(bench *b) {
    const plx_node shift = ONES(4);
    return gradient(b, plx_group_norm(b->graph, ONES(2, N / 8, 4), 2, plx_none(), shift, 1e-5),
                    shift);
}
static plx_node unit_row(bench *b) {
    return plx_l2_normalize(b->graph, TENTHS(1, N), 1e-8);
}
static plx_node clipped(bench *b) {
    const plx_node x = TENTHS(N / 2, 2);
    plx_node y = plx_none();
    plx_clip_by_norm(b->graph, 1, &x, 1, &y);
    return y;
}

static plx_node upsampled(bench *b, int64_t rows, int64_t columns, plx_upsampling method) {
    const plx_node x = ONES(1, 1, 1, 1);
    return gradient(b, plx_upsample2d(b->graph, x, rows, columns, method), x);
}
static plx_node nearest_row(bench *b) {
    return upsampled(b, 1, N, PLX_NEAREST);
}
static plx_node nearest_column(bench *b) {
    return upsampled(b, N, 1, PLX_NEAREST);
}
static plx_node bilinear_row(bench *b) {
    return upsampled(b, 1, N, PLX_BILINEAR);
}
static plx_node bilinear_column(bench *b) {
    return upsampled(b, N, 1, PLX_BILINEAR);
}

/* ---- Attention: one head of width 1 ---------------------------------------------------------- */

enum { LENGTH = N / 20 };

static plx_node attend(bench *b, plx_node q, plx_node k, plx_node v) {
    return plx_attention(b->graph, q, k, v, plx_none(), &(plx_attention_options){.heads = 1});
}

static plx_node sequence(bench *b, int64_t length, double value) {
    return operand(b, DIMS(1, length, 1), value);
}

/* 1, -1, 1, ... */
static plx_node alternating(bench *b, int64_t length) {
    const plx_node x = sequence(b, length, 1);
    plx_real *data = b->data[b->count - 1];
    for (int64_t i = 1; data && i < length; i += 2) data[i] = -1;
    return x;
}

/* All keys but the first have the same probability. */
static plx_node attention(bench *b) {
    const plx_node q = ONES(1, 1, 1), k = sequence(b, LENGTH, 0);
    plx_real *data = b->data[b->count - 1];
    if (data) data[0] = 1;
    return attend(b, q, k, TENTHS(1, LENGTH, 1));
}
/* The maximum rises from tile to tile. */
static plx_node attention_rising(bench *b) {
    const plx_node q = ONES(1, 1, 1), k = sequence(b, LENGTH, 0);
    plx_real *data = b->data[b->count - 1];
    for (int64_t i = 0; data && i < LENGTH; ++i) data[i] = (plx_real)(8.0 * (double)i / LENGTH);
    return attend(b, q, k, TENTHS(1, LENGTH, 1));
}
static plx_node attention_few(bench *b) {
    const plx_node q = ONES(1, 1, 1), k = sequence(b, 1024, 0);
    plx_real *data = b->data[b->count - 1];
    if (data) data[0] = 1;
    return attend(b, q, k, TENTHS(1, 1024, 1));
}
static plx_node attention_cached(bench *b) {
    const plx_node one = ONES(1, 1, 1), v = TENTHS(1, 1, 1);
    const plx_node inputs[] = {
        one, one, v, operand(b, DIMS(LENGTH, 1), 0), TENTHS(LENGTH, 1), labels(b, 1, LENGTH - 1)};
    const plx__attrs attrs = {.attention = {.heads = 1, .kv_heads = 1, .scale = 1}};
    return plx__build(b->graph, &plx__op_cached_attention, 6, inputs, &attrs);
}
/* Keys and values have the same signs, so that the terms do. */
static plx_node query_gradient(bench *b) {
    const plx_node q = sequence(b, 1, 0), k = alternating(b, LENGTH);
    return gradient(b, attend(b, q, k, alternating(b, LENGTH)), q);
}
/* Of equal values: each term is a probability times a difference of equal numbers. */
static plx_node query_gradient_zero(bench *b) {
    const plx_node q = ONES(1, 1, 1), k = ONES(1, LENGTH, 1);
    return gradient(b, attend(b, q, k, TENTHS(1, LENGTH, 1)), q);
}
static plx_node key_gradient(bench *b) {
    const plx_node q = sequence(b, LENGTH, 1), k = sequence(b, 2, 0);
    return plx_abs(b->graph, gradient(b, attend(b, q, k, alternating(b, 2)), k));
}
static plx_node value_gradient(bench *b) {
    const plx_node q = sequence(b, LENGTH, 1), k = sequence(b, 2, 0), v = alternating(b, 2);
    return gradient(b, attend(b, q, k, v), v);
}

/* ---- Losses and softmax ---------------------------------------------------------------------- */

static plx_node mse(bench *b) {
    return plx_mse(b->graph, TENTHS(N / 2, 2), ONES(N / 2, 2));
}
static plx_node l1(bench *b) {
    return plx_l1(b->graph, TENTHS(N / 2, 2), ONES(N / 2, 2));
}
static plx_node huber(bench *b) {
    return plx_huber(b->graph, TENTHS(N / 2, 2), ONES(N / 2, 2), 1);
}
static plx_node binary(bench *b) {
    return plx_binary_cross_entropy(b->graph, TENTHS(N / 2, 2), ONES(N / 2, 2));
}
static plx_node cross_entropy(bench *b) {
    return plx_cross_entropy(b->graph, TENTHS(N / 5, 5), labels(b, N / 5, 3));
}
static plx_node many_classes(bench *b) {
    return plx_cross_entropy(b->graph, TENTHS(1, N), labels(b, 1, 3));
}
static plx_node softmax_row(bench *b) {
    return plx_softmax(b->graph, TENTHS(1, N), 1);
}
static plx_node softmax_down(bench *b) {
    return plx_softmax(b->graph, TENTHS(N / 2, 2), 0);
}
static plx_node log_sum_exp_row(bench *b) {
    return plx_log_sum_exp(b->graph, TENTHS(1, N), 1);
}
static plx_node one_row_often(bench *b) {
    const plx_node table = TENTHS(1, 4);
    return gradient(b, plx_embedding(b->graph, table, labels(b, N / 4, 0)), table);
}

/* Every element of one line, at one index. */
static plx_node one_element_often(bench *b) {
    const plx_node x = TENTHS(1);
    return gradient(b, plx_take_along(b->graph, x, labels(b, N, 0), 0), x);
}
static plx_node scattered(bench *b) {
    return plx_scatter_along(b->graph, TENTHS(1), labels(b, N - 1, 0), TENTHS(N - 1), 0,
                             PLX_SCATTER_ADD);
}
static plx_node last_sum(bench *b) {
    return plx_slice(b->graph, plx_cumsum(b->graph, TENTHS(N), 0, false, false), 0, N - 1, N, 1);
}
static plx_node batched_product(bench *b) {
    return plx_matmul(b->graph, TENTHS(2, 1, N / 2), ONES(2, N / 2, 1), false, false);
}

/* ---- All rows -------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;
    plx_node (*build)(bench *b);
    long double value; /* of every element of the result */
    double terms;      /* of each sum */
    long double scale; /* sum |terms|; 0: that of the value */
} row;

static plx_status run(bench *b, plx_node y) {
    plx_status status = plx_compile(b->graph, 1, &y, NULL, &b->plan);
    for (int i = 0; i < b->count && status == PLX_OK; ++i)
        status = b->data[i] ? plx_plan_bind(b->plan, b->nodes[i], b->data[i]) : PLX_ERR_MEMORY;
    return status == PLX_OK ? plx_plan_run(b->plan) : status;
}

static void close_bench(bench *b) {
    plx_plan_free(b->plan);
    plx_graph_free(b->graph);
    for (int i = 0; i < b->count; ++i) free(b->data[i]);
    for (int i = 0; i < 2; ++i) plx_tensor_free(b->tensors[i]);
}

/* Every element is near the value. The bits of the result enter the hash, which must not depend
 * on the number of threads. */
static void check_row(plx_check *t, plx_ctx *ctx, const row *r, uint64_t *hash) {
    const long double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : FLT_EPSILON;
    const long double scale = r->scale > 0 ? r->scale : fabsl(r->value);
    const long double bound = (16 + log2l((long double)r->terms)) * eps * scale;
    bench b = {.ctx = ctx};
    if (!CHECK(t, plx_graph_new(ctx, &b.graph) == PLX_OK, "%s", plx_message(ctx))) return;
    const plx_node y = r->build(&b);
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(b.graph, y, &dims);
    const int64_t size = rank < 0 ? 0 : product(rank, dims);
    if (CHECK(t, run(&b, y) == PLX_OK, "%s: %s", r->name, plx_message(ctx))) {
        const plx_real *values = plx_plan_output(b.plan, y);
        long double worst = 0;
        for (int64_t i = 0; i < size; ++i) {
            const long double error = fabsl((long double)values[i] - r->value);
            if (!(error <= worst)) worst = error;
            uint64_t bits = 0;
            memcpy(&bits, values + i, sizeof *values);
            *hash = (*hash ^ bits) * UINT64_C(0x100000001b3);
        }
        CHECK(t, worst <= bound, "%s: %s is off by %.3Lg, %.3Lg of what it may be",
              plx_ctx_get_info(ctx).isa, r->name, worst, worst / bound);
    }
    close_bench(&b);
}

/* A whole number of terms: this share of N. */
static int64_t part(int64_t by) {
    return N / by;
}

static void walk(plx_check *t, const char *isa) {
    const long double n = N, x = TENTH;
    const row rows[] = {
        {"sum of all", sum_all, n * x, N, 0},
        {"sum of rows", sum_rows, n / 2 * x, (double)part(2), 0},
        {"sum along axis 0", sum_down, n / 2 * x, (double)part(2), 0},
        {"sum along axis 0, 100 columns", sum_down_wide, n / 100 * x, (double)part(100), 0},
        {"sum along the middle axis", sum_between, part(6) * x, (double)part(6), 0},
        {"mean along axis 0", mean_down, x, (double)part(4), 0},
        {"gradient of a bias", bias, n / 4 * x, (double)part(4), 0},
        {"gradient of a scale between", scale_between, part(300) * 100 * x, (double)part(3), 0},
        {"row by column", row_by_column, n * x, N, 0},
        {"row by transposed", row_by_transposed, n * x, N, 0},
        {"few rows", few_rows, part(3) * x, (double)part(3), 0},
        {"gradient of weights", weight_gradient, n / 5 * x, (double)part(5), 0},
        {"plain depth", plain_depth, 8192 * x, 8192, 0},
        {"deep columns", deep_columns, 20000 * x, 20000, 0},
        {"deep rows", deep_rows, 20000 * x, 20000, 0},
        {"convolution as a product", conv_product, n / 4 * x, (double)part(4), 0},
        /* Its transforms are off by 7 times as much as a plain sum (parallax.h). */
        {"convolution by Winograd", conv_winograd, n / 10 * x, (double)part(10), 7 * n / 10 * x},
        {"convolution by lowering", conv_lower, 2 * (n / 2000 - 1) * 999 * x, N, 0},
        {"depthwise convolution", conv_depthwise, n / 4 * x, (double)part(4), 0},
        {"convolution by a large window", conv_window, 320000 * x, 320000, 0},
        {"depthwise by a large window", conv_depthwise_window, 250000 * x, 250000, 0},
        {"global average", global_mean, x, N, 0},
        {"window average", window_mean, x, (double)part(3), 0},
        {"batch norm", batch_norm, 0, (double)part(4), x / sqrtl(1e-5L)},
        {"rms norm", rms_row, 1, N, 0},
        {"gradient of a row norm's shift", shift_gradient, n / 4 * x, (double)part(4), 0},
        {"gradient of a group norm's shift", group_shift_gradient, n / 4 * x, (double)part(4), 0},
        {"unit row", unit_row, 1 / sqrtl(n), N, 0},
        {"clipped by norm", clipped, 1 / sqrtl(n), N, 0},
        {"gradient of nearest upsampling of a row", nearest_row, n * x, N, 0},
        {"gradient of nearest upsampling of a column", nearest_column, n * x, N, 0},
        {"gradient of bilinear upsampling of a row", bilinear_row, n * x, N, 0},
        {"gradient of bilinear upsampling of a column", bilinear_column, n * x, N, 0},
        {"attention", attention, x, LENGTH, 0},
        {"attention to rising scores", attention_rising, x, LENGTH, 0},
        {"attention to 1024 keys", attention_few, x, 1024, 0},
        {"attention to cached keys", attention_cached, x, LENGTH, 0},
        {"gradient of attention's query", query_gradient, x, LENGTH, 0},
        {"gradient of attention's query, 0", query_gradient_zero, 0, LENGTH, 2 * x * x},
        {"gradient of attention's keys", key_gradient, LENGTH * x / 2, LENGTH, 0},
        {"gradient of attention's values", value_gradient, LENGTH * x / 2, LENGTH, 0},
        {"mse", mse, (1 - x) * (1 - x), N, 0},
        {"l1", l1, 1 - x, N, 0},
        {"huber", huber, (1 - x) * (1 - x) / 2, N, 0},
        {"binary cross-entropy", binary, log1pl(expl(-x)), N, 0},
        {"cross-entropy", cross_entropy, logl(5), (double)part(5), 0},
        {"cross-entropy of many classes", many_classes, logl(n), N, 0},
        {"softmax of a row", softmax_row, 1 / n, N, 0},
        {"softmax along axis 0", softmax_down, 2 / n, (double)part(2), 0},
        {"log-sum-exp", log_sum_exp_row, x + logl(n), N, 0},
        {"one element of a line, often", one_element_often, n * x, N, 0},
        {"updates of one element", scattered, n * x, N, 0},
        {"running sum", last_sum, n * x, N, 0},
        {"batch of products", batched_product, n / 2 * x, (double)part(2), 0},
        {"one row of a table, often", one_row_often, n / 4 * x, (double)part(4), 0},
    };
    /* A context measures the machine when it is made, so all rows share one for each number of
     * threads. */
    plx_ctx *one = plx_check_context(t, isa, 1), *two = plx_check_context(t, isa, 2);
    for (size_t i = 0; one && two && i < sizeof rows / sizeof rows[0]; ++i) {
        uint64_t hashes[2] = {0, 0};
        check_row(t, one, rows + i, &hashes[0]);
        check_row(t, two, rows + i, &hashes[1]);
        CHECK(t, hashes[0] == hashes[1], "%s: %s: other bits with two threads", isa, rows[i].name);
    }
    plx_ctx_free(one);
    plx_ctx_free(two);
}

void plx_test_ops_long_sums(plx_check *t) {
    int count = 0;
    const plx_kernels *const *tables = plx__kernels_list(&count);
    for (int i = 0; i < count; ++i)
        if (!(tables[i]->features & ~plx_platform_cpu_features())) walk(t, tables[i]->name);
}
