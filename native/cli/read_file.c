#include "read_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { CHUNK = 1 << 20 };
static const size_t LIMIT = (size_t)1 << 30;
static const char no_memory[] = "there is not enough memory";
static const char too_large[] = "it holds more than 1 GiB";

typedef struct buffer {
    char *bytes;
    size_t size, room;
} buffer;

/* Makes room for CHUNK more bytes and a zero byte. */
static bool grow(buffer *b) {
    if (b->size > LIMIT) return false;
    const size_t needed = b->size + CHUNK + 1;
    if (needed <= b->room) return true;
    const size_t larger = b->room * 2 > needed ? b->room * 2 : needed;
    char *moved = realloc(b->bytes, larger);
    if (!moved) return false;
    b->bytes = moved;
    b->room = larger;
    return true;
}

static const char *reason(void) {
    const char *text = strerror(errno);
    return text ? text : "the system does not say why";
}

/* Returns NULL or what went wrong, as do all functions below. */
static const char *read_all(FILE *file, buffer *b) {
    for (;;) {
        if (!grow(b)) return no_memory;
        const size_t got = fread(b->bytes + b->size, 1, CHUNK, file);
        b->size += got;
        if (ferror(file)) return reason();
        if (b->size > LIMIT) return too_large;
        if (feof(file)) return NULL;
    }
}

static bool is_gzip(const char *bytes, size_t size) {
    return size >= 2 && !memcmp(bytes, "\x1f\x8b", 2);
}

/* One step of decompression. *more: more output is to come. */
static const char *inflate_some(z_stream *z, const char *end, buffer *to, bool *more) {
    const size_t left = (size_t)(end - (const char *)z->next_in);
    if (!grow(to)) return no_memory;
    z->avail_in = left < LIMIT ? (uInt)left : (uInt)LIMIT;
    z->next_out = (Bytef *)to->bytes + to->size;
    z->avail_out = CHUNK;
    const int status = inflate(z, Z_NO_FLUSH);
    to->size += CHUNK - z->avail_out;
    if (to->size > LIMIT) return too_large;
    const char *at = (const char *)z->next_in;
    if (status == Z_STREAM_END) {
        /* Complete gzip files may follow one another; nothing else may. */
        *more = at < end;
        if (!*more) return NULL;
        if (!is_gzip(at, (size_t)(end - at))) return "other bytes follow its gzip data";
        return inflateReset(z) == Z_OK ? NULL : no_memory;
    }
    if (status == Z_MEM_ERROR) return no_memory;
    if (status != Z_OK && status != Z_BUF_ERROR) return "its gzip data is damaged";
    return at == end && z->avail_out ? "its gzip data is truncated" : NULL;
}

static const char *decompress(const buffer *from, buffer *to) {
    const char *end = from->bytes + from->size, *failure = NULL;
    z_stream z = {.next_in = (Bytef *)from->bytes};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return no_memory;
    for (bool more = true; more && !failure;) failure = inflate_some(&z, end, to, &more);
    inflateEnd(&z);
    return failure;
}

/* The contents of b belong to the caller, even on failure. */
static const char *read_named(const char *name, buffer *b) {
    struct stat status;
    if (stat(name, &status) != 0) return reason();
    if (S_ISDIR(status.st_mode)) return "it is a folder";
    FILE *file = fopen(name, "rb");
    if (!file) return reason();
    const char *failure = read_all(file, b);
    fclose(file);
    if (failure || !is_gzip(b->bytes, b->size)) return failure;
    buffer plain = {0};
    failure = decompress(b, &plain);
    free(b->bytes);
    *b = plain;
    return failure;
}

bool read_file(const char *name, char **bytes, size_t *size, char *message, size_t message_bytes) {
    buffer b = {0};
    const char *failure = read_named(name, &b);
    *bytes = NULL;
    *size = 0;
    if (failure) {
        /* Cut only beyond the longest names that systems allow, so that the reason always
         * follows. */
        snprintf(message, message_bytes, "cannot read \"%.4000s\": %s.", name, failure);
        free(b.bytes);
        return false;
    }
    b.bytes[b.size] = 0;
    *bytes = b.bytes;
    *size = b.size;
    return true;
}
