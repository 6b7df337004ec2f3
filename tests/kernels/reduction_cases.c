/* Sums, maxima and kernels built on them. Sums are off by at most plx_sum_roundings(n) EPS
 * sum|terms|, which kernels.def promises; with whole numbers they are exact, so that a missing term
 * cannot hide in the bound. */
#include "kernels/kernel_case.h"

#include <stdio.h>

typedef struct sum {
    plx_wide value, magnitude;
} sum;

static void add_term(sum *s, plx_wide term) {
    s->value += term;
    s->magnitude += fabs(term);
}

/* Checks the sum of n terms with `roundings` half-EPS roundings in each. Beyond the largest
 * number the order decides what overflows, so no bound holds. */
static void check_sum(plx_case *c, plx_real y, int64_t n, sum s, int roundings) {
    const plx_wide bound = (plx_sum_roundings(n) + (plx_wide)roundings) * PLX_EPS * s.magnitude;
    if (isfinite(s.magnitude) && s.magnitude > PLX_LARGEST)
        plx_case_any(c, y);
    else if (c->values == PLX_VALUES_WHOLE)
        plx_case_near(c, 0, y, s.value, 0);
    else
        plx_case_near(c, 0, y, s.value, bound + (plx_wide)n * PLX_TINY);
}

/* Includes lengths around a power of two, where a sum may be split. */
static const int64_t *lengths(plx_case *c, int *count) {
    static const int64_t many[] = {1000, 1023, 1024, 1025, 2049, 5000};
    *count = c->n == 1000 ? (int)(sizeof many / sizeof many[0]) : 1;
    return c->n == 1000 ? many : &c->n;
}

#define TERMS(expression)                                                                          \
    sum s = {0, 0};                                                                                \
    for (int64_t i = 0; i < n; ++i) add_term(&s, expression)

void plx_case_of_sum(plx_case *c) {
    int count;
    const int64_t *ns = lengths(c, &count);
    for (int l = 0; l < count; ++l) {
        const int64_t n = ns[l];
        plx_case_again(c, "");
        const plx_real *x = plx_case_filled(c, n, -9, 9);
        TERMS((plx_wide)x[i]);
        check_sum(c, c->k->sum(n, x), n, s, 0);
    }
}

void plx_case_of_sum_squares(plx_case *c) {
    int count;
    const int64_t *ns = lengths(c, &count);
    for (int l = 0; l < count; ++l) {
        const int64_t n = ns[l];
        plx_case_again(c, "");
        const plx_real *x = plx_case_filled(c, n, -9, 9);
        TERMS((plx_wide)x[i] * (plx_wide)x[i]);
        check_sum(c, c->k->sum_squares(n, x), n, s, 1);
    }
}

void plx_case_of_sum_squared_difference(plx_case *c) {
    int count;
    const int64_t *ns = lengths(c, &count);
    for (int l = 0; l < count; ++l) {
        const int64_t n = ns[l];
        plx_case_again(c, "");
        const plx_real *a = plx_case_filled(c, n, -9, 9), *b = plx_case_filled(c, n, -9, 9);
        TERMS(((plx_wide)a[i] - (plx_wide)b[i]) * ((plx_wide)a[i] - (plx_wide)b[i]));
        check_sum(c, c->k->sum_squared_difference(n, a, b), n, s, 3);
    }
}

void plx_case_of_dot(plx_case *c) {
    int count;
    const int64_t *ns = lengths(c, &count);
    for (int l = 0; l < count; ++l) {
        const int64_t n = ns[l];
        plx_case_again(c, "");
        const plx_real *a = plx_case_filled(c, n, -9, 9), *b = plx_case_filled(c, n, -9, 9);
        TERMS((plx_wide)a[i] * (plx_wide)b[i]);
        check_sum(c, c->k->dot(n, a, b), n, s, 1);
    }
}

static plx_real maximum(int64_t n, const plx_real *x) {
    plx_real best = -(plx_real)INFINITY;
    for (int64_t i = 0; i < n; ++i)
        if (x[i] > best || isnan(x[i])) best = x[i];
    for (int64_t i = 0; i < n; ++i)
        if (isnan(x[i])) return x[i];
    return best;
}

/* The maximum in every place, so that none is skipped. */
void plx_case_of_maximum(plx_case *c) {
    plx_case_again(c, "");
    plx_real *x = plx_case_filled(c, c->n, -9, 9);
    plx_case_equal(c, 0, c->k->maximum(c->n, x), maximum(c->n, x));
    for (int64_t i = 0; i < c->n && c->n < 100; ++i) {
        const plx_real kept = x[i];
        x[i] = (plx_real)(i % 2 ? NAN : INFINITY);
        plx_case_equal(c, i, c->k->maximum(c->n, x), maximum(c->n, x));
        x[i] = kept;
    }
}

void plx_case_of_two_sum(plx_case *c) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, n, -9, 9), *before = plx_case_filled(c, n, -9, 9);
    plx_real *s = plx_case_copy(c, n, before), *error = plx_case_blank(c, n);
    for (int64_t i = 0; i < n; ++i) error[i] = 0;
    c->k->two_sum(n, x, s, error);
    for (int64_t i = 0; i < n; ++i) {
        const plx_real rounded = before[i] + x[i];
        plx_case_equal(c, i, s[i], rounded);
        /* Exact if the larger number comes first (Dekker, 1971). */
        const bool is_larger = fabs(before[i]) >= fabs(x[i]);
        const plx_real large = is_larger ? before[i] : x[i], small = is_larger ? x[i] : before[i];
        plx_case_equal(c, i, error[i], isfinite(rounded) ? small - (rounded - large) : 0);
    }
}

/* One column against its sum in the wider type. */
static void check_column(plx_case *c, int64_t j, plx_real y, int64_t m, const plx_real *x,
                         int64_t ldx) {
    const int64_t n = m;
    TERMS((plx_wide)x[i * ldx]);
    if (isfinite(s.magnitude) && s.magnitude > PLX_LARGEST)
        plx_case_any(c, y);
    else if (c->values == PLX_VALUES_WHOLE)
        plx_case_near(c, j, y, s.value, 0);
    else
        plx_case_near(c, j, y, s.value,
                      plx_sum_roundings(m) * PLX_EPS * s.magnitude + (plx_wide)m * PLX_TINY);
}

static void check_columns(plx_case *c, int64_t m, int64_t n, int64_t ldx) {
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, m, n, ldx);
    plx_real *y = plx_case_blank(c, n);
    c->k->column_sum(m, n, x, ldx, y);
    for (int64_t j = 0; j < n; ++j) check_column(c, j, y[j], m, x + j, ldx);
}

void plx_case_of_column_sum(plx_case *c) {
    static const int64_t rows[] = {0, 1, 63, 64, 65, 130};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; ++r)
        if (c->n != 1000 || rows[r] <= 1 || rows[r] == 65)
            check_columns(c, rows[r], c->n, c->n + 3);
    /* Few columns without gaps: many rows together are handled as one of whole vectors. */
    for (int64_t n = 1; c->n == 1000 && n < 70; n = n < 5 ? n + 1 : n * 3 / 2)
        for (int64_t m = 511; m < 600; m += 41) check_columns(c, m, n, n);
}

/* ---- Softmax --------------------------------------------------------------------------------- */

/* Of a row of logits: log sum exp(x - top). A term exp(x - top) is off by 1 ULP and by EPS / 2
 * times its own argument, which the term itself outweighs: 2 EPS sum in all. */
typedef struct row {
    plx_wide top, sum, log_sum, log_sum_bound;
} row;

static row row_of(int64_t n, const plx_real *x) {
    row r = {.top = (plx_wide)maximum(n, x)};
    for (int64_t i = 0; i < n; ++i) r.sum += exp((plx_wide)x[i] - r.top);
    r.log_sum = log(r.sum);
    r.log_sum_bound = PLX_EPS * (plx_sum_roundings(n) + 3 + fabs(r.log_sum));
    return r;
}

static plx_wide softmax_of(const row *r, plx_real x) {
    return exp((plx_wide)x - r->top) / r->sum;
}

/* Logits far below the top lose digits: half an EPS of their distance from it. */
static plx_wide softmax_bound(const row *r, int64_t n, plx_real x, plx_wide value) {
    const plx_wide far = fmin(r->top - (plx_wide)x, (plx_wide)1000);
    return PLX_EPS * value * (far + plx_sum_roundings(n) + 6) + 2 * PLX_TINY;
}

void plx_case_of_softmax(plx_case *c) {
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, c->n, -9, 9);
    plx_real *y = plx_case_blank(c, c->n);
    c->k->softmax(c->n, x, y);
    const row r = row_of(c->n, x);
    for (int64_t i = 0; i < c->n; ++i) {
        const plx_wide value = softmax_of(&r, x[i]);
        plx_case_near(c, i, y[i], value, softmax_bound(&r, c->n, x[i], value));
    }
    plx_real *z = plx_case_copy(c, c->n, x);
    c->variant = "in place";
    c->k->softmax(c->n, z, z);
    plx_case_same(c, c->n, z, y);
}

static plx_wide log_softmax_bound(const row *r, plx_real x, plx_wide value) {
    return r->log_sum_bound + PLX_EPS * (r->top - (plx_wide)x + fabs(value));
}

void plx_case_of_log_softmax(plx_case *c) {
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, c->n, -9, 9);
    plx_real *y = plx_case_blank(c, c->n);
    c->k->log_softmax(c->n, x, y);
    const row r = row_of(c->n, x);
    for (int64_t i = 0; i < c->n; ++i) {
        const plx_wide value = (plx_wide)x[i] - r.top - r.log_sum;
        plx_case_near(c, i, y[i], value, log_softmax_bound(&r, x[i], value));
    }
    plx_real *z = plx_case_copy(c, c->n, x);
    c->variant = "in place";
    c->k->log_softmax(c->n, z, z);
    plx_case_same(c, c->n, z, y);
}

typedef void (*row_gradient)(int64_t n, const plx_real *y, const plx_real *gy, plx_real *gx);

static void check_in_place(plx_case *c, row_gradient run, const plx_real *y, const plx_real *g,
                           const plx_real *expected) {
    plx_real *z = plx_case_copy(c, c->n, g);
    c->variant = "in place of gy";
    run(c->n, y, z, z);
    plx_case_same(c, c->n, z, expected);
    z = plx_case_copy(c, c->n, y);
    c->variant = "in place of y";
    run(c->n, z, g, z);
    plx_case_same(c, c->n, z, expected);
}

/* gx = y (gy - sum y gy), y being probabilities. */
void plx_case_of_softmax_grad(plx_case *c) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *g = plx_case_filled(c, n, -2, 2);
    if (c->values == PLX_VALUES_HUGE) c->values = PLX_VALUES_NORMAL;
    const plx_real *y = plx_case_filled(c, n, 0, 1);
    plx_real *gx = plx_case_blank(c, n);
    c->k->softmax_grad(n, y, g, gx);
    TERMS((plx_wide)y[i] * (plx_wide)g[i]);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide value = (plx_wide)y[i] * ((plx_wide)g[i] - s.value);
        const plx_wide bound =
            (plx_sum_roundings(n) + 1) * PLX_EPS * s.magnitude + (plx_wide)(n + 1) * PLX_TINY;
        if (isfinite(s.magnitude) && s.magnitude > PLX_LARGEST / 2)
            plx_case_any(c, gx[i]);
        else
            plx_case_near(c, i, gx[i], value,
                          fabs((plx_wide)y[i]) * (bound + PLX_EPS * fabs((plx_wide)g[i])) +
                              PLX_EPS * fabs(value) + PLX_TINY);
    }
    check_in_place(c, c->k->softmax_grad, y, g, gx);
}

/* gx = gy - exp(y) sum gy, y being logarithms of probabilities. */
void plx_case_of_log_softmax_grad(plx_case *c) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *g = plx_case_filled(c, n, -2, 2);
    if (c->values == PLX_VALUES_HUGE) c->values = PLX_VALUES_NORMAL;
    const plx_real *y = plx_case_filled(c, n, -9, 0);
    plx_real *gx = plx_case_blank(c, n);
    c->k->log_softmax_grad(n, y, g, gx);
    TERMS((plx_wide)g[i]);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide p = exp((plx_wide)y[i]), value = (plx_wide)g[i] - p * s.value;
        const plx_wide bound = (plx_sum_roundings(n) + 2) * PLX_EPS * s.magnitude;
        if (isfinite(s.magnitude) && s.magnitude > PLX_LARGEST / 2)
            plx_case_any(c, gx[i]);
        else
            plx_case_near(c, i, gx[i], value, p * bound + PLX_EPS * fabs(value) + PLX_TINY);
    }
    check_in_place(c, c->k->log_softmax_grad, y, g, gx);
}

/* Label smoothing: none, and some. */
static const plx_real smoothings[] = {0, (plx_real)0.125f};

/* The mean of a row of logits (0 without smoothing, which does not need it), and the error bound
 * of a sum of n terms. */
static plx_wide mean_of(const plx_case *c, const plx_real *x, plx_wide *error) {
    plx_wide mean = 0, magnitude = 0;
    for (int64_t i = 0; i < c->n; ++i) {
        mean += (plx_wide)x[i] / (plx_wide)c->n;
        magnitude += fabs((plx_wide)x[i]) / (plx_wide)c->n;
    }
    *error = (plx_sum_roundings(c->n) + 2) * PLX_EPS * magnitude;
    return mean;
}

static void check_xent(plx_case *c, int64_t label, plx_real smoothing) {
    plx_case_again(c, smoothing > 0 ? "smoothing" : "");
    const plx_real *x = plx_case_filled(c, c->n, -9, 9);
    const plx_real loss = c->k->softmax_xent(c->n, x, label, smoothing, NULL), at = x[label];
    const row r = row_of(c->n, x);
    const plx_wide own = r.log_sum - ((plx_wide)at - r.top), s = (plx_wide)smoothing;
    if (!(smoothing > 0)) {
        plx_case_near(c, label, loss, own, log_softmax_bound(&r, at, own));
        return;
    }
    plx_wide mean_error = 0;
    const plx_wide even = mean_of(c, x, &mean_error) - r.top;
    const plx_wide value = r.log_sum - ((1 - s) * ((plx_wide)at - r.top) + s * even);
    const plx_wide met = fabs(r.log_sum) + fabs((plx_wide)at - r.top) + fabs(even) + fabs(r.top);
    /* Sums of huge logits overflow, though their mean does not. */
    const bool overflows = isfinite(value) && met * (plx_wide)c->n > PLX_LARGEST / 2;
    if (overflows)
        plx_case_any(c, loss);
    else
        plx_case_near(c, label, loss, value,
                      log_softmax_bound(&r, at, own) + s * mean_error + 6 * PLX_EPS * met +
                          PLX_TINY);
}

void plx_case_of_softmax_xent(plx_case *c) {
    const int64_t labels[] = {0, c->n / 2, c->n - 1};
    for (int l = 0; l < 6 && c->n > 0; ++l) check_xent(c, labels[l % 3], smoothings[l / 3]);
}

static void check_xent_grad(plx_case *c, int64_t label, plx_real smoothing) {
    const plx_real scale = (plx_real)0.3f;
    plx_case_again(c, smoothing > 0 ? "smoothing" : "");
    const plx_real *x = plx_case_filled(c, c->n, -9, 9);
    plx_real *gx = plx_case_blank(c, c->n);
    c->k->softmax_xent_grad(c->n, x, label, smoothing, scale, NULL, gx);
    const row r = row_of(c->n, x);
    const plx_wide even = (plx_wide)smoothing / (plx_wide)c->n;
    for (int64_t i = 0; i < c->n; ++i) {
        const plx_wide p = softmax_of(&r, x[i]);
        const plx_wide target = even + (i == label ? 1 - (plx_wide)smoothing : 0);
        const plx_wide value = p - target;
        const plx_wide bound = softmax_bound(&r, c->n, x[i], p) + 2 * PLX_EPS * fabs(value) +
                               (smoothing > 0 ? 2 * PLX_EPS * (p + target) : 0);
        plx_case_near(c, i, gx[i], (plx_wide)scale * value, (plx_wide)scale * bound + PLX_TINY);
    }
    plx_real *z = plx_case_copy(c, c->n, x);
    c->variant = "in place";
    c->k->softmax_xent_grad(c->n, z, label, smoothing, scale, NULL, z);
    plx_case_same(c, c->n, z, gx);
    plx_real *again = plx_case_copy(c, c->n, x), *saved = plx_case_blank(c, 2);
    c->variant = "with what the loss saved";
    c->k->softmax_xent(c->n, again, label, smoothing, saved);
    c->k->softmax_xent_grad(c->n, again, label, smoothing, scale, saved, again);
    plx_case_same(c, c->n, again, gx);
}

void plx_case_of_softmax_xent_grad(plx_case *c) {
    const int64_t labels[] = {0, c->n / 2, c->n - 1};
    for (int l = 0; l < 6 && c->n > 0; ++l) check_xent_grad(c, labels[l % 3], smoothings[l / 3]);
}
