/* A network at one batch size with fixed data, as a plan for a prediction or a training step. */
#ifndef PLX_BENCH_NETWORK_H
#define PLX_BENCH_NETWORK_H

#include "bench/harness.h"

typedef struct plx_network plx_network;

typedef struct plx_network_options {
    const char *model; /* "mlp:784-200-10", "gpt2-nano" */
    int64_t batch;
    bool training;                          /* a training step; else a forward pass */
    const plx_optimizer_options *optimizer; /* of a training step; NULL: Adam, rate 1e-3 */
    plx_loss loss;                          /* ignored by models that have their own loss */
    bool softmax;                           /* applied after the last layer of a forward pass */
    uint64_t seed;                          /* of the weights */
    plx_plan_options plan;
    /* One array per port of the model, borrowed: [batch, ...], as plx_dataset has them side by
     * side. NULL: random ones from the seed. */
    const void *inputs[PLX_PORTS], *targets[PLX_PORTS];
    const plx_network *like; /* lends its model and its inputs, and outlives this one; or NULL */
} plx_network_options;

struct plx_network {
    plx_ctx *ctx;
    plx_model *model;
    bool borrowed; /* the model */
    plx_optimizer *optimizer;
    plx_plan *plan;
    plx_node result;                              /* the output, or the loss */
    int64_t batch, in, out;                       /* values of the first input and output */
    void *inputs[PLX_PORTS], *targets[PLX_PORTS]; /* own data, if none was given */
    const void *bound[PLX_PORTS];                 /* inputs */
};

/* Free with plx_network_free, also after a failure. */
plx_status plx_network_open(plx_ctx *ctx, const plx_network_options *options, plx_network *out);
void plx_network_free(plx_network *network);
/* Runs the plan `times` times. */
plx_status plx_network_run(plx_network *network, int64_t times);
/* The value of the last run: predictions [batch, out], or the loss [1]. */
const plx_real *plx_network_result(const plx_network *network);
/* The largest error of the predictions of row 0 as a share of its bound, against the same layers in
 * double precision. The bound follows each sum of k products through the layers: e' = |W|^T e + (k
 * + 1) eps (|W|^T |x| + |b|), which ReLU does not enlarge. Only for models of dense layers with
 * ReLU in between, at most 4,096 wide. NaN when memory is short. */
double plx_network_error(plx_network *network);

#endif
