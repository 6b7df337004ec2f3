/* Losses and scores of predictions, summed in double precision. */
#include "nn/model.h"

#include "base/dmath.h"
#include "base/platform.h"

#include <math.h>
#include <string.h>

typedef struct tally {
    double loss, target_sum, target_squares;
    int64_t right;
} tally;

static int64_t argmax(const plx_real *row, int64_t n) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; ++i)
        if (row[i] > row[best]) best = i;
    return best;
}

/* -log softmax(row)[label] */
static double cross_entropy(const plx_real *row, int64_t n, int64_t label) {
    const double top = (double)row[argmax(row, n)];
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += plx__exp((double)row[i] - top);
    return plx__log(sum) - ((double)row[label] - top);
}

static void count_classes(tally *t, const plx_real *out, int64_t rows, int64_t classes,
                          const int32_t *labels, int64_t *confusion) {
    for (int64_t i = 0; i < rows; ++i) {
        const plx_real *row = out + i * classes;
        const int64_t guess = argmax(row, classes);
        t->loss += cross_entropy(row, classes, labels[i]);
        t->right += guess == labels[i];
        if (confusion) confusion[labels[i] * classes + guess] += 1;
    }
}

static void count_squares(tally *t, const plx_real *out, int64_t size, const plx_real *target) {
    for (int64_t i = 0; i < size; ++i) {
        const double y = (double)target[i], error = (double)out[i] - y;
        t->loss += error * error;
        t->target_sum += y;
        t->target_squares += y * y;
    }
}

static plx_status check_labels(const plx_model *model, const plx_dataset *data, int64_t classes) {
    for (int64_t i = 0; i < data->n; ++i)
        if (data->labels[i] < 0 || data->labels[i] >= classes)
            return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                             "evaluate: label %d in row %lld is outside 0..%lld",
                             (int)data->labels[i], (long long)i, (long long)classes - 1);
    return PLX_OK;
}

plx_status plx_model_evaluate(plx_model *model, plx_loss loss, const plx_dataset *data,
                              plx_metrics *metrics, int64_t *confusion) {
    enum { ROWS = 256 };
    plx__message *message = &model->ctx->message;
    const int64_t in = plx__model_input_size(model), size = plx__model_output_size(model);
    const bool classes = loss == PLX_LOSS_CROSS_ENTROPY;
    if (data->n < 1 || !data->x || !(classes ? (const void *)data->labels : (const void *)data->y))
        return plx__fail(message, PLX_ERR_ARGUMENT, "evaluate: %lld samples with %s",
                         (long long)data->n, data->x ? "no targets for this loss" : "no inputs");
    if (classes) PLX_TRY(check_labels(model, data, size));
    plx_real *out = plx_platform_alloc((size_t)(ROWS * size) * sizeof *out);
    if (!out) return plx__fail(message, PLX_ERR_MEMORY, "evaluate: no memory");
    if (classes && confusion) memset(confusion, 0, (size_t)(size * size) * sizeof *confusion);
    tally t = {0};
    plx_status status = PLX_OK;
    for (int64_t done = 0; done < data->n && status == PLX_OK; done += ROWS) {
        const int64_t rows = data->n - done < ROWS ? data->n - done : ROWS;
        status = plx_model_predict(model, rows, data->x + done * in, ROWS, out);
        if (status != PLX_OK) break;
        if (classes)
            count_classes(&t, out, rows, size, data->labels + done, confusion);
        else
            count_squares(&t, out, rows * size, data->y + done * size);
    }
    plx_platform_free(out);
    if (status != PLX_OK) return status;
    const double samples = (double)data->n, values = samples * (double)size;
    *metrics = (plx_metrics){.accuracy = NAN, .rmse = NAN, .r2 = NAN};
    metrics->loss = t.loss / (classes ? samples : values);
    if (classes) {
        metrics->accuracy = (double)t.right / samples;
    } else {
        const double mean = t.target_sum / values;
        metrics->rmse = plx__sqrt(metrics->loss);
        metrics->r2 = 1 - t.loss / (t.target_squares - values * mean * mean);
    }
    return PLX_OK;
}
