#include "bench/datasets.h"

#include <math.h>
#include <string.h>

enum { STREAM_INPUTS = 910, STREAM_NOISE, STREAM_SPLIT, STREAM_PIXELS, STREAM_LABELS };

static const double pi = 3.14159265358979323846;

double plx_interp5d_function(const double x[5]) {
    return plx_math_sin(pi * x[0]) * plx_math_cos(pi * x[1] / 2) + x[2] * x[3] +
           plx_math_exp(-x[4] * x[4]) - 0.5 * x[0] * x[4];
}

void plx_interp5d_table(int64_t n, uint64_t seed, double *table) {
    plx_rng inputs = plx_rng_new(seed, STREAM_INPUTS), noise = plx_rng_new(seed, STREAM_NOISE);
    for (int64_t i = 0; i < n; ++i) {
        double *row = table + 6 * i;
        double x[5];
        for (int j = 0; j < 5; ++j) {
            x[j] = 2 * plx_rng_uniform(&inputs) - 1;
            row[j] = (double)(plx_real)x[j];
        }
        const double y = plx_interp5d_function(x) + PLX_INTERP5D_NOISE * plx_rng_normal(&noise);
        row[5] = (double)(plx_real)y;
    }
}

/* ---- Regression ------------------------------------------------------------------------------ */

static plx_status no_memory(plx_ctx *ctx, int64_t n) {
    return plx_fail(ctx, PLX_ERR_MEMORY, "data: no memory for %lld rows", (long long)n);
}

static int64_t *new_order(int64_t n, uint64_t seed) {
    int64_t *order = plx_alloc((size_t)n * sizeof *order);
    if (!order) return NULL;
    plx_rng rng = plx_rng_new(seed, STREAM_SPLIT);
    plx_rng_permute(&rng, n, order);
    return order;
}

/* Mean and deviation of one column over the training rows; a constant column keeps its scale. */
static void scale_of(const double *table, int64_t width, int64_t column, const int64_t *order,
                     int64_t rows, double *mean, double *deviation) {
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < rows; ++i) {
        const double value = table[order[i] * width + column];
        sum += value;
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    *mean = sum / (double)rows;
    *deviation = 1;
    /* The computed mean of equal values equals them only up to rounding. */
    if (least == most) *mean = least;
    if (least == most) return;
    for (int64_t i = 0; i < rows; ++i) {
        const double d = table[order[i] * width + column] - *mean;
        squares += d * d;
    }
    *deviation = plx_math_sqrt(squares / (double)rows);
}

/* Returns false when a scaled value does not fit plx_real. */
static bool copy_column(plx_regression *data, const double *table, int64_t column,
                        const int64_t *order) {
    const int64_t inputs = data->inputs, width = inputs + 1;
    double mean, deviation;
    scale_of(table, width, column, order, data->train, &mean, &deviation);
    bool finite = true;
    for (int64_t i = 0; i < data->train + data->test; ++i) {
        const bool held = i >= data->train;
        const int64_t row = held ? i - data->train : i;
        const plx_real value = (plx_real)((table[order[i] * width + column] - mean) / deviation);
        finite &= value - value == 0;
        if (column < inputs)
            (held ? data->x_test : data->x_train)[row * inputs + column] = value;
        else
            (held ? data->y_test : data->y_train)[row] = value;
    }
    data->scales[2 * column] = mean;
    data->scales[2 * column + 1] = deviation;
    if (column == inputs) data->target_scale = deviation;
    return finite && deviation - deviation == 0;
}

static plx_status copy_columns(plx_ctx *ctx, plx_regression *data, const double *table,
                               const int64_t *order) {
    for (int64_t j = 0; j <= data->inputs; ++j)
        if (!copy_column(data, table, j, order))
            return plx_fail(ctx, PLX_ERR_ARGUMENT,
                            "data: column %lld cannot be scaled by its mean %g and deviation %g; "
                            "use other units, or leave out values that lie far from the rest",
                            (long long)j + 1, data->scales[2 * j], data->scales[2 * j + 1]);
    return PLX_OK;
}

plx_status plx_regression_new(plx_ctx *ctx, const double *table, int64_t n, int64_t inputs,
                              uint64_t seed, plx_regression *out) {
    if (n < 5 || inputs < 1)
        return plx_fail(ctx, PLX_ERR_SHAPE,
                        "data: %lld row%s with %lld input%s; at least 5 rows with 1 input are "
                        "needed to train and to hold some out",
                        (long long)n, n == 1 ? "" : "s", (long long)inputs, inputs == 1 ? "" : "s");
    plx_regression data = {.inputs = inputs, .test = n / 5};
    data.train = n - data.test;
    int64_t *order = new_order(n, seed);
    const size_t bytes = sizeof(plx_real);
    data.x_train = plx_alloc((size_t)(data.train * inputs) * bytes);
    data.y_train = plx_alloc((size_t)data.train * bytes);
    data.x_test = plx_alloc((size_t)(data.test * inputs) * bytes);
    data.y_test = plx_alloc((size_t)data.test * bytes);
    data.scales = plx_alloc(2 * (size_t)(inputs + 1) * sizeof *data.scales);
    const bool enough =
        order && data.x_train && data.y_train && data.x_test && data.y_test && data.scales;
    const plx_status status = enough ? copy_columns(ctx, &data, table, order) : no_memory(ctx, n);
    plx_free(order);
    if (status != PLX_OK) {
        plx_regression_free(&data);
        return status;
    }
    *out = data;
    return PLX_OK;
}

void plx_regression_free(plx_regression *data) {
    plx_free(data->x_train);
    plx_free(data->y_train);
    plx_free(data->x_test);
    plx_free(data->y_test);
    plx_free(data->scales);
    *data = (plx_regression){0};
}

/* ---- Digits ---------------------------------------------------------------------------------- */

plx_status plx_digits_check(plx_ctx *ctx, const plx_learning_digits *from) {
    const plx_idx *images = &from->images, *labels = &from->labels;
    if (images->rank != 3 || labels->rank != 1)
        return plx_fail(ctx, PLX_ERR_SHAPE,
                        "digits: images have %d dimensions and labels %d; 3 and 1 are needed",
                        images->rank, labels->rank);
    if (images->dims[0] != labels->dims[0] || images->dims[0] < 5)
        return plx_fail(
            ctx, PLX_ERR_SHAPE,
            "digits: %lld images and %lld labels; there must be as many of each, and at least 5",
            (long long)images->dims[0], (long long)labels->dims[0]);
    if (images->dims[1] != 28 || images->dims[2] != 28)
        return plx_fail(ctx, PLX_ERR_SHAPE,
                        "digits: images have %lld x %lld pixels; 28 x 28 are needed",
                        (long long)images->dims[1], (long long)images->dims[2]);
    for (int64_t i = 0; i < labels->size; ++i)
        if (labels->data[i] > 9)
            return plx_fail(ctx, PLX_ERR_ARGUMENT,
                            "digits: label %d of image %lld is out of range; labels are 0 to 9",
                            labels->data[i], (long long)i);
    return PLX_OK;
}

static void copy_digits(plx_digits *data, const plx_learning_digits *from, const int64_t *order) {
    for (int64_t i = 0; i < data->train + data->test; ++i) {
        const bool held = i >= data->train;
        const int64_t row = held ? i - data->train : i;
        plx_real *x = (held ? data->x_test : data->x_train) + row * data->pixels;
        const uint8_t *image = from->images.data + order[i] * data->pixels;
        for (int64_t p = 0; p < data->pixels; ++p) x[p] = (plx_real)image[p] / 255;
        (held ? data->labels_test : data->labels_train)[row] = from->labels.data[order[i]];
    }
}

static void make_noise(plx_digits *data, uint64_t seed) {
    plx_rng pixels = plx_rng_new(seed, STREAM_PIXELS), labels = plx_rng_new(seed, STREAM_LABELS);
    for (int64_t i = 0; i < data->train * data->pixels; ++i)
        data->x_train[i] = (plx_real)plx_rng_uniform(&pixels);
    for (int64_t i = 0; i < data->test * data->pixels; ++i)
        data->x_test[i] = (plx_real)plx_rng_uniform(&pixels);
    for (int64_t i = 0; i < data->train; ++i)
        data->labels_train[i] = (int32_t)plx_rng_below(&labels, data->classes);
    for (int64_t i = 0; i < data->test; ++i)
        data->labels_test[i] = (int32_t)plx_rng_below(&labels, data->classes);
}

plx_status plx_digits_new(plx_ctx *ctx, const plx_learning_digits *images, uint64_t seed,
                          plx_digits *out) {
    const plx_status status = images ? plx_digits_check(ctx, images) : PLX_OK;
    if (status != PLX_OK) return status;
    const int64_t n = images ? images->images.dims[0] : 1000;
    plx_digits data = {.pixels = 784, .classes = 10, .test = n / 5};
    data.train = n - data.test;
    int64_t *order = new_order(n, seed);
    data.x_train = plx_alloc((size_t)(data.train * data.pixels) * sizeof(plx_real));
    data.x_test = plx_alloc((size_t)(data.test * data.pixels) * sizeof(plx_real));
    data.labels_train = plx_alloc((size_t)data.train * sizeof(int32_t));
    data.labels_test = plx_alloc((size_t)data.test * sizeof(int32_t));
    const bool enough =
        order && data.x_train && data.x_test && data.labels_train && data.labels_test;
    if (enough && images) copy_digits(&data, images, order);
    if (enough && !images) make_noise(&data, seed);
    plx_free(order);
    if (!enough) {
        plx_digits_free(&data);
        return no_memory(ctx, n);
    }
    *out = data;
    return PLX_OK;
}

void plx_digits_free(plx_digits *data) {
    plx_free(data->x_train);
    plx_free(data->x_test);
    plx_free(data->labels_train);
    plx_free(data->labels_test);
    *data = (plx_digits){0};
}
