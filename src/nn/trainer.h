/* A trainer, shared by the files that implement it. */
#ifndef PLX_NN_TRAINER_H
#define PLX_NN_TRAINER_H

#include "nn/model.h"

#include "graph/graph.h"

/* The training plan of one batch size. Without accumulation it updates the weights. */
typedef struct plx__stepper {
    int64_t rows;
    plx_plan *plan;
    plx_node inputs[PLX_PORTS], targets[PLX_PORTS], loss, norm;
    /* For a trainer with separate losses (apart): the loss of each output, and its weight in the
     * step. */
    plx_node parts[PLX_PORTS], shares[PLX_PORTS];
    plx_node weights;              /* of samples */
    plx_node output;               /* of the model, or what is below it; for metrics */
    plx_node own[PLX_OWN_METRICS]; /* the caller's metrics */
} plx__stepper;

/* Batches in the order of an epoch, gathered if their rows are not contiguous. */
typedef struct plx__batches {
    const plx_model *model;
    plx_loss loss;
    plx_dataset data;
    int64_t batch; /* rows */
    int64_t *order;
    void *inputs[PLX_PORTS], *targets[PLX_PORTS]; /* gathered rows of one batch */
    plx_real *weights;
    plx_rng rng;
    bool ignores; /* some labels do not count */
} plx__batches;

/* The validation data and its results. */
typedef struct plx__validation {
    plx_dataset data;
    plx__stepper whole, rest; /* for losses and metrics that are defined for a batch */
    double latest, lowest;    /* losses */
    double mark;              /* a loss below this resets the patience */
    int64_t epochs, best_epoch, patience_left;
    plx_metrics metrics; /* of output 0 */
    double own[PLX_OWN_METRICS];
    double nanoseconds;
} plx__validation;

struct plx_trainer {
    plx_model *model;
    plx_trainer_options options;
    plx__batches batches;
    plx_optimizer *optimizer;
    int count, state_count; /* number of trained weights, and of running statistics */
    plx_tensor **trained;   /* first the trained weights, then the running statistics */
    plx__stepper whole, rest;
    plx__stepper apply; /* with accumulation: the update from the sums */
    int64_t step, steps, batches_per_epoch, steps_per_epoch;
    int64_t steps_before; /* that the optimizer took for earlier trainers */
    uint64_t epoch_order; /* the model's position.order before this epoch drew its own */
    double given_rate;    /* original rate of a given optimizer */
    bool apart; /* outputs differ in how many labels count: their losses are kept separate */
    plx_real shares[PLX_PORTS];                 /* of a batch in the step's loss, if apart */
    double sums[PLX_PORTS], counted[PLX_PORTS]; /* this epoch: loss times count, and count of labels
                                                   or samples; all in the first unless apart */
    plx__tally tally;                           /* this epoch's metrics */
    double own[PLX_OWN_METRICS], rows;          /* this epoch: sums over its rows so far */
    plx_real *losses;
    int64_t losses_capacity;
    double rate, norm;    /* of the last step */
    plx_real *last_state; /* running statistics after the last step */
    plx_real *best;       /* all weights, after the best epoch; NULL: not wanted */
    plx__validation validation;
    bool diverged, stopped_early, stopped;
};

/* The parameter of the trainer's loss, as plx_model_loss takes it. */
double plx__trainer_parameter(const plx_trainer *t);

/* Makes room for this many losses, and one more. */
plx_status plx__trainer_room(plx_trainer *t, int64_t steps);

/* schedule.c */
plx_status plx__schedule_check(plx__message *message, const plx_schedule *schedule, int64_t steps);

/* batches.c */
plx_status plx__batches_open(plx__batches *b, const plx_model *model,
                             const plx_trainer_options *options, const plx_dataset *data);
void plx__batches_close(plx__batches *b);
/* Draws a new order from the words of the stream from *position on. */
void plx__batches_shuffle(plx__batches *b, uint64_t *position);
/* Number of labels that count in rows first to end - 1 of the order; of samples, if every label
 * counts. */
int64_t plx__batches_counted(const plx__batches *b, int output, int64_t first, int64_t end);
/* Binds the rows of the order from number first on. */
plx_status plx__batches_bind(plx__batches *b, const plx__stepper *s, int64_t first);
/* The targets of output 0 of the batch bound last, which starts at that row. */
const void *plx__batches_targets(const plx__batches *b, int64_t first);

/* model_optimizer.c: lists the weights; makes the optimizer, or uses the given one. */
plx_status plx__optimizer_open(plx_trainer *t);
void plx__optimizer_close(plx_trainer *t);

/* steppers.c: makes the plans of a trainer that has its optimizer. */
plx_status plx__steppers_make(plx_trainer *t);
void plx__steppers_free(plx_trainer *t);
/* Makes a plan of the loss alone, without dropout. */
plx_status plx__stepper_of_loss(plx_trainer *t, int64_t rows, plx__stepper *s);

/* kept_weights.c: copies of weights, to restore them. */
plx_status plx__kept_open(plx_trainer *t);
void plx__kept_close(plx_trainer *t);
int64_t plx__kept_bytes(const plx_trainer *t);
/* Called after a step whose loss and running statistics were finite. */
void plx__keep_state(plx_trainer *t);
/* Restores the values of the last such step. */
void plx__put_back_last(plx_trainer *t);
void plx__keep_best(plx_trainer *t);
void plx__put_back_best(plx_trainer *t);
bool plx__weights_are_finite(const plx_trainer *t);
bool plx__state_is_finite(const plx_trainer *t);

/* validation.c */
plx_status plx__validation_open(plx_trainer *t);
void plx__validation_close(plx_trainer *t);
/* Computes the loss and keeps the best weights; *stop: patience has run out. */
plx_status plx__validate(plx_trainer *t, bool *stop);

#endif
