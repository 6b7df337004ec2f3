/* The promise of the exact targets: the same bits on every platform, for every kernel, near its
 * reference as in kernels.walk, and for a training run. */
#include "kernels/kernel_case.h"

#include <stdio.h>
#include <string.h>

/* The hash of all outputs, the same for sse2, neon128 and wasm128. It changes when a kernel or a
 * case of the walk is added, or when the order of operations of a kernel is changed on purpose.
 * Then put here what `plx_tests kernels.exact` prints, once it prints the same natively (preset
 * release), on ARM (preset aarch64) and in Node (preset wasm). Where they differ, the hashes of
 * single kernels, which are printed then, tell which kernel differs. */
#define EXACT_HASH UINT64_C(0xd579daa90ba0d340)

enum { SAMPLES = 50, INPUTS = 6, CLASSES = 3, STEPS = 20 };

static plx_status add_layers(plx_model *model) {
    const plx_layer layers[] = {
        {.kind = PLX_LAYER_DENSE, .units = 17, .activation = PLX_GELU},
        {.kind = PLX_LAYER_DROPOUT, .rate = 0.25},
        {.kind = PLX_LAYER_DENSE, .units = 9, .activation = PLX_TANH},
        {.kind = PLX_LAYER_DENSE, .units = CLASSES},
    };
    plx_status status = PLX_OK;
    for (int i = 0; i < 4 && status == PLX_OK; ++i) status = plx_model_add(model, &layers[i]);
    return status;
}

static plx_status train(plx_ctx *ctx, const plx_dataset *data, plx_model **model,
                        plx_trainer **trainer) {
    plx_trainer_options options = plx_trainer_default();
    options.loss = PLX_LOSS_CROSS_ENTROPY;
    options.optimizer = plx_optimizer_default(PLX_ADAMW);
    options.schedule = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = 3, .floor = 0.1};
    options.clip_norm = 0.5;
    options.label_smoothing = 0.1;
    options.batch = 16;
    options.epochs = STEPS;
    options.shuffle = true;
    options.seed = 3;
    plx_progress progress = {0};
    plx_status status = plx_model_new(ctx, 1, (const int64_t[]){INPUTS}, 5, model);
    if (status == PLX_OK) status = add_layers(*model);
    if (status == PLX_OK) status = plx_trainer_new(*model, &options, data, trainer);
    while (status == PLX_OK && progress.step < STEPS)
        status = plx_trainer_run(*trainer, STEPS - progress.step, &progress);
    return status;
}

/* The hash of losses and parameters of a short run with dropout, shuffling, clipping, smoothing,
 * a schedule and AdamW. */
static uint64_t training_hash(plx_check *t, const char *isa, int threads) {
    static plx_real x[SAMPLES * INPUTS];
    static int32_t labels[SAMPLES];
    plx_rng rng = plx_rng_new(11, 0);
    for (int i = 0; i < SAMPLES * INPUTS; ++i) x[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < SAMPLES; ++i) labels[i] = (int32_t)plx_rng_below(&rng, CLASSES);
    const plx_dataset data = {.n = SAMPLES, .inputs = {x}, .targets = {labels}};
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    uint64_t hash = PLX_FNV1A_START;
    plx_ctx *ctx = plx_check_context(t, isa, threads);
    if (!ctx) return 0;
    if (CHECK(t, train(ctx, &data, &model, &trainer) == PLX_OK, "%s: %s", isa, plx_message(ctx))) {
        int64_t count = 0;
        const plx_real *losses = plx_trainer_losses(trainer, &count);
        CHECK(t, count == STEPS, "%lld losses after %d steps", (long long)count, STEPS);
        hash = plx_fnv1a(hash, losses, (size_t)count * sizeof *losses);
        for (int i = 0; i < plx_weights_count(plx_model_weights(model)); ++i) {
            plx_tensor *p = plx_weights_at(plx_model_weights(model), i, NULL, NULL);
            const size_t bytes = (size_t)plx_tensor_size(p) * sizeof(plx_real);
            hash = plx_fnv1a(hash, plx_tensor_data(p), bytes);
        }
    }
    plx_trainer_free(trainer);
    plx_model_free(model);
    plx_ctx_free(ctx);
    return hash;
}

static void no_exact_target(plx_check *t) {
    if (t->checks) return;
    CHECK(t, true, "no exact target");
    /* In double there is none, on purpose. */
    if (!PLX_IS_DOUBLE) printf("skipped: this build has no exact target\n");
}

void plx_test_kernels_exact(plx_check *t) {
    for (int i = 0; plx_walk_table(i); ++i) {
        const plx_kernels *k = plx_walk_table(i);
        if (!k->exact) continue;
        const uint64_t kernels = plx_walk_kernels(t, k, NULL, false);
        const uint64_t training = training_hash(t, k->name, 1);
        const uint64_t hash = plx_fnv1a(kernels, &training, sizeof training);
        printf("%s: %016llx (kernels %016llx, training %016llx)\n", k->name,
               (unsigned long long)hash, (unsigned long long)kernels, (unsigned long long)training);
        plx_check again = {.group = t->group, .quiet = true};
        if (!CHECK(t, hash == EXACT_HASH, "%s: the bits are not those of the other exact targets",
                   k->name))
            plx_walk_kernels(&again, k, NULL, true);
    }
    no_exact_target(t);
}

void plx_test_kernels_training(plx_check *t) {
    for (int i = 0; plx_walk_table(i); ++i) {
        const plx_kernels *k = plx_walk_table(i);
        if (k->exact)
            CHECK(t, training_hash(t, k->name, 1) == training_hash(t, k->name, 2),
                  "%s: the bits of a training run depend on the number of threads", k->name);
    }
    no_exact_target(t);
}
