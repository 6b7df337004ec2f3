#include "bench_selection.h"

#include "command.h"

const char *const bench_selection[] = {
    "gemm: 256 x 256 x 256",
    "gemm: 512 x 512 x 512",
    "gemm: 1024 x 1024 x 1024",
    "gemm: forward 1024-1024, batch 1",
    "mlp: predict 784-200-10, batch 1",
    "mlp: train 784-200-10, batch 64",
    "mlp: train 512-1024-1024-512-10, batch 32",
    "adaptive: 784-200-10 latency, batch 1",
    "adaptive: 784-200-10 training, batch 64",
    "interp5d: 1000 rows, batch 256",
    "models: train gpt2-nano",
    "models: train resnet-nano",
    "models: predict bert-nano, batch 1",
    "models: predict vit-nano, batch 1",
    "inference: resnet-nano, batch 1",
    "bits: interp5d, 1000 rows, 50 epochs",
    "bits: every operation and gradient",
    "ops: fork-join",
    "ops: exp medium",
    "ops: gelu medium",
    "ops: dense relu medium",
    "ops: softmax medium",
    "ops: layer_norm medium",
    "ops: conv2d 3x3 medium",
    "ops: attention medium",
    "ops: adam medium",
    "accuracy: exp",
    "accuracy: gelu",
    "accuracy: tanh",
    "accuracy: softmax of 1000",
    "accuracy: gradient of conv2d",
    "hypercausal: chain D 3, K 3, T 96, depth 1",
    "hypercausal: chain D 6, K 9, T 96, depth 3",
    NULL,
};

/* How long the run takes, by the bench's own estimate. */
static plx_status expected(plx_ctx *ctx, const plx_bench_options *options, int64_t *ns) {
    plx_bench *bench;
    const plx_status status = plx_bench_new(ctx, options, &bench);
    if (status == PLX_OK) *ns = plx_bench_expected_ns(bench);
    plx_bench_free(bench);
    return status;
}

plx_status selection_fit(plx_ctx *ctx, plx_bench_options *options) {
    enum { LOOKS = 6 };
    const double whole_ns = 60e9;
    if (options->seconds > 0) return PLX_OK;
    /* Work other than sampling does not shrink with the time per case, so this takes a few
     * steps. */
    double least = 0.005, most = 2;
    for (int look = 0; look < LOOKS; ++look) {
        int64_t ns;
        options->seconds = (least + most) / 2;
        const plx_status status = expected(ctx, options, &ns);
        if (status != PLX_OK) return status;
        *((double)ns > whole_ns ? &most : &least) = options->seconds;
    }
    options->seconds = least;
    return PLX_OK;
}
