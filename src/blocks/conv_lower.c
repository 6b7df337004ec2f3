/* Convolution as a matrix product whose left operand is never stored as a whole: its rows (the
 * source under the kernel at one pixel) are gathered one cache block at a time (implicit GEMM;
 * Chetlur et al., "cuDNN: efficient primitives for deep learning", 2014).
 *
 * Order of every sum: depth is (kernel row, kernel column, channel), in blocks of KC as in gemm.c;
 * for the gradient of the weights it is pixels in fixed parts, in blocks of KC, in the order of
 * kernels.h. */
#include "blocks/conv_methods.h"

#include "blocks/gemm.h"

#include <string.h>

typedef struct lowering {
    const plx_ctx *ctx;
    const plx_kernels *k;
    const plx__conv_args *args;
    plx__conv_axis y, x;
    int64_t channels, targets;             /* of the source and the target */
    int64_t group_channels, group_targets; /* of one group */
    int64_t pixels, depth;                 /* of the product */
    int64_t run;                           /* values that are adjacent in the source */
    int64_t runs;                          /* of a kernel row */
    int64_t rows, blocks, panels;
    int64_t lda;
    const plx_real *b_packed;
    plx_real *own_b, *a_blocks, *c_blocks, *deep_blocks;
    int64_t a_stride, c_stride, deep_stride; /* between workers */
    plx_real *zeros, *ones;                  /* one for each target, to add a bias */
} lowering;

enum { GAP = 16 }; /* between rows, so that they do not map to the same cache sets */

static lowering make_lowering(const plx_ctx *ctx, const plx__conv_args *args, int64_t phase_y,
                              int64_t phase_x) {
    lowering l = {.ctx = ctx, .k = ctx->kernels, .args = args};
    l.y = plx__conv_phase(args, 0, phase_y);
    l.x = plx__conv_phase(args, 1, phase_x);
    l.channels = plx__conv_channels(args);
    l.targets = plx__conv_targets(args);
    l.group_channels = l.channels / args->groups;
    l.group_targets = l.targets / args->groups;
    l.pixels = args->n * l.y.count * l.x.count;
    l.depth = l.y.taps * l.x.taps * l.group_channels;
    const bool whole_rows = l.x.source_step == 1 && args->groups == 1;
    l.runs = whole_rows ? 1 : l.x.taps;
    l.run = whole_rows ? l.x.taps * l.channels : l.group_channels;
    l.panels = (l.group_targets + l.k->nr - 1) / l.k->nr;
    return l;
}

/* ---- Gathering ------------------------------------------------------------------------------- */

/* Copies values from..from+count of an image row of `size` values, with zeros outside. */
static void copy_clipped(const plx_real *row, int64_t size, int64_t from, int64_t count,
                         plx_real *to) {
    const int64_t begin = from < 0 ? plx__least(-from, count) : 0;
    const int64_t inside = from + count > size ? size - from : count;
    const int64_t end = inside > begin ? inside : begin;
    for (int64_t i = 0; i < begin; ++i) to[i] = 0;
    if (end > begin) memcpy(to + begin, row + from + begin, (size_t)(end - begin) * sizeof *to);
    for (int64_t i = end; i < count; ++i) to[i] = 0;
}

typedef struct gathered_row {
    int64_t y, x, count; /* pixels of a row of results */
    plx_real *to;
    int64_t ld;
} gathered_row;

/* Gathers count values of each pixel, beginning at `from` in the image row for x = 0. */
static void gather_run(const lowering *l, const plx_real *row, int64_t from, int64_t count,
                       const gathered_row *pixels, plx_real *to) {
    const int64_t row_values = l->x.source * l->channels, step = l->x.stride * l->channels;
    const int64_t first = from + pixels->x * step;
    const plx__conv_range inside =
        plx__conv_clip(plx__conv_ceiling(-first, step),
                       plx__conv_ceiling(row_values - count + 1 - first, step), pixels->count);
    for (int64_t i = 0; i < inside.begin; ++i)
        copy_clipped(row, row_values, first + i * step, count, to + i * pixels->ld);
    if (inside.end > inside.begin)
        l->k->copy_rows(inside.end - inside.begin, count, row + first + inside.begin * step, step,
                        to + inside.begin * pixels->ld, pixels->ld);
    for (int64_t i = inside.end; i < pixels->count; ++i)
        copy_clipped(row, row_values, first + i * step, count, to + i * pixels->ld);
}

/* Gathers values p0..p0+depth of each pixel. */
static void gather_row(const lowering *l, const plx_real *image, int64_t group,
                       const gathered_row *pixels, int64_t p0, int64_t depth) {
    const int64_t number = p0 / l->run;
    int64_t skip = p0 % l->run, ty = number / l->runs, tx = number % l->runs;
    plx_real *to = pixels->to;
    while (depth > 0) {
        const int64_t count = plx__least(l->run - skip, depth);
        const int64_t sy = l->y.first_source + pixels->y * l->y.stride + ty * l->y.source_step;
        const int64_t from = (l->x.first_source + tx * l->x.source_step) * l->channels +
                             group * l->group_channels + skip;
        if (sy >= 0 && sy < l->y.source)
            gather_run(l, image + sy * l->x.source * l->channels, from, count, pixels, to);
        else
            for (int64_t i = 0; i < pixels->count; ++i)
                memset(to + i * pixels->ld, 0, (size_t)count * sizeof *to);
        to += count;
        depth -= count;
        skip = 0;
        if (++tx < l->runs) continue;
        tx = 0;
        ++ty;
    }
}

/* Gathers the rows of pixels first..first+rows. */
static void gather(const lowering *l, int64_t group, int64_t first, int64_t rows, int64_t p0,
                   int64_t depth, plx_real *to, int64_t ld) {
    const int64_t image_values = l->y.source * l->x.source * l->channels;
    for (int64_t done = 0; done < rows;) {
        const int64_t pixel = first + done, x = pixel % l->x.count;
        const gathered_row pixels = {.y = pixel / l->x.count % l->y.count,
                                     .x = x,
                                     .count = plx__least(l->x.count - x, rows - done),
                                     .to = to + done * ld,
                                     .ld = ld};
        const int64_t image = pixel / (l->x.count * l->y.count);
        gather_row(l, l->args->a + image * image_values, group, &pixels, p0, depth);
        done += pixels.count;
    }
}

/* ---- Weights, in panels of NR columns -------------------------------------------------------- */

/* The first weight of a tap. */
static const plx_real *tap_of(const lowering *l, int64_t ty, int64_t tx) {
    const plx__conv_args *args = l->args;
    const int64_t ky = l->y.first_kernel + ty * l->y.kernel_step;
    const int64_t kx = l->x.first_kernel + tx * l->x.kernel_step;
    return args->b + (ky * args->kernel[1] + kx) * (args->in / args->groups) * args->out;
}

static void pack_tap(const lowering *l, const plx_real *tap, int64_t group, int64_t j0,
                     int64_t columns, plx_real *to) {
    const int64_t nr = l->k->nr, out = l->args->out;
    if (l->args->kind == PLX__CONV_TRANSPOSE) {
        l->k->transpose(columns, l->group_channels, tap + j0 * out + group * l->group_channels, out,
                        to, nr);
        return;
    }
    l->k->copy_rows(l->group_channels, columns, tap + group * l->group_targets + j0, out, to, nr);
}

static void pack_panels(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const lowering *l = arg;
    const int64_t nr = l->k->nr;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t group = unit / l->panels, j0 = unit % l->panels * nr;
        const int64_t columns = plx__least(nr, l->group_targets - j0);
        plx_real *to = l->own_b + unit * l->depth * nr;
        plx__clear_panel(l->k, l->depth, columns, to);
        for (int64_t ty = 0; ty < l->y.taps; ++ty)
            for (int64_t tx = 0; tx < l->x.taps; ++tx, to += l->group_channels * nr)
                pack_tap(l, tap_of(l, ty, tx), group, j0, columns, to);
    }
}

/* ---- Products -------------------------------------------------------------------------------- */

/* The first channel of a pixel of the target. */
static plx_real *target_of(const lowering *l, int64_t pixel) {
    const int64_t x = pixel % l->x.count, y = pixel / l->x.count % l->y.count;
    const int64_t image = pixel / (l->x.count * l->y.count);
    const int64_t row = l->y.first_target + y * l->y.target_step;
    const int64_t column = l->x.first_target + x * l->x.target_step;
    return l->args->c + ((image * l->y.target + row) * l->x.target + column) * l->targets;
}

/* Whether the pixels of the phase are adjacent in the target. */
static bool is_dense(const lowering *l) {
    return l->y.target_step == 1 && l->x.target_step == 1;
}

/* Rows that lie side by side. (c - 0) 1 + bias has the bits of c + bias. */
static void finish_block(const lowering *l, int64_t rows, plx_real *c) {
    const plx__conv_args *args = l->args;
    const int64_t n = l->targets;
    if (args->bias) l->k->channel_norm(rows, n, c, l->zeros, l->ones, args->bias, c);
    plx__activate(l->ctx, args->act, args->act_param, rows * n, c, c);
}

static void finish_rows(const lowering *l, int64_t group, int64_t first, int64_t rows,
                        const plx_real *c, int64_t ldc) {
    const plx__conv_args *args = l->args;
    const int64_t n = l->group_targets;
    const bool dense = is_dense(l);
    if (dense && !args->bias && args->act == PLX_LINEAR) return;
    if (dense && ldc == n) {
        finish_block(l, rows, target_of(l, first));
        return;
    }
    for (int64_t i = 0; i < rows; ++i, c += ldc) {
        plx_real *to = target_of(l, first + i) + group * n;
        if (args->bias)
            l->k->add(n, c, 1, args->bias + group * n, 1, to);
        else if (!dense)
            memcpy(to, c, (size_t)n * sizeof *to);
        plx__activate(l->ctx, args->act, args->act_param, n, to, to);
    }
}

static void multiply_block(const lowering *l, const plx_real *b, int64_t rows, int64_t p0,
                           int64_t depth, const plx_real *a, plx_real *c, int64_t ldc,
                           bool accumulate) {
    const int64_t nr = l->k->nr, mr = l->k->mr;
    for (int64_t panel = 0; panel < l->panels; ++panel) {
        const int columns = (int)plx__least(nr, l->group_targets - panel * nr);
        const plx_real *from = b + (panel * l->depth + p0) * nr;
        for (int64_t i = 0; i < rows; i += mr)
            l->k->gemm(depth, a + i * l->lda, l->lda, 1, from, nr, c + i * ldc + panel * nr, ldc,
                       (int)plx__least(mr, rows - i), columns, accumulate);
    }
}

/* Pixels first..first+rows of one group. */
typedef struct block {
    int64_t group, first, rows;
    const plx_real *b;
    plx_real *a, *deep; /* scratch; deep: separate sums, and errors */
} block;

/* c = the product over depth begin..end. */
static void multiply_depth(const lowering *l, const block *k, int64_t begin, int64_t end,
                           plx_real *c, int64_t ldc) {
    for (int64_t p0 = begin; p0 < end; p0 += l->k->kc) {
        const int64_t depth = plx__least(l->k->kc, end - p0);
        gather(l, k->group, k->first, k->rows, p0, depth, k->a, l->lda);
        multiply_block(l, k->b, k->rows, p0, depth, k->a, c, ldc, p0 > begin);
    }
}

/* The same for the whole depth, in the order of deep sums (kernels.h). */
static void multiply_deep(const lowering *l, const block *k, plx_real *c, int64_t ldc) {
    const int64_t n = l->group_targets, size = k->rows * n;
    plx_real *sums = k->deep, *errors = sums + size;
    multiply_depth(l, k, 0, plx__least(PLX_GEMM_DEEP, l->depth), c, ldc);
    if (l->depth <= PLX_GEMM_DEEP) return;
    memset(errors, 0, (size_t)size * sizeof *errors);
    for (int64_t p = PLX_GEMM_DEEP; p < l->depth; p += PLX_GEMM_DEEP) {
        multiply_depth(l, k, p, plx__least(p + PLX_GEMM_DEEP, l->depth), sums, n);
        for (int64_t i = 0; i < k->rows; ++i)
            l->k->two_sum(n, sums + i * n, c + i * ldc, errors + i * n);
    }
    for (int64_t i = 0; i < k->rows; ++i)
        l->k->add(n, c + i * ldc, 1, errors + i * n, 1, c + i * ldc);
}

/* A unit is a block of pixels of one group. */
static void run_units(void *arg, int64_t begin, int64_t end, int worker) {
    const lowering *l = arg;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t group = unit % l->args->groups, first = unit / l->args->groups * l->rows;
        const int64_t rows = plx__least(l->rows, l->pixels - first);
        const bool dense = is_dense(l);
        plx_real *c = dense ? target_of(l, first) + group * l->group_targets
                            : l->c_blocks + worker * l->c_stride;
        const int64_t ldc = dense ? l->targets : l->group_targets;
        const block k = {.group = group,
                         .first = first,
                         .rows = rows,
                         .b = l->b_packed + group * l->panels * l->depth * l->k->nr,
                         .a = l->a_blocks + worker * l->a_stride,
                         .deep = l->deep_blocks + worker * l->deep_stride};
        for (int64_t i = 0; l->depth == 0 && i < rows; ++i)
            memset(c + i * ldc, 0, (size_t)l->group_targets * sizeof *c);
        multiply_deep(l, &k, c, ldc);
        finish_rows(l, group, first, rows, c, ldc);
    }
}

/* Sets the block sizes of a lowering; returns the size of the workspace in values. The first phase
 * has the most pixels, but another may have the most taps. */
static int64_t set_blocks(lowering *l, int threads, int64_t most_depth) {
    const plx_kernels *k = l->k;
    const int64_t fair = plx__round_up((l->pixels + threads - 1) / threads, k->mr);
    l->rows = plx__least(k->mc, fair > k->mr ? fair : k->mr);
    l->blocks = (l->pixels + l->rows - 1) / l->rows;
    l->lda = plx__conv_aligned(plx__least(k->kc, most_depth)) + GAP;
    l->a_stride = l->rows * l->lda;
    l->c_stride = is_dense(l) ? 0 : plx__conv_aligned(l->rows * l->group_targets);
    if (most_depth > PLX_GEMM_DEEP)
        l->deep_stride = plx__conv_aligned(2 * l->rows * l->group_targets);
    const int64_t packed = plx__conv_aligned(l->args->groups * l->panels * most_depth * k->nr);
    return packed + 2 * plx__conv_aligned(l->targets) +
           threads * (l->a_stride + l->c_stride + l->deep_stride);
}

/* The largest depth of any phase. */
static int64_t most_depth(const plx__conv_args *args) {
    int64_t taps = 1;
    for (int axis = 0; axis < 2; ++axis) {
        int64_t most = 0;
        for (int64_t phase = 0; phase < plx__conv_phases(args, axis); ++phase) {
            const int64_t own = plx__conv_phase(args, axis, phase).taps;
            if (own > most) most = own;
        }
        taps *= most;
    }
    return taps * (plx__conv_channels(args) / args->groups);
}

size_t plx__conv_lower_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    lowering l = make_lowering(ctx, args, 0, 0);
    return (size_t)set_blocks(&l, threads, most_depth(args)) * sizeof(plx_real);
}

static void run_phase(plx_ctx *ctx, const plx__conv_args *args, int64_t phase_y, int64_t phase_x,
                      int threads, int64_t depth, plx_real *workspace) {
    lowering l = make_lowering(ctx, args, phase_y, phase_x);
    if (!l.pixels) return;
    set_blocks(&l, threads, depth);
    l.a_blocks = workspace;
    l.c_blocks = l.a_blocks + threads * l.a_stride;
    l.deep_blocks = l.c_blocks + threads * l.c_stride;
    l.zeros = l.deep_blocks + threads * l.deep_stride;
    l.ones = l.zeros + plx__conv_aligned(l.targets);
    l.own_b = l.ones + plx__conv_aligned(l.targets);
    for (int64_t i = 0; args->bias && i < l.targets; ++i) {
        l.zeros[i] = 0;
        l.ones[i] = 1;
    }
    l.b_packed = args->packed_b ? args->packed_b : l.own_b;
    if (l.depth && !args->packed_b)
        plx__parallel_for(ctx->pool, threads, args->groups * l.panels, 1, pack_panels, &l);
    plx__parallel_for(ctx->pool, threads, l.blocks * args->groups, 1, run_units, &l);
}

void plx__conv_lower(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace) {
    const int64_t depth = most_depth(args);
    for (int64_t y = 0; y < plx__conv_phases(args, 0); ++y)
        for (int64_t x = 0; x < plx__conv_phases(args, 1); ++x)
            run_phase(ctx, args, y, x, threads, depth, workspace);
}

/* ---- The gradient of the weights: gathered rows, transposed, times the result's gradient ------
 */

typedef struct weights_sum {
    lowering l;
    int64_t parts, part_pixels;
    int64_t chunk, chunks; /* rows of the weights computed at a time */
    bool pack;             /* columns of the gradient would map to the same cache sets */
    plx_real *to;          /* parts, or the weights themselves */
    plx_real *scratch;
    int64_t scratch_stride, panel_at, sums_at;
} weights_sum;

/* Whether a part is too long for one plain sum: then groups of pixels are summed separately first.
 */
static bool is_deep(const weights_sum *s) {
    return s->part_pixels > PLX_GEMM_DEEP;
}

static weights_sum make_sum(const plx_ctx *ctx, const plx__conv_args *args) {
    enum { CHUNK = 128, CONFLICT = 512 };
    weights_sum s = {.l = make_lowering(ctx, args, 0, 0)};
    const plx_kernels *k = s.l.k;
    const int64_t values = s.l.depth * args->out;
    s.parts = plx__conv_parts(s.l.pixels, values);
    s.part_pixels = plx__round_up((s.l.pixels + s.parts - 1) / s.parts, k->kc);
    s.chunk = plx__least(CHUNK / k->mr * k->mr, plx__round_up(s.l.depth, k->mr));
    s.chunks = (s.l.depth + s.chunk - 1) / s.chunk;
    s.pack = args->out % CONFLICT == 0;
    s.l.lda = plx__conv_aligned(s.chunk) + GAP;
    s.panel_at = k->kc * s.l.lda;
    /* The last vector of a row would end past it: add_pixels packs the last panel. */
    const bool partial = s.l.group_targets % k->vl != 0;
    s.sums_at = s.panel_at + (s.pack || partial ? k->kc * k->nr : 0);
    s.scratch_stride = s.sums_at;
    if (is_deep(&s)) s.scratch_stride += plx__conv_aligned(2 * s.chunk * args->out);
    return s;
}

static int64_t parts_values(const weights_sum *s) {
    return s->parts > 1 ? plx__conv_aligned(s->parts * s->l.depth * s->l.args->out) : 0;
}

size_t plx__conv_lower_weights_workspace(const plx_ctx *ctx, const plx__conv_args *args,
                                         int threads) {
    const weights_sum s = make_sum(ctx, args);
    return (size_t)(parts_values(&s) + threads * s.scratch_stride) * sizeof(plx_real);
}

/* Adds the contribution of `pixels` pixels from first on to rows p0..p0+rows of the weights; to is
 * row p0. */
static void add_pixels(const weights_sum *s, int64_t group, int64_t p0, int64_t rows, int64_t first,
                       int64_t pixels, bool accumulate, plx_real *scratch, plx_real *to) {
    const lowering *l = &s->l;
    const int64_t nr = l->k->nr, mr = l->k->mr, out = l->args->out;
    gather(l, group, first, pixels, p0, rows, scratch, l->lda);
    for (int64_t j = 0; j < l->group_targets; j += nr) {
        const int columns = (int)plx__least(nr, l->group_targets - j);
        const int64_t at = group * l->group_targets + j;
        const plx_real *b = l->args->b + first * out + at;
        plx_real *packed = scratch + s->panel_at;
        const bool partial = columns % l->k->vl != 0, pack = s->pack || partial;
        const int64_t whole = plx__round_up(columns, l->k->vl);
        if (partial) memset(packed, 0, (size_t)(pixels * whole) * sizeof *packed);
        if (pack) l->k->copy_rows(pixels, columns, b, out, packed, whole);
        for (int64_t i = 0; i < rows; i += mr)
            l->k->gemm(pixels, scratch + i, 1, l->lda, pack ? packed : b, pack ? whole : out,
                       to + i * out + at, out, (int)plx__least(mr, rows - i), columns, accumulate);
    }
}

/* Adds the contribution of pixels begins..ends to rows p0..p0+rows of the weights of one group; to
 * is row p0. */
static void sum_pixels(const weights_sum *s, int64_t group, int64_t p0, int64_t rows,
                       int64_t begins, int64_t ends, plx_real *scratch, plx_real *to) {
    const int64_t kc = s->l.k->kc;
    for (int64_t first = begins; first < ends; first += kc)
        add_pixels(s, group, p0, rows, first, plx__least(kc, ends - first), first > begins, scratch,
                   to);
}

/* The same in the order of deep sums (kernels.h). */
static void sum_deep(const weights_sum *s, int64_t group, int64_t p0, int64_t rows, int64_t begins,
                     int64_t ends, plx_real *scratch, plx_real *to) {
    const lowering *l = &s->l;
    const int64_t out = l->args->out, columns = l->group_targets, at = group * columns;
    plx_real *sums = scratch + s->sums_at, *errors = sums + s->chunk * out;
    sum_pixels(s, group, p0, rows, begins, begins + PLX_GEMM_DEEP, scratch, to);
    memset(errors, 0, (size_t)(rows * out) * sizeof *errors);
    for (int64_t first = begins + PLX_GEMM_DEEP; first < ends; first += PLX_GEMM_DEEP) {
        sum_pixels(s, group, p0, rows, first, plx__least(first + PLX_GEMM_DEEP, ends), scratch,
                   sums);
        for (int64_t i = at; i < rows * out; i += out)
            l->k->two_sum(columns, sums + i, to + i, errors + i);
    }
    for (int64_t i = at; i < rows * out; i += out)
        l->k->add(columns, to + i, 1, errors + i, 1, to + i);
}

/* A unit is a block of rows of the weights of one group, in one part of the sum. */
static void sum_units(void *arg, int64_t begin, int64_t end, int worker) {
    const weights_sum *s = arg;
    const lowering *l = &s->l;
    plx_real *scratch = s->scratch + worker * s->scratch_stride;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t p0 = unit % s->chunks * s->chunk;
        const int64_t group = unit / s->chunks % l->args->groups;
        const int64_t part = unit / s->chunks / l->args->groups;
        const int64_t rows = plx__least(s->chunk, l->depth - p0);
        const int64_t begins = part * s->part_pixels;
        const int64_t ends = plx__least(begins + s->part_pixels, l->pixels);
        plx_real *to = s->to + (part * l->depth + p0) * l->args->out;
        (ends - begins > PLX_GEMM_DEEP ? sum_deep : sum_pixels)(s, group, p0, rows, begins, ends,
                                                                scratch, to);
    }
}

void plx__conv_lower_weights(plx_ctx *ctx, const plx__conv_args *args, int threads,
                             void *workspace) {
    weights_sum s = make_sum(ctx, args);
    const int64_t values = s.l.depth * args->out;
    if (!s.l.pixels) {
        memset(args->c, 0, (size_t)values * sizeof *args->c);
        return;
    }
    s.parts = (s.l.pixels + s.part_pixels - 1) / s.part_pixels;
    s.scratch = workspace;
    s.to = s.parts > 1 ? s.scratch + threads * s.scratch_stride : args->c;
    plx__parallel_for(ctx->pool, threads, s.parts * args->groups * s.chunks, 1, sum_units, &s);
    if (s.parts > 1) plx__conv_add_parts(ctx, s.parts, values, s.to, args->c, threads);
}
