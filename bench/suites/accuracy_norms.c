/* Accuracy of layer normalisation along rows, beside the plain single-precision loop that takes the
 * mean and the mean of squares in one pass. */
#include "bench/suites/accuracy.h"

#include "base/platform.h"

#include <math.h>
#include <string.h>

enum { ROWS = 64, STREAM_NORMS = 970 };
static const int64_t widths[] = {768, 4096};
/* Normal data; the further its mean is from zero, the more a difference of squares loses. */
static const double offsets[] = {0, 3};
static const double EPSILON = 1e-5;

typedef struct errors {
    double largest, squares, points;
    double mean, variance; /* largest: in standard deviations, and relative */
    double counts[PLX_ACCURACY_BINS];
} errors;

static double larger(double a, double b) {
    return b <= a ? a : b;
}

/* Finds the mean and variance with which a row of results was made: the least-squares line through
 * (x, y) has slope 1 / sqrt(variance + epsilon) and is zero at the mean; the rounding of results
 * averages out. */
static void judge_statistics(int64_t n, const plx_real *x, const plx_real *y, double mean,
                             double variance, errors *e) {
    double y_mean = 0, xy = 0;
    for (int64_t i = 0; i < n; ++i) y_mean += (double)y[i] / (double)n;
    for (int64_t i = 0; i < n; ++i) xy += ((double)x[i] - mean) * ((double)y[i] - y_mean);
    const double slope = xy / ((double)n * variance);
    const double own = 1 / (slope * slope) - EPSILON;
    e->mean = larger(e->mean, fabs(y_mean));
    e->variance = larger(e->variance, fabs(own - variance) / variance);
}

static void judge_row(int64_t n, const plx_real *x, const plx_real *y, errors *e) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < n; ++i) mean += (double)x[i] / (double)n;
    for (int64_t i = 0; i < n; ++i)
        variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;
    const double unit = 1 / sqrt(variance + EPSILON);
    for (int64_t i = 0; i < n; ++i) {
        const double expected = ((double)x[i] - mean) * unit;
        const double error = fabs((double)y[i] - expected);
        e->largest = larger(e->largest, error);
        e->squares += error * error;
        e->points += 1;
        e->counts[plx__accuracy_bin(error / plx__accuracy_ulp(1))] += 1;
    }
    judge_statistics(n, x, y, mean, variance, e);
}

static void plain_norm(int64_t n, const plx_real *x, plx_real *y) {
    plx_real sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    const plx_real mean = sum / (plx_real)n, variance = squares / (plx_real)n - mean * mean;
    const plx_real unit = (plx_real)(1 / sqrt((double)(variance + (plx_real)EPSILON)));
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * unit;
}

static double rms(const errors *e) {
    return sqrt(e->squares / e->points);
}

static void report(plx_case *c, const errors *own, const errors *plain) {
    plx__accuracy_figure(c, "largest error", "absolute", "lower", own->largest);
    const int spread = plx__accuracy_figure(c, "RMS error", "absolute", "lower", rms(own));
    plx__case_extra(c, spread, "bound", rms(plain) / 2);
    plx__accuracy_figure(c, "error of the mean", "deviations", "lower", own->mean);
    plx__accuracy_figure(c, "error of the variance", "relative", "lower", own->variance);
    plx__accuracy_figure(c, "largest error of a plain loop", "absolute", "none", plain->largest);
    plx__accuracy_figure(c, "RMS error of a plain loop", "absolute", "none", rms(plain));
    const int bins = plx__accuracy_figure(c, "largest error in units of 1", "ULP", "lower",
                                          own->largest / plx__accuracy_ulp(1));
    plx__accuracy_histogram(c, bins, own->counts);
    c->checks.error = 2 * rms(own) / rms(plain);
    c->checks.tolerance = 1;
    if (!(c->checks.error <= 1))
        plx__case_void(c, "the RMS error is %.3g, more than half of a plain loop's %.3g", rms(own),
                       rms(plain));
}

static plx_node build_norm(plx_graph *graph, plx_node x) {
    return plx_layer_norm(graph, x, plx_none(), plx_none(), EPSILON);
}

static plx_status slice_norm(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    plx_accuracy_graph g;
    const int64_t n = c->size;
    errors own = {0}, plain = {0};
    (void)slice_ns;
    plx_status status =
        plx__accuracy_open(bench, NULL, NULL, build_norm, 2, (const int64_t[]){ROWS, n}, &g);
    plx_real *x = status == PLX_OK ? plx_tensor_data(g.x) : NULL;
    plx_real *loop = plx_platform_alloc((size_t)n * sizeof *loop);
    if (status == PLX_OK && !loop)
        status = plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    if (status == PLX_OK) {
        plx__fill_normal(plx__bench_options(bench)->seed, STREAM_NORMS, ROWS * n, x);
        for (int64_t i = 0; i < ROWS * n; ++i) x[i] += (plx_real)offsets[c->variant];
        status = plx_plan_run(g.plan);
    }
    for (int64_t i = 0; status == PLX_OK && i < ROWS; ++i) {
        judge_row(n, x + i * n, plx_plan_output(g.plan, g.y) + i * n, &own);
        plain_norm(n, x + i * n, loop);
        judge_row(n, x + i * n, loop, &plain);
    }
    plx_platform_free(loop);
    plx__accuracy_close(&g);
    if (status == PLX_OK) report(c, &own, &plain);
    *done = true;
    return status;
}

int plx__accuracy_norms(plx_bench *bench, int group) {
    for (size_t i = 0; i < sizeof widths / sizeof *widths; ++i)
        for (size_t k = 0; k < sizeof offsets / sizeof *offsets; ++k) {
            plx_case *c = plx__bench_add(bench, group++, "layer_norm of %lld, mean %g",
                                         (long long)widths[i], offsets[k]);
            if (!c) continue;
            c->size = widths[i];
            c->variant = (int)k;
            plx__case_once(bench, c, 1e9);
            c->slice = slice_norm;
            plx__case_text(c, "function", "layer_norm");
            plx__case_number(c, "width", (double)widths[i]);
            plx__case_number(c, "mean", offsets[k]);
        }
    return group;
}
