#include "ops/op.h"

#include "base/platform.h"
#include "ops/optimizer.h"

#include <string.h>

static const plx_op *const rows[] = {
#define OP(name) &plx__op_##name,
#include "ops/ops.def"
#undef OP
};

const plx_op *const *plx__ops(int *count) {
    *count = (int)(sizeof rows / sizeof rows[0]);
    return rows;
}

plx_status plx__graph_fail(plx_graph *graph, plx_status code, const char *format, ...) {
    if (graph->status != PLX_OK) return graph->status;
    graph->status = code;
    va_list args;
    va_start(args, format);
    plx__format_list(graph->message.text, sizeof graph->message.text, format, args);
    va_end(args);
    return code;
}

/* Sizes come from files and users, so their product must not overflow and must be addressable. */
plx_status plx__check_dims(plx__message *message, const char *what, int rank, const int64_t *dims) {
    if (rank < 0 || rank > PLX_MAX_RANK)
        return plx__fail(message, PLX_ERR_SHAPE, "%s: the rank is %d; it must be 0 to %d", what,
                         rank, PLX_MAX_RANK);
    const int64_t limit = (int64_t)(SIZE_MAX / 2 / sizeof(double));
    int64_t size = 1;
    for (int i = 0; i < rank; ++i) {
        char shape[96];
        if (dims[i] < 0)
            return plx__fail(message, PLX_ERR_SHAPE, "%s: dimension %d of %s is negative", what, i,
                             plx__shape_text(rank, dims, shape, sizeof shape));
        if (dims[i] && size > limit / dims[i])
            return plx__fail(message, PLX_ERR_MEMORY,
                             "%s: shape %s is more than memory can hold; the limit is %lld values",
                             what, plx__shape_text(rank, dims, shape, sizeof shape),
                             (long long)limit);
        if (dims[i]) size *= dims[i];
    }
    return PLX_OK;
}

/* ---- Building -------------------------------------------------------------------------------- */

int32_t plx__place_of(const plx_graph *graph, plx_node node) {
    const int64_t place = node.id - ((int64_t)graph->number << 32);
    return place >= 0 && place < graph->count ? (int32_t)place : -1;
}

plx_node plx__handle(const plx_graph *graph, int32_t place) {
    return (plx_node){place < 0 ? -1 : ((int64_t)graph->number << 32) + place};
}

static bool grow(plx_graph *graph) {
    if (graph->count < graph->capacity) return true;
    const int32_t capacity = graph->capacity ? 2 * graph->capacity : 64;
    plx__node **nodes = plx_platform_alloc((size_t)capacity * sizeof *nodes);
    if (!nodes) return false;
    if (graph->count) memcpy(nodes, graph->nodes, (size_t)graph->count * sizeof *nodes);
    plx_platform_free(graph->nodes);
    graph->nodes = nodes;
    graph->capacity = capacity;
    return true;
}

/* Allocates a node and its inputs; NULL after a failure. */
static plx__node *open_node(plx_graph *graph, const plx_op *op, int count,
                            const plx__attrs *attrs) {
    if (graph->status != PLX_OK) return NULL;
    plx__node *node = plx__arena_take(&graph->arena, sizeof *node);
    int32_t *inputs = plx__arena_take(&graph->arena, (size_t)count * sizeof *inputs);
    if (!node || !inputs || !grow(graph)) {
        plx__graph_fail(graph, PLX_ERR_MEMORY, "%s: no memory for node %d", plx__title(op),
                        (int)graph->count);
        return NULL;
    }
    *node = (plx__node){.op = op, .inputs_count = count, .inputs = inputs, .name = "", .fused = ""};
    if (attrs) node->attrs = *attrs;
    return node;
}

/* Infers the shape of a node whose inputs are set, and adds it to the graph. */
static int32_t close_node(plx_graph *graph, plx__node *node) {
    plx__check_operands(graph, node);
    if (graph->status == PLX_OK) {
        node->dtype = plx__result_dtype(graph, node);
        node->op->infer(graph, node);
    }
    if (graph->status == PLX_OK) {
        plx__message message;
        const plx_status status =
            plx__check_dims(&message, plx__title(node->op), node->rank, node->dims);
        if (status != PLX_OK) plx__graph_fail(graph, status, "%s", message.text);
    }
    if (graph->status != PLX_OK) return -1;
    if (node->attrs.object) node->attrs.object->holders += 1;
    graph->nodes[graph->count] = node;
    return graph->count++;
}

int32_t plx__emit(plx_graph *graph, const plx_op *op, int count, const int32_t *inputs,
                  const plx__attrs *attrs) {
    plx__node *node = open_node(graph, op, count, attrs);
    if (!node) return -1;
    for (int k = 0; k < count; ++k) {
        node->inputs[k] = inputs[k];
        if (inputs[k] >= 0 && inputs[k] < graph->count) continue;
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: input %d is not a node of this graph",
                        plx__title(op), k);
        return -1;
    }
    return close_node(graph, node);
}

plx_node plx__build(plx_graph *graph, const plx_op *op, int count, const plx_node *inputs,
                    const plx__attrs *attrs) {
    plx__node *node = open_node(graph, op, count, attrs);
    if (!node) return (plx_node){-1};
    for (int k = 0; k < count; ++k) {
        node->inputs[k] = plx__place_of(graph, inputs[k]);
        if (node->inputs[k] >= 0) continue;
        const plx__operand_row *row = plx__operand_at(op, count, attrs, k);
        char name[24];
        plx__format(name, sizeof name, "input %d", k);
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s is not a node of this graph%s",
                        plx__title(op), row && !(row->role & PLX__REPEATED) ? row->name : name,
                        inputs[k].id < 0 ? "" : ", but of another one");
        return (plx_node){-1};
    }
    return plx__handle(graph, close_node(graph, node));
}

plx_node plx__build1(plx_graph *graph, const plx_op *op, plx_node a, const plx__attrs *attrs) {
    return plx__build(graph, op, 1, &a, attrs);
}

plx_node plx__build2(plx_graph *graph, const plx_op *op, plx_node a, plx_node b,
                     const plx__attrs *attrs) {
    const plx_node inputs[] = {a, b};
    return plx__build(graph, op, 2, inputs, attrs);
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

int64_t plx__product(int count, const int64_t *dims) {
    int64_t product = 1;
    for (int i = 0; i < count; ++i) product *= dims[i];
    return product;
}

bool plx__same_shape(const plx__node *a, const plx__node *b) {
    return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]);
}

void plx__set_shape(plx__attrs *attrs, const plx__node *like) {
    attrs->rank = like->rank;
    memcpy(attrs->dims, like->dims, sizeof attrs->dims);
}

void plx__copy_shape(plx__node *to, const plx__node *from) {
    to->rank = from->rank;
    memcpy(to->dims, from->dims, sizeof to->dims);
}

int64_t plx__rows(int rank, const int64_t *dims) {
    return rank > 1 ? plx__product(rank - 1, dims) : 1;
}

int64_t plx__columns(int rank, const int64_t *dims) {
    return rank ? dims[rank - 1] : 1;
}

plx_status plx__infer_same(plx_graph *graph, plx__node *node) {
    plx__copy_shape(node, plx__input_of(graph, node, 0));
    return PLX_OK;
}

plx_status plx__infer_target(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = node->attrs.rank;
    memcpy(node->dims, node->attrs.dims, sizeof node->dims);
    return PLX_OK;
}

plx__cost plx__cost_nothing(const plx_graph *graph, const plx__node *node) {
    (void)graph;
    (void)node;
    return (plx__cost){.flops = 0, .bytes = 0, .weight = 1};
}

void plx__hand_out(plx_graph *graph, const plx__node *node, int k, int32_t packed, int64_t *from,
                   int32_t *grads) {
    plx__attrs attrs = {.view = {.first = *from}};
    plx__set_shape(&attrs, plx__input_of(graph, node, k));
    *from += plx__product(attrs.rank, attrs.dims);
    grads[k] = PLX__EMIT1(graph, &plx__op_view, packed, &attrs);
}

static double bytes_of(const plx__node *node) {
    return (double)plx__size(node) * (double)plx__element_bytes(node->dtype);
}

plx__cost plx__cost_streaming(const plx_graph *graph, const plx__node *node, double flops_each,
                              double weight) {
    double bytes = bytes_of(node);
    for (int k = 0; k < node->inputs_count; ++k) bytes += bytes_of(plx__input_of(graph, node, k));
    return (plx__cost){
        .flops = (double)plx__size(node) * flops_each, .bytes = bytes, .weight = weight};
}

/* ---- Totals ---------------------------------------------------------------------------------- */

enum { PIECE = 4096 }; /* elements whose sum is one term of the total */

typedef struct total {
    const plx_kernels *kernels;
    plx__piece_sum sum;
    const plx_real *a, *b;
    plx_real *terms;
    int64_t size;
} total;

static int64_t pieces_of(int64_t size) {
    return (size + PIECE - 1) / PIECE;
}

static void sum_pieces(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const total *t = arg;
    for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i * PIECE, left = t->size - at;
        t->terms[i] =
            t->sum(t->kernels, left < PIECE ? left : PIECE, t->a + at, t->b ? t->b + at : NULL);
    }
}

size_t plx__total_workspace(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    return (size_t)pieces_of(step->in[0].size) * sizeof(plx_real);
}

plx_real plx__total(plx_ctx *ctx, const plx__step *step, plx__piece_sum sum) {
    total t = {ctx->kernels,    sum,
               PLX_IN(step, 0), step->in_count > 1 ? PLX_IN(step, 1) : NULL,
               step->workspace, step->in[0].size};
    const int64_t pieces = pieces_of(t.size);
    ctx->method = "pieces";
    plx__parallel_for(ctx->pool, step->threads, pieces, 1, sum_pieces, &t);
    return ctx->kernels->sum(pieces, t.terms);
}
