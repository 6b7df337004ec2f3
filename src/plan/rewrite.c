/* The order in which a plan's nodes run, and how passes change nodes. */
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <assert.h>
#include <string.h>

bool plx__writes_tensors(const plx_graph *graph, const plx__node *node) {
    if (node->op->flags & PLX__OP_EFFECT) return true;
    for (int k = 0; k < node->inputs_count; ++k)
        if (plx__has_role(node, k, PLX__WRITTEN) &&
            graph->nodes[plx__root_of(graph, node->inputs[k], NULL)]->op == &plx__op_parameter)
            return true;
    return false;
}

/* Makes room for the links of all nodes. */
static bool grow(plx_plan *plan) {
    if (plan->graph->count <= plan->links_capacity) return true;
    const int32_t capacity = plan->graph->capacity;
    plx__link *links = plx__zeroed((size_t)capacity, sizeof *links);
    if (!links) return false;
    if (plan->links) memcpy(links, plan->links, (size_t)plan->links_capacity * sizeof *links);
    plx_platform_free(plan->links);
    plan->links = links;
    plan->links_capacity = capacity;
    return true;
}

/* Links a node in before another; after -1: at the end. */
static void link_before(plx_plan *plan, int32_t node, int32_t after) {
    const int32_t before = after < 0 ? plan->last : plan->links[after].before;
    plan->links[node] = (plx__link){.before = before, .after = after, .scheduled = true};
    *(before < 0 ? &plan->first : &plan->links[before].after) = node;
    *(after < 0 ? &plan->last : &plan->links[after].before) = node;
}

plx_status plx__schedule_all(plx_plan *plan) {
    const plx_graph *graph = plan->graph;
    plan->first = plan->last = -1;
    if (!grow(plan)) return plx__no_memory(plan);
    for (int effects = 0; effects < 2; ++effects)
        for (int32_t i = 0; i < graph->count; ++i)
            if (!(graph->nodes[i]->op->flags & PLX__OP_EFFECT) == !effects)
                link_before(plan, i, -1);
    return PLX_OK;
}

static int32_t insert(plx_plan *plan, int32_t after, const plx_op *op, int count,
                      const int32_t *inputs, const plx__attrs *attrs) {
    const int32_t node = plx__emit(plan->graph, op, count, inputs, attrs);
    if (node >= 0 && !grow(plan)) {
        plx__graph_fail(plan->graph, PLX_ERR_MEMORY, "compile: no memory");
        return -1;
    }
    if (node >= 0) link_before(plan, node, after);
    return node;
}

int32_t plx__insert_before(plx_plan *plan, int32_t at, const plx_op *op, int count,
                           const int32_t *inputs, const plx__attrs *attrs) {
    assert(plan->links[at].scheduled);
    return insert(plan, at, op, count, inputs, attrs);
}

int32_t plx__insert_after(plx_plan *plan, int32_t at, const plx_op *op, int count,
                          const int32_t *inputs, const plx__attrs *attrs) {
    assert(plan->links[at].scheduled);
    return insert(plan, plan->links[at].after, op, count, inputs, attrs);
}

int32_t plx__clone_before(plx_plan *plan, int32_t at, int32_t node) {
    const plx__node *from = plan->graph->nodes[node];
    assert(!(from->op->flags & PLX__OP_LEAF) && !plx__writes_tensors(plan->graph, from));
    const int32_t clone =
        plx__insert_before(plan, at, from->op, from->inputs_count, from->inputs, &from->attrs);
    if (clone < 0) return -1;
    plan->graph->nodes[clone]->name = from->name;
    plan->graph->nodes[clone]->fused = from->fused;
    return clone;
}

void plx__replace_uses(plx_plan *plan, int32_t of, int32_t by) {
    for (int32_t i = plan->links[by].after; i >= 0; i = plan->links[i].after) {
        plx__node *node = plan->graph->nodes[i];
        for (int k = 0; k < node->inputs_count; ++k)
            if (node->inputs[k] == of) node->inputs[k] = by;
    }
    for (int i = 0; i < plan->outputs_count; ++i)
        if (plan->values[i] == of) plan->values[i] = by;
}

void plx__remove(plx_plan *plan, int32_t node) {
    const plx__link link = plan->links[node];
    assert(link.scheduled);
    *(link.before < 0 ? &plan->first : &plan->links[link.before].after) = link.after;
    *(link.after < 0 ? &plan->last : &plan->links[link.after].before) = link.before;
    plan->links[node] = (plx__link){.before = -1, .after = -1};
}

void plx__count_uses(const plx_plan *plan, int32_t *uses) {
    const plx_graph *graph = plan->graph;
    memset(uses, 0, (size_t)graph->count * sizeof *uses);
    PLX__SCHEDULED(plan, i)
    for (int k = 0; k < graph->nodes[i]->inputs_count; ++k) uses[graph->nodes[i]->inputs[k]] += 1;
    for (int i = 0; i < plan->outputs_count; ++i) uses[plan->values[i]] += 1;
}
