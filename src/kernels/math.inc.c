/* Elementary functions of a vector, without a system library: reduction to a small range and a
 * polynomial, both ways of a branch computed and one selected. Coefficients are minimax fits
 * (Remez), rounded to float one after the other with the rest refitted. Bounds in ULP hold over all
 * floats, with and without fused multiply-add, and are tested. The double build serves tests only
 * and asks the system's library. */

#if VL == 1
#include <math.h>
/* Folded away in the float build. */
#define IN_DOUBLE(expression)                                                                      \
    if (sizeof(plx_real) == sizeof(double)) return v_splat((plx_real)(expression))
#else
#define IN_DOUBLE(expression)
#endif

#define C(x) ((plx_real)(x))

/* c0 + c1 x + ... by Horner's rule, highest coefficient first. */
#define POLYNOMIAL(x, ...)                                                                         \
    v_polynomial(x, (const plx_real[]){__VA_ARGS__},                                               \
                 (int)(sizeof((const plx_real[]){__VA_ARGS__}) / sizeof(plx_real)))
INLINE vf v_polynomial(vf x, const plx_real *coefficients, int count) {
    vf sum = v_splat(coefficients[0]);
    UNROLL
    for (int i = 1; i < count; ++i) sum = v_fma(sum, x, v_splat(coefficients[i]));
    return sum;
}

/* 2^k for whole k in [-126, 127]. */
INLINE vf v_power_of_two(vi k) {
    return v_from_bits((k + 127) << 23);
}

/* ln 2 in two parts; the first has 10 bits, so that a multiple of it by an exponent is exact. */
#define LN2_HIGH C(0.693359375)
#define LN2_LOW C(-2.12194440e-4)

/* exp(x), 1 ULP. x = k ln 2 + r. 2^k is applied in two steps, so that results below the normal
 * range are rounded once and infinity comes where it is due. */
INLINE vf v_exp(vf x) {
    IN_DOUBLE(exp((double)x[0]));
    const vf magic = v_splat(C(0x1.8p23)); /* adding it rounds to a whole number, ties to even */
    /* A NaN is the second operand of both, and stays. */
    const vf bounded = v_greater(v_splat(C(-105)), v_less(v_splat(C(89.5)), x));
    const vf shifted = v_fma(bounded, v_splat(C(1.44269504)), magic);
    const vi k = v_bits(shifted) - v_bits(magic);
    const vf whole = shifted - magic;
    const vf r = v_fma(whole, v_splat(-LN2_LOW), v_fma(whole, v_splat(-LN2_HIGH), bounded));
    const vf q = POLYNOMIAL(r, C(0x1.6afe12p-10), C(0x1.124492p-7), C(0x1.555826p-5),
                            C(0x1.555482p-3), C(0x1.fffffcp-2));
    const vf y = v_fma(r * r, q, r) + 1;
    const vi half = k >> 1;
    return y * v_power_of_two(half) * v_power_of_two(k - half);
}

/* log(x), 1 ULP: x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m by a polynomial in m - 1. */
INLINE vf v_log(vf x) {
    IN_DOUBLE(log((double)x[0]));
    const vf infinity = v_splat((plx_real)__builtin_inff());
    const vi tiny = x < C(0x1p-126);
    const vi bits = v_bits(v_select(tiny, x * C(0x1p23), x));
    const vi e = (bits - 0x3f3504f3) >> 23; /* 0x3f3504f3: sqrt(1/2) */
    const vf f = v_from_bits(bits - (e << 23)) - 1;
    const vf exponent = __builtin_convertvector(e - (tiny & 23), vf);
    const vf q =
        POLYNOMIAL(f, C(-0x1.39446cp-4), C(0x1.05bb6p-3), C(-0x1.0d9f7ep-3), C(0x1.22d084p-3),
                   C(-0x1.546ea2p-3), C(0x1.99a052p-3), C(-0x1.000234p-2), C(0x1.555554p-2));
    const vf square = f * f;
    const vf tail = v_fma(exponent, v_splat(LN2_LOW), square * f * q);
    const vf y = v_fma(exponent, v_splat(LN2_HIGH), f + v_fma(square, v_splat(C(-0.5)), tail));
    const vf below = v_select(x == 0, -infinity, v_splat((plx_real)__builtin_nanf("")));
    return v_select(x > 0, v_select(x < infinity, y, x), v_select(x != x, x, below));
}

/* tanh(x), 2 ULP: a polynomial below 0.625, 1 - 2 / (exp(2|x|) + 1) above. */
INLINE vf v_tanh(vf x) {
    IN_DOUBLE(tanh((double)x[0]));
    const vf a = v_abs(x), z = x * x;
    const vf q = POLYNOMIAL(z, C(-0x1.7863cep-8), C(0x1.52cb4p-6), C(-0x1.b85a38p-5),
                            C(0x1.110844p-3), C(-0x1.55553ap-2));
    const vf large = 1 - 2 / (v_exp(a + a) + 1);
    return v_select(a < C(0.625), v_fma(x * z, q, x), v_from_bits(v_bits(large) | v_sign(x)));
}

/* 1 / (1 + exp(-x)), 2 ULP. The exponential's argument is never positive: nothing overflows, and
 * results below the normal range come out right. */
INLINE vf v_sigmoid(vf x) {
    IN_DOUBLE(1 / (1 + exp(-(double)x[0])));
    const vf e = v_exp(v_from_bits(v_bits(x) | v_bits(v_splat(C(-0.0)))));
    return v_select(x < 0, e, v_splat(1)) / (1 + e);
}

/* erfc(t) and exp(-t^2) for t >= 0: with u = 1 / (1 + t/2), erfc(t) = exp(-t^2) u P(u). */
INLINE vf v_erfc_positive(vf t, vf *exp_minus_square) {
    const vf e = v_exp(-t * t);
    const vf u = 2 / (t + 2);
    const vf q = POLYNOMIAL(u, C(0x1.7d5e4ep-7), C(-0x1.eb4f22p-4), C(0x1.af9e72p-2),
                            C(-0x1.522d08p-1), C(0x1.a7948cp-2), C(-0x1.82a5b8p-4),
                            C(0x1.cb4432p-3), C(0x1.e9478ap-3), C(0x1.219d92p-2), C(0x1.20d5e2p-2));
    *exp_minus_square = e;
    return e * u * q;
}

/* erf(x), 2 ULP: x times a polynomial in x^2 below 1, 1 - erfc(|x|) above. */
INLINE vf v_erf(vf x) {
    IN_DOUBLE(erf((double)x[0]));
    const vf a = v_abs(x), z = x * x;
    const vf q =
        POLYNOMIAL(z, C(0x1.4771fep-14), C(-0x1.a3515ep-11), C(0x1.53f224p-8), C(-0x1.b7f71ap-6),
                   C(0x1.ce2ce6p-4), C(-0x1.81273ep-2), C(0x1.06eba8p-3));
    vf unused;
    const vf large = 1 - v_erfc_positive(a, &unused);
    return v_select(a < 1, v_fma(x, q, x), v_from_bits(v_bits(large) | v_sign(x)));
}

/* The normal distribution function Phi(x) and its density phi(x); the absolute error of Phi is
 * below 2^-22, and small values keep their leading digits. */
INLINE vf v_normal(vf x, vf *density) {
    if (sizeof(plx_real) == sizeof(double)) {
        *density = v_exp(C(-0.5) * x * x) * C(0.39894228040143267794);
        return C(0.5) * (1 + v_erf(x * C(0.70710678118654752440)));
    }
    vf e;
    const vf half = C(0.5) * v_erfc_positive(v_abs(x) * C(0.70710678118654752440), &e);
    *density = e * C(0.39894228040143267794);
    return v_select(x < 0, half, 1 - half);
}
