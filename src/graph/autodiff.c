/* Reverse-mode differentiation, graph to graph (Griewank and Walther, "Evaluating Derivatives",
 * 2008): each op's rule emits ordinary nodes. */
#include "graph/graph.h"

#include "base/platform.h"

#include <string.h>

/* State of one call; places run up to that of the loss. */
typedef struct pass {
    plx_graph *graph;
    int32_t loss;
    int count;
    const plx_node *wrt;
    bool *needed; /* by place: it lies on a path from a variable of interest */
    int32_t *gradient;
} pass;

static void mark_needed(const pass *p) {
    for (int32_t i = 0; i <= p->loss; ++i) {
        p->needed[i] = false;
        for (int k = 0; k < p->count && !p->needed[i]; ++k)
            p->needed[i] = plx__place_of(p->graph, p->wrt[k]) == i;
        const plx__node *node = p->graph->nodes[i];
        for (int k = 0; k < node->inputs_count && !p->needed[i]; ++k)
            p->needed[i] = p->needed[node->inputs[k]] && plx__is_differentiable(p->graph, node, k);
    }
}

static void accumulate(plx_graph *graph, int32_t *gradient, int32_t more) {
    *gradient = *gradient < 0 ? more : PLX__EMIT2(graph, &plx__op_add, *gradient, more, NULL);
}

static void fail_rule(plx_graph *graph, const plx_op *op) {
    static const char ending[] = "_grad";
    const char *name = plx__title(op);
    const int own = (int)(strlen(name) - strlen(ending));
    if (own > 0 && !strcmp(name + own, ending))
        plx__graph_fail(graph, PLX_ERR_UNSUPPORTED,
                        "gradients: the gradient of %.*s has no gradient rule", own, name);
    else
        plx__graph_fail(graph, PLX_ERR_UNSUPPORTED, "gradients: %s has no gradient rule", name);
}

static void propagate(const pass *p, int32_t place) {
    plx_graph *graph = p->graph;
    const plx__node *node = graph->nodes[place];
    if (node->op->flags & PLX__OP_LEAF || p->gradient[place] < 0) return;
    if (node->op->flags & PLX__OP_NO_GRADIENT) {
        fail_rule(graph, node->op);
        return;
    }
    int32_t *grads = plx_platform_alloc((size_t)node->inputs_count * sizeof *grads);
    if (!grads) {
        plx__graph_fail(graph, PLX_ERR_MEMORY, "gradients: no memory");
        return;
    }
    for (int k = 0; k < node->inputs_count; ++k) grads[k] = -1;
    node->op->gradient(graph, place, p->gradient[place], grads);
    for (int k = 0; k < node->inputs_count; ++k)
        if (grads[k] >= 0 && p->needed[node->inputs[k]] && plx__is_differentiable(graph, node, k))
            accumulate(graph, &p->gradient[node->inputs[k]], grads[k]);
    plx_platform_free(grads);
}

/* The gradient of the loss with respect to itself: 1, in its shape. */
static int32_t seed(const pass *p) {
    const plx__node *loss = p->graph->nodes[p->loss];
    const plx_node one = plx_constant(p->graph, 1);
    return plx__place_of(p->graph, plx_reshape(p->graph, one, loss->rank, loss->dims));
}

static void differentiate(const pass *p) {
    mark_needed(p);
    for (int32_t i = 0; i <= p->loss; ++i) p->gradient[i] = -1;
    p->gradient[p->loss] = seed(p);
    for (int32_t i = p->loss; i >= 0 && p->graph->status == PLX_OK; --i)
        if (p->needed[i]) propagate(p, i);
    for (int k = 0; k < p->count && p->graph->status == PLX_OK; ++k) {
        const int32_t place = plx__place_of(p->graph, p->wrt[k]);
        if (place < 0 || place > p->loss || p->gradient[place] < 0)
            plx__graph_fail(p->graph, PLX_ERR_ARGUMENT,
                            "gradients: the loss does not depend on variable %d", k);
    }
}

static void need_reals(plx_graph *graph, const char *what, plx_node x) {
    const plx_dtype dtype = plx_node_dtype(graph, x);
    if (plx__rank_named(graph, "gradients", what, x, NULL) >= 0 && dtype != PLX_DTYPE_REAL)
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "gradients: %s must hold %s, not %s", what,
                        plx__dtype_name(PLX_DTYPE_REAL), plx__dtype_name(dtype));
}

static void check(plx_graph *graph, plx_node loss, int count, const plx_node *wrt,
                  const plx_node *grads) {
    const int rank = plx__rank_named(graph, "gradients", "the loss", loss, NULL);
    if (count < 0)
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "gradients: count is %d; it must not be negative",
                        count);
    if (rank < 0 || count <= 0 || !plx__given(graph, "gradients", "wrt", wrt) ||
        !plx__given(graph, "gradients", "grads", grads))
        return;
    need_reals(graph, "the loss", loss);
    for (int k = 0; k < count; ++k) {
        char name[32];
        plx__format(name, sizeof name, "variable %d", k);
        need_reals(graph, name, wrt[k]);
    }
    const plx__node *node = plx__at(graph, loss);
    if (plx__size(node) == 1) return;
    char shape[96];
    plx__graph_fail(graph, PLX_ERR_SHAPE, "gradients: the loss must hold one real; it is %s",
                    plx__shape_text(node->rank, node->dims, shape, sizeof shape));
}

plx_status plx_gradients(plx_graph *graph, plx_node loss, int count, const plx_node *wrt,
                         plx_node *grads) {
    PLX_TRY(plx_graph_status(graph));
    const int32_t before = graph->count;
    check(graph, loss, count, wrt, grads);
    PLX_TRY(plx__graph_settle(graph, before));
    const int32_t end = plx__place_of(graph, loss) + 1;
    const pass p = {.graph = graph,
                    .loss = end - 1,
                    .count = count,
                    .wrt = wrt,
                    .needed = plx_platform_alloc((size_t)end * sizeof(bool)),
                    .gradient = plx_platform_alloc((size_t)end * sizeof(int32_t))};
    if (p.needed && p.gradient)
        differentiate(&p);
    else
        plx__graph_fail(graph, PLX_ERR_MEMORY, "gradients: no memory");
    const plx_status status = plx__graph_settle(graph, before);
    for (int k = 0; k < count && status == PLX_OK && p.gradient; ++k)
        grads[k] = plx__handle(graph, p.gradient[plx__place_of(graph, wrt[k])]);
    plx_platform_free(p.needed);
    plx_platform_free(p.gradient);
    return status;
}
