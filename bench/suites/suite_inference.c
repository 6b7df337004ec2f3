/* Suite inference: the latency of single predictions, each timed on its own unless it is too short
 * for the clock, with the plan as it is deployed and without one of its parts at a time. All
 * variants of a case are plans over the same weights, and take turns. */
#include "bench/network.h"
#include "bench/row.h"
#include "bench/statistics.h"

#include "base/context.h"
#include "base/platform.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The parts of a plan that the suite leaves out. */
static const struct variant {
    const char *median, *tail; /* names of the metrics */
    int without;               /* passes */
    bool one_thread;
} variants[] = {
    {"latency, p50", "latency, p99", 0, false},
    {"p50 without packing", "p99 without packing", PLX_PASS_PACK, false},
    {"p50 without folding", "p99 without folding", PLX_PASS_FOLD, false},
    {"p50 without fusion", "p99 without fusion", PLX_PASS_FUSE, false},
    {"p50 on one thread", "p99 on one thread", 0, true},
    {"p50 before all", "p99 before all", PLX_PASS_PACK | PLX_PASS_FOLD | PLX_PASS_FUSE, true},
};
enum { VARIANTS = sizeof variants / sizeof *variants, DEPLOYED = 0 };

static const int batches[] = {1, 8, 32, 128};
enum { BATCHES = sizeof batches / sizeof *batches };

/* Million operations for a sample, for estimates of the time; the widest sum of products. */
static const struct work {
    const char *model;
    double mflops;
    int terms;
} works[] = {
    {"mlp:784-200-10", 0.32, 784},
    {"mlp:5-64-64-64-64-1", 0.025, 64},
    {"mlp:512-1024-1024-512-10", 4.2, 1024},
    {"gpt2-nano", 60, 512},
    {"transformer-nano", 113, 392},
    {"bert-nano", 495, 1024},
    {"vit-nano", 84, 512},
    {"resnet-nano", 10, 288},
    {"clip-nano", 33, 512},
};
enum { WORKS = sizeof works / sizeof *works };

/* How much a run takes: calls of the deployed plan in all rounds together, and the time after which
 * the deployed plan, or another, has made enough of them. */
typedef struct effort {
    int calls, visits;
    double deployed_s, other_s; /* INFINITY: no limit */
    double mflops;              /* of a call, at most */
} effort;

static effort effort_of(const plx_bench *bench) {
    static const effort efforts[] = {
        [PLX_BENCH_QUICK] = {1000, 2, 0.02, 0.01, 600},
        [PLX_BENCH_DEFAULT] = {1000, 3, 2, 0.5, INFINITY},
        [PLX_BENCH_FULL] = {1000, 5, INFINITY, 4, INFINITY},
    };
    const plx_bench_options *o = plx__bench_options(bench);
    effort e = efforts[o->size];
    if (o->seconds > 0) e.deployed_s = e.other_s = o->seconds / VARIANTS;
    if (e.visits > bench->rounds) e.visits = bench->rounds;
    return e;
}

/* ---- A visit --------------------------------------------------------------------------------- */

typedef struct runner {
    plx_network network;
    bool opened;
    double *readings; /* nanoseconds per call */
    int64_t room, count;
    int64_t each;       /* calls for a reading; 0: not yet known */
    double spent, most; /* nanoseconds in readings; from when on they are enough */
} runner;

typedef struct session {
    runner runners[VARIANTS];
    int turn;
} session;

static plx_status open_runner(plx_bench *bench, const plx_case *c, int i) {
    session *s = c->state;
    runner *r = &s->runners[i];
    const effort e = effort_of(bench);
    plx_network_options options = {
        .model = works[c->variant].model,
        .batch = c->size,
        .loss = PLX_LOSS_CROSS_ENTROPY,
        .seed = plx__bench_options(bench)->seed,
        .plan = plx_plan_default(),
        .like = i == DEPLOYED ? NULL : &s->runners[DEPLOYED].network,
    };
    options.plan.passes &= ~variants[i].without;
    if (variants[i].one_thread) options.plan.threads = 1;
    r->room = (e.calls + e.visits - 1) / e.visits;
    r->most = 1e9 * (i == DEPLOYED ? e.deployed_s : e.other_s) / e.visits;
    r->readings = plx_platform_alloc((size_t)r->room * sizeof *r->readings);
    if (!r->readings) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    const plx_status status = plx_network_open(plx__bench_ctx(bench), &options, &r->network);
    r->opened = status == PLX_OK;
    return status;
}

static bool is_apart(plx_bench *bench, int i) {
    return i != DEPLOYED && variants[i].one_thread && !variants[i].without &&
           plx_ctx_get_info(plx__bench_ctx(bench)).threads == 1;
}

/* Some layers begin at zero, which would hide what comes before them. */
static void fill_zeros(plx_bench *bench, const plx_network *network) {
    enum { STREAM = 980 };
    const plx_weights *weights = plx_model_weights(network->model);
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(weights, i, NULL, &role);
        plx_real *values = plx_tensor_data(tensor);
        const int64_t size = plx_tensor_size(tensor);
        if (role == PLX_WEIGHT_STATE || (size && values[0] != 0)) continue;
        plx__fill_uniform(plx__bench_options(bench)->seed, STREAM + (uint32_t)i, size, values);
        for (int64_t k = 0; k < size; ++k) values[k] /= 8;
    }
}

/* A variant for which there is no memory beside the others is left out. */
static plx_status open_session(plx_bench *bench, plx_case *c) {
    session *s = c->state = plx_platform_alloc(sizeof *s);
    if (!s) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    memset(s, 0, sizeof *s);
    for (int i = 0; i < VARIANTS; ++i) {
        if (is_apart(bench, i)) continue;
        const plx_status status = open_runner(bench, c, i);
        if (status != PLX_OK && (i == DEPLOYED || status != PLX_ERR_MEMORY)) return status;
    }
    fill_zeros(bench, &s->runners[DEPLOYED].network);
    c->memory = plx_plan_memory(s->runners[DEPLOYED].network.plan);
    c->has_memory = true;
    return PLX_OK;
}

static void close_session(plx_case *c) {
    session *s = c->state;
    if (!s) return;
    for (int i = VARIANTS - 1; i >= 0; --i) {
        plx_network_free(&s->runners[i].network);
        plx_platform_free(s->runners[i].readings);
    }
    plx_platform_free(s);
    c->state = NULL;
}

/* ---- Readings -------------------------------------------------------------------------------- */

static plx_status time_calls(runner *r, int64_t calls, double *ns) {
    const int64_t start = plx_platform_now_ns();
    const plx_status status = plx_network_run(&r->network, calls);
    *ns = (double)(plx_platform_now_ns() - start);
    return status;
}

enum { LONG_NS = 2000000 };

/* The first run packs and folds. Then finds how many calls the clock needs. */
static plx_status prepare(const plx_bench *bench, runner *r) {
    enum { STEPS = 20 };
    double ns;
    PLX_TRY(time_calls(r, 1, &ns));
    r->each = 1;
    if (ns > LONG_NS) return PLX_OK;
    for (;; r->each *= 2) {
        PLX_TRY(time_calls(r, r->each, &ns));
        if (ns >= STEPS * (double)bench->clock_ns) return PLX_OK;
        if (r->each > 1 << 24)
            return plx__fail(&r->network.ctx->message, PLX_ERR_UNSUPPORTED,
                             "inference: the clock stands still");
    }
}

static bool is_done(const runner *r) {
    return !r->opened || r->count == r->room || (r->count && r->spent >= r->most);
}

/* Readings in a row, after a call that fetches weights into the caches again, unless a call takes
 * so long that this would not matter. */
static plx_status take_burst(const plx_bench *bench, runner *r) {
    const double burst_ns = 2 * LONG_NS;
    double ns, sum = 0;
    if (!r->each)
        PLX_TRY(prepare(bench, r));
    else if (r->spent < LONG_NS * (double)r->count)
        PLX_TRY(time_calls(r, 1, &ns));
    while (!is_done(r) && sum < burst_ns) {
        PLX_TRY(time_calls(r, r->each, &ns));
        r->readings[r->count++] = ns / (double)r->each;
        r->spent += ns;
        sum += ns;
    }
    return PLX_OK;
}

/* ---- Figures --------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Adds to the calls that the metric's row tells of. */
static void add_calls(plx_case *c, int metric, const runner *r) {
    const double calls = (double)(r->count * r->each);
    for (int i = 0; i < c->extra_count; ++i)
        if (c->extras[i].metric == metric && !strcmp(c->extras[i].path, "calls.count")) {
            c->extras[i].number += calls;
            return;
        }
    plx__case_extra(c, metric, "calls.count", calls);
    plx__case_extra(c, metric, "calls.each", (double)r->each);
}

/* Metrics are numbered in the order of the variants: median, tail. */
static int metric_of(plx_case *c, const char *name, const char *unit, const char *better,
                     bool primary) {
    for (int i = 0; i < c->metric_count; ++i)
        if (!strcmp(c->metrics[i].name, name)) return i;
    return plx__case_metric(c, name, unit, better, primary, PLX_METRIC_OWN, 1);
}

static void record(plx_case *c, const session *s) {
    for (int i = 0; i < VARIANTS; ++i) {
        const runner *r = &s->runners[i];
        if (!r->count) continue;
        qsort(r->readings, (size_t)r->count, sizeof *r->readings, compare_numbers);
        const int median = metric_of(c, variants[i].median, "us", "lower", i == DEPLOYED);
        const int tail = metric_of(c, variants[i].tail, "us", "lower", false);
        plx__case_record(c, median, plx__quantile((int)r->count, r->readings, 0.5) * 1e-3);
        plx__case_record(c, tail, plx__quantile((int)r->count, r->readings, 0.99) * 1e-3);
        add_calls(c, median, r);
        add_calls(c, tail, r);
    }
    const runner *r = &s->runners[DEPLOYED];
    const int rate = metric_of(c, "throughput", "samples/s", "higher", false);
    plx__case_record(c, rate, 1e9 * (double)(c->size * r->count * r->each) / r->spent);
}

static plx_status take_turns(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    session *s = c->state;
    const int64_t start = plx_platform_now_ns();
    do {
        runner *r = NULL;
        for (int i = 0; i < VARIANTS && (!r || is_done(r)); ++i)
            r = &s->runners[s->turn++ % VARIANTS];
        if (is_done(r)) {
            record(c, s);
            *done = true;
            return PLX_OK;
        }
        PLX_TRY(take_burst(bench, r));
    } while (plx_platform_now_ns() - start < slice_ns);
    return PLX_OK;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

/* All variants have the same result. To first order each step of a plan errs by at most (terms + 8)
 * eps of its largest values, 8 times that in Winograd's method (src/parallax.h), and hands on the
 * errors before it. */
static plx_status compare_variants(plx_bench *bench, plx_case *c) {
    const session *s = c->state;
    const plx_network *deployed = &s->runners[DEPLOYED].network;
    const struct work *work = &works[c->variant];
    const plx_real *values = plx_network_result(deployed);
    const int64_t size = deployed->batch * deployed->out;
    const double eps = sizeof(plx_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    double largest = 0;
    (void)bench;
    for (int64_t k = 0; k < size; ++k) largest = fmax(largest, fabs((double)values[k]));
    c->checks.tolerance = 1;
    for (int i = 1; i < VARIANTS; ++i) {
        if (!s->runners[i].opened) continue;
        const plx_real *other = plx_network_result(&s->runners[i].network);
        const double bound = plx_plan_steps(s->runners[i].network.plan) * (work->terms + 8.0) *
                             (strstr(work->model, "resnet") ? 8 : 1) * eps * largest;
        for (int64_t k = 0; k < size; ++k) {
            const double error = fabs((double)other[k] - (double)values[k]) / bound;
            if (!(error <= c->checks.error)) c->checks.error = error;
        }
        if (!(c->checks.error <= 1)) {
            plx__case_void(c, "%s: the result differs by %.3g times the bound", variants[i].median,
                           c->checks.error);
            break;
        }
    }
    return PLX_OK;
}

/* ---- The suite ------------------------------------------------------------------------------- */

static void add_case(plx_bench *bench, int group, int model, int64_t batch) {
    const effort e = effort_of(bench);
    const struct work *work = &works[model];
    const bool mlp = !strncmp(work->model, "mlp:", 4);
    const char *name = mlp ? work->model + 4 : work->model;
    if (work->mflops * (double)batch > e.mflops) return;
    plx_case *c = plx__bench_add(bench, group, "%s, batch %lld", name, (long long)batch);
    if (!c) return;
    c->variant = model;
    c->size = batch;
    c->open = open_session;
    c->slice = take_turns;
    c->check = compare_variants;
    c->close = close_session;
    c->repeats = 1;
    c->visits = e.visits;
    c->data_source = "random values";
    plx__case_text(c, "model", name);
    plx__case_number(c, "batch", (double)batch);
    plx__case_expect(bench, c, 1e6 * work->mflops * (double)batch, 0, 0);
    const double calls = e.calls / (double)e.visits, limit = 1e9 / e.visits;
    const double one = c->work_ns, others = (VARIANTS - 1) * 1.5;
    c->work_ns = fmax(2 * one, fmin(one * calls, limit * e.deployed_s)) +
                 others * fmax(2 * one, fmin(one * calls, limit * e.other_s));
    c->making_ns = 2e6;
}

static plx_status plan(plx_bench *bench) {
    for (int i = 0; i < WORKS; ++i)
        for (int b = 0; b < BATCHES; ++b) add_case(bench, i * BATCHES + b, i, batches[b]);
    return PLX_OK;
}

const plx_suite plx__suite_inference = {
    .name = "inference",
    .description = "Latency of single predictions, with and without packing, folding, fusion and "
                   "threads",
    .plan = plan,
};
