/* Convolution of images, its transpose, and the gradient of its weights: the gradients of each are
 * the other two. The fused forms add a bias and an activation. */
#include "ops/op.h"

#include "blocks/conv.h"

/* attrs: i[STRIDE] two, i[PADDING] top, bottom, left, right, i[DILATION] two, i[GROUPS],
 * i[TARGET] two: rows and columns of the transposed convolution's result, or of the weights;
 * i[ACTIVATION] and f[0], its parameter, of the fused forms. */
enum { STRIDE = 0, PADDING = 2, DILATION = 6, GROUPS = 8, ACTIVATION = 9, TARGET = 10 };

static const char *const axis_names[] = {"rows", "columns"};

/* The sizes, with the kind, of a node or a step from the shapes of its inputs and its own. */
static plx__conv_args args_of(plx__conv_kind kind, const plx__attrs *attrs, const int64_t *a,
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
        .stride = {attrs->i[STRIDE], attrs->i[STRIDE + 1]},
        .dilation = {attrs->i[DILATION], attrs->i[DILATION + 1]},
        .groups = attrs->i[GROUPS],
        .before = {attrs->i[PADDING], attrs->i[PADDING + 2]},
        .act = (plx_activation)attrs->i[ACTIVATION],
        .act_param = (plx_real)attrs->f[0],
    };
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* PLX_OK, or a sentence for the first attribute that is out of its range. */
static plx_status check_attrs(plx_graph *graph, const plx__node *node) {
    static const struct {
        const char *name;
        int first, count;
        int64_t least;
    } rules[] = {{"stride", STRIDE, 2, 1},
                 {"padding", PADDING, 4, 0},
                 {"dilation", DILATION, 2, 1},
                 {"groups", GROUPS, 1, 1}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; ++i)
        for (int k = 0; k < rules[i].count; ++k) {
            const int64_t value = node->attrs.i[rules[i].first + k];
            if (value >= rules[i].least && value <= INT32_MAX) continue;
            return plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s %lld is outside %lld to %d",
                                   node->op->name, rules[i].name, (long long)value,
                                   (long long)rules[i].least, INT32_MAX);
        }
    return PLX_OK;
}

static plx_status check_images(plx_graph *graph, const plx__node *node, const char *const *names,
                               int count) {
    for (int k = 0; k < count; ++k) {
        const plx__node *in = plx__input_of(graph, node, k);
        char shape[96];
        if (in->rank == 4) continue;
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s of shape %s has %d dimensions, not 4",
                               node->op->name, names[k],
                               plx__shape_text(in->rank, in->dims, shape, sizeof shape), in->rank);
    }
    return PLX_OK;
}

/* weights [kh, kw, in / groups, out] for an image of `in` channels. */
static plx_status check_channels(plx_graph *graph, const plx__node *node, const char *image,
                                 int64_t in, const int64_t *weights) {
    const int64_t groups = node->attrs.i[GROUPS];
    char shape[96];
    if (in != weights[2] * groups)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: %s has %lld channels, weights %s with %lld group%s take %lld",
                               node->op->name, image, (long long)in,
                               plx__shape_text(4, weights, shape, sizeof shape), (long long)groups,
                               groups == 1 ? "" : "s", (long long)(weights[2] * groups));
    if (weights[3] % groups)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: %lld groups do not divide the %lld channels that weights %s make", node->op->name,
            (long long)groups, (long long)weights[3],
            plx__shape_text(4, weights, shape, sizeof shape));
    return PLX_OK;
}

/* The size of the convolution's result on one axis, or -1 after a failure. */
static int64_t result_size(plx_graph *graph, const plx__node *node, int axis, int64_t image,
                           int64_t kernel) {
    const int64_t *i = node->attrs.i;
    const int64_t padded = image + i[PADDING + 2 * axis] + i[PADDING + 2 * axis + 1];
    const int64_t dilation = i[DILATION + axis];
    const bool fits = kernel >= 1 && padded >= 1 && (padded - 1) / dilation >= kernel - 1;
    if (fits) return (padded - dilation * (kernel - 1) - 1) / i[STRIDE + axis] + 1;
    char dilated[48] = "";
    if (dilation > 1 && kernel >= 1)
        plx__format(dilated, sizeof dilated, " (dilated %.0f)",
                    (double)dilation * (double)(kernel - 1) + 1);
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: kernel %lld %s%s does not fit %lld %s with padding",
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

/* The image of a transposed convolution, or the weights, must be what a convolution makes this
 * result of. */
static plx_status check_result(plx_graph *graph, const plx__node *node, const char *name,
                               const int64_t *result, const int64_t *image, const int64_t *kernel) {
    for (int axis = 0; axis < 2; ++axis) {
        const int64_t size = result_size(graph, node, axis, image[axis], kernel[axis]);
        if (size < 0) return graph->status;
        if (size == result[axis]) continue;
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: %s has %lld %s, and %lld %s of an image give %lld",
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
    const int64_t *target = node->attrs.i + TARGET;
    if (y->dims[3] != w->dims[3]) {
        char shape[96];
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE, "%s: x has %lld channels, weights %s take %lld", node->op->name,
            (long long)y->dims[3], plx__shape_text(4, w->dims, shape, sizeof shape),
            (long long)w->dims[3]);
    }
    const int64_t channels = w->dims[2] * node->attrs.i[GROUPS];
    PLX_TRY(check_channels(graph, node, "the result", channels, w->dims));
    for (int axis = 0; axis < 2; ++axis)
        if (target[axis] < 0)
            return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: the result would have %lld %s",
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
    const int64_t groups = node->attrs.i[GROUPS];
    if (x->dims[0] != y->dims[0])
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: x has %lld images, gy %lld",
                               node->op->name, (long long)x->dims[0], (long long)y->dims[0]);
    node->rank = 4;
    node->dims[0] = node->attrs.i[TARGET];
    node->dims[1] = node->attrs.i[TARGET + 1];
    node->dims[2] = x->dims[3] / groups;
    node->dims[3] = y->dims[3];
    PLX_TRY(check_channels(graph, node, "x", x->dims[3], node->dims));
    return check_result(graph, node, "gy", y->dims + 1, x->dims + 1, node->dims);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

/* The same convolution with another target. */
static plx__attrs retarget(const plx__attrs *attrs, const int64_t *target) {
    plx__attrs other = *attrs;
    other.i[TARGET] = target[0];
    other.i[TARGET + 1] = target[1];
    return other;
}

static void gradient_conv(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = graph->nodes[id];
    const int32_t x = node.inputs[0], w = node.inputs[1];
    const plx__attrs image = retarget(&node.attrs, graph->nodes[x].dims + 1);
    const plx__attrs kernel = retarget(&node.attrs, graph->nodes[w].dims);
    grads[0] = PLX__EMIT2(graph, &plx__op_conv2d_transpose, gy, w, &image);
    grads[1] = PLX__EMIT2(graph, &plx__op_conv2d_weight_grad, x, gy, &kernel);
}

static void gradient_transpose(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = graph->nodes[id];
    const int32_t x = node.inputs[0], w = node.inputs[1];
    const plx__attrs kernel = retarget(&node.attrs, graph->nodes[w].dims);
    grads[0] = PLX__EMIT2(graph, &plx__op_conv2d, gy, w, &node.attrs);
    grads[1] = PLX__EMIT2(graph, &plx__op_conv2d_weight_grad, gy, x, &kernel);
}

static void gradient_weight_grad(plx_graph *graph, int32_t id, int32_t gw, int32_t *grads) {
    const plx__node node = graph->nodes[id];
    const int32_t x = node.inputs[0], gy = node.inputs[1];
    const plx__attrs image = retarget(&node.attrs, graph->nodes[x].dims + 1);
    grads[0] = PLX__EMIT2(graph, &plx__op_conv2d_transpose, gy, gw, &image);
    grads[1] = PLX__EMIT2(graph, &plx__op_conv2d, x, gw, &node.attrs);
}

/* ---- Cost and run ---------------------------------------------------------------------------- */

static plx__conv_kind kind_of(const plx_op *op) {
    if (op == &plx__op_conv2d_weight_grad) return PLX__CONV_WEIGHTS;
    const bool transposed =
        op == &plx__op_conv2d_transpose || op == &plx__op_conv2d_transpose_dense;
    return transposed ? PLX__CONV_TRANSPOSE : PLX__CONV_FORWARD;
}

/* The textbook's count, whatever the method. */
static plx__cost cost_conv(const plx_graph *graph, const plx__node *node) {
    const plx__conv_args args =
        args_of(kind_of(node->op), &node->attrs, plx__input_of(graph, node, 0)->dims,
                plx__input_of(graph, node, 1)->dims, node->dims);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = 2.0 * (double)args.n * (double)args.result[0] * (double)args.result[1] *
                 (double)args.out * (double)args.kernel[0] * (double)args.kernel[1] *
                 (double)(args.in / args.groups);
    return cost;
}

static plx__conv_args step_args(const plx__step *step) {
    return args_of(kind_of(step->op), &step->attrs, step->in[0].dims, step->in[1].dims,
                   step->out.dims);
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

/* Four sizes; stride, padding, dilation and groups. */
#define S(n, h, w, c) {4, {n, h, w, c}, 0, 0}
#define V(n) {1, {n}, 0, 0}
#define OPTIONS(sy, sx, top, bottom, left, right, dy, dx, groups)                                  \
    sy, sx, top, bottom, left, right, dy, dx, groups

/* X(image, kernel, result, options, kernel sizes, image sizes): the same convolutions for all
 * three. 1 x 1; a matrix; 3 x 3 with few channels; stride and padding that is not the same on all
 * sides; dilation; both; groups; depthwise, also strided and dilated; 7 x 7 at stride 2; a stride
 * beyond the kernel; more padding than kernel; nothing; Winograd with whole and with cut tiles, in
 * several blocks; many pixels, whose sums are taken in parts; few channels from many. */
#define FORMS(X)                                                                                   \
    X(S(1, 1, 1, 1), S(1, 1, 1, 1), S(1, 1, 1, 1), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), 1, 1, 1, 1) \
    X(S(2, 3, 5, 4), S(1, 1, 4, 7), S(2, 3, 5, 7), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), 1, 1, 3, 5) \
    X(S(2, 5, 4, 3), S(3, 3, 3, 5), S(2, 5, 4, 5), OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), 3, 3, 5, 4) \
    X(S(1, 7, 6, 2), S(3, 2, 2, 3), S(1, 4, 3, 3), OPTIONS(2, 3, 0, 2, 1, 1, 1, 1, 1), 3, 2, 7, 6) \
    X(S(1, 9, 8, 2), S(3, 3, 2, 3), S(1, 5, 6, 3), OPTIONS(1, 1, 0, 0, 1, 1, 2, 2, 1), 3, 3, 9, 8) \
    X(S(1, 9, 8, 2), S(2, 3, 2, 3), S(1, 4, 3, 3), OPTIONS(2, 2, 1, 0, 1, 1, 3, 2, 1), 2, 3, 9, 8) \
    X(S(2, 5, 5, 6), S(3, 3, 2, 9), S(2, 3, 3, 9), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 3), 3, 3, 5, 5) \
    X(S(1, 6, 7, 4), S(3, 3, 2, 4), S(1, 3, 4, 4), OPTIONS(2, 2, 1, 1, 1, 1, 1, 1, 2), 3, 3, 6, 7) \
    X(S(2, 6, 7, 5), S(3, 3, 1, 5), S(2, 6, 7, 5), OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 5), 3, 3, 6, 7) \
    X(S(1, 8, 9, 21), S(3, 5, 1, 21), S(1, 4, 5, 21), OPTIONS(2, 2, 0, 1, 2, 2, 1, 1, 21), 3, 5,   \
      8, 9)                                                                                        \
    X(S(1, 9, 8, 3), S(3, 3, 1, 3), S(1, 7, 4, 3), OPTIONS(1, 2, 1, 1, 2, 1, 2, 2, 3), 3, 3, 9, 8) \
    X(S(1, 4, 4, 3), S(2, 2, 1, 6), S(1, 3, 3, 6), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 3), 2, 2, 4, 4) \
    X(S(1, 12, 11, 3), S(7, 7, 3, 8), S(1, 6, 6, 8), OPTIONS(2, 2, 3, 3, 3, 3, 1, 1, 1), 7, 7, 12, \
      11)                                                                                          \
    X(S(2, 7, 6, 4), S(1, 1, 4, 5), S(2, 4, 3, 5), OPTIONS(2, 2, 0, 0, 0, 0, 1, 1, 1), 1, 1, 7, 6) \
    X(S(1, 8, 7, 2), S(2, 2, 2, 3), S(1, 3, 2, 3), OPTIONS(3, 4, 0, 0, 0, 0, 1, 1, 1), 2, 2, 8, 7) \
    X(S(1, 2, 3, 2), S(2, 2, 2, 2), S(1, 6, 6, 2), OPTIONS(1, 1, 3, 2, 2, 2, 1, 1, 1), 2, 2, 2, 3) \
    X(S(0, 5, 5, 2), S(3, 3, 2, 3), S(0, 3, 3, 3), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), 3, 3, 5, 5) \
    X(S(1, 5, 5, 0), S(3, 3, 0, 3), S(1, 3, 3, 3), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), 3, 3, 5, 5) \
    X(S(1, 0, 2, 2), S(1, 3, 2, 3), S(1, 2, 2, 3), OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), 1, 3, 0, 2) \
    X(S(1, 8, 8, 16), S(3, 3, 16, 16), S(1, 8, 8, 16), OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), 3, 3,   \
      8, 8)                                                                                        \
    X(S(1, 9, 11, 17), S(3, 3, 17, 27), S(1, 8, 9, 27), OPTIONS(1, 1, 1, 0, 0, 0, 1, 1, 1), 3, 3,  \
      9, 11)                                                                                       \
    X(S(3, 17, 18, 24), S(3, 3, 24, 33), S(3, 19, 17, 33), OPTIONS(1, 1, 2, 2, 0, 1, 1, 1, 1), 3,  \
      3, 17, 18)                                                                                   \
    X(S(2, 33, 31, 5), S(3, 3, 5, 94), S(2, 17, 16, 94), OPTIONS(2, 2, 1, 1, 1, 1, 1, 1, 1), 3, 3, \
      33, 31)                                                                                      \
    X(S(2, 40, 40, 20), S(3, 3, 1, 20), S(2, 40, 40, 20), OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 20), 3,  \
      3, 40, 40)                                                                                   \
    X(S(2, 67, 66, 3), S(3, 3, 3, 5), S(2, 65, 64, 5), OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), 3, 3,   \
      67, 66)                                                                                      \
    X(S(2, 9, 8, 9), S(3, 3, 9, 4), S(2, 7, 8, 4), OPTIONS(1, 1, 0, 2, 1, 1, 2, 1, 1), 3, 3, 9, 8)

// clang-format off
#define ATTRS(...) .i = {__VA_ARGS__}
#define FORWARD_SAMPLE(x, w, y, options, kh, kw, h, ...) {2, {x, w}, {ATTRS(options, PLX_LINEAR)}},
#define TRANSPOSE_SAMPLE(x, w, y, options, kh, kw, h, ...) {2, {y, w}, {ATTRS(options, PLX_LINEAR, h, __VA_ARGS__)}},
#define WEIGHTS_SAMPLE(x, w, y, options, kh, kw, h, ...) {2, {x, y}, {ATTRS(options, PLX_LINEAR, kh, kw)}},
static const plx__sample conv_samples[] = {FORMS(FORWARD_SAMPLE) {0}};
static const plx__sample transpose_samples[] = {FORMS(TRANSPOSE_SAMPLE) {0}};
static const plx__sample weight_grad_samples[] = {FORMS(WEIGHTS_SAMPLE) {0}};

/* Every method with a bias, an activation and both. */
static const plx__sample conv_dense_samples[] = {
    {3, {S(2, 3, 5, 4), S(1, 1, 4, 7), V(7)}, {ATTRS(OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), PLX_RELU)}},
    {3, {S(2, 5, 4, 3), S(3, 3, 3, 5), V(5)}, {ATTRS(OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), PLX_LINEAR)}},
    {2, {S(2, 5, 5, 6), S(3, 3, 2, 9)}, {ATTRS(OPTIONS(2, 2, 0, 0, 0, 0, 1, 1, 3), PLX_TANH)}},
    {3, {S(2, 6, 7, 5), S(3, 3, 1, 5), V(5)}, {ATTRS(OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 5), PLX_SIGMOID)}},
    {3, {S(2, 9, 7, 16), S(3, 3, 16, 21), V(21)}, {ATTRS(OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), PLX_SILU)}},
    {2, {S(2, 9, 7, 16), S(3, 3, 16, 21)}, {ATTRS(OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), PLX_RELU)}},
    {3, {S(1, 5, 5, 0), S(3, 3, 0, 3), V(3)}, {ATTRS(OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), PLX_TANH)}},
    {0},
};
static const plx__sample transpose_dense_samples[] = {
    {3, {S(2, 3, 5, 7), S(1, 1, 4, 7), V(4)}, {ATTRS(OPTIONS(1, 1, 0, 0, 0, 0, 1, 1, 1), PLX_RELU, 3, 5)}},
    {3, {S(1, 4, 3, 3), S(3, 2, 2, 3), V(2)}, {ATTRS(OPTIONS(2, 3, 0, 2, 1, 1, 1, 1, 1), PLX_TANH, 7, 6)}},
    {3, {S(2, 4, 3, 5), S(1, 1, 4, 5), V(4)}, {ATTRS(OPTIONS(2, 2, 0, 0, 0, 0, 1, 1, 1), PLX_LINEAR, 7, 6)}},
    {2, {S(2, 4, 3, 5), S(2, 2, 4, 5)}, {ATTRS(OPTIONS(2, 2, 0, 0, 0, 0, 1, 1, 1), PLX_GELU, 8, 6)}},
    {3, {S(1, 4, 5, 21), S(3, 5, 1, 21), V(21)}, {ATTRS(OPTIONS(2, 2, 0, 1, 2, 2, 1, 1, 21), PLX_SIGMOID, 8, 9)}},
    {3, {S(2, 9, 7, 21), S(3, 3, 16, 21), V(16)}, {ATTRS(OPTIONS(1, 1, 1, 1, 1, 1, 1, 1, 1), PLX_SILU, 9, 7)}},
    {0},
};
// clang-format on

/* ---- Operations ------------------------------------------------------------------------------ */

const plx_op plx__op_conv2d = {
    .name = "conv2d",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer_conv,
    .gradient = gradient_conv,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .samples = conv_samples,
};

const plx_op plx__op_conv2d_transpose = {
    .name = "conv2d_transpose",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer_transpose,
    .gradient = gradient_transpose,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .samples = transpose_samples,
};

const plx_op plx__op_conv2d_weight_grad = {
    .name = "conv2d_weight_grad",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer_weight_grad,
    .gradient = gradient_weight_grad,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .samples = weight_grad_samples,
};

/* Made by the fuse pass, as dense is from matmul. */
const plx_op plx__op_conv2d_dense = {
    .name = "conv2d_dense",
    .min_inputs = 2,
    .max_inputs = 3,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_conv,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .samples = conv_dense_samples,
};

const plx_op plx__op_conv2d_transpose_dense = {
    .name = "conv2d_transpose_dense",
    .min_inputs = 2,
    .max_inputs = 3,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_transpose,
    .cost = cost_conv,
    .workspace = workspace_conv,
    .run = run_conv,
    .samples = transpose_dense_samples,
};
