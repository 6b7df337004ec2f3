/* Elementwise functions of one or two values. Loops run over whole vectors and then over one
 * partial vector with the same expression, so the bits of an element do not depend on its position.
 */

/* y[i] = expression of a = x[i] */
#define MAP1(n, x, y, expression)                                                                  \
    do {                                                                                           \
        int64_t i_ = 0;                                                                            \
        for (; i_ + VL <= (n); i_ += VL) {                                                         \
            const vf a = v_load((x) + i_);                                                         \
            v_store((y) + i_, expression);                                                         \
        }                                                                                          \
        if (i_ < (n)) {                                                                            \
            const vf a = load_tail((x) + i_, (n) - i_);                                            \
            store_tail((y) + i_, expression, (n) - i_);                                            \
        }                                                                                          \
    } while (0)

/* y[i] = expression of a = x[i] and b = z[i] */
#define MAP2(n, x, z, y, expression)                                                               \
    do {                                                                                           \
        int64_t i_ = 0;                                                                            \
        for (; i_ + VL <= (n); i_ += VL) {                                                         \
            const vf a = v_load((x) + i_), b = v_load((z) + i_);                                   \
            v_store((y) + i_, expression);                                                         \
        }                                                                                          \
        if (i_ < (n)) {                                                                            \
            const vf a = load_tail((x) + i_, (n) - i_), b = load_tail((z) + i_, (n) - i_);         \
            store_tail((y) + i_, expression, (n) - i_);                                            \
        }                                                                                          \
    } while (0)

/* The same with the expression expanded only once, for large expressions. */
#define MAP1_ONCE(n, x, y, expression)                                                             \
    for (int64_t i_ = 0; i_ < (n); i_ += VL) {                                                     \
        const int64_t left_ = (n) - i_;                                                            \
        const vf a = v_load_up_to((x) + i_, left_);                                                \
        v_store_up_to((y) + i_, expression, left_);                                                \
    }

#define MAP2_ONCE(n, x, z, y, expression)                                                          \
    for (int64_t i_ = 0; i_ < (n); i_ += VL) {                                                     \
        const int64_t left_ = (n) - i_;                                                            \
        const vf a = v_load_up_to((x) + i_, left_), b = v_load_up_to((z) + i_, left_);             \
        v_store_up_to((y) + i_, expression, left_);                                                \
    }

/* min(n, VL) elements, n >= 1 */
INLINE vf v_load_up_to(const plx_real *p, int64_t n) {
    return n >= VL ? v_load(p) : load_tail(p, n);
}

INLINE void v_store_up_to(plx_real *p, vf x, int64_t n) {
    if (n >= VL)
        v_store(p, x);
    else
        store_tail(p, x, n);
}

/* ---- One value ------------------------------------------------------------------------------- */

/* p (exp(x / p) - 1) below zero, 2 ULP. */
INLINE vf celu(vf x, vf p) {
    IN_DOUBLE(x[0] < 0 ? (double)p[0] * expm1((double)(x[0] / p[0])) : (double)x[0]);
    const vf ratio = x / p;
    /* The remainder of the division, over p: products of half-width parts are exact. */
    const vf r = v_head(ratio), s = v_head(p), r_rest = ratio - r, s_rest = p - s;
    const vf lost = ((x - r * s) - r * s_rest - r_rest * s) - r_rest * s_rest;
    const vf y = p * v_expm1_negative(ratio, v_select(ratio > -30, lost / p, v_splat(0)));
    /* Near zero, values below the normal range would spoil the correction. */
    return v_select(ratio < C(-0x1p-26), y, x);
}

/* Scale and scale times alpha of Klambauer et al., "Self-normalizing neural networks", NIPS 2017;
 * the second in two parts. */
#define SELU_SCALE C(1.0507009873554804934)
#define SELU_BOTH C(1.75809934084737685994)
#define SELU_REST (sizeof(plx_real) == sizeof(double) ? C(0) : C(0x1.903c0cp-26))

/* 2 ULP. */
INLINE vf selu(vf x) {
    const vf e = v_expm1_negative(x, v_splat(0));
    return v_select(x < 0, v_fma(v_splat(SELU_BOTH), e, SELU_REST * e), SELU_SCALE * x);
}

/* relu6(x + 3) */
INLINE vf hard(vf x) {
    return v_greater(v_splat(0), v_less(v_splat(6), x + 3));
}

/* forward: of a = x and p. backward: of a = x or y (unary.def says which), b = gy and p. map1,
 * map2: how the loops are written. */
#define UNARY_KERNEL(name, map1, forward, map2, backward)                                          \
    static void k_##name(int64_t n, const plx_real *x, plx_real *y, plx_real parameter) {          \
        const vf p = v_splat(parameter), zero = v_splat(0);                                        \
        (void)p, (void)zero;                                                                       \
        map1(n, x, y, forward);                                                                    \
    }                                                                                              \
    static void k_##name##_grad(int64_t n, const plx_real *xy, const plx_real *gy, plx_real *gx,   \
                                plx_real parameter) {                                              \
        const vf p = v_splat(parameter), zero = v_splat(0);                                        \
        (void)p, (void)zero;                                                                       \
        map2(n, xy, gy, gx, backward);                                                             \
    }
#define CHEAP(name, forward, backward) UNARY_KERNEL(name, MAP1, forward, MAP2, backward)
#define LARGE(name, forward, backward) UNARY_KERNEL(name, MAP1_ONCE, forward, MAP2_ONCE, backward)
#define MIXED(name, forward, backward) UNARY_KERNEL(name, MAP1_ONCE, forward, MAP2, backward)

/* clang-format mistakes the products of vectors below for pointers. */
// clang-format off
/* A NaN is neither above nor below zero, so it passes through. */
CHEAP(relu, v_select(a < 0, zero, a), v_select(a > 0, b, zero))
CHEAP(leaky_relu, v_select(a > 0, a, p * a), v_select(a > 0, b, p * b))
CHEAP(relu6, v_select(a < 0, zero, v_less(v_splat(6), a)), v_select((a > 0) & (a < 6), b, zero))
LARGE(elu, v_select(a < 0, p * v_expm1_negative(a, zero), a), v_select(a > 0, b, b * (a + p)))
LARGE(celu, celu(a, p), v_select(a > 0, b, b * ((a + p) / p)))
LARGE(selu, selu(a), v_select(a > 0, SELU_SCALE * b, b * (a + SELU_BOTH)))
LARGE(mish, v_mish(a), b * v_mish_slope(a))
LARGE(hardswish, v_at_least(-3, a) * (hard(a) / 6), v_select(a <= -3, zero, v_select(a >= 3, b, b * (a / 3 + C(0.5)))))
LARGE(hardsigmoid, hard(a) / 6, v_select((a > -3) & (a < 3), b / 6, zero))
LARGE(softplus, v_softplus(a), b * v_sigmoid(a))
LARGE(softsign, v_softsign(a), b / ((1 + v_abs(a)) * (1 + v_abs(a))))
MIXED(sigmoid, v_sigmoid(a), b * (a * (1 - a)))
MIXED(tanh, v_tanh(a), b * (1 - a * a))
MIXED(exp, v_exp(a), b * a)
LARGE(log, v_log(a), b / a)
LARGE(sqrt, v_sqrt(a), C(0.5) * b / a)
MIXED(rsqrt, 1 / v_sqrt(a), b * (C(-0.5) * a * (a * a)))
CHEAP(square, a * a, 2 * a * b)
CHEAP(abs, v_abs(a), v_select(a > 0, b, v_select(a < 0, -b, zero)))
LARGE(erf, v_erf(a), b * (C(1.12837916709551257390) * v_exp(-a * a)))
// clang-format on

/* Functions that have most of their work in common with their derivatives: one loop writes y unless
 * it is NULL, and the slope, times g unless g is NULL. */
#define WITH_SLOPE(name)                                                                           \
    static void k_##name(int64_t n, const plx_real *x, plx_real *y, plx_real p) {                  \
        (void)p;                                                                                   \
        MAP1_ONCE(n, x, y, v_##name(a));                                                           \
    }                                                                                              \
    SHARED void name##_and_slope(int64_t n, const plx_real *x, const plx_real *g, plx_real *y,     \
                                 plx_real *slope) {                                                \
        for (int64_t i = 0; i < n; i += VL) {                                                      \
            const vf a = v_load_up_to(x + i, n - i), s = v_##name##_slope(a);                      \
            const vf own = g ? v_load_up_to(g + i, n - i) * s : s;                                 \
            if (y) v_store_up_to(y + i, v_##name(a), n - i);                                       \
            v_store_up_to(slope + i, own, n - i);                                                  \
        }                                                                                          \
    }                                                                                              \
    static void k_##name##_grad(int64_t n, const plx_real *x, const plx_real *gy, plx_real *gx,    \
                                plx_real p) {                                                      \
        (void)p;                                                                                   \
        name##_and_slope(n, x, gy, NULL, gx);                                                      \
    }                                                                                              \
    static void k_##name##_slope(int64_t n, const plx_real *x, plx_real *y, plx_real *slope) {     \
        name##_and_slope(n, x, NULL, y, slope);                                                    \
    }

WITH_SLOPE(silu)
WITH_SLOPE(gelu_tanh)

/* y = sign sin(x + turn pi/2), times g unless g is NULL: sine, cosine and both gradients. */
static __attribute__((noinline)) void sine(int64_t n, const plx_real *x, const plx_real *g,
                                           plx_real *y, int turn, plx_real sign) {
    for (int64_t i = 0; i < n; i += VL) {
        const vf a = sign * v_sine(v_load_up_to(x + i, n - i), turn);
        v_store_up_to(y + i, g ? a * v_load_up_to(g + i, n - i) : a, n - i);
    }
}

static void k_sin(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (void)p;
    sine(n, x, NULL, y, 0, 1);
}

static void k_cos(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (void)p;
    sine(n, x, NULL, y, 1, 1);
}

static void k_sin_grad(int64_t n, const plx_real *x, const plx_real *gy, plx_real *gx, plx_real p) {
    (void)p;
    sine(n, x, gy, gx, 1, 1);
}

static void k_cos_grad(int64_t n, const plx_real *x, const plx_real *gy, plx_real *gx, plx_real p) {
    (void)p;
    sine(n, x, gy, gx, 0, -1);
}

/* ---- Two values ------------------------------------------------------------------------------ */

/* y[i] = expression of a = x[0] and b = z[i] */
#define MAP_FIRST_FIXED(n, x, z, y, expression)                                                    \
    do {                                                                                           \
        const vf a = v_splat(*(x));                                                                \
        int64_t i_ = 0;                                                                            \
        for (; i_ + VL <= (n); i_ += VL) {                                                         \
            const vf b = v_load((z) + i_);                                                         \
            v_store((y) + i_, expression);                                                         \
        }                                                                                          \
        if (i_ < (n)) {                                                                            \
            const vf b = load_tail((z) + i_, (n) - i_);                                            \
            store_tail((y) + i_, expression, (n) - i_);                                            \
        }                                                                                          \
    } while (0)

#define BINARY_KERNEL(name, expression)                                                            \
    static void k_##name(int64_t n, const plx_real *x, int sx, const plx_real *z, int sz,          \
                         plx_real *y) {                                                            \
        if (n <= 0) return;                                                                        \
        if (sx && sz) {                                                                            \
            MAP2(n, x, z, y, expression);                                                          \
        } else if (sz) {                                                                           \
            MAP_FIRST_FIXED(n, x, z, y, expression);                                               \
        } else {                                                                                   \
            const vf b = v_splat(*z);                                                              \
            if (sx)                                                                                \
                MAP1(n, x, y, expression);                                                         \
            else {                                                                                 \
                const vf a = v_splat(*x);                                                          \
                const plx_real value = (expression)[0];                                            \
                for (int64_t i = 0; i < n; ++i) y[i] = value;                                      \
            }                                                                                      \
        }                                                                                          \
    }

BINARY_KERNEL(add, a + b)
BINARY_KERNEL(sub, a - b)
BINARY_KERNEL(mul, a *b)
BINARY_KERNEL(div, a / b)
BINARY_KERNEL(max, v_max(a, b))
BINARY_KERNEL(min, v_min(a, b))

/* One loop for all four kinds of operands. */
#define BINARY_KERNEL_ONCE(name, expression)                                                       \
    static void k_##name(int64_t n, const plx_real *x, int sx, const plx_real *z, int sz,          \
                         plx_real *y) {                                                            \
        if (n <= 0) return;                                                                        \
        const vf first = v_splat(*x), second = v_splat(*z);                                        \
        for (int64_t i = 0; i < n; i += VL) {                                                      \
            const vf a = sx ? v_load_up_to(x + i, n - i) : first;                                  \
            const vf b = sz ? v_load_up_to(z + i, n - i) : second;                                 \
            v_store_up_to(y + i, expression, n - i);                                               \
        }                                                                                          \
    }

BINARY_KERNEL_ONCE(prelu, v_select(a > 0, a, a *b))
BINARY_KERNEL_ONCE(pow, v_pow(a, b))

static void k_scale(int64_t n, plx_real alpha, const plx_real *x, plx_real *y) {
    const vf factor = v_splat(alpha);
    MAP1(n, x, y, factor * a);
}

static void k_axpy(int64_t n, plx_real alpha, const plx_real *x, plx_real *y) {
    const vf factor = v_splat(alpha);
    MAP2(n, x, y, y, v_fma(factor, a, b));
}

/* log(1 + e) = log u + (e - (u - 1)) / u, where u is 1 + e after rounding: a small e loses nothing.
 * Where x is infinite, the loss is |x| times the distance of the target from the label that x
 * predicts, and 0 where they agree. */
static void k_logistic_loss(int64_t n, const plx_real *x, const plx_real *t, plx_real *y) {
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf a = lanes == VL ? v_load(x + i) : load_tail(x + i, lanes);
        const vf b = lanes == VL ? v_load(t + i) : load_tail(t + i, lanes);
        const vf e = v_exp(-v_abs(a)), u = 1 + e;
        const vf tail = v_log(u) - ((u - 1) - e) / u;
        const vf sum = (v_max(a, v_splat(0)) - a * b) + tail;
        const vf away = v_select(a > 0, 1 - b, b), far = v_abs(a);
        const vf end = v_select(away == 0, v_splat(0), far * away);
        const vf loss = v_select(far == v_splat((plx_real)__builtin_inf()), end, sum);
        if (lanes == VL)
            v_store(y + i, loss);
        else
            store_tail(y + i, loss, lanes);
    }
}
