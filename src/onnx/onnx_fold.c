/* Operators on elements that are known at import: arithmetic on shapes, and what depends on it. */
#include "onnx/fold.h"

#include <string.h>

/* Reals are left to the graph beyond this number, where a plan computes them once. */
enum { REALS_MOST = 4096 };

bool plx__onnx_folds(const plx__onnx_call *c) {
    if (!plx__onnx_all_known(c)) return false;
    for (int i = 0; i < c->inputs_count; ++i) {
        const plx__onnx_value *v = c->inputs[i];
        if (v && plx__onnx_is_real(v->type) && (v->size > REALS_MOST || (v->stored && v->size > 1)))
            return false;
    }
    return true;
}

void plx__onnx_strides(int rank, const int64_t *dims, int64_t *strides) {
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; --i) {
        strides[i] = stride;
        stride *= dims[i];
    }
}

/* ---- Walking ----------------------------------------------------------------------------------
 */

/* Where an element of an operand is, as the index of the result advances. */
typedef struct cursor {
    int64_t at, strides[PLX_MAX_RANK];
} cursor;

/* A cursor over v, broadcast to a rank. */
static cursor over(const plx__onnx_value *v, int rank) {
    cursor k = {0};
    int64_t own[PLX_MAX_RANK];
    plx__onnx_strides(v->rank, v->dims, own);
    for (int i = 0; i < v->rank; ++i) k.strides[i + rank - v->rank] = v->dims[i] == 1 ? 0 : own[i];
    return k;
}

/* Moves to the next index of the shape, and the cursors with it. */
static void advance(int rank, const int64_t *dims, int64_t *index, int count, cursor *cursors) {
    for (int axis = rank - 1; axis >= 0; --axis) {
        for (int k = 0; k < count; ++k) cursors[k].at += cursors[k].strides[axis];
        if (++index[axis] < dims[axis]) return;
        for (int k = 0; k < count; ++k) cursors[k].at -= cursors[k].strides[axis] * dims[axis];
        index[axis] = 0;
    }
}

/* Memory for the result; NULL after a failure. */
static uint8_t *result(const plx__onnx_call *c, int type, int rank, const int64_t *dims,
                       int64_t *count) {
    if (!plx__onnx_count(c, rank, dims, count)) return NULL;
    uint8_t *data = plx__onnx_elements(c, type, *count);
    if (!data)
        plx__onnx_refuse(c,
                         "it makes %lld elements at import, more than the model's size justifies",
                         (long long)*count);
    return data;
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static int64_t power(int64_t base, int64_t exponent) {
    uint64_t factor = (uint64_t)base, product = 1;
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
    for (; exponent; exponent >>= 1, factor *= factor)
        if (exponent & 1) product *= factor;
    return (int64_t)product;
}

/* Whole numbers wrap around, as two's complement does; b is not 0 where it divides. */
static int64_t whole(plx__onnx_fold kind, int64_t a, int64_t b) {
    const uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (kind) {
    case PLX__FOLD_ADD: return (int64_t)(x + y);
    case PLX__FOLD_SUB: return (int64_t)(x - y);
    case PLX__FOLD_MUL: return (int64_t)(x * y);
    case PLX__FOLD_DIV: return b == -1 ? (int64_t)-x : a / b;
    case PLX__FOLD_POW: return power(a, b);
    case PLX__FOLD_MAX: return a > b ? a : b;
    case PLX__FOLD_MIN: return a < b ? a : b;
    case PLX__FOLD_FMOD: return b == -1 ? 0 : a % b;
    case PLX__FOLD_MOD: {
        const int64_t rest = b == -1 ? 0 : a % b;
        return rest && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case PLX__FOLD_AND: return a && b;
    case PLX__FOLD_OR: return a || b;
    case PLX__FOLD_XOR: return !a != !b;
    case PLX__FOLD_EQUAL: return a == b;
    case PLX__FOLD_LESS: return a < b;
    case PLX__FOLD_LESS_EQUAL: return a <= b;
    case PLX__FOLD_GREATER: return a > b;
    default: return a >= b;
    }
}

/* NaN if either is. */
static double larger(double a, double b) {
    return a != a || a > b ? a : b;
}

static double real(plx__onnx_fold kind, double a, double b) {
    switch (kind) {
    case PLX__FOLD_ADD: return a + b;
    case PLX__FOLD_SUB: return a - b;
    case PLX__FOLD_MUL: return a * b;
    case PLX__FOLD_DIV: return a / b;
    case PLX__FOLD_MAX: return larger(a, b);
    case PLX__FOLD_MIN: return -larger(-a, -b);
    case PLX__FOLD_EQUAL: return a == b;
    case PLX__FOLD_LESS: return a < b;
    case PLX__FOLD_LESS_EQUAL: return a <= b;
    case PLX__FOLD_GREATER: return a > b;
    default: return a >= b;
    }
}

static bool divides(plx__onnx_fold kind) {
    return kind == PLX__FOLD_DIV || kind == PLX__FOLD_MOD || kind == PLX__FOLD_FMOD;
}

bool plx__onnx_fold_binary(plx__onnx_call *c, plx__onnx_fold kind, int type) {
    const plx__onnx_value *a = c->inputs[0], *b = c->inputs[1];
    const bool reals = plx__onnx_is_real(a->type);
    int64_t dims[PLX_MAX_RANK], index[PLX_MAX_RANK] = {0}, count = 0;
    int rank = 0;
    if (a->type != b->type && kind != PLX__FOLD_POW)
        return plx__onnx_wrong(c, "its operands are %s and %s", plx_onnx_type_name(a->type),
                               plx_onnx_type_name(b->type));
    if (!plx__onnx_broadcast(c, a->rank, a->dims, b->rank, b->dims, &rank, dims)) return false;
    uint8_t *data = result(c, type, rank, dims, &count);
    if (!data) return false;
    cursor at[] = {over(a, rank), over(b, rank)};
    for (int64_t i = 0; i < count; ++i) {
        if (reals) {
            plx__onnx_put_real(
                type, data, i,
                real(kind, plx__onnx_get_real(a, at[0].at), plx__onnx_get_real(b, at[1].at)));
        } else {
            const int64_t divisor = plx__onnx_get_int(b, at[1].at);
            if (!divisor && divides(kind)) return plx__onnx_wrong(c, "it divides by 0");
            plx__onnx_put_int(type, data, i, whole(kind, plx__onnx_get_int(a, at[0].at), divisor));
        }
        advance(rank, dims, index, 2, at);
    }
    return plx__onnx_give_known(c, 0, type, rank, dims, data, false);
}

static double floor_of(double x) {
    if (!(x > -0x1p52 && x < 0x1p52)) return x;
    const double cut = (double)(int64_t)x;
    return cut > x ? cut - 1 : cut;
}

static double unary(plx__onnx_fold kind, double x) {
    switch (kind) {
    case PLX__FOLD_NEG: return -x;
    case PLX__FOLD_RECIPROCAL: return 1 / x;
    case PLX__FOLD_SQRT: return plx_math_sqrt(x);
    case PLX__FOLD_FLOOR: return floor_of(x);
    case PLX__FOLD_CEIL: return -floor_of(-x);
    default: return x == 0;
    }
}

bool plx__onnx_fold_unary(plx__onnx_call *c, plx__onnx_fold kind) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t count = 0;
    uint8_t *data = result(c, x->type, x->rank, x->dims, &count);
    if (!data) return false;
    for (int64_t i = 0; i < count; ++i)
        if (plx__onnx_is_real(x->type))
            plx__onnx_put_real(x->type, data, i, unary(kind, plx__onnx_get_real(x, i)));
        else if (kind == PLX__FOLD_NEG || kind == PLX__FOLD_NOT)
            plx__onnx_put_int(x->type, data, i,
                              kind == PLX__FOLD_NEG ? (int64_t)-(uint64_t)plx__onnx_get_int(x, i)
                                                    : !plx__onnx_get_int(x, i));
        else
            return plx__onnx_wrong(c, "it takes no %s", plx_onnx_type_name(x->type));
    return plx__onnx_give_known(c, 0, x->type, x->rank, x->dims, data, false);
}

bool plx__onnx_fold_where(plx__onnx_call *c) {
    const plx__onnx_value *which = c->inputs[0], *a = c->inputs[1], *b = c->inputs[2];
    int64_t dims[PLX_MAX_RANK], whole_dims[PLX_MAX_RANK], index[PLX_MAX_RANK] = {0}, count = 0;
    int rank = 0, whole_rank = 0;
    if (a->type != b->type) return plx__onnx_wrong(c, "its operands have different types");
    if (!plx__onnx_broadcast(c, a->rank, a->dims, b->rank, b->dims, &rank, dims) ||
        !plx__onnx_broadcast(c, rank, dims, which->rank, which->dims, &whole_rank, whole_dims))
        return false;
    uint8_t *data = result(c, a->type, whole_rank, whole_dims, &count);
    if (!data) return false;
    const int bytes = plx_onnx_type_bytes(a->type);
    cursor at[] = {over(which, whole_rank), over(a, whole_rank), over(b, whole_rank)};
    for (int64_t i = 0; i < count; ++i) {
        const bool first = plx__onnx_get_int(which, at[0].at) != 0;
        memcpy(data + i * bytes, (first ? a : b)->data + at[first ? 1 : 2].at * bytes,
               (size_t)bytes);
        advance(whole_rank, whole_dims, index, 3, at);
    }
    return plx__onnx_give_known(c, 0, a->type, whole_rank, whole_dims, data, false);
}

/* ---- Reductions ------------------------------------------------------------------------------ */

/* What a reduction starts from: the least or the largest number of the type for the other one. */
static int64_t start_of(plx__onnx_fold kind, int type) {
    const int bits = 8 * plx_onnx_type_bytes(type);
    const bool has_sign = type == PLX_ONNX_INT8 || type == PLX_ONNX_INT16 ||
                          type == PLX_ONNX_INT32 || type == PLX_ONNX_INT64;
    if (kind == PLX__FOLD_PROD) return 1;
    if (kind == PLX__FOLD_SUM) return 0;
    if (kind == PLX__FOLD_MAX) return has_sign ? INT64_MIN >> (64 - bits) : 0;
    if (type == PLX_ONNX_BOOL) return 1;
    return has_sign ? INT64_MAX >> (64 - bits) : (int64_t)(UINT64_MAX >> (64 - bits));
}

bool plx__onnx_fold_reduce(plx__onnx_call *c, plx__onnx_fold kind, unsigned axes, bool keep) {
    const plx__onnx_value *x = c->inputs[0];
    const plx__onnx_fold step = kind == PLX__FOLD_PROD  ? PLX__FOLD_MUL
                                : kind == PLX__FOLD_SUM ? PLX__FOLD_ADD
                                                        : kind;
    int64_t kept[PLX_MAX_RANK] = {0}, dims[PLX_MAX_RANK] = {0}, strides[PLX_MAX_RANK],
            index[PLX_MAX_RANK] = {0}, count = 0;
    int rank = 0;
    for (int i = 0; i < x->rank; ++i) {
        kept[i] = axes >> i & 1 ? 1 : x->dims[i];
        if (keep || !(axes >> i & 1)) dims[rank++] = kept[i];
    }
    uint8_t *data = result(c, x->type, rank, dims, &count);
    if (!data) return false;
    plx__onnx_value out = {.type = x->type, .data = data};
    plx__onnx_strides(x->rank, kept, strides);
    cursor at = {0};
    for (int i = 0; i < x->rank; ++i) at.strides[i] = axes >> i & 1 ? 0 : strides[i];
    for (int64_t i = 0; i < count; ++i)
        plx__onnx_put_int(x->type, data, i, start_of(kind, x->type));
    for (int64_t i = 0; i < x->size; ++i) {
        const int64_t sum = plx__onnx_get_int(&out, at.at);
        plx__onnx_put_int(x->type, data, at.at, whole(step, sum, plx__onnx_get_int(x, i)));
        advance(x->rank, x->dims, index, 1, &at);
    }
    return plx__onnx_give_known(c, 0, x->type, rank, dims, data, false);
}

/* ---- Moving ---------------------------------------------------------------------------------- */

bool plx__onnx_fold_cast(plx__onnx_call *c, int type) {
    const plx__onnx_value *x = c->inputs[0];
    uint8_t *data = plx__onnx_elements(c, type, x->size);
    if (!data) return false;
    for (int64_t i = 0; i < x->size; ++i)
        if (plx__onnx_is_real(type) || plx__onnx_is_real(x->type))
            plx__onnx_put_real(type, data, i, plx__onnx_get_real(x, i));
        else
            plx__onnx_put_int(type, data, i, plx__onnx_get_int(x, i));
    return plx__onnx_give_known(c, 0, type, x->rank, x->dims, data, x->stored);
}

bool plx__onnx_fold_move(plx__onnx_call *c, int i, const plx__onnx_value *v, int rank,
                         const int64_t *dims, int64_t first, const int64_t *strides,
                         bool *too_many) {
    int64_t index[PLX_MAX_RANK] = {0}, count = 0;
    *too_many = false;
    if (!plx__onnx_count(c, rank, dims, &count)) return false;
    uint8_t *data = plx__onnx_elements(c, v->type, count);
    *too_many = !data;
    if (!data) return false;
    const int bytes = plx_onnx_type_bytes(v->type);
    cursor at = {.at = first};
    memcpy(at.strides, strides, (size_t)rank * sizeof *strides);
    for (int64_t k = 0; k < count; ++k) {
        memcpy(data + k * bytes, v->data + at.at * bytes, (size_t)bytes);
        advance(rank, dims, index, 1, &at);
    }
    return plx__onnx_give_known(c, i, v->type, rank, dims, data, v->stored);
}
