#include "checkpoint_files.h"

#include "command.h"

#include "base/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* FILE, FILE.1, FILE.2: number 0 is the newest. Free it. */
static char *name_of(const checkpoints *c, int number) {
    char *name = NULL;
    if (number)
        text_add(&name, "%s.%d", c->name, number);
    else
        text_add(&name, "%s", c->name);
    return name;
}

/* Tries one file. Returns NULL when the run continues from it, else what went wrong; *status: why
 * the trainer refused it. */
static const char *try_file(plx_ctx *ctx, plx_trainer *trainer, const char *name,
                            plx_status *status) {
    weights_in in;
    const char *failure = weights_in_try(&in, ctx, name);
    *status = PLX_ERR_FORMAT;
    if (!failure) {
        *status = plx_trainer_load(trainer, in.file);
        if (*status != PLX_OK) failure = plx_message(ctx);
    }
    weights_in_close(&in);
    return failure;
}

bool checkpoints_resume(checkpoints *c, plx_ctx *ctx, plx_trainer *trainer, bool *found) {
    struct stat there;
    bool damaged = false;
    *found = false;
    for (int i = 0; i < c->keep && !*found; ++i) {
        plx_status status = PLX_OK;
        char *name = name_of(c, i);
        const bool exists = stat(name, &there) == 0;
        const char *failure = exists ? try_file(ctx, trainer, name, &status) : NULL;
        *found = exists && !failure;
        if (failure) report(EXIT_FAILED, "\"%s\": %s", name, failure);
        if (*found && (i || damaged)) report(EXIT_DONE, "going on from \"%s\".", name);
        damaged |= failure != NULL;
        free(name);
        /* A file of another run is no damage, and an older one is not what was asked for. */
        if (failure && status != PLX_ERR_FORMAT) return false;
    }
    return *found || !damaged;
}

bool checkpoints_due(const checkpoints *c) {
    return c->name && plx_platform_now_ns() - c->last_ns >= c->every_ns;
}

/* Moves each file on by one. Whenever this ends, the newest whole file is among those that
 * checkpoints_resume looks at. */
static void shift(const checkpoints *c) {
    for (int i = c->keep - 1; i > 0; --i) {
        char *older = name_of(c, i), *newer = name_of(c, i - 1);
        rename(newer, older);
        free(older);
        free(newer);
    }
}

static plx_status write_trainer(const void *of, int count, const plx_metadata *metadata,
                                plx_write *write, void *user) {
    return plx_trainer_save(of, count, metadata, write, user);
}

bool checkpoints_save(checkpoints *c, const plx_ctx *ctx, const plx_trainer *trainer,
                      const weights_about *about) {
    weights_out out;
    if (!c->name) return true;
    if (!weights_out_open(&out, c->name)) return false;
    const char *failure = weights_out_fill(&out, ctx, write_trainer, trainer, about);
    if (!failure) {
        shift(c);
        failure = weights_out_rename(&out);
    }
    weights_out_close(&out);
    c->last_ns = plx_platform_now_ns();
    if (!failure) return true;
    report(EXIT_FAILED, "cannot write \"%s\": %s.", c->name, failure);
    return false;
}
