#include "bench/roofline.h"

#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/levels.h"
#include "bench/statistics.h"
#include "parallax.h"

#include <math.h>
#include <string.h>

static const char *const stream_names[] = {"read", "copy", "add"};

/* ---- Arithmetic ------------------------------------------------------------------------------ */

/* Opens a context of its own for each instruction set other than the bench's. */
static plx_status open_peak(plx_bench *bench, plx_case *c) {
    plx_ctx *ctx = plx__bench_ctx(bench);
    const plx_ctx_info info = plx_ctx_get_info(ctx);
    const char *isa = plx_isa_name(c->variant);
    c->state = c->ctx = ctx;
    if (strcmp(isa, info.isa) != 0) {
        plx_ctx_options options = plx_ctx_default();
        char message[PLX__MESSAGE_BYTES];
        plx_ctx *other;
        options.isa = isa;
        options.threads = info.threads;
        const plx_status status = plx_ctx_new(&options, &other, message, sizeof message);
        c->state = status == PLX_OK ? other : NULL;
        if (status != PLX_OK) return plx__bench_fail(bench, status, "%s", message);
        c->ctx = other;
    }
    c->size = 1000;
    return PLX_OK;
}

static plx_status run_peak(plx_bench *bench, plx_case *c, int64_t iterations) {
    const double operations = plx_peak(c->state, 0, iterations * c->size);
    if (!(operations > 0))
        return plx__bench_fail(bench, PLX_ERR_UNSUPPORTED,
                               "%s: the system had no processor for one of the threads", c->name);
    c->metrics[0].factor = operations / (double)iterations;
    return PLX_OK;
}

static void close_peak(plx_case *c) {
    plx_ctx_free(c->state);
    c->state = NULL;
}

/* Leaves the bench's own context open. */
static void close_own(plx_case *c) {
    c->state = NULL;
}

static void plan_peaks(plx_bench *bench) {
    const char *own = plx_ctx_get_info(plx__bench_ctx(bench)).isa;
    for (int i = 0; plx_isa_name(i); ++i) {
        const char *isa = plx_isa_name(i);
        const bool needed = !strcmp(isa, own);
        plx_case *c = needed ? plx__bench_need(bench, 0, "peak %s", isa)
                             : plx__bench_add(bench, 0, "peak %s", isa);
        if (!c) continue;
        c->variant = i;
        c->share = 0.5;
        c->open = open_peak;
        c->run = run_peak;
        c->close = needed ? close_own : close_peak;
        plx__case_text(c, "isa", isa);
        plx__case_metric(c, "peak", "GFLOP/s", "higher", true, PLX_METRIC_RATE, 1);
    }
}

/* ---- Bandwidth ------------------------------------------------------------------------------- */

typedef struct sweep {
    plx_bench *bench;
    plx_real *data;
    int64_t bytes;
    plx_stream stream;          /* the current stream */
    double moved;               /* bytes per pass over the array */
    int64_t times[PLX_STREAMS]; /* passes per sample */
} sweep;

static plx_status run_stream(void *arg, int64_t times) {
    sweep *s = arg;
    const double bytes = plx_bandwidth(plx__bench_ctx(s->bench), s->stream,
                                       s->bytes / (int64_t)sizeof(plx_real), s->data, times);
    s->moved = bytes / (double)times;
    if (bytes > 0) return PLX_OK;
    return plx__bench_fail(s->bench, PLX_ERR_UNSUPPORTED,
                           "bandwidth: the system had no processor for one of the threads");
}

/* A size that does not fit in memory is void; the others are still measured. */
static plx_status open_sweep(plx_bench *bench, plx_case *c) {
    sweep *s = c->state = plx_platform_alloc(sizeof *s);
    if (!s) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    *s = (sweep){.bench = bench, .data = plx_platform_alloc((size_t)c->size), .bytes = c->size};
    if (s->data)
        memset(s->data, 0, (size_t)c->size);
    else
        plx__case_void(c, "no memory for an array of %lld bytes", (long long)c->size);
    return PLX_OK;
}

/* Takes one sample of each stream, one after the other; without memory it records NaN for each, so
 * that each has its void row. */
static plx_status slice_sweep(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    sweep *s = c->state;
    (void)slice_ns;
    for (int k = 0; k < PLX_STREAMS; ++k) {
        double ns;
        if (!s->data) {
            plx__case_record(c, k, NAN);
            continue;
        }
        s->stream = (plx_stream)k;
        PLX_TRY(plx__bench_time(bench, run_stream, s, &s->times[k], &ns));
        plx__case_record(c, k, s->moved / ns);
    }
    *done = true;
    return PLX_OK;
}

static void close_sweep(plx_case *c) {
    sweep *s = c->state;
    if (s) plx_platform_free(s->data);
    plx_platform_free(s);
    c->state = NULL;
}

static void size_name(double bytes, char *text, size_t size) {
    const bool mega = bytes >= 1 << 20;
    plx__format(text, size, "%lld %s", (long long)(bytes / (mega ? 1 << 20 : 1 << 10)),
                mega ? "MiB" : "KiB");
}

static void plan_size(plx_bench *bench, int group, int64_t bytes) {
    static const int repeats[] = {1, 2, 2};
    char text[24];
    size_name((double)bytes, text, sizeof text);
    plx_case *c = plx__bench_need(bench, group, "bandwidth %s", text);
    if (!c) return;
    c->size = bytes;
    c->open = open_sweep;
    c->slice = slice_sweep;
    c->close = close_sweep;
    c->repeats = repeats[plx__bench_options(bench)->size];
    /* Three streams, each calibrated and then timed. */
    plx__case_expect(bench, c, 0, 0, 10.0 * (double)bytes * c->repeats);
    plx__case_number(c, "bytes", (double)bytes);
    for (int k = 0; k < PLX_STREAMS; ++k)
        plx__case_metric(c, stream_names[k], "GB/s", "higher", k == PLX_STREAM_COPY, PLX_METRIC_OWN,
                         1);
}

static void plan_sweep(plx_bench *bench) {
    for (int i = 0; plx_sweep_bytes(i); ++i) plan_size(bench, i + 1, plx_sweep_bytes(i));
}

void plx__roofline_plan(plx_bench *bench) {
    plan_peaks(bench);
    plan_sweep(bench);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

/* Interference only slows down, so a ceiling lies near the top of the samples. */
static double top_of(int count, const double *values) {
    double sorted[PLX_BENCH_SAMPLES];
    if (!count) return 0;
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    return plx__summarise(count, sorted).p90;
}

/* Operations per nanosecond of a case from plan_peaks. */
static double peak_of(const plx_case *c) {
    double rates[PLX_BENCH_SAMPLES];
    for (int i = 0; i < c->times.count; ++i) rates[i] = c->metrics[0].factor / c->times.values[i];
    return top_of(c->times.count, rates);
}

static bool read_point(plx_bench *bench, double bytes, plx_bandwidth_point *out) {
    char text[24], name[64];
    size_name(bytes, text, sizeof text);
    plx__format(name, sizeof name, "bandwidth %s", text);
    const plx_case *c = plx__bench_find(bench, name);
    if (!c) return false;
    *out = (plx_bandwidth_point){.bytes = (double)c->size};
    if (c->checks.failed) {
        out->failure = c->checks.failure;
        return true;
    }
    for (int k = 0; k < PLX_STREAMS; ++k)
        out->bandwidth[k] = top_of(c->metrics[k].samples.count, c->metrics[k].samples.values);
    return true;
}

static int read_levels(plx_bench *bench, plx_memory_level levels[PLX_MEMORY_LEVELS]) {
    plx_bandwidth_point points[PLX_SWEEP_POINTS];
    int count = 0;
    for (int i = 0; plx_sweep_bytes(i); ++i)
        count += read_point(bench, (double)plx_sweep_bytes(i), &points[count]);
    return plx_memory_levels(plx__bench_ctx(bench), count, points, levels);
}

void plx__roofline_finish(plx_bench *bench) {
    plx_memory_level levels[PLX_MEMORY_LEVELS];
    const int count = read_levels(bench, levels);
    for (int i = 0; i < count; ++i) {
        plx_case *c = plx__bench_add(bench, 0, "bandwidth %s", levels[i].name);
        if (!c) continue;
        plx__case_text(c, "level", levels[i].name);
        if (isfinite(levels[i].capacity)) plx__case_number(c, "capacity", levels[i].capacity);
        for (int k = 0; k < PLX_STREAMS; ++k)
            plx__case_derived(c, stream_names[k], "GB/s",
                              levels[i].failure ? NAN : levels[i].bandwidth[k], NAN, NAN);
        if (levels[i].failure) plx__case_void(c, "%s", levels[i].failure);
    }
}

/* ---- Shares of the roofline ------------------------------------------------------------------ */

void plx__roofline_place(plx_bench *bench, plx_case *c, int metric) {
    const plx_work *work = &c->work;
    char name[64];
    plx__format(name, sizeof name, "peak %s", plx_ctx_get_info(plx__bench_ctx(bench)).isa);
    const plx_case *top = plx__bench_find(bench, name);
    plx_memory_level levels[PLX_MEMORY_LEVELS];
    const int count = read_levels(bench, levels);
    if (!top || !count || !(work->bytes > 0)) return;
    const int at = plx_memory_level_of(count, levels, work->working_set);
    if (levels[at].failure) return;
    const plx_stream stream = plx_stream_like(work->bytes, work->written);
    const double peak = peak_of(top);
    const double bandwidth = plx_level_bandwidth(&levels[at], stream);
    const double arithmetic_ns = work->flops / peak, bytes_ns = work->bytes / bandwidth;
    const double least = arithmetic_ns > bytes_ns ? arithmetic_ns : bytes_ns;
    const plx_summary times = plx__case_summary(c);
    const double measured = times.median;
    if (!(measured > 0)) return;
    plx__case_extra(c, metric, "roofline.flops", work->flops);
    if (work->direct > work->flops) plx__case_extra(c, metric, "roofline.direct", work->direct);
    plx__case_extra(c, metric, "roofline.bytes", work->bytes);
    plx__case_extra(c, metric, "roofline.intensity", work->flops / work->bytes);
    plx__case_extra(c, metric, "roofline.achieved", work->flops / measured);
    plx__case_extra(c, metric, "roofline.peak", peak);
    plx__case_extra(c, metric, "roofline.bandwidth", bandwidth);
    plx__case_extra(c, metric, "roofline.attainable", work->flops / least);
    plx__case_extra(c, metric, "roofline.share", least / measured);
    plx__case_extra_text(c, metric, "roofline.level", levels[at].name);
    plx__case_extra_text(c, metric, "roofline.stream", stream_names[stream]);
    plx__case_extra_text(c, metric, "roofline.bound",
                         arithmetic_ns > bytes_ns ? "arithmetic" : "bandwidth");
    /* Nothing exceeds a roof: a case that does, by more than its interval, shows that the roof is
     * wrong. */
    if (least > times.high)
        plx__case_extra_text(c, metric, "roofline.failure",
                             arithmetic_ns > bytes_ns
                                 ? "the case is faster than the peak of arithmetic allows"
                                 : "the case is faster than this level of memory, so its data lay "
                                   "in a nearer one");
}
