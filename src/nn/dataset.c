/* Samples of a data set: the address of a row, and checks. */
#include "nn/model.h"

#include "ops/op.h"

#include <string.h>

static const void *row_at(const void *data, int64_t stride, int64_t size, size_t bytes,
                          int64_t row) {
    return (const char *)data + (size_t)(row * (stride ? stride : size)) * bytes;
}

const void *plx__dataset_input(const plx_model *model, const plx_dataset *data, int i,
                               int64_t row) {
    const plx_port *port = &model->inputs[i];
    return row_at(data->inputs[i], data->input_strides[i], plx__port_size(port),
                  plx__element_bytes(port->dtype), row);
}

int64_t plx__target_size(const plx_model *model, plx_loss loss, int i) {
    const plx_port *port = &model->outputs[i];
    return plx__product(port->rank - (loss == PLX_LOSS_CROSS_ENTROPY), port->dims);
}

const void *plx__dataset_target(const plx_model *model, plx_loss loss, const plx_dataset *data,
                                int i, int64_t row) {
    return row_at(data->targets[i], data->target_strides[i], plx__target_size(model, loss, i),
                  loss == PLX_LOSS_CROSS_ENTROPY ? sizeof(int32_t) : sizeof(plx_real), row);
}

/* ---- Checks ---------------------------------------------------------------------------------- */

typedef struct values {
    const char *who, *what;
    int64_t rows, size, stride;
} values;

static plx_status check_reals(plx_ctx *ctx, const values *v, const plx_real *data) {
    for (int64_t i = 0; i < v->rows; ++i) {
        const plx_real *row = data + i * (v->stride ? v->stride : v->size);
        for (int64_t j = 0; j < v->size; ++j) {
            if (row[j] - row[j] == 0) continue;
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "%s: %s holds %s in row %lld, column %lld; remove or replace it",
                             v->who, v->what, row[j] != row[j] ? "NaN" : "infinity", (long long)i,
                             (long long)j);
        }
    }
    return PLX_OK;
}

/* Checks finite values for a range; allowed: "0 to 1". */
static plx_status check_range(plx_ctx *ctx, const values *v, const plx_real *data, double most,
                              const char *allowed) {
    for (int64_t i = 0; i < v->rows; ++i) {
        const plx_real *row = data + i * (v->stride ? v->stride : v->size);
        for (int64_t j = 0; j < v->size; ++j)
            if (!(row[j] >= 0 && (double)row[j] <= most))
                return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                                 "%s: %s holds %g in row %lld; it must be %s", v->who, v->what,
                                 (double)row[j], (long long)i, allowed);
    }
    return PLX_OK;
}

/* Checks for integers from 0 to classes - 1, or equal to allowed. */
static plx_status check_integers(plx_ctx *ctx, const values *v, const int32_t *data,
                                 int64_t classes, int32_t allowed) {
    for (int64_t i = 0; i < v->rows; ++i) {
        const int32_t *row = data + i * (v->stride ? v->stride : v->size);
        for (int64_t j = 0; j < v->size; ++j) {
            if ((row[j] >= 0 && row[j] < classes) || row[j] == allowed) continue;
            char ignored[32] = "";
            if (allowed < 0) plx__format(ignored, sizeof ignored, " (%d: not counted)", allowed);
            return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                             "%s: %s %d in row %lld is outside 0 to %lld%s", v->who, v->what,
                             (int)row[j], (long long)i, (long long)classes - 1, ignored);
        }
    }
    return PLX_OK;
}

static plx_status check_stride(const plx_model *model, const values *v) {
    if (v->stride >= 0) return PLX_OK;
    return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                     "%s: the stride of %s is %lld; it must be 0 (contiguous) or more", v->who,
                     v->what, (long long)v->stride);
}

static plx_status check_input(const plx_model *model, const char *who, const plx_dataset *data,
                              bool reals, int i) {
    const plx_port *port = &model->inputs[i];
    const values v = {who, port->name, data->n, plx__port_size(port), data->input_strides[i]};
    if (!data->inputs[i])
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT, "%s: no data for input \"%s\"",
                         who, port->name);
    PLX_TRY(check_stride(model, &v));
    if (port->dtype == PLX_DTYPE_REAL)
        return reals ? check_reals(model->ctx, &v, data->inputs[i]) : PLX_OK;
    if (!port->classes) return PLX_OK;
    return check_integers(model->ctx, &v, data->inputs[i], port->classes, 0);
}

plx_status plx__check_inputs(const plx_model *model, const char *who, const plx_dataset *data,
                             bool reals) {
    for (int i = 0; i < model->inputs_count; ++i) PLX_TRY(check_input(model, who, data, reals, i));
    return PLX_OK;
}

static plx_status check_target(const plx_model *model, const char *who, plx_loss loss,
                               const plx_dataset *data, int i) {
    const plx_port *port = &model->outputs[i];
    const bool labels = loss == PLX_LOSS_CROSS_ENTROPY;
    const values v = {who, labels ? "label" : "y", data->n, plx__target_size(model, loss, i),
                      data->target_strides[i]};
    if (!data->targets[i])
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT, "%s: %s", who,
                         labels ? "cross-entropy needs labels" : "the loss needs targets y");
    PLX_TRY(check_stride(model, &v));
    if (labels)
        return check_integers(model->ctx, &v, data->targets[i], port->dims[port->rank - 1],
                              PLX_IGNORED_LABEL);
    PLX_TRY(check_reals(model->ctx, &v, data->targets[i]));
    if (loss != PLX_LOSS_BINARY_CROSS_ENTROPY) return PLX_OK;
    return check_range(model->ctx, &v, data->targets[i], 1, "0 to 1 for binary cross-entropy");
}

static const char *const losses[] = {
#define PLX_LOSS(NAME, name, about) name,
#include "parallax.def"
};

const char *plx_loss_name(plx_loss loss) {
    return (unsigned)loss < PLX_LOSSES_ ? losses[loss] : NULL;
}

plx_loss plx_loss_from_name(const char *name) {
    int loss = 0;
    while (loss < PLX_LOSSES_ && strcmp(losses[loss], name) != 0) loss += 1;
    return (plx_loss)loss;
}

plx_status plx__check_loss(const plx_model *model, const char *who, plx_loss loss) {
    plx__message *message = &model->ctx->message;
    if (!plx_loss_name(loss))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: there is no loss number %d; it must be 0 to %d", who, (int)loss,
                         PLX_LOSSES_ - 1);
    if (loss == PLX_LOSS_OWN && !plx_model_has_loss(model))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: this model has no loss of its own; use mse or cross-entropy", who);
    return PLX_OK;
}

bool plx__loss_is_under(const plx_model *model, plx_loss loss) {
    if (!model->count) return false;
    const plx_layer *last = &model->layers[model->count - 1];
    while (last->kind == PLX_LAYER_CHAIN && last->layers_count)
        last = &last->layers[last->layers_count - 1];
    return loss == PLX_LOSS_CROSS_ENTROPY
               ? last->kind == PLX_LAYER_SOFTMAX
               : loss == PLX_LOSS_BINARY_CROSS_ENTROPY && last->activation == PLX_SIGMOID;
}

plx_node plx__under(const plx_model *model, const plx_graph *graph, plx_loss loss,
                    plx_node output) {
    const int32_t place = plx__place_of(graph, output);
    if (place < 0 || !plx__loss_is_under(model, loss)) return output;
    const plx__node *node = graph->nodes[place];
    if (node->op != &plx__op_softmax && node->op != &plx__op_sigmoid) return output;
    return plx__handle(graph, node->inputs[0]);
}

/* Checks the weights of samples. */
static plx_status check_weights(const plx_model *model, const char *who, plx_loss loss,
                                const plx_dataset *data) {
    const values v = {who, "the weights of samples", data->n, 1, 0};
    if (!data->weights) return PLX_OK;
    if (loss == PLX_LOSS_OWN)
        return plx__fail(&model->ctx->message, PLX_ERR_ARGUMENT,
                         "%s: the model's own loss takes no weights of samples", who);
    PLX_TRY(check_reals(model->ctx, &v, data->weights));
    return check_range(model->ctx, &v, data->weights, 1e30, "from 0 to 1e30");
}

plx_status plx__check_dataset(const plx_model *model, const char *who, plx_loss loss,
                              const plx_dataset *data) {
    plx__message *message = &model->ctx->message;
    PLX_TRY(plx__check_loss(model, who, loss));
    PLX_TRY(plx__need(message, who, "the data", data));
    if (data->n < 1)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: the data has %lld samples; at least 1 is needed", who,
                         (long long)data->n);
    PLX_TRY(plx__check_inputs(model, who, data, true));
    PLX_TRY(check_weights(model, who, loss, data));
    if (loss == PLX_LOSS_OWN) return PLX_OK;
    for (int i = 0; i < model->outputs_count; ++i) PLX_TRY(check_target(model, who, loss, data, i));
    return PLX_OK;
}

int64_t plx__counted_labels(const plx_model *model, const plx_dataset *data, int i, int64_t row) {
    const int64_t size = plx__target_size(model, PLX_LOSS_CROSS_ENTROPY, i);
    const int32_t *labels = plx__dataset_target(model, PLX_LOSS_CROSS_ENTROPY, data, i, row);
    int64_t counted = 0;
    for (int64_t j = 0; j < size; ++j) counted += labels[j] != PLX_IGNORED_LABEL;
    return counted;
}
