/* Sentences with sentiment, masks and captions: their meaning is derived again from their words. */
#include "bench/tasks/captions.h"
#include "bench/tasks/sentiment.h"

#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = PLX_SENTIMENT_TOKENS, SENTENCES = 4000 };

static bool is_one_of(const char *words, const char *word) {
    const char *found = strstr(words, word);
    const size_t length = strlen(word);
    return found && (found == words || found[-1] == ' ') &&
           (found[length] == ' ' || found[length] == '\0');
}

/* Counts among the words from first to before end. */
static int sentiment_of(const int32_t *ids, int first, int end) {
    int turned = 1, said = 0;
    for (int i = first; i < end; ++i) {
        const char *word = plx__sentiment_word(ids[i]);
        if (is_one_of("not never", word)) turned = -1;
        if (is_one_of("boring awful slow useless cold", word)) said = -1;
        if (is_one_of("skilled great good warm lovely", word)) said = 1;
    }
    return 1 + turned * said;
}

static int read_sentence(const int32_t *ids) {
    int end = 1, middle = 0;
    for (; end < TOKENS && ids[end] != PLX_SENTIMENT_PAD; ++end)
        if (is_one_of("but though", plx__sentiment_word(ids[end]))) middle = end;
    if (!middle) return sentiment_of(ids, 1, end);
    return !strcmp(plx__sentiment_word(ids[middle]), "but") ? sentiment_of(ids, middle, end)
                                                            : sentiment_of(ids, 1, middle);
}

/* Whether [CLS] comes first, then words, then padding. */
static bool is_sound(const int32_t *ids) {
    int i = 1;
    while (i < TOKENS && ids[i] >= PLX_SENTIMENT_FIRST_WORD && plx__sentiment_word(ids[i])) ++i;
    const bool words = ids[0] == PLX_SENTIMENT_CLS && i > 7;
    while (i < TOKENS && ids[i] == PLX_SENTIMENT_PAD) ++i;
    return words && i == TOKENS;
}

/* Counts stay within 5 standard deviations of a binomial's. */
static bool is_near(int64_t count, int64_t n, double p) {
    return fabs((double)count - p * (double)n) < 5 * sqrt(p * (1 - p) * (double)n);
}

static void sentences_say_it(plx_check *t) {
    plx_rng rng = plx_rng_new(5, 5);
    int64_t of[PLX_SENTIMENTS] = {0}, wrong = 0, unsound = 0, held_out = 0;
    for (int i = 0; i < SENTENCES; ++i) {
        int32_t ids[TOKENS];
        const int sentiment = plx__sentiment_sentence(&rng, ids);
        unsound += !is_sound(ids);
        wrong += sentiment != read_sentence(ids);
        held_out += plx__sentiment_is_held_out(ids);
        of[sentiment] += 1;
    }
    CHECK(t, !unsound && !wrong, "%lld sentences are unsound, %lld say something else",
          (long long)unsound, (long long)wrong);
    for (int k = 0; k < PLX_SENTIMENTS; ++k)
        CHECK(t, is_near(of[k], SENTENCES, 1.0 / 3), "%lld are %s", (long long)of[k],
              plx__sentiment_name(k));
    /* Sentences occur more than once, so counts are not binomial. */
    CHECK(t, held_out > SENTENCES / 16 && held_out < SENTENCES / 4, "%lld are held out",
          (long long)held_out);
    CHECK(t, !plx__sentiment_word((int32_t)plx__sentiment_vocabulary()) && !plx__sentiment_word(-1),
          "some words are outside the vocabulary");
}

static void masks_hide_words(plx_check *t) {
    plx_rng rng = plx_rng_new(6, 6);
    int64_t words = 0, hidden = 0, masks = 0, kept = 0, wrong = 0;
    for (int i = 0; i < SENTENCES; ++i) {
        int32_t ids[TOKENS], shown[TOKENS], labels[TOKENS];
        plx__sentiment_sentence(&rng, ids);
        plx__sentiment_mask(&rng, ids, shown, labels);
        for (int k = 0; k < TOKENS; ++k) {
            const bool asked = labels[k] != PLX_IGNORED_LABEL;
            words += ids[k] >= PLX_SENTIMENT_FIRST_WORD;
            hidden += asked;
            masks += asked && shown[k] == PLX_SENTIMENT_MASK;
            kept += asked && shown[k] == ids[k];
            wrong += asked ? labels[k] != ids[k] || ids[k] < PLX_SENTIMENT_FIRST_WORD
                           : shown[k] != ids[k];
        }
    }
    CHECK(t, !wrong, "%lld words are masked wrongly", (long long)wrong);
    /* Sentences have 10 to 15 words: rounding 15% adds at most half a word. */
    CHECK(t, fabs((double)hidden / (double)words - 0.15) < 0.03, "%g are hidden",
          (double)hidden / (double)words);
    CHECK(t, is_near(masks, hidden, 0.8), "%lld of %lld are masks", (long long)masks,
          (long long)hidden);
    /* One random word in a hundred is the word itself. */
    const double same = 1 / (double)(plx__sentiment_vocabulary() - PLX_SENTIMENT_FIRST_WORD);
    CHECK(t, is_near(kept, hidden, 0.1 + 0.1 * same), "%lld of %lld are kept", (long long)kept,
          (long long)hidden);
}

static int compare_ids(const void *a, const void *b) {
    return memcmp(a, b, PLX_CAPTION_WORDS * sizeof(int32_t));
}

static void captions_differ(plx_check *t) {
    static int32_t ids[PLX_CAPTIONS][PLX_CAPTION_WORDS];
    int64_t outside = 0, equal = 0;
    for (int64_t i = 0; i < PLX_CAPTIONS; ++i) {
        const plx__picture picture = plx__caption_picture(i);
        plx__caption_ids(&picture, ids[i]);
        for (int k = 0; k < PLX_CAPTION_WORDS; ++k) outside += !plx__caption_word(ids[i][k]);
    }
    qsort(ids, PLX_CAPTIONS, sizeof *ids, compare_ids);
    for (int64_t i = 1; i < PLX_CAPTIONS; ++i) equal += !compare_ids(ids[i - 1], ids[i]);
    CHECK(t, !outside && !equal, "%lld words are outside, %lld captions are equal",
          (long long)outside, (long long)equal);
    char text[PLX_CAPTION_TEXT];
    const plx__picture picture = {
        .shape = 0, .texture = 1, .colour = 0, .background = 0, .size = 1, .place = 1};
    plx__caption_text(&picture, text);
    CHECK(t, !strcmp(text, "a large striped red circle on black at the left"), "\"%s\"", text);
    const plx__picture other = {.texture = 0, .place = 0};
    plx__caption_text(&other, text);
    CHECK(t, !strcmp(text, "a small red circle on black in the middle"), "\"%s\"", text);
}

void plx_test_bench_sentences(plx_check *t) {
    sentences_say_it(t);
    masks_hide_words(t);
    captions_differ(t);
}
