/* Random masks. */
#include "base/rng.h"

static void k_dropout(int64_t n, const plx_real *x, plx_real *y, uint64_t key, uint64_t first,
                      uint32_t keep, plx_real scale) {
    uint32_t words[4] = {0};
    for (int64_t i = 0; i < n; ++i) {
        const uint64_t word = first + (uint64_t)i;
        if (i == 0 || word % 4 == 0) plx__philox(key, word / 4, words);
        y[i] = words[word % 4] < keep ? x[i] * scale : 0;
    }
}
