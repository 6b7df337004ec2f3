/* Where the time of a network's run goes: each step beside the ceiling that this machine has for
 * it. Ceilings are those of the roofline (Williams, Waterman and Patterson, CACM 2009), measured in
 * the same run, in rounds that alternate with the network's. */
#ifndef PLX_BENCH_PROFILE_H
#define PLX_BENCH_PROFILE_H

#include "bench/network.h"

typedef struct plx_profile plx_profile;

/* The network is borrowed, and run. Its optimizer gets the rate 0, so that weights stay as they are
 * however often it runs. Free with plx_profile_free. */
plx_status plx_profile_new(plx_network *network, plx_profile **out);
/* For tests: judges as if the clock had steps of so many nanoseconds (0: its own), and as if its
 * ceilings allowed nothing faster than so many times what they do. */
void plx__profile_pretend(plx_profile *profile, double clock_ns, double stricter);
void plx_profile_free(plx_profile *profile);

/* Measures for about slice_ns, at least one sample or one run. *fraction: share of the whole that
 * is done; 1 when there are results. PLX_ERR_UNSUPPORTED if nothing can be measured: the clock is
 * too coarse, or a run does not run the plan's steps, since a folded value is not finite. */
plx_status plx_profile_advance(plx_profile *profile, int64_t slice_ns, double *fraction);

/* Times are nanoseconds, and means within a round. The times of all steps are those of one round,
 * the one in which they take least together: interference only slows down, as it does for the
 * ceilings. least: what these allow. A ceiling counts multiply-adds and bytes, at the speed of all
 * threads, and the nearest level of memory that can hold what was touched since an operand was last
 * used. So it is a bound for any kernel, but one that no kernel of a function such as exp reaches.
 * A step that is faster than its ceiling, by more than noise, shows that this is none: it has no
 * share. */
typedef struct plx_profile_step {
    double ns,
        median_ns; /* in that round, and the median of the rounds; 0: see failure, or it is kept */
    double share;  /* of the time of all steps, 0 to 1 */
    double gflops, gbytes; /* GFLOP/s performed, and GB/s of operands read or written once */
    double least_ns;       /* 0 if it is unknown */
    double roofline;       /* least_ns / ns; 0 as well */
    const char *limit;     /* "arithmetic", or the level of memory that sets least_ns: "L2"; "" if
                              ceilings are unknown */
    double workers;        /* mean number of threads that did some of the work */
    const char *method;    /* as in plx_step_info */
    const char *failure;   /* why there is no time, or no share of the roofline; "" */
} plx_profile_step;

/* Steps of one op, shape and cost, together. */
typedef struct plx_profile_item {
    int step;           /* number of the first */
    int count;          /* how many there are */
    double ns, over_ns; /* of all: time, and time above the ceilings */
} plx_profile_item;

typedef struct plx_profile_total {
    int rounds, runs;     /* profiled runs in all rounds together */
    double ns, median_ns; /* of a run without profiling: the fastest round, and the median */
    double steps_ns;      /* of all steps */
    double bounded_ns;    /* of the steps that have a share of the roofline; 0: none has */
    double least_ns;      /* of the same steps */
    double roofline;      /* least_ns / bounded_ns; 0: unknown */
    double peak;          /* ceiling of arithmetic, all threads, GFLOP/s; 0: not measured */
    int levels, items;
    const char *note; /* sentences about what could not be measured; "" */
} plx_profile_total;

/* Results once the fraction is 1; texts live as long as the profile. */
plx_profile_total plx_profile_get(const plx_profile *profile);
/* Step number i of the plan; all 0 and "" if there is none. */
plx_profile_step plx_profile_step_at(const plx_profile *profile, int i);
/* Group number i, most time above the ceiling first; step -1 if there is none. Steps without a time
 * are in no group. */
plx_profile_item plx_profile_item_at(const plx_profile *profile, int i);
/* Level of memory number i, nearest first: its name, and GB/s by plx_stream. NULL if there is none.
 */
const char *plx_profile_level_at(const plx_profile *profile, int i, double bandwidth[3]);

#endif
