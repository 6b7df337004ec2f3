/* The pass keep_slopes: which activations it changes, and that it changes no bit and takes no more
 * memory. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 37, IN = 19, UNITS = 70, GRADS = 3, OUTPUTS = GRADS + 1 };

/* Who reads the activation's input besides the activation and its gradient. */
typedef enum other_reader { NOBODY, A_NODE, THE_CALLER, READERS } other_reader;

typedef struct slope_case {
    plx_activation activation;
    bool has_slope;
} slope_case;

static const slope_case cases[] = {
    {PLX_SILU, true},  {PLX_GELU, true},  {PLX_GELU_TANH, true},
    {PLX_MISH, false}, {PLX_TANH, false}, {PLX_RELU, false},
};

typedef struct slope_run {
    int with_slope, gradients; /* steps that keep a derivative, and that evaluate it */
    int64_t activations;       /* bytes */
    plx_real *values[OUTPUTS + 1];
} slope_run;

static int count_steps(const plx_plan *plan, const char *op) {
    int count = 0;
    for (int i = 0; i < plx_plan_steps(plan); ++i) count += !strcmp(plx_plan_step(plan, i).op, op);
    return count;
}

static plx_tensor *tensor(plx_ctx *ctx, int rank, const int64_t *dims, plx_rng *rng) {
    plx_tensor *out = NULL;
    if (plx_tensor_new(ctx, PLX_DTYPE_REAL, rank, dims, &out) != PLX_OK) return NULL;
    plx_real *data = plx_tensor_data(out);
    for (int64_t i = 0; i < plx_tensor_size(out); ++i) data[i] = (plx_real)plx_rng_normal(rng);
    return out;
}

static void keep_values(const plx_plan *plan, plx_graph *graph, int count, const plx_node *outputs,
                        slope_run *run) {
    for (int i = 0; i < count; ++i) {
        const int64_t *dims;
        const int rank = plx_node_shape(graph, outputs[i], &dims);
        size_t bytes = sizeof(plx_real);
        for (int axis = 0; axis < rank; ++axis) bytes *= (size_t)dims[axis];
        run->values[i] = malloc(bytes);
        memcpy(run->values[i], plx_plan_output(plan, outputs[i]), bytes);
    }
}

/* loss = mean(activation(x w + b)^2), and its gradients by x, w and b. */
static slope_run run_case(plx_check *t, plx_ctx *ctx, const slope_case *c, other_reader reader,
                          int passes) {
    slope_run run = {0};
    plx_rng rng = plx_rng_new(23, 0);
    const int64_t x_dims[] = {ROWS, IN}, w_dims[] = {IN, UNITS};
    plx_tensor *tensors[] = {tensor(ctx, 2, x_dims, &rng), tensor(ctx, 2, w_dims, &rng),
                             tensor(ctx, 1, &w_dims[1], &rng)};
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_status status = plx_graph_new(ctx, &graph);
    plx_node own[GRADS], outputs[OUTPUTS + 1] = {{0}};
    for (int i = 0; i < GRADS; ++i) own[i] = plx_parameter(graph, NULL, tensors[i]);
    const plx_node z = plx_dense(graph, own[0], own[1], own[2]);
    plx_node y = plx_activate(graph, z, c->activation, plx_activation_default(c->activation));
    if (reader == A_NODE) y = plx_add(graph, y, plx_square(graph, z));
    outputs[GRADS] = plx_reduce_mean(graph, plx_square(graph, y), PLX_ALL_AXES);
    outputs[OUTPUTS] = z;
    if (status == PLX_OK) status = plx_gradients(graph, outputs[GRADS], GRADS, own, outputs);
    plx_plan_options options = plx_plan_default();
    options.passes = passes;
    const int count = OUTPUTS + (reader == THE_CALLER);
    if (status == PLX_OK) status = plx_compile(graph, count, outputs, &options, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
        char gradient[64];
        snprintf(gradient, sizeof gradient, "%s_grad", plx_activation_name(c->activation));
        run.with_slope = count_steps(plan, "with_slope");
        run.gradients = count_steps(plan, gradient);
        run.activations = plx_plan_memory(plan).activations;
        keep_values(plan, graph, count, outputs, &run);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
    for (int i = 0; i < GRADS; ++i) plx_tensor_free(tensors[i]);
    return run;
}

static void compare(plx_check *t, const slope_run *a, const slope_run *b, const char *what) {
    static const size_t sizes[] = {ROWS * IN, IN * UNITS, UNITS, 1, ROWS * UNITS};
    for (int i = 0; i <= OUTPUTS; ++i)
        if (a->values[i] && b->values[i])
            CHECK(t, !memcmp(a->values[i], b->values[i], sizes[i] * sizeof(plx_real)),
                  "%s: output %d has other bits", what, i);
}

static void close_run(slope_run *run) {
    for (int i = 0; i <= OUTPUTS; ++i) free(run->values[i]);
}

/* With 16 lanes, GELU and its derivative are looked up, which is faster than reading what was kept.
 */
static bool is_kept(const slope_case *c, const char *isa) {
    const bool looked_up = !strcmp(isa, "avx512") && sizeof(plx_real) == sizeof(float);
    return c->has_slope && !(c->activation == PLX_GELU && looked_up);
}

static void check_case(plx_check *t, plx_ctx *ctx, const slope_case *c, other_reader reader,
                       int passes) {
    char what[96];
    snprintf(what, sizeof what, "%s on %s, reader %d, passes %d",
             plx_activation_name(c->activation), plx_ctx_get_info(ctx).isa, (int)reader, passes);
    slope_run without = run_case(t, ctx, c, reader, passes & ~PLX_PASS_KEEP_SLOPES);
    slope_run with = run_case(t, ctx, c, reader, passes | PLX_PASS_KEEP_SLOPES);
    const int expected = reader == NOBODY && is_kept(c, plx_ctx_get_info(ctx).isa);
    CHECK(t, !without.with_slope && without.gradients == 1, "%s: %d slopes without the pass", what,
          without.with_slope);
    CHECK(t, with.with_slope == expected && with.gradients == !expected, "%s: %d slopes, not %d",
          what, with.with_slope, expected);
    CHECK(t, with.activations <= without.activations, "%s: %lld bytes became %lld", what,
          (long long)without.activations, (long long)with.activations);
    compare(t, &with, &without, what);
    close_run(&with);
    close_run(&without);
}

void plx_test_unit_slopes(plx_check *t) {
    /* Without chains, which would hide the steps. */
    const int sets[] = {PLX_PASS_ALL & ~PLX_PASS_CHAIN, PLX_PASS_MEMORY};
    for (int i = 0; plx_isa_name(i); ++i)
        for (int threads = 1; threads <= 2; ++threads) {
            plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), threads);
            for (size_t k = 0; ctx && k < sizeof cases / sizeof cases[0]; ++k)
                for (int reader = NOBODY; reader < READERS; ++reader)
                    for (int s = 0; s < 2; ++s) check_case(t, ctx, &cases[k], reader, sets[s]);
            plx_ctx_free(ctx);
        }
}
