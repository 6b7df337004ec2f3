#include "models/encoder.h"

plx_status plx__check_encoder(plx_model *model, int64_t heads, int64_t width, double parameters) {
    plx__message *message = &model->ctx->message;
    if (width % heads)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: %lld heads do not divide width %lld; take width %lld",
                         model->family->name, (long long)heads, (long long)width,
                         (long long)(width + heads - width % heads));
    if (parameters > 2147483647.0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: these dimensions are about %.3g parameters; at most 2147483647 are "
                         "possible",
                         model->family->name, parameters);
    return PLX_OK;
}
