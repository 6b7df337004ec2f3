/* How many threads a step gets on a machine whose costs are given. */
#include "check.h"

#include "base/context.h"
#include "blocks/gemm.h"

#include <string.h>

enum {
    COLUMNS = 512,
    STREAMING = 50, /* bytes per nanosecond of one thread */
    FORK_JOIN_NS = 1000,
    SETTLED = 8, /* measurements, after which none follows */
};

/* What a layer norm reads, or, in MULTIPLIED, a product. */
typedef enum source { PARAMETER, INPUT, PRODUCT, MULTIPLIED } source;

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
    /* A product with 512 columns takes twice 512 flops for each value of 4 bytes, 10 ns in all: two
     * threads save 5 ns. */
    {"threads that share columns fetch all, which takes 8 ns a value", MULTIPLIED, 64, 0.5, 1},
    {"those that share rows half, which takes 4", MULTIPLIED, 2048, 0.5, 2},
};

/* Compiles x, or x w, and its layer norm, or x w alone; gives the last step. */
static plx_status last_step(plx_ctx *ctx, source from, int64_t rows, plx_tensor *const *tensors,
                            plx_step_info *info, double *threshold) {
    const int64_t dims[] = {rows, COLUMNS};
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    PLX_TRY(plx_graph_new(ctx, &graph));
    plx_node y = from == INPUT || from == MULTIPLIED
                     ? plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims)
                     : plx_parameter(graph, "x", tensors[0]);
    if (from == PRODUCT || from == MULTIPLIED)
        y = plx_matmul(graph, y, plx_parameter(graph, "w", tensors[1]), false, false);
    if (from != MULTIPLIED) y = plx_layer_norm(graph, y, plx_none(), plx_none(), 1e-5);
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

/* What a step leaves in a buffer for later ones was written by the threads of that step: the
 * derivative of GELU, kept with it, times the gradient. */
static void check_buffers(plx_check *t, plx_ctx *ctx) {
    const int64_t dims[2][2] = {{1024, COLUMNS}, {COLUMNS, COLUMNS}};
    plx_tensor *tensors[2] = {NULL};
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_node gradient;
    int buffers = 0;
    ctx->machine.shared_bytes_per_ns = (double)sizeof(plx_real) / sizeof(float);
    for (int i = 0; i < 2; ++i) plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, dims[i], &tensors[i]);
    plx_graph_new(ctx, &graph);
    const plx_node x = plx_parameter(graph, "x", tensors[0]);
    const plx_node w = plx_parameter(graph, "w", tensors[1]);
    const plx_node y = plx_activate(graph, plx_matmul(graph, x, w, false, false), PLX_SILU, 0);
    const plx_node z = plx_mul(graph, y, plx_layer_norm(graph, y, plx_none(), plx_none(), 1e-5));
    const plx_node loss = plx_reduce_mean(graph, plx_reduce_mean(graph, z, 1), 0);
    plx_status status = plx_gradients(graph, loss, 1, &w, &gradient);
    if (status == PLX_OK) status = plx_compile(graph, 1, &gradient, NULL, &plan);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    for (int i = 0; plan && i < plx_plan_steps(plan); ++i) {
        const plx_step_info info = plx_plan_step(plan, i);
        buffers += !strcmp(info.op, "buffer");
        if (!strcmp(info.op, "buffer") || info.rank < 2 || info.dims[1] < COLUMNS) continue;
        CHECK(t, info.threads == 2, "step %d, %s, has %d threads", i, info.op, info.threads);
    }
    CHECK(t, buffers, "the derivative is kept");
    plx_plan_free(plan);
    plx_graph_free(graph);
    for (int i = 0; i < 2; ++i) plx_tensor_free(tensors[i]);
}

/* Threads share rows where all have the packed B of a product in their caches, if there are rows
 * enough, and of a larger one, or of one that is packed in the run, only where the result is high.
 */
static void check_shares(plx_check *t, const plx_ctx *ctx) {
    static const plx_real packed;
    static const struct {
        int64_t m, n, k;
        bool packed, columns;
    } products[] = {
        {128, 64, 64, true, false},  {128, 64, 64, false, true},    {8, 64, 64, true, true},
        {128, 512, 512, true, true}, {2048, 512, 512, true, false}, {0, 64, 64, false, false},
        {128, 0, 64, false, false},  {128, 64, 0, false, false},
    };
    for (size_t i = 0; i < sizeof products / sizeof products[0]; ++i) {
        const plx__gemm_args args = {.m = products[i].m,
                                     .n = products[i].n,
                                     .k = products[i].k,
                                     .tb = true,
                                     .alpha = 1,
                                     .lda = products[i].k,
                                     .ldb = products[i].k,
                                     .ldc = products[i].n,
                                     .packed_b = products[i].packed ? &packed : NULL};
        CHECK(t, plx__gemm_reads_all(ctx, &args, 2) == products[i].columns,
              "two threads share %s of product %d", products[i].columns ? "rows" : "columns",
              (int)i);
    }
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
        check_buffers(t, ctx);
        check_shares(t, ctx);
    }
    plx_ctx_free(ctx);
}
