/* Suite bits: training runs and operations whose losses and results are the same to the last bit on
 * every exact engine. */
#include "bench/datasets.h"
#include "bench/suites/bits_models.h"
#include "bench/suites/bits_operations.h"
#include "bench/training_run.h"

#include "base/platform.h"

#include <string.h>

enum { INTERP5D, DIGITS, OPERATIONS, MODELS, ROWS = 1000, EPOCHS = 50, STEPS = 200 };

typedef struct bits {
    plx_training_run run;
    plx_regression regression;
    plx_digits digits;
} bits;

static plx_status load_interp5d(plx_bench *bench, bits *b) {
    const uint64_t seed = plx__bench_options(bench)->seed;
    double *table = plx_platform_alloc(ROWS * 6 * sizeof *table);
    if (!table) return plx__bench_fail(bench, PLX_ERR_MEMORY, "bits: no memory");
    plx_interp5d_table(ROWS, seed, table);
    const plx_status status =
        plx_regression_new(plx__bench_ctx(bench), table, ROWS, 5, seed, &b->regression);
    plx_platform_free(table);
    return status;
}

static plx_status begin(plx_bench *bench, plx_case *c) {
    bits *b = c->state;
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_ADAM);
    options.seed = plx__bench_options(bench)->seed;
    options.shuffle = true;
    if (c->variant == INTERP5D) {
        const plx_dataset data = {
            .n = b->regression.train,
            .inputs = {b->regression.x_train},
            .targets = {b->regression.y_train},
        };
        options.loss = PLX_LOSS_MSE;
        options.batch = 256;
        options.epochs = EPOCHS;
        return plx_training_run_begin(bench, &b->run, "mlp:5-64-64-64-64-1", &options, &data, 0);
    }
    const plx_dataset data = {
        .n = b->digits.train,
        .inputs = {b->digits.x_train},
        .targets = {b->digits.labels_train},
    };
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.batch = 64;
    options.epochs = STEPS; /* the run ends by its steps */
    return plx_training_run_begin(bench, &b->run, "mlp:784-200-10", &options, &data, STEPS);
}

static plx_status open_bits(plx_bench *bench, plx_case *c) {
    bits *b = c->state = plx_platform_alloc(sizeof *b);
    if (!b) return plx__bench_fail(bench, PLX_ERR_MEMORY, "bits: no memory");
    memset(b, 0, sizeof *b);
    const plx_bench_options *options = plx__bench_options(bench);
    if (c->variant == INTERP5D) return load_interp5d(bench, b);
    return plx_digits_new(plx__bench_ctx(bench), options->digits, options->seed, &b->digits);
}

static plx_status slice(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    bits *b = c->state;
    if (!b->run.trainer) {
        const plx_status status = begin(bench, c);
        if (status != PLX_OK) return status;
    }
    const plx_status status = plx_training_run_slice(&b->run, slice_ns, done);
    if (status != PLX_OK || !*done) return status;
    plx_training_run_record(&b->run, c);
    plx__case_timed(bench, c, b->run.ns, 1);
    plx_training_run_end(&b->run);
    return PLX_OK;
}

static void close_bits(plx_case *c) {
    bits *b = c->state;
    if (!b) return;
    plx_training_run_end(&b->run);
    plx_regression_free(&b->regression);
    plx_digits_free(&b->digits);
    plx_platform_free(b);
    c->state = NULL;
}

static void add(plx_bench *bench, int variant, const char *name, const char *model) {
    plx_case *c = plx__bench_add(bench, variant, "%s", name);
    if (!c) return;
    c->variant = variant;
    c->open = open_bits;
    c->slice = slice;
    c->close = close_bits;
    c->repeats = 2;
    c->visits = 1;
    plx__case_expect(bench, c, 2e10, 0, 0);
    plx__case_text(c, "model", model);
    const plx_learning_digits *digits = plx__bench_options(bench)->digits;
    if (variant == DIGITS) {
        c->real = digits != NULL;
        c->data_source = digits ? digits->source : "uniform noise with random labels";
        c->data_sha256 = digits ? digits->sha256 : NULL;
    }
    plx__case_metric(c, "training time", "ms", "lower", false, PLX_METRIC_TIME, 1e-6);
}

static plx_status plan(plx_bench *bench) {
    add(bench, INTERP5D, "interp5d, 1000 rows, 50 epochs", "5-64-64-64-64-1");
    add(bench, DIGITS, "mnist, 200 steps", "784-200-10");
    plx__bits_operations(bench, OPERATIONS);
    plx__bits_models(bench, MODELS);
    return PLX_OK;
}

const plx_suite plx__suite_bits = {
    .name = "bits",
    .description = "Training runs and operations that have the same bits on every exact engine",
    .plan = plan,
};
