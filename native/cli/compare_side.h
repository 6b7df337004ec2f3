/* One side of a comparison: the rows of its files, where rows of several runs that measure the same
 * form one measurement. */
#ifndef PLX_CLI_COMPARE_SIDE_H
#define PLX_CLI_COMPARE_SIDE_H

#include "estimate.h"

/* A row of a file; occurrence counts rows of the same measurement in the file, since files may be
 * joined. */
typedef struct run_row {
    const cJSON *row;
    int file, occurrence;
} run_row;

typedef struct measurement {
    const cJSON *row; /* the first run that is not void, otherwise the first: says what was
                       * measured, and on what */
    run_row *runs;    /* those that count */
    int count, room;
    int voided;    /* number of runs left out as void */
    bool positive; /* a ratio can be made of it */
    bool paired;
    estimate estimate; /* where it is positive */
} measurement;

typedef struct side {
    const char **names; /* of its files; the caller owns the strings */
    int files;
    cJSON **rows; /* of each file */
    measurement *list;
    int count, room;
    int repeated; /* number of rows left out because they were there already, as in a file joined
                   * twice */
} side;

/* Pools rows, which the caller keeps, as those of one more file. all: other metrics than the
 * figures of speed, too. Returns false, with the sentence printed, when memory is short. */
bool side_take(side *s, const cJSON *rows, int file, bool all);
/* Reads the files and pools the rows that are compared: each case's figure of speed, with all also
 * the other metrics, and the yardstick's. Returns false, with the sentence printed, when a file
 * cannot be read or memory is short. Call side_free in any case. */
bool side_read(side *s, const char **names, int files, bool all);
void side_free(side *s);

/* Whether suite, case, metric and unit are the same. */
bool same_names(const cJSON *a, const cJSON *b);
bool same_parameters(const cJSON *a, const cJSON *b);
/* Whether engine and options are the same; the build may differ. */
bool same_engine(const cJSON *a, const cJSON *b);
/* Whether the row is of the yardstick: a fixed piece of work beside every round, which shows
 * whether the machine itself changed speed. It is the same whatever engine was measured; its
 * parameters say what it runs on. */
bool is_yardstick(const cJSON *row);

#endif
