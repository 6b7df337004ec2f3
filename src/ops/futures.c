/* The node of a hypercausal chain: repeated tanh(w x + b), and statistics of the futures near a
 * state. All of it is elementwise: no array of elements times futures is stored. */
#include "ops/futures.h"

#include "parallax.h"

#include <string.h>

enum { CHUNK = 1024 }; /* elements that stay in the L1 cache between passes */

static int64_t chunks_of(int64_t size) {
    return (size + CHUNK - 1) / CHUNK;
}

static int64_t chunk_size(int64_t size, int64_t chunk) {
    const int64_t left = size - chunk * CHUNK;
    return left < CHUNK ? left : CHUNK;
}

/* ---- tanh_steps(x, w, b, states): depth times tanh(w x + b) ---------------------------------- */

/* states: the buffer of all results but the last, [depth - 1, ...]; absent when depth is 1. */
typedef struct steps_job {
    const plx_kernels *kernels;
    const plx_real *x, *y, *gy;
    plx_real *states, *out;
    plx_real *gw, *gb; /* one value per chunk */
    plx_real w, b;
    int64_t size, depth;
} steps_job;

static void forward_chunk(const steps_job *job, int64_t at, int64_t n) {
    const plx_kernels *k = job->kernels;
    const plx_real *from = job->x + at;
    for (int64_t step = 0; step < job->depth; ++step) {
        const bool last = step == job->depth - 1;
        plx_real *to = (last ? job->out : job->states + step * job->size) + at;
        k->mul(n, from, 1, &job->w, 0, to);
        k->add(n, to, 1, &job->b, 0, to);
        k->tanh(n, to, to, 0);
        from = to;
    }
}

static void forward_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const steps_job *job = arg;
    for (int64_t chunk = begin; chunk < end; ++chunk)
        forward_chunk(job, chunk * CHUNK, chunk_size(job->size, chunk));
}

/* Goes from the last step to the first; h = g (1 - y^2) is the gradient of w x + b. */
static void backward_chunk(const steps_job *job, int64_t at, int64_t n, plx_real *gw,
                           plx_real *gb) {
    const plx_kernels *k = job->kernels;
    const plx_real *g = job->gy + at, *y = job->y + at;
    plx_real *gx = job->out + at;
    for (int64_t step = job->depth - 1; step >= 0; --step) {
        const plx_real *x = step ? job->states + (step - 1) * job->size + at : job->x + at;
        k->tanh_grad(n, y, g, gx, 0);
        *gw += k->dot(n, gx, x);
        *gb += k->sum(n, gx);
        k->scale(n, job->w, gx, gx);
        g = gx;
        y = x;
    }
}

static void backward_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const steps_job *job = arg;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        job->gw[chunk] = job->gb[chunk] = 0;
        backward_chunk(job, chunk * CHUNK, chunk_size(job->size, chunk), &job->gw[chunk],
                       &job->gb[chunk]);
    }
}

static steps_job steps_of(plx_ctx *ctx, const plx__step *step, int states) {
    return (steps_job){.kernels = ctx->kernels,
                       .x = PLX_IN(step, 0),
                       .w = PLX_IN(step, 1)[0],
                       .b = PLX_IN(step, 2)[0],
                       .states = step->in_count > states ? *step->in[states].slot : NULL,
                       .out = PLX_OUT(step),
                       .size = step->in[0].size,
                       .depth = step->attrs.tanh_steps.depth};
}

static plx_status run_tanh_steps(plx_ctx *ctx, const plx__step *step) {
    steps_job job = steps_of(ctx, step, 3);
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, chunks_of(job.size), 1, forward_chunks, &job);
    return PLX_OK;
}

static plx_status run_tanh_steps_grad(plx_ctx *ctx, const plx__step *step) {
    steps_job job = steps_of(ctx, step, 5);
    const int64_t chunks = chunks_of(job.size);
    job.y = PLX_IN(step, 3);
    job.gy = PLX_IN(step, 4);
    job.gw = step->workspace;
    job.gb = job.gw + chunks;
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, chunks, 1, backward_chunks, &job);
    job.out[job.size] = ctx->kernels->sum(chunks, job.gw);
    job.out[job.size + 1] = ctx->kernels->sum(chunks, job.gb);
    return PLX_OK;
}

static size_t workspace_tanh_steps_grad(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    return 2 * (size_t)chunks_of(step->in[0].size) * sizeof(plx_real);
}

/* Checks that w and b hold one value each and that the buffer fits the depth. */
static plx_status check_steps(plx_graph *graph, const plx__node *node, int states) {
    const int64_t depth = node->attrs.tanh_steps.depth,
                  size = plx__size(plx__input_of(graph, node, 0));
    for (int k = 1; k < 3; ++k)
        if (plx__size(plx__input_of(graph, node, k)) != 1)
            return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s has %lld values; it must have one",
                                   node->op->name, k == 1 ? "w" : "b",
                                   (long long)plx__size(plx__input_of(graph, node, k)));
    if (depth < 1)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: depth is %lld; it must be at least 1",
                               node->op->name, (long long)depth);
    const bool buffer = node->inputs_count > states;
    const int64_t room = buffer ? plx__size(plx__input_of(graph, node, states)) : 0;
    const int64_t wanted = (depth - 1) * size;
    if (buffer == (depth > 1) && room == wanted) return PLX_OK;
    return plx__graph_fail(graph, PLX_ERR_SHAPE,
                           "%s: the buffer has %lld values; it must have %lld", node->op->name,
                           (long long)room, (long long)wanted);
}

static plx_status infer_tanh_steps(plx_graph *graph, plx__node *node) {
    PLX_TRY(check_steps(graph, node, 3));
    return plx__infer_same(graph, node);
}

static plx_status infer_tanh_steps_grad(plx_graph *graph, plx__node *node) {
    PLX_TRY(check_steps(graph, node, 5));
    node->rank = 1;
    node->dims[0] = plx__size(plx__input_of(graph, node, 0)) + 2;
    return PLX_OK;
}

static void gradient_tanh_steps(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int count = node.inputs_count;
    const int32_t inputs[] = {
        node.inputs[0], node.inputs[1], node.inputs[2], id, gy, count > 3 ? node.inputs[3] : -1};
    const int32_t packed =
        plx__emit(graph, &plx__op_tanh_steps_grad, count + 2, inputs, &node.attrs);
    int64_t from = 0;
    for (int k = 0; k < 3; ++k) plx__hand_out(graph, &node, k, packed, &from, grads);
}

static plx__cost cost_tanh_steps(const plx_graph *graph, const plx__node *node) {
    plx__cost cost =
        plx__cost_streaming(graph, node, 3.0 * (double)node->attrs.tanh_steps.depth, 4);
    return cost;
}

static plx__cost cost_tanh_steps_grad(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 7.0 * (double)node->attrs.tanh_steps.depth, 1.5);
}

static const char steps_samples[] =
    "3x5~-2,2 .~0.5,1.5 .~-1,1 : depth 1; 7~-2,2 1~0.5,1.5 1 14 : depth 3; "
    "2x33x20~-2,2 .~0.5,1.5 . 1320 : depth 2; 0x3 . . : depth 1";
static const char steps_grad_samples[] =
    "3x5~-2,2 .~0.5,1.5 . 3x5~-0.9,0.9 3x5 : depth 1; "
    "33x40~-2,2 .~0.5,1.5 . 33x40~-0.9,0.9 33x40 2x33x40~-0.9,0.9 : depth 3; 0 . . 0 0 : depth 1";

const plx_op plx__op_tanh_steps = {
    .name = "tanh_steps",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"w", PLX__REALS, PLX__VALUE},
                              {"b", PLX__REALS, PLX__VALUE},
                              {"states", PLX__REALS, PLX__WRITTEN | PLX__OPTIONAL}),
    .infer = infer_tanh_steps,
    .gradient = gradient_tanh_steps,
    .cost = cost_tanh_steps,
    .run = run_tanh_steps,
    .attrs = plx__tanh_steps_fields,
    .samples = steps_samples,
};

const plx_op plx__op_tanh_steps_grad = {
    .name = "tanh_steps_grad",
    .operands =
        PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"w", PLX__REALS, PLX__VALUE},
                      {"b", PLX__REALS, PLX__VALUE}, {"y", PLX__REALS, PLX__VALUE},
                      {"gy", PLX__REALS, PLX__VALUE}, {"states", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_tanh_steps_grad,
    .cost = cost_tanh_steps_grad,
    .workspace = workspace_tanh_steps_grad,
    .run = run_tanh_steps_grad,
    .attrs = plx__tanh_steps_fields,
    .samples = PLX__TESTED(steps_grad_samples),
};

/* ---- future_table: e^(2 delta), [count] ------------------------------------------------------ */

/* The values delta are evenly spaced on [-span, span]. */
static plx_status infer_future_table(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = 1;
    node->dims[0] = node->attrs.future_table.count;
    return PLX_OK;
}

static double delta_of(const plx__attrs *attrs, int64_t k) {
    return attrs->future_table.span *
           ((double)(2 * k) / (double)(attrs->future_table.count - 1) - 1);
}

static plx_status run_future_table(plx_ctx *ctx, const plx__step *step) {
    ctx->method = "elements";
    for (int64_t k = 0; k < step->out.size; ++k)
        PLX_OUT(step)[k] = (plx_real)plx_math_exp(2 * delta_of(&step->attrs, k));
    return PLX_OK;
}

static const char no_samples[] = "";

const plx_op plx__op_future_table = {
    .name = "future_table",
    .flags = PLX__OP_ONCE | PLX__OP_NO_GRADIENT,
    .infer = infer_future_table,
    .cost = plx__cost_nothing,
    .run = run_future_table,
    .attrs = plx__future_table_fields,
    .samples = PLX__TESTED(no_samples),
};

/* ---- futures(x, table, slopes): the representative future, then the mean of all variances ---- */

/* slopes: the buffer for the gradient, holding the derivatives of the representative future and of
 * the variance, each the size of x. The result is [size + 1]. */
typedef struct futures_job {
    const plx_kernels *kernels;
    const plx_real *x, *scale;
    plx_real *y, *slope, *variance_slope;
    plx_real *sums;   /* of variances, one per chunk */
    plx_real *branch; /* one future of all elements, for the policy of least risk */
    int64_t size, count, columns;
} futures_job;

static void moments_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const futures_job *job = arg;
    plx_real variance[CHUNK];
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t at = chunk * CHUNK, n = chunk_size(job->size, chunk);
        job->kernels->futures(n, job->count, job->x + at, job->scale, job->y + at, variance,
                              job->slope + at, job->variance_slope + at);
        job->sums[chunk] = job->kernels->sum(n, variance);
    }
}

/* tanh is increasing, so the median future belongs to the median delta: the middle one, or the mean
 * of the middle two. */
static void median_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const futures_job *job = arg;
    const plx_kernels *k = job->kernels;
    const plx_real *middle = job->scale + (job->count - 1) / 2;
    plx_real ones[CHUNK], other[CHUNK], other_slope[CHUNK];
    for (int64_t i = 0; i < CHUNK; ++i) ones[i] = 1;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t at = chunk * CHUNK, n = chunk_size(job->size, chunk);
        k->tanh_near(n, job->x + at, middle[0], job->y + at);
        k->tanh_grad(n, job->y + at, ones, job->slope + at, 0);
        if (job->count % 2) continue;
        k->tanh_near(n, job->x + at, middle[1], other);
        k->tanh_grad(n, other, ones, other_slope, 0);
        k->blend(n, (plx_real)0.5, job->y + at, (plx_real)0.5, other, job->y + at);
        k->blend(n, (plx_real)0.5, job->slope + at, (plx_real)0.5, other_slope, job->slope + at);
    }
}

/* Picks, for each row, the first future with the least sum of squares. */
static void least_risk_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const futures_job *job = arg;
    const plx_kernels *kernels = job->kernels;
    const int64_t columns = job->columns, at = begin * columns, n = (end - begin) * columns;
    plx_real *risks = job->sums + begin;
    for (int64_t k = 0; k < job->count; ++k) {
        kernels->tanh_near(n, job->x + at, job->scale[k], job->branch + at);
        for (int64_t row = 0; row < end - begin; ++row) {
            const plx_real *future = job->branch + at + row * columns;
            const plx_real risk = kernels->sum_squares(columns, future);
            if (k && !(risk < risks[row])) continue;
            risks[row] = risk;
            memcpy(job->y + at + row * columns, future, (size_t)columns * sizeof *future);
        }
    }
    for (int64_t i = at; i < at + n; ++i) job->branch[i] = 1;
    kernels->tanh_grad(n, job->y + at, job->branch + at, job->slope + at, 0);
}

static plx_status run_futures(plx_ctx *ctx, const plx__step *step) {
    const int64_t size = step->in[0].size, chunks = chunks_of(size);
    futures_job job = {.kernels = ctx->kernels,
                       .x = PLX_IN(step, 0),
                       .scale = PLX_IN(step, 1),
                       .y = PLX_OUT(step),
                       .slope = *step->in[2].slot,
                       .sums = step->workspace,
                       .size = size,
                       .count = step->in[1].size,
                       .columns = plx__columns(step->in[0].rank, step->in[0].dims)};
    job.variance_slope = job.slope + size;
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, chunks, 1, moments_chunks, &job);
    job.y[size] = ctx->kernels->sum(chunks, job.sums) / (plx_real)size;
    if (!size || step->attrs.futures.policy == PLX__FUTURE_MEAN) return PLX_OK;
    if (step->attrs.futures.policy == PLX__FUTURE_MEDIAN) {
        plx__parallel_for(ctx->pool, step->threads, chunks, 1, median_chunks, &job);
        return PLX_OK;
    }
    const int64_t rows = size / job.columns;
    job.branch = job.sums + rows;
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.columns, step->threads),
                      least_risk_rows, &job);
    return PLX_OK;
}

/* Sums of chunks; with the least-risk policy also one future of each element and the risks of the
 * rows. */
static size_t workspace_futures(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const int64_t size = step->in[0].size;
    const bool least_risk = step->attrs.futures.policy == PLX__FUTURE_LEAST_RISK;
    const int64_t more = least_risk ? size + plx__rows(step->in[0].rank, step->in[0].dims) : 0;
    return (size_t)(chunks_of(size) + more) * sizeof(plx_real);
}

static plx_status infer_futures(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *table = plx__input_of(graph, node, 1);
    const int64_t size = plx__size(x), room = plx__size(plx__input_of(graph, node, 2));
    if (plx__size(table) < 2)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "futures: the table must hold at least 2 futures");
    const int64_t wanted = 2 * size;
    if (room != wanted)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "futures: the buffer has %lld values; it must have %lld",
                               (long long)room, (long long)wanted);
    node->rank = 1;
    node->dims[0] = size + 1;
    return PLX_OK;
}

static void gradient_futures(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = {.rank = 0};
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT2(graph, &plx__op_futures_grad, node.inputs[2], gy, &attrs);
}

/* The time of streaming once per future, plus an exponential. */
static plx__cost cost_futures(const plx_graph *graph, const plx__node *node) {
    const double size = (double)plx__size(plx__input_of(graph, node, 0)),
                 count = (double)plx__size(plx__input_of(graph, node, 1));
    return (plx__cost){.flops = size * (7 * count + 20),
                       .bytes = 4 * size * (double)sizeof(plx_real),
                       .weight = 3 + count / 3};
}

static const char futures_samples[] =
    "3x5~-2,2 3~0.5,1.5 2x3x5; 33x40~-2,2 9~0.5,1.5 2x1320; 3x5~-2,2 4~0.5,1.5 30 : policy 1; "
    "33x40~-2,2 5~0.5,1.5 2640 : policy 1; 3x5~-2,2 4~0.5,1.5 30 : policy 2; "
    "33x40~-2,2 5~0.5,1.5 2640 : policy 2; .~-2,2 2~0.5,1.5 2 : policy 2; "
    "1~-2,2 3~0.5,1.5 2 : policy 1";

const plx_op plx__op_futures = {
    .name = "futures",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"table", PLX__REALS, PLX__CONSTANT},
                              {"slopes", PLX__REALS, PLX__WRITTEN}),
    .infer = infer_futures,
    .gradient = gradient_futures,
    .cost = cost_futures,
    .workspace = workspace_futures,
    .run = run_futures,
    .attrs = plx__futures_fields,
    .samples = futures_samples,
};

/* ---- futures_grad(slopes, gy) ---------------------------------------------------------------- */

static void grad_chunks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const futures_job *job = arg;
    const plx_kernels *k = job->kernels;
    const plx_real share = job->x[job->size] / (plx_real)job->size;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        const int64_t at = chunk * CHUNK, n = chunk_size(job->size, chunk);
        k->mul(n, job->slope + at, 1, job->x + at, 1, job->y + at);
        k->axpy(n, share, job->variance_slope + at, job->y + at);
    }
}

static plx_status run_futures_grad(plx_ctx *ctx, const plx__step *step) {
    const int64_t size = step->out.size;
    futures_job job = {.kernels = ctx->kernels,
                       .x = PLX_IN(step, 1),
                       .y = PLX_OUT(step),
                       .slope = *step->in[0].slot,
                       .size = size};
    job.variance_slope = job.slope + size;
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, chunks_of(size), 4, grad_chunks, &job);
    return PLX_OK;
}

static plx_status infer_futures_grad(plx_graph *graph, plx__node *node) {
    plx__infer_target(graph, node);
    const int64_t size = plx__size(node);
    if (plx__size(plx__input_of(graph, node, 0)) == 2 * size &&
        plx__size(plx__input_of(graph, node, 1)) == size + 1)
        return PLX_OK;
    return plx__graph_fail(graph, PLX_ERR_SHAPE,
                           "futures_grad: the inputs do not fit the %lld values of x",
                           (long long)size);
}

static plx__cost cost_futures_grad(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 3, 1);
}

static const char futures_grad_samples[] = "2x3x5 16 : >3x5; 2640 1321 : >33x40; 0 1 : >0x3";

const plx_op plx__op_futures_grad = {
    .name = "futures_grad",
    .operands = PLX__OPERANDS({"slopes", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_futures_grad,
    .cost = cost_futures_grad,
    .run = run_futures_grad,
    .samples = PLX__TESTED(futures_grad_samples),
};
