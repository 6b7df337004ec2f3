#include "plan/fusion.h"

#include "base/platform.h"

#include <string.h>

plx_status plx__fusion_open(plx_plan *plan, int32_t inserted, plx__fusion *out) {
    const size_t nodes = (size_t)plan->graph->count + (size_t)inserted;
    *out = (plx__fusion){plan, plan->graph, plx__zeroed(nodes, sizeof *out->uses)};
    if (!out->uses) return plx__no_memory(plan);
    plx__count_uses(plan, out->uses);
    return PLX_OK;
}

void plx__fusion_close(plx__fusion *f) {
    plx_platform_free(f->uses);
}

/* Removes one use; a node without uses is not run and releases its inputs. */
static void release(plx__fusion *f, int32_t id) {
    const plx__node *node = f->graph->nodes[id];
    f->uses[id] -= 1;
    bool writes = false;
    for (int k = 0; k < node->inputs_count; ++k) writes |= plx__has_role(node, k, PLX__WRITTEN);
    if (f->uses[id] || writes) return;
    plx__remove(f->plan, id);
    for (int k = 0; k < node->inputs_count; ++k) release(f, node->inputs[k]);
}

bool plx__absorb(plx__fusion *f, plx__node *node, const plx_op *op, int count,
                 const int32_t *inputs, const plx__node *first, const char *then) {
    plx_graph *graph = f->graph;
    const char *before = first->fused[0] ? first->fused : first->op->name;
    const size_t bytes = strlen(before) + strlen(then) + 2;
    int32_t *copy = plx__arena_take(&graph->arena, (size_t)count * sizeof *copy);
    char *fused = plx__arena_take(&graph->arena, bytes);
    if (!copy || !fused) return false;
    memcpy(copy, inputs, (size_t)count * sizeof *copy);
    plx__format(fused, bytes, "%s+%s", before, then);
    const int32_t *old = node->inputs;
    const int old_count = node->inputs_count;
    node->op = op;
    node->inputs = copy;
    node->inputs_count = count;
    node->fused = fused;
    for (int k = 0; k < count; ++k) f->uses[copy[k]] += 1;
    for (int k = 0; k < old_count; ++k) release(f, old[k]);
    return true;
}
