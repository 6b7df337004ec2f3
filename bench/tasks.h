/* The tasks of tasks.def, in the order that they are listed in: what the command `parallax train`,
 * the suite `models` and the page train. */
#ifndef PLX_BENCH_TASKS_H
#define PLX_BENCH_TASKS_H

#include "parallax_learn.h"

/* Name and one sentence of task i; NULL past the last. */
const char *plx_learning_task(int i);
const char *plx_learning_task_description(int i);
/* What task i learns from when it is given: "text", "digits", "table"; "": only its own. */
const char *plx_learning_task_takes(int i);
/* Whether suites of their own have what task i learns, so that those of all tasks leave it out. */
bool plx_learning_task_apart(int i);
/* About the operations of the whole training of task i at quick or default size. */
double plx_learning_task_work(int i, plx_learning_size size);

/* plx_learning_new for the task of that name. PLX_ERR_ARGUMENT where there is none; the sentence
 * lists those that there are. */
plx_status plx_learning_named(plx_ctx *ctx, const char *task, const plx_learning_options *options,
                              plx_learning **out);

#endif
