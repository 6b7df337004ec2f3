/* Rows on their way into files: JSON objects, written a line each or as CSV. */
#ifndef PLX_CLI_OUTPUT_H
#define PLX_CLI_OUTPUT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct output_file {
    char *name; /* owned, links resolved; NULL: not wanted; "-": standard output */
    FILE *file; /* NULL: nothing was written yet */
} output_file;

/* A file appears under its name when it is whole. Until then, what there is stands in FILE.part,
 * line by line as it comes, so that a process that is killed leaves there what it wrote: of a bench
 * nothing before its last round is over, as only then there are rows. */
typedef struct output {
    output_file json, csv, tables;
    bool failed; /* something could not be written, and that was said */
    cJSON *rows; /* what was written, without lists of samples: for the columns of the CSV, which
                  * only the last row settles, and for whom output_keep asked; NULL: not kept */
} output;

/* Checks that what --json, --csv and --tables name can be written, so that what cannot be is known
 * before the work. On failure the sentence is printed and nothing stays. */
bool output_open(output *out);
/* From now on rows are kept in out->rows until it is closed. False when memory is short. */
bool output_keep(output *out);
/* Takes the row. False, with the sentence printed, when it cannot be written. */
bool output_row(output *out, cJSON *row);
/* Completes the files; or, unless keep, leaves none. */
bool output_close(output *out, bool keep);
/* Whether tables for people go to standard error, as the rows go to standard output. */
FILE *output_tables(const output *out);
/* The file of --tables; NULL where none is wanted, or, with the sentence printed, cannot be had. */
FILE *output_tables_file(output *out);

#endif
