/* Models and trainers: they learn, and refuse invalid settings. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void learns_xor(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind, double rate,
                       double momentum) {
    const plx_real x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {0, 1, 1, 0};
    const plx_dataset data = {.n = 4, .inputs = {x}, .targets = {y}};
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    CHECK(t, plx_model_from_name(ctx, "mlp:2-8-1:tanh", 1, &model) == PLX_OK, "%s",
          plx_message(ctx));
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(kind);
    options.optimizer.rate = rate;
    options.optimizer.momentum = momentum;
    options.optimizer.nesterov = momentum > 0;
    options.batch = 4;
    options.epochs = 2000;
    plx_progress progress = {0};
    plx_status status = plx_trainer_new(model, &options, &data, &trainer);
    while (status == PLX_OK && !progress.done) status = plx_trainer_run(trainer, 1000, &progress);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_real out[4] = {0};
    plx_model_predict(model, &data, 3, (plx_real *[]){out});
    for (int i = 0; i < 4; ++i)
        CHECK(t, fabs((double)(out[i] - y[i])) < 0.1, "%s: xor %d is %g", plx_optimizer_name(kind),
              i, (double)out[i]);
    plx_metrics metrics;
    plx_model_evaluate(model, 0, PLX_LOSS_MSE, &data, &metrics, NULL);
    CHECK(t, metrics.r2 > 0.9 && metrics.rmse < 0.1, "r2 %g, rmse %g", metrics.r2, metrics.rmse);
    plx_trainer_free(trainer);
    plx_model_free(model);
}

static void refuse(plx_check *t, plx_ctx *ctx, const plx_trainer_options *options,
                   const plx_dataset *data, const char *expected) {
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    plx_model_from_name(ctx, "mlp:2-3", 1, &model);
    const plx_status status = plx_trainer_new(model, options, data, &trainer);
    CHECK(t, status == PLX_ERR_ARGUMENT && strstr(plx_message(ctx), expected),
          "%s: \"%s\" lacks \"%s\"", plx_status_name(status), plx_message(ctx), expected);
    CHECK(t, !trainer, "there is a trainer");
    plx_model_free(model);
}

static void refuses(plx_check *t, plx_ctx *ctx) {
    plx_real x[] = {0, 1, 2, 3};
    plx_real y[6] = {0};
    int32_t labels[] = {0, 1};
    plx_dataset data = {.n = 2, .inputs = {x}, .targets = {y}};
    plx_trainer_options options = plx_trainer_default();
    options.batch = 0;
    refuse(t, ctx, &options, &data, "batch is 0 for 2 samples; it must be 1 to 2");
    options.batch = 3;
    refuse(t, ctx, &options, &data, "batch is 3 for 2 samples");
    options.batch = 2;
    options.epochs = 0;
    refuse(t, ctx, &options, &data, "epochs is 0");
    options.epochs = 1;
    x[3] = (plx_real)NAN;
    refuse(t, ctx, &options, &data, "x holds NaN in row 1, column 1");
    x[3] = (plx_real)INFINITY;
    refuse(t, ctx, &options, &data, "x holds infinity in row 1, column 1");
    x[3] = 3;
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    data.targets[0] = labels;
    labels[1] = 3;
    refuse(t, ctx, &options, &data, "label 3 in row 1 is outside 0 to 2");
    labels[0] = labels[1] = PLX_IGNORED_LABEL;
    refuse(t, ctx, &options, &data, "every label equals the ignored label (-100)");
    labels[1] = 1;
    options.optimizer.rate = NAN;
    refuse(t, ctx, &options, &data, "learning rate nan");
    options.optimizer = plx_optimizer_default(PLX_ADAM);
    options.optimizer.beta1 = 1;
    refuse(t, ctx, &options, &data, "beta1 1 must be 0 to below 1");
}

static void names(plx_check *t, plx_ctx *ctx) {
    const char *const bad[] = {"resnet",   "mlp:",         "mlp:5",    "mlp:5-0-1",
                               "mlp:5--1", "mlp:5-1:what", "mlp:5-1x", "mlp:99999999999-1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        plx_model *model = NULL;
        const plx_status status = plx_model_from_name(ctx, bad[i], 1, &model);
        CHECK(t, status == PLX_ERR_ARGUMENT && strstr(plx_message(ctx), bad[i]) && !model,
              "\"%s\": %s", bad[i], plx_message(ctx));
    }
    plx_model *model = NULL;
    CHECK(t, plx_model_from_name(ctx, "mlp:784-200-10", 1, &model) == PLX_OK, "%s",
          plx_message(ctx));
    int64_t parameters = 0;
    for (int i = 0; i < plx_model_layers(model); ++i)
        parameters += plx_model_layer(model, i).parameters;
    CHECK(t, parameters == 784 * 200 + 200 + 200 * 10 + 10, "784-200-10 has %lld parameters",
          (long long)parameters);
    plx_model_free(model);
}

static void refuses_to_evaluate(plx_check *t, plx_ctx *ctx) {
    const plx_real x[] = {0, 1}, y[] = {0, 0};
    const plx_dataset data = {.n = 1, .inputs = {x}, .targets = {y}};
    plx_model *model = NULL;
    plx_metrics metrics;
    plx_model_from_name(ctx, "mlp:2-2", 1, &model);
    CHECK(t,
          plx_model_evaluate(model, 5, PLX_LOSS_MSE, &data, &metrics, NULL) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx),
                     "evaluate: there is no output 5; the model has 1 output, 0 to 0"),
          "%s", plx_message(ctx));
    CHECK(t,
          plx_model_evaluate(model, 0, PLX_LOSS_OWN, &data, &metrics, NULL) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "own loss has no labels to compare with"),
          "%s", plx_message(ctx));
    plx_model_free(model);
}

/* Adding layers has to wait until every trainer is freed; a model may be freed before its
 * trainer. */
static void keeps_its_layers_in_training(plx_check *t, plx_ctx *ctx) {
    const plx_real x[] = {0, 1, 2, 3}, y[] = {0, 0, 1, 1};
    const plx_dataset data = {.n = 2, .inputs = {x}, .targets = {y}};
    const plx_layer more = {.kind = PLX_LAYER_DENSE, .units = 2};
    plx_trainer_options options = plx_trainer_default();
    options.batch = 2;
    plx_model *model = NULL;
    plx_trainer *trainers[2] = {NULL};
    plx_model_from_name(ctx, "mlp:2-2", 1, &model);
    for (int i = 0; i < 2; ++i)
        CHECK(t, plx_trainer_new(model, &options, &data, &trainers[i]) == PLX_OK, "%s",
              plx_message(ctx));
    for (int i = 0; i < 2; ++i) {
        CHECK(t,
              plx_model_add(model, &more) == PLX_ERR_STATE &&
                  strstr(plx_message(ctx), "it is being trained; free its trainer"),
              "%s", plx_message(ctx));
        plx_trainer_free(trainers[i]);
    }
    CHECK(t, plx_model_add(model, &more) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t, plx_trainer_new(model, &options, &data, &trainers[0]) == PLX_OK, "%s",
          plx_message(ctx));
    plx_model_free(model);
    plx_trainer_free(trainers[0]);
}

/* ---- From trainer to trainer ----------------------------------------------------------------- */

enum { SAMPLES = 6, HIDDEN = 16, MOST = 64 };

/* Synthetic: a dense layer with dropout of one half, and another dense layer. */
static plx_status droppy(plx_ctx *ctx, plx_model **model) {
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_DENSE, .units = HIDDEN, .activation = PLX_TANH},
        {.kind = PLX_LAYER_DROPOUT, .rate = 0.5},
        {.kind = PLX_LAYER_DENSE, .units = 1},
    };
    plx_status status = plx_model_new(ctx, 1, (const int64_t[]){2}, 1, model);
    for (int i = 0; i < 3 && status == PLX_OK; ++i) status = plx_model_add(*model, &layers[i]);
    return status;
}

static plx_real stream_x[2 * SAMPLES], stream_y[SAMPLES];

static plx_dataset stream(int64_t n) {
    plx_rng rng = plx_rng_new(8, 0);
    for (int i = 0; i < 2 * SAMPLES; ++i) stream_x[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < SAMPLES; ++i) stream_y[i] = (plx_real)plx_rng_normal(&rng);
    return (plx_dataset){.n = n, .inputs = {stream_x}, .targets = {stream_y}};
}

/* One trainer from its first step to its last. */
static plx_status train_on(plx_model *model, const plx_trainer_options *options,
                           const plx_dataset *data) {
    plx_trainer *trainer = NULL;
    plx_progress progress = {0};
    plx_status status = plx_trainer_new(model, options, data, &trainer);
    while (status == PLX_OK && !progress.done) status = plx_trainer_run(trainer, 10, &progress);
    plx_trainer_free(trainer);
    return status;
}

static int weights_of(const plx_model *model, plx_real *out) {
    const plx_weights *w = plx_model_weights(model);
    int count = 0;
    for (int i = 0; i < plx_weights_count(w); ++i) {
        const plx_tensor *tensor = plx_weights_at(w, i, NULL, NULL);
        memcpy(out + count, plx_tensor_data(plx_weights_at(w, i, NULL, NULL)),
               (size_t)plx_tensor_size(tensor) * sizeof *out);
        count += (int)plx_tensor_size(tensor);
    }
    return count;
}

/* A hundred calls with one sample each: every unit gets dropped and kept. */
static void masks_go_on(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = stream(1);
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_SGD);
    options.batch = 1;
    plx_model *model = NULL;
    plx_real before[2][MOST * 2], after[2 * MOST];
    CHECK(t, droppy(ctx, &model) == PLX_OK, "%s", plx_message(ctx));
    weights_of(model, before[0]);
    for (int call = 0; call < 100; ++call)
        CHECK(t, train_on(model, &options, &data) == PLX_OK, "%s", plx_message(ctx));
    weights_of(model, after);
    /* The first weight, [2, HIDDEN]. */
    for (int unit = 0; unit < HIDDEN; ++unit)
        CHECK(t, before[0][unit] != after[unit], "unit %d never moved", unit);
    CHECK(t, plx_model_position(model).batches == 100, "%lld batches",
          (long long)plx_model_position(model).batches);
    plx_model_free(model);
}

/* Two calls of one epoch give the bits of one call of two: order, masks and, if the optimizer is
 * kept, moments. calls: epochs of each call, terminated by 0. */
static void train_in_calls(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind, const int *calls,
                           bool moved, plx_real *out) {
    const plx_dataset data = stream(SAMPLES);
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(kind);
    options.schedule = (plx_schedule){.kind = PLX_SCHEDULE_CONSTANT};
    options.batch = 4;
    plx_model *model = NULL;
    CHECK(t, droppy(ctx, &model) == PLX_OK, "%s", plx_message(ctx));
    if (kind != PLX_SGD)
        CHECK(t, plx_model_optimizer(model, &options.optimizer, &options.state) == PLX_OK, "%s",
              plx_message(ctx));
    for (int i = 0; calls[i]; ++i) {
        options.epochs = calls[i];
        CHECK(t, train_on(model, &options, &data) == PLX_OK, "%s", plx_message(ctx));
        if (!moved) continue;
        /* Into another model, as from a file. */
        plx_model *other = NULL;
        CHECK(t, droppy(ctx, &other) == PLX_OK, "%s", plx_message(ctx));
        plx_model_copy_weights(other, model);
        plx_model_set_position(other, plx_model_position(model));
        plx_model_free(model);
        model = other;
    }
    weights_of(model, out);
    plx_model_free(model);
    plx_optimizer_free(options.state);
}

static void calls_make_one_run(plx_check *t, plx_ctx *ctx) {
    plx_real one[2 * MOST] = {0}, three[2 * MOST] = {0};
    for (int kind = 0; plx_optimizer_name((plx_optimizer_kind)kind); ++kind)
        for (int moved = 0; moved < (kind == PLX_SGD ? 2 : 1); ++moved) {
            train_in_calls(t, ctx, (plx_optimizer_kind)kind, (const int[]){4, 0}, false, one);
            train_in_calls(t, ctx, (plx_optimizer_kind)kind, (const int[]){1, 2, 1, 0}, moved,
                           three);
            CHECK(t, !memcmp(one, three, sizeof one), "%s: three calls have other bits than one",
                  plx_optimizer_name((plx_optimizer_kind)kind));
        }
}

static void refuses_optimizers(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = stream(SAMPLES);
    plx_trainer_options options = plx_trainer_default();
    options.batch = 2;
    options.schedule = (plx_schedule){.kind = PLX_SCHEDULE_LINEAR};
    plx_model *model = NULL, *other = NULL;
    plx_trainer *trainers[2] = {NULL};
    CHECK(t, droppy(ctx, &model) == PLX_OK && droppy(ctx, &other) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t, plx_model_optimizer(model, &options.optimizer, &options.state) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t,
          plx_trainer_new(other, &options, &data, &trainers[0]) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "made for other weights (4 tensors)") && !trainers[0],
          "\"%s\"", plx_message(ctx));
    CHECK(t, plx_trainer_new(model, &options, &data, &trainers[0]) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t,
          plx_trainer_new(model, &options, &data, &trainers[1]) == PLX_ERR_STATE &&
              strstr(plx_message(ctx), "in use by another trainer") && !trainers[1],
          "\"%s\"", plx_message(ctx));
    plx_progress progress = {0};
    plx_trainer_run(trainers[0], 2, &progress);
    CHECK(t, progress.rate < options.optimizer.rate, "a rate of %g", progress.rate);
    plx_trainer_free(trainers[0]);
    /* The rate that the schedule has set ends with its trainer. */
    CHECK(t, plx_trainer_new(model, &options, &data, &trainers[1]) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t, plx_trainer_rate(trainers[1]) == options.optimizer.rate, "a rate of %g",
          plx_trainer_rate(trainers[1]));
    plx_trainer_free(trainers[1]);
    plx_model_free(model);
    plx_model_free(other);
    plx_optimizer_free(options.state);
}

/* ---- Divergence ------------------------------------------------------------------------------ */

/* The loss of one sample x of a linear model with a target of -y is finite; the gradient 2 y x,
 * or its square, is not. What was learnt stays, and the optimizer can be used again. */
static void gradients_diverge(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind, double magnitude,
                              int64_t accumulate, double clip_norm, const char *expected) {
    const plx_real x[] = {(plx_real)pow(10, magnitude), 0}, y[] = {-(plx_real)pow(10, 15), 0};
    const plx_real good_x[] = {1, 2}, good_y[] = {1, 2};
    const plx_dataset bad = {.n = 2, .inputs = {x}, .targets = {y}};
    const plx_dataset good = {.n = 2, .inputs = {good_x}, .targets = {good_y}};
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(kind);
    options.optimizer.rate = 0;
    options.batch = 2 / accumulate;
    options.accumulate = accumulate;
    options.clip_norm = clip_norm;
    options.shuffle = false;
    plx_model *model = NULL;
    plx_real before[2], after[2];
    CHECK(t, plx_model_from_name(ctx, "mlp:1-1", 1, &model) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t, plx_model_optimizer(model, &options.optimizer, &options.state) == PLX_OK, "%s",
          plx_message(ctx));
    plx_tensor *w = plx_weights_at(plx_model_weights(model), 0, NULL, NULL);
    *(plx_real *)plx_tensor_data(w) = 0;
    CHECK(t, train_on(model, &options, &good) == PLX_OK, "%s", plx_message(ctx));
    weights_of(model, before);
    const plx_status status = train_on(model, &options, &bad);
    weights_of(model, after);
    CHECK(t, status == PLX_ERR_DIVERGED && strstr(plx_message(ctx), expected),
          "%s: \"%s\" lacks \"%s\"", plx_optimizer_name(kind), plx_message(ctx), expected);
    CHECK(t, !memcmp(before, after, sizeof before), "%s: weights changed",
          plx_optimizer_name(kind));
    plx_optimizer_set_rate(options.state, 0.01);
    CHECK(t, train_on(model, &options, &good) == PLX_OK, "%s", plx_message(ctx));
    weights_of(model, after);
    CHECK(t, after[0] != before[0] && isfinite((double)after[0]), "%s: the weight is frozen at %g",
          plx_optimizer_name(kind), (double)after[0]);
    plx_model_free(model);
    plx_optimizer_free(options.state);
}

static void all_gradients_diverge(plx_check *t, plx_ctx *ctx) {
    const bool is_double = sizeof(plx_real) == sizeof(double);
    const double square = is_double ? 150 : 10, infinite = is_double ? 300 : 25;
    for (int k = 0; plx_optimizer_name((plx_optimizer_kind)k); ++k) {
        const plx_optimizer_kind kind = (plx_optimizer_kind)k;
        const bool squares = kind != PLX_SGD && kind != PLX_LION;
        for (int64_t accumulate = 1; accumulate <= 2; ++accumulate) {
            if (squares)
                gradients_diverge(
                    t, ctx, kind, square, accumulate, 0,
                    "the squares of the gradients are not finite at step 1, in epoch");
            gradients_diverge(t, ctx, kind, infinite, accumulate, 0,
                              "the gradients are not finite at step 1, in epoch 1");
            gradients_diverge(t, ctx, kind, infinite, accumulate, 1,
                              "the norm of the gradients is not finite at step 1, in epoch 1");
        }
    }
}

static void diverges(plx_check *t, plx_ctx *ctx) {
    const plx_real x[] = {100, -100}, y[] = {1, 2};
    const plx_dataset data = {.n = 2, .inputs = {x}, .targets = {y}};
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    plx_model_from_name(ctx, "mlp:1-4-1", 1, &model);
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_SGD);
    options.optimizer.rate = 1e20;
    options.batch = 2;
    options.epochs = 100;
    plx_progress progress = {0};
    plx_status status = plx_trainer_new(model, &options, &data, &trainer);
    while (status == PLX_OK && !progress.done) status = plx_trainer_run(trainer, 10, &progress);
    CHECK(t, status == PLX_ERR_DIVERGED && strstr(plx_message(ctx), "not finite at step"), "%s: %s",
          plx_status_name(status), plx_message(ctx));
    plx_trainer_free(trainer);
    plx_model_free(model);
}

/* ---- Accumulated gradients ------------------------------------------------------------------- */

enum { BATCHES = 20000 };

/* The bias b of w x + b, with x = 0 and targets of -0.05, has the gradient 0.1 in every batch:
 * one step of rate 1 from 0 makes it -0.1, up to the rounding error of a sum of so many terms. */
static void sums_many_gradients(plx_check *t, plx_ctx *ctx) {
    static plx_real x[BATCHES], y[BATCHES];
    const plx_real target = (plx_real)-0.05;
    for (int i = 0; i < BATCHES; ++i) y[i] = target;
    const plx_dataset data = {.n = BATCHES, .inputs = {x}, .targets = {y}};
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_SGD);
    options.optimizer.rate = 1;
    options.optimizer.momentum = 0;
    options.batch = 1;
    options.accumulate = BATCHES;
    options.steps = 1;
    plx_model *model = NULL;
    plx_real weights[2] = {0};
    CHECK(t, plx_model_from_name(ctx, "mlp:1-1", 1, &model) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t, train_on(model, &options, &data) == PLX_OK, "%s", plx_message(ctx));
    weights_of(model, weights);
    const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    const double right = 2 * (double)target, error = fabs((double)weights[1] - right);
    CHECK(t, error <= (16 + log2(BATCHES)) * eps * fabs(right), "the bias is %.9g, not %.9g",
          (double)weights[1], right);
    plx_model_free(model);
}

/* ---- plx_trainer_fit ------------------------------------------------------------------------- */

typedef struct watcher {
    int64_t stop_at; /* the step to stop at; -1: never */
    int64_t steps[8];
    int calls;
} watcher;

static bool watch(void *self, const plx_progress *progress) {
    watcher *w = self;
    if (w->calls < 8) w->steps[w->calls] = progress->step;
    w->calls += 1;
    return progress->step != w->stop_at;
}

/* Two epochs of three steps: callbacks in order, stopping and resuming, and the weights of
 * plx_trainer_run. */
static void fits(plx_check *t, plx_ctx *ctx) {
    static const struct {
        int64_t every, stop_at;
        int calls;
        int64_t steps[8];
    } rows[] = {
        {0, -1, 2, {3, 6}},       {1, -1, 6, {1, 2, 3, 4, 5, 6}},
        {2, -1, 4, {2, 3, 5, 6}}, {100, 3, 1, {3}},
        {2, 5, 3, {2, 3, 5}},     {0, 6, 2, {3, 6}}, /* nothing is left to stop */
    };
    const plx_dataset data = stream(SAMPLES);
    plx_trainer_options options = plx_trainer_default();
    options.batch = 2;
    options.epochs = 2;
    plx_model *model = NULL;
    plx_real weights[MOST + HIDDEN], fitted[MOST + HIDDEN];
    if (CHECK(t, droppy(ctx, &model) == PLX_OK, "%s", plx_message(ctx)) &&
        CHECK(t, train_on(model, &options, &data) == PLX_OK, "%s", plx_message(ctx)))
        weights_of(model, weights);
    plx_model_free(model);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        watcher w = {.stop_at = rows[i].stop_at};
        plx_trainer *trainer = NULL;
        plx_progress progress = {0};
        const bool stops = w.stop_at >= 0 && w.stop_at < 6;
        droppy(ctx, &model);
        plx_trainer_new(model, &options, &data, &trainer);
        plx_status status = plx_trainer_fit(trainer, rows[i].every, watch, &w, &progress);
        CHECK(t, status == (stops ? PLX_ERR_CANCELLED : PLX_OK), "row %d: status %d", (int)i,
              status);
        CHECK(t, w.calls == rows[i].calls && !memcmp(w.steps, rows[i].steps, sizeof w.steps),
              "row %d: %d calls", (int)i, w.calls);
        CHECK(t, progress.step == rows[i].steps[rows[i].calls - 1], "row %d: ended at %lld", (int)i,
              (long long)progress.step);
        if (stops) {
            CHECK(t, strstr(plx_message(ctx), "of 6, as requested"), "%s", plx_message(ctx));
            status = plx_trainer_fit(trainer, 0, NULL, NULL, NULL);
        }
        const size_t count = (size_t)weights_of(model, fitted);
        CHECK(t, status == PLX_OK && !memcmp(weights, fitted, count * sizeof *weights),
              "row %d: other weights", (int)i);
        plx_trainer_free(trainer);
        plx_model_free(model);
    }
}

/* No callback is called, and the progress made before a failure is reported. */
static void fit_fails(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = stream(SAMPLES);
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_SGD);
    options.optimizer.rate = 1e29;
    options.batch = 2;
    options.epochs = 9;
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    plx_progress progress = {.step = -1};
    droppy(ctx, &model);
    plx_trainer_new(model, &options, &data, &trainer);
    CHECK(t,
          plx_trainer_fit(trainer, -1, NULL, NULL, &progress) == PLX_ERR_ARGUMENT &&
              progress.step == -1 && strstr(plx_message(ctx), "every is -1 steps"),
          "%s", plx_message(ctx));
    CHECK(t,
          plx_trainer_fit(trainer, 0, NULL, NULL, &progress) == PLX_ERR_DIVERGED &&
              progress.step >= 0 && progress.step < 27,
          "%s", plx_message(ctx));
    plx_trainer_free(trainer);
    plx_model_free(model);
}

/* Softmax gives rows of probabilities, in the order of the logits; the loss is that of the logits.
 */
static void softmax_comes_last(plx_check *t, plx_ctx *ctx) {
    const int32_t labels[SAMPLES] = {0, 1, 2, 0, 1, 2};
    const plx_layer softmax = {.kind = PLX_LAYER_SOFTMAX};
    plx_dataset data = stream(SAMPLES);
    data.targets[0] = labels;
    plx_trainer_options options = plx_trainer_default();
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.batch = SAMPLES;
    plx_model *model = NULL;
    plx_metrics metrics;
    plx_real before[SAMPLES * 3], after[SAMPLES * 3], *outputs[PLX_PORTS] = {before};
    plx_model_new(ctx, 1, (const int64_t[]){2}, 1, &model);
    plx_model_add(model, &(plx_layer){.kind = PLX_LAYER_DENSE, .units = 3});
    CHECK(t, train_on(model, &options, &data) == PLX_OK, "%s", plx_message(ctx));
    plx_model_predict(model, &data, 0, outputs);
    CHECK(t, plx_model_evaluate(model, 0, options.loss, &data, &metrics, NULL) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t, plx_model_add(model, &softmax) == PLX_OK, "%s", plx_message(ctx));
    outputs[0] = after;
    CHECK(t, plx_model_predict(model, &data, 0, outputs) == PLX_OK, "%s", plx_message(ctx));
    for (int i = 0; i < SAMPLES; ++i) {
        double sum = 0;
        for (int j = 0; j < 3; ++j) sum += exp((double)before[3 * i + j]);
        for (int j = 0; j < 3; ++j) {
            const double right = exp((double)before[3 * i + j]) / sum;
            CHECK(t, fabs((double)after[3 * i + j] - right) <= 1e-6, "%g is not %g",
                  (double)after[3 * i + j], right);
        }
    }
    /* The loss is that of the logits below it, in training as in evaluation. */
    plx_metrics under;
    CHECK(t,
          plx_model_evaluate(model, 0, options.loss, &data, &under, NULL) == PLX_OK &&
              under.loss == metrics.loss && under.accuracy == metrics.accuracy,
          "%s: %g instead of %g", plx_message(ctx), under.loss, metrics.loss);
    CHECK(t, train_on(model, &options, &data) == PLX_OK, "%s", plx_message(ctx));
    plx_model_free(model);
}

void plx_test_unit_train(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    learns_xor(t, ctx, PLX_SGD, 0.05, 0.9);
    learns_xor(t, ctx, PLX_ADAM, 0.01, 0);
    learns_xor(t, ctx, PLX_ADAMW, 0.01, 0);
    refuses(t, ctx);
    names(t, ctx);
    refuses_to_evaluate(t, ctx);
    keeps_its_layers_in_training(t, ctx);
    masks_go_on(t, ctx);
    calls_make_one_run(t, ctx);
    refuses_optimizers(t, ctx);
    diverges(t, ctx);
    all_gradients_diverge(t, ctx);
    sums_many_gradients(t, ctx);
    fits(t, ctx);
    fit_fails(t, ctx);
    softmax_comes_last(t, ctx);
    plx_ctx_free(ctx);
}
