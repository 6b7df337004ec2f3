/* What language models of decoder blocks have in common: their ports, and what they refuse. */
#ifndef PLX_MODELS_DECODER_H
#define PLX_MODELS_DECODER_H

#include "nn/layers.h"
#include "nn/model.h"

/* The dimensions of a decoder, as its settings name them. */
typedef struct plx__decoder {
    int64_t layers, heads, kv_heads, width, hidden, vocabulary, context;
    bool rotary; /* positions turn pairs of a head's elements */
} plx__decoder;

/* Sets ports ids [context] and logits; PLX_ERR_ARGUMENT for heads that do not divide the width, or
 * more values than fit. */
plx_status plx__decoder_ports(plx_model *model, const plx__decoder *d);

#endif
