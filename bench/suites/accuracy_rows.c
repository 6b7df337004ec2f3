/* Accuracy of softmax along rows, beside the plain single-precision loop. */
#include "bench/suites/accuracy.h"

#include "parallax.h"

#include "base/platform.h"

#include <math.h>
#include <string.h>

enum { ROWS = 64, STREAM_ROWS = 950 };
static const int64_t widths[] = {1000, 4096, 32768};

/* Relative errors of probabilities, in units of the element type's epsilon. */
typedef struct errors {
    double largest, squares, points;
    double counts[PLX_ACCURACY_BINS];
} errors;

static void add_error(errors *e, double value, double expected) {
    const double error = fabs(value - expected) / plx__accuracy_ulp(expected);
    if (!(error <= e->largest)) e->largest = error;
    e->squares += error * error;
    e->points += 1;
    e->counts[plx__accuracy_bin(error)] += 1;
}

static double rms(const errors *e) {
    return sqrt(e->squares / e->points);
}

/* The naive loop: each exponential correctly rounded, summed from left to right. */
static void plain_softmax(int64_t n, const plx_real *x, plx_real *y) {
    plx_real most = x[0], sum = 0;
    for (int64_t i = 1; i < n; ++i)
        if (x[i] > most) most = x[i];
    for (int64_t i = 0; i < n; ++i) sum += y[i] = (plx_real)plx_math_exp((double)(x[i] - most));
    for (int64_t i = 0; i < n; ++i) y[i] /= sum;
}

static void judge_row(int64_t n, const plx_real *x, const plx_real *y, errors *e) {
    double most = (double)x[0], sum = 0;
    for (int64_t i = 1; i < n; ++i) most = fmax(most, (double)x[i]);
    for (int64_t i = 0; i < n; ++i) sum += plx_math_exp((double)x[i] - most);
    for (int64_t i = 0; i < n; ++i)
        add_error(e, (double)y[i], plx_math_exp((double)x[i] - most) / sum);
}

static plx_node build_softmax(plx_graph *graph, plx_node x) {
    return plx_softmax(graph, x, -1);
}

static void report(plx_case *c, const errors *own, const errors *plain) {
    const int metric =
        plx__accuracy_figure(c, "largest error in ULP", "ULP", "lower", own->largest);
    plx__accuracy_histogram(c, metric, own->counts);
    /* The bound is half of the plain loop's error. */
    const int spread = plx__accuracy_figure(c, "RMS error in ULP", "ULP", "lower", rms(own));
    plx__case_extra(c, spread, "bound", rms(plain) / 2);
    plx__accuracy_figure(c, "largest error of a plain loop", "ULP", "none", plain->largest);
    plx__accuracy_figure(c, "RMS error of a plain loop", "ULP", "none", rms(plain));
    c->checks.error = 2 * rms(own) / rms(plain);
    c->checks.tolerance = 1;
    if (!(c->checks.error <= 1))
        plx__case_void(c, "the RMS error is %.3g ULP, more than half of a plain loop's %.3g",
                       rms(own), rms(plain));
}

static plx_status slice_rows(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    plx_accuracy_graph g;
    const int64_t n = c->size;
    errors own = {0}, plain = {0};
    (void)slice_ns;
    plx_status status =
        plx__accuracy_open(bench, NULL, NULL, build_softmax, 2, (const int64_t[]){ROWS, n}, &g);
    plx_real *x = status == PLX_OK ? plx_tensor_data(g.x) : NULL;
    plx_real *loop = plx_platform_alloc((size_t)n * sizeof *loop);
    if (status == PLX_OK && !loop)
        status = plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    if (status == PLX_OK) {
        plx_rng rng = plx_rng_new(plx__bench_options(bench)->seed, STREAM_ROWS);
        for (int64_t i = 0; i < ROWS * n; ++i) x[i] = (plx_real)(2 * plx_rng_uniform(&rng) - 1);
        status = plx_plan_run(g.plan);
    }
    for (int64_t i = 0; status == PLX_OK && i < ROWS; ++i) {
        judge_row(n, x + i * n, plx_plan_output(g.plan, g.y) + i * n, &own);
        plain_softmax(n, x + i * n, loop);
        judge_row(n, x + i * n, loop, &plain);
    }
    plx_platform_free(loop);
    plx__accuracy_close(&g);
    if (status == PLX_OK) report(c, &own, &plain);
    *done = true;
    return status;
}

int plx__accuracy_rows(plx_bench *bench, int group) {
    for (size_t i = 0; i < sizeof widths / sizeof *widths; ++i) {
        if (i && plx__bench_options(bench)->size == PLX_BENCH_QUICK) continue;
        plx_case *c = plx__bench_add(bench, group++, "softmax of %lld", (long long)widths[i]);
        if (!c) continue;
        c->size = widths[i];
        plx__case_once(bench, c, 2e9);
        c->slice = slice_rows;
        plx__case_text(c, "function", "softmax");
        plx__case_number(c, "width", (double)widths[i]);
    }
    return group;
}
