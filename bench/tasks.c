#include "bench/tasks.h"

#include <stdio.h>
#include <string.h>

#define TASK(name, apart) extern const plx_task plx__task_##name;
#include "bench/tasks.def"
#undef TASK

static const struct {
    const plx_task *task;
    bool apart;
} tasks[] = {
#define TASK(name, apart) {&plx__task_##name, apart},
#include "bench/tasks.def"
#undef TASK
};

enum { TASKS = sizeof tasks / sizeof tasks[0] };

const char *plx_learning_task(int i) {
    return i >= 0 && i < TASKS ? tasks[i].task->name : NULL;
}

const char *plx_learning_task_description(int i) {
    return i >= 0 && i < TASKS ? tasks[i].task->description : NULL;
}

const char *plx_learning_task_takes(int i) {
    return i >= 0 && i < TASKS && tasks[i].task->takes ? tasks[i].task->takes : "";
}

bool plx_learning_task_apart(int i) {
    return i >= 0 && i < TASKS && tasks[i].apart;
}

double plx_learning_task_work(int i, plx_learning_size size) {
    return i >= 0 && i < TASKS ? tasks[i].task->work[size == PLX_LEARNING_QUICK ? 0 : 1] : 0;
}

plx_status plx_learning_named(plx_ctx *ctx, const char *task, const plx_learning_options *options,
                              plx_learning **out) {
    char known[256] = "";
    for (int i = 0; i < TASKS; ++i) {
        if (!strcmp(tasks[i].task->name, task))
            return plx_learning_new(ctx, tasks[i].task, options, out);
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", tasks[i].task->name);
    }
    return plx_fail(ctx, PLX_ERR_ARGUMENT, "there is no task \"%.60s\"; the tasks are %s", task,
                    known);
}
