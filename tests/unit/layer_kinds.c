/* Layers of every kind: shapes, weights, initialisation, gradients and refusals. */
#include "check.h"

#include <math.h>
#include <string.h>

enum { BATCH = 3, MOST = 4096 };

/* A layer on samples [dims], the shape of its output, and its number of trainable values. */
typedef struct sample {
    plx_layer layer;
    int rank, out_rank;
    int64_t dims[4], out[4], parameters;
    bool ids;
} sample;

static const plx_layer conv_branch[] = {
    {.kind = PLX_LAYER_CONV2D, .units = 5, .size = {3, 3}, .stride = {2, 2}, .same = true},
    {.kind = PLX_LAYER_ACTIVATION, .activation = PLX_TANH},
};
static const plx_layer dense_branch[] = {{.kind = PLX_LAYER_DENSE, .units = 4},
                                         {.kind = PLX_LAYER_DENSE, .units = 6}};

static const plx_layer chain_branch[] = {
    {.kind = PLX_LAYER_CHAIN, .layers = dense_branch, .layers_count = 2},
    {.kind = PLX_LAYER_CHAIN},
    {.kind = PLX_LAYER_DENSE, .units = 6, .no_bias = true, .activation = PLX_TANH},
};

static const plx_layer recurrent_branch[] = {
    {.kind = PLX_LAYER_GRU, .units = 5, .sequences = true, .reset_before = true}};
static const plx_layer summed_branch[] = {{.kind = PLX_LAYER_LSTM, .units = 5, .no_bias = true}};

enum {
    GROUPED_QUERIES = PLX_LAYERS_,
    PROJECTED,
    GROUPED,
    UPSAMPLED,
    MODERN,
    CAUSAL,
    SUMMED,
    SAMPLES
};

/* One line for each kind, followed by variants. Activations are smooth: a finite difference
 * would see both sides of a kink. */
static const sample samples[SAMPLES] = {
    [PLX_LAYER_DENSE] = {{.kind = PLX_LAYER_DENSE, .units = 5, .activation = PLX_TANH},
                         .rank = 1,
                         .dims = {4},
                         .out_rank = 1,
                         .out = {5},
                         .parameters = 4 * 5 + 5},
    [PLX_LAYER_ACTIVATION] = {{.kind = PLX_LAYER_ACTIVATION, .activation = PLX_ELU},
                              .rank = 2,
                              .dims = {2, 3},
                              .out_rank = 2,
                              .out = {2, 3}},
    [PLX_LAYER_SOFTMAX] =
        {{.kind = PLX_LAYER_SOFTMAX}, .rank = 2, .dims = {2, 3}, .out_rank = 2, .out = {2, 3}},
    [PLX_LAYER_DROPOUT] = {{.kind = PLX_LAYER_DROPOUT, .rate = 0.5},
                           .rank = 1,
                           .dims = {4},
                           .out_rank = 1,
                           .out = {4}},
    [PLX_LAYER_FLATTEN] =
        {{.kind = PLX_LAYER_FLATTEN}, .rank = 3, .dims = {2, 3, 4}, .out_rank = 1, .out = {24}},
    [PLX_LAYER_RESHAPE] = {{.kind = PLX_LAYER_RESHAPE, .rank = 2, .dims = {-1, 3}},
                           .rank = 1,
                           .dims = {12},
                           .out_rank = 2,
                           .out = {4, 3}},
    [PLX_LAYER_CONV2D] = {{.kind = PLX_LAYER_CONV2D,
                           .units = 4,
                           .size = {3, 2},
                           .same = true,
                           .stride = {2, 1},
                           .activation = PLX_GELU},
                          .rank = 3,
                          .dims = {5, 4, 2},
                          .out_rank = 3,
                          .out = {3, 4, 4},
                          .parameters = 3 * 2 * 2 * 4 + 4},
    [PLX_LAYER_CONV2D_TRANSPOSE] = {{.kind = PLX_LAYER_CONV2D_TRANSPOSE,
                                     .units = 3,
                                     .size = {3, 3},
                                     .stride = {2, 2},
                                     .same = true},
                                    .rank = 3,
                                    .dims = {3, 4, 2},
                                    .out_rank = 3,
                                    .out = {6, 8, 3},
                                    .parameters = 3 * 3 * 3 * 2 + 3},
    [PLX_LAYER_MAX_POOL2D] = {{.kind = PLX_LAYER_MAX_POOL2D, .same = true},
                              .rank = 3,
                              .dims = {5, 4, 2},
                              .out_rank = 3,
                              .out = {3, 2, 2}},
    [PLX_LAYER_AVG_POOL2D] = {{.kind = PLX_LAYER_AVG_POOL2D, .size = {3, 2}},
                              .rank = 3,
                              .dims = {6, 5, 2},
                              .out_rank = 3,
                              .out = {2, 2, 2}},
    [PLX_LAYER_GLOBAL_MAX_POOL2D] = {{.kind = PLX_LAYER_GLOBAL_MAX_POOL2D},
                                     .rank = 3,
                                     .dims = {4, 3, 5},
                                     .out_rank = 1,
                                     .out = {5}},
    [PLX_LAYER_GLOBAL_AVG_POOL2D] = {{.kind = PLX_LAYER_GLOBAL_AVG_POOL2D},
                                     .rank = 3,
                                     .dims = {4, 3, 5},
                                     .out_rank = 1,
                                     .out = {5}},
    [PLX_LAYER_GLOBAL_AVG_POOL1D] = {{.kind = PLX_LAYER_GLOBAL_AVG_POOL1D},
                                     .rank = 2,
                                     .dims = {7, 5},
                                     .out_rank = 1,
                                     .out = {5}},
    [PLX_LAYER_CONV1D] = {{.kind = PLX_LAYER_CONV1D,
                           .units = 4,
                           .size = {3, 3},
                           .stride = {2, 2},
                           .same = true,
                           .activation = PLX_GELU},
                          .rank = 2,
                          .dims = {7, 3},
                          .out_rank = 2,
                          .out = {4, 4},
                          .parameters = 3 * 3 * 4 + 4},
    [PLX_LAYER_MAX_POOL1D] = {{.kind = PLX_LAYER_MAX_POOL1D, .same = true},
                              .rank = 2,
                              .dims = {7, 3},
                              .out_rank = 2,
                              .out = {4, 3}},
    [PLX_LAYER_AVG_POOL1D] = {{.kind = PLX_LAYER_AVG_POOL1D, .size = {3, 3}},
                              .rank = 2,
                              .dims = {7, 3},
                              .out_rank = 2,
                              .out = {2, 3}},
    [PLX_LAYER_GLOBAL_MAX_POOL1D] = {{.kind = PLX_LAYER_GLOBAL_MAX_POOL1D},
                                     .rank = 2,
                                     .dims = {7, 3},
                                     .out_rank = 1,
                                     .out = {3}},
    [PLX_LAYER_LSTM] = {{.kind = PLX_LAYER_LSTM, .units = 5},
                        .rank = 2,
                        .dims = {4, 3},
                        .out_rank = 1,
                        .out = {5},
                        .parameters = 4 * (3 * 5 + 5 * 5 + 5)},
    [PLX_LAYER_GRU] = {{.kind = PLX_LAYER_GRU, .units = 5, .sequences = true, .backwards = true},
                       .rank = 2,
                       .dims = {4, 3},
                       .out_rank = 2,
                       .out = {4, 5},
                       .parameters = 3 * (3 * 5 + 5 * 5 + 2 * 5)},
    [PLX_LAYER_BIDIRECTIONAL] = {{.kind = PLX_LAYER_BIDIRECTIONAL,
                                  .layers = recurrent_branch,
                                  .layers_count = 1},
                                 .rank = 2,
                                 .dims = {4, 3},
                                 .out_rank = 2,
                                 .out = {4, 10},
                                 .parameters = 2 * 3 * (3 * 5 + 5 * 5 + 5)},
    [PLX_LAYER_UPSAMPLE2D] = {{.kind = PLX_LAYER_UPSAMPLE2D, .size = {2, 3}},
                              .rank = 3,
                              .dims = {3, 2, 2},
                              .out_rank = 3,
                              .out = {6, 6, 2}},
    [PLX_LAYER_LAYER_NORM] = {{.kind = PLX_LAYER_LAYER_NORM},
                              .rank = 2,
                              .dims = {3, 6},
                              .out_rank = 2,
                              .out = {3, 6},
                              .parameters = 12},
    [PLX_LAYER_RMS_NORM] = {{.kind = PLX_LAYER_RMS_NORM},
                            .rank = 2,
                            .dims = {3, 6},
                            .out_rank = 2,
                            .out = {3, 6},
                            .parameters = 6},
    [PLX_LAYER_GROUP_NORM] = {{.kind = PLX_LAYER_GROUP_NORM, .groups = 3},
                              .rank = 3,
                              .dims = {2, 3, 6},
                              .out_rank = 3,
                              .out = {2, 3, 6},
                              .parameters = 12},
    [PLX_LAYER_BATCH_NORM] = {{.kind = PLX_LAYER_BATCH_NORM},
                              .rank = 3,
                              .dims = {2, 3, 4},
                              .out_rank = 3,
                              .out = {2, 3, 4},
                              .parameters = 8},
    [PLX_LAYER_EMBEDDING] = {{.kind = PLX_LAYER_EMBEDDING, .vocabulary = 7, .units = 4},
                             .rank = 1,
                             .dims = {5},
                             .out_rank = 2,
                             .out = {5, 4},
                             .parameters = 28,
                             .ids = true},
    [PLX_LAYER_POSITIONS] = {{.kind = PLX_LAYER_POSITIONS},
                             .rank = 2,
                             .dims = {5, 4},
                             .out_rank = 2,
                             .out = {5, 4},
                             .parameters = 20},
    [PLX_LAYER_ATTENTION] = {{.kind = PLX_LAYER_ATTENTION, .heads = 2, .causal = true},
                             .rank = 2,
                             .dims = {5, 8},
                             .out_rank = 2,
                             .out = {5, 8},
                             .parameters = 4 * (64 + 8)},
    [PLX_LAYER_ENCODER_BLOCK] = {{.kind = PLX_LAYER_ENCODER_BLOCK, .heads = 2, .post_norm = true},
                                 .rank = 2,
                                 .dims = {5, 8},
                                 .out_rank = 2,
                                 .out = {5, 8},
                                 .parameters = 4 * 72 + 8 * 32 + 32 + 32 * 8 + 8 + 4 * 8},
    [PLX_LAYER_DECODER_BLOCK] = {{.kind = PLX_LAYER_DECODER_BLOCK,
                                  .heads = 2,
                                  .units = 10,
                                  .no_bias = true,
                                  .activation = PLX_SILU},
                                 .rank = 2,
                                 .dims = {5, 8},
                                 .out_rank = 2,
                                 .out = {5, 8},
                                 .parameters = 4 * 64 + 2 * 80 + 4 * 8},
    [PLX_LAYER_RESIDUAL] = {{.kind = PLX_LAYER_RESIDUAL, .layers = dense_branch, .layers_count = 2},
                            .rank = 1,
                            .dims = {6},
                            .out_rank = 1,
                            .out = {6},
                            .parameters = 6 * 4 + 4 + 4 * 6 + 6},
    [PLX_LAYER_CHAIN] = {{.kind = PLX_LAYER_CHAIN, .layers = conv_branch, .layers_count = 2},
                         .rank = 3,
                         .dims = {5, 4, 2},
                         .out_rank = 3,
                         .out = {3, 2, 5},
                         .parameters = 9 * 2 * 5 + 5},
    [PLX_LAYER_ADD] = {{.kind = PLX_LAYER_ADD, .layers = chain_branch, .layers_count = 3},
                       .rank = 1,
                       .dims = {6},
                       .out_rank = 1,
                       .out = {6},
                       .parameters = 6 * 4 + 4 + 4 * 6 + 6 + 36},
    [PLX_LAYER_CONCATENATE] = {{.kind = PLX_LAYER_CONCATENATE,
                                .layers = chain_branch,
                                .layers_count = 3},
                               .rank = 2,
                               .dims = {2, 6},
                               .out_rank = 2,
                               .out = {2, 18},
                               .parameters = 6 * 4 + 4 + 4 * 6 + 6 + 36},
    /* Groups of queries that share keys and values. */
    [GROUPED_QUERIES] = {{.kind = PLX_LAYER_ATTENTION, .heads = 4, .kv_heads = 2, .no_bias = true},
                         .rank = 2,
                         .dims = {3, 8},
                         .out_rank = 2,
                         .out = {3, 8},
                         .parameters = 2 * 64 + 2 * 8 * 4},
    [PROJECTED] =
        {{.kind = PLX_LAYER_RESIDUAL, .layers = conv_branch, .layers_count = 2, .project = true},
         .rank = 3,
         .dims = {5, 4, 2},
         .out_rank = 3,
         .out = {3, 2, 5},
         .parameters = 9 * 2 * 5 + 5 + 2 * 5},
    [GROUPED] = {{.kind = PLX_LAYER_CONV2D,
                  .units = 4,
                  .size = {3, 3},
                  .groups = 2,
                  .dilation = {2, 1},
                  .no_bias = true},
                 .rank = 3,
                 .dims = {5, 4, 2},
                 .out_rank = 3,
                 .out = {1, 2, 4},
                 .parameters = 9 * 4},
    [UPSAMPLED] = {{.kind = PLX_LAYER_UPSAMPLE2D, .bilinear = true},
                   .rank = 3,
                   .dims = {3, 2, 2},
                   .out_rank = 3,
                   .out = {6, 4, 2}},
    [CAUSAL] = {{.kind = PLX_LAYER_CONV1D,
                 .units = 4,
                 .size = {3, 3},
                 .dilation = {2, 2},
                 .groups = 2,
                 .causal = true,
                 .no_bias = true},
                .rank = 2,
                .dims = {7, 2},
                .out_rank = 2,
                .out = {7, 4},
                .parameters = 3 * 4},
    [SUMMED] =
        {{.kind = PLX_LAYER_BIDIRECTIONAL, .layers = summed_branch, .layers_count = 1, .sum = true},
         .rank = 2,
         .dims = {4, 3},
         .out_rank = 1,
         .out = {5},
         .parameters = 2 * 4 * (3 * 5 + 5 * 5)},
    [MODERN] = {{.kind = PLX_LAYER_DECODER_BLOCK,
                 .heads = 4,
                 .kv_heads = 2,
                 .units = 6,
                 .no_bias = true,
                 .rms_norm = true,
                 .gated = true,
                 .rope_base = 10000},
                .rank = 2,
                .dims = {5, 8},
                .out_rank = 2,
                .out = {5, 8},
                .parameters = 2 * 64 + 2 * 8 * 4 + 3 * 8 * 6 + 2 * 8},
};

static plx_model *model_of(plx_check *t, plx_ctx *ctx, const sample *s) {
    plx_model *model = NULL;
    plx_status status =
        s->ids ? plx_model_new_ids(ctx, s->rank, s->dims, s->layer.vocabulary, 1, &model)
               : plx_model_new(ctx, s->rank, s->dims, 1, &model);
    if (status == PLX_OK) status = plx_model_add(model, &s->layer);
    CHECK(t, status == PLX_OK, "%s: %s", plx_layer_name(s->layer.kind), plx_message(ctx));
    return model;
}

static plx_real *values_of(plx_tensor *tensor) {
    return plx_tensor_data(tensor);
}

static void describes(plx_check *t, plx_ctx *ctx, const sample *s) {
    plx_model *model = model_of(t, ctx, s);
    const plx_layer_info info = plx_model_layer(model, 0);
    const plx_port port = plx_model_output(model, 0);
    CHECK(t, plx_model_layers(model) == 1 && !strcmp(info.kind, plx_layer_name(s->layer.kind)),
          "%d layers, %s", plx_model_layers(model), info.kind);
    CHECK(t, info.parameters == s->parameters, "%s has %lld parameters, not %lld", info.kind,
          (long long)info.parameters, (long long)s->parameters);
    bool same = info.rank == s->out_rank && port.rank == s->out_rank;
    for (int i = 0; i < s->out_rank && same; ++i)
        same = info.dims[i] == s->out[i] && port.dims[i] == s->out[i];
    CHECK(t, same, "%s: rank %d, [%lld, %lld, %lld]", info.kind, info.rank, (long long)info.dims[0],
          (long long)info.dims[1], (long long)info.dims[2]);
    plx_model_free(model);
}

/* ---- Padding --------------------------------------------------------------------------------- */

/* Embedding, a layer in which positions see each other and mean over the positions of sequences of
 * this length. */
static plx_model *reader_of(plx_check *t, plx_ctx *ctx, const plx_layer *layer, int64_t length,
                            bool masks) {
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_EMBEDDING, .vocabulary = 5, .units = 4, .mask_zero = masks},
        *layer,
        {.kind = PLX_LAYER_GLOBAL_AVG_POOL1D},
    };
    plx_model *model = NULL;
    plx_status status = plx_model_new_ids(ctx, 1, &length, 5, 1, &model);
    for (int i = 0; i < 3 && status == PLX_OK; ++i) status = plx_model_add(model, &layers[i]);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    return model;
}

/* Padding changes nothing: 4 values of sums of 3 and 5 terms below 4. */
static void masks_padding(plx_check *t, plx_ctx *ctx, const plx_layer *layer) {
    const int32_t ids[] = {3, 1, 4, 0, 0};
    plx_real found[2][4] = {{0}};
    for (int padded = 0; padded < 2; ++padded) {
        plx_model *model = reader_of(t, ctx, layer, padded ? 5 : 3, padded);
        const plx_dataset data = {.n = 1, .inputs = {ids}};
        plx_real *outputs[PLX_PORTS] = {found[padded]};
        CHECK(t, plx_model_predict(model, &data, 0, outputs) == PLX_OK, "%s", plx_message(ctx));
        plx_model_free(model);
    }
    for (int i = 0; i < 4; ++i)
        CHECK(t, fabs((double)(found[0][i] - found[1][i])) < 1e-5, "%s: value %d is %g, not %g",
              plx_layer_name(layer->kind), i, (double)found[1][i], (double)found[0][i]);
}

static const plx_layer readers[] = {
    {.kind = PLX_LAYER_ENCODER_BLOCK, .heads = 2},
    {.kind = PLX_LAYER_LSTM, .units = 4, .sequences = true},
    {.kind = PLX_LAYER_BIDIRECTIONAL,
     .layers = &(const plx_layer){.kind = PLX_LAYER_GRU, .units = 4, .sequences = true},
     .layers_count = 1,
     .sum = true},
};

/* ---- Gradients ------------------------------------------------------------------------------- */

/* The loss of a layer between noise inputs and noise targets, its gradients, and all that is
 * needed to run it again. */
typedef struct learner {
    plx_plan *plan;
    plx_node loss, grads[32];
} learner;

static plx_status make_learner(plx_ctx *ctx, plx_model *model, const sample *s, const void *x,
                               const plx_real *y, learner *l) {
    plx_graph *graph = NULL;
    plx_status status = plx_graph_new(ctx, &graph);
    if (status != PLX_OK) return status;
    int64_t in[5] = {BATCH}, out[5] = {BATCH};
    memcpy(in + 1, s->dims, sizeof s->dims);
    memcpy(out + 1, s->out, sizeof s->out);
    const plx_node input =
        plx_input(graph, "x", s->ids ? PLX_DTYPE_I32 : PLX_DTYPE_REAL, s->rank + 1, in);
    const plx_node target = plx_input(graph, "y", PLX_DTYPE_REAL, s->out_rank + 1, out);
    plx_node output, wrt[32], results[33];
    status = plx_model_forward(model, graph, &input, false, &output);
    results[0] = l->loss = plx_mse(graph, output, target);
    plx_weights *weights = plx_model_weights(model);
    const int count = plx_weights_count(weights);
    int trained = 0;
    for (int i = 0; i < count; ++i) {
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(weights, i, NULL, &role);
        if (role != PLX_WEIGHT_STATE) wrt[trained++] = plx_parameter(graph, NULL, tensor);
    }
    if (status == PLX_OK) status = plx_gradients(graph, l->loss, trained, wrt, l->grads);
    memcpy(results + 1, l->grads, (size_t)trained * sizeof *results);
    if (status == PLX_OK) status = plx_compile(graph, trained + 1, results, NULL, &l->plan);
    if (status == PLX_OK) status = plx_plan_bind(l->plan, input, x);
    if (status == PLX_OK) status = plx_plan_bind(l->plan, target, y);
    plx_graph_free(graph);
    return status;
}

static double loss_of(learner *l) {
    plx_plan_run(l->plan);
    return (double)*plx_plan_output(l->plan, l->loss);
}

/* Checks the middle value of every trainable weight. With h = 1e-5 the difference is off by h^2
 * f'''/6 (derivatives of these losses are below 1e3: 2e-8) and by 2 eps |loss| / h (1e-10). */
static void differentiates(plx_check *t, plx_ctx *ctx, const sample *s) {
    static plx_real x[MOST], y[MOST];
    static int32_t ids[MOST];
    if (sizeof(plx_real) != sizeof(double) || !s->parameters) return;
    plx_rng rng = plx_rng_new(7, 1);
    for (int i = 0; i < MOST; ++i) {
        x[i] = (plx_real)plx_rng_normal(&rng);
        y[i] = (plx_real)plx_rng_normal(&rng);
        ids[i] = i % 7;
    }
    plx_model *model = model_of(t, ctx, s);
    learner l = {0};
    const void *data = s->ids ? (const void *)ids : x;
    const plx_status status = make_learner(ctx, model, s, data, y, &l);
    if (!CHECK(t, status == PLX_OK, "%s: %s", plx_layer_name(s->layer.kind), plx_message(ctx))) {
        plx_model_free(model);
        return;
    }
    int trained = 0;
    for (int i = 0; i < plx_weights_count(plx_model_weights(model)); ++i) {
        const char *name;
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(plx_model_weights(model), i, &name, &role);
        if (role == PLX_WEIGHT_STATE) continue;
        plx_real *value = values_of(tensor) + plx_tensor_size(tensor) / 2;
        const double h = 1e-5;
        const plx_real kept = *value;
        loss_of(&l);
        const double gradient =
            (double)plx_plan_output(l.plan, l.grads[trained++])[plx_tensor_size(tensor) / 2];
        *value = (plx_real)((double)kept + h);
        const double above = loss_of(&l);
        *value = (plx_real)((double)kept - h);
        const double below = loss_of(&l);
        *value = kept;
        const double difference = (above - below) / (2 * h);
        CHECK(t, fabs(difference - gradient) < 1e-7, "%s: gradient %g, difference %g", name,
              gradient, difference);
    }
    plx_plan_free(l.plan);
    plx_model_free(model);
}

/* ---- Initialisation -------------------------------------------------------------------------- */

/* For n values: the mean is within 5 of its standard deviations, sqrt(variance / n), and so is
 * the variance, whose own is variance sqrt((kurtosis - 1) / n) with a kurtosis of at most 3. */
static void begins(plx_check *t, const plx_weights *weights, const char *name, double variance) {
    plx_tensor *tensor = plx_weights_find(weights, name);
    if (!CHECK(t, tensor != NULL, "no weight %s", name)) return;
    const int64_t n = plx_tensor_size(tensor);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double value = (double)values_of(tensor)[i];
        sum += value;
        squares += value * value;
    }
    const double mean = sum / (double)n, found = squares / (double)n;
    CHECK(t, fabs(mean) <= 5 * sqrt(variance / (double)n), "%s: mean %g", name, mean);
    CHECK(t, fabs(found - variance) <= 5 * variance * sqrt(2 / (double)n),
          "%s: variance %g, not %g", name, found, variance);
}

static void all_are(plx_check *t, const plx_weights *weights, const char *name, double value) {
    plx_tensor *tensor = plx_weights_find(weights, name);
    if (!CHECK(t, tensor != NULL, "no weight %s", name)) return;
    bool same = true;
    for (int64_t i = 0; i < plx_tensor_size(tensor); ++i)
        same = same && (double)values_of(tensor)[i] == value;
    CHECK(t, same, "%s is not all %g", name, value);
}

static void add(plx_check *t, plx_ctx *ctx, plx_model *model, plx_layer layer) {
    const plx_status status = plx_model_add(model, &layer);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
}

static void begins_as_papers_say(plx_check *t, plx_ctx *ctx) {
    const int64_t image[] = {8, 8, 16};
    plx_model *model = NULL;
    plx_model_new(ctx, 3, image, 3, &model);
    add(t, ctx, model,
        (plx_layer){.kind = PLX_LAYER_CONV2D,
                    .units = 24,
                    .size = {3, 3},
                    .same = true,
                    .activation = PLX_RELU});
    add(t, ctx, model,
        (plx_layer){.kind = PLX_LAYER_CONV2D, .units = 48, .size = {3, 3}, .same = true});
    add(t, ctx, model,
        (plx_layer){.kind = PLX_LAYER_CONV2D_TRANSPOSE,
                    .units = 32,
                    .size = {4, 4},
                    .stride = {2, 2},
                    .same = true,
                    .activation = PLX_RELU});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_BATCH_NORM});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_GLOBAL_AVG_POOL2D});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_DENSE, .units = 100, .activation = PLX_SELU});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_DENSE, .units = 60});
    const plx_weights *w = plx_model_weights(model);
    begins(t, w, "conv2d_1.weight", 2.0 / (9 * 16));           /* He: 2 / fan in */
    begins(t, w, "conv2d_2.weight", 2.0 / (9 * (24 + 48)));    /* Glorot: 2 / (in + out) */
    begins(t, w, "conv2d_transpose_1.weight", 2.0 / (4 * 48)); /* 16 taps, a stride of 2 by 2 */
    begins(t, w, "dense_1.weight", 1.0 / 32);                  /* LeCun */
    begins(t, w, "dense_2.weight", 2.0 / (100 + 60));
    all_are(t, w, "conv2d_1.bias", 0);
    all_are(t, w, "conv2d_transpose_1.bias", 0);
    all_are(t, w, "dense_2.bias", 0);
    all_are(t, w, "batch_norm_1.scale", 1);
    all_are(t, w, "batch_norm_1.shift", 0);
    all_are(t, w, "batch_norm_1.mean", 0);
    all_are(t, w, "batch_norm_1.variance", 1);
    plx_model_free(model);
    const int64_t length = 20;
    plx_model_new_ids(ctx, 1, &length, 50, 3, &model);
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_EMBEDDING, .vocabulary = 50, .units = 32});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_POSITIONS});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_ENCODER_BLOCK, .heads = 4});
    w = plx_model_weights(model);
    begins(t, w, "embedding_1.table", 0.02 * 0.02);
    begins(t, w, "positions_1.table", 0.02 * 0.02);
    begins(t, w, "encoder_block_1.attention.query.weight", 1.0 / 32);
    begins(t, w, "encoder_block_1.mlp.up.weight", 2.0 / (32 + 128));
    all_are(t, w, "encoder_block_1.attention.query.bias", 0);
    all_are(t, w, "encoder_block_1.norm_1.scale", 1);
    plx_model_free(model);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static const plx_layer hollow[] = {{.kind = PLX_LAYER_DENSE, .units = 6},
                                   {.kind = PLX_LAYER_RESIDUAL, .layers_count = -7}};
static const plx_layer same_names[] = {{.kind = PLX_LAYER_DENSE, .units = 3, .name = "a"},
                                       {.kind = PLX_LAYER_DENSE, .units = 3, .name = "a"}};
static const plx_layer narrow[] = {{.kind = PLX_LAYER_DENSE, .units = 3}};
static const plx_layer one_wide[] = {{.kind = PLX_LAYER_DENSE, .units = 1}};
static const plx_layer unknown[] = {{.kind = PLX_LAYERS_}};

/* What cannot be added to a stack whose samples are [8, 8, 6] (images) or [6] (otherwise). */
static const struct {
    plx_layer layer;
    bool image;
    plx_status status;
    const char *sentence;
} refusals[] = {
    {{.kind = PLX_LAYER_DENSE}, false, PLX_ERR_SHAPE, "units must be from 1 to 2147483647, not 0"},
    {{.kind = PLX_LAYER_DENSE, .units = -4}, false, PLX_ERR_SHAPE, "not -4"},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .activation = (plx_activation)99},
     false,
     PLX_ERR_ARGUMENT,
     "no activation number 99; it must be 0 to "},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .name = "a.b"}, false, PLX_ERR_ARGUMENT, "without dots"},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .name = ""},
     false,
     PLX_ERR_ARGUMENT,
     "is not a valid name"},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .name = "a name of more than thirty-one characters"},
     false,
     PLX_ERR_ARGUMENT,
     "1 to 31 characters"},
    {{.kind = PLX_LAYER_ACTIVATION, .activation = PLX_ELU, .p = -1},
     false,
     PLX_ERR_ARGUMENT,
     "activation_1: parameter -1 must be above 0"},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .activation = PLX_RELU, .p = 1},
     false,
     PLX_ERR_ARGUMENT,
     "dense_2: the activation relu has no parameter, but p is 1"},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .p = 1},
     false,
     PLX_ERR_ARGUMENT,
     "dense_2: the activation linear has no parameter, but p is 1"},
    {{.kind = PLX_LAYER_ENCODER_BLOCK, .gated = true, .activation = PLX_RELU},
     false,
     PLX_ERR_ARGUMENT,
     "encoder_block_1: gated is SwiGLU, whose activation is silu; leave out the activation relu"},
    {{.kind = PLX_LAYER_ENCODER_BLOCK, .rate = -1},
     false,
     PLX_ERR_ARGUMENT,
     "encoder_block_1: rate must be 0 to below 1, not -1"},
    {{.kind = PLX_LAYER_DROPOUT, .rate = 1},
     false,
     PLX_ERR_ARGUMENT,
     "dropout_1: rate must be 0 to below 1, not 1"},
    {{.kind = PLX_LAYER_RESHAPE, .rank = 2, .dims = {4, 2}},
     false,
     PLX_ERR_SHAPE,
     "reshape_1: reshape: "},
    {{.kind = PLX_LAYER_RESHAPE}, false, PLX_ERR_SHAPE, "1 to 5 dimensions, not 0"},
    {{.kind = PLX_LAYER_CONV2D, .units = 2, .size = {3, 3}},
     false,
     PLX_ERR_SHAPE,
     "takes samples [height, width, channels], not [6]"},
    {{.kind = PLX_LAYER_CONV2D, .units = 2}, true, PLX_ERR_SHAPE, "size must be from 1"},
    {{.kind = PLX_LAYER_CONV2D, .units = 2, .size = {9, 9}}, true, PLX_ERR_SHAPE, "conv2d"},
    {{.kind = PLX_LAYER_CONV2D, .units = 2, .size = {3, 3}, .stride = {-1, 1}},
     true,
     PLX_ERR_SHAPE,
     "stride must be"},
    {{.kind = PLX_LAYER_CONV2D, .units = 8, .size = {3, 3}, .groups = 4},
     true,
     PLX_ERR_SHAPE,
     "4 groups do not divide 6 channels in and 8 channels out"},
    {{.kind = PLX_LAYER_CONV2D_TRANSPOSE, .units = 8, .size = {3, 3}, .groups = -1},
     true,
     PLX_ERR_SHAPE,
     "groups must be"},
    {{.kind = PLX_LAYER_MAX_POOL2D, .size = {9, 9}},
     true,
     PLX_ERR_SHAPE,
     "max_pool2d_1: max_pool2d: "},
    {{.kind = PLX_LAYER_GLOBAL_MAX_POOL2D}, false, PLX_ERR_SHAPE, "[height, width, channels]"},
    {{.kind = PLX_LAYER_UPSAMPLE2D, .size = {-2, 1}}, true, PLX_ERR_SHAPE, "size must be"},
    {{.kind = PLX_LAYER_GROUP_NORM, .groups = 4},
     true,
     PLX_ERR_SHAPE,
     "group_norm_1: group_norm: "},
    {{.kind = PLX_LAYER_BATCH_NORM, .momentum = 2},
     true,
     PLX_ERR_ARGUMENT,
     "batch_norm_1: momentum must be above 0 and at most 1, or 0"},
    {{.kind = PLX_LAYER_LAYER_NORM, .epsilon = -1},
     true,
     PLX_ERR_ARGUMENT,
     "epsilon must be above 0 and below 1e30, or 0"},
    {{.kind = PLX_LAYER_EMBEDDING, .units = 4, .vocabulary = 9},
     false,
     PLX_ERR_ARGUMENT,
     "takes ids"},
    {{.kind = PLX_LAYER_ATTENTION}, false, PLX_ERR_SHAPE, "takes samples [length, width], not [6]"},
    {{.kind = PLX_LAYER_RESIDUAL}, false, PLX_ERR_ARGUMENT, "at least one layer inside, not 0"},
    {{.kind = PLX_LAYER_RESIDUAL, .layers_count = -1},
     false,
     PLX_ERR_ARGUMENT,
     "residual: layers_count is -1"},
    {{.kind = PLX_LAYER_RESIDUAL, .layers_count = 3},
     false,
     PLX_ERR_ARGUMENT,
     "residual: layers_count is 3, but layers is NULL"},
    {{.kind = PLX_LAYER_RESIDUAL, .layers = hollow, .layers_count = 2},
     false,
     PLX_ERR_ARGUMENT,
     "residual: layers_count is -7"},
    {{.kind = PLX_LAYER_RESIDUAL, .layers = same_names, .layers_count = 2},
     false,
     PLX_ERR_ARGUMENT,
     "two layers are named \"a\""},
    {{.kind = PLX_LAYER_RESIDUAL, .layers = narrow, .layers_count = 1},
     false,
     PLX_ERR_SHAPE,
     "x is [6], but the layers turn it into [3]; the two are added, so keep"},
    {{.kind = PLX_LAYER_RESIDUAL, .layers = one_wide, .layers_count = 1},
     false,
     PLX_ERR_SHAPE,
     "turn it into [1]"}, /* which addition would broadcast */
    {{.kind = PLX_LAYER_RESIDUAL, .layers = unknown, .layers_count = 1},
     false,
     PLX_ERR_ARGUMENT,
     "no kind number"},
    {{.kind = PLX_LAYERS_}, false, PLX_ERR_ARGUMENT, "no kind number"},
    {{.kind = PLX_LAYER_DENSE, .units = 2, .name = "first"},
     false,
     PLX_ERR_ARGUMENT,
     "already a layer named \"first\""},
};

/* The model that refused a layer predicts as before, and accepts another layer. */
static void refuses(plx_check *t, plx_ctx *ctx) {
    static const plx_real x[8 * 8 * 6] = {1, 2, 3};
    const int64_t dims[] = {8, 8, 6};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; ++i) {
        plx_real before[8 * 8 * 6], after[8 * 8 * 6];
        plx_model *model = NULL;
        const bool image = refusals[i].image;
        plx_model_new(ctx, image ? 3 : 1, image ? dims : dims + 2, 1, &model);
        add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_DENSE, .units = 6, .name = "first"});
        const plx_dataset data = {.n = 1, .inputs = {x}};
        plx_model_predict(model, &data, 1, (plx_real *[]){before});
        const plx_status status = plx_model_add(model, &refusals[i].layer);
        CHECK(t, status == refusals[i].status && strstr(plx_message(ctx), refusals[i].sentence),
              "refusal %d: %s: \"%s\" lacks \"%s\"", (int)i, plx_status_name(status),
              plx_message(ctx), refusals[i].sentence);
        CHECK(t, plx_model_layers(model) == 1 && plx_weights_count(plx_model_weights(model)) == 2,
              "refusal %d leaves %d layers and %d weights", (int)i, plx_model_layers(model),
              plx_weights_count(plx_model_weights(model)));
        plx_model_predict(model, &data, 1, (plx_real *[]){after});
        const size_t bytes = (image ? 8 * 8 * 6 : 6) * sizeof *before;
        CHECK(t, !memcmp(before, after, bytes), "refusal %d changed the model", (int)i);
        add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_ACTIVATION, .activation = PLX_RELU});
        plx_model_free(model);
    }
}

static void refuses_what_leads_nowhere(plx_check *t, plx_ctx *ctx) {
    const int64_t length = 6;
    plx_model *model = NULL;
    plx_model_new_ids(ctx, 1, &length, 20, 1, &model);
    const plx_layer small = {.kind = PLX_LAYER_EMBEDDING, .vocabulary = 10, .units = 4};
    const plx_layer dense = {.kind = PLX_LAYER_DENSE, .units = 4};
    CHECK(t,
          plx_model_add(model, &small) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx),
                     "the vocabulary is 10; it must cover the model's ids, which are below 20"),
          "%s", plx_message(ctx));
    CHECK(t,
          plx_model_add(model, &dense) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "start with an embedding"),
          "%s", plx_message(ctx));
    CHECK(t, plx_model_layers(model) == 0, "%d layers", plx_model_layers(model));
    plx_model_free(model);
    /* Numbers of heads that do not divide the width. */
    const int64_t sequence[] = {5, 10};
    plx_model_new(ctx, 2, sequence, 1, &model);
    const plx_layer heads = {.kind = PLX_LAYER_ENCODER_BLOCK, .heads = 4};
    CHECK(t,
          plx_model_add(model, &heads) == PLX_ERR_SHAPE &&
              strstr(plx_message(ctx),
                     "encoder_block_1: attention: 4 heads do not divide the width 10"),
          "%s", plx_message(ctx));
    plx_model_free(model);
}

/* Nested layers, until names would be truncated and two weights would share one name. */
static void refuses_endless_nesting(plx_check *t, plx_ctx *ctx) {
    enum { DEPTH = 12 };
    plx_layer layers[DEPTH] = {{.kind = PLX_LAYER_DENSE, .units = 6}};
    for (int i = 1; i < DEPTH; ++i)
        layers[i] =
            (plx_layer){.kind = PLX_LAYER_RESIDUAL, .layers = &layers[i - 1], .layers_count = 1};
    const int64_t six = 6;
    plx_model *model = NULL;
    plx_model_new(ctx, 1, &six, 1, &model);
    CHECK(t, plx_model_add(model, &layers[4]) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t,
          plx_model_add(model, &layers[DEPTH - 1]) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "longer than 95 characters"),
          "%s", plx_message(ctx));
    plx_model_free(model);
}

/* "same" gives size * stride, even where the kernel is smaller than the stride. */
static void transposes_to_same(plx_check *t, plx_ctx *ctx) {
    static const int64_t image[] = {5, 5, 1};
    for (int64_t kernel = 1; kernel <= 4; ++kernel)
        for (int64_t stride = 1; stride <= 4; ++stride) {
            plx_model *model = NULL;
            plx_model_new(ctx, 3, image, 1, &model);
            add(t, ctx, model,
                (plx_layer){.kind = PLX_LAYER_CONV2D_TRANSPOSE,
                            .units = 2,
                            .size = {kernel, kernel},
                            .stride = {stride, 1},
                            .same = true});
            const plx_port out = plx_model_output(model, 0);
            CHECK(t, out.dims[0] == 5 * stride && out.dims[1] == 5,
                  "kernel %d, stride %d: %d rows, %d columns", (int)kernel, (int)stride,
                  (int)out.dims[0], (int)out.dims[1]);
            plx_model_free(model);
        }
}

static void names(plx_check *t, plx_ctx *ctx) {
    const int64_t six = 6;
    plx_model *model = NULL;
    plx_model_new(ctx, 1, &six, 1, &model);
    /* The second dense layer has a name of its own. */
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_DENSE, .units = 6, .name = "dense_2"});
    add(t, ctx, model, (plx_layer){.kind = PLX_LAYER_DENSE, .units = 6});
    CHECK(t, !strcmp(plx_model_layer(model, 1).name, "dense_3"), "%s",
          plx_model_layer(model, 1).name);
    plx_model_free(model);
    for (int kind = 0; kind < PLX_LAYERS_; ++kind)
        CHECK(t, plx_layer_from_name(plx_layer_name((plx_layer_kind)kind)) == (plx_layer_kind)kind,
              "kind %d", kind);
    CHECK(t, plx_layer_from_name("convolution") == PLX_LAYERS_ && !plx_layer_name(PLX_LAYERS_),
          "there is a layer \"convolution\"");
}

void plx_test_unit_layers(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    for (int i = 0; i < SAMPLES; ++i) {
        describes(t, ctx, &samples[i]);
        differentiates(t, ctx, &samples[i]);
    }
    begins_as_papers_say(t, ctx);
    refuses(t, ctx);
    refuses_what_leads_nowhere(t, ctx);
    transposes_to_same(t, ctx);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; ++i)
        masks_padding(t, ctx, &readers[i]);
    refuses_endless_nesting(t, ctx);
    names(t, ctx);
    plx_ctx_free(ctx);
}
