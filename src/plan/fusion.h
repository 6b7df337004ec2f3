/* What passes that fuse nodes have in common. A node that absorbs others keeps its number, so that
 * consumers and outputs stay valid; absorbed nodes that nothing else needs leave the schedule. */
#ifndef PLX_PLAN_FUSION_H
#define PLX_PLAN_FUSION_H

#include "plan/plan_internal.h"

typedef struct plx__fusion {
    plx_plan *plan;
    plx_graph *graph;
    int32_t *uses; /* by node: how often nodes and outputs use its value */
} plx__fusion;

/* inserted: how many nodes the pass will insert at most. To be closed even after a failure. */
plx_status plx__fusion_open(plx_plan *plan, int32_t inserted, plx__fusion *out);
void plx__fusion_close(plx__fusion *f);

/* Turns node into op with new inputs; shape and dtype stay. Its fused label is that of first, which
 * it absorbs, plus then. False: no memory. */
bool plx__absorb(plx__fusion *f, plx__node *node, const plx_op *op, int count,
                 const int32_t *inputs, const plx__node *first, const char *then);

#endif
