/* GELU, x Phi(x) (Hendrycks and Gimpel, "Gaussian error linear units", 2016), and its slope, Phi(x)
 * + x phi(x). With 16 lanes, a table of 32 entries is read by one instruction: each interval has
 * its own polynomial, of low degree, and the few numbers beyond the last are computed in double. */

#if VL == 16

#include "kernels/gelu_table.inc.c"

#define CHEAP_GELU_GRAD true
#define GELU_END 5.41F /* just below 31.5 intervals of 11/64, where index would be 32 */

/* The distance d of size from the point c of its interval. */
typedef struct gelu_place {
    vf c, d;
    vi index;
} gelu_place;

INLINE gelu_place v_gelu_place(vf size) {
    const vf magic = v_splat(0x1.8p23F);
    const vi index = v_bits(v_fma(size, v_splat(64.F / 11), magic));
    const vf c = v_lookup(gelu_c, index);
    return (gelu_place){c, size - c, index};
}

/* s + t = exp(-d h - rest) for small d and rest; t is at most 0.15. */
INLINE vf v_exp_near_one(vf d, vf h, vf rest, vf *t) {
    const vf s = v_fma(-d, h, v_splat(1)), left = 1 - s;
    const vf low = v_fma(-d, h, left) - rest, r = low - left;
    /* Pairs of terms: fewer wait for each other than in Horner's rule. */
    const vf square = r * r;
    const vf q0 = v_fma(r, v_splat(0x1.555558p-3F), v_splat(0x1.000002p-1F));
    const vf q1 = v_fma(r, v_splat(0x1.11103cp-7F), v_splat(0x1.555252p-5F));
    const vf q2 = v_fma(r, v_splat(0x1.a16668p-13F), v_splat(0x1.6ee90ep-10F));
    *t = v_fma(square, v_fma(square, v_fma(square, q2, q1), q0), low);
    return s;
}

/* 1 ULP for |x| <= GELU_END. */
INLINE vf v_gelu(vf x) {
    const gelu_place at = v_gelu_place(v_abs(x));
    const vf m = v_fma(v_fma(v_lookup(gelu_m2, at.index), at.d, v_lookup(gelu_m1, at.index)), at.d,
                       v_lookup(gelu_m0, at.index));
    vf t;
    const vf s = v_exp_near_one(at.d, v_lookup(gelu_H, at.index), at.d * at.d * m, &t);
    /* Phi(x) = T (s + t) below zero, 1 less that above, as a sum of two numbers. */
    const vi above = ~v_bits(x) >> 31;
    const vf factor = v_from_bits(v_bits(v_lookup(gelu_T, at.index)) | above << 31);
    const vf whole = v_from_bits(v_bits(v_splat(1)) & above);
    const vf high = v_fma(factor, s, whole), lost = v_fma(factor, s, whole - high);
    return v_fma(x, high, x * v_fma(factor, t, lost));
}

INLINE vf v_gelu_slope(vf x) {
    const gelu_place at = v_gelu_place(v_abs(x));
    vf t, low = v_lookup(gelu_g4, at.index);
    const vf s = v_exp_near_one(at.d, at.c, 0.5F * at.d * at.d, &t);
    low = v_fma(low, at.d, v_lookup(gelu_g3, at.index));
    low = v_fma(low, at.d, v_lookup(gelu_g2, at.index));
    low = v_fma(low, at.d, v_lookup(gelu_g1, at.index));
    low = v_fma(low, at.d, v_lookup(gelu_g0, at.index));
    const vf high = v_lookup(gelu_G, at.index);
    const vf below = v_fma(s, high, v_fma(t, high + low, s * low));
    return v_select(x > 0, 1 - below, below);
}

/* Elements that are looked at together. Most blocks have none beyond the end, and their loop keeps
 * all tables in registers. */
enum { GELU_BLOCK = 256 };

static bool beyond_gelu_end(int64_t n, const float *x) {
    vi beyond = v_splat_int(0);
    for (int64_t i = 0; i < n; i += VL) beyond |= v_abs(v_load_up_to(x + i, n - i)) > GELU_END;
    return v_any(beyond);
}

INLINE vf v_gelu_anywhere(vf x) {
    const vi beyond = v_abs(x) > GELU_END;
    const vf y = v_gelu(x);
    return v_any(beyond) ? v_select(beyond, v_gelu_wide(x), y) : y;
}

INLINE vf v_gelu_slope_anywhere(vf x) {
    const vi beyond = v_abs(x) > GELU_END;
    const vf y = v_gelu_slope(x);
    return v_any(beyond) ? v_select(beyond, v_gelu_slope_wide(x), y) : y;
}

static __attribute__((noinline)) void gelu_anywhere(int64_t n, const float *x, float *y) {
    MAP1_ONCE(n, x, y, v_gelu_anywhere(a))
}

static __attribute__((noinline)) void gelu_slope_anywhere(int64_t n, const float *x, float *slope) {
    MAP1_ONCE(n, x, slope, v_gelu_slope_anywhere(a))
}

static void k_gelu(int64_t n, const float *x, float *y, float p) {
    (void)p;
    for (; n > 0; n -= GELU_BLOCK, x += GELU_BLOCK, y += GELU_BLOCK) {
        const int64_t some = n < GELU_BLOCK ? n : GELU_BLOCK;
        if (beyond_gelu_end(some, x))
            gelu_anywhere(some, x, y);
        else
            MAP1_ONCE(some, x, y, v_gelu(a))
    }
}

static void gelu_slope(int64_t n, const float *x, float *slope) {
    if (beyond_gelu_end(n, x))
        gelu_slope_anywhere(n, x, slope);
    else
        MAP1_ONCE(n, x, slope, v_gelu_slope(a))
}

static void k_gelu_grad(int64_t n, const float *x, const float *gy, float *gx, float p) {
    (void)p;
    float slope[GELU_BLOCK];
    for (; n > 0; n -= GELU_BLOCK, x += GELU_BLOCK, gy += GELU_BLOCK, gx += GELU_BLOCK) {
        const int64_t some = n < GELU_BLOCK ? n : GELU_BLOCK;
        gelu_slope(some, x, slope);
        MAP2_ONCE(some, slope, gy, gx, b * a)
    }
}

static void k_gelu_slope(int64_t n, const float *x, float *y, float *slope) {
    for (; n > 0; n -= GELU_BLOCK, x += GELU_BLOCK, y += GELU_BLOCK, slope += GELU_BLOCK) {
        const int64_t some = n < GELU_BLOCK ? n : GELU_BLOCK;
        gelu_slope(some, x, slope);
        k_gelu(some, x, y, 0);
    }
}

#else

#define CHEAP_GELU_GRAD false

INLINE vf v_gelu(vf x) {
    return v_gelu_wide(x);
}

INLINE vf v_gelu_slope(vf x) {
    return v_gelu_slope_wide(x);
}

WITH_SLOPE(gelu)

#endif
