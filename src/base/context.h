/* The context: what every layer above base shares. */
#ifndef PLX_BASE_CONTEXT_H
#define PLX_BASE_CONTEXT_H

#include "base/status.h"
#include "base/thread_pool.h"

struct plx_kernels;

/* Costs measured once per context; the parallel pass weighs steps with them. */
typedef struct plx__machine {
    double fork_join_ns;        /* a parallel loop that every thread takes part in, workers awake */
    double shared_bytes_per_ns; /* reading what another thread has just written */
    double flops_per_ns;        /* the GEMM micro-kernel on one thread */
    double bytes_per_ns;        /* a streaming kernel beyond the first-level cache, one thread */
    int64_t measured_ns;        /* when */
    int measurements;
    bool threads_measured; /* else the first two are assumed; true with one thread */
} plx__machine;

struct plx_ctx {
    plx__message message;
    plx__pool *pool;
    const struct plx_kernels *kernels;
    const plx_gemm_provider *provider; /* NULL: own kernels */
    plx__machine machine;
    int threads;
    int holders;     /* the maker, and what was made from it */
    uint32_t graphs; /* number of the next one */
    bool reproducible;
    char isa_note[160]; /* why this ISA, when something was refused */
};

/* Everything that is made from a context keeps it until it is freed itself, by plx_ctx_free. */
static inline plx_ctx *plx__ctx_hold(plx_ctx *ctx) {
    ctx->holders += 1;
    return ctx;
}

/* Measures the machine anew, a few times in a context's life: browsers run code slowly until
 * they have compiled it well, which they do while it runs, and on the threads' processors. Called
 * before plans are weighed. */
void plx__machine_settle(plx_ctx *ctx);

/* Forgets what was measured and measures as a new context does: plans made from here on choose
 * threads by the machine as it is now. */
void plx__machine_renew(plx_ctx *ctx);

#endif
