/* Builders of normalisation. */
#include "graph/graph.h"
#include "ops/norm.h"

static bool check_epsilon(plx_graph *graph, const char *op, double epsilon) {
    return plx__amount(graph, op, "epsilon", epsilon, true);
}

/* Adds scale and shift, if given, to the inputs and notes them in attrs. */
static int add_scale_shift(int count, plx_node *inputs, plx_node scale, plx_node shift,
                           plx__attrs *attrs) {
    attrs->norm.has_scale = scale.id >= 0;
    attrs->norm.has_shift = shift.id >= 0;
    if (scale.id >= 0) inputs[count++] = scale;
    if (shift.id >= 0) inputs[count++] = shift;
    return count;
}

static plx_node row_norm(plx_graph *graph, const plx_op *op, plx_node x, plx_node scale,
                         plx_node shift, double epsilon) {
    if (!check_epsilon(graph, op->name, epsilon)) return plx_none();
    plx__attrs attrs = {.norm = {.epsilon = epsilon}};
    plx_node inputs[3] = {x};
    const int count = add_scale_shift(1, inputs, scale, shift, &attrs);
    return plx__build(graph, op, count, inputs, &attrs);
}

plx_node plx_layer_norm(plx_graph *graph, plx_node x, plx_node scale, plx_node shift,
                        double epsilon) {
    return row_norm(graph, &plx__op_layer_norm, x, scale, shift, epsilon);
}

plx_node plx_rms_norm(plx_graph *graph, plx_node x, plx_node scale, double epsilon) {
    return row_norm(graph, &plx__op_rms_norm, x, scale, plx_none(), epsilon);
}

/* A buffer for the mean and deviation of each channel of so many images. */
static plx_node statistics(plx_graph *graph, int64_t images, int64_t channels) {
    const plx__attrs attrs = {.rank = 1, .dims = {2 * images * channels}};
    return plx__build(graph, &plx__op_buffer, 0, NULL, &attrs);
}

/* The rank, at least 2, or -1 after a failure. */
static int checked_rank(plx_graph *graph, const char *op, plx_node x, const int64_t **dims) {
    const int rank = plx__rank_of(graph, op, x, dims);
    if (rank == 0 || rank == 1)
        plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: x has rank %d; at least 2 is needed", op, rank);
    return rank < 2 ? -1 : rank;
}

plx_node plx_group_norm(plx_graph *graph, plx_node x, int64_t groups, plx_node scale,
                        plx_node shift, double epsilon) {
    const int64_t *dims = NULL;
    const int rank = checked_rank(graph, "group_norm", x, &dims);
    if (rank < 0 || !check_epsilon(graph, "group_norm", epsilon)) return plx_none();
    plx__attrs attrs = {.norm = {.groups = groups, .epsilon = epsilon}};
    plx_node inputs[4] = {x, statistics(graph, dims[0], dims[rank - 1])};
    const int count = add_scale_shift(2, inputs, scale, shift, &attrs);
    return plx__build(graph, &plx__op_group_norm, count, inputs, &attrs);
}

static bool check_parameter(plx_graph *graph, plx_node node, const char *what) {
    const int32_t place = plx__place_of(graph, node);
    if (place >= 0 && graph->nodes[place]->op == &plx__op_parameter) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT, "batch_norm: %s must be a parameter of this graph",
                    what);
    return false;
}

plx_node plx_batch_norm(plx_graph *graph, plx_node x, plx_node scale, plx_node shift,
                        plx_node running_mean, plx_node running_variance, bool training,
                        double momentum, double epsilon) {
    const int64_t *dims = NULL;
    const int rank = checked_rank(graph, "batch_norm", x, &dims);
    if (rank < 0 || !check_epsilon(graph, "batch_norm", epsilon) ||
        !check_parameter(graph, running_mean, "running_mean") ||
        !check_parameter(graph, running_variance, "running_variance"))
        return plx_none();
    if (!(momentum >= 0 && momentum <= 1)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "batch_norm: momentum %g must be 0 to 1",
                        momentum);
        return plx_none();
    }
    plx__attrs attrs = {.norm = {.epsilon = epsilon, .momentum = momentum}};
    plx_node inputs[6] = {x};
    int count = 1;
    if (training) inputs[count++] = statistics(graph, 1, dims[rank - 1]);
    inputs[count++] = running_mean;
    inputs[count++] = running_variance;
    count = add_scale_shift(count, inputs, scale, shift, &attrs);
    const plx_op *op = training ? &plx__op_batch_norm : &plx__op_batch_norm_inference;
    return plx__build(graph, op, count, inputs, &attrs);
}
