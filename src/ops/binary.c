/* Elementwise functions of two values, broadcast as NumPy does. */
#include "ops/op.h"

#include <assert.h>
#include <string.h>

/* The loops of a broadcast operation, neighbours merged where both operands allow it. Strides are
 * in elements; 0 repeats. */
typedef struct broadcast {
    int rank;
    int64_t dims[PLX_MAX_RANK], a[PLX_MAX_RANK], b[PLX_MAX_RANK];
} broadcast;

static int64_t aligned_dim(int rank, const int64_t *dims, int out_rank, int axis) {
    const int own = axis - (out_rank - rank);
    return own < 0 ? 1 : dims[own];
}

static broadcast plan_loops(const plx__operand *out, const plx__operand *a, const plx__operand *b) {
    broadcast loops = {0};
    int64_t a_stride = 1, b_stride = 1;
    /* Innermost first; reversed at the end. */
    for (int axis = out->rank - 1; axis >= 0; --axis) {
        const int64_t dim = out->dims[axis];
        const int64_t a_dim = aligned_dim(a->rank, a->dims, out->rank, axis);
        const int64_t b_dim = aligned_dim(b->rank, b->dims, out->rank, axis);
        const int64_t sa = a_dim == 1 ? 0 : a_stride, sb = b_dim == 1 ? 0 : b_stride;
        a_stride *= a_dim;
        b_stride *= b_dim;
        if (dim == 1) continue;
        const int last = loops.rank - 1;
        if (last >= 0 && sa == loops.a[last] * loops.dims[last] &&
            sb == loops.b[last] * loops.dims[last]) {
            loops.dims[last] *= dim;
            continue;
        }
        loops.dims[loops.rank] = dim;
        loops.a[loops.rank] = sa;
        loops.b[loops.rank] = sb;
        loops.rank += 1;
    }
    if (!loops.rank) loops = (broadcast){.rank = 1, .dims = {1}};
    return loops;
}

/* Offsets into a and b of row number row, where a row is the innermost loop. */
static void row_offsets(const broadcast *loops, int64_t row, int64_t *a, int64_t *b) {
    *a = *b = 0;
    for (int i = 1; i < loops->rank; ++i) {
        const int64_t index = row % loops->dims[i];
        row /= loops->dims[i];
        *a += index * loops->a[i];
        *b += index * loops->b[i];
    }
}

static plx_status infer_broadcast(plx_graph *graph, plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    node->rank = a->rank > b->rank ? a->rank : b->rank;
    for (int axis = 0; axis < node->rank; ++axis) {
        const int64_t da = aligned_dim(a->rank, a->dims, node->rank, axis);
        const int64_t db = aligned_dim(b->rank, b->dims, node->rank, axis);
        if (da != db && da != 1 && db != 1) {
            char left[96], right[96];
            return plx__graph_fail(
                graph, PLX_ERR_SHAPE, "%s: shapes %s and %s do not broadcast, %lld vs %lld",
                node->op->name, plx__shape_text(a->rank, a->dims, left, 96),
                plx__shape_text(b->rank, b->dims, right, 96), (long long)da, (long long)db);
        }
        node->dims[axis] = da == 1 ? db : da;
    }
    return PLX_OK;
}

/* Sums g, which has the broadcast shape, back to the shape of node `like`. */
static int32_t sum_like(plx_graph *graph, int32_t g, int32_t like) {
    if (g < 0) return -1;
    const plx__node from = *graph->nodes[g], to = *graph->nodes[like];
    const int extra = from.rank - to.rank;
    int64_t mask = 0, dropped = 0;
    for (int axis = 0; axis < from.rank; ++axis) {
        if (axis < extra)
            dropped |= 1 << axis;
        else if (to.dims[axis - extra] == from.dims[axis])
            continue;
        mask |= 1 << axis;
    }
    if (!mask) return g;
    const plx__attrs attrs = {.sum = {.axes = mask, .dropped = dropped, .factor = 1}};
    return PLX__EMIT1(graph, &plx__op_sum_to, g, &attrs);
}

static const plx__attrs minus_one = {.scale = {.factor = -1}};

static void gradient_add(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = sum_like(graph, gy, node.inputs[0]);
    grads[1] = sum_like(graph, gy, node.inputs[1]);
}

static void gradient_sub(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t negative = PLX__EMIT1(graph, &plx__op_scale, gy, &minus_one);
    grads[0] = sum_like(graph, gy, node.inputs[0]);
    grads[1] = sum_like(graph, negative, node.inputs[1]);
}

static void gradient_mul(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t ga = PLX__EMIT2(graph, &plx__op_mul, gy, node.inputs[1], NULL);
    const int32_t gb = PLX__EMIT2(graph, &plx__op_mul, gy, node.inputs[0], NULL);
    grads[0] = sum_like(graph, ga, node.inputs[0]);
    grads[1] = sum_like(graph, gb, node.inputs[1]);
}

/* y = a / b: da = gy / b, db = -gy y / b. */
static void gradient_div(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t ga = PLX__EMIT2(graph, &plx__op_div, gy, node.inputs[1], NULL);
    const int32_t product = PLX__EMIT2(graph, &plx__op_mul, ga, id, NULL);
    const int32_t gb = PLX__EMIT1(graph, &plx__op_scale, product, &minus_one);
    grads[0] = sum_like(graph, ga, node.inputs[0]);
    grads[1] = sum_like(graph, gb, node.inputs[1]);
}

static void gradient_selection(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads,
                               bool larger) {
    const plx__node node = *graph->nodes[id];
    for (int k = 0; k < 2; ++k) {
        const plx__attrs attrs = {.select = {.larger = larger, .input = k}};
        const int32_t g =
            PLX__EMIT3(graph, &plx__op_select_grad, node.inputs[0], node.inputs[1], gy, &attrs);
        grads[k] = sum_like(graph, g, node.inputs[k]);
    }
}

static void gradient_max(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    gradient_selection(graph, id, gy, grads, true);
}

static void gradient_min(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    gradient_selection(graph, id, gy, grads, false);
}

/* A number as a node. */
static int32_t constant(plx_graph *graph, double value) {
    const plx__attrs attrs = {.leaf = {.value = value}};
    return plx__emit(graph, &plx__op_constant, 0, NULL, &attrs);
}

/* y = a^b: da = gy b a^(b - 1), db = gy y log a. In the logarithm a counts as the smallest normal
 * number where it is not above that: y log a is 0 where a is 0 and b is not negative. */
static void gradient_pow(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t a = node.inputs[0], b = node.inputs[1];
    const int32_t less = PLX__EMIT2(graph, &plx__op_sub, b, constant(graph, 1), NULL);
    const int32_t power = PLX__EMIT2(graph, &plx__op_pow, a, less, NULL);
    const int32_t slope = PLX__EMIT2(graph, &plx__op_mul, power, b, NULL);
    const int32_t ga = PLX__EMIT2(graph, &plx__op_mul, gy, slope, NULL);
    const int32_t above = PLX__EMIT2(graph, &plx__op_max, a, constant(graph, 0x1p-126), NULL);
    const int32_t logarithm = PLX__EMIT1(graph, &plx__op_log, above, NULL);
    const int32_t product = PLX__EMIT2(graph, &plx__op_mul, id, logarithm, NULL);
    const int32_t gb = PLX__EMIT2(graph, &plx__op_mul, gy, product, NULL);
    grads[0] = sum_like(graph, ga, a);
    grads[1] = sum_like(graph, gb, b);
}

/* y = x > 0 ? x : s x: dx = x > 0 ? gy : s gy, ds = gy min(x, 0). */
static void gradient_prelu(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t x = node.inputs[0], slope = node.inputs[1], zero = constant(graph, 0);
    const plx__attrs above = {.select = {.input = 1}}, below = {.select = {.input = 0}};
    const int32_t sloped = PLX__EMIT2(graph, &plx__op_mul, gy, slope, NULL);
    const int32_t gx = PLX__EMIT2(
        graph, &plx__op_add, PLX__EMIT3(graph, &plx__op_select_grad, x, zero, gy, &above),
        PLX__EMIT3(graph, &plx__op_select_grad, x, zero, sloped, &below), NULL);
    const int32_t negative = PLX__EMIT2(graph, &plx__op_min, x, zero, NULL);
    const int32_t gs = PLX__EMIT2(graph, &plx__op_mul, gy, negative, NULL);
    grads[0] = sum_like(graph, gx, x);
    grads[1] = sum_like(graph, gs, slope);
}

typedef void (*binary_kernel)(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                              plx_real *y);

typedef struct binary_job {
    broadcast loops;
    binary_kernel kernel;
    const plx_real *a, *b, *gy;
    plx_real *y;
    bool larger, second;
} binary_job;

static void binary_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const binary_job *job = arg;
    const int64_t n = job->loops.dims[0];
    for (int64_t row = begin; row < end; ++row) {
        int64_t a, b;
        row_offsets(&job->loops, row, &a, &b);
        job->kernel(n, job->a + a, job->loops.a[0] != 0, job->b + b, job->loops.b[0] != 0,
                    job->y + row * n);
    }
}

/* The innermost loop of all: one flat piece. */
static void binary_flat(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const binary_job *job = arg;
    const int sa = job->loops.a[0] != 0, sb = job->loops.b[0] != 0;
    job->kernel(end - begin, job->a + sa * begin, sa, job->b + sb * begin, sb, job->y + begin);
}

static plx_status run_binary(plx_ctx *ctx, const plx__step *step, binary_kernel kernel) {
    if (!step->out.size) return PLX_OK;
    binary_job job = {.loops = plan_loops(&step->out, &step->in[0], &step->in[1]),
                      .kernel = kernel,
                      .a = PLX_IN(step, 0),
                      .b = PLX_IN(step, 1),
                      .y = PLX_OUT(step)};
    const int64_t n = job.loops.dims[0];
    assert(n > 0);
    const int64_t rows = step->out.size / n;
    if (rows == 1)
        plx__parallel_for(ctx->pool, step->threads, n, plx__grain(n, 1, step->threads), binary_flat,
                          &job);
    else
        plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, n, step->threads),
                          binary_rows, &job);
    return PLX_OK;
}

static plx__cost cost_binary(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 1);
}

static const char anywhere[] =
    "5~-2,2 5~-2,2; 3x4~-2,2 4~-2,2; 3x1~-2,2 1x17~-2,2; .~-2,2 2x3~-2,2; "
    "2x3x5~-2,2 2x1x5~-2,2; 0~-2,2 1~-2,2";
static const char positive[] =
    "5~0.5,2 5~0.5,2; 3x4~0.5,2 4~0.5,2; 3x1~0.5,2 1x17~0.5,2; .~0.5,2 2x3~0.5,2; "
    "2x3x5~0.5,2 2x1x5~0.5,2; 0~0.5,2 1~0.5,2";

#define BINARY_OP(op_name, kink, where)                                                            \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_binary(ctx, step, ctx->kernels->op_name);                                       \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .operands = PLX__OPERANDS({"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE}),   \
        .flags = PLX__OP_INPLACE | (kink),                                                         \
        .infer = infer_broadcast,                                                                  \
        .gradient = gradient_##op_name,                                                            \
        .cost = cost_binary,                                                                       \
        .run = run_##op_name,                                                                      \
        .samples = where,                                                                          \
    };

BINARY_OP(add, 0, anywhere)
BINARY_OP(sub, 0, anywhere)
BINARY_OP(mul, 0, anywhere)
BINARY_OP(div, 0, positive)
BINARY_OP(max, PLX__OP_KINK, anywhere)
BINARY_OP(min, PLX__OP_KINK, anywhere)
BINARY_OP(pow, 0, positive)
BINARY_OP(prelu, PLX__OP_KINK, anywhere)

/* ---- select_grad: gy where its input was the one taken, else 0 ------------------------------- */

static plx_status infer_select_grad(plx_graph *graph, plx__node *node) {
    plx__copy_shape(node, plx__input_of(graph, node, 2));
    return PLX_OK;
}

static void select_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const binary_job *job = arg;
    const int64_t n = job->loops.dims[0];
    for (int64_t row = begin; row < end; ++row) {
        int64_t a_offset, b_offset;
        row_offsets(&job->loops, row, &a_offset, &b_offset);
        for (int64_t j = 0; j < n; ++j) {
            const plx_real a = job->a[a_offset + j * job->loops.a[0]];
            const plx_real b = job->b[b_offset + j * job->loops.b[0]];
            const bool second = job->larger ? b > a : b < a;
            job->y[row * n + j] = second == job->second ? job->gy[row * n + j] : 0;
        }
    }
}

static plx_status run_select_grad(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    binary_job job = {.loops = plan_loops(&step->out, &step->in[0], &step->in[1]),
                      .a = PLX_IN(step, 0),
                      .b = PLX_IN(step, 1),
                      .gy = PLX_IN(step, 2),
                      .y = PLX_OUT(step),
                      .larger = step->attrs.select.larger,
                      .second = step->attrs.select.input};
    const int64_t n = job.loops.dims[0];
    assert(n > 0);
    const int64_t rows = step->out.size / n;
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, n, step->threads),
                      select_rows, &job);
    return PLX_OK;
}

static const char select_samples[] = "5 5 5 : i 1; 3x1 4 3x4 : i 0 1";

const plx_op plx__op_select_grad = {
    .name = "select_grad",
    .operands = PLX__OPERANDS({"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE},
                              {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_select_grad,
    .cost = cost_binary,
    .run = run_select_grad,
    .attrs = plx__select_fields,
    .samples = PLX__TESTED(select_samples),
};
