/* Losses of every kind against evaluation in double precision and against finite differences;
 * weights of samples, penalties, frozen layers, functions of the caller, and stops. */
#include "check.h"
#include "graph/graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;

enum { ROWS = 12, IN = 3, OUT = 4, VALUES = 64 };

static plx_real data_x[ROWS * IN], data_y[ROWS * OUT], weights_of_rows[ROWS];
static int32_t data_labels[ROWS];

/* Targets between 0 and 1, which suit every loss; one label is ignored, one weight is 0. */
static plx_dataset samples(plx_loss loss, bool weighted) {
    plx_rng rng = plx_rng_new(8, 0);
    for (int i = 0; i < ROWS * IN; ++i) data_x[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < ROWS * OUT; ++i) data_y[i] = (plx_real)plx_rng_uniform(&rng);
    for (int i = 0; i < ROWS; ++i) {
        data_labels[i] = i == 5 ? PLX_IGNORED_LABEL : i % OUT;
        weights_of_rows[i] = i == 7 ? 0 : (plx_real)(0.25 + 0.5 * (i % 4));
    }
    const bool labels = loss == PLX_LOSS_CROSS_ENTROPY;
    return (plx_dataset){.n = ROWS,
                         .inputs = {data_x},
                         .targets = {labels ? (const void *)data_labels : data_y},
                         .weights = weighted ? weights_of_rows : NULL};
}

/* How a model ends, and what its kernel adds to the loss. */
typedef struct shape {
    bool under; /* in the softmax or sigmoid that the loss includes */
    double l1, l2;
} shape;

static plx_model *model_of(plx_check *t, plx_ctx *ctx, plx_loss loss, shape how) {
    plx_model *model = NULL;
    const bool sigmoid = how.under && loss == PLX_LOSS_BINARY_CROSS_ENTROPY;
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_DENSE, .units = 3, .activation = PLX_TANH},
        {.kind = PLX_LAYER_DENSE,
         .units = OUT,
         .activation = sigmoid ? PLX_SIGMOID : PLX_LINEAR,
         .l1 = how.l1,
         .l2 = how.l2},
        {.kind = PLX_LAYER_SOFTMAX},
    };
    const int count = how.under && loss == PLX_LOSS_CROSS_ENTROPY ? 3 : 2;
    plx_status status = plx_model_new(ctx, 1, (const int64_t[]){IN}, 1, &model);
    for (int i = 0; i < count && status == PLX_OK; ++i) status = plx_model_add(model, &layers[i]);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    return model;
}

static plx_trainer_options sgd(plx_loss loss, double rate, double p) {
    plx_trainer_options options = plx_trainer_default();
    options.loss = loss;
    options.optimizer = plx_optimizer_default(PLX_SGD);
    options.optimizer.rate = rate;
    options.batch = ROWS;
    options.shuffle = false;
    options.huber_delta = loss == PLX_LOSS_HUBER ? p : 0;
    options.label_smoothing = loss == PLX_LOSS_CROSS_ENTROPY ? p : 0;
    return options;
}

/* Runs all steps; the last progress. */
static plx_progress train(plx_check *t, plx_ctx *ctx, plx_model *model,
                          const plx_trainer_options *options, const plx_dataset *data) {
    plx_trainer *trainer = NULL;
    plx_progress progress = {0};
    plx_status status = plx_trainer_new(model, options, data, &trainer);
    if (status == PLX_OK) status = plx_trainer_fit(trainer, 0, NULL, NULL, &progress);
    CHECK(t, status == PLX_OK, "%s: %s", plx_loss_name(options->loss), plx_message(ctx));
    plx_trainer_free(trainer);
    return progress;
}

static bool same(double a, double b) {
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 64 * eps * (1 + fabs(b));
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* At a rate of 0 a step has the loss, and the metrics, of evaluation, whose formulas are its own.
 */
static void steps_match_evaluation(plx_check *t, plx_ctx *ctx, plx_loss loss, bool weighted,
                                   shape how, double p) {
    const plx_dataset data = samples(loss, weighted);
    plx_model *model = model_of(t, ctx, loss, how);
    plx_trainer_options options = sgd(loss, 0, p);
    options.metrics = true;
    options.validation = &data;
    plx_metrics m = {0};
    for (int batch = ROWS; batch >= 5; batch -= ROWS - 5) {
        options.batch = batch;
        const plx_progress progress = train(t, ctx, model, &options, &data);
        CHECK(t, plx_model_evaluate_with(model, 0, loss, p, &data, &m, NULL) == PLX_OK, "%s",
              plx_message(ctx));
        const char *name = plx_loss_name(loss);
        CHECK(t, same(progress.epoch_loss, m.loss) && progress.validation_loss == m.loss,
              "%s, weighted %d, under %d, p %g: %.9g, in validation %.9g, evaluated %.9g", name,
              weighted, how.under, p, progress.epoch_loss, progress.validation_loss, m.loss);
        const plx_metrics *own = &progress.training;
        CHECK(t,
              same(own->accuracy, m.accuracy) && same(own->top5, m.top5) &&
                  same(own->perplexity, m.perplexity) && same(own->rmse, m.rmse) &&
                  same(own->r2, m.r2) && same(own->mae, m.mae) && own->counted == m.counted &&
                  own->loss == progress.epoch_loss,
              "%s: metrics of training: accuracy %g for %g, rmse %g for %g", name, own->accuracy,
              m.accuracy, own->rmse, m.rmse);
    }
    plx_model_free(model);
}

/* The values of the losses, from predictions, by their definitions. */
static double by_definition(plx_loss loss, double p, const plx_real *y, const plx_dataset *data) {
    double sum = 0, counted = 0;
    for (int r = 0; r < ROWS; ++r) {
        const double weight = data->weights ? (double)data->weights[r] : 1;
        double exponentials = 0;
        for (int c = 0; c < OUT; ++c) exponentials += exp((double)y[r * OUT + c]);
        if (loss == PLX_LOSS_CROSS_ENTROPY) {
            if (data_labels[r] == PLX_IGNORED_LABEL) continue;
            sum += weight * (log(exponentials) - (double)y[r * OUT + data_labels[r]]);
            counted += 1;
            continue;
        }
        for (int c = 0; c < OUT; ++c) {
            const double x = (double)y[r * OUT + c], target = (double)data_y[r * OUT + c];
            const double e = fabs(x - target), q = 1 / (1 + exp(-x));
            counted += 1;
            sum +=
                weight * (loss == PLX_LOSS_MSE     ? e * e
                          : loss == PLX_LOSS_MAE   ? e
                          : loss == PLX_LOSS_HUBER ? (e < p ? e * e / 2 : p * (e - p / 2))
                                                   : -target * log(q) - (1 - target) * log(1 - q));
        }
    }
    return sum / counted;
}

static void values_are_defined(plx_check *t, plx_ctx *ctx, plx_loss loss, bool weighted) {
    const plx_dataset data = samples(loss, weighted);
    plx_model *model = model_of(t, ctx, loss, (shape){0});
    plx_real y[ROWS * OUT], *outputs[PLX_PORTS] = {y};
    const double p = loss == PLX_LOSS_HUBER ? 0.3 : 0;
    plx_metrics m = {0};
    CHECK(t,
          plx_model_predict(model, &data, 0, outputs) == PLX_OK &&
              plx_model_evaluate_with(model, 0, loss, p, &data, &m, NULL) == PLX_OK,
          "%s", plx_message(ctx));
    /* Both in double, from the same predictions. */
    const double expected = by_definition(loss, p, y, &data);
    CHECK(t, fabs(m.loss - expected) <= 1e-12, "%s, weighted %d: %.15g instead of %.15g",
          plx_loss_name(loss), weighted, m.loss, expected);
    plx_model_free(model);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

/* A step of plain descent moves by the gradient, which finite differences of evaluation give: off
 * by h^2 f'''/6 (1e-9) and 2 eps loss / h (1e-10). */
static void steps_match_differences(plx_check *t, plx_ctx *ctx, plx_loss loss, bool weighted,
                                    shape how, double p) {
    if (sizeof(plx_real) != sizeof(double)) return;
    const plx_dataset data = samples(loss, weighted);
    plx_model *model = model_of(t, ctx, loss, how);
    const plx_weights *w = plx_model_weights(model);
    double expected[VALUES] = {0}, before[VALUES] = {0};
    int count = 0;
    for (int i = 0; i < plx_weights_count(w); ++i) {
        plx_tensor *tensor = plx_weights_at(w, i, NULL, NULL);
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k) {
            plx_real *value = (plx_real *)plx_tensor_data(tensor) + k;
            const double h = 1e-5;
            double losses[2];
            before[count] = (double)*value;
            for (int side = 0; side < 2; ++side) {
                plx_metrics m = {0};
                *(plx_real *)((plx_real *)plx_tensor_data(tensor) + k) =
                    (plx_real)(before[count] + (side ? h : -h));
                plx_model_evaluate_with(model, 0, loss, p, &data, &m, NULL);
                losses[side] = m.loss;
            }
            *((plx_real *)plx_tensor_data(tensor) + k) = (plx_real)before[count];
            expected[count++] = (losses[1] - losses[0]) / (2 * h);
        }
    }
    const double rate = 0.01;
    const plx_trainer_options options = sgd(loss, rate, p);
    train(t, ctx, model, &options, &data);
    count = 0;
    for (int i = 0; i < plx_weights_count(w); ++i) {
        const char *name;
        plx_tensor *tensor = plx_weights_at(w, i, &name, NULL);
        const plx_real *values = plx_tensor_data(tensor);
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k, ++count) {
            const double gradient = (before[count] - (double)values[k]) / rate;
            CHECK(t, fabs(gradient - expected[count]) < 1e-7,
                  "%s, weighted %d, under %d: %s[%lld] has the gradient %g instead of %g",
                  plx_loss_name(loss), weighted, how.under, name, (long long)k, gradient,
                  expected[count]);
        }
    }
    plx_model_free(model);
}

/* The gradient of a weighted loss is that of an unweighted one if all weights are 1. */
static void weights_of_one(plx_check *t, plx_ctx *ctx, plx_loss loss, double p) {
    plx_real moved[2][VALUES] = {{0}}, ones[ROWS];
    int count = 0;
    for (int i = 0; i < ROWS; ++i) ones[i] = 1;
    for (int weighted = 0; weighted < 2; ++weighted) {
        plx_dataset data = samples(loss, false);
        if (weighted) data.weights = ones;
        plx_model *model = model_of(t, ctx, loss, (shape){0});
        plx_trainer_options options = sgd(loss, 0.1, p);
        options.epochs = 5;
        options.batch = 5;
        options.accumulate = 2;
        options.shuffle = true;
        train(t, ctx, model, &options, &data);
        const plx_weights *w = plx_model_weights(model);
        count = 0;
        for (int i = 0; i < plx_weights_count(w); ++i) {
            plx_tensor *tensor = plx_weights_at(w, i, NULL, NULL);
            const plx_real *values = plx_tensor_data(tensor);
            for (int64_t k = 0; k < plx_tensor_size(tensor); ++k)
                moved[weighted][count++] = values[k];
        }
        plx_model_free(model);
    }
    for (int i = 0; i < count; ++i)
        CHECK(t, fabs((double)(moved[0][i] - moved[1][i])) <= 256 * eps,
              "%s: weight %d is %.9g, not %.9g", plx_loss_name(loss), i, (double)moved[1][i],
              (double)moved[0][i]);
}

/* ---- Frozen layers and initialisation -------------------------------------------------------- */

static void freezes(plx_check *t, plx_ctx *ctx) {
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_DENSE, .units = 5, .frozen = true, .l2 = 1},
        {.kind = PLX_LAYER_BATCH_NORM, .frozen = true},
        {.kind = PLX_LAYER_DENSE, .units = OUT},
    };
    const plx_dataset data = samples(PLX_LOSS_MSE, false);
    plx_model *model = NULL;
    plx_model_new(ctx, 1, (const int64_t[]){IN}, 1, &model);
    for (int i = 0; i < 2; ++i)
        CHECK(t, plx_model_add(model, &layers[i]) == PLX_OK, "%s", plx_message(ctx));
    const plx_trainer_options options = sgd(PLX_LOSS_MSE, 0.1, 0);
    plx_trainer *trainer = NULL;
    plx_dataset alone = data;
    plx_real y[ROWS * 5] = {0};
    alone.targets[0] = y;
    CHECK(t,
          plx_trainer_new(model, &options, &alone, &trainer) == PLX_ERR_STATE && !trainer &&
              strstr(plx_message(ctx), "all that have weights are frozen"),
          "%s", plx_message(ctx));
    plx_model_add(model, &layers[2]);
    const plx_weights *w = plx_model_weights(model);
    plx_real before[VALUES] = {0};
    int count = 0;
    for (int i = 0; i < plx_weights_count(w); ++i) {
        plx_tensor *tensor = plx_weights_at(w, i, NULL, NULL);
        memcpy(before + count, plx_tensor_data(tensor),
               (size_t)plx_tensor_size(tensor) * sizeof *before);
        count += (int)plx_tensor_size(tensor);
    }
    plx_metrics m = {0};
    const plx_progress progress = train(t, ctx, model, &options, &data);
    CHECK(t,
          plx_model_evaluate(model, 0, PLX_LOSS_MSE, &data, &m, NULL) == PLX_OK &&
              m.loss < (double)progress.loss,
          "it did not learn: %g, then %g", (double)progress.loss, m.loss);
    count = 0;
    for (int i = 0; i < plx_weights_count(w); ++i) {
        const char *name;
        plx_tensor *tensor = plx_weights_at(w, i, &name, NULL);
        const size_t bytes = (size_t)plx_tensor_size(tensor) * sizeof *before;
        const bool kept = !memcmp(plx_tensor_data(tensor), before + count, bytes);
        const bool trained = !strncmp(name, "dense_2.", 8);
        CHECK(t, kept == !trained, "%s %s", name, kept ? "stayed" : "changed");
        count += (int)plx_tensor_size(tensor);
    }
    plx_model_free(model);
}

/* Mean and deviation of the kernel of a dense layer; 60,000 draws are within 2% of theirs. */
static void starts(plx_check *t, plx_ctx *ctx, plx_start start, double value, double mean,
                   double deviation) {
    enum { WIDTH = 200, UNITS = 300 };
    const plx_layer layer = {
        .kind = PLX_LAYER_DENSE, .units = UNITS, .start = start, .start_value = value};
    plx_model *model = NULL;
    plx_model_new(ctx, 1, (const int64_t[]){WIDTH}, 3, &model);
    CHECK(t, plx_model_add(model, &layer) == PLX_OK, "%s", plx_message(ctx));
    const plx_real *kernel =
        plx_tensor_data(plx_weights_find(plx_model_weights(model), "dense_1.weight"));
    double sum = 0, squares = 0;
    for (int i = 0; i < WIDTH * UNITS; ++i) sum += (double)kernel[i];
    const double found = sum / (WIDTH * UNITS);
    for (int i = 0; i < WIDTH * UNITS; ++i) squares += pow((double)kernel[i] - found, 2);
    const double spread = sqrt(squares / (WIDTH * UNITS));
    CHECK(t,
          fabs(found - mean) <= 0.02 * deviation + 64 * eps * fabs(mean) &&
              fabs(spread - deviation) <= 0.02 * deviation + 64 * eps * fabs(mean),
          "%s: mean %g for %g, deviation %g for %g", plx_start_name(start), found, mean, spread,
          deviation);
    plx_model_free(model);
}

static void all_starts(plx_check *t, plx_ctx *ctx) {
    starts(t, ctx, PLX_START_GLOROT_UNIFORM, 0, 0, sqrt(2.0 / 500));
    starts(t, ctx, PLX_START_GLOROT_NORMAL, 0, 0, sqrt(2.0 / 500));
    starts(t, ctx, PLX_START_HE_NORMAL, 0, 0, sqrt(2.0 / 200));
    starts(t, ctx, PLX_START_LECUN_NORMAL, 0, 0, sqrt(1.0 / 200));
    starts(t, ctx, PLX_START_ZEROS, 0, 0, 0);
    starts(t, ctx, PLX_START_ONES, 0, 1, 0);
    starts(t, ctx, PLX_START_CONSTANT, -0.25, -0.25, 0);
    starts(t, ctx, PLX_START_RANDOM_NORMAL, 0, 0, 0.05);
    starts(t, ctx, PLX_START_RANDOM_NORMAL, 0.5, 0, 0.5);
    for (int i = 1; i < PLX_STARTS_; ++i)
        CHECK(t, plx_start_name((plx_start)i), "initialisation %d has no name", i);
    CHECK(t, !plx_start_name(PLX_START_DEFAULT) && !plx_start_name(PLX_STARTS_), "names");
    const plx_layer wrong = {.kind = PLX_LAYER_DENSE, .units = 1, .start = PLX_STARTS_};
    plx_model *model = NULL;
    plx_model_new(ctx, 1, (const int64_t[]){2}, 1, &model);
    CHECK(t,
          plx_model_add(model, &wrong) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "dense_1: there is no initialisation number"),
          "%s", plx_message(ctx));
    plx_model_free(model);
}

/* ---- Functions of the caller ----------------------------------------------------------------- */

/* The mean squared error as a loss, the mean absolute error as a metric; counts the graphs. */
static plx_node scalar(void *self, plx_graph *graph, int i, plx_node output, plx_node target) {
    *(int *)self += 1;
    return i == PLX_OWN_LOSS ? plx_mse(graph, output, target) : plx_l1(graph, output, target);
}

static plx_node wrong_scalar(void *self, plx_graph *graph, int i, plx_node output,
                             plx_node target) {
    (void)i, (void)target;
    return self ? output : plx_graph_node(graph, -1);
}

static void functions(plx_check *t, plx_ctx *ctx) {
    const plx_dataset data = samples(PLX_LOSS_MSE, false);
    plx_real kept[2][VALUES] = {{0}};
    int graphs = 0, count = 0;
    for (int own = 0; own < 2; ++own) {
        plx_model *model = model_of(t, ctx, PLX_LOSS_MSE, (shape){.l2 = 0.01});
        plx_trainer_options options = sgd(PLX_LOSS_MSE, 0.1, 0);
        options.batch = 5;
        options.epochs = 3;
        options.validation = &data;
        options.metrics = true;
        options.function = scalar;
        options.self = &graphs;
        options.own_metrics = 1;
        options.own_loss = own;
        const plx_progress progress = train(t, ctx, model, &options, &data);
        const plx_weights *w = plx_model_weights(model);
        count = 0;
        for (int i = 0; i < plx_weights_count(w); ++i) {
            plx_tensor *tensor = plx_weights_at(w, i, NULL, NULL);
            const plx_real *values = plx_tensor_data(tensor);
            for (int64_t k = 0; k < plx_tensor_size(tensor); ++k) kept[own][count++] = values[k];
        }
        plx_metrics m = {0};
        plx_model_evaluate(model, 0, PLX_LOSS_MSE, &data, &m, NULL);
        CHECK(t,
              same(progress.validation_own[0], m.mae) && same(progress.validation_loss, m.loss) &&
                  same(progress.own[0], progress.training.mae),
              "own %d: mae %g for %g, loss %g for %g, of training %g for %g", own,
              progress.validation_own[0], m.mae, progress.validation_loss, m.loss, progress.own[0],
              progress.training.mae);
        CHECK(t, isnan(progress.own[1]) && isnan(progress.validation_own[1]), "a second metric");
        plx_model_free(model);
    }
    CHECK(t, graphs == 4 + 8, "%d graphs", graphs);
    CHECK(t, !memcmp(kept[0], kept[1], sizeof kept[0]), "a function trains with other bits");
    plx_model *model = model_of(t, ctx, PLX_LOSS_MSE, (shape){0});
    for (int i = 0; i < 2; ++i) {
        plx_trainer_options options = sgd(PLX_LOSS_MSE, 0.1, 0);
        options.function = wrong_scalar;
        options.self = i ? &options : NULL;
        options.own_loss = true;
        plx_trainer *trainer = NULL;
        const plx_status status = plx_trainer_new(model, &options, &data, &trainer);
        CHECK(t,
              status == (i ? PLX_ERR_SHAPE : PLX_ERR_ARGUMENT) && !trainer &&
                  strstr(plx_message(ctx), i ? "it must give one real" : "gave no node"),
              "%s", plx_message(ctx));
    }
    plx_model_free(model);
}

/* ---- Stops ----------------------------------------------------------------------------------- */

static void stops(plx_check *t, plx_ctx *ctx, int64_t patience) {
    const plx_dataset data = samples(PLX_LOSS_MSE, false);
    plx_model *model = model_of(t, ctx, PLX_LOSS_MSE, (shape){0});
    plx_trainer_options options = sgd(PLX_LOSS_MSE, 0.5, 0);
    options.epochs = 1000;
    options.batch = 4;
    options.validation = &data;
    options.patience = patience;
    plx_trainer *trainer = NULL;
    plx_progress progress = {0};
    plx_status status = plx_trainer_new(model, &options, &data, &trainer);
    double lowest = INFINITY;
    for (int i = 0; i < 7 && status == PLX_OK; ++i) {
        status = plx_trainer_run(trainer, 1, &progress);
        if (progress.validation_loss < lowest) lowest = progress.validation_loss;
    }
    CHECK(t, status == PLX_OK && !progress.done && progress.step == 7, "%s", plx_message(ctx));
    plx_trainer_stop(trainer);
    status = plx_trainer_run(trainer, 5, &progress);
    CHECK(t, status == PLX_OK && progress.done && progress.step == 7 && !progress.stopped_early,
          "step %lld, done %d: %s", (long long)progress.step, progress.done, plx_message(ctx));
    plx_metrics m = {0};
    plx_model_evaluate(model, 0, PLX_LOSS_MSE, &data, &m, NULL);
    CHECK(t, !patience || m.loss == lowest, "the weights have the loss %g instead of %g", m.loss,
          lowest);
    plx_trainer_free(trainer);
    plx_model_free(model);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static void refuse(plx_check *t, plx_ctx *ctx, const plx_trainer_options *options,
                   const plx_dataset *data, const char *expected) {
    plx_model *model = model_of(t, ctx, PLX_LOSS_MSE, (shape){0});
    plx_trainer *trainer = NULL;
    const plx_status status = plx_trainer_new(model, options, data, &trainer);
    CHECK(t, status == PLX_ERR_ARGUMENT && !trainer && strstr(plx_message(ctx), expected),
          "%s: \"%s\" lacks \"%s\"", plx_status_name(status), plx_message(ctx), expected);
    plx_trainer_free(trainer);
    plx_model_free(model);
}

static void refusals(plx_check *t, plx_ctx *ctx) {
    int graphs = 0;
    plx_dataset data = samples(PLX_LOSS_MSE, true);
    plx_trainer_options options = sgd(PLX_LOSS_MSE, 0.1, 0);
    const struct {
        plx_real value;
        const char *expected;
    } weights[] = {{-1, "the weights of samples holds -1 in row 3; it must be from 0 to 1e30"},
                   {(plx_real)NAN, "the weights of samples holds NaN in row 3"},
                   {(plx_real)INFINITY, "the weights of samples holds infinity in row 3"}};
    for (int i = 0; i < 3; ++i) {
        weights_of_rows[3] = weights[i].value;
        refuse(t, ctx, &options, &data, weights[i].expected);
    }
    weights_of_rows[3] = 1;
    options.function = scalar;
    options.self = &graphs;
    options.own_loss = true;
    refuse(t, ctx, &options, &data, "a function as the loss takes no weights of samples");
    data.weights = NULL;
    options.own_metrics = PLX_OWN_METRICS + 1;
    refuse(t, ctx, &options, &data, "9 metrics of one's own; there may be 8");
    options.own_metrics = 0;
    options.function = NULL;
    refuse(t, ctx, &options, &data, "the function");
    options = sgd(PLX_LOSS_MSE, 0.1, 0);
    options.huber_delta = 1;
    refuse(t, ctx, &options, &data, "huber_delta is 1");
    options = sgd(PLX_LOSS_HUBER, 0.1, -1);
    refuse(t, ctx, &options, &data, "huber_delta is -1");
    options = sgd(PLX_LOSS_BINARY_CROSS_ENTROPY, 0.1, 0);
    data_y[2 * OUT + 1] = 2;
    refuse(t, ctx, &options, &data,
           "y holds 2 in row 2; it must be 0 to 1 for binary cross-entropy");
    plx_model *model = model_of(t, ctx, PLX_LOSS_MSE, (shape){0});
    plx_metrics m = {0};
    CHECK(t,
          plx_model_evaluate_with(model, 0, PLX_LOSS_HUBER, NAN, &data, &m, NULL) ==
                  PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "the parameter of the loss is"),
          "%s", plx_message(ctx));
    plx_model_free(model);
}

void plx_test_unit_losses(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    for (int i = 0; i < PLX_LOSSES_; ++i) {
        const plx_loss loss = (plx_loss)i;
        if (loss == PLX_LOSS_OWN) continue;
        for (int weighted = 0; weighted < 2; ++weighted) {
            values_are_defined(t, ctx, loss, weighted);
            for (int under = 0; under < 2; ++under) {
                const shape how = {.under = under, .l1 = under ? 0.02 : 0, .l2 = under ? 0.03 : 0};
                const double p = loss == PLX_LOSS_HUBER ? 0.3 : 0;
                steps_match_evaluation(t, ctx, loss, weighted, how, 0);
                if (p > 0) steps_match_evaluation(t, ctx, loss, weighted, how, p);
                steps_match_differences(t, ctx, loss, weighted, how, p);
            }
        }
        weights_of_one(t, ctx, loss, loss == PLX_LOSS_CROSS_ENTROPY ? 0.1 : 0);
    }
    freezes(t, ctx);
    all_starts(t, ctx);
    functions(t, ctx);
    stops(t, ctx, 0);
    stops(t, ctx, 50);
    refusals(t, ctx);
    plx_ctx_free(ctx);
}
