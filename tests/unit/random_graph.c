#include "random_graph.h"

#include <string.h>

#define D(...) ((const int64_t[]){__VA_ARGS__})

enum { NODES = 14, POOL = NODES + 2 };

typedef struct maker {
    plx_random_graph *g;
    plx_rng rng;
    plx_node pool[POOL]; /* of [rows, columns] */
    int count;
    plx_node parameters[PLX_RANDOM_TENSORS];
} maker;

static int below(maker *m, int n) {
    return (int)plx_rng_below(&m->rng, n);
}

static plx_node any(maker *m) {
    return m->pool[below(m, m->count)];
}

/* [weights [c, c], bias [c], scale [c], slope [1, c], running mean [c], variance [c]] */
static plx_status make_tensors(maker *m) {
    plx_random_graph *g = m->g;
    const int64_t c = g->columns, dims[2] = {c, c};
    for (int i = 0; i < PLX_RANDOM_TENSORS; ++i) {
        const int64_t *own = i == 3 ? D(1, c) : dims;
        const int rank = i == 0 || i == 3 ? 2 : 1;
        const plx_status status = plx_tensor_new(g->ctx, PLX_DTYPE_REAL, rank, own, &g->tensors[i]);
        if (status != PLX_OK) return status;
        plx_real *data = plx_tensor_data(g->tensors[i]);
        for (int64_t k = 0; k < plx_tensor_size(g->tensors[i]); ++k)
            data[k] = (plx_real)(0.5 * plx_rng_normal(&m->rng) + (i == 2 || i == 5));
        m->parameters[i] = plx_parameter(g->graph, NULL, g->tensors[i]);
    }
    const plx_optimizer_options adam = plx_optimizer_default(PLX_ADAM);
    return plx_optimizer_new(g->ctx, &adam, 4, g->tensors, &g->optimizer);
}

/* Swaps the two halves. */
static plx_node turn(maker *m, plx_node x) {
    plx_graph *graph = m->g->graph;
    const int axis = below(m, 2);
    const int64_t size = axis ? m->g->columns : m->g->rows, cut = below(m, (int)size + 1);
    const plx_node parts[2] = {plx_slice(graph, x, axis, cut, size, 1),
                               plx_slice(graph, x, axis, 0, cut, 1)};
    return plx_concat(graph, 2, parts, axis);
}

static plx_node flat_and_back(maker *m, plx_node x) {
    plx_graph *graph = m->g->graph;
    const plx_node flat = plx_reshape(graph, x, 1, D(-1));
    return plx_reshape(graph, plx_activate(graph, flat, PLX_SILU, 0), 2,
                       D(m->g->rows, m->g->columns));
}

static plx_node transposed(maker *m, plx_node x) {
    plx_graph *graph = m->g->graph;
    const plx_node y = plx_transpose(graph, x, (const int[]){1, 0});
    return plx_transpose(graph, plx_softmax(graph, y, below(m, 2)), (const int[]){1, 0});
}

static plx_node attention(maker *m, plx_node x) {
    plx_graph *graph = m->g->graph;
    const int64_t r = m->g->rows, c = m->g->columns;
    const plx_node y = plx_reshape(graph, x, 3, D(1, r, c));
    const plx_attention_options options = {.heads = 1, .causal = below(m, 2)};
    return plx_reshape(graph, plx_attention(graph, y, y, y, plx_none(), &options), 2, D(r, c));
}

static plx_node next(maker *m, int i) {
    plx_graph *graph = m->g->graph;
    const plx_node x = any(m), y = any(m), *p = m->parameters;
    switch (i == 5 ? 16 : below(m, 16)) {
    case 0: return plx_add(graph, x, y);
    case 1: return plx_mul(graph, x, y);
    case 2: return plx_sub(graph, x, plx_constant(graph, 0.25));
    case 3: return plx_max(graph, x, y);
    case 4: return plx_activate(graph, x, (plx_activation)(1 + below(m, PLX_ACTIVATIONS_ - 1)), 1);
    case 5: return plx_dense(graph, plx_activate(graph, x, PLX_TANH, 0), p[0], p[1]);
    case 6: return plx_activate(graph, plx_dense(graph, x, p[0], p[1]), PLX_RELU, 0);
    case 7: return plx_layer_norm(graph, x, p[2], p[1], 1e-5);
    case 8: return turn(m, x);
    case 9: return flat_and_back(m, x);
    case 10: return transposed(m, x);
    case 11: return plx_dropout(graph, x, 0.3, (uint64_t)1 << 60 | (uint64_t)i);
    case 12: return attention(m, x);
    case 13: return plx_mul(graph, plx_bias(graph, x, p[1]), p[3]);
    case 14: return plx_where(graph, plx_less(graph, x, y), x, p[1]);
    case 15: return plx_cast(graph, plx_cast(graph, x, PLX_DTYPE_BF16), PLX_DTYPE_REAL);
    default: return plx_batch_norm(graph, x, p[2], p[1], p[4], p[5], true, 0.1, 1e-5);
    }
}

static plx_status make_outputs(maker *m) {
    plx_random_graph *g = m->g;
    plx_graph *graph = g->graph;
    /* All four parameters are in the loss, so that each has a gradient. */
    const plx_node mixed =
        plx_layer_norm(graph, m->pool[m->count - 1], m->parameters[2], m->parameters[1], 1e-5);
    const plx_node last =
        plx_dense(graph, plx_mul(graph, plx_add(graph, mixed, any(m)), m->parameters[3]),
                  m->parameters[0], plx_none());
    const plx_node loss = plx_cross_entropy(graph, last, g->classes);
    plx_node grads[4];
    const plx_status status = plx_gradients(graph, loss, 4, m->parameters, grads);
    if (status != PLX_OK) return status;
    plx_node outputs[PLX_RANDOM_OUTPUTS] = {loss,     any(m),   last,    grads[0],
                                            grads[1], grads[2], grads[3]};
    outputs[PLX_RANDOM_OUTPUTS - 1] = plx_update(graph, g->optimizer, grads);
    memcpy(g->outputs, outputs, sizeof outputs);
    g->outputs_count = PLX_RANDOM_OUTPUTS;
    return plx_graph_status(graph);
}

static plx_status make(maker *m) {
    plx_random_graph *g = m->g;
    plx_status status = plx_graph_new(g->ctx, &g->graph);
    if (status == PLX_OK) status = make_tensors(m);
    if (status != PLX_OK) return status;
    g->input = plx_input(g->graph, "x", PLX_DTYPE_REAL, 2, D(g->rows, g->columns));
    g->classes = plx_input(g->graph, "labels", PLX_DTYPE_I32, 1, D(g->rows));
    plx_input(g->graph, "unused", PLX_DTYPE_REAL, 1, D(3));
    m->pool[m->count++] = g->input;
    for (int i = 0; i < NODES; ++i) {
        m->pool[m->count] = next(m, i);
        m->count += 1;
    }
    return make_outputs(m);
}

bool plx_random_open(plx_check *t, plx_ctx *ctx, uint64_t seed, plx_random_graph *out) {
    *out = (plx_random_graph){.ctx = ctx};
    maker m = {.g = out, .rng = plx_rng_new(seed, 77)};
    out->rows = 2 + below(&m, PLX_RANDOM_ROWS - 1);
    out->columns = 2 + below(&m, PLX_RANDOM_COLUMNS - 1);
    for (int i = 0; i < PLX_RANDOM_ROWS * PLX_RANDOM_COLUMNS; ++i)
        out->x[i] = (plx_real)plx_rng_normal(&m.rng);
    for (int i = 0; i < PLX_RANDOM_ROWS; ++i) out->labels[i] = below(&m, (int)out->columns);
    return CHECK(t, make(&m) == PLX_OK, "random graph %d: %s", (int)seed, plx_message(ctx));
}

void plx_random_close(plx_random_graph *g) {
    plx_graph_free(g->graph);
    plx_optimizer_free(g->optimizer);
    for (int i = 0; i < PLX_RANDOM_TENSORS; ++i) plx_tensor_free(g->tensors[i]);
}

plx_status plx_random_bind(plx_random_graph *g, plx_plan *plan) {
    const plx_status status = plx_plan_bind(plan, g->input, g->x);
    return status == PLX_OK ? plx_plan_bind(plan, g->classes, g->labels) : status;
}

static int64_t size_of(const plx_random_graph *g, plx_node node) {
    const int64_t *dims;
    int64_t size = 1;
    const int rank = plx_node_shape(g->graph, node, &dims);
    for (int i = 0; i < rank; ++i) size *= dims[i];
    return size;
}

bool plx_random_same(plx_check *t, const plx_random_graph *a, const plx_random_graph *b,
                     const plx_real *const *values_a, const plx_real *const *values_b,
                     const char *what) {
    bool same = true;
    for (int i = 0; i < a->outputs_count - 1; ++i)
        same = CHECK(t,
                     !memcmp(values_a[i], values_b[i],
                             (size_t)size_of(a, a->outputs[i]) * sizeof(plx_real)),
                     "%s: output %d has other bits", what, i) &&
               same;
    for (int i = 0; i < PLX_RANDOM_TENSORS; ++i)
        same = CHECK(t,
                     !memcmp(plx_tensor_data(a->tensors[i]), plx_tensor_data(b->tensors[i]),
                             (size_t)plx_tensor_size(a->tensors[i]) * sizeof(plx_real)),
                     "%s: tensor %d has other bits", what, i) &&
               same;
    return same;
}
