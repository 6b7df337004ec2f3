/* Running a plan, and queries about it. */
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <string.h>

static plx_status check_bound(plx_plan *plan) {
    for (int i = 0; i < plan->buffers_count; ++i) {
        const plx_buffer *buffer = &plan->buffers[i];
        if (buffer->kind != PLX_BUFFER_INPUT || buffer->data) continue;
        return plx__fail(&plan->ctx->message, PLX_ERR_STATE, "run: input \"%s\" has no data bound",
                         buffer->name);
    }
    return PLX_OK;
}

/* ---- While a folded value is not finite, the plan that was compiled without folding runs ------
 */

static plx_status compile_unfolded(plx_plan *plan) {
    if (plan->unfolded) return PLX_OK;
    plx_graph *graph = plan->unfolded_graph;
    plx_plan_options options = plan->options;
    options.passes &= ~PLX_PASS_FOLD;
    plx_node *outputs = plx__zeroed((size_t)plan->outputs_count, sizeof *outputs);
    if (!outputs) return plx__no_memory(plan);
    for (int i = 0; i < plan->outputs_count; ++i) outputs[i] = plx__handle(graph, plan->outputs[i]);
    const plx_status status =
        plx_compile(graph, plan->outputs_count, outputs, &options, &plan->unfolded);
    plx_platform_free(outputs);
    return status;
}

/* It reads the plan's inputs, and the plan's outputs are where it leaves them. */
static plx_status run_unfolded(plx_plan *plan) {
    PLX_TRY(compile_unfolded(plan));
    plx_plan *other = plan->unfolded;
    for (int32_t i = 0; i < plan->given_count; ++i) {
        const int from = plan->locations[i].buffer, to = other->locations[i].buffer;
        if (from < 0 || to < 0 || plan->buffers[from].kind != PLX_BUFFER_INPUT) continue;
        other->buffers[to].data = plan->buffers[from].data;
    }
    plx__point_slots(other, -1);
    other->number = plan->number;
    PLX_TRY(plx_plan_run(other));
    for (int i = 0; i < plan->outputs_count; ++i)
        plan->slots[plan->values[i]] = other->slots[other->values[i]];
    plan->ran_unfolded = true;
    plan->number += 1;
    return PLX_OK;
}

static void come_back(plx_plan *plan) {
    if (plan->ran_unfolded) plx__point_slots(plan, -1);
    plan->ran_unfolded = false;
}

static plx_status run_measured(plx_plan *plan, int s) {
    plx_ctx *ctx = plan->ctx;
    plx__step_meta *meta = &plan->meta[s];
    ctx->method = NULL;
    plx__pool_forget(ctx->pool);
    const int64_t start = plx_platform_now_ns();
    const plx_status status = plan->steps[s].op->run(ctx, &plan->steps[s]);
    meta->total_ns += (double)(plx_platform_now_ns() - start);
    meta->workers += plx__pool_worked(ctx->pool);
    meta->method = ctx->method;
    return status;
}

plx_status plx_plan_run(plx_plan *plan) {
    bool fit;
    PLX_TRY(check_bound(plan));
    plx__plan_spread(plan);
    plx__stage_inputs(plan);
    come_back(plan);
    PLX_TRY(plx__refresh_folded(plan, &fit));
    if (!fit) return run_unfolded(plan);
    plx__refresh_packed(plan);
    for (int s = 0; s < plan->steps_count; ++s) {
        const plx__step *step = &plan->steps[s];
        if (plan->meta[s].kept || (plan->began && step->op->flags & PLX__OP_ONCE)) continue;
        PLX_TRY(plan->profiling ? run_measured(plan, s) : step->op->run(plan->ctx, step));
    }
    plan->began = true;
    plan->profiled_runs += plan->profiling;
    plan->number += 1;
    return PLX_OK;
}

const void *plx_plan_output_as(const plx_plan *plan, plx_node output, plx_dtype dtype) {
    const int32_t place = plx__given_place(plan, output);
    for (int i = 0; i < plan->outputs_count; ++i)
        if (plan->outputs[i] == place && plan->graph->nodes[place]->dtype == dtype)
            return plan->slots[plan->values[i]];
    return NULL;
}

const plx_real *plx_plan_output(const plx_plan *plan, plx_node output) {
    return plx_plan_output_as(plan, output, PLX_DTYPE_REAL);
}

void plx_plan_set_step(plx_plan *plan, uint64_t step) {
    plan->number = step;
}

void plx_plan_profile(plx_plan *plan, bool on) {
    plan->profiling = on;
    if (!on) return;
    plan->profiled_runs = 0;
    for (int s = 0; s < plan->steps_count; ++s) {
        plan->meta[s].total_ns = 0;
        plan->meta[s].workers = 0;
    }
}

int plx_plan_steps(const plx_plan *plan) {
    return plan->steps_count;
}

/* A step without a name of its own gets that of the first parameter, or value made of one, that it
 * reads. */
static const char *name_of(const plx_graph *graph, const plx__node *node) {
    if (node->name[0]) return node->name;
    for (int k = 0; k < node->inputs_count; ++k) {
        const plx__node *in = plx__input_of(graph, node, k);
        const char *name = in->tensor ? name_of(graph, in) : "";
        if (name[0]) return name;
    }
    return "";
}

/* Slabs follow one another in the arena; other buffers have memory of their own. */
static int64_t arena_offset(const plx_plan *plan, int32_t node) {
    const plx__location at = plan->locations[node];
    if (at.buffer < 0 || plan->buffers[at.buffer].kind != PLX_BUFFER_SLAB) return -1;
    return (char *)plan->buffers[at.buffer].data + at.offset - plan->arena;
}

plx_step_info plx_plan_step(const plx_plan *plan, int step) {
    plx_step_info info = {.op = "", .name = "", .fused = "", .method = "", .arena_offset = -1};
    if (step < 0 || step >= plan->steps_count) return info;
    const plx__step_meta *meta = &plan->meta[step];
    const plx__node *node = plan->graph->nodes[meta->node];
    info.op = node->op->name;
    info.name = node->op->flags & PLX__OP_EFFECT ? "" : name_of(plan->graph, node);
    info.fused = node->fused;
    info.rank = node->rank;
    memcpy(info.dims, node->dims, sizeof info.dims);
    info.flops = meta->cost.flops;
    info.direct_flops = meta->cost.direct > 0 ? meta->cost.direct : meta->cost.flops;
    info.bytes = meta->cost.bytes;
    info.threads = plan->steps[step].threads;
    info.packed = plan->steps[step].packed;
    info.kept = meta->kept;
    info.arena_offset = arena_offset(plan, meta->node);
    info.method = meta->method ? meta->method : "";
    if (!plan->profiled_runs) return info;
    info.nanoseconds = meta->total_ns / (double)plan->profiled_runs;
    info.workers = (double)meta->workers / (double)plan->profiled_runs;
    return info;
}

double plx_plan_flops(const plx_plan *plan) {
    double flops = 0;
    for (int s = 0; s < plan->steps_count; ++s)
        if (!plan->meta[s].kept) flops += plan->meta[s].cost.flops;
    return flops;
}

static int64_t tensor_bytes(plx_tensor *const *list, int count) {
    int64_t bytes = 0;
    for (int i = 0; list && i < count; ++i)
        bytes += list[i]->size * (int64_t)plx__element_bytes(list[i]->dtype);
    return bytes;
}

plx_memory plx_plan_memory(const plx_plan *plan) {
    plx_memory memory = plan->memory;
    if (plan->unfolded) {
        memory.activations += plan->unfolded->memory.activations;
        memory.workspace += plan->unfolded->memory.workspace;
    }
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = plan->graph->nodes[i];
        if (!(node->op->flags & PLX__OP_EFFECT)) continue;
        const plx_optimizer *optimizer = node->attrs.object;
        memory.optimizer += tensor_bytes(optimizer->first, optimizer->count) +
                            tensor_bytes(optimizer->second, optimizer->count);
        memory.kept += tensor_bytes(optimizer->kept, optimizer->count);
    }
    return memory;
}
