/* Winograd's transforms against their matrices, and the depthwise kernels against sums in the
 * order that the contract gives. */
#include "kernels/kernel_case.h"

enum { IN = 6, OUT = 4, TAPS = 3, MOST = IN * IN };

/* Lavin and Gray's matrices for F(4 x 4, 3 x 3), in the paper's signs. */
static const plx_wide bt[IN][IN] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0},
                                    {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
                                    {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
static const plx_wide g24[IN][TAPS] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4},
                                       {1, 2, 4}, {1, -2, 4},   {0, 0, 24}};
static const plx_wide at[OUT][IN] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

/* [to, from], divided by `divisor` */
typedef struct transform {
    int from, to;
    plx_wide divisor;
    plx_wide element[IN][IN];
} transform;

static transform of(int to, int from, const plx_wide *elements, plx_wide divisor, bool transposed) {
    transform m = {
        .from = transposed ? to : from, .to = transposed ? from : to, .divisor = divisor};
    for (int i = 0; i < to; ++i)
        for (int j = 0; j < from; ++j) {
            if (transposed)
                m.element[j][i] = elements[i * from + j];
            else
                m.element[i][j] = elements[i * from + j];
        }
    return m;
}

static transform input_transform(void) {
    return of(IN, IN, &bt[0][0], 1, false);
}
static transform weights_transform(bool transposed) {
    return of(IN, TAPS, &g24[0][0], 24, transposed);
}
static transform output_transform(bool transposed) {
    return of(OUT, IN, &at[0][0], 1, transposed);
}

/* Checks element (i, j) of M x M^T for one channel, where x(p, q) is x[p * from + q]. Each
 * product passes at most four roundings on each side, and so do coefficients that are not exact. */
static void check_element(plx_case *c, const transform *m, int i, int j, const plx_real *x,
                          plx_real bias, plx_real y, int64_t place) {
    plx_wide value = 0, magnitude = 0, amplified = 0;
    for (int p = 0; p < m->from; ++p)
        for (int q = 0; q < m->from; ++q) {
            const plx_wide factor = m->element[i][p] * m->element[j][q];
            if (factor == 0) continue;
            const plx_wide term = factor * (plx_wide)x[p * m->from + q] / (m->divisor * m->divisor);
            value += term;
            magnitude += fabs(term);
            amplified += fabs(factor);
        }
    value += (plx_wide)bias;
    magnitude += fabs((plx_wide)bias);
    if (isfinite(magnitude) && magnitude > PLX_LARGEST) {
        plx_case_any(c, y);
        return;
    }
    const bool exact = c->values == PLX_VALUES_WHOLE && m->divisor == 1;
    plx_case_near(c, place, y, value, exact ? 0 : 12 * PLX_EPS * magnitude + amplified * PLX_TINY);
}

/* ldx, ldy: distance between elements of x and of y; bias may be NULL. */
static void check_both_sides(plx_case *c, const transform *m, const plx_real *x, int64_t ldx,
                             const plx_real *bias, const plx_real *y, int64_t ldy) {
    for (int64_t channel = 0; channel < c->n; ++channel) {
        plx_real from[MOST] = {0};
        for (int k = 0; k < m->from * m->from; ++k) from[k] = x[k * ldx + channel];
        for (int k = 0; k < m->to * m->to; ++k)
            check_element(c, m, k / m->to, k % m->to, from, bias ? bias[channel] : 0,
                          y[k * ldy + channel], k * ldy + channel);
    }
    plx_case_gaps(c, m->to * m->to, c->n, ldy, y);
}

/* From pixels to planes. */
static void check_from_pixels(plx_case *c, transform m,
                              void (*run)(int64_t n, const plx_real *const *x, plx_real *y,
                                          int64_t ldy)) {
    const int64_t ldx = c->n + 3, ldy = c->n + 5;
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, m.from * m.from, c->n, ldx);
    plx_real *y = plx_case_blank_matrix(c, m.to * m.to, c->n, ldy);
    const plx_real *pixels[MOST];
    for (int k = 0; k < m.from * m.from; ++k) pixels[k] = x + k * ldx;
    run(c->n, pixels, y, ldy);
    check_both_sides(c, &m, x, ldx, NULL, y, ldy);
}

/* From planes to planes. */
static void check_planes(plx_case *c, transform m,
                         void (*run)(int64_t n, const plx_real *x, int64_t ldx, plx_real *y,
                                     int64_t ldy)) {
    const int64_t ldx = c->n + 3, ldy = c->n + 5;
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, m.from * m.from, c->n, ldx);
    plx_real *y = plx_case_blank_matrix(c, m.to * m.to, c->n, ldy);
    run(c->n, x, ldx, y, ldy);
    check_both_sides(c, &m, x, ldx, NULL, y, ldy);
}

void plx_case_of_winograd_input(plx_case *c) {
    check_from_pixels(c, input_transform(), c->k->winograd_input);
}

void plx_case_of_winograd_output_grad(plx_case *c) {
    check_from_pixels(c, output_transform(true), c->k->winograd_output_grad);
}

void plx_case_of_winograd_weights(plx_case *c) {
    check_planes(c, weights_transform(false), c->k->winograd_weights);
}

void plx_case_of_winograd_weights_grad(plx_case *c) {
    check_planes(c, weights_transform(true), c->k->winograd_weights_grad);
}

static void check_output(plx_case *c, bool with_bias) {
    const transform m = output_transform(false);
    const int64_t ldm = c->n + 3, ldy = c->n + 5;
    plx_case_again(c, with_bias ? "with a bias" : "");
    const plx_real *x = plx_case_matrix(c, MOST, c->n, ldm);
    const plx_real *bias = with_bias ? plx_case_filled(c, c->n, -2, 2) : NULL;
    plx_real *y = plx_case_blank_matrix(c, OUT * OUT, c->n, ldy);
    plx_real *pixels[OUT * OUT];
    for (int k = 0; k < OUT * OUT; ++k) pixels[k] = y + k * ldy;
    c->k->winograd_output(c->n, x, ldm, bias, pixels);
    check_both_sides(c, &m, x, ldm, bias, y, ldy);
}

/* A tile at an edge: pixels without a pointer are not written. */
static void check_cut_output(plx_case *c) {
    plx_case_again(c, "cut");
    const plx_real *x = plx_case_matrix(c, MOST, c->n, c->n);
    plx_real *whole = plx_case_blank_matrix(c, OUT * OUT, c->n, c->n);
    plx_real *y = plx_case_blank_matrix(c, OUT * OUT, c->n, c->n);
    plx_real *pixels[OUT * OUT];
    for (int k = 0; k < OUT * OUT; ++k) pixels[k] = whole + k * c->n;
    c->k->winograd_output(c->n, x, c->n, NULL, pixels);
    for (int k = 0; k < OUT * OUT; ++k)
        pixels[k] = k / OUT < 3 && k % OUT < 2 ? y + k * c->n : NULL;
    c->k->winograd_output(c->n, x, c->n, NULL, pixels);
    for (int k = 0; k < OUT * OUT; ++k)
        for (int64_t i = 0; i < c->n; ++i) {
            const int64_t at_element = k * c->n + i;
            if (pixels[k])
                plx_case_same(c, 1, y + at_element, whole + at_element);
            else if (!plx_guards_untouched(y + at_element))
                plx_case_near(c, at_element, y[at_element], (plx_wide)NAN, 0);
        }
}

void plx_case_of_winograd_output(plx_case *c) {
    check_output(c, false);
    check_output(c, true);
    check_cut_output(c);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void check_copy_rows(plx_case *c, int64_t m, int64_t n) {
    const int64_t ldx = n + 3, ldy = n + 5;
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, m, n, ldx);
    plx_real *y = plx_case_blank_matrix(c, m, n, ldy);
    c->k->copy_rows(m, n, x, ldx, y, ldy);
    for (int64_t i = 0; i < m; ++i) plx_case_same(c, n, y + i * ldy, x + i * ldx);
    plx_case_gaps(c, m, n, ldy, y);
}

void plx_case_of_copy_rows(plx_case *c) {
    check_copy_rows(c, 0, c->n);
    check_copy_rows(c, 5, c->n);
}

/* ---- Depthwise ------------------------------------------------------------------------------- */

enum { MOST_TAPS = 9 };

/* before + sum_p a[p * lda] b[p * ldb], p ascending from zero; first: the sum is added to
 * `before`. */
static void check_ordered(plx_case *c, int64_t place, plx_real y, int64_t count, const plx_real *a,
                          int64_t lda, const plx_real *b, int64_t ldb, const plx_real *before) {
    plx_real s = 0;
    plx_wide value = before ? (plx_wide)*before : 0, magnitude = fabs(value);
    for (int64_t p = 0; p < count; ++p) {
        const plx_real x = a[p * lda], z = b[p * ldb];
        s = c->k->fma ? fma(x, z, s) : x * z + s;
        value += (plx_wide)x * (plx_wide)z;
        magnitude += fabs((plx_wide)x * (plx_wide)z);
    }
    plx_case_equal(c, place, y, before ? *before + s : s);
    if (c->values == PLX_VALUES_NORMAL || c->values == PLX_VALUES_WHOLE)
        plx_case_near(c, place, y, value, (plx_wide)(count + 1) * PLX_EPS * magnitude);
}

/* m pixels of n channels; tap t reads pixel i * stride + t. */
static void check_depthwise(plx_case *c, int64_t m, int64_t n, int64_t taps, int64_t stride,
                            bool with_bias) {
    const int64_t pixels = (m > 0 ? (m - 1) * stride : 0) + taps, ldx = n + 3, ldw = n + 1;
    const int64_t ldy = n + 5;
    plx_case_again(c, with_bias ? "with a bias" : "");
    const plx_real *x = plx_case_matrix(c, pixels, n, ldx);
    const plx_real *w = plx_case_matrix(c, taps, n, ldw);
    const plx_real *bias = with_bias ? plx_case_filled(c, n, -2, 2) : NULL;
    plx_real *y = plx_case_blank_matrix(c, m, n, ldy);
    const plx_real *sources[MOST_TAPS], *weights[MOST_TAPS];
    for (int64_t t = 0; t < taps; ++t) {
        sources[t] = x + t * ldx;
        weights[t] = w + t * ldw;
    }
    c->k->depthwise(m, n, taps, sources, stride * ldx, weights, bias, y, ldy);
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j)
            check_ordered(c, i * ldy + j, y[i * ldy + j], taps, x + i * stride * ldx + j, ldx,
                          w + j, ldw, bias ? bias + j : NULL);
    plx_case_gaps(c, m, n, ldy, y);
}

static void check_depthwise_weights(plx_case *c, int64_t m, int64_t n, int64_t taps,
                                    int64_t stride) {
    const int64_t pixels = (m > 0 ? (m - 1) * stride : 0) + taps, ldx = n + 3, ldg = n + 1;
    const int64_t ldw = n + 5;
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, pixels, n, ldx);
    const plx_real *gy = plx_case_matrix(c, m, n, ldg);
    const plx_real *before = plx_case_matrix(c, taps, n, ldw);
    plx_real *w = plx_case_blank_matrix(c, taps, n, ldw);
    const plx_real *sources[MOST_TAPS];
    plx_real *weights[MOST_TAPS];
    for (int64_t t = 0; t < taps; ++t) {
        sources[t] = x + t * ldx;
        weights[t] = w + t * ldw;
        for (int64_t j = 0; j < n; ++j) weights[t][j] = before[t * ldw + j];
    }
    c->k->depthwise_weights(m, n, taps, sources, stride * ldx, gy, ldg, weights);
    for (int64_t t = 0; t < taps; ++t)
        for (int64_t j = 0; j < n; ++j)
            check_ordered(c, t * ldw + j, w[t * ldw + j], m, x + t * ldx + j, stride * ldx, gy + j,
                          ldg, before + t * ldw + j);
    plx_case_gaps(c, taps, n, ldw, w);
}

static const struct {
    int64_t pixels, taps, stride;
} rows[] = {{0, 3, 1}, {1, 9, 1}, {4, 3, 2}, {7, 4, 1}, {9, 0, 1}, {5, 7, 3}};

void plx_case_of_depthwise(plx_case *c) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
        for (int bias = 0; bias <= 1; ++bias)
            check_depthwise(c, rows[i].pixels, c->n, rows[i].taps, rows[i].stride, bias);
}

void plx_case_of_depthwise_weights(plx_case *c) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
        check_depthwise_weights(c, rows[i].pixels, c->n, rows[i].taps, rows[i].stride);
}
