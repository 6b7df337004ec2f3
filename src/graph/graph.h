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

/* The axis counted from the first and its size, PLX_ALL_AXES as it is and the number of elements,
 * or -1 after a failure. */
int plx__checked_axis(plx_graph *graph, const char *op, plx_node x, int axis, int64_t *size);

/* What trainers need of optimizers. From then on each step first copies the parameters to
 * optimizer->kept; accumulate has sums to write. */
plx_status plx__optimizer_keep(plx_optimizer *optimizer);
plx_status plx__optimizer_sum(plx_optimizer *optimizer);
/* plx_update that does nothing while one of two scalars (without id: none), or optimizer->state, is
 * not finite. */
plx_node plx__update_if_finite(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads,
                               plx_node guard, plx_node other);
/* Adds optimizer->share times the gradients to optimizer->sums, or writes them there. */
plx_node plx__accumulate(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads);
/* plx_clip_by_norm; *norm: of all gradients before. */
plx_status plx__clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                             plx_node *clipped, plx_node *norm);

/* A graph with the same nodes and ids, for passes to change. NULL when memory is short. */
plx_graph *plx__graph_copy(const plx_graph *graph);

/* plx_tensor_init on all threads; the same values. ctx NULL: in the caller. */
void plx__tensor_fill(plx_ctx *ctx, plx_tensor *tensor, plx_init init, double value, plx_rng *rng);

#endif
