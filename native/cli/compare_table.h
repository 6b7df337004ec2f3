/* Prints the table of a comparison, and writes its rows for --json and --csv. */
#ifndef PLX_CLI_COMPARE_TABLE_H
#define PLX_CLI_COMPARE_TABLE_H

#include "compare_pairs.h"
#include "output.h"

/* Returns false, with the sentence printed, when a row cannot be written. */
bool table_print(output *out, const pair_list *pairs);
/* Prints the mean, and how many pairs were faster, slower or neither. */
bool table_mean(output *out, const pair_list *pairs, const mean_speed *mean);

#endif
