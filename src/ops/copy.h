/* Copies of elements: the loops behind slicing, transposition, concatenation and padding. */
#ifndef PLX_OPS_COPY_H
#define PLX_OPS_COPY_H

#include "ops/op.h"

/* y[sum_a i_a to[a]] = x[sum_a i_a from[a]] for all indices i_a < dims[a]; strides may be negative
 * or 0. add: accumulates reals (+=) in an order that depends only on the shape; only then may
 * elements of y coincide. */
typedef struct plx__copy {
    int rank;
    int64_t dims[PLX_MAX_RANK], from[PLX_MAX_RANK], to[PLX_MAX_RANK];
    bool add;
} plx__copy;

void plx__copy_strided(plx_ctx *ctx, int threads, plx_dtype dtype, const void *x, void *y,
                       const plx__copy *copy);

/* y[i] = value for i < n. */
void plx__fill(plx_ctx *ctx, int threads, int64_t n, plx_real value, plx_real *y);

/* Row-major strides. */
void plx__contiguous_strides(int rank, const int64_t *dims, int64_t *strides);

/* The node of count elements of one axis from begin on: x itself if that is all of them, a view if
 * they are contiguous, else a copy. */
int32_t plx__emit_part(plx_graph *graph, int32_t x, int axis, int64_t begin, int64_t count);

#endif
