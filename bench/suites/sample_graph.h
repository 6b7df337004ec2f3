/* A sample of an operation as a graph: seeded data, the value, and a weighted sum of the value as a
 * loss. */
#ifndef PLX_BENCH_SAMPLE_GRAPH_H
#define PLX_BENCH_SAMPLE_GRAPH_H

#include "bench/harness.h"
#include "ops/op.h"

typedef struct plx_sample_graph {
    const plx_op *op;
    const plx__sample *sample;
    plx_graph *graph;
    plx_tensor *inputs[PLX__SAMPLE_INPUTS], *weights;
    plx_node nodes[PLX__SAMPLE_INPUTS], y, loss; /* loss: none if y holds indices */
    int64_t size;                                /* of y */
} plx_sample_graph;

/* Values are multiples of 2^-12, clear of 0 if the op has a kink there. Close g also after a
 * failure. */
plx_status plx__sample_graph_open(plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                                  plx_rng *rng, plx_sample_graph *g);
void plx__sample_graph_close(plx_sample_graph *g);
/* Whether input k has no gradient: indices, buffers. */
bool plx__sample_graph_fixed(const plx_sample_graph *g, int k);
/* Adds the gradients of the loss; grads[k] is none for fixed inputs. Returns their number. */
plx_status plx__sample_graph_gradients(plx_sample_graph *g, plx_node *grads, int *count);

#endif
