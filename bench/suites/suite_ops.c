/* Suite ops: every operation as a plan of its own at four sizes, one of them with odd numbers and
 * few channels or columns, against the roofline; and the cost of an empty step and parallel
 * loop. */
#include "bench/suites/ops_cases.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/roofline.h"
#include "ops/op.h"

#include <math.h>
#include <string.h>

enum { SMALL = 0, ODD, MEDIUM, LARGE, WITH_GRADIENT = 1, STREAM_OPS = 940 };
static const char *const size_names[] = {"small", "odd", "medium", "large"};

static const plx_ops_case *const tables[] = {plx__ops_cases, plx__ops_cases_more};

/* ---- Operands -------------------------------------------------------------------------------- */

static plx_tensor *new_tensor(plx_ops_graph *g, plx_dtype dtype, int rank, const int64_t *dims) {
    plx_tensor *tensor = NULL;
    if (g->status != PLX_OK || g->tensor_count == PLX_OPS_TENSORS) return NULL;
    g->status = plx_tensor_new(g->ctx, dtype, rank, dims, &tensor);
    if (tensor) g->tensors[g->tensor_count++] = tensor;
    return tensor;
}

plx_node plx__ops_values(plx_ops_graph *g, int rank, const int64_t *dims, double low, double high) {
    plx_tensor *tensor = new_tensor(g, PLX_DTYPE_REAL, rank, dims);
    if (!tensor) return plx_none();
    plx_real *values = plx_tensor_data(tensor);
    const double step = (high - low) / 4294967296.0;
    for (int64_t i = 0; i < plx_tensor_size(tensor); ++i)
        values[i] = (plx_real)(low + step * plx_rng_u32(&g->rng));
    const plx_node node = plx_parameter(g->graph, NULL, tensor);
    g->values[g->value_count++] = node;
    return node;
}

plx_node plx__ops_indices(plx_ops_graph *g, int rank, const int64_t *dims, int64_t below) {
    plx_tensor *tensor = new_tensor(g, PLX_DTYPE_I32, rank, dims);
    if (!tensor) return plx_none();
    int32_t *values = plx_tensor_data(tensor);
    for (int64_t i = 0; i < plx_tensor_size(tensor); ++i)
        values[i] = (int32_t)plx_rng_below(&g->rng, below);
    return plx_parameter(g->graph, NULL, tensor);
}

/* ---- Functions of one value ------------------------------------------------------------------ */

#define UNARY(name, from, kink, samples) &plx__op_##name,
static const plx_op *const unaries[] = {
#include "kernels/unary.def"
};
#undef UNARY
enum { UNARIES = sizeof unaries / sizeof *unaries };
static const int64_t unary_sizes[] = {1 << 10, 4099, 1 << 16, 1 << 22};

/* Uses the range of the op's first sample: logarithms need positive values. */
static plx_node build_unary(plx_ops_graph *g, const plx_op *op, int64_t n) {
    const plx_activation activation = plx_activation_from_name(op->name);
    plx__attrs attrs = {.rank = 0};
    if (activation != PLX_ACTIVATIONS_)
        attrs.unary.alpha = (double)plx_activation_default(activation);
    const char *samples = op->samples;
    plx__sample first;
    plx__sample_read(op, &samples, &first);
    const plx_node x = plx__ops_values(g, 1, &n, first.inputs[0].low, first.inputs[0].high);
    return plx__build1(g->graph, op, x, &attrs);
}

/* ---- A case ---------------------------------------------------------------------------------- */

/* The parameters that identify the cases of this suite. */
typedef struct ops_job {
    const plx_ops_case *row; /* NULL: a function of one value */
    const plx_op *unary;
    int64_t dims[PLX_OPS_DIMS];
    bool gradient;
} ops_job;

static ops_job job_of(const plx_case *c) {
    ops_job job = {.gradient = c->variant & WITH_GRADIENT};
    const int size = (int)(c->size % 8), index = (int)(c->size / 8);
    if (index < UNARIES) {
        job.unary = unaries[index];
        job.dims[0] = unary_sizes[size];
        return job;
    }
    int before = UNARIES;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; ++t)
        for (const plx_ops_case *row = tables[t]; row->op; ++row)
            if (before++ == index) {
                job.row = row;
                for (int i = 0; i < PLX_OPS_DIMS; ++i) job.dims[i] = row->dims[size][i];
            }
    return job;
}

/* Square sizes that others report; their index follows those of the tables. */
static const int64_t squares[] = {1000, 5000, 10000};

static plx_node build_square(plx_ops_graph *g, int64_t n) {
    const plx_node a = PLX_OPS_VALUES(g, n, n), b = PLX_OPS_VALUES(g, n, n);
    return plx_matmul(g->graph, a, b, false, false);
}

/* Steps so small that only their overhead counts. */
enum { DISPATCH_STEPS = 64, DISPATCH_VALUES = 8 };

static plx_node build_dispatch(plx_ops_graph *g) {
    const plx_node b = PLX_OPS_VALUES(g, DISPATCH_VALUES);
    plx_node x = PLX_OPS_VALUES(g, DISPATCH_VALUES);
    for (int i = 0; i < DISPATCH_STEPS; ++i) x = plx_add(g->graph, x, b);
    return x;
}

enum { SQUARE = -1, DISPATCH = -2 };

static plx_node build(plx_ops_graph *g, const plx_case *c, bool *gradient) {
    *gradient = false;
    if (c->variant == SQUARE) return build_square(g, c->size);
    if (c->variant == DISPATCH) return build_dispatch(g);
    const ops_job job = job_of(c);
    *gradient = job.gradient;
    return job.unary ? build_unary(g, job.unary, job.dims[0]) : job.row->build(g, job.dims);
}

/* The loss is the sum of the result: its gradient is 1 everywhere, which costs one more write. */
static plx_status compile(plx_ops_graph *g, plx_node y, bool gradient) {
    plx_node outputs[PLX_OPS_TENSORS + 1] = {y};
    int count = 1;
    PLX_TRY(g->status);
    PLX_TRY(plx_graph_status(g->graph));
    if (gradient) {
        const plx_node loss = plx_reduce_sum(g->graph, y, PLX_ALL_AXES);
        PLX_TRY(plx_gradients(g->graph, loss, g->value_count, g->values, outputs + 1));
        count += g->value_count;
    }
    return plx_compile(g->graph, count, outputs, NULL, &g->plan);
}

static void close_op(plx_case *c) {
    plx_ops_graph *g = c->state;
    if (!g) return;
    plx_plan_free(g->plan);
    plx_graph_free(g->graph);
    plx_optimizer_free(g->optimizer);
    for (int i = 0; i < g->tensor_count; ++i) plx_tensor_free(g->tensors[i]);
    plx_platform_free(g);
    c->state = NULL;
}

static plx_work work_of(const plx_ops_graph *g) {
    const plx_memory memory = plx_plan_memory(g->plan);
    plx_work work = {.flops = plx_plan_flops(g->plan)};
    for (int s = 0; s < plx_plan_steps(g->plan); ++s) {
        const plx_step_info info = plx_plan_step(g->plan, s);
        double written = sizeof(plx_real);
        for (int i = 0; i < info.rank; ++i) written *= (double)info.dims[i];
        work.bytes += info.bytes;
        work.direct += info.direct_flops;
        work.written += written;
    }
    const double held = (double)(memory.parameters + memory.gradients + memory.optimizer +
                                 memory.activations + memory.workspace + memory.inputs);
    /* A gather touches only part of its table. */
    work.working_set = held < work.bytes ? held : work.bytes;
    return work;
}

/* The values that a check reads; NULL if there are none. */
static const plx_real *result_of(const plx_ops_graph *g, int64_t *size) {
    const int64_t *dims;
    const int rank = plx_node_shape(g->graph, g->result, &dims);
    *size = 1;
    for (int i = 0; i < rank; ++i) *size *= dims[i];
    return g->indices ? NULL : plx_plan_output(g->plan, g->result);
}

static plx_status open_op(plx_bench *bench, plx_case *c) {
    plx_ops_graph *g = c->state = plx_platform_alloc(sizeof *g);
    bool gradient;
    if (!g) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    memset(g, 0, sizeof *g);
    g->ctx = plx__bench_ctx(bench);
    g->rng = plx_rng_new(plx__bench_options(bench)->seed, STREAM_OPS);
    PLX_TRY(plx_graph_new(g->ctx, &g->graph));
    g->result = build(g, c, &gradient);
    PLX_TRY(compile(g, g->result, gradient));
    if (c->variant == DISPATCH) return PLX_OK;
    c->work = work_of(g);
    const bool arithmetic = !strcmp(c->metrics[1].unit, "GFLOP/s");
    c->metrics[1].factor = arithmetic ? c->work.flops : c->work.bytes;
    return PLX_OK;
}

static plx_status run_op(plx_bench *bench, plx_case *c, int64_t iterations) {
    const plx_ops_graph *g = c->state;
    plx_status status = PLX_OK;
    (void)bench;
    for (int64_t i = 0; i < iterations && status == PLX_OK; ++i) status = plx_plan_run(g->plan);
    return status;
}

static plx_status check_op(plx_bench *bench, plx_case *c) {
    const plx_ops_graph *g = c->state;
    int64_t size;
    const plx_real *y = result_of(g, &size);
    (void)bench;
    for (int64_t i = 0; y && i < size && !c->checks.failed; ++i)
        if (!isfinite(y[i]))
            plx__case_void(c, "element %lld of the result is %g", (long long)i, (double)y[i]);
    return PLX_OK;
}

static void conclude_op(plx_bench *bench, plx_case *c) {
    plx__roofline_place(bench, c, 0);
}

/* ---- Fork and join --------------------------------------------------------------------------- */

static void nothing(void *arg, int64_t begin, int64_t end, int worker) {
    (void)arg;
    (void)begin;
    (void)end;
    (void)worker;
}

/* On a busy machine it takes a while until every thread has arrived and counts; if one never does,
 * this stops waiting and the bench goes on. */
static plx_status run_fork_join(plx_bench *bench, plx_case *c, int64_t iterations) {
    enum { PATIENCE_NS = 50000000 };
    plx_ctx *ctx = plx__bench_ctx(bench);
    (void)c;
    for (int64_t i = 0; i < iterations; ++i)
        (void)plx__parallel_each(ctx->pool, ctx->threads, PATIENCE_NS, nothing, NULL);
    return PLX_OK;
}

/* ---- The cases ------------------------------------------------------------------------------- */

static plx_case *add_case(plx_bench *bench, int group, const char *op, const char *size,
                          const char *pass, bool arithmetic) {
    const bool forward = !strcmp(pass, "forward");
    plx_case *c = plx__bench_add(bench, group, "%s %s%s%s", op, size, forward ? "" : " ",
                                 forward ? "" : pass);
    if (!c) return NULL;
    c->share = 0.25;
    plx__case_expect(bench, c, 0, 1e5, 0); /* for a size in the middle */
    c->open = open_op;
    c->run = run_op;
    c->check = check_op;
    c->close = close_op;
    c->conclude = conclude_op;
    plx__case_text(c, "op", op);
    plx__case_text(c, "size", size);
    plx__case_text(c, "pass", pass);
    plx__case_metric(c, "time", "us", "lower", true, PLX_METRIC_TIME, 1e-3);
    plx__case_metric(c, "rate", arithmetic ? "GFLOP/s" : "GB/s", "higher", false, PLX_METRIC_RATE,
                     0);
    return c;
}

static void name_shape(plx_case *c, const int64_t *dims) {
    for (int i = 0; i < PLX_OPS_DIMS && dims[i]; ++i) {
        const size_t at = strlen(c->shape);
        plx__format(c->shape + at, sizeof c->shape - at, "%s%lld", i ? "x" : "",
                    (long long)dims[i]);
    }
    plx__case_text(c, "shape", c->shape);
}

static void plan_row(plx_bench *bench, int index, int *group) {
    const plx_bench_size effort = plx__bench_options(bench)->size;
    const plx_case which = {.size = 8 * (int64_t)index};
    const ops_job job = job_of(&which);
    const bool backward = job.row ? job.row->backward : !strcmp(job.unary->name, "gelu");
    for (int size = SMALL; size <= LARGE; ++size) {
        if (effort == PLX_BENCH_QUICK && (size == ODD || size == LARGE)) continue;
        const plx_case sized = {.size = 8 * (int64_t)index + size};
        const ops_job here = job_of(&sized);
        if (!here.dims[0]) continue;
        const char *op = job.row ? job.row->op : job.unary->name;
        for (int gradient = 0; gradient <= backward; ++gradient) {
            plx_case *c = add_case(bench, *group, op, size_names[size],
                                   gradient ? "forward and backward" : "forward",
                                   job.row && job.row->arithmetic);
            if (!c) continue;
            c->size = sized.size;
            c->variant = gradient ? WITH_GRADIENT : 0;
            name_shape(c, here.dims);
        }
        *group += 1;
    }
}

static int count_rows(void) {
    int rows = UNARIES;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; ++t)
        for (const plx_ops_case *row = tables[t]; row->op; ++row) rows += 1;
    return rows;
}

static bool can_have(int64_t bytes) {
    void *memory = plx_platform_alloc((size_t)bytes);
    plx_platform_free(memory);
    return memory != NULL;
}

static void plan_squares(plx_bench *bench, int *group) {
    const int effort = (int)plx__bench_options(bench)->size;
    for (int i = 0; i <= effort && i < (int)(sizeof squares / sizeof *squares); ++i) {
        const int64_t n = squares[i];
        /* Three matrices, and room for packing. A browser's module may not have that much. */
        if (n > 1000 && !can_have(14 * n * n)) continue;
        char name[16];
        plx__format(name, sizeof name, "%lld", (long long)n);
        plx_case *c = add_case(bench, (*group)++, "matmul", name, "forward", true);
        if (!c) continue;
        c->size = n;
        c->variant = SQUARE;
        c->parameters[1].text = "square";
        name_shape(c, (const int64_t[PLX_OPS_DIMS]){n, n, n});
    }
}

static void plan_overhead(plx_bench *bench, int group) {
    plx_case *c = plx__bench_add(bench, group, "dispatch");
    if (c) {
        c->open = open_op;
        c->run = run_op;
        c->check = check_op;
        c->close = close_op;
        c->variant = DISPATCH;
        plx__case_number(c, "steps", DISPATCH_STEPS);
        plx__case_number(c, "elements", DISPATCH_VALUES);
        plx__case_metric(c, "time per step", "ns", "lower", true, PLX_METRIC_TIME,
                         1.0 / DISPATCH_STEPS);
    }
    if (plx_ctx_get_info(plx__bench_ctx(bench)).threads < 2) return;
    c = plx__bench_add(bench, group, "fork-join");
    if (!c) return;
    c->run = run_fork_join;
    plx__case_metric(c, "time", "ns", "lower", true, PLX_METRIC_TIME, 1);
}

static plx_status plan(plx_bench *bench) {
    int group = PLX_ROOFLINE_GROUPS;
    plx__roofline_plan(bench);
    plan_overhead(bench, group++);
    for (int i = 0; i < count_rows(); ++i) plan_row(bench, i, &group);
    plan_squares(bench, &group);
    return PLX_OK;
}

/* The cost of the gradient relative to the result. */
static void derive(plx_bench *bench, const char *op, const char *size, const int64_t *dims) {
    char name[64];
    plx__format(name, sizeof name, "%s %s", op, size);
    const plx_case *forward = plx__bench_find(bench, name);
    plx__format(name, sizeof name, "%s %s forward and backward", op, size);
    const plx_case *both = plx__bench_find(bench, name);
    if (!forward || !both) return;
    plx_case *c = plx__bench_add(bench, 0, "%s %s backward", op, size);
    if (!c) return;
    plx__case_text(c, "op", op);
    plx__case_text(c, "size", size);
    plx__case_text(c, "pass", "backward");
    name_shape(c, dims);
    /* Samples of the two alternate, so those of one round share its disturbances. */
    const int metric =
        plx__case_metric(c, "backward / forward", "ratio", "lower", false, PLX_METRIC_OWN, 1);
    double of_forward[PLX_BENCH_ROUNDS], of_both[PLX_BENCH_ROUNDS];
    const int rounds = plx__samples_rounds(&forward->times, of_forward);
    const int same = plx__samples_rounds(&both->times, of_both) == rounds ? rounds : 0;
    for (int i = 0; i < same; ++i)
        (void)plx__samples_add(&c->metrics[metric].samples, i, of_both[i] / of_forward[i] - 1);
}

static plx_status finish(plx_bench *bench) {
    plx__roofline_finish(bench);
    for (int i = 0; i < count_rows(); ++i)
        for (int size = SMALL; size <= LARGE; ++size) {
            const plx_case which = {.size = 8 * (int64_t)i + size};
            const ops_job job = job_of(&which);
            derive(bench, job.row ? job.row->op : job.unary->name, size_names[size], job.dims);
        }
    return PLX_OK;
}

const plx_suite plx__suite_ops = {
    .name = "ops",
    .description = "Every operation at four sizes against the roofline, and the cost of a step",
    .plan = plan,
    .finish = finish,
};
