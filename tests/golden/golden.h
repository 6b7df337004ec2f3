/* Cases of ops.json, and the builders that they call. */
#ifndef PLX_TESTS_GOLDEN_H
#define PLX_TESTS_GOLDEN_H

#include "check.h"

#include <cjson/cJSON.h>

enum { GOLDEN_ARRAYS = 8 };

/* Numbers of the file: an array of float32 or int32. */
typedef struct golden_array {
    const char *name;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    void *data; /* int32_t or float */
} golden_array;

/* A case as a graph of its own. */
typedef struct golden_case {
    const cJSON *json;
    const char *name;
    plx_graph *graph;
    int inputs_count;
    const char *names[GOLDEN_ARRAYS];
    plx_tensor *tensors[GOLDEN_ARRAYS];
    plx_node nodes[GOLDEN_ARRAYS];
} golden_case;

/* Returns the whole file; NULL after a failed check. Free with cJSON_Delete. */
cJSON *golden_read(plx_check *t, const char *path);
/* Free data with free(). */
bool golden_array_read(plx_check *t, const cJSON *json, golden_array *out);
/* Decodes base64 text into values, which has room for count 32-bit words. */
bool golden_decode(const char *text, int64_t count, void *values);
const cJSON *golden_list(const cJSON *json, const char *name);

/* For builders: an input by name (none if the case has none), and attributes. */
plx_node golden_input(const golden_case *c, const char *name);
double golden_number(const golden_case *c, const char *name);
const char *golden_text(const golden_case *c, const char *name);
/* Returns the number of values. */
int golden_integers(const golden_case *c, const char *name, int64_t *values);

/* Emits the op's results into y, which has room for GOLDEN_ARRAYS. */
typedef void (*golden_builder)(const golden_case *c, plx_node *y);

typedef struct golden_op {
    const char *name;
    golden_builder build; /* NULL: not linked into this build */
} golden_op;

/* Returns NULL if there is no row of that name. */
const golden_op *golden_find_op(const char *name);

#endif
