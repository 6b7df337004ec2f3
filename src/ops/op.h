/* Definition of an operation: one row of ops.def and one plx_op in the file of its family. */
#ifndef PLX_OPS_OP_H
#define PLX_OPS_OP_H

#include "base/arena.h"
#include "base/context.h"
#include "base/dtype.h"
#include "blocks/gemm.h"
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
    const char *fused;  /* nodes fused into this one; "": as built */
} plx__node;

/* The values of a tensor in the layout in which kernels read them; plans that read it the same way
 * share it. */
typedef struct plx__packed {
    struct plx__packed *next; /* of the same tensor */
    int holders;              /* plans */
    plx__layout layout;
    int columns;      /* of a panel of the kernels that read it */
    uint64_t version; /* of the tensor when it was packed; 0: not yet */
    int64_t bytes;
    plx_real *values;
} plx__packed;

struct plx_tensor {
    plx_ctx *ctx;
    int holders;              /* reference count: the creator, nodes, optimizers */
    _Atomic uint64_t version; /* counts the times when the values may have changed, from 1;
                                 plx_tensor_data may be called by several threads at once */
    plx__packed *packed;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    plx_tensor *slab; /* whose memory data is part of; NULL: its own */
    void *data;
};

struct plx_graph {
    plx_ctx *ctx;
    plx_status status;
    plx__message message;
    int32_t number; /* among the context's graphs; part of every handle */
    int32_t count, capacity;
    plx__node **nodes; /* pointers into the arena, so that shapes and names never move */
    plx__arena arena;
};

/* An operand that a step reads or writes. slot points to the data pointer, because inputs are bound
 * between runs. */
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
    const plx_real *packed; /* operand 1 as the op packs it; NULL: not packed */
    int threads;
    void *workspace;
    const uint64_t *number; /* number of the run, for dropout */
} plx__step;

#define PLX_IN(step, k) ((const plx_real *)*(step)->in[k].slot)
#define PLX_OUT(step) ((plx_real *)*(step)->out.slot)

/* Cost of one run of a step, for the parallel pass and for reports. */
typedef struct plx__cost {
    double flops;  /* actually executed */
    double bytes;  /* read and written once */
    double weight; /* slowdown against streaming the same bytes, for ops bound by arithmetic other
                      than multiply-add; 1 for pure streaming */
    double direct; /* flops by the definition, where the method needs fewer; 0: same as flops */
} plx__cost;

/* A test case: shapes and attributes of one node. */
enum { PLX__SAMPLE_INPUTS = 8 };
typedef struct plx__sample {
    int inputs_count; /* 0 ends the list */
    struct {
        int rank;
        int64_t dims[PLX_MAX_RANK];
        double low, high; /* range of data; labels: integers in [low, high). Both 0: [-1, 1) */
    } inputs[PLX__SAMPLE_INPUTS];
    plx__attrs attrs;
    const char *wrong; /* where the text names attributes that the op lacks; NULL: nowhere */
} plx__sample;

/* Reads the next of an op's samples, which are text separated by semicolons: the sizes of the
 * inputs with the range of their data, then a colon and attributes by name. "3x4 4~-2,2; . 5 :
 * stride 1 2 alpha 0.5 >3x4" holds two: inputs [3, 4] and [4] in [-2, 2); and a scalar and [5] with
 * strides 1 and 2, alpha 0.5 and dims 3 x 4. Returns false at the end. */
bool plx__sample_read(const plx_op *op, const char **text, plx__sample *out);

/* Samples of ops without a gradient rule serve only the tests, so engines leave them out. */
#ifdef PLX_ENGINE
#define PLX__TESTED(samples) (1 ? NULL : (samples))
#else
#define PLX__TESTED(samples) (samples)
#endif

/* Builds that do not need gradient rules or samples leave them out: the rows stay the same, and the
 * field only says whether there are any. In 32 bits both types have the same size, so files that
 * use neither are shared between builds. */
#ifdef PLX_INFERENCE
typedef bool plx__gradient_rule;
#else
typedef void (*plx__gradient_rule)(plx_graph *graph, int32_t node, int32_t gy, int32_t *grads);
#endif
/* Whether op is the gradient of the operation name. Never in builds without gradient rules, whose
 * linker then leaves out what only gradients need. */
#ifdef PLX_INFERENCE
#define PLX__IS_GRADIENT(op, name) ((void)(op), false)
#else
#define PLX__IS_GRADIENT(op, name) ((op) == &plx__op_##name##_grad)
#endif
#ifdef PLX_WITHOUT_SAMPLES
typedef bool plx__sample_text;
#else
typedef const char *plx__sample_text;
#endif

typedef enum plx__op_flags {
    PLX__OP_LEAF = 1 << 0,        /* never run: input, parameter, constant */
    PLX__OP_INPLACE = 1 << 1,     /* the output may reuse the memory of an input of its size */
    PLX__OP_KINK = 1 << 2,        /* not differentiable everywhere; samples avoid such points */
    PLX__OP_NO_GRADIENT = 1 << 3, /* is a gradient itself, or created by a pass */
    PLX__OP_EFFECT = 1 << 4,      /* writes to its inputs' tensors and has no value */
    PLX__OP_VIEW = 1 << 5,        /* never run: input 0's memory from element attrs.view.first on */
    PLX__OP_BUFFER = 1 << 6,      /* memory that one step fills for later ones */
    PLX__OP_ONCE = 1 << 7,        /* depends only on attributes: run once, its memory is kept */
} plx__op_flags;

/* Role of an operand in its op. A value (no bit): gradients may flow into it, and the output may
 * reuse its memory. */
typedef enum plx__role {
    PLX__VALUE = 0,
    PLX__CONSTANT = 1 << 0, /* no gradient flows into it */
    PLX__WRITTEN = 1 << 1,  /* a buffer or tensor that the run writes; takes no gradient either */
    PLX__OPTIONAL = 1 << 2, /* it and all that follow it may be left out */
    PLX__REPEATED = 1 << 3, /* any number of them; with several such rows, equally many of each */
    PLX__ALIKE = 1 << 4,    /* must have the dtype of the first operand with this role */
} plx__role;

/* Sets of dtypes. */
#define PLX__SET(dtype) (1U << PLX_DTYPE_##dtype)
#define PLX__REALS PLX__SET(REAL)
#define PLX__INTEGERS PLX__SET(I32)
#define PLX__ANY ((1U << PLX_DTYPES_) - 1)

typedef struct plx__operand_row {
    const char *name; /* for messages; NULL ends the rows */
    uint8_t dtypes;   /* set of accepted dtypes */
    uint8_t role;     /* bits of plx__role */
} plx__operand_row;

#define PLX__OPERANDS(...)                                                                         \
    (const plx__operand_row[]) {                                                                   \
        __VA_ARGS__, {NULL, 0, 0}                                                                  \
    }
extern const plx__operand_row plx__takes_x[], plx__takes_gy[], plx__takes_x_gy[];

/* Dtype of a result that is not always the same: that of operand k, or the one in the attributes
 * (leaves, cast). */
#define PLX__AS(k) (PLX_DTYPES_ + 1 + (k))
enum { PLX__BY_ATTRS = PLX_DTYPES_ };

struct plx_op {
    const char *name;
    const char *title; /* name of its builder, for messages; NULL: name */
    unsigned flags;
    const plx__operand_row *operands; /* NULL: none */
    int result;                       /* its dtype: PLX_DTYPE_, PLX__AS or PLX__BY_ATTRS */
    /* Sets rank and dims of node from its inputs and dtype, which are already checked against the
     * operand rows; fails through plx__graph_fail. */
    plx_status (*infer)(plx_graph *graph, plx__node *node);
    /* Emits d loss / d input k into grads[k] (-1: none) from gy = d loss / d node. */
    plx__gradient_rule gradient;
    plx__cost (*cost)(const plx_graph *graph, const plx__node *node);
    /* Bytes of scratch for a run on step->threads threads; NULL: none. */
    size_t (*workspace)(const plx_ctx *ctx, const plx__step *step);
    plx_status (*run)(plx_ctx *ctx, const plx__step *step);
    /* Whether each of several threads reads all of operand 0, not only its share. NULL: never. */
    bool (*reads_all)(const plx_ctx *ctx, const plx__step *step, int threads);
    /* The number of values of operand 1 in the layout in which a run reads it from step->packed, if
     * that is set; 0 where keeping it does not pay. NULL: never. pack fills it. */
    int64_t (*packed)(const plx_ctx *ctx, const plx__step *step, plx__layout *layout);
    void (*pack)(plx_ctx *ctx, const plx__step *step, plx_real *to);
    const char *attrs;        /* the table of its family (attrs.h); NULL: none */
    plx__sample_text samples; /* in the format of plx__sample_read; NULL: none */
};

/* The name by which users know an op. */
static inline const char *plx__title(const plx_op *op) {
    return op->title ? op->title : op->name;
}

/* The operand row of input k out of count; NULL beyond the last. In updates, attrs give the number
 * of repetitions; NULL: none. */
const plx__operand_row *plx__operand_at(const plx_op *op, int count, const plx__attrs *attrs,
                                        int k);

#define OP(name) extern const plx_op plx__op_##name;
#include "ops/ops.def"
#undef OP

/* All rows, in the order of ops.def. */
const plx_op *const *plx__ops(int *count);

/* Checks that dims are not negative and that their product fits into memory. */
plx_status plx__check_dims(plx__message *message, const char *what, int rank, const int64_t *dims);

/* ---- Building nodes (node.c) ----------------------------------------------------------------- */

/* Records the first failure and ignores later ones. Returns the status of the graph. */
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

/* The same with places instead of handles, for gradient rules and passes; -1 after a failure. */
int32_t plx__emit(plx_graph *graph, const plx_op *op, int count, const int32_t *inputs,
                  const plx__attrs *attrs);
#define PLX__EMIT1(graph, op, a, attrs) plx__emit(graph, op, 1, (const int32_t[]){a}, attrs)
#define PLX__EMIT2(graph, op, a, b, attrs) plx__emit(graph, op, 2, (const int32_t[]){a, b}, attrs)
#define PLX__EMIT3(graph, op, a, b, c, attrs)                                                      \
    plx__emit(graph, op, 3, (const int32_t[]){a, b, c}, attrs)

static inline const plx__node *plx__input_of(const plx_graph *graph, const plx__node *node, int k) {
    return graph->nodes[node->inputs[k]];
}

/* The dtype of an operand in samples: real where it is accepted, else the first accepted dtype. */
plx_dtype plx__usual_dtype(const plx__operand_row *row);
/* Whether input k of a node has any of the roles. */
bool plx__has_role(const plx__node *node, int k, unsigned roles);
/* For a node whose inputs are set (operands.c): fails unless they are what its op takes; gives the
 * dtype of its result. */
void plx__check_operands(plx_graph *graph, const plx__node *node);
plx_dtype plx__result_dtype(const plx_graph *graph, const plx__node *node);
/* Whether a gradient may flow from the node into its input k. */
bool plx__is_differentiable(const plx_graph *graph, const plx__node *node, int k);

/* To be called when the values of a tensor may have changed. */
static inline void plx__tensor_changed(plx_tensor *tensor) {
    tensor->version += 1;
}

/* The method of a step that calls a kernel for each row (for profiles): which vectors it uses. */
static inline const char *plx__rows_method(const plx_ctx *ctx, const plx_kernels *rows) {
    return rows == ctx->kernels ? "rows" : "short rows";
}

/* The address of element i of an operand. */
static inline void *plx__element(const plx__operand *operand, int64_t i) {
    return (char *)*operand->slot + i * (int64_t)plx__element_bytes(operand->dtype);
}

int64_t plx__product(int count, const int64_t *dims);
static inline int64_t plx__size(const plx__node *node) {
    return plx__product(node->rank, node->dims);
}
bool plx__same_shape(const plx__node *a, const plx__node *b);
/* Sets the target shape of attrs. */
void plx__set_shape(plx__attrs *attrs, const plx__node *like);
void plx__copy_shape(plx__node *to, const plx__node *from);
/* The product of all dimensions but the last, and the last (1 for a scalar). */
int64_t plx__rows(int rank, const int64_t *dims);
int64_t plx__columns(int rank, const int64_t *dims);

/* ---- Shared by the families ------------------------------------------------------------------ */

/* Shared infer functions: the shape of input 0, or the target shape of the attributes. */
plx_status plx__infer_same(plx_graph *graph, plx__node *node);
plx_status plx__infer_target(plx_graph *graph, plx__node *node);
/* Shared cost function of ops that do no work. */
plx__cost plx__cost_nothing(const plx_graph *graph, const plx__node *node);
/* Fails unless the i32 indices in input k are 0 to n - 1. */
plx_status plx__check_indices(plx_ctx *ctx, const plx__step *step, int k, int64_t n);
/* Gradients 0 and 1 of op(a) op(b) by the operation that multiplies, matmul or batched_matmul. */
void plx__product_gradients(plx_graph *graph, const plx_op *product, int32_t id, int32_t gy,
                            int32_t *grads);
/* An op that computes several gradients packs them one after another into a value of one dimension.
 * Gives gradient k the part that begins at element *from, in the shape of node's input k, and moves
 * *from past it. */
void plx__hand_out(plx_graph *graph, const plx__node *node, int k, int32_t packed, int64_t *from,
                   int32_t *grads);
/* The sum of sum(kernels, n, a, b) over pieces of inputs 0 and 1 (b is NULL without input 1), in an
 * order that depends only on the size; and the workspace it needs. */
typedef plx_real (*plx__piece_sum)(const plx_kernels *k, int64_t n, const plx_real *a,
                                   const plx_real *b);
plx_real plx__total(plx_ctx *ctx, const plx__step *step, plx__piece_sum sum);
size_t plx__total_workspace(const plx_ctx *ctx, const plx__step *step);
/* Whether there is a kernel that computes the activation and its derivative together, as the op
 * with_slope does. */
bool plx__has_slope(plx_activation activation);
/* Cost of an op that streams its inputs and output once, with a given number of flops per output
 * element. */
plx__cost plx__cost_streaming(const plx_graph *graph, const plx__node *node, double flops_each,
                              double weight);

#endif
