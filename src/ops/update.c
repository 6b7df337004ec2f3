/* Optimizer steps: one sweep over all parameters. Inputs are the parameters, then their gradients;
 * attrs.object is the plx_optimizer. */
#include "ops/optimizer.h"

#include "base/dmath.h"

enum { PIECE = 16384 }; /* elements: p, g and two moments fit a first-level cache four times over */

const plx_op *plx__optimizer_op(const plx_optimizer *optimizer) {
    return optimizer->options.kind == PLX_SGD ? &plx__op_sgd : &plx__op_adam;
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

static plx__cost cost_sgd(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = {0, 0, 1};
    for (int i = 0; i < node->inputs_count / 2; ++i)
        cost.flops += 4.0 * (double)plx__size(plx__input_of(graph, node, i));
    cost.bytes = cost.flops / 4 * 5 * sizeof(plx_real);
    return cost;
}

static plx__cost cost_adam(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = cost_sgd(graph, node);
    cost.bytes *= 7.0 / 5.0;
    cost.flops *= 3;
    return cost;
}

typedef struct update_job {
    const plx_kernels *kernels;
    const plx__step *step;
    const plx_optimizer *optimizer;
    bool adam;
    plx__sgd_step sgd_step;
    plx__adam_step adam_step;
} update_job;

static int64_t pieces_of(int64_t size) {
    return (size + PIECE - 1) / PIECE;
}

static void update_piece(const update_job *job, int i, int64_t first) {
    const plx_optimizer *optimizer = job->optimizer;
    const int64_t left = job->step->in[i].size - first, n = left < PIECE ? left : PIECE;
    plx_real *p = (plx_real *)*job->step->in[i].slot + first;
    const plx_real *g = PLX_IN(job->step, optimizer->count + i) + first;
    plx_real *m = optimizer->first ? (plx_real *)optimizer->first[i]->data + first : NULL;
    if (!job->adam) {
        job->kernels->sgd(n, p, g, m, &job->sgd_step);
        return;
    }
    plx_real *v = (plx_real *)optimizer->second[i]->data + first;
    job->kernels->adam(n, p, g, m, v, &job->adam_step);
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

static plx_status run_update(plx_ctx *ctx, update_job *job) {
    job->kernels = ctx->kernels;
    int64_t pieces = 0;
    for (int i = 0; i < job->optimizer->count; ++i) pieces += pieces_of(job->step->in[i].size);
    plx__parallel_for(ctx->pool, job->step->threads, pieces, 1, update_pieces, job);
    return PLX_OK;
}

static plx_status run_sgd(plx_ctx *ctx, const plx__step *step) {
    plx_optimizer *optimizer = step->attrs.object;
    const plx_optimizer_options *o = &optimizer->options;
    update_job job = {.step = step, .optimizer = optimizer};
    optimizer->steps += 1;
    job.sgd_step = (plx__sgd_step){.rate = (plx_real)o->rate,
                                   .momentum = (plx_real)o->momentum,
                                   .l2 = (plx_real)o->weight_decay,
                                   .nesterov = o->nesterov};
    return run_update(ctx, &job);
}

static plx_status run_adam(plx_ctx *ctx, const plx__step *step) {
    plx_optimizer *optimizer = step->attrs.object;
    const plx_optimizer_options *o = &optimizer->options;
    update_job job = {.step = step, .optimizer = optimizer, .adam = true};
    const bool decoupled = o->kind == PLX_ADAMW;
    optimizer->steps += 1;
    optimizer->beta1_power *= o->beta1;
    optimizer->beta2_power *= o->beta2;
    job.adam_step = (plx__adam_step){
        .beta1 = (plx_real)o->beta1,
        .beta2 = (plx_real)o->beta2,
        .epsilon = (plx_real)o->epsilon,
        .rate = (plx_real)(o->rate / (1 - optimizer->beta1_power)),
        .correction2 = (plx_real)(1 / plx__sqrt(1 - optimizer->beta2_power)),
        .decay = decoupled ? (plx_real)(o->rate * o->weight_decay) : 0,
        .l2 = decoupled ? 0 : (plx_real)o->weight_decay,
    };
    return run_update(ctx, &job);
}

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
