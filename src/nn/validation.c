/* The loss on validation data after an epoch: best weights and early stopping. */
#include "nn/trainer.h"

#include "base/platform.h"

#include <math.h>

/* Whether the loss is defined for a batch, rather than for a sample. */
static bool loss_of_batch(const plx_trainer *t) {
    return t->options.loss == PLX_LOSS_OWN || t->options.own_loss;
}

/* Whether something is computed by a plan for a batch. */
static bool by_batch(const plx_trainer *t) {
    return loss_of_batch(t) || t->options.own_metrics;
}

/* The means over batches, weighted by their samples. */
static plx_status means_of_batches(plx_trainer *t, double *loss) {
    plx__validation *v = &t->validation;
    plx__batches batches = {
        .model = t->model, .loss = t->options.loss, .data = v->data, .batch = v->whole.rows};
    const double n = (double)v->data.n;
    double sum = 0, own[PLX_OWN_METRICS] = {0};
    for (int64_t done = 0; done < v->data.n;) {
        const plx__stepper *s = v->data.n - done < v->whole.rows ? &v->rest : &v->whole;
        PLX_TRY(plx__batches_bind(&batches, s, done));
        PLX_TRY(plx_plan_run(s->plan));
        sum += (double)plx_plan_output(s->plan, s->loss)[0] * (double)s->rows;
        for (int i = 0; i < t->options.own_metrics; ++i)
            own[i] += (double)plx_plan_output(s->plan, s->own[i])[0] * (double)s->rows;
        done += s->rows;
    }
    *loss = sum / n;
    for (int i = 0; i < t->options.own_metrics; ++i) v->own[i] = own[i] / n;
    return PLX_OK;
}

static plx_status loss_of(plx_trainer *t, double *loss) {
    const plx_trainer_options *o = &t->options;
    plx__validation *v = &t->validation;
    double of_batches = 0;
    *loss = 0;
    if (by_batch(t)) PLX_TRY(means_of_batches(t, &of_batches));
    for (int i = 0; i < t->model->outputs_count && o->loss != PLX_LOSS_OWN; ++i) {
        plx_metrics metrics;
        PLX_TRY(plx_model_evaluate_with(t->model, i, o->loss, o->huber_delta, &v->data, &metrics,
                                        NULL));
        *loss += metrics.loss;
        if (!i) v->metrics = metrics;
    }
    if (!loss_of_batch(t)) return PLX_OK;
    *loss = of_batches;
    if (o->own_loss) v->metrics.loss = of_batches;
    return PLX_OK;
}

static plx_status check(plx_trainer *t, const plx_dataset *data) {
    plx__message *message = &t->model->ctx->message;
    for (int i = 0; i < PLX_PORTS && by_batch(t); ++i) {
        const int64_t stride =
            data->input_strides[i] ? data->input_strides[i] : data->target_strides[i];
        if (stride)
            return plx__fail(message, PLX_ERR_UNSUPPORTED,
                             "fit: validation by a model's own loss, or by functions, needs "
                             "contiguous samples, not a stride of %lld",
                             (long long)stride);
    }
    if (t->options.own_loss && data->weights)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: validation: a function as the loss takes no weights of samples");
    return plx__check_dataset(t->model, "fit: validation", t->options.loss, data);
}

plx_status plx__validation_open(plx_trainer *t) {
    plx__validation *v = &t->validation;
    v->latest = NAN;
    v->lowest = v->mark = INFINITY;
    v->patience_left = t->options.patience;
    for (int i = 0; i < PLX_OWN_METRICS; ++i) v->own[i] = NAN;
    if (!t->options.validation) return PLX_OK;
    v->data = *t->options.validation;
    PLX_TRY(check(t, &v->data));
    if (!by_batch(t)) return PLX_OK;
    const int64_t n = v->data.n, whole = t->options.batch < n ? t->options.batch : n;
    PLX_TRY(plx__stepper_of_loss(t, whole, &v->whole));
    return n % whole ? plx__stepper_of_loss(t, n % whole, &v->rest) : PLX_OK;
}

void plx__validation_close(plx_trainer *t) {
    plx_plan_free(t->validation.whole.plan);
    plx_plan_free(t->validation.rest.plan);
}

plx_status plx__validate(plx_trainer *t, bool *stop) {
    plx__validation *v = &t->validation;
    const int64_t start = plx_platform_now_ns();
    PLX_TRY(loss_of(t, &v->latest));
    v->nanoseconds += (double)(plx_platform_now_ns() - start);
    v->epochs += 1;
    if (v->latest < v->lowest) {
        v->lowest = v->latest;
        v->best_epoch = v->epochs;
        plx__keep_best(t);
    }
    if (v->latest < v->mark) {
        v->mark = v->latest - t->options.min_improvement;
        v->patience_left = t->options.patience;
    } else {
        v->patience_left -= 1;
    }
    *stop = t->options.patience && v->patience_left <= 0;
    return PLX_OK;
}
