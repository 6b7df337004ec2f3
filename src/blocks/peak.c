/* The ceiling of this context's arithmetic. */
#include "base/context.h"
#include "kernels/kernels.h"

enum { CHAINS = 12 };

typedef struct peak_job {
    const plx_kernels *kernels;
    int64_t rounds;
    plx_real results[128]; /* kept, so that no compiler drops the work */
} peak_job;

static void peak_piece(void *arg, int64_t begin, int64_t end, int worker) {
    peak_job *job = arg;
    (void)worker;
    for (int64_t i = begin; i < end; ++i) job->results[i] = job->kernels->peak(job->rounds, 1, 0);
}

double plx_peak(plx_ctx *ctx, int64_t rounds) {
    peak_job job = {.kernels = ctx->kernels, .rounds = rounds};
    plx__parallel_for(ctx->pool, ctx->threads, ctx->threads, 1, peak_piece, &job);
    const int operations = ctx->kernels->fma ? 2 : 1;
    return (double)rounds * CHAINS * ctx->kernels->vl * operations * ctx->threads;
}
