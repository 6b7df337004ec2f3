/* Transposition, the basis of packing operands of a product: squares whose rows are vectors,
 * shuffled in registers. */

#if VL == 1

static void k_transpose(int64_t m, int64_t n, const plx_real *x, int64_t ldx, plx_real *y,
                        int64_t ldy) {
    for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < m; ++i) y[j * ldy + i] = x[i * ldx + j];
}

#else

/* SIDE lanes, in quads: shuffles inside a quad are cheap everywhere. STRIP: a cache line of x. */
#define SIDE (VL < 8 ? 4 : 8)
enum { STRIP = 16 };
typedef float side __attribute__((vector_size(SIDE * sizeof(float))));

#if SIDE == 4
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, 4 + (k), 4 + (l))
#else
#define SHUFFLE(a, b, i, j, k, l)                                                                  \
    __builtin_shufflevector(a, b, i, j, 8 + (k), 8 + (l), 4 + (i), 4 + (j), 12 + (k), 12 + (l))
#endif

/* Elements 0..3 of row i, and in a second quad those of row i + 4. */
INLINE side load_quads(const float *const *rows, int i, int64_t offset) {
    side x;
    for (int quad = 0; quad < SIDE / 4; ++quad)
        memcpy((float *)&x + 4 * quad, rows[i + 4 * quad] + offset, 4 * sizeof(float));
    return x;
}

/* Four columns of the square: y[c] is column c of x. */
INLINE void transpose_quads(const side *x, side *y) {
    const side low01 = SHUFFLE(x[0], x[1], 0, 1, 0, 1), high01 = SHUFFLE(x[0], x[1], 2, 3, 2, 3);
    const side low23 = SHUFFLE(x[2], x[3], 0, 1, 0, 1), high23 = SHUFFLE(x[2], x[3], 2, 3, 2, 3);
    y[0] = SHUFFLE(low01, low23, 0, 2, 0, 2);
    y[1] = SHUFFLE(low01, low23, 1, 3, 1, 3);
    y[2] = SHUFFLE(high01, high23, 0, 2, 0, 2);
    y[3] = SHUFFLE(high01, high23, 1, 3, 1, 3);
}

/* The first n lanes. */
INLINE void store_lanes(float *p, side x, int64_t n) {
    const float *from = (const float *)&x;
    if (SIDE == 8 && n & 4) {
        memcpy(p, from, 4 * sizeof *p);
        p += 4;
        from += 4;
    }
    if (n & 2) {
        memcpy(p, from, 2 * sizeof *p);
        p += 2;
        from += 2;
    }
    if (n & 1) *p = *from;
}

/* SIDE columns of `count` rows of x from column j on. Rows beyond count repeat an existing one, and
 * their lanes are not stored, or (spill) are stored where a later row of y goes. */
INLINE void transpose_square(int64_t count, bool spill, int64_t j, const float *x, int64_t ldx,
                             float *y, int64_t ldy) {
    const float *rows[SIDE];
    side from[4], to[SIDE];
    UNROLL
    for (int i = 0; i < SIDE; ++i) rows[i] = x + (i < count ? i : 0) * ldx;
    UNROLL
    for (int half = 0; half < SIDE; half += 4) {
        UNROLL
        for (int i = 0; i < 4; ++i) from[i] = load_quads(rows, i, j + half);
        transpose_quads(from, to + half);
    }
    UNROLL
    for (int i = 0; i < SIDE; ++i) {
        if (count == SIDE || spill)
            memcpy(y + (j + i) * ldy, &to[i], sizeof to[i]);
        else
            store_lanes(y + (j + i) * ldy, to[i], count);
    }
}

/* Columns from..to (at least SIDE of them) of up to SIDE rows; the last square may overlap the one
 * before. */
INLINE void transpose_rows(int64_t count, int64_t from, int64_t to, const float *x, int64_t ldx,
                           float *y, int64_t ldy) {
    int64_t j = from;
    for (; j + SIDE <= to; j += SIDE) transpose_square(count, false, j, x, ldx, y, ldy);
    if (j < to) transpose_square(count, false, to - SIDE, x, ldx, y, ldy);
}

/* Fewer rows than SIDE, y without gaps: whole vectors are stored in ascending order, each
 * overwriting the surplus lanes of the one before. */
INLINE void transpose_few(int64_t m, int64_t n, const float *x, int64_t ldx, float *y) {
    int64_t j = 0;
    for (; j + 2 * SIDE <= n; j += SIDE) transpose_square(m, true, j, x, ldx, y, m);
    transpose_rows(m, j, n, x, ldx, y, m);
}

/* Where the rows of y are a multiple of 4 KiB apart, elements of one column compete for the same
 * few places in the L1 cache, so a line that is written in parts is fetched again for each. Squares
 * of STRIP therefore go through a buffer, from which whole lines are written. That also pays for
 * large operands, of which more rows than there are places for in the tables of pages would be in
 * use. Returns the number of rows that it transposed; n >= STRIP. */
static __attribute__((noinline)) int64_t transpose_staged(int64_t m, int64_t n, const float *x,
                                                          int64_t ldx, float *y, int64_t ldy) {
    float stage[STRIP * STRIP];
    int64_t i = 0;
    for (; i + STRIP <= m; i += STRIP)
        for (int64_t next = 0; next < n; next += STRIP) {
            const int64_t j = next + STRIP <= n ? next : n - STRIP;
            for (int64_t r = 0; r < STRIP; r += SIDE)
                transpose_rows(SIDE, 0, STRIP, x + (i + r) * ldx + j, ldx, stage + r, STRIP);
            for (int64_t r = 0; r < STRIP; ++r)
                memcpy(y + (j + r) * ldy + i, stage + r * STRIP, STRIP * sizeof *y);
        }
    return i;
}

/* Lines that are read compete as well, which costs less: with 4 lanes, less than the buffer does.
 */
static bool is_better_staged(int64_t m, int64_t n, int64_t ldx, int64_t ldy) {
    const bool competes = ldy % 1024 == 0 || (SIDE > 4 && ldx % 1024 == 0);
    return m >= STRIP && n >= STRIP && (competes || m * n >= 1 << 20);
}

static void k_transpose(int64_t m, int64_t n, const plx_real *x, int64_t ldx, plx_real *y,
                        int64_t ldy) {
    if (n < SIDE) {
        for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < n; ++j) y[j * ldy + i] = x[i * ldx + j];
        return;
    }
    if (m < SIDE && ldy == m) {
        transpose_few(m, n, x, ldx, y);
        return;
    }
    if (is_better_staged(m, n, ldx, ldy)) {
        const int64_t done = transpose_staged(m, n, x, ldx, y, ldy);
        m -= done;
        x += done * ldx;
        y += done;
    }
    for (int64_t j = 0; m > 0 && j < n; j += STRIP) {
        const int64_t end = j + STRIP < n ? j + STRIP : n, begin = end - j < SIDE ? end - SIDE : j;
        int64_t i = 0;
        for (; i + SIDE <= m; i += SIDE)
            transpose_rows(SIDE, begin, end, x + i * ldx, ldx, y + i, ldy);
        if (i < m) transpose_rows(m - i, begin, end, x + i * ldx, ldx, y + i, ldy);
    }
}

#endif
