/* Normalisation and pooling as a user sees them: refusals of a graph, values worked out by hand,
 * and the running statistics of batch_norm. Expected values follow the definitions of PyTorch's
 * BatchNorm2d, MaxPool2d, AvgPool2d and interpolate(align_corners=False). */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static plx_node vector(plx_graph *graph, int64_t n) {
    return plx_input(graph, NULL, PLX_DTYPE_REAL, 1, (const int64_t[]){n});
}
static plx_node image(plx_graph *graph, int64_t h, int64_t w, int64_t c) {
    return plx_input(graph, "x", PLX_DTYPE_REAL, 4, (const int64_t[]){2, h, w, c});
}

static void scale_size(plx_graph *graph) {
    plx_layer_norm(graph, image(graph, 2, 3, 5), vector(graph, 4), plx_none(), 1e-5);
}
static void shift_rank(plx_graph *graph) {
    plx_layer_norm(graph, vector(graph, 5), plx_none(), image(graph, 1, 1, 5), 1e-5);
}
static void rms_scale(plx_graph *graph) {
    plx_rms_norm(graph, image(graph, 2, 3, 5), vector(graph, 6), 1e-5);
}
static void negative_epsilon(plx_graph *graph) {
    plx_rms_norm(graph, vector(graph, 5), plx_none(), -1);
}
static void scalar_row(plx_graph *graph) {
    plx_layer_norm(graph, plx_constant(graph, 1), plx_none(), plx_none(), 1e-5);
}
static void groups_divide(plx_graph *graph) {
    plx_group_norm(graph, image(graph, 2, 2, 6), 4, plx_none(), plx_none(), 1e-5);
}
static void no_groups(plx_graph *graph) {
    plx_group_norm(graph, image(graph, 2, 2, 6), 0, plx_none(), plx_none(), 1e-5);
}
static void group_rank(plx_graph *graph) {
    plx_group_norm(graph, vector(graph, 6), 2, plx_none(), plx_none(), 1e-5);
}
static void window_size(plx_graph *graph) {
    plx_pool2d_options options = plx_pool2d_default(3);
    plx_max_pool2d(graph, image(graph, 2, 3, 1), &options);
}
static void window_padding(plx_graph *graph) {
    plx_pool2d_options options = plx_pool2d_default(2);
    options.padding[3] = 2;
    plx_avg_pool2d(graph, image(graph, 4, 4, 1), &options);
}
static void window_stride(plx_graph *graph) {
    plx_pool2d_options options = plx_pool2d_default(2);
    options.stride[1] = 0;
    plx_max_pool2d(graph, image(graph, 4, 4, 1), &options);
}
static void window_dilation(plx_graph *graph) {
    plx_pool2d_options options = plx_pool2d_default(2);
    options.dilation[0] = 5;
    options.padding[0] = 1;
    plx_max_pool2d(graph, image(graph, 4, 4, 1), &options);
}
static void window_reach(plx_graph *graph) {
    plx_pool2d_options options = plx_pool2d_default(3);
    options.dilation[1] = 3;
    plx_avg_pool2d(graph, image(graph, 4, 6, 1), &options);
}
static void pool_rank(plx_graph *graph) {
    plx_pool2d_options options = plx_pool2d_default(2);
    plx_max_pool2d(graph, vector(graph, 4), &options);
}
static void empty_mean(plx_graph *graph) {
    plx_global_avg_pool2d(graph, image(graph, 0, 4, 1));
}
static void no_factor(plx_graph *graph) {
    plx_upsample2d(graph, image(graph, 2, 2, 1), 2, 0, PLX_NEAREST);
}
static void no_method(plx_graph *graph) {
    plx_upsample2d(graph, image(graph, 2, 2, 1), 2, 2, (plx_upsampling)7);
}

static const struct {
    void (*build)(plx_graph *graph);
    plx_status status;
    const char *sentence;
} refusals[] = {
    {scale_size, PLX_ERR_SHAPE, "layer_norm: scale has 4 values for 5 columns"},
    {shift_rank, PLX_ERR_SHAPE, "layer_norm: shift has rank 4; it must be 1"},
    {rms_scale, PLX_ERR_SHAPE, "rms_norm: scale has 6 values for 5 columns"},
    {negative_epsilon, PLX_ERR_ARGUMENT, "rms_norm: epsilon -1 must not be below 0"},
    {scalar_row, PLX_ERR_SHAPE, "layer_norm: x is a scalar; it needs at least one axis"},
    {groups_divide, PLX_ERR_SHAPE, "group_norm: 6 channels cannot be split into 4 equal groups"},
    {no_groups, PLX_ERR_SHAPE, "group_norm: 6 channels cannot be split into 0 equal groups"},
    {group_rank, PLX_ERR_SHAPE, "group_norm: x has rank 1; at least 2 is needed"},
    {window_size, PLX_ERR_SHAPE,
     "max_pool2d: a window of 3 rows does not fit into 2 rows plus padding"},
    {window_padding, PLX_ERR_ARGUMENT,
     "avg_pool2d: padding is 0 and 2 columns; each must be at least 0 and below the window's 2"},
    {window_stride, PLX_ERR_ARGUMENT,
     "max_pool2d: the window has 2 columns and stride 0; each must be 1 to"},
    {window_dilation, PLX_ERR_ARGUMENT,
     "max_pool2d: the dilation is 5 rows; it must be 1 to the 4 of x"},
    {window_reach, PLX_ERR_SHAPE,
     "avg_pool2d: a window of 7 columns does not fit into 6 columns plus padding"},
    {pool_rank, PLX_ERR_SHAPE, "max_pool2d: x has rank 1; it must be 4"},
    {empty_mean, PLX_ERR_SHAPE,
     "global_avg_pool2d: x has 0 rows and 4 columns; both must be at least 1"},
    {no_factor, PLX_ERR_ARGUMENT, "upsample2d: the factors are 2 and 0; each must be 1 to"},
    {no_method, PLX_ERR_ARGUMENT, "upsample2d: there is no method number 7"},
};

static void check_refusals(plx_check *t, plx_ctx *ctx) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; ++i) {
        plx_graph *graph;
        plx_graph_new(ctx, &graph);
        refusals[i].build(graph);
        const plx_status status = plx_graph_status(graph);
        CHECK(t, status == refusals[i].status, "refusal %d: %s", (int)i, plx_status_name(status));
        CHECK(t, strstr(plx_message(ctx), refusals[i].sentence), "refusal %d: \"%s\" lacks \"%s\"",
              (int)i, plx_message(ctx), refusals[i].sentence);
        plx_graph_free(graph);
    }
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void check_values(plx_check *t, const char *what, int64_t n, const plx_real *y,
                         const double *expected, double bound) {
    for (int64_t i = 0; i < n; ++i) {
        const double error = fabs((double)y[i] - expected[i]);
        const bool both = isnan(expected[i]) && isnan(y[i]);
        CHECK(t, both || error <= bound, "%s: element %lld is %.9g instead of %.9g", what,
              (long long)i, (double)y[i], expected[i]);
    }
}

/* Runs y and d sum(y) / dx for an image of one channel [1, h, w, 1]. */
typedef plx_node (*builder)(plx_graph *graph, plx_node x);

static void check_image(plx_check *t, plx_ctx *ctx, const char *what, builder build, int64_t h,
                        int64_t w, const plx_real *x, int64_t n, const double *y,
                        const double *gx) {
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node in = plx_input(graph, "x", PLX_DTYPE_REAL, 4, (const int64_t[]){1, h, w, 1});
    plx_node outputs[2] = {build(graph, in)};
    const plx_node loss = plx_reduce_sum(graph, outputs[0], PLX_ALL_AXES);
    plx_status status = plx_gradients(graph, loss, 1, &in, &outputs[1]);
    if (status == PLX_OK) status = plx_compile(graph, 2, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, in, x);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(ctx))) {
        check_values(t, what, n, plx_plan_output(plan, outputs[0]), y, 1e-6);
        if (gx) check_values(t, what, h * w, plx_plan_output(plan, outputs[1]), gx, 1e-6);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

static plx_node padded_max(plx_graph *graph, plx_node x) {
    plx_pool2d_options options = plx_pool2d_default(2);
    for (int i = 0; i < 4; ++i) options.padding[i] = 1;
    return plx_max_pool2d(graph, x, &options);
}
static plx_node whole_max(plx_graph *graph, plx_node x) {
    plx_pool2d_options options = plx_pool2d_default(2);
    return plx_max_pool2d(graph, x, &options);
}
static plx_node padded_average(plx_graph *graph, plx_node x) {
    plx_pool2d_options options = plx_pool2d_default(2);
    for (int i = 0; i < 4; ++i) options.padding[i] = 1;
    return plx_avg_pool2d(graph, x, &options);
}
static plx_node counted_average(plx_graph *graph, plx_node x) {
    plx_pool2d_options options = plx_pool2d_default(2);
    for (int i = 0; i < 4; ++i) options.padding[i] = 1;
    options.count_padding = true;
    return plx_avg_pool2d(graph, x, &options);
}
static plx_node bilinear(plx_graph *graph, plx_node x) {
    return plx_upsample2d(graph, x, 1, 2, PLX_BILINEAR);
}
static plx_node nearest(plx_graph *graph, plx_node x) {
    return plx_upsample2d(graph, x, 2, 2, PLX_NEAREST);
}

static void check_images(plx_check *t, plx_ctx *ctx) {
    const plx_real below[] = {-1, -2, -3, -4};
    const double one_each[] = {1, 1, 1, 1}, quarters[] = {0.25, 0.25, 0.25, 0.25};
    /* Each window holds one pixel: padding is never the maximum, and counts only when asked to. */
    check_image(t, ctx, "max, padded", padded_max, 2, 2, below, 4, (const double[]){-1, -2, -3, -4},
                one_each);
    check_image(t, ctx, "average, padded", padded_average, 2, 2, below, 4,
                (const double[]){-1, -2, -3, -4}, one_each);
    check_image(t, ctx, "average, counted", counted_average, 2, 2, below, 4,
                (const double[]){-0.25, -0.5, -0.75, -1}, quarters);
    const plx_real equal[] = {1, 5, 5, 5}, nan[] = {1, (plx_real)NAN, 7, (plx_real)NAN};
    check_image(t, ctx, "max, equals", whole_max, 2, 2, equal, 1, (const double[]){5},
                (const double[]){0, 1, 0, 0});
    check_image(t, ctx, "max, NaN", whole_max, 2, 2, nan, 1, (const double[]){NAN},
                (const double[]){0, 1, 0, 0});
    const plx_real line[] = {0, 4, 8};
    check_image(t, ctx, "bilinear", bilinear, 1, 3, line, 6, (const double[]){0, 1, 3, 5, 7, 8},
                (const double[]){2, 2, 2});
    check_image(t, ctx, "nearest", nearest, 1, 2, line, 8, (const double[]){0, 0, 4, 4, 0, 0, 4, 4},
                (const double[]){4, 4});
}

/* ---- Running statistics ---------------------------------------------------------------------- */

typedef struct batch {
    plx_graph *graph;
    plx_plan *plan;
    plx_tensor *mean, *variance;
    plx_node x, y;
} batch;

enum { ROWS = 4, CHANNELS = 2 };
static const plx_real rows[ROWS * CHANNELS] = {1, 10, 2, 20, 3, 30, 6, 60};

static batch batch_open(plx_check *t, plx_ctx *ctx, bool training) {
    batch b = {0};
    plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, (const int64_t[]){CHANNELS}, &b.mean);
    plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, (const int64_t[]){CHANNELS}, &b.variance);
    plx_real *variance = plx_tensor_data(b.variance);
    variance[0] = variance[1] = 1;
    plx_graph_new(ctx, &b.graph);
    b.x = plx_input(b.graph, "x", PLX_DTYPE_REAL, 2, (const int64_t[]){ROWS, CHANNELS});
    b.y =
        plx_batch_norm(b.graph, b.x, plx_none(), plx_none(), plx_parameter(b.graph, "mean", b.mean),
                       plx_parameter(b.graph, "variance", b.variance), training, 0.25, 0);
    plx_status status = plx_compile(b.graph, 1, &b.y, NULL, &b.plan);
    if (status == PLX_OK) status = plx_plan_bind(b.plan, b.x, rows);
    CHECK(t, status == PLX_OK, "batch_norm: %s", plx_message(ctx));
    return b;
}

static void batch_close(batch *b) {
    plx_plan_free(b->plan);
    plx_graph_free(b->graph);
    plx_tensor_free(b->mean);
    plx_tensor_free(b->variance);
}

/* The batch has means 3 and 30, sums of squared deviations 14 and 1400. */
static void check_training(plx_check *t, plx_ctx *ctx) {
    batch b = batch_open(t, ctx, true);
    double mean[CHANNELS] = {0, 0}, variance[CHANNELS] = {1, 1}, y[ROWS * CHANNELS];
    for (int i = 0; i < ROWS * CHANNELS; ++i)
        y[i] = ((double)rows[i] - (i % 2 ? 30 : 3)) / sqrt((i % 2 ? 1400 : 14) / 4.0);
    for (int run = 0; run < 3 && b.plan; ++run) {
        CHECK(t, plx_plan_run(b.plan) == PLX_OK, "batch_norm: %s", plx_message(ctx));
        for (int c = 0; c < CHANNELS; ++c) {
            mean[c] += 0.25 * ((c ? 30 : 3) - mean[c]);
            variance[c] += 0.25 * ((c ? 1400 : 14) / 3.0 - variance[c]);
        }
        check_values(t, "training", ROWS * CHANNELS, plx_plan_output(b.plan, b.y), y, 1e-6);
        check_values(t, "running mean", CHANNELS, plx_tensor_data(b.mean), mean, 1e-5);
        check_values(t, "running variance", CHANNELS, plx_tensor_data(b.variance), variance, 1e-4);
    }
    batch_close(&b);
}

static void check_inference(plx_check *t, plx_ctx *ctx) {
    batch b = batch_open(t, ctx, false);
    plx_real *mean = plx_tensor_data(b.mean), *variance = plx_tensor_data(b.variance);
    mean[0] = 2;
    variance[1] = 100;
    double y[ROWS * CHANNELS];
    for (int i = 0; i < ROWS * CHANNELS; ++i)
        y[i] = i % 2 ? (double)rows[i] / 10 : (double)rows[i] - 2;
    if (b.plan && CHECK(t, plx_plan_run(b.plan) == PLX_OK, "batch_norm: %s", plx_message(ctx)))
        check_values(t, "inference", ROWS * CHANNELS, plx_plan_output(b.plan, b.y), y, 1e-6);
    check_values(t, "running mean", CHANNELS, mean, (const double[]){2, 0}, 0);
    check_values(t, "running variance", CHANNELS, variance, (const double[]){1, 100}, 0);
    batch_close(&b);
}

/* A plan of the gradient alone: the forward step has to run for its statistics although nothing
 * reads its value. With w = x, sum w y is the variance of x up to constants. */
static void check_gradient_alone(plx_check *t, plx_ctx *ctx) {
    batch b = batch_open(t, ctx, true);
    plx_plan *plan = NULL;
    plx_node gradient = plx_none();
    const plx_node w =
        plx_input(b.graph, "w", PLX_DTYPE_REAL, 2, (const int64_t[]){ROWS, CHANNELS});
    const plx_node loss = plx_reduce_sum(b.graph, plx_mul(b.graph, b.y, w), PLX_ALL_AXES);
    plx_status status = plx_gradients(b.graph, loss, 1, &b.x, &gradient);
    if (status == PLX_OK) status = plx_compile(b.graph, 1, &gradient, NULL, &plan);
    const plx_real weights[ROWS * CHANNELS] = {1, 0, 0, 0, 0, 0, 0, 0};
    if (status == PLX_OK) status = plx_plan_bind(plan, b.x, rows);
    if (status == PLX_OK) status = plx_plan_bind(plan, w, weights);
    if (status == PLX_OK) status = plx_plan_run(plan);
    /* r (g - mean(g)) - c r^3 mean(g c) with r^2 = 4 / 14, c = (-2, -1, 0, 3), g = (1, 0, 0, 0) */
    const double r = sqrt(4.0 / 14), c[] = {-2, -1, 0, 3};
    double expected[ROWS * CHANNELS] = {0};
    for (int i = 0; i < ROWS; ++i)
        expected[i * CHANNELS] = r * ((i == 0) - 0.25) - c[i] * r * r * r * (-2 / 4.0);
    if (CHECK(t, status == PLX_OK, "gradient alone: %s", plx_message(ctx)))
        check_values(t, "gradient alone", ROWS * CHANNELS, plx_plan_output(plan, gradient),
                     expected, 1e-6);
    plx_plan_free(plan);
    batch_close(&b);
}

/* ---- Squares beyond the range of the type ---------------------------------------------------- */

enum { FAR_ROWS = 2, FAR_COLUMNS = 4 };

static plx_node far_layer(plx_graph *graph, plx_node x, plx_tensor *const *running) {
    (void)running;
    return plx_layer_norm(graph, x, plx_none(), plx_none(), 0);
}
static plx_node far_rms(plx_graph *graph, plx_node x, plx_tensor *const *running) {
    (void)running;
    return plx_rms_norm(graph, x, plx_none(), 0);
}
static plx_node far_group(plx_graph *graph, plx_node x, plx_tensor *const *running) {
    (void)running;
    return plx_group_norm(graph, x, 2, plx_none(), plx_none(), 0);
}
static plx_node far_batch(plx_graph *graph, plx_node x, plx_tensor *const *running) {
    return plx_batch_norm(graph, x, plx_none(), plx_none(), plx_parameter(graph, NULL, running[0]),
                          plx_parameter(graph, NULL, running[1]), true, 0.1, 0);
}
static plx_node far_unit(plx_graph *graph, plx_node x, plx_tensor *const *running) {
    (void)running;
    return plx_l2_normalize(graph, x, 1e-44);
}
static plx_node far_clip(plx_graph *graph, plx_node x, plx_tensor *const *running) {
    (void)running;
    plx_node y = plx_none();
    plx_clip_by_norm(graph, 1, &x, 0.5, &y);
    return y;
}

/* All of them give the same result for any multiple of their input, and a gradient divided by
 * that multiple. tiny: tests inputs whose squares vanish too, which clipping leaves as they are. */
static const struct {
    const char *name;
    plx_node (*build)(plx_graph *graph, plx_node x, plx_tensor *const *running);
    bool tiny;
} far_rows[] = {
    {"layer_norm", far_layer, true},  {"rms_norm", far_rms, true},
    {"group_norm", far_group, true},  {"batch_norm", far_batch, true},
    {"l2_normalize", far_unit, true}, {"clip_by_norm", far_clip, false},
};

/* y, and `factor` times the gradient of sum w y, for `factor` times a fixed x. */
static void run_far(plx_check *t, plx_ctx *ctx, int which, double factor, double *out) {
    enum { SIZE = FAR_ROWS * FAR_COLUMNS };
    static const double fixed[SIZE] = {1, 2, 3, 4, 3, -1, 0.5, 2};
    static const plx_real weights[SIZE] = {1, -2, 0.5, 3, 2, 1, -1, 0.25};
    const int64_t dims[] = {FAR_ROWS, FAR_COLUMNS}, channels = FAR_COLUMNS;
    plx_real values[SIZE];
    for (int i = 0; i < SIZE; ++i) values[i] = (plx_real)(fixed[i] * factor);
    plx_tensor *running[2] = {NULL, NULL};
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    for (int i = 0; i < 2; ++i) plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &channels, &running[i]);
    plx_graph_new(ctx, &graph);
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims);
    const plx_node w = plx_input(graph, "w", PLX_DTYPE_REAL, 2, dims);
    plx_node outputs[2] = {far_rows[which].build(graph, x, running)};
    const plx_node loss = plx_reduce_sum(graph, plx_mul(graph, outputs[0], w), PLX_ALL_AXES);
    plx_status status = plx_gradients(graph, loss, 1, &x, &outputs[1]);
    if (status == PLX_OK) status = plx_compile(graph, 2, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, x, values);
    if (status == PLX_OK) status = plx_plan_bind(plan, w, weights);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s: %s", far_rows[which].name, plx_message(ctx)))
        for (int i = 0; i < SIZE; ++i) {
            out[i] = (double)plx_plan_output(plan, outputs[0])[i];
            out[SIZE + i] = (double)plx_plan_output(plan, outputs[1])[i] * factor;
        }
    plx_plan_free(plan);
    plx_graph_free(graph);
    for (int i = 0; i < 2; ++i) plx_tensor_free(running[i]);
}

static void check_far(plx_check *t, plx_ctx *ctx) {
    enum { VALUES = 2 * FAR_ROWS * FAR_COLUMNS };
    for (size_t i = 0; i < sizeof far_rows / sizeof far_rows[0]; ++i) {
        double near[VALUES] = {0}, large[VALUES] = {0}, huge[VALUES] = {0}, tiny[VALUES] = {0},
               small[VALUES] = {0};
        run_far(t, ctx, (int)i, 1, near);
        run_far(t, ctx, (int)i, 1e20, large);
        run_far(t, ctx, (int)i, 1e37, huge);
        if (far_rows[i].tiny) {
            run_far(t, ctx, (int)i, 1e-25, tiny);
            run_far(t, ctx, (int)i, 1e-22, small);
        }
        for (int j = 0; j < VALUES; ++j) {
            /* A gradient of 1e-20 may be computed from terms below the normal range. */
            const double slack = j < VALUES / 2 ? 1e-6 : 2e-5 + 1e-4 * fabs(near[j]);
            /* The gradient of clipping divides by the squared norm. */
            const bool is_clip = far_rows[i].build == far_clip && j >= VALUES / 2;
            CHECK(t,
                  fabs(large[j] - near[j]) <= slack &&
                      (is_clip || fabs(huge[j] - near[j]) <= slack),
                  "%s: value %d of large rows is %.9g and %.9g, not %.9g", far_rows[i].name, j,
                  large[j], huge[j], near[j]);
            CHECK(t,
                  !far_rows[i].tiny ||
                      (fabs(tiny[j] - near[j]) <= slack && fabs(small[j] - near[j]) <= slack),
                  "%s: value %d of tiny rows is %.9g and %.9g, not %.9g", far_rows[i].name, j,
                  tiny[j], small[j], near[j]);
        }
    }
}

static void check_batch_refusals(plx_check *t, plx_ctx *ctx) {
    batch b = batch_open(t, ctx, true);
    for (int which = 0; which < 3; ++which) {
        static const char *const sentences[] = {
            "batch_norm: training needs at least 2 values per channel; the batch has 1",
            "batch_norm: running_mean must be a parameter", "momentum 2 must be 0 to 1"};
        plx_graph *graph;
        plx_graph_new(ctx, &graph);
        const int64_t dims[] = {which ? ROWS : 1, CHANNELS};
        const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims);
        const plx_node mean = plx_parameter(graph, "mean", b.mean);
        plx_batch_norm(graph, x, plx_none(), plx_none(), which == 1 ? x : mean,
                       plx_parameter(graph, "variance", b.variance), true, which == 2 ? 2 : 0.1,
                       1e-5);
        CHECK(t, plx_graph_status(graph) != PLX_OK && strstr(plx_message(ctx), sentences[which]),
              "\"%s\" lacks \"%s\"", plx_message(ctx), sentences[which]);
        plx_graph_free(graph);
    }
    batch_close(&b);
}

void plx_test_unit_norm(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    check_refusals(t, ctx);
    check_images(t, ctx);
    check_training(t, ctx);
    check_inference(t, ctx);
    check_gradient_alone(t, ctx);
    check_batch_refusals(t, ctx);
    check_far(t, ctx);
    plx_ctx_free(ctx);
}
