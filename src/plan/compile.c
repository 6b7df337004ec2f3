/* From a graph to a plan: copy, passes, steps. */
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <string.h>

plx_plan_options plx_plan_default(void) {
    return (plx_plan_options){.passes = PLX_PASS_FUSE | PLX_PASS_MEMORY | PLX_PASS_PARALLEL};
}

static void *zeroed(size_t count, size_t each) {
    void *memory = plx_platform_alloc(count * each + 1);
    if (memory) memset(memory, 0, count * each);
    return memory;
}

static plx_status no_memory(plx_ctx *ctx) {
    return plx__fail(&ctx->message, PLX_ERR_MEMORY, "compile: no memory");
}

static plx_status copy_graph(plx_plan *plan, plx_graph *graph, int count, const plx_node *outputs) {
    plx_ctx *ctx = graph->ctx;
    plan->graph = plx__graph_copy(graph);
    plan->outputs = zeroed((size_t)count, sizeof *plan->outputs);
    if (!plan->graph || !plan->outputs) return no_memory(ctx);
    plan->outputs_count = count;
    for (int i = 0; i < count; ++i) plan->outputs[i] = plx__place_of(graph, outputs[i]);
    const size_t nodes = (size_t)graph->count;
    plan->live = zeroed(nodes, sizeof *plan->live);
    plan->slots = zeroed(nodes, sizeof *plan->slots);
    plan->constants = zeroed(nodes, sizeof *plan->constants);
    return plan->live && plan->slots && plan->constants ? PLX_OK : no_memory(ctx);
}

static plx_status check(const plx_graph *graph, int count, const plx_node *outputs,
                        const plx_plan_options *options) {
    plx__message *message = &graph->ctx->message;
    const int passes = PLX_PASS_FUSE | PLX_PASS_MEMORY | PLX_PASS_PARALLEL;
    if (count < 0) return plx__fail(message, PLX_ERR_ARGUMENT, "compile: %d outputs", count);
    if (count) PLX_TRY(plx__need(message, "compile", "outputs", outputs));
    if (options->passes & ~passes)
        return plx__fail(message, PLX_ERR_ARGUMENT, "compile: passes %d; the bits are from 0 to %d",
                         options->passes, passes);
    if (options->threads < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "compile: %d threads; at least 1, or 0 for the context's",
                         options->threads);
    for (int i = 0; i < count; ++i)
        if (plx__place_of(graph, outputs[i]) < 0)
            return plx__fail(message, PLX_ERR_ARGUMENT,
                             "compile: output %d is not a node of this graph%s", i,
                             outputs[i].id < 0 ? "" : ", but of another one");
    return PLX_OK;
}

/* Updates overwrite parameters that other steps read, so they come last. */
static int order_steps(plx_plan *plan, plx__step_meta *meta, int *operands) {
    const plx_graph *graph = plan->graph;
    int count = 0;
    *operands = 0;
    for (int effects = 0; effects < 2; ++effects)
        for (int32_t i = 0; i < graph->count; ++i) {
            const plx__node *node = graph->nodes[i];
            const bool effect = node->op->flags & PLX__OP_EFFECT;
            if (!plan->live[i] || (node->op->flags & (PLX__OP_LEAF | PLX__OP_VIEW)) ||
                effect != (effects == 1))
                continue;
            if (meta) meta[count].node = i;
            count += 1;
            *operands += node->inputs_count;
        }
    return count;
}

static plx__operand operand_of(plx_plan *plan, int32_t id) {
    const plx__node *node = plan->graph->nodes[id];
    plx__operand operand = {.slot = &plan->slots[id],
                            .dtype = node->dtype,
                            .rank = node->rank,
                            .size = plx__size(node)};
    memcpy(operand.dims, node->dims, sizeof operand.dims);
    return operand;
}

static plx_status make_steps(plx_plan *plan) {
    int operands = 0;
    plan->steps_count = order_steps(plan, NULL, &operands);
    plan->steps = zeroed((size_t)plan->steps_count, sizeof *plan->steps);
    plan->meta = zeroed((size_t)plan->steps_count, sizeof *plan->meta);
    plan->operands = zeroed((size_t)operands, sizeof *plan->operands);
    if (!plan->steps || !plan->meta || !plan->operands) return no_memory(plan->ctx);
    order_steps(plan, plan->meta, &operands);
    plx__operand *next = plan->operands;
    for (int s = 0; s < plan->steps_count; ++s) {
        const plx__node *node = plan->graph->nodes[plan->meta[s].node];
        plan->meta[s].cost = node->op->cost(plan->graph, node);
        plan->steps[s] = (plx__step){
            .op = node->op,
            .attrs = node->attrs,
            .in_count = node->inputs_count,
            .in = next,
            .out = operand_of(plan, plan->meta[s].node),
            .number = &plan->number,
        };
        for (int k = 0; k < node->inputs_count; ++k) *next++ = operand_of(plan, node->inputs[k]);
    }
    return PLX_OK;
}

static void place_leaves(plx_plan *plan) {
    for (int32_t i = 0; i < plan->graph->count; ++i) {
        const plx__node *node = plan->graph->nodes[i];
        if (node->op == &plx__op_parameter) plan->slots[i] = node->tensor->data;
        if (node->op != &plx__op_constant) continue;
        plan->constants[i] = (plx_real)node->attrs.leaf.value;
        plan->slots[i] = &plan->constants[i];
    }
}

plx_status plx_compile(plx_graph *graph, int count, const plx_node *outputs,
                       const plx_plan_options *options, plx_plan **out) {
    PLX_TRY(plx_graph_status(graph));
    plx_ctx *ctx = graph->ctx;
    const plx_plan_options chosen = options ? *options : plx_plan_default();
    PLX_TRY(check(graph, count, outputs, &chosen));
    PLX_TRY(plx__need(&ctx->message, "compile", "out", out));
    plx_plan *plan = zeroed(1, sizeof *plan);
    if (!plan) return no_memory(ctx);
    plan->ctx = plx__ctx_hold(ctx);
    plan->options = chosen;
    plx_status status = copy_graph(plan, graph, count, outputs);
    if (status == PLX_OK) plx__pass_dead_code(plan);
    if (status == PLX_OK && plan->options.passes & PLX_PASS_FUSE) {
        status = plx__pass_fuse(plan);
        plx__pass_dead_code(plan);
    }
    if (status == PLX_OK) status = make_steps(plan);
    if (status == PLX_OK) {
        place_leaves(plan);
        plx__pass_parallel(plan);
        status = plx__pass_memory(plan);
    }
    if (status != PLX_OK) {
        plx_plan_free(plan);
        return status;
    }
    *out = plan;
    return PLX_OK;
}

void plx_plan_free(plx_plan *plan) {
    if (!plan) return;
    if (plan->graph) plx__free_staged(plan);
    plx_graph_free(plan->graph);
    plx_platform_free(plan->outputs);
    plx_platform_free(plan->live);
    plx_platform_free(plan->steps);
    plx_platform_free(plan->meta);
    plx_platform_free(plan->operands);
    plx_platform_free(plan->slots);
    plx_platform_free(plan->constants);
    plx_platform_free(plan->arena);
    plx_ctx_free(plan->ctx);
    plx_platform_free(plan);
}
