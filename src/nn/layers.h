/* Layers as functions: they add nodes to a scope's graph and get their weights by name below it. */
#ifndef PLX_NN_LAYERS_H
#define PLX_NN_LAYERS_H

#include "nn/weights.h"

/* How a matrix is initialised. */
typedef struct plx__begin {
    plx_init init;
    double value;
} plx__begin;

/* x w + b: x [..., in], "weight" [in, units], "bias" [units]. */
plx_node plx__dense(const plx_scope *scope, const char *name, plx_node x, int64_t units,
                    plx__begin begin, bool bias);
/* x [n, h, w, in], "weight" [kh, kw, in / groups, out], "bias" [out]; of a conv1d layer, h and kh
 * are 1, and "weight" is [kw, in / groups, out]. */
plx_node plx__conv(const plx_scope *scope, const char *name, plx_node x, const plx_layer *layer,
                   plx__begin begin);
/* The transpose of a convolution: "weight" [kh, kw, out / groups, in], "bias" [out]. */
plx_node plx__conv_transpose(const plx_scope *scope, const char *name, plx_node x,
                             const plx_layer *layer, plx__begin begin);
/* An lstm or gru layer of x [batch, time, in], with g gates: "weight" [in, g units],
 * "recurrent_weight" [units, g units], "bias" [g units], and of a gru unless reset_before
 * "recurrent_bias" [g units]. mask: for plx_lstm and plx_gru, or plx_none(). in_order: sequences
 * are in the order of x also backwards. */
plx_node plx__recurrent_layer(const plx_scope *scope, const char *name, plx_node x, plx_node mask,
                              const plx_layer *layer, plx__begin begin, bool in_order);
/* "scale" and "shift" [channels] start as 1 and 0. */
plx_node plx__layer_norm_layer(const plx_scope *scope, const char *name, plx_node x,
                               double epsilon);
plx_node plx__rms_norm_layer(const plx_scope *scope, const char *name, plx_node x, double epsilon);
/* Also has "mean" and "variance", which are state. scale: initial value of its scale. */
plx_node plx__batch_norm_layer(const plx_scope *scope, const char *name, plx_node x, double scale,
                               double momentum, double epsilon);
/* ids [...] i32, "table" [vocabulary, width]; the table is returned too, for tied outputs (NULL:
 * not wanted). */
plx_node plx__embedding_layer(const plx_scope *scope, const char *name, plx_node ids,
                              int64_t vocabulary, int64_t width, plx__begin begin, plx_node *table);
/* x table^T: an output layer that shares an embedding's table (Press and Wolf, EACL 2017). */
plx_node plx__tied_dense(const plx_scope *scope, const char *name, plx_node x, plx_node table);
/* x [b, s, width] + "table" [s, width]. */
plx_node plx__positions_layer(const plx_scope *scope, const char *name, plx_node x,
                              plx__begin begin);
plx_node plx__dropout_layer(const plx_scope *scope, const char *name, plx_node x, double rate);
/* Non-overlapping patches of x [n, h, w, c] as rows: [n, (h / patch) (w / patch), width]
 * (Dosovitskiy et al., ICLR 2021). */
plx_node plx__patches(const plx_scope *scope, const char *name, plx_node x, int64_t patch,
                      int64_t width, plx__begin begin);

/* The cached keys and values of earlier positions, for processing a sequence one position at a
 * time, as samples [1, 1, width]. */
typedef struct plx__cache {
    plx_node position; /* i32 [1]: the position of this run */
    int64_t context;   /* number of positions */
    plx_weights *rows; /* of every attention layer, created along with the layers */
} plx__cache;

/* x [1, 1, width] + the row of that position of a "table" that plx__positions_layer made. */
plx_node plx__position_layer(const plx_scope *scope, const char *name, plx_node x,
                             const plx__cache *cache);
/* For each of ids [b, t]: padding for id 0, word for all others; [b, t, 1], without gradients. */
plx_node plx__by_padding(plx_graph *graph, plx_node ids, int64_t vocabulary, double padding,
                         double word);
/* The mask for plx_attention that hides padding (id 0): [b, 1, t]. */
plx_node plx__padding_mask(plx_graph *graph, plx_node ids, int64_t vocabulary);
/* Hides the padding of ids [batch, length] from the layers of a scope. */
void plx__mask_padding(plx_scope *scope, plx_node ids, int64_t vocabulary);

/* The attention and the hidden layer of a transformer, each with a residual. */
typedef struct plx__block_options {
    int64_t heads, kv_heads; /* kv_heads 0: heads */
    int64_t hidden;          /* 0: 4 times the width */
    bool causal;
    bool post_norm; /* norm(x + f(x)) (Vaswani et al., NeurIPS 2017); else x + f(norm(x)) (Xiong et
                       al., ICML 2020) */
    bool rms_norm;  /* without mean and shift */
    bool gated;     /* SwiGLU for the hidden layer */
    double rope_base; /* 0: no rotary positions */
    bool no_bias;
    plx_activation activation; /* of a hidden layer that is not gated */
    double dropout, epsilon;
    plx__begin begin;          /* of matrices */
    plx__begin residual_begin; /* of the matrices whose result is added to the residual */
    const plx__cache *cache;   /* NULL: x is whole sequences */
} plx__block_options;

/* Multi-head self-attention of x [b, s, width] with a mask for plx_attention, or plx_none(). */
plx_node plx__attention_layer(const plx_scope *scope, const char *name, plx_node x, plx_node mask,
                              const plx__block_options *options);
plx_node plx__block(const plx_scope *scope, const char *name, plx_node x, plx_node mask,
                    const plx__block_options *options);
/* A stack of count blocks: block_0, block_1, ... */
plx_node plx__blocks(const plx_scope *scope, plx_node x, plx_node mask, int count,
                     const plx__block_options *options);

#endif
