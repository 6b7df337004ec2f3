/* Elementwise operations of several operands, broadcast as NumPy does. */
#ifndef PLX_OPS_BROADCAST_H
#define PLX_OPS_BROADCAST_H

#include "ops/op.h"

enum { PLX__BROADCAST_MOST = 3 };

/* The loops over a result and its operands, innermost first; neighbouring loops are merged where
 * all operands allow it. Strides are in elements; 0 repeats. */
typedef struct plx__broadcast {
    int rank, count;
    int64_t dims[PLX_MAX_RANK], strides[PLX__BROADCAST_MOST][PLX_MAX_RANK];
} plx__broadcast;

/* A piece of the innermost loop: n elements, beginning at element `to` of the result and at from[k]
 * of operand k, whose elements are loops->strides[k][0] apart. */
typedef void (*plx__broadcast_piece)(const void *arg, const plx__broadcast *loops, int64_t n,
                                     const int64_t *from, int64_t to);

/* Calls piece for the whole result, with the step's first count operands, on its threads. */
void plx__broadcast_run(plx_ctx *ctx, const plx__step *step, int count, plx__broadcast_piece piece,
                        const void *arg);

/* Infer function: the shape that all inputs broadcast to. */
plx_status plx__infer_broadcast(plx_graph *graph, plx__node *node);

/* Sums g, which has the broadcast shape, to the shape of node `like`. Returns -1 when g is -1. */
int32_t plx__sum_like(plx_graph *graph, int32_t g, int32_t like);

#endif
