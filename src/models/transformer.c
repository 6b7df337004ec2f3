/* The decoder of LLaMA: Touvron et al., 2023. RMSNorm before each part (Zhang and Sennrich, NeurIPS
 * 2019), rotary positions (Su et al., 2021), SwiGLU (Shazeer, 2020), grouped queries (Ainslie et
 * al., EMNLP 2023), and no biases. The output layer shares the token table unless tied is 0. */
#include "models/decoder.h"

#include "parallax.h"

enum { LAYERS, HEADS, KV_HEADS, WIDTH, HIDDEN, VOCABULARY, CONTEXT, ROPE_BASE, TIED, DROPOUT };

static const plx__setting settings[] = {
    [LAYERS] = {"layers", 3, 1, 256, true},
    [HEADS] = {"heads", 4, 1, 1024, true},
    [KV_HEADS] = {"kv_heads", 0, 0, 1024, true}, /* 0: half as many as heads, at least one */
    [WIDTH] = {"width", 128, 1, 65536, true},
    [HIDDEN] = {"hidden", 0, 0, 1 << 20, true}, /* 0: as many parameters as GPT-2 */
    [VOCABULARY] = {"vocabulary", 2000, 2, 1 << 24, true},
    [CONTEXT] = {"context", 64, 1, 1 << 20, true},
    [ROPE_BASE] = {"rope_base", 10000, 1, 1e9, false},
    [TIED] = {"tied", 1, 0, 1, true},
    [DROPOUT] = {"dropout", 0, 0, 0.99, false},
    {0},
};

static const plx__model_size sizes[] = {
    {"nano", ""},
    {0},
};

/* The hidden width for which the model has as many parameters as GPT-2 with the same other
 * dimensions, rounded to a multiple of 8. With width d and key width g, a layer of GPT-2 has 12 d^2
 * + 13 d parameters, plus a share of its position table; a layer here has 2 d^2 + 2 d g + 2 d, plus
 * 3 d for each hidden unit. */
static int64_t equal_hidden(const plx__decoder *d) {
    const int64_t keys = d->width / d->heads * d->kv_heads;
    const int64_t three = 10 * d->width - 2 * keys + 11 + d->context / d->layers;
    const int64_t hidden = (three / 3 + 4) / 8 * 8;
    return hidden < 8 ? 8 : hidden;
}

static plx__decoder dimensions(const plx_model *model) {
    const double *set = model->settings;
    plx__decoder d = {
        .layers = (int64_t)set[LAYERS],
        .heads = (int64_t)set[HEADS],
        .kv_heads = (int64_t)set[KV_HEADS],
        .width = (int64_t)set[WIDTH],
        .hidden = (int64_t)set[HIDDEN],
        .vocabulary = (int64_t)set[VOCABULARY],
        .context = (int64_t)set[CONTEXT],
        .rotary = true,
    };
    if (!d.kv_heads) d.kv_heads = d.heads % 2 ? d.heads : d.heads / 2;
    if (!d.hidden) d.hidden = equal_hidden(&d);
    return d;
}

static plx_status ports(plx_model *model) {
    const plx__decoder d = dimensions(model);
    return plx__decoder_ports(model, &d);
}

static plx_node step(const plx_model *model, const plx_scope *scope, plx_node ids,
                     const plx__cache *cache) {
    const plx__decoder d = dimensions(model);
    const double dropout = model->settings[DROPOUT];
    const plx__begin table_begin = {PLX_INIT_NORMAL, 0.02};
    /* N(0, 1 / inputs) preserves the unit variance of rows (LeCun et al., "Efficient BackProp",
     * 1998); LLaMA's paper does not say how its matrices are initialised. */
    const plx__begin begin = {PLX_INIT_NORMAL, 1 / plx_math_sqrt((double)d.width)};
    const plx__block_options block = {
        .heads = d.heads,
        .kv_heads = d.kv_heads,
        .hidden = d.hidden,
        .causal = true,
        .rms_norm = true,
        .gated = true,
        .rope_base = model->settings[ROPE_BASE],
        .no_bias = true,
        .dropout = dropout,
        .epsilon = 1e-5,
        .begin = begin,
        .residual_begin = {PLX_INIT_NORMAL, begin.value / plx_math_sqrt(2 * (double)d.layers)},
        .cache = cache,
    };
    plx_node table;
    plx_node x =
        plx__embedding_layer(scope, "tokens", ids, d.vocabulary, d.width, table_begin, &table);
    x = plx__dropout_layer(scope, "dropout", x, dropout);
    x = plx__blocks(scope, x, plx_none(), (int)d.layers, &block);
    x = plx__rms_norm_layer(scope, "norm", x, 1e-5);
    if (model->settings[TIED] == 0)
        return plx__dense(scope, "logits", x, d.vocabulary, table_begin, false);
    return plx__tied_dense(scope, "logits", x, table);
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    outputs[0] = step(model, scope, inputs[0], NULL);
    return 1;
}

const plx__family plx__family_transformer = {
    .name = "transformer",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
    .step = step,
};
