/* Stacks of layers: parameters, forward graph, prediction. */
#include "nn/model.h"

#include "base/platform.h"
#include "graph/graph.h"

#include <string.h>

plx_status plx_model_new(plx_ctx *ctx, int rank, const int64_t *dims, uint64_t seed,
                         plx_model **out) {
    if (rank < 1 || rank >= PLX_MAX_RANK)
        return plx__fail(&ctx->message, PLX_ERR_SHAPE,
                         "model: a sample has 1 to %d dimensions, not %d", PLX_MAX_RANK - 1, rank);
    for (int i = 0; i < rank; ++i)
        if (dims[i] < 1 || dims[i] > INT32_MAX)
            return plx__fail(&ctx->message, PLX_ERR_SHAPE,
                             "model: dimension %d of a sample is %lld", i, (long long)dims[i]);
    plx_model *model = plx_platform_alloc(sizeof *model);
    if (!model) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "model: no memory");
    *model = (plx_model){.ctx = ctx, .seed = seed, .rank = rank};
    memcpy(model->dims, dims, (size_t)rank * sizeof *dims);
    *out = model;
    return PLX_OK;
}

static void forget_plans(plx_model *model) {
    for (int i = 0; i < PLX__PREDICTORS; ++i) {
        plx_plan_free(model->predictors[i].plan);
        model->predictors[i] = (plx__predictor){0};
    }
}

void plx_model_free(plx_model *model) {
    if (!model) return;
    forget_plans(model);
    for (int i = 0; i < model->count; ++i) {
        plx_tensor_free(model->layers[i].weight);
        plx_tensor_free(model->layers[i].bias);
    }
    plx_platform_free(model->layers);
    plx_platform_free(model);
}

int plx__model_output(const plx_model *model, const int64_t **dims) {
    const plx__layer *last = model->count ? &model->layers[model->count - 1] : NULL;
    *dims = last ? last->dims : model->dims;
    return last ? last->rank : model->rank;
}

static int64_t product(int rank, const int64_t *dims) {
    int64_t size = 1;
    for (int i = 0; i < rank; ++i) size *= dims[i];
    return size;
}

int64_t plx__model_input_size(const plx_model *model) {
    return product(model->rank, model->dims);
}

int64_t plx__model_output_size(const plx_model *model) {
    const int64_t *dims;
    const int rank = plx__model_output(model, &dims);
    return product(rank, dims);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static plx__layer *add_layer(plx_model *model, plx__layer_kind kind, const char *name) {
    if (model->count == model->capacity) {
        const int capacity = model->capacity ? 2 * model->capacity : 8;
        plx__layer *layers = plx_platform_alloc((size_t)capacity * sizeof *layers);
        if (!layers) {
            plx__fail(&model->ctx->message, PLX_ERR_MEMORY, "model: no memory for a layer");
            return NULL;
        }
        if (model->count) memcpy(layers, model->layers, (size_t)model->count * sizeof *layers);
        plx_platform_free(model->layers);
        model->layers = layers;
        model->capacity = capacity;
    }
    int same = 1;
    for (int i = 0; i < model->count; ++i) same += model->layers[i].kind == kind;
    plx__layer *layer = &model->layers[model->count];
    const int64_t *dims;
    *layer = (plx__layer){.kind = kind};
    layer->rank = plx__model_output(model, &dims);
    memcpy(layer->dims, dims, sizeof layer->dims);
    plx__format(layer->name, sizeof layer->name, "%s_%d", name, same);
    return layer;
}

static bool is_rectifier(plx_activation activation) {
    return activation != PLX_LINEAR && activation != PLX_SIGMOID && activation != PLX_TANH &&
           activation != PLX_HARDSIGMOID && activation != PLX_SOFTSIGN;
}

static plx_status check_activation(plx_model *model, plx_activation activation, plx_real p) {
    const char *name = plx_activation_name(activation);
    if (!name)
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT, "model: no activation number %d",
                         (int)activation);
    if (plx__activation_needs_p(activation) && !(p > 0 && p < 1e30))
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT, "%s: parameter %g must be above 0",
                         name, (double)p);
    return PLX_OK;
}

plx_status plx_model_dense(plx_model *model, int64_t units, plx_activation activation, plx_real p) {
    PLX_TRY(check_activation(model, activation, p));
    if (units < 1 || units > INT32_MAX)
        return plx__fail(&model->ctx->message, PLX_ERR_SHAPE, "dense: %lld units",
                         (long long)units);
    plx__layer *layer = add_layer(model, PLX__DENSE, "dense");
    if (!layer) return PLX_ERR_MEMORY;
    const int64_t weight_dims[] = {layer->dims[layer->rank - 1], units};
    PLX_TRY(plx_tensor_new(model->ctx, PLX_DTYPE_REAL, 2, weight_dims, &layer->weight));
    const plx_status status = plx_tensor_new(model->ctx, PLX_DTYPE_REAL, 1, &units, &layer->bias);
    if (status != PLX_OK) {
        plx_tensor_free(layer->weight);
        return status;
    }
    plx_rng rng = plx_rng_new(model->seed, (uint32_t)model->count);
    plx_tensor_init(layer->weight,
                    is_rectifier(activation) ? PLX_INIT_HE_NORMAL : PLX_INIT_XAVIER_UNIFORM, &rng);
    layer->activation = activation;
    layer->p = p;
    layer->dims[layer->rank - 1] = units;
    plx__format(layer->weight_name, sizeof layer->weight_name, "%s.weight", layer->name);
    plx__format(layer->bias_name, sizeof layer->bias_name, "%s.bias", layer->name);
    model->count += 1;
    forget_plans(model);
    return PLX_OK;
}

plx_status plx_model_activation(plx_model *model, plx_activation activation, plx_real p) {
    PLX_TRY(check_activation(model, activation, p));
    plx__layer *layer = add_layer(model, PLX__ACTIVATION, plx_activation_name(activation));
    if (!layer) return PLX_ERR_MEMORY;
    layer->activation = activation;
    layer->p = p;
    model->count += 1;
    forget_plans(model);
    return PLX_OK;
}

plx_status plx_model_dropout(plx_model *model, double rate) {
    if (!(rate >= 0 && rate < 1))
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                         "dropout: rate %g is outside [0, 1)", rate);
    plx__layer *layer = add_layer(model, PLX__DROPOUT, "dropout");
    if (!layer) return PLX_ERR_MEMORY;
    layer->rate = rate;
    model->count += 1;
    forget_plans(model);
    return PLX_OK;
}

int plx_model_layers(const plx_model *model) {
    return model->count;
}

plx_layer_info plx_model_layer(const plx_model *model, int layer) {
    static const char *const kinds[] = {"dense", "activation", "dropout"};
    if (layer < 0 || layer >= model->count) return (plx_layer_info){.kind = "", .name = ""};
    const plx__layer *own = &model->layers[layer];
    plx_layer_info info = {.kind = kinds[own->kind], .name = own->name, .rank = own->rank};
    memcpy(info.dims, own->dims, sizeof info.dims);
    const int64_t size = product(own->rank, own->dims);
    if (own->kind == PLX__DENSE) {
        const int64_t in = plx_tensor_dims(own->weight)[0];
        info.parameters = plx_tensor_size(own->weight) + plx_tensor_size(own->bias);
        info.flops = (double)size * (2.0 * (double)in + 1 + (own->activation != PLX_LINEAR));
    } else if (own->kind == PLX__ACTIVATION) {
        info.flops = (double)size;
    }
    return info;
}

int plx_model_parameter_count(const plx_model *model) {
    int count = 0;
    for (int i = 0; i < model->count; ++i) count += 2 * (model->layers[i].kind == PLX__DENSE);
    return count;
}

plx_tensor *plx_model_parameter(const plx_model *model, int i, const char **name) {
    for (int k = 0; k < model->count; ++k) {
        const plx__layer *layer = &model->layers[k];
        if (layer->kind != PLX__DENSE) continue;
        if (i < 2) {
            if (name) *name = i ? layer->bias_name : layer->weight_name;
            return i ? layer->bias : layer->weight;
        }
        i -= 2;
    }
    return NULL;
}

void plx__model_tensors(const plx_model *model, plx_tensor **list) {
    const int count = plx_model_parameter_count(model);
    for (int i = 0; i < count; ++i) list[i] = plx_model_parameter(model, i, NULL);
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

plx_node plx_model_forward(plx_model *model, plx_graph *graph, plx_node x, bool training) {
    for (int i = 0; i < model->count; ++i) {
        const plx__layer *layer = &model->layers[i];
        if (layer->kind == PLX__DROPOUT) {
            if (training)
                x = plx_dropout(graph, x, layer->rate, model->seed ^ (uint64_t)(i + 1) << 32);
            continue;
        }
        if (layer->kind == PLX__DENSE) {
            const plx_node w = plx_parameter(graph, layer->weight_name, layer->weight);
            const plx_node b = plx_parameter(graph, layer->bias_name, layer->bias);
            x = plx_dense(graph, x, w, b);
        }
        x = plx_activate(graph, x, layer->activation, layer->p);
    }
    return x;
}

plx_node plx__model_input(const plx_model *model, plx_graph *graph, int64_t batch) {
    int64_t dims[PLX_MAX_RANK] = {batch};
    memcpy(dims + 1, model->dims, (size_t)model->rank * sizeof *dims);
    return plx_input(graph, "x", PLX_DTYPE_REAL, model->rank + 1, dims);
}

static plx_status make_predictor(plx_model *model, int64_t batch, plx__predictor *predictor) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(model->ctx, &graph));
    plx__predictor made = {.batch = batch};
    made.input = plx__model_input(model, graph, batch);
    made.output = plx_model_forward(model, graph, made.input, false);
    const plx_status status = plx_compile(graph, 1, &made.output, NULL, &made.plan);
    plx_graph_free(graph);
    if (status != PLX_OK) return status;
    plx_plan_free(predictor->plan);
    *predictor = made;
    return PLX_OK;
}

/* The plan for this batch size; the least recently made one gives way. */
static plx_status find_predictor(plx_model *model, int64_t batch, plx__predictor **out) {
    for (int i = 0; i < PLX__PREDICTORS; ++i) {
        *out = &model->predictors[i];
        if ((*out)->plan && (*out)->batch == batch) return PLX_OK;
    }
    const plx__predictor oldest = model->predictors[PLX__PREDICTORS - 1];
    memmove(model->predictors + 1, model->predictors,
            (PLX__PREDICTORS - 1) * sizeof *model->predictors);
    model->predictors[0] = oldest;
    *out = &model->predictors[0];
    return make_predictor(model, batch, *out);
}

/* Rows whose activations stay within a second-level cache. */
static int64_t comfortable_batch(const plx_model *model) {
    enum { CACHED_VALUES = 1 << 17, LEAST = 32, MOST = 1024 };
    int64_t widest = plx__model_input_size(model);
    for (int i = 0; i < model->count; ++i) {
        const int64_t size = product(model->layers[i].rank, model->layers[i].dims);
        if (size > widest) widest = size;
    }
    const int64_t rows = CACHED_VALUES / widest;
    return rows < LEAST ? LEAST : rows > MOST ? MOST : rows;
}

plx_status plx_model_predict(plx_model *model, int64_t n, const plx_real *x, int64_t batch,
                             plx_real *out) {
    if (n < 0 || batch < 0)
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                         "predict: %lld samples in batches of %lld", (long long)n,
                         (long long)batch);
    if (!model->count)
        return plx__fail(&model->ctx->message, PLX_ERR_STATE, "predict: the model has no layers");
    const int64_t in = plx__model_input_size(model), size = plx__model_output_size(model);
    const int64_t most = batch ? batch : comfortable_batch(model);
    for (int64_t done = 0; done < n;) {
        const int64_t rows = n - done < most ? n - done : most;
        plx__predictor *predictor;
        PLX_TRY(find_predictor(model, rows, &predictor));
        PLX_TRY(plx_plan_bind(predictor->plan, predictor->input, x + done * in));
        PLX_TRY(plx_plan_run(predictor->plan));
        memcpy(out + done * size, plx_plan_output(predictor->plan, predictor->output),
               (size_t)(rows * size) * sizeof *out);
        done += rows;
    }
    return PLX_OK;
}

plx_memory plx_model_predict_memory(const plx_model *model) {
    plx_memory sum = {0};
    for (int i = 0; i < PLX__PREDICTORS; ++i) {
        if (!model->predictors[i].plan) continue;
        const plx_memory one = plx_plan_memory(model->predictors[i].plan);
        sum.parameters = one.parameters; /* shared */
        sum.activations += one.activations;
        sum.workspace += one.workspace;
        sum.inputs += one.inputs;
    }
    return sum;
}
