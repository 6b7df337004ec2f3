/* The roofline (Williams, Waterman and Patterson, CACM 2009): the limits set by arithmetic and
 * bandwidth, measured in the run of the suite that they bound. */
#ifndef PLX_BENCH_ROOFLINE_H
#define PLX_BENCH_ROOFLINE_H

#include "bench/harness.h"

/* Number of case groups used by the roofline; the suite's own begin here. */
enum { PLX_ROOFLINE_GROUPS = 32 };

/* Adds the cases: peak arithmetic of every instruction set, and a sweep of bandwidth over sizes. */
void plx__roofline_plan(plx_bench *bench);
/* Adds a row for each level of memory found by the sweep. */
void plx__roofline_finish(plx_bench *bench);

/* Records in the metric's row where a timed case stands below the roofline, given its work. Call it
 * after the last round. */
void plx__roofline_place(plx_bench *bench, plx_case *c, int metric);

#endif
