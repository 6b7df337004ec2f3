/* Softmax, its logarithm, and log-sum-exp along one axis. Each row of the last axis is one kernel
 * call; along other axes, strips of neighbouring columns are processed together by elementwise
 * kernels whose operands stay in the L1 cache. */
#include "ops/op.h"

#include <string.h>

/* x [outer, n, inner]. */

enum { STRIP = 128, BLOCK = 16 }; /* columns of a strip; rows whose sum is one term of the total */

typedef void (*row_kernel)(int64_t n, const plx_real *x, plx_real *y);
typedef void (*row_grad_kernel)(int64_t n, const plx_real *y, const plx_real *gy, plx_real *gx);

typedef struct softmax_job softmax_job;
/* One strip of `columns` columns; scratch holds strip_elements. */
typedef void (*strip_fn)(const softmax_job *job, int64_t columns, const plx_real *x,
                         const plx_real *gy, plx_real *y, plx_real *scratch);

struct softmax_job {
    const plx_kernels *kernels;
    row_kernel forward;
    row_grad_kernel backward;
    strip_fn strip;
    const plx_real *x, *gy;
    plx_real *y, *scratch;
    int64_t n, inner;
    bool reduced; /* y lacks the axis: log_sum_exp */
};

/* Layout of the scratch: a total and its error, a sum, a maximum, a row, and a block of rows. */
enum { TOTAL, ERROR = STRIP, SUM = 2 * STRIP, TOP = 3 * STRIP, ROW = 4 * STRIP, ROWS = 5 * STRIP };
enum { SCRATCH = (5 + BLOCK) * STRIP };

/* ---- Strips ---------------------------------------------------------------------------------- */

/* top[j] = the largest of column j. A window of one column of pixels stays in registers; sums in
 * memory would wait for the store of each partial vector. */
static void column_maxima(const softmax_job *job, int64_t columns, const plx_real *x,
                          plx_real *top) {
    job->kernels->pool_max(1, columns, job->n, 1, x, job->inner, 0, 0, top);
}

/* Adds a block of rows to the total. */
static void add_block(const softmax_job *job, int64_t rows, int64_t columns, const plx_real *block,
                      int64_t stride, plx_real *scratch) {
    job->kernels->column_sum(rows, columns, block, stride, scratch + SUM);
    job->kernels->two_sum(columns, scratch + SUM, scratch + TOTAL, scratch + ERROR);
}

static void clear_total(plx_real *scratch) {
    memset(scratch + TOTAL, 0, 2 * STRIP * sizeof *scratch);
}

static void finish_total(const softmax_job *job, int64_t columns, plx_real *scratch) {
    job->kernels->add(columns, scratch + TOTAL, 1, scratch + ERROR, 1, scratch + TOTAL);
}

static int64_t block_end(const softmax_job *job, int64_t begin) {
    return begin + BLOCK < job->n ? begin + BLOCK : job->n;
}

/* Adds exp(x - top) into the total; y, unless NULL, receives the terms. */
static void sum_exponentials(const softmax_job *job, int64_t columns, const plx_real *x,
                             plx_real *y, plx_real *scratch) {
    clear_total(scratch);
    for (int64_t begin = 0; begin < job->n; begin += BLOCK) {
        const int64_t end = block_end(job, begin), stride = y ? job->inner : columns;
        /* Rows that lie side by side form one: few columns would leave lanes empty. */
        const bool together = stride == columns;
        plx_real *terms = y ? y + begin * job->inner : scratch + ROWS;
        for (int64_t i = begin; i < end; ++i) {
            plx_real *term = terms + (i - begin) * stride;
            job->kernels->sub(columns, x + i * job->inner, 1, scratch + TOP, 1, term);
            if (!together) job->kernels->exp(columns, term, term, 0);
        }
        if (together) job->kernels->exp((end - begin) * columns, terms, terms, 0);
        add_block(job, end - begin, columns, terms, stride, scratch);
    }
    finish_total(job, columns, scratch);
}

static void softmax_strip(const softmax_job *job, int64_t columns, const plx_real *x,
                          const plx_real *gy, plx_real *y, plx_real *scratch) {
    (void)gy;
    const plx_real one = 1;
    column_maxima(job, columns, x, scratch + TOP);
    sum_exponentials(job, columns, x, y, scratch);
    job->kernels->div(columns, &one, 0, scratch + TOTAL, 1, scratch + SUM);
    for (int64_t i = 0; i < job->n; ++i)
        job->kernels->mul(columns, y + i * job->inner, 1, scratch + SUM, 1, y + i * job->inner);
}

static void log_softmax_strip(const softmax_job *job, int64_t columns, const plx_real *x,
                              const plx_real *gy, plx_real *y, plx_real *scratch) {
    (void)gy;
    column_maxima(job, columns, x, scratch + TOP);
    sum_exponentials(job, columns, x, NULL, scratch);
    job->kernels->log(columns, scratch + TOTAL, scratch + SUM, 0);
    for (int64_t i = 0; i < job->n; ++i) {
        plx_real *row = y + i * job->inner;
        job->kernels->sub(columns, x + i * job->inner, 1, scratch + TOP, 1, row);
        job->kernels->sub(columns, row, 1, scratch + SUM, 1, row);
    }
}

/* x is the softmax: gx = x (gy - sum x gy). */
static void softmax_grad_strip(const softmax_job *job, int64_t columns, const plx_real *x,
                               const plx_real *gy, plx_real *y, plx_real *scratch) {
    const int64_t inner = job->inner;
    clear_total(scratch);
    for (int64_t begin = 0; begin < job->n; begin += BLOCK) {
        const int64_t end = block_end(job, begin);
        for (int64_t i = begin; i < end; ++i)
            job->kernels->mul(columns, x + i * inner, 1, gy + i * inner, 1,
                              scratch + ROWS + (i - begin) * STRIP);
        add_block(job, end - begin, columns, scratch + ROWS, STRIP, scratch);
    }
    finish_total(job, columns, scratch);
    for (int64_t i = 0; i < job->n; ++i) {
        job->kernels->sub(columns, gy + i * inner, 1, scratch + TOTAL, 1, scratch + ROW);
        job->kernels->mul(columns, x + i * inner, 1, scratch + ROW, 1, y + i * inner);
    }
}

/* x is the log-softmax: gx = gy - exp(x) sum gy. */
static void log_softmax_grad_strip(const softmax_job *job, int64_t columns, const plx_real *x,
                                   const plx_real *gy, plx_real *y, plx_real *scratch) {
    const int64_t inner = job->inner;
    clear_total(scratch);
    for (int64_t begin = 0; begin < job->n; begin += BLOCK)
        add_block(job, block_end(job, begin) - begin, columns, gy + begin * inner, inner, scratch);
    finish_total(job, columns, scratch);
    for (int64_t i = 0; i < job->n; ++i) {
        job->kernels->exp(columns, x + i * inner, scratch + ROW, 0);
        job->kernels->mul(columns, scratch + ROW, 1, scratch + TOTAL, 1, scratch + ROW);
        job->kernels->sub(columns, gy + i * inner, 1, scratch + ROW, 1, y + i * inner);
    }
}

/* The value subtracted before the exponential: the largest, unless it is infinite, in which case
 * the sum is infinite or zero anyway. */
static plx_real finite_or_zero(plx_real x) {
    const plx_real infinity = (plx_real)__builtin_inff();
    return x == infinity || x == -infinity ? 0 : x;
}

static void log_sum_exp_strip(const softmax_job *job, int64_t columns, const plx_real *x,
                              const plx_real *gy, plx_real *y, plx_real *scratch) {
    (void)gy;
    plx_real *top = scratch + TOP;
    column_maxima(job, columns, x, top);
    for (int64_t j = 0; j < columns; ++j) top[j] = finite_or_zero(top[j]);
    sum_exponentials(job, columns, x, NULL, scratch);
    job->kernels->log(columns, scratch + TOTAL, scratch + SUM, 0);
    job->kernels->add(columns, scratch + SUM, 1, top, 1, y);
}

/* ---- Rows of the last axis ------------------------------------------------------------------- */

/* The sum of exp(x - top). */
static plx_real sum_exp_row(const softmax_job *job, const plx_real *x, plx_real top,
                            plx_real *scratch) {
    const plx_kernels *k = job->kernels;
    plx_real sum = 0, error = 0;
    for (int64_t i = 0; i < job->n; i += BLOCK * STRIP) {
        const int64_t left = job->n - i, n = left < BLOCK * STRIP ? left : BLOCK * STRIP;
        k->sub(n, x + i, 1, &top, 0, scratch + ROWS);
        k->exp(n, scratch + ROWS, scratch + ROWS, 0);
        const plx_real part = k->sum(n, scratch + ROWS);
        if (n == job->n) return part;
        k->two_sum(1, &part, &sum, &error);
    }
    return sum + error;
}

/* Short rows: exponentials are taken of all of them at once. sums[i] = the sum of exp(x - top). */
static void sum_exp_rows(const softmax_job *job, int64_t rows, const plx_real *x,
                         const plx_real *tops, plx_real *sums, plx_real *scratch) {
    const plx_kernels *k = job->kernels;
    const int64_t n = job->n;
    plx_real *terms = scratch + ROWS;
    for (int64_t i = 0; i < rows; ++i) k->sub(n, x + i * n, 1, tops + i, 0, terms + i * n);
    k->exp(rows * n, terms, terms, 0);
    for (int64_t i = 0; i < rows; ++i) sums[i] = k->sum(n, terms + i * n);
}

/* Logarithms are taken of many rows at once. */
static void log_sum_exp_rows(const softmax_job *job, int64_t begin, int64_t end,
                             plx_real *scratch) {
    enum { MOST = 64, CACHED = BLOCK * STRIP };
    const plx_kernels *k = job->kernels;
    const bool short_rows = job->n <= CACHED / 2;
    const int64_t fitting = short_rows ? CACHED / job->n : MOST;
    const int64_t together = fitting < MOST ? fitting : MOST;
    plx_real tops[MOST], sums[MOST];
    for (int64_t row = begin; row < end; row += together) {
        const int64_t rows = end - row < together ? end - row : together;
        const plx_real *x = job->x + row * job->n;
        for (int64_t i = 0; i < rows; ++i)
            tops[i] = finite_or_zero(k->maximum(job->n, x + i * job->n));
        if (short_rows)
            sum_exp_rows(job, rows, x, tops, sums, scratch);
        else
            for (int64_t i = 0; i < rows; ++i)
                sums[i] = sum_exp_row(job, x + i * job->n, tops[i], scratch);
        k->log(rows, sums, sums, 0);
        k->add(rows, tops, 1, sums, 1, job->y + row);
    }
}

static void each_row(void *arg, int64_t begin, int64_t end, int worker) {
    const softmax_job *job = arg;
    plx_real *scratch = job->scratch + (int64_t)worker * SCRATCH;
    if (job->reduced) {
        log_sum_exp_rows(job, begin, end, scratch);
        return;
    }
    for (int64_t row = begin; row < end; ++row) {
        const int64_t i = row * job->n;
        if (job->backward)
            job->backward(job->n, job->x + i, job->gy + i, job->y + i);
        else
            job->forward(job->n, job->x + i, job->y + i);
    }
}

static int64_t strips_of(int64_t inner) {
    return (inner + STRIP - 1) / STRIP;
}

static void each_strip(void *arg, int64_t begin, int64_t end, int worker) {
    const softmax_job *job = arg;
    const int64_t strips = strips_of(job->inner);
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t outer = unit / strips, column = unit % strips * STRIP;
        const int64_t left = job->inner - column, at = outer * job->n * job->inner + column;
        job->strip(job, left < STRIP ? left : STRIP, job->x + at, job->gy ? job->gy + at : NULL,
                   job->y + (job->reduced ? outer * job->inner + column : at),
                   job->scratch + (int64_t)worker * SCRATCH);
    }
}

/* ---- Shared by the ops ----------------------------------------------------------------------- */

/* All but the functions. */
static softmax_job job_of(const plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    const int after = (int)step->attrs.softmax.axes_after;
    const bool all = after == PLX_ALL_AXES;
    softmax_job job = {.x = PLX_IN(step, 0),
                       .gy = step->in_count > 1 ? PLX_IN(step, 1) : NULL,
                       .y = PLX_OUT(step),
                       .scratch = step->workspace,
                       .n = all ? x->size : x->dims[x->rank - 1 - after],
                       .inner = all ? 1 : plx__product(after, x->dims + x->rank - after)};
    job.kernels = plx__row_kernels(ctx->kernels, job.inner == 1 ? job.n : job.inner);
    return job;
}

static plx_status run_along(plx_ctx *ctx, const plx__step *step, softmax_job job) {
    const plx__operand *x = &step->in[0];
    if (!x->size) return PLX_OK;
    const int64_t outer = x->size / (job.n * job.inner);
    const bool rows = job.inner == 1;
    ctx->method = rows ? plx__rows_method(ctx, job.kernels) : "columns";
    const int64_t units = rows ? outer : outer * strips_of(job.inner);
    const int64_t each = rows ? job.n : job.n * (job.inner < STRIP ? job.inner : STRIP);
    plx__parallel_for(ctx->pool, step->threads, units, plx__grain(units, each, step->threads),
                      rows ? each_row : each_strip, &job);
    return PLX_OK;
}

static size_t workspace_strips(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const bool needed = step->attrs.softmax.axes_after || step->op == &plx__op_log_sum_exp;
    return needed ? (size_t)step->threads * SCRATCH * sizeof(plx_real) : 0;
}

static plx_status infer_along(plx_graph *graph, plx__node *node) {
    if (!plx__input_of(graph, node, 0)->rank)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: x is a scalar; it needs at least one axis", node->op->name);
    return plx__infer_same(graph, node);
}

static plx__cost cost_along(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 4, 4);
}

static const char samples[] =
    "3x5~-3,3; 2x1~-3,3; 10~-3,3; 2x3x33~-3,3; 0x10~-3,3; 5x3~-3,3 : axes_after 1; "
    "2x35x9~-3,3 : axes_after 1; 7x5x60~-3,3 : axes_after 2; 2x3x2x1x2x3~-3,3 : axes_after 4; "
    "1x3~-3,3 : axes_after 1; 0x3~-3,3 : axes_after 1";
static const char grad_samples[] =
    "3x5~0.1,0.3 3x5; 2x33~0.1,0.3 2x33; 35x2~0.1,0.3 35x2 : axes_after 1; "
    "7x5x60~0.1,0.3 7x5x60 : axes_after 2";

#define SOFTMAX_OP(op_name)                                                                        \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        softmax_job job = job_of(ctx, step);                                                       \
        job.forward = job.kernels->op_name;                                                        \
        job.strip = op_name##_strip;                                                               \
        return run_along(ctx, step, job);                                                          \
    }                                                                                              \
    static plx_status run_##op_name##_grad(plx_ctx *ctx, const plx__step *step) {                  \
        softmax_job job = job_of(ctx, step);                                                       \
        job.backward = job.kernels->op_name##_grad;                                                \
        job.strip = op_name##_grad_strip;                                                          \
        return run_along(ctx, step, job);                                                          \
    }                                                                                              \
    static void gradient_##op_name(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {     \
        const plx__node node = *graph->nodes[id];                                                  \
        grads[0] = PLX__EMIT2(graph, &plx__op_##op_name##_grad, id, gy, &node.attrs);              \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .operands = plx__takes_x,                                                                  \
        .flags = PLX__OP_INPLACE,                                                                  \
        .infer = infer_along,                                                                      \
        .gradient = gradient_##op_name,                                                            \
        .cost = cost_along,                                                                        \
        .workspace = workspace_strips,                                                             \
        .run = run_##op_name,                                                                      \
        .attrs = plx__softmax_fields,                                                              \
        .samples = samples,                                                                        \
    };                                                                                             \
    const plx_op plx__op_##op_name##_grad = {                                                      \
        .name = #op_name "_grad",                                                                  \
        .operands = plx__takes_x_gy,                                                               \
        .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,                                            \
        .infer = infer_along,                                                                      \
        .cost = cost_along,                                                                        \
        .workspace = workspace_strips,                                                             \
        .run = run_##op_name##_grad,                                                               \
        .attrs = plx__softmax_fields,                                                              \
        .samples = PLX__TESTED(grad_samples),                                                      \
    };

SOFTMAX_OP(softmax)
SOFTMAX_OP(log_softmax)

/* ---- log_sum_exp: the axis is removed -------------------------------------------------------- */

static plx_status infer_log_sum_exp(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    const int64_t after = node->attrs.softmax.axes_after;
    node->rank = 0;
    for (int axis = 0; axis < x->rank && after != PLX_ALL_AXES; ++axis)
        if (axis != x->rank - 1 - after) node->dims[node->rank++] = x->dims[axis];
    return PLX_OK;
}

static void gradient_log_sum_exp(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT3(graph, &plx__op_log_sum_exp_grad, node.inputs[0], id, gy, &node.attrs);
}

static plx_status run_log_sum_exp(plx_ctx *ctx, const plx__step *step) {
    plx_real *y = PLX_OUT(step);
    if (!step->in[0].size) {
        /* The sum of nothing is 0. */
        for (int64_t i = 0; i < step->out.size; ++i) y[i] = (plx_real)-__builtin_inff();
        return PLX_OK;
    }
    softmax_job job = job_of(ctx, step);
    job.strip = log_sum_exp_strip;
    job.reduced = true;
    return run_along(ctx, step, job);
}

static plx__cost cost_log_sum_exp(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 4);
    cost.flops = 4.0 * (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

static const char lse_samples[] =
    "3x5~-3,3; 35x2~-3,3 : axes_after 1; 7x5x60~-3,3 : axes_after 2; "
    "2x3x2x1x2x3~-3,3 : axes_after 3; 2x5000~-3,3; 2x3x5~-3,3 : axes_after 1000; "
    ".~-3,3 : axes_after 1000; 0x3~-3,3";

const plx_op plx__op_log_sum_exp = {
    .name = "log_sum_exp",
    .operands = plx__takes_x,
    .infer = infer_log_sum_exp,
    .gradient = gradient_log_sum_exp,
    .cost = cost_log_sum_exp,
    .workspace = workspace_strips,
    .run = run_log_sum_exp,
    .attrs = plx__softmax_fields,
    .samples = lse_samples,
};

/* ---- log_sum_exp_grad(x, y, gy): gx = exp(x - y) gy ------------------------------------------ */

typedef struct spread_job {
    const plx_kernels *kernels;
    const plx_real *x, *y, *gy;
    plx_real *gx;
    int64_t n, inner;
} spread_job;

static void spread_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const spread_job *job = arg;
    const plx_kernels *k = job->kernels;
    const int64_t n = job->inner == 1 ? job->n : job->inner;
    for (int64_t row = begin; row < end; ++row) {
        const plx_real *x = job->x + row * n;
        plx_real *gx = job->gx + row * n;
        if (job->inner == 1) {
            const plx_real shift = finite_or_zero(job->y[row]);
            k->sub(n, x, 1, &shift, 0, gx);
            k->exp(n, gx, gx, 0);
            k->scale(n, job->gy[row], gx, gx);
            continue;
        }
        const int64_t at = row / job->n * n;
        for (int64_t j = 0; j < n; ++j) gx[j] = x[j] - finite_or_zero(job->y[at + j]);
        k->exp(n, gx, gx, 0);
        k->mul(n, gx, 1, job->gy + at, 1, gx);
    }
}

static plx_status run_log_sum_exp_grad(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    if (!x->size) return PLX_OK;
    const int after = (int)step->attrs.softmax.axes_after;
    const bool all = after == PLX_ALL_AXES;
    spread_job job = {.kernels = ctx->kernels,
                      .x = PLX_IN(step, 0),
                      .y = PLX_IN(step, 1),
                      .gy = PLX_IN(step, 2),
                      .gx = PLX_OUT(step),
                      .n = all ? x->size : x->dims[x->rank - 1 - after],
                      .inner = all ? 1 : plx__product(after, x->dims + x->rank - after)};
    const int64_t each = job.inner == 1 ? job.n : job.inner, rows = x->size / each;
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, each, step->threads),
                      spread_rows, &job);
    return PLX_OK;
}

static const char lse_grad_samples[] = "3x5~-1,0 3~1,2 3; 2x35x9~-1,0 2x9~1,2 2x9 : axes_after 1";

const plx_op plx__op_log_sum_exp_grad = {
    .name = "log_sum_exp_grad",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"y", PLX__REALS, PLX__VALUE},
                              {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = plx__infer_same,
    .cost = cost_along,
    .run = run_log_sum_exp_grad,
    .attrs = plx__softmax_fields,
    .samples = PLX__TESTED(lse_grad_samples),
};
