/* The files that "parallax train" can learn from. */
#ifndef PLX_CLI_TRAINING_DATA_H
#define PLX_CLI_TRAINING_DATA_H

#include "bench/tasks.h"
#include "digits_files.h"

typedef struct training_data {
    digits_files digits;
    char *text;
    plx_csv table;
    char source[256]; /* name of the text's or the table's file */
} training_data;

/* Loads the digits in PARALLAX_DATA, which may be unset; returns false with the sentence in
 * message. */
bool training_data_digits(plx_ctx *ctx, training_data *data, plx_learning_options *options,
                          char *message, size_t message_bytes);
/* Loads a text in UTF-8. */
bool training_data_text(training_data *data, const char *name, plx_learning_options *options,
                        char *message, size_t message_bytes);
/* Loads a table of numbers whose last column is the target. */
bool training_data_table(plx_ctx *ctx, training_data *data, const char *name,
                         plx_learning_options *options, char *message, size_t message_bytes);
void training_data_free(training_data *data);

#endif
