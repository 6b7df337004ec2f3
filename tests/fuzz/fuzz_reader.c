/* One reader under libFuzzer: PLX_READER is its name. */
#include "fuzz/readers.h"

#include <stdlib.h>
#include <string.h>

/* libFuzzer's entry (LLVM, "libFuzzer", Fuzz Target). */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static plx_ctx *ctx;
    static plx_reader reader;
    const plx_ctx_options options = {.threads = 1};
    if (!ctx && plx_ctx_new(&options, &ctx, NULL, 0) != PLX_OK) abort();
    for (int i = 0; !reader.name || strcmp(reader.name, PLX_READER) != 0; ++i) {
        reader = plx_reader_at(i);
        if (!reader.name) abort();
    }
    reader.read(ctx, bytes, size);
    return 0;
}
