/* Arrays whose elements follow from their places: one-hot vectors, triangles of matrices, and the
 * tables by which arrays are padded and resized. */
#include "ops/op.h"

#include <string.h>

/* ---- one_hot --------------------------------------------------------------------------------- */

static plx_status infer_one_hot(plx_graph *graph, plx__node *node) {
    const plx__node *indices = plx__input_of(graph, node, 0);
    const int axis = (int)node->attrs.one_hot.axis;
    if (indices->rank == PLX_MAX_RANK)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "one_hot: indices have rank %d; it must be below %d", indices->rank,
                               PLX_MAX_RANK);
    if (node->attrs.one_hot.depth < 0 || node->attrs.one_hot.depth > INT32_MAX)
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "one_hot: depth is %lld; it must be 0 to %d",
                               (long long)node->attrs.one_hot.depth, INT32_MAX);
    node->rank = 0;
    for (int i = 0; i <= indices->rank; ++i)
        node->dims[node->rank++] =
            i == axis ? node->attrs.one_hot.depth : indices->dims[i < axis ? i : i - 1];
    return PLX_OK;
}

typedef struct one_hot_job {
    const int32_t *indices;
    plx_real *y;
    int64_t depth, inner;
} one_hot_job;

static void one_hot_blocks(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const one_hot_job *job = arg;
    const int64_t block = job->depth * job->inner;
    memset(job->y + begin * block, 0, (size_t)((end - begin) * block) * sizeof *job->y);
    for (int64_t i = begin * job->inner; i < end * job->inner; ++i) {
        const int32_t index = job->indices[i];
        if (index >= 0 && index < job->depth)
            job->y[i / job->inner * block + index * job->inner + i % job->inner] = 1;
    }
}

static plx_status run_one_hot(plx_ctx *ctx, const plx__step *step) {
    const int axis = (int)step->attrs.one_hot.axis;
    one_hot_job job = {*step->in[0].slot, PLX_OUT(step), step->attrs.one_hot.depth,
                       plx__product(step->in[0].rank - axis, step->in[0].dims + axis)};
    if (!step->out.size) return PLX_OK;
    const int64_t blocks = plx__product(axis, step->in[0].dims);
    ctx->method = "elements";
    plx__parallel_for(ctx->pool, step->threads, blocks,
                      plx__grain(blocks, job.depth * job.inner, step->threads), one_hot_blocks,
                      &job);
    return PLX_OK;
}

static plx__cost cost_pattern(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 0, 1);
}

static const char one_hot_samples[] =
    "5~-1,4 : axis 1 depth 3; 3x7~0,5 : depth 5; 3x7~0,5 : axis 1 depth 4; .~0,3 : depth 3; "
    "300~0,9 : axis 1 depth 9; 0~0,3 : axis 1 depth 3; 3~0,1 : axis 1";

const plx_op plx__op_one_hot = {
    .name = "one_hot",
    .flags = PLX__OP_NO_GRADIENT,
    .operands = PLX__OPERANDS({"indices", PLX__INTEGERS, PLX__CONSTANT}),
    .infer = infer_one_hot,
    .cost = cost_pattern,
    .run = run_one_hot,
    .attrs = plx__one_hot_fields,
    .samples = PLX__TESTED(one_hot_samples),
};

/* ---- trilu: the triangle of matrices above (below) diagonal k, with it; zeros elsewhere ------ */

static plx_status infer_trilu(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    if (x->rank < 2)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "trilu: x has rank %d; it must be 2 or more",
                               x->rank);
    return plx__infer_same(graph, node);
}

static void gradient_trilu(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__attrs attrs = graph->nodes[id]->attrs;
    grads[0] = PLX__EMIT1(graph, &plx__op_trilu, gy, &attrs);
}

typedef struct trilu_job {
    const char *x;
    char *y;
    int64_t rows, columns, bytes; /* of an element */
    int64_t k;                    /* -rows to columns */
    bool upper;
} trilu_job;

static int64_t within(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static void trilu_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const trilu_job *job = arg;
    for (int64_t row = begin; row < end; ++row) {
        /* Lower triangles end after the diagonal, upper ones begin with it. */
        const int64_t diagonal = row % job->rows + job->k + !job->upper;
        const int64_t split = within(diagonal, 0, job->columns) * job->bytes;
        const int64_t whole = job->columns * job->bytes;
        const char *x = job->x + row * whole;
        char *y = job->y + row * whole;
        const int64_t from = job->upper ? split : 0, to = job->upper ? whole : split;
        if (x != y) memcpy(y + from, x + from, (size_t)(to - from));
        memset(y, 0, (size_t)from);
        memset(y + to, 0, (size_t)(whole - to));
    }
}

static plx_status run_trilu(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    trilu_job job = {.x = *x->slot,
                     .y = *step->out.slot,
                     .rows = x->dims[x->rank - 2],
                     .columns = x->dims[x->rank - 1],
                     .bytes = (int64_t)plx__element_bytes(x->dtype),
                     .upper = step->attrs.trilu.upper};
    job.k = within(step->attrs.trilu.k, -job.rows - 1, job.columns);
    if (!x->size) return PLX_OK;
    const int64_t rows = x->size / job.columns;
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.columns, step->threads),
                      trilu_rows, &job);
    return PLX_OK;
}

static const char trilu_samples[] =
    "3x5; 3x5 : upper 1; 2x5x3 : upper 1 k -1; 2x3x4 : k 2; 3x4 : upper 1 k 9; 3x4 : k -9; "
    "70x33 : k 3; 0x3; 3x0";

const plx_op plx__op_trilu = {
    .name = "trilu",
    .flags = PLX__OP_INPLACE,
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}),
    .result = PLX__AS(0),
    .infer = infer_trilu,
    .gradient = gradient_trilu,
    .cost = cost_pattern,
    .run = run_trilu,
    .attrs = plx__trilu_fields,
    .samples = trilu_samples,
};

/* ---- pad_indices: for each element of a padded axis, the one that it repeats ----------------- */

static plx_status infer_pad_indices(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = 1;
    node->dims[0] = node->attrs.pad_indices.before + node->attrs.pad_indices.size +
                    node->attrs.pad_indices.after;
    return PLX_OK;
}

static int64_t modulo(int64_t value, int64_t n) {
    const int64_t rest = value % n;
    return rest < 0 ? rest + n : rest;
}

/* Element i, which may lie outside of 0 to n - 1. */
static int64_t repeated(plx_padding padding, int64_t i, int64_t n) {
    if (padding == PLX_PAD_WRAP) return modulo(i, n);
    if (padding == PLX_PAD_EDGE || n == 1) return within(i, 0, n - 1);
    const int64_t at = modulo(i, 2 * (n - 1));
    return at < n ? at : 2 * (n - 1) - at;
}

static plx_status run_pad_indices(plx_ctx *ctx, const plx__step *step) {
    if (step->out.size) ctx->method = "elements";
    const plx__attrs *attrs = &step->attrs;
    int32_t *y = *step->out.slot;
    for (int64_t i = 0; i < step->out.size; ++i)
        y[i] = (int32_t)repeated((plx_padding)attrs->pad_indices.padding,
                                 i - attrs->pad_indices.before, attrs->pad_indices.size);
    return PLX_OK;
}

static const char no_samples[] = "";

const plx_op plx__op_pad_indices = {
    .name = "pad_indices",
    .flags = PLX__OP_ONCE | PLX__OP_NO_GRADIENT,
    .result = PLX_DTYPE_I32,
    .infer = infer_pad_indices,
    .cost = plx__cost_nothing,
    .run = run_pad_indices,
    .attrs = plx__pad_indices_fields,
    .samples = PLX__TESTED(no_samples),
};

/* ---- resize_indices, resize_weights [target, taps]: what an element of a resized axis is made of
 */

/* The elements around a position that have a weight begin so many after its whole part; there are
 * 2 - 2 * first of them. A filter against aliasing is as much wider as the axis gets shorter. */
static double filter_scale(const plx__attrs *attrs) {
    return attrs->resize.antialias && attrs->resize.scale < 1 ? attrs->resize.scale : 1;
}

static double rounded_down(double x) {
    const double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
}

static int64_t first_tap(const plx__attrs *attrs) {
    const double reach = attrs->resize.method == PLX_RESIZE_CUBIC ? 2 : 1;
    return (int64_t)rounded_down(-reach / filter_scale(attrs)) + 1;
}

static plx_status infer_resize(plx_graph *graph, plx__node *node) {
    const double least = 1e-9; /* the number of taps is far below 2^63 */
    if (!(filter_scale(&node->attrs) >= least))
        return plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                               "resize: with antialias, scale %g must be at least %g",
                               node->attrs.resize.scale, least);
    node->rank = 2;
    node->dims[0] = node->attrs.resize.target;
    node->dims[1] =
        node->attrs.resize.method == PLX_RESIZE_NEAREST ? 1 : 2 - 2 * first_tap(&node->attrs);
    return PLX_OK;
}

/* The size that the scale gives: whole where it is so but for rounding, and the result's where it
 * leaves nothing between two corners. */
static double scaled_size(const plx__resize_attrs *r) {
    const double length = r->scale * (double)r->size, target = (double)r->target;
    const double error = length > target ? length - target : target - length;
    return length > 1 && error > 1e-6 * target ? length : target;
}

/* Where element o of the result lies in the axis. */
static double position_of(const plx__resize_attrs *r, int64_t o) {
    const double centre = ((double)o + 0.5) / r->scale - 0.5;
    const double size = (double)r->size, target = (double)r->target;
    switch ((plx_coordinates)r->coordinates) {
    case PLX_ASYMMETRIC: return (double)o / r->scale;
    case PLX_ALIGN_CORNERS:
        return r->target > 1 ? (double)o * (size - 1) / (scaled_size(r) - 1) : 0;
    case PLX_PYTORCH_HALF_PIXEL: return r->target > 1 ? centre : 0;
    case PLX_HALF_PIXEL_SYMMETRIC: return centre + size / 2 * (1 - target / (r->scale * size));
    case PLX_HALF_PIXEL: break;
    }
    return centre;
}

static int64_t nearest_to(const plx__resize_attrs *r, double x) {
    switch ((plx_rounding)r->rounding) {
    case PLX_PREFER_CEIL: return (int64_t)rounded_down(x + 0.5);
    case PLX_FLOOR: return (int64_t)rounded_down(x);
    case PLX_CEIL: return -(int64_t)rounded_down(-x);
    case PLX_PREFER_FLOOR: break;
    }
    return -(int64_t)rounded_down(0.5 - x);
}

static plx_status run_resize_indices(plx_ctx *ctx, const plx__step *step) {
    if (step->out.size) ctx->method = "elements";
    const plx__resize_attrs *r = &step->attrs.resize;
    const int64_t taps = step->out.dims[1], first = first_tap(&step->attrs);
    int32_t *y = *step->out.slot;
    for (int64_t o = 0; o < r->target; ++o) {
        const double x = position_of(r, o);
        const int64_t from =
            r->method == PLX_RESIZE_NEAREST ? nearest_to(r, x) : (int64_t)rounded_down(x) + first;
        for (int64_t t = 0; t < taps; ++t)
            y[o * taps + t] = (int32_t)within(from + t, 0, r->size - 1);
    }
    return PLX_OK;
}

/* Weights by distance: the triangle, or the cubic of Keys ("Cubic convolution interpolation for
 * digital image processing", IEEE TASSP 1981). */
static double weight_at(const plx__resize_attrs *r, double distance) {
    const double x = distance < 0 ? -distance : distance, a = r->cubic;
    if (r->method == PLX_RESIZE_LINEAR) return x < 1 ? 1 - x : 0;
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static plx_status run_resize_weights(plx_ctx *ctx, const plx__step *step) {
    if (step->out.size) ctx->method = "elements";
    const plx__resize_attrs *r = &step->attrs.resize;
    const int64_t taps = step->out.dims[1], first = first_tap(&step->attrs);
    const double filter = filter_scale(&step->attrs);
    for (int64_t o = 0; o < r->target; ++o) {
        const double x = position_of(r, o), whole = rounded_down(x);
        plx_real *y = PLX_OUT(step) + o * taps;
        double sum = 0;
        for (int pass = 0; pass < 2; ++pass)
            for (int64_t t = 0; t < taps; ++t) {
                const int64_t at = (int64_t)whole + first + t;
                const bool outside = at < 0 || at >= r->size;
                const double weight =
                    outside && r->exclude_outside
                        ? 0
                        : weight_at(r, filter * ((double)(first + t) - (x - whole)));
                if (pass)
                    y[t] = (plx_real)(weight / sum);
                else
                    sum += weight;
            }
    }
    return PLX_OK;
}

const plx_op plx__op_resize_indices = {
    .name = "resize_indices",
    .title = "resize",
    .flags = PLX__OP_ONCE | PLX__OP_NO_GRADIENT,
    .result = PLX_DTYPE_I32,
    .infer = infer_resize,
    .cost = plx__cost_nothing,
    .run = run_resize_indices,
    .attrs = plx__resize_fields,
    .samples = PLX__TESTED(no_samples),
};

const plx_op plx__op_resize_weights = {
    .name = "resize_weights",
    .title = "resize",
    .flags = PLX__OP_ONCE | PLX__OP_NO_GRADIENT,
    .infer = infer_resize,
    .cost = plx__cost_nothing,
    .run = run_resize_weights,
    .attrs = plx__resize_fields,
    .samples = PLX__TESTED(no_samples),
};
