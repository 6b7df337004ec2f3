/* Minibatch training, a few steps at a time. */
#include "nn/trainer.h"

#include "base/platform.h"

#include <math.h>
#include <string.h>

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

static bool is_finite(double value) {
    return value - value == 0;
}

/* ---- Making one ------------------------------------------------------------------------------ */

static plx_status check_counts(plx__message *message, const plx_trainer_options *o, int64_t n) {
    if (n < 1)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: the data has %lld samples; at least 1 is needed", (long long)n);
    if (o->batch < 1 || o->batch > n)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: batch is %lld for %lld samples; it must be 1 to %lld",
                         (long long)o->batch, (long long)n, (long long)n);
    if (o->epochs < 1 || o->epochs > INT32_MAX)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: epochs is %lld; it must be 1 to %d",
                         (long long)o->epochs, INT32_MAX);
    if (o->steps < 0)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "fit: steps is %lld; it must not be negative (0: as many as the epochs have)",
            (long long)o->steps);
    if (o->accumulate < 0 || o->accumulate > INT32_MAX)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: accumulate is %lld; it must be 0 to %d (0 and 1: no accumulation)",
                         (long long)o->accumulate, INT32_MAX);
    if (o->patience < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: patience is %lld; it must be 0 or more",
                         (long long)o->patience);
    if (o->patience && !o->validation)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: patience is %lld; early stopping needs validation data",
                         (long long)o->patience);
    return PLX_OK;
}

static plx_status check_amounts(plx__message *message, const plx_trainer_options *o) {
    if (!(o->clip_norm >= 0 && is_finite(o->clip_norm)))
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "fit: the clip norm is %g; it must be above 0 and finite, or 0 for no clipping",
            o->clip_norm);
    if (!(o->label_smoothing >= 0 && o->label_smoothing < 1))
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: label smoothing %g must be 0 to below 1",
                         o->label_smoothing);
    if (o->label_smoothing > 0 && o->loss != PLX_LOSS_CROSS_ENTROPY)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "fit: label smoothing is %g; it must be 0 unless the loss is cross-entropy",
            o->label_smoothing);
    if (!(o->huber_delta >= 0 && is_finite(o->huber_delta)) ||
        (o->huber_delta > 0 && o->loss != PLX_LOSS_HUBER))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: huber_delta is %g; it must be above 0 and finite, or 0 for 1, and 0 "
                         "unless the loss is huber",
                         o->huber_delta);
    if (!(o->min_improvement >= 0 && is_finite(o->min_improvement)))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: the least improvement is %g; it must be finite and not negative",
                         o->min_improvement);
    return PLX_OK;
}

/* The caller's own loss and metrics are scalars of one output and its target. */
static plx_status check_own(const plx_model *model, const plx_trainer_options *o,
                            const plx_dataset *data) {
    plx__message *message = &model->ctx->message;
    if (!o->own_metrics && !o->own_loss) return PLX_OK;
    PLX_TRY(plx__need(message, "fit", "the function", o->function ? o : NULL));
    if (o->own_metrics < 0 || o->own_metrics > PLX_OWN_METRICS)
        return plx__fail(message, PLX_ERR_ARGUMENT, "fit: %d metrics of one's own; there may be %d",
                         o->own_metrics, PLX_OWN_METRICS);
    if (o->loss == PLX_LOSS_OWN)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: functions need targets, which the model's own loss does not have");
    if (o->own_loss && model->outputs_count > 1)
        return plx__fail(message, PLX_ERR_UNSUPPORTED,
                         "fit: a function as the loss needs a model with one output; this one has "
                         "%d",
                         model->outputs_count);
    if (o->own_loss && (data->weights || o->label_smoothing > 0))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: a function as the loss takes no %s; apply them in the function",
                         data->weights ? "weights of samples" : "label smoothing");
    return PLX_OK;
}

static bool has_labels(const plx_model *model, const plx_dataset *data) {
    for (int i = 0; i < model->outputs_count; ++i)
        for (int64_t row = 0; row < data->n; ++row)
            if (plx__counted_labels(model, data, i, row)) return true;
    return false;
}

static plx_status check(plx_model *model, const plx_trainer_options *o, const plx_dataset *data) {
    plx__message *message = &model->ctx->message;
    if (!plx_weights_count(model->weights))
        return plx__fail(message, PLX_ERR_STATE, "fit: the model has no parameters");
    PLX_TRY(check_counts(message, o, data->n));
    PLX_TRY(check_amounts(message, o));
    PLX_TRY(plx__check_dataset(model, "fit", o->loss, data));
    PLX_TRY(check_own(model, o, data));
    if (o->loss == PLX_LOSS_CROSS_ENTROPY && !has_labels(model, data))
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "fit: every label equals the ignored label (%d), so there is nothing to learn",
            PLX_IGNORED_LABEL);
    return PLX_OK;
}

/* Counts the steps of an epoch and in all. */
static void count_steps(plx_trainer *t) {
    const plx_trainer_options *o = &t->options;
    t->batches_per_epoch = (t->batches.data.n + o->batch - 1) / o->batch;
    t->steps_per_epoch = (t->batches_per_epoch + o->accumulate - 1) / o->accumulate;
    t->steps = t->steps_per_epoch * o->epochs;
    if (o->steps && o->steps < t->steps) t->steps = o->steps;
}

/* With too few samples to tell apart, the loss is the same for all weights. */
static plx_status check_own_loss(const plx_trainer *t) {
    const int64_t batch = t->options.batch, n = t->batches.data.n;
    const int64_t least = t->options.loss == PLX_LOSS_OWN ? t->model->family->loss_batch : 0;
    plx__message *message = &t->model->ctx->message;
    if (batch < least)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: batch is %lld; the loss of %s compares the samples of a batch and "
                         "needs at least %lld",
                         (long long)batch, t->model->family->name, (long long)least);
    if (n % batch && n % batch < least && t->steps >= t->steps_per_epoch)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "fit: batch is %lld, which leaves %lld of %lld samples for the last batch of an epoch; "
            "the loss of %s compares samples and needs at least %lld: use another batch",
            (long long)batch, (long long)(n % batch), (long long)n, t->model->family->name,
            (long long)least);
    return PLX_OK;
}

/* Allocates room for the losses of all steps, so that training needs none later; runs of more than
 * a million steps double it as they go. */
static plx_status room_for_losses(plx_trainer *t, int64_t capacity) {
    plx_real *losses = plx_platform_alloc((size_t)capacity * sizeof *losses);
    if (!losses)
        return plx__fail(&t->model->ctx->message, PLX_ERR_MEMORY,
                         "fit: no memory for the losses of %lld steps", (long long)capacity);
    if (t->step) memcpy(losses, t->losses, (size_t)t->step * sizeof *losses);
    plx_platform_free(t->losses);
    t->losses = losses;
    t->losses_capacity = capacity;
    return PLX_OK;
}

plx_status plx__trainer_room(plx_trainer *t, int64_t steps) {
    return steps < t->losses_capacity ? PLX_OK : room_for_losses(t, steps + 1);
}

double plx__trainer_parameter(const plx_trainer *t) {
    const plx_trainer_options *o = &t->options;
    return o->loss == PLX_LOSS_HUBER ? o->huber_delta : o->label_smoothing;
}

static double rate_at(const plx_trainer *t, int64_t step) {
    return t->options.optimizer.rate * plx_schedule_share(&t->options.schedule, step, t->steps);
}

static plx_status prepare(plx_trainer *t, const plx_dataset *data) {
    enum { MOST_LOSSES = 1 << 20 };
    PLX_TRY(plx__batches_open(&t->batches, t->model, &t->options, data));
    t->apart = t->batches.ignores && t->model->outputs_count > 1;
    count_steps(t);
    PLX_TRY(check_own_loss(t));
    PLX_TRY(plx__schedule_check(&t->model->ctx->message, &t->options.schedule, t->steps));
    PLX_TRY(plx__optimizer_open(t));
    PLX_TRY(plx__steppers_make(t));
    PLX_TRY(plx__validation_open(t));
    PLX_TRY(plx__kept_open(t));
    t->norm = NAN;
    t->rate = rate_at(t, 0);
    return room_for_losses(t, t->steps < MOST_LOSSES ? t->steps : MOST_LOSSES);
}

plx_status plx_trainer_new(plx_model *model, const plx_trainer_options *options,
                           const plx_dataset *data, plx_trainer **out) {
    plx__message *message = &model->ctx->message;
    PLX_TRY(plx__need(message, "fit", "options", options));
    PLX_TRY(plx__need(message, "fit", "the data", data));
    PLX_TRY(plx__need(message, "fit", "out", out));
    PLX_TRY(check(model, options, data));
    plx_trainer *t = plx_platform_alloc(sizeof *t);
    if (!t) return plx__fail(&model->ctx->message, PLX_ERR_MEMORY, "fit: no memory");
    *t = (plx_trainer){.model = plx__model_hold(model), .options = *options};
    model->trainers += 1;
    if (!t->options.accumulate) t->options.accumulate = 1;
    const plx_status status = prepare(t, data);
    if (status != PLX_OK) {
        plx_trainer_free(t);
        return status;
    }
    *out = t;
    return PLX_OK;
}

void plx_trainer_free(plx_trainer *t) {
    if (!t) return;
    plx__steppers_free(t);
    plx__validation_close(t);
    plx__kept_close(t);
    plx__batches_close(&t->batches);
    plx__optimizer_close(t);
    plx_platform_free(t->losses);
    t->model->trainers -= 1;
    plx_model_free(t->model);
    plx_platform_free(t);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* Reports what was not finite. */
static plx_status diverge(plx_trainer *t, const char *what, int64_t step) {
    t->diverged = true;
    const double asked = t->options.optimizer.rate;
    char rate[64];
    if (t->rate == asked)
        plx__format(rate, sizeof rate, "%g", asked);
    else
        plx__format(rate, sizeof rate, "%g, at this step %g", asked, t->rate);
    return plx__fail(&t->model->ctx->message, PLX_ERR_DIVERGED,
                     "fit: the %s not finite at step %lld, in epoch %lld; the weights of the last "
                     "good step are restored: lower the learning rate (%s)",
                     what, (long long)step, (long long)((step - 1) / t->steps_per_epoch) + 1, rate);
}

/* The same after a bad step that the weights have already taken: restores them. */
static plx_status undo(plx_trainer *t, const char *what, int64_t step) {
    plx__put_back_last(t);
    return diverge(t, what, step);
}

/* Number of rows in batches first to end - 1 of an epoch. */
static int64_t rows_between(const plx_trainer *t, int64_t first, int64_t end) {
    const int64_t n = t->batches.data.n, batch = t->options.batch;
    return (end * batch < n ? end * batch : n) - first * batch;
}

/* The rows of a batch, within the order. */
typedef struct span {
    int64_t first, end;
} span;

static span rows_of(const plx_trainer *t, int64_t batch) {
    const int64_t first = batch * t->options.batch;
    return (span){first, first + rows_between(t, batch, batch + 1)};
}

/* Adds the loss of a batch to that of the epoch, weighted by its labels or samples that count. */
static void add_to_epoch(plx_trainer *t, int output, double loss, double counted) {
    t->sums[output] += loss * counted;
    t->counted[output] += counted;
}

static double epoch_loss(const plx_trainer *t) {
    double loss = 0;
    for (int i = 0; i < PLX_PORTS; ++i)
        if (t->counted[i] > 0) loss += t->sums[i] / t->counted[i];
    return loss;
}

/* Adds what a batch tells about the epoch besides its loss. */
static void add_metrics(plx_trainer *t, const plx__stepper *s, int64_t first) {
    const plx_trainer_options *o = &t->options;
    t->rows += (double)s->rows;
    for (int i = 0; i < o->own_metrics; ++i)
        t->own[i] += (double)plx_plan_output(s->plan, s->own[i])[0] * (double)s->rows;
    if (s->output.id < 0 || o->loss == PLX_LOSS_OWN) return;
    plx__tally_add(&t->tally, &t->model->outputs[0], o->loss,
                   plx__loss_parameter(o->loss, o->huber_delta), s->rows,
                   plx_plan_output(s->plan, s->output), plx__batches_targets(&t->batches, first),
                   NULL, NULL);
}

/* Runs the plan of batch number i of the epoch. */
static plx_status run_batch(plx_trainer *t, int64_t i, double *loss) {
    const span rows = rows_of(t, i);
    const plx__stepper *s = rows.end - rows.first < t->options.batch ? &t->rest : &t->whole;
    PLX_TRY(plx__batches_bind(&t->batches, s, rows.first));
    plx_plan_set_step(s->plan, t->model->position.batches);
    t->model->position.batches += 1;
    PLX_TRY(plx_plan_run(s->plan));
    *loss = (double)plx_plan_output(s->plan, s->loss)[0];
    if (s->norm.id >= 0) t->norm = (double)plx_plan_output(s->plan, s->norm)[0];
    add_metrics(t, s, rows.first);
    for (int k = 0; t->apart && k < t->model->outputs_count; ++k)
        add_to_epoch(t, k, (double)plx_plan_output(s->plan, s->parts[k])[0],
                     (double)plx__batches_counted(&t->batches, k, rows.first, rows.end));
    return PLX_OK;
}

/* Labels or samples of batches first to end - 1 that count, for each output; unless apart, for all
 * outputs in the first. */
static void count(const plx_trainer *t, int64_t first, int64_t end, int64_t *counts) {
    const int64_t from = rows_of(t, first).first, to = rows_of(t, end - 1).end;
    for (int k = 0; k < (t->apart ? t->model->outputs_count : 1); ++k)
        counts[k] = plx__batches_counted(&t->batches, k, from, to);
}

/* Weights batch number i by its share of what counts in all batches of the step: their sum is then
 * the loss, and the gradient, of one large batch. If nothing counts, all are 0 anyway. */
static void weigh(plx_trainer *t, int64_t i, const int64_t *all) {
    int64_t own[PLX_PORTS] = {0};
    count(t, i, i + 1, own);
    for (int k = 0; k < PLX_PORTS; ++k)
        t->shares[k] = all[k] ? (plx_real)((double)own[k] / (double)all[k]) : 0;
    t->optimizer->share = t->apart ? 1 : all[0] ? (double)own[0] / (double)all[0] : 0;
}

/* Sums the gradients of batches first to end - 1, and updates from the sum. Stops at a loss, or
 * running statistics, that are not finite. */
static plx_status run_batches(plx_trainer *t, int64_t first, int64_t end, double *loss) {
    int64_t counts[PLX_PORTS] = {0};
    count(t, first, end, counts);
    *loss = 0;
    for (int64_t i = first; i < end; ++i) {
        double own;
        weigh(t, i, counts);
        t->optimizer->adds = i > first;
        t->optimizer->ends = i + 1 == end;
        PLX_TRY(run_batch(t, i, &own));
        *loss += t->optimizer->share * own;
        if (!is_finite(*loss) || !plx__state_is_finite(t)) return PLX_OK;
    }
    PLX_TRY(plx_plan_run(t->apply.plan));
    if (t->apply.norm.id >= 0) t->norm = (double)plx_plan_output(t->apply.plan, t->apply.norm)[0];
    return PLX_OK;
}

static void begin_epoch(plx_trainer *t) {
    for (int i = 0; i < PLX_PORTS; ++i) t->sums[i] = t->counted[i] = 0;
    for (int i = 0; i < PLX_OWN_METRICS; ++i) t->own[i] = 0;
    t->rows = 0;
    t->tally = (plx__tally){0};
    t->epoch_order = t->model->position.order;
    if (t->options.shuffle) plx__batches_shuffle(&t->batches, &t->model->position.order);
}

/* What kept the optimizer from taking a step whose loss is finite; NULL: nothing. */
static const char *held_back_by(const plx_trainer *t) {
    if (t->options.clip_norm > 0 && !is_finite(t->norm)) return "norm of the gradients is";
    return t->optimizer->fault;
}

/* Called after the plans of a step have run. */
static plx_status note_step(plx_trainer *t, int64_t first, int64_t end, double loss) {
    if (!is_finite(loss)) return undo(t, "loss is", t->step + 1);
    if (!plx__state_is_finite(t)) return undo(t, "running statistics are", t->step + 1);
    plx__keep_state(t);
    int64_t counted = 0;
    if (!t->apart) {
        count(t, first, end, &counted);
        add_to_epoch(t, 0, loss, (double)counted);
    }
    t->losses[t->step] = (plx_real)loss;
    t->step += 1;
    const char *fault = held_back_by(t);
    return fault ? diverge(t, fault, t->step) : PLX_OK;
}

static plx_status run_step(plx_trainer *t) {
    const int64_t in_epoch = t->step % t->steps_per_epoch, first = in_epoch * t->options.accumulate;
    const int64_t left = t->batches_per_epoch - first;
    const int64_t end = first + (left < t->options.accumulate ? left : t->options.accumulate);
    if (!in_epoch) begin_epoch(t);
    if (t->step == t->losses_capacity) PLX_TRY(room_for_losses(t, 2 * t->losses_capacity));
    t->rate = rate_at(t, t->step);
    PLX_TRY(plx_optimizer_set_rate(t->optimizer, t->rate));
    double loss;
    if (t->options.accumulate > 1)
        PLX_TRY(run_batches(t, first, end, &loss));
    else
        PLX_TRY(run_batch(t, first, &loss));
    return note_step(t, first, end, loss);
}

static bool is_done(const plx_trainer *t) {
    return t->step >= t->steps || t->stopped_early || t->stopped;
}

void plx_trainer_stop(plx_trainer *t) {
    if (is_done(t) || t->diverged) return;
    t->stopped = true;
    if (t->validation.best_epoch) plx__put_back_best(t);
}

/* Called after the last step of an epoch, or of training. */
static plx_status end_epoch(plx_trainer *t) {
    if (is_done(t) && !plx__weights_are_finite(t)) return undo(t, "weights are", t->step);
    if (!t->options.validation) return PLX_OK;
    PLX_TRY(plx__validate(t, &t->stopped_early));
    if (!is_finite(t->validation.latest)) return undo(t, "validation loss is", t->step);
    if (is_done(t)) plx__put_back_best(t);
    return PLX_OK;
}

static plx_status run_steps(plx_trainer *t, int64_t max_steps) {
    for (int64_t i = 0; i < max_steps && !is_done(t); ++i) {
        PLX_TRY(run_step(t));
        if (t->step % t->steps_per_epoch == 0 || is_done(t)) return end_epoch(t);
    }
    return PLX_OK;
}

/* Fills in the metrics of the epoch and of the last validation. */
static void report_metrics(const plx_trainer *t, plx_progress *progress) {
    for (int i = 0; i < PLX_OWN_METRICS; ++i) {
        progress->own[i] = i < t->options.own_metrics ? t->own[i] / t->rows : NAN;
        progress->validation_own[i] = t->validation.own[i];
    }
    if (!t->tally.counted) return;
    progress->training = plx__tally_metrics(&t->tally, t->options.loss);
    progress->training.loss = progress->epoch_loss;
}

plx_status plx_trainer_run(plx_trainer *t, int64_t max_steps, plx_progress *progress) {
    PLX_TRY(plx__need(&t->model->ctx->message, "run", "progress", progress));
    const plx_status status =
        t->diverged ? plx__fail(&t->model->ctx->message, PLX_ERR_DIVERGED,
                                "fit: training diverged after %lld steps and cannot continue",
                                (long long)t->step)
                    : run_steps(t, max_steps);
    *progress = (plx_progress){
        .step = t->step,
        .steps = t->steps,
        .epoch = t->step / t->steps_per_epoch,
        .epochs = t->options.epochs,
        .loss = t->step ? t->losses[t->step - 1] : 0,
        .epoch_loss = epoch_loss(t),
        .done = is_done(t),
        .rate = t->rate,
        .gradient_norm = t->norm,
        .validation_loss = t->validation.latest,
        .validation = t->validation.metrics,
        .validation_ns = t->validation.nanoseconds,
        .best_epoch = t->validation.best_epoch,
        .stopped_early = t->stopped_early,
    };
    report_metrics(t, progress);
    return status;
}

plx_status plx_trainer_fit(plx_trainer *t, int64_t every, plx_fit_watch *watch, void *self,
                           plx_progress *progress) {
    plx__message *message = &t->model->ctx->message;
    plx_progress now;
    plx_status status;
    if (every < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: every is %lld steps; it must not be negative (0: once an epoch)",
                         (long long)every);
    do {
        status = plx_trainer_run(t, every ? every : INT64_MAX, &now);
        const bool stop = status == PLX_OK && watch && !watch(self, &now) && !now.done;
        if (stop)
            status = plx__fail(message, PLX_ERR_CANCELLED,
                               "fit: stopped after step %lld of %lld, as requested",
                               (long long)now.step, (long long)now.steps);
    } while (status == PLX_OK && !now.done);
    if (progress) *progress = now;
    return status;
}

const plx_real *plx_trainer_losses(const plx_trainer *t, int64_t *count) {
    *count = t->step;
    return t->losses;
}

plx_status plx_trainer_set_rate(plx_trainer *t, double rate) {
    PLX_TRY(plx_optimizer_set_rate(t->optimizer, rate));
    t->options.optimizer.rate = rate;
    if (!t->step) t->rate = rate_at(t, 0);
    return PLX_OK;
}

double plx_trainer_rate(const plx_trainer *t) {
    return t->rate;
}

/* Both plans share parameters and optimizer; a gathered batch counts as inputs. */
plx_memory plx_trainer_memory(const plx_trainer *t) {
    plx_memory memory = plx_plan_memory(t->whole.plan);
    if (t->rest.plan) {
        const plx_memory rest = plx_plan_memory(t->rest.plan);
        memory.gradients += rest.gradients;
        memory.activations += rest.activations;
        memory.workspace += rest.workspace;
    }
    if (t->apply.plan) {
        const plx_memory apply = plx_plan_memory(t->apply.plan);
        for (int i = 0; i < t->count; ++i) /* sums */
            memory.gradients += t->trained[i]->size * (int64_t)sizeof(plx_real);
        memory.activations += apply.activations + apply.gradients; /* of clipping */
        memory.workspace += apply.workspace;
    }
    memory.kept = plx__kept_bytes(t);
    return memory;
}

plx_plan *plx_trainer_plan(plx_trainer *t) {
    return t->whole.plan;
}
