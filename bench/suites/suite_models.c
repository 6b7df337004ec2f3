/* Suite models: every learning task trained, with its curve and what it reached; and predictions
 * and training steps of models by name on random data, those of small models also without the
 * passes that fuse operations. */
#include "bench/network.h"
#include "bench/tasks.h"

#include "base/context.h"
#include "base/platform.h"

#include <math.h>
#include <string.h>

/* ---- Training a task ------------------------------------------------------------------------- */

/* The first step warms up and is in no sample. The first visit trains as long as the size says and
 * measures what was learnt; the others train a few steps at the same speed. */
enum { QUICK_STEPS = 5, SEGMENTS = 10, WARM_UP = 1, LATER_SEGMENTS = 2 };

typedef struct course {
    plx_learning_options options;
    plx_learning *learning;
    plx_progress at;
    int64_t segment_ns, segment_from; /* of the current sample */
} course;

static bool is_quick(plx_bench *bench) {
    return plx__bench_options(bench)->size == PLX_BENCH_QUICK;
}

/* Only a full run trains as long as the command does. */
static plx_learning_size task_size(plx_bench *bench) {
    const bool full = plx__bench_options(bench)->size == PLX_BENCH_FULL;
    return full ? PLX_LEARNING_DEFAULT : PLX_LEARNING_QUICK;
}

/* Whether this visit trains to the end. */
static bool is_whole(plx_bench *bench, const plx_case *c) {
    return c->round == 0 && !is_quick(bench);
}

static void describe(plx_case *c, const course *l) {
    const plx_trainer_options recipe = plx_learning_recipe(l->learning);
    const plx_learning_data about = plx_learning_about(l->learning);
    plx__format(c->shape, sizeof c->shape, "%s", plx_learning_model_name(l->learning));
    plx__case_text(c, "model", c->shape);
    plx__case_number(c, "batch", (double)recipe.batch);
    plx__case_text(c, "optimizer", plx_optimizer_name(recipe.optimizer.kind));
    plx__case_number(c, "steps", (double)l->at.steps);
    if (about.tokens) plx__case_number(c, "tokens", (double)about.tokens);
    c->real = about.real;
    c->data_source = about.source;
}

static double accumulated(const course *l) {
    const int64_t times = plx_learning_recipe(l->learning).accumulate;
    return times > 1 ? (double)times : 1;
}

static void add_metrics(plx_case *c, const course *l) {
    const plx_trainer_options recipe = plx_learning_recipe(l->learning);
    const double samples = (double)recipe.batch * accumulated(l);
    const int64_t tokens = plx_learning_about(l->learning).tokens;
    plx__case_metric(c, "throughput", "samples/s", "higher", true, PLX_METRIC_RATE, 1e9 * samples);
    if (tokens)
        plx__case_metric(c, "tokens", "tokens/s", "higher", false, PLX_METRIC_RATE,
                         1e9 * samples * (double)tokens);
    plx__case_metric(c, "step time", "ms", "lower", false, PLX_METRIC_TIME, 1e-6);
    plx__case_metric(c, "arithmetic", "GFLOP/s", "higher", false, PLX_METRIC_RATE, c->flops);
}

static plx_status open_course(plx_bench *bench, plx_case *c) {
    const plx_bench_options *options = plx__bench_options(bench);
    course *l = c->state = plx_platform_alloc(sizeof *l);
    if (!l) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    *l = (course){.options = {.size = task_size(bench),
                              .seed = options->seed,
                              .steps = is_whole(bench, c) ? 0 : QUICK_STEPS}};
    plx_status status = plx_learning_named(plx__bench_ctx(bench), plx_learning_task(c->variant),
                                           &l->options, &l->learning);
    if (status != PLX_OK) return status;
    plx_trainer *trainer = plx_learning_trainer(l->learning);
    status = plx_trainer_run(trainer, WARM_UP, &l->at);
    l->segment_from = l->at.step;
    c->flops = plx_plan_flops(plx_trainer_plan(trainer)) * accumulated(l);
    c->repeats = LATER_SEGMENTS;
    if (c->round > 0) return status;
    c->repeats = is_quick(bench) ? QUICK_STEPS - WARM_UP : SEGMENTS;
    describe(c, l);
    add_metrics(c, l);
    return status;
}

/* The step at which a sample is complete. */
static int64_t segment_end(const course *l, const plx_case *c) {
    const int segments = c->round > 0 ? QUICK_STEPS - WARM_UP : c->repeats;
    return WARM_UP + (l->at.steps - WARM_UP) * (c->visit_count + 1) / segments;
}

/* The last batch of an epoch may be smaller: times are scaled to the samples of a whole step. */
static void record_segment(const plx_bench *bench, plx_case *c, course *l) {
    const plx_trainer_options recipe = plx_learning_recipe(l->learning);
    const double samples = (double)(plx_learning_samples(l->learning, l->at.step) -
                                    plx_learning_samples(l->learning, l->segment_from));
    const double steps = samples / ((double)recipe.batch * accumulated(l));
    plx__case_timed(bench, c, l->segment_ns, steps);
    l->segment_ns = 0;
    l->segment_from = l->at.step;
    /* Training may end early. */
    if (l->at.done) c->repeats = c->visit_count + 1;
}

static plx_status train_slice(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    course *l = c->state;
    const int64_t end = segment_end(l, c), start = plx_platform_now_ns();
    int64_t spent = 0, few = 1;
    do {
        const int64_t left = end - l->at.step;
        const plx_status status =
            plx_trainer_run(plx_learning_trainer(l->learning), few < left ? few : left, &l->at);
        if (status != PLX_OK) return status;
        spent = plx_platform_now_ns() - start;
        if (spent < slice_ns / 16) few *= 2;
    } while (l->at.step < end && !l->at.done && spent < slice_ns);
    l->segment_ns += spent;
    *done = l->at.step >= end || l->at.done;
    if (*done) record_segment(bench, c, l);
    return PLX_OK;
}

static void record_memory(plx_case *c, const course *l) {
    c->memory = plx_trainer_memory(plx_learning_trainer(l->learning));
    c->has_memory = true;
    const plx_memory *m = &c->memory;
    const int metric =
        plx__case_metric(c, "training memory", "bytes", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_record(c, metric,
                     (double)(m->parameters + m->gradients + m->optimizer + m->activations +
                              m->workspace + m->inputs + m->kept));
}

/* The losses, thinned to what a series holds, including the first and the last. */
static void record_curve(plx_case *c, int64_t count, const plx_real *losses) {
    double steps[PLX_BENCH_SAMPLES], values[PLX_BENCH_SAMPLES];
    const int64_t points = count < PLX_BENCH_SAMPLES ? count : PLX_BENCH_SAMPLES;
    for (int64_t i = 0; i < points; ++i) {
        const int64_t at = points > 1 ? i * (count - 1) / (points - 1) : 0;
        steps[i] = (double)at + 1;
        values[i] = (double)losses[at];
    }
    const int metric =
        plx__case_metric(c, "last training loss", "1", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_record(c, metric, values[points - 1]);
    plx__case_series(c, metric, "curve.step", (int)points, steps);
    plx__case_series(c, metric, "curve.loss", (int)points, values);
}

static plx_status record_quality(plx_case *c, course *l) {
    const plx_status status = plx_learning_evaluate(l->learning);
    for (int i = 0; status == PLX_OK && i < plx_learning_measures(l->learning); ++i) {
        const plx_learning_measure m = plx_learning_measure_at(l->learning, i);
        if (!isfinite(m.value) || c->metric_count == PLX_BENCH_METRICS) continue;
        const int metric = plx__case_metric(c, m.name, m.unit, m.better, false, PLX_METRIC_OWN, 1);
        plx__case_record(c, metric, m.value);
        const bool lower = !strcmp(m.better, "lower");
        if (isfinite(m.goal) && l->at.done && (lower ? m.value > m.goal : m.value < m.goal))
            plx__case_void(c, "%s is %.4g; the goal is %.4g", m.name, m.value, m.goal);
    }
    return status;
}

static plx_status finish_course(plx_bench *bench, plx_case *c) {
    course *l = c->state;
    int64_t count;
    const plx_real *losses = plx_trainer_losses(plx_learning_trainer(l->learning), &count);
    plx__case_losses(c, losses, count);
    record_memory(c, l);
    record_curve(c, count, losses);
    return is_quick(bench) ? PLX_OK : record_quality(c, l);
}

static void close_course(plx_case *c) {
    course *l = c->state;
    if (!l) return;
    plx_learning_free(l->learning);
    plx_platform_free(l);
    c->state = NULL;
}

static void add_courses(plx_bench *bench, int *group) {
    for (int i = 0; plx_learning_task(i); ++i) {
        if (plx_learning_task_apart(i)) continue;
        plx_case *c = plx__bench_add(bench, (*group)++, "train %s", plx_learning_task(i));
        if (!c) continue;
        c->variant = i;
        c->open = open_course;
        c->slice = train_slice;
        c->check = finish_course;
        c->close = close_course;
        c->repeats = LATER_SEGMENTS; /* the first visit has more, known once it is opened */
        plx__case_expect(bench, c, 6e9, 4e6, 0);
        if (!is_quick(bench))
            plx__case_expect_first(bench, c, plx_learning_task_work(i, task_size(bench)));
        c->flops = 1; /* known when opened */
        plx__case_text(c, "task", plx_learning_task(i));
    }
}

/* ---- Models by name, on random data ---------------------------------------------------------- */

/* unfused: the same step without the passes that fuse operations; opened for small models only. */
typedef struct trial {
    plx_network network, unfused;
} trial;

enum { UNFUSED_TIME = 2, FUSED_SHARE }; /* metrics */

static bool is_nano(const char *name) {
    const size_t length = strlen(name);
    return length > 5 && !strcmp(name + length - 5, "-nano");
}

/* Both plans have the same weights, but each has an optimizer of its own. */
static plx_status open_unfused(plx_bench *bench, plx_network_options options, trial *t) {
    options.plan.passes &=
        ~(PLX_PASS_FUSE | PLX_PASS_KEEP_SLOPES | PLX_PASS_KEEP_SUMS | PLX_PASS_CHAIN);
    options.like = &t->network;
    return plx_network_open(plx__bench_ctx(bench), &options, &t->unfused);
}

static plx_status open_trial(plx_bench *bench, plx_case *c) {
    trial *t = c->state = plx_platform_alloc(sizeof *t);
    if (!t) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    memset(t, 0, sizeof *t);
    const plx_network_options options = {
        .model = c->shape,
        .batch = c->size,
        .training = c->variant,
        .loss = PLX_LOSS_CROSS_ENTROPY,
        .seed = plx__bench_options(bench)->seed,
        .plan = plx_plan_default(),
    };
    PLX_TRY(plx_network_open(plx__bench_ctx(bench), &options, &t->network));
    c->flops = plx_plan_flops(t->network.plan);
    c->memory = plx_plan_memory(t->network.plan);
    c->has_memory = true;
    return c->beside ? open_unfused(bench, options, t) : PLX_OK;
}

static plx_status run_trial(plx_bench *bench, plx_case *c, int64_t iterations) {
    (void)bench;
    return plx_network_run(&((trial *)c->state)->network, iterations);
}

static plx_status run_unfused(void *arg, int64_t times) {
    return plx_network_run(&((trial *)arg)->unfused, times);
}

/* Times the unfused step right after the other. */
static plx_status time_unfused(plx_bench *bench, plx_case *c) {
    int64_t times = c->iterations;
    double ns;
    if (c->visit_count == 1) PLX_TRY(run_unfused(c->state, times / 4 + 1));
    PLX_TRY(plx__bench_time(bench, run_unfused, c->state, &times, &ns));
    plx__case_record(c, UNFUSED_TIME, ns * 1e-6);
    if (c->times.count) plx__case_record(c, FUSED_SHARE, c->times.values[c->times.count - 1] / ns);
    return PLX_OK;
}

static void close_trial(plx_case *c) {
    trial *t = c->state;
    if (!t) return;
    plx_network_free(&t->unfused);
    plx_network_free(&t->network);
    plx_platform_free(t);
    c->state = NULL;
}

/* The results must be finite numbers. */
static plx_status check_trial(plx_bench *bench, plx_case *c) {
    const plx_network *n = &((trial *)c->state)->network;
    const plx_real *values = plx_network_result(n);
    const int64_t size = c->variant ? 1 : n->batch * n->out;
    (void)bench;
    for (int64_t i = 0; i < size; ++i)
        if (!isfinite((double)values[i])) {
            plx__case_void(c, "value %lld of its result is %g", (long long)i, (double)values[i]);
            break;
        }
    return PLX_OK;
}

static void add_trial(plx_bench *bench, int group, const char *model, bool training,
                      int64_t batch) {
    plx_case *c = plx__bench_add(bench, group, "%s %s, batch %lld", training ? "step" : "predict",
                                 model, (long long)batch);
    if (!c) return;
    plx__format(c->shape, sizeof c->shape, "%s", model);
    c->variant = training;
    c->size = batch;
    c->flops = 1; /* known when opened */
    c->open = open_trial;
    c->run = run_trial;
    c->check = check_trial;
    c->close = close_trial;
    c->data_source = "random values";
    plx__case_text(c, "model", c->shape);
    plx__case_number(c, "batch", (double)batch);
    if (training) plx__case_text(c, "optimizer", "adam");
    plx__case_metric(c, "throughput", "samples/s", "higher", true, PLX_METRIC_RATE,
                     1e9 * (double)batch);
    plx__case_metric(c, training ? "step time" : "prediction time", "ms", "lower", false,
                     PLX_METRIC_TIME, 1e-6);
    if (!training || !is_nano(model)) return;
    c->beside = time_unfused;
    c->share = 2;
    plx__case_metric(c, "step time without fusion", "ms", "lower", false, PLX_METRIC_OWN, 1);
    plx__case_metric(c, "fused / unfused", "1", "lower", false, PLX_METRIC_OWN, 1);
}

/* Models predict and train; large ones run at full size only, and a quick run trains one. */
static void add_trials(plx_bench *bench, int group) {
    char name[64];
    for (int i = 0; plx_model_name(i, name, sizeof name); ++i, ++group) {
        const bool nano = is_nano(name);
        if (!nano && plx__bench_options(bench)->size != PLX_BENCH_FULL) continue;
        add_trial(bench, group, name, false, 1);
        if (nano && !is_quick(bench)) add_trial(bench, group, name, false, 32);
        if (!is_quick(bench) || !i) add_trial(bench, group, name, true, 4);
    }
}

static plx_status plan(plx_bench *bench) {
    int group = 0;
    add_courses(bench, &group);
    add_trials(bench, group);
    return PLX_OK;
}

const plx_suite plx__suite_models = {
    .name = "models",
    .description = "Every learning task trained (quick: speed of a few steps), models predicting, "
                   "and training with and without fusion",
    .plan = plan,
};
