/* WebAssembly: 4 lanes. wasmrelaxed may fuse multiply and add, at the host's choice; wasm128 is
 * bit-for-bit. */
#ifndef PLX_KERNELS_SIMD_WASM_H
#define PLX_KERNELS_SIMD_WASM_H

#include <wasm_simd128.h>

#if PLX_ISA == PLX_ISA_wasmrelaxed
#define PLX_FEATURES PLX_CPU_WASM_RELAXED
#else
#define PLX_FEATURES PLX_CPU_WASM128
#endif

INLINE vf v_fma(vf a, vf b, vf c) {
#if FMA
    return (vf)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
#else
    return a * b + c;
#endif
}

#if FMA
typedef double d_register __attribute__((vector_size(16)));
INLINE d_register d_fma(d_register a, d_register b, d_register c) {
    return (d_register)wasm_f64x2_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
}
#endif

INLINE vf v_select(vi mask, vf a, vf b) {
    return (vf)wasm_v128_bitselect((v128_t)a, (v128_t)b, (v128_t)mask);
}

/* pmax(x, y) is x < y ? y : x. */
INLINE vf v_greater(vf a, vf b) {
    return (vf)wasm_f32x4_pmax((v128_t)b, (v128_t)a);
}

/* pmin(x, y) is y < x ? y : x. */
INLINE vf v_less(vf a, vf b) {
    return (vf)wasm_f32x4_pmin((v128_t)b, (v128_t)a);
}

INLINE vf v_sqrt(vf x) {
    return (vf)wasm_f32x4_sqrt((v128_t)x);
}

/* Not a splat of a scalar load: engines compile this to one instruction, and that to two. */
INLINE vf v_broadcast(const float *p) {
    return (vf)wasm_v128_load32_splat(p);
}

#endif
