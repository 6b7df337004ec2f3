/* gpt2-nano: synthetic stories, or the characters of a text. */
#include "bench/tasks/text_task.h"

static const plx__text_recipe recipe = {
    .model = "gpt2-nano",
    .batch = {16, 32, 64},
    .steps = {480, 2500, 20000},
    .rate = {2e-3, 2e-3, 1e-3},
    .decay = 0.1,
    .warmup = 50,
    .floor = 0.1,
};

static plx_status open_task(plx_learning *l) {
    return plx__text_open(l, &recipe);
}

const plx_task plx__task_gpt2 = {
    .name = "gpt2-nano",
    .description = "GPT-2 on synthetic stories, or on the characters of a text",
    .takes = "text",
    .open = open_task,
    .evaluate = plx__text_evaluate,
    .exhibit = plx__text_exhibit,
    .close = plx__text_close,
};
