/* Matrix product, bias, and both fused with an activation. Leading dimensions count as rows: an
 * operand of shape [..., c] is a matrix of product(...) rows. */
#include "ops/op.h"

#include "blocks/gemm.h"

typedef struct matmul_sizes {
    int64_t m, n, k, k_of_b;
} matmul_sizes;

static matmul_sizes sizes_of(const plx__attrs *attrs, int a_rank, const int64_t *a_dims, int b_rank,
                             const int64_t *b_dims) {
    const int64_t a_rows = plx__rows(a_rank, a_dims), a_columns = plx__columns(a_rank, a_dims);
    const int64_t b_rows = plx__rows(b_rank, b_dims), b_columns = plx__columns(b_rank, b_dims);
    return (matmul_sizes){
        .m = attrs->matmul.transpose_a ? a_columns : a_rows,
        .k = attrs->matmul.transpose_a ? a_rows : a_columns,
        .n = attrs->matmul.transpose_b ? b_rows : b_columns,
        .k_of_b = attrs->matmul.transpose_b ? b_columns : b_rows,
    };
}

static matmul_sizes node_sizes(const plx_graph *graph, const plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    return sizes_of(&node->attrs, a->rank, a->dims, b->rank, b->dims);
}

static plx_status infer_matmul(plx_graph *graph, plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    const char *name = node->op->name;
    /* b may have leading dimensions only where they are summed over (the gradient of weights). */
    const bool flat_b = node->attrs.matmul.transpose_a && !node->attrs.matmul.transpose_b;
    if (a->rank < 2 || b->rank < 2 || (b->rank > 2 && !flat_b)) {
        char shape[96];
        const plx__node *bad = a->rank < 2 ? a : b;
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s of shape %s is not a matrix", name,
                               a->rank < 2 ? "a" : "b",
                               plx__shape_text(bad->rank, bad->dims, shape, sizeof shape));
    }
    const matmul_sizes size = node_sizes(graph, node);
    if (size.k != size.k_of_b)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: inner sizes differ, %lld vs %lld; they must be equal", name,
                               (long long)size.k, (long long)size.k_of_b);
    if (node->inputs_count == 3) {
        const plx__node *bias = plx__input_of(graph, node, 2);
        if (bias->rank != 1 || bias->dims[0] != size.n)
            return plx__graph_fail(graph, PLX_ERR_SHAPE,
                                   "%s: bias has %lld values for %lld columns", name,
                                   (long long)plx__size(bias), (long long)size.n);
    }
    if (node->attrs.matmul.transpose_a) {
        node->rank = 2;
        node->dims[0] = size.m;
    } else {
        plx__copy_shape(node, a);
    }
    node->dims[node->rank - 1] = size.n;
    return PLX_OK;
}

void plx__product_gradients(plx_graph *graph, const plx_op *product, int32_t id, int32_t gy,
                            int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int32_t a = node.inputs[0], b = node.inputs[1];
    const bool ta = node.attrs.matmul.transpose_a, tb = node.attrs.matmul.transpose_b;
    const plx__attrs a_left = {.matmul = {.transpose_b = !tb}},
                     a_right = {.matmul = {.transpose_a = tb, .transpose_b = 1}};
    const plx__attrs b_right = {.matmul = {.transpose_a = !ta}},
                     b_left = {.matmul = {.transpose_a = 1, .transpose_b = ta}};
    /* y = op(a) op(b): d op(a) = gy op(b)^T, d op(b) = op(a)^T gy; transposed where a or b is. */
    grads[0] = ta ? PLX__EMIT2(graph, product, b, gy, &a_right)
                  : PLX__EMIT2(graph, product, gy, b, &a_left);
    grads[1] = tb ? PLX__EMIT2(graph, product, gy, a, &b_left)
                  : PLX__EMIT2(graph, product, a, gy, &b_right);
}

static void gradient_matmul(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    plx__product_gradients(graph, &plx__op_matmul, id, gy, grads);
}

static plx__cost cost_matmul(const plx_graph *graph, const plx__node *node) {
    const matmul_sizes size = node_sizes(graph, node);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = 2.0 * (double)size.m * (double)size.n * (double)size.k;
    return cost;
}

static plx__gemm_args gemm_args(const plx__step *step) {
    const plx__operand *a = &step->in[0], *b = &step->in[1];
    const matmul_sizes size = sizes_of(&step->attrs, a->rank, a->dims, b->rank, b->dims);
    return (plx__gemm_args){
        .m = size.m,
        .n = size.n,
        .k = size.k,
        .ta = step->attrs.matmul.transpose_a,
        .tb = step->attrs.matmul.transpose_b,
        .alpha = 1,
        .lda = plx__columns(a->rank, a->dims),
        .ldb = plx__columns(b->rank, b->dims),
        .ldc = size.n,
        .packed_b = step->packed,
        .act = (plx_activation)step->attrs.matmul.activation,
        .act_param = (plx_real)step->attrs.matmul.alpha,
    };
}

static size_t workspace_matmul(const plx_ctx *ctx, const plx__step *step) {
    const plx__gemm_args args = gemm_args(step);
    return plx__gemm_workspace(ctx, &args, step->threads);
}

static bool reads_all_matmul(const plx_ctx *ctx, const plx__step *step, int threads) {
    const plx__gemm_args args = gemm_args(step);
    return plx__gemm_reads_all(ctx, &args, threads);
}

static int64_t packed_matmul(const plx_ctx *ctx, const plx__step *step, plx__layout *layout) {
    const plx__gemm_args args = gemm_args(step);
    *layout = args.tb ? PLX__PANELS_TRANSPOSED : PLX__PANELS;
    return plx__gemm_keeps_packed(ctx, &args) ? plx__gemm_packed_values(ctx, &args) : 0;
}

static void pack_matmul(plx_ctx *ctx, const plx__step *step, plx_real *to) {
    plx__gemm_args args = gemm_args(step);
    args.b = PLX_IN(step, 1);
    plx__gemm_pack(ctx, &args, ctx->threads, to);
}

static plx_status run_matmul(plx_ctx *ctx, const plx__step *step) {
    plx__gemm_args args = gemm_args(step);
    args.a = PLX_IN(step, 0);
    args.b = PLX_IN(step, 1);
    args.bias = step->in_count == 3 ? PLX_IN(step, 2) : NULL;
    args.c = PLX_OUT(step);
    plx__gemm_run(ctx, &args, step->threads, step->workspace);
    return PLX_OK;
}

static const char matmul_samples[] =
    "1x1 1x1; 3x5 5x4; 5x3 5x4 : transpose_a 1; 3x5 4x5 : transpose_b 1; "
    "5x3 4x5 : transpose_a 1 transpose_b 1; 0x5 5x4; 3x0 0x4; 1x65 65x33; 17x70 70x37; 2x3x5 5x4; "
    "2x3x5 2x3x4 : transpose_a 1; 70x150 150x1; 70x9 1x9 : transpose_b 1; 9x70 9x1 : transpose_a 1";

const plx_op plx__op_matmul = {
    .name = "matmul",
    .operands = PLX__OPERANDS({"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE}),
    .infer = infer_matmul,
    .gradient = gradient_matmul,
    .cost = cost_matmul,
    .workspace = workspace_matmul,
    .run = run_matmul,
    .reads_all = reads_all_matmul,
    .packed = packed_matmul,
    .pack = pack_matmul,
    .attrs = plx__matmul_fields,
    .samples = matmul_samples,
};

static const char dense_samples[] =
    "3x5 5x4 4; 7x5 5x19 19 : activation 1; 7x5 19x5 19 : transpose_b 1 activation 8; "
    "1x30 30x20 20 : activation 5; 7x5 5x19 : activation 7; 70x9 9x1 1 : activation 8";

/* Created by the fuse pass from matmul, bias and an activation. */
const plx_op plx__op_dense = {
    .name = "dense",
    .operands = PLX__OPERANDS({"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE},
                              {"bias", PLX__REALS, PLX__OPTIONAL}),
    .flags = PLX__OP_NO_GRADIENT,
    .infer = infer_matmul,
    .cost = cost_matmul,
    .workspace = workspace_matmul,
    .run = run_matmul,
    .reads_all = reads_all_matmul,
    .packed = packed_matmul,
    .pack = pack_matmul,
    .attrs = plx__matmul_fields,
    .samples = PLX__TESTED(dense_samples),
};

/* ---- bias ------------------------------------------------------------------------------------ */

static plx_status infer_bias(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    if (b->rank != 1)
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "bias: b has rank %d; it must be 1", b->rank);
    if (x->rank < 1 || b->dims[0] != x->dims[x->rank - 1])
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "bias: b has %lld values for %lld columns",
                               (long long)plx__size(b), (long long)plx__columns(x->rank, x->dims));
    return plx__infer_same(graph, node);
}

static void gradient_bias(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    const int64_t leading = (1 << (node.rank - 1)) - 1;
    const plx__attrs sum = {.sum = {.axes = leading, .dropped = leading, .factor = 1}};
    grads[0] = gy;
    grads[1] = PLX__EMIT1(graph, &plx__op_sum_to, gy, &sum);
}

static plx__cost cost_bias(const plx_graph *graph, const plx__node *node) {
    return plx__cost_streaming(graph, node, 1, 1);
}

typedef struct bias_job {
    const plx_kernels *kernels;
    const plx_real *x, *b;
    plx_real *y;
    int64_t columns;
} bias_job;

static void bias_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const bias_job *job = arg;
    for (int64_t i = begin; i < end; ++i)
        job->kernels->add(job->columns, job->x + i * job->columns, 1, job->b, 1,
                          job->y + i * job->columns);
}

static plx_status run_bias(plx_ctx *ctx, const plx__step *step) {
    const int64_t rows = plx__rows(step->out.rank, step->out.dims);
    bias_job job = {ctx->kernels, PLX_IN(step, 0), PLX_IN(step, 1), PLX_OUT(step),
                    plx__columns(step->out.rank, step->out.dims)};
    ctx->method = "rows";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.columns, step->threads),
                      bias_rows, &job);
    return PLX_OK;
}

static const char bias_samples[] = "3x5 5; 0x5 5; 7 7; 2x3x17 17";

const plx_op plx__op_bias = {
    .name = "bias",
    .operands = PLX__OPERANDS({"x", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE}),
    .flags = PLX__OP_INPLACE,
    .infer = infer_bias,
    .gradient = gradient_bias,
    .cost = cost_bias,
    .run = run_bias,
    .samples = bias_samples,
};
