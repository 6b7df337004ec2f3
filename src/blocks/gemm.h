/* Cache blocking, packing and threading of matrix products, independent of the ISA. */
#ifndef PLX_BLOCKS_GEMM_H
#define PLX_BLOCKS_GEMM_H

#include "base/context.h"
#include "kernels/kernels.h"

/* Orders in which kernels read the values of a weight. */
typedef enum plx__layout {
    PLX__PANELS = 0,        /* of the columns of a right operand: plx__gemm_pack */
    PLX__PANELS_TRANSPOSED, /* the same of the transpose */
    PLX__PLANES,            /* of a 3 x 3 convolution: plx__conv_pack */
} plx__layout;

/* c = act(alpha op(a) op(b) + beta c + bias), row-major; op transposes when ta or tb is set.
 * op(a) is m x k, op(b) k x n, c m x n; lda, ldb, ldc are the row strides of the arrays in memory.
 * bias has n elements and is added to every row; NULL: none. beta is 0 or 1 except through
 * plx_gemm. With k = 0 the product is zero. c must not overlap anything. */
typedef struct plx__gemm_args {
    int64_t m, n, k;
    bool ta, tb;
    plx_real alpha, beta;
    const plx_real *a, *b, *bias;
    bool one_bias;            /* bias has one element, for all of c */
    const plx_real *packed_b; /* op(b) as plx__gemm_pack left it, read in place of b; NULL: none */
    plx_real *c;
    int64_t lda, ldb, ldc;
    plx_activation act;
    plx_real act_param;
} plx__gemm_args;

/* Bytes of scratch that plx__gemm_run needs for these sizes on `threads` threads; often 0. */
size_t plx__gemm_workspace(const plx_ctx *ctx, const plx__gemm_args *args, int threads);

/* Whether each of several threads reads all of op(a): they then share the columns of c, else rows.
 */
bool plx__gemm_reads_all(const plx_ctx *ctx, const plx__gemm_args *args, int threads);

/* Whether the product is faster with an op(b) that stays packed from run to run; it has the same
 * bits either way. */
bool plx__gemm_keeps_packed(const plx_ctx *ctx, const plx__gemm_args *args);
/* Values of such an op(b), and the packing itself on `threads` threads; to: 64-byte aligned. */
int64_t plx__gemm_packed_values(const plx_ctx *ctx, const plx__gemm_args *args);
void plx__gemm_pack(plx_ctx *ctx, const plx__gemm_args *args, int threads, plx_real *to);

/* To be called before a panel [rows, nr] is packed: the kernel reads whole vectors, so zeros follow
 * columns that end within one. */
void plx__clear_panel(const plx_kernels *k, int64_t rows, int64_t columns, plx_real *panel);

/* Runs a product. workspace: 64-byte aligned, plx__gemm_workspace bytes. The result has the same
 * bits for every number of threads. */
void plx__gemm_run(plx_ctx *ctx, const plx__gemm_args *args, int threads, void *workspace);

/* Products of one size, those of args but for a, b and c: axis i of the batch has dims[i] of them,
 * whose left (right) operands are a[i] (b[i]) elements apart; 0: the same for all. The results lie
 * one after another. */
typedef struct plx__gemm_batch {
    plx__gemm_args args;
    int rank;
    int64_t dims[PLX_MAX_RANK], a[PLX_MAX_RANK], b[PLX_MAX_RANK];
} plx__gemm_batch;

/* Threads share the products, and the tiles of those that are left over or too few. */
size_t plx__gemm_batch_workspace(const plx_ctx *ctx, const plx__gemm_batch *batch, int threads);
void plx__gemm_batch_run(plx_ctx *ctx, const plx__gemm_batch *batch, int threads, void *workspace);

/* Applies y = act(x) to n elements through the context's kernels; x may equal y. */
void plx__activate(const plx_ctx *ctx, plx_activation act, plx_real param, int64_t n,
                   const plx_real *x, plx_real *y);

#endif
