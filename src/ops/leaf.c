/* Nodes that hold a value and are never run. */
#include "ops/op.h"

#define LEAF(op_name)                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .flags = PLX__OP_LEAF | PLX__OP_NO_GRADIENT,                                               \
        .result = PLX__BY_ATTRS,                                                                   \
        .infer = plx__infer_target,                                                                \
        .cost = plx__cost_nothing,                                                                 \
        .attrs = plx__leaf_fields,                                                                 \
    }

LEAF(input);
LEAF(parameter);
LEAF(constant);
