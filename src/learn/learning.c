#include "parallax_learn.h"

#include <stdio.h>
#include <string.h>

/* A run, including the parts that tasks do not see. */
typedef struct driver {
    plx_learning shared; /* first member, so that one pointer serves both types */
    plx_dataset validation;
    plx_learning_measure measures[PLX_LEARNING_MEASURES];
    int measure_count;
    plx_exhibit shown[PLX_LEARNING_EXHIBITS];
    int shown_count;
    const char *left_out; /* a measure or exhibit without room; NULL: none */
} driver;

static driver *driver_of(plx_learning *l) {
    return (driver *)l;
}

static const driver *const_driver_of(const plx_learning *l) {
    return (const driver *)l;
}

/* ---- For tasks ------------------------------------------------------------------------------- */

int64_t plx_learning_steps(const plx_learning *l, int64_t quick, int64_t usual, int64_t full) {
    if (l->options.steps) return l->options.steps;
    return l->options.size == PLX_LEARNING_QUICK  ? quick
           : l->options.size == PLX_LEARNING_FULL ? full
                                                  : usual;
}

void plx_learning_record(plx_learning *l, const char *name, const char *unit, const char *better,
                         double value, double goal) {
    driver *d = driver_of(l);
    if (d->measure_count == PLX_LEARNING_MEASURES) {
        d->left_out = name;
        return;
    }
    d->measures[d->measure_count++] = (plx_learning_measure){name, unit, better, value, goal};
}

plx_status plx_learning_metrics(plx_learning *l, int output, plx_metrics *metrics) {
    return plx_model_evaluate(l->model, output, l->trainer_options.loss, &l->test, metrics, NULL);
}

plx_exhibit *plx_learning_show(plx_learning *l, plx_exhibit_kind kind, const char *name,
                               int64_t count, int64_t rows, int64_t columns, int64_t channels,
                               int64_t labels) {
    driver *d = driver_of(l);
    if (d->shown_count == PLX_LEARNING_EXHIBITS) {
        d->left_out = name;
        return NULL;
    }
    plx_exhibit *shown = &d->shown[d->shown_count];
    const size_t size = (size_t)(count * rows * columns * channels);
    *shown = (plx_exhibit){.kind = kind,
                           .name = name,
                           .count = count,
                           .rows = rows,
                           .columns = columns,
                           .channels = channels};
    shown->values = size ? plx_alloc(size * sizeof *shown->values) : NULL;
    shown->labels = labels ? plx_alloc((size_t)labels * sizeof *shown->labels) : NULL;
    if ((size && !shown->values) || (labels && !shown->labels)) {
        plx_free(shown->values);
        plx_free(shown->labels);
        return NULL;
    }
    if (size) memset(shown->values, 0, size * sizeof *shown->values);
    if (labels) memset(shown->labels, 0, (size_t)labels * sizeof *shown->labels);
    d->shown_count += 1;
    return shown;
}

plx_status plx_learning_show_confusion(plx_learning *l, int classes, const int64_t *counts,
                                       const char *(*name)(int label), const char *columns) {
    plx_exhibit *shown =
        plx_learning_show(l, PLX_EXHIBIT_MATRIX, "confusion", 1, classes, classes, 1, classes);
    if (!shown || !shown->values || !shown->labels)
        return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for \"confusion\"", l->task->name);
    shown->row_title = "label";
    shown->column_title = columns;
    shown->square = true;
    for (int i = 0; i < classes * classes; ++i) shown->values[i] = (plx_real)counts[i];
    for (int i = 0; i < classes; ++i)
        snprintf(shown->labels[i], sizeof shown->labels[i], "%s", name(i));
    return PLX_OK;
}

plx_status plx_learning_show_text(plx_learning *l, const char *name, const char *text) {
    plx_exhibit *shown = plx_learning_show(l, PLX_EXHIBIT_TEXT, name, 0, 0, 0, 0, 0);
    const size_t bytes = strlen(text) + 1;
    if (shown) shown->text = plx_alloc(bytes);
    if (!shown || !shown->text)
        return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for \"%s\"", l->task->name, name);
    memcpy(shown->text, text, bytes);
    return PLX_OK;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static const char optimizers[] =
#define PLX_OPTIMIZER(NAME, name, rate, beta1, beta2, epsilon, weight_decay, options) ", " name
#include "parallax.def"
    ;

static plx_status choose_optimizer(plx_learning *l) {
    plx_optimizer_options *optimizer = &l->trainer_options.optimizer;
    const char *wanted = l->options.optimizer;
    if (wanted) {
        const plx_optimizer_kind kind = plx_optimizer_from_name(wanted);
        if (kind == PLX_OPTIMIZERS_)
            return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                            "there is no optimizer \"%.60s\"; there are %s", wanted,
                            &optimizers[sizeof ", " - 1]);
        if (optimizer->kind != kind) *optimizer = plx_optimizer_default(kind);
    }
    if (l->options.rate > 0) optimizer->rate = l->options.rate;
    return PLX_OK;
}

/* The option in place of the task's value: 0 keeps that, below 0 switches it off. */
static double chosen(double asked, double usual) {
    return asked > 0 ? asked : asked < 0 ? 0 : usual;
}

static const char schedules[] =
#define PLX_SCHEDULE(NAME, name, options, about) ", " name
#include "parallax.def"
    ;

static plx_status choose_schedule(plx_learning *l) {
    plx_schedule *schedule = &l->trainer_options.schedule;
    const char *wanted = l->options.schedule;
    if (wanted) {
        const plx_schedule_kind kind = plx_schedule_from_name(wanted);
        if (kind == PLX_SCHEDULES_)
            return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                            "there is no schedule \"%.60s\"; there are %s", wanted,
                            &schedules[sizeof ", " - 1]);
        /* The warm-up suits the data and is kept, unless the schedule has its own. */
        const int64_t warmup = kind == PLX_SCHEDULE_ONE_CYCLE ? 0 : schedule->warmup;
        *schedule = (plx_schedule){.kind = kind, .warmup = warmup};
    }
    schedule->warmup = (int64_t)chosen((double)l->options.warmup, (double)schedule->warmup);
    return PLX_OK;
}

/* Address of a sample; strides count elements, 0: contiguous. */
static const void *sample_at(const void *data, plx_port port, int axes, int64_t stride, bool labels,
                             int64_t sample) {
    int64_t size = 1;
    for (int i = 0; i < axes; ++i) size *= port.dims[i];
    const bool integers = labels || port.dtype == PLX_DTYPE_I32;
    const size_t bytes = integers ? sizeof(int32_t) : sizeof(plx_real);
    return (const char *)data + (size_t)(sample * (stride ? stride : size)) * bytes;
}

/* Holds out the last tenth of the training data for early stopping; the test data stays unseen. */
static void split_validation(plx_learning *l) {
    const int64_t held = l->train.n / 10;
    if (!l->options.patience || !held) return;
    l->train.n -= held;
    plx_dataset *v = &driver_of(l)->validation;
    *v = l->train;
    v->n = held;
    const bool labels = l->trainer_options.loss == PLX_LOSS_CROSS_ENTROPY;
    for (int i = 0; i < PLX_PORTS; ++i) {
        const plx_port in = plx_model_input(l->model, i), out = plx_model_output(l->model, i);
        if (v->inputs[i])
            v->inputs[i] =
                sample_at(v->inputs[i], in, in.rank, v->input_strides[i], false, l->train.n);
        if (v->targets[i])
            v->targets[i] = sample_at(v->targets[i], out, out.rank - labels, v->target_strides[i],
                                      labels, l->train.n);
    }
    l->trainer_options.validation = v;
    l->trainer_options.patience = l->options.patience;
}

static int64_t steps_per_epoch(const plx_learning *l) {
    const plx_trainer_options *o = &l->trainer_options;
    const int64_t accumulate = o->accumulate > 1 ? o->accumulate : 1;
    const int64_t batches = (l->train.n + o->batch - 1) / o->batch;
    return (batches + accumulate - 1) / accumulate;
}

int64_t plx_learning_samples(const plx_learning *l, int64_t steps) {
    const plx_trainer_options *o = &l->trainer_options;
    const int64_t per_epoch = steps_per_epoch(l);
    const int64_t rest = steps % per_epoch * o->batch * (o->accumulate > 1 ? o->accumulate : 1);
    return steps / per_epoch * l->train.n + rest;
}

/* Sets batch, epochs and steps; if steps are given, epochs are as many as they need. */
static void choose_length(plx_learning *l) {
    plx_trainer_options *o = &l->trainer_options;
    const plx_learning_options *asked = &l->options;
    if (asked->batch)
        o->batch = asked->batch;
    else if (o->batch > l->train.n)
        o->batch = l->train.n;
    if (asked->accumulate) o->accumulate = asked->accumulate;
    if (asked->epochs) {
        o->epochs = asked->epochs;
        o->steps = asked->steps;
    } else if (asked->steps) {
        o->steps = asked->steps;
    }
    if (!o->steps || asked->epochs || o->batch < 1) return;
    const int64_t per_epoch = steps_per_epoch(l), epochs = (o->steps + per_epoch - 1) / per_epoch;
    if (o->epochs < epochs) o->epochs = epochs;
}

static void choose_regularisation(plx_learning *l) {
    plx_trainer_options *o = &l->trainer_options;
    const plx_learning_options *asked = &l->options;
    o->clip_norm = chosen(asked->clip, o->clip_norm);
    o->label_smoothing = chosen(asked->label_smoothing, o->label_smoothing);
    o->optimizer.weight_decay = chosen(asked->weight_decay, o->optimizer.weight_decay);
}

bool plx_learning_sets(const char *name, const char *key, size_t length) {
    const char *setting = strchr(name, ':');
    while (setting && *setting) {
        setting += 1;
        if (strcspn(setting, "=,") == length && !strncmp(setting, key, length)) return true;
        setting += strcspn(setting, ",");
    }
    return false;
}

/* The requested model inherits the settings of the task's own model unless its name says otherwise:
 * the data determines the vocabulary, for example. */
static plx_status complete_name(plx_learning *l, const char *wanted) {
    const char *asked = l->options.model, *set = strchr(wanted, ':');
    const size_t size = sizeof l->model_name;
    size_t used = strlen(asked);
    if (used < size) snprintf(l->model_name, size, "%s", asked);
    if (!set || !strncmp(wanted, "mlp:", 4) || !strncmp(asked, "mlp:", 4)) set = "";
    while (*set && used < size) {
        const char *one = set + 1;
        const size_t length = strcspn(one, ",");
        set = one + length;
        if (plx_learning_sets(asked, one, strcspn(one, "=,"))) continue;
        used += (size_t)snprintf(l->model_name + used, size - used, "%s%.*s",
                                 strchr(l->model_name, ':') ? "," : ":", (int)length, one);
    }
    if (used < size) return PLX_OK;
    return plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                    "model \"%.80s...\": the name, with what the task sets, is longer than "
                    "%d characters",
                    asked, (int)size - 1);
}

static bool same_port(plx_port a, plx_port b) {
    return a.rank == b.rank && a.dtype == b.dtype && a.classes == b.classes &&
           !memcmp(a.dims, b.dims, (size_t)a.rank * sizeof *a.dims);
}

/* The task's data fits the requested model if its ports equal those of the task's own model. */
static bool same_ports(const plx_model *a, const plx_model *b) {
    bool same =
        plx_model_inputs(a) == plx_model_inputs(b) && plx_model_outputs(a) == plx_model_outputs(b);
    for (int i = 0; same && i < plx_model_inputs(a); ++i)
        same = same_port(plx_model_input(a, i), plx_model_input(b, i));
    for (int i = 0; same && i < plx_model_outputs(a); ++i)
        same = same_port(plx_model_output(a, i), plx_model_output(b, i));
    return same;
}

static const char *shape_text(plx_port port, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < port.rank && used < size; ++i) {
        snprintf(text + used, size - used, "%s%lld", i ? " x " : "", (long long)port.dims[i]);
        used += strlen(text + used);
    }
    return text;
}

static const char *ports_text(const plx_model *model, char *text, size_t size) {
    const plx_port in = plx_model_input(model, 0), out = plx_model_output(model, 0);
    char left[96], right[96];
    snprintf(text, size, "%d input%s of %s and %d output%s of %s", plx_model_inputs(model),
             plx_model_inputs(model) == 1 ? "" : "s", shape_text(in, left, sizeof left),
             plx_model_outputs(model), plx_model_outputs(model) == 1 ? "" : "s",
             shape_text(out, right, sizeof right));
    return text;
}

/* The first input whose vocabulary differs from that of the data; -1: none. */
static int other_vocabulary(const plx_model *model, const plx_model *usual) {
    for (int i = 0; i < plx_model_inputs(model) && i < plx_model_inputs(usual); ++i) {
        const int64_t ids = plx_model_input(model, i).classes;
        const int64_t own = plx_model_input(usual, i).classes;
        if (ids && own && ids != own) return i;
    }
    return -1;
}

/* Checks that the data fits the model; wanted: the name of the task's own model. */
static plx_status check_model(plx_learning *l, const char *wanted) {
    if (!l->options.model || !strcmp(wanted, l->options.model)) return PLX_OK;
    plx_model *usual;
    plx_status status = plx_model_from_name(l->ctx, wanted, l->options.seed, &usual);
    if (status != PLX_OK) return status;
    const plx_port in = plx_model_input(l->model, 0), out = plx_model_output(l->model, 0);
    const plx_port own = plx_model_input(usual, 0), target = plx_model_output(usual, 0);
    const int words = other_vocabulary(l->model, usual);
    char left[256], right[256];
    if (same_ports(l->model, usual)) {
        status = PLX_OK;
    } else if (in.rank == 1 && own.rank == 1 && own.dtype == PLX_DTYPE_REAL && out.rank == 1) {
        status = plx_fail(
            l->ctx, PLX_ERR_SHAPE,
            "model \"%s\" has %lld inputs and %lld outputs, but %s has %lld and %lld: write "
            "mlp:%lld-...-%lld",
            l->model_name, (long long)in.dims[0], (long long)out.dims[0], l->task->name,
            (long long)own.dims[0], (long long)target.dims[0], (long long)own.dims[0],
            (long long)target.dims[0]);
    } else if (words >= 0) {
        const int64_t ids = plx_model_input(usual, words).classes;
        status = plx_fail(l->ctx, PLX_ERR_ARGUMENT,
                          "model \"%s\" has a vocabulary of %lld, but the tokens of %s "
                          "are 0 to %lld: write vocabulary=%lld, or leave it out",
                          l->model_name, (long long)plx_model_input(l->model, words).classes,
                          l->task->name, (long long)ids - 1, (long long)ids);
    } else {
        status =
            plx_fail(l->ctx, PLX_ERR_SHAPE, "model \"%s\" has %s, but the data of %s are for %s",
                     l->model_name, ports_text(l->model, left, sizeof left), l->task->name,
                     ports_text(usual, right, sizeof right));
    }
    plx_model_free(usual);
    return status;
}

static plx_status start(plx_learning *l) {
    char wanted[sizeof l->model_name];
    plx_status status = l->task->open(l);
    if (status == PLX_OK) status = choose_optimizer(l);
    if (status == PLX_OK) status = choose_schedule(l);
    if (status != PLX_OK) return status;
    memcpy(wanted, l->model_name, sizeof wanted);
    if (l->options.model) status = complete_name(l, wanted);
    if (status != PLX_OK) return status;
    status = plx_model_from_name(l->ctx, l->model_name, l->options.seed, &l->model);
    if (status == PLX_OK) status = check_model(l, wanted);
    if (status != PLX_OK) return status;
    l->trainer_options.seed = l->options.seed;
    choose_regularisation(l);
    split_validation(l);
    choose_length(l);
    l->data.train = l->train.n;
    l->data.test = l->test.n;
    plx_schedule *schedule = &l->trainer_options.schedule;
    if (schedule->kind == PLX_SCHEDULE_STEP && !schedule->every && l->trainer_options.batch > 0) {
        /* The rate falls to a tenth after every third of the steps. */
        const int64_t steps = l->trainer_options.steps;
        const int64_t all = steps ? steps : l->trainer_options.epochs * steps_per_epoch(l);
        schedule->every = (all + 2) / 3;
        schedule->factor = 0.1;
    }
    return plx_trainer_new(l->model, &l->trainer_options, &l->train, &l->trainer);
}

plx_status plx_learning_new(plx_ctx *ctx, const plx_task *task, const plx_learning_options *options,
                            plx_learning **out) {
    if (!task || !options || !out)
        return plx_fail(ctx, PLX_ERR_ARGUMENT, "learning: %s is NULL",
                        !task      ? "the task"
                        : !options ? "options"
                                   : "out");
    driver *d = plx_alloc(sizeof *d);
    if (!d) return plx_fail(ctx, PLX_ERR_MEMORY, "%s: no memory", task->name);
    *d = (driver){.shared = {.ctx = ctx, .task = task, .options = *options}};
    plx_learning *l = &d->shared;
    l->trainer_options = plx_trainer_default();
    const plx_status status = start(l);
    if (status != PLX_OK) {
        plx_learning_free(l);
        return status;
    }
    *out = l;
    return PLX_OK;
}

static void forget_exhibits(driver *d) {
    for (int i = 0; i < d->shown_count; ++i) {
        plx_free(d->shown[i].values);
        plx_free(d->shown[i].text);
        plx_free(d->shown[i].labels);
    }
    d->shown_count = 0;
}

void plx_learning_free(plx_learning *l) {
    if (!l) return;
    forget_exhibits(driver_of(l));
    plx_trainer_free(l->trainer);
    plx_model_free(l->model);
    if (l->task->close) l->task->close(l);
    plx_free(driver_of(l));
}

/* ---- What can be asked ----------------------------------------------------------------------- */

plx_model *plx_learning_model(plx_learning *l) {
    return l->model;
}

plx_trainer *plx_learning_trainer(plx_learning *l) {
    return l->trainer;
}

const char *plx_learning_model_name(const plx_learning *l) {
    return l->model_name;
}

plx_learning_data plx_learning_about(const plx_learning *l) {
    plx_learning_data data = l->data;
    if (!data.note) data.note = "";
    return data;
}

plx_trainer_options plx_learning_recipe(const plx_learning *l) {
    return l->trainer_options;
}

/* Reports that a task had more measures or exhibits than fit, rather than dropping them silently.
 */
static plx_status said_all(plx_learning *l, plx_status status, const char *what, int most) {
    const driver *d = driver_of(l);
    if (!d->left_out) return status;
    return plx_fail(l->ctx, PLX_ERR_STATE,
                    "%s: there is no room for \"%s\"; at most %d %s are possible", l->task->name,
                    d->left_out, most, what);
}

plx_status plx_learning_evaluate(plx_learning *l) {
    driver_of(l)->measure_count = 0;
    driver_of(l)->left_out = NULL;
    return said_all(l, l->task->evaluate(l), "measures", PLX_LEARNING_MEASURES);
}

int plx_learning_measures(const plx_learning *l) {
    return const_driver_of(l)->measure_count;
}

plx_learning_measure plx_learning_measure_at(const plx_learning *l, int i) {
    const driver *d = const_driver_of(l);
    return i >= 0 && i < d->measure_count ? d->measures[i] : (plx_learning_measure){.name = ""};
}

plx_status plx_learning_exhibit(plx_learning *l) {
    forget_exhibits(driver_of(l));
    driver_of(l)->left_out = NULL;
    const plx_status status = l->task->exhibit ? l->task->exhibit(l) : PLX_OK;
    return said_all(l, status, "exhibits", PLX_LEARNING_EXHIBITS);
}

int plx_learning_exhibits(const plx_learning *l) {
    return const_driver_of(l)->shown_count;
}

plx_exhibit plx_learning_exhibit_at(const plx_learning *l, int i) {
    static char nothing[1];
    const driver *d = const_driver_of(l);
    plx_exhibit exhibit = {.name = ""};
    if (i >= 0 && i < d->shown_count) exhibit = d->shown[i];
    if (!exhibit.text) exhibit.text = nothing;
    return exhibit;
}
