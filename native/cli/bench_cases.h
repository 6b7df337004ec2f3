/* The value of --cases: texts, some of which may be whole names of cases. */
#ifndef PLX_CLI_BENCH_CASES_H
#define PLX_CLI_BENCH_CASES_H

#include "command.h"

/* Writes options->cases, which commas separate, as texts that newlines end, so that the name of a
 * case may contain commas: *out, or NULL if there is none. Free it. */
plx_status split_cases(plx_ctx *ctx, const plx_bench_options *options, char **out);

#endif
