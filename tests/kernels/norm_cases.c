/* Normalisation. References are computed in a wider type from the formulas; bounds follow the
 * roundings of each step, where a sum of n terms is off by plx_sum_roundings(n) EPS sum|terms|. */
#include "kernels/kernel_case.h"

#include <stdio.h>

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Of a row: the mean and its error, the reciprocal deviation r = 1 / sqrt(variance + epsilon)
 * and the relative error of r. */
typedef struct row {
    plx_wide mean, mean_error, largest, r, r_error;
    bool vague; /* sums beyond the largest number, or below the smallest: no bound holds */
} row;

static row row_of(plx_case *c, int64_t n, const plx_real *x, plx_wide epsilon, bool centre) {
    row w = {0};
    plx_wide sum = 0, magnitude = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) {
        sum += (plx_wide)x[i];
        magnitude += fabs((plx_wide)x[i]);
    }
    if (centre) {
        w.mean = sum / (plx_wide)n;
        w.mean_error = PLX_EPS * (magnitude + fabs(w.mean));
    }
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide d = (plx_wide)x[i] - w.mean;
        squares += d * d;
        w.largest = fmax(w.largest, fabs(d));
    }
    const plx_wide variance = squares / (plx_wide)n + epsilon;
    /* A deviation d is off by the error of the mean and a rounding; so is the root of the
     * variance. */
    const plx_wide d_error = w.mean_error + PLX_EPS * w.largest;
    const plx_wide error = 2 * d_error * w.largest + d_error * d_error +
                           (plx_sum_roundings(n) + 4) * PLX_EPS * (squares / (plx_wide)n) +
                           2 * PLX_EPS * variance;
    w.r = 1 / sqrt(variance);
    w.r_error = error / variance + 2 * PLX_EPS;
    const plx_wide limit = PLX_LARGEST / 4;
    w.vague = isnan(variance) || magnitude > limit || squares > limit || w.r_error > 0.25;
    (void)c;
    return w;
}

static void check_row(plx_case *c, int64_t n, const plx_real *x, const plx_real *scale,
                      const plx_real *shift, bool centre, const plx_real *y) {
    const plx_real epsilon = (plx_real)0.01f;
    const row w = row_of(c, n, x, (plx_wide)epsilon, centre);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide s = scale ? (plx_wide)scale[i] : 1, b = shift ? (plx_wide)shift[i] : 0;
        const plx_wide d = (plx_wide)x[i] - w.mean, value = d * w.r * s + b;
        const plx_wide product = fabs(d * w.r * s);
        const plx_wide bound = fabs(s) * w.r * (w.mean_error + PLX_EPS * fabs(d)) * 2 +
                               product * (2 * w.r_error + 3 * PLX_EPS) + PLX_EPS * fabs(value) +
                               (fabs(s) + 2) * PLX_TINY;
        const bool vague =
            w.vague || isnan(value) || product > PLX_LARGEST / 4 || fabs(s) > PLX_LARGEST / 8;
        if (vague)
            plx_case_any(c, y[i]);
        else
            plx_case_near(c, i, y[i], value, bound);
        /* A NaN in the row makes every output NaN. */
        if (isnan(w.mean + w.r) && !isnan(y[i])) plx_case_near(c, i, y[i], (plx_wide)NAN, 0);
    }
}

static void check_rows_in_place(plx_case *c, const plx_real *x, const plx_real *scale,
                                const plx_real *shift, const plx_real *expected) {
    const int64_t n = c->n;
    const plx_real epsilon = (plx_real)0.01f;
    plx_real *z = plx_case_copy(c, n, x);
    c->variant = "in place";
    c->k->row_norm(n, z, scale, shift, epsilon, true, z);
    plx_case_same(c, n, z, expected);
    z = plx_case_copy(c, n, scale);
    c->variant = "in place of scale";
    c->k->row_norm(n, x, z, shift, epsilon, true, z);
    plx_case_same(c, n, z, expected);
    z = plx_case_copy(c, n, shift);
    c->variant = "in place of shift";
    c->k->row_norm(n, x, scale, z, epsilon, true, z);
    plx_case_same(c, n, z, expected);
}

/* A large mean, at which a sum of squares would lose every digit of the variance: the deviations
 * are whole numbers and the mean is exact, so that only a few roundings are left. */
static void check_large_mean(plx_case *c) {
    const int64_t n = c->n;
    plx_case_again(c, "large mean");
    plx_real *x = plx_case_blank(c, n), *y = plx_case_blank(c, n);
    for (int64_t i = 0; i < n; ++i)
        x[i] = (plx_real)((PLX_IS_DOUBLE ? 0x1p40 : 4096) + (n % 2 || i < n / 2 ? 0 : 2));
    c->k->row_norm(n, x, NULL, NULL, 0, true, y);
    for (int64_t i = 0; n % 2 == 0 && i < n; ++i)
        plx_case_near(c, i, y[i], i < n / 2 ? -1 : 1, 2 * PLX_EPS);
}

void plx_case_of_row_norm(plx_case *c) {
    const int64_t n = c->n;
    for (int variant = 0; variant < 8 && n > 0; ++variant) {
        static const char *const names[] = {"", "scale", "shift", "scale and shift"};
        const bool centre = variant < 4;
        plx_case_again(c, names[variant % 4]);
        const plx_real *x = plx_case_filled(c, n, -9, 9);
        const plx_real *scale = variant & 1 ? plx_case_filled(c, n, -2, 2) : NULL;
        const plx_real *shift = variant & 2 ? plx_case_filled(c, n, -2, 2) : NULL;
        plx_real *y = plx_case_blank(c, n);
        c->k->row_norm(n, x, scale, shift, (plx_real)0.01f, centre, y);
        check_row(c, n, x, scale, shift, centre, y);
        if (variant == 3) check_rows_in_place(c, x, scale, shift, y);
    }
    if (n > 0 && c->values == PLX_VALUES_NORMAL) check_large_mean(c);
}

/* The sums that the gradient of a row needs, and their errors. */
typedef struct sums {
    plx_wide plain, plain_size, moment, moment_size;
} sums;

static sums sums_of(int64_t n, const plx_real *x, const plx_real *gy, const plx_real *scale,
                    plx_wide mean) {
    sums s = {0};
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide g = (plx_wide)gy[i] * (scale ? (plx_wide)scale[i] : 1);
        s.plain += g;
        s.plain_size += fabs(g);
        s.moment += g * ((plx_wide)x[i] - mean);
        s.moment_size += fabs(g * ((plx_wide)x[i] - mean));
    }
    return s;
}

static void check_row_grad(plx_case *c, const plx_real *x, const plx_real *gy,
                           const plx_real *scale, bool centre, const plx_real *gx,
                           const plx_real *gscale, const plx_real *gshift) {
    const int64_t n = c->n;
    const plx_wide N = (plx_wide)n;
    const row w = row_of(c, n, x, (plx_wide)(plx_real)0.01f, centre);
    const sums s = sums_of(n, x, gy, scale, w.mean);
    const plx_wide limit = PLX_LARGEST / 16;
    const bool vague =
        w.vague || isnan(s.plain + s.moment) || s.plain_size > limit || s.moment_size > limit;
    /* Relative errors of the sums and of r together, generously doubled. */
    const plx_wide e = 2 * ((plx_sum_roundings(n) + 8) * PLX_EPS + 3 * w.r_error);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide d = (plx_wide)x[i] - w.mean, own = (plx_wide)gy[i];
        const plx_wide g = own * (scale ? (plx_wide)scale[i] : 1);
        const plx_wide plain = centre ? s.plain / N : 0;
        const plx_wide cubed = w.r * w.r * w.r * (s.moment / N);
        const plx_wide size = w.r * (fabs(g) + (centre ? s.plain_size / N : 0)) +
                              (fabs(d) + w.mean_error) * w.r * w.r * w.r * s.moment_size / N;
        const plx_wide shifted =
            w.mean_error * w.r * w.r * w.r * (s.moment_size + fabs(d) * s.plain_size) / N;
        const plx_wide gx_bound =
            e * size + 2 * shifted + (N + 8) * (1 + fabs(d)) * 1000 * PLX_TINY;
        const plx_wide term = own * d * w.r;
        if (vague || size > limit) {
            plx_case_any(c, gx[i]);
            plx_case_any(c, gscale[i]);
        } else {
            plx_case_near(c, i, gx[i], w.r * (g - plain) - d * cubed, gx_bound);
            plx_case_near(c, i, gscale[i], 3 + term,
                          fabs(own) * w.r * (2 * w.mean_error + e * fabs(d)) +
                              2 * PLX_EPS * (3 + fabs(term)) + 4 * PLX_TINY * (1 + fabs(own)));
        }
        plx_case_near(c, i, gshift[i], 3 + own, PLX_EPS * fabs(3 + own));
    }
}

void plx_case_of_row_norm_grad(plx_case *c) {
    const int64_t n = c->n;
    for (int variant = 0; variant < 4 && n > 0; ++variant) {
        plx_case_again(c, variant & 1 ? "scale" : "");
        const plx_real *x = plx_case_filled(c, n, -9, 9), *gy = plx_case_filled(c, n, -2, 2);
        const plx_real *scale = variant & 1 ? plx_case_filled(c, n, -2, 2) : NULL;
        plx_real *gx = plx_case_blank(c, n), *alone = plx_case_blank(c, n);
        plx_real *gscale = plx_case_blank(c, n), *gshift = plx_case_blank(c, n);
        for (int64_t i = 0; i < n; ++i) gscale[i] = gshift[i] = 3;
        const plx_real epsilon = (plx_real)0.01f;
        c->k->row_norm_grad(n, x, gy, scale, epsilon, variant < 2, gx, gscale, gshift);
        check_row_grad(c, x, gy, scale, variant < 2, gx, gscale, gshift);
        c->k->row_norm_grad(n, x, gy, scale, epsilon, variant < 2, alone, NULL, NULL);
        plx_case_same(c, n, alone, gx);
    }
}

/* ---- Channels -------------------------------------------------------------------------------- */

static void check_moment(plx_case *c, int64_t m, const plx_real *x, const plx_real *z, int64_t ld,
                         const plx_real *centre, const plx_real *y) {
    for (int64_t j = 0; j < c->n; ++j) {
        plx_wide value = 0, size = 0;
        for (int64_t i = 0; i < m; ++i) {
            const plx_wide d = (plx_wide)x[i * ld + j] - (plx_wide)centre[j];
            const plx_wide term = d * (z ? (plx_wide)z[i * ld + j] : d);
            value += term;
            size += fabs(term);
        }
        if (isfinite(size) && size > PLX_LARGEST / 4)
            plx_case_any(c, y[j]);
        else if (c->values == PLX_VALUES_WHOLE)
            plx_case_near(c, j, y[j], value, 0);
        else
            plx_case_near(c, j, y[j], value,
                          (plx_sum_roundings(m) + 4) * PLX_EPS * size +
                              (plx_wide)(2 * m + 8) * PLX_TINY);
    }
}

void plx_case_of_column_moment(plx_case *c) {
    static const int64_t rows[] = {0, 1, 63, 64, 65, 130};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r) {
        const int64_t m = rows[r], n = c->n, ld = n + 3;
        if (n == 1000 && m > 1 && m != 65) continue;
        plx_case_again(c, "");
        const plx_real *x = plx_case_matrix(c, m, n, ld), *z = plx_case_matrix(c, m, n, ld);
        const plx_real *centre = plx_case_filled(c, n, -2, 2);
        plx_real *y = plx_case_blank(c, n);
        c->k->column_moment(m, n, x, z, ld, centre, y);
        check_moment(c, m, x, z, ld, centre, y);
        c->variant = "squares";
        c->k->column_moment(m, n, x, NULL, ld, centre, y);
        check_moment(c, m, x, NULL, ld, centre, y);
    }
}

/* value is a product and what is added to it; no bound holds if a part of it overflows. */
static void check_product(plx_case *c, int64_t i, plx_real y, plx_wide value, plx_wide size,
                          plx_wide factors) {
    if (isfinite(size) && size > PLX_LARGEST / 4)
        plx_case_any(c, y);
    else
        plx_case_near(c, i, y, value, 3 * PLX_EPS * size + (2 + factors) * PLX_TINY);
}

void plx_case_of_channel_norm(plx_case *c) {
    enum { ROWS = 3 };
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, ROWS, n, n), *centre = plx_case_filled(c, n, -2, 2);
    const plx_real *factor = plx_case_filled(c, n, -2, 2), *shift = plx_case_filled(c, n, -2, 2);
    plx_real *y = plx_case_blank(c, ROWS * n);
    c->k->channel_norm(ROWS, n, x, centre, factor, shift, y);
    for (int64_t i = 0; i < ROWS * n; ++i) {
        const plx_wide d = (plx_wide)x[i] - (plx_wide)centre[i % n], f = (plx_wide)factor[i % n];
        const plx_wide s = (plx_wide)shift[i % n];
        check_product(c, i, y[i], d * f + s, fabs(d * f) + fabs(s) + fabs(d), fabs(f));
    }
    plx_real *z = plx_case_copy(c, ROWS * n, x);
    c->variant = "in place";
    c->k->channel_norm(ROWS, n, z, centre, factor, shift, z);
    plx_case_same(c, ROWS * n, z, y);
}

void plx_case_of_channel_norm_grad(plx_case *c) {
    enum { ROWS = 3 };
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, ROWS, n, n), *gy = plx_case_matrix(c, ROWS, n, n);
    const plx_real *centre = plx_case_filled(c, n, -2, 2), *factor = plx_case_filled(c, n, -2, 2);
    const plx_real *slope = plx_case_filled(c, n, -2, 2), *offset = plx_case_filled(c, n, -2, 2);
    plx_real *gx = plx_case_blank(c, ROWS * n);
    c->k->channel_norm_grad(ROWS, n, x, gy, centre, factor, slope, offset, gx);
    for (int64_t i = 0; i < ROWS * n; ++i) {
        const plx_wide d = (plx_wide)x[i] - (plx_wide)centre[i % n], s = (plx_wide)slope[i % n];
        const plx_wide b = (plx_wide)offset[i % n];
        const plx_wide g = (plx_wide)gy[i], f = (plx_wide)factor[i % n];
        check_product(c, i, gx[i], g * f + (d * s + b),
                      fabs(g * f) + fabs(d * s) + fabs(b) + fabs(d), fabs(s) + fabs(f));
    }
}
