/* What suites fill their cases in with. */
#include "bench/row.h"

#include "base/context.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void plx__case_number(plx_case *c, const char *name, double value) {
    if (c->parameter_count == PLX_BENCH_PARAMETERS) return;
    c->parameters[c->parameter_count++] = (plx_case_parameter){.name = name, .number = value};
}

void plx__case_text(plx_case *c, const char *name, const char *value) {
    if (c->parameter_count == PLX_BENCH_PARAMETERS) return;
    c->parameters[c->parameter_count++] = (plx_case_parameter){.name = name, .text = value};
}

int plx__case_metric(plx_case *c, const char *name, const char *unit, const char *better,
                     bool primary, plx_metric_kind kind, double factor) {
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

void plx__case_record(plx_case *c, int metric, double value) {
    plx_metric *m = &c->metrics[metric];
    if (m->count < PLX_BENCH_SAMPLES) m->values[m->count++] = value;
}

void plx__case_derived(plx_case *c, const char *name, const char *unit, double value, double low,
                       double high) {
    const int metric = plx__case_metric(c, name, unit, "none", false, PLX_METRIC_OWN, 1);
    plx__case_record(c, metric, value);
    if (isfinite(low) && isfinite(high)) {
        c->metrics[metric].low = low;
        c->metrics[metric].high = high;
    }
    c->finished = true;
}

static plx_case_extra *next_extra(plx_case *c, int metric, const char *path) {
    if (c->extra_count == PLX_BENCH_EXTRAS) return NULL;
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
    if (c->series_count == PLX_BENCH_SERIES) return;
    plx_case_series *series = &c->series[c->series_count++];
    series->metric = metric;
    series->path = path;
    series->count = count < PLX_BENCH_SAMPLES ? count : PLX_BENCH_SAMPLES;
    memcpy(series->values, values, (size_t)series->count * sizeof *values);
}

/* FNV-1a, 64 bits (Fowler, Noll and Vo), over the bytes of each loss, least significant first. */
void plx__case_losses(plx_case *c, const plx_real *losses, int64_t count) {
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < count; ++i) {
        const float loss = (float)losses[i];
        uint32_t bits;
        memcpy(&bits, &loss, sizeof bits);
        for (int byte = 0; byte < 4; ++byte)
            hash = (hash ^ (bits >> 8 * byte & 0xff)) * 1099511628211u;
    }
    plx__case_bits(c, hash, (double)count);
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

void plx__fill_normal(uint64_t seed, uint32_t stream, int64_t n, plx_real *values) {
    plx_rng rng = plx_rng_new(seed, stream);
    for (int64_t i = 0; i < n; ++i) values[i] = (plx_real)plx_rng_normal(&rng);
}
