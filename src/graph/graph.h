/* Shared inside graph/ and above. */
#ifndef PLX_GRAPH_GRAPH_H
#define PLX_GRAPH_GRAPH_H

#include "ops/op.h"
#include "ops/optimizer.h"

/* The elementwise op of an activation; NULL for linear. */
const plx_op *plx__activation_op(plx_activation activation);
/* The other way; PLX_ACTIVATIONS_ when op is none. */
plx_activation plx__activation_of(const plx_op *op);
/* Whether its gradient is worked out from the sign of an output that p above 0 keeps. */
bool plx__activation_needs_p(plx_activation activation);

/* The rank of a node, and its dims where they are wanted; -1 after a failure. */
int plx__rank_of(plx_graph *graph, const char *op, plx_node x, const int64_t **dims);
/* False after a failure: what op needs is NULL. */
bool plx__given(plx_graph *graph, const char *op, const char *what, const void *pointer);
/* False after a failure: a value that is not above 0 (or 0 where zero), or not finite. */
bool plx__amount(plx_graph *graph, const char *op, const char *what, double value, bool zero);
/* Whether there is an input of that name. */
bool plx__has_input(const plx_graph *graph, const char *name);
/* The axis counted from the first and its size, PLX_ALL_AXES as it is and the number of elements,
 * or -1 after a failure. */
int plx__checked_axis(plx_graph *graph, const char *op, plx_node x, int axis, int64_t *size);

/* What trainers need of optimizers. From then on each step first copies the parameters to
 * optimizer->kept; accumulate has sums to write, of so many gradients. */
plx_status plx__optimizer_keep(plx_optimizer *optimizer);
plx_status plx__optimizer_sum(plx_optimizer *optimizer, int64_t gradients);
/* plx_update that does nothing while one of two scalars (without id: none), or optimizer->state, is
 * not finite. */
plx_node plx__update_if_finite(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads,
                               plx_node guard, plx_node other);
/* Adds optimizer->share times the gradients to optimizer->sums, or writes them there. */
plx_node plx__accumulate(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads);
/* plx_clip_by_norm; *norm: of all gradients before. */
plx_status plx__clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                             plx_node *clipped, plx_node *norm);

static inline plx_tensor *plx__tensor_hold(plx_tensor *tensor) {
    tensor->holders += 1;
    return tensor;
}

/* A graph with the same nodes and handles, for passes to change. NULL when memory is short. */
plx_graph *plx__graph_copy(const plx_graph *graph);

/* For calls that return a status: after a failure the graph is as it was when it had count nodes,
 * and the sentence is the context's. What the others took of the arena is free with the graph. */
plx_status plx__graph_settle(plx_graph *graph, int32_t count);

/* Whether there is such an initialisation with such a value. */
plx_status plx__check_init(plx__message *message, const char *what, plx_init init, double value);
/* plx_tensor_init on all threads; the same values. ctx NULL: in the caller. */
void plx__tensor_fill(plx_ctx *ctx, plx_tensor *tensor, plx_init init, double value, plx_rng *rng);

#endif
