/* Learning: models by name with data that they can learn, how they are trained, and what shows that
 * they did. The command `parallax train`, the suite `models` and the page run the same. Resumable,
 * as a trainer is. */
#ifndef PLX_BENCH_LEARNING_H
#define PLX_BENCH_LEARNING_H

#include "bench/bench.h"

typedef struct plx_learning_options {
    const char *task;    /* "gpt2-nano" */
    const char *model;   /* NULL: the task's; else as plx_model_from_name takes it */
    plx_bench_size size; /* quick: the steps that CI waits for */
    uint64_t seed;       /* of data, weights and shuffle */
    /* Real data in place of what is generated; each for the tasks that take it. */
    const plx_bench_digits *digits;
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

/* Name and one sentence of task i; NULL past the last. */
const char *plx_learning_task(int i);
const char *plx_learning_task_description(int i);
/* What task i learns from when it is given: "text", "digits", "table"; "": only its own. */
const char *plx_learning_task_takes(int i);
/* Whether suites of their own have what task i learns, so that those of all tasks leave it out. */
bool plx_learning_task_apart(int i);

/* About the operations of the whole training of task i at quick or default size. */
double plx_learning_task_work(int i, plx_bench_size size);

typedef struct plx_learning plx_learning;

/* PLX_ERR_ARGUMENT for a task that does not exist (the sentence lists those that do). Options and
 * what they point to must stay until plx_learning_free. */
plx_status plx_learning_new(plx_ctx *ctx, const plx_learning_options *options, plx_learning **out);
void plx_learning_free(plx_learning *learning);

plx_model *plx_learning_model(plx_learning *learning);
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

/* A figure of quality, on data that was held out. */
typedef struct plx_learning_measure {
    const char *name, *unit;
    const char *better; /* "lower", "higher", "none" */
    double value;
    double goal; /* what the task promises at this size; NaN: nothing */
} plx_learning_measure;

enum { PLX_LEARNING_MEASURES = 12, PLX_LEARNING_EXHIBITS = 12, PLX_LEARNING_LABEL = 24 };

/* Works out the measures. */
plx_status plx_learning_evaluate(plx_learning *learning);
int plx_learning_measures(const plx_learning *learning);
plx_learning_measure plx_learning_measure_at(const plx_learning *learning, int i);

/* Something to look at: a text, a matrix, pictures, bars. */
typedef enum plx_exhibit_kind {
    PLX_EXHIBIT_TEXT = 0, /* generated */
    PLX_EXHIBIT_MATRIX,   /* rows x columns: confusion, similarity, attention */
    PLX_EXHIBIT_IMAGES,   /* count pictures of rows x columns x channels: learnt filters, samples */
    PLX_EXHIBIT_BARS,     /* columns values with labels: gradient norms by layer */
} plx_exhibit_kind;

typedef struct plx_exhibit {
    plx_exhibit_kind kind;
    const char *name; /* "confusion" */
    const char *text;
    int64_t count, rows, columns, channels; /* values are [count, rows, columns, channels] */
    const plx_real *values;
    const char (*labels)[PLX_LEARNING_LABEL]; /* of rows (matrix), pictures or bars; NULL: none */
    bool square;                              /* of a matrix: labels name its columns as well */
    const char *row_title, *column_title;     /* of a matrix: "label", "prediction" */
} plx_exhibit;

/* Makes the exhibits from the weights as they are. */
plx_status plx_learning_exhibit(plx_learning *learning);
int plx_learning_exhibits(const plx_learning *learning);
/* Valid until they are made anew. */
plx_exhibit plx_learning_exhibit_at(const plx_learning *learning, int i);

#endif
