/* Reductions, softmax, the largest elements, and normalisation. */
#include "onnx/fold.h"
#include "onnx/importer.h"

#include <assert.h>

static bool check_real(const plx__onnx_call *c, const plx__onnx_value *x) {
    return x->type == PLX_ONNX_FLOAT ||
           plx__onnx_refuse(c, "it is available for float32, not %s", plx_onnx_type_name(x->type));
}

/* ---- Reductions ------------------------------------------------------------------------------ */

typedef plx_node reducer(plx_graph *graph, plx_node x, int axis);

/* The axes to reduce, as bits: of the attribute, the input, or all. */
static bool read_axes(plx__onnx_call *c, unsigned *bits) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t axes[PLX_MAX_RANK];
    int count = 0;
    if (!plx__onnx_list(c, "axes", 1, PLX_MAX_RANK, axes, &count)) return false;
    *bits = 0;
    for (int i = 0; i < count; ++i) {
        const int axis = plx__onnx_axis(c, axes[i], x->rank);
        if (axis < 0) return false;
        *bits |= 1U << axis;
    }
    if (count <= 0 && !plx__onnx_int(c, "noop_with_empty_axes", 0)) *bits = (1U << x->rank) - 1;
    return true;
}

/* before and after: functions of the elements and of the result; NULL: none. */
static bool reduce_by(plx__onnx_call *c, reducer *reduce, plx_node (*before)(plx_graph *, plx_node),
                      plx_node (*after)(plx_graph *, plx_node)) {
    plx__onnx_value *x = c->inputs[0];
    unsigned bits = 0;
    int64_t dims[PLX_MAX_RANK];
    int rank = 0;
    if (!check_real(c, x) || !read_axes(c, &bits)) return false;
    const bool keep = plx__onnx_int(c, "keepdims", 1) != 0;
    const bool last = keep && x->rank >= 3 && plx__onnx_is_last(x);
    plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    if (before) node = before(c->graph, node);
    unsigned own = 0;
    const int axes = x->rank;
    assert(0 <= axes && axes <= PLX_MAX_RANK);
    for (int i = 0; i < axes; ++i)
        if (bits >> i & 1) own |= 1U << (last ? plx__onnx_last_axis(i, x->rank) : i);
    for (int i = axes - 1; i >= 0; --i)
        if (own >> i & 1) node = reduce(c->graph, node, i);
    if (after) node = after(c->graph, node);
    for (int i = 0; i < axes; ++i) {
        const int from = last ? i == 0 ? 0 : i == x->rank - 1 ? 1 : i + 1 : i;
        if (keep || !(own >> i & 1)) dims[rank++] = own >> i & 1 ? 1 : x->dims[from];
    }
    node = plx_reshape(c->graph, node, rank, dims);
    return last ? plx__onnx_give_last(c, 0, node, x->type) : plx__onnx_give(c, 0, node, x->type);
}

static bool fold_or_reduce(plx__onnx_call *c, plx__onnx_fold kind, reducer *reduce) {
    unsigned bits = 0;
    if (!c->inputs[0]->data || plx__onnx_is_real(c->inputs[0]->type))
        return reduce_by(c, reduce, NULL, NULL);
    return read_axes(c, &bits) &&
           plx__onnx_fold_reduce(c, kind, bits, plx__onnx_int(c, "keepdims", 1) != 0);
}

static plx_node negative(plx_graph *graph, plx_node x) {
    return plx_mul(graph, x, plx_constant(graph, -1));
}

bool plx__onnx_build_reduce_sum(plx__onnx_call *c) {
    return fold_or_reduce(c, PLX__FOLD_SUM, plx_reduce_sum);
}

bool plx__onnx_build_reduce_max(plx__onnx_call *c) {
    return fold_or_reduce(c, PLX__FOLD_MAX, plx_reduce_max);
}

bool plx__onnx_build_reduce_min(plx__onnx_call *c) {
    return fold_or_reduce(c, PLX__FOLD_MIN, plx_reduce_min);
}

bool plx__onnx_build_reduce_prod(plx__onnx_call *c) {
    return fold_or_reduce(c, PLX__FOLD_PROD, plx_reduce_prod);
}

bool plx__onnx_build_reduce_mean(plx__onnx_call *c) {
    return reduce_by(c, plx_reduce_mean, NULL, NULL);
}

bool plx__onnx_build_reduce_l1(plx__onnx_call *c) {
    return reduce_by(c, plx_reduce_sum, plx_abs, NULL);
}

bool plx__onnx_build_reduce_l2(plx__onnx_call *c) {
    return reduce_by(c, plx_reduce_sum, plx_square, plx_sqrt);
}

bool plx__onnx_build_reduce_sum_square(plx__onnx_call *c) {
    return reduce_by(c, plx_reduce_sum, plx_square, NULL);
}

bool plx__onnx_build_reduce_log_sum(plx__onnx_call *c) {
    return reduce_by(c, plx_reduce_sum, NULL, plx_log);
}

bool plx__onnx_build_reduce_log_sum_exp(plx__onnx_call *c) {
    return reduce_by(c, plx_log_sum_exp, NULL, NULL);
}

/* ---- Softmax --------------------------------------------------------------------------------- */

/* Before version 13 all axes from the given one are one. */
static bool softmax_over(plx__onnx_call *c, reducer *softmax) {
    plx__onnx_value *x = c->inputs[0];
    if (!check_real(c, x)) return false;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", c->version < 13 ? 1 : -1), x->rank);
    if (axis < 0) return false;
    if (c->version < 13 && axis != x->rank - 1) {
        int64_t flat[2] = {1, 1};
        for (int i = 0; i < x->rank; ++i) flat[i >= axis] *= x->dims[i];
        const plx_node rows = plx_reshape(c->graph, plx__onnx_plain(c, x), 2, flat);
        return plx__onnx_give(
            c, 0, plx_reshape(c->graph, softmax(c->graph, rows, 1), x->rank, x->dims), x->type);
    }
    if (x->rank >= 3 && plx__onnx_is_last(x))
        return plx__onnx_give_last(
            c, 0, softmax(c->graph, plx__onnx_last(c, x), plx__onnx_last_axis(axis, x->rank)),
            x->type);
    return plx__onnx_give(c, 0, softmax(c->graph, plx__onnx_plain(c, x), axis), x->type);
}

bool plx__onnx_build_softmax(plx__onnx_call *c) {
    return softmax_over(c, plx_softmax);
}

bool plx__onnx_build_log_softmax(plx__onnx_call *c) {
    return softmax_over(c, plx_log_softmax);
}

/* 1 at the first of the largest elements, and 0 elsewhere. */
static plx_node hardmax(plx_graph *graph, plx_node x, int axis) {
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, x, &dims) < 0) return plx_none();
    return plx_one_hot(graph, plx_argmax(graph, x, axis), dims[axis], axis);
}

bool plx__onnx_build_hardmax(plx__onnx_call *c) {
    return softmax_over(c, hardmax);
}

bool plx__onnx_build_cum_sum(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t number = 0;
    int count = 0;
    if (!check_real(c, x) || !plx__onnx_list(c, NULL, 1, 1, &number, &count)) return false;
    if (count != 1) return plx__onnx_wrong(c, "its axis must be a single number");
    const int axis = plx__onnx_axis(c, number, x->rank);
    if (axis < 0) return false;
    const plx_node node =
        plx_cumsum(c->graph, plx__onnx_plain(c, x), axis, plx__onnx_int(c, "exclusive", 0) != 0,
                   plx__onnx_int(c, "reverse", 0) != 0);
    return plx__onnx_give(c, 0, node, x->type);
}

/* ---- The largest ----------------------------------------------------------------------------- */

/* size - 1 - index, in reals, which are exact up to 2^24. */
static plx_node from_end(const plx__onnx_call *c, plx_node index, int64_t size) {
    if (size > 1 << 24) {
        plx__onnx_refuse(c, "select_last_index is available for up to 2^24 elements");
        return plx_none();
    }
    const plx_node real = plx_cast(c->graph, index, PLX_DTYPE_REAL);
    const plx_node last = plx_constant(c->graph, (double)(size - 1));
    return plx_cast(c->graph, plx_sub(c->graph, last, real), PLX_DTYPE_I32);
}

static bool arg_of(plx__onnx_call *c, bool smallest) {
    plx__onnx_value *x = c->inputs[0];
    int64_t dims[PLX_MAX_RANK];
    if (!check_real(c, x)) return false;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", 0), x->rank);
    if (axis < 0) return false;
    const bool take_last = plx__onnx_int(c, "select_last_index", 0) != 0;
    const int64_t size = x->dims[axis];
    plx_node node = plx__onnx_plain(c, x);
    if (smallest) node = negative(c->graph, node);
    if (take_last) node = plx_slice(c->graph, node, axis, size - 1, -1 - size, -1);
    node = plx_argmax(c->graph, node, axis);
    if (take_last) node = from_end(c, node, size);
    if (plx__onnx_int(c, "keepdims", 1)) {
        for (int i = 0; i < x->rank; ++i) dims[i] = i == axis ? 1 : x->dims[i];
        node = plx_reshape(c->graph, node, x->rank, dims);
    }
    return plx__onnx_give(c, 0, node, PLX_ONNX_INT64);
}

bool plx__onnx_build_arg_max(plx__onnx_call *c) {
    return arg_of(c, false);
}

bool plx__onnx_build_arg_min(plx__onnx_call *c) {
    return arg_of(c, true);
}

bool plx__onnx_build_top_k(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t k = 0;
    int count = 0, axes[PLX_MAX_RANK];
    if (!check_real(c, x)) return false;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", -1), x->rank);
    const bool smallest = !plx__onnx_int(c, "largest", 1);
    if (axis < 0 || !plx__onnx_list(c, "k", 1, 1, &k, &count)) return false;
    if (count != 1) return plx__onnx_wrong(c, "k must be a single number");
    /* The axis becomes the last one: swapped, so that the same order brings it back. */
    for (int i = 0; i < x->rank; ++i)
        axes[i] = i == axis ? x->rank - 1 : i == x->rank - 1 ? axis : i;
    plx_node values = plx_none(), indices = plx_none(), node = plx__onnx_plain(c, x);
    node = plx_transpose(c->graph, node, axes);
    if (smallest) node = negative(c->graph, node);
    if (plx_graph_status(c->graph) != PLX_OK) return true;
    if (plx_top_k(c->graph, node, k, &values, &indices) != PLX_OK) {
        char text[160];
        plx__format(text, sizeof text, "%s", plx_message(c->importer->ctx));
        return plx__onnx_wrong(c, "%s", text);
    }
    if (smallest) values = negative(c->graph, values);
    return plx__onnx_give(c, 0, plx_transpose(c->graph, values, axes), PLX_ONNX_FLOAT) &&
           plx__onnx_give(c, 1, plx_transpose(c->graph, indices, axes), PLX_ONNX_INT64);
}

/* ---- Normalisation --------------------------------------------------------------------------- */

static bool are_channels(const plx__onnx_call *c, int first, int count, int64_t channels) {
    for (int i = first; i < first + count; ++i)
        if (c->inputs[i]->rank != 1 || c->inputs[i]->dims[0] != channels)
            return plx__onnx_wrong(c, "\"%.64s\" must have one element for each of %lld channels",
                                   c->inputs[i]->name, (long long)channels);
    return true;
}

bool plx__onnx_build_batch_normalization(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    const double epsilon = plx__onnx_real(c, "epsilon", 1e-5);
    plx_node nodes[5];
    if (!check_real(c, x)) return false;
    if (plx__onnx_int(c, "training_mode", 0) || c->outputs_count > 1)
        return plx__onnx_refuse(c, "training_mode is not available");
    if (x->rank < 2) return plx__onnx_wrong(c, "its input has rank %d", x->rank);
    if (!are_channels(c, 1, 4, x->dims[1])) return false;
    const bool last = x->rank >= 3;
    nodes[0] = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    for (int i = 1; i < 5; ++i) nodes[i] = plx__onnx_plain(c, c->inputs[i]);
    plx_node node;
    if (c->inputs[3]->data && c->inputs[4]->data) {
        node = plx_batch_norm(c->graph, nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], false, 0,
                              epsilon);
    } else { /* statistics that are computed are no parameters */
        const plx_node variance = plx_add(c->graph, nodes[4], plx_constant(c->graph, epsilon));
        const plx_node scale = plx_mul(c->graph, nodes[1], plx_rsqrt(c->graph, variance));
        node = plx_mul(c->graph, plx_sub(c->graph, nodes[0], nodes[3]), scale);
        node = plx_add(c->graph, node, nodes[2]);
    }
    return last ? plx__onnx_give_last(c, 0, node, x->type) : plx__onnx_give(c, 0, node, x->type);
}

bool plx__onnx_build_instance_normalization(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    if (!check_real(c, x)) return false;
    if (x->rank < 3) return plx__onnx_wrong(c, "its input has rank %d", x->rank);
    if (!are_channels(c, 1, 2, x->dims[1])) return false;
    const plx_node node =
        plx_group_norm(c->graph, plx__onnx_last(c, x), x->dims[1], plx__onnx_plain(c, c->inputs[1]),
                       plx__onnx_plain(c, c->inputs[2]), plx__onnx_real(c, "epsilon", 1e-5));
    return plx__onnx_give_last(c, 0, node, x->type);
}

/* Mean and 1 / sqrt(variance + epsilon) of rows, with the axes from the given one at size 1. */
static bool give_statistics(plx__onnx_call *c, plx_node rows, int axis, double epsilon) {
    const plx__onnx_value *x = c->inputs[0];
    const int64_t *d = NULL;
    int64_t dims[PLX_MAX_RANK];
    if (c->outputs_count < 2 || plx_node_shape(c->graph, rows, &d) != 2) return true;
    for (int i = 0; i < x->rank; ++i) dims[i] = i < axis ? x->dims[i] : 1;
    const plx_node mean = plx_reduce_mean(c->graph, rows, 1);
    const plx_node column = plx_reshape(c->graph, mean, 2, (int64_t[]){d[0], 1});
    const plx_node square = plx_square(c->graph, plx_sub(c->graph, rows, column));
    const plx_node variance = plx_reduce_mean(c->graph, square, 1);
    const plx_node sum = plx_add(c->graph, variance, plx_constant(c->graph, epsilon));
    const plx_node inverse = plx_rsqrt(c->graph, sum);
    return plx__onnx_give(c, 1, plx_reshape(c->graph, mean, x->rank, dims), x->type) &&
           plx__onnx_give(c, 2, plx_reshape(c->graph, inverse, x->rank, dims), x->type);
}

/* Over the last axes, as rows: [rows, width]. */
static bool norm_rows(plx__onnx_call *c, bool layer) {
    plx__onnx_value *x = c->inputs[0], *shift = layer ? plx__onnx_in(c, 2) : NULL;
    const double epsilon = plx__onnx_real(c, "epsilon", 1e-5);
    int64_t flat[2] = {1, 1};
    if (!check_real(c, x)) return false;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", -1), x->rank);
    if (axis < 0) return false;
    for (int i = 0; i < x->rank; ++i) flat[i >= axis] *= x->dims[i];
    const plx_node scale_node = plx__onnx_plain(c, c->inputs[1]);
    const plx_node rows = plx_reshape(c->graph, plx__onnx_plain(c, x), 2, flat);
    plx_node node;
    if (c->inputs[1]->size == flat[1] && (!shift || shift->size == flat[1])) {
        const plx_node scale = plx_reshape(c->graph, scale_node, 1, &flat[1]);
        const plx_node other =
            shift ? plx_reshape(c->graph, plx__onnx_plain(c, shift), 1, &flat[1]) : plx_none();
        node = layer ? plx_layer_norm(c->graph, rows, scale, other, epsilon)
                     : plx_rms_norm(c->graph, rows, scale, epsilon);
        node = plx_reshape(c->graph, node, x->rank, x->dims);
    } else {
        node = layer ? plx_layer_norm(c->graph, rows, plx_none(), plx_none(), epsilon)
                     : plx_rms_norm(c->graph, rows, plx_none(), epsilon);
        node = plx_mul(c->graph, plx_reshape(c->graph, node, x->rank, x->dims), scale_node);
        if (shift) node = plx_add(c->graph, node, plx__onnx_plain(c, shift));
    }
    return plx__onnx_give(c, 0, node, x->type) && give_statistics(c, rows, axis, epsilon);
}

bool plx__onnx_build_layer_normalization(plx__onnx_call *c) {
    return norm_rows(c, true);
}

bool plx__onnx_build_rms_normalization(plx__onnx_call *c) {
    return norm_rows(c, false);
}

bool plx__onnx_build_group_normalization(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    const int64_t groups = plx__onnx_int(c, "num_groups", 0);
    if (!check_real(c, x)) return false;
    if (x->rank < 3) return plx__onnx_wrong(c, "its input has rank %d", x->rank);
    if (groups < 1 || x->dims[1] % groups)
        return plx__onnx_wrong(c, "%lld channels do not make %lld groups", (long long)x->dims[1],
                               (long long)groups);
    /* Before version 21 there is one scale for each group, which its channels share. */
    const int64_t given = c->version < 21 ? groups : x->dims[1];
    const int64_t column[] = {given, 1}, whole[] = {given, x->dims[1] / given};
    plx_node nodes[2];
    if (!are_channels(c, 1, 2, given)) return false;
    for (int i = 0; i < 2; ++i) {
        nodes[i] = plx__onnx_plain(c, c->inputs[1 + i]);
        if (given == x->dims[1]) continue;
        nodes[i] = plx_reshape(c->graph, nodes[i], 2, column);
        nodes[i] = plx_broadcast(c->graph, nodes[i], 2, whole);
        nodes[i] = plx_reshape(c->graph, nodes[i], 1, &x->dims[1]);
    }
    const plx_node node = plx_group_norm(c->graph, plx__onnx_last(c, x), groups, nodes[0], nodes[1],
                                         plx__onnx_real(c, "epsilon", 1e-5));
    return plx__onnx_give_last(c, 0, node, x->type);
}

/* Divides by the sum of absolute values or the root of the sum of squares along an axis; zeros stay
 * zeros. */
bool plx__onnx_build_lp_normalization(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t dims[PLX_MAX_RANK];
    const int64_t p = plx__onnx_int(c, "p", 2);
    if (!check_real(c, x)) return false;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", -1), x->rank);
    if (axis < 0) return false;
    if (p != 1 && p != 2) return plx__onnx_wrong(c, "p is %lld, not 1 or 2", (long long)p);
    for (int i = 0; i < x->rank; ++i) dims[i] = i == axis ? 1 : x->dims[i];
    const plx_node node = plx__onnx_plain(c, x), zero = plx_constant(c->graph, 0);
    const plx_node terms = p == 1 ? plx_abs(c->graph, node) : plx_square(c->graph, node);
    plx_node length = plx_reduce_sum(c->graph, terms, axis);
    if (p == 2) length = plx_sqrt(c->graph, length);
    length = plx_reshape(c->graph, length, x->rank, dims);
    const plx_node quotient = plx_div(c->graph, node, length);
    const plx_node empty = plx_equal(c->graph, length, zero);
    return plx__onnx_give(c, 0, plx_where(c->graph, empty, zero, quotient), x->type);
}

/* x / (bias + alpha mean(squares of the channels around))^beta; the mean counts what is outside as
 * zeros: pixels are rows of an image whose columns are the channels. */
bool plx__onnx_build_lrn(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    const int64_t size = plx__onnx_int(c, "size", 0);
    if (!check_real(c, x)) return false;
    if (x->rank < 3) return plx__onnx_wrong(c, "its input has rank %d", x->rank);
    if (size < 1 || size > INT32_MAX)
        return plx__onnx_wrong(c, "its size is %lld; it must be 1 or more", (long long)size);
    plx_graph *g = c->graph;
    const int64_t channels = x->dims[1],
                  lines[] = {channels ? x->size / channels : 0, 1, channels, 1};
    const plx_pool2d_options window = {.size = {1, size},
                                       .stride = {1, 1},
                                       .padding = {0, 0, (size - 1) / 2, size / 2},
                                       .count_padding = true};
    const plx_node node = plx__onnx_last(c, x);
    const int64_t *dims = NULL;
    if (plx_node_shape(g, node, &dims) < 0) return plx__onnx_give_last(c, 0, node, x->type);
    const plx_node squares = plx_reshape(g, plx_square(g, node), 4, lines);
    const plx_node mean = plx_reshape(g, plx_avg_pool2d(g, squares, &window), x->rank, dims);
    const plx_node scaled = plx_mul(g, mean, plx_constant(g, plx__onnx_real(c, "alpha", 1e-4)));
    const plx_node sum = plx_add(g, scaled, plx_constant(g, plx__onnx_real(c, "bias", 1)));
    const plx_node power = plx_pow(g, sum, plx_constant(g, plx__onnx_real(c, "beta", 0.75)));
    return plx__onnx_give_last(c, 0, plx_div(g, node, power), x->type);
}
