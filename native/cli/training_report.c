/* Reports a training run: exhibits, measures, speed and memory, as text and as rows. */
#include "rows.h"
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 12, MOST_LABELS = 8, CURVE_POINTS = 256 };

double training_samples(const training *t) {
    return (double)(plx_learning_samples(t->learning, t->at.step) -
                    plx_learning_samples(t->learning, t->resumed));
}

double training_gflops(const training *t) {
    const double of_batch = plx_plan_flops(plx_trainer_plan(plx_learning_trainer(t->learning)));
    return of_batch * training_samples(t) / (double)t->recipe.batch / ((double)t->train_ns + 1);
}

/* ---- Measures -------------------------------------------------------------------------------- */

const char *measure_name(const plx_learning_measure *m) {
    return !strcmp(m->name, "rmse") ? "RMSE" : !strcmp(m->name, "r2") ? "R^2" : m->name;
}

/* Whether the measure is a share that is read as a percentage. */
static bool is_percentage(const plx_learning_measure *m) {
    return !strcmp(m->unit, "1") && (strstr(m->name, "accuracy") || strstr(m->name, "recall") ||
                                     !strncmp(m->name, "top-", 4));
}

void measure_value(const plx_learning_measure *m, double value, char *text, size_t size) {
    if (!isfinite(value))
        snprintf(text, size, "none");
    else if (is_percentage(m))
        snprintf(text, size, "%.2f%%", 100 * value);
    else if (!strcmp(m->unit, "1") || !strcmp(m->unit, "target units"))
        snprintf(text, size, "%.4f", value);
    else
        snprintf(text, size, fabs(value) < 1000 ? "%.4f %s" : "%.0f %s", value, m->unit);
}

/* Goals apply only to the task's own recipe. */
static bool goals_hold(const plx_learning_options *o) {
    return !o->steps && !o->epochs && !o->model && !o->batch && o->rate <= 0 && !o->optimizer &&
           !o->schedule && !o->accumulate && !o->patience;
}

bool measure_has_goal(const training *t, const plx_learning_measure *m) {
    return goals_hold(&t->options) && isfinite(m->goal);
}

static bool is_lower(const plx_learning_measure *m) {
    return !strcmp(m->better, "lower");
}

bool measure_reached(const plx_learning_measure *m) {
    return is_lower(m) ? m->value <= m->goal : m->value >= m->goal;
}

void measure_goal(const plx_learning_measure *m, char *text, size_t size) {
    char bound[48];
    measure_value(m, m->goal, bound, sizeof bound);
    snprintf(text, size, "at %s %s", is_lower(m) ? "most" : "least", bound);
}

/* The measures that say how good the result is: those with goals, otherwise all that should rise or
 * fall. */
static bool is_main(const training *t, int i) {
    bool any = false;
    for (int j = 0; j < plx_learning_measures(t->learning); ++j) {
        const plx_learning_measure other = plx_learning_measure_at(t->learning, j);
        any |= measure_has_goal(t, &other);
    }
    const plx_learning_measure m = plx_learning_measure_at(t->learning, i);
    return any ? measure_has_goal(t, &m) : strcmp(m.better, "none") != 0;
}

char *measures_text(const training *t, bool on_held) {
    char *text = NULL;
    for (int i = 0; i < plx_learning_measures(t->learning); ++i) {
        const plx_learning_measure m = plx_learning_measure_at(t->learning, i);
        char value[64];
        if (!is_main(t, i)) continue;
        measure_value(&m, m.value, value, sizeof value);
        if (text && !isfinite(m.value)) {
            text_add(&text, ", no %s", measure_name(&m));
            continue;
        }
        text_add(&text, "%s%s ", text ? ", " : "", measure_name(&m));
        if (on_held) text_add(&text, "on the %lld held out: ", (long long)t->about.test);
        on_held = false;
        text_add(&text, "%s", value);
    }
    if (!text) text_add(&text, "%s", "");
    return text;
}

static void print_measures(FILE *to, const training *t) {
    const int count = plx_learning_measures(t->learning);
    if (count) fprintf(to, "%-24s %-24s goal\n", "held out", "value");
    for (int i = 0; i < count; ++i) {
        const plx_learning_measure m = plx_learning_measure_at(t->learning, i);
        char value[64], goal[96] = "";
        measure_value(&m, m.value, value, sizeof value);
        if (measure_has_goal(t, &m)) {
            const bool lower = !strcmp(m.better, "lower");
            char bound[48];
            measure_value(&m, m.goal, bound, sizeof bound);
            const bool reached = lower ? m.value <= m.goal : m.value >= m.goal;
            snprintf(goal, sizeof goal, "at %s %s: %s", lower ? "most" : "least", bound,
                     reached ? "reached" : "missed");
        }
        fprintf(to, "%-24s %-24s %s\n", measure_name(&m), value, goal);
    }
}

/* ---- Exhibits -------------------------------------------------------------------------------- */

static void print_range(FILE *to, const plx_exhibit *e, const char *what) {
    const int64_t size = e->count * e->rows * e->columns * e->channels;
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < size; ++i) {
        least = fmin(least, (double)e->values[i]);
        most = fmax(most, (double)e->values[i]);
    }
    fprintf(to, "\n%s: %s%lld x %lld values from %.4g to %.4g\n", e->name, what, (long long)e->rows,
            (long long)e->columns, least, most);
}

static bool all_whole(const plx_exhibit *e) {
    for (int64_t i = 0; i < e->rows * e->columns; ++i)
        if (e->values[i] != (plx_real)(int64_t)e->values[i]) return false;
    return true;
}

static void print_matrix(FILE *to, const plx_exhibit *e) {
    if (e->rows > MOST_CELLS || e->columns > MOST_CELLS || e->count > 1) {
        char what[48] = "";
        if (e->count > 1) snprintf(what, sizeof what, "%lld of ", (long long)e->count);
        print_range(to, e, what);
        return;
    }
    const bool whole = all_whole(e);
    fprintf(to, "\n%s\n%s   %s\n%5s", e->name, e->row_title ? e->row_title : "",
            e->column_title ? e->column_title : "", "");
    for (int64_t j = 0; j < e->columns; ++j) fprintf(to, "%7lld", (long long)j);
    fputc('\n', to);
    for (int64_t i = 0; i < e->rows; ++i) {
        /* Columns are numbered by label, unless the names are those of rows only. */
        if (e->labels && !e->square)
            fprintf(to, "%5s", "");
        else
            fprintf(to, "%5lld", (long long)i);
        for (int64_t j = 0; j < e->columns; ++j)
            fprintf(to, " %6.*f", whole ? 0 : 2, (double)e->values[i * e->columns + j]);
        /* Does not repeat the number. */
        if (e->labels && strtoll(e->labels[i], NULL, 10) != i) fprintf(to, "  %s", e->labels[i]);
        fputc('\n', to);
    }
}

static void print_images(FILE *to, const plx_exhibit *e) {
    char what[64];
    snprintf(what, sizeof what, "%lld picture%s of ", (long long)e->count,
             e->count == 1 ? "" : "s");
    print_range(to, e, what);
    for (int64_t i = 0; e->labels && i < e->count && i < MOST_LABELS; ++i)
        fprintf(to, "%s%s", i ? ", " : "  ", e->labels[i]);
    if (e->labels) fputs(e->count > MOST_LABELS ? ", ...\n" : "\n", to);
}

static void print_bars(FILE *to, const plx_exhibit *e) {
    double most = 0;
    for (int64_t i = 0; i < e->columns; ++i) most = fmax(most, fabs((double)e->values[i]));
    fprintf(to, "\n%s\n", e->name);
    for (int64_t i = 0; i < e->columns; ++i) {
        const int length = most > 0 ? (int)(40 * fabs((double)e->values[i]) / most + 0.5) : 0;
        fprintf(to, "  %-23.23s %10.4g  ", e->labels ? e->labels[i] : "", (double)e->values[i]);
        for (int b = 0; b < length; ++b) fputc('#', to);
        fputc('\n', to);
    }
}

static void print_exhibits(FILE *to, const training *t) {
    for (int i = 0; i < plx_learning_exhibits(t->learning); ++i) {
        const plx_exhibit e = plx_learning_exhibit_at(t->learning, i);
        switch (e.kind) {
        case PLX_EXHIBIT_TEXT: fprintf(to, "\n%s\n%s\n", e.name, e.text); break;
        case PLX_EXHIBIT_MATRIX: print_matrix(to, &e); break;
        case PLX_EXHIBIT_IMAGES: print_images(to, &e); break;
        case PLX_EXHIBIT_BARS: print_bars(to, &e); break;
        }
    }
}

/* ---- The whole report ------------------------------------------------------------------------ */

static void print_memory(FILE *to, const training *t) {
    const plx_memory m = plx_trainer_memory(plx_learning_trainer(t->learning));
    fprintf(to,
            "memory (bytes): parameters %lld, gradients %lld, optimizer %lld, activations %lld, "
            "workspace %lld, inputs %lld, kept %lld\n",
            (long long)m.parameters, (long long)m.gradients, (long long)m.optimizer,
            (long long)m.activations, (long long)m.workspace, (long long)m.inputs,
            (long long)m.kept);
}

void print_run(const training *t, const char *bits) {
    char *text = measures_text(t, false);
    fprintf(output_tables(&t->out),
            "run %2d of %d, seed %llu: %lld steps in %.3f s, held out: %s; losses' bits %s\n",
            t->run, t->runs, (unsigned long long)t->options.seed, (long long)t->at.step,
            (double)t->train_ns * 1e-9, text, bits);
    free(text);
    fflush(output_tables(&t->out));
}

void print_result(const training *t, const char *bits) {
    FILE *to = output_tables(&t->out);
    const double seconds = (double)t->train_ns * 1e-9, gflops = training_gflops(t);
    char tokens[48] = "";
    print_exhibits(to, t);
    if (t->about.tokens)
        snprintf(tokens, sizeof tokens, ", %.0f tokens/s",
                 training_samples(t) * (double)t->about.tokens / seconds);
    fprintf(to,
            "\n%lld steps in %.3f s, %.0f samples/s%s, %.1f GFLOP/s (%.0f%% of the arithmetic's "
            "peak); losses' bits %s\n",
            (long long)t->at.step, seconds, training_samples(t) / seconds, tokens, gflops,
            100 * gflops / t->peak, bits);
    print_memory(to, t);
    print_measures(to, t);
    char *text = measures_text(t, true);
    if (*text) fprintf(to, "%s\n", text);
    free(text);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void set_unless(cJSON *row, const char *path, double value, double usual) {
    if (value != usual) row_set(row, path, cJSON_CreateNumber(value));
}

static void set_schedule(cJSON *row, const plx_schedule *s) {
    set_unless(row, "parameters.warmup", (double)s->warmup, 0);
    set_unless(row, "parameters.floor", s->floor, 0);
    if (s->kind != PLX_SCHEDULE_STEP) return;
    row_set(row, "parameters.every", cJSON_CreateNumber((double)s->every));
    row_set(row, "parameters.factor", cJSON_CreateNumber(s->factor));
}

/* Options that differ from the optimizer's own defaults. */
static void set_optimizer(cJSON *row, const plx_optimizer_options *o) {
    const plx_optimizer_options usual = plx_optimizer_default(o->kind);
    set_unless(row, "parameters.momentum", o->momentum, usual.momentum);
    set_unless(row, "parameters.beta1", o->beta1, usual.beta1);
    set_unless(row, "parameters.beta2", o->beta2, usual.beta2);
    set_unless(row, "parameters.epsilon", o->epsilon, usual.epsilon);
    if (o->nesterov) row_set(row, "parameters.nesterov", cJSON_CreateTrue());
}

/* What is needed to repeat the run; settings that a recipe does not have are left out. */
static void set_recipe(cJSON *row, const training *t) {
    const plx_trainer_options *o = &t->recipe;
    row_set(row, "parameters.model", cJSON_CreateString(plx_learning_model_name(t->learning)));
    row_set(row, "parameters.batch", cJSON_CreateNumber((double)o->batch));
    row_set(row, "parameters.steps", cJSON_CreateNumber((double)t->at.step));
    row_set(row, "parameters.epochs", cJSON_CreateNumber((double)t->at.epoch));
    row_set(row, "parameters.rows", cJSON_CreateNumber((double)t->about.train));
    row_set(row, "parameters.optimizer", cJSON_CreateString(plx_optimizer_name(o->optimizer.kind)));
    row_set(row, "parameters.rate", cJSON_CreateNumber(o->optimizer.rate));
    row_set(row, "parameters.schedule", cJSON_CreateString(plx_schedule_name(o->schedule.kind)));
    row_set(row, "parameters.clip", cJSON_CreateNumber(o->clip_norm));
    set_schedule(row, &o->schedule);
    set_unless(row, "parameters.accumulate", o->accumulate > 1 ? (double)o->accumulate : 0, 0);
    set_unless(row, "parameters.patience", (double)o->patience, 0);
    set_unless(row, "parameters.label_smoothing", o->label_smoothing, 0);
    set_unless(row, "parameters.weight_decay", o->optimizer.weight_decay, 0);
    set_optimizer(row, &o->optimizer);
    if (t->options.size != PLX_LEARNING_DEFAULT)
        row_set(row, "parameters.size",
                cJSON_CreateString(t->options.size == PLX_LEARNING_QUICK ? "quick" : "full"));
}

static void set_memory(cJSON *row, const training *t) {
    const plx_memory m = plx_trainer_memory(plx_learning_trainer(t->learning));
    row_set(row, "memory.parameters", cJSON_CreateNumber((double)m.parameters));
    row_set(row, "memory.gradients", cJSON_CreateNumber((double)m.gradients));
    row_set(row, "memory.optimizer", cJSON_CreateNumber((double)m.optimizer));
    row_set(row, "memory.activations", cJSON_CreateNumber((double)m.activations));
    row_set(row, "memory.workspace", cJSON_CreateNumber((double)m.workspace));
    row_set(row, "memory.inputs", cJSON_CreateNumber((double)m.inputs));
    row_set(row, "memory.kept", cJSON_CreateNumber((double)m.kept));
}

static cJSON *new_row(const training *t, const char *bits, const char *metric, const char *unit,
                      const char *better, double value) {
    cJSON *row = row_of_figure(t->ctx, "train", t->task, metric, unit, better, value);
    if (!row) return NULL;
    set_recipe(row, t);
    set_memory(row, t);
    row_set(row, "data.kind", cJSON_CreateString(t->about.real ? "real" : "synthetic"));
    row_set(row, "data.seed", cJSON_CreateNumber((double)t->options.seed));
    if (t->runs > 1) row_set(row, "run", cJSON_CreateNumber(t->run));
    if (t->about.source) row_set(row, "data.source", cJSON_CreateString(t->about.source));
    row_set(row, "checks.lossBits", cJSON_CreateString(bits));
    row_set(row, "checks.steps", cJSON_CreateNumber((double)t->at.step));
    row_set(row, "checks.lastLoss", cJSON_CreateNumber((double)t->at.loss));
    if (t->diverged) {
        row_set(row, "checks.passed", cJSON_CreateFalse());
        row_set(row, "checks.failure", cJSON_CreateString(t->divergence));
    }
    return row;
}

static bool write_row(training *t, const char *bits, const char *metric, const char *unit,
                      const char *better, double value) {
    if (!isfinite(value)) return true;
    return output_row(&t->out, new_row(t, bits, metric, unit, better, value));
}

/* The loss at up to CURVE_POINTS steps, including the first and the last. */
static bool write_curve(training *t, const char *bits) {
    int64_t count;
    const plx_real *losses = plx_trainer_losses(plx_learning_trainer(t->learning), &count);
    cJSON *row = new_row(t, bits, "loss", "1", "lower", (double)losses[count - 1]);
    if (!row) return output_row(&t->out, row);
    const int64_t points = count < CURVE_POINTS ? count : CURVE_POINTS;
    cJSON *steps = cJSON_CreateArray(), *values = cJSON_CreateArray();
    for (int64_t i = 0; i < points; ++i) {
        const int64_t at = points > 1 ? i * (count - 1) / (points - 1) : 0;
        cJSON_AddItemToArray(steps, cJSON_CreateNumber((double)at + 1));
        cJSON_AddItemToArray(values, cJSON_CreateNumber((double)losses[at]));
    }
    row_set(row, "curve.step", steps);
    row_set(row, "curve.loss", values);
    return output_row(&t->out, row);
}

bool write_training_rows(training *t, const char *bits) {
    const double seconds = (double)t->train_ns * 1e-9, samples = training_samples(t);
    bool ok = write_row(t, bits, "training time", "s", "lower", seconds) &&
              write_row(t, bits, "throughput", "samples/s", "higher", samples / seconds) &&
              write_row(t, bits, "arithmetic", "GFLOP/s", "higher", training_gflops(t)) &&
              write_row(t, bits, "share of the arithmetic's peak", "1", "higher",
                        training_gflops(t) / t->peak);
    if (ok && t->about.tokens)
        ok = write_row(t, bits, "tokens", "tokens/s", "higher",
                       samples * (double)t->about.tokens / seconds);
    for (int i = 0; ok && i < plx_learning_measures(t->learning); ++i) {
        const plx_learning_measure m = plx_learning_measure_at(t->learning, i);
        ok = write_row(t, bits, m.name, m.unit, m.better, m.value);
    }
    return ok && write_curve(t, bits);
}
