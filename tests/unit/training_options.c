/* Options of a trainer: schedules, clipping, accumulation, early stopping, decay by role,
 * divergence, and data of every layout. */
#include "check.h"
#include "nn/model.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;

enum { ROWS = 12, IN = 3, OUT = 2, VALUES = 400 };

/* Synthetic: a regression on noise. */
static plx_real data_x[2 * ROWS * IN], data_y[2 * ROWS * OUT];

static plx_dataset noise(int first, int rows) {
    plx_rng rng = plx_rng_new(3, 0);
    for (int i = 0; i < 2 * ROWS * IN; ++i) data_x[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < 2 * ROWS * OUT; ++i) data_y[i] = (plx_real)plx_rng_normal(&rng);
    return (plx_dataset){
        .n = rows, .inputs = {data_x + first * IN}, .targets = {data_y + first * OUT}};
}

/* All values of all weights of a role class, concatenated. */
static int values_of(const plx_model *model, bool state, plx_real *out) {
    const plx_weights *w = plx_model_weights(model);
    int count = 0;
    for (int i = 0; i < plx_weights_count(w); ++i) {
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(w, i, NULL, &role);
        if ((role == PLX_WEIGHT_STATE) != state) continue;
        const int size = (int)plx_tensor_size(tensor);
        memcpy(out + count, plx_tensor_data(tensor), (size_t)size * sizeof *out);
        count += size;
    }
    return count;
}

/* Trains a model, given by name, on data from one seed; returns the final progress. */
typedef struct run {
    plx_model *model;
    plx_trainer *trainer;
    plx_progress progress;
    plx_status status;
} run;

static run begin(plx_ctx *ctx, const char *name, const plx_trainer_options *options,
                 const plx_dataset *data) {
    run r = {0};
    r.status = plx_model_from_name(ctx, name, 1, &r.model);
    if (r.status == PLX_OK) r.status = plx_trainer_new(r.model, options, data, &r.trainer);
    return r;
}

static void finish(run *r) {
    while (r->status == PLX_OK && !r->progress.done)
        r->status = plx_trainer_run(r->trainer, 1000, &r->progress);
}

static void end(run *r) {
    plx_trainer_free(r->trainer);
    plx_model_free(r->model);
}

static plx_trainer_options sgd(double rate) {
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(PLX_SGD);
    options.optimizer.rate = rate;
    options.batch = ROWS;
    options.shuffle = false;
    return options;
}

/* ---- Rate, clipping, decay ------------------------------------------------------------------- */

static void rate_in_force(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = noise(0, ROWS);
    plx_trainer_options options = sgd(0.1);
    options.batch = 5; /* three steps per epoch */
    options.epochs = 4;
    options.schedule = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = 3, .floor = 0.1};
    run r = begin(ctx, "mlp:3-4-2:tanh", &options, &data);
    for (int step = 0; r.status == PLX_OK && !r.progress.done; ++step) {
        const double highest = step < 7 ? 0.1 : 0.05;
        if (step == 7) plx_trainer_set_rate(r.trainer, 0.05);
        const double refused[] = {NAN, -1, INFINITY};
        for (int i = 0; i < 3 && step == 8; ++i)
            CHECK(t,
                  plx_trainer_set_rate(r.trainer, refused[i]) == PLX_ERR_ARGUMENT &&
                      strstr(plx_message(ctx), "must be from 0 to below 1e30"),
                  "rate %g: \"%s\"", refused[i], plx_message(ctx));
        r.status = plx_trainer_run(r.trainer, 1, &r.progress);
        const double rate = highest * plx_schedule_share(&options.schedule, step, 12);
        CHECK(t, r.progress.rate == rate && plx_trainer_rate(r.trainer) == rate,
              "step %d has the rate %g instead of %g", step, r.progress.rate, rate);
    }
    CHECK(t, r.status == PLX_OK && r.progress.step == 12, "%s", plx_message(ctx));
    CHECK(t,
          isnan(r.progress.gradient_norm) && isnan(r.progress.validation_loss) &&
              !r.progress.stopped_early && !r.progress.best_epoch,
          "an option that is off is reported");
    end(&r);
    /* A rate of 0 moves nothing: the optimizer uses the rate of the schedule. */
    plx_real before[VALUES], after[VALUES];
    options.schedule = (plx_schedule){.kind = PLX_SCHEDULE_STEP, .every = 1, .factor = 1e-300};
    options.batch = ROWS;
    options.epochs = 2;
    r = begin(ctx, "mlp:3-4-2:tanh", &options, &data);
    if (r.status == PLX_OK) r.status = plx_trainer_run(r.trainer, 1, &r.progress);
    int count = values_of(r.model, false, before);
    if (r.status == PLX_OK) r.status = plx_trainer_run(r.trainer, 1, &r.progress);
    values_of(r.model, false, after);
    CHECK(t, r.status == PLX_OK && !memcmp(before, after, (size_t)count * sizeof *before),
          "a step at 1e-301 moved weights: %s", plx_message(ctx));
    end(&r);
}

/* The distance that one step moves the weights; *norm: the norm that progress reports. */
static double moved(plx_check *t, plx_ctx *ctx, const plx_trainer_options *options,
                    const plx_dataset *data, double *norm) {
    plx_real before[VALUES] = {0}, after[VALUES] = {0};
    run r = begin(ctx, "mlp:3-4-2:tanh", options, data);
    const int count = values_of(r.model, false, before);
    finish(&r);
    CHECK(t, r.status == PLX_OK, "%s", plx_message(ctx));
    values_of(r.model, false, after);
    *norm = r.progress.gradient_norm;
    double squares = 0;
    for (int i = 0; i < count; ++i) squares += pow((double)(after[i] - before[i]), 2);
    end(&r);
    return sqrt(squares);
}

/* Plain gradient descent with a rate of 1 moves by the gradient; weights are below 4, the length
 * is above 0.1, and each of 26 weights rounds once. */
static void clips(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = noise(0, ROWS);
    plx_trainer_options options = sgd(1);
    const double bound = 26 * 4 * eps;
    for (options.accumulate = 1; options.accumulate <= 2; options.accumulate += 1) {
        options.batch = ROWS / options.accumulate;
        double norm, ignored;
        options.clip_norm = 0;
        const double length = moved(t, ctx, &options, &data, &ignored);
        options.clip_norm = length / 4;
        const double clipped = moved(t, ctx, &options, &data, &norm);
        CHECK(t, fabs(clipped - length / 4) <= bound, "clipped to %g: moved %g", length / 4,
              clipped);
        CHECK(t, fabs(norm - length) <= bound, "the norm is %g instead of %g", norm, length);
        options.clip_norm = 2 * length;
        CHECK(t, fabs(moved(t, ctx, &options, &data, &norm) - length) <= bound,
              "a short gradient is clipped");
    }
}

/* With no gradient (inputs of 0, correct outputs) only decay moves weights. */
static void decays_by_role(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind) {
    const plx_real x[2 * IN] = {0}, y[] = {0.5, 0.5, 0.5, 0.5};
    const plx_dataset data = {.n = 2, .inputs = {x}, .targets = {y}};
    plx_trainer_options options = plx_trainer_default();
    options.optimizer = plx_optimizer_default(kind);
    options.optimizer.rate = 1e-4; /* the first step of RMSprop is ten times that */
    options.optimizer.weight_decay = 0.5;
    options.batch = 2;
    run r = begin(ctx, "mlp:3-2", &options, &data);
    plx_weights *w = plx_model_weights(r.model);
    plx_real before[IN * 2] = {0};
    for (int i = 0; i < plx_weights_count(w); ++i) {
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(w, i, NULL, &role);
        plx_real *values = plx_tensor_data(tensor);
        if (role == PLX_WEIGHT_DECAYED) memcpy(before, values, sizeof before);
        if (role == PLX_WEIGHT_PLAIN) values[0] = values[1] = 0.5;
    }
    finish(&r);
    CHECK(t, r.status == PLX_OK, "%s", plx_message(ctx));
    for (int i = 0; i < plx_weights_count(w); ++i) {
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(w, i, NULL, &role);
        const plx_real *values = plx_tensor_data(tensor);
        if (role == PLX_WEIGHT_PLAIN)
            CHECK(t, values[0] == (plx_real)0.5 && values[1] == (plx_real)0.5, "%s: a bias decayed",
                  plx_optimizer_name(kind));
        for (int j = 0; role == PLX_WEIGHT_DECAYED && j < IN * 2; ++j)
            CHECK(t, fabs((double)values[j]) < fabs((double)before[j]),
                  "%s: weight %d did not decay", plx_optimizer_name(kind), j);
    }
    end(&r);
}

/* ---- Accumulation ---------------------------------------------------------------------------- */

/* Small batches, accumulated, against large batches. */
static void accumulates(plx_check *t, plx_ctx *ctx, int64_t small, int64_t accumulate,
                        int64_t large) {
    const plx_dataset data = noise(0, ROWS);
    plx_trainer_options options = sgd(0.05);
    options.optimizer.momentum = 0.9;
    options.epochs = 5;
    options.shuffle = true;
    plx_real values[2][VALUES];
    plx_progress progress[2];
    int count = 0;
    for (int i = 0; i < 2; ++i) {
        options.batch = i ? large : small;
        options.accumulate = i ? 0 : accumulate;
        run r = begin(ctx, "mlp:3-4-2:tanh", &options, &data);
        finish(&r);
        CHECK(t, r.status == PLX_OK, "%s", plx_message(ctx));
        count = values_of(r.model, false, values[i]);
        progress[i] = r.progress;
        end(&r);
    }
    CHECK(t, progress[0].steps == progress[1].steps && progress[0].epoch == 5,
          "%lld steps instead of %lld", (long long)progress[0].steps, (long long)progress[1].steps);
    /* Gradients of some units are means of 12 samples, summed in another order; at most ten
     * steps propagate that, each by less than a factor of two. */
    const double bound = 12 * 10 * 4 * eps;
    CHECK(t,
          fabs((double)(progress[0].loss - progress[1].loss)) <= bound &&
              fabs(progress[0].epoch_loss - progress[1].epoch_loss) <= bound,
          "loss %.9g instead of %.9g", (double)progress[0].loss, (double)progress[1].loss);
    for (int i = 0; i < count; ++i)
        CHECK(t, fabs((double)(values[0][i] - values[1][i])) <= bound,
              "%lld x %lld: weight %d is %.9g instead of %.9g", (long long)small,
              (long long)accumulate, i, (double)values[0][i], (double)values[1][i]);
}

/* ---- Early stopping -------------------------------------------------------------------------- */

static void stops_early(plx_check *t, plx_ctx *ctx, double min_improvement, int64_t patience) {
    enum { EPOCHS = 400 };
    const plx_dataset data = noise(0, ROWS), validation = noise(ROWS, ROWS);
    plx_trainer_options options = plx_trainer_default();
    options.optimizer.rate = 0.01;
    options.batch = 5;
    options.epochs = EPOCHS;
    options.validation = &validation;
    options.patience = patience;
    options.min_improvement = min_improvement;
    run r = begin(ctx, "mlp:3-16-2:tanh", &options, &data);
    static plx_real values[VALUES], best[VALUES];
    double lowest = INFINITY, mark = INFINITY;
    int64_t best_epoch = 0, left = patience;
    int count = 0;
    while (r.status == PLX_OK && !r.progress.done) {
        r.status = plx_trainer_run(r.trainer, 1000, &r.progress);
        plx_metrics metrics = {0};
        const double loss = r.progress.validation_loss;
        if (!r.progress.done) {
            plx_model_evaluate(r.model, 0, PLX_LOSS_MSE, &validation, &metrics, NULL);
            CHECK(t, metrics.loss == loss, "reported %g, found %g", loss, metrics.loss);
        }
        if (loss < lowest) {
            lowest = loss;
            best_epoch = r.progress.epoch;
            count = values_of(r.model, false, best);
        }
        left = loss < mark ? patience : left - 1;
        if (loss < mark) mark = loss - min_improvement;
        CHECK(t, r.progress.done == (left == 0), "done is %d after epoch %lld", r.progress.done,
              (long long)r.progress.epoch);
        if (r.progress.epoch == EPOCHS) break;
    }
    CHECK(t, r.status == PLX_OK && r.progress.stopped_early && r.progress.done, "%s",
          plx_message(ctx));
    CHECK(t, r.progress.best_epoch == best_epoch, "best epoch %lld instead of %lld",
          (long long)r.progress.best_epoch, (long long)best_epoch);
    CHECK(t, r.progress.epoch < EPOCHS && best_epoch > 1, "stopped at epoch %lld",
          (long long)r.progress.epoch);
    values_of(r.model, false, values);
    CHECK(t, count && !memcmp(values, best, (size_t)count * sizeof *values),
          "the weights are not those of epoch %lld", (long long)best_epoch);
    const plx_memory memory = plx_trainer_memory(r.trainer);
    CHECK(t, memory.kept == 2 * memory.parameters, "%lld bytes are kept of %lld",
          (long long)memory.kept, (long long)memory.parameters);
    const int64_t steps = r.progress.step;
    CHECK(t, plx_trainer_run(r.trainer, 5, &r.progress) == PLX_OK && r.progress.step == steps,
          "it goes on");
    end(&r);
}

/* Without patience the validation loss is reported and nothing restored; steps that end within
 * an epoch validate too. */
static void only_validates(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = noise(0, ROWS), validation = noise(ROWS, ROWS);
    plx_trainer_options options = sgd(0.1);
    options.batch = 4;
    options.epochs = 3;
    options.steps = 4;
    options.validation = &validation;
    run r = begin(ctx, "mlp:3-4-2:tanh", &options, &data);
    finish(&r);
    plx_metrics metrics = {0};
    plx_model_evaluate(r.model, 0, PLX_LOSS_MSE, &validation, &metrics, NULL);
    CHECK(t,
          r.status == PLX_OK && r.progress.step == 4 && !r.progress.stopped_early &&
              r.progress.validation_loss == metrics.loss,
          "step %lld: reported %g, found %g", (long long)r.progress.step,
          r.progress.validation_loss, metrics.loss);
    end(&r);
}

/* ---- Divergence ------------------------------------------------------------------------------ */

static plx_status add_layers(plx_model *model) {
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_DENSE, .units = 4},
        {.kind = PLX_LAYER_BATCH_NORM},
        {.kind = PLX_LAYER_DENSE, .units = OUT},
    };
    plx_status status = PLX_OK;
    for (int i = 0; i < 3 && status == PLX_OK; ++i) status = plx_model_add(model, &layers[i]);
    return status;
}

/* Step by step with running statistics: the trainable weights must be those of the last finite
 * loss, and the statistics those after that step. */
static void puts_back(plx_check *t, plx_ctx *ctx, int64_t accumulate, double clip_norm) {
    const plx_dataset data = noise(0, ROWS);
    plx_trainer_options options = sgd(1e5);
    options.epochs = 1000;
    options.batch = ROWS / accumulate;
    options.accumulate = accumulate;
    options.clip_norm = clip_norm;
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    plx_progress progress = {0};
    plx_status status = plx_model_new(ctx, 1, (const int64_t[]){IN}, 1, &model);
    if (status == PLX_OK) status = add_layers(model);
    if (status == PLX_OK) status = plx_trainer_new(model, &options, &data, &trainer);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    /* Trainable weights before the current step, and before the last good one. */
    static plx_real before[VALUES], good[VALUES], state[VALUES], now[VALUES];
    int count = 0, states = 0;
    while (status == PLX_OK && !progress.done) {
        memcpy(good, before, sizeof good);
        count = values_of(model, false, before);
        states = values_of(model, true, state);
        status = plx_trainer_run(trainer, 1, &progress);
    }
    /* In double precision the gradients overflow first, in a step whose loss is reported: its
     * weights stay. */
    const bool by_gradients = strstr(plx_message(ctx), "gradients");
    const long long bad = (long long)progress.step + !by_gradients;
    char expected[128];
    snprintf(expected, sizeof expected, "not finite at step %lld, in epoch %lld", bad, bad);
    CHECK(t, status == PLX_ERR_DIVERGED && strstr(plx_message(ctx), expected) && progress.step > 1,
          "\"%s\" lacks \"%s\"", plx_message(ctx), expected);
    values_of(model, false, now);
    CHECK(t, count && !memcmp(now, by_gradients ? before : good, (size_t)count * sizeof *now),
          "weights are not those of step %lld", (long long)progress.step);
    values_of(model, true, now);
    CHECK(t, states == 8 && !memcmp(now, state, (size_t)states * sizeof *now) == !by_gradients,
          "running statistics are not those after step %lld", (long long)progress.step);
    CHECK(t,
          plx_trainer_run(trainer, 1, &progress) == PLX_ERR_DIVERGED &&
              strstr(plx_message(ctx), "training diverged"),
          "training can be resumed: \"%s\"", plx_message(ctx));
    plx_trainer_free(trainer);
    plx_model_free(model);
}

/* The loss of the restored weights is the last that was reported. */
static void last_loss_holds(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind) {
    const plx_dataset data = noise(0, ROWS);
    plx_trainer_options options = sgd(0);
    options.optimizer = plx_optimizer_default(kind);
    options.optimizer.rate = 1e12;
    options.epochs = 1000;
    run r = begin(ctx, "mlp:3-4-2:relu", &options, &data);
    finish(&r);
    plx_metrics metrics = {0};
    plx_model_evaluate(r.model, 0, PLX_LOSS_MSE, &data, &metrics, NULL);
    /* Sums of 24 squares of sums of 4 and 3 products. */
    CHECK(t,
          r.status == PLX_ERR_DIVERGED && isfinite(metrics.loss) &&
              fabs(metrics.loss - (double)r.progress.loss) <= 64 * eps * metrics.loss,
          "%s: %s after step %lld: the loss is %g instead of %g", plx_optimizer_name(kind),
          plx_status_name(r.status), (long long)r.progress.step, metrics.loss,
          (double)r.progress.loss);
    end(&r);
}

/* Before the first loss nothing is known to be good: the weights stay. */
static void diverges_at_once(plx_check *t, plx_ctx *ctx) {
    plx_dataset data = noise(0, ROWS);
    plx_real huge[ROWS * OUT], before[VALUES], after[VALUES];
    for (int i = 0; i < ROWS * OUT; ++i)
        huge[i] = sizeof(plx_real) == sizeof(double) ? (plx_real)DBL_MAX : (plx_real)FLT_MAX;
    data.targets[0] = huge;
    const plx_trainer_options options = sgd(0.1);
    run r = begin(ctx, "mlp:3-4-2:tanh", &options, &data);
    const int count = values_of(r.model, false, before);
    finish(&r);
    values_of(r.model, false, after);
    CHECK(t, r.status == PLX_ERR_DIVERGED && strstr(plx_message(ctx), "step 1, in epoch 1"), "%s",
          plx_message(ctx));
    CHECK(t, !memcmp(before, after, (size_t)count * sizeof *before), "the weights changed");
    end(&r);
}

/* One step from a finite loss to weights that are not finite, without a next loss to reveal it. */
static void last_step_diverges(plx_check *t, plx_ctx *ctx) {
    plx_dataset large = noise(0, ROWS);
    plx_real before[VALUES], after[VALUES], scaled[ROWS * OUT];
    for (int i = 0; i < ROWS * OUT; ++i) scaled[i] = (plx_real)((double)data_y[i] * 1e17);
    large.targets[0] = scaled;
    const plx_trainer_options options = sgd(9e29);
    run r = begin(ctx, "mlp:3-4-2:tanh", &options, &large);
    const int count = values_of(r.model, false, before);
    finish(&r);
    values_of(r.model, false, after);
    CHECK(t,
          r.status == PLX_ERR_DIVERGED &&
              strstr(plx_message(ctx), "the weights are not finite at step 1, in epoch 1"),
          "%s: \"%s\"", plx_status_name(r.status), plx_message(ctx));
    CHECK(t, !memcmp(before, after, (size_t)count * sizeof *before), "the weights changed");
    end(&r);
}

/* Batch statistics keep the loss finite while the running ones overflow. The restored statistics
 * are finite, and give a finite loss. */
static void statistics_diverge(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind, double rate,
                               int64_t accumulate) {
    enum { PICTURES = 64, SIDE = 12, CLASSES = 4 };
    static plx_real pixels[PICTURES * SIDE * SIDE];
    static int32_t labels[PICTURES];
    plx_rng rng = plx_rng_new(6, 0);
    for (int i = 0; i < PICTURES * SIDE * SIDE; ++i) pixels[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < PICTURES; ++i) labels[i] = i % CLASSES;
    const plx_dataset data = {.n = PICTURES, .inputs = {pixels}, .targets = {labels}};
    plx_trainer_options options = sgd(rate);
    options.optimizer = plx_optimizer_default(kind);
    options.optimizer.rate = rate;
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.batch = 16 / accumulate;
    options.accumulate = accumulate;
    options.epochs = 30;
    options.schedule.warmup = 3;
    run r =
        begin(ctx, "resnet-nano:size=12,channels=1,classes=4,stages=2,blocks=1", &options, &data);
    finish(&r);
    char asked[64];
    snprintf(asked, sizeof asked, "lower the learning rate (%g", rate);
    CHECK(t, r.status == PLX_ERR_DIVERGED && strstr(plx_message(ctx), asked),
          "%s at %g: \"%s\" lacks \"%s\"", plx_optimizer_name(kind), rate, plx_message(ctx), asked);
    CHECK(t, rate < 1e20 || strstr(plx_message(ctx), ", at this step "), "\"%s\"",
          plx_message(ctx));
    const plx_weights *w = plx_model_weights(r.model);
    for (int i = 0; i < plx_weights_count(w); ++i) {
        const char *name;
        plx_tensor *tensor = plx_weights_at(w, i, &name, NULL);
        const plx_real *values = plx_tensor_data(tensor);
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k)
            CHECK(t, isfinite((double)values[k]), "%s[%lld] is %g", name, (long long)k,
                  (double)values[k]);
    }
    plx_metrics metrics = {0};
    CHECK(t,
          plx_model_evaluate(r.model, 0, PLX_LOSS_CROSS_ENTROPY, &data, &metrics, NULL) == PLX_OK &&
              isfinite(metrics.loss),
          "%s at %g: the restored weights have the loss %g", plx_optimizer_name(kind), rate,
          metrics.loss);
    end(&r);
}

/* ---- Layouts of data, several outputs, custom losses ----------------------------------------- */

enum { TEXT = 40, CONTEXT = 8, VOCABULARY = 11 };

/* Overlapping windows of one text against copies of the same windows. */
static void takes_windows(plx_check *t, plx_ctx *ctx, bool shuffle) {
    const char *const name =
        "gpt2-nano:layers=1,heads=2,width=8,vocabulary=11,context=8,dropout=0.1";
    enum { WINDOWS = TEXT - CONTEXT };
    int32_t text[TEXT], labels[TEXT], copied[2][WINDOWS * CONTEXT];
    plx_rng rng = plx_rng_new(4, 0);
    for (int i = 0; i < TEXT; ++i) labels[i] = text[i] = (int32_t)plx_rng_below(&rng, VOCABULARY);
    for (int i = 0; i < TEXT; i += 5) labels[i] = PLX_IGNORED_LABEL;
    for (int i = 0; i < WINDOWS; ++i) {
        memcpy(copied[0] + i * CONTEXT, text + i, CONTEXT * sizeof *text);
        memcpy(copied[1] + i * CONTEXT, labels + i + 1, CONTEXT * sizeof *text);
    }
    const plx_dataset apart = {.n = WINDOWS, .inputs = {copied[0]}, .targets = {copied[1]}};
    const plx_dataset windows = {.n = WINDOWS,
                                 .inputs = {text},
                                 .targets = {labels + 1},
                                 .input_strides = {1},
                                 .target_strides = {1}};
    plx_trainer_options options = plx_trainer_default();
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.label_smoothing = 0.1;
    options.batch = 7;
    options.epochs = 2;
    options.accumulate = shuffle ? 2 : 0;
    options.shuffle = shuffle;
    run a = begin(ctx, name, &options, &apart), b = begin(ctx, name, &options, &windows);
    finish(&a);
    finish(&b);
    CHECK(t, a.status == PLX_OK && b.status == PLX_OK, "%s", plx_message(ctx));
    int64_t count = 0;
    const plx_real *losses = plx_trainer_losses(a.trainer, &count);
    CHECK(t, count == (shuffle ? 6 : 10), "%lld steps", (long long)count);
    const plx_real *other = plx_trainer_losses(b.trainer, &count);
    CHECK(t, !memcmp(losses, other, (size_t)count * sizeof *losses), "windows have other bits");
    end(&a);
    end(&b);
}

/* Two inputs, two outputs, and a loss that combines them. */
static plx_status pair_ports(plx_model *model) {
    model->inputs[0] = (plx_port){.name = "a", .rank = 1, .dims = {IN}};
    model->inputs[1] = (plx_port){.name = "b", .rank = 1, .dims = {OUT}};
    model->inputs_count = 2;
    return PLX_OK;
}

static int pair_forward(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                        plx_node *outputs) {
    (void)model;
    for (int i = 0; i < 2; ++i) {
        const plx_layer layer = {
            .kind = PLX_LAYER_DENSE, .units = OUT, .name = i ? "right" : "left"};
        outputs[i] = plx_layer_apply(scope, &layer, inputs[i]);
    }
    return 2;
}

static plx_node pair_loss(const plx_model *model, const plx_scope *scope, const plx_node *outputs) {
    (void)model;
    return plx_mse(scope->graph, outputs[0], outputs[1]);
}

static const plx__setting no_settings[] = {{0}};
static const plx__family pairs = {.name = "pairs",
                                  .settings = no_settings,
                                  .ports = pair_ports,
                                  .forward = pair_forward,
                                  .loss = pair_loss};

static void trains_pairs(plx_check *t, plx_ctx *ctx, plx_loss loss) {
    plx_dataset data = noise(0, ROWS);
    data.inputs[1] = data_y + ROWS * OUT;
    data.targets[0] = data_y;
    data.targets[1] = data_y;
    const double none[PLX__SETTINGS] = {0};
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    plx_trainer_options options = sgd(0.05);
    options.loss = loss;
    options.batch = 5;
    options.epochs = 30;
    options.validation = &data;
    options.patience = 30;
    plx_progress progress = {0};
    plx_status status = plx__model_of_family(ctx, &pairs, none, 1, &model);
    if (status == PLX_OK) status = plx_trainer_new(model, &options, &data, &trainer);
    double first = NAN;
    while (status == PLX_OK && !progress.done) {
        status = plx_trainer_run(trainer, 100, &progress);
        if (progress.epoch == 1) first = progress.validation_loss;
    }
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    CHECK(t, progress.validation_loss < first, "loss %d rose from %g to %g", (int)loss, first,
          progress.validation_loss);
    plx_real left[ROWS * OUT], right[ROWS * OUT];
    plx_model_predict(model, &data, 0, (plx_real *[]){left, right});
    double expected = 0;
    for (int i = 0; i < ROWS * OUT; ++i) {
        const double l = (double)left[i], r = (double)right[i], y = (double)data_y[i];
        const double squares = (l - y) * (l - y) + (r - y) * (r - y);
        expected += (loss == PLX_LOSS_OWN ? (l - r) * (l - r) : squares) / (ROWS * OUT);
    }
    CHECK(t, progress.best_epoch == 30 && fabs(progress.validation_loss - expected) < 64 * eps,
          "loss %d: reported %.9g, found %.9g", (int)loss, progress.validation_loss, expected);
    plx_trainer_free(trainer);
    plx_model_free(model);
}

/* ---- Ignored labels -------------------------------------------------------------------------- */

static int32_t some_labels[2][ROWS];

/* Outputs differ in which labels count, and batches in how many do. */
static plx_dataset some_count(void) {
    const int ignored[2][5] = {{0, 1, 2, 5, 11}, {3, 4, 6, 7, 9}};
    plx_dataset data = noise(0, ROWS);
    for (int k = 0; k < 2; ++k) {
        for (int i = 0; i < ROWS; ++i) some_labels[k][i] = (i + k) % OUT;
        for (int i = 0; i < 5; ++i) some_labels[k][ignored[k][i]] = PLX_IGNORED_LABEL;
        data.targets[k] = some_labels[k];
    }
    data.inputs[1] = data_y;
    return data;
}

static run begin_counted(plx_ctx *ctx, bool two, const plx_trainer_options *options,
                         const plx_dataset *data) {
    if (!two) return begin(ctx, "mlp:3-4-2:tanh", options, data);
    const double none[PLX__SETTINGS] = {0};
    run r = {0};
    r.status = plx__model_of_family(ctx, &pairs, none, 1, &r.model);
    if (r.status == PLX_OK) r.status = plx_trainer_new(r.model, options, data, &r.trainer);
    return r;
}

/* Small batches accumulate to large ones, however many labels of each count; the last step of an
 * epoch is short. */
static void accumulates_what_counts(plx_check *t, plx_ctx *ctx, bool two, int64_t small,
                                    int64_t accumulate) {
    const plx_dataset data = some_count();
    plx_trainer_options options = sgd(0.1);
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.label_smoothing = 0.1;
    options.epochs = 3;
    options.shuffle = true;
    plx_real values[2][VALUES] = {{0}};
    plx_progress progress[2];
    int count = 0;
    for (int i = 0; i < 2; ++i) {
        options.batch = i ? small * accumulate : small;
        options.accumulate = i ? 1 : accumulate;
        run r = begin_counted(ctx, two, &options, &data);
        finish(&r);
        CHECK(t, r.status == PLX_OK, "%s", plx_message(ctx));
        count = values_of(r.model, false, values[i]);
        progress[i] = r.progress;
        end(&r);
    }
    /* As above: sums of 12 in another order, nine steps. */
    const double bound = 12 * 9 * 4 * eps;
    CHECK(t,
          fabs((double)(progress[0].loss - progress[1].loss)) <= bound &&
              fabs(progress[0].epoch_loss - progress[1].epoch_loss) <= bound,
          "loss %.9g instead of %.9g, of the epoch %.9g instead of %.9g", (double)progress[0].loss,
          (double)progress[1].loss, progress[0].epoch_loss, progress[1].epoch_loss);
    for (int i = 0; i < count; ++i)
        CHECK(t, fabs((double)(values[0][i] - values[1][i])) <= bound,
              "%lld x %lld: weight %d is %.9g instead of %.9g", (long long)small,
              (long long)accumulate, i, (double)values[0][i], (double)values[1][i]);
}

/* At a rate of 0 the loss of an epoch equals that of evaluation, for every output. */
static void epoch_is_evaluation(plx_check *t, plx_ctx *ctx, bool two, int64_t accumulate) {
    const plx_dataset data = some_count();
    plx_trainer_options options = sgd(0);
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.batch = 5;
    options.accumulate = accumulate;
    options.validation = &data;
    run r = begin_counted(ctx, two, &options, &data);
    finish(&r);
    /* Means of twelve losses below 4, for each output. */
    CHECK(t,
          r.status == PLX_OK &&
              fabs(r.progress.epoch_loss - r.progress.validation_loss) <= 2 * 12 * 4 * eps,
          "%d outputs: the epoch has %.9g, evaluation %.9g: %s", 1 + two, r.progress.epoch_loss,
          r.progress.validation_loss, plx_message(ctx));
    end(&r);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static void refuse(plx_check *t, plx_ctx *ctx, const plx_trainer_options *options,
                   const char *expected) {
    const plx_dataset data = noise(0, ROWS);
    run r = begin(ctx, "mlp:3-4-2:tanh", options, &data);
    CHECK(t, r.status == PLX_ERR_ARGUMENT && !r.trainer && strstr(plx_message(ctx), expected),
          "%s: \"%s\" lacks \"%s\"", plx_status_name(r.status), plx_message(ctx), expected);
    end(&r);
}

#define REFUSE(field, value, expected)                                                             \
    do {                                                                                           \
        plx_trainer_options options_ = sgd(0.1);                                                   \
        options_.epochs = 10;                                                                      \
        options_.field = value;                                                                    \
        refuse(t, ctx, &options_, expected);                                                       \
    } while (0)
#define REFUSE_SCHEDULE(expected, ...)                                                             \
    REFUSE(schedule, ((plx_schedule){__VA_ARGS__}), "schedule: " expected)

static void refusals(plx_check *t, plx_ctx *ctx) {
    REFUSE(clip_norm, -1, "the clip norm is -1");
    REFUSE(clip_norm, NAN, "the clip norm is nan");
    REFUSE(clip_norm, INFINITY, "the clip norm is inf");
    REFUSE(label_smoothing, 1, "label smoothing 1 must be 0 to below 1");
    REFUSE(label_smoothing, 0.1,
           "label smoothing is 0.1; it must be 0 unless the loss is cross-entropy");
    REFUSE(accumulate, -1, "accumulate is -1");
    REFUSE(patience, -1, "patience is -1");
    REFUSE(patience, 3, "patience is 3; early stopping needs validation data");
    REFUSE(min_improvement, -0.5, "the least improvement is -0.5");
    REFUSE(steps, -2, "steps is -2");
    REFUSE_SCHEDULE("there is no kind number 9", .kind = (plx_schedule_kind)9);
    REFUSE_SCHEDULE("the warm-up is 11 steps; it must be 0 to 10", .warmup = 11);
    REFUSE_SCHEDULE("the warm-up is -1 steps", .warmup = -1);
    REFUSE_SCHEDULE("one-cycle has its own warm-up", .kind = PLX_SCHEDULE_ONE_CYCLE, .warmup = 1);
    REFUSE_SCHEDULE("floor is 2; it must be 0 to 1", .kind = PLX_SCHEDULE_COSINE, .floor = 2);
    REFUSE_SCHEDULE("floor is nan", .kind = PLX_SCHEDULE_COSINE, .floor = NAN);
    REFUSE_SCHEDULE("every is 0 steps", .kind = PLX_SCHEDULE_STEP, .factor = 0.5);
    REFUSE_SCHEDULE("factor is 0; it must be", .kind = PLX_SCHEDULE_STEP, .every = 2);
    REFUSE_SCHEDULE("factor is 1.5; it must be", .kind = PLX_SCHEDULE_STEP, .every = 2,
                    .factor = 1.5);
    plx_dataset validation = noise(ROWS, ROWS);
    data_x[ROWS * IN + 1] = (plx_real)NAN;
    plx_trainer_options options = sgd(0.1);
    options.validation = &validation;
    validation.inputs[0] = NULL;
    refuse(t, ctx, &options, "fit: validation: no data for input \"x\"");
}

void plx_test_unit_trainer(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    rate_in_force(t, ctx);
    clips(t, ctx);
    for (int kind = 0; plx_optimizer_name((plx_optimizer_kind)kind); ++kind)
        decays_by_role(t, ctx, (plx_optimizer_kind)kind);
    accumulates(t, ctx, 3, 4, 12);
    accumulates(t, ctx, 5, 3, 12); /* 5, 5 and 2 samples */
    accumulates(t, ctx, 3, 3, 9);  /* a second step, of one batch */
    stops_early(t, ctx, 0, 6);
    stops_early(t, ctx, 1e9, 4);
    only_validates(t, ctx);
    puts_back(t, ctx, 1, 0);
    puts_back(t, ctx, 2, 0);
    const bool is_double = sizeof(plx_real) == sizeof(double);
    puts_back(t, ctx, 1, is_double ? 1e150 : 1e6);
    last_loss_holds(t, ctx, PLX_SGD);
    diverges_at_once(t, ctx);
    if (!is_double) { /* in double, no allowed rate moves the weights that far */
        last_loss_holds(t, ctx, PLX_ADAM);
        last_loss_holds(t, ctx, PLX_LION);
        last_step_diverges(t, ctx);
        statistics_diverge(t, ctx, PLX_SGD, 1e9, 1);
        statistics_diverge(t, ctx, PLX_SGD, 1e25, 1);
        statistics_diverge(t, ctx, PLX_SGD, 1e9, 2);
        statistics_diverge(t, ctx, PLX_SGD, 1e3, 1);
        statistics_diverge(t, ctx, PLX_ADAMW, 1e3, 1);
    }
    for (int two = 0; two < 2; ++two) {
        accumulates_what_counts(t, ctx, two, 2, 2);
        accumulates_what_counts(t, ctx, two, 1, 5);
        accumulates_what_counts(t, ctx, two, 3, 3);
        epoch_is_evaluation(t, ctx, two, 1);
        epoch_is_evaluation(t, ctx, two, 2);
    }
    takes_windows(t, ctx, false);
    takes_windows(t, ctx, true);
    trains_pairs(t, ctx, PLX_LOSS_MSE);
    trains_pairs(t, ctx, PLX_LOSS_OWN);
    refusals(t, ctx);
    plx_ctx_free(ctx);
}
