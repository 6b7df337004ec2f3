/* Profiles: how steps were computed, and figures that add up. */
#include "bench/levels.h"
#include "bench/profile.h"

#include "check.h"

#include <math.h>
#include <string.h>

/* Whether some step of the model's plan was computed by this method. */
static void method(plx_check *t, plx_ctx *ctx, const char *model, int64_t batch, bool training,
                   const char *wanted) {
    const plx_network_options options = {.model = model,
                                         .batch = batch,
                                         .training = training,
                                         .loss = PLX_LOSS_CROSS_ENTROPY,
                                         .plan = plx_plan_default()};
    plx_network network = {0};
    bool found = false;
    if (!CHECK(t, plx_network_open(ctx, &options, &network) == PLX_OK, "%s", plx_message(ctx)))
        return;
    plx_plan_profile(network.plan, true);
    CHECK(t, plx_network_run(&network, 2) == PLX_OK, "%s: %s", model, plx_message(ctx));
    const int threads = plx_ctx_get_info(ctx).threads;
    for (int i = 0; i < plx_plan_steps(network.plan); ++i) {
        const plx_step_info step = plx_plan_step(network.plan, i);
        found |= !strcmp(step.method, wanted);
        CHECK(t, *step.method || step.kept || !step.rank || !strcmp(step.op, "buffer"),
              "%s, step %d, %s: how it was computed is not known", model, i, step.op);
        CHECK(t, step.kept ? !step.workers : step.workers >= 1 && step.workers <= threads,
              "%s, step %d: %g of %d threads", model, i, step.workers, threads);
    }
    CHECK(t, found, "%s of %lld: no step by %s", model, (long long)batch, wanted);
    plx_network_free(&network);
}

static void methods(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *model;
        int batch;
        bool training;
        const char *method;
    } rows[] = {
        {"mlp:40-30-4", 1, true, "gemv"},    {"mlp:40-30-4", 8, false, "gemm packed"},
        {"mlp:40-30-4", 8, true, "gemm"},    {"resnet-nano", 2, false, "winograd"},
        {"resnet-nano", 2, true, "lowered"}, {"resnet-nano", 2, true, "columns"},
        {"gpt2-nano", 2, true, "tiles"},     {"gpt2-nano", 2, true, "rows, sums kept"},
        {"gpt2-nano", 2, true, "pieces"},    {"mlp:40-30-4", 8, true, "columns"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i)
        method(t, ctx, rows[i].model, rows[i].batch, rows[i].training, rows[i].method);
}

/* Sizes below 1 MiB have 400 GB/s, larger ones 50, as where the system reports no caches; where it
 * does, levels are its own, and those it measured still count. */
static void levels(plx_check *t, const plx_ctx *ctx) {
    plx_bandwidth_point points[PLX_SWEEP_POINTS] = {0};
    plx_memory_level found[PLX_MEMORY_LEVELS];
    int count = 0;
    for (; plx_sweep_bytes(count); ++count) {
        points[count].bytes = (double)plx_sweep_bytes(count);
        for (int k = 0; k < PLX_STREAMS; ++k)
            points[count].bandwidth[k] = points[count].bytes < 1 << 20 ? 400 : 50;
        CHECK(t, !count || points[count].bytes >= 2 * points[count - 1].bytes, "size %d", count);
    }
    const int levels = plx_memory_levels(ctx, count, points, found);
    if (!CHECK(t, levels >= 2, "%d levels", levels)) return;
    CHECK(t, found[0].bandwidth[PLX_STREAM_COPY] == 400, "nearest: %g", found[0].bandwidth[1]);
    CHECK(t,
          found[levels - 1].bandwidth[PLX_STREAM_COPY] == 50 && isinf(found[levels - 1].capacity),
          "furthest: %g", found[levels - 1].bandwidth[1]);
    CHECK(t,
          plx_memory_level_of(levels, found, 1) == 0 &&
              plx_memory_level_of(levels, found, 1e15) == levels - 1,
          "levels of 1 byte and of 1e15");
}

static void check_steps(plx_check *t, const plx_profile *profile, const plx_plan *plan) {
    const plx_profile_total total = plx_profile_get(profile);
    double share = 0, ns = 0, least = 0, bounded = 0;
    for (int i = 0; i < plx_plan_steps(plan); ++i) {
        const plx_profile_step step = plx_profile_step_at(profile, i);
        const plx_step_info info = plx_plan_step(plan, i);
        share += step.share;
        ns += step.ns;
        least += step.least_ns;
        bounded += *step.limit && !*step.failure ? step.ns : 0;
        CHECK(t, step.ns > 0 && step.median_ns > 0 && isfinite(step.ns), "%s: %g ns", info.op,
              step.ns);
        CHECK(t, step.roofline <= 1.05 && (step.least_ns > 0) == (step.roofline > 0),
              "%s: %g of the roofline", info.op, step.roofline);
        CHECK(t, !(*step.failure && step.least_ns > 0), "%s: %s, but %g ns", info.op, step.failure,
              step.least_ns);
        CHECK(t, fabs(step.gflops * step.ns - info.flops) <= 1e-9 * info.flops, "%s: %g GFLOP/s",
              info.op, step.gflops);
        CHECK(t, fabs(step.roofline * step.ns - step.least_ns) <= 1e-9 * step.ns,
              "%s: %g of the roofline", info.op, step.roofline);
        CHECK(t, !(step.least_ns > 0) || step.least_ns * total.peak >= info.flops * (1 - 1e-9),
              "%s: its arithmetic takes more than %g ns", info.op, step.least_ns);
    }
    CHECK(t, fabs(share - 1) < 1e-9, "shares add up to %g", share);
    CHECK(t, fabs(ns - total.steps_ns) <= 1e-9 * ns, "%g ns, not %g", total.steps_ns, ns);
    CHECK(t, fabs(bounded - total.bounded_ns) <= 1e-9 * ns, "%g ns, not %g", total.bounded_ns,
          bounded);
    CHECK(t, total.ns > 0 && total.steps_ns > 0.3 * total.ns, "steps take %g ns of %g",
          total.steps_ns, total.ns);
    CHECK(t, total.roofline <= 1.05 && (total.least_ns > 0 || *total.note), "no ceilings, no note");
    CHECK(t, fabs(least - total.least_ns) <= 1e-9 * least, "%g ns, not %g", total.least_ns, least);
}

static void check_items(plx_check *t, const plx_profile *profile, const plx_plan *plan) {
    const plx_profile_total total = plx_profile_get(profile);
    double ns = 0, before = INFINITY;
    int steps = 0, largest = 0, run = 0;
    for (int i = 0; i < plx_plan_steps(plan); ++i) run += !plx_plan_step(plan, i).kept;
    for (int i = 0; i < total.items; ++i) {
        const plx_profile_item item = plx_profile_item_at(profile, i);
        CHECK(t, item.over_ns <= before, "item %d is out of order", i);
        before = item.over_ns;
        ns += item.ns;
        steps += item.count;
        largest = item.count > largest ? item.count : largest;
    }
    CHECK(t, steps == run, "%d steps in items, not %d", steps, run);
    CHECK(t, largest == 3, "equal layers are %d steps of one item", largest);
    CHECK(t, fabs(ns - total.steps_ns) <= 1e-9 * ns, "items take %g ns", ns);
}

/* Measures to the end; a failure is left to the caller. */
static plx_status measure(plx_check *t, plx_profile *profile) {
    double fraction = 0, before = 0;
    while (fraction < 1) {
        const plx_status status = plx_profile_advance(profile, 20000000, &fraction);
        if (status != PLX_OK) return status;
        CHECK(t, fraction >= before, "from %g to %g", before, fraction);
        before = fraction;
    }
    return PLX_OK;
}

static void whole(plx_check *t, plx_ctx *ctx, plx_network *network) {
    plx_profile *profile = NULL;
    plx_status status = plx_profile_new(network, &profile);
    if (status == PLX_OK) status = measure(t, profile);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        const plx_profile_total total = plx_profile_get(profile);
        CHECK(t, total.rounds >= 3 && total.runs >= total.rounds && total.ns > 0, "%d runs",
              total.runs);
        check_steps(t, profile, network->plan);
        check_items(t, profile, network->plan);
        CHECK(t,
              plx_profile_step_at(profile, -1).ns == 0 &&
                  !*plx_profile_step_at(profile, 99).failure,
              "there is a step that is none");
        CHECK(t,
              plx_profile_item_at(profile, -1).step == -1 &&
                  plx_profile_item_at(profile, 99).step == -1,
              "there is an item that is none");
        CHECK(t,
              !plx_profile_level_at(profile, -1, NULL) && !plx_profile_level_at(profile, 99, NULL),
              "there is a level that is none");
    }
    plx_profile_free(profile);
}

/* Where nothing holds: a clock that resolves no step, and ceilings that every step exceeds. Nothing
 * is given as a measurement then, and each step says why. */
static void nothing_holds(plx_check *t, plx_ctx *ctx, plx_network *network, double clock_ns,
                          double stricter, const char *reason, const char *note) {
    plx_profile *profile = NULL;
    double fraction;
    plx_status status = plx_profile_new(network, &profile);
    if (status == PLX_OK) status = plx_profile_advance(profile, 0, &fraction);
    if (status == PLX_OK) plx__profile_pretend(profile, clock_ns, stricter);
    if (status == PLX_OK) status = measure(t, profile);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        const plx_profile_total total = plx_profile_get(profile);
        CHECK(t, total.least_ns == 0 && total.roofline == 0 && total.bounded_ns == 0,
              "the ceilings allow %g ns", total.least_ns);
        CHECK(t, strstr(total.note, note), "\"%s\" lacks \"%s\"", total.note, note);
        CHECK(t, (total.steps_ns > 0) == !(clock_ns > 0), "the steps take %g ns", total.steps_ns);
        CHECK(t, (total.items > 0) == !(clock_ns > 0), "%d items", total.items);
        for (int i = 0; i < plx_plan_steps(network->plan); ++i) {
            const plx_profile_step step = plx_profile_step_at(profile, i);
            CHECK(t, strstr(step.failure, reason), "step %d: \"%s\"", i, step.failure);
            CHECK(t, step.roofline == 0 && step.least_ns == 0, "step %d has a share", i);
            CHECK(t,
                  clock_ns > 0 ? step.ns == 0 && step.share == 0 && step.gflops == 0
                               : step.ns > 0 && step.share > 0,
                  "step %d: %g ns", i, step.ns);
        }
        for (int i = 0; i < total.items; ++i)
            CHECK(t, plx_profile_item_at(profile, i).over_ns == 0, "item %d has time above", i);
    }
    plx_profile_free(profile);
}

static void equal_layers(plx_check *t, plx_ctx *ctx) {
    const plx_network_options options = {
        .model = "mlp:32-32-32-32-4", .batch = 8, .plan = plx_plan_default()};
    plx_network network = {0};
    if (CHECK(t, plx_network_open(ctx, &options, &network) == PLX_OK, "%s", plx_message(ctx))) {
        whole(t, ctx, &network);
        nothing_holds(t, ctx, &network, 1e12, 1, "too short for this clock of 1e+09 us",
                      "Steps too short for this clock: 4.");
        nothing_holds(t, ctx, &network, 0, 1e9, "faster than",
                      "Steps faster than their ceilings: 4.");
    }
    plx_network_free(&network);
}

/* A value folded from the parameters is not finite: other steps run than those of the plan. */
static void unfolded(plx_check *t, plx_ctx *ctx) {
    const plx_network_options options = {
        .model = "resnet-nano", .batch = 1, .plan = plx_plan_default()};
    plx_network network = {0};
    plx_profile *profile = NULL;
    plx_status status = plx_network_open(ctx, &options, &network);
    if (status == PLX_OK) status = plx_profile_new(&network, &profile);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        const plx_weights *weights = plx_model_weights(network.model);
        for (int i = 0; i < plx_weights_count(weights); ++i) {
            const char *name;
            plx_tensor *tensor = plx_weights_at(weights, i, &name, NULL);
            if (strstr(name, ".scale")) *(plx_real *)plx_tensor_data(tensor) = (plx_real)INFINITY;
        }
        CHECK(t, measure(t, profile) == PLX_ERR_UNSUPPORTED, "a plan that did not run has times");
        CHECK(t, strstr(plx_message(ctx), "leave out the pass fold"), "\"%s\"", plx_message(ctx));
        plx_plan_profile(network.plan, true);
        CHECK(t, plx_network_run(&network, 1) == PLX_OK, "%s", plx_message(ctx));
        for (int i = 0; i < plx_plan_steps(network.plan); ++i) {
            const plx_step_info step = plx_plan_step(network.plan, i);
            CHECK(t, step.nanoseconds == 0 && step.workers == 0, "step %d did not run", i);
        }
    }
    plx_profile_free(profile);
    plx_network_free(&network);
}

void plx_test_bench_profile(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    methods(t, ctx);
    levels(t, ctx);
    if (PLX_AS_SHIPPED) equal_layers(t, ctx);
    if (PLX_AS_SHIPPED) unfolded(t, ctx);
    plx_ctx_free(ctx);
}
