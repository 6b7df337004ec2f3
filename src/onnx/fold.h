/* Operators on elements that are known at import. */
#ifndef PLX_ONNX_FOLD_H
#define PLX_ONNX_FOLD_H

#include "onnx/import.h"

typedef enum plx__onnx_fold {
    PLX__FOLD_ADD,
    PLX__FOLD_SUB,
    PLX__FOLD_MUL,
    PLX__FOLD_DIV,
    PLX__FOLD_POW,
    PLX__FOLD_MAX,
    PLX__FOLD_MIN,
    PLX__FOLD_MOD,  /* with the sign of the divisor */
    PLX__FOLD_FMOD, /* with that of the dividend */
    PLX__FOLD_AND,
    PLX__FOLD_OR,
    PLX__FOLD_XOR,
    PLX__FOLD_EQUAL,
    PLX__FOLD_LESS,
    PLX__FOLD_LESS_EQUAL,
    PLX__FOLD_GREATER,
    PLX__FOLD_GREATER_EQUAL,
    PLX__FOLD_NEG,
    PLX__FOLD_RECIPROCAL,
    PLX__FOLD_SQRT,
    PLX__FOLD_FLOOR,
    PLX__FOLD_CEIL,
    PLX__FOLD_NOT,
    PLX__FOLD_PROD, /* reductions */
    PLX__FOLD_SUM,
} plx__onnx_fold;

/* Whether all inputs are known, and are computed with at import: whole numbers always; reals if
 * they are few and no parameters. */
bool plx__onnx_folds(const plx__onnx_call *c);

/* Give output 0. Reals are computed in double precision and rounded once, which for these
 * operations gives the bits of single precision (Figueroa, "When is double rounding innocuous?",
 * 1995). False after a failure. */
bool plx__onnx_fold_binary(plx__onnx_call *c, plx__onnx_fold kind, int type);
bool plx__onnx_fold_unary(plx__onnx_call *c, plx__onnx_fold kind);
bool plx__onnx_fold_where(plx__onnx_call *c);
/* Over the axes whose bits are set. */
bool plx__onnx_fold_reduce(plx__onnx_call *c, plx__onnx_fold kind, unsigned axes, bool keep);
/* False, without a failure, if the elements are too many: then the graph casts. */
bool plx__onnx_fold_cast(plx__onnx_call *c, int type);

/* Gives output i: elements of known v, from first, by strides in elements. False after a failure,
 * and, with *too_many set, if they are more than the model's size justifies. */
bool plx__onnx_fold_move(plx__onnx_call *c, int i, const plx__onnx_value *v, int rank,
                         const int64_t *dims, int64_t first, const int64_t *strides,
                         bool *too_many);
/* The strides of a contiguous array, in elements. */
void plx__onnx_strides(int rank, const int64_t *dims, int64_t *strides);

#endif
