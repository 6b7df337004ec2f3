/* Lists what can be measured, and how long it takes. */
#ifndef PLX_CLI_BENCH_LIST_H
#define PLX_CLI_BENCH_LIST_H

#include "bench/bench.h"

#include <stdio.h>

/* Prints a line per suite with the time that it takes at each size and, with cases, a line for each
 * case: the same names at every size, with "-" at a size that leaves the case out. Covers the
 * suites and cases that options choose. On failure the context has the sentence. */
plx_status list_bench(FILE *to, plx_ctx *ctx, const plx_bench_options *options, bool cases);

#endif
