/* Task gpt2-nano: synthetic stories, or the characters of a text. */
#include "bench/tasks/text_task.h"

static plx_status open_task(plx_learning *l) {
    return plx__text_open(l, "gpt2-nano");
}

const plx_task plx__task_gpt2 = {
    .name = "gpt2-nano",
    .description = "GPT-2 on synthetic stories, or on the characters of a text",
    .takes = "text",
    .work = {1.9e12, 2.0e13},
    .open = open_task,
    .evaluate = plx__text_evaluate,
    .exhibit = plx__text_exhibit,
    .close = plx__text_close,
};
