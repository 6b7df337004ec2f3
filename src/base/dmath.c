#include "parallax.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 2^k for -1022 <= k <= 1023. */
static double power_of_two(int k) {
    return from_bits((uint64_t)(k + 1023) << 52);
}

double plx_math_sqrt(double x) {
    return sqrt(x);
}

/* Cody and Waite reduction by ln 2 in two parts, then the Taylor series to r^13: with
 * |r| <= ln 2 / 2 the first term left out is below 5e-18. */
double plx_math_exp(double x) {
    if (x != x) return x;
    if (x > 709.782712893384) return INFINITY;
    if (x < -745.1332191019412) return 0;
    const int k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double sum = 1;
    for (int i = 13; i >= 1; --i) sum = 1 + sum * r / i;
    const int half = k / 2;
    return sum * power_of_two(half) * power_of_two(k - half);
}

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1). |s| < 0.172,
 * so the series to s^25 leaves less than 1e-20. */
double plx_math_log(double x) {
    if (x != x || x < 0) return NAN;
    if (x == 0) return -INFINITY;
    if (x == INFINITY) return x;
    int e = 0;
    if (x < 2.2250738585072014e-308) {
        x *= 18014398509481984.0; /* 2^54 */
        e = -54;
    }
    uint64_t bits = to_bits(x);
    e += (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xfffffffffffffu) | (uint64_t)1023 << 52);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        e += 1;
    }
    const double s = (m - 1) / (m + 1), s2 = s * s;
    double sum = 0;
    for (int i = 25; i >= 3; i -= 2) sum = (sum + 1.0 / i) * s2;
    return e * 6.93147180369123816490e-01 +
           (2 * s + (2 * s * sum + e * 1.90821492927058770002e-10));
}

/* x - q pi/2 with pi/2 in three parts of 33 bits or fewer, so that q * part is exact. */
static double reduce(double x, int *quadrant) {
    const double q = (double)(int64_t)(x * 0.63661977236758134308 + (x < 0 ? -0.5 : 0.5));
    *quadrant = (int)((int64_t)q & 3);
    return ((x - q * 1.57079632673412561417e+00) - q * 6.07710050630396597660e-11) -
           q * 2.02226624879595063154e-21;
}

static double sine_series(double r) {
    const double r2 = r * r;
    double sum = 1;
    for (int i = 18; i >= 2; i -= 2) sum = 1 - sum * r2 / (i * (i + 1));
    return r * sum;
}

static double cosine_series(double r) {
    const double r2 = r * r;
    double sum = 1;
    for (int i = 19; i >= 1; i -= 2) sum = 1 - sum * r2 / (i * (i + 1));
    return sum;
}

static double circular(double x, int turn) {
    if (!(x > -1e15 && x < 1e15)) return NAN;
    int quadrant;
    const double r = reduce(x, &quadrant);
    switch ((quadrant + turn) & 3) {
    case 0: return sine_series(r);
    case 1: return cosine_series(r);
    case 2: return -sine_series(r);
    default: return -cosine_series(r);
    }
}

double plx_math_sin(double x) {
    return circular(x, 0);
}

double plx_math_cos(double x) {
    return circular(x, 1);
}
