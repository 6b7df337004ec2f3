/* Convolutions, pooling, norms, attention, embedding, shape operations and the other losses. */
#include "bench/suites/ops_cases.h"

/* Adds an operand without a gradient. */
static plx_node fixed(plx_ops_graph *g, int rank, const int64_t *dims, double low, double high) {
    const plx_node node = plx__ops_values(g, rank, dims, low, high);
    if (g->status == PLX_OK) g->value_count -= 1;
    return node;
}

/* ---- Convolution: n, rows, columns, channels in, channels out -------------------------------- */

static plx_node convolve(plx_ops_graph *g, const int64_t *d, int64_t kernel, int64_t stride,
                         bool depthwise) {
    plx_conv2d_options options = plx_conv2d_default();
    const int64_t out = depthwise ? d[3] : d[4];
    options.stride[0] = options.stride[1] = stride;
    options.groups = depthwise ? d[3] : 1;
    plx_conv2d_same(&options, d[1], d[2], kernel, kernel);
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]);
    const plx_node w = PLX_OPS_VALUES(g, kernel, kernel, depthwise ? 1 : d[3], out);
    return plx_conv2d(g->graph, x, w, PLX_OPS_VALUES(g, out), &options);
}

static plx_node conv_3x3(plx_ops_graph *g, const int64_t *d) {
    return convolve(g, d, 3, 1, false);
}

static plx_node conv_1x1(plx_ops_graph *g, const int64_t *d) {
    return convolve(g, d, 1, 1, false);
}

static plx_node conv_depthwise(plx_ops_graph *g, const int64_t *d) {
    return convolve(g, d, 3, 1, true);
}

static plx_node conv_stride_2(plx_ops_graph *g, const int64_t *d) {
    return convolve(g, d, 3, 2, false);
}

static plx_node conv_7x7(plx_ops_graph *g, const int64_t *d) {
    return convolve(g, d, 7, 2, false);
}

/* Doubles rows and columns. */
static plx_node conv_transposed(plx_ops_graph *g, const int64_t *d) {
    plx_conv2d_options options = plx_conv2d_default();
    options.stride[0] = options.stride[1] = 2;
    for (int i = 0; i < 4; ++i) options.padding[i] = 1;
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]);
    const plx_node w = PLX_OPS_VALUES(g, 4, 4, d[4], d[3]);
    return plx_conv2d_transpose(g->graph, x, w, PLX_OPS_VALUES(g, d[4]), &options, NULL);
}

/* ---- Pooling: n, rows, columns, channels ----------------------------------------------------- */

static plx_node max_pool(plx_ops_graph *g, const int64_t *d) {
    const plx_pool2d_options options = plx_pool2d_default(2);
    return plx_max_pool2d(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]), &options);
}

static plx_node avg_pool(plx_ops_graph *g, const int64_t *d) {
    const plx_pool2d_options options = plx_pool2d_default(2);
    return plx_avg_pool2d(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]), &options);
}

static plx_node global_pool(plx_ops_graph *g, const int64_t *d) {
    return plx_global_avg_pool2d(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]));
}

static plx_node nearest(plx_ops_graph *g, const int64_t *d) {
    return plx_upsample2d(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]), 2, 2, PLX_NEAREST);
}

static plx_node bilinear(plx_ops_graph *g, const int64_t *d) {
    return plx_upsample2d(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]), 2, 2, PLX_BILINEAR);
}

/* ---- Normalisation --------------------------------------------------------------------------- */

static plx_node layer_norm(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]), scale = PLX_OPS_VALUES(g, d[1]);
    return plx_layer_norm(g->graph, x, scale, PLX_OPS_VALUES(g, d[1]), 1e-5);
}

static plx_node rms_norm(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_rms_norm(g->graph, x, PLX_OPS_VALUES(g, d[1]), 1e-5);
}

static plx_node group_norm(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]), scale = PLX_OPS_VALUES(g, d[3]);
    return plx_group_norm(g->graph, x, 8, scale, PLX_OPS_VALUES(g, d[3]), 1e-5);
}

static plx_node normalise_batch(plx_ops_graph *g, const int64_t *d, bool training) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]);
    const plx_node scale = PLX_OPS_VALUES(g, d[3]), shift = PLX_OPS_VALUES(g, d[3]);
    const plx_node mean = fixed(g, 1, d + 3, -1, 1), variance = fixed(g, 1, d + 3, 0.5, 2);
    return plx_batch_norm(g->graph, x, scale, shift, mean, variance, training, 0.1, 1e-5);
}

static plx_node batch_norm(plx_ops_graph *g, const int64_t *d) {
    return normalise_batch(g, d, true);
}

static plx_node batch_norm_inference(plx_ops_graph *g, const int64_t *d) {
    return normalise_batch(g, d, false);
}

/* ---- Attention: batch, positions, heads, width of a head ------------------------------------- */

static plx_node attend(plx_ops_graph *g, const int64_t *d, bool causal, int64_t kv_heads) {
    const plx_attention_options options = {.heads = d[2], .kv_heads = kv_heads, .causal = causal};
    const plx_node q = PLX_OPS_VALUES(g, d[0], d[1], d[2] * d[3]);
    const plx_node k = PLX_OPS_VALUES(g, d[0], d[1], kv_heads * d[3]);
    const plx_node v = PLX_OPS_VALUES(g, d[0], d[1], kv_heads * d[3]);
    return plx_attention(g->graph, q, k, v, plx_none(), &options);
}

static plx_node attention(plx_ops_graph *g, const int64_t *d) {
    return attend(g, d, false, d[2]);
}

static plx_node attention_causal(plx_ops_graph *g, const int64_t *d) {
    return attend(g, d, true, d[2]);
}

static plx_node attention_grouped(plx_ops_graph *g, const int64_t *d) {
    return attend(g, d, true, d[2] / 4);
}

static plx_node rope(plx_ops_graph *g, const int64_t *d) {
    return plx_rope(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2] * d[3]), d[2], 10000, 0);
}

static plx_node swiglu(plx_ops_graph *g, const int64_t *d) {
    const plx_node gate = PLX_OPS_VALUES(g, d[0]);
    return plx_swiglu(g->graph, gate, PLX_OPS_VALUES(g, d[0]));
}

static plx_node geglu(plx_ops_graph *g, const int64_t *d) {
    const plx_node gate = PLX_OPS_VALUES(g, d[0]);
    return plx_geglu(g->graph, gate, PLX_OPS_VALUES(g, d[0]));
}

/* Vocabulary, width, ids. */
static plx_node embedding(plx_ops_graph *g, const int64_t *d) {
    const plx_node table = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_embedding(g->graph, table, plx__ops_indices(g, 1, d + 2, d[0]));
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static plx_node transpose(plx_ops_graph *g, const int64_t *d) {
    return plx_transpose(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), (const int[]){1, 0});
}

static plx_node transpose_heads(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]);
    return plx_transpose(g->graph, x, (const int[]){0, 2, 1, 3});
}

static plx_node slice(plx_ops_graph *g, const int64_t *d) {
    return plx_slice(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), 1, d[1] / 4, 3 * d[1] / 4, 1);
}

static plx_node concat(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_concat(g->graph, 2, (const plx_node[]){x, PLX_OPS_VALUES(g, d[0], d[1])}, 1);
}

static plx_node pad(plx_ops_graph *g, const int64_t *d) {
    const int64_t sides[] = {0, 1, 1, 0};
    return plx_pad(g->graph, PLX_OPS_VALUES(g, d[0], d[1], d[2], d[3]), sides, sides, 0);
}

static plx_node broadcast(plx_ops_graph *g, const int64_t *d) {
    return plx_broadcast(g->graph, PLX_OPS_VALUES(g, 1, d[1]), 2, d);
}

static plx_node gather(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_gather(g->graph, x, plx__ops_indices(g, 1, d, d[0]), 0);
}

static plx_node argmax(plx_ops_graph *g, const int64_t *d) {
    g->indices = true;
    return plx_argmax(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node top_k(plx_ops_graph *g, const int64_t *d) {
    plx_node values = plx_none();
    plx_top_k(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), 8, &values, NULL);
    return values;
}

static plx_node clip(plx_ops_graph *g, const int64_t *d) {
    return plx_clip(g->graph, PLX_OPS_VALUES(g, d[0]), -0.5, 0.5);
}

/* ---- Rows and losses ------------------------------------------------------------------------- */

static plx_node softmax_columns(plx_ops_graph *g, const int64_t *d) {
    return plx_softmax(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), 0);
}

static plx_node log_sum_exp(plx_ops_graph *g, const int64_t *d) {
    return plx_log_sum_exp(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node l2_normalize(plx_ops_graph *g, const int64_t *d) {
    return plx_l2_normalize(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), 1e-6);
}

static plx_node l1(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_l1(g->graph, x, PLX_OPS_VALUES(g, d[0], d[1]));
}

static plx_node huber(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_huber(g->graph, x, PLX_OPS_VALUES(g, d[0], d[1]), 1);
}

static plx_node binary_cross_entropy(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_binary_cross_entropy(g->graph, x, fixed(g, 2, d, 0, 1));
}

static plx_node cosine(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_cosine_loss(g->graph, x, PLX_OPS_VALUES(g, d[0], d[1]));
}

static plx_node info_nce(plx_ops_graph *g, const int64_t *d) {
    const plx_node a = PLX_OPS_VALUES(g, d[0], d[1]), b = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_info_nce(g->graph, a, b, plx_constant(g->graph, 14));
}

#define VECTORS {{1 << 10}, {4099}, {1 << 16}, {1 << 22}}
#define ROWS {{16, 64}, {1027, 9}, {512, 256}, {4096, 1024}}
#define IMAGES {{1, 14, 14, 32}, {8, 31, 33, 8}, {1, 56, 56, 64}, {8, 112, 112, 64}}
#define HEADS {{1, 64, 8, 64}, {3, 37, 4, 10}, {1, 256, 8, 64}, {1, 1024, 8, 64}}

const plx_ops_case plx__ops_cases_more[] = {
    {"conv2d 3x3",
     conv_3x3,
     {{1, 14, 14, 64, 64}, {3, 15, 13, 9, 11}, {1, 56, 56, 64, 64}, {8, 32, 32, 64, 64}},
     true,
     true},
    {"conv2d 1x1",
     conv_1x1,
     {{1, 14, 14, 64, 64}, {3, 15, 13, 9, 11}, {1, 56, 56, 64, 256}, {8, 32, 32, 256, 64}},
     true,
     true},
    {"conv2d 3x3 depthwise",
     conv_depthwise,
     {{1, 14, 14, 64}, {3, 15, 13, 9}, {1, 56, 56, 64}, {8, 56, 56, 128}},
     true,
     true},
    {"conv2d 3x3 stride 2",
     conv_stride_2,
     {{1, 28, 28, 32, 64}, {3, 15, 13, 9, 11}, {1, 56, 56, 64, 128}, {8, 56, 56, 64, 128}},
     true,
     true},
    {"conv2d 7x7 stride 2",
     conv_7x7,
     {{1, 32, 32, 3, 64}, {3, 17, 19, 1, 7}, {1, 112, 112, 3, 64}, {1, 224, 224, 3, 64}},
     true,
     true},
    {"conv2d transpose",
     conv_transposed,
     {{1, 7, 7, 64, 32}, {3, 5, 9, 7, 3}, {1, 28, 28, 64, 32}, {8, 28, 28, 64, 32}},
     true,
     true},
    {"max pool", max_pool, IMAGES, false, false},
    {"average pool", avg_pool, IMAGES, false, false},
    {"global average pool", global_pool, IMAGES, false, false},
    {"upsample nearest", nearest, IMAGES, false, false},
    {"upsample bilinear", bilinear, IMAGES, false, false},
    {"layer_norm", layer_norm, ROWS, false, true},
    {"rms_norm", rms_norm, ROWS, false, true},
    {"group_norm", group_norm, IMAGES, false, true},
    {"batch_norm", batch_norm, IMAGES, false, true},
    {"batch_norm inference", batch_norm_inference, IMAGES, false, false},
    {"attention", attention, HEADS, true, true},
    {"attention causal", attention_causal, HEADS, true, true},
    {"attention grouped", attention_grouped, HEADS, true, true},
    {"rope", rope, HEADS, false, false},
    {"swiglu", swiglu, VECTORS, false, true},
    {"geglu", geglu, VECTORS, false, true},
    {"embedding",
     embedding,
     {{1000, 64, 64}, {37, 9, 515}, {10000, 256, 1024}, {50257, 768, 4096}},
     false,
     true},
    {"transpose", transpose, ROWS, false, false},
    {"transpose heads", transpose_heads, HEADS, false, false},
    {"slice", slice, ROWS, false, false},
    {"concat", concat, ROWS, false, false},
    {"pad", pad, IMAGES, false, false},
    {"broadcast", broadcast, ROWS, false, false},
    {"gather", gather, ROWS, false, false},
    {"argmax", argmax, ROWS, false, false},
    {"top_k", top_k, ROWS, false, false},
    {"clip", clip, VECTORS, false, false},
    {"softmax of columns", softmax_columns, ROWS, false, false},
    {"log_sum_exp", log_sum_exp, ROWS, false, false},
    {"l2_normalize", l2_normalize, ROWS, false, false},
    {"l1", l1, ROWS, false, false},
    {"huber", huber, ROWS, false, false},
    {"binary cross entropy", binary_cross_entropy, ROWS, false, true},
    {"cosine loss", cosine, ROWS, false, false},
    {"info_nce", info_nce, {{16, 64}, {17, 9}, {64, 128}, {256, 512}}, true, false},
    {0},
};
