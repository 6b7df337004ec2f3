/* Values: their elements, and their nodes in one layout and the other. */
#include "onnx/importer.h"

#include "base/dtype.h"
#include "base/platform.h"

#include <string.h>

static const struct {
    int type, bytes;
    const char *name;
} types[] = {
    {PLX_ONNX_FLOAT, 4, "float32"},     {PLX_ONNX_UINT8, 1, "uint8"},
    {PLX_ONNX_INT8, 1, "int8"},         {PLX_ONNX_UINT16, 2, "uint16"},
    {PLX_ONNX_INT16, 2, "int16"},       {PLX_ONNX_INT32, 4, "int32"},
    {PLX_ONNX_INT64, 8, "int64"},       {PLX_ONNX_BOOL, 1, "bool"},
    {PLX_ONNX_FLOAT16, 2, "float16"},   {PLX_ONNX_DOUBLE, 8, "float64"},
    {PLX_ONNX_UINT32, 4, "uint32"},     {PLX_ONNX_UINT64, 8, "uint64"},
    {PLX_ONNX_BFLOAT16, 2, "bfloat16"},
};
enum { TYPES = sizeof types / sizeof types[0] };

const char *plx_onnx_type_name(int type) {
    for (int i = 0; i < TYPES; ++i)
        if (types[i].type == type) return types[i].name;
    return NULL;
}

int plx_onnx_type_bytes(int type) {
    for (int i = 0; i < TYPES; ++i)
        if (types[i].type == type) return types[i].bytes;
    return 0;
}

bool plx__onnx_is_real(int type) {
    return type == PLX_ONNX_FLOAT || type == PLX_ONNX_DOUBLE || type == PLX_ONNX_FLOAT16 ||
           type == PLX_ONNX_BFLOAT16;
}

/* ---- Elements -------------------------------------------------------------------------------- */

static bool is_signed(int type) {
    return type == PLX_ONNX_INT8 || type == PLX_ONNX_INT16 || type == PLX_ONNX_INT32 ||
           type == PLX_ONNX_INT64;
}

int64_t plx__onnx_get_int(const plx__onnx_value *v, int64_t i) {
    if (plx__onnx_is_real(v->type)) {
        const double x = plx__onnx_get_real(v, i);
        /* Beyond the range, and for a NaN, what x86 gives. */
        return x > -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
    }
    const int bytes = plx_onnx_type_bytes(v->type);
    uint64_t value = 0;
    for (int k = 0; k < bytes; ++k) value |= (uint64_t)v->data[i * bytes + k] << 8 * k;
    if (is_signed(v->type) && bytes < 8 && value >> (8 * bytes - 1))
        value |= UINT64_MAX << 8 * bytes;
    return (int64_t)value;
}

double plx__onnx_get_real(const plx__onnx_value *v, int64_t i) {
    const uint8_t *at = v->data + i * plx_onnx_type_bytes(v->type);
    double value = 0;
    float single;
    uint16_t half;
    switch (v->type) {
    case PLX_ONNX_FLOAT: memcpy(&single, at, sizeof single); return (double)single;
    case PLX_ONNX_DOUBLE: memcpy(&value, at, sizeof value); return value;
    case PLX_ONNX_FLOAT16:
    case PLX_ONNX_BFLOAT16:
        memcpy(&half, at, sizeof half);
        plx__decode(v->type == PLX_ONNX_FLOAT16 ? PLX_DTYPE_F16 : PLX_DTYPE_BF16, 1, &half, &value);
        return value;
    case PLX_ONNX_UINT64: return (double)(uint64_t)plx__onnx_get_int(v, i);
    default: return (double)plx__onnx_get_int(v, i);
    }
}

void plx__onnx_put_int(int type, uint8_t *data, int64_t i, int64_t value) {
    const int bytes = plx_onnx_type_bytes(type);
    if (plx__onnx_is_real(type)) {
        plx__onnx_put_real(type, data, i, (double)value);
        return;
    }
    if (type == PLX_ONNX_BOOL) value = value != 0;
    for (int k = 0; k < bytes; ++k) data[i * bytes + k] = (uint8_t)((uint64_t)value >> 8 * k);
}

void plx__onnx_put_real(int type, uint8_t *data, int64_t i, double value) {
    uint8_t *at = data + i * plx_onnx_type_bytes(type);
    const float single = (float)value;
    uint16_t half = 0;
    switch (type) {
    case PLX_ONNX_FLOAT: memcpy(at, &single, sizeof single); break;
    case PLX_ONNX_DOUBLE: memcpy(at, &value, sizeof value); break;
    case PLX_ONNX_FLOAT16:
    case PLX_ONNX_BFLOAT16:
        plx__encode(type == PLX_ONNX_FLOAT16 ? PLX_DTYPE_F16 : PLX_DTYPE_BF16, 1, &value, &half);
        memcpy(at, &half, sizeof half);
        break;
    case PLX_ONNX_BOOL: *at = value != 0; break;
    default:
        plx__onnx_put_int(type, data, i,
                          value > -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN);
    }
}

uint8_t *plx__onnx_elements(const plx__onnx_call *c, int type, int64_t count) {
    plx__onnx_importer *im = c->importer;
    const int bytes = plx_onnx_type_bytes(type);
    if (!bytes || count > im->budget / bytes) return NULL;
    im->budget -= count * bytes;
    return plx__arena_take(&im->arena, (size_t)(count * bytes) + 1);
}

bool plx__onnx_all_known(const plx__onnx_call *c) {
    for (int i = 0; i < c->inputs_count; ++i)
        if (c->inputs[i] && !c->inputs[i]->data) return false;
    return true;
}

/* ---- Nodes of known elements ----------------------------------------------------------------- */

static bool in_range(const plx__onnx_value *v, int64_t *wrong) {
    for (int64_t i = 0; i < v->size; ++i) {
        *wrong = plx__onnx_get_int(v, i);
        if (*wrong < INT32_MIN || *wrong > INT32_MAX) return false;
    }
    return true;
}

/* The dtype that holds a type's elements; false after a failure. */
static bool dtype_of(const plx__onnx_call *c, const plx__onnx_value *v, plx_dtype *dtype) {
    int64_t wrong = 0;
    switch (v->type) {
    case PLX_ONNX_FLOAT: *dtype = PLX_DTYPE_REAL; return true;
    case PLX_ONNX_INT32:
    case PLX_ONNX_INT64:
        *dtype = PLX_DTYPE_I32;
        if (in_range(v, &wrong)) return true;
        return plx__onnx_refuse(c, "\"%.64s\" holds %lld; at run time whole numbers have 32 bits",
                                v->name, (long long)wrong);
    case PLX_ONNX_BOOL:
    case PLX_ONNX_UINT8: *dtype = PLX_DTYPE_U8; return true;
    case PLX_ONNX_INT8: *dtype = PLX_DTYPE_I8; return true;
    case PLX_ONNX_FLOAT16: *dtype = PLX_DTYPE_F16; return true;
    case PLX_ONNX_BFLOAT16: *dtype = PLX_DTYPE_BF16; return true;
    default:
        return plx__onnx_refuse(c, "\"%.64s\" is %s, which no operation here takes", v->name,
                                plx_onnx_type_name(v->type));
    }
}

/* Element i of v as element k of a tensor. */
static void store(const plx__onnx_value *v, int64_t i, plx_dtype dtype, void *data, int64_t k) {
    switch (dtype) {
    case PLX_DTYPE_REAL: ((plx_real *)data)[k] = (plx_real)plx__onnx_get_real(v, i); break;
    case PLX_DTYPE_I32: ((int32_t *)data)[k] = (int32_t)plx__onnx_get_int(v, i); break;
    case PLX_DTYPE_U8:
        ((uint8_t *)data)[k] = v->type == PLX_ONNX_BOOL ? v->data[i] != 0 : v->data[i];
        break;
    default: {
        const size_t bytes = plx__element_bytes(dtype);
        memcpy((uint8_t *)data + (size_t)k * bytes, v->data + (size_t)i * bytes, bytes);
    }
    }
}

/* The elements in the order of axes (NULL: as they are), as a parameter of that shape. */
static plx_node parameter(const plx__onnx_call *c, const plx__onnx_value *v, const int *axes) {
    plx_dtype dtype = PLX_DTYPE_REAL;
    int64_t dims[PLX_MAX_RANK], strides[PLX_MAX_RANK], index[PLX_MAX_RANK] = {0}, stride = 1;
    plx_tensor *tensor = NULL;
    if (!dtype_of(c, v, &dtype)) return plx_none();
    for (int i = v->rank - 1; i >= 0; --i) {
        strides[i] = stride;
        stride *= v->dims[i];
    }
    for (int i = 0; i < v->rank; ++i) dims[i] = v->dims[axes ? axes[i] : i];
    if (plx_tensor_new(c->importer->ctx, dtype, v->rank, dims, &tensor) != PLX_OK) {
        plx__onnx_no_memory(c);
        return plx_none();
    }
    void *data = plx_tensor_data(tensor);
    for (int64_t k = 0, i = 0; k < v->size; ++k) {
        store(v, i, dtype, data, k);
        for (int axis = v->rank - 1; axis >= 0; --axis) {
            const int64_t step = strides[axes ? axes[axis] : axis];
            i += step;
            if (++index[axis] < dims[axis]) break;
            i -= step * dims[axis];
            index[axis] = 0;
        }
    }
    if (!plx__onnx_keep(c->importer->onnx, tensor, v->name)) {
        plx__onnx_no_memory(c);
        return plx_none();
    }
    return plx_parameter(c->graph, v->name, tensor);
}

/* ---- Layouts --------------------------------------------------------------------------------- */

bool plx__onnx_is_last(const plx__onnx_value *v) {
    return !v->data && v->plain.id < 0;
}

int plx__onnx_last_axis(int axis, int rank) {
    return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
}

/* The order of axes that moves the channels to the end, and back. */
static void order_of(int rank, bool back, int *axes) {
    for (int axis = 0; axis < rank; ++axis) {
        const int at = plx__onnx_last_axis(axis, rank);
        axes[back ? axis : at] = back ? at : axis;
    }
}

plx_node plx__onnx_plain(const plx__onnx_call *c, plx__onnx_value *v) {
    int axes[PLX_MAX_RANK];
    if (v->plain.id >= 0) return v->plain;
    if (v->data && v->rank == 0 && v->type == PLX_ONNX_FLOAT) {
        v->plain = plx_constant(c->graph, plx__onnx_get_real(v, 0));
    } else if (v->data) {
        v->plain = parameter(c, v, NULL);
    } else {
        order_of(v->rank, true, axes);
        v->plain = plx_transpose(c->graph, v->last, axes);
    }
    return v->plain;
}

plx_node plx__onnx_last(const plx__onnx_call *c, plx__onnx_value *v) {
    int axes[PLX_MAX_RANK];
    if (v->last.id >= 0) return v->last;
    order_of(v->rank, false, axes);
    v->last = plx_transpose(c->graph, plx__onnx_plain(c, v), axes);
    return v->last;
}

plx_node plx__onnx_weight(const plx__onnx_call *c, plx__onnx_value *v, const int *axes) {
    /* The first use decides how the parameter lies; others move its axes. */
    if (!v->data || v->plain.id >= 0) return plx_transpose(c->graph, plx__onnx_plain(c, v), axes);
    int back[PLX_MAX_RANK];
    const plx_node node = parameter(c, v, axes);
    for (int i = 0; i < v->rank; ++i) back[axes[i]] = i;
    if (node.id >= 0) v->plain = plx_transpose(c->graph, node, back);
    return node;
}

/* ---- Outputs of operators -------------------------------------------------------------------- */

static plx__onnx_value *new_output(plx__onnx_call *c, int i, int type, int rank,
                                   const int64_t *dims) {
    int64_t size = 1;
    for (int axis = 0; axis < rank; ++axis) size *= dims[axis];
    const char *name = i < c->outputs_count ? c->node->outputs[i] : "";
    plx__onnx_value *v = plx__onnx_new_value(c->importer, name, type, rank, dims, size);
    if (!v) plx__onnx_no_memory(c);
    if (i < c->outputs_count) c->outputs[i] = v;
    return v;
}

bool plx__onnx_give(plx__onnx_call *c, int i, plx_node node, int type) {
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(c->graph, node, &dims);
    /* The failure is the graph's, or is recorded already. */
    if (rank < 0) return c->importer->status == PLX_OK;
    plx__onnx_value *v = new_output(c, i, type, rank, dims);
    if (v) v->plain = node;
    return v;
}

bool plx__onnx_give_last(plx__onnx_call *c, int i, plx_node node, int type) {
    const int64_t *dims = NULL;
    int64_t own[PLX_MAX_RANK];
    const int rank = plx_node_shape(c->graph, node, &dims);
    if (rank < 0) return c->importer->status == PLX_OK;
    for (int axis = 0; axis < rank; ++axis) own[axis] = dims[plx__onnx_last_axis(axis, rank)];
    plx__onnx_value *v = new_output(c, i, type, rank, own);
    if (v) v->last = node;
    return v;
}

bool plx__onnx_give_known(plx__onnx_call *c, int i, int type, int rank, const int64_t *dims,
                          const uint8_t *data, bool stored) {
    plx__onnx_value *v = new_output(c, i, type, rank, dims);
    if (!v) return false;
    v->data = data;
    v->stored = stored;
    return true;
}

bool plx__onnx_give_same(plx__onnx_call *c, int i, const plx__onnx_value *given) {
    plx__onnx_value *v = new_output(c, i, given->type, given->rank, given->dims);
    if (!v) return false;
    const char *name = v->name;
    *v = *given;
    v->name = name;
    return true;
}
