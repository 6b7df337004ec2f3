/* One side of a comparison: the rows of its files, where the same row of several runs is one
 * measurement. */
#ifndef PLX_CLI_COMPARE_SIDE_H
#define PLX_CLI_COMPARE_SIDE_H

#include "estimate.h"

/* A row of a file; occurrence counts rows of the same measurement in it: files may be joined. */
typedef struct run_row {
    const cJSON *row;
    int file, occurrence;
} run_row;

typedef struct measurement {
    const cJSON *row; /* the first that is not void, else the first: what it is, and on what */
    run_row *runs;    /* those that count */
    int count, room;
    int voided;    /* runs that are left out as void */
    bool positive; /* a ratio can be made of it */
    bool paired;
    estimate estimate; /* where it is positive */
} measurement;

typedef struct side {
    const char **names; /* of its files; what they point to is the caller's */
    int files;
    cJSON **rows; /* of each file */
    measurement *list;
    int count, room;
    int repeated; /* rows that are there already, as in a file that was joined twice: left out */
} side;

/* Pools rows, which stay the caller's, as those of one more file. all: other metrics than the
 * figures of speed, too. False, with the sentence printed, when memory is short. */
bool side_take(side *s, const cJSON *rows, int file, bool all);
/* Reads the files, and pools the rows that are compared: each case's figure of speed, with all also
 * other metrics, and the yardstick's. False, with the sentence printed, when one cannot be read or
 * memory is short. side_free in any case. */
bool side_read(side *s, const char **names, int files, bool all);
void side_free(side *s);

/* The same suite, case, metric and unit. */
bool same_names(const cJSON *a, const cJSON *b);
bool same_parameters(const cJSON *a, const cJSON *b);
/* The same engine with the same options; the build may differ. */
bool same_engine(const cJSON *a, const cJSON *b);
/* A fixed piece of work beside every round, which shows whether the machine itself moved. It is the
 * same whatever the engine is that was measured; its parameters say what it runs on. */
bool is_yardstick(const cJSON *row);

#endif
