/* Accuracy of functions of one value, over floats of all exponents and over an even grid. */
#include "bench/suites/accuracy.h"

#include "base/platform.h"
#include "parallax.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- References ------------------------------------------------------------------------------ */

/* From base/dmath.c, which keeps a module smaller than the system's library does; its errors are
 * far below those of single precision. */
typedef double (*function)(double x, double p);

static double exp_less_1(double x) {
    if (fabs(x) > 0.3) return plx_math_exp(x) - 1;
    double sum = 1;
    for (int i = 16; i >= 2; --i) sum = 1 + sum * x / i;
    return x * sum;
}

/* log(1 + e) for e >= 0; corrects for what 1 + e loses to rounding. */
static double log_of_1_and(double e) {
    const double u = 1 + e;
    return isinf(u) ? u : plx_math_log(u) + (e - (u - 1)) / u;
}

static double tanh_of(double x) {
    const double e = fabs(x) < 20 ? exp_less_1(2 * fabs(x)) : 0;
    return isnan(x) ? x : copysign(fabs(x) < 20 ? e / (e + 2) : 1, x);
}

/* 1 - erf(x) for x >= 3, by its continued fraction (Abramowitz and Stegun, 7.1.14). */
static double far_erfc(double x) {
    double fraction = x;
    for (int i = 80; i >= 1; --i) fraction = x + 0.5 * i / fraction;
    return isinf(x) ? 0 : plx_math_exp(-x * x) * 0.56418958354775628695 / fraction;
}

/* For |x| < 3, by a series without cancellation (ibid., 7.1.6). */
static double near_erf(double x) {
    double term = x, sum = x;
    for (int i = 1; i < 100; ++i) sum += term *= 2 * x * x / (2 * i + 1);
    return 1.12837916709551257390 * plx_math_exp(-x * x) * sum;
}

static double erf_of(double x) {
    return fabs(x) < 3 ? near_erf(x) : isnan(x) ? x : copysign(1 - far_erfc(fabs(x)), x);
}

static double erfc_of(double x) {
    return x >= 3 ? far_erfc(x) : 1 - erf_of(x);
}

static double logistic(double x) {
    const double e = plx_math_exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static double normal(double x) {
    return erfc_of(-x * 0.70710678118654752440) / 2;
}

/* 0 if it is infinitely far below, the limit. */
static double times(double x, double probability) {
    return probability == 0 ? 0 : x * probability;
}

/* 1 - 2 / (1 + (1 + exp(x))^2) is tanh(log(1 + exp(x))), here without cancellation. */
static double mish(double x, double p) {
    const double e = plx_math_exp(x), grown = e * (e + 2);
    (void)p;
    return x > 40 ? x : times(x, grown / (grown + 2));
}

#define FUNCTION(name, value)                                                                      \
    static double value_of_##name(double x, double p) {                                            \
        (void)p;                                                                                   \
        return value;                                                                              \
    }
FUNCTION(relu, x < 0 ? 0 : x)
FUNCTION(leaky_relu, x > 0 ? x : p * x)
FUNCTION(elu, x > 0 ? x : p * exp_less_1(x))
FUNCTION(silu, times(x, logistic(x)))
FUNCTION(gelu, times(x, normal(x)))
FUNCTION(gelu_tanh, times(x, logistic(1.59576912160573071176 * (x + 0.044715 * x * x * x))))
FUNCTION(sigmoid, logistic(x))
FUNCTION(tanh, tanh_of(x))
FUNCTION(exp, plx_math_exp(x))
FUNCTION(log, plx_math_log(x))
FUNCTION(sqrt, sqrt(x))
FUNCTION(square, x *x)
FUNCTION(abs, fabs(x))
FUNCTION(erf, erf_of(x))
FUNCTION(relu6, x < 0 ? 0 : x > 6 ? 6 : x)
FUNCTION(celu, x > 0 ? x : p * exp_less_1(x / p))
FUNCTION(selu, 1.05070098735548049342 * (x > 0 ? x : 1.67326324235437728482 * exp_less_1(x)))
FUNCTION(hardswish, x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6)
FUNCTION(hardsigmoid, x <= -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6)
FUNCTION(softplus, x > 40 ? x : log_of_1_and(plx_math_exp(x)))
FUNCTION(softsign, isinf(x) ? copysign(1, x) : x / (1 + fabs(x)))
FUNCTION(rsqrt, 1 / sqrt(x))
FUNCTION(sin, sin(x))
FUNCTION(cos, cos(x))

/* A function with its error bound, in units in the last place. */
static const struct row {
    const char *name;
    function reference;
    double ulps;
} rows[] = {
    {"relu", value_of_relu, 0},
    {"leaky_relu", value_of_leaky_relu, 2},
    {"elu", value_of_elu, 2},
    {"silu", value_of_silu, 2},
    {"gelu", value_of_gelu, 2},
    {"gelu_tanh", value_of_gelu_tanh, 2},
    {"sigmoid", value_of_sigmoid, 2},
    {"tanh", value_of_tanh, 2},
    {"exp", value_of_exp, 2},
    {"log", value_of_log, 2},
    {"sqrt", value_of_sqrt, 0.5},
    {"square", value_of_square, 0.5},
    {"abs", value_of_abs, 0},
    {"erf", value_of_erf, 2},
    {"relu6", value_of_relu6, 0},
    {"celu", value_of_celu, 2},
    {"selu", value_of_selu, 2},
    {"mish", mish, 2},
    {"hardswish", value_of_hardswish, 2},
    {"hardsigmoid", value_of_hardsigmoid, 2},
    {"softplus", value_of_softplus, 2},
    {"softsign", value_of_softsign, 2},
    {"rsqrt", value_of_rsqrt, 2},
    {"sin", value_of_sin, 2},
    {"cos", value_of_cos, 2},
};

static const struct row *row_of(const char *name) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i)
        if (!strcmp(rows[i].name, name)) return &rows[i];
    return NULL;
}

#define UNARY(name, from, kink, samples) &plx__op_##name,
static const plx_op *const unaries[] = {
#include "kernels/unary.def"
};
#undef UNARY
enum { UNARIES = sizeof unaries / sizeof *unaries };

/* ---- Observations ---------------------------------------------------------------------------- */

typedef struct place {
    double x, y, expected;
} place;

typedef struct tally {
    double counts[PLX_ACCURACY_BINS];
    double ulps, share;               /* the largest error, and the largest as a share of its
                                       * bound */
    place at;                         /* where the largest was found */
    double absolute, squares, points; /* on the grid */
    bool wrong;                       /* wrongly NaN or infinite, or wrongly finite */
    place wrong_at;
} tally;

static void merge(tally *all, const tally *part) {
    for (int i = 0; i < PLX_ACCURACY_BINS; ++i) all->counts[i] += part->counts[i];
    if (part->ulps > all->ulps) {
        all->ulps = part->ulps;
        all->at = part->at;
    }
    if (part->share > all->share) all->share = part->share;
    if (part->absolute > all->absolute) all->absolute = part->absolute;
    all->squares += part->squares;
    all->points += part->points;
    if (part->wrong && !all->wrong) all->wrong_at = part->wrong_at;
    all->wrong |= part->wrong;
}

/* Infinity counts as the next power of two after the largest number: its error is what rounding
 * would have to bridge. */
static double bounded(double value) {
    const double end = 2 * 0x1p127;
    return value > end ? end : value < -end ? -end : value;
}

static void count_value(tally *t, const struct row *row, place at, bool grid) {
    const bool same = isnan(at.y) ? isnan(at.expected) : !isnan(at.expected);
    if (!same || isnan(at.y)) {
        if (!same && !t->wrong) t->wrong_at = at;
        t->wrong |= !same;
        return;
    }
    const double value = bounded(at.expected), error = fabs(bounded(at.y) - value);
    const double ulp = plx__accuracy_ulp(fabs(value) > (double)FLT_MAX ? (double)FLT_MAX : value);
    const double allowed = row->ulps * ulp;
    const double share = error == 0 ? 0 : allowed > 0 ? error / allowed : INFINITY;
    if (error / ulp > t->ulps) {
        t->ulps = error / ulp;
        t->at = at;
    }
    if (share > t->share) t->share = share;
    if (!grid) {
        t->counts[plx__accuracy_bin(error / ulp)] += 1;
        return;
    }
    if (error > t->absolute) t->absolute = error;
    t->squares += error * error;
    t->points += 1;
}

/* ---- The case -------------------------------------------------------------------------------- */

enum { BLOCK = 1 << 16, PIECE = 1 << 10, PIECES = BLOCK / PIECE };
static const double GRID_END = 10;

typedef struct run {
    plx_accuracy_graph graph;
    const struct row *row;
    double p;
    uint64_t next, patterns, stride; /* next counts in units of stride */
    uint64_t point, points;          /* of the grid */
    double low;
    bool grid;
    const plx_real *y;
    tally pieces[PIECES], all;
} run;

/* The bit patterns of all floats: every one natively, every 61st in a 32-bit module, which is
 * slower. */
static void choose_points(plx_bench *bench, run *r) {
    static const uint64_t strides[] = {16381, 1021, 1}, grid[] = {1 << 16, 1 << 20, 1 << 24};
    const plx_bench_size size = plx__bench_options(bench)->size;
    r->stride = strides[size];
    if (size == PLX_BENCH_FULL && sizeof(void *) < 8) r->stride = 61;
    r->patterns = (UINT64_C(1) << 32) / r->stride;
    r->points = grid[size];
}

static plx_status open_function(plx_bench *bench, plx_case *c) {
    const plx_op *op = unaries[c->variant];
    const plx_activation activation = plx_activation_from_name(op->name);
    run *r = c->state = plx_platform_alloc(sizeof *r);
    if (!r) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    memset(r, 0, sizeof *r);
    r->row = row_of(op->name);
    if (!r->row) return PLX_OK;
    plx__attrs attrs = {.rank = 0};
    if (activation != PLX_ACTIVATIONS_)
        attrs.unary.alpha = (double)plx_activation_default(activation);
    r->p = (double)(plx_real)attrs.unary.alpha;
    /* Where the function is defined. */
    r->low = isnan(r->row->reference(-1, 1)) ? 0 : -GRID_END;
    choose_points(bench, r);
    return plx__accuracy_open(bench, op, &attrs, NULL, 1, (const int64_t[]){BLOCK}, &r->graph);
}

static plx_real value_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return (plx_real)x;
}

/* The ends of the range. */
static const uint32_t special[] = {
    0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff, 0xff7fffff, 1,
    0x80000001, 0x007fffff, 0x00800000, 0x807fffff, 0x80800000, 0x3f800000, 0xbf800000,
};
enum { SPECIAL = sizeof special / sizeof *special };

static void fill_block(run *r, plx_real *x) {
    for (int i = 0; i < BLOCK; ++i) {
        if (r->grid) {
            const double at = (double)(r->point + 1 + (uint64_t)i) / (double)r->points;
            x[i] = (plx_real)(float)(r->low + (GRID_END - r->low) * at);
        } else {
            x[i] = value_of_bits((uint32_t)((r->next + (uint64_t)i) * r->stride));
        }
    }
    for (int i = 0; i < SPECIAL && !r->grid && !r->next; ++i) x[i + 1] = value_of_bits(special[i]);
}

static void judge_piece(void *arg, int64_t begin, int64_t end, int worker) {
    run *r = arg;
    const plx_real *x = plx_tensor_data(r->graph.x);
    (void)worker;
    for (int64_t piece = begin; piece < end; ++piece) {
        tally *t = &r->pieces[piece];
        memset(t, 0, sizeof *t);
        for (int64_t i = piece * PIECE; i < (piece + 1) * PIECE; ++i) {
            const double at = (double)x[i];
            const place here = {at, (double)r->y[i], r->row->reference(at, r->p)};
            count_value(t, r->row, here, r->grid);
        }
    }
}

static plx_status run_block(plx_bench *bench, run *r) {
    plx_ctx *ctx = plx__bench_ctx(bench);
    fill_block(r, plx_tensor_data(r->graph.x));
    PLX_TRY(plx_plan_run(r->graph.plan));
    r->y = plx_plan_output(r->graph.plan, r->graph.y);
    plx__parallel_for(ctx->pool, ctx->threads, PIECES, 1, judge_piece, r);
    /* In order, so that sums do not depend on threads. */
    for (int i = 0; i < PIECES; ++i) merge(&r->all, &r->pieces[i]);
    if (r->grid)
        r->point += BLOCK;
    else
        r->next += BLOCK;
    r->grid = r->next >= r->patterns;
    return PLX_OK;
}

static void report(plx_case *c, const run *r) {
    const tally *t = &r->all;
    const int ulps = plx__accuracy_figure(c, "largest error in ULP", "ULP", "lower", t->ulps);
    plx__case_extra(c, ulps, "worst.x", t->at.x);
    plx__case_extra(c, ulps, "worst.value", t->at.y);
    plx__case_extra(c, ulps, "worst.expected", t->at.expected);
    plx__case_extra(c, ulps, "bound", r->row->ulps);
    plx__accuracy_histogram(c, ulps, t->counts);
    plx__accuracy_figure(c, "largest error", "absolute", "lower", t->absolute);
    plx__accuracy_figure(c, "RMS error", "absolute", "lower",
                         t->points > 0 ? sqrt(t->squares / t->points) : 0);
    c->checks.error = fmin(t->share, DBL_MAX);
    c->checks.tolerance = 1;
    if (t->wrong)
        plx__case_void(c, "at %.9g it is %g instead of %g", t->wrong_at.x, t->wrong_at.y,
                       t->wrong_at.expected);
    else if (!(t->share <= 1))
        plx__case_void(c, "at %.9g it is %.9g instead of %.9g: %.3g ULP", t->at.x, t->at.y,
                       t->at.expected, t->ulps);
}

static plx_status slice_function(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    run *r = c->state;
    if (!r->row) {
        plx__accuracy_figure(c, "largest error in ULP", "ULP", "lower", DBL_MAX);
        plx__case_void(c, "there is no reference for it");
        *done = true;
        return PLX_OK;
    }
    const int64_t start = plx_platform_now_ns();
    do {
        PLX_TRY(run_block(bench, r));
        *done = r->point >= r->points;
    } while (!*done && plx_platform_now_ns() - start < slice_ns);
    if (*done) report(c, r);
    return PLX_OK;
}

static void close_function(plx_case *c) {
    run *r = c->state;
    if (r) plx__accuracy_close(&r->graph);
    plx_platform_free(r);
    c->state = NULL;
}

/* ---- GELU and its tanh form ------------------------------------------------------------------ */

static plx_node build_pair(plx_graph *graph, plx_node x) {
    const plx_node parts[] = {plx_activate(graph, x, PLX_GELU, 0),
                              plx_activate(graph, x, PLX_GELU_TANH, 0)};
    return plx_sub(graph, parts[0], parts[1]);
}

/* The two differ by as much as their definitions do in double. */
static plx_status slice_pair(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    plx_accuracy_graph g;
    double largest = 0, at = 0, expected = 0;
    (void)slice_ns;
    plx_status status =
        plx__accuracy_open(bench, NULL, NULL, build_pair, 1, (const int64_t[]){BLOCK}, &g);
    plx_real *x = status == PLX_OK ? plx_tensor_data(g.x) : NULL;
    for (int i = 0; x && i < BLOCK; ++i)
        x[i] = (plx_real)(float)(GRID_END * (2.0 * (i + 1) / BLOCK - 1));
    if (status == PLX_OK) status = plx_plan_run(g.plan);
    for (int i = 0; x && status == PLX_OK && i < BLOCK; ++i) {
        const double here = (double)x[i], own = fabs((double)plx_plan_output(g.plan, g.y)[i]);
        const double exact = fabs(value_of_gelu(here, 0) - value_of_gelu_tanh(here, 0));
        if (exact > expected) expected = exact;
        if (own <= largest) continue;
        largest = own;
        at = here;
    }
    plx__accuracy_close(&g);
    if (status != PLX_OK) return status;
    const int metric = plx__accuracy_figure(c, "largest difference", "absolute", "none", largest);
    plx__case_extra(c, metric, "worst.x", at);
    plx__case_extra(c, metric, "worst.value", largest);
    plx__case_extra(c, metric, "worst.expected", expected);
    c->checks.error = fabs(largest - expected) / 2e-6;
    c->checks.tolerance = 1;
    if (!(c->checks.error <= 1))
        plx__case_void(c, "they differ by %.9g; in double by %.9g", largest, expected);
    *done = true;
    return PLX_OK;
}

int plx__accuracy_functions(plx_bench *bench, int group) {
    for (int i = 0; i < UNARIES; ++i) {
        plx_case *c = plx__bench_add(bench, group++, "%s", unaries[i]->name);
        if (!c) continue;
        c->variant = i;
        plx__case_once(bench, c, 2e9);
        c->open = open_function;
        c->slice = slice_function;
        c->close = close_function;
        plx__case_text(c, "function", unaries[i]->name);
    }
    plx_case *c = plx__bench_add(bench, group++, "gelu against its tanh form");
    if (!c) return group;
    plx__case_once(bench, c, 2e9);
    c->slice = slice_pair;
    return group;
}
