/* Layers as functions. */
#include "nn/layers.h"

#include "ops/op.h"
#include "parallax.h"

#include <math.h>

/* The size of the last axis; 0 for an invalid node. */
static int64_t width_of(const plx_graph *graph, plx_node x) {
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(graph, x, &dims);
    return rank > 0 ? dims[rank - 1] : 0;
}

static plx_node vector_weight(const plx_scope *scope, const char *name, int64_t size, double value,
                              plx_weight_role role) {
    return plx_weight(scope, name, 1, &size, PLX_INIT_CONSTANT, value, role);
}

plx_node plx__dense(const plx_scope *scope, const char *name, plx_node x, int64_t units,
                    plx__begin begin, bool bias) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t dims[] = {width_of(scope->graph, x), units};
    const plx_node w =
        plx_weight(&own, "weight", 2, dims, begin.init, begin.value, PLX_WEIGHT_DECAYED);
    const plx_node b = bias ? vector_weight(&own, "bias", units, 0, PLX_WEIGHT_PLAIN) : plx_none();
    return plx__layer_end(scope, "dense", name, first, plx_dense(scope->graph, x, w, b));
}

static void fill_conv_options(const plx_layer *layer, const int64_t *x, plx_conv2d_options *o) {
    *o = plx_conv2d_default();
    for (int i = 0; i < 2; ++i) {
        if (layer->stride[i]) o->stride[i] = layer->stride[i];
        if (layer->dilation[i]) o->dilation[i] = layer->dilation[i];
    }
    if (layer->groups) o->groups = layer->groups;
    if (layer->same) plx_conv2d_same(o, x[1], x[2], layer->size[0], layer->size[1]);
    if (layer->causal) o->padding[2] = o->dilation[1] * (layer->size[1] - 1);
}

plx_node plx__conv(const plx_scope *scope, const char *name, plx_node x, const plx_layer *layer,
                   plx__begin begin) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t *dims = NULL;
    if (plx_node_shape(scope->graph, x, &dims) != 4) {
        plx__graph_fail(scope->graph, PLX_ERR_SHAPE,
                        "conv2d: takes images [height, width, channels]");
        return plx__layer_end(scope, "conv2d", name, first, plx_none());
    }
    plx_conv2d_options options;
    fill_conv_options(layer, dims, &options);
    const int64_t shape[] = {layer->size[0], layer->size[1], dims[3] / options.groups,
                             layer->units};
    const int flat = layer->kind == PLX_LAYER_CONV1D;
    plx_node w = plx_weight(&own, "weight", 4 - flat, shape + flat, begin.init, begin.value,
                            PLX_WEIGHT_DECAYED);
    if (flat) w = plx_reshape(scope->graph, w, 4, shape);
    const plx_node b = layer->no_bias
                           ? plx_none()
                           : vector_weight(&own, "bias", layer->units, 0, PLX_WEIGHT_PLAIN);
    return plx__layer_end(scope, "conv2d", name, first,
                          plx_conv2d(scope->graph, x, w, b, &options));
}

plx_node plx__conv_transpose(const plx_scope *scope, const char *name, plx_node x,
                             const plx_layer *layer, plx__begin begin) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t *dims = NULL;
    plx_node y = plx_none();
    if (plx_node_shape(scope->graph, x, &dims) == 4) {
        plx_layer untied = *layer;
        untied.same = false;
        plx_conv2d_options options;
        fill_conv_options(&untied, dims, &options);
        if (layer->same)
            plx_conv2d_same(&options, dims[1] * options.stride[0], dims[2] * options.stride[1],
                            layer->size[0], layer->size[1]);
        /* Where the kernel is smaller than the stride, no padding makes the result size * stride.
         */
        int64_t extra[2] = {0, 0};
        for (int i = 0; i < 2 && layer->same; ++i) {
            const int64_t reach = options.dilation[i] * (layer->size[i] - 1) + 1;
            if (reach < options.stride[i]) extra[i] = options.stride[i] - reach;
        }
        const int64_t units = layer->units;
        const int64_t shape[] = {layer->size[0], layer->size[1], units / options.groups, dims[3]};
        const plx_node w =
            plx_weight(&own, "weight", 4, shape, begin.init, begin.value, PLX_WEIGHT_DECAYED);
        const plx_node b =
            layer->no_bias ? plx_none() : vector_weight(&own, "bias", units, 0, PLX_WEIGHT_PLAIN);
        y = plx_conv2d_transpose(scope->graph, x, w, b, &options, extra);
    } else {
        plx__graph_fail(scope->graph, PLX_ERR_SHAPE,
                        "conv2d_transpose: takes images [height, width, channels]");
    }
    return plx__layer_end(scope, "conv2d_transpose", name, first, y);
}

/* ---- Recurrence ------------------------------------------------------------------------------ */

/* Keeps what passes through time: Saxe et al., ICLR 2014. */
static plx_node recurrent_weight(const plx_scope *own, int64_t units, int64_t columns) {
    plx_scope plain = *own; /* penalties are for the kernel */
    plain.l1 = plain.l2 = 0;
    const int64_t dims[] = {units, columns};
    return plx_weight(&plain, "recurrent_weight", 2, dims, PLX_INIT_ORTHOGONAL, 0,
                      PLX_WEIGHT_DECAYED);
}

/* Forget gates begin open: Jozefowicz et al., ICML 2015. */
static plx_node lstm_bias(const plx_scope *own, int64_t units) {
    const int before = own->weights->count;
    const plx_node bias = vector_weight(own, "bias", 4 * units, 0, PLX_WEIGHT_PLAIN);
    if (own->weights->count > before) {
        plx_real *values = plx_tensor_data(own->weights->list[before].tensor);
        for (int64_t i = units; i < 2 * units; ++i) values[i] = 1;
    }
    return bias;
}

static plx_node states_of(const plx_scope *own, plx_node x, plx_node mask, const plx_layer *layer,
                          plx__begin begin) {
    const int64_t gates = layer->kind == PLX_LAYER_LSTM ? 4 : 3, units = layer->units;
    const int64_t dims[] = {width_of(own->graph, x), gates * units};
    x = plx__dropout_layer(own, "dropout", x, layer->rate);
    const plx_node w =
        plx_weight(own, "weight", 2, dims, begin.init, begin.value, PLX_WEIGHT_DECAYED);
    const plx_node r = recurrent_weight(own, units, dims[1]);
    plx_node bias = plx_none(), recurrent_bias = plx_none();
    if (!layer->no_bias && gates == 4) bias = lstm_bias(own, units);
    if (!layer->no_bias && gates == 3) {
        bias = vector_weight(own, "bias", dims[1], 0, PLX_WEIGHT_PLAIN);
        if (!layer->reset_before)
            recurrent_bias = vector_weight(own, "recurrent_bias", dims[1], 0, PLX_WEIGHT_PLAIN);
    }
    if (gates == 4)
        return plx_lstm(own->graph, x, w, r, bias, plx_none(), plx_none(), mask, layer->backwards,
                        NULL);
    return plx_gru(own->graph, x, w, r, bias, recurrent_bias, plx_none(), mask, layer->backwards,
                   !layer->reset_before);
}

plx_node plx__recurrent_layer(const plx_scope *scope, const char *name, plx_node x, plx_node mask,
                              const plx_layer *layer, plx__begin begin, bool in_order) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    plx_graph *graph = scope->graph;
    const int64_t *dims = NULL;
    plx_node y = states_of(&own, x, mask, layer, begin);
    if (plx_node_shape(graph, y, &dims) == 3) {
        const int64_t state[] = {dims[0], dims[2]}, last = layer->backwards ? 0 : dims[1] - 1;
        if (!layer->sequences)
            y = plx_reshape(graph, plx_slice(graph, y, 1, last, last + 1, 1), 2, state);
        else if (layer->backwards && !in_order)
            y = plx_slice(graph, y, 1, -1, -1 - dims[1], -1);
    }
    return plx__layer_end(scope, plx_layer_name(layer->kind), name, first, y);
}

plx_node plx__layer_norm_layer(const plx_scope *scope, const char *name, plx_node x,
                               double epsilon) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t width = width_of(scope->graph, x);
    const plx_node scale = vector_weight(&own, "scale", width, 1, PLX_WEIGHT_PLAIN);
    const plx_node shift = vector_weight(&own, "shift", width, 0, PLX_WEIGHT_PLAIN);
    return plx__layer_end(scope, "layer_norm", name, first,
                          plx_layer_norm(scope->graph, x, scale, shift, epsilon));
}

plx_node plx__rms_norm_layer(const plx_scope *scope, const char *name, plx_node x, double epsilon) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const plx_node scale =
        vector_weight(&own, "scale", width_of(scope->graph, x), 1, PLX_WEIGHT_PLAIN);
    return plx__layer_end(scope, "rms_norm", name, first,
                          plx_rms_norm(scope->graph, x, scale, epsilon));
}

plx_node plx__batch_norm_layer(const plx_scope *scope, const char *name, plx_node x, double scale,
                               double momentum, double epsilon) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t width = width_of(scope->graph, x);
    const plx_node by = vector_weight(&own, "scale", width, scale, PLX_WEIGHT_PLAIN);
    const plx_node shift = vector_weight(&own, "shift", width, 0, PLX_WEIGHT_PLAIN);
    const plx_node mean = vector_weight(&own, "mean", width, 0, PLX_WEIGHT_STATE);
    const plx_node variance = vector_weight(&own, "variance", width, 1, PLX_WEIGHT_STATE);
    return plx__layer_end(scope, "batch_norm", name, first,
                          plx_batch_norm(scope->graph, x, by, shift, mean, variance,
                                         scope->training, momentum, epsilon));
}

plx_node plx__embedding_layer(const plx_scope *scope, const char *name, plx_node ids,
                              int64_t vocabulary, int64_t width, plx__begin begin,
                              plx_node *table) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t dims[] = {vocabulary, width};
    const plx_node rows =
        plx_weight(&own, "table", 2, dims, begin.init, begin.value, PLX_WEIGHT_DECAYED);
    if (table) *table = rows;
    return plx__layer_end(scope, "embedding", name, first, plx_embedding(scope->graph, rows, ids));
}

plx_node plx__tied_dense(const plx_scope *scope, const char *name, plx_node x, plx_node table) {
    const int32_t first = plx__layer_begin(scope);
    return plx__layer_end(scope, "dense", name, first,
                          plx_matmul(scope->graph, x, table, false, true));
}

plx_node plx__positions_layer(const plx_scope *scope, const char *name, plx_node x,
                              plx__begin begin) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t *dims = NULL;
    plx_node y = plx_none();
    if (plx_node_shape(scope->graph, x, &dims) == 3) {
        const plx_node table =
            plx_weight(&own, "table", 2, dims + 1, begin.init, begin.value, PLX_WEIGHT_DECAYED);
        y = plx_add(scope->graph, x, table);
    } else {
        plx__graph_fail(scope->graph, PLX_ERR_SHAPE, "positions: takes samples [length, width]");
    }
    return plx__layer_end(scope, "positions", name, first, y);
}

plx_node plx__position_layer(const plx_scope *scope, const char *name, plx_node x,
                             const plx__cache *cache) {
    const plx_scope own = plx_scope_in(scope, name);
    const int64_t dims[] = {cache->context, width_of(scope->graph, x)};
    const plx_node table = plx_weight(&own, "table", 2, dims, PLX_INIT_ZERO, 0, PLX_WEIGHT_DECAYED);
    return plx_add(scope->graph, x, plx_gather(scope->graph, table, cache->position, 0));
}

plx_node plx__dropout_layer(const plx_scope *scope, const char *name, plx_node x, double rate) {
    if (rate == 0 || !scope->training) return x;
    const uint64_t stream = plx__name_stream(scope->path, name);
    return plx_dropout(scope->graph, x, rate, scope->weights->seed ^ stream << 32);
}

plx_node plx__patches(const plx_scope *scope, const char *name, plx_node x, int64_t patch,
                      int64_t width, plx__begin begin) {
    plx_graph *graph = scope->graph;
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, x, &dims) != 4) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "patches: takes images [height, width, channels]");
        return plx_none();
    }
    if (patch < 1 || dims[1] % patch || dims[2] % patch) {
        plx__graph_fail(graph, PLX_ERR_SHAPE,
                        "patches: a patch of %lld does not divide an image of %lld x %lld",
                        (long long)patch, (long long)dims[1], (long long)dims[2]);
        return plx_none();
    }
    const int64_t rows[] = {dims[0], dims[1] / patch * (dims[2] / patch), width};
    const plx_layer layer = {.units = width, .size = {patch, patch}, .stride = {patch, patch}};
    const int32_t first = plx__layer_begin(scope);
    const plx_node y = plx__conv(scope, name, x, &layer, begin);
    return plx__layer_end(scope, "patches", name, first, plx_reshape(graph, y, 3, rows));
}

/* A table of one column, read like an embedding. */
plx_node plx__by_padding(plx_graph *graph, plx_node ids, int64_t vocabulary, double padding,
                         double word) {
    const int64_t words[] = {vocabulary - 1, 1}, before[] = {1, 0}, after[] = {0, 0};
    const plx_node others = plx_broadcast(graph, plx_constant(graph, word), 2, words);
    return plx_embedding(graph, plx_pad(graph, others, before, after, padding), ids);
}

plx_node plx__padding_mask(plx_graph *graph, plx_node ids, int64_t vocabulary) {
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, ids, &dims) != 2) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "padding: takes ids [batch, length]");
        return plx_none();
    }
    const int64_t mask[] = {dims[0], 1, dims[1]};
    return plx_reshape(graph, plx__by_padding(graph, ids, vocabulary, -INFINITY, 0), 3, mask);
}

void plx__mask_padding(plx_scope *scope, plx_node ids, int64_t vocabulary) {
    if (plx_node_dtype(scope->graph, ids) != PLX_DTYPE_I32) return;
    scope->mask = plx__padding_mask(scope->graph, ids, vocabulary);
    scope->counted = plx__by_padding(scope->graph, ids, vocabulary, 0, 1);
}

/* ---- Transformer blocks ---------------------------------------------------------------------- */

static plx_node project(const plx_scope *scope, const char *name, plx_node x, int64_t units,
                        const plx__block_options *o) {
    return plx__dense(scope, name, x, units, o->begin, !o->no_bias);
}

static bool heads_fit(const plx_scope *scope, int64_t width, const plx__block_options *o) {
    const int64_t kv_heads = o->kv_heads ? o->kv_heads : o->heads;
    if (o->heads < 1 || width % o->heads) {
        plx__graph_fail(scope->graph, PLX_ERR_SHAPE,
                        "attention: %lld heads do not divide the width %lld", (long long)o->heads,
                        (long long)width);
        return false;
    }
    if (kv_heads < 1 || o->heads % kv_heads) {
        plx__graph_fail(scope->graph, PLX_ERR_SHAPE,
                        "attention: %lld key heads do not divide %lld query heads",
                        (long long)kv_heads, (long long)o->heads);
        return false;
    }
    return true;
}

/* x rotated by its positions: 0, 1, ... of a sequence, or the present one of the cache. */
static plx_node turned(plx_graph *graph, plx_node x, int64_t heads, const plx__block_options *o) {
    if (o->rope_base <= 0) return x;
    if (!o->cache) return plx_rope(graph, x, heads, o->rope_base, 0);
    const plx__attrs angles = {.rope_table = {.length = o->cache->context,
                                              .width = width_of(graph, x) / heads,
                                              .base = o->rope_base}};
    const plx_node table = plx__build(graph, &plx__op_rope_table, 0, NULL, &angles);
    const plx_node row = plx_gather(graph, table, o->cache->position, 1);
    const plx__attrs attrs = {.rope = {.heads = heads}};
    return plx__build2(graph, &plx__op_rope, x, row, &attrs);
}

/* Attention of one query to the cached keys up to its position. */
static plx_node attend_cached(const plx_scope *own, plx_node q, plx_node k, plx_node v,
                              const plx_attention_options *options, const plx__cache *cache) {
    plx_graph *graph = own->graph;
    plx_scope kept = *own;
    kept.weights = cache->rows;
    const int64_t dims[] = {cache->context, width_of(graph, k)};
    const plx_node keys = plx_weight(&kept, "keys", 2, dims, PLX_INIT_ZERO, 0, PLX_WEIGHT_STATE);
    const plx_node values =
        plx_weight(&kept, "values", 2, dims, PLX_INIT_ZERO, 0, PLX_WEIGHT_STATE);
    const double width = (double)width_of(graph, q) / (double)options->heads;
    const plx__attrs attrs = {.attention = {.heads = options->heads,
                                            .kv_heads = options->kv_heads,
                                            .scale = 1 / plx_math_sqrt(width)}};
    const plx_node inputs[] = {q, k, v, keys, values, cache->position};
    return plx__build(graph, &plx__op_cached_attention, 6, inputs, &attrs);
}

plx_node plx__attention_layer(const plx_scope *scope, const char *name, plx_node x, plx_node mask,
                              const plx__block_options *o) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    plx_graph *graph = scope->graph;
    const int64_t width = width_of(graph, x);
    if (plx_graph_status(graph) != PLX_OK || !heads_fit(scope, width, o))
        return plx__layer_end(scope, "attention", name, first, plx_none());
    const int64_t kv_heads = o->kv_heads ? o->kv_heads : o->heads;
    const int64_t kv_width = width / o->heads * kv_heads;
    const plx_node q = turned(graph, project(&own, "query", x, width, o), o->heads, o);
    const plx_node k = turned(graph, project(&own, "key", x, kv_width, o), kv_heads, o);
    const plx_node v = project(&own, "value", x, kv_width, o);
    const plx_attention_options options = {
        .heads = o->heads, .kv_heads = kv_heads, .causal = o->causal};
    const plx_node seen = o->cache ? attend_cached(&own, q, k, v, &options, o->cache)
                                   : plx_attention(graph, q, k, v, mask, &options);
    return plx__layer_end(scope, "attention", name, first,
                          plx__dense(&own, "output", seen, width, o->residual_begin, !o->no_bias));
}

static plx_node normalise(const plx_scope *scope, const char *name, plx_node x,
                          const plx__block_options *o) {
    return o->rms_norm ? plx__rms_norm_layer(scope, name, x, o->epsilon)
                       : plx__layer_norm_layer(scope, name, x, o->epsilon);
}

/* The hidden layer: dense, activation, dense; or gated (Shazeer, "GLU variants improve
 * transformer", 2020). */
static plx_node hidden_layer(const plx_scope *scope, plx_node x, const plx__block_options *o) {
    plx_graph *graph = scope->graph;
    const plx_scope own = plx_scope_in(scope, "mlp");
    const int64_t width = width_of(graph, x), hidden = o->hidden ? o->hidden : 4 * width;
    plx_node y;
    if (o->gated) {
        const plx_node gate = project(&own, "gate", x, hidden, o);
        y = plx_swiglu(graph, gate, project(&own, "up", x, hidden, o));
    } else {
        y = plx_activate(graph, project(&own, "up", x, hidden, o), o->activation,
                         plx_activation_default(o->activation));
    }
    return plx__dense(&own, "down", y, width, o->residual_begin, !o->no_bias);
}

plx_node plx__block(const plx_scope *scope, const char *name, plx_node x, plx_node mask,
                    const plx__block_options *o) {
    const int32_t first = plx__layer_begin(scope);
    const plx_scope own = plx_scope_in(scope, name);
    plx_graph *graph = scope->graph;
    for (int part = 0; part < 2; ++part) {
        const char *const norm = part ? "norm_2" : "norm_1";
        const char *const drop = part ? "dropout_2" : "dropout_1";
        plx_node y = o->post_norm ? x : normalise(&own, norm, x, o);
        y = part ? hidden_layer(&own, y, o) : plx__attention_layer(&own, "attention", y, mask, o);
        x = plx_add(graph, x, plx__dropout_layer(&own, drop, y, o->dropout));
        if (o->post_norm) x = normalise(&own, norm, x, o);
    }
    return plx__layer_end(scope, o->causal ? "decoder_block" : "encoder_block", name, first, x);
}

plx_node plx__blocks(const plx_scope *scope, plx_node x, plx_node mask, int count,
                     const plx__block_options *options) {
    for (int i = 0; i < count; ++i) {
        char name[24];
        plx__format(name, sizeof name, "block_%d", i);
        x = plx__block(scope, name, x, mask, options);
    }
    return x;
}
