/* Optimizer state, and the node that uses it. */
#include "graph/graph.h"

#include "base/platform.h"

#include <string.h>

/* Names, and defaults. */
static const struct {
    const char *name;
    double rate, beta1, beta2, epsilon, weight_decay;
} kinds[PLX_OPTIMIZERS_] = {
#define PLX_OPTIMIZER(NAME, name, rate, beta1, beta2, epsilon, weight_decay, options)              \
    {name, rate, beta1, beta2, epsilon, weight_decay},
#include "parallax.def"
};

const char *plx_optimizer_name(plx_optimizer_kind kind) {
    return (unsigned)kind < PLX_OPTIMIZERS_ ? kinds[kind].name : NULL;
}

plx_optimizer_kind plx_optimizer_from_name(const char *name) {
    int kind = 0;
    while (kind < PLX_OPTIMIZERS_ && strcmp(kinds[kind].name, name) != 0) kind += 1;
    return (plx_optimizer_kind)kind;
}

plx_optimizer_options plx_optimizer_default(plx_optimizer_kind kind) {
    const unsigned known = (unsigned)kind < PLX_OPTIMIZERS_ ? kind : PLX_ADAM;
    return (plx_optimizer_options){
        .kind = kind,
        .rate = kinds[known].rate,
        .beta1 = kinds[known].beta1,
        .beta2 = kinds[known].beta2,
        .epsilon = kinds[known].epsilon,
        .weight_decay = kinds[known].weight_decay,
    };
}

static bool is_adam(const plx_optimizer_options *o) {
    return o->kind == PLX_ADAM || o->kind == PLX_ADAMW;
}

static bool has_first(const plx_optimizer_options *o) {
    return is_adam(o) || o->kind == PLX_LION || o->momentum > 0;
}

static bool has_second(const plx_optimizer_options *o) {
    return is_adam(o) || o->kind == PLX_RMSPROP;
}

static plx_status check_positive(plx__message *message, const char *name, const char *what,
                                 double value) {
    if (value >= 0 && value < 1e30) return PLX_OK;
    return plx__fail(message, PLX_ERR_ARGUMENT, "%s: %s %g must be from 0 to below 1e30", name,
                     what, value);
}

static plx_status check_options(plx__message *message, const plx_optimizer_options *o) {
    const char *name = plx_optimizer_name(o->kind);
    if (!name)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "optimizer: there is no kind number %d; it must be 0 to %d", (int)o->kind,
                         PLX_OPTIMIZERS_ - 1);
    PLX_TRY(check_positive(message, name, "learning rate", o->rate));
    const double fractions[] = {o->momentum, o->beta1, o->beta2};
    const char *const labels[] = {"momentum", "beta1", "beta2"};
    for (int i = 0; i < 3; ++i)
        if (!(fractions[i] >= 0 && fractions[i] < 1))
            return plx__fail(message, PLX_ERR_ARGUMENT, "%s: %s %g must be 0 to below 1", name,
                             labels[i], fractions[i]);
    PLX_TRY(check_positive(message, name, "weight decay", o->weight_decay));
    if (has_second(o) && !(o->epsilon > 0 && o->epsilon < 1e30))
        return plx__fail(message, PLX_ERR_ARGUMENT, "%s: epsilon %g must be above 0 and below 1e30",
                         name, o->epsilon);
    return PLX_OK;
}

static void free_list(plx_tensor **list, int count) {
    if (!list) return;
    for (int i = 0; i < count; ++i) plx_tensor_free(list[i]);
    plx_platform_free(list);
}

/* A zero tensor like each parameter. */
static plx_status moments_like(plx_ctx *ctx, int count, plx_tensor *const *parameters,
                               plx_tensor ***out) {
    const size_t bytes = (size_t)count * sizeof(plx_tensor *);
    plx_tensor **list = plx_platform_alloc(bytes);
    if (!list) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "optimizer: no memory");
    memset(list, 0, bytes);
    *out = list;
    return plx__tensors_like(ctx, count, parameters, list);
}

static plx_status make_state(plx_optimizer *o, plx_tensor *const *parameters) {
    const size_t count = (size_t)o->count;
    o->parameters = plx_platform_alloc(count * sizeof *o->parameters);
    o->groups = plx_platform_alloc(count * sizeof *o->groups);
    if (!o->parameters || !o->groups)
        return plx__fail(&o->ctx->message, PLX_ERR_MEMORY, "optimizer: no memory");
    for (size_t i = 0; i < count; ++i) {
        o->parameters[i] = plx__tensor_hold(parameters[i]);
        o->groups[i] = (plx__group){1, o->options.weight_decay};
    }
    if (has_first(&o->options)) PLX_TRY(moments_like(o->ctx, o->count, parameters, &o->first));
    if (has_second(&o->options)) PLX_TRY(moments_like(o->ctx, o->count, parameters, &o->second));
    return PLX_OK;
}

/* Each tensor may occur once: an update would move a repeated one by two gradients and keep two
 * states. */
static plx_status check_parameters(plx__message *message, const char *name, int count,
                                   plx_tensor *const *parameters) {
    if (count < 1)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: there are no parameters to train; at least 1 is needed", name);
    for (int i = 0; i < count; ++i) {
        bool ok = parameters && parameters[i] && parameters[i]->dtype == PLX_DTYPE_REAL;
        for (int k = 0; k < i; ++k) ok = ok && parameters[k] != parameters[i];
        if (!ok)
            return plx__fail(message, PLX_ERR_ARGUMENT,
                             "%s: parameter %d must be a tensor of reals, named once", name, i);
    }
    return PLX_OK;
}

plx_status plx_optimizer_new(plx_ctx *ctx, const plx_optimizer_options *options, int count,
                             plx_tensor *const *parameters, plx_optimizer **out) {
    PLX_TRY(plx__need(&ctx->message, "optimizer", "options", options));
    PLX_TRY(plx__need(&ctx->message, "optimizer", "out", out));
    PLX_TRY(check_options(&ctx->message, options));
    PLX_TRY(check_parameters(&ctx->message, plx_optimizer_name(options->kind), count, parameters));
    plx_optimizer *optimizer = plx_platform_alloc(sizeof *optimizer);
    if (!optimizer) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "optimizer: no memory");
    *optimizer = (plx_optimizer){.ctx = plx__ctx_hold(ctx),
                                 .holders = 1,
                                 .options = *options,
                                 .count = count,
                                 .beta1 = (plx_real)options->beta1,
                                 .beta2 = (plx_real)options->beta2,
                                 .beta1_power = 1,
                                 .beta2_power = 1};
    const plx_status status = make_state(optimizer, parameters);
    if (status != PLX_OK) {
        plx_optimizer_free(optimizer);
        return status;
    }
    *out = optimizer;
    return PLX_OK;
}

void plx_optimizer_free(plx_optimizer *optimizer) {
    if (!optimizer || --optimizer->holders > 0) return;
    free_list(optimizer->first, optimizer->count);
    free_list(optimizer->second, optimizer->count);
    free_list(optimizer->kept, optimizer->count);
    free_list(optimizer->sums, optimizer->count);
    free_list(optimizer->errors, optimizer->count);
    free_list(optimizer->parameters, optimizer->groups ? optimizer->count : 0);
    plx_platform_free(optimizer->groups);
    plx_ctx_free(optimizer->ctx);
    plx_platform_free(optimizer);
}

plx_status plx__optimizer_keep(plx_optimizer *o) {
    return moments_like(o->ctx, o->count, o->parameters, &o->kept);
}

plx_status plx__optimizer_sum(plx_optimizer *o, int64_t gradients) {
    enum { FEW = 32 }; /* summed one after the other, they err by less than 16 EPS */
    if (!o->sums) PLX_TRY(moments_like(o->ctx, o->count, o->parameters, &o->sums));
    if (gradients <= FEW || o->errors) return PLX_OK;
    return moments_like(o->ctx, o->count, o->parameters, &o->errors);
}

plx_status plx_optimizer_set_rate(plx_optimizer *optimizer, double rate) {
    plx__message *message = &optimizer->ctx->message;
    const char *name = plx_optimizer_name(optimizer->options.kind);
    PLX_TRY(check_positive(message, name, "learning rate", rate));
    optimizer->options.rate = rate;
    return PLX_OK;
}

plx_status plx_optimizer_set_group(plx_optimizer *optimizer, int parameter, double rate_factor,
                                   double weight_decay) {
    plx__message *message = &optimizer->ctx->message;
    const char *name = plx_optimizer_name(optimizer->options.kind);
    if (parameter < 0 || parameter >= optimizer->count)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: there is no parameter number %d; there are %d, counted from 0", name,
                         parameter, optimizer->count);
    PLX_TRY(check_positive(message, name, "rate factor", rate_factor));
    PLX_TRY(check_positive(message, name, "weight decay", weight_decay));
    optimizer->groups[parameter] = (plx__group){rate_factor, weight_decay};
    return PLX_OK;
}

plx_status plx_optimizer_set_decay(plx_optimizer *optimizer, int parameter, double weight_decay) {
    const bool known = parameter >= 0 && parameter < optimizer->count;
    const double factor = known ? optimizer->groups[parameter].rate_factor : 1;
    return plx_optimizer_set_group(optimizer, parameter, factor, weight_decay);
}

enum { GUARDS = 2 };

/* A node of op on all parameters and their gradients; guards: NULL if there are none. */
static plx_node emit_on_all(plx_graph *graph, const plx_op *op, plx_optimizer *optimizer,
                            const plx_node *grads, const plx_node *guards) {
    const int count = optimizer->count;
    if (!plx__given(graph, op->name, "grads", grads) ||
        (PLX__NAMES_OPERANDS && !plx__all_reals(graph, op->name, "gradient", count, grads)))
        return plx_none();
    plx_node *inputs = plx_platform_alloc((2 * (size_t)count + GUARDS) * sizeof *inputs);
    if (!inputs) {
        plx__graph_fail(graph, PLX_ERR_MEMORY, "%s: no memory", op->name);
        return plx_none();
    }
    for (int i = 0; i < count; ++i) {
        inputs[i] = plx_parameter(graph, NULL, optimizer->parameters[i]);
        inputs[count + i] = grads[i];
    }
    int all = 2 * count;
    for (int i = 0; guards && i < GUARDS; ++i)
        if (guards[i].id >= 0) inputs[all++] = guards[i];
    const plx__attrs attrs = {.object = optimizer};
    const plx_node node = plx__build(graph, op, all, inputs, &attrs);
    plx_platform_free(inputs);
    return node;
}

plx_node plx_update(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads) {
    return plx__update_if_finite(graph, optimizer, grads, plx_none(), plx_none());
}

plx_node plx__update_if_finite(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads,
                               plx_node guard, plx_node other) {
    const plx_node guards[GUARDS] = {guard, other};
    if (!plx__given(graph, "update", "the optimizer", optimizer)) return plx_none();
    return emit_on_all(graph, plx__optimizer_op(optimizer), optimizer, grads, guards);
}

plx_node plx__accumulate(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads) {
    return emit_on_all(graph, &plx__op_accumulate, optimizer, grads, NULL);
}
