/* What there is to measure, and how long it takes. */
#ifndef PLX_CLI_BENCH_LIST_H
#define PLX_CLI_BENCH_LIST_H

#include "bench/bench.h"

#include <stdio.h>

/* A line a suite with the time that it takes at each size; with cases, also a line for each of
 * them: the same names whatever the size, and "-" at a size that leaves one out. Of the suites and
 * cases that options choose. On failure the context has the sentence. */
plx_status list_bench(FILE *to, plx_ctx *ctx, const plx_bench_options *options, bool cases);

#endif
