/* Readers on damaged files: each example of the corpus, and what becomes of it when bytes are
 * changed, dropped, doubled and cut off, by seed. scripts/fuzz searches longer, led by coverage. */
#include "check.h"
#include "fuzz/readers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, ROUNDS = PLX_AS_SHIPPED ? 20000 : 2000 };

static size_t read_example(const char *folder, const char *name, uint8_t *bytes) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    const size_t size = fread(bytes, 1, MOST, file);
    fclose(file);
    return size;
}

/* Numbers that lie about sizes, as text and as bytes. */
static const char *const lies[] = {
    "0", "-1", "9223372036854775807", "1e9", "\xff\xff\xff\xff", "\"", "{", "[", ",", "\\u0000"};

static size_t put(uint8_t *bytes, size_t size, size_t at, const char *text) {
    const size_t length = strlen(text);
    if (size + length > MOST) return size;
    memmove(bytes + at + length, bytes + at, size - at);
    for (size_t i = 0; i < length; ++i) bytes[at + i] = (uint8_t)text[i];
    return size + length;
}

static size_t mutate(plx_rng *rng, uint8_t *bytes, size_t size) {
    const int changes = 1 + (int)plx_rng_below(rng, 4);
    for (int i = 0; i < changes && size; ++i) {
        const size_t at = (size_t)plx_rng_below(rng, (int64_t)size);
        const size_t length = 1 + (size_t)plx_rng_below(rng, (int64_t)(size - at));
        switch (plx_rng_below(rng, 6)) {
        case 0: bytes[at] ^= (uint8_t)(1u << plx_rng_below(rng, 8)); break;
        case 1: bytes[at] = (uint8_t)plx_rng_below(rng, 256); break;
        case 2: size = at; break;
        case 3:
            memmove(bytes + at, bytes + at + length, size - at - length);
            size -= length;
            break;
        case 4:
            if (size + length <= MOST) {
                memmove(bytes + at + length, bytes + at, size - at);
                size += length;
            }
            break;
        default:
            size = put(bytes, size, at,
                       lies[plx_rng_below(rng, (int64_t)(sizeof lies / sizeof *lies))]);
        }
    }
    return size;
}

/* In a block of its own, so that a sanitizer sees what is read beyond it. */
static bool read_exact(const plx_reader *reader, plx_ctx *ctx, const uint8_t *bytes, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) return false;
    memcpy(exact, bytes, size);
    const bool ok = reader->read(ctx, exact, size);
    free(exact);
    return ok;
}

static void damage(plx_check *t, plx_ctx *ctx, const plx_reader *reader, const uint8_t *example,
                   size_t size, const char *name) {
    plx_rng rng = plx_rng_new(1, 0);
    uint8_t bytes[MOST];
    int refused = 0;
    for (int i = 0; i < ROUNDS; ++i) {
        memcpy(bytes, example, size);
        const size_t changed = mutate(&rng, bytes, size);
        if (read_exact(reader, ctx, bytes, changed)) continue;
        refused += 1;
        if (!CHECK(t, *plx_message(ctx), "%s, %s, round %d: a sentence", reader->name, name, i))
            return;
    }
    CHECK(t, refused > 0, "%s, %s: some of %d changes are noticed", reader->name, name, ROUNDS);
}

void plx_test_fuzz_mutations(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_reader reader;
    if (!ctx) return;
    for (int i = 0; (reader = plx_reader_at(i)).name; ++i) {
        char folder[900];
        snprintf(folder, sizeof folder, "%s/%s", PLX_FUZZ_CORPUS, reader.name);
        DIR *names = opendir(folder);
        int examples = 0;
        if (!CHECK(t, names, "%s has examples", reader.name)) continue;
        for (const struct dirent *entry; (entry = readdir(names));) {
            uint8_t bytes[MOST];
            if (*entry->d_name == '.') continue;
            const size_t size = read_example(folder, entry->d_name, bytes);
            read_exact(&reader, ctx, bytes, size);
            damage(t, ctx, &reader, bytes, size, entry->d_name);
            examples += 1;
        }
        closedir(names);
        CHECK(t, examples > 1, "%s has %d examples", reader.name, examples);
    }
    plx_ctx_free(ctx);
}
