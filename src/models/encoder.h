/* What models of encoder blocks have in common: the dimensions that they refuse. */
#ifndef PLX_MODELS_ENCODER_H
#define PLX_MODELS_ENCODER_H

#include "nn/model.h"

/* PLX_ERR_ARGUMENT for heads that do not divide the width, or more parameters than fit. */
plx_status plx__check_encoder(plx_model *model, int64_t heads, int64_t width, double parameters);

#endif
