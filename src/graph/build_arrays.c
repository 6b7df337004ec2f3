/* Builders along an axis: products and sums, one-hot vectors, triangles, padding, resizing. */
#include "graph/graph.h"

#include <string.h>

plx_node plx_reduce_min(plx_graph *graph, plx_node x, int axis) {
    int64_t size = 0;
    if (plx__checked_axis(graph, "reduce_min", x, axis, &size) < 0 ||
        !plx__are_reals(graph, "reduce_min", "x", x))
        return plx_none();
    const plx__attrs minus = {.scale = {.factor = -1}};
    const plx_node largest =
        plx_reduce_max(graph, plx__build1(graph, &plx__op_scale, x, &minus), axis);
    return plx__build1(graph, &plx__op_scale, largest, &minus);
}

plx_node plx_reduce_prod(plx_graph *graph, plx_node x, int axis) {
    int64_t size = 0;
    const int own = plx__checked_axis(graph, "reduce_prod", x, axis, &size);
    if (own < 0) return plx_none();
    const plx__attrs attrs = {.axis = {own}};
    return plx__build1(graph, &plx__op_reduce_prod, x, &attrs);
}

plx_node plx_cumsum(plx_graph *graph, plx_node x, int axis, bool exclusive, bool reverse) {
    int64_t size = 0;
    const int own = plx__one_axis(graph, "cumsum", x, axis, &size);
    if (own < 0) return plx_none();
    const plx__attrs attrs = {.cumsum = {.axis = own, .exclusive = exclusive, .reverse = reverse}};
    return plx__build1(graph, &plx__op_cumsum, x, &attrs);
}

plx_node plx_one_hot(plx_graph *graph, plx_node indices, int64_t depth, int axis) {
    const int rank = plx__rank_named(graph, "one_hot", "indices", indices, NULL);
    if (rank < 0) return plx_none();
    const int own = axis < 0 ? axis + rank + 1 : axis;
    if (own < 0 || own > rank) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "one_hot: there is no axis %d in a result of rank %d",
                        axis, rank + 1);
        return plx_none();
    }
    const plx__attrs attrs = {.one_hot = {.axis = own, .depth = depth}};
    return plx__build1(graph, &plx__op_one_hot, indices, &attrs);
}

plx_node plx_trilu(plx_graph *graph, plx_node x, bool upper, int64_t k) {
    const plx__attrs attrs = {.trilu = {.upper = upper, .k = k}};
    return plx__build1(graph, &plx__op_trilu, x, &attrs);
}

/* ---- Padding and resizing: by tables of indices ---------------------------------------------- */

static plx_node fail_axis(plx_graph *graph, const char *op, int axis) {
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "%s: axis %d has 0 elements; at least 1 is needed to make others of", op, axis);
    return plx_none();
}

/* Whether an axis of this size can be addressed by indices. */
static bool is_indexable(plx_graph *graph, const char *op, int axis, int64_t size) {
    if (size <= INT32_MAX) return true;
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "%s: axis %d has %lld elements; at most %d can be indexed", op, axis,
                    (long long)size, INT32_MAX);
    return false;
}

plx_node plx_pad_repeat(plx_graph *graph, plx_node x, const int64_t *before, const int64_t *after,
                        plx_padding padding) {
    const int64_t *dims = NULL;
    const int rank = plx__rank_of(graph, "pad_repeat", x, &dims);
    if (rank < 0 || (rank && (!plx__given(graph, "pad_repeat", "before", before) ||
                              !plx__given(graph, "pad_repeat", "after", after))))
        return plx_none();
    if ((int)padding < 0 || padding > PLX_PAD_WRAP) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "pad_repeat: there is no padding number %d; it must be 0 to %d",
                        (int)padding, PLX_PAD_WRAP);
        return plx_none();
    }
    for (int axis = 0; axis < rank; ++axis) {
        if (before[axis] >= 0 && after[axis] >= 0 && before[axis] <= INT32_MAX &&
            after[axis] <= INT32_MAX)
            continue;
        plx__graph_fail(graph, PLX_ERR_SHAPE,
                        "pad_repeat: padding is %lld before and %lld after axis %d; both must be 0 "
                        "to %d",
                        (long long)before[axis], (long long)after[axis], axis, INT32_MAX);
        return plx_none();
    }
    for (int axis = 0; axis < rank; ++axis) {
        if (!before[axis] && !after[axis]) continue;
        if (!dims[axis]) return fail_axis(graph, "pad_repeat", axis);
        if (!is_indexable(graph, "pad_repeat", axis, dims[axis])) return plx_none();
        const plx__attrs attrs = {.pad_indices = {.size = dims[axis],
                                                  .before = before[axis],
                                                  .after = after[axis],
                                                  .padding = padding}};
        x = plx_gather(graph, x, plx__build(graph, &plx__op_pad_indices, 0, NULL, &attrs), axis);
    }
    return x;
}

static bool are_resize_options(plx_graph *graph, const plx_resize_options *o) {
    const struct {
        const char *name;
        int value, last;
    } choices[] = {{"method", (int)o->method, PLX_RESIZE_CUBIC},
                   {"coordinates", (int)o->coordinates, PLX_HALF_PIXEL_SYMMETRIC},
                   {"rounding", (int)o->rounding, PLX_CEIL}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; ++i) {
        if (choices[i].value >= 0 && choices[i].value <= choices[i].last) continue;
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "resize: there is no %s number %d; it must be 0 to %d", choices[i].name,
                        choices[i].value, choices[i].last);
        return false;
    }
    if (o->cubic - o->cubic == 0) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "resize: cubic is %g; it must be finite", o->cubic);
    return false;
}

/* Each element of the resized axis is gathered from a few of x, and their weighted sum taken. */
static plx_node resize_axis(plx_graph *graph, plx_node x, int axis, const plx__attrs *attrs) {
    const plx__node from = *plx__at(graph, x);
    int64_t dims[PLX_MAX_RANK];
    memcpy(dims, from.dims, sizeof dims);
    dims[axis] = attrs->resize.target;
    const int64_t lines[] = {plx__product(axis, from.dims), from.dims[axis],
                             plx__product(from.rank - axis - 1, from.dims + axis + 1)};
    const plx_node indices = plx__build(graph, &plx__op_resize_indices, 0, NULL, attrs);
    plx_node y = plx_gather(graph, plx_reshape(graph, x, 3, lines), indices, 1);
    if (attrs->resize.method != PLX_RESIZE_NEAREST) {
        const plx_node weights = plx__build(graph, &plx__op_resize_weights, 0, NULL, attrs);
        const int64_t *table = NULL;
        if (plx_node_shape(graph, weights, &table) < 0) return plx_none();
        const int64_t column[] = {table[0], table[1], 1};
        y = plx_mul(graph, y, plx_reshape(graph, weights, 3, column));
        y = plx_reduce_sum(graph, y, 2);
    }
    return plx_reshape(graph, y, from.rank, dims);
}

plx_node plx_resize(plx_graph *graph, plx_node x, const int64_t *dims, const double *scales,
                    const plx_resize_options *options) {
    const plx_resize_options o = options ? *options : (plx_resize_options){.cubic = 0};
    const int64_t *given = NULL;
    const int rank = plx__rank_of(graph, "resize", x, &given);
    if (rank < 0 || (rank && !plx__given(graph, "resize", "dims", dims)) ||
        !are_resize_options(graph, &o))
        return plx_none();
    int64_t own[PLX_MAX_RANK] = {0};
    memcpy(own, given, (size_t)rank * sizeof *own);
    for (int axis = 0; axis < rank; ++axis) {
        const double scale = scales ? scales[axis] : (double)dims[axis] / (double)own[axis];
        if (dims[axis] == own[axis] && (!scales || scale == 1)) continue;
        if (!own[axis]) return fail_axis(graph, "resize", axis);
        if (!is_indexable(graph, "resize", axis, own[axis])) return plx_none();
        if (dims[axis] < 0 || (scales && !(scale > 0 && scale < 1e30))) {
            plx__graph_fail(
                graph, PLX_ERR_ARGUMENT,
                "resize: axis %d gets size %lld by scale %g; the size must be 0 or more "
                "and the scale above 0 and finite",
                axis, (long long)dims[axis], scale);
            return plx_none();
        }
        const plx__attrs attrs = {.resize = {.size = own[axis],
                                             .target = dims[axis],
                                             .scale = scale,
                                             .method = o.method,
                                             .coordinates = o.coordinates,
                                             .rounding = o.rounding,
                                             .cubic = o.cubic == 0 ? -0.75 : o.cubic,
                                             .exclude_outside = o.exclude_outside,
                                             .antialias = o.antialias}};
        x = resize_axis(graph, x, axis, &attrs);
        if (x.id < 0) return x;
    }
    return x;
}
