/* Lengths of vectors, and limits. */
#include "ops/op.h"

#include <string.h>

/* ---- sum_squares: of all elements, a scalar -------------------------------------------------- */

static plx_status infer_scalar(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = 0;
    return PLX_OK;
}

static void gradient_sum_squares(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const int32_t x = graph->nodes[id]->inputs[0];
    const plx__attrs two = {.f = {2}};
    const int32_t twice = PLX__EMIT1(graph, &plx__op_scale, gy, &two);
    grads[0] = PLX__EMIT2(graph, &plx__op_mul, x, twice, NULL);
}

static plx_real squares_of(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b) {
    (void)b;
    return k->sum_squares(n, a);
}

static plx_status run_sum_squares(plx_ctx *ctx, const plx__step *step) {
    *PLX_OUT(step) = plx__total(ctx, step, squares_of);
    return PLX_OK;
}

static plx__cost cost_sum_squares(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = 2.0 * (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

static const char squares_samples[] = "3x5; 9000; .; 0";

const plx_op plx__op_sum_squares = {
    .name = "sum_squares",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = infer_scalar,
    .gradient = gradient_sum_squares,
    .cost = cost_sum_squares,
    .workspace = plx__total_workspace,
    .run = run_sum_squares,
    .samples = squares_samples,
};

/* ---- l2_normalize: rows of the last axis over max(length, f[0]) ------------------------------ */

typedef struct normalize_job {
    const plx_kernels *kernels;
    const plx_real *x, *gy;
    plx_real *y;
    int64_t columns;
    plx_real epsilon;
} normalize_job;

static plx_real square_root(const plx_kernels *kernels, plx_real x) {
    kernels->sqrt(1, &x, &x, 0);
    return x;
}

/* Squares that leave the range of the type are taken of the elements over the largest of them. */
static plx_real length_of(const plx_kernels *kernels, int64_t n, const plx_real *x) {
    const plx_real squares = kernels->sum_squares(n, x);
    if (squares > (plx_real)1e-30 && squares < (plx_real)1e37) return square_root(kernels, squares);
    plx_real top = 0, sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        const plx_real magnitude = x[i] < 0 ? -x[i] : x[i];
        if (!(magnitude <= top)) top = magnitude;
    }
    if (!(top > 0 && top < (plx_real)__builtin_inff())) return top;
    for (int64_t i = 0; i < n; ++i) sum += x[i] / top * (x[i] / top);
    return top * square_root(kernels, sum);
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
        /* gx = (gy - y (y . gy)) / length; gy / epsilon where that is the divisor. */
        const plx_real *gy = job->gy + row * n;
        const plx_real along = limited ? 0 : k->dot(n, x, gy) / divisor / divisor;
        k->div(n, gy, 1, &divisor, 0, y);
        if (!limited) k->axpy(n, -along / divisor, x, y);
    }
}

static plx_status run_l2_normalize(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    normalize_job job = {.kernels = ctx->kernels,
                         .x = PLX_IN(step, 0),
                         .gy = step->in_count > 1 ? PLX_IN(step, 1) : NULL,
                         .y = PLX_OUT(step),
                         .columns = plx__columns(step->out.rank, step->out.dims),
                         .epsilon = (plx_real)step->attrs.f[0]};
    const int64_t rows = step->out.size / job.columns;
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
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "l2_normalize: a scalar has no last axis");
    return plx__infer_same(graph, node);
}

static plx__cost cost_l2_normalize(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 3, 1);
}

static const char normalize_samples[] =
    "3x5 : f 0.00000001; 200x33 : f 0.00000001; 3x5 : f 10; 2x1x3x1x2x1 : f 0.00000001; "
    "3x0 : f 0.00000001";

const plx_op plx__op_l2_normalize = {
    .name = "l2_normalize",
    .min_inputs = 1,
    .max_inputs = 1,
    .flags = PLX__OP_INPLACE | PLX__OP_KINK,
    .infer = infer_l2_normalize,
    .gradient = gradient_l2_normalize,
    .cost = cost_l2_normalize,
    .run = run_l2_normalize,
    .samples = normalize_samples,
};

static const char normalize_grad_samples[] =
    "3x5 3x5 : f 0.00000001; 200x33 200x33 : f 0.00000001; 3x5 3x5 : f 10";

const plx_op plx__op_l2_normalize_grad = {
    .name = "l2_normalize_grad",
    .min_inputs = 2,
    .max_inputs = 2,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_l2_normalize,
    .cost = cost_l2_normalize,
    .run = run_l2_normalize,
    .samples = normalize_grad_samples,
};

/* ---- clip: attrs f[0] the least value, f[1] the largest -------------------------------------- */

typedef struct clip_job {
    const plx_kernels *kernels;
    const plx_real *x, *gy;
    plx_real *y;
    plx_real low, high;
} clip_job;

enum { PIECE = 1024 }; /* elements that stay in the first-level cache between two kernels */

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
                    .low = (plx_real)step->attrs.f[0],
                    .high = (plx_real)step->attrs.f[1]};
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

static const char clip_samples[] = "3x5 : f -0.3 0.4; 130x33 : f 0 0.4; . : f -1 1; 0 : f -1 1";

const plx_op plx__op_clip = {
    .name = "clip",
    .min_inputs = 1,
    .max_inputs = 1,
    .flags = PLX__OP_INPLACE | PLX__OP_KINK,
    .infer = plx__infer_same,
    .gradient = gradient_clip,
    .cost = cost_clip,
    .run = run_clip,
    .samples = clip_samples,
};

static const char clip_grad_samples[] = "3x5 3x5 : f -0.3 0.4; 130x33 130x33 : f 0 0.4";

const plx_op plx__op_clip_grad = {
    .name = "clip_grad",
    .min_inputs = 2,
    .max_inputs = 2,
    .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,
    .infer = plx__infer_same,
    .cost = cost_clip,
    .run = run_clip_grad,
    .samples = clip_grad_samples,
};
