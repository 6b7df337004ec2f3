/* Results of parallax train --repeat over runs with different seeds. */
#ifndef PLX_CLI_TRAINING_SERIES_H
#define PLX_CLI_TRAINING_SERIES_H

#include "training.h"

enum { SERIES_FIGURES = PLX_LEARNING_MEASURES + 2 };

/* One figure over all runs that did not diverge. */
typedef struct series_figure {
    plx_learning_measure measure; /* its name and unit are copies */
    bool has_goal;
    int reached, count; /* runs that reached the goal, and all runs */
    double values[REPEATS_MOST];
} series_figure;

typedef struct training_series {
    series_figure figures[SERIES_FIGURES];
    int count;
} training_series;

/* Adds a run's measures and speed. */
void series_add(training_series *s, const training *t);
/* Prints means with deviations and intervals, and how many runs reached their goals. */
void series_print(FILE *to, const training_series *s);
void series_free(training_series *s);

#endif
