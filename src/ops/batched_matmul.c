/* Matrix products of the last two axes. The axes before them broadcast as NumPy's do. */
#include "ops/broadcast.h"

#include "blocks/gemm.h"

static int64_t rows_of(int rank, const int64_t *dims, bool transposed) {
    return dims[rank - (transposed ? 1 : 2)];
}

/* The size of leading axis i of count, as x aligns with the result. */
static int64_t leading(int rank, const int64_t *dims, int count, int i) {
    const int own = i - (count - (rank - 2));
    return own < 0 ? 1 : dims[own];
}

static plx_status infer_batched(plx_graph *graph, plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0), *b = plx__input_of(graph, node, 1);
    const bool ta = node->attrs.matmul.transpose_a, tb = node->attrs.matmul.transpose_b;
    char left[96], right[96];
    if (a->rank < 2 || b->rank < 2) {
        const plx__node *bad = a->rank < 2 ? a : b;
        return plx__graph_fail(graph, PLX_ERR_SHAPE, "matmul: %s of shape %s is not a matrix",
                               a->rank < 2 ? "a" : "b",
                               plx__shape_text(bad->rank, bad->dims, left, sizeof left));
    }
    const int64_t k = rows_of(a->rank, a->dims, !ta), k_of_b = rows_of(b->rank, b->dims, tb);
    if (k != k_of_b)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "matmul: inner sizes differ, %lld vs %lld; they must be equal",
                               (long long)k, (long long)k_of_b);
    node->rank = a->rank > b->rank ? a->rank : b->rank;
    const int count = node->rank - 2;
    for (int i = 0; i < count; ++i) {
        const int64_t da = leading(a->rank, a->dims, count, i);
        const int64_t db = leading(b->rank, b->dims, count, i);
        if (da != db && da != 1 && db != 1)
            return plx__graph_fail(graph, PLX_ERR_SHAPE,
                                   "matmul: the axes of %s and %s before the last two do not "
                                   "broadcast: sizes %lld and %lld must be equal, or one of them 1",
                                   plx__shape_text(a->rank, a->dims, left, sizeof left),
                                   plx__shape_text(b->rank, b->dims, right, sizeof right),
                                   (long long)da, (long long)db);
        node->dims[i] = da == 1 ? db : da;
    }
    node->dims[count] = rows_of(a->rank, a->dims, ta);
    node->dims[count + 1] = rows_of(b->rank, b->dims, !tb);
    return PLX_OK;
}

/* As for a single product; what an operand was repeated along is summed. */
static void gradient_batched(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    const plx__node node = *graph->nodes[id];
    plx__product_gradients(graph, &plx__op_batched_matmul, id, gy, grads);
    for (int k = 0; k < 2; ++k) grads[k] = plx__sum_like(graph, grads[k], node.inputs[k]);
}

static plx__cost cost_batched(const plx_graph *graph, const plx__node *node) {
    const plx__node *a = plx__input_of(graph, node, 0);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = 2.0 * (double)plx__size(node) *
                 (double)rows_of(a->rank, a->dims, !node->attrs.matmul.transpose_a);
    return cost;
}

/* Distances between the matrices of an operand, 0 where they repeat. */
static void matrix_strides(const plx__operand *x, const plx__gemm_batch *batch, int64_t *strides) {
    int64_t stride = x->dims[x->rank - 2] * x->dims[x->rank - 1];
    for (int i = batch->rank - 1; i >= 0; --i) {
        const int64_t dim = leading(x->rank, x->dims, batch->rank, i);
        strides[i] = dim == 1 ? 0 : stride;
        stride *= dim;
    }
}

static plx__gemm_batch batch_of(const plx__step *step) {
    const plx__operand *a = &step->in[0], *b = &step->in[1], *y = &step->out;
    const bool ta = step->attrs.matmul.transpose_a;
    plx__gemm_batch batch = {
        .args = {.m = y->dims[y->rank - 2],
                 .n = y->dims[y->rank - 1],
                 .k = rows_of(a->rank, a->dims, !ta),
                 .ta = ta,
                 .tb = step->attrs.matmul.transpose_b,
                 .alpha = 1,
                 .lda = a->dims[a->rank - 1],
                 .ldb = b->dims[b->rank - 1],
                 .ldc = y->dims[y->rank - 1]},
        .rank = y->rank - 2,
    };
    for (int i = 0; i < batch.rank; ++i) batch.dims[i] = y->dims[i];
    matrix_strides(a, &batch, batch.a);
    matrix_strides(b, &batch, batch.b);
    return batch;
}

static size_t workspace_batched(const plx_ctx *ctx, const plx__step *step) {
    const plx__gemm_batch batch = batch_of(step);
    return plx__gemm_batch_workspace(ctx, &batch, step->threads);
}

static plx_status run_batched(plx_ctx *ctx, const plx__step *step) {
    plx__gemm_batch batch = batch_of(step);
    batch.args.a = PLX_IN(step, 0);
    batch.args.b = PLX_IN(step, 1);
    batch.args.c = PLX_OUT(step);
    plx__gemm_batch_run(ctx, &batch, step->threads, step->workspace);
    return PLX_OK;
}

static const char batched_samples[] =
    "2x3x5 2x5x4; 2x1x3x5 3x5x4; 3x5 2x5x4; 2x5x3 5x4 : transpose_a 1; "
    "3x2x5x3 2x4x5 : transpose_a 1 transpose_b 1; 5x3x9 1x7x9 : transpose_b 1; 4x1x9 4x9x17; "
    "3x9x5 3x5x1; 0x3x5 1x5x4; 2x3x0 2x0x4; 2x0x5 2x5x4; 5x40x33 5x33x70";

const plx_op plx__op_batched_matmul = {
    .name = "batched_matmul",
    .title = "matmul",
    .operands = PLX__OPERANDS({"a", PLX__REALS, PLX__VALUE}, {"b", PLX__REALS, PLX__VALUE}),
    .infer = infer_batched,
    .gradient = gradient_batched,
    .cost = cost_batched,
    .workspace = workspace_batched,
    .run = run_batched,
    .attrs = plx__matmul_fields,
    .samples = batched_samples,
};
