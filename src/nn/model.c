/* Models: stacks of layers and families by name; their ports, layers and graphs. */
#include "nn/model.h"

#include "base/platform.h"
#include "graph/graph.h"
#include "nn/layers.h"
#include "ops/op.h"

#include <string.h>

int64_t plx__port_size(const plx_port *port) {
    return plx__product(port->rank, port->dims);
}

static void forget_plans(plx_model *model) {
    for (int i = 0; i < PLX__PREDICTORS; ++i) {
        plx_plan_free(model->predictors[i].plan);
        model->predictors[i] = (plx__predictor){0};
    }
}

/* Frees a copy that this file made, which nobody else may change. */
static void free_own(const void *memory) {
    void *own;
    memcpy(&own, &memory, sizeof own);
    plx_platform_free(own);
}

static void free_layer(plx_layer *layer) {
    for (int i = 0; i < layer->layers_count; ++i) {
        plx_layer inner = layer->layers[i];
        free_layer(&inner);
    }
    free_own(layer->layers);
    free_own(layer->name);
}

void plx_model_free(plx_model *model) {
    if (!model || --model->holders > 0) return;
    forget_plans(model);
    for (int i = 0; i < model->count; ++i) free_layer(&model->layers[i]);
    plx_platform_free(model->layers);
    plx_weights_free(model->weights);
    plx_ctx_free(model->ctx);
    plx_platform_free(model);
}

static plx_status new_model(plx_ctx *ctx, uint64_t seed, plx_model **out) {
    plx_model *model = plx_platform_alloc(sizeof *model);
    if (!model) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "model: no memory");
    *model = (plx_model){.ctx = plx__ctx_hold(ctx), .holders = 1, .seed = seed};
    const plx_status status = plx_weights_new(ctx, seed, &model->weights);
    if (status != PLX_OK) {
        plx_model_free(model);
        return status;
    }
    *out = model;
    return PLX_OK;
}

/* ---- Trial: one sample through the model, which makes weights and notes layers -----------------
 */

static void note_output(plx_model *model, const plx_graph *graph, int i, plx_node node) {
    const plx__node *own = plx__at(graph, node);
    plx_port *port = &model->outputs[i];
    if (!port->name) port->name = i ? "output_2" : "output";
    port->dtype = own->dtype;
    port->rank = own->rank - 1;
    memcpy(port->dims, own->dims + 1, (PLX_MAX_RANK - 1) * sizeof *port->dims);
}

static int emit(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                plx_node *outputs) {
    if (model->family) return model->family->forward(model, scope, inputs, outputs);
    plx_scope own = *scope;
    if (model->count && model->layers[0].mask_zero)
        plx__mask_padding(&own, inputs[0], model->inputs[0].classes);
    outputs[0] = inputs[0];
    for (int i = 0; i < model->count; ++i)
        outputs[0] = plx_layer_apply(&own, &model->layers[i], outputs[0]);
    return 1;
}

static plx_status trial(plx_model *model) {
    plx_weights *weights = model->weights;
    const int weights_before = weights->count;
    plx_graph *graph;
    PLX_TRY(plx_graph_new(model->ctx, &graph));
    plx_node inputs[PLX_PORTS], outputs[PLX_PORTS];
    weights->noting = true;
    weights->notes_count = 0;
    plx__model_input_nodes(model, graph, 1, inputs);
    const plx_scope scope = plx_scope_new(weights, graph, false);
    const int count = emit(model, &scope, inputs, outputs);
    weights->noting = false;
    weights->depth = 0;
    plx_status status = plx_graph_status(graph);
    for (int i = 0; i < count && status == PLX_OK; ++i) note_output(model, graph, i, outputs[i]);
    if (status == PLX_OK)
        model->outputs_count = count;
    else
        plx__weights_truncate(weights, weights_before);
    plx_graph_free(graph);
    return status;
}

/* ---- Stacks ---------------------------------------------------------------------------------- */

static plx_status new_stack(plx_ctx *ctx, plx_dtype dtype, int rank, const int64_t *dims,
                            int64_t classes, uint64_t seed, plx_model **out) {
    PLX_TRY(plx__need(&ctx->message, "model", "out", out));
    if (rank < 1 || rank >= PLX_MAX_RANK)
        return plx__fail(&ctx->message, PLX_ERR_SHAPE,
                         "model: a sample has 1 to %d dimensions, not %d", PLX_MAX_RANK - 1, rank);
    PLX_TRY(plx__need(&ctx->message, "model", "dims", dims));
    for (int i = 0; i < rank; ++i)
        if (dims[i] < 1 || dims[i] > INT32_MAX)
            return plx__fail(&ctx->message, PLX_ERR_SHAPE,
                             "model: dimension %d of a sample is %lld; it must be 1 to 2147483647",
                             i, (long long)dims[i]);
    plx_model *model = NULL;
    const plx_status status = new_model(ctx, seed, &model);
    if (status != PLX_OK || !model) return status;
    plx_port *port = &model->inputs[0];
    *port = (plx_port){.name = "x", .dtype = dtype, .rank = rank, .classes = classes};
    memcpy(port->dims, dims, (size_t)rank * sizeof *dims);
    model->inputs_count = 1;
    model->outputs[0] = *port;
    model->outputs[0].name = "output";
    *out = model;
    return PLX_OK;
}

plx_status plx_model_new(plx_ctx *ctx, int rank, const int64_t *dims, uint64_t seed,
                         plx_model **out) {
    return new_stack(ctx, PLX_DTYPE_REAL, rank, dims, 0, seed, out);
}

plx_status plx_model_new_ids(plx_ctx *ctx, int rank, const int64_t *dims, int64_t vocabulary,
                             uint64_t seed, plx_model **out) {
    if (vocabulary < 1 || vocabulary > INT32_MAX)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "model: the vocabulary has %lld ids; it must have 1 to 2147483647",
                         (long long)vocabulary);
    return new_stack(ctx, PLX_DTYPE_I32, rank, dims, vocabulary, seed, out);
}

/* Copies a layer, so that its name and inner layers belong to the model. */
static bool copy_layer(const plx_layer *from, const char *name, plx_layer *to) {
    *to = *from;
    to->layers = NULL;
    to->layers_count = 0;
    to->name = NULL;
    const size_t length = name ? strlen(name) + 1 : 0;
    char *own = name ? plx_platform_alloc(length) : NULL;
    if (name && !own) return false;
    if (own) memcpy(own, name, length);
    to->name = own;
    if (!from->layers_count) return true;
    plx_layer *inner = plx_platform_alloc((size_t)from->layers_count * sizeof *inner);
    if (!inner) return false;
    to->layers = inner;
    for (int i = 0; i < from->layers_count; ++i) {
        to->layers_count += 1; /* a partial copy is freed with the rest */
        if (!copy_layer(&from->layers[i], from->layers[i].name, &inner[i])) return false;
    }
    return true;
}

static bool room_for_a_layer(plx_model *model) {
    if (model->count < model->capacity) return true;
    const int capacity = model->capacity ? 2 * model->capacity : 8;
    plx_layer *layers = plx_platform_alloc((size_t)capacity * sizeof *layers);
    if (!layers) return false;
    if (model->count) memcpy(layers, model->layers, (size_t)model->count * sizeof *layers);
    plx_platform_free(model->layers);
    model->layers = layers;
    model->capacity = capacity;
    return true;
}

static bool is_taken(const plx_model *model, const char *name) {
    for (int i = 0; i < model->count; ++i)
        if (!strcmp(model->layers[i].name, name)) return true;
    return false;
}

/* The layer's own name, which must be unique, or its kind and a number: the first free one,
 * starting from the number of layers of its kind. */
static plx_status name_layer(const plx_model *model, const plx_layer *layer, const char *kind,
                             char name[PLX_NAME]) {
    if (layer->name) {
        plx__format(name, PLX_NAME, "%s", layer->name);
        if (!is_taken(model, name)) return PLX_OK;
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                         "model: there is already a layer named \"%s\"; names must be unique, as "
                         "layers with one name would share their weights",
                         name);
    }
    int number = 1;
    for (int i = 0; i < model->count; ++i) number += model->layers[i].kind == layer->kind;
    do plx__format(name, PLX_NAME, "%s_%d", kind, number++);
    while (is_taken(model, name));
    return PLX_OK;
}

/* A table for fewer ids than the model accepts would be read past its end. */
static plx_status check_vocabulary(const plx_model *model, const plx_layer *layer) {
    const plx_port *port = &model->inputs[0];
    if (model->count || layer->kind != PLX_LAYER_EMBEDDING || port->classes <= layer->vocabulary)
        return PLX_OK;
    return plx__fail(
        &model->ctx->message, PLX_ERR_ARGUMENT,
        "embedding: the vocabulary is %lld; it must cover the model's ids, which are below %lld",
        (long long)layer->vocabulary, (long long)port->classes);
}

/* Checks inner layers before they are copied. */
static plx_status check_inner(plx__message *message, const plx_layer *layer) {
    if (layer->layers_count < 0 || (layer->layers_count && !layer->layers))
        return plx__fail(message, PLX_ERR_ARGUMENT, "%s: layers_count is %d%s",
                         plx_layer_name(layer->kind) ? plx_layer_name(layer->kind) : "layers",
                         layer->layers_count,
                         layer->layers_count < 0 ? "; it must not be negative"
                                                 : ", but layers is NULL");
    for (int i = 0; i < layer->layers_count; ++i) PLX_TRY(check_inner(message, &layer->layers[i]));
    return PLX_OK;
}

plx_status plx_model_add(plx_model *model, const plx_layer *layer) {
    plx__message *message = &model->ctx->message;
    PLX_TRY(plx__need(message, "model", "the layer", layer));
    const char *kind = plx_layer_name(layer->kind);
    if (model->family)
        return plx__fail(message, PLX_ERR_STATE,
                         "model: %s is a predefined model; layers cannot be added to it",
                         model->family->name);
    if (model->trainers)
        return plx__fail(message, PLX_ERR_STATE,
                         "model: it is being trained; free its trainer before adding a layer");
    if (!kind)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "layers: there is no kind number %d; it must be 0 to %d", (int)layer->kind,
                         PLX_LAYERS_ - 1);
    PLX_TRY(check_inner(message, layer));
    char name[PLX_NAME];
    PLX_TRY(name_layer(model, layer, kind, name));
    PLX_TRY(check_vocabulary(model, layer));
    plx_layer own = {0};
    if (!room_for_a_layer(model) || !copy_layer(layer, name, &own)) {
        free_layer(&own);
        return plx__fail(message, PLX_ERR_MEMORY, "model: no memory for a layer");
    }
    forget_plans(model);
    model->layers[model->count++] = own;
    const plx_status status = trial(model);
    if (status == PLX_OK) return PLX_OK;
    free_layer(&model->layers[--model->count]);
    /* The message is that of the failure; the layers before it are noted again. */
    char sentence[256];
    plx__format(sentence, sizeof sentence, "%s", plx_message(model->ctx));
    model->weights->notes_count = 0;
    if (model->count) (void)trial(model);
    return plx__fail(message, status, "%s", sentence);
}

/* ---- Families -------------------------------------------------------------------------------- */

plx_status plx__model_of_family(plx_ctx *ctx, const plx__family *family, const double *settings,
                                uint64_t seed, plx_model **out) {
    plx_model *model = NULL;
    plx_status status = new_model(ctx, seed, &model);
    if (status != PLX_OK || !model) return status;
    model->family = family;
    memcpy(model->settings, settings, sizeof model->settings);
    status = family->ports(model);
    if (status == PLX_OK) status = trial(model);
    if (status != PLX_OK) {
        plx_model_free(model);
        return status;
    }
    *out = model;
    return PLX_OK;
}

double plx_model_setting(const plx_model *model, const char *key) {
    if (!model->family) return -1;
    for (int i = 0; model->family->settings[i].key; ++i)
        if (!strcmp(model->family->settings[i].key, key)) return model->settings[i];
    return -1;
}

/* ---- What there is --------------------------------------------------------------------------- */

int plx_model_inputs(const plx_model *model) {
    return model->inputs_count;
}

int plx_model_outputs(const plx_model *model) {
    return model->outputs_count;
}

plx_port plx_model_input(const plx_model *model, int i) {
    return i >= 0 && i < model->inputs_count ? model->inputs[i] : (plx_port){.name = ""};
}

plx_port plx_model_output(const plx_model *model, int i) {
    return i >= 0 && i < model->outputs_count ? model->outputs[i] : (plx_port){.name = ""};
}

int plx_model_layers(const plx_model *model) {
    return model->weights->notes_count;
}

plx_layer_info plx_model_layer(const plx_model *model, int layer) {
    if (layer < 0 || layer >= model->weights->notes_count)
        return (plx_layer_info){.kind = "", .name = ""};
    const plx__layer_note *note = &model->weights->notes[layer];
    plx_layer_info info = note->info;
    info.name = note->name;
    return info;
}

plx_weights *plx_model_weights(const plx_model *model) {
    return model->weights;
}

plx_training_position plx_model_position(const plx_model *model) {
    return model->position;
}

void plx_model_set_position(plx_model *model, plx_training_position position) {
    model->position = position;
}

int plx_model_copy_weights(plx_model *to, const plx_model *from) {
    int copied = 0;
    for (int i = 0; i < to->weights->count; ++i) {
        plx_tensor *own = to->weights->list[i].tensor;
        const plx_tensor *other = plx_weights_find(from->weights, to->weights->list[i].name);
        if (!other || other == own || other->rank != own->rank ||
            memcmp(other->dims, own->dims, (size_t)own->rank * sizeof *own->dims) != 0)
            continue;
        plx__tensor_changed(own);
        memcpy(own->data, other->data, (size_t)own->size * sizeof(plx_real));
        copied += 1;
    }
    return copied;
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

void plx__model_input_nodes(const plx_model *model, plx_graph *graph, int64_t batch,
                            plx_node *nodes) {
    for (int i = 0; i < model->inputs_count; ++i) {
        const plx_port *port = &model->inputs[i];
        int64_t dims[PLX_MAX_RANK] = {batch};
        memcpy(dims + 1, port->dims, (size_t)port->rank * sizeof *dims);
        nodes[i] = plx_input(graph, port->name, port->dtype, port->rank + 1, dims);
    }
}

plx_status plx_model_forward(plx_model *model, plx_graph *graph, const plx_node *inputs,
                             bool training, plx_node *outputs) {
    const plx_scope scope = plx_scope_new(model->weights, graph, training);
    PLX_TRY(plx_graph_status(graph));
    const plx__scope_mark before = plx__scope_here(&scope);
    plx_node made[PLX_PORTS];
    int count = 0;
    if (plx__given(graph, "forward", "inputs", inputs) &&
        plx__given(graph, "forward", "outputs", outputs))
        count = emit(model, &scope, inputs, made);
    PLX_TRY(plx__scope_settle(&scope, before));
    memcpy(outputs, made, (size_t)count * sizeof *made);
    return PLX_OK;
}

bool plx_model_has_loss(const plx_model *model) {
    return model->family && model->family->loss;
}
