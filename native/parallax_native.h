/* Additions of the native library to parallax.h: matrix products by the system's BLAS, found at run
 * time (OpenBLAS, or Accelerate on macOS). */
#ifndef PARALLAX_NATIVE_H
#define PARALLAX_NATIVE_H

#include "parallax.h"

#ifdef __cplusplus
extern "C" {
#endif

PLX_BEGIN_EXPORTS

/* The provider, or NULL if there is none. It lives as long as the process, and the first call
 * decides what later calls return. *note (if note is not NULL) is set to a sentence that lives as
 * long: why there is no provider, or that OpenBLAS chose kernels that fall short of the processor
 * and better ones are used instead; "" if there is nothing to report. set_threads adds to it when
 * the system does not let the process start that many threads; the provider then works with those
 * it has. OPENBLAS_CORETYPE in the environment takes precedence. */
const plx_gemm_provider *plx_native_cblas(const char **note);

/* The same with the kernels that OpenBLAS chooses by itself, for comparison. */
const plx_gemm_provider *plx_native_cblas_unaided(const char **note);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
