/* One kernel of one table on operands of one size and kind: the functions for its case, and for
 * the references that it compares with. */
#ifndef PLX_TESTS_KERNEL_CASE_H
#define PLX_TESTS_KERNEL_CASE_H

#include "check.h"
#include "kernels/guarded.h"
#include "kernels/kernels.h"

#include <float.h>
#include <tgmath.h>

/* References are computed in a wider type than that of the kernels. */
typedef __typeof__(__builtin_choose_expr(sizeof(plx_real) == sizeof(double), 0.0L, 0.0)) plx_wide;

/* The element type: distance from 1 to the next value, smallest number above zero, largest. */
#define PLX_IS_DOUBLE (sizeof(plx_real) == sizeof(double))
#define PLX_EPS ((plx_wide)(PLX_IS_DOUBLE ? DBL_EPSILON : (double)FLT_EPSILON))
#define PLX_TINY ((plx_wide)(PLX_IS_DOUBLE ? 0x1p-1074 : 0x1p-149))
#define PLX_LARGEST ((plx_wide)(PLX_IS_DOUBLE ? DBL_MAX : (double)FLT_MAX))

typedef enum plx_values {
    PLX_VALUES_NORMAL = 0,
    PLX_VALUES_WHOLE,   /* small whole numbers: every sum of them is exact in any order */
    PLX_VALUES_TINY,    /* with values below the normal range and -0 */
    PLX_VALUES_HUGE,    /* with values whose squares are infinite */
    PLX_VALUES_SPECIAL, /* with one infinity or NaN */
    PLX_VALUES_
} plx_values;

typedef struct plx_case {
    const plx_kernels *k;
    plx_guards *guards;
    const char *kernel;
    int64_t n;
    plx_values values;
    bool at_end;
    uint64_t random;     /* state; seeded by kernel, n and values: the same on every table */
    const char *variant; /* added to the sentence of a failure: "in place" */
    bool wrong;          /* only the first failure is kept */
    char sentence[320];
    bool tile_dependent; /* outputs do not enter the hash */
    uint64_t hash;       /* FNV-1a of all outputs, where all NaNs are alike */
} plx_case;

/* One function for each line of kernels.def: runs the kernel and compares. A line without its
 * function does not link. */
#define KERNEL(result, name, args) void plx_case_of_##name(plx_case *c);
#include "kernels/kernels.def"
#undef KERNEL

/* ---- Operands: first plx_case_again, then as many as the call takes -------------------------- */

void plx_case_again(plx_case *c, const char *variant);
/* n values of NaN, for outputs. */
plx_real *plx_case_blank(plx_case *c, int64_t n);
/* n values of the case's kind; ordinary ones are in [low, high). */
plx_real *plx_case_filled(plx_case *c, int64_t n, double low, double high);
void plx_case_fill(plx_case *c, int64_t n, plx_real *x, double low, double high);
/* rows x columns with a row stride; gaps stay NaN. */
plx_real *plx_case_matrix(plx_case *c, int64_t rows, int64_t columns, int64_t stride);
plx_real *plx_case_blank_matrix(plx_case *c, int64_t rows, int64_t columns, int64_t stride);
plx_real *plx_case_copy(plx_case *c, int64_t n, const plx_real *x);

/* ---- Results --------------------------------------------------------------------------------- */

/* y, element i, must be within bound of value; NaN if value is, infinite if value overflows. */
void plx_case_near(plx_case *c, int64_t i, plx_real y, plx_wide value, plx_wide bound);
/* If both are zero, they must have the same sign. */
void plx_case_zero(plx_case *c, int64_t i, plx_real y, plx_wide value);
/* Must be equal, or both NaN. */
void plx_case_equal(plx_case *c, int64_t i, plx_real y, plx_real expected);
/* The two arrays of n must have the same bits. */
void plx_case_same(plx_case *c, int64_t n, const plx_real *y, const plx_real *expected);
/* Any value passes, but every exact target must give the same. */
void plx_case_any(plx_case *c, plx_real y);
/* The gaps of a matrix of outputs must be unchanged. */
void plx_case_gaps(plx_case *c, int64_t rows, int64_t columns, int64_t stride, const plx_real *y);

/* Error bound of a sum of n terms, in EPS sum |terms|: 16 + log2 n, the promise of every
 * reduction, or n if that is less (Higham, "Accuracy and Stability of Numerical Algorithms",
 * section 4.2). */
plx_wide plx_sum_roundings(int64_t n);

/* The unit in the last place of an element at this value. */
plx_wide plx_ulp(plx_wide value);

/* ---- The walk -------------------------------------------------------------------------------- */

/* Runs all cases of all kernels of a table, or only of the kernel named `only`; returns the hash
 * of all outputs. hashes: prints the hash of every kernel. */
uint64_t plx_walk_kernels(plx_check *t, const plx_kernels *k, const char *only, bool hashes);

/* Returns runnable table number i, best first; NULL past the last. */
const plx_kernels *plx_walk_table(int i);

uint64_t plx_fnv1a(uint64_t hash, const void *data, size_t bytes);
#define PLX_FNV1A_START UINT64_C(0xcbf29ce484222325)

#endif
