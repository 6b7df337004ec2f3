/* Which kernel targets this processor and its operating system support. */
#include "base/platform.h"

uint32_t plx_platform_cpu_features(void) {
    uint32_t features = 0;
#if defined(__x86_64__)
    /* The compiler's run-time checks CPUID and XCR0, so the operating system's support counts
     * too. */
    __builtin_cpu_init();
    features |= PLX_CPU_SSE2;
    if (__builtin_cpu_supports("avx")) features |= PLX_CPU_AVX;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        features |= PLX_CPU_AVX2_FMA;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        features |= PLX_CPU_AVX512;
#elif defined(__aarch64__)
    features |= PLX_CPU_NEON;
#endif
    return features;
}
