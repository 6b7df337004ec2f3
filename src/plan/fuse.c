/* Fusion: fewer passes over memory. A node that absorbs others keeps its number, so that consumers
 * and outputs stay valid; absorbed nodes that nothing else needs leave the schedule. */
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <string.h>

typedef struct fusion {
    plx_plan *plan;
    plx_graph *graph;
    int32_t *uses; /* by node */
} fusion;

/* Removes one use; a node without uses is not run and releases its inputs. */
static void release(fusion *f, int32_t id) {
    const plx__node *node = f->graph->nodes[id];
    f->uses[id] -= 1;
    bool writes = false;
    for (int k = 0; k < node->inputs_count; ++k) writes |= plx__has_role(node, k, PLX__WRITTEN);
    if (f->uses[id] || writes) return;
    plx__remove(f->plan, id);
    for (int k = 0; k < node->inputs_count; ++k) release(f, node->inputs[k]);
}

/* Turns node into op with new inputs; shape and dtype stay. Its fused label is that of first, which
 * it absorbs, plus then. */
static bool replace(fusion *f, plx__node *node, const plx_op *op, int count, const int32_t *inputs,
                    const plx__node *first, const char *then) {
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

/* Products that have a form with a bias and an activation. */
static const struct {
    const plx_op *plain, *fused;
} products[] = {
    {&plx__op_matmul, &plx__op_dense},
    {&plx__op_conv2d, &plx__op_conv2d_dense},
    {&plx__op_conv2d_transpose, &plx__op_conv2d_transpose_dense},
};

enum { PRODUCTS = sizeof products / sizeof products[0] };

/* bias(matmul(a, b), c) is dense(a, b, c). */
static bool fuse_bias(fusion *f, plx__node *node) {
    if (node->op != &plx__op_bias || f->uses[node->inputs[0]] != 1) return true;
    const plx__node *product = plx__input_of(f->graph, node, 0);
    for (int i = 0; i < PRODUCTS; ++i) {
        if (product->op != products[i].plain) continue;
        const int32_t inputs[] = {product->inputs[0], product->inputs[1], node->inputs[1]};
        node->attrs = product->attrs;
        return replace(f, node, products[i].fused, 3, inputs, product, "bias");
    }
    return true;
}

/* act(dense(...)) and act(matmul(...)) are dense with an activation. */
static bool fuse_activation(fusion *f, plx__node *node) {
    const plx_activation act = plx__activation_of(node->op);
    if (act == PLX_ACTIVATIONS_ || f->uses[node->inputs[0]] != 1) return true;
    const plx__node *source = plx__input_of(f->graph, node, 0);
    for (int i = 0; i < PRODUCTS; ++i) {
        if (source->op != products[i].plain && source->op != products[i].fused) continue;
        const char *fields = products[i].fused->attrs;
        if (plx__attrs_activation(fields, &source->attrs) != PLX_LINEAR) continue;
        const double alpha = node->attrs.unary.alpha;
        node->attrs = source->attrs;
        plx__attrs_activate(fields, &node->attrs, act, alpha);
        return replace(f, node, products[i].fused, source->inputs_count, source->inputs, source,
                       plx_activation_name(act));
    }
    return true;
}

/* A log-softmax along the last axis. */
static bool is_of_rows(const plx__node *node) {
    return node->op == &plx__op_log_softmax && node->attrs.softmax.axes_after == 0;
}

/* The gradient of the one below. */
static bool fuse_cross_entropy_gradient(fusion *f, plx__node *node) {
#ifndef PLX_INFERENCE
    if (node->op != &plx__op_log_softmax_grad) return true;
    const plx__node *rows = plx__input_of(f->graph, node, 0),
                    *gy = plx__input_of(f->graph, node, 1);
    if (!is_of_rows(rows) || gy->op != &plx__op_nll_grad || f->uses[node->inputs[1]] != 1)
        return true;
    const int32_t inputs[] = {rows->inputs[0], gy->inputs[0], gy->inputs[1]};
    node->attrs = gy->attrs;
    return replace(f, node, &plx__op_softmax_xent_grad, 3, inputs, gy, "log_softmax_grad");
#else
    (void)f, (void)node;
    return true;
#endif
}

/* nll(log_softmax(x), t) needs no log-probabilities in memory, and neither does its gradient. */
static bool fuse_cross_entropy(fusion *f, plx__node *node) {
    if (node->op != &plx__op_nll) return fuse_cross_entropy_gradient(f, node);
    const plx__node *rows = plx__input_of(f->graph, node, 0);
    if (!is_of_rows(rows)) return true;
    const int32_t inputs[] = {rows->inputs[0], node->inputs[1]};
    return replace(f, node, &plx__op_softmax_xent, 2, inputs, rows, "nll");
}

plx_status plx__pass_fuse(plx_plan *plan, bool on) {
    if (!on) return PLX_OK;
    fusion f = {plan, plan->graph, plx__zeroed((size_t)plan->graph->count, sizeof *f.uses)};
    if (!f.uses) return plx__no_memory(plan);
    plx__count_uses(plan, f.uses);
    bool ok = true;
    for (int32_t i = plan->first; i >= 0 && ok; i = plan->links[i].after) {
        plx__node *node = f.graph->nodes[i];
        if (!node->inputs_count) continue;
        ok = fuse_bias(&f, node) && fuse_activation(&f, node) && fuse_cross_entropy(&f, node);
    }
    plx_platform_free(f.uses);
    return ok ? PLX_OK : plx__no_memory(plan);
}
