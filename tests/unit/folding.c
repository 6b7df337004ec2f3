/* Folding: norms and scales after products with weights that stay, against the same plan without
 * the pass; values that are not finite; whoever writes a parameter; plans share what is folded. */
#include "bench/network.h"
#include "check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- A product, then a norm or a scale ------------------------------------------------------- */

typedef struct form {
    const char *name;
    int64_t x[4], w[4]; /* an image, or rows in x[2] */
    int64_t stride, groups;
    bool image, bias, scale, shift;
    double factor; /* 0: a norm; else a scale by it */
} form;

static const form forms[] = {
    {"matmul", {1, 1, 7, 13}, {1, 1, 13, 5}, 1, 1, false, false, true, true, 0},
    {"dense", {1, 1, 33, 40}, {1, 1, 40, 37}, 1, 1, false, true, true, true, 0},
    {"no scale", {1, 1, 7, 13}, {1, 1, 13, 5}, 1, 1, false, true, false, true, 0},
    {"no shift", {1, 1, 7, 13}, {1, 1, 13, 5}, 1, 1, false, false, true, false, 0},
    {"winograd", {2, 9, 8, 16}, {3, 3, 16, 24}, 1, 1, true, false, true, true, 0},
    {"lowered", {2, 9, 8, 6}, {3, 3, 6, 20}, 2, 1, true, true, true, true, 0},
    {"groups", {2, 9, 8, 6}, {3, 3, 3, 8}, 1, 2, true, false, true, true, 0},
    {"pixels", {2, 5, 6, 16}, {1, 1, 16, 9}, 1, 1, true, false, true, true, 0},
    {"depthwise", {2, 9, 8, 9}, {3, 3, 1, 9}, 1, 9, true, true, true, true, 0},
    {"scatter", {2, 9, 8, 9}, {3, 3, 9, 3}, 1, 1, true, false, true, true, 0},
    {"scaled", {1, 1, 7, 13}, {1, 1, 13, 5}, 1, 1, false, true, false, false, -0.3},
    {"scaled pixels", {2, 9, 8, 16}, {3, 3, 16, 24}, 1, 1, true, false, false, false, 1.7},
    {"power of two", {1, 1, 33, 40}, {1, 1, 40, 37}, 1, 1, false, true, false, false, 0.25},
};

enum { FORMS = sizeof forms / sizeof *forms, CHANNELS = 40, WITHOUT = 0, WITH = 1 };
enum { WEIGHT, BIAS, MEAN, VARIANCE, SCALE, SHIFT, TENSORS };

/* The same graph as two plans. */
typedef struct pair {
    plx_ctx *ctx;
    const form *of;
    plx_graph *graph;
    plx_node x, y;
    plx_tensor *tensors[TENSORS];
    plx_plan *plans[2];
    plx_real *data;
    int64_t channels, size, terms; /* of the result; of each sum */
} pair;

static const double epsilon = 1e-5;

static void fill(uint64_t seed, int64_t size, plx_real *to) {
    plx_rng rng = plx_rng_new(seed, 0);
    for (int64_t i = 0; i < size; ++i) to[i] = (plx_real)(2 * plx_rng_uniform(&rng) - 1);
}

/* Ordinary values: variances and scales are above 0. */
static void fill_tensors(pair *p) {
    for (int i = 0; i < TENSORS; ++i) {
        plx_real *values = plx_tensor_data(p->tensors[i]);
        const int64_t size = plx_tensor_size(p->tensors[i]);
        fill((uint64_t)i + 2, size, values);
        for (int64_t k = 0; k < size && (i == VARIANCE || i == SCALE); ++k)
            values[k] = (plx_real)(1.1 + values[k]);
    }
}

static plx_node emit(pair *p) {
    const form *f = p->of;
    plx_node t[TENSORS];
    for (int i = 0; i < TENSORS; ++i) t[i] = plx_parameter(p->graph, NULL, p->tensors[i]);
    plx_conv2d_options options = plx_conv2d_default();
    options.stride[0] = options.stride[1] = f->stride;
    options.groups = f->groups;
    for (int i = 0; i < 4; ++i) options.padding[i] = f->w[0] / 2;
    const plx_node bias = f->bias ? t[BIAS] : plx_none();
    plx_node y = f->image ? plx_conv2d(p->graph, p->x, t[WEIGHT], bias, &options)
                          : plx_matmul(p->graph, p->x, t[WEIGHT], false, false);
    if (f->bias && !f->image) y = plx_bias(p->graph, y, bias);
    y = f->factor != 0 ? plx_mul(p->graph, plx_constant(p->graph, f->factor), y)
                       : plx_batch_norm(p->graph, y, f->scale ? t[SCALE] : plx_none(),
                                        f->shift ? t[SHIFT] : plx_none(), t[MEAN], t[VARIANCE],
                                        false, 0.1, epsilon);
    return plx_activate(p->graph, y, PLX_LEAKY_RELU, 0.5);
}

static plx_status open_pair(plx_ctx *ctx, const form *f, pair *p) {
    const int from = f->image ? 0 : 2;
    *p = (pair){.ctx = ctx, .of = f, .channels = f->w[3], .terms = f->w[0] * f->w[1] * f->w[2]};
    const int64_t size = f->x[0] * f->x[1] * f->x[2] * f->x[3];
    p->data = plx_alloc((size_t)size * sizeof *p->data);
    plx_status status = p->data ? plx_graph_new(ctx, &p->graph) : PLX_ERR_MEMORY;
    for (int i = 0; i < TENSORS && status == PLX_OK; ++i)
        status = plx_tensor_new(ctx, PLX_DTYPE_REAL, i == WEIGHT ? 4 - from : 1,
                                i == WEIGHT ? f->w + from : &p->channels, &p->tensors[i]);
    if (status != PLX_OK) return status;
    fill(1, size, p->data);
    fill_tensors(p);
    p->x = plx_input(p->graph, "x", PLX_DTYPE_REAL, 4 - from, f->x + from);
    p->y = emit(p);
    const int64_t *dims;
    const int rank = plx_node_shape(p->graph, p->y, &dims);
    p->size = 1;
    for (int i = 0; i < rank; ++i) p->size *= dims[i];
    for (int with = 0; with < 2 && status == PLX_OK; ++with) {
        plx_plan_options options = plx_plan_default();
        options.constant_parameters = true;
        options.passes &= ~PLX_PASS_CHAIN; /* which would hide the steps */
        if (!with) options.passes &= ~PLX_PASS_FOLD;
        status = plx_compile(p->graph, 1, &p->y, &options, &p->plans[with]);
        if (status == PLX_OK) status = plx_plan_bind(p->plans[with], p->x, p->data);
    }
    return status;
}

static void close_pair(pair *p) {
    for (int with = 0; with < 2; ++with) plx_plan_free(p->plans[with]);
    plx_graph_free(p->graph);
    for (int i = 0; i < TENSORS; ++i) plx_tensor_free(p->tensors[i]);
    plx_free(p->data);
}

static const plx_real *result(const pair *p, int with) {
    return plx_plan_output(p->plans[with], p->y);
}

static bool run_pair(plx_check *t, pair *p, const char *what) {
    plx_status status = plx_plan_run(p->plans[WITHOUT]);
    if (status == PLX_OK) status = plx_plan_run(p->plans[WITH]);
    return CHECK(t, status == PLX_OK, "%s, %s: %s", p->of->name, what, plx_message(p->ctx));
}

static int steps_of(const plx_plan *plan, const char *op) {
    int steps = 0;
    for (int i = 0; i < plx_plan_steps(plan); ++i) {
        const plx_step_info step = plx_plan_step(plan, i);
        steps += !step.kept && (!op || !strcmp(step.op, op));
    }
    return steps;
}

/* ---- Rounding -------------------------------------------------------------------------------- */

static double value_of(const pair *p, int tensor, bool present, double other, int64_t channel) {
    return present ? (double)((const plx_real *)plx_tensor_data(p->tensors[tensor]))[channel]
                   : other;
}

/* With A = max |x| times the sum of |w| of a channel, at least the size of all partial sums, and s
 * what it is multiplied by: a sum of n products errs by (n + 8) eps A (8 times that by Winograd's
 * method: tests/unit/convolution.c), as does that with w s, which is rounded twice. Bias, mean and
 * shift are rounded with their sums, on either side at most four times. Values below the smallest
 * normal number may be lost. The activation does not enlarge an error. */
static double bound_of(const pair *p, int64_t channel) {
    const double eps = sizeof(plx_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    const double least = sizeof(plx_real) == sizeof(float) ? FLT_MIN : DBL_MIN;
    const form *f = p->of;
    const bool norm = f->factor == 0, winograd = f->w[0] == 3 && f->w[2] >= 16;
    const plx_real *w = plx_tensor_data(p->tensors[WEIGHT]);
    double sum = 0;
    for (int64_t i = channel; i < p->terms * p->channels; i += p->channels)
        sum += fabs((double)w[i]);
    const double r = 1 / sqrt(value_of(p, VARIANCE, norm, 1 - epsilon, channel) + epsilon);
    const double s = fabs(norm ? value_of(p, SCALE, f->scale, 1, channel) * r : f->factor);
    const double moved =
        fabs(value_of(p, BIAS, f->bias, 0, channel)) + fabs(value_of(p, MEAN, norm, 0, channel));
    const double shift = fabs(value_of(p, SHIFT, norm && f->shift, 0, channel));
    const double n = (double)p->terms;
    return eps * (s * sum * (2 * (n + 8) * (winograd ? 8 : 1) + 8) + 8 * (s * moved + shift)) +
           least * (n + 8) * (1 + s);
}

/* A case of statistics: all channels of one tensor get a value. */
static const struct extreme {
    const char *name;
    int tensor;
    double value;
    bool fits; /* the folded values are finite */
} extremes[] = {
    {"usual", -1, 0, true},
    {"variance 0", VARIANCE, 0, true},
    {"huge variance", VARIANCE, 1e30, true},
    {"tiny variance", VARIANCE, 1e-30, true},
    {"huge mean", MEAN, 1e20, true},
    {"huge scale", SCALE, 1e20, true},
    {"tiny scale", SCALE, 1e-30, true},
    {"scale 0", SCALE, 0, true},
    {"negative scale", SCALE, -2, true},
    {"huge weight", WEIGHT, 1e20, true},
    {"infinite scale", SCALE, HUGE_VAL, false},
    {"no number as scale", SCALE, NAN, false},
    {"negative variance", VARIANCE, -1, false},
    {"infinite mean", MEAN, HUGE_VAL, false},
    {"infinite shift", SHIFT, -HUGE_VAL, false},
    {"infinite weight", WEIGHT, HUGE_VAL, false},
    {"infinite bias", BIAS, HUGE_VAL, false},
    {"largest scale", SCALE, sizeof(plx_real) == sizeof(float) ? 3e38 : 1e308, false},
};

static bool applies(const form *f, int tensor) {
    if (tensor == SCALE) return f->scale;
    if (tensor == SHIFT) return f->shift;
    if (tensor == BIAS) return f->bias;
    return tensor < 0 || tensor == WEIGHT || f->factor == 0;
}

static void set_extreme(pair *p, const struct extreme *extreme) {
    fill_tensors(p);
    if (extreme->tensor < 0) return;
    plx_tensor *tensor = p->tensors[extreme->tensor];
    plx_real *values = plx_tensor_data(tensor);
    for (int64_t i = 0; i < plx_tensor_size(tensor); ++i) values[i] = (plx_real)extreme->value;
    /* The largest scale overflows only once it is divided by a small deviation. */
    if (extreme->tensor == SCALE && !extreme->fits)
        memset(plx_tensor_data(p->tensors[VARIANCE]), 0, (size_t)p->channels * sizeof(plx_real));
}

static void check_extreme(plx_check *t, pair *p, const struct extreme *extreme) {
    const char *what = extreme->name;
    set_extreme(p, extreme);
    if (!run_pair(t, p, what)) return;
    const plx_real *without = result(p, WITHOUT), *with = result(p, WITH);
    if (!extreme->fits) {
        CHECK(t, !memcmp(without, with, (size_t)p->size * sizeof *with),
              "%s, %s: not the bits without folding", p->of->name, what);
        return;
    }
    double bounds[CHANNELS] = {0};
    for (int64_t c = 0; c < p->channels; ++c) bounds[c] = bound_of(p, c);
    for (int64_t i = 0; i < p->size; ++i)
        if (!CHECK(t,
                   isfinite((double)with[i]) &&
                       fabs((double)with[i] - (double)without[i]) <= bounds[i % p->channels],
                   "%s, %s: element %lld is %.9g, and %.9g without folding; the bound is %.3g",
                   p->of->name, what, (long long)i, (double)with[i], (double)without[i],
                   bounds[i % p->channels]))
            break;
}

static void check_form(plx_check *t, plx_ctx *ctx, const form *f) {
    pair p;
    const plx_status status = open_pair(ctx, f, &p);
    if (CHECK(t, status == PLX_OK, "%s: %s", f->name, plx_message(ctx))) {
        const char *op = f->factor != 0 ? "mul" : "batch_norm_inference";
        CHECK(t,
              !steps_of(p.plans[WITH], op) && steps_of(p.plans[WITHOUT], op) == 1 &&
                  steps_of(p.plans[WITH], NULL) == 1,
              "%s: %d steps", f->name, steps_of(p.plans[WITH], NULL));
        CHECK(t,
              plx_plan_memory(p.plans[WITH]).folded > 0 &&
                  !plx_plan_memory(p.plans[WITHOUT]).folded,
              "%s: nothing is folded", f->name);
        for (size_t i = 0; i < sizeof extremes / sizeof *extremes; ++i)
            if (applies(f, extremes[i].tensor)) check_extreme(t, &p, &extremes[i]);
        check_extreme(t, &p, &extremes[0]); /* finite again */
        if (f->factor == 0.25)
            CHECK(t, !memcmp(result(&p, 0), result(&p, 1), (size_t)p.size * sizeof(plx_real)),
                  "%s: other bits", f->name);
    }
    close_pair(&p);
}

/* ---- Sharing --------------------------------------------------------------------------------- */

/* How many of the values that one plan keeps are in the same memory in the other. */
static int shared_values(plx_plan *a, plx_plan *b) {
    plx_plan_table tables[2];
    int shared = 0;
    if (plx_plan_describe(a, &tables[0]) != PLX_OK || plx_plan_describe(b, &tables[1]) != PLX_OK)
        return -1;
    for (int i = 0; i < tables[0].buffers_count; ++i)
        for (int k = 0; k < tables[1].buffers_count; ++k)
            shared += tables[0].buffers[i].kind == PLX_BUFFER_KEPT &&
                      tables[1].buffers[k].kind == PLX_BUFFER_KEPT &&
                      tables[0].buffers[i].data == tables[1].buffers[k].data;
    return shared;
}

/* Places in the arena lie within its bytes; values that are kept have none. */
static void check_places(plx_check *t, const plx_plan *plan, const char *model) {
    const int64_t arena = plx_plan_memory(plan).activations;
    int kept = 0;
    for (int i = 0; i < plx_plan_steps(plan); ++i) {
        const plx_step_info step = plx_plan_step(plan, i);
        kept += step.kept;
        CHECK(t,
              step.kept ? step.arena_offset == -1
                        : step.arena_offset >= -1 && step.arena_offset < arena,
              "%s, step %d: offset %lld of %lld", model, i, (long long)step.arena_offset,
              (long long)arena);
    }
    CHECK(t, kept > 0, "%s keeps no value", model);
}

/* Plans of two batch sizes over the same tensors; the tensors are those of the first. */
static plx_status open_twin(pair *first, form *f, pair *twin) {
    *twin = (pair){.ctx = first->ctx, .of = f, .channels = first->channels};
    plx_plan_options options = plx_plan_default();
    options.constant_parameters = true;
    plx_status status = plx_graph_new(first->ctx, &twin->graph);
    if (status != PLX_OK) return status;
    memcpy(twin->tensors, first->tensors, sizeof twin->tensors);
    twin->x = plx_input(twin->graph, "x", PLX_DTYPE_REAL, 2, f->x + 2);
    twin->y = emit(twin);
    status = plx_compile(twin->graph, 1, &twin->y, &options, &twin->plans[WITH]);
    return status == PLX_OK ? plx_plan_bind(twin->plans[WITH], twin->x, first->data) : status;
}

static void check_sharing(plx_check *t, plx_ctx *ctx) {
    enum { ROWS = 3, ORDERS = 2 };
    for (int order = 0; order < ORDERS; ++order) {
        pair p = {0}, twin = {0};
        form few = forms[1];
        few.x[2] = ROWS;
        plx_status status = open_pair(ctx, &forms[1], &p);
        if (status == PLX_OK) status = open_twin(&p, &few, &twin);
        CHECK(t, shared_values(p.plans[WITH], twin.plans[WITH]) >= 2, "%d values are shared",
              shared_values(p.plans[WITH], twin.plans[WITH]));
        CHECK(t, plx_plan_memory(p.plans[WITH]).folded == plx_plan_memory(twin.plans[WITH]).folded,
              "plans of the same tensors count different bytes");
        fill(20, p.channels, plx_tensor_data(p.tensors[SCALE]));
        if (status == PLX_OK) status = plx_plan_run(twin.plans[WITH]);
        if (status == PLX_OK) status = plx_plan_run(p.plans[order ? WITH : WITHOUT]);
        plx_real rows[ROWS * CHANNELS];
        const size_t bytes = (size_t)(ROWS * p.channels) * sizeof *rows;
        if (status == PLX_OK) memcpy(rows, plx_plan_output(twin.plans[WITH], twin.y), bytes);
        if (order) { /* the plan that computed the values is gone, and another takes them over */
            plx_plan_free(twin.plans[WITH]);
            twin.plans[WITH] = NULL;
            fill(21, p.channels, plx_tensor_data(p.tensors[SHIFT]));
        }
        if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)))
            check_extreme(t, &p, &(struct extreme){"after writing", -1, 0, true});
        plx_plan_free(twin.plans[WITH]);
        plx_graph_free(twin.graph);
        close_pair(&p);
    }
}

/* ---- What does not stay ---------------------------------------------------------------------- */

/* A mask that is drawn anew in each run; and a scale that the plan itself updates. */
static void check_changing(plx_check *t, plx_ctx *ctx) {
    enum { STEPS = 3 };
    const plx_optimizer_options sgd = plx_optimizer_default(PLX_SGD);
    pair p = {0};
    plx_status status = open_pair(ctx, &forms[1], &p);
    plx_real sums[2][STEPS] = {{0}};
    for (int constant = 0; constant < 2 && status == PLX_OK; ++constant) {
        plx_optimizer *optimizer = NULL;
        plx_graph *graph = NULL;
        plx_plan *plan = NULL;
        plx_plan_options options = plx_plan_default();
        options.constant_parameters = constant;
        fill_tensors(&p);
        status = plx_optimizer_new(ctx, &sgd, 1, &p.tensors[SCALE], &optimizer);
        if (status == PLX_OK) status = plx_graph_new(ctx, &graph);
        const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, forms[1].x + 2);
        const plx_node w = plx_parameter(graph, "w", p.tensors[WEIGHT]);
        const plx_node scale = plx_parameter(graph, "scale", p.tensors[SCALE]);
        const plx_node y = plx_batch_norm(
            graph, plx_matmul(graph, x, plx_dropout(graph, w, 0.5, 3), false, false), scale,
            plx_none(), plx_parameter(graph, "mean", p.tensors[MEAN]),
            plx_parameter(graph, "variance", p.tensors[VARIANCE]), false, 0.1, epsilon);
        const plx_node loss = plx_reduce_mean(graph, plx_square(graph, y), PLX_ALL_AXES);
        plx_node gradient = plx_none();
        if (status == PLX_OK) status = plx_gradients(graph, loss, 1, &scale, &gradient);
        const plx_node outputs[] = {loss, plx_update(graph, optimizer, &gradient)};
        if (status == PLX_OK) status = plx_compile(graph, 2, outputs, &options, &plan);
        if (status == PLX_OK) status = plx_plan_bind(plan, x, p.data);
        for (int step = 0; step < STEPS && status == PLX_OK; ++step) {
            status = plx_plan_run(plan);
            sums[constant][step] = *plx_plan_output(plan, loss);
        }
        plx_plan_free(plan);
        plx_graph_free(graph);
        plx_optimizer_free(optimizer);
    }
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)))
        CHECK(t, !memcmp(sums[0], sums[1], sizeof sums[0]) && sums[0][0] != sums[0][1],
              "a plan keeps what its runs change");
    close_pair(&p);
}

/* ---- Models ---------------------------------------------------------------------------------- */

/* Statistics and scales as after training: not 0 and 1. */
static void spread_norms(plx_network *network) {
    const plx_weights *weights = plx_model_weights(network->model);
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        const char *name;
        plx_tensor *tensor = plx_weights_at(weights, i, &name, NULL);
        const char *last = strrchr(name, '.');
        plx_real *values = plx_tensor_data(tensor);
        const bool mean = last && !strcmp(last, ".mean"), scale = last && !strcmp(last, ".scale");
        const bool spread = mean || scale || (last && !strcmp(last, ".variance"));
        if (!spread) continue;
        fill((uint64_t)i + 30, plx_tensor_size(tensor), values);
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k)
            values[k] = (plx_real)((mean ? 0 : 1) + 0.3 * (double)values[k]);
    }
}

/* Without norms to fold, kept values and fused steps change no bit. With them each of the 21
 * convolutions of resnet-nano errs by at most 2 (n + 8) 8 eps of its values, n up to 288 (above),
 * to first order; the norms keep values near one, and errors are handed on with them. */
static void check_model(plx_check *t, plx_ctx *ctx, const char *model) {
    plx_network networks[2];
    plx_status status = PLX_OK;
    for (int with = 0; with < 2; ++with) {
        plx_network_options options = {
            .model = model, .batch = 3, .seed = 5, .plan = plx_plan_default()};
        if (!with) options.plan.passes &= ~PLX_PASS_FOLD;
        const plx_status opened = plx_network_open(ctx, &options, &networks[with]);
        if (opened != PLX_OK) status = opened;
        if (opened == PLX_OK) spread_norms(&networks[with]);
        for (int run = 0; run < 2 && status == PLX_OK; ++run)
            status = plx_network_run(&networks[with], 1);
    }
    if (CHECK(t, status == PLX_OK, "%s: %s", model, plx_message(ctx))) {
        const plx_real *without = plx_network_result(&networks[0]);
        const plx_real *with = plx_network_result(&networks[1]);
        const int64_t size = networks[0].batch * networks[0].out;
        const double eps = sizeof(plx_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
        const bool norms = strstr(model, "resnet");
        double largest = 0;
        for (int64_t i = 0; i < size; ++i) largest = fmax(largest, fabs((double)without[i]));
        const double bound = norms ? 21 * 2 * (288 + 8) * 8 * eps * largest : 0;
        for (int64_t i = 0; i < size; ++i)
            if (!CHECK(t, fabs((double)with[i] - (double)without[i]) <= bound,
                       "%s: value %lld is %.9g, and %.9g without folding", model, (long long)i,
                       (double)with[i], (double)without[i]))
                break;
        CHECK(t, !norms || memcmp(with, without, (size_t)size * sizeof *with) != 0,
              "%s: nothing was folded", model);
        if (norms) check_places(t, networks[1].plan, model);
    }
    for (int with = 0; with < 2; ++with) plx_network_free(&networks[with]);
}

static void check_models(plx_check *t, plx_ctx *ctx) {
    char model[64];
    if (!PLX_AS_SHIPPED) check_model(t, ctx, "resnet-nano");
    for (int i = 0; PLX_AS_SHIPPED && plx_model_name(i, model, sizeof model); ++i)
        if (strstr(model, "-nano")) check_model(t, ctx, model);
}

void plx_test_unit_folding(plx_check *t) {
    for (int threads = 1; threads <= 2; ++threads) {
        plx_ctx *ctx = plx_check_context(t, NULL, threads);
        for (int i = 0; ctx && i < FORMS; ++i) check_form(t, ctx, &forms[i]);
        if (ctx) check_sharing(t, ctx);
        plx_ctx_free(ctx);
    }
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    check_changing(t, ctx);
    check_models(t, ctx);
    plx_ctx_free(ctx);
}
