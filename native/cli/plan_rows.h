/* What parallax explain shows of passes, and of a plan as data. */
#ifndef PLX_CLI_PLAN_ROWS_H
#define PLX_CLI_PLAN_ROWS_H

#include "output.h"

#include "parallax.h"

enum { SHAPE_BYTES = PLX_MAX_RANK * 21 };
/* "64x784", or "scalar". */
const char *shape_text(int rank, const int64_t *dims, char text[SHAPE_BYTES]);
/* Adds the list "shape". */
void add_shape(cJSON *row, int rank, const int64_t *dims);

/* "dead_code, fuse, ...": all passes in the order in which they run. */
void pass_names(char *text, size_t text_bytes);
/* Removes the passes in a list ("fuse,memory") from *passes. Returns false, with the sentence
 * printed, when the list names anything else. */
bool leave_out_passes(const char *list, int *passes);
/* Prints the table of passes. Returns false when rows cannot be written. */
bool print_passes(output *out);

/* The attributes of a step, as an object of numbers and lists. */
cJSON *attributes_of(const plx_step *step);
/* Writes the buffers, and the operands of every step. */
bool print_operands(output *out, const plx_plan_table *table);

#endif
