/* Elementary functions of a vector, without a system library: range reduction and a polynomial;
 * both sides of a branch are computed and one is selected. Coefficients are minimax fits (Remez),
 * rounded to float one at a time with the rest refitted. Bounds in ULP hold over all floats, with
 * and without fused multiply-add, and are tested. The double build serves only tests and uses the
 * system's library. */

#if VL == 1
#include <math.h>
/* Compiles to nothing in the float build. */
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

/* (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2 */
#define EXP_POLYNOMIAL(r)                                                                          \
    POLYNOMIAL(r, C(0x1.6b8ab8p-13), C(0x1.6d3fcp-10), C(0x1.113716p-7), C(0x1.5554f2p-5),         \
               C(0x1.55553cp-3), C(0.5))

/* exp(x), 1 ULP. x = k ln 2 + r. 2^k is applied in two steps, so that results below the normal
 * range are rounded once and overflow gives infinity. */
INLINE vf v_exp(vf x) {
    IN_DOUBLE(exp((double)x[0]));
    const vf magic = v_splat(C(0x1.8p23)); /* adding it rounds to a whole number, ties to even */
    /* A NaN is the second operand of both, so it is kept. */
    const vf bounded = v_greater(v_splat(C(-105)), v_less(v_splat(C(89.5)), x));
    const vf shifted = v_fma(bounded, v_splat(C(1.44269504)), magic);
    const vi k = v_bits(shifted) - v_bits(magic);
    const vf whole = shifted - magic;
    const vf r = v_fma(whole, v_splat(-LN2_LOW), v_fma(whole, v_splat(-LN2_HIGH), bounded));
    const vf y = v_fma(r * r, EXP_POLYNOMIAL(r), r) + 1;
    const vi half = k >> 1;
    return y * v_power_of_two(half) * v_power_of_two(k - half);
}

/* exp(x), 1 ULP, for x up to 88, for sums of exponentials whose largest term is 1: results below
 * e^-86.5 are 0, which is negligible next to 1. So one power of two suffices, and no product falls
 * below the normal range, where some processors are slow. */
INLINE vf v_exp_of_score(vf x) {
    IN_DOUBLE(exp((double)x[0]));
    const vf magic = v_splat(C(0x1.8p23)), least = v_splat(C(-86.5));
    const vf shifted = v_fma(v_greater(least, x), v_splat(C(1.44269504)), magic);
    const vi k = v_bits(shifted) - v_bits(magic);
    const vf whole = shifted - magic;
    const vf r =
        v_fma(whole, v_splat(-LN2_LOW), v_fma(whole, v_splat(-LN2_HIGH), v_greater(least, x)));
    const vf y = v_fma(r * r, EXP_POLYNOMIAL(r), r) + 1;
    return v_from_bits(v_bits(y * v_power_of_two(k)) & ~(x < least));
}

/* exponent ln 2 + log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)] */
INLINE vf v_log_sum(vf exponent, vf f) {
    const vf q =
        POLYNOMIAL(f, C(-0x1.39446cp-4), C(0x1.05bb6p-3), C(-0x1.0d9f7ep-3), C(0x1.22d084p-3),
                   C(-0x1.546ea2p-3), C(0x1.99a052p-3), C(-0x1.000234p-2), C(0x1.555554p-2));
    const vf square = f * f;
    const vf tail = v_fma(exponent, v_splat(LN2_LOW), square * f * q);
    return v_fma(exponent, v_splat(LN2_HIGH), f + v_fma(square, v_splat(C(-0.5)), tail));
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
    const vf y = v_log_sum(exponent, f);
    const vf below = v_select(x == 0, -infinity, v_splat((plx_real)__builtin_nanf("")));
    return v_select(x > 0, v_select(x < infinity, y, x), v_select(x != x, x, below));
}

/* tanh(x), 1.4 ULP: a polynomial below 0.625, 1 - 2 / (exp(2|x|) + 1) above. */
INLINE vf v_tanh(vf x) {
    IN_DOUBLE(tanh((double)x[0]));
    const vf a = v_abs(x), z = x * x;
    const vf q = POLYNOMIAL(z, C(-0x1.7863cep-8), C(0x1.52cb4p-6), C(-0x1.b85a38p-5),
                            C(0x1.110844p-3), C(-0x1.55553ap-2));
    const vf large = 1 - 2 / (v_exp(a + a) + 1);
    const vf y = v_select(a < C(0.625), v_fma(x * z, q, x), large);
    return v_from_bits(v_bits(y) | v_sign(x));
}

/* The leading 12 bits; the product of two such values is exact in float. */
INLINE vf v_head(vf x) {
    return v_from_bits(v_bits(x) & ~0xfff);
}

/* e^(high + low) = 2^k (s + t), where s is about 1 and t is the rounding error of s: relative error
 * below 2^-26. |high| < 2^20, and low is small compared with 1. */
typedef struct exp_parts {
    vf s, t;
    vi k;
} exp_parts;

INLINE exp_parts v_exp_parts(vf high, vf low) {
    const vf magic = v_splat(C(0x1.8p23));
    const vf shifted = v_fma(high, v_splat(C(1.44269504)), magic);
    const vf whole = shifted - magic;
    /* The first difference is exact, and so is the remainder of the sum. */
    const vf a = v_fma(whole, v_splat(-LN2_HIGH), high);
    const vf b = v_fma(whole, v_splat(-LN2_LOW), low);
    const vf r = a + b, rest = (a - r) + b;
    const vf s = 1 + r;
    const vf t = ((1 - s) + r) + v_fma(r * r, EXP_POLYNOMIAL(r), rest);
    return (exp_parts){s, t, v_bits(shifted) - v_bits(magic)};
}

/* max(least, x); a NaN is the second operand, so it is kept. */
INLINE vf v_at_least(plx_real least, vf x) {
    return v_greater(v_splat(least), x);
}

/* exp(high + low) - 1 for high <= 0, 0.85 ULP; no -0. */
INLINE vf v_expm1_negative(vf high, vf low) {
    IN_DOUBLE(expm1((double)high[0]));
    const exp_parts e = v_exp_parts(v_at_least(C(-30), v_less(v_splat(0), high)), low);
    const vf scale = v_power_of_two(e.k), part = scale * e.s;
    const vf difference = part - 1;
    return difference + v_fma(scale, e.t, (-1 - difference) + part);
}

/* erfc(t) for t >= 0: with u = 1 / (1 + t/2), erfc(t) = exp(-t^2) u P(u). */
INLINE vf v_erfc_positive(vf t) {
    const vf e = v_exp(-t * t);
    const vf u = 2 / (t + 2);
    const vf q = POLYNOMIAL(u, C(0x1.7d5e4ep-7), C(-0x1.eb4f22p-4), C(0x1.af9e72p-2),
                            C(-0x1.522d08p-1), C(0x1.a7948cp-2), C(-0x1.82a5b8p-4),
                            C(0x1.cb4432p-3), C(0x1.e9478ap-3), C(0x1.219d92p-2), C(0x1.20d5e2p-2));
    return e * u * q;
}

/* erf(x), 1.5 ULP: x times a polynomial in x^2 below 1, 1 - erfc(|x|) above. */
INLINE vf v_erf(vf x) {
    IN_DOUBLE(erf((double)x[0]));
    const vf a = v_abs(x), z = x * x;
    const vf q =
        POLYNOMIAL(z, C(0x1.4771fep-14), C(-0x1.a3515ep-11), C(0x1.53f224p-8), C(-0x1.b7f71ap-6),
                   C(0x1.ce2ce6p-4), C(-0x1.81273ep-2), C(0x1.06eba8p-3));
    const vf large = 1 - v_erfc_positive(a);
    return v_select(a < 1, v_fma(x, q, x), v_from_bits(v_bits(large) | v_sign(x)));
}

/* x / (1 + |x|), 1.5 ULP; the limit at infinity. */
INLINE vf v_softsign(vf x) {
    const plx_real largest = sizeof(plx_real) == sizeof(double) ? C(0x1p1000) : C(0x1p126);
    const vf bounded = v_at_least(-largest, v_less(v_splat(largest), x));
    return bounded / (1 + v_abs(bounded));
}
