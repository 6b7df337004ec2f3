/* Properties of dtypes. Nothing else knows the size of an element. */
#ifndef PLX_BASE_DTYPE_H
#define PLX_BASE_DTYPE_H

#include "parallax.h"

#include <stddef.h>

/* Whether a dtype with that number exists. */
static inline bool plx__is_dtype(plx_dtype dtype) {
    return (int)dtype >= 0 && dtype < PLX_DTYPES_;
}

size_t plx__element_bytes(plx_dtype dtype);

/* Whether the dtype is a floating-point one: gradients, themselves real, flow through no other. */
static inline bool plx__is_fractional(plx_dtype dtype) {
    return dtype == PLX_DTYPE_REAL || dtype == PLX_DTYPE_BF16 || dtype == PLX_DTYPE_F16;
}

const char *plx__dtype_name(plx_dtype dtype);

/* Converts elements to doubles, which hold all values of all dtypes. */
void plx__decode(plx_dtype dtype, int64_t n, const void *x, double *y);

/* Converts doubles to elements. Floating point: round half to even, overflow to infinity,
 * subnormals kept, NaN to NaN. Integers: truncated, clamped to the range, NaN to 0. */
void plx__encode(plx_dtype dtype, int64_t n, const double *x, void *y);

#endif
