/* Weights that stay: a product reads its right operand in panels (blocks/gemm.c), and a parameter
 * that keeps its values is packed into them once. The copy hangs on the tensor, so that plans of
 * several batch sizes share it; a run packs again what was written since. */
#include "plan/plan_internal.h"

#include "base/alloc.h"
#include "base/platform.h"
#include "blocks/gemm.h"

#include <string.h>

/* ---- Tensors that a run changes -------------------------------------------------------------- */

static bool is_written(const plx_plan *plan, const plx_tensor *tensor) {
    for (int i = 0; i < plan->written_count; ++i)
        if (plan->written[i] == tensor) return true;
    return false;
}

/* The tensor that a step writes as input k, or NULL. */
static plx_tensor *written_by(const plx_plan *plan, const plx__node *node, int k) {
    const bool updated = node->op->flags & PLX__OP_EFFECT && k < node->attrs.object->count;
    if (!updated && !plx__has_role(node, k, PLX__WRITTEN)) return NULL;
    return plan->graph->nodes[plx__root_of(plan->graph, node->inputs[k], NULL)]->tensor;
}

static plx_status find_written(plx_plan *plan) {
    size_t most = 0;
    for (int32_t i = 0; i < plan->graph->count; ++i)
        most += plan->graph->nodes[i]->op == &plx__op_parameter;
    plan->written = plx__zeroed(most, sizeof *plan->written);
    if (!plan->written) return plx__no_memory(plan);
    for (int s = 0; s < plan->steps_count; ++s) {
        const plx__node *node = plan->graph->nodes[plan->meta[s].node];
        for (int k = 0; k < node->inputs_count; ++k) {
            plx_tensor *tensor = written_by(plan, node, k);
            if (tensor && !is_written(plan, tensor)) plan->written[plan->written_count++] = tensor;
        }
    }
    return PLX_OK;
}

/* ---- Packed copies --------------------------------------------------------------------------- */

static plx__packed *new_packed(const plx_plan *plan, plx_tensor *tensor,
                               const plx__gemm_args *product) {
    const int64_t bytes = plx__gemm_packed_values(plan->ctx, product) * (int64_t)sizeof(plx_real);
    plx__message unused;
    void *values = NULL;
    if (plx__alloc(&unused, "", bytes, &values) != PLX_OK) return NULL;
    plx__packed *packed = plx_platform_alloc(sizeof *packed);
    if (!packed) {
        plx_platform_free(values);
        return NULL;
    }
    *packed = (plx__packed){.next = tensor->packed,
                            .transposed = product->tb,
                            .columns = plan->ctx->kernels->nr,
                            .bytes = bytes,
                            .values = values};
    tensor->packed = packed;
    return packed;
}

/* The copy of a tensor that the product can read, perhaps a new one, to be packed by a run. NULL:
 * there is no memory for it, and the product packs for itself. */
static plx__packed *packed_for(const plx_plan *plan, plx_tensor *tensor,
                               const plx__gemm_args *product) {
    for (plx__packed *packed = tensor->packed; packed; packed = packed->next)
        if (packed->transposed == product->tb && packed->columns == plan->ctx->kernels->nr)
            return packed;
    return new_packed(plan, tensor, product);
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

static void keep(plx_plan *plan, int s) {
    plx__step *step = &plan->steps[s];
    if (!step->op->product) return;
    const plx__node *node = plan->graph->nodes[plan->meta[s].node];
    plx_tensor *tensor = plx__input_of(plan->graph, node, 1)->tensor;
    const plx__gemm_args product = step->op->product(step);
    if (!tensor || is_written(plan, tensor) || !plx__gemm_keeps_packed(plan->ctx, &product)) return;
    plx__packed *packed = packed_for(plan, tensor, &product);
    if (!packed) return;
    step->packed = packed->values;
    if (is_kept(plan, packed)) return;
    packed->holders += 1;
    plan->kept[plan->kept_count++] = (plx__kept){s, tensor, packed};
    plan->memory.packed += packed->bytes;
}

plx_status plx__pass_pack(plx_plan *plan, bool on) {
    PLX_TRY(find_written(plan));
    if (!on || !plan->options.constant_parameters) return PLX_OK;
    plan->kept = plx__zeroed((size_t)plan->steps_count, sizeof *plan->kept);
    if (!plan->kept) return plx__no_memory(plan);
    for (int s = 0; s < plan->steps_count; ++s) keep(plan, s);
    return PLX_OK;
}

void plx__refresh_packed(plx_plan *plan) {
    for (int i = 0; i < plan->written_count; ++i) plx__tensor_changed(plan->written[i]);
    for (int i = 0; i < plan->kept_count; ++i) {
        const plx__kept *kept = &plan->kept[i];
        if (kept->packed->version == kept->tensor->version) continue;
        const plx__step *step = &plan->steps[kept->step];
        plx__gemm_args product = step->op->product(step);
        product.b = kept->tensor->data;
        plx__gemm_pack(plan->ctx, &product, plan->ctx->threads, kept->packed->values);
        kept->packed->version = kept->tensor->version;
    }
}

void plx__free_packed(plx_plan *plan) {
    for (int i = 0; i < plan->kept_count; ++i) drop(plan->kept[i].tensor, plan->kept[i].packed);
    plx_platform_free(plan->kept);
    plx_platform_free(plan->written);
}
