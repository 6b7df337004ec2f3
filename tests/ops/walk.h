/* Walking the table of ops: each sample of an op becomes a graph of its own. */
#ifndef PLX_TESTS_OPS_WALK_H
#define PLX_TESTS_OPS_WALK_H

#include "check.h"

#include "ops/op.h"

typedef struct plx_walk {
    plx_ctx *ctx;
    const plx_op *op;
    const plx__sample *sample;
    plx_tensor *inputs[PLX__SAMPLE_INPUTS];
    plx_tensor *weights; /* the loss is sum(weights * y) */
    plx_graph *graph;
    plx_node nodes[PLX__SAMPLE_INPUTS], y, loss;
} plx_walk;

typedef enum plx_walk_mode {
    PLX_WALK_PLAIN = 0,
    PLX_WALK_MAGNITUDES, /* absolute values of the same data */
    PLX_WALK_VIEWS,      /* the same data as views into the middle of larger arrays */
} plx_walk_mode;

/* Random inputs within the sample's range, from a fixed seed (the same for every context), kept
 * away from 0 if the op has a kink there. */
bool plx_walk_open(plx_check *t, plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                   plx_walk_mode mode, plx_walk *out);
/* The same with elements of this dtype for every operand that allows it. */
bool plx_walk_open_as(plx_check *t, plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                      plx_walk_mode mode, plx_dtype storage, plx_walk *out);
void plx_walk_close(plx_walk *walk);
/* Element i of data. */
plx_real plx_walk_value(plx_dtype dtype, const void *data, int64_t i);
/* Compiles and runs the node y without fusion and returns a copy of its values; free with
 * free(). */
plx_real *plx_walk_run(plx_check *t, plx_walk *walk, const plx_plan_options *options,
                       int64_t *size);
/* Calls each(arg, op, sample, text) for every sample of every op that runs. */
void plx_walk_ops(void (*each)(void *arg, const plx_op *op, const plx__sample *sample,
                               const char *text),
                  void *arg);

#endif
