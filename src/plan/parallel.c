/* The adaptive threshold: each step gets the number of threads that minimises work / threads +
 * fork-join + fetching what other threads wrote, with costs measured on this machine. What several
 * threads wrote has to be fetched by one thread as well. */
#include "plan/plan_internal.h"

double plx__predict_ns(const plx_ctx *ctx, plx__cost cost) {
    const double compute = cost.flops / ctx->machine.flops_per_ns;
    const double memory = cost.bytes * cost.weight / ctx->machine.bytes_per_ns;
    return compute > memory ? compute : memory;
}

/* A fork-join over t of T threads: the caller wakes t - 1 of them. */
static double fork_join_ns(const plx_ctx *ctx, int threads) {
    return ctx->threads > 1 ? ctx->machine.fork_join_ns * (threads - 1) / (ctx->threads - 1) : 0;
}

/* Fetching what other threads wrote, on t threads: each reads an equal part of a value, or all of
 * one, that was written by one thread, or in equal parts by several. */
static double fetch_ns(const plx_plan *plan, int step, int threads) {
    const plx_ctx *ctx = plan->ctx;
    const plx__step *s = &plan->steps[step];
    const plx__step_meta *meta = &plan->meta[step];
    const double foreign =
        (threads > 1 ? meta->bytes_of_one : 0) + meta->bytes_of_several - meta->own_bytes;
    const bool all = threads > 1 && s->op->reads_all && s->op->reads_all(ctx, s, threads);
    return foreign / (all ? 1 : threads) / ctx->machine.shared_bytes_per_ns;
}

static double step_ns(const plx_plan *plan, int step, int threads) {
    const double fork_join = threads > 1 ? fork_join_ns(plan->ctx, threads) : 0;
    return plan->meta[step].one_thread_ns / threads + fork_join + fetch_ns(plan, step, threads);
}

static int best_threads(const plx_plan *plan, int step, int limit) {
    int best = 1;
    for (int threads = 2; threads <= limit; ++threads)
        if (step_ns(plan, step, threads) < step_ns(plan, step, best)) best = threads;
    return best;
}

/* Sets who wrote the step's inputs: the threads of earlier steps are known. Weights stay in the
 * caches that use them, since each thread has the same share of them in every run; the caller wrote
 * the plan's inputs. */
static void find_writers(const plx_plan *plan, plx__step_meta *meta) {
    const plx_graph *graph = plan->graph;
    const plx__node *node = graph->nodes[meta->node];
    meta->bytes_of_one = meta->bytes_of_several = meta->own_bytes = 0;
    for (int i = 0; i < node->inputs_count; ++i) {
        const plx__node *input = plx__input_of(graph, node, i);
        const double bytes = (double)plx__size(input) * (double)plx__element_bytes(input->dtype);
        const int32_t root = plx__root_of(graph, node->inputs[i], NULL);
        const plx__node *owner = graph->nodes[root];
        if (owner->tensor || plx__has_role(node, i, PLX__WRITTEN)) continue;
        const int writers =
            owner->op->flags & PLX__OP_LEAF ? 1 : plan->meta[plan->links[root].step].writers;
        *(writers > 1 ? &meta->bytes_of_several : &meta->bytes_of_one) += bytes;
        if (writers > 1) meta->own_bytes += bytes / writers;
    }
}

/* Notes how many threads wrote what a step leaves: its value, and the buffers that it fills. */
static void note_writers(const plx_plan *plan, int step) {
    const plx_graph *graph = plan->graph;
    const plx__node *node = graph->nodes[plan->meta[step].node];
    const int threads = plan->steps[step].threads;
    plan->meta[step].writers = threads;
    for (int i = 0; i < node->inputs_count; ++i) {
        if (!plx__has_role(node, i, PLX__WRITTEN)) continue;
        const int32_t root = plx__root_of(graph, node->inputs[i], NULL);
        if (graph->nodes[root]->op->flags & PLX__OP_BUFFER)
            plan->meta[plan->links[root].step].writers = threads;
    }
}

plx_status plx__pass_parallel(plx_plan *plan, bool on) {
    plx__machine_settle(plan->ctx);
    const plx_ctx *ctx = plan->ctx;
    plan->threads = ctx->threads;
    const int wanted = plan->options.threads;
    const int limit = wanted > 0 && wanted < ctx->threads ? wanted : ctx->threads;
    for (int i = 0; i < plan->steps_count; ++i) {
        plx__step_meta *meta = &plan->meta[i];
        meta->one_thread_ns = plx__predict_ns(ctx, meta->cost);
        find_writers(plan, meta);
        plan->steps[i].threads = on ? best_threads(plan, i, limit) : limit;
        note_writers(plan, i);
    }
    return PLX_OK;
}

void plx__plan_spread(plx_plan *plan) {
    if (plan->threads == plan->ctx->threads) return;
    plx__pass_parallel(plan, plan->options.passes & PLX_PASS_PARALLEL);
    if (plx__more_scratch(plan) == PLX_OK) return;
    /* The present scratch is enough for one thread. */
    for (int s = 0; s < plan->steps_count; ++s) plan->steps[s].threads = 1;
}

double plx_plan_threshold_rows(const plx_plan *plan, int step) {
    const plx_ctx *ctx = plan->ctx;
    if (step < 0 || step >= plan->steps_count || ctx->threads < 2) return 0;
    const plx__operand *out = &plan->steps[step].out;
    const double rows = (double)plx__rows(out->rank, out->dims);
    /* Both sides grow with the rows, so they cross where what the threads save at n rows equals the
     * fork-join cost. */
    const double saved_ns = step_ns(plan, step, 1) - step_ns(plan, step, ctx->threads) +
                            fork_join_ns(ctx, ctx->threads);
    return saved_ns > 0 ? ctx->machine.fork_join_ns * rows / saved_ns : 0;
}
