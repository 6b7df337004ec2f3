/* The operands that ops take, and the check of nodes against them. */
#include "ops/op.h"

#include "ops/optimizer.h"

#include <string.h>

const plx__operand_row plx__takes_x[] = {{"x", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};
const plx__operand_row plx__takes_gy[] = {{"gy", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};
const plx__operand_row plx__takes_x_gy[] = {
    {"x", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};

static const plx__operand_row *rows_of(const plx_op *op) {
    static const plx__operand_row none[] = {{NULL, 0, 0}};
    return op->operands ? op->operands : none;
}

/* The number of inputs that a repeated operand stands for. *least: the number a node needs. */
static int repeats_of(const plx_op *op, int count, const plx__attrs *attrs, int *least) {
    *least = attrs && attrs->object ? attrs->object->count : 1;
    if (attrs && attrs->object) return *least;
    int repeated = 0;
    for (const plx__operand_row *row = rows_of(op); row->name; ++row)
        if (row->role & PLX__REPEATED)
            repeated += 1;
        else
            count -= 1;
    return repeated && count > 0 ? count / repeated : 0;
}

const plx__operand_row *plx__operand_at(const plx_op *op, int count, const plx__attrs *attrs,
                                        int k) {
    int least;
    const int repeats = repeats_of(op, count, attrs, &least);
    for (const plx__operand_row *row = rows_of(op); row->name; ++row) {
        const int inputs = row->role & PLX__REPEATED ? repeats : 1;
        if (k < inputs) return row;
        k -= inputs;
    }
    return NULL;
}

plx_dtype plx__usual_dtype(const plx__operand_row *row) {
    return (plx_dtype)__builtin_ctz(row->dtypes);
}

bool plx__has_role(const plx__node *node, int k, unsigned roles) {
    return plx__operand_at(node->op, node->inputs_count, &node->attrs, k)->role & roles;
}

bool plx__is_differentiable(const plx_graph *graph, const plx__node *node, int k) {
    return !plx__has_role(node, k, PLX__CONSTANT | PLX__WRITTEN) &&
           plx__is_fractional(plx__input_of(graph, node, k)->dtype);
}

plx_dtype plx__result_dtype(const plx_graph *graph, const plx__node *node) {
    const int result = node->op->result;
    if (result == PLX__BY_ATTRS) return (plx_dtype)node->attrs.leaf.dtype;
    if (result < PLX__BY_ATTRS) return (plx_dtype)result;
    return plx__input_of(graph, node, result - PLX__AS(0))->dtype;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

/* Appends word i of count, to make "a", "a and b" or "a, b and c". */
static void append(char *text, size_t bytes, int i, int count, const char *last, const char *word) {
    const size_t used = strlen(text);
    const char *before = i == 0 ? "" : i == count - 1 ? last : ", ";
    plx__format(text + used, bytes - used, "%s%s", before, word);
}

static void check_count(plx_graph *graph, const plx__node *node) {
    const plx__operand_row *rows = rows_of(node->op);
    int each, least = 0, most = 0, names = 0;
    const int repeats = repeats_of(node->op, node->inputs_count, &node->attrs, &each);
    bool any = false;
    for (; rows[names].name; ++names) {
        const unsigned role = rows[names].role;
        most += role & PLX__REPEATED ? repeats : 1;
        if (!(role & PLX__OPTIONAL)) least += role & PLX__REPEATED ? each : 1;
        any |= role & PLX__REPEATED && !node->attrs.object;
    }
    const int given = node->inputs_count;
    if (given >= least && given <= most) return;
    char list[160] = "", number[48];
    for (int i = 0; i < names; ++i) append(list, sizeof list, i, names, " and ", rows[i].name);
    plx__format(number, sizeof number,
                any                 ? "%d or more"
                : most == least + 1 ? "%d or %d"
                : most > least      ? "%d to %d"
                                    : "%d",
                least, most);
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: takes %s operand%s%s%s; %d %s given",
                    plx__title(node->op), number, most == 1 && !any ? "" : "s", names ? ", " : "",
                    list, given, given == 1 ? "was" : "were");
}

/* Lists the dtypes of a set in words. */
static void list_dtypes(unsigned set, char *text, size_t bytes) {
    const int count = __builtin_popcount(set);
    text[0] = '\0';
    for (int dtype = 0, i = 0; dtype < PLX_DTYPES_; ++dtype)
        if (set >> dtype & 1)
            append(text, bytes, i++, count, " or ", plx__dtype_name((plx_dtype)dtype));
}

/* Checks input k of a node. like: the first input that must have the same dtype, or -1. */
static void check_dtype(plx_graph *graph, const plx__node *node, int k, int like) {
    const int count = node->inputs_count;
    const plx__operand_row *row = plx__operand_at(node->op, count, &node->attrs, k);
    const plx__node *in = plx__input_of(graph, node, k);
    const bool taken = row->dtypes >> in->dtype & 1, same = like < 0 || like == k;
    const plx_dtype wanted = same ? in->dtype : plx__input_of(graph, node, like)->dtype;
    if (taken && in->dtype == wanted) return;
    char dtypes[64], name[80] = "", as[80] = "";
    list_dtypes(taken ? 1U << wanted : row->dtypes, dtypes, sizeof dtypes);
    if (in->name[0] && strcmp(in->name, row->name) != 0)
        plx__format(name, sizeof name, " (%s)", in->name);
    if (taken) {
        const plx__operand_row *first = plx__operand_at(node->op, count, &node->attrs, like);
        plx__format(as, sizeof as, " as %s does", first == row ? "the first" : first->name);
    }
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s%s must hold %s%s, not %s",
                    plx__title(node->op), row->name, name, dtypes, as, plx__dtype_name(in->dtype));
}

void plx__check_operands(plx_graph *graph, const plx__node *node) {
    check_count(graph, node);
    int like = -1;
    for (int k = 0; k < node->inputs_count && graph->status == PLX_OK; ++k) {
        const bool alike = plx__has_role(node, k, PLX__ALIKE);
        if (alike && like < 0) like = k;
        check_dtype(graph, node, k, alike ? like : -1);
    }
}
