#include "models/limits.h"

static const double most = 2147483647;

plx_status plx__check_size(plx_ctx *ctx, const char *who, double parameters, double activations) {
    if (parameters > most)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "%s: these settings give about %.3g parameters; the limit is 2147483647",
                         who, parameters);
    if (activations > most)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "%s: these settings give about %.3g values between the layers for one "
                         "sample; the limit is 2147483647",
                         who, activations);
    return PLX_OK;
}

plx_status plx__check_encoder(plx_model *model, int64_t heads, int64_t width, double parameters) {
    if (width % heads)
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                         "%s: %lld heads do not divide width %lld; use width %lld",
                         model->family->name, (long long)heads, (long long)width,
                         (long long)(width + heads - width % heads));
    return plx__check_size(model->ctx, model->family->name, parameters, 0);
}

plx_status plx__check_patch(plx_model *model, int64_t patch, int64_t size) {
    if (size % patch == 0) return PLX_OK;
    const int64_t fits = size < patch ? patch : size / patch * patch;
    int64_t smaller = size < patch ? size : patch;
    while (size % smaller) --smaller;
    return plx__fail(
        &model->ctx->message, PLX_ERR_SHAPE,
        "%s: a patch of %lld does not divide an image of %lld x %lld; use patch=%lld or size=%lld",
        model->family->name, (long long)patch, (long long)size, (long long)size, (long long)smaller,
        (long long)fits);
}
