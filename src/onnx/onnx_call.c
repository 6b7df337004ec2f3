/* What an operator's row and its builder ask of a node: attributes, lists, failures. */
#include "onnx/importer.h"

#include <string.h>

/* ---- Failures -------------------------------------------------------------------------------- */

static bool fail(const plx__onnx_call *c, plx_status status, const char *format, va_list list) {
    char text[PLX__MESSAGE_BYTES];
    const plx_onnx_node *node = c->node;
    const bool named = *node->name || !node->outputs_count;
    plx__format_list(text, sizeof text, format, list);
    /* The first failure is the one that is reported. */
    if (c->importer->status == PLX_OK)
        c->importer->status = plx__fail(
            &c->importer->ctx->message, status, "onnx: %s \"%.64s\" (%.64s): %s",
            named ? "node" : "the node of", named ? node->name : node->outputs[0], node->op, text);
    return false;
}

bool plx__onnx_refuse(const plx__onnx_call *c, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fail(c, PLX_ERR_UNSUPPORTED, format, list);
    va_end(list);
    return false;
}

bool plx__onnx_wrong(const plx__onnx_call *c, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fail(c, PLX_ERR_FORMAT, format, list);
    va_end(list);
    return false;
}

bool plx__onnx_no_memory(const plx__onnx_call *c) {
    if (c->importer->status == PLX_OK)
        c->importer->status = plx__fail(&c->importer->ctx->message, PLX_ERR_MEMORY,
                                        "onnx: not enough memory for the model");
    return false;
}

/* ---- Attributes ------------------------------------------------------------------------------ */

const plx_onnx_attribute *plx__onnx_attribute(const plx__onnx_call *c, const char *name) {
    for (int i = 0; i < c->node->attributes_count; ++i)
        if (!strcmp(c->node->attributes[i].name, name)) return &c->node->attributes[i];
    return NULL;
}

/* The attribute, if it is of that kind; another kind is a failure. */
static const plx_onnx_attribute *attribute_of(const plx__onnx_call *c, const char *name,
                                              plx_onnx_attribute_kind kind) {
    const plx_onnx_attribute *a = plx__onnx_attribute(c, name);
    if (!a || a->kind == kind) return a;
    plx__onnx_wrong(c, "the attribute \"%.64s\" is of another kind", name);
    return NULL;
}

int64_t plx__onnx_int(const plx__onnx_call *c, const char *name, int64_t otherwise) {
    const plx_onnx_attribute *a = attribute_of(c, name, PLX_ONNX_INT);
    return a ? a->ints[0] : otherwise;
}

double plx__onnx_real(const plx__onnx_call *c, const char *name, double otherwise) {
    const plx_onnx_attribute *a = attribute_of(c, name, PLX_ONNX_REAL);
    return a ? (double)a->reals[0] : otherwise;
}

const char *plx__onnx_text(const plx__onnx_call *c, const char *name, const char *otherwise) {
    const plx_onnx_attribute *a = attribute_of(c, name, PLX_ONNX_STRING);
    return a ? a->text : otherwise;
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

plx__onnx_value *plx__onnx_in(const plx__onnx_call *c, int i) {
    return i < c->inputs_count ? c->inputs[i] : NULL;
}

const plx__onnx_value *plx__onnx_known(const plx__onnx_call *c, int i, const char *what) {
    const plx__onnx_value *v = plx__onnx_in(c, i);
    if (v && v->data) return v;
    if (v)
        plx__onnx_refuse(c,
                         "%s, \"%.64s\", must be known at import: bind the inputs that it depends "
                         "on to values",
                         what, v->name);
    else
        plx__onnx_wrong(c, "%s is left out", what);
    return NULL;
}

bool plx__onnx_list(const plx__onnx_call *c, const char *attribute, int input, int room,
                    int64_t *out, int *count) {
    const plx_onnx_attribute *a = attribute ? plx__onnx_attribute(c, attribute) : NULL;
    *count = -1;
    if (!a && !plx__onnx_in(c, input)) return true;
    char what[48];
    plx__format(what, sizeof what, "input %d", input);
    const plx__onnx_value *v = a ? NULL : plx__onnx_known(c, input, attribute ? attribute : what);
    if (!a && !v) return false;
    if (a ? a->kind != PLX_ONNX_INTS && a->kind != PLX_ONNX_INT
          : v->rank > 1 || plx__onnx_is_real(v->type))
        return plx__onnx_wrong(c, "%s must be a list of whole numbers",
                               attribute ? attribute : what);
    const int64_t n = a ? a->count : v->size;
    if (n > room)
        return plx__onnx_refuse(c, "%s has %lld numbers; at most %d are supported",
                                attribute ? attribute : what, (long long)n, room);
    for (int64_t i = 0; i < n; ++i) out[i] = a ? a->ints[i] : plx__onnx_get_int(v, i);
    *count = (int)n;
    return true;
}

bool plx__onnx_number(const plx__onnx_call *c, const char *attribute, int input, double *out) {
    const plx_onnx_attribute *a = attribute ? attribute_of(c, attribute, PLX_ONNX_REAL) : NULL;
    if (a) *out = (double)a->reals[0];
    if (a || !plx__onnx_in(c, input)) return true;
    const plx__onnx_value *v = plx__onnx_known(c, input, attribute ? attribute : "a number");
    if (!v) return false;
    if (v->size != 1)
        return plx__onnx_wrong(c, "\"%.64s\" has %lld elements; it must be one number", v->name,
                               (long long)v->size);
    *out = plx__onnx_get_real(v, 0);
    return true;
}

int plx__onnx_axis(const plx__onnx_call *c, int64_t axis, int rank) {
    if (axis >= -rank && axis < rank) return (int)(axis < 0 ? axis + rank : axis);
    plx__onnx_wrong(c, "there is no axis %lld in an array of rank %d", (long long)axis, rank);
    return -1;
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

bool plx__onnx_count(const plx__onnx_call *c, int rank, const int64_t *dims, int64_t *count) {
    char text[160];
    bool fits = rank <= PLX_MAX_RANK, empty = false;
    *count = 1;
    for (int i = 0; i < rank && fits; ++i) {
        fits = dims[i] >= 0 && dims[i] <= INT64_MAX >> 8;
        empty |= !dims[i];
        fits &= empty || !__builtin_mul_overflow(*count, dims[i], count);
    }
    if (empty) *count = 0;
    if (fits && *count <= INT64_MAX >> 8) return true;
    return plx__onnx_wrong(
        c, "the shape %s is not possible",
        plx__shape_text(rank < PLX_MAX_RANK ? rank : PLX_MAX_RANK, dims, text, sizeof text));
}

bool plx__onnx_broadcast(const plx__onnx_call *c, int rank, const int64_t *dims, int other_rank,
                         const int64_t *other, int *out_rank, int64_t *out) {
    const int most = rank > other_rank ? rank : other_rank;
    char a[96], b[96];
    for (int i = 0; i < most; ++i) {
        const int64_t x = i < most - rank ? 1 : dims[i - (most - rank)];
        const int64_t y = i < most - other_rank ? 1 : other[i - (most - other_rank)];
        if (x != y && x != 1 && y != 1)
            return plx__onnx_wrong(c, "shapes %s and %s do not broadcast",
                                   plx__shape_text(rank, dims, a, sizeof a),
                                   plx__shape_text(other_rank, other, b, sizeof b));
        out[i] = x == 1 ? y : x;
    }
    *out_rank = most;
    return true;
}

/* ---- The table ------------------------------------------------------------------------------- */

static const plx__onnx_operator operators[] = {
#define ONNX_OP(name, function, first, last, least, most, outputs, attributes)                     \
    {#name, first, last, least, most, outputs, attributes, plx__onnx_build_##function},
#include "onnx/onnx_ops.def"
};
enum { OPERATORS = sizeof operators / sizeof operators[0] };

const plx__onnx_operator *plx__onnx_find(const char *name) {
    for (int low = 0, high = OPERATORS; low < high;) {
        const int middle = (low + high) / 2, order = strcmp(name, operators[middle].name);
        if (!order) return &operators[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *plx_onnx_operator(int i, int *first, int *last) {
    if (i < 0 || i >= OPERATORS) return NULL;
    if (first) *first = operators[i].first;
    if (last) *last = operators[i].last;
    return operators[i].name;
}
