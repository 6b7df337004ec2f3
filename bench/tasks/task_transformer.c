/* Task transformer-nano: the data and the recipe of gpt2-nano for the decoder of LLaMA. */
#include "bench/tasks/text_task.h"

static plx_status open_task(plx_learning *l) {
    return plx__text_open(l, "transformer-nano");
}

const plx_task plx__task_transformer = {
    .name = "transformer-nano",
    .description = "A modern transformer on synthetic stories, or on the characters of a text",
    .takes = "text",
    .work = {1.9e12, 2.0e13},
    .open = open_task,
    .evaluate = plx__text_evaluate,
    .exhibit = plx__text_exhibit,
    .close = plx__text_close,
};
