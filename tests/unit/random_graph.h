/* A random trainable graph from a seed: the same seed gives the same graph, values and tensors,
 * so that two ways to run it can be compared to the last bit. */
#ifndef PLX_TESTS_UNIT_RANDOM_GRAPH_H
#define PLX_TESTS_UNIT_RANDOM_GRAPH_H

#include "check.h"

enum {
    PLX_RANDOM_ROWS = 6,
    PLX_RANDOM_COLUMNS = 10,
    PLX_RANDOM_TENSORS = 6, /* the last two are running statistics */
    PLX_RANDOM_OUTPUTS = 8, /* the last is the update, which has no value */
};

typedef struct plx_random_graph {
    plx_ctx *ctx;
    plx_graph *graph;
    int64_t rows, columns;
    plx_real x[PLX_RANDOM_ROWS * PLX_RANDOM_COLUMNS];
    int32_t labels[PLX_RANDOM_ROWS];
    plx_tensor *tensors[PLX_RANDOM_TENSORS];
    plx_optimizer *optimizer;
    plx_node input, classes;
    int outputs_count;
    plx_node outputs[PLX_RANDOM_OUTPUTS];
} plx_random_graph;

/* Returns false, after a failed check, if it cannot be made. */
bool plx_random_open(plx_check *t, plx_ctx *ctx, uint64_t seed, plx_random_graph *out);
void plx_random_close(plx_random_graph *g);
/* Binds the data to a plan of the graph. */
plx_status plx_random_bind(plx_random_graph *g, plx_plan *plan);
/* Whether the outputs and tensors of two such graphs have the same bits; values are a plan's
 * outputs. */
bool plx_random_same(plx_check *t, const plx_random_graph *a, const plx_random_graph *b,
                     const plx_real *const *values_a, const plx_real *const *values_b,
                     const char *what);

#endif
