/* Profiles for JavaScript; see exports.c for the conventions. */
#include "exports.h"

#include "bench/profile.h"

/* One profile is made at a time. */
static plx_network network;
static plx_profile *profile;

EXPORT void plx_js_profile_free(void) {
    plx_profile_free(profile);
    plx_network_free(&network);
    profile = NULL;
}

/* Prepares the profile of a model by name: of a training step with Adam, or of a prediction. loss:
 * for models without one of their own; -1: not given. */
EXPORT int plx_js_profile_new(const char *model, double batch, bool training, int loss,
                              double seed) {
    const plx_network_options options = {
        .model = model,
        .batch = (int64_t)batch,
        .training = training,
        .loss = loss < 0 ? PLX_LOSS_CROSS_ENTROPY : (plx_loss)loss,
        .seed = (uint64_t)seed,
        .plan = plx_plan_default(),
    };
    const plx_status status = plx_network_open(plx__js_context(), &options, &network);
    if (status != PLX_OK) return status;
    if (loss >= 0 && loss != PLX_LOSS_OWN && plx_model_has_loss(network.model))
        return plx__js_fail(PLX_ERR_ARGUMENT, "loss: %s trains with its own; leave it out", model);
    return plx_profile_new(&network, &profile);
}

/* Returns the fraction that is done, 1 when there are results, or the status of a failure. */
EXPORT double plx_js_profile_advance(double slice_ns) {
    double fraction = 0;
    const plx_status status = plx_profile_advance(profile, (int64_t)slice_ns, &fraction);
    return status == PLX_OK ? fraction : status;
}

/* Returns the plan, which is freed with the profile. */
EXPORT plx_plan *plx_js_profile_plan(void) {
    return network.plan;
}

/* Results: profile. */
EXPORT void plx_js_profile_total(void) {
    const plx_profile_total total = plx_profile_get(profile);
    plx__js_left.profile = (plx__left_profile){
        .rounds = total.rounds,
        .runs = total.runs,
        .nanoseconds = total.ns,
        .median_ns = total.median_ns,
        .steps_ns = total.steps_ns,
        .bounded_ns = total.bounded_ns,
        .least_ns = total.least_ns,
        .roofline = total.roofline,
        .peak = total.peak,
        .levels = total.levels,
        .items = total.items,
        .note = plx__js_address(total.note),
    };
}

/* Results: profiled. */
EXPORT void plx_js_profile_step(int i) {
    const plx_profile_step step = plx_profile_step_at(profile, i);
    plx__js_left.profiled = (plx__left_profiled){
        .nanoseconds = step.ns,
        .median_ns = step.median_ns,
        .share = step.share,
        .gflops = step.gflops,
        .gbytes = step.gbytes,
        .least_ns = step.least_ns,
        .roofline = step.roofline,
        .limit = plx__js_address(step.limit),
        .method = plx__js_address(step.method),
        .workers = step.workers,
        .failure = plx__js_address(step.failure),
    };
}

/* Results: item. */
EXPORT void plx_js_profile_item(int i) {
    const plx_profile_item item = plx_profile_item_at(profile, i);
    plx__js_left.item = (plx__left_item){
        .step = item.step,
        .count = item.count,
        .nanoseconds = item.ns,
        .over_ns = item.over_ns,
    };
}

/* Results: level. */
EXPORT void plx_js_profile_level(int i) {
    double bandwidth[3] = {0};
    const char *name = plx_profile_level_at(profile, i, bandwidth);
    plx__js_left.level = (plx__left_level){
        .name = plx__js_address(name),
        .read = bandwidth[PLX_STREAM_READ],
        .copy = bandwidth[PLX_STREAM_COPY],
        .add = bandwidth[PLX_STREAM_ADD],
    };
}
