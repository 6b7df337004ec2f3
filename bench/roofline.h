/* The roofline (Williams, Waterman and Patterson, CACM 2009): what arithmetic and bandwidth allow,
 * measured in the run of the suite that it bounds. */
#ifndef PLX_BENCH_ROOFLINE_H
#define PLX_BENCH_ROOFLINE_H

#include "bench/harness.h"

/* Groups of cases that the roofline takes; the suite's own begin here. */
enum { PLX_ROOFLINE_GROUPS = 32 };

/* Adds the cases: arithmetic of every instruction set, and a sweep of bandwidth over sizes. */
void plx__roofline_plan(plx_bench *bench);
/* Adds a row for each level of memory that the sweep has shown. */
void plx__roofline_finish(plx_bench *bench);

/* Says in the metric's row where a timed case stands below the roofline, by its work. To be called
 * when all rounds are over. */
void plx__roofline_place(plx_bench *bench, plx_case *c, int metric);

#endif
