/* Weight files for JavaScript; see exports.c for the conventions. */
#include "exports.h"

#include <stdlib.h>
#include <string.h>

/* The pieces of a file: pairs of an address and a size. The first piece, the header, is a copy. */
typedef struct pieces {
    int count;
    double *places;
} pieces;

static bool note_piece(void *user, const void *bytes, size_t size) {
    pieces *p = user;
    if (p->count == 0) {
        void *copy = malloc(size);
        if (!copy) return false;
        bytes = memcpy(copy, bytes, size);
    }
    p->places[2 * p->count] = plx__js_address(bytes);
    p->places[2 * p->count + 1] = (double)size;
    p->count += 1;
    return true;
}

/* Lists the pieces of a file with these weights; texts: the keys and values of so many pairs of
 * metadata, each ended by a NUL. Results: losses, the address of pairs of doubles, an address and a
 * size each. Both that list and the first piece are freed by plx_js_free; the other pieces are the
 * weights themselves. */
EXPORT int plx_js_weights_save(const plx_weights *weights, int pairs, const char *texts) {
    const size_t places = 2 * ((size_t)plx_weights_count(weights) + 1);
    plx_metadata *metadata = malloc(((size_t)pairs + 1) * sizeof *metadata);
    pieces p = {.places = malloc(places * sizeof(double))};
    if (!metadata || !p.places) {
        free(metadata);
        free(p.places);
        return plx__js_fail(PLX_ERR_MEMORY, "save: no memory");
    }
    for (int i = 0; i < pairs; i++) {
        metadata[i].key = texts;
        metadata[i].value = metadata[i].key + strlen(metadata[i].key) + 1;
        texts = metadata[i].value + strlen(metadata[i].value) + 1;
    }
    const plx_status status = plx_weights_save(weights, pairs, metadata, note_piece, &p);
    free(metadata);
    if (status != PLX_OK) free(p.places);
    plx__js_left.losses =
        (plx__left_losses){.address = plx__js_address(p.places), .count = (double)p.count};
    return status;
}

/* Takes all weights from a file in memory. */
EXPORT int plx_js_weights_load(plx_weights *weights, const void *bytes, double size) {
    plx_safetensors *file = NULL;
    plx_status status = plx_safetensors_open(plx__js_context(), bytes, (size_t)size, &file);
    if (status != PLX_OK) return status;
    status = plx_weights_load(weights, file);
    plx_safetensors_free(file);
    return status;
}
