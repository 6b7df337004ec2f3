/* Pairs the measurements of a comparison, and gives their ratios. */
#ifndef PLX_CLI_COMPARE_PAIRS_H
#define PLX_CLI_COMPARE_PAIRS_H

#include "compare_side.h"

typedef struct pair {
    const measurement *a, *b;
    bool voided, positive;
    bool primary, lower; /* lower is better */
    interval speed;      /* of A over B, if positive */
} pair;

typedef struct pair_list {
    pair *list;
    int count, room;
} pair_list;

typedef struct pairing {
    pair_list pairs;
    pair_list yardsticks;
    pair_list others; /* the same case with other parameters: not compared */
    int only_a, only_b;
    pair_list lost; /* B has a figure of speed, A none: a is what it has instead, or NULL */
    int cases_b;    /* number of B's figures of speed */
} pairing;

/* Pairs rows of the same case, parameters and metric: with those of the same engine and options if
 * the other side has them, otherwise with all, since a file may hold several engines. Returns
 * false, with the sentence printed, when memory is short. */
bool pairs_make(pairing *p, side *a, side *b);
void pairs_free(pairing *p);

typedef enum verdict { VERDICT_NONE, VERDICT_SAME, VERDICT_FASTER, VERDICT_SLOWER } verdict;

verdict verdict_of(interval speed);
const char *verdict_text(verdict v);

/* The ratio of speeds, A over B, with probability tail on each side. */
interval pair_speed(const pair *p, double tail);

/* Geometric mean of the primary pairs. Cases share the machine's speed of the moment, so their
 * errors are not independent: the mean over all cases of one round is one observation, and the
 * interval follows from the rounds. Cases without rounds are taken as independent. */
typedef struct mean_speed {
    int cases;
    int without_rounds;
    int stopped; /* of those, cases of which a run was stopped in its first round */
    interval speed;
} mean_speed;

/* Returns false, with the sentence printed, when memory is short. */
bool pairs_mean(const pair_list *pairs, mean_speed *mean);

#endif
