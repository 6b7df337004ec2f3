/* Rows of results.schema.json, one per metric of a finished case. */
#include "bench/row.h"

#include "base/context.h"
#include "bench/statistics.h"

#include <math.h>
#include <string.h>

static plx_field *add_field(plx_bench *bench, const char *path, plx_field_kind kind) {
    if (bench->field_count == PLX_BENCH_FIELDS) return NULL;
    plx_field *field = &bench->fields[bench->field_count++];
    *field = (plx_field){.kind = kind, .text = ""};
    plx__format(field->path, sizeof field->path, "%s", path);
    return field;
}

static void text(plx_bench *bench, const char *path, const char *value) {
    plx_field *field = add_field(bench, path, PLX_FIELD_TEXT);
    if (field) field->text = value;
}

/* JSON has no NaN or infinity: such a field is left out. */
static void number(plx_bench *bench, const char *path, double value) {
    plx_field *field = isfinite(value) ? add_field(bench, path, PLX_FIELD_NUMBER) : NULL;
    if (field) field->number = value;
}

static void boolean(plx_bench *bench, const char *path, bool value) {
    plx_field *field = add_field(bench, path, PLX_FIELD_BOOLEAN);
    if (field) field->number = value;
}

/* Converts nanoseconds into the metric's values, or those of its rounds. */
static void convert(const plx_metric *metric, int count, double *values) {
    for (int i = 0; i < count; ++i) {
        if (metric->kind == PLX_METRIC_RATE) values[i] = metric->factor / values[i];
        if (metric->kind == PLX_METRIC_TIME || metric->kind == PLX_METRIC_TAIL)
            values[i] *= metric->factor;
    }
}

static const plx_samples *samples_of(const plx_case *c, const plx_metric *metric) {
    return metric->kind == PLX_METRIC_OWN ? &metric->samples : &c->times;
}

/* With two rounds Student's t has one degree of freedom: on a busy machine its interval spans many
 * powers of ten and says nothing. */
enum { INTERVAL_ROUNDS = 3 };

static plx_summary summarise(const plx_metric *metric, int count, double *values, int rounds,
                             const double *medians) {
    plx_summary s = plx__samples_summary(count, values, rounds, medians);
    if (metric->kind == PLX_METRIC_TAIL) {
        const double tail = plx__quantile(count, values, 0.99);
        s = (plx_summary){.count = count, .median = tail, .p10 = tail, .p90 = tail, NAN, NAN};
    } else if (metric->kind == PLX_METRIC_OWN && metric->low <= metric->high) {
        s.low = metric->low;
        s.high = metric->high;
    } else if (rounds > 1 && rounds < INTERVAL_ROUNDS) {
        s.low = s.high = NAN;
    }
    return s;
}

/* Voids figures whatever the case's own check says: not a number, or a speed that is not
 * positive. */
static bool is_figure(const plx_metric *metric, int count, const double *values) {
    for (int i = 0; i < count; ++i) {
        const bool positive = values[i] > 0 || (metric->kind == PLX_METRIC_OWN && !metric->primary);
        if (!isfinite(values[i]) || !positive) return false;
    }
    return count > 0;
}

static void numbers(plx_bench *bench, const char *path, int count, const double *values) {
    plx_field *field = add_field(bench, path, PLX_FIELD_NUMBERS);
    if (!field) return;
    field->numbers = values;
    field->count = count;
}

/* Returns false when there are no figures to summarise. */
static bool samples(plx_bench *bench, const plx_case *c, const plx_metric *metric) {
    double sorted[PLX_BENCH_SAMPLES];
    const plx_samples *taken = samples_of(c, metric);
    const int rounds = plx__samples_rounds(taken, bench->medians);
    if (taken->count) memcpy(bench->values, taken->values, (size_t)taken->count * sizeof *sorted);
    convert(metric, taken->count, bench->values);
    convert(metric, rounds, bench->medians);
    const bool ok = is_figure(metric, taken->count, bench->values);
    number(bench, "samples.count", ok ? taken->count : 0);
    if (!ok) return false;
    memcpy(sorted, bench->values, (size_t)taken->count * sizeof *sorted);
    const plx_summary s = summarise(metric, taken->count, sorted, rounds, bench->medians);
    number(bench, "samples.median", s.median);
    number(bench, "samples.p10", s.p10);
    number(bench, "samples.p90", s.p90);
    /* The rest is about the times themselves, which are not samples of their tail. */
    if (metric->kind == PLX_METRIC_TAIL) return true;
    number(bench, "samples.mean", plx__mean(taken->count, bench->values));
    number(bench, "samples.deviation", plx__deviation(taken->count, bench->values));
    number(bench, "samples.low", s.low);
    number(bench, "samples.high", s.high);
    numbers(bench, "samples.values", taken->count, bench->values);
    if (rounds > 1) numbers(bench, "samples.rounds", rounds, bench->medians);
    return true;
}

static void engine(plx_bench *bench, const plx_case *c) {
    const plx_ctx_info info = plx_ctx_get_info(bench->ctx);
    text(bench, "engine.name", "parallax");
    text(bench, "engine.version", plx_version());
    text(bench, "engine.isa", info.isa);
    text(bench, "engine.gemm", info.gemm);
    number(bench, "engine.threads", info.threads);
    number(bench, "engine.threadsWorked", c->threads_worked > 0 ? c->threads_worked : 1);
    text(bench, "engine.costs", c->assumed ? "assumed" : "measured");
    number(bench, "engine.vectorBits", info.vector_bits);
    boolean(bench, "engine.fma", info.fma);
    boolean(bench, "engine.exact", info.exact);
}

static void data(plx_bench *bench, const plx_case *c) {
    text(bench, "data.kind", c->real ? "real" : "synthetic");
    number(bench, "data.seed", (double)bench->options.seed);
    if (c->data_source) text(bench, "data.source", c->data_source);
    if (c->real && c->data_sha256) text(bench, "data.sha256", c->data_sha256);
}

static void checks(plx_bench *bench, const plx_case *c, bool figures) {
    boolean(bench, "checks.passed", !c->checks.failed && figures);
    if (c->checks.failed)
        text(bench, "checks.failure", c->checks.failure);
    else if (!figures)
        text(bench, "checks.failure", "a measured figure is not a finite number, or not above 0");
    if (c->checks.loss_bits[0]) {
        text(bench, "checks.lossBits", c->checks.loss_bits);
        number(bench, "checks.steps", c->checks.steps);
        number(bench, "checks.lastLoss", c->checks.last_loss);
    }
    if (c->checks.tolerance > 0) {
        number(bench, "checks.error", c->checks.error);
        number(bench, "checks.tolerance", c->checks.tolerance);
    }
}

static void memory(plx_bench *bench, const plx_memory *m) {
    number(bench, "memory.parameters", (double)m->parameters);
    number(bench, "memory.gradients", (double)m->gradients);
    number(bench, "memory.optimizer", (double)m->optimizer);
    number(bench, "memory.activations", (double)m->activations);
    number(bench, "memory.workspace", (double)m->workspace);
    number(bench, "memory.inputs", (double)m->inputs);
    if (m->kept) number(bench, "memory.kept", (double)m->kept);
    if (m->packed) number(bench, "memory.packed", (double)m->packed);
    if (m->folded) number(bench, "memory.folded", (double)m->folded);
}

static void extras(plx_bench *bench, const plx_case *c, int metric) {
    for (int i = 0; i < c->extra_count; ++i) {
        const plx_case_extra *extra = &c->extras[i];
        if (extra->metric != metric) continue;
        if (extra->text)
            text(bench, extra->path, extra->text);
        else
            number(bench, extra->path, extra->number);
    }
    for (int i = 0; i < c->series_count; ++i) {
        const plx_case_series *series = &c->series[i];
        if (series->metric == metric && series->count)
            numbers(bench, series->path, series->count, series->values);
    }
}

/* Nothing exceeds a ceiling: a case that does, by more than its interval, shows that it is none. */
static void ceiling(plx_bench *bench, const plx_case *c) {
    const plx_summary s = plx__case_summary(c);
    if (!(c->ceiling > 0) || !(s.median > 0)) return;
    number(bench, "ceiling.gflops", c->ceiling);
    number(bench, "ceiling.share", c->flops / s.median / c->ceiling);
    if (c->flops / s.high / c->ceiling > 1)
        text(bench, "ceiling.failure", "the case is faster than the ceiling, so it is no ceiling");
}

static void fill(plx_bench *bench, const plx_case *c, const plx_metric *metric) {
    bench->field_count = 0;
    text(bench, "schema", "parallax-results-1");
    text(bench, "suite", c->suite == PLX_BENCH_SUITES ? "machine" : plx_bench_suite_name(c->suite));
    text(bench, "case", c->name);
    for (int i = 0; i < c->parameter_count; ++i) {
        const plx_case_parameter *p = &c->parameters[i];
        char path[48];
        plx__format(path, sizeof path, "parameters.%s", p->name);
        if (p->text)
            text(bench, path, p->text);
        else
            number(bench, path, p->number);
    }
    text(bench, "metric", metric->name);
    text(bench, "unit", metric->unit);
    text(bench, "better", metric->better);
    boolean(bench, "primary", metric->primary);
    const bool figures = samples(bench, c, metric);
    engine(bench, c);
    data(bench, c);
    checks(bench, c, figures);
    if (c->has_memory) memory(bench, &c->memory);
    if (metric->primary) ceiling(bench, c);
    extras(bench, c, (int)(metric - c->metrics));
}

int plx_bench_take_row(plx_bench *bench) {
    for (; bench->at < bench->case_count; ++bench->at, bench->metric_at = 0) {
        plx_case *c = bench->cases[bench->at];
        if (c->emitted || c->dropped) continue;
        if (!c->finished) return 0;
        while (bench->metric_at < c->metric_count) {
            const plx_metric *metric = &c->metrics[bench->metric_at++];
            const bool own = metric->kind == PLX_METRIC_OWN && !metric->primary;
            if (own && !metric->samples.count) continue;
            fill(bench, c, metric);
            return bench->field_count;
        }
        c->emitted = true;
    }
    return 0;
}

const plx_field *plx_bench_field(const plx_bench *bench, int i) {
    return i >= 0 && i < bench->field_count ? &bench->fields[i] : NULL;
}
