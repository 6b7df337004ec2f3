/* The tasks of tasks.def, in the order in which they are listed. The command `parallax train`, the
 * suite `models` and the page train them. */
#ifndef PLX_BENCH_TASKS_H
#define PLX_BENCH_TASKS_H

#include "parallax_learn.h"

/* Name of task i, and one sentence about it; NULL past the last. */
const char *plx_learning_task(int i);
const char *plx_learning_task_description(int i);
/* What task i can learn from: "text", "digits", "table"; "": only its own data. */
const char *plx_learning_task_takes(int i);
/* Whether a suite of its own covers what task i learns, so that the suites of all tasks leave it
 * out. */
bool plx_learning_task_apart(int i);
/* Approximate number of operations in the whole training of task i at quick or default size. */
double plx_learning_task_work(int i, plx_learning_size size);

/* plx_learning_new for the task of that name. PLX_ERR_ARGUMENT if there is none; the message lists
 * those that exist. */
plx_status plx_learning_named(plx_ctx *ctx, const char *task, const plx_learning_options *options,
                              plx_learning **out);

#endif
