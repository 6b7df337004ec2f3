/* Optimizer steps: one sweep over all parameters. Inputs are the parameters, then their gradients,
 * then perhaps a guard: a scalar that must be finite, or nothing is written. attrs.object is the
 * plx_optimizer. */
#include "ops/optimizer.h"

#include "base/dmath.h"

#include <string.h>

enum { PIECE = 16384 }; /* elements: p, g and two moments fit a first-level cache four times over */

const plx_op *plx__optimizer_op(const plx_optimizer *optimizer) {
    switch (optimizer->options.kind) {
    case PLX_SGD: return &plx__op_sgd;
    case PLX_LION: return &plx__op_lion;
    case PLX_RMSPROP: return &plx__op_rmsprop;
    default: return &plx__op_adam;
    }
}

static plx_status infer_update(plx_graph *graph, plx__node *node) {
    const plx_optimizer *optimizer = node->attrs.object;
    node->rank = 0;
    for (int i = 0; i < optimizer->count; ++i) {
        const plx__node *p = plx__input_of(graph, node, i);
        const plx__node *g = plx__input_of(graph, node, optimizer->count + i);
        if (plx__same_shape(p, g)) continue;
        char left[96], right[96];
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: parameter %s%s has a gradient %s",
                               node->op->name, p->name, plx__shape_text(p->rank, p->dims, left, 96),
                               plx__shape_text(g->rank, g->dims, right, 96));
    }
    return PLX_OK;
}

static double values_of(const plx_graph *graph, const plx__node *node) {
    double values = 0;
    for (int i = 0; i < node->inputs_count / 2; ++i)
        values += (double)plx__size(plx__input_of(graph, node, i));
    return values;
}

/* So many operations, and so many values read and written, for each parameter. */
static plx__cost cost_of(const plx_graph *graph, const plx__node *node, double flops,
                         double moved) {
    const double values = values_of(graph, node);
    return (plx__cost){
        .flops = flops * values, .bytes = moved * values * sizeof(plx_real), .weight = 1};
}

static plx__cost cost_sgd(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 4, 5);
}

static plx__cost cost_adam(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 12, 7);
}

static plx__cost cost_lion(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 9, 5);
}

static plx__cost cost_rmsprop(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 9, 7);
}

static plx__cost cost_accumulate(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, 2, 3);
}

/* A step of one parameter's group over n of its elements; m and v may be NULL. */
typedef struct update_job update_job;
typedef void (*update_fn)(const update_job *job, const plx__group *group, int64_t n, plx_real *p,
                          const plx_real *g, plx_real *m, plx_real *v);

struct update_job {
    const plx_kernels *kernels;
    const plx__step *step;
    const plx_optimizer *optimizer;
    update_fn update;
};

static int64_t pieces_of(int64_t size) {
    return (size + PIECE - 1) / PIECE;
}

static plx_real *from(plx_tensor *const *list, int i, int64_t first) {
    return list ? (plx_real *)list[i]->data + first : NULL;
}

static void update_piece(const update_job *job, int i, int64_t first) {
    const plx_optimizer *o = job->optimizer;
    const int64_t left = job->step->in[i].size - first, n = left < PIECE ? left : PIECE;
    plx_real *p = (plx_real *)*job->step->in[i].slot + first;
    if (o->kept) memcpy(from(o->kept, i, first), p, (size_t)n * sizeof *p);
    job->update(job, &o->groups[i], n, p, PLX_IN(job->step, o->count + i) + first,
                from(o->first, i, first), from(o->second, i, first));
}

static void update_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const update_job *job = arg;
    int64_t piece = 0;
    for (int i = 0; i < job->optimizer->count && piece < end; ++i) {
        const int64_t own = pieces_of(job->step->in[i].size);
        for (int64_t j = begin > piece ? begin - piece : 0; j < own && piece + j < end; ++j)
            update_piece(job, i, j * PIECE);
        piece += own;
    }
}

bool plx__is_finite(const plx_tensor *tensor) {
    const plx_real *values = tensor->data;
    bool finite = true;
    for (int64_t i = 0; i < tensor->size; ++i) finite = finite & (values[i] - values[i] == 0);
    return finite;
}

/* The forward pass, which is over by now, has moved the running statistics. */
static bool is_held_back(const plx__step *step, const plx_optimizer *optimizer) {
    if (step->in_count == 2 * optimizer->count) return false;
    const plx_real guard = PLX_IN(step, 2 * optimizer->count)[0];
    if (guard - guard != 0) return true;
    for (int i = 0; i < optimizer->state_count; ++i)
        if (!plx__is_finite(optimizer->state[i])) return true;
    return false;
}

static plx_status run_update(plx_ctx *ctx, const plx__step *step, update_fn update) {
    plx_optimizer *optimizer = step->attrs.object;
    if (is_held_back(step, optimizer)) return PLX_OK;
    update_job job = {ctx->kernels, step, optimizer, update};
    optimizer->steps += 1;
    optimizer->beta1_power *= (double)optimizer->beta1;
    optimizer->beta2_power *= (double)optimizer->beta2;
    int64_t pieces = 0;
    for (int i = 0; i < optimizer->count; ++i) pieces += pieces_of(step->in[i].size);
    plx__parallel_for(ctx->pool, step->threads, pieces, 1, update_pieces, &job);
    return PLX_OK;
}

static double rate_of(const update_job *job, const plx__group *group) {
    return job->optimizer->options.rate * group->rate_factor;
}

static void sgd(const update_job *job, const plx__group *group, int64_t n, plx_real *p,
                const plx_real *g, plx_real *m, plx_real *v) {
    (void)v;
    const plx_optimizer_options *o = &job->optimizer->options;
    const plx__sgd_step step = {.rate = (plx_real)rate_of(job, group),
                                .momentum = (plx_real)o->momentum,
                                .l2 = (plx_real)group->weight_decay,
                                .nesterov = o->nesterov};
    job->kernels->sgd(n, p, g, m, &step);
}

static void adam(const update_job *job, const plx__group *group, int64_t n, plx_real *p,
                 const plx_real *g, plx_real *m, plx_real *v) {
    const plx_optimizer *optimizer = job->optimizer;
    const plx_optimizer_options *o = &optimizer->options;
    const double rate = rate_of(job, group);
    const bool decoupled = o->kind == PLX_ADAMW;
    const plx__adam_step step = {
        .beta1 = optimizer->beta1,
        .beta2 = optimizer->beta2,
        .epsilon = (plx_real)o->epsilon,
        .rate = (plx_real)(rate / (1 - optimizer->beta1_power)),
        .correction2 = (plx_real)(1 / plx__sqrt(1 - optimizer->beta2_power)),
        .decay = decoupled ? (plx_real)(rate * group->weight_decay) : 0,
        .l2 = decoupled ? 0 : (plx_real)group->weight_decay,
    };
    job->kernels->adam(n, p, g, m, v, &step);
}

static void lion(const update_job *job, const plx__group *group, int64_t n, plx_real *p,
                 const plx_real *g, plx_real *m, plx_real *v) {
    (void)v;
    const plx_optimizer_options *o = &job->optimizer->options;
    const double rate = rate_of(job, group);
    const plx__lion_step step = {.beta1 = (plx_real)o->beta1,
                                 .beta2 = (plx_real)o->beta2,
                                 .rate = (plx_real)rate,
                                 .decay = (plx_real)(rate * group->weight_decay)};
    job->kernels->lion(n, p, g, m, &step);
}

static void rmsprop(const update_job *job, const plx__group *group, int64_t n, plx_real *p,
                    const plx_real *g, plx_real *m, plx_real *v) {
    const plx_optimizer_options *o = &job->optimizer->options;
    const plx__rmsprop_step step = {.alpha = (plx_real)o->beta2,
                                    .left = (plx_real)(1 - o->beta2),
                                    .epsilon = (plx_real)o->epsilon,
                                    .rate = (plx_real)rate_of(job, group),
                                    .momentum = (plx_real)o->momentum,
                                    .l2 = (plx_real)group->weight_decay};
    job->kernels->rmsprop(n, p, g, v, m, &step);
}

/* ---- accumulate: sums = share gradients, or plus that ---------------------------------------- */

static void accumulate_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const update_job *job = arg;
    const plx_optimizer *o = job->optimizer;
    int64_t piece = 0;
    for (int i = 0; i < o->count && piece < end; ++i) {
        const int64_t size = job->step->in[i].size, own = pieces_of(size);
        for (int64_t j = begin > piece ? begin - piece : 0; j < own && piece + j < end; ++j) {
            const int64_t first = j * PIECE, n = size - first < PIECE ? size - first : PIECE;
            const plx_real *g = PLX_IN(job->step, o->count + i) + first;
            if (o->adds)
                job->kernels->axpy(n, (plx_real)o->share, g, from(o->sums, i, first));
            else
                job->kernels->scale(n, (plx_real)o->share, g, from(o->sums, i, first));
        }
        piece += own;
    }
}

static plx_status run_accumulate(plx_ctx *ctx, const plx__step *step) {
    const plx_optimizer *optimizer = step->attrs.object;
    update_job job = {.kernels = ctx->kernels, .step = step, .optimizer = optimizer};
    int64_t pieces = 0;
    for (int i = 0; i < optimizer->count; ++i) pieces += pieces_of(step->in[i].size);
    plx__parallel_for(ctx->pool, step->threads, pieces, 1, accumulate_pieces, &job);
    return PLX_OK;
}

#define UPDATE_RUN(op_name)                                                                        \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_update(ctx, step, op_name);                                                     \
    }

UPDATE_RUN(sgd)
UPDATE_RUN(adam)
UPDATE_RUN(lion)
UPDATE_RUN(rmsprop)

#define UPDATE_OP(op_name)                                                                         \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .min_inputs = 2,                                                                           \
        .max_inputs = -1,                                                                          \
        .flags = PLX__OP_EFFECT | PLX__OP_NO_GRADIENT,                                             \
        .infer = infer_update,                                                                     \
        .cost = cost_##op_name,                                                                    \
        .run = run_##op_name,                                                                      \
    }

UPDATE_OP(sgd);
UPDATE_OP(adam);
UPDATE_OP(lion);
UPDATE_OP(rmsprop);
UPDATE_OP(accumulate);
