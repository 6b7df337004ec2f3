/* Optimizers against their formulas in double, schedules, clipping, and options of losses. */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double eps = sizeof(plx_real) == sizeof(double) ? DBL_EPSILON : (double)FLT_EPSILON;

/* ---- Formulas -------------------------------------------------------------------------------- */

enum { SIZE = 37, STEPS = 12 };

/* The values of one parameter by the formulas in double, and how far rounding may have moved the
 * library's from them. */
typedef struct reference {
    double p[SIZE], m[SIZE], v[SIZE];
    double met[SIZE]; /* magnitude of what is added up in the velocity or mean of gradients */
    double error[SIZE];
} reference;

/* The update of element i (before the rate) and its magnitude. */
static double move_of(const plx_optimizer_options *o, reference *r, int i, int t, double d,
                      double *size) {
    double *m = &r->m[i], *v = &r->v[i], *met = &r->met[i];
    switch (o->kind) {
    case PLX_SGD:
        *m = o->momentum * *m + d;
        *met = o->momentum * *met + fabs(d);
        *size = o->nesterov ? fabs(d) + o->momentum * *met : *met;
        return o->nesterov ? d + o->momentum * *m : *m;
    case PLX_LION: {
        const double mixed = o->beta1 * *m + (1 - o->beta1) * d;
        *m = o->beta2 * *m + (1 - o->beta2) * d;
        *size = 1;
        return (mixed > 0) - (mixed < 0);
    }
    case PLX_RMSPROP: {
        *v = o->beta2 * *v + (1 - o->beta2) * d * d;
        const double scaled = d / (sqrt(*v) + o->epsilon);
        *m = o->momentum * *m + scaled;
        *met = *size = o->momentum * *met + fabs(scaled);
        return *m;
    }
    default: {
        *m = o->beta1 * *m + (1 - o->beta1) * d;
        *v = o->beta2 * *v + (1 - o->beta2) * d * d;
        *met = o->beta1 * *met + (1 - o->beta1) * fabs(d);
        const double below = sqrt(*v / (1 - pow(o->beta2, t))) + o->epsilon;
        const double correction = 1 - pow(o->beta1, t);
        *size = *met / correction / below;
        return *m / correction / below;
    }
    }
}

/* Step number t (from 1). A step rounds about eight times, relative to the magnitudes it adds
 * up; constants that are rounded once, betas among them, add as much for every step so far. An
 * error of the weight feeds back through decay, so everything is doubled. */
static void reference_step(const plx_optimizer_options *o, double factor, double decay, int t,
                           const plx_real *g, reference *r) {
    const bool decoupled = o->kind == PLX_ADAMW || o->kind == PLX_LION;
    const double rate = o->rate * factor;
    for (int i = 0; i < SIZE; ++i) {
        const double d = (double)g[i] + (decoupled ? 0 : decay * r->p[i]);
        double size;
        const double move = move_of(o, r, i, t, d, &size);
        const double shrink = decoupled ? rate * decay * r->p[i] : 0;
        r->p[i] -= shrink + rate * move;
        r->error[i] += 2 * eps * (2 * fabs(r->p[i]) + fabs(shrink) + rate * size * (8 + 4 * t));
    }
}

typedef struct problem {
    plx_tensor *tensors[2];
    plx_optimizer *optimizer;
    plx_plan *plan;
    plx_node grads[2];
} problem;

static plx_status open_problem(plx_ctx *ctx, const plx_optimizer_options *options, problem *out) {
    const int64_t dims[] = {SIZE};
    plx_graph *graph;
    *out = (problem){0};
    plx_status status = plx_graph_new(ctx, &graph);
    for (int i = 0; i < 2 && status == PLX_OK; ++i)
        status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, dims, &out->tensors[i]);
    if (status == PLX_OK)
        status = plx_optimizer_new(ctx, options, 2, out->tensors, &out->optimizer);
    if (status == PLX_OK) {
        for (int i = 0; i < 2; ++i) out->grads[i] = plx_input(graph, NULL, PLX_DTYPE_REAL, 1, dims);
        const plx_node update = plx_update(graph, out->optimizer, out->grads);
        status = plx_compile(graph, 1, &update, NULL, &out->plan);
    }
    plx_graph_free(graph);
    return status;
}

static void close_problem(problem *p) {
    plx_plan_free(p->plan);
    plx_optimizer_free(p->optimizer);
    for (int i = 0; i < 2; ++i) plx_tensor_free(p->tensors[i]);
}

static void compare(plx_check *t, const char *what, plx_tensor *tensor, const reference *r) {
    const plx_real *p = plx_tensor_data(tensor);
    for (int i = 0; i < SIZE; ++i) {
        const double error = fabs((double)p[i] - r->p[i]);
        if (!CHECK(t, error <= r->error[i], "%s: weight %d is %.9g instead of %.9g within %.2g",
                   what, i, (double)p[i], r->p[i], r->error[i]))
            return;
    }
}

/* The second parameter has a third of the learning rate, and its own weight decay. */
static void follows_formula(plx_check *t, plx_ctx *ctx, const plx_optimizer_options *options) {
    const char *name = plx_optimizer_name(options->kind);
    static reference references[2];
    memset(references, 0, sizeof references);
    problem p;
    if (!CHECK(t, open_problem(ctx, options, &p) == PLX_OK, "%s: %s", name, plx_message(ctx))) {
        close_problem(&p);
        return;
    }
    const double factors[] = {1, 1.0 / 3}, decays[] = {options->weight_decay, 0.2};
    CHECK(t, plx_optimizer_set_group(p.optimizer, 1, factors[1], decays[1]) == PLX_OK, "%s",
          plx_message(ctx));
    plx_rng rng = plx_rng_new(5, 0);
    static plx_real g[2][SIZE];
    for (int k = 0; k < 2; ++k) {
        plx_real *w = plx_tensor_data(p.tensors[k]);
        for (int i = 0; i < SIZE; ++i)
            references[k].p[i] = (double)(w[i] = (plx_real)plx_rng_normal(&rng));
        plx_plan_bind(p.plan, p.grads[k], g[k]);
    }
    for (int step = 1; step <= STEPS; ++step) {
        for (int k = 0; k < 2; ++k)
            for (int i = 0; i < SIZE; ++i) g[k][i] = (plx_real)plx_rng_normal(&rng);
        CHECK(t, plx_plan_run(p.plan) == PLX_OK, "%s", plx_message(ctx));
        for (int k = 0; k < 2; ++k) {
            reference_step(options, factors[k], decays[k], step, g[k], &references[k]);
            compare(t, name, p.tensors[k], &references[k]);
        }
    }
    close_problem(&p);
}

static void formulas(plx_check *t, plx_ctx *ctx) {
    for (int kind = 0; plx_optimizer_name((plx_optimizer_kind)kind); ++kind) {
        plx_optimizer_options o = plx_optimizer_default((plx_optimizer_kind)kind);
        follows_formula(t, ctx, &o);
        o.weight_decay = 0.1;
        o.rate = 0.02;
        follows_formula(t, ctx, &o);
        if (kind != PLX_SGD && kind != PLX_RMSPROP) continue;
        o.momentum = 0.9;
        follows_formula(t, ctx, &o);
        o.nesterov = kind == PLX_SGD;
        follows_formula(t, ctx, &o);
    }
}

static void refuse_optimizer(plx_check *t, plx_ctx *ctx, const plx_optimizer_options *o,
                             const char *expected) {
    problem p;
    const plx_status status = open_problem(ctx, o, &p);
    CHECK(t, status == PLX_ERR_ARGUMENT && strstr(plx_message(ctx), expected),
          "%s: \"%s\" lacks \"%s\"", plx_status_name(status), plx_message(ctx), expected);
    close_problem(&p);
}

static void refusals(plx_check *t, plx_ctx *ctx) {
    plx_optimizer_options o = plx_optimizer_default(PLX_LION);
    o.beta2 = 1;
    refuse_optimizer(t, ctx, &o, "lion: beta2 1 must be 0 to below 1");
    o = plx_optimizer_default(PLX_RMSPROP);
    o.epsilon = 0;
    refuse_optimizer(t, ctx, &o, "rmsprop: epsilon 0 must be above 0 and below 1e30");
    o = plx_optimizer_default(PLX_RMSPROP);
    o.momentum = -0.5;
    refuse_optimizer(t, ctx, &o, "rmsprop: momentum -0.5 must be 0 to below 1");
    o = plx_optimizer_default(PLX_ADAMW);
    o.weight_decay = -1;
    refuse_optimizer(t, ctx, &o, "adamw: weight decay -1 must be from 0 to below 1e30");
    o = plx_optimizer_default(PLX_SGD);
    o.rate = INFINITY;
    refuse_optimizer(t, ctx, &o, "sgd: learning rate inf must be from 0 to below 1e30");
    o = plx_optimizer_default(PLX_ADAM);
    o.rate = 1e30;
    refuse_optimizer(t, ctx, &o, "adam: learning rate 1e+30 must be from 0 to below 1e30");
    o.kind = (plx_optimizer_kind)99;
    refuse_optimizer(t, ctx, &o, "no kind number 99");
    problem p;
    o = plx_optimizer_default(PLX_SGD);
    CHECK(t, open_problem(ctx, &o, &p) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t,
          plx_optimizer_set_group(p.optimizer, 2, 1, 0) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "no parameter number 2; there are 2"),
          "\"%s\"", plx_message(ctx));
    CHECK(t,
          plx_optimizer_set_decay(p.optimizer, 0, NAN) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "weight decay nan"),
          "\"%s\"", plx_message(ctx));
    CHECK(t, plx_optimizer_set_group(p.optimizer, 0, -1, 0) == PLX_ERR_ARGUMENT, "factor -1");
    close_problem(&p);
}

/* In a graph of the caller's own: no weight changes, an error says so, and the next step is as
 * if nothing had happened. Without decay the gradient itself is too large, with decay what a large
 * weight adds to it. */
static void square_overflows(plx_check *t, plx_ctx *ctx, plx_optimizer_kind kind, double decay) {
    const bool is_double = sizeof(plx_real) == sizeof(double);
    const plx_real large = (plx_real)(is_double ? 1e160 : 1e22);
    plx_optimizer_options o = plx_optimizer_default(kind);
    o.weight_decay = decay;
    problem p, q;
    CHECK(t, open_problem(ctx, &o, &p) == PLX_OK && open_problem(ctx, &o, &q) == PLX_OK, "%s",
          plx_message(ctx));
    static plx_real g[2][SIZE];
    for (int k = 0; k < 2; ++k) {
        for (int i = 0; i < SIZE; ++i) g[k][i] = 1;
        plx_plan_bind(p.plan, p.grads[k], g[k]);
        plx_plan_bind(q.plan, q.grads[k], g[k]);
    }
    plx_real *weight = (plx_real *)plx_tensor_data(p.tensors[1]) + SIZE - 1;
    if (decay > 0)
        *weight = large;
    else
        g[1][SIZE - 1] = large;
    CHECK(t,
          plx_plan_run(p.plan) == PLX_ERR_DIVERGED &&
              strstr(plx_message(ctx), "the square of a gradient is not finite, so no weight was"),
          "%s: \"%s\"", plx_optimizer_name(kind), plx_message(ctx));
    *weight = 0;
    g[1][SIZE - 1] = 1;
    CHECK(t, plx_plan_run(p.plan) == PLX_OK && plx_plan_run(q.plan) == PLX_OK, "%s",
          plx_message(ctx));
    for (int k = 0; k < 2; ++k)
        CHECK(t,
              !memcmp(plx_tensor_data(p.tensors[k]), plx_tensor_data(q.tensors[k]),
                      SIZE * sizeof(plx_real)),
              "%s: parameter %d has other bits than without the overflow", plx_optimizer_name(kind),
              k);
    close_problem(&p);
    close_problem(&q);
}

/* ---- Schedules ------------------------------------------------------------------------------- */

static void share_is(plx_check *t, const plx_schedule *s, int64_t step, int64_t steps,
                     double expected) {
    const double share = plx_schedule_share(s, step, steps);
    /* The cosine is off by less than 2e-15. */
    CHECK(t, fabs(share - expected) < 4e-15, "%s at %lld of %lld: %.17g instead of %.17g",
          plx_schedule_name(s->kind), (long long)step, (long long)steps, share, expected);
}

static void schedules(plx_check *t) {
    plx_schedule s = {.kind = PLX_SCHEDULE_CONSTANT, .floor = 0.5};
    share_is(t, &s, 0, 10, 1);
    share_is(t, &s, 9, 10, 1);
    s = (plx_schedule){.kind = PLX_SCHEDULE_CONSTANT, .warmup = 4};
    for (int i = 0; i < 10; ++i) share_is(t, &s, i, 10, i < 4 ? (i + 1) / 4.0 : 1);
    s = (plx_schedule){.kind = PLX_SCHEDULE_STEP, .every = 3, .factor = 0.5, .floor = 0.2};
    const double halves[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2};
    for (int i = 0; i < 10; ++i) share_is(t, &s, i, 10, halves[i]);
    s.warmup = 2;
    for (int i = 2; i < 12; ++i) share_is(t, &s, i, 12, halves[i - 2]);
    s = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .floor = 0.1, .warmup = 5};
    for (int i = 5; i < 25; ++i)
        share_is(t, &s, i, 25, 0.1 + 0.9 * (1 + cos(acos(-1) * (i - 5) / 20.0)) / 2);
    share_is(t, &s, 4, 25, 1);
    share_is(t, &s, 5, 25, 1);
    share_is(t, &s, 15, 25, 0.55);
    s = (plx_schedule){.kind = PLX_SCHEDULE_LINEAR, .floor = 0.2, .warmup = 2};
    for (int i = 2; i < 12; ++i) share_is(t, &s, i, 12, 1 - 0.8 * (i - 2) / 10.0);
    /* Warm-up over 30 steps to number 29, then 70 of decay. */
    s = (plx_schedule){.kind = PLX_SCHEDULE_ONE_CYCLE};
    share_is(t, &s, 0, 100, 0.04);
    share_is(t, &s, 29, 100, 1);
    share_is(t, &s, 64, 100, (1 + 4e-6) / 2);
    share_is(t, &s, 99, 100, 4e-6);
    share_is(t, &s, 10, 100, 1 - 0.96 * (1 + cos(acos(-1) * 10 / 29.0)) / 2);
    share_is(t, &s, 0, 1, 1);
    share_is(t, &s, 1, 2, 4e-6);
    for (int kind = 0; kind < PLX_SCHEDULES_; ++kind)
        CHECK(t,
              plx_schedule_from_name(plx_schedule_name((plx_schedule_kind)kind)) ==
                  (plx_schedule_kind)kind,
              "name of schedule %d", kind);
    for (int kind = 0; kind < PLX_OPTIMIZERS_; ++kind)
        CHECK(t,
              plx_optimizer_from_name(plx_optimizer_name((plx_optimizer_kind)kind)) ==
                  (plx_optimizer_kind)kind,
              "optimizer %d", kind);
    for (int loss = 0; loss < PLX_LOSSES_; ++loss)
        CHECK(t, plx_loss_from_name(plx_loss_name((plx_loss)loss)) == (plx_loss)loss, "loss %d",
              loss);
    CHECK(t,
          plx_optimizer_from_name("adams") == PLX_OPTIMIZERS_ &&
              plx_loss_from_name("") == PLX_LOSSES_,
          "names");
    CHECK(t, plx_schedule_from_name("cosin") == PLX_SCHEDULES_ && !plx_schedule_name(99), "names");
}

/* ---- Cross-entropy: smoothing and ignored labels --------------------------------------------- */

enum { ROWS = 7, CLASSES = 5 };

/* The loss and its gradient in double. */
static double cross_entropy(const plx_real *x, const int32_t *labels, double smoothing,
                            double *gradient) {
    double loss = 0, counted = 0;
    for (int r = 0; r < ROWS; ++r) counted += labels[r] != PLX_IGNORED_LABEL;
    for (int r = 0; r < ROWS; ++r) {
        double sum = 0;
        for (int c = 0; c < CLASSES; ++c) sum += exp((double)x[r * CLASSES + c]);
        for (int c = 0; c < CLASSES; ++c) {
            const double own = (double)x[r * CLASSES + c];
            const double target = (labels[r] == c ? 1 - smoothing : 0) + smoothing / CLASSES;
            const bool counts = labels[r] != PLX_IGNORED_LABEL;
            if (counts) loss += target * (log(sum) - own) / counted;
            gradient[r * CLASSES + c] = counts ? (exp(own) / sum - target) / counted : 0;
        }
    }
    return loss;
}

static void matches_double(plx_check *t, plx_ctx *ctx, const int32_t *labels, double smoothing,
                           int passes) {
    plx_graph *graph;
    plx_plan *plan = NULL;
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, (const int64_t[]){ROWS, CLASSES});
    const plx_node y = plx_input(graph, "y", PLX_DTYPE_I32, 1, (const int64_t[]){ROWS});
    plx_node out[2] = {plx_cross_entropy_smooth(graph, x, y, smoothing)};
    plx_plan_options options = plx_plan_default();
    options.passes = passes;
    plx_status status = plx_gradients(graph, out[0], 1, &x, &out[1]);
    if (status == PLX_OK) status = plx_compile(graph, 2, out, &options, &plan);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_graph_free(graph);
    if (!plan) return;
    plx_real logits[ROWS * CLASSES];
    plx_rng rng = plx_rng_new(9, 0);
    for (int i = 0; i < ROWS * CLASSES; ++i) logits[i] = (plx_real)(3 * plx_rng_normal(&rng));
    plx_plan_bind(plan, x, logits);
    plx_plan_bind(plan, y, labels);
    CHECK(t, plx_plan_run(plan) == PLX_OK, "%s", plx_message(ctx));
    double gradient[ROWS * CLASSES];
    const double loss = cross_entropy(logits, labels, smoothing, gradient);
    /* Logits below 16, sums of five terms and a mean of seven: each rounds at most that many
     * times. */
    const double bound = 16 * (CLASSES + ROWS) * eps;
    CHECK(t, fabs((double)plx_plan_output(plan, out[0])[0] - loss) <= bound,
          "passes %d, smoothing %g: loss %.9g instead of %.9g", passes, smoothing,
          (double)plx_plan_output(plan, out[0])[0], loss);
    for (int i = 0; i < ROWS * CLASSES; ++i)
        CHECK(t, fabs((double)plx_plan_output(plan, out[1])[i] - gradient[i]) <= bound,
              "passes %d, smoothing %g: gradient %d is %.9g instead of %.9g", passes, smoothing, i,
              (double)plx_plan_output(plan, out[1])[i], gradient[i]);
    plx_plan_free(plan);
}

static void label_options(plx_check *t, plx_ctx *ctx) {
    const int32_t all[ROWS] = {0, 1, 2, 3, 4, 0, 1};
    const int32_t some[ROWS] = {PLX_IGNORED_LABEL, 1, PLX_IGNORED_LABEL, 3, 4, 0, 2};
    int32_t none[ROWS];
    for (int r = 0; r < ROWS; ++r) none[r] = PLX_IGNORED_LABEL;
    const int32_t *const lists[] = {all, some, none};
    const double smoothings[] = {0, 0.1, 0.9};
    for (int l = 0; l < 3; ++l)
        for (int s = 0; s < 3; ++s)
            for (int passes = 0; passes < 2; ++passes)
                matches_double(t, ctx, lists[l], smoothings[s], passes * PLX_PASS_FUSE);
}

static void label_refusals(plx_check *t, plx_ctx *ctx) {
    const double bad[] = {-0.1, 1, NAN};
    for (int i = 0; i < 3; ++i) {
        plx_graph *graph;
        if (plx_graph_new(ctx, &graph) != PLX_OK) return;
        const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, (const int64_t[]){3, 2});
        const plx_node y = plx_input(graph, "y", PLX_DTYPE_I32, 1, (const int64_t[]){3});
        const plx_node loss = plx_cross_entropy_smooth(graph, x, y, bad[i]);
        CHECK(t,
              loss.id < 0 && plx_graph_status(graph) == PLX_ERR_ARGUMENT &&
                  strstr(plx_message(ctx), "label smoothing"),
              "smoothing %g: \"%s\"", bad[i], plx_message(ctx));
        plx_graph_free(graph);
    }
}

void plx_test_unit_optimizers(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    formulas(t, ctx);
    refusals(t, ctx);
    for (int coupled = 0; coupled < 2; ++coupled) {
        square_overflows(t, ctx, PLX_ADAM, coupled);
        square_overflows(t, ctx, PLX_RMSPROP, coupled);
    }
    square_overflows(t, ctx, PLX_ADAMW, 0);
    schedules(t);
    label_options(t, ctx);
    label_refusals(t, ctx);
    plx_ctx_free(ctx);
}
