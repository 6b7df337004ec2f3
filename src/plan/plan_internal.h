/* A plan while its passes make it, and while it runs. */
#ifndef PLX_PLAN_PLAN_INTERNAL_H
#define PLX_PLAN_PLAN_INTERNAL_H

#include "graph/graph.h"

typedef struct plx__step_meta {
    int32_t node;
    plx__cost cost;
    double shared_bytes;  /* read that other threads may have written: all but parameters */
    double one_thread_ns; /* predicted */
    double total_ns;      /* measured while profiling */
    int64_t arena_offset; /* bytes; -1: not in the arena */
} plx__step_meta;

/* An input that is bound with strides: each run copies it to memory. */
typedef struct plx__staged {
    const void *data; /* NULL: not so */
    int64_t strides[PLX_MAX_RANK];
    void *memory;
} plx__staged;

struct plx_plan {
    plx_ctx *ctx;
    plx_graph *graph; /* own copy, rewritten by the passes; ids as in the caller's graph */
    plx_plan_options options;
    int outputs_count;
    int32_t *outputs;
    bool *live; /* by node */
    int steps_count;
    plx__step *steps;
    plx__step_meta *meta;
    plx__operand *operands;
    void **slots;        /* by node: where its value lies */
    plx_real *constants; /* by node */
    plx__staged *staged; /* by node; NULL until an input is bound with strides */
    int64_t staged_bytes;
    char *arena;
    int64_t arena_bytes, workspace_bytes;
    void *scratch;          /* in place of the arena's, since there are more threads; or NULL */
    int64_t gradient_bytes; /* of the arena: what updates take */
    uint64_t number;
    int threads; /* of the context, when the steps were given theirs */
    int64_t profiled_runs;
    bool profiling;
    bool began; /* a run has begun: steps that are run once have been */
};

/* Rewrites nodes in place: matmul + bias + activation, log-softmax + negative log-likelihood. */
plx_status plx__pass_fuse(plx_plan *plan);
/* Marks what the outputs need. */
void plx__pass_dead_code(plx_plan *plan);
/* Threads of every step, from its cost and the machine's. */
void plx__pass_parallel(plx_plan *plan);
/* Gives the steps threads anew when the context has got more since. */
void plx__plan_spread(plx_plan *plan);
/* Scratch for steps that have got more threads. */
plx_status plx__more_scratch(plx_plan *plan);
/* Places every value and the workspace in one arena by liveness, and allocates it. */
plx_status plx__pass_memory(plx_plan *plan);

/* The node whose memory a node is: itself unless it is a view. *offset: where in it, in elements;
 * may be NULL. */
int32_t plx__root_of(const plx_graph *graph, int32_t id, int64_t *offset);
/* Points the slots of views into the memory of their roots. */
void plx__place_views(plx_plan *plan);

/* Fills the contiguous copies of inputs that were bound with strides. */
void plx__stage_inputs(plx_plan *plan);
void plx__free_staged(plx_plan *plan);

/* What a step would take on one thread, in nanoseconds. */
double plx__predict_ns(const plx_ctx *ctx, plx__cost cost);

#endif
