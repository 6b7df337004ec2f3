/* The context, which every layer above base shares. */
#ifndef PLX_BASE_CONTEXT_H
#define PLX_BASE_CONTEXT_H

#include "base/status.h"
#include "base/thread_pool.h"

struct plx_kernels;
struct plx__folded;

/* Machine costs, measured once per context, with which the parallel pass weighs steps. */
typedef struct plx__machine {
    double fork_join_ns;        /* a parallel loop on all threads, with workers awake */
    double shared_bytes_per_ns; /* reading what another thread has just written */
    double flops_per_ns;        /* the GEMM micro-kernel on one thread */
    double bytes_per_ns;        /* a streaming kernel beyond the first-level cache, one thread */
    int64_t measured_ns;        /* time of the measurement */
    int measurements;
    bool threads_measured; /* false: the first two are assumed; true with one thread */
} plx__machine;

struct plx_ctx {
    plx__message message;
    plx__pool *pool;
    const struct plx_kernels *kernels;
    const plx_gemm_provider *provider; /* NULL: own kernels */
    plx__machine machine;
    struct plx__folded *folded; /* values that stay, which plans share */
    const char *method;         /* how the last step was computed, for profiles */
    int threads;
    int64_t l2_bytes; /* second-level cache; 0: unknown */
    int holders;      /* reference count: the creator, and what was created from it */
    uint32_t graphs;  /* number of the next one */
    bool reproducible;
    void *
        packing; /* of plx_gemm, kept for the next call: fresh memory costs a fault for each page */
    size_t packing_bytes;
    char isa_note[160]; /* why this ISA was chosen, when another was refused */
};

/* Holds the context: everything created from it keeps it alive, and releases it with plx_ctx_free.
 */
static inline plx_ctx *plx__ctx_hold(plx_ctx *ctx) {
    ctx->holders += 1;
    return ctx;
}

/* Measures the machine again, a few times in a context's life: browsers run code slowly until they
 * have optimised it, which they do while it runs, on the processors of the threads. Called before
 * plans are weighed. */
void plx__machine_settle(plx_ctx *ctx);

/* Discards the measurements and measures as a new context does: plans made from here on choose
 * threads for the machine as it is now. */
void plx__machine_renew(plx_ctx *ctx);

#endif
