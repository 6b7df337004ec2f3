/* What a graph is: its nodes and their memory. */
#include "graph/graph.h"

#include "base/platform.h"

#include <string.h>

plx_status plx_graph_new(plx_ctx *ctx, plx_graph **out) {
    PLX_TRY(plx__need(&ctx->message, "graph", "out", out));
    plx_graph *graph = plx_platform_alloc(sizeof *graph);
    if (!graph) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "graph: no memory");
    memset(graph, 0, sizeof *graph);
    graph->ctx = plx__ctx_hold(ctx);
    graph->number = (int32_t)(ctx->graphs++ & INT32_MAX);
    *out = graph;
    return PLX_OK;
}

static void truncate(plx_graph *graph, int32_t count) {
    while (graph->count > count) {
        const plx__node *node = graph->nodes[--graph->count];
        plx_tensor_free(node->tensor);
        plx_optimizer_free(node->attrs.object);
    }
}

void plx_graph_free(plx_graph *graph) {
    if (!graph) return;
    truncate(graph, 0);
    plx__arena_free(&graph->arena);
    plx_platform_free(graph->nodes);
    plx_ctx_free(graph->ctx);
    plx_platform_free(graph);
}

plx_graph *plx__graph_copy(const plx_graph *graph) {
    plx_graph *copy = NULL;
    if (plx_graph_new(graph->ctx, &copy) != PLX_OK || !copy) return NULL;
    copy->number = graph->number;
    for (int32_t i = 0; i < graph->count; ++i) {
        const plx__node *node = graph->nodes[i];
        const char *name = plx__arena_text(&copy->arena, node->name);
        if (!name ||
            plx__emit(copy, node->op, node->inputs_count, node->inputs, &node->attrs) < 0) {
            plx_graph_free(copy);
            return NULL;
        }
        copy->nodes[i]->name = name;
        if (node->tensor) copy->nodes[i]->tensor = plx__tensor_hold(node->tensor);
    }
    return copy;
}

plx_status plx_graph_status(const plx_graph *graph) {
    if (graph->status == PLX_OK) return PLX_OK;
    return plx__fail(&graph->ctx->message, graph->status, "%s", graph->message.text);
}

plx_status plx__graph_settle(plx_graph *graph, int32_t count) {
    const plx_status status = plx_graph_status(graph);
    if (status != PLX_OK) truncate(graph, count);
    graph->status = PLX_OK;
    return status;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

plx_node plx_none(void) {
    return (plx_node){-1};
}

plx_node plx_graph_node(const plx_graph *graph, int i) {
    return i >= 0 && i < graph->count ? plx__handle(graph, i) : plx_none();
}

int plx_node_shape(const plx_graph *graph, plx_node node, const int64_t **dims) {
    const int32_t place = plx__place_of(graph, node);
    if (place < 0) return -1;
    if (dims) *dims = graph->nodes[place]->dims;
    return graph->nodes[place]->rank;
}

int plx__rank_named(plx_graph *graph, const char *op, const char *what, plx_node x,
                    const int64_t **dims) {
    const int rank = plx_node_shape(graph, x, dims);
    if (rank < 0)
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s is not a node of this graph%s", op, what,
                        x.id < 0 ? "" : ", but of another one");
    return rank;
}

bool plx__are_reals(plx_graph *graph, const char *op, const char *what, plx_node x) {
    if (plx__rank_named(graph, op, what, x, NULL) < 0) return false;
    const plx_dtype dtype = plx_node_dtype(graph, x);
    if (dtype == PLX_DTYPE_REAL) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s must hold %s, not %s", op, what,
                    plx__dtype_name(PLX_DTYPE_REAL), plx__dtype_name(dtype));
    return false;
}

bool plx__all_reals(plx_graph *graph, const char *op, const char *what, int count,
                    const plx_node *x) {
    char name[24];
    for (int i = 0; i < count; ++i) {
        plx__format(name, sizeof name, "%s %d", what, i);
        if (!plx__are_reals(graph, op, name, x[i])) return false;
    }
    return true;
}

int plx__rank_of(plx_graph *graph, const char *op, plx_node x, const int64_t **dims) {
    return plx__rank_named(graph, op, "x", x, dims);
}

bool plx__given(plx_graph *graph, const char *op, const char *what, const void *pointer) {
    if (pointer) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s is NULL", op, what);
    return false;
}

bool plx__amount(plx_graph *graph, const char *op, const char *what, double value, bool zero) {
    if ((value > 0 || (zero && value == 0)) && value - value == 0) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "%s: %s %g must %s", op, what, value,
                    zero ? "not be below 0, infinite or NaN" : "be above 0 and finite");
    return false;
}

plx_dtype plx_node_dtype(const plx_graph *graph, plx_node node) {
    const int32_t place = plx__place_of(graph, node);
    return place < 0 ? PLX_DTYPE_REAL : graph->nodes[place]->dtype;
}

const char *plx_node_op(const plx_graph *graph, plx_node node) {
    const int32_t place = plx__place_of(graph, node);
    return place < 0 ? NULL : graph->nodes[place]->op->name;
}

plx_node plx_node_operand(const plx_graph *graph, plx_node node, int i) {
    const int32_t place = plx__place_of(graph, node);
    if (place < 0 || i < 0 || i >= graph->nodes[place]->inputs_count) return plx_none();
    return plx_graph_node(graph, graph->nodes[place]->inputs[i]);
}
