/* Models by name. */
#include "nn/model.h"

#include <string.h>

enum { MAX_LAYERS = 64, MAX_WIDTH = 1 << 20 };

static plx_status bad_name(plx_ctx *ctx, const char *name, const char *why) {
    return plx__fail(
        &ctx->message, PLX_ERR_ARGUMENT,
        "model \"%.80s\": %s; write mlp:IN-HIDDEN-...-OUT, with :ACTIVATION after it if "
        "it is not relu, as in mlp:784-200-10 or mlp:5-64-1:tanh",
        name, why);
}

/* The widths between "mlp:" and the end or the second colon. Returns how many, or -1. */
static int parse_widths(const char *text, int64_t *widths, const char **end) {
    int count = 0;
    for (;;) {
        int64_t width = 0;
        const char *first = text;
        while (*text >= '0' && *text <= '9' && width <= MAX_WIDTH)
            width = 10 * width + *text++ - '0';
        if (text == first || width < 1 || width > MAX_WIDTH || count == MAX_LAYERS) return -1;
        widths[count++] = width;
        if (*text != '-') break;
        text += 1;
    }
    *end = text;
    return count;
}

plx_status plx_model_from_name(plx_ctx *ctx, const char *name, uint64_t seed, plx_model **out) {
    if (strncmp(name, "mlp:", 4) != 0) return bad_name(ctx, name, "there is no such model");
    int64_t widths[MAX_LAYERS];
    const char *end;
    const int count = parse_widths(name + 4, widths, &end);
    if (count < 2) return bad_name(ctx, name, "widths are numbers from 1 to 1048576, at least two");
    plx_activation activation = PLX_RELU;
    if (*end == ':') {
        activation = plx_activation_from_name(end + 1);
        if (activation == PLX_ACTIVATIONS_)
            return bad_name(ctx, name, "there is no such activation");
    } else if (*end) {
        return bad_name(ctx, name, "the widths end in something that is not a number");
    }
    plx_model *model;
    PLX_TRY(plx_model_new(ctx, 1, widths, seed, &model));
    for (int i = 1; i < count; ++i) {
        const plx_activation own = i + 1 < count ? activation : PLX_LINEAR;
        const plx_status status =
            plx_model_dense(model, widths[i], own, plx_activation_default(own));
        if (status == PLX_OK) continue;
        plx_model_free(model);
        return status;
    }
    *out = model;
    return PLX_OK;
}
