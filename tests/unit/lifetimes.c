/* Objects may be freed in any order: an object keeps those that it was made from. The sanitizers
 * detect use after free, and leaks. */
#include "check.h"

#include <stdio.h>

enum { ROWS = 4, WIDTH = 3 };

/* One object of each kind, and how to free it. */
typedef struct objects {
    plx_ctx *ctx;
    plx_tensor *tensor;
    plx_optimizer *optimizer;
    plx_graph *graph;
    plx_plan *plan, *training;
    plx_weights *weights;
    plx_model *model, *writer;
    plx_trainer *trainer;
    plx_generator *generator;
    plx_node x, y, loss;
} objects;

static const plx_real data[ROWS * WIDTH] = {1, -1, 2, 0, 3, 1, -2, 1, 0, 1, 1, 1};

static void free_ctx(objects *o) {
    plx_ctx_free(o->ctx);
    o->ctx = NULL;
}
static void free_tensor(objects *o) {
    plx_tensor_free(o->tensor);
    o->tensor = NULL;
}
static void free_optimizer(objects *o) {
    plx_optimizer_free(o->optimizer);
    o->optimizer = NULL;
}
static void free_graph(objects *o) {
    plx_graph_free(o->graph);
    o->graph = NULL;
}
static void free_plans(objects *o) {
    plx_plan_free(o->plan);
    plx_plan_free(o->training);
    o->plan = o->training = NULL;
}
static void free_weights(objects *o) {
    plx_weights_free(o->weights);
    o->weights = NULL;
}
static void free_models(objects *o) {
    plx_model_free(o->model);
    plx_model_free(o->writer);
    o->model = o->writer = NULL;
}
static void free_trainer(objects *o) {
    plx_trainer_free(o->trainer);
    o->trainer = NULL;
}
static void free_generator(objects *o) {
    plx_generator_free(o->generator);
    o->generator = NULL;
}

static const struct {
    const char *name;
    void (*let_go)(objects *o);
} kinds[] = {
    {"context", free_ctx},  {"tensor", free_tensor},   {"optimizer", free_optimizer},
    {"graph", free_graph},  {"plan", free_plans},      {"weights", free_weights},
    {"model", free_models}, {"trainer", free_trainer}, {"generator", free_generator},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* y = layer(x w): one tensor of the caller's, and one of the weights'. */
static plx_status open_graph(objects *o) {
    static const int64_t x[] = {ROWS, WIDTH}, w[] = {WIDTH, WIDTH};
    const plx_optimizer_options adam = plx_optimizer_default(PLX_ADAM);
    plx_status status = plx_tensor_new(o->ctx, PLX_DTYPE_REAL, 2, w, &o->tensor);
    if (status == PLX_OK) status = plx_optimizer_new(o->ctx, &adam, 1, &o->tensor, &o->optimizer);
    if (status == PLX_OK) status = plx_weights_new(o->ctx, 1, &o->weights);
    if (status == PLX_OK) status = plx_graph_new(o->ctx, &o->graph);
    if (status != PLX_OK) return status;
    const plx_scope scope = plx_scope_new(o->weights, o->graph, true);
    const plx_layer layer = {.kind = PLX_LAYER_DENSE, .units = 2};
    const plx_node p = plx_parameter(o->graph, "p", o->tensor);
    o->x = plx_input(o->graph, "x", PLX_DTYPE_REAL, 2, x);
    o->y = plx_layer_apply(&scope, &layer, plx_matmul(o->graph, o->x, p, false, false));
    o->loss = plx_reduce_mean(o->graph, o->y, PLX_ALL_AXES);
    plx_node gradient;
    status = plx_gradients(o->graph, o->loss, 1, &p, &gradient);
    if (status != PLX_OK) return status;
    const plx_node outputs[] = {o->loss, plx_update(o->graph, o->optimizer, &gradient)};
    status = plx_compile(o->graph, 1, &o->y, NULL, &o->plan);
    return status == PLX_OK ? plx_compile(o->graph, 2, outputs, NULL, &o->training) : status;
}

static plx_status open_models(objects *o) {
    static const int64_t width = WIDTH;
    static const char name[] = "gpt2-nano:layers=1,heads=1,width=4,vocabulary=5,context=4";
    const plx_layer layer = {.kind = PLX_LAYER_DENSE, .units = WIDTH};
    const plx_dataset samples = {.n = ROWS, .inputs = {data}, .targets = {data}};
    plx_trainer_options fit = plx_trainer_default();
    fit.batch = 3;
    fit.epochs = 8;
    plx_status status = plx_model_new(o->ctx, 1, &width, 1, &o->model);
    if (status == PLX_OK) status = plx_model_add(o->model, &layer);
    if (status == PLX_OK) status = plx_trainer_new(o->model, &fit, &samples, &o->trainer);
    if (status == PLX_OK) status = plx_model_from_name(o->ctx, name, 1, &o->writer);
    return status == PLX_OK ? plx_generator_new(o->writer, 1, &o->generator) : status;
}

static bool open_objects(plx_check *t, objects *o) {
    *o = (objects){.ctx = plx_check_context(t, NULL, 2)};
    if (!o->ctx) return false;
    plx_status status = open_graph(o);
    if (status == PLX_OK) status = open_models(o);
    return CHECK(t, status == PLX_OK, "%s", plx_message(o->ctx));
}

/* Uses every object that is still there. */
static void use(plx_check *t, objects *o, const char *gone) {
    static const plx_sampling likeliest = {0};
    static const int32_t first = 2;
    plx_progress progress;
    int32_t token = -1;
    plx_real out[ROWS * WIDTH];
    const plx_dataset samples = {.n = ROWS, .inputs = {data}};
    const int64_t *dims = NULL;
    if (o->graph) {
        const plx_node more = plx_exp(o->graph, o->y);
        CHECK(t, plx_node_shape(o->graph, more, &dims) == 2 && dims[0] == ROWS, "graph, %s", gone);
    }
    plx_plan *const plans[] = {o->plan, o->training};
    for (int i = 0; i < 2 && plans[i]; ++i) {
        const bool ran = plx_plan_bind(plans[i], o->x, data) == PLX_OK &&
                         plx_plan_run(plans[i]) == PLX_OK && plx_plan_run(plans[i]) == PLX_OK;
        CHECK(t, ran && plx_plan_memory(plans[i]).activations > 0, "plan %d, %s", i, gone);
    }
    if (o->optimizer)
        CHECK(t, plx_optimizer_set_rate(o->optimizer, 0.5) == PLX_OK, "optimizer, %s", gone);
    if (o->tensor) CHECK(t, plx_tensor_size(o->tensor) == WIDTH * WIDTH, "tensor, %s", gone);
    if (o->weights)
        CHECK(t, plx_weights_find(o->weights, "dense.weight") != NULL, "weights, %s", gone);
    if (o->trainer)
        CHECK(t, plx_trainer_run(o->trainer, 1, &progress) == PLX_OK, "trainer, %s", gone);
    if (o->model)
        CHECK(t, plx_model_predict(o->model, &samples, 2, (plx_real *[]){out}) == PLX_OK,
              "model, %s", gone);
    if (!o->generator) return;
    CHECK(t,
          plx_generator_feed(o->generator, 1, &first) == PLX_OK &&
              plx_generator_next(o->generator, &likeliest, &token) == PLX_OK && token >= 0,
          "generator, %s", gone);
}

/* Frees every pair in both orders, then all others. */
static void check_pair(plx_check *t, int first, int second) {
    objects o;
    char gone[64];
    if (open_objects(t, &o)) {
        kinds[first].let_go(&o);
        use(t, &o, kinds[first].name);
        kinds[second].let_go(&o);
        snprintf(gone, sizeof gone, "%s, %s", kinds[first].name, kinds[second].name);
        use(t, &o, gone);
    }
    for (int i = 0; i < KINDS; ++i) kinds[i].let_go(&o);
}

/* The dims of the first node, requested before hundreds are added; and a model that must wait
 * for its trainer before it takes another layer. */
static void check_rest(plx_check *t) {
    objects o;
    const plx_layer layer = {.kind = PLX_LAYER_DENSE, .units = 2};
    if (open_objects(t, &o)) {
        const int64_t *dims = NULL;
        plx_node y = o.x;
        plx_node_shape(o.graph, o.x, &dims);
        for (int i = 0; i < 1000; ++i) y = plx_exp(o.graph, y);
        CHECK(t, y.id >= 0 && dims[0] == ROWS && dims[1] == WIDTH, "%lld x %lld",
              (long long)dims[0], (long long)dims[1]);
        CHECK(t, plx_model_add(o.model, &layer) == PLX_ERR_STATE, "a layer in training");
        free_trainer(&o);
        CHECK(t, plx_model_add(o.model, &layer) == PLX_OK, "%s", plx_message(o.ctx));
    }
    for (int i = 0; i < KINDS; ++i) kinds[i].let_go(&o);
}

void plx_test_unit_lifetimes(plx_check *t) {
    for (int first = 0; first < KINDS; ++first)
        for (int second = 0; second < KINDS; ++second)
            if (first != second) check_pair(t, first, second);
    check_rest(t);
}
