/* Statistics of samples, in double precision. */
#ifndef PLX_BENCH_STATISTICS_H
#define PLX_BENCH_STATISTICS_H

#include <stdint.h>

typedef struct plx_summary {
    int count;
    double median, p10, p90;
    double low, high; /* 95% interval of the median */
} plx_summary;

/* values [count], count >= 1; sorts them. The interval lies between two order statistics, so it
 * supposes nothing of the distribution (Conover, "Practical Nonparametric Statistics", 3rd ed.,
 * section 3.2). Below six samples no two reach 95%: it is the range then. */
plx_summary plx__summarise(int count, double *values);

/* The median of the medians of rounds [rounds], rounds >= 2, and the 95% interval of a round's
 * median. From six rounds on it lies between two of them, as above; fewer do not reach 95%, so it
 * is Student's t on logarithms then (on the values, where one is not positive), stretched to the
 * median where that lies outside. p10 and p90 are those of the medians. Rounds differ in what runs
 * differ in, so the interval holds for other runs, which the spread of samples within one stretch
 * of time does not. */
plx_summary plx__between_rounds(int rounds, const double *medians);

double plx__mean(int count, const double *values);
/* Of a sample, over count - 1 (0 for one value). */
double plx__deviation(int count, const double *values);

/* The q-quantile of sorted values, interpolated linearly (Hyndman and Fan, 1996, type 7). */
double plx__quantile(int count, const double *sorted, double q);

typedef struct plx_slope {
    double value;
    double low, high; /* 95% interval from Student's t; NaN with fewer than three points */
} plx_slope;

/* The exponent e of y = c x^e by least squares on the logarithms; x and y are positive and x takes
 * at least two values. */
plx_slope plx__exponent(int count, const double *x, const double *y);

#endif
