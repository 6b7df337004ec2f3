/* The loss on validation data after an epoch: best weights and early stopping. */
#include "nn/trainer.h"

#include "base/platform.h"

#include <math.h>

/* A model's own loss is defined for a batch: the mean over batches, weighted by their samples. */
static plx_status own_loss(plx_trainer *t, double *loss) {
    const plx__validation *v = &t->validation;
    plx__batches batches = {
        .model = t->model, .loss = PLX_LOSS_OWN, .data = v->data, .batch = v->whole.rows};
    double sum = 0;
    for (int64_t done = 0; done < v->data.n;) {
        const plx__stepper *s = v->data.n - done < v->whole.rows ? &v->rest : &v->whole;
        PLX_TRY(plx__batches_bind(&batches, s, done));
        PLX_TRY(plx_plan_run(s->plan));
        sum += (double)plx_plan_output(s->plan, s->loss)[0] * (double)s->rows;
        done += s->rows;
    }
    *loss = sum / (double)v->data.n;
    return PLX_OK;
}

static plx_status loss_of(plx_trainer *t, double *loss) {
    if (t->options.loss == PLX_LOSS_OWN) return own_loss(t, loss);
    *loss = 0;
    for (int i = 0; i < t->model->outputs_count; ++i) {
        plx_metrics metrics;
        PLX_TRY(
            plx_model_evaluate(t->model, i, t->options.loss, &t->validation.data, &metrics, NULL));
        *loss += metrics.loss;
        if (!i) t->validation.metrics = metrics;
    }
    return PLX_OK;
}

static plx_status check(plx_trainer *t, const plx_dataset *data) {
    plx__message *message = &t->model->ctx->message;
    if (t->options.loss == PLX_LOSS_OWN)
        for (int i = 0; i < PLX_PORTS; ++i)
            if (data->input_strides[i])
                return plx__fail(message, PLX_ERR_UNSUPPORTED,
                                 "fit: validation by a model's own loss needs contiguous samples, "
                                 "not a stride of %lld",
                                 (long long)data->input_strides[i]);
    return plx__check_dataset(t->model, "fit: validation", t->options.loss, data);
}

plx_status plx__validation_open(plx_trainer *t) {
    plx__validation *v = &t->validation;
    v->latest = NAN;
    v->lowest = v->mark = INFINITY;
    v->patience_left = t->options.patience;
    if (!t->options.validation) return PLX_OK;
    v->data = *t->options.validation;
    PLX_TRY(check(t, &v->data));
    if (t->options.loss != PLX_LOSS_OWN) return PLX_OK;
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
