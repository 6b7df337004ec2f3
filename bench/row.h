/* The state of a bench, shared by the measuring loop and the rows made from it. */
#ifndef PLX_BENCH_ROW_H
#define PLX_BENCH_ROW_H

#include "bench/harness.h"

enum {
    PLX_BENCH_CASES = 512, /* of one suite */
    PLX_BENCH_SUITES = 32,
    PLX_BENCH_FIELDS = 64,
};

struct plx_bench {
    plx_ctx *ctx;
    plx_bench_options options;
    int64_t budget_ns, clock_ns;
    plx_rng rng; /* of the order of cases */
    bool chosen[PLX_BENCH_SUITES];
    int suite; /* at work; -1 before the first */
    bool suite_finished;
    plx_case *cases[PLX_BENCH_CASES];
    int case_count;
    int round[PLX_BENCH_CASES], round_count, turn;
    int64_t peak_rounds;
    double peaks[PLX_BENCH_SAMPLES]; /* GFLOP/s */
    int peak_count;

    int at, metric_at; /* the next case and metric to give a row */
    plx_field fields[PLX_BENCH_FIELDS];
    int field_count;
    double values[PLX_BENCH_SAMPLES];
    char seed_text[24];
};

#endif
