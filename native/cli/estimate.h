/* Estimates a row's true figure and its uncertainty from its runs, on a logarithmic scale: errors
 * of speeds are relative. */
#ifndef PLX_CLI_ESTIMATE_H
#define PLX_CLI_ESTIMATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The smallest and largest number of samples.rounds in results.schema.json that give a spread. */
enum { ROUNDS_LEAST = 2, ROUNDS_MOST = 64 };

/* How many runs of one row are pooled at most. */
enum { RUNS_MOST = 64 };

/* A mean of logarithms: its variance with the degrees of freedom of Student's t; or, if those are
 * 0, the half widths of a 95% interval that came from elsewhere. */
typedef struct spread {
    double variance, freedom;
    double below, above;
} spread;

/* With several runs, both the spread within them and that between them are kept; whatever follows
 * from an estimate takes the wider of the two. */
typedef struct estimate {
    double value, log_value;
    double median; /* of the runs' medians: for people, who know it from parallax bench */
    int spreads;   /* 0: nothing is known */
    spread of[2];
} estimate;

/* Low and high are NaN if nothing is known of the spread. */
typedef struct interval {
    double value, low, high;
} interval;

/* Probability beyond each end of a 95% interval. */
static const double TAIL_95 = 0.025;

/* The logarithms of a row's rounds, at most ROUNDS_MOST; returns their number, or 0 if the row has
 * fewer than ROUNDS_LEAST, one that is not positive, or rounds of something other than its
 * figure. */
int row_rounds(const cJSON *row, double *logs);

/* Whether the run was stopped in its first round, which has no spread by itself. */
bool row_stopped(const cJSON *row);

/* Whether the row has a figure from which a ratio can be formed. */
bool row_positive(const cJSON *row);

/* Mean and its variance, of logarithms or (given values) of plain values; count >= 2. */
spread spread_of(int count, const double *logs, double *mean);

/* One run: from its rounds, or else from its median and interval. Several runs: the mean of their
 * logarithms, with the spread within runs and between them (Kalibera and Jones, "Rigorous
 * Benchmarking in Reasonable Time", ISMM 2013: the highest level that repeats decides). */
estimate estimate_runs(int runs, const cJSON *const *rows);

/* An estimate from the spreads of its runs; its variance is NaN if one of them is unknown. */
void estimate_spreads(estimate *e, int runs, const double *logs, const spread *within,
                      const bool *known);

/* a / b of independent estimates, with probability tail on each side: B. L. Welch, "The
 * generalization of 'Student's' problem when several different population variances are involved",
 * Biometrika 34 (1947), 28-35. Half widths from elsewhere add in quadrature. */
interval estimate_quotient(const estimate *a, const estimate *b, double tail);

#endif
