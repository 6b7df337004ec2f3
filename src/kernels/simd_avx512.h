/* AVX-512 F, BW, DQ and VL: 16 lanes, masks for partial vectors. */
#ifndef PLX_KERNELS_SIMD_AVX512_H
#define PLX_KERNELS_SIMD_AVX512_H

#include <immintrin.h>

#define PLX_FEATURES PLX_CPU_AVX512
#define PARTIAL

INLINE vf v_fma(vf a, vf b, vf c) {
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

typedef double d_register __attribute__((vector_size(64)));
INLINE d_register d_fma(d_register a, d_register b, d_register c) {
    return (d_register)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

INLINE vf v_select(vi mask, vf a, vf b) {
    return (vf)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)mask), (__m512)b, (__m512)a);
}

INLINE vf v_greater(vf a, vf b) {
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
}

INLINE vf v_less(vf a, vf b) {
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
}

INLINE vf v_sqrt(vf x) {
    return (vf)_mm512_sqrt_ps((__m512)x);
}

INLINE vf v_broadcast(const float *p) {
    return (vf)_mm512_set1_ps(*p);
}

/* table[index] for the low five bits of each index. */
INLINE vf v_lookup(const float table[32], vi index) {
    return (vf)_mm512_permutex2var_ps(_mm512_loadu_ps(table), (__m512i)index,
                                      _mm512_loadu_ps(table + 16));
}

INLINE vf v_load_n(const float *p, int64_t n) {
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

INLINE void v_store_n(float *p, vf x, int64_t n) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)x);
}

#endif
