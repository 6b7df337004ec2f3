/* Pooling of images [n, height, width, channels]: each output comes from a window of pixels,
 * clipped at the edges, so that padding is never read. */
#include "base/sizes.h"
#include "ops/op.h"

#include <string.h>

/* Sizes for both directions: x is [n, h, w, c], the pooled image [n, ph, pw, c]. */
typedef struct pool {
    int64_t n, h, w, c, ph, pw;
    int64_t dilation[2], reach[2];          /* of a window: pixels from its first to its last */
    const int64_t *size, *stride, *padding; /* in attrs */
    bool count_padding;
} pool;

static int64_t dilation_of(const plx__pool_attrs *a, int axis) {
    return plx__most(a->dilation[axis], 1);
}

static int64_t reach_of(const plx__pool_attrs *a, int axis) {
    return dilation_of(a, axis) * (a->size[axis] - 1) + 1;
}

/* The number of windows along an axis of this size. */
static int64_t pooled(int64_t x, const plx__pool_attrs *a, int axis) {
    const int64_t stride = a->stride[axis], *padding = a->padding + 2 * axis;
    const int64_t room = x + padding[0] + padding[1] - reach_of(a, axis);
    if (!a->ceil) return room / stride + 1;
    const int64_t last = (room + stride - 1) / stride;
    return last * stride < x + padding[0] ? last + 1 : last;
}

static pool pool_of(const int64_t *dims, const plx__attrs *attrs) {
    const plx__pool_attrs *a = &attrs->pool;
    return (pool){.n = dims[0],
                  .h = dims[1],
                  .w = dims[2],
                  .c = dims[3],
                  .ph = pooled(dims[1], a, 0),
                  .pw = pooled(dims[2], a, 1),
                  .dilation = {dilation_of(a, 0), dilation_of(a, 1)},
                  .reach = {reach_of(a, 0), reach_of(a, 1)},
                  .size = a->size,
                  .stride = a->stride,
                  .padding = a->padding,
                  .count_padding = a->count_padding};
}

/* value / by for by above 0, rounded up; 0 for negative values. */
static int64_t parts_of(int64_t value, int64_t by) {
    return value > 0 ? (value + by - 1) / by : 0;
}

/* Neighbouring windows that have the same part inside the image. */
typedef struct span {
    int64_t row, rows, column, columns; /* of the first window, in the image */
    int64_t count;                      /* of windows */
    int64_t padded;                     /* pixels of a window inside image and padding */
} span;

/* The pixels of a window, the first of which is at `from`, that lie below size: those in the image
 * (0 to size) begin at *first, and the result is their number. */
static int64_t clipped(const pool *p, int axis, int64_t from, int64_t size, int64_t *first) {
    const int64_t dilation = p->dilation[axis], outside = parts_of(-from, dilation);
    *first = from + outside * dilation;
    return plx__least(p->size[axis], parts_of(size - from, dilation)) - outside;
}

/* The span that begins at output (i, j). */
static span span_at(const pool *p, int64_t i, int64_t j) {
    const int64_t top = i * p->stride[0] - p->padding[0], left = j * p->stride[1] - p->padding[2];
    span s = {.count = 1};
    s.rows = clipped(p, 0, top, p->h, &s.row);
    s.columns = clipped(p, 1, left, p->w, &s.column);
    s.padded = plx__least(p->size[0], parts_of(p->h + p->padding[1] - top, p->dilation[0])) *
               plx__least(p->size[1], parts_of(p->w + p->padding[3] - left, p->dilation[1]));
    if (s.columns == p->size[1]) {
        const int64_t whole = (p->w - p->reach[1] + p->padding[2]) / p->stride[1] + 1;
        s.count = plx__least(whole, p->pw) - j;
    }
    return s;
}

static plx_status check_axis(plx_graph *graph, const plx__node *node, int axis, const char *unit) {
    const plx__node *x = plx__input_of(graph, node, 0);
    const char *name = node->op->name;
    const plx__pool_attrs *a = &node->attrs.pool;
    const int64_t size = a->size[axis], stride = a->stride[axis], have = x->dims[1 + axis];
    const int64_t before = a->padding[2 * axis], after = a->padding[2 * axis + 1];
    if (size < 1 || size > INT32_MAX || stride < 1 || stride > INT32_MAX)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "%s: the window has %lld %s and stride %lld; each must be 1 to %d",
                               name, (long long)size, unit, (long long)stride, INT32_MAX);
    if (before < 0 || after < 0 || before >= size || after >= size)
        return plx__graph_fail(
            graph, PLX_ERR_ARGUMENT,
            "%s: padding is %lld and %lld %s; each must be at least 0 and below the window's %lld",
            name, (long long)before, (long long)after, unit, (long long)size);
    /* So each window has a pixel in the image. */
    const int64_t dilation = a->dilation[axis], most = plx__least(have, INT32_MAX);
    if (dilation < 0 || (dilation > 1 && dilation > most))
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "%s: the dilation is %lld %s; it must be 1 to the %lld of x", name,
                               (long long)dilation, unit, (long long)most);
    if (have < 1 || have + before + after < reach_of(a, axis))
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: a window of %lld %s does not fit into %lld %s plus padding",
                               name, (long long)reach_of(a, axis), unit, (long long)have, unit);
    return PLX_OK;
}

static plx_status check_image(plx_graph *graph, const plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    if (x->rank == 4) return PLX_OK;
    return plx__graph_fail(graph, PLX_ERR_SHAPE,
                           "%s: x has rank %d; it must be 4 (n, height, width, channels)",
                           node->op->name, x->rank);
}

static plx_status infer_pool(plx_graph *graph, plx__node *node) {
    PLX_TRY(check_image(graph, node));
    PLX_TRY(check_axis(graph, node, 0, "rows"));
    PLX_TRY(check_axis(graph, node, 1, "columns"));
    plx__copy_shape(node, plx__input_of(graph, node, 0));
    const pool p = pool_of(node->dims, &node->attrs);
    node->dims[1] = p.ph;
    node->dims[2] = p.pw;
    return PLX_OK;
}

typedef struct pool_job {
    const plx_kernels *kernels;
    pool p;
    const plx_real *x, *gy;
    plx_real *y;
} pool_job;

/* Elements from one row of the image to the next, and from one row, column or window to the next.
 */
static int64_t image_row(const pool *p) {
    return p->w * p->c;
}

static int64_t row_of(const pool *p) {
    return p->dilation[0] * image_row(p);
}

static int64_t column_of(const pool *p) {
    return p->dilation[1] * p->c;
}

static int64_t step_of(const pool *p) {
    return p->stride[1] * p->c;
}

static plx_real average_factor(const pool *p, span s) {
    return 1 / (plx_real)(p->count_padding ? s.padded : s.rows * s.columns);
}

static int64_t offset_of(const pool *p, int64_t image, span s) {
    return ((image * p->h + s.row) * p->w + s.column) * p->c;
}

/* ---- Forward: units are rows of the pooled image --------------------------------------------- */

static void max_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const pool_job *job = arg;
    const pool *p = &job->p;
    span s;
    for (int64_t unit = begin; unit < end; ++unit)
        for (int64_t j = 0; j < p->pw; j += s.count) {
            s = span_at(p, unit % p->ph, j);
            job->kernels->pool_max(s.count, p->c, s.rows, s.columns,
                                   job->x + offset_of(p, unit / p->ph, s), row_of(p), column_of(p),
                                   step_of(p), job->y + (unit * p->pw + j) * p->c);
        }
}

static void average_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const pool_job *job = arg;
    const pool *p = &job->p;
    span s;
    for (int64_t unit = begin; unit < end; ++unit)
        for (int64_t j = 0; j < p->pw; j += s.count) {
            s = span_at(p, unit % p->ph, j);
            job->kernels->pool_sum(
                s.count, p->c, s.rows, s.columns, job->x + offset_of(p, unit / p->ph, s), row_of(p),
                column_of(p), step_of(p), average_factor(p, s), job->y + (unit * p->pw + j) * p->c);
        }
}

static plx_status run_forward(plx_ctx *ctx, const plx__step *step, plx__loop_fn rows) {
    if (!step->out.size) return PLX_OK;
    pool_job job = {ctx->kernels, pool_of(step->in[0].dims, &step->attrs), PLX_IN(step, 0), NULL,
                    PLX_OUT(step)};
    const int64_t units = job.p.n * job.p.ph, each = step->in[0].size / units;
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, units, plx__grain(units, each, step->threads), rows,
                      &job);
    return PLX_OK;
}

static plx_status run_max_pool2d(plx_ctx *ctx, const plx__step *step) {
    return run_forward(ctx, step, max_rows);
}

static plx_status run_avg_pool2d(plx_ctx *ctx, const plx__step *step) {
    return run_forward(ctx, step, average_rows);
}

/* ---- Backward: units are rows of x ----------------------------------------------------------- */

/* Rows begin..end - 1 of one image, and the pooled rows whose windows reach them. Each element
 * gets its terms in the order of the windows, wherever the rows are cut. */
typedef struct strip {
    int64_t image, begin, end, first, last;
} strip;

static strip strip_at(const pool *p, int64_t unit, int64_t end) {
    strip s = {.image = unit / p->h, .begin = unit % p->h};
    s.end = plx__least(p->h, s.begin + end - unit);
    const int64_t before = s.begin + p->padding[0] - p->reach[0];
    s.first = before < 0 ? 0 : before / p->stride[0] + 1;
    s.last = plx__least(p->ph, (s.end - 1 + p->padding[0]) / p->stride[0] + 1);
    return s;
}

static plx_real *clear_strip(const pool_job *job, const strip *s) {
    const pool *p = &job->p;
    plx_real *gx = job->y + (s->image * p->h + s->begin) * image_row(p);
    memset(gx, 0, (size_t)((s->end - s->begin) * image_row(p)) * sizeof *gx);
    return gx;
}

/* Those rows of a window that a strip has: *first, counted from the window's, up to the result. */
static int64_t rows_in(const pool *p, const strip *t, span s, int64_t *first) {
    *first = parts_of(t->begin - s.row, p->dilation[0]);
    return plx__least(parts_of(t->end - s.row, p->dilation[0]), s.rows);
}

static void max_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const pool_job *job = arg;
    const pool *p = &job->p;
    span s;
    for (int64_t unit = begin; unit < end;) {
        const strip t = strip_at(p, unit, end);
        clear_strip(job, &t);
        for (int64_t i = t.first; i < t.last; ++i)
            for (int64_t j = 0; j < p->pw; j += s.count) {
                s = span_at(p, i, j);
                int64_t first;
                const int64_t at = offset_of(p, t.image, s), end_row = rows_in(p, &t, s, &first);
                job->kernels->pool_max_grad(s.count, p->c, s.rows, s.columns, job->x + at,
                                            row_of(p), column_of(p), step_of(p),
                                            job->gy + ((t.image * p->ph + i) * p->pw + j) * p->c,
                                            first, end_row, job->y + at);
            }
        unit += t.end - t.begin;
    }
}

static void average_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const pool_job *job = arg;
    const pool *p = &job->p;
    span s;
    for (int64_t unit = begin; unit < end;) {
        const strip t = strip_at(p, unit, end);
        clear_strip(job, &t);
        for (int64_t i = t.first; i < t.last; ++i)
            for (int64_t j = 0; j < p->pw; j += s.count) {
                s = span_at(p, i, j);
                int64_t first;
                const plx_real factor = average_factor(p, s);
                const int64_t rows = rows_in(p, &t, s, &first) - first;
                s.row += first * p->dilation[0];
                if (rows <= 0) continue; /* a strip between the rows of a dilated window */
                job->kernels->pool_spread(s.count, p->c, rows, s.columns,
                                          job->gy + ((t.image * p->ph + i) * p->pw + j) * p->c,
                                          row_of(p), column_of(p), step_of(p), factor,
                                          job->y + offset_of(p, t.image, s));
            }
        unit += t.end - t.begin;
    }
}

static plx_status run_backward(plx_ctx *ctx, const plx__step *step, plx__loop_fn strips) {
    if (!step->out.size) return PLX_OK;
    const int last = step->in_count - 1;
    pool_job job = {ctx->kernels, pool_of(step->out.dims, &step->attrs), PLX_IN(step, 0),
                    PLX_IN(step, last), PLX_OUT(step)};
    const int64_t units = job.p.n * job.p.h;
    const int64_t grain = plx__grain(units, image_row(&job.p), step->threads);
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, units, plx__most(grain, job.p.reach[0]), strips,
                      &job);
    return PLX_OK;
}

static plx_status run_max_pool2d_grad(plx_ctx *ctx, const plx__step *step) {
    return run_backward(ctx, step, max_strips);
}

static plx_status run_avg_pool2d_grad(plx_ctx *ctx, const plx__step *step) {
    return run_backward(ctx, step, average_strips);
}

static void gradient_max_pool2d(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT2(graph, &plx__op_max_pool2d_grad, node.inputs[0], gy, &node.attrs);
}

/* avg_pool2d_grad(gy): the target of attrs is the shape of x. */
static void gradient_avg_pool2d(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = node.attrs;
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT1(graph, &plx__op_avg_pool2d_grad, gy, &attrs);
}

static plx__cost cost_pool(const plx_graph *graph, const plx__node *node) {
    const plx__node *x =
        PLX__IS_GRADIENT(node->op, avg_pool2d) ? node : plx__input_of(graph, node, 0);
    const double windows =
        (double)plx__size(PLX__IS_GRADIENT(node->op, max_pool2d)   ? plx__input_of(graph, node, 1)
                          : PLX__IS_GRADIENT(node->op, avg_pool2d) ? plx__input_of(graph, node, 0)
                                                                   : node);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    const double taps = windows * (double)(node->attrs.pool.size[0] * node->attrs.pool.size[1]);
    const double visits = taps / (double)(plx__size(x) + 1);
    cost.flops = taps;
    if (visits > 1) cost.weight = 0.5 + 0.5 * visits;
    return cost;
}

static const char pool_samples[] =
    "2x6x4x5 : size 2 stride 2; 1x7x9x3 : size 3 stride 2 padding 1; "
    "2x5x6x4 : size 3 2 stride 1 padding 2 0 1 1 count_padding 1; "
    "1x4x9x17 : size 2 3 stride 3 4 padding 0 1 0 2 count_padding 1; 1x3x2x70 : size 3 2 stride 1; "
    "3x1x1x1 : size 1 stride 1; 1x1x1x2 : size 4 stride 1 padding 3 count_padding 1; "
    "2x40x7x3 : size 3 stride 1 2 padding 1 1 0 0; 0x4x4x3 : size 2 stride 2; "
    "2x4x4x0 : size 2 stride 2; 2x7x8x3 : size 3 2 stride 2 3 padding 1 dilation 2 3; "
    "1x1x12x5 : size 1 3 stride 1 2 padding 0 0 2 1 dilation 1 4 count_padding 1; "
    "2x7x7x2 : size 3 stride 3 ceil 1; 1x7x8x3 : size 2 3 stride 4 2 padding 1 ceil 1 "
    "count_padding 1; 1x9x7x2 : size 3 2 stride 2 3 padding 1 0 1 1 dilation 2 1 ceil 1";
static const char max_grad_samples[] =
    "2x6x4x5 2x3x2x5 : size 2 stride 2; 3x40x9x33 3x20x5x33 : size 3 stride 2 padding 1; "
    "1x50x9x3 1x50x9x3 : size 5 3 stride 1 padding 2 2 1 1; "
    "1x50x9x3 1x25x5x3 : size 3 2 stride 2 padding 1 1 1 1 dilation 2 1 ceil 1";
static const char avg_grad_samples[] =
    "2x3x2x5 : size 2 stride 2 >2x6x4x5; 3x20x5x33 : size 3 stride 2 padding 1 >3x40x9x33; "
    "1x50x9x3 : size 5 3 stride 1 padding 2 2 1 1 count_padding 1 >1x50x9x3; "
    "1x25x5x3 : size 3 2 stride 2 padding 1 1 1 1 dilation 2 1 ceil 1 count_padding 1 >1x50x9x3";

const plx_op plx__op_max_pool2d = {
    .name = "max_pool2d",
    .operands = plx__takes_x,
    .flags = PLX__OP_KINK,
    .infer = infer_pool,
    .gradient = gradient_max_pool2d,
    .cost = cost_pool,
    .run = run_max_pool2d,
    .attrs = plx__pool_fields,
    .samples = pool_samples,
};

const plx_op plx__op_max_pool2d_grad = {
    .name = "max_pool2d_grad",
    .operands = plx__takes_x_gy,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = plx__infer_same,
    .cost = cost_pool,
    .run = run_max_pool2d_grad,
    .attrs = plx__pool_fields,
    .samples = PLX__TESTED(max_grad_samples),
};

const plx_op plx__op_avg_pool2d = {
    .name = "avg_pool2d",
    .operands = plx__takes_x,
    .infer = infer_pool,
    .gradient = gradient_avg_pool2d,
    .cost = cost_pool,
    .run = run_avg_pool2d,
    .attrs = plx__pool_fields,
    .samples = pool_samples,
};

const plx_op plx__op_avg_pool2d_grad = {
    .name = "avg_pool2d_grad",
    .operands = plx__takes_gy,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = plx__infer_target,
    .cost = cost_pool,
    .run = run_avg_pool2d_grad,
    .attrs = plx__pool_fields,
    .samples = PLX__TESTED(avg_grad_samples),
};

/* ---- global_avg_pool2d: [n, h, w, c] to [n, c] ----------------------------------------------- */

enum { BLOCK = 256 }; /* channels that a thread sums down an image */

static plx_status infer_global(plx_graph *graph, plx__node *node) {
    PLX_TRY(check_image(graph, node));
    const plx__node *x = plx__input_of(graph, node, 0);
    if (x->dims[1] < 1 || x->dims[2] < 1)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: x has %lld rows and %lld columns; both must be at least 1",
                               node->op->name, (long long)x->dims[1], (long long)x->dims[2]);
    node->rank = 2;
    node->dims[0] = x->dims[0];
    node->dims[1] = x->dims[3];
    return PLX_OK;
}

/* One window that is the whole image. */
static plx__attrs whole_image(const int64_t *dims) {
    return (plx__attrs){.pool = {.size = {dims[1], dims[2]}, .stride = {1, 1}}};
}

static void gradient_global(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = whole_image(plx__input_of(graph, &node, 0)->dims);
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT1(graph, &plx__op_avg_pool2d_grad, gy, &attrs);
}

static void global_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const pool_job *job = arg;
    const pool *p = &job->p;
    const int64_t blocks = (p->c + BLOCK - 1) / BLOCK, pixels = p->h * p->w;
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t image = unit / blocks, first = unit % blocks * BLOCK;
        const int64_t n = plx__least(BLOCK, p->c - first);
        plx_real *y = job->y + image * p->c + first;
        job->kernels->column_sum(pixels, n, job->x + image * pixels * p->c + first, p->c, y);
        job->kernels->scale(n, 1 / (plx_real)pixels, y, y);
    }
}

static plx_status run_global(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    const plx__attrs attrs = whole_image(step->in[0].dims);
    pool_job job = {ctx->kernels, pool_of(step->in[0].dims, &attrs), PLX_IN(step, 0), NULL,
                    PLX_OUT(step)};
    const int64_t units = job.p.n * ((job.p.c + BLOCK - 1) / BLOCK);
    ctx->method = "columns";
    plx__parallel_for(ctx->pool, step->threads, units, 1, global_blocks, &job);
    return PLX_OK;
}

static plx__cost cost_global(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

static const char global_samples[] = "2x3x5x7; 3x1x1x1; 1x2x2x600; 0x3x5x7; 1x9x15x4";

const plx_op plx__op_global_avg_pool2d = {
    .name = "global_avg_pool2d",
    .operands = plx__takes_x,
    .infer = infer_global,
    .gradient = gradient_global,
    .cost = cost_global,
    .run = run_global,
    .samples = global_samples,
};
