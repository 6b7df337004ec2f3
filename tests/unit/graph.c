/* Refusals of a graph, and their wording. */
#include "check.h"

#include <math.h>
#include <string.h>

typedef void (*builder)(plx_graph *graph, plx_node a, plx_node b);

static void dense_sizes(plx_graph *graph, plx_node a, plx_node b) {
    plx_dense(graph, a, b, plx_none());
}
static void matmul_sizes(plx_graph *graph, plx_node a, plx_node b) {
    plx_matmul(graph, a, b, false, true);
}
static void matmul_rank(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_matmul(graph, a, plx_constant(graph, 1), false, false);
}
static void broadcast(plx_graph *graph, plx_node a, plx_node b) {
    plx_add(graph, a, b);
}
static void bad_axis(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_reduce_sum(graph, a, 2);
}
static void bad_rate(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_dropout(graph, a, 1, 0);
}
static void bad_slope(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_activate(graph, a, PLX_LEAKY_RELU, 0);
}
static void bad_activation(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_activate(graph, a, (plx_activation)99, 0);
}
static void mse_shapes(plx_graph *graph, plx_node a, plx_node b) {
    plx_mse(graph, a, b);
}
static void wrong_dtype(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_cross_entropy(graph, a, a);
}
static void huge(plx_graph *graph, plx_node a, plx_node b) {
    (void)a;
    (void)b;
    const int64_t dims[] = {INT64_MAX / 2, INT64_MAX / 2};
    plx_input(graph, "huge", PLX_DTYPE_REAL, 2, dims);
}
static void invalid_handle(plx_graph *graph, plx_node a, plx_node b) {
    (void)b;
    plx_add(graph, a, plx_none());
}

static const struct {
    builder build;
    plx_status status;
    const char *sentence;
} cases[] = {
    {dense_sizes, PLX_ERR_SHAPE, "dense: inner sizes differ, 784 vs 785; they must be equal"},
    {matmul_sizes, PLX_ERR_SHAPE, "matmul: inner sizes differ, 784 vs 10; they must be equal"},
    {matmul_rank, PLX_ERR_SHAPE, "is not a matrix"},
    {broadcast, PLX_ERR_SHAPE, "add: shapes [2, 784] and [785, 10] do not broadcast"},
    {bad_axis, PLX_ERR_SHAPE, "there is no axis 2 in an array of rank 2"},
    {bad_rate, PLX_ERR_ARGUMENT, "dropout: rate 1 must be 0 to below 1"},
    {bad_slope, PLX_ERR_ARGUMENT, "leaky_relu: parameter 0 must be above 0"},
    {bad_activation, PLX_ERR_ARGUMENT, "there is no activation number 99"},
    {mse_shapes, PLX_ERR_SHAPE,
     "prediction [2, 784] and target [785, 10] must have the same shape"},
    {wrong_dtype, PLX_ERR_ARGUMENT, "must hold int32, not " REAL_NAME},
    {huge, PLX_ERR_MEMORY, "more than memory can hold"},
    {invalid_handle, PLX_ERR_ARGUMENT, "add: b is not a node of this graph"},
};

/* A loss of one element has a gradient whatever its rank: 2 x, with matching shapes along the
 * way. */
static void check_loss_of_rank(plx_check *t, plx_ctx *ctx, int rank) {
    static const plx_real data[3] = {1, -2, 3};
    static const int64_t ones[] = {1, 1, 1}, size = 3;
    plx_graph *graph;
    plx_plan *plan = NULL;
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 1, &size);
    const plx_node sum = plx_reduce_sum(graph, plx_square(graph, x), PLX_ALL_AXES);
    const plx_node loss = plx_square(graph, plx_sqrt(graph, plx_reshape(graph, sum, rank, ones)));
    plx_node grads[2];
    const plx_node wrt[] = {x, loss};
    plx_status status = plx_gradients(graph, loss, 2, wrt, grads);
    if (status == PLX_OK) status = plx_compile(graph, 2, grads, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, x, data);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "rank %d: %s", rank, plx_message(ctx))) {
        CHECK(t, plx_node_shape(graph, grads[1], NULL) == rank, "a seed of rank %d for %d",
              plx_node_shape(graph, grads[1], NULL), rank);
        for (int i = 0; i < 3; ++i) {
            const double own = (double)plx_plan_output(plan, grads[0])[i];
            CHECK(t, fabs(own - 2 * (double)data[i]) < 1e-5, "rank %d: slope %d is %g", rank, i,
                  own);
        }
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

/* Names are kept in full: two that differ only in their last character name two steps and two
 * inputs. */
static void check_long_names(plx_check *t, plx_ctx *ctx) {
    enum { LENGTH = 200 };
    static const int64_t size = 3;
    char names[2][LENGTH + 1];
    plx_tensor *tensors[2] = {NULL};
    plx_graph *graph;
    plx_plan *plan = NULL;
    plx_node outputs[2];
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    for (int i = 0; i < 2; ++i) {
        memset(names[i], 'n', LENGTH);
        names[i][LENGTH - 1] = (char)('a' + i);
        names[i][LENGTH] = 0;
        plx_input(graph, names[i], PLX_DTYPE_REAL, 1, &size);
        if (plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &size, &tensors[i]) != PLX_OK) return;
        outputs[i] = plx_exp(graph, plx_parameter(graph, names[i], tensors[i]));
    }
    if (CHECK(t, plx_compile(graph, 2, outputs, NULL, &plan) == PLX_OK, "%s", plx_message(ctx)))
        for (int i = 0; i < 2; ++i)
            CHECK(t, !strcmp(plx_plan_step(plan, i).name, names[i]), "step %d is \"%s\"", i,
                  plx_plan_step(plan, i).name);
    plx_plan_free(plan);
    plx_graph_free(graph);
    for (int i = 0; i < 2; ++i) plx_tensor_free(tensors[i]);
}

void plx_test_unit_graph(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    for (int rank = 0; rank < 4; ++rank) check_loss_of_rank(t, ctx, rank);
    check_long_names(t, ctx);
    const int64_t a_dims[] = {2, 784}, b_dims[] = {785, 10};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        plx_graph *graph;
        plx_graph_new(ctx, &graph);
        const plx_node a = plx_input(graph, "a", PLX_DTYPE_REAL, 2, a_dims);
        const plx_node b = plx_input(graph, "b", PLX_DTYPE_REAL, 2, b_dims);
        cases[i].build(graph, a, b);
        /* A later, valid builder must not hide the first failure. */
        const plx_node later = plx_exp(graph, a);
        plx_plan *plan = NULL;
        const plx_status status = plx_compile(graph, 1, &later, NULL, &plan);
        CHECK(t, status == cases[i].status, "case %d: %s", (int)i, plx_status_name(status));
        CHECK(t, strstr(plx_message(ctx), cases[i].sentence), "case %d: \"%s\" lacks \"%s\"",
              (int)i, plx_message(ctx), cases[i].sentence);
        CHECK(t, later.id < 0, "case %d: a builder after a failure returned a handle", (int)i);
        CHECK(t, !plan, "case %d: there is a plan", (int)i);
        plx_graph_free(graph);
    }
    plx_graph_free(NULL);
    plx_plan_free(NULL);
    plx_tensor_free(NULL);
    plx_model_free(NULL);
    plx_trainer_free(NULL);
    plx_optimizer_free(NULL);
    plx_ctx_free(NULL);
    plx_ctx_free(ctx);
}
