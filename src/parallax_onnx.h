/*
 * Parallax: models of others. Imports an ONNX model into a graph.
 *
 * The library does not know how a file is encoded. Whoever has decoded it (natively the parallax
 * command, by protobuf-c) describes the model by the plain structures below, whose names and
 * numbers are those of the format (onnx/onnx, docs/IR.md). Everything in them is untrusted: sizes
 * are checked, nothing is followed deeper than PLX_ONNX_DEPTH, and what the importer computes stays
 * within what the model's own size justifies.
 *
 * The conventions of parallax.h hold.
 */
#ifndef PARALLAX_ONNX_H
#define PARALLAX_ONNX_H

#include "parallax.h"

#ifdef __cplusplus
extern "C" {
#endif

PLX_BEGIN_EXPORTS

/* ---- A model, as its file has it ------------------------------------------------------------- */

enum {
    PLX_ONNX_IR_OLDEST = 3, /* versions of the format */
    PLX_ONNX_IR_NEWEST = 14,
    PLX_ONNX_OPSET_OLDEST = 6, /* versions of its operators */
    PLX_ONNX_OPSET_NEWEST = 28,
    PLX_ONNX_DEPTH = 16, /* of graphs within the nodes of graphs */
};

/* Element types, with the format's numbers. Others exist, but no operator here takes them. */
typedef enum plx_onnx_type {
    PLX_ONNX_FLOAT = 1,
    PLX_ONNX_UINT8 = 2,
    PLX_ONNX_INT8 = 3,
    PLX_ONNX_UINT16 = 4,
    PLX_ONNX_INT16 = 5,
    PLX_ONNX_INT32 = 6,
    PLX_ONNX_INT64 = 7,
    PLX_ONNX_BOOL = 9,
    PLX_ONNX_FLOAT16 = 10,
    PLX_ONNX_DOUBLE = 11,
    PLX_ONNX_UINT32 = 12,
    PLX_ONNX_UINT64 = 13,
    PLX_ONNX_BFLOAT16 = 16,
} plx_onnx_type;

/* "int64"; NULL for a number that is not in the list. */
const char *plx_onnx_type_name(int type);
/* Bytes of an element; 0 for a number that is not in the list. */
int plx_onnx_type_bytes(int type);

typedef struct plx_onnx_tensor {
    const char *name;
    int type; /* plx_onnx_type */
    int rank;
    const int64_t *dims;
    const void
        *data; /* little-endian elements, not aligned, whatever field of the file held them */
    size_t bytes;
} plx_onnx_tensor;

struct plx_onnx_graph;

/* Kinds of attributes, with the format's numbers. */
typedef enum plx_onnx_attribute_kind {
    PLX_ONNX_OTHER = 0, /* one that no operator here takes */
    PLX_ONNX_REAL = 1,
    PLX_ONNX_INT = 2,
    PLX_ONNX_STRING = 3,
    PLX_ONNX_TENSOR = 4,
    PLX_ONNX_GRAPH = 5,
    PLX_ONNX_REALS = 6,
    PLX_ONNX_INTS = 7,
} plx_onnx_attribute_kind;

typedef struct plx_onnx_attribute {
    const char *name;
    plx_onnx_attribute_kind kind;
    int64_t count; /* of ints and reals: 1 for PLX_ONNX_INT and PLX_ONNX_REAL */
    const int64_t *ints;
    const float *reals;
    const char *text;
    const plx_onnx_tensor *tensor;
    const struct plx_onnx_graph *graph;
} plx_onnx_attribute;

typedef struct plx_onnx_node {
    const char *name; /* "": none */
    const char *op, *domain;
    int inputs_count, outputs_count, attributes_count;
    const char *const *inputs; /* names; "": left out */
    const char *const *outputs;
    const plx_onnx_attribute *attributes;
} plx_onnx_node;

typedef struct plx_onnx_dim {
    int64_t size;     /* -1: known by its name only, or not at all */
    const char *name; /* "": none */
} plx_onnx_dim;

/* An input or output of a graph. */
typedef struct plx_onnx_port {
    const char *name;
    int type; /* 0: no tensor, or not stated */
    int rank; /* -1: not stated */
    const plx_onnx_dim *dims;
} plx_onnx_port;

typedef struct plx_onnx_graph {
    int nodes_count, initializers_count, inputs_count, outputs_count;
    const plx_onnx_node *nodes; /* in an order in which each comes behind those that it reads */
    const plx_onnx_tensor *initializers;
    const plx_onnx_port *inputs, *outputs;
} plx_onnx_graph;

typedef struct plx_onnx_opset {
    const char *domain; /* "" or "ai.onnx": the operators of the format */
    int64_t version;
} plx_onnx_opset;

typedef struct plx_onnx_model {
    int64_t ir_version;
    int opsets_count;
    const plx_onnx_opset *opsets;
    plx_onnx_graph graph;
} plx_onnx_model;

/* ---- Import ---------------------------------------------------------------------------------- */

/* A size for a dimension that the model only names. */
typedef struct plx_onnx_binding {
    const char *name;
    int64_t size;
} plx_onnx_binding;

/* What is bound at import. All 0: nothing. */
typedef struct plx_onnx_options {
    int sizes_count;
    const plx_onnx_binding *sizes;
    int shapes_count;
    const plx_onnx_tensor *shapes; /* inputs by name, with their whole shapes; without data */
    int values_count;
    const plx_onnx_tensor
        *values; /* inputs by name that become constants: shapes, axes, switches */
} plx_onnx_options;

/* An imported model: a graph, its parameters, and which nodes are its inputs and outputs. */
typedef struct plx_onnx plx_onnx;

/**
 * Builds the graph of a model. Everything that follows from shapes and constants is computed now:
 * an If on a constant leaves the branch that is taken, and shapes are numbers. Images are [n,
 * height, width, channels] inside; inputs and outputs have the model's own shapes.
 *
 * float32 is real here, int32 and int64 are int32 (PLX_ERR_FORMAT for a constant beyond its range),
 * bool and uint8 are uint8. Initializers of float32 become parameters, by name. The model may be
 * freed afterwards.
 *
 * PLX_ERR_FORMAT: the model contradicts the format; PLX_ERR_UNSUPPORTED: it needs what is lacking
 * here; PLX_ERR_SHAPE: sizes do not fit; PLX_ERR_ARGUMENT: a name of the options is not in the
 * model, or one is missing. The message names the node, its operator, and what would be needed.
 * Free with plx_onnx_free. */
plx_status plx_onnx_import(plx_ctx *ctx, const plx_onnx_model *model,
                           const plx_onnx_options *options, plx_onnx **out);
void plx_onnx_free(plx_onnx *onnx);

/* The graph, to compile or to add a loss and updates to; it belongs to the import. */
plx_graph *plx_onnx_graph_of(plx_onnx *onnx);

/* An input or output of an imported model. */
typedef struct plx_onnx_value {
    const char *name; /* NULL past the last */
    int type;         /* the model's type: int64 where the node has int32 */
    int rank;
    int64_t dims[PLX_MAX_RANK];
    plx_node node; /* to bind, or to compile */
} plx_onnx_value;

/* Inputs in the model's order, without those that are bound; outputs in the model's order. */
plx_onnx_value plx_onnx_input(const plx_onnx *onnx, int i);
plx_onnx_value plx_onnx_output(const plx_onnx *onnx, int i);
/* Parameter i with its name; NULL past the last. It belongs to the import. */
plx_tensor *plx_onnx_parameter(const plx_onnx *onnx, int i, const char **name);

/* Operator i in the order of the alphabet, with the first and last version of the format's
 * operators in which it may be used; NULL past the last. */
const char *plx_onnx_operator(int i, int *first, int *last);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
