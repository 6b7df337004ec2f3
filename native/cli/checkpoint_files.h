/* Checkpoints of a training run in files: FILE, and the ones before it as FILE.1, FILE.2 ... */
#ifndef PLX_CLI_CHECKPOINT_FILES_H
#define PLX_CLI_CHECKPOINT_FILES_H

#include "weights_file.h"

#include "parallax_nn.h"

typedef struct checkpoints {
    const char *name; /* NULL: not wanted */
    int keep;         /* files, 1 or more */
    int64_t every_ns, last_ns;
} checkpoints;

/* Continues from the newest file that is whole; *found: there was one. Says which was taken, and
 * which were damaged. Returns false, with the sentence printed, if there are only damaged ones, or
 * one of another run. */
bool checkpoints_resume(checkpoints *c, plx_ctx *ctx, plx_trainer *trainer, bool *found);
/* Whether it is time for the next one. */
bool checkpoints_due(const checkpoints *c);
/* Writes one; the oldest leaves. Returns false with the sentence printed. */
bool checkpoints_save(checkpoints *c, const plx_ctx *ctx, const plx_trainer *trainer,
                      const weights_about *about);

#endif
