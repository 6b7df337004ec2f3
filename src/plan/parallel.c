/* The adaptive threshold: a step gets the number of threads for which
 * work / threads + fork-join is least, all three measured on this machine. */
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

static int best_threads(const plx_ctx *ctx, double one_thread_ns, int limit) {
    int best = 1;
    double least = one_thread_ns;
    for (int threads = 2; threads <= limit; ++threads) {
        const double ns = one_thread_ns / threads + fork_join_ns(ctx, threads);
        if (ns >= least) continue;
        least = ns;
        best = threads;
    }
    return best;
}

void plx__pass_parallel(plx_plan *plan) {
    const plx_ctx *ctx = plan->ctx;
    const int wanted = plan->options.threads;
    const int limit = wanted > 0 && wanted < ctx->threads ? wanted : ctx->threads;
    for (int i = 0; i < plan->steps_count; ++i) {
        plx__step_meta *meta = &plan->meta[i];
        meta->one_thread_ns = plx__predict_ns(ctx, meta->cost);
        const bool adaptive = plan->options.passes & PLX_PASS_PARALLEL;
        plan->steps[i].threads = adaptive ? best_threads(ctx, meta->one_thread_ns, limit) : limit;
    }
}

double plx_plan_threshold_rows(const plx_plan *plan, int step) {
    const plx_ctx *ctx = plan->ctx;
    if (step < 0 || step >= plan->steps_count || ctx->threads < 2) return 0;
    const plx__operand *out = &plan->steps[step].out;
    const double rows = (double)plx__rows(out->rank, out->dims);
    const double ns_per_row = plan->meta[step].one_thread_ns / (rows > 0 ? rows : 1);
    const double saved = 1 - 1.0 / ctx->threads;
    return ns_per_row > 0 ? ctx->machine.fork_join_ns / (ns_per_row * saved) : 0;
}
