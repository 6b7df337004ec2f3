#include "bench/statistics.h"

#include "parallax.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double plx__mean(int count, const double *values) {
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += values[i];
    return sum / count;
}

double plx__deviation(int count, const double *values) {
    const double mean = plx__mean(count, values);
    double sum = 0;
    for (int i = 0; i < count; ++i) sum += (values[i] - mean) * (values[i] - mean);
    return count > 1 ? plx_math_sqrt(sum / (count - 1)) : 0;
}

double plx__quantile(int count, const double *sorted, double q) {
    const double at = q * (count - 1);
    const int below = (int)at;
    if (below >= count - 1) return sorted[count - 1];
    return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

/* The largest rank r (from 0) for which [r, count - 1 - r] still contains the median with 95%:
 * P(Binomial(count, 1/2) <= r - 1) <= 2.5%. */
static int interval_rank(int count) {
    /* 2^-count underflows beyond a thousand samples; the normal approximation is exact enough. */
    if (count > 500) return (int)((count - 1.959964 * plx_math_sqrt(count)) / 2);
    double term = plx_math_exp(-count * 0.69314718055994531), below = term;
    int rank = 0;
    while (below <= 0.025) {
        rank += 1;
        term *= (double)(count - rank + 1) / rank;
        below += term;
    }
    return rank;
}

plx_summary plx__summarise(int count, double *values) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    /* P(X <= r - 1) <= 2.5% allows ranks r and count + 1 - r, counted from 1. */
    const int rank = interval_rank(count), first = rank > 0 ? rank - 1 : 0;
    return (plx_summary){
        .count = count,
        .median = plx__quantile(count, values, 0.5),
        .p10 = plx__quantile(count, values, 0.1),
        .p90 = plx__quantile(count, values, 0.9),
        .low = values[first],
        .high = values[count - 1 - first],
    };
}

/* 97.5% quantile of Student's t. */
static double student(int freedom) {
    static const double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131};
    const int known = (int)(sizeof table / sizeof *table);
    return freedom <= known ? table[freedom - 1] : 1.96 + 2.4 / freedom;
}

static double identity(double x) {
    return x;
}

plx_summary plx__between_rounds(int rounds, const double *medians) {
    enum { MOST = 64, BY_RANK = 6 };
    double sorted[MOST], scaled[MOST];
    if (rounds > MOST) rounds = MOST;
    memcpy(sorted, medians, (size_t)rounds * sizeof *sorted);
    plx_summary s = plx__summarise(rounds, sorted);
    if (rounds >= BY_RANK || rounds < 2) return s;
    const bool positive = sorted[0] > 0;
    for (int i = 0; i < rounds; ++i) scaled[i] = positive ? plx_math_log(medians[i]) : medians[i];
    const double mean = plx__mean(rounds, scaled);
    const double half =
        student(rounds - 1) * plx__deviation(rounds, scaled) / plx_math_sqrt((double)rounds);
    double (*const back)(double) = positive ? plx_math_exp : identity;
    s.low = fmin(back(mean - half), s.median);
    s.high = fmax(back(mean + half), s.median);
    return s;
}

plx_slope plx__exponent(int count, const double *x, const double *y) {
    double mean_x = 0, mean_y = 0, xx = 0, xy = 0, residuals = 0;
    for (int i = 0; i < count; ++i) {
        mean_x += plx_math_log(x[i]) / count;
        mean_y += plx_math_log(y[i]) / count;
    }
    for (int i = 0; i < count; ++i) {
        const double dx = plx_math_log(x[i]) - mean_x;
        xx += dx * dx;
        xy += dx * (plx_math_log(y[i]) - mean_y);
    }
    plx_slope slope = {.value = xy / xx, .low = NAN, .high = NAN};
    if (count < 3) return slope;
    for (int i = 0; i < count; ++i) {
        const double error =
            plx_math_log(y[i]) - mean_y - slope.value * (plx_math_log(x[i]) - mean_x);
        residuals += error * error;
    }
    const double half = student(count - 2) * plx_math_sqrt(residuals / (count - 2) / xx);
    slope.low = slope.value - half;
    slope.high = slope.value + half;
    return slope;
}
