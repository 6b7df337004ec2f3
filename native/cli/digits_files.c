#include "digits_files.h"

#include "read_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const images_name = "t10k-images-idx3-ubyte";
static const char *const labels_name = "t10k-labels-idx1-ubyte";

static bool find(const char *folder, const char *name, char *path, size_t size) {
    static const char *const places[] = {"/", "/mnist/"}, *const endings[] = {"", ".gz"};
    for (int i = 0; i < 4; ++i) {
        snprintf(path, size, "%s%s%s%s", folder, places[i / 2], name, endings[i % 2]);
        if (access(path, F_OK) == 0) return true;
    }
    return false;
}

static bool load(plx_ctx *ctx, const char *folder, const char *name, char **bytes, plx_idx *idx,
                 char *message, size_t message_bytes) {
    char path[4096];
    if (strlen(folder) > sizeof path - 64 || !find(folder, name, path, sizeof path)) {
        snprintf(message, message_bytes,
                 "PARALLAX_DATA is \"%s\", but neither it nor its folder mnist has %s or %s.gz.",
                 folder, name, name);
        return false;
    }
    size_t size;
    if (!read_file(path, bytes, &size, message, message_bytes)) return false;
    if (plx_idx_parse(ctx, *bytes, size, idx) == PLX_OK) return true;
    snprintf(message, message_bytes, "\"%s\": %s", path, plx_message(ctx));
    return false;
}

digits_found digits_load(plx_ctx *ctx, digits_files *files, char *message, size_t message_bytes) {
    *files = (digits_files){0};
    const char *folder = getenv("PARALLAX_DATA");
    if (!folder || !*folder) return DIGITS_UNNAMED;
    plx_learning_digits *digits = &files->digits;
    digits->source = images_name;
    if (!load(ctx, folder, images_name, &files->images, &digits->images, message, message_bytes) ||
        !load(ctx, folder, labels_name, &files->labels, &digits->labels, message, message_bytes)) {
        digits_free(files);
        return DIGITS_FAILED;
    }
    /* Splits them once, so that files which do not fit each other are refused before any work. */
    plx_digits split;
    if (plx_digits_new(ctx, digits, 0, &split) == PLX_OK) {
        plx_digits_free(&split);
        return DIGITS_FOUND;
    }
    snprintf(message, message_bytes, "the images and labels in \"%s\": %s", folder,
             plx_message(ctx));
    digits_free(files);
    return DIGITS_FAILED;
}

void digits_free(digits_files *files) {
    free(files->images);
    free(files->labels);
    *files = (digits_files){0};
}
