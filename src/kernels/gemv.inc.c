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
    vf s = v_load(sum + j);
    UNROLL
    for (int r = 0; r < rows; ++r) s = v_fma(value[r], v_load_n(b + r * ldb + j, n - j), s);
    v_store(sum + j, s);
}

/* Sums of a strip of columns stay in the first-level cache. */
static void k_gemv(int64_t k, int64_t n, const plx_real *x, int64_t incx, const plx_real *b,
                   int64_t ldb, plx_real *y, bool accumulate) {
    plx_real sum[GEMV_COLUMNS + VL];
    for (int64_t j = 0; j < n; j += GEMV_COLUMNS) {
        const int64_t columns = n - j < GEMV_COLUMNS ? n - j : GEMV_COLUMNS;
        for (int64_t i = 0; i < columns; i += VL) v_store(sum + i, v_splat(0));
        int64_t p = 0;
        for (; p + GEMV_ROWS <= k; p += GEMV_ROWS)
            gemv_rows(GEMV_ROWS, columns, x + p * incx, incx, b + p * ldb + j, ldb, sum);
        for (; p < k; ++p) gemv_rows(1, columns, x + p * incx, incx, b + p * ldb + j, ldb, sum);
        if (accumulate)
            k_add(columns, y + j, 1, sum, 1, y + j);
        else
            memcpy(y + j, sum, (size_t)columns * sizeof *y);
    }
}

/* `rows` dot products at once; each has two accumulators, for the even and the odd vectors. */
INLINE void dot_rows(int rows, int64_t k, const plx_real *x, const plx_real *b, int64_t ldb,
                     plx_real *y, bool accumulate) {
    vf even[4], odd[4];
    UNROLL
    for (int r = 0; r < rows; ++r) even[r] = odd[r] = v_splat(0);
    int64_t p = 0;
    for (; p + 2 * VL <= k; p += 2 * VL) {
        const vf x0 = v_load(x + p), x1 = v_load(x + p + VL);
        UNROLL
        for (int r = 0; r < rows; ++r) {
            even[r] = v_fma(x0, v_load(b + r * ldb + p), even[r]);
            odd[r] = v_fma(x1, v_load(b + r * ldb + p + VL), odd[r]);
        }
    }
    for (; p < k; p += VL) {
        const int64_t lanes = k - p < VL ? k - p : VL;
        const vf x0 = v_load_n(x + p, lanes);
        UNROLL
        for (int r = 0; r < rows; ++r)
            even[r] = v_fma(x0, v_load_n(b + r * ldb + p, lanes), even[r]);
    }
    UNROLL
    for (int r = 0; r < rows; ++r) {
        const plx_real dot = v_sum(even[r] + odd[r]);
        y[r] = accumulate ? y[r] + dot : dot;
    }
}

static void k_gemv_t(int64_t k, int64_t n, const plx_real *x, const plx_real *b, int64_t ldb,
                     plx_real *y, bool accumulate) {
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) dot_rows(4, k, x, b + j * ldb, ldb, y + j, accumulate);
    for (; j < n; ++j) dot_rows(1, k, x, b + j * ldb, ldb, y + j, accumulate);
}
