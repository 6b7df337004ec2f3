/* Files of weights: written whole or not at all, and mapped to be read. */
#ifndef PLX_CLI_WEIGHTS_FILE_H
#define PLX_CLI_WEIGHTS_FILE_H

#include "parallax_nn.h"

#include <stdio.h>

/* A file to write. Its bytes go to FILE.part, which gets the name once they are on the disk. */
typedef struct weights_out {
    const char *name; /* NULL: not wanted */
    char *part;       /* owned */
    FILE *file;
} weights_out;

/* Creates FILE.part, so that a folder that cannot be written is known before the work. Returns
 * false with the sentence printed. */
bool weights_out_open(weights_out *out, const char *name);
/* What a file says of its weights. */
typedef struct weights_about {
    const char *model; /* as plx_model_from_name takes it */
    uint64_t seed;
    const double *scales; /* [columns, 2], as plx_learning_data has them */
    int64_t columns;
} weights_about;

/* Writes the weights of a model, syncs and renames. Returns false with the sentence printed. */
bool weights_out_save(weights_out *out, const plx_ctx *ctx, const plx_model *model,
                      const weights_about *about);
/* What writes the bytes of a file; see plx_weights_save. */
typedef plx_status weights_writer(const void *of, int count, const plx_metadata *metadata,
                                  plx_write *write, void *user);
/* Writes what the writer gives to FILE.part and syncs it. Returns NULL, or what went wrong. */
const char *weights_out_fill(weights_out *out, const plx_ctx *ctx, weights_writer *writer,
                             const void *of, const weights_about *about);
/* Gives FILE.part the name, on the disk as well. Returns NULL, or what went wrong. */
const char *weights_out_rename(weights_out *out);
/* Removes FILE.part, if it is still there. */
void weights_out_close(weights_out *out);

/* A file in memory, mapped from the disk. */
typedef struct weights_in {
    void *bytes;
    size_t size;
    plx_safetensors *file;
} weights_in;

/* Returns false with the sentence printed. */
bool weights_in_open(weights_in *in, plx_ctx *ctx, const char *name);
/* Returns NULL, or what went wrong. */
const char *weights_in_try(weights_in *in, plx_ctx *ctx, const char *name);
void weights_in_close(weights_in *in);
/* The name of the model in the metadata; NULL if there is none, else free it. */
char *weights_in_model(const weights_in *in);
/* The scales in the metadata, of as many columns; *out is NULL if there are none, else free it.
 * Returns false, with the sentence printed, where they do not fit. */
bool weights_in_scales(const weights_in *in, int64_t columns, double **out);

#endif
