/* What the runs of one row say of its true figure, and how sure they are; on a logarithmic scale,
 * where errors of a speed are relative ones. */
#ifndef PLX_CLI_ESTIMATE_H
#define PLX_CLI_ESTIMATE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The least and most of samples.rounds in results.schema.json that make a spread. */
enum { ROUNDS_LEAST = 2, ROUNDS_MOST = 64 };

/* Of one row that are pooled. */
enum { RUNS_MOST = 64 };

/* Of a mean of logarithms: its variance with the degrees of freedom of Student's t; or, where those
 * are 0, the half widths of an interval of 95% that came from elsewhere. */
typedef struct spread {
    double variance, freedom;
    double below, above;
} spread;

/* Where runs are several, the spread within them and that between them both count; whatever is
 * made of an estimate is as wide as the wider asks for. */
typedef struct estimate {
    double value, log_value;
    double median; /* of the runs' medians: for people, who know it from parallax bench */
    int spreads;   /* 0: nothing is known */
    spread of[2];
} estimate;

/* Low and high are NaN where nothing is known of the spread. */
typedef struct interval {
    double value, low, high;
} interval;

/* The tail of an interval of 95%, on each side. */
static const double TAIL_95 = 0.025;

/* The logarithms of a row's rounds, ROUNDS_MOST at most: how many there are; 0 when the row has
 * fewer than ROUNDS_LEAST, one that is not positive, or those of something else than its figure. */
int row_rounds(const cJSON *row, double *logs);

/* Whether the run was stopped in its first round, which alone has no spread. */
bool row_stopped(const cJSON *row);

/* Whether the row has a figure that a ratio can be made of. */
bool row_positive(const cJSON *row);

/* Mean of the logarithms, or of values that are none, and its variance; count >= 2. */
spread spread_of(int count, const double *logs, double *mean);

/* One run: its rounds, or else its median with its interval. Several runs: the mean of their
 * logarithms, with the spread within runs and between them (Kalibera and Jones, "Rigorous
 * Benchmarking in Reasonable Time", ISMM 2013: the highest level that repeats decides). */
estimate estimate_runs(int runs, const cJSON *const *rows);

/* An estimate from the spreads of its runs, NaN variance where one is unknown. */
void estimate_spreads(estimate *e, int runs, const double *logs, const spread *within,
                      const bool *known);

/* a / b of independent estimates, with tail on each side: B. L. Welch, "The generalization of
 * 'Student's' problem when several different population variances are involved", Biometrika 34
 * (1947), 28-35. Half widths from elsewhere add in quadrature. */
interval estimate_quotient(const estimate *a, const estimate *b, double tail);

#endif
