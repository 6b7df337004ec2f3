/* Functions that need more precision than float for intermediate values: vectors of double, twice
 * as wide as a register. Errors are little more than the rounding to float, 0.6 ULP unless stated,
 * with and without fused multiply-add; overflow is no concern, since every float is normal in
 * double. The double build uses the system's library. */

typedef double vd __attribute__((vector_size(VL * sizeof(double))));
typedef int64_t vdi __attribute__((vector_size(VL * sizeof(double))));

INLINE vd w_splat(double x) {
    return x - (vd){0};
}

INLINE vd w_of(vf x) {
    return __builtin_convertvector(x, vd);
}

INLINE vf w_round(vd x) {
    return __builtin_convertvector(x, vf);
}

/* a b + c, rounded once where FMA is set, register by register. */
INLINE vd w_fma(vd a, vd b, vd c) {
#if FMA
    enum { PARTS = sizeof(vd) / sizeof(d_register) };
    d_register as[PARTS], bs[PARTS], cs[PARTS];
    memcpy(as, &a, sizeof a);
    memcpy(bs, &b, sizeof b);
    memcpy(cs, &c, sizeof c);
    UNROLL
    for (int i = 0; i < PARTS; ++i) cs[i] = d_fma(as[i], bs[i], cs[i]);
    memcpy(&c, cs, sizeof c);
    return c;
#else
    return a * b + c;
#endif
}

#define W_POLYNOMIAL(x, ...)                                                                       \
    w_polynomial(x, (const double[]){__VA_ARGS__},                                                 \
                 (int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)))
INLINE vd w_polynomial(vd x, const double *coefficients, int count) {
    vd sum = w_splat(coefficients[0]);
    UNROLL
    for (int i = 1; i < count; ++i) sum = w_fma(sum, x, w_splat(coefficients[i]));
    return sum;
}

/* Adding this rounds to a whole number, which then stands in the low bits. */
#define W_MAGIC 0x1.8p52

/* 2^x for |x| <= 1000, relative error below 2^-28. */
INLINE vd w_exp2(vd x) {
    const vd shifted = x + W_MAGIC;
    const vd y = W_POLYNOMIAL(x - (shifted - W_MAGIC), 0x1.41d3f88ecf455p-13, 0x1.5f456ea4d4862p-10,
                              0x1.3b2dba7b68e60p-7, 0x1.c6aed4b0dc83ep-5, 0x1.ebfbdadee82f1p-3,
                              0x1.62e430c7ed79dp-1, 0x1.000000025fe9ap+0);
    return (vd)((vdi)y + ((vdi)shifted << 52));
}

#define LOG2_E 1.44269504088896340736

/* Clamps x to a range beyond which functions have reached their limits and within which products
 * and squares are safe. A NaN is the second operand of both, so it is kept. */
INLINE vf v_within(plx_real low, plx_real high, vf x) {
    return v_greater(v_splat(low), v_less(v_splat(high), x));
}

/* ---- Sigmoid and related functions ----------------------------------------------------------- */

/* exp(-x) for |x| < 300 */
INLINE vd w_exp_minus(vd x) {
    return w_exp2(x * -LOG2_E);
}

/* 1 / (1 + exp(-x)) */
INLINE vf v_sigmoid(vf x) {
    IN_DOUBLE(1 / (1 + exp(-(double)x[0])));
    return w_round(1 / (1 + w_exp_minus(w_of(v_within(-120, 120, x)))));
}

/* x / (1 + exp(-x)). The bounds are those of the slope, so that a kernel of both computes the
 * exponential once. */
INLINE vf v_silu(vf x) {
    IN_DOUBLE(x[0] < -800 ? C(-0.0) : (double)x[0] / (1 + exp(-(double)x[0])));
    const vf above = v_at_least(-150, x);
    return w_round(w_of(above) / (1 + w_exp_minus(w_of(v_within(-150, 150, x)))));
}

/* (1 + e (1 + x)) / (1 + e)^2 with e = exp(-x) */
INLINE vf v_silu_slope(vf x) {
    if (sizeof(plx_real) == sizeof(double)) {
        const vf near = v_within(-800, 800, x), s = v_sigmoid(near);
        return s * v_fma(near, 1 - s, v_splat(1));
    }
    const vd w = w_of(v_within(-150, 150, x)), e = w_exp_minus(w), d = 1 + e;
    return w_round(w_fma(e, w, d) / (d * d));
}

/* z = 2 sqrt(2 / pi) (x + 0.044715 x^3) */
#define GELU_TANH_1 1.59576912160573071176
#define GELU_TANH_3 (1.59576912160573071176 * 0.044715)

/* x / (1 + exp(-z)): Hendrycks and Gimpel, "Gaussian error linear units", 2016. */
INLINE vf v_gelu_tanh(vf x) {
    IN_DOUBLE(x[0] < -40 ? C(-0.0)
                         : (double)x[0] /
                               (1 + exp(-(double)x[0] * (GELU_TANH_1 + GELU_TANH_3 * (double)x[0] *
                                                                           (double)x[0]))));
    const vf above = v_at_least(-14, x);
    const vd w = w_of(v_within(-14, 14, x));
    const vd z = w * w_fma(w * w, w_splat(GELU_TANH_3), w_splat(GELU_TANH_1));
    return w_round(w_of(above) / (1 + w_exp_minus(z)));
}

/* (1 + e (1 + x dz/dx)) / (1 + e)^2 with e = exp(-z) */
INLINE vf v_gelu_tanh_slope(vf x) {
    if (sizeof(plx_real) == sizeof(double)) {
        const vf near = v_within(-30, 30, x), z2 = near * near;
        const vf s = v_sigmoid(near * (C(GELU_TANH_1) + C(GELU_TANH_3) * z2));
        return v_fma(near * s * (1 - s), C(GELU_TANH_1) + C(3 * GELU_TANH_3) * z2, s);
    }
    const vd w = w_of(v_within(-14, 14, x)), square = w * w;
    const vd z = w * w_fma(square, w_splat(GELU_TANH_3), w_splat(GELU_TANH_1));
    const vd slope = w * w_fma(square, w_splat(3 * GELU_TANH_3), w_splat(GELU_TANH_1));
    const vd e = w_exp_minus(z), d = 1 + e;
    return w_round(w_fma(e, slope, d) / (d * d));
}

/* max(x, 0) + log(1 + e), e = exp(-|x|); log(1 + e) = 2 artanh(e / (2 + e)). */
INLINE vf v_softplus(vf x) {
    IN_DOUBLE((x[0] > 0 ? (double)x[0] : 0) + log1p(exp(x[0] > 0 ? -(double)x[0] : (double)x[0])));
    const vd e = w_exp_minus(w_of(v_less(v_splat(120), v_abs(x)))), z = e / (2 + e);
    const vd q = W_POLYNOMIAL(z * z, 0x1.208bcef67d1cbp-2, 0x1.1e510e1bc9beep-2,
                              0x1.99dae61a8a4d8p-2, 0x1.5554df3caea3ap-1, 0x1.0000001101a4cp+1);
    return w_round(w_fma(z, q, w_of(v_greater(x, v_splat(0)))));
}

/* ---- GELU ------------------------------------------------------------------------------------ */

/* exp(-a^2 / 2) and M(a) = Phi(-a) exp(a^2 / 2) for a in [0, 15], relative error of M below 2^-27:
 * a polynomial in 1 / (a + 3), which decays as M does. */
INLINE vd w_normal_tail(vd a, vd *e) {
    const vd u = 1 / (a + 3);
    *e = w_exp2(a * a * (-0.5 * LOG2_E));
    return u * W_POLYNOMIAL(u, 0x1.9bc577c9456d4p+11, -0x1.a9d91db382b85p+12, 0x1.63b92e2d264e4p+12,
                            -0x1.2187a92ffcb10p+11, 0x1.b74146379248ep+8, -0x1.f1d0f05d58120p+5,
                            0x1.2c0b440ea2742p+4, 0x1.af55d6e13932ep+2, 0x1.9adaf97366c1cp+1,
                            0x1.3246d1736ba58p+0, 0x1.98857fab834b4p-2);
}

/* x Phi(x): gelu(-a) is -a Phi(-a), and gelu(a) is a + gelu(-a). */
INLINE vf v_gelu_wide(vf x) {
    IN_DOUBLE(x[0] < -60 ? C(-0.0)
                         : (double)x[0] * erfc(-(double)x[0] * 0.70710678118654752440) / 2);
    const vd a = w_of(v_less(v_splat(15), v_abs(x)));
    vd e;
    const vd m = w_normal_tail(a, &e);
    /* max(x, 0), but -0 where x has its sign. */
    const vf above = v_from_bits(v_bits(x) & ((x > 0) | v_bits(v_splat(C(-0.0)))));
    return w_round(w_of(above) - a * e * m);
}

/* Phi(x) + x phi(x): of -a it is exp(-a^2 / 2) (M(a) - a / sqrt(2 pi)), of a that less than 1. */
INLINE vf v_gelu_slope_wide(vf x) {
    const vf near = v_within(-40, 40, x); /* for the products of the double build */
    (void)near;
    IN_DOUBLE(erfc(-(double)near[0] * 0.70710678118654752440) / 2 +
              (double)near[0] * 0.39894228040143267794 *
                  exp(-0.5 * (double)near[0] * (double)near[0]));
    const vd a = w_of(v_less(v_splat(15), v_abs(x)));
    vd e;
    const vd m = w_normal_tail(a, &e);
    const vf below = w_round(e * w_fma(a, w_splat(-0.39894228040143267794), m));
    return v_select(x > 0, 1 - below, below);
}

/* ---- Powers ---------------------------------------------------------------------------------- */

/* log2 of a finite a > 0, relative error below 2^-44: a = m 2^e with m in [sqrt(1/2), sqrt(2)),
 * log m = 2 artanh((m - 1) / (m + 1)). */
INLINE vd w_log2(vf a) {
    const vi tiny = a < C(0x1p-126);
    const vi bits = v_bits(v_select(tiny, a * C(0x1p23), a));
    const vi e = (bits - 0x3f3504f3) >> 23; /* 0x3f3504f3: sqrt(1/2) */
    const vd m = w_of(v_from_bits(bits - (e << 23)));
    const vd z = (m - 1) / (m + 1);
    const vd q =
        W_POLYNOMIAL(z * z, 0x1.21b0ea97e962dp-2, 0x1.4795563580fdcp-2, 0x1.a61a2ec9b1b4ap-2,
                     0x1.2776c2933ecdcp-1, 0x1.ec709dc53c66bp-1, 0x1.71547652b8251p+1);
    return z * q + __builtin_convertvector(e - (tiny & 23), vd);
}

INLINE vi v_is_whole(vf a) {
    const vf rounding = v_splat(C(0x1p23)); /* from here on, all numbers are whole */
    return (a >= rounding) | ((a + rounding) - rounding == a);
}

/* x^y, 0.53 ULP, with the special cases of C99 (annex F.9.4.4), among them: x^0 = 1^y = 1 for NaN
 * too; a negative x takes whole y only, otherwise NaN. */
INLINE vf v_pow(vf x, vf y) {
    IN_DOUBLE(pow((double)x[0], (double)y[0]));
    const vf infinity = v_splat((plx_real)__builtin_inff()), zero = v_splat(0);
    const vf a = v_abs(x), b = v_abs(y);
    /* Beyond this bound the result is zero, one or infinite. */
    const vf bounded = v_at_least(C(-0x1p40), v_less(v_splat(C(0x1p40)), y));
    vd exponent = w_of(bounded) * w_log2(a);
    const vdi low = exponent < -1000, high = exponent > 1000;
    exponent = (vd)((low & (vdi)w_splat(-1000)) | (high & (vdi)w_splat(1000)) |
                    (~(low | high) & (vdi)exponent));
    const vf ordinary = w_round(w_exp2(exponent));
    const vf limit = v_select((a == 0) ^ (y > 0), infinity, zero);
    const vi at_end = (a == 0) | (a == infinity), whole = v_is_whole(b);
    const vi negative = v_bits(x) < 0, odd = whole & ~v_is_whole(C(0.5) * b);
    vf result = v_select(at_end, limit, ordinary);
    result = v_from_bits(v_bits(result) | (v_sign(x) & negative & odd));
    result = v_select(negative & ~whole & ~at_end, v_splat((plx_real)__builtin_nanf("")), result);
    result = v_select((x != x) | (y != y), x + y, result);
    return v_select((y == 0) | (x == 1), v_splat(1), result);
}

/* ---- Mish ------------------------------------------------------------------------------------ */

/* x tanh(log(1 + exp(x))) = x n / (n + 2) with n = e (e + 2), e = exp(x): Misra, "Mish: a self
 * regularized non-monotonic activation function", 2019. */
INLINE vf v_mish(vf x) {
    IN_DOUBLE(x[0] < -800
                  ? C(-0.0)
                  : (double)x[0] * tanh(x[0] > 40 ? (double)x[0] : log1p(exp((double)x[0]))));
    const vf above = v_at_least(-120, x);
    const vd e = w_exp2(w_of(v_less(v_splat(40), above)) * LOG2_E), n = e * (e + 2);
    return w_round(w_of(above) * n / (n + 2));
}

/* n / (n + 2) + 4 x e (1 + e) / (n + 2)^2 */
INLINE vf v_mish_slope(vf x) {
    if (sizeof(plx_real) == sizeof(double)) {
        const vf near = v_within(-800, 40, x), e = v_exp(near), n = e * (e + 2), d = n + 2;
        return (n * d + 4 * near * e * (e + 1)) / (d * d);
    }
    const vd w = w_of(v_within(-120, 40, x)), e = w_exp2(w * LOG2_E), n = e * (e + 2), d = n + 2;
    return w_round(w_fma(n, d, 4 * w * e * (e + 1)) / (d * d));
}

/* ---- Sine and cosine ------------------------------------------------------------------------- */

/* A finite x >= 2^20 minus the nearest multiple of pi/2, whose last two bits go to *quadrant: Payne
 * and Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18(1), 1983. x = m
 * 2^e; of 2/pi, only those bits are multiplied that neither give multiples of 4 nor lie below the
 * last place. */
static __attribute__((noinline)) double reduce_huge(float x, int64_t *quadrant) {
    /* 32 zeros and 2/pi. */
    static const uint32_t bits_of[] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                       0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t m = (bits & 0x7fffff) | 0x800000;
    const uint32_t first = (bits >> 23) - 120, shift = first & 31;
    const uint32_t *from = bits_of + (first >> 5);
    uint64_t words[3];
    for (int i = 0; i < 3; ++i) words[i] = (((uint64_t)from[i] << 32 | from[i + 1]) << shift) >> 32;
    const uint64_t turns = (m * words[0] << 32) + m * words[1] + (m * words[2] >> 32);
    const uint64_t nearest = (turns + (UINT64_C(1) << 61)) >> 62;
    *quadrant = (int64_t)nearest;
    return (double)(int64_t)(turns - (nearest << 62)) * (0x1p-62 * 1.57079632679489661923);
}

/* sin(x + turn pi/2) for turn 0 or 1, 0.9 ULP: |x| minus a multiple of pi/2, in double, and a
 * polynomial. */
INLINE vf v_sine(vf x, int turn) {
    IN_DOUBLE(turn ? cos((double)x[0]) : sin((double)x[0]));
    const vf a = v_abs(x);
    const vd w = w_of(a), shifted = w * 0.63661977236758134308 + W_MAGIC;
    const vd multiple = shifted - W_MAGIC;
    /* pi/2 in two parts: 33 bits, exact when multiplied, and 53 more. */
    vd reduced = (w - multiple * 0x1.921fb544p+0) - multiple * 0x1.0b4611a626331p-34;
    vdi quadrant = (vdi)shifted;
    const vi huge = (a >= C(0x1p20)) & (a < v_splat((plx_real)__builtin_inff()));
    if (v_any(huge)) {
        double remainders[VL];
        int64_t quadrants[VL];
        plx_real values[VL];
        memcpy(remainders, &reduced, sizeof reduced);
        memcpy(quadrants, &quadrant, sizeof quadrant);
        v_store(values, v_from_bits(v_bits(a) & huge));
        for (int i = 0; i < VL; ++i)
            if (values[i] > 0) remainders[i] = reduce_huge((float)values[i], &quadrants[i]);
        memcpy(&reduced, remainders, sizeof reduced);
        memcpy(&quadrant, quadrants, sizeof quadrant);
    }
    const vf r = w_round(reduced), rest = w_round(reduced - w_of(r));
    const vi q = __builtin_convertvector(quadrant, vi) + turn;
    const vf z = r * r, half = C(0.5) * z, near = 1 - half;
    const vf s =
        POLYNOMIAL(z, C(0x1.7cd80ep-19), C(-0x1.a05bbap-13), C(0x1.111176p-7), C(-0x1.555556p-3));
    const vf c = POLYNOMIAL(z, C(0x1.99e806p-16), C(-0x1.6c0c28p-10), C(0x1.55554ap-5));
    const vf sine = r + v_fma(r * z, s, rest);
    const vf cosine = near + (((1 - near) - half) + v_fma(z * z, c, -r * rest));
    const vi sign = (q << (8 * (int)sizeof(plx_real) - 2)) & v_bits(v_splat(C(-0.0)));
    /* The sine is odd, the cosine even. */
    const vi own = turn ? v_splat_int(0) : v_sign(x);
    return v_from_bits(v_bits(v_select((q & 1) != 0, cosine, sine)) ^ sign ^ own);
}
