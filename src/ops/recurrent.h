/* What the layers above need to know of recurrence. */
#ifndef PLX_OPS_RECURRENT_H
#define PLX_OPS_RECURRENT_H

#include "kernels/kernels.h"

/* A sum over all gates of a unit is then no deeper than a product whose order kernels.h describes.
 */
enum { PLX__MOST_UNITS = PLX_GEMM_DEEP / 4 };

#endif
