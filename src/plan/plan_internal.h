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
} plx__step_meta;

/* An input that is bound with strides: each run copies it to memory. */
typedef struct plx__staged {
    const void *data; /* NULL: not so */
    int64_t strides[PLX_MAX_RANK];
    void *memory;
} plx__staged;

/* A node's place in the schedule. */
typedef struct plx__link {
    int32_t before, after; /* -1: none */
    bool scheduled;        /* else it is not part of the plan */
} plx__link;

/* Where a value lies: bytes from the start of a buffer. */
typedef struct plx__location {
    int buffer; /* -1: nowhere */
    int64_t offset;
} plx__location;

struct plx_plan {
    plx_ctx *ctx;
    plx_graph *graph; /* own copy, which the passes rewrite; it begins with the caller's nodes */
    int32_t
        given_count; /* of those: handles of the caller's that are later are none of the plan's */
    plx_plan_options options;
    int outputs_count;
    int32_t *outputs; /* places as the caller knows them */
    int32_t *values;  /* the nodes that now have the values of the outputs */
    /* The schedule: the order of steps, with leaves and views between them. */
    plx__link *links; /* by node */
    int32_t links_capacity, first, last;
    /* After the last pass that changes nodes. */
    int steps_count;
    plx__step *steps;
    plx__step_meta *meta;
    plx__operand *operands;
    plx__location *locations; /* by node */
    void **slots;             /* by node: where its value lies now */
    plx_real *constants;      /* by node */
    plx__staged *staged;      /* by node; NULL until an input is bound with strides */
    int buffers_count;
    plx_buffer *buffers;
    plx_step *described; /* NULL: not yet */
    plx_operand *described_outputs;
    char *arena;
    int64_t arena_bytes;
    plx_memory memory; /* but for what optimizers hold */
    uint64_t number;
    int64_t profiled_runs;
    bool profiling;
    bool began; /* a run has begun: steps that are run once have been */
};

/* ---- Passes ---------------------------------------------------------------------------------- */

/* on: as the options say. Off, a pass does what is left to do without it. */
typedef plx_status (*plx__pass_fn)(plx_plan *plan, bool on);

/* A pass changes nodes and the schedule, or, after all of those, steps. */
typedef struct plx__pass {
    plx_pass_info info;
    bool steps;
    plx__pass_fn run;
} plx__pass;

/* All rows of the table, in the order in which they run. */
const plx__pass *plx__passes(int *count);

/* plx_compile with a pass of one's own after the last that changes nodes; NULL: none. */
plx_status plx__compile(plx_graph *graph, int count, const plx_node *outputs,
                        const plx_plan_options *options, plx__pass_fn own, plx_plan **out);

#define PASS(flag, function, bit, stage, without)                                                  \
    plx_status plx__pass_##function(plx_plan *plan, bool on);
PLX_PASSES(PASS)
#undef PASS

/* ---- Rewriting: what passes do with nodes (rewrite.c) ----------------------------------------
 */

/* Nodes have numbers, in the order of making, and do not move in memory: pointers to them and to
 * their shapes stay. What is inserted is numbered after all others; the order of steps is that of
 * the schedule alone. A node comes after its inputs. */
#define PLX__SCHEDULED(plan, i) for (int32_t i = (plan)->first; i >= 0; i = (plan)->links[i].after)

/* The schedule that a plan begins with: nodes in the order of making, but what writes tensors that
 * others read comes last. */
plx_status plx__schedule_all(plx_plan *plan);
/* A new node before (after) a scheduled one. -1 after a failure, which the plan's graph keeps: then
 * the compilation fails. */
int32_t plx__insert_before(plx_plan *plan, int32_t at, const plx_op *op, int count,
                           const int32_t *inputs, const plx__attrs *attrs);
int32_t plx__insert_after(plx_plan *plan, int32_t at, const plx_op *op, int count,
                          const int32_t *inputs, const plx__attrs *attrs);
/* The same node once more, before a scheduled one: inputs, attributes and names. Not of leaves,
 * which callers know, nor of what writes tensors. */
int32_t plx__clone_before(plx_plan *plan, int32_t at, int32_t node);
/* From node `by` on, which is not changed itself, all that took the value of `of` takes that of
 * `by`; so do outputs. */
void plx__replace_uses(plx_plan *plan, int32_t of, int32_t by);
/* Takes a node, which no scheduled one uses any more, out of the schedule. */
void plx__remove(plx_plan *plan, int32_t node);
/* How often scheduled nodes and outputs take each node's value; uses is by node. */
void plx__count_uses(const plx_plan *plan, int32_t *uses);
/* Whether a run of the node changes a tensor beside the graph. */
bool plx__writes_tensors(const plx_graph *graph, const plx__node *node);

/* ---- Memory ---------------------------------------------------------------------------------- */

/* The node whose memory a node is: itself unless it is a view. *offset: where in it, in elements;
 * may be NULL. */
int32_t plx__root_of(const plx_graph *graph, int32_t id, int64_t *offset);
/* Points the slots of what lies in a buffer there; buffer -1: all slots. */
void plx__point_slots(plx_plan *plan, int buffer);

/* The place of a node that the caller's graph had when it was compiled, else -1. */
static inline int32_t plx__given_place(const plx_plan *plan, plx_node node) {
    const int32_t place = plx__place_of(plan->graph, node);
    return place < plan->given_count ? place : -1;
}

/* Fills the contiguous copies of inputs that were bound with strides. */
void plx__stage_inputs(plx_plan *plan);
void plx__free_staged(plx_plan *plan);

/* Bytes of scratch that a step takes. */
int64_t plx__workspace_of(const plx_plan *plan, int step);
/* What a step would take on one thread, in nanoseconds. */
double plx__predict_ns(const plx_ctx *ctx, plx__cost cost);

/* Zeroed memory for count things; NULL when there is none. */
void *plx__zeroed(size_t count, size_t each);
/* The sentence for that. */
plx_status plx__no_memory(plx_plan *plan);

#endif
