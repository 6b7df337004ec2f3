/* Checkpoints of a training run: all that its next steps depend on, as a safetensors file. */
#include "io/safetensors.h"
#include "nn/trainer.h"

#include "base/platform.h"
#include "ops/optimizer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { FORMAT = 1 };

/* What is no tensor. All fields have 8 bytes, and every platform of this library stores them alike,
 * so that the bytes are the file's. */
typedef struct state {
    uint64_t format, checksum;
    /* A run that continues must have these in common with the one that was saved. */
    int64_t samples, batch, epochs, steps, accumulate, patience, shuffle, loss, optimizer, schedule;
    uint64_t seed;
    int64_t step, optimizer_steps;
    uint64_t batches, order, epoch_order;
    double set_rate, rate, norm, beta1_power, beta2_power;
    double sums[PLX_PORTS], counted[PLX_PORTS], own[PLX_OWN_METRICS], rows;
    plx__tally tally;
    double latest, lowest, mark, validation_own[PLX_OWN_METRICS], nanoseconds;
    int64_t validations, best_epoch, patience_left, stopped_early, stopped;
    plx_metrics validation;
} state;
static_assert(sizeof(plx__tally) == 9 * sizeof(double), "no padding");
static_assert(sizeof(plx_metrics) == 8 * sizeof(double), "no padding");

/* The fields that must be the same, and what they are called. */
static const struct {
    const char *name;
    size_t offset;
} same[] = {
    {"samples", offsetof(state, samples)},
    {"batch", offsetof(state, batch)},
    {"epochs", offsetof(state, epochs)},
    {"steps", offsetof(state, steps)},
    {"accumulate", offsetof(state, accumulate)},
    {"patience", offsetof(state, patience)},
    {"shuffle", offsetof(state, shuffle)},
    {"loss number", offsetof(state, loss)},
    {"optimizer number", offsetof(state, optimizer)},
    {"schedule number", offsetof(state, schedule)},
    {"seed", offsetof(state, seed)},
};

static state state_of(const plx_trainer *t) {
    const plx_trainer_options *o = &t->options;
    const plx__validation *v = &t->validation;
    state s = {
        .format = FORMAT,
        .samples = t->batches.data.n,
        .batch = o->batch,
        .epochs = o->epochs,
        .steps = t->steps,
        .accumulate = o->accumulate,
        .patience = o->patience,
        .shuffle = o->shuffle,
        .loss = o->loss,
        .optimizer = o->optimizer.kind,
        .schedule = o->schedule.kind,
        .seed = o->seed,
        .step = t->step,
        .optimizer_steps = t->optimizer->steps,
        .batches = t->model->position.batches,
        .order = t->model->position.order,
        .epoch_order = t->epoch_order,
        .set_rate = o->optimizer.rate,
        .rate = t->rate,
        .norm = t->norm,
        .beta1_power = t->optimizer->beta1_power,
        .beta2_power = t->optimizer->beta2_power,
        .rows = t->rows,
        .tally = t->tally,
        .latest = v->latest,
        .lowest = v->lowest,
        .mark = v->mark,
        .nanoseconds = v->nanoseconds,
        .validations = v->epochs,
        .best_epoch = v->best_epoch,
        .patience_left = v->patience_left,
        .stopped_early = t->stopped_early,
        .stopped = t->stopped,
        .validation = v->metrics,
    };
    memcpy(s.sums, t->sums, sizeof s.sums);
    memcpy(s.counted, t->counted, sizeof s.counted);
    memcpy(s.own, t->own, sizeof s.own);
    memcpy(s.validation_own, v->own, sizeof s.validation_own);
    return s;
}

static void restore(plx_trainer *t, const state *s) {
    plx__validation *v = &t->validation;
    t->step = s->step;
    t->optimizer->steps = t->steps_before = s->optimizer_steps;
    t->optimizer->beta1_power = s->beta1_power;
    t->optimizer->beta2_power = s->beta2_power;
    t->epoch_order = s->epoch_order;
    t->options.optimizer.rate = s->set_rate;
    t->rate = s->rate;
    t->norm = s->norm;
    t->rows = s->rows;
    t->tally = s->tally;
    memcpy(t->sums, s->sums, sizeof s->sums);
    memcpy(t->counted, s->counted, sizeof s->counted);
    memcpy(t->own, s->own, sizeof s->own);
    v->latest = s->latest;
    v->lowest = s->lowest;
    v->mark = s->mark;
    v->nanoseconds = s->nanoseconds;
    v->epochs = s->validations;
    v->best_epoch = s->best_epoch;
    v->patience_left = s->patience_left;
    v->metrics = s->validation;
    memcpy(v->own, s->validation_own, sizeof s->validation_own);
    t->stopped_early = s->stopped_early;
    t->stopped = s->stopped;
}

/* ---- The tensors ----------------------------------------------------------------------------- */

/* Names of tensors that are no weights; no layer's name has a colon in front. */
static const char STATE_NAME[] = ":state", LOSSES_NAME[] = ":losses", BEST_NAME[] = ":best";
enum { NAME_BYTES = PLX_NAME + 16 };

/* A tensor of the checkpoint: where its values are, and what its file calls it. */
typedef struct part {
    char name[NAME_BYTES];
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    void *data;
    plx_tensor *tensor; /* NULL: not one */
} part;

typedef struct parts {
    int count;
    part *list;
} parts;

static void add(parts *p, plx_dtype dtype, int rank, const int64_t *dims, void *data,
                plx_tensor *tensor, const char *prefix, const char *name) {
    part *new = &p->list[p->count++];
    *new = (part){.dtype = dtype, .rank = rank, .data = data, .tensor = tensor};
    if (rank) memcpy(new->dims, dims, (size_t)rank * sizeof *dims);
    plx__format(new->name, sizeof new->name, "%s%s", prefix, name);
}

static void add_tensor(parts *p, plx_tensor *tensor, const char *prefix, const char *name) {
    add(p, tensor->dtype, tensor->rank, tensor->dims, tensor->data, tensor, prefix, name);
}

/* The name of the weight that a tensor holds. */
static const char *name_of(const plx_trainer *t, const plx_tensor *tensor) {
    const plx_weights *w = t->model->weights;
    for (int i = 0; i < w->count; ++i)
        if (w->list[i].tensor == tensor) return w->list[i].name;
    return "";
}

static int64_t values_of(const plx_weights *w) {
    int64_t values = 0;
    for (int i = 0; i < w->count; ++i) values += w->list[i].tensor->size;
    return values;
}

/* Lists all parts, with losses for so many steps. Free the list with plx_platform_free. */
static plx_status list_parts(const plx_trainer *t, state *s, plx_real *losses, int64_t steps,
                             parts *out) {
    const plx_weights *w = t->model->weights;
    const plx_optimizer *o = t->optimizer;
    const int64_t bytes = sizeof *s, values = values_of(w);
    *out = (parts){
        .list = plx_platform_alloc((size_t)(w->count + 2 * o->count + 3) * sizeof *out->list)};
    if (!out->list)
        return plx__fail(&t->model->ctx->message, PLX_ERR_MEMORY, "checkpoint: no memory");
    for (int i = 0; i < w->count; ++i) add_tensor(out, w->list[i].tensor, "", w->list[i].name);
    for (int i = 0; i < o->count; ++i) {
        const char *name = name_of(t, o->parameters[i]);
        if (o->first) add_tensor(out, o->first[i], ":first:", name);
        if (o->second) add_tensor(out, o->second[i], ":second:", name);
    }
    if (t->best) add(out, PLX_DTYPE_REAL, 1, &values, t->best, NULL, BEST_NAME, "");
    add(out, PLX_DTYPE_REAL, 1, &steps, losses, NULL, LOSSES_NAME, "");
    add(out, PLX_DTYPE_U8, 1, &bytes, s, NULL, STATE_NAME, "");
    return PLX_OK;
}

static int64_t bytes_of(const part *p) {
    int64_t bytes = p->dtype == PLX_DTYPE_U8 ? 1 : (int64_t)sizeof(plx_real);
    for (int i = 0; i < p->rank; ++i) bytes *= p->dims[i];
    return bytes;
}

/* FNV-1a (Fowler, Noll and Vo) in 64 bits, over names and values of all but the state itself, and
 * over what the state holds besides. It finds damage, not forgery. */
static uint64_t hash(uint64_t sum, const void *bytes, int64_t size) {
    for (int64_t i = 0; i < size; ++i)
        sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
    return sum;
}

static uint64_t hash_state(const state *s) {
    state without = *s;
    without.checksum = 0;
    return hash(UINT64_C(14695981039346656037), &without, sizeof without);
}

static uint64_t hash_part(uint64_t sum, const char *name, const void *data, int64_t bytes) {
    return hash(hash(sum, name, (int64_t)strlen(name)), data, bytes);
}

static uint64_t checksum(const parts *p, const state *s) {
    uint64_t sum = hash_state(s);
    for (int i = 0; i < p->count; ++i) {
        const part *one = &p->list[i];
        if (one->data != s) sum = hash_part(sum, one->name, one->data, bytes_of(one));
    }
    return sum;
}

/* ---- Saving ---------------------------------------------------------------------------------- */

plx_status plx_trainer_save(const plx_trainer *t, int count, const plx_metadata *metadata,
                            plx_write *write, void *user) {
    plx__message *message = &t->model->ctx->message;
    if (t->diverged)
        return plx__fail(message, PLX_ERR_STATE,
                         "checkpoint: training diverged, and cannot continue");
    state s = state_of(t);
    parts p;
    PLX_TRY(list_parts(t, &s, t->losses, t->step, &p));
    s.checksum = checksum(&p, &s);
    plx__file_entry *entries = plx_platform_alloc((size_t)p.count * sizeof *entries);
    plx_status status =
        entries ? PLX_OK : plx__fail(message, PLX_ERR_MEMORY, "checkpoint: no memory");
    for (int i = 0; entries && i < p.count; ++i)
        entries[i] = (plx__file_entry){.name = p.list[i].name,
                                       .dtype = p.list[i].dtype,
                                       .rank = p.list[i].rank,
                                       .dims = p.list[i].dims,
                                       .data = p.list[i].data};
    if (status == PLX_OK)
        status = plx__file_write(t->model->ctx, "checkpoint", p.count, entries, count, metadata,
                                 write, user);
    plx_platform_free(entries);
    plx_platform_free(p.list);
    return status;
}

/* ---- Loading --------------------------------------------------------------------------------- */

static plx_status damaged(const plx_trainer *t, const char *why) {
    return plx__fail(&t->model->ctx->message, PLX_ERR_FORMAT, "checkpoint: %s", why);
}

static plx_status read_state(const plx_trainer *t, const plx_safetensors *file, state *s) {
    const plx_file_tensor *found = plx__safetensors_find(file, STATE_NAME);
    if (!found) return damaged(t, "the file holds weights, but no state of a training run");
    if (strcmp(found->dtype, "U8") != 0 || found->bytes != (int64_t)sizeof *s)
        return damaged(t, "the state of training is of another version of this library");
    memcpy(s, found->data, sizeof *s);
    return s->format == FORMAT
               ? PLX_OK
               : damaged(t, "the state of training is of another version of this library");
}

static plx_status check_same(const plx_trainer *t, const state *s) {
    const state own = state_of(t);
    for (size_t i = 0; i < sizeof same / sizeof *same; ++i) {
        int64_t here, there;
        memcpy(&here, (const char *)&own + same[i].offset, sizeof here);
        memcpy(&there, (const char *)s + same[i].offset, sizeof there);
        if (here == there) continue;
        return plx__fail(&t->model->ctx->message, PLX_ERR_ARGUMENT,
                         "checkpoint: its %s is %lld, but %lld here: a run continues only with "
                         "what it began with",
                         same[i].name, (long long)there, (long long)here);
    }
    return s->step >= 0 && s->step <= s->steps ? PLX_OK : damaged(t, "its step is out of range");
}

static plx_status check_part(const plx_trainer *t, const part *p, const plx_file_tensor *found) {
    char own[96], other[96];
    plx__message *message = &t->model->ctx->message;
    if (!found)
        return plx__fail(message, PLX_ERR_SHAPE,
                         "checkpoint: the file has no \"%s\": it is of another model or optimizer",
                         p->name);
    if (found->bytes == bytes_of(p) && found->rank == p->rank &&
        !memcmp(found->dims, p->dims, (size_t)p->rank * sizeof *p->dims))
        return PLX_OK;
    return plx__fail(message, PLX_ERR_SHAPE,
                     "checkpoint: \"%s\" has shape %s here, but %s %s in the file", p->name,
                     plx__shape_text(p->rank, p->dims, own, sizeof own), found->dtype,
                     plx__shape_text(found->rank, found->dims, other, sizeof other));
}

/* Checks names, shapes and the checksum: the parts of the file, in the order of the trainer's. */
static plx_status check_parts(const plx_trainer *t, const plx_safetensors *file, const parts *p,
                              const state *s) {
    if (plx_safetensors_count(file) != p->count)
        return damaged(t, "it is of another model or optimizer: the number of tensors differs");
    uint64_t sum = hash_state(s);
    for (int i = 0; i < p->count; ++i) {
        const part *one = &p->list[i];
        const plx_file_tensor *found = plx__safetensors_find(file, one->name);
        PLX_TRY(check_part(t, one, found));
        if (strcmp(one->name, STATE_NAME) != 0)
            sum = hash_part(sum, one->name, found->data, found->bytes);
    }
    return sum == s->checksum ? PLX_OK : damaged(t, "its checksum is wrong: the file is damaged");
}

static void take_parts(const plx_safetensors *file, const parts *p) {
    for (int i = 0; i < p->count; ++i) {
        const part *one = &p->list[i];
        const plx_file_tensor *found = plx__safetensors_find(file, one->name);
        if (one->tensor) plx__tensor_changed(one->tensor);
        if (found->bytes) memcpy(one->data, found->data, (size_t)found->bytes);
    }
}

/* Draws the order of the epoch that the run was in once more. */
static void resume_epoch(plx_trainer *t, const state *s) {
    plx_model_set_position(t->model, (plx_training_position){s->batches, s->order});
    if (!t->options.shuffle || t->step % t->steps_per_epoch == 0) return;
    uint64_t position = s->epoch_order;
    plx__batches_shuffle(&t->batches, &position);
}

plx_status plx_trainer_load(plx_trainer *t, const plx_safetensors *file) {
    state s = {0};
    parts p;
    PLX_TRY(plx__need(&t->model->ctx->message, "checkpoint", "file", file));
    if (t->step)
        return plx__fail(&t->model->ctx->message, PLX_ERR_STATE,
                         "checkpoint: this run has begun; load into a new trainer");
    PLX_TRY(read_state(t, file, &s));
    PLX_TRY(check_same(t, &s));
    PLX_TRY(plx__trainer_room(t, s.step));
    PLX_TRY(list_parts(t, &s, t->losses, s.step, &p));
    const plx_status status = check_parts(t, file, &p, &s);
    if (status == PLX_OK) {
        take_parts(file, &p);
        restore(t, &s);
        resume_epoch(t, &s);
        plx__keep_state(t);
    }
    plx_platform_free(p.list);
    return status;
}
