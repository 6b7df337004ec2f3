/* What parallax bench measures without arguments: a few cases of every suite, in a minute. */
#ifndef PLX_CLI_BENCH_SELECTION_H
#define PLX_CLI_BENCH_SELECTION_H

#include "bench/bench.h"

/* In the form of options.only. */
extern const char *const bench_selection[];

/* Sets seconds, unless they are given, so that the cases of options together take about a minute.
 * On failure the context has the sentence. */
plx_status selection_fit(plx_ctx *ctx, plx_bench_options *options);

#endif
