/* Chains: elementwise nodes whose values nothing else uses become part of the node that uses them,
 * which then computes all of it tile by tile in cache. The node keeps its number and its place.
 * Engines of browsers leave it out: it makes few steps of the models faster, and modules larger. */
#include "plan/fusion.h"

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

/* Joins node id with one of its inputs. *joined: whether there was one. */
static bool join_input(plx__fusion *f, int32_t id, bool *joined) {
    plx_graph *graph = f->graph;
    plx__node *node = graph->nodes[id];
    draft own, input;
    *joined = false;
    if (!read_draft(graph, id, &own)) return true;
    for (int k = 0; k < node->inputs_count; ++k) {
        const int32_t first = node->inputs[k];
        const plx__node *from = graph->nodes[first];
        if (f->uses[first] != 1 || !plx__same_shape(from, node) ||
            !read_draft(graph, first, &input) ||
            own.attrs.members + input.attrs.members > PLX__CHAIN_MOST)
            continue;
        const draft both = join(&input, first, &own);
        bool steady = fits(f->plan, node, &both);
        for (int i = 0; i < input.count && steady; ++i)
            steady = !is_written(f->plan, input.inputs[i]);
        if (!steady) continue;
        *joined = true;
        const char *then = node->fused[0] ? node->fused : node->op->name;
        if (!plx__absorb(f, node, &plx__op_chain, both.count, both.inputs, from, then))
            return false;
        node->attrs = (plx__attrs){.chain = both.attrs};
        return true;
    }
    return true;
}

plx_status plx__pass_chain(plx_plan *plan, bool on) {
    if (!on) return PLX_OK;
    plx__fusion f;
    plx_status status = plx__fusion_open(plan, 0, &f);
    for (int32_t i = plan->first; i >= 0 && status == PLX_OK; i = plan->links[i].after)
        for (bool joined = true; joined && status == PLX_OK;)
            if (!join_input(&f, i, &joined)) status = plx__no_memory(plan);
    plx__fusion_close(&f);
    return status;
}

#else

plx_status plx__pass_chain(plx_plan *plan, bool on) {
    (void)plan, (void)on;
    return PLX_OK;
}

#endif
