/* Checks of models before anything is made. Counts are doubles, so that dimensions that are far too
 * large overflow no integer. */
#ifndef PLX_MODELS_LIMITS_H
#define PLX_MODELS_LIMITS_H

#include "nn/model.h"

/* PLX_ERR_ARGUMENT for heads that do not divide the width, or too many parameters. */
plx_status plx__check_encoder(plx_model *model, int64_t heads, int64_t width, double parameters);
/* PLX_ERR_SHAPE for patches that do not divide images of size x size. */
plx_status plx__check_patch(plx_model *model, int64_t patch, int64_t size);
/* PLX_ERR_ARGUMENT for more parameters, or more values between the layers for one sample, than 32
 * bits can count; smaller models fail when they are allocated. who: "vit". */
plx_status plx__check_size(plx_ctx *ctx, const char *who, double parameters, double activations);

#endif
