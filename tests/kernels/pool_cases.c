/* Pooling windows: 3 windows of 2 x 3 pixels, one or two pixels apart, in rows with a gap at the
 * end; windows of one pixel; and windows of every second pixel. */
#include "kernels/kernel_case.h"

#include <stdio.h>

typedef struct windows {
    int64_t count, rows, columns, row, column, step, size; /* size: elements of the image */
} windows;

enum { SHAPES = 4 };

static windows windows_of(int shape, int64_t n) {
    windows w = {3, 2, 3, 0, shape == 3 ? 2 * n : n, shape == 1 ? 2 * n : n, 0};
    if (shape == 2) w.rows = w.columns = 1;
    const int64_t width = (w.count - 1) * w.step + (w.columns - 1) * w.column + n;
    w.row = width + 1;
    w.size = n ? (w.rows - 1) * w.row + width : 0;
    return w;
}

static const char *name_of(int shape) {
    static const char *const names[] = {"overlapping", "apart", "single pixels", "dilated"};
    return names[shape];
}

/* The pixel at place k of window p, channel j. */
static int64_t pixel(const windows *w, int64_t p, int64_t k, int64_t j) {
    return p * w->step + k / w->columns * w->row + k % w->columns * w->column + j;
}

static int64_t first_maximum(const windows *w, int64_t p, int64_t j, const plx_real *x) {
    int64_t best = 0;
    for (int64_t k = 1; k < w->rows * w->columns; ++k) {
        const plx_real a = x[pixel(w, p, k, j)], top = x[pixel(w, p, best, j)];
        if (a > top || (isnan(a) && !isnan(top))) best = k;
    }
    return best;
}

void plx_case_of_pool_max(plx_case *c) {
    const int64_t n = c->n;
    for (int shape = 0; shape < SHAPES; ++shape) {
        const windows w = windows_of(shape, n);
        plx_case_again(c, name_of(shape));
        const plx_real *x = plx_case_filled(c, w.size, -9, 9);
        plx_real *y = plx_case_blank(c, w.count * n);
        c->k->pool_max(w.count, n, w.rows, w.columns, x, w.row, w.column, w.step, y);
        for (int64_t i = 0; i < w.count * n; ++i) {
            const int64_t p = i / n, j = i % n;
            plx_case_equal(c, i, y[i], x[pixel(&w, p, first_maximum(&w, p, j, x), j)]);
        }
    }
}

/* Only rows first..end - 1, added to what is there; the contract fixes the order of the windows. */
static void check_max_grad(plx_case *c, int shape, int64_t first, int64_t end) {
    const int64_t n = c->n;
    const windows w = windows_of(shape, n);
    plx_case_again(c, name_of(shape));
    const plx_real *x = plx_case_filled(c, w.size, -9, 9);
    const plx_real *gy = plx_case_filled(c, w.count * n, -9, 9);
    plx_real *gx = plx_case_blank(c, w.size), *expected = plx_case_blank(c, w.size);
    for (int64_t i = 0; i < w.size; ++i) gx[i] = expected[i] = (plx_real)(i % 7);
    c->k->pool_max_grad(w.count, n, w.rows, w.columns, x, w.row, w.column, w.step, gy, first, end,
                        gx);
    for (int64_t i = 0; i < w.count * n; ++i) {
        const int64_t best = first_maximum(&w, i / n, i % n, x), row = best / w.columns;
        if (row >= first && row < end) expected[pixel(&w, i / n, best, i % n)] += gy[i];
    }
    for (int64_t i = 0; i < w.size; ++i) plx_case_equal(c, i, gx[i], expected[i]);
}

void plx_case_of_pool_max_grad(plx_case *c) {
    for (int shape = 0; shape < SHAPES; ++shape)
        for (int64_t end = 1; end <= windows_of(shape, 1).rows; ++end)
            for (int64_t first = 0; first < end; ++first) check_max_grad(c, shape, first, end);
}

/* The contract fixes the order here too, so the reference has the kernel's type. */
void plx_case_of_pool_sum(plx_case *c) {
    const int64_t n = c->n;
    for (int shape = 0; shape < SHAPES; ++shape) {
        const windows w = windows_of(shape, n);
        plx_case_again(c, name_of(shape));
        const plx_real *x = plx_case_filled(c, w.size, -9, 9), factor = (plx_real)0.3f;
        plx_real *y = plx_case_blank(c, w.count * n);
        c->k->pool_sum(w.count, n, w.rows, w.columns, x, w.row, w.column, w.step, factor, y);
        for (int64_t i = 0; i < w.count * n; ++i) {
            plx_real sum = 0;
            for (int64_t k = 0; k < w.rows * w.columns; ++k) sum += x[pixel(&w, i / n, k, i % n)];
            plx_case_equal(c, i, y[i], factor * sum);
        }
    }
}

void plx_case_of_pool_spread(plx_case *c) {
    const int64_t n = c->n;
    for (int shape = 0; shape < SHAPES; ++shape) {
        const windows w = windows_of(shape, n);
        plx_case_again(c, name_of(shape));
        const plx_real *gy = plx_case_filled(c, w.count * n, -9, 9), factor = (plx_real)0.3f;
        plx_real *gx = plx_case_blank(c, w.size), *expected = plx_case_blank(c, w.size);
        for (int64_t i = 0; i < w.size; ++i) gx[i] = expected[i] = (plx_real)(i % 7);
        c->k->pool_spread(w.count, n, w.rows, w.columns, gy, w.row, w.column, w.step, factor, gx);
        for (int64_t i = 0; i < w.count * n; ++i)
            for (int64_t k = 0; k < w.rows * w.columns; ++k)
                expected[pixel(&w, i / n, k, i % n)] += factor * gy[i];
        for (int64_t i = 0; i < w.size; ++i) plx_case_equal(c, i, gx[i], expected[i]);
    }
}

void plx_case_of_blend(plx_case *c) {
    const int64_t n = c->n;
    const plx_real alpha = (plx_real)0.7f, beta = (plx_real)0.3f;
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, n, -9, 9), *z = plx_case_filled(c, n, -9, 9);
    plx_real *y = plx_case_blank(c, n);
    c->k->blend(n, alpha, x, beta, z, y);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide a = (plx_wide)alpha * (plx_wide)x[i], b = (plx_wide)beta * (plx_wide)z[i];
        plx_case_near(c, i, y[i], a + b, PLX_EPS * (fabs(a) + fabs(b)) + 2 * PLX_TINY);
    }
    plx_real *same = plx_case_copy(c, n, x);
    c->variant = "in place";
    c->k->blend(n, alpha, same, beta, z, same);
    plx_case_same(c, n, same, y);
}
