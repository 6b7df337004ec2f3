/* The state behind an update node. */
#ifndef PLX_OPS_OPTIMIZER_H
#define PLX_OPS_OPTIMIZER_H

#include "ops/op.h"

/* Settings of a single parameter. */
typedef struct plx__group {
    double rate_factor, weight_decay;
} plx__group;

struct plx_optimizer {
    plx_ctx *ctx;
    int holders; /* reference count: the creator, update nodes */
    plx_optimizer_options options;
    int count;
    plx_tensor **parameters;
    plx__group *groups;  /* by parameter */
    plx_tensor **first;  /* Adam, Lion: mean of gradients; SGD, RMSprop: velocity, NULL without */
    plx_tensor **second; /* Adam, RMSprop: mean of squares */
    plx_tensor **kept;   /* the parameters before the latest step; NULL: unused */
    plx_tensor **sums;   /* sums of gradients, for accumulate; NULL: unused */
    plx_tensor **errors; /* rounding errors of the sums; NULL: few gradients are summed */
    double share;        /* accumulate: weight of the next gradients in the mean */
    bool adds, ends;     /* accumulate: add to the sums so far; last gradients of a sum */
    plx_tensor **state;  /* borrowed: running statistics that a guarded step must find finite */
    int state_count;
    bool at_work;      /* in a trainer: an unfit step is skipped, and fault says why */
    const char *fault; /* "gradients are"; NULL: the latest step was taken, or held back */
    int64_t steps;
    /* The betas as rounded for the kernels: in float, 1 - 0.999 has a relative error of 1e-5.
     * Stored, because gcc 12 removes a rounding to float and back. */
    plx_real beta1, beta2;
    double beta1_power,
        beta2_power; /* beta^steps, by repeated multiplication: the same everywhere */
};

bool plx__is_finite(const plx_tensor *tensor);
/* The op that runs this optimizer. */
const plx_op *plx__optimizer_op(const plx_optimizer *optimizer);

#endif
