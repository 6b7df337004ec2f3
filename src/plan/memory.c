/* Memory by liveness: values that are never needed at the same time share bytes. */
#include "plan/plan_internal.h"

#include "base/alloc.h"
#include "base/platform.h"
#include "base/sizes.h"

#include <string.h>

/* A value in a slab; values are placed in the order of the steps that make them. */
typedef struct block {
    int64_t offset, bytes;
    int last_use; /* number of the last step that reads it; steps_count: an output */
} block;

/* Slabs are numbered through, slab_bytes apart, so that an offset gives both the slab and the place
 * in it: no value crosses the end of a slab. */
typedef struct layout {
    plx_plan *plan;
    bool reuses;
    int64_t alignment, slab_bytes;
    int *last_use;      /* by node */
    int64_t *offsets;   /* by node; -1: not in a slab */
    int64_t *gradients; /* by node: how many of its bytes updates read */
    block *blocks;      /* live blocks, by offset */
    int count;
    int64_t *ends; /* by slab: how many bytes are ever in use */
    int slabs;
} layout;

int32_t plx__root_of(const plx_graph *graph, int32_t id, int64_t *offset) {
    int64_t from = 0;
    for (; graph->nodes[id]->op->flags & PLX__OP_VIEW; id = graph->nodes[id]->inputs[0])
        from += graph->nodes[id]->attrs.view.first;
    if (offset) *offset = from;
    return id;
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
        l->last_use[plx__root_of(plan->graph, plan->values[i], NULL)] = plan->steps_count;
}

/* ---- Roles ----------------------------------------------------------------------------------- */

static int64_t value_bytes(const plx__node *node) {
    return plx__size(node) * (int64_t)plx__element_bytes(node->dtype);
}

/* Whether an earlier input of the node is the same memory as input k. */
static bool is_counted(const plx_graph *graph, const plx__node *node, int first, int k) {
    int64_t from = 0, other = 0;
    const int32_t root = plx__root_of(graph, node->inputs[k], &from);
    for (int i = first; i < k; ++i)
        if (plx__root_of(graph, node->inputs[i], &other) == root && other == from) return true;
    return false;
}

static void find_gradients(layout *l) {
    const plx_graph *graph = l->plan->graph;
    for (int s = 0; s < l->plan->steps_count; ++s) {
        const plx__node *node = graph->nodes[l->plan->meta[s].node];
        if (!(node->op->flags & PLX__OP_EFFECT)) continue;
        const int count = node->attrs.object->count;
        for (int k = count; k < 2 * count; ++k)
            if (!is_counted(graph, node, count, k))
                l->gradients[plx__root_of(graph, node->inputs[k], NULL)] +=
                    value_bytes(plx__input_of(graph, node, k));
    }
}

/* Updates come last, so that all gradients of a plan exist at the first one, and no other value
 * uses their memory afterwards: it counts as theirs, even where others had it before. */
static void count_role(layout *l, int32_t id, int64_t grown) {
    l->plan->memory.gradients += l->gradients[id];
    l->plan->memory.activations += grown - l->gradients[id];
}

/* ---- Places ---------------------------------------------------------------------------------- */

static void drop_dead(layout *l, int step) {
    if (!l->reuses) return;
    int kept = 0;
    for (int i = 0; i < l->count; ++i)
        if (l->blocks[i].last_use >= step) l->blocks[kept++] = l->blocks[i];
    l->count = kept;
}

/* The first place from `at` on where so many bytes fit in one slab. */
static int64_t in_one_slab(const layout *l, int64_t at, int64_t bytes) {
    const int64_t into = at % l->slab_bytes;
    return into + bytes <= l->slab_bytes ? at : at - into + l->slab_bytes;
}

/* Extends the used part of the slab to a block; returns by how much. */
static int64_t use(layout *l, int64_t offset, int64_t bytes) {
    const int slab = (int)(offset / l->slab_bytes);
    const int64_t end = offset % l->slab_bytes + bytes;
    const int64_t grown = plx__most(end - l->ends[slab], 0);
    l->ends[slab] += grown;
    if (slab >= l->slabs) l->slabs = slab + 1;
    return grown;
}

/* The smallest gap that fits, else the end. */
static void place(layout *l, int32_t id, int64_t bytes, int last_use) {
    int64_t best = -1, best_gap = INT64_MAX, end = 0;
    int at = l->count;
    for (int i = 0; i < l->count; ++i) {
        const int64_t from = in_one_slab(l, end, bytes), gap = l->blocks[i].offset - from;
        if (gap >= bytes && gap < best_gap) {
            best = from;
            best_gap = gap;
            at = i;
        }
        end = l->blocks[i].offset + l->blocks[i].bytes;
    }
    if (best < 0) best = in_one_slab(l, end, bytes);
    memmove(l->blocks + at + 1, l->blocks + at, (size_t)(l->count - at) * sizeof *l->blocks);
    l->blocks[at] = (block){best, bytes, last_use};
    l->count += 1;
    l->offsets[id] = best;
    count_role(l, id, use(l, best, bytes));
}

/* Whether another input of the node shares the same memory: writing one would then overwrite the
 * other. */
static bool is_shared(const plx_graph *graph, const plx__node *node, int k) {
    for (int other = 0; other < node->inputs_count; ++other)
        if (other != k && node->inputs[other] != node->inputs[k] &&
            plx__root_of(graph, node->inputs[other], NULL) == node->inputs[k])
            return true;
    return false;
}

/* The block of an input that dies at this step and has the size of the output, or NULL. */
static block *reusable(layout *l, int step) {
    const plx_plan *plan = l->plan;
    const plx__node *node = plan->graph->nodes[plan->meta[step].node];
    if (!(node->op->flags & PLX__OP_INPLACE) || !l->reuses) return NULL;
    for (int k = 0; k < node->inputs_count; ++k) {
        const int32_t id = node->inputs[k];
        const plx__node *in = plan->graph->nodes[id];
        if (l->offsets[id] < 0 || l->last_use[id] != step || plx__size(in) != plx__size(node) ||
            in->dtype != node->dtype || plx__has_role(node, k, PLX__CONSTANT | PLX__WRITTEN) ||
            is_shared(plan->graph, node, k))
            continue;
        for (int i = 0; i < l->count; ++i)
            if (l->blocks[i].offset == l->offsets[id]) return &l->blocks[i];
    }
    return NULL;
}

static int64_t block_bytes(const layout *l, const plx__node *node) {
    /* An empty value still gets a place of its own, so that offsets name blocks. */
    return plx__round_up(plx__most(value_bytes(node), 1), l->alignment);
}

/* Values that are computed once keep their place for good. */
static void place_kept(layout *l) {
    const plx_plan *plan = l->plan;
    for (int s = 0; s < plan->steps_count; ++s) {
        const int32_t id = plan->meta[s].node;
        const plx__node *node = plan->graph->nodes[id];
        if (!(node->op->flags & PLX__OP_ONCE) || plan->meta[s].kept) continue;
        l->last_use[id] = plan->steps_count;
        place(l, id, block_bytes(l, node), plan->steps_count);
    }
}

static void lay_out(layout *l) {
    const plx_plan *plan = l->plan;
    place_kept(l);
    for (int s = 0; s < plan->steps_count; ++s) {
        const int32_t id = plan->meta[s].node;
        const plx__node *node = plan->graph->nodes[id];
        drop_dead(l, s);
        if (node->op->flags & (PLX__OP_EFFECT | PLX__OP_ONCE) || plan->meta[s].kept) continue;
        block *input = reusable(l, s);
        if (!input) {
            place(l, id, block_bytes(l, node), l->last_use[id]);
            continue;
        }
        l->offsets[id] = input->offset;
        input->last_use = l->last_use[id];
        count_role(l, id, 0);
    }
}

/* ---- Buffers --------------------------------------------------------------------------------- */

/* Leaves and values that stay have buffers of their own. */
static bool is_apart(const plx__node *node) {
    return node->op->flags & PLX__OP_LEAF || node->tensor;
}

static plx_buffer_kind kind_of(const plx__node *node) {
    if (node->op == &plx__op_parameter) return PLX_BUFFER_TENSOR;
    if (node->tensor) return PLX_BUFFER_KEPT;
    return node->op == &plx__op_input ? PLX_BUFFER_INPUT : PLX_BUFFER_CONSTANT;
}

static void add_apart(plx_plan *plan, int32_t id) {
    const plx__node *node = plan->graph->nodes[id];
    plx_buffer buffer = {.kind = kind_of(node), .name = node->name, .bytes = value_bytes(node)};
    if (node->tensor) {
        buffer.data = node->tensor->data;
        if (buffer.kind == PLX_BUFFER_TENSOR) plan->memory.parameters += buffer.bytes;
    } else if (buffer.kind == PLX_BUFFER_INPUT) {
        plan->memory.inputs += buffer.bytes;
    } else {
        plan->constants[id] = (plx_real)node->attrs.leaf.value;
        buffer.data = &plan->constants[id];
    }
    plan->locations[id].buffer = plan->buffers_count;
    plan->buffers[plan->buffers_count++] = buffer;
}

static void locate_values(layout *l, int first_slab) {
    plx_plan *plan = l->plan;
    const plx_graph *graph = plan->graph;
    for (int32_t i = 0; i < graph->count; ++i)
        if (l->offsets[i] >= 0)
            plan->locations[i] = (plx__location){first_slab + (int)(l->offsets[i] / l->slab_bytes),
                                                 l->offsets[i] % l->slab_bytes};
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = graph->nodes[i];
        if (!(node->op->flags & PLX__OP_VIEW)) continue;
        int64_t first;
        plan->locations[i] = plan->locations[plx__root_of(graph, i, &first)];
        plan->locations[i].offset += first * (int64_t)plx__element_bytes(node->dtype);
    }
}

static plx_status make_buffers(layout *l) {
    plx_plan *plan = l->plan;
    int apart = 0;
    PLX__SCHEDULED(plan, i) apart += is_apart(plan->graph->nodes[i]);
    plan->buffers = plx__zeroed((size_t)apart + (size_t)l->slabs, sizeof *plan->buffers);
    if (!plan->buffers) return plx__no_memory(plan);
    PLX__SCHEDULED(plan, i)
    if (is_apart(plan->graph->nodes[i])) add_apart(plan, i);
    for (int i = 0; i < l->slabs; ++i) {
        plan->buffers[plan->buffers_count++] =
            (plx_buffer){.kind = PLX_BUFFER_SLAB, .name = "", .bytes = l->ends[i]};
        plan->arena_bytes += l->ends[i];
    }
    locate_values(l, apart);
    return PLX_OK;
}

/* No buffer is larger than the options allow. */
static plx_status check_sizes(const plx_plan *plan) {
    const int64_t largest = plan->options.largest_buffer;
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = plan->graph->nodes[i];
        if (!largest || node->op->flags & (PLX__OP_VIEW | PLX__OP_EFFECT) ||
            value_bytes(node) <= largest)
            continue;
        return plx__fail(&plan->ctx->message, PLX_ERR_MEMORY,
                         "compile: %s%s%s%s needs %lld bytes; the largest buffer has %lld",
                         plx__title(node->op), node->name[0] ? " \"" : "", node->name,
                         node->name[0] ? "\"" : "", (long long)value_bytes(node),
                         (long long)largest);
    }
    return PLX_OK;
}

static int64_t largest_workspace(const plx_plan *plan) {
    int64_t largest = 0;
    for (int s = 0; s < plan->steps_count; ++s)
        largest = plx__most(largest, plx__workspace_of(plan->ctx, &plan->steps[s]));
    return plx__round_up(largest, 64);
}

int64_t plx__workspace_of(const plx_ctx *ctx, const plx__step *step) {
    return step->op->workspace ? (int64_t)step->op->workspace(ctx, step) : 0;
}

void plx__point_slots(plx_plan *plan, int buffer) {
    for (int32_t i = 0; i < plan->graph->count; ++i) {
        const plx__location at = plan->locations[i];
        if (at.buffer < 0 || (buffer >= 0 && at.buffer != buffer)) continue;
        char *data = plan->buffers[at.buffer].data;
        plan->slots[i] = data ? data + at.offset : NULL;
    }
}

/* Allocates all slabs, one after the other, and the workspace behind them as one piece of memory.
 */
static plx_status allocate(plx_plan *plan) {
    const int64_t bytes = plan->arena_bytes + plan->memory.workspace;
    void *arena = NULL;
    PLX_TRY(
        plx__alloc(&plan->ctx->message, "compile: the plan's values and scratch", bytes, &arena));
    plan->arena = arena;
    char *next = arena;
    for (int i = 0; i < plan->buffers_count; ++i) {
        if (plan->buffers[i].kind != PLX_BUFFER_SLAB) continue;
        plan->buffers[i].data = next;
        next += plan->buffers[i].bytes;
    }
    for (int s = 0; s < plan->steps_count; ++s) plan->steps[s].workspace = next;
    plx__point_slots(plan, -1);
    return PLX_OK;
}

plx_status plx__more_scratch(plx_plan *plan) {
    const int64_t bytes = largest_workspace(plan);
    void *scratch = NULL;
    if (bytes <= plan->memory.workspace) return PLX_OK;
    PLX_TRY(plx__alloc(&plan->ctx->message, "run: scratch for more threads", bytes, &scratch));
    plx_platform_free(plan->scratch);
    plan->scratch = scratch;
    plan->memory.workspace = bytes;
    for (int s = 0; s < plan->steps_count; ++s) plan->steps[s].workspace = scratch;
    return PLX_OK;
}

static plx_status lay_out_all(layout *l) {
    plx_plan *plan = l->plan;
    for (int32_t i = 0; i < plan->graph->count; ++i) l->offsets[i] = -1;
    find_last_uses(l);
    find_gradients(l);
    lay_out(l);
    PLX_TRY(make_buffers(l));
    plan->memory.workspace = largest_workspace(plan);
    return allocate(plan);
}

plx_status plx__pass_memory(plx_plan *plan, bool on) {
    PLX_TRY(check_sizes(plan));
    const size_t nodes = (size_t)plan->graph->count;
    const int64_t largest = plan->options.largest_buffer;
    layout l = {.plan = plan,
                .reuses = on,
                .alignment = plan->options.alignment,
                .slab_bytes = largest ? largest : INT64_MAX / 2};
    l.last_use = plx__zeroed(nodes, sizeof *l.last_use);
    l.offsets = plx__zeroed(nodes, sizeof *l.offsets);
    l.gradients = plx__zeroed(nodes, sizeof *l.gradients);
    l.blocks = plx__zeroed(nodes, sizeof *l.blocks);
    l.ends = plx__zeroed(nodes, sizeof *l.ends);
    const bool enough = l.last_use && l.offsets && l.gradients && l.blocks && l.ends;
    const plx_status status = enough ? lay_out_all(&l) : plx__no_memory(plan);
    plx_platform_free(l.last_use);
    plx_platform_free(l.offsets);
    plx_platform_free(l.gradients);
    plx_platform_free(l.blocks);
    plx_platform_free(l.ends);
    return status;
}
