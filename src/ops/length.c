/* Vector norms, normalisation and clipping. */
#include "ops/op.h"

#include "parallax.h"

#include <string.h>

/* Where squares leave the range of the type, elements are first divided by the largest one. */

static double largest_of(double top, int64_t n, const plx_real *x) {
    for (int64_t i = 0; i < n; ++i) {
        const double magnitude = (double)(x[i] < 0 ? -x[i] : x[i]);
        if (!(magnitude <= top)) top = magnitude;
    }
    return top;
}

static bool is_usable(double top) {
    return top > 0 && top < (double)__builtin_inff();
}

static double squares_over(double top, int64_t n, const plx_real *x) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += (double)x[i] / top * ((double)x[i] / top);
    return sum;
}

/* Whether the root of this sum of squares is accurate. */
static bool is_in_range(plx_real squares) {
    return squares > (plx_real)1e-30 && squares < (plx_real)1e37;
}

/* ---- norm: the length of all elements of all inputs, a scalar -------------------------------- */

static plx_status infer_scalar(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = 0;
    return PLX_OK;
}

/* d norm / d x = x / norm */
static void gradient_norm(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node *node = graph->nodes[id];
    const int32_t each = PLX__EMIT2(graph, &plx__op_div, gy, id, NULL);
    for (int k = 0; k < node->inputs_count; ++k)
        grads[k] = PLX__EMIT2(graph, &plx__op_mul, node->inputs[k], each, NULL);
}

static plx_real squares_of(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b) {
    (void)b;
    return k->sum_squares(n, a);
}

static size_t workspace_norm(const plx_ctx *ctx, const plx__step *step) {
    size_t most = 0;
    for (int k = 0; k < step->in_count; ++k) {
        const plx__step one = {.in_count = 1, .in = step->in + k};
        const size_t bytes = plx__total_workspace(ctx, &one);
        if (bytes > most) most = bytes;
    }
    return most;
}

static plx_real far_norm(const plx__step *step) {
    double top = 0, sum = 0;
    for (int k = 0; k < step->in_count; ++k)
        top = largest_of(top, step->in[k].size, PLX_IN(step, k));
    if (!is_usable(top)) return (plx_real)top;
    for (int k = 0; k < step->in_count; ++k)
        sum += squares_over(top, step->in[k].size, PLX_IN(step, k));
    return (plx_real)(top * plx_math_sqrt(sum));
}

static plx_status run_norm(plx_ctx *ctx, const plx__step *step) {
    plx_real squares = 0, error = 0;
    plx__step one = *step;
    one.in_count = 1;
    for (int k = 0; k < step->in_count; ++k) {
        one.in = step->in + k;
        const plx_real own = plx__total(ctx, &one, squares_of);
        ctx->kernels->two_sum(1, &own, &squares, &error);
    }
    squares += error;
    if (is_in_range(squares))
        ctx->kernels->sqrt(1, &squares, PLX_OUT(step), 0);
    else
        *PLX_OUT(step) = far_norm(step);
    return PLX_OK;
}

static plx__cost cost_norm(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    for (int k = 0; k < node->inputs_count; ++k)
        cost.flops += 2.0 * (double)plx__size(plx__input_of(graph, node, k));
    return cost;
}

static const char norm_samples[] = "3x5; 9000; .~0.5,1; 3x5 7 2x2x3; 5000 . 9000";

const plx_op plx__op_norm = {
    .name = "norm",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__REPEATED}),
    .infer = infer_scalar,
    .gradient = gradient_norm,
    .cost = cost_norm,
    .workspace = workspace_norm,
    .run = run_norm,
    .samples = norm_samples,
};

/* ---- l2_normalize: rows of the last axis, divided by max(length, epsilon) -------------------- */

typedef struct normalize_job {
    const plx_kernels *kernels;
    const plx_real *x, *gy;
    plx_real *y;
    int64_t columns;
    plx_real epsilon;
} normalize_job;

static plx_real length_of(const plx_kernels *kernels, int64_t n, const plx_real *x) {
    const plx_real squares = kernels->sum_squares(n, x);
    /* Rounding the root in double once more gives the nearest float too. A kernel would read one
     * element by a mask, and wait until it has left the store queue. */
    if (is_in_range(squares)) return (plx_real)plx_math_sqrt((double)squares);
    const double top = largest_of(0, n, x);
    return (plx_real)(is_usable(top) ? top * plx_math_sqrt(squares_over(top, n, x)) : top);
}

/* The same as length_gradient in double precision, where that leaves the range of the type. */
static void far_length_gradient(int64_t n, const plx_real *x, const plx_real *gy, double length,
                                plx_real *gx) {
    double along = 0;
    for (int64_t i = 0; i < n; ++i) along += (double)x[i] / length * (double)gy[i];
    for (int64_t i = 0; i < n; ++i)
        gx[i] = (plx_real)(((double)gy[i] - (double)x[i] / length * along) / length);
}

/* gx = (gy - y (y . gy)) / length with y = x / length; gy / divisor where epsilon is the divisor.
 */
static void length_gradient(const plx_kernels *k, int64_t n, const plx_real *x, const plx_real *gy,
                            plx_real divisor, bool limited, plx_real *gx) {
    const plx_real along = limited ? 0 : k->dot(n, x, gy) / divisor;
    const plx_real slope = along / divisor / divisor, size = slope < 0 ? -slope : slope;
    if (along != 0 && !is_in_range(size)) {
        far_length_gradient(n, x, gy, (double)divisor, gx);
        return;
    }
    k->div(n, gy, 1, &divisor, 0, gx);
    if (along != 0) k->axpy(n, -slope, x, gx);
}

static void normalize_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const normalize_job *job = arg;
    const plx_kernels *k = job->kernels;
    const int64_t n = job->columns;
    for (int64_t row = begin; row < end; ++row) {
        const plx_real *x = job->x + row * n;
        plx_real *y = job->y + row * n;
        const plx_real length = length_of(k, n, x);
        const bool limited = length < job->epsilon;
        const plx_real divisor = limited ? job->epsilon : length;
        if (!job->gy) {
            k->div(n, x, 1, &divisor, 0, y);
            continue;
        }
        length_gradient(k, n, x, job->gy + row * n, divisor, limited, y);
    }
}

static plx_status run_l2_normalize(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    const int64_t columns = plx__columns(step->out.rank, step->out.dims);
    normalize_job job = {.kernels = plx__row_kernels(ctx->kernels, columns),
                         .x = PLX_IN(step, 0),
                         .gy = step->in_count > 1 ? PLX_IN(step, 1) : NULL,
                         .y = PLX_OUT(step),
                         .columns = columns,
                         .epsilon = (plx_real)step->attrs.l2_normalize.epsilon};
    const int64_t rows = step->out.size / job.columns;
    ctx->method = plx__rows_method(ctx, job.kernels);
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.columns, step->threads),
                      normalize_rows, &job);
    return PLX_OK;
}

static void gradient_l2_normalize(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT2(graph, &plx__op_l2_normalize_grad, node.inputs[0], gy, &node.attrs);
}

static plx_status infer_l2_normalize(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    if (!x->rank)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "l2_normalize: x is a scalar; it needs at least one axis");
    return plx__infer_same(graph, node);
}

static plx__cost cost_l2_normalize(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 3, 1);
}

static const char normalize_samples[] =
    "3x5 : epsilon 0.00000001; 200x33 : epsilon 0.00000001; 3x5 : epsilon 10; "
    "2x1x3x1x2x1 : epsilon 0.00000001; 3x0 : epsilon 0.00000001";

const plx_op plx__op_l2_normalize = {
    .name = "l2_normalize",
    .operands = plx__takes_x,
    .flags = PLX__OP_INPLACE | PLX__OP_KINK,
    .infer = infer_l2_normalize,
    .gradient = gradient_l2_normalize,
    .cost = cost_l2_normalize,
    .run = run_l2_normalize,
    .attrs = plx__l2_normalize_fields,
    .samples = normalize_samples,
};

static const char normalize_grad_samples[] =
    "3x5 3x5 : epsilon 0.00000001; 200x33 200x33 : epsilon 0.00000001; 3x5 3x5 : epsilon 10";

const plx_op plx__op_l2_normalize_grad = {
    .name = "l2_normalize_grad",
    .operands = plx__takes_x_gy,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_l2_normalize,
    .cost = cost_l2_normalize,
    .run = run_l2_normalize,
    .attrs = plx__l2_normalize_fields,
    .samples = PLX__TESTED(normalize_grad_samples),
};

/* ---- clip ------------------------------------------------------------------------------------ */

typedef struct clip_job {
    const plx_kernels *kernels;
    const plx_real *x, *gy;
    plx_real *y;
    plx_real low, high;
} clip_job;

enum { PIECE = 1024 }; /* elements that stay in the L1 cache between two kernels */

static void clip_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const clip_job *job = arg;
    for (int64_t i = begin; i < end; i += PIECE) {
        const int64_t n = end - i < PIECE ? end - i : PIECE;
        job->kernels->max(n, job->x + i, 1, &job->low, 0, job->y + i);
        job->kernels->min(n, job->y + i, 1, &job->high, 0, job->y + i);
    }
}

static void clip_grad_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const clip_job *job = arg;
    const plx_real *x = job->x, *gy = job->gy;
    plx_real *y = job->y;
    const plx_real low = job->low, high = job->high;
    for (int64_t i = begin; i < end; ++i) y[i] = ((x[i] < low) | (x[i] > high)) ? 0 : gy[i];
}

static plx_status run_clipping(plx_ctx *ctx, const plx__step *step, plx__loop_fn piece) {
    clip_job job = {.kernels = ctx->kernels,
                    .x = PLX_IN(step, 0),
                    .gy = step->in_count > 1 ? PLX_IN(step, 1) : NULL,
                    .y = PLX_OUT(step),
                    .low = (plx_real)step->attrs.clip.low,
                    .high = (plx_real)step->attrs.clip.high};
    ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), piece, &job);
    return PLX_OK;
}

static plx_status run_clip(plx_ctx *ctx, const plx__step *step) {
    return run_clipping(ctx, step, clip_piece);
}

static plx_status run_clip_grad(plx_ctx *ctx, const plx__step *step) {
    return run_clipping(ctx, step, clip_grad_piece);
}

static void gradient_clip(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT2(graph, &plx__op_clip_grad, node.inputs[0], gy, &node.attrs);
}

static plx__cost cost_clip(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 2, 1);
}

static const char clip_samples[] =
    "3x5 : low -0.3 high 0.4; 130x33 : high 0.4; . : low -1 high 1; 0 : low -1 high 1";

const plx_op plx__op_clip = {
    .name = "clip",
    .operands = plx__takes_x,
    .flags = PLX__OP_INPLACE | PLX__OP_KINK,
    .infer = plx__infer_same,
    .gradient = gradient_clip,
    .cost = cost_clip,
    .run = run_clip,
    .attrs = plx__clip_fields,
    .samples = clip_samples,
};

static const char clip_grad_samples[] = "3x5 3x5 : low -0.3 high 0.4; 130x33 130x33 : high 0.4";

const plx_op plx__op_clip_grad = {
    .name = "clip_grad",
    .operands = plx__takes_x_gy,
    .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,
    .infer = plx__infer_same,
    .cost = cost_clip,
    .run = run_clip_grad,
    .attrs = plx__clip_fields,
    .samples = PLX__TESTED(clip_grad_samples),
};
