/* Layers of any kind by their description: the rows of layers.def. */
#include "nn/layers.h"

#include "graph/graph.h"

#include <string.h>

static const plx__begin xavier = {PLX_INIT_XAVIER_UNIFORM, 0};
static const plx__begin table_begin = {PLX_INIT_NORMAL, 0.02}; /* Radford et al., 2018 */

/* For layers whose outputs are rectified half of them are 0, which He et al. make up for. */
static plx__begin begin_for(plx_activation activation) {
    const bool symmetric = activation == PLX_LINEAR || activation == PLX_SIGMOID ||
                           activation == PLX_TANH || activation == PLX_HARDSIGMOID ||
                           activation == PLX_SOFTSIGN;
    return symmetric ? xavier : (plx__begin){PLX_INIT_HE_NORMAL, 0};
}

static plx_real parameter_of(const plx_layer *layer) {
    return layer->p == 0 ? plx_activation_default(layer->activation) : layer->p;
}

static plx_node activated(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx_activate(scope->graph, x, layer->activation, parameter_of(layer));
}

/* ---- One function a kind --------------------------------------------------------------------- */

typedef plx_node apply_function(const plx_scope *scope, const plx_layer *layer, plx_node x);

static plx_node apply_dense(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    x = plx__dense(scope, layer->name, x, layer->units, begin_for(layer->activation),
                   !layer->no_bias);
    return activated(scope, layer, x);
}

static plx_node apply_activation(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return activated(scope, layer, x);
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

static plx_node apply_conv2d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return activated(scope, layer,
                     plx__conv(scope, layer->name, x, layer, begin_for(layer->activation)));
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

static plx_node apply_global_avg_pool2d(const plx_scope *scope, const plx_layer *layer,
                                        plx_node x) {
    (void)layer;
    return plx_global_avg_pool2d(scope->graph, x);
}

static plx_node apply_upsample2d(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    return plx_upsample2d(scope->graph, x, layer->size[0] ? layer->size[0] : 2,
                          layer->size[1] ? layer->size[1] : 2, PLX_NEAREST);
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
        .no_bias = layer->no_bias,
        .activation = layer->activation == PLX_LINEAR ? PLX_GELU : layer->activation,
        .dropout = layer->rate,
        .epsilon = epsilon_of(layer),
        .begin = xavier,
        .residual_begin = xavier,
    };
}

static plx_node apply_attention(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__block_options options = block_of(layer, layer->causal);
    return plx__attention_layer(scope, layer->name, x, plx_none(), &options);
}

static plx_node apply_encoder_block(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__block_options options = block_of(layer, false);
    return plx__block(scope, layer->name, x, plx_none(), &options);
}

static plx_node apply_decoder_block(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx__block_options options = block_of(layer, true);
    return plx__block(scope, layer->name, x, plx_none(), &options);
}

static plx_node apply_residual(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    const plx_scope own = plx_scope_in(scope, layer->name);
    int of_kind[PLX_LAYERS_] = {0};
    plx_node y = x;
    for (int i = 0; i < layer->layers_count; ++i) {
        plx_layer inner = layer->layers[i];
        char name[PLX_NAME];
        if (inner.kind >= PLX_LAYERS_) break;
        of_kind[inner.kind] += 1;
        plx__format(name, sizeof name, "%s_%d", plx_layer_name(inner.kind), of_kind[inner.kind]);
        if (!inner.name) inner.name = name;
        y = plx_layer_apply(&own, &inner, y);
    }
    return plx_add(scope->graph, x, y);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    apply_function *apply;
} rows[PLX_LAYERS_] = {
    [PLX_LAYER_DENSE] = {"dense", apply_dense},
    [PLX_LAYER_ACTIVATION] = {"activation", apply_activation},
    [PLX_LAYER_DROPOUT] = {"dropout", apply_dropout},
    [PLX_LAYER_FLATTEN] = {"flatten", apply_flatten},
    [PLX_LAYER_RESHAPE] = {"reshape", apply_reshape},
    [PLX_LAYER_CONV2D] = {"conv2d", apply_conv2d},
    [PLX_LAYER_MAX_POOL2D] = {"max_pool2d", apply_max_pool2d},
    [PLX_LAYER_AVG_POOL2D] = {"avg_pool2d", apply_avg_pool2d},
    [PLX_LAYER_GLOBAL_AVG_POOL2D] = {"global_avg_pool2d", apply_global_avg_pool2d},
    [PLX_LAYER_UPSAMPLE2D] = {"upsample2d", apply_upsample2d},
    [PLX_LAYER_LAYER_NORM] = {"layer_norm", apply_layer_norm},
    [PLX_LAYER_RMS_NORM] = {"rms_norm", apply_rms_norm},
    [PLX_LAYER_GROUP_NORM] = {"group_norm", apply_group_norm},
    [PLX_LAYER_BATCH_NORM] = {"batch_norm", apply_batch_norm},
    [PLX_LAYER_EMBEDDING] = {"embedding", apply_embedding},
    [PLX_LAYER_POSITIONS] = {"positions", apply_positions},
    [PLX_LAYER_ATTENTION] = {"attention", apply_attention},
    [PLX_LAYER_ENCODER_BLOCK] = {"encoder_block", apply_encoder_block},
    [PLX_LAYER_DECODER_BLOCK] = {"decoder_block", apply_decoder_block},
    [PLX_LAYER_RESIDUAL] = {"residual", apply_residual},
};

const char *plx_layer_name(plx_layer_kind kind) {
    return (unsigned)kind < PLX_LAYERS_ ? rows[kind].name : NULL;
}

plx_layer_kind plx_layer_from_name(const char *name) {
    int kind = 0;
    while (kind < PLX_LAYERS_ && strcmp(rows[kind].name, name) != 0) kind += 1;
    return (plx_layer_kind)kind;
}

/* ---- Checks of what the builders below cannot name as well ------------------------------------
 */

static bool refuse(plx_graph *graph, plx_status status, const char *layer, const char *what,
                   double value) {
    plx__graph_fail(graph, status, "%s: %s %g", layer, what, value);
    return false;
}

static bool check(plx_graph *graph, const plx_layer *layer) {
    const bool counted = layer->kind == PLX_LAYER_DENSE || layer->kind == PLX_LAYER_CONV2D ||
                         layer->kind == PLX_LAYER_EMBEDDING;
    const char *activation = plx_activation_name(layer->activation);
    if (counted && (layer->units < 1 || layer->units > INT32_MAX))
        return refuse(graph, PLX_ERR_SHAPE, layer->name, "units must be from 1 to 2147483647, not",
                      (double)layer->units);
    if (!activation)
        return refuse(graph, PLX_ERR_ARGUMENT, layer->name, "there is no activation number",
                      (double)layer->activation);
    const plx_real p = parameter_of(layer);
    if (plx__activation_needs_p(layer->activation) && !(p > 0 && p < 1e30)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: parameter %g must be above 0", activation,
                        (double)p);
        return false;
    }
    if (!(layer->rate >= 0 && layer->rate < 1)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "dropout: rate %g is outside [0, 1)", layer->rate);
        return false;
    }
    if (layer->kind == PLX_LAYER_EMBEDDING && layer->vocabulary < 1)
        return refuse(graph, PLX_ERR_SHAPE, layer->name, "vocabulary must be 1 or more, not",
                      (double)layer->vocabulary);
    for (int i = 0; i < 2; ++i) {
        if (layer->size[i] < 0 || (layer->kind == PLX_LAYER_CONV2D && layer->size[i] < 1))
            return refuse(graph, PLX_ERR_SHAPE, layer->name, "size must be 1 or more, not",
                          (double)layer->size[i]);
        if (layer->stride[i] < 0)
            return refuse(graph, PLX_ERR_SHAPE, layer->name, "stride must be 1 or more, not",
                          (double)layer->stride[i]);
    }
    if (layer->kind == PLX_LAYER_RESHAPE && (layer->rank < 0 || layer->rank >= PLX_MAX_RANK))
        return refuse(graph, PLX_ERR_SHAPE, layer->name, "a sample has at most 5 dimensions, not",
                      layer->rank);
    return true;
}

plx_node plx_layer_apply(const plx_scope *scope, const plx_layer *layer, plx_node x) {
    plx_layer own = *layer;
    if ((unsigned)layer->kind >= PLX_LAYERS_) {
        plx__graph_fail(scope->graph, PLX_ERR_ARGUMENT, "layers: no kind number %d",
                        (int)layer->kind);
        return plx_none();
    }
    if (!own.name) own.name = rows[layer->kind].name;
    if (plx_graph_status(scope->graph) != PLX_OK || !check(scope->graph, &own)) return plx_none();
    const int32_t first = plx__layer_begin(scope);
    return plx__layer_end(scope, rows[layer->kind].name, own.name, first,
                          rows[layer->kind].apply(scope, &own, x));
}
