/* resnet-nano: kinds of synthetic pictures. */
#include "bench/tasks/pictures.h"
#include "bench/tasks/shapes.h"

#include "base/platform.h"

#include <stdio.h>

static plx_status open_task(plx_learning *l) {
    plx__picture_set *set = l->state = plx_platform_alloc(sizeof *set);
    if (!set) return plx__learning_fail(l, PLX_ERR_MEMORY, "resnet-nano: no memory");
    *set = (plx__picture_set){0};
    snprintf(l->model_name, sizeof l->model_name, "resnet-nano");
    plx_trainer_options *o = &l->trainer_options;
    o->batch = 32;
    o->steps = plx__learning_steps(l, 400, 1500, 5000);
    o->epochs = o->steps;
    o->optimizer = plx_optimizer_default(PLX_ADAMW);
    o->optimizer.rate = 1e-3;
    o->optimizer.weight_decay = 0.05;
    o->schedule = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = o->steps / 10};
    o->clip_norm = 1;
    return plx__pictures_open(l, 4000, 500, set);
}

static plx_status evaluate(plx_learning *l) {
    return plx__pictures_measure(l, 0.85);
}

static plx_status exhibit(plx_learning *l) {
    const plx_status status = plx__pictures_show(l);
    return status == PLX_OK ? plx__pictures_show_filters(l, "stem.weight") : status;
}

static void close_task(plx_learning *l) {
    if (l->state) plx__pictures_close(l->state);
    plx_platform_free(l->state);
}

const plx_task plx__task_resnet = {
    .name = "resnet-nano",
    .description = "A residual network that tells ten kinds of synthetic pictures apart",
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
