/* Generation: one position at a time gives the results of the whole sequence, and sampling
 * follows its options. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 12, VOCABULARY = 29 };

#define SIZES ":layers=2,heads=4,width=24,vocabulary=29,context=12"

static plx_model *model_of(plx_check *t, plx_ctx *ctx, const char *name) {
    plx_model *model = NULL;
    CHECK(t, plx_model_from_name(ctx, name, 3, &model) == PLX_OK, "%s", plx_message(ctx));
    /* Initial weights give logits that hardly differ. */
    plx_weights *weights = model ? plx_model_weights(model) : NULL;
    for (int i = 0; model && i < plx_weights_count(weights); ++i) {
        plx_tensor *tensor = plx_weights_at(weights, i, NULL, NULL);
        plx_real *data = plx_tensor_data(tensor);
        plx_rng rng = plx_rng_new(5, (uint32_t)i);
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k)
            data[k] += (plx_real)(0.3 * plx_rng_normal(&rng));
    }
    return model;
}

static plx_generator *generator_of(plx_check *t, plx_ctx *ctx, plx_model *model, uint64_t seed) {
    plx_generator *generator = NULL;
    CHECK(t, plx_generator_new(model, seed, &generator) == PLX_OK, "%s", plx_message(ctx));
    return generator;
}

static void random_ids(uint64_t seed, int count, int32_t *ids) {
    plx_rng rng = plx_rng_new(seed, 1);
    for (int i = 0; i < count; ++i) ids[i] = (int32_t)plx_rng_below(&rng, VOCABULARY);
}

/* The same sums in another order, through 2 layers of some 10 operations whose longest sum has
 * 96 terms: each is off by at most 2 x 96 eps of the sum of magnitudes, some 10 here. In double
 * precision 1e-9 leaves three digits to spare; anything that leaks from another position shows in
 * the first digits. */
static double tolerance(void) {
    return sizeof(plx_real) == sizeof(double) ? 1e-9 : 2 * 10 * 2 * 96 * 10 * (double)FLT_EPSILON;
}

static void compare(plx_check *t, const char *name, const char *when, const plx_real *expected,
                    const plx_real *got) {
    double worst = 0;
    for (int i = 0; got && i < VOCABULARY; ++i)
        worst = fmax(worst, fabs((double)(expected[i] - got[i])));
    CHECK(t, got && worst <= tolerance(), "%s, %s: logits are off by %g, more than %g", name, when,
          worst, tolerance());
}

static void forward(plx_check *t, plx_ctx *ctx, plx_model *model, const int32_t *ids,
                    plx_real *logits) {
    const plx_dataset data = {.n = 1, .inputs = {ids}};
    CHECK(t, plx_model_predict(model, &data, 1, (plx_real *[]){logits}) == PLX_OK, "%s",
          plx_message(ctx));
}

/* Every position of a sequence, of a second sequence in the same generator, and beyond a full
 * context. */
static void equals_forward(plx_check *t, plx_ctx *ctx, const char *name) {
    static plx_real logits[CONTEXT * VOCABULARY];
    int32_t ids[2 * CONTEXT];
    plx_model *model = model_of(t, ctx, name);
    plx_generator *g = generator_of(t, ctx, model, 1);
    CHECK(t, !plx_generator_logits(g), "%s: logits before the first token", name);
    for (int round = 0; round < 2; ++round) {
        random_ids((uint64_t)round, CONTEXT, ids);
        forward(t, ctx, model, ids, logits);
        for (int i = 0; i < CONTEXT; ++i) {
            CHECK(t, plx_generator_feed(g, 1, &ids[i]) == PLX_OK, "%s", plx_message(ctx));
            compare(t, name, round ? "after a reset" : "a position", logits + i * VOCABULARY,
                    plx_generator_logits(g));
        }
        if (!round) plx_generator_reset(g);
    }
    /* The second half becomes the new context: tokens are now fed at its end. */
    random_ids(9, CONTEXT, ids + CONTEXT);
    plx_generator_feed(g, 1, ids + CONTEXT);
    forward(t, ctx, model, ids + CONTEXT / 2, logits);
    compare(t, name, "a full context", logits + CONTEXT / 2 * VOCABULARY, plx_generator_logits(g));
    plx_generator_free(g);
    plx_model_free(model);
}

/* A token changes no logits of positions before it, and weights are used as they are. */
static void sees_weights(plx_check *t, plx_ctx *ctx, const char *name) {
    static plx_real logits[CONTEXT * VOCABULARY];
    int32_t ids[CONTEXT];
    random_ids(2, CONTEXT, ids);
    plx_model *model = model_of(t, ctx, name);
    plx_generator *g = generator_of(t, ctx, model, 1);
    plx_generator_feed(g, 3, ids);
    plx_tensor *table = plx_weights_find(plx_model_weights(model), "tokens.table");
    if (!CHECK(t, table != NULL, "%s has no tokens.table", name)) return;
    plx_real *row = (plx_real *)plx_tensor_data(table) + 7 * 24;
    for (int i = 0; i < 24; ++i) row[i] += 1;
    plx_generator_reset(g);
    plx_generator_feed(g, 4, ids);
    forward(t, ctx, model, ids, logits);
    compare(t, name, "changed weights", logits + (ptrdiff_t)3 * VOCABULARY,
            plx_generator_logits(g));
    plx_generator_free(g);
    plx_model_free(model);
}

static void generate(plx_check *t, plx_ctx *ctx, plx_model *model, uint64_t seed,
                     plx_sampling sampling, int count, int32_t *ids) {
    const int32_t first = 4;
    plx_generator *g = generator_of(t, ctx, model, seed);
    plx_generator_feed(g, 1, &first);
    for (int i = 0; i < count; ++i)
        CHECK(t, plx_generator_next(g, &sampling, &ids[i]) == PLX_OK, "%s", plx_message(ctx));
    plx_generator_free(g);
}

static int rank_of(const plx_real *logits, int32_t id) {
    int larger = 0;
    for (int i = 0; i < VOCABULARY; ++i) larger += logits[i] > logits[id];
    return larger;
}

static void draws(plx_check *t, plx_ctx *ctx) {
    enum { COUNT = 40 };
    int32_t a[COUNT], b[COUNT];
    plx_model *model = model_of(t, ctx, "gpt2-nano" SIZES);
    generate(t, ctx, model, 1, (plx_sampling){0, 0}, COUNT, a);
    generate(t, ctx, model, 2, (plx_sampling){0, 0}, COUNT, b);
    CHECK(t, !memcmp(a, b, sizeof a), "temperature 0 depends on the seed");
    generate(t, ctx, model, 2, (plx_sampling){2, 1}, COUNT, b);
    CHECK(t, !memcmp(a, b, sizeof a), "top_k of 1 does not give the likeliest");
    generate(t, ctx, model, 1, (plx_sampling){2, 0}, COUNT, a);
    generate(t, ctx, model, 1, (plx_sampling){2, 0}, COUNT, b);
    CHECK(t, !memcmp(a, b, sizeof a), "the same seed draws other tokens");
    generate(t, ctx, model, 2, (plx_sampling){2, 0}, COUNT, b);
    CHECK(t, memcmp(a, b, sizeof a) != 0, "another seed draws the same tokens");
    plx_model_free(model);
}

/* Frequencies after one context are those of the softmax over the k likeliest tokens alone. */
static void frequencies(plx_check *t, plx_ctx *ctx, plx_sampling sampling) {
    enum { DRAWS = 2000 };
    plx_model *model = model_of(t, ctx, "transformer-nano" SIZES);
    plx_generator *g = generator_of(t, ctx, model, 6);
    double expected[VOCABULARY] = {0}, sum = 0;
    int counts[VOCABULARY] = {0};
    const int32_t first = 4;
    for (int n = 0; n < DRAWS; ++n) {
        int32_t id;
        plx_generator_reset(g);
        plx_generator_feed(g, 1, &first);
        for (int i = 0; !n && i < VOCABULARY; ++i) {
            const plx_real *logits = plx_generator_logits(g);
            if (!sampling.top_k || rank_of(logits, i) < sampling.top_k)
                expected[i] = exp((double)logits[i] / sampling.temperature);
            sum += expected[i];
        }
        if (plx_generator_next(g, &sampling, &id) == PLX_OK) counts[id] += 1;
    }
    for (int i = 0; i < VOCABULARY; ++i) {
        const double p = expected[i] / sum;
        /* Five standard deviations of a binomial, plus one draw. */
        const double bound = 5 * sqrt(DRAWS * p * (1 - p)) + (p > 0);
        CHECK(t, fabs(counts[i] - DRAWS * p) <= bound,
              "token %d was drawn %d times of %d, not %g within %g", i, counts[i], DRAWS, DRAWS * p,
              bound);
    }
    plx_generator_free(g);
    plx_model_free(model);
}

static void refuse_next(plx_check *t, plx_ctx *ctx, plx_generator *g, plx_sampling sampling,
                        plx_status status, const char *expected) {
    int32_t id = -7;
    CHECK(t, plx_generator_next(g, &sampling, &id) == status && strstr(plx_message(ctx), expected),
          "\"%s\" lacks \"%s\"", plx_message(ctx), expected);
    CHECK(t, id == -7, "a token was drawn in spite of the error");
}

static void refuses(plx_check *t, plx_ctx *ctx) {
    plx_model *model = model_of(t, ctx, "gpt2-nano" SIZES), *other = NULL;
    plx_generator *g = generator_of(t, ctx, model, 1), *none = NULL;
    refuse_next(t, ctx, g, (plx_sampling){1, 0}, PLX_ERR_STATE, "no tokens to continue");
    const int32_t ids[] = {3, 28, 29}, negative = -1;
    CHECK(t,
          plx_generator_feed(g, 3, ids) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "token 29 at position 2 is outside the vocabulary, 0..28"),
          "%s", plx_message(ctx));
    CHECK(t, !plx_generator_logits(g), "tokens before an invalid one were consumed");
    CHECK(t, plx_generator_feed(g, 1, &negative) == PLX_ERR_ARGUMENT, "token -1 is accepted");
    CHECK(t, plx_generator_feed(g, 2, ids) == PLX_OK, "%s", plx_message(ctx));
    refuse_next(t, ctx, g, (plx_sampling){-1, 0}, PLX_ERR_ARGUMENT, "temperature is -1");
    refuse_next(t, ctx, g, (plx_sampling){NAN, 0}, PLX_ERR_ARGUMENT, "temperature is nan");
    refuse_next(t, ctx, g, (plx_sampling){1, -2}, PLX_ERR_ARGUMENT, "top_k -2");
    plx_tensor *shift = plx_weights_find(plx_model_weights(model), "norm.shift");
    ((plx_real *)plx_tensor_data(shift))[0] = (plx_real)NAN;
    plx_generator_feed(g, 1, ids);
    refuse_next(t, ctx, g, (plx_sampling){1, 0}, PLX_ERR_DIVERGED, "not finite");
    plx_model_from_name(ctx, "mlp:2-3", 1, &other);
    CHECK(t,
          plx_generator_new(other, 1, &none) == PLX_ERR_UNSUPPORTED && !none &&
              strstr(plx_message(ctx), "gpt2 and transformer"),
          "%s", plx_message(ctx));
    plx_generator_free(g);
    plx_model_free(model);
    plx_model_free(other);
}

void plx_test_unit_generate(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    static const char *const names[] = {"gpt2-nano" SIZES, "transformer-nano" SIZES,
                                        "transformer-nano" SIZES ",kv_heads=1,tied=0",
                                        "gpt2-nano" SIZES ",dropout=0.5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) equals_forward(t, ctx, names[i]);
    sees_weights(t, ctx, names[0]);
    sees_weights(t, ctx, names[1]);
    draws(t, ctx);
    frequencies(t, ctx, (plx_sampling){2, 0});
    frequencies(t, ctx, (plx_sampling){2, 5});
    refuses(t, ctx);
    plx_ctx_free(ctx);
}
