/* Builders of recurrent layers. */
#include "graph/graph.h"

#include "ops/recurrent.h"
#include "parallax.h"

/* What both kinds are given. */
typedef struct layer {
    const plx_op *op;
    int gates;
    plx_node x, w, r, bias, h0, own, mask; /* own: c0, or the recurrent bias */
    plx__attrs attrs;
} layer;

/* A node, unless it is invalid: then zeros. */
static plx_node or_zeros(plx_graph *graph, plx_node node, int rank, const int64_t *dims) {
    if (node.id >= 0) return node;
    return plx_broadcast(graph, plx_constant(graph, 0), rank, dims);
}

/* The nodes that the operation itself would call by other names. */
static bool are_given(plx_graph *graph, const layer *l) {
    const struct {
        const char *name;
        plx_node node;
        bool needed;
    } all[] = {
        {"x", l->x, true},       {"w", l->w, true},
        {"r", l->r, true},       {"the bias", l->bias, false},
        {"h0", l->h0, false},    {l->gates == 4 ? "c0" : "the recurrent bias", l->own, false},
        {"mask", l->mask, false}};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if ((all[i].needed || all[i].node.id >= 0) &&
            plx__rank_named(graph, l->op->name, all[i].name, all[i].node, NULL) < 0)
            return false;
    return true;
}

static plx_node add_layer(plx_graph *graph, const layer *l) {
    if (PLX__NAMES_OPERANDS && !are_given(graph, l)) return plx_none();
    const plx_node product = plx_dense(graph, l->x, l->w, l->bias);
    const int64_t *x = NULL, *r = NULL;
    const int rank = plx_node_shape(graph, product, &x);
    /* The operation refuses other shapes; nothing may overflow before. */
    const bool valid =
        rank == 3 && plx_node_shape(graph, l->r, &r) == 2 && r[0] >= 1 && r[0] <= PLX__MOST_UNITS;
    const int64_t batch = valid ? x[0] : 0, units = valid ? r[0] : 0;
    const int64_t state[] = {batch, units}, gates = l->gates * units;
    const bool lstm = l->gates == 4;
    const plx__attrs kept = {.rank = 3, .dims = {batch, valid ? x[1] : 0, gates + units}};
    const plx_node inputs[] = {product,
                               l->r,
                               or_zeros(graph, l->h0, 2, state),
                               or_zeros(graph, l->own, lstm ? 2 : 1, lstm ? state : &gates),
                               plx__build(graph, &plx__op_buffer, 0, NULL, &kept),
                               l->mask};
    return plx__build(graph, l->op, l->mask.id < 0 ? 5 : 6, inputs, &l->attrs);
}

plx_node plx_lstm(plx_graph *graph, plx_node x, plx_node w, plx_node r, plx_node bias, plx_node h0,
                  plx_node c0, plx_node mask, bool reverse, plx_node *last_cell) {
    const layer l = {.op = &plx__op_lstm,
                     .gates = 4,
                     .x = x,
                     .w = w,
                     .r = r,
                     .bias = bias,
                     .h0 = h0,
                     .own = c0,
                     .mask = mask,
                     .attrs = {.recurrent = {.reverse = reverse, .cell = last_cell != NULL}}};
    const plx_node y = add_layer(graph, &l);
    if (!last_cell) return y;
    *last_cell = plx_none();
    if (y.id < 0) return y;
    const int64_t *sizes = NULL, *units = NULL;
    plx_node_shape(graph, x, &sizes);
    plx_node_shape(graph, r, &units);
    const plx__attrs states = {.rank = 3, .dims = {sizes[0], sizes[1], *units}};
    const plx__attrs cells = {
        .view = {.first = sizes[0] * sizes[1] * *units}, .rank = 2, .dims = {sizes[0], *units}};
    *last_cell = plx__build1(graph, &plx__op_view, y, &cells);
    return plx__build1(graph, &plx__op_view, y, &states);
}

plx_node plx_gru(plx_graph *graph, plx_node x, plx_node w, plx_node r, plx_node bias,
                 plx_node recurrent_bias, plx_node h0, plx_node mask, bool reverse,
                 bool reset_after) {
    const layer l = {.op = &plx__op_gru,
                     .gates = 3,
                     .x = x,
                     .w = w,
                     .r = r,
                     .bias = bias,
                     .h0 = h0,
                     .own = recurrent_bias,
                     .mask = mask,
                     .attrs = {.recurrent = {.reverse = reverse, .reset_after = reset_after}}};
    return add_layer(graph, &l);
}
