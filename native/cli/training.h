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
    double peak;   /* GFLOP/s of the machine's arithmetic, measured before */
    int run, runs; /* at work, from 1; of how many, each with the next seed */
    /* Of this run: */
    plx_progress at;
    int64_t train_ns;
    bool diverged;
    char divergence[512]; /* the sentence */
} training;

/* Work done so far: samples, and operations per nanosecond. */
double training_samples(const training *t);
double training_gflops(const training *t);

/* A measure in words: its name, a value of its unit, whether its goal is for how this run trains,
 * and "at least 90.00%". */
const char *measure_name(const plx_learning_measure *m);
void measure_value(const plx_learning_measure *m, double value, char *text, size_t size);
bool measure_has_goal(const training *t, const plx_learning_measure *m);
bool measure_reached(const plx_learning_measure *m);
void measure_goal(const plx_learning_measure *m, char *text, size_t size);

/* "RMSE 0.1, R^2 0.9" of the measures as they were worked out last; on_held: of so many, "RMSE on
 * the 2000 held out: 0.1, R^2 0.9"; "" without measures. Free it. */
char *measures_text(const training *t, bool on_held);
/* One of several runs, in a line. */
void print_run(const training *t, const char *bits);
/* What there is to see, then speed, memory and measures, the main ones in the last line. bits: of
 * the losses. */
void print_result(const training *t, const char *bits);
/* The same as rows, with the curve of the loss. False when one could not be written. */
bool write_training_rows(training *t, const char *bits);

#endif
