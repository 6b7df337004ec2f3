/* One lane, in plain C: the reference for the other targets, and the only one in double. */
#ifndef PLX_KERNELS_SIMD_SCALAR_H
#define PLX_KERNELS_SIMD_SCALAR_H

#define PLX_FEATURES 0

INLINE vf v_fma(vf a, vf b, vf c) {
    return a * b + c;
}

INLINE vf v_select(vi mask, vf a, vf b) {
    return mask[0] ? a : b;
}

INLINE vf v_greater(vf a, vf b) {
    return a[0] > b[0] ? a : b;
}

INLINE vf v_less(vf a, vf b) {
    return a[0] < b[0] ? a : b;
}

INLINE vf v_sqrt(vf x) {
    const plx_real root = sizeof(plx_real) == sizeof(float)
                              ? (plx_real)__builtin_sqrtf((float)x[0])
                              : (plx_real)__builtin_sqrt((double)x[0]);
    return (vf){root};
}

INLINE vf v_broadcast(const plx_real *p) {
    return v_splat(*p);
}

#endif
