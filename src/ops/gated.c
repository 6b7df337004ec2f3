/* Gated units, activation(gate) up; and activations together with their derivatives. */
#include "ops/op.h"

#include "blocks/gemm.h"

enum { CHUNK = 1024 }; /* elements that stay in the L1 cache between passes */

typedef struct gated_job {
    const plx_ctx *ctx;
    const plx__step *step;
} gated_job;

static plx_status infer_gated(plx_graph *graph, plx__node *node) {
    const plx__node *gate = plx__input_of(graph, node, 0), *up = plx__input_of(graph, node, 1);
    if (!plx__same_shape(gate, up)) {
        char left[96], right[96];
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: gate %s and up %s must have the same shape",
                               node->attrs.gated.activation == PLX_GELU ? "geglu" : "swiglu",
                               plx__shape_text(gate->rank, gate->dims, left, sizeof left),
                               plx__shape_text(up->rank, up->dims, right, sizeof right));
    }
    return plx__infer_same(graph, node);
}

static void gradient_gated(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t packed =
        PLX__EMIT3(graph, &plx__op_gated_grad, node.inputs[0], node.inputs[1], gy, &node.attrs);
    int64_t from = 0;
    for (int k = 0; k < 2; ++k) plx__hand_out(graph, &node, k, packed, &from, grads);
}

static void gated_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const gated_job *job = arg;
    const plx_activation act = (plx_activation)job->step->attrs.gated.activation;
    plx_real active[CHUNK];
    for (int64_t i = begin; i < end; i += CHUNK) {
        const int64_t n = end - i < CHUNK ? end - i : CHUNK;
        plx__activate(job->ctx, act, 0, n, PLX_IN(job->step, 0) + i, active);
        job->ctx->kernels->mul(n, active, 1, PLX_IN(job->step, 1) + i, 1, PLX_OUT(job->step) + i);
    }
}

static plx_status run_gated(plx_ctx *ctx, const plx__step *step) {
    gated_job job = {ctx, step};
    ctx->method = "tiles";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), gated_piece, &job);
    return PLX_OK;
}

bool plx__has_slope(plx_activation activation) {
    return activation == PLX_SILU || activation == PLX_GELU || activation == PLX_GELU_TANH;
}

/* y = activation(x), slope = its derivative at x. */
static void activate(const plx_kernels *k, plx_activation activation, int64_t n, const plx_real *x,
                     plx_real *y, plx_real *slope) {
    if (activation == PLX_SILU)
        k->silu_slope(n, x, y, slope);
    else if (activation == PLX_GELU)
        k->gelu_slope(n, x, y, slope);
    else
        k->gelu_tanh_slope(n, x, y, slope);
}

/* gate: gy up act'(gate); up: gy act(gate). */
static void gated_grad_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const gated_job *job = arg;
    const plx_kernels *k = job->ctx->kernels;
    const plx_activation act = (plx_activation)job->step->attrs.gated.activation;
    const int64_t size = job->step->in[0].size;
    plx_real active[CHUNK], slope[CHUNK];
    for (int64_t i = begin; i < end; i += CHUNK) {
        const int64_t n = end - i < CHUNK ? end - i : CHUNK;
        const plx_real *gy = PLX_IN(job->step, 2) + i;
        plx_real *g_gate = PLX_OUT(job->step) + i, *g_up = g_gate + size;
        activate(k, act, n, PLX_IN(job->step, 0) + i, active, slope);
        k->mul(n, gy, 1, PLX_IN(job->step, 1) + i, 1, g_gate);
        k->mul(n, g_gate, 1, slope, 1, g_gate);
        k->mul(n, gy, 1, active, 1, g_up);
    }
}

static plx_status run_gated_grad(plx_ctx *ctx, const plx__step *step) {
    gated_job job = {ctx, step};
    const int64_t size = step->in[0].size;
    ctx->method = "tiles";
    plx__parallel_for(ctx->pool, step->threads, size, plx__grain(size, 1, step->threads),
                      gated_grad_piece, &job);
    return PLX_OK;
}

static plx_status infer_gated_grad(plx_graph *graph, plx__node *node) {
    PLX_TRY(infer_gated(graph, node));
    node->rank = 1;
    node->dims[0] = 2 * plx__size(plx__input_of(graph, node, 0));
    return PLX_OK;
}

static plx__cost cost_gated(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 2, 4);
}

static const char gated_samples[] =
    "3x5~-4,4 3x5~-4,4 : activation 4; 2x33~-4,4 2x33~-4,4 : activation 5; "
    "0x4~-4,4 0x4~-4,4 : activation 4; 40x130~-4,4 40x130~-4,4 : activation 4";
static const char gated_grad_samples[] =
    "3x5~-4,4 3x5~-4,4 3x5~-4,4 : activation 4; 40x65~-4,4 40x65~-4,4 40x65~-4,4 : activation 5";

const plx_op plx__op_gated = {
    .name = "gated",
    .operands = PLX__OPERANDS({"gate", PLX__REALS, PLX__VALUE}, {"up", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_INPLACE,
    .infer = infer_gated,
    .gradient = gradient_gated,
    .cost = cost_gated,
    .run = run_gated,
    .attrs = plx__gated_fields,
    .samples = gated_samples,
};

const plx_op plx__op_gated_grad = {
    .name = "gated_grad",
    .operands = PLX__OPERANDS({"gate", PLX__REALS, PLX__VALUE}, {"up", PLX__REALS, PLX__VALUE},
                              {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_gated_grad,
    .cost = cost_gated,
    .run = run_gated_grad,
    .attrs = plx__gated_fields,
    .samples = PLX__TESTED(gated_grad_samples),
};

/* ---- with_slope: an activation and its derivative -------------------------------------------- */

static void slope_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const gated_job *job = arg;
    const plx__step *step = job->step;
    activate(job->ctx->kernels, (plx_activation)step->attrs.gated.activation, end - begin,
             PLX_IN(step, 0) + begin, PLX_OUT(step) + begin, (plx_real *)*step->in[1].slot + begin);
}

static plx_status run_with_slope(plx_ctx *ctx, const plx__step *step) {
    gated_job job = {ctx, step};
    ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), slope_piece, &job);
    return PLX_OK;
}

static const char with_slope_samples[] =
    "3x5~-4,4 3x5 : activation 4; 2x33~-4,4 2x33 : activation 5; 0x4 0x4 : activation 6; "
    "40x130~-4,4 40x130 : activation 6";

/* y = activation(x); its derivative at x is written to slope, which is as large as x. Created by
 * the pass keep_slopes. */
const plx_op plx__op_with_slope = {
    .name = "with_slope",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"slope", PLX__REALS, PLX__WRITTEN}),
    .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,
    .infer = plx__infer_same,
    .cost = cost_gated,
    .run = run_with_slope,
    .attrs = plx__gated_fields,
    .samples = PLX__TESTED(with_slope_samples),
};
