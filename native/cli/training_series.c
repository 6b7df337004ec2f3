#include "training_series.h"

#include "repeat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *copy_of(const char *text) {
    char *copy = NULL;
    text_add(&copy, "%s", text);
    return copy;
}

static void add(training_series *s, const plx_learning_measure *m, bool has_goal) {
    if (!isfinite(m->value)) return;
    int i = 0;
    while (i < s->count && strcmp(s->figures[i].measure.name, m->name) != 0) ++i;
    if (i == SERIES_FIGURES) return;
    series_figure *figure = &s->figures[i];
    if (i == s->count) {
        *figure = (series_figure){.measure = *m, .has_goal = has_goal};
        figure->measure.name = copy_of(m->name);
        figure->measure.unit = copy_of(m->unit);
        s->count += 1;
    }
    figure->values[figure->count++] = m->value;
    figure->reached += has_goal && measure_reached(m);
}

void series_add(training_series *s, const training *t) {
    const double seconds = (double)t->train_ns * 1e-9;
    const plx_learning_measure speed[] = {
        {"training time", "s", "lower", seconds, NAN},
        {"throughput", "samples/s", "higher", training_samples(t) / seconds, NAN},
    };
    for (int i = 0; i < plx_learning_measures(t->learning); ++i) {
        const plx_learning_measure m = plx_learning_measure_at(t->learning, i);
        add(s, &m, measure_has_goal(t, &m));
    }
    add(s, &speed[0], false);
    add(s, &speed[1], false);
}

void series_print(FILE *to, const training_series *s) {
    fprintf(to, "%-24s %-24s %-22s %s\n", "held out", "mean", "deviation",
            "95% interval of the mean; goal");
    for (int i = 0; i < s->count; ++i) {
        const series_figure *figure = &s->figures[i];
        const plx_learning_measure *m = &figure->measure;
        const repeated r = repeat_statistics(figure->count, figure->values);
        char mean[64], deviation[64], low[64], high[64], goal[64];
        measure_value(m, r.mean, mean, sizeof mean);
        measure_value(m, r.deviation, deviation, sizeof deviation);
        measure_value(m, r.low, low, sizeof low);
        measure_value(m, r.high, high, sizeof high);
        fprintf(to, "%-24s %-24s %-22s", measure_name(m), mean, deviation);
        if (r.low <= r.high) fprintf(to, " %s to %s", low, high);
        if (figure->has_goal) {
            measure_goal(m, goal, sizeof goal);
            fprintf(to, "; %s: %d of %d runs", goal, figure->reached, figure->count);
        }
        fputc('\n', to);
    }
}

void series_free(training_series *s) {
    for (int i = 0; i < s->count; ++i) {
        const char *const texts[] = {s->figures[i].measure.name, s->figures[i].measure.unit};
        free_texts(2, texts);
    }
    s->count = 0;
}
