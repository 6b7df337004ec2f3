/* Nodes that hold a value and are never run. */
#include "ops/op.h"

static plx_status infer_leaf(plx_graph *graph, plx__node *node) {
    node->dtype = (plx_dtype)node->attrs.leaf.dtype;
    return plx__infer_target(graph, node);
}

#define LEAF(op_name)                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .flags = PLX__OP_LEAF | PLX__OP_NO_GRADIENT,                                               \
        .infer = infer_leaf,                                                                       \
        .cost = plx__cost_nothing,                                                                 \
        .attrs = plx__leaf_fields,                                                                 \
    }

LEAF(input);
LEAF(parameter);
LEAF(constant);
