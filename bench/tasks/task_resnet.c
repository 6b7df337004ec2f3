/* Task resnet-nano: kinds of synthetic pictures, and what the shortcuts are good for: the same net
 * without them, from the same initial weights, is trained on the same batches. */
#include "bench/tasks/pictures.h"
#include "bench/tasks/shapes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct resnet_state {
    plx__picture_set pictures;
    char plain_name[200];
    plx_model *plain; /* NULL until it is needed */
    plx_trainer *plain_trainer;
} resnet_state;

static plx_status open_task(plx_learning *l) {
    resnet_state *state = l->state = plx_alloc(sizeof *state);
    if (!state) return plx_fail(l->ctx, PLX_ERR_MEMORY, "resnet-nano: no memory");
    *state = (resnet_state){0};
    snprintf(l->model_name, sizeof l->model_name, "resnet-nano");
    plx_trainer_options *o = &l->trainer_options;
    o->batch = 32;
    o->steps = plx_learning_steps(l, 240, 600, 3000);
    o->epochs = o->steps;
    o->optimizer = plx_optimizer_default(PLX_ADAM);
    o->optimizer.rate = 4e-3;
    o->schedule = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = o->steps / 10};
    return plx__pictures_open(l, &state->pictures);
}

/* ---- The same net without shortcuts ---------------------------------------------------------- */

static bool has_shortcuts(const plx_learning *l) {
    return plx_model_setting(l->model, "skips") == 1;
}

static plx_status make_plain(plx_learning *l) {
    resnet_state *state = l->state;
    if (state->plain_trainer) return PLX_OK;
    const bool more = strchr(l->model_name, ':') != NULL;
    snprintf(state->plain_name, sizeof state->plain_name, "%s%cskips=0,zero_scale=0", l->model_name,
             more ? ',' : ':');
    const plx_status status =
        plx_model_from_name(l->ctx, state->plain_name, l->options.seed, &state->plain);
    if (status != PLX_OK) return status;
    return plx_trainer_new(state->plain, &l->trainer_options, &l->train, &state->plain_trainer);
}

/* Trained for as many steps as the net with shortcuts has been. If it diverges, its last weights
 * are the result. */
static plx_status train_plain(plx_learning *l) {
    resnet_state *state = l->state;
    plx_status status = make_plain(l);
    int64_t steps, done;
    (void)plx_trainer_losses(l->trainer, &steps);
    while (status == PLX_OK) {
        (void)plx_trainer_losses(state->plain_trainer, &done);
        if (done >= steps) break;
        plx_progress progress;
        status = plx_trainer_run(state->plain_trainer, steps - done, &progress);
        if (progress.done) break; /* out of patience */
    }
    return status == PLX_ERR_DIVERGED ? PLX_OK : status;
}

static plx_status evaluate(plx_learning *l) {
    resnet_state *state = l->state;
    plx_metrics without;
    double top1;
    plx_status status = plx__pictures_measure(l, 0.85, &top1);
    if (status != PLX_OK || !has_shortcuts(l)) return status;
    status = train_plain(l);
    if (status == PLX_OK)
        status =
            plx_model_evaluate(state->plain, 0, PLX_LOSS_CROSS_ENTROPY, &l->test, &without, NULL);
    if (status != PLX_OK) return status;
    plx_learning_record(l, "top-1 without skips", "1", "none", without.accuracy, NAN);
    plx_learning_record(l, "loss without skips", "nats", "none", without.loss, NAN);
    plx_learning_record(l, "top-1 gained by skips", "1", "higher", top1 - without.accuracy, 0.05);
    return PLX_OK;
}

/* ---- Gradient norms -------------------------------------------------------------------------- */

/* An upper limit on the convolutions of a ResNet: the stem and two in each of 64 blocks of 8
 * stages. */
enum { MOST_LAYERS = 1 + 2 * 64 * 8, PROBED = 32 };

typedef struct probe {
    int count;
    plx_node weights[MOST_LAYERS], gradients[MOST_LAYERS];
    int64_t sizes[MOST_LAYERS];
    char names[MOST_LAYERS][PLX_LEARNING_LABEL];
} probe;

/* Shortens "stage_1.block_0.conv_1.weight" to "s1.b0.conv_1". */
static void shorten(const char *name, char *label) {
    int length = 0;
    for (const char *c = name;
         *c && strcmp(c, ".weight") != 0 && length < PLX_LEARNING_LABEL - 1;) {
        const bool numbered = !strncmp(c, "stage_", 6) || !strncmp(c, "block_", 6);
        label[length++] = *c;
        c += numbered ? 6 : 1;
    }
    label[length] = '\0';
}

static bool is_shortcut(const char *name) {
    static const char end[] = ".projection.weight";
    const size_t length = strlen(name), own = sizeof end - 1;
    return length >= own && !strcmp(name + length - own, end);
}

/* The convolutions that exist both with and without shortcuts. */
static void list_layers(plx_model *model, plx_graph *graph, probe *p) {
    plx_weights *weights = plx_model_weights(model);
    for (int i = 0; i < plx_weights_count(weights) && p->count < MOST_LAYERS; ++i) {
        const char *name;
        plx_tensor *weight = plx_weights_at(weights, i, &name, NULL);
        if (plx_tensor_rank(weight) != 4 || is_shortcut(name)) continue;
        p->weights[p->count] = plx_parameter(graph, NULL, weight);
        p->sizes[p->count] = plx_tensor_size(weight);
        shorten(name, p->names[p->count++]);
    }
}

static plx_status emit_probe(plx_learning *l, plx_model *model, plx_graph *graph, probe *p,
                             plx_plan **plan) {
    const plx_port port = plx_model_input(model, 0);
    int64_t dims[PLX_MAX_RANK] = {PROBED};
    memcpy(dims + 1, port.dims, (size_t)port.rank * sizeof *dims);
    const plx_node image = plx_input(graph, "image", PLX_DTYPE_REAL, port.rank + 1, dims);
    const plx_node labels = plx_input(graph, "labels", PLX_DTYPE_I32, 1, dims);
    plx_node logits;
    plx_status status = plx_model_forward(model, graph, &image, true, &logits);
    if (status != PLX_OK) return status;
    list_layers(model, graph, p);
    status = plx_gradients(graph, plx_cross_entropy(graph, logits, labels), p->count, p->weights,
                           p->gradients);
    if (status == PLX_OK) status = plx_compile(graph, p->count, p->gradients, NULL, plan);
    if (status == PLX_OK) status = plx_plan_bind(*plan, image, l->test.inputs[0]);
    if (status == PLX_OK) status = plx_plan_bind(*plan, labels, l->test.targets[0]);
    return status;
}

static plx_status show_norms(plx_learning *l, const char *name, const plx_plan *plan,
                             const probe *p) {
    plx_exhibit *shown = plx_learning_show(l, PLX_EXHIBIT_BARS, name, 1, 1, p->count, 1, p->count);
    if (!shown) return plx_fail(l->ctx, PLX_ERR_MEMORY, "resnet-nano: no memory");
    for (int i = 0; i < p->count; ++i) {
        const plx_real *gradient = plx_plan_output(plan, p->gradients[i]);
        double squares = 0;
        for (int64_t j = 0; j < p->sizes[i]; ++j)
            squares += (double)gradient[j] * (double)gradient[j];
        shown->values[i] = (plx_real)plx_math_sqrt(squares);
        memcpy(shown->labels[i], p->names[i], PLX_LEARNING_LABEL);
    }
    return PLX_OK;
}

/* The norm of d loss / d weight for every convolution, on a held-out batch. Works on a copy of the
 * model, since a forward pass in training would change its running statistics; trained NULL: with
 * the initial weights. */
static plx_status probe_gradients(plx_learning *l, const char *name, const char *model_name,
                                  const plx_model *trained) {
    plx_model *copy = NULL;
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    probe *p = plx_alloc(sizeof *p);
    if (!p) return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory", l->task->name);
    p->count = 0;
    plx_status status = plx_model_from_name(l->ctx, model_name, l->options.seed, &copy);
    if (status == PLX_OK) status = plx_graph_new(l->ctx, &graph);
    if (status == PLX_OK) {
        if (trained) (void)plx_model_copy_weights(copy, trained);
        status = emit_probe(l, copy, graph, p, &plan);
    }
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (status == PLX_OK) status = show_norms(l, name, plan, p);
    plx_plan_free(plan);
    plx_graph_free(graph);
    plx_model_free(copy);
    plx_free(p);
    return status;
}

static plx_status show_gradients(plx_learning *l) {
    resnet_state *state = l->state;
    /* Nothing is left to train if the measures were worked out first. */
    const plx_status caught_up = train_plain(l);
    if (caught_up != PLX_OK) return caught_up;
    const struct {
        const char *name, *model_name;
        const plx_model *trained;
    } shown[] = {
        {"gradients at the start", l->model_name, NULL},
        {"gradients at the start, without skips", state->plain_name, NULL},
        {"gradients", l->model_name, l->model},
        {"gradients, without skips", state->plain_name, state->plain},
    };
    plx_status status = PLX_OK;
    for (int i = 0; i < 4 && status == PLX_OK; ++i)
        status = probe_gradients(l, shown[i].name, shown[i].model_name, shown[i].trained);
    return status;
}

static plx_status exhibit(plx_learning *l) {
    plx_status status = plx__pictures_show(l);
    if (status == PLX_OK) status = plx__pictures_show_filters(l, "stem.weight");
    return status == PLX_OK && has_shortcuts(l) ? show_gradients(l) : status;
}

static void close_task(plx_learning *l) {
    resnet_state *state = l->state;
    if (!state) return;
    plx_trainer_free(state->plain_trainer);
    plx_model_free(state->plain);
    plx__pictures_close(&state->pictures);
    plx_free(state);
}

const plx_task plx__task_resnet = {
    .name = "resnet-nano",
    .description = "A residual network that tells ten kinds of synthetic pictures apart, and the "
                   "same net without its shortcuts",
    .work = {4.0e11, 1.0e12},
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
