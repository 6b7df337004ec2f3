/* Selection of elements by i32 indices. */
#include "ops/op.h"

#include <string.h>

static plx__cost cost_gathered(const plx_graph *graph, const plx__node *node) {
    (void)graph;
    const double each = (double)plx__element_bytes(node->dtype);
    return (plx__cost){.flops = 0, .bytes = 2 * (double)plx__size(node) * each, .weight = 1};
}

plx_status plx__check_indices(plx_ctx *ctx, const plx__step *step, int k, int64_t n) {
    const int32_t *indices = *step->in[k].slot;
    const int64_t count = step->in[k].size;
    int32_t outside = 0;
    for (int64_t i = 0; i < count; ++i) outside |= (indices[i] < 0) | (indices[i] >= n);
    for (int64_t i = 0; i < count && outside; ++i)
        if (indices[i] < 0 || indices[i] >= n)
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "%s: index %d at position %lld is outside 0 to %lld", step->op->name,
                             (int)indices[i], (long long)i, (long long)n - 1);
    return PLX_OK;
}

/* x [outer, n, inner], taken at count indices. */
typedef struct gather_job {
    const plx_kernels *kernels;
    const char *from; /* x and y of gather, of any dtype */
    char *to;
    int64_t inner_bytes;
    const plx_real *x;
    const int32_t *indices;
    const int64_t *first, *order;
    plx_real *y, *scratch; /* scratch: two rows per worker */
    int64_t outer, n, inner, count;
} gather_job;

static gather_job loops_of(plx_ctx *ctx, int rank, const int64_t *dims, int64_t axis) {
    return (gather_job){.kernels = ctx->kernels,
                        .outer = plx__product((int)axis, dims),
                        .n = dims[axis],
                        .inner = plx__product(rank - (int)axis - 1, dims + axis + 1)};
}

/* ---- gather(x, indices): indices along one axis ---------------------------------------------- */

/* node = x with one axis replaced by the shape of indices. */
static plx_status replace_axis(plx_graph *graph, plx__node *node, int rank, const int64_t *dims,
                               const plx__node *indices) {
    const int axis = (int)node->attrs.axis.axis;
    if (rank - 1 + indices->rank > PLX_MAX_RANK)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "gather: x of rank %d and indices of rank %d give rank %d; at most %d is possible",
            rank, indices->rank, rank - 1 + indices->rank, PLX_MAX_RANK);
    node->rank = 0;
    for (int i = 0; i < axis; ++i) node->dims[node->rank++] = dims[i];
    for (int i = 0; i < indices->rank; ++i) node->dims[node->rank++] = indices->dims[i];
    for (int i = axis + 1; i < rank; ++i) node->dims[node->rank++] = dims[i];
    return PLX_OK;
}

static plx_status infer_gather(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    return replace_axis(graph, node, x->rank, x->dims, plx__input_of(graph, node, 1));
}

static void gradient_gather(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = {.axis = node.attrs.axis};
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT2(graph, &plx__op_gather_grad, node.inputs[1], gy, &attrs);
}

static void gather_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const gather_job *job = arg;
    const int64_t bytes = job->inner_bytes;
    int64_t k = begin % job->count;
    const char *x = job->from + begin / job->count * job->n * bytes;
    char *y = job->to + begin * bytes;
    for (int64_t row = begin; row < end; ++row) {
        const char *from = x + job->indices[k] * bytes;
        if (bytes == sizeof(plx_real))
            memcpy(y, from, sizeof(plx_real)); /* one load, one store */
        else
            memcpy(y, from, (size_t)bytes);
        y += bytes;
        if (++k < job->count) continue;
        k = 0;
        x += job->n * bytes;
    }
}

static plx_status run_gather(plx_ctx *ctx, const plx__step *step) {
    gather_job job = loops_of(ctx, step->in[0].rank, step->in[0].dims, step->attrs.axis.axis);
    PLX_TRY(plx__check_indices(ctx, step, 1, job.n));
    if (!step->out.size) return PLX_OK;
    job.from = *step->in[0].slot;
    job.to = *step->out.slot;
    job.inner_bytes = job.inner * (int64_t)plx__element_bytes(step->out.dtype);
    job.indices = *step->in[1].slot;
    job.count = step->in[1].size;
    const int64_t rows = job.outer * job.count;
    ctx->method = job.inner == 1 ? "elements" : "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.inner, step->threads),
                      gather_rows, &job);
    return PLX_OK;
}

static const char gather_samples[] =
    "5x3 4~0,5; 50x33 9x30~0,50; 3x4x5 2x3~0,4 : axis 1; 3x7 .~0,7 : axis 1; "
    "2x1x3x1x2 2x2~0,3 : axis 2; 3x7 0~0,7 : axis 1; 1 3~0,1";

const plx_op plx__op_gather = {
    .name = "gather",
    .operands =
        PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}, {"indices", PLX__INTEGERS, PLX__CONSTANT}),
    .result = PLX__AS(0),
    .infer = infer_gather,
    .gradient = gradient_gather,
    .cost = cost_gathered,
    .run = run_gather,
    .attrs = plx__axis_fields,
    .samples = gather_samples,
};

/* ---- gather_grad(indices, gy): the target of attrs is the shape of x ------------------------- */

static plx_status infer_gather_grad(plx_graph *graph, plx__node *node) {
    const plx__node *gy = plx__input_of(graph, node, 1);
    plx__node taken = {.op = node->op, .attrs = node->attrs};
    PLX_TRY(replace_axis(graph, &taken, node->attrs.rank, node->attrs.dims,
                         plx__input_of(graph, node, 0)));
    if (!plx__same_shape(&taken, gy))
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "gather_grad: gy does not have the shape that gather gives");
    plx__infer_target(graph, node);
    return PLX_OK;
}

static void gradient_gather_grad(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const plx__attrs attrs = {.axis = node.attrs.axis};
    grads[1] = PLX__EMIT2(graph, &plx__op_gather, gy, node.inputs[0], &attrs);
}

static size_t workspace_gather_grad(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const int64_t n = step->out.dims[step->attrs.axis.axis];
    const int64_t inner = plx__product(step->out.rank - (int)step->attrs.axis.axis - 1,
                                       step->out.dims + step->attrs.axis.axis + 1);
    return (size_t)(n + 1 + step->in[0].size) * sizeof(int64_t) +
           (size_t)(2 * inner * step->threads) * sizeof(plx_real);
}

/* Counting sort of positions by index, ascending for equal indices: those of index i are
 * order[first[i]] up to, not including, order[first[i + 1]]. */
static void sort_positions(const int32_t *indices, int64_t count, int64_t n, int64_t *first,
                           int64_t *order) {
    memset(first, 0, (size_t)(n + 1) * sizeof *first);
    for (int64_t k = 0; k < count; ++k) first[indices[k]] += 1;
    int64_t total = 0;
    for (int64_t i = 0; i <= n; ++i) {
        total += first[i];
        first[i] = total;
    }
    for (int64_t k = count - 1; k >= 0; --k) order[--first[indices[k]]] = k;
}

static void add_row(const gather_job *job, plx_real *y, const plx_real *x) {
    if (job->inner == 1)
        *y += *x;
    else
        job->kernels->add(job->inner, y, 1, x, 1, y);
}

enum { ROW_CHAIN = 32 }; /* rows added one after another */

/* y = the sum of rows order[0..count) of x, one chain at a time; the total carries its rounding
 * error. The first row of a chain is copied, not added. */
static void sum_rows(const gather_job *job, int64_t count, const int64_t *order, const plx_real *x,
                     plx_real *y, plx_real *scratch) {
    const int64_t inner = job->inner;
    const size_t bytes = (size_t)inner * sizeof *y;
    plx_real *chain = scratch, *error = scratch + inner;
    for (int64_t begin = 0; begin < count; begin += ROW_CHAIN) {
        plx_real *to = begin ? chain : y;
        memcpy(to, x + order[begin] * inner, bytes);
        for (int64_t k = begin + 1; k < count && k < begin + ROW_CHAIN; ++k)
            add_row(job, to, x + order[k] * inner);
        if (begin == 0 && count > ROW_CHAIN) memset(error, 0, bytes);
        if (begin > 0) job->kernels->two_sum(inner, chain, y, error);
    }
    if (count > ROW_CHAIN) add_row(job, y, error);
}

/* Each row of the result belongs to one thread. If the indices name few of the rows, all rows are
 * cleared at once, which is fastest; otherwise only the rows that no index names. */
static void scatter_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const gather_job *job = arg;
    const size_t row_bytes = (size_t)job->inner * sizeof *job->y;
    const bool few = job->count < job->n / 2;
    const plx_real *x = job->x + begin / job->n * job->count * job->inner;
    if (few) memset(job->y + begin * job->inner, 0, (size_t)(end - begin) * row_bytes);
    int64_t i = begin % job->n;
    for (int64_t row = begin; row < end; ++row) {
        plx_real *y = job->y + row * job->inner;
        const int64_t first = job->first[i], last = job->first[i + 1];
        if (first < last)
            sum_rows(job, last - first, job->order + first, x, y,
                     job->scratch + worker * 2 * job->inner);
        else if (!few)
            memset(y, 0, row_bytes);
        if (++i < job->n) continue;
        i = 0;
        x += job->count * job->inner;
    }
}

static plx_status run_gather_grad(plx_ctx *ctx, const plx__step *step) {
    gather_job job = loops_of(ctx, step->out.rank, step->out.dims, step->attrs.axis.axis);
    PLX_TRY(plx__check_indices(ctx, step, 0, job.n));
    if (!step->out.size) return PLX_OK;
    job.x = PLX_IN(step, 1);
    job.y = PLX_OUT(step);
    job.count = step->in[0].size;
    int64_t *first = step->workspace, *order = first + job.n + 1;
    sort_positions(*step->in[0].slot, job.count, job.n, first, order);
    job.first = first;
    job.order = order;
    job.scratch = (plx_real *)(order + job.count);
    const int64_t rows = job.outer * job.n;
    ctx->method = "rows, sorted";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.inner, step->threads),
                      scatter_rows, &job);
    return PLX_OK;
}

static plx__cost cost_gather_grad(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = (double)plx__size(plx__input_of(graph, node, 1));
    return cost;
}

static const char gather_grad_samples[] =
    "4~0,3 4x3 : >5x3; 9x30~0,50 9x30x33 : >300x33; 2x3~0,4 3x2x3x5 : axis 1 >3x4x5; "
    "9~0,7 3x9 : axis 1 >3x7; 0~0,7 3x0 : axis 1 >3x7";

const plx_op plx__op_gather_grad = {
    .name = "gather_grad",
    .operands =
        PLX__OPERANDS({"indices", PLX__INTEGERS, PLX__CONSTANT}, {"gy", PLX__REALS, PLX__VALUE}),
    .infer = infer_gather_grad,
    .gradient = gradient_gather_grad,
    .cost = cost_gather_grad,
    .workspace = workspace_gather_grad,
    .run = run_gather_grad,
    .attrs = plx__axis_fields,
    .samples = gather_grad_samples,
};
