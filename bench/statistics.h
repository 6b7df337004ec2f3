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
 * assumes nothing about the distribution (Conover, "Practical Nonparametric Statistics", 3rd ed.,
 * section 3.2). Below six samples no two of them reach 95%; the interval is then the range. */
plx_summary plx__summarise(int count, double *values);

/* The median of the medians of rounds [rounds], rounds >= 2, and the 95% interval of a round's
 * median. From six rounds on the interval lies between two of the medians, as above; fewer do not
 * reach 95%, so it then follows from Student's t on logarithms (on the values, if one is not
 * positive), stretched to include the median. p10 and p90 are those of the medians. Whatever
 * differs between runs differs between rounds, so the interval holds for other runs; the spread of
 * samples within one stretch of time does not. */
plx_summary plx__between_rounds(int rounds, const double *medians);

double plx__mean(int count, const double *values);
/* Standard deviation of a sample, over count - 1 (0 for one value). */
double plx__deviation(int count, const double *values);

/* The q-quantile of sorted values, interpolated linearly (Hyndman and Fan, 1996, type 7). */
double plx__quantile(int count, const double *sorted, double q);

typedef struct plx_slope {
    double value;
    double low, high; /* 95% interval by Student's t; NaN with fewer than three points */
} plx_slope;

/* Fits the exponent e of y = c x^e by least squares on the logarithms; x and y are positive and x
 * takes at least two values. */
plx_slope plx__exponent(int count, const double *x, const double *y);

#endif
