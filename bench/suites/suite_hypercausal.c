/* Suite hypercausal: chains and graphs of nodes that project futures; times per epoch and forward
 * pass, and the quality of predictions, against channels, futures, times and depth. */
#include "bench/causal_graphs.h"
#include "bench/harness.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/statistics.h"

#include <math.h>
#include <string.h>

enum {
    SEEDS = 3,
    EPOCHS = 100, /* epochs trained, from new weights */
};

enum {
    EPOCH_TIME,
    FORWARD_TIME,
    MEMORY,
    LOSS_BEFORE,
    LOSS_AFTER,
    RMSE,
    RMSE_AFTER,
    OVERSHOOT,
    ROBUSTNESS,
    SETTLING,
    MAPE,
    MASE,
    DIRECTION,
};

/* Where the cases of this size begin to take long: training and checks then cover less. */
static const double long_work = 5e6;

typedef struct configuration {
    plx_causal_spec spec;
    plx_causal_model model;
    plx_real *x[SEEDS];
    int64_t done;   /* epochs */
    int64_t passes; /* forward passes per sample */
} configuration;

static double work_of(const plx_causal_spec *s) {
    return (double)(s->times * s->channels) * (double)(s->futures + s->depth);
}

static plx_causal_spec spec_of(const plx_case *c);

static void close_configuration(plx_case *c) {
    configuration *own = c->state;
    if (!own) return;
    plx_causal_free(&own->model);
    for (int i = 0; i < SEEDS; ++i) plx_platform_free(own->x[i]);
    plx_platform_free(own);
    c->state = NULL;
}

static plx_status open_configuration(plx_bench *bench, plx_case *c) {
    configuration *own = c->state = plx_platform_alloc(sizeof *own);
    if (!own) return plx__bench_fail(bench, PLX_ERR_MEMORY, "hypercausal: no memory");
    memset(own, 0, sizeof *own);
    own->spec = spec_of(c);
    const int64_t size = own->spec.times * own->spec.channels;
    for (int i = 0; i < SEEDS; ++i) {
        own->x[i] = plx_platform_alloc((size_t)size * sizeof(plx_real));
        if (!own->x[i])
            return plx__bench_fail(bench, PLX_ERR_MEMORY, "hypercausal: no memory for %lld values",
                                   (long long)size);
        plx_causal_data(own->spec.times, own->spec.channels,
                        plx__bench_options(bench)->seed + (uint64_t)i, own->x[i]);
    }
    const plx_status status = plx_causal_open(plx__bench_ctx(bench), &own->spec, &own->model);
    if (status != PLX_OK) return status;
    c->memory = plx_plan_memory(own->model.epoch);
    c->has_memory = true;
    return PLX_OK;
}

/* Seeds alternate. Weights start anew after every training, or they would shrink until states leave
 * the normal range, where arithmetic is slow. */
static plx_status run_epochs(plx_bench *bench, plx_case *c, int64_t iterations) {
    (void)bench;
    configuration *own = c->state;
    for (int64_t i = 0; i < iterations; ++i, ++own->done) {
        PLX_TRY(plx_causal_bind(&own->model, own->x[own->done % SEEDS]));
        if (own->done % EPOCHS == 0) plx_causal_reset(&own->model);
        PLX_TRY(plx_plan_run(own->model.epoch));
    }
    return PLX_OK;
}

static plx_status run_forward(void *arg, int64_t times) {
    configuration *own = arg;
    for (int64_t i = 0; i < times; ++i) PLX_TRY(plx_plan_run(own->model.forward));
    return PLX_OK;
}

/* Times a forward pass with all losses, in microseconds, with the weights and the machine's state
 * of the epochs timed just before. */
static plx_status time_forward(plx_bench *bench, plx_case *c) {
    configuration *own = c->state;
    double ns;
    PLX_TRY(plx_plan_run(own->model.forward));
    PLX_TRY(plx__bench_time(bench, run_forward, own, &own->passes, &ns));
    plx__case_record(c, FORWARD_TIME, ns / 1000);
    return PLX_OK;
}

/* ---- What it predicts ------------------------------------------------------------------------ */

static double value_of(const plx_plan *plan, plx_node node) {
    return (double)plx_plan_output(plan, node)[0];
}

/* Measures of channel 0: the last state against the target, and the future as a forecast of the
 * state. */
static void record_prediction(plx_case *c, const configuration *own) {
    const plx_causal_model *m = &own->model;
    plx_causal_series s = {.n = own->spec.times,
                           .stride = own->spec.channels,
                           .p = plx_plan_output(m->forward, m->state),
                           .r = m->target};
    plx__case_record(c, RMSE, sqrt(plx_causal_mse(&s)));
    plx__case_record(c, OVERSHOOT, plx_causal_overshoot(&s));
    plx__case_record(c, ROBUSTNESS, plx_causal_robustness(&s));
    plx__case_record(c, SETTLING, plx_causal_settling(&s));
    s.r = s.p;
    s.p = plx_plan_output(m->forward, m->future);
    const double forecasts[] = {plx_causal_mape(&s), plx_causal_mase(&s), plx_causal_direction(&s)};
    for (int i = 0; i < 3; ++i)
        if (isfinite(forecasts[i])) plx__case_record(c, MAPE + i, forecasts[i]);
}

static double largest_difference(int64_t n, const plx_real *values, const double *expected) {
    double largest = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double error = fabs((double)values[i] - expected[i]);
        if (!(error <= largest)) largest = error;
    }
    return largest;
}

/* The largest error of states, futures and losses with the current weights; NaN when memory is
 * short. Large cases check only the first times, without the losses, which cover all times. */
static double forward_error(const configuration *own, const plx_real *x) {
    const plx_causal_model *m = &own->model;
    plx_causal_spec spec = own->spec;
    const bool whole = work_of(&spec) <= long_work;
    if (!whole) spec.times = 8;
    const int64_t size = spec.times * spec.channels;
    double w[PLX_CAUSAL_NODES], b[PLX_CAUSAL_NODES], parts[4], worst = NAN;
    for (int i = 0; i < plx_weights_count(m->weights); ++i)
        (i % 2 ? b : w)[i / 2] =
            (double)*(plx_real *)plx_tensor_data(plx_weights_at(m->weights, i, NULL, NULL));
    double *expected = plx_platform_alloc(2 * (size_t)size * sizeof *expected);
    if (expected && plx_causal_reference(&spec, x, w, b, plx_plan_output(m->forward, m->future),
                                         expected, expected + size, parts)) {
        worst = largest_difference(size, plx_plan_output(m->forward, m->state), expected);
        worst = fmax(worst, largest_difference(size, plx_plan_output(m->forward, m->future),
                                               expected + size));
        for (int i = 0; whole && i < 4; ++i)
            worst = fmax(worst, fabs(value_of(m->forward, m->parts[i]) - parts[i]));
    }
    plx_platform_free(expected);
    return worst;
}

/* Trains from new weights on one seed, and records predictions and losses before and after. */
static plx_status measure_seed(plx_case *c, configuration *own, int seed, double *worst) {
    plx_causal_model *m = &own->model;
    plx_real losses[EPOCHS];
    const int epochs = work_of(&own->spec) > long_work ? 5 : EPOCHS;
    PLX_TRY(plx_causal_bind(m, own->x[seed]));
    plx_causal_reset(m);
    PLX_TRY(plx_plan_run(m->forward));
    plx__case_record(c, LOSS_BEFORE, value_of(m->forward, m->parts[0]));
    record_prediction(c, own);
    const double first = forward_error(own, own->x[seed]);
    for (int i = 0; i < epochs; ++i) {
        PLX_TRY(plx_plan_run(m->epoch));
        losses[i] = (plx_real)value_of(m->epoch, m->total);
    }
    PLX_TRY(plx_plan_run(m->forward));
    plx__case_record(c, LOSS_AFTER, value_of(m->forward, m->parts[0]));
    const plx_causal_series s = {own->spec.times, own->spec.channels,
                                 plx_plan_output(m->forward, m->state), m->target};
    plx__case_record(c, RMSE_AFTER, sqrt(plx_causal_mse(&s)));
    const double last = forward_error(own, own->x[seed]);
    if (!(first <= *worst)) *worst = first;
    if (!(last <= *worst)) *worst = last;
    if (seed == 0) plx__case_losses(c, losses, epochs);
    if (!(value_of(m->forward, m->parts[0]) < (double)losses[0]))
        plx__case_void(c, "the loss went from %g to %g in %d epochs", (double)losses[0],
                       value_of(m->forward, m->parts[0]), epochs);
    return PLX_OK;
}

static plx_status check_configuration(plx_bench *bench, plx_case *c) {
    configuration *own = c->state;
    const plx_memory *m = &c->memory;
    double worst = 0;
    plx__case_record(c, MEMORY,
                     (double)(m->parameters + m->gradients + m->optimizer + m->activations +
                              m->workspace + m->inputs));
    (void)bench;
    for (int i = 0; i < SEEDS; ++i) PLX_TRY(measure_seed(c, own, i, &worst));
    c->checks.error = worst / 1e-6;
    c->checks.tolerance = 1;
    if (!(worst <= 1e-6))
        plx__case_void(c, "a forward pass errs by %.3g against double precision", worst);
    return PLX_OK;
}

/* ---- The cases ------------------------------------------------------------------------------- */

typedef struct axis {
    int count;
    int64_t values[5];
} axis;

static const char *const shapes[] = {"chain", "diamond"};

/* The configuration, from the parameters that identify its rows. */
static plx_causal_spec spec_of(const plx_case *c) {
    plx_causal_spec spec = {.depth = 1};
    for (int i = 0; i < c->parameter_count; ++i) {
        const plx_case_parameter *p = &c->parameters[i];
        const int64_t value = (int64_t)p->number;
        if (!strcmp(p->name, "D")) spec.channels = value;
        if (!strcmp(p->name, "K")) spec.futures = value;
        if (!strcmp(p->name, "T")) spec.times = value;
        if (!strcmp(p->name, "depth")) spec.depth = value;
        if (p->text && !strcmp(p->text, "diamond")) spec.shape = PLX_CAUSAL_DIAMOND;
        for (int k = 0; p->text && plx_future_policy_name((plx_future_policy)k); ++k)
            if (!strcmp(p->text, plx_future_policy_name((plx_future_policy)k)))
                spec.policy = (plx_future_policy)k;
    }
    return spec;
}

static void name_of(char *name, size_t size, const plx_causal_spec *s) {
    const char *policy = plx_future_policy_name(s->policy);
    plx__format(name, size, "%s D %lld, K %lld, T %lld, depth %lld%s%s", shapes[s->shape],
                (long long)s->channels, (long long)s->futures, (long long)s->times,
                (long long)s->depth, s->policy ? ", " : "", s->policy ? policy : "");
}

static void add_metrics(plx_case *c) {
    static const struct {
        const char *name, *unit, *better;
    } own[] = {
        [FORWARD_TIME] = {"forward time", "us", "lower"},
        [MEMORY] = {"peak memory", "bytes", "lower"},
        [LOSS_BEFORE] = {"total loss before training", "1", "lower"},
        [LOSS_AFTER] = {"total loss after training", "1", "lower"},
        [RMSE] = {"RMSE", "1", "lower"},
        [RMSE_AFTER] = {"RMSE after training", "1", "lower"},
        [OVERSHOOT] = {"overshoot", "1", "lower"},
        [ROBUSTNESS] = {"robustness", "1", "higher"},
        [SETTLING] = {"settling time", "times", "lower"},
        [MAPE] = {"MAPE of the forecast", "%", "lower"},
        [MASE] = {"MASE of the forecast", "1", "lower"},
        [DIRECTION] = {"direction agreement of the forecast", "1", "higher"},
    };
    plx__case_metric(c, "epoch time", "us", "lower", true, PLX_METRIC_TIME, 1e-3);
    for (int i = FORWARD_TIME; i <= DIRECTION; ++i)
        plx__case_metric(c, own[i].name, own[i].unit, own[i].better, false, PLX_METRIC_OWN, 1);
}

static void add(plx_bench *bench, plx_causal_spec spec) {
    char name[sizeof((plx_case *)0)->name];
    name_of(name, sizeof name, &spec);
    if (plx__bench_planned(bench, name))
        return; /* on a line, and either in the grid or on another
                 * line */
    plx_case *c = plx__bench_add(bench, 0, "%s", name);
    if (!c) return;
    c->open = open_configuration;
    c->run = run_epochs;
    c->beside = time_forward;
    c->check = check_configuration;
    c->close = close_configuration;
    c->share = 0.4;
    c->data_source = "sine waves with noise";
    plx__case_text(c, "graph", shapes[spec.shape]);
    plx__case_text(c, "policy", plx_future_policy_name(spec.policy));
    plx__case_number(c, "D", (double)spec.channels);
    plx__case_number(c, "K", (double)spec.futures);
    plx__case_number(c, "T", (double)spec.times);
    plx__case_number(c, "depth", (double)spec.depth);
    plx__case_number(c, "epochs", work_of(&spec) > long_work ? 5 : EPOCHS);
    add_metrics(c);
}

static const axis all_channels = {3, {3, 6, 768}}, all_futures = {4, {3, 5, 9, 65}},
                  all_times = {3, {48, 96, 4096}}, all_depths = {3, {1, 2, 3}};
/* Number of values of each axis: quick takes the corners of the reference's grid. */
static const int grid[][4] = {{2, 1, 2, 1}, {2, 3, 2, 3}, {3, 4, 3, 3}};

/* The lines that exponents are fitted to; along each, the other two axes stay at these values. */
enum { D_FIXED = 6, K_FIXED = 5, T_FIXED = 96 };
static const struct line {
    char name;
    axis along;
} lines[] = {
    {'D', {5, {3, 6, 24, 96, 768}}},
    {'K', {5, {3, 5, 9, 33, 65}}},
    {'T', {5, {48, 96, 384, 1024, 4096}}},
};
enum { LINES = sizeof lines / sizeof *lines };

static plx_causal_spec on_line(const struct line *line, int i) {
    plx_causal_spec spec = {.channels = D_FIXED, .futures = K_FIXED, .times = T_FIXED, .depth = 1};
    *(line->name == 'D'   ? &spec.channels
      : line->name == 'K' ? &spec.futures
                          : &spec.times) = line->along.values[i];
    return spec;
}

static plx_status plan(plx_bench *bench) {
    const plx_bench_size size = plx__bench_options(bench)->size;
    const int *n = grid[size];
    const plx_causal_spec corner = {.channels = 6, .futures = 9, .times = 96, .depth = 3};
    plx_causal_spec spec = {.shape = PLX_CAUSAL_CHAIN};
    for (int d = 0; d < n[0]; ++d)
        for (int k = 0; k < n[1]; ++k)
            for (int t = 0; t < n[2]; ++t)
                for (int depth = 0; depth < n[3]; ++depth) {
                    spec.channels = all_channels.values[d];
                    spec.futures = all_futures.values[k];
                    spec.times = all_times.values[t];
                    spec.depth = all_depths.values[depth];
                    add(bench, spec);
                }
    add(bench, corner);
    for (int k = PLX_FUTURE_MEDIAN; k < PLX_FUTURES_; ++k) {
        spec = corner;
        spec.policy = (plx_future_policy)k;
        add(bench, spec);
    }
    for (int i = 0; i < (size == PLX_BENCH_QUICK ? 1 : 3); ++i) {
        spec = corner;
        spec.shape = PLX_CAUSAL_DIAMOND;
        spec.depth = 3 - i;
        add(bench, spec);
    }
    /* In one group with the grid: a line contains points of both, which have to be comparable. */
    for (int line = 0; line < LINES; ++line)
        for (int i = 0; i < (size == PLX_BENCH_QUICK ? 4 : lines[line].along.count); ++i)
            add(bench, on_line(&lines[line], i));
    return PLX_OK;
}

/* ---- Derived from all cases ------------------------------------------------------------------ */

static const char *const exponent_names[] = {"growth with D", "growth with K", "growth with T"};

static void add_exponent(plx_bench *bench, int line) {
    double x[5], y[5];
    int count = 0;
    for (int i = 0; i < lines[line].along.count; ++i) {
        const plx_causal_spec spec = on_line(&lines[line], i);
        char name[sizeof((plx_case *)0)->name];
        name_of(name, sizeof name, &spec);
        const plx_case *c = plx__bench_find(bench, name);
        if (!c) continue;
        x[count] = (double)lines[line].along.values[i];
        y[count++] = plx__case_median_ns(c);
    }
    if (count < 3) return;
    const plx_slope slope = plx__exponent(count, x, y);
    plx_case *c = plx__bench_add(bench, 1, "%s", exponent_names[line]);
    if (!c) return;
    plx__case_derived(c, "exponent", "1", slope.value, slope.low, slope.high);
    plx__case_number(c, "least", x[0]);
    plx__case_number(c, "most", x[count - 1]);
}

/* The fastest and the slowest chain of the grid, and the exponents. */
static plx_status finish(plx_bench *bench) {
    const int *n = grid[plx__bench_options(bench)->size];
    const plx_case *ends[2] = {NULL, NULL};
    for (int i = 0; i < n[0] * n[1] * n[2] * n[3]; ++i) {
        const plx_causal_spec spec = {.channels = all_channels.values[i % n[0]],
                                      .futures = all_futures.values[i / n[0] % n[1]],
                                      .times = all_times.values[i / n[0] / n[1] % n[2]],
                                      .depth = all_depths.values[i / n[0] / n[1] / n[2]]};
        char name[sizeof((plx_case *)0)->name];
        name_of(name, sizeof name, &spec);
        const plx_case *c = plx__bench_find(bench, name);
        if (!c) continue;
        const double ns = plx__case_median_ns(c);
        if (!ends[0] || ns < plx__case_median_ns(ends[0])) ends[0] = c;
        if (!ends[1] || ns > plx__case_median_ns(ends[1])) ends[1] = c;
    }
    static const char *const names[] = {"fastest configuration", "slowest configuration"};
    for (int i = 0; i < 2 && ends[1] != ends[0]; ++i) {
        plx_case *c = plx__bench_add(bench, 1, "%s", names[i]);
        if (!c) continue;
        plx__case_text(c, "configuration", ends[i]->name);
        plx__case_derived(c, "epoch time", "us", plx__case_median_ns(ends[i]) / 1000, NAN, NAN);
    }
    for (int line = 0; line < LINES; ++line) add_exponent(bench, line);
    return PLX_OK;
}

const plx_suite plx__suite_hypercausal = {
    .name = "hypercausal",
    .description = "Chains and graphs of nodes that project futures",
    .plan = plan,
    .finish = finish,
};
