/* Ten steps of every optimizer against PyTorch's. */
#include "golden/golden.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

/* optimizers.json is in the folder of ops.json. */
static cJSON *read_file(plx_check *t) {
    static const char ops[] = PLX_GOLDEN_FILE;
    char path[sizeof ops + 32];
    const int folder = (int)(strrchr(ops, '/') - ops);
    snprintf(path, sizeof path, "%.*s/optimizers.json", folder, ops);
    return golden_read(t, path);
}

static int numbers(const cJSON *list, double *out) {
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (count < MOST) out[count++] = item->valuedouble;
    }
    return count;
}

static void replace(const cJSON *options, const char *name, double *field) {
    const cJSON *value = golden_list(options, name);
    if (cJSON_IsNumber(value)) *field = value->valuedouble;
}

/* Returns false if there is no optimizer of that name. */
static bool options_of(const cJSON *json, plx_optimizer_options *o) {
    const char *wanted = cJSON_GetStringValue(golden_list(json, "optimizer"));
    const cJSON *options = golden_list(json, "options");
    for (int kind = 0; plx_optimizer_name((plx_optimizer_kind)kind); ++kind) {
        if (!wanted || strcmp(plx_optimizer_name((plx_optimizer_kind)kind), wanted) != 0) continue;
        *o = plx_optimizer_default((plx_optimizer_kind)kind);
        o->weight_decay = 0;
        replace(options, "rate", &o->rate);
        replace(options, "momentum", &o->momentum);
        replace(options, "beta1", &o->beta1);
        replace(options, "beta2", &o->beta2);
        replace(options, "weight_decay", &o->weight_decay);
        o->nesterov = cJSON_IsTrue(golden_list(options, "nesterov"));
        return true;
    }
    return false;
}

typedef struct steps {
    plx_tensor *weights;
    plx_optimizer *optimizer;
    plx_plan *plan;
    plx_node gradient;
} steps;

static plx_status open_steps(plx_ctx *ctx, const plx_optimizer_options *o, int64_t n, steps *s) {
    plx_graph *graph;
    plx_status status = plx_graph_new(ctx, &graph);
    if (status != PLX_OK) return status;
    status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &n, &s->weights);
    if (status == PLX_OK) status = plx_optimizer_new(ctx, o, 1, &s->weights, &s->optimizer);
    if (status == PLX_OK) {
        s->gradient = plx_input(graph, "gradient", PLX_DTYPE_REAL, 1, &n);
        const plx_node update = plx_update(graph, s->optimizer, &s->gradient);
        status = plx_compile(graph, 1, &update, NULL, &s->plan);
    }
    plx_graph_free(graph);
    return status;
}

static void check_step(plx_check *t, const char *name, int number, const cJSON *step,
                       const plx_real *weights, int n) {
    const double unit = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    double expected[MOST] = {0}, error[MOST] = {0};
    CHECK(t,
          numbers(golden_list(step, "weights"), expected) == n &&
              numbers(golden_list(step, "error"), error) == n,
          "%s: step %d is incomplete", name, number);
    for (int i = 0; i < n; ++i)
        CHECK(t, fabs((double)weights[i] - expected[i]) <= unit * error[i],
              "%s: step %d: weight %d is %.9g instead of %.9g within %.2g", name, number, i,
              (double)weights[i], expected[i], unit * error[i]);
}

static void check_case(plx_check *t, plx_ctx *ctx, const cJSON *file, const cJSON *json) {
    plx_optimizer_options options = {0};
    if (!CHECK(t, options_of(json, &options), "an optimizer has no name")) return;
    char *text = cJSON_PrintUnformatted(golden_list(json, "options"));
    char name[160];
    snprintf(name, sizeof name, "%s %s", plx_optimizer_name(options.kind), text ? text : "");
    free(text);
    double values[MOST] = {0};
    const int n = numbers(golden_list(file, "start"), values);
    steps s = {0};
    if (CHECK(t, open_steps(ctx, &options, n, &s) == PLX_OK, "%s: %s", name, plx_message(ctx))) {
        plx_real *weights = plx_tensor_data(s.weights), gradient[MOST] = {0};
        for (int i = 0; i < n; ++i) weights[i] = (plx_real)values[i];
        plx_plan_bind(s.plan, s.gradient, gradient);
        const cJSON *step, *row = golden_list(file, "gradients")->child;
        int number = 0;
        cJSON_ArrayForEach(step, golden_list(json, "steps")) {
            numbers(row, values);
            for (int i = 0; i < n; ++i) gradient[i] = (plx_real)values[i];
            CHECK(t, plx_plan_run(s.plan) == PLX_OK, "%s: %s", name, plx_message(ctx));
            check_step(t, name, ++number, step, weights, n);
            row = row->next;
        }
        CHECK(t, number == 10 && !row, "%s: %d steps", name, number);
    }
    plx_plan_free(s.plan);
    plx_optimizer_free(s.optimizer);
    plx_tensor_free(s.weights);
}

void plx_test_golden_optimizers(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    cJSON *file = ctx ? read_file(t) : NULL;
    const cJSON *json, *cases = golden_list(file, "cases");
    CHECK(t, cJSON_GetArraySize(cases) > 0, "there are no cases");
    cJSON_ArrayForEach(json, cases) check_case(t, ctx, file, json);
    cJSON_Delete(file);
    plx_ctx_free(ctx);
}
