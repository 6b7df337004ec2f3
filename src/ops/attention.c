/* Attention, and rotary position embeddings of its queries and keys. */
#include "ops/op.h"

#include "blocks/attention_tiles.h"
#include "parallax.h"

#include <string.h>

/* Inputs: q, k, v, the buffer of log-sums [batch, heads, queries] and optionally the mask. */

static plx_status check_heads(plx_graph *graph, const char *op, const char *what,
                              const plx__node *x, int64_t heads) {
    if (x->rank != 3) {
        char shape[96];
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: %s has shape %s; it must be [batch, length, width]", op, what,
                               plx__shape_text(x->rank, x->dims, shape, sizeof shape));
    }
    if (heads < 1 || x->dims[2] % heads || !x->dims[2])
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: %s has width %lld, which %lld heads do not divide", op, what,
                               (long long)x->dims[2], (long long)heads);
    return PLX_OK;
}

static plx_status check_qkv(plx_graph *graph, const plx__node *node, const plx__node *q,
                            const plx__node *k, const plx__node *v) {
    const char *op = node->op->name;
    const int64_t heads = node->attrs.attention.heads, kv_heads = node->attrs.attention.kv_heads;
    PLX_TRY(check_heads(graph, op, "q", q, heads));
    PLX_TRY(check_heads(graph, op, "k", k, kv_heads));
    if (q->dims[2] / heads != k->dims[2] / kv_heads)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: heads of q have width %lld, those of k %lld; they must be equal", op,
            (long long)(q->dims[2] / heads), (long long)(k->dims[2] / kv_heads));
    if (!plx__same_shape(k, v) || q->dims[0] != k->dims[0]) {
        char a[96], b[96];
        const plx__node *other = plx__same_shape(k, v) ? q : v;
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: k %s and %s %s must have the same %s", op,
                               plx__shape_text(k->rank, k->dims, a, sizeof a),
                               other == v ? "v" : "q",
                               plx__shape_text(other->rank, other->dims, b, sizeof b),
                               other == v ? "shape" : "batch size");
    }
    return PLX_OK;
}

static plx_status check_mask(plx_graph *graph, const plx__node *node, const plx__node *q,
                             const plx__node *k, const plx__node *mask) {
    const int64_t wanted[] = {q->dims[0], q->dims[1], k->dims[1]};
    bool fits = mask->rank == 3 && mask->dims[2] == wanted[2];
    for (int i = 0; fits && i < 2; ++i) fits = mask->dims[i] == 1 || mask->dims[i] == wanted[i];
    if (fits) return PLX_OK;
    char a[96], b[96];
    return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: mask %s does not broadcast to the scores %s",
                           node->op->name, plx__shape_text(mask->rank, mask->dims, a, sizeof a),
                           plx__shape_text(3, wanted, b, sizeof b));
}

static plx_status infer_attention(plx_graph *graph, plx__node *node) {
    const plx__node *q = plx__input_of(graph, node, 0), *k = plx__input_of(graph, node, 1);
    PLX_TRY(check_qkv(graph, node, q, k, plx__input_of(graph, node, 2)));
    if (node->inputs_count == 5)
        PLX_TRY(check_mask(graph, node, q, k, plx__input_of(graph, node, 4)));
    plx__copy_shape(node, q);
    return PLX_OK;
}

/* The gradients of q, k and v are packed one after another into one value. */
static void gradient_attention(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t *in = node.inputs;
    const int32_t inputs[] = {
        in[0], in[1], in[2], id, in[3], gy, node.inputs_count == 5 ? in[4] : -1};
    const int32_t packed =
        plx__emit(graph, &plx__op_attention_grad, node.inputs_count + 2, inputs, &node.attrs);
    int64_t from = 0;
    for (int k = 0; k < 3; ++k) plx__hand_out(graph, &node, k, packed, &from, grads);
}

static plx__attention_args arguments(const plx__step *step, const plx__operand *mask) {
    const plx__operand *q = &step->in[0], *k = &step->in[1];
    plx__attention_args args = {
        .batch = q->dims[0],
        .queries = q->dims[1],
        .keys = k->dims[1],
        .heads = step->attrs.attention.heads,
        .kv_heads = step->attrs.attention.kv_heads,
        .width = q->dims[2] / step->attrs.attention.heads,
        .causal = step->attrs.attention.causal,
        .scale = (plx_real)step->attrs.attention.scale,
        .q = PLX_IN(step, 0),
        .k = PLX_IN(step, 1),
        .v = PLX_IN(step, 2),
    };
    if (mask) {
        args.mask = *mask->slot;
        args.mask_batch = mask->dims[0] == 1 ? 0 : mask->dims[1] * mask->dims[2];
        args.mask_row = mask->dims[1] == 1 ? 0 : mask->dims[2];
    }
    return args;
}

/* The workspace is sized before inputs are bound, so any non-NULL pointer stands for a mask. */
static plx__attention_args sizes(const plx__step *step, bool masked) {
    static const plx_real some = 0;
    plx__attention_args args = arguments(step, NULL);
    args.mask = masked ? &some : NULL;
    return args;
}

static size_t workspace_attention(const plx_ctx *ctx, const plx__step *step) {
    const plx__attention_args args = sizes(step, step->in_count == 5);
    return plx__attention_workspace(ctx, &args, step->threads);
}

static plx_status run_attention(plx_ctx *ctx, const plx__step *step) {
    plx__attention_args args = arguments(step, step->in_count == 5 ? &step->in[4] : NULL);
    args.log_sums = *step->in[3].slot;
    args.out = PLX_OUT(step);
    ctx->method = "tiles";
    plx__attention_run(ctx, &args, step->threads, step->workspace);
    return PLX_OK;
}

/* Products of rows of length d for each pair of a query and a key that it sees. An exponential
 * counts as some 10 operations, which the measured time of a tile confirms. */
static plx__cost cost_products(const plx_graph *graph, const plx__node *node, double products) {
    const plx__node *q = plx__input_of(graph, node, 0), *k = plx__input_of(graph, node, 1);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    const double s = (double)q->dims[1], t = (double)k->dims[1];
    const double seen =
        node->attrs.attention.causal ? s * t - (s < t ? s : t) * ((s < t ? s : t) - 1) / 2 : s * t;
    const double width = (double)q->dims[2];
    cost.flops = (double)q->dims[0] * seen * 2 * products * width;
    return cost;
}

static plx__cost cost_attention(const plx_graph *graph, const plx__node *node) {
    return cost_products(graph, node, 2);
}

static const char attention_samples[] =
    "1x1x1 1x1x1 1x1x1 1x1x1 : heads 1 kv_heads 1 scale 1; "
    "2x5x6 2x7x6 2x7x6 2x2x5 : heads 2 kv_heads 2 scale 0.6; "
    "2x5x12 2x5x6 2x5x6 2x4x5 : heads 4 kv_heads 2 causal 1 scale 0.6; "
    "1x3x8 1x5x4 1x5x4 1x2x3 : heads 2 kv_heads 1 causal 1 scale 0.5; "
    "1x5x4 1x3x4 1x3x4 1x1x5 : heads 1 kv_heads 1 causal 1 scale 0.5; "
    "2x3x4 2x4x4 2x4x4 2x2x3 2x3x4 : heads 2 kv_heads 2 scale 1; "
    "2x3x4 2x4x4 2x4x4 2x2x3 1x1x4 : heads 2 kv_heads 2 causal 1 scale 1; "
    "1x70x3 1x130x3 1x130x3 1x1x70 : heads 1 kv_heads 1 causal 1 scale 0.5; "
    "1x130x34 1x120x17 1x120x17 1x2x130 : heads 2 kv_heads 1 scale 0.25; "
    "0x5x4 0x5x4 0x5x4 0x1x5 : heads 1 kv_heads 1 scale 0.5; "
    "2x3x4 2x0x4 2x0x4 2x1x3 : heads 1 kv_heads 1 scale 0.5";

const plx_op plx__op_attention = {
    .name = "attention",
    .operands = PLX__OPERANDS({"q", PLX__REALS, PLX__VALUE}, {"k", PLX__REALS, PLX__VALUE},
                              {"v", PLX__REALS, PLX__VALUE}, {"log_sums", PLX__REALS, PLX__WRITTEN},
                              {"mask", PLX__REALS, PLX__CONSTANT | PLX__OPTIONAL}),
    .infer = infer_attention,
    .gradient = gradient_attention,
    .cost = cost_attention,
    .workspace = workspace_attention,
    .run = run_attention,
    .attrs = plx__attention_fields,
    .samples = attention_samples,
};

/* ---- attention_grad: q, k, v, the result, the buffer, its gradient, and the mask ------------- */

static plx_status infer_attention_grad(plx_graph *graph, plx__node *node) {
    const plx__node *q = plx__input_of(graph, node, 0), *k = plx__input_of(graph, node, 1);
    PLX_TRY(check_qkv(graph, node, q, k, plx__input_of(graph, node, 2)));
    node->rank = 1;
    node->dims[0] = plx__size(q) + 2 * plx__size(k);
    return PLX_OK;
}

static plx__cost cost_attention_grad(const plx_graph *graph, const plx__node *node) {
    return cost_products(graph, node, 5);
}

static size_t workspace_attention_grad(const plx_ctx *ctx, const plx__step *step) {
    const plx__attention_args args = sizes(step, step->in_count == 7);
    return plx__attention_grad_workspace(ctx, &args, step->threads);
}

static plx_status run_attention_grad(plx_ctx *ctx, const plx__step *step) {
    plx__attention_args args = arguments(step, step->in_count == 7 ? &step->in[6] : NULL);
    args.out = *step->in[3].slot;
    args.log_sums = *step->in[4].slot;
    args.g = PLX_IN(step, 5);
    args.gq = PLX_OUT(step);
    args.gk = args.gq + step->in[0].size;
    args.gv = args.gk + step->in[1].size;
    ctx->method = "tiles";
    plx__attention_grad_run(ctx, &args, step->threads, step->workspace);
    return PLX_OK;
}

/* With these log-sums the probabilities are not a softmax, but the products computed from them are
 * the same. */
static const char attention_grad_samples[] =
    "1x5x6 1x7x6 1x7x6 1x5x6 1x2x5~1,2 1x5x6 : heads 2 kv_heads 2 scale 0.6; "
    "2x3x4 2x4x2 2x4x2 2x3x4 2x2x3~1,2 2x3x4 1x3x4 : heads 2 kv_heads 1 causal 1 scale 0.6";

const plx_op plx__op_attention_grad = {
    .name = "attention_grad",
    .operands = PLX__OPERANDS({"q", PLX__REALS, PLX__VALUE}, {"k", PLX__REALS, PLX__VALUE},
                              {"v", PLX__REALS, PLX__VALUE}, {"y", PLX__REALS, PLX__VALUE},
                              {"log_sums", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE},
                              {"mask", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_attention_grad,
    .cost = cost_attention_grad,
    .workspace = workspace_attention_grad,
    .run = run_attention_grad,
    .attrs = plx__attention_fields,
    .samples = PLX__TESTED(attention_grad_samples),
};

/* ---- rope_table: cosines, then sines, [2, length, width / 2] --------------------------------- */

static plx_status infer_rope_table(plx_graph *graph, plx__node *node) {
    (void)graph;
    node->rank = 3;
    node->dims[0] = 2;
    node->dims[1] = node->attrs.rope_table.length;
    node->dims[2] = node->attrs.rope_table.width / 2;
    return PLX_OK;
}

static plx_status run_rope_table(plx_ctx *ctx, const plx__step *step) {
    const int64_t length = step->out.dims[1], half = step->out.dims[2];
    ctx->method = "elements";
    const double log_base = plx_math_log(step->attrs.rope_table.base);
    plx_real *cosines = PLX_OUT(step), *sines = cosines + length * half;
    for (int64_t i = 0; i < half; ++i) {
        const double frequency =
            plx_math_exp(-2 * (double)i / (double)step->attrs.rope_table.width * log_base);
        for (int64_t p = 0; p < length; ++p) {
            const double angle = (double)(step->attrs.rope_table.first + p) * frequency;
            cosines[p * half + i] = (plx_real)plx_math_cos(angle);
            sines[p * half + i] = (plx_real)plx_math_sin(angle);
        }
    }
    return PLX_OK;
}

static const char no_samples[] = "";

const plx_op plx__op_rope_table = {
    .name = "rope_table",
    .flags = PLX__OP_ONCE | PLX__OP_NO_GRADIENT,
    .infer = infer_rope_table,
    .cost = plx__cost_nothing,
    .run = run_rope_table,
    .attrs = plx__rope_table_fields,
    .samples = PLX__TESTED(no_samples),
};

/* ---- rope(x, table) -------------------------------------------------------------------------- */

static plx_status infer_rope(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *table = plx__input_of(graph, node, 1);
    PLX_TRY(check_heads(graph, "rope", "x", x, node->attrs.rope.heads));
    const int64_t width = x->dims[2] / node->attrs.rope.heads;
    if (width % 2)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "rope: heads have width %lld; it must be even",
                               (long long)width);
    if (table->rank != 3 || table->dims[0] != 2 || table->dims[1] != x->dims[1] ||
        table->dims[2] != width / 2)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "rope: the table does not fit x: it has %lld positions, x has %lld",
                               (long long)table->dims[1], (long long)x->dims[1]);
    return plx__infer_same(graph, node);
}

/* Rotation is orthogonal, so its transpose rotates back. */
static void gradient_rope(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__attrs attrs = node.attrs;
    attrs.rope.inverse = !attrs.rope.inverse;
    grads[0] = PLX__EMIT2(graph, &plx__op_rope, gy, node.inputs[1], &attrs);
}

typedef struct rope_job {
    const plx_kernels *kernels;
    const plx__step *step;
} rope_job;

static void rope_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const rope_job *job = arg;
    const plx__step *step = job->step;
    const int64_t length = step->out.dims[1], heads = step->attrs.rope.heads;
    const int64_t width = step->out.dims[2] / heads, half = width / 2;
    const plx_real *cosines = PLX_IN(step, 1), *sines = cosines + length * half;
    for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row % length * half;
        for (int64_t head = 0; head < heads; ++head) {
            const int64_t from = (row * heads + head) * width;
            const plx_real *x = PLX_IN(step, 0) + from;
            plx_real *y = PLX_OUT(step) + from;
            /* cos x0 + sin x1 and cos x1 - sin x0: the same rotation with the halves exchanged. */
            if (step->attrs.rope.inverse)
                job->kernels->rotate(half, x + half, x, cosines + at, sines + at, y + half, y);
            else
                job->kernels->rotate(half, x, x + half, cosines + at, sines + at, y, y + half);
        }
    }
}

static plx_status run_rope(plx_ctx *ctx, const plx__step *step) {
    rope_job job = {ctx->kernels, step};
    const int64_t rows = step->out.dims[0] * step->out.dims[1];
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows,
                      plx__grain(rows, step->out.dims[2], step->threads), rope_rows, &job);
    return PLX_OK;
}

static plx__cost cost_rope(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 3, 1);
}

static const char rope_samples[] =
    "2x3x8 2x3x2 : heads 2; 1x5x34 2x5x17 : heads 1 inverse 1; 0x3x4 2x3x2 : heads 1";

const plx_op plx__op_rope = {
    .name = "rope",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"table", PLX__REALS, PLX__CONSTANT}),
    .flags = PLX__OP_INPLACE,
    .infer = infer_rope,
    .gradient = gradient_rope,
    .cost = cost_rope,
    .run = run_rope,
    .attrs = plx__rope_fields,
    .samples = rope_samples,
};
