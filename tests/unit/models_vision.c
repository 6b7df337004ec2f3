/* ViT and ResNet: ports, sizes and refusals, gradients of whole networks, and the running
 * statistics of batch norm. */
#include "check.h"

#include <math.h>
#include <string.h>

static plx_model *model_of(plx_check *t, plx_ctx *ctx, const char *name) {
    plx_model *model = NULL;
    CHECK(t, plx_model_from_name(ctx, name, 1, &model) == PLX_OK, "%s: %s", name, plx_message(ctx));
    return model;
}

static int64_t parameters(const plx_model *model) {
    plx_weights *weights = plx_model_weights(model);
    int64_t sum = 0;
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        plx_weight_role role;
        const plx_tensor *weight = plx_weights_at(weights, i, NULL, &role);
        if (role != PLX_WEIGHT_STATE) sum += plx_tensor_size(weight);
    }
    return sum;
}

static void has_size(plx_check *t, plx_ctx *ctx, const char *name, int64_t side, int64_t classes,
                     int64_t count) {
    plx_model *model = model_of(t, ctx, name);
    if (!model) return;
    const plx_port in = plx_model_input(model, 0), out = plx_model_output(model, 0);
    CHECK(t, in.rank == 3 && in.dims[0] == side && in.dims[1] == side && in.dims[2] == 3,
          "%s takes [%lld, %lld, %lld]", name, (long long)in.dims[0], (long long)in.dims[1],
          (long long)in.dims[2]);
    CHECK(t, out.rank == 1 && out.dims[0] == classes, "%s gives %lld of rank %d", name,
          (long long)out.dims[0], out.rank);
    int64_t of_layers = 0;
    for (int i = 0; i < plx_model_layers(model); ++i)
        of_layers += plx_model_layer(model, i).parameters;
    CHECK(t, parameters(model) == count, "%s has %lld parameters, not %lld", name,
          (long long)parameters(model), (long long)count);
    CHECK(t, of_layers == count, "%s: its layers have %lld", name, (long long)of_layers);
    plx_model_free(model);
}

/* Patches, class token and positions; blocks of two norms, four projections and the hidden layer;
 * a norm and the head. */
static int64_t vit_formula(int64_t side, int64_t patch, int64_t layers, int64_t width,
                           int64_t classes, bool token) {
    const int64_t patches = side / patch * (side / patch);
    const int64_t block = 2 * 2 * width + 4 * (width + 1) * width + 8 * width * width + 5 * width;
    return (3 * patch * patch + 1) * width + token * width + (patches + token) * width +
           layers * block + 2 * width + (width + 1) * classes;
}

/* Convolutions without bias, and two values per channel for each norm. */
static int64_t resnet_formula(int64_t stem, int64_t stages, int64_t blocks, int64_t width,
                              int64_t classes, bool skips) {
    int64_t sum = stem * stem * 3 * width + 2 * width, from = width;
    for (int64_t stage = 0, to = width; stage < stages; ++stage, to *= 2)
        for (int64_t block = 0; block < blocks; ++block, from = to) {
            sum += 9 * from * to + 9 * to * to + 4 * to;
            if (skips && from != to) sum += from * to + 2 * to;
        }
    return sum + (from + 1) * classes;
}

static void sizes(plx_check *t, plx_ctx *ctx) {
    has_size(t, ctx, "vit-nano", 32, 10, vit_formula(32, 4, 3, 128, 10, true));
    has_size(t, ctx, "vit-nano:mean=1", 32, 10, vit_formula(32, 4, 3, 128, 10, false));
    has_size(t, ctx, "vit-tiny", 224, 1000, 5717416); /* Touvron et al.: 5.7 million */
    CHECK(t, vit_formula(224, 16, 12, 192, 1000, true) == 5717416, "the formula gives %lld",
          (long long)vit_formula(224, 16, 12, 192, 1000, true));
    has_size(t, ctx, "resnet-nano", 32, 10, resnet_formula(3, 3, 3, 8, 10, true));
    has_size(t, ctx, "resnet-nano:stages=3,blocks=3,width=16", 32, 10,
             resnet_formula(3, 3, 3, 16, 10, true));
    has_size(t, ctx, "resnet-nano:stages=2,blocks=1,width=8,skips=0", 32, 10,
             resnet_formula(3, 2, 1, 8, 10, false));
    has_size(t, ctx, "resnet18", 224, 1000, 11689512); /* as torchvision counts it */
    CHECK(t, resnet_formula(7, 4, 2, 64, 1000, true) == 11689512, "the formula gives %lld",
          (long long)resnet_formula(7, 4, 2, 64, 1000, true));
}

static void refuses(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *name, *sentence;
    } cases[] = {
        {"vit-nano:heads=5", "vit: 5 heads do not divide width 128; use width 130"},
        {"vit-nano:patch=5",
         "vit: a patch of 5 does not divide an image of 32 x 32; use patch=4 or size=30"},
        {"vit-nano:size=30",
         "a patch of 4 does not divide an image of 30 x 30; use patch=3 or size=28"},
        {"vit-nano:depth=2", "no setting \"depth\""},
        {"resnet-nano:stem=5", "stem is 5; it must be 3 or 7"},
        {"resnet-nano:size=4,stages=4", "4 stages halve 4 x 4 pixels"},
        {"resnet-18:size=16",
         "4 stages halve 4 x 4 pixels (after the stem, for images of 16 x 16)"},
        {"resnet-nano:skips=0,zero_scale=1",
         "zero_scale=1 needs skips=1; without shortcuts nothing passes"},
        {"vit-nano:patch=64", "use patch=32 or size=64"},
        {"resnet-nano:stages=7", "to less than one; use stages=6 or size=64"},
        {"resnet-18:size=16", "to less than one; use stages=3 or size=32"},
        {"vit-nano:layers=2,layers=3", "vit: layers is set twice"},
        {"vit-nano:width=65536,layers=256", "vit: these settings give about 1.32e+13 parameters"},
        {"vit-nano:size=4096,patch=1", "vit: these settings give about 2.15e+09 parameters"},
        {"vit-nano:size=4096,patch=2", "vit: these settings give about 1.29e+10 values"},
        {"resnet-nano:width=4096,stages=8,size=256", "e+13 parameters"},
        {"resnet-nano:stages=8,blocks=64,size=4096", "values between the layers for one sample"},
        {"mlp:1048576-1048576-1", "mlp: these settings give about 1.1e+12 parameters"},
        {"resnet34", "there is no such model"},
        {"resnetnano", "there is no such model"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        plx_model *model = NULL;
        const plx_status status = plx_model_from_name(ctx, cases[i].name, 1, &model);
        CHECK(t, status != PLX_OK && strstr(plx_message(ctx), cases[i].sentence),
              "%s: %s, \"%s\" lacks \"%s\"", cases[i].name, plx_status_name(status),
              plx_message(ctx), cases[i].sentence);
        CHECK(t, !model, "%s: there is a model", cases[i].name);
    }
}

/* Shortcuts add weights and change no others: under shared names both start with equal values. */
static void same_beginning(plx_check *t, plx_ctx *ctx) {
    plx_model *with = model_of(t, ctx, "resnet-nano");
    plx_model *without = model_of(t, ctx, "resnet-nano:skips=0");
    plx_weights *own = plx_model_weights(without);
    for (int i = 0; i < plx_weights_count(own); ++i) {
        const char *name;
        plx_tensor *a = plx_weights_at(own, i, &name, NULL);
        plx_tensor *b = plx_weights_find(plx_model_weights(with), name);
        const bool same = b && plx_tensor_size(a) == plx_tensor_size(b) &&
                          !memcmp(plx_tensor_data(a), plx_tensor_data(b),
                                  (size_t)plx_tensor_size(a) * sizeof(plx_real));
        CHECK(t, same, "%s differs", name);
    }
    plx_model_free(with);
    plx_model_free(without);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

enum { IMAGES = 3, SIDE = 8, PIXELS = IMAGES * SIDE * SIDE * 3, MOST = 64 };

typedef struct differences {
    plx_plan *plan;
    plx_node loss, wrt[MOST], grads[MOST];
    plx_tensor *weights[MOST];
    const char *names[MOST];
    int count;
    plx_real images[PIXELS];
    int32_t labels[IMAGES];
} differences;

static void fill_samples(plx_real *images, int32_t *labels) {
    plx_rng rng = plx_rng_new(7, 1);
    for (int i = 0; i < PIXELS; ++i) images[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < IMAGES; ++i) labels[i] = i;
}

/* Initial zeros and ones would hide mistakes. */
static void disturb(plx_tensor *weight, plx_rng *rng) {
    plx_real *values = plx_tensor_data(weight);
    for (int64_t i = 0; i < plx_tensor_size(weight); ++i)
        values[i] += (plx_real)(0.1 * plx_rng_normal(rng));
}

static bool compile_differences(plx_check *t, plx_ctx *ctx, plx_model *model, differences *d) {
    plx_graph *graph = NULL;
    plx_rng rng = plx_rng_new(8, 1);
    const int64_t dims[] = {IMAGES, SIDE, SIDE, 3};
    plx_graph_new(ctx, &graph);
    const plx_node image = plx_input(graph, "image", PLX_DTYPE_REAL, 4, dims);
    const plx_node labels = plx_input(graph, "labels", PLX_DTYPE_I32, 1, dims);
    plx_node outputs[MOST + 1], logits = plx_none();
    plx_model_forward(model, graph, &image, true, &logits);
    outputs[0] = d->loss = plx_cross_entropy(graph, logits, labels);
    plx_weights *weights = plx_model_weights(model);
    for (int i = 0; i < plx_weights_count(weights) && d->count < MOST; ++i) {
        plx_weight_role role;
        plx_tensor *weight = plx_weights_at(weights, i, &d->names[d->count], &role);
        if (role == PLX_WEIGHT_STATE) continue;
        disturb(weight, &rng);
        d->weights[d->count] = weight;
        d->wrt[d->count++] = plx_parameter(graph, NULL, weight);
    }
    plx_gradients(graph, d->loss, d->count, d->wrt, d->grads);
    memcpy(outputs + 1, d->grads, (size_t)d->count * sizeof *outputs);
    const plx_status status = plx_compile(graph, d->count + 1, outputs, NULL, &d->plan);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_graph_free(graph);
    if (status != PLX_OK) return false;
    fill_samples(d->images, d->labels);
    plx_plan_bind(d->plan, image, d->images);
    plx_plan_bind(d->plan, labels, d->labels);
    return true;
}

static double loss_at(const differences *d, plx_real *value, double at) {
    *value = (plx_real)at;
    plx_plan_run(d->plan);
    return (double)plx_plan_output(d->plan, d->loss)[0];
}

/* Checks some values of each weight. The error of a central difference at h = 1e-5 is h^2 / 6
 * times the third derivative, below 1e-10 times 1000 here, plus the rounding of two losses near 1,
 * 2e-16 times some hundreds of operations / h, about 1e-8. */
static void gradients_of(plx_check *t, plx_ctx *ctx, const char *name) {
    static const double h = 1e-5, allowed = 2e-7;
    differences d = {0};
    plx_model *model = model_of(t, ctx, name);
    if (!model) return;
    plx_rng rng = plx_rng_new(9, 1);
    if (compile_differences(t, ctx, model, &d))
        for (int i = 0; i < d.count; ++i)
            for (int k = 0; k < 4; ++k) {
                const int64_t at = plx_rng_below(&rng, plx_tensor_size(d.weights[i]));
                plx_real *value = (plx_real *)plx_tensor_data(d.weights[i]) + at;
                const double kept = (double)*value;
                const double high = loss_at(&d, value, kept + h),
                             low = loss_at(&d, value, kept - h);
                (void)loss_at(&d, value, kept);
                const double numeric = (high - low) / (2 * h);
                const double analytic = (double)plx_plan_output(d.plan, d.grads[i])[at];
                CHECK(t, fabs(numeric - analytic) <= allowed, "%s: %s[%lld] has %.9g, not %.9g",
                      name, d.names[i], (long long)at, analytic, numeric);
            }
    plx_plan_free(d.plan);
    plx_model_free(model);
}

/* ---- Running statistics of batch norm -------------------------------------------------------- */

#define SMALL "resnet-nano:size=8,stages=2,blocks=1,width=4,classes=3"

/* The mean of the stem's results over all samples, one value per channel. */
static void stem_mean(plx_ctx *ctx, plx_model *model, const plx_real *images, double *mean) {
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    const int64_t dims[] = {IMAGES, SIDE, SIDE, 3};
    plx_conv2d_options options = plx_conv2d_default();
    plx_conv2d_same(&options, SIDE, SIDE, 3, 3);
    plx_graph_new(ctx, &graph);
    const plx_node image = plx_input(graph, "image", PLX_DTYPE_REAL, 4, dims);
    plx_tensor *weight = plx_weights_find(plx_model_weights(model), "stem.weight");
    const plx_node y =
        plx_conv2d(graph, image, plx_parameter(graph, NULL, weight), plx_none(), &options);
    if (plx_compile(graph, 1, &y, NULL, &plan) == PLX_OK) {
        plx_plan_bind(plan, image, images);
        plx_plan_run(plan);
        const plx_real *out = plx_plan_output(plan, y);
        for (int i = 0; i < IMAGES * SIDE * SIDE * 4; ++i)
            mean[i % 4] += (double)out[i] / (IMAGES * SIDE * SIDE);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

static void state_follows_the_batch(plx_check *t, plx_ctx *ctx) {
    plx_real images[PIXELS];
    int32_t labels[IMAGES];
    double mean[4] = {0};
    fill_samples(images, labels);
    plx_model *model = model_of(t, ctx, SMALL);
    stem_mean(ctx, model, images, mean);
    const plx_dataset data = {.n = IMAGES, .inputs = {images}, .targets = {labels}};
    plx_trainer_options options = plx_trainer_default();
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.batch = IMAGES;
    options.optimizer.weight_decay = 0.5; /* decay would shrink any statistics that it reached */
    plx_trainer *trainer = NULL;
    plx_progress progress;
    CHECK(t, plx_trainer_new(model, &options, &data, &trainer) == PLX_OK, "%s", plx_message(ctx));
    plx_tensor *state = plx_weights_find(plx_model_weights(model), "stem_norm.mean");
    plx_real *values = plx_tensor_data(state);
    CHECK(t, values[0] == 0, "the running mean starts at %g", (double)values[0]);
    plx_trainer_run(trainer, 1, &progress);
    /* Sums of 192 values near 1 in any order, and Winograd's method, in float. */
    const double allowed = sizeof(plx_real) == 4 ? 1e-5 : 1e-12;
    for (int c = 0; c < 4; ++c)
        CHECK(t, fabs((double)values[c] - 0.1 * mean[c]) <= allowed,
              "channel %d has %g after a batch of mean %g", c, (double)values[c], mean[c]);
    plx_trainer_free(trainer);
    plx_model_free(model);
}

/* Prediction normalises by the running statistics: a sample's logits do not depend on its batch
 * but on the statistics, which stay unchanged. */
static void predicts_by_state(plx_check *t, plx_ctx *ctx) {
    plx_real images[PIXELS], together[3 * IMAGES], alone[3 * IMAGES];
    int32_t labels[IMAGES];
    fill_samples(images, labels);
    plx_model *model = model_of(t, ctx, SMALL);
    const plx_dataset data = {.n = IMAGES, .inputs = {images}};
    plx_tensor *state = plx_weights_find(plx_model_weights(model), "stem_norm.mean");
    plx_real *values = plx_tensor_data(state);
    plx_model_predict(model, &data, IMAGES, (plx_real *[]){together});
    plx_model_predict(model, &data, 1, (plx_real *[]){alone});
    CHECK(t, !memcmp(together, alone, sizeof alone), "a sample alone has other logits");
    CHECK(t, values[0] == 0, "prediction moved the running mean to %g", (double)values[0]);
    values = plx_tensor_data(state); /* predictions may keep what they read */
    for (int c = 0; c < 4; ++c) values[c] = (plx_real)0.5;
    plx_model_predict(model, &data, 1, (plx_real *[]){alone});
    CHECK(t, memcmp(together, alone, sizeof alone) != 0, "the running statistics are not used");
    plx_model_free(model);
}

void plx_test_unit_models_vision(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    sizes(t, ctx);
    refuses(t, ctx);
    same_beginning(t, ctx);
    state_follows_the_batch(t, ctx);
    predicts_by_state(t, ctx);
    if (sizeof(plx_real) == sizeof(double)) {
        gradients_of(t, ctx, "vit-nano:size=8,layers=2,heads=2,width=8,classes=3");
        gradients_of(t, ctx, "vit-nano:size=8,layers=1,heads=2,width=8,classes=3,mean=1");
        gradients_of(t, ctx, SMALL);
        gradients_of(t, ctx, SMALL ",skips=0");
        gradients_of(t, ctx, SMALL ",stem=7");
    }
    plx_ctx_free(ctx);
}
