/* Hypercausal nodes against NumPy in double precision: hypercausal.json, written by
 * make_hypercausal.py. */
#include "bench/causal_graphs.h"
#include "golden/golden.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const cJSON *json, const char *name) {
    const char *text = cJSON_GetStringValue(golden_list(json, name));
    return text ? text : "";
}

static double number_of(const cJSON *json, const char *name) {
    return cJSON_GetNumberValue(golden_list(json, name));
}

/* A list of numbers; free with free(). */
static plx_real *reals_of(const cJSON *json, const char *name, int *count) {
    const cJSON *list = golden_list(json, name), *item;
    *count = cJSON_GetArraySize(list);
    plx_real *values = malloc(((size_t)*count + 1) * sizeof *values);
    int i = 0;
    if (values) cJSON_ArrayForEach(item, list) values[i++] = (plx_real)item->valuedouble;
    return values;
}

static plx_causal_spec spec_of(const cJSON *json) {
    plx_causal_spec spec = {.channels = (int64_t)number_of(json, "D"),
                            .futures = (int64_t)number_of(json, "K"),
                            .times = (int64_t)number_of(json, "T"),
                            .depth = (int64_t)number_of(json, "depth")};
    if (!strcmp(text_of(json, "shape"), "diamond")) spec.shape = PLX_CAUSAL_DIAMOND;
    for (int k = 0; plx_future_policy_name((plx_future_policy)k); ++k)
        if (!strcmp(text_of(json, "policy"), plx_future_policy_name((plx_future_policy)k)))
            spec.policy = (plx_future_policy)k;
    return spec;
}

/* The promised millionth, or the bound of double precision. */
static double forward_bound(void) {
    return sizeof(plx_real) == sizeof(double) ? 1e-12 : 1e-6;
}

static void compare(plx_check *t, const char *name, const cJSON *json, const char *what,
                    const plx_real *values) {
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, golden_list(json, what)) {
        const double got = (double)values[i++];
        if (!CHECK(t, fabs(got - item->valuedouble) <= forward_bound(),
                   "%s, %s: element %d is %.9g, expected %.9g", name, what, i - 1, got,
                   item->valuedouble))
            return;
    }
}

/* As in ops.c: sums of n terms in another order, inputs that are off by as much, and some
 * operations. */
static void compare_gradients(plx_check *t, const cJSON *json, const plx_causal_model *m) {
    const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    const cJSON *list = golden_list(json, "gradients"), *item;
    double largest = 0;
    int i = 0;
    cJSON_ArrayForEach(item, list) largest = fmax(largest, fabs(item->valuedouble));
    const double bound =
        eps * ((2 * number_of(json, "terms") + 8) * number_of(json, "magnitude") + 8 * largest);
    CHECK(t, bound < 0.01 * largest, "%s: the tolerance %.2g hides errors", text_of(json, "name"),
          bound);
    CHECK(t, cJSON_GetArraySize(list) == plx_weights_count(m->weights), "%s: %d gradients",
          text_of(json, "name"), cJSON_GetArraySize(list));
    cJSON_ArrayForEach(item, list) {
        const double got = (double)plx_plan_output(m->epoch, m->gradients[i])[0];
        CHECK(t, fabs(got - item->valuedouble) <= bound,
              "%s: gradient %d is %.9g, expected %.9g within %.2g", text_of(json, "name"), i, got,
              item->valuedouble, bound);
        i += 1;
    }
}

static plx_real *weight_of(const plx_causal_model *m, int i) {
    return plx_tensor_data(plx_weights_at(m->weights, i, NULL, NULL));
}

/* One epoch moves each weight by 2e-2 times its gradient. */
static void check_descent(plx_check *t, const plx_causal_model *m, const plx_real *before) {
    const plx_real ulp =
        sizeof(plx_real) == sizeof(double) ? (plx_real)DBL_EPSILON : (plx_real)FLT_EPSILON;
    for (int i = 0; i < plx_weights_count(m->weights); ++i) {
        const plx_real gradient = plx_plan_output(m->epoch, m->gradients[i])[0];
        const plx_real expected = before[i] - (plx_real)2e-2 * gradient;
        CHECK(t, fabs((double)(*weight_of(m, i) - expected)) <= 2 * (double)ulp,
              "weight %d became %.9g, not %.9g", i, (double)*weight_of(m, i), (double)expected);
    }
}

static plx_status run_case(plx_check *t, const cJSON *json, plx_causal_model *m, const plx_real *x,
                           const plx_real *weights) {
    static const char *const parts[] = {"total", "task", "consistency", "coherence"};
    const char *name = text_of(json, "name");
    for (int i = 0; i < plx_weights_count(m->weights); ++i) *weight_of(m, i) = weights[i];
    plx_status status = plx_causal_bind(m, x);
    if (status == PLX_OK) status = plx_plan_run(m->forward);
    if (status != PLX_OK) return status;
    compare(t, name, json, "state", plx_plan_output(m->forward, m->state));
    compare(t, name, json, "future", plx_plan_output(m->forward, m->future));
    for (int i = 0; i < 4; ++i) {
        const double got = (double)plx_plan_output(m->forward, m->parts[i])[0];
        const double expected = cJSON_GetArrayItem(golden_list(json, "losses"), i)->valuedouble;
        CHECK(t, fabs(got - expected) <= forward_bound(), "%s: %s is %.9g, expected %.9g", name,
              parts[i], got, expected);
    }
    status = plx_plan_run(m->epoch);
    if (status != PLX_OK) return status;
    compare_gradients(t, json, m);
    check_descent(t, m, weights);
    return PLX_OK;
}

static void check_case(plx_check *t, plx_ctx *ctx, const cJSON *json) {
    const plx_causal_spec spec = spec_of(json);
    plx_causal_model m;
    int size, count;
    plx_real *x = reals_of(json, "x", &size), *weights = reals_of(json, "weights", &count);
    plx_status status = plx_causal_open(ctx, &spec, &m);
    const bool fits = size == spec.times * spec.channels && count == plx_weights_count(m.weights);
    CHECK(t, fits, "%s: %d inputs, %d weights", text_of(json, "name"), size, count);
    if (status == PLX_OK && fits) status = run_case(t, json, &m, x, weights);
    CHECK(t, status == PLX_OK, "%s: %s", text_of(json, "name"), plx_message(ctx));
    plx_causal_free(&m);
    free(x);
    free(weights);
}

/* Sums of tens of terms in double precision. */
static void near_metric(plx_check *t, const cJSON *json, const char *name, double got) {
    const cJSON *item = golden_list(json, name);
    const double expected = item ? item->valuedouble : NAN;
    CHECK(t, item ? fabs(got - expected) <= 1e-12 * fmax(1, fabs(expected)) : isnan(got),
          "%s is %.17g, expected %.17g", name, got, expected);
}

static void check_metrics(plx_check *t, const cJSON *json) {
    int n, other;
    plx_real *p = reals_of(json, "p", &n), *r = reals_of(json, "r", &other);
    const plx_causal_series s = {.n = n, .stride = 1, .p = p, .r = r};
    if (CHECK(t, n == other && n > 2, "%d predictions for %d", n, other)) {
        near_metric(t, json, "mse", plx_causal_mse(&s));
        near_metric(t, json, "overshoot", plx_causal_overshoot(&s));
        near_metric(t, json, "settling", plx_causal_settling(&s));
        near_metric(t, json, "robustness", plx_causal_robustness(&s));
        near_metric(t, json, "mape", plx_causal_mape(&s));
        near_metric(t, json, "mase", plx_causal_mase(&s));
        near_metric(t, json, "direction", plx_causal_direction(&s));
    }
    free(p);
    free(r);
}

void plx_test_golden_hypercausal(plx_check *t) {
    cJSON *file = golden_read(t, PLX_GOLDEN_HYPERCAUSAL);
    const cJSON *cases = golden_list(file, "cases"), *series = golden_list(file, "metrics"), *item;
    CHECK(t, cJSON_GetArraySize(cases) > 0 && cJSON_GetArraySize(series) > 0, "there are no cases");
    cJSON_ArrayForEach(item, series) check_metrics(t, item);
    for (int i = 0; file && plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 1);
        if (!ctx) continue;
        cJSON_ArrayForEach(item, cases) check_case(t, ctx, item);
        plx_ctx_free(ctx);
    }
    cJSON_Delete(file);
}
