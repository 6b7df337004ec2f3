/* The handwritten digits in the folder that PARALLAX_DATA names. */
#ifndef PLX_CLI_DIGITS_FILES_H
#define PLX_CLI_DIGITS_FILES_H

#include "bench/datasets.h"

typedef struct digits_files {
    plx_learning_digits digits;
    char *images, *labels; /* the bytes that digits points into */
} digits_files;

typedef enum digits_found {
    DIGITS_FOUND,
    DIGITS_UNNAMED, /* PARALLAX_DATA is not set */
    DIGITS_FAILED,  /* the sentence is in message */
} digits_found;

/* Looks for t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or for the same with "digits" in
 * place of "t10k", each with or without .gz, in the folder itself or its folder mnist. Free with
 * digits_free. */
digits_found digits_load(plx_ctx *ctx, digits_files *files, char *message, size_t message_bytes);
void digits_free(digits_files *files);

#endif
