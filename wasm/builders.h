/* From flat numbers to what builders take, for the lines of builders.def. */
#ifndef PLX_WASM_BUILDERS_H
#define PLX_WASM_BUILDERS_H

#include "parallax_nn.h"

#include <math.h>

/* p NaN: the activation's default. */
static inline plx_node plx__js_activate(plx_graph *g, plx_node x, plx_activation activation,
                                        double p) {
    return plx_activate(g, x, activation,
                        isnan(p) ? plx_activation_default(activation) : (plx_real)p);
}

/* As many axes as x has. */
static inline plx_node plx__js_transpose(plx_graph *g, plx_node x, int rank, const int64_t *i) {
    int axes[PLX_MAX_RANK] = {0};
    for (int d = 0; d < rank; d++) axes[d] = (int)i[d];
    return plx_transpose(g, x, axes);
}

/* The numbers of a convolution: stride (rows, columns), padding (top, bottom, left, right),
 * dilation (rows, columns), groups, and 1 if the padding is to be such that the larger image has
 * scale times the size of the smaller. rows and columns: of the larger image. */
static inline plx_conv2d_options plx__js_conv2d_options(const plx_graph *g, plx_node weights,
                                                        const int64_t *i, int64_t rows,
                                                        int64_t columns) {
    plx_conv2d_options o = {.stride = {i[0], i[1]},
                            .padding = {i[2], i[3], i[4], i[5]},
                            .dilation = {i[6], i[7]},
                            .groups = i[8]};
    const int64_t *kernel = NULL;
    const int kernel_rank = plx_node_shape(g, weights, &kernel);
    const bool sensible = o.stride[0] > 0 && o.stride[1] > 0 && kernel_rank == 4 && rows > 0;
    if (i[9] && sensible) plx_conv2d_same(&o, rows, columns, kernel[0], kernel[1]);
    return o;
}

/* Rows and columns of an image; 0 for what is none, which the builder refuses. */
static inline void plx__js_image_size(const plx_graph *g, plx_node x, int64_t size[2]) {
    const int64_t *dims = NULL;
    const bool image = plx_node_shape(g, x, &dims) == 4;
    for (int d = 0; d < 2; d++) size[d] = image ? dims[1 + d] : 0;
}

/* x: image, weights, bias. */
static inline plx_node plx__js_conv2d(plx_graph *g, const plx_node *x, const int64_t *i) {
    int64_t size[2];
    plx__js_image_size(g, x[0], size);
    const plx_conv2d_options o = plx__js_conv2d_options(g, x[1], i, size[0], size[1]);
    return plx_conv2d(g, x[0], x[1], x[2], &o);
}

/* Two numbers more: the extra rows and columns. */
static inline plx_node plx__js_conv2d_transpose(plx_graph *g, const plx_node *x, const int64_t *i) {
    int64_t size[2];
    plx__js_image_size(g, x[0], size);
    const plx_conv2d_options o = plx__js_conv2d_options(g, x[1], i, size[0] * i[0], size[1] * i[1]);
    return plx_conv2d_transpose(g, x[0], x[1], x[2], &o, i + 10);
}

/* y: state, future, spread. */
static inline plx_status plx__js_hypercausal(plx_graph *g, const plx_node *x, const double *n,
                                             const int64_t *i, plx_node *y) {
    const plx_hypercausal_options o = {
        .depth = i[0], .futures = i[1], .span = n[2], .policy = (plx_future_policy)i[3]};
    plx_hypercausal node = {{-1}, {-1}, {-1}};
    const plx_status status = plx_hypercausal_emit(g, x[0], x[1], x[2], &o, &node);
    y[0] = node.state;
    y[1] = node.future;
    y[2] = node.spread;
    return status;
}

/* y: total, task, consistency, coherence. More nodes than there is room for are refused. */
static inline plx_status plx__js_hypercausal_loss(plx_graph *g, int count, const plx_node *x,
                                                  plx_node *y) {
    enum { BEFORE = 3, ROOM = 64 };
    plx_hypercausal nodes[ROOM] = {0};
    plx_hypercausal_parts parts = {{-1}, {-1}, {-1}, {-1}};
    const int own = count - BEFORE;
    for (int k = 0; k < own && k < ROOM; k++)
        nodes[k] = (plx_hypercausal){x[0], x[1], x[BEFORE + k]};
    const plx_node target = count > BEFORE - 1 ? x[BEFORE - 1] : plx_none();
    const plx_status status =
        plx_hypercausal_loss(g, own < 0 ? 0 : own, nodes, target, NULL, &parts);
    y[0] = parts.total;
    y[1] = parts.task;
    y[2] = parts.consistency;
    y[3] = parts.coherence;
    return status;
}

/* The numbers of a pooling, as initialisers: size, stride, padding as above, and whether averages
 * count it. */
#define PLX__JS_POOL2D(i)                                                                          \
    .size = {(i)[0], (i)[1]}, .stride = {(i)[2], (i)[3]},                                          \
    .padding = {(i)[4], (i)[5], (i)[6], (i)[7]}, .count_padding = (i)[8]

#endif
