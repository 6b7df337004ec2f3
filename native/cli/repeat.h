/* Several runs of one figure: --repeat. */
#ifndef PLX_CLI_REPEAT_H
#define PLX_CLI_REPEAT_H

typedef struct repeated {
    double mean, deviation; /* of the runs: standard, of a sample */
    double low, high;       /* 95% interval of the mean, by Student's t */
} repeated;

/* Of values [count]; of a single one only the mean is known, the rest is NaN. */
repeated repeat_statistics(int count, const double *values);

#endif
