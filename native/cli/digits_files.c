#include "digits_files.h"

#include "read_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PATH = 4096, SETS = 2 };

/* The test images of MNIST, and the digits that come with the page. The first whose images are
 * there are used. */
static const struct {
    const char *images, *labels;
} sets[SETS] = {
    {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
    {"digits-images-idx3-ubyte", "digits-labels-idx1-ubyte"},
};

static bool find(const char *folder, const char *name, char *path, size_t size) {
    static const char *const places[] = {"/", "/mnist/"}, *const endings[] = {"", ".gz"};
    if (strlen(folder) > size - 64) return false;
    for (int i = 0; i < 4; ++i) {
        snprintf(path, size, "%s%s%s%s", folder, places[i / 2], name, endings[i % 2]);
        if (access(path, F_OK) == 0) return true;
    }
    return false;
}

static bool load(plx_ctx *ctx, const char *folder, const char *name, char **bytes, plx_idx *idx,
                 char *message, size_t message_bytes) {
    char path[MOST_PATH];
    if (!find(folder, name, path, sizeof path)) {
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
    char path[MOST_PATH];
    int set = 0;
    while (set < SETS && !find(folder, sets[set].images, path, sizeof path)) ++set;
    if (set == SETS) {
        snprintf(
            message, message_bytes,
            "PARALLAX_DATA is \"%s\", but neither it nor its folder mnist has %s or %s (.gz or "
            "not).",
            folder, sets[0].images, sets[1].images);
        return DIGITS_FAILED;
    }
    const char *images = sets[set].images, *labels = sets[set].labels;
    plx_learning_digits *digits = &files->digits;
    digits->source = images;
    if (!load(ctx, folder, images, &files->images, &digits->images, message, message_bytes) ||
        !load(ctx, folder, labels, &files->labels, &digits->labels, message, message_bytes)) {
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
