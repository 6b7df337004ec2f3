/* The block function behind plx_rng and the dropout kernels. */
#ifndef PLX_BASE_RNG_H
#define PLX_BASE_RNG_H

#include <stdint.h>

/* Philox4x32-10: the four words of one block in a key's stream. Inline, since kernels are compiled
 * once per target and must call nothing shared. */
static inline void plx__philox(uint64_t key, uint64_t block, uint32_t out[4]) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = 0, c3 = 0;
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        const uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0;
        c1 = (uint32_t)p1;
        c2 = n2;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

struct plx_rng;

/* The next n draws of plx_rng_uniform, or of plx_rng_normal: the same numbers, several times
 * faster. */
void plx__rng_uniforms(struct plx_rng *rng, int64_t n, double *out);
void plx__rng_normals(struct plx_rng *rng, int64_t n, double *out);

/* A well-mixed key from a seed and a stream number. */
uint64_t plx__rng_key(uint64_t seed, uint64_t stream);

#endif
