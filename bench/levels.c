#include "bench/levels.h"

#include "base/platform.h"

#include <math.h>
#include <string.h>

enum { FIRST_BYTES = 8192, LAST_BYTES = 64 << 20 };

int64_t plx_sweep_bytes(int i) {
    int64_t bytes = FIRST_BYTES;
    for (; i > 0 && bytes < LAST_BYTES; --i) bytes *= 2;
    if (i == 0) return bytes;
    const int64_t beyond = 2 * plx_platform_cache_bytes(3);
    return i == 1 && beyond > LAST_BYTES && beyond <= (int64_t)1 << 30 ? beyond : 0;
}

/* The best of each stream among sizes in (from, to]; returns false if there are none. */
static bool best_of(const plx_bandwidth_point *points, int count, double from, double to,
                    plx_memory_level *out) {
    const char *failure = NULL;
    bool any = false, measured = false;
    for (int k = 0; k < PLX_STREAMS; ++k) out->bandwidth[k] = 0;
    for (int i = 0; i < count; ++i) {
        if (points[i].bytes <= from || points[i].bytes > to) continue;
        any = true;
        if (points[i].failure) {
            failure = points[i].failure;
            continue;
        }
        measured = true;
        for (int k = 0; k < PLX_STREAMS; ++k)
            if (points[i].bandwidth[k] > out->bandwidth[k])
                out->bandwidth[k] = points[i].bandwidth[k];
    }
    out->failure = measured ? NULL : failure;
    return any;
}

/* Levels where the system reports cache sizes: the first two caches are per core, the third is
 * shared. Sizes near a boundary, up to twice the cache's size, lie in both levels and count for
 * neither. */
static int known_levels(const plx_ctx *ctx, const plx_bandwidth_point *points, int count,
                        plx_memory_level levels[PLX_MEMORY_LEVELS]) {
    static const char *const names[] = {"L1", "L2", "L3"};
    const int threads = plx_ctx_get_info(ctx).threads;
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
        int own, rest[PLX_MEMORY_LEVELS];
        const double squares =
            split(values, begin, end, 1, &own) + split(values, end, n, parts - 1, rest);
        if (!(squares < best)) continue;
        best = squares;
        ends[0] = end;
        memcpy(ends + 1, rest, (size_t)(parts - 1) * sizeof *ends);
    }
    return best;
}

static int drop_failed(plx_bandwidth_point *points, int count) {
    int kept = 0;
    for (int i = 0; i < count; ++i)
        if (!points[i].failure) points[kept++] = points[i];
    return kept;
}

/* Otherwise levels are the plateaus of the sweep: the fewest parts, at most four, whose logarithms
 * of the copy's bandwidth stay within 10% of their means. Small sizes slowed down by overhead count
 * as if they were as fast as the fastest larger one. */
static int plateaus(const plx_bandwidth_point *points, int count,
                    plx_memory_level levels[PLX_MEMORY_LEVELS]) {
    static const char *const names[PLX_MEMORY_LEVELS][PLX_MEMORY_LEVELS] = {
        {"memory"}, {"L1", "memory"}, {"L1", "L2", "memory"}, {"L1", "L2", "L3", "memory"}};
    double values[PLX_SWEEP_POINTS], fastest = 1e-9;
    int ends[PLX_MEMORY_LEVELS] = {0}, parts = 1;
    for (int i = count - 1; i >= 0; --i) {
        const double here = points[i].bandwidth[PLX_STREAM_COPY];
        if (here > fastest) fastest = here;
        values[i] = plx_math_log(fastest);
    }
    while (split(values, 0, count, parts, ends) > 0.01 * count && parts < PLX_MEMORY_LEVELS &&
           2 * (parts + 1) <= count)
        parts += 1;
    for (int i = 0; i < parts; ++i) {
        levels[i].name = names[parts - 1][i];
        levels[i].capacity = points[ends[i] - 1].bytes;
        best_of(points, count, i ? levels[i - 1].capacity : 0, levels[i].capacity, &levels[i]);
    }
    return parts;
}

int plx_memory_levels(const plx_ctx *ctx, int count, plx_bandwidth_point points[PLX_SWEEP_POINTS],
                      plx_memory_level levels[PLX_MEMORY_LEVELS]) {
    int found = known_levels(ctx, points, count, levels);
    if (!found) {
        count = drop_failed(points, count);
        if (!count) return 0;
        found = plateaus(points, count, levels);
    }
    levels[found - 1].capacity = INFINITY;
    return found;
}

/* ---- Ceilings -------------------------------------------------------------------------------- */

int plx_memory_level_of(int count, const plx_memory_level *levels, double bytes) {
    int at = 0;
    while (at < count - 1 && bytes > levels[at].capacity) at += 1;
    return at;
}

plx_stream plx_stream_like(double bytes, double written) {
    const double share = bytes > 0 ? written / bytes : 0;
    if (share < 1.0 / 6) return PLX_STREAM_READ;
    return share < 5.0 / 12 ? PLX_STREAM_ADD : PLX_STREAM_COPY;
}

/* Additions of a sum may be slower than the first cache; reading is not slower than copying. */
double plx_level_bandwidth(const plx_memory_level *level, plx_stream stream) {
    double bandwidth = level->bandwidth[stream];
    for (int k = 0; k < PLX_STREAMS && stream == PLX_STREAM_READ; ++k)
        bandwidth = fmax(bandwidth, level->bandwidth[k]);
    return bandwidth;
}
