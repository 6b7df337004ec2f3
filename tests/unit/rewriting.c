/* Passes may insert, clone and remove nodes: a pass that does so everywhere changes no bit, and
 * callers' handles stay valid. */
#include "base/platform.h"
#include "plan/plan_internal.h"
#include "random_graph.h"

#include <stdio.h>
#include <string.h>

enum { GRAPHS = 30, RUNS = 3 };

/* What the pass below did to the last compiled plan. */
static struct {
    int inserted, cloned, removed;
} done;

static bool has_plain_value(const plx_graph *graph, const plx__node *node) {
    bool writes = false;
    for (int k = 0; k < node->inputs_count; ++k) writes |= plx__has_role(node, k, PLX__WRITTEN);
    return !writes && !plx__writes_tensors(graph, node) && !(node->op->flags & PLX__OP_BUFFER);
}

/* x * 1, which has the bits of x, replaces x. */
static void insert_identity(plx_plan *plan, int32_t node) {
    const plx__attrs attrs = {.scale = {.factor = 1}};
    const int32_t same = plx__insert_after(plan, node, &plx__op_scale, 1, &node, &attrs);
    if (same < 0) return;
    plx__replace_uses(plan, node, same);
    done.inserted += 1;
}

/* The second of two equal nodes is used; the first is removed, or stays unused. */
static void clone(plx_plan *plan, int32_t node, bool removes) {
    const int32_t after = plan->links[node].after;
    if (after < 0) return;
    const int32_t second = plx__clone_before(plan, after, node);
    if (second < 0) return;
    plx__replace_uses(plan, node, second);
    done.cloned += 1;
    if (!removes) return;
    plx__remove(plan, node);
    done.removed += 1;
}

static plx_status rewrite(plx_plan *plan, bool on) {
    const int32_t count = plan->graph->count;
    memset(&done, 0, sizeof done);
    for (int32_t i = plan->first, after; on && i >= 0; i = after) {
        const plx__node *node = plan->graph->nodes[i];
        after = plan->links[i].after;
        if (i >= count) continue; /* new */
        const bool leaf = node->op->flags & PLX__OP_LEAF;
        if (!leaf && has_plain_value(plan->graph, node))
            clone(plan, i, i % 2);
        else if (node->op == &plx__op_input && node->dtype == PLX_DTYPE_REAL)
            insert_identity(plan, i);
    }
    for (int32_t i = plan->first, after; on && i >= 0; i = after) {
        const plx__node *node = plan->graph->nodes[i];
        after = plan->links[i].after;
        if (i < count && i % 3 == 0 && node->dtype == PLX_DTYPE_REAL &&
            !(node->op->flags & PLX__OP_LEAF) && has_plain_value(plan->graph, node))
            insert_identity(plan, i);
    }
    return PLX_OK;
}

static bool in_order(const plx_plan *plan) {
    bool *seen = plx__zeroed((size_t)plan->graph->count, sizeof *seen);
    bool ok = seen;
    for (int32_t i = plan->first; ok && i >= 0; i = plan->links[i].after) {
        const plx__node *node = plan->graph->nodes[i];
        for (int k = 0; k < node->inputs_count; ++k) ok = ok && seen[node->inputs[k]];
        seen[i] = true;
    }
    plx_platform_free(seen);
    return ok;
}

static void compare(plx_check *t, plx_ctx *ctx, uint64_t seed, int passes) {
    plx_random_graph g[2];
    plx_plan *plans[2] = {NULL};
    char what[64];
    snprintf(what, sizeof what, "graph %d, passes %d", (int)seed, passes);
    const plx_plan_options options = {.passes = passes};
    bool ok = true;
    for (int i = 0; i < 2; ++i) {
        ok = plx_random_open(t, ctx, seed, &g[i]) && ok;
        if (!ok) continue;
        plx_status status = plx__compile(g[i].graph, g[i].outputs_count, g[i].outputs, &options,
                                         i ? rewrite : NULL, &plans[i]);
        /* A later node of the graph is not mistaken for one that the pass inserted. */
        const plx_node later = plx_exp(g[i].graph, g[i].input);
        CHECK(t, !plans[i] || !plx_plan_output(plans[i], later), "%s: a later node", what);
        CHECK(t, !plans[i] || plx_plan_bind(plans[i], later, g[i].x) == PLX_ERR_ARGUMENT,
              "%s: a later node is bound", what);
        if (status == PLX_OK) status = plx_random_bind(&g[i], plans[i]);
        for (int run = 0; run < RUNS && status == PLX_OK; ++run) status = plx_plan_run(plans[i]);
        ok = CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(ctx)) && ok;
    }
    if (ok) {
        CHECK(t,
              done.inserted > 1 && done.cloned > 5 && done.removed > 2 &&
                  plx_plan_steps(plans[1]) > plx_plan_steps(plans[0]),
              "%s: %d inserted, %d cloned, %d removed", what, done.inserted, done.cloned,
              done.removed);
        CHECK(t, in_order(plans[1]), "%s: a step before its inputs", what);
        const plx_real *values[2][PLX_RANDOM_OUTPUTS];
        for (int i = 0; i < 2; ++i)
            for (int k = 0; k < g[i].outputs_count; ++k)
                values[i][k] = plx_plan_output(plans[i], g[i].outputs[k]);
        plx_random_same(t, &g[0], &g[1], values[0], values[1], what);
    }
    for (int i = 0; i < 2; ++i) {
        plx_plan_free(plans[i]);
        plx_random_close(&g[i]);
    }
}

void plx_test_unit_rewriting(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    for (uint64_t seed = 0; ctx && seed < GRAPHS; ++seed) {
        compare(t, ctx, seed, PLX_PASS_ALL);
        compare(t, ctx, seed, seed % 2 ? 0 : PLX_PASS_ALL & ~PLX_PASS_FUSE);
    }
    plx_ctx_free(ctx);
}
