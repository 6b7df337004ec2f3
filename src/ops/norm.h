/* What normalisation by rows and by channels share. Their gradient ops make all gradients at once,
 * one after the other in a value of one dimension, and hand them out as views. */
#ifndef PLX_OPS_NORM_H
#define PLX_OPS_NORM_H

#include "ops/op.h"

/* Fails unless input k of node, called what, is [size]; unit names what size counts. */
plx_status plx__check_vector(plx_graph *graph, const plx__node *node, int k, const char *what,
                             int64_t size, const char *unit);
/* Checks scale and shift, which begin at input k. */
plx_status plx__check_scale_shift(plx_graph *graph, const plx__node *node, int k, int64_t size,
                                  const char *unit);
/* How many of scale and shift there are. */
int64_t plx__norm_vectors(const plx__attrs *attrs);

#endif
