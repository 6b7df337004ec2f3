/* Casts, comparisons and where: against exact arithmetic, on every target. */
#include "check.h"

#include "ops/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct scene {
    plx_check *t;
    plx_ctx *ctx;
    plx_graph *graph;
    plx_plan *plan;
} scene;

static scene open_scene(plx_check *t, plx_ctx *ctx) {
    scene s = {.t = t, .ctx = ctx};
    plx_graph_new(ctx, &s.graph);
    return s;
}

static void close_scene(scene *s) {
    plx_plan_free(s->plan);
    plx_graph_free(s->graph);
}

/* Makes a node of a tensor of these elements; the node keeps the tensor. */
static plx_node given(scene *s, plx_dtype dtype, int rank, const int64_t *dims, const void *data) {
    plx_tensor *tensor = NULL;
    if (!data || plx_tensor_new(s->ctx, dtype, rank, dims, &tensor) != PLX_OK) return plx_none();
    memcpy(plx_tensor_data(tensor), data,
           (size_t)plx_tensor_size(tensor) * plx__element_bytes(dtype));
    const plx_node node = plx_parameter(s->graph, NULL, tensor);
    plx_tensor_free(tensor);
    return node;
}

static bool run(scene *s, int count, const plx_node *outputs) {
    plx_status status = plx_compile(s->graph, count, outputs, NULL, &s->plan);
    if (status == PLX_OK) status = plx_plan_run(s->plan);
    return CHECK(s->t, status == PLX_OK, "%s", plx_message(s->ctx));
}

/* Returns a copy of n elements cast to another dtype; free with free(). */
static void *cast(plx_check *t, plx_ctx *ctx, plx_dtype from, int64_t n, const void *x,
                  plx_dtype to) {
    scene s = open_scene(t, ctx);
    const plx_node y = plx_cast(s.graph, given(&s, from, 1, &n, x), to);
    CHECK(t, plx_node_dtype(s.graph, y) == to, "the dtype of a cast");
    void *copy = calloc((size_t)n, sizeof(double));
    if (run(&s, 1, &y) && copy)
        memcpy(copy, plx_plan_output_as(s.plan, y, to), (size_t)n * plx__element_bytes(to));
    close_scene(&s);
    return copy;
}

/* ---- 16-bit floats --------------------------------------------------------------------------- */

typedef struct format {
    plx_dtype dtype;
    int mantissa, bias;
} format;

static const format formats[] = {{PLX_DTYPE_BF16, 7, 127}, {PLX_DTYPE_F16, 10, 15}};

enum { PATTERNS = 65536, FINITE = 32768 };

static int infinity_of(const format *f) {
    return (2 * f->bias + 1) << f->mantissa;
}

/* The value of a bit pattern by the definition; for infinity, the value after the largest one. */
static double value_of(const format *f, int pattern) {
    const int exponent = (pattern & 0x7fff) >> f->mantissa;
    const int mantissa = pattern & ((1 << f->mantissa) - 1);
    const double whole = exponent ? mantissa + (1 << f->mantissa) : mantissa;
    const double value = ldexp(whole, (exponent ? exponent : 1) - f->bias - f->mantissa);
    return pattern & 0x8000 ? -value : value;
}

static bool is_nan_pattern(const format *f, int pattern) {
    return (pattern & 0x7fff) > infinity_of(f);
}

/* Every pattern has its value, and survives a round trip. */
static void check_patterns(plx_check *t, plx_ctx *ctx, const format *f) {
    uint16_t *all = calloc(PATTERNS, sizeof *all);
    for (int i = 0; all && i < PATTERNS; ++i) all[i] = (uint16_t)i;
    plx_real *real = cast(t, ctx, f->dtype, PATTERNS, all, PLX_DTYPE_REAL);
    uint16_t *back = cast(t, ctx, PLX_DTYPE_REAL, PATTERNS, real, f->dtype);
    for (int i = 0; all && real && back && i < PATTERNS; ++i) {
        const bool infinite = (i & 0x7fff) == infinity_of(f), nan = is_nan_pattern(f, i);
        const plx_real wanted = infinite ? (i & 0x8000 ? -(plx_real)INFINITY : (plx_real)INFINITY)
                                         : (plx_real)value_of(f, i);
        const bool right =
            nan ? real[i] != real[i] : real[i] == wanted && !signbit(real[i]) == !(i & 0x8000);
        CHECK(t, right, "%s %04x is %g", plx__dtype_name(f->dtype), (unsigned)i, (double)real[i]);
        CHECK(t, nan ? is_nan_pattern(f, back[i]) : back[i] == i, "%s %04x comes back as %04x",
              plx__dtype_name(f->dtype), (unsigned)i, (unsigned)back[i]);
    }
    free(all);
    free(real);
    free(back);
}

static plx_real next_to(plx_real x, plx_real to) {
    return sizeof x == sizeof(double) ? (plx_real)nextafter((double)x, (double)to)
                                      : (plx_real)nextafterf((float)x, (float)to);
}

/* Between each pattern and the next: ties round to even, their neighbours to the nearest; beyond
 * the largest number the next is infinity. */
static void check_halves(plx_check *t, plx_ctx *ctx, const format *f, plx_real sign) {
    enum { EACH = 3 };
    plx_real *x = calloc(EACH * FINITE, sizeof *x);
    const int count = infinity_of(f);
    for (int i = 0; x && i < count; ++i) {
        const plx_real half = (plx_real)((value_of(f, i) + value_of(f, i + 1)) / 2);
        x[EACH * i] = sign * next_to(half, 0);
        x[EACH * i + 1] = sign * half;
        x[EACH * i + 2] = sign * next_to(half, (plx_real)INFINITY);
    }
    uint16_t *y = cast(t, ctx, PLX_DTYPE_REAL, (int64_t)EACH * count, x, f->dtype);
    for (int i = 0; x && y && i < EACH * count; ++i) {
        const int low = i / EACH, even = low + low % 2;
        const int magnitude = i % EACH == 0 ? low : i % EACH == 1 ? even : low + 1;
        const int wanted = magnitude | (sign < 0 ? 0x8000 : 0);
        CHECK(t, y[i] == wanted, "%a to %s is %04x, not %04x", (double)x[i],
              plx__dtype_name(f->dtype), (unsigned)y[i], (unsigned)wanted);
    }
    free(x);
    free(y);
}

/* ---- Integers -------------------------------------------------------------------------------- */

static const struct {
    double x;
    int32_t i32;
    int8_t i8;
    uint8_t u8;
} truncated[] = {
    {(double)NAN, 0, 0, 0},
    {(double)INFINITY, INT32_MAX, 127, 255},
    {-(double)INFINITY, INT32_MIN, -128, 0},
    {0.0, 0, 0, 0},
    {-0.0, 0, 0, 0},
    {0.5, 0, 0, 0},
    {-0.99, 0, 0, 0},
    {1.99, 1, 1, 1},
    {-1.5, -1, -1, 0},
    {2.5, 2, 2, 2},
    {-3.5, -3, -3, 0},
    {127.75, 127, 127, 127},
    {128, 128, 127, 128},
    {-128.5, -128, -128, 0},
    {-129, -129, -128, 0},
    {255.75, 255, 127, 255},
    {256, 256, 127, 255},
    {2147483520, 2147483520, 127, 255},
    {2147483648.0, INT32_MAX, 127, 255},
    {-2147483648.0, INT32_MIN, -128, 0},
    {-2147483904.0, INT32_MIN, -128, 0},
    {1e30, INT32_MAX, 127, 255},
    {-1e30, INT32_MIN, -128, 0},
    {1e-40, 0, 0, 0},
};

enum { TRUNCATED = sizeof truncated / sizeof *truncated };

static void check_truncation(plx_check *t, plx_ctx *ctx) {
    plx_real x[TRUNCATED];
    for (int i = 0; i < TRUNCATED; ++i) x[i] = (plx_real)truncated[i].x;
    int32_t *i32 = cast(t, ctx, PLX_DTYPE_REAL, TRUNCATED, x, PLX_DTYPE_I32);
    int8_t *i8 = cast(t, ctx, PLX_DTYPE_REAL, TRUNCATED, x, PLX_DTYPE_I8);
    uint8_t *u8 = cast(t, ctx, PLX_DTYPE_REAL, TRUNCATED, x, PLX_DTYPE_U8);
    for (int i = 0; i32 && i8 && u8 && i < TRUNCATED; ++i)
        CHECK(t, i32[i] == truncated[i].i32 && i8[i] == truncated[i].i8 && u8[i] == truncated[i].u8,
              "%g is %d, %d and %d", truncated[i].x, (int)i32[i], i8[i], u8[i]);
    free(i32);
    free(i8);
    free(u8);
}

/* Between integers and to floats: exact if possible, otherwise rounded once. */
static void check_whole(plx_check *t, plx_ctx *ctx) {
    static const struct {
        int32_t x;
        float f32;
        uint16_t bf16, f16;
        int8_t i8;
        uint8_t u8;
    } cases[] = {
        {0, 0, 0, 0, 0, 0},
        {-1, -1, 0xbf80, 0xbc00, -1, 0},
        {200, 200, 0x4348, 0x5a40, 127, 200},
        {-200, -200, 0xc348, 0xda40, -128, 0},
        {300, 300, 0x4396, 0x5cb0, 127, 255},
        {257, 257, 0x4380, 0x5c04, 127, 255},     /* a tie for bfloat16: rounds to even */
        {65519, 65519, 0x4780, 0x7bff, 127, 255}, /* the last value that float16 keeps finite */
        {65520, 65520, 0x4780, 0x7c00, 127, 255}, /* a tie with infinity */
        {16777217, 16777216, 0x4b80, 0x7c00, 127, 255}, /* a tie for float: rounds to even */
        {16777219, 16777220, 0x4b80, 0x7c00, 127, 255},
        /* 2^25 + 2^17 + 1: rounded to float first it would be a tie for bfloat16; it is above */
        {33685505, 33685504, 0x4c01, 0x7c00, 127, 255},
        {INT32_MAX, 2147483648.0F, 0x4f00, 0x7c00, 127, 255},
        {INT32_MIN, -2147483648.0F, 0xcf00, 0xfc00, -128, 0},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    int32_t x[COUNT];
    for (int i = 0; i < COUNT; ++i) x[i] = cases[i].x;
    plx_real *real = cast(t, ctx, PLX_DTYPE_I32, COUNT, x, PLX_DTYPE_REAL);
    uint16_t *bf16 = cast(t, ctx, PLX_DTYPE_I32, COUNT, x, PLX_DTYPE_BF16);
    uint16_t *f16 = cast(t, ctx, PLX_DTYPE_I32, COUNT, x, PLX_DTYPE_F16);
    int8_t *i8 = cast(t, ctx, PLX_DTYPE_I32, COUNT, x, PLX_DTYPE_I8);
    uint8_t *u8 = cast(t, ctx, PLX_DTYPE_I32, COUNT, x, PLX_DTYPE_U8);
    for (int i = 0; real && bf16 && f16 && i8 && u8 && i < COUNT; ++i) {
        const double exact = sizeof(plx_real) == sizeof(double) ? x[i] : (double)cases[i].f32;
        CHECK(t, (double)real[i] == exact, "%d as a real is %a", (int)x[i], (double)real[i]);
        CHECK(t, bf16[i] == cases[i].bf16 && f16[i] == cases[i].f16, "%d is %04x and %04x",
              (int)x[i], (unsigned)bf16[i], (unsigned)f16[i]);
        CHECK(t, i8[i] == cases[i].i8 && u8[i] == cases[i].u8, "%d is %d and %d", (int)x[i], i8[i],
              u8[i]);
    }
    free(real);
    free(bf16);
    free(f16);
    free(i8);
    free(u8);
}

/* All byte values, through every dtype that holds them. */
static void check_bytes(plx_check *t, plx_ctx *ctx) {
    static const plx_dtype through[] = {PLX_DTYPE_REAL, PLX_DTYPE_I32, PLX_DTYPE_BF16,
                                        PLX_DTYPE_F16};
    uint8_t all[256];
    for (int i = 0; i < 256; ++i) all[i] = (uint8_t)i;
    for (int i = 0; i < 8; ++i) {
        const plx_dtype own = i % 2 ? PLX_DTYPE_U8 : PLX_DTYPE_I8;
        void *there = cast(t, ctx, own, 256, all, through[i / 2]);
        void *back = cast(t, ctx, through[i / 2], 256, there, own);
        CHECK(t, back && !memcmp(back, all, sizeof all), "%s through %s", plx__dtype_name(own),
              plx__dtype_name(through[i / 2]));
        free(there);
        free(back);
    }
    uint8_t *clamped = cast(t, ctx, PLX_DTYPE_I8, 256, all, PLX_DTYPE_U8);
    for (int i = 0; clamped && i < 256; ++i)
        CHECK(t, clamped[i] == (i < 128 ? i : 0), "int8 %d is uint8 %d", i, clamped[i]);
    free(clamped);
}

/* ---- Gradients of casts ---------------------------------------------------------------------- */

static void check_cast_gradient(plx_check *t, plx_ctx *ctx, plx_dtype through) {
    static const plx_real x[] = {(plx_real)0.1, -3, 1e9, (plx_real)1e-9},
                          w[] = {(plx_real)1.7, (plx_real)-0.3, 5, (plx_real)1e-7};
    const int64_t n = 4;
    scene s = open_scene(t, ctx);
    const plx_node in = given(&s, PLX_DTYPE_REAL, 1, &n, x);
    const plx_node stored = plx_cast(s.graph, in, through);
    const plx_node moved = plx_slice(s.graph, stored, 0, 0, 4, 1);
    const plx_node y =
        plx_cast(s.graph, plx_reshape(s.graph, moved, 2, (const int64_t[]){2, 2}), PLX_DTYPE_REAL);
    const plx_node weights =
        plx_reshape(s.graph, given(&s, PLX_DTYPE_REAL, 1, &n, w), 2, (const int64_t[]){2, 2});
    const plx_node loss = plx_reduce_sum(s.graph, plx_mul(s.graph, y, weights), PLX_ALL_AXES);
    plx_node gradient = plx_none();
    const plx_status status = plx_gradients(s.graph, loss, 1, &in, &gradient);
    if (!plx__is_fractional(through))
        CHECK(t,
              status == PLX_ERR_ARGUMENT &&
                  strstr(plx_message(ctx), "does not depend on variable 0"),
              "through %s: %s", plx__dtype_name(through), plx_message(ctx));
    else if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)) && run(&s, 1, &gradient))
        CHECK(t,
              plx_node_dtype(s.graph, gradient) == PLX_DTYPE_REAL &&
                  !memcmp(plx_plan_output(s.plan, gradient), w, sizeof w),
              "the gradient through %s was changed", plx__dtype_name(through));
    close_scene(&s);
}

static void check_cast_refusals(plx_check *t, plx_ctx *ctx) {
    const int64_t n = 1;
    scene s = open_scene(t, ctx);
    const plx_node x = plx_input(s.graph, "x", PLX_DTYPE_REAL, 1, &n);
    CHECK(t, plx_cast(s.graph, x, PLX_DTYPE_REAL).id == x.id, "a cast to the same dtype");
    plx_cast(s.graph, x, (plx_dtype)6);
    CHECK(t,
          plx_graph_status(s.graph) == PLX_ERR_ARGUMENT &&
              !strcmp(plx_message(ctx), "cast: there is no dtype number 6; it must be 0 to 5"),
          "%s", plx_message(ctx));
    close_scene(&s);
    s = open_scene(t, ctx);
    const plx_node bytes = plx_input(s.graph, "bytes", PLX_DTYPE_U8, 1, &n);
    plx_pad(s.graph, bytes, &n, &n, 255);
    CHECK(t, plx_graph_status(s.graph) == PLX_OK, "%s", plx_message(ctx));
    plx_pad(s.graph, bytes, &n, &n, 256);
    CHECK(t,
          plx_graph_status(s.graph) == PLX_ERR_ARGUMENT &&
              !strcmp(plx_message(ctx),
                      "pad: the value 256 cannot be stored as uint8; it must be a whole "
                      "number in its range"),
          "%s", plx_message(ctx));
    close_scene(&s);
}

void plx_test_unit_cast(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 2);
        if (!ctx) continue;
        for (int k = 0; k < 2; ++k) {
            check_patterns(t, ctx, &formats[k]);
            check_halves(t, ctx, &formats[k], 1);
            check_halves(t, ctx, &formats[k], -1);
        }
        check_truncation(t, ctx);
        check_whole(t, ctx);
        check_bytes(t, ctx);
        for (int dtype = PLX_DTYPE_I32; dtype < PLX_DTYPES_; ++dtype)
            check_cast_gradient(t, ctx, (plx_dtype)dtype);
        check_cast_refusals(t, ctx);
        plx_ctx_free(ctx);
    }
}

/* ---- Comparisons ----------------------------------------------------------------------------- */

typedef plx_node (*comparison)(plx_graph *graph, plx_node a, plx_node b);
#define COMPARISONS(ROW)                                                                           \
    ROW(equal, ==)                                                                                 \
    ROW(not_equal, !=)                                                                             \
    ROW(less, <)                                                                                   \
    ROW(less_equal, <=)                                                                            \
    ROW(greater, >)                                                                                \
    ROW(greater_equal, >=)
#define HOLDS(name, op)                                                                            \
    static bool holds_##name(double a, double b) {                                                 \
        return a op b;                                                                             \
    }
COMPARISONS(HOLDS)
#define ROW(name, op) {#name, plx_##name, holds_##name},
static const struct {
    const char *name;
    comparison build;
    bool (*holds)(double a, double b);
} comparisons[] = {COMPARISONS(ROW)};

enum { VALUES = 7 };

/* Compares each value with each. */
static void check_comparisons(plx_check *t, plx_ctx *ctx, plx_dtype dtype, const void *data,
                              const double *values) {
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; ++i) {
        scene s = open_scene(t, ctx);
        const plx_node x = given(&s, dtype, 2, (const int64_t[]){VALUES, 1}, data);
        const plx_node y =
            comparisons[i].build(s.graph, x, plx_reshape(s.graph, x, 1, (const int64_t[]){VALUES}));
        CHECK(t, plx_node_dtype(s.graph, y) == PLX_DTYPE_U8, "%s: its dtype", comparisons[i].name);
        if (run(&s, 1, &y)) {
            const uint8_t *held = plx_plan_output_as(s.plan, y, PLX_DTYPE_U8);
            for (int k = 0; k < VALUES * VALUES; ++k) {
                const double a = values[k / VALUES], b = values[k % VALUES];
                CHECK(t, held[k] == comparisons[i].holds(a, b), "%s of %g and %g is %d",
                      comparisons[i].name, a, b, held[k]);
            }
        }
        close_scene(&s);
    }
}

/* ---- where ----------------------------------------------------------------------------------- */

/* Infinity and NaN on either side, and in the incoming gradient. */
static void check_choice(plx_check *t, plx_ctx *ctx, plx_dtype condition) {
    enum { N = 4 };
    const plx_real nan = (plx_real)NAN, inf = (plx_real)INFINITY;
    const plx_real a[N] = {1, nan, inf, nan}, b[N] = {nan, 2, -inf, 3},
                   w[N] = {(plx_real)0.5, inf, nan, -2};
    const uint8_t bytes[N] = {1, 0, 255, 0};
    const int32_t wholes[N] = {-1, 0, 256, 0};
    const bool taken[N] = {true, false, true, false};
    const int64_t n = N;
    scene s = open_scene(t, ctx);
    plx_node x[2];
    const plx_node c =
        given(&s, condition, 1, &n, condition == PLX_DTYPE_U8 ? (const void *)bytes : wholes);
    x[0] = given(&s, PLX_DTYPE_REAL, 1, &n, a);
    x[1] = given(&s, PLX_DTYPE_REAL, 1, &n, b);
    const plx_node y = plx_where(s.graph, c, x[0], x[1]);
    const plx_node weighted = plx_mul(s.graph, y, given(&s, PLX_DTYPE_REAL, 1, &n, w));
    const plx_node loss = plx_reduce_sum(s.graph, weighted, PLX_ALL_AXES);
    plx_node outputs[3] = {y};
    const plx_status status = plx_gradients(s.graph, loss, 2, x, outputs + 1);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)) && run(&s, 3, outputs))
        for (int i = 0; i < N; ++i) {
            const plx_real zero = 0;
            const plx_real wanted[] = {taken[i] ? a[i] : b[i], taken[i] ? w[i] : zero,
                                       taken[i] ? zero : w[i]};
            for (int k = 0; k < 3; ++k) {
                const plx_real own = plx_plan_output(s.plan, outputs[k])[i];
                CHECK(t, own == wanted[k] || (own != own && wanted[k] != wanted[k]),
                      "%s of where, element %d: %g, not %g",
                      k == 0   ? "the value"
                      : k == 1 ? "the gradient of a"
                               : "the gradient of b",
                      i, (double)own, (double)wanted[k]);
            }
        }
    close_scene(&s);
}

/* No gradient passes through a condition or a comparison. */
static void check_condition(plx_check *t, plx_ctx *ctx) {
    const int64_t n = 2;
    const plx_real values[] = {-1, 2};
    scene s = open_scene(t, ctx);
    const plx_node x = given(&s, PLX_DTYPE_REAL, 1, &n, values);
    const plx_node zero = plx_constant(s.graph, 0);
    const plx_node positive = plx_where(s.graph, plx_greater(s.graph, x, zero), x, zero);
    const plx_node loss = plx_reduce_sum(s.graph, positive, PLX_ALL_AXES);
    plx_node gradient;
    if (CHECK(t, plx_gradients(s.graph, loss, 1, &x, &gradient) == PLX_OK, "%s",
              plx_message(ctx)) &&
        run(&s, 1, &gradient)) {
        const plx_real *g = plx_plan_output(s.plan, gradient);
        CHECK(t, g[0] == 0 && g[1] == 1, "the gradient of relu is %g and %g", (double)g[0],
              (double)g[1]);
    }
    close_scene(&s);
}

void plx_test_unit_where(plx_check *t) {
    static const double reals[VALUES] = {-(double)INFINITY, -1,         -0.0, 0, 1.5,
                                         (double)INFINITY,  (double)NAN};
    static const int32_t wholes[VALUES] = {INT32_MIN, -16777217, -1, 0, 1, 16777216, INT32_MAX};
    plx_real as_reals[VALUES];
    double as_doubles[VALUES];
    for (int k = 0; k < VALUES; ++k) {
        as_reals[k] = (plx_real)reals[k];
        as_doubles[k] = wholes[k];
    }
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 2);
        if (!ctx) continue;
        check_comparisons(t, ctx, PLX_DTYPE_REAL, as_reals, reals);
        check_comparisons(t, ctx, PLX_DTYPE_I32, wholes, as_doubles);
        check_choice(t, ctx, PLX_DTYPE_U8);
        check_choice(t, ctx, PLX_DTYPE_I32);
        check_condition(t, ctx);
        plx_ctx_free(ctx);
    }
}
