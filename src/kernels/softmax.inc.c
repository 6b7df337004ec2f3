/* Softmax of one row of logits, and functions based on it. The maximum is subtracted first, so that
 * no exponential overflows. */

/* y = exp(x - top); returns the sum of y. Four vectors at a time share the constants, which
 * WebAssembly engines reload in every iteration. */
static plx_real exp_minus(int64_t n, const plx_real *x, plx_real top, plx_real *y) {
    enum { VECTORS = 4 };
    const vf t = v_splat(top);
    int64_t i = 0;
    for (; i + VECTORS * VL <= n; i += VECTORS * VL) {
        UNROLL
        for (int j = 0; j < VECTORS * VL; j += VL)
            v_store(y + i + j, v_exp_of_score(v_load(x + i + j) - t));
    }
    for (; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        store_some(y + i, v_exp_of_score(load_some(x + i, lanes) - t), lanes);
    }
    return sum_pairwise(n, y, y);
}

/* Rows of at most one wide vector stay in a register; the sums are the same. */
#define IS_SHORT_ROW(n) (VL > 4 && (n) > 0 && (n) <= VL)

/* exp(x - *top), *top being the maximum; 0 in the lanes behind the row. */
INLINE vf exp_short_row(int64_t n, const plx_real *x, plx_real *top) {
    const vi inside = v_lanes() < v_splat_int((int)n);
    const vf a = load_some(x, n), least = v_splat(-(plx_real)__builtin_inff());
    *top = v_max_lanes(v_select(inside, a, least));
    return v_from_bits(v_bits(v_exp_of_score(a - v_splat(*top))) & inside);
}

INLINE vf softmax_short_row(int64_t n, const plx_real *x) {
    plx_real top;
    const vf e = exp_short_row(n, x, &top);
    return e * v_splat(1 / v_sum(e));
}

static void k_softmax(int64_t n, const plx_real *x, plx_real *y) {
    if (IS_SHORT_ROW(n)) {
        store_some(y, softmax_short_row(n, x), n);
        return;
    }
    const vf factor = v_splat(1 / exp_minus(n, x, k_maximum(n, x), y));
    MAP1(n, y, y, (ASK_FOR(x + n + i_), a * factor));
}

/* sum exp(x - top). x is not changed: terms go through a buffer. */
static plx_real sum_exp(int64_t n, const plx_real *x, plx_real top, plx_real *terms) {
    if (n <= SUM_BLOCK) return exp_minus(n, x, top, terms);
    const int64_t half = (n / SUM_BLOCK + 1) / 2 * SUM_BLOCK;
    return sum_exp(half, x, top, terms) + sum_exp(n - half, x + half, top, terms);
}

/* log sum exp(x - top); of[0] becomes top, the maximum, and of[1] the sum. */
static plx_real log_sum_exp(int64_t n, const plx_real *x, plx_real *of) {
    plx_real terms[SUM_BLOCK];
    if (IS_SHORT_ROW(n)) {
        of[1] = v_sum(exp_short_row(n, x, of));
    } else {
        of[0] = k_maximum(n, x);
        of[1] = sum_exp(n, x, of[0], terms);
    }
    return v_log(v_splat(of[1]))[0];
}

static void k_log_softmax(int64_t n, const plx_real *x, plx_real *y) {
    plx_real of[2];
    const vf log_sum = v_splat(log_sum_exp(n, x, of)), t = v_splat(of[0]);
    MAP1(n, x, y, (a - t) - log_sum);
}

static void k_softmax_grad(int64_t n, const plx_real *y, const plx_real *gy, plx_real *gx) {
    const vf s = v_splat(k_dot(n, y, gy));
    MAP2(n, y, gy, gx, a * (b - s));
}

static void k_log_softmax_grad(int64_t n, const plx_real *y, const plx_real *gy, plx_real *gx) {
    const vf s = v_splat(k_sum(n, gy));
    MAP2(n, y, gy, gx, b - v_exp(a) * s);
}

/* With smoothing s: log sum exp(x - top) - ((1 - s) (x[label] - top) + s (mean x - top)). */
static plx_real k_softmax_xent(int64_t n, const plx_real *x, int64_t label, plx_real smoothing,
                               plx_real *saved) {
    plx_real of[2];
    const plx_real log_sum = log_sum_exp(n, x, of), top = of[0];
    if (saved) memcpy(saved, of, sizeof of);
    const plx_real own = x[label] - top;
    if (smoothing == 0) return log_sum - own;
    const plx_real even = k_sum(n, x) / real_of(n) - top;
    return log_sum - ((1 - smoothing) * own + smoothing * even);
}

static void k_softmax_xent_grad(int64_t n, const plx_real *x, int64_t label, plx_real smoothing,
                                plx_real scale, const plx_real *saved, plx_real *gx) {
    plx_real of[2];
    if (!saved) log_sum_exp(n, x, of);
    if (!saved) saved = of;
    const vf even = v_splat(smoothing / real_of(n)), factor = v_splat(scale);
    const vf top = v_splat(saved[0]), share = v_splat(1 / saved[1]);
    const vf own = v_exp_of_score(v_splat(x[label]) - top) * share - v_splat(1 - smoothing);
    MAP1(n, x, gx, (v_exp_of_score(a - top) * share - even) * factor);
    gx[label] = ((own - even) * factor)[0];
}
