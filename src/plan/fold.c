/* Folding: a batch normalisation, or a multiplication by a number or by one for each channel, that
 * follows a product with a weight that stays becomes part of the weight and the bias. What it
 * inserts depends on parameters alone, so that keep.c computes it once. With r = 1 / sqrt(variance
 * + epsilon):
 *
 *   ((x w + b) - mean) scale r + shift = x (w scale r) + ((b - mean) scale r + shift)
 *
 * w scale r and (b - mean) scale r + shift are the norm itself, of the weight with means of zero
 * and of the bias as a row. Both sides differ by rounding (where w scale r is below 2^-126, by the
 * digits that such a small number lacks), unless a value on the right is not finite: then the plan
 * runs as if it were compiled without the pass (run.c). */
#include "plan/plan_internal.h"

#include "base/platform.h"

typedef struct folding {
    plx_plan *plan;
    plx_graph *graph;
    int32_t *uses; /* by node, of the first count */
    int32_t count;
    int32_t at; /* the norm or scale; nodes are inserted before it */
} folding;

/* A product by a weight that stays, and its bias (-1: none). */
typedef struct product {
    int32_t id, biased, bias; /* biased: the node that adds the bias */
} product;

static bool is_used_once(const folding *f, int32_t id) {
    return id < f->count && f->uses[id] == 1;
}

/* Finds the product whose result, perhaps after a bias, is node id. Channels must be the last axis
 * of the weight. */
static bool find_product(const folding *f, int32_t id, product *found) {
    const plx__node *node = f->graph->nodes[id];
    *found = (product){id, -1, -1};
    if (node->op == &plx__op_bias) {
        if (!is_used_once(f, id) || !plx__stays(f->plan, node->inputs[1])) return false;
        *found = (product){node->inputs[0], id, node->inputs[1]};
        node = plx__input_of(f->graph, node, 0);
    }
    return is_used_once(f, found->id) &&
           (node->op == &plx__op_conv2d ||
            (node->op == &plx__op_matmul && !node->attrs.matmul.transpose_b)) &&
           plx__stays(f->plan, node->inputs[1]);
}

/* ---- Inserted nodes -------------------------------------------------------------------------- */

/* Does nothing after a failure, which the graph keeps. */
static int32_t insert(const folding *f, const plx_op *op, int count, const int32_t *inputs,
                      const plx__attrs *attrs) {
    return plx__insert_before(f->plan, f->at, op, count, inputs, attrs);
}

static int32_t view(const folding *f, int32_t id, int rank, const int64_t *dims) {
    const plx__attrs attrs = {.rank = rank, .dims = {dims[0], rank > 1 ? dims[1] : 0}};
    return insert(f, &plx__op_view, 1, &id, &attrs);
}

/* A value without which the plan runs unfolded, unless it is finite. */
static int32_t guard(const folding *f, int32_t id) {
    if (id >= 0) f->plan->links[id].guarded = true;
    return id;
}

/* x with the mean given and with variance, scale and perhaps shift of the norm. */
static int32_t norm_of(const folding *f, int32_t x, int32_t mean, bool shift) {
    const plx__node *norm = f->graph->nodes[f->at];
    const bool scaled = norm->attrs.norm.has_scale;
    const int32_t inputs[] = {x, mean, norm->inputs[2], scaled ? norm->inputs[3] : -1,
                              norm->inputs[norm->inputs_count - 1]};
    const int32_t unscaled[] = {x, mean, inputs[2], inputs[4]};
    plx__attrs attrs = norm->attrs;
    attrs.norm.has_shift = shift;
    return guard(f, insert(f, norm->op, 3 + scaled + shift, scaled ? inputs : unscaled, &attrs));
}

static int32_t times(const folding *f, int32_t x, int32_t factor) {
    const int32_t inputs[] = {x, factor};
    return guard(f, insert(f, &plx__op_mul, 2, inputs, NULL));
}

/* ---- Rewriting ------------------------------------------------------------------------------- */

/* Puts the product with another weight and bias (-1: none) in the place of all nodes of the old
 * one. The label tells what was folded into it. */
static void replace(const folding *f, product old, int32_t weight, int32_t bias,
                    const char *label) {
    const plx__node *from = f->graph->nodes[old.id];
    const int32_t inputs[] = {from->inputs[0], weight};
    int32_t result = insert(f, from->op, 2, inputs, &from->attrs);
    if (result < 0) return;
    f->graph->nodes[result]->name = from->name;
    f->graph->nodes[result]->fused = label;
    const int32_t sum[] = {result, bias};
    if (bias >= 0) result = insert(f, &plx__op_bias, 2, sum, NULL);
    if (result < 0) return;
    plx__replace_uses(f->plan, f->at, result);
    plx__remove(f->plan, f->at);
    if (old.biased >= 0) plx__remove(f->plan, old.biased);
    plx__remove(f->plan, old.id);
}

static void fold_norm(const folding *f, product p) {
    const plx__node *norm = f->graph->nodes[f->at];
    const plx__node *old = f->graph->nodes[p.id];
    const int64_t channels = norm->dims[norm->rank - 1], row[] = {1, channels};
    /* Zeros, unless a mean is not finite. */
    const int32_t means[] = {norm->inputs[1], norm->inputs[1]};
    const int32_t zeros = insert(f, &plx__op_sub, 2, means, NULL);
    const int32_t bias = view(f, p.bias < 0 ? zeros : p.bias, 2, row);
    const int32_t moved = norm_of(f, bias, norm->inputs[1], norm->attrs.norm.has_shift);
    const int32_t weight = norm_of(f, old->inputs[1], zeros, false);
    replace(f, p, weight, view(f, moved, 1, &channels),
            old->op == &plx__op_matmul ? "matmul+batch_norm" : "conv2d+batch_norm");
}

static void fold_factor(const folding *f, product p, int32_t factor) {
    const plx__node *old = f->graph->nodes[p.id];
    const int32_t bias = p.bias < 0 ? -1 : times(f, p.bias, factor);
    replace(f, p, times(f, old->inputs[1], factor), bias,
            old->op == &plx__op_matmul ? "matmul+mul" : "conv2d+mul");
}

/* Whether a stays and is a number, or one for each channel of node id. */
static bool is_factor(const folding *f, int32_t a, int32_t id) {
    const plx__node *factor = f->graph->nodes[a], *of = f->graph->nodes[id];
    return plx__stays(f->plan, a) && (!factor->rank || (factor->rank == 1 && of->rank &&
                                                        factor->dims[0] == of->dims[of->rank - 1]));
}

/* What to run while a folded value is not finite: the graph as it was. */
static bool keep_unfolded(plx_plan *plan) {
    if (!plan->unfolded_graph) plan->unfolded_graph = plx__graph_copy(plan->graph);
    return plan->unfolded_graph;
}

static bool fold(const folding *f) {
    const plx__node *node = f->graph->nodes[f->at];
    product p;
    if (node->op == &plx__op_batch_norm_inference) {
        for (int k = 1; k < node->inputs_count; ++k)
            if (!plx__stays(f->plan, node->inputs[k])) return true;
        if (!find_product(f, node->inputs[0], &p)) return true;
        if (!keep_unfolded(f->plan)) return false;
        fold_norm(f, p);
    }
    if (node->op != &plx__op_mul) return true;
    for (int k = 0; k < 2; ++k) {
        const int32_t factor = node->inputs[1 - k];
        if (!is_factor(f, factor, node->inputs[k]) || !find_product(f, node->inputs[k], &p))
            continue;
        if (!keep_unfolded(f->plan)) return false;
        fold_factor(f, p, factor);
        break;
    }
    return true;
}

plx_status plx__pass_fold(plx_plan *plan, bool on) {
    PLX_TRY(plx__find_written(plan));
    if (!on || !plan->options.constant_parameters) return PLX_OK;
    folding f = {.plan = plan, .graph = plan->graph, .count = plan->graph->count};
    f.uses = plx__zeroed((size_t)f.count, sizeof *f.uses);
    if (!f.uses) return plx__no_memory(plan);
    plx__count_uses(plan, f.uses);
    bool ok = true;
    for (int32_t i = plan->first, after; i >= 0 && ok; i = after) {
        after = plan->links[i].after;
        f.at = i;
        ok = fold(&f);
    }
    plx_platform_free(f.uses);
    return ok ? PLX_OK : plx__no_memory(plan);
}
