/* Internal names of the elementary functions in parallax.h. The vectorised float versions live in
 * kernels/. */
#ifndef PLX_BASE_DMATH_H
#define PLX_BASE_DMATH_H

#include "parallax.h"

#define plx__exp plx_math_exp
#define plx__log plx_math_log
#define plx__sin plx_math_sin
#define plx__cos plx_math_cos
#define plx__sqrt plx_math_sqrt

#endif
