/* Builders of losses and of gradient clipping. */
#include "base/platform.h"
#include "graph/graph.h"
#include "ops/copy.h"

plx_node plx_l1(plx_graph *graph, plx_node prediction, plx_node target) {
    return plx__build2(graph, &plx__op_l1, prediction, target, NULL);
}

plx_node plx_huber(plx_graph *graph, plx_node prediction, plx_node target, double delta) {
    if (!plx__amount(graph, "huber", "delta", delta, false)) return plx_none();
    const plx__attrs attrs = {.loss = {.delta = delta}};
    return plx__build2(graph, &plx__op_huber, prediction, target, &attrs);
}

plx_node plx_binary_cross_entropy(plx_graph *graph, plx_node logits, plx_node target) {
    return plx__build2(graph, &plx__op_bce, logits, target, NULL);
}

plx_node plx_l2_normalize(plx_graph *graph, plx_node x, double epsilon) {
    if (!plx__amount(graph, "l2_normalize", "epsilon", epsilon, false)) return plx_none();
    const plx__attrs attrs = {.l2_normalize = {epsilon}};
    return plx__build1(graph, &plx__op_l2_normalize, x, &attrs);
}

/* Rows shorter than this have a cosine near 0 with all others, and no steep gradient. */
static const double shortest_row = 1e-8;

static bool same_shapes(plx_graph *graph, const char *op, plx_node a, plx_node b) {
    const int64_t *da = NULL, *db = NULL;
    if (!plx__are_reals(graph, op, "a", a) || !plx__are_reals(graph, op, "b", b)) return false;
    const int ra = plx_node_shape(graph, a, &da), rb = plx_node_shape(graph, b, &db);
    if (plx__same_shape(plx__at(graph, a), plx__at(graph, b))) return true;
    char left[96], right[96];
    plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: shapes %s and %s must be equal", op,
                    plx__shape_text(ra, da, left, sizeof left),
                    plx__shape_text(rb, db, right, sizeof right));
    return false;
}

static plx_node scaled_sum(plx_graph *graph, plx_node x, double factor) {
    const int rank = plx_node_shape(graph, x, NULL);
    if (rank < 0) return plx_none();
    const int64_t mask = ((int64_t)1 << rank) - 1;
    const plx__attrs attrs = {.sum = {.axes = mask, .dropped = mask, .factor = factor}};
    return plx__build1(graph, &plx__op_sum_to, x, &attrs);
}

plx_node plx_cosine_loss(plx_graph *graph, plx_node a, plx_node b) {
    if (!same_shapes(graph, "cosine_loss", a, b)) return plx_none();
    const plx__node *node = plx__at(graph, a);
    const double rows = (double)plx__rows(node->rank, node->dims);
    const plx_node one = plx_constant(graph, 1);
    const plx_node product = plx_mul(graph, plx_l2_normalize(graph, a, shortest_row),
                                     plx_l2_normalize(graph, b, shortest_row));
    return plx_sub(graph, one, scaled_sum(graph, product, 1 / rows));
}

/* The sum of a square matrix's diagonal, times factor. */
static plx_node diagonal_sum(plx_graph *graph, plx_node x, int64_t n, double factor) {
    const plx__attrs attrs = {.strided = {.strides = {n + 1}}, .rank = 1, .dims = {n}};
    const plx_node diagonal = plx__build1(graph, &plx__op_strided, x, &attrs);
    return scaled_sum(graph, diagonal, factor);
}

plx_node plx_info_nce(plx_graph *graph, plx_node a, plx_node b, plx_node scale) {
    if (!same_shapes(graph, "info_nce", a, b)) return plx_none();
    const int64_t *dims = NULL;
    if (!plx__are_reals(graph, "info_nce", "scale", scale)) return plx_none();
    const int rank = plx_node_shape(graph, a, &dims),
              scale_rank = plx_node_shape(graph, scale, NULL);
    if (rank != 2) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "info_nce: a and b have rank %d; it must be 2", rank);
        return plx_none();
    }
    if (scale_rank > 0) {
        plx__graph_fail(graph, PLX_ERR_SHAPE, "info_nce: scale has rank %d; it must be a scalar",
                        scale_rank);
        return plx_none();
    }
    const int64_t n = dims[0];
    const plx_node cosines = plx_matmul(graph, plx_l2_normalize(graph, a, shortest_row),
                                        plx_l2_normalize(graph, b, shortest_row), false, true);
    const plx_node logits = plx_mul(graph, cosines, scale);
    const double factor = -0.5 / (double)n;
    return plx_add(graph, diagonal_sum(graph, plx_log_softmax(graph, logits, 1), n, factor),
                   diagonal_sum(graph, plx_log_softmax(graph, logits, 0), n, factor));
}

static void check_clip(plx_graph *graph, int count, const plx_node *grads, double largest,
                       const plx_node *clipped) {
    if (count < 0)
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "clip_by_norm: count is %d; it must not be negative", count);
    plx__amount(graph, "clip_by_norm", "the largest norm", largest, false);
    if (count <= 0 || !plx__given(graph, "clip_by_norm", "grads", grads)) return;
    plx__given(graph, "clip_by_norm", "clipped", clipped);
    if (PLX__NAMES_OPERANDS) plx__all_reals(graph, "clip_by_norm", "gradient", count, grads);
}

plx_status plx__clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                             plx_node *clipped, plx_node *norm) {
    PLX_TRY(plx_graph_status(graph));
    const int32_t before = graph->count;
    check_clip(graph, count, grads, largest, clipped);
    if (!count || graph->status != PLX_OK) return plx__graph_settle(graph, before);
    /* A norm of 0 gives infinity, hence the factor 1. */
    const plx_node length = plx__build(graph, &plx__op_norm, count, grads, NULL);
    const plx_node ratio = plx_div(graph, plx_constant(graph, largest), length);
    const plx_node factor = plx_min(graph, plx_constant(graph, 1), ratio);
    const int32_t first = graph->count;
    for (int i = 0; i < count; ++i) plx_mul(graph, grads[i], factor);
    PLX_TRY(plx__graph_settle(graph, before));
    for (int i = 0; i < count; ++i) clipped[i] = plx__handle(graph, first + i);
    *norm = length;
    return PLX_OK;
}

plx_status plx_clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                            plx_node *clipped) {
    plx_node norm;
    return plx__clip_by_norm(graph, count, grads, largest, clipped, &norm);
}
