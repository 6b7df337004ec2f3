/* Sums that carry their rounding error, as pairs of numbers. */
#ifndef PLX_OPS_EXACT_SUM_H
#define PLX_OPS_EXACT_SUM_H

#include "parallax.h"

/* *sum += term, where *error is what the sum before lacks: it begins as 0, and stays below half a
 * unit in the last place of the sum, so that any number of terms may be added (Knuth,
 * "Seminumerical Algorithms", 4.2.2; Dekker, "A floating-point technique for extending the
 * available precision", 1971). Unlike the kernel two_sum, which keeps both apart until the end, it
 * leaves a sum that is right after each term. */
static inline void plx__add_exactly(plx_real *sum, plx_real term, plx_real *error) {
    const plx_real before = *sum, after = before + term, part = after - before;
    const plx_real lost = *error + ((before - (after - part)) + (term - part));
    const plx_real whole = after + lost;
    const bool finite = after - after == 0; /* an infinity has no error */
    *sum = finite ? whole : after;
    *error = finite ? lost - (whole - after) : 0;
}

#endif
