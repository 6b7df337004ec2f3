/* Functions with which suites fill in their cases. */
#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* Nothing is dropped silently: a case that exceeds its room is void. */
static bool has_room(plx_case *c, int count, int room, const char *what) {
    if (count < room) return true;
    plx__case_void(c, "the case has more than %d %s", room, what);
    return false;
}

static void add_parameter(plx_case *c, plx_case_parameter parameter) {
    if (has_room(c, c->parameter_count, PLX_BENCH_PARAMETERS, "parameters"))
        c->parameters[c->parameter_count++] = parameter;
}

void plx__case_number(plx_case *c, const char *name, double value) {
    add_parameter(c, (plx_case_parameter){.name = name, .number = value});
}

void plx__case_text(plx_case *c, const char *name, const char *value) {
    add_parameter(c, (plx_case_parameter){.name = name, .text = value});
}

int plx__case_metric(plx_case *c, const char *name, const char *unit, const char *better,
                     bool primary, plx_metric_kind kind, double factor) {
    /* When full, the last entry is overwritten, and the case is void. */
    if (!has_room(c, c->metric_count, PLX_BENCH_METRICS, "metrics")) c->metric_count -= 1;
    plx_metric *metric = &c->metrics[c->metric_count];
    metric->name = name;
    metric->unit = unit;
    metric->better = better;
    metric->primary = primary;
    metric->kind = kind;
    metric->factor = factor;
    metric->low = 1; /* no interval of its own */
    return c->metric_count++;
}

bool plx__samples_add(plx_samples *s, int round, double value) {
    if (s->count == PLX_BENCH_SAMPLES || round >= PLX_BENCH_ROUNDS) return false;
    if (s->count == s->room) {
        const int room = s->room ? 2 * s->room : 8;
        double *values = plx_platform_alloc((size_t)room * sizeof *values);
        if (!values) return false;
        if (s->count) memcpy(values, s->values, (size_t)s->count * sizeof *values);
        plx_platform_free(s->values);
        s->values = values;
        s->room = room;
    }
    while (s->rounds <= round) s->ends[s->rounds++] = s->count;
    s->values[s->count++] = value;
    s->ends[round] = s->count;
    return true;
}

int plx__samples_rounds(const plx_samples *s, double *medians) {
    double sorted[PLX_BENCH_SAMPLES];
    for (int i = 0, begin = 0; i < s->rounds; begin = s->ends[i++]) {
        const int count = s->ends[i] - begin;
        if (!count) return 0;
        memcpy(sorted, s->values + begin, (size_t)count * sizeof *sorted);
        medians[i] = plx__summarise(count, sorted).median;
    }
    return s->rounds;
}

plx_summary plx__samples_summary(int count, double *values, int rounds, const double *medians) {
    const plx_summary all = plx__summarise(count, values);
    if (rounds < 2) return all;
    plx_summary between = plx__between_rounds(rounds, medians);
    between.count = count;
    between.p10 = all.p10;
    between.p90 = all.p90;
    return between;
}

static void add_sample(plx_case *c, plx_samples *s, double value) {
    if (!plx__samples_add(s, c->round, value))
        plx__case_void(c, "there is no room for another sample");
}

void plx__case_record(plx_case *c, int metric, double value) {
    add_sample(c, &c->metrics[metric].samples, value);
}

void plx__case_sample(plx_case *c, double ns) {
    add_sample(c, &c->times, ns);
}

/* Much of any case is work other than matrix products. */
static double expected_ns(const plx_bench *bench, double operations) {
    return operations / (0.4 * plx_ctx_get_info(bench->ctx).gflops);
}

void plx__case_expect(plx_bench *bench, plx_case *c, double operations, double values,
                      double bytes) {
    /* A normal value takes two function evaluations. */
    const double per_value = 40, per_byte = 0.15;
    c->work_ns = expected_ns(bench, operations);
    c->making_ns = values * per_value + bytes * per_byte;
}

void plx__case_expect_first(plx_bench *bench, plx_case *c, double operations) {
    c->first_ns = expected_ns(bench, operations);
}

void plx__case_once(plx_bench *bench, plx_case *c, double operations) {
    c->repeats = c->visits = 1;
    plx__case_expect(bench, c, operations, 0, 0);
}

void plx__case_timed(const plx_bench *bench, plx_case *c, int64_t ns, double iterations) {
    enum { LEAST_STEPS = 10 };
    plx__case_sample(c, (double)ns / iterations);
    if (ns < LEAST_STEPS * bench->clock_ns)
        plx__case_void(c, "a sample took %lld ns, too short for a clock with steps of %lld ns",
                       (long long)ns, (long long)bench->clock_ns);
}

void plx__case_derived(plx_case *c, const char *name, const char *unit, double value, double low,
                       double high) {
    const int metric = plx__case_metric(c, name, unit, "none", false, PLX_METRIC_OWN, 1);
    plx__case_record(c, metric, value);
    if (isfinite(low) && isfinite(high)) {
        c->metrics[metric].low = low;
        c->metrics[metric].high = high;
    }
    c->checked = true;
}

static plx_case_extra *next_extra(plx_case *c, int metric, const char *path) {
    if (!has_room(c, c->extra_count, PLX_BENCH_EXTRAS, "extras")) return NULL;
    plx_case_extra *extra = &c->extras[c->extra_count++];
    *extra = (plx_case_extra){.metric = metric, .path = path};
    return extra;
}

void plx__case_extra(plx_case *c, int metric, const char *path, double value) {
    plx_case_extra *extra = next_extra(c, metric, path);
    if (extra) extra->number = value;
}

void plx__case_extra_text(plx_case *c, int metric, const char *path, const char *value) {
    plx_case_extra *extra = next_extra(c, metric, path);
    if (extra) extra->text = value;
}

void plx__case_series(plx_case *c, int metric, const char *path, int count, const double *values) {
    if (!has_room(c, c->series_count, PLX_BENCH_SERIES, "series")) return;
    plx_case_series *series = &c->series[c->series_count++];
    series->metric = metric;
    series->path = path;
    series->count = count < PLX_BENCH_SAMPLES ? count : PLX_BENCH_SAMPLES;
    memcpy(series->values, values, (size_t)series->count * sizeof *values);
}

/* FNV-1a, 64 bits (Fowler, Noll and Vo), over the bytes of each loss, least significant first. */
uint64_t plx__losses_hash(const plx_real *losses, int64_t count) {
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < count; ++i) {
        const float loss = (float)losses[i];
        uint32_t bits;
        memcpy(&bits, &loss, sizeof bits);
        for (int byte = 0; byte < 4; ++byte)
            hash = (hash ^ (bits >> 8 * byte & 0xff)) * 1099511628211u;
    }
    return hash;
}

void plx__case_losses(plx_case *c, const plx_real *losses, int64_t count) {
    plx__case_bits(c, plx__losses_hash(losses, count), (double)count);
    c->checks.last_loss = count ? (double)losses[count - 1] : NAN;
}

void plx__case_bits(plx_case *c, uint64_t hash, double count) {
    plx__format(c->checks.loss_bits, sizeof c->checks.loss_bits, "%016llx",
                (unsigned long long)hash);
    c->checks.steps = count;
    c->checks.last_loss = NAN;
}

void plx__case_void(plx_case *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    plx__format_list(c->checks.failure, sizeof c->checks.failure, format, args);
    va_end(args);
    c->checks.failed = true;
}

void plx__fill_uniform(uint64_t seed, uint32_t stream, int64_t n, plx_real *values) {
    plx_rng rng = plx_rng_new(seed, stream);
    for (int64_t i = 0; i < n; ++i) values[i] = (plx_real)((double)plx_rng_u32(&rng) * 0x1p-31 - 1);
}

void plx__fill_normal(uint64_t seed, uint32_t stream, int64_t n, plx_real *values) {
    plx_rng rng = plx_rng_new(seed, stream);
    for (int64_t i = 0; i < n; ++i) values[i] = (plx_real)plx_rng_normal(&rng);
}
