/* What an operation is: one row of ops.def, one plx_op in the file of its family. */
#ifndef PLX_OPS_OP_H
#define PLX_OPS_OP_H

#include "base/arena.h"
#include "base/context.h"
#include "base/dtype.h"
#include "kernels/kernels.h"
#include "ops/attrs.h"

typedef struct plx_op plx_op;

typedef struct plx__node {
    const plx_op *op;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    plx_dtype dtype;
    int inputs_count;
    int32_t *inputs;
    plx__attrs attrs;
    plx_tensor *tensor; /* parameters and optimizer state */
    const char *name;   /* "": none */
    const char *fused;  /* which nodes became this one; "": it is as it was built */
} plx__node;

struct plx_tensor {
    plx_ctx *ctx;
    int holders; /* the maker, nodes, optimizers */
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    void *data;
};

struct plx_graph {
    plx_ctx *ctx;
    plx_status status;
    plx__message message;
    int32_t number; /* of the context's graphs: what handles know it by */
    int32_t count, capacity;
    plx__node **nodes; /* pointers into the arena, so that shapes and names never move */
    plx__arena arena;
};

/* What a step reads or writes. slot points at the pointer, since inputs are bound between runs. */
typedef struct plx__operand {
    void **slot;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
} plx__operand;

typedef struct plx__step {
    const plx_op *op;
    plx__attrs attrs;
    int in_count;
    plx__operand *in;
    plx__operand out;
    int threads;
    void *workspace;
    const uint64_t *number; /* of the run, for dropout */
} plx__step;

#define PLX_IN(step, k) ((const plx_real *)*(step)->in[k].slot)
#define PLX_OUT(step) ((plx_real *)*(step)->out.slot)

/* What one run of a step costs, for the parallel pass and for reports. */
typedef struct plx__cost {
    double flops;  /* that are done */
    double bytes;  /* read and written once */
    double weight; /* how much slower than streaming its bytes, for ops bound by arithmetic that is
                      not multiply-add; 1 for pure streaming */
    double direct; /* operations of the definition, where the method needs fewer; 0: flops */
} plx__cost;

/* A case that the tests walk: shapes and attributes of one node. */
enum { PLX__SAMPLE_INPUTS = 8 };
typedef struct plx__sample {
    int inputs_count; /* 0 ends the list */
    struct {
        int rank;
        int64_t dims[PLX_MAX_RANK];
        double low, high; /* of random data; labels: integers in [low, high). Both 0: [-1, 1) */
    } inputs[PLX__SAMPLE_INPUTS];
    plx__attrs attrs;
    const char *wrong; /* the place of attributes that are not the op's; NULL: all are */
} plx__sample;

/* The next of an op's samples, written as text between semicolons: the inputs' sizes with the range
 * of their data, then a colon and attributes by name. "3x4 4~-2,2; . 5 : stride 1 2 alpha 0.5 >3x4"
 * is two: [3, 4] and a [4] in [-2, 2); a scalar and a [5] with a stride of 1 and 2, alpha 0.5, and
 * dims 3 x 4. False at the end. */
bool plx__sample_read(const plx_op *op, const char **text, plx__sample *out);

/* Samples of ops without a gradient rule are for the tests alone: engines leave them out. */
#ifdef PLX_ENGINE
#define PLX__TESTED(samples) (1 ? NULL : (samples))
#else
#define PLX__TESTED(samples) (samples)
#endif

typedef enum plx__op_flags {
    PLX__OP_LEAF = 1 << 0,        /* not run: input, parameter, constant */
    PLX__OP_INPLACE = 1 << 1,     /* the output may take the memory of a value of its size */
    PLX__OP_KINK = 1 << 2,        /* not differentiable somewhere: samples keep clear of it */
    PLX__OP_NO_GRADIENT = 1 << 3, /* a gradient itself, or made by a pass */
    PLX__OP_EFFECT = 1 << 4,      /* writes its inputs' tensors and has no value */
    PLX__OP_VIEW = 1 << 5,        /* not run: memory of input 0 from element attrs.view.first on */
    PLX__OP_BUFFER = 1 << 6,      /* memory that a later step fills, for others after it */
    PLX__OP_ONCE = 1 << 7,        /* depends on attributes alone: run once, its memory is kept */
} plx__op_flags;

/* What an operand is to its op. A value (no bit): gradients may flow into it, and the output may
 * take its memory. */
typedef enum plx__role {
    PLX__VALUE = 0,
    PLX__CONSTANT = 1 << 0, /* no gradient flows into it */
    PLX__WRITTEN = 1 << 1,  /* a buffer or a tensor that the run writes; no gradient either */
    PLX__OPTIONAL = 1 << 2, /* it and what follows it may be left out */
    PLX__REPEATED = 1 << 3, /* any number of them; where several rows are, equally many of each */
    PLX__ALIKE = 1 << 4,    /* holds what the first operand of this role holds */
} plx__role;

/* Sets of dtypes. */
#define PLX__SET(dtype) (1U << PLX_DTYPE_##dtype)
#define PLX__REALS PLX__SET(REAL)
#define PLX__INTEGERS PLX__SET(I32)
#define PLX__ANY ((1U << PLX_DTYPES_) - 1)

typedef struct plx__operand_row {
    const char *name; /* for messages; NULL ends the rows */
    uint8_t dtypes;   /* the set that it takes */
    uint8_t role;     /* bits of plx__role */
} plx__operand_row;

#define PLX__OPERANDS(...)                                                                         \
    (const plx__operand_row[]) {                                                                   \
        __VA_ARGS__, {NULL, 0, 0}                                                                  \
    }
extern const plx__operand_row plx__takes_x[], plx__takes_gy[], plx__takes_x_gy[];

/* The dtype of a result where no plx_dtype is it for all: that of operand k, or of the attributes
 * (leaves, cast). */
#define PLX__AS(k) (PLX_DTYPES_ + 1 + (k))
enum { PLX__BY_ATTRS = PLX_DTYPES_ };

struct plx_op {
    const char *name;
    const char *title; /* of its builder, for messages; NULL: name */
    unsigned flags;
    const plx__operand_row *operands; /* NULL: none */
    int result;                       /* its dtype: PLX_DTYPE_, PLX__AS or PLX__BY_ATTRS */
    /* Sets rank and dims of node from its inputs, which are those that the rows ask for, and its
     * dtype; a failure goes through plx__graph_fail. */
    plx_status (*infer)(plx_graph *graph, plx__node *node);
    /* Emits d loss / d input k into grads[k] (-1: none) from gy = d loss / d node. */
    void (*gradient)(plx_graph *graph, int32_t node, int32_t gy, int32_t *grads);
    plx__cost (*cost)(const plx_graph *graph, const plx__node *node);
    /* Bytes of scratch for a run on so many threads; NULL: none. */
    size_t (*workspace)(const plx_ctx *ctx, const plx__step *step);
    plx_status (*run)(plx_ctx *ctx, const plx__step *step);
    const char *attrs;   /* the table of its family (attrs.h); NULL: none */
    const char *samples; /* as plx__sample_read takes them; NULL for none */
};

/* What users know an op by. */
static inline const char *plx__title(const plx_op *op) {
    return op->title ? op->title : op->name;
}

/* The row of input k, of count in all; NULL beyond the last. attrs count what repeats in updates;
 * NULL: none. */
const plx__operand_row *plx__operand_at(const plx_op *op, int count, const plx__attrs *attrs,
                                        int k);

#define OP(name) extern const plx_op plx__op_##name;
#include "ops/ops.def"
#undef OP

/* All rows, in the order of ops.def. */
const plx_op *const *plx__ops(int *count);

/* Checks that dims are not negative and that their product can be memory. */
plx_status plx__check_dims(plx__message *message, const char *what, int rank, const int64_t *dims);

/* ---- Building nodes (node.c) ----------------------------------------------------------------- */

/* Keeps the first failure. Returns code. */
plx_status plx__graph_fail(plx_graph *graph, plx_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A handle is the number of its graph in the upper half and the node's place in the lower; invalid
 * ones are negative. Returns the place, or -1 for a handle that is not of this graph. */
int32_t plx__place_of(const plx_graph *graph, plx_node node);
/* The handle of the node at a place; invalid for -1. */
plx_node plx__handle(const plx_graph *graph, int32_t place);
/* The node of a valid handle. */
static inline plx__node *plx__at(const plx_graph *graph, plx_node node) {
    return graph->nodes[plx__place_of(graph, node)];
}

/* Adds a node; inputs that are not nodes of this graph are refused. attrs may be NULL. */
plx_node plx__build(plx_graph *graph, const plx_op *op, int count, const plx_node *inputs,
                    const plx__attrs *attrs);
plx_node plx__build1(plx_graph *graph, const plx_op *op, plx_node a, const plx__attrs *attrs);
plx_node plx__build2(plx_graph *graph, const plx_op *op, plx_node a, plx_node b,
                     const plx__attrs *attrs);

/* The same from places to a place, for gradient rules and passes; -1 after a failure. */
int32_t plx__emit(plx_graph *graph, const plx_op *op, int count, const int32_t *inputs,
                  const plx__attrs *attrs);
#define PLX__EMIT1(graph, op, a, attrs) plx__emit(graph, op, 1, (const int32_t[]){a}, attrs)
#define PLX__EMIT2(graph, op, a, b, attrs) plx__emit(graph, op, 2, (const int32_t[]){a, b}, attrs)
#define PLX__EMIT3(graph, op, a, b, c, attrs)                                                      \
    plx__emit(graph, op, 3, (const int32_t[]){a, b, c}, attrs)

static inline const plx__node *plx__input_of(const plx_graph *graph, const plx__node *node, int k) {
    return graph->nodes[node->inputs[k]];
}

/* What samples give an operand: reals where it takes them, else the first dtype that it takes. */
plx_dtype plx__usual_dtype(const plx__operand_row *row);
/* Whether input k of a node has one of the roles. */
bool plx__has_role(const plx__node *node, int k, unsigned roles);
/* What operands.c knows of a node whose inputs are set: fails unless they are what its op takes;
 * its dtype. */
void plx__check_operands(plx_graph *graph, const plx__node *node);
plx_dtype plx__result_dtype(const plx_graph *graph, const plx__node *node);
/* Whether a gradient may flow from the node into its input k. */
bool plx__is_differentiable(const plx_graph *graph, const plx__node *node, int k);

/* Where element i of an operand lies. */
static inline void *plx__element(const plx__operand *operand, int64_t i) {
    return (char *)*operand->slot + i * (int64_t)plx__element_bytes(operand->dtype);
}

int64_t plx__product(int count, const int64_t *dims);
static inline int64_t plx__size(const plx__node *node) {
    return plx__product(node->rank, node->dims);
}
bool plx__same_shape(const plx__node *a, const plx__node *b);
/* attrs' target shape. */
void plx__set_shape(plx__attrs *attrs, const plx__node *like);
void plx__copy_shape(plx__node *to, const plx__node *from);
/* The product of all dimensions but the last, and the last (1 for a scalar). */
int64_t plx__rows(int rank, const int64_t *dims);
int64_t plx__columns(int rank, const int64_t *dims);

/* ---- Shared by the families ------------------------------------------------------------------ */

/* infer: the shape of input 0; the target shape of the attributes. */
plx_status plx__infer_same(plx_graph *graph, plx__node *node);
plx_status plx__infer_target(plx_graph *graph, plx__node *node);
/* cost of what is no work. */
plx__cost plx__cost_nothing(const plx_graph *graph, const plx__node *node);
/* Where one op makes several gradients, they lie one after the other in a value of one dimension:
 * hands its part from element *from on to gradient k, in the shape of node's input k, and moves
 * *from past it. */
void plx__hand_out(plx_graph *graph, const plx__node *node, int k, int32_t packed, int64_t *from,
                   int32_t *grads);
/* The sum of sum(kernels, n, a, b) over pieces of inputs 0 and 1 (b NULL without the latter), in an
 * order that depends on the size alone; and the workspace that it takes. */
typedef plx_real (*plx__piece_sum)(const plx_kernels *k, int64_t n, const plx_real *a,
                                   const plx_real *b);
plx_real plx__total(plx_ctx *ctx, const plx__step *step, plx__piece_sum sum);
size_t plx__total_workspace(const plx_ctx *ctx, const plx__step *step);
/* cost: inputs and output streamed once, flops a given number per element of the output. */
plx__cost plx__cost_streaming(const plx_graph *graph, const plx__node *node, double flops_each,
                              double weight);

#endif
