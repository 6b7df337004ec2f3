/* The adaptive threshold: each step gets the number of threads that minimises work / threads +
 * fork-join + fetching what other threads wrote, with costs measured on this machine. */
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

/* Each of the threads reads the parts of the step's inputs that the others wrote. */
static double share_ns(const plx_ctx *ctx, double bytes, int threads) {
    return bytes * (1 - 1.0 / threads) / ctx->machine.shared_bytes_per_ns;
}

static int best_threads(const plx_ctx *ctx, const plx__step_meta *meta, int limit) {
    int best = 1;
    double least = meta->one_thread_ns;
    for (int threads = 2; threads <= limit; ++threads) {
        const double ns = meta->one_thread_ns / threads + fork_join_ns(ctx, threads) +
                          share_ns(ctx, meta->shared_bytes, threads);
        if (ns >= least) continue;
        least = ns;
        best = threads;
    }
    return best;
}

/* Weights stay in the caches that use them: each thread has the same share of them in every run.
 */
static double shared_bytes(const plx_plan *plan, const plx__node *node) {
    double bytes = 0;
    for (int i = 0; i < node->inputs_count; ++i) {
        const plx__node *input = plx__input_of(plan->graph, node, i);
        if (!input->tensor)
            bytes += (double)plx__size(input) * (double)plx__element_bytes(input->dtype);
    }
    return bytes;
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
        meta->shared_bytes = shared_bytes(plan, plan->graph->nodes[meta->node]);
        plan->steps[i].threads = on ? best_threads(ctx, meta, limit) : limit;
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
    const double ns_per_row = plan->meta[step].one_thread_ns / (rows > 0 ? rows : 1);
    /* Both sides grow with the rows, so they cross where n (t1 - t1 / T - share) equals the
     * fork-join cost. */
    const double shared_per_row =
        share_ns(ctx, plan->meta[step].shared_bytes, ctx->threads) / (rows > 0 ? rows : 1);
    const double saved_per_row = ns_per_row * (1 - 1.0 / ctx->threads) - shared_per_row;
    return saved_per_row > 0 ? ctx->machine.fork_join_ns / saved_per_row : 0;
}
