/* Optimizer state, and the node that uses it. */
#include "graph/graph.h"

#include "base/platform.h"

#include <string.h>

static const char *const names[] = {[PLX_SGD] = "sgd", [PLX_ADAM] = "adam", [PLX_ADAMW] = "adamw"};

const char *plx_optimizer_name(plx_optimizer_kind kind) {
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}

plx_optimizer_options plx_optimizer_default(plx_optimizer_kind kind) {
    if (kind == PLX_SGD) return (plx_optimizer_options){.kind = kind, .rate = 0.01};
    return (plx_optimizer_options){
        .kind = kind,
        .rate = 1e-3,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .weight_decay = kind == PLX_ADAMW ? 0.01 : 0,
    };
}

static plx_status check_options(plx__message *message, const plx_optimizer_options *o) {
    const char *name = plx_optimizer_name(o->kind);
    if (!name)
        return plx__fail(message, PLX_ERR_ARGUMENT, "optimizer: no kind number %d", (int)o->kind);
    if (!(o->rate >= 0 && o->rate < 1e30))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "%s: learning rate %g is not a finite, "
                         "non-negative number",
                         name, o->rate);
    const double fractions[] = {o->momentum, o->beta1, o->beta2};
    const char *const labels[] = {"momentum", "beta1", "beta2"};
    for (int i = 0; i < 3; ++i)
        if (!(fractions[i] >= 0 && fractions[i] < 1))
            return plx__fail(message, PLX_ERR_ARGUMENT, "%s: %s %g is outside [0, 1)", name,
                             labels[i], fractions[i]);
    if (!(o->weight_decay >= 0 && o->weight_decay < 1e30))
        return plx__fail(message, PLX_ERR_ARGUMENT, "%s: weight decay %g is negative", name,
                         o->weight_decay);
    if (o->kind != PLX_SGD && !(o->epsilon > 0))
        return plx__fail(message, PLX_ERR_ARGUMENT, "%s: epsilon %g must be above 0", name,
                         o->epsilon);
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
    for (int i = 0; i < count; ++i)
        PLX_TRY(plx_tensor_new(ctx, PLX_DTYPE_REAL, parameters[i]->rank, parameters[i]->dims,
                               &list[i]));
    return PLX_OK;
}

plx_status plx_optimizer_new(plx_ctx *ctx, const plx_optimizer_options *options, int count,
                             plx_tensor *const *parameters, plx_optimizer **out) {
    PLX_TRY(check_options(&ctx->message, options));
    if (count < 1)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT, "%s: no parameters to train",
                         plx_optimizer_name(options->kind));
    plx_optimizer *optimizer = plx_platform_alloc(sizeof *optimizer);
    if (!optimizer) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "optimizer: no memory");
    *optimizer = (plx_optimizer){
        .ctx = ctx, .options = *options, .count = count, .beta1_power = 1, .beta2_power = 1};
    const bool adam = options->kind != PLX_SGD;
    plx_status status = PLX_OK;
    optimizer->parameters = plx_platform_alloc((size_t)count * sizeof(plx_tensor *));
    if (!optimizer->parameters)
        status = plx__fail(&ctx->message, PLX_ERR_MEMORY, "optimizer: no memory");
    else
        memcpy(optimizer->parameters, parameters, (size_t)count * sizeof(plx_tensor *));
    if (status == PLX_OK && (adam || options->momentum > 0))
        status = moments_like(ctx, count, parameters, &optimizer->first);
    if (status == PLX_OK && adam) status = moments_like(ctx, count, parameters, &optimizer->second);
    if (status != PLX_OK) {
        plx_optimizer_free(optimizer);
        return status;
    }
    *out = optimizer;
    return PLX_OK;
}

void plx_optimizer_free(plx_optimizer *optimizer) {
    if (!optimizer) return;
    free_list(optimizer->first, optimizer->count);
    free_list(optimizer->second, optimizer->count);
    plx_platform_free(optimizer->parameters);
    plx_platform_free(optimizer);
}

void plx_optimizer_set_rate(plx_optimizer *optimizer, double rate) {
    optimizer->options.rate = rate;
}

plx_node plx_update(plx_graph *graph, plx_optimizer *optimizer, const plx_node *grads) {
    const int count = optimizer->count;
    int32_t *inputs = plx_platform_alloc(2 * (size_t)count * sizeof *inputs);
    if (!inputs) {
        plx__graph_fail(graph, PLX_ERR_MEMORY, "update: no memory");
        return plx_none();
    }
    for (int i = 0; i < count; ++i) {
        inputs[i] = plx_parameter(graph, NULL, optimizer->parameters[i]).id;
        inputs[count + i] = grads[i].id;
    }
    const plx__attrs attrs = {.object = optimizer};
    const int32_t id = plx__emit(graph, plx__optimizer_op(optimizer), 2 * count, inputs, &attrs);
    plx_platform_free(inputs);
    return (plx_node){id};
}
