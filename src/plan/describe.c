/* A plan as a table that fully describes a run. */
#include "plan/plan_internal.h"

#include <string.h>

static plx_operand describe_operand(const plx_plan *plan, int32_t id) {
    const plx__node *node = plan->graph->nodes[id];
    plx_operand operand = {.buffer = plan->locations[id].buffer,
                           .offset = plan->locations[id].offset,
                           .dtype = node->dtype,
                           .rank = node->rank};
    memcpy(operand.dims, node->dims, sizeof operand.dims);
    return operand;
}

static int count_attributes(const plx__node *node) {
    plx__attribute found;
    int count = 0;
    while (plx__attribute_at(node->op->attrs, count, &found)) count += 1;
    return count;
}

static void describe_attributes(const plx__node *node, int count, plx_attribute *out) {
    for (int i = 0; i < count; ++i) {
        plx__attribute found;
        plx__attribute_at(node->op->attrs, i, &found);
        const void *values = plx__attribute_data(&node->attrs, &found);
        out[i] = (plx_attribute){.name = found.name, .count = found.count};
        if (found.real)
            out[i].real = values;
        else
            out[i].whole = values;
    }
}

static plx_status describe_step(plx_plan *plan, int s, plx_step *out) {
    const int32_t id = plan->meta[s].node;
    const plx__node *node = plan->graph->nodes[id];
    const int count = count_attributes(node);
    plx__arena *arena = &plan->graph->arena;
    plx_operand *inputs = plx__arena_take(arena, (size_t)node->inputs_count * sizeof *inputs);
    plx_attribute *attributes = plx__arena_take(arena, (size_t)count * sizeof *attributes);
    if (!inputs || !attributes) return plx__no_memory(plan);
    for (int k = 0; k < node->inputs_count; ++k) {
        inputs[k] = describe_operand(plan, node->inputs[k]);
        inputs[k].written = plx__has_role(node, k, PLX__WRITTEN);
    }
    describe_attributes(node, count, attributes);
    *out = (plx_step){
        .op = node->op->name,
        .inputs_count = node->inputs_count,
        .inputs = inputs,
        .output = describe_operand(plan, id),
        .attributes_count = count,
        .attributes = attributes,
        .optimizer = node->attrs.object,
        .once = plan->meta[s].kept || node->op->flags & PLX__OP_ONCE,
        .kept = plan->meta[s].kept,
    };
    return PLX_OK;
}

static plx_status describe(plx_plan *plan) {
    plx__arena *arena = &plan->graph->arena;
    plx_step *steps = plx__arena_take(arena, (size_t)plan->steps_count * sizeof *steps);
    plx_operand *outputs = plx__arena_take(arena, (size_t)plan->outputs_count * sizeof *outputs);
    if (!steps || !outputs) return plx__no_memory(plan);
    for (int s = 0; s < plan->steps_count; ++s) PLX_TRY(describe_step(plan, s, &steps[s]));
    for (int i = 0; i < plan->outputs_count; ++i)
        outputs[i] = describe_operand(plan, plan->values[i]);
    plan->described = steps;
    plan->described_outputs = outputs;
    return PLX_OK;
}

plx_status plx_plan_describe(plx_plan *plan, plx_plan_table *out) {
    PLX_TRY(plx__need(&plan->ctx->message, "describe", "out", out));
    if (!plan->described) PLX_TRY(describe(plan));
    for (int s = 0; s < plan->steps_count; ++s) { /* other threads may have joined since */
        plan->described[s].threads = plan->steps[s].threads;
        /* Other executors pack for themselves. */
        plx__step unpacked = plan->steps[s];
        unpacked.packed = NULL;
        plan->described[s].workspace = plx__workspace_of(plan->ctx, &unpacked);
    }
    *out = (plx_plan_table){
        .buffers_count = plan->buffers_count,
        .buffers = plan->buffers,
        .steps_count = plan->steps_count,
        .steps = plan->described,
        .outputs_count = plan->outputs_count,
        .outputs = plan->described_outputs,
    };
    return PLX_OK;
}
