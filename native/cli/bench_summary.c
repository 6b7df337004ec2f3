#include "bench_summary.h"

#include "compare_side.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *figure_text(char *text, size_t size, double value) {
    const double magnitude = fabs(value);
    if (isnan(value))
        snprintf(text, size, "-");
    else if (magnitude >= 1000 && magnitude < 1e9)
        snprintf(text, size, "%.0f", value);
    else
        snprintf(text, size, "%.4g", value);
    return text;
}

/* Returns NULL when memory is short. */
static suite_summary *find(bench_summary *s, const char *name) {
    for (int i = 0; i < s->count; ++i)
        if (!strcmp(s->suites[i].name, name)) return &s->suites[i];
    if (s->count == s->room) {
        const int room = s->room ? 2 * s->room : 16;
        suite_summary *moved = realloc(s->suites, (size_t)room * sizeof *moved);
        if (!moved) return NULL;
        s->suites = moved;
        s->room = room;
    }
    suite_summary *added = &s->suites[s->count];
    *added = (suite_summary){.name = strdup(name), .error = -1};
    if (!added->name) return NULL;
    s->count += 1;
    return added;
}

/* A share counts unless the row gives a reason against it. */
static void add_share(const cJSON *row, const char *share, const char *failure, int *count,
                      double *log_sum, int *withheld) {
    const double value = row_number(row, share);
    if (*row_text(row, failure)) {
        *withheld += 1;
    } else if (value > 0) {
        *count += 1;
        *log_sum += log(value);
    }
}

static bool add_figure(suite_summary *suite, const cJSON *row) {
    const double median = row_number(row, "samples.median");
    const char *metric = row_text(row, "metric"), *unit = row_text(row, "unit");
    if (!isfinite(median)) return true;
    if (!strcmp(unit, "GFLOP/s")) suite->best_rate = fmax(suite->best_rate, median);
    if (!suite->metric) {
        suite->metric = strdup(metric);
        suite->unit = strdup(unit);
        suite->least = suite->most = median;
    }
    if (!suite->metric || !suite->unit) return false;
    if (strcmp(suite->metric, metric) != 0 || strcmp(suite->unit, unit) != 0) return true;
    suite->least = fmin(suite->least, median);
    suite->most = fmax(suite->most, median);
    return true;
}

bool summary_add(bench_summary *s, const cJSON *row) {
    const bool voided = cJSON_IsFalse(row_get(row, "checks.passed"));
    s->rows += 1;
    s->voided += voided;
    s->assumed += !strcmp(row_text(row, "engine.costs"), "assumed");
    s->yardsticks += is_yardstick(row);
    if (is_yardstick(row)) return true;
    suite_summary *suite = find(s, row_text(row, "suite"));
    if (!suite) return false;
    suite->rows += 1;
    suite->voided += voided;
    if (voided) return true;
    suite->bits += *row_text(row, "checks.lossBits") != 0;
    if (row_number(row, "checks.tolerance") > 0)
        suite->error = fmax(suite->error, row_number(row, "checks.error"));
    if (!cJSON_IsTrue(row_get(row, "primary"))) return true;
    add_share(row, "ceiling.share", "ceiling.failure", &suite->ceilings, &suite->log_ceiling,
              &suite->withheld);
    add_share(row, "roofline.share", "roofline.failure", &suite->rooflines, &suite->log_roofline,
              &suite->withheld);
    return add_figure(suite, row);
}

static const char *cases_text(int count, char *text, size_t size) {
    snprintf(text, size, "%d case%s", count, count == 1 ? "" : "s");
    return text;
}

/* The most telling figures for somebody who sees the suite for the first time. */
static void print_figure(FILE *to, const suite_summary *suite) {
    char least[32], most[32], cases[32];
    if (suite->ceilings)
        fprintf(to, "%.0f%% of the ceiling (%s)", 100 * exp(suite->log_ceiling / suite->ceilings),
                cases_text(suite->ceilings, cases, sizeof cases));
    else if (suite->rooflines)
        fprintf(to, "%.0f%% of the roofline (%s)",
                100 * exp(suite->log_roofline / suite->rooflines),
                cases_text(suite->rooflines, cases, sizeof cases));
    else if (suite->metric && suite->least == suite->most)
        fprintf(to, "%s %s %s", suite->metric, figure_text(most, sizeof most, suite->most),
                suite->unit);
    else if (suite->metric)
        fprintf(to, "%s from %s to %s %s", suite->metric,
                figure_text(least, sizeof least, suite->least),
                figure_text(most, sizeof most, suite->most), suite->unit);
    else if (suite->error >= 0)
        fprintf(to, "the largest error is %.3g%% of its bound", 100 * suite->error);
    else if (suite->bits)
        fprintf(to, "%d results whose bits can be compared", suite->bits);
    const bool shown = !suite->ceilings && !suite->rooflines && suite->best_rate == suite->most;
    if (suite->best_rate > 0 && !shown)
        fprintf(to, ", at best %s GFLOP/s", figure_text(most, sizeof most, suite->best_rate));
    if (suite->withheld)
        fprintf(to, ", %s without a share", cases_text(suite->withheld, cases, sizeof cases));
}

void summary_print_suite(FILE *to, const suite_summary *suite) {
    fprintf(to, "%-11s %4d rows  ", suite->name, suite->rows);
    if (suite->voided) fprintf(to, "%d void, ", suite->voided);
    print_figure(to, suite);
    fputc('\n', to);
}

void summary_print_all(FILE *to, const bench_summary *s) {
    fprintf(to, "%-11s %4d rows  %d void", "all", s->rows, s->voided);
    if (s->assumed) fprintf(to, ", %d with assumed costs of threads", s->assumed);
    if (s->yardsticks) fprintf(to, ", with %d of the yardstick", s->yardsticks);
    fputc('\n', to);
}

void summary_free(bench_summary *s) {
    for (int i = 0; i < s->count; ++i) {
        free(s->suites[i].name);
        free(s->suites[i].metric);
        free(s->suites[i].unit);
    }
    free(s->suites);
    *s = (bench_summary){0};
}
