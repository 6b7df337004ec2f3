/* Applies layers of any kind from their descriptions: one row per plx_layer_kind. */
#include "nn/layers.h"

#include "graph/graph.h"
#include "ops/op.h"
#include "ops/recurrent.h"
#include "parallax.h"

#include <string.h>

/* Glorot and Bengio, AISTATS 2010: preserves the variance of inputs and gradients. The reference
 * implementation of Vaswani et al., NeurIPS 2017, uses it for attention too. */
static const plx__begin xavier = {PLX_INIT_XAVIER_UNIFORM, 0};
/* Tokens and positions: Radford et al., 2018. */
static const plx__begin table_begin = {PLX_INIT_NORMAL, 0.02};

enum { XAVIER, LECUN, HE };
static const unsigned char begins[] = {
    XAVIER, /* linear */
#define PLX_ACTIVATION(NAME, name, parameter, default_p, begin, about) begin,
#include "parallax.def"
};

/* How the matrix before an activation is initialised; inputs: how many reach one output. */
static plx__begin begin_for(plx_activation activation, double inputs) {
    switch ((unsigned)activation < PLX_ACTIVATIONS_ ? begins[activation] : HE) {
    case XAVIER: return xavier;
    /* Preserves mean and variance: Klambauer et al., NeurIPS 2017. */
    case LECUN: return (plx__begin){PLX_INIT_NORMAL, inputs > 0 ? 1 / plx_math_sqrt(inputs) : 0};
    /* Half of the rectified values are 0, which doubling the variance makes up for: He et al., ICCV
     * 2015. */
    default: return (plx__begin){PLX_INIT_NORMAL, inputs > 0 ? plx_math_sqrt(2 / inputs) : 0};
    }
}

static double over_root(double variance, double inputs) {
    return inputs > 0 ? plx_math_sqrt(variance / inputs) : 0;
}

static const struct {
    const char *name;
    double value; /* what 0 means */
} starts[] = {
    {NULL, 0},
#define NONE 0
#define PLX_START(NAME, name, value, about) {name, value},
#include "parallax.def"
#undef NONE
};

const char *plx_start_name(plx_start start) {
    return (unsigned)start < PLX_STARTS_ ? starts[start].name : NULL;
}

/* The same for a layer that may say how its kernel starts. */
static plx__begin begin_of(const plx_layer *layer, double inputs) {
    const double given = layer->start_value;
    switch (layer->start) {
    case PLX_START_GLOROT_UNIFORM: return xavier;
    case PLX_START_GLOROT_NORMAL: return (plx__begin){PLX_INIT_XAVIER_NORMAL, 0};
    case PLX_START_HE_NORMAL: return (plx__begin){PLX_INIT_NORMAL, over_root(2, inputs)};
    case PLX_START_LECUN_NORMAL: return (plx__begin){PLX_INIT_NORMAL, over_root(1, inputs)};
    case PLX_START_ZEROS: return (plx__begin){PLX_INIT_ZERO, 0};
    case PLX_START_ONES: return (plx__begin){PLX_INIT_CONSTANT, 1};
    case PLX_START_CONSTANT: return (plx__begin){PLX_INIT_CONSTANT, given};
    case PLX_START_RANDOM_NORMAL:
        return (plx__begin){PLX_INIT_NORMAL, given == 0 ? starts[layer->start].value : given};
    default: return begin_for(layer->activation, inputs);
    }
}

static plx_real parameter_of(const plx_layer *layer) {
    return layer->p == 0 ? plx_activation_default(layer->activation) : layer->p;
}

static plx_node activated(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx_activate(scope->graph, x, layer->activation, parameter_of(layer));
}

/* The size of the last axis; 0 for an invalid node. */
static int64_t channels_of(const plx_graph *graph, plx_node x) {
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(graph, x, &dims);
    return rank > 0 ? dims[rank - 1] : 0;
}

/* ---- One function a kind --------------------------------------------------------------------- */

typedef plx_node apply_function(const plx_scope *scope, const plx_layer *layer, plx_node x);

static bool check(plx_graph *graph, const plx_layer *layer, plx_node x);
static plx_scope scope_for(const plx_scope *scope, const plx_layer *layer);

static plx_node apply_dense(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__begin begin = begin_of(layer, (double)channels_of(scope->graph, x));
    x = plx__dense(scope, layer->name, x, layer->units, begin, !layer->no_bias);
    return activated(scope, layer, x);
}

static plx_node apply_activation(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return activated(scope, layer, x);
}

static plx_node apply_softmax(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    (void)layer;
    return plx_softmax(scope->graph, x, -1);
}

static plx_node apply_dropout(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx__dropout_layer(scope, layer->name, x, layer->rate);
}

static plx_node apply_flatten(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    (void)layer;
    const int64_t *dims = NULL;
    if (plx_node_shape(scope->graph, x, &dims) < 1) return plx_none();
    const int64_t flat[] = {dims[0], -1};
    return plx_reshape(scope->graph, x, 2, flat);
}

static plx_node apply_reshape(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const int64_t *dims = NULL;
    int64_t wanted[PLX_MAX_RANK] = {0};
    if (plx_node_shape(scope->graph, x, &dims) < 1) return plx_none();
    wanted[0] = dims[0];
    memcpy(wanted + 1, layer->dims, (size_t)layer->rank * sizeof *wanted);
    return plx_reshape(scope->graph, x, layer->rank + 1, wanted);
}

/* The number of products summed for one output of a convolution. */
static double reach_of(const plx_graph *graph, const plx_layer *layer, plx_node x) {
    const int64_t channels = channels_of(graph, x) / (layer->groups ? layer->groups : 1);
    return (double)layer->size[0] * (double)layer->size[1] * (double)channels;
}

static plx_node apply_conv2d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__begin begin = begin_of(layer, reach_of(scope->graph, layer, x));
    return activated(scope, layer, plx__conv(scope, layer->name, x, layer, begin));
}

static plx_node apply_conv2d_transpose(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    double reach = reach_of(scope->graph, layer, x);
    /* A stride drops all but one of so many products. */
    for (int i = 0; i < 2; ++i)
        if (layer->stride[i]) reach /= (double)layer->stride[i];
    const plx__begin begin = begin_of(layer, reach);
    return activated(scope, layer, plx__conv_transpose(scope, layer->name, x, layer, begin));
}

static plx_node pool(const plx_scope *scope, const plx_layer *layer, plx_node x, bool largest) {
    const int64_t *dims = NULL;
    plx_pool2d_options o = plx_pool2d_default(2);
    const int rank = plx_node_shape(scope->graph, x, &dims);
    for (int i = 0; i < 2; ++i) {
        if (layer->size[i]) o.size[i] = layer->size[i];
        o.stride[i] = layer->stride[i] ? layer->stride[i] : o.size[i];
        if (!layer->same || rank != 4) continue;
        const int64_t wanted = (dims[i + 1] + o.stride[i] - 1) / o.stride[i];
        const int64_t total = (wanted - 1) * o.stride[i] + o.size[i] - dims[i + 1];
        o.padding[2 * i] = total > 0 ? total / 2 : 0;
        o.padding[2 * i + 1] = total > 0 ? total - total / 2 : 0;
    }
    return largest ? plx_max_pool2d(scope->graph, x, &o) : plx_avg_pool2d(scope->graph, x, &o);
}

static plx_node apply_max_pool2d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return pool(scope, layer, x, true);
}

static plx_node apply_avg_pool2d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return pool(scope, layer, x, false);
}

/* Sequences [length, width] as images of one row, and back. */
static plx_node as_image(plx_graph *graph, plx_node x) {
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, x, &dims) != 3) return plx_none();
    const int64_t image[] = {dims[0], 1, dims[1], dims[2]};
    return plx_reshape(graph, x, 4, image);
}

static plx_node as_sequence(plx_graph *graph, plx_node x) {
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, x, &dims) != 4) return plx_none();
    const int64_t sequence[] = {dims[0], dims[2], dims[3]};
    return plx_reshape(graph, x, 3, sequence);
}

/* A layer for sequences as one for such images. */
static plx_layer of_one_row(const plx_layer *layer, int64_t size) {
    plx_layer own = *layer;
    if (!own.size[1]) own.size[1] = size;
    own.size[0] = own.stride[0] = own.dilation[0] = 1;
    return own;
}

static plx_node apply_conv1d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_layer own = of_one_row(layer, 0);
    const plx_node image = as_image(scope->graph, x);
    const plx__begin begin = begin_of(&own, reach_of(scope->graph, &own, image));
    const plx_node y = plx__conv(scope, layer->name, image, &own, begin);
    return as_sequence(scope->graph, activated(scope, layer, y));
}

static plx_node apply_max_pool1d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_layer own = of_one_row(layer, 2);
    const plx_node image = as_image(scope->graph, x);
    return as_sequence(scope->graph, pool(scope, &own, image, true));
}

static plx_node apply_avg_pool1d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_layer own = of_one_row(layer, 2);
    const plx_node image = as_image(scope->graph, x);
    return as_sequence(scope->graph, pool(scope, &own, image, false));
}

static plx_node apply_global_max_pool1d(const plx_scope *scope, const plx_layer *layer,
                                        plx_node x) {
    (void)layer;
    return plx_reduce_max(scope->graph, x, 1);
}

static plx_node apply_global_max_pool2d(const plx_scope *scope, const plx_layer *layer,
                                        plx_node x) {
    (void)layer;
    const int64_t *dims = NULL;
    if (plx_node_shape(scope->graph, x, &dims) != 4) return plx_none();
    const int64_t pixels[] = {dims[0], dims[1] * dims[2], dims[3]};
    return plx_reduce_max(scope->graph, plx_reshape(scope->graph, x, 3, pixels), 1);
}

/* Whether the scope knows which positions of x [batch, length, width] are padding. */
static bool is_masked(const plx_scope *scope, plx_node x) {
    const int64_t *own = NULL, *mask = NULL;
    return scope->counted.id >= 0 && plx_node_shape(scope->graph, x, &own) == 3 &&
           plx_node_shape(scope->graph, scope->counted, &mask) == 3 && own[1] == mask[1];
}

static plx_node apply_global_avg_pool1d(const plx_scope *scope, const plx_layer *layer,
                                        plx_node x) {
    (void)layer;
    plx_graph *graph = scope->graph;
    if (!is_masked(scope, x)) return plx_reduce_mean(graph, x, 1);
    const plx_node sum = plx_reduce_sum(graph, plx_mul(graph, x, scope->counted), 1);
    const plx_node count = plx_reduce_sum(graph, scope->counted, 1);
    return plx_div(graph, sum, plx_max(graph, count, plx_constant(graph, 1)));
}

static plx_node apply_global_avg_pool2d(const plx_scope *scope, const plx_layer *layer,
                                        plx_node x) {
    (void)layer;
    return plx_global_avg_pool2d(scope->graph, x);
}

static plx_node apply_upsample2d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx_upsample2d(scope->graph, x, layer->size[0] ? layer->size[0] : 2,
                          layer->size[1] ? layer->size[1] : 2,
                          layer->bilinear ? PLX_BILINEAR : PLX_NEAREST);
}

static double epsilon_of(const plx_layer *layer) {
    return layer->epsilon == 0 ? 1e-5 : layer->epsilon;
}

static plx_node apply_layer_norm(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx__layer_norm_layer(scope, layer->name, x, epsilon_of(layer));
}

static plx_node apply_rms_norm(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx__rms_norm_layer(scope, layer->name, x, epsilon_of(layer));
}

static plx_node apply_group_norm(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_scope own = plx_scope_in(scope, layer->name);
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(scope->graph, x, &dims);
    if (rank < 1) return plx_none();
    const int64_t width = dims[rank - 1];
    const plx_node scale =
        plx_weight(&own, "scale", 1, &width, PLX_INIT_CONSTANT, 1, PLX_WEIGHT_PLAIN);
    const plx_node shift = plx_weight(&own, "shift", 1, &width, PLX_INIT_ZERO, 0, PLX_WEIGHT_PLAIN);
    return plx_group_norm(scope->graph, x, layer->groups ? layer->groups : 32, scale, shift,
                          epsilon_of(layer));
}

static plx_node apply_batch_norm(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx__batch_norm_layer(scope, layer->name, x, 1,
                                 layer->momentum == 0 ? 0.1 : layer->momentum, epsilon_of(layer));
}

static plx_node apply_embedding(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    if (layer->mask_zero && scope->mask.id < 0) {
        plx__graph_fail(scope->graph, PLX_ERR_ARGUMENT,
                        "%s: mask_zero is for the first layer of a model", layer->name);
        return plx_none();
    }
    return plx__embedding_layer(scope, layer->name, x, layer->vocabulary, layer->units, table_begin,
                                NULL);
}

static plx_node apply_positions(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx__positions_layer(scope, layer->name, x, table_begin);
}

static plx__block_options block_of(const plx_layer *layer, bool causal) {
    return (plx__block_options){
        .heads = layer->heads ? layer->heads : 1,
        .kv_heads = layer->kv_heads,
        .hidden = layer->units,
        .causal = causal,
        .post_norm = layer->post_norm,
        .rms_norm = layer->rms_norm,
        .gated = layer->gated,
        .rope_base = layer->rope_base,
        .no_bias = layer->no_bias,
        .activation = layer->activation == PLX_LINEAR ? PLX_GELU : layer->activation,
        .dropout = layer->rate,
        .epsilon = epsilon_of(layer),
        .begin = xavier,
        .residual_begin = xavier,
    };
}

static plx_node mask_of(const plx_scope *scope, plx_node x) {
    return is_masked(scope, x) ? scope->mask : plx_none();
}

static bool is_recurrent(plx_layer_kind kind) {
    return kind == PLX_LAYER_LSTM || kind == PLX_LAYER_GRU;
}

static plx_node recurrent(const plx_scope *scope, const plx_layer *layer, const char *name,
                          plx_node x, bool in_order) {
    const plx__begin begin = begin_of(layer, (double)channels_of(scope->graph, x));
    const plx_node mask = is_masked(scope, x) ? scope->counted : plx_none();
    return plx__recurrent_layer(scope, name, x, mask, layer, begin, in_order);
}

static plx_node apply_lstm(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return recurrent(scope, layer, layer->name, x, false);
}

static plx_node apply_gru(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return recurrent(scope, layer, layer->name, x, false);
}

static plx_node apply_attention(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__block_options options = block_of(layer, layer->causal);
    return plx__attention_layer(scope, layer->name, x, mask_of(scope, x), &options);
}

static plx_node apply_encoder_block(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__block_options options = block_of(layer, false);
    return plx__block(scope, layer->name, x, mask_of(scope, x), &options);
}

static plx_node apply_decoder_block(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__block_options options = block_of(layer, true);
    return plx__block(scope, layer->name, x, mask_of(scope, x), &options);
}

/* Name of inner layer i: its own, or its kind and its number among the layers of that kind. */
static void inner_name(const plx_layer *layer, int i, char name[PLX_NAME]) {
    const plx_layer *inner = &layer->layers[i];
    const char *kind = plx_layer_name(inner->kind);
    int number = 0;
    for (int j = 0; j <= i; ++j) number += layer->layers[j].kind == inner->kind;
    if (inner->name)
        plx__format(name, PLX_NAME, "%s", inner->name);
    else
        plx__format(name, PLX_NAME, "%s_%d", kind ? kind : "layer", number);
}

static bool inner_names_differ(plx_graph *graph, const plx_layer *layer) {
    char name[PLX_NAME], other[PLX_NAME];
    for (int i = 1; i < layer->layers_count; ++i) {
        inner_name(layer, i, name);
        for (int j = 0; j < i; ++j) {
            inner_name(layer, j, other);
            if (strcmp(name, other) != 0) continue;
            plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                            "%s: two layers are named \"%s\" and would share their weights; names "
                            "must be unique",
                            layer->name, name);
            return false;
        }
    }
    return true;
}

/* Brings x into the shape of y with a linear layer, as He et al., CVPR 2016, do where the number of
 * channels or the stride changes; plx_none if that is impossible. */
static plx_node projected(const plx_scope *scope, plx_node x, plx_node y) {
    const int64_t *from = NULL, *to = NULL;
    const int rank = plx_node_shape(scope->graph, x, &from);
    if (plx_node_shape(scope->graph, y, &to) != rank || rank < 2) return plx_none();
    const int64_t units = to[rank - 1];
    if (rank != 4) {
        if (memcmp(from, to, (size_t)(rank - 1) * sizeof *from) != 0) return plx_none();
        return plx__dense(scope, "project", x, units, xavier, false);
    }
    plx_layer conv = {.units = units, .size = {1, 1}, .no_bias = true};
    for (int i = 0; i < 2; ++i) {
        if (to[i + 1] < 1) return plx_none();
        conv.stride[i] = (from[i + 1] + to[i + 1] - 1) / to[i + 1];
        if ((from[i + 1] + conv.stride[i] - 1) / conv.stride[i] != to[i + 1]) return plx_none();
    }
    return plx__conv(scope, "project", x, &conv, xavier);
}

static bool same_shape(const plx_graph *graph, plx_node x, plx_node y) {
    const int64_t *a = NULL, *b = NULL;
    const int rank = plx_node_shape(graph, x, &a);
    return plx_node_shape(graph, y, &b) == rank && rank > 0 &&
           !memcmp(a, b, (size_t)rank * sizeof *a);
}

static plx_node refuse_shapes(plx_graph *graph, const plx_layer *layer, plx_node x, plx_node y) {
    char before[64], after[64];
    const int64_t *a = NULL, *b = NULL;
    const int rank_x = plx_node_shape(graph, x, &a), rank_y = plx_node_shape(graph, y, &b);
    plx__shape_text(rank_x - 1, a + 1, before, sizeof before);
    plx__shape_text(rank_y - 1, b + 1, after, sizeof after);
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "%s: x is %s, but the layers turn it into %s; the two are added, so %s",
                    layer->name, before, after,
                    layer->project
                        ? "they may differ only in channels and by a stride"
                        : "keep the shape, or set project for a linear layer that maps x");
    return plx_none();
}

/* Applies layer i inside another, whose scope is given. */
static plx_node apply_inner(const plx_scope *own, const plx_layer *layer, int i, plx_node x) {
    plx_layer inner = layer->layers[i];
    char name[PLX_NAME];
    inner_name(layer, i, name);
    inner.name = name;
    return plx_layer_apply(own, &inner, x);
}

static plx_node apply_chain(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_scope own = plx_scope_in(scope, layer->name);
    if (!inner_names_differ(scope->graph, layer)) return plx_none();
    for (int i = 0; i < layer->layers_count; ++i) x = apply_inner(&own, layer, i, x);
    return x;
}

static plx_node apply_bidirectional(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_scope own = plx_scope_in(scope, layer->name);
    plx_graph *graph = scope->graph;
    const plx_layer_kind kind = layer->layers->kind;
    if (layer->layers_count != 1 || !is_recurrent(kind)) {
        const char *name = plx_layer_name(kind);
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "%s: it takes one layer, lstm or gru; it has %d, the first a %s",
                        layer->name, layer->layers_count, name ? name : "kind that there is not");
        return plx_none();
    }
    plx_node y[2];
    for (int i = 0; i < 2; ++i) {
        plx_layer inner = *layer->layers;
        inner.name = i ? "backward" : "forward";
        inner.backwards = inner.backwards != (i == 1);
        if (!check(graph, &inner, x)) return plx_none();
        const plx_scope below = scope_for(&own, &inner);
        y[i] = recurrent(&below, &inner, inner.name, x, true);
    }
    if (layer->sum) return plx_add(graph, y[0], y[1]);
    return plx_concat(graph, 2, y, plx_node_shape(graph, y[0], NULL) - 1);
}

static plx_node refuse_branch(plx_graph *graph, const plx_layer *layer, int i, plx_node first,
                              plx_node y) {
    char before[64], after[64];
    const int64_t *a = NULL, *b = NULL;
    const int rank_x = plx_node_shape(graph, first, &a), rank_y = plx_node_shape(graph, y, &b);
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "%s: branch 0 gives %s, but branch %d gives %s; the shapes must be equal",
                    layer->name, plx__shape_text(rank_x - 1, a + 1, before, sizeof before), i,
                    plx__shape_text(rank_y - 1, b + 1, after, sizeof after));
    return plx_none();
}

static plx_node apply_add(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_scope own = plx_scope_in(scope, layer->name);
    plx_graph *graph = scope->graph;
    if (!inner_names_differ(graph, layer)) return plx_none();
    plx_node sum = apply_inner(&own, layer, 0, x);
    for (int i = 1; i < layer->layers_count && plx_graph_status(graph) == PLX_OK; ++i) {
        const plx_node y = apply_inner(&own, layer, i, x);
        if (plx_graph_status(graph) != PLX_OK) return plx_none();
        if (!same_shape(graph, sum, y)) return refuse_branch(graph, layer, i, sum, y);
        sum = plx_add(graph, sum, y);
    }
    return sum;
}

static plx_node apply_concatenate(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    enum { MOST_BRANCHES = 64 };
    const plx_scope own = plx_scope_in(scope, layer->name);
    plx_graph *graph = scope->graph;
    plx_node parts[MOST_BRANCHES] = {plx_none()};
    if (!inner_names_differ(graph, layer)) return plx_none();
    if (layer->layers_count > MOST_BRANCHES) {
        plx__graph_fail(graph, PLX_ERR_UNSUPPORTED, "%s: it has %d branches; there may be %d",
                        layer->name, layer->layers_count, MOST_BRANCHES);
        return plx_none();
    }
    for (int i = 0; i < layer->layers_count; ++i) parts[i] = apply_inner(&own, layer, i, x);
    return plx_concat(graph, layer->layers_count, parts, plx_node_shape(graph, parts[0], NULL) - 1);
}

static plx_node apply_residual(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_scope own = plx_scope_in(scope, layer->name);
    plx_graph *graph = scope->graph;
    plx_node y = x;
    if (!inner_names_differ(graph, layer)) return plx_none();
    for (int i = 0; i < layer->layers_count; ++i) y = apply_inner(&own, layer, i, y);
    if (plx_graph_status(graph) != PLX_OK) return plx_none();
    plx_node skip = x;
    if (!same_shape(graph, x, y)) skip = layer->project ? projected(&own, x, y) : plx_none();
    if (plx_graph_status(graph) != PLX_OK) return plx_none();
    return skip.id < 0 ? refuse_shapes(graph, layer, x, y) : plx_add(graph, skip, y);
}

/* ---- The table ------------------------------------------------------------------------------- */

/* What a batch consists of, and its rank; 0: any. */
typedef enum input_kind { ANY = 0, IDS = 1, SEQUENCES = 3, IMAGES = 4 } input_kind;

static const struct {
    const char *name;
    apply_function *apply;
    input_kind input;
} rows[PLX_LAYERS_] = {
#define PLX_LAYER(NAME, name, input, about) {#name, apply_##name, input},
#include "parallax.def"
};

const char *plx_layer_name(plx_layer_kind kind) {
    return (unsigned)kind < PLX_LAYERS_ ? rows[kind].name : NULL;
}

plx_layer_kind plx_layer_from_name(const char *name) {
    int kind = 0;
    while (kind < PLX_LAYERS_ && strcmp(rows[kind].name, name) != 0) kind += 1;
    return (plx_layer_kind)kind;
}

/* ---- Checks of what the builders below cannot name as well ----------------------------------- */

static bool refuse(plx_graph *graph, plx_status status, const char *layer, const char *what,
                   double value) {
    plx__graph_fail(graph, status, "%s: %s %g", layer, what, value);
    return false;
}

static bool is_conv(plx_layer_kind kind) {
    return kind == PLX_LAYER_CONV2D || kind == PLX_LAYER_CONV2D_TRANSPOSE ||
           kind == PLX_LAYER_CONV1D;
}

static bool is_pool(plx_layer_kind kind) {
    return kind == PLX_LAYER_MAX_POOL2D || kind == PLX_LAYER_AVG_POOL2D ||
           kind == PLX_LAYER_MAX_POOL1D || kind == PLX_LAYER_AVG_POOL1D;
}

static bool check_input(plx_graph *graph, const plx_layer *layer, plx_node x) {
    char text[64];
    const int64_t *dims = NULL;
    const int rank = plx__rank_of(graph, layer->name, x, &dims);
    const input_kind wanted = rows[layer->kind].input;
    const bool ids = plx_node_dtype(graph, x) == PLX_DTYPE_I32;
    if (rank < 0) return false;
    if (rank < 1)
        return refuse(graph, PLX_ERR_SHAPE, layer->name,
                      "x must be a batch of samples, not of rank", rank);
    if (ids != (wanted == IDS)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s", layer->name,
                        ids ? "takes numbers, not ids; start with an embedding"
                            : "takes ids, not numbers; use it in a model on ids");
        return false;
    }
    if (wanted == ANY || wanted == IDS || rank == (int)wanted) return true;
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: takes samples %s, not %s", layer->name,
                    wanted == IMAGES ? "[height, width, channels]" : "[length, width]",
                    plx__shape_text(rank - 1, dims + 1, text, sizeof text));
    return false;
}

/* Checks a count: from least to the largest 32-bit integer. */
static bool check_count(plx_graph *graph, const plx_layer *layer, const char *what, int64_t value,
                        int64_t least) {
    if (value >= least && value <= INT32_MAX) return true;
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s must be from 1 to 2147483647, not %lld",
                    layer->name, what, (long long)value);
    return false;
}

static bool check_pair(plx_graph *graph, const plx_layer *layer, const char *what,
                       const int64_t values[2], int64_t least) {
    return check_count(graph, layer, what, values[0], least) &&
           check_count(graph, layer, what, values[1], least);
}

#define IN(KIND) || layer->kind == PLX_LAYER_##KIND

static bool check_counts(plx_graph *graph, const plx_layer *layer) {
    return true
#define PLX_LAYER_COUNT(name, needed) &&check_count(graph, layer, #name, layer->name, false needed)
#define PLX_LAYER_PAIR(name, needed) &&check_pair(graph, layer, #name, layer->name, false needed)
#include "parallax.def"
        ;
}

/* Before such a layer has weights, which take time to make. */
static bool check_units(plx_graph *graph, const plx_layer *layer) {
    if (!is_recurrent(layer->kind) || layer->units <= PLX__MOST_UNITS) return true;
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: units must be from 1 to %d, not %lld", layer->name,
                    PLX__MOST_UNITS, (long long)layer->units);
    return false;
}

/* Windows of sequences have one length, and only a convolution of them may look back alone. */
static bool check_window(plx_graph *graph, const plx_layer *layer) {
    const plx_layer_kind kind = layer->kind;
    const bool window = is_conv(kind) || is_pool(kind);
    if (window && layer->causal && (kind != PLX_LAYER_CONV1D || layer->same)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: only a conv1d can be causal, without same",
                        layer->name);
        return false;
    }
    if (!window || rows[kind].input != SEQUENCES) return true;
    const int64_t *pairs[] = {layer->size, layer->stride, layer->dilation};
    for (int i = 0; i < 3; ++i)
        if (pairs[i][0] != pairs[i][1]) {
            plx__graph_fail(graph, PLX_ERR_SHAPE,
                            "%s: windows of sequences have one size, stride and dilation, not %lld "
                            "and %lld",
                            layer->name, (long long)pairs[i][0], (long long)pairs[i][1]);
            return false;
        }
    return true;
}

static bool check_groups(plx_graph *graph, const plx_layer *layer, plx_node x) {
    const int64_t channels = channels_of(graph, x), groups = layer->groups;
    if (!is_conv(layer->kind) || groups < 1 ||
        (channels % groups == 0 && layer->units % groups == 0))
        return true;
    plx__graph_fail(graph, PLX_ERR_SHAPE,
                    "%s: %lld groups do not divide %lld channels in and %lld channels out",
                    layer->name, (long long)groups, (long long)channels, (long long)layer->units);
    return false;
}

#define PLX_LAYER_REAL(name, valid, message)                                                       \
    static bool valid_##name(double v) {                                                           \
        return valid;                                                                              \
    }
#include "parallax.def"

static bool check_reals(plx_graph *graph, const plx_layer *layer) {
    const char *activation = plx_activation_name(layer->activation);
    if (!activation) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "%s: there is no activation number %d; it must be 0 to %d", layer->name,
                        (int)layer->activation, PLX_ACTIVATIONS_ - 1);
        return false;
    }
    if (plx__activation_needs_p(layer->activation)) {
        if (!plx__amount(graph, layer->name, "parameter", (double)parameter_of(layer), false))
            return false;
    } else if (layer->p != 0) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "%s: the activation %s has no parameter, but p is %g", layer->name,
                        activation, (double)layer->p);
        return false;
    }
#define PLX_LAYER_REAL(field, valid, message)                                                      \
    if (!valid_##field(layer->field))                                                              \
        return refuse(graph, PLX_ERR_ARGUMENT, layer->name, message, layer->field);
#include "parallax.def"
    return true;
}

/* Whether it needs layers inside; a chain may have none. */
static bool has_inner(const plx_layer *layer) {
    return layer->kind == PLX_LAYER_RESIDUAL || layer->kind == PLX_LAYER_ADD ||
           layer->kind == PLX_LAYER_CONCATENATE || layer->kind == PLX_LAYER_BIDIRECTIONAL ||
           (layer->kind == PLX_LAYER_CHAIN && layer->layers_count);
}

static bool check(plx_graph *graph, const plx_layer *layer, plx_node x) {
    if (!check_counts(graph, layer) || !check_reals(graph, layer)) return false;
    if (layer->gated && layer->activation != PLX_LINEAR) {
        plx__graph_fail(
            graph, PLX_ERR_ARGUMENT,
            "%s: gated is SwiGLU, whose activation is silu; leave out the activation %s",
            layer->name, plx_activation_name(layer->activation));
        return false;
    }
    if (layer->kind == PLX_LAYER_RESHAPE && (layer->rank < 1 || layer->rank >= PLX_MAX_RANK))
        return refuse(graph, PLX_ERR_SHAPE, layer->name, "a sample has 1 to 5 dimensions, not",
                      layer->rank);
    if (layer->start >= PLX_STARTS_)
        return refuse(graph, PLX_ERR_ARGUMENT, layer->name, "there is no initialisation number",
                      (double)layer->start);
    if (has_inner(layer) && (layer->layers_count < 1 || !layer->layers))
        return refuse(graph, PLX_ERR_ARGUMENT, layer->name,
                      layer->layers_count < 1 ? "it needs at least one layer inside, not"
                                              : "layers is NULL, but layers_count is",
                      layer->layers_count);
    return check_input(graph, layer, x) && check_units(graph, layer) &&
           check_window(graph, layer) && check_groups(graph, layer, x);
}

static bool check_name(plx_graph *graph, const char *name) {
    const size_t length = strlen(name);
    if (length > 0 && length < PLX_LAYER_NAME_BYTES && !strchr(name, '.')) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                    "layers: \"%.40s\" is not a valid name; use 1 to %d characters without dots",
                    name, PLX_LAYER_NAME_BYTES - 1);
    return false;
}

/* Messages of builders name the op; users know the layer. */
static void name_failure(plx_graph *graph, const char *name) {
    const plx__message inner = graph->message;
    const size_t length = strlen(name);
    if (!strncmp(inner.text, name, length) && inner.text[length] == ':') return;
    plx__format(graph->message.text, sizeof graph->message.text, "%s: %s", name, inner.text);
}

/* The scope in which a layer adds its nodes. */
static plx_scope scope_for(const plx_scope *scope, const plx_layer *layer) {
    plx_scope inner = *scope;
    inner.frozen = scope->frozen || layer->frozen;
    if (layer->l1 > 0 || layer->l2 > 0) {
        inner.l1 = layer->l1;
        inner.l2 = layer->l2;
    }
    /* A frozen batch norm keeps its statistics, too. */
    if (layer->kind == PLX_LAYER_BATCH_NORM && inner.frozen) inner.training = false;
    return inner;
}

plx_node plx_layer_apply(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    if (!plx__given(scope->graph, "layers", "the layer", layer)) return plx_none();
    plx_layer own = *layer;
    if ((unsigned)layer->kind >= PLX_LAYERS_) {
        plx__graph_fail(scope->graph, PLX_ERR_ARGUMENT,
                        "layers: there is no kind number %d; it must be 0 to %d", (int)layer->kind,
                        PLX_LAYERS_ - 1);
        return plx_none();
    }
    if (!own.name) own.name = rows[layer->kind].name;
    if (plx_graph_status(scope->graph) != PLX_OK || !check_name(scope->graph, own.name) ||
        !plx__name_fits(scope, own.name) || !check(scope->graph, &own, x))
        return plx_none();
    const plx_scope inner = scope_for(scope, &own);
    const int32_t first = plx__layer_begin(scope);
    const plx_node y = rows[layer->kind].apply(&inner, &own, x);
    if (scope->graph->status != PLX_OK) name_failure(scope->graph, own.name);
    return plx__layer_end(scope, rows[layer->kind].name, own.name, first, y);
}
