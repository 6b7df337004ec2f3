/* Tasks of the language models: the grammar's own statistics, requirements on a text, and
 * whether the modern transformer learns at least as well as GPT-2. */
#include "bench/tasks.h"
#include "bench/tasks/stories.h"

#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every word occurs, none is out of range, and the text of the grammar is unambiguous, so that
 * its costs are those of its words. */
static void vocabulary(plx_check *t, int richness, int least, int most) {
    enum { WORDS = 400000 };
    plx_stories *stories = plx_stories_new(richness);
    int32_t *ids = malloc(WORDS * sizeof *ids);
    double *costs = malloc(WORDS * sizeof *costs);
    plx_rng rng = plx_rng_new(3, 0);
    const int64_t clashes = plx_stories_write(stories, &rng, WORDS, ids, costs);
    const int count = plx_stories_vocabulary(stories);
    CHECK(t, count >= least && count <= most, "a vocabulary of %d words", count);
    CHECK(t, clashes == 0, "%lld ambiguous choices: alternatives begin alike", (long long)clashes);
    int64_t outside = 0, negative = 0, missing = 0;
    int64_t *seen = calloc((size_t)count, sizeof *seen);
    for (int64_t i = 0; i < WORDS; ++i) {
        outside += ids[i] < 0 || ids[i] >= count;
        negative += !(costs[i] >= 0);
        if (ids[i] >= 0 && ids[i] < count) seen[ids[i]] += 1;
    }
    for (int i = 0; i < count; ++i) missing += !seen[i];
    CHECK(t, !outside && !negative && !missing, "%lld ids outside, %lld costs below 0, %lld unused",
          (long long)outside, (long long)negative, (long long)missing);
    free(seen);
    free(ids);
    free(costs);
    plx_stories_free(stories);
}

/* The costs are those of a distribution: over draws of the hero's kind, nature and so on, the
 * mean of 1 / p(word) at the first choice of a story is its number of alternatives. And where two
 * of the words before decide the possible names, a name costs the logarithm of their number. */
static void costs(plx_check *t) {
    enum { STORY = 10, NATURE = 5, KIND, NAME = 8 };
    plx_stories *stories = plx_stories_new(0);
    plx_rng rng = plx_rng_new(1, 0);
    int32_t ids[STORY];
    double cost[STORY];
    for (int i = 0; i < 50; ++i) {
        plx_stories_write(stories, &rng, STORY, ids, cost);
        for (int k = 0; k < STORY; ++k) {
            const double choices = k == NATURE ? 3 : k == KIND ? 2 : k == NAME ? 2 : 1;
            CHECK(t, fabs(cost[k] - log(choices)) < 1e-12, "\"%s\" costs %g, not log %g",
                  plx_stories_word(stories, ids[k]), cost[k], choices);
        }
    }
    char text[200];
    const char *expected = " girl named ";
    plx_stories_text(stories, STORY, ids, text, sizeof text);
    CHECK(t,
          !strncmp(text, "once there was a ", 17) && strchr(text, '.') &&
              (strstr(text, expected) || strstr(text, " boy named ")),
          "\"%s\"", text);
    plx_stories_text(stories, STORY, ids, text, 20);
    CHECK(t, strlen(text) < 20, "\"%s\" is longer than requested", text);
    plx_stories_free(stories);
}

static void refuse(plx_check *t, plx_ctx *ctx, const char *text, size_t bytes, const char *model,
                   plx_status status, const char *expected) {
    const plx_learning_options options = {
        .model = model, .text = text, .text_bytes = bytes, .steps = 2};
    plx_learning *learning = NULL;
    CHECK(t,
          plx_learning_named(ctx, "gpt2-nano", &options, &learning) == status && !learning &&
              strstr(plx_message(ctx), expected),
          "\"%s\" lacks \"%s\"", plx_message(ctx), expected);
    plx_learning_free(learning);
}

/* Whichever input takes the tokens. */
static void vocabularies(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *task, *model;
    } wrong[] = {{"clip-nano", "clip-nano:vocabulary=9"}, {"bert-nano", "bert-nano:vocabulary=9"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        const plx_learning_options options = {.model = wrong[i].model, .steps = 2};
        plx_learning *learning = NULL;
        char expected[128];
        snprintf(expected, sizeof expected, "has a vocabulary of 9, but the tokens of %s are 0 to ",
                 wrong[i].task);
        CHECK(t,
              plx_learning_named(ctx, wrong[i].task, &options, &learning) == PLX_ERR_ARGUMENT &&
                  !learning && strstr(plx_message(ctx), expected) &&
                  strstr(plx_message(ctx), ": write vocabulary="),
              "\"%s\" lacks \"%s\"", plx_message(ctx), expected);
        plx_learning_free(learning);
    }
}

static void refusals(plx_check *t, plx_ctx *ctx) {
    enum { LENGTH = 20000 };
    char *text = malloc(LENGTH);
    for (int i = 0; i < LENGTH; ++i) text[i] = (char)('a' + i % 26);
    refuse(t, ctx, text, 500, NULL, PLX_ERR_ARGUMENT,
           "the text has 500 characters; 1300 are needed");
    refuse(t, ctx, "", 0, NULL, PLX_ERR_ARGUMENT, "0 different characters; 2 to");
    refuse(t, ctx, text, LENGTH, "mlp:2-3", PLX_ERR_ARGUMENT, "cannot continue sequences");
    refuse(t, ctx, text, LENGTH, "gpt2-nano:vocabulary=20", PLX_ERR_ARGUMENT,
           "has a vocabulary of 20, but the tokens of gpt2-nano are 0 to");
    static const char *const bad[] = {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        memcpy(text + LENGTH - strlen(bad[i]), bad[i], strlen(bad[i]));
        refuse(t, ctx, text, LENGTH, NULL, PLX_ERR_FORMAT, "does not begin a UTF-8 character");
        memset(text + LENGTH - 4, 'a', 4);
    }
    memset(text, 'a', LENGTH);
    refuse(t, ctx, text, LENGTH, NULL, PLX_ERR_ARGUMENT, "1 different characters");
    /* 6,000 Chinese characters. */
    for (int i = 0; i < 6000; ++i) {
        const int code = 0x4e00 + i;
        text[3 * i] = (char)(0xe0 | code >> 12);
        text[3 * i + 1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[3 * i + 2] = (char)(0x80 | (code & 0x3f));
    }
    refuse(t, ctx, text, (size_t)3 * 6000, NULL, PLX_ERR_ARGUMENT,
           "6000 different characters; 2 to 4096");
    free(text);
}

/* Characters of one to four bytes come back whole in the generated text. */
static void characters(plx_check *t, plx_ctx *ctx) {
    enum { TIMES = 400 };
    static const char piece[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n";
    const size_t length = sizeof piece - 1;
    char *text = malloc(TIMES * length);
    for (size_t i = 0; i < TIMES; ++i) memcpy(text + i * length, piece, length);
    const plx_learning_options options = {.text = text, .text_bytes = TIMES * length, .steps = 2};
    plx_learning *learning = NULL;
    if (CHECK(t, plx_learning_named(ctx, "gpt2-nano", &options, &learning) == PLX_OK, "%s",
              plx_message(ctx))) {
        CHECK(t, strstr(plx_learning_model_name(learning), "vocabulary=5"), "%s",
              plx_learning_model_name(learning));
        CHECK(t, plx_learning_about(learning).real, "a given text is called synthetic");
        CHECK(t, plx_learning_exhibit(learning) == PLX_OK, "%s", plx_message(ctx));
        const char *written = plx_learning_exhibit_at(learning, 0).text;
        CHECK(t, !strncmp(written, piece, length) && strlen(written) > 500, "\"%s\"", written);
    }
    plx_learning_free(learning);
    free(text);
}

/* Rows of attention are distributions over the positions so far. */
static void attention(plx_check *t, plx_ctx *ctx, const char *task) {
    const plx_learning_options options = {.seed = 1, .steps = 2};
    plx_learning *learning = NULL;
    if (!CHECK(t, plx_learning_named(ctx, task, &options, &learning) == PLX_OK, "%s",
               plx_message(ctx)))
        return;
    CHECK(t, plx_learning_exhibit(learning) == PLX_OK, "%s", plx_message(ctx));
    int heads = 0;
    for (int i = 0; i < plx_learning_exhibits(learning); ++i) {
        const plx_exhibit e = plx_learning_exhibit_at(learning, i);
        if (e.kind != PLX_EXHIBIT_MATRIX) continue;
        heads += 1;
        CHECK(t, e.labels && !strcmp(e.labels[1], "once"), "rows are not labelled by their tokens");
        for (int64_t r = 0; r < e.rows; ++r) {
            double sum = 0, later = 0;
            for (int64_t c = 0; c < e.columns; ++c) {
                const double value = (double)e.values[r * e.columns + c];
                sum += value;
                later += c > r ? value : 0;
            }
            CHECK(t, fabs(sum - 1) < 1e-5 && later == 0, "%s, row %lld: sum %g, of later ones %g",
                  e.name, (long long)r, sum, later);
        }
    }
    CHECK(t, heads == 4, "%s: attention of %d heads", task, heads);
    plx_learning_free(learning);
}

void plx_test_bench_text(plx_check *t) {
    vocabulary(t, 0, 60, 120);
    vocabulary(t, 1, 200, 500);
    vocabulary(t, 2, 400, 2000);
    costs(t);
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    refusals(t, ctx);
    vocabularies(t, ctx);
    characters(t, ctx);
    attention(t, ctx, "gpt2-nano");
    attention(t, ctx, "transformer-nano");
    plx_ctx_free(ctx);
}
