/* Losses that are the mean of an elementwise function of prediction and target: a scalar, computed
 * in one pass over memory. */
#include "ops/op.h"

#include <string.h>

/* Elements per chunk: the operands of a chain of kernels stay in the L1 cache, and the sum of a
 * chunk is one term of the total. */
enum { CHUNK = 1024 };

/* The sum over n <= CHUNK elements. scratch: 2 CHUNK. */
typedef plx_real (*chunk_sum)(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                              plx_real p, plx_real *scratch);
/* gx = factor times the derivative with respect to b if second, else to a; gx may be a or b.
 * scratch: CHUNK. */
typedef void (*chunk_slope)(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                            plx_real p, plx_real factor, bool second, plx_real *gx,
                            plx_real *scratch);

typedef struct loss_job {
    const plx_kernels *kernels;
    chunk_sum sum;
    chunk_slope slope;
    const plx_real *a, *b;
    plx_real *y;
    int64_t size;
    plx_real p, factor;
    bool second;
} loss_job;

static int64_t chunks_of(int64_t size) {
    return (size + CHUNK - 1) / CHUNK;
}

static void loss_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const loss_job *job = arg;
    plx_real scratch[2 * CHUNK];
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t at = chunk * CHUNK, left = job->size - at, n = left < CHUNK ? left : CHUNK;
        if (job->sum)
            job->y[chunk] = job->sum(job->kernels, n, job->a + at, job->b + at, job->p, scratch);
        else
            job->slope(job->kernels, n, job->a + at, job->b + at, job->p, job->factor, job->second,
                       job->y + at, scratch);
    }
}

static plx_status run_loss(plx_ctx *ctx, const plx__step *step, chunk_sum sum) {
    const loss_job job = {.kernels = ctx->kernels,
                          .sum = sum,
                          .a = PLX_IN(step, 0),
                          .b = PLX_IN(step, 1),
                          .y = step->workspace,
                          .size = step->in[0].size,
                          .p = (plx_real)step->attrs.loss.delta};
    const int64_t chunks = chunks_of(job.size);
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, chunks, 4, loss_chunks, (void *)&job);
    *PLX_OUT(step) = ctx->kernels->sum(chunks, job.y) / (plx_real)job.size;
    return PLX_OK;
}

static plx_status run_loss_grad(plx_ctx *ctx, const plx__step *step, chunk_slope slope) {
    const loss_job job = {.kernels = ctx->kernels,
                          .slope = slope,
                          .a = PLX_IN(step, 0),
                          .b = PLX_IN(step, 1),
                          .y = PLX_OUT(step),
                          .size = step->out.size,
                          .p = (plx_real)step->attrs.loss.delta,
                          .factor = PLX_IN(step, 2)[0] / (plx_real)step->out.size,
                          .second = step->attrs.loss.input};
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, chunks_of(job.size), 4, loss_chunks, (void *)&job);
    return PLX_OK;
}

static size_t workspace_loss(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    return (size_t)chunks_of(step->in[0].size) * sizeof(plx_real);
}

static plx_status infer_loss(plx_graph *graph, plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    if (!plx__same_shape(a, b)) {
        char left[96], right[96];
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: prediction %s and target %s must have the same shape",
                               plx__title(node->op), plx__shape_text(a->rank, a->dims, left, 96),
                               plx__shape_text(b->rank, b->dims, right, 96));
    }
    if (node->inputs_count == 2)
        node->rank = 0;
    else
        plx__copy_shape(node, a);
    return PLX_OK;
}

static void gradient_loss(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads,
                          const plx_op *grad_op) {
    const plx__node node = *graph->nodes[id];
    for (int k = 0; k < 2; ++k) {
        const plx__attrs attrs = {.loss = {.delta = node.attrs.loss.delta, .input = k}};
        grads[k] = PLX__EMIT3(graph, grad_op, node.inputs[0], node.inputs[1], gy, &attrs);
    }
}

/* ---- |a - b| --------------------------------------------------------------------------------- */

static plx_real sum_l1(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                       plx_real p, plx_real *scratch) {
    (void)p;
    k->sub(n, a, 1, b, 1, scratch);
    k->abs(n, scratch, scratch, 0);
    return k->sum(n, scratch);
}

static void slope_l1(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                     plx_real p, plx_real factor, bool second, plx_real *gx, plx_real *scratch) {
    (void)p;
    for (int64_t i = 0; i < n; ++i) scratch[i] = second ? -factor : factor;
    k->sub(n, a, 1, b, 1, gx);
    k->abs_grad(n, gx, scratch, gx, 0);
}

/* ---- Huber: m (|d| - m / 2) with m = min(|d|, p) --------------------------------------------- */

static plx_real sum_huber(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                          plx_real p, plx_real *scratch) {
    plx_real *d = scratch, *m = scratch + CHUNK;
    k->sub(n, a, 1, b, 1, d);
    k->abs(n, d, d, 0);
    k->min(n, d, 1, &p, 0, m);
    k->axpy(n, (plx_real)-0.5, m, d);
    return k->dot(n, m, d);
}

static void slope_huber(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                        plx_real p, plx_real factor, bool second, plx_real *gx, plx_real *scratch) {
    (void)scratch;
    const plx_real low = -p;
    k->sub(n, a, 1, b, 1, gx);
    k->max(n, gx, 1, &low, 0, gx);
    k->min(n, gx, 1, &p, 0, gx);
    k->scale(n, second ? -factor : factor, gx, gx);
}

/* ---- Binary cross-entropy of sigmoid(a) against b -------------------------------------------- */

static plx_real sum_bce(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                        plx_real p, plx_real *scratch) {
    (void)p;
    k->logistic_loss(n, a, b, scratch);
    return k->sum(n, scratch);
}

static void slope_bce(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b,
                      plx_real p, plx_real factor, bool second, plx_real *gx, plx_real *scratch) {
    (void)p;
    if (second) {
        k->scale(n, -factor, a, gx);
        return;
    }
    k->sigmoid(n, a, scratch, 0);
    k->sub(n, scratch, 1, b, 1, gx);
    k->scale(n, factor, gx, gx);
}

/* ---- The ops --------------------------------------------------------------------------------- */

static plx__cost cost_of(const plx_graph *graph, const plx__node *node, double weight) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, weight);
    cost.flops = 4.0 * (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

static plx__cost cost_simple(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 1);
}

static plx__cost cost_exponential(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 4);
}

static const char anywhere[] =
    "3x4~-4,4 3x4~-2,2 : delta 0.7; 130x33~-4,4 130x33~-2,2 : delta 0.7; "
    "1~-4,4 1~-2,2 : delta 0.7; .~-4,4 .~-2,2 : delta 0.7; "
    "2x1x3x1x2x3~-4,4 2x1x3x1x2x3~-2,2 : delta 0.7";
static const char probabilities[] =
    "3x4~-4,4 3x4~0,1 : delta 0.7; 130x33~-4,4 130x33~0,1 : delta 0.7; 1~-4,4 1~0,1 : delta 0.7; "
    ".~-4,4 .~0,1 : delta 0.7; 2x1x3x1x2x3~-4,4 2x1x3x1x2x3~0,1 : delta 0.7";
static const char grad_anywhere[] =
    "3x4~-4,4 3x4~-2,2 . : delta 0.7; 131x17~-4,4 131x17~-2,2 . : delta 0.7; "
    "131x17~-4,4 131x17~-2,2 . : delta 0.7 input 1; 0~-4,4 0~-2,2 . : delta 0.7";
static const char grad_probabilities[] =
    "3x4~-4,4 3x4~0,1 . : delta 0.7; 131x17~-4,4 131x17~0,1 . : delta 0.7; "
    "131x17~-4,4 131x17~0,1 . : delta 0.7 input 1; 0~-4,4 0~0,1 . : delta 0.7";

static const plx__operand_row pair[] = {
    {"prediction", PLX__REALS, PLX__VALUE}, {"target", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};
static const plx__operand_row pair_gy[] = {{"prediction", PLX__REALS, PLX__VALUE},
                                           {"target", PLX__REALS, PLX__VALUE},
                                           {"gy", PLX__REALS, PLX__VALUE},
                                           {NULL, 0, 0}};
#define LOSS_OP(op_name, builder, kink, costs, where)                                              \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_loss(ctx, step, sum_##op_name);                                                 \
    }                                                                                              \
    static plx_status run_##op_name##_grad(plx_ctx *ctx, const plx__step *step) {                  \
        return run_loss_grad(ctx, step, slope_##op_name);                                          \
    }                                                                                              \
    static void gradient_##op_name(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {     \
        gradient_loss(graph, id, gy, grads, &plx__op_##op_name##_grad);                            \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .title = builder,                                                                          \
        .operands = pair,                                                                          \
        .flags = (kink),                                                                           \
        .infer = infer_loss,                                                                       \
        .gradient = gradient_##op_name,                                                            \
        .cost = cost_##costs,                                                                      \
        .workspace = workspace_loss,                                                               \
        .run = run_##op_name,                                                                      \
        .attrs = plx__loss_fields,                                                                 \
        .samples = where,                                                                          \
    };                                                                                             \
    const plx_op plx__op_##op_name##_grad = {                                                      \
        .name = #op_name "_grad",                                                                  \
        .operands = pair_gy,                                                                       \
        .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,                                            \
        .infer = infer_loss,                                                                       \
        .cost = cost_##costs,                                                                      \
        .run = run_##op_name##_grad,                                                               \
        .attrs = plx__loss_fields,                                                                 \
        .samples = PLX__TESTED(grad_##where),                                                      \
    };

LOSS_OP(l1, NULL, PLX__OP_KINK, simple, anywhere)
LOSS_OP(huber, NULL, 0, simple, anywhere)
LOSS_OP(bce, "binary_cross_entropy", 0, exponential, probabilities)
