/* Operators that make constants, ask for shapes and change them; If. */
#include "onnx/fold.h"
#include "onnx/importer.h"

#include <string.h>

static bool failed(const plx__onnx_call *c) {
    return c->importer->status != PLX_OK;
}

/* ---- Constants ------------------------------------------------------------------------------- */

static bool give_tensor(plx__onnx_call *c, const plx_onnx_tensor *t) {
    int64_t count = 0;
    if (!plx_onnx_type_bytes(t->type))
        return plx__onnx_refuse(c,
                                "its value has elements of type number %d, which is not "
                                "available",
                                t->type);
    if (t->rank < 0 || t->rank > PLX_MAX_RANK)
        return plx__onnx_refuse(c, "its value has %d dimensions; at most %d are supported", t->rank,
                                PLX_MAX_RANK);
    if (!plx__onnx_count(c, t->rank, t->dims, &count)) return false;
    if ((uint64_t)count > SIZE_MAX / 8 ||
        (size_t)count * (size_t)plx_onnx_type_bytes(t->type) != t->bytes)
        return plx__onnx_wrong(c, "its value has %llu bytes for %lld elements",
                               (unsigned long long)t->bytes, (long long)count);
    static const uint8_t nothing;
    return plx__onnx_give_known(c, 0, t->type, t->rank, t->dims, t->bytes ? t->data : &nothing,
                                false);
}

bool plx__onnx_build_constant(plx__onnx_call *c) {
    if (c->node->attributes_count != 1) return plx__onnx_wrong(c, "it needs exactly one value");
    const plx_onnx_attribute *a = &c->node->attributes[0];
    if (a->kind == PLX_ONNX_TENSOR) return give_tensor(c, a->tensor);
    const bool whole = a->kind == PLX_ONNX_INT || a->kind == PLX_ONNX_INTS;
    if (!whole && a->kind != PLX_ONNX_REAL && a->kind != PLX_ONNX_REALS)
        return plx__onnx_refuse(c, "a value of the attribute \"%.64s\" is not available", a->name);
    const int type = whole ? PLX_ONNX_INT64 : PLX_ONNX_FLOAT;
    uint8_t *data = plx__onnx_elements(c, type, a->count);
    if (!data) return plx__onnx_no_memory(c);
    for (int64_t i = 0; i < a->count; ++i)
        if (whole)
            plx__onnx_put_int(type, data, i, a->ints[i]);
        else
            plx__onnx_put_real(type, data, i, (double)a->reals[i]);
    const bool list = a->kind == PLX_ONNX_INTS || a->kind == PLX_ONNX_REALS;
    return plx__onnx_give_known(c, 0, type, list, &a->count, data, false);
}

/* A value of count elements that are all the same. */
static bool give_filled(plx__onnx_call *c, const plx__onnx_value *value, int rank,
                        const int64_t *dims, int64_t count) {
    static const int64_t strides[PLX_MAX_RANK];
    /* Reals of more than a few elements are a number that the graph repeats. */
    if (value->type == PLX_ONNX_FLOAT && count > 64) {
        const plx_node number = plx_constant(c->graph, plx__onnx_get_real(value, 0));
        return plx__onnx_give(c, 0, plx_broadcast(c->graph, number, rank, dims), value->type);
    }
    bool too_many = false;
    if (plx__onnx_fold_move(c, 0, value, rank, dims, 0, strides, &too_many)) return true;
    if (too_many)
        plx__onnx_refuse(c, "it makes %lld elements, more than the model's size justifies",
                         (long long)count);
    return false;
}

bool plx__onnx_build_constant_of_shape(plx__onnx_call *c) {
    static const uint8_t zero[4];
    plx__onnx_value value = {.type = PLX_ONNX_FLOAT, .size = 1, .data = zero};
    const plx_onnx_attribute *a = plx__onnx_attribute(c, "value");
    int64_t dims[PLX_MAX_RANK], count = 0;
    int rank = 0;
    if (a && a->kind == PLX_ONNX_TENSOR) {
        value.type = a->tensor->type;
        value.data = a->tensor->data;
        const int bytes = plx_onnx_type_bytes(value.type);
        if (!bytes || a->tensor->bytes != (size_t)bytes)
            return plx__onnx_refuse(c, "its value must be one element of a type that is available");
    }
    if (!plx__onnx_list(c, NULL, 0, PLX_MAX_RANK, dims, &rank) ||
        !plx__onnx_count(c, rank, dims, &count))
        return false;
    return give_filled(c, &value, rank, dims, count);
}

bool plx__onnx_build_range(plx__onnx_call *c) {
    const plx__onnx_value *ends[3];
    for (int i = 0; i < 3; ++i)
        if (!(ends[i] = plx__onnx_known(c, i, "a limit")))
            return false;
        else if (ends[i]->size != 1 || ends[i]->type != ends[0]->type)
            return plx__onnx_wrong(c, "its limits must be single numbers of one type");
    const int type = ends[0]->type;
    const double first = plx__onnx_get_real(ends[0], 0), step = plx__onnx_get_real(ends[2], 0);
    const double steps = (plx__onnx_get_real(ends[1], 0) - first) / step;
    if (!(steps < 0x1p40)) return plx__onnx_wrong(c, "the step is 0, or there are too many");
    int64_t count = steps > 0 ? (int64_t)steps : 0;
    if ((double)count < steps) count += 1;
    uint8_t *data = plx__onnx_elements(c, type, count);
    if (!data)
        return plx__onnx_refuse(c, "it makes %lld elements, more than the model's size justifies",
                                (long long)count);
    for (int64_t i = 0; i < count; ++i)
        if (plx__onnx_is_real(type))
            plx__onnx_put_real(type, data, i, first + (double)i * step);
        else
            plx__onnx_put_int(type, data, i,
                              (int64_t)((uint64_t)plx__onnx_get_int(ends[0], 0) +
                                        (uint64_t)i * (uint64_t)plx__onnx_get_int(ends[2], 0)));
    return plx__onnx_give_known(c, 0, type, 1, &count, data, false);
}

/* ---- Questions ------------------------------------------------------------------------------- */

static bool give_ints(plx__onnx_call *c, int rank, int64_t count, const int64_t *values) {
    uint8_t *data = plx__onnx_elements(c, PLX_ONNX_INT64, count);
    if (!data) return plx__onnx_no_memory(c);
    for (int64_t i = 0; i < count; ++i) plx__onnx_put_int(PLX_ONNX_INT64, data, i, values[i]);
    return plx__onnx_give_known(c, 0, PLX_ONNX_INT64, rank, &count, data, false);
}

bool plx__onnx_build_shape(plx__onnx_call *c) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t begin = plx__onnx_int(c, "start", 0), end = plx__onnx_int(c, "end", x->rank);
    if (begin < 0) begin += x->rank;
    if (end < 0) end += x->rank;
    begin = begin < 0 ? 0 : begin > x->rank ? x->rank : begin;
    end = end < begin ? begin : end > x->rank ? x->rank : end;
    return give_ints(c, 1, end - begin, x->dims + begin);
}

bool plx__onnx_build_size(plx__onnx_call *c) {
    return give_ints(c, 0, 1, &c->inputs[0]->size);
}

bool plx__onnx_build_identity(plx__onnx_call *c) {
    return plx__onnx_give_same(c, 0, c->inputs[0]);
}

/* In use a model drops nothing; a mask, if it is asked for, is all true. */
bool plx__onnx_build_dropout(plx__onnx_call *c) {
    const plx__onnx_value *training = plx__onnx_in(c, 2);
    const plx__onnx_value *x = c->inputs[0];
    if (training && (!training->data || plx__onnx_get_int(training, 0)))
        return plx__onnx_refuse(c, "training_mode is not available");
    if (!plx__onnx_give_same(c, 0, x) || c->outputs_count < 2) return !failed(c);
    const plx_node one = plx_cast(c->graph, plx_constant(c->graph, 1), PLX_DTYPE_U8);
    return plx__onnx_give(c, 1, plx_broadcast(c->graph, one, x->rank, x->dims), PLX_ONNX_BOOL);
}

/* ---- The same elements in another shape ------------------------------------------------------ */

static bool reshape_to(plx__onnx_call *c, int rank, const int64_t *dims) {
    plx__onnx_value *x = c->inputs[0];
    int64_t count = 0;
    char from[96], to[96];
    if (rank > PLX_MAX_RANK)
        return plx__onnx_refuse(c, "the result has %d dimensions; at most %d are supported", rank,
                                PLX_MAX_RANK);
    if (!plx__onnx_count(c, rank, dims, &count)) return false;
    if (count != x->size)
        return plx__onnx_wrong(c, "the elements of %s do not fill %s",
                               plx__shape_text(x->rank, x->dims, from, sizeof from),
                               plx__shape_text(rank, dims, to, sizeof to));
    if (x->data) return plx__onnx_give_known(c, 0, x->type, rank, dims, x->data, x->stored);
    return plx__onnx_give(c, 0, plx_reshape(c->graph, plx__onnx_plain(c, x), rank, dims), x->type);
}

bool plx__onnx_build_reshape(plx__onnx_call *c) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t dims[PLX_MAX_RANK], known = 1;
    int rank = 0, open = -1;
    if (!plx__onnx_list(c, "shape", 1, PLX_MAX_RANK, dims, &rank)) return false;
    if (rank < 0) return plx__onnx_wrong(c, "it has no shape");
    for (int i = 0; i < rank; ++i) {
        if (!dims[i] && !plx__onnx_int(c, "allowzero", 0)) {
            if (i >= x->rank) return plx__onnx_wrong(c, "size %d of the shape copies no axis", i);
            dims[i] = x->dims[i];
        }
        if (dims[i] == -1 && open < 0)
            open = i;
        else if (dims[i] < 0 || __builtin_mul_overflow(known, dims[i], &known))
            return plx__onnx_wrong(c, "size %d of the shape is %lld", i, (long long)dims[i]);
    }
    if (open >= 0) dims[open] = known ? x->size / known : 0;
    if (open >= 0 && !known) return plx__onnx_wrong(c, "a size cannot be inferred beside a 0");
    return reshape_to(c, rank, dims);
}

bool plx__onnx_build_flatten(plx__onnx_call *c) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t dims[2] = {1, 1}, axis = plx__onnx_int(c, "axis", 1);
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis > x->rank)
        return plx__onnx_wrong(c, "there is no axis %lld", (long long)axis);
    for (int i = 0; i < x->rank; ++i) dims[i >= axis] *= x->dims[i];
    return reshape_to(c, 2, dims);
}

/* The axes of an attribute or input as bits; all_if_none: all of them where there is no list. */
static bool axis_bits(plx__onnx_call *c, int rank, bool *given, unsigned *bits) {
    int64_t axes[PLX_MAX_RANK];
    int count = 0;
    *bits = 0;
    if (!plx__onnx_list(c, "axes", 1, PLX_MAX_RANK, axes, &count)) return false;
    *given = count >= 0;
    for (int i = 0; i < count; ++i) {
        const int axis = plx__onnx_axis(c, axes[i], rank);
        if (axis < 0) return false;
        if (*bits >> axis & 1) return plx__onnx_wrong(c, "axis %d is given twice", axis);
        *bits |= 1U << axis;
    }
    return true;
}

bool plx__onnx_build_squeeze(plx__onnx_call *c) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t dims[PLX_MAX_RANK];
    unsigned bits = 0;
    bool given = false;
    int rank = 0;
    if (!axis_bits(c, x->rank, &given, &bits)) return false;
    for (int i = 0; i < x->rank; ++i) {
        const bool drop = given ? bits >> i & 1 : x->dims[i] == 1;
        if (drop && x->dims[i] != 1)
            return plx__onnx_wrong(c, "axis %d has size %lld, not 1", i, (long long)x->dims[i]);
        if (!drop) dims[rank++] = x->dims[i];
    }
    return reshape_to(c, rank, dims);
}

bool plx__onnx_build_unsqueeze(plx__onnx_call *c) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t dims[PLX_MAX_RANK], axes[PLX_MAX_RANK];
    unsigned bits = 0;
    bool given = false;
    int count = 0, from = 0;
    if (!plx__onnx_list(c, "axes", 1, PLX_MAX_RANK, axes, &count)) return false;
    const int rank = x->rank + (count > 0 ? count : 0);
    if (count < 0) return plx__onnx_wrong(c, "it has no axes");
    if (rank > PLX_MAX_RANK)
        return plx__onnx_refuse(c, "the result has %d dimensions; at most %d are supported", rank,
                                PLX_MAX_RANK);
    if (!axis_bits(c, rank, &given, &bits)) return false;
    for (int i = 0; i < rank; ++i) dims[i] = bits >> i & 1 ? 1 : x->dims[from++];
    return reshape_to(c, rank, dims);
}

/* ---- Moving elements ------------------------------------------------------------------------- */

/* Gives known elements by strides; false if the graph is to move them, or after a failure. */
static bool move_known(plx__onnx_call *c, int i, const plx__onnx_value *x, int rank,
                       const int64_t *dims, int64_t first, const int64_t *strides) {
    bool too_many = false;
    return x->data && plx__onnx_fold_move(c, i, x, rank, dims, first, strides, &too_many);
}

bool plx__onnx_build_transpose(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t order[PLX_MAX_RANK], dims[PLX_MAX_RANK], own[PLX_MAX_RANK], strides[PLX_MAX_RANK];
    int axes[PLX_MAX_RANK], count = 0;
    unsigned seen = 0;
    bool to_last = x->rank >= 3 && x->plain.id >= 0, same = true;
    if (!plx__onnx_list(c, "perm", PLX__ONNX_ANY, PLX_MAX_RANK, order, &count)) return false;
    for (int i = 0; count < 0 && i < x->rank; ++i) order[i] = x->rank - 1 - i;
    if (count >= 0 && count != x->rank)
        return plx__onnx_wrong(c, "perm has %d axes for rank %d", count, x->rank);
    plx__onnx_strides(x->rank, x->dims, own);
    for (int i = 0; i < x->rank; ++i) {
        if (order[i] < 0 || order[i] >= x->rank || seen >> order[i] & 1)
            return plx__onnx_wrong(c, "perm is no permutation of the axes");
        seen |= 1U << order[i];
        dims[i] = x->dims[order[i]];
        strides[i] = own[order[i]];
        /* The node may be there with its channels at the end: then it is transposed from there. */
        axes[i] =
            plx__onnx_is_last(x) ? plx__onnx_last_axis((int)order[i], x->rank) : (int)order[i];
        /* What brings channels to axis 1 leaves the node as one with its channels at the end. */
        to_last &= plx__onnx_last_axis(i, x->rank) == order[i];
        same &= order[i] == i;
    }
    if (same) return plx__onnx_give_same(c, 0, x);
    if (move_known(c, 0, x, x->rank, dims, 0, strides) || failed(c)) return !failed(c);
    if (to_last) return plx__onnx_give_last(c, 0, x->plain, x->type);
    const plx_node node = plx__onnx_is_last(x) ? x->last : plx__onnx_plain(c, x);
    return plx__onnx_give(c, 0, plx_transpose(c->graph, node, axes), x->type);
}

/* Images [n, c, h, w] whose blocks of pixels are channels, or become channels: as the axes of a
 * block and the others, moved. */
static bool move_blocks(plx__onnx_call *c, int64_t channels, int64_t rows, int64_t columns,
                        const int64_t *split, const int *axes) {
    plx__onnx_value *x = c->inputs[0];
    const int64_t dims[] = {x->dims[0], channels, rows, columns};
    const plx_node node = plx_reshape(c->graph, plx__onnx_plain(c, x), 6, split);
    return plx__onnx_give(c, 0, plx_reshape(c->graph, plx_transpose(c->graph, node, axes), 4, dims),
                          x->type);
}

/* The size of a block, and whether its pixels are channels that follow each other; 0 after a
 * failure.
 */
static int64_t block_of(const plx__onnx_call *c, bool *by_channel) {
    const plx__onnx_value *x = c->inputs[0];
    const int64_t block = plx__onnx_int(c, "blocksize", 0);
    if (x->rank != 4 || block < 1 || block > INT16_MAX) {
        plx__onnx_wrong(
            c,
            "its input has rank %d and its blocks size %lld; images (4) and 1 to %d are "
            "possible",
            x->rank, (long long)block, INT16_MAX);
        return 0;
    }
    for (int i = 0; i < 4; ++i)
        if (x->dims[i] > INT32_MAX) return plx__onnx_refuse(c, "its input is too large");
    const char *mode = plx__onnx_text(c, "mode", "DCR");
    *by_channel = !strcmp(mode, "CRD");
    if (!*by_channel && strcmp(mode, "DCR") != 0)
        return plx__onnx_refuse(c, "the mode \"%.64s\" is not available", mode);
    return block;
}

bool plx__onnx_build_depth_to_space(plx__onnx_call *c) {
    /* As [n, b, b, c, h, w], or [n, c, b, b, h, w]: to [n, c, h, b, w, b]. */
    static const int depth_first[] = {0, 3, 4, 1, 5, 2}, channels_first[] = {0, 1, 4, 2, 5, 3};
    bool by_channel = false;
    const int64_t b = block_of(c, &by_channel), *d = c->inputs[0]->dims;
    if (!b) return false;
    const int64_t pixels = b * b, channels = d[1] / pixels;
    if (d[1] % pixels)
        return plx__onnx_wrong(c, "%lld channels are no whole number of blocks of %lld",
                               (long long)d[1], (long long)pixels);
    const int64_t split[] = {d[0], by_channel ? channels : b, b, by_channel ? b : channels, d[2],
                             d[3]};
    return move_blocks(c, channels, d[2] * b, d[3] * b, split,
                       by_channel ? channels_first : depth_first);
}

bool plx__onnx_build_space_to_depth(plx__onnx_call *c) {
    /* [n, c, h, b, w, b] to [n, b, b, c, h, w], or [n, c, b, b, h, w]. */
    static const int depth_first[] = {0, 3, 5, 1, 2, 4}, channels_first[] = {0, 1, 3, 5, 2, 4};
    bool by_channel = false;
    const int64_t b = block_of(c, &by_channel), *d = c->inputs[0]->dims;
    if (!b) return false;
    if (d[2] % b || d[3] % b)
        return plx__onnx_wrong(c, "%lld by %lld pixels are no whole number of blocks of %lld",
                               (long long)d[2], (long long)d[3], (long long)b);
    const int64_t split[] = {d[0], d[1], d[2] / b, b, d[3] / b, b};
    return move_blocks(c, d[1] * b * b, d[2] / b, d[3] / b, split,
                       by_channel ? channels_first : depth_first);
}

bool plx__onnx_build_expand(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t shape[PLX_MAX_RANK], dims[PLX_MAX_RANK], own[PLX_MAX_RANK], strides[PLX_MAX_RANK] = {0},
                                                                        count = 0;
    int shape_rank = 0, rank = 0;
    if (!plx__onnx_list(c, NULL, 1, PLX_MAX_RANK, shape, &shape_rank)) return false;
    if (!plx__onnx_broadcast(c, x->rank, x->dims, shape_rank, shape, &rank, dims) ||
        !plx__onnx_count(c, rank, dims, &count))
        return false;
    plx__onnx_strides(x->rank, x->dims, own);
    for (int i = 0; i < x->rank; ++i)
        if (x->dims[i] != 1) strides[i + rank - x->rank] = own[i];
    const bool reals = plx__onnx_is_real(x->type) && count > 64;
    if ((!reals && move_known(c, 0, x, rank, dims, 0, strides)) || failed(c)) return !failed(c);
    return plx__onnx_give(c, 0, plx_broadcast(c->graph, plx__onnx_plain(c, x), rank, dims),
                          x->type);
}

/* Joins known elements. */
static bool concat_known(plx__onnx_call *c, int axis, const int64_t *dims) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t outer = 1, inner = plx_onnx_type_bytes(x->type), count = 1, at = 0;
    for (int i = 0; i < x->rank; ++i) {
        if (i < axis) outer *= dims[i];
        if (i > axis) inner *= dims[i];
        count *= dims[i];
    }
    uint8_t *data = plx__onnx_elements(c, x->type, count);
    if (!data) return false;
    for (int64_t o = 0; o < outer; ++o)
        for (int i = 0; i < c->inputs_count; ++i) {
            const int64_t bytes = c->inputs[i]->dims[axis] * inner;
            memcpy(data + at, c->inputs[i]->data + o * bytes, (size_t)bytes);
            at += bytes;
        }
    return plx__onnx_give_known(c, 0, x->type, x->rank, dims, data, x->stored);
}

bool plx__onnx_build_concat(plx__onnx_call *c) {
    const plx__onnx_value *x = c->inputs[0];
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", 1), x->rank);
    int64_t dims[PLX_MAX_RANK], count = 0;
    bool last = false;
    if (axis < 0) return false;
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = 0;
    for (int i = 0; i < c->inputs_count; ++i) {
        const plx__onnx_value *v = c->inputs[i];
        bool fits = v && v->rank == x->rank && v->type == x->type;
        for (int k = 0; fits && k < x->rank; ++k) fits = k == axis || v->dims[k] == x->dims[k];
        if (!fits || __builtin_add_overflow(dims[axis], v->dims[axis], &dims[axis]))
            return plx__onnx_wrong(c, "input %d does not fit beside input 0", i);
        last |= x->rank >= 3 && plx__onnx_is_last(v);
    }
    if (!plx__onnx_count(c, x->rank, dims, &count)) return false;
    if (plx__onnx_all_known(c) && (concat_known(c, axis, dims) || failed(c))) return !failed(c);
    plx_node *nodes = plx__arena_take(&c->importer->arena, (size_t)c->inputs_count * sizeof *nodes);
    if (!nodes) return plx__onnx_no_memory(c);
    for (int i = 0; i < c->inputs_count; ++i)
        nodes[i] = last ? plx__onnx_last(c, c->inputs[i]) : plx__onnx_plain(c, c->inputs[i]);
    const plx_node node = plx_concat(c->graph, c->inputs_count, nodes,
                                     last ? plx__onnx_last_axis(axis, x->rank) : axis);
    return last ? plx__onnx_give_last(c, 0, node, x->type) : plx__onnx_give(c, 0, node, x->type);
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* Begin and number of the elements that a slice takes from an axis; the numbers of the format may
 * lie far outside and are clamped first. */
static bool slice_axis(const plx__onnx_call *c, int64_t size, int64_t *begin, int64_t end,
                       int64_t step, int64_t *count) {
    if (!step || step == INT64_MIN) return plx__onnx_wrong(c, "a step is %lld", (long long)step);
    if (*begin < 0) *begin += size;
    if (end < 0 && end >= -size) end += size;
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    *begin = *begin < (step > 0 ? 0 : -1) ? low : *begin > high ? high : *begin;
    end = end < low ? low : end > high ? high : end;
    const int64_t span = step > 0 ? end - *begin : *begin - end, by = step > 0 ? step : -step;
    *count = span > 0 ? (span - 1) / by + 1 : 0;
    return true;
}

typedef struct slices {
    int64_t begin[PLX_MAX_RANK], count[PLX_MAX_RANK], step[PLX_MAX_RANK];
} slices;

static bool read_slices(plx__onnx_call *c, const plx__onnx_value *x, slices *s) {
    int64_t begins[PLX_MAX_RANK], ends[PLX_MAX_RANK], axes[PLX_MAX_RANK], steps[PLX_MAX_RANK];
    int begins_count = 0, ends_count = 0, axes_count = 0, steps_count = 0;
    unsigned seen = 0;
    if (!plx__onnx_list(c, "starts", 1, PLX_MAX_RANK, begins, &begins_count) ||
        !plx__onnx_list(c, "ends", 2, PLX_MAX_RANK, ends, &ends_count) ||
        !plx__onnx_list(c, "axes", 3, PLX_MAX_RANK, axes, &axes_count) ||
        !plx__onnx_list(c, NULL, 4, PLX_MAX_RANK, steps, &steps_count))
        return false;
    if (begins_count < 0 || ends_count != begins_count ||
        (axes_count >= 0 && axes_count != begins_count) ||
        (steps_count >= 0 && steps_count != begins_count))
        return plx__onnx_wrong(c, "its lists differ in length");
    for (int i = 0; i < x->rank; ++i) {
        s->begin[i] = 0;
        s->count[i] = x->dims[i];
        s->step[i] = 1;
    }
    for (int i = 0; i < begins_count; ++i) {
        const int axis = plx__onnx_axis(c, axes_count < 0 ? i : axes[i], x->rank);
        if (axis < 0) return false;
        if (seen >> axis & 1) return plx__onnx_wrong(c, "axis %d is given twice", axis);
        seen |= 1U << axis;
        s->begin[axis] = begins[i];
        s->step[axis] = steps_count < 0 ? 1 : steps[i];
        if (!slice_axis(c, x->dims[axis], &s->begin[axis], ends[i], s->step[axis], &s->count[axis]))
            return false;
    }
    return true;
}

/* One axis of a node. */
static plx_node slice_node(const plx__onnx_call *c, plx_node node, int axis, int64_t size,
                           int64_t begin, int64_t count, int64_t step) {
    if (!begin && count == size && step == 1) return node;
    if (!count) return plx_slice(c->graph, node, axis, 0, 0, 1);
    if (step > size) step = size;
    if (step < -size) step = -size;
    int64_t end = begin + (count - 1) * step + (step > 0 ? 1 : -1);
    if (end < 0) end -= size; /* to the first element */
    return plx_slice(c->graph, node, axis, begin, end, step);
}

bool plx__onnx_build_slice(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    slices s = {.begin = {0}};
    int64_t own[PLX_MAX_RANK], strides[PLX_MAX_RANK], first = 0;
    if (!read_slices(c, x, &s)) return false;
    plx__onnx_strides(x->rank, x->dims, own);
    for (int i = 0; i < x->rank; ++i) {
        first += s.count[i] ? s.begin[i] * own[i] : 0;
        strides[i] = s.count[i] > 1 ? s.step[i] * own[i] : 0;
    }
    if (move_known(c, 0, x, x->rank, s.count, first, strides) || failed(c)) return !failed(c);
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    for (int i = 0; i < x->rank; ++i)
        node = slice_node(c, node, last ? plx__onnx_last_axis(i, x->rank) : i, x->dims[i],
                          s.begin[i], s.count[i], s.step[i]);
    return last ? plx__onnx_give_last(c, 0, node, x->type) : plx__onnx_give(c, 0, node, x->type);
}

/* The size of part i. Without a list, all but the last are equally large. */
static int64_t part_of(int64_t size, int parts, int i) {
    const int64_t part = parts ? (size + parts - 1) / parts : 0;
    const int64_t begin = part * i < size ? part * i : size;
    return part < size - begin ? part : size - begin;
}

bool plx__onnx_build_split(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    enum { PARTS_MOST = 1024 };
    int64_t sizes[PARTS_MOST], own[PLX_MAX_RANK], dims[PLX_MAX_RANK], begin = 0;
    int count = 0;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", 0), x->rank);
    if (axis < 0 || !plx__onnx_list(c, "split", 1, PARTS_MOST, sizes, &count)) return false;
    if (count >= 0 && count != c->node->outputs_count)
        return plx__onnx_wrong(c, "it has %d parts for %d outputs", count, c->node->outputs_count);
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    const int at = last ? plx__onnx_last_axis(axis, x->rank) : axis;
    plx__onnx_strides(x->rank, x->dims, own);
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < c->node->outputs_count; ++i) {
        const int64_t size =
            count >= 0 ? sizes[i] : part_of(x->dims[axis], c->node->outputs_count, i);
        if (size < 0 || size > x->dims[axis] - begin)
            return plx__onnx_wrong(c, "its parts do not add up to the axis of size %lld",
                                   (long long)x->dims[axis]);
        dims[axis] = size;
        const bool wanted = i < c->outputs_count;
        if (wanted && !move_known(c, i, x, x->rank, dims, begin * own[axis], own)) {
            if (failed(c)) return false;
            const plx_node whole = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
            const plx_node node = slice_node(c, whole, at, x->dims[axis], begin, size, 1);
            if (!(last ? plx__onnx_give_last(c, i, node, x->type)
                       : plx__onnx_give(c, i, node, x->type)))
                return false;
        }
        begin += size;
    }
    return begin == x->dims[axis] || plx__onnx_wrong(c, "its parts add up to %lld of %lld",
                                                     (long long)begin, (long long)x->dims[axis]);
}

/* ---- Padding, repeating ---------------------------------------------------------------------- */

static bool read_pads(plx__onnx_call *c, const plx__onnx_value *x, int64_t *before,
                      int64_t *after) {
    int64_t pads[2 * PLX_MAX_RANK], axes[PLX_MAX_RANK];
    int count = 0, axes_count = 0;
    if (!plx__onnx_list(c, "pads", 1, 2 * PLX_MAX_RANK, pads, &count) ||
        !plx__onnx_list(c, NULL, 3, PLX_MAX_RANK, axes, &axes_count))
        return false;
    const int n = axes_count < 0 ? x->rank : axes_count;
    if (count != 2 * n) return plx__onnx_wrong(c, "pads has %d numbers for %d axes", count, n);
    for (int i = 0; i < x->rank; ++i) before[i] = after[i] = 0;
    for (int i = 0; i < n; ++i) {
        const int axis = plx__onnx_axis(c, axes_count < 0 ? i : axes[i], x->rank);
        if (axis < 0) return false;
        before[axis] = pads[i];
        after[axis] = pads[i + n];
    }
    return true;
}

/* Those of plx_padding follow by its numbers. */
enum { CONSTANT = -1 };

static bool read_mode(const plx__onnx_call *c, int *mode) {
    static const char *const names[] = {"constant", "edge", "reflect", "wrap"};
    const char *text = plx__onnx_text(c, "mode", "constant");
    for (int i = CONSTANT; i <= PLX_PAD_WRAP; ++i) {
        if (strcmp(text, names[i - CONSTANT]) != 0) continue;
        *mode = i;
        return true;
    }
    return plx__onnx_refuse(c, "the mode \"%.64s\" is not available", text);
}

bool plx__onnx_build_pad(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t before[PLX_MAX_RANK] = {0}, after[PLX_MAX_RANK] = {0}, own[PLX_MAX_RANK],
            more[PLX_MAX_RANK];
    double value = 0;
    int mode = CONSTANT;
    if (!read_mode(c, &mode) || !read_pads(c, x, before, after) ||
        (mode == CONSTANT && !plx__onnx_number(c, "value", 2, &value)))
        return false;
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    for (int i = 0; i < x->rank; ++i) {
        const int at = last ? plx__onnx_last_axis(i, x->rank) : i;
        /* Below 0: cuts off. */
        const int64_t cut = before[i] < 0 ? -before[i] : 0, cut_end = after[i] < 0 ? -after[i] : 0;
        if (cut < 0 || cut_end < 0 || cut > x->dims[i] || cut_end > x->dims[i] - cut)
            return plx__onnx_wrong(c, "it cuts off more than axis %d has", i);
        const int64_t rest = x->dims[i] - cut - cut_end;
        node = slice_node(c, node, at, x->dims[i], cut, rest, 1);
        own[at] = before[i] > 0 ? before[i] : 0;
        more[at] = after[i] > 0 ? after[i] : 0;
    }
    node = mode == CONSTANT ? plx_pad(c->graph, node, own, more, value)
                            : plx_pad_repeat(c->graph, node, own, more, (plx_padding)mode);
    return last ? plx__onnx_give_last(c, 0, node, x->type) : plx__onnx_give(c, 0, node, x->type);
}

bool plx__onnx_build_tile(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t repeats[PLX_MAX_RANK];
    int count = 0;
    if (!plx__onnx_list(c, NULL, 1, PLX_MAX_RANK, repeats, &count)) return false;
    if (count != x->rank)
        return plx__onnx_wrong(c, "it has %d repeats for rank %d", count, x->rank);
    plx_node node = plx__onnx_plain(c, x);
    int64_t dims[PLX_MAX_RANK], size = 0;
    memcpy(dims, x->dims, sizeof dims);
    /* One axis at a time: [outer, inner] is repeated as [outer, n, inner]. */
    for (int i = 0; i < x->rank; ++i) {
        int64_t outer = 1, inner = 1;
        if (repeats[i] == 1) continue;
        for (int k = 0; k < i; ++k) outer *= dims[k];
        for (int k = i; k < x->rank; ++k) inner *= dims[k];
        if (repeats[i] < 0 || __builtin_mul_overflow(dims[i], repeats[i], &dims[i]))
            return plx__onnx_wrong(c, "it repeats axis %d %lld times", i, (long long)repeats[i]);
        if (!plx__onnx_count(c, x->rank, dims, &size)) return false;
        node = plx_reshape(c->graph, node, 3, (int64_t[]){outer, 1, inner});
        node = plx_broadcast(c->graph, node, 3, (int64_t[]){outer, repeats[i], inner});
        node = plx_reshape(c->graph, node, x->rank, dims);
    }
    return plx__onnx_give(c, 0, node, x->type);
}

/* ---- Control --------------------------------------------------------------------------------- */

bool plx__onnx_build_if(plx__onnx_call *c) {
    const plx__onnx_value *condition = plx__onnx_known(c, 0, "the condition");
    if (!condition) return false;
    if (condition->size != 1) return plx__onnx_wrong(c, "the condition must be a single value");
    const char *name = plx__onnx_get_int(condition, 0) ? "then_branch" : "else_branch";
    const plx_onnx_attribute *branch = plx__onnx_attribute(c, name);
    if (!branch || branch->kind != PLX_ONNX_GRAPH) return plx__onnx_wrong(c, "it has no %s", name);
    return plx__onnx_enter(c, branch->graph);
}
