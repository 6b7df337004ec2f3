/* LSTM and GRU. The format orders the gates of an LSTM i, o, f, c, ours are i, f, c, o; those of a
 * GRU are z, r, n in both. Its weights are [directions, gates units, in], and both biases are in
 * one. */
#include "onnx/importer.h"

#include <assert.h>
#include <string.h>

typedef struct layer {
    int gates, directions;
    int64_t units, steps, batch;
    bool by_batch; /* [batch, steps, ...] */
} layer;

/* Ours [g] is gate order[g] of the format. */
static const int lstm_order[] = {0, 2, 3, 1}, gru_order[] = {0, 1, 2};

static bool check_activations(const plx__onnx_call *c) {
    if (plx__onnx_attribute(c, "activations"))
        return plx__onnx_refuse(c, "activations of its own are not available");
    if (plx__onnx_attribute(c, "clip"))
        return plx__onnx_refuse(c, "the attribute clip is not available");
    if (plx__onnx_int(c, "input_forget", 0))
        return plx__onnx_refuse(c, "the attribute input_forget is not available");
    if (plx__onnx_in(c, 7)) return plx__onnx_refuse(c, "peepholes are not available");
    return true;
}

static bool read_layer(const plx__onnx_call *c, int gates, layer *l) {
    const plx__onnx_value *x = c->inputs[0], *w = c->inputs[1], *r = c->inputs[2];
    const char *direction = plx__onnx_text(c, "direction", "forward");
    for (int i = 0; i < c->inputs_count; ++i)
        if (i != 4 && (i < 3 || c->inputs[i]) && c->inputs[i]->type != PLX_ONNX_FLOAT)
            return plx__onnx_refuse(c, "it is available for float32, not %s",
                                    plx_onnx_type_name(c->inputs[i]->type));
    l->gates = gates;
    l->directions = strcmp(direction, "bidirectional") != 0 ? 1 : 2;
    l->by_batch = plx__onnx_int(c, "layout", 0) != 0;
    if (x->rank != 3 || w->rank != 3 || r->rank != 3)
        return plx__onnx_wrong(c, "its input and weights must have rank 3");
    l->units = r->dims[2];
    l->steps = x->dims[l->by_batch];
    l->batch = x->dims[!l->by_batch];
    if (r->dims[0] != l->directions || w->dims[0] != l->directions ||
        r->dims[1] != gates * l->units || w->dims[1] != gates * l->units ||
        w->dims[2] != x->dims[2])
        return plx__onnx_wrong(c, "the shapes of its weights do not fit");
    return check_activations(c);
}

/* Row d of [directions, ...] without that axis. */
static plx_node row_of(const plx__onnx_call *c, plx_node node, int axis, int d) {
    const int64_t *dims = NULL;
    int64_t rest[PLX_MAX_RANK];
    int n = 0;
    const int rank = plx_node_shape(c->graph, node, &dims);
    for (int i = 0; i < rank; ++i)
        if (i != axis) rest[n++] = dims[i];
    const plx_node row = plx_slice(c->graph, node, axis, d, d + 1, 1);
    return plx_reshape(c->graph, row, n, rest);
}

/* The gates along the last axis in our order; halves: how many times all of them follow one
 * another. */
static plx_node reorder(const plx__onnx_call *c, const layer *l, plx_node node, int first) {
    assert(l->gates == 3 || l->gates == 4);
    const int *order = l->gates == 4 ? lstm_order : gru_order;
    plx_node parts[4];
    for (int g = 0; g < l->gates; ++g)
        parts[g] = plx_slice(c->graph, node, -1, (first + order[g]) * l->units,
                             (first + order[g] + 1) * l->units, 1);
    return plx_concat(c->graph, l->gates, parts, -1);
}

/* [directions, gates units, in] as [in, gates units] of one direction. */
static plx_node weight_of(const plx__onnx_call *c, const layer *l, int input, int d) {
    static const int axes[] = {0, 2, 1};
    const plx_node whole = plx__onnx_weight(c, c->inputs[input], axes);
    return reorder(c, l, row_of(c, whole, 0, d), 0);
}

/* Half of the biases of a direction: those of the input, or of the state. */
static plx_node bias_of(const plx__onnx_call *c, const layer *l, int d, int half) {
    plx__onnx_value *b = plx__onnx_in(c, 3);
    if (!b) return plx_none();
    return reorder(c, l, row_of(c, plx__onnx_plain(c, b), 0, d), half * l->gates);
}

/* An initial state [directions, batch, units], or [batch, directions, units]. */
static plx_node state_of(const plx__onnx_call *c, const layer *l, int input, int d) {
    plx__onnx_value *v = plx__onnx_in(c, input);
    return v ? row_of(c, plx__onnx_plain(c, v), l->by_batch, d) : plx_none();
}

/* Which steps each sample has: [batch, steps], or an invalid node where all have all. */
static bool mask_of(plx__onnx_call *c, const layer *l, plx_node *mask) {
    plx__onnx_value *lengths = plx__onnx_in(c, 4);
    bool all = lengths != NULL && lengths->data;
    *mask = plx_none();
    for (int64_t i = 0; all && i < lengths->size; ++i)
        all = plx__onnx_get_int(lengths, i) == l->steps;
    if (!lengths || all) return true;
    if (lengths->rank != 1 || lengths->dims[0] != l->batch)
        return plx__onnx_wrong(c, "sequence_lens must have one element for each sample");
    int64_t count = l->steps;
    plx__onnx_value *steps =
        plx__onnx_new_value(c->importer, "steps", PLX_ONNX_INT32, 1, &count, count);
    uint8_t *data = plx__onnx_elements(c, PLX_ONNX_INT32, count);
    if (!steps || !data) return plx__onnx_no_memory(c);
    for (int64_t i = 0; i < count; ++i) plx__onnx_put_int(PLX_ONNX_INT32, data, i, i);
    steps->data = data;
    const plx_node column =
        plx_reshape(c->graph, plx__onnx_plain(c, lengths), 2, (int64_t[]){l->batch, 1});
    const plx_node before = plx_less(c->graph, plx__onnx_plain(c, steps), column);
    *mask = plx_cast(c->graph, before, PLX_DTYPE_REAL);
    return true;
}

/* What one direction gives: states of all steps [batch, steps, units], and the last ones [batch,
 * units]. */
typedef struct passed {
    plx_node all, state, cell;
} passed;

static passed pass(plx__onnx_call *c, const layer *l, plx_node x, plx_node mask, int d,
                   bool reverse) {
    passed out = {.cell = plx_none()};
    const plx_node w = weight_of(c, l, 1, d), r = weight_of(c, l, 2, d);
    const plx_node bias = bias_of(c, l, d, 0), own = bias_of(c, l, d, 1);
    const plx_node h0 = state_of(c, l, 5, d);
    if (l->gates == 4) {
        const plx_node sum = bias.id < 0 ? bias : plx_add(c->graph, bias, own);
        out.all =
            plx_lstm(c->graph, x, w, r, sum, h0, state_of(c, l, 6, d), mask, reverse, &out.cell);
    } else {
        const bool after = plx__onnx_int(c, "linear_before_reset", 0) != 0;
        out.all = plx_gru(c->graph, x, w, r, bias, own, h0, mask, reverse, after);
    }
    const int64_t at = reverse ? 0 : l->steps - 1;
    const plx_node step = plx_slice(c->graph, out.all, 1, at, at + 1, 1);
    out.state = plx_reshape(c->graph, step, 2, (int64_t[]){l->batch, l->units});
    /* Steps that a sample does not have are 0 in the format. */
    if (mask.id >= 0) {
        const plx_node factor = plx_reshape(c->graph, mask, 3, (int64_t[]){l->batch, l->steps, 1});
        out.all = plx_mul(c->graph, out.all, factor);
    }
    return out;
}

/* Joins the directions of the last states along an axis of their own. */
static plx_node join_states(const plx__onnx_call *c, const layer *l, int count,
                            const plx_node *states) {
    plx_node wide[2];
    const int axis = l->by_batch;
    const int64_t dims[] = {axis ? l->batch : 1, axis ? 1 : l->batch, l->units};
    for (int d = 0; d < count; ++d) wide[d] = plx_reshape(c->graph, states[d], 3, dims);
    return plx_concat(c->graph, count, wide, axis);
}

static bool recurrent(plx__onnx_call *c, int gates) {
    static const int swapped[] = {1, 0, 2};
    layer l = {.gates = gates};
    plx_node mask = plx_none(), all[2], states[2], cells[2];
    if (!read_layer(c, gates, &l) || !mask_of(c, &l, &mask)) return false;
    plx_node x = plx__onnx_plain(c, c->inputs[0]);
    if (!l.by_batch) x = plx_transpose(c->graph, x, swapped);
    const bool reverse = !strcmp(plx__onnx_text(c, "direction", "forward"), "reverse");
    for (int d = 0; d < l.directions; ++d) {
        const passed p = pass(c, &l, x, mask, d, reverse || d == 1);
        states[d] = p.state;
        cells[d] = p.cell;
        /* [batch, steps, units] as [batch, steps, 1, units] or [steps, 1, batch, units]. */
        static const int by_step[] = {1, 0, 2};
        const plx_node own = l.by_batch ? p.all : plx_transpose(c->graph, p.all, by_step);
        const int64_t dims[] = {l.by_batch ? l.batch : l.steps, l.by_batch ? l.steps : 1,
                                l.by_batch ? 1 : l.batch, l.units};
        all[d] = plx_reshape(c->graph, own, 4, dims);
    }
    const plx_node whole = plx_concat(c->graph, l.directions, all, l.by_batch ? 2 : 1);
    if (!plx__onnx_give(c, 0, whole, PLX_ONNX_FLOAT) ||
        !plx__onnx_give(c, 1, join_states(c, &l, l.directions, states), PLX_ONNX_FLOAT))
        return false;
    return gates == 3 ||
           plx__onnx_give(c, 2, join_states(c, &l, l.directions, cells), PLX_ONNX_FLOAT);
}

bool plx__onnx_build_lstm(plx__onnx_call *c) {
    return recurrent(c, 4);
}

bool plx__onnx_build_gru(plx__onnx_call *c) {
    return recurrent(c, 3);
}
