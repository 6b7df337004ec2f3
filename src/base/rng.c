#include "base/rng.h"

#include "parallax.h"

/* The finaliser of SplitMix64 (Steele et al., OOPSLA 2014): neighbouring seeds give unrelated
 * keys. */
static uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t plx__rng_key(uint64_t seed, uint64_t stream) {
    return mix(mix(seed) ^ stream);
}

plx_rng plx_rng_new(uint64_t seed, uint32_t stream) {
    return (plx_rng){.key = plx__rng_key(seed, stream), .next = 0};
}

uint32_t plx_rng_u32(plx_rng *rng) {
    uint32_t words[4];
    plx__philox(rng->key, rng->next / 4, words);
    return words[rng->next++ % 4];
}

double plx_rng_uniform(plx_rng *rng) {
    const uint64_t high = plx_rng_u32(rng), low = plx_rng_u32(rng);
    return (double)((high << 21) ^ (low >> 11)) * 0x1p-53;
}

double plx_rng_normal(plx_rng *rng) {
    const double u = 1 - plx_rng_uniform(rng); /* in (0, 1], so that its logarithm is finite */
    const double v = plx_rng_uniform(rng);
    return plx_math_sqrt(-2 * plx_math_log(u)) * plx_math_cos(6.283185307179586 * v);
}

int64_t plx_rng_below(plx_rng *rng, int64_t n) {
    /* Rejection of the last, incomplete range keeps every remainder equally likely. */
    const uint64_t range = (uint64_t)n;
    if (n < 1) return 0;
    const uint64_t limit = UINT64_MAX - UINT64_MAX % range;
    uint64_t draw;
    do {
        draw = (uint64_t)plx_rng_u32(rng) << 32;
        draw |= plx_rng_u32(rng);
    } while (draw >= limit);
    return (int64_t)(draw % range);
}

void plx_rng_permute(plx_rng *rng, int64_t n, int64_t *order) {
    for (int64_t i = 0; i < n; ++i) order[i] = i;
    for (int64_t i = n - 1; i > 0; --i) {
        const int64_t j = plx_rng_below(rng, i + 1);
        const int64_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}
