/* Losses and scores of predictions, summed in double precision. */
#include "nn/model.h"

#include "base/platform.h"
#include "ops/op.h"
#include "parallax.h"

#include <math.h>
#include <string.h>

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

static void count_classes(plx__tally *t, const plx_real *out, int64_t rows, int64_t classes,
                          const int32_t *labels, double weight, int64_t *confusion) {
    for (int64_t i = 0; i < rows; ++i) {
        if (labels[i] == PLX_IGNORED_LABEL) continue;
        const plx_real *row = out + i * classes;
        const int64_t guess = argmax(row, classes);
        const double term = cross_entropy(row, classes, labels[i]);
        t->loss += weight * term;
        t->terms += term;
        t->right += guess == labels[i];
        t->among_five += rank_of(row, classes, labels[i]) < 5;
        t->counted += 1;
        if (confusion) confusion[labels[i] * classes + guess] += 1;
    }
}

/* Binary cross-entropy of sigmoid(x) against y, without overflow. */
static double binary_cross_entropy(double x, double y) {
    const double away = x > 0 ? 1 - y : y, size = x > 0 ? x : -x;
    return (away > 0 ? away * size : 0) + plx_math_log(1 + plx_math_exp(-size));
}

/* The term of a value with this logit, or error. */
static double term_of(plx_loss loss, double p, double logit, double y) {
    if (loss == PLX_LOSS_BINARY_CROSS_ENTROPY) return binary_cross_entropy(logit, y);
    const double error = logit - y, size = error < 0 ? -error : error;
    if (loss == PLX_LOSS_MAE) return size;
    if (loss != PLX_LOSS_HUBER) return error * error;
    const double m = size < p ? size : p;
    return m * (size - m / 2);
}

static void count_values(plx__tally *t, plx_loss loss, double p, const plx_real *out, int64_t size,
                         const plx_real *target, double weight) {
    for (int64_t i = 0; i < size; ++i) {
        const double y = (double)target[i], error = (double)out[i] - y;
        const double term = term_of(loss, p, (double)out[i], y);
        t->loss += weight * term;
        t->terms += term;
        t->right += (out[i] > 0) == (y > 0.5);
        t->squares += error * error;
        t->sizes += error < 0 ? -error : error;
        t->target_sum += y;
        t->target_squares += y * y;
    }
    t->counted += size;
}

void plx__tally_add(plx__tally *tally, const plx_port *port, plx_loss loss, double p, int64_t rows,
                    const plx_real *out, const void *targets, const plx_real *weights,
                    int64_t *confusion) {
    const bool labels = loss == PLX_LOSS_CROSS_ENTROPY;
    const int64_t size = plx__port_size(port), classes = port->dims[port->rank - 1];
    const int64_t target_size = labels ? size / classes : size;
    for (int64_t i = 0; i < rows; ++i) {
        const double weight = weights ? (double)weights[i] : 1;
        if (labels)
            count_classes(tally, out + i * size, target_size, classes,
                          (const int32_t *)targets + i * target_size, weight, confusion);
        else
            count_values(tally, loss, p, out + i * size, size, (const plx_real *)targets + i * size,
                         weight);
    }
}

plx_metrics plx__tally_metrics(const plx__tally *t, plx_loss loss) {
    const double counted = (double)t->counted;
    plx_metrics m = {.loss = t->loss / counted,
                     .accuracy = NAN,
                     .top5 = NAN,
                     .perplexity = NAN,
                     .rmse = NAN,
                     .r2 = NAN,
                     .mae = NAN,
                     .counted = t->counted};
    if (loss == PLX_LOSS_CROSS_ENTROPY || loss == PLX_LOSS_BINARY_CROSS_ENTROPY)
        m.accuracy = (double)t->right / counted;
    if (loss == PLX_LOSS_CROSS_ENTROPY) {
        m.top5 = (double)t->among_five / counted;
        m.perplexity = plx_math_exp(t->terms / counted);
    } else if (loss != PLX_LOSS_BINARY_CROSS_ENTROPY) {
        const double mean = t->target_sum / counted;
        m.rmse = plx_math_sqrt(t->squares / counted);
        m.r2 = 1 - t->squares / (t->target_squares - counted * mean * mean);
        m.mae = t->sizes / counted;
    }
    return m;
}

/* Number of samples whose outputs are computed at a time. */
static int64_t rows_at_once(int64_t size) {
    enum { MOST_ROWS = 256, MOST_VALUES = 1 << 22 };
    const int64_t rows = MOST_VALUES / size;
    return rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
}

static plx_status tally_rows(plx_model *model, int output, plx_loss loss, double p,
                             const plx_dataset *data, plx_real *out, int64_t *confusion,
                             plx__tally *t) {
    const plx_port *port = &model->outputs[output];
    const int64_t size = plx__port_size(port), most = rows_at_once(size);
    plx_real *outputs[PLX_PORTS] = {NULL};
    outputs[output] = out;
    for (int64_t done = 0; done < data->n;) {
        const int64_t rows = data->n - done < most ? data->n - done : most;
        plx_dataset part = *data;
        part.n = rows;
        for (int i = 0; i < model->inputs_count; ++i)
            part.inputs[i] = plx__dataset_input(model, data, i, done);
        PLX_TRY(plx__predict(model, loss, &part, most, outputs));
        for (int64_t r = 0; r < rows; ++r)
            plx__tally_add(t, port, loss, p, 1, out + r * size,
                           plx__dataset_target(model, loss, data, output, done + r),
                           data->weights ? data->weights + done + r : NULL, confusion);
        done += rows;
    }
    return PLX_OK;
}

plx_status plx_model_evaluate(plx_model *model, int output, plx_loss loss, const plx_dataset *data,
                              plx_metrics *metrics, int64_t *confusion) {
    return plx_model_evaluate_with(model, output, loss, 0, data, metrics, confusion);
}

plx_status plx_model_evaluate_with(plx_model *model, int output, plx_loss loss, double p,
                                   const plx_dataset *data, plx_metrics *metrics,
                                   int64_t *confusion) {
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
    if (!(p >= 0 && p < 1e30))
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "evaluate: the parameter of the loss is %g; it must be from 0 to below 1e30", p);
    PLX_TRY(plx__check_dataset(model, "evaluate", loss, data));
    PLX_TRY(plx__need(message, "evaluate", "metrics", metrics));
    const plx_port *port = &model->outputs[output];
    const bool labels = loss == PLX_LOSS_CROSS_ENTROPY;
    const int64_t size = plx__port_size(port), classes = port->dims[port->rank - 1];
    const size_t pairs = labels && confusion ? (size_t)(classes * classes) : 0;
    plx_real *out = plx_platform_alloc((size_t)(rows_at_once(size) * size) * sizeof *out);
    int64_t *counts = plx_platform_alloc((pairs + 1) * sizeof *counts);
    plx__tally t = {0};
    plx_status status = PLX_OK;
    if (!out || !counts) {
        status = plx__fail(message, PLX_ERR_MEMORY, "evaluate: no memory");
    } else {
        memset(counts, 0, pairs * sizeof *counts);
        status = tally_rows(model, output, loss, plx__loss_parameter(loss, p), data, out,
                            pairs ? counts : NULL, &t);
    }
    if (status == PLX_OK && !t.counted)
        status = plx__fail(message, PLX_ERR_ARGUMENT,
                           "evaluate: every label equals the ignored label (%d), so there is "
                           "nothing to evaluate",
                           PLX_IGNORED_LABEL);
    if (status == PLX_OK) {
        *metrics = plx__tally_metrics(&t, loss);
        metrics->loss += plx__penalty(model);
        if (pairs && counts) memcpy(confusion, counts, pairs * sizeof *counts);
    }
    plx_platform_free(out);
    plx_platform_free(counts);
    return status;
}
