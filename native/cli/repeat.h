/* Statistics over several runs of one figure, for --repeat. */
#ifndef PLX_CLI_REPEAT_H
#define PLX_CLI_REPEAT_H

typedef struct repeated {
    double mean, deviation; /* standard deviation of the sample */
    double low, high;       /* 95% interval of the mean, by Student's t: on logarithms, as errors of
                             * speeds are relative, unless a value is not above 0 */
} repeated;

/* Over values [count]; fewer than three have no interval (NaN), and one no deviation either. */
repeated repeat_statistics(int count, const double *values);

#endif
