/* accuracy: how far results are from those in double precision. */
#include "bench/suites/accuracy.h"

#include <float.h>
#include <math.h>
#include <string.h>

int plx__accuracy_bin(double error) {
    int exponent;
    if (!(error >= 0x1p-10)) return error != error ? PLX_ACCURACY_BINS - 1 : 0;
    if (error >= 0x1p13) return PLX_ACCURACY_BINS - 1;
    frexp(error, &exponent);
    return exponent - PLX_ACCURACY_FIRST;
}

void plx__accuracy_histogram(plx_case *c, int metric, const double counts[PLX_ACCURACY_BINS]) {
    double edges[PLX_ACCURACY_BINS + 1] = {0};
    for (int i = 1; i <= PLX_ACCURACY_BINS; ++i) edges[i] = ldexp(1, PLX_ACCURACY_FIRST + i - 1);
    plx__case_series(c, metric, "histogram.edges", PLX_ACCURACY_BINS + 1, edges);
    plx__case_series(c, metric, "histogram.counts", PLX_ACCURACY_BINS, counts);
}

double plx__accuracy_ulp(double value) {
    const bool wide = sizeof(plx_real) == sizeof(double);
    const int digits = wide ? DBL_MANT_DIG : FLT_MANT_DIG;
    const int least = (wide ? DBL_MIN_EXP : FLT_MIN_EXP) - digits;
    int exponent = 0;
    if (isfinite(value)) frexp(value, &exponent);
    return ldexp(1, value != 0 && exponent - digits > least ? exponent - digits : least);
}

plx_status plx__accuracy_open(plx_bench *bench, const plx_op *op, const plx__attrs *attrs,
                              plx_node (*build)(plx_graph *graph, plx_node x), int rank,
                              const int64_t *dims, plx_accuracy_graph *out) {
    plx_ctx *ctx = plx__bench_ctx(bench);
    memset(out, 0, sizeof *out);
    PLX_TRY(plx_graph_new(ctx, &out->graph));
    PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, rank, dims, &out->x));
    const plx_node x = plx_parameter(out->graph, NULL, out->x);
    out->y = build ? build(out->graph, x) : (plx_node){PLX__EMIT1(out->graph, op, x.id, attrs)};
    return plx_compile(out->graph, 1, &out->y, NULL, &out->plan);
}

void plx__accuracy_close(plx_accuracy_graph *g) {
    plx_plan_free(g->plan);
    plx_graph_free(g->graph);
    plx_tensor_free(g->x);
    memset(g, 0, sizeof *g);
}

int plx__accuracy_figure(plx_case *c, const char *name, const char *unit, const char *better,
                         double value) {
    const int metric = plx__case_metric(c, name, unit, better, false, PLX_METRIC_OWN, 1);
    plx__case_record(c, metric, value);
    return metric;
}

static plx_status plan(plx_bench *bench) {
    int group = plx__accuracy_functions(bench, 0);
    group = plx__accuracy_rows(bench, group);
    plx__accuracy_gradients(bench, group);
    return PLX_OK;
}

const plx_suite plx__suite_accuracy = {
    .name = "accuracy",
    .description = "Functions, rows and gradients against double precision",
    .plan = plan,
};
