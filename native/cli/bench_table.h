/* The rows of a bench as a table for people, one line each. */
#ifndef PLX_CLI_BENCH_TABLE_H
#define PLX_CLI_BENCH_TABLE_H

#include <cjson/cJSON.h>
#include <stdio.h>

void table_header(FILE *to, const char *suite);
void table_row(FILE *to, const cJSON *row);

/* "91% of the ceiling", "40% of the roofline, L2", or "" if there is no share or it does not
 * count. */
const char *share_text(const cJSON *row, char *text, size_t size);

#endif
