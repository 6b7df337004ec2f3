/* Models by name: FAMILY-SIZE:key=value,..., and mlp:WIDTHS. */
#include "models/limits.h"
#include "nn/model.h"

#include "base/platform.h"

#include <string.h>

#define FAMILY(name) extern const plx__family plx__family_##name;
#include "models/models.def"
#undef FAMILY

static const plx__family *const families[] = {
#define FAMILY(name) &plx__family_##name,
#include "models/models.def"
#undef FAMILY
};

enum { FAMILIES = sizeof families / sizeof families[0], MAX_LAYERS = 64, MAX_WIDTH = 1 << 20 };

/* ---- Lists ----------------------------------------------------------------------------------- */

bool plx_model_name(int i, char *text, size_t text_bytes) {
    for (int f = 0; f < FAMILIES; ++f)
        for (const plx__model_size *size = families[f]->sizes; size->name; ++size)
            if (i-- == 0) {
                plx__format(text, text_bytes, "%s-%s", families[f]->name, size->name);
                return true;
            }
    return false;
}

static void append(char *text, size_t size, const char *more) {
    const size_t used = strlen(text);
    plx__format(text + used, size - used, "%s%s", used ? ", " : "", more);
}

static plx_status bad_name(plx_ctx *ctx, const char *name, const char *why) {
    char known[256] = "", one[64];
    for (int i = 0; plx_model_name(i, one, sizeof one); ++i) append(known, sizeof known, one);
    return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                     "model \"%.80s\": %s; there are %s (append :key=value,... for other settings) "
                     "and mlp:IN-HIDDEN-...-OUT (append :ACTIVATION unless it is relu)",
                     name, why, known);
}

/* ---- mlp:784-200-10 -------------------------------------------------------------------------- */

/* Parses the widths up to the end or a colon. Returns how many, or -1. */
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

static plx_status unknown_activation(plx_ctx *ctx, const char *name, const char *wrong) {
    char known[256] = "";
    for (int i = 0; i < PLX_ACTIVATIONS_; ++i)
        append(known, sizeof known, plx_activation_name((plx_activation)i));
    return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                     "\"%.80s\": there is no activation \"%.40s\"; there are %s", name, wrong,
                     known);
}

static plx_status new_mlp(plx_ctx *ctx, const char *name, uint64_t seed, plx_model **out) {
    int64_t widths[MAX_LAYERS];
    const char *end;
    const int count = parse_widths(name + 4, widths, &end);
    if (count < 2 || (*end && *end != ':'))
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "\"%.80s\": an mlp has 2 to 64 widths, whole numbers from 1 to 1048576 "
                         "with - between them, and then perhaps :ACTIVATION",
                         name);
    plx_activation activation = PLX_RELU;
    if (*end == ':') {
        activation = plx_activation_from_name(end + 1);
        if (activation == PLX_ACTIVATIONS_) return unknown_activation(ctx, name, end + 1);
    }
    double parameters = 0;
    for (int i = 1; i < count; ++i) parameters += (double)(widths[i - 1] + 1) * (double)widths[i];
    PLX_TRY(plx__check_size(ctx, "mlp", parameters, 0));
    plx_model *model;
    PLX_TRY(plx_model_new(ctx, 1, widths, seed, &model));
    for (int i = 1; i < count; ++i) {
        const plx_layer layer = {.kind = PLX_LAYER_DENSE,
                                 .units = widths[i],
                                 .activation = i + 1 < count ? activation : PLX_LINEAR};
        const plx_status status = plx_model_add(model, &layer);
        if (status == PLX_OK) continue;
        plx_model_free(model);
        return status;
    }
    *out = model;
    return PLX_OK;
}

/* ---- gpt2-nano:width=192,heads=6 ------------------------------------------------------------- */

/* Parses the text up to end as a finite number; false if it is not one. */
static bool parse_number(const char *text, const char *end, double *out) {
    char number[64];
    const size_t length = (size_t)(end - text);
    if (length >= sizeof number) return false;
    memcpy(number, text, length);
    number[length] = '\0';
    return plx_platform_number(number, out);
}

static plx_status unknown_key(plx_ctx *ctx, const plx__family *family, const char *key,
                              size_t length) {
    char known[256] = "";
    for (const plx__setting *s = family->settings; s->key; ++s) append(known, sizeof known, s->key);
    return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                     "%s: there is no setting \"%.*s\"; there are %s", family->name, (int)length,
                     key, known);
}

/* Applies one "key=value". */
static plx_status apply_setting(plx_ctx *ctx, const plx__family *family, const char *text,
                                size_t length, double *values, bool *set) {
    const char *equals = memchr(text, '=', length);
    if (!equals)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "%s: \"%.*s\" is not of the form key=value", family->name, (int)length,
                         text);
    const size_t key_length = (size_t)(equals - text);
    int i = 0;
    while (family->settings[i].key && (strlen(family->settings[i].key) != key_length ||
                                       memcmp(family->settings[i].key, text, key_length) != 0))
        i += 1;
    const plx__setting *setting = &family->settings[i];
    if (!setting->key) return unknown_key(ctx, family, text, key_length);
    double value;
    const bool ok = parse_number(equals + 1, text + length, &value) && value >= setting->least &&
                    value <= setting->most && (!setting->whole || (double)(int64_t)value == value);
    if (!ok)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "%s: %s is \"%.*s\"; it must be a %snumber from %g to %g", family->name,
                         setting->key, (int)(text + length - equals - 1), equals + 1,
                         setting->whole ? "whole " : "", setting->least, setting->most);
    if (set[i])
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT, "%s: %s is set twice", family->name,
                         setting->key);
    set[i] = true;
    values[i] = value;
    return PLX_OK;
}

static plx_status apply_settings(plx_ctx *ctx, const plx__family *family, const char *text,
                                 double *values) {
    bool set[PLX__SETTINGS] = {false};
    while (*text) {
        const size_t length = strcspn(text, ",");
        PLX_TRY(apply_setting(ctx, family, text, length, values, set));
        text += length;
        if (*text == ',') ++text;
    }
    return PLX_OK;
}

/* Finds the size named by the first length characters: "gpt2-nano", and "resnet18" as well as
 * "resnet-18". */
static const plx__model_size *find_size(const char *text, size_t length,
                                        const plx__family **family) {
    for (int f = 0; f < FAMILIES; ++f) {
        const size_t own = strlen(families[f]->name);
        if (length < own + 2 || memcmp(families[f]->name, text, own) != 0) continue;
        const char *name = text + own;
        if (*name == '-')
            ++name;
        else if (*name < '0' || *name > '9')
            continue;
        *family = families[f];
        const size_t rest = length - (size_t)(name - text);
        for (const plx__model_size *size = families[f]->sizes; size->name; ++size)
            if (strlen(size->name) == rest && !memcmp(size->name, name, rest)) return size;
    }
    return NULL;
}

plx_status plx_model_from_name(plx_ctx *ctx, const char *name, uint64_t seed, plx_model **out) {
    PLX_TRY(plx__need(&ctx->message, "model", "the name", name));
    PLX_TRY(plx__need(&ctx->message, "model", "out", out));
    if (!strncmp(name, "mlp:", 4)) return new_mlp(ctx, name, seed, out);
    const plx__family *family = NULL;
    const size_t length = strcspn(name, ":");
    const plx__model_size *size = find_size(name, length, &family);
    if (!size) return bad_name(ctx, name, "there is no such model");
    double values[PLX__SETTINGS] = {0};
    for (int i = 0; family->settings[i].key; ++i) values[i] = family->settings[i].fallback;
    PLX_TRY(apply_settings(ctx, family, size->settings, values));
    if (name[length]) PLX_TRY(apply_settings(ctx, family, name + length + 1, values));
    return plx__model_of_family(ctx, family, values, seed, out);
}
