/* Every gradient rule: the plan's gradients against difference quotients of what it computes, both
 * in the element type. Outputs are differenced and summed in double, so that only their own
 * rounding is left; the quotient of four points leaves h^4 / 30 of the fifth derivative. */
#include "bench/suites/accuracy.h"
#include "bench/suites/sample_graph.h"

#include "base/platform.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { PAIRS = 256, PER_INPUT = 64, STREAM_GRADIENTS = 960 };
/* Steps and inputs are multiples of 2^-12, so that their sums are exact. */
static const double STEP = 0x1p-8, TOLERANCE = 3e-3;

typedef struct gradient {
    plx_sample_graph of;
    plx_plan *forward, *backward;
    double *sums;  /* weights per element of y for the combination of outputs */
    double *scale; /* the largest of each */
} gradient;

typedef struct figures {
    double largest, squares, share;
    int64_t points, kinks;
    int pairs;
    double analytic[PAIRS], numeric[PAIRS];
} figures;

/* Two plans: the value, and the gradients of its weighted sum; no plans if the value is not real,
 * since no gradient flows through it. */
static plx_status compile(plx_bench *bench, gradient *g, const plx_op *op,
                          const plx__sample *sample, plx_node *grads) {
    plx_node of[PLX__SAMPLE_INPUTS + 1];
    int count = 0, outputs = 0;
    plx_rng rng = plx_rng_new(plx__bench_options(bench)->seed, STREAM_GRADIENTS);
    PLX_TRY(plx__sample_graph_open(plx__bench_ctx(bench), op, sample, &rng, &g->of));
    if (g->of.loss.id < 0) return PLX_OK;
    PLX_TRY(plx_compile(g->of.graph, 1, &g->of.y, NULL, &g->forward));
    PLX_TRY(plx__sample_graph_gradients(&g->of, grads, &count));
    for (int k = 0; k < sample->inputs_count; ++k)
        if (grads[k].id >= 0) of[outputs++] = grads[k];
    /* Includes the loss, as in training: some ops leave by-products for their gradients. */
    of[outputs] = g->of.loss;
    PLX_TRY(plx_compile(g->of.graph, count + 1, of, NULL, &g->backward));
    plx_plan_set_step(g->backward, 3);
    return plx_plan_run(g->backward);
}

static void close_gradient(gradient *g) {
    plx_plan_free(g->forward);
    plx_plan_free(g->backward);
    plx__sample_graph_close(&g->of);
    plx_platform_free(g->sums);
    plx_platform_free(g->scale);
}

/* sums += factor * outputs at *x = value; the same step number draws the same mask. */
static plx_status add_outputs(gradient *g, plx_real *x, double value, double factor) {
    *x = (plx_real)value;
    plx_plan_set_step(g->forward, 3);
    PLX_TRY(plx_plan_run(g->forward));
    const plx_real *y = plx_plan_output(g->forward, g->of.y);
    for (int64_t j = 0; j < g->of.size; ++j) {
        g->sums[j] += factor * (double)y[j];
        g->scale[j] = fmax(g->scale[j], fabs((double)y[j]));
    }
    return PLX_OK;
}

/* The weighted sum. noise is set to what the rounding of outputs that changed can do to it, or of
 * all outputs if none did: a large sum can hide a small change. */
static double weigh(const gradient *g, double *noise) {
    const plx_real *weights = plx_tensor_data(g->of.weights);
    double sum = 0, all = 0;
    *noise = 0;
    for (int64_t j = 0; j < g->of.size; ++j) {
        sum += (double)weights[j] * g->sums[j];
        const double each = fabs((double)weights[j]) * g->scale[j];
        all += each;
        if (g->sums[j] != 0) *noise += each;
    }
    if (*noise == 0) *noise = all;
    return sum;
}

/* (8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h; the factors add up to 1.5 / h, times
 * eight units in the last place of each output: sums err by a few. */
static plx_status difference(gradient *g, plx_real *x, double *slope, double *noise) {
    const double at = (double)*x, h = fabs(at) > 8 ? 8 * STEP : STEP;
    memset(g->sums, 0, (size_t)g->of.size * sizeof *g->sums);
    memset(g->scale, 0, (size_t)g->of.size * sizeof *g->scale);
    PLX_TRY(add_outputs(g, x, at + h, 8));
    PLX_TRY(add_outputs(g, x, at - h, -8));
    PLX_TRY(add_outputs(g, x, at + 2 * h, -1));
    PLX_TRY(add_outputs(g, x, at - 2 * h, 1));
    *x = (plx_real)at;
    *slope = weigh(g, noise) / (12 * h);
    *noise *= 8 * 1.5 / h * (sizeof(plx_real) == sizeof(float) ? (double)FLT_EPSILON : DBL_EPSILON);
    return PLX_OK;
}

/* Whether the slopes from both sides differ: then there is a kink in between. */
static plx_status kink_near(gradient *g, plx_real *x, double noise, bool *kink) {
    const double at = (double)*x, h = 2 * (fabs(at) > 8 ? 8 * STEP : STEP);
    double unused;
    memset(g->sums, 0, (size_t)g->of.size * sizeof *g->sums);
    PLX_TRY(add_outputs(g, x, at + h, 1));
    PLX_TRY(add_outputs(g, x, at, -2));
    PLX_TRY(add_outputs(g, x, at - h, 1));
    *x = (plx_real)at;
    *kink = fabs(weigh(g, &unused)) / h > TOLERANCE + 2 * noise;
    return PLX_OK;
}

static void add_pair(figures *f, double analytic, double numeric, double noise) {
    const double unit = fmax(1, fmax(fabs(analytic), fabs(numeric)));
    const double error = fabs(analytic - numeric), share = error / (TOLERANCE * unit + noise);
    if (!(error / unit <= f->largest)) f->largest = error / unit;
    if (!(share <= f->share)) f->share = share;
    f->squares += error / unit * (error / unit);
    /* The first points, then others that replace earlier ones, spread over all. */
    const int slot = f->points < PAIRS ? f->pairs++ : (int)(f->points * 97 % PAIRS);
    f->points += 1;
    f->analytic[slot] = analytic;
    f->numeric[slot] = numeric;
}

static plx_status compare_input(gradient *g, int k, const plx_real *analytic, figures *f) {
    plx_real *x = plx_tensor_data(g->of.inputs[k]);
    const int64_t size = plx_tensor_size(g->of.inputs[k]);
    const int64_t stride = size > PER_INPUT ? size / PER_INPUT : 1;
    for (int64_t i = 0; i < size; i += stride) {
        double slope, noise;
        bool kink = false;
        PLX_TRY(difference(g, &x[i], &slope, &noise));
        if (g->of.op->flags & PLX__OP_KINK) PLX_TRY(kink_near(g, &x[i], noise, &kink));
        if (kink)
            f->kinks += 1;
        else
            add_pair(f, (double)analytic[i], slope, noise);
    }
    return PLX_OK;
}

static plx_status compare_sample(plx_bench *bench, gradient *g, const plx_op *op,
                                 const plx__sample *sample, figures *f) {
    plx_node grads[PLX__SAMPLE_INPUTS];
    for (int k = 0; k < PLX__SAMPLE_INPUTS; ++k) grads[k] = plx_none();
    PLX_TRY(compile(bench, g, op, sample, grads));
    if (!g->backward) return PLX_OK;
    g->sums = plx_platform_alloc((size_t)(g->of.size + 1) * sizeof *g->sums);
    g->scale = plx_platform_alloc((size_t)(g->of.size + 1) * sizeof *g->scale);
    if (!g->sums || !g->scale)
        return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", op->name);
    for (int k = 0; k < sample->inputs_count; ++k)
        if (grads[k].id >= 0)
            PLX_TRY(compare_input(g, k, plx_plan_output(g->backward, grads[k]), f));
    return PLX_OK;
}

static void report(plx_case *c, const figures *f) {
    const int metric =
        plx__accuracy_figure(c, "largest difference", "relative", "lower", f->largest);
    plx__case_series(c, metric, "scatter.analytic", f->pairs, f->analytic);
    plx__case_series(c, metric, "scatter.numeric", f->pairs, f->numeric);
    plx__accuracy_figure(c, "RMS difference", "relative", "lower",
                         f->points ? sqrt(f->squares / (double)f->points) : 0);
    plx__case_number(c, "points", (double)f->points);
    if (f->kinks) plx__case_number(c, "leftOutAtKinks", (double)f->kinks);
    c->checks.error = f->share;
    c->checks.tolerance = 1;
    if (!(f->share <= 1))
        plx__case_void(c, "a gradient is %.3g times the bound away from its difference quotient",
                       f->share);
    else if (f->kinks > f->points)
        plx__case_void(c, "%lld of its points lie at kinks", (long long)f->kinks);
}

static plx_status slice_gradient(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    int count;
    const plx_op *op = plx__ops(&count)[c->variant];
    figures f = {0};
    plx_status status = PLX_OK;
    (void)slice_ns;
    const char *text = op->samples;
    plx__sample sample;
    while (status == PLX_OK && text && plx__sample_read(op, &text, &sample)) {
        gradient g = {.forward = NULL};
        status = compare_sample(bench, &g, op, &sample, &f);
        close_gradient(&g);
    }
    if (status == PLX_OK) report(c, &f);
    *done = true;
    return status;
}

int plx__accuracy_gradients(plx_bench *bench, int group) {
    int count;
    const plx_op *const *ops = plx__ops(&count);
    for (int i = 0; i < count; ++i) {
        if (ops[i]->flags & (PLX__OP_LEAF | PLX__OP_EFFECT | PLX__OP_BUFFER | PLX__OP_NO_GRADIENT))
            continue;
        plx_case *c = plx__bench_add(bench, group++, "gradient of %s", ops[i]->name);
        if (!c) continue;
        c->variant = i;
        plx__case_once(bench, c, 2e8);
        c->slice = slice_gradient;
        plx__case_text(c, "op", ops[i]->name);
        plx__case_text(c, "numeric", "differences of the same plan, single precision");
    }
    return group;
}
