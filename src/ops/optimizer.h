/* The state behind an update node. */
#ifndef PLX_OPS_OPTIMIZER_H
#define PLX_OPS_OPTIMIZER_H

#include "ops/op.h"

/* What a parameter has of its own. */
typedef struct plx__group {
    double rate_factor, weight_decay;
} plx__group;

struct plx_optimizer {
    plx_ctx *ctx;
    int holders; /* the maker, update nodes */
    plx_optimizer_options options;
    int count;
    plx_tensor **parameters;
    plx__group *groups;  /* by parameter */
    plx_tensor **first;  /* Adam, Lion: mean of gradients; SGD, RMSprop: velocity, NULL without */
    plx_tensor **second; /* Adam, RMSprop: mean of squares */
    plx_tensor **kept;   /* the parameters before the latest step; NULL: not wanted */
    plx_tensor **sums;   /* of gradients, for accumulate; NULL: not wanted */
    plx_tensor **errors; /* of those sums; NULL: few gradients are summed */
    double share;        /* accumulate: of the next gradients in the mean */
    bool adds, ends;     /* accumulate: to what is there; the last gradients of the sum */
    plx_tensor **state;  /* borrowed: running statistics that a guarded step must find finite */
    int state_count;
    bool at_work;      /* of a trainer: a step that is not fit is left out, and fault says why */
    const char *fault; /* "gradients are"; NULL: the latest step was taken, or guarded */
    int64_t steps;
    /* As the kernels have them: in float 1 - 0.999 is off by 1e-5 of itself. Kept here, because gcc
     * 12 folds a pair of roundings to float and back. */
    plx_real beta1, beta2;
    double beta1_power,
        beta2_power; /* beta^steps, by repeated multiplication: the same everywhere */
};

bool plx__is_finite(const plx_tensor *tensor);
/* The row that carries out this optimizer. */
const plx_op *plx__optimizer_op(const plx_optimizer *optimizer);

#endif
