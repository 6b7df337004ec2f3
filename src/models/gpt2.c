/* GPT-2: Radford et al., "Language models are unsupervised multitask learners", 2019. Decoder
 * blocks with the norm first and one more norm at the end, GELU in its tanh form, learnt positions,
 * and an output layer that shares the token table (Press and Wolf, EACL 2017). Dropout is where the
 * original has it, except for the attention weights, which are never in memory. */
#include "models/decoder.h"

#include "parallax.h"

enum { LAYERS, HEADS, WIDTH, HIDDEN, VOCABULARY, CONTEXT, DROPOUT };

static const plx__setting settings[] = {
    [LAYERS] = {"layers", 3, 1, 256, true},
    [HEADS] = {"heads", 4, 1, 1024, true},
    [WIDTH] = {"width", 128, 1, 65536, true},
    [HIDDEN] = {"hidden", 0, 0, 1 << 20, true}, /* 0: 4 times the width */
    [VOCABULARY] = {"vocabulary", 2000, 2, 1 << 24, true},
    [CONTEXT] = {"context", 64, 1, 1 << 20, true},
    [DROPOUT] = {"dropout", 0, 0, 0.99, false},
    {0},
};

static const plx__model_size sizes[] = {
    {"nano", ""},
    {"124m", "layers=12,heads=12,width=768,vocabulary=50257,context=1024,dropout=0.1"},
    {0},
};

static plx__decoder dimensions(const plx_model *model) {
    const double *set = model->settings;
    plx__decoder d = {
        .layers = (int64_t)set[LAYERS],
        .heads = (int64_t)set[HEADS],
        .kv_heads = (int64_t)set[HEADS],
        .width = (int64_t)set[WIDTH],
        .hidden = (int64_t)set[HIDDEN],
        .vocabulary = (int64_t)set[VOCABULARY],
        .context = (int64_t)set[CONTEXT],
    };
    if (!d.hidden) d.hidden = 4 * d.width;
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
    const plx__begin begin = {PLX_INIT_NORMAL, 0.02};
    const plx__block_options block = {
        .heads = d.heads,
        .hidden = d.hidden,
        .causal = true,
        .activation = PLX_GELU_TANH,
        .dropout = dropout,
        .epsilon = 1e-5,
        .begin = begin,
        /* "scale the weights of residual layers at initialization by a factor of 1/sqrt(N)", N
         * being their number */
        .residual_begin = {PLX_INIT_NORMAL, 0.02 / plx_math_sqrt(2 * (double)d.layers)},
        .cache = cache,
    };
    plx_node table;
    plx_node x = plx__embedding_layer(scope, "tokens", ids, d.vocabulary, d.width, begin, &table);
    x = cache ? plx__position_layer(scope, "positions", x, cache)
              : plx__positions_layer(scope, "positions", x, (plx__begin){PLX_INIT_NORMAL, 0.01});
    x = plx__dropout_layer(scope, "dropout", x, dropout);
    x = plx__blocks(scope, x, plx_none(), (int)d.layers, &block);
    x = plx__layer_norm_layer(scope, "norm", x, 1e-5);
    return plx__tied_dense(scope, "logits", x, table);
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    outputs[0] = step(model, scope, inputs[0], NULL);
    return 1;
}

const plx__family plx__family_gpt2 = {
    .name = "gpt2",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
    .step = step,
};
