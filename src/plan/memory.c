/* Memory by liveness: values that are never needed at the same time share bytes. */
#include "plan/plan_internal.h"

#include "base/alloc.h"
#include "base/platform.h"

#include <string.h>

enum { ALIGNMENT = 64 };

static int64_t aligned(int64_t bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A value in the arena; placed in the order of the steps that make it. */
typedef struct block {
    int64_t offset, bytes;
    int last_use; /* number of the last step that reads it; steps_count: an output */
} block;

typedef struct layout {
    plx_plan *plan;
    int *last_use; /* by node */
    block *blocks; /* live ones, by offset */
    int count;
    int64_t bytes;
} layout;

int32_t plx__root_of(const plx_graph *graph, int32_t id, int64_t *offset) {
    int64_t from = 0;
    for (; graph->nodes[id]->op->flags & PLX__OP_VIEW; id = graph->nodes[id]->inputs[0])
        from += graph->nodes[id]->attrs.view.first;
    if (offset) *offset = from;
    return id;
}

void plx__place_views(plx_plan *plan) {
    const plx_graph *graph = plan->graph;
    for (int32_t i = 0; i < graph->count; ++i) {
        const plx__node *node = graph->nodes[i];
        if (!(node->op->flags & PLX__OP_VIEW) || !plan->live[i]) continue;
        int64_t offset;
        char *root = plan->slots[plx__root_of(graph, i, &offset)];
        plan->slots[i] = root ? root + (size_t)offset * plx__element_bytes(node->dtype) : NULL;
    }
}

static void find_last_uses(layout *l) {
    const plx_plan *plan = l->plan;
    for (int32_t i = 0; i < plan->graph->count; ++i) l->last_use[i] = -1;
    for (int s = 0; s < plan->steps_count; ++s) {
        const plx__node *node = plan->graph->nodes[plan->meta[s].node];
        l->last_use[plan->meta[s].node] = s;
        for (int k = 0; k < node->inputs_count; ++k)
            l->last_use[plx__root_of(plan->graph, node->inputs[k], NULL)] = s;
    }
    for (int i = 0; i < plan->outputs_count; ++i)
        l->last_use[plx__root_of(plan->graph, plan->outputs[i], NULL)] = plan->steps_count;
}

static void drop_dead(layout *l, int step) {
    if (!(l->plan->options.passes & PLX_PASS_MEMORY)) return;
    int kept = 0;
    for (int i = 0; i < l->count; ++i)
        if (l->blocks[i].last_use >= step) l->blocks[kept++] = l->blocks[i];
    l->count = kept;
}

/* The smallest gap that fits, else the end. */
static int64_t place(layout *l, int64_t bytes, int last_use) {
    int64_t best = -1, best_gap = INT64_MAX, end = 0;
    int at = l->count;
    for (int i = 0; i < l->count; ++i) {
        const int64_t gap = l->blocks[i].offset - end;
        if (gap >= bytes && gap < best_gap) {
            best = end;
            best_gap = gap;
            at = i;
        }
        end = l->blocks[i].offset + l->blocks[i].bytes;
    }
    if (best < 0) best = end;
    memmove(l->blocks + at + 1, l->blocks + at, (size_t)(l->count - at) * sizeof *l->blocks);
    l->blocks[at] = (block){best, bytes, last_use};
    l->count += 1;
    if (best + bytes > l->bytes) l->bytes = best + bytes;
    return best;
}

/* Whether another input of the node is part of the same memory: then writing one spoils it. */
static bool is_shared(const plx_graph *graph, const plx__node *node, int k) {
    for (int other = 0; other < node->inputs_count; ++other)
        if (other != k && node->inputs[other] != node->inputs[k] &&
            plx__root_of(graph, node->inputs[other], NULL) == node->inputs[k])
            return true;
    return false;
}

/* The block of an input that dies at this step and has the size of the output, or NULL. */
static block *reusable(layout *l, int step, const int64_t *offsets) {
    const plx_plan *plan = l->plan;
    const plx__node *node = plan->graph->nodes[plan->meta[step].node];
    if (!(node->op->flags & PLX__OP_INPLACE) || !(plan->options.passes & PLX_PASS_MEMORY))
        return NULL;
    for (int k = 0; k < node->inputs_count; ++k) {
        const int32_t id = node->inputs[k];
        const plx__node *in = plan->graph->nodes[id];
        if (offsets[id] < 0 || l->last_use[id] != step || plx__size(in) != plx__size(node) ||
            in->dtype != node->dtype || plx__has_role(node, k, PLX__CONSTANT | PLX__WRITTEN) ||
            is_shared(plan->graph, node, k))
            continue;
        for (int i = 0; i < l->count; ++i)
            if (l->blocks[i].offset == offsets[id]) return &l->blocks[i];
    }
    return NULL;
}

static int64_t bytes_of(const plx__node *node) {
    /* An empty value still gets a place of its own, so that offsets name blocks. */
    const int64_t size = plx__size(node);
    return aligned((size > 0 ? size : 1) * (int64_t)plx__element_bytes(node->dtype));
}

/* What is worked out once keeps its place for good. */
static void place_kept(layout *l, int64_t *offsets) {
    const plx_plan *plan = l->plan;
    for (int s = 0; s < plan->steps_count; ++s) {
        const int32_t id = plan->meta[s].node;
        const plx__node *node = plan->graph->nodes[id];
        if (!(node->op->flags & PLX__OP_ONCE)) continue;
        l->last_use[id] = plan->steps_count;
        offsets[id] = place(l, bytes_of(node), plan->steps_count);
    }
}

static void lay_out(layout *l, int64_t *offsets) {
    const plx_plan *plan = l->plan;
    place_kept(l, offsets);
    for (int s = 0; s < plan->steps_count; ++s) {
        const int32_t id = plan->meta[s].node;
        const plx__node *node = plan->graph->nodes[id];
        drop_dead(l, s);
        plan->meta[s].arena_offset = -1;
        if (node->op->flags & PLX__OP_EFFECT) continue;
        if (node->op->flags & PLX__OP_ONCE) {
            plan->meta[s].arena_offset = offsets[id];
            continue;
        }
        block *input = reusable(l, s, offsets);
        if (input) {
            offsets[id] = input->offset;
            input->last_use = l->last_use[id];
        } else {
            offsets[id] = place(l, bytes_of(node), l->last_use[id]);
        }
        plan->meta[s].arena_offset = offsets[id];
    }
}

/* Whether input k of a node is memory that one before it is already. */
static bool is_counted(const plx_graph *graph, const plx__node *node, int first, int k) {
    int64_t from = 0, other = 0;
    const int32_t root = plx__root_of(graph, node->inputs[k], &from);
    for (int i = first; i < k; ++i)
        if (plx__root_of(graph, node->inputs[i], &other) == root && other == from) return true;
    return false;
}

/* Updates come last, so that all gradients of a plan are there at the first: none shares memory
 * with another. Those that are no values of the arena (parameters, inputs) take none of it. */
static int64_t gradient_bytes(const plx_plan *plan, const int64_t *offsets) {
    const plx_graph *graph = plan->graph;
    int64_t bytes = 0;
    for (int s = 0; s < plan->steps_count; ++s) {
        const plx__node *node = graph->nodes[plan->meta[s].node];
        if (!(node->op->flags & PLX__OP_EFFECT)) continue;
        const int count = node->attrs.object->count;
        for (int k = count; k < 2 * count; ++k) {
            const plx__node *gradient = plx__input_of(graph, node, k);
            if (offsets[plx__root_of(graph, node->inputs[k], NULL)] < 0 ||
                is_counted(graph, node, count, k))
                continue;
            bytes += plx__size(gradient) * (int64_t)plx__element_bytes(gradient->dtype);
        }
    }
    return bytes;
}

static int64_t largest_workspace(const plx_plan *plan) {
    int64_t largest = 0;
    for (int s = 0; s < plan->steps_count; ++s) {
        const plx__step *step = &plan->steps[s];
        const int64_t bytes =
            step->op->workspace ? (int64_t)step->op->workspace(plan->ctx, step) : 0;
        if (bytes > largest) largest = bytes;
    }
    return aligned(largest);
}

static plx_status allocate(plx_plan *plan, const int64_t *offsets) {
    const int64_t bytes = plan->arena_bytes + plan->workspace_bytes;
    void *arena = NULL;
    PLX_TRY(
        plx__alloc(&plan->ctx->message, "compile: the plan's values and scratch", bytes, &arena));
    plan->arena = arena;
    for (int32_t i = 0; i < plan->graph->count; ++i)
        if (offsets[i] >= 0) plan->slots[i] = plan->arena + offsets[i];
    plx__place_views(plan);
    for (int s = 0; s < plan->steps_count; ++s)
        plan->steps[s].workspace = plan->arena + plan->arena_bytes;
    return PLX_OK;
}

plx_status plx__pass_memory(plx_plan *plan) {
    const size_t nodes = (size_t)plan->graph->count;
    layout l = {.plan = plan};
    l.last_use = plx_platform_alloc(nodes * sizeof *l.last_use + 1);
    l.blocks = plx_platform_alloc(nodes * sizeof *l.blocks + 1);
    int64_t *offsets = plx_platform_alloc(nodes * sizeof *offsets + 1);
    plx_status status = PLX_OK;
    if (!l.last_use || !l.blocks || !offsets) {
        status = plx__fail(&plan->ctx->message, PLX_ERR_MEMORY, "compile: no memory");
    } else {
        for (size_t i = 0; i < nodes; ++i) offsets[i] = -1;
        find_last_uses(&l);
        lay_out(&l, offsets);
        plan->arena_bytes = l.bytes;
        plan->gradient_bytes = gradient_bytes(plan, offsets);
        plan->workspace_bytes = largest_workspace(plan);
        status = allocate(plan, offsets);
    }
    plx_platform_free(l.last_use);
    plx_platform_free(l.blocks);
    plx_platform_free(offsets);
    return status;
}
