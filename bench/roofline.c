#include "bench/roofline.h"

#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/statistics.h"
#include "parallax.h"

#include <math.h>
#include <string.h>

static const char *const stream_names[] = {"read", "copy", "add"};
enum { STREAMS = 3, POINTS = 16, LEVELS = 4, FIRST_BYTES = 8192, LAST_BYTES = 64 << 20 };

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
    plx_stream stream;      /* the current stream */
    double moved;           /* bytes per pass over the array */
    int64_t times[STREAMS]; /* passes per sample */
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
    for (int k = 0; k < STREAMS; ++k) {
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
    for (int k = 0; k < STREAMS; ++k)
        plx__case_metric(c, stream_names[k], "GB/s", "higher", k == PLX_STREAM_COPY, PLX_METRIC_OWN,
                         1);
}

/* Sizes double from 8 KiB to 64 MiB. If the last cache's size is known and not much smaller, twice
 * that size is added, so that memory itself is measured. */
static void plan_sweep(plx_bench *bench) {
    int group = 1;
    for (int64_t bytes = FIRST_BYTES; bytes <= LAST_BYTES; bytes *= 2)
        plan_size(bench, group++, bytes);
    const int64_t beyond = 2 * plx_platform_cache_bytes(3);
    if (beyond > LAST_BYTES && beyond <= (int64_t)1 << 30) plan_size(bench, group, beyond);
}

void plx__roofline_plan(plx_bench *bench) {
    plan_peaks(bench);
    plan_sweep(bench);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

typedef struct point {
    double bytes, bandwidth[STREAMS]; /* GB/s */
    const char *failure;              /* why there is no bandwidth; NULL: it was measured */
} point;

typedef struct level {
    const char *name;
    double capacity; /* capacity for all threads together; the last is infinite */
    double bandwidth[STREAMS];
    const char *failure; /* of one of its sizes, if none could be measured; NULL: one was */
} level;

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

static bool read_point(plx_bench *bench, double bytes, point *out) {
    char text[24], name[64];
    size_name(bytes, text, sizeof text);
    plx__format(name, sizeof name, "bandwidth %s", text);
    const plx_case *c = plx__bench_find(bench, name);
    if (!c) return false;
    *out = (point){.bytes = (double)c->size};
    if (c->checks.failed) {
        out->failure = c->checks.failure;
        return true;
    }
    for (int k = 0; k < STREAMS; ++k)
        out->bandwidth[k] = top_of(c->metrics[k].samples.count, c->metrics[k].samples.values);
    return true;
}

static int read_sweep(plx_bench *bench, point points[POINTS]) {
    int count = 0;
    for (int64_t bytes = FIRST_BYTES; bytes <= LAST_BYTES; bytes *= 2)
        count += read_point(bench, (double)bytes, &points[count]);
    const double beyond = 2 * (double)plx_platform_cache_bytes(3);
    if (beyond > LAST_BYTES) count += read_point(bench, beyond, &points[count]);
    return count;
}

/* The best of each stream among sizes in (from, to]; returns false if there are none. */
static bool best_of(const point *points, int count, double from, double to, level *out) {
    const char *failure = NULL;
    bool any = false, measured = false;
    for (int k = 0; k < STREAMS; ++k) out->bandwidth[k] = 0;
    for (int i = 0; i < count; ++i) {
        if (points[i].bytes <= from || points[i].bytes > to) continue;
        any = true;
        if (points[i].failure) {
            failure = points[i].failure;
            continue;
        }
        measured = true;
        for (int k = 0; k < STREAMS; ++k)
            if (points[i].bandwidth[k] > out->bandwidth[k])
                out->bandwidth[k] = points[i].bandwidth[k];
    }
    out->failure = measured ? NULL : failure;
    return any;
}

/* Levels where the system reports cache sizes: the first two caches are per core, the third is
 * shared. Sizes near a boundary, up to twice the cache's size, lie in both levels and count for
 * neither. */
static int known_levels(plx_bench *bench, const point *points, int count, level levels[LEVELS]) {
    static const char *const names[] = {"L1", "L2", "L3"};
    const int threads = plx_ctx_get_info(plx__bench_ctx(bench)).threads;
    double below = 0;
    int found = 0;
    for (int i = 0; i < 3; ++i) {
        const double bytes = (double)plx_platform_cache_bytes(i + 1) * (i < 2 ? threads : 1);
        if (bytes <= below || !best_of(points, count, 2 * below, 0.75 * bytes, &levels[found]))
            continue;
        levels[found].name = names[i];
        levels[found++].capacity = below = bytes;
    }
    if (found && best_of(points, count, 1.5 * below, INFINITY, &levels[found]))
        levels[found++].name = "memory";
    return found;
}

/* The least sum of squares left after splitting values [n] into parts of at least two, each
 * represented by its mean; ends[i] is the end of part i. */
static double split(const double *values, int begin, int n, int parts, int *ends) {
    double best = INFINITY;
    if (parts == 1) {
        double mean = 0, squares = 0;
        for (int i = begin; i < n; ++i) mean += values[i] / (n - begin);
        for (int i = begin; i < n; ++i) squares += (values[i] - mean) * (values[i] - mean);
        ends[0] = n;
        return squares;
    }
    for (int end = begin + 2; end + 2 * (parts - 1) <= n; ++end) {
        int own, rest[LEVELS];
        const double squares =
            split(values, begin, end, 1, &own) + split(values, end, n, parts - 1, rest);
        if (!(squares < best)) continue;
        best = squares;
        ends[0] = end;
        memcpy(ends + 1, rest, (size_t)(parts - 1) * sizeof *ends);
    }
    return best;
}

static int drop_failed(point *points, int count) {
    int kept = 0;
    for (int i = 0; i < count; ++i)
        if (!points[i].failure) points[kept++] = points[i];
    return kept;
}

/* Otherwise levels are the plateaus of the sweep: the fewest parts, at most four, whose logarithms
 * of the copy's bandwidth stay within 10% of their means. Small sizes slowed down by overhead count
 * as if they were as fast as the fastest larger one. */
static int plateaus(const point *points, int count, level levels[LEVELS]) {
    static const char *const names[LEVELS][LEVELS] = {
        {"memory"}, {"L1", "memory"}, {"L1", "L2", "memory"}, {"L1", "L2", "L3", "memory"}};
    double values[POINTS], fastest = 1e-9;
    int ends[LEVELS] = {0}, parts = 1;
    for (int i = count - 1; i >= 0; --i) {
        const double here = points[i].bandwidth[PLX_STREAM_COPY];
        if (here > fastest) fastest = here;
        values[i] = plx_math_log(fastest);
    }
    while (split(values, 0, count, parts, ends) > 0.01 * count && parts < LEVELS &&
           2 * (parts + 1) <= count)
        parts += 1;
    for (int i = 0; i < parts; ++i) {
        levels[i].name = names[parts - 1][i];
        levels[i].capacity = points[ends[i] - 1].bytes;
        best_of(points, count, i ? levels[i - 1].capacity : 0, levels[i].capacity, &levels[i]);
    }
    return parts;
}

static int read_levels(plx_bench *bench, level levels[LEVELS]) {
    point points[POINTS];
    int count = read_sweep(bench, points);
    int found = known_levels(bench, points, count, levels);
    if (!found) {
        count = drop_failed(points, count);
        if (!count) return 0;
        found = plateaus(points, count, levels);
    }
    levels[found - 1].capacity = INFINITY;
    return found;
}

void plx__roofline_finish(plx_bench *bench) {
    level levels[LEVELS];
    const int count = read_levels(bench, levels);
    for (int i = 0; i < count; ++i) {
        plx_case *c = plx__bench_add(bench, 0, "bandwidth %s", levels[i].name);
        if (!c) continue;
        plx__case_text(c, "level", levels[i].name);
        if (isfinite(levels[i].capacity)) plx__case_number(c, "capacity", levels[i].capacity);
        for (int k = 0; k < STREAMS; ++k)
            plx__case_derived(c, stream_names[k], "GB/s",
                              levels[i].failure ? NAN : levels[i].bandwidth[k], NAN, NAN);
        if (levels[i].failure) plx__case_void(c, "%s", levels[i].failure);
    }
}

/* ---- Shares of the roofline ------------------------------------------------------------------ */

/* The stream whose share of writes is nearest: none, a half, a third. */
static plx_stream like_stream(const plx_work *work) {
    const double share = work->bytes > 0 ? work->written / work->bytes : 0;
    if (share < 1.0 / 6) return PLX_STREAM_READ;
    return share < 5.0 / 12 ? PLX_STREAM_ADD : PLX_STREAM_COPY;
}

void plx__roofline_place(plx_bench *bench, plx_case *c, int metric) {
    const plx_work *work = &c->work;
    char name[64];
    plx__format(name, sizeof name, "peak %s", plx_ctx_get_info(plx__bench_ctx(bench)).isa);
    const plx_case *top = plx__bench_find(bench, name);
    level levels[LEVELS];
    const int count = read_levels(bench, levels);
    if (!top || !count || !(work->bytes > 0)) return;
    int at = 0;
    while (at < count - 1 && work->working_set > levels[at].capacity) at += 1;
    if (levels[at].failure) return;
    const plx_stream stream = like_stream(work);
    const double peak = peak_of(top);
    double bandwidth = levels[at].bandwidth[stream];
    /* Additions of a sum may be slower than the first cache; reading is not slower than copying. */
    for (int k = 0; k < STREAMS && stream == PLX_STREAM_READ; ++k)
        bandwidth = fmax(bandwidth, levels[at].bandwidth[k]);
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
