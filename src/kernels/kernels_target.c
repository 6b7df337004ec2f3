/* The one translation unit that is compiled once per target, with -DPLX_TARGET=<isa> and that
 * target's flags. It defines exactly one symbol for others and calls no function of another unit
 * that may be compiled more than once: the linker could keep the copy that this processor cannot
 * run. Block sizes are defined here, next to the kernels they belong to. */
#include "kernels/simd.h"

/* The GEMM tile is MR rows by NV vectors, chosen so that accumulators, a row of B and a broadcast
 * element of A fit the registers: 16 on x86 before AVX-512 and in what WebAssembly engines use, 32
 * elsewhere. The inner loop is unrolled K_UNROLL times, which hides its counter on cores that issue
 * few instructions at a time. MC x KC of A and KC rows of B are packed at a time, for the L2 cache
 * (1 MiB or more where there is AVX-512) and the one behind it. KC is a multiple of the chains of
 * the sums (kernels.h), whose order therefore does not depend on it. */
#define KC 512
#define GEMM_CHAIN PLX_GEMM_CHAIN
#define GEMM_DEEP PLX_GEMM_DEEP
#if PLX_ISA == PLX_ISA_scalar
#define MR 4
#define NV 4
#elif PLX_ISA == PLX_ISA_sse2
#define MR 2
#define NV 4
#define K_UNROLL 2
#define GEMM_PAIR_ROWS 1
#elif PLX_ISA == PLX_ISA_avx128
#define MR 4
#define NV 2
#define K_UNROLL 2
#elif PLX_ISA == PLX_ISA_avx2
#define MR 6
#define NV 2
#elif PLX_ISA == PLX_ISA_avx512
#define MR 14
#define NV 2
#define GEMM_PAIR_ROWS 6
#define MC 182
#elif PLX_ISA == PLX_ISA_neon || PLX_ISA == PLX_ISA_neon128
#define MR 8
#define NV 2
#else
#define MR 2
#define NV 4
#define GEMM_PAIR_ROWS 1
#endif
#ifndef K_UNROLL
#define K_UNROLL 1
#endif
#ifndef GEMM_PAIR_ROWS
#define GEMM_PAIR_ROWS 2
#endif
#ifndef MC
#define MC (96 / MR * MR)
#endif

#include "kernels/math.inc.c"

#include "kernels/wide.inc.c"

#include "kernels/elementwise.inc.c"

#include "kernels/gelu.inc.c"

#include "kernels/random.inc.c"

#include "kernels/reduce.inc.c"

#include "kernels/softmax.inc.c"

#include "kernels/norm.inc.c"

#include "kernels/pool.inc.c"

#include "kernels/gemm.inc.c"

#include "kernels/gemv.inc.c"

#include "kernels/transpose.inc.c"

#include "kernels/conv.inc.c"

#include "kernels/optimizer.inc.c"

#include "kernels/attention.inc.c"

#include "kernels/futures.inc.c"

#include "kernels/peak.inc.c"

extern const plx_kernels PLX_JOIN(plx__kernels_, PLX_TARGET);
const plx_kernels PLX_JOIN(plx__kernels_, PLX_TARGET) = {
    .name = PLX_TEXT(PLX_TARGET),
    .vl = VL,
    .fma = FMA,
    .exact = EXACT,
    .cheap_gelu_grad = CHEAP_GELU_GRAD,
    .mr = MR,
    .nr = NV * VL,
    .pair_rows = GEMM_PAIR_ROWS,
    .kc = KC,
    .mc = MC,
    .peak_flops = PEAK_FLOPS,
    .features = PLX_FEATURES,
#define KERNEL(result, kernel, args) .kernel = k_##kernel,
#ifdef PLX_INFERENCE
#define TRAINING(result, kernel, args)
#endif
#include "kernels/kernels.def"
#undef KERNEL
};
