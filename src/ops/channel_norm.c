/* Normalisation of channels (the last axis): group_norm over groups of channels in each image,
 * batch_norm over all other axes. Both take the same steps: means and standard deviations of chunks
 * of rows, which are merged (Chan et al., "Algorithms for computing the sample variance", 1983),
 * then one sweep. The chunks depend only on the shape. */
#include "ops/norm.h"

#include "parallax.h"

#include <string.h>

/* x as images of rows x channels; a batch is one image with as many groups as channels. */
typedef struct images {
    int64_t count, rows, channels, groups, chunk_rows, chunks;
} images;

typedef struct channel_job {
    const plx_kernels *kernels;
    images of;
    const plx_real *x, *gy, *scale, *shift;
    plx_real *y;
    plx_real *mean, *inverse; /* of each channel of each image: the mean and 1 / deviation */
    plx_real *running_mean, *running_variance; /* NULL: not updated */
    plx_real *partial;                         /* [image][chunk][2][channel] */
    plx_real *totals;                          /* [image][2][channel] */
    plx_real *factor, *slope, *offset;         /* [image][channel] */
    plx_real *zeros, *own_inverse;             /* [channel] */
    double epsilon, momentum;
    int thread_limit;
} channel_job;

static images images_of(int rank, const int64_t *dims, const plx__attrs *attrs) {
    enum { CHUNK = 16384 }; /* elements that stay in an L1 cache, or nearly */
    images of = {.count = 1, .channels = dims[rank - 1]};
    of.rows = plx__rows(rank, dims);
    of.groups = of.channels;
    if (attrs->norm.groups) {
        of.groups = attrs->norm.groups;
        of.count = dims[0];
        of.rows = plx__product(rank - 2, dims + 1);
    }
    const int64_t fit = CHUNK / (of.channels > 0 ? of.channels : 1);
    of.chunk_rows = fit > 64 ? fit : 64;
    of.chunks = (of.rows + of.chunk_rows - 1) / of.chunk_rows;
    return of;
}

static int64_t statistics_size(const images *of) {
    return 2 * of->count * of->channels;
}

static size_t workspace_channels(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    const images of = images_of(step->in[0].rank, step->in[0].dims, &step->attrs);
    return (size_t)((2 * of.count * of.chunks + 5 * of.count + 2) * of.channels) * sizeof(plx_real);
}

static channel_job job_of(plx_ctx *ctx, const plx__step *step) {
    channel_job job = {.kernels = ctx->kernels,
                       .of = images_of(step->in[0].rank, step->in[0].dims, &step->attrs),
                       .x = PLX_IN(step, 0),
                       .y = PLX_OUT(step),
                       .epsilon = step->attrs.norm.epsilon,
                       .momentum = step->attrs.norm.momentum,
                       .thread_limit = step->threads};
    const int64_t all = job.of.count * job.of.channels;
    job.partial = step->workspace;
    job.totals = job.partial + 2 * job.of.chunks * all;
    job.factor = job.totals + 2 * all;
    job.slope = job.factor + all;
    job.offset = job.slope + all;
    job.zeros = job.offset + all;
    job.own_inverse = job.zeros + job.of.channels;
    memset(job.zeros, 0, (size_t)job.of.channels * sizeof *job.zeros);
    return job;
}

static void use_statistics(channel_job *job, const plx__step *step, int k) {
    job->mean = *step->in[k].slot;
    job->inverse = job->mean + job->of.count * job->of.channels;
}

static void use_scale_shift(channel_job *job, const plx__step *step, int k) {
    if (step->attrs.norm.has_scale) job->scale = PLX_IN(step, k++);
    job->shift = step->attrs.norm.has_shift ? PLX_IN(step, k) : job->zeros;
}

/* Returns the first element of a chunk; *rows: how many rows it has. */
static int64_t chunk_at(const images *of, int64_t chunk, int64_t *rows) {
    const int64_t first = chunk % of->chunks * of->chunk_rows, left = of->rows - first;
    *rows = left < of->chunk_rows ? left : of->chunk_rows;
    return (chunk / of->chunks * of->rows + first) * of->channels;
}

static void over_chunks(plx_ctx *ctx, channel_job *job, plx__loop_fn fn) {
    ctx->method = "columns";
    plx__parallel_for(ctx->pool, job->thread_limit, job->of.count * job->of.chunks, 1, fn, job);
}

static void over_groups(plx_ctx *ctx, channel_job *job, plx__loop_fn fn) {
    const int64_t groups = job->of.count * job->of.groups;
    const int64_t each = job->of.channels / job->of.groups * job->of.chunks * 8;
    plx__parallel_for(ctx->pool, job->thread_limit, groups,
                      plx__grain(groups, each, job->thread_limit), fn, job);
}

/* ---- Forward --------------------------------------------------------------------------------- */

static bool is_finite(plx_real x) {
    return x - x == 0;
}

/* Statistics in double precision, for chunks whose squares or sums leave the range of the type. */
static void far_statistics(int64_t rows, int64_t n, const plx_real *x, plx_real *mean,
                           plx_real *deviation) {
    for (int64_t c = 0; c < n; ++c) {
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < rows; ++i) sum += (double)x[i * n + c];
        const double middle = sum / (double)rows;
        for (int64_t i = 0; i < rows; ++i) {
            const double d = (double)x[i * n + c] - middle;
            squares += d * d;
        }
        mean[c] = (plx_real)middle;
        deviation[c] = (plx_real)plx_math_sqrt(squares / (double)rows);
    }
}

/* Whether squares or sums left the range of the type: tiny deviations matter only to an epsilon
 * that is tinier still. */
static bool is_far_chunk(const channel_job *job, const plx_real *deviation) {
    const int64_t n = job->of.channels;
    bool far = !is_finite(job->kernels->sum(n, deviation));
    for (int64_t c = 0; c < n && job->epsilon < 1e-24; ++c) far |= deviation[c] < (plx_real)1e-15;
    return far;
}

/* Computes means and roots of mean squared deviations. */
static void chunk_statistics(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const plx_kernels *k = job->kernels;
    const int64_t n = job->of.channels;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        int64_t rows;
        const plx_real *x = job->x + chunk_at(&job->of, chunk, &rows);
        plx_real *mean = job->partial + chunk * 2 * n, *deviation = mean + n;
        k->column_sum(rows, n, x, n, mean);
        k->scale(n, 1 / (plx_real)rows, mean, mean);
        k->column_moment(rows, n, x, NULL, n, mean, deviation);
        k->scale(n, 1 / (plx_real)rows, deviation, deviation);
        k->sqrt(n, deviation, deviation, 0);
        if (is_far_chunk(job, deviation)) far_statistics(rows, n, x, mean, deviation);
    }
}

/* Channels from..to - 1 of an image, whose statistics come from its chunks. */
typedef struct channels_of {
    const channel_job *job;
    int64_t image, from, to;
} channels_of;

/* Merges the sums, or the squared deviations from mean, of all chunks in double precision. */
static double merge_chunks(channels_of g, bool squares, double mean) {
    const images *of = &g.job->of;
    const plx_real *means = g.job->partial + g.image * of->chunks * 2 * of->channels;
    double total = 0;
    for (int64_t k = 0; k < of->chunks; ++k, means += 2 * of->channels) {
        int64_t rows;
        chunk_at(of, k, &rows);
        for (int64_t c = g.from; c < g.to; ++c) {
            const double d = (double)means[c] - mean, deviation = (double)means[of->channels + c];
            total += (double)rows * (squares ? deviation * deviation + d * d : d);
        }
    }
    return total;
}

static void move_running(const channel_job *job, int64_t c, double mean, double variance) {
    plx_real *m = job->running_mean + c, *v = job->running_variance + c;
    *m = (plx_real)((double)*m + job->momentum * (mean - (double)*m));
    *v = (plx_real)((double)*v + job->momentum * (variance - (double)*v));
}

static double scale_of(const channel_job *job, int64_t channel) {
    return job->scale ? (double)job->scale[channel] : 1;
}

static void group_statistics(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const int64_t n = job->of.channels, size = n / job->of.groups;
    const double count = (double)job->of.rows * (double)size;
    for (int64_t group = begin; group < end; ++group) {
        const int64_t image = group / job->of.groups, from = group % job->of.groups * size;
        const channels_of g = {job, image, from, from + size};
        const double mean = merge_chunks(g, false, 0) / count;
        const double squares = merge_chunks(g, true, mean);
        const double inverse = 1 / plx_math_sqrt(squares / count + job->epsilon);
        for (int64_t c = from; c < from + size; ++c) {
            job->mean[image * n + c] = (plx_real)mean;
            job->inverse[image * n + c] = (plx_real)inverse;
            job->factor[image * n + c] = (plx_real)(inverse * scale_of(job, c));
        }
        if (job->running_mean) move_running(job, from, mean, squares / (count - 1));
    }
}

static void chunk_norm(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const int64_t n = job->of.channels;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        int64_t rows;
        const int64_t at = chunk_at(&job->of, chunk, &rows), first = chunk / job->of.chunks * n;
        job->kernels->channel_norm(rows, n, job->x + at, job->mean + first, job->factor + first,
                                   job->shift, job->y + at);
    }
}

static plx_status run_training(plx_ctx *ctx, channel_job *job) {
    over_chunks(ctx, job, chunk_statistics);
    over_groups(ctx, job, group_statistics);
    over_chunks(ctx, job, chunk_norm);
    return PLX_OK;
}

/* ---- Backward -------------------------------------------------------------------------------- */

static void chunk_sums(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const int64_t n = job->of.channels;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        int64_t rows;
        const int64_t at = chunk_at(&job->of, chunk, &rows);
        plx_real *sums = job->partial + chunk * 2 * n;
        job->kernels->column_moment(rows, n, job->x + at, job->gy + at, n,
                                    job->mean + chunk / job->of.chunks * n, sums);
        job->kernels->column_sum(rows, n, job->gy + at, n, sums + n);
    }
}

static double sum_chunks(const channel_job *job, int64_t image, int64_t place) {
    const int64_t stride = 2 * job->of.channels;
    const plx_real *sums = job->partial + image * job->of.chunks * stride + place;
    double total = 0;
    for (int64_t k = 0; k < job->of.chunks; ++k) total += (double)sums[k * stride];
    return total;
}

/* With c = x - mean, r = 1 / deviation and g = gy scale:
 * gx = r (g - mean(g)) - c r^3 mean(g c), the means being the group's. */
static void group_gradients(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const int64_t n = job->of.channels, size = n / job->of.groups;
    const double count = (double)job->of.rows * (double)size;
    for (int64_t group = begin; group < end; ++group) {
        const int64_t image = group / job->of.groups, from = group % job->of.groups * size;
        const double r = (double)job->inverse[image * n + from];
        double plain = 0, moment = 0;
        for (int64_t c = from; c < from + size; ++c) {
            const double m = sum_chunks(job, image, c), p = sum_chunks(job, image, n + c);
            job->totals[image * 2 * n + c] = (plx_real)(m * r);
            job->totals[image * 2 * n + n + c] = (plx_real)p;
            moment += m * scale_of(job, c);
            plain += p * scale_of(job, c);
        }
        for (int64_t c = from; c < from + size; ++c) {
            job->factor[image * n + c] = (plx_real)(r * scale_of(job, c));
            job->slope[image * n + c] = (plx_real)(-(r * r * r) * (moment / count));
            job->offset[image * n + c] = (plx_real)(-r * (plain / count));
        }
    }
}

static void chunk_norm_grad(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const int64_t n = job->of.channels;
    for (int64_t chunk = begin; chunk < end; ++chunk) {
        int64_t rows;
        const int64_t at = chunk_at(&job->of, chunk, &rows), first = chunk / job->of.chunks * n;
        job->kernels->channel_norm_grad(rows, n, job->x + at, job->gy + at, job->mean + first,
                                        job->factor + first, job->slope + first,
                                        job->offset + first, job->y + at);
    }
}

/* Whether 1 / deviation to the third power, by which a moment is multiplied, leaves the range of
 * the type. */
static bool is_far(const channel_job *job) {
    const plx_real least = (plx_real)1e-12, most = (plx_real)1e12;
    bool far = false;
    for (int64_t c = 0; c < job->of.count * job->of.channels; ++c)
        far |= !(job->inverse[c] > least && job->inverse[c] < most);
    return far;
}

/* The same as group_gradients and chunk_norm_grad for such groups, on normalised values and in
 * double precision: with y = c r, gx = r (g - mean(g) - y mean(g y)). */
static void far_group_gradients(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const channel_job *job = arg;
    const int64_t n = job->of.channels, size = n / job->of.groups, rows = job->of.rows;
    const double count = (double)rows * (double)size;
    for (int64_t group = begin; group < end; ++group) {
        const int64_t image = group / job->of.groups, from = group % job->of.groups * size;
        const int64_t first = image * rows * n;
        const double r = (double)job->inverse[image * n + from];
        const double middle = (double)job->mean[image * n + from];
        double plain = 0, moment = 0;
        for (int64_t c = from; c < from + size; ++c) {
            double p = 0, m = 0;
            for (int64_t i = first + c; i < first + rows * n; i += n) {
                p += (double)job->gy[i];
                m += (double)job->gy[i] * (((double)job->x[i] - middle) * r);
            }
            job->totals[image * 2 * n + c] = (plx_real)m;
            job->totals[image * 2 * n + n + c] = (plx_real)p;
            plain += p * scale_of(job, c) / count;
            moment += m * scale_of(job, c) / count;
        }
        for (int64_t c = from; c < from + size; ++c)
            for (int64_t i = first + c; i < first + rows * n; i += n) {
                const double y = ((double)job->x[i] - middle) * r;
                const double g = (double)job->gy[i] * scale_of(job, c);
                job->y[i] = (plx_real)(r * (g - plain - y * moment));
            }
    }
}

/* Writes gscale and gshift, where they are wanted, behind gx. */
static void write_totals(const channel_job *job, const plx__step *step) {
    const int64_t n = job->of.channels;
    const bool scale = step->attrs.norm.has_scale, shift = step->attrs.norm.has_shift;
    if (scale || shift)
        job->kernels->column_sum(job->of.count, n * (scale + shift), job->totals + (scale ? 0 : n),
                                 2 * n, job->y + step->in[0].size);
}

/* Inputs: x, statistics, gy, scale. */
static plx_status run_training_grad(plx_ctx *ctx, const plx__step *step) {
    channel_job job = job_of(ctx, step);
    if (!step->in[0].size) {
        memset(job.y, 0, (size_t)step->out.size * sizeof *job.y);
        return PLX_OK;
    }
    use_statistics(&job, step, 1);
    job.gy = PLX_IN(step, 2);
    if (step->attrs.norm.has_scale) job.scale = PLX_IN(step, 3);
    if (is_far(&job)) {
        ctx->method = "groups";
        over_groups(ctx, &job, far_group_gradients);
    } else {
        over_chunks(ctx, &job, chunk_sums);
        over_groups(ctx, &job, group_gradients);
        over_chunks(ctx, &job, chunk_norm_grad);
    }
    write_totals(&job, step);
    return PLX_OK;
}

static plx_status infer_packed(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    const int64_t vectors =
        plx__norm_vectors(&node->attrs) + 2 * PLX__IS_GRADIENT(node->op, batch_norm_inference);
    node->rank = 1;
    node->dims[0] = plx__size(x) + vectors * plx__columns(x->rank, x->dims);
    return PLX_OK;
}

static void emit_training_gradients(plx_graph *graph, const plx_op *op, int32_t id, int32_t gy,
                                    int first, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const bool scaled = node.attrs.norm.has_scale;
    const int32_t inputs[] = {node.inputs[0], node.inputs[1], gy, scaled ? node.inputs[first] : -1};
    const int32_t packed = plx__emit(graph, op, 3 + scaled, inputs, &node.attrs);
    int64_t from = 0;
    if (packed < 0) return;
    plx__hand_out(graph, &node, 0, packed, &from, grads);
    for (int k = first; k < node.inputs_count; ++k)
        plx__hand_out(graph, &node, k, packed, &from, grads);
}

static plx__cost cost_training(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 6, 1.5);
}

static plx__cost cost_training_grad(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 9, 1.7);
}

/* The result has the shape of x; the statistics are a buffer for the gradient. */
static plx_status infer_channels(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0);
    if (x->rank < 2)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: x has rank %d; at least 2 is needed",
                               node->op->name, x->rank);
    plx__copy_shape(node, x);
    return PLX_OK;
}

static plx_status check_statistics(plx_graph *graph, const plx__node *node) {
    const images of = images_of(node->rank, node->dims, &node->attrs);
    return plx__check_vector(graph, node, 1, "the buffer of statistics", statistics_size(&of),
                             "statistics");
}

/* ---- group_norm(x, statistics, scale, shift) ------------------------------------------------- */

static plx_status infer_group_norm(plx_graph *graph, plx__node *node) {
    PLX_TRY(infer_channels(graph, node));
    const int64_t groups = node->attrs.norm.groups, channels = node->dims[node->rank - 1];
    if (groups < 1 || channels % groups)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "group_norm: %lld channels cannot be split into %lld equal groups",
                               (long long)channels, (long long)groups);
    PLX_TRY(check_statistics(graph, node));
    return plx__check_scale_shift(graph, node, 2, channels, "channels");
}

static plx_status run_group_norm(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    channel_job job = job_of(ctx, step);
    use_statistics(&job, step, 1);
    use_scale_shift(&job, step, 2);
    return run_training(ctx, &job);
}

static void gradient_group_norm(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    emit_training_gradients(graph, &plx__op_group_norm_grad, id, gy, 2, grads);
}

static const char group_samples[] =
    "2x3x5x6~-2,2 24~0.5,1.5 6~0.5,1.5 6~0.5,1.5 : has_scale 1 has_shift 1 groups 3 epsilon 0.001; "
    "2x2x3x8~-2,2 32~0.5,1.5 : groups 1 epsilon 0.00001; "
    "3x5x17~-2,2 102~0.5,1.5 17~0.5,1.5 : has_scale 1 groups 17 epsilon 0.001; "
    "3x20~-2,2 120~0.5,1.5 20~0.5,1.5 : has_shift 1 groups 4 epsilon 0.01; "
    "1x9x20x9~-2,2 18~0.5,1.5 9~0.5,1.5 9~0.5,1.5 : has_scale 1 has_shift 1 groups 3 epsilon "
    "0.001; "
    "2x1x1x1~-2,2 4~0.5,1.5 1~0.5,1.5 1~0.5,1.5 : has_scale 1 has_shift 1 groups 1 epsilon 0.1; "
    "0x3x5x6~-2,2 0~0.5,1.5 6~0.5,1.5 6~0.5,1.5 : has_scale 1 has_shift 1 groups 3 epsilon 0.001; "
    "2x0x5x6~-2,2 24~0.5,1.5 6~0.5,1.5 6~0.5,1.5 : has_scale 1 has_shift 1 groups 3 epsilon 0.001";
static const char group_grad_samples[] =
    "2x3x5x6~-2,2 24~0.5,1.5 2x3x5x6~-2,2 6~0.5,1.5 : has_scale 1 has_shift 1 groups 3 epsilon "
    "0.001; "
    "3x12x10x160~-2,2 960~0.5,1.5 3x12x10x160~-2,2 : has_shift 1 groups 8 epsilon 0.001; "
    "2x0x5x6~-2,2 24~0.5,1.5 2x0x5x6~-2,2 : has_shift 1 groups 3 epsilon 0.001";

const plx_op plx__op_group_norm = {
    .name = "group_norm",
    .operands =
        PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"statistics", PLX__REALS, PLX__WRITTEN},
                      {"scale", PLX__REALS, PLX__OPTIONAL}, {"shift", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_INPLACE,
    .infer = infer_group_norm,
    .gradient = gradient_group_norm,
    .cost = cost_training,
    .workspace = workspace_channels,
    .run = run_group_norm,
    .attrs = plx__norm_fields,
    .samples = group_samples,
};

const plx_op plx__op_group_norm_grad = {
    .name = "group_norm_grad",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"statistics", PLX__REALS, PLX__VALUE},
                              {"gy", PLX__REALS, PLX__VALUE}, {"scale", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_packed,
    .cost = cost_training_grad,
    .workspace = workspace_channels,
    .run = run_training_grad,
    .attrs = plx__norm_fields,
    .samples = PLX__TESTED(group_grad_samples),
};

/* ---- batch_norm(x, statistics, running mean, running variance, scale, shift) ----------------- */

static plx_status check_running(plx_graph *graph, const plx__node *node, int k) {
    const int64_t channels = node->dims[node->rank - 1];
    PLX_TRY(plx__check_vector(graph, node, k, "running_mean", channels, "channels"));
    PLX_TRY(plx__check_vector(graph, node, k + 1, "running_variance", channels, "channels"));
    return plx__check_scale_shift(graph, node, k + 2, channels, "channels");
}

static plx_status infer_batch_norm(plx_graph *graph, plx__node *node) {
    PLX_TRY(infer_channels(graph, node));
    const int64_t rows = plx__rows(node->rank, node->dims);
    if (rows < 2)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "batch_norm: training needs at least 2 values per channel; the batch has %lld",
            (long long)rows);
    PLX_TRY(check_statistics(graph, node));
    return check_running(graph, node, 2);
}

static plx_status run_batch_norm(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    channel_job job = job_of(ctx, step);
    use_statistics(&job, step, 1);
    job.running_mean = *step->in[2].slot;
    job.running_variance = *step->in[3].slot;
    use_scale_shift(&job, step, 4);
    return run_training(ctx, &job);
}

static void gradient_batch_norm(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    emit_training_gradients(graph, &plx__op_batch_norm_grad, id, gy, 4, grads);
}

static const char batch_samples[] =
    "2x3x3x5~-2,2 10~0.5,1.5 5~0.5,1.5 5~0.5,1.5 5~0.5,1.5 5~0.5,1.5 : has_scale 1 has_shift 1 "
    "epsilon 0.001 momentum 0.1; "
    "33x4~-2,2 8~0.5,1.5 4~0.5,1.5 4~0.5,1.5 : epsilon 0.00001 momentum 0.1; "
    "150x18~-2,2 36~0.5,1.5 18~0.5,1.5 18~0.5,1.5 18~0.5,1.5 : has_scale 1 epsilon 0.001 momentum "
    "0.1; "
    "3x2x37~-2,2 74~0.5,1.5 37~0.5,1.5 37~0.5,1.5 37~0.5,1.5 : has_shift 1 epsilon 0.001 momentum "
    "0.1; "
    "3x1~-2,2 2~0.5,1.5 1~0.5,1.5 1~0.5,1.5 1~0.5,1.5 1~0.5,1.5 : has_scale 1 has_shift 1 momentum "
    "0.1; "
    "3x0~-2,2 0~0.5,1.5 0~0.5,1.5 0~0.5,1.5 0~0.5,1.5 0~0.5,1.5 : has_scale 1 has_shift 1 epsilon "
    "0.001 momentum 0.1";
static const char batch_grad_samples[] =
    "33x4~-2,2 8~0.5,1.5 33x4~-2,2 4~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001 momentum 0.1; "
    "3x12x10x160~-2,2 320~0.5,1.5 3x12x10x160~-2,2 160~0.5,1.5 : has_scale 1 epsilon 0.001 "
    "momentum 0.1";

const plx_op plx__op_batch_norm = {
    .name = "batch_norm",
    .operands = PLX__OPERANDS(
        {"x", PLX__REALS, PLX__VALUE}, {"statistics", PLX__REALS, PLX__WRITTEN},
        {"running_mean", PLX__REALS, PLX__WRITTEN}, {"running_variance", PLX__REALS, PLX__WRITTEN},
        {"scale", PLX__REALS, PLX__OPTIONAL}, {"shift", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_INPLACE,
    .infer = infer_batch_norm,
    .gradient = gradient_batch_norm,
    .cost = cost_training,
    .workspace = workspace_channels,
    .run = run_batch_norm,
    .attrs = plx__norm_fields,
    .samples = batch_samples,
};

const plx_op plx__op_batch_norm_grad = {
    .name = "batch_norm_grad",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"statistics", PLX__REALS, PLX__VALUE},
                              {"gy", PLX__REALS, PLX__VALUE}, {"scale", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_packed,
    .cost = cost_training_grad,
    .workspace = workspace_channels,
    .run = run_training_grad,
    .attrs = plx__norm_fields,
    .samples = PLX__TESTED(batch_grad_samples),
};

/* ---- batch_norm_inference(x, running mean, running variance, scale, shift) ------------------- */

static plx_status infer_inference(plx_graph *graph, plx__node *node) {
    PLX_TRY(infer_channels(graph, node));
    return check_running(graph, node, 1);
}

/* Computes deviations from the running variances (input k); the running means are input k - 1. */
static void use_running(channel_job *job, const plx__step *step, int k) {
    const plx_real *variance = PLX_IN(step, k);
    job->mean = *step->in[k - 1].slot;
    job->inverse = job->own_inverse;
    for (int64_t c = 0; c < job->of.channels; ++c) {
        const double inverse = 1 / plx_math_sqrt((double)variance[c] + job->epsilon);
        job->own_inverse[c] = (plx_real)inverse;
        job->factor[c] = (plx_real)(inverse * scale_of(job, c));
    }
}

static plx_status run_batch_norm_inference(plx_ctx *ctx, const plx__step *step) {
    if (!step->out.size) return PLX_OK;
    channel_job job = job_of(ctx, step);
    use_scale_shift(&job, step, 3);
    use_running(&job, step, 2);
    over_chunks(ctx, &job, chunk_norm);
    return PLX_OK;
}

static void gradient_batch_norm_inference(plx_graph *graph, int32_t id, int32_t gy,
                                          int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const bool scaled = node.attrs.norm.has_scale;
    const int32_t inputs[] = {node.inputs[0], gy, node.inputs[1], node.inputs[2],
                              scaled ? node.inputs[3] : -1};
    const int32_t packed =
        plx__emit(graph, &plx__op_batch_norm_inference_grad, 4 + scaled, inputs, &node.attrs);
    int64_t from = 0;
    if (packed < 0) return;
    plx__hand_out(graph, &node, 0, packed, &from, grads);
    for (int k = 3; k < node.inputs_count; ++k)
        plx__hand_out(graph, &node, k, packed, &from, grads);
    for (int k = 1; k < 3; ++k) plx__hand_out(graph, &node, k, packed, &from, grads);
}

/* Writes the gradients of the running statistics behind gx, gscale and gshift. */
static void write_running_gradients(const channel_job *job, const plx__step *step) {
    const int64_t n = job->of.channels;
    plx_real *gmean = job->y + step->out.size - 2 * n, *gvariance = gmean + n;
    for (int64_t c = 0; c < n; ++c) {
        const double factor = (double)job->factor[c], r = (double)job->inverse[c];
        gmean[c] = (plx_real)(-factor * (double)job->totals[n + c]);
        gvariance[c] = (plx_real)(-0.5 * factor * r * (double)job->totals[c]);
    }
}

static plx_status run_batch_norm_inference_grad(plx_ctx *ctx, const plx__step *step) {
    channel_job job = job_of(ctx, step);
    if (!step->in[0].size) {
        memset(job.y, 0, (size_t)step->out.size * sizeof *job.y);
        return PLX_OK;
    }
    job.gy = PLX_IN(step, 1);
    if (step->attrs.norm.has_scale) job.scale = PLX_IN(step, 4);
    use_running(&job, step, 3);
    over_chunks(ctx, &job, chunk_sums);
    over_groups(ctx, &job, group_gradients);
    write_totals(&job, step);
    write_running_gradients(&job, step);
    /* gx = gy factor */
    job.x = job.gy;
    job.mean = job.zeros;
    job.shift = job.zeros;
    over_chunks(ctx, &job, chunk_norm);
    return PLX_OK;
}

static plx__cost cost_inference(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 3, 1);
}

static const char inference_samples[] =
    "2x3x3x5~-2,2 5~0.5,1.5 5~0.5,1.5 5~0.5,1.5 5~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001 "
    "momentum 0.1; "
    "33x4~-2,2 4~0.5,1.5 4~0.5,1.5 : momentum 0.1; "
    "150x18~-2,2 18~0.5,1.5 18~0.5,1.5 18~0.5,1.5 : has_scale 1 epsilon 0.001 momentum 0.1; "
    "1x37~-2,2 37~0.5,1.5 37~0.5,1.5 37~0.5,1.5 : has_shift 1 epsilon 0.001 momentum 0.1; "
    "0x3~-2,2 3~0.5,1.5 3~0.5,1.5 3~0.5,1.5 3~0.5,1.5 : has_scale 1 has_shift 1 epsilon 0.001 "
    "momentum 0.1";
static const char inference_grad_samples[] = "33x4~-2,2 33x4~-2,2 4~0.5,1.5 4~0.5,1.5 4~0.5,1.5 : "
                                             "has_scale 1 has_shift 1 epsilon 0.001 momentum 0.1; "
                                             "3x12x10x160~-2,2 3x12x10x160~-2,2 160~0.5,1.5 "
                                             "160~0.5,1.5 : has_shift 1 epsilon 0.001 momentum 0.1";

const plx_op plx__op_batch_norm_inference = {
    .name = "batch_norm_inference",
    .title = "batch_norm",
    .operands =
        PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"running_mean", PLX__REALS, PLX__VALUE},
                      {"running_variance", PLX__REALS, PLX__VALUE},
                      {"scale", PLX__REALS, PLX__OPTIONAL}, {"shift", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_INPLACE,
    .infer = infer_inference,
    .gradient = gradient_batch_norm_inference,
    .cost = cost_inference,
    .workspace = workspace_channels,
    .run = run_batch_norm_inference,
    .attrs = plx__norm_fields,
    .samples = inference_samples,
};

const plx_op plx__op_batch_norm_inference_grad = {
    .name = "batch_norm_inference_grad",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE},
                              {"running_mean", PLX__REALS, PLX__VALUE},
                              {"running_variance", PLX__REALS, PLX__VALUE},
                              {"scale", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_packed,
    .cost = cost_training_grad,
    .workspace = workspace_channels,
    .run = run_batch_norm_inference_grad,
    .attrs = plx__norm_fields,
    .samples = PLX__TESTED(inference_grad_samples),
};
