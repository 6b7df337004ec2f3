/* Random numbers in batches. Each draw does the operations of plx_rng_uniform, plx_rng_normal,
 * plx_math_log and plx_math_cos in their order; with many draws side by side a processor runs
 * several at a time, where a single one is a chain of divisions. */
#include "base/rng.h"
#include "parallax.h"

#include <math.h>
#include <string.h>

enum { LANES = 32 };

/* plx_math_log of normal numbers above 0. */
static void logarithms(const double *x, double *out) {
    double s[LANES], sum[LANES], exponent[LANES];
    for (int i = 0; i < LANES; ++i) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const uint64_t mantissa = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
        double m;
        memcpy(&m, &mantissa, sizeof m);
        const bool large = m > 1.4142135623730951;
        m = large ? m * 0.5 : m;
        exponent[i] = (double)((int)(bits >> 52) - 1023 + large);
        s[i] = (m - 1) / (m + 1);
        sum[i] = 0;
    }
    for (int k = 25; k >= 3; k -= 2)
        for (int i = 0; i < LANES; ++i) sum[i] = (sum[i] + 1.0 / k) * (s[i] * s[i]);
    for (int i = 0; i < LANES; ++i)
        out[i] = exponent[i] * 6.93147180369123816490e-01 +
                 (2 * s[i] + (2 * s[i] * sum[i] + exponent[i] * 1.90821492927058770002e-10));
}

/* plx_math_cos of x from 0 to 2 pi. Its two series have the same form; that of the sine, one term
 * shorter, begins with a coefficient of 0. */
static void cosines(const double *x, double *out) {
    double r[LANES], square[LANES], sum[LANES], sign[LANES], sine[LANES];
    for (int i = 0; i < LANES; ++i) {
        const int q = (int)(x[i] * 0.63661977236758134308 + 0.5);
        const double turns = q;
        r[i] = ((x[i] - turns * 1.57079632673412561417e+00) - turns * 6.07710050630396597660e-11) -
               turns * 2.02226624879595063154e-21;
        square[i] = r[i] * r[i];
        sum[i] = 1;
        sine[i] = q & 1;
        sign[i] = (q + 1) & 2 ? -1 : 1;
    }
    for (int k = 19; k >= 1; k -= 2) {
        const double of_cosine = (double)k * (k + 1);
        const double of_sine = k == 19 ? INFINITY : (double)(k + 1) * (k + 2);
        for (int i = 0; i < LANES; ++i)
            sum[i] = 1 - sum[i] * square[i] / (sine[i] > 0 ? of_sine : of_cosine);
    }
    for (int i = 0; i < LANES; ++i) out[i] = sign[i] * (sine[i] > 0 ? r[i] * sum[i] : sum[i]);
}

static double unit(uint32_t high, uint32_t low) {
    return (double)(int64_t)(((uint64_t)high << 21) ^ (low >> 11)) * 0x1p-53;
}

static void normal_lanes(uint64_t key, uint64_t block, double *out) {
    double u[LANES], angle[LANES], logs[LANES], turned[LANES];
    for (int i = 0; i < LANES; ++i) {
        uint32_t words[4];
        plx__philox(key, block + (uint64_t)i, words);
        u[i] = 1 - unit(words[0], words[1]);
        angle[i] = 6.283185307179586 * unit(words[2], words[3]);
    }
    logarithms(u, logs);
    cosines(angle, turned);
    for (int i = 0; i < LANES; ++i) out[i] = plx_math_sqrt(-2 * logs[i]) * turned[i];
}

void plx__rng_normals(plx_rng *rng, int64_t n, double *out) {
    int64_t i = 0;
    for (; rng->next % 4 == 0 && i + LANES <= n; i += LANES, rng->next += (uint64_t)4 * LANES)
        normal_lanes(rng->key, rng->next / 4, out + i);
    for (; i < n; ++i) out[i] = plx_rng_normal(rng);
}

void plx__rng_uniforms(plx_rng *rng, int64_t n, double *out) {
    int64_t i = 0;
    for (; rng->next % 4 == 0 && i + 2 <= n; i += 2, rng->next += 4) {
        uint32_t words[4];
        plx__philox(rng->key, rng->next / 4, words);
        out[i] = unit(words[0], words[1]);
        out[i + 1] = unit(words[2], words[3]);
    }
    for (; i < n; ++i) out[i] = plx_rng_uniform(rng);
}
