/* Suite mlp: predictions and training steps of three MLPs at fixed batch sizes. */
#include "bench/network.h"

#include "base/platform.h"

#include <math.h>
#include <string.h>

static const struct work {
    const char *model;
    int64_t batch;
    bool training;
    plx_loss loss;
} works[] = {
    {"784-200-10", 1, false, PLX_LOSS_CROSS_ENTROPY},
    {"784-200-10", 64, false, PLX_LOSS_CROSS_ENTROPY},
    {"512-1024-1024-512-10", 1, false, PLX_LOSS_CROSS_ENTROPY},
    {"512-1024-1024-512-10", 8, false, PLX_LOSS_CROSS_ENTROPY},
    {"512-1024-1024-512-10", 32, false, PLX_LOSS_CROSS_ENTROPY},
    {"512-1024-1024-512-10", 128, false, PLX_LOSS_CROSS_ENTROPY},
    {"784-200-10", 64, true, PLX_LOSS_CROSS_ENTROPY},
    {"5-64-64-64-64-1", 1000, true, PLX_LOSS_MSE},
    {"512-1024-1024-512-10", 32, true, PLX_LOSS_CROSS_ENTROPY},
};
enum { WORKS = sizeof works / sizeof *works };

static plx_status open_network(plx_bench *bench, const struct work *work, plx_network *network) {
    char model[64] = "mlp:";
    strncat(model, work->model, sizeof model - 5);
    const plx_network_options options = {
        .model = model,
        .batch = work->batch,
        .training = work->training,
        .loss = work->loss,
        .seed = plx__bench_options(bench)->seed,
        .plan = plx_plan_default(),
    };
    return plx_network_open(plx__bench_ctx(bench), &options, network);
}

static plx_status open_work(plx_bench *bench, plx_case *c) {
    plx_network *network = plx_platform_alloc(sizeof *network);
    if (!network) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    memset(network, 0, sizeof *network);
    c->state = network;
    const plx_status status = open_network(bench, &works[c->variant], network);
    if (status != PLX_OK) return status;
    c->flops = plx_plan_flops(network->plan);
    c->memory = plx_plan_memory(network->plan);
    c->has_memory = true;
    return PLX_OK;
}

static void close_work(plx_case *c) {
    if (c->state) plx_network_free(c->state);
    plx_platform_free(c->state);
    c->state = NULL;
}

static plx_status run_work(plx_bench *bench, plx_case *c, int64_t iterations) {
    (void)bench;
    return plx_network_run(c->state, iterations);
}

static plx_status check_prediction(plx_bench *bench, plx_case *c) {
    (void)bench;
    c->checks.error = plx_network_error(c->state);
    c->checks.tolerance = 1;
    if (!(c->checks.error <= 1))
        plx__case_void(c, "an output errs by %.3g times the bound", c->checks.error);
    return PLX_OK;
}

/* The losses of the first steps from new weights: the same bits on every exact engine. */
static plx_status check_training(plx_bench *bench, plx_case *c) {
    enum { STEPS = 10 };
    plx_real losses[STEPS];
    plx_network fresh;
    plx_status status = open_network(bench, &works[c->variant], &fresh);
    for (int i = 0; i < STEPS && status == PLX_OK; ++i) {
        status = plx_network_run(&fresh, 1);
        losses[i] = plx_network_result(&fresh)[0];
    }
    plx_network_free(&fresh);
    if (status != PLX_OK) return status;
    plx__case_losses(c, losses, STEPS);
    if (!(losses[STEPS - 1] < losses[0]))
        plx__case_void(c, "the loss went from %g to %g in %d steps", (double)losses[0],
                       (double)losses[STEPS - 1], STEPS);
    return PLX_OK;
}

/* For the layers of "784-200-10". */
static double weights_of(const char *model) {
    double weights = 0, before = 0;
    for (const char *at = model; *at;) {
        double width = 0;
        for (; *at && *at != '-'; ++at) width = 10 * width + (*at - '0');
        at += *at == '-';
        weights += before * width;
        before = width;
    }
    return weights;
}

static plx_status plan(plx_bench *bench) {
    for (int i = 0; i < WORKS; ++i) {
        const struct work *work = &works[i];
        plx_case *c = plx__bench_add(bench, work->training, "%s %s, batch %lld",
                                     work->training ? "train" : "predict", work->model,
                                     (long long)work->batch);
        if (!c) continue;
        c->variant = i;
        c->flops = 1; /* known when opened */
        const double weights = weights_of(work->model);
        plx__case_expect(bench, c, (work->training ? 6 : 2) * weights * (double)work->batch,
                         weights, 0);
        c->open = open_work;
        c->run = run_work;
        c->check = work->training ? check_training : check_prediction;
        c->close = close_work;
        plx__case_text(c, "model", work->model);
        plx__case_number(c, "batch", (double)work->batch);
        if (work->training) plx__case_text(c, "optimizer", "adam");
        plx__case_metric(c, work->training ? "step time" : "prediction time", "us", "lower", true,
                         PLX_METRIC_TIME, 1e-3);
        plx__case_metric(c, "throughput", "samples/s", "higher", false, PLX_METRIC_RATE,
                         1e9 * (double)work->batch);
    }
    return PLX_OK;
}

const plx_suite plx__suite_mlp = {
    .name = "mlp",
    .description = "Predictions and training steps of three MLPs",
    .plan = plan,
};
