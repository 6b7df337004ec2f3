/* plx_gemm: every transposition, stride and edge against a wider reference, the same bits on two
 * threads as on one, and refusals that leave c unchanged. */
#include "kernels/kernel_case.h"

#include "base/context.h"

#include <string.h>

typedef struct shape {
    int64_t m, n, k;
} shape;

typedef struct calls {
    plx_check *t;
    plx_guards guards;
    plx_ctx *one, *two;  /* the same target with one thread and with two */
    plx_wide *value;     /* op(a) op(b), m x n */
    plx_wide *magnitude; /* sum |a b| of each element */
    plx_real *single;    /* c computed by one thread, with its gaps */
    uint64_t random;
} calls;

enum { LARGEST_C = 1 << 17 }; /* elements, gaps included */

static plx_real draw(calls *w) {
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (plx_real)((float)(int32_t)(w->random >> 40) * 0x1p-22f - 2);
}

/* rows x columns with a stride; gaps are NaN, and with `blank` everything is. */
static plx_real *matrix(calls *w, int64_t rows, int64_t columns, int64_t stride, bool blank) {
    plx_real *x = plx_guards_take(&w->guards, rows && columns ? (rows - 1) * stride + columns : 0);
    for (int64_t i = 0; !blank && i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) x[i * stride + j] = draw(w);
    return x;
}

typedef struct call {
    bool ta, tb;
    shape s;
    plx_real alpha, beta;
    const plx_real *a, *b, *c0; /* c0: the contents of c before the call, unless beta is 0 */
    int64_t lda, ldb, ldc;
} call;

static plx_status run(plx_ctx *ctx, const call *g, plx_real *c) {
    return plx_gemm(ctx, g->ta, g->tb, g->s.m, g->s.n, g->s.k, g->alpha, g->a, g->lda, g->b, g->ldb,
                    g->beta, c, g->ldc);
}

static void reference(calls *w, const call *g) {
    for (int64_t i = 0; i < g->s.m; ++i)
        for (int64_t j = 0; j < g->s.n; ++j) {
            plx_wide value = 0, magnitude = 0;
            for (int64_t p = 0; p < g->s.k; ++p) {
                const plx_real a = g->ta ? g->a[p * g->lda + i] : g->a[i * g->lda + p];
                const plx_real b = g->tb ? g->b[j * g->ldb + p] : g->b[p * g->ldb + j];
                value += (plx_wide)a * (plx_wide)b;
                magnitude += fabs((plx_wide)a * (plx_wide)b);
            }
            w->value[i * g->s.n + j] = value;
            w->magnitude[i * g->s.n + j] = magnitude;
        }
}

static bool describe(calls *w, const call *g, bool ok, const char *what, int64_t i, int64_t j,
                     plx_wide is, plx_wide expected) {
    return CHECK(w->t, ok,
                 "%s: gemm%s%s %lldx%lldx%lld, alpha %g, beta %g: %s at %lld, %lld: %.9g, not %.9g",
                 plx_ctx_get_info(w->one).isa, g->ta ? " ta" : "", g->tb ? " tb" : "",
                 (long long)g->s.m, (long long)g->s.n, (long long)g->s.k, (double)g->alpha,
                 (double)g->beta, what, (long long)i, (long long)j, (double)is, (double)expected);
}

/* k EPS sum|a b|, which parallax.h promises for alpha 1 and beta 0; each scaling adds a rounding
 * of its operand, and adding the two adds another. */
static plx_wide bound_of(const calls *w, const call *g, int64_t at, plx_wide old) {
    const plx_wide met = fabs((plx_wide)g->alpha) * w->magnitude[at];
    plx_wide bound = plx_sum_roundings(g->s.k) * PLX_EPS * met;
    if (g->alpha != 1) bound += PLX_EPS * met;
    if (g->beta != 0) bound += 2 * PLX_EPS * (met + fabs(old));
    return bound;
}

static void check_values(calls *w, const call *g, const plx_real *c) {
    for (int64_t i = 0; i < g->s.m; ++i) {
        for (int64_t j = 0; j < g->s.n; ++j) {
            const int64_t at = i * g->s.n + j;
            const plx_wide old =
                g->beta != 0 ? (plx_wide)g->beta * (plx_wide)g->c0[i * g->ldc + j] : 0;
            const plx_wide value = (plx_wide)g->alpha * w->value[at] + old;
            const plx_wide y = (plx_wide)c[i * g->ldc + j];
            if (!(fabs(y - value) <= bound_of(w, g, at, old))) {
                describe(w, g, false, "the value", i, j, y, value);
                return;
            }
        }
        for (int64_t j = g->s.n; g->s.n > 0 && i + 1 < g->s.m && j < g->ldc; ++j)
            if (!plx_guards_untouched(c + i * g->ldc + j)) {
                describe(w, g, false, "the gap", i, j, (plx_wide)c[i * g->ldc + j], (plx_wide)NAN);
                return;
            }
    }
    describe(w, g, true, "", 0, 0, 0, 0);
}

static void fill_c(const call *g, plx_real *c) {
    for (int64_t i = 0; i < g->s.m; ++i)
        for (int64_t j = 0; j < g->s.n; ++j)
            c[i * g->ldc + j] = g->beta != 0 ? g->c0[i * g->ldc + j] : (plx_real)NAN;
}

static void check_call(calls *w, const call *g, plx_real *c) {
    const int64_t elements = g->s.m && g->s.n ? (g->s.m - 1) * g->ldc + g->s.n : 0;
    fill_c(g, c);
    CHECK(w->t, run(w->one, g, c) == PLX_OK, "gemm: %s", plx_message(w->one));
    check_values(w, g, c);
    memcpy(w->single, c, (size_t)elements * sizeof *c);
    fill_c(g, c);
    CHECK(w->t, run(w->two, g, c) == PLX_OK, "gemm: %s", plx_message(w->two));
    describe(w, g, !memcmp(w->single, c, (size_t)elements * sizeof *c),
             "the bits depend on the number of threads", 0, 0, 0, 0);
    CHECK(w->t, plx_guards_intact(&w->guards), "gemm writes outside its operands");
}

typedef struct scaling {
    plx_real alpha, beta;
} scaling;

static void check_shape(calls *w, shape s, bool ta, bool tb, int count, const scaling *scalings) {
    call g = {.ta = ta, .tb = tb, .s = s, .ldc = s.n + 3};
    g.lda = (ta ? s.m : s.k) + 5;
    g.ldb = (tb ? s.k : s.n) + 7;
    plx_guards_reset(&w->guards, true);
    g.a = ta ? matrix(w, s.k, s.m, g.lda, false) : matrix(w, s.m, s.k, g.lda, false);
    g.b = tb ? matrix(w, s.n, s.k, g.ldb, false) : matrix(w, s.k, s.n, g.ldb, false);
    g.c0 = matrix(w, s.m, s.n, g.ldc, false);
    plx_real *c = matrix(w, s.m, s.n, g.ldc, true);
    reference(w, &g);
    for (int i = 0; i < count; ++i) {
        g.alpha = scalings[i].alpha;
        g.beta = scalings[i].beta;
        check_call(w, &g, c);
    }
}

static void check_transpositions(calls *w, shape s, int count, const scaling *scalings) {
    for (int i = 0; i < 4; ++i) check_shape(w, s, i & 1, i & 2, count, scalings);
}

static const scaling all_scalings[] = {{1, 0},
                                       {1, 1},
                                       {(plx_real)-0.5, 0},
                                       {0, 0},
                                       {0, 1},
                                       {(plx_real)-0.5, (plx_real)-0.5},
                                       {1, (plx_real)-0.5},
                                       {(plx_real)-0.5, 1},
                                       {0, (plx_real)-0.5}};

enum { SCALINGS = sizeof all_scalings / sizeof all_scalings[0] };

/* Sizes around a tile, with every scaling if products are short. */
static void check_edges(calls *w, const plx_kernels *k) {
    const int64_t ms[] = {0, 1, k->mr - 1, k->mr + 1, 2 * k->mr + 1};
    const int64_t ns[] = {0, 1, k->nr - 1, k->nr + 1}, ks[] = {0, 1, 7};
    for (int i = 0; i < 5; ++i)
        for (int j = 0; j < 4; ++j) {
            for (int p = 0; p < 3; ++p)
                check_transpositions(w, (shape){ms[i], ns[j], ks[p]}, SCALINGS, all_scalings);
        }
}

/* Depths across blocks, and sizes at which packing, row blocks and panels change. */
static void check_blocks(calls *w, const plx_kernels *k) {
    const int64_t mr = k->mr, nr = k->nr, kc = k->kc;
    const shape shapes[] = {
        {1, nr + 1, kc - 1},
        {mr + 1, 1, kc},
        {mr + 1, nr + 1, kc + 1},
        {1, 1, 2 * kc + 3},
        {mr - 1, nr - 1, 2 * kc},
        {17 * mr + 1, nr + 1, 9},
        {3, 12 * nr + 1, kc + 5},
        {k->mc + 1, 3 * nr + 1, 5},
        {2, 4096 + 3, 3},
        {5 * mr + 1, 512 - 7, 6}, /* a row stride of 512 for b: half a page of floats */
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i)
        check_transpositions(w, shapes[i], 2, (const scaling[]){{1, 0}, {(plx_real)-0.5, 1}});
}

/* A column of adjacent elements is computed as a row, with the bits of one that has gaps. */
static void check_column(calls *w, shape s, bool ta, bool tb, bool tight, plx_real beta) {
    call g = {.ta = ta, .tb = tb, .s = s, .alpha = 1, .beta = beta, .ldc = 4};
    g.lda = (ta ? s.m : s.k) + 3;
    g.ldb = (tb ? s.k : 1) + !tight;
    plx_guards_reset(&w->guards, true);
    g.a = ta ? matrix(w, s.k, s.m, g.lda, false) : matrix(w, s.m, s.k, g.lda, false);
    g.b = tb ? matrix(w, 1, s.k, g.ldb, false) : matrix(w, s.k, 1, g.ldb, false);
    plx_real *wide = matrix(w, s.m, 1, g.ldc, true), *c = matrix(w, s.m, 1, 1, true);
    for (int threads = 1; threads <= 2; ++threads) {
        for (int64_t i = 0; i < s.m; ++i)
            wide[i * 4] = c[i] = beta != 0 ? (plx_real)i : (plx_real)NAN;
        g.ldc = 4;
        bool ok = run(w->one, &g, wide) == PLX_OK;
        g.ldc = 1;
        ok = run(threads == 1 ? w->one : w->two, &g, c) == PLX_OK && ok;
        for (int64_t i = 0; i < s.m && ok; ++i) ok = !memcmp(&wide[i * 4], &c[i], sizeof *c);
        if (!describe(w, &g, ok, "a column has other bits", 0, 0, 0, 0)) break;
    }
    CHECK(w->t, plx_guards_intact(&w->guards), "gemm writes outside its operands");
}

static void check_columns(calls *w, const plx_kernels *k) {
    const shape shapes[] = {{7, 1, 20},
                            {8, 1, 0},
                            {8, 1, 1},
                            {k->nr + 1, 1, PLX_GEMM_CHAIN + 3},
                            {5 * k->nr - 1, 1, 2 * k->kc + 1},
                            {8, 1, PLX_GEMM_DEEP + 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i)
        for (int kind = 0; kind < 16; ++kind)
            check_column(w, shapes[i], kind & 1, kind & 2, kind & 4, (plx_real)(kind >> 3));
}

typedef struct refusal {
    const char *sentence;
    bool ta, tb;
    shape s;
    int64_t lda, ldb, ldc;
} refusal;

static void check_refusals(calls *w) {
    static const refusal refusals[] = {
        {"gemm: lda is 2; it must be at least the row length, 3", false, false, {2, 4, 3}, 2, 4, 4},
        {"gemm: lda is 1; it must be at least the row length, 2", true, false, {2, 4, 3}, 1, 4, 4},
        {"gemm: ldb is 3; it must be at least the row length, 4", false, false, {2, 4, 3}, 3, 3, 4},
        {"gemm: ldb is 2; it must be at least the row length, 3", false, true, {2, 4, 3}, 3, 2, 4},
        {"gemm: ldc is 3; it must be at least the row length, 4", false, false, {2, 4, 3}, 3, 4, 3},
        {"gemm: m is -1, n 4, k 3; none may be negative", false, false, {-1, 4, 3}, 3, 4, 4},
        {"gemm: m is 2, n -4, k 3; none may be negative", false, false, {2, -4, 3}, 3, 4, 4},
        {"gemm: m is 2, n 4, k -3; none may be negative", false, false, {2, 4, -3}, 3, 4, 4},
    };
    plx_real a[12] = {0}, b[12] = {0}, c[12], before[12];
    for (int i = 0; i < 12; ++i) c[i] = before[i] = (plx_real)i;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; ++i) {
        const refusal *r = refusals + i;
        const plx_status status = plx_gemm(w->one, r->ta, r->tb, r->s.m, r->s.n, r->s.k, 1, a,
                                           r->lda, b, r->ldb, 0, c, r->ldc);
        CHECK(w->t, status == PLX_ERR_SHAPE && !strcmp(plx_message(w->one), r->sentence),
              "%s: \"%s\" instead of \"%s\"", plx_status_name(status), plx_message(w->one),
              r->sentence);
        CHECK(w->t, !memcmp(c, before, sizeof c), "%s: c changed", r->sentence);
    }
}

static void check_target(void *arg) {
    calls *w = arg;
    check_edges(w, w->one->kernels);
    check_blocks(w, w->one->kernels);
    check_columns(w, w->one->kernels);
    check_refusals(w);
}

/* Returns false after a forbidden access: threads may be lost then, and nothing more can run. */
static bool check_isa(calls *w, const char *isa) {
    w->one = plx_check_context(w->t, isa, 1);
    w->two = plx_check_context(w->t, isa, 2);
    if (w->one && w->two) {
        w->two->machine.fork_join_ns = -1; /* so that no product is too small for threads */
        if (!CHECK(w->t, plx_guards_run(check_target, w),
                   "%s: gemm touches memory outside its operands", isa))
            return false;
    }
    plx_ctx_free(w->one);
    plx_ctx_free(w->two);
    return true;
}

void plx_test_kernels_gemm(plx_check *t) {
    static plx_wide value[LARGEST_C], magnitude[LARGEST_C];
    static plx_real single[LARGEST_C];
    calls w = {.t = t, .value = value, .magnitude = magnitude, .single = single};
    if (!CHECK(t, plx_guards_open(&w.guards), "no memory for guarded operands")) return;
    for (int i = 0; plx_isa_name(i) && check_isa(&w, plx_isa_name(i)); ++i) {
    }
    plx_guards_close(&w.guards);
}
