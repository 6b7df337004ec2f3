/* Free graphs, as JavaScript builds and runs them; see exports.c for the conventions. */
#include "builders.h"
#include "exports.h"

#include <stdlib.h>

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Results: the tensor, address of its values, how many. Freed by plx_js_tensor_free. */
EXPORT int plx_js_tensor_new(int dtype, int rank, const double *dims) {
    int64_t sizes[PLX_MAX_RANK];
    plx__js_dims(rank, dims, sizes);
    plx_tensor *tensor = NULL;
    const plx_status status =
        plx_tensor_new(plx__js_context(), (plx_dtype)dtype, rank, sizes, &tensor);
    if (status != PLX_OK) return status;
    plx__js_result_address(0, tensor);
    plx__js_result_address(1, plx_tensor_data(tensor));
    plx__js_result(2, (double)plx_tensor_size(tensor));
    return status;
}

EXPORT void plx_js_tensor_free(plx_tensor *tensor) {
    plx_tensor_free(tensor);
}

/* ---- Graph ----------------------------------------------------------------------------------- */

/* Results: the graph. Freed by plx_js_graph_free. */
EXPORT int plx_js_graph_new(void) {
    plx_graph *graph = NULL;
    const plx_status status = plx_graph_new(plx__js_context(), &graph);
    plx__js_result_address(0, graph);
    return status;
}

EXPORT void plx_js_graph_free(plx_graph *graph) {
    plx_graph_free(graph);
}

static int added(const plx_graph *graph, plx_node node) {
    plx__js_result(0, plx__js_place(node));
    return plx_graph_status(graph);
}

/* Handles for places, to be freed; NULL after a failure. */
static plx_node *nodes_at(const plx_graph *graph, int count, const int32_t *places) {
    plx_node *nodes = malloc(((size_t)count + 1) * sizeof *nodes);
    if (!nodes) plx__js_fail(PLX_ERR_MEMORY, "graph: no memory for %d nodes", count);
    for (int k = 0; nodes && k < count; k++) nodes[k] = plx__js_node(graph, places[k]);
    return nodes;
}

/* Results: the node. */
EXPORT int plx_js_graph_input(plx_graph *graph, const char *name, int dtype, int rank,
                              const double *dims) {
    int64_t sizes[PLX_MAX_RANK];
    plx__js_dims(rank, dims, sizes);
    return added(graph, plx_input(graph, name, (plx_dtype)dtype, rank, sizes));
}

/* Results: the node. The tensor must outlive the graph and its plans. */
EXPORT int plx_js_graph_parameter(plx_graph *graph, const char *name, plx_tensor *tensor) {
    return added(graph, plx_parameter(graph, name, tensor));
}

/* Results: the node, which is an output without a value. */
EXPORT int plx_js_graph_update(plx_graph *graph, plx_optimizer *optimizer, int count,
                               const int32_t *grads) {
    plx_node *nodes = nodes_at(graph, count, grads);
    if (!nodes) return PLX_ERR_MEMORY;
    const int status = added(graph, plx_update(graph, optimizer, nodes));
    free(nodes);
    return status;
}

/* Results: rank, dtype, then rank sizes of a node. */
EXPORT void plx_js_graph_shape(const plx_graph *graph, int place) {
    const int64_t *dims = NULL;
    const plx_node node = plx__js_node(graph, place);
    const int rank = plx_node_shape(graph, node, &dims);
    plx__js_result(0, rank);
    plx__js_result(1, plx_node_dtype(graph, node));
    for (int d = 0; d < rank; d++) plx__js_result(2 + d, (double)dims[d]);
}

/* ---- Builders -------------------------------------------------------------------------------- */

enum { ANY = -1, AXES = -2, SIDES = -3 };

static const struct {
    const char *name;
    int8_t inputs, numbers;
} builders[] = {
#define NODE(name, inputs, numbers, call) {#name, inputs, numbers},
#define NODES(name, inputs, numbers, results, call) {#name, inputs, numbers},
#include "builders.def"
#undef NODE
#undef NODES
};

enum {
#define NODE(name, inputs, numbers, call) BUILDER_##name,
#define NODES(name, inputs, numbers, results, call) BUILDER_##name,
#include "builders.def"
#undef NODE
#undef NODES
    BUILDERS
};

/* Name of a builder; 0 past the last. */
EXPORT const char *plx_js_builder_name(int builder) {
    return builder >= 0 && builder < BUILDERS ? builders[builder].name : NULL;
}

/* What a call of a builder is made of. */
typedef struct arguments {
    int count, size;
    const plx_node *x;
    const double *n;
    const int64_t *i;
} arguments;

/* Leaves the results in y, and how many they are. */
static plx_status build(plx_graph *g, int builder, const arguments *a, plx_node *y, int *made) {
    const int count = a->count, size = a->size;
    const plx_node *x = a->x;
    const double *n = a->n;
    const int64_t *i = a->i;
    switch (builder) {
#define NODE(name, inputs, numbers, call)                                                          \
    case BUILDER_##name: y[0] = call; break;
#define NODES(name, inputs, numbers, results, call)                                                \
    case BUILDER_##name: *made = results; return call;
#include "builders.def"
#undef NODE
#undef NODES
    }
    *made = 1;
    return plx_graph_status(g);
}

/* Whether a call has as many inputs and numbers as its builder reads. */
static int check_counts(const plx_graph *g, int builder, int count, const plx_node *x, int size) {
    const char *name = plx_js_builder_name(builder);
    if (!name) return plx__js_fail(PLX_ERR_UNSUPPORTED, "graph: no builder number %d", builder);
    const int inputs = builders[builder].inputs, numbers = builders[builder].numbers;
    if (inputs == ANY ? count < 1 : count != inputs)
        return plx__js_fail(PLX_ERR_ARGUMENT, "%s: %d inputs are too few or too many", name, count);
    const int rank = count ? plx_node_shape(g, x[0], NULL) : 0;
    const int wanted = numbers == AXES ? rank : numbers == SIDES ? 2 * rank + 1 : numbers;
    if (numbers == ANY || size == wanted) return PLX_OK;
    const int own = numbers == SIDES ? (size - 1) / 2 : size;
    return plx__js_fail(PLX_ERR_SHAPE, "%s: %d values for the axes of an array of %d dimensions",
                        name, own, rank);
}

/* As plx_js_graph_node, with memory for all that it needs: x has count nodes, i size numbers, y
 * room for results. */
static int add_nodes(plx_graph *graph, int builder, arguments *a, int64_t *i, plx_node *y,
                     int32_t *results) {
    const double largest = 9007199254740992.0; /* 2^53, up to which doubles are exact */
    int made = 0;
    for (int k = 0; k < a->size; k++) i[k] = fabs(a->n[k]) <= largest ? (int64_t)a->n[k] : 0;
    a->i = i;
    const plx_status status = build(graph, builder, a, y, &made);
    if (status != PLX_OK) return status;
    for (int k = 0; k < made; k++) results[k] = plx__js_place(y[k]);
    plx__js_result(0, made);
    return PLX_OK;
}

/* The nodes that a builder adds, into results, which have room for room of them. Results: how many.
 */
EXPORT int plx_js_graph_node(plx_graph *graph, int builder, int count, const int32_t *inputs,
                             int size, const double *n, int room, int32_t *results) {
    plx_node *x = nodes_at(graph, count, inputs);
    if (!x) return PLX_ERR_MEMORY;
    int status = check_counts(graph, builder, count, x, size);
    if (status == PLX_OK) {
        int64_t *i = malloc(((size_t)size + 1) * sizeof *i);
        plx_node *y = malloc(((size_t)room + 1) * sizeof *y);
        arguments a = {.count = count, .size = size, .x = x, .n = n};
        status = i && y
                     ? add_nodes(graph, builder, &a, i, y, results)
                     : plx__js_fail(PLX_ERR_MEMORY, "%s: no memory", plx_js_builder_name(builder));
        free(i);
        free(y);
    }
    free(x);
    return status;
}

/* ---- Plan ------------------------------------------------------------------------------------ */

/* Results: the plan. Freed by plx_js_plan_free. */
EXPORT int plx_js_graph_compile(plx_graph *graph, int count, const int32_t *outputs) {
    plx_plan *plan = NULL;
    plx_node *nodes = nodes_at(graph, count, outputs);
    if (!nodes) return PLX_ERR_MEMORY;
    const plx_status status = plx_compile(graph, count, nodes, NULL, &plan);
    free(nodes);
    plx__js_result_address(0, plan);
    return status;
}

/* data must stay; 0: none. graph: that of the plan. */
EXPORT int plx_js_plan_bind(plx_plan *plan, const plx_graph *graph, int input, const void *data) {
    return plx_plan_bind(plan, plx__js_node(graph, input), data);
}

EXPORT int plx_js_plan_run(plx_plan *plan) {
    return plx_plan_run(plan);
}

/* The values of an output after a run, until the next. */
EXPORT const void *plx_js_plan_output(const plx_plan *plan, const plx_graph *graph, int output) {
    const plx_node node = plx__js_node(graph, output);
    return plx_plan_output_as(plan, node, plx_node_dtype(graph, node));
}
