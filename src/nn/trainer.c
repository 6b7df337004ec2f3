/* Minibatch training, a few steps at a time. */
#include "nn/model.h"

#include "base/platform.h"
#include "ops/op.h"

#include <string.h>

/* The training plan of one batch size. */
typedef struct stepper {
    int64_t rows;
    plx_plan *plan;
    plx_node inputs[PLX_PORTS], targets[PLX_PORTS], loss;
} stepper;

struct plx_trainer {
    plx_model *model;
    plx_trainer_options options;
    plx_dataset data;
    plx_optimizer *optimizer;
    int count; /* of trained weights */
    plx_tensor **trained;
    stepper whole, rest;
    int64_t *order;
    void *inputs[PLX_PORTS], *targets[PLX_PORTS]; /* rows of one batch, side by side */
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

static plx_status check(plx_model *model, const plx_trainer_options *o, const plx_dataset *data) {
    plx__message *message = &model->ctx->message;
    if (!plx_weights_count(model->weights))
        return plx__fail(message, PLX_ERR_STATE, "fit: the model has no parameters");
    if (data->n < 1)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: %lld samples", (long long)data->n);
    if (o->batch < 1 || o->batch > data->n)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: batch %lld for %lld samples; it must be between 1 and %lld",
                         (long long)o->batch, (long long)data->n, (long long)data->n);
    if (o->epochs < 1 || o->epochs > INT32_MAX)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: %lld epochs; at least 1 is needed",
                         (long long)o->epochs);
    if (o->steps < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: %lld steps", (long long)o->steps);
    return plx__check_dataset(model, "fit", o->loss, data);
}

static plx_status emit_update(plx_trainer *t, plx_graph *graph, plx_node loss, plx_node *update) {
    plx_ctx *ctx = t->model->ctx;
    plx_node *wrt = plx_platform_alloc(2 * (size_t)t->count * sizeof *wrt);
    if (!wrt) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    plx_node *grads = wrt + t->count;
    for (int i = 0; i < t->count; ++i) wrt[i] = plx_parameter(graph, NULL, t->trained[i]);
    const plx_status status = plx_gradients(graph, loss, t->count, wrt, grads);
    if (status == PLX_OK) *update = plx_update(graph, t->optimizer, grads);
    plx_platform_free(wrt);
    return status;
}

static plx_status make_stepper(plx_trainer *t, int64_t rows, stepper *s) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(t->model->ctx, &graph));
    plx_node results[PLX_PORTS];
    s->rows = rows;
    plx__model_input_nodes(t->model, graph, rows, s->inputs);
    plx_status status = plx_model_forward(t->model, graph, s->inputs, true, results);
    plx_node outputs[2] = {plx_none(), plx_none()};
    if (status == PLX_OK) {
        s->loss = plx__model_loss(t->model, graph, t->options.loss, results, rows, s->targets);
        outputs[0] = s->loss;
        status = emit_update(t, graph, s->loss, &outputs[1]);
    }
    if (status == PLX_OK) status = plx_compile(graph, 2, outputs, &t->options.plan, &s->plan);
    plx_graph_free(graph);
    return status;
}

static plx_status make_optimizer(plx_trainer *t) {
    plx_ctx *ctx = t->model->ctx;
    const plx_weights *weights = t->model->weights;
    t->trained = plx_platform_alloc((size_t)weights->count * sizeof(plx_tensor *));
    if (!t->trained) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    for (int i = 0; i < weights->count; ++i)
        if (weights->list[i].role != PLX_WEIGHT_STATE)
            t->trained[t->count++] = weights->list[i].tensor;
    return plx_optimizer_new(ctx, &t->options.optimizer, t->count, t->trained, &t->optimizer);
}

/* ---- Batches --------------------------------------------------------------------------------- */

static size_t target_bytes(const plx_trainer *t, int i) {
    const bool labels = t->options.loss == PLX_LOSS_CROSS_ENTROPY;
    return (size_t)plx__target_size(t->model, t->options.loss, i) *
           (labels ? sizeof(int32_t) : sizeof(plx_real));
}

static size_t input_bytes(const plx_trainer *t, int i) {
    const plx_port *port = &t->model->inputs[i];
    return (size_t)plx__port_size(port) * plx__element_bytes(port->dtype);
}

static int targets_of(const plx_trainer *t) {
    return t->options.loss == PLX_LOSS_OWN ? 0 : t->model->outputs_count;
}

/* Batches are gathered unless they lie in the data as they are. */
static bool gathers(const plx_trainer *t) {
    bool strided = t->options.shuffle;
    for (int i = 0; i < PLX_PORTS; ++i)
        strided = strided || t->data.input_strides[i] || t->data.target_strides[i];
    return strided;
}

static plx_status make_room(plx_trainer *t) {
    const size_t batch = (size_t)t->options.batch;
    bool ok = true;
    t->order = plx_platform_alloc((size_t)t->data.n * sizeof *t->order);
    for (int i = 0; i < t->model->inputs_count; ++i) {
        t->inputs[i] = plx_platform_alloc(batch * input_bytes(t, i));
        ok = ok && t->inputs[i];
    }
    for (int i = 0; i < targets_of(t); ++i) {
        t->targets[i] = plx_platform_alloc(batch * target_bytes(t, i));
        ok = ok && t->targets[i];
    }
    if (!ok || !t->order)
        return plx__fail(&t->model->ctx->message, PLX_ERR_MEMORY,
                         "fit: no memory for batches of %lld", (long long)t->options.batch);
    for (int64_t i = 0; i < t->data.n; ++i) t->order[i] = i;
    return PLX_OK;
}

static plx_status prepare(plx_trainer *t) {
    const int64_t batch = t->options.batch, rest = t->data.n % batch;
    t->steps_per_epoch = (t->data.n + batch - 1) / batch;
    PLX_TRY(make_optimizer(t));
    PLX_TRY(make_stepper(t, batch, &t->whole));
    if (rest && (!t->options.steps || t->options.steps >= t->steps_per_epoch))
        PLX_TRY(make_stepper(t, rest, &t->rest));
    return gathers(t) ? make_room(t) : PLX_OK;
}

plx_status plx_trainer_new(plx_model *model, const plx_trainer_options *options,
                           const plx_dataset *data, plx_trainer **out) {
    PLX_TRY(check(model, options, data));
    plx_trainer *t = plx_platform_alloc(sizeof *t);
    if (!t) return plx__fail(&model->ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    *t = (plx_trainer){.model = model, .options = *options, .data = *data};
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
    plx_platform_free(t->trained);
    plx_platform_free(t->order);
    for (int i = 0; i < PLX_PORTS; ++i) {
        plx_platform_free(t->inputs[i]);
        plx_platform_free(t->targets[i]);
    }
    plx_platform_free(t->losses);
    plx_platform_free(t);
}

static const void *input_batch(const plx_trainer *t, int i, int64_t first, int64_t rows) {
    if (!t->order) return plx__dataset_input(t->model, &t->data, i, first);
    const size_t bytes = input_bytes(t, i);
    for (int64_t r = 0; r < rows; ++r)
        memcpy((char *)t->inputs[i] + (size_t)r * bytes,
               plx__dataset_input(t->model, &t->data, i, t->order[first + r]), bytes);
    return t->inputs[i];
}

static const void *target_batch(const plx_trainer *t, int i, int64_t first, int64_t rows) {
    const plx_loss loss = t->options.loss;
    if (!t->order) return plx__dataset_target(t->model, loss, &t->data, i, first);
    const size_t bytes = target_bytes(t, i);
    for (int64_t r = 0; r < rows; ++r)
        memcpy((char *)t->targets[i] + (size_t)r * bytes,
               plx__dataset_target(t->model, loss, &t->data, i, t->order[first + r]), bytes);
    return t->targets[i];
}

static plx_status bind_batch(plx_trainer *t, const stepper *s, int64_t first) {
    for (int i = 0; i < t->model->inputs_count; ++i)
        PLX_TRY(plx_plan_bind(s->plan, s->inputs[i], input_batch(t, i, first, s->rows)));
    for (int i = 0; i < targets_of(t); ++i)
        PLX_TRY(plx_plan_bind(s->plan, s->targets[i], target_batch(t, i, first, s->rows)));
    return PLX_OK;
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
    const int64_t all = t->steps_per_epoch * t->options.epochs;
    const int64_t steps = t->options.steps && t->options.steps < all ? t->options.steps : all;
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
