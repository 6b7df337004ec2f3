/* Timed runs of models for JavaScript; see exports.c for the conventions. */
#include "exports.h"

#include "base/platform.h"
#include "bench/network.h"

#include <stdlib.h>

/* Returns the step of the clock in nanoseconds. */
EXPORT double plx_js_clock_step_ns(void) {
    return (double)plx__clock_step_ns();
}

EXPORT void plx_js_timing_free(plx_network *network) {
    if (network) plx_network_free(network);
    free(network);
}

/* Prepares runs of a model by name: of a training step with this optimizer, or of a prediction.
 * Results: made. Freed by plx_js_timing_free. */
EXPORT int plx_js_timing_new(const char *model, double batch, bool training, int optimizer,
                             double seed) {
    const plx_optimizer_options settings = plx_optimizer_default((plx_optimizer_kind)optimizer);
    const plx_network_options options = {
        .model = model,
        .batch = (int64_t)batch,
        .training = training,
        .optimizer = &settings,
        .loss = PLX_LOSS_CROSS_ENTROPY,
        .seed = (uint64_t)seed,
        .plan = plx_plan_default(),
    };
    plx_network *network = calloc(1, sizeof *network);
    if (!network) return plx__js_fail(PLX_ERR_MEMORY, "timing: out of memory");
    plx_status status = plx_network_open(plx__js_context(), &options, network);
    /* A step that changes no weight takes the same time; thousands that do might end in values that
     * are slow to compute with. */
    if (status == PLX_OK && network->optimizer)
        status = plx_optimizer_set_rate(network->optimizer, 0);
    if (status == PLX_OK)
        plx__js_made(network);
    else
        plx_js_timing_free(network);
    return status;
}

/* Runs so many times. Results: timed. */
EXPORT int plx_js_timing_run(plx_network *network, double times) {
    const int64_t start = plx_platform_now_ns();
    const plx_status status = plx_network_run(network, (int64_t)times);
    plx__js_left.timed = (plx__left_timed){
        .nanoseconds = (double)(plx_platform_now_ns() - start),
        .threads = plx_ctx_get_info(plx__js_context()).threads,
    };
    return status;
}

/* Hashes what the last run computed: the loss of a training step, the first output of a prediction.
 * Results: hash. */
EXPORT void plx_js_timing_hash(plx_network *network) {
    const int64_t count = network->optimizer ? 1 : network->batch * network->out;
    const uint64_t hash = plx__losses_hash(plx_network_result(network), count);
    plx__js_left.hash = (plx__left_hash){
        .high = (double)(hash >> 32),
        .low = (double)(hash & UINT32_MAX),
    };
}
