/* Softmax and its logarithm along the last dimension. */
#include "ops/op.h"

typedef void (*row_kernel)(int64_t n, const plx_real *x, plx_real *y);
typedef void (*row_grad_kernel)(int64_t n, const plx_real *y, const plx_real *gy, plx_real *gx);

typedef struct row_job {
    row_kernel forward;
    row_grad_kernel backward;
    const plx_real *x, *gy;
    plx_real *y;
    int64_t columns;
} row_job;

static void each_row(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const row_job *job = arg;
    for (int64_t i = begin * job->columns; i < end * job->columns; i += job->columns) {
        if (job->backward)
            job->backward(job->columns, job->x + i, job->gy + i, job->y + i);
        else
            job->forward(job->columns, job->x + i, job->y + i);
    }
}

static plx_status run_rows(plx_ctx *ctx, const plx__step *step, row_kernel forward,
                           row_grad_kernel backward) {
    if (!step->out.size) return PLX_OK;
    const int64_t rows = plx__rows(step->out.rank, step->out.dims);
    row_job job = {forward,         backward,
                   PLX_IN(step, 0), backward ? PLX_IN(step, 1) : NULL,
                   PLX_OUT(step),   plx__columns(step->out.rank, step->out.dims)};
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.columns, step->threads),
                      each_row, &job);
    return PLX_OK;
}

static plx_status infer_rows(plx_graph *graph, plx__node *node) {
    if (!plx__input_of(graph, node, 0)->rank)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: a scalar has no last dimension",
                               node->op->name);
    return plx__infer_same(graph, node);
}

static plx__cost cost_rows(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 4, 4);
}

static const plx__sample row_samples[] = {
    {1, {{2, {3, 5}, -3, 3}}, {.rank = 0}},  {1, {{2, {2, 1}, -3, 3}}, {.rank = 0}},
    {1, {{1, {10}, -3, 3}}, {.rank = 0}},    {1, {{3, {2, 3, 33}, -3, 3}}, {.rank = 0}},
    {1, {{2, {0, 10}, -3, 3}}, {.rank = 0}}, {0},
};
static const plx__sample row_grad_samples[] = {
    {2, {{2, {3, 5}, 0.1, 0.3}, {2, {3, 5}, 0, 0}}, {.rank = 0}},
    {2, {{2, {2, 33}, 0.1, 0.3}, {2, {2, 33}, 0, 0}}, {.rank = 0}},
    {0},
};

#define ROW_OP(op_name)                                                                            \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_rows(ctx, step, ctx->kernels->op_name, NULL);                                   \
    }                                                                                              \
    static plx_status run_##op_name##_grad(plx_ctx *ctx, const plx__step *step) {                  \
        return run_rows(ctx, step, NULL, ctx->kernels->op_name##_grad);                            \
    }                                                                                              \
    static void gradient_##op_name(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {     \
        grads[0] = PLX__EMIT2(graph, &plx__op_##op_name##_grad, id, gy, NULL);                     \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .min_inputs = 1,                                                                           \
        .max_inputs = 1,                                                                           \
        .flags = PLX__OP_INPLACE,                                                                  \
        .infer = infer_rows,                                                                       \
        .gradient = gradient_##op_name,                                                            \
        .cost = cost_rows,                                                                         \
        .run = run_##op_name,                                                                      \
        .samples = row_samples,                                                                    \
    };                                                                                             \
    const plx_op plx__op_##op_name##_grad = {                                                      \
        .name = #op_name "_grad",                                                                  \
        .min_inputs = 2,                                                                           \
        .max_inputs = 2,                                                                           \
        .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,                                            \
        .infer = infer_rows,                                                                       \
        .cost = cost_rows,                                                                         \
        .run = run_##op_name##_grad,                                                               \
        .samples = row_grad_samples,                                                               \
    };

ROW_OP(softmax)
ROW_OP(log_softmax)
