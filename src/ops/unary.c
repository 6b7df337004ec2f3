/* Elementwise functions of one value. */
#include "ops/chain.h"

#include "base/rng.h"

typedef void (*unary_kernel)(int64_t n, const plx_real *x, plx_real *y, plx_real p);
typedef void (*unary_grad_kernel)(int64_t n, const plx_real *xy, const plx_real *gy, plx_real *gx,
                                  plx_real p);

typedef struct unary_job {
    unary_kernel forward;
    unary_grad_kernel backward;
    const plx_real *x, *gy;
    plx_real *y;
    plx_real p;
} unary_job;

static void unary_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const unary_job *job = arg;
    if (job->backward)
        job->backward(end - begin, job->x + begin, job->gy + begin, job->y + begin, job->p);
    else
        job->forward(end - begin, job->x + begin, job->y + begin, job->p);
}

static plx_status run_unary(plx_ctx *ctx, const plx__step *step, unary_kernel forward,
                            unary_grad_kernel backward) {
    unary_job job = {forward,         backward,
                     PLX_IN(step, 0), backward ? PLX_IN(step, 1) : NULL,
                     PLX_OUT(step),   (plx_real)step->attrs.unary.alpha};
    const plx_kernels *k = ctx->kernels;
    const bool table = k->cheap_gelu_grad && (forward == k->gelu || backward == k->gelu_grad);
    ctx->method = table ? "table" : "elements";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), unary_piece, &job);
    return PLX_OK;
}

static plx_status infer_unary_grad(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *gy = plx__input_of(graph, node, 1);
    if (!plx__same_shape(x, gy))
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: x and gy must have the same shape",
                               node->op->name);
    return plx__infer_same(graph, node);
}

static void gradient_unary(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads,
                           const plx_op *grad_op, bool from_output) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT2(graph, grad_op, from_output ? id : node.inputs[0], gy, &node.attrs);
}

/* A transcendental function costs about as much as streaming four times its bytes. */
static plx__cost cost_unary(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 4);
}

#define ANYWHERE(attribute)                                                                        \
    "0~-4,4 : " attribute "; 1~-4,4 : " attribute "; 4~-4,4 : " attribute                          \
    "; 2x17~-4,4 : " attribute "; 33x65~-4,4 : " attribute
static const char anywhere[] = ANYWHERE("alpha 0.5");
static const char positive[] = "0~0.1,4; 1~0.1,4; 4~0.1,4; 2x17~0.1,4; 33x65~0.1,4";
/* Avoids the kinks at 3 and 6. */
static const char inside[] =
    "0~-2.75,2.75; 1~-2.75,2.75; 4~-2.75,2.75; 2x17~-2.75,2.75; 33x65~-2.75,2.75";
static const char grad_anywhere[] = "5~-4,4 5~-1,1 : alpha 0.5; 3x33~-4,4 3x33~-1,1 : alpha 0.5";
static const char grad_positive[] = "5~0.1,4 5~-1,1; 3x33~0.1,4 3x33~-1,1";
static const char grad_inside[] = "5~-2.75,2.75 5~-1,1; 3x33~-2.75,2.75 3x33~-1,1";

enum { X, Y };
enum { SMOOTH = 0, KINK = PLX__OP_KINK };
#define UNARY_OP(op_name, from, kink, where)                                                       \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_unary(ctx, step, ctx->kernels->op_name, NULL);                                  \
    }                                                                                              \
    static plx_status run_##op_name##_grad(plx_ctx *ctx, const plx__step *step) {                  \
        return run_unary(ctx, step, NULL, ctx->kernels->op_name##_grad);                           \
    }                                                                                              \
    static void gradient_##op_name(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {     \
        gradient_unary(graph, id, gy, grads, &plx__op_##op_name##_grad, (from) == Y);              \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .operands = plx__takes_x,                                                                  \
        .flags = PLX__OP_INPLACE | (kink),                                                         \
        .infer = plx__infer_same,                                                                  \
        .gradient = gradient_##op_name,                                                            \
        .cost = cost_unary,                                                                        \
        .run = run_##op_name,                                                                      \
        .attrs = plx__unary_fields,                                                                \
        .samples = where,                                                                          \
    };                                                                                             \
    const plx_op plx__op_##op_name##_grad = {                                                      \
        .name = #op_name "_grad",                                                                  \
        .operands = plx__takes_x_gy,                                                               \
        .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,                                            \
        .infer = infer_unary_grad,                                                                 \
        .cost = cost_unary,                                                                        \
        .run = run_##op_name##_grad,                                                               \
        .attrs = plx__unary_fields,                                                                \
        .samples = PLX__TESTED(grad_##where),                                                      \
    };

#define UNARY(name, from, kink, samples) UNARY_OP(name, from, kink, samples)
#include "kernels/unary.def"
#undef UNARY

/* ---- scale: y = factor x --------------------------------------------------------------------- */

typedef struct scale_job {
    const plx_kernels *kernels;
    const plx__step *step;
} scale_job;

static void scale_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const scale_job *job = arg;
    job->kernels->scale(end - begin, (plx_real)job->step->attrs.scale.factor,
                        PLX_IN(job->step, 0) + begin, PLX_OUT(job->step) + begin);
}

static plx_status run_scale(plx_ctx *ctx, const plx__step *step) {
    scale_job job = {ctx->kernels, step};
    ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), scale_piece, &job);
    return PLX_OK;
}

static void gradient_scale(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT1(graph, &plx__op_scale, gy, &node.attrs);
}

static plx__cost cost_scale(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 1);
}

static const char scale_samples[] = ANYWHERE("factor 0.5");

const plx_op plx__op_scale = {
    .name = "scale",
    .operands = plx__takes_x,
    .flags = PLX__OP_INPLACE,
    .infer = plx__infer_same,
    .gradient = gradient_scale,
    .cost = cost_scale,
    .run = run_scale,
    .attrs = plx__scale_fields,
    .samples = scale_samples,
};

/* ---- dropout --------------------------------------------------------------------------------- */

void plx__drop(const plx_kernels *kernels, const plx__step *step, double rate, int64_t seed,
               int64_t first, int64_t n, const plx_real *x, plx_real *y) {
    const double kept = 1 - rate;
    kernels->dropout(n, x, y, plx__rng_key((uint64_t)seed, *step->number), (uint64_t)first,
                     kept >= 1 ? UINT32_MAX : (uint32_t)(kept * 4294967296.0),
                     (plx_real)(1 / kept));
}

static void dropout_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const scale_job *job = arg;
    const plx__dropout_attrs *dropout = &job->step->attrs.dropout;
    plx__drop(job->kernels, job->step, dropout->rate, dropout->seed, begin, end - begin,
              PLX_IN(job->step, 0) + begin, PLX_OUT(job->step) + begin);
}

static plx_status run_dropout(plx_ctx *ctx, const plx__step *step) {
    scale_job job = {ctx->kernels, step};
    ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), dropout_piece, &job);
    return PLX_OK;
}

/* The same seed and step number give the same mask, so the gradient is the op itself. */
static void gradient_dropout(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT1(graph, &plx__op_dropout, gy, &node.attrs);
}

static plx__cost cost_dropout(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 4);
}

static const char dropout_samples[] = ANYWHERE("rate 0.5");

const plx_op plx__op_dropout = {
    .name = "dropout",
    .operands = plx__takes_x,
    .flags = PLX__OP_INPLACE,
    .infer = plx__infer_same,
    .gradient = gradient_dropout,
    .cost = cost_dropout,
    .run = run_dropout,
    .attrs = plx__dropout_fields,
    .samples = dropout_samples,
};
