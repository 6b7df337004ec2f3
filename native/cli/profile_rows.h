/* A profile as tables and rows. */
#ifndef PLX_CLI_PROFILE_ROWS_H
#define PLX_CLI_PROFILE_ROWS_H

#include "output.h"

#include "bench/profile.h"

/* Measures the network, showing progress. Free the profile with plx_profile_free. */
plx_status measure_profile(plx_network *network, plx_profile **out);

/* Adds what was measured to the row of a step. */
void add_profile(cJSON *row, const plx_profile *profile, int step);
void print_profile_heading(FILE *to);
/* One line for a step; shape: as text. */
void print_profile_step(FILE *to, const plx_profile *profile, const plx_plan *plan, int step,
                        const char *shape);
/* The sum, the ceilings, and what keeps the network most from them. */
bool print_profile_summary(output *out, const plx_profile *profile, const plx_network *network);

#endif
