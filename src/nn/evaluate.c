/* Losses and scores of predictions, summed in double precision. */
#include "nn/model.h"

#include "base/platform.h"
#include "ops/op.h"
#include "parallax.h"

#include <math.h>
#include <string.h>

typedef struct tally {
    double loss, target_sum, target_squares;
    int64_t right, among_five, counted;
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
    for (int64_t i = 0; i < n; ++i) sum += plx_math_exp((double)row[i] - top);
    return plx_math_log(sum) - ((double)row[label] - top);
}

/* The number of logits larger than that of the label; 0: the prediction is right. */
static int64_t rank_of(const plx_real *row, int64_t n, int64_t label) {
    int64_t larger = 0;
    for (int64_t i = 0; i < n; ++i) larger += row[i] > row[label];
    return larger;
}

static void count_classes(tally *t, const plx_real *out, int64_t rows, int64_t classes,
                          const int32_t *labels, int64_t *confusion) {
    for (int64_t i = 0; i < rows; ++i) {
        if (labels[i] == PLX_IGNORED_LABEL) continue;
        const plx_real *row = out + i * classes;
        const int64_t guess = argmax(row, classes);
        t->loss += cross_entropy(row, classes, labels[i]);
        t->right += guess == labels[i];
        t->among_five += rank_of(row, classes, labels[i]) < 5;
        t->counted += 1;
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
    t->counted += size;
}

static plx_metrics metrics_of(const tally *t, bool classes) {
    const double counted = (double)t->counted;
    plx_metrics m = {.loss = t->loss / counted,
                     .accuracy = NAN,
                     .top5 = NAN,
                     .perplexity = NAN,
                     .rmse = NAN,
                     .r2 = NAN,
                     .counted = t->counted};
    if (classes) {
        m.accuracy = (double)t->right / counted;
        m.top5 = (double)t->among_five / counted;
        m.perplexity = plx_math_exp(m.loss);
    } else {
        const double mean = t->target_sum / counted;
        m.rmse = plx_math_sqrt(m.loss);
        m.r2 = 1 - t->loss / (t->target_squares - counted * mean * mean);
    }
    return m;
}

/* Number of samples whose outputs are computed at a time. */
static int64_t rows_at_once(int64_t size) {
    enum { MOST_ROWS = 256, MOST_VALUES = 1 << 22 };
    const int64_t rows = MOST_VALUES / size;
    return rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
}

static plx_status tally_rows(plx_model *model, int output, plx_loss loss, const plx_dataset *data,
                             plx_real *out, int64_t *confusion, tally *t) {
    const plx_port *port = &model->outputs[output];
    const int64_t size = plx__port_size(port), most = rows_at_once(size);
    const int64_t classes = port->dims[port->rank - 1];
    const int64_t labels = plx__target_size(model, loss, output);
    plx_real *outputs[PLX_PORTS] = {NULL};
    outputs[output] = out;
    for (int64_t done = 0; done < data->n;) {
        const int64_t rows = data->n - done < most ? data->n - done : most;
        plx_dataset part = *data;
        part.n = rows;
        for (int i = 0; i < model->inputs_count; ++i)
            part.inputs[i] = plx__dataset_input(model, data, i, done);
        PLX_TRY(plx_model_predict(model, &part, most, outputs));
        for (int64_t r = 0; r < rows; ++r) {
            const void *target = plx__dataset_target(model, loss, data, output, done + r);
            if (loss == PLX_LOSS_CROSS_ENTROPY)
                count_classes(t, out + r * size, labels, classes, target, confusion);
            else
                count_squares(t, out + r * size, size, target);
        }
        done += rows;
    }
    return PLX_OK;
}

plx_status plx_model_evaluate(plx_model *model, int output, plx_loss loss, const plx_dataset *data,
                              plx_metrics *metrics, int64_t *confusion) {
    plx__message *message = &model->ctx->message;
    if (output < 0 || output >= model->outputs_count)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "evaluate: there is no output %d; the model has %d output%s, 0 to %d",
                         output, model->outputs_count, model->outputs_count == 1 ? "" : "s",
                         model->outputs_count - 1);
    if (loss == PLX_LOSS_OWN)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "evaluate: the model's own loss has no labels to compare with; use mse or "
                         "cross-entropy");
    PLX_TRY(plx__check_dataset(model, "evaluate", loss, data));
    PLX_TRY(plx__need(message, "evaluate", "metrics", metrics));
    const plx_port *port = &model->outputs[output];
    const bool labels = loss == PLX_LOSS_CROSS_ENTROPY;
    const int64_t size = plx__port_size(port), classes = port->dims[port->rank - 1];
    const size_t pairs = labels && confusion ? (size_t)(classes * classes) : 0;
    plx_real *out = plx_platform_alloc((size_t)(rows_at_once(size) * size) * sizeof *out);
    int64_t *counts = plx_platform_alloc((pairs + 1) * sizeof *counts);
    tally t = {0};
    plx_status status = PLX_OK;
    if (!out || !counts) {
        status = plx__fail(message, PLX_ERR_MEMORY, "evaluate: no memory");
    } else {
        memset(counts, 0, pairs * sizeof *counts);
        status = tally_rows(model, output, loss, data, out, pairs ? counts : NULL, &t);
    }
    if (status == PLX_OK && !t.counted)
        status = plx__fail(message, PLX_ERR_ARGUMENT,
                           "evaluate: every label equals the ignored label (%d), so there is "
                           "nothing to evaluate",
                           PLX_IGNORED_LABEL);
    if (status == PLX_OK) {
        *metrics = metrics_of(&t, labels);
        if (pairs && counts) memcpy(confusion, counts, pairs * sizeof *counts);
    }
    plx_platform_free(out);
    plx_platform_free(counts);
    return status;
}
