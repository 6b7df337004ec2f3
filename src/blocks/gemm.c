/* Matrix products in cache blocks (Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication", TOMS 2008): for each KC rows of B, panels of NR columns are packed once and
 * shared; each thread packs its own MC x KC block of A. Packing is skipped where the operand can be
 * read in place, and B may come packed: its panels then hold all k rows, one panel after the other.
 *
 * The order of every sum is fixed (kernels.h); KC is a multiple of the chain length. A product
 * deeper than PLX_GEMM_DEEP is summed in parts of that depth, separately from C, and each part is
 * added to C with its rounding error. Threads share tiles of C, never a sum. */
#include "blocks/gemm.h"

#include "base/platform.h"
#include "base/sizes.h"
#include "kernels/kernels.h"

#include <assert.h>
#include <string.h>

typedef struct gemm_loop {
    const plx_kernels *k;
    const plx_ctx *ctx;
    const plx__gemm_args *args;
    int64_t mr, mc, kc; /* rows of a tile, and block sizes, for this product */
    int64_t panels;
    bool by_columns; /* threads share panels; false: row blocks times groups of panels */
    int64_t row_blocks, groups, panels_per_group;
    int64_t p0, depth; /* current KC block */
    bool pack_a, pack_b, first, last;
    bool in_turn;       /* panels are packed one at a time, in the same place */
    int64_t slots;      /* panels of b_packed */
    plx_real *b_packed; /* panels of nr columns, depth rows each; or only the last panel */
    plx_real *a_packed; /* per worker */
    int64_t a_stride;   /* elements between workers' blocks */
    plx_real *c;        /* C, or the separate sums */
    int64_t ldc;
    plx_real *sums, *errors; /* m x n each, of a deep product; else NULL */
} gemm_loop;

enum { CACHE_LINE_VALUES = 16, PAGE_VALUES = 1024 };

/* Whether rows of B map to the same cache sets. */
static bool rows_conflict(const plx__gemm_args *args) {
    return args->ldb % (PAGE_VALUES / 2) == 0;
}

/* Reading B in place saves a pass over it, but is worse when its rows map to the same cache sets or
 * when many row tiles share a packed panel. */
static bool wants_packed_b(const plx_kernels *k, const plx__gemm_args *args) {
    if (args->packed_b) return false;
    if (args->tb) return true;
    const int64_t passes = (args->m + k->mr - 1) / k->mr;
    return passes > (rows_conflict(args) ? 12 : 16);
}

/* A is broadcast one element at a time, so rows or columns may be far apart; packing pays off when
 * many panels use a block, and sooner where the rows of a tile map to one cache set. */
static bool wants_packed_a(const plx_kernels *k, const plx__gemm_args *args) {
    if (args->alpha != 1) return true;
    if (args->packed_b) return args->n > (args->lda % (PAGE_VALUES / 4) ? 8 : 2) * (int64_t)k->nr;
    if (args->ta) return args->n > 8 * k->nr;
    const bool conflicts = args->lda % PAGE_VALUES == 0;
    return k->mr > 6 && args->n > (conflicts ? 2 : 16) * k->nr;
}

/* Few rows are shared out among tiles of like height: a tile of one or two rows waits for its sums.
 */
static int64_t tile_rows(const plx_kernels *k, int64_t rows) {
    const int64_t tiles = (rows + k->mr - 1) / k->mr;
    return rows < k->mc && tiles ? (rows + tiles - 1) / tiles : k->mr;
}

/* A B that stays packed is read from beyond the caches, panel by panel from end to end, as hardware
 * prefetches best; A is then as deep, and has fewer rows in a block where it is deeper than usual.
 */
static void use_whole_depth(gemm_loop *loop) {
    enum { BLOCK_VALUES = 1 << 17 };
    loop->kc = plx__least(loop->args->k, PLX_GEMM_DEEP);
    const int64_t rows = BLOCK_VALUES / loop->kc / loop->mr * loop->mr;
    loop->mc = plx__least(loop->mc, plx__most(rows, 4 * loop->mr));
}

/* The tiles of a panel find its rows in the L2 cache again only if those that map to the same sets
 * are few. Measured with 2 MiB; smaller caches keep the usual depth. */
static int64_t block_depth(const gemm_loop *loop) {
    enum { LARGE_L2 = 1 << 21 };
    const plx__gemm_args *args = loop->args;
    const bool shallow = !args->packed_b && !loop->pack_b && rows_conflict(args);
    const bool known = loop->ctx->l2_bytes >= LARGE_L2;
    return plx__least(shallow && known ? PLX_GEMM_CHAIN : loop->k->kc, args->k);
}

/* With shares of columns, no core needs another's packed B or reads a column twice, but every
 * thread reads all of A, which others wrote in part. Where all cores have a small B in their caches
 * and nobody packs it, threads rather share rows, from step to step the same ones. */
static bool wants_columns(const gemm_loop *loop, int threads) {
    enum { SMALL_VALUES = 1 << 15 };
    const plx__gemm_args *args = loop->args;
    const bool small = !loop->pack_b && args->n * args->k <= SMALL_VALUES;
    const bool wide = small ? 4 * args->m <= args->n : args->m <= 2 * args->n;
    return threads <= 1 || (wide && loop->panels >= threads);
}

/* Enough pieces for all threads: first smaller row blocks, then groups of panels. Where A is not
 * packed, blocks may be small, and their rows are finished as a whole. */
static void share_rows(gemm_loop *loop, int threads) {
    const plx__gemm_args *args = loop->args;
    assert(args->m > 0);
    const int64_t pieces = 4 * threads, wanted = loop->pack_a ? threads : pieces;
    const int64_t fair = plx__round_up((args->m + wanted - 1) / wanted, loop->mr);
    const int64_t floor = loop->pack_a ? 4 * loop->mr : 0;
    loop->mc = plx__least(loop->mc, plx__most(fair, floor));
    assert(loop->mc > 0);
    loop->row_blocks = (args->m + loop->mc - 1) / loop->mc;
    const bool whole = !loop->pack_a && loop->row_blocks >= 2 * threads;
    const int64_t groups = whole ? 1 : (pieces + loop->row_blocks - 1) / loop->row_blocks;
    loop->groups = plx__least(loop->panels, groups);
    loop->panels_per_group = (loop->panels + loop->groups - 1) / loop->groups;
    loop->groups = (loop->panels + loop->panels_per_group - 1) / loop->panels_per_group;
}

/* If A stays in half of the L2 cache, each panel is packed just before its only use, in place of
 * the one before it, and never leaves the caches. */
static void pack_in_turn(gemm_loop *loop, int threads) {
    const int64_t m = loop->args->m, half = loop->ctx->l2_bytes / 2 / (int64_t)sizeof(plx_real);
    if (m > loop->mc && m * loop->kc > half) return;
    loop->mc = plx__round_up(m, loop->mr);
    loop->in_turn = true;
    loop->slots = threads;
}

/* A column would fill one lane of each vector: it is computed as a row, c^T = op(b)^T op(a)^T,
 * whose sums have the same order. */
static plx__gemm_args turned(const plx__gemm_args *args) {
    enum { WORTH_TURNING = 8 };
    plx__gemm_args t = *args;
    if (args->n != 1 || args->m < WORTH_TURNING || args->ldc != 1) return t;
    if (args->alpha != 1 || args->beta != 0) return t;
    t.m = 1;
    t.n = t.ldc = args->m;
    t.a = args->b;
    t.b = args->a;
    t.packed_b = NULL;
    t.ta = !args->tb && args->ldb > 1;
    t.tb = !args->ta;
    t.lda = t.ta || args->tb ? args->ldb : args->k;
    t.ldb = args->lda;
    t.one_bias = true;
    return t;
}

static gemm_loop make_loop(const plx_ctx *ctx, const plx__gemm_args *args, int threads) {
    const plx_kernels *k = ctx->kernels;
    gemm_loop loop = {.k = k, .ctx = ctx, .args = args};
    loop.mr = tile_rows(k, args->m);
    loop.mc = plx__least(k->mc, plx__round_up(args->m, loop.mr));
    loop.pack_a = wants_packed_a(k, args);
    loop.pack_b = wants_packed_b(k, args);
    loop.kc = block_depth(&loop);
    if (args->packed_b) use_whole_depth(&loop);
    loop.panels = (args->n + k->nr - 1) / k->nr;
    loop.by_columns = wants_columns(&loop, threads);
    loop.slots = args->packed_b ? 0 : loop.pack_b ? loop.panels : 1;
    if (loop.by_columns && loop.pack_b) pack_in_turn(&loop, threads);
    if (!loop.by_columns) share_rows(&loop, threads);
    loop.a_stride = loop.pack_a ? plx__round_up(loop.mc * loop.kc, CACHE_LINE_VALUES) : 0;
    return loop;
}

static int64_t b_packed_values(const gemm_loop *loop) {
    return plx__round_up(loop->slots * loop->k->nr * loop->kc, CACHE_LINE_VALUES);
}

static bool is_deep(const plx__gemm_args *args) {
    return args->k > PLX_GEMM_DEEP;
}

/* Of a column that is computed as a row, B is read once too, but summed in the order of products.
 */
static bool is_row_product(const plx__gemm_args *args) {
    return args->m == 1 && !args->packed_b && args->alpha == 1 && !(args->ta && args->tb) &&
           !(args->one_bias && args->tb);
}

size_t plx__gemm_workspace(const plx_ctx *ctx, const plx__gemm_args *given, int threads) {
    const plx__gemm_args own = turned(given), *args = &own;
    if (!args->m || !args->n || !args->k || is_row_product(args)) return 0;
    const gemm_loop loop = make_loop(ctx, args, threads);
    const int64_t beside = is_deep(args) ? 2 * args->m * args->n : 0;
    return (size_t)(b_packed_values(&loop) + threads * loop.a_stride + beside) * sizeof(plx_real);
}

bool plx__gemm_reads_all(const plx_ctx *ctx, const plx__gemm_args *given, int threads) {
    const plx__gemm_args own = turned(given);
    if (!own.m || !own.n || !own.k) return false;
    return !own.one_bias && (own.m == 1 || make_loop(ctx, &own, threads).by_columns);
}

/* ---- Packing --------------------------------------------------------------------------------- */

void plx__clear_panel(const plx_kernels *k, int64_t rows, int64_t columns, plx_real *panel) {
    if (columns % k->vl) memset(panel, 0, (size_t)(rows * k->nr) * sizeof *panel);
}

/* Packs one panel of the current KC block: depth rows of nr columns. */
static void pack_panel(const gemm_loop *loop, int64_t panel, plx_real *to) {
    const plx__gemm_args *args = loop->args;
    const int64_t nr = loop->k->nr, j0 = panel * nr, columns = plx__least(nr, args->n - j0);
    assert(to);
    plx__clear_panel(loop->k, loop->depth, columns, to);
    if (args->tb) {
        loop->k->transpose(columns, loop->depth, args->b + j0 * args->ldb + loop->p0, args->ldb, to,
                           nr);
        return;
    }
    const plx_real *from = args->b + loop->p0 * args->ldb + j0;
    for (int64_t p = 0; p < loop->depth; ++p)
        memcpy(to + p * nr, from + p * args->ldb, (size_t)columns * sizeof *to);
}

static plx_real *packed_panel(const gemm_loop *loop, int64_t panel) {
    return loop->b_packed + (loop->in_turn ? 0 : panel) * loop->k->nr * loop->kc;
}

static void pack_panels(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const gemm_loop *loop = arg;
    for (int64_t panel = begin; panel < end; ++panel)
        pack_panel(loop, panel, packed_panel(loop, panel));
}

/* Packs rows i0..i0+rows of the current KC block into tiles of mr rows: element (i, p) of a tile is
 * to[p * mr + i]. */
static void pack_rows(const gemm_loop *loop, int64_t i0, int64_t rows, plx_real *to) {
    const plx__gemm_args *args = loop->args;
    const int64_t mr = loop->mr, depth = loop->depth, p0 = loop->p0;
    for (int64_t i = 0; i < rows; i += mr, to += mr * depth) {
        const int64_t count = plx__least(mr, rows - i);
        if (args->ta)
            for (int64_t p = 0; p < depth; ++p)
                memcpy(to + p * mr, args->a + (p0 + p) * args->lda + i0 + i,
                       (size_t)count * sizeof *to);
        else
            loop->k->transpose(count, depth, args->a + (i0 + i) * args->lda + p0, args->lda, to,
                               mr);
        if (args->alpha != 1) loop->k->scale(mr * (depth - 1) + count, args->alpha, to, to);
    }
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

typedef struct operand {
    const plx_real *data;
    int64_t row, column; /* strides */
} operand;

static operand tile_of_a(const gemm_loop *loop, const plx_real *packed, int64_t i0, int64_t i) {
    const plx__gemm_args *args = loop->args;
    if (loop->pack_a) return (operand){packed + i * loop->depth, 1, loop->mr};
    if (args->ta) return (operand){args->a + loop->p0 * args->lda + i0 + i, 1, args->lda};
    return (operand){args->a + (i0 + i) * args->lda + loop->p0, args->lda, 1};
}

/* Whether this is the last panel and whole vectors would read past the rows of B. */
static bool is_partial(const gemm_loop *loop, int64_t panel) {
    const plx__gemm_args *args = loop->args;
    return !args->packed_b && (panel + 1) * loop->k->nr > args->n && args->n % loop->k->vl;
}

static operand panel_of_b(const gemm_loop *loop, int64_t panel) {
    const plx__gemm_args *args = loop->args;
    const int64_t nr = loop->k->nr;
    if (args->packed_b) return (operand){args->packed_b + (panel * args->k + loop->p0) * nr, nr, 1};
    if (loop->pack_b) return (operand){packed_panel(loop, panel), nr, 1};
    if (is_partial(loop, panel)) return (operand){loop->b_packed, nr, 1};
    return (operand){args->b + loop->p0 * args->ldb + panel * nr, args->ldb, 1};
}

static void add_bias(const plx_kernels *k, const plx__gemm_args *args, int64_t n, int64_t j0,
                     plx_real *c) {
    if (!args->bias) return;
    const int step = !args->one_bias;
    k->add(n, c, 1, args->bias + j0 * step, step, c);
}

/* Rows that lie side by side are activated together, as many as stay in the first-level cache. */
static void finish_rows(const gemm_loop *loop, int64_t i0, int64_t rows, int64_t j0,
                        int64_t columns) {
    enum { TOGETHER = 4096 };
    const plx__gemm_args *args = loop->args;
    if (!args->bias && args->act == PLX_LINEAR) return;
    const int64_t most = columns == args->ldc ? plx__most(1, TOGETHER / columns) : 1;
    for (int64_t end = i0 + rows; i0 < end; i0 += most) {
        const int64_t some = plx__least(most, end - i0);
        plx_real *c = args->c + i0 * args->ldc + j0;
        for (int64_t i = 0; i < some; ++i) add_bias(loop->k, args, columns, j0, c + i * args->ldc);
        plx__activate(loop->ctx, args->act, args->act_param, some * columns, c, c);
    }
}

/* Adds the completed separate sums to C, and at the end the errors too. */
static void add_to_c(const gemm_loop *loop, int64_t i0, int64_t rows, int64_t j0, int64_t columns) {
    const plx__gemm_args *args = loop->args;
    const bool whole = loop->last || (loop->p0 + loop->depth) % PLX_GEMM_DEEP == 0;
    if (!loop->sums || !whole) return;
    for (int64_t i = i0; i < i0 + rows; ++i) {
        plx_real *c = args->c + i * args->ldc + j0, *error = loop->errors + i * args->n + j0;
        const plx_real *sum = loop->sums + i * args->n + j0;
        if (loop->p0 + loop->depth <= PLX_GEMM_DEEP) {
            memset(error, 0, (size_t)columns * sizeof *error);
            if (args->beta == 0) memset(c, 0, (size_t)columns * sizeof *c);
        }
        loop->k->two_sum(columns, sum, c, error);
        if (loop->last) loop->k->add(columns, c, 1, error, 1, c);
    }
}

/* Computes few rows of as many pairs of whole panels as there are; returns the panel after them. */
static int64_t run_pairs(const gemm_loop *loop, const plx_real *packed, int64_t i0, int64_t rows,
                         int64_t panel0, int64_t panel1) {
    const int64_t nr = loop->k->nr;
    const operand a = tile_of_a(loop, packed, i0, 0);
    int64_t panel = panel0;
    for (; panel + 2 <= panel1 && (panel + 2) * nr <= loop->args->n; panel += 2)
        loop->k->gemm_pair(loop->depth, a.data, a.row, a.column, panel_of_b(loop, panel).data,
                           loop->args->k * nr, loop->c + i0 * loop->ldc + panel * nr, loop->ldc,
                           (int)rows, !loop->first);
    return panel;
}

/* Computes rows i0..i0+rows of panels panel0..panel1; packed holds the rows if A is packed. */
static void run_tiles(const gemm_loop *loop, const plx_real *packed, int64_t i0, int64_t rows,
                      int64_t panel0, int64_t panel1) {
    const plx__gemm_args *args = loop->args;
    const int64_t mr = loop->mr, nr = loop->k->nr;
    int64_t panel = panel0;
    if (args->packed_b && rows <= loop->k->pair_rows)
        panel = run_pairs(loop, packed, i0, rows, panel0, panel1);
    for (; panel < panel1; ++panel) {
        if (loop->in_turn) pack_panel(loop, panel, loop->b_packed);
        const operand b = panel_of_b(loop, panel);
        const int64_t j0 = panel * nr;
        const int columns = (int)plx__least(nr, args->n - j0);
        for (int64_t i = 0; i < rows; i += mr) {
            const operand a = tile_of_a(loop, packed, i0, i);
            loop->k->gemm(loop->depth, a.data, a.row, a.column, b.data, b.row,
                          loop->c + (i0 + i) * loop->ldc + j0, loop->ldc,
                          (int)plx__least(mr, rows - i), columns, !loop->first);
        }
    }
    const int64_t j0 = panel0 * nr, columns = plx__least(panel1 * nr, args->n) - j0;
    if (columns <= 0) return;
    add_to_c(loop, i0, rows, j0, columns);
    if (loop->last) finish_rows(loop, i0, rows, j0, columns);
}

/* A unit is one row block times one group of panels; a piece holds consecutive units of one row
 * block, so its packed rows are reused. */
static void run_units(void *arg, int64_t begin, int64_t end, int worker) {
    const gemm_loop *loop = arg;
    plx_real *packed = loop->a_packed + worker * loop->a_stride;
    int64_t packed_block = -1;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t block = unit / loop->groups, group = unit % loop->groups;
        const int64_t i0 = block * loop->mc, rows = plx__least(loop->mc, loop->args->m - i0);
        if (loop->pack_a && block != packed_block) pack_rows(loop, i0, rows, packed);
        packed_block = block;
        const int64_t panel0 = group * loop->panels_per_group;
        run_tiles(loop, packed, i0, rows, panel0,
                  plx__least(loop->panels, panel0 + loop->panels_per_group));
    }
}

/* Begins the KC block from p0 on. */
static void enter_block(gemm_loop *loop, int64_t p0) {
    const plx__gemm_args *args = loop->args;
    loop->p0 = p0;
    loop->depth = plx__least(loop->kc, args->k - p0);
    loop->first = loop->sums ? p0 % PLX_GEMM_DEEP == 0 : p0 == 0 && args->beta == 0;
    loop->last = p0 + loop->depth == args->k;
}

/* Computes the whole product for panels begin..end. */
static void run_columns(void *arg, int64_t begin, int64_t end, int worker) {
    gemm_loop loop = *(const gemm_loop *)arg;
    const plx__gemm_args *args = loop.args;
    plx_real *packed = loop.a_packed + worker * loop.a_stride;
    if (loop.in_turn) loop.b_packed += worker * loop.k->nr * loop.kc;
    for (int64_t p0 = 0; p0 < args->k; p0 += loop.kc) {
        enter_block(&loop, p0);
        if (loop.pack_b && !loop.in_turn)
            pack_panels(&loop, begin, end, worker);
        else if (!loop.pack_b && is_partial(&loop, end - 1))
            pack_panel(&loop, end - 1, loop.b_packed);
        for (int64_t i0 = 0; i0 < args->m; i0 += loop.mc) {
            const int64_t rows = plx__least(loop.mc, args->m - i0);
            if (loop.pack_a) pack_rows(&loop, i0, rows, packed);
            run_tiles(&loop, packed, i0, rows, begin, end);
        }
    }
}

static void scale_c(const plx_ctx *ctx, const plx__gemm_args *args) {
    for (int64_t i = 0; i < args->m; ++i) {
        plx_real *c = args->c + i * args->ldc;
        if (args->beta == 0)
            memset(c, 0, (size_t)args->n * sizeof *c);
        else
            ctx->kernels->scale(args->n, args->beta, c, c);
    }
}

static void run_blocks(plx_ctx *ctx, gemm_loop *loop, int threads) {
    const int64_t panels = loop->panels;
    if (loop->by_columns) {
        plx__parallel_for(ctx->pool, threads, panels, (panels + threads - 1) / threads, run_columns,
                          loop);
        return;
    }
    for (int64_t p0 = 0; p0 < loop->args->k; p0 += loop->kc) {
        enter_block(loop, p0);
        if (loop->pack_b)
            plx__parallel_for(ctx->pool, threads, panels, 1, pack_panels, loop);
        else if (is_partial(loop, panels - 1))
            pack_panel(loop, panels - 1, loop->b_packed);
        plx__parallel_for(ctx->pool, threads, loop->row_blocks * loop->groups, 1, run_units, loop);
    }
}

/* ---- One row: bound by reading B once -------------------------------------------------------- */

typedef struct row_loop {
    const plx_ctx *ctx;
    const plx__gemm_args *args;
} row_loop;

static void run_row_piece(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const row_loop *loop = arg;
    const plx__gemm_args *args = loop->args;
    const plx_kernels *k = loop->ctx->kernels;
    const int64_t step = args->ta ? args->lda : 1, n = end - begin;
    plx_real *c = args->c + begin;
    const bool add = args->beta != 0;
    if (args->tb)
        k->gemv_t(args->k, n, args->a, args->b + begin * args->ldb, args->ldb, c, add);
    else
        k->gemv(args->k, n, args->a, step, args->b + begin, args->ldb, c, add);
    add_bias(k, args, n, begin, c);
    plx__activate(loop->ctx, args->act, args->act_param, n, c, c);
}

/* ---- A right operand that stays packed ------------------------------------------------------- */

/* One column has nothing to pack. One row by a transposed B is dot products, whose sums have
 * another order. */
bool plx__gemm_keeps_packed(const plx_ctx *ctx, const plx__gemm_args *args) {
    return !ctx->provider && args->m && args->n > 1 && args->k && !(args->m == 1 && args->tb);
}

int64_t plx__gemm_packed_values(const plx_ctx *ctx, const plx__gemm_args *args) {
    return plx__round_up(args->n, ctx->kernels->nr) * args->k;
}

void plx__gemm_pack(plx_ctx *ctx, const plx__gemm_args *args, int threads, plx_real *to) {
    gemm_loop loop = {.k = ctx->kernels, .ctx = ctx, .args = args, .b_packed = to};
    loop.kc = loop.depth = args->k;
    loop.panels = (args->n + loop.k->nr - 1) / loop.k->nr;
    plx__parallel_for(ctx->pool, threads, loop.panels, 1, pack_panels, &loop);
}

/* ---- Entry points ---------------------------------------------------------------------------- */

/* Runs the product through the provider; false where there is none, or it does not take the sizes.
 */
static bool run_provider(plx_ctx *ctx, const plx__gemm_args *args, int threads) {
    const plx_gemm_provider *p = ctx->provider;
    if (!p) return false;
    p->set_threads(p->self, threads);
    return p->gemm(p->self, args->ta, args->tb, args->m, args->n, args->k, args->alpha, args->a,
                   args->lda, args->b, args->ldb, args->beta, args->c, args->ldc);
}

/* Returns how the product was computed; NULL if it is empty. */
static const char *run_product(plx_ctx *ctx, const plx__gemm_args *given, int threads,
                               void *workspace) {
    const plx__gemm_args own = turned(given), *args = &own;
    if (args->m == 0 || args->n == 0) return NULL;
    const char *method = NULL;
    gemm_loop loop = make_loop(ctx, args, threads);
    loop.c = args->c;
    loop.ldc = args->ldc;
    if (args->k == 0) {
        scale_c(ctx, args);
    } else if (run_provider(ctx, args, threads)) {
        method = ctx->provider->name; /* done, but for bias and activation */
    } else if (is_row_product(args)) {
        if (args->beta != 0 && args->beta != 1) scale_c(ctx, args);
        row_loop row = {ctx, args};
        plx__parallel_for(ctx->pool, threads, args->n,
                          plx__round_up((args->n + threads - 1) / threads, 64), run_row_piece,
                          &row);
        return "gemv";
    } else {
        if (args->beta != 0 && args->beta != 1) scale_c(ctx, args);
        loop.b_packed = workspace;
        loop.a_packed = loop.b_packed + b_packed_values(&loop);
        if (is_deep(args)) {
            loop.c = loop.sums = loop.a_packed + threads * loop.a_stride;
            loop.ldc = args->n;
            loop.errors = loop.sums + args->m * args->n;
        }
        run_blocks(ctx, &loop, threads);
        return args->packed_b ? "gemm packed" : "gemm";
    }
    finish_rows(&loop, 0, args->m, 0, args->n);
    return method;
}

static void note_method(plx_ctx *ctx, const char *method) {
    if (method) ctx->method = method;
}

void plx__gemm_run(plx_ctx *ctx, const plx__gemm_args *args, int threads, void *workspace) {
    note_method(ctx, run_product(ctx, args, threads, workspace));
}

/* ---- Many products --------------------------------------------------------------------------- */

typedef struct batch_loop {
    plx_ctx *ctx;
    const plx__gemm_batch *batch;
    char *workspace;
    size_t each;        /* bytes of workspace for a product on one thread */
    const char *method; /* of product 0 */
} batch_loop;

static size_t workspace_of_one(const plx_ctx *ctx, const plx__gemm_batch *batch) {
    const size_t line = CACHE_LINE_VALUES * sizeof(plx_real);
    return (plx__gemm_workspace(ctx, &batch->args, 1) + line - 1) / line * line;
}

/* Sets the operands of product i. */
static plx__gemm_args product_of(const plx__gemm_batch *batch, int64_t i) {
    plx__gemm_args args = batch->args;
    args.c += i * args.m * args.n;
    for (int axis = batch->rank - 1; axis >= 0; --axis) {
        const int64_t index = i % batch->dims[axis];
        args.a += index * batch->a[axis];
        args.b += index * batch->b[axis];
        i /= batch->dims[axis];
    }
    return args;
}

static void run_products(void *arg, int64_t begin, int64_t end, int worker) {
    batch_loop *loop = arg;
    for (int64_t i = begin; i < end; ++i) {
        const plx__gemm_args args = product_of(loop->batch, i);
        const char *method =
            run_product(loop->ctx, &args, 1, loop->workspace + (size_t)worker * loop->each);
        if (i == 0) loop->method = method;
    }
}

/* How many of the products are computed by one thread each. A provider has threads of its own; and
 * a thread with a large product more than the others would keep them waiting. */
static int64_t shared_products(const plx_ctx *ctx, const plx__gemm_batch *batch, int64_t count,
                               int threads) {
    static const double forks = 4;
    const plx__gemm_args *args = &batch->args;
    if (threads <= 1 || ctx->provider) return 0;
    const double flops = 2.0 * (double)args->m * (double)args->n * (double)args->k;
    const bool large = flops > forks * ctx->machine.fork_join_ns * ctx->machine.flops_per_ns;
    return large ? count - count % threads : count;
}

size_t plx__gemm_batch_workspace(const plx_ctx *ctx, const plx__gemm_batch *batch, int threads) {
    const size_t all = plx__gemm_workspace(ctx, &batch->args, threads);
    const size_t each = (size_t)threads * workspace_of_one(ctx, batch);
    return all > each ? all : each;
}

void plx__gemm_batch_run(plx_ctx *ctx, const plx__gemm_batch *batch, int threads, void *workspace) {
    int64_t count = 1;
    for (int axis = 0; axis < batch->rank; ++axis) count *= batch->dims[axis];
    if (!batch->args.m || !batch->args.n) return;
    const int64_t shared = shared_products(ctx, batch, count, threads);
    batch_loop loop = {ctx, batch, workspace, workspace_of_one(ctx, batch), NULL};
    plx__parallel_for(
        ctx->pool, threads, shared,
        plx__grain(shared, batch->args.m * batch->args.k + batch->args.m * batch->args.n, threads),
        run_products, &loop);
    note_method(ctx, loop.method);
    for (int64_t i = shared; i < count; ++i) {
        const plx__gemm_args args = product_of(batch, i);
        plx__gemm_run(ctx, &args, threads, workspace);
    }
}

/* ---- Single calls ---------------------------------------------------------------------------- */

typedef void (*activation_kernel)(int64_t n, const plx_real *x, plx_real *y, plx_real p);

void plx__activate(const plx_ctx *ctx, plx_activation act, plx_real param, int64_t n,
                   const plx_real *x, plx_real *y) {
    const plx_kernels *k = ctx->kernels;
    activation_kernel kernel = NULL;
    switch (act) {
#define PLX_ACTIVATION(NAME, name, parameter, default_p, begin, about)                             \
    case PLX_##NAME: kernel = k->name; break;
#include "parallax.def"
    case PLX_LINEAR:
    case PLX_ACTIVATIONS_: break;
    }
    if (kernel)
        kernel(n, x, y, param);
    else if (x != y)
        memcpy(y, x, (size_t)n * sizeof *y);
}

/* Makes ctx->packing hold at least so many bytes. */
static bool reserve_packing(plx_ctx *ctx, size_t bytes) {
    if (bytes <= ctx->packing_bytes) return true;
    plx_platform_free(ctx->packing);
    ctx->packing = plx_platform_alloc(bytes);
    ctx->packing_bytes = ctx->packing ? bytes : 0;
    return ctx->packing;
}

plx_status plx_gemm(plx_ctx *ctx, bool ta, bool tb, int64_t m, int64_t n, int64_t k, plx_real alpha,
                    const plx_real *a, int64_t lda, const plx_real *b, int64_t ldb, plx_real beta,
                    plx_real *c, int64_t ldc) {
    plx__message *message = &ctx->message;
    if (m < 0 || n < 0 || k < 0)
        return plx__fail(message, PLX_ERR_SHAPE,
                         "gemm: m is %lld, n %lld, k %lld; none may be negative", (long long)m,
                         (long long)n, (long long)k);
    const int64_t strides[] = {lda, ldb, ldc}, rows[] = {ta ? m : k, tb ? k : n, n};
    for (int i = 0; i < 3; ++i)
        if (strides[i] < rows[i])
            return plx__fail(message, PLX_ERR_SHAPE,
                             "gemm: ld%c is %lld; it must be at least the row length, %lld",
                             'a' + i, (long long)strides[i], (long long)rows[i]);
    const int64_t heights[] = {ta ? k : m, tb ? n : k, m};
    const plx_real *const data[] = {a, b, c};
    for (int i = 0; i < 3; ++i) {
        const int64_t most = (int64_t)(SIZE_MAX / 2 / sizeof(double));
        if (heights[i] && strides[i] > most / heights[i])
            return plx__fail(
                message, PLX_ERR_MEMORY,
                "gemm: %lld rows with a stride of %lld are more than memory can hold for %c",
                (long long)heights[i], (long long)strides[i], 'a' + i);
        if (heights[i] && rows[i] && !data[i])
            return plx__fail(message, PLX_ERR_ARGUMENT, "gemm: %c is NULL", 'a' + i);
    }
    const plx__gemm_args args = {.m = m,
                                 .n = n,
                                 .k = k,
                                 .ta = ta,
                                 .tb = tb,
                                 .alpha = alpha,
                                 .beta = beta,
                                 .a = a,
                                 .b = b,
                                 .c = c,
                                 .lda = lda,
                                 .ldb = ldb,
                                 .ldc = ldc};
    const double flops = 2.0 * (double)m * (double)n * (double)k;
    const double saved_ns = flops / ctx->machine.flops_per_ns * (1 - 1.0 / ctx->threads);
    /* Which core wrote the operands is unknown here; on average, half of them come from another. */
    const double shared = (double)(m * k) * sizeof(plx_real) / ctx->machine.shared_bytes_per_ns;
    const int threads =
        saved_ns > ctx->machine.fork_join_ns + shared * (1 - 1.0 / ctx->threads) ? ctx->threads : 1;
    const size_t bytes = plx__gemm_workspace(ctx, &args, threads);
    if (!reserve_packing(ctx, bytes))
        return plx__fail(message, PLX_ERR_MEMORY, "gemm: no memory for %llu bytes of packing space",
                         (unsigned long long)bytes);
    plx__gemm_run(ctx, &args, threads, ctx->packing);
    return PLX_OK;
}
