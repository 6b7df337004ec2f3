/* Elementwise functions of two values, broadcast as NumPy does. */
#include "ops/broadcast.h"

static const plx__attrs minus_one = {.scale = {.factor = -1}};

static void gradient_add(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = plx__sum_like(graph, gy, node.inputs[0]);
    grads[1] = plx__sum_like(graph, gy, node.inputs[1]);
}

static void gradient_sub(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t negative = PLX__EMIT1(graph, &plx__op_scale, gy, &minus_one);
    grads[0] = plx__sum_like(graph, gy, node.inputs[0]);
    grads[1] = plx__sum_like(graph, negative, node.inputs[1]);
}

static void gradient_mul(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t ga = PLX__EMIT2(graph, &plx__op_mul, gy, node.inputs[1], NULL);
    const int32_t gb = PLX__EMIT2(graph, &plx__op_mul, gy, node.inputs[0], NULL);
    grads[0] = plx__sum_like(graph, ga, node.inputs[0]);
    grads[1] = plx__sum_like(graph, gb, node.inputs[1]);
}

/* y = a / b: da = gy / b, db = -gy y / b. */
static void gradient_div(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t ga = PLX__EMIT2(graph, &plx__op_div, gy, node.inputs[1], NULL);
    const int32_t product = PLX__EMIT2(graph, &plx__op_mul, ga, id, NULL);
    const int32_t gb = PLX__EMIT1(graph, &plx__op_scale, product, &minus_one);
    grads[0] = plx__sum_like(graph, ga, node.inputs[0]);
    grads[1] = plx__sum_like(graph, gb, node.inputs[1]);
}

static void gradient_selection(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads,
                               bool larger) {
    const plx__node node = *graph->nodes[id];
    for (int k = 0; k < 2; ++k) {
        const plx__attrs attrs = {.select = {.larger = larger, .input = k}};
        const int32_t g =
            PLX__EMIT3(graph, &plx__op_select_grad, node.inputs[0], node.inputs[1], gy, &attrs);
        grads[k] = plx__sum_like(graph, g, node.inputs[k]);
    }
}

static void gradient_max(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    gradient_selection(graph, id, gy, grads, true);
}

static void gradient_min(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    gradient_selection(graph, id, gy, grads, false);
}

/* Emits a number as a constant node. */
static int32_t constant(plx_graph *graph, double value) {
    const plx__attrs attrs = {.leaf = {.value = value}};
    return plx__emit(graph, &plx__op_constant, 0, NULL, &attrs);
}

/* y = a^b: da = gy b a^(b - 1), db = gy y log a. In the logarithm, a is raised to at least the
 * smallest normal number, so that y log a is 0 where a is 0 and b is not negative. */
static void gradient_pow(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t a = node.inputs[0], b = node.inputs[1];
    const int32_t less = PLX__EMIT2(graph, &plx__op_sub, b, constant(graph, 1), NULL);
    const int32_t power = PLX__EMIT2(graph, &plx__op_pow, a, less, NULL);
    const int32_t slope = PLX__EMIT2(graph, &plx__op_mul, power, b, NULL);
    const int32_t ga = PLX__EMIT2(graph, &plx__op_mul, gy, slope, NULL);
    const int32_t above = PLX__EMIT2(graph, &plx__op_max, a, constant(graph, 0x1p-126), NULL);
    const int32_t logarithm = PLX__EMIT1(graph, &plx__op_log, above, NULL);
    const int32_t product = PLX__EMIT2(graph, &plx__op_mul, id, logarithm, NULL);
    const int32_t gb = PLX__EMIT2(graph, &plx__op_mul, gy, product, NULL);
    grads[0] = plx__sum_like(graph, ga, a);
    grads[1] = plx__sum_like(graph, gb, b);
}

/* y = x > 0 ? x : s x: dx = x > 0 ? gy : s gy, ds = gy min(x, 0). */
static void gradient_prelu(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t x = node.inputs[0], slope = node.inputs[1], zero = constant(graph, 0);
    const plx__attrs above = {.select = {.input = 1}}, below = {.select = {.input = 0}};
    const int32_t sloped = PLX__EMIT2(graph, &plx__op_mul, gy, slope, NULL);
    const int32_t gx = PLX__EMIT2(
        graph, &plx__op_add, PLX__EMIT3(graph, &plx__op_select_grad, x, zero, gy, &above),
        PLX__EMIT3(graph, &plx__op_select_grad, x, zero, sloped, &below), NULL);
    const int32_t negative = PLX__EMIT2(graph, &plx__op_min, x, zero, NULL);
    const int32_t gs = PLX__EMIT2(graph, &plx__op_mul, gy, negative, NULL);
    grads[0] = plx__sum_like(graph, gx, x);
    grads[1] = plx__sum_like(graph, gs, slope);
}

typedef void (*binary_kernel)(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                              plx_real *y);

typedef struct binary_job {
    binary_kernel kernel;
    const plx_real *a, *b, *gy;
    plx_real *y;
    bool larger, second;
} binary_job;

static void binary_piece(const void *arg, const plx__broadcast *loops, int64_t n,
                         const int64_t *from, int64_t to) {
    const binary_job *job = arg;
    job->kernel(n, job->a + from[0], loops->strides[0][0] != 0, job->b + from[1],
                loops->strides[1][0] != 0, job->y + to);
}

static plx_status run_binary(plx_ctx *ctx, const plx__step *step, binary_kernel kernel) {
    const binary_job job = {
        .kernel = kernel, .a = PLX_IN(step, 0), .b = PLX_IN(step, 1), .y = PLX_OUT(step)};
    plx__broadcast_run(ctx, step, 2, binary_piece, &job);
    return PLX_OK;
}

static plx__cost cost_binary(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 1);
}

static const char anywhere[] =
    "5~-2,2 5~-2,2; 3x4~-2,2 4~-2,2; 3x1~-2,2 1x17~-2,2; .~-2,2 2x3~-2,2; 2x3x5~-2,2 2x1x5~-2,2; "
    "0~-2,2 1~-2,2";
static const char positive[] =
    "5~0.5,2 5~0.5,2; 3x4~0.5,2 4~0.5,2; 3x1~0.5,2 1x17~0.5,2; .~0.5,2 2x3~0.5,2; "
    "2x3x5~0.5,2 2x1x5~0.5,2; 0~0.5,2 1~0.5,2";

static const plx__operand_row two[] = {
    {"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};
static const plx__operand_row sloped[] = {
    {"x", PLX__REALS, PLX__VALUE}, {"slope", PLX__REALS, PLX__VALUE}, {NULL, 0, 0}};
#define BINARY_OP(op_name, takes, kink, where)                                                     \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_binary(ctx, step, ctx->kernels->op_name);                                       \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .operands = takes,                                                                         \
        .flags = PLX__OP_INPLACE | (kink),                                                         \
        .infer = plx__infer_broadcast,                                                             \
        .gradient = gradient_##op_name,                                                            \
        .cost = cost_binary,                                                                       \
        .run = run_##op_name,                                                                      \
        .samples = where,                                                                          \
    };

BINARY_OP(add, two, 0, anywhere)
BINARY_OP(sub, two, 0, anywhere)
BINARY_OP(mul, two, 0, anywhere)
BINARY_OP(div, two, 0, positive)
BINARY_OP(max, two, PLX__OP_KINK, anywhere)
BINARY_OP(min, two, PLX__OP_KINK, anywhere)
BINARY_OP(pow, two, 0, positive)
BINARY_OP(prelu, sloped, PLX__OP_KINK, anywhere)

/* ---- select_grad: gy where its input was the one taken, else 0 ------------------------------- */

static plx_status infer_select_grad(plx_graph *graph, plx__node *node) {
    plx__copy_shape(node, plx__input_of(graph, node, 2));
    return PLX_OK;
}

static void select_piece(const void *arg, const plx__broadcast *loops, int64_t n,
                         const int64_t *from, int64_t to) {
    const binary_job *job = arg;
    for (int64_t j = 0; j < n; ++j) {
        const plx_real a = job->a[from[0] + j * loops->strides[0][0]];
        const plx_real b = job->b[from[1] + j * loops->strides[1][0]];
        const bool second = job->larger ? b > a : b < a;
        job->y[to + j] = second == job->second ? job->gy[to + j] : 0;
    }
}

static plx_status run_select_grad(plx_ctx *ctx, const plx__step *step) {
    const binary_job job = {.a = PLX_IN(step, 0),
                            .b = PLX_IN(step, 1),
                            .gy = PLX_IN(step, 2),
                            .y = PLX_OUT(step),
                            .larger = step->attrs.select.larger,
                            .second = step->attrs.select.input};
    plx__broadcast_run(ctx, step, 2, select_piece, &job);
    return PLX_OK;
}

static const char select_samples[] = "5 5 5 : larger 1; 3x1 4 3x4 : input 1";

const plx_op plx__op_select_grad = {
    .name = "select_grad",
    .operands = PLX__OPERANDS({"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE},
                              {"gy", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_select_grad,
    .cost = cost_binary,
    .run = run_select_grad,
    .attrs = plx__select_fields,
    .samples = PLX__TESTED(select_samples),
};
