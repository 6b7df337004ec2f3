#include "fuzz/readers.h"

#include <stddef.h>
#include <stdlib.h>

/* Adds up what was read, so that a sanitizer sees each byte that is promised. */
static uint64_t sum_bytes(const void *bytes, int64_t size) {
    uint64_t sum = 0;
    for (int64_t i = 0; i < size; ++i) sum += ((const uint8_t *)bytes)[i];
    return sum;
}

static volatile uint64_t sink;

static bool read_safetensors(plx_ctx *ctx, const uint8_t *bytes, size_t size) {
    plx_safetensors *file = NULL;
    plx_metadata pair;
    if (plx_safetensors_open(ctx, bytes, size, &file) != PLX_OK) return false;
    for (int i = 0; i < plx_safetensors_count(file); ++i) {
        const plx_file_tensor tensor = plx_safetensors_at(file, i);
        for (const char *c = tensor.name; *c; ++c) sink += (uint8_t)*c;
        sink += sum_bytes(tensor.data, tensor.bytes);
    }
    for (int i = 0; (pair = plx_safetensors_metadata(file, i)).key; ++i)
        sink += (uint8_t)*pair.key + (uint8_t)*pair.value;
    plx_safetensors_free(file);
    return true;
}

static bool read_csv(plx_ctx *ctx, const uint8_t *bytes, size_t size) {
    plx_csv csv = {0};
    if (plx_csv_parse(ctx, (const char *)bytes, size, &csv) != PLX_OK) return false;
    sink += sum_bytes(csv.values, csv.rows * csv.columns * (int64_t)sizeof *csv.values);
    plx_csv_free(&csv);
    return true;
}

static bool read_idx(plx_ctx *ctx, const uint8_t *bytes, size_t size) {
    plx_idx idx;
    if (plx_idx_parse(ctx, bytes, size, &idx) != PLX_OK) return false;
    sink += sum_bytes(idx.data, idx.size);
    return true;
}

static bool read_npy(plx_ctx *ctx, const uint8_t *bytes, size_t size) {
    plx_npy array;
    if (plx_npy_parse(ctx, bytes, size, &array) != PLX_OK) return false;
    /* No more than the file holds. */
    uint8_t *copy = malloc(size);
    if (!copy) return false;
    plx_npy_copy(&array, copy);
    sink += sum_bytes(copy, array.size * array.width);
    free(copy);
    return true;
}

plx_reader plx_reader_at(int i) {
    static const plx_reader readers[] = {
        {"safetensors", read_safetensors},
        {"csv", read_csv},
        {"idx", read_idx},
        {"npy", read_npy},
    };
    return i < (int)(sizeof readers / sizeof *readers) ? readers[i] : (plx_reader){0};
}
