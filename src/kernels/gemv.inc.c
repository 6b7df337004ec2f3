/* Products of a vector and a matrix, at the speed of the memory that holds the matrix. */

enum { GEMV_COLUMNS = 512, GEMV_ROWS = 8 };

/* sum[0..n) += x[0..rows) B: `rows` rows stream side by side, each product added in turn. */
INLINE void gemv_rows(int rows, int64_t n, const plx_real *x, int64_t incx, const plx_real *b,
                      int64_t ldb, plx_real *sum) {
    vf value[GEMV_ROWS];
    UNROLL
    for (int r = 0; r < rows; ++r) value[r] = v_broadcast(x + r * incx);
    int64_t j = 0;
    for (; j + VL <= n; j += VL) {
        vf s = v_load(sum + j);
        UNROLL
        for (int r = 0; r < rows; ++r) s = v_fma(value[r], v_load(b + r * ldb + j), s);
        v_store(sum + j, s);
    }
    if (j == n) return;
    /* The last vector overlaps the one before it, whose lanes keep their values. */
    const int64_t at = n >= VL ? n - VL : 0;
    const vf before = v_load(sum + at);
    vf s = before;
    UNROLL
    for (int r = 0; r < rows; ++r)
        s = v_fma(value[r], load_some(b + r * ldb + at, n >= VL ? VL : n), s);
    v_store(sum + at, v_select(v_lanes() < v_splat_int((int)(j - at)), before, s));
}

/* sum[0..n) += x[0..k) B. */
static void gemv_block(int64_t k, int64_t n, const plx_real *x, int64_t incx, const plx_real *b,
                       int64_t ldb, plx_real *sum) {
    int64_t p = 0;
    for (; p + GEMV_ROWS <= k; p += GEMV_ROWS)
        gemv_rows(GEMV_ROWS, n, x + p * incx, incx, b + p * ldb, ldb, sum);
    for (; p < k; ++p) gemv_rows(1, n, x + p * incx, incx, b + p * ldb, ldb, sum);
}

static void clear(int64_t n, plx_real *x) {
    for (int64_t i = 0; i < n; i += VL) v_store(x + i, v_splat(0));
}

/* The sums of one strip of columns, in the order of gemm.c: chains of GEMM_CHAIN products are added
 * up, GEMM_DEEP products at a time, and those totals are added with their rounding errors. Sums
 * stay in the L1 cache. */
static void gemv_strip(int64_t k, int64_t n, const plx_real *x, int64_t incx, const plx_real *b,
                       int64_t ldb, plx_real *total) {
    plx_real sum[GEMV_COLUMNS + VL], part[GEMV_COLUMNS + VL], error[GEMV_COLUMNS + VL];
    clear(n, total);
    if (k > GEMM_DEEP) clear(n, error);
    for (int64_t deep = 0; deep < k; deep += GEMM_DEEP) {
        const int64_t end = deep + GEMM_DEEP < k ? deep + GEMM_DEEP : k;
        plx_real *to = deep ? part : total;
        if (deep) clear(n, part);
        for (int64_t p = deep; p < end; p += GEMM_CHAIN) {
            const int64_t count = end - p < GEMM_CHAIN ? end - p : GEMM_CHAIN;
            plx_real *chain = p == deep ? to : sum;
            if (p > deep) clear(n, sum);
            gemv_block(count, n, x + p * incx, incx, b + p * ldb, ldb, chain);
            if (p > deep) k_add(n, to, 1, sum, 1, to);
        }
        if (deep) k_two_sum(n, part, total, error);
    }
    if (k > GEMM_DEEP) k_add(n, total, 1, error, 1, total);
}

static void k_gemv(int64_t k, int64_t n, const plx_real *x, int64_t incx, const plx_real *b,
                   int64_t ldb, plx_real *y, bool accumulate) {
    plx_real total[GEMV_COLUMNS + VL];
    for (int64_t j = 0; j < n; j += GEMV_COLUMNS) {
        const int64_t columns = n - j < GEMV_COLUMNS ? n - j : GEMV_COLUMNS;
        gemv_strip(k, columns, x, incx, b + j, ldb, total);
        if (accumulate)
            k_add(columns, y + j, 1, total, 1, y + j);
        else
            memcpy(y + j, total, (size_t)columns * sizeof *y);
    }
}

enum { DOT_STEPS = 64 }; /* pairs of vectors added one after another */

/* `rows` dot products at once; each has two accumulators, for the even and the odd vectors, whose
 * sums are added to totals that carry their rounding errors. */
INLINE void dot_rows(int rows, int64_t k, const plx_real *x, const plx_real *b, int64_t ldb,
                     plx_real *y, bool accumulate) {
    vf even[4], odd[4], total[4], error[4];
    UNROLL
    for (int r = 0; r < rows; ++r) total[r] = error[r] = v_splat(0);
    for (int64_t p = 0; p < k;) {
        const int64_t left = (k - p) / (2 * VL), steps = left < DOT_STEPS ? left : DOT_STEPS;
        UNROLL
        for (int r = 0; r < rows; ++r) even[r] = odd[r] = v_splat(0);
        for (const int64_t end = p + steps * 2 * VL; p < end; p += 2 * VL) {
            const vf x0 = v_load(x + p), x1 = v_load(x + p + VL);
            UNROLL
            for (int r = 0; r < rows; ++r) {
                even[r] = v_fma(x0, v_load(b + r * ldb + p), even[r]);
                odd[r] = v_fma(x1, v_load(b + r * ldb + p + VL), odd[r]);
            }
        }
        for (; p < k && left < DOT_STEPS; p += VL) {
            const int64_t lanes = k - p < VL ? k - p : VL;
            const vf x0 = load_tail(x + p, lanes);
            UNROLL
            for (int r = 0; r < rows; ++r)
                even[r] = v_fma(x0, load_tail(b + r * ldb + p, lanes), even[r]);
        }
        UNROLL
        for (int r = 0; r < rows; ++r) two_sum(&total[r], &error[r], even[r] + odd[r]);
    }
    UNROLL
    for (int r = 0; r < rows; ++r) {
        const plx_real dot = v_sum(total[r] + error[r]);
        y[r] = accumulate ? y[r] + dot : dot;
    }
}

static void k_gemv_t(int64_t k, int64_t n, const plx_real *x, const plx_real *b, int64_t ldb,
                     plx_real *y, bool accumulate) {
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) dot_rows(4, k, x, b + j * ldb, ldb, y + j, accumulate);
    for (; j < n; ++j) dot_rows(1, k, x, b + j * ldb, ldb, y + j, accumulate);
}
