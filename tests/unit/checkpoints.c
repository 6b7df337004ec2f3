/* Training that is saved and continued has the bits of training that was never interrupted. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 37, ROOM = 16 << 20 };

/* A run: the model, how it is trained, and whether there are validation data. */
typedef struct recipe {
    const char *name, *model;
    plx_optimizer_kind optimizer;
    plx_schedule_kind schedule;
    int64_t accumulate, patience;
    double clip;
} recipe;

static const recipe recipes[] = {
    {"Adam", "mlp:6-8-3", PLX_ADAM, PLX_SCHEDULE_CONSTANT, 1, 0, 0},
    {"AdamW, cosine, clipped", "mlp:6-8-3", PLX_ADAMW, PLX_SCHEDULE_COSINE, 1, 0, 0.5},
    {"SGD, accumulated", "mlp:6-8-3", PLX_SGD, PLX_SCHEDULE_STEP, 3, 0, 0},
    {"Lion, validated", "mlp:6-8-3", PLX_LION, PLX_SCHEDULE_LINEAR, 1, 3, 0},
    {"RMSprop", "mlp:6-8-3", PLX_RMSPROP, PLX_SCHEDULE_COSINE, 2, 2, 0},
};

typedef struct world {
    plx_ctx *ctx;
    plx_real x[SAMPLES * 6];
    int32_t labels[SAMPLES];
    plx_dataset data, validation;
} world;

static void fill(world *w) {
    plx_rng rng = plx_rng_new(3, 0);
    for (int i = 0; i < SAMPLES * 6; ++i) w->x[i] = (plx_real)plx_rng_normal(&rng);
    for (int i = 0; i < SAMPLES; ++i) w->labels[i] = (int32_t)plx_rng_below(&rng, 3);
    w->data = (plx_dataset){.n = 30, .inputs = {w->x}, .targets = {w->labels}};
    w->validation = (plx_dataset){.n = 7, .inputs = {w->x + 180}, .targets = {w->labels + 30}};
}

static plx_trainer_options options_of(const world *w, const recipe *r) {
    plx_trainer_options o = plx_trainer_default();
    o.loss = PLX_LOSS_CROSS_ENTROPY;
    o.optimizer = plx_optimizer_default(r->optimizer);
    o.optimizer.rate = 0.01;
    o.schedule = (plx_schedule){.kind = r->schedule, .warmup = 2, .every = 3, .factor = 0.5};
    o.batch = 4;
    o.epochs = 4;
    o.accumulate = r->accumulate;
    o.clip_norm = r->clip;
    o.seed = 11;
    if (r->patience) o.validation = &w->validation;
    o.patience = r->patience;
    return o;
}

typedef struct run {
    plx_model *model;
    plx_trainer *trainer;
    plx_progress at;
} run;

static bool open_run(plx_check *t, const world *w, const recipe *r, run *out) {
    const plx_trainer_options o = options_of(w, r);
    *out = (run){0};
    return CHECK(t,
                 plx_model_from_name(w->ctx, r->model, 5, &out->model) == PLX_OK &&
                     plx_trainer_new(out->model, &o, &w->data, &out->trainer) == PLX_OK,
                 "%s: %s", r->name, plx_message(w->ctx));
}

static void close_run(run *r) {
    plx_trainer_free(r->trainer);
    plx_model_free(r->model);
}

/* Runs so many steps, or to the end; epochs end a call earlier. */
static void advance(plx_check *t, const world *w, run *r, int64_t steps) {
    const int64_t end = r->at.step + steps;
    do {
        if (!CHECK(t, plx_trainer_run(r->trainer, end - r->at.step, &r->at) == PLX_OK, "%s",
                   plx_message(w->ctx)))
            return;
    } while (r->at.step < end && !r->at.done);
}

typedef struct memory {
    uint8_t bytes[ROOM];
    size_t size;
} memory;

static bool write_memory(void *user, const void *bytes, size_t size) {
    memory *m = user;
    if (m->size + size > ROOM) return false;
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
    return true;
}

static bool save(plx_check *t, const world *w, const run *r, memory *m) {
    m->size = 0;
    return CHECK(t, plx_trainer_save(r->trainer, 0, NULL, write_memory, m) == PLX_OK, "%s",
                 plx_message(w->ctx));
}

static plx_status load(const world *w, run *r, const memory *m) {
    plx_safetensors *file = NULL;
    plx_status status = plx_safetensors_open(w->ctx, m->bytes, m->size, &file);
    if (status != PLX_OK) return status;
    status = plx_trainer_load(r->trainer, file);
    plx_safetensors_free(file);
    return status;
}

static bool same_end(const run *a, const run *b) {
    int64_t steps, others;
    const plx_real *x = plx_trainer_losses(a->trainer, &steps),
                   *y = plx_trainer_losses(b->trainer, &others);
    if (steps != others || memcmp(x, y, (size_t)steps * sizeof *x) != 0) return false;
    const plx_weights *v = plx_model_weights(a->model), *w = plx_model_weights(b->model);
    for (int i = 0; i < plx_weights_count(v); ++i) {
        plx_tensor *p = plx_weights_at(v, i, NULL, NULL), *q = plx_weights_at(w, i, NULL, NULL);
        if (memcmp(plx_tensor_data(p), plx_tensor_data(q),
                   (size_t)plx_tensor_size(p) * sizeof(plx_real)) != 0)
            return false;
    }
    return a->at.best_epoch == b->at.best_epoch && a->at.stopped_early == b->at.stopped_early &&
           a->at.epoch_loss == b->at.epoch_loss && a->at.rate == b->at.rate;
}

/* Saved after every number of steps, from none to all. */
static void continues(plx_check *t, const world *w, const recipe *r, memory *m) {
    run whole;
    if (!open_run(t, w, r, &whole)) return;
    advance(t, w, &whole, INT32_MAX);
    for (int64_t steps = 0; steps <= whole.at.steps; ++steps) {
        run first, second;
        if (!open_run(t, w, r, &first) || !open_run(t, w, r, &second)) return;
        if (steps) advance(t, w, &first, steps);
        save(t, w, &first, m);
        CHECK(t, load(w, &second, m) == PLX_OK, "%s, %d steps: %s", r->name, (int)steps,
              plx_message(w->ctx));
        second.at = first.at;
        if (!first.at.done) advance(t, w, &second, INT32_MAX);
        CHECK(t, same_end(&whole, &second) || (first.at.done && same_end(&first, &second)),
              "%s, saved after %d of %d steps: the same bits", r->name, (int)steps,
              (int)whole.at.steps);
        close_run(&first);
        close_run(&second);
    }
    close_run(&whole);
}

/* Dropout, running statistics, a language model's own data. */
static void continues_models(plx_check *t, plx_ctx *ctx, memory *m) {
    static const char *const models[] = {
        "gpt2-nano:layers=1,heads=2,width=16,vocabulary=12,context=8,dropout=0.2", "resnet-nano"};
    for (size_t i = 0; i < sizeof models / sizeof *models; ++i) {
        plx_model *all[3] = {0};
        plx_trainer *trainers[3] = {0};
        for (int k = 0; k < 3; ++k)
            if (!CHECK(t, plx_model_from_name(ctx, models[i], 1, &all[k]) == PLX_OK, "%s",
                       plx_message(ctx)))
                return;
        const plx_port in = plx_model_input(all[0], 0), out = plx_model_output(all[0], 0);
        int64_t values = 1, labels = 1;
        for (int k = 0; k < in.rank; ++k) values *= in.dims[k];
        for (int k = 0; k + 1 < out.rank; ++k) labels *= out.dims[k];
        enum { N = 6 };
        const bool ids = in.dtype == PLX_DTYPE_I32;
        void *x = calloc((size_t)(N * values), sizeof(double));
        int32_t *y = calloc((size_t)(N * labels), sizeof *y);
        plx_rng rng = plx_rng_new(9, 0);
        for (int64_t k = 0; x && k < N * values; ++k) {
            if (ids)
                ((int32_t *)x)[k] = (int32_t)plx_rng_below(&rng, in.classes);
            else
                ((plx_real *)x)[k] = (plx_real)plx_rng_uniform(&rng);
        }
        for (int64_t k = 0; y && k < N * labels; ++k)
            y[k] = (int32_t)plx_rng_below(&rng, out.dims[out.rank - 1]);
        const plx_dataset data = {.n = N, .inputs = {x}, .targets = {y}};
        plx_trainer_options o = plx_trainer_default();
        o.loss = PLX_LOSS_CROSS_ENTROPY;
        o.batch = 2;
        o.epochs = 2;
        for (int k = 0; k < 3; ++k)
            CHECK(t, plx_trainer_new(all[k], &o, &data, &trainers[k]) == PLX_OK, "%s",
                  plx_message(ctx));
        run whole = {all[0], trainers[0], {0}}, first = {all[1], trainers[1], {0}},
            second = {all[2], trainers[2], {0}};
        const world w = {.ctx = ctx};
        advance(t, &w, &whole, INT32_MAX);
        advance(t, &w, &first, 2);
        memory *large = m;
        large->size = 0;
        if (CHECK(t, plx_trainer_save(first.trainer, 0, NULL, write_memory, large) == PLX_OK,
                  "%s: %s", models[i], plx_message(ctx))) {
            CHECK(t, load(&w, &second, large) == PLX_OK, "%s: %s", models[i], plx_message(ctx));
            second.at = first.at;
            advance(t, &w, &second, INT32_MAX);
            CHECK(t, same_end(&whole, &second), "%s: the same bits", models[i]);
        }
        close_run(&whole);
        close_run(&first);
        close_run(&second);
        free(x);
        free(y);
    }
}

/* Every damaged byte is noticed, and leaves the trainer as it was. */
static void notices_damage(plx_check *t, const world *w, memory *m) {
    run one, fresh, other;
    const recipe *r = &recipes[0];
    if (!open_run(t, w, r, &one) || !open_run(t, w, r, &fresh) || !open_run(t, w, r, &other))
        return;
    advance(t, w, &one, 5);
    save(t, w, &one, m);
    for (size_t i = 0; i < m->size; i += 1 + m->size / 997) {
        m->bytes[i] ^= 0x10;
        const plx_status status = load(w, &fresh, m);
        CHECK(t, status != PLX_OK && *plx_message(w->ctx), "byte %d of %d changed", (int)i,
              (int)m->size);
        m->bytes[i] ^= 0x10;
    }
    const size_t size = m->size;
    for (m->size = 0; m->size < size; m->size += 1 + size / 97)
        CHECK(t, load(w, &fresh, m) == PLX_ERR_FORMAT, "cut at %d", (int)m->size);
    m->size = size;
    advance(t, w, &fresh, INT32_MAX);
    advance(t, w, &other, INT32_MAX);
    CHECK(t, same_end(&fresh, &other), "what was refused changed nothing");
    CHECK(t, load(w, &fresh, m) == PLX_ERR_STATE, "a run that has begun");
    close_run(&one);
    close_run(&fresh);
    close_run(&other);
}

static void refuses_others(plx_check *t, const world *w, memory *m) {
    run one;
    if (!open_run(t, w, &recipes[0], &one)) return;
    advance(t, w, &one, 5);
    save(t, w, &one, m);
    plx_trainer_options changed = options_of(w, &recipes[0]);
    changed.batch = 5;
    run other = {0};
    CHECK(t,
          plx_model_from_name(w->ctx, "mlp:6-8-3", 5, &other.model) == PLX_OK &&
              plx_trainer_new(other.model, &changed, &w->data, &other.trainer) == PLX_OK,
          "%s", plx_message(w->ctx));
    CHECK(t,
          load(w, &other, m) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(w->ctx), "its batch is 4, but 5 here"),
          "%s", plx_message(w->ctx));
    close_run(&other);
    const recipe larger = {"larger", "mlp:6-9-3", PLX_ADAM, PLX_SCHEDULE_CONSTANT, 1, 0, 0};
    if (open_run(t, w, &larger, &other))
        CHECK(t,
              load(w, &other, m) == PLX_ERR_SHAPE &&
                  strstr(plx_message(w->ctx), "has shape [6, 9] here, but F"),
              "%s", plx_message(w->ctx));
    close_run(&other);
    m->size = 0;
    plx_weights_save(plx_model_weights(one.model), 0, NULL, write_memory, m);
    if (open_run(t, w, &recipes[0], &other))
        CHECK(t,
              load(w, &other, m) == PLX_ERR_FORMAT &&
                  strstr(plx_message(w->ctx), "no state of a training run"),
              "%s", plx_message(w->ctx));
    close_run(&other);
    close_run(&one);
}

void plx_test_unit_checkpoints(plx_check *t) {
    world w = {.ctx = plx_check_context(t, NULL, 1)};
    memory *m = malloc(sizeof *m);
    if (w.ctx && m) {
        fill(&w);
        for (size_t i = 0; i < sizeof recipes / sizeof *recipes; ++i)
            continues(t, &w, &recipes[i], m);
        continues_models(t, w.ctx, m);
        notices_damage(t, &w, m);
        refuses_others(t, &w, m);
    }
    free(m);
    plx_ctx_free(w.ctx);
}
