/* What parallax explain shows of a file of weights. */
#ifndef PLX_CLI_FILE_ROWS_H
#define PLX_CLI_FILE_ROWS_H

#include "output.h"
#include "weights_file.h"

/* Prints the tensors and the metadata of a file, and writes a row for each. Returns false when rows
 * cannot be written. */
bool print_file(output *out, const char *name, const weights_in *in);

#endif
