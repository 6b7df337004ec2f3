#include "bench_page.h"

#include "bench_table.h"
#include "command.h"
#include "compare_side.h"
#include "repeat.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Lines of cases: with headings, suites and the closing lines they fill a terminal page. */
enum { PAGE_LINES = 24, NAME = 46 };

/* A measurement and how it ranks within its suite. */
typedef struct candidate {
    const measurement *m;
    int place;   /* its position in the suite */
    bool chosen; /* to be shown */
    double rank; /* void cases first, then from far below what the machine allows to near it */
} candidate;

static bool is_void(const measurement *m) {
    return !m->count;
}

/* Cases without a share keep the order of the suite, whose middle is left out. */
static double rank_of(const measurement *m) {
    static const char *const shares[] = {"ceiling", "roofline"};
    if (is_void(m)) return -1e9;
    for (int i = 0; i < 2; ++i) {
        char share[32], failure[32];
        snprintf(share, sizeof share, "%s.share", shares[i]);
        snprintf(failure, sizeof failure, "%s.failure", shares[i]);
        if (row_number(m->row, share) >= 0 && !row_get(m->row, failure))
            return row_number(m->row, share);
    }
    if (row_number(m->row, "checks.tolerance") > 0) return -row_number(m->row, "checks.error");
    return 0;
}

static int by_rank(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return x->place - y->place;
}

static int by_place(const void *a, const void *b) {
    return ((const candidate *)a)->place - ((const candidate *)b)->place;
}

/* Chooses as many as there is room for: void ones first, then both ends of the ranking. */
static void choose(candidate *all, int count, int room) {
    qsort(all, (size_t)count, sizeof *all, by_rank);
    int low = 0, high = count - 1;
    for (int i = 0; i < room && low <= high; ++i) {
        const bool from_below = is_void(all[low].m) || i % 2 == 0;
        all[from_below ? low++ : high--].chosen = true;
    }
    qsort(all, (size_t)count, sizeof *all, by_place);
}

/* Whether it is the first figure of its case. */
static bool is_first(const side *s, int i) {
    return !i ||
           strcmp(row_text(s->list[i - 1].row, "case"), row_text(s->list[i].row, "case")) != 0;
}

/* The suite's cases by their figures of speed; if it has none, by the first figure of each case. */
static int gather(const side *s, const char *suite, candidate *all) {
    bool primary = false;
    int count = 0;
    for (int pass = 0; pass < 2; ++pass)
        for (int i = 0; i < s->count; ++i) {
            const cJSON *row = s->list[i].row;
            const bool speed = cJSON_IsTrue(row_get(row, "primary"));
            if (strcmp(row_text(row, "suite"), suite) != 0) continue;
            if (!pass)
                primary |= speed;
            else if (primary ? speed : is_first(s, i)) {
                all[count] = (candidate){&s->list[i], count, false, rank_of(&s->list[i])};
                ++count;
            }
        }
    return count;
}

static void print_titles(FILE *to, int runs) {
    if (runs > 1)
        fprintf(to, "%-*s %9s %-9s %10s %s\n", NAME + 2, "", "mean", "unit", "deviation",
                "95% interval of the mean");
    else
        fprintf(to, "%-*s %9s %-9s %s\n", NAME + 2, "", "median", "unit", "95% interval");
}

static void print_name(FILE *to, const cJSON *row) {
    char name[160];
    const bool speed = cJSON_IsTrue(row_get(row, "primary"));
    snprintf(name, sizeof name, "%s%s%s", row_text(row, "case"), speed ? "" : ": ",
             speed ? "" : row_text(row, "metric"));
    fprintf(to, "  %-*.*s ", NAME, NAME, name);
}

/* The spaces between the unit and the next column. */
static int column_gap(const cJSON *row) {
    const int length = (int)strlen(row_text(row, "unit"));
    return length < 9 ? 10 - length : 1;
}

static void print_figures(FILE *to, const measurement *m, int runs) {
    char value[32], low[32], high[32], share[64], range[72] = "", deviation[32] = "";
    const cJSON *row = m->row;
    double values[RUNS_MOST], median = row_number(row, "samples.median");
    double least = row_number(row, "samples.low"), most = row_number(row, "samples.high");
    if (runs > 1) {
        for (int i = 0; i < m->count; ++i) values[i] = row_number(m->runs[i].row, "samples.median");
        const repeated r = repeat_statistics(m->count, values);
        median = r.mean;
        least = r.low;
        most = r.high;
        figure_text(deviation, sizeof deviation, r.deviation);
    }
    if (least < most)
        snprintf(range, sizeof range, "%s to %s", figure_text(low, sizeof low, least),
                 figure_text(high, sizeof high, most));
    fprintf(to, "%9s %s", figure_text(value, sizeof value, median), row_text(row, "unit"));
    if (runs > 1)
        fprintf(to, "%*s%10s %s", column_gap(row), "", deviation, range);
    else if (*range || *share_text(row, share, sizeof share))
        fprintf(to, "%*s%-21s %s", column_gap(row), "", range,
                share_text(row, share, sizeof share));
    fputc('\n', to);
}

static void print_suite(FILE *to, const side *s, const suite_summary *suite, candidate *all,
                        int room, int runs) {
    const int count = gather(s, suite->name, all);
    choose(all, count, room);
    summary_print_suite(to, suite);
    for (int i = 0; i < count; ++i) {
        if (!all[i].chosen) continue;
        print_name(to, all[i].m->row);
        if (is_void(all[i].m))
            fprintf(to, "void: %s\n", row_text(all[i].m->row, "checks.failure"));
        else
            print_figures(to, all[i].m, runs);
    }
}

/* Suites with few cases leave room to the others. */
static int room_of(const bench_summary *summary, const side *s, candidate *all) {
    int room = PAGE_LINES;
    for (; room > 1; --room) {
        int lines = 0;
        for (int i = 0; i < summary->count; ++i) {
            const int count = gather(s, summary->suites[i].name, all);
            lines += count < room ? count : room;
        }
        if (lines <= PAGE_LINES) break;
    }
    return room;
}

bool page_print(FILE *to, const bench_summary *summary, const cJSON *rows, int runs) {
    side s = {0};
    bool ok = side_take(&s, rows, 0, true);
    candidate *all = ok ? calloc((size_t)s.count + 1, sizeof *all) : NULL;
    if (ok && !all) report(EXIT_FAILED, "there is not enough memory for the page.");
    ok = ok && all;
    if (all) {
        const int room = room_of(summary, &s, all);
        print_titles(to, runs);
        for (int i = 0; i < summary->count; ++i)
            print_suite(to, &s, &summary->suites[i], all, room, runs);
    }
    free(all);
    side_free(&s);
    return ok;
}
