/* A trainer, shared by the files that make one up. */
#ifndef PLX_NN_TRAINER_H
#define PLX_NN_TRAINER_H

#include "nn/model.h"

#include "graph/graph.h"

/* The training plan of one batch size. Without accumulation it updates the weights. */
typedef struct plx__stepper {
    int64_t rows;
    plx_plan *plan;
    plx_node inputs[PLX_PORTS], targets[PLX_PORTS], loss, norm;
    /* Of a trainer whose outputs are told apart: the loss of each, and its weight in the step. */
    plx_node parts[PLX_PORTS], shares[PLX_PORTS];
} plx__stepper;

/* Batches in the order of an epoch, gathered where they do not lie together. */
typedef struct plx__batches {
    const plx_model *model;
    plx_loss loss;
    plx_dataset data;
    int64_t batch; /* rows */
    int64_t *order;
    void *inputs[PLX_PORTS], *targets[PLX_PORTS]; /* rows of one batch, side by side */
    plx_rng rng;
    bool ignores; /* some labels do not count */
} plx__batches;

/* The validation data, and what came of it. */
typedef struct plx__validation {
    plx_dataset data;
    plx__stepper whole, rest; /* for PLX_LOSS_OWN, whose value is one of a batch */
    double latest, lowest;    /* losses */
    double mark;              /* what the next loss has to stay below for training to go on */
    int64_t epochs, best_epoch, patience_left;
    plx_metrics metrics; /* of output 0 */
    double nanoseconds;
} plx__validation;

struct plx_trainer {
    plx_model *model;
    plx_trainer_options options;
    plx__batches batches;
    plx_optimizer *optimizer;
    int count, state_count; /* of trained weights, and of running statistics */
    plx_tensor **trained;   /* the one, then the other */
    plx__stepper whole, rest;
    plx__stepper apply; /* with accumulation: the update from the sums */
    int64_t step, steps, batches_per_epoch, steps_per_epoch;
    int64_t steps_before; /* that the optimizer had taken for others */
    double given_rate;    /* of an optimizer that was given */
    bool apart;           /* outputs differ in how many labels count: their losses are told apart */
    plx_real shares[PLX_PORTS];                 /* of a batch in the step's loss, when apart */
    double sums[PLX_PORTS], counted[PLX_PORTS]; /* this epoch: loss times what counts, and that; all
                                                   in the first unless apart */
    plx_real *losses;
    int64_t losses_capacity;
    double rate, norm;    /* of the last step */
    plx_real *last_state; /* running statistics after the last step */
    plx_real *best;       /* all weights, after the best epoch; NULL: not wanted */
    plx__validation validation;
    bool diverged, stopped_early;
};

/* schedule.c */
plx_status plx__schedule_check(plx__message *message, const plx_schedule *schedule, int64_t steps);

/* batches.c */
plx_status plx__batches_open(plx__batches *b, const plx_model *model,
                             const plx_trainer_options *options, const plx_dataset *data);
void plx__batches_close(plx__batches *b);
/* A new order, by the words of the stream from *position on. */
void plx__batches_shuffle(plx__batches *b, uint64_t *position);
/* Labels of rows first to end - 1 of the order that count; samples, where every label does. */
int64_t plx__batches_counted(const plx__batches *b, int output, int64_t first, int64_t end);
/* Binds rows from number first of the order on. */
plx_status plx__batches_bind(plx__batches *b, const plx__stepper *s, int64_t first);

/* model_optimizer.c: lists the weights; makes the optimizer, or takes the one that was given. */
plx_status plx__optimizer_open(plx_trainer *t);
void plx__optimizer_close(plx_trainer *t);

/* steppers.c: the plans of a trainer whose optimizer is there. */
plx_status plx__steppers_make(plx_trainer *t);
void plx__steppers_free(plx_trainer *t);
/* Of the loss alone, without dropout. */
plx_status plx__stepper_of_loss(plx_trainer *t, int64_t rows, plx__stepper *s);

/* kept_weights.c: values to put back. */
plx_status plx__kept_open(plx_trainer *t);
void plx__kept_close(plx_trainer *t);
int64_t plx__kept_bytes(const plx_trainer *t);
/* After a step whose loss and running statistics were finite. */
void plx__keep_state(plx_trainer *t);
/* Puts back what the last such step had. */
void plx__put_back_last(plx_trainer *t);
void plx__keep_best(plx_trainer *t);
void plx__put_back_best(plx_trainer *t);
bool plx__weights_are_finite(const plx_trainer *t);
bool plx__state_is_finite(const plx_trainer *t);

/* validation.c */
plx_status plx__validation_open(plx_trainer *t);
void plx__validation_close(plx_trainer *t);
/* Works out the loss, keeps the best weights; *stop: patience is at an end. */
plx_status plx__validate(plx_trainer *t, bool *stop);

#endif
