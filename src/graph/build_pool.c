/* Builders of pooling and upsampling. */
#include "graph/graph.h"

#include <string.h>

plx_pool2d_options plx_pool2d_default(int64_t size) {
    return (plx_pool2d_options){.size = {size, size}, .stride = {size, size}};
}

static plx_node pool(plx_graph *graph, const plx_op *op, plx_node x,
                     const plx_pool2d_options *options) {
    const plx_pool2d_options *o = options;
    if (!plx__given(graph, op->name, "options", o)) return plx_none();
    plx__attrs attrs = {.pool = {.count_padding = o->count_padding, .ceil = o->ceil}};
    memcpy(attrs.pool.size, o->size, sizeof attrs.pool.size);
    memcpy(attrs.pool.stride, o->stride, sizeof attrs.pool.stride);
    memcpy(attrs.pool.padding, o->padding, sizeof attrs.pool.padding);
    memcpy(attrs.pool.dilation, o->dilation, sizeof attrs.pool.dilation);
    return plx__build1(graph, op, x, &attrs);
}

plx_node plx_max_pool2d(plx_graph *graph, plx_node x, const plx_pool2d_options *options) {
    return pool(graph, &plx__op_max_pool2d, x, options);
}

plx_node plx_avg_pool2d(plx_graph *graph, plx_node x, const plx_pool2d_options *options) {
    return pool(graph, &plx__op_avg_pool2d, x, options);
}

plx_node plx_global_avg_pool2d(plx_graph *graph, plx_node x) {
    return plx__build1(graph, &plx__op_global_avg_pool2d, x, NULL);
}

plx_node plx_upsample2d(plx_graph *graph, plx_node x, int64_t rows, int64_t columns,
                        plx_upsampling method) {
    if (method != PLX_NEAREST && method != PLX_BILINEAR) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "upsample2d: there is no method number %d; it must be 0 to %d", (int)method,
                        PLX_BILINEAR);
        return plx_none();
    }
    const plx__attrs attrs = {.upsample = {.factor = {rows, columns}, .method = method}};
    return plx__build1(graph, &plx__op_upsample2d, x, &attrs);
}
