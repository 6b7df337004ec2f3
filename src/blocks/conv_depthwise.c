/* Depthwise convolution: one input channel to one output channel, read directly from the image.
 * Pixels whose taps all lie inside the image go to the kernel a row at a time; those at the edges
 * go one by one, with the taps that lie inside. */
#include "blocks/conv_methods.h"

#include "blocks/gemm.h"

#include <assert.h>
#include <string.h>

typedef struct depthwise {
    const plx_ctx *ctx;
    const plx__conv_args *args;
    plx__conv_axis y, x;
    int64_t channels;
    int64_t taps;                        /* of the kernel */
    const plx_real **sources, **weights; /* per worker, one per tap */
    plx_real **gradients;
    int64_t parts, part_rows; /* of the sum for the weights */
    plx_real *to, *beside;    /* beside: sums and errors, per worker */
} depthwise;

typedef plx__conv_range range;

/* The taps of result i that lie inside the source. */
static range taps_inside(const plx__conv_axis *a, int64_t i) {
    const int64_t at = a->first_source + i * a->stride;
    return plx__conv_clip(plx__conv_ceiling(-at, a->source_step),
                          plx__conv_ceiling(a->source - at, a->source_step), a->taps);
}

/* The results for which taps first..last lie inside the source. */
static range results_inside(const plx__conv_axis *a, int64_t first, int64_t last) {
    const int64_t low = a->first_source + first * a->source_step;
    const int64_t high = a->first_source + last * a->source_step;
    return plx__conv_clip(plx__conv_ceiling(-low, a->stride),
                          plx__conv_ceiling(a->source - high, a->stride), a->count);
}

static depthwise make_depthwise(const plx_ctx *ctx, const plx__conv_args *args) {
    return (depthwise){.ctx = ctx,
                       .args = args,
                       .y = plx__conv_phase(args, 0, 0),
                       .x = plx__conv_phase(args, 1, 0),
                       .channels = args->in,
                       .taps = args->kernel[0] * args->kernel[1]};
}

/* Sets pointers to the taps in both ranges, for result x = 0. Returns their number. */
static int64_t point_sources(const depthwise *d, int64_t image, int64_t y, range ty, range tx,
                             const plx_real **to) {
    int64_t count = 0;
    for (int64_t i = ty.begin; i < ty.end; ++i)
        for (int64_t j = tx.begin; j < tx.end; ++j) {
            const int64_t row = d->y.first_source + y * d->y.stride + i * d->y.source_step;
            const int64_t column = d->x.first_source + j * d->x.source_step;
            to[count++] =
                d->args->a + ((image * d->y.source + row) * d->x.source + column) * d->channels;
        }
    return count;
}

/* The index in the weights of tap t among those. */
static int64_t tap_at(const depthwise *d, range ty, range tx, int64_t t) {
    const int64_t across = tx.end - tx.begin;
    assert(across > 0);
    const int64_t ky = d->y.first_kernel + (ty.begin + t / across) * d->y.kernel_step;
    const int64_t kx = d->x.first_kernel + (tx.begin + t % across) * d->x.kernel_step;
    return (ky * d->args->kernel[1] + kx) * d->channels;
}

/* ---- Forward and transposed ------------------------------------------------------------------ */

typedef struct row_of_results {
    int64_t image, y;
    range taps; /* rows of the kernel */
    plx_real *to;
    const plx_real **sources, **weights;
} row_of_results;

static void run_pixels(const depthwise *d, const row_of_results *row, range x, range tx) {
    const int64_t source_step = d->x.stride * d->channels;
    const int64_t taps = point_sources(d, row->image, row->y, row->taps, tx, row->sources);
    for (int64_t t = 0; t < taps; ++t) {
        row->sources[t] += x.begin * source_step;
        row->weights[t] = d->args->b + tap_at(d, row->taps, tx, t);
    }
    d->ctx->kernels->depthwise(
        x.end - x.begin, d->channels, taps, row->sources, source_step, row->weights, d->args->bias,
        row->to + x.begin * d->x.target_step * d->channels, d->x.target_step * d->channels);
}

static void run_row(const depthwise *d, const row_of_results *row) {
    const range all = {0, d->x.taps}, whole = results_inside(&d->x, 0, d->x.taps - 1);
    for (int64_t x = 0; x < d->x.count; ++x) {
        if (x == whole.begin && whole.end > x) {
            run_pixels(d, row, whole, all);
            x = whole.end - 1;
        } else {
            run_pixels(d, row, (range){x, x + 1}, taps_inside(&d->x, x));
        }
    }
    const plx__conv_args *args = d->args;
    if (args->act == PLX_LINEAR) return;
    const bool dense = d->x.target_step == 1;
    const int64_t pieces = dense ? 1 : d->x.count, n = (dense ? d->x.count : 1) * d->channels;
    for (int64_t i = 0; i < pieces; ++i) {
        plx_real *to = row->to + i * d->x.target_step * d->channels;
        plx__activate(d->ctx, args->act, args->act_param, n, to, to);
    }
}

/* A unit is a row of an image of the target. */
static void run_rows(void *arg, int64_t begin, int64_t end, int worker) {
    depthwise d = *(const depthwise *)arg;
    const plx__conv_args *args = d.args;
    const int64_t phases_y = plx__conv_phases(args, 0), phases_x = plx__conv_phases(args, 1);
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t image = unit / d.y.target, at = unit % d.y.target;
        const int64_t y = at / phases_y;
        d.y = plx__conv_phase(args, 0, at % phases_y);
        for (int64_t phase = 0; phase < phases_x; ++phase) {
            d.x = plx__conv_phase(args, 1, phase);
            const row_of_results row = {
                .image = image,
                .y = y,
                .taps = taps_inside(&d.y, y),
                .to = args->c + (unit * d.x.target + phase) * d.channels,
                .sources = d.sources + worker * d.taps,
                .weights = d.weights + worker * d.taps,
            };
            run_row(&d, &row);
        }
    }
}

static size_t pointers_bytes(const plx__conv_args *args, int threads) {
    const int64_t taps = args->kernel[0] * args->kernel[1];
    const size_t bytes = (size_t)(threads * 2 * taps) * sizeof(plx_real *);
    return (bytes + 63) / 64 * 64;
}

size_t plx__conv_depthwise_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    (void)ctx;
    return pointers_bytes(args, threads);
}

void plx__conv_depthwise(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace) {
    depthwise d = make_depthwise(ctx, args);
    d.sources = workspace;
    d.weights = d.sources + threads * d.taps;
    const int64_t rows = args->n * d.y.target;
    plx__parallel_for(ctx->pool, threads, rows, plx__grain(rows, d.x.target * d.channels, threads),
                      run_rows, &d);
}

/* ---- The gradient of the weights ------------------------------------------------------------- */

typedef struct row_of_gradients {
    int64_t image, y;
    range taps; /* rows of the kernel */
    const plx_real *gy;
    plx_real *weights;
    int64_t chains; /* chains added to the weights so far */
    const plx_real **sources;
    plx_real **gradients;
} row_of_gradients;

static void add_chain(const depthwise *d, row_of_gradients *row, range x, range tx) {
    const int64_t source_step = d->x.stride * d->channels;
    const int64_t taps = point_sources(d, row->image, row->y, row->taps, tx, row->sources);
    for (int64_t t = 0; t < taps; ++t) {
        row->sources[t] += x.begin * source_step;
        row->gradients[t] = row->weights + tap_at(d, row->taps, tx, t);
    }
    d->ctx->kernels->depthwise_weights(x.end - x.begin, d->channels, taps, row->sources,
                                       source_step, row->gy + x.begin * d->channels, d->channels,
                                       row->gradients);
    row->chains += 1;
}

static void add_pixels(const depthwise *d, row_of_gradients *row, range x, range tx) {
    for (int64_t i = x.begin; i < x.end; i += PLX_GEMM_CHAIN)
        add_chain(d, row, (range){i, plx__least(i + PLX_GEMM_CHAIN, x.end)}, tx);
}

static void add_row(const depthwise *d, row_of_gradients *row) {
    const range all = {0, d->x.taps}, whole = results_inside(&d->x, 0, d->x.taps - 1);
    for (int64_t x = 0; x < d->x.count; ++x) {
        if (x == whole.begin && whole.end > x) {
            add_pixels(d, row, whole, all);
            x = whole.end - 1;
        } else {
            add_pixels(d, row, (range){x, x + 1}, taps_inside(&d->x, x));
        }
    }
}

static int64_t values_of(const depthwise *d) {
    return d->taps * d->channels;
}

/* Sums rows first..last in the order of deep sums (kernels.h): chains are added up in a separate
 * sum, which is then added to the weights with its rounding error. */
static void sum_rows(const depthwise *d, int64_t first, int64_t last, int worker, plx_real *to) {
    enum { CHAINS = PLX_GEMM_DEEP / PLX_GEMM_CHAIN };
    const plx_kernels *k = d->ctx->kernels;
    const int64_t values = values_of(d);
    const size_t bytes = (size_t)values * sizeof *to;
    plx_real *sums = d->beside + worker * 2 * values, *errors = sums + values;
    row_of_gradients row = {.sources = d->sources + worker * d->taps,
                            .gradients = d->gradients + worker * d->taps,
                            .weights = sums};
    memset(to, 0, bytes);
    memset(sums, 0, bytes);
    memset(errors, 0, bytes);
    for (int64_t i = first; i < last; ++i) {
        row.image = i / d->y.count;
        row.y = i % d->y.count;
        row.taps = taps_inside(&d->y, row.y);
        row.gy = d->args->b + i * d->x.target * d->channels;
        add_row(d, &row);
        if (row.chains < CHAINS && i + 1 < last) continue;
        k->two_sum(values, sums, to, errors);
        memset(sums, 0, bytes);
        row.chains = 0;
    }
    k->add(values, to, 1, errors, 1, to);
}

/* A unit is a part of the rows. */
static void add_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const depthwise *d = arg;
    const int64_t rows = d->args->n * d->y.count;
    for (int64_t part = begin; part < end; ++part)
        sum_rows(d, part * d->part_rows, plx__least((part + 1) * d->part_rows, rows), worker,
                 d->to + part * values_of(d));
}

static depthwise make_sum(const plx_ctx *ctx, const plx__conv_args *args) {
    depthwise d = make_depthwise(ctx, args);
    const int64_t rows = args->n * d.y.count;
    const int64_t values = args->kernel[0] * args->kernel[1] * d.channels;
    const int64_t parts = plx__least(plx__conv_parts(rows * d.x.count * d.channels, values), rows);
    d.parts = parts > 1 ? parts : 1;
    d.part_rows = (rows + d.parts - 1) / d.parts;
    return d;
}

size_t plx__conv_depthwise_weights_workspace(const plx_ctx *ctx, const plx__conv_args *args,
                                             int threads) {
    const depthwise d = make_sum(ctx, args);
    const int64_t sums = 2 * threads + (d.parts > 1 ? d.parts : 0);
    return pointers_bytes(args, threads) + (size_t)(sums * values_of(&d)) * sizeof(plx_real);
}

void plx__conv_depthwise_weights(plx_ctx *ctx, const plx__conv_args *args, int threads,
                                 void *workspace) {
    depthwise d = make_sum(ctx, args);
    const int64_t values = values_of(&d);
    d.sources = workspace;
    d.gradients = (plx_real **)workspace + threads * d.taps;
    d.beside = (plx_real *)((char *)workspace + pointers_bytes(args, threads));
    d.to = d.parts > 1 ? d.beside + 2 * threads * values : args->c;
    plx__parallel_for(ctx->pool, threads, d.parts, 1, add_rows, &d);
    if (d.parts > 1) plx__conv_add_parts(ctx, d.parts, values, d.to, args->c, threads);
}
