/* Views and buffers. A view is a part of its input in another shape and costs nothing; a buffer is
 * a second output of a step, for later steps. The target of attrs is the shape. */
#include "ops/op.h"

#include <string.h>

static plx_status run_nothing(plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    (void)step;
    return PLX_OK;
}

static plx_status infer_view(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    plx__infer_target(graph, node);
    const int64_t from = node->attrs.view.first, size = plx__size(node);
    if (from < 0 || size > plx__size(x) - from)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE, "view: elements %lld to %lld are outside the %lld of x",
            (long long)from, (long long)from + (long long)size, (long long)plx__size(x));
    return PLX_OK;
}

static void gradient_view(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const plx__node *x = plx__input_of(graph, &node, 0);
    const bool all = plx__size(x) == plx__size(&node);
    plx__attrs attrs = {.view = {.first = node.attrs.view.first}};
    plx__set_shape(&attrs, x);
    grads[0] = PLX__EMIT1(graph, all ? &plx__op_view : &plx__op_view_grad, gy, &attrs);
}

static const char view_samples[] =
    "3x4x5 : >12x5; 3x4x5 : first 20 >4x5; 3x4x5 : first 7 >11; 3x0x5 : >0";

const plx_op plx__op_view = {
    .name = "view",
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}),
    .result = PLX__AS(0),
    .flags = PLX__OP_VIEW,
    .infer = infer_view,
    .gradient = gradient_view,
    .cost = plx__cost_nothing,
    .run = run_nothing,
    .attrs = plx__view_fields,
    .samples = view_samples,
};

/* ---- view_grad: zeros, with the gradient of a view in its place ------------------------------ */

static plx_status run_view_grad(plx_ctx *ctx, const plx__step *step) {
    ctx->method = "rows";
    const int64_t from = step->attrs.view.first, size = step->in[0].size;
    plx_real *gx = PLX_OUT(step);
    memset(gx, 0, (size_t)from * sizeof *gx);
    memcpy(gx + from, PLX_IN(step, 0), (size_t)size * sizeof *gx);
    memset(gx + from + size, 0, (size_t)(step->out.size - from - size) * sizeof *gx);
    return PLX_OK;
}

static void gradient_view_grad(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = {.view = {.first = node.attrs.view.first}};
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT1(graph, &plx__op_view, gy, &attrs);
}

static plx__cost cost_view_grad(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 0, 1);
}

static const char view_grad_samples[] = "4x5 : first 20 >3x4x5; 11 : first 7 >3x4x5";

const plx_op plx__op_view_grad = {
    .name = "view_grad",
    .operands = plx__takes_gy,
    .infer = plx__infer_target,
    .gradient = gradient_view_grad,
    .cost = cost_view_grad,
    .run = run_view_grad,
    .attrs = plx__view_fields,
    .samples = view_grad_samples,
};

/* ---- buffer ---------------------------------------------------------------------------------- */

static const char no_samples[] = "";

const plx_op plx__op_buffer = {
    .name = "buffer",
    .flags = PLX__OP_BUFFER | PLX__OP_NO_GRADIENT,
    .infer = plx__infer_target,
    .cost = plx__cost_nothing,
    .run = run_nothing,
    .samples = PLX__TESTED(no_samples),
};
