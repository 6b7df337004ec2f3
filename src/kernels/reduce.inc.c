/* Sums and maxima. The error of a sum of n terms is at most (16 + log2 n) EPS sum |terms|, where
 * EPS is the distance from 1 to the next number: no chain has more than 32 elements (a chain of
 * length c has an error of c EPS / 2), and chains are added pairwise (Higham, "Accuracy and
 * Stability of Numerical Algorithms", section 4.2) or into a total that carries its own error
 * (two_sum below). The order depends only on n. */

/* Vectors added one after another, and elements whose sum is one leaf of the tree: fewer with one
 * lane, since a leaf is itself a chain of chains. */
enum { SUM_CHAIN = 16, SUM_BLOCK = VL == 1 ? 256 : 1024 };

/* n as a real. x86 converts an integer into a part of a register, and so waits for whatever wrote
 * the register before: short rows would be computed one after another. A number below 2^52 is the
 * low bits of 2^52 plus itself. */
INLINE plx_real real_of(int64_t n) {
#if PLX_ISA == PLX_ISA_sse2 || PLX_ISA == PLX_ISA_avx128 || PLX_ISA == PLX_ISA_avx2 ||             \
    PLX_ISA == PLX_ISA_avx512
    const uint64_t bits = UINT64_C(0x4330000000000000) | (uint64_t)n;
    double sum;
    memcpy(&sum, &bits, sizeof sum);
    return (plx_real)(sum - 0x1p52);
#else
    return (plx_real)n;
#endif
}

/* Passes over a row after the first leave memory idle, so the last pass prefetches the row behind
 * it, which is usually the next one. Where there is none, this costs nothing. */
#define ASK_FOR(p) __builtin_prefetch(p)

/* *sum + *error += x, exact except for the rounding of *error (Knuth, "The Art of Computer
 * Programming", volume 2, section 4.2.2, theorem B). An infinite sum has an error of 0. */
INLINE void two_sum(vf *sum, vf *error, vf x) {
    const vf s = *sum + x, part = s - *sum;
    const vf e = (*sum - (s - part)) + (x - part);
    *error += v_select(e == e, e, v_splat(0));
    *sum = s;
}

static void k_two_sum(int64_t n, const plx_real *x, plx_real *sum, plx_real *error) {
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        vf s = load_some(sum + i, lanes), e = load_some(error + i, lanes);
        two_sum(&s, &e, load_some(x + i, lanes));
        store_some(sum + i, s, lanes);
        store_some(error + i, e, lanes);
    }
}

/* The sum of name_term(x[i], z[i]). Four accumulators hide the latency of an addition. */
#define PAIRWISE_SUM(name)                                                                         \
    INLINE plx_real name##_block(int64_t n, const plx_real *x, const plx_real *z) {                \
        vf total = v_splat(0), s0, s1, s2, s3;                                                     \
        int64_t i = 0;                                                                             \
        while (i + 4 * VL <= n) {                                                                  \
            const int64_t left = (n - i) / (4 * VL), steps = left < SUM_CHAIN ? left : SUM_CHAIN;  \
            s0 = s1 = s2 = s3 = v_splat(0);                                                        \
            for (const int64_t end = i + steps * 4 * VL; i < end; i += 4 * VL) {                   \
                s0 += name##_term(v_load(x + i), v_load(z + i));                                   \
                s1 += name##_term(v_load(x + i + VL), v_load(z + i + VL));                         \
                s2 += name##_term(v_load(x + i + 2 * VL), v_load(z + i + 2 * VL));                 \
                s3 += name##_term(v_load(x + i + 3 * VL), v_load(z + i + 3 * VL));                 \
            }                                                                                      \
            total += (s0 + s1) + (s2 + s3);                                                        \
        }                                                                                          \
        for (; i + VL <= n; i += VL) total += name##_term(v_load(x + i), v_load(z + i));           \
        if (i < n) total += name##_term(load_tail(x + i, n - i), load_tail(z + i, n - i));         \
        return v_sum(total);                                                                       \
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
    if (VL > 4 && i < n) {
        const vi inside = v_lanes() < v_splat_int((int)(n - i));
        top[0] = v_max(top[0], v_select(inside, load_tail(x + i, n - i), least));
        i = n;
    }
    if (n >= 4 * VL) top[0] = v_max(v_max(top[0], top[1]), v_max(top[2], top[3]));
    plx_real best = v_max_lanes(top[0]);
    for (; i < n; ++i)
        if (x[i] > best || x[i] != x[i]) best = x[i];
    return best;
}

/* ---- Columns --------------------------------------------------------------------------------- */

/* Rows whose terms are added one after another, and rows whose chains are. */
enum { COLUMN_CHAIN = 16, COLUMN_BLOCK = 64 };

/* The terms of the sum: x; (x - centre)^2; (x - centre) z. */
typedef enum column_terms { COLUMN_VALUES, COLUMN_SQUARES, COLUMN_PRODUCTS } column_terms;

typedef struct column_operands {
    const plx_real *x, *z, *centre;
    int64_t ld;
} column_operands;

INLINE vf column_term(column_terms kind, column_operands c, int64_t at, vf centre, int64_t lanes) {
    const vf x = load_some(c.x + at, lanes);
    if (kind == COLUMN_VALUES) return x;
    const vf d = x - centre;
    return d * (kind == COLUMN_SQUARES ? d : load_some(c.z + at, lanes));
}

/* Sums a strip of columns from j on down the rows, in registers. */
INLINE void column_strip(column_terms kind, int vectors, int64_t m, column_operands c, int64_t j,
                         plx_real *y, int64_t lanes) {
    vf total[4], error[4], part[4], sum[4], centre[4];
    UNROLL
    for (int v = 0; v < vectors; ++v) {
        total[v] = error[v] = v_splat(0);
        centre[v] = kind == COLUMN_VALUES ? v_splat(0) : load_some(c.centre + j + v * VL, lanes);
    }
    for (int64_t block = 0; block < m; block += COLUMN_BLOCK) {
        const int64_t end = block + COLUMN_BLOCK < m ? block + COLUMN_BLOCK : m;
        UNROLL
        for (int v = 0; v < vectors; ++v) part[v] = v_splat(0);
        for (int64_t i = block; i < end;) {
            const int64_t stop = i + COLUMN_CHAIN < end ? i + COLUMN_CHAIN : end;
            UNROLL
            for (int v = 0; v < vectors; ++v) sum[v] = v_splat(0);
            for (; i < stop; ++i) {
                UNROLL
                for (int v = 0; v < vectors; ++v)
                    sum[v] += column_term(kind, c, i * c.ld + j + v * VL, centre[v], lanes);
            }
            UNROLL
            for (int v = 0; v < vectors; ++v) part[v] += sum[v];
        }
        UNROLL
        for (int v = 0; v < vectors; ++v) {
            if (m <= COLUMN_BLOCK)
                total[v] = part[v];
            else
                two_sum(&total[v], &error[v], part[v]);
        }
    }
    UNROLL
    for (int v = 0; v < vectors; ++v) store_some(y + j + v * VL, total[v] + error[v], lanes);
}

#define COLUMN_STRIPS(name, kind)                                                                  \
    static void name##_strips(int64_t m, int64_t n, column_operands c, plx_real *y) {              \
        int64_t j = 0;                                                                             \
        for (; j + 4 * VL <= n; j += 4 * VL) column_strip(kind, 4, m, c, j, y, VL);                \
        for (; j + VL <= n; j += VL) column_strip(kind, 1, m, c, j, y, VL);                        \
        if (j < n) column_strip(kind, 1, m, c, j, y, n - j);                                       \
    }

COLUMN_STRIPS(value, COLUMN_VALUES)
COLUMN_STRIPS(square, COLUMN_SQUARES)
COLUMN_STRIPS(product, COLUMN_PRODUCTS)

typedef void (*strips_function)(int64_t m, int64_t n, column_operands c, plx_real *y);

/* Few columns would leave lanes empty and wait for every addition, so several adjacent rows form
 * one row of whole vectors. */
enum { FEW_COLUMNS = 4 * VL, WIDE = FEW_COLUMNS * VL > 12 * VL ? FEW_COLUMNS *VL : 12 * VL };

/* y[k n + j] = x[j] for k < rows. */
SELDOM void repeat_row(int64_t rows, int64_t n, const plx_real *x, plx_real *y) {
    for (int64_t i = 0; i < rows * n; ++i) y[i] = i < n ? x[i] : y[i - n];
}

SELDOM void few_columns(strips_function strips, int64_t m, int64_t n, column_operands c,
                        plx_real *y) {
    plx_real sums[WIDE], centres[WIDE], rest[FEW_COLUMNS];
    const int64_t together = n < 4 ? 4 * VL : VL, wide_rows = m / together;
    const int64_t at = wide_rows * together * n;
    const column_operands wide = {.x = c.x, .z = c.z, .centre = centres, .ld = together * n};
    if (c.centre) repeat_row(together, n, c.centre, centres);
    strips(wide_rows, together * n, wide, sums);
    const column_operands last = {
        .x = c.x + at, .z = c.z ? c.z + at : NULL, .centre = c.centre, .ld = c.ld};
    strips(m % together, n, last, rest);
    /* Adds pairs of rows half the length apart, as in v_sum. */
    for (int64_t half = together / 2; half >= 1; half /= 2)
        for (int64_t i = 0; i < half * n; ++i) sums[i] += sums[half * n + i];
    for (int64_t j = 0; j < n; ++j) y[j] = sums[j] + rest[j];
}

static void sum_columns(strips_function strips, int64_t m, int64_t n, column_operands c,
                        plx_real *y) {
    if (VL > 1 && n > 0 && n < FEW_COLUMNS && c.ld == n && m >= 8 * FEW_COLUMNS)
        few_columns(strips, m, n, c, y);
    else
        strips(m, n, c, y);
}

static void k_column_sum(int64_t m, int64_t n, const plx_real *x, int64_t ldx, plx_real *y) {
    sum_columns(value_strips, m, n, (column_operands){.x = x, .ld = ldx}, y);
}

static void k_column_moment(int64_t m, int64_t n, const plx_real *x, const plx_real *z, int64_t ld,
                            const plx_real *centre, plx_real *y) {
    const column_operands c = {.x = x, .z = z, .centre = centre, .ld = ld};
    sum_columns(z ? product_strips : square_strips, m, n, c, y);
}
