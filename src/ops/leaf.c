/* Nodes that hold a value and are never run. */
#include "ops/op.h"

static plx_status infer_target(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = node->attrs.rank;
    for (int i = 0; i < node->rank; ++i) node->dims[i] = node->attrs.dims[i];
    node->dtype = (plx_dtype)node->attrs.i[0];
    return PLX_OK;
}

static plx__cost cost_nothing(const plx_graph *graph, const plx__node *node) {
    (void)graph;
    (void)node;
    return (plx__cost){0, 0, 1};
}

#define LEAF(op_name)                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .flags = PLX__OP_LEAF | PLX__OP_NO_GRADIENT,                                               \
        .infer = infer_target,                                                                     \
        .cost = cost_nothing,                                                                      \
    }

LEAF(input);
LEAF(parameter);
LEAF(constant);
