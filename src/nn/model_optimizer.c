/* The optimizer of a model's weights: a trainer's own, or one shared by successive trainers. */
#include "nn/trainer.h"

#include "base/platform.h"

static bool is_trained(const plx__weight *weight) {
    return weight->role != PLX_WEIGHT_STATE && !weight->frozen;
}

/* Lists the tensors of trained weights, or of running statistics; returns how many. */
static int list_weights(const plx_weights *weights, bool state, plx_tensor **list) {
    int count = 0;
    for (int i = 0; i < weights->count; ++i)
        if (state ? weights->list[i].role == PLX_WEIGHT_STATE : is_trained(&weights->list[i]))
            list[count++] = weights->list[i].tensor;
    return count;
}

static plx_status room_for_list(const plx_model *model, plx_tensor ***out) {
    *out = plx_platform_alloc((size_t)model->weights->count * sizeof **out);
    return *out ? PLX_OK : plx__fail(&model->ctx->message, PLX_ERR_MEMORY, "optimizer: no memory");
}

static plx_status make(const plx_model *model, const plx_optimizer_options *options, int count,
                       plx_tensor *const *trained, plx_optimizer **out) {
    const plx_weights *weights = model->weights;
    plx_optimizer *made = NULL;
    PLX_TRY(plx_optimizer_new(model->ctx, options, count, trained, &made));
    int number = 0;
    for (int i = 0; i < weights->count; ++i) {
        if (!is_trained(&weights->list[i])) continue;
        if (weights->list[i].role == PLX_WEIGHT_PLAIN) made->groups[number].weight_decay = 0;
        number += 1;
    }
    *out = made;
    return PLX_OK;
}

plx_status plx_model_optimizer(const plx_model *model, const plx_optimizer_options *options,
                               plx_optimizer **out) {
    plx_tensor **list = NULL;
    if (model->weights->count) PLX_TRY(room_for_list(model, &list));
    const int count = list ? list_weights(model->weights, false, list) : 0;
    const plx_status status = make(model, options, count, list, out);
    plx_platform_free(list);
    return status;
}

/* Whether a list of the optimizer, if it exists, has the sizes of the weights. */
static bool fits(const plx_trainer *t, plx_tensor *const *list) {
    for (int i = 0; list && i < t->count; ++i)
        if (list[i]->size != t->trained[i]->size) return false;
    return true;
}

static plx_status check_given(const plx_trainer *t, const plx_optimizer *o) {
    plx__message *message = &t->model->ctx->message;
    bool same = o->count == t->count;
    for (int i = 0; same && i < t->count; ++i) same = o->parameters[i] == t->trained[i];
    if (!same || !fits(t, o->first) || !fits(t, o->second) || !fits(t, o->kept) ||
        !fits(t, o->sums) || !fits(t, o->errors))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "fit: the optimizer was made for other weights (%d tensors) than this "
                         "model's (%d): it belongs to the model it was first used with, with the "
                         "layers of that time; make one for each model",
                         o->count, t->count);
    if (o->at_work)
        return plx__fail(message, PLX_ERR_STATE,
                         "fit: the optimizer is in use by another trainer; free that one first");
    return PLX_OK;
}

plx_status plx__optimizer_open(plx_trainer *t) {
    PLX_TRY(room_for_list(t->model, &t->trained));
    t->count = list_weights(t->model->weights, false, t->trained);
    if (!t->count)
        return plx__fail(&t->model->ctx->message, PLX_ERR_STATE,
                         "fit: no layer is trained: all that have weights are frozen");
    t->state_count = list_weights(t->model->weights, true, t->trained + t->count);
    plx_optimizer *given = t->options.state;
    if (given) {
        PLX_TRY(check_given(t, given));
        t->options.optimizer = given->options;
        t->given_rate = given->options.rate;
        given->holders += 1;
        t->optimizer = given;
    } else {
        PLX_TRY(make(t->model, &t->options.optimizer, t->count, t->trained, &t->optimizer));
    }
    plx_optimizer *o = t->optimizer;
    o->at_work = true;
    o->state = t->trained + t->count;
    o->state_count = t->state_count;
    t->steps_before = o->steps;
    if (!o->kept) PLX_TRY(plx__optimizer_keep(o));
    const int64_t gradients = t->options.accumulate;
    return gradients > 1 ? plx__optimizer_sum(o, gradients) : PLX_OK;
}

void plx__optimizer_close(plx_trainer *t) {
    plx_optimizer *o = t->optimizer;
    if (o && o == t->options.state) {
        o->options.rate = t->given_rate;
        o->at_work = false;
        o->state = NULL;
        o->state_count = 0;
    }
    plx_optimizer_free(o);
    plx_platform_free(t->trained);
}
