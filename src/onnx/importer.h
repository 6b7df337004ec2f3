/* The state of an import. */
#ifndef PLX_ONNX_IMPORTER_H
#define PLX_ONNX_IMPORTER_H

#include "onnx/import.h"

/* Values by name. */
typedef struct plx__onnx_names {
    plx__onnx_value **slots; /* open addressing; a power of two of them, half of them free */
    int64_t slots_count, used;
} plx__onnx_names;

/* A graph whose nodes are being built: the model's, or the branch of an If. */
typedef struct plx__onnx_frame {
    const plx_onnx_graph *graph;
    int next;                   /* node */
    const plx_onnx_node *owner; /* whose outputs the branch gives; NULL: the model's graph */
    plx__onnx_names names;
} plx__onnx_frame;

typedef struct plx__onnx_parameter {
    plx_tensor *tensor;
    const char *name;
} plx__onnx_parameter;

struct plx_onnx {
    plx_ctx *ctx;
    plx_graph *graph;
    plx__arena arena; /* names */
    int inputs_count, outputs_count, parameters_count, parameters_room;
    plx_onnx_value *inputs, *outputs;
    plx__onnx_parameter *parameters;
};

struct plx__onnx_importer {
    plx_ctx *ctx;
    plx_onnx *onnx;
    const plx_onnx_model *model;
    const plx_onnx_options *options;
    plx__arena arena; /* values and elements; freed after the import */
    plx__onnx_frame frames[PLX_ONNX_DEPTH + 1];
    int depth;      /* frames in use */
    int64_t budget; /* bytes of elements that operators may still compute */
    int64_t version;
    plx_status status;       /* of the first failure, whose message the context has */
    plx_onnx_binding *sizes; /* of the options, and those that follow from shapes */
    int sizes_count;
};

/* Begins to build the nodes of a branch, whose outputs become those of the node. False after a
 * failure. */
bool plx__onnx_enter(plx__onnx_call *c, const plx_onnx_graph *graph);

/* Notes a tensor, which the import then holds. False, with the tensor freed, without memory. */
bool plx__onnx_keep(plx_onnx *onnx, plx_tensor *tensor, const char *name);

/* A value without elements or nodes; NULL without memory. */
plx__onnx_value *plx__onnx_new_value(plx__onnx_importer *importer, const char *name, int type,
                                     int rank, const int64_t *dims, int64_t size);

#endif
