/*
 * Learning: models by name with data that they can learn, how they are trained, and what shows that
 * they did; on top of parallax_nn.h, whose conventions hold here.
 *
 * A task makes the data, says how to train, and afterwards measures and shows what was learnt. What
 * is the same for all tasks is done here: options that change a recipe, the model and the trainer,
 * a part of the data for early stopping, room for measures and exhibits.
 *
 * Reading order: what a task is, a run of it, measures, exhibits; last what tasks are made with.
 */
#ifndef PARALLAX_LEARN_H
#define PARALLAX_LEARN_H

#include "parallax_nn.h"

#ifdef __cplusplus
extern "C" {
#endif

PLX_BEGIN_EXPORTS

/* ---- Options --------------------------------------------------------------------------------- */

typedef enum plx_learning_size {
    PLX_LEARNING_QUICK = 0, /* the steps that CI waits for */
    PLX_LEARNING_DEFAULT,
    PLX_LEARNING_FULL, /* everything, minutes */
} plx_learning_size;

/* Handwritten digits; images [n, 28, 28], labels [n]. */
typedef struct plx_learning_digits {
    plx_idx images, labels;
    const char *source; /* "t10k-images-idx3-ubyte.gz" */
    const char *sha256; /* of the images as read, in hexadecimal; NULL: unknown */
} plx_learning_digits;

/* All 0: the task as it is, at quick size. */
typedef struct plx_learning_options {
    const char *model; /* NULL: the task's; else as plx_model_from_name takes it */
    plx_learning_size size;
    uint64_t seed; /* of data, weights and shuffle */
    /* Real data in place of what is generated; each for the tasks that take it. */
    const plx_learning_digits *digits;
    const char *text; /* UTF-8, text_bytes long; read as characters */
    size_t text_bytes;
    const char *source;   /* what rows call the text or the table: its file's name */
    const plx_csv *table; /* the last column is the target */
    /* 0 or NULL: as the task has it. */
    int64_t steps, batch;
    double rate;
    const char *optimizer;
    int64_t rows;         /* of data that is generated, for tasks that say so */
    int64_t epochs;       /* over the data, which steps may end sooner */
    const char *schedule; /* as plx_schedule_name has it */
    int64_t accumulate;
    int64_t patience; /* the last tenth of what is trained on becomes the validation */
    /* Also below 0: none of it. */
    int64_t warmup;
    double clip, weight_decay, label_smoothing;
} plx_learning_options;

/* ---- Tasks ----------------------------------------------------------------------------------- */

typedef struct plx_learning plx_learning;

/* A constant of the program's. Its functions return PLX_OK, or fail through plx_fail. */
typedef struct plx_task {
    const char *name, *description;
    const char
        *takes;     /* which data of the options: "text", "digits", "table"; NULL: only its own */
    double work[2]; /* about the operations of the whole training, quick and default, and of what
                       evaluating trains: for what front ends promise */
    /* Makes the data and says how to train, from the options; see struct plx_learning. */
    plx_status (*open)(plx_learning *learning);
    plx_status (*evaluate)(plx_learning *learning); /* calls plx_learning_record */
    plx_status (*exhibit)(plx_learning *learning);  /* calls plx_learning_show_*; NULL: nothing */
    void (*close)(plx_learning *learning); /* frees state; called after a failed open too; NULL:
                                              there is nothing to free */
} plx_task;

/* ---- A run of a task ------------------------------------------------------------------------- */

/* Opens the task and makes its model and trainer. The task, the options and what they point to must
 * stay until plx_learning_free. */
plx_status plx_learning_new(plx_ctx *ctx, const plx_task *task, const plx_learning_options *options,
                            plx_learning **out);
void plx_learning_free(plx_learning *learning);

plx_model *plx_learning_model(plx_learning *learning);
/* Trains: plx_trainer_run, or plx_trainer_fit. */
plx_trainer *plx_learning_trainer(plx_learning *learning);
/* What the model's name was filled in to: "gpt2-nano:vocabulary=58". */
const char *plx_learning_model_name(const plx_learning *learning);

/* What it learns from. */
typedef struct plx_learning_data {
    bool real;
    const char *source;  /* "story grammar"; or the file's name */
    const char *note;    /* how the file was read, where that is a choice; "": it is none */
    int64_t train, test; /* samples */
    int64_t tokens;      /* of one sample; 0: not a text */
} plx_learning_data;
plx_learning_data plx_learning_about(const plx_learning *learning);
/* How it is trained, with what the options changed. */
plx_trainer_options plx_learning_recipe(const plx_learning *learning);
/* Samples that so many steps train on. */
int64_t plx_learning_samples(const plx_learning *learning, int64_t steps);

/* ---- Measures -------------------------------------------------------------------------------- */

enum { PLX_LEARNING_MEASURES = 12, PLX_LEARNING_EXHIBITS = 12, PLX_LEARNING_LABEL = 24 };

/* A figure of quality, on data that was held out. */
typedef struct plx_learning_measure {
    const char *name, *unit;
    const char *better; /* "lower", "higher", "none" */
    double value;
    double goal; /* what the task promises at this size; NaN: nothing */
} plx_learning_measure;

/* Works out the measures. PLX_ERR_STATE for a task that has more than PLX_LEARNING_MEASURES. */
plx_status plx_learning_evaluate(plx_learning *learning);
int plx_learning_measures(const plx_learning *learning);
plx_learning_measure plx_learning_measure_at(const plx_learning *learning, int i);

/* ---- Exhibits -------------------------------------------------------------------------------- */

/* Something to look at: a text, a matrix, pictures, bars. */
typedef enum plx_exhibit_kind {
    PLX_EXHIBIT_TEXT = 0, /* generated */
    PLX_EXHIBIT_MATRIX,   /* rows x columns: confusion, similarity, attention */
    PLX_EXHIBIT_IMAGES,   /* count pictures of rows x columns x channels: learnt filters, samples */
    PLX_EXHIBIT_BARS,     /* columns values with labels: gradient norms by layer */
} plx_exhibit_kind;

/* The learning owns what it points to. */
typedef struct plx_exhibit {
    plx_exhibit_kind kind;
    const char *name;                       /* "confusion" */
    char *text;                             /* "" where there is none */
    int64_t count, rows, columns, channels; /* values are [count, rows, columns, channels] */
    plx_real *values;
    char (*labels)[PLX_LEARNING_LABEL];   /* of rows (matrix), pictures or bars; NULL: none */
    bool square;                          /* of a matrix: labels name its columns as well */
    const char *row_title, *column_title; /* of a matrix: "label", "prediction" */
} plx_exhibit;

/* Makes the exhibits from the weights as they are. PLX_ERR_STATE for a task that has more than
 * PLX_LEARNING_EXHIBITS. */
plx_status plx_learning_exhibit(plx_learning *learning);
int plx_learning_exhibits(const plx_learning *learning);
/* Valid until they are made anew. */
plx_exhibit plx_learning_exhibit_at(const plx_learning *learning, int i);

/* ---- For the functions of a task ------------------------------------------------------------- */

/* What a task works on. Its open fills in model_name, train, test and data, which must stay until
 * its close, and changes trainer_options from plx_trainer_default; the options have their way
 * afterwards. */
struct plx_learning {
    plx_ctx *ctx;
    const plx_task *task;
    plx_learning_options options; /* not to be changed */
    char model_name[160];         /* as plx_model_from_name takes it */
    plx_trainer_options trainer_options;
    plx_dataset train, test;
    plx_learning_data data; /* train and test are filled in from the above */
    void *state;            /* the task's own */
    plx_model *model;       /* NULL in open, as the trainer is */
    plx_trainer *trainer;
};

/* Steps by size, unless the options say how many: quick, default, full. */
int64_t plx_learning_steps(const plx_learning *learning, int64_t quick, int64_t usual,
                           int64_t full);
/* Whether one of a name's settings, "clip-nano:size=8,length=4", has the whole of this key. */
bool plx_learning_sets(const char *name, const char *key, size_t length);
/* Loss, and accuracy and perplexity for labels, of output i on the held-out data. */
plx_status plx_learning_metrics(plx_learning *learning, int output, plx_metrics *metrics);
/* A measure; one too many makes plx_learning_evaluate fail. */
void plx_learning_record(plx_learning *learning, const char *name, const char *unit,
                         const char *better, double value, double goal);
/* A new exhibit with room for its values (zeroed) and labels (NULL when none are asked for), for
 * the task to fill; NULL when memory is short or there are too many, which plx_learning_exhibit
 * then says. */
plx_exhibit *plx_learning_show(plx_learning *learning, plx_exhibit_kind kind, const char *name,
                               int64_t count, int64_t rows, int64_t columns, int64_t channels,
                               int64_t labels);
/* The matrix of classes x classes counts [label][prediction]; columns: their title. */
plx_status plx_learning_show_confusion(plx_learning *learning, int classes, const int64_t *counts,
                                       const char *(*name)(int label), const char *columns);
plx_status plx_learning_show_text(plx_learning *learning, const char *name, const char *text);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
