#include "base/status.h"

#include "base/context.h"
#include "base/platform.h"

#include <string.h>

plx_status plx__fail(plx__message *message, plx_status code, const char *format, ...) {
    if (message) {
        va_list args;
        va_start(args, format);
        plx_platform_format(message->text, sizeof message->text, format, args);
        va_end(args);
    }
    return code;
}

plx_status plx_fail(plx_ctx *ctx, plx_status status, const char *format, ...) {
    char text[PLX__MESSAGE_BYTES]; /* the arguments may point to the result of plx_message */
    va_list args;
    va_start(args, format);
    plx_platform_format(text, sizeof text, format, args);
    va_end(args);
    memcpy(ctx->message.text, text, sizeof text);
    return status;
}

plx_status plx__need(plx__message *message, const char *where, const char *what,
                     const void *pointer) {
    return pointer ? PLX_OK : plx__fail(message, PLX_ERR_ARGUMENT, "%s: %s is NULL", where, what);
}

void plx__format_list(char *text, size_t bytes, const char *format, va_list args) {
    plx_platform_format(text, bytes, format, args);
}

void plx__format(char *text, size_t bytes, const char *format, ...) {
    va_list args;
    va_start(args, format);
    plx_platform_format(text, bytes, format, args);
    va_end(args);
}

const char *plx__shape_text(int rank, const int64_t *dims, char *text, size_t bytes) {
    size_t used = 0;
    plx__format(text, bytes, "[");
    for (int i = 0; i < rank; ++i) {
        used += strlen(text + used);
        plx__format(text + used, bytes - used, i ? ", %lld" : "%lld", (long long)dims[i]);
    }
    used += strlen(text + used);
    plx__format(text + used, bytes - used, "]");
    return text;
}

const char *plx_status_name(plx_status status) {
    switch (status) {
    case PLX_OK: return "PLX_OK";
#define PLX_STATUS(NAME, value, about)                                                             \
    case PLX_ERR_##NAME: return "PLX_ERR_" #NAME;
#include "parallax.def"
    }
    return "unknown status";
}

const char *plx_version(void) {
    return PLX_VERSION;
}
