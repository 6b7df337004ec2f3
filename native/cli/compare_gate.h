/* parallax compare --threshold */
#ifndef PLX_CLI_COMPARE_GATE_H
#define PLX_CLI_COMPARE_GATE_H

#include "compare_pairs.h"

#include <stdio.h>

/* Returns EXIT_SLOWER, with what is slower printed, when A is shown to be slower than B by more
 * than percent of B's speed: in the geometric mean, or in any primary case.
 *
 * Equal builds fail at most once in twenty runs, however many cases there are: 2.5% go to the mean,
 * whose 95% interval must lie below the threshold, and 2.5% are shared by the cases (Bonferroni:
 * R. A. Fisher's 5% divided by the number of looks), each held to its own interval of
 * 1 - 5% / cases. */
int gate_judge(FILE *to, const pair_list *pairs, const mean_speed *mean, double percent);

/* Returns EXIT_FAILED, with the sentence and a line for each case printed, when B has cases for
 * which A has no figure: nothing shows that A is as fast in those. */
int gate_complete(FILE *to, const pairing *p);

#endif
