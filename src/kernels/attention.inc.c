/* Kernels of attention for a tile of scores. A tile has a row for each key and a column for each
 * query, so that the softmax over keys runs down the columns, a vector of queries at a time, and
 * needs no sum across lanes. */

/* The softmax down one vector of columns. */
INLINE void softmax_down(int64_t m, plx_real *x, int64_t ldx, plx_real *top, plx_real *sum,
                         plx_real *alpha, int64_t lanes) {
    const vf before = load_some(top, lanes);
    vf largest = before;
    for (int64_t i = 0; i < m; ++i) largest = v_greater(load_some(x + i * ldx, lanes), largest);
    /* For a query that sees no key yet, exp(-infinity - 0) is 0; the difference of infinities would
     * be NaN. */
    const vf minus_infinity = v_splat((plx_real)-__builtin_inff());
    const vf shift = v_select(largest == minus_infinity, v_splat(0), largest);
    const vf factor = v_exp_of_score(before - shift);
    vf s = load_some(sum, lanes) * factor;
    for (int64_t i = 0; i < m; ++i) {
        const vf y = v_exp_of_score(load_some(x + i * ldx, lanes) - shift);
        store_some(x + i * ldx, y, lanes);
        s += y;
    }
    store_some(top, largest, lanes);
    store_some(sum, s, lanes);
    store_some(alpha, factor, lanes);
}

static void k_softmax_columns(int64_t m, int64_t n, plx_real *x, int64_t ldx, plx_real *top,
                              plx_real *sum, plx_real *alpha) {
    for (int64_t j = 0; j < n; j += VL)
        softmax_down(m, x + j, ldx, top + j, sum + j, alpha + j, n - j < VL ? n - j : VL);
}

static void k_exp_columns(int64_t m, int64_t n, plx_real *x, int64_t ldx, const plx_real *shift) {
    for (int64_t j = 0; j < n; j += VL) {
        const int64_t lanes = n - j < VL ? n - j : VL;
        const vf s = load_some(shift + j, lanes);
        for (int64_t i = 0; i < m; ++i) {
            plx_real *to = x + i * ldx + j;
            store_some(to, v_exp_of_score(load_some(to, lanes) - s), lanes);
        }
    }
}

static void k_softmax_columns_grad(int64_t m, int64_t n, const plx_real *y, int64_t ld,
                                   const plx_real *delta, plx_real *g) {
    for (int64_t j = 0; j < n; j += VL) {
        const int64_t lanes = n - j < VL ? n - j : VL;
        const vf d = load_some(delta + j, lanes);
        for (int64_t i = 0; i < m; ++i) {
            const int64_t at = i * ld + j;
            store_some(g + at, load_some(y + at, lanes) * (load_some(g + at, lanes) - d), lanes);
        }
    }
}

static void k_rotate(int64_t n, const plx_real *x0, const plx_real *x1, const plx_real *cosine,
                     const plx_real *sine, plx_real *y0, plx_real *y1) {
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf a = load_some(x0 + i, lanes), b = load_some(x1 + i, lanes);
        const vf c = load_some(cosine + i, lanes), s = load_some(sine + i, lanes);
        store_some(y0 + i, v_fma(a, c, -(b * s)), lanes);
        store_some(y1 + i, v_fma(a, s, b * c), lanes);
    }
}
