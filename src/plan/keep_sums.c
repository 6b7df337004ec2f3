/* The largest logit and the sum of exponentials of each row, which a cross-entropy needs, stay in a
 * buffer for its gradient. */
#include "plan/plan_internal.h"

#include <string.h>

/* The scheduled node before `gradient` that computes the loss it belongs to, or -1. */
static int32_t loss_of(const plx_plan *plan, int32_t gradient) {
    const plx__node *own = plan->graph->nodes[gradient];
    for (int32_t i = plan->links[gradient].before; i >= 0; i = plan->links[i].before) {
        const plx__node *node = plan->graph->nodes[i];
        if (node->op == &plx__op_softmax_xent && node->inputs[0] == own->inputs[0] &&
            node->inputs[1] == own->inputs[1])
            return i;
    }
    return -1;
}

static bool append(plx_graph *graph, plx__node *node, int32_t input) {
    const size_t bytes = (size_t)node->inputs_count * sizeof input;
    int32_t *inputs = plx__arena_take(&graph->arena, bytes + sizeof input);
    if (!inputs) return false;
    memcpy(inputs, node->inputs, bytes);
    inputs[node->inputs_count++] = input;
    node->inputs = inputs;
    return true;
}

static plx_status keep(plx_plan *plan, int32_t loss, int32_t gradient) {
    plx_graph *graph = plan->graph;
    plx__node *node = graph->nodes[loss];
    if (node->inputs_count == 2) {
        const plx__node *labels = plx__input_of(graph, node, 1);
        const plx__attrs attrs = {.rank = 2, .dims = {plx__size(labels), 2}};
        const int32_t buffer = plx__insert_before(plan, loss, &plx__op_buffer, 0, NULL, &attrs);
        if (buffer < 0) return plx_graph_status(graph);
        if (!append(graph, node, buffer)) return plx__no_memory(plan);
    }
    return append(graph, graph->nodes[gradient], node->inputs[2]) ? PLX_OK : plx__no_memory(plan);
}

plx_status plx__pass_keep_sums(plx_plan *plan, bool on) {
    for (int32_t i = plan->first; on && i >= 0; i = plan->links[i].after) {
        if (!PLX__IS_GRADIENT(plan->graph->nodes[i]->op, softmax_xent)) continue;
        const int32_t loss = loss_of(plan, i);
        if (loss >= 0) PLX_TRY(keep(plan, loss, i));
    }
    return PLX_OK;
}
