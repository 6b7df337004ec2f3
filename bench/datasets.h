/* Data that suites and the command train on: split, standardised, seeded. */
#ifndef PLX_BENCH_DATASETS_H
#define PLX_BENCH_DATASETS_H

#include "parallax_learn.h"

/* A regression problem: 80% for training, the rest held out, both standardised by the mean and
 * deviation of the training part. */
typedef struct plx_regression {
    int64_t inputs, train, test;
    plx_real *x_train, *y_train, *x_test, *y_test; /* [train, inputs], [train], ... */
    double target_scale; /* deviation of the target: converts errors back to its unit */
    double *scales;      /* [inputs + 1, 2]: mean and deviation of each column, the target last */
} plx_regression;

/* Standard deviation of the noise in the table below: a lower bound on any model's RMSE. */
#define PLX_INTERP5D_NOISE 0.1

/* sin(pi x1) cos(pi x2 / 2) + x3 x4 + exp(-x5^2) - x1 x5 / 2 */
double plx_interp5d_function(const double x[5]);
/* Generates n rows of x1..x5 uniform in [-1, 1] and y, their function value + N(0, 0.1^2), rounded
 * to plx_real. table has room for n x 6 values. */
void plx_interp5d_table(int64_t n, uint64_t seed, double *table);

/* Splits table [n, inputs + 1], with the target last, by seed. At least 5 rows. Columns are centred
 * and scaled in double, so that values far from 0 relative to their deviation, such as time stamps,
 * keep their digits. PLX_ERR_ARGUMENT names a column whose deviation or scaled values are out of
 * range. Free with plx_regression_free. */
plx_status plx_regression_new(plx_ctx *ctx, const double *table, int64_t n, int64_t inputs,
                              uint64_t seed, plx_regression *out);
void plx_regression_free(plx_regression *data);

/* A classification problem: 80% for training, the rest held out. */
typedef struct plx_digits {
    int64_t pixels, classes, train, test;
    plx_real *x_train, *x_test; /* 0 to 1 */
    int32_t *labels_train, *labels_test;
} plx_digits;

/* Returns PLX_ERR_SHAPE unless there are as many images of 28 x 28 as labels, at least 5 of them;
 * PLX_ERR_ARGUMENT for a label above 9. */
plx_status plx_digits_check(plx_ctx *ctx, const plx_learning_digits *digits);

/* Splits images by seed. NULL images: 1,000 images of seeded noise with random labels. Fails as
 * plx_digits_check does. Free with plx_digits_free. */
plx_status plx_digits_new(plx_ctx *ctx, const plx_learning_digits *images, uint64_t seed,
                          plx_digits *out);
void plx_digits_free(plx_digits *data);

#endif
