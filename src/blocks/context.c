/* Contexts: threads, kernels, and the costs of the machine, measured when a context is created. */
#include "base/context.h"

#include "base/platform.h"
#include "blocks/gemm.h"
#include "kernels/kernels.h"

#include <string.h>

plx_ctx_options plx_ctx_default(void) {
    return (plx_ctx_options){0};
}

/* ---- Measurements: the best of a few short runs, a few milliseconds in all --------------------
 */

enum { TRIALS = 5 };

/* PATIENCE_NS allows for waking up, which takes tens of microseconds. */
enum { SHARED = 4096, PATIENCE_NS = 300000 };

/* A loop that all threads run at the same time: otherwise the caller would finish an empty loop
 * alone, before the others have seen it. */
typedef struct thread_loop {
    const plx_kernels *kernels;
    int threads;
    plx_real *values; /* SHARED per thread, to write and then to read another's; or NULL */
    plx_real *own;    /* SHARED per thread */
    bool writing;
} thread_loop;

static void touch(void *arg, int64_t begin, int64_t end, int worker) {
    thread_loop *m = arg;
    (void)end;
    (void)worker;
    if (m->values && m->writing) {
        memset(m->values + begin * SHARED, 0, SHARED * sizeof *m->values);
    } else if (m->values) {
        const int64_t other = (begin + 1) % m->threads;
        m->kernels->scale(SHARED, 1, m->values + other * SHARED, m->own + begin * SHARED);
    }
}

/* The time of one loop, at least 1; 0 when a thread was missing. */
static double loop_ns(plx_ctx *ctx, thread_loop *m) {
    const int64_t start = plx_platform_now_ns();
    const bool all = plx__parallel_each(ctx->pool, ctx->threads, PATIENCE_NS, touch, m);
    const int64_t ns = plx_platform_now_ns() - start;
    return all ? (double)(ns > 0 ? ns : 1) : 0;
}

typedef struct thread_costs {
    double empty, reading; /* a loop without work, and one that reads another thread's values */
    bool missed;
} thread_costs;

/* Means over several loops, since browser clocks tick in microseconds. */
static thread_costs measure_loops(plx_ctx *ctx, plx_real *scratch) {
    enum { LOOPS = 16 };
    thread_loop m = {.kernels = ctx->kernels, .threads = ctx->threads};
    thread_costs costs = {0};
    for (int i = 0; i < LOOPS && !costs.missed; ++i) {
        m.values = NULL;
        const double empty = loop_ns(ctx, &m);
        m.values = scratch;
        m.own = scratch + (int64_t)ctx->threads * SHARED;
        m.writing = true;
        const double writing = loop_ns(ctx, &m);
        m.writing = false;
        const double reading = loop_ns(ctx, &m);
        costs.missed = empty == 0 || writing == 0 || reading == 0;
        costs.empty += empty / LOOPS;
        costs.reading += reading / LOOPS;
    }
    return costs;
}

/* Repeats, for at most longest_ns, until several measurements agree that threads arrive at once:
 * new threads may not have a processor of their own yet. If they do not arrive, or later than they
 * once did, the previous figures stay. */
static void measure_threads(plx_ctx *ctx, plx_real *scratch, int64_t longest_ns) {
    plx__machine *machine = &ctx->machine;
    const int64_t until = plx_platform_now_ns() + longest_ns;
    double fork_join = 1e9, reading = 1e9;
    int measured = 0;
    if (ctx->threads < 2) return;
    while (measured < TRIALS && plx_platform_now_ns() < until) {
        const thread_costs costs = measure_loops(ctx, scratch);
        if (costs.missed) continue;
        measured += 1;
        if (costs.empty < fork_join) fork_join = costs.empty;
        if (costs.reading < reading) reading = costs.reading;
    }
    if (!measured) return;
    /* Of the best of each: within one of them a disturbance of the empty loops alone would make
     * fetching look free. */
    const double transfer = reading - fork_join, bytes = SHARED * sizeof(plx_real);
    const double rate = transfer > 1 ? bytes / transfer : bytes;
    const bool first = !machine->threads_measured;
    if (fork_join < 50) fork_join = 50;
    if (first || fork_join < machine->fork_join_ns) machine->fork_join_ns = fork_join;
    if (first || rate > machine->shared_bytes_per_ns) machine->shared_bytes_per_ns = rate;
    machine->threads_measured = true;
}

/* Figures of an ordinary core, for browsers whose clock is too coarse to measure. */
enum { ORDINARY_FLOPS = 20, ORDINARY_BYTES = 10 };

/* Sets the costs assumed until the machine has been measured: two cores of one processor, slightly
 * pessimistic. */
static void assume_costs(plx_ctx *ctx) {
    ctx->machine.flops_per_ns = ORDINARY_FLOPS;
    ctx->machine.bytes_per_ns = ORDINARY_BYTES;
    ctx->machine.fork_join_ns = ctx->threads > 1 ? 5000 : 0;
    ctx->machine.shared_bytes_per_ns = 5;
    ctx->machine.threads_measured = ctx->threads < 2;
}

static double measure_flops(plx_ctx *ctx, plx_real *scratch, int trials) {
    enum { DEPTH = 256, CALLS = 40 };
    const plx_kernels *k = ctx->kernels;
    plx_real *a = scratch, *b = a + k->mr * DEPTH, *c = b + k->nr * DEPTH;
    double best = 1e30;
    for (int trial = 0; trial < trials; ++trial) {
        const int64_t start = plx_platform_now_ns();
        for (int i = 0; i < CALLS; ++i)
            k->gemm(DEPTH, a, 1, k->mr, b, k->nr, c, k->nr, k->mr, k->nr, false);
        const double ns = (double)(plx_platform_now_ns() - start);
        if (ns > 0 && ns < best) best = ns;
    }
    return 2.0 * k->mr * k->nr * DEPTH * CALLS / best;
}

static double measure_bytes(plx_ctx *ctx, plx_real *scratch, int64_t values, int trials) {
    double best = 1e30;
    for (int trial = 0; trial < trials; ++trial) {
        const int64_t start = plx_platform_now_ns();
        ctx->kernels->scale(values / 2, 1, scratch, scratch + values / 2);
        const double ns = (double)(plx_platform_now_ns() - start);
        if (ns > 0 && ns < best) best = ns;
    }
    return (double)values * (double)sizeof(plx_real) / best;
}

static double plausible(double measured, double otherwise) {
    return measured > 0.1 && measured < 1e5 ? measured : otherwise;
}

enum { VALUES = 1 << 18 }; /* 1 MiB: beyond the first-level cache */

static void measure_kernels(plx_ctx *ctx, plx_real *scratch, int trials) {
    plx__machine *machine = &ctx->machine;
    const double flops = plausible(measure_flops(ctx, scratch, trials), ORDINARY_FLOPS);
    const double bytes = plausible(measure_bytes(ctx, scratch, VALUES, trials), ORDINARY_BYTES);
    const bool first = machine->measurements == 0;
    if (first || flops > machine->flops_per_ns) machine->flops_per_ns = flops;
    if (first || bytes > machine->bytes_per_ns) machine->bytes_per_ns = bytes;
    /* What another core wrote comes no faster than from one's own second-level cache. */
    if (machine->shared_bytes_per_ns > machine->bytes_per_ns)
        machine->shared_bytes_per_ns = machine->bytes_per_ns;
    machine->measurements += 1;
    machine->measured_ns = plx_platform_now_ns();
}

/* Runs all measurements. */
static plx_status measure(plx_ctx *ctx, int trials) {
    /* Threads that have a processor arrive within microseconds. Where they have to wait for one,
     * the system's load balancing takes several milliseconds. */
    enum { LONGEST_NS = 40000000 };
    const int64_t shared = 2 * (int64_t)ctx->threads * SHARED;
    const size_t bytes = (size_t)(shared > VALUES ? shared : VALUES) * sizeof(plx_real);
    plx_real *scratch = plx_platform_alloc(bytes);
    if (!scratch) return PLX_ERR_MEMORY;
    memset(scratch, 0, bytes);
    measure_threads(ctx, scratch, LONGEST_NS);
    measure_kernels(ctx, scratch, trials);
    plx_platform_free(scratch);
    return PLX_OK;
}

void plx__machine_settle(plx_ctx *ctx) {
    enum { MEASUREMENTS = 8, PAUSE_NS = 50000000 };
    const plx__machine *machine = &ctx->machine;
    const int64_t since = plx_platform_now_ns() - machine->measured_ns;
    const bool settled = machine->measurements >= MEASUREMENTS && machine->threads_measured;
    if (settled || !machine->measurements || since < PAUSE_NS) return;
    /* Without memory, the previous figures stay. */
    (void)measure(ctx, 1);
}

void plx__machine_renew(plx_ctx *ctx) {
    ctx->machine = (plx__machine){0};
    assume_costs(ctx);
    (void)measure(ctx, TRIALS);
}

bool plx_ctx_begin_threads(plx_ctx *ctx, int threads) {
    return plx__pool_begin(ctx->pool, threads > 0 ? threads : plx_platform_cpus());
}

plx_status plx_ctx_set_threads(plx_ctx *ctx, int threads) {
    const int wanted = threads ? threads : plx_platform_cpus();
    if (threads < 0 || threads > 128 || wanted < ctx->threads)
        return plx__fail(
            &ctx->message, PLX_ERR_ARGUMENT,
            "context: threads is %d; it must be %d (as now) to 128, or 0 for automatic", threads,
            ctx->threads);
    plx__pool_grow(ctx->pool, wanted);
    ctx->threads = plx__pool_threads(ctx->pool);
    plx__machine_renew(ctx);
    return PLX_OK;
}

/* Time of one product of medium size, through the provider or the built-in kernels. */
static double product_ns(plx_ctx *ctx, const plx_gemm_provider *provider, plx_real *data,
                         int64_t n) {
    double best = 1e30;
    ctx->provider = provider;
    for (int trial = 0; trial < 3; ++trial) {
        const int64_t start = plx_platform_now_ns();
        plx_gemm(ctx, false, false, n, n, n, 1, data, n, data + n * n, n, 0, data + 2 * n * n, n);
        const double ns = (double)(plx_platform_now_ns() - start);
        if (ns < best) best = ns;
    }
    return best;
}

static plx_status choose_gemm(plx_ctx *ctx, const plx_ctx_options *options) {
    enum { N = 256 };
    if (!options->provider || options->gemm == PLX_GEMM_BUILTIN || options->reproducible)
        return PLX_OK;
    if (options->gemm == PLX_GEMM_AUTO) {
        if (options->measure_later) return PLX_OK;
        plx_real *data = plx_platform_alloc(3 * (size_t)N * N * sizeof *data);
        if (!data) return PLX_ERR_MEMORY;
        memset(data, 0, 3 * (size_t)N * N * sizeof *data);
        const double own = product_ns(ctx, NULL, data, N);
        const double theirs = product_ns(ctx, options->provider, data, N);
        ctx->provider = NULL;
        plx_platform_free(data);
        if (own <= theirs) return PLX_OK;
    }
    ctx->provider = options->provider;
    return PLX_OK;
}

/* ---- Lifetime -------------------------------------------------------------------------------- */

static plx_status open_context(plx_ctx *ctx, const plx_ctx_options *options) {
    if (options->reproducible && options->isa)
        return plx__fail(
            &ctx->message, PLX_ERR_ARGUMENT,
            "context: reproducible chooses the ISA itself and cannot be combined with isa "
            "\"%.40s\"",
            options->isa);
    if (options->threads < 0 || options->threads > 128)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "context: threads is %d; it must be 1 to 128, or 0 for automatic",
                         options->threads);
    if ((int)options->gemm < 0 || options->gemm > PLX_GEMM_AUTO)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "context: there is no gemm choice number %d; it must be 0 to %d",
                         (int)options->gemm, PLX_GEMM_AUTO);
    const plx_gemm_provider *p = options->provider;
    if (p && (!p->name || !p->gemm || !p->set_threads))
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "context: the provider needs a name, gemm and set_threads; one is NULL");
    PLX_TRY(plx__kernels_pick(options->isa, options->reproducible, &ctx->kernels, &ctx->message));
    const int threads = options->threads ? options->threads : plx_platform_cpus();
    ctx->pool = plx__pool_new(threads);
    if (!ctx->pool)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY, "context: no memory for threads");
    ctx->threads = plx__pool_threads(ctx->pool);
    ctx->reproducible = options->reproducible;
    ctx->l2_bytes = plx_platform_cache_bytes(2);
    assume_costs(ctx);
    if ((!options->measure_later && measure(ctx, TRIALS) != PLX_OK) ||
        choose_gemm(ctx, options) != PLX_OK)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY,
                         "context: no memory to measure the machine");
    return PLX_OK;
}

plx_status plx_ctx_new(const plx_ctx_options *options, plx_ctx **out, char *message,
                       size_t message_bytes) {
    const plx_ctx_options chosen = options ? *options : plx_ctx_default();
    if (!out) {
        if (message) plx__format(message, message_bytes, "context: out is NULL");
        return PLX_ERR_ARGUMENT;
    }
    *out = NULL;
    plx_ctx *ctx = plx_platform_alloc(sizeof *ctx);
    if (!ctx) {
        if (message) plx__format(message, message_bytes, "context: no memory");
        return PLX_ERR_MEMORY;
    }
    memset(ctx, 0, sizeof *ctx);
    ctx->holders = 1;
    /* Contexts start at different times, so their graphs get different numbers. */
    ctx->graphs = (uint32_t)plx_platform_now_ns();
    const plx_status status = open_context(ctx, &chosen);
    if (status == PLX_OK) {
        *out = ctx;
        return PLX_OK;
    }
    if (message) plx__format(message, message_bytes, "%s", ctx->message.text);
    plx_ctx_free(ctx);
    return status;
}

void plx_ctx_free(plx_ctx *ctx) {
    if (!ctx || --ctx->holders > 0) return;
    plx__pool_free(ctx->pool);
    plx_platform_free(ctx->packing);
    plx_platform_free(ctx);
}

const char *plx_message(const plx_ctx *ctx) {
    return ctx->message.text;
}

plx_ctx_info plx_ctx_get_info(const plx_ctx *ctx) {
    return (plx_ctx_info){
        .isa = ctx->kernels->name,
        .isa_note = ctx->isa_note,
        .gemm = ctx->provider ? ctx->provider->name : "builtin",
        .threads = ctx->threads,
        .cpus = plx_platform_cpus(),
        .vector_bits = ctx->kernels->vl * 32,
        .fma = ctx->kernels->fma,
        .exact = ctx->kernels->exact,
        .fork_join_ns = ctx->machine.fork_join_ns,
        .costs_measured = ctx->machine.threads_measured,
        .gflops = ctx->machine.flops_per_ns,
        .gbytes = ctx->machine.bytes_per_ns,
    };
}
