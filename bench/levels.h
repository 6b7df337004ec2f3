/* The levels of memory, found in a sweep of bandwidth over sizes. */
#ifndef PLX_BENCH_LEVELS_H
#define PLX_BENCH_LEVELS_H

#include "parallax.h"

enum { PLX_STREAMS = 3, PLX_MEMORY_LEVELS = 4, PLX_SWEEP_POINTS = 16 };

/* The bandwidth of all threads together in one size of memory. */
typedef struct plx_bandwidth_point {
    double bytes, bandwidth[PLX_STREAMS]; /* GB/s, by plx_stream */
    const char *failure;                  /* why there is none; NULL: it was measured */
} plx_bandwidth_point;

/* Size number i of a sweep, in bytes, 0 past the last: doubling from 8 KiB to 64 MiB. If the last
 * cache's size is known and not much smaller, twice that size is added, so that memory itself is
 * measured. */
int64_t plx_sweep_bytes(int i);

typedef struct plx_memory_level {
    const char *name; /* "L1" */
    double capacity;  /* for all threads together; the last is infinite */
    double bandwidth[PLX_STREAMS];
    const char *failure; /* of one of its sizes, if none could be measured; NULL: one was */
} plx_memory_level;

/* Finds the levels of a sweep, nearest first, and returns their number; 0 if nothing was measured.
 * The points may be reordered. */
int plx_memory_levels(const plx_ctx *ctx, int count, plx_bandwidth_point points[PLX_SWEEP_POINTS],
                      plx_memory_level levels[PLX_MEMORY_LEVELS]);
/* The nearest of count levels that holds so many bytes. */
int plx_memory_level_of(int count, const plx_memory_level *levels, double bytes);
/* The stream whose share of writes is nearest: none, a half, a third. */
plx_stream plx_stream_like(double bytes, double written);
/* The bandwidth of a level for a stream, as a ceiling. */
double plx_level_bandwidth(const plx_memory_level *level, plx_stream stream);

#endif
