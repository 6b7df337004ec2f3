/* Writes the header of a safetensors file as the format's own library does: metadata first, tensors
 * by falling width and then by name, blanks up to a multiple of 8 bytes. Metadata is sorted by key,
 * so that the same content gives the same bytes. */
#include "io/safetensors.h"

#include "base/context.h"
#include "base/dtype.h"
#include "base/platform.h"
#include "io/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_BYTES = 8 };

/* What a dtype is called in a file. */
static const char *file_name_of(plx_dtype dtype) {
    static const char *const names[] = {
        [PLX_DTYPE_REAL] = sizeof(plx_real) == sizeof(double) ? "F64" : "F32",
        [PLX_DTYPE_I32] = "I32",
        [PLX_DTYPE_BF16] = "BF16",
        [PLX_DTYPE_F16] = "F16",
        [PLX_DTYPE_I8] = "I8",
        [PLX_DTYPE_U8] = "U8",
    };
    return names[dtype];
}

int64_t plx__file_entry_bytes(const plx__file_entry *entry) {
    int64_t bytes = (int64_t)plx__element_bytes(entry->dtype);
    for (int i = 0; i < entry->rank; ++i) bytes *= entry->dims[i];
    return bytes;
}

static int by_width_and_name(const void *a, const void *b) {
    const plx__file_entry *x = a, *y = b;
    const size_t wide = plx__element_bytes(x->dtype), other = plx__element_bytes(y->dtype);
    if (wide != other) return wide > other ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The header is written twice: first to count, with out NULL. */
typedef struct writer {
    char *out;
    size_t length;
} writer;

static void put(writer *w, const char *text, size_t length) {
    if (w->out) memcpy(w->out + w->length, text, length);
    w->length += length;
}

static void put_text(writer *w, const char *text) {
    put(w, text, strlen(text));
}

static void put_number(writer *w, int64_t number) {
    char text[24];
    plx__format(text, sizeof text, "%lld", (long long)number);
    put_text(w, text);
}

static void put_string(writer *w, const char *text) {
    put(w, "\"", 1);
    for (; *text; ++text) {
        const unsigned char c = (unsigned char)*text;
        if (c < ' ') {
            char escape[8];
            plx__format(escape, sizeof escape, "\\u00%02x", c);
            put_text(w, escape);
            continue;
        }
        if (c == '"' || c == '\\') put(w, "\\", 1);
        put(w, text, 1);
    }
    put(w, "\"", 1);
}

static void put_entry(writer *w, const plx__file_entry *entry, int64_t *offset) {
    put_string(w, entry->name);
    put_text(w, ":{\"dtype\":\"");
    put_text(w, file_name_of(entry->dtype));
    put_text(w, "\",\"shape\":[");
    for (int i = 0; i < entry->rank; ++i) {
        if (i) put(w, ",", 1);
        put_number(w, entry->dims[i]);
    }
    put_text(w, "],\"data_offsets\":[");
    put_number(w, *offset);
    *offset += plx__file_entry_bytes(entry);
    put(w, ",", 1);
    put_number(w, *offset);
    put_text(w, "]}");
}

/* Returns the bytes of data. */
static int64_t put_header(writer *w, int count, const plx__file_entry *entries, int metadata_count,
                          const plx_metadata *metadata) {
    int64_t bytes = 0;
    put(w, "{", 1);
    for (int i = 0; i < metadata_count; ++i) {
        put_text(w, i ? "," : "\"__metadata__\":{");
        put_string(w, metadata[i].key);
        put(w, ":", 1);
        put_string(w, metadata[i].value);
    }
    if (metadata_count) put(w, "}", 1);
    for (int i = 0; i < count; ++i) {
        if (i || metadata_count) put(w, ",", 1);
        put_entry(w, &entries[i], &bytes);
    }
    put(w, "}", 1);
    while (w->length % PREFIX_BYTES) put(w, " ", 1);
    return bytes;
}

/* The size of the header as bytes, and the header. Free it with plx_platform_free. */
static plx_status make_header(plx_ctx *ctx, const char *what, int count,
                              const plx__file_entry *entries, int metadata_count,
                              const plx_metadata *metadata, char **out, size_t *bytes) {
    writer w = {0};
    put_header(&w, count, entries, metadata_count, metadata);
    char *header = plx_platform_alloc(PREFIX_BYTES + w.length);
    if (!header)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY, "%s: no memory for a header of %llu bytes",
                         what, (unsigned long long)w.length);
    for (int i = 0; i < PREFIX_BYTES; ++i) header[i] = (char)((uint64_t)w.length >> 8 * i & 0xff);
    w = (writer){.out = header + PREFIX_BYTES};
    put_header(&w, count, entries, metadata_count, metadata);
    *out = header;
    *bytes = PREFIX_BYTES + w.length;
    if (plx__is_utf8(w.out, w.length)) return PLX_OK;
    return plx__fail(&ctx->message, PLX_ERR_ARGUMENT, "%s: a name or the metadata is not UTF-8",
                     what);
}

static plx_status check_metadata(plx_ctx *ctx, const char *what, int count,
                                 const plx_metadata *metadata) {
    for (int i = 0; i < count; ++i)
        if (!metadata[i].key || !metadata[i].value)
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "%s: metadata %d lacks a key or a value", what, i);
    return PLX_OK;
}

/* A copy of the metadata, sorted by key. */
static plx_status sort_metadata(plx_ctx *ctx, const char *what, int count,
                                const plx_metadata *metadata, plx_metadata *sorted) {
    if (!count) return PLX_OK;
    memcpy(sorted, metadata, (size_t)count * sizeof *metadata);
    qsort(sorted, (size_t)count, sizeof *sorted, plx__metadata_by_key);
    for (int i = 1; i < count; ++i)
        if (!plx__metadata_by_key(&sorted[i - 1], &sorted[i]))
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "%s: the metadata has the key \"%s\" twice", what, sorted[i].key);
    return PLX_OK;
}

static plx_status write_all(plx_ctx *ctx, const char *what, const char *header, size_t bytes,
                            int count, const plx__file_entry *entries, plx_write *write,
                            void *user) {
    bool ok = write(user, header, bytes);
    for (int i = 0; ok && i < count; ++i) {
        const size_t size = (size_t)plx__file_entry_bytes(&entries[i]);
        ok = !size || write(user, entries[i].data, size);
    }
    return ok ? PLX_OK : plx__fail(&ctx->message, PLX_ERR_IO, "%s: writing the file failed", what);
}

plx_status plx__file_write(plx_ctx *ctx, const char *what, int count, plx__file_entry *entries,
                           int metadata_count, const plx_metadata *metadata, plx_write *write,
                           void *user) {
    plx__message *message = &ctx->message;
    char *header = NULL;
    size_t bytes = 0;
    PLX_TRY(plx__need(message, what, "write", write ? what : NULL));
    if (metadata_count) PLX_TRY(plx__need(message, what, "metadata", metadata));
    PLX_TRY(check_metadata(ctx, what, metadata_count, metadata));
    plx_metadata *sorted = plx_platform_alloc(((size_t)metadata_count + 1) * sizeof *sorted);
    if (!sorted) return plx__fail(message, PLX_ERR_MEMORY, "%s: no memory", what);
    if (count) qsort(entries, (size_t)count, sizeof *entries, by_width_and_name);
    plx_status status = sort_metadata(ctx, what, metadata_count, metadata, sorted);
    if (status == PLX_OK)
        status = make_header(ctx, what, count, entries, metadata_count, sorted, &header, &bytes);
    if (status == PLX_OK) status = write_all(ctx, what, header, bytes, count, entries, write, user);
    plx_platform_free(header);
    plx_platform_free(sorted);
    return status;
}
