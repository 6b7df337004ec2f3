/* Persistent tensors and their initialisation. */
#include "graph/graph.h"

#include "base/alloc.h"
#include "base/dmath.h"
#include "base/platform.h"

#include <string.h>

plx_status plx_tensor_new(plx_ctx *ctx, plx_dtype dtype, int rank, const int64_t *dims,
                          plx_tensor **out) {
    PLX_TRY(plx__check_dims(&ctx->message, "tensor", rank, dims));
    const int64_t size = plx__product(rank, dims);
    const size_t bytes = (size_t)size * plx__element_bytes(dtype);
    void *data = NULL;
    PLX_TRY(plx__alloc(&ctx->message, "tensor", (int64_t)bytes, &data));
    plx_tensor *tensor = plx_platform_alloc(sizeof *tensor);
    if (!tensor) {
        plx_platform_free(data);
        return plx__fail(&ctx->message, PLX_ERR_MEMORY, "tensor: no memory");
    }
    memset(data, 0, bytes);
    *tensor = (plx_tensor){.dtype = dtype, .rank = rank, .size = size, .data = data};
    for (int i = 0; i < rank; ++i) tensor->dims[i] = dims[i];
    *out = tensor;
    return PLX_OK;
}

void plx_tensor_free(plx_tensor *tensor) {
    if (!tensor) return;
    plx_platform_free(tensor->data);
    plx_platform_free(tensor);
}

void *plx_tensor_data(plx_tensor *tensor) {
    return tensor->data;
}

int plx_tensor_rank(const plx_tensor *tensor) {
    return tensor->rank;
}

const int64_t *plx_tensor_dims(const plx_tensor *tensor) {
    return tensor->dims;
}

int64_t plx_tensor_size(const plx_tensor *tensor) {
    return tensor->size;
}

void plx_tensor_init(plx_tensor *tensor, plx_init init, plx_rng *rng) {
    plx_real *data = tensor->data;
    const double fan_in = tensor->rank ? (double)tensor->dims[0] : 1;
    const double fan_out = tensor->rank ? (double)tensor->dims[tensor->rank - 1] : 1;
    const bool he = init == PLX_INIT_HE_UNIFORM || init == PLX_INIT_HE_NORMAL;
    const bool uniform = init == PLX_INIT_HE_UNIFORM || init == PLX_INIT_XAVIER_UNIFORM;
    const double variance = 2 / (he ? fan_in : fan_in + fan_out);
    const double spread = plx__sqrt(uniform ? 3 * variance : variance);
    for (int64_t i = 0; i < tensor->size; ++i) {
        double value = 0;
        if (uniform)
            value = spread * (2 * plx_rng_uniform(rng) - 1);
        else if (init != PLX_INIT_ZERO)
            value = spread * plx_rng_normal(rng);
        data[i] = (plx_real)value;
    }
}
