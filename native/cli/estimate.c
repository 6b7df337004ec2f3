#include "estimate.h"

#include "rows.h"
#include "student.h"

#include <math.h>
#include <stdlib.h>

/* Whether the rounds are of the figure itself. Older files give rounds of all times beside their
 * 99th percentile, a figure without an interval that lies above each of them. */
static bool of_figure(const cJSON *row, const cJSON *rounds) {
    const double median = row_number(row, "samples.median");
    double least = INFINITY, most = -INFINITY;
    const cJSON *round;
    if (row_get(row, "samples.low")) return true;
    cJSON_ArrayForEach(round, rounds) {
        least = fmin(least, round->valuedouble);
        most = fmax(most, round->valuedouble);
    }
    return least <= median && median <= most;
}

bool row_stopped(const cJSON *row) {
    return cJSON_GetArraySize(row_get(row, "samples.rounds")) == 1;
}

int row_rounds(const cJSON *row, double *logs) {
    const cJSON *rounds = row_get(row, "samples.rounds"), *round;
    int count = 0;
    if (!of_figure(row, rounds)) return 0;
    cJSON_ArrayForEach(round, rounds) {
        if (count == ROUNDS_MOST) break;
        if (!cJSON_IsNumber(round) || !(round->valuedouble > 0)) return 0;
        logs[count++] = log(round->valuedouble);
    }
    return count >= ROUNDS_LEAST ? count : 0;
}

bool row_positive(const cJSON *row) {
    const double median = row_number(row, "samples.median");
    return isfinite(median) && median > 0;
}

spread spread_of(int count, const double *logs, double *mean) {
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) sum += logs[i];
    *mean = sum / count;
    for (int i = 0; i < count; ++i) squares += (logs[i] - *mean) * (logs[i] - *mean);
    return (spread){.variance = squares / (count - 1) / count, .freedom = count - 1};
}

/* The interval that the row states; false if it has none, as for a percentile, a single figure. */
static bool stated(const cJSON *row, spread *s) {
    const double value = row_number(row, "samples.median"), low = row_number(row, "samples.low"),
                 high = row_number(row, "samples.high");
    if (!(low > 0) || !(value >= low) || !(high >= value)) return false;
    if (row_number(row, "samples.count") == 1 && low == high) return false;
    *s = (spread){.below = log(value / low), .above = log(high / value)};
    return true;
}

static bool one_run(const cJSON *row, double *log_value, spread *s) {
    double logs[ROUNDS_MOST];
    const int rounds = row_rounds(row, logs);
    if (rounds) {
        *s = spread_of(rounds, logs, log_value);
        return true;
    }
    *log_value = log(row_number(row, "samples.median"));
    return stated(row, s);
}

/* Half widths of one spread, with probability tail on each side. Of intervals from elsewhere only
 * the 95% level is known; other levels follow by the ratio of the normal distribution. */
static void half_widths(const spread *s, double tail, double *below, double *above) {
    if (s->freedom > 0) {
        *below = s->variance > 0 ? student_quantile(tail, s->freedom) * sqrt(s->variance) : 0;
        *above = *below;
        return;
    }
    const double scale =
        tail == TAIL_95 ? 1
                        : student_quantile(tail, INFINITY) / student_quantile(TAIL_95, INFINITY);
    *below = scale * s->below;
    *above = scale * s->above;
}

/* For the mean of independent runs: F. E. Satterthwaite, Biometrics Bulletin 2 (1946), 110-114. */
static spread mean_spread(int runs, const spread *within) {
    double sum = 0, squares = 0, below = 0, above = 0;
    bool student = true;
    for (int i = 0; i < runs; ++i) {
        double low, high;
        half_widths(&within[i], TAIL_95, &low, &high);
        below = hypot(below, low / runs);
        above = hypot(above, high / runs);
        student = student && within[i].freedom > 0;
        if (!student) continue;
        sum += within[i].variance;
        squares += within[i].variance * within[i].variance / within[i].freedom;
    }
    if (!student) return (spread){.below = below, .above = above};
    return (spread){.variance = sum / runs / runs,
                    .freedom = squares > 0 ? sum * sum / squares : within[0].freedom};
}

void estimate_spreads(estimate *e, int runs, const double *logs, const spread *within,
                      const bool *known) {
    bool all = true;
    for (int i = 0; i < runs; ++i) all = all && known[i];
    e->spreads = 0;
    if (all) e->of[e->spreads++] = mean_spread(runs, within);
    if (runs > 1) {
        double mean;
        e->of[e->spreads++] = spread_of(runs, logs, &mean);
    }
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double median_of(int count, double *values) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

estimate estimate_runs(int runs, const cJSON *const *rows) {
    double logs[RUNS_MOST] = {0};
    spread within[RUNS_MOST] = {{0}};
    bool known[RUNS_MOST] = {false};
    estimate e = {0};
    for (int i = 0; i < runs; ++i) {
        known[i] = one_run(rows[i], &logs[i], &within[i]);
        e.log_value += logs[i] / runs;
    }
    estimate_spreads(&e, runs, logs, within, known);
    double rounds[ROUNDS_MOST], medians[RUNS_MOST] = {0};
    for (int i = 0; i < runs; ++i) medians[i] = row_number(rows[i], "samples.median");
    e.median = median_of(runs, medians);
    const bool plain = runs == 1 && !row_rounds(rows[0], rounds);
    e.value = plain ? medians[0] : exp(e.log_value);
    return e;
}

/* Half widths of the logarithm of the quotient. */
static void quotient_widths(const spread *a, const spread *b, double tail, double *below,
                            double *above) {
    if (a->freedom > 0 && b->freedom > 0) {
        const double sum = a->variance + b->variance;
        const spread both = {.variance = sum,
                             .freedom = sum > 0 ? sum * sum /
                                                      (a->variance * a->variance / a->freedom +
                                                       b->variance * b->variance / b->freedom)
                                                : a->freedom + b->freedom};
        half_widths(&both, tail, below, above);
        return;
    }
    double below_a, above_a, below_b, above_b;
    half_widths(a, tail, &below_a, &above_a);
    half_widths(b, tail, &below_b, &above_b);
    *below = hypot(below_a, above_b);
    *above = hypot(above_a, below_b);
}

interval estimate_quotient(const estimate *a, const estimate *b, double tail) {
    static const spread exact = {0};
    const double value = a->value / b->value;
    if (!a->spreads && !b->spreads) return (interval){value, NAN, NAN};
    const spread *of_a = a->spreads ? a->of : &exact, *of_b = b->spreads ? b->of : &exact;
    double below = 0, above = 0;
    for (int i = 0; i < (a->spreads ? a->spreads : 1); ++i)
        for (int k = 0; k < (b->spreads ? b->spreads : 1); ++k) {
            double low, high;
            quotient_widths(&of_a[i], &of_b[k], tail, &low, &high);
            below = fmax(below, low);
            above = fmax(above, high);
        }
    return (interval){value, value * exp(-below), value * exp(above)};
}
