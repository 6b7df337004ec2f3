#include "bench/network.h"

#include "base/context.h"
#include "base/platform.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { STREAM_X = 920, STREAM_Y, STREAM_LABELS, MAX_WIDTH = 4096 };

static plx_status no_memory(const plx_network *n) {
    return plx__fail(&n->ctx->message, PLX_ERR_MEMORY,
                     "network: no memory for %lld rows of %lld inputs", (long long)n->batch,
                     (long long)n->in);
}

static plx_status make_data(plx_network *n, const plx_network_options *o) {
    const int64_t in = n->batch * n->in, out = n->batch * n->out;
    const bool classes = o->loss == PLX_LOSS_CROSS_ENTROPY;
    if (!o->x) {
        n->x = plx_platform_alloc((size_t)in * sizeof *n->x);
        if (!n->x) return no_memory(n);
        plx__fill_normal(o->seed, STREAM_X, in, n->x);
    }
    if (!o->training) return PLX_OK;
    if (!classes && !o->y) {
        n->y = plx_platform_alloc((size_t)out * sizeof *n->y);
        if (!n->y) return no_memory(n);
        plx__fill_normal(o->seed, STREAM_Y, out, n->y);
    }
    if (classes && !o->labels) {
        n->labels = plx_platform_alloc((size_t)n->batch * sizeof *n->labels);
        if (!n->labels) return no_memory(n);
        plx_rng rng = plx_rng_new(o->seed, STREAM_LABELS);
        for (int64_t i = 0; i < n->batch; ++i) n->labels[i] = (int32_t)plx_rng_below(&rng, n->out);
    }
    return PLX_OK;
}

static int list_parameters(plx_network *n, plx_tensor **tensors) {
    const int count = plx_model_parameter_count(n->model);
    for (int i = 0; i < count; ++i) tensors[i] = plx_model_parameter(n->model, i, NULL);
    return count;
}

/* Loss, gradients and the optimizer's sweep; gives the nodes to compile for. */
static plx_status add_training(plx_network *n, plx_graph *graph, const plx_network_options *o,
                               plx_node output, plx_node *y, plx_node *outputs) {
    enum { MAX_PARAMETERS = 128 };
    plx_tensor *tensors[MAX_PARAMETERS];
    plx_node wrt[MAX_PARAMETERS], gradients[MAX_PARAMETERS];
    const bool classes = o->loss == PLX_LOSS_CROSS_ENTROPY;
    const int64_t dims[] = {n->batch, n->out};
    *y = plx_input(graph, "y", classes ? PLX_DTYPE_I32 : PLX_DTYPE_REAL, classes ? 1 : 2, dims);
    n->result = classes ? plx_cross_entropy(graph, output, *y) : plx_mse(graph, output, *y);
    const int count = list_parameters(n, tensors);
    for (int i = 0; i < count; ++i) wrt[i] = plx_parameter(graph, NULL, tensors[i]);
    plx_status status = plx_gradients(graph, n->result, count, wrt, gradients);
    if (status != PLX_OK) return status;
    const plx_optimizer_options adam = plx_optimizer_default(PLX_ADAM);
    status = plx_optimizer_new(n->ctx, &adam, count, tensors, &n->optimizer);
    if (status != PLX_OK) return status;
    outputs[0] = n->result;
    outputs[1] = plx_update(graph, n->optimizer, gradients);
    return PLX_OK;
}

static plx_status build(plx_network *n, plx_graph *graph, const plx_network_options *o) {
    const int64_t dims[] = {n->batch, n->in};
    plx_node outputs[2], y = plx_none();
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims);
    n->result = plx_model_forward(n->model, graph, x, o->training);
    if (o->softmax) n->result = plx_softmax(graph, n->result, -1);
    outputs[0] = n->result;
    if (o->training) {
        const plx_status status = add_training(n, graph, o, n->result, &y, outputs);
        if (status != PLX_OK) return status;
    }
    plx_status status = plx_compile(graph, o->training ? 2 : 1, outputs, &o->plan, &n->plan);
    if (status != PLX_OK) return status;
    n->bound_x = o->x ? o->x : n->x;
    status = plx_plan_bind(n->plan, x, n->bound_x);
    if (status != PLX_OK || !o->training) return status;
    const void *target = o->y ? o->y : n->y;
    if (o->loss == PLX_LOSS_CROSS_ENTROPY) target = o->labels ? o->labels : n->labels;
    return plx_plan_bind(n->plan, y, target);
}

static int64_t first_size(plx_model *model) {
    return plx_tensor_dims(plx_model_parameter(model, 0, NULL))[0];
}

static int64_t last_size(plx_model *model) {
    return plx_model_layer(model, plx_model_layers(model) - 1).dims[0];
}

plx_status plx_network_open(plx_ctx *ctx, const plx_network_options *options, plx_network *out) {
    plx_graph *graph = NULL;
    *out = (plx_network){.ctx = ctx, .batch = options->batch};
    plx_status status = plx_model_from_name(ctx, options->model, options->seed, &out->model);
    if (status != PLX_OK) return status;
    out->in = first_size(out->model);
    out->out = last_size(out->model);
    status = make_data(out, options);
    if (status == PLX_OK) status = plx_graph_new(ctx, &graph);
    if (status == PLX_OK) status = build(out, graph, options);
    plx_graph_free(graph);
    return status;
}

void plx_network_free(plx_network *n) {
    plx_plan_free(n->plan);
    plx_optimizer_free(n->optimizer);
    plx_model_free(n->model);
    plx_platform_free(n->x);
    plx_platform_free(n->y);
    plx_platform_free(n->labels);
    *n = (plx_network){0};
}

plx_status plx_network_run(plx_network *network, int64_t times) {
    for (int64_t i = 0; i < times; ++i) {
        const plx_status status = plx_plan_run(network->plan);
        if (status != PLX_OK) return status;
    }
    return PLX_OK;
}

const plx_real *plx_network_result(const plx_network *network) {
    return plx_plan_output(network->plan, network->result);
}

/* Values of one layer in double precision, and bounds on their errors. */
typedef struct reference {
    double value[MAX_WIDTH], bound[MAX_WIDTH];
} reference;

/* One dense layer of the reference and of the bound on the error of what runs in plx_real. */
static void layer(const plx_tensor *weight, const plx_real *w, const plx_real *b, bool relu,
                  const reference *from, reference *to) {
    const int64_t in = plx_tensor_dims(weight)[0], out = plx_tensor_dims(weight)[1];
    const double eps = sizeof(plx_real) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    for (int64_t j = 0; j < out; ++j) {
        double sum = (double)b[j], size = fabs(sum), carried = 0;
        for (int64_t i = 0; i < in; ++i) {
            const double weight_ij = (double)w[i * out + j];
            sum += weight_ij * from->value[i];
            size += fabs(weight_ij) * (fabs(from->value[i]) + from->bound[i]);
            carried += fabs(weight_ij) * from->bound[i];
        }
        to->value[j] = relu && sum < 0 ? 0 : sum;
        to->bound[j] = carried + (double)(in + 1) * eps * size;
    }
}

static double largest_share(const plx_network *n, const reference *r) {
    const plx_real *result = plx_network_result(n);
    double worst = 0;
    for (int64_t j = 0; j < n->out; ++j) {
        const double share = fabs((double)result[j] - r->value[j]) / r->bound[j];
        if (!(share <= worst)) worst = share;
    }
    return worst;
}

double plx_network_error(plx_network *n) {
    reference *r = plx_platform_alloc(2 * sizeof *r);
    if (!r) return NAN;
    for (int64_t i = 0; i < n->in; ++i) {
        r[0].value[i] = (double)n->bound_x[i];
        r[0].bound[i] = 0;
    }
    const int count = plx_model_parameter_count(n->model);
    for (int i = 0; i < count; i += 2) {
        plx_tensor *w = plx_model_parameter(n->model, i, NULL);
        plx_tensor *b = plx_model_parameter(n->model, i + 1, NULL);
        const int at = i / 2 % 2;
        layer(w, plx_tensor_data(w), plx_tensor_data(b), i + 2 < count, &r[at], &r[1 - at]);
    }
    const double worst = largest_share(n, &r[count / 2 % 2]);
    plx_platform_free(r);
    return worst;
}
