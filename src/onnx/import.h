/* Shared inside onnx/: values, calls of operators, and what operators are built with. */
#ifndef PLX_ONNX_IMPORT_H
#define PLX_ONNX_IMPORT_H

#include "base/arena.h"
#include "base/context.h"
#include "parallax_onnx.h"

/* A value of the model. Its elements are known at import (data), or a node of the graph computes
 * them; a node of what is known is made when it is first needed. */
typedef struct plx__onnx_value {
    const char *name;
    int type, rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t size;
    const uint8_t *data; /* little-endian elements; NULL: not known */
    bool stored;         /* an initializer, or moved elements of one: it becomes a parameter */
    /* The value as the model lays it out, and with its channels (axis 1) moved to the end, as
     * operations on images need it. Invalid: not made yet; one of the two exists unless data does.
     */
    plx_node plain, last;
} plx__onnx_value;

typedef struct plx__onnx_importer plx__onnx_importer;

/* One node of the model, whose operator is being built. */
typedef struct plx__onnx_call {
    plx__onnx_importer *importer;
    plx_graph *graph;
    const plx_onnx_node *node;
    int64_t version; /* of the format's operators */
    int inputs_count, outputs_count;
    plx__onnx_value **inputs; /* NULL: left out */
    plx__onnx_value **outputs;
} plx__onnx_call;

/* Builds the node and gives its outputs. False after a failure, which is then recorded. */
typedef bool plx__onnx_build(plx__onnx_call *c);

typedef struct plx__onnx_operator {
    const char *name;
    int first, last;               /* versions */
    int inputs_least, inputs_most; /* PLX__ONNX_ANY: as many as there are */
    int outputs_most;
    const char *attributes; /* names with blanks between them */
    plx__onnx_build *build;
} plx__onnx_operator;
enum { PLX__ONNX_ANY = 1 << 20 };

/* ---- Failures -------------------------------------------------------------------------------- */

/* Record a failure, behind the node's name and operator; return false. refuse: what the model asks
 * for is lacking here; wrong: it contradicts the format. */
bool plx__onnx_refuse(const plx__onnx_call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool plx__onnx_wrong(const plx__onnx_call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool plx__onnx_no_memory(const plx__onnx_call *c);

/* ---- Attributes and inputs ------------------------------------------------------------------- */

/* NULL: it is not there. */
const plx_onnx_attribute *plx__onnx_attribute(const plx__onnx_call *c, const char *name);
int64_t plx__onnx_int(const plx__onnx_call *c, const char *name, int64_t otherwise);
double plx__onnx_real(const plx__onnx_call *c, const char *name, double otherwise);
const char *plx__onnx_text(const plx__onnx_call *c, const char *name, const char *otherwise);
/* Input i, or NULL. */
plx__onnx_value *plx__onnx_in(const plx__onnx_call *c, int i);

/* A list of whole numbers from an attribute, or from an input if there is no such attribute.
 * *count: -1 if there is neither. False after a failure: the input is not known at import, is no
 * list of integers, or there are more than room. */
bool plx__onnx_list(const plx__onnx_call *c, const char *attribute, int input, int room,
                    int64_t *out, int *count);
/* A single number, likewise; unchanged if there is neither. */
bool plx__onnx_number(const plx__onnx_call *c, const char *attribute, int input, double *out);
/* Input i, whose elements must be known; NULL after a failure, which says what the operator needs
 * it for. */
const plx__onnx_value *plx__onnx_known(const plx__onnx_call *c, int i, const char *what);
/* An axis counted from the first; -1 after a failure. */
int plx__onnx_axis(const plx__onnx_call *c, int64_t axis, int rank);
/* Whether all inputs that are there are known. */
bool plx__onnx_all_known(const plx__onnx_call *c);

/* ---- Elements that are known ----------------------------------------------------------------- */

bool plx__onnx_is_real(int type);
int64_t plx__onnx_get_int(const plx__onnx_value *v, int64_t i);
double plx__onnx_get_real(const plx__onnx_value *v, int64_t i);
/* Write element i of a type; the bits that fit. */
void plx__onnx_put_int(int type, uint8_t *data, int64_t i, int64_t value);
void plx__onnx_put_real(int type, uint8_t *data, int64_t i, double value);
/* Memory for so many elements that an operator computes at import; NULL if the model's size does
 * not justify it: then the graph computes them, or the operator refuses. */
uint8_t *plx__onnx_elements(const plx__onnx_call *c, int type, int64_t count);

/* ---- Shapes ---------------------------------------------------------------------------------- */

/* The number of elements of a shape; false after a failure: it overflows, or a size is below 0. */
bool plx__onnx_count(const plx__onnx_call *c, int rank, const int64_t *dims, int64_t *count);
/* The shape that two broadcast to; false after a failure. */
bool plx__onnx_broadcast(const plx__onnx_call *c, int rank, const int64_t *dims, int other_rank,
                         const int64_t *other, int *out_rank, int64_t *out);

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* The node of a value, in the model's layout; invalid after a failure. */
plx_node plx__onnx_plain(const plx__onnx_call *c, plx__onnx_value *v);
/* Likewise with the channels at the end. The rank is 3 or more. */
plx_node plx__onnx_last(const plx__onnx_call *c, plx__onnx_value *v);
/* Whether a value exists with its channels at the end only. */
bool plx__onnx_is_last(const plx__onnx_value *v);
/* The node of a weight with its axes in another order: a parameter is made in that order. */
plx_node plx__onnx_weight(const plx__onnx_call *c, plx__onnx_value *v, const int *axes);
/* Where an axis of the model is in a node with its channels at the end. */
int plx__onnx_last_axis(int axis, int rank);

/* Give output i: a node in the model's layout; one with its channels at the end; known elements; or
 * another value as it is. False after a failure. */
bool plx__onnx_give(plx__onnx_call *c, int i, plx_node node, int type);
bool plx__onnx_give_last(plx__onnx_call *c, int i, plx_node node, int type);
bool plx__onnx_give_known(plx__onnx_call *c, int i, int type, int rank, const int64_t *dims,
                          const uint8_t *data, bool stored);
bool plx__onnx_give_same(plx__onnx_call *c, int i, const plx__onnx_value *v);

/* The row of an operator; NULL if there is none. */
const plx__onnx_operator *plx__onnx_find(const char *name);

#define ONNX_OP(name, function, first, last, least, most, outputs, attributes)                     \
    plx__onnx_build plx__onnx_build_##function;
#include "onnx/onnx_ops.def"

#endif
