/* Task vit-nano: kinds of synthetic pictures. */
#include "bench/tasks/pictures.h"
#include "bench/tasks/shapes.h"

#include <stdio.h>
#include <string.h>

static plx_status open_task(plx_learning *l) {
    plx__picture_set *set = l->state = plx_alloc(sizeof *set);
    if (!set) return plx_fail(l->ctx, PLX_ERR_MEMORY, "vit-nano: no memory");
    *set = (plx__picture_set){0};
    snprintf(l->model_name, sizeof l->model_name, "vit-nano");
    plx_trainer_options *o = &l->trainer_options;
    o->batch = 16;
    o->steps = plx_learning_steps(l, 600, 1500, 5000);
    o->epochs = o->steps;
    o->optimizer = plx_optimizer_default(PLX_ADAMW);
    o->optimizer.rate = 1e-3;
    o->optimizer.beta2 = 0.95; /* averages over few steps, as there are few */
    o->optimizer.weight_decay = 0.05;
    o->schedule = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = o->steps / 10};
    o->clip_norm = 1;
    return plx__pictures_open(l, set);
}

static plx_status evaluate(plx_learning *l) {
    return plx__pictures_measure(l, 0.85, NULL);
}

/* ---- Attention ------------------------------------------------------------------------------- */

enum { ATTENDED = 4 }; /* held-out pictures */

/* Queries and keys [ATTENDED, tokens, width] of the last block. */
typedef struct looks {
    plx_plan *plan;
    plx_node q, k;
    int64_t tokens, width, heads;
} looks;

/* The queries and keys of the last attention of a graph. */
static bool find_looks(const plx_graph *graph, looks *found) {
    plx_node node, last = plx_none();
    for (int i = 0; (node = plx_graph_node(graph, i)).id >= 0; ++i)
        if (!strcmp(plx_node_op(graph, node), "attention")) last = node;
    const int64_t *dims;
    if (plx_node_shape(graph, last, &dims) < 0) return false;
    found->q = plx_node_operand(graph, last, 0);
    found->k = plx_node_operand(graph, last, 1);
    found->tokens = dims[1];
    found->width = dims[2];
    return true;
}

static plx_status compile_looks(plx_learning *l, looks *out) {
    plx_graph *graph;
    plx_status status = plx_graph_new(l->ctx, &graph);
    if (status != PLX_OK) return status;
    const int64_t dims[] = {ATTENDED, PLX_PICTURE_SIDE, PLX_PICTURE_SIDE, PLX_PICTURE_CHANNELS};
    const plx_node image = plx_input(graph, "image", PLX_DTYPE_REAL, 4, dims);
    plx_node logits;
    status = plx_model_forward(l->model, graph, &image, false, &logits);
    if (status == PLX_OK && find_looks(graph, out)) {
        const plx_node wanted[] = {out->q, out->k};
        status = plx_compile(graph, 2, wanted, NULL, &out->plan);
        if (status == PLX_OK) status = plx_plan_bind(out->plan, image, l->test.inputs[0]);
        if (status == PLX_OK) status = plx_plan_run(out->plan);
    }
    plx_graph_free(graph);
    return status;
}

/* weights [patches] = softmax(q k^T / sqrt(d)) of one head, for the query of the class token;
 * without one, the mean over all queries. Scaled so that the largest is 1. */
static void look(const looks *from, int64_t picture, int64_t head, int64_t patches, double *scores,
                 plx_real *weights) {
    const int64_t width = from->width, tokens = from->tokens, d = width / from->heads;
    const int64_t token = tokens - patches; /* 1: the first is the class token */
    const int64_t start = picture * tokens * width + head * d;
    const plx_real *q = plx_plan_output(from->plan, from->q) + start;
    const plx_real *k = plx_plan_output(from->plan, from->k) + start;
    double most = 0;
    memset(weights, 0, (size_t)patches * sizeof *weights);
    for (int64_t i = 0; i < (token ? 1 : tokens); ++i) {
        double top = 0, sum = 0;
        for (int64_t j = 0; j < tokens; ++j) {
            double dot = 0;
            for (int64_t e = 0; e < d; ++e)
                dot += (double)q[i * width + e] * (double)k[j * width + e];
            scores[j] = dot / plx_math_sqrt((double)d);
            if (!j || scores[j] > top) top = scores[j];
        }
        for (int64_t j = 0; j < tokens; ++j) sum += scores[j] = plx_math_exp(scores[j] - top);
        for (int64_t j = 0; j < patches; ++j) weights[j] += (plx_real)(scores[token + j] / sum);
    }
    for (int64_t j = 0; j < patches; ++j)
        if ((double)weights[j] > most) most = (double)weights[j];
    for (int64_t j = 0; j < patches; ++j) weights[j] /= (plx_real)most;
}

/* Draws each patch of side x side pixels in the grey of its weight. */
static void paint(const plx_real *weights, int64_t side, plx_real *light) {
    for (int64_t row = 0; row < PLX_PICTURE_SIDE; ++row)
        for (int64_t column = 0; column < PLX_PICTURE_SIDE; ++column)
            for (int c = 0; c < PLX_PICTURE_CHANNELS; ++c)
                *light++ = weights[row / side * (PLX_PICTURE_SIDE / side) + column / side];
}

static plx_status paint_looks(plx_learning *l, const looks *from, int64_t side) {
    const int64_t patches = PLX_PICTURE_SIDE / side * (PLX_PICTURE_SIDE / side);
    const int64_t each = 1 + from->heads;
    double *scores = plx_alloc((size_t)from->tokens * sizeof *scores);
    plx_real *weights = plx_alloc((size_t)patches * sizeof *weights);
    plx_exhibit *shown =
        plx_learning_show(l, PLX_EXHIBIT_IMAGES, "attention", ATTENDED * each, PLX_PICTURE_SIDE,
                          PLX_PICTURE_SIDE, PLX_PICTURE_CHANNELS, ATTENDED * each);
    const bool ok = scores && weights && shown;
    for (int64_t i = 0; ok && i < ATTENDED * each; ++i) {
        const int64_t picture = i / each, head = i % each - 1;
        plx_real *light = shown->values + i * PLX_PICTURE_VALUES;
        if (head < 0) {
            plx__picture_light(l, picture, light);
            snprintf(shown->labels[i], PLX_LEARNING_LABEL, "%s",
                     plx__kind_name(plx__picture_label(l, picture)));
        } else {
            look(from, picture, head, patches, scores, weights);
            paint(weights, side, light);
            snprintf(shown->labels[i], PLX_LEARNING_LABEL, "head %d", (int)head + 1);
        }
    }
    plx_free(weights);
    plx_free(scores);
    return ok ? PLX_OK : plx_fail(l->ctx, PLX_ERR_MEMORY, "vit-nano: no memory");
}

/* Shows beside each picture where every head of the last block looks. */
static plx_status show_attention(plx_learning *l) {
    const int64_t side = (int64_t)plx_model_setting(l->model, "patch");
    looks found = {.heads = (int64_t)plx_model_setting(l->model, "heads")};
    if (side < 1 || found.heads < 1) return PLX_OK; /* the model is not a ViT */
    const plx_status status = compile_looks(l, &found);
    const plx_status painted =
        status == PLX_OK && found.plan ? paint_looks(l, &found, side) : status;
    plx_plan_free(found.plan);
    return painted;
}

static plx_status exhibit(plx_learning *l) {
    plx_status status = plx__pictures_show(l);
    if (status == PLX_OK) status = plx__pictures_show_filters(l, "patches.weight");
    return status == PLX_OK ? show_attention(l) : status;
}

static void close_task(plx_learning *l) {
    if (l->state) plx__pictures_close(l->state);
    plx_free(l->state);
}

const plx_task plx__task_vit = {
    .name = "vit-nano",
    .description = "A vision transformer that tells ten kinds of synthetic pictures apart",
    .work = {2.5e12, 6.2e12},
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
