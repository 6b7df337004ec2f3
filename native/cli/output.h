/* Writes rows to files: JSON objects, one per line, or CSV. */
#ifndef PLX_CLI_OUTPUT_H
#define PLX_CLI_OUTPUT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct output_file {
    char *name;  /* owned, with links resolved; NULL: not wanted; "-": standard output */
    FILE *file;  /* NULL: nothing written yet */
    off_t whole; /* bytes up to the end of the last row that was written */
} output_file;

/* A file appears under its name when it is complete. Until then its lines go to FILE.part as they
 * come, so that a process that is killed leaves there what it wrote: for a bench nothing before the
 * end of its last round, since only then there are rows. */
typedef struct output {
    output_file json, csv, tables;
    bool failed; /* something could not be written, and this was reported */
    cJSON *rows; /* the rows written, without lists of samples: for the columns of the CSV, which
                  * are known only after the last row, and for callers of output_keep; NULL: not
                  * kept */
} output;

/* Checks that the files of --json, --csv and --tables can be written, so that a failure is known
 * before the work. On failure the sentence is printed and no file is left. */
bool output_open(output *out);
/* Keeps rows in out->rows from now on, until it is closed. Returns false when memory is short. */
bool output_keep(output *out);
/* Writes the row and takes ownership of it. Returns false, with the sentence printed, when it
 * cannot be written. */
bool output_row(output *out, cJSON *row);
/* Completes the files, or removes them if keep is false. Returns false, with the sentence printed,
 * when not all could be written; the rows of the JSON that could be then stay in FILE.part. */
bool output_close(output *out, bool keep);
/* Where tables for people go: standard error if the rows go to standard output. */
FILE *output_tables(const output *out);
/* The file of --tables; NULL if none is wanted, or, with the sentence printed, if it cannot be
 * opened. */
FILE *output_tables_file(output *out);

#endif
