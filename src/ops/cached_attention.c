/* Attention of one query to all positions up to its own, with keys and values cached from run to
 * run: decoding one position at a time (Shazeer, "Fast transformer decoding", 2019). */
#include "ops/op.h"

#include <string.h>

/* Inputs: q [1, 1, heads d]; k and v [1, 1, kv_heads d], which the run writes to row `position` of
 * the cached keys and values [context, kv_heads d]; and position i32 [1]. Later rows are not read,
 * so their contents do not matter. */
enum { Q, K, V, KEYS, VALUES, POSITION };

static bool is_row(const plx__node *x) {
    return x->rank == 3 && x->dims[0] == 1 && x->dims[1] == 1;
}

static plx_status infer_cached(plx_graph *graph, plx__node *node) {
    const plx__node *q = plx__input_of(graph, node, Q), *k = plx__input_of(graph, node, K);
    const plx__node *keys = plx__input_of(graph, node, KEYS);
    const int64_t heads = node->attrs.attention.heads, kv_heads = node->attrs.attention.kv_heads;
    const bool fits =
        is_row(q) && is_row(k) && heads > 0 && kv_heads > 0 && heads % kv_heads == 0 &&
        q->dims[2] % heads == 0 && q->dims[2] > 0 && q->dims[2] / heads * kv_heads == k->dims[2] &&
        plx__same_shape(k, plx__input_of(graph, node, V)) && keys->rank == 2 &&
        keys->dims[1] == k->dims[2] && plx__same_shape(keys, plx__input_of(graph, node, VALUES)) &&
        plx__size(plx__input_of(graph, node, POSITION)) == 1;
    if (!fits)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "cached_attention: the shapes do not fit %lld query and %lld key heads: q, k and "
            "v must be [1, 1, width], keys and values [context, width of k], position one value",
            (long long)heads, (long long)kv_heads);
    plx__copy_shape(node, q);
    return PLX_OK;
}

typedef struct cached_job {
    const plx_kernels *kernels;
    const plx_real *q, *keys, *values;
    plx_real *out, *scores; /* context scores for each worker */
    int64_t context, seen, width, kv_width, group;
    plx_real scale;
} cached_job;

static void attend_heads(void *arg, int64_t begin, int64_t end, int worker) {
    const cached_job *job = arg;
    plx_real *scores = job->scores + worker * job->context;
    for (int64_t head = begin; head < end; ++head) {
        const int64_t kept = head / job->group * job->width;
        job->kernels->gemv_t(job->width, job->seen, job->q + head * job->width, job->keys + kept,
                             job->kv_width, scores, false);
        job->kernels->scale(job->seen, job->scale, scores, scores);
        job->kernels->softmax(job->seen, scores, scores);
        job->kernels->gemv(job->seen, job->width, scores, 1, job->values + kept, job->kv_width,
                           job->out + head * job->width, false);
    }
}

static plx_status run_cached(plx_ctx *ctx, const plx__step *step) {
    const int64_t context = step->in[KEYS].dims[0], kv_width = step->in[KEYS].dims[1];
    const int32_t position = *(const int32_t *)*step->in[POSITION].slot;
    if (position < 0 || position >= context)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "cached_attention: position %d is outside 0 to %lld", (int)position,
                         (long long)context - 1);
    const int64_t heads = step->attrs.attention.heads, row = position * kv_width;
    plx_real *keys = *step->in[KEYS].slot, *values = *step->in[VALUES].slot;
    memcpy(keys + row, PLX_IN(step, K), (size_t)kv_width * sizeof *keys);
    memcpy(values + row, PLX_IN(step, V), (size_t)kv_width * sizeof *values);
    cached_job job = {
        .kernels = ctx->kernels,
        .q = PLX_IN(step, Q),
        .keys = keys,
        .values = values,
        .out = PLX_OUT(step),
        .scores = step->workspace,
        .context = context,
        .seen = position + 1,
        .width = step->out.dims[2] / heads,
        .kv_width = kv_width,
        .group = heads / step->attrs.attention.kv_heads,
        .scale = (plx_real)step->attrs.attention.scale,
    };
    ctx->method = "heads";
    plx__parallel_for(ctx->pool, step->threads, heads,
                      plx__grain(heads, job.seen * job.width, step->threads), attend_heads, &job);
    return PLX_OK;
}

static size_t workspace_cached(const plx_ctx *ctx, const plx__step *step) {
    (void)ctx;
    return (size_t)(step->threads * step->in[KEYS].dims[0]) * sizeof(plx_real);
}

/* The cost at a position in the middle of the context. */
static plx__cost cost_cached(const plx_graph *graph, const plx__node *node) {
    const plx__node *keys = plx__input_of(graph, node, KEYS);
    const double seen = (double)(keys->dims[0] + 1) / 2, width = (double)node->dims[2];
    return (plx__cost){.flops = 4 * seen * width,
                       .bytes = 2 * seen * (double)keys->dims[1] * sizeof(plx_real),
                       .weight = 1};
}

static const char cached_samples[] =
    "1x1x1 1x1x1 1x1x1 1x1 1x1 1~0,1 : heads 1 kv_heads 1 scale 1; "
    "1x1x6 1x1x6 1x1x6 7x6 7x6 1~0,7 : heads 2 kv_heads 2 scale 0.6; "
    "1x1x68 1x1x17 1x1x17 40x17 40x17 1~20,40 : heads 4 kv_heads 1 scale 0.25; "
    "1x1x64 1x1x32 1x1x32 130x32 130x32 1~120,130 : heads 4 kv_heads 2 scale 0.2";

const plx_op plx__op_cached_attention = {
    .name = "cached_attention",
    .operands = PLX__OPERANDS({"q", PLX__REALS, PLX__VALUE}, {"k", PLX__REALS, PLX__VALUE},
                              {"v", PLX__REALS, PLX__VALUE}, {"keys", PLX__REALS, PLX__WRITTEN},
                              {"values", PLX__REALS, PLX__WRITTEN},
                              {"position", PLX__INTEGERS, PLX__CONSTANT}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_cached,
    .cost = cost_cached,
    .workspace = workspace_cached,
    .run = run_cached,
    .attrs = plx__attention_fields,
    .samples = PLX__TESTED(cached_samples),
};
