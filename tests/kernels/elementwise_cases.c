/* Functions of one and two values. */
#include "kernels/kernel_case.h"

#include <stdio.h>
#include <string.h>

typedef struct expected {
    plx_wide value, bound;
} expected;

/* What rounding to zero below the smallest number costs, when it happens before a product with g or
 * with x. */
static plx_wide lost(plx_wide x, plx_wide g) {
    return PLX_TINY * (2 + 2 * fabs(g)) * (1 + fmin(fabs(x), (plx_wide)120));
}

/* In double the exponential of the library overflows where its reciprocal is below the normal
 * range. */
static plx_wide lost_in_double(void) {
    return PLX_IS_DOUBLE ? (plx_wide)DBL_MIN : 0;
}

static plx_wide logistic(plx_wide x) {
    return 1 / (1 + exp(-x));
}

static plx_wide normal(plx_wide x) {
    return erfc(-x * sqrt((plx_wide)0.5)) / 2;
}

static plx_wide density(plx_wide x) {
    return exp(-x * x / 2) * (plx_wide)0.39894228040143267793994605993438L;
}

/* The argument of the sigmoid in GELU's tanh form: 2 sqrt(2 / pi) (x + 0.044715 x^3). */
static plx_wide tanh_form(plx_wide x) {
    return (plx_wide)1.59576912160573071175978423973752747L * (x + (plx_wide)0.044715L * x * x * x);
}

static plx_wide tanh_form_slope(plx_wide x) {
    return (plx_wide)1.59576912160573071175978423973752747L *
           (1 + (plx_wide)(3 * 0.044715L) * x * x);
}

/* Where x stops to matter in x (1 - logistic(x)), which is then below the last place of 1. */
static plx_wide until(plx_wide x, plx_wide end) {
    return x > end ? end : fabs(x);
}

/* clang-format would break the tables. */
// clang-format off

/* name, value of x and parameter p, bound on the error. ulp: of the value. In the bounds of
 * composed functions each factor's error is multiplied by the other factor: the sigmoid's is 2 ULP,
 * the normal distribution's 2 EPS, absolute, and 1e-4 relative below zero. */
#define EPS PLX_EPS
#define FORWARD_TABLE(ROW)                                                                         \
    ROW(relu,       x < 0 ? 0 : x,               0)                                                \
    ROW(leaky_relu, x > 0 ? x : p * x,           ulp * HALF)                                       \
    ROW(elu,        x > 0 ? x : p * expm1(x),    fabs(p) * elu_bound(x) + ulp)                     \
    ROW(silu,       x * logistic(x),             fabs(x) * 2 * plx_ulp(logistic(x)) + ulp          \
                                                     + fabs(x) * lost_in_double())                 \
    ROW(gelu,       x * normal(x),               fmin(fabs(x) * 2 * EPS, gelu_tail(x, v)) + ulp)   \
    ROW(gelu_tanh,  x * logistic(tanh_form(x)),  gelu_tanh_bound(x) + ulp                          \
                                                     + fabs(x) * lost_in_double())                 \
    ROW(sigmoid,    logistic(x),                 2 * ulp + lost_in_double())                       \
    ROW(tanh,       tanh(x),                     2 * ulp)                                          \
    ROW(exp,        exp(x),                      ulp)                                              \
    ROW(log,        log(x),                      ulp)                                              \
    ROW(sqrt,       sqrt(x),                     ulp * HALF)                                       \
    ROW(square,     x * x,                       ulp * HALF)                                       \
    ROW(abs,        fabs(x),                     0)                                                \
    ROW(erf,        erf(x),                      2 * ulp)

/* name, range of x or y (what unary.def says it is made from; also for special values), gradient
 * for gy = g, bound. A chain of k roundings costs k EPS / 2, relative to the largest value in it. */
#define BACKWARD_TABLE(ROW)                                                                        \
    ROW(relu,       -20,  20, x > 0 ? g : 0,              0)                                       \
    ROW(leaky_relu, -20,  20, x > 0 ? g : p * g,          ulp * HALF)                              \
    ROW(elu,         -1,  20, x > 0 ? g : g * (x + p),    EPS * fabs(v) + lost(x, g))              \
    ROW(silu,       -20,  20, g * logistic(x) * (1 + x * logistic(-x)),                            \
                              4 * EPS * fabs(g) * (x < 0 ? logistic(x) : 1) * (1 + until(x, 20))   \
                                  + lost(x, g))                                                    \
    ROW(gelu,       -20,  20, g * (normal(x) + x * density(x)),                                    \
                              EPS * fabs(g) * (3 + fabs(x) * density(x) * (x * x + 4))             \
                                  + lost(x, g))                                                    \
    ROW(gelu_tanh,  -20,  20, g * gelu_tanh_slope(x),     fabs(g) * gelu_tanh_slope_bound(x)       \
                                                              + lost(x, g))                        \
    ROW(sigmoid,      0,   1, g * (x * (1 - x)),          2 * EPS * fabs(v) + lost(x, g))          \
    ROW(tanh,        -1,   1, g * (1 - x * x),            EPS * fabs(g) * (1 + x * x) + lost(x, g)) \
    ROW(exp,          0,  20, g * x,                      ulp * HALF)                              \
    ROW(log,        -20,  20, g / x,                      ulp)                                     \
    ROW(sqrt,         0,  20, g / (2 * x),                2 * ulp + lost(x, g) / fmin(x, 1))       \
    ROW(square,     -20,  20, 2 * x * g,                  ulp + lost(x, g))                        \
    ROW(abs,        -20,  20, x > 0 ? g : x < 0 ? -g : 0, 0)                                       \
    ROW(erf,        -20,  20, g * exp(-x * x) * TWO_OVER_ROOT_PI,                                  \
                              EPS * fabs(v) * (x * x + 4) + lost(x, g))
// clang-format on

/* Half a unit, and what the wider reference is off by itself. */
#define HALF ((plx_wide)0.501)
#define TWO_OVER_ROOT_PI ((plx_wide)1.12837916709551257389615890312154517L)

/* Of exp(x) - 1 where x is not above zero. */
static plx_wide elu_bound(plx_wide x) {
    return plx_ulp(exp(fmin(x, 0))) + plx_ulp(expm1(fmin(x, 0))) / 2;
}

static plx_wide gelu_tail(plx_wide x, plx_wide v) {
    return x < 0 && !PLX_IS_DOUBLE ? (plx_wide)1e-4 * fabs(v) + lost(x, 1) : (plx_wide)INFINITY;
}

/* z = tanh_form(x) takes six roundings. */
static plx_wide gelu_tanh_bound(plx_wide x) {
    const plx_wide z = tanh_form(x), s = logistic(z);
    return fabs(x) * (2 * plx_ulp(s) + s * logistic(-z) * 3 * PLX_EPS * until(z, 20));
}

static plx_wide gelu_tanh_slope(plx_wide x) {
    const plx_wide z = tanh_form(x);
    const plx_wide rest = x * logistic(-z);
    return logistic(z) * (1 + (rest == 0 ? 0 : rest * tanh_form_slope(x)));
}

static plx_wide gelu_tanh_slope_bound(plx_wide x) {
    const plx_wide m = until(x, 6), z = until(tanh_form(x), 20);
    const plx_wide s = x < 0 ? logistic(tanh_form(x)) : 1;
    const plx_wide inner = tanh_form_slope(x < 0 ? -until(-x, 20) : m);
    return 4 * PLX_EPS * s * (1 + (1 + z) * (1 + m * inner)) + lost(x, inner);
}

/* ---- One value ------------------------------------------------------------------------------- */

#define ROW(name, value_of_x, bound_of_x)                                                          \
    static expected forward_##name(plx_wide x, plx_wide p) {                                       \
        (void)p;                                                                                   \
        const plx_wide v = value_of_x;                                                             \
        const plx_wide ulp = plx_ulp(v);                                                           \
        (void)ulp;                                                                                 \
        return (expected){v, bound_of_x};                                                          \
    }
FORWARD_TABLE(ROW)
#undef ROW

#define ROW(name, low, high, value_of_x, bound_of_x)                                               \
    static const double range_##name[2] = {low, high};                                             \
    static expected backward_##name(plx_wide x, plx_wide g, plx_wide p) {                          \
        (void)p;                                                                                   \
        const plx_wide v = value_of_x;                                                             \
        const plx_wide ulp = plx_ulp(v);                                                           \
        (void)ulp;                                                                                 \
        return (expected){v, bound_of_x};                                                          \
    }
BACKWARD_TABLE(ROW)
#undef ROW

typedef void (*forward_kernel)(int64_t n, const plx_real *x, plx_real *y, plx_real p);
typedef void (*backward_kernel)(int64_t n, const plx_real *xy, const plx_real *gy, plx_real *gx,
                                plx_real p);

static const plx_real parameter = (plx_real)0.3125;

/* An infinite x or g may meet a zero, exact or rounded, and a g below the normal range may round to
 * zero and meet an infinity: then the limit and NaN both will do. */
static void check_value(plx_case *c, int64_t i, plx_real x, plx_real g, plx_real y, expected e) {
    const bool tiny = fabs((plx_wide)g) * PLX_EPS < PLX_TINY && isinf(e.value);
    if ((isinf(x) && isnan(e.value)) || ((isinf(g) || tiny) && isnan(y)))
        plx_case_any(c, y);
    else
        plx_case_near(c, i, y, e.value, e.bound);
}

/* Runs forward on x, a block of the case, apart and in place. */
static void run_forward(plx_case *c, forward_kernel run, expected (*reference)(plx_wide, plx_wide),
                        const plx_real *x, int64_t n) {
    plx_real *y = plx_case_blank(c, n);
    run(n, x, y, parameter);
    for (int64_t i = 0; i < n; ++i)
        check_value(c, i, x[i], 1, y[i], reference((plx_wide)x[i], (plx_wide)parameter));
    plx_real *z = plx_case_copy(c, n, x);
    c->variant = "in place";
    run(n, z, z, parameter);
    plx_case_same(c, n, z, y);
}

/* A float of these bits; in double the pattern is spread over all exponents as well. */
static plx_real from_pattern(uint32_t pattern) {
    plx_real x;
    const uint64_t wide = (uint64_t)pattern << 32 | pattern;
    if (PLX_IS_DOUBLE)
        memcpy(&x, &wide, sizeof x);
    else
        memcpy(&x, &pattern, sizeof x);
    return x;
}

/* Every 2^18th number of all there are, and the common range densely. */
static void check_all_numbers(plx_case *c, forward_kernel run,
                              expected (*reference)(plx_wide, plx_wide)) {
    enum { BLOCK = 1024, BLOCKS = 16 };
    /* The last two: where exp is below the normal range in float and in double. */
    static const double ranges[][2] = {{-20, 20},     {-2, 2},     {0.5, 2},
                                       {-0.01, 0.01}, {-104, -87}, {-745, -708}};
    for (int block = 0; block < BLOCKS; ++block) {
        plx_case_again(c, "all numbers");
        plx_real *x = plx_case_blank(c, BLOCK);
        for (uint32_t i = 0; i < BLOCK; ++i)
            x[i] = from_pattern((((uint32_t)block * BLOCK + i) << 18) + i * 77);
        run_forward(c, run, reference, x, BLOCK);
    }
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; ++r) {
        plx_case_again(c, "common range");
        const plx_real *x = plx_case_filled(c, BLOCK, ranges[r][0], ranges[r][1]);
        run_forward(c, run, reference, x, BLOCK);
    }
}

static void check_forward(plx_case *c, forward_kernel run,
                          expected (*reference)(plx_wide, plx_wide)) {
    if (c->n == 1000 && c->values == PLX_VALUES_NORMAL) check_all_numbers(c, run, reference);
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, c->n, -4, 4);
    run_forward(c, run, reference, x, c->n);
}

static void check_backward(plx_case *c, backward_kernel run, const double range[2],
                           expected (*reference)(plx_wide, plx_wide, plx_wide)) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    plx_real *x = plx_case_filled(c, n, range[0], range[1]);
    for (int64_t i = 0; i < n; ++i)
        if ((double)x[i] < range[0] && range[0] > -20) x[i] = (plx_real)range[0];
    for (int64_t i = 0; i < n; ++i)
        if ((double)x[i] > range[1] && range[1] < 20) x[i] = (plx_real)range[1];
    if (c->values == PLX_VALUES_HUGE) c->values = PLX_VALUES_NORMAL; /* for g alone */
    const plx_real *g = plx_case_filled(c, n, -2, 2);
    plx_real *y = plx_case_blank(c, n);
    run(n, x, g, y, parameter);
    for (int64_t i = 0; i < n; ++i)
        check_value(c, i, x[i], g[i], y[i],
                    reference((plx_wide)x[i], (plx_wide)g[i], (plx_wide)parameter));
    plx_real *z = plx_case_copy(c, n, g);
    c->variant = "in place of gy";
    run(n, x, z, z, parameter);
    plx_case_same(c, n, z, y);
    c->variant = "in place of x or y";
    run(n, x, g, x, parameter);
    plx_case_same(c, n, x, y);
}

#define UNARY(name, from)                                                                          \
    void plx_case_of_##name(plx_case *c) {                                                         \
        check_forward(c, c->k->name, forward_##name);                                              \
    }                                                                                              \
    void plx_case_of_##name##_grad(plx_case *c) {                                                  \
        check_backward(c, c->k->name##_grad, range_##name, backward_##name);                       \
    }
#include "kernels/unary.def"
#undef UNARY

/* ---- Two values ------------------------------------------------------------------------------ */

typedef void (*binary_kernel)(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                              plx_real *y);

static void check_strides(plx_case *c, binary_kernel run,
                          plx_real (*reference)(plx_real a, plx_real b), int sa, int sb) {
    static const char *const variants[] = {"one a, one b", "one a", "one b", ""};
    const int64_t n = c->n;
    plx_case_again(c, variants[2 * sa + sb]);
    plx_real *a = plx_case_filled(c, sa ? n : 1, -2, 2);
    plx_real *b = plx_case_filled(c, sb ? n : 1, -2, 2);
    plx_real *y = plx_case_blank(c, n);
    run(n, a, sa, b, sb, y);
    for (int64_t i = 0; i < n; ++i) plx_case_equal(c, i, y[i], reference(a[i * sa], b[i * sb]));
    if (sa || n == 1) {
        c->variant = "in place of a";
        plx_real *z = plx_case_copy(c, n, a);
        run(n, z, sa, b, sb, z);
        plx_case_same(c, n, z, y);
    }
    if (sb || n == 1) {
        c->variant = "in place of b";
        plx_real *z = plx_case_copy(c, n, b);
        run(n, a, sa, z, sb, z);
        plx_case_same(c, n, z, y);
    }
}

/* One rounding: the C expression in the element type is the reference. */
static plx_real add(plx_real a, plx_real b) {
    return a + b;
}

static plx_real sub(plx_real a, plx_real b) {
    return a - b;
}

static plx_real mul(plx_real a, plx_real b) {
    return a * b;
}

static plx_real quotient(plx_real a, plx_real b) {
    return a / b;
}

static plx_real largest(plx_real a, plx_real b) {
    return isnan(a) || isnan(b) ? (plx_real)NAN : a > b ? a : b;
}

static plx_real least(plx_real a, plx_real b) {
    return isnan(a) || isnan(b) ? (plx_real)NAN : a < b ? a : b;
}

#define BINARY(name, reference)                                                                    \
    void plx_case_of_##name(plx_case *c) {                                                         \
        for (int sa = 0; sa <= 1; ++sa)                                                            \
            for (int sb = 0; sb <= 1; ++sb) check_strides(c, c->k->name, reference, sa, sb);       \
    }
BINARY(add, add)
BINARY(sub, sub)
BINARY(mul, mul)
BINARY(div, quotient)
BINARY(max, largest)
BINARY(min, least)

void plx_case_of_scale(plx_case *c) {
    const plx_real alpha = (plx_real)-0.7f;
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, c->n, -2, 2);
    plx_real *y = plx_case_blank(c, c->n);
    c->k->scale(c->n, alpha, x, y);
    for (int64_t i = 0; i < c->n; ++i) plx_case_equal(c, i, y[i], alpha * x[i]);
    plx_real *z = plx_case_copy(c, c->n, x);
    c->variant = "in place";
    c->k->scale(c->n, alpha, z, z);
    plx_case_same(c, c->n, z, y);
}

void plx_case_of_axpy(plx_case *c) {
    const plx_real alpha = (plx_real)-0.7f;
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, n, -2, 2);
    const plx_real *before = plx_case_filled(c, n, -2, 2);
    plx_real *y = plx_case_copy(c, n, before);
    c->k->axpy(n, alpha, x, y);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide product = (plx_wide)alpha * (plx_wide)x[i];
        const plx_wide value = product + (plx_wide)before[i];
        plx_case_near(c, i, y[i], value, (plx_ulp(product) + plx_ulp(value)) * HALF);
    }
    /* x == y: the same as with a copy of it. */
    plx_real *same = plx_case_copy(c, n, x), *z = plx_case_copy(c, n, x);
    c->variant = "in place";
    c->k->axpy(n, alpha, x, same);
    c->k->axpy(n, alpha, z, z);
    plx_case_same(c, n, z, same);
}

/* Word i of the stream decides, so the mask can be told without the kernel. */
void plx_case_of_dropout(plx_case *c) {
    static const uint64_t firsts[] = {0, 1, 2, 3, 6, (UINT64_C(1) << 33) + 3};
    const plx_real scale = (plx_real)1.25f;
    const uint32_t keep = UINT32_C(0xcccccccc);
    for (size_t f = 0; f < sizeof firsts / sizeof firsts[0]; ++f) {
        plx_rng stream = {.key = UINT64_C(0x123456789abcdef), .next = firsts[f]};
        plx_case_again(c, "");
        const plx_real *x = plx_case_filled(c, c->n, -2, 2);
        plx_real *y = plx_case_blank(c, c->n);
        c->k->dropout(c->n, x, y, stream.key, firsts[f], keep, scale);
        for (int64_t i = 0; i < c->n; ++i)
            plx_case_equal(c, i, y[i], plx_rng_u32(&stream) < keep ? x[i] * scale : 0);
        plx_real *z = plx_case_copy(c, c->n, x);
        c->variant = "in place";
        c->k->dropout(c->n, z, z, UINT64_C(0x123456789abcdef), firsts[f], keep, scale);
        plx_case_same(c, c->n, z, y);
    }
}

/* Below 1 the two terms before the logarithm cancel exactly. The exponential errs by 1 ULP, the
 * logarithm by another, and e / (1 + e) is below log(1 + e). */
void plx_case_of_logistic_loss(plx_case *c) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, n, -20, 20);
    if (c->values == PLX_VALUES_HUGE) c->values = PLX_VALUES_NORMAL; /* for x alone */
    const plx_real *t = plx_case_filled(c, n, 0, 1);
    plx_real *y = plx_case_blank(c, n);
    c->k->logistic_loss(n, x, t, y);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide a = (plx_wide)x[i], product = a * (plx_wide)t[i];
        const plx_wide tail = log1p(exp(-fabs(a)));
        const plx_wide value = (a > 0 ? a : a != a ? a : 0) - product + tail;
        plx_case_near(c, i, y[i], value,
                      EPS * (fabs(product) + fabs(a) + 3 * tail + fabs(value)) + 4 * PLX_TINY);
    }
    plx_real *z = plx_case_copy(c, n, t);
    c->variant = "in place of t";
    c->k->logistic_loss(n, x, z, z);
    plx_case_same(c, n, z, y);
}
