#include "bench/network.h"

#include "base/context.h"
#include "base/platform.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { STREAM_X = 920, STREAM_Y = 930, MAX_WIDTH = 4096 };

static plx_status no_memory(const plx_network *n) {
    return plx__fail(&n->ctx->message, PLX_ERR_MEMORY, "network: no memory for %lld rows",
                     (long long)n->batch);
}

static int64_t values_of(const plx_port *port, int axes) {
    int64_t size = 1;
    for (int i = 0; i < axes; ++i) size *= port->dims[i];
    return size;
}

/* Fills in normal values, or integers below classes. */
static void *random_values(uint64_t seed, uint32_t stream, int64_t size, int64_t classes) {
    if (!classes) {
        plx_real *values = plx_platform_alloc((size_t)size * sizeof *values);
        if (values) plx__fill_normal(seed, stream, size, values);
        return values;
    }
    int32_t *values = plx_platform_alloc((size_t)size * sizeof *values);
    plx_rng rng = plx_rng_new(seed, stream);
    for (int64_t i = 0; values && i < size; ++i) values[i] = (int32_t)plx_rng_below(&rng, classes);
    return values;
}

static plx_status make_inputs(plx_network *n, const plx_network_options *o) {
    for (int i = 0; i < plx_model_inputs(n->model); ++i) {
        const plx_port port = plx_model_input(n->model, i);
        n->bound[i] = o->like ? o->like->bound[i] : o->inputs[i];
        if (n->bound[i]) continue;
        const int64_t size = n->batch * values_of(&port, port.rank);
        const int64_t classes = port.dtype == PLX_DTYPE_I32 ? port.classes : 0;
        n->bound[i] = n->inputs[i] = random_values(o->seed, STREAM_X + (uint32_t)i, size, classes);
        if (!n->inputs[i]) return no_memory(n);
    }
    return PLX_OK;
}

/* The target of output i: given or random. */
static const void *target_of(plx_network *n, const plx_network_options *o, int i) {
    const plx_port port = plx_model_output(n->model, i);
    const bool labels = o->loss == PLX_LOSS_CROSS_ENTROPY;
    if (o->targets[i]) return o->targets[i];
    const int64_t size = n->batch * values_of(&port, labels ? port.rank - 1 : port.rank);
    n->targets[i] =
        random_values(o->seed, STREAM_Y + (uint32_t)i, size, labels ? port.dims[port.rank - 1] : 0);
    return n->targets[i];
}

typedef struct nodes {
    plx_node inputs[PLX_PORTS], targets[PLX_PORTS], outputs[PLX_PORTS];
} nodes;

static plx_node input_of(plx_graph *graph, const plx_port *port, int64_t batch) {
    int64_t dims[PLX_MAX_RANK] = {batch};
    memcpy(dims + 1, port->dims, (size_t)port->rank * sizeof *dims);
    return plx_input(graph, port->name, port->dtype, port->rank + 1, dims);
}

/* Adds gradients of what is trained, and the optimizer's sweep. */
static plx_status add_update(plx_network *n, plx_graph *graph, const plx_network_options *o,
                             plx_node *update) {
    const plx_weights *weights = plx_model_weights(n->model);
    const int most = plx_weights_count(weights);
    plx_tensor **tensors = plx_platform_alloc((size_t)most * sizeof(plx_tensor *));
    plx_node *wrt = plx_platform_alloc(2 * (size_t)most * sizeof *wrt);
    plx_status status = no_memory(n);
    if (!tensors || !wrt) goto done;
    int count = 0;
    for (int i = 0; i < most; ++i) {
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(weights, i, NULL, &role);
        wrt[most + i] = plx_none();
        if (role == PLX_WEIGHT_STATE) continue;
        wrt[count] = plx_parameter(graph, NULL, tensor);
        tensors[count++] = tensor;
    }
    status = plx_gradients(graph, n->result, count, wrt, wrt + most);
    const plx_optimizer_options adam = plx_optimizer_default(PLX_ADAM);
    const plx_optimizer_options *settings = o->optimizer ? o->optimizer : &adam;
    if (status == PLX_OK)
        status = plx_optimizer_new(n->ctx, settings, count, tensors, &n->optimizer);
    if (status == PLX_OK) *update = plx_update(graph, n->optimizer, wrt + most);
done:
    plx_platform_free(tensors);
    plx_platform_free(wrt);
    return status;
}

static plx_status build(plx_network *n, plx_graph *graph, const plx_network_options *o) {
    nodes all;
    for (int i = 0; i < PLX_PORTS; ++i)
        all.inputs[i] = all.targets[i] = all.outputs[i] = plx_none();
    const int inputs = plx_model_inputs(n->model), outputs = plx_model_outputs(n->model);
    for (int i = 0; i < inputs; ++i) {
        const plx_port port = plx_model_input(n->model, i);
        all.inputs[i] = input_of(graph, &port, n->batch);
    }
    plx_status status = plx_model_forward(n->model, graph, all.inputs, o->training, all.outputs);
    if (status != PLX_OK) return status;
    if (o->softmax) all.outputs[0] = plx_softmax(graph, all.outputs[0], -1);
    n->result = all.outputs[0];
    if (o->training) {
        status = plx_model_loss(n->model, graph, o->loss, 0, n->batch, all.outputs, all.targets,
                                &n->result);
        all.outputs[0] = n->result;
        if (status == PLX_OK) status = add_update(n, graph, o, &all.outputs[1]);
    }
    if (status == PLX_OK)
        status = plx_compile(graph, o->training ? 2 : outputs, all.outputs, &o->plan, &n->plan);
    for (int i = 0; i < inputs && status == PLX_OK; ++i)
        status = plx_plan_bind(n->plan, all.inputs[i], n->bound[i]);
    if (!o->training || o->loss == PLX_LOSS_OWN) return status;
    for (int i = 0; i < outputs && status == PLX_OK; ++i) {
        const void *target = target_of(n, o, i);
        status = target ? plx_plan_bind(n->plan, all.targets[i], target) : no_memory(n);
    }
    return status;
}

plx_status plx_network_open(plx_ctx *ctx, const plx_network_options *options, plx_network *out) {
    plx_graph *graph = NULL;
    plx_network_options own = *options;
    own.plan.constant_parameters = !options->training;
    *out = (plx_network){.ctx = ctx, .batch = options->batch};
    plx_status status = PLX_OK;
    out->borrowed = options->like;
    if (out->borrowed)
        out->model = options->like->model;
    else
        status = plx_model_from_name(ctx, options->model, options->seed, &out->model);
    if (status != PLX_OK) return status;
    if (plx_model_has_loss(out->model)) own.loss = PLX_LOSS_OWN;
    const plx_port first = plx_model_input(out->model, 0), last = plx_model_output(out->model, 0);
    out->in = values_of(&first, first.rank);
    out->out = values_of(&last, last.rank);
    status = make_inputs(out, &own);
    if (status == PLX_OK) status = plx_graph_new(ctx, &graph);
    if (status == PLX_OK) status = build(out, graph, &own);
    plx_graph_free(graph);
    return status;
}

void plx_network_free(plx_network *n) {
    plx_plan_free(n->plan);
    plx_optimizer_free(n->optimizer);
    if (!n->borrowed) plx_model_free(n->model);
    for (int i = 0; i < PLX_PORTS; ++i) {
        plx_platform_free(n->inputs[i]);
        plx_platform_free(n->targets[i]);
    }
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

/* Values of one layer in double precision, with bounds on the errors of what runs in plx_real. */
typedef struct reference {
    double value[MAX_WIDTH], bound[MAX_WIDTH];
} reference;

/* One dense layer of the reference, and of the error bound for the computation in plx_real. */
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
        r[0].value[i] = (double)((const plx_real *)n->bound[0])[i];
        r[0].bound[i] = 0;
    }
    const plx_weights *weights = plx_model_weights(n->model);
    const int count = plx_weights_count(weights);
    for (int i = 0; i < count; i += 2) {
        plx_tensor *w = plx_weights_at(weights, i, NULL, NULL);
        plx_tensor *b = plx_weights_at(weights, i + 1, NULL, NULL);
        const int at = i / 2 % 2;
        layer(w, plx_tensor_data(w), plx_tensor_data(b), i + 2 < count, &r[at], &r[1 - at]);
    }
    const double worst = largest_share(n, &r[count / 2 % 2]);
    plx_platform_free(r);
    return worst;
}
