/* Values that stay: a step that reads nothing but constants, parameters and other such values is
 * run once, and again after a parameter was written. The value is a tensor that all plans of the
 * context which have the same step share. */
#include "plan/plan_internal.h"
#include "plan/shared.h"

#include "base/platform.h"

#include <string.h>

typedef struct input {
    const plx_tensor *tensor; /* NULL: a constant */
    double constant;
    uint64_t version; /* of the tensor when it was read; 0: not yet */
    int64_t first;    /* element, and shape, of a view */
    int rank;
    int64_t dims[PLX_MAX_RANK];
} input;

struct plx__folded {
    struct plx__folded *next; /* of the context */
    int holders;              /* plans */
    const plx_op *op;
    plx__attrs attrs;
    plx_tensor *tensor; /* the value */
    bool made, finite;
    int count;
    input inputs[];
};

/* ---- What stays ------------------------------------------------------------------------------ */

bool plx__is_written(const plx_plan *plan, const plx_tensor *tensor) {
    for (int i = 0; i < plan->written_count; ++i)
        if (plan->written[i] == tensor) return true;
    return false;
}

/* The tensor that a node writes as input k, or NULL. */
static plx_tensor *written_by(const plx_plan *plan, const plx__node *node, int k) {
    const bool updated = node->op->flags & PLX__OP_EFFECT && k < node->attrs.object->count;
    if (!updated && !plx__has_role(node, k, PLX__WRITTEN)) return NULL;
    return plan->graph->nodes[plx__root_of(plan->graph, node->inputs[k], NULL)]->tensor;
}

plx_status plx__find_written(plx_plan *plan) {
    size_t most = 0;
    for (int32_t i = 0; i < plan->graph->count; ++i)
        most += plan->graph->nodes[i]->op == &plx__op_parameter;
    plan->written = plx__zeroed(most, sizeof *plan->written);
    if (!plan->written) return plx__no_memory(plan);
    PLX__SCHEDULED(plan, i) {
        const plx__node *node = plan->graph->nodes[i];
        for (int k = 0; k < node->inputs_count; ++k) {
            plx_tensor *tensor = written_by(plan, node, k);
            if (tensor && !plx__is_written(plan, tensor))
                plan->written[plan->written_count++] = tensor;
        }
    }
    return PLX_OK;
}

bool plx__stays(const plx_plan *plan, int32_t id) {
    const plx__node *root = plan->graph->nodes[plx__root_of(plan->graph, id, NULL)];
    return root->op == &plx__op_constant || (root->tensor && !plx__is_written(plan, root->tensor));
}

/* Random masks depend on the number of the run. */
static bool is_fixed(const plx_plan *plan, const plx__node *node) {
    if (node->op->flags & (PLX__OP_EFFECT | PLX__OP_BUFFER) || node->op == &plx__op_dropout)
        return false;
    for (int k = 0; k < node->inputs_count; ++k)
        if (plx__has_role(node, k, PLX__WRITTEN) || !plx__stays(plan, node->inputs[k]))
            return false;
    return true;
}

/* ---- Sharing --------------------------------------------------------------------------------- */

static input input_of(const plx_plan *plan, int32_t id) {
    const plx__node *node = plan->graph->nodes[id];
    input in = {.rank = node->rank};
    const plx__node *root = plan->graph->nodes[plx__root_of(plan->graph, id, &in.first)];
    in.tensor = root->tensor;
    if (!root->tensor) in.constant = root->attrs.leaf.value;
    memcpy(in.dims, node->dims, sizeof in.dims);
    return in;
}

static bool is_same_input(const input *a, const input *b) {
    return a->tensor == b->tensor && !memcmp(&a->constant, &b->constant, sizeof a->constant) &&
           a->first == b->first && a->rank == b->rank &&
           !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

static bool are_same_attrs(const plx_op *op, const plx__attrs *a, const plx__attrs *b) {
    plx__attribute at;
    for (int i = 0; plx__attribute_at(op->attrs, i, &at); ++i)
        if (memcmp(plx__attribute_data(a, &at), plx__attribute_data(b, &at), 8 * (size_t)at.count))
            return false;
    return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

static bool is_same(const plx_plan *plan, const plx__folded *folded, const plx__node *node) {
    if (folded->op != node->op || folded->count != node->inputs_count ||
        !are_same_attrs(node->op, &folded->attrs, &node->attrs))
        return false;
    for (int k = 0; k < folded->count; ++k) {
        const input in = input_of(plan, node->inputs[k]);
        if (!is_same_input(&folded->inputs[k], &in)) return false;
    }
    return true;
}

static plx__folded *new_folded(const plx_plan *plan, const plx__node *node) {
    const size_t bytes = sizeof(plx__folded) + (size_t)node->inputs_count * sizeof(input);
    plx__folded *folded = plx__zeroed(1, bytes);
    if (!folded) return NULL;
    folded->op = node->op;
    folded->attrs = node->attrs;
    folded->count = node->inputs_count;
    for (int k = 0; k < folded->count; ++k) folded->inputs[k] = input_of(plan, node->inputs[k]);
    if (plx_tensor_new(plan->ctx, node->dtype, node->rank, node->dims, &folded->tensor) != PLX_OK) {
        plx_platform_free(folded);
        return NULL;
    }
    folded->next = plan->ctx->folded;
    plan->ctx->folded = folded;
    return folded;
}

static plx__folded *folded_for(const plx_plan *plan, const plx__node *node) {
    for (plx__folded *folded = plan->ctx->folded; folded; folded = folded->next)
        if (is_same(plan, folded, node)) return folded;
    return new_folded(plan, node);
}

static int64_t bytes_of(const plx__folded *folded) {
    return folded->tensor->size * (int64_t)plx__element_bytes(folded->tensor->dtype);
}

static bool is_held(const plx_plan *plan, const plx__folded *folded) {
    for (int i = 0; i < plan->folds_count; ++i)
        if (plan->folds[i].folded == folded) return true;
    return false;
}

/* Without memory for it, the value is computed in every run. */
static void keep(plx_plan *plan, int s) {
    plx__node *node = plan->graph->nodes[plan->meta[s].node];
    if (!is_fixed(plan, node)) return;
    plx__folded *folded = folded_for(plan, node);
    if (!folded) return;
    node->tensor = plx__tensor_hold(folded->tensor);
    plan->meta[s].kept = true;
    if (is_held(plan, folded)) return;
    folded->holders += 1;
    plan->folds[plan->folds_count++] =
        (plx__fold){s, plan->links[plan->meta[s].node].guarded, folded};
    plan->memory.folded += bytes_of(folded);
}

plx_status plx__keep_values(plx_plan *plan) {
    if (!(plan->options.passes & PLX_PASS_FOLD) || !plan->options.constant_parameters)
        return PLX_OK;
    plan->folds = plx__zeroed((size_t)plan->steps_count, sizeof *plan->folds);
    if (!plan->folds) return plx__no_memory(plan);
    for (int s = 0; s < plan->steps_count; ++s) keep(plan, s);
    return PLX_OK;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static bool is_stale(const plx__folded *folded) {
    bool stale = !folded->made;
    for (int k = 0; k < folded->count; ++k) {
        const input *in = &folded->inputs[k];
        stale |= in->tensor && in->version != in->tensor->version;
    }
    return stale;
}

static bool is_finite(const plx_tensor *tensor) {
    const plx_real *values = tensor->data;
    bool finite = true;
    for (int64_t i = 0; tensor->dtype == PLX_DTYPE_REAL && i < tensor->size; ++i)
        finite &= values[i] - values[i] == 0;
    return finite;
}

static plx_status compute(plx_plan *plan, const plx__fold *fold) {
    plx__folded *folded = fold->folded;
    const plx__step *step = &plan->steps[fold->step];
    for (int k = 0; k < folded->count; ++k)
        if (folded->inputs[k].tensor) folded->inputs[k].version = folded->inputs[k].tensor->version;
    folded->made = false;
    PLX_TRY(step->op->run(plan->ctx, step));
    folded->made = true;
    folded->finite = is_finite(folded->tensor);
    plx__tensor_changed(folded->tensor);
    return PLX_OK;
}

plx_status plx__refresh_folded(plx_plan *plan, bool *fit) {
    *fit = true;
    for (int i = 0; i < plan->written_count; ++i) plx__tensor_changed(plan->written[i]);
    for (int i = 0; i < plan->folds_count; ++i) {
        const plx__fold *fold = &plan->folds[i];
        if (is_stale(fold->folded)) PLX_TRY(compute(plan, fold));
        *fit &= !fold->guarded || fold->folded->finite;
    }
    return PLX_OK;
}

static void drop(plx_ctx *ctx, plx__folded *folded) {
    if (--folded->holders > 0) return;
    plx__folded **link = &ctx->folded;
    while (*link != folded) link = &(*link)->next;
    *link = folded->next;
    plx_tensor_free(folded->tensor);
    plx_platform_free(folded);
}

void plx__free_folded(plx_plan *plan) {
    for (int i = 0; i < plan->folds_count; ++i) drop(plan->ctx, plan->folds[i].folded);
    plx_platform_free(plan->folds);
    plx_platform_free(plan->written);
}

int64_t plx__folded_bytes(const plx_plan *plan, int count, const plx_plan *const *others) {
    int64_t bytes = 0;
    for (int i = 0; i < plan->folds_count; ++i) {
        bool shared = false;
        for (int k = 0; k < count; ++k) shared |= is_held(others[k], plan->folds[i].folded);
        if (!shared) bytes += bytes_of(plan->folds[i].folded);
    }
    return bytes;
}
