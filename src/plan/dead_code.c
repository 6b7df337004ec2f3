#include "plan/plan_internal.h"

#include "base/platform.h"

/* Whether a step leaves something in a buffer that a later one needs. */
static bool fills_kept_buffer(const plx_plan *plan, const plx__node *node, const bool *kept) {
    for (int k = 0; k < node->inputs_count; ++k)
        if (plx__has_role(node, k, PLX__WRITTEN) && kept[node->inputs[k]] &&
            plx__input_of(plan->graph, node, k)->op->flags & PLX__OP_BUFFER)
            return true;
    return false;
}

static void keep_needed(const plx_plan *plan, bool *kept) {
    const plx_graph *graph = plan->graph;
    for (int i = 0; i < plan->outputs_count; ++i) kept[plan->values[i]] = true;
    for (int32_t i = plan->last; i >= 0; i = plan->links[i].before) {
        if (fills_kept_buffer(plan, graph->nodes[i], kept)) kept[i] = true;
        if (!kept[i]) continue;
        for (int k = 0; k < graph->nodes[i]->inputs_count; ++k)
            kept[graph->nodes[i]->inputs[k]] = true;
    }
}

/* Without the pass, all nodes run except those whose effects callers would see: unless an output
 * needs it, no tensor is written and no input has to be bound. */
static void keep_harmless(const plx_plan *plan, bool *kept) {
    const plx_graph *graph = plan->graph;
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = graph->nodes[i];
        if (kept[i] || node->op == &plx__op_input || plx__writes_tensors(graph, node)) continue;
        kept[i] = true;
        for (int k = 0; k < node->inputs_count; ++k) kept[i] = kept[i] && kept[node->inputs[k]];
    }
}

plx_status plx__pass_dead_code(plx_plan *plan, bool on) {
    bool *kept = plx__zeroed((size_t)plan->graph->count, sizeof *kept);
    if (!kept) return plx__no_memory(plan);
    keep_needed(plan, kept);
    if (!on) keep_harmless(plan, kept);
    for (int32_t i = plan->last, before; i >= 0; i = before) {
        before = plan->links[i].before;
        if (!kept[i]) plx__remove(plan, i);
    }
    plx_platform_free(kept);
    return PLX_OK;
}
