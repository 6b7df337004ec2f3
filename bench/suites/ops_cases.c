/* Products, rows, reductions, elementwise operations of two values, losses and optimizers;
 * suite_ops.c adds the functions of one value. */
#include "bench/suites/ops_cases.h"

static plx_node matmul(plx_ops_graph *g, const int64_t *d) {
    const plx_node a = PLX_OPS_VALUES(g, d[0], d[2]), b = PLX_OPS_VALUES(g, d[2], d[1]);
    return plx_matmul(g->graph, a, b, false, false);
}

static plx_node dense(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[2]), w = PLX_OPS_VALUES(g, d[2], d[1]);
    const plx_node y = plx_dense(g->graph, x, w, PLX_OPS_VALUES(g, d[1]));
    return plx_activate(g->graph, y, PLX_RELU, 0);
}

static plx_node add(plx_ops_graph *g, const int64_t *d) {
    const plx_node a = PLX_OPS_VALUES(g, d[0]), b = PLX_OPS_VALUES(g, d[0]);
    return plx_add(g->graph, a, b);
}

static plx_node mul(plx_ops_graph *g, const int64_t *d) {
    const plx_node a = PLX_OPS_VALUES(g, d[0]), b = PLX_OPS_VALUES(g, d[0]);
    return plx_mul(g->graph, a, b);
}

static plx_node quotient(plx_ops_graph *g, const int64_t *d) {
    const plx_node a = PLX_OPS_VALUES(g, d[0]);
    return plx_div(g->graph, a, plx__ops_values(g, 1, d, 1, 2));
}

static plx_node bias(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_bias(g->graph, x, PLX_OPS_VALUES(g, d[1]));
}

static plx_node softmax(plx_ops_graph *g, const int64_t *d) {
    return plx_softmax(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node log_softmax(plx_ops_graph *g, const int64_t *d) {
    return plx_log_softmax(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node sum_all(plx_ops_graph *g, const int64_t *d) {
    return plx_reduce_sum(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), PLX_ALL_AXES);
}

static plx_node sum_rows(plx_ops_graph *g, const int64_t *d) {
    return plx_reduce_sum(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node sum_columns(plx_ops_graph *g, const int64_t *d) {
    return plx_reduce_sum(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), 0);
}

static plx_node mean_rows(plx_ops_graph *g, const int64_t *d) {
    return plx_reduce_mean(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node max_rows(plx_ops_graph *g, const int64_t *d) {
    return plx_reduce_max(g->graph, PLX_OPS_VALUES(g, d[0], d[1]), -1);
}

static plx_node dropout(plx_ops_graph *g, const int64_t *d) {
    return plx_dropout(g->graph, PLX_OPS_VALUES(g, d[0]), 0.1, 5);
}

static plx_node mse(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_mse(g->graph, x, PLX_OPS_VALUES(g, d[0], d[1]));
}

static plx_node cross_entropy(plx_ops_graph *g, const int64_t *d) {
    const plx_node x = PLX_OPS_VALUES(g, d[0], d[1]);
    return plx_cross_entropy(g->graph, x, plx__ops_indices(g, 1, d, d[1]));
}

static plx_node update(plx_ops_graph *g, const int64_t *d, plx_optimizer_kind kind) {
    plx_optimizer_options options = plx_optimizer_default(kind);
    if (kind == PLX_SGD) options.momentum = 0.9;
    PLX_OPS_VALUES(g, d[0]);
    const plx_node gradient = PLX_OPS_VALUES(g, d[0]);
    g->indices = true;
    if (g->status != PLX_OK) return plx_none();
    g->status = plx_optimizer_new(g->ctx, &options, 1, g->tensors, &g->optimizer);
    return g->status == PLX_OK ? plx_update(g->graph, g->optimizer, &gradient) : plx_none();
}

static plx_node sgd(plx_ops_graph *g, const int64_t *d) {
    return update(g, d, PLX_SGD);
}

static plx_node adam(plx_ops_graph *g, const int64_t *d) {
    return update(g, d, PLX_ADAM);
}

static plx_node adamw(plx_ops_graph *g, const int64_t *d) {
    return update(g, d, PLX_ADAMW);
}

#define VECTORS {{1 << 10}, {4099}, {1 << 16}, {1 << 22}}
#define ROWS {{16, 64}, {1027, 7}, {64, 1024}, {4096, 1024}}

const plx_ops_case plx__ops_cases[] = {
    {"matmul",
     matmul,
     {{64, 64, 64}, {37, 17, 129}, {256, 256, 256}, {1024, 1024, 1024}},
     true,
     true},
    {"dense relu", dense, {{8, 64, 64}, {3, 7, 37}, {64, 200, 784}, {512, 1024, 1024}}, true, true},
    {"add", add, VECTORS, false, false},
    {"mul", mul, VECTORS, false, false},
    {"div", quotient, VECTORS, false, false},
    {"bias", bias, ROWS, false, false},
    {"dropout", dropout, VECTORS, false, false},
    {"softmax", softmax, {{16, 64}, {1027, 7}, {512, 256}, {4096, 1024}}, false, true},
    {"log_softmax", log_softmax, {{16, 64}, {1027, 7}, {512, 256}, {4096, 1024}}, false, false},
    {"sum of all", sum_all, ROWS, false, false},
    {"sum of rows", sum_rows, ROWS, false, false},
    {"sum of columns", sum_columns, ROWS, false, false},
    {"mean of rows", mean_rows, ROWS, false, false},
    {"max of rows", max_rows, ROWS, false, false},
    {"mse", mse, ROWS, false, false},
    {"cross entropy", cross_entropy, {{64, 10}, {515, 3}, {256, 1000}, {1024, 4096}}, false, true},
    {"sgd", sgd, {{1 << 10}, {4099}, {1 << 16}, {1 << 20}}, false, false},
    {"adam", adam, {{1 << 10}, {4099}, {1 << 16}, {1 << 20}}, false, false},
    {"adamw", adamw, {{1 << 10}, {4099}, {1 << 16}, {1 << 20}}, false, false},
    {0},
};
