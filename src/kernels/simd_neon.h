/* 64-bit ARM: 4 lanes. neon fuses multiply and add; neon128 does not and is bit-for-bit. The
 * hardware maximum treats NaN and -0 differently from the other targets, so compare and select are
 * used. */
#ifndef PLX_KERNELS_SIMD_NEON_H
#define PLX_KERNELS_SIMD_NEON_H

#include <arm_neon.h>

#define PLX_FEATURES PLX_CPU_NEON

INLINE vf v_fma(vf a, vf b, vf c) {
#if FMA
    return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

#if FMA
typedef double d_register __attribute__((vector_size(16)));
INLINE d_register d_fma(d_register a, d_register b, d_register c) {
    return (d_register)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#endif

INLINE vf v_select(vi mask, vf a, vf b) {
    return (vf)vbslq_f32((uint32x4_t)mask, (float32x4_t)a, (float32x4_t)b);
}

INLINE vf v_greater(vf a, vf b) {
    return v_select(a > b, a, b);
}

INLINE vf v_less(vf a, vf b) {
    return v_select(a < b, a, b);
}

INLINE vf v_sqrt(vf x) {
    return (vf)vsqrtq_f32((float32x4_t)x);
}

INLINE vf v_broadcast(const float *p) {
    return (vf)vld1q_dup_f32(p);
}

#endif
