/* What a comparison says to people. */
#ifndef PLX_CLI_COMPARE_REPORT_H
#define PLX_CLI_COMPARE_REPORT_H

#include "compare_pairs.h"

#include <stdio.h>

/* Files, machines, builds and engines of both sides. */
void report_sides(FILE *to, const side *a, const side *b, const pair_list *pairs);
/* What differs that a reader would not expect, a line each. */
void report_differences(FILE *to, const pair_list *pairs);
/* How far the machine itself moved from one side to the other. True when that is more than chance
 * and more than a reader may overlook. */
bool report_machine(FILE *to, const pair_list *yardsticks);
/* Rows that stand alone. */
void report_unpaired(FILE *to, const pairing *p);

/* "avx512 OpenBLAS 0.3.21 x2": what tells the engine from others; beside: the other side's row,
 * whose provider of matrix products is named when one of both is not the built-in one. Free it. */
char *engine_text(const cJSON *row, const cJSON *beside);

#endif
