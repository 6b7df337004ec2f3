/* 4 lanes, no fused multiply-add: sse2, which every x86-64 has, and avx128, the same operations in
 * the three-operand encoding of AVX, which saves most register moves. */
#ifndef PLX_KERNELS_SIMD_SSE2_H
#define PLX_KERNELS_SIMD_SSE2_H

#include <emmintrin.h>

#if PLX_ISA == PLX_ISA_avx128
#define PLX_FEATURES PLX_CPU_AVX
#else
#define PLX_FEATURES PLX_CPU_SSE2
#endif

INLINE vf v_fma(vf a, vf b, vf c) {
    return a * b + c;
}

INLINE vf v_select(vi mask, vf a, vf b) {
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

INLINE vf v_greater(vf a, vf b) {
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
}

INLINE vf v_less(vf a, vf b) {
    return (vf)_mm_min_ps((__m128)a, (__m128)b);
}

INLINE vf v_sqrt(vf x) {
    return (vf)_mm_sqrt_ps((__m128)x);
}

INLINE vf v_broadcast(const float *p) {
    return (vf)_mm_set1_ps(*p);
}

#endif
