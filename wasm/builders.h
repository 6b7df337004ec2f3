/* Called by rows of builders.def for functions of the library with another form of arguments. */
#ifndef PLX_WASM_BUILDERS_H
#define PLX_WASM_BUILDERS_H

#include "parallax_nn.h"

/* Reached only by a client other than the engine's own. */
#ifdef PLX_INFERENCE
#define plx_gradients(g, ...)                                                                      \
    plx__js_fail(PLX_ERR_UNSUPPORTED, "gradients: parallax-nn/inference does not train: import "   \
                                      "parallax-nn instead")
#endif

/* axes has one element for each axis of x. */
static inline plx_node plx__js_transpose(plx_graph *g, plx_node x, const int64_t *axes) {
    int order[PLX_MAX_RANK] = {0};
    const int rank = plx_node_shape(g, x, NULL);
    for (int d = 0; d < rank; d++) order[d] = (int)axes[d];
    return plx_transpose(g, x, order);
}

/* A convolution as JavaScript describes it. same: choose the padding so that the larger image has
 * stride times the size of the smaller one. */
typedef struct plx__js_conv2d_call {
    plx_conv2d_options options;
    bool same;
} plx__js_conv2d_call;

#define PLX__JS_ROWS_COLUMNS(pair) {(pair)[0], (pair)[1]}
#define PLX__JS_FOUR_SIDES(sides) {(sides)[0], (sides)[1], (sides)[2], (sides)[3]}

#define PLX__JS_CONV2D(stride_, padding_, same_, dilation_, groups_)                               \
    (plx__js_conv2d_call) {                                                                        \
        .options = {.stride = PLX__JS_ROWS_COLUMNS(stride_),                                       \
                    .padding = PLX__JS_FOUR_SIDES(padding_),                                       \
                    .dilation = PLX__JS_ROWS_COLUMNS(dilation_),                                   \
                    .groups = (groups_)},                                                          \
        .same = (same_),                                                                           \
    }

#define PLX__JS_POOL2D(size_, stride_, padding_, count_padding_, dilation_, ceil_)                 \
    (plx_pool2d_options) {                                                                         \
        .size = PLX__JS_ROWS_COLUMNS(size_), .stride = PLX__JS_ROWS_COLUMNS(stride_),              \
        .padding = PLX__JS_FOUR_SIDES(padding_), .count_padding = (count_padding_),                \
        .dilation = PLX__JS_ROWS_COLUMNS(dilation_), .ceil = (ceil_),                              \
    }

/* Sets the padding of "same"; the larger image has scale times the size of x. */
static inline void plx__js_pad_same(const plx_graph *g, plx_node x, const int64_t scale[2],
                                    plx_node weights, plx__js_conv2d_call *call) {
    const int64_t *image = NULL, *kernel = NULL;
    if (!call->same || plx_node_shape(g, x, &image) != 4) return;
    if (plx_node_shape(g, weights, &kernel) != 4) return;
    const int64_t rows = image[1] * scale[0], columns = image[2] * scale[1];
    const int64_t *stride = call->options.stride;
    if (stride[0] > 0 && stride[1] > 0 && rows > 0)
        plx_conv2d_same(&call->options, rows, columns, kernel[0], kernel[1]);
}

static inline plx_node plx__js_conv2d(plx_graph *g, plx_node x, plx_node weights, plx_node bias,
                                      plx__js_conv2d_call *call) {
    plx__js_pad_same(g, x, (const int64_t[]){1, 1}, weights, call);
    return plx_conv2d(g, x, weights, bias, &call->options);
}

/* extra: additional rows and columns of the result. "same" adds those that padding cannot give,
 * where the kernel is smaller than the stride. */
static inline plx_node plx__js_conv2d_transpose(plx_graph *g, plx_node x, plx_node weights,
                                                plx_node bias, plx__js_conv2d_call *call,
                                                const int64_t extra[2]) {
    const plx_conv2d_options *o = &call->options;
    const int64_t *kernel = NULL;
    int64_t more[] = {extra[0], extra[1]};
    plx__js_pad_same(g, x, o->stride, weights, call);
    for (int i = 0; i < 2 && call->same && plx_node_shape(g, weights, &kernel) == 4; i++)
        if (o->dilation[i] <= INT32_MAX && kernel[i] <= INT32_MAX) { /* else refused below */
            const int64_t reach = o->dilation[i] * (kernel[i] - 1) + 1;
            if (reach < o->stride[i]) more[i] += o->stride[i] - reach;
        }
    return plx_conv2d_transpose(g, x, weights, bias, o, more);
}

static inline plx_node plx__js_upsample2d(plx_graph *g, plx_node x, const int64_t factors[2],
                                          plx_upsampling method) {
    return plx_upsample2d(g, x, factors[0], factors[1], method);
}

static inline plx_status plx__js_lstm(const plx_graph *g, plx_node y, plx_node *states) {
    *states = y;
    return plx_graph_status(g);
}

static inline plx_status plx__js_hypercausal(plx_graph *g, plx_node x, plx_node w, plx_node b,
                                             const plx_hypercausal_options *options,
                                             plx_node *state, plx_node *future, plx_node *spread) {
    plx_hypercausal node = {{-1}, {-1}, {-1}};
    const plx_status status = plx_hypercausal_emit(g, x, w, b, options, &node);
    *state = node.state;
    *future = node.future;
    *spread = node.spread;
    return status;
}

/* last: the node that predicts; spreads: those of all nodes. The library rejects more nodes than
 * there is room for. */
static inline plx_status plx__js_hypercausal_loss(plx_graph *g, plx_hypercausal last,
                                                  plx_node target, int count,
                                                  const plx_node *spreads, plx_node *total,
                                                  plx_node *task, plx_node *consistency,
                                                  plx_node *coherence) {
    enum { ROOM = 64 };
    plx_hypercausal nodes[ROOM] = {0};
    plx_hypercausal_parts parts = {{-1}, {-1}, {-1}, {-1}};
    for (int k = 0; k < count && k < ROOM; k++)
        nodes[k] = (plx_hypercausal){last.state, last.future, spreads[k]};
    const plx_status status = plx_hypercausal_loss(g, count, nodes, target, NULL, &parts);
    *total = parts.total;
    *task = parts.task;
    *consistency = parts.consistency;
    *coherence = parts.coherence;
    return status;
}

#endif
