#include "read_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { CHUNK = 1 << 20 };
static const size_t LIMIT = (size_t)1 << 30;

static bool grow(char **bytes, size_t *room, size_t needed) {
    if (needed <= *room) return true;
    size_t larger = *room * 2 > needed ? *room * 2 : needed;
    char *moved = realloc(*bytes, larger);
    if (!moved) return false;
    *bytes = moved;
    *room = larger;
    return true;
}

/* zlib reads plain files as they are. Returns NULL, or why not. */
static const char *read_all(gzFile file, char **bytes, size_t *size, char *why, size_t why_bytes) {
    size_t room = 0;
    for (;;) {
        if (!grow(bytes, &room, *size + CHUNK + 1)) return "there is not enough memory";
        const int got = gzread(file, *bytes + *size, CHUNK);
        if (got < 0) {
            int code;
            const char *text = gzerror(file, &code);
            snprintf(why, why_bytes, "%s",
                     code == Z_ERRNO ? strerror(errno) : "its gzip data is damaged");
            (void)text;
            return why;
        }
        *size += (size_t)got;
        if (*size > LIMIT) return "it holds more than 1 GiB";
        if (got == 0) break;
    }
    (*bytes)[*size] = 0;
    /* A truncated gzip file ends early without an error until it is closed. */
    return NULL;
}

bool read_file(const char *name, char **bytes, size_t *size, char *message, size_t message_bytes) {
    *bytes = NULL;
    *size = 0;
    struct stat status;
    if (stat(name, &status) != 0) {
        snprintf(message, message_bytes, "cannot read \"%s\": %s.", name, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        snprintf(message, message_bytes, "cannot read \"%s\": it is a folder.", name);
        return false;
    }
    char why[128];
    gzFile file = gzopen(name, "rb");
    const char *failure = file ? read_all(file, bytes, size, why, sizeof why) : strerror(errno);
    if (file && gzclose(file) != Z_OK && !failure) failure = "its gzip data is truncated";
    if (!failure) return true;
    snprintf(message, message_bytes, "cannot read \"%s\": %s.", name, failure);
    free(*bytes);
    *bytes = NULL;
    return false;
}
