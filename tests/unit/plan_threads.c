/* How many threads a step gets on a machine whose costs are given. */
#include "check.h"

#include "base/context.h"

enum {
    COLUMNS = 512,
    STREAMING = 50, /* bytes per nanosecond of one thread */
    FORK_JOIN_NS = 1000,
    SETTLED = 8, /* measurements, after which none follows */
};

typedef enum source { PARAMETER, INPUT, PRODUCT } source;

/* The rows are those of a layer norm. */
static const struct {
    const char *what;
    source from;
    int64_t rows;
    double shared; /* bytes per nanosecond that another thread wrote */
    int threads;
} cases[] = {
    /* 2 MiB, read and written, take 84 us on one thread and 42 on two. */
    {"each thread reads its own share of parameters", PARAMETER, 1024, 0.1, 2},
    {"fetching 1 MiB from the caller takes 105 us", INPUT, 1024, 10, 1},
    {"fetching 1 MiB from the caller takes 10 us", INPUT, 1024, 100, 2},
    {"of what two threads wrote, one would fetch twice as much", PRODUCT, 1024, 10, 2},
    {"and however slowly", PRODUCT, 1024, 0.1, 2},
    /* 8 KiB, read and written, take 0.3 us. */
    {"less than a fork-join is saved", PARAMETER, 4, 100, 1},
    {"and of what two threads wrote", PRODUCT, 4, 100, 1},
};

/* Compiles x, or x w, and its layer norm; gives the last step. */
static plx_status last_step(plx_ctx *ctx, source from, int64_t rows, plx_tensor *const *tensors,
                            plx_step_info *info, double *threshold) {
    const int64_t dims[] = {rows, COLUMNS};
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    PLX_TRY(plx_graph_new(ctx, &graph));
    plx_node x = from == INPUT ? plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims)
                               : plx_parameter(graph, "x", tensors[0]);
    if (from == PRODUCT)
        x = plx_matmul(graph, x, plx_parameter(graph, "w", tensors[1]), false, false);
    const plx_node y = plx_layer_norm(graph, x, plx_none(), plx_none(), 1e-5);
    const plx_status status = plx_compile(graph, 1, &y, NULL, &plan);
    if (status == PLX_OK) {
        const int last = plx_plan_steps(plan) - 1;
        *info = plx_plan_step(plan, last);
        *threshold = plx_plan_threshold_rows(plan, last);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
    return status;
}

static void check_case(plx_check *t, plx_ctx *ctx, int number) {
    const int64_t rows = cases[number].rows;
    const int64_t dims[2][2] = {{rows, COLUMNS}, {COLUMNS, COLUMNS}};
    plx_tensor *tensors[2] = {NULL};
    plx_step_info info = {0};
    double threshold = 0;
    ctx->machine.shared_bytes_per_ns =
        cases[number].shared * (double)sizeof(plx_real) / sizeof(float);
    plx_status status = PLX_OK;
    for (int i = 0; i < 2 && status == PLX_OK; ++i)
        status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, dims[i], &tensors[i]);
    if (status == PLX_OK)
        status = last_step(ctx, cases[number].from, rows, tensors, &info, &threshold);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        CHECK(t, info.threads == cases[number].threads, "%s, but %lld rows have %d threads",
              cases[number].what, (long long)rows, info.threads);
        /* The same decision, as a number of rows. */
        const bool reached = threshold > 0 && (double)rows >= threshold;
        CHECK(t, reached == (info.threads == 2), "%s: two threads from %g rows on",
              cases[number].what, threshold);
    }
    for (int i = 0; i < 2; ++i) plx_tensor_free(tensors[i]);
}

void plx_test_unit_plan_threads(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (ctx && ctx->threads == 2) {
        ctx->machine.flops_per_ns = 100;
        ctx->machine.bytes_per_ns = STREAMING * (double)sizeof(plx_real) / sizeof(float);
        ctx->machine.fork_join_ns = FORK_JOIN_NS;
        ctx->machine.measurements = SETTLED;
        ctx->machine.threads_measured = true;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) check_case(t, ctx, (int)i);
    }
    plx_ctx_free(ctx);
}
