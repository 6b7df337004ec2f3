#include "models/decoder.h"

static plx_status refuse_width(plx_model *model, const plx__decoder *d) {
    const int64_t below = d->width / d->heads * d->heads, above = below + d->heads;
    int64_t fewer = d->heads;
    while (d->width % fewer) --fewer;
    if (below)
        return plx__fail(
            &model->ctx->message, PLX_ERR_ARGUMENT,
            "%s: %lld heads do not divide width %lld; use width %lld or %lld, or %lld heads",
            model->family->name, (long long)d->heads, (long long)d->width, (long long)below,
            (long long)above, (long long)fewer);
    return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                     "%s: %lld heads do not divide width %lld; use width %lld or %lld heads",
                     model->family->name, (long long)d->heads, (long long)d->width,
                     (long long)above, (long long)fewer);
}

static plx_status refuse_pairs(plx_model *model, const plx__decoder *d) {
    const int64_t each = d->width / d->heads, wider = d->width + d->heads;
    return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                     "%s: %lld heads of width %lld have %lld elements each, but rotary positions "
                     "need an even number; use width %lld",
                     model->family->name, (long long)d->heads, (long long)d->width, (long long)each,
                     (long long)wider);
}

static plx_status refuse_kv_heads(plx_model *model, const plx__decoder *d) {
    int64_t fewer = d->kv_heads < d->heads ? d->kv_heads : d->heads;
    while (d->heads % fewer) --fewer;
    return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                     "%s: %lld key heads do not divide %lld query heads; use kv_heads=%lld",
                     model->family->name, (long long)d->kv_heads, (long long)d->heads,
                     (long long)fewer);
}

/* Rejects models with more weights than 32 bits can count, which fit no machine that would train
 * them here; smaller ones fail when they are allocated. */
static plx_status check_size(plx_model *model, const plx__decoder *d) {
    const double layer = (double)d->width * (4.0 * (double)d->width + 2.0 * (double)d->hidden);
    const double all =
        (double)d->layers * layer + (double)(d->vocabulary + d->context) * (double)d->width;
    if (all <= 2147483647.0) return PLX_OK;
    return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                     "%s: %lld layers of width %lld with hidden %lld, vocabulary %lld and context "
                     "%lld have about %.3g parameters; the limit is 2147483647",
                     model->family->name, (long long)d->layers, (long long)d->width,
                     (long long)d->hidden, (long long)d->vocabulary, (long long)d->context, all);
}

plx_status plx__decoder_ports(plx_model *model, const plx__decoder *d) {
    if (d->width % d->heads) return refuse_width(model, d);
    if (d->heads % d->kv_heads) return refuse_kv_heads(model, d);
    if (d->rotary && d->width / d->heads % 2) return refuse_pairs(model, d);
    PLX_TRY(check_size(model, d));
    model->inputs[0] = (plx_port){.name = "ids",
                                  .dtype = PLX_DTYPE_I32,
                                  .rank = 1,
                                  .dims = {d->context},
                                  .classes = d->vocabulary};
    model->inputs_count = 1;
    model->outputs[0].name = "logits";
    return PLX_OK;
}
