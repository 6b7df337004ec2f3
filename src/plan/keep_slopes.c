/* GELU and SiLU with their derivatives. The gradient of such an activation needs its input, and
 * evaluates most of it a second time. Where nothing else needs the input, a plan keeps the
 * derivative in its place: the activation computes it too, at little extra cost, and the gradient
 * is a product. Where GELU comes from a table, its value and its derivative have nothing in common,
 * and memory delays the product more than the table does. */
#include "plan/fusion.h"

#ifndef PLX_INFERENCE

/* The op that is the gradient of an activation whose slope is worth keeping; NULL: it is no such
 * activation. */
static const plx_op *gradient_of(const plx_plan *plan, const plx_op *op) {
    if (!plx__has_slope(plx__activation_of(op))) return NULL;
    if (op == &plx__op_gelu && plan->ctx->kernels->cheap_gelu_grad) return NULL;
    return op == &plx__op_silu   ? &plx__op_silu_grad
           : op == &plx__op_gelu ? &plx__op_gelu_grad
                                 : &plx__op_gelu_tanh_grad;
}

static bool is_gradient_at(const plx__node *node, const plx_op *gradient, int32_t x) {
    return node->op == gradient && node->inputs[0] == x && node->inputs[1] != x;
}

static int count_gradients(const plx__fusion *f, const plx_op *gradient, int32_t x) {
    int count = 0;
    PLX__SCHEDULED(f->plan, i) count += is_gradient_at(f->graph->nodes[i], gradient, x);
    return count;
}

/* False: no memory. */
static bool keep_slope(plx__fusion *f, int32_t id) {
    plx__node *node = f->graph->nodes[id];
    const plx_op *gradient = gradient_of(f->plan, node->op);
    if (!gradient) return true;
    const int32_t x = node->inputs[0];
    const int gradients = count_gradients(f, gradient, x);
    if (!gradients || f->uses[x] != gradients + 1) return true;
    plx__attrs shape = {.rank = 0};
    plx__set_shape(&shape, node);
    const int32_t slope = plx__insert_before(f->plan, id, &plx__op_buffer, 0, NULL, &shape);
    if (slope < 0) return false;
    node->attrs = (plx__attrs){.gated = {.activation = plx__activation_of(node->op)}};
    bool ok =
        plx__absorb(f, node, &plx__op_with_slope, 2, (const int32_t[]){x, slope}, node, "slope");
    for (int32_t i = f->plan->links[id].after; i >= 0 && ok; i = f->plan->links[i].after) {
        plx__node *other = f->graph->nodes[i];
        if (!is_gradient_at(other, gradient, x)) continue;
        const int32_t factors[] = {other->inputs[1], slope};
        ok = plx__absorb(f, other, &plx__op_mul, 2, factors, other, "slope");
    }
    return ok;
}

/* How many derivatives may be kept. */
static int32_t most_slopes(const plx_plan *plan) {
    int32_t count = 0;
    PLX__SCHEDULED(plan, i) count += gradient_of(plan, plan->graph->nodes[i]->op) != NULL;
    return count;
}

plx_status plx__pass_keep_slopes(plx_plan *plan, bool on) {
    if (!on) return PLX_OK;
    plx__fusion f;
    plx_status status = plx__fusion_open(plan, most_slopes(plan), &f);
    for (int32_t i = plan->first; i >= 0 && status == PLX_OK; i = plan->links[i].after)
        if (!keep_slope(&f, i)) status = plx__no_memory(plan);
    plx__fusion_close(&f);
    return status;
}

#else

plx_status plx__pass_keep_slopes(plx_plan *plan, bool on) {
    (void)plan, (void)on;
    return PLX_OK;
}

#endif
