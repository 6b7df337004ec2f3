/* Where the data of inputs is: in the caller's memory, or in a contiguous copy of the plan. */
#include "ops/copy.h"
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <string.h>

/* The place of an input, or -1 after a failure. */
static int32_t input_at(const plx_plan *plan, plx_node input) {
    const int32_t place = plx__given_place(plan, input);
    if (place >= 0 && plan->graph->nodes[place]->op == &plx__op_input) return place;
    if (place >= 0)
        plx__fail(&plan->ctx->message, PLX_ERR_ARGUMENT,
                  "bind: node %d is the result of %s; only inputs can be bound", (int)place,
                  plx__title(plan->graph->nodes[place]->op));
    else
        plx__fail(&plan->ctx->message, PLX_ERR_ARGUMENT,
                  "bind: the input is not a node of the graph that was compiled");
    return -1;
}

static void bind(plx_plan *plan, int32_t place, const void *data) {
    const int buffer = plan->locations[place].buffer;
    if (plan->staged) plan->staged[place].data = NULL;
    if (buffer < 0) return; /* no output needs it */
    /* Only read: no step has an input as its output. */
    memcpy(&plan->buffers[buffer].data, &data, sizeof data);
    plx__point_slots(plan, buffer);
}

plx_status plx_plan_bind(plx_plan *plan, plx_node input, const void *data) {
    const int32_t place = input_at(plan, input);
    if (place < 0) return PLX_ERR_ARGUMENT;
    bind(plan, place, data);
    return PLX_OK;
}

static plx_status stage(plx_plan *plan, int32_t id) {
    plx_ctx *ctx = plan->ctx;
    const plx__node *node = plan->graph->nodes[id];
    if (!plan->staged) {
        const size_t bytes = (size_t)plan->graph->count * sizeof *plan->staged;
        plan->staged = plx_platform_alloc(bytes);
        if (!plan->staged) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "bind: no memory");
        memset(plan->staged, 0, bytes);
    }
    if (plan->staged[id].memory) return PLX_OK;
    const int64_t bytes = plx__size(node) * (int64_t)plx__element_bytes(node->dtype);
    plan->staged[id].memory = plx_platform_alloc((size_t)bytes);
    if (!plan->staged[id].memory)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY,
                         "bind: input \"%s\" needs %lld bytes, for which there is no memory",
                         node->name, (long long)bytes);
    plan->memory.inputs += bytes;
    return PLX_OK;
}

static bool is_contiguous(const plx__node *node, const int64_t *strides) {
    int64_t expected = 1;
    for (int axis = node->rank - 1; axis >= 0; --axis) {
        if (node->dims[axis] != 1 && strides[axis] != expected) return false;
        expected *= node->dims[axis];
    }
    return true;
}

plx_status plx_plan_bind_strided(plx_plan *plan, plx_node input, const void *data,
                                 const int64_t *strides) {
    const int32_t place = input_at(plan, input);
    if (place < 0) return PLX_ERR_ARGUMENT;
    const plx__node *node = plan->graph->nodes[place];
    if (node->rank) PLX_TRY(plx__need(&plan->ctx->message, "bind", "strides", strides));
    if (!data || !plx__size(node) || is_contiguous(node, strides)) {
        bind(plan, place, data);
        return PLX_OK;
    }
    PLX_TRY(stage(plan, place));
    plx__staged *staged = &plan->staged[place];
    bind(plan, place, staged->memory);
    staged->data = data;
    memcpy(staged->strides, strides, (size_t)node->rank * sizeof *strides);
    return PLX_OK;
}

void plx__stage_inputs(plx_plan *plan) {
    for (int32_t i = 0; plan->staged && i < plan->graph->count; ++i) {
        const plx__node *node = plan->graph->nodes[i];
        const plx__staged *staged = &plan->staged[i];
        if (!staged->data || !plan->links[i].scheduled) continue;
        plx__copy copy = {.rank = node->rank};
        memcpy(copy.dims, node->dims, sizeof copy.dims);
        memcpy(copy.from, staged->strides, sizeof copy.from);
        plx__contiguous_strides(copy.rank, copy.dims, copy.to);
        plx__copy_strided(plan->ctx, plan->ctx->threads, node->dtype, staged->data, staged->memory,
                          &copy);
    }
}

void plx__free_staged(plx_plan *plan) {
    for (int32_t i = 0; plan->staged && i < plan->graph->count; ++i)
        plx_platform_free(plan->staged[i].memory);
    plx_platform_free(plan->staged);
}
