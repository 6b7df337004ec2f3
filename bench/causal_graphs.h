/* Chains and graphs of hypercausal nodes: data, plans, the same in plain double precision, and what
 * is measured of a prediction. */
#ifndef PLX_BENCH_CAUSAL_GRAPHS_H
#define PLX_BENCH_CAUSAL_GRAPHS_H

#include "bench/bench.h"

/* A chain of three nodes, or four in a diamond: the first goes into two, which go into the last. */
typedef enum plx_causal_shape { PLX_CAUSAL_CHAIN = 0, PLX_CAUSAL_DIAMOND } plx_causal_shape;

enum { PLX_CAUSAL_NODES = 4, PLX_CAUSAL_PARENTS = 2 };

typedef struct plx_causal_spec {
    plx_causal_shape shape;
    plx_future_policy policy;
    int64_t channels, futures, times, depth;
} plx_causal_spec;

/* The nodes: with which weights and span each begins, and which come before it (-1: none; the first
 * takes the input). */
typedef struct plx_causal_node {
    double w, b, span;
    int parents[PLX_CAUSAL_PARENTS];
} plx_causal_node;
int plx_causal_nodes(plx_causal_shape shape, const plx_causal_node **nodes);

/* x [times, channels]: channel c is 0.30 sin(0.35 t), 0.20 sin(0.35 t + 0.70) or 0.10 cos(0.35 t +
 * 0.30) for c mod 3, plus N(0, 0.01^2). */
void plx_causal_data(int64_t times, int64_t channels, uint64_t seed, plx_real *x);

/* Weights of its own, and plans of a forward pass with all losses, and of an epoch: forward,
 * gradients, gradient descent at rate 2e-2. */
typedef struct plx_causal_model {
    plx_causal_spec spec;
    plx_weights *weights;
    plx_optimizer *optimizer;
    plx_plan *forward, *epoch;
    plx_node forward_x, epoch_x, state, future, parts[4]; /* total, task, consistency, coherence */
    plx_node total;                                       /* of the epoch's plan */
    plx_node gradients[2 * PLX_CAUSAL_NODES];             /* w, b of each node; outputs of epoch */
    plx_real *target;                                     /* zeros [times, channels] */
} plx_causal_model;

/* Free with plx_causal_free, which also frees one that failed half-way. */
plx_status plx_causal_open(plx_ctx *ctx, const plx_causal_spec *spec, plx_causal_model *out);
void plx_causal_free(plx_causal_model *model);
/* Data that both plans read from now on; it must stay. */
plx_status plx_causal_bind(plx_causal_model *model, const plx_real *x);
/* Weights as they were in the beginning. */
void plx_causal_reset(plx_causal_model *model);

/* By the formulas, element by element, in double precision with weights w[i], b[i]: the last node's
 * states and representative futures [times, channels], and total, task, consistency, coherence.
 * Where the least risks are closer than rounding tells apart, the future nearest to that in given
 * [times, channels] is taken (NULL: the first of the least). False when memory is short. */
bool plx_causal_reference(const plx_causal_spec *spec, const plx_real *x, const double *w,
                          const double *b, const plx_real *given, double *state, double *future,
                          double parts[4]);

/* Of a prediction p against a reference r over n times, both with a stride. */
typedef struct plx_causal_series {
    int64_t n, stride;
    const plx_real *p, *r;
} plx_causal_series;

double plx_causal_mse(const plx_causal_series *s);
/* max(0, max p - max r) / |max r|; 0 where max r is. */
double plx_causal_overshoot(const plx_causal_series *s);
/* The time from which on |p - r| stays within 5% of max |r|; where that is 0, of max |p - r|, as of
 * a regulator that settles at 0 (Ogata, "Modern Control Engineering", section 5-3). n: never. */
double plx_causal_settling(const plx_causal_series *s);
/* 1 / (1 + MSE). */
double plx_causal_robustness(const plx_causal_series *s);

/* Of forecasts: p at a time stands for r at the next one. */
/* 100 mean |r - p| / |r| over times with r other than 0; NaN when there are none. */
double plx_causal_mape(const plx_causal_series *s);
/* Mean |r - p| over mean |r - r before|, which is that of a forecast of no change (Hyndman and
 * Koehler, "Another look at measures of forecast accuracy", 2006); NaN where r never changes. */
double plx_causal_mase(const plx_causal_series *s);
/* Mean of sign(r - r before) sign(p - p before), -1 to 1. */
double plx_causal_direction(const plx_causal_series *s);

#endif
