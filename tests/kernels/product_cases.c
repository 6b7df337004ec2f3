/* Products and the transposition. Where the contract fixes the order of a sum, the reference
 * adds in that order and must have the same bits; the wider reference bounds both. */
#include "kernels/kernel_case.h"

/* a b + s, rounded as by the target. */
static plx_real multiply_add(const plx_kernels *k, plx_real a, plx_real b, plx_real s) {
    return k->fma ? fma(a, b, s) : a * b + s;
}

typedef struct vector {
    const plx_real *data;
    int64_t stride;
} vector;

/* before + sum_p a[p] b[p], or the sum alone if before is NULL, in the order that kernels.h
 * gives for fewer than PLX_GEMM_DEEP products. at_once: before is added to the whole sum, not to
 * its first chain. */
static void check_ordered(plx_case *c, int64_t i, plx_real y, int64_t k, vector a, vector b,
                          const plx_real *before, bool at_once) {
    plx_real s = 0, total = before && !at_once ? *before : 0;
    plx_wide value = 0, magnitude = 0;
    for (int64_t p = 0; p < k; ++p) {
        const plx_real x = a.data[p * a.stride], z = b.data[p * b.stride];
        s = multiply_add(c->k, x, z, s);
        value += (plx_wide)x * (plx_wide)z;
        magnitude += fabs((plx_wide)x * (plx_wide)z);
        if ((p + 1) % PLX_GEMM_CHAIN != 0 && p + 1 < k) continue;
        total = p < PLX_GEMM_CHAIN && (!before || at_once) ? s : total + s;
        s = 0;
    }
    plx_case_equal(c, i, y, before && at_once ? *before + total : total);
    if (c->values != PLX_VALUES_NORMAL && c->values != PLX_VALUES_WHOLE) return;
    if (before) value += (plx_wide)*before;
    plx_case_near(c, i, y, value,
                  plx_sum_roundings(k) * PLX_EPS * magnitude + PLX_EPS * fabs(value));
}

/* ---- gemm ------------------------------------------------------------------------------------ */

/* Right operands have whole vectors in each row: what follows the columns is NaN. */
static plx_real *right_operand(plx_case *c, int64_t rows, int64_t columns, int64_t *ld) {
    const int64_t whole = (columns + c->k->vl - 1) / c->k->vl * c->k->vl;
    *ld = whole + 3;
    plx_real *b = plx_case_blank_matrix(c, rows, whole, *ld);
    for (int64_t i = 0; i < rows; ++i) plx_case_fill(c, columns, b + i * *ld, -2, 2);
    return b;
}

static void check_tile(plx_case *c, int rows, int columns, bool by_rows, bool accumulate) {
    const int64_t kc = c->n;
    const int64_t rsa = by_rows ? kc + 3 : 1, csa = by_rows ? 1 : rows + 2;
    const int64_t ldc = columns + 5;
    int64_t ldb;
    plx_case_again(c, accumulate ? "accumulating" : "");
    const plx_real *a =
        by_rows ? plx_case_matrix(c, rows, kc, rsa) : plx_case_matrix(c, kc, rows, csa);
    const plx_real *b = right_operand(c, kc, columns, &ldb);
    plx_real *y = plx_case_blank_matrix(c, rows, columns, ldc);
    const plx_real *before = plx_case_matrix(c, rows, columns, ldc);
    for (int64_t i = 0; accumulate && i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) y[i * ldc + j] = before[i * ldc + j];
    c->k->gemm(kc, a, rsa, csa, b, ldb, y, ldc, rows, columns, accumulate);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            check_ordered(c, i * ldc + j, y[i * ldc + j], kc, (vector){a + i * rsa, csa},
                          (vector){b + j, ldb}, accumulate ? before + i * ldc + j : NULL, false);
    plx_case_gaps(c, rows, columns, ldc, y);
}

static void check_tiles(plx_case *c, int rows, int columns) {
    if (rows < 1 || columns < 1 || rows > c->k->mr || columns > c->k->nr) return;
    check_tile(c, rows, columns, true, false);
    check_tile(c, rows, columns, false, false);
    check_tile(c, rows, columns, true, true);
    check_tile(c, rows, columns, false, true);
}

void plx_case_of_gemm(plx_case *c) {
    /* Tile sizes that all exact targets have. */
    for (int columns = 1; columns <= 8; ++columns) check_tiles(c, 1 + columns % 2, columns);
    const int mr = c->k->mr, nr = c->k->nr, vl = c->k->vl;
    const int rows[] = {1, 3, mr - 1, mr}, columns[] = {1, vl - 1, vl + 1, nr - vl, nr - 1, nr};
    c->tile_dependent = true;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 6; ++j)
            if (c->n < 1000 || (i == 3 && j > 3)) check_tiles(c, rows[i], columns[j]);
    c->tile_dependent = false;
}

static void check_pair(plx_case *c, int rows, bool by_rows, bool accumulate) {
    const int64_t kc = c->n, nr = c->k->nr, columns = 2 * nr, panel = (kc + 1) * nr;
    const int64_t rsa = by_rows ? kc + 3 : 1, csa = by_rows ? 1 : rows + 2, ldc = columns + 5;
    plx_case_again(c, accumulate ? "accumulating" : "");
    const plx_real *a =
        by_rows ? plx_case_matrix(c, rows, kc, rsa) : plx_case_matrix(c, kc, rows, csa);
    const plx_real *b = plx_case_matrix(c, 2 * kc + 1, nr, nr);
    plx_real *y = plx_case_blank_matrix(c, rows, columns, ldc);
    const plx_real *before = plx_case_matrix(c, rows, columns, ldc);
    for (int64_t i = 0; accumulate && i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j) y[i * ldc + j] = before[i * ldc + j];
    c->k->gemm_pair(kc, a, rsa, csa, b, panel, y, ldc, rows, accumulate);
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
            check_ordered(c, i * ldc + j, y[i * ldc + j], kc, (vector){a + i * rsa, csa},
                          (vector){b + j / nr * panel + j % nr, nr},
                          accumulate ? before + i * ldc + j : NULL, false);
    plx_case_gaps(c, rows, columns, ldc, y);
}

void plx_case_of_gemm_pair(plx_case *c) {
    c->tile_dependent = true;
    for (int rows = 1; rows <= c->k->pair_rows; ++rows)
        for (int way = 0; way < 4; ++way) check_pair(c, rows, way & 1, way & 2);
    c->tile_dependent = false;
}

/* ---- Vector times matrix --------------------------------------------------------------------- */

static void check_gemv(plx_case *c, int64_t k, int64_t n, int64_t incx, bool accumulate) {
    const int64_t ldb = n + 3;
    plx_case_again(c, accumulate ? "accumulating" : "");
    const plx_real *x = plx_case_matrix(c, k, 1, incx), *b = plx_case_matrix(c, k, n, ldb);
    const plx_real *before = plx_case_filled(c, n, -2, 2);
    plx_real *y = accumulate ? plx_case_copy(c, n, before) : plx_case_blank(c, n);
    c->k->gemv(k, n, x, incx, b, ldb, y, accumulate);
    for (int64_t j = 0; j < n; ++j)
        check_ordered(c, j, y[j], k, (vector){x, incx}, (vector){b + j, ldb},
                      accumulate ? before + j : NULL, true);
}

void plx_case_of_gemv(plx_case *c) {
    static const int64_t others[] = {0, 1, 7, 9, 21, 64};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        check_gemv(c, c->n, others[i], i % 2 ? 1 : 3, false);
        check_gemv(c, others[i], c->n, i % 2 ? 3 : 1, false);
        check_gemv(c, c->n, others[i], 1, true);
        check_gemv(c, others[i], c->n, 1, true);
    }
}

/* The contract leaves this order open; exact for whole numbers. */
static void check_gemv_t(plx_case *c, int64_t k, int64_t n, bool accumulate) {
    const int64_t ldb = k + 3;
    plx_case_again(c, accumulate ? "accumulating" : "");
    const plx_real *x = plx_case_filled(c, k, -2, 2), *b = plx_case_matrix(c, n, k, ldb);
    const plx_real *before = plx_case_filled(c, n, -2, 2);
    plx_real *y = accumulate ? plx_case_copy(c, n, before) : plx_case_blank(c, n);
    c->k->gemv_t(k, n, x, b, ldb, y, accumulate);
    for (int64_t j = 0; j < n; ++j) {
        plx_wide value = accumulate ? (plx_wide)before[j] : 0, magnitude = fabs(value);
        for (int64_t p = 0; p < k; ++p) {
            const plx_wide term = (plx_wide)x[p] * (plx_wide)b[j * ldb + p];
            value += term;
            magnitude += fabs(term);
        }
        const plx_wide bound =
            (plx_sum_roundings(k) + 1) * PLX_EPS * magnitude + (plx_wide)(k + 1) * PLX_TINY;
        if (isfinite(magnitude) && magnitude > PLX_LARGEST)
            plx_case_any(c, y[j]);
        else
            plx_case_near(c, j, y[j], value, c->values == PLX_VALUES_WHOLE ? 0 : bound);
    }
}

void plx_case_of_gemv_t(plx_case *c) {
    static const int64_t others[] = {0, 1, 3, 4, 9, 37};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i)
        for (int accumulate = 0; accumulate <= 1; ++accumulate) {
            check_gemv_t(c, c->n, others[i], accumulate);
            check_gemv_t(c, others[i], c->n, accumulate);
        }
}

static void check_transpose(plx_case *c, int64_t m, int64_t n, int64_t ldx, int64_t ldy) {
    plx_case_again(c, "");
    const plx_real *x = plx_case_matrix(c, m, n, ldx);
    plx_real *y = plx_case_blank_matrix(c, n, m, ldy);
    c->k->transpose(m, n, x, ldx, y, ldy);
    for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < m; ++i)
            plx_case_equal(c, j * ldy + i, y[j * ldy + i], x[i * ldx + j]);
    plx_case_gaps(c, n, m, ldy, y);
}

void plx_case_of_transpose(plx_case *c) {
    static const int64_t others[] = {0, 1, 3, 4, 5, 8, 9, 16, 17, 35};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        check_transpose(c, c->n, others[i], others[i] + 3, c->n + 5);
        check_transpose(c, others[i], c->n, c->n + 3, others[i] + 5);
    }
    /* Rows a multiple of 4 KiB apart are transposed through a buffer. */
    if (c->n == 1000 && c->values == PLX_VALUES_NORMAL) {
        check_transpose(c, 33, 35, 38, 1024);
        check_transpose(c, 33, 35, 1024, 38);
    }
}

/* one and zero keep the compiler from knowing the result, which is the number of chains. */
void plx_case_of_peak(plx_case *c) {
    plx_case_again(c, "");
    /* Products of ones: with FMA each is added to 0 and kept; without, each of nine chains sums
     * them. */
    const double sum = c->k->fma ? 12 : 9.0 * (double)c->n;
    plx_case_equal(c, 0, c->k->peak(c->n, 1, 0), (plx_real)sum);
}
