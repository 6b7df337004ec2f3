/* What decoder-only language models have in common: their ports and checks. */
#ifndef PLX_MODELS_DECODER_H
#define PLX_MODELS_DECODER_H

#include "nn/layers.h"
#include "nn/model.h"

/* The dimensions of a decoder, named like its settings. */
typedef struct plx__decoder {
    int64_t layers, heads, kv_heads, width, hidden, vocabulary, context;
    bool rotary; /* positions rotate pairs of a head's elements */
} plx__decoder;

/* Sets the ports ids [context] and logits; PLX_ERR_ARGUMENT for heads that do not divide the width,
 * or too many values. */
plx_status plx__decoder_ports(plx_model *model, const plx__decoder *d);

#endif
