/* Where the time of a network's run goes: each step beside the ceiling that this machine has for
 * it. Ceilings are those of the roofline (Williams, Waterman and Patterson, CACM 2009), measured in
 * the same run, in rounds that alternate with the network's. */
#ifndef PLX_BENCH_PROFILE_H
#define PLX_BENCH_PROFILE_H

#include "bench/network.h"

typedef struct plx_profile plx_profile;

/* The network is borrowed, and run: training changes its weights. Free with plx_profile_free. */
plx_status plx_profile_new(plx_network *network, plx_profile **out);
void plx_profile_free(plx_profile *profile);

/* Measures for about slice_ns, at least one sample or one run. *fraction: share of the whole that
 * is done; 1 when there are results. */
plx_status plx_profile_advance(plx_profile *profile, int64_t slice_ns, double *fraction);

/* Times are nanoseconds, and means within a round. The fastest of all rounds counts, since
 * interference only slows down, as it does for the ceilings. least: what these allow. A ceiling
 * counts multiply-adds and bytes, at the speed of all threads, and the nearest level of memory that
 * can hold what was touched since an operand was last used. So it is a bound for any kernel, but
 * one that no kernel of a function such as exp reaches. */
typedef struct plx_profile_step {
    double ns, median_ns;  /* the fastest round and the median of the rounds */
    double share;          /* of the time of all steps, 0 to 1 */
    double gflops, gbytes; /* GFLOP/s performed, and GB/s of operands read or written once */
    double least_ns;       /* 0: the ceilings could not be measured */
    double roofline;       /* least_ns / ns; 0 as well */
    const char *limit;     /* "arithmetic", or the level of memory that sets least_ns: "L2"; "" */
    double workers;        /* mean number of threads that did some of the work */
    const char *method;    /* as in plx_step_info */
} plx_profile_step;

/* Steps of one op, shape and cost, together. */
typedef struct plx_profile_item {
    int step;           /* number of the first */
    int count;          /* how many there are */
    double ns, over_ns; /* of all: time, and time above least_ns */
} plx_profile_item;

typedef struct plx_profile_total {
    int rounds, runs;     /* profiled runs in all rounds together */
    double ns, median_ns; /* of a run without profiling */
    double steps_ns;      /* of all steps */
    double least_ns;      /* of all steps; 0: unknown */
    double roofline;      /* least_ns / steps_ns; 0: unknown */
    double peak;          /* ceiling of arithmetic, all threads, GFLOP/s; 0: not measured */
    int levels, items;
} plx_profile_total;

/* Results once the fraction is 1; texts live as long as the profile. */
plx_profile_total plx_profile_get(const plx_profile *profile);
/* Step number i of the plan. */
plx_profile_step plx_profile_step_at(const plx_profile *profile, int i);
/* Group number i, most time above the ceiling first. */
plx_profile_item plx_profile_item_at(const plx_profile *profile, int i);
/* Level of memory number i, nearest first: its name, and GB/s by plx_stream. */
const char *plx_profile_level_at(const plx_profile *profile, int i, double bandwidth[3]);

#endif
