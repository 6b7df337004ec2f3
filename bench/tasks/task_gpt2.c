/* gpt2-nano: characters of a text that was given. */
#include "bench/task.h"

#include "base/platform.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONTEXT = 64 };

typedef struct text_state {
    int32_t *ids;
    int64_t count;
} text_state;

static plx_status open_task(plx_learning *l) {
    if (!l->options.text || l->options.text_bytes < 10 * CONTEXT)
        return plx__learning_fail(l, PLX_ERR_ARGUMENT, "gpt2-nano: a text of %lld bytes",
                                  (long long)l->options.text_bytes);
    text_state *state = l->state = plx_platform_alloc(sizeof *state);
    if (!state) return plx__learning_fail(l, PLX_ERR_MEMORY, "gpt2-nano: no memory");
    state->count = (int64_t)l->options.text_bytes;
    state->ids = plx_platform_alloc(l->options.text_bytes * sizeof *state->ids);
    if (!state->ids) return plx__learning_fail(l, PLX_ERR_MEMORY, "gpt2-nano: no memory");
    for (int64_t i = 0; i < state->count; ++i)
        state->ids[i] = (int32_t)(unsigned char)l->options.text[i];
    const int64_t train = state->count * 9 / 10;
    l->train = (plx_dataset){.n = train - CONTEXT,
                             .inputs = {state->ids},
                             .targets = {state->ids + 1},
                             .input_strides = {1},
                             .target_strides = {1}};
    l->test = (plx_dataset){.n = (state->count - train - 1) / CONTEXT,
                            .inputs = {state->ids + train},
                            .targets = {state->ids + train + 1},
                            .input_strides = {CONTEXT},
                            .target_strides = {CONTEXT}};
    snprintf(l->model_name, sizeof l->model_name, "gpt2-nano:vocabulary=256,context=%d", CONTEXT);
    l->trainer_options.loss = PLX_LOSS_CROSS_ENTROPY;
    l->trainer_options.batch = 32;
    l->trainer_options.steps = plx__learning_steps(l, 100, 1000, 5000);
    l->trainer_options.optimizer = plx_optimizer_default(PLX_ADAMW);
    l->data = (plx_learning_data){.real = true, .source = l->options.source, .tokens = CONTEXT};
    return PLX_OK;
}

static plx_status evaluate(plx_learning *l) {
    plx_metrics metrics;
    const plx_status status = plx__learning_metrics(l, 0, &metrics);
    if (status != PLX_OK) return status;
    plx__learning_record(l, "loss", "nats/token", "lower", metrics.loss, NAN);
    plx__learning_record(l, "perplexity", "1", "lower", metrics.perplexity, NAN);
    return PLX_OK;
}

static void close_task(plx_learning *l) {
    text_state *state = l->state;
    if (!state) return;
    plx_platform_free(state->ids);
    plx_platform_free(state);
}

const plx_task plx__task_gpt2 = {
    .name = "gpt2-nano",
    .description = "GPT-2 on the characters of a text",
    .takes = "text",
    .open = open_task,
    .evaluate = evaluate,
    .close = close_task,
};
