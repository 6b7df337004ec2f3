/* ViT: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021: patches of an image are the
 * words of an encoder with the norm first. "tiny" is ViT-Ti/16 of Touvron et al., "Training
 * data-efficient image transformers", ICML 2021. Initial values are those of the authors' code. */
#include "models/limits.h"
#include "nn/layers.h"
#include "nn/model.h"

#include "graph/graph.h"
#include "parallax.h"

enum { SIZE, CHANNELS, PATCH, LAYERS, HEADS, WIDTH, HIDDEN, CLASSES, MEAN, DROPOUT, POSITION_SIZE };

static const plx__setting settings[] = {
    [SIZE] = {"size", 32, 1, 4096, true},
    [CHANNELS] = {"channels", 3, 1, 1024, true},
    [PATCH] = {"patch", 4, 1, 4096, true},
    [LAYERS] = {"layers", 3, 1, 256, true},
    [HEADS] = {"heads", 4, 1, 1024, true},
    [WIDTH] = {"width", 128, 1, 65536, true},
    [HIDDEN] = {"hidden", 0, 0, 1 << 20, true}, /* 0: 4 times the width */
    [CLASSES] = {"classes", 10, 2, 1 << 20, true},
    [MEAN] = {"mean", 0, 0, 1, true}, /* 1: the mean over patches is classified, not a token */
    [DROPOUT] = {"dropout", 0, 0, 0.99, false},
    [POSITION_SIZE] = {"position_size", 0.02, 0, 10,
                       false}, /* initial standard deviation of positions */
    {0},
};

static const plx__model_size sizes[] = {
    /* So small a model with few pictures learns only if positions carry as much weight as patches
     * from the start, as sines do (Vaswani et al., NeurIPS 2017). */
    {"nano", "position_size=0.5"},
    {"tiny", "size=224,patch=16,layers=12,heads=3,width=192,classes=1000"},
    {0},
};

static plx_status ports(plx_model *model) {
    const double *set = model->settings;
    const int64_t size = (int64_t)set[SIZE];
    PLX_TRY(plx__check_patch(model, (int64_t)set[PATCH], size));
    const double width = set[WIDTH], hidden = set[HIDDEN] > 0 ? set[HIDDEN] : 4 * width;
    const double side = set[SIZE] / set[PATCH], tokens = side * side + 1;
    PLX_TRY(plx__check_encoder(model, (int64_t)set[HEADS], (int64_t)width,
                               width * (set[LAYERS] * (4 * width + 2 * hidden) +
                                        set[PATCH] * set[PATCH] * set[CHANNELS] + tokens +
                                        set[CLASSES])));
    /* Values of a block: what is added, queries, keys and values, and the hidden layer. */
    PLX_TRY(plx__check_size(model->ctx, "vit", 0, set[LAYERS] * tokens * (4 * width + hidden)));
    model->inputs[0] = (plx_port){.name = "image",
                                  .dtype = PLX_DTYPE_REAL,
                                  .rank = 3,
                                  .dims = {size, size, (int64_t)model->settings[CHANNELS]}};
    model->inputs_count = 1;
    model->outputs[0].name = "logits";
    return PLX_OK;
}

/* Puts a learnt token, which collects the information on the class, in front of every sample's
 * patches x [b, s, width]. */
static plx_node with_token(const plx_scope *scope, const char *name, plx_node x) {
    plx_graph *graph = scope->graph;
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, x, &dims) != 3) return plx_none();
    const plx_scope own = plx_scope_in(scope, name);
    const int32_t first = plx__layer_begin(scope);
    const int64_t one[] = {1, dims[2]}, each[] = {dims[0], 1, dims[2]};
    const plx_node token = plx_weight(&own, "weight", 2, one, PLX_INIT_ZERO, 0, PLX_WEIGHT_PLAIN);
    const plx_node parts[] = {plx_broadcast(graph, token, 3, each), x};
    return plx__layer_end(scope, "class_token", name, first, plx_concat(graph, 2, parts, 1));
}

/* The normalised features [b, width] of x [b, s, width] to classify. The norm treats each token by
 * itself, so for one token only that one is normalised. */
static plx_node gather(const plx_scope *scope, plx_node x, bool mean) {
    plx_graph *graph = scope->graph;
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, x, &dims) != 3) return plx_none();
    const int64_t rows[] = {dims[0], dims[2]};
    if (!mean) x = plx_reshape(graph, plx_slice(graph, x, 1, 0, 1, 1), 2, rows);
    x = plx__layer_norm_layer(scope, "norm", x, 1e-6);
    return mean ? plx_reduce_mean(graph, x, 1) : x;
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    const double *set = model->settings;
    const int64_t patch = (int64_t)set[PATCH];
    const plx__begin xavier = {PLX_INIT_XAVIER_UNIFORM, 0};
    const double fan_in = set[PATCH] * set[PATCH] * set[CHANNELS];
    const plx__block_options block = {
        .heads = (int64_t)set[HEADS],
        .hidden = (int64_t)set[HIDDEN],
        .activation = PLX_GELU,
        .dropout = set[DROPOUT],
        .epsilon = 1e-6,
        .begin = xavier,
        .residual_begin = xavier,
    };
    const plx__begin patch_begin = {PLX_INIT_NORMAL, 1 / plx_math_sqrt(fan_in)};
    plx_node x = plx__patches(scope, "patches", inputs[0], patch, (int64_t)set[WIDTH], patch_begin);
    if (set[MEAN] == 0) x = with_token(scope, "class", x);
    x = plx__positions_layer(scope, "positions", x,
                             (plx__begin){PLX_INIT_NORMAL, set[POSITION_SIZE]});
    x = plx__dropout_layer(scope, "dropout", x, set[DROPOUT]);
    x = plx__blocks(scope, x, plx_none(), (int)set[LAYERS], &block);
    x = gather(scope, x, set[MEAN] != 0);
    outputs[0] =
        plx__dense(scope, "head", x, (int64_t)set[CLASSES], (plx__begin){PLX_INIT_ZERO, 0}, true);
    return 1;
}

const plx__family plx__family_vit = {
    .name = "vit",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
};
