/* Operations against golden vectors from another library: ops.json, written by make_ops.py. */
#include "golden/golden.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* The expected values of one array, and their tolerance. */
typedef struct expectation {
    golden_array golden;
    double rounding; /* bound on our own error */
} expectation;

/* The file holds float32: half an eps of each value. Our own error has two parts. Sums: two sums
 * of n terms in different order differ like sums of terms that are each off by n eps (Higham,
 * "Accuracy and Stability of Numerical Algorithms", sections 3.1 and 4.2), so like the same
 * operation on inputs that are off by so much; n is at most `terms`, the number of elements of one
 * array that an element depends on, in each of two sums (a mean and then a variance, scores and
 * then a mixture). To first order, relative errors of the inputs are multiplied by `magnitude`: sum
 * |dy/dx| |x|. Elementary functions and single operations: 8 eps of the largest value. */
static double own_error(const cJSON *json, const golden_array *golden) {
    const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;
    const double terms = cJSON_GetNumberValue(golden_list(json, "terms"));
    const double magnitude = cJSON_GetNumberValue(golden_list(json, "magnitude"));
    double largest = 0;
    for (int64_t i = 0; i < golden->size; ++i)
        largest = fmax(largest, fabs((double)((const float *)golden->data)[i]));
    return eps * ((2 * terms + 8) * magnitude + 8 * largest);
}

static bool expect(plx_check *t, const cJSON *json, expectation *out) {
    if (!golden_array_read(t, json, &out->golden)) return false;
    if (out->golden.dtype == PLX_DTYPE_REAL) out->rounding = own_error(json, &out->golden);
    return CHECK(t, isfinite(out->rounding), "%s has no tolerance", out->golden.name);
}

static void compare(plx_check *t, const char *text, const expectation *e, const void *actual) {
    const golden_array *golden = &e->golden;
    for (int64_t i = 0; i < golden->size; ++i) {
        double expected, got, bound = 0;
        if (golden->dtype == PLX_DTYPE_I32) {
            expected = ((const int32_t *)golden->data)[i];
            got = ((const int32_t *)actual)[i];
        } else {
            expected = (double)((const float *)golden->data)[i];
            got = (double)((const plx_real *)actual)[i];
            bound = (double)FLT_EPSILON / 2 * fabs(expected) + e->rounding;
        }
        if (!CHECK(t, fabs(got - expected) <= bound,
                   "%s, %s: element %lld is %.9g, expected %.9g within %.2g", text, golden->name,
                   (long long)i, got, expected, bound))
            return;
    }
}

static void same_shape(plx_check *t, const golden_case *c, plx_node y, const golden_array *golden) {
    const int64_t *dims;
    const int rank = plx_node_shape(c->graph, y, &dims);
    bool same = rank == golden->rank;
    for (int i = 0; same && i < rank; ++i) same = dims[i] == golden->dims[i];
    CHECK(t, same, "%s: %s has another shape", c->name, golden->name);
}

/* ---- A case in a graph ----------------------------------------------------------------------- */

static void fill(plx_tensor *tensor, const golden_array *array) {
    for (int64_t i = 0; i < array->size; ++i) {
        if (array->dtype == PLX_DTYPE_I32)
            ((int32_t *)plx_tensor_data(tensor))[i] = ((const int32_t *)array->data)[i];
        else
            ((plx_real *)plx_tensor_data(tensor))[i] = (plx_real)((const float *)array->data)[i];
    }
}

/* An array of the file as a parameter of the graph, in addition to the case's inputs. */
static plx_node add_tensor(plx_ctx *ctx, golden_case *c, const golden_array *array) {
    const int k = c->inputs_count++;
    c->names[k] = array->name;
    plx_tensor_new(ctx, array->dtype, array->rank, array->dims, &c->tensors[k]);
    fill(c->tensors[k], array);
    c->nodes[k] = plx_parameter(c->graph, array->name, c->tensors[k]);
    return c->nodes[k];
}

static bool open_case(plx_check *t, plx_ctx *ctx, const cJSON *json, golden_case *c) {
    *c = (golden_case){.json = json, .name = cJSON_GetStringValue(golden_list(json, "name"))};
    plx_graph_new(ctx, &c->graph);
    const cJSON *item;
    cJSON_ArrayForEach(item, golden_list(json, "inputs")) {
        golden_array array;
        const bool ok = golden_array_read(t, item, &array);
        if (ok) add_tensor(ctx, c, &array);
        free(array.data);
        if (!ok) return false;
    }
    return true;
}

static void close_case(golden_case *c) {
    plx_graph_free(c->graph);
    for (int i = 0; i < c->inputs_count; ++i) plx_tensor_free(c->tensors[i]);
}

typedef struct walk {
    plx_check *t;
    plx_ctx *ctx;
    const char *isa;
    golden_case c;
    int count; /* of nodes: outputs, then gradients */
    plx_node nodes[2 * GOLDEN_ARRAYS];
    expectation expected[2 * GOLDEN_ARRAYS];
    plx_tensor *weights[GOLDEN_ARRAYS];
} walk;

/* loss + sum(w y), with the w of the file. */
static plx_node weighted(walk *w, int k, const cJSON *json, plx_node loss) {
    const char *data = cJSON_GetStringValue(golden_list(json, "w"));
    golden_array array = w->expected[k].golden;
    if (!data || array.dtype != PLX_DTYPE_REAL) return loss;
    array.data = malloc((size_t)array.size * 4 + 1);
    CHECK(w->t, golden_decode(data, array.size, array.data), "%s: w is incomplete", w->c.name);
    plx_tensor_new(w->ctx, array.dtype, array.rank, array.dims, &w->weights[k]);
    fill(w->weights[k], &array);
    free(array.data);
    const plx_node weights = plx_parameter(w->c.graph, "w", w->weights[k]);
    const plx_node sum =
        plx_reduce_sum(w->c.graph, plx_mul(w->c.graph, w->nodes[k], weights), PLX_ALL_AXES);
    return loss.id < 0 ? sum : plx_add(w->c.graph, loss, sum);
}

static bool add_outputs(walk *w, const golden_op *op, plx_node *loss) {
    op->build(&w->c, w->nodes);
    const plx_status status = plx_graph_status(w->c.graph);
    if (!CHECK(w->t, status == PLX_OK, "%s: %s", w->c.name, plx_message(w->ctx))) return false;
    *loss = plx_none();
    const cJSON *item;
    cJSON_ArrayForEach(item, golden_list(w->c.json, "outputs")) {
        const int k = w->count++;
        if (!expect(w->t, item, &w->expected[k])) return false;
        same_shape(w->t, &w->c, w->nodes[k], &w->expected[k].golden);
        *loss = weighted(w, k, item, *loss);
    }
    return true;
}

static bool add_gradients(walk *w, plx_node loss) {
    plx_node variables[GOLDEN_ARRAYS];
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, golden_list(w->c.json, "gradients")) {
        expectation *e = &w->expected[w->count + count];
        if (!expect(w->t, item, e)) return false;
        variables[count++] = golden_input(&w->c, e->golden.name);
    }
    const plx_status status =
        count ? plx_gradients(w->c.graph, loss, count, variables, w->nodes + w->count) : PLX_OK;
    w->count += count;
    return CHECK(w->t, status == PLX_OK, "%s: %s", w->c.name, plx_message(w->ctx));
}

/* Parameters that a run changes: running statistics. */
static void compare_updated(const walk *w) {
    const cJSON *item;
    cJSON_ArrayForEach(item, golden_list(w->c.json, "updated")) {
        expectation e = {0};
        if (!expect(w->t, item, &e)) return;
        for (int i = 0; i < w->c.inputs_count; ++i)
            if (w->c.nodes[i].id == golden_input(&w->c, e.golden.name).id)
                compare(w->t, w->c.name, &e, plx_tensor_data(w->c.tensors[i]));
        free(e.golden.data);
    }
}

static void run_case(walk *w) {
    plx_plan *plan = NULL;
    plx_status status = plx_compile(w->c.graph, w->count, w->nodes, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(w->t, status == PLX_OK, "%s: %s", w->c.name, plx_message(w->ctx))) {
        for (int i = 0; i < w->count; ++i)
            compare(w->t, w->c.name, &w->expected[i],
                    plx_plan_output_as(plan, w->nodes[i], plx_node_dtype(w->c.graph, w->nodes[i])));
        compare_updated(w);
    }
    plx_plan_free(plan);
}

/* Returns whether the case was run. */
static bool check_case(plx_check *t, plx_ctx *ctx, const cJSON *json) {
    const char *name = cJSON_GetStringValue(golden_list(json, "op"));
    const golden_op *op = golden_find_op(name);
    if (!CHECK(t, op != NULL, "golden.def has no row for the op \"%s\"", name ? name : ""))
        return false;
    if (!op->build) return false;
    walk w = {.t = t, .ctx = ctx};
    plx_node loss;
    if (open_case(t, ctx, json, &w.c) && add_outputs(&w, op, &loss) && add_gradients(&w, loss))
        run_case(&w);
    for (int i = 0; i < 2 * GOLDEN_ARRAYS; ++i) free(w.expected[i].golden.data);
    for (int i = 0; i < GOLDEN_ARRAYS; ++i) plx_tensor_free(w.weights[i]);
    close_case(&w.c);
    return true;
}

/* ---- A test of the test ---------------------------------------------------------------------- */

/* An array with one element that is off by a hundredth of the largest. */
static void check_sharpness(plx_check *t, const cJSON *json, const char *name) {
    expectation e = {0};
    if (!expect(t, json, &e) || e.golden.dtype != PLX_DTYPE_REAL) {
        free(e.golden.data);
        return;
    }
    double largest = 0;
    for (int64_t i = 0; i < e.golden.size; ++i)
        largest = fmax(largest, fabs((double)((const float *)e.golden.data)[i]));
    CHECK(t, e.rounding < 0.01 * largest, "%s, %s: the tolerance %.2g hides an error of %.2g", name,
          e.golden.name, e.rounding, 0.01 * largest);
    free(e.golden.data);
}

static void check_tolerances(plx_check *t, const cJSON *json) {
    const char *name = cJSON_GetStringValue(golden_list(json, "name"));
    const cJSON *item;
    cJSON_ArrayForEach(item, golden_list(json, "outputs")) check_sharpness(t, item, name);
    cJSON_ArrayForEach(item, golden_list(json, "gradients")) check_sharpness(t, item, name);
}

void plx_test_golden_ops(plx_check *t) {
    cJSON *file = golden_read(t, PLX_GOLDEN_FILE);
    const cJSON *cases = golden_list(file, "cases"), *item;
    CHECK(t, cJSON_GetArraySize(cases) > 0, "%s has no cases", PLX_GOLDEN_FILE);
    cJSON_ArrayForEach(item, cases) check_tolerances(t, item);
    for (int i = 0; file && plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 1);
        if (!ctx) continue;
        cJSON_ArrayForEach(item, cases) check_case(t, ctx, item);
        plx_ctx_free(ctx);
    }
    cJSON_Delete(file);
}
