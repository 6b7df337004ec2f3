#include "plan/plan_internal.h"

#include <string.h>

/* Whether a step leaves something in a buffer that a later one needs. */
static bool fills_live_buffer(const plx_plan *plan, const plx__node *node) {
    for (int k = 0; k < node->inputs_count; ++k)
        if (plx__has_role(node, k, PLX__WRITTEN) && plan->live[node->inputs[k]] &&
            plx__input_of(plan->graph, node, k)->op->flags & PLX__OP_BUFFER)
            return true;
    return false;
}

void plx__pass_dead_code(plx_plan *plan) {
    const plx_graph *graph = plan->graph;
    memset(plan->live, 0, (size_t)graph->count * sizeof *plan->live);
    for (int i = 0; i < plan->outputs_count; ++i) plan->live[plan->outputs[i]] = true;
    /* Inputs have smaller ids than their consumers. */
    for (int32_t i = graph->count - 1; i >= 0; --i) {
        if (fills_live_buffer(plan, graph->nodes[i])) plan->live[i] = true;
        if (!plan->live[i]) continue;
        for (int k = 0; k < graph->nodes[i]->inputs_count; ++k)
            plan->live[graph->nodes[i]->inputs[k]] = true;
    }
}
