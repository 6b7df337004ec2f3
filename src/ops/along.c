/* Elements selected, replaced or combined by i32 indices of their own along one axis, line by line.
 * Plain C with the same results on every target. */
#include "ops/copy.h"
#include "ops/exact_sum.h"

#include <string.h>

/* A line holds the elements along the axis at one place of all other axes. Every line of indices
 * lies in one of x, at the same place of the other axes; x may have more lines. */
typedef struct along_job {
    int rank, axis;
    plx_scatter scatter;
    bool into_x;                /* elements move to the places that indices name, not from them */
    int64_t dims[PLX_MAX_RANK]; /* of indices */
    int64_t step[PLX_MAX_RANK], x_step[PLX_MAX_RANK]; /* strides of indices and of x */
    int64_t lines, count, n; /* lines of indices; their length, and that of the lines of x */
    size_t bytes;            /* of an element */
    const int32_t *indices;
    const char *from;
    char *to;
    const plx_real *x, *y, *updates, *gy; /* as the ops call them */
    plx_real *out, *errors;               /* errors: for each worker, n of each line of a group */
} along_job;

/* Neighbouring lines are processed together, so that memory is read in order. */
enum { GROUP = 16 };
typedef struct line_group {
    int64_t count, at[GROUP], x_at[GROUP]; /* where the lines begin */
} line_group;

static int64_t group_size(const along_job *job) {
    return job->step[job->axis] == 1 ? 1 : GROUP;
}

/* The lines first and up, before end, as many as a group has. */
static line_group lines_from(const along_job *job, int64_t first, int64_t end) {
    line_group group = {.count = 0};
    for (; first < end && group.count < group_size(job); ++first) {
        int64_t left = first, at = 0, x_at = 0;
        for (int axis = job->rank - 1; axis >= 0; --axis) {
            if (axis == job->axis) continue;
            const int64_t index = left % job->dims[axis];
            left /= job->dims[axis];
            at += index * job->step[axis];
            x_at += index * job->x_step[axis];
        }
        group.at[group.count] = at;
        group.x_at[group.count++] = x_at;
    }
    return group;
}

static along_job job_of(const plx__step *step, const plx__operand *indices, int x_rank,
                        const int64_t *x_dims, int64_t axis) {
    along_job job = {.rank = x_rank,
                     .axis = (int)axis,
                     .lines = 1,
                     .count = indices->dims[axis],
                     .n = x_dims[axis],
                     .bytes = plx__element_bytes(step->out.dtype),
                     .indices = *indices->slot,
                     .to = *step->out.slot};
    memcpy(job.dims, indices->dims, sizeof job.dims);
    plx__contiguous_strides(x_rank, indices->dims, job.step);
    plx__contiguous_strides(x_rank, x_dims, job.x_step);
    for (int i = 0; i < x_rank; ++i)
        if (i != axis) job.lines *= indices->dims[i];
    if (!job.count) job.lines = 0;
    return job;
}

/* Runs fn(arg) over the lines of job. */
static void run_lines(plx_ctx *ctx, const plx__step *step, const along_job *job, plx__loop_fn fn,
                      void *arg) {
    if (job->lines) ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, job->lines,
                      plx__grain(job->lines, job->n + job->count, step->threads), fn, arg);
}

static plx_status check_lines(plx_graph *graph, const plx__node *node, int rank,
                              const int64_t *dims, const plx__node *indices, int axis) {
    bool fit = rank == indices->rank && axis < rank;
    for (int i = 0; i < rank && fit; ++i) fit = i == axis || indices->dims[i] <= dims[i];
    char left[96], right[96];
    if (!fit)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: indices %s must have the rank of x %s, and at most its size "
                               "along every axis but axis %d",
                               plx__title(node->op),
                               plx__shape_text(indices->rank, indices->dims, right, 96),
                               plx__shape_text(rank, dims, left, 96), axis);
    return PLX_OK;
}

static plx__cost cost_along(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 0, 2);
}

/* ---- take_along(x, indices) ------------------------------------------------------------------ */

static plx_status infer_take_along(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *indices = plx__input_of(graph, node, 1);
    plx__copy_shape(node, indices);
    return check_lines(graph, node, x->rank, x->dims, indices, (int)node->attrs.axis.axis);
}

static void gradient_take_along(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = {.axis = node.attrs.axis};
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT2(graph, &plx__op_take_along_grad, node.inputs[1], gy, &attrs);
}

static void move(const along_job *job, int64_t from, int64_t to) {
    const char *x = job->from + from * (int64_t)job->bytes;
    char *y = job->to + to * (int64_t)job->bytes;
    if (job->bytes == sizeof(plx_real))
        memcpy(y, x, sizeof(plx_real)); /* one load, one store */
    else
        memcpy(y, x, job->bytes);
}

static void move_lines(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const along_job *job = arg;
    const int64_t step = job->step[job->axis], x_step = job->x_step[job->axis];
    const bool into_x = job->into_x;
    for (line_group g; begin < end; begin += g.count) {
        g = lines_from(job, begin, end);
        for (int64_t k = 0; k < job->count; ++k)
            for (int64_t j = 0; j < g.count; ++j) {
                const int64_t at = g.at[j] + k * step;
                const int64_t x_at = g.x_at[j] + job->indices[at] * x_step;
                move(job, into_x ? at : x_at, into_x ? x_at : at);
            }
    }
}

static plx_status run_take_along(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    along_job job = job_of(step, &step->in[1], x->rank, x->dims, step->attrs.axis.axis);
    PLX_TRY(plx__check_indices(ctx, step, 1, job.n));
    job.from = *x->slot;
    run_lines(ctx, step, &job, move_lines, &job);
    return PLX_OK;
}

static const char take_along_samples[] =
    "5 3~0,5; 2x150x4 2x150x7~0,4 : axis 2; 3x5 3x0~0,5 : axis 1; 4x3 2x3~0,4; 3x4 5x4~0,3; "
    "3x4x5 2x6x4~0,4 : axis 1; 40x33 50x33~0,40";

const plx_op plx__op_take_along = {
    .name = "take_along",
    .operands =
        PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}, {"indices", PLX__INTEGERS, PLX__CONSTANT}),
    .result = PLX__AS(0),
    .infer = infer_take_along,
    .gradient = gradient_take_along,
    .cost = cost_along,
    .run = run_take_along,
    .attrs = plx__axis_fields,
    .samples = take_along_samples,
};

/* ---- Combining: the same loop for scatter_reduce and for the gradient of take_along ---------- */

/* Sums of this many terms need no correction. */
enum { SHORT_SUM = 16 };

static plx_real combined(plx_scatter scatter, plx_real a, plx_real b) {
    switch (scatter) {
    case PLX_SCATTER_ADD: return a + b;
    case PLX_SCATTER_MUL: return a * b;
    case PLX_SCATTER_MAX: return b > a || b != b ? b : a;
    case PLX_SCATTER_MIN: return b < a || b != b ? b : a;
    case PLX_SCATTER_SET: break;
    }
    return b;
}

static void combine_lines(void *arg, int64_t begin, int64_t end, int worker) {
    const along_job *job = arg;
    const int64_t step = job->step[job->axis], x_step = job->x_step[job->axis];
    plx_real *errors = job->errors ? job->errors + worker * job->n * group_size(job) : NULL;
    for (line_group g; begin < end; begin += g.count) {
        g = lines_from(job, begin, end);
        if (errors) memset(errors, 0, (size_t)(job->n * g.count) * sizeof *errors);
        for (int64_t k = 0; k < job->count; ++k)
            for (int64_t j = 0; j < g.count; ++j) {
                const int64_t at = g.at[j] + k * step, i = job->indices[at];
                plx_real *y = job->out + g.x_at[j] + i * x_step;
                if (errors)
                    plx__add_exactly(y, job->updates[at], errors + i * g.count + j);
                else
                    *y = combined(job->scatter, *y, job->updates[at]);
            }
    }
}

static size_t errors_bytes(const along_job *job, int threads) {
    if (job->scatter != PLX_SCATTER_ADD || job->count <= SHORT_SUM) return 0;
    return (size_t)(threads * job->n * group_size(job)) * sizeof(plx_real);
}

static void combine(plx_ctx *ctx, const plx__step *step, along_job *job) {
    job->out = PLX_OUT(step);
    if (errors_bytes(job, step->threads)) job->errors = step->workspace;
    run_lines(ctx, step, job, combine_lines, job);
}

/* ---- take_along_grad(indices, gy): the target of attrs is the shape of x --------------------- */

static plx_status infer_take_along_grad(plx_graph *graph, plx__node *node) {
    plx__infer_target(graph, node);
    return check_lines(graph, node, node->rank, node->dims, plx__input_of(graph, node, 0),
                       (int)node->attrs.axis.axis);
}

static void gradient_take_along_grad(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const plx__attrs attrs = {.axis = node.attrs.axis};
    grads[1] = PLX__EMIT2(graph, &plx__op_take_along, gy, node.inputs[0], &attrs);
}

static along_job job_of_sum(const plx__step *step) {
    along_job job =
        job_of(step, &step->in[0], step->out.rank, step->out.dims, step->attrs.axis.axis);
    job.scatter = PLX_SCATTER_ADD;
    return job;
}

static size_t workspace_take_along_grad(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const along_job job = job_of_sum(step);
    return errors_bytes(&job, step->threads);
}

static plx_status run_take_along_grad(plx_ctx *ctx, const plx__step *step) {
    along_job job = job_of_sum(step);
    PLX_TRY(plx__check_indices(ctx, step, 0, job.n));
    job.updates = PLX_IN(step, 1);
    plx__fill(ctx, step->threads, step->out.size, 0, PLX_OUT(step));
    combine(ctx, step, &job);
    return PLX_OK;
}

static const char take_along_grad_samples[] =
    "3~0,5 3 : >5; 2x5x7~0,4 2x5x7 : axis 2 >2x5x4; 2x3~0,4 2x3 : >4x3; 90x17~0,4 90x17 : >5x17; "
    "3x200~0,4 3x200 : axis 1 >3x4; 3x0~0,5 3x0 : axis 1 >3x5";

const plx_op plx__op_take_along_grad = {
    .name = "take_along_grad",
    .operands =
        PLX__OPERANDS({"indices", PLX__INTEGERS, PLX__CONSTANT}, {"gy", PLX__REALS, PLX__VALUE}),
    .infer = infer_take_along_grad,
    .gradient = gradient_take_along_grad,
    .cost = cost_along,
    .workspace = workspace_take_along_grad,
    .run = run_take_along_grad,
    .attrs = plx__axis_fields,
    .samples = take_along_grad_samples,
};

/* ---- scatter_along and scatter_reduce(x, indices, updates) ----------------------------------- */

static plx_status infer_scatter(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *indices = plx__input_of(graph, node, 1);
    const plx__node *updates = plx__input_of(graph, node, 2);
    char left[96], right[96];
    plx__copy_shape(node, x);
    PLX_TRY(check_lines(graph, node, x->rank, x->dims, indices, (int)node->attrs.scatter.axis));
    if (!plx__same_shape(indices, updates))
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "scatter_along: updates %s must have the shape of indices, %s",
                               plx__shape_text(updates->rank, updates->dims, left, 96),
                               plx__shape_text(indices->rank, indices->dims, right, 96));
    return PLX_OK;
}

static void gradient_scatter(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t x = node.inputs[0], indices = node.inputs[1], updates = node.inputs[2];
    const plx__attrs axis = {.axis = {node.attrs.scatter.axis}};
    if (node.attrs.scatter.scatter == PLX_SCATTER_ADD) {
        grads[0] = gy;
        grads[2] = PLX__EMIT2(graph, &plx__op_take_along, gy, indices, &axis);
        return;
    }
    const int32_t inputs[] = {indices, gy, updates, x, id};
    const int count = node.attrs.scatter.scatter == PLX_SCATTER_SET ? 2 : 5;
    const int32_t both = plx__emit(graph, &plx__op_scatter_grad, count, inputs, &node.attrs);
    int64_t from = 0;
    plx__hand_out(graph, &node, 0, both, &from, grads);
    plx__hand_out(graph, &node, 2, both, &from, grads);
}

static along_job job_of_scatter(const plx__step *step) {
    along_job job =
        job_of(step, &step->in[1], step->out.rank, step->out.dims, step->attrs.scatter.axis);
    job.scatter = (plx_scatter)step->attrs.scatter.scatter;
    return job;
}

static size_t workspace_scatter(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const along_job job = job_of_scatter(step);
    return errors_bytes(&job, step->threads);
}

static plx_status run_scatter(plx_ctx *ctx, const plx__step *step) {
    along_job job = job_of_scatter(step);
    PLX_TRY(plx__check_indices(ctx, step, 1, job.n));
    const plx__copy whole = {.rank = 1, .dims = {step->out.size}, .from = {1}, .to = {1}};
    plx__copy_strided(ctx, step->threads, step->out.dtype, *step->in[0].slot, *step->out.slot,
                      &whole);
    job.from = *step->in[2].slot;
    job.updates = *step->in[2].slot;
    job.into_x = true;
    if (job.scatter == PLX_SCATTER_SET)
        run_lines(ctx, step, &job, move_lines, &job);
    else
        combine(ctx, step, &job);
    return PLX_OK;
}

static const char scatter_along_samples[] =
    "5 3~0,5 3; 2x4x5 2x6x4~0,4 2x6x4 : axis 1; 3x4 5x4~0,3 5x4; 40x33 9x33~0,40 9x33; "
    "3x5 3x0~0,5 3x0 : axis 1";
static const char scatter_reduce_samples[] =
    "5 3~0,5 3 : scatter 1; 2x4x5 2x6x4~0,4 2x6x4 : axis 1 scatter 2; "
    "3x4 5x4~0,3 5x4 : scatter 1; 40x33 9x33~0,40 9x33 : scatter 3; "
    "3x5 3x9~0,5 3x9 : axis 1 scatter 4; 3x4 90x4~0,3 90x4 : scatter 1; 2x3 2x7~0,3 2x7 : axis 1 "
    "scatter 3; 3x5 3x0~0,5 3x0 : axis 1 scatter 2";

const plx_op plx__op_scatter_along = {
    .name = "scatter_along",
    .operands =
        PLX__OPERANDS({"x", PLX__ANY, PLX__ALIKE}, {"indices", PLX__INTEGERS, PLX__CONSTANT},
                      {"updates", PLX__ANY, PLX__ALIKE}),
    .result = PLX__AS(0),
    .infer = infer_scatter,
    .gradient = gradient_scatter,
    .cost = cost_along,
    .run = run_scatter,
    .attrs = plx__scatter_fields,
    .samples = scatter_along_samples,
};

const plx_op plx__op_scatter_reduce = {
    .name = "scatter_reduce",
    .title = "scatter_along",
    .operands =
        PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"indices", PLX__INTEGERS, PLX__CONSTANT},
                      {"updates", PLX__REALS, PLX__VALUE}),
    .infer = infer_scatter,
    .gradient = gradient_scatter,
    .cost = cost_along,
    .workspace = workspace_scatter,
    .run = run_scatter,
    .attrs = plx__scatter_fields,
    .samples = scatter_reduce_samples,
};

/* ---- scatter_grad(indices, gy, updates, x, y): the gradients of x and of updates ------------- */

static plx_status infer_scatter_grad(plx_graph *graph, plx__node *node) {
    const plx__node *indices = plx__input_of(graph, node, 0), *gy = plx__input_of(graph, node, 1);
    node->rank = 1;
    node->dims[0] = plx__size(gy) + plx__size(indices);
    return check_lines(graph, node, gy->rank, gy->dims, indices, (int)node->attrs.scatter.axis);
}

/* gx holds a running value for each element of x, which the visit of an update reads and changes.
 */
typedef void (*visit)(const along_job *job, int64_t update, int64_t element, plx_real *gu,
                      plx_real *gx);

typedef struct visits {
    const along_job *job;
    visit each;
    bool backwards;
    plx_real *gx, *gu;
} visits;

/* What is left of gy goes to this update: the last one of its element, going backwards. */
static void take_rest(const along_job *job, int64_t update, int64_t element, plx_real *gu,
                      plx_real *gx) {
    (void)job;
    (void)update;
    (void)element;
    *gu = *gx;
    *gx = 0;
}

static bool is_result(plx_real value, plx_real result) {
    return value == result || (value != value && result != result);
}

/* The same for the first update that is the result. */
static void take_if_result(const along_job *job, int64_t update, int64_t element, plx_real *gu,
                           plx_real *gx) {
    *gu = 0;
    if (is_result(job->updates[update], job->y[element])) take_rest(job, update, element, gu, gx);
}

/* Forwards: the product of x and the updates before this one. */
static void begin_product(const along_job *job, int64_t update, int64_t element, plx_real *gu,
                          plx_real *gx) {
    (void)element;
    *gu = *gx;
    *gx *= job->updates[update];
}

/* Backwards: that times gy and the updates after this one. */
static void end_product(const along_job *job, int64_t update, int64_t element, plx_real *gu,
                        plx_real *gx) {
    (void)element;
    *gu *= *gx;
    *gx *= job->updates[update];
}

static void visit_lines(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const visits *v = arg;
    const along_job *job = v->job;
    const int64_t step = job->step[job->axis], x_step = job->x_step[job->axis];
    for (line_group g; begin < end; begin += g.count) {
        g = lines_from(job, begin, end);
        for (int64_t i = 0; i < job->count; ++i)
            for (int64_t j = 0; j < g.count; ++j) {
                const int64_t at = g.at[j] + (v->backwards ? job->count - 1 - i : i) * step;
                const int64_t x_at = g.x_at[j] + job->indices[at] * x_step;
                v->each(job, at, x_at, v->gu + at, v->gx + x_at);
            }
    }
}

static void visit_all(plx_ctx *ctx, const plx__step *step, const along_job *job, visit each,
                      bool backwards) {
    visits v = {job, each, backwards, PLX_OUT(step), PLX_OUT(step) + step->in[1].size};
    run_lines(ctx, step, job, visit_lines, &v);
}

/* gx = gy where x is the result (others: where it is not), else 0. */
static void share_gradient(const plx__step *step, const along_job *job, bool others) {
    plx_real *gx = PLX_OUT(step);
    for (int64_t i = 0; i < step->in[1].size; ++i)
        gx[i] = is_result(job->x[i], job->y[i]) != others ? job->gy[i] : 0;
}

static plx_status run_scatter_grad(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *gy = &step->in[1];
    along_job job = job_of(step, &step->in[0], gy->rank, gy->dims, step->attrs.scatter.axis);
    PLX_TRY(plx__check_indices(ctx, step, 0, job.n));
    const size_t bytes = (size_t)gy->size * sizeof(plx_real);
    plx_real *gx = PLX_OUT(step);
    job.gy = PLX_IN(step, 1);
    if (step->in_count > 2) {
        job.updates = PLX_IN(step, 2);
        job.x = PLX_IN(step, 3);
        job.y = PLX_IN(step, 4);
    }
    if (!step->out.size) return PLX_OK;
    switch ((plx_scatter)step->attrs.scatter.scatter) {
    case PLX_SCATTER_MUL:
        memcpy(gx, job.x, bytes);
        visit_all(ctx, step, &job, begin_product, false);
        memcpy(gx, job.gy, bytes);
        visit_all(ctx, step, &job, end_product, true);
        break;
    case PLX_SCATTER_MAX:
    case PLX_SCATTER_MIN:
        share_gradient(step, &job, true);
        visit_all(ctx, step, &job, take_if_result, false);
        share_gradient(step, &job, false);
        break;
    case PLX_SCATTER_SET:
    case PLX_SCATTER_ADD:
        memcpy(gx, job.gy, bytes);
        visit_all(ctx, step, &job, take_rest, true);
        break;
    }
    return PLX_OK;
}

static const char scatter_grad_samples[] =
    "3~0,5 5; 2x6x4~0,4 2x4x5 : axis 1; 5x4~0,3 3x4 5x4 3x4 3x4 : scatter 2; "
    "9x33~0,40 40x33 9x33 40x33 40x33 : scatter 3; 3x9~0,5 3x5 3x9 3x5 3x5 : axis 1 scatter 4; "
    "3x0~0,5 3x5 : axis 1";

const plx_op plx__op_scatter_grad = {
    .name = "scatter_grad",
    .flags = PLX__OP_NO_GRADIENT,
    .operands =
        PLX__OPERANDS({"indices", PLX__INTEGERS, PLX__CONSTANT}, {"gy", PLX__REALS, PLX__VALUE},
                      {"updates", PLX__REALS, PLX__OPTIONAL}, {"x", PLX__REALS, PLX__OPTIONAL},
                      {"y", PLX__REALS, PLX__OPTIONAL}),
    .infer = infer_scatter_grad,
    .cost = cost_along,
    .run = run_scatter_grad,
    .attrs = plx__scatter_fields,
    .samples = PLX__TESTED(scatter_grad_samples),
};
