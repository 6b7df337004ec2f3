/* The readers of files, which must bear any bytes. */
#ifndef PLX_TESTS_READERS_H
#define PLX_TESTS_READERS_H

#include "parallax_nn.h"

typedef struct plx_reader {
    const char *name; /* also of the folder with its examples, in tests/fuzz/corpus */
    /* Reads all that the bytes hold, and frees it. Returns whether they are a file of its kind. */
    bool (*read)(plx_ctx *ctx, const uint8_t *bytes, size_t size);
} plx_reader;

/* NULL name past the last. */
plx_reader plx_reader_at(int i);

#endif
