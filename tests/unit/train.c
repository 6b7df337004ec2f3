/* Models and trainers: they learn, and they refuse what cannot be. */
#include "check.h"

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
    refuse(t, ctx, &options, &data, "batch 0 for 2 samples; it must be between 1 and 2");
    options.batch = 3;
    refuse(t, ctx, &options, &data, "batch 3 for 2 samples");
    options.batch = 2;
    options.epochs = 0;
    refuse(t, ctx, &options, &data, "0 epochs");
    options.epochs = 1;
    x[3] = (plx_real)NAN;
    refuse(t, ctx, &options, &data, "x holds NaN in row 1, column 1");
    x[3] = (plx_real)INFINITY;
    refuse(t, ctx, &options, &data, "x holds infinity in row 1, column 1");
    x[3] = 3;
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    data.targets[0] = labels;
    labels[1] = 3;
    refuse(t, ctx, &options, &data, "label 3 in row 1 is outside 0..2");
    labels[0] = labels[1] = PLX_IGNORED_LABEL;
    refuse(t, ctx, &options, &data, "every label is one to ignore (-100)");
    labels[1] = 1;
    options.optimizer.rate = NAN;
    refuse(t, ctx, &options, &data, "learning rate nan");
    options.optimizer = plx_optimizer_default(PLX_ADAM);
    options.optimizer.beta1 = 1;
    refuse(t, ctx, &options, &data, "beta1 1 is outside [0, 1)");
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
              strstr(plx_message(ctx), "evaluate: output 5; the model has 1 output, 0 to 0"),
          "%s", plx_message(ctx));
    CHECK(t,
          plx_model_evaluate(model, 0, PLX_LOSS_OWN, &data, &metrics, NULL) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "own loss has no labels to compare with"),
          "%s", plx_message(ctx));
    plx_model_free(model);
}

/* Layers wait until every trainer is gone; a model may go before its trainer. */
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
    diverges(t, ctx);
    plx_ctx_free(ctx);
}
