/* Suite adaptive: when more than one thread pays off, layer by layer and batch by batch. */
#include "bench/network.h"

#include "base/context.h"
#include "base/platform.h"

#include <math.h>
#include <string.h>

static const char *const modes[] = {"sequential", "parallel", "adaptive"};
enum { SEQUENTIAL, PARALLEL, ADAPTIVE, MODES };
static const char *const layers[] = {"784-200", "200-10"};
enum { LAYERS = 2, NETWORK = LAYERS, SOFTMAX_LAYER = 1 };
static const int batches[] = {1, 2, 4, 8, 16, 32, 64, 128};
enum { BATCHES = sizeof batches / sizeof *batches, PIXELS = 784 };

typedef struct layer_state {
    plx_network network;
    plx_real *x;
    int32_t *labels;
} layer_state;

static plx_plan_options options_of(int mode) {
    plx_plan_options options = plx_plan_default();
    if (mode == SEQUENTIAL) options.threads = 1;
    if (mode == PARALLEL) options.passes &= ~PLX_PASS_PARALLEL;
    return options;
}

/* Images and their labels, or noise in their place. */
static void fill_digits(plx_bench *bench, int64_t rows, plx_real *x, int32_t *labels) {
    const plx_learning_digits *digits = plx__bench_options(bench)->digits;
    plx_rng rng = plx_rng_new(plx__bench_options(bench)->seed, 950);
    for (int64_t i = 0; i < rows; ++i) {
        const int64_t image = digits ? i % digits->images.dims[0] : 0;
        for (int64_t p = 0; p < PIXELS; ++p)
            x[i * PIXELS + p] = digits ? (plx_real)digits->images.data[image * PIXELS + p] / 255
                                       : (plx_real)plx_rng_uniform(&rng);
        labels[i] = digits ? digits->labels.data[image] : (int32_t)plx_rng_below(&rng, 10);
    }
}

static plx_status open_network(plx_bench *bench, const plx_case *c, int mode, layer_state *s) {
    const bool whole = c->group == NETWORK * BATCHES;
    const int layer = whole ? NETWORK : c->group / BATCHES;
    char model[32];
    plx__format(model, sizeof model, "mlp:%s", whole ? "784-200-10" : layers[layer]);
    const plx_network_options options = {
        .model = model,
        .batch = c->size,
        .training = whole && c->size > 1,
        .loss = PLX_LOSS_CROSS_ENTROPY,
        .softmax = layer == SOFTMAX_LAYER,
        .seed = plx__bench_options(bench)->seed,
        .plan = options_of(mode),
        .inputs = {layer == SOFTMAX_LAYER ? NULL : s->x},
        .targets = {s->labels},
    };
    return plx_network_open(plx__bench_ctx(bench), &options, &s->network);
}

static void close_layer(plx_case *c) {
    layer_state *s = c->state;
    if (!s) return;
    plx_network_free(&s->network);
    plx_platform_free(s->x);
    plx_platform_free(s->labels);
    plx_platform_free(s);
    c->state = NULL;
}

static plx_status open_layer(plx_bench *bench, plx_case *c) {
    layer_state *s = c->state = plx_platform_alloc(sizeof *s);
    if (!s) return plx__bench_fail(bench, PLX_ERR_MEMORY, "adaptive: no memory");
    memset(s, 0, sizeof *s);
    s->x = plx_platform_alloc((size_t)c->size * PIXELS * sizeof *s->x);
    s->labels = plx_platform_alloc((size_t)c->size * sizeof *s->labels);
    if (!s->x || !s->labels) return plx__bench_fail(bench, PLX_ERR_MEMORY, "adaptive: no memory");
    fill_digits(bench, c->size, s->x, s->labels);
    const plx_status status = open_network(bench, c, c->variant, s);
    if (status == PLX_OK) c->flops = plx_plan_flops(s->network.plan);
    return status;
}

static plx_status run_layer(plx_bench *bench, plx_case *c, int64_t iterations) {
    (void)bench;
    layer_state *s = c->state;
    return plx_network_run(&s->network, iterations);
}

/* Threads never change a bit: in every mode, the outputs are those of one thread. */
static plx_status check_layer(plx_bench *bench, plx_case *c) {
    layer_state *s = c->state;
    layer_state one = {.x = s->x, .labels = s->labels};
    plx_status status = open_network(bench, c, SEQUENTIAL, &one);
    if (status == PLX_OK) status = plx_network_run(&one.network, 1);
    if (status == PLX_OK) {
        const size_t bytes = (size_t)(one.network.batch * one.network.out) * sizeof(plx_real);
        if (memcmp(plx_network_result(&s->network), plx_network_result(&one.network), bytes) != 0)
            plx__case_void(c, "the outputs differ from those of one thread");
    }
    plx_network_free(&one.network);
    return status;
}

static plx_case *add(plx_bench *bench, int group, int mode, int64_t batch, const char *name) {
    const plx_learning_digits *digits = plx__bench_options(bench)->digits;
    plx_case *c = plx__bench_add(bench, group, "%s", name);
    if (!c) return NULL;
    c->size = batch;
    c->variant = mode;
    c->flops = 1; /* known when opened */
    c->open = open_layer;
    c->run = run_layer;
    c->close = close_layer;
    c->real = digits && group / BATCHES != SOFTMAX_LAYER;
    c->data_source = c->real ? digits->source : "uniform noise";
    c->data_sha256 = c->real ? digits->sha256 : NULL;
    plx__case_number(c, "batch", (double)batch);
    plx__case_text(c, "mode", modes[mode]);
    return c;
}

static void layer_name(int layer, int batch, int mode, char *name, size_t bytes) {
    plx__format(name, bytes, "%s, batch %d, %s", layers[layer], batch, modes[mode]);
}

static plx_status plan(plx_bench *bench) {
    for (int i = 0; i < LAYERS * BATCHES * MODES; ++i) {
        const int mode = i % MODES, group = i / MODES, batch = batches[group % BATCHES];
        char name[64];
        layer_name(group / BATCHES, batch, mode, name, sizeof name);
        plx_case *c = add(bench, group, mode, batch, name);
        if (!c) continue;
        c->check = check_layer;
        plx__case_text(c, "layer", layers[group / BATCHES]);
        plx__case_metric(c, "layer time", "us", "lower", mode == ADAPTIVE, PLX_METRIC_TIME, 1e-3);
    }
    plx_case *latency = add(bench, NETWORK * BATCHES, ADAPTIVE, 1, "784-200-10 latency, batch 1");
    if (latency) {
        plx__case_metric(latency, "latency", "us", "lower", true, PLX_METRIC_TIME, 1e-3);
        plx__case_metric(latency, "latency, 99th percentile", "us", "lower", false, PLX_METRIC_TAIL,
                         1e-3);
    }
    plx_case *training =
        add(bench, NETWORK * BATCHES, ADAPTIVE, 64, "784-200-10 training, batch 64");
    if (training)
        plx__case_metric(training, "training throughput", "samples/s", "higher", true,
                         PLX_METRIC_RATE, 64e9);
    return PLX_OK;
}

static double median(plx_bench *bench, int layer, int batch, int mode) {
    char name[64];
    layer_name(layer, batch, mode, name, sizeof name);
    const plx_case *c = plx__bench_find(bench, name);
    return c ? plx__case_median_ns(c) : NAN;
}

/* From which batch size on more threads were faster than one, and what adapting cost at worst. */
static void derive(plx_bench *bench, int layer) {
    double crossing = NAN, excess = NAN;
    for (int b = BATCHES - 1; b >= 0; --b) {
        const double one = median(bench, layer, batches[b], SEQUENTIAL);
        const double all = median(bench, layer, batches[b], PARALLEL);
        const double own = median(bench, layer, batches[b], ADAPTIVE);
        const double over = 100 * (own / (one < all ? one : all) - 1);
        if (isfinite(over) && !(over <= excess)) excess = over;
    }
    for (int b = BATCHES - 1; b >= 0; --b) {
        if (!(median(bench, layer, batches[b], PARALLEL) <
              median(bench, layer, batches[b], SEQUENTIAL)))
            break;
        crossing = batches[b];
    }
    plx_case *c =
        plx__bench_add(bench, LAYERS * BATCHES + 1, "%s, when to use threads", layers[layer]);
    if (!c) return;
    if (isfinite(crossing)) plx__case_derived(c, "crossing point", "rows", crossing, NAN, NAN);
    if (isfinite(excess)) plx__case_derived(c, "cost of adapting", "%", excess, NAN, NAN);
    const plx_case sample = {.group = layer * BATCHES, .size = 1};
    layer_state s = {0};
    if (open_network(bench, &sample, ADAPTIVE, &s) == PLX_OK) {
        const double rows = plx_plan_threshold_rows(s.network.plan, 0);
        if (rows > 0) plx__case_derived(c, "threshold", "rows", rows, NAN, NAN);
    }
    plx_network_free(&s.network);
    c->finished = true;
}

static plx_status finish(plx_bench *bench) {
    for (int layer = 0; layer < LAYERS; ++layer) derive(bench, layer);
    plx_case *c = plx__bench_add(bench, LAYERS * BATCHES + 1, "fork-join");
    if (c)
        plx__case_derived(c, "fork-join cost", "ns",
                          plx_ctx_get_info(plx__bench_ctx(bench)).fork_join_ns, NAN, NAN);
    return PLX_OK;
}

const plx_suite plx__suite_adaptive = {
    .name = "adaptive",
    .description = "When to use more than one thread: sequential, parallel, and the plan's choice",
    .plan = plan,
    .finish = finish,
};
