/* What a learning task is made of; see learning.h. */
#ifndef PLX_BENCH_TASK_H
#define PLX_BENCH_TASK_H

#include "bench/learning.h"

typedef struct plx_task {
    const char *name, *description;
    const char *takes; /* as plx_learning_task_takes; NULL: nothing */
    bool apart;        /* as plx_learning_task_apart */
    double work[2];    /* about the operations of the whole training, quick and default, and of what
                          evaluating trains: for what runs promise */
    /* Makes the data and says how to train: fills model_name, train, test, trainer options and data
     * from options. A failure goes through plx__learning_fail. */
    plx_status (*open)(plx_learning *learning);
    plx_status (*evaluate)(plx_learning *learning); /* calls plx__learning_record */
    plx_status (*exhibit)(plx_learning *learning);  /* calls plx__learning_show_*; NULL: nothing */
    void (*close)(plx_learning *learning); /* frees state; called after a failed open too */
} plx_task;

typedef struct plx__shown {
    plx_exhibit exhibit;
    plx_real *values;
    char *text;
    char (*labels)[PLX_LEARNING_LABEL];
} plx__shown;

struct plx_learning {
    plx_ctx *ctx;
    const plx_task *task;
    plx_learning_options options;
    char model_name[160];
    plx_model *model;
    plx_trainer *trainer;
    plx_trainer_options trainer_options;
    plx_dataset train, test, validation;
    plx_learning_data data;
    void *state; /* the task's */
    plx_learning_measure measures[PLX_LEARNING_MEASURES];
    int measure_count;
    plx__shown shown[PLX_LEARNING_EXHIBITS];
    int shown_count;
    const char *left_out; /* the measure or exhibit that there was no room for; NULL: none */
};

/* Stores the formatted sentence for plx_message. */
plx_status plx__learning_fail(plx_learning *learning, plx_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Steps by size: quick, default, full. */
int64_t plx__learning_steps(const plx_learning *learning, int64_t quick, int64_t usual,
                            int64_t full);
/* A measure; one too many makes plx_learning_evaluate fail. */
void plx__learning_record(plx_learning *learning, const char *name, const char *unit,
                          const char *better, double value, double goal);
/* Whether one of a name's settings, "clip-nano:size=8,length=4", has the whole of this key. */
bool plx__learning_sets(const char *name, const char *key, size_t length);
/* Loss, and accuracy and perplexity for labels, of output i on the held-out data. */
plx_status plx__learning_metrics(plx_learning *learning, int output, plx_metrics *metrics);
/* A new exhibit with room for its values (zeroed) and labels (NULL when none are asked for); NULL
 * when memory is short or there are too many, which plx_learning_exhibit then says. */
plx__shown *plx__learning_show(plx_learning *learning, plx_exhibit_kind kind, const char *name,
                               int64_t count, int64_t rows, int64_t columns, int64_t channels,
                               int64_t labels);
/* The matrix of classes x classes counts [label][prediction]; columns: their title. */
plx_status plx__learning_show_confusion(plx_learning *learning, int classes, const int64_t *counts,
                                        const char *(*name)(int label), const char *columns);
plx_status plx__learning_show_text(plx_learning *learning, const char *name, const char *text);

#endif
