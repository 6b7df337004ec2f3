/* Convolutions: against plain loops in double, the wording of refusals, and fusion. */
#include "check.h"

#include "ops/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Plain loops ----------------------------------------------------------------------------- */

typedef struct form {
    int64_t x[4], w[4]; /* image, weights */
    plx_conv2d_options options;
} form;

typedef struct loops {
    form f;
    int64_t y[4];
} loops;

/* Calls each(arg, index in x, in w, in y) for every triple of elements that meet. */
static void for_each_product(const loops *l,
                             void (*each)(void *arg, int64_t x, int64_t w, int64_t y), void *arg) {
    const int64_t *x = l->f.x, *w = l->f.w, *y = l->y;
    const plx_conv2d_options *o = &l->f.options;
    const int64_t taps = w[0] * w[1] * w[2], outputs = y[0] * y[1] * y[2] * y[3];
    for (int64_t i = 0; i < outputs; ++i)
        for (int64_t t = 0; t < taps; ++t) {
            const int64_t channel = i % y[3], column = i / y[3] % y[2];
            const int64_t row = i / y[3] / y[2] % y[1], image = i / y[3] / y[2] / y[1];
            const int64_t ky = t / w[2] / w[1], kx = t / w[2] % w[1];
            const int64_t sy = row * o->stride[0] - o->padding[0] + ky * o->dilation[0];
            const int64_t sx = column * o->stride[1] - o->padding[2] + kx * o->dilation[1];
            const int64_t from = channel / (w[3] / o->groups) * w[2] + t % w[2];
            if (sy < 0 || sy >= x[1] || sx < 0 || sx >= x[2]) continue;
            each(arg, ((image * x[1] + sy) * x[2] + sx) * x[3] + from, t * w[3] + channel, i);
        }
}

/* The three operations differ in which operand is the sum. */
typedef struct sums {
    const plx_real *a, *b;
    double *value, *magnitude;
    int sum; /* 0: y of x and w; 1: x of y and w; 2: w of x and y */
} sums;

static void add_product(void *arg, int64_t x, int64_t w, int64_t y) {
    const sums *s = arg;
    const int64_t a = s->sum == 1 ? y : x, b = s->sum == 2 ? y : w;
    const int64_t to = s->sum == 0 ? y : s->sum == 1 ? x : w;
    const double term = (double)s->a[a] * (double)s->b[b];
    s->value[to] += term;
    s->magnitude[to] += fabs(term);
}

/* Sizes from 5 by 5 to 12 by 12, so that each method has whole and partial blocks. */
static const form forms[] = {
    {{2, 5, 6, 3}, {1, 1, 3, 4}, {{1, 1}, {0}, {1, 1}, 1}},
    {{2, 7, 6, 3}, {3, 3, 3, 4}, {{1, 1}, {1, 1, 1, 1}, {1, 1}, 1}},
    {{2, 9, 6, 4}, {3, 2, 2, 6}, {{2, 3}, {0, 2, 1, 0}, {2, 1}, 2}},
    {{1, 12, 13, 3}, {7, 7, 3, 9}, {{2, 2}, {3, 3, 3, 3}, {1, 1}, 1}},
    {{1, 12, 13, 9}, {5, 3, 9, 2}, {{1, 1}, {2, 1, 0, 1}, {1, 2}, 1}},
    {{2, 7, 9, 6}, {3, 3, 1, 6}, {{1, 1}, {1, 1, 1, 1}, {1, 1}, 6}},
    {{1, 10, 9, 21}, {5, 3, 1, 21}, {{2, 2}, {1, 2, 0, 1}, {1, 2}, 21}},
    {{2, 5, 4, 3}, {2, 2, 1, 6}, {{1, 1}, {0}, {1, 1}, 3}},
    {{2, 11, 14, 18}, {3, 3, 18, 37}, {{1, 1}, {1, 1, 1, 1}, {1, 1}, 1}},
    {{1, 13, 9, 40}, {3, 3, 40, 16}, {{1, 1}, {0, 2, 1, 0}, {1, 1}, 1}},
    {{1, 6, 6, 300}, {3, 3, 300, 17}, {{1, 1}, {2, 2, 2, 2}, {1, 1}, 1}},
    {{2, 67, 66, 3}, {3, 3, 3, 5}, {{1, 1}, {0}, {1, 1}, 1}},
    {{1, 90, 95, 8}, {3, 3, 1, 8}, {{1, 1}, {1, 1, 1, 1}, {1, 1}, 8}},
    {{1, 4, 4, 2}, {3, 3, 2, 2}, {{4, 5}, {0}, {1, 1}, 1}},
};

static plx_node parameter(plx_ctx *ctx, plx_graph *graph, const int64_t *dims, plx_rng *rng,
                          plx_tensor **tensor) {
    plx_tensor_new(ctx, PLX_DTYPE_REAL, 4, dims, tensor);
    plx_real *data = plx_tensor_data(*tensor);
    for (int64_t i = 0; i < plx_tensor_size(*tensor); ++i)
        data[i] = (plx_real)(2 * plx_rng_uniform(rng) - 1);
    return plx_parameter(graph, NULL, *tensor);
}

/* Winograd's bound (Barabasz et al., "Error analysis and improving the accuracy of Winograd
 * convolution for deep neural networks", TOMS 2020, theorem 3): the error of one product can grow
 * by the norms of its matrices, 19, 10 and 1 by row sums, on both sides. Typical errors are below a
 * hundredth of that, so a wrong coefficient, which is off by 1e-2, is detected. */
static double tolerance(const form *f, double terms) {
    const double eps = sizeof(plx_real) == sizeof(double) ? 0x1p-52 : 0x1p-23;
    const bool winograd = f->w[0] == 3 && f->w[1] == 3 && f->w[2] >= 16;
    return eps * (terms + 8) * (winograd ? 8 : 1);
}

static void compare(plx_check *t, const loops *l, int number, int kind, const plx_real *actual,
                    const plx_tensor *const *tensors) {
    static const char *const names[] = {"conv2d", "conv2d_transpose", "conv2d_weight_grad"};
    const int64_t *shape = kind == 0 ? l->y : kind == 1 ? l->f.x : l->f.w;
    const int64_t size = plx__product(4, shape);
    double *value = calloc((size_t)size + 1, sizeof *value);
    double *magnitude = calloc((size_t)size + 1, sizeof *magnitude);
    sums s = {tensors[kind == 1 ? 2 : 0]->data, tensors[kind == 2 ? 2 : 1]->data, value, magnitude,
              kind};
    for_each_product(l, add_product, &s);
    const double terms = kind == 2 ? (double)(l->y[0] * l->y[1] * l->y[2])
                                   : (double)(l->f.w[0] * l->f.w[1] * l->f.w[2]);
    const double bound = tolerance(&l->f, terms);
    for (int64_t i = 0; i < size; ++i)
        if (!CHECK(t, fabs((double)actual[i] - value[i]) <= bound * (1 + magnitude[i]),
                   "%s, form %d: element %lld is %.9g instead of %.9g", names[kind], number,
                   (long long)i, (double)actual[i], value[i]))
            break;
    free(value);
    free(magnitude);
}

static void check_form(plx_check *t, plx_ctx *ctx, int number) {
    loops l = {.f = forms[number]};
    plx_rng rng = plx_rng_new(5, (uint32_t)number);
    plx_graph *graph;
    plx_tensor *tensors[3] = {NULL};
    plx_graph_new(ctx, &graph);
    const plx_node x = parameter(ctx, graph, l.f.x, &rng, &tensors[0]);
    const plx_node w = parameter(ctx, graph, l.f.w, &rng, &tensors[1]);
    plx_node outputs[3];
    outputs[0] = plx_conv2d(graph, x, w, plx_none(), &l.f.options);
    const int64_t *dims = NULL;
    plx_plan *plan = NULL;
    if (CHECK(t, plx_node_shape(graph, outputs[0], &dims) == 4, "form %d has no shape", number)) {
        memcpy(l.y, dims, sizeof l.y);
        /* The gradients of sum(gy * y) are the other two operations. */
        const plx_node gy = parameter(ctx, graph, l.y, &rng, &tensors[2]);
        const plx_node wrt[] = {x, w};
        plx_gradients(graph, plx_reduce_sum(graph, plx_mul(graph, outputs[0], gy), PLX_ALL_AXES), 2,
                      wrt, outputs + 1);
    }
    plx_status status = plx_compile(graph, 3, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "form %d: %s", number, plx_message(ctx)))
        for (int kind = 0; kind < 3; ++kind)
            compare(t, &l, number, kind, plx_plan_output(plan, outputs[kind]),
                    (const plx_tensor *const *)tensors);
    plx_plan_free(plan);
    plx_graph_free(graph);
    for (int k = 0; k < 3; ++k) plx_tensor_free(tensors[k]);
}

/* Operations executed are counted, and separately those of the definition. For 2 images of 9 x 8
 * with tiles of four by four results: 3 x 2 tiles each, of 36 products per pair of channels where
 * the direct sum has 144; and the passes of the transforms (Lavin and Gray, with the constants of
 * our kernels). */
static void check_work(plx_check *t, plx_ctx *ctx) {
    static const struct {
        int64_t channels, targets, stride;
        double done, direct;
    } works[] = {
        {16, 24, 1, 2 * 6 * (2 * 36 * 16 * 24 + 240 * 16 + 130 * 24) + 108 * 16 * 24,
         2.0 * 2 * 9 * 8 * 24 * 9 * 16},
        {4, 24, 1, 2.0 * 2 * 9 * 8 * 24 * 9 * 4, 2.0 * 2 * 9 * 8 * 24 * 9 * 4},
        {16, 24, 2, 2.0 * 2 * 5 * 4 * 24 * 9 * 16, 2.0 * 2 * 5 * 4 * 24 * 9 * 16},
    };
    for (size_t i = 0; i < sizeof works / sizeof *works; ++i) {
        plx_graph *graph;
        plx_plan *plan = NULL;
        plx_graph_new(ctx, &graph);
        const int64_t stride = works[i].stride;
        const plx_conv2d_options options = {{stride, stride}, {1, 1, 1, 1}, {1, 1}, 1};
        const plx_node x =
            plx_input(graph, "x", PLX_DTYPE_REAL, 4, (const int64_t[]){2, 9, 8, works[i].channels});
        const plx_node w = plx_input(graph, "w", PLX_DTYPE_REAL, 4,
                                     (const int64_t[]){3, 3, works[i].channels, works[i].targets});
        const plx_node y = plx_conv2d(graph, x, w, plx_none(), &options);
        if (CHECK(t, plx_compile(graph, 1, &y, NULL, &plan) == PLX_OK, "%s", plx_message(ctx))) {
            const plx_step_info step = plx_plan_step(plan, 0);
            CHECK(t, step.flops == works[i].done && step.direct_flops == works[i].direct,
                  "case %d: %g operations, %g directly; %g and %g", (int)i, step.flops,
                  step.direct_flops, works[i].done, works[i].direct);
        }
        plx_plan_free(plan);
        plx_graph_free(graph);
    }
}

void plx_test_unit_conv(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 2);
        for (int number = 0; ctx && number < (int)(sizeof forms / sizeof forms[0]); ++number)
            check_form(t, ctx, number);
        if (ctx && i == 0) check_work(t, ctx);
        plx_ctx_free(ctx);
    }
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static const struct {
    bool transposed;
    int rank;
    int64_t x[4], w[4];
    plx_conv2d_options options;
    int64_t extra[2];
    plx_status status;
    const char *sentence;
} refusals[] = {
    {false,
     4,
     {1, 8, 8, 3},
     {3, 3, 4, 8},
     {{1, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: x has 3 channels, but weights [3, 3, 4, 8] with 1 group take 4"},
    {false,
     4,
     {1, 8, 8, 6},
     {3, 3, 2, 8},
     {{1, 1}, {0}, {1, 1}, 3},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: 3 groups do not divide the 8 output channels of weights [3, 3, 2, 8]"},
    {false,
     4,
     {1, 8, 8, 7},
     {3, 3, 3, 8},
     {{1, 1}, {0}, {1, 1}, 2},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: x has 7 channels, but weights [3, 3, 3, 8] with 2 groups take 6"},
    {false,
     4,
     {1, 5, 8, 3},
     {7, 3, 3, 8},
     {{1, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: a kernel of 7 rows does not fit into 5 rows, padding included"},
    {false,
     4,
     {1, 9, 4, 3},
     {3, 3, 3, 8},
     {{1, 1}, {0, 0, 1, 1}, {1, 3}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: a kernel of 3 columns (dilated 7) does not fit into 6 columns, padding included"},
    {false,
     4,
     {1, 9, 4, 3},
     {0, 3, 3, 8},
     {{1, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: a kernel of 0 rows does not fit into 9 rows"},
    {false,
     4,
     {1, 8, 8, 3},
     {3, 3, 3, 8},
     {{0, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_ARGUMENT,
     "conv2d: stride 0 is outside 1 to"},
    {false,
     4,
     {1, 8, 8, 3},
     {3, 3, 3, 8},
     {{1, 1}, {0, -1, 0, 0}, {1, 1}, 1},
     {0},
     PLX_ERR_ARGUMENT,
     "conv2d: padding -1 is outside 0 to"},
    {false,
     4,
     {1, 8, 8, 3},
     {3, 3, 3, 8},
     {{1, 1}, {0}, {1, 0}, 1},
     {0},
     PLX_ERR_ARGUMENT,
     "conv2d: dilation 0 is outside 1 to"},
    {false,
     4,
     {1, 8, 8, 3},
     {3, 3, 3, 8},
     {{1, 1}, {0}, {1, 1}, 0},
     {0},
     PLX_ERR_ARGUMENT,
     "conv2d: groups 0 is outside 1 to"},
    {false,
     4,
     {1, 8, 8, 3},
     {3, 3, 3, 8},
     {{1, 1}, {INT64_MAX, 0}, {1, 1}, 1},
     {0},
     PLX_ERR_ARGUMENT,
     "conv2d: padding 9223372036854775807 is outside 0 to"},
    {false,
     3,
     {8, 8, 3},
     {3, 3, 3, 8},
     {{1, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d: x of shape [8, 8, 3] has rank 3; it must be 4"},
    {true,
     4,
     {1, 4, 4, 5},
     {3, 3, 2, 8},
     {{1, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d_transpose: x has 5 channels, but weights [3, 3, 2, 8] take 8"},
    {true,
     4,
     {1, 4, 4, 8},
     {3, 3, 2, 8},
     {{2, 2}, {0}, {1, 1}, 1},
     {2, 0},
     PLX_ERR_ARGUMENT,
     "conv2d_transpose: extra is 2; it must be 0 to 1"},
    {true,
     4,
     {1, 4, 4, 8},
     {3, 3, 2, 8},
     {{1, 1}, {4, 4, 0, 0}, {1, 1}, 1},
     {0},
     PLX_ERR_SHAPE,
     "conv2d_transpose: the result would have -2 rows; at least 0 are needed"},
    {true,
     4,
     {1, 4, 4, 8},
     {3, 3, 2, 8},
     {{INT64_MAX, 1}, {0}, {1, 1}, 1},
     {0},
     PLX_ERR_ARGUMENT,
     "conv2d_transpose: stride 9223372036854775807 is outside"},
};

void plx_test_unit_conv_refusals(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    for (size_t i = 0; ctx && i < sizeof refusals / sizeof refusals[0]; ++i) {
        plx_graph *graph;
        plx_graph_new(ctx, &graph);
        const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, refusals[i].rank, refusals[i].x);
        const plx_node w = plx_input(graph, "w", PLX_DTYPE_REAL, 4, refusals[i].w);
        if (refusals[i].transposed)
            plx_conv2d_transpose(graph, x, w, plx_none(), &refusals[i].options, refusals[i].extra);
        else
            plx_conv2d(graph, x, w, plx_none(), &refusals[i].options);
        CHECK(t, plx_graph_status(graph) == refusals[i].status, "case %d: %s", (int)i,
              plx_status_name(plx_graph_status(graph)));
        CHECK(t, strstr(plx_message(ctx), refusals[i].sentence), "case %d: \"%s\" lacks \"%s\"",
              (int)i, plx_message(ctx), refusals[i].sentence);
        plx_graph_free(graph);
    }
    plx_ctx_free(ctx);
}

/* ---- Builders -------------------------------------------------------------------------------- */

static void check_same(plx_check *t, plx_graph *graph, int64_t size, int64_t kernel, int64_t stride,
                       int64_t dilation) {
    const int64_t x_dims[] = {1, size, size + 1, 2}, w_dims[] = {kernel, kernel, 2, 3};
    plx_conv2d_options options = plx_conv2d_default();
    options.stride[0] = options.stride[1] = stride;
    options.dilation[0] = options.dilation[1] = dilation;
    plx_conv2d_same(&options, x_dims[1], x_dims[2], kernel, kernel);
    const plx_node x = plx_input(graph, NULL, PLX_DTYPE_REAL, 4, x_dims);
    const plx_node w = plx_input(graph, NULL, PLX_DTYPE_REAL, 4, w_dims);
    const plx_node y = plx_conv2d(graph, x, w, plx_none(), &options);
    const int64_t *dims = NULL, rows = (size + stride - 1) / stride;
    const int64_t columns = (size + stride) / stride;
    CHECK(t, plx_node_shape(graph, y, &dims) == 4 && dims[1] == rows && dims[2] == columns,
          "same: size %lld, kernel %lld, stride %lld, dilation %lld", (long long)size,
          (long long)kernel, (long long)stride, (long long)dilation);
}

/* A transposed convolution restores the shape at all sizes: extra is what the stride drops. */
static void check_round_trip(plx_check *t, plx_graph *graph, int64_t size) {
    const int64_t x_dims[] = {1, size, size + 1, 2}, w_dims[] = {3, 2, 2, 3};
    plx_conv2d_options options = plx_conv2d_default();
    options.stride[0] = options.stride[1] = 3;
    options.padding[0] = 1;
    const int64_t extra[] = {(size + 1 - 3) % 3, (size + 1 - 2) % 3};
    const plx_node x = plx_input(graph, NULL, PLX_DTYPE_REAL, 4, x_dims);
    const plx_node w = plx_input(graph, NULL, PLX_DTYPE_REAL, 4, w_dims);
    const plx_node y = plx_conv2d(graph, x, w, plx_none(), &options);
    const plx_node back = plx_conv2d_transpose(graph, y, w, plx_none(), &options, extra);
    const int64_t *dims = NULL;
    CHECK(t, plx_node_shape(graph, back, &dims) == 4 && !memcmp(dims, x_dims, sizeof x_dims),
          "transposed: %lld rows are not restored", (long long)size);
}

/* Bias and activation are fused into the convolution, which changes no bit of the result. */
static void check_fused(plx_check *t, plx_ctx *ctx, bool transposed, int number) {
    const form *f = &forms[number];
    plx_rng rng = plx_rng_new(5, 0);
    plx_graph *graph;
    plx_tensor *tensors[2], *bias_tensor;
    plx_graph_new(ctx, &graph);
    const int64_t channels = transposed ? f->w[2] * f->options.groups : f->w[3];
    int64_t x_dims[4];
    memcpy(x_dims, f->x, sizeof x_dims);
    if (transposed) x_dims[3] = f->w[3];
    const plx_node x = parameter(ctx, graph, x_dims, &rng, &tensors[0]);
    const plx_node w = parameter(ctx, graph, f->w, &rng, &tensors[1]);
    plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &channels, &bias_tensor);
    for (int64_t i = 0; i < channels; ++i)
        ((plx_real *)bias_tensor->data)[i] = (plx_real)(0.25 * (double)i - 1);
    const plx_node bias = plx_parameter(graph, NULL, bias_tensor);
    plx_node y = transposed ? plx_conv2d_transpose(graph, x, w, bias, &f->options, NULL)
                            : plx_conv2d(graph, x, w, bias, &f->options);
    y = plx_activate(graph, y, PLX_SILU, 0);
    const plx_plan_options plain = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};
    plx_plan *fused = NULL, *single = NULL;
    plx_status status = plx_compile(graph, 1, &y, NULL, &fused);
    if (status == PLX_OK) status = plx_compile(graph, 1, &y, &plain, &single);
    if (status == PLX_OK) status = plx_plan_run(fused);
    if (status == PLX_OK) status = plx_plan_run(single);
    if (CHECK(t, status == PLX_OK, "form %d: %s", number, plx_message(ctx))) {
        CHECK(t, plx_plan_steps(fused) == 1 && plx_plan_steps(single) == 3,
              "form %d: %d steps instead of 1", number, plx_plan_steps(fused));
        const int64_t *dims = NULL;
        const int rank = plx_node_shape(graph, y, &dims);
        CHECK(t,
              !memcmp(plx_plan_output(fused, y), plx_plan_output(single, y),
                      (size_t)plx__product(rank, dims) * sizeof(plx_real)),
              "form %d: fusion changes the bits", number);
    }
    plx_plan_free(fused);
    plx_plan_free(single);
    plx_graph_free(graph);
    for (int k = 0; k < 2; ++k) plx_tensor_free(tensors[k]);
    plx_tensor_free(bias_tensor);
}

void plx_test_unit_conv_builders(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_graph *graph = NULL;
    if (!ctx || plx_graph_new(ctx, &graph) != PLX_OK) return;
    for (int64_t size = 1; size <= 9; ++size)
        for (int64_t kernel = 1; kernel <= 5; ++kernel)
            for (int64_t stride = 1; stride <= 3; ++stride)
                check_same(t, graph, size, kernel, stride, 1 + kernel % 2);
    for (int64_t size = 3; size <= 9; ++size) check_round_trip(t, graph, size);
    for (int number = 0; number < 10; ++number) {
        check_fused(t, ctx, false, number);
        check_fused(t, ctx, true, number);
    }
    plx_graph_free(graph);
    plx_ctx_free(ctx);
}
