#include "blocks/attention_tiles.h"

#include "base/sizes.h"
#include "blocks/gemm.h"
#include "kernels/kernels.h"

#include <string.h>

/* A tile of scores has a row for each of KEYS keys and a column for each of QUERIES queries; it
 * stays in the first-level cache. KEYS is a multiple of the tile height of most micro-kernels,
 * QUERIES of the tile width of all. Both are part of the order of sums, so all targets share them.
 */
enum { KEYS = 112, QUERIES = 64, LINE = 16 };

/* Tiles are added one after another, and the sums of so many keys, or blocks of queries, to totals
 * that carry their rounding errors (two_sum): as for products (kernels.h), sums of equal terms are
 * then off by at most 25 EPS, however long they are. */
enum { DEEP_KEYS = 64 * KEYS, DEEP_BLOCKS = 64 };

typedef struct attention {
    const plx_kernels *kernels;
    plx__attention_args a;
    int64_t group;        /* query heads per key head */
    int64_t query_blocks; /* of one head */
    int64_t chunks;       /* units per key head */
    bool packs;
    plx_real *scratch;
    int64_t stride; /* per worker */
} attention;

/* ---- Small products -------------------------------------------------------------------------- */

/* Element (i, p) is data[i / mr * tile + i % mr * row + p * column]. */
typedef struct left {
    const plx_real *data;
    int64_t row, column, tile;
} left;

/* Element (p, j) is data[j / nr * panel + p * row + j % nr]. */
typedef struct right {
    const plx_real *data;
    int64_t row, panel;
} right;

/* c (+)= a b, where c is m x n. */
static void multiply(const plx_kernels *k, int64_t m, int64_t n, int64_t depth, left a, right b,
                     plx_real *c, int64_t ldc, bool accumulate) {
    for (int64_t j = 0; j < n; j += k->nr, b.data += b.panel)
        for (int64_t i = 0; i < m; i += k->mr)
            k->gemm(depth, a.data + i / k->mr * a.tile, a.row, a.column, b.data, b.row,
                    c + i * ldc + j, ldc, (int)plx__least(k->mr, m - i),
                    (int)plx__least(k->nr, n - j), accumulate);
}

/* Packs rows of x into tiles of mr, with element (i, p) of a tile at p * mr + i: each row of the
 * tile is used for every panel. */
static void pack_tiles(const plx_kernels *k, int64_t rows, int64_t width, const plx_real *x,
                       int64_t ldx, plx_real *to) {
    for (int64_t i = 0; i < rows; i += k->mr, to += k->mr * width)
        k->transpose(plx__least(k->mr, rows - i), width, x + i * ldx, ldx, to, k->mr);
}

static left packed_tiles(const plx_kernels *k, const plx_real *data, int64_t width) {
    return (left){data, 1, k->mr, k->mr * width};
}

static left plain_rows(const plx_kernels *k, const plx_real *data, int64_t ld) {
    return (left){data, ld, 1, k->mr * ld};
}

/* Packs columns of x, [rows, width], into panels of nr: rows of nr elements. */
static void pack_panels(const plx_kernels *k, int64_t rows, int64_t width, const plx_real *x,
                        int64_t ldx, plx_real *to) {
    for (int64_t j = 0; j < width; j += k->nr, to += rows * k->nr) {
        const int64_t columns = plx__least(k->nr, width - j);
        const size_t bytes = (size_t)columns * sizeof *to;
        plx__clear_panel(k, rows, columns, to);
        for (int64_t i = 0; i < rows; ++i) memcpy(to + i * k->nr, x + i * ldx + j, bytes);
    }
}

/* The same for x transposed: columns are rows of x. */
static void pack_transposed(const plx_kernels *k, int64_t rows, int64_t width, const plx_real *x,
                            int64_t ldx, plx_real *to) {
    for (int64_t i = 0; i < rows; i += k->nr, to += width * k->nr) {
        const int64_t columns = plx__least(k->nr, rows - i);
        plx__clear_panel(k, width, columns, to);
        k->transpose(columns, width, x + i * ldx, ldx, to, k->nr);
    }
}

static int64_t tiles_size(const plx_kernels *k, int64_t rows, int64_t width) {
    return plx__round_up(plx__round_up(rows, k->mr) * width, LINE);
}

static int64_t panels_size(const plx_kernels *k, int64_t rows, int64_t width) {
    return plx__round_up(rows * plx__round_up(width, k->nr), LINE);
}

/* ---- Deep sums ------------------------------------------------------------------------------- */

/* totals + errors: what was moved there from sums. */
typedef struct deep_sums {
    int64_t n;
    plx_real *sums, *totals, *errors;
} deep_sums;

static void clear_all(deep_sums d) {
    memset(d.sums, 0, (size_t)d.n * sizeof *d.sums);
    memset(d.totals, 0, (size_t)d.n * sizeof *d.totals);
    memset(d.errors, 0, (size_t)d.n * sizeof *d.errors);
}

static void move_sums(const plx_kernels *k, deep_sums d) {
    k->two_sum(d.n, d.sums, d.totals, d.errors);
    memset(d.sums, 0, (size_t)d.n * sizeof *d.sums);
}

/* Moves the last sums, and all of them back. */
static void close_totals(const plx_kernels *k, deep_sums d) {
    move_sums(k, d);
    k->add(d.n, d.totals, 1, d.errors, 1, d.sums);
}

/* ---- One block of queries -------------------------------------------------------------------- */

/* The keys and values of one head, in the layouts that the products need. */
typedef struct key_side {
    const plx_real *k, *v; /* row of key 0 */
    int64_t ld;
    plx_real *k_tiles, *v_tiles, *k_panels, *v_panels; /* v_tiles, k_panels: backward */
} key_side;

/* Each block of KEYS keys begins a new tile. */
static int64_t block_size(const plx_kernels *k, int64_t width) {
    return tiles_size(k, KEYS, width);
}

static void pack_blocks(const attention *t, const plx_real *x, int64_t ld, plx_real *to) {
    for (int64_t i = 0; i < t->a.keys; i += KEYS, to += block_size(t->kernels, t->a.width))
        pack_tiles(t->kernels, plx__least(KEYS, t->a.keys - i), t->a.width, x + i * ld, ld, to);
}

static left block_rows(const attention *t, const plx_real *tiles, const plx_real *plain, int64_t ld,
                       int64_t key) {
    if (!t->packs) return plain_rows(t->kernels, plain + key * ld, ld);
    return packed_tiles(t->kernels, tiles + key / KEYS * block_size(t->kernels, t->a.width),
                        t->a.width);
}

static right block_panels(const attention *t, const plx_real *panels, const plx_real *plain,
                          int64_t ld, int64_t key) {
    const int64_t nr = t->kernels->nr;
    if (!t->packs) return (right){plain + key * ld, ld, nr};
    return (right){panels + key * nr, nr, t->a.keys * nr};
}

typedef struct query_block {
    int64_t batch, head, first, rows;
    int64_t keys_end; /* keys from here on are hidden */
    const plx_real *q;
    int64_t ld;
} query_block;

static query_block block_of(const attention *t, int64_t batch, int64_t kv_head, int64_t item) {
    const plx__attention_args *a = &t->a;
    query_block b = {.batch = batch, .ld = a->heads * a->width};
    b.head = kv_head * t->group + item / t->query_blocks;
    b.first = item % t->query_blocks * QUERIES;
    b.rows = plx__least(QUERIES, a->queries - b.first);
    const int64_t seen = b.first + b.rows + a->keys - a->queries;
    b.keys_end = a->causal ? plx__least(a->keys, seen > 0 ? seen : 0) : a->keys;
    b.q = a->q + (batch * a->queries + b.first) * b.ld + b.head * a->width;
    return b;
}

/* The offset of the block's rows in an array laid out like q. */
static int64_t place_of(const attention *t, const query_block *b) {
    return (b->batch * t->a.queries + b->first) * b->ld + b->head * t->a.width;
}

static plx_real *sums_of(const attention *t, const query_block *b) {
    return t->a.log_sums + (b->batch * t->a.heads + b->head) * t->a.queries + b->first;
}

/* Masks scores(p, i) for n keys from key on; spare is a second tile. */
static void hide(const attention *t, const query_block *b, int64_t key, int64_t n, plx_real *scores,
                 plx_real *spare) {
    const plx__attention_args *a = &t->a;
    if (a->mask) {
        const plx_real *mask = a->mask + b->batch * a->mask_batch + b->first * a->mask_row + key;
        if (a->mask_row) {
            t->kernels->transpose(b->rows, n, mask, a->mask_row, spare, QUERIES);
            for (int64_t p = 0; p < n; ++p)
                t->kernels->add(b->rows, scores + p * QUERIES, 1, spare + p * QUERIES, 1,
                                scores + p * QUERIES);
        } else {
            for (int64_t p = 0; p < n; ++p)
                t->kernels->add(b->rows, scores + p * QUERIES, 1, mask + p, 0,
                                scores + p * QUERIES);
        }
    }
    /* Key number j is hidden from queries before j - (keys - queries). */
    const int64_t first_hidden = b->first + a->keys - a->queries + 1;
    for (int64_t p = 0; a->causal && p < n; ++p) {
        const int64_t hidden = plx__least(b->rows, key + p - first_hidden + 1);
        for (int64_t i = 0; i < hidden; ++i) scores[p * QUERIES + i] = (plx_real)-__builtin_inff();
    }
}

/* ---- Forward --------------------------------------------------------------------------------- */

typedef struct forward_scratch {
    plx_real *k_tiles, *v_panels, *q_rows, *q_panels, *scores, *spare;
    plx_real *out, *sum; /* one behind the other; so are their totals, and the errors of those */
    plx_real *totals, *errors;
    plx_real *top, *alpha, *own, *before; /* own: sums of a tile; before: the top of the totals */
} forward_scratch;

/* Lays out a worker's scratch from base on (NULL: only counts); returns its size in elements. */
static int64_t lay_forward(const attention *t, plx_real *base, forward_scratch *s) {
    const plx_kernels *k = t->kernels;
    const int64_t width = t->a.width, blocks = (t->a.keys + KEYS - 1) / KEYS;
    const int64_t deep = t->a.keys > DEEP_KEYS ? QUERIES + QUERIES * width : 0;
    const struct {
        plx_real **to;
        int64_t size;
    } parts[] = {
        {&s->k_tiles, t->packs ? blocks * block_size(k, width) : 0},
        {&s->v_panels, t->packs ? panels_size(k, t->a.keys, width) : 0},
        {&s->q_rows, plx__round_up(QUERIES * width, LINE)},
        {&s->q_panels, panels_size(k, width, QUERIES)},
        {&s->scores, KEYS * QUERIES},
        {&s->spare, t->a.mask ? KEYS * QUERIES : 0},
        {&s->out, QUERIES * width},
        {&s->sum, QUERIES},
        {&s->top, QUERIES},
        {&s->alpha, QUERIES},
        {&s->own, QUERIES},
        {&s->totals, deep},
        {&s->errors, deep},
        {&s->before, QUERIES},
    };
    int64_t size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i) {
        if (base) *parts[i].to = base + size;
        size += parts[i].size;
    }
    return size;
}

/* Writes the queries times the scale, in rows. */
static void scale_queries(const attention *t, const query_block *b, plx_real *rows) {
    for (int64_t i = 0; i < b->rows; ++i)
        t->kernels->scale(t->a.width, t->a.scale, b->q + i * b->ld, rows + i * t->a.width);
}

/* Multiplies the totals by the factor for what precedes the sums. */
static void scale_totals(const attention *t, const query_block *b, forward_scratch *s) {
    const int64_t width = t->a.width, sums = QUERIES * width;
    plx_real *factor = s->before;
    /* One more tile, whose only score is the largest one before. */
    t->kernels->softmax_columns(1, b->rows, factor, QUERIES, s->top, s->own, s->alpha);
    for (int64_t i = 0; i < b->rows; ++i) {
        plx_real *total = s->totals + i * width, *error = s->errors + i * width;
        t->kernels->scale(width, factor[i], total, total);
        t->kernels->scale(width, factor[i], error, error);
        s->totals[sums + i] *= factor[i];
        s->errors[sums + i] *= factor[i];
        s->own[i] = 0;
    }
    memcpy(s->before, s->top, QUERIES * sizeof *s->top);
}

static void finish_block(const attention *t, const query_block *b, forward_scratch *s) {
    const int64_t width = t->a.width;
    plx_real *out = t->a.out + place_of(t, b), *log_sums = sums_of(t, b);
    for (int64_t i = 0; i < b->rows; ++i) {
        if (s->sum[i] == 0) /* no key was seen; a NaN sum propagates */
            memset(out + i * b->ld, 0, (size_t)width * sizeof *out);
        else
            t->kernels->scale(width, 1 / s->sum[i], s->out + i * width, out + i * b->ld);
    }
    (t->kernels->log)(b->rows, s->sum, log_sums, 0);
    for (int64_t i = 0; i < b->rows; ++i)
        log_sums[i] = s->sum[i] == 0 ? 0 : log_sums[i] + s->top[i];
}

static void forward_block(const attention *t, const key_side *keys, const query_block *b,
                          forward_scratch *s) {
    const plx_kernels *k = t->kernels;
    const int64_t width = t->a.width;
    scale_queries(t, b, s->q_rows);
    pack_transposed(k, b->rows, width, s->q_rows, width, s->q_panels);
    const right queries = {s->q_panels, k->nr, width * k->nr};
    for (int64_t i = 0; i < QUERIES; ++i) {
        s->top[i] = s->before[i] = (plx_real)-__builtin_inff();
        s->sum[i] = s->own[i] = 0;
    }
    const bool deep = b->keys_end > DEEP_KEYS;
    const deep_sums sums = {QUERIES * width + QUERIES, s->out, s->totals, s->errors};
    if (deep) clear_all(sums);
    for (int64_t key = 0; key < b->keys_end; key += KEYS) {
        const int64_t n = plx__least(KEYS, b->keys_end - key);
        if (key && key % DEEP_KEYS == 0) {
            scale_totals(t, b, s);
            move_sums(k, sums);
        }
        multiply(k, n, b->rows, width, block_rows(t, keys->k_tiles, keys->k, keys->ld, key),
                 queries, s->scores, QUERIES, false);
        hide(t, b, key, n, s->scores, s->spare);
        k->softmax_columns(n, b->rows, s->scores, QUERIES, s->top, s->own, s->alpha);
        for (int64_t i = 0; key && i < b->rows; ++i)
            if (s->alpha[i] != 1)
                k->scale(width, s->alpha[i], s->out + i * width, s->out + i * width);
        multiply(k, b->rows, width, n, (left){s->scores, 1, QUERIES, k->mr},
                 block_panels(t, keys->v_panels, keys->v, keys->ld, key), s->out, width, key > 0);
        /* Not earlier: these loads would wait for the stores of the softmax. */
        for (int64_t i = 0; i < b->rows; ++i) {
            s->sum[i] = s->sum[i] * s->alpha[i] + s->own[i];
            s->own[i] = 0;
        }
    }
    if (deep) {
        scale_totals(t, b, s);
        close_totals(k, sums);
    }
    finish_block(t, b, s);
}

static key_side keys_of(const attention *t, int64_t batch, int64_t kv_head) {
    const int64_t ld = t->a.kv_heads * t->a.width;
    const int64_t place = batch * t->a.keys * ld + kv_head * t->a.width;
    return (key_side){.k = t->a.k + place, .v = t->a.v + place, .ld = ld};
}

static void forward_units(void *arg, int64_t begin, int64_t end, int worker) {
    const attention *t = arg;
    const int64_t items = t->group * t->query_blocks;
    forward_scratch s = {0};
    lay_forward(t, t->scratch + worker * t->stride, &s);
    key_side keys = {0};
    for (int64_t unit = begin, packed = -1; unit < end; ++unit) {
        const int64_t owner = unit / t->chunks, chunk = unit % t->chunks;
        const int64_t batch = owner / t->a.kv_heads, kv_head = owner % t->a.kv_heads;
        if (owner != packed) {
            keys = keys_of(t, batch, kv_head);
            keys.k_tiles = s.k_tiles;
            keys.v_panels = s.v_panels;
            if (t->packs) {
                pack_blocks(t, keys.k, keys.ld, keys.k_tiles);
                pack_panels(t->kernels, t->a.keys, t->a.width, keys.v, keys.ld, keys.v_panels);
            }
            packed = owner;
        }
        for (int64_t item = items * chunk / t->chunks; item < items * (chunk + 1) / t->chunks;
             ++item) {
            const query_block b = block_of(t, batch, kv_head, item);
            forward_block(t, &keys, &b, &s);
        }
    }
}

enum { PAGE_VALUES = 1024 };

/* Packing keys and values pays off when several blocks of queries use them, or when their rows
 * would map to the same cache sets; it is also needed when the last panel would be read past a row.
 */
static bool wants_packing(const plx_kernels *k, const plx__attention_args *a, int64_t items) {
    return items > 2 || a->kv_heads * a->width % PAGE_VALUES == 0 || a->width % k->vl != 0;
}

static attention make_attention(const plx_ctx *ctx, const plx__attention_args *args, int threads) {
    attention t = {.kernels = ctx->kernels, .a = *args};
    t.group = args->heads / args->kv_heads;
    t.query_blocks = (args->queries + QUERIES - 1) / QUERIES;
    const int64_t items = t.group * t.query_blocks, owners = args->batch * args->kv_heads;
    t.packs = wants_packing(t.kernels, args, items);
    /* Enough units for all threads; each unit packs its keys again. */
    t.chunks = threads > 1 && owners < 4 * threads
                   ? plx__least(items, (4 * threads + owners - 1) / (owners > 0 ? owners : 1))
                   : 1;
    if (t.chunks < 1) t.chunks = 1;
    return t;
}

size_t plx__attention_workspace(const plx_ctx *ctx, const plx__attention_args *args, int threads) {
    const attention t = make_attention(ctx, args, threads);
    forward_scratch s = {0};
    return (size_t)(threads * lay_forward(&t, NULL, &s)) * sizeof(plx_real);
}

void plx__attention_run(plx_ctx *ctx, const plx__attention_args *args, int threads,
                        void *workspace) {
    attention t = make_attention(ctx, args, threads);
    forward_scratch s = {0};
    t.scratch = workspace;
    t.stride = lay_forward(&t, NULL, &s);
    plx__parallel_for(ctx->pool, threads, args->batch * args->kv_heads * t.chunks, 1, forward_units,
                      &t);
}

/* ---- Backward -------------------------------------------------------------------------------- */

typedef struct backward_scratch {
    plx_real *k_tiles, *v_tiles, *k_panels;
    plx_real *q_rows, *q_panels, *q_columns, *g_panels, *g_columns;
    plx_real *scores, *slopes, *delta;
    plx_real *gq, *gq_totals, *gq_errors;
    plx_real *gk, *gv; /* one behind the other; so are their totals, and the errors of those */
    plx_real *totals, *errors;
} backward_scratch;

static int64_t lay_backward(const attention *t, plx_real *base, backward_scratch *s) {
    const plx_kernels *k = t->kernels;
    const int64_t width = t->a.width, blocks = (t->a.keys + KEYS - 1) / KEYS;
    const int64_t rows = plx__round_up(QUERIES * width, LINE),
                  by_row = panels_size(k, QUERIES, width),
                  by_column = panels_size(k, width, QUERIES), by_key = 2 * t->a.keys * width;
    const int64_t deep_rows = t->a.keys > DEEP_KEYS ? rows : 0;
    const int64_t deep = t->group * t->query_blocks > DEEP_BLOCKS ? by_key : 0;
    const struct {
        plx_real **to;
        int64_t size;
    } parts[] = {
        {&s->k_tiles, t->packs ? blocks * block_size(k, width) : 0},
        {&s->v_tiles, t->packs ? blocks * block_size(k, width) : 0},
        {&s->k_panels, t->packs ? panels_size(k, t->a.keys, width) : 0},
        {&s->q_rows, rows},
        {&s->q_panels, by_row},
        {&s->q_columns, by_column},
        {&s->g_panels, by_row},
        {&s->g_columns, by_column},
        {&s->scores, KEYS * QUERIES},
        {&s->slopes, KEYS * QUERIES},
        {&s->delta, QUERIES},
        {&s->gq, rows},
        {&s->gq_totals, deep_rows},
        {&s->gq_errors, deep_rows},
        {&s->gk, by_key / 2},
        {&s->gv, plx__round_up(by_key, LINE) - by_key / 2},
        {&s->totals, plx__round_up(deep, LINE)},
        {&s->errors, plx__round_up(deep, LINE)},
    };
    int64_t size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i) {
        if (base) *parts[i].to = base + size;
        size += parts[i].size;
    }
    return size;
}

static void pack_block(const attention *t, const query_block *b, backward_scratch *s) {
    const plx_kernels *k = t->kernels;
    const int64_t width = t->a.width, place = place_of(t, b);
    const plx_real *g = t->a.g + place;
    scale_queries(t, b, s->q_rows);
    pack_panels(k, b->rows, width, s->q_rows, width, s->q_panels);
    pack_transposed(k, b->rows, width, s->q_rows, width, s->q_columns);
    pack_panels(k, b->rows, width, g, b->ld, s->g_panels);
    pack_transposed(k, b->rows, width, g, b->ld, s->g_columns);
    for (int64_t i = 0; i < b->rows; ++i)
        s->delta[i] = k->dot(width, g + i * b->ld, t->a.out + place + i * b->ld);
}

/* With P the probabilities: gv += P^T g; d loss / d P = g v^T; the gradient of the scores is
 * slopes = P (that - delta), where delta is the sum of g out over a row; gk += slopes^T q and
 * gq += slopes k. */
static void backward_tile(const attention *t, const key_side *keys, const query_block *b,
                          backward_scratch *s, int64_t key, int64_t n) {
    const plx_kernels *k = t->kernels;
    const int64_t width = t->a.width, nr = k->nr;
    const left by_key = plain_rows(k, s->scores, QUERIES),
               slopes = plain_rows(k, s->slopes, QUERIES);
    multiply(k, n, b->rows, width, block_rows(t, keys->k_tiles, keys->k, keys->ld, key),
             (right){s->q_columns, nr, width * nr}, s->scores, QUERIES, false);
    hide(t, b, key, n, s->scores, s->slopes);
    k->exp_columns(n, b->rows, s->scores, QUERIES, sums_of(t, b));
    multiply(k, n, width, b->rows, by_key, (right){s->g_panels, nr, b->rows * nr},
             s->gv + key * width, width, true);
    multiply(k, n, b->rows, width, block_rows(t, keys->v_tiles, keys->v, keys->ld, key),
             (right){s->g_columns, nr, width * nr}, s->slopes, QUERIES, false);
    k->softmax_columns_grad(n, b->rows, s->scores, QUERIES, s->delta, s->slopes);
    multiply(k, n, width, b->rows, slopes, (right){s->q_panels, nr, b->rows * nr},
             s->gk + key * width, width, true);
    multiply(k, b->rows, width, n, (left){s->slopes, 1, QUERIES, k->mr},
             block_panels(t, keys->k_panels, keys->k, keys->ld, key), s->gq, width, key > 0);
}

static void backward_block(const attention *t, const key_side *keys, const query_block *b,
                           backward_scratch *s) {
    const int64_t width = t->a.width;
    plx_real *gq = t->a.gq + place_of(t, b);
    pack_block(t, b, s);
    const bool deep = b->keys_end > DEEP_KEYS;
    const deep_sums sums = {b->rows * width, s->gq, s->gq_totals, s->gq_errors};
    if (deep) clear_all(sums);
    for (int64_t key = 0; key < b->keys_end; key += KEYS) {
        if (key && key % DEEP_KEYS == 0) move_sums(t->kernels, sums);
        backward_tile(t, keys, b, s, key, plx__least(KEYS, b->keys_end - key));
    }
    if (deep) close_totals(t->kernels, sums);
    for (int64_t i = 0; i < b->rows; ++i) {
        if (b->keys_end)
            t->kernels->scale(width, t->a.scale, s->gq + i * width, gq + i * b->ld);
        else
            memset(gq + i * b->ld, 0, (size_t)width * sizeof *gq);
    }
}

static void store_key_gradients(const attention *t, const key_side *keys,
                                const backward_scratch *s) {
    const int64_t width = t->a.width, place = keys->k - t->a.k;
    for (int64_t i = 0; i < t->a.keys; ++i) {
        const size_t bytes = (size_t)width * sizeof(plx_real);
        memcpy(t->a.gk + place + i * keys->ld, s->gk + i * width, bytes);
        memcpy(t->a.gv + place + i * keys->ld, s->gv + i * width, bytes);
    }
}

/* A unit is a key head with all the query heads that share it, so no other unit adds to its
 * gradients. */
static void backward_units(void *arg, int64_t begin, int64_t end, int worker) {
    const attention *t = arg;
    const int64_t width = t->a.width, items = t->group * t->query_blocks;
    backward_scratch s = {0};
    lay_backward(t, t->scratch + worker * t->stride, &s);
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t batch = unit / t->a.kv_heads, kv_head = unit % t->a.kv_heads;
        key_side keys = keys_of(t, batch, kv_head);
        keys.k_tiles = s.k_tiles;
        keys.v_tiles = s.v_tiles;
        keys.k_panels = s.k_panels;
        if (t->packs) {
            pack_blocks(t, keys.k, keys.ld, keys.k_tiles);
            pack_blocks(t, keys.v, keys.ld, keys.v_tiles);
            pack_panels(t->kernels, t->a.keys, width, keys.k, keys.ld, keys.k_panels);
        }
        const deep_sums sums = {2 * t->a.keys * width, s.gk, s.totals, s.errors};
        if (items > DEEP_BLOCKS)
            clear_all(sums);
        else
            memset(sums.sums, 0, (size_t)sums.n * sizeof *sums.sums);
        for (int64_t item = 0; item < items; ++item) {
            if (item && item % DEEP_BLOCKS == 0) move_sums(t->kernels, sums);
            const query_block b = block_of(t, batch, kv_head, item);
            backward_block(t, &keys, &b, &s);
        }
        if (items > DEEP_BLOCKS) close_totals(t->kernels, sums);
        store_key_gradients(t, &keys, &s);
    }
}

static attention make_backward(const plx_ctx *ctx, const plx__attention_args *args) {
    return make_attention(ctx, args, 1);
}

size_t plx__attention_grad_workspace(const plx_ctx *ctx, const plx__attention_args *args,
                                     int threads) {
    const attention t = make_backward(ctx, args);
    backward_scratch s = {0};
    return (size_t)(threads * lay_backward(&t, NULL, &s)) * sizeof(plx_real);
}

void plx__attention_grad_run(plx_ctx *ctx, const plx__attention_args *args, int threads,
                             void *workspace) {
    attention t = make_backward(ctx, args);
    backward_scratch s = {0};
    t.scratch = workspace;
    t.stride = lay_backward(&t, NULL, &s);
    plx__parallel_for(ctx->pool, threads, args->batch * args->kv_heads, 1, backward_units, &t);
}
