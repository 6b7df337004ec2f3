/* Prediction: plans for the latest batch sizes. */
#include "nn/model.h"

#include "ops/op.h"
#include "plan/shared.h"

#include <string.h>

static plx_status make_predictor(plx_model *model, int64_t batch, plx_loss loss,
                                 plx__predictor *predictor) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(model->ctx, &graph));
    plx__predictor made = {.batch = batch, .under = plx__loss_is_under(model, loss)};
    plx_plan_options options = plx_plan_default();
    options.constant_parameters = true;
    plx__model_input_nodes(model, graph, batch, made.inputs);
    plx_status status = plx_model_forward(model, graph, made.inputs, false, made.outputs);
    for (int i = 0; status == PLX_OK && i < model->outputs_count; ++i)
        made.outputs[i] = plx__under(model, graph, loss, made.outputs[i]);
    if (status == PLX_OK)
        status = plx_compile(graph, model->outputs_count, made.outputs, &options, &made.plan);
    plx_graph_free(graph);
    if (status != PLX_OK) return status;
    plx_plan_free(predictor->plan);
    *predictor = made;
    return PLX_OK;
}

/* Finds or makes the plan for this batch size, which replaces the oldest one. */
static plx_status find_predictor(plx_model *model, int64_t batch, plx_loss loss,
                                 plx__predictor **out) {
    const bool under = plx__loss_is_under(model, loss);
    for (int i = 0; i < PLX__PREDICTORS; ++i) {
        *out = &model->predictors[i];
        if ((*out)->plan && (*out)->batch == batch && (*out)->under == under) return PLX_OK;
    }
    const plx__predictor oldest = model->predictors[PLX__PREDICTORS - 1];
    memmove(model->predictors + 1, model->predictors,
            (PLX__PREDICTORS - 1) * sizeof *model->predictors);
    model->predictors[0] = oldest;
    *out = &model->predictors[0];
    return make_predictor(model, batch, loss, *out);
}

/* Number of rows whose activations fit a second-level cache. */
static int64_t comfortable_batch(const plx_model *model) {
    enum { CACHED_VALUES = 1 << 17, LEAST = 32, MOST = 1024 };
    int64_t widest = plx__port_size(&model->inputs[0]);
    for (int i = 0; i < plx_model_layers(model); ++i) {
        const plx_layer_info info = plx_model_layer(model, i);
        const int64_t size = plx__product(info.rank, info.dims);
        if (size > widest) widest = size;
    }
    const int64_t rows = CACHED_VALUES / widest;
    return rows < LEAST ? LEAST : rows > MOST ? MOST : rows;
}

static plx_status predict_rows(plx_model *model, const plx_dataset *data, plx_loss loss,
                               int64_t first, int64_t rows, plx_real *const *outputs) {
    plx__predictor *predictor;
    PLX_TRY(find_predictor(model, rows, loss, &predictor));
    for (int i = 0; i < model->inputs_count; ++i) {
        const plx_port *port = &model->inputs[i];
        int64_t strides[PLX_MAX_RANK];
        int64_t stride = 1;
        for (int axis = port->rank; axis > 0; --axis) {
            strides[axis] = stride;
            stride *= port->dims[axis - 1];
        }
        strides[0] = data->input_strides[i] ? data->input_strides[i] : stride;
        PLX_TRY(plx_plan_bind_strided(predictor->plan, predictor->inputs[i],
                                      plx__dataset_input(model, data, i, first), strides));
    }
    PLX_TRY(plx_plan_run(predictor->plan));
    for (int i = 0; i < model->outputs_count; ++i) {
        const int64_t size = plx__port_size(&model->outputs[i]);
        if (outputs[i])
            memcpy(outputs[i] + first * size,
                   plx_plan_output(predictor->plan, predictor->outputs[i]),
                   (size_t)(rows * size) * sizeof(plx_real));
    }
    return PLX_OK;
}

plx_status plx__predict(plx_model *model, plx_loss loss, const plx_dataset *data, int64_t batch,
                        plx_real *const *outputs) {
    plx__message *message = &model->ctx->message;
    PLX_TRY(plx__need(message, "predict", "the data", data));
    PLX_TRY(plx__need(message, "predict", "outputs", outputs));
    if (data->n < 0 || batch < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT, "predict: %s is %lld; it must be 0 or more",
                         batch < 0 ? "batch" : "n", (long long)(batch < 0 ? batch : data->n));
    if (!model->outputs_count)
        return plx__fail(message, PLX_ERR_STATE, "predict: the model has no layers");
    if (data->n) PLX_TRY(plx__check_inputs(model, "predict", data, false));
    const int64_t most = batch ? batch : comfortable_batch(model);
    for (int64_t done = 0; done < data->n;) {
        const int64_t rows = data->n - done < most ? data->n - done : most;
        PLX_TRY(predict_rows(model, data, loss, done, rows, outputs));
        done += rows;
    }
    return PLX_OK;
}

plx_status plx_model_predict(plx_model *model, const plx_dataset *data, int64_t batch,
                             plx_real *const *outputs) {
    return plx__predict(model, PLX_LOSS_OWN, data, batch, outputs);
}

plx_memory plx_model_predict_memory(const plx_model *model) {
    plx_memory sum = {0};
    const plx_plan *plans[PLX__PREDICTORS];
    int count = 0;
    for (int i = 0; i < PLX__PREDICTORS; ++i) {
        const plx_plan *plan = model->predictors[i].plan;
        if (!plan) continue;
        const plx_memory one = plx_plan_memory(plan);
        sum.parameters = one.parameters; /* shared by all plans */
        sum.activations += one.activations;
        sum.workspace += one.workspace;
        sum.inputs += one.inputs;
        sum.packed += plx__packed_bytes(plan, count, plans);
        sum.folded += plx__folded_bytes(plan, count, plans);
        plans[count++] = plan;
    }
    return sum;
}
