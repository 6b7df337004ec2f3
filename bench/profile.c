#include "bench/profile.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/levels.h"
#include "bench/statistics.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 15, LEAST_ROUNDS = 3, MOST_RUNS = 300, WARM_UP = 2 };
/* Of one round's runs, profiled or not, and the most where the clock is coarse; of all rounds; of
 * one sample of a ceiling, and its most. */
static const double RUNS_NS = 25e6, LONG_RUNS_NS = 5e8, ALL_NS = 4e9, SAMPLE_NS = 1e5,
                    LONG_SAMPLE_NS = 1e8;
/* A round's runs last so many steps of the clock: of a step with 2% of the time it then sees 100.
 * Nothing is measured with a coarser clock than this. */
static const double CLOCK_STEPS = 5000, COARSEST_NS = 1e7;
/* A share of the roofline above 1 by this much is noise. */
static const double NOISE = 0.05;

/* The units of a round: the peak, each size of the sweep, runs as they are, and profiled ones. */
enum { PEAK, SWEEP };

struct plx_profile {
    plx_ctx *ctx;
    plx_network *network;
    plx_plan_table table;
    double clock_ns;  /* a step of the clock */
    double sample_ns; /* long enough for the clock */
    int rounds, round, unit, runs;
    void *data;
    int points_count;
    plx_bandwidth_point points[PLX_SWEEP_POINTS];
    int64_t passes[PLX_SWEEP_POINTS][PLX_STREAMS];
    int64_t peak_passes;
    double stricter; /* judges by least times longer by this factor; 1 but in tests */
    double peak;
    double bare[ROUNDS]; /* ns of a run */
    double *times;       /* [steps, ROUNDS] */
    double *workers;     /* [steps], summed over rounds */
    int levels_count, items_count;
    plx_memory_level levels[PLX_MEMORY_LEVELS];
    plx_profile_step *steps;
    plx_profile_item *items;
    plx_profile_total total;
    char too_short[64], note[192];
};

static int count_of(const plx_profile *p) {
    return p->table.steps_count;
}

/* ---- Ceilings -------------------------------------------------------------------------------- */

/* Data for the largest size that there is memory for. */
static void allocate_sweep(plx_profile *p) {
    while (plx_sweep_bytes(p->points_count)) p->points_count += 1;
    for (; p->points_count > 0 && !p->data; p->points_count -= !p->data)
        p->data = plx_platform_alloc((size_t)plx_sweep_bytes(p->points_count - 1));
    if (!p->data) return;
    memset(p->data, 0, (size_t)plx_sweep_bytes(p->points_count - 1));
    for (int i = 0; i < p->points_count; ++i)
        p->points[i] = (plx_bandwidth_point){.bytes = (double)plx_sweep_bytes(i)};
}

/* The work of so many passes and their time in ns. work 0: the system had no processor for one of
 * the threads. stream: PLX_STREAMS for arithmetic. */
typedef struct ceiling_sample {
    double work, ns;
} ceiling_sample;

static ceiling_sample take_sample(const plx_profile *p, int point, int stream, int threads,
                                  int64_t passes) {
    const int64_t n = plx_sweep_bytes(point) / (int64_t)sizeof(plx_real);
    const int64_t start = plx_platform_now_ns();
    const double work = stream == PLX_STREAMS
                            ? plx_peak(p->ctx, threads, passes)
                            : plx_bandwidth(p->ctx, (plx_stream)stream, n, p->data, passes);
    return (ceiling_sample){work, (double)(plx_platform_now_ns() - start)};
}

enum { GROWTH = 4, MOST_PASSES = 1 << 30, LARGE = 64 << 20 };

/* So many passes that a sample is long enough. One thread need not wait for another, so its time
 * tells for arithmetic; for memory, a bandwidth that any machine has. */
static int64_t first_passes(const plx_profile *p, int point, int stream) {
    static const double SLOW = 20; /* GB/s */
    int64_t passes = 1;
    if (stream < PLX_STREAMS)
        return (int64_t)fmax(1, p->sample_ns * SLOW / (double)plx_sweep_bytes(point));
    while (passes < MOST_PASSES && take_sample(p, 0, stream, 1, passes).ns < p->sample_ns)
        passes *= GROWTH;
    return passes;
}

/* The best of a few short samples, in which all threads are more often undisturbed than in one long
 * one; a large memory is passed through once. One that turns out too short is taken again, longer.
 */
static double rate(const plx_profile *p, int point, int stream, int64_t *passes) {
    enum { SAMPLES = 3 };
    double best = 0;
    if (!*passes) *passes = first_passes(p, point, stream);
    for (int i = 0; i < SAMPLES; ++i) {
        const ceiling_sample taken = take_sample(p, point, stream, 0, *passes);
        if (taken.ns >= p->sample_ns / 2) {
            best = fmax(best, taken.work / taken.ns);
            if (plx_sweep_bytes(point) > LARGE) break;
        } else if (taken.work > 0 && *passes < MOST_PASSES) {
            *passes *= GROWTH;
            i -= 1;
        }
    }
    return best;
}

/* Interference only slows down, so a ceiling is the best sample. Passes through large memories are
 * long: they are measured in the first rounds alone. */
static void sample_unit(plx_profile *p, int unit) {
    enum { ROUNDS_OF_LARGE = 2 };
    if (unit == PEAK) {
        p->peak = fmax(p->peak, rate(p, 0, PLX_STREAMS, &p->peak_passes));
        return;
    }
    plx_bandwidth_point *point = &p->points[unit - SWEEP];
    if (p->round >= ROUNDS_OF_LARGE && point->bytes > LARGE) return;
    for (int k = 0; k < PLX_STREAMS; ++k)
        point->bandwidth[k] =
            fmax(point->bandwidth[k], rate(p, unit - SWEEP, k, &p->passes[unit - SWEEP][k]));
}

/* ---- Runs ------------------------------------------------------------------------------------ */

/* The first run after something else finds other data in the caches and the threads asleep. */
static plx_status time_runs(plx_profile *p, int runs, bool profiled, double *ns) {
    PLX_TRY(plx_network_run(p->network, 1));
    plx_plan_profile(p->network->plan, profiled);
    const int64_t start = plx_platform_now_ns();
    const plx_status status = plx_network_run(p->network, runs);
    *ns = (double)(plx_platform_now_ns() - start) / runs;
    plx_plan_profile(p->network->plan, false);
    return status;
}

/* The first runs pack weights; from the last follows how often to run. A step that is shorter than
 * the clock's is timed all the same: runs begin anywhere between two steps of the clock, so the
 * mean of many is right, and a coarse clock needs more of them. */
static plx_status warm_up(plx_profile *p) {
    enum { GROW = 4, ENOUGH = 20 };
    double ns = 0;
    if (p->clock_ns > COARSEST_NS)
        return plx_fail(p->ctx, PLX_ERR_UNSUPPORTED,
                        "profile: this clock has steps of %.3g ms: too coarse to time a model",
                        p->clock_ns * 1e-6);
    for (int i = 0; i < WARM_UP; ++i) PLX_TRY(time_runs(p, 1, false, &ns));
    for (int runs = GROW; ns * runs < ENOUGH * p->clock_ns && runs < MOST_PASSES / GROW;
         runs *= GROW)
        PLX_TRY(time_runs(p, runs, false, &ns));
    ns = fmax(ns, 1);
    const double usual = fmin(RUNS_NS, MOST_RUNS * ns);
    const double wanted = fmax(usual, fmin(CLOCK_STEPS * p->clock_ns, LONG_RUNS_NS));
    p->runs = (int)fmax(wanted / ns, 1);
    p->rounds = (int)fmin(fmax(ALL_NS / (2 * ns * p->runs), LEAST_ROUNDS), ROUNDS);
    return PLX_OK;
}

static plx_status profile_runs(plx_profile *p) {
    plx_plan *plan = p->network->plan;
    double ns;
    bool ran = false, any = false;
    PLX_TRY(time_runs(p, p->runs, true, &ns));
    for (int s = 0; s < count_of(p); ++s) {
        const plx_step_info info = plx_plan_step(plan, s);
        p->times[s * ROUNDS + p->round] = info.nanoseconds;
        p->workers[s] += info.workers;
        ran |= info.workers > 0;
        any |= !info.kept;
    }
    if (ran || !any) return PLX_OK;
    return plx_fail(p->ctx, PLX_ERR_UNSUPPORTED,
                    "profile: a folded value is not finite, so other steps run than the plan's; "
                    "leave out the pass fold");
}

/* ---- What the ceilings allow ----------------------------------------------------------------- */

static double bytes_of(const plx_operand *operand) {
    static const double sizes[] = {
#define SIZE(name, value, type, text) [value] = sizeof(type),
        PLX_DTYPE_LIST(SIZE)
#undef SIZE
    };
    double bytes = operand->buffer < 0 ? 0 : sizes[operand->dtype];
    for (int i = 0; i < operand->rank; ++i) bytes *= (double)operand->dims[i];
    return bytes;
}

/* Operand k of a step, the last being its result; NULL past that. */
static const plx_operand *operand_at(const plx_step *step, int k) {
    if (k < step->inputs_count) return &step->inputs[k];
    return k == step->inputs_count && step->output.buffer >= 0 ? &step->output : NULL;
}

static bool overlap(const plx_operand *a, const plx_operand *b) {
    return a->buffer == b->buffer && (double)a->offset < (double)b->offset + bytes_of(b) &&
           (double)b->offset < (double)a->offset + bytes_of(a);
}

static bool touches(const plx_step *step, const plx_operand *operand) {
    const plx_operand *own;
    for (int k = 0; (own = operand_at(step, k)); ++k)
        if (overlap(own, operand)) return true;
    return false;
}

static double bytes_of_step(const plx_step *step) {
    const plx_operand *own;
    double bytes = 0;
    for (int k = 0; (own = operand_at(step, k)); ++k) bytes += bytes_of(own);
    return bytes;
}

static double footprint(const plx_profile *p) {
    const plx_memory m = plx_plan_memory(p->network->plan);
    return (double)(m.parameters + m.gradients + m.optimizer + m.activations + m.workspace +
                    m.inputs + m.packed + m.folded);
}

/* The bytes that a memory must hold to still have the operand from its last use, in this run or the
 * one before: its own and those of the steps between, but never more than there are. */
static double bytes_since(const plx_profile *p, int s, const plx_operand *operand, double most) {
    double bytes = bytes_of(operand);
    for (int back = 1; back < count_of(p) && bytes < most; ++back) {
        const plx_step *step = &p->table.steps[(s - back + count_of(p)) % count_of(p)];
        if (step->kept) continue;
        if (touches(step, operand)) break;
        bytes += bytes_of_step(step);
    }
    return fmin(bytes, most);
}

/* The least time to move a step's operands, each from or to the nearest level that can have it, as
 * a share of the bytes that the step's cost counts: an op may touch only part of an operand.
 * *level: where most of the time goes. */
static double bytes_ns(const plx_profile *p, int s, double bytes, double most, int *level) {
    const plx_step *step = &p->table.steps[s];
    const double written = step->output.buffer < 0 ? 0 : bytes_of(&step->output);
    const plx_stream stream = plx_stream_like(bytes_of_step(step), written);
    double by_level[PLX_MEMORY_LEVELS] = {0}, ns = 0, moved = 0;
    const plx_operand *operand;
    for (int k = 0; (operand = operand_at(step, k)); ++k) {
        const int at =
            plx_memory_level_of(p->levels_count, p->levels, bytes_since(p, s, operand, most));
        const double own = bytes_of(operand);
        by_level[at] += own / plx_level_bandwidth(&p->levels[at], stream);
        moved += own;
    }
    *level = 0;
    for (int i = 0; i < p->levels_count; ++i) {
        ns += by_level[i];
        if (by_level[i] > by_level[*level]) *level = i;
    }
    return moved > 0 ? ns * bytes / moved : 0;
}

static void find_ceiling(plx_profile *p, int s, double most) {
    const plx_step_info info = plx_plan_step(p->network->plan, s);
    plx_profile_step *step = &p->steps[s];
    int level;
    const double arithmetic = info.flops / p->peak,
                 moving = bytes_ns(p, s, info.bytes, most, &level);
    const double least = fmax(arithmetic, moving) * p->stricter;
    step->limit = arithmetic > moving ? "arithmetic" : p->levels[level].name;
    /* Nothing exceeds a ceiling. */
    if (least > (1 + NOISE) * step->ns) {
        step->failure = arithmetic > moving || !level
                            ? "faster than this ceiling, so that is none"
                            : "faster than this level of memory: its data lay in a nearer one";
        return;
    }
    step->least_ns = least;
    step->roofline = least / step->ns;
}

/* A run begins anywhere between two steps of the clock. So a time of n steps has, in one run, a
 * variance of at most n, and of a quarter. The mean of all runs is to be right to 10%. */
static bool is_resolved(const plx_profile *p, double ns) {
    const double n = ns / p->clock_ns;
    return n > 0 && fmin(n, 0.25) <= 0.01 * n * n * p->runs;
}

static void conclude_step(plx_profile *p, int s, int round, double most) {
    const plx_step_info info = plx_plan_step(p->network->plan, s);
    plx_profile_step *step = &p->steps[s];
    double *times = p->times + (ptrdiff_t)s * ROUNDS;
    const double ns = times[round];
    *step = (plx_profile_step){
        .method = info.method, .workers = p->workers[s] / p->round, .limit = "", .failure = ""};
    if (info.kept) return;
    if (!(info.flops > 0) && !(info.bytes > 0)) {
        step->failure = "sets memory apart for a later step";
        return;
    }
    if (!is_resolved(p, ns)) {
        step->failure = p->too_short;
        return;
    }
    step->ns = ns;
    step->median_ns = plx__summarise(p->round, times).median;
    step->gflops = info.flops / ns;
    step->gbytes = info.bytes / ns;
    if (p->peak > 0 && p->levels_count) find_ceiling(p, s, most);
}

/* ---- The largest items ----------------------------------------------------------------------- */

static bool same_work(const plx_profile *p, int a, int b) {
    const plx_step_info x = plx_plan_step(p->network->plan, a);
    const plx_step_info y = plx_plan_step(p->network->plan, b);
    return !strcmp(x.op, y.op) && !strcmp(x.fused, y.fused) && !strcmp(x.method, y.method) &&
           x.rank == y.rank && !memcmp(x.dims, y.dims, (size_t)x.rank * sizeof *x.dims) &&
           (int64_t)x.flops == (int64_t)y.flops && (int64_t)x.bytes == (int64_t)y.bytes;
}

static void add_to_items(plx_profile *p, int s) {
    int i = 0;
    while (i < p->items_count && !same_work(p, p->items[i].step, s)) i += 1;
    if (i == p->items_count) p->items[p->items_count++] = (plx_profile_item){.step = s};
    p->items[i].count += 1;
    p->items[i].ns += p->steps[s].ns;
    /* A step that is faster than its ceiling has nothing to gain, as far as is known. */
    if (!*p->steps[s].failure) p->items[i].over_ns += p->steps[s].ns - p->steps[s].least_ns;
}

static void sort_items(plx_profile *p) {
    for (int i = 1; i < p->items_count; ++i) {
        const plx_profile_item item = p->items[i];
        int at = i;
        for (; at > 0 && p->items[at - 1].over_ns < item.over_ns; --at)
            p->items[at] = p->items[at - 1];
        p->items[at] = item;
    }
}

/* None, unless all could be measured. */
static void find_levels(plx_profile *p) {
    for (int i = 0; i < p->points_count; ++i)
        for (int k = 0; k < PLX_STREAMS; ++k)
            if (!(p->points[i].bandwidth[k] > 0)) p->points[i].failure = "no processor was free";
    if (p->points_count)
        p->levels_count = plx_memory_levels(p->ctx, p->points_count, p->points, p->levels);
    for (int i = 0; i < p->levels_count; ++i)
        if (p->levels[i].failure) p->levels_count = 0;
}

/* The round in which all steps together take least: their times then belong to the same runs. */
static int fastest_round(const plx_profile *p) {
    double least = INFINITY;
    int fastest = 0;
    for (int r = 0; r < p->round; ++r) {
        double ns = 0;
        for (int s = 0; s < count_of(p); ++s) ns += p->times[s * ROUNDS + r];
        if (!(ns < least)) continue;
        least = ns;
        fastest = r;
    }
    return fastest;
}

static void add_note(plx_profile *p, int count, const char *format) {
    const size_t length = strlen(p->note);
    if (count) plx__format(p->note + length, sizeof p->note - length, format, count);
}

static void write_note(plx_profile *p) {
    int faster = 0, shorter = 0;
    for (int s = 0; s < count_of(p); ++s) {
        if (!*p->steps[s].failure) continue;
        faster += p->steps[s].ns > 0;
        shorter += p->steps[s].failure == p->too_short;
    }
    add_note(p, shorter, "Steps too short for this clock: %d. ");
    add_note(p, faster, "Steps faster than their ceilings: %d. ");
    add_note(p, !(p->peak > 0) || !p->levels_count,
             "The ceilings could not be measured: a thread had no processor. ");
    if (*p->note) p->note[strlen(p->note) - 1] = 0;
}

static void conclude_steps(plx_profile *p) {
    plx_profile_total *total = &p->total;
    const int round = fastest_round(p);
    const double most = footprint(p);
    plx__format(p->too_short, sizeof p->too_short, "too short for this clock of %.3g us",
                p->clock_ns * 1e-3);
    for (int s = 0; s < count_of(p); ++s) {
        conclude_step(p, s, round, most);
        const plx_profile_step *step = &p->steps[s];
        total->steps_ns += step->ns;
        total->least_ns += step->least_ns;
        total->bounded_ns += *step->limit && !*step->failure ? step->ns : 0;
        if (step->ns > 0) add_to_items(p, s);
    }
    for (int s = 0; s < count_of(p); ++s)
        p->steps[s].share = total->steps_ns > 0 ? p->steps[s].ns / total->steps_ns : 0;
    sort_items(p);
    write_note(p);
}

static void conclude(plx_profile *p) {
    plx_profile_total *total = &p->total;
    find_levels(p);
    conclude_steps(p);
    total->rounds = p->round;
    total->runs = p->round * p->runs;
    total->median_ns = plx__summarise(p->round, p->bare).median;
    total->ns = p->bare[0];
    total->roofline = total->bounded_ns > 0 ? total->least_ns / total->bounded_ns : 0;
    total->peak = p->peak;
    total->levels = p->levels_count;
    total->items = p->items_count;
    total->note = p->note;
}

/* ---- The life of a profile ------------------------------------------------------------------- */

static bool allocate(plx_profile *p) {
    const size_t steps = (size_t)count_of(p) + 1; /* never empty */
    const size_t sizes[] = {ROUNDS * sizeof *p->times, sizeof *p->workers, sizeof *p->steps,
                            sizeof *p->items};
    void *made[4];
    for (int i = 0; i < 4; ++i) {
        made[i] = plx_platform_alloc(steps * sizes[i]);
        if (made[i]) memset(made[i], 0, steps * sizes[i]);
    }
    p->times = made[0];
    p->workers = made[1];
    p->steps = made[2];
    p->items = made[3];
    return made[0] && made[1] && made[2] && made[3];
}

plx_status plx_profile_new(plx_network *network, plx_profile **out) {
    plx_profile *p = plx_platform_alloc(sizeof *p);
    *out = NULL;
    if (!p) return plx_fail(network->ctx, PLX_ERR_MEMORY, "profile: no memory");
    *p = (plx_profile){
        .ctx = network->ctx, .network = network, .stricter = 1, .total = {.note = ""}};
    plx_status status = plx_plan_describe(network->plan, &p->table);
    /* Training for as long as a coarse clock needs would end in gradients of 0 and moments that are
     * subnormal, which are slow; a step that changes no weight takes the same time. */
    if (status == PLX_OK && network->optimizer)
        status = plx_optimizer_set_rate(network->optimizer, 0);
    if (status == PLX_OK && !allocate(p))
        status = plx_fail(network->ctx, PLX_ERR_MEMORY, "profile: no memory");
    if (status != PLX_OK) {
        plx_profile_free(p);
        return status;
    }
    allocate_sweep(p);
    p->clock_ns = (double)plx__clock_step_ns();
    p->sample_ns = fmin(fmax(SAMPLE_NS, 100 * p->clock_ns), LONG_SAMPLE_NS);
    *out = p;
    return PLX_OK;
}

void plx__profile_pretend(plx_profile *p, double clock_ns, double stricter) {
    if (clock_ns > 0) p->clock_ns = clock_ns;
    p->stricter = stricter;
}

void plx_profile_free(plx_profile *p) {
    if (!p) return;
    plx_platform_free(p->times);
    plx_platform_free(p->workers);
    plx_platform_free(p->steps);
    plx_platform_free(p->items);
    plx_platform_free(p->data);
    plx_platform_free(p);
}

static plx_status take_unit(plx_profile *p) {
    const int runs = SWEEP + p->points_count;
    if (p->unit < runs)
        sample_unit(p, p->unit);
    else if (p->unit == runs)
        PLX_TRY(time_runs(p, p->runs, false, &p->bare[p->round]));
    else
        PLX_TRY(profile_runs(p));
    p->unit += 1;
    if (p->unit < runs + 2) return PLX_OK;
    p->unit = 0;
    p->round += 1;
    return PLX_OK;
}

plx_status plx_profile_advance(plx_profile *p, int64_t slice_ns, double *fraction) {
    const int64_t start = plx_platform_now_ns();
    if (!p->rounds) PLX_TRY(warm_up(p));
    while (p->round < p->rounds && plx_platform_now_ns() - start < slice_ns) {
        PLX_TRY(take_unit(p));
        if (p->round == p->rounds) conclude(p);
    }
    const int units = SWEEP + p->points_count + 2;
    *fraction = (double)(p->round * units + p->unit) / (double)(p->rounds * units);
    return PLX_OK;
}

plx_profile_total plx_profile_get(const plx_profile *p) {
    return p->total;
}

plx_profile_step plx_profile_step_at(const plx_profile *p, int i) {
    if (i < 0 || i >= count_of(p))
        return (plx_profile_step){.limit = "", .method = "", .failure = ""};
    return p->steps[i];
}

plx_profile_item plx_profile_item_at(const plx_profile *p, int i) {
    return i < 0 || i >= p->items_count ? (plx_profile_item){.step = -1} : p->items[i];
}

const char *plx_profile_level_at(const plx_profile *p, int i, double bandwidth[3]) {
    if (i < 0 || i >= p->levels_count) return NULL;
    memcpy(bandwidth, p->levels[i].bandwidth, sizeof p->levels[i].bandwidth);
    return p->levels[i].name;
}
