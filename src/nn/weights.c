/* Weights by name, scopes, and notes about the layers that were added. */
#include "nn/weights.h"

#include "base/platform.h"
#include "graph/graph.h"
#include "ops/op.h"

#include <string.h>

plx_status plx_weights_new(plx_ctx *ctx, uint64_t seed, plx_weights **out) {
    PLX_TRY(plx__need(&ctx->message, "weights", "out", out));
    plx_weights *weights = plx_platform_alloc(sizeof *weights);
    if (!weights) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "weights: no memory");
    *weights = (plx_weights){.ctx = plx__ctx_hold(ctx), .seed = seed};
    *out = weights;
    return PLX_OK;
}

void plx__weights_truncate(plx_weights *weights, int count) {
    while (weights->count > count) plx_tensor_free(weights->list[--weights->count].tensor);
}

void plx_weights_free(plx_weights *weights) {
    if (!weights) return;
    plx__weights_truncate(weights, 0);
    plx_platform_free(weights->list);
    plx_platform_free(weights->notes);
    plx_ctx_free(weights->ctx);
    plx_platform_free(weights);
}

int plx_weights_count(const plx_weights *weights) {
    return weights->count;
}

plx_tensor *plx_weights_at(const plx_weights *weights, int i, const char **name,
                           plx_weight_role *role) {
    if (i < 0 || i >= weights->count) return NULL;
    if (name) *name = weights->list[i].name;
    if (role) *role = weights->list[i].role;
    return weights->list[i].tensor;
}

plx_tensor *plx_weights_find(const plx_weights *weights, const char *name) {
    for (int i = 0; i < weights->count; ++i)
        if (!strcmp(weights->list[i].name, name)) return weights->list[i].tensor;
    return NULL;
}

/* ---- Scopes ---------------------------------------------------------------------------------- */

plx_scope plx_scope_new(plx_weights *weights, plx_graph *graph, bool training) {
    return (plx_scope){.weights = weights,
                       .graph = graph,
                       .training = training,
                       .mask = plx_none(),
                       .counted = plx_none()};
}

plx__scope_mark plx__scope_here(const plx_scope *scope) {
    return (plx__scope_mark){scope->graph->count, scope->weights->count};
}

plx_status plx__scope_settle(const plx_scope *scope, plx__scope_mark mark) {
    const plx_status status = plx__graph_settle(scope->graph, mark.nodes);
    if (status != PLX_OK) plx__weights_truncate(scope->weights, mark.weights);
    return status;
}

static void join(char *out, const char *path, const char *name) {
    plx__format(out, PLX_NAME, "%s%s%s", path, *path && *name ? "." : "", name);
}

bool plx__name_fits(const plx_scope *scope, const char *name) {
    if (!plx__given(scope->graph, "layers", "the name", name)) return false;
    if (strlen(scope->path) + 1 + strlen(name) < PLX_NAME) return true;
    plx__graph_fail(scope->graph, PLX_ERR_ARGUMENT,
                    "layers: \"%s.%s\" is longer than %d characters; nest fewer layers, or give "
                    "them shorter names",
                    scope->path, name, PLX_NAME - 1);
    return false;
}

plx_scope plx_scope_in(const plx_scope *scope, const char *name) {
    plx_scope inner = *scope;
    if (plx__name_fits(scope, name)) join(inner.path, scope->path, name);
    return inner;
}

uint32_t plx__name_stream(const char *path, const char *name) {
    char full[PLX_NAME];
    join(full, path, name);
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = full; *c; ++c) hash = (hash ^ (uint32_t)(unsigned char)*c) * 16777619u;
    return hash;
}

/* Doubles a list's memory when it is full. */
static bool grow(void **list, int count, int *capacity, size_t each) {
    if (count < *capacity) return true;
    const int wanted = *capacity ? 2 * *capacity : 16;
    void *larger = plx_platform_alloc((size_t)wanted * each);
    if (!larger) return false;
    if (count) memcpy(larger, *list, (size_t)count * each);
    plx_platform_free(*list);
    *list = larger;
    *capacity = wanted;
    return true;
}

static plx_status make(const plx_scope *scope, const char *name, int rank, const int64_t *dims,
                       plx_weight_role role, plx__weight **out) {
    plx_weights *w = scope->weights;
    void *list = w->list;
    if (!grow(&list, w->count, &w->capacity, sizeof *w->list))
        return plx__fail(&w->ctx->message, PLX_ERR_MEMORY, "weights: no memory");
    w->list = list;
    plx__weight *made = &w->list[w->count];
    *made = (plx__weight){.role = role, .frozen = scope->frozen};
    if (role == PLX_WEIGHT_DECAYED) {
        made->l1 = scope->l1;
        made->l2 = scope->l2;
    }
    join(made->name, scope->path, name);
    PLX_TRY(plx_tensor_new(w->ctx, PLX_DTYPE_REAL, rank, dims, &made->tensor));
    w->count += 1;
    *out = made;
    return PLX_OK;
}

static plx_node fail_with_shapes(const plx_scope *scope, const char *name, const plx_tensor *have,
                                 int rank, const int64_t *dims) {
    char left[96], right[96];
    plx__graph_fail(scope->graph, PLX_ERR_SHAPE,
                    "weight \"%s\" has shape %s and cannot be used with shape %s", name,
                    plx__shape_text(have->rank, have->dims, left, 96),
                    plx__shape_text(rank, dims, right, 96));
    return plx_none();
}

static bool check_weight(const plx_scope *scope, const char *name, int rank, const int64_t *dims,
                         plx_weight_role role) {
    plx_graph *graph = scope->graph;
    if (!plx__given(graph, "weight", "the name", name) ||
        (rank && !plx__given(graph, "weight", "dims", dims)))
        return false;
    if ((int)role >= 0 && role <= PLX_WEIGHT_STATE) return true;
    plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                    "weight \"%s\": there is no role number %d; it must be 0 to %d", name,
                    (int)role, PLX_WEIGHT_STATE);
    return false;
}

plx_node plx_weight(const plx_scope *scope, const char *name, int rank, const int64_t *dims,
                    plx_init init, double value, plx_weight_role role) {
    char full[PLX_NAME];
    if (plx_graph_status(scope->graph) != PLX_OK || !check_weight(scope, name, rank, dims, role) ||
        !plx__name_fits(scope, name))
        return plx_none();
    join(full, scope->path, name);
    plx_tensor *tensor = plx_weights_find(scope->weights, full);
    if (tensor) {
        const bool same = tensor->rank == rank &&
                          (!rank || !memcmp(tensor->dims, dims, (size_t)rank * sizeof *dims));
        return same ? plx_parameter(scope->graph, full, tensor)
                    : fail_with_shapes(scope, full, tensor, rank, dims);
    }
    plx__weight *made = NULL;
    plx_status status = plx__check_init(&scope->weights->ctx->message, "weight", init, value);
    if (status == PLX_OK) status = make(scope, name, rank, dims, role, &made);
    if (status != PLX_OK || !made) {
        plx__graph_fail(scope->graph, status, "weight \"%s\": %s", full,
                        plx_message(scope->weights->ctx));
        return plx_none();
    }
    plx_rng rng = plx_rng_new(scope->weights->seed, plx__name_stream(scope->path, name));
    plx__tensor_fill(scope->weights->ctx, made->tensor, init, value, &rng);
    return plx_parameter(scope->graph, full, made->tensor);
}

/* ---- Notes ----------------------------------------------------------------------------------- */

/* Number of trained values below a name. */
static int64_t trained_values(const plx_weights *weights, const char *path) {
    const size_t length = strlen(path);
    int64_t sum = 0;
    for (int i = 0; i < weights->count; ++i) {
        const plx__weight *weight = &weights->list[i];
        const bool below = !memcmp(weight->name, path, length) && weight->name[length] == '.';
        if (below && weight->role != PLX_WEIGHT_STATE) sum += weight->tensor->size;
    }
    return sum;
}

int32_t plx__layer_begin(const plx_scope *scope) {
    scope->weights->depth += 1;
    return scope->graph->count;
}

/* Counts by definition of the ops: the savings of a method depend on the batch. */
static double flops_since(const plx_graph *graph, int32_t first) {
    double flops = 0;
    for (int32_t i = first; i < graph->count; ++i) {
        const plx__node *node = graph->nodes[i];
        if (node->op->flags & (PLX__OP_LEAF | PLX__OP_VIEW)) continue;
        const plx__cost cost = node->op->cost(graph, node);
        flops += cost.direct > 0 ? cost.direct : cost.flops;
    }
    return flops;
}

plx_node plx__layer_end(const plx_scope *scope, const char *kind, const char *name, int32_t first,
                        plx_node y) {
    plx_weights *w = scope->weights;
    const plx_graph *graph = scope->graph;
    w->depth -= 1;
    if (!w->noting || w->depth || y.id < 0) return y;
    void *notes = w->notes;
    if (!grow(&notes, w->notes_count, &w->notes_capacity, sizeof *w->notes)) {
        plx__graph_fail(scope->graph, PLX_ERR_MEMORY, "layers: no memory");
        return plx_none();
    }
    w->notes = notes;
    plx__layer_note *note = &w->notes[w->notes_count++];
    const plx__node *node = plx__at(graph, y);
    *note = (plx__layer_note){.info = {.kind = kind, .rank = node->rank ? node->rank - 1 : 0}};
    memcpy(note->info.dims, node->dims + 1, (PLX_MAX_RANK - 1) * sizeof *node->dims);
    join(note->name, scope->path, name);
    note->info.parameters = trained_values(w, note->name);
    note->info.flops = flops_since(graph, first);
    return y;
}
