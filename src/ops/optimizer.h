/* The state behind an update node. */
#ifndef PLX_OPS_OPTIMIZER_H
#define PLX_OPS_OPTIMIZER_H

#include "ops/op.h"

struct plx_optimizer {
    plx_ctx *ctx;
    plx_optimizer_options options;
    int count;
    plx_tensor **parameters;
    plx_tensor **first, **second; /* moments; first is the velocity of SGD, NULL without momentum */
    int64_t steps;
    double beta1_power,
        beta2_power; /* beta^steps, by repeated multiplication: the same everywhere */
};

/* The row that carries out this optimizer. */
const plx_op *plx__optimizer_op(const plx_optimizer *optimizer);

#endif
