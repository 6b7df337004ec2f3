/* The state of a bench, shared by the code that plans cases, measures them and makes rows. */
#ifndef PLX_BENCH_ROW_H
#define PLX_BENCH_ROW_H

#include "bench/harness.h"
#include "bench/statistics.h"

enum {
    PLX_BENCH_SUITES = 32,
    PLX_BENCH_FIELDS = 96, /* per row, more than any has */
};

/* A fixed piece of work on one thread, the same code natively and in browsers. */
typedef struct plx_yardstick {
    plx_case *c; /* its metrics are the two below */
    int64_t times[2];
    int64_t taken_ns; /* when it was last applied */
    void *memory;     /* NULL: none to spare */
} plx_yardstick;

struct plx_bench {
    plx_ctx *ctx;
    plx_bench_options options;
    int64_t budget_ns, clock_ns;
    plx_rng rng; /* for the order of cases, and for where memory lies */
    int rounds;
    bool chosen[PLX_BENCH_SUITES];
    int suite; /* being planned, visited or finished; PLX_BENCH_SUITES: the machine itself */
    plx_case **cases;
    int case_count, case_room;

    int round;      /* the current one; equals rounds when all are done */
    bool in_round;  /* the round has begun */
    bool concluded; /* the suites are finished */
    void *spacer;   /* shifts the memory of a round */
    int *turns;     /* the cases visited together, in the order of this turn */
    int turn_count, turn;
    double fraction; /* last reported: it never falls */
    int64_t peak_times, peak_taken_ns;
    plx_samples peaks; /* GFLOP/s */
    plx_yardstick yardstick;

    int at, metric_at; /* the next case and metric to make a row of */
    plx_field fields[PLX_BENCH_FIELDS];
    int field_count;
    double values[PLX_BENCH_SAMPLES], medians[PLX_BENCH_ROUNDS];
};

/* Suite number i; NULL past the last. */
const plx_suite *plx__suite_at(int i);

/* Whether another sample of what is measured beside the cases is due: the first of a round, or
 * pause_ns after the last, unless there is no room for more. */
bool plx__bench_due(const plx_bench *bench, const plx_samples *taken, int64_t last_ns,
                    int64_t pause_ns);

/* Adds the machine itself as the first case of a run. */
void plx__yardstick_plan(plx_bench *bench);
/* Applies the yardstick, unless it was applied just before. */
void plx__yardstick_apply(plx_bench *bench);
void plx__yardstick_free(plx_bench *bench);

/* Records a sample of a timed case: nanoseconds per iteration. */
void plx__case_sample(plx_case *c, double ns);

/* Summary of a case's times in nanoseconds per iteration; NaN if there are none. */
plx_summary plx__case_summary(const plx_case *c);
/* Summary over rounds if there are several; otherwise over values [count], which get sorted. */
plx_summary plx__samples_summary(int count, double *values, int rounds, const double *medians);

#endif
