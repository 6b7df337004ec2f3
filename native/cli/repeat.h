/* Statistics over several runs of one figure, for --repeat. */
#ifndef PLX_CLI_REPEAT_H
#define PLX_CLI_REPEAT_H

typedef struct repeated {
    double mean, deviation; /* standard deviation of the sample */
    double low, high;       /* 95% interval of the mean, by Student's t */
} repeated;

/* Over values [count]; for a single value only the mean is known, and the rest is NaN. */
repeated repeat_statistics(int count, const double *values);

#endif
