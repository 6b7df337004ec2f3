/* AVX2 with FMA: 8 lanes. */
#ifndef PLX_KERNELS_SIMD_AVX2_H
#define PLX_KERNELS_SIMD_AVX2_H

#include <immintrin.h>

#define PLX_FEATURES PLX_CPU_AVX2_FMA
#define PARTIAL

INLINE vf v_fma(vf a, vf b, vf c) {
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

typedef double d_register __attribute__((vector_size(32)));
INLINE d_register d_fma(d_register a, d_register b, d_register c) {
    return (d_register)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

INLINE vf v_select(vi mask, vf a, vf b) {
    return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
}

INLINE vf v_greater(vf a, vf b) {
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}

INLINE vf v_less(vf a, vf b) {
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}

INLINE vf v_sqrt(vf x) {
    return (vf)_mm256_sqrt_ps((__m256)x);
}

INLINE vf v_broadcast(const float *p) {
    return (vf)_mm256_broadcast_ss(p);
}

INLINE vf v_load_n(const float *p, int64_t n) {
    const vi mask = v_lanes() < v_splat_int((int)n);
    return (vf)_mm256_maskload_ps(p, (__m256i)mask);
}

/* Stores by halves: masked stores are slow on some processors. */
INLINE void v_store_n(float *p, vf x, int64_t n) {
    if (n == 8) {
        v_store(p, x);
        return;
    }
    __m128 part = _mm256_castps256_ps128((__m256)x);
    if (n & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps((__m256)x, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if (n & 1) _mm_store_ss(p, part);
}

#endif
