/* Suite interp5d: fitting a function of five variables, for growing numbers of samples. */
#include "bench/datasets.h"
#include "bench/training_run.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/statistics.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 50, MANY = 10000, PARAMETERS = 12929 };
static const char network[] = "mlp:5-64-64-64-64-1";

enum { TRAINING, THROUGHPUT, MEMORY, RMSE, R2, PREDICT_ONE, PREDICT_MANY, PREDICTION_MEMORY };

typedef struct fit {
    plx_training_run run;
    plx_regression data;
    plx_real *points, *predictions; /* [MANY, 5], [MANY] */
    int64_t ns;                     /* of trainings of this sample before the current one */
    int trainings;
} fit;

static void close_fit(plx_case *c) {
    fit *f = c->state;
    if (!f) return;
    plx_training_run_end(&f->run);
    plx_regression_free(&f->data);
    plx_platform_free(f->points);
    plx_platform_free(f->predictions);
    plx_platform_free(f);
    c->state = NULL;
}

static plx_status open_fit(plx_bench *bench, plx_case *c) {
    const uint64_t seed = plx__bench_options(bench)->seed;
    fit *f = c->state = plx_platform_alloc(sizeof *f);
    if (!f) return plx__bench_fail(bench, PLX_ERR_MEMORY, "interp5d: no memory");
    memset(f, 0, sizeof *f);
    double *table = plx_platform_alloc((size_t)c->size * 6 * sizeof *table);
    f->points = plx_platform_alloc(MANY * 5 * sizeof *f->points);
    f->predictions = plx_platform_alloc(MANY * sizeof *f->predictions);
    plx_status status = PLX_OK;
    if (!table || !f->points || !f->predictions)
        status = plx__bench_fail(bench, PLX_ERR_MEMORY, "interp5d: no memory for %lld rows",
                                 (long long)c->size);
    if (status == PLX_OK) {
        plx_interp5d_table(c->size, seed, table);
        plx__fill_normal(seed, 940, (int64_t)MANY * 5, f->points);
        status = plx_regression_new(plx__bench_ctx(bench), table, c->size, 5, seed, &f->data);
    }
    plx_platform_free(table);
    return status;
}

static plx_status begin(plx_bench *bench, plx_case *c) {
    fit *f = c->state;
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_ADAM);
    options.seed = plx__bench_options(bench)->seed;
    options.shuffle = c->variant != 0;
    options.loss = PLX_LOSS_MSE;
    options.epochs = EPOCHS;
    options.batch = c->variant && c->variant < f->data.train ? c->variant : f->data.train;
    const plx_dataset data = {
        .n = f->data.train, .inputs = {f->data.x_train}, .targets = {f->data.y_train}};
    return plx_training_run_begin(bench, &f->run, network, &options, &data, 0);
}

typedef struct prediction {
    fit *f;
    plx_dataset points;
} prediction;

static plx_status run_prediction(void *arg, int64_t times) {
    prediction *p = arg;
    for (int64_t i = 0; i < times; ++i)
        PLX_TRY(plx_model_predict(p->f->run.model, &p->points, 0, &p->f->predictions));
    return PLX_OK;
}

/* Microseconds to predict n points. */
static plx_status time_prediction(plx_bench *bench, fit *f, int64_t n, double *us) {
    prediction p = {.f = f, .points = {.n = n, .inputs = {f->points}}};
    int64_t times = 0;
    double ns;
    PLX_TRY(plx__bench_time(bench, run_prediction, &p, &times, &ns));
    *us = ns / 1000;
    return PLX_OK;
}

static plx_status record(plx_bench *bench, plx_case *c) {
    fit *f = c->state;
    const plx_dataset held = {
        .n = f->data.test, .inputs = {f->data.x_test}, .targets = {f->data.y_test}};
    plx_metrics metrics;
    double one, many;
    plx_training_run_record(&f->run, c);
    plx__case_timed(bench, c, f->ns + f->run.ns, f->trainings + 1);
    plx_status status = plx_model_evaluate(f->run.model, 0, PLX_LOSS_MSE, &held, &metrics, NULL);
    if (status == PLX_OK) status = time_prediction(bench, f, 1, &one);
    if (status == PLX_OK) status = time_prediction(bench, f, MANY, &many);
    if (status != PLX_OK) return status;
    const plx_memory *m = &c->memory;
    const plx_memory predicting = plx_model_predict_memory(f->run.model);
    plx__case_record(c, MEMORY,
                     (double)(m->parameters + m->gradients + m->optimizer + m->activations +
                              m->workspace + m->inputs));
    plx__case_record(c, RMSE, metrics.rmse * f->data.target_scale);
    plx__case_record(c, R2, metrics.r2);
    plx__case_record(c, PREDICT_ONE, one);
    plx__case_record(c, PREDICT_MANY, many / 1000);
    plx__case_record(c, PREDICTION_MEMORY,
                     (double)(predicting.parameters + predicting.activations +
                              predicting.workspace + predicting.inputs));
    return PLX_OK;
}

static plx_status slice(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    fit *f = c->state;
    plx_status status = PLX_OK;
    if (!f->run.trainer) status = begin(bench, c);
    if (status == PLX_OK) status = plx_training_run_slice(&f->run, slice_ns, done);
    if (status != PLX_OK || !*done) return status;
    /* Repeated as often as the clock needs. */
    *done = f->ns + f->run.ns >= plx__bench_sample_ns(bench) / 2;
    if (*done) {
        status = record(bench, c);
        f->ns = f->trainings = 0;
    } else {
        f->ns += f->run.ns;
        f->trainings += 1;
    }
    plx_training_run_end(&f->run);
    return status;
}

static void add(plx_bench *bench, int group, int64_t rows, int batch) {
    plx_case *c = batch
                      ? plx__bench_add(bench, group, "%lld rows, batch %d", (long long)rows, batch)
                      : plx__bench_add(bench, group, "%lld rows, full batch", (long long)rows);
    if (!c) return;
    c->size = rows;
    c->variant = batch;
    c->open = open_fit;
    c->slice = slice;
    c->close = close_fit;
    c->repeats = 1;
    /* These take minutes each. */
    c->visits = rows > MANY ? 2 : 0;
    plx__case_expect(bench, c, 6.0 * PARAMETERS * EPOCHS * 0.8 * (double)rows,
                     5.0 * MANY + 6.0 * (double)rows, 0);
    c->flops = 1; /* known when trained */
    plx__case_number(c, "rows", (double)rows);
    if (batch)
        plx__case_number(c, "batch", batch);
    else
        plx__case_text(c, "batch", "full");
    plx__case_number(c, "epochs", EPOCHS);
    const int64_t trained = EPOCHS * (rows - rows / 5);
    plx__case_metric(c, "training time", "s", "lower", true, PLX_METRIC_TIME, 1e-9);
    plx__case_metric(c, "throughput", "samples/s", "higher", false, PLX_METRIC_RATE,
                     1e9 * (double)trained);
    plx__case_metric(c, "training memory", "bytes", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_metric(c, "held-out RMSE", "target units", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_metric(c, "held-out R2", "1", "higher", false, PLX_METRIC_OWN, 1);
    plx__case_metric(c, "prediction of 1 point", "us", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_metric(c, "prediction of 10000 points", "ms", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_metric(c, "prediction memory", "bytes", "lower", false, PLX_METRIC_OWN, 1);
}

static const int64_t sizes[] = {500, 1000, 2000, 5000, 10000, 100000, 1000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static plx_status plan(plx_bench *bench) {
    static const int counts[] = {3, 5, SIZES};
    for (int i = 0; i < counts[plx__bench_options(bench)->size]; ++i) {
        add(bench, i, sizes[i], 256);
        add(bench, i, sizes[i], 0);
    }
    return PLX_OK;
}

/* The exponent of training time against the number of rows. */
static plx_status finish(plx_bench *bench) {
    static const char *const batches[] = {"batch 256", "full batch"};
    for (int b = 0; b < 2; ++b) {
        double x[SIZES], y[SIZES];
        int count = 0;
        for (int i = 0; i < SIZES; ++i) {
            char name[64];
            plx__format(name, sizeof name, "%lld rows, %s", (long long)sizes[i], batches[b]);
            const plx_case *c = plx__bench_find(bench, name);
            if (!c) continue;
            x[count] = (double)sizes[i];
            y[count++] = plx__case_median_ns(c);
        }
        if (count < 3) continue;
        const plx_slope slope = plx__exponent(count, x, y);
        plx_case *c = plx__bench_add(bench, SIZES, "growth with rows, %s", batches[b]);
        if (c) plx__case_derived(c, "exponent", "1", slope.value, slope.low, slope.high);
    }
    return PLX_OK;
}

const plx_suite plx__suite_interp5d = {
    .name = "interp5d",
    .description = "Fitting a function of five variables, for growing numbers of samples",
    .plan = plan,
    .finish = finish,
};
