#include "kernels/kernel_case.h"

#include <stdio.h>
#include <string.h>

plx_wide plx_sum_roundings(int64_t n) {
    return n > 1 ? fmin((plx_wide)n, 16 + log2((plx_wide)n)) : 1;
}

plx_wide plx_ulp(plx_wide value) {
    const int digits = PLX_IS_DOUBLE ? DBL_MANT_DIG : FLT_MANT_DIG;
    const int least = PLX_IS_DOUBLE ? DBL_MIN_EXP : FLT_MIN_EXP;
    int exponent;
    if (!isfinite(value)) return value;
    frexp(value, &exponent);
    if (value == 0 || exponent < least) exponent = least;
    return ldexp((plx_wide)1, exponent - digits);
}

/* ---- Operands -------------------------------------------------------------------------------- */

void plx_case_again(plx_case *c, const char *variant) {
    c->variant = variant;
    plx_guards_reset(c->guards, c->at_end);
}

plx_real *plx_case_blank(plx_case *c, int64_t n) {
    return plx_guards_take(c->guards, n > 0 ? n : 0);
}

/* SplitMix64 (Steele et al., "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * plx_rng would take most of the test's time. */
static uint64_t draw(plx_case *c) {
    uint64_t z = c->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t draw_below(plx_case *c, int64_t n) {
    return (int64_t)(draw(c) % (uint64_t)n);
}

static plx_real unusual(plx_case *c) {
    const plx_real least = (plx_real)PLX_TINY, largest = (plx_real)PLX_LARGEST;
    const plx_real tiny[] = {least, -least, 3 * least, least * 4097, (plx_real)-0.0, 0};
    const plx_real huge[] = {(plx_real)1e30, (plx_real)-1e30, largest / 4, -largest / 4};
    const plx_real special[] = {(plx_real)INFINITY, -(plx_real)INFINITY, (plx_real)NAN};
    if (c->values == PLX_VALUES_TINY) return tiny[draw_below(c, 6)];
    if (c->values == PLX_VALUES_HUGE) return huge[draw_below(c, 4)];
    return special[draw_below(c, 3)];
}

void plx_case_fill(plx_case *c, int64_t n, plx_real *x, double low, double high) {
    for (int64_t i = 0; i < n; ++i) {
        const double value = low + (double)(draw(c) >> 11) * 0x1p-53 * (high - low);
        x[i] = (plx_real)(float)(c->values == PLX_VALUES_WHOLE ? trunc(value) : value);
        if (c->values == PLX_VALUES_TINY || c->values == PLX_VALUES_HUGE)
            if (draw_below(c, 3) == 0) x[i] = unusual(c);
    }
    if (c->values == PLX_VALUES_SPECIAL && n > 0) {
        const int64_t place = draw_below(c, n);
        x[place] = unusual(c);
    }
}

plx_real *plx_case_filled(plx_case *c, int64_t n, double low, double high) {
    plx_real *x = plx_case_blank(c, n);
    plx_case_fill(c, n, x, low, high);
    return x;
}

plx_real *plx_case_blank_matrix(plx_case *c, int64_t rows, int64_t columns, int64_t stride) {
    return plx_case_blank(c, rows && columns ? (rows - 1) * stride + columns : 0);
}

plx_real *plx_case_matrix(plx_case *c, int64_t rows, int64_t columns, int64_t stride) {
    plx_real *x = plx_case_blank_matrix(c, rows, columns, stride);
    for (int64_t i = 0; i < rows; ++i) plx_case_fill(c, columns, x + i * stride, -2, 2);
    return x;
}

plx_real *plx_case_copy(plx_case *c, int64_t n, const plx_real *x) {
    plx_real *y = plx_case_blank(c, n);
    memcpy(y, x, (size_t)n * sizeof *y);
    return y;
}

/* ---- Results --------------------------------------------------------------------------------- */

uint64_t plx_fnv1a(uint64_t hash, const void *data, size_t bytes) {
    const unsigned char *byte = data;
    for (size_t i = 0; i < bytes; ++i) hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

void plx_case_any(plx_case *c, plx_real y) {
    static const unsigned char nan[] = {0xc0, 0x7f};
    if (c->tile_dependent) return;
    if (isnan(y))
        c->hash = plx_fnv1a(c->hash, nan, sizeof nan);
    else
        c->hash = plx_fnv1a(c->hash, &y, sizeof y);
}

static void fail(plx_case *c, int64_t i, plx_real y, plx_wide expected, plx_wide bound) {
    if (c->wrong) return;
    c->wrong = true;
    snprintf(c->sentence, sizeof c->sentence,
             "%s%s%s: element %lld is %.17g instead of %.17g within %.3g", c->kernel,
             *c->variant ? ", " : "", c->variant, (long long)i, (double)y, (double)expected,
             (double)bound);
}

static bool is_near(plx_real y, plx_wide value, plx_wide bound) {
    if (isnan(value)) return isnan(y);
    if (y == (plx_real)value) return true;
    if (isinf(y))
        return !isinf(value) && fabs(value) + bound > PLX_LARGEST && (y > 0) == (value > 0);
    return fabs((plx_wide)y - value) <= bound;
}

void plx_case_near(plx_case *c, int64_t i, plx_real y, plx_wide value, plx_wide bound) {
    plx_case_any(c, y);
    if (!is_near(y, value, bound)) fail(c, i, y, value, bound);
}

void plx_case_zero(plx_case *c, int64_t i, plx_real y, plx_wide value) {
    if (y == 0 && value == 0 && !signbit(y) != !signbit(value)) fail(c, i, y, value, 0);
}

void plx_case_equal(plx_case *c, int64_t i, plx_real y, plx_real expected) {
    plx_case_any(c, y);
    if (!(isnan(y) && isnan(expected)) && y != expected) fail(c, i, y, (plx_wide)expected, 0);
}

void plx_case_same(plx_case *c, int64_t n, const plx_real *y, const plx_real *expected) {
    for (int64_t i = 0; i < n; ++i)
        if (!(isnan(y[i]) && isnan(expected[i])) && memcmp(y + i, expected + i, sizeof *y))
            fail(c, i, y[i], (plx_wide)expected[i], 0);
}

void plx_case_gaps(plx_case *c, int64_t rows, int64_t columns, int64_t stride, const plx_real *y) {
    for (int64_t i = 0; columns > 0 && i + 1 < rows; ++i)
        for (int64_t j = columns; j < stride; ++j)
            if (!plx_guards_untouched(y + i * stride + j))
                fail(c, i * stride + j, y[i * stride + j], (plx_wide)NAN, 0);
}
