/* Synthetic pictures: the same for the same seed, of the kinds that their labels say,
 * standardised; and nothing but shape and texture reveals the kind. */
#include "bench/tasks.h"
#include "bench/tasks/shapes.h"

#include "check.h"

#include <math.h>
#include <string.h>

enum { DRAWN = 400 };

static void names(plx_check *t) {
    for (int i = 0; i < PLX_KINDS; ++i) {
        plx_rng rng = plx_rng_new(1, (uint32_t)i);
        const plx__picture picture = plx__picture_of_kind(i, &rng);
        const char *kind = plx__kind_name(i), *shape = plx__shape_name(picture.shape),
                   *texture = plx__texture_name(picture.texture);
        CHECK(t, plx__picture_kind(&picture) == i, "a %s is taken for kind %d", kind,
              plx__picture_kind(&picture));
        CHECK(t, strstr(kind, shape) && strstr(kind, texture), "a %s is a %s %s", kind, texture,
              shape);
    }
    CHECK(t, !plx__kind_name(PLX_KINDS) && !plx__kind_name(-1), "there is a kind beyond the last");
    CHECK(t, plx__shape_name(PLX_SHAPES - 1) && !plx__shape_name(PLX_SHAPES), "shapes");
    CHECK(t, plx__texture_name(PLX_TEXTURES - 1) && !plx__texture_name(PLX_TEXTURES), "textures");
    CHECK(t, plx__colour_name(PLX_COLOURS - 1) && !plx__colour_name(PLX_COLOURS), "colours");
    CHECK(t, plx__ground_name(PLX_GROUNDS - 1) && !plx__ground_name(PLX_GROUNDS), "grounds");
    CHECK(t, plx__size_name(PLX_SHAPE_SIZES - 1) && !plx__size_name(PLX_SHAPE_SIZES), "sizes");
    CHECK(t, plx__place_name(PLX_PLACES - 1) && !plx__place_name(PLX_PLACES), "places");
}

/* Each shape and each texture occurs in two kinds, so that one of them alone is right at most
 * half of the time. */
static void pairs(plx_check *t) {
    int shapes[PLX_SHAPES] = {0}, textures[PLX_TEXTURES] = {0};
    for (int i = 0; i < PLX_KINDS; ++i) {
        plx_rng rng = plx_rng_new(1, 1);
        const plx__picture picture = plx__picture_of_kind(i, &rng);
        shapes[picture.shape] += 1;
        textures[picture.texture] += 1;
    }
    for (int i = 0; i < PLX_SHAPES; ++i)
        CHECK(t, shapes[i] == 2, "%s: %d kinds", plx__shape_name(i), shapes[i]);
    for (int i = 0; i < PLX_TEXTURES; ++i)
        CHECK(t, textures[i] == 2, "%s: %d kinds", plx__texture_name(i), textures[i]);
}

/* Everything else is drawn before the kind is used, so it has the same values for every kind. */
static void rest_is_chance(plx_check *t) {
    for (uint32_t stream = 0; stream < 20; ++stream) {
        plx_rng rng = plx_rng_new(2, stream);
        const plx__picture first = plx__picture_of_kind(0, &rng);
        for (int kind = 1; kind < PLX_KINDS; ++kind) {
            rng = plx_rng_new(2, stream);
            const plx__picture other = plx__picture_of_kind(kind, &rng);
            CHECK(t,
                  first.colour == other.colour && first.background == other.background &&
                      first.size == other.size && first.place == other.place,
                  "kind %d has other attributes in stream %u", kind, (unsigned)stream);
        }
    }
}

static plx_real images[DRAWN * PLX_PICTURE_VALUES], again[DRAWN * PLX_PICTURE_VALUES];

static void values(plx_check *t) {
    int32_t kinds[DRAWN], other[DRAWN];
    plx__pictures(DRAWN, 3, 1, images, kinds);
    plx__pictures(DRAWN, 3, 1, again, other);
    CHECK(t, !memcmp(images, again, sizeof images) && !memcmp(kinds, other, sizeof kinds),
          "a seed gave two sets of pictures");
    plx__pictures(DRAWN, 4, 1, again, other);
    CHECK(t, memcmp(images, again, sizeof images) != 0, "two seeds gave the same pictures");
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWN * PLX_PICTURE_VALUES; ++i) {
        sum += (double)images[i];
        squares += (double)images[i] * (double)images[i];
    }
    const double mean = sum / (DRAWN * PLX_PICTURE_VALUES);
    const double deviation = sqrt(squares / (DRAWN * PLX_PICTURE_VALUES) - mean * mean);
    CHECK(t, fabs(mean) < 0.2 && fabs(deviation - 1) < 0.2, "mean %g, deviation %g", mean,
          deviation);
    plx_real light[PLX_PICTURE_VALUES];
    plx__picture_to_light(images, light);
    for (int i = 0; i < PLX_PICTURE_VALUES; ++i)
        CHECK(t, light[i] >= 0 && light[i] <= 1, "light %d is %g", i, (double)light[i]);
}

/* A model for pictures of another size or number of kinds would read past the end of the data. */
static void refuses_models(plx_check *t) {
    static const char *const models[][2] = {
        {"vit-nano:size=16", "takes 768 values and returns 10; pictures have 32 x 32 x 3"},
        {"resnet-nano:classes=7", "returns 7; pictures have 32 x 32 x 3, and there are 10 kinds"},
        {"gpt2-nano", "pictures have 32 x 32 x 3"},
        {"vit-nano:heads=3", "3 heads do not divide width 128"},
    };
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    for (size_t i = 0; i < sizeof models / sizeof *models; ++i) {
        const plx_learning_options options = {.model = models[i][0], .size = PLX_LEARNING_QUICK};
        plx_learning *learning = NULL;
        /* Settings that no picture fits are invalid by themselves. */
        const bool setting = strchr(models[i][0], ':') && strstr(models[i][0], "heads");
        const plx_status wanted = setting ? PLX_ERR_ARGUMENT : PLX_ERR_SHAPE;
        const plx_status status = plx_learning_named(ctx, "vit-nano", &options, &learning);
        CHECK(t, status == wanted && strstr(plx_message(ctx), models[i][1]),
              "%s: %s, \"%s\" lacks \"%s\"", models[i][0], plx_status_name(status),
              plx_message(ctx), models[i][1]);
        CHECK(t, !learning, "%s is trained", models[i][0]);
    }
    plx_ctx_free(ctx);
}

enum { MOST_BARS = 32 };

/* Puts the gradients of the network without shortcuts after a step into bars; returns how many. */
static int64_t gradients(plx_check *t, plx_ctx *ctx, bool evaluate_first, plx_real *bars) {
    const plx_learning_options options = {.size = PLX_LEARNING_QUICK, .steps = 1};
    plx_learning *learning = NULL;
    plx_progress progress;
    int64_t count = 0;
    plx_status status = plx_learning_named(ctx, "resnet-nano", &options, &learning);
    if (status == PLX_OK) status = plx_trainer_run(plx_learning_trainer(learning), 1, &progress);
    if (status == PLX_OK && evaluate_first) status = plx_learning_evaluate(learning);
    if (status == PLX_OK) status = plx_learning_exhibit(learning);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    for (int i = 0; status == PLX_OK && i < plx_learning_exhibits(learning); ++i) {
        const plx_exhibit e = plx_learning_exhibit_at(learning, i);
        if (strcmp(e.name, "gradients, without skips") != 0) continue;
        for (; count < e.columns && count < MOST_BARS; ++count) bars[count] = e.values[count];
    }
    plx_learning_free(learning);
    return count;
}

/* Exhibits belong to the weights that training led to, whoever asks first. */
static void order_of_calls(plx_check *t) {
    plx_real alone[MOST_BARS], after[MOST_BARS];
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    const int64_t count = gradients(t, ctx, false, alone);
    CHECK(t, count > 0 && count == gradients(t, ctx, true, after), "%lld layers", (long long)count);
    for (int64_t i = 0; i < count; ++i)
        CHECK(t, alone[i] == after[i], "layer %lld: %g, but %g after the measures", (long long)i,
              (double)alone[i], (double)after[i]);
    plx_ctx_free(ctx);
}

void plx_test_bench_pictures(plx_check *t) {
    names(t);
    pairs(t);
    rest_is_chance(t);
    values(t);
    refuses_models(t);
    order_of_calls(t);
}
