#include "bench/tasks/pictures.h"

#include "bench/tasks/shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STREAM_TRAIN = 920, STREAM_TEST };

/* ---- Data ------------------------------------------------------------------------------------ */

static int64_t values_of(plx_port port) {
    int64_t values = 1;
    for (int i = 0; i < port.rank; ++i) values *= port.dims[i];
    return values;
}

static plx_status check_model(plx_learning *l) {
    plx_model *model;
    if (!l->options.model) return PLX_OK;
    const plx_status status = plx_model_from_name(l->ctx, l->options.model, 0, &model);
    if (status != PLX_OK) return status;
    const plx_port in = plx_model_input(model, 0), out = plx_model_output(model, 0);
    const bool fits = plx_model_inputs(model) == 1 && plx_model_outputs(model) == 1 &&
                      in.dtype == PLX_DTYPE_REAL && values_of(in) == PLX_PICTURE_VALUES &&
                      out.rank == 1 && out.dims[0] == PLX_KINDS;
    plx_model_free(model);
    if (fits) return PLX_OK;
    return plx_fail(l->ctx, PLX_ERR_SHAPE,
                    "%s: model \"%s\" takes %lld values and returns %lld; pictures have %d x %d x "
                    "%d, and there are %d kinds",
                    l->task->name, l->options.model, (long long)values_of(in),
                    (long long)values_of(out), PLX_PICTURE_SIDE, PLX_PICTURE_SIDE,
                    PLX_PICTURE_CHANNELS, PLX_KINDS);
}

plx_status plx__pictures_open(plx_learning *l, plx__picture_set *set) {
    const int64_t train = 4000, test = l->options.size == PLX_LEARNING_QUICK ? 300 : 1000;
    const plx_status status = check_model(l);
    if (status != PLX_OK) return status;
    const size_t n = (size_t)(train + test);
    set->images = plx_alloc(n * PLX_PICTURE_VALUES * sizeof *set->images);
    set->kinds = plx_alloc(n * sizeof *set->kinds);
    if (!set->images || !set->kinds)
        return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for %lld pictures", l->task->name,
                        (long long)n);
    plx_real *held = set->images + train * PLX_PICTURE_VALUES;
    plx__pictures(train, l->options.seed, STREAM_TRAIN, set->images, set->kinds);
    plx__pictures(test, l->options.seed, STREAM_TEST, held, set->kinds + train);
    l->train = (plx_dataset){.n = train, .inputs = {set->images}, .targets = {set->kinds}};
    l->test = (plx_dataset){.n = test, .inputs = {held}, .targets = {set->kinds + train}};
    l->trainer_options.loss = PLX_LOSS_CROSS_ENTROPY;
    l->data = (plx_learning_data){.source = "shapes and textures"};
    return PLX_OK;
}

void plx__pictures_close(plx__picture_set *set) {
    plx_free(set->images);
    plx_free(set->kinds);
}

plx_status plx__pictures_measure(plx_learning *l, double goal, double *top1) {
    plx_metrics metrics;
    const plx_status status = plx_learning_metrics(l, 0, &metrics);
    if (status != PLX_OK) return status;
    plx_learning_record(l, "top-1", "1", "higher", metrics.accuracy, goal);
    plx_learning_record(l, "top-5", "1", "higher", metrics.top5, NAN);
    plx_learning_record(l, "loss", "nats", "lower", metrics.loss, NAN);
    if (top1) *top1 = metrics.accuracy;
    return PLX_OK;
}

/* ---- Exhibits -------------------------------------------------------------------------------- */

static plx_status no_memory(plx_learning *l, const char *what) {
    return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for \"%s\"", l->task->name, what);
}

int plx__picture_label(const plx_learning *l, int64_t i) {
    return ((const int32_t *)l->test.targets[0])[i];
}

void plx__picture_light(const plx_learning *l, int64_t i, plx_real *light) {
    const plx_real *image = (const plx_real *)l->test.inputs[0] + i * PLX_PICTURE_VALUES;
    plx__picture_to_light(image, light);
}

static plx_status show_confusion(plx_learning *l) {
    int64_t counts[PLX_KINDS * PLX_KINDS];
    plx_metrics metrics;
    const plx_status status =
        plx_model_evaluate(l->model, 0, PLX_LOSS_CROSS_ENTROPY, &l->test, &metrics, counts);
    if (status != PLX_OK) return status;
    return plx_learning_show_confusion(l, PLX_KINDS, counts, plx__kind_name, "prediction");
}

static int largest(const plx_real *values, int n) {
    int best = 0;
    for (int i = 1; i < n; ++i)
        if (values[i] > values[best]) best = i;
    return best;
}

static plx_status show_samples(plx_learning *l) {
    enum { MOST = 20 };
    const int64_t n = l->test.n < MOST ? l->test.n : MOST;
    plx_real logits[MOST * PLX_KINDS], *outputs[PLX_PORTS] = {logits};
    plx_dataset some = l->test;
    some.n = n;
    const plx_status status = plx_model_predict(l->model, &some, 0, outputs);
    if (status != PLX_OK) return status;
    plx_exhibit *shown = plx_learning_show(l, PLX_EXHIBIT_IMAGES, "pictures", n, PLX_PICTURE_SIDE,
                                           PLX_PICTURE_SIDE, PLX_PICTURE_CHANNELS, n);
    if (!shown) return no_memory(l, "pictures");
    for (int64_t i = 0; i < n; ++i) {
        const int guess = largest(logits + i * PLX_KINDS, PLX_KINDS);
        plx__picture_light(l, i, shown->values + i * PLX_PICTURE_VALUES);
        snprintf(shown->labels[i], PLX_LEARNING_LABEL, "%s%s",
                 guess == plx__picture_label(l, i) ? "" : "wrong: ", plx__kind_name(guess));
    }
    return PLX_OK;
}

plx_status plx__pictures_show(plx_learning *l) {
    const plx_status status = show_confusion(l);
    return status == PLX_OK ? show_samples(l) : status;
}

/* Turns values [size, count] into pictures [count, size] from 0 to 1. */
static void scale_filters(const plx_real *values, int64_t size, int64_t count, plx_real *pictures) {
    for (int64_t f = 0; f < count; ++f) {
        plx_real low = values[f], high = values[f];
        for (int64_t i = 1; i < size; ++i) {
            const plx_real value = values[i * count + f];
            if (value < low) low = value;
            if (value > high) high = value;
        }
        const plx_real range = high > low ? high - low : 1;
        for (int64_t i = 0; i < size; ++i)
            pictures[f * size + i] = (values[i * count + f] - low) / range;
    }
}

plx_status plx__pictures_show_filters(plx_learning *l, const char *weight) {
    plx_tensor *tensor = plx_weights_find(plx_model_weights(l->model), weight);
    if (!tensor || plx_tensor_rank(tensor) != 4) return PLX_OK;
    const int64_t *dims = plx_tensor_dims(tensor);
    if (dims[2] != PLX_PICTURE_CHANNELS) return PLX_OK;
    plx_exhibit *shown =
        plx_learning_show(l, PLX_EXHIBIT_IMAGES, "filters", dims[3], dims[0], dims[1], dims[2], 0);
    if (!shown) return no_memory(l, "filters");
    scale_filters(plx_tensor_data(tensor), dims[0] * dims[1] * dims[2], dims[3], shown->values);
    return PLX_OK;
}
