/* Sums and maxima over axes. The order of every sum depends only on the shape. */
#include "ops/copy.h"

#include <string.h>

/* A shape as alternating runs of kept and summed axes; axes of size 1 are dropped. */
typedef struct runs {
    int count;
    bool summed[PLX_MAX_RANK];
    int64_t size[PLX_MAX_RANK];
} runs;

static runs merge_axes(int rank, const int64_t *dims, int64_t mask) {
    runs r = {0};
    for (int axis = 0; axis < rank; ++axis) {
        const bool summed = mask >> axis & 1;
        if (dims[axis] == 1) continue;
        if (r.count && r.summed[r.count - 1] == summed) {
            r.size[r.count - 1] *= dims[axis];
            continue;
        }
        r.summed[r.count] = summed;
        r.size[r.count] = dims[axis];
        r.count += 1;
    }
    if (!r.count) r = (runs){.count = 1, .size = {1}};
    return r;
}

static plx_status infer_sum_to(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    node->rank = 0;
    for (int axis = 0; axis < x->rank; ++axis) {
        if (node->attrs.sum.dropped >> axis & 1) continue;
        node->dims[node->rank++] = node->attrs.sum.axes >> axis & 1 ? 1 : x->dims[axis];
    }
    return PLX_OK;
}

static void gradient_sum_to(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id], x = *graph->nodes[node.inputs[0]];
    plx__attrs attrs = {.sum = node.attrs.sum};
    attrs.rank = x.rank;
    memcpy(attrs.dims, x.dims, sizeof attrs.dims);
    grads[0] = PLX__EMIT1(graph, &plx__op_broadcast_to, gy, &attrs);
}

/* One run of summed axes: x [outer, axis, inner] to y [outer, inner]. */
typedef struct sum_pass {
    const plx_kernels *kernels;
    const plx_real *x;
    plx_real *y;
    int64_t outer, axis, inner;
    plx_real factor;
} sum_pass;

/* Columns of one unit of work: as many as a kernel with the widest vectors adds at a time. The size
 * is fixed, since a kernel may add few columns in a different order than many, and every split must
 * give the same sums. */
enum { STRIP = 64 };

static int64_t strips_of(const sum_pass *pass) {
    return (pass->inner + STRIP - 1) / STRIP;
}

static plx_real sum_of(const plx_kernels *k, int64_t n, const plx_real *a, const plx_real *b) {
    (void)b;
    return k->sum(n, a);
}

static void sum_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const sum_pass *p = arg;
    for (int64_t row = begin; row < end; ++row)
        p->y[row] = p->factor * p->kernels->sum(p->axis, p->x + row * p->axis);
}

/* A unit is a strip of columns. */
static void sum_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const sum_pass *p = arg;
    const int64_t strips = strips_of(p);
    for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t outer = strips == 1 ? unit : unit / strips;
        const int64_t first = (unit - outer * strips) * STRIP;
        const int64_t left = p->inner - first, n = left < STRIP ? left : STRIP;
        plx_real *y = p->y + outer * p->inner + first;
        p->kernels->column_sum(p->axis, n, p->x + outer * p->axis * p->inner + first, p->inner, y);
        if (p->factor != 1) p->kernels->scale(n, p->factor, y, y);
    }
}

static void run_pass(plx_ctx *ctx, int threads, sum_pass *p) {
    ctx->method = p->inner == 1 ? "rows" : "columns";
    if (p->inner == 1)
        plx__parallel_for(ctx->pool, threads, p->outer, plx__grain(p->outer, p->axis, threads),
                          sum_rows, p);
    else
        plx__parallel_for(ctx->pool, threads, p->outer * strips_of(p), 1, sum_strips, p);
}

static int64_t size_of_runs(const runs *r) {
    int64_t size = 1;
    for (int i = 0; i < r->count; ++i) size *= r->size[i];
    return size;
}

/* Removes the last summed run from r; returns how many are left. */
static int take_last_sum(runs *r, sum_pass *pass) {
    int at = r->count - 1, left = 0;
    while (!r->summed[at]) --at;
    pass->outer = pass->inner = 1;
    pass->axis = r->size[at];
    for (int i = at + 1; i < r->count; ++i) pass->inner *= r->size[i];
    for (int i = 0; i < at; ++i) {
        pass->outer *= r->size[i];
        left += r->summed[i];
    }
    r->size[at] = 1;
    r->summed[at] = false;
    return left;
}

static bool is_total(const runs *r) {
    return r->count == 1 && r->summed[0];
}

/* Room for the result of the first pass, and behind it for that of the second, which a third pass
 * reads. */
static size_t workspace_sum(const plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    runs r = merge_axes(x->rank, x->dims, step->attrs.sum.axes);
    if (is_total(&r)) return plx__total_workspace(ctx, step);
    int sums = 0;
    for (int i = 0; i < r.count; ++i) sums += r.summed[i];
    int64_t values = 0;
    sum_pass pass = {0};
    while (x->size && sums-- > 1) {
        take_last_sum(&r, &pass);
        values += size_of_runs(&r);
    }
    return (size_t)values * sizeof(plx_real);
}

/* Sums one run of axes after another, the last first. */
static void sum_passes(plx_ctx *ctx, const plx__step *step, runs r, plx_real factor) {
    sum_pass pass = {.kernels = ctx->kernels, .x = PLX_IN(step, 0)};
    plx_real *between = step->workspace;
    for (int left = 1; left;) {
        left = take_last_sum(&r, &pass);
        pass.y = left ? between : PLX_OUT(step);
        pass.factor = left ? 1 : factor;
        run_pass(ctx, step->threads, &pass);
        pass.x = pass.y;
        between += size_of_runs(&r);
    }
    ctx->method = "axis by axis";
}

static plx_status run_sum_to(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    const runs r = merge_axes(x->rank, x->dims, step->attrs.sum.axes);
    const plx_real factor = (plx_real)step->attrs.sum.factor;
    plx_real *y = PLX_OUT(step);
    sum_pass pass = {.kernels = ctx->kernels, .x = PLX_IN(step, 0), .y = y, .factor = factor};
    if (!x->size) {
        ctx->method = "elements";
        plx__fill(ctx, step->threads, step->out.size, factor * 0, y); /* a mean: 1 / 0, so NaN */
    } else if (is_total(&r)) {
        *y = factor * plx__total(ctx, step, sum_of);
    } else if (r.count == 1) {
        ctx->method = "elements";
        ctx->kernels->scale(x->size, factor, pass.x, y);
    } else if (r.count == 2) {
        const int64_t first = r.size[0], second = r.size[1];
        pass.outer = r.summed[1] ? first : 1;
        pass.axis = r.summed[1] ? second : first;
        pass.inner = r.summed[1] ? 1 : second;
        run_pass(ctx, step->threads, &pass);
    } else {
        sum_passes(ctx, step, r, factor);
    }
    return PLX_OK;
}

static plx__cost cost_sum(const plx_graph *graph, const plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = (double)plx__size(x);
    return cost;
}

static const char sum_samples[] =
    "3x4x5 : axes 7 dropped 7 factor 0.5; 3x4x5 : axes 1 dropped 1 factor 1; "
    "3x4x5 : axes 3 dropped 3 factor 1; 3x4x5 : axes 2 dropped 2 factor 1; "
    "3x4x5 : axes 4 factor 0.25; 3x4x5 : axes 5 dropped 4 factor 1; "
    "130x33 : axes 1 dropped 1 factor 1; 9000 : axes 1 dropped 1 factor 1; "
    "3x2x5x2x4x2 : axes 21 dropped 21 factor 0.5; 3x2x5x2x4x3 : axes 42 factor 1; "
    "1x7x1 : axes 5 dropped 5 factor 2; 900x3 : axes 1 dropped 1 factor 1; "
    "2x600x5 : axes 2 dropped 2 factor 1; 70x600 : axes 1 factor 1; "
    "0x3 : axes 1 dropped 1 factor 1";

const plx_op plx__op_sum_to = {
    .name = "sum_to",
    .operands = plx__takes_x,
    .infer = infer_sum_to,
    .gradient = gradient_sum_to,
    .cost = cost_sum,
    .workspace = workspace_sum,
    .run = run_sum_to,
    .attrs = plx__sum_fields,
    .samples = sum_samples,
};

/* ---- broadcast_to ---------------------------------------------------------------------------- */

static plx_status infer_broadcast_to(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    plx__infer_target(graph, node);
    int64_t kept = 1;
    for (int axis = 0; axis < node->rank; ++axis)
        if (!(node->attrs.sum.axes >> axis & 1)) kept *= node->dims[axis];
    if (kept != plx__size(x))
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "broadcast_to: x has %lld values; the target shape takes %lld",
                               (long long)plx__size(x), (long long)kept);
    return PLX_OK;
}

static void gradient_broadcast_to(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const plx__attrs attrs = {.sum = node.attrs.sum};
    grads[0] = PLX__EMIT1(graph, &plx__op_sum_to, gy, &attrs);
}

/* Without a factor this is a copy with stride 0 along repeated axes. */
static void repeat(plx_ctx *ctx, const plx__step *step) {
    plx__copy copy = {.rank = step->out.rank};
    memcpy(copy.dims, step->out.dims, sizeof copy.dims);
    plx__contiguous_strides(copy.rank, copy.dims, copy.to);
    int64_t stride = 1;
    for (int axis = copy.rank - 1; axis >= 0; --axis) {
        if (step->attrs.sum.axes >> axis & 1) continue;
        copy.from[axis] = stride;
        stride *= copy.dims[axis];
    }
    plx__copy_strided(ctx, step->threads, step->out.dtype, *step->in[0].slot, *step->out.slot,
                      &copy);
}

static plx_status run_broadcast_to(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    if (step->attrs.sum.factor == 1) {
        repeat(ctx, step);
        return PLX_OK;
    }
    const runs r = merge_axes(step->out.rank, step->out.dims, step->attrs.sum.axes);
    const plx_real *x = PLX_IN(step, 0);
    plx_real *y = PLX_OUT(step);
    const plx_real factor = (plx_real)step->attrs.sum.factor;
    ctx->method = "rows";
    const int last = r.count - 1;
    const int64_t n = r.size[last], rows = step->out.size / n;
    for (int64_t row = 0; row < rows; ++row) {
        int64_t index = row, offset = 0, stride = r.summed[last] ? 1 : n;
        for (int i = last - 1; i >= 0; --i) {
            if (!r.summed[i]) {
                offset += index % r.size[i] * stride;
                stride *= r.size[i];
            }
            index /= r.size[i];
        }
        ctx->kernels->mul(n, x + offset, !r.summed[last], &factor, 0, y + row * n);
    }
    return PLX_OK;
}

static const char broadcast_samples[] =
    ". : axes 7 dropped 7 factor 0.5 >3x4x5; 4x5 : axes 1 dropped 1 factor 1 >3x4x5; "
    "3x5 : axes 2 dropped 2 factor 1 >3x4x5; 3x4x1 : axes 4 factor 1 >3x4x5";

const plx_op plx__op_broadcast_to = {
    .name = "broadcast_to",
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}),
    .result = PLX__AS(0),
    .infer = infer_broadcast_to,
    .gradient = gradient_broadcast_to,
    .cost = cost_sum,
    .run = run_broadcast_to,
    .attrs = plx__sum_fields,
    .samples = broadcast_samples,
};

/* ---- reduce_max ------------------------------------------------------------------------------ */

typedef struct max_loops {
    int64_t outer, axis, inner;
} max_loops;

static max_loops loops_of(int rank, const int64_t *dims, int64_t axis) {
    if (axis == PLX_ALL_AXES) return (max_loops){1, plx__product(rank, dims), 1};
    return (max_loops){plx__product((int)axis, dims), dims[axis],
                       plx__product(rank - (int)axis - 1, dims + axis + 1)};
}

static plx_status infer_reduce_max(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    node->rank = 0;
    if (node->attrs.axis.axis == PLX_ALL_AXES) return PLX_OK;
    for (int axis = 0; axis < x->rank; ++axis)
        if (axis != node->attrs.axis.axis) node->dims[node->rank++] = x->dims[axis];
    return PLX_OK;
}

static void gradient_reduce_max(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT2(graph, &plx__op_reduce_max_grad, node.inputs[0], gy, &node.attrs);
}

/* Index of the first maximum along the axis; a NaN counts as the largest. -1 for an empty axis. */
static int64_t first_maximum(const plx_real *x, max_loops loops, int64_t outer, int64_t inner) {
    int64_t best = loops.axis ? 0 : -1;
    const plx_real *lane = x + outer * loops.axis * loops.inner + inner;
    for (int64_t i = 1; i < loops.axis; ++i) {
        const plx_real value = lane[i * loops.inner], top = lane[best * loops.inner];
        if (top != top) break;
        if (value > top || value != value) best = i;
    }
    return best;
}

static plx_status run_reduce_max(plx_ctx *ctx, const plx__step *step) {
    const max_loops loops = loops_of(step->in[0].rank, step->in[0].dims, step->attrs.axis.axis);
    const plx_real *x = PLX_IN(step, 0);
    plx_real *y = PLX_OUT(step);
    const plx_kernels *k = plx__row_kernels(ctx->kernels, loops.axis);
    ctx->method = loops.inner == 1 ? plx__rows_method(ctx, k) : "columns";
    for (int64_t o = 0; o < loops.outer; ++o) {
        if (loops.inner == 1) {
            y[o] = k->maximum(loops.axis, x + o * loops.axis);
            continue;
        }
        for (int64_t i = 0; i < loops.inner; ++i) {
            const int64_t best = first_maximum(x, loops, o, i);
            y[o * loops.inner + i] = best < 0 ? (plx_real)-__builtin_inff()
                                              : x[(o * loops.axis + best) * loops.inner + i];
        }
    }
    return PLX_OK;
}

static plx_status infer_reduce_max_grad(plx_graph *graph, plx__node *node) {
    return plx__infer_same(graph, node);
}

static plx_status run_reduce_max_grad(plx_ctx *ctx, const plx__step *step) {
    const max_loops loops = loops_of(step->in[0].rank, step->in[0].dims, step->attrs.axis.axis);
    ctx->method = loops.inner == 1 ? "rows" : "columns";
    const plx_real *x = PLX_IN(step, 0), *gy = PLX_IN(step, 1);
    plx_real *gx = PLX_OUT(step);
    memset(gx, 0, (size_t)step->out.size * sizeof *gx);
    if (!step->out.size) return PLX_OK;
    for (int64_t o = 0; o < loops.outer; ++o)
        for (int64_t i = 0; i < loops.inner; ++i) {
            const int64_t best = first_maximum(x, loops, o, i);
            gx[(o * loops.axis + best) * loops.inner + i] = gy[o * loops.inner + i];
        }
    return PLX_OK;
}

static const char max_samples[] =
    "3x4x5; 3x4x5 : axis 1; 3x4x5 : axis 2; 3x4x5 : axis 1000; 1x37 : axis 1";

const plx_op plx__op_reduce_max = {
    .name = "reduce_max",
    .operands = plx__takes_x,
    .flags = PLX__OP_KINK,
    .infer = infer_reduce_max,
    .gradient = gradient_reduce_max,
    .cost = cost_sum,
    .run = run_reduce_max,
    .attrs = plx__axis_fields,
    .samples = max_samples,
};

static const char max_grad_samples[] = "3x4x5 3x5 : axis 1; 3x4x5 3x4 : axis 2";

const plx_op plx__op_reduce_max_grad = {
    .name = "reduce_max_grad",
    .operands = plx__takes_x_gy,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_reduce_max_grad,
    .cost = cost_sum,
    .run = run_reduce_max_grad,
    .attrs = plx__axis_fields,
    .samples = PLX__TESTED(max_grad_samples),
};
