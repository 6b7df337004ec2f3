/* Windows of images whose pixels are runs of n channels: count neighbouring windows, step elements
 * apart, each of rows x columns pixels; its rows are row elements apart, its columns column. */

/* The maximum of a window at `vectors` vectors of channels. */
INLINE void max_strip(int vectors, int64_t rows, int64_t columns, const plx_real *x, int64_t row,
                      int64_t column, plx_real *y, int64_t lanes) {
    vf top[4];
    UNROLL
    for (int v = 0; v < vectors; ++v) top[v] = load_some(x + v * VL, lanes);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) {
            const plx_real *from = x + i * row + j * column;
            UNROLL
            for (int v = 0; v < vectors; ++v)
                top[v] = v_max(top[v], load_some(from + v * VL, lanes));
        }
    UNROLL
    for (int v = 0; v < vectors; ++v) store_some(y + v * VL, top[v], lanes);
}

static void k_pool_max(int64_t count, int64_t n, int64_t rows, int64_t columns, const plx_real *x,
                       int64_t row, int64_t column, int64_t step, plx_real *y) {
    for (int64_t p = 0; p < count; ++p, x += step, y += n) {
        int64_t c = 0;
        for (; c + 4 * VL <= n; c += 4 * VL)
            max_strip(4, rows, columns, x + c, row, column, y + c, VL);
        for (; c < n; c += VL)
            max_strip(1, rows, columns, x + c, row, column, y + c, lanes_at(c, n));
    }
}

/* The index of the first maximum, or of the first NaN, of each channel. */
INLINE vi first_maximum(int64_t rows, int64_t columns, const plx_real *x, int64_t row,
                        int64_t column, int64_t lanes) {
    vf top = load_some(x, lanes);
    vi place = v_splat_int(0);
    int at = 0;
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j, ++at) {
            const vf a = load_some(x + i * row + j * column, lanes);
            const vi better = (a > top) | ((a != a) & (top == top));
            top = v_select(better, a, top);
            place = (place & ~better) | (v_splat_int(at) & better);
        }
    return place;
}

static void k_pool_max_grad(int64_t count, int64_t n, int64_t rows, int64_t columns,
                            const plx_real *x, int64_t row, int64_t column, int64_t step,
                            const plx_real *gy, int64_t first, int64_t end, plx_real *gx) {
    for (int64_t p = 0; p < count; ++p, x += step, gx += step, gy += n)
        for (int64_t c = 0; c < n; c += VL) {
            const int64_t lanes = lanes_at(c, n);
            const vi place = first_maximum(rows, columns, x + c, row, column, lanes);
            const vf g = load_some(gy + c, lanes);
            for (int64_t i = first; i < end; ++i)
                for (int64_t j = 0; j < columns; ++j) {
                    plx_real *to = gx + i * row + j * column + c;
                    const vf old = load_some(to, lanes);
                    const vi here = place == v_splat_int((int)(i * columns + j));
                    store_some(to, v_select(here, old + g, old), lanes);
                }
        }
}

/* The sum of a window at one vector of channels. */
INLINE vf window_sum(int64_t rows, int64_t columns, const plx_real *x, int64_t row, int64_t column,
                     int64_t lanes) {
    enum { MANY = 256 };
    vf total = v_splat(0), error = total;
    const bool is_chain = rows * columns <= COLUMN_CHAIN;
    int64_t chains = 0;
    for (int64_t i = 0; i < rows; ++i, x += row) {
        if (is_chain) {
            for (int64_t j = 0; j < columns; ++j) total += load_some(x + j * column, lanes);
            continue;
        }
        for (int64_t j = 0; j < columns;) {
            const int64_t end = columns - j > COLUMN_CHAIN ? j + COLUMN_CHAIN : columns;
            vf sum = v_splat(0);
            for (; j < end; ++j) sum += load_some(x + j * column, lanes);
            two_sum(&total, &error, sum);
            if (++chains % MANY) continue;
            /* The sum of many errors would have errors that matter. */
            sum = error;
            error = v_splat(0);
            two_sum(&total, &error, sum);
        }
    }
    return total + error;
}

static void k_pool_sum(int64_t count, int64_t n, int64_t rows, int64_t columns, const plx_real *x,
                       int64_t row, int64_t column, int64_t step, plx_real factor, plx_real *y) {
    const vf f = v_splat(factor);
    for (int64_t p = 0; p < count; ++p, x += step, y += n)
        for (int64_t c = 0; c < n; c += VL) {
            const int64_t lanes = lanes_at(c, n);
            store_some(y + c, f * window_sum(rows, columns, x + c, row, column, lanes), lanes);
        }
}

static void k_pool_spread(int64_t count, int64_t n, int64_t rows, int64_t columns,
                          const plx_real *gy, int64_t row, int64_t column, int64_t step,
                          plx_real factor, plx_real *gx) {
    const vf f = v_splat(factor);
    for (int64_t p = 0; p < count; ++p, gx += step, gy += n)
        for (int64_t c = 0; c < n; c += VL) {
            const int64_t lanes = lanes_at(c, n);
            const vf g = f * load_some(gy + c, lanes);
            for (int64_t i = 0; i < rows; ++i)
                for (int64_t j = 0; j < columns; ++j) {
                    plx_real *to = gx + i * row + j * column + c;
                    store_some(to, load_some(to, lanes) + g, lanes);
                }
        }
}

static void k_blend(int64_t n, plx_real alpha, const plx_real *x, plx_real beta, const plx_real *z,
                    plx_real *y) {
    const vf p = v_splat(alpha), q = v_splat(beta);
    MAP2(n, x, z, y, v_fma(p, a, q * b));
}
