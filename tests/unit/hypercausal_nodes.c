/* Hypercausal nodes as a user builds them: names, parents, refusals, and independence of the
 * number of threads. */
#include "bench/causal_graphs.h"
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct small {
    plx_ctx *ctx;
    plx_weights *weights;
    plx_graph *graph;
    plx_scope scope;
    plx_node x;
} small;

static small open_small(plx_check *t) {
    small s = {.ctx = plx_check_context(t, NULL, 1)};
    if (!s.ctx) return s;
    plx_weights_new(s.ctx, 1, &s.weights);
    plx_graph_new(s.ctx, &s.graph);
    s.scope = plx_scope_new(s.weights, s.graph, true);
    s.x = plx_input(s.graph, "x", PLX_DTYPE_REAL, 2, (const int64_t[]){4, 3});
    return s;
}

static void close_small(small *s) {
    plx_graph_free(s->graph);
    plx_weights_free(s->weights);
    plx_ctx_free(s->ctx);
}

/* Expects a failure whose sentence contains `words`, with graph and weights unchanged. */
static void refused(plx_check *t, small *s, plx_status status, plx_status expected, int weights,
                    const char *words) {
    plx_plan *plan = NULL;
    CHECK(t, strstr(plx_message(s->ctx), words) != NULL, "at once: \"%s\" lacks \"%s\"",
          plx_message(s->ctx), words);
    CHECK(t, status == expected, "%s: %s instead of %s", words, plx_status_name(status),
          plx_status_name(expected));
    CHECK(t, plx_weights_count(s->weights) == weights, "%s: %d weights are left", words,
          plx_weights_count(s->weights));
    CHECK(t, plx_compile(s->graph, 1, &s->x, NULL, &plan) == PLX_OK, "%s: \"%s\"", words,
          plx_message(s->ctx));
    plx_plan_free(plan);
    close_small(s);
}

static void check_refusals(plx_check *t) {
    static const struct {
        int64_t depth, futures;
        double span, w, b;
        int policy;
        const char *words;
    } wrong[] = {
        {0, 3, 0.25, 1, 0, 0, "depth is 0"},
        {1, 1, 0.25, 1, 0, 0, "futures is 1"},
        {1, 3, NAN, 1, 0, 0, "span"},
        {1, 3, INFINITY, 1, 0, 0, "span is inf"},
        {1, 3, 4.5, 1, 0, 0, "span is 4.5"},
        {1, 3, 0.25, 1, 0, 7, "policy number 7"},
        {1, 3, 0.25, 1, 0, -1, "policy number -1"},
        {1, 1 << 21, 0.25, 1, 0, 0, "futures"},
        {5000, 3, 0.25, 1, 0, 0, "depth is 5000"},
        {1, 3, 0.25, NAN, 0, 0, "the initial value of w is nan"},
        {1, 3, 0.25, 1, -INFINITY, 0, "the initial value of b is -inf"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
        small s = open_small(t);
        if (!s.ctx) return;
        plx_hypercausal_options options = plx_hypercausal_default();
        options.depth = wrong[i].depth;
        options.futures = wrong[i].futures;
        options.span = wrong[i].span;
        options.w = wrong[i].w;
        options.b = wrong[i].b;
        options.policy = (plx_future_policy)wrong[i].policy;
        plx_hypercausal node;
        refused(t, &s, plx_hypercausal_node(&s.scope, "a", 1, &s.x, &options, &node),
                PLX_ERR_ARGUMENT, 0, wrong[i].words);
    }
}

static void check_shapes(plx_check *t) {
    const plx_hypercausal_options options = plx_hypercausal_default();
    plx_hypercausal node;
    plx_hypercausal_parts parts;
    small s = open_small(t);
    if (!s.ctx) return;
    refused(t, &s, plx_hypercausal_node(&s.scope, "a", 0, &s.x, &options, &node), PLX_ERR_ARGUMENT,
            0, "has no parent");
    s = open_small(t);
    refused(t, &s, plx_hypercausal_emit(s.graph, s.x, s.x, s.x, &options, &node), PLX_ERR_SHAPE, 0,
            "w has 12 values");
    s = open_small(t);
    refused(t, &s, plx_hypercausal_emit(s.graph, plx_none(), s.x, s.x, &options, &node),
            PLX_ERR_ARGUMENT, 0, "is not a node of this graph");
    s = open_small(t);
    plx_hypercausal_node(&s.scope, "a", 1, &s.x, &options, &node);
    refused(t, &s, plx_hypercausal_loss(s.graph, 1, &node, node.spread, NULL, &parts),
            PLX_ERR_SHAPE, 2, "the target must have the shape of the state");
    s = open_small(t);
    plx_hypercausal_node(&s.scope, "a", 1, &s.x, &options, &node);
    refused(t, &s, plx_hypercausal_loss(s.graph, 0, &node, s.x, NULL, &parts), PLX_ERR_ARGUMENT, 2,
            "the number of nodes is 0");
}

/* A second graph finds the weights of the first; parents are averaged. */
static void check_names(plx_check *t) {
    small s = open_small(t);
    if (!s.ctx) return;
    plx_hypercausal_options options = plx_hypercausal_default();
    options.w = 0.5;
    plx_hypercausal a, b, c;
    const plx_node mixed[] = {s.x, s.x, s.x};
    plx_hypercausal_node(&s.scope, "a", 1, &s.x, &options, &a);
    plx_hypercausal_node(&s.scope, "a", 1, &s.x, &options, &b);
    plx_hypercausal_node(&s.scope, "a", 3, mixed, &options, &c);
    CHECK(t, plx_weights_count(s.weights) == 2, "%d weights", plx_weights_count(s.weights));
    plx_tensor *w = plx_weights_find(s.weights, "a.w");
    CHECK(t, w && *(plx_real *)plx_tensor_data(w) == (plx_real)0.5, "a.w is not its initial value");
    const plx_node outputs[] = {a.state, b.state, c.state};
    plx_real x[12];
    for (int i = 0; i < 12; ++i) x[i] = (plx_real)(i - 5);
    plx_plan *plan = NULL;
    plx_status status = plx_compile(s.graph, 3, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, s.x, x);
    if (status == PLX_OK) status = plx_plan_run(plan);
    CHECK(t, status == PLX_OK, "%s", plx_message(s.ctx));
    for (int i = 0; status == PLX_OK && i < 12; ++i) {
        const double first = (double)plx_plan_output(plan, a.state)[i];
        CHECK(t, first == (double)plx_plan_output(plan, b.state)[i],
              "the same node built twice differs");
        /* (x + x + x) / 3 is off by two roundings at most. */
        CHECK(t, fabs(first - (double)plx_plan_output(plan, c.state)[i]) < 1e-6,
              "the mean of equal parents differs from a parent");
    }
    CHECK(t,
          !strcmp(plx_future_policy_name(PLX_FUTURE_LEAST_RISK), "min-risk") &&
              !plx_future_policy_name(PLX_FUTURES_),
          "names of policies");
    plx_plan_free(plan);
    close_small(&s);
}

/* Ten losses; returns false after a failure. */
static bool train(plx_check *t, const plx_causal_spec *spec, int threads, plx_real *losses) {
    const size_t bytes = (size_t)(spec->times * spec->channels) * sizeof(plx_real);
    plx_ctx *ctx = plx_check_context(t, NULL, threads);
    plx_real *x = malloc(bytes);
    plx_causal_model m;
    if (!ctx || !x) {
        free(x);
        return false;
    }
    plx_causal_data(spec->times, spec->channels, 3, x);
    plx_status status = plx_causal_open(ctx, spec, &m);
    if (status == PLX_OK) status = plx_causal_bind(&m, x);
    for (int i = 0; i < 10 && status == PLX_OK; ++i) {
        status = plx_plan_run(m.epoch);
        if (status == PLX_OK) losses[i] = plx_plan_output(m.epoch, m.total)[0];
    }
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_causal_free(&m);
    plx_ctx_free(ctx);
    free(x);
    return status == PLX_OK;
}

/* Losses fall, and have the same bits on two threads; sizes are such that work is split into
 * pieces. */
static void check_training(plx_check *t) {
    for (int policy = 0; policy < PLX_FUTURES_; ++policy) {
        const plx_causal_spec spec = {.shape = PLX_CAUSAL_DIAMOND,
                                      .policy = (plx_future_policy)policy,
                                      .channels = 37,
                                      .futures = 5,
                                      .times = 400,
                                      .depth = 2};
        plx_real one[10], two[10];
        if (!train(t, &spec, 1, one) || !train(t, &spec, 2, two)) continue;
        CHECK(t, one[9] < one[0], "%s: the loss went from %g to %g",
              plx_future_policy_name(spec.policy), (double)one[0], (double)one[9]);
        CHECK(t, !memcmp(one, two, sizeof one), "%s: bits depend on the number of threads",
              plx_future_policy_name(spec.policy));
    }
}

void plx_test_unit_hypercausal(plx_check *t) {
    check_refusals(t);
    check_shapes(t);
    check_names(t);
    check_training(t);
}
