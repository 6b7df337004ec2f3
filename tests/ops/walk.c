#include "ops/walk.h"

#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(plx_tensor *tensor, double low, double high, bool kink, bool magnitude,
                 plx_rng *rng) {
    if (low == 0 && high == 0) {
        low = -1;
        high = 1;
    }
    /* Drawn one at a time, they would take most of the walks' time. */
    enum { BATCH = 256 };
    double draws[BATCH];
    const int64_t size = plx_tensor_size(tensor);
    for (int64_t i = 0; i < size; ++i) {
        if (i % BATCH == 0) plx__rng_uniforms(rng, size - i < BATCH ? size - i : BATCH, draws);
        const double u = draws[i % BATCH];
        double value = low + u * (high - low);
        if (tensor->dtype != PLX_DTYPE_REAL) {
            value = low + floor(u * (high - low));
            plx__encode(tensor->dtype, 1, &value,
                        (char *)tensor->data + (size_t)i * plx__element_bytes(tensor->dtype));
            continue;
        }
        /* Half of the range away from the kink at zero, far more than a difference step. */
        if (kink && fabs(value) < 0.01) value = value < 0 ? value - 0.01 : value + 0.01;
        /* Rounded to float, so that the double build sees the same inputs. */
        ((plx_real *)tensor->data)[i] = (plx_real)(float)(magnitude ? fabs(value) : value);
    }
}

enum { BEFORE = 3, AFTER = 2 };

/* The tensor's elements inside a larger array, whose other elements no op may use. */
static plx_tensor *surround(plx_ctx *ctx, plx_tensor *inner) {
    const int64_t size = plx_tensor_size(inner), whole = BEFORE + size + AFTER;
    plx_tensor *outer = NULL;
    plx_tensor_new(ctx, inner->dtype, 1, &whole, &outer);
    const size_t each = plx__element_bytes(inner->dtype);
    memset(outer->data, 0xff, (size_t)whole * each);
    memcpy((char *)outer->data + BEFORE * each, inner->data, (size_t)size * each);
    plx_tensor_free(inner);
    return outer;
}

static plx_node view_middle(plx_graph *graph, plx_node x, int rank, const int64_t *dims) {
    plx__attrs attrs = {.view = {BEFORE}, .rank = rank};
    memcpy(attrs.dims, dims, sizeof attrs.dims);
    return plx__build1(graph, &plx__op_view, x, &attrs);
}

bool plx_walk_open(plx_check *t, plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                   plx_walk_mode mode, plx_walk *out) {
    return plx_walk_open_as(t, ctx, op, sample, mode, PLX_DTYPE_REAL, out);
}

bool plx_walk_open_as(plx_check *t, plx_ctx *ctx, const plx_op *op, const plx__sample *sample,
                      plx_walk_mode mode, plx_dtype storage, plx_walk *out) {
    plx_walk walk = {.ctx = ctx, .op = op, .sample = sample};
    plx_rng rng = plx_rng_new(7, 0);
    plx_graph_new(ctx, &walk.graph);
    for (int k = 0; k < sample->inputs_count; ++k) {
        const plx__operand_row *row = plx__operand_at(op, sample->inputs_count, &sample->attrs, k);
        if (!CHECK(t, row, "%s: has no operand %d, which a sample gives", op->name, k)) break;
        const plx_dtype dtype = row->dtypes >> storage & 1 ? storage : plx__usual_dtype(row);
        plx_tensor_new(ctx, dtype, sample->inputs[k].rank, sample->inputs[k].dims, &walk.inputs[k]);
        fill(walk.inputs[k], sample->inputs[k].low, sample->inputs[k].high,
             op->flags & PLX__OP_KINK, mode == PLX_WALK_MAGNITUDES, &rng);
        if (mode == PLX_WALK_VIEWS) walk.inputs[k] = surround(ctx, walk.inputs[k]);
        walk.nodes[k] = plx_parameter(walk.graph, NULL, walk.inputs[k]);
        if (mode == PLX_WALK_VIEWS)
            walk.nodes[k] = view_middle(walk.graph, walk.nodes[k], sample->inputs[k].rank,
                                        sample->inputs[k].dims);
    }
    walk.y = plx__build(walk.graph, op, sample->inputs_count, walk.nodes, &sample->attrs);
    const plx_status status = plx_graph_status(walk.graph);
    *out = walk;
    if (!CHECK(t, status == PLX_OK, "%s: %s", op->name, plx_message(ctx))) return false;
    const plx__node *y = plx__at(walk.graph, walk.y);
    out->loss = plx_none();
    if (y->dtype != PLX_DTYPE_REAL) return true;
    plx_tensor_new(ctx, PLX_DTYPE_REAL, y->rank, y->dims, &out->weights);
    fill(out->weights, 0, 0, false, false, &rng);
    const plx_node weights = plx_parameter(walk.graph, NULL, out->weights);
    out->loss = plx_reduce_sum(walk.graph, plx_mul(walk.graph, walk.y, weights), PLX_ALL_AXES);
    return true;
}

void plx_walk_close(plx_walk *walk) {
    plx_graph_free(walk->graph);
    for (int k = 0; k < walk->sample->inputs_count; ++k) plx_tensor_free(walk->inputs[k]);
    plx_tensor_free(walk->weights);
}

plx_real plx_walk_value(plx_dtype dtype, const void *data, int64_t i) {
    double value;
    plx__decode(dtype, 1, (const char *)data + (size_t)i * plx__element_bytes(dtype), &value);
    return (plx_real)value;
}

/* A step says how it was computed, unless it has no elements. */
static void check_methods(plx_check *t, const plx_walk *walk, const plx_plan *plan) {
    const plx_op *op = walk->op;
    for (int k = 0; k < walk->sample->inputs_count; ++k)
        if (!plx__product(walk->sample->inputs[k].rank, walk->sample->inputs[k].dims)) return;
    for (int i = 0; i < plx_plan_steps(plan); ++i) {
        const plx_step_info step = plx_plan_step(plan, i);
        const bool empty = !plx__product(step.rank, step.dims);
        CHECK(t, *step.method || empty || !strcmp(step.op, "buffer") || strcmp(step.op, op->name),
              "%s: how it was computed is not known", op->name);
    }
}

plx_real *plx_walk_run(plx_check *t, plx_walk *walk, const plx_plan_options *options,
                       int64_t *size) {
    plx_plan *plan = NULL;
    plx_status status = plx_compile(walk->graph, 1, &walk->y, options, &plan);
    if (status == PLX_OK) {
        plx_plan_profile(plan, true);
        status = plx_plan_run(plan);
    }
    if (!CHECK(t, status == PLX_OK, "%s: %s", walk->op->name, plx_message(walk->ctx))) return NULL;
    check_methods(t, walk, plan);
    const int64_t *dims;
    const int rank = plx_node_shape(walk->graph, walk->y, &dims);
    *size = plx__product(rank, dims);
    plx_real *copy = malloc((size_t)*size * sizeof *copy + 1);
    const plx_dtype dtype = plx_node_dtype(walk->graph, walk->y);
    const void *y = plx_plan_output_as(plan, walk->y, dtype);
    for (int64_t i = 0; i < *size; ++i) copy[i] = plx_walk_value(dtype, y, i);
    plx_plan_free(plan);
    return copy;
}

void plx_walk_ops(void (*each)(void *arg, const plx_op *op, const plx__sample *sample,
                               const char *text),
                  void *arg) {
    int count;
    const plx_op *const *ops = plx__ops(&count);
    for (int i = 0; i < count; ++i) {
        if (ops[i]->flags & (PLX__OP_LEAF | PLX__OP_EFFECT | PLX__OP_BUFFER)) continue;
        int number = 0;
        const char *samples = ops[i]->samples;
        plx__sample sample;
        while (samples && plx__sample_read(ops[i], &samples, &sample)) {
            char text[64];
            snprintf(text, sizeof text, "%s sample %d", ops[i]->name, number++);
            each(arg, ops[i], &sample, text);
        }
    }
}
