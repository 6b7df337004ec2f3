/* Elementwise operators: arithmetic, comparisons, activations, casts. */
#include "onnx/fold.h"
#include "onnx/idioms.h"
#include "onnx/importer.h"

#include <string.h>

/* ---- Operands -------------------------------------------------------------------------------- */

/* A single number that is no parameter of its own. */
static bool is_number(const plx__onnx_value *v) {
    return v->data && v->size == 1 && v->type == PLX_ONNX_FLOAT && (!v->stored || !v->rank);
}

/* The node of an operand of an elementwise operation of that rank. */
static plx_node operand(const plx__onnx_call *c, plx__onnx_value *v, int rank, bool last) {
    if (is_number(v) && (v->rank < rank || !v->rank))
        return plx_constant(c->graph, plx__onnx_get_real(v, 0));
    if (!last) return plx__onnx_plain(c, v);
    if (v->rank == rank) return plx__onnx_last(c, v);
    int64_t dims[PLX_MAX_RANK];
    int axes[PLX_MAX_RANK];
    for (int i = 0; i < rank; ++i) dims[i] = i < rank - v->rank ? 1 : v->dims[i - (rank - v->rank)];
    for (int i = 0; i < rank; ++i) axes[plx__onnx_last_axis(i, rank)] = i;
    const plx_node wide = plx_reshape(c->graph, plx__onnx_plain(c, v), rank, dims);
    return plx_transpose(c->graph, wide, axes);
}

/* The rank of the result, and whether its channels are at the end, as those of an operand are. */
static bool layout_of(const plx__onnx_call *c, int *rank, bool *last) {
    *rank = 0;
    *last = false;
    for (int i = 0; i < c->inputs_count; ++i)
        if (c->inputs[i] && c->inputs[i]->rank > *rank) *rank = c->inputs[i]->rank;
    for (int i = 0; i < c->inputs_count; ++i)
        *last |= c->inputs[i] && c->inputs[i]->rank == *rank && *rank >= 3 &&
                 plx__onnx_is_last(c->inputs[i]);
    return true;
}

static bool give(plx__onnx_call *c, plx_node node, int type, bool last) {
    return last ? plx__onnx_give_last(c, 0, node, type) : plx__onnx_give(c, 0, node, type);
}

static bool are_reals(const plx__onnx_call *c) {
    for (int i = 0; i < c->inputs_count; ++i)
        if (c->inputs[i] && c->inputs[i]->type != PLX_ONNX_FLOAT)
            return plx__onnx_refuse(c,
                                    "\"%.64s\" is %s and not known at import; arithmetic at run "
                                    "time is on float32",
                                    c->inputs[i]->name, plx_onnx_type_name(c->inputs[i]->type));
    return true;
}

/* Before version 7 an attribute says at which axis the second operand lies. */
static bool align_second(plx__onnx_call *c) {
    const plx_onnx_attribute *axis = plx__onnx_attribute(c, "axis");
    if (c->version >= 7 || !axis || axis->kind != PLX_ONNX_INT || c->inputs_count < 2) return true;
    const plx__onnx_value *a = c->inputs[0];
    plx__onnx_value *b = c->inputs[1];
    const int first = plx__onnx_axis(c, axis->ints[0], a->rank);
    if (first < 0) return false;
    const int rank = a->rank - first;
    int64_t dims[PLX_MAX_RANK];
    if (b->rank >= rank) return true;
    for (int i = 0; i < rank; ++i) dims[i] = i < b->rank ? b->dims[i] : 1;
    plx__onnx_value *wide = plx__onnx_new_value(c->importer, b->name, b->type, rank, dims, b->size);
    if (!wide) return plx__onnx_no_memory(c);
    wide->data = b->data;
    wide->stored = b->stored;
    if (!b->data) wide->plain = plx_reshape(c->graph, plx__onnx_plain(c, b), rank, dims);
    c->inputs[1] = wide;
    return true;
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

typedef plx_node builder(plx_graph *graph, plx_node a, plx_node b);

/* At run time; several operands are joined from the left. */
static bool join(plx__onnx_call *c, builder *build) {
    int rank = 0;
    bool last = false;
    if (!are_reals(c) || !layout_of(c, &rank, &last)) return false;
    plx_node node = operand(c, c->inputs[0], rank, last);
    for (int i = 1; i < c->inputs_count; ++i)
        node = build(c->graph, node, operand(c, c->inputs[i], rank, last));
    return give(c, node, PLX_ONNX_FLOAT, last);
}

static bool binary(plx__onnx_call *c, plx__onnx_fold kind, builder *build) {
    if (!align_second(c)) return false;
    if (plx__onnx_folds(c)) return plx__onnx_fold_binary(c, kind, c->inputs[0]->type);
    return join(c, build);
}

#define BINARY(name, KIND, builder)                                                                \
    bool plx__onnx_build_##name(plx__onnx_call *c) {                                               \
        return binary(c, PLX__FOLD_##KIND, builder);                                               \
    }
BINARY(add, ADD, plx__onnx_add)
BINARY(sub, SUB, plx_sub)
BINARY(mul, MUL, plx__onnx_mul)
BINARY(div, DIV, plx__onnx_div)

bool plx__onnx_build_max(plx__onnx_call *c) {
    if (c->inputs_count == 2) return binary(c, PLX__FOLD_MAX, plx_max);
    return join(c, plx_max);
}

bool plx__onnx_build_min(plx__onnx_call *c) {
    if (c->inputs_count == 2) return binary(c, PLX__FOLD_MIN, plx_min);
    return join(c, plx_min);
}

bool plx__onnx_build_sum(plx__onnx_call *c) {
    return join(c, plx_add);
}

bool plx__onnx_build_mean(plx__onnx_call *c) {
    int rank = 0;
    bool last = false;
    if (!join(c, plx_add) || !layout_of(c, &rank, &last)) return false;
    if (c->outputs_count < 1 || !c->outputs[0]) return true;
    plx_node *node = last ? &c->outputs[0]->last : &c->outputs[0]->plain;
    *node = plx_mul(c->graph, *node, plx_constant(c->graph, 1.0 / c->inputs_count));
    return true;
}

/* Whole exponents that are known, as reals. */
static bool real_exponents(plx__onnx_call *c) {
    const plx__onnx_value *y = c->inputs[1];
    if (y->type == PLX_ONNX_FLOAT) return true;
    plx__onnx_value *real =
        plx__onnx_new_value(c->importer, y->name, PLX_ONNX_FLOAT, y->rank, y->dims, y->size);
    uint8_t *data = plx__onnx_elements(c, PLX_ONNX_FLOAT, y->size);
    if (!real || !data) return plx__onnx_no_memory(c);
    for (int64_t i = 0; i < y->size; ++i)
        plx__onnx_put_real(PLX_ONNX_FLOAT, data, i, plx__onnx_get_real(y, i));
    real->data = data;
    c->inputs[1] = real;
    return true;
}

bool plx__onnx_build_pow(plx__onnx_call *c) {
    if (!align_second(c)) return false;
    plx__onnx_value *x = c->inputs[0], *y = c->inputs[1];
    if (plx__onnx_folds(c) && !plx__onnx_is_real(x->type) && !plx__onnx_is_real(y->type))
        return plx__onnx_fold_binary(c, PLX__FOLD_POW, x->type);
    if (x->type != PLX_ONNX_FLOAT || (!y->data && y->type != PLX_ONNX_FLOAT))
        return plx__onnx_refuse(c, "powers of %s by %s are not available",
                                plx_onnx_type_name(x->type), plx_onnx_type_name(y->type));
    const bool single = y->data && y->size == 1 && y->rank <= x->rank;
    if (!single && !real_exponents(c)) return false;
    if (!single) return join(c, plx_pow);
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    const plx_node node = operand(c, x, x->rank, last);
    const double exponent = plx__onnx_get_real(y, 0);
    return give(c,
                exponent == 1     ? node
                : exponent == 2   ? plx_square(c->graph, node)
                : exponent == 0.5 ? plx_sqrt(c->graph, node)
                                  : plx_pow(c->graph, node, plx_constant(c->graph, exponent)),
                PLX_ONNX_FLOAT, last);
}

bool plx__onnx_build_mod(plx__onnx_call *c) {
    if (!plx__onnx_folds(c) || plx__onnx_is_real(c->inputs[0]->type))
        return plx__onnx_refuse(c, "only remainders of whole numbers that are known at import are "
                                   "available");
    const bool dividend = plx__onnx_int(c, "fmod", 0) != 0;
    return plx__onnx_fold_binary(c, dividend ? PLX__FOLD_FMOD : PLX__FOLD_MOD, c->inputs[0]->type);
}

/* ---- Comparisons and logic ------------------------------------------------------------------- */

static bool compare(plx__onnx_call *c, plx__onnx_fold kind, builder *build) {
    int rank = 0;
    bool last = false;
    if (!align_second(c)) return false;
    if (plx__onnx_folds(c)) return plx__onnx_fold_binary(c, kind, PLX_ONNX_BOOL);
    layout_of(c, &rank, &last);
    plx_node nodes[2];
    for (int i = 0; i < 2; ++i) {
        const int type = c->inputs[i]->type;
        if (type != PLX_ONNX_FLOAT && type != PLX_ONNX_INT32 && type != PLX_ONNX_INT64 &&
            type != PLX_ONNX_BOOL)
            return plx__onnx_refuse(c, "comparisons of %s are not available at run time",
                                    plx_onnx_type_name(type));
        nodes[i] = operand(c, c->inputs[i], rank, last);
        if (type == PLX_ONNX_BOOL) nodes[i] = plx_cast(c->graph, nodes[i], PLX_DTYPE_I32);
    }
    return give(c, build(c->graph, nodes[0], nodes[1]), PLX_ONNX_BOOL, last);
}

#define COMPARE(name, KIND)                                                                        \
    bool plx__onnx_build_##name(plx__onnx_call *c) {                                               \
        return compare(c, PLX__FOLD_##KIND, plx_##name);                                           \
    }
COMPARE(equal, EQUAL)
COMPARE(less, LESS)
COMPARE(less_equal, LESS_EQUAL)
COMPARE(greater, GREATER)
COMPARE(greater_equal, GREATER_EQUAL)

/* Booleans are 0 and 1: and is the smaller, or the larger of two, xor whether they differ. */
static bool logic(plx__onnx_call *c, plx__onnx_fold kind, builder *build) {
    int rank = 0;
    bool last = false;
    plx_node nodes[2];
    if (!align_second(c)) return false;
    if (plx__onnx_folds(c)) return plx__onnx_fold_binary(c, kind, PLX_ONNX_BOOL);
    layout_of(c, &rank, &last);
    for (int i = 0; i < 2; ++i)
        nodes[i] = plx_cast(c->graph, operand(c, c->inputs[i], rank, last), PLX_DTYPE_REAL);
    const plx_node node = build(c->graph, nodes[0], nodes[1]);
    return give(c, plx_cast(c->graph, node, PLX_DTYPE_U8), PLX_ONNX_BOOL, last);
}

bool plx__onnx_build_and(plx__onnx_call *c) {
    return logic(c, PLX__FOLD_AND, plx_min);
}

bool plx__onnx_build_or(plx__onnx_call *c) {
    return logic(c, PLX__FOLD_OR, plx_max);
}

bool plx__onnx_build_xor(plx__onnx_call *c) {
    return logic(c, PLX__FOLD_XOR, plx_not_equal);
}

bool plx__onnx_build_where(plx__onnx_call *c) {
    plx__onnx_value *condition = c->inputs[0], *a = c->inputs[1], *b = c->inputs[2];
    if (plx__onnx_folds(c)) return plx__onnx_fold_where(c);
    const plx_node node = plx_where(c->graph, plx__onnx_plain(c, condition), plx__onnx_plain(c, a),
                                    plx__onnx_plain(c, b));
    return plx__onnx_give(c, 0, node, a->type);
}

/* ---- One operand ----------------------------------------------------------------------------- */

typedef plx_node unary_builder(const plx__onnx_call *c, plx_node x);

static bool unary(plx__onnx_call *c, unary_builder *build) {
    plx__onnx_value *x = c->inputs[0];
    if (x->type != PLX_ONNX_FLOAT)
        return plx__onnx_refuse(c, "it is available for float32, not %s",
                                plx_onnx_type_name(x->type));
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    const plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    return give(c, build(c, node), PLX_ONNX_FLOAT, last);
}

/* UNARY(name, result), where x is the operand and g the graph. */
#define UNARY(name, result)                                                                        \
    static plx_node name##_of(const plx__onnx_call *c, plx_node x) {                               \
        plx_graph *g = c->graph;                                                                   \
        return result;                                                                             \
    }                                                                                              \
    bool plx__onnx_build_##name(plx__onnx_call *c) {                                               \
        return unary(c, name##_of);                                                                \
    }
#define REAL(name, otherwise) plx__onnx_real(c, name, otherwise)
#define ACTIVATION(NAME, p) plx_activate(g, x, PLX_##NAME, (plx_real)(p))

UNARY(abs, plx_abs(g, x))
UNARY(celu, ACTIVATION(CELU, REAL("alpha", 1)))
UNARY(cos, plx_cos(g, x))
UNARY(elu, ACTIVATION(ELU, REAL("alpha", 1)))
UNARY(erf, plx_erf(g, x))
UNARY(exp, plx_exp(g, x))
UNARY(hard_swish, ACTIVATION(HARDSWISH, 0))
UNARY(log, plx_log(g, x))
UNARY(mish, ACTIVATION(MISH, 0))
UNARY(relu, ACTIVATION(RELU, 0))
UNARY(sigmoid, ACTIVATION(SIGMOID, 0))
UNARY(sin, plx_sin(g, x))
UNARY(softplus, ACTIVATION(SOFTPLUS, 0))
UNARY(softsign, ACTIVATION(SOFTSIGN, 0))
UNARY(tan, plx_div(g, plx_sin(g, x), plx_cos(g, x)))
UNARY(tanh, ACTIVATION(TANH, 0))
UNARY(gelu, strcmp(plx__onnx_text(c, "approximate", "none"), "tanh") != 0
                ? ACTIVATION(GELU, 0)
                : ACTIVATION(GELU_TANH, 0))

/* A slope of 0 is ReLU; one below 0 has no operation of its own. */
static plx_node leaky_of(const plx__onnx_call *c, plx_node x) {
    const double slope = REAL("alpha", 0.01);
    if (slope > 0) return plx_activate(c->graph, x, PLX_LEAKY_RELU, (plx_real)slope);
    const plx_node up = plx_activate(c->graph, x, PLX_RELU, 0);
    return plx_add(c->graph, up,
                   plx_mul(c->graph, plx_sub(c->graph, x, up), plx_constant(c->graph, slope)));
}

bool plx__onnx_build_leaky_relu(plx__onnx_call *c) {
    return unary(c, leaky_of);
}

/* x where it is above alpha. */
static plx_node thresholded_of(const plx__onnx_call *c, plx_node x) {
    const plx_node above = plx_greater(c->graph, x, plx_constant(c->graph, REAL("alpha", 1)));
    return plx_where(c->graph, above, x, plx_constant(c->graph, 0));
}

bool plx__onnx_build_thresholded_relu(plx__onnx_call *c) {
    return unary(c, thresholded_of);
}

static plx_node hard_sigmoid_of(const plx__onnx_call *c, plx_node x) {
    const double alpha = REAL("alpha", 0.2), beta = REAL("beta", 0.5);
    if ((float)alpha == 1.0F / 6 && beta == 0.5)
        return plx_activate(c->graph, x, PLX_HARDSIGMOID, 0);
    const plx_node scaled = plx_mul(c->graph, x, plx_constant(c->graph, alpha));
    return plx_clip(c->graph, plx_add(c->graph, scaled, plx_constant(c->graph, beta)), 0, 1);
}

bool plx__onnx_build_hard_sigmoid(plx__onnx_call *c) {
    return unary(c, hard_sigmoid_of);
}

/* gamma (max(x, 0) + alpha (e^min(x, 0) - 1)): ELU with its own slope. */
static plx_node selu_of(const plx__onnx_call *c, plx_node x) {
    const double alpha = REAL("alpha", 1.67326319217681884765625),
                 gamma = REAL("gamma", 1.05070102214813232421875);
    return plx_mul(c->graph, plx_activate(c->graph, x, PLX_ELU, (plx_real)alpha),
                   plx_constant(c->graph, gamma));
}

bool plx__onnx_build_selu(plx__onnx_call *c) {
    return unary(c, selu_of);
}

/* x sigmoid(alpha x). */
static plx_node swish_of(const plx__onnx_call *c, plx_node x) {
    const double alpha = REAL("alpha", 1);
    if (alpha == 1) return plx_activate(c->graph, x, PLX_SILU, 0);
    const plx_node scaled = plx_mul(c->graph, x, plx_constant(c->graph, alpha));
    return plx_mul(c->graph, x, plx_activate(c->graph, scaled, PLX_SIGMOID, 0));
}

bool plx__onnx_build_swish(plx__onnx_call *c) {
    return unary(c, swish_of);
}

static plx_node neg_of(const plx__onnx_call *c, plx_node x) {
    return plx_mul(c->graph, x, plx_constant(c->graph, -1));
}

static plx_node reciprocal_of(const plx__onnx_call *c, plx_node x) {
    return plx_div(c->graph, plx_constant(c->graph, 1), x);
}

static plx_node sqrt_of(const plx__onnx_call *c, plx_node x) {
    return plx_sqrt(c->graph, x);
}

#define FOLDED(name, KIND)                                                                         \
    bool plx__onnx_build_##name(plx__onnx_call *c) {                                               \
        if (plx__onnx_folds(c)) return plx__onnx_fold_unary(c, PLX__FOLD_##KIND);                  \
        return unary(c, name##_of);                                                                \
    }
FOLDED(neg, NEG)
FOLDED(reciprocal, RECIPROCAL)
FOLDED(sqrt, SQRT)

/* ---- Rounding, signs ------------------------------------------------------------------------- */

/* The largest whole numbers that are not above x, in float32: from 2^23 on it holds no others. */
static plx_node floor_of(const plx__onnx_call *c, plx_node x) {
    plx_graph *g = c->graph;
    const plx_node cut = plx_cast(g, plx_cast(g, x, PLX_DTYPE_I32), PLX_DTYPE_REAL);
    const plx_node above = plx_cast(g, plx_greater(g, cut, x), PLX_DTYPE_REAL);
    const plx_node small = plx_less(g, plx_abs(g, x), plx_constant(g, 0x1p23));
    return plx_where(g, small, plx_sub(g, cut, above), x);
}

static plx_node ceil_of(const plx__onnx_call *c, plx_node x) {
    return neg_of(c, floor_of(c, neg_of(c, x)));
}

/* Half way: to the even one. */
static plx_node round_of(const plx__onnx_call *c, plx_node x) {
    plx_graph *g = c->graph;
    const plx_node low = floor_of(c, x), rest = plx_sub(g, x, low), half = plx_constant(g, 0.5);
    const plx_node halved = plx_mul(g, low, half);
    const plx_node odd = plx_sub(g, halved, floor_of(c, halved)); /* half, or 0 */
    /* Up beyond the half, and at the half from an odd one: odd is then the half itself. */
    const plx_node least = plx_sub(g, plx_constant(g, 1), odd);
    const plx_node beyond = plx_cast(g, plx_greater(g, rest, half), PLX_DTYPE_REAL);
    const plx_node up = plx_cast(g, plx_greater_equal(g, rest, least), PLX_DTYPE_REAL);
    const plx_node small = plx_less(g, plx_abs(g, x), plx_constant(g, 0x1p23));
    return plx_where(g, small, plx_add(g, low, plx_max(g, beyond, up)), x);
}

bool plx__onnx_build_round(plx__onnx_call *c) {
    return unary(c, round_of);
}

FOLDED(floor, FLOOR)
FOLDED(ceil, CEIL)

/* A NaN stays one. */
static plx_node sign_of(const plx__onnx_call *c, plx_node x) {
    plx_graph *g = c->graph;
    const plx_node zero = plx_constant(g, 0);
    const plx_node above = plx_cast(g, plx_greater(g, x, zero), PLX_DTYPE_REAL),
                   below = plx_cast(g, plx_less(g, x, zero), PLX_DTYPE_REAL);
    return plx_where(g, plx_equal(g, x, x), plx_sub(g, above, below), x);
}

bool plx__onnx_build_sign(plx__onnx_call *c) {
    return unary(c, sign_of);
}

static bool question(plx__onnx_call *c, unary_builder *build) {
    plx__onnx_value *x = c->inputs[0];
    if (!are_reals(c)) return false;
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    const plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    return give(c, build(c, node), PLX_ONNX_BOOL, last);
}

static plx_node is_nan_of(const plx__onnx_call *c, plx_node x) {
    return plx_not_equal(c->graph, x, x);
}

bool plx__onnx_build_is_nan(plx__onnx_call *c) {
    return question(c, is_nan_of);
}

static plx_node is_inf_of(const plx__onnx_call *c, plx_node x) {
    const bool below = plx__onnx_int(c, "detect_negative", 1) != 0,
               above = plx__onnx_int(c, "detect_positive", 1) != 0;
    const plx_node infinity = plx_constant(c->graph, __builtin_inf());
    if (below && above) return plx_equal(c->graph, plx_abs(c->graph, x), infinity);
    if (below) return plx_equal(c->graph, neg_of(c, x), infinity);
    return above ? plx_equal(c->graph, x, infinity) : plx_less(c->graph, x, x); /* never */
}

bool plx__onnx_build_is_inf(plx__onnx_call *c) {
    return question(c, is_inf_of);
}

bool plx__onnx_build_not(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    if (plx__onnx_folds(c)) return plx__onnx_fold_unary(c, PLX__FOLD_NOT);
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    const plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    const plx_node real = plx_cast(c->graph, node, PLX_DTYPE_REAL);
    return give(c, plx_equal(c->graph, real, plx_constant(c->graph, 0)), PLX_ONNX_BOOL, last);
}

/* ---- Limits, slopes -------------------------------------------------------------------------- */

/* Bounds that are not known are maxima and minima; low above high gives high, as in this order. */
static plx_node bound(const plx__onnx_call *c, plx_node x, int input, builder *build) {
    plx__onnx_value *v = plx__onnx_in(c, input);
    return v ? build(c->graph, x, plx__onnx_plain(c, v)) : x;
}

bool plx__onnx_build_clip(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0], *low_value = plx__onnx_in(c, 1),
                    *high_value = plx__onnx_in(c, 2);
    double low = -__builtin_inf(), high = __builtin_inf();
    if (x->type != PLX_ONNX_FLOAT)
        return plx__onnx_refuse(c, "it is available for float32, not %s",
                                plx_onnx_type_name(x->type));
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    const plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    if ((low_value && !low_value->data) || (high_value && !high_value->data))
        return give(c, bound(c, bound(c, node, 1, plx_max), 2, plx_min), PLX_ONNX_FLOAT, last);
    if (!plx__onnx_number(c, "min", 1, &low) || !plx__onnx_number(c, "max", 2, &high)) return false;
    if (low > high) low = high;
    const plx_node result = low == 0 && high == 6 ? plx_activate(c->graph, node, PLX_RELU6, 0)
                                                  : plx_clip(c->graph, node, low, high);
    return give(c, result, PLX_ONNX_FLOAT, last);
}

bool plx__onnx_build_prelu(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0], *slope = c->inputs[1];
    /* Before version 7 a list of slopes is one for each channel. */
    const bool channels = c->version < 7 && slope->rank == 1 && slope->size > 1 && x->rank > 2;
    int rank = 0;
    bool last = false;
    if (!are_reals(c) || !layout_of(c, &rank, &last)) return false;
    if (channels) {
        const plx_node node = plx_prelu(c->graph, plx__onnx_last(c, x), plx__onnx_plain(c, slope));
        return plx__onnx_give_last(c, 0, node, PLX_ONNX_FLOAT);
    }
    const plx_node node =
        plx_prelu(c->graph, operand(c, x, rank, last), operand(c, slope, rank, last));
    return give(c, node, PLX_ONNX_FLOAT, last);
}

/* ---- Casts ----------------------------------------------------------------------------------- */

static bool cast_to(plx__onnx_call *c, int type) {
    plx__onnx_value *x = c->inputs[0];
    plx_node node;
    if (!plx_onnx_type_bytes(type))
        return plx__onnx_refuse(c, "it casts to type number %d, which is not available", type);
    if (x->type == type) return plx__onnx_give_same(c, 0, x);
    if (x->data && plx__onnx_fold_cast(c, type)) return true;
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    switch (type) {
    case PLX_ONNX_FLOAT: node = plx_cast(c->graph, node, PLX_DTYPE_REAL); break;
    case PLX_ONNX_INT32:
    case PLX_ONNX_INT64: node = plx_cast(c->graph, node, PLX_DTYPE_I32); break;
    case PLX_ONNX_FLOAT16: node = plx_cast(c->graph, node, PLX_DTYPE_F16); break;
    case PLX_ONNX_BFLOAT16: node = plx_cast(c->graph, node, PLX_DTYPE_BF16); break;
    case PLX_ONNX_BOOL:
        node = plx_not_equal(c->graph, plx_cast(c->graph, node, PLX_DTYPE_REAL),
                             plx_constant(c->graph, 0));
        break;
    default:
        return plx__onnx_refuse(c, "casts to %s are not available at run time",
                                plx_onnx_type_name(type));
    }
    return give(c, node, type, last);
}

bool plx__onnx_build_cast(plx__onnx_call *c) {
    return cast_to(c, (int)plx__onnx_int(c, "to", 0));
}

bool plx__onnx_build_cast_like(plx__onnx_call *c) {
    return cast_to(c, c->inputs[1]->type);
}
