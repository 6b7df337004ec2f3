/*
 * Learning: models by name together with data that they can learn, how they are trained, and the
 * evidence that they did learn; on top of parallax_nn.h, whose conventions hold here.
 *
 * A task makes the data, says how to train, and afterwards measures and shows what was learnt. The
 * parts common to all tasks are done here: options that change a recipe, the model and the trainer,
 * holding out data for early stopping, and storage for measures and exhibits.
 *
 * Reading order: tasks, a run of a task, measures, exhibits; last the functions that tasks use.
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
    PLX_LEARNING_QUICK = 0, /* few enough steps for CI */
    PLX_LEARNING_DEFAULT,
    PLX_LEARNING_FULL, /* all steps; takes minutes */
} plx_learning_size;

/* Handwritten digits; images [n, 28, 28], labels [n]. */
typedef struct plx_learning_digits {
    plx_idx images, labels;
    const char *source; /* "t10k-images-idx3-ubyte.gz" */
    const char *sha256; /* of the images as read, in hexadecimal; NULL: unknown */
} plx_learning_digits;

/* All 0: the task unchanged, at quick size. */
typedef struct plx_learning_options {
    const char *model; /* NULL: the task's; else as plx_model_from_name takes it */
    plx_learning_size size;
    uint64_t seed; /* for data, weights and shuffling */
    /* Real data in place of generated data; each for the tasks that take it. */
    const plx_learning_digits *digits;
    const char *text; /* UTF-8, text_bytes long; read as characters */
    size_t text_bytes;
    const char *source;   /* name of the text or table in result rows: its file's name */
    const plx_csv *table; /* the last column is the target */
    /* 0 or NULL: the task's own value. */
    int64_t steps, batch;
    double rate;
    const char *optimizer;
    int64_t rows;         /* of generated data, for the tasks that support it */
    int64_t epochs;       /* over the data; steps may end training sooner */
    const char *schedule; /* a name of plx_schedule_name */
    int64_t accumulate;
    int64_t patience; /* the last tenth of the training data is held out for validation */
    /* The same; below 0 switches it off. */
    int64_t warmup;
    double clip, weight_decay, label_smoothing;
} plx_learning_options;

/* ---- Tasks ----------------------------------------------------------------------------------- */

typedef struct plx_learning plx_learning;

/* A task, usually a constant. Its functions return PLX_OK, or fail through plx_fail. */
typedef struct plx_task {
    const char *name, *description;
    const char
        *takes; /* which data of the options: "text", "digits", "table"; NULL: only its own */
    double
        work[2]; /* estimated operations of the whole training at quick and default size, including
                    any training during evaluation: front ends estimate the time from it */
    /* Makes the data and says how to train, from the options; see struct plx_learning. */
    plx_status (*open)(plx_learning *learning);
    plx_status (*evaluate)(plx_learning *learning); /* calls plx_learning_record */
    plx_status (*exhibit)(plx_learning *learning);  /* calls plx_learning_show_*; NULL: nothing */
    void (*close)(plx_learning *learning); /* frees state; also called after a failed open; NULL:
                                              nothing to free */
} plx_task;

/* ---- A run of a task ------------------------------------------------------------------------- */

/* Opens the task and makes its model and trainer. The task, the options and everything they point
 * to must stay valid until plx_learning_free. */
plx_status plx_learning_new(plx_ctx *ctx, const plx_task *task, const plx_learning_options *options,
                            plx_learning **out);
void plx_learning_free(plx_learning *learning);

plx_model *plx_learning_model(plx_learning *learning);
/* The trainer, for plx_trainer_run or plx_trainer_fit. */
plx_trainer *plx_learning_trainer(plx_learning *learning);
/* The complete name of the model, with the settings of the task: "gpt2-nano:vocabulary=58". */
const char *plx_learning_model_name(const plx_learning *learning);

/* The data that is learnt from. */
typedef struct plx_learning_data {
    bool real;
    const char *source;  /* "story grammar"; or the file's name */
    const char *note;    /* how the file was read, if there was a choice; else "" */
    int64_t train, test; /* samples */
    int64_t tokens;      /* of one sample; 0: not a text */
    /* [columns, 2]: of each input, and last of the target, the mean that was subtracted and the
     * deviation that it was divided by; columns is 0 where data are used as they are. */
    const double *scales;
    int64_t columns;
} plx_learning_data;
plx_learning_data plx_learning_about(const plx_learning *learning);
/* The options of the trainer, with the changes that the learning options make. */
plx_trainer_options plx_learning_recipe(const plx_learning *learning);
/* The number of samples that so many steps train on. */
int64_t plx_learning_samples(const plx_learning *learning, int64_t steps);

/* ---- Measures -------------------------------------------------------------------------------- */

enum { PLX_LEARNING_MEASURES = 12, PLX_LEARNING_EXHIBITS = 12, PLX_LEARNING_LABEL = 24 };

/* A measure of quality on held-out data. */
typedef struct plx_learning_measure {
    const char *name, *unit;
    const char *better; /* "lower", "higher", "none" */
    double value;
    double goal; /* value that the task promises at this size; NaN: none */
} plx_learning_measure;

/* Computes the measures. PLX_ERR_STATE if the task records more than PLX_LEARNING_MEASURES. */
plx_status plx_learning_evaluate(plx_learning *learning);
int plx_learning_measures(const plx_learning *learning);
/* All 0 and "" past the last. */
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
    char *text;                             /* "" if there is none */
    int64_t count, rows, columns, channels; /* values are [count, rows, columns, channels] */
    plx_real *values;
    char (*labels)[PLX_LEARNING_LABEL];   /* of rows (matrix), pictures or bars; NULL: none */
    bool square;                          /* matrix: labels name its columns as well */
    const char *row_title, *column_title; /* matrix: "label", "prediction" */
} plx_exhibit;

/* Makes the exhibits from the current weights. PLX_ERR_STATE if the task makes more than
 * PLX_LEARNING_EXHIBITS. */
plx_status plx_learning_exhibit(plx_learning *learning);
int plx_learning_exhibits(const plx_learning *learning);
/* All 0 and "" past the last. Valid until exhibits are made again. */
plx_exhibit plx_learning_exhibit_at(const plx_learning *learning, int i);

/* ---- For the functions of a task ------------------------------------------------------------- */

/* The state of a run, which a task works on. open fills in model_name, train, test and data, whose
 * arrays must stay valid until close, and changes trainer_options, which start as
 * plx_trainer_default; the learning options are applied afterwards. */
struct plx_learning {
    plx_ctx *ctx;
    const plx_task *task;
    plx_learning_options options; /* read-only */
    char model_name[160];         /* as plx_model_from_name takes it */
    plx_trainer_options trainer_options;
    plx_dataset train, test;
    plx_learning_data data; /* its train and test are filled in from those above */
    void *state;            /* the task's own */
    plx_model *model;       /* NULL during open, and so is trainer */
    plx_trainer *trainer;
};

/* The number of steps: that of the options, else quick, usual or full by size. */
int64_t plx_learning_steps(const plx_learning *learning, int64_t quick, int64_t usual,
                           int64_t full);
/* Whether a model name, "clip-nano:size=8,length=4", sets exactly this key. */
bool plx_learning_sets(const char *name, const char *key, size_t length);
/* Computes the loss, and accuracy and perplexity for labels, of one output on the held-out data. */
plx_status plx_learning_metrics(plx_learning *learning, int output, plx_metrics *metrics);
/* Records a measure; one too many makes plx_learning_evaluate fail. */
void plx_learning_record(plx_learning *learning, const char *name, const char *unit,
                         const char *better, double value, double goal);
/* A new exhibit with room for its values (zeroed) and labels (NULL when none are asked for), for
 * the task to fill in; NULL if memory runs out or there are too many, which plx_learning_exhibit
 * then reports. */
plx_exhibit *plx_learning_show(plx_learning *learning, plx_exhibit_kind kind, const char *name,
                               int64_t count, int64_t rows, int64_t columns, int64_t channels,
                               int64_t labels);
/* Shows classes x classes counts [label][prediction] as a matrix; columns: title of the columns. */
plx_status plx_learning_show_confusion(plx_learning *learning, int classes, const int64_t *counts,
                                       const char *(*name)(int label), const char *columns);
plx_status plx_learning_show_text(plx_learning *learning, const char *name, const char *text);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
