/* 3 x 3 convolution at stride 1 by Winograd's minimal filtering F(4 x 4, 3 x 3): tiles of 6 x 6
 * pixels become 36 planes, in each of which a matrix product over channels replaces the
 * convolution; in all that takes a quarter of the multiplications (Lavin and Gray, "Fast algorithms
 * for convolutional neural networks", CVPR 2016). The transposed convolution is the same with
 * flipped weights; the gradient of the weights transposes each step.
 *
 * Order of every sum: channels in blocks of KC, ascending; for the gradient of the weights, tiles
 * in blocks whose size depends on the shape, and sums of PLX_GEMM_DEEP tiles or slightly fewer in
 * the order of kernels.h. */
#include "blocks/conv_methods.h"

#include "blocks/gemm.h"

#include <string.h>

enum {
    TILE = 4,         /* rows and columns of a tile of results */
    FIELD = TILE + 2, /* rows and columns of a tile of the source */
    PLANES = FIELD * FIELD,
    TAPS = 9,
    CHANNELS_A_PIECE = 8, /* of a thread's share of the weights */
    GAP = 16, /* between long rows and planes, so that they do not map to the same cache sets */
};

typedef struct winograd {
    const plx_ctx *ctx;
    const plx_kernels *k;
    const plx__conv_args *args;
    plx__conv_axis y, x;
    int64_t channels, targets;
    int64_t down, across, tiles; /* per image, per image, in total */
    int64_t block, blocks;       /* tiles per block; number of blocks */
    int64_t together;            /* blocks that are in memory at once */
    int64_t panels;
    int64_t ldv, ldm;                     /* between tiles of a plane */
    int64_t plane_v, plane_m, plane_u;    /* between planes */
    plx_real *u, *v, *m, *turned, *zeros; /* v and m per worker */
    const plx_real *weights;              /* transformed: u, or those that stay */
    int64_t first;                        /* first tile in memory */
    int64_t deep;                         /* tiles, in whole blocks, that form one plain sum */
    plx_real *sums, *errors;              /* planes, where there are more tiles */
} winograd;

/* Gaps between short rows would only take up cache, as would the rest of a line. A product reads
 * whole vectors, and kernels for up to 8 targets have no wider ones (plx__row_kernels). */
static int64_t row_stride(int64_t channels) {
    enum { LONG = 64, HALF_LINE = 8 };
    if (channels <= HALF_LINE) return HALF_LINE;
    const int64_t row = plx__conv_aligned(channels);
    return row < LONG ? row : row + GAP;
}

static winograd make_winograd(const plx_ctx *ctx, const plx__conv_args *args) {
    winograd w = {.ctx = ctx, .args = args};
    w.y = plx__conv_phase(args, 0, 0);
    w.x = plx__conv_phase(args, 1, 0);
    w.channels = plx__conv_channels(args);
    w.targets = plx__conv_targets(args);
    w.k = plx__row_kernels(ctx->kernels, w.targets);
    w.down = (w.y.count + TILE - 1) / TILE;
    w.across = (w.x.count + TILE - 1) / TILE;
    w.tiles = args->n * w.down * w.across;
    w.panels = (w.targets + w.k->nr - 1) / w.k->nr;
    w.ldv = row_stride(w.channels);
    w.ldm = row_stride(w.targets);
    return w;
}

/* Large blocks of tiles read the transformed weights less often, small ones stay in the cache:
 * weights take 36 in x out values, each tile 36 (in + out). */
static int64_t balanced_tiles(const winograd *w) {
    return w->channels * w->targets / (w->channels + w->targets);
}

/* together: blocks that are in memory at once. */
static void set_block(winograd *w, int64_t block, int64_t together) {
    w->block = plx__least(block, w->tiles);
    w->blocks = (w->tiles + w->block - 1) / w->block;
    w->together = plx__least(together, w->blocks);
    w->plane_v = w->together * w->block * w->ldv + GAP;
    w->plane_m = w->together * w->block * w->ldm + GAP;
}

/* Takes the next part of a workspace; workspace NULL: only counts. */
static plx_real *take(plx_real *workspace, int64_t *at, int64_t values) {
    plx_real *part = workspace ? workspace + *at : NULL;
    *at += plx__conv_aligned(values);
    return part;
}

/* ---- Tiles ----------------------------------------------------------------------------------- */

typedef struct tile_place {
    int64_t image, y, x; /* of the first result */
} tile_place;

static tile_place place_of(const winograd *w, int64_t tile) {
    const int64_t x = tile % w->across, y = tile / w->across % w->down;
    return (tile_place){tile / (w->across * w->down), y * TILE, x * TILE};
}

/* Sets pointers to side x side pixels from (y, x) on, and to zeros outside the image. */
static void point(const plx_real *image, int64_t height, int64_t width, int64_t channels, int64_t y,
                  int64_t x, int side, const plx_real *zeros, const plx_real **to) {
    for (int i = 0; i < side; ++i)
        for (int j = 0; j < side; ++j) {
            const bool inside = y + i >= 0 && y + i < height && x + j >= 0 && x + j < width;
            *to++ = inside ? image + ((y + i) * width + x + j) * channels : zeros;
        }
}

static void transform_source(const winograd *w, int64_t tile, plx_real *v) {
    const plx_real *pixels[PLANES];
    const tile_place at = place_of(w, tile);
    const int64_t image_values = w->y.source * w->x.source * w->channels;
    point(w->args->a + at.image * image_values, w->y.source, w->x.source, w->channels,
          at.y + w->y.first_source, at.x + w->x.first_source, FIELD, w->zeros, pixels);
    w->k->winograd_input(w->channels, pixels, v, w->plane_v);
}

static void transform_target(const winograd *w, int64_t tile, const plx_real *m) {
    const plx__conv_args *args = w->args;
    const tile_place at = place_of(w, tile);
    const int64_t rows = plx__least(TILE, w->y.count - at.y);
    const int64_t columns = plx__least(TILE, w->x.count - at.x);
    plx_real *pixels[TILE * TILE];
    plx_real *first = args->c + ((at.image * w->y.target + at.y) * w->x.target + at.x) * w->targets;
    const int64_t row_values = w->x.target * w->targets;
    for (int i = 0; i < TILE; ++i)
        for (int j = 0; j < TILE; ++j)
            pixels[i * TILE + j] =
                i < rows && j < columns ? first + i * row_values + j * w->targets : NULL;
    w->k->winograd_output(w->targets, m, w->plane_m, args->bias, pixels);
}

/* Applies the activation to the results of a block, in as long pieces as lie side by side. */
static void activate_targets(const winograd *w, int64_t begin, int64_t end) {
    const plx__conv_args *args = w->args;
    const int64_t row_values = w->x.target * w->targets;
    for (int64_t tile = begin, run; args->act != PLX_LINEAR && tile < end; tile += run) {
        const tile_place at = place_of(w, tile);
        run = plx__least(w->across - at.x / TILE, end - tile);
        int64_t rows = plx__least(TILE, w->y.count - at.y);
        int64_t values = plx__least(run * TILE, w->x.count - at.x) * w->targets;
        if (values == row_values) {
            values *= rows;
            rows = 1;
        }
        plx_real *c = args->c + ((at.image * w->y.target + at.y) * w->x.target + at.x) * w->targets;
        for (int64_t i = 0; i < rows; ++i, c += row_values)
            plx__activate(w->ctx, args->act, args->act_param, values, c, c);
    }
}

/* One multiplication and one addition for each plane, channel and target of a tile; plus the
 * transforms, whose passes over lines (kernels/conv.inc.c) count a fused multiply-add as two. */
double plx__conv_winograd_flops(const plx__conv_args *args) {
    enum { INPUT = 12 * 20, OUTPUT = 10 * 13, WEIGHTS = 9 * 12 };
    enum { OUTPUT_GRAD = 10 * 12, WEIGHTS_GRAD = 9 * 15 };
    const plx__conv_axis y = plx__conv_phase(args, 0, 0), x = plx__conv_phase(args, 1, 0);
    const double tiles = (double)args->n * (double)plx__conv_ceiling(y.count, TILE) *
                         (double)plx__conv_ceiling(x.count, TILE);
    const double channels = (double)plx__conv_channels(args);
    const double targets = (double)plx__conv_targets(args);
    const bool gradient = plx__conv_is_of_weights(args);
    return tiles * (2 * PLANES * channels * targets + INPUT * channels +
                    (gradient ? OUTPUT_GRAD : OUTPUT) * targets) +
           (gradient ? WEIGHTS_GRAD : WEIGHTS) * channels * targets;
}

/* ---- Weights: [plane][panel of NR targets][channel][NR] -------------------------------------- */

static void turn_taps(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    const int64_t values = w->channels * w->targets;
    for (int64_t tap = begin; tap < end; ++tap)
        w->k->transpose(w->targets, w->channels, w->args->b + (TAPS - 1 - tap) * values,
                        w->channels, w->turned + tap * values, w->targets);
}

/* Products read whole vectors: zeros follow the last target of a channel. */
static void clear_rest(const winograd *w, int64_t targets, plx_real *u) {
    const int64_t rest = w->k->nr - targets;
    for (int plane = 0; targets % w->k->vl && plane < PLANES; ++plane)
        memset(u + plane * w->plane_u + targets, 0, (size_t)rest * sizeof *u);
}

static void transform_weights(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    const int64_t nr = w->k->nr;
    const plx_real *weights = w->args->kind == PLX__CONV_TRANSPOSE ? w->turned : w->args->b;
    for (int64_t c = begin; c < end; ++c)
        for (int64_t panel = 0; panel < w->panels; ++panel) {
            const int64_t targets = plx__least(nr, w->targets - panel * nr);
            plx_real *u = w->u + (panel * w->channels + c) * nr;
            w->k->winograd_weights(targets, weights + c * w->targets + panel * nr,
                                   w->channels * w->targets, u, w->plane_u);
            clear_rest(w, targets, u);
        }
}

static void set_weights(winograd *w) {
    w->plane_u = w->panels * w->channels * w->k->nr + GAP;
}

int64_t plx__conv_winograd_packed_values(const plx_ctx *ctx, const plx__conv_args *args) {
    enum { TILES = 256 }; /* 72 operations a weight each, where the transform has 108 */
    winograd w = make_winograd(ctx, args);
    set_weights(&w);
    return args->kind == PLX__CONV_FORWARD && w.tiles <= TILES ? PLANES * w.plane_u : 0;
}

void plx__conv_winograd_pack(plx_ctx *ctx, const plx__conv_args *args, int threads, plx_real *to) {
    winograd w = make_winograd(ctx, args);
    set_weights(&w);
    w.u = to;
    plx__parallel_for(ctx->pool, threads, w.channels, CHANNELS_A_PIECE, transform_weights, &w);
}

/* ---- Forward and transposed ------------------------------------------------------------------ */

/* Multiplies one plane of a block: m = v u. */
static void multiply_plane(const winograd *w, int64_t rows, const plx_real *v, const plx_real *u,
                           plx_real *m) {
    const int64_t nr = w->k->nr, mr = w->k->mr;
    for (int64_t panel = 0; panel < w->panels; ++panel) {
        const int columns = (int)plx__least(nr, w->targets - panel * nr);
        for (int64_t p0 = 0; p0 < w->channels; p0 += w->k->kc) {
            const int64_t depth = plx__least(w->k->kc, w->channels - p0);
            const plx_real *b = u + (panel * w->channels + p0) * nr;
            for (int64_t i = 0; i < rows; i += mr)
                w->k->gemm(depth, v + i * w->ldv + p0, w->ldv, 1, b, nr,
                           m + i * w->ldm + panel * nr, w->ldm, (int)plx__least(mr, rows - i),
                           columns, p0 > 0);
        }
    }
}

static void run_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    const winograd *w = arg;
    plx_real *v = w->v + worker * PLANES * w->plane_v, *m = w->m + worker * PLANES * w->plane_m;
    for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * w->block;
        const int64_t tiles = plx__least(w->block, w->tiles - first);
        for (int64_t i = 0; i < tiles; ++i) transform_source(w, first + i, v + i * w->ldv);
        for (int64_t plane = 0; plane < PLANES; ++plane)
            multiply_plane(w, tiles, v + plane * w->plane_v, w->weights + plane * w->plane_u,
                           m + plane * w->plane_m);
        for (int64_t i = 0; i < tiles; ++i) transform_target(w, first + i, m + i * w->ldm);
        activate_targets(w, first, first + tiles);
    }
}

/* Sets the block sizes; returns the size of the workspace in values. */
static int64_t lay_out(winograd *w, int threads, plx_real *workspace) {
    enum { CACHED = 1 << 17, MOST = 128 };
    const int64_t mr = w->k->mr, fitting = CACHED / (PLANES * (w->channels + w->targets));
    const int64_t balanced = plx__least(balanced_tiles(w), MOST);
    const int64_t wanted = fitting > balanced ? fitting : balanced;
    const int64_t fair = (w->tiles + threads - 1) / threads;
    const int64_t rows = plx__least(wanted, fair) / mr * mr;
    set_block(w, rows > mr ? rows : mr, 1);
    set_weights(w);
    const bool turned = w->args->kind == PLX__CONV_TRANSPOSE;
    int64_t at = 0;
    w->u = w->args->packed_b ? NULL : take(workspace, &at, PLANES * w->plane_u);
    w->v = take(workspace, &at, threads * PLANES * w->plane_v);
    w->m = take(workspace, &at, threads * PLANES * w->plane_m);
    w->zeros = take(workspace, &at, w->channels);
    w->turned = take(workspace, &at, turned ? TAPS * w->channels * w->targets : 0);
    return at;
}

size_t plx__conv_winograd_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    winograd w = make_winograd(ctx, args);
    return (size_t)lay_out(&w, threads, NULL) * sizeof(plx_real);
}

void plx__conv_winograd(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace) {
    winograd w = make_winograd(ctx, args);
    lay_out(&w, threads, workspace);
    w.weights = args->packed_b ? args->packed_b : w.u;
    memset(w.zeros, 0, (size_t)w.channels * sizeof *w.zeros);
    if (args->kind == PLX__CONV_TRANSPOSE)
        plx__parallel_for(ctx->pool, threads, TAPS, 1, turn_taps, &w);
    if (!args->packed_b)
        plx__parallel_for(ctx->pool, threads, w.channels, CHANNELS_A_PIECE, transform_weights, &w);
    plx__parallel_for(ctx->pool, threads, w.blocks, 1, run_blocks, &w);
}

/* ---- The gradient of the weights: du[plane] = v[plane]^T dm[plane] over all tiles -------------
 */

static void transform_gradient(const winograd *w, int64_t tile, plx_real *m) {
    const plx_real *pixels[TILE * TILE];
    const tile_place at = place_of(w, tile);
    const int64_t image_values = w->y.target * w->x.target * w->targets;
    point(w->args->b + at.image * image_values, w->y.target, w->x.target, w->targets, at.y, at.x,
          TILE, w->zeros, pixels);
    w->k->winograd_output_grad(w->targets, pixels, m, w->plane_m);
}

/* Tiles from w->first on that are transformed together, up to the end of a plain sum. */
static int64_t tiles_together(const winograd *w) {
    const int64_t left = plx__least(w->tiles - w->first, w->deep - w->first % w->deep);
    return plx__least(w->together * w->block, left);
}

/* Transforms source and gradient tiles from w->first on. */
static void transform_tiles(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    for (int64_t i = begin; i < end; ++i) {
        transform_source(w, w->first + i, w->v + i * w->ldv);
        transform_gradient(w, w->first + i, w->m + i * w->ldm);
    }
}

/* Adds the block of tiles from `at` on, of those in memory, to a panel of a plane. */
static void add_block(const winograd *w, int64_t plane, int64_t j, int64_t at, int64_t tiles) {
    const int64_t mr = w->k->mr, first = w->first + at;
    const int columns = (int)plx__least(w->k->nr, w->targets - j);
    const plx_real *v = w->v + plane * w->plane_v + at * w->ldv;
    const plx_real *m = w->m + plane * w->plane_m + at * w->ldm + j;
    plx_real *u = (first < w->deep ? w->u : w->sums) + plane * w->plane_u + j;
    for (int64_t i = 0; i < w->channels; i += mr)
        w->k->gemm(tiles, v + i, 1, w->ldv, m, w->ldm, u + i * w->targets, w->targets,
                   (int)plx__least(mr, w->channels - i), columns, first % w->deep > 0);
}

/* A unit is a panel of a plane. */
static void add_planes(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    const int64_t tiles = tiles_together(w);
    for (int64_t unit = begin; unit < end; ++unit)
        for (int64_t at = 0; at < tiles; at += w->block)
            add_block(w, unit / w->panels, unit % w->panels * w->k->nr, at,
                      plx__least(w->block, tiles - at));
}

/* Adds the separate sums to the planes with their rounding errors. */
static void add_sums(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    const int64_t n = w->plane_u, at = begin * n;
    w->k->two_sum((end - begin) * n, w->sums + at, w->u + at, w->errors + at);
}

static void add_errors(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    plx_real *u = w->u + begin * w->plane_u;
    w->k->add((end - begin) * w->plane_u, u, 1, w->errors + begin * w->plane_u, 1, u);
}

static void finish_weights(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const winograd *w = arg;
    for (int64_t c = begin; c < end; ++c)
        w->k->winograd_weights_grad(w->targets, w->u + c * w->targets, w->plane_u,
                                    w->args->c + c * w->targets, w->channels * w->targets);
}

/* Here the block size is part of the order of the sum, so it is the same for every target. Threads
 * meet after each pass over blocks, so several have as many together as the caches hold. */
static int64_t lay_out_sum(winograd *w, int threads, plx_real *workspace) {
    enum { LEAST = 32, MOST = 256, CACHED = 1 << 18 };
    const int64_t balanced = 2 * balanced_tiles(w) / LEAST * LEAST;
    const int64_t block = balanced < LEAST ? LEAST : plx__least(balanced, MOST);
    const int64_t fitting = CACHED / (PLANES * block * (w->ldv + w->ldm));
    set_block(w, block, threads > 1 && fitting > 1 ? fitting : 1);
    w->plane_u = plx__conv_aligned(w->channels * w->targets) + GAP;
    const int64_t widest = w->channels > w->targets ? w->channels : w->targets;
    int64_t at = 0;
    w->u = take(workspace, &at, PLANES * w->plane_u);
    w->v = take(workspace, &at, PLANES * w->plane_v);
    w->m = take(workspace, &at, PLANES * w->plane_m);
    w->zeros = take(workspace, &at, widest);
    w->deep = PLX_GEMM_DEEP / w->block * w->block;
    if (w->tiles > w->deep) {
        w->sums = take(workspace, &at, PLANES * w->plane_u);
        w->errors = take(workspace, &at, PLANES * w->plane_u);
    }
    return at;
}

size_t plx__conv_winograd_weights_workspace(const plx_ctx *ctx, const plx__conv_args *args,
                                            int threads) {
    winograd w = make_winograd(ctx, args);
    return (size_t)lay_out_sum(&w, threads, NULL) * sizeof(plx_real);
}

void plx__conv_winograd_weights(plx_ctx *ctx, const plx__conv_args *args, int threads,
                                void *workspace) {
    enum { TILES_A_PIECE = 4 };
    winograd w = make_winograd(ctx, args);
    lay_out_sum(&w, threads, workspace);
    const int64_t widest = w.channels > w.targets ? w.channels : w.targets;
    memset(w.zeros, 0, (size_t)widest * sizeof *w.zeros);
    /* Products read whole vectors of the gradient, whose last channel may lie within one. */
    if (w.targets % w.k->vl) memset(w.m, 0, (size_t)(PLANES * w.plane_m) * sizeof *w.m);
    if (w.sums) {
        /* The gaps between rows are added too, so they must be zero. */
        memset(w.sums, 0, (size_t)(PLANES * w.plane_u) * sizeof *w.sums);
        memset(w.errors, 0, (size_t)(PLANES * w.plane_u) * sizeof *w.errors);
        memset(w.u, 0, (size_t)(PLANES * w.plane_u) * sizeof *w.u);
    }
    for (int64_t tiles; w.first < w.tiles; w.first += tiles) {
        tiles = tiles_together(&w);
        plx__parallel_for(ctx->pool, threads, tiles, TILES_A_PIECE, transform_tiles, &w);
        plx__parallel_for(ctx->pool, threads, PLANES * w.panels, 1, add_planes, &w);
        const int64_t done = w.first + tiles;
        if (w.first >= w.deep && (done % w.deep == 0 || done == w.tiles))
            plx__parallel_for(ctx->pool, threads, PLANES, 1, add_sums, &w);
    }
    if (w.sums) plx__parallel_for(ctx->pool, threads, PLANES, 1, add_errors, &w);
    plx__parallel_for(ctx->pool, threads, w.channels, CHANNELS_A_PIECE, finish_weights, &w);
}
