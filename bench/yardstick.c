/* A fixed piece of work beside every run: how fast the machine itself was meanwhile. It is the same
 * C natively and in browsers, with 128-bit vectors and without fused multiply-add, on one thread:
 * arithmetic in registers, and a copy that no core's own cache holds. */
#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"

#include <string.h>

enum { ARITHMETIC, MEMORY, MEMORY_BYTES = 32 << 20, PEAK_ROUNDS = 1000 };

static plx_status run_arithmetic(void *arg, int64_t times) {
    plx_bench *bench = arg;
    plx_peak(bench->yardstick.ctx, 1, times * PEAK_ROUNDS);
    return PLX_OK;
}

static plx_status run_memory(void *arg, int64_t times) {
    plx_bench *bench = arg;
    plx_bandwidth(bench->yardstick.ctx, PLX_STREAM_COPY, MEMORY_BYTES / sizeof(plx_real),
                  bench->yardstick.memory, times);
    return PLX_OK;
}

void plx__yardstick_plan(plx_bench *bench) {
    plx_yardstick *y = &bench->yardstick;
    bench->suite = PLX_BENCH_SUITES;
    const char *cases = bench->options.cases;
    bench->options.cases = NULL; /* it stands beside all of them */
    y->c = plx__bench_add(bench, 0, "yardstick");
    bench->options.cases = cases;
    if (!y->c) return;
    y->c->checked = true;
    y->c->round = PLX_BENCH_ROUNDS; /* it has no visits of its own */
    y->c->threads_worked = 1;
    plx__case_metric(y->c, "arithmetic", "GFLOP/s", "higher", false, PLX_METRIC_OWN, 1);
    plx__case_metric(y->c, "memory", "GB/s", "higher", false, PLX_METRIC_OWN, 1);
}

/* When measuring begins: planning alone is to cost nothing. */
static bool is_there(plx_bench *bench) {
    plx_yardstick *y = &bench->yardstick;
    plx_ctx_options options = plx_ctx_default();
    options.reproducible = true;
    options.threads = 1;
    if (y->ctx) return true;
    if (!y->c || y->c->dropped) return false;
    if (plx_ctx_new(&options, &y->ctx, NULL, 0) != PLX_OK) {
        y->c->dropped = true;
        return false;
    }
    y->memory = plx_platform_alloc(MEMORY_BYTES);
    if (y->memory) memset(y->memory, 0, MEMORY_BYTES);
    plx__case_text(y->c, "isa", plx_ctx_get_info(y->ctx).isa);
    return true;
}

static void apply(plx_bench *bench, int metric, plx_work_fn work, double amount) {
    plx_yardstick *y = &bench->yardstick;
    double ns;
    if (plx__bench_time(bench, work, bench, &y->times[metric], &ns) != PLX_OK) return;
    (void)plx__samples_add(&y->c->metrics[metric].samples, bench->round, amount / ns);
}

void plx__yardstick_apply(plx_bench *bench) {
    enum { PAUSE_NS = 300000000, PAUSE_SAMPLES = 40 };
    plx_yardstick *y = &bench->yardstick;
    if (bench->round >= bench->rounds || !is_there(bench)) return;
    const int64_t rare = PAUSE_SAMPLES * plx__bench_sample_ns(bench);
    const plx_samples *taken = &y->c->metrics[ARITHMETIC].samples;
    if (!plx__bench_due(bench, taken, y->taken_ns, rare > PAUSE_NS ? rare : PAUSE_NS)) return;
    apply(bench, ARITHMETIC, run_arithmetic, plx_peak(y->ctx, 1, PEAK_ROUNDS));
    if (y->memory) apply(bench, MEMORY, run_memory, MEMORY_BYTES);
    y->taken_ns = plx_platform_now_ns();
}

void plx__yardstick_free(plx_bench *bench) {
    plx_platform_free(bench->yardstick.memory);
    plx_ctx_free(bench->yardstick.ctx);
}
