/* Products over an axis, and running sums along one. Plain C with the same results on every target;
 * the order of every sum and product depends only on the shape. */
#include "ops/exact_sum.h"
#include "ops/op.h"

#include <string.h>

/* x [outer, axis, inner]. Units are strips of neighbouring columns, one element where inner is 1.
 */
enum { STRIP = 64 };
typedef struct strip_job {
    const plx_kernels *kernels;
    const plx_real *x, *gy;
    plx_real *y;
    int64_t axis, inner, strips;
    bool exclusive, reverse;
} strip_job;

typedef struct strip {
    int64_t first; /* its first element */
    int64_t at;    /* the same in an array without the axis */
    int64_t count;
} strip;

static strip strip_of(const strip_job *job, int64_t unit) {
    const int64_t outer = unit / job->strips, column = unit % job->strips * STRIP;
    const int64_t left = job->inner - column;
    return (strip){outer * job->axis * job->inner + column, outer * job->inner + column,
                   left < STRIP ? left : STRIP};
}

static void run_strips(plx_ctx *ctx, const plx__step *step, plx__loop_fn fn, strip_job *job) {
    const plx__operand *x = &step->in[0];
    const int64_t axis = step->attrs.axis.axis; /* the first attribute of every op here */
    const bool all = axis == PLX_ALL_AXES;
    job->kernels = ctx->kernels;
    job->x = PLX_IN(step, 0);
    job->y = PLX_OUT(step);
    job->axis = all ? x->size : x->dims[axis];
    job->inner = all ? 1 : plx__product(x->rank - (int)axis - 1, x->dims + axis + 1);
    job->strips = (job->inner + STRIP - 1) / STRIP;
    const int64_t outer = all ? 1 : plx__product((int)axis, x->dims);
    const int64_t units = outer * job->strips, width = job->inner < STRIP ? job->inner : STRIP;
    if (units) ctx->method = job->inner == 1 ? "rows" : "columns";
    plx__parallel_for(ctx->pool, step->threads, units,
                      plx__grain(units, job->axis * width, step->threads), fn, job);
}

static plx__cost cost_running(const plx_graph *graph, const plx__node *node) {
    plx__cost cost = plx__cost_streaming(graph, node, 0, 4);
    cost.flops = (double)plx__size(plx__input_of(graph, node, 0));
    return cost;
}

/* ---- reduce_prod ----------------------------------------------------------------------------- */

static plx_status infer_reduce_prod(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    node->rank = 0;
    for (int axis = 0; axis < x->rank && node->attrs.axis.axis != PLX_ALL_AXES; ++axis)
        if (axis != node->attrs.axis.axis) node->dims[node->rank++] = x->dims[axis];
    return PLX_OK;
}

static void gradient_reduce_prod(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    grads[0] = PLX__EMIT2(graph, &plx__op_reduce_prod_grad, node.inputs[0], gy, &node.attrs);
}

/* Several chains, since each waits for its last product. */
static plx_real row_product(int64_t n, const plx_real *x) {
    enum { CHAINS = 8 };
    plx_real chains[CHAINS], product = 1;
    for (int c = 0; c < CHAINS; ++c) chains[c] = 1;
    int64_t i = 0;
    for (; i + CHAINS <= n; i += CHAINS)
        for (int c = 0; c < CHAINS; ++c) chains[c] *= x[i + c];
    for (int c = 0; c < CHAINS; ++c) product *= chains[c];
    for (; i < n; ++i) product *= x[i];
    return product;
}

static void product_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const strip_job *job = arg;
    for (int64_t unit = begin; unit < end; ++unit) {
        const strip s = strip_of(job, unit);
        plx_real *y = job->y + s.at;
        if (job->inner == 1) {
            *y = row_product(job->axis, job->x + s.first);
            continue;
        }
        for (int64_t j = 0; j < s.count; ++j) y[j] = 1;
        for (int64_t i = 0; i < job->axis; ++i)
            job->kernels->mul(s.count, y, 1, job->x + s.first + i * job->inner, 1, y);
    }
}

static plx_status run_reduce_prod(plx_ctx *ctx, const plx__step *step) {
    strip_job job = {0};
    run_strips(ctx, step, product_strips, &job);
    return PLX_OK;
}

static const char prod_samples[] =
    "3x4x5; 3x4x5 : axis 1; 3x4x5 : axis 2; 2x3x4~0.5,2 : axis 1000; 3x130~0.9,1.1 : axis 1; "
    "3x70; 0x3; 3x0 : axis 1";

const plx_op plx__op_reduce_prod = {
    .name = "reduce_prod",
    .operands = plx__takes_x,
    .infer = infer_reduce_prod,
    .gradient = gradient_reduce_prod,
    .cost = cost_running,
    .run = run_reduce_prod,
    .attrs = plx__axis_fields,
    .samples = prod_samples,
};

/* gx = gy times the product of all other elements: of those before, then of those after. There is
 * no division, so zeros are like other values. */
static void product_grad_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const strip_job *job = arg;
    plx_real product[STRIP];
    for (int64_t unit = begin; unit < end; ++unit) {
        const strip s = strip_of(job, unit);
        for (int64_t j = 0; j < s.count; ++j) product[j] = 1;
        for (int64_t i = 0; i < job->axis; ++i)
            for (int64_t j = 0; j < s.count; ++j) {
                const int64_t at = s.first + i * job->inner + j;
                job->y[at] = product[j];
                product[j] *= job->x[at];
            }
        for (int64_t j = 0; j < s.count; ++j) product[j] = job->gy[s.at + j];
        for (int64_t i = job->axis - 1; i >= 0; --i)
            for (int64_t j = 0; j < s.count; ++j) {
                const int64_t at = s.first + i * job->inner + j;
                job->y[at] *= product[j];
                product[j] *= job->x[at];
            }
    }
}

static plx_status run_reduce_prod_grad(plx_ctx *ctx, const plx__step *step) {
    strip_job job = {.gy = PLX_IN(step, 1)};
    run_strips(ctx, step, product_grad_strips, &job);
    return PLX_OK;
}

static const char prod_grad_samples[] =
    "3x4x5 4x5; 3x4x5 3x5 : axis 1; 3x4x5 3x4 : axis 2; 3x70 70; 3x4 . : axis 1000";

const plx_op plx__op_reduce_prod_grad = {
    .name = "reduce_prod_grad",
    .operands = plx__takes_x_gy,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = plx__infer_same,
    .cost = cost_running,
    .run = run_reduce_prod_grad,
    .attrs = plx__axis_fields,
    .samples = PLX__TESTED(prod_grad_samples),
};

/* ---- cumsum ---------------------------------------------------------------------------------- */

static void gradient_cumsum(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    plx__attrs attrs = graph->nodes[id]->attrs;
    attrs.cumsum.reverse = !attrs.cumsum.reverse;
    grads[0] = PLX__EMIT1(graph, &plx__op_cumsum, gy, &attrs);
}

static void sum_strips(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const strip_job *job = arg;
    for (int64_t unit = begin; unit < end; ++unit) {
        const strip s = strip_of(job, unit);
        plx_real sum[STRIP] = {0}, error[STRIP] = {0};
        for (int64_t i = 0; i < job->axis; ++i) {
            const int64_t row = s.first + (job->reverse ? job->axis - 1 - i : i) * job->inner;
            for (int64_t j = 0; j < s.count; ++j) {
                const plx_real before = sum[j];
                plx__add_exactly(&sum[j], job->x[row + j], &error[j]);
                job->y[row + j] = job->exclusive ? before : sum[j];
            }
        }
    }
}

static plx_status run_cumsum(plx_ctx *ctx, const plx__step *step) {
    strip_job job = {.exclusive = step->attrs.cumsum.exclusive,
                     .reverse = step->attrs.cumsum.reverse};
    run_strips(ctx, step, sum_strips, &job);
    return PLX_OK;
}

static const char cumsum_samples[] =
    "7; 3x5 : axis 1 exclusive 1; 3x5 : axis 1 reverse 1; 2x4x70 : axis 1 exclusive 1 reverse 1; "
    "5x3 : exclusive 1; 3x300 : axis 1; 0x3; 3x0 : axis 1";

const plx_op plx__op_cumsum = {
    .name = "cumsum",
    .flags = PLX__OP_INPLACE,
    .operands = plx__takes_x,
    .infer = plx__infer_same,
    .gradient = gradient_cumsum,
    .cost = cost_running,
    .run = run_cumsum,
    .attrs = plx__cumsum_fields,
    .samples = cumsum_samples,
};
