/* Shared inside graph/ and above. */
#ifndef PLX_GRAPH_GRAPH_H
#define PLX_GRAPH_GRAPH_H

#include "ops/op.h"
#include "ops/optimizer.h"

/* The elementwise op of an activation; NULL for linear. */
const plx_op *plx__activation_op(plx_activation activation);
/* The activation of an elementwise op; PLX_ACTIVATIONS_ if op is not one. */
plx_activation plx__activation_of(const plx_op *op);
/* Whether the gradient is computed from the sign of the output, which p above 0 preserves. */
bool plx__activation_needs_p(plx_activation activation);

/* The rank of a node, and its dims (NULL: not wanted); -1 after a failure, which names it. */
int plx__rank_named(plx_graph *graph, const char *op, const char *what, plx_node x,
                    const int64_t **dims);
/* False after a failure: x, which op calls by that name, is not a node of reals of this graph.
 * Builders of several nodes check their operands first, whose names in those nodes differ. */
bool plx__are_reals(plx_graph *graph, const char *op, const char *what, plx_node x);
/* The same of several, called "gradient 0" and so on. */
bool plx__all_reals(plx_graph *graph, const char *op, const char *what, int count,
                    const plx_node *x);
/* JavaScript passes nodes of the graph alone, and what the nodes of a builder check as well is left
 * out of engines, for their size. */
#ifdef PLX_ENGINE
enum { PLX__NAMES_OPERANDS = false };
#else
enum { PLX__NAMES_OPERANDS = true };
#endif
/* The rank of the operand x, as above. */
int plx__rank_of(plx_graph *graph, const char *op, plx_node x, const int64_t **dims);
/* False after a failure: there is a bias, but not in this graph. */
bool plx__bias_given(plx_graph *graph, const char *op, plx_node bias);
/* False after a failure: a pointer that op needs is NULL. */
bool plx__given(plx_graph *graph, const char *op, const char *what, const void *pointer);
/* False after a failure: value is not above 0 (if zero: is below 0), or not finite. */
bool plx__amount(plx_graph *graph, const char *op, const char *what, double value, bool zero);
/* Whether there is an input of that name. */
bool plx__has_input(const plx_graph *graph, const char *name);
/* Returns the axis counted from the first and sets *size to its size; PLX_ALL_AXES stays as it is,
 * with the number of elements as the size; -1 after a failure. */
int plx__checked_axis(plx_graph *graph, const char *op, plx_node x, int axis, int64_t *size);
/* The same of one axis: PLX_ALL_AXES is a failure, too. */
int plx__one_axis(plx_graph *graph, const char *op, plx_node x, int axis, int64_t *size);

/* Zero tensors of reals with the shapes of others, one after another in one piece of memory, which
 * lives as long as any of them. After a failure, those that were made are in out. */
plx_status plx__tensors_like(plx_ctx *ctx, int count, plx_tensor *const *like, plx_tensor **out);

/* What trainers need of optimizers. From this call on, each step first copies the parameters to
 * optimizer->kept; plx__accumulate can then write the sums of so many gradients. */
plx_status plx__optimizer_keep(plx_optimizer *optimizer);
plx_status plx__optimizer_sum(plx_optimizer *optimizer, int64_t gradients);
/* Like plx_update, but does nothing while one of two scalars (an invalid handle: none), or
 * optimizer->state, is not finite. */
plx_node plx__update_if_finite(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads,
                               plx_node guard, plx_node other);
/* Adds optimizer->share times the gradients to optimizer->sums, or overwrites them. */
plx_node plx__accumulate(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads);
/* Like plx_clip_by_norm; *norm: the joint norm before clipping. */
plx_status plx__clip_by_norm(plx_graph *graph, int count, const plx_node *grads, double largest,
                             plx_node *clipped, plx_node *norm);

static inline plx_tensor *plx__tensor_hold(plx_tensor *tensor) {
    tensor->holders += 1;
    return tensor;
}

/* A graph with the same nodes and handles, for passes to change. NULL if there is not enough
 * memory. */
plx_graph *plx__graph_copy(const plx_graph *graph);

/* For calls that return a status: after a failure, returns the graph to its count nodes and moves
 * the message to the context. The arena memory of dropped nodes is freed with the graph. */
plx_status plx__graph_settle(plx_graph *graph, int32_t count);

/* Checks an initialisation and its value. */
plx_status plx__check_init(plx__message *message, const char *what, plx_init init, double value);
/* Like plx_tensor_init, with the same values, but on all threads. ctx NULL: on the caller's. */
void plx__tensor_fill(plx_ctx *ctx, plx_tensor *tensor, plx_init init, double value, plx_rng *rng);

#endif
