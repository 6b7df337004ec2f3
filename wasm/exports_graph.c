/* Graphs for JavaScript; see exports.c for the conventions. */
#include "exports.h"

#include "builders.h"

#include <math.h>
#include <stdlib.h>

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Creates a tensor. Results: tensor. Freed by plx_js_tensor_free. */
EXPORT int plx_js_tensor_new(int dtype, int rank, const double *dims) {
    int64_t sizes[PLX_MAX_RANK];
    plx__js_dims(rank, dims, sizes);
    plx_tensor *tensor = NULL;
    const plx_status status =
        plx_tensor_new(plx__js_context(), (plx_dtype)dtype, rank, sizes, &tensor);
    if (status != PLX_OK) return status;
    plx__js_left.tensor = (plx__left_tensor){
        .address = plx__js_address(tensor),
        .data = plx__js_address(plx_tensor_data(tensor)),
        .size = (double)plx_tensor_size(tensor),
    };
    return status;
}

EXPORT void plx_js_tensor_free(plx_tensor *tensor) {
    plx_tensor_free(tensor);
}

/* ---- Graph ----------------------------------------------------------------------------------- */

/* Creates a graph. Results: made. Freed by plx_js_graph_free. */
EXPORT int plx_js_graph_new(void) {
    plx_graph *graph = NULL;
    const plx_status status = plx_graph_new(plx__js_context(), &graph);
    plx__js_made(graph);
    return status;
}

EXPORT void plx_js_graph_free(plx_graph *graph) {
    plx_graph_free(graph);
}

static int added(const plx_graph *graph, plx_node node) {
    plx__js_left.node.place = plx__js_place(node);
    return plx_graph_status(graph);
}

/* Converts indices to handles, to be freed; NULL after a failure. */
static plx_node *nodes_at(const plx_graph *graph, int count, const int32_t *places) {
    plx_node *nodes = malloc(((size_t)count + 1) * sizeof *nodes);
    if (!nodes) plx__js_fail(PLX_ERR_MEMORY, "graph: no memory for %d nodes", count);
    for (int k = 0; nodes && k < count; k++) nodes[k] = plx__js_node(graph, places[k]);
    return nodes;
}

/* Results: node. */
EXPORT int plx_js_graph_input(plx_graph *graph, const char *name, int dtype, int rank,
                              const double *dims) {
    int64_t sizes[PLX_MAX_RANK];
    plx__js_dims(rank, dims, sizes);
    return added(graph, plx_input(graph, name, (plx_dtype)dtype, rank, sizes));
}

/* Results: node. The tensor must outlive the graph and its plans. */
EXPORT int plx_js_graph_parameter(plx_graph *graph, const char *name, plx_tensor *tensor) {
    return added(graph, plx_parameter(graph, name, tensor));
}

/* Results: node, an output without a value. */
EXPORT_TRAINING int plx_js_graph_update(plx_graph *graph, plx_optimizer *optimizer, int count,
                                        const int32_t *grads) {
    plx_node *nodes = nodes_at(graph, count, grads);
    if (!nodes) return PLX_ERR_MEMORY;
    const int status = added(graph, plx_update(graph, optimizer, nodes));
    free(nodes);
    return status;
}

/* Results: like. */
EXPORT void plx_js_graph_shape(const plx_graph *graph, int place) {
    const int64_t *dims = NULL;
    const plx_node node = plx__js_node(graph, place);
    const int rank = plx_node_shape(graph, node, &dims);
    plx__js_left.like = (plx__left_like){
        .dtype = plx_node_dtype(graph, node),
        .shape = plx__js_shape_of(rank, dims),
    };
}

/* ---- Builders -------------------------------------------------------------------------------- */

/* The numbers of nodes and numbers that a builder takes, as a sum over the arguments of its row. */
enum {
    ONE_NODE = 1,
    ONE_NUMBER = ONE_NODE << 4,
    ONE_FOR_EACH_AXIS = ONE_NUMBER << 5,
    MANY_NODES = ONE_FOR_EACH_AXIS << 2,
    MANY_NUMBERS = MANY_NODES << 1,
};

static const struct {
    const char *name;
    uint16_t takes;
} builders[] = {
#define SECTION(title)
#define ONE(builder, method, type, about, arguments, call) {#builder, 0 arguments},
#define MANY(builder, method, results, about, arguments, call) {#builder, 0 arguments},
#define OPTIONS(type)
#define NODE(name) +ONE_NODE
#define INDEX(name) +ONE_NODE
#define ANY(name) +ONE_NODE
#define STATE(name) +ONE_NODE
#define VALUE(name) +ONE_NODE
#define MAYBE(name) +ONE_NODE
#define INPUT(name) +ONE_NODE
#define SAME(name) +ONE_NODE
#define CONDITION(name) +ONE_NODE
#define STORED(name) +ONE_NODE
#define NODES(name) +MANY_NODES
#define ANYS(name) +MANY_NODES
#define NUMBER(name, initial) +ONE_NUMBER
#define WHOLE(name, initial) +ONE_NUMBER
#define FLAG(name, initial) +ONE_NUMBER
#define AXIS(name, initial) +ONE_NUMBER
#define SEED(name) +ONE_NUMBER
#define DTYPE(name) +ONE_NUMBER
#define CHOICE(name, ...) +ONE_NUMBER
#define PAIR(name, initial) +2 * ONE_NUMBER
#define SIDES(name, initial) +4 * ONE_NUMBER
#define PADDING(name, initial) +5 * ONE_NUMBER
#define AXES(name) +ONE_FOR_EACH_AXIS
#define LIST(name) +MANY_NUMBERS
#include "builders.def"
#define PLX_ACTIVATION(NAME, name, parameter, default_p, begin, about)                             \
    {#name, ONE_NODE + ((default_p) != 0) * ONE_NUMBER},
#include "parallax.def"
};

enum {
#undef ONE
#undef MANY
#define ONE(builder, method, type, about, arguments, call) BUILDER_##builder,
#define MANY(builder, method, results, about, arguments, call) BUILDER_##builder,
#include "builders.def"
    /* The activations follow; the first one has the number 1. */
    BEFORE_ACTIVATIONS,
    BUILDERS = BEFORE_ACTIVATIONS + PLX_ACTIVATIONS_ - 1
};

/* Returns the name of a builder; 0 past the last. */
EXPORT const char *plx_js_builder_name(int builder) {
    return builder >= 0 && builder < BUILDERS ? builders[builder].name : NULL;
}

/* The parts of a call of a builder that are still to be taken: each argument takes its own from the
 * front. */
typedef struct arguments {
    int count, size, rank; /* nodes, numbers, rank of the first node */
    const plx_node *x;
    const double *n;
    const int64_t *i; /* the numbers as integers */
} arguments;

/* Constant indices make smaller code than calls. */
#define TAKES static inline __attribute__((always_inline))

TAKES plx_node take_node(arguments *a) {
    a->count--;
    return *a->x++;
}

TAKES const int64_t *take_numbers(arguments *a, int count) {
    const int64_t *first = a->i;
    a->i += count;
    a->n += count;
    a->size -= count;
    return first;
}

TAKES double take_number(arguments *a) {
    const double value = *a->n;
    take_numbers(a, 1);
    return value;
}

/* Leaves the results in y, and their count. The arguments of a row have the names of the variables
 * that its call reads, so that a misspelt or forgotten one does not compile. */
static plx_status build(plx_graph *g, int builder, arguments *given, plx_node *y, int *made) {
    if (builder >= BEFORE_ACTIVATIONS) {
        const plx_activation activation = (plx_activation)(builder - BEFORE_ACTIVATIONS + 1);
        const plx_node x = take_node(given);
        y[(*made)++] =
            plx_activate(g, x, activation, given->size ? (plx_real)take_number(given) : 0);
        return plx_graph_status(g);
    }
    switch (builder) {
#undef ONE
#undef MANY
#undef NODE
#undef INDEX
#undef ANY
#undef STATE
#undef VALUE
#undef MAYBE
#undef INPUT
#undef SAME
#undef CONDITION
#undef STORED
#undef NODES
#undef ANYS
#undef NUMBER
#undef WHOLE
#undef FLAG
#undef AXIS
#undef SEED
#undef DTYPE
#undef CHOICE
#undef PAIR
#undef SIDES
#undef PADDING
#undef AXES
#undef LIST
#define ONE(builder, method, type, about, arguments, call)                                         \
    case BUILDER_##builder: {                                                                      \
        arguments y[(*made)++] = call;                                                             \
        break;                                                                                     \
    }
#define MANY(builder, method, results, about, arguments, call)                                     \
    case BUILDER_##builder: {                                                                      \
        arguments results return call;                                                             \
    }
#define NODE(name) const plx_node name = take_node(given);
#define INDEX(name) NODE(name)
#define ANY(name) NODE(name)
#define STATE(name) NODE(name)
#define VALUE(name) NODE(name)
#define MAYBE(name) NODE(name)
#define INPUT(name) NODE(name)
#define SAME(name) NODE(name)
#define CONDITION(name) NODE(name)
#define STORED(name) NODE(name)
#define NODES(name)                                                                                \
    const plx_node *const name = given->x;                                                         \
    const int name##_count = given->count;
#define ANYS(name) NODES(name)
#define NUMBER(name, initial) const double name = take_number(given);
#define WHOLE(name, initial) const int64_t name = *take_numbers(given, 1);
#define FLAG(name, initial) const bool name = *take_numbers(given, 1) != 0;
#define AXIS(name, initial) const int name = (int)*take_numbers(given, 1);
#define SEED(name) const uint64_t name = (uint64_t)*take_numbers(given, 1);
#define DTYPE(name) const plx_dtype name = (plx_dtype) * take_numbers(given, 1);
#define CHOICE(name, ...) const int name = (int)*take_numbers(given, 1);
#define PAIR(name, initial) const int64_t *const name = take_numbers(given, 2);
#define SIDES(name, initial) const int64_t *const name = take_numbers(given, 4);
#define PADDING(name, initial)                                                                     \
    SIDES(name, initial)                                                                           \
    FLAG(name##_same, false)
#define AXES(name) const int64_t *const name = take_numbers(given, given->rank);
#define LIST(name)                                                                                 \
    const int name##_count = given->size;                                                          \
    const int64_t *const name = take_numbers(given, name##_count);
#define AS(type)
#define OUT(name) plx_node *const name = &y[(*made)++];
#define OUT_INT(name) OUT(name)
#define EACH(list)                                                                                 \
    plx_node *const each = y;                                                                      \
    *made = (int)list##_count;
#include "builders.def"
    }
    return plx_graph_status(g);
}

/* Checks that a call has as many inputs and numbers as its builder reads. */
static int check_counts(int builder, const arguments *a) {
    const char *name = plx_js_builder_name(builder);
    if (!name) return plx__js_fail(PLX_ERR_UNSUPPORTED, "graph: no builder number %d", builder);
    const int takes = builders[builder].takes;
    const int nodes = takes % ONE_NUMBER, numbers = takes % ONE_FOR_EACH_AXIS / ONE_NUMBER;
    const int lists = takes % MANY_NODES / ONE_FOR_EACH_AXIS;
    if (takes & MANY_NODES && !nodes && !a->count)
        return plx__js_fail(PLX_ERR_ARGUMENT, "%s: needs at least one array", name);
    if (takes & MANY_NODES ? a->count < nodes : a->count != nodes)
        return plx__js_fail(PLX_ERR_ARGUMENT, "%s: wrong number of inputs (%d)", name, a->count);
    const int wanted = numbers + lists * a->rank;
    if (takes & MANY_NUMBERS ? a->size >= wanted : a->size == wanted) return PLX_OK;
    return plx__js_fail(PLX_ERR_SHAPE, "%s: %d values for the axes of an array of %d dimensions",
                        name, (a->size - numbers) / (lists ? lists : 1), a->rank);
}

/* Does the work of plx_js_graph_node in given memory: x has count nodes, i has size numbers, y has
 * room for the results. */
static int add_nodes(plx_graph *graph, int builder, arguments *a, int64_t *i, plx_node *y,
                     int32_t *results) {
    const double largest = 9007199254740992.0; /* 2^53, up to which doubles are exact */
    int made = 0;
    for (int k = 0; k < a->size; k++) i[k] = fabs(a->n[k]) <= largest ? (int64_t)a->n[k] : 0;
    a->i = i;
    const plx_status status = build(graph, builder, a, y, &made);
    if (status != PLX_OK) return status;
    for (int k = 0; k < made; k++) results[k] = plx__js_place(y[k]);
    plx__js_left.nodes.count = made;
    return PLX_OK;
}

/* Calls a builder and writes the nodes that it adds to results, at most room of them. Results:
 * nodes. */
EXPORT int plx_js_graph_node(plx_graph *graph, int builder, int count, const int32_t *inputs,
                             int size, const double *n, int room, int32_t *results) {
    plx_node *x = nodes_at(graph, count, inputs);
    if (!x) return PLX_ERR_MEMORY;
    const int rank = count ? plx_node_shape(graph, x[0], NULL) : 0;
    arguments a = {.count = count, .size = size, .rank = rank, .x = x, .n = n};
    int status = check_counts(builder, &a);
    if (status == PLX_OK) {
        int64_t *i = malloc(((size_t)size + 1) * sizeof *i);
        plx_node *y = malloc(((size_t)room + 1) * sizeof *y);
        status = i && y
                     ? add_nodes(graph, builder, &a, i, y, results)
                     : plx__js_fail(PLX_ERR_MEMORY, "%s: no memory", plx_js_builder_name(builder));
        free(i);
        free(y);
    }
    free(x);
    return status;
}

/* ---- Functions of losses and metrics --------------------------------------------------------- */

/* The numbers that come before the calls of a function. */
enum { WORDS, ROWS, NUMBER_OF, VALUES, GIVES, CALLS };

/* Replays the calls of the function at `at`; places has room for its values, and for the inputs of
 * a call after them. */
static plx_node replay(plx_graph *graph, const double *at, int32_t *places) {
    const double *end = at + (int)at[WORDS];
    const int values = (int)at[VALUES], gives = (int)at[GIVES];
    int32_t *inputs = places + values;
    int known = 2, status = PLX_OK;
    for (const double *call = at + CALLS; call < end && status == PLX_OK;) {
        const int builder = (int)*call++, count = (int)*call++;
        for (int i = 0; i < count; i++, call++) inputs[i] = *call < 0 ? -1 : places[(int)*call];
        const int size = (int)*call++;
        const double *numbers = call;
        call += size;
        const int results = (int)*call++;
        status = plx_js_graph_node(graph, builder, count, inputs, size, numbers, results,
                                   places + known);
        known += results;
    }
    return status == PLX_OK ? plx__js_node(graph, places[gives]) : plx_none();
}

plx_node plx__js_function(void *self, plx_graph *graph, int i, plx_node output, plx_node target) {
    const plx__js_functions *functions = self;
    const int64_t *dims = NULL;
    if (plx_node_shape(graph, output, &dims) < 1) return plx_none();
    for (const double *at = functions->numbers; at < functions->end; at += (int)at[WORDS]) {
        if ((int64_t)at[ROWS] != dims[0] || (int)at[NUMBER_OF] != i) continue;
        int32_t *places = malloc(((size_t)at[VALUES] + (size_t)at[WORDS]) * sizeof *places);
        if (!places) break;
        places[0] = plx__js_place(output);
        places[1] = plx__js_place(target);
        const plx_node y = replay(graph, at, places);
        free(places);
        return y;
    }
    return plx_none();
}

/* ---- Plan ------------------------------------------------------------------------------------ */

/* Compiles a plan. Results: made. Freed by plx_js_plan_free. */
EXPORT int plx_js_graph_compile(plx_graph *graph, int count, const int32_t *outputs) {
    plx_plan *plan = NULL;
    plx_node *nodes = nodes_at(graph, count, outputs);
    if (!nodes) return PLX_ERR_MEMORY;
    const plx_status status = plx_compile(graph, count, nodes, NULL, &plan);
    free(nodes);
    plx__js_made(plan);
    return status;
}

/* Binds data, which must stay valid; 0: none. graph: that of the plan. */
EXPORT int plx_js_plan_bind(plx_plan *plan, const plx_graph *graph, int input, const void *data) {
    return plx_plan_bind(plan, plx__js_node(graph, input), data);
}

EXPORT int plx_js_plan_run(plx_plan *plan) {
    return plx_plan_run(plan);
}

/* Returns the values of an output after a run, valid until the next one. */
EXPORT const void *plx_js_plan_output(const plx_plan *plan, const plx_graph *graph, int output) {
    const plx_node node = plx__js_node(graph, output);
    return plx_plan_output_as(plan, node, plx_node_dtype(graph, node));
}
