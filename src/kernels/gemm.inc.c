/* The micro-kernel of matrix products. */

/* Unpacked operands are prefetched where a step of the loop is long enough to hide it: hardware
 * prefetchers miss strides of half a page and more. Panels of b may come from beyond the caches, so
 * they are prefetched further ahead, one line after the other. Rows may begin within a line, which
 * the panel before has read: the ends of lines are prefetched. Few rows are bound by loads, which
 * prefetches would take the place of; of two panels at once, one or two rows are. */
#define TILE_IS_LARGE (MR > 8)
enum {
    FEW_ROWS = TILE_IS_LARGE ? GEMM_PAIR_ROWS : MR / 2,
    FEW_ROWS_OF_PAIR = 2,
    AHEAD = 8,
    ROWS_AHEAD = 32,
    ROWS_AHEAD_IN_PANEL = 64,
    ROWS_AHEAD_IN_PAIR = 32,
    LINE_VALUES = 64 / (int)sizeof(plx_real)
};

/* Compilers make a chain of additions of the addresses of a column's rows, which takes as long as
 * the arithmetic on cores with two pipes. x86 adds a register, or 2, 4 or 8 times one, as it loads:
 * only odd multiples of the distance need registers, whose contents the compiler must not know. */
#if PLX_ISA == PLX_ISA_avx2 || PLX_ISA == PLX_ISA_avx512
#define HIDE(x) __asm__("" : "+r"(x))
#else
#define HIDE(x) (void)(x)
#endif

/* odd[j]: 2 j + 1 times the bytes from row to row. */
INLINE const plx_real *row_of(const plx_real *column, const int64_t *odd, int row) {
    const int power = row & -row;
    if (!row) return column;
    return (const plx_real *)((const char *)column + odd[row / power / 2] * power);
}

/* One tile of `rows` rows and `vectors` vectors, of which c has `last` elements of the last; rows
 * and vectors are constants after inlining. Accumulators stay in registers. */
INLINE void tile(int rows, int vectors, int64_t last, int64_t kc, const plx_real *a, int64_t rsa,
                 int64_t csa, const plx_real *b, int64_t ldb, plx_real *c, int64_t ldc,
                 bool accumulate) {
    vf sum[MR][NV];
    UNROLL
    for (int i = 0; i < rows; ++i) {
        UNROLL
        for (int j = 0; j < vectors; ++j) sum[i][j] = v_splat(0);
    }
    /* The lines of c load while the sum is computed. */
    UNROLL
    for (int i = 0; i < rows; ++i) {
        UNROLL
        for (int j = 0; j < vectors; ++j) __builtin_prefetch(c + i * ldc + j * VL, 1);
    }
    const int width = vectors * VL;
    const int64_t in_place = TILE_IS_LARGE ? ROWS_AHEAD : 0;
    const int64_t ahead = (ldb == NV * VL ? ROWS_AHEAD_IN_PANEL : in_place) * ldb;
    int64_t odd[(MR + 1) / 2];
    UNROLL
    for (int i = 1; i < rows; i += 2) {
        odd[i / 2] = i * rsa * (int64_t)sizeof *a;
        HIDE(odd[i / 2]);
    }
    UNROLL_BY(K_UNROLL)
    for (int64_t p = 0; p < kc; ++p) {
        vf row[NV];
        UNROLL
        for (int j = 0; j < vectors; ++j) row[j] = v_load(b + j * VL);
        UNROLL
        for (int i = 0; i < rows; ++i) {
            const vf value = v_broadcast(row_of(a, odd, i));
            UNROLL
            for (int j = 0; j < vectors; ++j) sum[i][j] = v_fma(value, row[j], sum[i][j]);
        }
        if (TILE_IS_LARGE && rows > FEW_ROWS) __builtin_prefetch(a + AHEAD * csa);
        for (int j = 0; rows > FEW_ROWS && j < width; j += LINE_VALUES)
            __builtin_prefetch(b + ahead + (j + LINE_VALUES < width ? j + LINE_VALUES : width) - 1);
        a += csa;
        b += ldb;
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        UNROLL
        for (int j = 0; j < vectors; ++j) {
            plx_real *to = c + i * ldc + j * VL;
            if (j + 1 < vectors)
                v_store(to, accumulate ? v_load(to) + sum[i][j] : sum[i][j]);
            else
                store_some(to, accumulate ? load_some(to, last) + sum[i][j] : sum[i][j], last);
        }
    }
}

#define VECTORS_1(X, rows) X(rows, 1)
#define VECTORS_2(X, rows) VECTORS_1(X, rows) X(rows, 2)
#define VECTORS_3(X, rows) VECTORS_2(X, rows) X(rows, 3)
#define VECTORS_4(X, rows) VECTORS_3(X, rows) X(rows, 4)
#define VECTORS(X, rows) PLX_JOIN(VECTORS_, NV)(X, rows)

#define ROWS_1(X) X(1)
#define ROWS_2(X) ROWS_1(X) X(2)
#define ROWS_3(X) ROWS_2(X) X(3)
#define ROWS_4(X) ROWS_3(X) X(4)
#define ROWS_5(X) ROWS_4(X) X(5)
#define ROWS_6(X) ROWS_5(X) X(6)
#define ROWS_7(X) ROWS_6(X) X(7)
#define ROWS_8(X) ROWS_7(X) X(8)
#define ROWS_9(X) ROWS_8(X) X(9)
#define ROWS_10(X) ROWS_9(X) X(10)
#define ROWS_11(X) ROWS_10(X) X(11)
#define ROWS_12(X) ROWS_11(X) X(12)
#define ROWS_13(X) ROWS_12(X) X(13)
#define ROWS_14(X) ROWS_13(X) X(14)
#define ROWS(X) PLX_JOIN(ROWS_, MR)(X)

typedef void (*tile_function)(int64_t last, int64_t kc, const plx_real *a, int64_t rsa, int64_t csa,
                              const plx_real *b, int64_t ldb, plx_real *c, int64_t ldc,
                              bool accumulate);

#define DEFINE_TILE(rows, vectors)                                                                 \
    static void tile_##rows##_##vectors(int64_t last, int64_t kc, const plx_real *a, int64_t rsa,  \
                                        int64_t csa, const plx_real *b, int64_t ldb, plx_real *c,  \
                                        int64_t ldc, bool accumulate) {                            \
        tile(rows, vectors, last, kc, a, rsa, csa, b, ldb, c, ldc, accumulate);                    \
    }
#define DEFINE_ROWS(rows) VECTORS(DEFINE_TILE, rows)
ROWS(DEFINE_ROWS)

#define NAME_TILE(rows, vectors) tile_##rows##_##vectors,
#define NAME_ROWS(rows) {VECTORS(NAME_TILE, rows)},
static const tile_function tiles[MR][NV] = {ROWS(NAME_ROWS)};

/* Few rows are bound by reading b, or by the latency of their few sums: two panels at once have
 * twice as many. `panel`: elements from the first to the second. */
INLINE void tile_pair(int rows, int64_t kc, const plx_real *a, int64_t rsa, int64_t csa,
                      const plx_real *b, int64_t panel, plx_real *c, int64_t ldc, bool accumulate) {
    vf sum[GEMM_PAIR_ROWS][2 * NV];
    UNROLL
    for (int i = 0; i < rows; ++i) {
        UNROLL
        for (int j = 0; j < 2 * NV; ++j) sum[i][j] = v_splat(0);
    }
    for (int64_t p = 0; p < kc; ++p, a += csa, b += NV * VL) {
        UNROLL
        for (int j = 0; j < 2 * NV; ++j) {
            const plx_real *from = b + j / NV * panel + j % NV * VL;
            const vf row = v_load(from);
            if (rows > FEW_ROWS_OF_PAIR) __builtin_prefetch(from + ROWS_AHEAD_IN_PAIR * NV * VL);
            UNROLL
            for (int i = 0; i < rows; ++i)
                sum[i][j] = v_fma(v_broadcast(a + i * rsa), row, sum[i][j]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        UNROLL
        for (int j = 0; j < 2 * NV; ++j) {
            plx_real *to = c + i * ldc + j * VL;
            v_store(to, accumulate ? v_load(to) + sum[i][j] : sum[i][j]);
        }
    }
}

static void pair_of_chain(int rows, int64_t kc, const plx_real *a, int64_t rsa, int64_t csa,
                          const plx_real *b, int64_t panel, plx_real *c, int64_t ldc,
                          bool accumulate) {
#define PAIR_OF(count)                                                                             \
    case count: tile_pair(count, kc, a, rsa, csa, b, panel, c, ldc, accumulate); break;
    switch (rows) {
    default: __builtin_unreachable(); PLX_JOIN(ROWS_, GEMM_PAIR_ROWS)(PAIR_OF)
    }
}

/* The error of a chain of products in a register grows with its length, so long chains are split
 * and their parts added to c. */
static void k_gemm(int64_t kc, const plx_real *a, int64_t rsa, int64_t csa, const plx_real *b,
                   int64_t ldb, plx_real *c, int64_t ldc, int mr, int nr, bool accumulate) {
    const int vectors = (nr + VL - 1) / VL;
    const int last = nr - (vectors - 1) * VL;
    const tile_function run = tiles[mr - 1][vectors - 1];
    for (; kc > GEMM_CHAIN; kc -= GEMM_CHAIN) {
        run(last, GEMM_CHAIN, a, rsa, csa, b, ldb, c, ldc, accumulate);
        accumulate = true;
        a += GEMM_CHAIN * csa;
        b += GEMM_CHAIN * ldb;
    }
    run(last, kc, a, rsa, csa, b, ldb, c, ldc, accumulate);
}

static void k_gemm_pair(int64_t kc, const plx_real *a, int64_t rsa, int64_t csa, const plx_real *b,
                        int64_t panel, plx_real *c, int64_t ldc, int mr, bool accumulate) {
    for (; kc > GEMM_CHAIN; kc -= GEMM_CHAIN) {
        pair_of_chain(mr, GEMM_CHAIN, a, rsa, csa, b, panel, c, ldc, accumulate);
        accumulate = true;
        a += GEMM_CHAIN * csa;
        b += GEMM_CHAIN * NV * VL;
    }
    pair_of_chain(mr, kc, a, rsa, csa, b, panel, c, ldc, accumulate);
}
