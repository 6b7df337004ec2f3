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

static int gather(plx_bench *bench, const plx_case *c, const plx_metric *metric) {
    if (metric->kind == PLX_METRIC_OWN) {
        memcpy(bench->values, metric->values, (size_t)metric->count * sizeof *metric->values);
        return metric->count;
    }
    for (int i = 0; i < c->count; ++i)
        bench->values[i] =
            metric->kind == PLX_METRIC_RATE ? metric->factor / c->ns[i] : metric->factor * c->ns[i];
    return c->count;
}

static plx_summary summarise(const plx_metric *metric, int count, double *values) {
    plx_summary s = plx__summarise(count, values);
    if (metric->kind == PLX_METRIC_TAIL) {
        const double tail = plx__quantile(count, values, 0.99);
        s = (plx_summary){.count = count, .median = tail, .p10 = tail, .p90 = tail, NAN, NAN};
    } else if (metric->kind == PLX_METRIC_OWN && metric->low <= metric->high) {
        s.low = metric->low;
        s.high = metric->high;
    }
    return s;
}

static void samples(plx_bench *bench, const plx_case *c, const plx_metric *metric) {
    double sorted[PLX_BENCH_SAMPLES];
    const int count = gather(bench, c, metric);
    memcpy(sorted, bench->values, (size_t)count * sizeof *sorted);
    const plx_summary s = summarise(metric, count, sorted);
    number(bench, "samples.count", count);
    number(bench, "samples.median", s.median);
    number(bench, "samples.p10", s.p10);
    number(bench, "samples.p90", s.p90);
    number(bench, "samples.mean", plx__mean(count, bench->values));
    number(bench, "samples.deviation", plx__deviation(count, bench->values));
    number(bench, "samples.low", s.low);
    number(bench, "samples.high", s.high);
    plx_field *field = add_field(bench, "samples.values", PLX_FIELD_NUMBERS);
    if (!field) return;
    field->numbers = bench->values;
    field->count = count;
}

static void engine(plx_bench *bench) {
    const plx_ctx_info info = plx_ctx_get_info(bench->ctx);
    text(bench, "engine.name", "parallax");
    text(bench, "engine.version", plx_version());
    text(bench, "engine.isa", info.isa);
    text(bench, "engine.gemm", info.gemm);
    number(bench, "engine.threads", info.threads);
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

static void checks(plx_bench *bench, const plx_case *c) {
    boolean(bench, "checks.passed", !c->checks.failed);
    if (c->checks.failed) text(bench, "checks.failure", c->checks.failure);
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
        plx_field *field = series->metric == metric && series->count
                               ? add_field(bench, series->path, PLX_FIELD_NUMBERS)
                               : NULL;
        if (!field) continue;
        field->numbers = series->values;
        field->count = series->count;
    }
}

static void fill(plx_bench *bench, const plx_case *c, const plx_metric *metric) {
    bench->field_count = 0;
    text(bench, "schema", "parallax-results-1");
    text(bench, "suite", plx_bench_suite_name(bench->suite));
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
    samples(bench, c, metric);
    engine(bench);
    data(bench, c);
    checks(bench, c);
    if (c->has_memory) memory(bench, &c->memory);
    if (c->ceiling > 0 && metric->primary && c->count > 0) {
        number(bench, "ceiling.gflops", c->ceiling);
        number(bench, "ceiling.share", c->flops / plx__case_median_ns(c) / c->ceiling);
    }
    extras(bench, c, (int)(metric - c->metrics));
}

int plx_bench_take_row(plx_bench *bench) {
    for (; bench->at < bench->case_count; ++bench->at, bench->metric_at = 0) {
        plx_case *c = bench->cases[bench->at];
        if (c->emitted || c->dropped) continue;
        if (!c->finished) return 0;
        while (bench->metric_at < c->metric_count) {
            const plx_metric *metric = &c->metrics[bench->metric_at++];
            if (metric->kind == PLX_METRIC_OWN && !metric->count) continue;
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
