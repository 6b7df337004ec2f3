/* BERT and CLIP: ports, numbers of parameters, refusals, gradients, and independence of padding
 * and of ignored labels. */
#include "check.h"

#include <math.h>
#include <string.h>

static plx_model *model_of(plx_check *t, plx_ctx *ctx, const char *name) {
    plx_model *model = NULL;
    CHECK(t, plx_model_from_name(ctx, name, 1, &model) == PLX_OK, "%s: %s", name, plx_message(ctx));
    return model;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static void check_port(plx_check *t, plx_port port, const char *name, int rank,
                       const int64_t *dims) {
    CHECK(t, !strcmp(port.name, name), "port \"%s\" instead of \"%s\"", port.name, name);
    CHECK(t,
          port.rank == rank &&
              !memcmp(port.dims, dims, (size_t)(port.rank == rank ? rank : 0) * sizeof *dims),
          "%s has rank %d, first %lld", name, port.rank, (long long)port.dims[0]);
}

static int64_t parameters_of(const plx_model *model) {
    const plx_weights *weights = plx_model_weights(model);
    int64_t count = 0;
    for (int i = 0; i < plx_weights_count(weights); ++i)
        count += plx_tensor_size(plx_weights_at(weights, i, NULL, NULL));
    return count;
}

/* With width w and hidden h = 4 w, a block has 4 (w^2 + w) + (w h + h) + (h w + w) + 4 w. BERT
 * adds vocabulary w + context w + 2 w, and heads of (w^2 + w) + 2 w + vocabulary for words and (w^2
 * + w) + 3 w + 3 for classes. */
static void bert_is_whole(plx_check *t, plx_ctx *ctx) {
    plx_model *model = model_of(t, ctx, "bert-nano");
    if (!model) return;
    check_port(t, plx_model_input(model, 0), "ids", 1, (int64_t[]){64});
    check_port(t, plx_model_output(model, 0), "words", 2, (int64_t[]){64, 2000});
    check_port(t, plx_model_output(model, 1), "class", 1, (int64_t[]){3});
    const int64_t block = 4 * (65536 + 256) + (262144 + 1024) + (262144 + 256) + 1024;
    const int64_t wanted = 2000 * 256 + 64 * 256 + 512 + 4 * block + (65536 + 256 + 512 + 2000) +
                           (65536 + 256 + 768 + 3);
    CHECK(t, parameters_of(model) == wanted, "bert-nano has %lld parameters, not %lld",
          (long long)parameters_of(model), (long long)wanted);
    plx_model_free(model);
}

/* The towers of CLIP add: patches (8 x 8 x 3 w + w) and 16 positions, words and positions, a
 * norm and a projection each; and the temperature. */
static void clip_is_whole(plx_check *t, plx_ctx *ctx) {
    plx_model *model = model_of(t, ctx, "clip-nano");
    if (!model) return;
    check_port(t, plx_model_input(model, 0), "pixels", 3, (int64_t[]){32, 32, 3});
    check_port(t, plx_model_input(model, 1), "ids", 1, (int64_t[]){16});
    check_port(t, plx_model_output(model, 0), "image", 1, (int64_t[]){64});
    check_port(t, plx_model_output(model, 1), "text", 1, (int64_t[]){64});
    const int64_t block = 4 * (16384 + 128) + (65536 + 512) + (65536 + 128) + 512;
    const int64_t wanted = (192 * 128 + 128) + 16 * 128 + 3 * block + 256 + 128 * 64 +
                           (64 * 128 + 16 * 128) + 2 * block + 256 + 128 * 64 + 1;
    CHECK(t, parameters_of(model) == wanted, "clip-nano has %lld parameters, not %lld",
          (long long)parameters_of(model), (long long)wanted);
    plx_model_free(model);
}

static void refuses(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *name, *sentence;
    } bad[] = {
        {"bert-nano:heads=3", "bert: 3 heads do not divide width 256; use width 258"},
        {"bert-nano:heads=0", "heads is \"0\"; it must be a whole number from 1"},
        {"bert-nano:classes=1", "classes is \"1\"; it must be a whole number from 2"},
        {"bert-nano:vocabulary=1", "vocabulary is \"1\""},
        {"bert-nano:layers=256,width=65536", "about 1.32e+13 parameters"},
        {"bert-nano:patch=8", "bert: there is no setting \"patch\"; there are layers"},
        {"clip-nano:heads=5", "clip: 5 heads do not divide width 128; use width 130"},
        {"clip-nano:patch=7",
         "clip: a patch of 7 does not divide an image of 32 x 32; use patch=4 or size=28"},
        {"clip-nano:size=20",
         "a patch of 8 does not divide an image of 20 x 20; use patch=5 or size=16"},
        {"clip-nano:size=4096,patch=1", "e+09 parameters"},
        {"clip-nano:length=8,length=9", "length is set twice"},
        {"clip-nano:length=0", "length is \"0\""},
        {"clip-nano:embedding=1.5", "embedding is \"1.5\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        plx_model *model = NULL;
        CHECK(t,
              plx_model_from_name(ctx, bad[i].name, 1, &model) != PLX_OK && !model &&
                  strstr(plx_message(ctx), bad[i].sentence),
              "%s: \"%s\" lacks \"%s\"", bad[i].name, plx_message(ctx), bad[i].sentence);
    }
}

/* ---- Results --------------------------------------------------------------------------------- */

#define TINY_BERT "bert-nano:layers=2,heads=2,width=8,vocabulary=11,context=5"
#define TINY_CLIP                                                                                  \
    "clip-nano:size=4,patch=2,layers=1,text_layers=1,heads=2,width=8,embedding=4,vocabulary=9,"    \
    "length=3"
enum { BATCH = 3, PIXELS = 4 * 4 * 3 };

static const int32_t sentences[BATCH][5] = {{1, 4, 9, 2, 7}, {1, 6, 3, 0, 0}, {1, 2, 10, 5, 0}};
static const int32_t captions[BATCH][3] = {{1, 5, 8}, {2, 0, 0}, {3, 4, 0}};

static void draw_pixels(plx_real *pixels) {
    plx_rng rng = plx_rng_new(7, 7);
    for (int i = 0; i < BATCH * PIXELS; ++i) pixels[i] = (plx_real)plx_rng_normal(&rng);
}

/* Sets weights to sizes at which every part matters: initial ones are small, and biases are 0. */
static void stir(const plx_model *model) {
    const plx_weights *weights = plx_model_weights(model);
    plx_rng rng = plx_rng_new(3, 3);
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        plx_tensor *tensor = plx_weights_at(weights, i, NULL, NULL);
        plx_real *data = plx_tensor_data(tensor);
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k)
            data[k] += (plx_real)(0.3 * plx_rng_normal(&rng));
    }
}

/* Whether outputs keep their bits when the weight `name` changes from row `first` on. */
static bool ignores_rows(plx_model *model, const plx_dataset *data, const char *weight,
                         int64_t first, int output, int64_t size, plx_real *before,
                         plx_real *after) {
    plx_tensor *tensor = plx_weights_find(plx_model_weights(model), weight);
    const int64_t width = plx_tensor_dims(tensor)[1];
    plx_real *outputs[PLX_PORTS] = {NULL};
    outputs[output] = before;
    plx_model_predict(model, data, 0, outputs);
    plx_real *values = plx_tensor_data(tensor);
    for (int64_t k = first * width; k < plx_tensor_size(tensor); ++k) values[k] += 1;
    outputs[output] = after;
    plx_model_predict(model, data, 0, outputs);
    for (int64_t k = first * width; k < plx_tensor_size(tensor); ++k) values[k] -= 1;
    return !memcmp(before, after, (size_t)size * sizeof *before);
}

/* Neither words nor the class depend on positions that hold padding. */
static void padding_is_not_seen(plx_check *t, plx_ctx *ctx) {
    plx_real before[5 * 11], after[5 * 11], pixels[BATCH * PIXELS];
    plx_model *bert = model_of(t, ctx, TINY_BERT), *clip = model_of(t, ctx, TINY_CLIP);
    if (bert && clip) {
        stir(bert);
        stir(clip);
        draw_pixels(pixels);
        const plx_dataset padded = {.n = 1, .inputs = {sentences[1]}};
        const plx_dataset pair = {.n = 1, .inputs = {pixels, captions[2]}};
        const char *const table = "positions.table", *const own = "text.positions.table";
        CHECK(t, ignores_rows(bert, &padded, table, 3, 0, 3 * 11L, before, after), "words see it");
        CHECK(t, ignores_rows(bert, &padded, table, 3, 1, 3, before, after), "the class sees it");
        CHECK(t, !ignores_rows(bert, &padded, table, 2, 1, 3, before, after), "words are unseen");
        CHECK(t, ignores_rows(clip, &pair, own, 2, 1, 4, before, after), "captions see it");
        CHECK(t, !ignores_rows(clip, &pair, own, 1, 1, 4, before, after), "words are unseen");
    }
    plx_model_free(bert);
    plx_model_free(clip);
}

/* A loss and its gradients with respect to all trainable weights. */
typedef struct losses {
    plx_plan *plan;
    plx_node inputs[2], targets[2], loss;
    int count;
    plx_tensor *weights[64];
    plx_node grads[64];
} losses;

static plx_status emit_loss(plx_model *model, plx_graph *graph, losses *out) {
    plx_node outputs[PLX_PORTS];
    for (int i = 0; i < plx_model_inputs(model); ++i) {
        const plx_port port = plx_model_input(model, i);
        int64_t dims[PLX_MAX_RANK] = {BATCH};
        memcpy(dims + 1, port.dims, (size_t)port.rank * sizeof *dims);
        out->inputs[i] = plx_input(graph, port.name, port.dtype, port.rank + 1, dims);
    }
    const plx_status status = plx_model_forward(model, graph, out->inputs, true, outputs);
    if (status != PLX_OK) return status;
    if (plx_model_inputs(model) == 2)
        return plx_model_loss(model, graph, PLX_LOSS_OWN, 0, BATCH, outputs, out->targets,
                              &out->loss);
    const int64_t words[] = {BATCH, 5};
    out->targets[0] = plx_input(graph, "words", PLX_DTYPE_I32, 2, words);
    out->targets[1] = plx_input(graph, "class", PLX_DTYPE_I32, 1, words);
    out->loss = plx_add(graph, plx_cross_entropy(graph, outputs[0], out->targets[0]),
                        plx_cross_entropy(graph, outputs[1], out->targets[1]));
    return plx_graph_status(graph);
}

static plx_status compile_losses(plx_ctx *ctx, plx_model *model, losses *out) {
    plx_graph *graph;
    plx_node wrt[64], wanted[65];
    plx_status status = plx_graph_new(ctx, &graph);
    if (status != PLX_OK) return status;
    *out = (losses){.count = plx_weights_count(plx_model_weights(model))};
    status = emit_loss(model, graph, out);
    for (int i = 0; i < out->count; ++i) {
        out->weights[i] = plx_weights_at(plx_model_weights(model), i, NULL, NULL);
        wrt[i] = plx_parameter(graph, NULL, out->weights[i]);
    }
    if (status == PLX_OK) status = plx_gradients(graph, out->loss, out->count, wrt, out->grads);
    wanted[0] = out->loss;
    memcpy(wanted + 1, out->grads, (size_t)out->count * sizeof *wanted);
    if (status == PLX_OK) status = plx_compile(graph, out->count + 1, wanted, NULL, &out->plan);
    plx_graph_free(graph);
    return status;
}

static double loss_of(const losses *l) {
    return plx_plan_run(l->plan) == PLX_OK ? (double)*plx_plan_output(l->plan, l->loss) : NAN;
}

/* Central differences with step h err by about h^2 f''' / 6 + 1e-16 |f| / h: 1e-10 for h = 1e-5 and
 * derivatives around 1. */
static void check_gradients(plx_check *t, plx_ctx *ctx, plx_model *model, const losses *l) {
    const double h = 1e-5;
    plx_rng rng = plx_rng_new(11, 0);
    CHECK(t, isfinite(loss_of(l)), "%s", plx_message(ctx));
    for (int i = 0; i < l->count; ++i) {
        const char *name;
        plx_weights_at(plx_model_weights(model), i, &name, NULL);
        plx_real *data = plx_tensor_data(l->weights[i]);
        for (int sample = 0; sample < 3; ++sample) {
            const int64_t k = plx_rng_below(&rng, plx_tensor_size(l->weights[i]));
            const plx_real kept = data[k];
            data[k] = kept + (plx_real)h;
            const double above = loss_of(l);
            data[k] = kept - (plx_real)h;
            const double below = loss_of(l);
            data[k] = kept;
            (void)loss_of(l);
            const double slope = (above - below) / (2 * h);
            const double grad = (double)plx_plan_output(l->plan, l->grads[i])[k];
            CHECK(t, fabs(slope - grad) < 1e-8 * (1 + fabs(slope)),
                  "%s[%lld]: gradient %.12g, slope %.12g", name, (long long)k, grad, slope);
        }
    }
}

static const int32_t ignored = PLX_IGNORED_LABEL;

static void bert_gradients(plx_check *t, plx_ctx *ctx) {
    int32_t words[BATCH * 5];
    const int32_t classes[BATCH] = {2, 0, 1};
    for (int i = 0; i < BATCH * 5; ++i) words[i] = i % 4 == 1 ? i % 11 : ignored;
    plx_model *model = model_of(t, ctx, TINY_BERT);
    losses l = {0};
    if (!model) return;
    stir(model);
    if (CHECK(t, compile_losses(ctx, model, &l) == PLX_OK, "%s", plx_message(ctx))) {
        plx_plan_bind(l.plan, l.inputs[0], sentences);
        plx_plan_bind(l.plan, l.targets[0], words);
        plx_plan_bind(l.plan, l.targets[1], classes);
        check_gradients(t, ctx, model, &l);
    }
    plx_plan_free(l.plan);
    plx_model_free(model);
}

static void clip_gradients(plx_check *t, plx_ctx *ctx) {
    plx_real pixels[BATCH * PIXELS];
    draw_pixels(pixels);
    plx_model *model = model_of(t, ctx, TINY_CLIP);
    losses l = {0};
    if (!model) return;
    stir(model);
    if (CHECK(t, compile_losses(ctx, model, &l) == PLX_OK, "%s", plx_message(ctx))) {
        plx_plan_bind(l.plan, l.inputs[0], pixels);
        plx_plan_bind(l.plan, l.inputs[1], captions);
        check_gradients(t, ctx, model, &l);
    }
    plx_plan_free(l.plan);
    plx_model_free(model);
}

/* The mean over the words that count, from the logits; each is off by a few units in the last
 * place of sums of 11 terms of size 10 or less. */
static void ignored_words_do_not_count(plx_check *t, plx_ctx *ctx) {
    int32_t words[BATCH * 5];
    const int32_t classes[BATCH] = {ignored, 1, ignored};
    for (int i = 0; i < BATCH * 5; ++i) words[i] = i == 2 || i == 6 ? 3 : ignored;
    plx_real logits[BATCH * 5 * 11], class_logits[BATCH * 3];
    plx_model *model = model_of(t, ctx, TINY_BERT);
    losses l = {0};
    if (!model) return;
    stir(model);
    const plx_dataset data = {.n = BATCH, .inputs = {sentences}, .targets = {words, classes}};
    plx_model_predict(model, &data, 0, (plx_real *[PLX_PORTS]){logits, class_logits});
    double wanted = 0;
    for (int i = 0; i < 3; ++i) {
        const plx_real *row = i == 2 ? class_logits + 3 : logits + (i ? 6L : 2L) * 11;
        double sum = 0;
        for (int k = 0; k < (i == 2 ? 3 : 11); ++k) sum += exp((double)row[k]);
        wanted += (log(sum) - (double)row[i == 2 ? 1 : 3]) / (i == 2 ? 1 : 2);
    }
    if (CHECK(t, compile_losses(ctx, model, &l) == PLX_OK, "%s", plx_message(ctx))) {
        plx_plan_bind(l.plan, l.inputs[0], sentences);
        plx_plan_bind(l.plan, l.targets[0], words);
        plx_plan_bind(l.plan, l.targets[1], classes);
        const double loss = loss_of(&l);
        CHECK(t, fabs(loss - wanted) < 1e-5, "loss %.9g instead of %.9g", loss, wanted);
    }
    plx_metrics metrics;
    CHECK(t,
          plx_model_evaluate(model, 0, PLX_LOSS_CROSS_ENTROPY, &data, &metrics, NULL) == PLX_OK &&
              metrics.counted == 2,
          "%lld words count", (long long)metrics.counted);
    plx_plan_free(l.plan);
    plx_model_free(model);
}

/* Cosines are never scaled by more than 100. */
static void temperature_is_clipped(plx_check *t, plx_ctx *ctx) {
    plx_real pixels[BATCH * PIXELS];
    draw_pixels(pixels);
    plx_model *model = model_of(t, ctx, TINY_CLIP);
    losses l = {0};
    if (!model) return;
    plx_real *scale = plx_tensor_data(plx_weights_find(plx_model_weights(model), "temperature"));
    CHECK(t, fabs(exp((double)*scale) * 0.07 - 1) < 1e-6, "the temperature starts at %g",
          (double)*scale);
    if (CHECK(t, compile_losses(ctx, model, &l) == PLX_OK, "%s", plx_message(ctx))) {
        plx_plan_bind(l.plan, l.inputs[0], pixels);
        plx_plan_bind(l.plan, l.inputs[1], captions);
        *scale = 4;
        const double free = loss_of(&l);
        *scale = (plx_real)log(100);
        const double most = loss_of(&l);
        *scale = 9;
        const double above = loss_of(&l);
        CHECK(t, fabs(above - most) < 1e-5 * most, "loss %g at the limit, %g above", most, above);
        CHECK(t, fabs(free - most) > 1e-3 * most, "loss %g below the limit, %g at it", free, most);
    }
    plx_plan_free(l.plan);
    plx_model_free(model);
}

/* A batch of a single pair has nothing to be distinguished from. */
static void refuses_single_pairs(plx_check *t, plx_ctx *ctx) {
    plx_real pixels[BATCH * PIXELS];
    draw_pixels(pixels);
    const plx_dataset data = {.n = BATCH, .inputs = {pixels, captions}};
    static const char *const expected[] = {
        "batch is 1; the loss of clip compares the samples of a batch and needs at least 2",
        "batch is 2, which leaves 1 of 3 samples for the last batch of an epoch"};
    plx_model *model = model_of(t, ctx, TINY_CLIP);
    if (!model) return;
    for (int64_t batch = 1; batch <= 3; ++batch) {
        plx_trainer_options options = plx_trainer_default();
        options.loss = PLX_LOSS_OWN;
        options.batch = batch;
        plx_trainer *trainer = NULL;
        const plx_status status = plx_trainer_new(model, &options, &data, &trainer);
        if (batch == 3)
            CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
        else
            CHECK(t,
                  status == PLX_ERR_ARGUMENT && !trainer &&
                      strstr(plx_message(ctx), expected[batch - 1]),
                  "\"%s\" lacks \"%s\"", plx_message(ctx), expected[batch - 1]);
        plx_trainer_free(trainer);
    }
    plx_model_free(model);
}

void plx_test_unit_bert_clip(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    bert_is_whole(t, ctx);
    clip_is_whole(t, ctx);
    refuses(t, ctx);
    padding_is_not_seen(t, ctx);
    ignored_words_do_not_count(t, ctx);
    temperature_is_clipped(t, ctx);
    refuses_single_pairs(t, ctx);
    if (sizeof(plx_real) == sizeof(double)) {
        bert_gradients(t, ctx);
        clip_gradients(t, ctx);
    }
    plx_ctx_free(ctx);
}
