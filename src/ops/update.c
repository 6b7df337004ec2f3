/* Optimizer steps: one sweep over all parameters, after a check of the gradients. Inputs are the
 * parameters, then their gradients, then optional guards: scalars that must be finite, or nothing
 * is written. attrs.object is the plx_optimizer. */
#include "ops/optimizer.h"

#include "parallax.h"

#include <string.h>

enum { PIECE = 16384 }; /* elements; p, g and two moments of a piece take 256 KiB */

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
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: parameter %s%s has a gradient of shape %s; the shapes must be equal",
            node->op->name, p->name, plx__shape_text(p->rank, p->dims, left, 96),
            plx__shape_text(g->rank, g->dims, right, 96));
    }
    return PLX_OK;
}

static double values_of(const plx_graph *graph, const plx__node *node) {
    const plx_optimizer *optimizer = node->attrs.object;
    double values = 0;
    for (int i = 0; i < optimizer->count; ++i)
        values += (double)plx__size(plx__input_of(graph, node, i));
    return values;
}

/* Cost from the operations, and the values read and written, per parameter value. */
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

/* Updates n elements of one parameter; m and v may be NULL. */
typedef struct update_job update_job;
typedef void (*update_fn)(const update_job *job, const plx__group *group, int64_t n, plx_real *p,
                          const plx_real *g, plx_real *m, plx_real *v);

struct update_job {
    const plx_kernels *kernels;
    const plx__step *step;
    const plx_optimizer *optimizer;
    update_fn update;
    /* Called for n elements of tensor i from element first on. */
    void (*visit)(update_job *job, int i, int64_t first, int64_t n);
    _Atomic bool unfit; /* found by check_piece: a gradient or its square is not finite */
};

static int64_t pieces_of(int64_t size) {
    return (size + PIECE - 1) / PIECE;
}

static plx_real *from(plx_tensor *const *list, int i, int64_t first) {
    return list ? (plx_real *)list[i]->data + first : NULL;
}

static void visit_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    update_job *job = arg;
    int64_t piece = 0;
    for (int i = 0; i < job->optimizer->count && piece < end; ++i) {
        const int64_t size = job->step->in[i].size, own = pieces_of(size);
        for (int64_t j = begin > piece ? begin - piece : 0; j < own && piece + j < end; ++j) {
            const int64_t first = j * PIECE, left = size - first;
            job->visit(job, i, first, left < PIECE ? left : PIECE);
        }
        piece += own;
    }
}

static void visit_all(plx_ctx *ctx, update_job *job) {
    int64_t pieces = 0;
    for (int i = 0; i < job->optimizer->count; ++i) pieces += pieces_of(job->step->in[i].size);
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, job->step->threads, pieces, 1, visit_pieces, job);
}

static plx_real *parameter(const update_job *job, int i, int64_t first) {
    return (plx_real *)*job->step->in[i].slot + first;
}

static const plx_real *gradient(const update_job *job, int i, int64_t first) {
    return PLX_IN(job->step, job->optimizer->count + i) + first;
}

static void update_piece(update_job *job, int i, int64_t first, int64_t n) {
    const plx_optimizer *o = job->optimizer;
    plx_real *p = parameter(job, i, first);
    if (o->kept) memcpy(from(o->kept, i, first), p, (size_t)n * sizeof *p);
    job->update(job, &o->groups[i], n, p, gradient(job, i, first), from(o->first, i, first),
                from(o->second, i, first));
}

/* ---- Gradients that allow no step ------------------------------------------------------------ */

static bool is_finite(plx_real value) {
    return value - value == 0;
}

/* The decay that is added to a gradient before it is squared. */
static plx_real decay_in_square(const plx_optimizer *o, int i) {
    const bool coupled = o->options.kind == PLX_ADAM || o->options.kind == PLX_RMSPROP;
    return coupled ? (plx_real)o->groups[i].weight_decay : 0;
}

/* A square that overflows would stay in the mean of squares and freeze the weight for good. */
static void check_piece(update_job *job, int i, int64_t first, int64_t n) {
    const plx_optimizer *o = job->optimizer;
    const plx_real decay = decay_in_square(o, i), *g = gradient(job, i, first);
    /* If the sum of squares is finite, so is each square. */
    if (decay == 0 && is_finite(job->kernels->sum_squares(n, g))) return;
    const plx_real *p = parameter(job, i, first);
    bool fit = true;
    for (int64_t k = 0; k < n; ++k) {
        /* A little more than the kernel can round to. */
        const plx_real d = (g[k] + decay * p[k]) * (plx_real)(decay > 0 ? 1.000001 : 1);
        fit = fit & is_finite(o->second ? d * d : g[k]);
    }
    if (!fit) job->unfit = true;
}

static bool gradients_are_finite(const plx__step *step, int count) {
    for (int i = count; i < 2 * count; ++i) {
        bool finite = true;
        for (int64_t k = 0; k < step->in[i].size; ++k)
            finite = finite & is_finite(PLX_IN(step, i)[k]);
        if (!finite) return false;
    }
    return true;
}

/* *take: whether to take the step. A trainer reads fault. In a user's own graph, a gradient that is
 * not finite makes weights that are not finite, which is plain to see; only a gradient whose square
 * alone overflows is reported. */
static plx_status check_step(plx_ctx *ctx, update_job *job, plx_optimizer *o, bool *take) {
    job->visit = check_piece;
    visit_all(ctx, job);
    *take = !job->unfit;
    if (*take) return PLX_OK;
    const bool finite = gradients_are_finite(job->step, o->count);
    o->fault = finite ? "squares of the gradients are" : "gradients are";
    if (o->at_work) return PLX_OK;
    *take = !finite;
    if (*take) return PLX_OK;
    return plx__fail(&ctx->message, PLX_ERR_DIVERGED,
                     "%s: the square of a gradient is not finite, so no weight was changed: scale "
                     "the loss down, clip the gradients or lower the learning rate",
                     plx_optimizer_name(o->options.kind));
}

bool plx__is_finite(const plx_tensor *tensor) {
    const plx_real *values = tensor->data;
    bool finite = true;
    for (int64_t i = 0; i < tensor->size; ++i) finite = finite & (values[i] - values[i] == 0);
    return finite;
}

/* Whether a guard holds the step back. Guards follow the gradients. The forward pass, already done,
 * has updated the running statistics. */
static bool is_held_back(const plx__step *step, const plx_optimizer *optimizer) {
    if (step->in_count == 2 * optimizer->count) return false;
    for (int i = 2 * optimizer->count; i < step->in_count; ++i)
        if (!is_finite(PLX_IN(step, i)[0])) return true;
    for (int i = 0; i < optimizer->state_count; ++i)
        if (!plx__is_finite(optimizer->state[i])) return true;
    return false;
}

static plx_status run_update(plx_ctx *ctx, const plx__step *step, update_fn update) {
    plx_optimizer *optimizer = step->attrs.object;
    optimizer->fault = NULL;
    if (is_held_back(step, optimizer)) return PLX_OK;
    update_job job = {.kernels = ctx->kernels, .step = step, .optimizer = optimizer};
    bool take;
    PLX_TRY(check_step(ctx, &job, optimizer, &take));
    if (!take) return PLX_OK;
    optimizer->steps += 1;
    optimizer->beta1_power *= (double)optimizer->beta1;
    optimizer->beta2_power *= (double)optimizer->beta2;
    job.update = update;
    job.visit = update_piece;
    visit_all(ctx, &job);
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
        .correction2 = (plx_real)(1 / plx_math_sqrt(1 - optimizer->beta2_power)),
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

/* ---- accumulate: sums = share gradients, or sums += share gradients -------------------------- */

/* Sums of many gradients track the rounding error of each addition. */
static void accumulate_with_error(const update_job *job, int64_t n, const plx_real *g,
                                  plx_real *sum, plx_real *error) {
    enum { SOME = 1024 };
    const plx_optimizer *o = job->optimizer;
    plx_real term[SOME];
    for (int64_t i = 0; i < n; i += SOME) {
        const int64_t m = n - i < SOME ? n - i : SOME;
        if (!o->adds) memset(sum + i, 0, (size_t)m * sizeof *sum);
        if (!o->adds) memset(error + i, 0, (size_t)m * sizeof *error);
        job->kernels->scale(m, (plx_real)o->share, g + i, term);
        job->kernels->two_sum(m, term, sum + i, error + i);
    }
    if (o->ends) job->kernels->add(n, sum, 1, error, 1, sum);
}

static void accumulate_piece(update_job *job, int i, int64_t first, int64_t n) {
    const plx_optimizer *o = job->optimizer;
    const plx_real *g = gradient(job, i, first);
    if (o->errors)
        accumulate_with_error(job, n, g, from(o->sums, i, first), from(o->errors, i, first));
    else if (o->adds)
        job->kernels->axpy(n, (plx_real)o->share, g, from(o->sums, i, first));
    else
        job->kernels->scale(n, (plx_real)o->share, g, from(o->sums, i, first));
}

static plx_status run_accumulate(plx_ctx *ctx, const plx__step *step) {
    update_job job = {.kernels = ctx->kernels,
                      .step = step,
                      .optimizer = step->attrs.object,
                      .visit = accumulate_piece};
    visit_all(ctx, &job);
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

static const plx__operand_row update_takes[] = {
    {"parameter", PLX__REALS, PLX__WRITTEN | PLX__REPEATED},
    {"gradient", PLX__REALS, PLX__REPEATED},
    {"guard", PLX__REALS, PLX__OPTIONAL},
    {"guard", PLX__REALS, PLX__OPTIONAL},
    {NULL, 0, 0}};
#define UPDATE_OP(op_name)                                                                         \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .operands = update_takes,                                                                  \
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
