#include "bench/causal_graphs.h"

#include "base/context.h"
#include "base/platform.h"
#include "parallax.h"

#include <math.h>
#include <string.h>

/* ---- Nodes and data -------------------------------------------------------------------------- */

static const plx_causal_node chain[] = {
    {0.90, 0.03, 0.22, {-1, -1}},
    {0.97, 0.02, 0.25, {0, -1}},
    {1.05, 0.00, 0.30, {1, -1}},
};
static const plx_causal_node diamond[] = {
    {0.90, 0.03, 0.22, {-1, -1}},
    {0.97, 0.02, 0.25, {0, -1}},
    {1.05, 0.00, 0.30, {0, -1}},
    {1.00, 0.01, 0.25, {1, 2}},
};

int plx_causal_nodes(plx_causal_shape shape, const plx_causal_node **nodes) {
    *nodes = shape == PLX_CAUSAL_DIAMOND ? diamond : chain;
    return shape == PLX_CAUSAL_DIAMOND ? 4 : 3;
}

static double wave(int64_t t, int64_t channel) {
    const double at = 0.35 * (double)t;
    if (channel % 3 == 0) return 0.30 * plx_math_sin(at);
    return channel % 3 == 1 ? 0.20 * plx_math_sin(at + 0.70) : 0.10 * plx_math_cos(at + 0.30);
}

void plx_causal_data(int64_t times, int64_t channels, uint64_t seed, plx_real *x) {
    enum { STREAM = 970 };
    plx_rng rng = plx_rng_new(seed, STREAM);
    for (int64_t t = 0; t < times; ++t)
        for (int64_t c = 0; c < channels; ++c)
            *x++ = (plx_real)(wave(t, c) + 0.01 * plx_rng_normal(&rng));
}

/* ---- Plans ----------------------------------------------------------------------------------- */

typedef struct emitted {
    plx_graph *graph;
    plx_node x, target;
    plx_hypercausal nodes[PLX_CAUSAL_NODES];
    plx_hypercausal_parts loss;
} emitted;

static void node_name(char *name, size_t size, int i) {
    plx__format(name, size, "node_%d", i);
}

static plx_status emit_node(const plx_scope *scope, const plx_causal_spec *spec,
                            const plx_causal_node *node, int i, emitted *e) {
    plx_node parents[PLX_CAUSAL_PARENTS] = {e->x};
    int count = 0;
    for (int k = 0; k < PLX_CAUSAL_PARENTS; ++k)
        if (node->parents[k] >= 0) parents[count++] = e->nodes[node->parents[k]].state;
    const plx_hypercausal_options options = {.depth = spec->depth,
                                             .futures = spec->futures,
                                             .span = node->span,
                                             .policy = spec->policy,
                                             .w = node->w,
                                             .b = node->b};
    char name[16];
    node_name(name, sizeof name, i);
    return plx_hypercausal_node(scope, name, count ? count : 1, parents, &options, &e->nodes[i]);
}

static plx_status emit(plx_ctx *ctx, plx_causal_model *m, emitted *e) {
    const int64_t dims[] = {m->spec.times, m->spec.channels};
    const plx_causal_node *nodes;
    const int count = plx_causal_nodes(m->spec.shape, &nodes);
    PLX_TRY(plx_graph_new(ctx, &e->graph));
    const plx_scope scope = plx_scope_new(m->weights, e->graph, true);
    e->x = plx_input(e->graph, "x", PLX_DTYPE_REAL, 2, dims);
    e->target = plx_input(e->graph, "target", PLX_DTYPE_REAL, 2, dims);
    for (int i = 0; i < count; ++i) PLX_TRY(emit_node(&scope, &m->spec, &nodes[i], i, e));
    return plx_hypercausal_loss(e->graph, count, e->nodes, e->target, NULL, &e->loss);
}

static plx_status compile(plx_causal_model *m, const emitted *e, int count, const plx_node *outputs,
                          plx_plan **plan) {
    PLX_TRY(plx_compile(e->graph, count, outputs, NULL, plan));
    return plx_plan_bind(*plan, e->target, m->target);
}

static plx_status open_forward(plx_ctx *ctx, plx_causal_model *m, emitted *e) {
    PLX_TRY(emit(ctx, m, e));
    const plx_causal_node *nodes;
    const int last = plx_causal_nodes(m->spec.shape, &nodes) - 1;
    const plx_node outputs[] = {e->nodes[last].state, e->nodes[last].future, e->loss.total,
                                e->loss.task,         e->loss.consistency,   e->loss.coherence};
    m->forward_x = e->x;
    m->state = outputs[0];
    m->future = outputs[1];
    memcpy(m->parts, outputs + 2, sizeof m->parts);
    return compile(m, e, 6, outputs, &m->forward);
}

static plx_status open_epoch(plx_ctx *ctx, plx_causal_model *m, emitted *e) {
    plx_tensor *tensors[2 * PLX_CAUSAL_NODES];
    plx_node parameters[2 * PLX_CAUSAL_NODES], outputs[2 * PLX_CAUSAL_NODES + 2];
    PLX_TRY(emit(ctx, m, e));
    const int count = plx_weights_count(m->weights);
    for (int i = 0; i < count; ++i) {
        tensors[i] = plx_weights_at(m->weights, i, NULL, NULL);
        parameters[i] = plx_parameter(e->graph, NULL, tensors[i]);
    }
    PLX_TRY(plx_gradients(e->graph, e->loss.total, count, parameters, outputs));
    memcpy(m->gradients, outputs, (size_t)count * sizeof *outputs);
    plx_optimizer_options descent = plx_optimizer_default(PLX_SGD);
    descent.rate = 2e-2;
    PLX_TRY(plx_optimizer_new(ctx, &descent, count, tensors, &m->optimizer));
    outputs[count] = plx_update(e->graph, m->optimizer, outputs);
    outputs[count + 1] = m->total = e->loss.total;
    m->epoch_x = e->x;
    return compile(m, e, count + 2, outputs, &m->epoch);
}

plx_status plx_causal_open(plx_ctx *ctx, const plx_causal_spec *spec, plx_causal_model *out) {
    const size_t bytes = (size_t)(spec->times * spec->channels) * sizeof(plx_real);
    emitted forward = {.graph = NULL}, epoch = {.graph = NULL};
    *out = (plx_causal_model){.spec = *spec, .target = plx_platform_alloc(bytes)};
    const int64_t values = spec->times * spec->channels;
    if (!out->target)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY, "hypercausal: no memory for %lld values",
                         (long long)values);
    memset(out->target, 0, bytes);
    plx_status status = plx_weights_new(ctx, 0, &out->weights);
    if (status == PLX_OK) status = open_forward(ctx, out, &forward);
    if (status == PLX_OK) status = open_epoch(ctx, out, &epoch);
    plx_graph_free(forward.graph);
    plx_graph_free(epoch.graph);
    return status;
}

void plx_causal_free(plx_causal_model *model) {
    plx_plan_free(model->forward);
    plx_plan_free(model->epoch);
    plx_optimizer_free(model->optimizer);
    plx_weights_free(model->weights);
    plx_platform_free(model->target);
    *model = (plx_causal_model){.target = NULL};
}

plx_status plx_causal_bind(plx_causal_model *model, const plx_real *x) {
    PLX_TRY(plx_plan_bind(model->forward, model->forward_x, x));
    return plx_plan_bind(model->epoch, model->epoch_x, x);
}

void plx_causal_reset(plx_causal_model *model) {
    const plx_causal_node *nodes;
    const int count = plx_causal_nodes(model->spec.shape, &nodes);
    for (int i = 0; i < count; ++i) {
        *(plx_real *)plx_tensor_data(plx_weights_at(model->weights, 2 * i, NULL, NULL)) =
            (plx_real)nodes[i].w;
        *(plx_real *)plx_tensor_data(plx_weights_at(model->weights, 2 * i + 1, NULL, NULL)) =
            (plx_real)nodes[i].b;
    }
}

/* ---- In double precision --------------------------------------------------------------------- */

typedef struct reference {
    const plx_causal_spec *spec;
    const plx_causal_node *nodes;
    int count;
    double *states;           /* [count][times channels] */
    double *futures, *chosen; /* of the current node: [K][channels], [channels] */
    const plx_real *given;
} reference;

static double delta(const plx_causal_spec *spec, double span, int64_t k) {
    double p = span / (1 + 0.3 * (double)(spec->depth - 1));
    if (p < 0.08) p = 0.08;
    return -p + 2 * p * (double)k / (double)(spec->futures - 1);
}

/* Computes the states of node i from those of its predecessors. */
static void reference_states(const reference *r, int i, const plx_real *x, double w, double b) {
    const int64_t size = r->spec->times * r->spec->channels;
    for (int64_t e = 0; e < size; ++e) {
        double sum = 0;
        int parents = 0;
        for (int k = 0; k < PLX_CAUSAL_PARENTS; ++k)
            if (r->nodes[i].parents[k] >= 0) {
                sum += r->states[r->nodes[i].parents[k] * size + e];
                parents += 1;
            }
        double s = parents ? sum / parents : (double)x[e];
        for (int64_t d = 0; d < r->spec->depth; ++d) s = tanh(w * s + b);
        r->states[i * size + e] = s;
    }
}

/* The sum of squared differences between future k and `from`; NULL: zeros. */
static double squares(const reference *r, int64_t k, const plx_real *from) {
    const double *future = r->futures + k * r->spec->channels;
    double sum = 0;
    for (int64_t c = 0; c < r->spec->channels; ++c) {
        const double d = future[c] - (from ? (double)from[c] : 0);
        sum += d * d;
    }
    return sum;
}

/* given: the row chosen elsewhere, by sums with errors of some 1e-7 of a channel's 1. */
static int64_t least_risk(const reference *r, const plx_real *given) {
    const double rounding = given ? 1e-6 * (double)r->spec->channels : 0;
    double least = INFINITY, nearest = INFINITY;
    int64_t best = 0;
    for (int64_t k = 0; k < r->spec->futures; ++k) least = fmin(least, squares(r, k, NULL));
    for (int64_t k = r->spec->futures - 1; k >= 0; --k) {
        if (!(squares(r, k, NULL) <= least + rounding)) continue;
        const double distance = given ? squares(r, k, given) : 0;
        if (distance <= nearest) best = k;
        nearest = fmin(nearest, distance);
    }
    return best;
}

/* Projects the futures of one row of states, chosen by the policy. Returns the sum of squared
 * deviations. */
static double reference_row(const reference *r, int i, const double *state, const plx_real *given) {
    const int64_t channels = r->spec->channels, count = r->spec->futures;
    double deviations = 0;
    for (int64_t k = 0; k < count; ++k)
        for (int64_t c = 0; c < channels; ++c)
            r->futures[k * channels + c] = tanh(state[c] + delta(r->spec, r->nodes[i].span, k));
    const int64_t best = r->spec->policy == PLX_FUTURE_LEAST_RISK ? least_risk(r, given) : 0;
    for (int64_t c = 0; c < channels; ++c) {
        const double *f = r->futures + c; /* ascending with k */
        double mean = 0;
        for (int64_t k = 0; k < count; ++k) mean += f[k * channels] / (double)count;
        for (int64_t k = 0; k < count; ++k)
            deviations += (f[k * channels] - mean) * (f[k * channels] - mean);
        r->chosen[c] = r->spec->policy == PLX_FUTURE_MEAN ? mean
                       : r->spec->policy == PLX_FUTURE_MEDIAN
                           ? (f[(count - 1) / 2 * channels] + f[count / 2 * channels]) / 2
                           : f[best * channels];
    }
    return deviations;
}

/* parts: total, task, consistency, coherence. */
static void reference_losses(const reference *r, double *future, double parts[4]) {
    const int64_t times = r->spec->times, channels = r->spec->channels, size = times * channels;
    const double *s = r->states + (r->count - 1) * size;
    double spread = 0, task = 0, drift = 0, forecast = 0;
    for (int i = 0; i < r->count; ++i)
        for (int64_t t = 0; t < times; ++t) {
            const bool last = i == r->count - 1 && r->given;
            spread += reference_row(r, i, r->states + i * size + t * channels,
                                    last ? r->given + t * channels : NULL);
            for (int64_t c = 0; i == r->count - 1 && c < channels; ++c) {
                const int64_t e = t * channels + c;
                future[e] = r->chosen[c];
                task += s[e] * s[e];
                if (t) drift += (s[e] - s[e - channels]) * (s[e] - s[e - channels]);
                if (t) forecast += (s[e] - future[e]) * (s[e] - future[e]);
            }
        }
    parts[1] = task / (double)size;
    parts[2] = times > 1 ? (0.8 * drift + 1.2 * forecast) / (double)(size - channels) : 0;
    parts[3] = spread / (double)(size * r->spec->futures * r->count);
    parts[0] = parts[1] + 0.5 * parts[2] + 0.3 * parts[3];
}

bool plx_causal_reference(const plx_causal_spec *spec, const plx_real *x, const double *w,
                          const double *b, const plx_real *given, double *state, double *future,
                          double parts[4]) {
    const int64_t size = spec->times * spec->channels;
    reference r = {.spec = spec, .given = given};
    r.count = plx_causal_nodes(spec->shape, &r.nodes);
    r.states = plx_platform_alloc((size_t)(r.count * size) * sizeof *r.states);
    r.futures = plx_platform_alloc((size_t)(spec->futures * spec->channels) * sizeof *r.futures);
    r.chosen = plx_platform_alloc((size_t)spec->channels * sizeof *r.chosen);
    const bool fits = r.states && r.futures && r.chosen;
    for (int i = 0; fits && i < r.count; ++i) reference_states(&r, i, x, w[i], b[i]);
    if (fits) {
        memcpy(state, r.states + (r.count - 1) * size, (size_t)size * sizeof *state);
        reference_losses(&r, future, parts);
    }
    plx_platform_free(r.states);
    plx_platform_free(r.futures);
    plx_platform_free(r.chosen);
    return fits;
}

/* ---- Metrics --------------------------------------------------------------------------------- */

static double p_at(const plx_causal_series *s, int64_t t) {
    return (double)s->p[t * s->stride];
}

static double r_at(const plx_causal_series *s, int64_t t) {
    return (double)s->r[t * s->stride];
}

double plx_causal_mse(const plx_causal_series *s) {
    double sum = 0;
    for (int64_t t = 0; t < s->n; ++t) sum += (p_at(s, t) - r_at(s, t)) * (p_at(s, t) - r_at(s, t));
    return sum / (double)s->n;
}

double plx_causal_overshoot(const plx_causal_series *s) {
    double top_p = -INFINITY, top_r = -INFINITY;
    for (int64_t t = 0; t < s->n; ++t) {
        top_p = fmax(top_p, p_at(s, t));
        top_r = fmax(top_r, r_at(s, t));
    }
    return top_r == 0 ? 0 : fmax(0, top_p - top_r) / fabs(top_r);
}

double plx_causal_settling(const plx_causal_series *s) {
    double top_r = 0, top_error = 0;
    for (int64_t t = 0; t < s->n; ++t) {
        top_r = fmax(top_r, fabs(r_at(s, t)));
        top_error = fmax(top_error, fabs(p_at(s, t) - r_at(s, t)));
    }
    const double band = 0.05 * (top_r > 0 ? top_r : top_error);
    int64_t from = s->n;
    while (from > 0 && fabs(p_at(s, from - 1) - r_at(s, from - 1)) <= band) from -= 1;
    return (double)from;
}

double plx_causal_robustness(const plx_causal_series *s) {
    return 1 / (1 + plx_causal_mse(s));
}

double plx_causal_mape(const plx_causal_series *s) {
    double sum = 0;
    int64_t counted = 0;
    for (int64_t t = 1; t < s->n; ++t) {
        if (r_at(s, t) == 0) continue;
        sum += fabs((r_at(s, t) - p_at(s, t - 1)) / r_at(s, t));
        counted += 1;
    }
    return counted ? 100 * sum / (double)counted : NAN;
}

double plx_causal_mase(const plx_causal_series *s) {
    double error = 0, naive = 0;
    for (int64_t t = 1; t < s->n; ++t) {
        error += fabs(r_at(s, t) - p_at(s, t - 1));
        naive += fabs(r_at(s, t) - r_at(s, t - 1));
    }
    return naive > 0 ? error / naive : NAN;
}

static int sign(double x) {
    return (x > 0) - (x < 0);
}

/* Change from one forecast to the next, beside that of the reference. */
double plx_causal_direction(const plx_causal_series *s) {
    int64_t sum = 0;
    for (int64_t t = 2; t < s->n; ++t)
        sum += sign(r_at(s, t) - r_at(s, t - 1)) * sign(p_at(s, t - 1) - p_at(s, t - 2));
    return s->n > 2 ? (double)sum / (double)(s->n - 2) : NAN;
}
