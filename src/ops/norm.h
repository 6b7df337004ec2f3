/* Code shared by normalisation of rows and of channels. Their gradient ops compute all gradients at
 * once, packed into a value of one dimension, and hand them out as views. */
#ifndef PLX_OPS_NORM_H
#define PLX_OPS_NORM_H

#include "ops/op.h"

/* Fails unless input k of node has shape [size]. what names the input, unit what size counts. */
plx_status plx__check_vector(plx_graph *graph, const plx__node *node, int k, const char *what,
                             int64_t size, const char *unit);
/* Checks scale and shift, which start at input k. */
plx_status plx__check_scale_shift(plx_graph *graph, const plx__node *node, int k, int64_t size,
                                  const char *unit);
/* The number of vectors present: scale, shift, both or neither. */
int64_t plx__norm_vectors(const plx__attrs *attrs);

#endif
