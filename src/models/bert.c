/* BERT: Devlin et al., "Pre-training of deep bidirectional transformers for language
 * understanding", NAACL 2019. Encoder blocks with the norm after the sum, learnt positions, a head
 * that predicts words and one that classifies the whole text from its first token. Sentences come
 * one at a time, so there is no segment table. */
#include "models/limits.h"
#include "nn/layers.h"
#include "nn/model.h"

#include "ops/op.h"
#include "parallax.h"

enum { LAYERS, HEADS, WIDTH, HIDDEN, VOCABULARY, CONTEXT, CLASSES, DROPOUT };

static const plx__setting settings[] = {
    [LAYERS] = {"layers", 4, 1, 256, true},
    [HEADS] = {"heads", 4, 1, 1024, true},
    [WIDTH] = {"width", 256, 1, 65536, true},
    [HIDDEN] = {"hidden", 0, 0, 1 << 20, true}, /* 0: 4 times the width */
    [VOCABULARY] = {"vocabulary", 2000, 2, 1 << 24, true},
    [CONTEXT] = {"context", 64, 1, 1 << 20, true},
    [CLASSES] = {"classes", 3, 2, 1 << 20, true},
    [DROPOUT] = {"dropout", 0, 0, 0.99, false},
    {0},
};

static const plx__model_size sizes[] = {
    {"nano", ""},
    {0},
};

/* From the paper's code. */
static const double epsilon = 1e-12;

/* A variance of 1 / fan_in preserves the variance of the inputs (LeCun et al., "Efficient
 * backprop", 1998). With the paper's deviation of 0.02, chosen for width 768, a narrow model learns
 * more slowly. */
static plx__begin begin_of(const plx_model *model) {
    return (plx__begin){PLX_INIT_NORMAL, 1 / plx_math_sqrt(model->settings[WIDTH])};
}

static plx_status ports(plx_model *model) {
    const double *set = model->settings, hidden = set[HIDDEN] > 0 ? set[HIDDEN] : 4 * set[WIDTH];
    PLX_TRY(plx__check_encoder(model, (int64_t)set[HEADS], (int64_t)set[WIDTH],
                               set[WIDTH] * (set[LAYERS] * (4 * set[WIDTH] + 2 * hidden) +
                                             set[VOCABULARY] + set[CONTEXT])));
    model->inputs[0] = (plx_port){.name = "ids",
                                  .dtype = PLX_DTYPE_I32,
                                  .rank = 1,
                                  .dims = {(int64_t)set[CONTEXT]},
                                  .classes = (int64_t)set[VOCABULARY]};
    model->inputs_count = 1;
    model->outputs[0].name = "words";
    model->outputs[1].name = "class";
    return PLX_OK;
}

static plx_node embed(const plx_model *model, const plx_scope *scope, plx_node ids,
                      plx_node *table) {
    const double *set = model->settings;
    const plx__begin begin = begin_of(model);
    plx_node x = plx__embedding_layer(scope, "tokens", ids, (int64_t)set[VOCABULARY],
                                      (int64_t)set[WIDTH], begin, table);
    x = plx__positions_layer(scope, "positions", x, begin);
    x = plx__layer_norm_layer(scope, "norm", x, epsilon);
    return plx__dropout_layer(scope, "dropout", x, set[DROPOUT]);
}

/* The word head: dense, GELU and norm, then the token table as the output layer, with a bias of its
 * own. */
static plx_node words_of(const plx_model *model, const plx_scope *scope, plx_node x,
                         plx_node table) {
    plx_graph *graph = scope->graph;
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, "words");
    const int64_t vocabulary = (int64_t)model->settings[VOCABULARY];
    const plx__begin begin = begin_of(model);
    x = plx__dense(&own, "dense", x, (int64_t)model->settings[WIDTH], begin, true);
    x = plx_activate(graph, x, PLX_GELU, plx_activation_default(PLX_GELU));
    x = plx__layer_norm_layer(&own, "norm", x, epsilon);
    const plx_node bias =
        plx_weight(&own, "bias", 1, &vocabulary, PLX_INIT_ZERO, 0, PLX_WEIGHT_PLAIN);
    x = plx_bias(graph, plx_matmul(graph, x, table, false, true), bias);
    return plx__layer_end(scope, "words", "words", first, x);
}

/* The class head, on the first token: dense, tanh ("pooler"), dense. */
static plx_node class_of(const plx_model *model, const plx_scope *scope, plx_node x) {
    plx_graph *graph = scope->graph;
    const plx__begin begin = begin_of(model);
    const int32_t start = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, "class");
    const int64_t rows[] = {-1, (int64_t)model->settings[WIDTH]};
    const plx_node first = plx_reshape(graph, plx_slice(graph, x, 1, 0, 1, 1), 2, rows);
    plx_node y = plx__dense(&own, "pooler", first, rows[1], begin, true);
    y = plx_activate(graph, y, PLX_TANH, 0);
    y = plx__dense(&own, "dense", y, (int64_t)model->settings[CLASSES], begin, true);
    return plx__layer_end(scope, "class", "class", start, y);
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    const double *set = model->settings;
    const plx__begin begin = begin_of(model);
    const plx__block_options block = {
        .heads = (int64_t)set[HEADS],
        .hidden = (int64_t)set[HIDDEN],
        .post_norm = true,
        .activation = PLX_GELU,
        .dropout = set[DROPOUT],
        .epsilon = epsilon,
        .begin = begin,
        .residual_begin = begin,
    };
    plx_node table;
    const plx_node mask = plx__padding_mask(scope->graph, inputs[0], (int64_t)set[VOCABULARY]);
    plx_node x = embed(model, scope, inputs[0], &table);
    x = plx__blocks(scope, x, mask, (int)set[LAYERS], &block);
    outputs[0] = words_of(model, scope, x, table);
    outputs[1] = class_of(model, scope, x);
    return 2;
}

const plx__family plx__family_bert = {
    .name = "bert",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
};
