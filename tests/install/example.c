/* Learns the larger of two numbers from 512 pairs, and predicts that of one more. */
#include <parallax_nn.h>
#include <stdio.h>

static bool watch(void *self, const plx_progress *progress) {
    printf("epoch %d: loss %g\n", (int)progress->epoch, progress->epoch_loss);
    return self == NULL; /* false would stop training */
}

int main(void) {
    float x[512][2], y[512], told, *outputs[PLX_PORTS] = {&told};
    plx_rng rng = plx_rng_new(1, 0);
    for (int i = 0; i < 512; ++i) {
        for (int j = 0; j < 2; ++j) x[i][j] = (float)plx_rng_uniform(&rng);
        y[i] = x[i][0] > x[i][1] ? x[i][0] : x[i][1];
    }
    const plx_dataset data = {.n = 512, .inputs = {x}, .targets = {y}};
    const plx_dataset question = {.n = 1, .inputs = {(float[]){0.3f, 0.8f}}};
    plx_trainer_options options = plx_trainer_default();
    options.epochs = 20;
    plx_ctx *ctx;
    plx_model *model = NULL;
    plx_trainer *trainer = NULL;
    if (plx_ctx_new(NULL, &ctx, NULL, 0) != PLX_OK) return 1;
    plx_status status = plx_model_from_name(ctx, "mlp:2-64-1", 1, &model);
    if (status == PLX_OK) status = plx_trainer_new(model, &options, &data, &trainer);
    if (status == PLX_OK) status = plx_trainer_fit(trainer, 0, watch, NULL, NULL);
    if (status == PLX_OK) status = plx_model_predict(model, &question, 0, outputs);
    if (status == PLX_OK) printf("the larger of 0.3 and 0.8: %.2f\n", told);
    if (status != PLX_OK) puts(plx_message(ctx));
    plx_ctx_free(ctx); /* objects may be freed in any order */
    plx_model_free(model);
    plx_trainer_free(trainer);
    return status != PLX_OK;
}
