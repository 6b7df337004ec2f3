/* Task bert-nano: masked words and the sentiment of synthetic sentences, learnt together. */
#include "parallax_learn.h"

#include "bench/tasks/sentiment.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TOKENS = PLX_SENTIMENT_TOKENS, MASKINGS = 4 };

/* Random streams of the seed. */
enum { TRAIN_STREAM = 0xbe51, TEST_STREAM, MASK_STREAM };

/* Sentences as they are and as shown, the hidden words, and sentiments. */
typedef struct sentences {
    int64_t n;
    int32_t *plain, *shown, *words; /* [n, TOKENS] */
    int32_t *sentiments;            /* [n] */
} sentences;

typedef struct bert_state {
    sentences train, test;
} bert_state;

static void free_sentences(sentences *s) {
    plx_free(s->plain);
    plx_free(s->shown);
    plx_free(s->words);
    plx_free(s->sentiments);
}

/* Draws a sentence of the training part or of the held-out part. */
static int draw(plx_rng *rng, bool held_out, int32_t *ids) {
    for (;;) {
        const int sentiment = plx__sentiment_sentence(rng, ids);
        if (plx__sentiment_is_held_out(ids) == held_out) return sentiment;
    }
}

/* n samples: every sentence so many times, each time with different words hidden. */
static plx_status make_sentences(plx_learning *l, int64_t n, int maskings, bool held_out,
                                 sentences *s) {
    const size_t bytes = (size_t)(n * TOKENS) * sizeof(int32_t);
    *s = (sentences){.n = n,
                     .plain = plx_alloc(bytes),
                     .shown = plx_alloc(bytes),
                     .words = plx_alloc(bytes),
                     .sentiments = plx_alloc((size_t)n * sizeof(int32_t))};
    if (!s->plain || !s->shown || !s->words || !s->sentiments)
        return plx_fail(l->ctx, PLX_ERR_MEMORY, "bert-nano: no memory for %lld sentences",
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

/* Post-norm blocks need warm-up: Xiong et al., ICML 2020. */
static void recipe(plx_learning *l) {
    plx_trainer_options *o = &l->trainer_options;
    o->loss = PLX_LOSS_CROSS_ENTROPY;
    o->batch = 16;
    o->steps = plx_learning_steps(l, 400, 800, 3000);
    o->epochs = o->steps / (l->train.n / o->batch) + 1;
    o->optimizer = plx_optimizer_default(PLX_ADAMW);
    o->optimizer.rate = 4e-4;
    o->optimizer.beta2 = 0.98; /* forgets the first of a run's hundreds of steps */
    o->schedule = (plx_schedule){.kind = PLX_SCHEDULE_LINEAR, .warmup = o->steps / 10};
    o->clip_norm = 1;
}

static plx_status open_task(plx_learning *l) {
    bert_state *state = l->state = plx_alloc(sizeof *state);
    if (!state) return plx_fail(l->ctx, PLX_ERR_MEMORY, "bert-nano: no memory");
    *state = (bert_state){0};
    const bool quick = l->options.size == PLX_LEARNING_QUICK;
    plx_status status = make_sentences(l, quick ? 8000 : 32000, MASKINGS, false, &state->train);
    if (status == PLX_OK) status = make_sentences(l, quick ? 250 : 1000, 1, true, &state->test);
    if (status != PLX_OK) return status;
    l->train = dataset_of(&state->train, state->train.shown);
    l->test = dataset_of(&state->test, state->test.shown);
    snprintf(l->model_name, sizeof l->model_name, "bert-nano:vocabulary=%d,context=%d,classes=%d",
             (int)plx__sentiment_vocabulary(), TOKENS, PLX_SENTIMENTS);
    recipe(l);
    l->data = (plx_learning_data){.source = "sentiment grammar", .tokens = TOKENS};
    return PLX_OK;
}

/* Sentiment is predicted from complete sentences: a hidden "not" could reverse any of them. */
static plx_status sentiment_metrics(plx_learning *l, plx_metrics *metrics, int64_t *confusion) {
    const bert_state *state = l->state;
    const plx_dataset plain = dataset_of(&state->test, state->test.plain);
    return plx_model_evaluate(l->model, 1, PLX_LOSS_CROSS_ENTROPY, &plain, metrics, confusion);
}

static plx_status evaluate(plx_learning *l) {
    plx_metrics words, sentiment;
    plx_status status = plx_learning_metrics(l, 0, &words);
    if (status == PLX_OK) status = sentiment_metrics(l, &sentiment, NULL);
    if (status != PLX_OK) return status;
    plx_learning_record(l, "masked_word_accuracy", "1", "higher", words.accuracy, 0.85);
    plx_learning_record(l, "sentiment_accuracy", "1", "higher", sentiment.accuracy, 0.85);
    plx_learning_record(l, "masked_word_loss", "nats/word", "lower", words.loss, NAN);
    plx_learning_record(l, "sentiment_loss", "nats", "lower", sentiment.loss, NAN);
    return PLX_OK;
}

/* ---- Exhibits -------------------------------------------------------------------------------- */

enum {
    SHOWN = 12,
    MOST_LAYERS = 256 /* as many as a model may have */,
    TEXT = SHOWN * (TOKENS * 48 + 64)
};

static plx_status no_room(plx_learning *l) {
    return plx_fail(l->ctx, PLX_ERR_MEMORY, "bert-nano: no memory for exhibits");
}

static plx_status show_confusion(plx_learning *l) {
    plx_metrics metrics;
    int64_t counts[PLX_SENTIMENTS * PLX_SENTIMENTS];
    const plx_status status = sentiment_metrics(l, &metrics, counts);
    if (status != PLX_OK) return status;
    return plx_learning_show_confusion(l, PLX_SENTIMENTS, counts, plx__sentiment_name,
                                       "prediction");
}

static int largest(const plx_real *row, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i)
        if (row[i] > row[best]) best = i;
    return (int)best;
}

/* "the [MASK:dog|dog] was not very good whatsoever -> negative (right)": shown, predicted and
 * correct word. words: logits [TOKENS, vocabulary]. Returns the length. */
static size_t write_sentence(const sentences *s, int64_t i, const plx_real *words, int sentiment,
                             char *text, size_t size) {
    const int64_t vocabulary = plx__sentiment_vocabulary();
    const int32_t *shown = s->shown + i * TOKENS, *hidden = s->words + i * TOKENS;
    size_t used = 0;
    for (int64_t j = 1; j < TOKENS && shown[j] != PLX_SENTIMENT_PAD && used < size; ++j) {
        const bool asked = hidden[j] != PLX_IGNORED_LABEL;
        const char *const word =
            shown[j] == PLX_SENTIMENT_MASK ? "MASK" : plx__sentiment_word(shown[j]);
        const int guess = largest(words + j * vocabulary, vocabulary);
        used += (size_t)snprintf(text + used, size - used, asked ? "[%s:%s|%s] " : "%s ", word,
                                 plx__sentiment_word(guess), plx__sentiment_word(hidden[j]));
    }
    if (used < size)
        used += (size_t)snprintf(text + used, size - used, "-> %s (%s)\n",
                                 plx__sentiment_name(sentiment),
                                 sentiment == s->sentiments[i] ? "right" : "wrong");
    return used;
}

static plx_status show_sentences(plx_learning *l) {
    const bert_state *state = l->state;
    const int64_t vocabulary = plx__sentiment_vocabulary();
    plx_dataset some = l->test, plain = dataset_of(&state->test, state->test.plain);
    some.n = plain.n = SHOWN;
    plx_real *words = plx_alloc((size_t)(SHOWN * TOKENS * vocabulary) * sizeof *words);
    char *text = plx_alloc(TEXT);
    plx_real classes[SHOWN * PLX_SENTIMENTS] = {0};
    plx_status status = no_room(l);
    if (words && text)
        status = plx_model_predict(l->model, &some, 0, (plx_real *[PLX_PORTS]){words});
    if (status == PLX_OK)
        status = plx_model_predict(l->model, &plain, 0, (plx_real *[PLX_PORTS]){NULL, classes});
    for (size_t i = 0, used = 0; words && i < SHOWN && used < TEXT && status == PLX_OK; ++i)
        used += write_sentence(&state->test, (int64_t)i, words + i * TOKENS * (size_t)vocabulary,
                               largest(classes + i * PLX_SENTIMENTS, PLX_SENTIMENTS), text + used,
                               TEXT - used);
    if (status == PLX_OK) status = plx_learning_show_text(l, "sentences", text);
    plx_free(text);
    plx_free(words);
    return status;
}

/* Queries and keys [1, TOKENS, width] of every block, for one sentence. */
typedef struct looks {
    plx_plan *plan;
    int layers;
    int64_t heads, width;
    plx_node q[MOST_LAYERS], k[MOST_LAYERS];
} looks;

static void find_looks(const plx_graph *graph, looks *found) {
    plx_node node;
    for (int i = 0; (node = plx_graph_node(graph, i)).id >= 0 && found->layers < MOST_LAYERS; ++i) {
        const int64_t *dims;
        if (strcmp(plx_node_op(graph, node), "attention") != 0) continue;
        plx_node_shape(graph, node, &dims);
        found->q[found->layers] = plx_node_operand(graph, node, 0);
        found->k[found->layers] = plx_node_operand(graph, node, 1);
        found->width = dims[2];
        found->layers += 1;
    }
}

static plx_status run_looks(plx_learning *l, const int32_t *ids, looks *out) {
    plx_graph *graph;
    plx_status status = plx_graph_new(l->ctx, &graph);
    if (status != PLX_OK) return status;
    const int64_t dims[] = {1, TOKENS};
    const plx_node input = plx_input(graph, "ids", PLX_DTYPE_I32, 2, dims);
    plx_node outputs[PLX_PORTS], wanted[2 * MOST_LAYERS];
    status = plx_model_forward(l->model, graph, &input, false, outputs);
    if (status == PLX_OK) find_looks(graph, out);
    for (int i = 0; i < out->layers; ++i) {
        wanted[2 * i] = out->q[i];
        wanted[2 * i + 1] = out->k[i];
    }
    if (status == PLX_OK) status = plx_compile(graph, 2 * out->layers, wanted, NULL, &out->plan);
    plx_graph_free(graph);
    if (status == PLX_OK) status = plx_plan_bind(out->plan, input, ids);
    return status == PLX_OK ? plx_plan_run(out->plan) : status;
}

/* weights[j stride] = softmax(q_0 k_j / sqrt(d)) over the words of one head. */
static void look(const looks *from, int layer, int64_t head, int words, plx_real *weights,
                 int64_t stride) {
    const int64_t d = from->width / from->heads;
    const plx_real *q = plx_plan_output(from->plan, from->q[layer]) + head * d;
    const plx_real *k = plx_plan_output(from->plan, from->k[layer]) + head * d;
    double scores[TOKENS], top = 0, sum = 0;
    for (int j = 0; j < words; ++j) {
        double dot = 0;
        for (int64_t e = 0; e < d; ++e) dot += (double)q[e] * (double)k[j * from->width + e];
        scores[j] = dot / plx_math_sqrt((double)d);
        if (!j || scores[j] > top) top = scores[j];
    }
    for (int j = 0; j < words; ++j) sum += scores[j] = plx_math_exp(scores[j] - top);
    for (int j = 0; j < words; ++j) weights[j * stride] = (plx_real)(scores[j] / sum);
}

/* What [CLS] attends to in the first held-out sentence: a row for each word, a column for each head
 * of each block. */
static plx_status show_attention(plx_learning *l) {
    const bert_state *state = l->state;
    const int32_t *ids = state->test.plain;
    looks found = {.heads = plx_model_setting(l->model, "heads")};
    plx_status status = run_looks(l, ids, &found);
    const int64_t columns = found.layers * found.heads;
    int words = 0;
    while (words < TOKENS && ids[words] != PLX_SENTIMENT_PAD) words += 1;
    plx_exhibit *shown = status != PLX_OK
                             ? NULL
                             : plx_learning_show(l, PLX_EXHIBIT_MATRIX, "attention of [CLS]", 1,
                                                 words, columns, 1, words);
    if (status == PLX_OK && !shown) status = no_room(l);
    if (shown) {
        shown->row_title = "word";
        shown->column_title = "head, block by block";
        for (int j = 0; j < words; ++j)
            snprintf(shown->labels[j], PLX_LEARNING_LABEL, "%s", plx__sentiment_word(ids[j]));
        for (int64_t c = 0; c < columns; ++c)
            look(&found, (int)(c / found.heads), c % found.heads, words, shown->values + c,
                 columns);
    }
    plx_plan_free(found.plan);
    return status;
}

static plx_status exhibit(plx_learning *l) {
    plx_status status = show_confusion(l);
    if (status == PLX_OK) status = show_sentences(l);
    return status == PLX_OK ? show_attention(l) : status;
}

static void close_task(plx_learning *l) {
    bert_state *state = l->state;
    if (!state) return;
    free_sentences(&state->train);
    free_sentences(&state->test);
    plx_free(state);
}

const plx_task plx__task_bert = {
    .name = "bert-nano",
    .description = "BERT on masked words and the sentiment of synthetic sentences",
    .work = {2.0e12, 4.1e12},
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
