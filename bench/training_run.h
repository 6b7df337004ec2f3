/* A whole training run as a sliced case: model, trainer, and a clock that runs only while they
 * do. */
#ifndef PLX_BENCH_TRAINING_RUN_H
#define PLX_BENCH_TRAINING_RUN_H

#include "bench/harness.h"

typedef struct plx_training_run {
    plx_model *model;
    plx_trainer *trainer;
    int64_t step, steps; /* steps done, and to do */
    int64_t ns;
} plx_training_run;

/* Creates a new model and trainer; steps 0: all epochs. None of this is timed. */
plx_status plx_training_run_begin(plx_bench *bench, plx_training_run *run, const char *model,
                                  const plx_trainer_options *options, const plx_dataset *data,
                                  int64_t steps);
/* Trains for about slice_ns; sets *done when all steps are done. */
plx_status plx_training_run_slice(plx_training_run *run, int64_t slice_ns, bool *done);
/* Stores losses and memory of a finished run in the case. A second run of the same case must give
 * the losses of the first. */
void plx_training_run_record(plx_training_run *run, plx_case *c);
void plx_training_run_end(plx_training_run *run);

#endif
