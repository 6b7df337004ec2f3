/* Suite accuracy: how far results are from those in double precision. */
#include "bench/suites/accuracy.h"

#include <float.h>
#include <string.h>

int plx__accuracy_bin(double error) {
    int bin = 0;
    for (double edge = 0x1p-10; error >= edge && bin < PLX_ACCURACY_BINS - 1; edge *= 2) bin += 1;
    return error == error ? bin : PLX_ACCURACY_BINS - 1;
}

void plx__accuracy_histogram(plx_case *c, int metric, const double counts[PLX_ACCURACY_BINS]) {
    double edges[PLX_ACCURACY_BINS + 1] = {0};
    for (int i = 1; i <= PLX_ACCURACY_BINS; ++i) edges[i] = i > 1 ? 2 * edges[i - 1] : 0x1p-10;
    plx__case_series(c, metric, "histogram.edges", PLX_ACCURACY_BINS + 1, edges);
    plx__case_series(c, metric, "histogram.counts", PLX_ACCURACY_BINS, counts);
}

/* Takes the exponent from the bits, as full sweeps ask for billions. */
double plx__accuracy_ulp(double value) {
    enum { BIAS = 1023, DOUBLE_DIGITS = DBL_MANT_DIG - 1 };
    const bool wide = sizeof(plx_real) == sizeof(double);
    const int digits = (wide ? DBL_MANT_DIG : FLT_MANT_DIG) - 1;
    const int least = wide ? DBL_MIN_EXP : FLT_MIN_EXP;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> DOUBLE_DIGITS & 0x7ff) - BIAS;
    if (exponent < least - 1) exponent = least - 1;
    exponent -= digits;
    if (exponent <= -BIAS) return DBL_TRUE_MIN;
    bits = (uint64_t)(exponent + BIAS) << DOUBLE_DIGITS;
    memcpy(&value, &bits, sizeof value);
    return value;
}

plx_status plx__accuracy_open(plx_bench *bench, const plx_op *op, const plx__attrs *attrs,
                              plx_node (*build)(plx_graph *graph, plx_node x), int rank,
                              const int64_t *dims, plx_accuracy_graph *out) {
    plx_ctx *ctx = plx__bench_ctx(bench);
    memset(out, 0, sizeof *out);
    PLX_TRY(plx_graph_new(ctx, &out->graph));
    PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, rank, dims, &out->x));
    const plx_node x = plx_parameter(out->graph, NULL, out->x);
    out->y = build ? build(out->graph, x) : plx__build1(out->graph, op, x, attrs);
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
    group = plx__accuracy_norms(bench, group);
    plx__accuracy_gradients(bench, group);
    return PLX_OK;
}

const plx_suite plx__suite_accuracy = {
    .name = "accuracy",
    .description = "Functions, rows and gradients against double precision",
    .plan = plan,
};
