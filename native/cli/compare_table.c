#include "compare_table.h"

#include "compare_report.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double shown_value(const measurement *m) {
    if (m->positive) return m->estimate.median;
    return row_number(m->row, "samples.median");
}

static void add_side(cJSON *row, const char *letter, const measurement *m, const char *engine) {
    char name[16];
    snprintf(name, sizeof name, "engine%s", letter);
    cJSON_AddStringToObject(row, name, engine);
    snprintf(name, sizeof name, "runs%s", letter);
    cJSON_AddNumberToObject(row, name, m->count);
    snprintf(name, sizeof name, "median%s", letter);
    if (isfinite(shown_value(m))) cJSON_AddNumberToObject(row, name, shown_value(m));
}

/* Unknown values are left out. */
static void add_speed(cJSON *row, interval speed) {
    cJSON_AddNumberToObject(row, "ratio", speed.value);
    if (!isnan(speed.low)) {
        cJSON_AddNumberToObject(row, "low", speed.low);
        cJSON_AddNumberToObject(row, "high", speed.high);
    }
    cJSON_AddStringToObject(row, "verdict", verdict_text(verdict_of(speed)));
}

static cJSON *pair_row(const pair *p, const char *of_a, const char *of_b) {
    const cJSON *a = p->a->row;
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "suite", row_text(a, "suite"));
    cJSON_AddStringToObject(row, "case", row_text(a, "case"));
    if (row_get(a, "parameters"))
        cJSON_AddItemToObject(row, "parameters", cJSON_Duplicate(row_get(a, "parameters"), true));
    cJSON_AddStringToObject(row, "metric", row_text(a, "metric"));
    cJSON_AddStringToObject(row, "unit", row_text(a, "unit"));
    add_side(row, "A", p->a, of_a);
    add_side(row, "B", p->b, of_b);
    add_speed(row, p->speed);
    return row;
}

/* How many threads worked, over all runs: "1 to 2"; "" if rows do not say. */
static void worked_text(const measurement *m, char *text, size_t size) {
    double least = INFINITY, most = 0;
    for (int i = 0; i < m->count; ++i) {
        const double worked = row_number(m->runs[i].row, "engine.threadsWorked");
        if (!(worked > 0)) continue;
        least = fmin(least, worked);
        most = fmax(most, worked);
    }
    text[0] = 0;
    if (most > least)
        snprintf(text, size, "%.0f to %.0f", least, most);
    else if (most > 0)
        snprintf(text, size, "%.0f", most);
}

static void print_notes(FILE *to, const pair *p) {
    const measurement *sides[] = {p->a, p->b};
    char of_a[32], of_b[32];
    worked_text(p->a, of_a, sizeof of_a);
    worked_text(p->b, of_b, sizeof of_b);
    if (strcmp(of_a, of_b) != 0 && *of_a && *of_b)
        fprintf(to, "  threads at work: %s in A, %s in B", of_a, of_b);
    for (int i = 0; i < 2; ++i)
        if (sides[i]->voided)
            fprintf(to, "  %d of %d runs of %c void", sides[i]->voided,
                    sides[i]->voided + sides[i]->count, "AB"[i]);
}

static void print_figure(FILE *to, const measurement *m) {
    const double value = shown_value(m);
    if (isfinite(value))
        fprintf(to, "%10.4g ", value);
    else
        fprintf(to, "%10s ", "-");
}

static void print_result(FILE *to, const pair *p) {
    if (p->voided) {
        const measurement *m = p->a->count ? p->b : p->a;
        fprintf(to, " void: the check of %s failed: %s", p->a->count ? "B" : "A",
                row_text(m->row, "checks.failure"));
        return;
    }
    if (!p->positive) {
        fputs(" no ratio: a figure is not above 0", to);
        return;
    }
    fprintf(to, " %.3f", p->speed.value);
    if (!isnan(p->speed.low)) fprintf(to, " (%.3f to %.3f)", p->speed.low, p->speed.high);
    fprintf(to, "  %s", verdict_text(verdict_of(p->speed)));
    print_notes(to, p);
}

/* Whether a side has rows of several engines; the table then names them. */
static bool several_engines(const pair_list *pairs) {
    bool several = false;
    char *first[2] = {NULL, NULL};
    for (int i = 0; i < pairs->count && !several; ++i) {
        const cJSON *rows[] = {pairs->list[i].a->row, pairs->list[i].b->row};
        for (int k = 0; k < 2; ++k) {
            char *text = engine_text(rows[k], rows[1 - k]);
            several = several || (first[k] && strcmp(first[k], text) != 0);
            free(first[k]);
            first[k] = text;
        }
    }
    free(first[0]);
    free(first[1]);
    return several;
}

/* Whether dividing one figure by the other gives another ratio than is printed. */
static bool other_centres(const pair_list *pairs) {
    const double shown = 0.0015;
    for (int i = 0; i < pairs->count; ++i) {
        const pair *p = &pairs->list[i];
        if (!p->positive) continue;
        const double quotient = p->a->estimate.median / p->b->estimate.median,
                     ratio = p->lower ? 1 / quotient : quotient;
        if (fabs(ratio / p->speed.value - 1) > shown) return true;
    }
    return false;
}

bool table_print(output *out, const pair_list *pairs) {
    FILE *to = output_tables(out);
    const bool engines = several_engines(pairs);
    bool ok = true;
    fprintf(to, "\n%-11s %-30s %-16s ", "suite", "case", "metric");
    if (engines) fprintf(to, "%-24s %-24s ", "engine of A", "engine of B");
    fprintf(to, "%10s %10s %-9s  %s\n", "A", "B", "unit", "A over B in speed, 95% interval");
    for (int i = 0; i < pairs->count; ++i) {
        const pair *p = &pairs->list[i];
        char *of_a = engine_text(p->a->row, p->b->row), *of_b = engine_text(p->b->row, p->a->row);
        fprintf(to, "%-11s %-30s %-16s ", row_text(p->a->row, "suite"), row_text(p->a->row, "case"),
                row_text(p->a->row, "metric"));
        if (engines) fprintf(to, "%-24s %-24s ", of_a, of_b);
        print_figure(to, p->a);
        print_figure(to, p->b);
        fprintf(to, "%-9s ", row_text(p->a->row, "unit"));
        print_result(to, p);
        fputc('\n', to);
        if (p->positive) ok = output_row(out, pair_row(p, of_a, of_b)) && ok;
        free(of_a);
        free(of_b);
    }
    if (other_centres(pairs))
        fputs("\nA and B are medians, as parallax bench prints them; ratios are of geometric means "
              "over rounds\nand runs, which differ from medians a little\n",
              to);
    return ok;
}

static cJSON *mean_row(const mean_speed *mean) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "case", "geometric mean");
    cJSON_AddNumberToObject(row, "cases", mean->cases);
    cJSON_AddNumberToObject(row, "withoutRounds", mean->without_rounds);
    add_speed(row, mean->speed);
    return row;
}

static void print_counts(FILE *to, const pair_list *pairs) {
    int counts[4] = {0}, voided = 0;
    for (int i = 0; i < pairs->count; ++i) {
        voided += pairs->list[i].voided;
        if (pairs->list[i].positive) counts[verdict_of(pairs->list[i].speed)] += 1;
    }
    fprintf(to, "\n%d faster, %d slower, %d with no difference shown", counts[VERDICT_FASTER],
            counts[VERDICT_SLOWER], counts[VERDICT_SAME]);
    if (counts[VERDICT_NONE]) fprintf(to, ", %d without an interval", counts[VERDICT_NONE]);
    if (voided) fprintf(to, ", %d void", voided);
    fputs("; between equal builds, one case in twenty\ndiffers by chance\n", to);
}

static void print_independent(FILE *to, const mean_speed *mean) {
    if (!mean->without_rounds) return;
    if (mean->without_rounds == mean->cases)
        fputs("  (cases taken as independent: ", to);
    else
        fprintf(to, "  (%d of %d cases taken as independent: ", mean->without_rounds, mean->cases);
    if (mean->stopped == mean->without_rounds)
        fputs("some of their runs were stopped in the first round)\n", to);
    else if (mean->stopped)
        fputs("they have no rounds, or some of their runs were stopped in the first)\n", to);
    else
        fputs(mean->without_rounds == mean->cases ? "the files have no rounds)\n"
                                                  : "they have no rounds)\n",
              to);
}

bool table_mean(output *out, const pair_list *pairs, const mean_speed *mean) {
    FILE *to = output_tables(out);
    print_counts(to, pairs);
    if (mean->cases < 2) return true;
    fprintf(to, "geometric mean of %d ratios: %.3f", mean->cases, mean->speed.value);
    if (!isnan(mean->speed.low)) fprintf(to, " (%.3f to %.3f)", mean->speed.low, mean->speed.high);
    fprintf(to, "  %s\n", verdict_text(verdict_of(mean->speed)));
    print_independent(to, mean);
    return output_row(out, mean_row(mean));
}
