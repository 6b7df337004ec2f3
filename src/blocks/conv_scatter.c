/* Convolution to few channels: a product gives what a row of source pixels adds to every target
 * pixel under the kernel, [pixel][kernel row, kernel column, target channel], and its runs are
 * added to the target (the lowering of conv_lower.c, transposed). Threads share bands of target
 * rows; each element sums source pixels in ascending order, whatever the bands. */
#include "blocks/conv_methods.h"

#include "blocks/gemm.h"

#include <assert.h>
#include <string.h>

/* Pixel i of the source adds to pixel i * stride + first + k * step of the target through tap k. */
typedef struct scatter_axis {
    int64_t source, target, stride, first, step, taps;
} scatter_axis;

typedef struct scatter {
    const plx_ctx *ctx;
    const plx_kernels *k;
    const plx__conv_args *args;
    scatter_axis y, x;
    int64_t channels, targets;
    int64_t row_columns; /* of the product, for one kernel row */
    int64_t columns, ldw;
    int64_t chunk;       /* pixels of the source per product */
    int64_t band, bands; /* rows of the target per band; bands per image */
    plx_real *weights;   /* [channels][columns] */
    plx_real *bias_row;  /* the bias for a row of the target */
    plx_real *products;  /* per worker */
    int64_t products_stride;
} scatter;

/* A convolution with stride 1 equals its transpose with flipped weights. */
static scatter_axis axis_of(const plx__conv_args *args, int axis) {
    const bool transposed = args->kind == PLX__CONV_TRANSPOSE;
    const int64_t step = args->dilation[axis], taps = args->kernel[axis];
    return (scatter_axis){
        .source = transposed ? args->result[axis] : args->image[axis],
        .target = transposed ? args->image[axis] : args->result[axis],
        .stride = args->stride[axis],
        .first = transposed ? -args->before[axis] : args->before[axis] - (taps - 1) * step,
        .step = step,
        .taps = taps,
    };
}

static scatter make_scatter(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    enum { GAP = 16, ROWS = 96, BANDS_PER_THREAD = 4 };
    scatter s = {.ctx = ctx, .k = ctx->kernels, .args = args};
    s.y = axis_of(args, 0);
    s.x = axis_of(args, 1);
    s.channels = plx__conv_channels(args);
    s.targets = plx__conv_targets(args);
    s.row_columns = s.x.taps * s.targets;
    s.columns = s.y.taps * s.row_columns;
    s.ldw = plx__conv_aligned(s.columns) + GAP;
    s.chunk = plx__least(ROWS / s.k->mr * s.k->mr, s.x.source);
    s.band = s.y.target;
    if (threads > 1) {
        const int64_t fair = args->n * s.y.target / ((int64_t)threads * BANDS_PER_THREAD) + 1;
        s.band = plx__least(s.band, fair);
    }
    s.bands = (s.y.target + s.band - 1) / s.band;
    s.products_stride = plx__conv_aligned(s.chunk * s.ldw);
    return s;
}

/* ---- Weights --------------------------------------------------------------------------------- */

static void pack_weights(const scatter *s) {
    const bool transposed = s->args->kind == PLX__CONV_TRANSPOSE;
    const int64_t taps = s->y.taps * s->x.taps, values = s->channels * s->targets;
    assert(s->weights);
    /* Products read whole vectors. */
    for (int64_t i = 0; i < s->channels; ++i)
        memset(s->weights + i * s->ldw + s->columns, 0,
               (size_t)(s->ldw - s->columns) * sizeof *s->weights);
    for (int64_t tap = 0; tap < taps; ++tap) {
        plx_real *to = s->weights + tap * s->targets;
        if (transposed)
            s->k->transpose(s->targets, s->channels, s->args->b + tap * values, s->channels, to,
                            s->ldw);
        else
            s->k->copy_rows(s->channels, s->targets, s->args->b + (taps - 1 - tap) * values,
                            s->targets, to, s->ldw);
    }
}

static void spread_bias(const scatter *s) {
    assert(s->bias_row);
    for (int64_t x = 0; s->args->bias && x < s->x.target; ++x)
        memcpy(s->bias_row + x * s->targets, s->args->bias,
               (size_t)s->targets * sizeof *s->bias_row);
}

/* ---- Products and sums ----------------------------------------------------------------------- */

/* Multiplies `pixels` pixels from a on by columns from..from + count of the weights. */
static void multiply(const scatter *s, const plx_real *a, int64_t pixels, int64_t from,
                     int64_t count, plx_real *to) {
    const int64_t mr = s->k->mr, nr = s->k->nr;
    for (int64_t p0 = 0; p0 < s->channels; p0 += s->k->kc) {
        const int64_t depth = plx__least(s->k->kc, s->channels - p0);
        for (int64_t j = 0; j < count; j += nr)
            for (int64_t i = 0; i < pixels; i += mr)
                s->k->gemm(depth, a + i * s->channels + p0, s->channels, 1,
                           s->weights + p0 * s->ldw + from + j, s->ldw, to + i * s->ldw + j, s->ldw,
                           (int)plx__least(mr, pixels - i), (int)plx__least(nr, count - j), p0 > 0);
    }
}

/* Adds the contribution of one pixel to a row of the target, through one row of the kernel. */
static void add_run(const scatter *s, const plx_real *product, int64_t x, plx_real *row) {
    const bool whole = s->x.step == 1;
    const int64_t runs = whole ? 1 : s->x.taps, width = s->x.target * s->targets;
    const int64_t run = whole ? s->row_columns : s->targets;
    for (int64_t k = 0; k < runs; ++k, product += run) {
        const int64_t at = (x * s->x.stride + s->x.first + k * s->x.step) * s->targets;
        const int64_t begin = at < 0 ? -at : 0, end = plx__least(run, width - at);
        if (begin < end)
            s->k->add(end - begin, row + at + begin, 1, product + begin, 1, row + at + begin);
    }
}

/* Adds source row y to target rows begin..end of an image. */
static void add_row(const scatter *s, const plx_real *source, int64_t y, plx_real *target,
                    int64_t begin, int64_t end, plx_real *products) {
    const int64_t at = y * s->y.stride + s->y.first;
    const plx__conv_range taps = plx__conv_clip(plx__conv_ceiling(begin - at, s->y.step),
                                                plx__conv_ceiling(end - at, s->y.step), s->y.taps);
    if (taps.begin == taps.end) return;
    for (int64_t x = 0; x < s->x.source; x += s->chunk) {
        const int64_t pixels = plx__least(s->chunk, s->x.source - x);
        multiply(s, source + (y * s->x.source + x) * s->channels, pixels,
                 taps.begin * s->row_columns, (taps.end - taps.begin) * s->row_columns, products);
        for (int64_t i = 0; i < pixels; ++i)
            for (int64_t k = taps.begin; k < taps.end; ++k)
                add_run(s, products + i * s->ldw + (k - taps.begin) * s->row_columns, x + i,
                        target + (at + k * s->y.step) * s->x.target * s->targets);
    }
}

static void run_bands(void *arg, int64_t begin, int64_t end, int worker) {
    const scatter *s = arg;
    const plx__conv_args *args = s->args;
    plx_real *products = s->products + worker * s->products_stride;
    const int64_t row = s->x.target * s->targets;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t image = unit / s->bands, first = unit % s->bands * s->band;
        const int64_t last = plx__least(first + s->band, s->y.target);
        plx_real *target = args->c + image * s->y.target * row;
        memset(target + first * row, 0, (size_t)((last - first) * row) * sizeof *target);
        for (int64_t y = 0; y < s->y.source; ++y)
            add_row(s, args->a + image * s->y.source * s->x.source * s->channels, y, target, first,
                    last, products);
        for (int64_t y = first; y < last; ++y) {
            plx_real *to = target + y * row;
            if (args->bias) s->k->add(row, to, 1, s->bias_row, 1, to);
            plx__activate(s->ctx, args->act, args->act_param, row, to, to);
        }
    }
}

static int64_t lay_out(scatter *s, int threads, plx_real *workspace) {
    const int64_t weights = s->channels * s->ldw;
    const int64_t bias = plx__conv_aligned(s->x.target * s->targets);
    if (workspace) {
        s->weights = workspace;
        s->bias_row = workspace + weights;
        s->products = workspace + weights + bias;
    }
    return weights + bias + threads * s->products_stride;
}

size_t plx__conv_scatter_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    scatter s = make_scatter(ctx, args, threads);
    return (size_t)lay_out(&s, threads, NULL) * sizeof(plx_real);
}

void plx__conv_scatter(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace) {
    scatter s = make_scatter(ctx, args, threads);
    lay_out(&s, threads, workspace);
    pack_weights(&s);
    spread_bias(&s);
    plx__parallel_for(ctx->pool, threads, args->n * s.bands, 1, run_bands, &s);
}
