/* Weights that stay packed: the same bits as without, on every target, for any number of rows and
 * threads; whoever writes a weight is seen by the next run; plans share one copy. */
#include "check.h"

#include <stdio.h>
#include <string.h>

/* ---- Bits ------------------------------------------------------------------------------------ */

typedef enum product_kind { PLAIN, TRANSPOSED, PIXELS, PIXELS_BACK, PRODUCT_KINDS } product_kind;

typedef struct product {
    product_kind kind;
    int64_t rows, inner, columns;
    bool finished; /* with a bias and an activation */
} product;

static plx_node emit(plx_graph *graph, const product *p, plx_node x, plx_node w, plx_node bias) {
    plx_node y = plx_none();
    const plx_node b = p->finished ? bias : plx_none();
    switch (p->kind) {
    case PLAIN:
    case TRANSPOSED:
        y = plx_matmul(graph, x, w, false, p->kind == TRANSPOSED);
        if (p->finished) y = plx_bias(graph, y, bias);
        break;
    case PIXELS: y = plx_conv2d(graph, x, w, b, NULL); break;
    case PIXELS_BACK: y = plx_conv2d_transpose(graph, x, w, b, NULL, NULL); break;
    case PRODUCT_KINDS: break;
    }
    return p->finished ? plx_activate(graph, y, PLX_RELU, 0) : y;
}

/* A parameter and a product with it, as plans with the pass and without. */
typedef struct pair {
    plx_ctx *ctx;
    plx_tensor *weight, *bias;
    plx_graph *graph;
    plx_node x, y;
    plx_plan *plans[2]; /* without, with */
    plx_real *data;
    int64_t size; /* of the result */
} pair;

static void fill(uint64_t seed, int64_t size, plx_real *to) {
    plx_rng rng = plx_rng_new(seed, 0);
    for (int64_t i = 0; i < size; ++i) to[i] = (plx_real)(2 * plx_rng_uniform(&rng) - 1);
}

static plx_status compile_pair(pair *p, int threads) {
    for (int on = 0; on < 2; ++on) {
        plx_plan_options options = plx_plan_default();
        options.passes &= ~PLX_PASS_PARALLEL; /* all threads, whatever they cost */
        if (!on) options.passes &= ~PLX_PASS_PACK;
        options.constant_parameters = true;
        options.threads = threads;
        plx_status status = plx_compile(p->graph, 1, &p->y, &options, &p->plans[on]);
        if (status == PLX_OK) status = plx_plan_bind(p->plans[on], p->x, p->data);
        if (status != PLX_OK) return status;
    }
    return PLX_OK;
}

static plx_status open_pair(plx_ctx *ctx, const product *of, pair *p) {
    const bool back = of->kind == TRANSPOSED || of->kind == PIXELS_BACK, image = of->kind >= PIXELS;
    const int64_t x[] = {1, of->rows, 1, of->inner};
    const int64_t w[] = {1, 1, back ? of->columns : of->inner, back ? of->inner : of->columns};
    *p = (pair){.ctx = ctx, .size = of->rows * of->columns};
    p->data = plx_alloc((size_t)(of->rows * of->inner) * sizeof *p->data);
    plx_status status = p->data ? plx_graph_new(ctx, &p->graph) : PLX_ERR_MEMORY;
    if (status == PLX_OK)
        status = plx_tensor_new(ctx, PLX_DTYPE_REAL, image ? 4 : 2, image ? w : w + 2, &p->weight);
    if (status == PLX_OK) status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &of->columns, &p->bias);
    if (status != PLX_OK) return status;
    fill(1, of->rows * of->inner, p->data);
    fill(2, of->columns, plx_tensor_data(p->bias));
    fill(3, of->inner * of->columns, plx_tensor_data(p->weight));
    const int64_t flat[] = {of->rows, of->inner};
    p->x = plx_input(p->graph, "x", PLX_DTYPE_REAL, image ? 4 : 2, image ? x : flat);
    const plx_node weight = plx_parameter(p->graph, "w", p->weight);
    p->y = emit(p->graph, of, p->x, weight, plx_parameter(p->graph, "b", p->bias));
    return compile_pair(p, 0);
}

static void close_pair(pair *p) {
    for (int on = 0; on < 2; ++on) plx_plan_free(p->plans[on]);
    plx_graph_free(p->graph);
    plx_tensor_free(p->weight);
    plx_tensor_free(p->bias);
    plx_free(p->data);
}

static bool runs_alike(plx_check *t, pair *p, const char *what, const char *when) {
    plx_status status = plx_plan_run(p->plans[0]);
    if (status == PLX_OK) status = plx_plan_run(p->plans[1]);
    return CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(p->ctx)) &&
           CHECK(t,
                 !memcmp(plx_plan_output(p->plans[0], p->y), plx_plan_output(p->plans[1], p->y),
                         (size_t)p->size * sizeof(plx_real)),
                 "%s: other bits %s", what, when);
}

/* Twice with one weight and once with another: packed, packed before, and packed again. */
static void check_product(plx_check *t, plx_ctx *ctx, const product *of) {
    char what[96];
    pair p;
    snprintf(what, sizeof what, "%s, kind %d, %lld x %lld x %lld%s", plx_ctx_get_info(ctx).isa,
             of->kind, (long long)of->rows, (long long)of->inner, (long long)of->columns,
             of->finished ? ", finished" : "");
    const plx_status status = open_pair(ctx, of, &p);
    if (CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(ctx))) {
        const int64_t least = of->inner * of->columns * (int64_t)sizeof(plx_real);
        const int64_t packed = plx_plan_memory(p.plans[1]).packed;
        /* One column has nothing to pack, and one row by a transposed weight is dot products. */
        const bool plain = of->columns < 2 ||
                           (of->rows < 2 && (of->kind == TRANSPOSED || of->kind == PIXELS_BACK));
        CHECK(t, plain ? !packed : packed >= least, "%s: %lld bytes are packed", what,
              (long long)packed);
        CHECK(t, !plx_plan_memory(p.plans[0]).packed, "%s: packed without the pass", what);
        if (runs_alike(t, &p, what, "at first") && runs_alike(t, &p, what, "in the second run")) {
            fill(4, of->inner * of->columns, plx_tensor_data(p.weight));
            runs_alike(t, &p, what, "after the weight was written");
        }
    }
    close_pair(&p);
}

/* Deep enough for several blocks of depth; once so deep that the sum is taken in parts. */
static void check_bits(plx_check *t, const char *isa, int threads) {
    static const int64_t sizes[][2] = {{1, 1}, {7, 10}, {65, 33}, {300, 97}, {129, 257}, {64, 128}};
    enum { ROWS = 129, EACH = 20, SIZES = sizeof sizes / sizeof *sizes };
    const int some = PLX_AS_SHIPPED && threads == 1 ? 1 : 12;
    plx_ctx *ctx = plx_check_context(t, isa, threads);
    if (!ctx) return;
    for (int64_t rows = 1; rows <= ROWS; rows += rows < EACH ? 1 : some)
        for (int kind = 0; kind < PRODUCT_KINDS; ++kind) {
            const int64_t *size = sizes[(rows + kind) % SIZES];
            check_product(t, ctx,
                          &(product){kind, rows, size[0], size[1], (rows / SIZES + kind) % 2});
        }
    check_product(t, ctx, &(product){PLAIN, 3, 8200, 19, true});
    check_product(t, ctx, &(product){TRANSPOSED, 1, 8200, 19, false});
    plx_ctx_free(ctx);
}

/* ---- Plans that share ------------------------------------------------------------------------ */

static plx_plan *plan_of(plx_check *t, plx_ctx *ctx, plx_tensor *weight, int64_t rows,
                         const plx_real *x, plx_node *y) {
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    const int64_t dims[] = {rows, plx_tensor_dims(weight)[0]};
    plx_plan_options options = plx_plan_default();
    options.constant_parameters = true;
    plx_status status = plx_graph_new(ctx, &graph);
    const plx_node in = plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims);
    const plx_node w = plx_parameter(graph, "w", weight);
    *y = plx_matmul(graph, plx_matmul(graph, in, w, false, false), w, false, false);
    if (status == PLX_OK) status = plx_compile(graph, 1, y, &options, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, in, x);
    if (status == PLX_OK) status = plx_plan_run(plan);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    plx_graph_free(graph);
    return plan;
}

/* Two plans, whose first rows agree; the last of three owners may be any. */
static void check_sharing(plx_check *t) {
    enum { WIDTH = 40, MOST = 8, ORDERS = 3 };
    static const int64_t dims[] = {WIDTH, WIDTH};
    static plx_real x[MOST * WIDTH];
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    fill(5, MOST * WIDTH, x);
    for (int order = 0; ctx && order < ORDERS; ++order) {
        plx_tensor *weight = NULL;
        plx_node y[2];
        if (plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, dims, &weight) != PLX_OK) break;
        fill(6, WIDTH * WIDTH, plx_tensor_data(weight));
        plx_plan *few = plan_of(t, ctx, weight, 3, x, &y[0]);
        plx_plan *many = plan_of(t, ctx, weight, MOST, x, &y[1]);
        const int64_t packed = plx_plan_memory(few).packed;
        CHECK(t, packed >= (int64_t)sizeof(plx_real) * WIDTH * WIDTH, "%lld bytes",
              (long long)packed);
        CHECK(t, plx_plan_memory(many).packed == packed, "%lld bytes and %lld",
              (long long)plx_plan_memory(many).packed, (long long)packed);
        fill(7, WIDTH * WIDTH, plx_tensor_data(weight));
        CHECK(t, plx_plan_run(few) == PLX_OK, "%s", plx_message(ctx));
        plx_real kept[3 * WIDTH];
        memcpy(kept, plx_plan_output(few, y[0]), sizeof kept);
        if (order == 0) plx_tensor_free(weight);
        if (order == 1) plx_plan_free(few);
        CHECK(t, plx_plan_run(many) == PLX_OK, "%s", plx_message(ctx));
        CHECK(t, !memcmp(kept, plx_plan_output(many, y[1]), sizeof kept),
              "plans of one weight differ, order %d", order);
        if (order != 1) plx_plan_free(few);
        plx_plan_free(many);
        if (order != 0) plx_tensor_free(weight);
    }
    plx_ctx_free(ctx);
}

/* ---- Whoever writes -------------------------------------------------------------------------- */

enum { IN = 6, OUT = 5, SAMPLES = 24 };

typedef struct learner {
    plx_ctx *ctx;
    plx_model *model, *other;
    plx_dataset data;
    plx_real x[SAMPLES * IN], y[SAMPLES * OUT];
} learner;

static plx_tensor *first_weight(learner *l) {
    return plx_weights_at(plx_model_weights(l->model), 0, NULL, NULL);
}

static void write_data(learner *l) {
    plx_tensor *weight = first_weight(l);
    plx_real *data = plx_tensor_data(weight);
    for (int64_t i = 0; i < plx_tensor_size(weight); ++i) data[i] = -data[i];
}

static void write_init(learner *l) {
    plx_rng rng = plx_rng_new(9, 9);
    plx_tensor_init(first_weight(l), PLX_INIT_HE_NORMAL, 0, &rng);
}

static void write_copy(learner *l) {
    plx_model_copy_weights(l->model, l->other);
}

/* With patience the rate is so high that the best weights, those after one epoch, are put back. */
static void train(learner *l, int64_t patience) {
    plx_trainer *trainer = NULL;
    plx_progress progress = {0};
    plx_trainer_options options = plx_trainer_default();
    options.batch = 8;
    options.epochs = 3;
    options.optimizer.rate = patience ? 3 : 0.01;
    options.patience = patience;
    if (patience) options.validation = &l->data;
    plx_status status = plx_trainer_new(l->model, &options, &l->data, &trainer);
    while (status == PLX_OK && !progress.done) status = plx_trainer_run(trainer, 1, &progress);
    plx_trainer_free(trainer);
}

static void write_steps(learner *l) {
    train(l, 0);
}

static void write_best(learner *l) {
    train(l, 2);
}

static const struct {
    const char *name;
    void (*write)(learner *l);
} writers[] = {
    {"plx_tensor_data", write_data},        {"plx_tensor_init", write_init},
    {"plx_model_copy_weights", write_copy}, {"training", write_steps},
    {"restored weights", write_best},
};

/* The outputs of a plan that keeps nothing packed. */
static plx_status run_plainly(learner *l, plx_real *out) {
    static const int64_t dims[] = {SAMPLES, IN};
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_node y = plx_none();
    plx_status status = plx_graph_new(l->ctx, &graph);
    if (status != PLX_OK) return status;
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 2, dims);
    status = plx_model_forward(l->model, graph, &x, false, &y);
    if (status == PLX_OK) status = plx_compile(graph, 1, &y, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, x, l->x);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (status == PLX_OK && plx_plan_memory(plan).packed) status = PLX_ERR_STATE;
    if (status == PLX_OK) memcpy(out, plx_plan_output(plan, y), SAMPLES * OUT * sizeof *out);
    plx_plan_free(plan);
    plx_graph_free(graph);
    return status;
}

static void check_writer(plx_check *t, learner *l, int i) {
    plx_real before[SAMPLES * OUT], after[SAMPLES * OUT], plain[SAMPLES * OUT];
    plx_status status = plx_model_predict(l->model, &l->data, SAMPLES, (plx_real *[]){before});
    writers[i].write(l);
    if (status == PLX_OK)
        status = plx_model_predict(l->model, &l->data, SAMPLES, (plx_real *[]){after});
    if (status == PLX_OK) status = run_plainly(l, plain);
    if (!CHECK(t, status == PLX_OK, "%s: %s", writers[i].name, plx_message(l->ctx))) return;
    CHECK(t, memcmp(before, after, sizeof after) != 0, "%s: nothing changed", writers[i].name);
    CHECK(t, !memcmp(plain, after, sizeof after), "%s: predictions are from older weights",
          writers[i].name);
}

static void check_writers(plx_check *t) {
    static learner l;
    l = (learner){.ctx = plx_check_context(t, NULL, 2)};
    if (!l.ctx) return;
    fill(1, SAMPLES * IN, l.x);
    fill(2, SAMPLES * OUT, l.y);
    l.data = (plx_dataset){.n = SAMPLES, .inputs = {l.x}, .targets = {l.y}};
    plx_status status = plx_model_from_name(l.ctx, "mlp:6-40-5:tanh", 1, &l.model);
    if (status == PLX_OK) status = plx_model_from_name(l.ctx, "mlp:6-40-5:tanh", 2, &l.other);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(l.ctx))) {
        for (int i = 0; i < (int)(sizeof writers / sizeof *writers); ++i) check_writer(t, &l, i);
        CHECK(t, plx_model_predict_memory(l.model).packed > 0, "predictions pack nothing");
    }
    plx_model_free(l.model);
    plx_model_free(l.other);
    plx_ctx_free(l.ctx);
}

/* A plan that updates one of two weights keeps the other packed, and others see what it wrote. */
static void check_own_update(plx_check *t) {
    enum { WIDTH = 20, ROWS = 4, STEPS = 3 };
    static const int64_t dims[] = {WIDTH, WIDTH}, rows[] = {ROWS, WIDTH};
    static plx_real x[ROWS * WIDTH], results[2][ROWS * WIDTH];
    const plx_optimizer_options sgd = plx_optimizer_default(PLX_SGD);
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    fill(1, ROWS * WIDTH, x);
    for (int keeps = 0; ctx && keeps < 2; ++keeps) {
        plx_tensor *weights[2] = {NULL};
        plx_optimizer *optimizer = NULL;
        plx_graph *graph = NULL;
        plx_plan *update = NULL, *predict = NULL;
        plx_plan_options options = plx_plan_default();
        options.constant_parameters = keeps;
        plx_status status = plx_graph_new(ctx, &graph);
        for (int i = 0; i < 2 && status == PLX_OK; ++i) {
            status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, dims, &weights[i]);
            if (status == PLX_OK) fill(3, WIDTH * WIDTH, plx_tensor_data(weights[i]));
        }
        if (status == PLX_OK) status = plx_optimizer_new(ctx, &sgd, 1, weights, &optimizer);
        const plx_node in = plx_input(graph, "x", PLX_DTYPE_REAL, 2, rows);
        const plx_node w = plx_parameter(graph, "w", weights[0]);
        const plx_node fixed = plx_parameter(graph, "fixed", weights[1]);
        const plx_node y =
            plx_matmul(graph, plx_matmul(graph, in, w, false, false), fixed, false, false);
        plx_node gradient = plx_none();
        if (status == PLX_OK)
            status =
                plx_gradients(graph, plx_reduce_mean(graph, plx_square(graph, y), PLX_ALL_AXES), 1,
                              &w, &gradient);
        const plx_node outputs[] = {y, plx_update(graph, optimizer, &gradient)};
        if (status == PLX_OK) status = plx_compile(graph, 2, outputs, &options, &update);
        if (status == PLX_OK) status = plx_compile(graph, 1, &y, &options, &predict);
        if (status == PLX_OK) status = plx_plan_bind(update, in, x);
        if (status == PLX_OK) status = plx_plan_bind(predict, in, x);
        for (int i = 0; i < STEPS && status == PLX_OK; ++i) {
            status = plx_plan_run(update);
            if (status == PLX_OK) status = plx_plan_run(predict);
        }
        if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx))) {
            memcpy(results[keeps], plx_plan_output(predict, y), sizeof results[0]);
            const int64_t all = plx_plan_memory(predict).packed;
            const int64_t fixed_alone = plx_plan_memory(update).packed;
            CHECK(t, (all > 0) == keeps && (fixed_alone > 0) == keeps, "%lld and %lld bytes",
                  (long long)all, (long long)fixed_alone);
        }
        plx_plan_free(update);
        plx_plan_free(predict);
        plx_graph_free(graph);
        plx_optimizer_free(optimizer);
        for (int i = 0; i < 2; ++i) plx_tensor_free(weights[i]);
    }
    CHECK(t, !memcmp(results[0], results[1], sizeof results[0]), "other bits after updates");
    plx_ctx_free(ctx);
}

void plx_test_unit_packing(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i)
        for (int threads = 1; threads <= 3; threads += 2) check_bits(t, plx_isa_name(i), threads);
    check_sharing(t);
    check_writers(t);
    check_own_update(t);
}
