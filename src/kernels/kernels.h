/* The table of hot loops that every target fills. Callers hold a pointer to one table, chosen once
 * per context, so a call costs one indirect jump and no branch. */
#ifndef PLX_KERNELS_KERNELS_H
#define PLX_KERNELS_KERNELS_H

#include "parallax.h"

/* Hyperparameters of one Adam or AdamW step, computed once per step in double precision. */
typedef struct plx__adam_step {
    plx_real beta1, beta2, epsilon;
    plx_real rate;        /* learning rate / (1 - beta1^t) */
    plx_real correction2; /* 1 / sqrt(1 - beta2^t) */
    plx_real decay;       /* AdamW: learning rate * weight decay, subtracted from p; else 0 */
    plx_real l2;          /* Adam: weight decay added to the gradient; else 0 */
} plx__adam_step;

typedef struct plx__sgd_step {
    plx_real rate, momentum, l2;
    bool nesterov;
} plx__sgd_step;

typedef struct plx__lion_step {
    plx_real beta1, beta2, rate;
    plx_real decay; /* learning rate * weight decay, subtracted from p */
} plx__lion_step;

typedef struct plx__rmsprop_step {
    plx_real alpha, left; /* left: 1 - alpha */
    plx_real epsilon, rate, momentum, l2;
} plx__rmsprop_step;

/* The order of a product's sum over k, part of the numeric contract: products are added one after
 * another in chains of PLX_GEMM_CHAIN, chains into sums of PLX_GEMM_DEEP products, and those sums
 * with their rounding errors (two_sum). The error for equal terms is then at most 25 EPS (a chain
 * of c contributes c EPS / 8). */
enum { PLX_GEMM_CHAIN = 128, PLX_GEMM_DEEP = 8192 };

typedef struct plx_kernels {
    const char *name;     /* "avx2" */
    int vl;               /* lanes of a vector */
    bool fma;             /* whether v_fma rounds once */
    bool exact;           /* member of the bit-for-bit family: 4 lanes, no FMA */
    bool cheap_gelu_grad; /* evaluating it costs less than keeping the derivative */
    int mr, nr;           /* tile of the GEMM micro-kernel, in elements */
    int pair_rows;        /* of gemm_pair, at most */
    int64_t kc, mc;       /* cache blocks; kc is a multiple of PLX_GEMM_CHAIN */
    int peak_flops;       /* of one round of peak */
    uint32_t features;    /* PLX_CPU_* that it needs */
#define KERNEL(result, name, args) result(*name) args;
#include "kernels/kernels.def"
#undef KERNEL
} plx_kernels;

/* The linked targets, best first, and how many. */
const plx_kernels *const *plx__kernels_list(int *count);

/* The kernels for rows of n values: those of own, or, for rows of one or two vectors of 512 bits of
 * which the last is at most half full, those for vectors of 256 bits: up to a third faster. */
const plx_kernels *plx__row_kernels(const plx_kernels *own, int64_t n);

/* Picks the best target this processor runs, or the one called name (NULL: PARALLAX_ISA, else the
 * best; exact: the best of the bit-for-bit family). Fails with PLX_ERR_UNSUPPORTED and a message
 * that lists what is available. */
struct plx__message;
plx_status plx__kernels_pick(const char *name, bool exact, const plx_kernels **out,
                             struct plx__message *message);

#endif
