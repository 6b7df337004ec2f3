/* What dtypes are. Nothing else knows the size of an element. */
#ifndef PLX_BASE_DTYPE_H
#define PLX_BASE_DTYPE_H

#include "parallax.h"

#include <stddef.h>

/* Whether there is one of that number. */
static inline bool plx__is_dtype(plx_dtype dtype) {
    return (int)dtype >= 0 && dtype < PLX_DTYPES_;
}

size_t plx__element_bytes(plx_dtype dtype);

/* Numbers with a fraction: gradients, which are reals themselves, flow through nothing else. */
static inline bool plx__is_fractional(plx_dtype dtype) {
    return dtype == PLX_DTYPE_REAL || dtype == PLX_DTYPE_BF16 || dtype == PLX_DTYPE_F16;
}

const char *plx__dtype_name(plx_dtype dtype);

/* Elements as doubles, which hold all values of all dtypes. */
void plx__decode(plx_dtype dtype, int64_t n, const void *x, double *y);

/* Doubles as elements. Numbers with a fraction: to the nearest, half to even, overflow to infinity,
 * subnormals kept, NaN to NaN. Integers: truncated, the nearest there is, NaN to 0. */
void plx__encode(plx_dtype dtype, int64_t n, const double *x, void *y);

#endif
