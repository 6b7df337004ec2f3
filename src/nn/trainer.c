/* Minibatch training, a few steps at a time. */
#include "nn/model.h"

#include "base/platform.h"

#include <string.h>

/* The training plan of one batch size. */
typedef struct stepper {
    int64_t rows;
    plx_plan *plan;
    plx_node x, y, loss;
} stepper;

struct plx_trainer {
    plx_model *model;
    plx_trainer_options options;
    plx_dataset data;
    int64_t in, out; /* values of one sample */
    plx_optimizer *optimizer;
    stepper whole, rest;
    int64_t *order;
    plx_real *x, *y; /* gathered rows of one batch; y holds labels for cross-entropy */
    plx_rng rng;
    int64_t step, steps_per_epoch;
    double epoch_sum; /* loss times rows, this epoch */
    int64_t epoch_rows;
    plx_real *losses;
    int64_t losses_capacity;
};

plx_trainer_options plx_trainer_default(void) {
    return (plx_trainer_options){
        .loss = PLX_LOSS_MSE,
        .optimizer = plx_optimizer_default(PLX_ADAM),
        .batch = 32,
        .epochs = 1,
        .shuffle = true,
        .plan = plx_plan_default(),
    };
}

static bool finite(plx_real value) {
    return value - value == 0;
}

static plx_status check_values(plx_ctx *ctx, const char *what, const plx_real *values, int64_t rows,
                               int64_t columns) {
    for (int64_t i = 0; i < rows * columns; ++i)
        if (!finite(values[i]))
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "fit: %s holds %s in row %lld, column %lld; remove or replace it",
                             what, values[i] != values[i] ? "NaN" : "infinity",
                             (long long)(i / columns), (long long)(i % columns));
    return PLX_OK;
}

static plx_status check_labels(plx_ctx *ctx, const int32_t *labels, int64_t rows, int64_t classes) {
    for (int64_t i = 0; i < rows; ++i)
        if (labels[i] < 0 || labels[i] >= classes)
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "fit: label %d in row %lld is outside 0..%lld", (int)labels[i],
                             (long long)i, (long long)classes - 1);
    return PLX_OK;
}

static plx_status check(plx_model *model, const plx_trainer_options *o, const plx_dataset *data) {
    plx_ctx *ctx = model->ctx;
    plx__message *message = &ctx->message;
    if (!plx_model_parameter_count(model))
        return plx__fail(message, PLX_ERR_STATE, "fit: the model has no parameters");
    if (o->loss != PLX_LOSS_MSE && o->loss != PLX_LOSS_CROSS_ENTROPY)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: no loss number %d", (int)o->loss);
    if (data->n < 1 || !data->x)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: %lld samples", (long long)data->n);
    if (o->batch < 1 || o->batch > data->n)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: batch %lld for %lld samples; it must be between 1 and %lld",
                         (long long)o->batch, (long long)data->n, (long long)data->n);
    if (o->epochs < 1 || o->epochs > INT32_MAX)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: %lld epochs; at least 1 is needed",
                         (long long)o->epochs);
    const int64_t in = plx__model_input_size(model), out = plx__model_output_size(model);
    PLX_TRY(check_values(ctx, "x", data->x, data->n, in));
    if (o->loss == PLX_LOSS_MSE) {
        if (!data->y) return plx__fail(message, PLX_ERR_ARGUMENT, "fit: mse needs targets y");
        return check_values(ctx, "y", data->y, data->n, out);
    }
    if (!data->labels)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: cross-entropy needs labels");
    return check_labels(ctx, data->labels, data->n, out);
}

static plx_node target_input(const plx_trainer *t, plx_graph *graph, int64_t rows) {
    const int64_t *sample;
    const int rank = plx__model_output(t->model, &sample);
    int64_t dims[PLX_MAX_RANK] = {rows};
    memcpy(dims + 1, sample, (size_t)rank * sizeof *dims);
    if (t->options.loss == PLX_LOSS_CROSS_ENTROPY)
        return plx_input(graph, "labels", PLX_DTYPE_I32, rank, dims);
    return plx_input(graph, "y", PLX_DTYPE_REAL, rank + 1, dims);
}

static plx_status emit_update(plx_trainer *t, plx_graph *graph, plx_node loss, plx_node *update) {
    plx_ctx *ctx = t->model->ctx;
    const int count = plx_model_parameter_count(t->model);
    plx_node *wrt = plx_platform_alloc(2 * (size_t)count * sizeof *wrt);
    if (!wrt) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    plx_node *grads = wrt + count;
    for (int i = 0; i < count; ++i) {
        wrt[i] = plx_parameter(graph, NULL, plx_model_parameter(t->model, i, NULL));
    }
    const plx_status status = plx_gradients(graph, loss, count, wrt, grads);
    if (status == PLX_OK) *update = plx_update(graph, t->optimizer, grads);
    plx_platform_free(wrt);
    return status;
}

static plx_status make_stepper(plx_trainer *t, int64_t rows, stepper *s) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(t->model->ctx, &graph));
    s->rows = rows;
    s->x = plx__model_input(t->model, graph, rows);
    s->y = target_input(t, graph, rows);
    const plx_node output = plx_model_forward(t->model, graph, s->x, true);
    s->loss = t->options.loss == PLX_LOSS_MSE ? plx_mse(graph, output, s->y)
                                              : plx_cross_entropy(graph, output, s->y);
    plx_node outputs[2] = {s->loss, plx_none()};
    plx_status status = emit_update(t, graph, s->loss, &outputs[1]);
    if (status == PLX_OK) status = plx_compile(graph, 2, outputs, &t->options.plan, &s->plan);
    plx_graph_free(graph);
    return status;
}

static plx_status make_optimizer(plx_trainer *t) {
    plx_ctx *ctx = t->model->ctx;
    const int count = plx_model_parameter_count(t->model);
    plx_tensor **list = plx_platform_alloc((size_t)count * sizeof(plx_tensor *));
    if (!list) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    plx__model_tensors(t->model, list);
    const plx_status status =
        plx_optimizer_new(ctx, &t->options.optimizer, count, list, &t->optimizer);
    plx_platform_free(list);
    return status;
}

static plx_status prepare(plx_trainer *t) {
    plx_ctx *ctx = t->model->ctx;
    const int64_t batch = t->options.batch, rest = t->data.n % batch;
    t->steps_per_epoch = (t->data.n + batch - 1) / batch;
    PLX_TRY(make_optimizer(t));
    PLX_TRY(make_stepper(t, batch, &t->whole));
    if (rest) PLX_TRY(make_stepper(t, rest, &t->rest));
    if (!t->options.shuffle) return PLX_OK;
    const bool labels = t->options.loss == PLX_LOSS_CROSS_ENTROPY;
    const size_t y_bytes = labels ? sizeof(int32_t) : (size_t)t->out * sizeof(plx_real);
    t->order = plx_platform_alloc((size_t)t->data.n * sizeof *t->order);
    t->x = plx_platform_alloc((size_t)(batch * t->in) * sizeof *t->x);
    t->y = plx_platform_alloc((size_t)batch * y_bytes);
    if (t->order && t->x && t->y) return PLX_OK;
    return plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory for batches of %lld",
                     (long long)batch);
}

plx_status plx_trainer_new(plx_model *model, const plx_trainer_options *options,
                           const plx_dataset *data, plx_trainer **out) {
    PLX_TRY(check(model, options, data));
    plx_trainer *t = plx_platform_alloc(sizeof *t);
    if (!t) return plx__fail(&model->ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    *t = (plx_trainer){.model = model, .options = *options, .data = *data};
    t->in = plx__model_input_size(model);
    t->out = plx__model_output_size(model);
    t->rng = plx_rng_new(options->seed, 0x5eed);
    const plx_status status = prepare(t);
    if (status != PLX_OK) {
        plx_trainer_free(t);
        return status;
    }
    *out = t;
    return PLX_OK;
}

void plx_trainer_free(plx_trainer *t) {
    if (!t) return;
    plx_plan_free(t->whole.plan);
    plx_plan_free(t->rest.plan);
    plx_optimizer_free(t->optimizer);
    plx_platform_free(t->order);
    plx_platform_free(t->x);
    plx_platform_free(t->y);
    plx_platform_free(t->losses);
    plx_platform_free(t);
}

/* Copies the rows of this batch side by side. */
static void gather(plx_trainer *t, int64_t first, int64_t rows) {
    const bool labels = t->options.loss == PLX_LOSS_CROSS_ENTROPY;
    int32_t *to_labels = (int32_t *)t->y;
    for (int64_t i = 0; i < rows; ++i) {
        const int64_t from = t->order[first + i];
        memcpy(t->x + i * t->in, t->data.x + from * t->in, (size_t)t->in * sizeof *t->x);
        if (labels)
            to_labels[i] = t->data.labels[from];
        else
            memcpy(t->y + i * t->out, t->data.y + from * t->out, (size_t)t->out * sizeof *t->y);
    }
}

static plx_status bind_batch(plx_trainer *t, const stepper *s, int64_t first) {
    const bool labels = t->options.loss == PLX_LOSS_CROSS_ENTROPY;
    const void *x = t->x, *y = t->y;
    if (t->options.shuffle) {
        gather(t, first, s->rows);
    } else {
        x = t->data.x + first * t->in;
        y = labels ? (const void *)(t->data.labels + first)
                   : (const void *)(t->data.y + first * t->out);
    }
    PLX_TRY(plx_plan_bind(s->plan, s->x, x));
    return plx_plan_bind(s->plan, s->y, y);
}

static plx_status keep_loss(plx_trainer *t, plx_real loss) {
    if (t->step == t->losses_capacity) {
        const int64_t capacity = t->losses_capacity ? 2 * t->losses_capacity : 256;
        plx_real *losses = plx_platform_alloc((size_t)capacity * sizeof *losses);
        if (!losses)
            return plx__fail(&t->model->ctx->message, PLX_ERR_MEMORY,
                             "fit: no memory for the losses of %lld steps", (long long)capacity);
        if (t->step) memcpy(losses, t->losses, (size_t)t->step * sizeof *losses);
        plx_platform_free(t->losses);
        t->losses = losses;
        t->losses_capacity = capacity;
    }
    t->losses[t->step] = loss;
    return PLX_OK;
}

static plx_status run_step(plx_trainer *t) {
    const int64_t in_epoch = t->step % t->steps_per_epoch;
    if (!in_epoch) {
        t->epoch_sum = 0;
        t->epoch_rows = 0;
        if (t->options.shuffle) plx_rng_permute(&t->rng, t->data.n, t->order);
    }
    const int64_t first = in_epoch * t->options.batch;
    const stepper *s = t->data.n - first < t->options.batch ? &t->rest : &t->whole;
    PLX_TRY(bind_batch(t, s, first));
    plx_plan_set_step(s->plan, (uint64_t)t->step);
    PLX_TRY(plx_plan_run(s->plan));
    const plx_real loss = plx_plan_output(s->plan, s->loss)[0];
    if (!finite(loss))
        return plx__fail(
            &t->model->ctx->message, PLX_ERR_DIVERGED,
            "fit: the loss is not finite at step %lld of epoch %lld; lower the learning "
            "rate (%g)",
            (long long)t->step + 1, (long long)(t->step / t->steps_per_epoch) + 1,
            t->options.optimizer.rate);
    PLX_TRY(keep_loss(t, loss));
    t->epoch_sum += (double)loss * (double)s->rows;
    t->epoch_rows += s->rows;
    t->step += 1;
    return PLX_OK;
}

plx_status plx_trainer_run(plx_trainer *t, int64_t max_steps, plx_progress *progress) {
    const int64_t steps = t->steps_per_epoch * t->options.epochs;
    plx_status status = PLX_OK;
    for (int64_t i = 0; i < max_steps && t->step < steps; ++i) {
        status = run_step(t);
        if (status != PLX_OK || t->step % t->steps_per_epoch == 0) break;
    }
    *progress = (plx_progress){
        .step = t->step,
        .steps = steps,
        .epoch = t->step / t->steps_per_epoch,
        .epochs = t->options.epochs,
        .loss = t->step ? t->losses[t->step - 1] : 0,
        .epoch_loss = t->epoch_rows ? t->epoch_sum / (double)t->epoch_rows : 0,
        .done = t->step >= steps,
    };
    return status;
}

const plx_real *plx_trainer_losses(const plx_trainer *t, int64_t *count) {
    *count = t->step;
    return t->losses;
}

void plx_trainer_set_rate(plx_trainer *t, double rate) {
    t->options.optimizer.rate = rate;
    plx_optimizer_set_rate(t->optimizer, rate);
}

/* Both plans share parameters and optimizer; the batch that was gathered counts as inputs. */
plx_memory plx_trainer_memory(const plx_trainer *t) {
    plx_memory memory = plx_plan_memory(t->whole.plan);
    if (t->rest.plan) {
        const plx_memory rest = plx_plan_memory(t->rest.plan);
        memory.gradients += rest.gradients;
        memory.activations += rest.activations;
        memory.workspace += rest.workspace;
    }
    return memory;
}

plx_plan *plx_trainer_plan(plx_trainer *t) {
    return t->whole.plan;
}
