/* The page that a bench shows, whatever the number of rows. */
#ifndef PLX_CLI_BENCH_PAGE_H
#define PLX_CLI_BENCH_PAGE_H

#include "bench_summary.h"

/* Prints a line per suite and some of its cases below it: all if they fit; otherwise the void ones,
 * and those nearest to and farthest from what this machine allows. For several runs, means of their
 * medians with deviations. Returns false, with the sentence printed, when memory is short. */
bool page_print(FILE *to, const bench_summary *summary, const cJSON *rows, int runs);

#endif
