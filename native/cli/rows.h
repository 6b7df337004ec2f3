/* Rows as JSON, as in results.schema.json. */
#ifndef PLX_CLI_ROWS_H
#define PLX_CLI_ROWS_H

#include "bench/bench.h"

#include <cjson/cJSON.h>

#define ROW_SCHEMA "parallax-results-1"

/* The bench's latest row, completed with engine.kind, machine, compiler, commit and date. Returns
 * NULL when memory is short. */
cJSON *row_from_bench(const plx_bench *bench, int fields);

/* A row of one figure, for what the command measures itself: with checks passed, and data synthetic
 * from the seed, unless row_set changes them. */
cJSON *row_of_figure(const plx_ctx *ctx, const char *suite, const char *name, const char *metric,
                     const char *unit, const char *better, double value);

/* Sets path ("a.b": b in the object a, which is created if missing) to value, which the row then
 * owns. */
void row_set(cJSON *row, const char *path, cJSON *value);

/* The value at path "a.b"; NULL if there is none. */
const cJSON *row_get(const cJSON *row, const char *path);
/* "" and NaN if there is none. */
const char *row_text(const cJSON *row, const char *path);
double row_number(const cJSON *row, const char *path);

#endif
