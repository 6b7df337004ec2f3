/* bert-nano: masked words and sentiment of synthetic sentences, learnt together. */
#include "bench/task.h"

#include "bench/tasks/sentiment.h"

#include "base/platform.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TOKENS = PLX_SENTIMENT_TOKENS, TEST = 1000, MASKINGS = 4 };

/* Streams of the seed. */
enum { TRAIN_STREAM = 0xbe51, TEST_STREAM, MASK_STREAM };

/* Sentences as they are and as they are shown, the hidden words, and sentiments. */
typedef struct sentences {
    int64_t n;
    int32_t *plain, *shown, *words; /* [n, TOKENS] */
    int32_t *sentiments;            /* [n] */
} sentences;

typedef struct bert_state {
    sentences train, test;
} bert_state;

static void free_sentences(sentences *s) {
    plx_platform_free(s->plain);
    plx_platform_free(s->shown);
    plx_platform_free(s->words);
    plx_platform_free(s->sentiments);
}

/* A sentence of the training or of the held-out part. */
static int draw(plx_rng *rng, bool held_out, int32_t *ids) {
    for (;;) {
        const int sentiment = plx__sentiment_sentence(rng, ids);
        if (plx__sentiment_is_held_out(ids) == held_out) return sentiment;
    }
}

/* n samples: every sentence so many times, each time with other words hidden. */
static plx_status make_sentences(plx_learning *l, int64_t n, int maskings, bool held_out,
                                 sentences *s) {
    const size_t bytes = (size_t)(n * TOKENS) * sizeof(int32_t);
    *s = (sentences){.n = n,
                     .plain = plx_platform_alloc(bytes),
                     .shown = plx_platform_alloc(bytes),
                     .words = plx_platform_alloc(bytes),
                     .sentiments = plx_platform_alloc((size_t)n * sizeof(int32_t))};
    if (!s->plain || !s->shown || !s->words || !s->sentiments)
        return plx__learning_fail(l, PLX_ERR_MEMORY, "bert-nano: no memory for %lld sentences",
                                  (long long)n);
    plx_rng rng = plx_rng_new(l->options.seed, held_out ? TEST_STREAM : TRAIN_STREAM);
    plx_rng masks = plx_rng_new(l->options.seed, MASK_STREAM + held_out);
    for (int64_t i = 0; i < n; ++i) {
        int32_t *ids = s->plain + i * TOKENS;
        if (i % maskings == 0) {
            s->sentiments[i] = draw(&rng, held_out, ids);
        } else {
            memcpy(ids, ids - TOKENS, TOKENS * sizeof *ids);
            s->sentiments[i] = s->sentiments[i - 1];
        }
        plx__sentiment_mask(&masks, ids, s->shown + i * TOKENS, s->words + i * TOKENS);
    }
    return PLX_OK;
}

static plx_dataset dataset_of(const sentences *s, const int32_t *ids) {
    return (plx_dataset){.n = s->n, .inputs = {ids}, .targets = {s->words, s->sentiments}};
}

/* Norms behind the sum need warm-up: Xiong et al., ICML 2020. */
static void recipe(plx_learning *l) {
    plx_trainer_options *o = &l->trainer_options;
    o->loss = PLX_LOSS_CROSS_ENTROPY;
    o->batch = 32;
    o->steps = plx__learning_steps(l, 240, 600, 3000);
    o->epochs = o->steps / (l->train.n / o->batch) + 1;
    o->optimizer = plx_optimizer_default(PLX_ADAMW);
    o->optimizer.rate = 5e-4;
    o->schedule = (plx_schedule){.kind = PLX_SCHEDULE_LINEAR, .warmup = o->steps / 10};
    o->clip_norm = 1;
}

static plx_status open_task(plx_learning *l) {
    bert_state *state = l->state = plx_platform_alloc(sizeof *state);
    if (!state) return plx__learning_fail(l, PLX_ERR_MEMORY, "bert-nano: no memory");
    *state = (bert_state){0};
    const int64_t train = l->options.size == PLX_BENCH_QUICK ? 8000 : 32000;
    plx_status status = make_sentences(l, train, MASKINGS, false, &state->train);
    if (status == PLX_OK) status = make_sentences(l, TEST, 1, true, &state->test);
    if (status != PLX_OK) return status;
    l->train = dataset_of(&state->train, state->train.shown);
    l->test = dataset_of(&state->test, state->test.shown);
    snprintf(l->model_name, sizeof l->model_name, "bert-nano:vocabulary=%d,context=%d,classes=%d",
             (int)plx__sentiment_vocabulary(), TOKENS, PLX_SENTIMENTS);
    recipe(l);
    l->data = (plx_learning_data){.source = "sentiment grammar", .tokens = TOKENS};
    return PLX_OK;
}

/* Sentiment is asked of sentences as they are: a hidden "not" could turn any of them round. */
static plx_status sentiment_metrics(plx_learning *l, plx_metrics *metrics, int64_t *confusion) {
    const bert_state *state = l->state;
    const plx_dataset plain = dataset_of(&state->test, state->test.plain);
    return plx_model_evaluate(l->model, 1, PLX_LOSS_CROSS_ENTROPY, &plain, metrics, confusion);
}

static plx_status evaluate(plx_learning *l) {
    plx_metrics words, sentiment;
    plx_status status = plx__learning_metrics(l, 0, &words);
    if (status == PLX_OK) status = sentiment_metrics(l, &sentiment, NULL);
    if (status != PLX_OK) return status;
    plx__learning_record(l, "masked_word_accuracy", "1", "higher", words.accuracy, 0.85);
    plx__learning_record(l, "sentiment_accuracy", "1", "higher", sentiment.accuracy, 0.85);
    plx__learning_record(l, "masked_word_loss", "nats/word", "lower", words.loss, NAN);
    plx__learning_record(l, "sentiment_loss", "nats", "lower", sentiment.loss, NAN);
    return PLX_OK;
}

static void close_task(plx_learning *l) {
    bert_state *state = l->state;
    if (!state) return;
    free_sentences(&state->train);
    free_sentences(&state->test);
    plx_platform_free(state);
}

const plx_task plx__task_bert = {
    .name = "bert-nano",
    .description = "BERT on masked words and the sentiment of synthetic sentences",
    .open = open_task,
    .evaluate = evaluate,
    .close = close_task,
};
