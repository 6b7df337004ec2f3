/* Builders that move elements: reshaping, slicing, repeating, selecting by index. */
#include "graph/graph.h"
#include "ops/copy.h"

#include <string.h>

static bool is_shape(plx_graph *graph, const char *op, int rank, const int64_t *dims) {
    if (rank >= 0 && rank <= PLX_MAX_RANK) return !rank || plx__given(graph, op, "dims", dims);
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: the rank is %d; it must be 0 to %d", op, rank,
                    PLX_MAX_RANK);
    return false;
}

/* All elements of x in the shape of attrs; x itself if it has that shape. */
static plx_node view_as(plx_graph *graph, plx_node x, const plx__attrs *shape) {
    const plx__node *node = plx__at(graph, x);
    if (node->rank == shape->rank &&
        !memcmp(node->dims, shape->dims, (size_t)node->rank * sizeof node->dims[0]))
        return x;
    return plx__build1(graph, &plx__op_view, x, shape);
}

static plx_node fail_reshape(plx_graph *graph, int rank, const int64_t *dims, int64_t size) {
    char shape[96];
    int open = 0;
    for (int axis = 0; axis < rank; ++axis) open += dims[axis] == -1;
    plx__graph_fail(graph, PLX_ERR_SHAPE, "reshape: %lld elements do not fill %s%s",
                    (long long)size, plx__shape_text(rank, dims, shape, sizeof shape),
                    open > 1 ? "; only one size may be -1" : "");
    return plx_none();
}

plx_node plx_reshape(plx_graph *graph, plx_node x, int rank, const int64_t *dims) {
    const int64_t *from = NULL;
    const int own = plx__rank_of(graph, "reshape", x, &from);
    if (own < 0 || !is_shape(graph, "reshape", rank, dims)) return plx_none();
    const int64_t size = plx__product(own, from);
    plx__attrs attrs = {.rank = rank};
    int64_t known = 1;
    int open = -1;
    for (int axis = 0; axis < rank; ++axis) {
        attrs.dims[axis] = dims[axis];
        if (dims[axis] == -1 && open < 0) {
            open = axis;
            continue;
        }
        if (dims[axis] < 0 || __builtin_mul_overflow(known, dims[axis], &known))
            return fail_reshape(graph, rank, dims, size);
    }
    if (open >= 0) attrs.dims[open] = known ? size / known : 0;
    /* Next to a size of 0, any number would fit. */
    if ((open >= 0 && !known) || known * (open < 0 ? 1 : attrs.dims[open]) != size)
        return fail_reshape(graph, rank, dims, size);
    return view_as(graph, x, &attrs);
}

static plx_node fail_transpose(plx_graph *graph, int rank, const int64_t *order) {
    char axes[96];
    plx__graph_fail(graph, PLX_ERR_SHAPE, "transpose: %s is not a permutation of the %d axes",
                    plx__shape_text(rank, order, axes, sizeof axes), rank);
    return plx_none();
}

plx_node plx_transpose(plx_graph *graph, plx_node x, const int *axes) {
    const int64_t *dims = NULL;
    const int rank = plx__rank_of(graph, "transpose", x, &dims);
    if (rank < 0 || (rank && !plx__given(graph, "transpose", "axes", axes))) return plx_none();
    int64_t strides[PLX_MAX_RANK], order[PLX_MAX_RANK];
    plx__contiguous_strides(rank, dims, strides);
    plx__attrs attrs = {.rank = rank};
    unsigned seen = 0;
    bool moved = false;
    int last = -1; /* the last axis with more than one element */
    for (int i = 0; i < rank; ++i) {
        order[i] = axes[i];
        if (axes[i] >= 0 && axes[i] < rank) seen |= 1U << axes[i];
    }
    if (seen != (1U << rank) - 1) return fail_transpose(graph, rank, order);
    for (int i = 0; i < rank; ++i) {
        attrs.dims[i] = dims[axes[i]];
        attrs.strided.strides[i] = strides[axes[i]];
        if (dims[axes[i]] == 1) continue;
        moved |= axes[i] < last;
        last = axes[i];
    }
    if (moved) return plx__build1(graph, &plx__op_strided, x, &attrs);
    attrs.view = (plx__view_attrs){.first = 0};
    return view_as(graph, x, &attrs);
}

static plx_node part_of(plx_graph *graph, plx_node x, int axis, int64_t begin, int64_t count) {
    return plx__handle(graph, plx__emit_part(graph, plx__place_of(graph, x), axis, begin, count));
}

static plx_node fail_slice(plx_graph *graph, int64_t begin, int64_t end, int64_t size) {
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "slice: range %lld to %lld is outside the axis of size %lld", (long long)begin,
                    (long long)end, (long long)size);
    return plx_none();
}

plx_node plx_slice(plx_graph *graph, plx_node x, int axis, int64_t begin, int64_t end,
                   int64_t step) {
    int64_t size = 0;
    const int own = plx__one_axis(graph, "slice", x, axis, &size);
    if (own < 0) return plx_none();
    if (!step) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "slice: step is 0; it must be positive or negative");
        return plx_none();
    }
    /* Going forwards, both are in 0..size; backwards, in -1..size - 1. */
    const int64_t first = begin < 0 ? begin + size : begin, last = end < 0 ? end + size : end;
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    if (first < low || first > high || last < low || last > high)
        return fail_slice(graph, begin, end, size);
    if (step > size) step = size + 1;
    if (step < -size) step = -size - 1;
    const int64_t span = step > 0 ? last - first : first - last, by = step > 0 ? step : -step;
    const int64_t count = span > 0 ? (span - 1) / by + 1 : 0;
    if (step == 1 || count <= 1) return part_of(graph, x, own, count ? first : 0, count);
    const plx__node *node = plx__at(graph, x);
    plx__attrs attrs = {.rank = 0};
    plx__set_shape(&attrs, node);
    int64_t *strides = attrs.strided.strides;
    plx__contiguous_strides(node->rank, node->dims, strides);
    attrs.dims[own] = count;
    if (plx__size(node)) attrs.strided.first = first * strides[own];
    strides[own] *= step;
    return plx__build1(graph, &plx__op_strided, x, &attrs);
}

plx_node plx_concat(plx_graph *graph, int count, const plx_node *x, int axis) {
    int64_t size = 0;
    if (count < 1) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "concat: count is %d; it needs at least one array",
                        count);
        return plx_none();
    }
    if (!plx__given(graph, "concat", "x", x)) return plx_none();
    const int own = plx__one_axis(graph, "concat", x[0], axis, &size);
    if (own < 0) return plx_none();
    if (count == 1) return x[0];
    const plx__attrs attrs = {.axis = {own}};
    return plx__build(graph, &plx__op_concat, count, x, &attrs);
}

/* "2 + 2", cut off if there are many. */
static void sum_text(int count, const int64_t *sizes, char *text, size_t bytes) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count && used + 32 < bytes; ++i) {
        plx__format(text + used, bytes - used, i ? " + %lld" : "%lld", (long long)sizes[i]);
        used += strlen(text + used);
    }
    if (used + 32 >= bytes) plx__format(text + used, bytes - used, " + ...");
}

static bool parts_fit(plx_graph *graph, int count, const int64_t *sizes, int64_t size) {
    int64_t left = size;
    bool fit = true;
    for (int i = 0; i < count; ++i) {
        if (sizes[i] >= 0) continue;
        plx__graph_fail(graph, PLX_ERR_SHAPE, "split: part %d is %lld; it must be 0 or more", i,
                        (long long)sizes[i]);
        return false;
    }
    for (int i = 0; i < count && fit; ++i) {
        fit = sizes[i] <= left;
        left -= fit ? sizes[i] : 0;
    }
    if (fit && !left) return true;
    char parts[160];
    sum_text(count, sizes, parts, sizeof parts);
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "split: parts of %s do not add up to the axis of size %lld", parts,
                    (long long)size);
    return false;
}

plx_status plx_split(plx_graph *graph, plx_node x, int axis, int count, const int64_t *sizes,
                     plx_node *out) {
    PLX_TRY(plx_graph_status(graph));
    const int32_t before = graph->count;
    int64_t size = 0, begin = 0;
    const int own = plx__one_axis(graph, "split", x, axis, &size);
    if (own < 0) return plx__graph_settle(graph, before);
    if (count < 1 || (!sizes && size % count))
        plx__graph_fail(graph, PLX_ERR_SHAPE,
                        "split: an axis of size %lld cannot be split into %d equal parts",
                        (long long)size, count);
    else if (plx__given(graph, "split", "out", out) && sizes)
        parts_fit(graph, count, sizes, size);
    /* All nodes are made first, so that a failure leaves out unchanged. */
    const int32_t first = graph->count;
    for (int i = 0; i < count && graph->status == PLX_OK; ++i) {
        const int64_t part = sizes ? sizes[i] : size / count;
        part_of(graph, x, own, begin, part);
        begin += part;
    }
    PLX_TRY(plx__graph_settle(graph, before));
    int32_t next = first;
    for (int i = 0; i < count; ++i) {
        const int64_t part = sizes ? sizes[i] : size / count;
        out[i] = part == size ? x : plx__handle(graph, next++);
    }
    return PLX_OK;
}

plx_node plx_pad(plx_graph *graph, plx_node x, const int64_t *before, const int64_t *after,
                 double value) {
    const int rank = plx__rank_of(graph, "pad", x, NULL);
    if (rank < 0 || (rank && (!plx__given(graph, "pad", "before", before) ||
                              !plx__given(graph, "pad", "after", after))))
        return plx_none();
    plx__attrs attrs = {.pad = {.value = value}};
    bool any = false;
    for (int axis = 0; axis < rank; ++axis) {
        attrs.pad.before[axis] = before[axis];
        attrs.pad.after[axis] = after[axis];
        any |= before[axis] || after[axis];
    }
    return any ? plx__build1(graph, &plx__op_pad, x, &attrs) : x;
}

plx_node plx_broadcast(plx_graph *graph, plx_node x, int rank, const int64_t *dims) {
    const int64_t *from = NULL;
    const int own = plx__rank_of(graph, "broadcast", x, &from);
    if (own < 0 || !is_shape(graph, "broadcast", rank, dims)) return plx_none();
    const int extra = rank - own;
    if (extra < 0) {
        plx__graph_fail(graph, PLX_ERR_SHAPE,
                        "broadcast: x has rank %d; it cannot be broadcast to rank %d", own, rank);
        return plx_none();
    }
    /* For broadcast_to: the axes that are repeated, and those of them that x lacks. */
    plx__attrs attrs = {.sum = {.factor = 1}, .rank = rank};
    for (int axis = 0; axis < rank; ++axis) {
        attrs.dims[axis] = dims[axis];
        if (axis < extra) {
            attrs.sum.axes |= 1 << axis;
            attrs.sum.dropped |= 1 << axis;
        } else if (from[axis - extra] != dims[axis]) {
            attrs.sum.axes |= 1 << axis;
            if (from[axis - extra] == 1) continue;
            plx__graph_fail(
                graph, PLX_ERR_SHAPE,
                "broadcast: axis %d has size %lld; only size 1 can be broadcast to %lld",
                axis - extra, (long long)from[axis - extra], (long long)dims[axis]);
            return plx_none();
        }
    }
    if (!attrs.sum.axes) return x;
    return plx__build1(graph, &plx__op_broadcast_to, x, &attrs);
}

plx_node plx_gather(plx_graph *graph, plx_node x, plx_node indices, int axis) {
    int64_t size = 0;
    const int own = plx__one_axis(graph, "gather", x, axis, &size);
    if (own < 0) return plx_none();
    const plx__attrs attrs = {.axis = {own}};
    return plx__build2(graph, &plx__op_gather, x, indices, &attrs);
}

plx_node plx_take_along(plx_graph *graph, plx_node x, plx_node indices, int axis) {
    int64_t size = 0;
    const int own = plx__one_axis(graph, "take_along", x, axis, &size);
    if (own < 0) return plx_none();
    const plx__attrs attrs = {.axis = {own}};
    return plx__build2(graph, &plx__op_take_along, x, indices, &attrs);
}

plx_node plx_scatter_along(plx_graph *graph, plx_node x, plx_node indices, plx_node updates,
                           int axis, plx_scatter scatter) {
    int64_t size = 0;
    const int own = plx__one_axis(graph, "scatter_along", x, axis, &size);
    if (own < 0) return plx_none();
    if ((int)scatter < 0 || scatter > PLX_SCATTER_MIN) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "scatter_along: there is no scatter number %d; it must be 0 to %d",
                        (int)scatter, PLX_SCATTER_MIN);
        return plx_none();
    }
    const plx__attrs attrs = {.scatter = {.axis = own, .scatter = scatter}};
    const plx_op *op =
        scatter == PLX_SCATTER_SET ? &plx__op_scatter_along : &plx__op_scatter_reduce;
    return plx__build(graph, op, 3, (const plx_node[]){x, indices, updates}, &attrs);
}

plx_node plx_embedding(plx_graph *graph, plx_node table, plx_node ids) {
    const int rank = plx__rank_named(graph, "embedding", "table", table, NULL);
    if (rank < 0 || plx__rank_named(graph, "embedding", "ids", ids, NULL) < 0) return plx_none();
    if (rank != 2) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "embedding: table has rank %d; it must be 2", rank);
        return plx_none();
    }
    const plx_dtype dtype = plx_node_dtype(graph, ids);
    if (dtype != PLX_DTYPE_I32) { /* whose name is not the op's */
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "embedding: ids must hold %s, not %s",
                        plx__dtype_name(PLX_DTYPE_I32), plx__dtype_name(dtype));
        return plx_none();
    }
    return plx_gather(graph, table, ids, 0);
}

plx_node plx_argmax(plx_graph *graph, plx_node x, int axis) {
    int64_t size = 0;
    const int own = plx__checked_axis(graph, "argmax", x, axis, &size);
    if (own < 0) return plx_none();
    const plx__attrs attrs = {.axis = {own}};
    return plx__build1(graph, &plx__op_argmax, x, &attrs);
}

plx_status plx_top_k(plx_graph *graph, plx_node x, int64_t k, plx_node *values, plx_node *indices) {
    PLX_TRY(plx_graph_status(graph));
    const int32_t before = graph->count;
    const plx__attrs attrs = {.top_k = {k}};
    const plx_node which = plx__build1(graph, &plx__op_top_k, x, &attrs);
    plx_node taken = plx_none();
    if (values) taken = plx_take_along(graph, x, which, -1);
    PLX_TRY(plx__graph_settle(graph, before));
    if (values) *values = taken;
    if (indices) *indices = which;
    return PLX_OK;
}

plx_node plx_clip(plx_graph *graph, plx_node x, double low, double high) {
    if (!(low <= high)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "clip: low is %g and high %g; %s", low, high,
                        low > high ? "low must not be above high" : "neither may be NaN");
        return plx_none();
    }
    const plx__attrs attrs = {.clip = {.low = low, .high = high}};
    return plx__build1(graph, &plx__op_clip, x, &attrs);
}
