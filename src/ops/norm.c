/* Normalisation of rows: layer_norm and rms_norm, (x, scale, shift). */
#include "ops/norm.h"

#include <string.h>

plx_status plx__check_vector(plx_graph *graph, const plx__node *node, int k, const char *what,
                             int64_t size, const char *unit) {
    const plx__node *in = plx__input_of(graph, node, k);
    if (in->rank != 1)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s has rank %d; it must be 1",
                               node->op->name, what, in->rank);
    if (in->dims[0] != size)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s has %lld values for %lld %s",
                               node->op->name, what, (long long)in->dims[0], (long long)size, unit);
    return PLX_OK;
}

plx_status plx__check_scale_shift(plx_graph *graph, const plx__node *node, int k, int64_t size,
                                  const char *unit) {
    if (node->attrs.norm.has_scale)
        PLX_TRY(plx__check_vector(graph, node, k++, "scale", size, unit));
    if (node->attrs.norm.has_shift) PLX_TRY(plx__check_vector(graph, node, k, "shift", size, unit));
    return PLX_OK;
}

int64_t plx__norm_vectors(const plx__attrs *attrs) {
    return attrs->norm.has_scale + attrs->norm.has_shift;
}

typedef struct row_job {
    const plx_kernels *kernels;
    const plx_real *x, *gy, *scale, *shift;
    plx_real *y, *partial;
    int64_t rows, columns, vectors;
    plx_real epsilon;
    bool centre, wants_scale, wants_shift;
} row_job;

/* Rows whose gradients of scale and shift form one term of the total, and rows added one after
 * another within it. */
enum { CHUNK_ROWS = 64, CHAIN_ROWS = 16 };

static int64_t chunks_of(int64_t rows) {
    return (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
}

static row_job job_of(plx_ctx *ctx, const plx__step *step, bool centre) {
    const plx__operand *x = &step->in[0];
    const int64_t columns = plx__columns(x->rank, x->dims);
    return (row_job){.kernels = plx__row_kernels(ctx->kernels, columns),
                     .x = PLX_IN(step, 0),
                     .y = PLX_OUT(step),
                     .rows = plx__rows(x->rank, x->dims),
                     .columns = columns,
                     .vectors = plx__norm_vectors(&step->attrs),
                     .epsilon = (plx_real)step->attrs.norm.epsilon,
                     .centre = centre,
                     .wants_scale = step->attrs.norm.has_scale,
                     .wants_shift = step->attrs.norm.has_shift};
}

static plx_status infer_rows(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    if (!x->rank)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: x is a scalar; it needs at least one axis", node->op->name);
    plx__copy_shape(node, x);
    return plx__check_scale_shift(graph, node, 1, plx__columns(x->rank, x->dims), "columns");
}

static void each_row(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const row_job *job = arg;
    for (int64_t i = begin * job->columns; i < end * job->columns; i += job->columns)
        job->kernels->row_norm(job->columns, job->x + i, job->scale, job->shift, job->epsilon,
                               job->centre, job->y + i);
}

static plx_status run_rows(plx_ctx *ctx, const plx__step *step, bool centre) {
    if (!step->out.size) return PLX_OK;
    row_job job = job_of(ctx, step, centre);
    if (job.wants_scale) job.scale = PLX_IN(step, 1);
    if (job.wants_shift) job.shift = PLX_IN(step, 1 + job.wants_scale);
    ctx->method = plx__rows_method(ctx, job.kernels);
    plx__parallel_for(ctx->pool, step->threads, job.rows,
                      plx__grain(job.rows, job.columns, step->threads), each_row, &job);
    return PLX_OK;
}

/* ---- Gradients: (x, gy, scale) gives [gx | gscale | gshift] ---------------------------------- */

static void emit_gradients(plx_graph *graph, const plx_op *op, int32_t id, int32_t gy,
                           int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const bool scaled = node.attrs.norm.has_scale;
    const int32_t inputs[] = {node.inputs[0], gy, scaled ? node.inputs[1] : -1};
    const int32_t packed = plx__emit(graph, op, 2 + scaled, inputs, &node.attrs);
    int64_t from = 0;
    for (int k = 0; k < node.inputs_count && packed >= 0; ++k)
        plx__hand_out(graph, &node, k, packed, &from, grads);
}

static plx_status infer_rows_grad(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    node->rank = 1;
    node->dims[0] = plx__size(x) + plx__norm_vectors(&node->attrs) * plx__columns(x->rank, x->dims);
    return PLX_OK;
}

static int64_t width_of(const row_job *job) {
    return job->vectors * job->columns;
}

/* Computes the gradients of `count` rows from first on; those of scale and shift are added to sums.
 */
static void chain_grad(const row_job *job, int64_t first, int64_t count, plx_real *sums) {
    const int64_t n = job->columns;
    plx_real *gscale = job->wants_scale ? sums : NULL;
    plx_real *gshift = job->wants_shift ? sums + (job->wants_scale ? n : 0) : NULL;
    for (int64_t i = first; i < first + count; ++i)
        job->kernels->row_norm_grad(n, job->x + i * n, job->gy + i * n, job->scale, job->epsilon,
                                    job->centre, job->y + i * n, gscale, gshift);
}

static void each_chunk(void *arg, int64_t begin, int64_t end, int worker) {
    const row_job *job = arg;
    const int64_t width = width_of(job);
    const size_t bytes = (size_t)width * sizeof *job->partial;
    plx_real *chain = job->partial + (chunks_of(job->rows) + worker) * width;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        plx_real *own = job->partial + chunk * width;
        const int64_t first = chunk * CHUNK_ROWS, left = job->rows - first;
        const int64_t last = first + (left < CHUNK_ROWS ? left : CHUNK_ROWS);
        for (int64_t i = first; i < last; i += CHAIN_ROWS) {
            plx_real *sums = i == first ? own : chain;
            if (width) memset(sums, 0, bytes);
            chain_grad(job, i, last - i < CHAIN_ROWS ? last - i : CHAIN_ROWS, sums);
            if (i > first) job->kernels->add(width, own, 1, chain, 1, own);
        }
    }
}

static size_t workspace_rows_grad(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const plx__operand *x = &step->in[0];
    return (size_t)((chunks_of(plx__rows(x->rank, x->dims)) + step->threads) *
                    plx__norm_vectors(&step->attrs) * plx__columns(x->rank, x->dims)) *
           sizeof(plx_real);
}

static plx_status run_rows_grad(plx_ctx *ctx, const plx__step *step, bool centre) {
    if (!step->out.size) return PLX_OK;
    row_job job = job_of(ctx, step, centre);
    job.gy = PLX_IN(step, 1);
    if (job.wants_scale) job.scale = PLX_IN(step, 2);
    job.partial = step->workspace;
    const int64_t chunks = chunks_of(job.rows), width = width_of(&job);
    ctx->method = plx__rows_method(ctx, job.kernels);
    plx__parallel_for(ctx->pool, step->threads, chunks, 1, each_chunk, &job);
    if (width)
        ctx->kernels->column_sum(chunks, width, job.partial, width, job.y + step->in[0].size);
    return PLX_OK;
}

static plx__cost cost_rows(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 8, 1);
}

static plx__cost cost_rows_grad(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 16, 1.5);
}

static const char layer_samples[] =
    "3x5~-2,2 5~0.5,1.5 5~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001; "
    "3x33~-2,2 : epsilon 0.00001; 130x7~-2,2 7~0.5,1.5 : has_scale 1 epsilon 0.01; "
    "2x3x16~-2,2 16~0.5,1.5 : has_shift 1; "
    "9~5,7 9~0.5,1.5 9~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001; "
    "4x1~-2,2 1~0.5,1.5 1~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.1; "
    "0x5~-2,2 5~0.5,1.5 5~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001; "
    "3x0~-2,2 0~0.5,1.5 0~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001";
static const char layer_grad_samples[] =
    "3x5~-2,2 3x5~-2,2 5~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001; "
    "700x33~-2,2 700x33~-2,2 33~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001; "
    "5x1100~-2,2 5x1100~-2,2 : epsilon 0.001";
static const char rms_samples[] =
    "3x5~-2,2 5~0.5,1.5 : has_scale 1 epsilon 0.001; 3x33~-2,2 : epsilon 0.00001; "
    "130x7~-2,2 7~0.5,1.5 : has_scale 1; 1~1,2 1~0.5,1.5 : has_scale 1 epsilon 0.1; "
    "0x5~-2,2 5~0.5,1.5 : has_scale 1 epsilon 0.001";
static const char rms_grad_samples[] =
    "3x5~-2,2 3x5~-2,2 5~0.5,1.5 : has_scale 1 epsilon 0.001; "
    "700x33~-2,2 700x33~-2,2 33~0.5,1.5 : has_scale 1 epsilon 0.001; "
    "5x17~-2,2 5x17~-2,2 : epsilon 0.001";

static const plx__operand_row layer_takes[] = {{"x", PLX__REALS, PLX__VALUE},
                                               {"scale", PLX__REALS, PLX__OPTIONAL},
                                               {"shift", PLX__REALS, PLX__OPTIONAL},
                                               {NULL, 0, 0}};
static const plx__operand_row rms_takes[] = {
    {"x", PLX__REALS, PLX__VALUE}, {"scale", PLX__REALS, PLX__OPTIONAL}, {NULL, 0, 0}};
static const plx__operand_row grad_takes[] = {{"x", PLX__REALS, PLX__VALUE},
                                              {"gy", PLX__REALS, PLX__VALUE},
                                              {"scale", PLX__REALS, PLX__OPTIONAL},
                                              {NULL, 0, 0}};

#define ROW_NORM(norm, centre, rows)                                                               \
    static plx_status run_##norm(plx_ctx *ctx, const plx__step *step) {                            \
        return run_rows(ctx, step, centre);                                                        \
    }                                                                                              \
    static plx_status run_##norm##_grad(plx_ctx *ctx, const plx__step *step) {                     \
        return run_rows_grad(ctx, step, centre);                                                   \
    }                                                                                              \
    static void gradient_##norm(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {        \
        emit_gradients(graph, &plx__op_##norm##_grad, id, gy, grads);                              \
    }                                                                                              \
    const plx_op plx__op_##norm = {                                                                \
        .name = #norm,                                                                             \
        .operands = rows##_takes,                                                                  \
        .flags = PLX__OP_INPLACE,                                                                  \
        .infer = infer_rows,                                                                       \
        .gradient = gradient_##norm,                                                               \
        .cost = cost_rows,                                                                         \
        .run = run_##norm,                                                                         \
        .attrs = plx__norm_fields,                                                                 \
        .samples = rows##_samples,                                                                 \
    };                                                                                             \
    const plx_op plx__op_##norm##_grad = {                                                         \
        .name = #norm "_grad",                                                                     \
        .operands = grad_takes,                                                                    \
        .flags = PLX__OP_NO_GRADIENT,                                                              \
        .infer = infer_rows_grad,                                                                  \
        .cost = cost_rows_grad,                                                                    \
        .workspace = workspace_rows_grad,                                                          \
        .run = run_##norm##_grad,                                                                  \
        .attrs = plx__norm_fields,                                                                 \
        .samples = PLX__TESTED(rows##_grad_samples),                                               \
    };

ROW_NORM(layer_norm, true, layer)
ROW_NORM(rms_norm, false, rms)
