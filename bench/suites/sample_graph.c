#include "bench/suites/sample_graph.h"

#include <math.h>

/* Half of the kink is left at two steps of a difference quotient of 2^-8. */
static const double KINK = 0.01;

static void fill(plx_tensor *tensor, double low, double high, bool kink, plx_rng *rng) {
    if (low == 0 && high == 0) {
        low = -1;
        high = 1;
    }
    for (int64_t i = 0; i < plx_tensor_size(tensor); ++i) {
        double value = low + plx_rng_uniform(rng) * (high - low);
        if (tensor->dtype != PLX_DTYPE_REAL) {
            value = floor(value);
            plx__encode(tensor->dtype, 1, &value,
                        (char *)tensor->data + (size_t)i * plx__element_bytes(tensor->dtype));
            continue;
        }
        if (kink && fabs(value) < KINK) value += value < 0 ? -KINK : KINK;
        ((plx_real *)plx_tensor_data(tensor))[i] = (plx_real)(rint(value * 4096) / 4096);
    }
}

plx_status plx__sample_graph_open(plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                                  plx_rng *rng, plx_sample_graph *g) {
    *g = (plx_sample_graph){.op = op, .sample = sample, .loss = plx_none()};
    PLX_TRY(plx_graph_new(ctx, &g->graph));
    for (int k = 0; k < sample->inputs_count; ++k) {
        const plx__operand_row *row = plx__operand_at(op, sample->inputs_count, &sample->attrs, k);
        const plx_dtype dtype = row ? plx__usual_dtype(row) : PLX_DTYPE_REAL;
        PLX_TRY(plx_tensor_new(ctx, dtype, sample->inputs[k].rank, sample->inputs[k].dims,
                               &g->inputs[k]));
        fill(g->inputs[k], sample->inputs[k].low, sample->inputs[k].high, op->flags & PLX__OP_KINK,
             rng);
        g->nodes[k] = plx_parameter(g->graph, NULL, g->inputs[k]);
    }
    g->y = plx__build(g->graph, op, sample->inputs_count, g->nodes, &sample->attrs);
    PLX_TRY(plx_graph_status(g->graph));
    const plx__node *y = plx__at(g->graph, g->y);
    g->size = plx__size(y);
    if (y->dtype != PLX_DTYPE_REAL) return PLX_OK;
    PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, y->rank, y->dims, &g->weights));
    fill(g->weights, 0, 0, false, rng);
    const plx_node weights = plx_parameter(g->graph, NULL, g->weights);
    g->loss = plx_reduce_sum(g->graph, plx_mul(g->graph, g->y, weights), PLX_ALL_AXES);
    return plx_graph_status(g->graph);
}

void plx__sample_graph_close(plx_sample_graph *g) {
    plx_graph_free(g->graph);
    for (int k = 0; k < PLX__SAMPLE_INPUTS; ++k) plx_tensor_free(g->inputs[k]);
    plx_tensor_free(g->weights);
}

bool plx__sample_graph_fixed(const plx_sample_graph *g, int k) {
    return !plx__is_differentiable(g->graph, plx__at(g->graph, g->y), k);
}

plx_status plx__sample_graph_gradients(plx_sample_graph *g, plx_node *grads, int *count) {
    plx_node wrt[PLX__SAMPLE_INPUTS], of[PLX__SAMPLE_INPUTS];
    int n = 0;
    for (int k = 0; k < g->sample->inputs_count; ++k)
        if (!plx__sample_graph_fixed(g, k)) wrt[n++] = g->nodes[k];
    PLX_TRY(plx_gradients(g->graph, g->loss, n, wrt, of));
    n = 0;
    for (int k = 0; k < g->sample->inputs_count; ++k)
        grads[k] = plx__sample_graph_fixed(g, k) ? plx_none() : of[n++];
    *count = n;
    return PLX_OK;
}
