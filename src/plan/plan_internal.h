/* A plan, as passes build it and as it runs. */
#ifndef PLX_PLAN_PLAN_INTERNAL_H
#define PLX_PLAN_PLAN_INTERNAL_H

#include "graph/graph.h"

typedef struct plx__step_meta {
    int32_t node;
    plx__cost cost;
    /* Bytes read, except parameters: written by one thread; by several, and how many of those by
     * the one that reads them again. */
    double bytes_of_one, bytes_of_several, own_bytes;
    double one_thread_ns; /* predicted */
    int writers; /* threads that wrote its value; of a buffer, those of the step that fills it */
    bool kept;   /* its value stays: the step is not part of a run */
    /* Measured while profiling, and summed over the runs. */
    double total_ns;
    int64_t workers;
    const char *method; /* of the last run; NULL: it has no name */
} plx__step_meta;

/* An input that is bound with strides: each run copies it into memory. */
typedef struct plx__staged {
    const void *data; /* NULL: not bound with strides */
    int64_t strides[PLX_MAX_RANK];
    void *memory;
} plx__staged;

/* A node's place in the schedule. */
typedef struct plx__link {
    int32_t before, after; /* -1: none */
    bool scheduled;        /* false: not part of the plan */
    bool guarded;          /* while the value is not finite, the plan runs unfolded */
    int step;              /* its number, once there are steps; leaves and views have none */
} plx__link;

/* A parameter that stays packed for a step. */
typedef struct plx__kept {
    int step;
    plx_tensor *tensor;
    plx__packed *packed;
} plx__kept;

/* A step whose value stays. */
typedef struct plx__folded plx__folded;
typedef struct plx__fold {
    int step;
    bool guarded;
    plx__folded *folded;
} plx__fold;

/* Where a value is: bytes from the start of a buffer. */
typedef struct plx__location {
    int buffer; /* -1: nowhere */
    int64_t offset;
} plx__location;

struct plx_plan {
    plx_ctx *ctx;
    plx_graph *graph;    /* a copy, which the passes rewrite; the caller's nodes come first */
    int32_t given_count; /* number of those; later handles of the caller are not in the plan */
    plx_plan_options options;
    int outputs_count;
    int32_t *outputs; /* places in the caller's graph */
    int32_t *values;  /* the nodes that now have the values of the outputs */
    /* The schedule: the order of steps, with leaves and views between them. */
    plx__link *links; /* by node */
    int32_t links_capacity, first, last;
    /* Set after the last pass that changes nodes. */
    int steps_count;
    plx__step *steps;
    plx__step_meta *meta;
    plx__operand *operands;
    plx__location *locations; /* by node */
    void **slots;             /* by node: where its value is now */
    plx_real *constants;      /* by node */
    plx__staged *staged;      /* by node; NULL until an input is bound with strides */
    int buffers_count;
    plx_buffer *buffers;
    plx_step *described; /* NULL: not yet */
    plx_operand *described_outputs;
    int written_count, kept_count, folds_count;
    plx_tensor **written; /* tensors that a run changes */
    plx__kept *kept;
    plx__fold *folds;          /* each once, however many steps have its value */
    plx_graph *unfolded_graph; /* as it was before the pass fold; NULL: it changed nothing */
    plx_plan *unfolded;        /* what runs instead, once there was need */
    bool ran_unfolded;         /* the last run; outputs are the other plan's */
    char *arena;
    int64_t arena_bytes;
    void *scratch;     /* replaces the arena's once there are more threads; or NULL */
    plx_memory memory; /* without the state of optimizers */
    uint64_t number;
    int threads; /* of the context when threads were assigned to the steps */
    int64_t profiled_runs;
    bool profiling;
    bool began; /* a run has begun: steps that run once have run */
};

/* ---- Passes ---------------------------------------------------------------------------------- */

/* on: from the options. A pass that is off does only what a plan needs without it. */
typedef plx_status (*plx__pass_fn)(plx_plan *plan, bool on);

/* A pass changes nodes and the schedule or, after all such passes, steps. */
typedef struct plx__pass {
    plx_pass_info info;
    bool steps;
    plx__pass_fn run;
} plx__pass;

/* All rows of the table, in the order they run. */
const plx__pass *plx__passes(int *count);

/* Like plx_compile, with an extra pass after the last one that changes nodes; NULL: none. */
plx_status plx__compile(plx_graph *graph, int count, const plx_node *outputs,
                        const plx_plan_options *options, plx__pass_fn own, plx_plan **out);

#define PASS(flag, function, bit, stage, without)                                                  \
    plx_status plx__pass_##function(plx_plan *plan, bool on);
PLX_PASSES(PASS)
#undef PASS

/* ---- Rewriting: what passes do with nodes (rewrite.c) ---------------------------------------- */

/* Nodes are numbered in order of creation and do not move in memory: pointers to them and to their
 * shapes stay valid. Inserted nodes get the next numbers; the order of steps is given by the
 * schedule alone, where a node comes after its inputs. */
#define PLX__SCHEDULED(plan, i) for (int32_t i = (plan)->first; i >= 0; i = (plan)->links[i].after)

/* Makes the initial schedule: nodes in order of creation, except that those that write tensors
 * which others read come last. */
plx_status plx__schedule_all(plx_plan *plan);
/* Inserts a new node before (after) a scheduled one; the present passes only insert before. -1
 * after a failure, which the plan's graph keeps, so that the compilation fails. */
int32_t plx__insert_before(plx_plan *plan, int32_t at, const plx_op *op, int count,
                           const int32_t *inputs, const plx__attrs *attrs);
int32_t plx__insert_after(plx_plan *plan, int32_t at, const plx_op *op, int count,
                          const int32_t *inputs, const plx__attrs *attrs);
/* Inserts a copy of a node before a scheduled one, with its inputs, attributes and names. Not for
 * leaves, whose handles callers hold, nor for nodes that write tensors. No present pass needs it.
 */
int32_t plx__clone_before(plx_plan *plan, int32_t at, int32_t node);
/* From node `by` on (excluded), all uses of the value of `of` become uses of `by`, outputs
 * included. */
void plx__replace_uses(plx_plan *plan, int32_t of, int32_t by);
/* Removes a node that no scheduled node uses from the schedule. */
void plx__remove(plx_plan *plan, int32_t node);
/* Counts how often scheduled nodes and outputs use each node's value; uses is by node. */
void plx__count_uses(const plx_plan *plan, int32_t *uses);
/* Whether running the node changes a tensor outside the plan. */
bool plx__writes_tensors(const plx_graph *graph, const plx__node *node);

/* ---- Threads that join later ----------------------------------------------------------------- */

/* Reassigns threads to the steps if the context has more than before. */
void plx__plan_spread(plx_plan *plan);
/* Allocates scratch for steps that now have more threads. */
plx_status plx__more_scratch(plx_plan *plan);

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Lists the tensors that a run changes. */
plx_status plx__find_written(plx_plan *plan);
bool plx__is_written(const plx_plan *plan, const plx_tensor *tensor);
/* Whether a node is a constant, a parameter that no run of the plan changes, a value that stays, or
 * a view of one. */
bool plx__stays(const plx_plan *plan, int32_t id);
/* Gives values that stay, if the options want them, tensors that plans share: those of their nodes.
 */
plx_status plx__keep_values(plx_plan *plan);
/* Computes them again where what they depend on has changed. *fit: the plan need not run unfolded.
 */
plx_status plx__refresh_folded(plx_plan *plan, bool *fit);
void plx__free_folded(plx_plan *plan);

/* Packs again what has changed since it was packed; frees what no other plan uses. */
void plx__refresh_packed(plx_plan *plan);
void plx__free_packed(plx_plan *plan);

/* The node that owns the memory of a node: itself unless it is a view. *offset (may be NULL): where
 * in that memory, in elements. */
int32_t plx__root_of(const plx_graph *graph, int32_t id, int64_t *offset);
/* Sets the slots of all values in a buffer to their addresses; buffer -1: all slots. */
void plx__point_slots(plx_plan *plan, int buffer);

/* The place of a node that the caller's graph had when it was compiled, else -1. */
static inline int32_t plx__given_place(const plx_plan *plan, plx_node node) {
    const int32_t place = plx__place_of(plan->graph, node);
    return place < plan->given_count ? place : -1;
}

/* Fills the contiguous copies of inputs that were bound with strides. */
void plx__stage_inputs(plx_plan *plan);
void plx__free_staged(plx_plan *plan);

/* Bytes of scratch that a step needs. */
int64_t plx__workspace_of(const plx_ctx *ctx, const plx__step *step);
/* The predicted time of a step on one thread, in nanoseconds. */
double plx__predict_ns(const plx_ctx *ctx, plx__cost cost);

/* Zeroed memory for count elements; NULL if there is not enough. */
void *plx__zeroed(size_t count, size_t each);
/* Reports that there is not enough memory. */
plx_status plx__no_memory(plx_plan *plan);

#endif
