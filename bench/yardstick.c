/* A fixed piece of work beside every run, which shows how fast the machine itself was at the time.
 * It is the same C natively and in browsers, on one thread and with vectors that every machine has,
 * so its time depends on no kernels, instruction sets or engines. */
#include "bench/row.h"

#include "base/platform.h"

#include <string.h>

typedef float quad __attribute__((vector_size(16)));

enum {
    ARITHMETIC,
    MEMORY,
    /* Fewer chains than there are registers anywhere, and fewer than would need every port:
     * compilers then make no difference that counts, and a neighbour on the same core still
     * shows. */
    CHAINS = 8,
    ROUNDS = 1000,
    FLOPS = 2 * 4 * CHAINS * ROUNDS,
    COPIED_BYTES = 16 << 20, /* larger than the caches of a single core */
};

/* Hidden from the compiler, both the factor and the result. */
static volatile float factor = 0.999f, result;

static plx_status run_arithmetic(void *arg, int64_t times) {
    const float x = factor;
    const quad by = {x, x, x, x}, plus = {1, 1, 1, 1};
    quad a = plus, b = 2 * a, c = 3 * a, d = 4 * a, e = 5 * a, f = 6 * a, g = 7 * a, h = 8 * a;
    (void)arg;
    for (int64_t round = 0; round < times * ROUNDS; ++round) {
        a = a * by + plus;
        b = b * by + plus;
        c = c * by + plus;
        d = d * by + plus;
        e = e * by + plus;
        f = f * by + plus;
        g = g * by + plus;
        h = h * by + plus;
    }
    result = (a + b + c + d + e + f + g + h)[0];
    return PLX_OK;
}

static plx_status run_memory(void *arg, int64_t times) {
    const quad *from = arg;
    quad *to = (quad *)arg + COPIED_BYTES / sizeof(quad);
    const float x = factor;
    const quad by = {x, x, x, x};
    for (int64_t time = 0; time < times; ++time)
        for (size_t i = 0; i < COPIED_BYTES / sizeof(quad); ++i) to[i] = from[i] * by;
    return PLX_OK;
}

void plx__yardstick_plan(plx_bench *bench) {
    plx_yardstick *y = &bench->yardstick;
    bench->suite = PLX_BENCH_SUITES;
    const char *cases = bench->options.cases;
    bench->options.cases = NULL; /* the yardstick accompanies all suites */
    y->c = plx__bench_add(bench, 0, "yardstick");
    bench->options.cases = cases;
    if (!y->c) return;
    y->c->checked = true;
    y->c->round = PLX_BENCH_ROUNDS; /* it has no visits of its own */
    plx__case_metric(y->c, "arithmetic", "GFLOP/s", "higher", false, PLX_METRIC_OWN, 1);
    plx__case_metric(y->c, "memory", "GB/s", "higher", false, PLX_METRIC_OWN, 1);
}

static void apply(plx_bench *bench, int metric, plx_work_fn work, double amount) {
    plx_yardstick *y = &bench->yardstick;
    double ns;
    if (plx__bench_time(bench, work, y->memory, &y->times[metric], &ns) != PLX_OK) return;
    (void)plx__samples_add(&y->c->metrics[metric].samples, bench->round, amount / ns);
}

void plx__yardstick_apply(plx_bench *bench) {
    enum { PAUSE_NS = 300000000, PAUSE_SAMPLES = 40 };
    plx_yardstick *y = &bench->yardstick;
    if (bench->round >= bench->rounds || !y->c) return;
    const int64_t rare = PAUSE_SAMPLES * plx__bench_sample_ns(bench);
    const plx_samples *taken = &y->c->metrics[ARITHMETIC].samples;
    if (!plx__bench_due(bench, taken, y->taken_ns, rare > PAUSE_NS ? rare : PAUSE_NS)) return;
    apply(bench, ARITHMETIC, run_arithmetic, FLOPS);
    /* Applied first when measuring begins: planning alone must take no time. */
    if (!y->memory && bench->round == 0) {
        y->memory = plx_platform_alloc(2 * (size_t)COPIED_BYTES);
        if (y->memory) memset(y->memory, 0, 2 * (size_t)COPIED_BYTES);
    }
    if (y->memory) apply(bench, MEMORY, run_memory, 2.0 * COPIED_BYTES);
    y->taken_ns = plx_platform_now_ns();
}

void plx__yardstick_free(plx_bench *bench) {
    plx_platform_free(bench->yardstick.memory);
}
