/* The losses of models as nodes of a graph. */
#include "nn/model.h"

#include "graph/graph.h"
#include "ops/op.h"
#include "parallax.h"

#include <string.h>

double plx__loss_parameter(plx_loss loss, double p) {
    return loss == PLX_LOSS_HUBER && p == 0 ? 1 : p;
}

/* The mean over a batch. y: values, or logits. */
static plx_node mean_of(plx_graph *graph, plx_loss loss, double p, plx_node y, plx_node target) {
    switch ((int)loss) {
    case PLX_LOSS_CROSS_ENTROPY: return plx_cross_entropy_smooth(graph, y, target, p);
    case PLX_LOSS_BINARY_CROSS_ENTROPY: return plx_binary_cross_entropy(graph, y, target);
    case PLX_LOSS_MAE: return plx_l1(graph, y, target);
    case PLX_LOSS_HUBER: return plx_huber(graph, y, target, p);
    default: return plx_mse(graph, y, target);
    }
}

/* ---- Weighted samples ------------------------------------------------------------------------ */

/* One term for each value; their mean is mean_of. */
static plx_node terms_of(plx_graph *graph, plx_loss loss, double p, plx_node y, plx_node target) {
    if (loss == PLX_LOSS_BINARY_CROSS_ENTROPY) {
        const plx_node product = plx_mul(graph, y, target);
        return plx_sub(graph, plx_activate(graph, y, PLX_SOFTPLUS, 0), product);
    }
    const plx_node error = plx_sub(graph, y, target);
    if (loss == PLX_LOSS_MSE) return plx_square(graph, error);
    const plx_node size = plx_abs(graph, error);
    if (loss == PLX_LOSS_MAE) return size;
    /* m (|error| - m / 2) with m = min(|error|, p) */
    const plx_node m = plx_min(graph, size, plx_constant(graph, p));
    const plx_node half = plx_mul(graph, m, plx_constant(graph, 0.5));
    return plx_mul(graph, m, plx_sub(graph, size, half));
}

static plx_node whole(plx_graph *graph, int value) {
    return plx_cast(graph, plx_constant(graph, value), PLX_DTYPE_I32);
}

/* One term for each label, 0 for one that is ignored; *counted: how many are not. */
static plx_node label_terms(plx_graph *graph, double smoothing, plx_node logits, plx_node labels,
                            plx_node *counted) {
    const int64_t *own = NULL;
    const int rank = plx_node_shape(graph, labels, &own);
    if (rank < 0 || rank >= PLX_MAX_RANK) return plx_none();
    int64_t dims[PLX_MAX_RANK] = {0};
    memcpy(dims, own, (size_t)rank * sizeof *dims);
    dims[rank] = 1;
    const plx_node ignored = plx_equal(graph, labels, whole(graph, PLX_IGNORED_LABEL));
    const plx_node known = plx_where(graph, ignored, whole(graph, 0), labels);
    const plx_node counts =
        plx_sub(graph, plx_constant(graph, 1), plx_cast(graph, ignored, PLX_DTYPE_REAL));
    const plx_node logs = plx_log_softmax(graph, logits, -1);
    const plx_node picked =
        plx_take_along(graph, logs, plx_reshape(graph, known, rank + 1, dims), -1);
    plx_node term = plx_reshape(graph, picked, rank, dims);
    if (smoothing > 0) {
        const plx_node at_label = plx_mul(graph, term, plx_constant(graph, 1 - smoothing));
        const plx_node even = plx_reduce_mean(graph, logs, -1);
        term = plx_add(graph, at_label, plx_mul(graph, even, plx_constant(graph, smoothing)));
    }
    *counted = plx_reduce_sum(graph, counts, PLX_ALL_AXES);
    return plx_mul(graph, term, plx_mul(graph, counts, plx_constant(graph, -1)));
}

/* The terms of each sample times its weight, over the number of terms that count: as mean_of if all
 * weights are 1. */
static plx_node weighted(plx_graph *graph, plx_loss loss, double p, int64_t batch, plx_node y,
                         plx_node target, plx_node weights) {
    const int64_t rows[] = {batch, -1}, column[] = {batch, 1};
    plx_node counted = plx_none();
    const plx_node terms = loss == PLX_LOSS_CROSS_ENTROPY
                               ? label_terms(graph, p, y, target, &counted)
                               : terms_of(graph, loss, p, y, target);
    const plx_node factors = plx_reshape(graph, weights, 2, column);
    const plx_node all = plx_mul(graph, plx_reshape(graph, terms, 2, rows), factors);
    if (loss != PLX_LOSS_CROSS_ENTROPY) return plx_reduce_mean(graph, all, PLX_ALL_AXES);
    const plx_node sum = plx_reduce_sum(graph, all, PLX_ALL_AXES);
    return plx_div(graph, sum, plx_max(graph, counted, plx_constant(graph, 1)));
}

/* ---- Losses of models ------------------------------------------------------------------------ */

/* Adds the input for the target of output i, with a name that no other input has. */
static plx_node target_of(const plx_model *model, plx_graph *graph, plx_loss loss, int64_t batch,
                          int i) {
    const bool labels = loss == PLX_LOSS_CROSS_ENTROPY;
    const plx_port *port = &model->outputs[i];
    const char *name = labels ? "labels" : "y";
    char own[32];
    int64_t dims[PLX_MAX_RANK] = {batch};
    memcpy(dims + 1, port->dims, (size_t)port->rank * sizeof *dims);
    plx__format(own, sizeof own, "%s", name);
    for (int number = 2; plx__has_input(graph, own); ++number)
        plx__format(own, sizeof own, "%s_%d", name, number);
    return plx_input(graph, own, labels ? PLX_DTYPE_I32 : PLX_DTYPE_REAL,
                     labels ? port->rank : port->rank + 1, dims);
}

plx_status plx__model_losses(const plx_model *model, plx_graph *graph, plx_loss loss, double p,
                             int64_t batch, const plx_node *outputs, plx_node weights,
                             plx_node *targets, plx_node *parts) {
    const double own = plx__loss_parameter(loss, p);
    for (int i = 0; i < model->outputs_count; ++i) {
        const plx_node y = plx__under(model, graph, loss, outputs[i]);
        targets[i] = target_of(model, graph, loss, batch, i);
        parts[i] = weights.id < 0 ? mean_of(graph, loss, own, y, targets[i])
                                  : weighted(graph, loss, own, batch, y, targets[i], weights);
    }
    return plx_graph_status(graph);
}

static void emit_loss(const plx_model *model, const plx_scope *scope, plx_loss loss, double p,
                      int64_t batch, const plx_node *outputs, plx_node weights, plx_node *targets,
                      plx_node *sum) {
    if (loss == PLX_LOSS_OWN) {
        *sum = model->family->loss(model, scope, outputs);
        return;
    }
    plx_node parts[PLX_PORTS];
    plx__model_losses(model, scope->graph, loss, p, batch, outputs, weights, targets, parts);
    *sum = parts[0];
    for (int i = 1; i < model->outputs_count; ++i) *sum = plx_add(scope->graph, *sum, parts[i]);
}

static plx_status check_loss(const plx_model *model, plx_loss loss, int64_t batch,
                             const plx_node *outputs, const plx_node *targets,
                             const plx_node *out) {
    plx__message *message = &model->ctx->message;
    PLX_TRY(plx__check_loss(model, "loss", loss));
    PLX_TRY(plx__need(message, "loss", "outputs", outputs));
    PLX_TRY(plx__need(message, "loss", "out", out));
    if (loss == PLX_LOSS_OWN) return PLX_OK;
    if (batch < 1)
        return plx__fail(message, PLX_ERR_ARGUMENT, "loss: batch is %lld; it must be at least 1",
                         (long long)batch);
    return plx__need(message, "loss", "targets", targets);
}

plx_status plx__weighted_loss(plx_model *model, plx_graph *graph, plx_loss loss, double p,
                              int64_t batch, const plx_node *outputs, plx_node weights,
                              plx_node *targets, plx_node *out) {
    const plx_scope scope = plx_scope_new(model->weights, graph, true);
    PLX_TRY(plx_graph_status(graph));
    PLX_TRY(check_loss(model, loss, batch, outputs, targets, out));
    const plx__scope_mark before = plx__scope_here(&scope);
    plx_node made[PLX_PORTS], sum = plx_none();
    emit_loss(model, &scope, loss, p, batch, outputs, weights, made, &sum);
    PLX_TRY(plx__scope_settle(&scope, before));
    if (loss != PLX_LOSS_OWN) memcpy(targets, made, (size_t)model->outputs_count * sizeof *made);
    *out = sum;
    return PLX_OK;
}

plx_status plx_model_loss(plx_model *model, plx_graph *graph, plx_loss loss, double p,
                          int64_t batch, const plx_node *outputs, plx_node *targets,
                          plx_node *out) {
    return plx__weighted_loss(model, graph, loss, p, batch, outputs, plx_none(), targets, out);
}

/* ---- Penalties of weights -------------------------------------------------------------------- */

static bool is_penalised(const plx__weight *weight) {
    return !weight->frozen && (weight->l1 > 0 || weight->l2 > 0);
}

plx_node plx__with_penalties(const plx_model *model, plx_graph *graph, plx_node loss) {
    const plx_weights *w = model->weights;
    for (int i = 0; i < w->count; ++i) {
        const plx__weight *weight = &w->list[i];
        if (!is_penalised(weight)) continue;
        const plx_node values = plx_parameter(graph, NULL, weight->tensor);
        for (int square = 0; square < 2; ++square) {
            const double factor = square ? weight->l2 : weight->l1;
            if (factor == 0) continue;
            const plx_node sizes = square ? plx_square(graph, values) : plx_abs(graph, values);
            const plx_node sum = plx_reduce_sum(graph, sizes, PLX_ALL_AXES);
            loss = plx_add(graph, loss, plx_mul(graph, sum, plx_constant(graph, factor)));
        }
    }
    return loss;
}

double plx__penalty(const plx_model *model) {
    const plx_weights *w = model->weights;
    double penalty = 0;
    for (int i = 0; i < w->count; ++i) {
        const plx__weight *weight = &w->list[i];
        const plx_real *values = weight->tensor->data;
        double sum = 0, squares = 0;
        for (int64_t k = 0; is_penalised(weight) && k < weight->tensor->size; ++k) {
            const double value = (double)values[k];
            sum += value < 0 ? -value : value;
            squares += value * value;
        }
        penalty += weight->l1 * sum + weight->l2 * squares;
    }
    return penalty;
}
