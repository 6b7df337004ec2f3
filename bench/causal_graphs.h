/* Chains and graphs of hypercausal nodes: data, plans, the same computation in plain double
 * precision, and measures of a prediction. */
#ifndef PLX_BENCH_CAUSAL_GRAPHS_H
#define PLX_BENCH_CAUSAL_GRAPHS_H

#include "bench/bench.h"

/* A chain of three nodes, or a diamond of four: the first feeds two, which feed the last. */
typedef enum plx_causal_shape { PLX_CAUSAL_CHAIN = 0, PLX_CAUSAL_DIAMOND } plx_causal_shape;

enum { PLX_CAUSAL_NODES = 4, PLX_CAUSAL_PARENTS = 2 };

typedef struct plx_causal_spec {
    plx_causal_shape shape;
    plx_future_policy policy;
    int64_t channels, futures, times, depth;
} plx_causal_spec;

/* The nodes: the initial weights and span of each, and its predecessors (-1: none; the first takes
 * the input). */
typedef struct plx_causal_node {
    double w, b, span;
    int parents[PLX_CAUSAL_PARENTS];
} plx_causal_node;
int plx_causal_nodes(plx_causal_shape shape, const plx_causal_node **nodes);

/* Fills x [times, channels]: channel c is 0.30 sin(0.35 t), 0.20 sin(0.35 t + 0.70) or 0.10
 * cos(0.35 t + 0.30) for c mod 3, plus N(0, 0.01^2). */
void plx_causal_data(int64_t times, int64_t channels, uint64_t seed, plx_real *x);

/* A network with weights of its own, and two plans: a forward pass with all losses, and an epoch
 * (forward, gradients, gradient descent at rate 2e-2). */
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

/* Free with plx_causal_free, also after a failure. */
plx_status plx_causal_open(plx_ctx *ctx, const plx_causal_spec *spec, plx_causal_model *out);
void plx_causal_free(plx_causal_model *model);
/* Sets the data that both plans read from now on; it must stay valid. */
plx_status plx_causal_bind(plx_causal_model *model, const plx_real *x);
/* Restores the initial weights. */
void plx_causal_reset(plx_causal_model *model);

/* Evaluates the formulas element by element in double precision with weights w[i], b[i]: the last
 * node's states and representative futures [times, channels], and total, task, consistency,
 * coherence. If the lowest risks are closer than rounding can separate, the future nearest to that
 * in given [times, channels] is taken (NULL: the first of the lowest). Returns false when memory is
 * short. */
bool plx_causal_reference(const plx_causal_spec *spec, const plx_real *x, const double *w,
                          const double *b, const plx_real *given, double *state, double *future,
                          double parts[4]);

/* Measures of a prediction p against a reference r over n times, both with a stride. */
typedef struct plx_causal_series {
    int64_t n, stride;
    const plx_real *p, *r;
} plx_causal_series;

double plx_causal_mse(const plx_causal_series *s);
/* max(0, max p - max r) / |max r|; 0 if max r is 0. */
double plx_causal_overshoot(const plx_causal_series *s);
/* The time from which |p - r| stays within 5% of max |r|; if that is 0, within 5% of max |p - r|,
 * as for a regulator that settles at 0 (Ogata, "Modern Control Engineering", section 5-3). n:
 * never. */
double plx_causal_settling(const plx_causal_series *s);
/* 1 / (1 + MSE). */
double plx_causal_robustness(const plx_causal_series *s);

/* Measures of forecasts: p at a time predicts r at the next one. */
/* 100 mean |r - p| / |r| over times where r is not 0; NaN if there are none. */
double plx_causal_mape(const plx_causal_series *s);
/* Mean |r - p| divided by mean |r - r before|, the error of a forecast of no change (Hyndman and
 * Koehler, "Another look at measures of forecast accuracy", 2006); NaN if r never changes. */
double plx_causal_mase(const plx_causal_series *s);
/* Mean of sign(r - r before) sign(p - p before), -1 to 1. */
double plx_causal_direction(const plx_causal_series *s);

#endif
