/* The plans of a trainer: loss, gradients and update for whole batches and for the rest of an
 * epoch. With accumulation these only sum gradients, and one more plan updates from the sums. */
#include "nn/trainer.h"

#include "base/platform.h"

/* Clips and updates. Gradients whose norm is not finite are clipped to 0, which would look finite.
 */
static plx_status emit_update(plx_trainer *t, plx_graph *graph, plx_node *grads, plx_node loss,
                              plx_node *norm, plx_node *update) {
    if (t->options.clip_norm > 0)
        PLX_TRY(plx__clip_by_norm(graph, t->count, grads, t->options.clip_norm, grads, norm));
    *update = plx__update_if_finite(graph, t->optimizer, grads, loss, *norm);
    return plx_graph_status(graph);
}

static plx_status emit_gradients(plx_trainer *t, plx_graph *graph, plx__stepper *s,
                                 plx_node *update) {
    plx_ctx *ctx = t->model->ctx;
    plx_node *wrt = plx_platform_alloc(2 * (size_t)t->count * sizeof *wrt);
    if (!wrt) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    plx_node *grads = wrt + t->count;
    for (int i = 0; i < t->count; ++i) wrt[i] = plx_parameter(graph, NULL, t->trained[i]);
    plx_status status = plx_gradients(graph, s->loss, t->count, wrt, grads);
    if (status == PLX_OK) {
        if (t->options.accumulate > 1)
            *update = plx__accumulate(graph, t->optimizer, grads);
        else
            status = emit_update(t, graph, grads, s->loss, &s->norm, update);
    }
    plx_platform_free(wrt);
    return status;
}

/* Adds the losses of the outputs and their sum. With accumulation each is weighted by its labels
 * that count in this batch, relative to all batches of the step. */
static plx_status emit_parts(plx_trainer *t, plx_graph *graph, const plx_node *results,
                             plx__stepper *s) {
    PLX_TRY(plx__model_losses(t->model, graph, PLX_LOSS_CROSS_ENTROPY, t->options.label_smoothing,
                              s->rows, results, s->weights, s->targets, s->parts));
    for (int i = 0; i < t->model->outputs_count; ++i) {
        plx_node part = s->parts[i];
        if (t->options.accumulate > 1) {
            char name[16];
            plx__format(name, sizeof name, "share_%d", i);
            s->shares[i] = plx_input(graph, name, PLX_DTYPE_REAL, 0, NULL);
            part = plx_mul(graph, part, s->shares[i]);
        }
        s->loss = i ? plx_add(graph, s->loss, part) : part;
    }
    return plx_graph_status(graph);
}

/* Adds scalar i of the caller's own, which must hold one real that is not from another graph. */
static plx_status emit_own(plx_trainer *t, plx_graph *graph, int i, const plx__stepper *s,
                           plx_node output, plx_node *out) {
    *out = t->options.function(t->options.self, graph, i, output, s->targets[0]);
    PLX_TRY(plx_graph_status(graph));
    plx__message *message = &t->model->ctx->message;
    const int32_t place = plx__place_of(graph, *out);
    const char *what = i == PLX_OWN_LOSS ? "loss" : "metric";
    if (place < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: the function of the %s gave no node of its graph", what);
    const plx__node *node = graph->nodes[place];
    char shape[96];
    if (plx__size(node) == 1 && node->dtype == PLX_DTYPE_REAL) return PLX_OK;
    return plx__fail(message, PLX_ERR_SHAPE,
                     "fit: the function of the %s gave %s %s; it must give one real: take the mean",
                     what, plx__dtype_name(node->dtype),
                     plx__shape_text(node->rank, node->dims, shape, sizeof shape));
}

/* Adds the loss of rows samples to the graph, and what is reported besides it. */
static plx_status emit_loss(plx_trainer *t, plx_graph *graph, double p, bool training,
                            plx__stepper *s) {
    const plx_trainer_options *o = &t->options;
    plx_node results[PLX_PORTS];
    plx__model_input_nodes(t->model, graph, s->rows, s->inputs);
    if (training && t->batches.data.weights)
        s->weights = plx_input(graph, "sample_weights", PLX_DTYPE_REAL, 1, &s->rows);
    PLX_TRY(plx_model_forward(t->model, graph, s->inputs, training, results));
    if (training && t->apart)
        PLX_TRY(emit_parts(t, graph, results, s));
    else
        PLX_TRY(plx__weighted_loss(t->model, graph, o->loss, p, s->rows, results, s->weights,
                                   s->targets, &s->loss));
    if (training && o->metrics) s->output = plx__under(t->model, graph, o->loss, results[0]);
    for (int i = 0; i < o->own_metrics; ++i)
        PLX_TRY(emit_own(t, graph, i, s, results[0], &s->own[i]));
    if (o->own_loss) PLX_TRY(emit_own(t, graph, PLX_OWN_LOSS, s, results[0], &s->loss));
    s->loss = plx__with_penalties(t->model, graph, s->loss);
    return plx_graph_status(graph);
}

static plx_status compile(plx_trainer *t, plx_graph *graph, plx_node loss, plx_node update,
                          plx__stepper *s) {
    plx_node outputs[4 + PLX_PORTS + PLX_OWN_METRICS];
    int count = 0;
    if (loss.id >= 0) outputs[count++] = loss;
    if (s->norm.id >= 0) outputs[count++] = s->norm;
    if (update.id >= 0) outputs[count++] = update;
    for (int i = 0; i < PLX_PORTS; ++i)
        if (s->parts[i].id >= 0) outputs[count++] = s->parts[i];
    for (int i = 0; i < PLX_OWN_METRICS; ++i)
        if (s->own[i].id >= 0) outputs[count++] = s->own[i];
    if (s->output.id >= 0) outputs[count++] = s->output;
    PLX_TRY(plx_compile(graph, count, outputs, &t->options.plan, &s->plan));
    for (int i = 0; i < PLX_PORTS; ++i)
        if (s->shares[i].id >= 0) PLX_TRY(plx_plan_bind(s->plan, s->shares[i], &t->shares[i]));
    return PLX_OK;
}

static plx__stepper empty_stepper(int64_t rows) {
    const plx_node none = plx_none();
    plx__stepper s = {.rows = rows, .norm = none, .weights = none, .output = none};
    for (int i = 0; i < PLX_PORTS; ++i) s.parts[i] = s.shares[i] = none;
    for (int i = 0; i < PLX_OWN_METRICS; ++i) s.own[i] = none;
    return s;
}

static plx_status make_stepper(plx_trainer *t, int64_t rows, plx__stepper *s) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(t->model->ctx, &graph));
    *s = empty_stepper(rows);
    plx_node update = plx_none();
    plx_status status = emit_loss(t, graph, plx__trainer_parameter(t), true, s);
    if (status == PLX_OK) status = emit_gradients(t, graph, s, &update);
    if (status == PLX_OK) status = compile(t, graph, s->loss, update, s);
    plx_graph_free(graph);
    return status;
}

plx_status plx__stepper_of_loss(plx_trainer *t, int64_t rows, plx__stepper *s) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(t->model->ctx, &graph));
    *s = empty_stepper(rows);
    plx_status status = emit_loss(t, graph, t->options.huber_delta, false, s);
    if (status == PLX_OK) status = compile(t, graph, s->loss, plx_none(), s);
    plx_graph_free(graph);
    return status;
}

/* Makes the plan that updates from the optimizer's sums. */
static plx_status make_apply(plx_trainer *t) {
    plx_ctx *ctx = t->model->ctx;
    plx_graph *graph;
    PLX_TRY(plx_graph_new(ctx, &graph));
    plx__stepper *s = &t->apply;
    *s = empty_stepper(0);
    plx_node update = plx_none();
    plx_node *grads = plx_platform_alloc((size_t)t->count * sizeof *grads);
    plx_status status = grads ? PLX_OK : plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    for (int i = 0; grads && i < t->count; ++i)
        grads[i] = plx_parameter(graph, NULL, t->optimizer->sums[i]);
    if (status == PLX_OK) status = emit_update(t, graph, grads, plx_none(), &s->norm, &update);
    if (status == PLX_OK) status = compile(t, graph, plx_none(), update, s);
    plx_platform_free(grads);
    plx_graph_free(graph);
    return status;
}

plx_status plx__steppers_make(plx_trainer *t) {
    const int64_t batch = t->options.batch, rest = t->batches.data.n % batch;
    PLX_TRY(make_stepper(t, batch, &t->whole));
    if (rest && t->steps >= t->steps_per_epoch) PLX_TRY(make_stepper(t, rest, &t->rest));
    return t->options.accumulate > 1 ? make_apply(t) : PLX_OK;
}

void plx__steppers_free(plx_trainer *t) {
    plx_plan_free(t->whole.plan);
    plx_plan_free(t->rest.plan);
    plx_plan_free(t->apply.plan);
}
