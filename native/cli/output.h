/* Rows on their way into files: JSON objects, written a line each or as CSV. */
#ifndef PLX_CLI_OUTPUT_H
#define PLX_CLI_OUTPUT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* A file appears under its name when it is whole; until then the rows are in FILE.part. */
typedef struct output {
    char *json, *csv, *tables; /* owned, links resolved; NULL: not wanted; "-": standard output */
    FILE *json_file, *csv_file, *tables_file;
    bool failed; /* a row could not be written, and that was said */
    cJSON *rows; /* for the columns of the CSV, which only the last row settles */
} output;

/* Opens what --json, --csv and --tables name, so that what cannot be written is known before the
 * work. On failure the sentence is printed and nothing stays. */
bool output_open(output *out);
/* Takes the row. False, with the sentence printed, when it cannot be written. */
bool output_row(output *out, cJSON *row);
/* Completes the files; or, unless keep, leaves none. */
bool output_close(output *out, bool keep);
/* Whether tables for people go to standard error, as the rows go to standard output. */
FILE *output_tables(const output *out);

#endif
