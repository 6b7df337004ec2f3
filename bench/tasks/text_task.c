#include "bench/tasks/text_task.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    CONTEXT = 64,         /* of the task's models */
    TEST_STORIES = 256,   /* samples that are held out */
    MOST_WORDS = 1 << 22, /* of stories to train on */
    STREAM_TRAIN = 920,
    STREAM_TEST,
    STREAM_PROMPT,
};

static plx_status no_memory(plx_learning *l) {
    return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for the text", l->task->name);
}

/* ---- Data ------------------------------------------------------------------------------------ */

/* Samples begin where a story does, so that all that a word depends on is in its sample; target i
 * is the word after input i. */
static plx_dataset story_samples(const int32_t *ids, int64_t n, int64_t context) {
    return (plx_dataset){.n = n,
                         .inputs = {ids},
                         .targets = {ids + 1},
                         .input_strides = {context + 1},
                         .target_strides = {context + 1}};
}

static plx_status open_stories(plx_learning *l, plx__text *text, int64_t samples) {
    const int64_t each = text->context + 1;
    text->stories = plx_stories_new((int)l->options.size);
    text->count = (samples + TEST_STORIES) * each;
    text->ids = plx_alloc((size_t)text->count * sizeof *text->ids);
    double *costs = plx_alloc((size_t)each * sizeof *costs);
    if (!text->stories || !text->ids || !costs) {
        plx_free(costs);
        return no_memory(l);
    }
    text->vocabulary = plx_stories_vocabulary(text->stories);
    text->test_begin = samples * each;
    plx_rng rng = plx_rng_new(l->options.seed, STREAM_TRAIN);
    for (int64_t i = 0; i < samples; ++i)
        plx_stories_write(text->stories, &rng, each, text->ids + i * each, costs);
    /* A stream of its own, so that held-out data stays the same however long training is. */
    rng = plx_rng_new(l->options.seed, STREAM_TEST);
    text->own_loss = 0;
    for (int64_t i = samples; i < samples + TEST_STORIES; ++i) {
        plx_stories_write(text->stories, &rng, each, text->ids + i * each, costs);
        /* The words that a model has to predict. */
        for (int64_t k = 1; k < each; ++k)
            text->own_loss += costs[k] / (double)(TEST_STORIES * text->context);
    }
    plx_free(costs);
    l->train = story_samples(text->ids, samples, text->context);
    l->test = story_samples(text->ids + text->test_begin, TEST_STORIES, text->context);
    l->data = (plx_learning_data){.source = "story grammar", .tokens = text->context};
    return PLX_OK;
}

/* Overlapping windows to train on; the last tenth is held out, in adjacent windows. */
static plx_status open_text(plx_learning *l, plx__text *text) {
    const int64_t context = text->context, least = 20 * (context + 1);
    const plx_status status = plx__text_read(l, text);
    if (status != PLX_OK) return status;
    if (text->count < least)
        return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                        "%s: the text has %lld characters; %lld are needed for samples of %lld and "
                        "a held-out tenth",
                        l->task->name, (long long)text->count, (long long)least,
                        (long long)context);
    text->test_begin = text->count * 9 / 10;
    text->own_loss = NAN;
    const int32_t *held_out = text->ids + text->test_begin;
    l->train = (plx_dataset){.n = text->test_begin - context,
                             .inputs = {text->ids},
                             .targets = {text->ids + 1},
                             .input_strides = {1},
                             .target_strides = {1}};
    l->test = (plx_dataset){.n = (text->count - text->test_begin - 1) / context,
                            .inputs = {held_out},
                            .targets = {held_out + 1},
                            .input_strides = {context},
                            .target_strides = {context}};
    l->data = (plx_learning_data){
        .real = true, .source = l->options.source ? l->options.source : "text", .tokens = context};
    return PLX_OK;
}

/* By size: quick, default, full. One recipe for all language models, so that they can be
 * compared. */
static const struct {
    int64_t batch[3], steps[3];
    double rate[3];
    double decay;
    int64_t warmup;
    double floor;
} recipe = {
    .batch = {16, 32, 64},
    .steps = {480, 2500, 20000},
    .rate = {2e-3, 2e-3, 1e-3},
    .decay = 0.1,
    .warmup = 50,
    .floor = 0.1,
};

static void set_recipe(plx_learning *l, int64_t batch, int64_t steps) {
    plx_trainer_options *o = &l->trainer_options;
    o->loss = PLX_LOSS_CROSS_ENTROPY;
    o->batch = batch;
    o->steps = steps;
    o->epochs = steps / ((l->train.n + batch - 1) / batch) + 1;
    o->optimizer = plx_optimizer_default(PLX_ADAMW);
    o->optimizer.rate = recipe.rate[l->options.size];
    o->optimizer.beta2 = 0.99;
    o->optimizer.weight_decay = recipe.decay;
    o->clip_norm = 1;
    o->schedule =
        (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = recipe.warmup, .floor = recipe.floor};
    if (o->schedule.warmup > steps / 4) o->schedule.warmup = steps / 4;
}

/* The context of the requested model; the task's if there is none. */
static plx_status find_context(plx_learning *l, int64_t *context) {
    *context = CONTEXT;
    if (!l->options.model) return PLX_OK;
    plx_model *model = NULL;
    const plx_status status = plx_model_from_name(l->ctx, l->options.model, 0, &model);
    if (status != PLX_OK) return status;
    const int64_t own = plx_model_setting(model, "context");
    const int inputs = plx_model_inputs(model);
    plx_model_free(model);
    if (own < 1 || inputs != 1)
        return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                        "%s: %s cannot continue sequences; use a gpt2 or transformer model",
                        l->task->name, l->options.model);
    *context = own;
    return PLX_OK;
}

plx_status plx__text_open(plx_learning *l, const char *model) {
    plx__text *text = plx_alloc(sizeof *text);
    if (!text) return no_memory(l);
    *text = (plx__text){0};
    l->state = text;
    plx_status status = find_context(l, &text->context);
    if (status != PLX_OK) return status;
    const int64_t batch = l->options.batch > 0 ? l->options.batch : recipe.batch[l->options.size];
    const int64_t steps = plx_learning_steps(l, recipe.steps[0], recipe.steps[1], recipe.steps[2]);
    const int64_t most = MOST_WORDS / (text->context + 1);
    const int64_t samples = steps < most / batch ? steps * batch : most;
    status = l->options.text ? open_text(l, text) : open_stories(l, text, samples);
    if (status != PLX_OK) return status;
    snprintf(l->model_name, sizeof l->model_name, "%s:vocabulary=%lld,context=%lld", model,
             (long long)text->vocabulary, (long long)text->context);
    set_recipe(l, batch, steps);
    return PLX_OK;
}

void plx__text_close(plx_learning *l) {
    plx__text *text = l->state;
    if (!text) return;
    plx_stories_free(text->stories);
    plx_free(text->ids);
    plx_free(text->characters);
    plx_free(text);
}

/* ---- Quality --------------------------------------------------------------------------------- */

plx_status plx__text_evaluate(plx_learning *l) {
    const plx__text *text = l->state;
    plx_metrics metrics;
    const plx_status status = plx_learning_metrics(l, 0, &metrics);
    if (status != PLX_OK) return status;
    const char *unit = text->stories ? "nats/word" : "nats/character";
    plx_learning_record(l, "loss", unit, "lower", metrics.loss, NAN);
    if (text->stories) {
        /* For the goal of a perplexity within 10% of the grammar's own. */
        const double goal = l->options.size == PLX_LEARNING_QUICK ? 1.1 : NAN;
        plx_learning_record(l, "perplexity over the grammar's own", "1", "lower",
                            plx_math_exp(metrics.loss - text->own_loss), goal);
        plx_learning_record(l, "perplexity", "1", "lower", metrics.perplexity, NAN);
        plx_learning_record(l, "perplexity of the grammar", "1", "none",
                            plx_math_exp(text->own_loss), NAN);
    } else {
        plx_learning_record(l, "bits", "bits/character", "lower", metrics.loss / 0.6931471805599453,
                            NAN);
        plx_learning_record(l, "perplexity", "1", "lower", metrics.perplexity, NAN);
    }
    plx_learning_record(l, "accuracy", "1", "higher", metrics.accuracy, NAN);
    return PLX_OK;
}

/* ---- Exhibits -------------------------------------------------------------------------------- */

/* A held-out prompt and the model's continuation. */
static plx_status generate(plx_learning *l, plx_generator *generator, int64_t count, int32_t *ids) {
    const plx__text *text = l->state;
    const plx_sampling sampling = {.temperature = 0.8, .top_k = 40};
    const int64_t prompt = text->stories ? 12 : 32;
    memcpy(ids, text->ids + text->test_begin, (size_t)prompt * sizeof *ids);
    plx_status status = plx_generator_feed(generator, prompt, ids);
    for (int64_t i = prompt; i < count && status == PLX_OK; ++i)
        status = plx_generator_next(generator, &sampling, &ids[i]);
    return status;
}

static plx_status show_generated(plx_learning *l) {
    enum { WORDS = 150, CHARACTERS = 500, BYTES = 4 * CHARACTERS };
    const plx__text *text = l->state;
    const int64_t count = text->stories ? WORDS : CHARACTERS;
    int32_t ids[CHARACTERS];
    char written[BYTES + 1];
    plx_generator *generator = NULL;
    plx_status status = plx_generator_new(l->model, l->options.seed ^ STREAM_PROMPT, &generator);
    if (status == PLX_OK) status = generate(l, generator, count, ids);
    plx_generator_free(generator);
    if (status != PLX_OK) return status;
    plx__text_print(text, count, ids, written, sizeof written);
    return plx_learning_show_text(l, "generated text", written);
}

plx_status plx__text_exhibit(plx_learning *l) {
    const plx_status status = show_generated(l);
    return status == PLX_OK ? plx__text_show_attention(l) : status;
}
