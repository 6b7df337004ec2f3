/* Hypercausal nodes, which project futures, and the loss of chains and graphs of them. */
#include "nn/weights.h"

#include "graph/graph.h"
#include "ops/futures.h"

static const char *const policies[] = {
    [PLX_FUTURE_MEAN] = "mean",
    [PLX_FUTURE_MEDIAN] = "median",
    [PLX_FUTURE_LEAST_RISK] = "min-risk",
};

_Static_assert((int)PLX_FUTURE_MEAN == PLX__FUTURE_MEAN &&
                   (int)PLX_FUTURE_MEDIAN == PLX__FUTURE_MEDIAN &&
                   (int)PLX_FUTURE_LEAST_RISK == PLX__FUTURE_LEAST_RISK,
               "policies are what the op counts");

enum { MOST_DEPTH = 4096, MOST_FUTURES = 1 << 20 };

const char *plx_future_policy_name(plx_future_policy policy) {
    return (unsigned)policy < PLX_FUTURES_ ? policies[policy] : NULL;
}

plx_hypercausal_options plx_hypercausal_default(void) {
    return (plx_hypercausal_options){.depth = 1, .futures = 3, .span = 0.25, .w = 1};
}

plx_hypercausal_loss_options plx_hypercausal_loss_default(void) {
    return (plx_hypercausal_loss_options){
        .drift = 0.8, .forecast = 1.2, .consistency = 0.5, .coherence = 0.3};
}

static plx_status check_options(plx_graph *graph, const plx_hypercausal_options *options) {
    if (!plx__given(graph, "hypercausal", "options", options)) return graph->status;
    if (options->depth < 1 || options->depth > MOST_DEPTH)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "hypercausal: depth is %lld; it must be 1 to %d",
                               (long long)options->depth, MOST_DEPTH);
    if (options->futures < 2 || options->futures > MOST_FUTURES)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "hypercausal: futures is %lld; it must be 2 to %d",
                               (long long)options->futures, MOST_FUTURES);
    if (!(options->span >= 0 && options->span <= 4))
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "hypercausal: span is %g; it must be 0 to 4", options->span);
    if ((unsigned)options->policy >= PLX_FUTURES_)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "hypercausal: there is no policy number %d; it must be 0 to %d: "
                               "mean, median or min-risk",
                               (int)options->policy, PLX_FUTURES_ - 1);
    return graph->status;
}

static plx_status check_beginning(plx_graph *graph, const char *name, double value) {
    const plx_real kept = (plx_real)value;
    if (kept - kept == 0) return graph->status;
    return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                           "hypercausal: the initial value of %s is %g; it must be finite", name,
                           value);
}

/* A buffer for what a step saves for its gradient. */
static plx_node buffer_of(plx_graph *graph, int64_t times, const plx__node *like) {
    const plx__attrs attrs = {.rank = 2, .dims = {times, plx__size(like)}};
    return plx__build(graph, &plx__op_buffer, 0, NULL, &attrs);
}

static plx_node part_of(plx_graph *graph, plx_node whole, int64_t from, const plx__node *shape) {
    plx__attrs attrs = {.view = {.first = from}};
    if (shape) plx__set_shape(&attrs, shape);
    return plx__build1(graph, &plx__op_view, whole, &attrs);
}

static plx_node state_of(plx_graph *graph, plx_node x, plx_node w, plx_node b, int64_t depth) {
    const plx__attrs attrs = {.tanh_steps = {depth}};
    plx_node inputs[] = {x, w, b, plx_none()};
    if (depth > 1) inputs[3] = buffer_of(graph, depth - 1, plx__at(graph, x));
    return plx__build(graph, &plx__op_tanh_steps, depth > 1 ? 4 : 3, inputs, &attrs);
}

/* As in the workloads of the reference, the span narrows with depth but does not vanish. */
static double half_width(const plx_hypercausal_options *options) {
    const double p = options->span / (1 + 0.3 * (double)(options->depth - 1));
    return p > 0.08 ? p : 0.08;
}

static plx_status emit_node(plx_graph *graph, plx_node x, plx_node w, plx_node b,
                            const plx_hypercausal_options *options, plx_hypercausal *out) {
    PLX_TRY(graph->status);
    if (!plx__are_reals(graph, "hypercausal", "x", x) ||
        (PLX__NAMES_OPERANDS && (!plx__are_reals(graph, "hypercausal", "w", w) ||
                                 !plx__are_reals(graph, "hypercausal", "b", b))) ||
        !plx__given(graph, "hypercausal", "out", out))
        return graph->status;
    PLX_TRY(check_options(graph, options));
    const plx__node *like = plx__at(graph, x);
    const plx__attrs table = {
        .future_table = {.count = options->futures, .span = half_width(options)}};
    const plx__attrs policy = {.futures = {options->policy}};
    plx_hypercausal node;
    node.state = state_of(graph, x, w, b, options->depth);
    const plx_node inputs[] = {node.state,
                               plx__build(graph, &plx__op_future_table, 0, NULL, &table),
                               buffer_of(graph, 2, like)};
    const plx_node both = plx__build(graph, &plx__op_futures, 3, inputs, &policy);
    node.future = part_of(graph, both, 0, like);
    node.spread = part_of(graph, both, plx__size(like), NULL);
    PLX_TRY(graph->status);
    *out = node;
    return PLX_OK;
}

static plx_node mean_of(plx_graph *graph, int count, const plx_node *parents) {
    plx_node sum = parents[0];
    for (int i = 1; i < count; ++i) sum = plx_add(graph, sum, parents[i]);
    const plx__attrs share = {.scale = {1.0 / count}};
    return count == 1 ? sum : plx__build1(graph, &plx__op_scale, sum, &share);
}

static plx_status named_node(const plx_scope *scope, const char *name, int count,
                             const plx_node *parents, const plx_hypercausal_options *options,
                             plx_hypercausal *out) {
    plx_graph *graph = scope->graph;
    if (!plx__given(graph, "hypercausal", "the name", name)) return graph->status;
    if (count < 1)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "hypercausal: node \"%s\" has no parents; at least one is needed",
                               name);
    if (!plx__given(graph, "hypercausal", "parents", parents) ||
        (PLX__NAMES_OPERANDS && !plx__all_reals(graph, "hypercausal", "parent", count, parents)))
        return graph->status;
    PLX_TRY(check_options(graph, options));
    PLX_TRY(check_beginning(graph, "w", options->w));
    PLX_TRY(check_beginning(graph, "b", options->b));
    const plx_scope inner = plx_scope_in(scope, name);
    const plx_node w =
        plx_weight(&inner, "w", 0, NULL, PLX_INIT_CONSTANT, options->w, PLX_WEIGHT_PLAIN);
    const plx_node b =
        plx_weight(&inner, "b", 0, NULL, PLX_INIT_CONSTANT, options->b, PLX_WEIGHT_PLAIN);
    return emit_node(graph, mean_of(graph, count, parents), w, b, options, out);
}

static plx_status emit_loss(plx_graph *graph, int count, const plx_hypercausal *nodes,
                            plx_node target, const plx_hypercausal_loss_options *options,
                            plx_hypercausal_parts *out) {
    enum { MOST_NODES = 61, BEFORE = 3 };
    const plx_hypercausal_loss_options usual = plx_hypercausal_loss_default();
    const plx_hypercausal_loss_options *o = options ? options : &usual;
    const double weights[] = {o->drift, o->forecast, o->consistency, o->coherence};
    const plx__attrs attrs = {.causal_loss = {.drift = o->drift,
                                              .forecast = o->forecast,
                                              .consistency = o->consistency,
                                              .coherence = o->coherence}};
    plx_node inputs[BEFORE + MOST_NODES];
    if (!plx__given(graph, "hypercausal", "out", out)) return graph->status;
    if (count < 1 || count > MOST_NODES)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "hypercausal: the number of nodes is %d; it must be 1 to %d", count,
                               MOST_NODES);
    if (!plx__given(graph, "hypercausal", "nodes", nodes)) return graph->status;
    for (int i = 0; i < 4; ++i)
        if (weights[i] - weights[i] != 0)
            return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                                   "hypercausal: a weight of the loss is %g; it must be finite",
                                   weights[i]);
    inputs[0] = nodes[count - 1].state;
    inputs[1] = nodes[count - 1].future;
    inputs[2] = target;
    for (int i = 0; i < count; ++i) inputs[BEFORE + i] = nodes[i].spread;
    if (PLX__NAMES_OPERANDS &&
        (!plx__are_reals(graph, "hypercausal", "state", inputs[0]) ||
         !plx__are_reals(graph, "hypercausal", "future", inputs[1]) ||
         !plx__are_reals(graph, "hypercausal", "target", target) ||
         !plx__all_reals(graph, "hypercausal", "spread", count, inputs + BEFORE)))
        return graph->status;
    const plx_node parts = plx__build(graph, &plx__op_causal_loss, BEFORE + count, inputs, &attrs);
    const plx_hypercausal_parts made = {.task = part_of(graph, parts, 0, NULL),
                                        .consistency = part_of(graph, parts, 1, NULL),
                                        .coherence = part_of(graph, parts, 2, NULL),
                                        .total = part_of(graph, parts, 3, NULL)};
    if (graph->status == PLX_OK) *out = made;
    return graph->status;
}

plx_status plx_hypercausal_emit(plx_graph *graph, plx_node x, plx_node w, plx_node b,
                                const plx_hypercausal_options *options, plx_hypercausal *out) {
    PLX_TRY(plx_graph_status(graph));
    const int32_t before = graph->count;
    (void)emit_node(graph, x, w, b, options, out);
    return plx__graph_settle(graph, before);
}

plx_status plx_hypercausal_node(const plx_scope *scope, const char *name, int count,
                                const plx_node *parents, const plx_hypercausal_options *options,
                                plx_hypercausal *out) {
    PLX_TRY(plx_graph_status(scope->graph));
    const plx__scope_mark before = plx__scope_here(scope);
    (void)named_node(scope, name, count, parents, options, out);
    return plx__scope_settle(scope, before);
}

plx_status plx_hypercausal_loss(plx_graph *graph, int count, const plx_hypercausal *nodes,
                                plx_node target, const plx_hypercausal_loss_options *options,
                                plx_hypercausal_parts *out) {
    PLX_TRY(plx_graph_status(graph));
    const int32_t before = graph->count;
    (void)emit_loss(graph, count, nodes, target, options, out);
    return plx__graph_settle(graph, before);
}
