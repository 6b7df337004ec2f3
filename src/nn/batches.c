/* The batches of an epoch. */
#include "nn/trainer.h"

#include "base/platform.h"

#include <string.h>

static size_t target_bytes(const plx__batches *b, int i) {
    const bool labels = b->loss == PLX_LOSS_CROSS_ENTROPY;
    return (size_t)plx__target_size(b->model, b->loss, i) *
           (labels ? sizeof(int32_t) : sizeof(plx_real));
}

static size_t input_bytes(const plx__batches *b, int i) {
    const plx_port *port = &b->model->inputs[i];
    return (size_t)plx__port_size(port) * plx__element_bytes(port->dtype);
}

static int targets_of(const plx__batches *b) {
    return b->loss == PLX_LOSS_OWN ? 0 : b->model->outputs_count;
}

/* Whether batches have to be gathered, or can be used in place in the data. */
static bool gathers(const plx_trainer_options *options, const plx_dataset *data) {
    bool strided = options->shuffle;
    for (int i = 0; i < PLX_PORTS; ++i)
        strided = strided || data->input_strides[i] || data->target_strides[i];
    return strided;
}

static plx_status make_room(plx__batches *b) {
    const size_t batch = (size_t)b->batch;
    bool ok = true;
    b->order = plx_platform_alloc((size_t)b->data.n * sizeof *b->order);
    for (int i = 0; i < b->model->inputs_count; ++i) {
        b->inputs[i] = plx_platform_alloc(batch * input_bytes(b, i));
        ok = ok && b->inputs[i];
    }
    for (int i = 0; i < targets_of(b); ++i) {
        b->targets[i] = plx_platform_alloc(batch * target_bytes(b, i));
        ok = ok && b->targets[i];
    }
    if (b->data.weights) {
        b->weights = plx_platform_alloc(batch * sizeof *b->weights);
        ok = ok && b->weights;
    }
    if (!ok || !b->order)
        return plx__fail(&b->model->ctx->message, PLX_ERR_MEMORY,
                         "fit: no memory for batches of %lld", (long long)b->batch);
    for (int64_t i = 0; i < b->data.n; ++i) b->order[i] = i;
    return PLX_OK;
}

static bool ignores_labels(const plx_model *model, const plx_dataset *data) {
    for (int i = 0; i < model->outputs_count; ++i) {
        const int64_t size = plx__target_size(model, PLX_LOSS_CROSS_ENTROPY, i);
        for (int64_t row = 0; row < data->n; ++row)
            if (plx__counted_labels(model, data, i, row) < size) return true;
    }
    return false;
}

plx_status plx__batches_open(plx__batches *b, const plx_model *model,
                             const plx_trainer_options *options, const plx_dataset *data) {
    *b = (plx__batches){
        .ignores = options->loss == PLX_LOSS_CROSS_ENTROPY && ignores_labels(model, data),
        .model = model,
        .loss = options->loss,
        .data = *data,
        .batch = options->batch,
        .rng = plx_rng_new(options->seed, 0x5eed),
    };
    return gathers(options, data) ? make_room(b) : PLX_OK;
}

void plx__batches_close(plx__batches *b) {
    plx_platform_free(b->order);
    plx_platform_free(b->weights);
    for (int i = 0; i < PLX_PORTS; ++i) {
        plx_platform_free(b->inputs[i]);
        plx_platform_free(b->targets[i]);
    }
}

void plx__batches_shuffle(plx__batches *b, uint64_t *position) {
    b->rng.next = *position;
    plx_rng_permute(&b->rng, b->data.n, b->order);
    *position = b->rng.next;
}

int64_t plx__batches_counted(const plx__batches *b, int output, int64_t first, int64_t end) {
    if (!b->ignores) return end - first;
    int64_t counted = 0;
    for (int64_t i = first; i < end; ++i)
        counted += plx__counted_labels(b->model, &b->data, output, b->order ? b->order[i] : i);
    return counted;
}

static const void *input_batch(const plx__batches *b, int i, int64_t first, int64_t rows) {
    if (!b->order) return plx__dataset_input(b->model, &b->data, i, first);
    const size_t bytes = input_bytes(b, i);
    for (int64_t r = 0; r < rows; ++r)
        memcpy((char *)b->inputs[i] + (size_t)r * bytes,
               plx__dataset_input(b->model, &b->data, i, b->order[first + r]), bytes);
    return b->inputs[i];
}

static const void *target_batch(const plx__batches *b, int i, int64_t first, int64_t rows) {
    if (!b->order) return plx__dataset_target(b->model, b->loss, &b->data, i, first);
    const size_t bytes = target_bytes(b, i);
    for (int64_t r = 0; r < rows; ++r)
        memcpy((char *)b->targets[i] + (size_t)r * bytes,
               plx__dataset_target(b->model, b->loss, &b->data, i, b->order[first + r]), bytes);
    return b->targets[i];
}

static const plx_real *weight_batch(const plx__batches *b, int64_t first, int64_t rows) {
    if (!b->order) return b->data.weights + first;
    for (int64_t r = 0; r < rows; ++r) b->weights[r] = b->data.weights[b->order[first + r]];
    return b->weights;
}

const void *plx__batches_targets(const plx__batches *b, int64_t first) {
    return b->order ? b->targets[0] : plx__dataset_target(b->model, b->loss, &b->data, 0, first);
}

plx_status plx__batches_bind(plx__batches *b, const plx__stepper *s, int64_t first) {
    if (s->weights.id >= 0)
        PLX_TRY(plx_plan_bind(s->plan, s->weights, weight_batch(b, first, s->rows)));
    for (int i = 0; i < b->model->inputs_count; ++i)
        PLX_TRY(plx_plan_bind(s->plan, s->inputs[i], input_batch(b, i, first, s->rows)));
    for (int i = 0; i < targets_of(b); ++i)
        PLX_TRY(plx_plan_bind(s->plan, s->targets[i], target_batch(b, i, first, s->rows)));
    return PLX_OK;
}
