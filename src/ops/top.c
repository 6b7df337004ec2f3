/* Indices of the largest elements; a NaN counts as larger than any number. */
#include "ops/op.h"

#include <string.h>

static plx__cost cost_compared(const plx_graph *graph, const plx__node *node) {
    const double size = (double)plx__size(plx__input_of(graph, node, 0));
    return (plx__cost){.flops = size, .bytes = size * (double)sizeof(plx_real), .weight = 2};
}

/* x [outer, n, inner] */
typedef struct top_job {
    const plx_kernels *kernels;
    const plx_real *x;
    int32_t *y;
    int64_t n, inner, k;
} top_job;

static plx_status check_axis_size(plx_graph *graph, const plx__node *node, int64_t n) {
    if (n > INT32_MAX)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: the axis has %lld elements; at most %lld can be indexed",
                               node->op->name, (long long)n, (long long)INT32_MAX);
    return PLX_OK;
}

/* ---- argmax ---------------------------------------------------------------------------------- */

static plx_status infer_argmax(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    const int64_t axis = node->attrs.axis.axis;
    const bool all = axis == PLX_ALL_AXES;
    const int64_t n = all ? plx__size(x) : x->dims[axis];
    char shape[96];
    if (!n)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "argmax: the axis has 0 elements in %s; at least 1 is needed",
                               plx__shape_text(x->rank, x->dims, shape, sizeof shape));
    node->rank = 0;
    for (int i = 0; i < x->rank && !all; ++i)
        if (i != axis) node->dims[node->rank++] = x->dims[i];
    return check_axis_size(graph, node, n);
}

static int32_t first_largest(const top_job *job, const plx_real *x) {
    const plx_real top = job->kernels->maximum(job->n, x);
    int64_t i = 0;
    if (top != top)
        while (x[i] == x[i]) i += 1;
    else
        while (x[i] != top) i += 1;
    return (int32_t)i;
}

static void argmax_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const top_job *job = arg;
    for (int64_t row = begin; row < end; ++row)
        job->y[row] = first_largest(job, job->x + row * job->n);
}

/* Strips of neighbouring columns are processed together down the axis. */
enum { STRIP = 64 };

static void argmax_strip(const top_job *job, const plx_real *x, int64_t columns, int32_t *y) {
    plx_real top[STRIP];
    memcpy(top, x, (size_t)columns * sizeof *top);
    memset(y, 0, (size_t)columns * sizeof *y);
    for (int64_t i = 1; i < job->n; ++i) {
        const plx_real *row = x + i * job->inner;
        const int32_t index = (int32_t)i;
        for (int64_t j = 0; j < columns; ++j) {
            /* Larger, or the first NaN. A mask, since a branch would be unpredictable. */
            const int32_t better = -((row[j] > top[j]) | ((row[j] != row[j]) & (top[j] == top[j])));
            y[j] = (y[j] & ~better) | (index & better);
        }
        job->kernels->max(columns, top, 1, row, 1, top);
    }
}

static void argmax_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const top_job *job = arg;
    const int64_t strips = (job->inner + STRIP - 1) / STRIP;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t outer = unit / strips, first = unit % strips * STRIP;
        const int64_t left = job->inner - first;
        argmax_strip(job, job->x + outer * job->n * job->inner + first, left < STRIP ? left : STRIP,
                     job->y + outer * job->inner + first);
    }
}

static plx_status run_argmax(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    const int64_t axis = step->attrs.axis.axis;
    const bool all = axis == PLX_ALL_AXES;
    if (!x->size) return PLX_OK;
    const int64_t n = all ? x->size : x->dims[axis];
    top_job job = {.kernels = plx__row_kernels(ctx->kernels, n),
                   .x = PLX_IN(step, 0),
                   .y = *step->out.slot,
                   .n = n,
                   .inner = all ? 1 : plx__product(x->rank - (int)axis - 1, x->dims + axis + 1)};
    const int64_t outer = x->size / (job.n * job.inner), strips = (job.inner + STRIP - 1) / STRIP;
    ctx->method = job.inner == 1 ? plx__rows_method(ctx, job.kernels) : "columns";
    if (job.inner == 1)
        plx__parallel_for(ctx->pool, step->threads, outer, plx__grain(outer, job.n, step->threads),
                          argmax_rows, &job);
    else
        plx__parallel_for(ctx->pool, step->threads, outer * strips,
                          plx__grain(outer * strips, job.n * STRIP, step->threads), argmax_strips,
                          &job);
    return PLX_OK;
}

static const char argmax_samples[] =
    "3x5 : axis 1; 300x4x7; 30x4x130 : axis 1; 2x1x3x2x1x3 : axis 3; 300x33 : axis 1; "
    "3x5 : axis 1000; 0x5 : axis 1";

const plx_op plx__op_argmax = {
    .name = "argmax",
    .operands = plx__takes_x,
    .result = PLX_DTYPE_I32,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_argmax,
    .cost = cost_compared,
    .run = run_argmax,
    .attrs = plx__axis_fields,
    .samples = PLX__TESTED(argmax_samples),
};

/* ---- top_k: the indices of each row's k largest, in descending order ------------------------- */

static plx_status infer_top_k(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    const int64_t k = node->attrs.top_k.k, n = plx__columns(x->rank, x->dims);
    if (!x->rank)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "top_k: x is a scalar; it needs at least one axis");
    if (k < 0 || k > n)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "top_k: k is %lld; it must be 0 to %lld",
                               (long long)k, (long long)n);
    plx__copy_shape(node, x);
    node->dims[node->rank - 1] = k;
    return check_axis_size(graph, node, n);
}

/* Whether element a ranks before element b: larger, or equal with a lower index. */
static bool is_before(const plx_real *x, int32_t a, int32_t b) {
    const plx_real va = x[a], vb = x[b];
    if (va > vb) return true;
    if (va < vb) return false;
    const bool a_nan = va != va, b_nan = vb != vb;
    return a_nan == b_nan ? a < b : a_nan;
}

/* Moves the element at position `at` down to where it belongs; heap[0] ranks last of all. */
static void sift_down(const plx_real *x, int32_t *heap, int64_t size, int64_t at) {
    const int32_t moved = heap[at];
    for (int64_t child = 2 * at + 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && is_before(x, heap[child], heap[child + 1])) child += 1;
        if (!is_before(x, moved, heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

/* Keeps the best k so far in a heap (Williams, "Heapsort", CACM 1964) with the worst on top. */
static void top_of_row(const top_job *job, const plx_real *x, int32_t *y) {
    const int64_t k = job->k;
    for (int64_t i = 0; i < k; ++i) y[i] = (int32_t)i;
    for (int64_t i = k / 2 - 1; i >= 0; --i) sift_down(x, y, k, i);
    for (int64_t i = k; i < job->n; ++i) {
        if (x[i] <= x[y[0]] || !is_before(x, (int32_t)i, y[0])) continue;
        y[0] = (int32_t)i;
        sift_down(x, y, k, 0);
    }
    for (int64_t size = k - 1; size > 0; --size) {
        const int32_t worst = y[0];
        y[0] = y[size];
        y[size] = worst;
        sift_down(x, y, size, 0);
    }
}

static void top_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const top_job *job = arg;
    for (int64_t row = begin; row < end; ++row)
        top_of_row(job, job->x + row * job->n, job->y + row * job->k);
}

static plx_status run_top_k(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    top_job job = {.kernels = ctx->kernels,
                   .x = PLX_IN(step, 0),
                   .y = *step->out.slot,
                   .n = plx__columns(x->rank, x->dims),
                   .k = step->attrs.top_k.k};
    if (!step->out.size) return PLX_OK;
    const int64_t rows = plx__rows(x->rank, x->dims);
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.n, step->threads),
                      top_rows, &job);
    return PLX_OK;
}

static const char top_k_samples[] = "9 : k 3; 300x33 : k 7; 2x3x5 : k 5; 3x1 : k 1; 3x5; 0x5 : k 2";

const plx_op plx__op_top_k = {
    .name = "top_k",
    .operands = plx__takes_x,
    .result = PLX_DTYPE_I32,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_top_k,
    .cost = cost_compared,
    .run = run_top_k,
    .attrs = plx__top_k_fields,
    .samples = PLX__TESTED(top_k_samples),
};
