/* Weights to and from safetensors files. */
#include "io/safetensors.h"
#include "nn/weights.h"

#include "base/platform.h"

#include <string.h>

plx_status plx_weights_save(const plx_weights *weights, int count, const plx_metadata *metadata,
                            plx_write *write, void *user) {
    plx_ctx *ctx = weights->ctx;
    plx__file_entry *entries = plx_platform_alloc(((size_t)weights->count + 1) * sizeof *entries);
    if (!entries) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "weights: no memory");
    for (int i = 0; i < weights->count; ++i) {
        const plx_tensor *tensor = weights->list[i].tensor;
        entries[i] = (plx__file_entry){.name = weights->list[i].name,
                                       .dtype = tensor->dtype,
                                       .rank = tensor->rank,
                                       .dims = tensor->dims,
                                       .data = tensor->data};
    }
    const plx_status status =
        plx__file_write(ctx, "weights", weights->count, entries, count, metadata, write, user);
    plx_platform_free(entries);
    return status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static plx_status check_shape(plx__message *message, const plx__weight *weight,
                              const plx_file_tensor *tensor) {
    char own[96], other[96];
    const plx_tensor *have = weight->tensor;
    if (have->rank == tensor->rank &&
        !memcmp(have->dims, tensor->dims, (size_t)have->rank * sizeof *have->dims))
        return PLX_OK;
    return plx__fail(message, PLX_ERR_SHAPE, "weights: \"%s\" has shape %s, but %s in the file",
                     weight->name, plx__shape_text(have->rank, have->dims, own, sizeof own),
                     plx__shape_text(tensor->rank, tensor->dims, other, sizeof other));
}

/* The first tensor of the file that is none of the weights. */
static plx_status refuse_more(const plx_weights *weights, const plx_safetensors *file) {
    for (int i = 0; i < plx_safetensors_count(file); ++i) {
        const plx_file_tensor tensor = plx_safetensors_at(file, i);
        if (plx_weights_find(weights, tensor.name)) continue;
        return plx__fail(&weights->ctx->message, PLX_ERR_SHAPE,
                         "weights: the file has \"%.60s\", which the model has not: it is of "
                         "another model",
                         tensor.name);
    }
    return PLX_OK;
}

static plx_status check_all(const plx_weights *weights, const plx_safetensors *file) {
    plx__message *message = &weights->ctx->message;
    for (int i = 0; i < weights->count; ++i) {
        const plx__weight *weight = &weights->list[i];
        const plx_file_tensor *tensor = plx__safetensors_find(file, weight->name);
        if (!tensor)
            return plx__fail(
                message, PLX_ERR_SHAPE,
                "weights: the file has no \"%s\", the model's weight %d of %d: it is of "
                "another model",
                weight->name, i + 1, weights->count);
        PLX_TRY(check_shape(message, weight, tensor));
        PLX_TRY(plx__safetensors_read(file, tensor, "weights", NULL));
    }
    return refuse_more(weights, file);
}

plx_status plx_weights_load(plx_weights *weights, const plx_safetensors *file) {
    PLX_TRY(plx__need(&weights->ctx->message, "weights", "file", file));
    PLX_TRY(check_all(weights, file));
    for (int i = 0; i < weights->count; ++i) {
        plx_tensor *tensor = weights->list[i].tensor;
        plx__tensor_changed(tensor);
        PLX_TRY(plx__safetensors_read(file, plx__safetensors_find(file, weights->list[i].name),
                                      "weights", tensor->data));
    }
    return PLX_OK;
}
