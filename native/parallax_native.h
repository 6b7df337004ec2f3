/* What the native library has beyond parallax.h: matrix products by the system's BLAS, found at run
 * time: OpenBLAS, or Accelerate on macOS. */
#ifndef PARALLAX_NATIVE_H
#define PARALLAX_NATIVE_H

#include "parallax.h"

#ifdef __cplusplus
extern "C" {
#endif

PLX_BEGIN_EXPORTS

/* The provider, or NULL where there is none; it lives as long as the process, and the first call
 * decides what later ones give. *note (if note is not NULL) becomes a sentence that lives as long:
 * why there is none, or that OpenBLAS chose kernels below what the processor has and better ones
 * were used instead; "" when there is nothing to say. set_threads adds to it where the system does
 * not let the process start as many threads; the provider works with those it has. An
 * OPENBLAS_CORETYPE in the environment has its way. */
const plx_gemm_provider *plx_native_cblas(const char **note);

/* The same with the kernels that OpenBLAS chooses by itself, for comparison. */
const plx_gemm_provider *plx_native_cblas_unaided(const char **note);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
