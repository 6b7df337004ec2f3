/* Sums up what a suite has shown in one line. */
#ifndef PLX_CLI_BENCH_SUMMARY_H
#define PLX_CLI_BENCH_SUMMARY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct suite_summary {
    char *name;
    int rows, voided;
    /* Over the figures of speed that are not void: */
    int ceilings, rooflines, withheld; /* shares that count, by kind; those that do not */
    double log_ceiling, log_roofline;  /* sums over those shares */
    double best_rate;                  /* GFLOP/s; 0: none */
    char *metric, *unit;               /* of the first figure; NULL: none */
    double least, most;                /* figures of that metric */
    /* Over all rows: */
    int bits;
    double error; /* the largest, as a share of its bound; -1: none */
} suite_summary;

typedef struct bench_summary {
    suite_summary *suites;
    int count, room;
    int rows, yardsticks, voided, assumed;
} bench_summary;

/* Returns false when memory is short. */
bool summary_add(bench_summary *s, const cJSON *row);
void summary_print_suite(FILE *to, const suite_summary *suite);
/* Sums up all suites together. */
void summary_print_all(FILE *to, const bench_summary *s);
void summary_free(bench_summary *s);

/* Four significant digits, without an exponent where that stays readable; "-" for NaN. */
const char *figure_text(char *text, size_t size, double value);

#endif
