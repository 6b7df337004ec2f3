/* Attention tile by tile: scores exist for one block of queries and one of keys at a time (Dao et
 * al., "FlashAttention", NeurIPS 2022), and the softmax is kept up to date from block to block
 * (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). */
#ifndef PLX_BLOCKS_ATTENTION_TILES_H
#define PLX_BLOCKS_ATTENTION_TILES_H

#include "base/context.h"

typedef struct plx__attention_args {
    int64_t batch, queries, keys, heads, kv_heads, width; /* of a head */
    bool causal; /* query i sees keys up to i + keys - queries */
    plx_real scale;
    const plx_real *q;            /* [batch, queries, heads, width] */
    const plx_real *k, *v;        /* [batch, keys, kv_heads, width] */
    const plx_real *mask;         /* NULL: none; else added to the scores */
    int64_t mask_batch, mask_row; /* strides in elements: 0 repeats */
    plx_real *out;                /* as q */
    plx_real *log_sums;           /* [batch, heads, queries]: log of the sum of exponentials */
    /* Backward: q, k, v, out and log_sums are read. */
    const plx_real *g; /* of out */
    plx_real *gq, *gk, *gv;
} plx__attention_args;

/* Bytes of scratch on `threads` threads. */
size_t plx__attention_workspace(const plx_ctx *ctx, const plx__attention_args *args, int threads);
size_t plx__attention_grad_workspace(const plx_ctx *ctx, const plx__attention_args *args,
                                     int threads);

/* The result has the same bits for every number of threads. */
void plx__attention_run(plx_ctx *ctx, const plx__attention_args *args, int threads,
                        void *workspace);
void plx__attention_grad_run(plx_ctx *ctx, const plx__attention_args *args, int threads,
                             void *workspace);

#endif
