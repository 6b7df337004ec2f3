/* Copies of weights that a trainer may restore. The update itself copies the trained weights of the
 * last step, as it reads them anyway; running statistics, which the forward pass of a diverging
 * step has already overwritten, are copied here. */
#include "nn/trainer.h"

#include "base/alloc.h"
#include "base/platform.h"

#include <string.h>

/* The number of values of all weights, or of running statistics alone. */
static int64_t values_of(const plx_weights *w, bool state_only) {
    int64_t values = 0;
    for (int i = 0; i < w->count; ++i)
        if (!state_only || w->list[i].role == PLX_WEIGHT_STATE) values += w->list[i].tensor->size;
    return values;
}

static void copy_values(const plx_weights *w, bool state_only, plx_real *values, bool back) {
    for (int i = 0; i < w->count; ++i) {
        plx_tensor *tensor = w->list[i].tensor;
        if (state_only && w->list[i].role != PLX_WEIGHT_STATE) continue;
        const size_t bytes = (size_t)tensor->size * sizeof *values;
        if (back) plx__tensor_changed(tensor);
        if (back)
            memcpy(tensor->data, values, bytes);
        else
            memcpy(values, tensor->data, bytes);
        values += tensor->size;
    }
}

static plx_status room_for(plx_trainer *t, const char *what, int64_t values, plx_real **out) {
    void *memory = NULL;
    PLX_TRY(plx__alloc(&t->model->ctx->message, what, values * (int64_t)sizeof(plx_real), &memory));
    *out = memory;
    return PLX_OK;
}

plx_status plx__kept_open(plx_trainer *t) {
    const plx_weights *w = t->model->weights;
    const int64_t state = values_of(w, true);
    if (state) {
        PLX_TRY(room_for(t, "fit: a copy of the running statistics", state, &t->last_state));
        plx__keep_state(t);
    }
    if (!t->options.validation || !t->options.patience) return PLX_OK;
    return room_for(t, "fit: a copy of the best weights", values_of(w, false), &t->best);
}

void plx__kept_close(plx_trainer *t) {
    plx_platform_free(t->last_state);
    plx_platform_free(t->best);
}

int64_t plx__kept_bytes(const plx_trainer *t) {
    const plx_weights *w = t->model->weights;
    const int64_t all = values_of(w, false);
    int64_t frozen = 0;
    for (int i = 0; i < w->count; ++i)
        if (w->list[i].frozen && w->list[i].role != PLX_WEIGHT_STATE)
            frozen += w->list[i].tensor->size;
    return (all - frozen + (t->best ? all : 0)) * (int64_t)sizeof(plx_real);
}

void plx__keep_state(plx_trainer *t) {
    if (t->last_state) copy_values(t->model->weights, true, t->last_state, false);
}

void plx__put_back_last(plx_trainer *t) {
    if (t->last_state) copy_values(t->model->weights, true, t->last_state, true);
    if (t->optimizer->steps == t->steps_before) return;
    for (int i = 0; i < t->count; ++i) {
        plx__tensor_changed(t->trained[i]);
        memcpy(t->trained[i]->data, t->optimizer->kept[i]->data,
               (size_t)t->trained[i]->size * sizeof(plx_real));
    }
}

void plx__keep_best(plx_trainer *t) {
    if (t->best) copy_values(t->model->weights, false, t->best, false);
}

void plx__put_back_best(plx_trainer *t) {
    if (t->best) copy_values(t->model->weights, false, t->best, true);
}

bool plx__weights_are_finite(const plx_trainer *t) {
    for (int i = 0; i < t->count; ++i)
        if (!plx__is_finite(t->trained[i])) return false;
    return true;
}

bool plx__state_is_finite(const plx_trainer *t) {
    for (int i = 0; i < t->state_count; ++i)
        if (!plx__is_finite(t->trained[t->count + i])) return false;
    return true;
}
