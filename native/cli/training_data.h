/* What "parallax train" can train on. */
#ifndef PLX_CLI_TRAINING_DATA_H
#define PLX_CLI_TRAINING_DATA_H

#include "bench/datasets.h"
#include "digits_files.h"

typedef struct training_data {
    const char *name;  /* "mnist" */
    const char *model; /* the default one */
    plx_loss loss;
    int64_t batch, epochs; /* the default ones */
    plx_dataset train, test;
    int64_t inputs, outputs;
    bool real;
    char source[256];
    double target_scale; /* of MSE data: multiplies errors back into the target's unit */
    double noise_floor;  /* RMSE that no model can go below; 0: unknown */

    plx_digits digits; /* what the pointers above point into */
    plx_regression regression;
    digits_files files;
} training_data;

/* mnist: the images in PARALLAX_DATA, 80% to train on. False with the sentence in message. */
bool training_data_mnist(plx_ctx *ctx, uint64_t seed, training_data *out, char *message,
                         size_t message_bytes);
/* interp5d: rows of the synthetic function, or csv_name's table whose last column is the target. */
bool training_data_interp5d(plx_ctx *ctx, int64_t rows, const char *csv_name, uint64_t seed,
                            training_data *out, char *message, size_t message_bytes);
void training_data_free(training_data *data);

#endif
