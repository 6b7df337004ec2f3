/* Operators that select elements by index, and change those that an index selects. */
#include "onnx/importer.h"

#include <string.h>

static bool index_in(const plx__onnx_call *c, const plx__onnx_value *indices, int64_t i,
                     int64_t size, int64_t *index) {
    *index = plx__onnx_get_int(indices, i);
    if (*index < 0) *index += size;
    if (*index >= 0 && *index < size) return true;
    return plx__onnx_wrong(c, "index %lld is outside the axis of size %lld",
                           (long long)plx__onnx_get_int(indices, i), (long long)size);
}

static bool gather_known(plx__onnx_call *c, const plx__onnx_value *x,
                         const plx__onnx_value *indices, int axis, int rank, const int64_t *dims) {
    int64_t outer = 1, inner = plx_onnx_type_bytes(x->type), count = 0, index = 0, at = 0;
    if (!plx__onnx_count(c, rank, dims, &count)) return false;
    for (int i = 0; i < axis; ++i) outer *= x->dims[i];
    for (int i = axis + 1; i < x->rank; ++i) inner *= x->dims[i];
    uint8_t *data = plx__onnx_elements(c, x->type, count);
    if (!data) return false;
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t i = 0; i < indices->size; ++i, at += inner) {
            if (!index_in(c, indices, i, x->dims[axis], &index)) return false;
            memcpy(data + at, x->data + (o * x->dims[axis] + index) * inner, (size_t)inner);
        }
    return plx__onnx_give_known(c, 0, x->type, rank, dims, data, false);
}

/* Indices that are computed at import, to be filled in at *data; NULL after a failure. */
static plx__onnx_value *new_indices(const plx__onnx_call *c, const char *name, int rank,
                                    const int64_t *dims, int64_t size, uint8_t **data) {
    plx__onnx_value *v = plx__onnx_new_value(c->importer, name, PLX_ONNX_INT64, rank, dims, size);
    *data = plx__onnx_elements(c, PLX_ONNX_INT64, size);
    if (!v || !*data) {
        plx__onnx_no_memory(c);
        return NULL;
    }
    v->data = *data;
    return v;
}

/* Known indices, with those below 0 counted from the first, as an array of the graph. */
static plx__onnx_value *positive(plx__onnx_call *c, const plx__onnx_value *indices, int64_t size) {
    uint8_t *data = NULL;
    int64_t index = 0;
    plx__onnx_value *v =
        new_indices(c, indices->name, indices->rank, indices->dims, indices->size, &data);
    for (int64_t i = 0; v && i < indices->size; ++i) {
        if (!index_in(c, indices, i, size, &index)) return NULL;
        plx__onnx_put_int(PLX_ONNX_INT64, data, i, index);
    }
    return v;
}

bool plx__onnx_build_gather(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0], *indices = c->inputs[1];
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", 0), x->rank);
    int64_t dims[2 * PLX_MAX_RANK], index = 0;
    int rank = 0;
    if (axis < 0) return false;
    if (plx__onnx_is_real(indices->type)) return plx__onnx_wrong(c, "its indices are reals");
    for (int i = 0; i < axis; ++i) dims[rank++] = x->dims[i];
    for (int i = 0; i < indices->rank; ++i) dims[rank++] = indices->dims[i];
    for (int i = axis + 1; i < x->rank; ++i) dims[rank++] = x->dims[i];
    if (rank > PLX_MAX_RANK)
        return plx__onnx_refuse(c, "the result has %d dimensions; at most %d are supported", rank,
                                PLX_MAX_RANK);
    const bool few = !x->stored || !plx__onnx_is_real(x->type);
    if (x->data && indices->data && few) {
        if (gather_known(c, x, indices, axis, rank, dims)) return true;
        if (c->importer->status != PLX_OK) return false;
    }
    const plx_node node = plx__onnx_plain(c, x);
    if (indices->data && indices->size == 1) {
        if (!index_in(c, indices, 0, x->dims[axis], &index)) return false;
        const plx_node one =
            x->dims[axis] == 1 ? node : plx_slice(c->graph, node, axis, index, index + 1, 1);
        return plx__onnx_give(c, 0, plx_reshape(c->graph, one, rank, dims), x->type);
    }
    if (indices->data && !(indices = positive(c, indices, x->dims[axis]))) return false;
    return plx__onnx_give(c, 0, plx_gather(c->graph, node, plx__onnx_plain(c, indices), axis),
                          x->type);
}

/* ---- An index for each element --------------------------------------------------------------- */

/* The node of indices into an axis, those below 0 counted from the first if they are known; invalid
 * after a failure. */
static plx_node indices_of(plx__onnx_call *c, plx__onnx_value *indices, int64_t size) {
    if (plx__onnx_is_real(indices->type)) {
        plx__onnx_wrong(c, "its indices are reals");
        return plx_none();
    }
    if (indices->data && !(indices = positive(c, indices, size))) return plx_none();
    return plx__onnx_plain(c, indices);
}

/* The shapes are the core's to check. */
bool plx__onnx_build_gather_elements(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", 0), x->rank);
    if (axis < 0) return false;
    const plx_node indices = indices_of(c, c->inputs[1], x->dims[axis]);
    const plx_node node = plx__onnx_plain(c, x);
    return plx__onnx_give(c, 0, plx_take_along(c->graph, node, indices, axis), x->type);
}

static bool read_reduction(const plx__onnx_call *c, plx_scatter *scatter) {
    /* By the numbers of plx_scatter. */
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const char *text = plx__onnx_text(c, "reduction", "none");
    for (int i = 0; i < 5; ++i) {
        if (strcmp(text, names[i]) != 0) continue;
        *scatter = (plx_scatter)i;
        return !i || c->inputs[0]->type == PLX_ONNX_FLOAT ||
               plx__onnx_refuse(c, "the reduction \"%s\" is available for float32, not %s", text,
                                plx_onnx_type_name(c->inputs[0]->type));
    }
    return plx__onnx_refuse(c, "the reduction \"%.64s\" is not available", text);
}

bool plx__onnx_build_scatter_elements(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    plx_scatter scatter = PLX_SCATTER_SET;
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", 0), x->rank);
    if (axis < 0 || !read_reduction(c, &scatter)) return false;
    const plx_node indices = indices_of(c, c->inputs[1], x->dims[axis]);
    const plx_node node = plx__onnx_plain(c, x), updates = plx__onnx_plain(c, c->inputs[2]);
    return plx__onnx_give(c, 0, plx_scatter_along(c->graph, node, indices, updates, axis, scatter),
                          x->type);
}

/* ---- Indices of several axes ----------------------------------------------------------------- */

/* x as [places, inner]: an index selects one of the places. */
typedef struct places {
    int batch, depth; /* axes that go with those of the indices, and that an index counts along */
    int64_t flat[2], selected;
    plx__onnx_value *indices; /* into the places, one for each that is selected */
} places;

static bool count_places(plx__onnx_call *c, places *p) {
    const plx__onnx_value *x = c->inputs[0];
    const plx__onnx_value *indices = plx__onnx_known(c, 1, "the indices");
    if (!indices) return false;
    if (plx__onnx_is_real(indices->type)) return plx__onnx_wrong(c, "its indices are reals");
    const int64_t batch = plx__onnx_int(c, "batch_dims", 0);
    const int64_t depth = indices->rank ? indices->dims[indices->rank - 1] : 0;
    if (!indices->rank || batch < 0 || batch >= indices->rank || depth < 1 ||
        depth > x->rank - batch)
        return plx__onnx_wrong(c, "indices of rank %d and length %lld do not fit rank %d",
                               indices->rank, (long long)depth, x->rank);
    p->batch = (int)batch;
    p->depth = (int)depth;
    if (!plx__onnx_count(c, (int)(batch + depth), x->dims, &p->flat[0]) ||
        !plx__onnx_count(c, x->rank - (int)(batch + depth), x->dims + batch + depth, &p->flat[1]) ||
        !plx__onnx_count(c, indices->rank - 1, indices->dims, &p->selected))
        return false;
    for (int i = 0; i < batch; ++i)
        if (indices->dims[i] != x->dims[i])
            return plx__onnx_wrong(c, "its operands differ in axis %d, one of batch_dims", i);
    return true;
}

static bool read_places(plx__onnx_call *c, places *p) {
    uint8_t *data = NULL;
    if (!count_places(c, p)) return false;
    const plx__onnx_value *x = c->inputs[0], *indices = c->inputs[1];
    int64_t batches = 0, index = 0;
    if (!plx__onnx_count(c, p->batch, x->dims, &batches)) return false;
    p->indices = new_indices(c, indices->name, 1, &p->selected, p->selected, &data);
    if (!p->indices) return false;
    for (int64_t i = 0; i < p->selected; ++i) {
        int64_t place = i / (p->selected / batches);
        for (int k = 0; k < p->depth; ++k) {
            const int64_t size = x->dims[p->batch + k];
            if (!index_in(c, indices, i * p->depth + k, size, &index)) return false;
            place = place * size + index;
        }
        plx__onnx_put_int(PLX_ONNX_INT64, data, i, place);
    }
    return true;
}

bool plx__onnx_build_gather_nd(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    const plx__onnx_value *indices = c->inputs[1];
    int64_t dims[2 * PLX_MAX_RANK];
    int rank = 0;
    places p = {.batch = 0};
    if (!read_places(c, &p)) return false;
    for (int i = 0; i + 1 < indices->rank; ++i) dims[rank++] = indices->dims[i];
    for (int i = p.batch + p.depth; i < x->rank; ++i) dims[rank++] = x->dims[i];
    if (rank > PLX_MAX_RANK)
        return plx__onnx_refuse(c, "the result has %d dimensions; at most %d are supported", rank,
                                PLX_MAX_RANK);
    plx_node node = plx_reshape(c->graph, plx__onnx_plain(c, x), 2, p.flat);
    node = plx_gather(c->graph, node, plx__onnx_plain(c, p.indices), 0);
    return plx__onnx_give(c, 0, plx_reshape(c->graph, node, rank, dims), x->type);
}

bool plx__onnx_build_scatter_nd(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0], *updates = c->inputs[2];
    plx_scatter scatter = PLX_SCATTER_SET;
    places p = {.batch = 0};
    if (!read_reduction(c, &scatter) || !read_places(c, &p)) return false;
    const int64_t rows[] = {p.selected, p.flat[1]}, column[] = {p.selected, 1};
    if (updates->size != p.selected * p.flat[1])
        return plx__onnx_wrong(c, "it has %lld updates of %lld elements each, but %lld elements",
                               (long long)p.selected, (long long)p.flat[1],
                               (long long)updates->size);
    const plx_node index = plx_reshape(c->graph, plx__onnx_plain(c, p.indices), 2, column);
    const plx_node node =
        plx_scatter_along(c->graph, plx_reshape(c->graph, plx__onnx_plain(c, x), 2, p.flat),
                          plx_broadcast(c->graph, index, 2, rows),
                          plx_reshape(c->graph, plx__onnx_plain(c, updates), 2, rows), 0, scatter);
    return plx__onnx_give(c, 0, plx_reshape(c->graph, node, x->rank, x->dims), x->type);
}

/* ---- Patterns -------------------------------------------------------------------------------- */

/* One-hot vectors in which -depth to -1 count from the end, too. */
static plx_node one_hot_of(plx__onnx_call *c, int64_t depth, int axis) {
    plx_node indices = plx__onnx_plain(c, c->inputs[0]);
    const plx_node end = plx_constant(c->graph, (double)depth);
    if (c->inputs[0]->type == PLX_ONNX_FLOAT) indices = plx_cast(c->graph, indices, PLX_DTYPE_I32);
    /* Exact in reals for all that are in range, since depth is below 2^24. */
    const plx_node moved = plx_add(c->graph, plx_cast(c->graph, indices, PLX_DTYPE_REAL), end);
    const plx_node other = plx_cast(c->graph, moved, PLX_DTYPE_I32);
    return plx_max(c->graph, plx_one_hot(c->graph, indices, depth, axis),
                   plx_one_hot(c->graph, other, depth, axis));
}

bool plx__onnx_build_one_hot(plx__onnx_call *c) {
    plx__onnx_value *values = c->inputs[2];
    double depth = 0;
    if (!plx__onnx_number(c, NULL, 1, &depth)) return false;
    if (!(depth >= 1 && depth < 1 << 24) || depth != (double)(int64_t)depth)
        return plx__onnx_refuse(c, "its depth is %g; it must be 1 to 2^24 - 1", depth);
    if (values->rank != 1 || values->size != 2)
        return plx__onnx_wrong(c, "its values must be two numbers");
    const int axis = plx__onnx_axis(c, plx__onnx_int(c, "axis", -1), c->inputs[0]->rank + 1);
    if (axis < 0) return false;
    const plx_node which = one_hot_of(c, (int64_t)depth, axis);
    const plx_node two = plx__onnx_plain(c, values);
    const plx_node off = plx_slice(c->graph, two, 0, 0, 1, 1),
                   on = plx_slice(c->graph, two, 0, 1, 2, 1);
    const plx_node node = plx_where(c->graph, plx_cast(c->graph, which, PLX_DTYPE_U8), on, off);
    return plx__onnx_give(c, 0, node, values->type);
}

bool plx__onnx_build_trilu(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    int64_t k = 0;
    int count = 0;
    if (!plx__onnx_list(c, NULL, 1, 1, &k, &count)) return false;
    if (!count) return plx__onnx_wrong(c, "k must be a single number");
    const plx_node node =
        plx_trilu(c->graph, plx__onnx_plain(c, x), plx__onnx_int(c, "upper", 1) != 0, k);
    return plx__onnx_give(c, 0, node, x->type);
}
