/* Losses: scalar means over all elements (mse) or rows (cross-entropy). */
#include "ops/op.h"

#include <string.h>

/* ---- mse(prediction, target) ----------------------------------------------------------------- */

typedef struct mse_job {
    const plx_kernels *kernels;
    const plx_real *a, *b;
    plx_real *y;
    int64_t size;
    plx_real factor;
} mse_job;

static plx_status infer_mse(plx_graph *graph, plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    if (!plx__same_shape(a, b)) {
        char left[96], right[96];
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: prediction %s and target %s must have the same shape",
                               node->op->name, plx__shape_text(a->rank, a->dims, left, 96),
                               plx__shape_text(b->rank, b->dims, right, 96));
    }
    if (node->op == &plx__op_mse)
        node->rank = 0;
    else
        plx__copy_shape(node, a);
    return PLX_OK;
}

static void gradient_mse(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    for (int k = 0; k < 2; ++k) {
        const plx__attrs attrs = {.loss = {.input = k}};
        grads[k] = PLX__EMIT3(graph, &plx__op_mse_grad, node.inputs[0], node.inputs[1], gy, &attrs);
    }
}

static plx_real squared_errors(const plx_kernels *k, int64_t n, const plx_real *a,
                               const plx_real *b) {
    return k->sum_squared_difference(n, a, b);
}

static plx_status run_mse(plx_ctx *ctx, const plx__step *step) {
    *PLX_OUT(step) = plx__total(ctx, step, squared_errors) / (plx_real)step->in[0].size;
    return PLX_OK;
}

static void mse_grad_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const mse_job *job = arg;
    plx_real *y = job->y + begin;
    job->kernels->sub(end - begin, job->a + begin, 1, job->b + begin, 1, y);
    job->kernels->scale(end - begin, job->factor, y, y);
}

static plx_status run_mse_grad(plx_ctx *ctx, const plx__step *step) {
    const plx_real sign = step->attrs.loss.input ? -2 : 2;
    ctx->method = "elements";
    mse_job job = {ctx->kernels,    PLX_IN(step, 0),
                   PLX_IN(step, 1), PLX_OUT(step),
                   step->out.size,  sign * PLX_IN(step, 2)[0] / (plx_real)step->out.size};
    plx__parallel_for(ctx->pool, step->threads, job.size, plx__grain(job.size, 1, step->threads),
                      mse_grad_piece, &job);
    return PLX_OK;
}

static plx__cost cost_streaming_once(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = 3.0 * (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

static const char mse_samples[] = "3x4 3x4; 130x33 130x33; 1 1";
static const char mse_grad_samples[] = "3x4 3x4 .; 3x17 3x17 . : input 1";

const plx_op plx__op_mse = {
    .name = "mse",
    .operands =
        PLX__OPERANDS({"prediction", PLX__REALS, PLX__VALUE}, {"target", PLX__REALS, PLX__VALUE}),
    .infer = infer_mse,
    .gradient = gradient_mse,
    .cost = cost_streaming_once,
    .workspace = plx__total_workspace,
    .run = run_mse,
    .attrs = plx__loss_fields,
    .samples = mse_samples,
};

const plx_op plx__op_mse_grad = {
    .name = "mse_grad",
    .operands = PLX__OPERANDS({"prediction", PLX__REALS, PLX__VALUE},
                              {"target", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,
    .infer = infer_mse,
    .cost = cost_streaming_once,
    .run = run_mse_grad,
    .attrs = plx__loss_fields,
    .samples = PLX__TESTED(mse_grad_samples),
};

/* ---- Cross-entropy --------------------------------------------------------------------------- */

/* Checks x [..., classes] against labels [...]: one label per row. */
static plx_status check_rows(plx_graph *graph, const plx__node *x, const plx__node *labels) {
    if (!x->rank)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "cross_entropy: logits are a scalar; they need at least one axis");
    const int64_t rows = plx__rows(x->rank, x->dims);
    if (rows != plx__size(labels))
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "cross_entropy: %lld rows of logits but %lld labels; each row needs one label",
            (long long)rows, (long long)plx__size(labels));
    return PLX_OK;
}

/* Fails at a label outside the classes; *counted: the number of labels that are not ignored. */
static plx_status check_labels(plx_ctx *ctx, const int32_t *labels, int64_t rows, int64_t classes,
                               int64_t *counted) {
    *counted = rows;
    for (int64_t i = 0; i < rows; ++i) {
        if (labels[i] >= 0 && labels[i] < classes) continue;
        if (labels[i] != PLX_IGNORED_LABEL)
            return plx__fail(
                &ctx->message, PLX_ERR_ARGUMENT,
                "cross_entropy: label %d in row %lld is outside 0 to %lld (%d: not counted)",
                (int)labels[i], (long long)i, (long long)classes - 1, PLX_IGNORED_LABEL);
        *counted -= 1;
    }
    return PLX_OK;
}

/* The mean over counted rows; the terms of ignored rows are 0. */
static plx_real mean_of_counted(const plx_kernels *k, int64_t rows, const plx_real *terms,
                                int64_t counted) {
    return counted ? k->sum(rows, terms) / (plx_real)counted : 0;
}

static plx_status infer_mean_of_rows(plx_graph *graph, plx__node *node) {
    node->rank = 0;
    return check_rows(graph, plx__input_of(graph, node, 0), plx__input_of(graph, node, 1));
}

/* nll(log_probabilities, labels) */
static void gradient_nll(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id], x = *graph->nodes[node.inputs[0]];
    plx__attrs attrs = {.cross_entropy = node.attrs.cross_entropy, .rank = x.rank};
    memcpy(attrs.dims, x.dims, sizeof attrs.dims);
    grads[0] = PLX__EMIT2(graph, &plx__op_nll_grad, node.inputs[1], gy, &attrs);
}

static plx_status run_nll(plx_ctx *ctx, const plx__step *step) {
    const int64_t rows = step->in[1].size,
                  classes = plx__columns(step->in[0].rank, step->in[0].dims);
    const int32_t *labels = *step->in[1].slot;
    const plx_real smoothing = (plx_real)step->attrs.cross_entropy.smoothing;
    int64_t counted;
    PLX_TRY(check_labels(ctx, labels, rows, classes, &counted));
    plx_real *terms = step->workspace;
    ctx->method = "rows";
    for (int64_t i = 0; i < rows; ++i) {
        const plx_real *x = PLX_IN(step, 0) + i * classes;
        terms[i] = labels[i] == PLX_IGNORED_LABEL ? 0 : -x[labels[i]];
        if (smoothing > 0 && labels[i] != PLX_IGNORED_LABEL)
            terms[i] = (1 - smoothing) * terms[i] -
                       smoothing * (ctx->kernels->sum(classes, x) / (plx_real)classes);
    }
    *PLX_OUT(step) = mean_of_counted(ctx->kernels, rows, terms, counted);
    return PLX_OK;
}

static size_t workspace_rows(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    return (size_t)step->in[1].size * sizeof(plx_real);
}

/* nll_grad(labels, gy): the target of attrs is the shape of the log-probabilities. */
static plx_status infer_nll_grad(plx_graph *graph, plx__node *node) {
    plx__infer_target(graph, node);
    return check_rows(graph, node, plx__input_of(graph, node, 0));
}

static plx_status run_nll_grad(plx_ctx *ctx, const plx__step *step) {
    const int64_t rows = step->in[0].size, classes = plx__columns(step->out.rank, step->out.dims);
    const int32_t *labels = *step->in[0].slot;
    const plx_real smoothing = (plx_real)step->attrs.cross_entropy.smoothing;
    int64_t counted;
    PLX_TRY(check_labels(ctx, labels, rows, classes, &counted));
    plx_real *gx = PLX_OUT(step);
    ctx->method = "rows";
    memset(gx, 0, (size_t)step->out.size * sizeof *gx);
    const plx_real value = -PLX_IN(step, 1)[0] / (plx_real)counted;
    const plx_real even = value * (smoothing / (plx_real)classes);
    for (int64_t i = 0; i < rows; ++i) {
        if (labels[i] == PLX_IGNORED_LABEL) continue;
        plx_real *row = gx + i * classes;
        for (int64_t j = 0; smoothing > 0 && j < classes; ++j) row[j] = even;
        row[labels[i]] += value * (1 - smoothing);
    }
    return PLX_OK;
}

/* softmax_xent(logits, labels) and its gradient (logits, labels, gy): created by the fuse pass from
 * log_softmax and nll. Pass keep_sums gives both a buffer for two values of each row, its largest
 * logit and its sum of exponentials. */
typedef struct xent_job {
    const plx_kernels *kernels;
    const plx_real *x;
    const int32_t *labels;
    plx_real *y, *saved;
    int64_t classes;
    plx_real smoothing, factor;
} xent_job;

static plx_real *saved_of(const xent_job *job, int64_t row) {
    return job->saved ? job->saved + 2 * row : NULL;
}

static void xent_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const xent_job *job = arg;
    for (int64_t i = begin; i < end; ++i)
        job->y[i] =
            job->labels[i] == PLX_IGNORED_LABEL
                ? 0
                : job->kernels->softmax_xent(job->classes, job->x + i * job->classes,
                                             job->labels[i], job->smoothing, saved_of(job, i));
}

static void xent_grad_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const xent_job *job = arg;
    for (int64_t i = begin; i < end; ++i) {
        plx_real *y = job->y + i * job->classes;
        if (job->labels[i] == PLX_IGNORED_LABEL)
            memset(y, 0, (size_t)job->classes * sizeof *y);
        else
            job->kernels->softmax_xent_grad(job->classes, job->x + i * job->classes, job->labels[i],
                                            job->smoothing, job->factor, saved_of(job, i), y);
    }
}

static plx_status run_softmax_xent(plx_ctx *ctx, const plx__step *step) {
    const int64_t rows = step->in[1].size,
                  classes = plx__columns(step->in[0].rank, step->in[0].dims);
    xent_job job = {.kernels = plx__row_kernels(ctx->kernels, classes),
                    .x = PLX_IN(step, 0),
                    .labels = *step->in[1].slot,
                    .y = step->workspace,
                    .saved = step->in_count > 2 ? *step->in[2].slot : NULL,
                    .classes = classes,
                    .smoothing = (plx_real)step->attrs.cross_entropy.smoothing};
    int64_t counted;
    PLX_TRY(check_labels(ctx, job.labels, rows, classes, &counted));
    ctx->method = plx__rows_method(ctx, job.kernels);
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, classes, step->threads),
                      xent_rows, &job);
    *PLX_OUT(step) = mean_of_counted(ctx->kernels, rows, job.y, counted);
    return PLX_OK;
}

static plx_status infer_xent_grad(plx_graph *graph, plx__node *node) {
    plx__infer_same(graph, node);
    return check_rows(graph, node, plx__input_of(graph, node, 1));
}

static plx_status run_softmax_xent_grad(plx_ctx *ctx, const plx__step *step) {
    const int64_t rows = step->in[1].size, classes = plx__columns(step->out.rank, step->out.dims);
    xent_job job = {.kernels = plx__row_kernels(ctx->kernels, classes),
                    .x = PLX_IN(step, 0),
                    .labels = *step->in[1].slot,
                    .y = PLX_OUT(step),
                    .saved = step->in_count > 3 ? *step->in[3].slot : NULL,
                    .classes = classes,
                    .smoothing = (plx_real)step->attrs.cross_entropy.smoothing};
    int64_t counted;
    PLX_TRY(check_labels(ctx, job.labels, rows, classes, &counted));
    job.factor = PLX_IN(step, 2)[0] / (plx_real)counted;
    ctx->method = job.saved ? "rows, sums kept" : plx__rows_method(ctx, job.kernels);
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, classes, step->threads),
                      xent_grad_rows, &job);
    return PLX_OK;
}

static plx__cost cost_xent(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 4);
    cost.flops = 4.0 * (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

static plx__cost cost_nll_grad(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 0, 1);
}

static const char nll_samples[] =
    "3x5~-3,-0.1 3~0,5; 2x2x10~-3,-0.1 2x2~0,10; 3x5~-3,-0.1 3~0,5 : smoothing 0.1";
static const char nll_grad_samples[] = "3~0,5 . : >3x5; 3~0,5 . : smoothing 0.1 >3x5";
static const char xent_samples[] =
    "3x5~-3,3 3~0,5; 64x10~-3,3 64~0,10; 2x33~-3,3 2~0,33; 64x10~-3,3 64~0,10 : smoothing 0.1";
static const char xent_grad_samples[] =
    "3x5~-3,3 3~0,5 .; 2x33~-3,3 2~0,33 .; 2x33~-3,3 2~0,33 . : smoothing 0.1";

const plx_op plx__op_nll = {
    .name = "nll",
    .title = "cross_entropy",
    .operands =
        PLX__OPERANDS({"logits", PLX__REALS, PLX__VALUE}, {"labels", PLX__INTEGERS, PLX__CONSTANT}),
    .infer = infer_mean_of_rows,
    .gradient = gradient_nll,
    .cost = cost_xent,
    .workspace = workspace_rows,
    .run = run_nll,
    .attrs = plx__cross_entropy_fields,
    .samples = nll_samples,
};

const plx_op plx__op_nll_grad = {
    .name = "nll_grad",
    .operands =
        PLX__OPERANDS({"labels", PLX__INTEGERS, PLX__CONSTANT}, {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_nll_grad,
    .cost = cost_nll_grad,
    .run = run_nll_grad,
    .attrs = plx__cross_entropy_fields,
    .samples = PLX__TESTED(nll_grad_samples),
};

const plx_op plx__op_softmax_xent = {
    .name = "softmax_xent",
    .operands =
        PLX__OPERANDS({"logits", PLX__REALS, PLX__VALUE}, {"labels", PLX__INTEGERS, PLX__CONSTANT},
                      {"saved", PLX__REALS, PLX__WRITTEN | PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_mean_of_rows,
    .cost = cost_xent,
    .workspace = workspace_rows,
    .run = run_softmax_xent,
    .attrs = plx__cross_entropy_fields,
    .samples = PLX__TESTED(xent_samples),
};

const plx_op plx__op_softmax_xent_grad = {
    .name = "softmax_xent_grad",
    .operands = PLX__OPERANDS(
        {"logits", PLX__REALS, PLX__VALUE}, {"labels", PLX__INTEGERS, PLX__CONSTANT},
        {"gy", PLX__REALS, PLX__VALUE}, {"saved", PLX__REALS, PLX__CONSTANT | PLX__OPTIONAL}),
    .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,
    .infer = infer_xent_grad,
    .cost = cost_xent,
    .run = run_softmax_xent_grad,
    .attrs = plx__cross_entropy_fields,
    .samples = PLX__TESTED(xent_grad_samples),
};
