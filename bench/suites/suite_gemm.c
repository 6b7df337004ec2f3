/* Suite gemm: single-precision matrix products, square and in the shapes of MLPs. */
#include "bench/harness.h"

#include "base/platform.h"

#include <float.h>
#include <math.h>

enum { SQUARE, SHAPED, STREAM_A = 930, STREAM_B };

/* The products of dense layers: forward, gradient of the weights (A transposed) and gradient of the
 * inputs (B transposed). */
static const struct shape {
    int64_t m, n, k;
    bool ta, tb;
    const char *what;
} shapes[] = {
    {64, 200, 784, false, false, "forward 784-200, batch 64"},
    {784, 200, 64, true, false, "weights 784-200, batch 64"},
    {64, 784, 200, false, true, "inputs 784-200, batch 64"},
    {1000, 64, 64, false, false, "forward 64-64, batch 1000"},
    {32, 1024, 1024, false, false, "forward 1024-1024, batch 32"},
    {1024, 1024, 32, true, false, "weights 1024-1024, batch 32"},
    {32, 1024, 1024, false, true, "inputs 1024-1024, batch 32"},
    {1, 1024, 1024, false, false, "forward 1024-1024, batch 1"},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct product {
    struct shape s;
    plx_real *a, *b, *c;
} product;

static void close_product(plx_case *c) {
    product *p = c->state;
    if (!p) return;
    plx_platform_free(p->a);
    plx_platform_free(p->b);
    plx_platform_free(p->c);
    plx_platform_free(p);
    c->state = NULL;
}

static plx_status open_product(plx_bench *bench, plx_case *c) {
    product *p = plx_platform_alloc(sizeof *p);
    if (!p) return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory", c->name);
    c->state = p;
    *p = (product){.s = c->group == SHAPED ? shapes[c->variant]
                                           : (struct shape){c->size, c->size, c->size, 0, 0, ""}};
    const int64_t m = p->s.m, n = p->s.n, k = p->s.k;
    p->a = plx_platform_alloc((size_t)(m * k) * sizeof *p->a);
    p->b = plx_platform_alloc((size_t)(k * n) * sizeof *p->b);
    p->c = plx_platform_alloc((size_t)(m * n) * sizeof *p->c);
    if (!p->a || !p->b || !p->c)
        return plx__bench_fail(bench, PLX_ERR_MEMORY, "%s: no memory for its matrices", c->name);
    plx__fill_uniform(plx__bench_options(bench)->seed, STREAM_A, m * k, p->a);
    plx__fill_uniform(plx__bench_options(bench)->seed, STREAM_B, k * n, p->b);
    return PLX_OK;
}

static plx_status run_product(plx_bench *bench, plx_case *c, int64_t iterations) {
    const product *p = c->state;
    const struct shape *s = &p->s;
    plx_status status = PLX_OK;
    for (int64_t i = 0; i < iterations && status == PLX_OK; ++i)
        status = plx_gemm(plx__bench_ctx(bench), s->ta, s->tb, s->m, s->n, s->k, 1, p->a,
                          s->ta ? s->m : s->k, p->b, s->tb ? s->k : s->n, 0, p->c, s->n);
    return status;
}

/* Error of element (i, j) as a share of plx_gemm's bound. */
static double error_of(const product *p, int64_t i, int64_t j) {
    const struct shape *s = &p->s;
    const double eps = sizeof(plx_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    double sum = 0, size = 0;
    for (int64_t q = 0; q < s->k; ++q) {
        const double a = (double)p->a[s->ta ? q * s->m + i : i * s->k + q];
        const double term = a * (double)p->b[s->tb ? j * s->k + q : q * s->n + j];
        sum += term;
        size += fabs(term);
    }
    return fabs((double)p->c[i * s->n + j] - sum) / ((double)s->k * eps * size);
}

/* 200 elements, including the corners. */
static plx_status check_product(plx_bench *bench, plx_case *c) {
    enum { ELEMENTS = 200 };
    const product *p = c->state;
    const int64_t m = p->s.m, n = p->s.n;
    plx_rng rng = plx_rng_new(plx__bench_options(bench)->seed, 932);
    for (int e = 0; e < ELEMENTS; ++e) {
        const int64_t i = e < 4 ? (e & 1) * (m - 1) : plx_rng_below(&rng, m);
        const int64_t j = e < 4 ? (e >> 1) * (n - 1) : plx_rng_below(&rng, n);
        const double error = error_of(p, i, j);
        if (!(error <= c->checks.error)) c->checks.error = error;
    }
    c->checks.tolerance = 1;
    if (!(c->checks.error <= 1))
        plx__case_void(c, "an element errs by %.3g times the bound", c->checks.error);
    return PLX_OK;
}

static void fill_in(plx_bench *bench, plx_case *c, int64_t m, int64_t n, int64_t k,
                    const char *transposed) {
    c->open = open_product;
    c->run = run_product;
    c->check = check_product;
    c->close = close_product;
    c->flops = 2.0 * (double)m * (double)n * (double)k;
    plx__case_expect(bench, c, c->flops, (double)((m + n) * k) / 4, 0);
    plx__case_number(c, "m", (double)m);
    plx__case_number(c, "n", (double)n);
    plx__case_number(c, "k", (double)k);
    plx__case_text(c, "transposed", transposed);
    plx__case_metric(c, "rate", "GFLOP/s", "higher", true, PLX_METRIC_RATE, c->flops);
    plx__case_metric(c, "time", "us", "lower", false, PLX_METRIC_TIME, 1e-3);
}

static plx_status plan(plx_bench *bench) {
    static const int64_t sizes[] = {64, 128, 256, 384, 512, 768, 1024, 2048};
    static const bool quick[] = {false, true, true, false, true, false, true, false};
    const plx_bench_size size = plx__bench_options(bench)->size;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        if (size == PLX_BENCH_QUICK ? !quick[i] : sizes[i] > 1024 && size != PLX_BENCH_FULL)
            continue;
        const int64_t n = sizes[i];
        plx_case *c = plx__bench_add(bench, SQUARE, "%lld x %lld x %lld", (long long)n,
                                     (long long)n, (long long)n);
        if (!c) continue;
        c->size = n;
        fill_in(bench, c, n, n, n, "none");
    }
    for (int i = 0; i < SHAPES; ++i) {
        const struct shape *s = &shapes[i];
        plx_case *c = plx__bench_add(bench, SHAPED, "%s", s->what);
        if (!c) continue;
        c->variant = i;
        fill_in(bench, c, s->m, s->n, s->k, s->ta ? "a" : s->tb ? "b" : "none");
    }
    return PLX_OK;
}

const plx_suite plx__suite_gemm = {
    .name = "gemm",
    .description = "Matrix products, square and in the shapes of MLPs",
    .plan = plan,
};
