/* Rearranging elements: slices, transposition, concatenation, padding. There is no arithmetic,
 * except in gradients, which add up where an element was used more than once. */
#include "ops/copy.h"

#include <string.h>

static plx__cost cost_moved(const plx_graph *graph, const plx__node *node) {
    (void)graph;
    const double each = (double)plx__element_bytes(node->dtype);
    return (plx__cost){.flops = 0, .bytes = 2 * (double)plx__size(node) * each, .weight = 1};
}

/* ---- strided: the target of attrs is the shape of the result --------------------------------- */

/* Whether all elements of an array with these dims lie within the first size elements. */
static bool is_inside(int rank, const int64_t *dims, const plx__attrs *attrs, int64_t size) {
    int64_t low = attrs->strided.first, high = low;
    for (int axis = 0; axis < rank; ++axis) {
        if (!dims[axis]) return true;
        const int64_t span = (dims[axis] - 1) * attrs->strided.strides[axis];
        if (span < 0)
            low += span;
        else
            high += span;
    }
    return low >= 0 && high < size;
}

static plx_status infer_strided(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    plx__infer_target(graph, node);
    if (!is_inside(node->rank, node->dims, &node->attrs, plx__size(x)))
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "strided: the strides reach outside the %lld elements of x",
                               (long long)plx__size(x));
    return PLX_OK;
}

/* The axes of attrs' shape by descending length of stride, without those of size 1. */
static int axes_in_memory(int rank, const int64_t *dims, const int64_t *strides, int *axes) {
    int count = 0;
    for (int axis = 0; axis < rank; ++axis) {
        if (dims[axis] == 1) continue;
        int at = count++;
        const int64_t stride = strides[axis] < 0 ? -strides[axis] : strides[axis];
        for (; at > 0; --at) {
            const int64_t before = strides[axes[at - 1]];
            if ((before < 0 ? -before : before) >= stride) break;
            axes[at] = axes[at - 1];
        }
        axes[at] = axis;
    }
    return count;
}

/* The transposition (and reversal) that undoes the node when it takes every element of x once. */
static bool find_inverse(const plx__node *node, const plx__node *x, plx__attrs *inverse) {
    const int64_t *strides = node->attrs.strided.strides;
    int axes[PLX_MAX_RANK];
    const int count = axes_in_memory(node->rank, node->dims, strides, axes);
    if (plx__size(node) != plx__size(x) || !plx__size(x)) return false;
    int64_t own[PLX_MAX_RANK], expected = 1;
    plx__contiguous_strides(node->rank, node->dims, own);
    *inverse = (plx__attrs){.rank = count};
    for (int i = count - 1; i >= 0; --i) {
        const int axis = axes[i];
        const int64_t stride = strides[axis];
        if (stride != expected && stride != -expected) return false;
        expected *= node->dims[axis];
        inverse->dims[i] = node->dims[axis];
        inverse->strided.strides[i] = stride < 0 ? -own[axis] : own[axis];
        if (stride < 0) inverse->strided.first += (node->dims[axis] - 1) * own[axis];
    }
    return true;
}

static void gradient_strided(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id], x = *graph->nodes[node.inputs[0]];
    plx__attrs attrs;
    if (find_inverse(&node, &x, &attrs)) {
        const int32_t moved = PLX__EMIT1(graph, &plx__op_strided, gy, &attrs);
        attrs = (plx__attrs){.rank = 0};
        plx__set_shape(&attrs, &x);
        grads[0] = PLX__EMIT1(graph, &plx__op_view, moved, &attrs);
        return;
    }
    attrs = node.attrs;
    plx__set_shape(&attrs, &x);
    grads[0] = PLX__EMIT1(graph, &plx__op_strided_grad, gy, &attrs);
}

static plx_status run_strided(plx_ctx *ctx, const plx__step *step) {
    plx__copy copy = {.rank = step->out.rank};
    memcpy(copy.dims, step->out.dims, sizeof copy.dims);
    memcpy(copy.from, step->attrs.strided.strides, sizeof copy.from);
    plx__contiguous_strides(copy.rank, copy.dims, copy.to);
    plx__copy_strided(ctx, step->threads, step->out.dtype,
                      plx__element(&step->in[0], step->attrs.strided.first), *step->out.slot,
                      &copy);
    return PLX_OK;
}

static const char strided_samples[] =
    "3x5 : strides 1 5 >5x3; 67x131 : strides 1 131 >131x67; 3x4x17 : strides 17 68 1 >4x3x17; "
    "2x9x10x3 : strides 270 1 30 3 >2x3x9x10; 2x3x2x3x2x3 : strides 1 3 6 18 36 108 >3x2x3x2x3x2; "
    "5x7 : first 3 strides 14 2 >3x2; 5x7 : first 34 strides -7 -1 >5x7; 5 : strides 0 1 >3x5; "
    "9 : strides 2 1 >4x3; .; 0x3 : strides 1 3 >3x0";

const plx_op plx__op_strided = {
    .name = "strided",
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}),
    .result = PLX__AS(0),
    .infer = infer_strided,
    .gradient = gradient_strided,
    .cost = cost_moved,
    .run = run_strided,
    .attrs = plx__strided_fields,
    .samples = strided_samples,
};

/* ---- strided_grad: the target of attrs is the shape of x ------------------------------------- */

static plx_status infer_strided_grad(plx_graph *graph, plx__node *node) {
    const plx__node *gy = plx__input_of(graph, node, 0);
    plx__infer_target(graph, node);
    if (!is_inside(gy->rank, gy->dims, &node->attrs, plx__size(node)))
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "strided_grad: the strides reach outside the %lld elements of x",
                               (long long)plx__size(node));
    return PLX_OK;
}

static void gradient_strided_grad(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = node.attrs;
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT1(graph, &plx__op_strided, gy, &attrs);
}

/* Whether no two elements coincide: each stride is longer than the combined span of the shorter
 * ones. */
static bool is_injective(int rank, const int64_t *dims, const int64_t *strides) {
    int axes[PLX_MAX_RANK];
    int64_t span = 0;
    for (int i = axes_in_memory(rank, dims, strides, axes) - 1; i >= 0; --i) {
        const int64_t signed_stride = strides[axes[i]];
        const int64_t stride = signed_stride < 0 ? -signed_stride : signed_stride;
        if (stride <= span) return false;
        span += stride * (dims[axes[i]] - 1);
    }
    return true;
}

static plx_status run_strided_grad(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *gy = &step->in[0];
    plx__copy copy = {.rank = gy->rank};
    memcpy(copy.dims, gy->dims, sizeof copy.dims);
    memcpy(copy.to, step->attrs.strided.strides, sizeof copy.to);
    plx__contiguous_strides(copy.rank, copy.dims, copy.from);
    copy.add = !is_injective(copy.rank, copy.dims, copy.to);
    plx__fill(ctx, step->threads, step->out.size, 0, PLX_OUT(step));
    plx__copy_strided(ctx, step->threads, step->out.dtype, PLX_IN(step, 0),
                      PLX_OUT(step) + step->attrs.strided.first, &copy);
    return PLX_OK;
}

static const char strided_grad_samples[] =
    "3x2 : first 3 strides 14 2 >5x7; 4x3 : strides 2 1 >9; 3x5 : first 4 strides 0 -1 >5; "
    "0x5 : strides 5 1 >2x5";

const plx_op plx__op_strided_grad = {
    .name = "strided_grad",
    .operands = plx__takes_gy,
    .infer = infer_strided_grad,
    .gradient = gradient_strided_grad,
    .cost = cost_moved,
    .run = run_strided_grad,
    .attrs = plx__strided_fields,
    .samples = strided_grad_samples,
};

/* ---- Parts of an axis ------------------------------------------------------------------------ */

int32_t plx__emit_part(plx_graph *graph, int32_t id, int axis, int64_t begin, int64_t count) {
    if (id < 0) return -1;
    const plx__node x = *graph->nodes[id];
    if (count == x.dims[axis]) return id;
    plx__attrs attrs = {.rank = 0};
    plx__set_shape(&attrs, &x);
    attrs.dims[axis] = count;
    int64_t strides[PLX_MAX_RANK];
    plx__contiguous_strides(x.rank, x.dims, strides);
    const bool empty = !plx__product(attrs.rank, attrs.dims);
    const int64_t first = empty ? 0 : begin * strides[axis];
    if (plx__product(axis, x.dims) <= 1) {
        attrs.view.first = first;
        return PLX__EMIT1(graph, &plx__op_view, id, &attrs);
    }
    attrs.strided.first = first;
    memcpy(attrs.strided.strides, strides, (size_t)x.rank * sizeof strides[0]);
    return PLX__EMIT1(graph, &plx__op_strided, id, &attrs);
}

/* ---- concat ---------------------------------------------------------------------------------- */

static plx_status infer_concat(plx_graph *graph, plx__node *node) {
    const plx__node *first = plx__input_of(graph, node, 0);
    const int axis = (int)node->attrs.axis.axis;
    plx__copy_shape(node, first);
    for (int k = 1; k < node->inputs_count; ++k) {
        const plx__node *x = plx__input_of(graph, node, k);
        if (x->rank != first->rank)
            return plx__graph_fail(graph, PLX_ERR_SHAPE,
                                   "concat: inputs have ranks %d and %d; they must be equal",
                                   first->rank, x->rank);
        for (int i = 0; i < x->rank; ++i)
            if (i != axis && x->dims[i] != first->dims[i])
                return plx__graph_fail(
                    graph, PLX_ERR_SHAPE,
                    "concat: inputs have sizes %lld and %lld along axis %d; they must be equal",
                    (long long)first->dims[i], (long long)x->dims[i], i);
        if (__builtin_add_overflow(node->dims[axis], x->dims[axis], &node->dims[axis]))
            return plx__graph_fail(graph, PLX_ERR_MEMORY,
                                   "concat: the size of axis %d is more than memory can hold",
                                   axis);
    }
    return PLX_OK;
}

static void gradient_concat(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int axis = (int)node.attrs.axis.axis;
    int64_t begin = 0;
    for (int k = 0; k < node.inputs_count; ++k) {
        const int64_t count = plx__input_of(graph, &node, k)->dims[axis];
        grads[k] = plx__emit_part(graph, gy, axis, begin, count);
        begin += count;
    }
}

static plx_status run_concat(plx_ctx *ctx, const plx__step *step) {
    const int axis = (int)step->attrs.axis.axis;
    const int64_t outer = plx__product(axis, step->out.dims);
    const int64_t row = outer ? step->out.size / outer : 0;
    int64_t begin = 0;
    for (int k = 0; k < step->in_count && row; ++k) {
        const int64_t part = step->in[k].size / outer;
        const plx__copy copy = {
            .rank = 2, .dims = {outer, part}, .from = {part, 1}, .to = {row, 1}};
        plx__copy_strided(ctx, step->threads, step->out.dtype, *step->in[k].slot,
                          plx__element(&step->out, begin), &copy);
        begin += part;
    }
    return PLX_OK;
}

static const char concat_samples[] =
    "3 4; 2x3x5 2x1x5 2x0x5 : axis 1; 130x33 130x65 : axis 1; 1x2x1x3x2x1 1x2x1x3x2x4 : axis 5; "
    "3x4 : axis 1; 0x4 0x3 : axis 1";

const plx_op plx__op_concat = {
    .name = "concat",
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__REPEATED | PLX__ALIKE}),
    .result = PLX__AS(0),
    .infer = infer_concat,
    .gradient = gradient_concat,
    .cost = cost_moved,
    .run = run_concat,
    .attrs = plx__axis_fields,
    .samples = concat_samples,
};

/* ---- pad ------------------------------------------------------------------------------------- */

static plx_status infer_pad(plx_graph *graph, plx__node *node) {
    plx__copy_shape(node, plx__input_of(graph, node, 0));
    double value = node->attrs.pad.value, kept;
    char element[sizeof(double)];
    plx__encode(node->dtype, 1, &value, element);
    plx__decode(node->dtype, 1, element, &kept);
    if (!plx__is_fractional(node->dtype) && kept != value)
        return plx__graph_fail(
            graph, PLX_ERR_ARGUMENT,
            "pad: the value %g cannot be stored as %s; it must be a whole number in its range",
            value, plx__dtype_name(node->dtype));
    for (int axis = 0; axis < node->rank; ++axis) {
        const int64_t before = node->attrs.pad.before[axis], after = node->attrs.pad.after[axis];
        int64_t *dim = &node->dims[axis];
        if (before < 0 || after < 0)
            return plx__graph_fail(
                graph, PLX_ERR_SHAPE,
                "pad: padding is %lld before and %lld after axis %d; neither may be negative",
                (long long)before, (long long)after, axis);
        if (__builtin_add_overflow(*dim, before, dim) || __builtin_add_overflow(*dim, after, dim))
            return plx__graph_fail(graph, PLX_ERR_MEMORY,
                                   "pad: the size of axis %d is more than memory can hold", axis);
    }
    return PLX_OK;
}

static void gradient_pad(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = {.rank = 0};
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    plx__contiguous_strides(node.rank, node.dims, attrs.strided.strides);
    for (int axis = 0; axis < node.rank; ++axis)
        attrs.strided.first += node.attrs.pad.before[axis] * attrs.strided.strides[axis];
    grads[0] = PLX__EMIT1(graph, &plx__op_strided, gy, &attrs);
}

/* Rows made of the last padded axis and all axes after it. */
typedef struct pad_job {
    const char *x;
    char *y;
    int64_t bytes; /* of an element */
    char value[sizeof(double)];
    int rank; /* axes before the row */
    int64_t dims[PLX_MAX_RANK], out[PLX_MAX_RANK], before[PLX_MAX_RANK];
    int64_t row, out_row, row_before;
} pad_job;

#define FILL_EACH(type)                                                                            \
    {                                                                                              \
        type value;                                                                                \
        memcpy(&value, job->value, sizeof value);                                                  \
        for (int64_t i = 0; i < n; ++i)                                                            \
            memcpy(y + (size_t)i * sizeof value, &value, sizeof value);                            \
    }

/* Writes the value n times from element `at` on. */
static void fill_row(const pad_job *job, int64_t at, int64_t n) {
    char *y = job->y + at * job->bytes;
    if (job->bytes == 1)
        memset(y, job->value[0], (size_t)n);
    else if (job->bytes == 2)
        FILL_EACH(uint16_t)
    else if (job->bytes == 4)
        FILL_EACH(uint32_t)
    else
        FILL_EACH(uint64_t)
}

/* The row of x that a row of the result holds, or -1. */
static int64_t source_row(const pad_job *job, int64_t row) {
    int64_t source = 0, stride = 1;
    for (int axis = job->rank - 1; axis >= 0; --axis) {
        const int64_t index = row % job->out[axis] - job->before[axis];
        if (index < 0 || index >= job->dims[axis]) return -1;
        source += index * stride;
        stride *= job->dims[axis];
        row /= job->out[axis];
    }
    return source;
}

static void pad_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const pad_job *job = arg;
    for (int64_t row = begin; row < end; ++row) {
        const int64_t source = source_row(job, row);
        const int64_t first = row * job->out_row, x = first + job->row_before;
        if (source < 0) {
            fill_row(job, first, job->out_row);
            continue;
        }
        fill_row(job, first, job->row_before);
        if (job->row)
            memcpy(job->y + x * job->bytes, job->x + source * job->row * job->bytes,
                   (size_t)(job->row * job->bytes));
        fill_row(job, x + job->row, job->out_row - job->row_before - job->row);
    }
}

static plx_status run_pad(plx_ctx *ctx, const plx__step *step) {
    const plx__operand *x = &step->in[0];
    pad_job job = {.x = *x->slot,
                   .y = *step->out.slot,
                   .bytes = (int64_t)plx__element_bytes(x->dtype),
                   .row = 1,
                   .out_row = 1};
    plx__encode(x->dtype, 1, &step->attrs.pad.value, job.value);
    if (!step->out.size) return PLX_OK;
    int axis = x->rank - 1;
    for (; axis >= 0 && job.row == job.out_row; --axis) {
        job.row_before = step->attrs.pad.before[axis] * job.row;
        job.row *= x->dims[axis];
        job.out_row *= step->out.dims[axis];
    }
    job.rank = axis + 1;
    for (int i = 0; i < job.rank; ++i) {
        job.dims[i] = x->dims[i];
        job.out[i] = step->out.dims[i];
        job.before[i] = step->attrs.pad.before[i];
    }
    const int64_t rows = step->out.size / job.out_row;
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.out_row, step->threads),
                      pad_rows, &job);
    return PLX_OK;
}

static const char pad_samples[] =
    "3 : before 1 after 2 value 0.5; 2x5x4x3 : before 0 1 2 after 0 1; "
    "65x130 : before 0 3 after 1 0 value -1; "
    "2x1x2x3x1x2 : before 1 0 0 2 1 after 0 1 0 0 0 1 value 2; 0x3 : before 1 1 after 1 0 value 3; "
    "2x3 : value 3";

const plx_op plx__op_pad = {
    .name = "pad",
    .operands = PLX__OPERANDS({"x", PLX__ANY, PLX__VALUE}),
    .result = PLX__AS(0),
    .infer = infer_pad,
    .gradient = gradient_pad,
    .cost = cost_moved,
    .run = run_pad,
    .attrs = plx__pad_fields,
    .samples = pad_samples,
};
