/* Fusion: fewer passes over memory. A node that is replaced keeps its id, so consumers and outputs
 * stay valid; what it swallowed is left for the dead-code pass. */
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <string.h>

static void count_uses(const plx_plan *plan, int32_t *uses) {
    const plx_graph *graph = plan->graph;
    memset(uses, 0, (size_t)graph->count * sizeof *uses);
    for (int32_t i = 0; i < graph->count; ++i) {
        if (!plan->live[i]) continue;
        for (int k = 0; k < graph->nodes[i]->inputs_count; ++k)
            uses[graph->nodes[i]->inputs[k]] += 1;
    }
    for (int i = 0; i < plan->outputs_count; ++i) uses[plan->outputs[i]] += 1;
}

/* Turns node into op with new inputs; shape and dtype stay. It is first, which it swallows, and
 * then what comes after. */
static bool replace(plx_graph *graph, plx__node *node, const plx_op *op, int count,
                    const int32_t *inputs, const plx__node *first, const char *then) {
    const char *before = first->fused[0] ? first->fused : first->op->name;
    const size_t bytes = strlen(before) + strlen(then) + 2;
    int32_t *copy = plx__arena_take(&graph->arena, (size_t)count * sizeof *copy);
    char *fused = plx__arena_take(&graph->arena, bytes);
    if (!copy || !fused) return false;
    memcpy(copy, inputs, (size_t)count * sizeof *copy);
    plx__format(fused, bytes, "%s+%s", before, then);
    node->op = op;
    node->inputs = copy;
    node->inputs_count = count;
    node->fused = fused;
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
static bool fuse_bias(plx_graph *graph, plx__node *node, const int32_t *uses) {
    if (node->op != &plx__op_bias || uses[node->inputs[0]] != 1) return true;
    const plx__node *product = plx__input_of(graph, node, 0);
    for (int i = 0; i < PRODUCTS; ++i) {
        if (product->op != products[i].plain) continue;
        const int32_t inputs[] = {product->inputs[0], product->inputs[1], node->inputs[1]};
        node->attrs = product->attrs;
        return replace(graph, node, products[i].fused, 3, inputs, product, "bias");
    }
    return true;
}

/* act(dense(...)) and act(matmul(...)) are dense with an activation. */
static bool fuse_activation(plx_graph *graph, plx__node *node, const int32_t *uses) {
    const plx_activation act = plx__activation_of(node->op);
    if (act == PLX_ACTIVATIONS_ || uses[node->inputs[0]] != 1) return true;
    const plx__node *source = plx__input_of(graph, node, 0);
    for (int i = 0; i < PRODUCTS; ++i) {
        if (source->op != products[i].plain && source->op != products[i].fused) continue;
        const char *fields = products[i].fused->attrs;
        if (plx__attrs_activation(fields, &source->attrs) != PLX_LINEAR) continue;
        const double alpha = node->attrs.unary.alpha;
        node->attrs = source->attrs;
        plx__attrs_activate(fields, &node->attrs, act, alpha);
        return replace(graph, node, products[i].fused, source->inputs_count, source->inputs, source,
                       plx_activation_name(act));
    }
    return true;
}

/* A log-softmax along the last axis. */
static bool is_of_rows(const plx__node *node) {
    return node->op == &plx__op_log_softmax && node->attrs.softmax.axes_after == 0;
}

/* nll(log_softmax(x), t) and its gradient need no log-probabilities in memory. */
static bool fuse_cross_entropy(plx_graph *graph, plx__node *node, const int32_t *uses) {
    if (node->op == &plx__op_nll) {
        const plx__node *rows = plx__input_of(graph, node, 0);
        if (!is_of_rows(rows)) return true;
        const int32_t inputs[] = {rows->inputs[0], node->inputs[1]};
        return replace(graph, node, &plx__op_softmax_xent, 2, inputs, rows, "nll");
    }
    if (node->op == &plx__op_log_softmax_grad) {
        const plx__node *rows = plx__input_of(graph, node, 0), *gy = plx__input_of(graph, node, 1);
        if (!is_of_rows(rows) || gy->op != &plx__op_nll_grad || uses[node->inputs[1]] != 1)
            return true;
        const int32_t inputs[] = {rows->inputs[0], gy->inputs[0], gy->inputs[1]};
        node->attrs = gy->attrs;
        return replace(graph, node, &plx__op_softmax_xent_grad, 3, inputs, gy, "log_softmax_grad");
    }
    return true;
}

plx_status plx__pass_fuse(plx_plan *plan) {
    plx_graph *graph = plan->graph;
    int32_t *uses = plx_platform_alloc((size_t)graph->count * sizeof *uses);
    if (!uses) return plx__fail(&plan->ctx->message, PLX_ERR_MEMORY, "compile: no memory");
    count_uses(plan, uses);
    bool ok = true;
    for (int32_t i = 0; i < graph->count && ok; ++i) {
        plx__node *node = graph->nodes[i];
        if (!plan->live[i] || !node->inputs_count) continue;
        ok = fuse_bias(graph, node, uses) && fuse_activation(graph, node, uses) &&
             fuse_cross_entropy(graph, node, uses);
    }
    plx_platform_free(uses);
    return ok ? PLX_OK : plx__fail(&plan->ctx->message, PLX_ERR_MEMORY, "compile: no memory");
}
