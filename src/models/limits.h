/* What models refuse before anything is made. Counts are doubles: dimensions that are far too large
 * overflow no integer. */
#ifndef PLX_MODELS_LIMITS_H
#define PLX_MODELS_LIMITS_H

#include "nn/model.h"

/* PLX_ERR_ARGUMENT for heads that do not divide the width, or more parameters than fit. */
plx_status plx__check_encoder(plx_model *model, int64_t heads, int64_t width, double parameters);
/* The same for patches that do not divide images of size x size. */
plx_status plx__check_patch(plx_model *model, int64_t patch, int64_t size);
/* The same for parameters, or values that layers make of one sample, beyond what 32 bits count:
 * smaller models fail when they are allocated. who: "vit". */
plx_status plx__check_size(plx_ctx *ctx, const char *who, double parameters, double activations);

#endif
