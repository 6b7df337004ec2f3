/* What files write out in several operators and the core has one operation for. */
#ifndef PLX_ONNX_IDIOMS_H
#define PLX_ONNX_IDIOMS_H

#include "parallax.h"

/* a + b, a b and a / b; where the result is the last step of SiLU, hard swish, GELU or layer
 * normalisation written out, that operation. The steps before it are left without use. */
plx_node plx__onnx_add(plx_graph *graph, plx_node a, plx_node b);
plx_node plx__onnx_mul(plx_graph *graph, plx_node a, plx_node b);
plx_node plx__onnx_div(plx_graph *graph, plx_node a, plx_node b);

#endif
