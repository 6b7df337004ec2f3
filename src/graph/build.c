/* The public builders. Each emits one node, or a few ordinary ones. */
#include "graph/graph.h"

#include <assert.h>
#include <string.h>

static plx_node leaf(plx_graph *graph, const plx_op *op, const char *name, plx_dtype dtype,
                     int rank, const int64_t *dims) {
    if (graph->status != PLX_OK) return plx_none();
    plx__message message;
    char named[96];
    plx__format(named, sizeof named, "%s \"%.64s\"", op->name, name ? name : "");
    const char *where = name && *name ? named : op->name;
    if (rank && !plx__given(graph, where, "dims", dims)) return plx_none();
    const plx_status status = plx__check_dims(&message, where, rank, dims);
    if (status != PLX_OK) {
        plx__graph_fail(graph, status, "%s", message.text);
        return plx_none();
    }
    plx__attrs attrs = {.leaf = {.dtype = dtype}, .rank = rank};
    for (int i = 0; i < rank; ++i) attrs.dims[i] = dims[i];
    const char *own = plx__arena_text(&graph->arena, name ? name : "");
    if (!own) {
        plx__graph_fail(graph, PLX_ERR_MEMORY, "%s: no memory", op->name);
        return plx_none();
    }
    const plx_node node = plx__build(graph, op, 0, NULL, &attrs);
    if (node.id >= 0) plx__at(graph, node)->name = own;
    return node;
}

bool plx__has_input(const plx_graph *graph, const char *name) {
    for (int32_t i = 0; i < graph->count; ++i)
        if (graph->nodes[i]->op == &plx__op_input && !strcmp(graph->nodes[i]->name, name))
            return true;
    return false;
}

plx_node plx_input(plx_graph *graph, const char *name, plx_dtype dtype, int rank,
                   const int64_t *dims) {
    if (!plx__is_dtype(dtype)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "input: there is no dtype number %d; it must be 0 to %d", (int)dtype,
                        PLX_DTYPES_ - 1);
        return plx_none();
    }
    if (name && *name && plx__has_input(graph, name)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "input: there is already an input named \"%s\"; names must be unique",
                        name);
        return plx_none();
    }
    return leaf(graph, &plx__op_input, name, dtype, rank, dims);
}

plx_node plx_parameter(plx_graph *graph, const char *name, plx_tensor *tensor) {
    if (!plx__given(graph, "parameter", "the tensor", tensor)) return plx_none();
    for (int32_t i = 0; i < graph->count; ++i)
        if (graph->nodes[i]->tensor == tensor) return plx__handle(graph, i);
    const plx_node node =
        leaf(graph, &plx__op_parameter, name, tensor->dtype, tensor->rank, tensor->dims);
    if (node.id >= 0) plx__at(graph, node)->tensor = plx__tensor_hold(tensor);
    return node;
}

plx_node plx_constant(plx_graph *graph, double value) {
    const plx__attrs attrs = {.leaf = {.value = value}};
    return plx__build(graph, &plx__op_constant, 0, NULL, &attrs);
}

/* ---- Activations ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const plx_op *op;
    plx_real p;
} activations[PLX_ACTIVATIONS_] = {
    {"linear", NULL, 0},
#define PLX_ACTIVATION(NAME, name, parameter, default_p, begin, about)                             \
    {#name, &plx__op_##name, (plx_real)(default_p)},
#include "parallax.def"
};

static bool is_activation(plx_activation activation) {
    return (int)activation >= 0 && activation < PLX_ACTIVATIONS_;
}

const char *plx_activation_name(plx_activation activation) {
    return is_activation(activation) ? activations[activation].name : NULL;
}

plx_activation plx_activation_from_name(const char *name) {
    for (int i = 0; i < PLX_ACTIVATIONS_; ++i)
        if (!strcmp(activations[i].name, name)) return (plx_activation)i;
    return PLX_ACTIVATIONS_;
}

plx_real plx_activation_default(plx_activation activation) {
    return is_activation(activation) ? activations[activation].p : 0;
}

const plx_op *plx__activation_op(plx_activation activation) {
    return activations[activation].op;
}

plx_activation plx__activation_of(const plx_op *op) {
    for (int i = 1; i < PLX_ACTIVATIONS_; ++i)
        if (activations[i].op == op) return (plx_activation)i;
    return PLX_ACTIVATIONS_;
}

bool plx__activation_needs_p(plx_activation activation) {
    return plx_activation_default(activation) != 0;
}

plx_node plx_activate(plx_graph *graph, plx_node x, plx_activation activation, plx_real p) {
    if (!is_activation(activation)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "activate: there is no activation number %d; it must be 0 to %d",
                        (int)activation, PLX_ACTIVATIONS_ - 1);
        return plx_none();
    }
    const char *name = activations[activation].name;
    if (plx__activation_needs_p(activation) &&
        !plx__amount(graph, name, "parameter", (double)p, false))
        return plx_none();
    if (activation == PLX_LINEAR) return plx__rank_of(graph, name, x, NULL) < 0 ? plx_none() : x;
    const plx__attrs attrs = {.unary = {.alpha = (double)p}};
    return plx__build1(graph, activations[activation].op, x, &attrs);
}

/* ---- Products and elementwise ---------------------------------------------------------------- */

/* Whether all axes before the last two have size 1. */
static bool is_one_matrix(int rank, const int64_t *dims) {
    for (int axis = 0; axis < rank - 2; ++axis)
        if (dims[axis] != 1) return false;
    return rank >= 2;
}

/* One product, with the leading axes of a as rows, wherever b is one matrix; else one for each
 * matrix. */
plx_node plx_matmul(plx_graph *graph, plx_node a, plx_node b, bool ta, bool tb) {
    const plx__attrs attrs = {.matmul = {.transpose_a = ta, .transpose_b = tb}};
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(graph, a, NULL), rank_of_b = plx_node_shape(graph, b, &dims);
    if (ta && rank > 2) return plx__build2(graph, &plx__op_batched_matmul, a, b, &attrs);
    if (rank_of_b > 2) {
        if (rank < rank_of_b || !is_one_matrix(rank_of_b, dims))
            return plx__build2(graph, &plx__op_batched_matmul, a, b, &attrs);
        b = plx_reshape(graph, b, 2, dims + rank_of_b - 2);
    }
    return plx__build2(graph, &plx__op_matmul, a, b, &attrs);
}

plx_node plx_bias(plx_graph *graph, plx_node x, plx_node b) {
    return plx__build2(graph, &plx__op_bias, x, b, NULL);
}

bool plx__bias_given(plx_graph *graph, const char *op, plx_node bias) {
    return bias.id < 0 || plx__rank_named(graph, op, "the bias", bias, NULL) >= 0;
}

plx_node plx_dense(plx_graph *graph, plx_node x, plx_node w, plx_node b) {
    const int64_t *xd = NULL, *wd = NULL;
    const int xr = plx__rank_named(graph, "dense", "x", x, &xd),
              wr = plx__rank_named(graph, "dense", "w", w, &wd);
    if (xr < 0 || wr < 0 || !plx__bias_given(graph, "dense", b)) return plx_none();
    if (xr >= 1 && wr == 2 && xd[xr - 1] != wd[0]) {
        plx__graph_fail(graph, PLX_ERR_SHAPE,
                        "dense: inner sizes differ, %lld vs %lld; they must be equal",
                        (long long)xd[xr - 1], (long long)wd[0]);
        return plx_none();
    }
    const plx_node product = plx_matmul(graph, x, w, false, false);
    return b.id < 0 ? product : plx_bias(graph, product, b);
}

#define BINARY(name)                                                                               \
    plx_node plx_##name(plx_graph *graph, plx_node a, plx_node b) {                                \
        return plx__build2(graph, &plx__op_##name, a, b, NULL);                                    \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(max)
BINARY(min)
BINARY(pow)
BINARY(prelu)

BINARY(equal)
BINARY(not_equal)
BINARY(less)
BINARY(less_equal)
BINARY(greater)
BINARY(greater_equal)

plx_node plx_where(plx_graph *graph, plx_node condition, plx_node a, plx_node b) {
    const plx_node inputs[] = {condition, a, b};
    return plx__build(graph, &plx__op_where, 3, inputs, NULL);
}

plx_node plx_cast(plx_graph *graph, plx_node x, plx_dtype dtype) {
    if (plx__rank_of(graph, "cast", x, NULL) < 0) return plx_none();
    if (plx_node_dtype(graph, x) == dtype) return x;
    const plx__attrs attrs = {.leaf = {.dtype = dtype}};
    return plx__build1(graph, &plx__op_cast, x, &attrs);
}

#define UNARY(name)                                                                                \
    plx_node plx_##name(plx_graph *graph, plx_node x) {                                            \
        return plx__build1(graph, &plx__op_##name, x, NULL);                                       \
    }
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(square)
UNARY(abs)
UNARY(erf)
UNARY(rsqrt)
UNARY(sin)
UNARY(cos)

plx_node plx_dropout(plx_graph *graph, plx_node x, double rate, uint64_t seed) {
    if (!(rate >= 0 && rate < 1)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "dropout: rate %g must be 0 to below 1", rate);
        return plx_none();
    }
    if (rate == 0) return plx__rank_of(graph, "dropout", x, NULL) < 0 ? plx_none() : x;
    const plx__attrs attrs = {.dropout = {.rate = rate, .seed = (int64_t)seed}};
    return plx__build1(graph, &plx__op_dropout, x, &attrs);
}

/* ---- Reductions and losses ------------------------------------------------------------------- */

int plx__checked_axis(plx_graph *graph, const char *op, plx_node x, int axis, int64_t *size) {
    const int64_t *dims = NULL;
    const int rank = plx__rank_of(graph, op, x, &dims);
    if (rank < 0) return -1;
    if (axis == PLX_ALL_AXES) {
        *size = plx__product(rank, dims);
        return axis;
    }
    const int own = axis < 0 ? axis + rank : axis;
    if (own < 0 || own >= rank) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: there is no axis %d in an array of rank %d", op,
                        axis, rank);
        return -1;
    }
    *size = dims[own];
    return own;
}

int plx__one_axis(plx_graph *graph, const char *op, plx_node x, int axis, int64_t *size) {
    const int own = plx__checked_axis(graph, op, x, axis, size);
    if (own != PLX_ALL_AXES) return own;
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: it takes one axis, not all of them", op);
    return -1;
}

static plx_node sum_axis(plx_graph *graph, const char *op, plx_node x, int axis, bool mean) {
    int64_t size = 0;
    const int own = plx__checked_axis(graph, op, x, axis, &size);
    if (own < 0 || !plx__are_reals(graph, op, "x", x)) return plx_none();
    const int rank = plx_node_shape(graph, x, NULL);
    assert(0 <= rank && rank <= PLX_MAX_RANK);
    const int64_t mask = own == PLX_ALL_AXES ? ((int64_t)1 << rank) - 1 : (int64_t)1 << own;
    const plx__attrs attrs = {
        .sum = {.axes = mask, .dropped = mask, .factor = mean ? 1.0 / (double)size : 1.0}};
    return plx__build1(graph, &plx__op_sum_to, x, &attrs);
}

plx_node plx_reduce_sum(plx_graph *graph, plx_node x, int axis) {
    return sum_axis(graph, "reduce_sum", x, axis, false);
}

plx_node plx_reduce_mean(plx_graph *graph, plx_node x, int axis) {
    return sum_axis(graph, "reduce_mean", x, axis, true);
}

plx_node plx_reduce_max(plx_graph *graph, plx_node x, int axis) {
    int64_t size = 0;
    const int own = plx__checked_axis(graph, "reduce_max", x, axis, &size);
    if (own < 0) return plx_none();
    const plx__attrs attrs = {.axis = {own}};
    return plx__build1(graph, &plx__op_reduce_max, x, &attrs);
}

static plx_node softmax_over(plx_graph *graph, const plx_op *op, plx_node x, int axis) {
    int64_t size = 0;
    const int own = plx__checked_axis(graph, op->name, x, axis, &size);
    if (own < 0) return plx_none();
    const int after = plx_node_shape(graph, x, NULL) - 1 - own;
    const plx__attrs attrs = {
        .softmax = {.axes_after = own == PLX_ALL_AXES ? PLX_ALL_AXES : after}};
    return plx__build1(graph, op, x, &attrs);
}

plx_node plx_softmax(plx_graph *graph, plx_node x, int axis) {
    return softmax_over(graph, &plx__op_softmax, x, axis);
}

plx_node plx_log_softmax(plx_graph *graph, plx_node x, int axis) {
    return softmax_over(graph, &plx__op_log_softmax, x, axis);
}

plx_node plx_log_sum_exp(plx_graph *graph, plx_node x, int axis) {
    return softmax_over(graph, &plx__op_log_sum_exp, x, axis);
}

plx_node plx_mse(plx_graph *graph, plx_node prediction, plx_node target) {
    return plx__build2(graph, &plx__op_mse, prediction, target, NULL);
}

plx_node plx_cross_entropy(plx_graph *graph, plx_node logits, plx_node labels) {
    return plx_cross_entropy_smooth(graph, logits, labels, 0);
}

plx_node plx_cross_entropy_smooth(plx_graph *graph, plx_node logits, plx_node labels,
                                  double smoothing) {
    if (!(smoothing >= 0 && smoothing < 1)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "cross_entropy: label smoothing %g must be 0 to below 1", smoothing);
        return plx_none();
    }
    if (!plx__are_reals(graph, "cross_entropy", "logits", logits)) return plx_none();
    const plx_node log_probabilities = plx_log_softmax(graph, logits, -1);
    const plx__attrs attrs = {.cross_entropy = {.smoothing = smoothing}};
    return plx__build2(graph, &plx__op_nll, log_probabilities, labels, &attrs);
}
