/* From a graph to a plan: copy, passes, steps. */
#include "plan/plan_internal.h"

#include "base/platform.h"

#include <assert.h>
#include <string.h>

enum { CACHE_LINE = 64 };

plx_plan_options plx_plan_default(void) {
    return (plx_plan_options){.passes = PLX_PASS_ALL};
}

void *plx__zeroed(size_t count, size_t each) {
    void *memory = plx_platform_alloc(count * each + 1);
    if (memory) memset(memory, 0, count * each);
    return memory;
}

plx_status plx__no_memory(plx_plan *plan) {
    return plx__fail(&plan->ctx->message, PLX_ERR_MEMORY, "compile: no memory");
}

static plx_status copy_graph(plx_plan *plan, plx_graph *graph, int count, const plx_node *outputs) {
    plan->graph = plx__graph_copy(graph);
    plan->outputs = plx__zeroed((size_t)count, sizeof *plan->outputs);
    plan->values = plx__zeroed((size_t)count, sizeof *plan->values);
    if (!plan->graph || !plan->outputs || !plan->values) return plx__no_memory(plan);
    plan->given_count = graph->count;
    plan->outputs_count = count;
    for (int i = 0; i < count; ++i)
        plan->outputs[i] = plan->values[i] = plx__place_of(graph, outputs[i]);
    return plx__schedule_all(plan);
}

static plx_status check_buffers(plx__message *message, const plx_plan_options *options) {
    const int64_t alignment = options->alignment, largest = options->largest_buffer;
    if (alignment < 16 || alignment > 1 << 20 || alignment & (alignment - 1))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "compile: alignment is %lld; it must be a power of two from 16 to "
                         "1048576, in bytes, or 0 for 64",
                         (long long)alignment);
    if (largest < 0 || largest % alignment)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "compile: the largest buffer is %lld bytes; it must be a multiple of the "
                         "alignment of %lld, or 0 for no limit",
                         (long long)largest, (long long)alignment);
    return PLX_OK;
}

static plx_status check(const plx_graph *graph, int count, const plx_node *outputs,
                        const plx_plan_options *options) {
    plx__message *message = &graph->ctx->message;
    if (count < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "compile: the number of outputs is %d; it must not be negative", count);
    if (count) PLX_TRY(plx__need(message, "compile", "outputs", outputs));
    if (options->passes & ~PLX_PASS_ALL)
        return plx__fail(message, PLX_ERR_ARGUMENT, "compile: passes is %d; it must be 0 to %d",
                         options->passes, PLX_PASS_ALL);
    if (options->threads < 0)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "compile: threads is %d; it must be at least 1, or 0 for those of the context",
            options->threads);
    PLX_TRY(check_buffers(message, options));
    for (int i = 0; i < count; ++i)
        if (plx__place_of(graph, outputs[i]) < 0)
            return plx__fail(message, PLX_ERR_ARGUMENT,
                             "compile: output %d is not a node of this graph%s", i,
                             outputs[i].id < 0 ? "" : ", but of another one");
    return PLX_OK;
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

static bool is_step(const plx__node *node) {
    return !(node->op->flags & (PLX__OP_LEAF | PLX__OP_VIEW));
}

/* Allocates the arrays by step of the schedule and by node. */
static plx_status take_arrays(plx_plan *plan) {
    const size_t nodes = (size_t)plan->graph->count;
    size_t operands = 0;
    PLX__SCHEDULED(plan, i) {
        if (!is_step(plan->graph->nodes[i])) continue;
        plan->steps_count += 1;
        operands += (size_t)plan->graph->nodes[i]->inputs_count;
    }
    plan->steps = plx__zeroed((size_t)plan->steps_count, sizeof *plan->steps);
    plan->meta = plx__zeroed((size_t)plan->steps_count, sizeof *plan->meta);
    plan->operands = plx__zeroed(operands, sizeof *plan->operands);
    plan->slots = plx__zeroed(nodes, sizeof *plan->slots);
    plan->constants = plx__zeroed(nodes, sizeof *plan->constants);
    plan->locations = plx__zeroed(nodes, sizeof *plan->locations);
    if (!plan->steps || !plan->meta || !plan->operands || !plan->slots || !plan->constants ||
        !plan->locations)
        return plx__no_memory(plan);
    for (size_t i = 0; i < nodes; ++i) plan->locations[i].buffer = -1;
    return PLX_OK;
}

static plx_status make_steps(plx_plan *plan) {
    PLX_TRY(take_arrays(plan));
    plx__operand *next = plan->operands;
    assert(next && plan->links);
    int s = 0;
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = plan->graph->nodes[i];
        if (!is_step(node)) continue;
        plan->meta[s].node = i;
        plan->links[i].step = s;
        plan->meta[s].cost = node->op->cost(plan->graph, node);
        plan->steps[s++] = (plx__step){
            .op = node->op,
            .attrs = node->attrs,
            .in_count = node->inputs_count,
            .in = next,
            .out = operand_of(plan, i),
            .number = &plan->number,
        };
        for (int k = 0; k < node->inputs_count; ++k) *next++ = operand_of(plan, node->inputs[k]);
    }
    return PLX_OK;
}

static plx_status run_passes(plx_plan *plan, plx__pass_fn own) {
    int count;
    const plx__pass *passes = plx__passes(&count);
    for (int i = 0; i < count; ++i) {
        if (passes[i].steps && !plan->steps) {
            if (own) PLX_TRY(own(plan, true));
            PLX_TRY(plx_graph_status(plan->graph));
            PLX_TRY(make_steps(plan));
            PLX_TRY(plx__keep_values(plan));
        }
        PLX_TRY(passes[i].run(plan, plan->options.passes & passes[i].info.flag));
    }
    return PLX_OK;
}

plx_status plx__compile(plx_graph *graph, int count, const plx_node *outputs,
                        const plx_plan_options *options, plx__pass_fn own, plx_plan **out) {
    PLX_TRY(plx_graph_status(graph));
    plx_ctx *ctx = graph->ctx;
    plx_plan_options chosen = options ? *options : plx_plan_default();
    if (!chosen.alignment) chosen.alignment = CACHE_LINE;
    PLX_TRY(check(graph, count, outputs, &chosen));
    PLX_TRY(plx__need(&ctx->message, "compile", "out", out));
    plx_plan *plan = plx__zeroed(1, sizeof *plan);
    if (!plan) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "compile: no memory");
    plan->ctx = plx__ctx_hold(ctx);
    plan->options = chosen;
    plx_status status = copy_graph(plan, graph, count, outputs);
    if (status == PLX_OK) status = run_passes(plan, own);
    if (status != PLX_OK) {
        plx_plan_free(plan);
        return status;
    }
    *out = plan;
    return PLX_OK;
}

plx_status plx_compile(plx_graph *graph, int count, const plx_node *outputs,
                       const plx_plan_options *options, plx_plan **out) {
    return plx__compile(graph, count, outputs, options, NULL, out);
}

void plx_plan_free(plx_plan *plan) {
    if (!plan) return;
    if (plan->graph) plx__free_staged(plan);
    plx__free_packed(plan);
    plx__free_folded(plan);
    plx_plan_free(plan->unfolded);
    plx_graph_free(plan->unfolded_graph);
    plx_graph_free(plan->graph);
    plx_platform_free(plan->outputs);
    plx_platform_free(plan->values);
    plx_platform_free(plan->links);
    plx_platform_free(plan->steps);
    plx_platform_free(plan->meta);
    plx_platform_free(plan->operands);
    plx_platform_free(plan->slots);
    plx_platform_free(plan->constants);
    plx_platform_free(plan->locations);
    plx_platform_free(plan->buffers);
    plx_platform_free(plan->arena);
    plx_platform_free(plan->scratch);
    plx_ctx_free(plan->ctx);
    plx_platform_free(plan);
}
