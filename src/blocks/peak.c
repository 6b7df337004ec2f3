/* The ceilings of this context: peak arithmetic and memory bandwidth. */
#include "base/context.h"
#include "kernels/kernels.h"

/* How long a thread may take to arrive: a busy system hands out processors in turns of
 * milliseconds, and other threads may be ahead. */
static const int64_t PATIENCE_NS = 1000000000;

typedef struct peak_job {
    const plx_kernels *kernels;
    int64_t rounds;
    plx_real results[128]; /* stored, so that no compiler removes the work */
} peak_job;

static void peak_piece(void *arg, int64_t begin, int64_t end, int worker) {
    peak_job *job = arg;
    (void)end;
    (void)worker;
    job->results[begin] = job->kernels->peak(job->rounds, 1, 0);
}

double plx_peak(plx_ctx *ctx, int threads, int64_t rounds) {
    peak_job job = {.kernels = ctx->kernels, .rounds = rounds};
    if (rounds < 0) return 0;
    if (threads < 1 || threads > ctx->threads) threads = ctx->threads;
    if (!plx__parallel_each(ctx->pool, threads, PATIENCE_NS, peak_piece, &job)) return 0;
    return (double)rounds * ctx->kernels->peak_flops * threads;
}

typedef struct stream_job {
    const plx_kernels *kernels;
    plx_stream stream;
    plx_real *data;
    int64_t each, rounds;  /* elements of one array of one thread; passes over it */
    plx_real results[128]; /* stored, so that no compiler removes the work */
} stream_job;

/* The arrays of each thread are contiguous, so that a share is as large as the cache that holds it.
 */
static void stream_piece(void *arg, int64_t begin, int64_t end, int worker) {
    stream_job *job = arg;
    const plx_kernels *k = job->kernels;
    const int64_t n = job->each;
    plx_real *x = job->data + begin * n * (job->stream + 1);
    (void)end;
    (void)worker;
    for (int64_t round = 0; round < job->rounds; ++round) {
        if (job->stream == PLX_STREAM_READ)
            job->results[begin] = k->sum(n, x);
        else if (job->stream == PLX_STREAM_COPY)
            k->scale(n, 1, x, x + n);
        else
            k->add(n, x, 1, x + n, 1, x + 2 * n);
    }
}

double plx_bandwidth(plx_ctx *ctx, plx_stream stream, int64_t n, plx_real *data, int64_t rounds) {
    enum { LINE = 16 };
    const int arrays = stream + 1;
    if (arrays < 1 || stream > PLX_STREAM_ADD || n < 0 || !data || rounds < 0) return 0;
    stream_job job = {.kernels = ctx->kernels, .stream = stream, .data = data, .rounds = rounds};
    job.each = n / ctx->threads / arrays;
    if (job.each >= LINE) job.each -= job.each % LINE;
    if (!plx__parallel_each(ctx->pool, ctx->threads, PATIENCE_NS, stream_piece, &job)) return 0;
    return (double)rounds * (double)(job.each * arrays * ctx->threads) * sizeof(plx_real);
}
