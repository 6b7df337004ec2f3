/* Reverse-mode differentiation from graph to graph (Griewank and Walther, "Evaluating Derivatives",
 * 2008): each op's rule emits ordinary nodes. */
#include "graph/graph.h"

#include "base/platform.h"

#include <string.h>

/* needed[i]: node i lies on a path from a variable of interest. */
static void mark_needed(const plx_graph *graph, int32_t end, int count, const plx_node *wrt,
                        bool *needed) {
    for (int32_t i = 0; i < end; ++i) {
        needed[i] = false;
        for (int k = 0; k < count && !needed[i]; ++k) needed[i] = wrt[k].id == i;
        const plx__node *node = &graph->nodes[i];
        for (int k = 0; k < node->inputs_count && !needed[i]; ++k)
            needed[i] = needed[node->inputs[k]];
    }
}

static void accumulate(plx_graph *graph, int32_t *gradient, int32_t more) {
    *gradient = *gradient < 0 ? more : PLX__EMIT2(graph, &plx__op_add, *gradient, more, NULL);
}

static plx_status fail_rule(plx_graph *graph, const plx_op *op) {
    static const char ending[] = "_grad";
    const char *name = plx__title(op);
    const int own = (int)(strlen(name) - strlen(ending));
    if (own > 0 && !strcmp(name + own, ending))
        return plx__graph_fail(graph, PLX_ERR_UNSUPPORTED,
                               "gradients: the gradient of %.*s has no gradient rule", own, name);
    return plx__graph_fail(graph, PLX_ERR_UNSUPPORTED, "gradients: %s has no gradient rule", name);
}

static plx_status propagate(plx_graph *graph, int32_t id, const bool *needed, int32_t *gradient) {
    const plx__node node = graph->nodes[id];
    if (node.op->flags & PLX__OP_LEAF || gradient[id] < 0) return PLX_OK;
    if (node.op->flags & PLX__OP_NO_GRADIENT) return fail_rule(graph, node.op);
    int32_t *grads = plx_platform_alloc((size_t)node.inputs_count * sizeof *grads);
    if (!grads) return plx__graph_fail(graph, PLX_ERR_MEMORY, "gradients: no memory");
    for (int k = 0; k < node.inputs_count; ++k) grads[k] = -1;
    node.op->gradient(graph, id, gradient[id], grads);
    for (int k = 0; k < node.inputs_count; ++k)
        if (grads[k] >= 0 && needed[node.inputs[k]])
            accumulate(graph, &gradient[node.inputs[k]], grads[k]);
    plx_platform_free(grads);
    return graph->status;
}

static plx_status refuse_integers(plx_graph *graph, const char *what, plx_node x) {
    if (x.id < 0 || x.id >= graph->count || graph->nodes[x.id].dtype == PLX_DTYPE_REAL)
        return PLX_OK;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                    "gradients: %s holds 32-bit integers, which have no gradient", what);
    return plx_graph_status(graph);
}

plx_status plx_gradients(plx_graph *graph, plx_node loss, int count, const plx_node *wrt,
                         plx_node *grads) {
    PLX_TRY(plx_graph_status(graph));
    if (loss.id < 0 || loss.id >= graph->count || plx__size(&graph->nodes[loss.id]) != 1) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "gradients: the loss must be a scalar node");
        return plx_graph_status(graph);
    }
    PLX_TRY(refuse_integers(graph, "the loss", loss));
    for (int k = 0; k < count; ++k) {
        char name[32];
        plx__format(name, sizeof name, "variable %d", k);
        PLX_TRY(refuse_integers(graph, name, wrt[k]));
    }
    const int32_t end = loss.id + 1;
    bool *needed = plx_platform_alloc((size_t)end * sizeof *needed);
    int32_t *gradient = plx_platform_alloc((size_t)end * sizeof *gradient);
    if (!needed || !gradient) {
        plx__graph_fail(graph, PLX_ERR_MEMORY, "gradients: no memory");
        goto done;
    }
    mark_needed(graph, end, count, wrt, needed);
    for (int32_t i = 0; i < end; ++i) gradient[i] = -1;
    gradient[loss.id] = plx_constant(graph, 1).id;
    for (int32_t i = loss.id; i >= 0; --i)
        if (needed[i] && propagate(graph, i, needed, gradient) != PLX_OK) goto done;
    for (int k = 0; k < count; ++k) {
        if (wrt[k].id < 0 || wrt[k].id >= end || gradient[wrt[k].id] < 0) {
            plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                            "gradients: the loss does not depend on variable %d", k);
            goto done;
        }
        grads[k] = (plx_node){gradient[wrt[k].id]};
    }
done:
    plx_platform_free(needed);
    plx_platform_free(gradient);
    return plx_graph_status(graph);
}
