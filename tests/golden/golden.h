/* Cases of ops.json, and the builders they call. */
#ifndef PLX_TESTS_GOLDEN_H
#define PLX_TESTS_GOLDEN_H

#include "check.h"

#include <cjson/cJSON.h>

enum { GOLDEN_ARRAYS = 8 };

/* Numbers of the file: float32 or int32 of so many elements. */
typedef struct golden_array {
    const char *name;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    void *data; /* int32_t or float */
} golden_array;

/* A case in a graph of its own. */
typedef struct golden_case {
    const cJSON *json;
    const char *name;
    plx_graph *graph;
    int inputs_count;
    const char *names[GOLDEN_ARRAYS];
    plx_tensor *tensors[GOLDEN_ARRAYS];
    plx_node nodes[GOLDEN_ARRAYS];
} golden_case;

/* The whole file; NULL after a failed check. Free with cJSON_Delete. */
cJSON *golden_read(plx_check *t);
/* The same of another file. */
cJSON *golden_read_file(plx_check *t, const char *path);
/* Free data with free(). */
bool golden_array_read(plx_check *t, const cJSON *json, golden_array *out);
/* count 32-bit words from base64 text into values, which is as long. */
bool golden_decode(const char *text, int64_t count, void *values);
const cJSON *golden_list(const cJSON *json, const char *name);

/* For builders: an input by name (none when the case has none), and attributes. */
plx_node golden_input(const golden_case *c, const char *name);
double golden_number(const golden_case *c, const char *name);
const char *golden_text(const golden_case *c, const char *name);
/* Returns how many. */
int golden_integers(const golden_case *c, const char *name, int64_t *values);

/* Emits the op's results into y, which has room for GOLDEN_ARRAYS. */
typedef void (*golden_builder)(const golden_case *c, plx_node *y);

typedef struct golden_op {
    const char *name;
    golden_builder build; /* NULL: not linked here */
} golden_op;

/* NULL when there is no row of that name. */
const golden_op *golden_find_op(const char *name);

#endif
