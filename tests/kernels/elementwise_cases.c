/* Functions of one and of two values. */
#include "kernels/kernel_case.h"

#include <stdio.h>
#include <string.h>

typedef struct expected {
    plx_wide value, bound;
} expected;

/* The cost of rounding to zero below the smallest number, if that happens before a product with
 * g or with x. */
static plx_wide lost(plx_wide x, plx_wide g) {
    return PLX_TINY * (2 + 2 * fabs(g)) * (1 + fmin(fabs(x), (plx_wide)120));
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

/* Where x no longer matters in x (1 - logistic(x)), which is then below the last place of 1. */
static plx_wide until(plx_wide x, plx_wide end) {
    return x > end ? end : fabs(x);
}

/* clang-format would break up the tables. */
// clang-format off

/* name, value of x and parameter p, bound on the error in float, in double. ulp: of the value. The
 * float bounds are what parallax promises, 2 ULP, or less where the function is better. In double
 * the functions are compositions of the system's: each factor's error is multiplied by the other
 * factors, and an error in an exponent by the exponent; DBL_MIN where the exponential overflows while
 * its reciprocal is below the normal range. */
#define EPS PLX_EPS
#define FORWARD_TABLE(ROW)                                                                         \
    ROW(relu,        x < 0 ? 0 : x,               0,           0)                                  \
    ROW(leaky_relu,  x > 0 ? x : p * x,           ulp * HALF,  ulp * HALF)                         \
    ROW(elu,         x < 0 ? p * expm1(x) : x,    2 * ulp,     2 * ulp)                            \
    ROW(silu,        x / (1 + exp(-FROM(x))),     0.6 * ulp,   2 * ulp + fabs(x) * DBL_MIN)        \
    ROW(gelu,        FROM(x) * normal(x),         ulp,         EPS * fabs(v) * (x * x + 4) + lost(x, 1)) \
    ROW(gelu_tanh,   FROM(x) * logistic(tanh_form(FROM(x))), 0.6 * ulp,                            \
                     EPS * fabs(v) * (until(tanh_form(x), 750) * 2 + 4) + fabs(x) * DBL_MIN)       \
    ROW(sigmoid,     logistic(x),                 0.6 * ulp,   2 * ulp + DBL_MIN)                  \
    ROW(tanh,        tanh(x),                     1.4 * ulp,   2 * ulp)                            \
    ROW(exp,         exp(x),                      ulp,         ulp)                                \
    ROW(log,         log(x),                      ulp,         ulp)                                \
    ROW(sqrt,        sqrt(x),                     ulp * HALF,  ulp * HALF)                         \
    ROW(square,      x * x,                       ulp * HALF,  ulp * HALF)                         \
    ROW(abs,         fabs(x),                     0,           0)                                  \
    ROW(erf,         erf(x),                      1.5 * ulp,   2 * ulp)                            \
    ROW(relu6,       x < 0 ? 0 : x > 6 ? 6 : x,   0,           0)                                  \
    ROW(celu,        x < 0 ? p * expm1(x / p) : x, 2 * ulp, 3 * ulp)                              \
    ROW(selu,        x < 0 ? SELU_BOTH * expm1(x) : SELU_SCALE * x, 2 * ulp, 3 * ulp)              \
    ROW(mish,        FROM(x) * tanh(log1p(exp(fmin(x, 1000)))), 0.6 * ulp, 5 * ulp + lost(x, 1))              \
    ROW(hardswish,   FROM3(x) * hard(x) / 6,      2 * ulp,     2 * ulp)                            \
    ROW(hardsigmoid, hard(x) / 6,                 ulp,         ulp)                                \
    ROW(softplus,    softplus(x),                 0.6 * ulp,   2 * ulp)                            \
    ROW(softsign,    isinf(x) ? copysign(1, x) : x / (1 + fabs(x)), 1.5 * ulp, 1.5 * ulp)          \
    ROW(rsqrt,       1 / sqrt(x),                 1.5 * ulp,   1.5 * ulp)                          \
    ROW(sin,         sin(x),                      ulp,         ulp)                                \
    ROW(cos,         cos(x),                      ulp,         ulp)

/* name, range of x or y (unary.def says which the gradient uses; also for special values),
 * gradient for gy = g, bound. A chain of k roundings costs k EPS / 2, relative to the largest value
 * in it. */
#define BACKWARD_TABLE(ROW)                                                                        \
    ROW(relu,       -20,  20, x > 0 ? g : 0,              0)                                       \
    ROW(leaky_relu, -20,  20, x > 0 ? g : p * g,          ulp * HALF)                              \
    ROW(elu,         -1,  20, x > 0 ? g : g * (x + p),    EPS * fabs(v) + lost(x, g))              \
    ROW(silu,       -20,  20, g * logistic(x) * (1 + TO(x) * logistic(-x)),                        \
                              EPS * fabs(g) * (x < 0 ? logistic(x) : 1) * wider(1, 4) * (1 + until(x, 20)) \
                                  + lost(x, g))                                                    \
    ROW(gelu,       -20,  20, g * (normal(x) + TO(x) * density(x)),                                \
                              EPS * fabs(v) + EPS * fabs(g) * (x > 0 ? wider(1, 3) : 0)            \
                                  + EPS * fabs(g) * density(x) * wider(0.25, fabs(x) * (x * x + 8) + 3) \
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
                              EPS * fabs(v) * (x * x + 4) + lost(x, g))                            \
    ROW(relu6,        0,   6, x > 0 && x < 6 ? g : 0,     0)                                       \
    ROW(celu,   -0.3125,  20, x > 0 ? g : g * ((x + p) / p), 2 * EPS * fabs(v) + lost(x, g) / p)   \
    ROW(selu,     -1.75,  20, x > 0 ? SELU_SCALE * g : g * (x + SELU_BOTH),                        \
                              2 * EPS * fabs(v) + EPS * fabs(g) + lost(x, g))                      \
    ROW(mish,       -20,  20, g * mish_slope(x),                                                   \
                              2 * EPS * fabs(v) + EPS * fabs(g) * logistic(x) * wider(0.25, 4 * (until(x, 20) + 4)) \
                                  + lost(x, g))                                                    \
    ROW(hardswish,  -20,  20, x <= -3 ? 0 : x >= 3 ? g : g * (x / 3 + HALF_EXACTLY),               \
                              1.5 * EPS * fabs(g) + lost(x, g))                                    \
    ROW(hardsigmoid,-20,  20, x > -3 && x < 3 ? g / 6 : 0, ulp * HALF)                             \
    ROW(softplus,   -20,  20, g * logistic(x),            wider(1.1, 3) * EPS * fabs(v) + lost(x, g)) \
    ROW(softsign,   -20,  20, g / ((1 + fabs(x)) * (1 + fabs(x))), 2 * EPS * fabs(v) + lost(x, g)) \
    ROW(rsqrt,        0,  20, -g * x * x * x / 2,         2 * EPS * fabs(v) + lost(x, g))          \
    ROW(sin,        -20,  20, g * cos(x),                 1.5 * EPS * fabs(v) + lost(x, g))        \
    ROW(cos,        -20,  20, -g * sin(x),                1.5 * EPS * fabs(v) + lost(x, g))
// clang-format on

/* Half a unit, plus the error of the wider reference itself. */
#define HALF ((plx_wide)0.501)
#define HALF_EXACTLY ((plx_wide)0.5)
#define SELU_SCALE ((plx_wide)1.05070098735548049341933498529460L)
#define SELU_BOTH ((plx_wide)1.75809934084737685994021752081232L)
/* Keep a factor finite where it multiplies an exact zero. */
#define FROM(x) ((x) < -LARGE ? -LARGE : (x))
#define FROM3(x) ((x) < -3 ? -3 : (x))
#define TO(x) ((x) < -LARGE ? -LARGE : (x) > LARGE ? LARGE : (x))
#define LARGE ((plx_wide)100000)
#define TWO_OVER_ROOT_PI ((plx_wide)1.12837916709551257389615890312154517L)

static plx_wide wider(plx_wide in_float, plx_wide in_double) {
    return PLX_IS_DOUBLE ? in_double : in_float;
}

static plx_wide hard(plx_wide x) {
    return x <= -3 ? 0 : x >= 3 ? 6 : x + 3;
}

static plx_wide softplus(plx_wide x) {
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static plx_wide mish_slope(plx_wide x) {
    const plx_wide t = tanh(log1p(exp(fmin(x, 1000))));
    return isnan(x) ? x : t + TO(x) * logistic(x) * (1 - t) * (1 + t);
}

static plx_wide gelu_tanh_slope(plx_wide any) {
    const plx_wide x = TO(any), z = tanh_form(x);
    const plx_wide rest = x * logistic(-z);
    return logistic(z) * (1 + (rest == 0 ? 0 : rest * tanh_form_slope(x)));
}

static plx_wide gelu_tanh_slope_bound(plx_wide x) {
    const plx_wide m = until(x, 6), z = until(tanh_form(x), 20);
    const plx_wide s = x < 0 ? logistic(tanh_form(x)) : 1;
    const plx_wide inner = tanh_form_slope(x < 0 ? -until(-x, 20) : m);
    return wider(1, 4) * PLX_EPS * s * (1 + (1 + z) * (1 + m * inner)) + lost(x, inner);
}

/* ---- One value ------------------------------------------------------------------------------- */

#define ROW(name, value_of_x, bound_in_float, bound_in_double)                                     \
    static expected forward_##name(plx_wide x, plx_wide p) {                                       \
        (void)p;                                                                                   \
        const plx_wide v = value_of_x;                                                             \
        const plx_wide ulp = plx_ulp(v);                                                           \
        (void)ulp;                                                                                 \
        return (expected){v, PLX_IS_DOUBLE ? (bound_in_double) : (bound_in_float)};                \
    }
FORWARD_TABLE(ROW) /* NOLINT(bugprone-branch-clone): some rows have one bound for both */
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

/* An infinite x or g may meet a zero, exact or rounded, and a g below the normal range may round
 * to zero and meet an infinity: then both the limit and NaN are accepted. */
static void check_value(plx_case *c, int64_t i, plx_real x, plx_real g, plx_real y, expected e) {
    const bool tiny = fabs((plx_wide)g) * PLX_EPS < PLX_TINY && isinf(e.value);
    if ((isinf(x) && isnan(e.value)) || ((isinf(g) || tiny) && isnan(y)))
        plx_case_any(c, y);
    else
        plx_case_near(c, i, y, e.value, e.bound);
}

/* Runs forward on x, a block of the case, out of place and in place. */
static void run_forward(plx_case *c, forward_kernel run, expected (*reference)(plx_wide, plx_wide),
                        const plx_real *x, int64_t n) {
    plx_real *y = plx_case_blank(c, n);
    run(n, x, y, parameter);
    for (int64_t i = 0; i < n; ++i) {
        const expected e = reference((plx_wide)x[i], (plx_wide)parameter);
        check_value(c, i, x[i], 1, y[i], e);
        plx_case_zero(c, i, y[i], e.value);
    }
    plx_real *z = plx_case_copy(c, n, x);
    c->variant = "in place";
    run(n, z, z, parameter);
    plx_case_same(c, n, z, y);
}

/* A float of these bits; in double the pattern is spread over all exponents too. */
static plx_real from_pattern(uint32_t pattern) {
    plx_real x;
    const uint64_t wide = (uint64_t)pattern << 32 | pattern;
    if (PLX_IS_DOUBLE)
        memcpy(&x, &wide, sizeof x);
    else
        memcpy(&x, &pattern, sizeof x);
    return x;
}

/* Zeros, both ends of the normal range and of the numbers below it, infinities, NaN, and the
 * points where functions switch formulas. */
static const double specials[] = {0,
                                  0x1p-149,
                                  0x1.fffffcp-127,
                                  0x1p-126,
                                  0x1p-64,
                                  0x1p-25,
                                  0x1p-12,
                                  0.25,
                                  0.41421,
                                  0.5,
                                  0.625,
                                  1,
                                  2,
                                  3,
                                  5.41,
                                  5.4140625,
                                  6,
                                  20,
                                  40,
                                  87.33655,
                                  88.722839,
                                  88.72284,
                                  103.97208,
                                  104,
                                  120,
                                  0x1p20,
                                  0x1p23,
                                  0x1p24 - 1,
                                  0x1p64,
                                  0x1p126,
                                  0x1.fffffep+127,
                                  (double)INFINITY,
                                  (double)NAN};
enum { SPECIALS = sizeof specials / sizeof specials[0] };

/* Numbers over the whole range, STRIDE apart (a prime, so that all low bits occur), and the
 * common range densely. */
static void check_all_numbers(plx_case *c, forward_kernel run,
                              expected (*reference)(plx_wide, plx_wide)) {
    enum { BLOCK = 1024, STRIDE = 8191, BLOCKS = (1 << 22) / STRIDE + 1 };
    /* The last two: where exp is below the normal range, in float and in double. */
    static const double ranges[][2] = {{-20, 20},     {-2, 2},     {0.5, 2},
                                       {-0.01, 0.01}, {-104, -87}, {-745, -708}};
    for (uint32_t block = 0; block < BLOCKS; ++block) {
        plx_case_again(c, "all numbers");
        plx_real *x = plx_case_blank(c, BLOCK);
        for (uint32_t i = 0; i < BLOCK; ++i) x[i] = from_pattern((block * BLOCK + i) * STRIDE);
        run_forward(c, run, reference, x, BLOCK);
    }
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; ++r) {
        plx_case_again(c, "common range");
        const plx_real *x = plx_case_filled(c, BLOCK, ranges[r][0], ranges[r][1]);
        run_forward(c, run, reference, x, BLOCK);
    }
    plx_case_again(c, "special numbers");
    plx_real *x = plx_case_blank(c, 2 * SPECIALS);
    for (int i = 0; i < 2 * SPECIALS; ++i)
        x[i] = (plx_real)(i % 2 ? -specials[i / 2] : specials[i / 2]);
    run_forward(c, run, reference, x, 2 * SPECIALS);
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

#define UNARY(name, from, kink, samples)                                                           \
    void plx_case_of_##name(plx_case *c) {                                                         \
        check_forward(c, c->k->name, forward_##name);                                              \
    }                                                                                              \
    void plx_case_of_##name##_grad(plx_case *c) {                                                  \
        check_backward(c, c->k->name##_grad, range_##name, backward_##name);                       \
    }
#include "kernels/unary.def"
#undef UNARY

/* The function and its derivative have the bits of the kernels that compute one of them: those of
 * the gradient for gy = 1. */
static void check_slope(plx_case *c, forward_kernel forward, backward_kernel backward,
                        void (*run)(int64_t n, const plx_real *x, plx_real *y, plx_real *slope)) {
    const int64_t n = c->n;
    plx_case_again(c, "");
    const plx_real *x = plx_case_filled(c, n, -20, 20);
    plx_real *ones = plx_case_blank(c, n);
    for (int64_t i = 0; i < n; ++i) ones[i] = 1;
    plx_real *value = plx_case_blank(c, n), *derivative = plx_case_blank(c, n);
    forward(n, x, value, 0);
    backward(n, x, ones, derivative, 0);
    plx_real *y = plx_case_blank(c, n), *slope = plx_case_blank(c, n);
    run(n, x, y, slope);
    plx_case_same(c, n, y, value);
    plx_case_same(c, n, slope, derivative);
    c->variant = "in place";
    plx_real *z = plx_case_copy(c, n, x), *again = plx_case_blank(c, n);
    run(n, z, z, again);
    plx_case_same(c, n, z, value);
    plx_case_same(c, n, again, derivative);
}

#define SLOPE(name)                                                                                \
    void plx_case_of_##name##_slope(plx_case *c) {                                                 \
        check_slope(c, c->k->name, c->k->name##_grad, c->k->name##_slope);                         \
    }
SLOPE(silu)
SLOPE(gelu)
SLOPE(gelu_tanh)

/* ---- Two values ------------------------------------------------------------------------------ */

typedef void (*binary_kernel)(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                              plx_real *y);

static void check_strides(plx_case *c, binary_kernel run,
                          expected (*reference)(plx_real a, plx_real b), int sa, int sb) {
    static const char *const variants[] = {"one a, one b", "one a", "one b", ""};
    const int64_t n = c->n;
    plx_case_again(c, variants[2 * sa + sb]);
    plx_real *a = plx_case_filled(c, sa ? n : 1, -2, 2);
    plx_real *b = plx_case_filled(c, sb ? n : 1, -2, 2);
    plx_real *y = plx_case_blank(c, n);
    run(n, a, sa, b, sb, y);
    for (int64_t i = 0; i < n; ++i) {
        const expected e = reference(a[i * sa], b[i * sb]);
        plx_case_near(c, i, y[i], e.value, e.bound);
    }
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

/* name, value, bound. Mostly one rounding: the reference is the C expression in the element
 * type. */
#define BINARY_TABLE(ROW)                                                                          \
    ROW(add, a + b, 0)                                                                             \
    ROW(sub, a - b, 0)                                                                             \
    ROW(mul, a *b, 0)                                                                              \
    ROW(div, a / b, 0)                                                                             \
    ROW(max, isnan(a) || isnan(b) ? (plx_real)NAN : a > b ? a : b, 0)                              \
    ROW(min, isnan(a) || isnan(b) ? (plx_real)NAN : a < b ? a : b, 0)                              \
    ROW(prelu, a > 0 ? a : a * b, 0)                                                               \
    ROW(pow, pow((plx_wide)a, (plx_wide)b), wider(0.6, 1) * plx_ulp(v))

#define ROW(name, value_of_both, bound_of_both)                                                    \
    static expected both_##name(plx_real a, plx_real b) {                                          \
        const plx_wide v = (plx_wide)(value_of_both);                                              \
        return (expected){v, bound_of_both};                                                       \
    }                                                                                              \
    static void case_of_##name(plx_case *c) {                                                      \
        for (int sa = 0; sa <= 1; ++sa)                                                            \
            for (int sb = 0; sb <= 1; ++sb) check_strides(c, (c->k->name), both_##name, sa, sb);   \
    }
BINARY_TABLE(ROW)
#undef ROW

#define BINARY(name)                                                                               \
    void plx_case_of_##name(plx_case *c) {                                                         \
        case_of_##name(c);                                                                         \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(max)
BINARY(min)
BINARY(prelu)

static void check_powers(plx_case *c, const plx_real *a, const plx_real *b, int64_t n) {
    plx_real *y = plx_case_blank(c, n);
    (c->k->pow)(n, a, 1, b, 1, y);
    for (int64_t i = 0; i < n; ++i) {
        const expected e = both_pow(a[i], b[i]);
        plx_case_near(c, i, y[i], e.value, e.bound);
        plx_case_zero(c, i, y[i], e.value);
    }
}

/* All pairs of special numbers and of small whole ones; bases over the whole range with
 * exponents that give results between the extremes. */
void plx_case_of_pow(plx_case *c) {
    enum { BLOCK = 1024, ROUNDS = 40 };
    case_of_pow(c);
    if (c->n != 1000 || c->values != PLX_VALUES_NORMAL) return;
    for (int i = 0; i < 2 * SPECIALS; ++i) {
        plx_case_again(c, "special numbers");
        plx_real *a = plx_case_blank(c, 4 * SPECIALS), *b = plx_case_blank(c, 4 * SPECIALS);
        for (int j = 0; j < 4 * SPECIALS; ++j) {
            a[j] = (plx_real)(i % 2 ? -specials[i / 2] : specials[i / 2]);
            b[j] = j < 2 * SPECIALS ? (plx_real)(j % 2 ? -specials[j / 2] : specials[j / 2])
                                    : (plx_real)(j - 3 * SPECIALS);
        }
        check_powers(c, a, b, 4 * SPECIALS);
    }
    for (uint32_t round = 0; round < ROUNDS; ++round) {
        plx_case_again(c, "all numbers");
        plx_real *a = plx_case_blank(c, BLOCK), *b = plx_case_filled(c, BLOCK, -1, 1);
        for (uint32_t i = 0; i < BLOCK; ++i) {
            a[i] = from_pattern((round * BLOCK + i) * UINT32_C(104729));
            const plx_wide digits = fabs(log2(fabs((plx_wide)a[i])));
            if (isfinite(digits) && digits > 0) b[i] *= (plx_real)(155 / digits);
            if (signbit(a[i])) b[i] = trunc(b[i]);
        }
        check_powers(c, a, b, BLOCK);
    }
}

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
    /* x == y: the same result as with a copy of it. */
    plx_real *same = plx_case_copy(c, n, x), *z = plx_case_copy(c, n, x);
    c->variant = "in place";
    c->k->axpy(n, alpha, x, same);
    c->k->axpy(n, alpha, z, z);
    plx_case_same(c, n, z, same);
}

/* Word i of the stream decides, so the mask is known without the kernel. */
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

/* The limit for infinite x: |x| times the distance of t from the end that x is at. */
static plx_wide logistic_limit(plx_wide x, plx_wide t) {
    const plx_wide away = x > 0 ? 1 - t : t;
    return away == 0 ? 0 : fabs(x) * away;
}

/* Below 1 the two terms before the logarithm cancel exactly. The exponential is off by 1 ULP,
 * the logarithm by another, and e / (1 + e) is below log(1 + e). */
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
        const plx_wide value = isinf(a) ? logistic_limit(a, (plx_wide)t[i])
                                        : (a > 0    ? a
                                           : a != a ? a
                                                    : 0) -
                                              product + tail;
        plx_case_near(c, i, y[i], value,
                      EPS * (fabs(product) + fabs(a) + 3 * tail + fabs(value)) + 4 * PLX_TINY);
    }
    plx_real *z = plx_case_copy(c, n, t);
    c->variant = "in place of t";
    c->k->logistic_loss(n, x, z, z);
    plx_case_same(c, n, z, y);
}
