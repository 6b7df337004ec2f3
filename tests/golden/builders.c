/* One call of the public header for each op of ops.json. */
#include "golden/golden.h"

#include <string.h>

#define IN(name) golden_input(c, name)
#define NUMBER(name) golden_number(c, name)
#define INTEGER(name) ((int64_t)golden_number(c, name))
#define AXIS ((int)golden_number(c, "axis"))

#define BUILDER(op, call)                                                                          \
    static void build_##op(const golden_case *c, plx_node *y) {                                    \
        y[0] = call;                                                                               \
    }
#define UNARY(op) BUILDER(op, plx_##op(c->graph, IN("x")))
#define BINARY(op) BUILDER(op, plx_##op(c->graph, IN("a"), IN("b")))
#define ALONG(op) BUILDER(op, plx_##op(c->graph, IN("x"), AXIS))
#define LOSS(op) BUILDER(op, plx_##op(c->graph, IN("prediction"), IN("target")))

BUILDER(matmul, plx_matmul(c->graph, IN("a"), IN("b"), NUMBER("ta") != 0, NUMBER("tb") != 0))
BUILDER(dense, plx_dense(c->graph, IN("x"), IN("w"), IN("b")))

/* The op has the name of the activation. */
static void build_activation(const golden_case *c, plx_node *y) {
    const char *name = cJSON_GetStringValue(golden_list(c->json, "op"));
    y[0] = plx_activate(c->graph, IN("x"), plx_activation_from_name(name), (plx_real)NUMBER("p"));
}

BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(max)
BINARY(min)
UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(square)
UNARY(abs)
UNARY(erf)
ALONG(reduce_sum)
ALONG(reduce_mean)
ALONG(reduce_max)
LOSS(mse)
BUILDER(cross_entropy, plx_cross_entropy(c->graph, IN("logits"), IN("labels")))

ALONG(softmax)
ALONG(log_softmax)
ALONG(log_sum_exp)
ALONG(argmax)
BINARY(pow)
UNARY(rsqrt)
UNARY(sin)
UNARY(cos)
BUILDER(prelu, plx_prelu(c->graph, IN("x"), IN("slope")))
BUILDER(clip, plx_clip(c->graph, IN("x"), NUMBER("low"), NUMBER("high")))

static plx_conv2d_options conv2d_options(const golden_case *c) {
    plx_conv2d_options options = plx_conv2d_default();
    golden_integers(c, "stride", options.stride);
    golden_integers(c, "padding", options.padding);
    golden_integers(c, "dilation", options.dilation);
    options.groups = INTEGER("groups");
    return options;
}

static void build_conv2d(const golden_case *c, plx_node *y) {
    const plx_conv2d_options options = conv2d_options(c);
    y[0] = plx_conv2d(c->graph, IN("x"), IN("weights"), IN("bias"), &options);
}

static void build_conv2d_transpose(const golden_case *c, plx_node *y) {
    const plx_conv2d_options options = conv2d_options(c);
    int64_t extra[PLX_MAX_RANK];
    golden_integers(c, "extra", extra);
    y[0] = plx_conv2d_transpose(c->graph, IN("x"), IN("weights"), IN("bias"), &options, extra);
}

static plx_pool2d_options pool2d_options(const golden_case *c) {
    plx_pool2d_options options = plx_pool2d_default(1);
    golden_integers(c, "size", options.size);
    golden_integers(c, "stride", options.stride);
    golden_integers(c, "padding", options.padding);
    golden_integers(c, "dilation", options.dilation);
    options.count_padding = NUMBER("count_padding") != 0;
    options.ceil = NUMBER("ceil") != 0;
    return options;
}

static void build_max_pool2d(const golden_case *c, plx_node *y) {
    const plx_pool2d_options options = pool2d_options(c);
    y[0] = plx_max_pool2d(c->graph, IN("x"), &options);
}

static void build_avg_pool2d(const golden_case *c, plx_node *y) {
    const plx_pool2d_options options = pool2d_options(c);
    y[0] = plx_avg_pool2d(c->graph, IN("x"), &options);
}

UNARY(global_avg_pool2d)

static void build_upsample2d(const golden_case *c, plx_node *y) {
    const bool nearest = !strcmp(golden_text(c, "method"), "nearest");
    y[0] = plx_upsample2d(c->graph, IN("x"), INTEGER("rows"), INTEGER("columns"),
                          nearest ? PLX_NEAREST : PLX_BILINEAR);
}

BUILDER(layer_norm, plx_layer_norm(c->graph, IN("x"), IN("scale"), IN("shift"), NUMBER("epsilon")))
BUILDER(rms_norm, plx_rms_norm(c->graph, IN("x"), IN("scale"), NUMBER("epsilon")))
BUILDER(group_norm, plx_group_norm(c->graph, IN("x"), INTEGER("groups"), IN("scale"), IN("shift"),
                                   NUMBER("epsilon")))
BUILDER(batch_norm, plx_batch_norm(c->graph, IN("x"), IN("scale"), IN("shift"), IN("running_mean"),
                                   IN("running_variance"), NUMBER("training") != 0,
                                   NUMBER("momentum"), NUMBER("epsilon")))

BUILDER(embedding, plx_embedding(c->graph, IN("table"), IN("ids")))

static void build_attention(const golden_case *c, plx_node *y) {
    const plx_attention_options options = {
        .heads = INTEGER("heads"),
        .kv_heads = INTEGER("kv_heads"),
        .causal = NUMBER("causal") != 0,
        .scale = NUMBER("scale"),
    };
    y[0] = plx_attention(c->graph, IN("q"), IN("k"), IN("v"), IN("mask"), &options);
}

static void build_lstm(const golden_case *c, plx_node *y) {
    y[0] = plx_lstm(c->graph, IN("x"), IN("w"), IN("r"), IN("bias"), IN("h0"), IN("c0"), plx_none(),
                    NUMBER("reverse") != 0, &y[1]);
}

BUILDER(gru, plx_gru(c->graph, IN("x"), IN("w"), IN("r"), IN("bias"), IN("recurrent_bias"),
                     IN("h0"), plx_none(), NUMBER("reverse") != 0, NUMBER("reset_after") != 0))

BUILDER(rope, plx_rope(c->graph, IN("x"), INTEGER("heads"), NUMBER("base"), INTEGER("first")))
BUILDER(swiglu, plx_swiglu(c->graph, IN("gate"), IN("up")))
BUILDER(geglu, plx_geglu(c->graph, IN("gate"), IN("up")))

BUILDER(gather, plx_gather(c->graph, IN("x"), IN("indices"), AXIS))

static void build_top_k(const golden_case *c, plx_node *y) {
    plx_top_k(c->graph, IN("x"), INTEGER("k"), &y[0], &y[1]);
}

static void build_transpose(const golden_case *c, plx_node *y) {
    int64_t values[PLX_MAX_RANK];
    int axes[PLX_MAX_RANK];
    const int rank = golden_integers(c, "axes", values);
    for (int i = 0; i < rank; ++i) axes[i] = (int)values[i];
    y[0] = plx_transpose(c->graph, IN("x"), axes);
}

BUILDER(slice,
        plx_slice(c->graph, IN("x"), AXIS, INTEGER("begin"), INTEGER("end"), INTEGER("step")))

static void build_pad(const golden_case *c, plx_node *y) {
    int64_t before[PLX_MAX_RANK], after[PLX_MAX_RANK];
    golden_integers(c, "before", before);
    golden_integers(c, "after", after);
    y[0] = plx_pad(c->graph, IN("x"), before, after, NUMBER("value"));
}

BUILDER(concat, plx_concat(c->graph, c->inputs_count, c->nodes, AXIS))

static void build_broadcast(const golden_case *c, plx_node *y) {
    int64_t dims[PLX_MAX_RANK];
    const int rank = golden_integers(c, "dims", dims);
    y[0] = plx_broadcast(c->graph, IN("x"), rank, dims);
}

static void build_split(const golden_case *c, plx_node *y) {
    int64_t sizes[PLX_MAX_RANK];
    const int count = golden_integers(c, "sizes", sizes);
    plx_split(c->graph, IN("x"), AXIS, count, sizes, y);
}

LOSS(l1)
BUILDER(huber, plx_huber(c->graph, IN("prediction"), IN("target"), NUMBER("delta")))
BUILDER(binary_cross_entropy, plx_binary_cross_entropy(c->graph, IN("logits"), IN("target")))
BUILDER(l2_normalize, plx_l2_normalize(c->graph, IN("x"), NUMBER("epsilon")))
BINARY(cosine_loss)
BUILDER(info_nce, plx_info_nce(c->graph, IN("a"), IN("b"), IN("scale")))

static void build_clip_by_norm(const golden_case *c, plx_node *y) {
    plx_clip_by_norm(c->graph, c->inputs_count, c->nodes, NUMBER("largest"), y);
}

static const golden_op ops[] = {
#define OP(name, builder) {#name, build_##builder},
#include "golden/golden.def"
#undef OP
};

const golden_op *golden_find_op(const char *name) {
    for (size_t i = 0; name && i < sizeof ops / sizeof ops[0]; ++i)
        if (!strcmp(ops[i].name, name)) return &ops[i];
    return NULL;
}
