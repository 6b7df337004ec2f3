/* The parts of the suite accuracy. Each adds its cases from group on, and returns the next free
 * group. */
#ifndef PLX_BENCH_ACCURACY_H
#define PLX_BENCH_ACCURACY_H

#include "bench/harness.h"
#include "ops/op.h"

int plx__accuracy_functions(plx_bench *bench, int group);
int plx__accuracy_rows(plx_bench *bench, int group);
int plx__accuracy_gradients(plx_bench *bench, int group);
int plx__accuracy_norms(plx_bench *bench, int group);

/* ---- Histograms of errors, on a logarithmic scale -------------------------------------------- */

/* Bin edges 0, 2^-10, 2^-9, ... 2^13: the first bin holds exact results, the last everything
 * beyond. */
enum { PLX_ACCURACY_BINS = 24 };

int plx__accuracy_bin(double error);
/* Puts edges and counts into the row of a metric. */
void plx__accuracy_histogram(plx_case *c, int metric, const double counts[PLX_ACCURACY_BINS]);

/* Distance between this value, as an element, and the next one away from zero. */
double plx__accuracy_ulp(double value);

/* ---- A graph of one node --------------------------------------------------------------------- */

typedef struct plx_accuracy_graph {
    plx_graph *graph;
    plx_plan *plan;
    plx_tensor *x;
    plx_node y;
} plx_accuracy_graph;

/* y = op(x) for x of this shape; or y of the builder, if it is not NULL. */
plx_status plx__accuracy_open(plx_bench *bench, const plx_op *op, const plx__attrs *attrs,
                              plx_node (*build)(plx_graph *graph, plx_node x), int rank,
                              const int64_t *dims, plx_accuracy_graph *out);
void plx__accuracy_close(plx_accuracy_graph *g);

/* Adds one figure that says nothing about speed. Returns the metric's number. */
int plx__accuracy_figure(plx_case *c, const char *name, const char *unit, const char *better,
                         double value);

#endif
