/* tanh near a value, and moments of several. With E = e^(2x) rounded to 1 ULP, a relative error
 * of r in E g moves 1 - 2 / (E g + 1) by at most r / 2. */
#include "kernels/kernel_case.h"

#include <stdio.h>

enum { MOST = 65 };

/* e^(2 delta) for deltas evenly spaced on [-p, p]. */
static plx_real *scales(plx_case *c, int count, double p) {
    plx_real *g = plx_case_filled(c, count, 0.5, 2);
    for (int k = 0; k < count; ++k)
        g[k] = (plx_real)exp((plx_wide)(2 * p * (2.0 * k / (count - 1) - 1)));
    return g;
}

void plx_case_of_tanh_near(plx_case *c) {
    static const double deltas[] = {0, 0.3, -4, 4};
    for (size_t d = 0; d < sizeof deltas / sizeof *deltas; ++d) {
        plx_case_again(c, "");
        const plx_real *x = plx_case_filled(c, c->n, -6, 6);
        plx_real *y = plx_case_blank(c, c->n);
        const plx_real scale = (plx_real)exp((plx_wide)(2 * deltas[d]));
        const plx_wide delta = log((plx_wide)scale) / 2;
        c->k->tanh_near(c->n, x, scale, y);
        for (int64_t i = 0; i < c->n; ++i)
            plx_case_near(c, i, y[i], tanh((plx_wide)x[i] + delta), 3 * PLX_EPS);
        plx_real *z = plx_case_copy(c, c->n, x);
        c->variant = "in place";
        c->k->tanh_near(c->n, z, scale, z);
        plx_case_same(c, c->n, z, y);
    }
}

typedef struct moments {
    plx_wide mean, variance, third, squares;
} moments;

/* squares: the mean of squared distances from tanh(x), which bounds the variance. Distances are
 * sinh(delta) / (cosh(x) cosh(x + delta)). Beyond 40, x counts as 40. */
static moments moments_of(plx_wide x, int count, const plx_real *scale) {
    plx_wide d[MOST], mean = 0;
    moments m = {0, 0, 0, 0};
    if (fabs(x) > 40) x = x < 0 ? -40 : 40;
    for (int k = 0; k < count; ++k) {
        const plx_wide delta = log((plx_wide)scale[k]) / 2;
        d[k] = sinh(delta) / cosh(x) / cosh(x + delta);
        mean += d[k] / count;
        m.squares += d[k] * d[k] / count;
    }
    for (int k = 0; k < count; ++k) {
        m.variance += (d[k] - mean) * (d[k] - mean) / count;
        m.third += (d[k] - mean) * (d[k] - mean) * (d[k] - mean) / count;
    }
    m.mean = tanh(x) + mean;
    return m;
}

/* Each distance from tanh(x) is off by 5 EPS of itself, a sum of count terms by count more. */
static void check_moments(plx_case *c, int64_t i, plx_wide x, int count, const plx_real *scale,
                          plx_real *const *y) {
    const moments m = moments_of(x, count, scale);
    const plx_wide least = PLX_TINY / PLX_EPS;
    const plx_wide spread = (12 + count) * PLX_EPS * m.squares + least;
    plx_case_near(c, i, y[0][i], m.mean, 4 * PLX_EPS + (5 + count) * PLX_EPS * sqrt(m.squares));
    plx_case_near(c, i, y[1][i], m.variance, 2 * spread);
    plx_case_near(c, i, y[2][i], 1 - m.mean * m.mean - m.variance,
                  12 * PLX_EPS + 2 * (5 + count) * PLX_EPS * sqrt(m.squares) + 2 * spread);
    plx_case_near(c, i, y[3][i], -4 * m.mean * m.variance - 2 * m.third, 16 * spread);
}

void plx_case_of_futures(plx_case *c) {
    static const int counts[] = {2, 3, 9, MOST};
    static const double spans[] = {0.08, 0.3, 1, 4};
    for (size_t s = 0; s < sizeof counts / sizeof *counts; ++s) {
        plx_case_again(c, "");
        const plx_real *x = plx_case_filled(c, c->n, -6, 6);
        const plx_real *scale = scales(c, counts[s], spans[s]);
        plx_real *y[4];
        for (int k = 0; k < 4; ++k) y[k] = plx_case_blank(c, c->n);
        c->k->futures(c->n, counts[s], x, scale, y[0], y[1], y[2], y[3]);
        for (int64_t i = 0; i < c->n; ++i) check_moments(c, i, (plx_wide)x[i], counts[s], scale, y);
        plx_real *z = plx_case_copy(c, c->n, x);
        c->variant = "mean in place";
        c->k->futures(c->n, counts[s], z, scale, z, y[1], y[2], y[3]);
        plx_case_same(c, c->n, z, y[0]);
    }
}
