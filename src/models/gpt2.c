/* GPT-2: Radford et al., "Language models are unsupervised multitask learners", 2019. Decoder
 * blocks with the norm first, learnt positions, and an output layer that shares the table of
 * tokens. */
#include "nn/layers.h"
#include "nn/model.h"

#include "base/dmath.h"

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

static plx_status ports(plx_model *model) {
    model->inputs[0] = (plx_port){.name = "ids",
                                  .dtype = PLX_DTYPE_I32,
                                  .rank = 1,
                                  .dims = {(int64_t)model->settings[CONTEXT]},
                                  .classes = (int64_t)model->settings[VOCABULARY]};
    model->inputs_count = 1;
    model->outputs[0].name = "logits";
    return PLX_OK;
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    const double *set = model->settings;
    plx_graph *graph = scope->graph;
    const int64_t width = (int64_t)set[WIDTH];
    const plx__begin begin = {PLX_INIT_NORMAL, 0.02};
    const plx__block_options block = {
        .heads = (int64_t)set[HEADS],
        .hidden = (int64_t)set[HIDDEN],
        .causal = true,
        .activation = PLX_GELU_TANH,
        .dropout = set[DROPOUT],
        .epsilon = 1e-5,
        .begin = begin,
        /* "scale the weights of residual layers at initialization by a factor of 1/sqrt(N)" */
        .residual_begin = {PLX_INIT_NORMAL, 0.02 / plx__sqrt(2 * set[LAYERS])},
    };
    plx_node table;
    plx_node x = plx__embedding_layer(scope, "tokens", inputs[0], (int64_t)set[VOCABULARY], width,
                                      begin, &table);
    x = plx__positions_layer(scope, "positions", x, (plx__begin){PLX_INIT_NORMAL, 0.01});
    x = plx__dropout_layer(scope, "dropout", x, set[DROPOUT]);
    for (int i = 0; i < (int)set[LAYERS]; ++i) {
        char name[24];
        plx__format(name, sizeof name, "block_%d", i);
        x = plx__block(scope, name, x, plx_none(), &block);
    }
    x = plx__layer_norm_layer(scope, "norm", x, 1e-5);
    const int32_t first = plx__layer_begin(scope);
    outputs[0] =
        plx__layer_end(scope, "dense", "logits", first, plx_matmul(graph, x, table, false, true));
    return 1;
}

const plx__family plx__family_gpt2 = {
    .name = "gpt2",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
};
