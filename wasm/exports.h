/* Shared by the files of exported functions: the one context, and the results. */
#ifndef PLX_WASM_EXPORTS_H
#define PLX_WASM_EXPORTS_H

#include "parallax_nn.h"

#include <emscripten/emscripten.h>

/* Exported functions are called only from JavaScript. */
#pragma clang diagnostic ignored "-Wmissing-prototypes"
#define EXPORT EMSCRIPTEN_KEEPALIVE
/* Not exported in engines for inference, so that their linker drops all code for training. */
#ifdef PLX_INFERENCE
#define EXPORT_TRAINING
#else
#define EXPORT_TRAINING EXPORT
#endif

/* NULL before plx_js_start. */
plx_ctx *plx__js_context(void);

/* The results of the last function called: plx__js_left.info is a structure of doubles with the
 * fields of info in results.def. */
typedef struct plx__js_shape {
    double rank, dims[PLX_MAX_RANK];
} plx__js_shape;
#define BENCH_RESULT(name, fields) RESULT(name, fields)
#define NUMBER(name) double name;
#define FLAG(name) double name;
#define TEXT(name) double name;
#define SHAPE(name) plx__js_shape name;
#define PART(result, name) plx__left_##result name;
#define RESULT(name, fields)                                                                       \
    typedef struct plx__left_##name {                                                              \
        fields                                                                                     \
    } plx__left_##name;
#include "results.def"
#undef RESULT
#define RESULT(name, fields) plx__left_##name name;
typedef union plx__js_results {
#include "results.def"
} plx__js_results;
#undef BENCH_RESULT
#undef NUMBER
#undef FLAG
#undef TEXT
#undef SHAPE
#undef PART
#undef RESULT
extern plx__js_results plx__js_left;

static inline double plx__js_address(const void *address) {
    return (double)(uintptr_t)address;
}
plx__js_shape plx__js_shape_of(int rank, const int64_t *dims);
plx__left_metrics plx__js_metrics_of(plx_metrics metrics);
/* Leaves a new object as the result plx__js_left.made. */
static inline void plx__js_made(const void *object) {
    plx__js_left.made.address = plx__js_address(object);
}
/* Converts at most PLX_MAX_RANK sizes to the library's form. */
void plx__js_dims(int rank, const double *from, int64_t *dims);
/* Samples from addresses, one for each of PLX_PORTS ports, after those of targets that of the
 * weights of samples; NULL: none. */
plx_dataset plx__js_dataset(double n, const void *const *inputs, const void *const *targets);
/* JavaScript knows a node by its place in its graph; below 0: none. */
static inline plx_node plx__js_node(const plx_graph *graph, int place) {
    return plx_graph_node(graph, place);
}
static inline int plx__js_place(plx_node node) {
    return node.id < 0 ? -1 : (int)(node.id & INT32_MAX);
}

/* Scalars of losses and metrics, which JavaScript recorded as calls of builders. Each of them is
 * the number of doubles that it takes, including this one; the rows of the batch that it is for;
 * its number for plx_scalar_function; how many values it has; which value it gives; and its calls.
 * A call is its builder, the count of its inputs and their values (below 0: none), the count of its
 * numbers and the numbers, and the count of its results. Values are counted from 0: the output, its
 * target, and the results of the calls. */
typedef struct plx__js_functions {
    const double *numbers, *end;
} plx__js_functions;
/* The plx_scalar_function of plx__js_functions. */
plx_node plx__js_function(void *self, plx_graph *graph, int i, plx_node output, plx_node target);

/* A failure that the library does not know of: leaves its sentence for the next plx_js_message, and
 * returns status. */
int plx__js_fail(plx_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
