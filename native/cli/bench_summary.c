#include "bench_summary.h"

#include "compare_side.h"
#include "rows.h"

#include <math.h>
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

/* NULL when there is no room: a suite more than this program can have. */
static suite_summary *find(bench_summary *s, const char *name) {
    for (int i = 0; i < s->count; ++i)
        if (!strcmp(s->suites[i].name, name)) return &s->suites[i];
    if (s->count == SUMMARY_SUITES) return NULL;
    suite_summary *added = &s->suites[s->count++];
    *added = (suite_summary){.error = -1};
    snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

/* A share counts unless the row says why not. */
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

static void add_figure(suite_summary *suite, const cJSON *row) {
    const double median = row_number(row, "samples.median");
    const char *metric = row_text(row, "metric"), *unit = row_text(row, "unit");
    if (!isfinite(median)) return;
    if (!strcmp(unit, "GFLOP/s")) suite->best_rate = fmax(suite->best_rate, median);
    if (!*suite->metric) {
        snprintf(suite->metric, sizeof suite->metric, "%s", metric);
        snprintf(suite->unit, sizeof suite->unit, "%s", unit);
        suite->least = suite->most = median;
    }
    if (strcmp(suite->metric, metric) != 0 || strcmp(suite->unit, unit) != 0) return;
    suite->least = fmin(suite->least, median);
    suite->most = fmax(suite->most, median);
}

void summary_add(bench_summary *s, const cJSON *row) {
    const bool voided = cJSON_IsFalse(row_get(row, "checks.passed"));
    s->rows += 1;
    s->voided += voided;
    s->assumed += !strcmp(row_text(row, "engine.costs"), "assumed");
    s->yardsticks += is_yardstick(row);
    suite_summary *suite = is_yardstick(row) ? NULL : find(s, row_text(row, "suite"));
    if (!suite) return;
    suite->rows += 1;
    suite->voided += voided;
    if (voided) return;
    suite->bits += *row_text(row, "checks.lossBits") != 0;
    if (row_number(row, "checks.tolerance") > 0)
        suite->error = fmax(suite->error, row_number(row, "checks.error"));
    if (!cJSON_IsTrue(row_get(row, "primary"))) return;
    add_share(row, "ceiling.share", "ceiling.failure", &suite->ceilings, &suite->log_ceiling,
              &suite->withheld);
    add_share(row, "roofline.share", "roofline.failure", &suite->rooflines, &suite->log_roofline,
              &suite->withheld);
    add_figure(suite, row);
}

/* What says most to somebody who sees the suite for the first time. */
static void print_figure(FILE *to, const suite_summary *suite) {
    char least[32], most[32];
    if (suite->ceilings)
        fprintf(to, "%.0f%% of what this machine's arithmetic allows (%d cases)",
                100 * exp(suite->log_ceiling / suite->ceilings), suite->ceilings);
    else if (suite->rooflines)
        fprintf(to, "%.0f%% of what arithmetic and memory allow (%d cases)",
                100 * exp(suite->log_roofline / suite->rooflines), suite->rooflines);
    else if (*suite->metric)
        fprintf(to, "%s from %s to %s %s", suite->metric,
                figure_text(least, sizeof least, suite->least),
                figure_text(most, sizeof most, suite->most), suite->unit);
    else if (suite->error >= 0)
        fprintf(to, "the largest error is %.3g%% of its bound", 100 * suite->error);
    else if (suite->bits)
        fprintf(to, "%d results whose bits can be compared", suite->bits);
    if (suite->best_rate > 0)
        fprintf(to, ", at best %s GFLOP/s", figure_text(most, sizeof most, suite->best_rate));
    if (suite->withheld) fprintf(to, ", %d cases without a share", suite->withheld);
}

void summary_print(FILE *to, const bench_summary *s) {
    for (int i = 0; i < s->count; ++i) {
        const suite_summary *suite = &s->suites[i];
        fprintf(to, "  %-12s %5d rows  ", suite->name, suite->rows);
        if (suite->voided) fprintf(to, "%d void, ", suite->voided);
        print_figure(to, suite);
        fputc('\n', to);
    }
    fprintf(to, "  %-12s %5d rows  %d void, %d with assumed costs of threads", "all", s->rows,
            s->voided, s->assumed);
    if (s->yardsticks) fprintf(to, ", %d of the yardstick", s->yardsticks);
    fputc('\n', to);
}
