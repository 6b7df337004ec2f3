/* Task clip-nano: synthetic pictures and their captions. */
#include "parallax_learn.h"

#include "bench/tasks/captions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEST = 100, TRAIN = PLX_CAPTIONS - TEST, SHOWN = 20 };

/* Random streams of the seed. */
enum { SPLIT_STREAM = 0xc119, PICTURE_STREAM };

typedef struct clip_state {
    int64_t order[PLX_CAPTIONS];   /* numbers of captions; held-out ones come last */
    plx_real *pixels;              /* [PLX_CAPTIONS, 32, 32, 3] */
    int32_t *ids;                  /* [PLX_CAPTIONS, PLX_CAPTION_WORDS] */
    double similarity[TEST][TEST]; /* cosines of held-out pictures (rows) and captions */
} clip_state;

/* Every caption once, with a matching picture. */
static void draw_pairs(uint64_t seed, clip_state *state) {
    plx_rng split = plx_rng_new(seed, SPLIT_STREAM), rng = plx_rng_new(seed, PICTURE_STREAM);
    plx_rng_permute(&split, PLX_CAPTIONS, state->order);
    for (int64_t i = 0; i < PLX_CAPTIONS; ++i) {
        const plx__picture picture = plx__caption_picture(state->order[i]);
        plx__picture_draw(&picture, &rng, state->pixels + i * PLX_PICTURE_VALUES);
        plx__caption_ids(&picture, state->ids + i * PLX_CAPTION_WORDS);
    }
}

static plx_dataset pairs_from(const clip_state *state, int64_t first, int64_t n) {
    return (plx_dataset){.n = n,
                         .inputs = {state->pixels + first * PLX_PICTURE_VALUES,
                                    state->ids + first * PLX_CAPTION_WORDS}};
}

static void recipe(plx_learning *l) {
    plx_trainer_options *o = &l->trainer_options;
    o->loss = PLX_LOSS_OWN;
    o->batch = 64;
    o->steps = plx_learning_steps(l, 220, 600, 3000);
    o->epochs = o->steps / (l->train.n / o->batch) + 1;
    o->optimizer = plx_optimizer_default(PLX_ADAMW);
    o->optimizer.rate = 1e-3;
    o->optimizer.beta2 = 0.98; /* this and the decay are from the paper */
    o->optimizer.weight_decay = 0.2;
    o->schedule = (plx_schedule){.kind = PLX_SCHEDULE_COSINE, .warmup = o->steps / 10};
    o->clip_norm = 1;
}

static plx_status open_task(plx_learning *l) {
    clip_state *state = l->state = plx_alloc(sizeof *state);
    if (!state) return plx_fail(l->ctx, PLX_ERR_MEMORY, "clip-nano: no memory");
    state->pixels = plx_alloc((size_t)PLX_CAPTIONS * PLX_PICTURE_VALUES * sizeof(plx_real));
    state->ids = plx_alloc((size_t)PLX_CAPTIONS * PLX_CAPTION_WORDS * sizeof(int32_t));
    if (!state->pixels || !state->ids)
        return plx_fail(l->ctx, PLX_ERR_MEMORY, "clip-nano: no memory for %d pictures",
                        PLX_CAPTIONS);
    draw_pairs(l->options.seed, state);
    l->train = pairs_from(state, 0, TRAIN);
    l->test = pairs_from(state, TRAIN, TEST);
    snprintf(l->model_name, sizeof l->model_name, "clip-nano:size=%d,vocabulary=%d,length=%d",
             PLX_PICTURE_SIDE, (int)plx__caption_vocabulary(), PLX_CAPTION_WORDS);
    recipe(l);
    l->data = (plx_learning_data){.source = "captioned shapes", .tokens = PLX_CAPTION_WORDS};
    return PLX_OK;
}

/* ---- Quality --------------------------------------------------------------------------------- */

static plx_status compare(plx_learning *l) {
    clip_state *state = l->state;
    const int64_t width = plx_model_output(l->model, 0).dims[0];
    plx_real *image = plx_alloc((size_t)(2 * TEST * width) * sizeof *image);
    if (!image) return plx_fail(l->ctx, PLX_ERR_MEMORY, "clip-nano: no memory");
    plx_real *text = image + TEST * width;
    plx_real *outputs[PLX_PORTS] = {image, text};
    const plx_status status = plx_model_predict(l->model, &l->test, 0, outputs);
    for (int i = 0; i < TEST && status == PLX_OK; ++i)
        for (int j = 0; j < TEST; ++j) {
            double sum = 0;
            for (int64_t k = 0; k < width; ++k)
                sum += (double)image[i * width + k] * (double)text[j * width + k];
            state->similarity[i][j] = sum;
        }
    plx_free(image);
    return status;
}

/* How many others are at least as close to query i as its own partner: captions for a picture, or
 * pictures for a caption. */
static int rank_of(const clip_state *s, int i, bool caption) {
    int closer = 0;
    for (int j = 0; j < TEST; ++j)
        closer +=
            j != i && (caption ? s->similarity[j][i] : s->similarity[i][j]) >= s->similarity[i][i];
    return closer;
}

static double recall(const clip_state *state, int among, bool caption) {
    int found = 0;
    for (int i = 0; i < TEST; ++i) found += rank_of(state, i, caption) < among;
    return (double)found / TEST;
}

/* The loss of all held-out pairs as one batch. */
static double loss_of(const plx_learning *l) {
    const clip_state *s = l->state;
    plx_tensor *t = plx_weights_find(plx_model_weights(l->model), "temperature");
    const double free = plx_math_exp((double)*(plx_real *)plx_tensor_data(t));
    const double scale = free < 100 ? free : 100;
    double loss = 0;
    for (int i = 0; i < TEST; ++i) {
        double row = 0, column = 0;
        for (int j = 0; j < TEST; ++j) {
            row += plx_math_exp(scale * (s->similarity[i][j] - s->similarity[i][i]));
            column += plx_math_exp(scale * (s->similarity[j][i] - s->similarity[i][i]));
        }
        loss += (plx_math_log(row) + plx_math_log(column)) / (2 * TEST);
    }
    return loss;
}

static plx_status evaluate(plx_learning *l) {
    const clip_state *state = l->state;
    const plx_status status = compare(l);
    if (status != PLX_OK) return status;
    for (int caption = 0; caption < 2; ++caption) {
        plx_learning_record(l, caption ? "caption_recall_at_1" : "picture_recall_at_1", "1",
                            "higher", recall(state, 1, caption), 0.5);
        plx_learning_record(l, caption ? "caption_recall_at_10" : "picture_recall_at_10", "1",
                            "higher", recall(state, 10, caption), NAN);
    }
    /* It grows with the number of pairs in a batch, so it is not comparable with the training
     * loss. */
    plx_learning_record(l, "loss_of_100_pairs", "nats", "lower", loss_of(l), NAN);
    return PLX_OK;
}

/* ---- Exhibits -------------------------------------------------------------------------------- */

static plx__picture held_out(const plx_learning *l, int i) {
    const clip_state *state = l->state;
    return plx__caption_picture(state->order[TRAIN + i]);
}

/* How much of it fits a label. */
static void label(const plx__picture *picture, char text[PLX_LEARNING_LABEL]) {
    snprintf(text, PLX_LEARNING_LABEL, "%s %s, %s", plx__colour_name(picture->colour),
             plx__shape_name(picture->shape), plx__place_name(picture->place));
}

static int closest_caption(const clip_state *state, int i) {
    int best = 0;
    for (int j = 1; j < TEST; ++j)
        if (state->similarity[i][j] > state->similarity[i][best]) best = j;
    return best;
}

static plx_status no_room(plx_learning *l) {
    return plx_fail(l->ctx, PLX_ERR_MEMORY, "clip-nano: no memory for exhibits");
}

static plx_status show_similarity(plx_learning *l) {
    const clip_state *state = l->state;
    plx_exhibit *shown =
        plx_learning_show(l, PLX_EXHIBIT_MATRIX, "similarity", 1, SHOWN, SHOWN, 1, SHOWN);
    if (!shown) return no_room(l);
    shown->row_title = "picture";
    shown->column_title = "caption";
    shown->square = true;
    for (int i = 0; i < SHOWN; ++i) {
        const plx__picture picture = held_out(l, i);
        label(&picture, shown->labels[i]);
        for (int j = 0; j < SHOWN; ++j)
            shown->values[i * SHOWN + j] = (plx_real)state->similarity[i][j];
    }
    return PLX_OK;
}

/* Held-out pictures, labelled by their closest captions. */
static plx_status show_pictures(plx_learning *l) {
    const clip_state *state = l->state;
    plx_exhibit *shown =
        plx_learning_show(l, PLX_EXHIBIT_IMAGES, "retrieved", SHOWN, PLX_PICTURE_SIDE,
                          PLX_PICTURE_SIDE, PLX_PICTURE_CHANNELS, SHOWN);
    if (!shown) return no_room(l);
    for (int i = 0; i < SHOWN; ++i) {
        const plx_real *const picture = (const plx_real *)l->test.inputs[0];
        const plx__picture found = held_out(l, closest_caption(state, i));
        plx__picture_to_light(picture + (int64_t)i * PLX_PICTURE_VALUES,
                              shown->values + (int64_t)i * PLX_PICTURE_VALUES);
        label(&found, shown->labels[i]);
    }
    return PLX_OK;
}

static plx_status show_captions(plx_learning *l) {
    const clip_state *state = l->state;
    char text[SHOWN * (2 * PLX_CAPTION_TEXT + 16)] = "";
    size_t used = 0;
    for (int i = 0; i < SHOWN && used < sizeof text; ++i) {
        const int best = closest_caption(state, i);
        const plx__picture own = held_out(l, i), other = held_out(l, best);
        char right[PLX_CAPTION_TEXT], found[PLX_CAPTION_TEXT];
        plx__caption_text(&own, right);
        plx__caption_text(&other, found);
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 best == i ? "%s (right)\n" : "%s, but it is %s\n", found, right);
    }
    return plx_learning_show_text(l, "captions", text);
}

static plx_status exhibit(plx_learning *l) {
    plx_status status = compare(l);
    if (status == PLX_OK) status = show_similarity(l);
    if (status == PLX_OK) status = show_pictures(l);
    if (status == PLX_OK) status = show_captions(l);
    return status;
}

static void close_task(plx_learning *l) {
    clip_state *state = l->state;
    if (!state) return;
    plx_free(state->pixels);
    plx_free(state->ids);
    plx_free(state);
}

const plx_task plx__task_clip = {
    .name = "clip-nano",
    .description = "CLIP on synthetic pictures and their captions",
    .work = {1.2e12, 3.3e12},
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
