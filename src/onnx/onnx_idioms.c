/* Recognises operations that files write out. Each pattern is matched backwards from its last step;
 * the results differ by rounding. */
#include "onnx/idioms.h"

#include "graph/graph.h"

#include <string.h>

static const plx__node *at(const plx_graph *graph, plx_node node) {
    const int32_t place = plx__place_of(graph, node);
    return place < 0 ? NULL : graph->nodes[place];
}

static bool is_op(const plx_graph *graph, plx_node node, const plx_op *op) {
    const plx__node *found = at(graph, node);
    return found && found->op == op;
}

static bool same(plx_node a, plx_node b) {
    return a.id >= 0 && a.id == b.id;
}

/* Whether a node is a number. */
static bool is_number(const plx_graph *graph, plx_node node, double *value) {
    if (!is_op(graph, node, &plx__op_constant)) return false;
    *value = at(graph, node)->attrs.leaf.value;
    return true;
}

/* Files hold numbers rounded to single precision. */
static bool is_about(double value, double expected) {
    const double error = value - expected;
    return error <= 1e-6 * expected && -error <= 1e-6 * expected;
}

static plx_node operand(const plx_graph *graph, plx_node node, int i) {
    return plx_node_operand(graph, node, i);
}

/* x + number, in either order: x, or an invalid node. */
static plx_node plus(const plx_graph *graph, plx_node node, double number) {
    if (!is_op(graph, node, &plx__op_add)) return plx_none();
    for (int i = 0; i < 2; ++i) {
        double value = 0;
        if (is_number(graph, operand(graph, node, i), &value) && is_about(value, number))
            return operand(graph, node, 1 - i);
    }
    return plx_none();
}

/* ---- Products -------------------------------------------------------------------------------- */

/* A product: a number and up to two other factors. */
typedef struct product {
    double number;
    int count;
    plx_node factors[2];
} product;

static bool add_factor(const plx_graph *graph, plx_node node, bool divides, product *p) {
    double value = 0;
    if (is_number(graph, node, &value)) {
        p->number *= divides ? 1 / value : value;
        return true;
    }
    if (divides || p->count == 2) return false;
    p->factors[p->count++] = node;
    return true;
}

/* The factors of one operand, which may be a product or quotient itself. */
static bool add_operand(const plx_graph *graph, plx_node node, product *p) {
    double value = 0;
    const bool quotient = is_op(graph, node, &plx__op_div);
    if (!quotient && !is_op(graph, node, &plx__op_mul)) return add_factor(graph, node, false, p);
    if (quotient && !is_number(graph, operand(graph, node, 1), &value))
        return add_factor(graph, node, false, p);
    return add_factor(graph, operand(graph, node, 0), false, p) &&
           add_factor(graph, operand(graph, node, 1), quotient, p);
}

/* x / sqrt(2). */
static bool is_scaled(const plx_graph *graph, plx_node node, plx_node x) {
    product p = {.number = 1};
    return add_operand(graph, node, &p) && p.count == 1 && same(p.factors[0], x) &&
           is_about(p.number, 0.70710678118654752440);
}

/* The activation that x times other times number is; PLX_ACTIVATIONS_: none. */
static plx_activation activation_of(const plx_graph *graph, plx_node x, plx_node other,
                                    double number) {
    if (is_about(number, 1) && is_op(graph, other, &plx__op_sigmoid) &&
        same(operand(graph, other, 0), x))
        return PLX_SILU;
    if (is_about(number, 1) && is_op(graph, other, &plx__op_hardsigmoid) &&
        same(operand(graph, other, 0), x))
        return PLX_HARDSWISH;
    if (is_about(number, 1.0 / 6) && is_op(graph, other, &plx__op_relu6) &&
        same(plus(graph, operand(graph, other, 0), 3), x))
        return PLX_HARDSWISH;
    const plx_node erf = plus(graph, other, 1);
    if (is_about(number, 0.5) && is_op(graph, erf, &plx__op_erf) &&
        is_scaled(graph, operand(graph, erf, 0), x))
        return PLX_GELU;
    return PLX_ACTIVATIONS_;
}

static plx_node find_activation(plx_graph *graph, const product *p) {
    for (int i = 0; i < 2 && p->count == 2; ++i) {
        const plx_activation found =
            activation_of(graph, p->factors[i], p->factors[1 - i], p->number);
        if (found != PLX_ACTIVATIONS_) return plx_activate(graph, p->factors[i], found, 0);
    }
    return plx_none();
}

/* ---- Layer normalisation --------------------------------------------------------------------- */

/* The mean over the last axis, which is kept with size 1: of what, or an invalid node. */
static plx_node mean_of(const plx_graph *graph, plx_node node) {
    const plx__node *view = at(graph, node);
    if (!view || view->op != &plx__op_view) return plx_none();
    const plx_node sum = operand(graph, node, 0);
    const plx__node *reduced = at(graph, sum), *x = at(graph, operand(graph, sum, 0));
    if (!reduced || reduced->op != &plx__op_sum_to || !x || !x->rank) return plx_none();
    const int last = x->rank - 1;
    if (view->rank != x->rank || view->dims[last] != 1 ||
        reduced->attrs.sum.axes != (int64_t)1 << last ||
        !is_about(reduced->attrs.sum.factor, 1.0 / (double)x->dims[last]))
        return plx_none();
    return operand(graph, sum, 0);
}

/* x - mean(x): x, or an invalid node. */
static plx_node centred(const plx_graph *graph, plx_node node) {
    if (!is_op(graph, node, &plx__op_sub)) return plx_none();
    const plx_node x = operand(graph, node, 0);
    return same(mean_of(graph, operand(graph, node, 1)), x) ? x : plx_none();
}

/* (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon). */
static plx_node find_layer_norm(plx_graph *graph, plx_node a, plx_node b) {
    const plx_node x = centred(graph, a);
    if (x.id < 0 || !is_op(graph, b, &plx__op_sqrt)) return plx_none();
    const plx_node sum = operand(graph, b, 0);
    if (!is_op(graph, sum, &plx__op_add)) return plx_none();
    for (int i = 0; i < 2; ++i) {
        double epsilon = 0;
        const plx_node square = mean_of(graph, operand(graph, sum, i));
        if (!is_number(graph, operand(graph, sum, 1 - i), &epsilon) || !(epsilon >= 0)) continue;
        const bool squared = is_op(graph, square, &plx__op_square) ||
                             (is_op(graph, square, &plx__op_mul) &&
                              same(operand(graph, square, 0), operand(graph, square, 1)));
        if (squared && same(centred(graph, operand(graph, square, 0)), x))
            return plx_layer_norm(graph, x, plx_none(), plx_none(), epsilon);
    }
    return plx_none();
}

/* A normalisation and a row of its width, in either order; scaled: whether it has a scale. */
static bool is_norm_and_row(const plx_graph *graph, plx_node norm, plx_node row, bool scaled) {
    const plx__node *n = at(graph, norm), *r = at(graph, row);
    return n && r && n->op == &plx__op_layer_norm && n->attrs.norm.has_scale == scaled &&
           !n->attrs.norm.has_shift && r->rank == 1 && r->dims[0] == n->dims[n->rank - 1];
}

/* ---- Steps ----------------------------------------------------------------------------------- */

plx_node plx__onnx_add(plx_graph *graph, plx_node a, plx_node b) {
    for (int i = 0; i < 2; ++i) {
        const plx_node norm = i ? b : a, row = i ? a : b;
        if (is_norm_and_row(graph, norm, row, true))
            return plx_layer_norm(graph, operand(graph, norm, 0), operand(graph, norm, 1), row,
                                  at(graph, norm)->attrs.norm.epsilon);
        /* A product and its bias, which plans fuse. */
        const plx__node *m = at(graph, norm), *r = at(graph, row);
        if (m && r && m->op == &plx__op_matmul && r->rank == 1 &&
            r->dims[0] == m->dims[m->rank - 1])
            return plx_bias(graph, norm, row);
    }
    return plx_add(graph, a, b);
}

plx_node plx__onnx_mul(plx_graph *graph, plx_node a, plx_node b) {
    product p = {.number = 1};
    plx_node found = plx_none();
    for (int i = 0; i < 2; ++i) {
        const plx_node norm = i ? b : a, row = i ? a : b;
        if (is_norm_and_row(graph, norm, row, false))
            return plx_layer_norm(graph, operand(graph, norm, 0), row, plx_none(),
                                  at(graph, norm)->attrs.norm.epsilon);
    }
    if (add_operand(graph, a, &p) && add_operand(graph, b, &p)) found = find_activation(graph, &p);
    /* x may itself be a product: then only the other operand is taken apart. */
    for (int i = 0; i < 2 && found.id < 0; ++i) {
        p = (product){.number = 1};
        if (add_factor(graph, i ? b : a, false, &p) && add_operand(graph, i ? a : b, &p))
            found = find_activation(graph, &p);
    }
    return found.id < 0 ? plx_mul(graph, a, b) : found;
}

plx_node plx__onnx_div(plx_graph *graph, plx_node a, plx_node b) {
    product p = {.number = 1};
    plx_node found = find_layer_norm(graph, a, b);
    if (found.id < 0 && add_operand(graph, a, &p) && add_factor(graph, b, true, &p))
        found = find_activation(graph, &p);
    return found.id < 0 ? plx_div(graph, a, b) : found;
}
