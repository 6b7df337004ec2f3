/* What a bench shows: a page, however many rows there are. */
#ifndef PLX_CLI_BENCH_PAGE_H
#define PLX_CLI_BENCH_PAGE_H

#include "bench_summary.h"

/* A line a suite and below it some of its cases: all where they fit; else what is void, and what is
 * nearest to what this machine allows and farthest from it. Of several runs, means of their medians
 * with deviations. False, with the sentence printed, when memory is short. */
bool page_print(FILE *to, const bench_summary *summary, const cJSON *rows, int runs);

#endif
