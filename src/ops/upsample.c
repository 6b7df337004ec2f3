/* Upsampling of images [n, height, width, channels] by whole factors. Output o of an axis with
 * factor f lies at (o + 1/2) / f - 1/2 of the input, clamped at the edges: bilinear interpolates
 * the two neighbours there, nearest takes element o / f. The gradient is the transpose of that,
 * gathered by rows of the input. */
#include "ops/op.h"

#include <string.h>

typedef struct upsample_job {
    const plx_kernels *kernels;
    const plx_real *x;
    plx_real *y, *scratch; /* of each worker: a row as wide as the input; for the gradient, three */
    int64_t h, w, c;       /* of the small image */
    int64_t fy, fx;
} upsample_job;

/* Output o of an axis is (1 - part) x[at] + part x[at + 1]; where part is 0, x[at] alone. */
typedef struct sample {
    int64_t at;
    double part;
} sample;

static sample sample_at(int64_t o, int64_t factor, int64_t size) {
    const int64_t twice = 2 * o + 1 - factor; /* 2 f times the position */
    if (twice <= 0) return (sample){0, 0};
    const sample s = {twice / (2 * factor), (double)(twice % (2 * factor)) / (double)(2 * factor)};
    return s.at >= size - 1 ? (sample){size - 1, 0} : s;
}

/* The weight of input `at` in output o. */
static double weight_of(int64_t at, int64_t o, int64_t factor, int64_t size) {
    const sample s = sample_at(o, factor, size);
    if (s.at == at) return 1 - s.part;
    return s.at + 1 == at ? s.part : 0;
}

static upsample_job job_of(plx_ctx *ctx, const plx__step *step, const int64_t *small) {
    return (upsample_job){ctx->kernels,
                          PLX_IN(step, 0),
                          PLX_OUT(step),
                          step->workspace,
                          small[1],
                          small[2],
                          small[3],
                          step->attrs.upsample.factor[0],
                          step->attrs.upsample.factor[1]};
}

static void blend(const upsample_job *job, int64_t n, const plx_real *x, const plx_real *next,
                  double part, plx_real *y) {
    if (part == 0)
        memcpy(y, x, (size_t)n * sizeof *y);
    else
        job->kernels->blend(n, (plx_real)(1 - part), x, (plx_real)part, next, y);
}

/* Units are rows of the result. */
static void nearest_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const upsample_job *job = arg;
    const int64_t wide = job->w * job->fx * job->c;
    for (int64_t unit = begin; unit < end; ++unit) {
        plx_real *y = job->y + unit * wide;
        if (unit > begin && unit % job->fy) {
            memcpy(y, y - wide, (size_t)wide * sizeof *y);
            continue;
        }
        const plx_real *x = job->x + unit / job->fy * job->w * job->c;
        for (int64_t j = 0; j < job->w * job->fx; ++j)
            memcpy(y + j * job->c, x + j / job->fx * job->c, (size_t)job->c * sizeof *y);
    }
}

static void bilinear_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const upsample_job *job = arg;
    const int64_t row = job->w * job->c, high = job->h * job->fy, wide = job->w * job->fx;
    plx_real *between = job->scratch + worker * row;
    for (int64_t unit = begin; unit < end; ++unit) {
        const sample i = sample_at(unit % high, job->fy, job->h);
        const plx_real *x = job->x + (unit / high * job->h + i.at) * row;
        blend(job, row, x, x + row, i.part, between);
        for (int64_t o = 0; o < wide; ++o) {
            const sample j = sample_at(o, job->fx, job->w);
            const plx_real *from = between + j.at * job->c;
            blend(job, job->c, from, from + job->c, j.part, job->y + (unit * wide + o) * job->c);
        }
    }
}

static plx_status run_upsample2d(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    upsample_job job = job_of(ctx, step, step->in[0].dims);
    const int64_t units = step->out.dims[0] * step->out.dims[1];
    ctx->method = "rows";
    plx__parallel_for(
        ctx->pool, step->threads, units, plx__grain(units, job.w * job.fx * job.c, step->threads),
        step->attrs.upsample.method == PLX_BILINEAR ? bilinear_rows : nearest_rows, &job);
    return PLX_OK;
}

/* Units are rows of the small image. */
static void nearest_grad_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const upsample_job *job = arg;
    const int64_t wide = job->w * job->fx * job->c;
    for (int64_t unit = begin; unit < end; ++unit)
        job->kernels->pool_sum(job->w, job->c, job->fy, job->fx, job->x + unit * job->fy * wide,
                               wide, job->c, job->fx * job->c, 1, job->y + unit * job->w * job->c);
}

/* The range of outputs that input `at` may contribute to. */
static int64_t first_output(int64_t at, int64_t factor) {
    return at > 0 ? (at - 1) * factor : 0;
}

static int64_t last_output(int64_t at, int64_t factor, int64_t size) {
    return (at + 2 < size ? at + 2 : size) * factor;
}

/* y[n] = the sum of weights times outputs from..end - 1, of those in g, for input `at`. */
static void add_outputs(const upsample_job *job, int64_t at, int64_t factor, int64_t size,
                        int64_t from, int64_t end, int64_t n, const plx_real *g, plx_real *y) {
    memset(y, 0, (size_t)n * sizeof *y);
    for (int64_t o = from; o < end; ++o) {
        const double weight = weight_of(at, o, factor, size);
        if (weight > 0) job->kernels->axpy(n, (plx_real)weight, g + o * n, y);
    }
}

/* The same for all outputs, in chains that are added with their rounding errors. */
static void sum_outputs(const upsample_job *job, int64_t at, int64_t factor, int64_t size,
                        int64_t n, const plx_real *g, plx_real *y, plx_real *scratch) {
    enum { CHAIN = 64 };
    const int64_t from = first_output(at, factor), end = last_output(at, factor, size);
    plx_real *sums = scratch, *errors = scratch + n;
    if (end - from <= CHAIN) {
        add_outputs(job, at, factor, size, from, end, n, g, y);
        return;
    }
    memset(y, 0, (size_t)n * sizeof *y);
    memset(errors, 0, (size_t)n * sizeof *errors);
    for (int64_t o = from; o < end; o += CHAIN) {
        add_outputs(job, at, factor, size, o, o + CHAIN < end ? o + CHAIN : end, n, g, sums);
        job->kernels->two_sum(n, sums, y, errors);
    }
    job->kernels->add(n, y, 1, errors, 1, y);
}

static void bilinear_grad_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const upsample_job *job = arg;
    const int64_t c = job->c, wide = job->w * job->fx * c;
    plx_real *between = job->scratch + worker * 3 * wide, *sums = between + wide;
    for (int64_t unit = begin; unit < end; ++unit) {
        const plx_real *gy = job->x + unit / job->h * job->h * job->fy * wide;
        plx_real *gx = job->y + unit * job->w * c;
        sum_outputs(job, unit % job->h, job->fy, job->h, wide, gy, between, sums);
        for (int64_t j = 0; j < job->w; ++j)
            sum_outputs(job, j, job->fx, job->w, c, between, gx + j * c, sums);
    }
}

static plx_status run_upsample2d_grad(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    upsample_job job = job_of(ctx, step, step->out.dims);
    const int64_t units = step->out.dims[0] * step->out.dims[1];
    ctx->method = "rows";
    plx__parallel_for(
        ctx->pool, step->threads, units, plx__grain(units, job.w * job.fx * job.c, step->threads),
        step->attrs.upsample.method == PLX_BILINEAR ? bilinear_grad_rows : nearest_grad_rows, &job);
    return PLX_OK;
}

static size_t workspace_upsample(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    if (step->attrs.upsample.method != PLX_BILINEAR) return 0;
    const int64_t rows = step->in[0].size >= step->out.size ? 3 : 1; /* gradients: 3 */
    return (size_t)(rows * step->threads * step->in[0].dims[2] * step->in[0].dims[3]) *
           sizeof(plx_real);
}

static plx_status infer_upsample(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    const int64_t *factor = node->attrs.upsample.factor;
    if (x->rank != 4)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "upsample2d: x has rank %d; it must be 4 (n, height, width, channels)", x->rank);
    for (int axis = 0; axis < 2; ++axis)
        if (factor[axis] < 1 || factor[axis] > INT32_MAX)
            return plx__graph_fail(
                graph, PLX_ERR_ARGUMENT,
                "upsample2d: the factors are %lld and %lld; each must be 1 to %d",
                (long long)factor[0], (long long)factor[1], INT32_MAX);
    plx__copy_shape(node, x);
    for (int axis = 0; axis < 2; ++axis) {
        if (x->dims[1 + axis] > INT64_MAX / 4 / factor[axis])
            return plx__graph_fail(graph, PLX_ERR_MEMORY,
                                   "upsample2d: %lld times %lld is more than memory can hold",
                                   (long long)x->dims[1 + axis], (long long)factor[axis]);
        node->dims[1 + axis] *= factor[axis];
    }
    return PLX_OK;
}

/* upsample2d_grad(gy): the target of attrs is the shape of x. */
static void gradient_upsample2d(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = node.attrs;
    plx__set_shape(&attrs, plx__input_of(graph, &node, 0));
    grads[0] = PLX__EMIT1(graph, &plx__op_upsample2d_grad, gy, &attrs);
}

static plx__cost cost_upsample(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 3, 2);
}

static const char upsample_samples[] =
    "2x3x2x5 : factor 2; 1x2x3x1 : factor 3 1; 2x3x4x5 : factor 2 method 1; "
    "1x5x3x2 : factor 3 4 method 1; 1x1x1x3 : factor 3 2 method 1; 3x2x1x17 : factor 1 5 method 1; "
    "2x20x9x4 : factor 2 3 method 1; 0x3x2x5 : factor 2; 2x0x2x5 : factor 2 method 1";
static const char upsample_grad_samples[] =
    "2x6x4x5 : factor 2 >2x3x2x5; 2x60x27x4 : factor 3 method 1 >2x20x9x4; "
    "2x60x18x4 : factor 3 2 >2x20x9x4";

const plx_op plx__op_upsample2d = {
    .name = "upsample2d",
    .operands = plx__takes_x,
    .infer = infer_upsample,
    .gradient = gradient_upsample2d,
    .cost = cost_upsample,
    .workspace = workspace_upsample,
    .run = run_upsample2d,
    .attrs = plx__upsample_fields,
    .samples = upsample_samples,
};

const plx_op plx__op_upsample2d_grad = {
    .name = "upsample2d_grad",
    .operands = plx__takes_gy,
    .flags = PLX__OP_NO_GRADIENT,
    .infer = plx__infer_target,
    .cost = cost_upsample,
    .workspace = workspace_upsample,
    .run = run_upsample2d_grad,
    .attrs = plx__upsample_fields,
    .samples = PLX__TESTED(upsample_grad_samples),
};
