/* ResNet: He et al., "Deep residual learning for image recognition", CVPR 2016: stages of basic
 * blocks, each stage with half the rows and columns and twice the channels of the one before.
 * "nano" is the network for 32 x 32 of its section 4.2, "18" that for 224 x 224. Where shapes
 * change, the shortcut is a projection. */
#include "models/limits.h"
#include "nn/layers.h"
#include "nn/model.h"

#include "graph/graph.h"

enum { SIZE, CHANNELS, STEM, STAGES, BLOCKS, WIDTH, CLASSES, SKIPS, ZERO_SCALE };

static const plx__setting settings[] = {
    [SIZE] = {"size", 32, 1, 4096, true},
    [CHANNELS] = {"channels", 3, 1, 1024, true},
    [STEM] = {"stem", 3, 3, 7, true}, /* 3: 3 x 3; 7: 7 x 7 at stride 2, and max pooling */
    [STAGES] = {"stages", 3, 1, 8, true},
    [BLOCKS] = {"blocks", 3, 1, 64, true}, /* of each stage */
    [WIDTH] = {"width", 8, 1, 4096, true}, /* channels of the first stage */
    [CLASSES] = {"classes", 10, 2, 1 << 20, true},
    [SKIPS] = {"skips", 1, 0, 1, true}, /* 0: the same layers without shortcuts */
    /* 1: the last scale of each block starts at 0, so that blocks start as the identity (Goyal et
     * al., "Accurate, large minibatch SGD", 2017, section 5.1). */
    [ZERO_SCALE] = {"zero_scale", 0, 0, 1, true},
    {0},
};

static const plx__model_size sizes[] = {
    {"nano", ""},
    {"18", "size=224,stem=7,stages=4,blocks=2,width=64,classes=1000"},
    {0},
};

/* Number of rows after the stem. */
static int64_t stem_rows(const plx_model *model) {
    const int64_t size = (int64_t)model->settings[SIZE];
    return model->settings[STEM] == 7 ? (size + 3) / 4 : size;
}

/* The most stages: one that does not halve, and as many as the rows can be halved. */
static int64_t most_stages(const plx_model *model) {
    int64_t stages = 1;
    while (stem_rows(model) >> stages) stages += 1;
    return stages;
}

/* Checks the number of weights, and of values between the layers for one picture. */
static plx_status check_size(const plx_model *model) {
    const double *set = model->settings;
    double rows = (double)stem_rows(model), units = set[WIDTH];
    double parameters = set[STEM] * set[STEM] * set[CHANNELS] * units;
    double activations = rows * rows * units * (set[STEM] == 7 ? 4 : 1);
    for (int stage = 0; stage < (int)set[STAGES]; ++stage) {
        if (stage) {
            rows /= 2;
            units *= 2;
            /* The first convolution and the projection have half as many inputs. */
            parameters -= (set[SKIPS] != 0 ? 4 : 4.5) * units * units;
        }
        parameters += 18 * set[BLOCKS] * units * units;
        activations += 2 * set[BLOCKS] * rows * rows * units;
    }
    return plx__check_size(model->ctx, "resnet", parameters + units * set[CLASSES], activations);
}

static plx_status ports(plx_model *model) {
    const double *set = model->settings;
    const int64_t size = (int64_t)set[SIZE], stages = (int64_t)set[STAGES];
    plx__message *message = &model->ctx->message;
    if (set[STEM] != 3 && set[STEM] != 7)
        return plx__fail(message, PLX_ERR_ARGUMENT, "model resnet: stem is %g; it must be 3 or 7",
                         set[STEM]);
    if (set[SKIPS] == 0 && set[ZERO_SCALE] != 0)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "model resnet: zero_scale=1 needs skips=1; without shortcuts nothing passes");
    if (stem_rows(model) >> (stages - 1) < 1)
        return plx__fail(message, PLX_ERR_SHAPE,
                         "model resnet: %lld stages halve %lld x %lld pixels (after the stem, for "
                         "images of %lld x %lld) to less than one; use stages=%lld or size=%lld",
                         (long long)stages, (long long)stem_rows(model),
                         (long long)stem_rows(model), (long long)size, (long long)size,
                         (long long)most_stages(model),
                         (long long)(set[STEM] == 7 ? 4 : 1) << (stages - 1));
    PLX_TRY(check_size(model));
    model->inputs[0] = (plx_port){.name = "image",
                                  .dtype = PLX_DTYPE_REAL,
                                  .rank = 3,
                                  .dims = {size, size, (int64_t)set[CHANNELS]}};
    model->inputs_count = 1;
    model->outputs[0].name = "logits";
    return PLX_OK;
}

/* ---- Layers ---------------------------------------------------------------------------------- */

/* A side x side convolution without bias, zero-padded as in the paper; the norm after it has the
 * shift. */
static plx_node convolve(const plx_scope *scope, const char *name, plx_node x, int64_t units,
                         int64_t side, int64_t stride) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t *dims = NULL, edge = side / 2;
    if (plx_node_shape(scope->graph, x, &dims) != 4)
        return plx__layer_end(scope, "conv2d", name, first, plx_none());
    const int64_t shape[] = {side, side, dims[3], units};
    const plx_node w =
        plx_weight(&own, "weight", 4, shape, PLX_INIT_HE_FAN_OUT, 0, PLX_WEIGHT_DECAYED);
    const plx_conv2d_options options = {.stride = {stride, stride},
                                        .padding = {edge, edge, edge, edge},
                                        .dilation = {1, 1},
                                        .groups = 1};
    return plx__layer_end(scope, "conv2d", name, first,
                          plx_conv2d(scope->graph, x, w, plx_none(), &options));
}

static plx_node normalise(const plx_scope *scope, const char *name, plx_node x, double scale) {
    return plx__batch_norm_layer(scope, name, x, scale, 0.1, 1e-5);
}

static plx_node rectify(const plx_scope *scope, plx_node x) {
    return plx_activate(scope->graph, x, PLX_RELU, 0);
}

static plx_node stem(const plx_model *model, const plx_scope *scope, plx_node x) {
    const double *set = model->settings;
    const bool large = set[STEM] == 7;
    x = convolve(scope, "stem", x, (int64_t)set[WIDTH], large ? 7 : 3, large ? 2 : 1);
    x = rectify(scope, normalise(scope, "stem_norm", x, 1));
    if (!large) return x;
    const plx_pool2d_options pool = {.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}};
    const int32_t first = plx__layer_begin(scope);
    return plx__layer_end(scope, "max_pool2d", "pool", first,
                          plx_max_pool2d(scope->graph, x, &pool));
}

/* relu(x + f(x)), f two convolutions. */
static plx_node basic_block(const plx_model *model, const plx_scope *scope, const char *name,
                            plx_node x, int64_t units, int64_t stride) {
    const bool skips = model->settings[SKIPS] != 0;
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(scope->graph, x, &dims);
    const bool same = rank == 4 && dims[3] == units && stride == 1;
    plx_node y = convolve(&own, "conv_1", x, units, 3, stride);
    y = rectify(&own, normalise(&own, "norm_1", y, 1));
    y = convolve(&own, "conv_2", y, units, 3, 1);
    y = normalise(&own, "norm_2", y, model->settings[ZERO_SCALE] != 0 ? 0 : 1);
    if (skips && !same) {
        x = convolve(&own, "projection", x, units, 1, stride);
        x = normalise(&own, "projection_norm", x, 1);
    }
    if (skips) y = plx_add(scope->graph, x, y);
    return plx__layer_end(scope, "basic_block", name, first, rectify(&own, y));
}

static int forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs) {
    const double *set = model->settings;
    plx_node x = stem(model, scope, inputs[0]);
    int64_t units = (int64_t)set[WIDTH];
    for (int stage = 0; stage < (int)set[STAGES]; ++stage, units *= 2)
        for (int block = 0; block < (int)set[BLOCKS]; ++block) {
            char name[32];
            plx__format(name, sizeof name, "stage_%d.block_%d", stage, block);
            x = basic_block(model, scope, name, x, units, stage && !block ? 2 : 1);
        }
    const int32_t first = plx__layer_begin(scope);
    x = plx__layer_end(scope, "global_avg_pool2d", "average", first,
                       plx_global_avg_pool2d(scope->graph, x));
    /* N(0, 0.01^2): Goyal et al., section 5.1. */
    outputs[0] = plx__dense(scope, "head", x, (int64_t)set[CLASSES],
                            (plx__begin){PLX_INIT_NORMAL, 0.01}, true);
    return 1;
}

const plx__family plx__family_resnet = {
    .name = "resnet",
    .settings = settings,
    .sizes = sizes,
    .ports = ports,
    .forward = forward,
};
