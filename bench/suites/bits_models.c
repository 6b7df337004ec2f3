/* The bits of the losses of every learning task. Batches are small, so that the suite takes seconds
 * even on one core with 128-bit vectors; otherwise the recipe is the task's. */
#include "bench/suites/bits_models.h"

#include "bench/tasks.h"

#include "base/platform.h"

enum { STEPS = 50, BATCH = 2 };

typedef struct lesson {
    plx_learning_options options;
    plx_learning *learning;
    int64_t ns;
} lesson;

static plx_status open_lesson(plx_bench *bench, plx_case *c) {
    lesson *l = c->state = plx_platform_alloc(sizeof *l);
    if (!l) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    *l = (lesson){.options = {.size = PLX_LEARNING_QUICK,
                              .seed = plx__bench_options(bench)->seed,
                              .steps = STEPS,
                              .batch = BATCH}};
    return plx_learning_named(plx__bench_ctx(bench), plx_learning_task(c->variant), &l->options,
                              &l->learning);
}

static plx_status slice(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    lesson *l = c->state;
    plx_trainer *trainer = plx_learning_trainer(l->learning);
    const int64_t start = plx_platform_now_ns();
    plx_progress progress;
    do {
        const plx_status status = plx_trainer_run(trainer, 1, &progress);
        if (status != PLX_OK) return status;
    } while (!progress.done && plx_platform_now_ns() - start < slice_ns);
    l->ns += plx_platform_now_ns() - start;
    if (!progress.done) return PLX_OK;
    int64_t count;
    const plx_real *losses = plx_trainer_losses(trainer, &count);
    plx__case_losses(c, losses, count);
    c->data_source = plx_learning_about(l->learning).source;
    plx__case_timed(bench, c, l->ns, 1);
    *done = true;
    return PLX_OK;
}

static void close_lesson(plx_case *c) {
    lesson *l = c->state;
    if (!l) return;
    plx_learning_free(l->learning);
    plx_platform_free(l);
    c->state = NULL;
}

void plx__bits_models(plx_bench *bench, int group) {
    for (int i = 0; plx_learning_task(i); ++i) {
        if (plx_learning_task_apart(i)) continue;
        plx_case *c = plx__bench_add(bench, group + i, "%s, %d steps", plx_learning_task(i), STEPS);
        if (!c) continue;
        c->variant = i;
        c->open = open_lesson;
        c->slice = slice;
        c->close = close_lesson;
        plx__case_once(bench, c, 3e10);
        plx__case_text(c, "task", plx_learning_task(i));
        plx__case_number(c, "batch", BATCH);
        plx__case_metric(c, "training time", "ms", "lower", false, PLX_METRIC_TIME, 1e-6);
    }
}
