#include "bench/task.h"

#include "base/context.h"
#include "base/platform.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TASK(name) extern const plx_task plx__task_##name;
#include "bench/tasks.def"
#undef TASK

static const plx_task *const tasks[] = {
#define TASK(name) &plx__task_##name,
#include "bench/tasks.def"
#undef TASK
};

enum { TASKS = sizeof tasks / sizeof tasks[0] };

const char *plx_learning_task(int i) {
    return i >= 0 && i < TASKS ? tasks[i]->name : NULL;
}

const char *plx_learning_task_description(int i) {
    return i >= 0 && i < TASKS ? tasks[i]->description : NULL;
}

const char *plx_learning_task_takes(int i) {
    return i >= 0 && i < TASKS && tasks[i]->takes ? tasks[i]->takes : "";
}

/* ---- For tasks ------------------------------------------------------------------------------- */

plx_status plx__learning_fail(plx_learning *l, plx_status status, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return plx__fail(&l->ctx->message, status, "%s", text);
}

int64_t plx__learning_steps(const plx_learning *l, int64_t quick, int64_t usual, int64_t full) {
    if (l->options.steps) return l->options.steps;
    return l->options.size == PLX_BENCH_QUICK  ? quick
           : l->options.size == PLX_BENCH_FULL ? full
                                               : usual;
}

void plx__learning_record(plx_learning *l, const char *name, const char *unit, const char *better,
                          double value, double goal) {
    if (l->measure_count == PLX_LEARNING_MEASURES) return;
    l->measures[l->measure_count++] = (plx_learning_measure){name, unit, better, value, goal};
}

plx_status plx__learning_metrics(plx_learning *l, int output, plx_metrics *metrics) {
    return plx_model_evaluate(l->model, output, l->trainer_options.loss, &l->test, metrics, NULL);
}

plx__shown *plx__learning_show(plx_learning *l, plx_exhibit_kind kind, const char *name,
                               int64_t count, int64_t rows, int64_t columns, int64_t channels,
                               int64_t labels) {
    if (l->shown_count == PLX_LEARNING_EXHIBITS) return NULL;
    plx__shown *shown = &l->shown[l->shown_count];
    const size_t size = (size_t)(count * rows * columns * channels);
    *shown = (plx__shown){.exhibit = {.kind = kind,
                                      .name = name,
                                      .count = count,
                                      .rows = rows,
                                      .columns = columns,
                                      .channels = channels}};
    shown->values = size ? plx_platform_alloc(size * sizeof *shown->values) : NULL;
    shown->labels = labels ? plx_platform_alloc((size_t)labels * sizeof *shown->labels) : NULL;
    if ((size && !shown->values) || (labels && !shown->labels)) {
        plx_platform_free(shown->values);
        plx_platform_free(shown->labels);
        return NULL;
    }
    if (size) memset(shown->values, 0, size * sizeof *shown->values);
    if (labels) memset(shown->labels, 0, (size_t)labels * sizeof *shown->labels);
    l->shown_count += 1;
    return shown;
}

plx_status plx__learning_show_text(plx_learning *l, const char *name, const char *text) {
    plx__shown *shown = plx__learning_show(l, PLX_EXHIBIT_TEXT, name, 0, 0, 0, 0, 0);
    const size_t bytes = strlen(text) + 1;
    if (shown) shown->text = plx_platform_alloc(bytes);
    if (!shown || !shown->text)
        return plx__learning_fail(l, PLX_ERR_MEMORY, "%s: no memory for \"%s\"", l->task->name,
                                  name);
    memcpy(shown->text, text, bytes);
    return PLX_OK;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static plx_status choose_optimizer(plx_learning *l) {
    plx_optimizer_options *optimizer = &l->trainer_options.optimizer;
    const char *wanted = l->options.optimizer;
    if (wanted) {
        int kind = 0;
        char known[128] = "";
        const char *name;
        for (; (name = plx_optimizer_name((plx_optimizer_kind)kind)); ++kind) {
            if (!strcmp(name, wanted)) break;
            const size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", name);
        }
        if (!name)
            return plx__learning_fail(l, PLX_ERR_ARGUMENT,
                                      "there is no optimizer \"%s\"; there are %s", wanted, known);
        if (optimizer->kind != (plx_optimizer_kind)kind)
            *optimizer = plx_optimizer_default((plx_optimizer_kind)kind);
    }
    if (l->options.rate > 0) optimizer->rate = l->options.rate;
    return PLX_OK;
}

static plx_status start(plx_learning *l) {
    plx_status status = l->task->open(l);
    if (status == PLX_OK) status = choose_optimizer(l);
    if (status != PLX_OK) return status;
    if (l->options.batch) l->trainer_options.batch = l->options.batch;
    if (l->options.model) snprintf(l->model_name, sizeof l->model_name, "%s", l->options.model);
    l->trainer_options.seed = l->options.seed;
    l->data.train = l->train.n;
    l->data.test = l->test.n;
    status = plx_model_from_name(l->ctx, l->model_name, l->options.seed, &l->model);
    if (status != PLX_OK) return status;
    return plx_trainer_new(l->model, &l->trainer_options, &l->train, &l->trainer);
}

static plx_status no_task(plx_ctx *ctx, const char *name) {
    char known[256] = "";
    for (int i = 0; i < TASKS; ++i) {
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", tasks[i]->name);
    }
    return plx__fail(&ctx->message, PLX_ERR_ARGUMENT, "there is no task \"%.60s\"; there are %s",
                     name, known);
}

plx_status plx_learning_new(plx_ctx *ctx, const plx_learning_options *options, plx_learning **out) {
    const plx_task *task = NULL;
    for (int i = 0; i < TASKS; ++i)
        if (!strcmp(tasks[i]->name, options->task)) task = tasks[i];
    if (!task) return no_task(ctx, options->task);
    plx_learning *l = plx_platform_alloc(sizeof *l);
    if (!l) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "%s: no memory", task->name);
    *l = (plx_learning){.ctx = ctx, .task = task, .options = *options};
    l->trainer_options = plx_trainer_default();
    const plx_status status = start(l);
    if (status != PLX_OK) {
        plx_learning_free(l);
        return status;
    }
    *out = l;
    return PLX_OK;
}

static void forget_exhibits(plx_learning *l) {
    for (int i = 0; i < l->shown_count; ++i) {
        plx_platform_free(l->shown[i].values);
        plx_platform_free(l->shown[i].text);
        plx_platform_free(l->shown[i].labels);
    }
    l->shown_count = 0;
}

void plx_learning_free(plx_learning *l) {
    if (!l) return;
    forget_exhibits(l);
    plx_trainer_free(l->trainer);
    plx_model_free(l->model);
    if (l->task->close) l->task->close(l);
    plx_platform_free(l);
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
    return l->data;
}

plx_trainer_options plx_learning_recipe(const plx_learning *l) {
    return l->trainer_options;
}

plx_status plx_learning_evaluate(plx_learning *l) {
    l->measure_count = 0;
    return l->task->evaluate(l);
}

int plx_learning_measures(const plx_learning *l) {
    return l->measure_count;
}

plx_learning_measure plx_learning_measure_at(const plx_learning *l, int i) {
    return i >= 0 && i < l->measure_count ? l->measures[i] : (plx_learning_measure){.name = ""};
}

plx_status plx_learning_exhibit(plx_learning *l) {
    forget_exhibits(l);
    return l->task->exhibit ? l->task->exhibit(l) : PLX_OK;
}

int plx_learning_exhibits(const plx_learning *l) {
    return l->shown_count;
}

plx_exhibit plx_learning_exhibit_at(const plx_learning *l, int i) {
    if (i < 0 || i >= l->shown_count) return (plx_exhibit){.name = ""};
    const plx__shown *shown = &l->shown[i];
    plx_exhibit exhibit = shown->exhibit;
    exhibit.values = shown->values;
    exhibit.text = shown->text ? shown->text : "";
    exhibit.labels = (const char(*)[PLX_LEARNING_LABEL])shown->labels;
    return exhibit;
}
