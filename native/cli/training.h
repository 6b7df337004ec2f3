/* A run of "parallax train", shared by the code that runs it and the code that reports it. */
#ifndef PLX_CLI_TRAINING_H
#define PLX_CLI_TRAINING_H

#include "checkpoint_files.h"
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
    weights_out weights;
    progress progress;
    double peak;   /* GFLOP/s of the machine's arithmetic, measured before */
    int run, runs; /* the current run, from 1; how many there are, each with the next seed */
    checkpoints checkpoints;
    int64_t resumed; /* steps that were done before this process */
    /* State of the current run: */
    plx_progress at;
    int64_t train_ns;
    bool diverged;
    char divergence[512]; /* the sentence */
} training;

/* Work done so far in this process: samples, and operations per nanosecond. */
double training_samples(const training *t);
double training_gflops(const training *t);

/* A measure as text: its name, a value with its unit, whether its goal applies to how this run
 * trains, and "at least 90.00%". */
const char *measure_name(const plx_learning_measure *m);
void measure_value(const plx_learning_measure *m, double value, char *text, size_t size);
bool measure_has_goal(const training *t, const plx_learning_measure *m);
bool measure_reached(const plx_learning_measure *m);
void measure_goal(const plx_learning_measure *m, char *text, size_t size);

/* "RMSE 0.1, R^2 0.9" from the measures' latest values; on_held: of how many, as in "RMSE on the
 * 2000 held out: 0.1, R^2 0.9"; "" without measures. Free it. */
char *measures_text(const training *t, bool on_held);
/* Prints one of several runs, in a line. */
void print_run(const training *t, const char *bits);
/* Prints the exhibits, then speed, memory and measures, with the main ones in the last line. bits:
 * of the losses. */
void print_result(const training *t, const char *bits);
/* Writes the same as rows, with the loss curve. Returns false when a row could not be written. */
bool write_training_rows(training *t, const char *bits);

#endif
