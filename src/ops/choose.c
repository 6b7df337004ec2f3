/* Dtype conversion, comparison, and selection between two values. Plain C with the same results on
 * every target: nothing here is bound by arithmetic. */
#include "ops/broadcast.h"

#include <string.h>

/* ---- cast ------------------------------------------------------------------------------------ */

static plx_status infer_cast(plx_graph *graph, plx__node *node) {
    if (!plx__is_dtype(node->dtype))
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "cast: there is no dtype number %d; it must be 0 to %d",
                               (int)node->dtype, PLX_DTYPES_ - 1);
    return plx__infer_same(graph, node);
}

/* Gradients are real, whatever dtypes the casts pass through. */
static void gradient_cast(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    (void)graph;
    (void)id;
    grads[0] = gy;
}

static void cast_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    enum { CHUNK = 256 };
    const plx__step *step = arg;
    double values[CHUNK];
    for (int64_t i = begin; i < end; i += CHUNK) {
        const int64_t n = end - i < CHUNK ? end - i : CHUNK;
        plx__decode(step->in[0].dtype, n, plx__element(&step->in[0], i), values);
        plx__encode(step->out.dtype, n, values, plx__element(&step->out, i));
    }
}

static plx_status run_cast(plx_ctx *ctx, const plx__step *step) {
    plx__step job = *step;
    ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, step->out.size,
                      plx__grain(step->out.size, 1, step->threads), cast_piece, &job);
    return PLX_OK;
}

static plx__cost cost_cast(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 4);
}

/* To reals, int32, bfloat16, float16, int8 and uint8. */
static const char cast_samples[] =
    "3x33~-2,2 : dtype 0; 3x33~-99,99 : dtype 1; 3x33~-2,2 : dtype 2; 3x33~-2,2 : dtype 3; "
    "3x700~-200,200 : dtype 4; .~-9,300 : dtype 5; 0 : dtype 5";

const plx_op plx__op_cast = {
    .name = "cast",
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}),
    .result = PLX__BY_ATTRS,
    .infer = infer_cast,
    .gradient = gradient_cast,
    .cost = cost_cast,
    .run = run_cast,
    .attrs = plx__leaf_fields,
    .samples = cast_samples,
};

/* ---- Comparisons: 1 where they hold, else 0 -------------------------------------------------- */

/* The result is 1 where a flagged relation holds; absent inverts that. For a NaN none holds. */
typedef struct comparison {
    uint8_t less, equal, greater, absent;
} comparison;

typedef struct compare_job {
    comparison of;
    bool integers;
    const void *a, *b;
    uint8_t *y;
} compare_job;

#define COMPARE_EACH(type)                                                                         \
    {                                                                                              \
        const type *a = (const type *)job->a + from[0], *b = (const type *)job->b + from[1];       \
        for (int64_t i = 0; i < n; ++i, a += sa, b += sb)                                          \
            y[i] = (uint8_t)(((of.less & (*a < *b)) | (of.equal & (*a == *b)) |                    \
                              (of.greater & (*a > *b))) ^                                          \
                             of.absent);                                                           \
    }

static void compare_piece(const void *arg, const plx__broadcast *loops, int64_t n,
                          const int64_t *from, int64_t to) {
    const compare_job *job = arg;
    const comparison of = job->of;
    const int64_t sa = loops->strides[0][0], sb = loops->strides[1][0];
    uint8_t *y = job->y + to;
    if (job->integers)
        COMPARE_EACH(int32_t)
    else
        COMPARE_EACH(plx_real)
}

static plx_status run_comparison(plx_ctx *ctx, const plx__step *step, comparison of) {
    const compare_job job = {of, step->in[0].dtype == PLX_DTYPE_I32, *step->in[0].slot,
                             *step->in[1].slot, *step->out.slot};
    plx__broadcast_run(ctx, step, 2, compare_piece, &job);
    return PLX_OK;
}

static plx__cost cost_elementwise(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 1);
}

static const plx__operand_row compared[] = {{"a", PLX__REALS | PLX__INTEGERS, PLX__ALIKE},
                                            {"b", PLX__REALS | PLX__INTEGERS, PLX__ALIKE},
                                            {NULL, 0, 0}};
static const char compare_samples[] = "5 5; 3x4 4; 3x1 1x17; . 2x3; 2x3x5 2x1x5; 0 1; 3x700 700";

#define COMPARISON_OP(op_name, ...)                                                                \
    static plx_status run_##op_name(plx_ctx *ctx, const plx__step *step) {                         \
        return run_comparison(ctx, step, (comparison){__VA_ARGS__});                               \
    }                                                                                              \
    const plx_op plx__op_##op_name = {                                                             \
        .name = #op_name,                                                                          \
        .flags = PLX__OP_NO_GRADIENT,                                                              \
        .operands = compared,                                                                      \
        .result = PLX_DTYPE_U8,                                                                    \
        .infer = plx__infer_broadcast,                                                             \
        .cost = cost_elementwise,                                                                  \
        .run = run_##op_name,                                                                      \
        .samples = PLX__TESTED(compare_samples),                                                   \
    };

COMPARISON_OP(equal, .equal = 1)
COMPARISON_OP(not_equal, .equal = 1, .absent = 1)
COMPARISON_OP(less, .less = 1)
COMPARISON_OP(less_equal, .less = 1, .equal = 1)
COMPARISON_OP(greater, .greater = 1)
COMPARISON_OP(greater_equal, .greater = 1, .equal = 1)

/* ---- where(condition, a, b) ------------------------------------------------------------------ */

typedef struct where_job {
    const plx__step *step;
    size_t bytes; /* of an element of a, b and the result */
} where_job;

/* Reads whether each condition holds. */
static void read_flags(const plx__operand *condition, int64_t from, int64_t stride, int64_t n,
                       uint8_t *flags) {
    if (condition->dtype == PLX_DTYPE_U8) {
        const uint8_t *c = (const uint8_t *)*condition->slot + from;
        for (int64_t i = 0; i < n; ++i) flags[i] = c[i * stride] != 0;
    } else {
        const int32_t *c = (const int32_t *)*condition->slot + from;
        for (int64_t i = 0; i < n; ++i) flags[i] = c[i * stride] != 0;
    }
}

#define CHOOSE_EACH(type)                                                                          \
    for (int64_t i = 0; i < n; ++i) {                                                              \
        type left, right;                                                                          \
        memcpy(&left, a + i * sa, sizeof left);                                                    \
        memcpy(&right, b + i * sb, sizeof right);                                                  \
        const type chosen = flags[i] ? left : right;                                               \
        memcpy(y + i * (int64_t)sizeof chosen, &chosen, sizeof chosen);                            \
    }

/* Strides in bytes. */
static void choose(size_t bytes, int64_t n, const uint8_t *flags, const char *a, int64_t sa,
                   const char *b, int64_t sb, char *y) {
    if (bytes == 1)
        CHOOSE_EACH(uint8_t)
    else if (bytes == 2)
        CHOOSE_EACH(uint16_t)
    else if (bytes == 4)
        CHOOSE_EACH(uint32_t)
    else if (sizeof(plx_real) == 8) /* otherwise there are none, so modules need no code for them */
        CHOOSE_EACH(uint64_t)
}

static void where_piece(const void *arg, const plx__broadcast *loops, int64_t n,
                        const int64_t *from, int64_t to) {
    enum { CHUNK = 256 };
    const where_job *job = arg;
    const plx__step *step = job->step;
    const int64_t sc = loops->strides[0][0], sa = loops->strides[1][0], sb = loops->strides[2][0];
    const int64_t bytes = (int64_t)job->bytes;
    uint8_t flags[CHUNK];
    for (int64_t i = 0; i < n; i += CHUNK) {
        const int64_t count = n - i < CHUNK ? n - i : CHUNK;
        read_flags(&step->in[0], from[0] + i * sc, sc, count, flags);
        choose(job->bytes, count, flags, plx__element(&step->in[1], from[1] + i * sa), sa * bytes,
               plx__element(&step->in[2], from[2] + i * sb), sb * bytes,
               plx__element(&step->out, to + i));
    }
}

static plx_status run_where(plx_ctx *ctx, const plx__step *step) {
    const where_job job = {step, plx__element_bytes(step->out.dtype)};
    plx__broadcast_run(ctx, step, 3, where_piece, &job);
    return PLX_OK;
}

/* The side not taken gets zeros, not 0 times the incoming gradient. */
static void gradient_where(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t condition = node.inputs[0];
    const int32_t zero = plx__emit(graph, &plx__op_constant, 0, NULL, NULL);
    const int32_t ga = PLX__EMIT3(graph, &plx__op_where, condition, gy, zero, NULL);
    const int32_t gb = PLX__EMIT3(graph, &plx__op_where, condition, zero, gy, NULL);
    grads[1] = plx__sum_like(graph, ga, node.inputs[1]);
    grads[2] = plx__sum_like(graph, gb, node.inputs[2]);
}

static const char where_samples[] =
    "5~0,2 5 5; 3x4~0,2 4 3x1; 4~0,2 3x4 .; 3x1~0,2 1x17 3x17; .~0,2 2x3 2x3; "
    "2x3x5~0,2 2x1x5 3x1; 0~0,2 1 0; 3x700~0,2 3x700 700";

const plx_op plx__op_where = {
    .name = "where",
    .flags = PLX__OP_INPLACE,
    .operands = PLX__OPERANDS({"condition", PLX__INTEGERS | PLX__SET(U8), PLX__CONSTANT},
                              {"a", PLX__ANY, PLX__ALIKE}, {"b", PLX__ANY, PLX__ALIKE}),
    .result = PLX__AS(1),
    .infer = plx__infer_broadcast,
    .gradient = gradient_where,
    .cost = cost_elementwise,
    .run = run_where,
    .samples = where_samples,
};
