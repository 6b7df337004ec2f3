/* Layers and models for JavaScript; see exports.c for the conventions. */
#include "exports.h"

#include <stdlib.h>
#include <string.h>

/* ---- Layers ---------------------------------------------------------------------------------- */

/* The numbers that make up a layer; the layers inside a residual follow it, each with its own. The
 * fields of parallax.def come last, in the order of their rows, which generate.mjs reads too. */
enum {
    KIND,
    ACTIVATION,
    P,
    INNER, /* number of layers inside */
    RANK,
    DIMS,
    OWN_ = DIMS + PLX_MAX_RANK - 1, /* the last of those */
#define PLX_LAYER_COUNT(name, needed) FIELD_##name,
#define PLX_LAYER_PAIR(name, needed) FIELD_##name, SECOND_##name,
#define PLX_LAYER_FLAG(name) FIELD_##name,
#define PLX_LAYER_REAL(name, valid, message) FIELD_##name,
#include "parallax.def"
    FIELDS
};

/* The rest to read, and the room for nested layers. */
typedef struct reader {
    const double *numbers, *end;
    const char *names; /* one after the other, NUL-terminated; empty: not given */
    plx_layer *room;
} reader;

static plx_layer layer_of(const double *n) {
    plx_layer layer = {
        .kind = (plx_layer_kind)n[KIND],
        .activation = (plx_activation)n[ACTIVATION],
        .p = (plx_real)n[P],
        .rank = (int)n[RANK],
#define PLX_LAYER_COUNT(name, needed) .name = (int64_t)n[FIELD_##name],
#define PLX_LAYER_PAIR(name, needed) .name = {(int64_t)n[FIELD_##name], (int64_t)n[SECOND_##name]},
#define PLX_LAYER_FLAG(name) .name = n[FIELD_##name] != 0,
#define PLX_LAYER_REAL(name, valid, message) .name = n[FIELD_##name],
#include "parallax.def"
    };
    plx__js_dims(PLX_MAX_RANK, n + DIMS, layer.dims);
    return layer;
}

static bool read_layer(reader *r, plx_layer *out) {
    if (r->end - r->numbers < FIELDS) return false;
    const int inner = (int)r->numbers[INNER];
    *out = layer_of(r->numbers);
    r->numbers += FIELDS;
    if (*r->names) out->name = r->names;
    r->names += strlen(r->names) + 1;
    if (inner < 0 || inner > (r->end - r->numbers) / FIELDS) return false;
    plx_layer *layers = r->room;
    r->room += inner;
    for (int i = 0; i < inner; i++)
        if (!read_layer(r, &layers[i])) return false;
    out->layers = layers;
    out->layers_count = inner;
    return true;
}

/* Reads the layers that count numbers describe into room for all of them; returns the first. */
static int read_layers(int count, const double *numbers, const char *names, plx_layer **out) {
    const size_t layers = (size_t)count / FIELDS;
    plx_layer *room = layers ? malloc(layers * sizeof *room) : NULL;
    if (!room) return plx__js_fail(PLX_ERR_MEMORY, "layers: no memory");
    reader r = {numbers, numbers + count, names, room + 1};
    *out = room;
    if (read_layer(&r, room)) return PLX_OK;
    free(room);
    return plx__js_fail(PLX_ERR_ARGUMENT, "layers: %d numbers are not whole layers", count);
}

EXPORT int plx_js_model_add(plx_model *model, int count, const double *numbers, const char *names) {
    plx_layer *layer;
    const int status = read_layers(count, numbers, names, &layer);
    if (status != PLX_OK) return status;
    const plx_status added = plx_model_add(model, layer);
    free(layer);
    return added;
}

/* ---- Layers in graphs ------------------------------------------------------------------------ */

/* Creates an empty list of weights. Results: made. Freed by plx_js_weights_free. */
EXPORT int plx_js_weights_new(double seed) {
    plx_weights *weights = NULL;
    const plx_status status = plx_weights_new(plx__js_context(), (uint64_t)seed, &weights);
    plx__js_made(weights);
    return status;
}

EXPORT void plx_js_weights_free(plx_weights *weights) {
    plx_weights_free(weights);
}

EXPORT int plx_js_weights_count(const plx_weights *weights) {
    return plx_weights_count(weights);
}

/* Results: weight. */
EXPORT void plx_js_weights_at(const plx_weights *weights, int i) {
    const char *name = "";
    plx_weight_role role = PLX_WEIGHT_PLAIN;
    plx_tensor *tensor = plx_weights_at(weights, i, &name, &role);
    plx__js_left.weight = (plx__left_weight){
        .address = plx__js_address(tensor),
        .data = plx__js_address(plx_tensor_data(tensor)),
        .size = (double)plx_tensor_size(tensor),
        .role = role,
        .shape = plx__js_shape_of(plx_tensor_rank(tensor), plx_tensor_dims(tensor)),
        .name = plx__js_address(name),
    };
}

/* Results: node. */
EXPORT int plx_js_graph_layer(plx_graph *graph, plx_weights *weights, int x, bool training,
                              int count, const double *numbers, const char *names) {
    plx_layer *layer;
    const int status = read_layers(count, numbers, names, &layer);
    if (status != PLX_OK) return status;
    const plx_scope scope = plx_scope_new(weights, graph, training);
    const plx_node y = plx_layer_apply(&scope, layer, plx__js_node(graph, x));
    plx__js_left.node.place = plx__js_place(y);
    free(layer);
    return plx_graph_status(graph);
}

/* ---- Models ---------------------------------------------------------------------------------- */

/* Creates an empty model for samples of numbers or, unless vocabulary is 0, of ids below it.
 * Results: made. Freed by plx_js_model_free. */
EXPORT int plx_js_model_new(int rank, const double *dims, double vocabulary, double seed) {
    int64_t sizes[PLX_MAX_RANK];
    plx_model *model = NULL;
    plx__js_dims(rank, dims, sizes);
    const plx_status status =
        vocabulary == 0 ? plx_model_new(plx__js_context(), rank, sizes, (uint64_t)seed, &model)
                        : plx_model_new_ids(plx__js_context(), rank, sizes, (int64_t)vocabulary,
                                            (uint64_t)seed, &model);
    plx__js_made(model);
    return status;
}

/* Creates a model by name: "mlp:784-200-10", "gpt2-nano:width=192". Results: made. */
EXPORT int plx_js_model_named(const char *name, double seed) {
    plx_model *model = NULL;
    const plx_status status = plx_model_from_name(plx__js_context(), name, (uint64_t)seed, &model);
    plx__js_made(model);
    return status;
}

EXPORT void plx_js_model_free(plx_model *model) {
    plx_model_free(model);
}

/* Returns name i of those that plx_js_model_named knows with dimensions of their own, valid until
 * the next call; 0 past the last. */
EXPORT const char *plx_js_model_name(int i) {
    static char name[64];
    return plx_model_name(i, name, sizeof name) ? name : NULL;
}

/* Returns a dimension of a model by name; -1 if it has no such dimension. */
EXPORT double plx_js_model_setting(const plx_model *model, const char *key) {
    return plx_model_setting(model, key);
}

EXPORT int plx_js_model_ports(const plx_model *model, bool outputs) {
    return outputs ? plx_model_outputs(model) : plx_model_inputs(model);
}

/* Results: port, with the shape of one sample. */
EXPORT void plx_js_model_port(const plx_model *model, bool output, int i) {
    const plx_port port = output ? plx_model_output(model, i) : plx_model_input(model, i);
    plx__js_left.port = (plx__left_port){
        .dtype = port.dtype,
        .classes = (double)port.classes,
        .shape = plx__js_shape_of(port.rank, port.dims),
        .name = plx__js_address(port.name),
    };
}

EXPORT int plx_js_model_layers(const plx_model *model) {
    return plx_model_layers(model);
}

/* Results: layer, with the operations of one sample. */
EXPORT void plx_js_model_layer(const plx_model *model, int i) {
    const plx_layer_info info = plx_model_layer(model, i);
    plx__js_left.layer = (plx__left_layer){
        .parameters = (double)info.parameters,
        .flops = info.flops,
        .output_shape = plx__js_shape_of(info.rank, info.dims),
        .kind = plx__js_address(info.kind),
        .name = plx__js_address(info.name),
    };
}

/* Returns the model's weights, which are freed with it. */
EXPORT plx_weights *plx_js_model_weights(const plx_model *model) {
    return plx_model_weights(model);
}

/* ---- Data ------------------------------------------------------------------------------------ */

plx_dataset plx__js_dataset(double n, const void *const *inputs, const void *const *targets) {
    plx_dataset data = {.n = (int64_t)n};
    for (int i = 0; i < PLX_PORTS; i++) {
        if (inputs) data.inputs[i] = inputs[i];
        if (targets) data.targets[i] = targets[i];
    }
    if (targets) data.weights = targets[PLX_PORTS];
    return data;
}

/* Predicts. inputs and out: an address for each of at most four ports, 0 for an output that is not
 * wanted. batch: 0 for one that fits the caches. */
EXPORT int plx_js_predict(plx_model *model, double n, const void *const *inputs, double batch,
                          plx_real *const *out) {
    const plx_dataset data = plx__js_dataset(n, inputs, NULL);
    return plx_model_predict(model, &data, (int64_t)batch, out);
}

/* Evaluates. p: the parameter of the loss. targets: i32 labels for cross-entropy, floats for other
 * losses; then the address of the weights of samples, or 0. confusion: 0, or classes * classes
 * doubles to fill with the counts [label][prediction]. Results: metrics. */
EXPORT int plx_js_evaluate(plx_model *model, int output, int loss, double p, double n,
                           const void *const *inputs, const void *const *targets, double classes,
                           double *confusion) {
    const plx_dataset data = plx__js_dataset(n, inputs, targets);
    plx_metrics metrics = {0};
    const size_t cells = confusion ? (size_t)classes * (size_t)classes : 0;
    int64_t *counts = NULL;
    if (cells && !(counts = calloc(cells, sizeof *counts)))
        return plx__js_fail(PLX_ERR_MEMORY, "evaluate: no memory");
    const plx_status status =
        plx_model_evaluate_with(model, output, (plx_loss)loss, p, &data, &metrics, counts);
    if (status == PLX_OK) {
        for (size_t i = 0; i < cells; i++) confusion[i] = (double)counts[i];
    }
    free(counts);
    plx__js_left.metrics = plx__js_metrics_of(metrics);
    return status;
}

/* Compiles the plan that predicts batch samples. Results: made. Freed by plx_js_plan_free. */
EXPORT int plx_js_plan_new(plx_model *model, double batch) {
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_node inputs[PLX_PORTS], outputs[PLX_PORTS];
    plx_plan_options options = plx_plan_default();
    options.constant_parameters = true;
    plx_status status = plx_graph_new(plx__js_context(), &graph);
    for (int i = 0; status == PLX_OK && i < plx_model_inputs(model); i++) {
        const plx_port port = plx_model_input(model, i);
        int64_t dims[PLX_MAX_RANK] = {(int64_t)batch};
        for (int d = 0; d < port.rank; d++) dims[d + 1] = port.dims[d];
        inputs[i] = plx_input(graph, port.name, port.dtype, port.rank + 1, dims);
    }
    if (status == PLX_OK) status = plx_model_forward(model, graph, inputs, false, outputs);
    if (status == PLX_OK)
        status = plx_compile(graph, plx_model_outputs(model), outputs, &options, &plan);
    plx_graph_free(graph);
    plx__js_made(plan);
    return status;
}
