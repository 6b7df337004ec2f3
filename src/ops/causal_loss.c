/* The loss of hypercausal nodes over sequences, forward and backward in one pass each.
 *
 * state, future and target are [..., time, channels]; the further inputs are the mean variances of
 * each node's futures. The result [4] holds the task loss, mean of (state - target)^2; the
 * consistency, mean over all times but the first of drift (state - previous state)^2 + forecast
 * (state - future)^2; the coherence, mean of the variances; and the total, task plus the weighted
 * others. */
#include "ops/op.h"

enum { TASK, CONSISTENCY, COHERENCE, TOTAL, PARTS };
enum { STATE, FUTURE, TARGET, SPREADS };
enum { PIECE = 4096 }; /* elements whose sum is one term of the totals */

/* Sequences of period elements; the first shift elements of each have no predecessor. */
typedef struct loss_job {
    const plx_kernels *kernels;
    const plx_real *state, *future, *target;
    plx_real *terms; /* [3][pieces]: of target, before, future */
    plx_real *g_state, *g_future;
    plx_real by_target, by_before, by_future; /* factors of the differences */
    int64_t size, period, shift, pieces;      /* number of pieces */
} loss_job;

static loss_job job_of(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *state = &step->in[STATE];
    loss_job job = {.kernels = ctx->kernels,
                    .state = PLX_IN(step, STATE),
                    .future = PLX_IN(step, FUTURE),
                    .target = PLX_IN(step, TARGET),
                    .size = state->size,
                    .shift = state->dims[state->rank - 1]};
    job.period = job.shift * state->dims[state->rank - 2];
    const int64_t each = (job.period + PIECE - 1) / PIECE;
    job.pieces = job.period ? job.size / job.period * each : 0;
    return job;
}

/* The elements of a piece: all from *at on, those with a predecessor from *later on. Returns the
 * end. */
static int64_t piece_of(const loss_job *job, int64_t piece, int64_t *at, int64_t *later) {
    const int64_t each = (job->period + PIECE - 1) / PIECE;
    const int64_t start = piece / each * job->period, from = piece % each * PIECE;
    const int64_t left = job->period - from, n = left < PIECE ? left : PIECE;
    *at = start + from;
    *later = start + (from > job->shift ? from : job->shift < from + n ? job->shift : from + n);
    return *at + n;
}

static void loss_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const loss_job *job = arg;
    const plx_kernels *k = job->kernels;
    for (int64_t piece = begin; piece < end; ++piece) {
        int64_t at, later;
        const int64_t stop = piece_of(job, piece, &at, &later);
        const plx_real *s = job->state;
        plx_real *terms = job->terms + piece;
        terms[0] = k->sum_squared_difference(stop - at, s + at, job->target + at);
        terms[job->pieces] =
            k->sum_squared_difference(stop - later, s + later, s + later - job->shift);
        terms[2 * job->pieces] =
            k->sum_squared_difference(stop - later, s + later, job->future + later);
    }
}

/* The number of elements that have a predecessor. */
static int64_t later_count(const loss_job *job) {
    return job->period ? job->size - job->size / job->period * job->shift : 0;
}

static plx_status run_causal_loss(plx_ctx *ctx, const plx__step *step) {
    loss_job job = job_of(ctx, step);
    const plx_kernels *k = ctx->kernels;
    const plx__causal_loss_attrs *weights = &step->attrs.causal_loss;
    const int nodes = step->in_count - SPREADS;
    const int64_t n = job.pieces, later = later_count(&job);
    plx_real *parts = PLX_OUT(step), spread = 0;
    job.terms = step->workspace;
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, n, 1, loss_pieces, &job);
    for (int i = 0; i < nodes; ++i) spread += PLX_IN(step, SPREADS + i)[0];
    parts[TASK] = k->sum(n, job.terms) / (plx_real)job.size;
    parts[CONSISTENCY] = 0;
    if (later)
        parts[CONSISTENCY] = ((plx_real)weights->drift * k->sum(n, job.terms + n) +
                              (plx_real)weights->forecast * k->sum(n, job.terms + 2 * n)) /
                             (plx_real)later;
    parts[COHERENCE] = spread / (plx_real)(nodes ? nodes : 1);
    parts[TOTAL] = parts[TASK] + (plx_real)weights->consistency * parts[CONSISTENCY] +
                   (plx_real)weights->coherence * parts[COHERENCE];
    return PLX_OK;
}

static size_t workspace_causal_loss(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const plx__operand *state = &step->in[STATE];
    const int64_t period = state->dims[state->rank - 1] * state->dims[state->rank - 2];
    const int64_t pieces = period ? state->size / period * ((period + PIECE - 1) / PIECE) : 0;
    return 3 * (size_t)pieces * sizeof(plx_real);
}

/* Checks the sequences, and that each node gives one value. */
static plx_status check_inputs(plx_graph *graph, const plx__node *node, int spreads) {
    const plx__node *state = plx__input_of(graph, node, STATE);
    if (state->rank < 2)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: the state has rank %d; it needs at least 2 (times, channels)",
                               node->op->name, state->rank);
    for (int k = FUTURE; k <= TARGET; ++k)
        if (!plx__same_shape(state, plx__input_of(graph, node, k)))
            return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s must have the shape of the state",
                                   node->op->name, k == FUTURE ? "the future" : "the target");
    for (int k = 0; k < spreads; ++k)
        if (plx__size(plx__input_of(graph, node, SPREADS + k)) != 1)
            return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: spread %d must be a single value",
                                   node->op->name, k);
    return PLX_OK;
}

static plx_status infer_causal_loss(plx_graph *graph, plx__node *node) {
    PLX_TRY(check_inputs(graph, node, node->inputs_count - SPREADS));
    node->rank = 1;
    node->dims[0] = PARTS;
    return PLX_OK;
}

/* No gradient flows into the target. */
static void gradient_causal_loss(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = node.attrs;
    attrs.causal_loss.nodes = node.inputs_count - SPREADS;
    const int32_t inputs[] = {node.inputs[STATE], node.inputs[FUTURE], node.inputs[TARGET], gy};
    const int32_t packed = plx__emit(graph, &plx__op_causal_loss_grad, 4, inputs, &attrs);
    int64_t from = 0;
    plx__hand_out(graph, &node, STATE, packed, &from, grads);
    plx__hand_out(graph, &node, FUTURE, packed, &from, grads);
    for (int k = SPREADS; k < node.inputs_count; ++k)
        plx__hand_out(graph, &node, k, packed, &from, grads);
}

static plx__cost cost_causal_loss(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = 9.0 * (double)plx__size(plx__input_of(graph, node, STATE));
    return cost;
}

static const char loss_samples[] =
    "4x3 4x3 4x3 . . : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3; "
    "2x5x3 2x5x3 2x5x3 . : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3; "
    "300x17 300x17 300x17 . . . : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3; "
    "1x3 1x3 1x3 : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3; "
    "3x9000 3x9000 3x9000 . : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3";

const plx_op plx__op_causal_loss = {
    .name = "causal_loss",
    .operands = PLX__OPERANDS({"state", PLX__REALS, PLX__VALUE}, {"future", PLX__REALS, PLX__VALUE},
                              {"target", PLX__REALS, PLX__CONSTANT},
                              {"spread", PLX__REALS, PLX__OPTIONAL | PLX__REPEATED}),
    .infer = infer_causal_loss,
    .gradient = gradient_causal_loss,
    .cost = cost_causal_loss,
    .workspace = workspace_causal_loss,
    .run = run_causal_loss,
    .attrs = plx__causal_loss_fields,
    .samples = loss_samples,
};

/* ---- causal_loss_grad(state, future, target, gy): of the state, the future, variances -------- */

/* Adds factor times the difference from `from` to elements [at, at + n), in chunks that stay in the
 * L1 cache. */
static void add_difference(const loss_job *job, int64_t at, int64_t n, const plx_real *from,
                           plx_real factor) {
    enum { CHUNK = 1024 };
    plx_real difference[CHUNK];
    for (int64_t i = 0; i < n; i += CHUNK) {
        const int64_t m = n - i < CHUNK ? n - i : CHUNK;
        job->kernels->sub(m, job->state + at + i, 1, from + i, 1, difference);
        job->kernels->axpy(m, factor, difference, job->g_state + at + i);
    }
}

static void grad_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const loss_job *job = arg;
    const plx_kernels *k = job->kernels;
    for (int64_t piece = begin; piece < end; ++piece) {
        int64_t at, later;
        const int64_t stop = piece_of(job, piece, &at, &later);
        const int64_t last = (at / job->period + 1) * job->period - job->shift;
        const int64_t before = stop < last ? stop : last; /* these have a successor */
        k->sub(stop - at, job->state + at, 1, job->target + at, 1, job->g_state + at);
        k->scale(stop - at, job->by_target, job->g_state + at, job->g_state + at);
        add_difference(job, later, stop - later, job->state + later - job->shift, job->by_before);
        if (before > at)
            add_difference(job, at, before - at, job->state + at + job->shift, job->by_before);
        for (int64_t i = at; i < later; ++i) job->g_future[i] = 0;
        plx_real *g = job->g_future + later;
        k->sub(stop - later, job->future + later, 1, job->state + later, 1, g);
        k->scale(stop - later, job->by_future, g, g);
        k->axpy(stop - later, -1, g, job->g_state + later);
    }
}

static plx_status run_causal_loss_grad(plx_ctx *ctx, const plx__step *step) {
    loss_job job = job_of(ctx, step);
    const plx__causal_loss_attrs *weights = &step->attrs.causal_loss;
    const plx_real *gy = PLX_IN(step, SPREADS);
    const int64_t later = later_count(&job), nodes = step->attrs.causal_loss.nodes;
    const plx_real consistency =
        later ? 2 * (gy[CONSISTENCY] + (plx_real)weights->consistency * gy[TOTAL]) / (plx_real)later
              : 0;
    const plx_real coherence = gy[COHERENCE] + (plx_real)weights->coherence * gy[TOTAL];
    job.by_target = 2 * (gy[TASK] + gy[TOTAL]) / (plx_real)job.size;
    job.by_before = (plx_real)weights->drift * consistency;
    job.by_future = (plx_real)weights->forecast * consistency;
    job.g_state = PLX_OUT(step);
    job.g_future = job.g_state + job.size;
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, job.pieces, 1, grad_pieces, &job);
    for (int64_t i = 0; i < nodes; ++i) job.g_future[job.size + i] = coherence / (plx_real)nodes;
    return PLX_OK;
}

static plx_status infer_causal_loss_grad(plx_graph *graph, plx__node *node) {
    PLX_TRY(check_inputs(graph, node, 0));
    if (plx__size(plx__input_of(graph, node, SPREADS)) != PARTS)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "causal_loss_grad: the gradient must have %d values", PARTS);
    node->rank = 1;
    node->dims[0] =
        2 * plx__size(plx__input_of(graph, node, STATE)) + node->attrs.causal_loss.nodes;
    return PLX_OK;
}

static const char loss_grad_samples[] =
    "4x3 4x3 4x3 4 : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3 nodes 2; "
    "2x5x3 2x5x3 2x5x3 4 : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3 nodes 1; "
    "300x17 300x17 300x17 4 : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3 nodes 3; "
    "1x3 1x3 1x3 4 : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3; "
    "3x9000 3x9000 3x9000 4 : drift 0.8 forecast 1.2 consistency 0.5 coherence 0.3 nodes 1";

const plx_op plx__op_causal_loss_grad = {
    .name = "causal_loss_grad",
    .operands = PLX__OPERANDS({"state", PLX__REALS, PLX__VALUE}, {"future", PLX__REALS, PLX__VALUE},
                              {"target", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_causal_loss_grad,
    .cost = cost_causal_loss,
    .run = run_causal_loss_grad,
    .attrs = plx__causal_loss_fields,
    .samples = PLX__TESTED(loss_grad_samples),
};
