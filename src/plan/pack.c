/* Weights that stay: products read their right operand in panels (blocks/gemm.c) and 3 x 3
 * convolutions in planes (blocks/conv_winograd.c), and a weight that keeps its values is packed
 * into them once. The copy hangs on the tensor, so that plans of several batch sizes share it; a
 * run packs again what was written since. */
#include "plan/plan_internal.h"
#include "plan/shared.h"

#include "base/alloc.h"
#include "base/platform.h"

#include <string.h>

/* ---- Packed copies --------------------------------------------------------------------------- */

static plx__packed *new_packed(const plx_plan *plan, plx_tensor *tensor, plx__layout layout,
                               int64_t values) {
    const int64_t bytes = values * (int64_t)sizeof(plx_real);
    plx__message unused;
    void *memory = NULL;
    if (plx__alloc(&unused, "", bytes, &memory) != PLX_OK) return NULL;
    plx__packed *packed = plx_platform_alloc(sizeof *packed);
    if (!packed) {
        plx_platform_free(memory);
        return NULL;
    }
    *packed = (plx__packed){.next = tensor->packed,
                            .layout = layout,
                            .columns = plan->ctx->kernels->nr,
                            .bytes = bytes,
                            .values = memory};
    tensor->packed = packed;
    return packed;
}

/* The copy of a tensor in this layout, perhaps a new one, to be packed by a run. NULL: there is no
 * memory for it, and the step packs for itself. */
static plx__packed *packed_for(const plx_plan *plan, plx_tensor *tensor, plx__layout layout,
                               int64_t values) {
    for (plx__packed *packed = tensor->packed; packed; packed = packed->next)
        if (packed->layout == layout && packed->columns == plan->ctx->kernels->nr) return packed;
    return new_packed(plan, tensor, layout, values);
}

static void drop(plx_tensor *tensor, plx__packed *packed) {
    if (--packed->holders > 0) return;
    plx__packed **link = &tensor->packed;
    while (*link != packed) link = &(*link)->next;
    *link = packed->next;
    plx_platform_free(packed->values);
    plx_platform_free(packed);
}

static bool is_kept(const plx_plan *plan, const plx__packed *packed) {
    for (int i = 0; i < plan->kept_count; ++i)
        if (plan->kept[i].packed == packed) return true;
    return false;
}

/* The tensor that is a step's right operand, perhaps in another shape with equally many columns, so
 * that no other shape of it has the same layout. NULL: there is none. */
static plx_tensor *weight_of(const plx_graph *graph, const plx__node *node) {
    const plx__node *own = plx__input_of(graph, node, 1);
    const plx__node *whole = graph->nodes[plx__root_of(graph, node->inputs[1], NULL)];
    const bool all = plx__size(own) == plx__size(whole) &&
                     plx__columns(own->rank, own->dims) == plx__columns(whole->rank, whole->dims);
    return all ? whole->tensor : NULL;
}

static void keep(plx_plan *plan, int s) {
    plx__step *step = &plan->steps[s];
    plx__layout layout;
    if (!step->op->packed || plan->meta[s].kept) return;
    const plx__node *node = plan->graph->nodes[plan->meta[s].node];
    plx_tensor *tensor = weight_of(plan->graph, node);
    const int64_t values = step->op->packed(plan->ctx, step, &layout);
    if (!tensor || plx__is_written(plan, tensor) || !values) return;
    plx__packed *packed = packed_for(plan, tensor, layout, values);
    if (!packed) return;
    step->packed = packed->values;
    if (is_kept(plan, packed)) return;
    packed->holders += 1;
    plan->kept[plan->kept_count++] = (plx__kept){s, tensor, packed};
    plan->memory.packed += packed->bytes;
}

plx_status plx__pass_pack(plx_plan *plan, bool on) {
    if (!on || !plan->options.constant_parameters) return PLX_OK;
    plan->kept = plx__zeroed((size_t)plan->steps_count, sizeof *plan->kept);
    if (!plan->kept) return plx__no_memory(plan);
    for (int s = 0; s < plan->steps_count; ++s) keep(plan, s);
    return PLX_OK;
}

void plx__refresh_packed(plx_plan *plan) {
    for (int i = 0; i < plan->kept_count; ++i) {
        const plx__kept *kept = &plan->kept[i];
        if (kept->packed->version == kept->tensor->version) continue;
        const plx__step *step = &plan->steps[kept->step];
        step->op->pack(plan->ctx, step, kept->packed->values);
        kept->packed->version = kept->tensor->version;
    }
}

void plx__free_packed(plx_plan *plan) {
    for (int i = 0; i < plan->kept_count; ++i) drop(plan->kept[i].tensor, plan->kept[i].packed);
    plx_platform_free(plan->kept);
}

int64_t plx__packed_bytes(const plx_plan *plan, int count, const plx_plan *const *others) {
    int64_t bytes = 0;
    for (int i = 0; i < plan->kept_count; ++i) {
        bool shared = false;
        for (int k = 0; k < count; ++k) shared |= is_kept(others[k], plan->kept[i].packed);
        if (!shared) bytes += plan->kept[i].packed->bytes;
    }
    return bytes;
}
