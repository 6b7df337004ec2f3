/* Builders that move elements, losses and clipping: the wording of refusals, and values that the
 * table-walking tests do not cover. */
#include "check.h"

#include "ops/op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* a [3, 4], b [3, 5], c [4, 3], integer ids [6]. */
typedef struct nodes {
    plx_graph *graph;
    plx_node a, b, c, ids;
} nodes;

#define D(...) ((const int64_t[]){__VA_ARGS__})

/* ---- Refusals -------------------------------------------------------------------------------- */

typedef plx_status (*call)(nodes n);
#define CALL(name, ...)                                                                            \
    static plx_status name(nodes n) {                                                              \
        __VA_ARGS__;                                                                               \
        return plx_graph_status(n.graph);                                                          \
    }
/* Calls that return a status, and leave the graph unchanged. */
#define TRIED(name, ...)                                                                           \
    static plx_status name(nodes n) {                                                              \
        const plx_status status = __VA_ARGS__;                                                     \
        return plx_graph_status(n.graph) == PLX_OK ? status : PLX_OK;                              \
    }
#define MANY INT64_C(0x4000000000000000)

CALL(reshape_size, plx_reshape(n.graph, n.a, 2, D(5, -1)))
CALL(reshape_two, plx_reshape(n.graph, n.a, 3, D(-1, 3, -1)))
CALL(reshape_less, plx_reshape(n.graph, n.a, 1, D(11)))
CALL(reshape_negative, plx_reshape(n.graph, n.a, 2, D(-3, -4)))
CALL(reshape_empty, plx_reshape(n.graph, plx_slice(n.graph, n.a, 0, 0, 0, 1), 2, D(0, -1)))
CALL(reshape_overflow, plx_reshape(n.graph, n.a, 3, D(MANY, MANY, 12)))
CALL(reshape_rank, plx_reshape(n.graph, n.a, 7, D(1, 1, 1, 1, 1, 3, 4)))
CALL(reshape_handle, plx_reshape(n.graph, plx_none(), 1, D(12)))
CALL(transpose_twice, plx_transpose(n.graph, n.a, (const int[]){1, 1}))
CALL(transpose_beyond, plx_transpose(n.graph, n.a, (const int[]){0, 2}))
CALL(slice_end, plx_slice(n.graph, n.b, 1, 2, 9, 1))
CALL(slice_begin, plx_slice(n.graph, n.b, 1, -6, 5, 1))
CALL(slice_back, plx_slice(n.graph, n.b, 1, 5, -6, -1))
CALL(slice_step, plx_slice(n.graph, n.b, 1, 0, 5, 0))
CALL(slice_axis, plx_slice(n.graph, n.b, 2, 0, 5, 1))
CALL(slice_all, plx_slice(n.graph, n.b, PLX_ALL_AXES, 0, 5, 1))
CALL(slice_extreme, plx_slice(n.graph, n.b, 1, INT64_MIN, INT64_MAX, INT64_MIN))
CALL(concat_sizes, plx_concat(n.graph, 2, (const plx_node[]){n.a, n.c}, 1))
CALL(concat_ranks, plx_concat(n.graph, 2, (const plx_node[]){n.a, plx_constant(n.graph, 1)}, 1))
CALL(concat_none, plx_concat(n.graph, 0, NULL, 0))
CALL(concat_mixed, plx_concat(n.graph, 2, (const plx_node[]){n.a, n.ids}, 0))
CALL(concat_reals,
     plx_concat(n.graph, 2, (const plx_node[]){n.ids, plx_slice(n.graph, n.a, 0, 0, 1, 1)}, 0))
CALL(pad_half, plx_pad(n.graph, n.ids, D(1), D(0), 0.5))
CALL(pad_wide, plx_pad(n.graph, n.ids, D(1), D(0), 2147483648.0))
CALL(pad_nan, plx_pad(n.graph, n.ids, D(1), D(0), NAN))
CALL(sum_integers, plx_reduce_sum(n.graph, n.ids, 0))
CALL(mean_integers, plx_reduce_mean(n.graph, n.ids, 0))
CALL(exp_integers, plx_exp(n.graph, plx_slice(n.graph, n.ids, 0, 0, 6, 2)))
CALL(entropy_labels, plx_cross_entropy(n.graph, n.a, n.b))
TRIED(split_sizes, plx_split(n.graph, n.b, 1, 2, D(2, 2), (plx_node[2]){{0}}))
TRIED(split_negative, plx_split(n.graph, n.b, 1, 2, D(6, -1), (plx_node[2]){{0}}))
TRIED(split_equal, plx_split(n.graph, n.b, 1, 2, NULL, (plx_node[2]){{0}}))
TRIED(split_none, plx_split(n.graph, n.b, 1, 0, NULL, NULL))
CALL(pad_negative, plx_pad(n.graph, n.a, D(0, -1), D(0, 0), 0))
CALL(pad_overflow, plx_pad(n.graph, n.a, D(0, INT64_MAX), D(0, 0), 0))
CALL(pad_huge, plx_pad(n.graph, n.a, D(MANY, 0), D(0, MANY), 0))
CALL(broadcast_size, plx_broadcast(n.graph, n.a, 2, D(3, 8)))
CALL(broadcast_less, plx_broadcast(n.graph, n.a, 1, D(4)))
CALL(broadcast_negative, plx_broadcast(n.graph, plx_constant(n.graph, 1), 1, D(-2)))
CALL(broadcast_huge, plx_broadcast(n.graph, plx_constant(n.graph, 1), 3, D(MANY, MANY, MANY)))
CALL(gather_axis, plx_gather(n.graph, n.a, n.ids, 2))
CALL(gather_reals, plx_gather(n.graph, n.a, n.b, 0))
CALL(gather_rank, plx_gather(n.graph, plx_reshape(n.graph, n.a, 6, D(1, 1, 1, 1, 3, 4)),
                             plx_reshape(n.graph, n.ids, 2, D(2, 3)), 0))
CALL(embedding_rank, plx_embedding(n.graph, plx_constant(n.graph, 1), n.ids))
CALL(argmax_empty, plx_argmax(n.graph, plx_slice(n.graph, n.a, 0, 0, 0, 1), 0))
TRIED(top_k_size, plx_top_k(n.graph, n.a, 5, NULL, NULL))
TRIED(top_k_scalar, plx_top_k(n.graph, plx_constant(n.graph, 1), 1, NULL, NULL))
CALL(clip_order, plx_clip(n.graph, n.a, 1, -1))
CALL(softmax_axis, plx_softmax(n.graph, n.a, -3))
CALL(lse_axis, plx_log_sum_exp(n.graph, n.a, 2))
CALL(l1_shapes, plx_l1(n.graph, n.a, n.b))
CALL(huber_shapes, plx_huber(n.graph, n.a, n.b, 1))
CALL(huber_delta, plx_huber(n.graph, n.a, n.a, 0))
CALL(bce_shapes, plx_binary_cross_entropy(n.graph, n.a, n.c))
CALL(normalize_epsilon, plx_l2_normalize(n.graph, n.a, 0))
CALL(normalize_scalar, plx_l2_normalize(n.graph, plx_constant(n.graph, 1), 1))
CALL(cosine_shapes, plx_cosine_loss(n.graph, n.a, n.b))
CALL(nce_shapes, plx_info_nce(n.graph, n.a, n.b, plx_constant(n.graph, 1)))
CALL(nce_rank, plx_info_nce(n.graph, plx_constant(n.graph, 1), plx_constant(n.graph, 1),
                            plx_constant(n.graph, 1)))
CALL(nce_scale, plx_info_nce(n.graph, n.a, n.a, n.b))
TRIED(norm_zero, plx_clip_by_norm(n.graph, 1, &n.a, 0, &n.a))

static const struct {
    call build;
    plx_status status;
    const char *sentence;
} refusals[] = {
    {reshape_size, PLX_ERR_SHAPE, "reshape: 12 elements do not fill [5, -1]"},
    {reshape_two, PLX_ERR_SHAPE,
     "reshape: 12 elements do not fill [-1, 3, -1]; only one size may be -1"},
    {reshape_less, PLX_ERR_SHAPE, "reshape: 12 elements do not fill [11]"},
    {reshape_negative, PLX_ERR_SHAPE, "reshape: 12 elements do not fill [-3, -4]"},
    {reshape_empty, PLX_ERR_SHAPE, "reshape: 0 elements do not fill [0, -1]"},
    {reshape_overflow, PLX_ERR_SHAPE, "reshape: 12 elements do not fill [4611686018427387904, "},
    {reshape_rank, PLX_ERR_SHAPE, "reshape: the rank is 7; it must be 0 to 6"},
    {reshape_handle, PLX_ERR_ARGUMENT, "reshape: x is not a node"},
    {transpose_twice, PLX_ERR_SHAPE, "transpose: [1, 1] is not a permutation of the 2 axes"},
    {transpose_beyond, PLX_ERR_SHAPE, "transpose: [0, 2] is not a permutation of the 2 axes"},
    {slice_end, PLX_ERR_SHAPE, "slice: range 2 to 9 is outside the axis of size 5"},
    {slice_begin, PLX_ERR_SHAPE, "slice: range -6 to 5 is outside the axis of size 5"},
    {slice_back, PLX_ERR_SHAPE, "slice: range 5 to -6 is outside the axis of size 5"},
    {slice_step, PLX_ERR_ARGUMENT, "slice: step is 0"},
    {slice_axis, PLX_ERR_SHAPE, "slice: there is no axis 2 in an array of rank 2"},
    {slice_all, PLX_ERR_SHAPE, "slice: it takes one axis, not all of them"},
    {slice_extreme, PLX_ERR_SHAPE,
     "slice: range -9223372036854775808 to 9223372036854775807 is outside the axis of size 5"},
    {concat_sizes, PLX_ERR_SHAPE,
     "concat: inputs have sizes 3 and 4 along axis 0; they must be equal"},
    {concat_ranks, PLX_ERR_SHAPE, "concat: inputs have ranks 2 and 0; they must be equal"},
    {concat_none, PLX_ERR_ARGUMENT, "concat: count is 0; it needs at least one array"},
    {concat_mixed, PLX_ERR_ARGUMENT,
     "concat: x (ids) must hold " REAL_NAME " as the first does, not int32"},
    {concat_reals, PLX_ERR_ARGUMENT, "concat: x must hold int32 as the first does, not " REAL_NAME},
    {pad_half, PLX_ERR_ARGUMENT, "pad: the value 0.5 cannot be stored as int32"},
    {pad_wide, PLX_ERR_ARGUMENT, "pad: the value 2.14748e+09 cannot be stored as int32"},
    {pad_nan, PLX_ERR_ARGUMENT, "pad: the value nan cannot be stored as int32"},
    {sum_integers, PLX_ERR_ARGUMENT, "reduce_sum: x must hold " REAL_NAME ", not int32"},
    {mean_integers, PLX_ERR_ARGUMENT, "reduce_mean: x must hold " REAL_NAME ", not int32"},
    {exp_integers, PLX_ERR_ARGUMENT, "exp: x must hold " REAL_NAME ", not int32"},
    {entropy_labels, PLX_ERR_ARGUMENT, "cross_entropy: labels (b) must hold int32, not " REAL_NAME},
    {split_sizes, PLX_ERR_SHAPE, "split: parts of 2 + 2 do not add up to the axis of size 5"},
    {split_negative, PLX_ERR_SHAPE, "split: part 1 is -1; it must be 0 or more"},
    {split_equal, PLX_ERR_SHAPE, "split: an axis of size 5 cannot be split into 2 equal parts"},
    {split_none, PLX_ERR_SHAPE, "split: an axis of size 5 cannot be split into 0 equal parts"},
    {pad_negative, PLX_ERR_SHAPE,
     "pad: padding is -1 before and 0 after axis 1; neither may be negative"},
    {pad_overflow, PLX_ERR_MEMORY, "pad: the size of axis 1 is more than memory can hold"},
    {pad_huge, PLX_ERR_MEMORY, "more than memory can hold"},
    {broadcast_size, PLX_ERR_SHAPE,
     "broadcast: axis 1 has size 4; only size 1 can be broadcast to 8"},
    {broadcast_less, PLX_ERR_SHAPE, "broadcast: x has rank 2; it cannot be broadcast to rank 1"},
    {broadcast_negative, PLX_ERR_SHAPE, "dimension 0 of [-2] is negative"},
    {broadcast_huge, PLX_ERR_MEMORY, "more than memory can hold"},
    {gather_axis, PLX_ERR_SHAPE, "gather: there is no axis 2 in an array of rank 2"},
    {gather_reals, PLX_ERR_ARGUMENT, "gather: indices (b) must hold int32, not " REAL_NAME},
    {gather_rank, PLX_ERR_SHAPE,
     "gather: x of rank 6 and indices of rank 2 give rank 7; at most 6 is possible"},
    {embedding_rank, PLX_ERR_SHAPE, "embedding: table has rank 0; it must be 2"},
    {argmax_empty, PLX_ERR_SHAPE,
     "argmax: the axis has 0 elements in [0, 4]; at least 1 is needed"},
    {top_k_size, PLX_ERR_SHAPE, "top_k: k is 5; it must be 0 to 4"},
    {top_k_scalar, PLX_ERR_SHAPE, "top_k: x is a scalar; it needs at least one axis"},
    {clip_order, PLX_ERR_ARGUMENT, "clip: low is 1 and high -1"},
    {softmax_axis, PLX_ERR_SHAPE, "softmax: there is no axis -3 in an array of rank 2"},
    {lse_axis, PLX_ERR_SHAPE, "log_sum_exp: there is no axis 2 in an array of rank 2"},
    {l1_shapes, PLX_ERR_SHAPE, "l1: prediction [3, 4] and target [3, 5] must have the same shape"},
    {huber_shapes, PLX_ERR_SHAPE,
     "huber: prediction [3, 4] and target [3, 5] must have the same shape"},
    {huber_delta, PLX_ERR_ARGUMENT, "huber: delta 0 must be above 0"},
    {bce_shapes, PLX_ERR_SHAPE,
     "binary_cross_entropy: prediction [3, 4] and target [4, 3] must have the same shape"},
    {normalize_epsilon, PLX_ERR_ARGUMENT, "l2_normalize: epsilon 0 must be above 0"},
    {normalize_scalar, PLX_ERR_SHAPE, "l2_normalize: x is a scalar; it needs at least one axis"},
    {cosine_shapes, PLX_ERR_SHAPE, "cosine_loss: shapes [3, 4] and [3, 5] must be equal"},
    {nce_shapes, PLX_ERR_SHAPE, "info_nce: shapes [3, 4] and [3, 5] must be equal"},
    {nce_rank, PLX_ERR_SHAPE, "info_nce: a and b have rank 0; it must be 2"},
    {nce_scale, PLX_ERR_SHAPE, "info_nce: scale has rank 2; it must be a scalar"},
    {norm_zero, PLX_ERR_ARGUMENT, "clip_by_norm: the largest norm 0 must be above 0"},
};

static nodes make_nodes(plx_ctx *ctx) {
    nodes n;
    plx_graph_new(ctx, &n.graph);
    n.a = plx_input(n.graph, "a", PLX_DTYPE_REAL, 2, D(3, 4));
    n.b = plx_input(n.graph, "b", PLX_DTYPE_REAL, 2, D(3, 5));
    n.c = plx_input(n.graph, "c", PLX_DTYPE_REAL, 2, D(4, 3));
    n.ids = plx_input(n.graph, "ids", PLX_DTYPE_I32, 1, D(6));
    return n;
}

static void check_refusals(plx_check *t, plx_ctx *ctx) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; ++i) {
        nodes n = make_nodes(ctx);
        const plx_status status = refusals[i].build(n);
        CHECK(t, status == refusals[i].status, "case %d: %s, %s", (int)i, plx_status_name(status),
              plx_message(ctx));
        CHECK(t, strstr(plx_message(ctx), refusals[i].sentence), "case %d: \"%s\" lacks \"%s\"",
              (int)i, plx_message(ctx), refusals[i].sentence);
        plx_graph_free(n.graph);
    }
}

/* ---- Values ---------------------------------------------------------------------------------- */

static plx_real counting[64]; /* 0, 1, 2, ... */

/* Compiles y, binds the inputs (a, b and c count up) and compares. Integers go through plx_real. */
static void check_values(plx_check *t, nodes n, plx_node y, const char *what, int rank,
                         const int64_t *dims, const double *expected) {
    static const int32_t ids[6] = {2, 0, 2, 1, 2, 0};
    const int64_t *own = NULL;
    plx_plan *plan = NULL;
    plx_status status = plx_compile(n.graph, 1, &y, NULL, &plan);
    if (status == PLX_OK) {
        plx_plan_bind(plan, n.a, counting);
        plx_plan_bind(plan, n.b, counting);
        plx_plan_bind(plan, n.c, counting);
        plx_plan_bind(plan, n.ids, ids);
        status = plx_plan_run(plan);
    }
    if (CHECK(t, status == PLX_OK, "%s: %s", what, plx_status_name(status))) {
        const int own_rank = plx_node_shape(n.graph, y, &own);
        bool fits = own_rank == rank;
        int64_t size = 1;
        for (int i = 0; i < rank && fits; ++i) {
            fits = own[i] == dims[i];
            size *= dims[i];
        }
        CHECK(t, fits, "%s: another shape", what);
        const plx_real *values = plx_plan_output(plan, y);
        for (int64_t i = 0; i < size && fits; ++i)
            CHECK(t, fabs((double)values[i] - expected[i]) <= 1e-6 * fabs(expected[i]),
                  "%s: element %d is %g, not %g", what, (int)i, (double)values[i], expected[i]);
    }
    plx_plan_free(plan);
}

#define E(...) ((const double[]){__VA_ARGS__})
#define VALUES(y, rank, dims, expected) check_values(t, n, y, #y, rank, dims, expected)

static void check_movement(plx_check *t, plx_ctx *ctx) {
    nodes n = make_nodes(ctx);
    plx_graph *g = n.graph;
    VALUES(plx_reshape(g, n.a, 3, D(2, -1, 2)), 3, D(2, 3, 2),
           E(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    VALUES(plx_transpose(g, n.a, ((const int[]){1, 0})), 2, D(4, 3),
           E(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
    VALUES(plx_slice(g, n.a, 0, 1, 3, 1), 2, D(2, 4), E(4, 5, 6, 7, 8, 9, 10, 11));
    VALUES(plx_slice(g, n.a, 1, -3, -1, 1), 2, D(3, 2), E(1, 2, 5, 6, 9, 10));
    VALUES(plx_slice(g, n.a, 1, 0, 4, 3), 2, D(3, 2), E(0, 3, 4, 7, 8, 11));
    VALUES(plx_slice(g, n.a, 1, -1, -5, -1), 2, D(3, 4), E(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8));
    VALUES(plx_slice(g, n.a, 1, 3, 0, -2), 2, D(3, 2), E(3, 1, 7, 5, 11, 9));
    VALUES(plx_slice(g, n.a, 1, 3, 1, 1), 2, D(3, 0), E(0));
    VALUES(plx_slice(g, n.a, 1, 1, 4, INT64_MAX), 2, D(3, 1), E(1, 5, 9));
    VALUES(plx_slice(g, n.a, 1, 2, -5, INT64_MIN), 2, D(3, 1), E(2, 6, 10));
    VALUES(plx_broadcast(g, plx_slice(g, n.a, 1, 1, 2, 1), 3, D(2, 3, 2)), 3, D(2, 3, 2),
           E(1, 1, 5, 5, 9, 9, 1, 1, 5, 5, 9, 9));
    VALUES(plx_pad(g, plx_slice(g, n.a, 0, 0, 1, 1), D(1, 1), D(0, 1), -2), 2, D(2, 6),
           E(-2, -2, -2, -2, -2, -2, -2, 0, 1, 2, 3, -2));
    VALUES(plx_concat(g, 2, ((const plx_node[]){n.a, plx_slice(g, n.b, 1, 3, 5, 1)}), 1), 2,
           D(3, 6), E(0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 13, 14));
    VALUES(plx_gather(g, n.a, plx_reshape(g, n.ids, 2, D(3, 2)), 1), 3, D(3, 3, 2),
           E(2, 0, 2, 1, 2, 0, 6, 4, 6, 5, 6, 4, 10, 8, 10, 9, 10, 8));
    VALUES(plx_clip(g, plx_slice(g, n.a, 0, 0, 1, 1), 0.5, 2), 2, D(1, 4), E(0.5, 1, 2, 2));
    plx_node parts[3];
    CHECK(t, plx_split(g, n.b, 1, 3, D(1, 4, 0), parts) == PLX_OK, "split: %s", plx_message(ctx));
    VALUES(parts[0], 2, D(3, 1), E(0, 5, 10));
    VALUES(parts[1], 2, D(3, 4), E(1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14));
    VALUES(parts[2], 2, D(3, 0), E(0));
    CHECK(t, plx_split(g, n.a, 0, 3, NULL, parts) == PLX_OK, "split: %s", plx_message(ctx));
    VALUES(parts[1], 2, D(1, 4), E(4, 5, 6, 7));
    const double lse = 3 + log(exp(-3) + exp(-2) + exp(-1) + 1);
    VALUES(plx_log_sum_exp(g, n.a, 1), 1, D(3), E(lse, 4 + lse, 8 + lse));
    plx_graph_free(g);
}

/* More inputs than a word has bits. */
static void check_long_concat(plx_check *t, plx_ctx *ctx) {
    nodes n = make_nodes(ctx);
    plx_node all[40];
    for (int i = 0; i < 40; ++i) all[i] = plx_slice(n.graph, n.a, 1, i % 4, i % 4 + 1, 1);
    const plx_node y = plx_concat(n.graph, 40, all, 1);
    double expected[120];
    for (int i = 0; i < 120; ++i) {
        const int row = i / 40;
        expected[i] = 4 * row + i % 4;
    }
    VALUES(y, 2, D(3, 40), expected);
    plx_graph_free(n.graph);
}

/* Runs the graph with x [rows, columns] bound, and returns y as integers or reals. */
static const void *run_on(plx_check *t, plx_graph *graph, plx_node x, const void *data, int count,
                          const plx_node *outputs, plx_plan **plan) {
    plx_status status = plx_compile(graph, count, outputs, NULL, plan);
    if (status == PLX_OK) status = plx_plan_bind(*plan, x, data);
    if (status == PLX_OK) status = plx_plan_run(*plan);
    if (!CHECK(t, status == PLX_OK, "%s", plx_status_name(status))) return NULL;
    return plx_plan_output_as(*plan, outputs[0], plx_node_dtype(graph, outputs[0]));
}

static void check_largest(plx_check *t, plx_ctx *ctx) {
    static const plx_real x[12] = {1, 3, 3, -2, 5, NAN, 7, NAN, -INFINITY, -INFINITY, -1, -1};
    static const int32_t top[9] = {1, 2, 0, 1, 3, 2, 2, 3, 0};
    static const int32_t rows[3] = {1, 1, 2}, columns[4] = {1, 1, 1, 1};
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node a = plx_input(graph, "a", PLX_DTYPE_REAL, 2, D(3, 4));
    plx_node outputs[4];
    plx_top_k(graph, a, 3, &outputs[1], &outputs[0]);
    outputs[2] = plx_argmax(graph, a, 1);
    outputs[3] = plx_argmax(graph, a, 0);
    const void *own = run_on(t, graph, a, x, 4, outputs, &plan);
    if (own) {
        const plx_real *values = plx_plan_output(plan, outputs[1]);
        CHECK(t, !memcmp(own, top, sizeof top), "top_k: other indices");
        for (int i = 0; i < 9; ++i)
            CHECK(t, !memcmp(&values[i], &x[i / 3 * 4 + top[i]], sizeof *values),
                  "top_k: value %d is %g", i, (double)values[i]);
        const int32_t *by_row = plx_plan_output_as(plan, outputs[2], PLX_DTYPE_I32);
        const int32_t *by_column = plx_plan_output_as(plan, outputs[3], PLX_DTYPE_I32);
        CHECK(t,
              !plx_plan_output(plan, outputs[2]) &&
                  !plx_plan_output_as(plan, outputs[1], PLX_DTYPE_I32),
              "an output has two types");
        CHECK(t, !memcmp(by_row, rows, sizeof rows), "argmax of rows differs");
        for (int j = 0; j < 4; ++j)
            CHECK(t, by_column[j] == columns[j], "argmax of column %d is %d", j, by_column[j]);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

static void check_index_outside(plx_check *t, plx_ctx *ctx) {
    static const int32_t ids[6] = {0, 4, 2, 7, 1, 0};
    static const plx_real table[10] = {0};
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, D(5, 2));
    const plx_node i = plx_input(graph, "ids", PLX_DTYPE_I32, 1, D(6));
    const plx_node y = plx_embedding(graph, x, i);
    plx_status status = plx_compile(graph, 1, &y, NULL, &plan);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_plan_bind(plan, x, table);
    plx_plan_bind(plan, i, ids);
    status = plx_plan_run(plan);
    CHECK(t, status == PLX_ERR_ARGUMENT, "an index outside: %s", plx_status_name(status));
    CHECK(t, !strcmp(plx_message(ctx), "gather: index 7 at position 3 is outside 0 to 4"), "\"%s\"",
          plx_message(ctx));
    plx_plan_free(plan);
    plx_graph_free(graph);
}

static void check_infinities(plx_check *t, plx_ctx *ctx) {
    static const plx_real x[8] = {-INFINITY, -INFINITY, 1, INFINITY, -INFINITY, 0, 1000, 1000};
    plx_graph *graph;
    plx_graph_new(ctx, &graph);
    for (int axis = 0; axis < 2; ++axis) {
        /* The same rows of two, side by side or as columns. */
        plx_plan *plan = NULL;
        const plx_node a = plx_input(graph, NULL, PLX_DTYPE_REAL, 2, D(4, 2));
        const plx_node b = axis ? a : plx_transpose(graph, a, (const int[]){1, 0});
        const plx_node y = plx_log_sum_exp(graph, b, axis);
        const plx_real *own = run_on(t, graph, a, x, 1, &y, &plan);
        if (own) {
            CHECK(t, own[0] == -(plx_real)INFINITY, "of nothing: %g", (double)own[0]);
            CHECK(t, own[1] == (plx_real)INFINITY, "of infinity: %g", (double)own[1]);
            CHECK(t, own[2] == 0, "of one: %g", (double)own[2]);
            CHECK(t, fabs((double)own[3] - 1000 - log(2)) < 1e-4, "large: %g", (double)own[3]);
        }
        plx_plan_free(plan);
    }
    plx_graph_free(graph);
}

/* ---- Losses and clipping --------------------------------------------------------------------- */

enum { PAIRS = 5, WIDTH = 7 };

static double cosine(const plx_real *a, const plx_real *b) {
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < WIDTH; ++i) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static double info_nce(const plx_real *a, const plx_real *b, double scale) {
    double loss = 0;
    for (int i = 0; i < PAIRS; ++i) {
        double row = 0, column = 0;
        for (int j = 0; j < PAIRS; ++j) {
            row += exp(scale * cosine(a + i * WIDTH, b + j * WIDTH));
            column += exp(scale * cosine(a + j * WIDTH, b + i * WIDTH));
        }
        loss += log(row) + log(column) - 2 * scale * cosine(a + i * WIDTH, b + i * WIDTH);
    }
    return loss / (2 * PAIRS);
}

/* Only the log-softmax of rows may be fused with the negative log-likelihood. */
static void check_fusion(plx_check *t, plx_ctx *ctx) {
    static const int32_t labels[3] = {2, 0, 1};
    static const plx_plan_options none = {0};
    plx_graph *graph;
    plx_plan *plans[2] = {NULL};
    plx_graph_new(ctx, &graph);
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, D(3, 4));
    const plx_node l = plx_input(graph, "labels", PLX_DTYPE_I32, 1, D(3));
    const plx_node rows = plx_log_softmax(graph, x, 0);
    const plx_node loss = plx__build2(graph, &plx__op_nll, rows, l, NULL);
    plx_node outputs[2] = {loss};
    CHECK(t, plx_gradients(graph, loss, 1, &x, &outputs[1]) == PLX_OK, "%s", plx_message(ctx));
    for (int i = 0; i < 2; ++i) {
        plx_status status = plx_compile(graph, 2, outputs, i ? &none : NULL, &plans[i]);
        if (status == PLX_OK) status = plx_plan_bind(plans[i], x, counting);
        if (status == PLX_OK) status = plx_plan_bind(plans[i], l, labels);
        if (status == PLX_OK) status = plx_plan_run(plans[i]);
        CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    }
    for (int k = 0; k < 2; ++k)
        CHECK(t,
              !memcmp(plx_plan_output(plans[0], outputs[k]), plx_plan_output(plans[1], outputs[k]),
                      (k ? 12 : 1) * sizeof(plx_real)),
              "fused along an axis other than the last");
    for (int i = 0; i < 2; ++i) plx_plan_free(plans[i]);
    plx_graph_free(graph);
}

/* The sums of the losses have few terms: 64 roundings are more than enough. */
static void check_close(plx_check *t, const char *what, const plx_real *y, double expected) {
    const double bound = 64 * (sizeof *y == sizeof(double) ? 0x1p-53 : 0x1p-24);
    CHECK(t, fabs((double)*y - expected) <= bound * (1 + fabs(expected)), "%s: %.9g, not %.9g",
          what, (double)*y, expected);
}

static void check_contrast(plx_check *t, plx_ctx *ctx) {
    plx_real x[2 * PAIRS * WIDTH];
    plx_rng rng = plx_rng_new(5, 0);
    for (int i = 0; i < 2 * PAIRS * WIDTH; ++i) x[i] = (plx_real)plx_rng_normal(&rng);
    const plx_real *b = x + PAIRS * WIDTH;
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node both = plx_input(graph, "x", PLX_DTYPE_REAL, 3, D(2, PAIRS, WIDTH));
    plx_node parts[2];
    plx_split(graph, plx_reshape(graph, both, 2, D(2 * PAIRS, WIDTH)), 0, 2, NULL, parts);
    const plx_node outputs[2] = {
        plx_info_nce(graph, parts[0], parts[1], plx_constant(graph, 3)),
        plx_cosine_loss(graph, parts[0], parts[1]),
    };
    const plx_real *own = run_on(t, graph, both, x, 2, outputs, &plan);
    if (own) {
        double mean = 0;
        for (int i = 0; i < PAIRS; ++i) mean += cosine(x + i * WIDTH, b + i * WIDTH) / PAIRS;
        check_close(t, "info_nce", own, info_nce(x, b, 3));
        check_close(t, "cosine_loss", plx_plan_output(plan, outputs[1]), 1 - mean);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

static void check_losses(plx_check *t, plx_ctx *ctx) {
    static const plx_real x[12] = {0, 1, -3, 100, -100, 0.25, 0, 0.5, 0, 1, 1, 0};
    double l1 = 0, huber = 0, bce = 0;
    for (int i = 0; i < 6; ++i) {
        const double a = (double)x[i], b = (double)x[6 + i], d = fabs(a - b);
        l1 += d / 6;
        huber += (d < 0.75 ? d * d / 2 : 0.75 * (d - 0.375)) / 6;
        bce += (fmax(a, 0) - a * b + log1p(exp(-fabs(a)))) / 6;
    }
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node both = plx_input(graph, "x", PLX_DTYPE_REAL, 2, D(2, 6));
    const plx_node a = plx_slice(graph, both, 0, 0, 1, 1), b = plx_slice(graph, both, 0, 1, 2, 1);
    const plx_node outputs[3] = {plx_l1(graph, a, b), plx_huber(graph, a, b, 0.75),
                                 plx_binary_cross_entropy(graph, a, b)};
    const plx_real *own = run_on(t, graph, both, x, 3, outputs, &plan);
    if (own) {
        check_close(t, "l1", own, l1);
        check_close(t, "huber", plx_plan_output(plan, outputs[1]), huber);
        check_close(t, "binary_cross_entropy", plx_plan_output(plan, outputs[2]), bce);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

/* Norms below, above and at 0. */
static void check_clipping(plx_check *t, plx_ctx *ctx) {
    static const struct {
        double scale, factor;
    } cases[] = {{1, 1}, {10, 0.5}, {0, 1}};
    plx_graph *graph;
    plx_graph_new(ctx, &graph);
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 1, D(5));
    plx_node grads[2] = {plx_slice(graph, x, 0, 0, 3, 1), plx_slice(graph, x, 0, 3, 5, 1)};
    CHECK(t, plx_clip_by_norm(graph, 2, grads, 25, grads) == PLX_OK, "%s", plx_message(ctx));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        /* A vector of length 5. */
        const double s = cases[i].scale, f = cases[i].factor;
        const plx_real data[5] = {(plx_real)(2 * s), (plx_real)(-2 * s), (plx_real)(3 * s),
                                  (plx_real)(2 * s), (plx_real)(-2 * s)};
        plx_plan *plan = NULL;
        const plx_real *own = run_on(t, graph, x, data, 2, grads, &plan);
        if (own) {
            check_close(t, "clipped", own + 2, 3 * s * f);
            check_close(t, "clipped", plx_plan_output(plan, grads[1]) + 1, -2 * s * f);
        }
        plx_plan_free(plan);
    }
    plx_graph_free(graph);
}

/* ---- Strided data ---------------------------------------------------------------------------- */

static void check_strided_bind(plx_check *t, plx_ctx *ctx) {
    static const int32_t labels[6] = {0, 9, 2, 9, 1, 9};
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, D(3, 4));
    const plx_node i = plx_input(graph, "ids", PLX_DTYPE_I32, 1, D(3));
    const plx_node outputs[2] = {plx_gather(graph, x, i, 0), plx_slice(graph, x, 0, 2, 3, 1)};
    CHECK(t, plx_compile(graph, 2, outputs, NULL, &plan) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t, plx_plan_bind_strided(plan, outputs[0], counting, D(1, 1)) == PLX_ERR_ARGUMENT,
          "bound to a node that is not an input");
    const int64_t before = plx_plan_memory(plan).inputs;
    /* Columns of an array of 10 columns, with its rows in reverse. */
    CHECK(t, plx_plan_bind_strided(plan, x, counting + 20, D(-10, 2)) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t, plx_plan_bind_strided(plan, i, labels, D(2)) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t,
          plx_plan_memory(plan).inputs - before ==
              (int64_t)(12 * sizeof(plx_real) + 3 * sizeof(int32_t)),
          "the copies are not counted");
    CHECK(t, plx_plan_run(plan) == PLX_OK, "%s", plx_message(ctx));
    static const double rows[12] = {20, 22, 24, 26, 0, 2, 4, 6, 10, 12, 14, 16};
    for (int k = 0; k < 12; ++k)
        CHECK(t, (double)plx_plan_output(plan, outputs[0])[k] == rows[k], "element %d is %g", k,
              (double)plx_plan_output(plan, outputs[0])[k]);
    CHECK(t, plx_plan_output(plan, outputs[1])[3] == 6, "a view of the copy differs");
    /* Without strides again. */
    CHECK(t, plx_plan_bind(plan, x, counting) == PLX_OK && plx_plan_run(plan) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t, plx_plan_output(plan, outputs[0])[4] == 8, "newly bound data is not read");
    plx_plan_free(plan);
    plx_graph_free(graph);
}

void plx_test_unit_shapes(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    for (int i = 0; i < 64; ++i) counting[i] = (plx_real)i;
    check_refusals(t, ctx);
    check_movement(t, ctx);
    check_long_concat(t, ctx);
    check_largest(t, ctx);
    check_index_outside(t, ctx);
    check_infinities(t, ctx);
    check_contrast(t, ctx);
    check_losses(t, ctx);
    check_fusion(t, ctx);
    check_clipping(t, ctx);
    check_strided_bind(t, ctx);
    plx_ctx_free(ctx);
}
