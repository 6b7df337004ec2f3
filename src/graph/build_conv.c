/* The public builders of convolutions. */
#include "graph/graph.h"

#include <string.h>

plx_conv2d_options plx_conv2d_default(void) {
    return (plx_conv2d_options){.stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
}

void plx_conv2d_same(plx_conv2d_options *options, int64_t height, int64_t width,
                     int64_t kernel_height, int64_t kernel_width) {
    const int64_t size[] = {height, width}, kernel[] = {kernel_height, kernel_width};
    for (int axis = 0; axis < 2; ++axis) {
        const int64_t stride = options->stride[axis] > 0 ? options->stride[axis] : 1;
        /* The builder rejects what is outside these limits; nothing may overflow before. */
        if (size[axis] < 0 || size[axis] > INT32_MAX || kernel[axis] < 1 ||
            kernel[axis] > INT32_MAX || stride > INT32_MAX || options->dilation[axis] < 1 ||
            options->dilation[axis] > INT32_MAX)
            continue;
        const int64_t results = (size[axis] + stride - 1) / stride;
        const int64_t needed =
            (results - 1) * stride + options->dilation[axis] * (kernel[axis] - 1) + 1;
        const int64_t padding = needed > size[axis] ? needed - size[axis] : 0;
        options->padding[2 * axis] = padding / 2;
        options->padding[2 * axis + 1] = padding - padding / 2;
    }
}

static plx__attrs attrs_of(const plx_conv2d_options *options) {
    const plx_conv2d_options o = options ? *options : plx_conv2d_default();
    plx__conv_attrs attrs = {.groups = o.groups};
    memcpy(attrs.stride, o.stride, sizeof attrs.stride);
    memcpy(attrs.padding, o.padding, sizeof attrs.padding);
    memcpy(attrs.dilation, o.dilation, sizeof attrs.dilation);
    return (plx__attrs){.conv = attrs};
}

static plx_node with_bias(plx_graph *graph, const char *op, plx_node product, plx_node bias) {
    if (bias.id < 0 || !plx__bias_given(graph, op, bias)) return product;
    return plx_bias(graph, product, bias);
}

plx_node plx_conv2d(plx_graph *graph, plx_node x, plx_node weights, plx_node bias,
                    const plx_conv2d_options *options) {
    const plx__attrs attrs = attrs_of(options);
    const plx_node product = plx__build2(graph, &plx__op_conv2d, x, weights, &attrs);
    return with_bias(graph, "conv2d", product, bias);
}

plx_node plx_conv2d_transpose(plx_graph *graph, plx_node x, plx_node weights, plx_node bias,
                              const plx_conv2d_options *options, const int64_t *extra) {
    enum { LARGEST = INT32_MAX };
    plx__attrs attrs = attrs_of(options);
    const int64_t *from = NULL, *kernel = NULL;
    const bool images =
        plx_node_shape(graph, x, &from) == 4 && plx_node_shape(graph, weights, &kernel) == 4;
    for (int axis = 0; images && axis < 2; ++axis) {
        const int64_t stride = attrs.conv.stride[axis], more = extra ? extra[axis] : 0;
        const int64_t dilation = attrs.conv.dilation[axis];
        const int64_t *padding = attrs.conv.padding + 2 * axis;
        if (more < 0 || more >= (stride > 1 ? stride : 1)) {
            plx__graph_fail(
                graph, PLX_ERR_ARGUMENT,
                "conv2d_transpose: extra is %lld; it must be 0 to %lld, below the stride of %lld",
                (long long)more, (long long)stride - 1, (long long)stride);
            return plx_none();
        }
        /* The shape rule rejects what is outside these limits; nothing may overflow before. */
        if (stride > LARGEST || dilation > LARGEST || padding[0] > LARGEST ||
            padding[1] > LARGEST || kernel[axis] > LARGEST || from[1 + axis] > LARGEST)
            continue;
        attrs.conv.target[axis] = (from[1 + axis] - 1) * stride - padding[0] - padding[1] +
                                  dilation * (kernel[axis] - 1) + 1 + more;
    }
    const plx_node product = plx__build2(graph, &plx__op_conv2d_transpose, x, weights, &attrs);
    return with_bias(graph, "conv2d_transpose", product, bias);
}
