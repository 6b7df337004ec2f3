/* The vector operations used by the kernels. Arithmetic, comparison and integer work are GNU vector
 * extensions; simd_<isa>.h supplies what those lack, and the generic forms at the end provide the
 * rest. Comparison gives a vector of integers, all ones where it holds. */
#ifndef PLX_KERNELS_SIMD_H
#define PLX_KERNELS_SIMD_H

#include "kernels/kernels.h"

#include "base/platform.h"

#include <string.h>

#define PLX_JOIN_(a, b) a##b
#define PLX_JOIN(a, b) PLX_JOIN_(a, b)
#define PLX_TEXT_(a) #a
#define PLX_TEXT(a) PLX_TEXT_(a)

#define PLX_ISA_scalar 1
#define PLX_ISA_sse2 2
#define PLX_ISA_avx2 3
#define PLX_ISA_avx512 4
#define PLX_ISA_neon128 5
#define PLX_ISA_neon 6
#define PLX_ISA_wasm128 7
#define PLX_ISA_wasmrelaxed 8
#define PLX_ISA_avx128 9
#define PLX_ISA PLX_JOIN(PLX_ISA_, PLX_TARGET)

/* VL: lanes of a vector. FMA: whether v_fma rounds once. A target of 4 lanes without it belongs to
 * the bit-for-bit family. */
#if PLX_ISA == PLX_ISA_scalar
#define VL 1
#define FMA 0
#elif PLX_ISA == PLX_ISA_avx2
#define VL 8
#define FMA 1
#elif PLX_ISA == PLX_ISA_avx512
#define VL 16
#define FMA 1
#else
#define VL 4
#define FMA (PLX_ISA == PLX_ISA_neon || PLX_ISA == PLX_ISA_wasmrelaxed)
#endif
#define EXACT (VL == 4 && !FMA)

#define INLINE static inline __attribute__((always_inline))
/* Code that seldom runs is compiled for size. */
#ifdef __clang__
#define SELDOM static __attribute__((noinline, minsize))
#else
#define SELDOM static __attribute__((noinline, cold))
#endif
/* Code that is not copied for callers with constant arguments. */
#ifdef __clang__
#define SHARED static __attribute__((noinline, minsize))
#else
#define SHARED static __attribute__((noinline, noclone))
#endif
#define UNROLL_BY(times) _Pragma(PLX_TEXT(GCC unroll times))
#define UNROLL UNROLL_BY(32)

typedef plx_real vf __attribute__((vector_size(VL * sizeof(plx_real))));
/* Integers of the same width, the result of a comparison. */
typedef __typeof__(__builtin_choose_expr(sizeof(plx_real) == sizeof(double), (int64_t)0,
                                         (int32_t)0)) lane_int;
typedef lane_int vi __attribute__((vector_size(VL * sizeof(plx_real))));

INLINE vf v_load(const plx_real *p) {
    vf x;
    memcpy(&x, p, sizeof x);
    return x;
}

INLINE void v_store(plx_real *p, vf x) {
    memcpy(p, &x, sizeof x);
}

/* x - 0 keeps -0 and folds away; 0 + x would cost an addition. */
INLINE vf v_splat(plx_real x) {
    return x - (vf){0};
}

INLINE vi v_splat_int(int x) {
    return x - (vi){0};
}

/* 0, 1, ... VL - 1 */
INLINE vi v_lanes(void) {
    vi x;
    UNROLL
    for (int i = 0; i < VL; ++i) x[i] = i;
    return x;
}

/* Every ISA header defines
 *   v_fma(a, b, c)      a b + c, rounded once where FMA is set, else twice
 *   v_greater(a, b)     a > b ? a : b, so b where either is NaN or both are zero
 *   v_less(a, b)        a < b ? a : b
 *   v_sqrt(x)
 *   v_select(m, a, b)   a in lanes where m is all ones, b where it is 0
 *   v_broadcast(p)      *p in all lanes
 *   d_fma(a, b, c)      where FMA is set: v_fma of a register of double, d_register
 * and, under PARTIAL, its own v_load_n and v_store_n. */
#if PLX_ISA == PLX_ISA_scalar
#include "kernels/simd_scalar.h"
#elif PLX_ISA == PLX_ISA_sse2 || PLX_ISA == PLX_ISA_avx128
#include "kernels/simd_sse2.h"
#elif PLX_ISA == PLX_ISA_avx2
#include "kernels/simd_avx2.h"
#elif PLX_ISA == PLX_ISA_avx512
#include "kernels/simd_avx512.h"
#elif PLX_ISA == PLX_ISA_neon128 || PLX_ISA == PLX_ISA_neon
#include "kernels/simd_neon.h"
#elif PLX_ISA == PLX_ISA_wasm128 || PLX_ISA == PLX_ISA_wasmrelaxed
#include "kernels/simd_wasm.h"
#else
#error "PLX_TARGET names no kernel target"
#endif

/* Loads n elements, 1 <= n <= VL, with zero in the other lanes; memory past the last is not
 * touched. */
#ifndef PARTIAL
INLINE vf v_load_n(const plx_real *p, int64_t n) {
#if VL == 4
    if (n == 1) return (vf){p[0]};
    if (n == 2) return (vf){p[0], p[1]};
    if (n == 3) return (vf){p[0], p[1], p[2]};
#else
    (void)n;
#endif
    return v_load(p);
}

INLINE void v_store_n(plx_real *p, vf x, int64_t n) {
#if VL == 4
    if (n < 4) {
        p[0] = x[0];
        if (n > 1) p[1] = x[1];
        if (n > 2) p[2] = x[2];
        return;
    }
#else
    (void)n;
#endif
    v_store(p, x);
}
#endif

/* The same at the end of a row. With 4 lanes that takes a few branches; in WebAssembly, whose
 * modules are downloaded, they are not inlined. */
#if VL == 4 && defined(__wasm__)
#define AT_THE_END static __attribute__((noinline))
#else
#define AT_THE_END INLINE
#endif

AT_THE_END vf load_tail(const plx_real *p, int64_t n) {
    return v_load_n(p, n);
}

AT_THE_END void store_tail(plx_real *p, vf x, int64_t n) {
    v_store_n(p, x, n);
}

/* Loads a whole or partial vector, for loops whose body is too large to be compiled twice. */
INLINE vf load_some(const plx_real *p, int64_t lanes) {
    return lanes == VL ? v_load(p) : load_tail(p, lanes);
}

INLINE void store_some(plx_real *p, vf x, int64_t lanes) {
    if (lanes == VL)
        v_store(p, x);
    else
        store_tail(p, x, lanes);
}

/* NaN where either is NaN; b where both are equal, so the sign of zero depends only on the order of
 * the operands. */
INLINE vf v_max(vf a, vf b) {
    return v_select(a != a, a, v_greater(a, b));
}

INLINE vf v_min(vf a, vf b) {
    return v_select(a != a, a, v_less(a, b));
}

INLINE vf v_from_bits(vi x) {
    return (vf)x;
}

INLINE vi v_bits(vf x) {
    return (vi)x;
}

/* The sign bit of each lane. */
INLINE vi v_sign(vf x) {
    return v_bits(x) & v_bits(v_splat((plx_real)-0.0));
}

INLINE vf v_abs(vf x) {
    return v_from_bits(v_bits(x) & ~v_bits(v_splat((plx_real)-0.0)));
}

/* Whether the mask holds in any lane. */
INLINE bool v_any(vi mask) {
#if VL >= 4
    int64_t halves[sizeof mask / sizeof(int64_t)], any = 0;
    memcpy(halves, &mask, sizeof mask);
    UNROLL
    for (size_t i = 0; i < sizeof mask / sizeof(int64_t); ++i) any |= halves[i];
    return any != 0;
#else
    return mask[0] != 0;
#endif
}

/* The sum of all lanes: lane l is first added to lane l + VL/2, then to the lane VL/4 away, and so
 * on. */
INLINE plx_real v_sum(vf x) {
    plx_real lanes[VL];
    v_store(lanes, x);
    UNROLL
    for (int half = VL / 2; half >= 1; half /= 2) {
        UNROLL
        for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

/* The largest lane, NaN if one is. Halves of a wide vector are compared first. */
INLINE plx_real v_max_lanes(vf x) {
#if VL >= 4
    typedef plx_real quad __attribute__((vector_size(4 * sizeof(plx_real))));
    typedef lane_int quad_int __attribute__((vector_size(4 * sizeof(plx_real))));
    quad quads[VL / 4];
    memcpy(quads, &x, sizeof x);
    UNROLL
    for (int half = VL / 8; half >= 1; half /= 2) {
        UNROLL
        for (int i = 0; i < half; ++i) {
            const quad a = quads[i], b = quads[i + half];
            const quad_int first = (a > b) | (a != a);
            quads[i] = (quad)((first & (quad_int)a) | (~first & (quad_int)b));
        }
    }
    plx_real lanes[4];
    memcpy(lanes, quads, sizeof lanes);
    UNROLL
    for (int i = 1; i < 4; ++i)
        if (lanes[i] > lanes[0] || lanes[i] != lanes[i]) lanes[0] = lanes[i];
    return lanes[0];
#else
    return x[0];
#endif
}

#endif
