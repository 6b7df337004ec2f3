/* Reports on a comparison, for people. */
#ifndef PLX_CLI_COMPARE_REPORT_H
#define PLX_CLI_COMPARE_REPORT_H

#include "compare_pairs.h"

#include <stdio.h>

/* Prints the files, machines, builds and engines of both sides. */
void report_sides(FILE *to, const side *a, const side *b, const pair_list *pairs);
/* Prints differences that a reader would not expect, a line each. */
void report_differences(FILE *to, const pair_list *pairs);
/* Prints how far the machine itself changed speed between the sides. Returns true if the change is
 * beyond chance and too large to overlook. */
bool report_machine(FILE *to, const pair_list *yardsticks);
/* Prints which rows have no counterpart. */
void report_unpaired(FILE *to, const pairing *p);

/* What tells the engine from others, such as "avx512 OpenBLAS 0.3.21 x2"; beside: the other side's
 * row. The provider of matrix products is named unless both use the built-in one. Free it. */
char *engine_text(const cJSON *row, const cJSON *beside);

#endif
