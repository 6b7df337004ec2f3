/* Convolution of images, its transpose, and the gradient of its weights; the gradients of each are
 * the other two. The fused forms add a bias and an activation. */
#include "ops/op.h"

#include "blocks/conv.h"

#include <string.h>

static const char *const axis_names[] = {"rows", "columns"};

/* The sizes and kind of a node or step, from the shapes of its inputs and its result. */
static plx__conv_args args_of(plx__conv_kind kind, const plx__conv_attrs *attrs, const int64_t *a,
                              const int64_t *b, const int64_t *c) {
    const int64_t *image = kind == PLX__CONV_TRANSPOSE ? c : a;
    const int64_t *weights = kind == PLX__CONV_WEIGHTS ? c : b;
    const int64_t *result = kind == PLX__CONV_FORWARD ? c : kind == PLX__CONV_TRANSPOSE ? a : b;
    return (plx__conv_args){
        .kind = kind,
        .n = image[0],
        .image = {image[1], image[2]},
        .in = image[3],
        .result = {result[1], result[2]},
        .out = result[3],
        .kernel = {weights[0], weights[1]},
        .stride = {attrs->stride[0], attrs->stride[1]},
        .dilation = {attrs->dilation[0], attrs->dilation[1]},
        .groups = attrs->groups,
        .before = {attrs->padding[0], attrs->padding[2]},
        .act = (plx_activation)attrs->activation,
        .act_param = (plx_real)attrs->alpha,
    };
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* PLX_OK, or a failure that names the first attribute out of range. */
static plx_status check_attrs(plx_graph *graph, const plx__node *node) {
    static const struct {
        const char *name;
        int least;
    } rules[] = {{"stride", 1}, {"padding", 0}, {"dilation", 1}, {"groups", 1}};
    plx__attribute a = {.count = 0};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; ++i) {
        plx__attribute_named(node->op->attrs, rules[i].name, strlen(rules[i].name), &a);
        for (int k = 0; k < a.count; ++k) {
            const int64_t value = plx__attribute_whole(&node->attrs, &a, k);
            if (value >= rules[i].least && value <= INT32_MAX) continue;
            return plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s %lld is outside %d to %d",
                                   node->op->name, a.name, (long long)value, rules[i].least,
                                   INT32_MAX);
        }
    }
    return PLX_OK;
}

static plx_status check_images(plx_graph *graph, const plx__node *node, const char *const *names,
                               int count) {
    for (int k = 0; k < count; ++k) {
        const plx__node *in = plx__input_of(graph, node, k);
        char shape[96];
        if (in->rank == 4) continue;
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s of shape %s has rank %d; it must be 4",
                               node->op->name, names[k],
                               plx__shape_text(in->rank, in->dims, shape, sizeof shape), in->rank);
    }
    return PLX_OK;
}

/* Checks weights [kh, kw, in / groups, out] against an image of `in` channels. */
static plx_status check_channels(plx_graph *graph, const plx__node *node, const char *image,
                                 int64_t in, const int64_t *weights) {
    const int64_t groups = node->attrs.conv.groups;
    char shape[96];
    if (in != weights[2] * groups)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: %s has %lld channels, but weights %s with %lld group%s take %lld", node->op->name,
            image, (long long)in, plx__shape_text(4, weights, shape, sizeof shape),
            (long long)groups, groups == 1 ? "" : "s", (long long)weights[2] * (long long)groups);
    if (weights[3] % groups)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: %lld groups do not divide the %lld output channels of weights %s", node->op->name,
            (long long)groups, (long long)weights[3],
            plx__shape_text(4, weights, shape, sizeof shape));
    return PLX_OK;
}

/* The size of the convolution's result on one axis, or -1 after a failure. */
static int64_t result_size(plx_graph *graph, const plx__node *node, int axis, int64_t image,
                           int64_t kernel) {
    const plx__conv_attrs *a = &node->attrs.conv;
    const int64_t padded = image + a->padding[2 * axis] + a->padding[2 * axis + 1];
    const int64_t dilation = a->dilation[axis];
    const bool fits = kernel >= 1 && padded >= 1 && (padded - 1) / dilation >= kernel - 1;
    if (fits) return (padded - dilation * (kernel - 1) - 1) / a->stride[axis] + 1;
    char dilated[48] = "";
    if (dilation > 1 && kernel >= 1)
        plx__format(dilated, sizeof dilated, " (dilated %.15g)",
                    (double)dilation * (double)(kernel - 1) + 1);
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "%s: a kernel of %lld %s%s does not fit into %lld %s, padding included",
                    node->op->name, (long long)kernel, axis_names[axis], dilated, (long long)padded,
                    axis_names[axis]);
    return -1;
}

static plx_status check_bias(plx_graph *graph, const plx__node *node) {
    if (node->inputs_count < 3) return PLX_OK;
    const plx__node *bias = plx__input_of(graph, node, 2);
    if (bias->rank == 1 && bias->dims[0] == node->dims[3]) return PLX_OK;
    return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: bias has %lld values for %lld channels",
                           node->op->name, (long long)plx__size(bias), (long long)node->dims[3]);
}

static plx_status infer_conv(plx_graph *graph, plx__node *node) {
    static const char *const names[] = {"x", "weights"};
    const plx__node *x = plx__input_of(graph, node, 0), *w = plx__input_of(graph, node, 1);
    PLX_TRY(check_images(graph, node, names, 2));
    PLX_TRY(check_attrs(graph, node));
    PLX_TRY(check_channels(graph, node, "x", x->dims[3], w->dims));
    node->rank = 4;
    node->dims[0] = x->dims[0];
    node->dims[3] = w->dims[3];
    for (int axis = 0; axis < 2; ++axis) {
        node->dims[1 + axis] = result_size(graph, node, axis, x->dims[1 + axis], w->dims[axis]);
        if (node->dims[1 + axis] < 0) return graph->status;
    }
    return check_bias(graph, node);
}

/* Checks that a convolution of this image with these weights gives a result of this size. */
static plx_status check_result(plx_graph *graph, const plx__node *node, const char *name,
                               const int64_t *result, const int64_t *image, const int64_t *kernel) {
    for (int axis = 0; axis < 2; ++axis) {
        const int64_t size = result_size(graph, node, axis, image[axis], kernel[axis]);
        if (size < 0) return graph->status;
        if (size == result[axis]) continue;
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: %s has %lld %s, but an image of %lld %s gives %lld",
                               node->op->name, name, (long long)result[axis], axis_names[axis],
                               (long long)image[axis], axis_names[axis], (long long)size);
    }
    return PLX_OK;
}

static plx_status infer_transpose(plx_graph *graph, plx__node *node) {
    static const char *const names[] = {"x", "weights"};
    const plx__node *y = plx__input_of(graph, node, 0), *w = plx__input_of(graph, node, 1);
    PLX_TRY(check_images(graph, node, names, 2));
    PLX_TRY(check_attrs(graph, node));
    const int64_t *target = node->attrs.conv.target;
    if (y->dims[3] != w->dims[3]) {
        char shape[96];
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE, "%s: x has %lld channels, but weights %s take %lld",
            node->op->name, (long long)y->dims[3], plx__shape_text(4, w->dims, shape, sizeof shape),
            (long long)w->dims[3]);
    }
    const int64_t channels = w->dims[2] * node->attrs.conv.groups;
    PLX_TRY(check_channels(graph, node, "the result", channels, w->dims));
    for (int axis = 0; axis < 2; ++axis)
        if (target[axis] < 0)
            return plx__graph_fail(graph, PLX_ERR_SHAPE,
                                   "%s: the result would have %lld %s; at least 0 are needed",
                                   node->op->name, (long long)target[axis], axis_names[axis]);
    PLX_TRY(check_result(graph, node, "x", y->dims + 1, target, w->dims));
    node->rank = 4;
    node->dims[0] = y->dims[0];
    node->dims[1] = target[0];
    node->dims[2] = target[1];
    node->dims[3] = channels;
    return check_bias(graph, node);
}

static plx_status infer_weight_grad(plx_graph *graph, plx__node *node) {
    static const char *const names[] = {"x", "gy"};
    const plx__node *x = plx__input_of(graph, node, 0), *y = plx__input_of(graph, node, 1);
    PLX_TRY(check_images(graph, node, names, 2));
    PLX_TRY(check_attrs(graph, node));
    const int64_t groups = node->attrs.conv.groups;
    if (x->dims[0] != y->dims[0])
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: x has %lld images, but gy has %lld",
                               node->op->name, (long long)x->dims[0], (long long)y->dims[0]);
    node->rank = 4;
    node->dims[0] = node->attrs.conv.target[0];
    node->dims[1] = node->attrs.conv.target[1];
    node->dims[2] = x->dims[3] / groups;
    node->dims[3] = y->dims[3];
    PLX_TRY(check_channels(graph, node, "x", x->dims[3], node->dims));
    return check_result(graph, node, "gy", y->dims + 1, x->dims + 1, node->dims);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

/* The same convolution with another target. */
static plx__attrs retarget(const plx__attrs *attrs, const int64_t *target) {
    plx__attrs other = *attrs;
    other.conv.target[0] = target[0];
    other.conv.target[1] = target[1];
    return other;
}

static void gradient_conv(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t x = node.inputs[0], w = node.inputs[1];
    const plx__attrs image = retarget(&node.attrs, graph->nodes[x]->dims + 1);
    const plx__attrs kernel = retarget(&node.attrs, graph->nodes[w]->dims);
    grads[0] = PLX__EMIT2(graph, &plx__op_conv2d_transpose, gy, w, &image);
    grads[1] = PLX__EMIT2(graph, &plx__op_conv2d_weight_grad, x, gy, &kernel);
}

static void gradient_transpose(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t x = node.inputs[0], w = node.inputs[1];
    const plx__attrs kernel = retarget(&node.attrs, graph->nodes[w]->dims);
    grads[0] = PLX__EMIT2(graph, &plx__op_conv2d, gy, w, &node.attrs);
    grads[1] = PLX__EMIT2(graph, &plx__op_conv2d_weight_grad, gy, x, &kernel);
}

static void gradient_weight_grad(plx_graph *graph, int32_t id, int32_t gw, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t x = node.inputs[0], gy = node.inputs[1];
    const plx__attrs image = retarget(&node.attrs, graph->nodes[x]->dims + 1);
    grads[0] = PLX__EMIT2(graph, &plx__op_conv2d_transpose, gy, gw, &image);
    grads[1] = PLX__EMIT2(graph, &plx__op_conv2d, x, gw, &node.attrs);
}

/* ---- Cost and run ---------------------------------------------------------------------------- */

static plx__conv_kind kind_of(const plx_op *op) {
    if (PLX__IS_GRADIENT(op, conv2d_weight)) return PLX__CONV_WEIGHTS;
    const bool transposed =
        op == &plx__op_conv2d_transpose || op == &plx__op_conv2d_transpose_dense;
    return transposed ? PLX__CONV_TRANSPOSE : PLX__CONV_FORWARD;
}

/* The textbook operation count, whatever the method. */
static plx__cost cost_conv(const plx_graph *graph, const plx__node *node) {
    const plx__conv_args args =
        args_of(kind_of(node->op), &node->attrs.conv, plx__input_of(graph, node, 0)->dims,
                plx__input_of(graph, node, 1)->dims, node->dims);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = plx__conv_flops(&args);
    cost.direct = plx__conv_direct_flops(&args);
    return cost;
}

static plx__conv_args step_args(const plx__step *step) {
    plx__conv_args args = args_of(kind_of(step->op), &step->attrs.conv, step->in[0].dims,
                                  step->in[1].dims, step->out.dims);
    args.packed_b = step->packed;
    return args;
}

static int64_t packed_conv(const plx_ctx *ctx, const plx__step *step, plx__layout *layout) {
    const plx__conv_args args = step_args(step);
    return plx__conv_packed_values(ctx, &args, layout);
}

static void pack_conv(plx_ctx *ctx, const plx__step *step, plx_real *to) {
    plx__conv_args args = step_args(step);
    args.b = PLX_IN(step, 1);
    plx__conv_pack(ctx, &args, ctx->threads, to);
}

static size_t workspace_conv(const plx_ctx *ctx, const plx__step *step) {
    const plx__conv_args args = step_args(step);
    return plx__conv_workspace(ctx, &args, step->threads);
}

static plx_status run_conv(plx_ctx *ctx, const plx__step *step) {
    plx__conv_args args = step_args(step);
    args.a = PLX_IN(step, 0);
    args.b = PLX_IN(step, 1);
    args.bias = step->in_count == 3 ? PLX_IN(step, 2) : NULL;
    args.c = PLX_OUT(step);
    plx__conv_run(ctx, &args, step->threads, step->workspace);
    return PLX_OK;
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* The same convolutions for all three ops: 1 x 1; a matrix; 3 x 3 with few channels; stride and
 * asymmetric padding; dilation; both; groups; depthwise, also strided and dilated; 7 x 7 with
 * stride 2; a stride larger than the kernel; more padding than kernel; an empty one; Winograd with
 * whole and partial tiles, in several blocks; many pixels, whose sums are taken in parts; few
 * channels from many. */

static const char conv_samples[] =
    "1x1x1x1 1x1x1x1 : stride 1 dilation 1 groups 1; "
    "2x3x5x4 1x1x4x7 : stride 1 dilation 1 groups 1; "
    "2x5x4x3 3x3x3x5 : stride 1 padding 1 dilation 1 groups 1; "
    "1x7x6x2 3x2x2x3 : stride 2 3 padding 0 2 1 1 dilation 1 groups 1; "
    "1x9x8x2 3x3x2x3 : stride 1 padding 0 0 1 1 dilation 2 groups 1; "
    "1x9x8x2 2x3x2x3 : stride 2 padding 1 0 1 1 dilation 3 2 groups 1; "
    "2x5x5x6 3x3x2x9 : stride 1 dilation 1 groups 3; "
    "1x6x7x4 3x3x2x4 : stride 2 padding 1 dilation 1 groups 2; "
    "2x6x7x5 3x3x1x5 : stride 1 padding 1 dilation 1 groups 5; "
    "1x8x9x21 3x5x1x21 : stride 2 padding 0 1 2 2 dilation 1 groups 21; "
    "1x9x8x3 3x3x1x3 : stride 1 2 padding 1 1 2 1 dilation 2 groups 3; "
    "1x4x4x3 2x2x1x6 : stride 1 dilation 1 groups 3; "
    "1x12x11x3 7x7x3x8 : stride 2 padding 3 dilation 1 groups 1; "
    "2x7x6x4 1x1x4x5 : stride 2 dilation 1 groups 1; "
    "1x8x7x2 2x2x2x3 : stride 3 4 dilation 1 groups 1; "
    "1x2x3x2 2x2x2x2 : stride 1 padding 3 2 2 2 dilation 1 groups 1; "
    "0x5x5x2 3x3x2x3 : stride 1 dilation 1 groups 1; "
    "1x5x5x0 3x3x0x3 : stride 1 dilation 1 groups 1; "
    "1x0x2x2 1x3x2x3 : stride 1 padding 1 dilation 1 groups 1; "
    "1x8x8x16 3x3x16x16 : stride 1 padding 1 dilation 1 groups 1; "
    "1x9x11x17 3x3x17x27 : stride 1 padding 1 0 0 0 dilation 1 groups 1; "
    "3x17x18x24 3x3x24x33 : stride 1 padding 2 2 0 1 dilation 1 groups 1; "
    "2x33x31x5 3x3x5x94 : stride 2 padding 1 dilation 1 groups 1; "
    "2x40x40x20 3x3x1x20 : stride 1 padding 1 dilation 1 groups 20; "
    "2x67x66x3 3x3x3x5 : stride 1 dilation 1 groups 1; "
    "2x9x8x9 3x3x9x4 : stride 1 padding 0 2 1 1 dilation 2 1 groups 1";
static const char transpose_samples[] =
    "1x1x1x1 1x1x1x1 : stride 1 dilation 1 groups 1 target 1; "
    "2x3x5x7 1x1x4x7 : stride 1 dilation 1 groups 1 target 3 5; "
    "2x5x4x5 3x3x3x5 : stride 1 padding 1 dilation 1 groups 1 target 5 4; "
    "1x4x3x3 3x2x2x3 : stride 2 3 padding 0 2 1 1 dilation 1 groups 1 target 7 6; "
    "1x5x6x3 3x3x2x3 : stride 1 padding 0 0 1 1 dilation 2 groups 1 target 9 8; "
    "1x4x3x3 2x3x2x3 : stride 2 padding 1 0 1 1 dilation 3 2 groups 1 target 9 8; "
    "2x3x3x9 3x3x2x9 : stride 1 dilation 1 groups 3 target 5; "
    "1x3x4x4 3x3x2x4 : stride 2 padding 1 dilation 1 groups 2 target 6 7; "
    "2x6x7x5 3x3x1x5 : stride 1 padding 1 dilation 1 groups 5 target 6 7; "
    "1x4x5x21 3x5x1x21 : stride 2 padding 0 1 2 2 dilation 1 groups 21 target 8 9; "
    "1x7x4x3 3x3x1x3 : stride 1 2 padding 1 1 2 1 dilation 2 groups 3 target 9 8; "
    "1x3x3x6 2x2x1x6 : stride 1 dilation 1 groups 3 target 4; "
    "1x6x6x8 7x7x3x8 : stride 2 padding 3 dilation 1 groups 1 target 12 11; "
    "2x4x3x5 1x1x4x5 : stride 2 dilation 1 groups 1 target 7 6; "
    "1x3x2x3 2x2x2x3 : stride 3 4 dilation 1 groups 1 target 8 7; "
    "1x6x6x2 2x2x2x2 : stride 1 padding 3 2 2 2 dilation 1 groups 1 target 2 3; "
    "0x3x3x3 3x3x2x3 : stride 1 dilation 1 groups 1 target 5; "
    "1x3x3x3 3x3x0x3 : stride 1 dilation 1 groups 1 target 5; "
    "1x2x2x3 1x3x2x3 : stride 1 padding 1 dilation 1 groups 1 target 0 2; "
    "1x8x8x16 3x3x16x16 : stride 1 padding 1 dilation 1 groups 1 target 8; "
    "1x8x9x27 3x3x17x27 : stride 1 padding 1 0 0 0 dilation 1 groups 1 target 9 11; "
    "3x19x17x33 3x3x24x33 : stride 1 padding 2 2 0 1 dilation 1 groups 1 target 17 18; "
    "2x17x16x94 3x3x5x94 : stride 2 padding 1 dilation 1 groups 1 target 33 31; "
    "2x40x40x20 3x3x1x20 : stride 1 padding 1 dilation 1 groups 20 target 40; "
    "2x65x64x5 3x3x3x5 : stride 1 dilation 1 groups 1 target 67 66; "
    "2x7x8x4 3x3x9x4 : stride 1 padding 0 2 1 1 dilation 2 1 groups 1 target 9 8";
static const char weight_grad_samples[] =
    "1x1x1x1 1x1x1x1 : stride 1 dilation 1 groups 1 target 1; "
    "2x3x5x4 2x3x5x7 : stride 1 dilation 1 groups 1 target 1; "
    "2x5x4x3 2x5x4x5 : stride 1 padding 1 dilation 1 groups 1 target 3; "
    "1x7x6x2 1x4x3x3 : stride 2 3 padding 0 2 1 1 dilation 1 groups 1 target 3 2; "
    "1x9x8x2 1x5x6x3 : stride 1 padding 0 0 1 1 dilation 2 groups 1 target 3; "
    "1x9x8x2 1x4x3x3 : stride 2 padding 1 0 1 1 dilation 3 2 groups 1 target 2 3; "
    "2x5x5x6 2x3x3x9 : stride 1 dilation 1 groups 3 target 3; "
    "1x6x7x4 1x3x4x4 : stride 2 padding 1 dilation 1 groups 2 target 3; "
    "2x6x7x5 2x6x7x5 : stride 1 padding 1 dilation 1 groups 5 target 3; "
    "1x8x9x21 1x4x5x21 : stride 2 padding 0 1 2 2 dilation 1 groups 21 target 3 5; "
    "1x9x8x3 1x7x4x3 : stride 1 2 padding 1 1 2 1 dilation 2 groups 3 target 3; "
    "1x4x4x3 1x3x3x6 : stride 1 dilation 1 groups 3 target 2; "
    "1x12x11x3 1x6x6x8 : stride 2 padding 3 dilation 1 groups 1 target 7; "
    "2x7x6x4 2x4x3x5 : stride 2 dilation 1 groups 1 target 1; "
    "1x8x7x2 1x3x2x3 : stride 3 4 dilation 1 groups 1 target 2; "
    "1x2x3x2 1x6x6x2 : stride 1 padding 3 2 2 2 dilation 1 groups 1 target 2; "
    "0x5x5x2 0x3x3x3 : stride 1 dilation 1 groups 1 target 3; "
    "1x5x5x0 1x3x3x3 : stride 1 dilation 1 groups 1 target 3; "
    "1x0x2x2 1x2x2x3 : stride 1 padding 1 dilation 1 groups 1 target 1 3; "
    "1x8x8x16 1x8x8x16 : stride 1 padding 1 dilation 1 groups 1 target 3; "
    "1x9x11x17 1x8x9x27 : stride 1 padding 1 0 0 0 dilation 1 groups 1 target 3; "
    "3x17x18x24 3x19x17x33 : stride 1 padding 2 2 0 1 dilation 1 groups 1 target 3; "
    "2x33x31x5 2x17x16x94 : stride 2 padding 1 dilation 1 groups 1 target 3; "
    "2x40x40x20 2x40x40x20 : stride 1 padding 1 dilation 1 groups 20 target 3; "
    "2x67x66x3 2x65x64x5 : stride 1 dilation 1 groups 1 target 3; "
    "2x9x8x9 2x7x8x4 : stride 1 padding 0 2 1 1 dilation 2 1 groups 1 target 3";

/* Every method with a bias, an activation and both. */
static const char conv_dense_samples[] =
    "2x3x5x4 1x1x4x7 7 : stride 1 dilation 1 groups 1 activation 1; "
    "2x5x4x3 3x3x3x5 5 : stride 1 padding 1 dilation 1 groups 1; "
    "2x5x5x6 3x3x2x9 : stride 2 dilation 1 groups 3 activation 8; "
    "2x6x7x5 3x3x1x5 5 : stride 1 padding 1 dilation 1 groups 5 activation 7; "
    "2x9x7x16 3x3x16x21 21 : stride 1 padding 1 dilation 1 groups 1 activation 4; "
    "2x9x7x16 3x3x16x21 : stride 1 padding 1 dilation 1 groups 1 activation 1; "
    "2x5x4x9 3x3x9x3 3 : stride 1 padding 1 dilation 1 groups 1 activation 8; "
    "1x5x5x0 3x3x0x3 3 : stride 1 dilation 1 groups 1 activation 8";
static const char transpose_dense_samples[] =
    "2x3x5x7 1x1x4x7 4 : stride 1 dilation 1 groups 1 activation 1 target 3 5; "
    "1x4x3x3 3x2x2x3 2 : stride 2 3 padding 0 2 1 1 dilation 1 groups 1 activation 8 target 7 6; "
    "2x4x3x5 1x1x4x5 4 : stride 2 dilation 1 groups 1 target 7 6; "
    "1x4x3x10 4x3x2x10 2 : stride 2 1 dilation 1 groups 1 activation 8 target 10 5; "
    "2x4x3x5 2x2x4x5 : stride 2 dilation 1 groups 1 activation 5 target 8 6; "
    "1x4x5x21 3x5x1x21 21 : stride 2 padding 0 1 2 2 dilation 1 groups 21 activation 7 target 8 9; "
    "2x9x7x21 3x3x16x21 16 : stride 1 padding 1 dilation 1 groups 1 activation 4 target 9 7";

/* ---- Operations ------------------------------------------------------------------------------ */

static const plx__operand_row fused_takes[] = {{"x", PLX__REALS, PLX__VALUE},
                                               {"weights", PLX__REALS, PLX__VALUE},
                                               {"bias", PLX__REALS, PLX__OPTIONAL},
                                               {NULL, 0, 0}};
static const plx__operand_row conv_takes[] = {
    {"x", PLX__REALS, PLX__VALUE}, {"weights", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};
const plx_op plx__op_conv2d = {
    .name = "conv2d",
    .operands = conv_takes,
    .infer = infer_conv,
    .gradient = gradient_conv,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .packed = packed_conv,
    .pack = pack_conv,
    .attrs = plx__conv_fields,
    .samples = conv_samples,
};

const plx_op plx__op_conv2d_transpose = {
    .name = "conv2d_transpose",
    .operands = conv_takes,
    .infer = infer_transpose,
    .gradient = gradient_transpose,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .packed = packed_conv,
    .pack = pack_conv,
    .attrs = plx__conv_fields,
    .samples = transpose_samples,
};

const plx_op plx__op_conv2d_weight_grad = {
    .name = "conv2d_weight_grad",
    .operands = plx__takes_x_gy,
    .infer = infer_weight_grad,
    .gradient = gradient_weight_grad,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .attrs = plx__conv_fields,
    .samples = weight_grad_samples,
};

/* Created by the fuse pass, as dense is from matmul. */
const plx_op plx__op_conv2d_dense = {
    .name = "conv2d_dense",
    .operands = fused_takes,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_conv,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .packed = packed_conv,
    .pack = pack_conv,
    .attrs = plx__conv_fields,
    .samples = PLX__TESTED(conv_dense_samples),
};

const plx_op plx__op_conv2d_transpose_dense = {
    .name = "conv2d_transpose_dense",
    .operands = fused_takes,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_transpose,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .packed = packed_conv,
    .pack = pack_conv,
    .attrs = plx__conv_fields,
    .samples = PLX__TESTED(transpose_dense_samples),
};
