/* The test of the tests: a table with one wrong kernel must not pass the walk. */
#include "kernels/kernel_case.h"

#include <string.h>

/* The table that wrong kernels are based on: they call its kernels and add a mistake. */
static const plx_kernels *right;

/* Four units in the last place, in one element only. */
static void wrong_tanh(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (right->tanh)(n, x, y, p);
    if (n > 0 && isfinite(y[n - 1])) y[n - 1] += 4 * (plx_real)plx_ulp((plx_wide)y[n - 1]);
}

/* Turns a NaN into a number. */
static void wrong_relu(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (void)p;
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] > 0 ? x[i] : 0;
}

/* Flushes numbers below the normal range to zero. */
static void wrong_exp(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (right->exp)(n, x, y, p);
    for (int64_t i = 0; i < n; ++i)
        if ((plx_wide)y[i] * PLX_EPS < PLX_TINY) y[i] = 0;
}

/* Drops the tail that does not fill a vector. */
static plx_real wrong_sum(int64_t n, const plx_real *x) {
    return right->sum(n / right->vl * right->vl - (right->vl == 1 && n > 1), x);
}

/* Does not write the last output. */
static void wrong_add(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                      plx_real *y) {
    right->add(n > 1 ? n - 1 : n, a, sa, b, sb, y);
}

/* Writes one output too many. */
static void wrong_scale(int64_t n, plx_real alpha, const plx_real *x, plx_real *y) {
    right->scale(n, alpha, x, y);
    y[n] = 0;
}

/* Wrong if the output is the first input. */
static void wrong_mul(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                      plx_real *y) {
    if (n > 0) y[0] = 0;
    right->mul(n, a, sa, b, sb, y);
}

/* Reads one row of b too many, past the end. */
static void wrong_gemm(int64_t kc, const plx_real *a, int64_t rsa, int64_t csa, const plx_real *b,
                       int64_t ldb, plx_real *c, int64_t ldc, int mr, int nr, bool accumulate) {
    right->gemm(kc, a, rsa, csa, b, ldb, c, ldc, mr, nr, accumulate);
    c[0] += 0 * b[kc * ldb];
}

/* Reads c, although it may hold NaN. */
static void wrong_gemm_reads(int64_t kc, const plx_real *a, int64_t rsa, int64_t csa,
                             const plx_real *b, int64_t ldb, plx_real *c, int64_t ldc, int mr,
                             int nr, bool accumulate) {
    if (!accumulate) c[0] *= 0;
    right->gemm(kc, a, rsa, csa, b, ldb, c, ldc, mr, nr, true);
}

/* Sums in another order: starts from c and goes up. */
static void wrong_gemv(int64_t k, int64_t n, const plx_real *x, int64_t incx, const plx_real *b,
                       int64_t ldb, plx_real *y, bool accumulate) {
    if (!accumulate)
        for (int64_t j = 0; j < n; ++j) y[j] = 0;
    for (int64_t p = 0; p < k; ++p)
        right->gemv(1, n, x + p * incx, incx, b + p * ldb, ldb, y, true);
}

/* Leaves out the last row. */
static void wrong_column_sum(int64_t m, int64_t n, const plx_real *x, int64_t ldx, plx_real *y) {
    right->column_sum(m > 1 ? m - 1 : m, n, x, ldx, y);
}

/* Drops the rounding errors that the sum should keep. */
static void wrong_two_sum(int64_t n, const plx_real *x, plx_real *sum, plx_real *error) {
    (void)error;
    right->add(n, sum, 1, x, 1, sum);
}

/* Does not subtract the maximum. */
static void wrong_softmax(int64_t n, const plx_real *x, plx_real *y) {
    (right->exp)(n, x, y, 0);
    right->scale(n, 1 / right->sum(n, y), y, y);
}

/* Leaves out the bias correction. */
static void wrong_adam(int64_t n, plx_real *p, const plx_real *g, plx_real *m, plx_real *v,
                       const plx__adam_step *step) {
    plx__adam_step other = *step;
    other.correction2 = 1;
    right->adam(n, p, g, m, v, &other);
}

/* Uses the direction of the old mean alone. */
static void wrong_lion(int64_t n, plx_real *p, const plx_real *g, plx_real *m,
                       const plx__lion_step *step) {
    plx__lion_step other = *step;
    other.beta1 = 1;
    right->lion(n, p, g, m, &other);
}

/* Adds epsilon inside the root. */
static void wrong_rmsprop(int64_t n, plx_real *p, const plx_real *g, plx_real *s, plx_real *b,
                          const plx__rmsprop_step *step) {
    plx__rmsprop_step other = *step;
    other.epsilon = (plx_real)sqrt((plx_wide)step->epsilon);
    right->rmsprop(n, p, g, s, b, &other);
}

/* Smoothing takes from the label, but gives to no class. */
static plx_real wrong_softmax_xent(int64_t n, const plx_real *x, int64_t label, plx_real smoothing,
                                   plx_real *saved) {
    return (1 - smoothing) * right->softmax_xent(n, x, label, 0, saved);
}

/* Shifts the mask by a word. */
static void wrong_dropout(int64_t n, const plx_real *x, plx_real *y, uint64_t key, uint64_t first,
                          uint32_t keep, plx_real scale) {
    right->dropout(n, x, y, key, first + 1, keep, scale);
}

/* Takes the mean of squares minus the square of the mean: no digits are left for a large mean. */
static void wrong_row_norm(int64_t n, const plx_real *x, const plx_real *scale,
                           const plx_real *shift, plx_real epsilon, bool centre, plx_real *y) {
    const plx_real mean = centre ? right->sum(n, x) / (plx_real)n : 0;
    const plx_real variance = right->sum_squares(n, x) / (plx_real)n - mean * mean;
    for (int64_t i = 0; i < n; ++i) {
        const plx_real z = (x[i] - mean) / (plx_real)sqrt((plx_wide)(variance + epsilon));
        y[i] = z * (scale ? scale[i] : 1) + (shift ? shift[i] : 0);
    }
}

/* Always subtracts the mean. */
static void wrong_row_norm_centre(int64_t n, const plx_real *x, const plx_real *scale,
                                  const plx_real *shift, plx_real epsilon, bool centre,
                                  plx_real *y) {
    (void)centre;
    right->row_norm(n, x, scale, shift, epsilon, true, y);
}

/* Does not accumulate gradients of the scale. */
static void wrong_row_norm_grad(int64_t n, const plx_real *x, const plx_real *gy,
                                const plx_real *scale, plx_real epsilon, bool centre, plx_real *gx,
                                plx_real *gscale, plx_real *gshift) {
    for (int64_t i = 0; gscale && i < n; ++i) gscale[i] = 0;
    right->row_norm_grad(n, x, gy, scale, epsilon, centre, gx, gscale, gshift);
}

/* Leaves the scale out of gx. */
static void wrong_row_norm_grad_scale(int64_t n, const plx_real *x, const plx_real *gy,
                                      const plx_real *scale, plx_real epsilon, bool centre,
                                      plx_real *gx, plx_real *gscale, plx_real *gshift) {
    (void)scale;
    right->row_norm_grad(n, x, gy, NULL, epsilon, centre, gx, gscale, gshift);
}

/* Leaves out the last row. */
static void wrong_column_moment(int64_t m, int64_t n, const plx_real *x, const plx_real *z,
                                int64_t ld, const plx_real *centre, plx_real *y) {
    right->column_moment(m > 1 ? m - 1 : m, n, x, z, ld, centre, y);
}

/* Does not subtract the mean. */
static void wrong_channel_norm(int64_t m, int64_t n, const plx_real *x, const plx_real *centre,
                               const plx_real *factor, const plx_real *shift, plx_real *y) {
    (void)centre;
    for (int64_t i = 0; i < m * n; ++i) y[i] = x[i] * factor[i % n] + shift[i % n];
}

/* Uses the factor in place of the slope. */
static void wrong_channel_norm_grad(int64_t m, int64_t n, const plx_real *x, const plx_real *gy,
                                    const plx_real *centre, const plx_real *factor,
                                    const plx_real *slope, const plx_real *offset, plx_real *gx) {
    right->channel_norm_grad(m, n, x, gy, centre, slope, factor, offset, gx);
}

/* A NaN loses against a number. */
static void wrong_pool_max(int64_t count, int64_t n, int64_t rows, int64_t columns,
                           const plx_real *x, int64_t row, int64_t column, int64_t step,
                           plx_real *y) {
    right->pool_max(count, n, rows, columns, x, row, column, step, y);
    for (int64_t i = 0; i < count * n; ++i)
        if (isnan(y[i])) y[i] = 0;
}

/* Writes rows that belong to another piece too. */
static void wrong_pool_max_grad(int64_t count, int64_t n, int64_t rows, int64_t columns,
                                const plx_real *x, int64_t row, int64_t column, int64_t step,
                                const plx_real *gy, int64_t first, int64_t end, plx_real *gx) {
    (void)first;
    right->pool_max_grad(count, n, rows, columns, x, row, column, step, gy, 0, end, gx);
}

/* Leaves out the last pixel of a row. */
static void wrong_pool_sum(int64_t count, int64_t n, int64_t rows, int64_t columns,
                           const plx_real *x, int64_t row, int64_t column, int64_t step,
                           plx_real factor, plx_real *y) {
    right->pool_sum(count, n, rows, columns - (columns > 1), x, row, column, step, factor, y);
}

static void wrong_pool_spread(int64_t count, int64_t n, int64_t rows, int64_t columns,
                              const plx_real *gy, int64_t row, int64_t column, int64_t step,
                              plx_real factor, plx_real *gx) {
    right->pool_spread(count, n, rows, columns - (columns > 1), gy, row, column, step, factor, gx);
}

/* Swaps the weights. */
static void wrong_blend(int64_t n, plx_real alpha, const plx_real *x, plx_real beta,
                        const plx_real *z, plx_real *y) {
    right->blend(n, beta, x, alpha, z, y);
}

/* Leaves out the last tap. */
static void wrong_depthwise(int64_t m, int64_t n, int64_t taps, const plx_real *const *x,
                            int64_t step, const plx_real *const *w, const plx_real *bias,
                            plx_real *y, int64_t ldy) {
    right->depthwise(m, n, taps > 0 ? taps - 1 : 0, x, step, w, bias, y, ldy);
}

/* Swaps two pixels of a tile. */
static void wrong_winograd_input(int64_t n, const plx_real *const *x, plx_real *v, int64_t ldv) {
    const plx_real *pixels[36];
    for (int k = 0; k < 36; ++k) pixels[k] = x[k];
    pixels[7] = x[8];
    pixels[8] = x[7];
    right->winograd_input(n, pixels, v, ldv);
}

/* Writes pixels beyond the edge too. */
static void wrong_winograd_output(int64_t n, const plx_real *m, int64_t ldm, const plx_real *bias,
                                  plx_real *const *y) {
    plx_real *pixels[16];
    for (int k = 0; k < 16; ++k) pixels[k] = y[k] ? y[k] : y[0] + k * n;
    right->winograd_output(n, m, ldm, bias, pixels);
}

static int failures_of(plx_check *t, const plx_kernels *k, const char *kernel) {
    plx_check walk = {.group = t->group, .quiet = true};
    plx_walk_kernels(&walk, k, kernel, false);
    CHECK(t, walk.checks > 0, "there is no kernel %s", kernel);
    return walk.failures;
}

#define WRONG(member, function)                                                                    \
    do {                                                                                           \
        plx_kernels table = *right;                                                                \
        CHECK(t, !failures_of(t, &table, #member), "%s: %s fails without a mistake", right->name,  \
              #member);                                                                            \
        table.member = function;                                                                   \
        CHECK(t, failures_of(t, &table, #member), "%s: %s passes with a mistake", right->name,     \
              #function);                                                                          \
    } while (0)

void plx_test_kernels_wrong(plx_check *t) {
    right = plx_walk_table(0);
    WRONG(tanh, wrong_tanh);
    WRONG(relu, wrong_relu);
    WRONG(exp, wrong_exp);
    WRONG(sum, wrong_sum);
    WRONG(add, wrong_add);
    WRONG(scale, wrong_scale);
    WRONG(mul, wrong_mul);
    WRONG(gemm, wrong_gemm);
    WRONG(gemm, wrong_gemm_reads);
    WRONG(gemv, wrong_gemv);
    WRONG(column_sum, wrong_column_sum);
    WRONG(two_sum, wrong_two_sum);
    WRONG(softmax, wrong_softmax);
    WRONG(row_norm, wrong_row_norm);
    WRONG(row_norm, wrong_row_norm_centre);
    WRONG(row_norm_grad, wrong_row_norm_grad);
    WRONG(row_norm_grad, wrong_row_norm_grad_scale);
    WRONG(column_moment, wrong_column_moment);
    WRONG(channel_norm, wrong_channel_norm);
    WRONG(channel_norm_grad, wrong_channel_norm_grad);
    WRONG(pool_max, wrong_pool_max);
    WRONG(pool_max_grad, wrong_pool_max_grad);
    WRONG(pool_sum, wrong_pool_sum);
    WRONG(pool_spread, wrong_pool_spread);
    WRONG(blend, wrong_blend);
    WRONG(adam, wrong_adam);
    WRONG(lion, wrong_lion);
    WRONG(rmsprop, wrong_rmsprop);
    WRONG(softmax_xent, wrong_softmax_xent);
    WRONG(dropout, wrong_dropout);
    WRONG(depthwise, wrong_depthwise);
    WRONG(winograd_input, wrong_winograd_input);
    WRONG(winograd_output, wrong_winograd_output);
}
