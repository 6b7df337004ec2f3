/* The graphs of one operation that the suite ops measures. */
#ifndef PLX_BENCH_OPS_CASES_H
#define PLX_BENCH_OPS_CASES_H

#include "bench/harness.h"

enum { PLX_OPS_TENSORS = 12, PLX_OPS_SIZES = 4, PLX_OPS_DIMS = 6 };

typedef struct plx_ops_graph {
    plx_ctx *ctx;
    plx_graph *graph;
    plx_rng rng;
    plx_tensor *tensors[PLX_OPS_TENSORS];
    plx_node values[PLX_OPS_TENSORS]; /* inputs that gradients are computed for */
    int tensor_count, value_count;
    plx_optimizer *optimizer;
    plx_status status; /* the first failure of a tensor or an optimizer */
    bool indices;      /* the result is i32, or there is none */
    plx_node result;
    plx_plan *plan;
} plx_ops_graph;

typedef struct plx_ops_case {
    const char *op; /* NULL ends a table */
    plx_node (*build)(plx_ops_graph *g, const int64_t *dims);
    int32_t dims[PLX_OPS_SIZES]
                [PLX_OPS_DIMS]; /* small, odd, medium, large; 0 first: not at that size */
    bool arithmetic;            /* the rate is in GFLOP/s; else in GB/s */
    bool backward;              /* measure the gradient as well */
} plx_ops_case;

extern const plx_ops_case plx__ops_cases[];
extern const plx_ops_case plx__ops_cases_more[];

/* Adds an operand of uniform values in [low, high), or of indices below a number. */
plx_node plx__ops_values(plx_ops_graph *g, int rank, const int64_t *dims, double low, double high);
plx_node plx__ops_indices(plx_ops_graph *g, int rank, const int64_t *dims, int64_t below);
#define PLX_OPS_SHAPE(...)                                                                         \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                       \
        __VA_ARGS__                                                                                \
    }
#define PLX_OPS_VALUES(g, ...) plx__ops_values(g, PLX_OPS_SHAPE(__VA_ARGS__), -1, 1)

#endif
