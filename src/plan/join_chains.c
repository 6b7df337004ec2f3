/* Chains: elementwise nodes whose values nothing else uses become part of the node that uses them,
 * which then computes all of it tile by tile in cache. The node keeps its number and its place.
 * Engines of browsers leave it out: it makes few steps of the models faster, and modules larger. */
#include "plan/plan_internal.h"

#include "base/platform.h"
#include "ops/chain.h"

#include <string.h>

#ifndef PLX_ENGINE

/* A node as a chain; other elementwise nodes are chains of one member. */
typedef struct draft {
    plx__chain_attrs attrs;
    int count;
    int32_t inputs[2 * PLX__CHAIN_INPUTS];
} draft;

static bool read_draft(const plx_graph *graph, int32_t id, draft *out) {
    const plx__node *node = graph->nodes[id];
    const bool is_chain = node->op == &plx__op_chain;
    if (!is_chain && plx__chain_kind(node->op) < 0) return false;
    *out = (draft){.attrs = is_chain ? node->attrs.chain : plx__chain_of(node->op, &node->attrs),
                   .count = node->inputs_count};
    memcpy(out->inputs, node->inputs, (size_t)out->count * sizeof *out->inputs);
    return true;
}

static int place_of(draft *d, int32_t input) {
    int place = 0;
    while (place < d->count && d->inputs[place] != input) place += 1;
    d->inputs[place] = input;
    if (place == d->count) d->count += 1;
    return place;
}

/* An operand of a member of then, as one of first followed by then; first is node id. */
static int64_t moved(draft *both, const draft *then, int32_t id, int64_t operand) {
    const int64_t before = both->attrs.members;
    if (operand < 0) return operand - before;
    return then->inputs[operand] == id ? -before : place_of(both, then->inputs[operand]);
}

static draft join(const draft *first, int32_t id, const draft *then) {
    draft both = *first;
    const plx__chain_attrs *from = &then->attrs;
    plx__chain_attrs joined = first->attrs;
    for (int64_t i = 0, at = joined.members; i < from->members; ++i, ++at) {
        joined.kind[at] = from->kind[i];
        joined.alpha[at] = from->alpha[i];
        joined.a[at] = moved(&both, then, id, from->a[i]);
        joined.b[at] =
            plx__chain_is_binary(from->kind[i]) ? moved(&both, then, id, from->b[i]) : from->b[i];
    }
    joined.members += from->members;
    both.attrs = joined;
    return both;
}

/* Whether a step in the middle of the plan writes the value: it may differ later. */
static bool is_written(const plx_plan *plan, int32_t id) {
    const plx_graph *graph = plan->graph;
    const plx__node *root = graph->nodes[plx__root_of(graph, id, NULL)];
    if (root->op != &plx__op_parameter && !(root->op->flags & PLX__OP_BUFFER)) return false;
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = graph->nodes[i];
        for (int k = 0; k < node->inputs_count && !(node->op->flags & PLX__OP_EFFECT); ++k) {
            const plx__node *in = graph->nodes[plx__root_of(graph, node->inputs[k], NULL)];
            if (plx__has_role(node, k, PLX__WRITTEN) &&
                (in == root || (in->tensor && in->tensor == root->tensor)))
                return true;
        }
    }
    return false;
}

static bool fits(const plx_plan *plan, const plx__node *node, const draft *d) {
    const plx__node *inputs[2 * PLX__CHAIN_INPUTS];
    for (int k = 0; k < d->count; ++k) inputs[k] = plan->graph->nodes[d->inputs[k]];
    return plx__chain_fits(node, d->count, inputs);
}

static const char *label_of(const plx__node *node) {
    return node->fused[0] ? node->fused : node->op->name;
}

/* Makes node the chain of both, and first leaves the plan. */
static bool replace(plx_plan *plan, plx__node *node, int32_t first, const draft *both) {
    plx__arena *arena = &plan->graph->arena;
    const char *before = label_of(plan->graph->nodes[first]), *then = label_of(node);
    const size_t bytes = strlen(before) + strlen(then) + 2,
                 list = (size_t)both->count * sizeof *node->inputs;
    char *fused = plx__arena_take(arena, bytes);
    int32_t *inputs = plx__arena_take(arena, list);
    if (!fused || !inputs) return false;
    plx__format(fused, bytes, "%s+%s", before, then);
    memcpy(inputs, both->inputs, list);
    node->op = &plx__op_chain;
    node->attrs = (plx__attrs){.chain = both->attrs};
    node->fused = fused;
    node->inputs = inputs;
    node->inputs_count = both->count;
    plx__remove(plan, first);
    return true;
}

/* Joins node id with one of its inputs. *joined: whether there was one. */
static bool join_input(plx_plan *plan, const int32_t *uses, int32_t id, bool *joined) {
    plx__node *node = plan->graph->nodes[id];
    draft own, input;
    *joined = false;
    if (!read_draft(plan->graph, id, &own)) return true;
    for (int k = 0; k < node->inputs_count; ++k) {
        const int32_t first = node->inputs[k];
        if (uses[first] != 1 || !plx__same_shape(plan->graph->nodes[first], node) ||
            !read_draft(plan->graph, first, &input) ||
            own.attrs.members + input.attrs.members > PLX__CHAIN_MOST)
            continue;
        const draft both = join(&input, first, &own);
        bool steady = fits(plan, node, &both);
        for (int i = 0; i < input.count && steady; ++i) steady = !is_written(plan, input.inputs[i]);
        if (!steady) continue;
        *joined = true;
        return replace(plan, node, first, &both);
    }
    return true;
}

static bool make_chains(plx_plan *plan, int32_t *uses) {
    plx__count_uses(plan, uses);
    PLX__SCHEDULED(plan, i) {
        bool joined = true;
        while (joined)
            if (!join_input(plan, uses, i, &joined)) return false;
    }
    return true;
}

plx_status plx__pass_chain(plx_plan *plan, bool on) {
    if (!on) return PLX_OK;
    int32_t *uses = plx__zeroed((size_t)plan->graph->count, sizeof *uses);
    const bool ok = uses && make_chains(plan, uses);
    plx_platform_free(uses);
    return ok ? PLX_OK : plx__no_memory(plan);
}

#else

plx_status plx__pass_chain(plx_plan *plan, bool on) {
    (void)plan, (void)on;
    return PLX_OK;
}

#endif
