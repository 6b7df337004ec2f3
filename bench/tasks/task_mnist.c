/* Task mnist: handwritten digits with a network of one hidden layer. */
#include "parallax_learn.h"

#include "bench/datasets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, FILTERS = 64, WRONG = 24 };

typedef struct mnist_state {
    plx_digits digits;
    int64_t confusion[CLASSES * CLASSES];
} mnist_state;

static plx_status open_task(plx_learning *l) {
    static const int epochs[] = {4, 20, 40};
    if (!l->options.digits)
        return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                        "training on mnist needs its files: set PARALLAX_DATA to the folder with "
                        "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (.gz or not).");
    mnist_state *state = l->state = plx_alloc(sizeof *state);
    if (!state) return plx_fail(l->ctx, PLX_ERR_MEMORY, "mnist: no memory");
    memset(state, 0, sizeof *state);
    plx_digits *d = &state->digits;
    const plx_status status = plx_digits_new(l->ctx, l->options.digits, l->options.seed, d);
    if (status != PLX_OK) return status;
    l->train = (plx_dataset){.n = d->train, .inputs = {d->x_train}, .targets = {d->labels_train}};
    l->test = (plx_dataset){.n = d->test, .inputs = {d->x_test}, .targets = {d->labels_test}};
    snprintf(l->model_name, sizeof l->model_name, "mlp:784-200-10");
    l->trainer_options.loss = PLX_LOSS_CROSS_ENTROPY;
    l->trainer_options.batch = 64;
    l->trainer_options.epochs = epochs[l->options.size];
    l->data = (plx_learning_data){.real = true, .source = l->options.digits->source};
    return PLX_OK;
}

static plx_status evaluate(plx_learning *l) {
    mnist_state *state = l->state;
    plx_metrics metrics;
    const plx_status status = plx_model_evaluate(l->model, 0, PLX_LOSS_CROSS_ENTROPY, &l->test,
                                                 &metrics, state->confusion);
    if (status != PLX_OK) return status;
    const double goal = l->options.size == PLX_LEARNING_QUICK ? 0.9 : 0.95;
    plx_learning_record(l, "accuracy", "1", "higher", metrics.accuracy, goal);
    plx_learning_record(l, "held-out loss", "nats", "lower", metrics.loss, NAN);
    return PLX_OK;
}

/* ---- Exhibits -------------------------------------------------------------------------------- */

static plx_status no_memory(plx_learning *l) {
    return plx_fail(l->ctx, PLX_ERR_MEMORY, "mnist: no memory for its exhibits");
}

static const char *digit_name(int digit) {
    static const char *const names[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    return names[digit];
}

static plx_status show_confusion(plx_learning *l) {
    const mnist_state *state = l->state;
    return plx_learning_show_confusion(l, CLASSES, state->confusion, digit_name, "predicted");
}

/* The weights of the first hidden units, by pixel. */
static plx_status show_filters(plx_learning *l) {
    plx_tensor *weight = plx_weights_at(plx_model_weights(l->model), 0, NULL, NULL);
    if (!weight || plx_tensor_rank(weight) != 2 || plx_tensor_dims(weight)[0] != PIXELS)
        return PLX_OK;
    const int64_t units = plx_tensor_dims(weight)[1], count = units < FILTERS ? units : FILTERS;
    plx_exhibit *shown = plx_learning_show(l, PLX_EXHIBIT_IMAGES, "filters of the first layer",
                                           count, SIDE, SIDE, 1, 0);
    if (!shown) return no_memory(l);
    const plx_real *w = plx_tensor_data(weight);
    for (int64_t j = 0; j < count; ++j)
        for (int64_t p = 0; p < PIXELS; ++p) shown->values[j * PIXELS + p] = w[p * units + j];
    return PLX_OK;
}

static int32_t guess(const plx_real *logits) {
    int32_t best = 0;
    for (int32_t j = 1; j < CLASSES; ++j)
        if (logits[j] > logits[best]) best = j;
    return best;
}

static plx_status show_wrong(plx_learning *l) {
    const plx_digits *d = &((const mnist_state *)l->state)->digits;
    plx_real *logits = plx_alloc((size_t)(d->test * CLASSES) * sizeof *logits);
    if (!logits) return no_memory(l);
    plx_status status = plx_model_predict(l->model, &l->test, 0, &logits);
    int64_t count = 0, at = 0;
    for (int64_t i = 0; status == PLX_OK && i < d->test && count < WRONG; ++i)
        count += guess(logits + i * CLASSES) != d->labels_test[i];
    plx_exhibit *shown = NULL;
    if (count) {
        shown = plx_learning_show(l, PLX_EXHIBIT_IMAGES, "digits taken for others", count, SIDE,
                                  SIDE, 1, count);
        if (!shown) status = no_memory(l);
    }
    for (int64_t i = 0; shown && at < count; ++i) {
        const int32_t found = guess(logits + i * CLASSES);
        if (found == d->labels_test[i]) continue;
        memcpy(shown->values + at * PIXELS, d->x_test + i * PIXELS, PIXELS * sizeof *shown->values);
        snprintf(shown->labels[at], sizeof shown->labels[at], "%d taken for %d", d->labels_test[i],
                 found);
        at += 1;
    }
    plx_free(logits);
    return status;
}

/* The confusion matrix is computed with the current weights. */
static plx_status exhibit(plx_learning *l) {
    plx_metrics metrics;
    plx_status status = plx_model_evaluate(l->model, 0, PLX_LOSS_CROSS_ENTROPY, &l->test, &metrics,
                                           ((mnist_state *)l->state)->confusion);
    if (status == PLX_OK) status = show_confusion(l);
    if (status == PLX_OK) status = show_filters(l);
    return status == PLX_OK ? show_wrong(l) : status;
}

static void close_task(plx_learning *l) {
    mnist_state *state = l->state;
    if (!state) return;
    plx_digits_free(&state->digits);
    plx_free(state);
}

const plx_task plx__task_mnist = {
    .name = "mnist",
    .description = "Handwritten digits by 784-200-10, from the files of MNIST",
    .takes = "digits",
    .work = {3.0e10, 1.0e11},
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
