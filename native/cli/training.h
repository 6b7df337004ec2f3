/* A run of "parallax train", shared by what drives it and what reports it. */
#ifndef PLX_CLI_TRAINING_H
#define PLX_CLI_TRAINING_H

#include "command.h"
#include "output.h"
#include "training_data.h"

typedef struct training {
    plx_ctx *ctx;
    training_data data;
    const char *task;
    plx_learning_options options;
    plx_learning *learning;
    plx_trainer_options recipe;
    plx_learning_data about;
    output out;
    progress progress;
    plx_progress at;
    int64_t train_ns;
    double peak; /* GFLOP/s of the machine's arithmetic, measured before */
    bool diverged;
    char divergence[512]; /* the sentence */
} training;

/* Work done so far: samples, and operations per nanosecond. */
double training_samples(const training *t);
double training_gflops(const training *t);

/* "RMSE 0.1, R^2 0.9" of the measures as they were worked out last; on_held: of so many, "RMSE on
 * the 2000 held out: 0.1, R^2 0.9"; "" without measures. Free it. */
char *measures_text(const training *t, bool on_held);
/* What there is to see, then speed, memory and measures, the main ones in the last line. bits: of
 * the losses. */
void print_result(const training *t, const char *bits);
/* The same as rows, with the curve of the loss. False when one could not be written. */
bool write_training_rows(training *t, const char *bits);

#endif
