/* Functions of one or two values, element by element. Loops run over whole vectors and then over
 * one partial vector through the same expression, so an element's bits do not depend on its place.
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
            const vf a = v_load_n((x) + i_, (n) - i_);                                             \
            v_store_n((y) + i_, expression, (n) - i_);                                             \
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
            const vf a = v_load_n((x) + i_, (n) - i_), b = v_load_n((z) + i_, (n) - i_);           \
            v_store_n((y) + i_, expression, (n) - i_);                                             \
        }                                                                                          \
    } while (0)

/* ---- One value ------------------------------------------------------------------------------- */

/* The sigmoid of this is 0.5 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
INLINE vf gelu_tanh_argument(vf x) {
    return C(1.59576912160573071176) * v_fma(C(0.044715) * (x * x), x, x);
}

INLINE vf gelu_tanh_slope(vf x) {
    /* Beyond 40 the sigmoid is 0 or 1 and its slope 0, which a square that overflows would spoil; a
     * NaN is the second operand of both, and stays. */
    const vf near = v_greater(v_splat(C(-40)), v_less(v_splat(C(40)), x));
    const vf s = v_sigmoid(gelu_tanh_argument(near));
    const vf inner = C(1.59576912160573071176) * (1 + C(3 * 0.044715) * (near * near));
    return v_fma(near * s * (1 - s), inner, s);
}

INLINE vf gelu(vf x) {
    vf density;
    return x * v_normal(x, &density);
}

INLINE vf gelu_slope(vf x) {
    vf density;
    const vf probability = v_normal(x, &density);
    return v_fma(x, density, probability);
}

INLINE vf silu_slope(vf x) {
    const vf s = v_sigmoid(x);
    return s * v_fma(x, 1 - s, v_splat(1));
}

/* forward: of a = x and p. backward: of a = x or y (unary.def says which), b = gy and p. */
#define UNARY_KERNEL(name, forward, backward)                                                      \
    static void k_##name(int64_t n, const plx_real *x, plx_real *y, plx_real parameter) {          \
        const vf p = v_splat(parameter), zero = v_splat(0);                                        \
        (void)p, (void)zero;                                                                       \
        MAP1(n, x, y, forward);                                                                    \
    }                                                                                              \
    static void k_##name##_grad(int64_t n, const plx_real *xy, const plx_real *gy, plx_real *gx,   \
                                plx_real parameter) {                                              \
        const vf p = v_splat(parameter), zero = v_splat(0);                                        \
        (void)p, (void)zero;                                                                       \
        MAP2(n, xy, gy, gx, backward);                                                             \
    }

/* clang-format takes the products of vectors below for pointers. */
// clang-format off
/* A NaN is neither above nor below zero, and passes. */
UNARY_KERNEL(relu, v_select(a < 0, zero, a), v_select(a > 0, b, zero))
UNARY_KERNEL(leaky_relu, v_select(a > 0, a, p * a), v_select(a > 0, b, p * b))
UNARY_KERNEL(elu, v_select(a > 0, a, p * (v_exp(a) - 1)), v_select(a > 0, b, b * (a + p)))
UNARY_KERNEL(silu, a * v_sigmoid(a), b * silu_slope(a))
UNARY_KERNEL(gelu, gelu(a), b * gelu_slope(a))
UNARY_KERNEL(gelu_tanh, a * v_sigmoid(gelu_tanh_argument(a)), b * gelu_tanh_slope(a))
UNARY_KERNEL(sigmoid, v_sigmoid(a), b * (a * (1 - a)))
UNARY_KERNEL(tanh, v_tanh(a), b * (1 - a * a))
UNARY_KERNEL(exp, v_exp(a), b * a)
UNARY_KERNEL(log, v_log(a), b / a)
UNARY_KERNEL(sqrt, v_sqrt(a), C(0.5) * b / a)
UNARY_KERNEL(square, a * a, 2 * a * b)
UNARY_KERNEL(abs, v_abs(a), v_select(a > 0, b, v_select(a < 0, -b, zero)))
UNARY_KERNEL(erf, v_erf(a), b * (C(1.12837916709551257390) * v_exp(-a * a)))
// clang-format on

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
            const vf b = v_load_n((z) + i_, (n) - i_);                                             \
            v_store_n((y) + i_, expression, (n) - i_);                                             \
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
                const plx_real first = *x;                                                         \
                for (int64_t i = 0; i < n; ++i) y[i] = first;                                      \
                MAP1(n, y, y, expression);                                                         \
            }                                                                                      \
        }                                                                                          \
    }

BINARY_KERNEL(add, a + b)
BINARY_KERNEL(sub, a - b)
BINARY_KERNEL(mul, a *b)
BINARY_KERNEL(div, a / b)
BINARY_KERNEL(max, v_max(a, b))
BINARY_KERNEL(min, v_min(a, b))

static void k_scale(int64_t n, plx_real alpha, const plx_real *x, plx_real *y) {
    const vf factor = v_splat(alpha);
    MAP1(n, x, y, factor * a);
}

static void k_axpy(int64_t n, plx_real alpha, const plx_real *x, plx_real *y) {
    const vf factor = v_splat(alpha);
    MAP2(n, x, y, y, v_fma(factor, a, b));
}

/* log(1 + e) = log u + (e - (u - 1)) / u, where u = 1 + e as it was rounded: nothing of a small e
 * is lost. */
static void k_logistic_loss(int64_t n, const plx_real *x, const plx_real *t, plx_real *y) {
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf a = lanes == VL ? v_load(x + i) : v_load_n(x + i, lanes);
        const vf b = lanes == VL ? v_load(t + i) : v_load_n(t + i, lanes);
        const vf e = v_exp(-v_abs(a)), u = 1 + e;
        const vf tail = v_log(u) - ((u - 1) - e) / u;
        const vf loss = (v_max(a, v_splat(0)) - a * b) + tail;
        if (lanes == VL)
            v_store(y + i, loss);
        else
            v_store_n(y + i, loss, lanes);
    }
}
