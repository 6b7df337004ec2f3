/* CLIP: Radford et al., "Learning transferable visual models from natural language supervision",
 * ICML 2021. A tower for pictures and one for their captions map into one space, where the
 * contrastive loss pulls pairs together and everything else apart. The paper reads captions from
 * left to right and uses the last word; here every word sees the whole caption, and their mean is
 * used. */
#include "models/limits.h"
#include "nn/layers.h"
#include "nn/model.h"

#include "ops/op.h"
#include "parallax.h"

#include <math.h>

enum { SIZE, PATCH, LAYERS, TEXT_LAYERS, HEADS, WIDTH, EMBEDDING, VOCABULARY, LENGTH };

static const plx__setting settings[] = {
    [SIZE] = {"size", 32, 1, 4096, true},
    [PATCH] = {"patch", 8, 1, 4096, true},
    [LAYERS] = {"layers", 3, 1, 256, true},
    [TEXT_LAYERS] = {"text_layers", 2, 1, 256, true},
    [HEADS] = {"heads", 4, 1, 1024, true},
    [WIDTH] = {"width", 128, 1, 65536, true},
    [EMBEDDING] = {"embedding", 64, 1, 65536, true}, /* of the common space */
    [VOCABULARY] = {"vocabulary", 64, 2, 1 << 24, true},
    [LENGTH] = {"length", 16, 1, 1 << 20, true},
    {0},
};

static const plx__model_size sizes[] = {
    {"nano", ""},
    {0},
};

static const double epsilon = 1e-5;

static plx_status ports(plx_model *model) {
    const double *set = model->settings;
    const int64_t size = (int64_t)set[SIZE];
    PLX_TRY(plx__check_patch(model, (int64_t)set[PATCH], size));
    const double side = set[SIZE] / set[PATCH], patches = side * side;
    PLX_TRY(plx__check_encoder(model, (int64_t)set[HEADS], (int64_t)set[WIDTH],
                               set[WIDTH] * (12 * (set[LAYERS] + set[TEXT_LAYERS]) * set[WIDTH] +
                                             3 * set[PATCH] * set[PATCH] + patches +
                                             set[VOCABULARY] + set[LENGTH] + 2 * set[EMBEDDING])));
    /* Values of a block: what is added, queries, keys, values, and the hidden layer, four times as
     * wide. */
    PLX_TRY(
        plx__check_size(model->ctx, "clip", 0,
                        8 * set[WIDTH] * (patches * set[LAYERS] + set[LENGTH] * set[TEXT_LAYERS])));
    model->inputs[0] =
        (plx_port){.name = "pixels", .dtype = PLX_DTYPE_REAL, .rank = 3, .dims = {size, size, 3}};
    model->inputs[1] = (plx_port){.name = "ids",
                                  .dtype = PLX_DTYPE_I32,
                                  .rank = 1,
                                  .dims = {(int64_t)set[LENGTH]},
                                  .classes = (int64_t)set[VOCABULARY]};
    model->inputs_count = 2;
    model->outputs[0].name = "image";
    model->outputs[1].name = "text";
    return PLX_OK;
}

/* Blocks of a tower are initialised as in the paper's code: matrices by the width alone, and
 * smaller by the depth if their result is added to the residual. */
static plx__block_options blocks_of(const plx_model *model, int layers) {
    const double width = model->settings[WIDTH];
    return (plx__block_options){
        .heads = (int64_t)model->settings[HEADS],
        .activation = PLX_GELU,
        .epsilon = epsilon,
        .begin = {PLX_INIT_NORMAL, 1 / plx_math_sqrt(width)},
        .residual_begin = {PLX_INIT_NORMAL, 1 / plx_math_sqrt(2 * width * model->settings[layers])},
    };
}

static plx_node blocks(const plx_model *model, const plx_scope *scope, plx_node x, plx_node mask,
                       int layers) {
    const plx__block_options options = blocks_of(model, layers);
    x = plx__blocks(scope, x, mask, (int)model->settings[layers], &options);
    return plx__layer_norm_layer(scope, "norm", x, epsilon);
}

/* Projects into the common space, onto its unit sphere. */
static plx_node project(const plx_model *model, const plx_scope *scope, plx_node x) {
    const plx__begin begin = {PLX_INIT_NORMAL, 1 / plx_math_sqrt(model->settings[WIDTH])};
    x = plx__dense(scope, "projection", x, (int64_t)model->settings[EMBEDDING], begin, false);
    return plx_l2_normalize(scope->graph, x, 1e-8);
}

static plx_node image_tower(const plx_model *model, const plx_scope *scope, plx_node pixels) {
    const plx_scope own = plx_scope_in(scope, "image");
    plx_node x =
        plx__patches(&own, "patches", pixels, (int64_t)model->settings[PATCH],
                     (int64_t)model->settings[WIDTH], (plx__begin){PLX_INIT_XAVIER_UNIFORM, 0});
    x = plx__positions_layer(&own, "positions", x, (plx__begin){PLX_INIT_NORMAL, 0.02});
    x = blocks(model, &own, x, plx_none(), LAYERS);
    return project(model, &own, plx_reduce_mean(scope->graph, x, 1));
}

/* The mean over the words of x [b, t, width], without padding. */
static plx_node mean_of_words(const plx_model *model, plx_graph *graph, plx_node x, plx_node ids) {
    const plx_node word = plx__by_padding(graph, ids, (int64_t)model->settings[VOCABULARY], 0, 1);
    const plx_node words = plx_max(graph, plx_reduce_sum(graph, word, 1), plx_constant(graph, 1));
    return plx_div(graph, plx_reduce_sum(graph, plx_mul(graph, x, word), 1), words);
}

static plx_node text_tower(const plx_model *model, const plx_scope *scope, plx_node ids) {
    const plx_scope own = plx_scope_in(scope, "text");
    plx_graph *graph = scope->graph;
    const int64_t vocabulary = (int64_t)model->settings[VOCABULARY];
    plx_node x =
        plx__embedding_layer(&own, "tokens", ids, vocabulary, (int64_t)model->settings[WIDTH],
                             (plx__begin){PLX_INIT_NORMAL, 0.02}, NULL);
    x = plx__positions_layer(&own, "positions", x, (plx__begin){PLX_INIT_NORMAL, 0.01});
    x = blocks(model, &own, x, plx__padding_mask(graph, ids, vocabulary), TEXT_LAYERS);
    return project(model, &own, mean_of_words(model, graph, x, ids));
}

/* The logarithm of the scale of the cosines: "initialized to the equivalent of 0.07". */
static plx_node log_scale(const plx_scope *scope) {
    static const int64_t no_dims[1] = {0};
    return plx_weight(scope, "temperature", 0, no_dims, PLX_INIT_CONSTANT, plx_math_log(1 / 0.07),
                      PLX_WEIGHT_PLAIN);
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    outputs[0] = image_tower(model, scope, inputs[0]);
    outputs[1] = text_tower(model, scope, inputs[1]);
    /* Only the loss reads it; made here so that a trainer finds it among the weights. */
    (void)log_scale(scope);
    return 2;
}

/* "clipped to prevent scaling the logits by more than 100" */
static plx_node loss(const plx_model *model, const plx_scope *scope, const plx_node *outputs) {
    plx_graph *graph = scope->graph;
    (void)model;
    const plx_node t = plx_clip(graph, log_scale(scope), -INFINITY, plx_math_log(100));
    return plx_info_nce(graph, outputs[0], outputs[1], plx_exp(graph, t));
}

const plx__family plx__family_clip = {
    .name = "clip",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
    .loss = loss,
    .loss_batch = 2, /* a single pair has nothing to be pushed away from */
};
