/* Kernels of attention on a tile of scores. */
#include "kernels/kernel_case.h"

static const int64_t rows_of[] = {0, 1, 3, 17};

/* Scores of one kind, with some hidden entries and one column that is hidden throughout. */
static plx_real *scores(plx_case *c, int64_t m, int64_t n, int64_t ldx) {
    plx_real *x = (plx_real *)plx_case_matrix(c, m, n, ldx);
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j)
            if (j % 5 == 3 || (i + j) % 7 == 6) x[i * ldx + j] = (plx_real)-INFINITY;
    return x;
}

static plx_real *copy_matrix(plx_case *c, int64_t m, int64_t n, int64_t ld, const plx_real *x) {
    plx_real *y = plx_case_blank_matrix(c, m, n, ld);
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) y[i * ld + j] = x[i * ld + j];
    return y;
}

static void check_softmax_column(plx_case *c, int64_t m, const plx_real *x, const plx_real *y,
                                 int64_t ldx, int64_t j, plx_real top0, plx_real sum0, plx_real top,
                                 plx_real sum, plx_real alpha) {
    plx_wide largest = (plx_wide)top0, total;
    for (int64_t i = 0; i < m; ++i) largest = fmax(largest, (plx_wide)x[i * ldx + j]);
    plx_case_equal(c, j, top, (plx_real)largest);
    const plx_wide shift = isinf(largest) && largest < 0 ? 0 : largest;
    const plx_wide factor = exp((plx_wide)top0 - shift);
    /* The difference is rounded; the exponential turns that into as many units. */
    plx_case_near(c, j, alpha, factor,
                  (2 + fabs((plx_wide)top0 - shift)) * PLX_EPS * factor + PLX_TINY);
    total = factor * (plx_wide)sum0;
    plx_wide bound =
        total * (3 + (isinf((plx_wide)top0) ? 0 : fabs((plx_wide)top0 - shift))) * PLX_EPS;
    for (int64_t i = 0; i < m; ++i) {
        const plx_wide d = (plx_wide)x[i * ldx + j] - shift, e = exp(d);
        const plx_wide slack = isinf(d) ? 0 : (2 + fabs(d)) * PLX_EPS * e + PLX_TINY;
        plx_case_near(c, i * ldx + j, y[i * ldx + j], e, slack);
        total += e;
        bound += slack;
    }
    plx_case_near(c, j, sum, total, bound + (plx_wide)m * PLX_EPS * total);
}

void plx_case_of_softmax_columns(plx_case *c) {
    const int64_t n = c->n, ldx = n + 3;
    for (size_t r = 0; r < sizeof rows_of / sizeof rows_of[0]; ++r) {
        const int64_t m = rows_of[r];
        plx_case_again(c, "");
        if (c->values != PLX_VALUES_NORMAL && c->values != PLX_VALUES_WHOLE) return;
        plx_real *x = scores(c, m, n, ldx), *y = copy_matrix(c, m, n, ldx, x);
        plx_real *top = (plx_real *)plx_case_filled(c, n, -1, 1),
                 *sum = (plx_real *)plx_case_filled(c, n, 0.5, 4);
        plx_real *alpha = plx_case_blank(c, n);
        for (int64_t j = 0; j < n; ++j) {
            sum[j] = (plx_real)fabs((plx_wide)sum[j]);
            if (j % 2) continue;
            top[j] = (plx_real)-INFINITY; /* nothing seen so far */
            sum[j] = 0;
        }
        const plx_real *top0 = plx_case_copy(c, n, top), *sum0 = plx_case_copy(c, n, sum);
        c->k->softmax_columns(m, n, y, ldx, top, sum, alpha);
        for (int64_t j = 0; j < n; ++j)
            check_softmax_column(c, m, x, y, ldx, j, top0[j], sum0[j], top[j], sum[j], alpha[j]);
        plx_case_gaps(c, m, n, ldx, y);
    }
}

void plx_case_of_exp_columns(plx_case *c) {
    const int64_t n = c->n, ldx = n + 3;
    for (size_t r = 0; r < sizeof rows_of / sizeof rows_of[0]; ++r) {
        const int64_t m = rows_of[r];
        plx_case_again(c, "");
        if (c->values != PLX_VALUES_NORMAL && c->values != PLX_VALUES_WHOLE) return;
        const plx_real *x = scores(c, m, n, ldx), *shift = plx_case_filled(c, n, -1, 1);
        plx_real *y = copy_matrix(c, m, n, ldx, x);
        c->k->exp_columns(m, n, y, ldx, shift);
        for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < n; ++j) {
                const plx_wide d = (plx_wide)x[i * ldx + j] - (plx_wide)shift[j], e = exp(d);
                plx_case_near(c, i * ldx + j, y[i * ldx + j], e,
                              isinf(d) ? 0 : (2 + fabs(d)) * PLX_EPS * e + PLX_TINY);
            }
        plx_case_gaps(c, m, n, ldx, y);
    }
}

void plx_case_of_softmax_columns_grad(plx_case *c) {
    const int64_t n = c->n, ld = n + 3;
    for (size_t r = 0; r < sizeof rows_of / sizeof rows_of[0]; ++r) {
        const int64_t m = rows_of[r];
        plx_case_again(c, "");
        const plx_real *y = plx_case_matrix(c, m, n, ld), *g = plx_case_matrix(c, m, n, ld);
        const plx_real *delta = plx_case_filled(c, n, -1, 1);
        plx_real *slopes = copy_matrix(c, m, n, ld, g);
        c->k->softmax_columns_grad(m, n, y, ld, delta, slopes);
        for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < n; ++j) {
                const int64_t at = i * ld + j;
                const plx_real difference = g[at] - delta[j];
                plx_case_equal(c, at, slopes[at], y[at] * difference);
            }
        plx_case_gaps(c, m, n, ld, slopes);
    }
}

void plx_case_of_rotate(plx_case *c) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *a = plx_case_filled(c, n, -2, 2), *b = plx_case_filled(c, n, -2, 2);
    const plx_real *cosine = plx_case_filled(c, n, -1, 1), *sine = plx_case_filled(c, n, -1, 1);
    plx_real *y0 = plx_case_blank(c, n), *y1 = plx_case_blank(c, n);
    c->k->rotate(n, a, b, cosine, sine, y0, y1);
    for (int64_t i = 0; i < n; ++i) {
        const plx_real bs = b[i] * sine[i], bc = b[i] * cosine[i];
        plx_case_equal(c, i, y0[i], c->k->fma ? fma(a[i], cosine[i], -bs) : a[i] * cosine[i] - bs);
        plx_case_equal(c, i, y1[i], c->k->fma ? fma(a[i], sine[i], bc) : a[i] * sine[i] + bc);
    }
    plx_real *p = plx_case_copy(c, n, a), *q = plx_case_copy(c, n, b);
    c->variant = "in place";
    c->k->rotate(n, p, q, cosine, sine, p, q);
    plx_case_same(c, n, p, y0);
    plx_case_same(c, n, q, y1);
}
