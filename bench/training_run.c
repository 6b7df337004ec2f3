#include "bench/training_run.h"

#include "base/platform.h"

#include <string.h>

plx_status plx_training_run_begin(plx_bench *bench, plx_training_run *run, const char *model,
                                  const plx_trainer_options *options, const plx_dataset *data,
                                  int64_t steps) {
    plx_training_run_end(run);
    const int64_t per_epoch = (data->n + options->batch - 1) / options->batch;
    run->steps = steps ? steps : per_epoch * options->epochs;
    const plx_status status = plx_model_from_name(plx__bench_ctx(bench), model,
                                                  plx__bench_options(bench)->seed, &run->model);
    if (status != PLX_OK) return status;
    return plx_trainer_new(run->model, options, data, &run->trainer);
}

plx_status plx_training_run_slice(plx_training_run *run, int64_t slice_ns, bool *done) {
    const int64_t start = plx_platform_now_ns();
    plx_progress progress;
    int64_t spent = 0;
    /* The clock is read every few steps: it is not free, least of all in browsers. */
    int64_t few = 1;
    do {
        const int64_t left = run->steps - run->step;
        const plx_status status = plx_trainer_run(run->trainer, few < left ? few : left, &progress);
        if (status != PLX_OK) return status;
        run->step = progress.step;
        spent = plx_platform_now_ns() - start;
        if (spent < slice_ns / 16) few *= 2;
    } while (run->step < run->steps && spent < slice_ns);
    run->ns += spent;
    *done = run->step >= run->steps;
    return PLX_OK;
}

void plx_training_run_record(plx_training_run *run, plx_case *c) {
    int64_t count;
    const plx_real *losses = plx_trainer_losses(run->trainer, &count);
    char before[sizeof c->checks.loss_bits];
    memcpy(before, c->checks.loss_bits, sizeof before);
    plx__case_losses(c, losses, count);
    if (before[0] && strcmp(before, c->checks.loss_bits) != 0)
        plx__case_void(c, "the same run gave the losses %s, then %s", before, c->checks.loss_bits);
    c->memory = plx_trainer_memory(run->trainer);
    c->has_memory = true;
    c->flops = plx_plan_flops(plx_trainer_plan(run->trainer)) * (double)run->steps;
}

void plx_training_run_end(plx_training_run *run) {
    plx_trainer_free(run->trainer);
    plx_model_free(run->model);
    *run = (plx_training_run){0};
}
