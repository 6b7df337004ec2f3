/* Every gradient rule against central differences, in the double build: there the difference
 * quotient is good to about 1e-10, so what exceeds 1e-6 is wrong mathematics, not rounding. */
#include "ops/walk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct gradient_walk {
    plx_check *t;
    plx_ctx *ctx;
    double largest;
} gradient_walk;

static void run_step(plx_check *t, plx_walk *walk, plx_plan *plan) {
    /* The same step number, so that dropout draws the same mask again. */
    plx_plan_set_step(plan, 3);
    CHECK(t, plx_plan_run(plan) == PLX_OK, "%s: %s", walk->op->name, plx_message(walk->ctx));
}

static double run_loss(plx_check *t, plx_walk *walk, plx_plan *plan) {
    run_step(t, walk, plan);
    return (double)plx_plan_output(plan, walk->loss)[0];
}

/* Largest relative error over the elements of input k. The plan computes the loss alone: it runs
 * twice for each element. */
static double compare_input(plx_check *t, plx_walk *walk, plx_plan *plan, int k,
                            const plx_real *analytic) {
    plx_real *x = plx_tensor_data(walk->inputs[k]);
    const int64_t size = plx_tensor_size(walk->inputs[k]);
#ifdef NDEBUG
    const int64_t step = 1;
#else
    /* Checked builds run this for what only they detect; wrong mathematics is found by other
     * builds. */
    const int64_t step = size > 16 ? 5 : 1;
#endif
    double largest = 0;
    for (int64_t i = 0; i < size; i += step) {
        const plx_real kept = x[i];
        const double h = 1e-5 * fmax(1, fabs((double)kept));
        x[i] = (plx_real)((double)kept + h);
        const double above = run_loss(t, walk, plan);
        x[i] = (plx_real)((double)kept - h);
        const double below = run_loss(t, walk, plan);
        x[i] = kept;
        const double numeric = (above - below) / (2 * h), own = (double)analytic[i];
        const double error = fabs(own - numeric) / fmax(1, fmax(fabs(own), fabs(numeric)));
        if (!(error <= largest)) largest = error;
    }
    return largest;
}

static double gradient_error(plx_check *t, plx_walk *walk) {
    plx_node wrt[PLX__SAMPLE_INPUTS], outputs[PLX__SAMPLE_INPUTS + 1];
    int which[PLX__SAMPLE_INPUTS], count = 0;
    for (int k = 0; k < walk->sample->inputs_count; ++k) {
        if (!plx__is_differentiable(walk->graph, plx__at(walk->graph, walk->y), k)) continue;
        which[count] = k;
        wrt[count++] = walk->nodes[k];
    }
    plx_plan *plan = NULL, *loss = NULL;
    plx_status status = plx_gradients(walk->graph, walk->loss, count, wrt, outputs);
    outputs[count] = walk->loss;
    if (status == PLX_OK) status = plx_compile(walk->graph, count + 1, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_compile(walk->graph, 1, &walk->loss, NULL, &loss);
    if (!CHECK(t, status == PLX_OK, "%s: %s", walk->op->name, plx_message(walk->ctx)))
        return INFINITY;
    double largest = 0;
    for (int j = 0; j < count; ++j) {
        plx_real analytic[4096] = {0};
        const int64_t size = plx_tensor_size(walk->inputs[which[j]]);
        if (size > 4096) continue;
        run_step(t, walk, plan);
        memcpy(analytic, plx_plan_output(plan, outputs[j]), (size_t)size * sizeof *analytic);
        const double error = compare_input(t, walk, loss, which[j], analytic);
        if (!(error <= largest)) largest = error;
    }
    plx_plan_free(plan);
    plx_plan_free(loss);
    return largest;
}

static void check_gradient(void *arg, const plx_op *op, const plx__sample *sample,
                           const char *text) {
    gradient_walk *w = arg;
    if (op->flags & PLX__OP_NO_GRADIENT) return;
    plx_walk walk;
    if (plx_walk_open(w->t, w->ctx, op, sample, PLX_WALK_PLAIN, &walk) && walk.loss.id >= 0) {
        const double error = gradient_error(w->t, &walk);
        CHECK(w->t, error < 1e-6, "%s: gradient differs by %g", text, error);
        if (!(error <= w->largest)) w->largest = error;
    }
    plx_walk_close(&walk);
}

static bool is_double(plx_check *t) {
    if (sizeof(plx_real) == sizeof(double)) return true;
    /* Nothing is left out by this: the double build runs the same groups. */
    CHECK(t, true, "float build");
    return false;
}

void plx_test_ops_gradients(plx_check *t) {
    if (!is_double(t)) return;
    gradient_walk w = {.t = t, .ctx = plx_check_context(t, NULL, 1)};
    if (!w.ctx) return;
    plx_walk_ops(check_gradient, &w);
    printf("largest relative error of a gradient: %.2e\n", w.largest);
    plx_ctx_free(w.ctx);
}

/* ---- A wrong rule must be detected ----------------------------------------------------------- */

static void wrong_gradient(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    (void)id;
    const plx__attrs attrs = {.scale = {1.00001}};
    grads[0] = PLX__EMIT1(graph, &plx__op_scale, gy, &attrs);
}

void plx_test_ops_gradient_fails(plx_check *t) {
    if (!is_double(t)) return;
    plx_op wrong = plx__op_scale;
    wrong.gradient = wrong_gradient;
    const plx__sample sample = {
        .inputs_count = 1, .inputs = {{1, {5}, -1, 1}}, .attrs = {.scale = {1}}};
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    plx_walk walk;
    if (plx_walk_open(t, ctx, &wrong, &sample, PLX_WALK_PLAIN, &walk)) {
        const double error = gradient_error(t, &walk);
        CHECK(t, error >= 1e-6, "a gradient that is off by 1e-5 passed with error %g", error);
    }
    plx_walk_close(&walk);
    plx_ctx_free(ctx);
}
