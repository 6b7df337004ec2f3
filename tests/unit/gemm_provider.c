/* External products: what a provider declines, our own kernels compute. */
#ifdef PLX_REAL /* for the double build, which links no BLAS */
#define IN_DOUBLE 1
#endif

#include "check.h"

#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#endif

/* A provider that accepts products of up to so many columns, and returns 42 for them. */
typedef struct fake {
    int64_t most;
    int taken, refused;
} fake;

static bool fake_gemm(void *self, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                      const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                      plx_real *c, int64_t ldc) {
    fake *f = self;
    (void)ta, (void)tb, (void)k, (void)alpha, (void)a, (void)lda, (void)b, (void)ldb, (void)beta;
    f->refused += n > f->most;
    if (n > f->most) return false;
    f->taken += 1;
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = 42;
    return true;
}

static void fake_threads(void *self, int threads) {
    (void)self, (void)threads;
}

static plx_ctx *context_of(plx_check *t, const plx_gemm_provider *provider) {
    plx_ctx_options options = plx_ctx_default();
    char message[512] = "";
    plx_ctx *ctx = NULL;
    options.threads = 1;
    options.gemm = PLX_GEMM_PROVIDER;
    options.provider = provider;
    CHECK(t, plx_ctx_new(&options, &ctx, message, sizeof message) == PLX_OK, "%s", message);
    return ctx;
}

/* relu(x w + b) of two rows; the fused step must add the bias and the activation itself. */
static void check_plan(plx_check *t, plx_ctx *ctx, int64_t n, const plx_real *wanted) {
    static const plx_real x[4] = {1, 2, 3, 4}, w[6] = {1, 0, -1, 1, 2, -3}, b[3] = {1, -1, 2};
    const plx_real narrow[4] = {w[0], w[1], w[3], w[4]};
    plx_graph *graph;
    plx_plan *plan = NULL;
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    const plx_node xs = plx_input(graph, "x", PLX_DTYPE_REAL, 2, (const int64_t[]){2, 2});
    const plx_node ws = plx_input(graph, "w", PLX_DTYPE_REAL, 2, (const int64_t[]){2, n});
    const plx_node bs = plx_input(graph, "b", PLX_DTYPE_REAL, 1, &n);
    const plx_node y = plx_activate(graph, plx_dense(graph, xs, ws, bs), PLX_RELU, 0);
    plx_status status = plx_compile(graph, 1, &y, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, xs, x);
    if (status == PLX_OK) status = plx_plan_bind(plan, ws, n == 3 ? w : narrow);
    if (status == PLX_OK) status = plx_plan_bind(plan, bs, b);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)))
        for (int i = 0; i < 2 * (int)n; ++i) {
            const double own = (double)plx_plan_output(plan, y)[i];
            CHECK(t, own == (double)wanted[i], "%lld columns: element %d is %g instead of %g",
                  (long long)n, i, own, (double)wanted[i]);
        }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

static void check_fake(plx_check *t) {
    static const plx_real theirs[4] = {43, 41, 43, 41}, own[6] = {4, 3, 0, 8, 7, 0};
    fake f = {.most = 2};
    const plx_gemm_provider provider = {
        .name = "fake", .self = &f, .gemm = fake_gemm, .set_threads = fake_threads};
    plx_ctx *ctx = context_of(t, &provider);
    if (!ctx) return;
    check_plan(t, ctx, 2, theirs);
    check_plan(t, ctx, 3, own);
    CHECK(t, f.taken == 1 && f.refused == 1, "%d products taken, %d refused", f.taken, f.refused);
    plx_ctx_free(ctx);
}

#if defined(MAP_NORESERVE) && !defined(__EMSCRIPTEN__) && !defined(IN_DOUBLE)

#include "native/parallax_native.h"

/* Rows 2^31 + 1 apart, more than an int can count, in pages that nobody touches. The distance is
 * read at run time: with a constant, clang 19 writes to the wrong place. */
static void check_strides(plx_check *t) {
    static const volatile int64_t distance = ((int64_t)1 << 31) + 1;
    const int64_t far = distance;
    const plx_gemm_provider *blas = plx_native_cblas(NULL);
    const size_t bytes = ((size_t)far + 1) * sizeof(plx_real);
    plx_real *wide = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    plx_ctx *ctx = blas && wide != MAP_FAILED ? context_of(t, blas) : NULL;
    if (!ctx) return;
    const plx_real near[2] = {2, 7};
    wide[0] = 3;
    wide[far] = 5;
    plx_real c[4] = {-1, -1, -1, -1};
    plx_status status = plx_gemm(ctx, false, false, 2, 1, 1, 1, wide, far, near, 1, 0, c, 1);
    CHECK(t, status == PLX_OK && c[0] == 6 && c[1] == 10, "lda 2^31 + 1: %g and %g", (double)c[0],
          (double)c[1]);
    const plx_real square[4] = {2, 7, 1, 1};
    status = plx_gemm(ctx, false, false, 2, 1, 2, 1, square, 2, wide, far, 0, c, 1);
    CHECK(t, status == PLX_OK && c[0] == 41 && c[1] == 8, "ldb 2^31 + 1: %g and %g", (double)c[0],
          (double)c[1]);
    status = plx_gemm(ctx, false, false, 2, 1, 1, 1, near, 1, near, 1, 0, wide, far);
    CHECK(t, status == PLX_OK && wide[0] == 4 && wide[far] == 14, "ldc 2^31 + 1: %g and %g",
          (double)wide[0], (double)wide[far]);
    plx_ctx_free(ctx);
    munmap(wide, bytes);
}

#else

static void check_strides(plx_check *t) {
    (void)t;
}

#endif

/* A quick start measures nothing, so it keeps to the provider that was named, and compares none. */
static void check_later(plx_check *t) {
    static const char *const names[] = {
        [PLX_GEMM_BUILTIN] = "builtin", [PLX_GEMM_PROVIDER] = "fake", [PLX_GEMM_AUTO] = "builtin"};
    fake f = {.most = 2};
    const plx_gemm_provider provider = {
        .name = "fake", .self = &f, .gemm = fake_gemm, .set_threads = fake_threads};
    for (int choice = 0; choice <= PLX_GEMM_AUTO; ++choice) {
        plx_ctx_options options = plx_ctx_default();
        char message[512] = "";
        plx_ctx *ctx = NULL;
        options.threads = 1;
        options.gemm = (plx_gemm_choice)choice;
        options.provider = &provider;
        options.measure_later = true;
        CHECK(t, plx_ctx_new(&options, &ctx, message, sizeof message) == PLX_OK, "%s", message);
        if (!ctx) return;
        const char *gemm = plx_ctx_get_info(ctx).gemm;
        CHECK(t, !strcmp(gemm, names[choice]) && !f.taken, "choice %d: %s, %d products", choice,
              gemm, f.taken);
        plx_ctx_free(ctx);
    }
}

void plx_test_unit_provider(plx_check *t) {
    check_fake(t);
    check_later(t);
    check_strides(t);
}
