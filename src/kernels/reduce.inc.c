/* Sums and maxima. A sum is pairwise over blocks of SUM_BLOCK elements, so that its error grows
 * with the logarithm of n (Higham, "Accuracy and Stability of Numerical Algorithms", section 4.2)
 * and its order depends on n alone. */

enum { SUM_BLOCK = 1024, COLUMN_BLOCK = 64 };

/* Rows that are gone over several times leave memory idle but for the first time; the last pass
 * asks for the row behind meanwhile, which is the next one more often than not. Where there is none
 * it costs nothing. */
#define ASK_FOR(p) __builtin_prefetch(p)

/* The sum of name_term(x[i], z[i]). Four accumulators hide the latency of an addition. */
#define PAIRWISE_SUM(name)                                                                         \
    INLINE plx_real name##_block(int64_t n, const plx_real *x, const plx_real *z) {                \
        vf s0 = v_splat(0), s1 = s0, s2 = s0, s3 = s0;                                             \
        int64_t i = 0;                                                                             \
        for (; i + 4 * VL <= n; i += 4 * VL) {                                                     \
            s0 += name##_term(v_load(x + i), v_load(z + i));                                       \
            s1 += name##_term(v_load(x + i + VL), v_load(z + i + VL));                             \
            s2 += name##_term(v_load(x + i + 2 * VL), v_load(z + i + 2 * VL));                     \
            s3 += name##_term(v_load(x + i + 3 * VL), v_load(z + i + 3 * VL));                     \
        }                                                                                          \
        for (; i + VL <= n; i += VL) s0 += name##_term(v_load(x + i), v_load(z + i));              \
        if (i < n) s1 += name##_term(v_load_n(x + i, n - i), v_load_n(z + i, n - i));              \
        return v_sum((s0 + s1) + (s2 + s3));                                                       \
    }                                                                                              \
    static plx_real name##_pairwise(int64_t n, const plx_real *x, const plx_real *z) {             \
        if (n <= SUM_BLOCK) return name##_block(n, x, z);                                          \
        const int64_t half = (n / SUM_BLOCK + 1) / 2 * SUM_BLOCK;                                  \
        return name##_pairwise(half, x, z) + name##_pairwise(n - half, x + half, z + half);        \
    }

INLINE vf sum_term(vf a, vf b) {
    (void)b;
    return a;
}

INLINE vf product_term(vf a, vf b) {
    return a * b;
}

INLINE vf difference_term(vf a, vf b) {
    return (a - b) * (a - b);
}

PAIRWISE_SUM(sum)
PAIRWISE_SUM(product)
PAIRWISE_SUM(difference)

static plx_real k_sum(int64_t n, const plx_real *x) {
    return sum_pairwise(n, x, x);
}

static plx_real k_sum_squares(int64_t n, const plx_real *x) {
    return product_pairwise(n, x, x);
}

static plx_real k_dot(int64_t n, const plx_real *a, const plx_real *b) {
    return product_pairwise(n, a, b);
}

static plx_real k_sum_squared_difference(int64_t n, const plx_real *a, const plx_real *b) {
    return difference_pairwise(n, a, b);
}

static plx_real k_maximum(int64_t n, const plx_real *x) {
    const vf least = v_splat(-(plx_real)__builtin_inff());
    vf top[4] = {least, least, least, least};
    int64_t i = 0;
    for (; i + 4 * VL <= n; i += 4 * VL) {
        UNROLL
        for (int v = 0; v < 4; ++v) top[v] = v_max(top[v], v_load(x + i + v * VL));
    }
    for (; i + VL <= n; i += VL) top[0] = v_max(top[0], v_load(x + i));
    plx_real best = v_max_lanes(v_max(v_max(top[0], top[1]), v_max(top[2], top[3])));
    for (; i < n; ++i)
        if (x[i] > best || x[i] != x[i]) best = x[i];
    return best;
}

/* A strip of columns runs down a block of rows in registers. */
INLINE void column_strip(int vectors, int64_t m, const plx_real *x, int64_t ldx, plx_real *y,
                         int64_t lanes) {
    vf total[4], sum[4];
    UNROLL
    for (int v = 0; v < vectors; ++v) total[v] = v_splat(0);
    for (int64_t block = 0; block < m; block += COLUMN_BLOCK) {
        const int64_t end = block + COLUMN_BLOCK < m ? block + COLUMN_BLOCK : m;
        UNROLL
        for (int v = 0; v < vectors; ++v) sum[v] = v_splat(0);
        for (int64_t i = block; i < end; ++i) {
            UNROLL
            for (int v = 0; v < vectors; ++v) {
                const plx_real *from = x + i * ldx + v * VL;
                sum[v] += lanes == VL ? v_load(from) : v_load_n(from, lanes);
            }
        }
        UNROLL
        for (int v = 0; v < vectors; ++v) total[v] += sum[v];
    }
    UNROLL
    for (int v = 0; v < vectors; ++v) {
        if (lanes == VL)
            v_store(y + v * VL, total[v]);
        else
            v_store_n(y + v * VL, total[v], lanes);
    }
}

static void k_column_sum(int64_t m, int64_t n, const plx_real *x, int64_t ldx, plx_real *y) {
    int64_t j = 0;
    for (; j + 4 * VL <= n; j += 4 * VL) column_strip(4, m, x + j, ldx, y + j, VL);
    for (; j + VL <= n; j += VL) column_strip(1, m, x + j, ldx, y + j, VL);
    if (j < n) column_strip(1, m, x + j, ldx, y + j, n - j);
}
