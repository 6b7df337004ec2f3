/* GPT-2 against golden vectors from PyTorch: gpt2.json, written by make_gpt2.py. */
#include "golden/golden.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of a field of the file as doubles; NULL after a failed check. */
static double *read_numbers(plx_check *t, const cJSON *json, int64_t *size) {
    const char *dtype = cJSON_GetStringValue(golden_list(json, "dtype"));
    const char *data = cJSON_GetStringValue(golden_list(json, "data"));
    const cJSON *dim;
    *size = 1;
    cJSON_ArrayForEach(dim, golden_list(json, "shape")) *size *= (int64_t)dim->valuedouble;
    const int words = dtype && !strcmp(dtype, "f64") ? 2 : 1;
    void *raw = calloc((size_t)(*size * words) + 1, 4);
    double *values = calloc((size_t)*size + 1, sizeof *values);
    const bool ok = raw && values && dtype && data && golden_decode(data, words * *size, raw);
    for (int64_t i = 0; ok && i < *size; ++i)
        values[i] = words == 2              ? ((const double *)raw)[i]
                    : !strcmp(dtype, "i32") ? ((const int32_t *)raw)[i]
                                            : (double)((const float *)raw)[i];
    free(raw);
    if (CHECK(t, ok, "an array is incomplete")) return values;
    free(values);
    return NULL;
}

static double number(const cJSON *file, const char *name) {
    return cJSON_GetNumberValue(golden_list(file, name));
}

static int64_t whole(const cJSON *file, const char *name) {
    return (int64_t)number(file, name);
}

static bool is_double(void) {
    return sizeof(plx_real) == sizeof(double);
}

static plx_model *new_model(plx_check *t, plx_ctx *ctx, const cJSON *file) {
    char name[128];
    snprintf(name, sizeof name,
             "gpt2-nano:layers=%lld,heads=%lld,width=%lld,vocabulary=%lld,context=%lld",
             (long long)whole(file, "layers"), (long long)whole(file, "heads"),
             (long long)whole(file, "width"), (long long)whole(file, "vocabulary"),
             (long long)whole(file, "context"));
    plx_model *model = NULL;
    CHECK(t, plx_model_from_name(ctx, name, 1, &model) == PLX_OK, "%s", plx_message(ctx));
    return model;
}

static plx_real *values_of(plx_model *model, const char *name, int64_t size) {
    plx_tensor *tensor = plx_weights_find(plx_model_weights(model), name);
    return tensor && plx_tensor_size(tensor) == size ? plx_tensor_data(tensor) : NULL;
}

/* Copies the weights of the file into the model; every one of them must exist there. */
static bool load(plx_check *t, const cJSON *file, plx_model *model) {
    const cJSON *list = golden_list(file, "weights"), *item;
    bool ok = CHECK(t, cJSON_GetArraySize(list) == plx_weights_count(plx_model_weights(model)),
                    "%d weights for %d", cJSON_GetArraySize(list),
                    plx_weights_count(plx_model_weights(model)));
    cJSON_ArrayForEach(item, list) {
        const char *name = cJSON_GetStringValue(golden_list(item, "name"));
        int64_t size = 0;
        double *values = read_numbers(t, item, &size);
        plx_real *to = values ? values_of(model, name, size) : NULL;
        ok =
            CHECK(t, to != NULL, "the model has no %s of %lld values", name, (long long)size) && ok;
        for (int64_t i = 0; to && i < size; ++i) to[i] = (plx_real)values[i];
        free(values);
    }
    return ok;
}

/* As in ops.c: sums have at most 4 x width terms, and their error is that of weights that are
 * off by so many eps. In double precision everything is within 1e-9. */
static double tolerance(const cJSON *file, double magnitude, double largest) {
    const double terms = 4 * number(file, "width");
    return is_double() ? 1e-9 : (double)FLT_EPSILON * ((2 * terms + 8) * magnitude + 8 * largest);
}

static void check_logits(plx_check *t, plx_ctx *ctx, const cJSON *file, plx_model *model,
                         const plx_dataset *data) {
    const cJSON *json = golden_list(file, "logits");
    int64_t size = 0;
    double *expected = read_numbers(t, json, &size), largest = 0, worst = 0;
    plx_real *logits = calloc((size_t)size + 1, sizeof *logits);
    CHECK(t, plx_model_predict(model, data, 0, (plx_real *[]){logits}) == PLX_OK, "%s",
          plx_message(ctx));
    for (int64_t i = 0; expected && i < size; ++i) {
        largest = fmax(largest, fabs(expected[i]));
        worst = fmax(worst, fabs((double)logits[i] - expected[i]));
    }
    const double bound = tolerance(file, number(json, "magnitude"), largest);
    CHECK(t, bound < 0.01 * largest, "the tolerance %g hides an error of 1%% of %g", bound,
          largest);
    CHECK(t, expected && worst <= bound, "logits are off by %g, more than %g", worst, bound);
    free(expected);
    free(logits);
}

/* The loss of step k depends on weights that k updates have moved. An update is about the rate
 * times g / |g|, so an error e of a gradient moves a weight by about rate e / |g|, and the loss by
 * |g| times that: rate e for each weight and each step, where e is the error bound of the loss
 * itself, at the scale of 1. */
static void check_losses(plx_check *t, const cJSON *file, plx_trainer *trainer, int64_t weights) {
    const cJSON *losses = golden_list(file, "losses");
    const double first = cJSON_GetArrayItem(losses, 0)->valuedouble;
    const double own = tolerance(file, number(file, "loss_magnitude"), first);
    const double each = is_double() ? 0
                                    : number(file, "rate") * (double)weights * (double)FLT_EPSILON *
                                          (8 * number(file, "width") + 8);
    int64_t count = 0;
    const plx_real *got = plx_trainer_losses(trainer, &count);
    CHECK(t, count == cJSON_GetArraySize(losses), "%lld losses", (long long)count);
    for (int64_t i = 0; i < count; ++i) {
        const double expected = cJSON_GetArrayItem(losses, (int)i)->valuedouble;
        const double bound = own + (double)i * each;
        CHECK(t, fabs((double)got[i] - expected) <= bound,
              "step %lld: the loss is %.9g, expected %.9g within %.2g", (long long)i + 1,
              (double)got[i], expected, bound);
    }
}

/* In double precision, number by number. In float, where a gradient is close to 0 an update has
 * any size up to the rate, so the total distance of all weights together is compared: it shows an
 * error of 1% in anything that scales the update. Biases of keys have no gradient: softmax removes
 * what all keys share. */
static void check_trained(plx_check *t, const cJSON *file, plx_model *model) {
    const cJSON *begun = golden_list(file, "weights"), *trained = golden_list(file, "trained");
    double apart = 0, way = 0;
    for (int k = 0; k < cJSON_GetArraySize(trained); ++k) {
        const cJSON *item = cJSON_GetArrayItem(trained, k);
        const char *name = cJSON_GetStringValue(golden_list(item, "name"));
        int64_t size = 0;
        double *from = read_numbers(t, cJSON_GetArrayItem(begun, k), &size);
        double *to = read_numbers(t, item, &size);
        const plx_real *got = values_of(model, name, size);
        double worst = 0;
        for (int64_t i = 0; from && to && got && i < size; ++i) {
            const double error = fabs((double)got[i] - to[i]);
            worst = fmax(worst, error);
            if (strstr(name, "key.bias")) continue;
            apart += error * error;
            way += (to[i] - from[i]) * (to[i] - from[i]);
        }
        if (is_double()) CHECK(t, got && worst <= 1e-9, "%s is off by %g", name, worst);
        free(from);
        free(to);
    }
    CHECK(t, way > 0 && sqrt(apart / way) < 0.01,
          "final weights differ by %g of the distance moved", sqrt(apart / way));
}

static void train(plx_check *t, plx_ctx *ctx, const cJSON *file, plx_model *model,
                  const plx_dataset *data) {
    plx_trainer_options options = plx_trainer_default();
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.optimizer = plx_optimizer_default(PLX_ADAMW);
    options.optimizer.rate = number(file, "rate");
    options.optimizer.beta1 = number(file, "beta1");
    options.optimizer.beta2 = number(file, "beta2");
    options.optimizer.epsilon = number(file, "epsilon");
    options.optimizer.weight_decay = number(file, "decay");
    options.batch = data->n;
    options.epochs = cJSON_GetArraySize(golden_list(file, "losses"));
    options.shuffle = false;
    plx_trainer *trainer = NULL;
    plx_progress progress = {0};
    int64_t weights = 0;
    for (int i = 0; i < plx_weights_count(plx_model_weights(model)); ++i)
        weights += plx_tensor_size(plx_weights_at(plx_model_weights(model), i, NULL, NULL));
    plx_status status = plx_trainer_new(model, &options, data, &trainer);
    while (status == PLX_OK && !progress.done) status = plx_trainer_run(trainer, 100, &progress);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        check_losses(t, file, trainer, weights);
        check_trained(t, file, model);
    }
    plx_trainer_free(trainer);
}

static int32_t *read_ids(plx_check *t, const cJSON *json) {
    int64_t size = 0;
    double *values = read_numbers(t, json, &size);
    int32_t *ids = calloc((size_t)size + 1, sizeof *ids);
    for (int64_t i = 0; values && i < size; ++i) ids[i] = (int32_t)values[i];
    free(values);
    return ids;
}

void plx_test_golden_gpt2(plx_check *t) {
    cJSON *file = golden_read(t, PLX_GOLDEN_GPT2);
    if (!file) return;
    int32_t *ids = read_ids(t, golden_list(file, "ids"));
    int32_t *labels = read_ids(t, golden_list(file, "labels"));
    const plx_dataset data = {.n = whole(file, "batch"), .inputs = {ids}, .targets = {labels}};
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 1);
        plx_model *model = ctx ? new_model(t, ctx, file) : NULL;
        if (model && load(t, file, model)) {
            check_logits(t, ctx, file, model, &data);
            train(t, ctx, file, model, &data);
        }
        plx_model_free(model);
        plx_ctx_free(ctx);
    }
    free(ids);
    free(labels);
    cJSON_Delete(file);
}
