/* Fusion of products with bias and activation, and of cross-entropy: fewer passes over memory. */
#include "plan/fusion.h"

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
static bool fuse_bias(plx__fusion *f, plx__node *node) {
    if (node->op != &plx__op_bias || f->uses[node->inputs[0]] != 1) return true;
    const plx__node *product = plx__input_of(f->graph, node, 0);
    for (int i = 0; i < PRODUCTS; ++i) {
        if (product->op != products[i].plain) continue;
        const int32_t inputs[] = {product->inputs[0], product->inputs[1], node->inputs[1]};
        node->attrs = product->attrs;
        return plx__absorb(f, node, products[i].fused, 3, inputs, product, "bias");
    }
    return true;
}

/* act(dense(...)) and act(matmul(...)) are dense with an activation. */
static bool fuse_activation(plx__fusion *f, plx__node *node) {
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
        return plx__absorb(f, node, products[i].fused, source->inputs_count, source->inputs, source,
                           plx_activation_name(act));
    }
    return true;
}

/* A log-softmax along the last axis. */
static bool is_of_rows(const plx__node *node) {
    return node->op == &plx__op_log_softmax && node->attrs.softmax.axes_after == 0;
}

/* The gradient of the one below. */
static bool fuse_cross_entropy_gradient(plx__fusion *f, plx__node *node) {
#ifndef PLX_INFERENCE
    if (node->op != &plx__op_log_softmax_grad) return true;
    const plx__node *rows = plx__input_of(f->graph, node, 0),
                    *gy = plx__input_of(f->graph, node, 1);
    if (!is_of_rows(rows) || gy->op != &plx__op_nll_grad || f->uses[node->inputs[1]] != 1)
        return true;
    const int32_t inputs[] = {rows->inputs[0], gy->inputs[0], gy->inputs[1]};
    node->attrs = gy->attrs;
    return plx__absorb(f, node, &plx__op_softmax_xent_grad, 3, inputs, gy, "log_softmax_grad");
#else
    (void)f, (void)node;
    return true;
#endif
}

/* nll(log_softmax(x), t) needs no log-probabilities in memory, and neither does its gradient. */
static bool fuse_cross_entropy(plx__fusion *f, plx__node *node) {
    if (node->op != &plx__op_nll) return fuse_cross_entropy_gradient(f, node);
    const plx__node *rows = plx__input_of(f->graph, node, 0);
    if (!is_of_rows(rows)) return true;
    const int32_t inputs[] = {rows->inputs[0], node->inputs[1]};
    return plx__absorb(f, node, &plx__op_softmax_xent, 2, inputs, rows, "nll");
}

plx_status plx__pass_fuse(plx_plan *plan, bool on) {
    if (!on) return PLX_OK;
    plx__fusion f;
    plx_status status = plx__fusion_open(plan, 0, &f);
    for (int32_t i = plan->first; i >= 0 && status == PLX_OK; i = plan->links[i].after) {
        plx__node *node = f.graph->nodes[i];
        if (!node->inputs_count) continue;
        const bool ok =
            fuse_bias(&f, node) && fuse_activation(&f, node) && fuse_cross_entropy(&f, node);
        if (!ok) status = plx__no_memory(plan);
    }
    plx__fusion_close(&f);
    return status;
}
