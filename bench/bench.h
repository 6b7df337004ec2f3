/* The benchmark suites, the same natively and in the browser. A bench is resumable: its caller runs
 * it a slice at a time, so that it can show progress, take rows and stop without threads. It
 * neither prints nor opens files; front ends write the rows.
 *
 * A run goes through all cases of all suites in rounds. A round visits every case once: it sets the
 * case up anew, in different memory and with the costs of threads measured again, and takes a few
 * samples. Whatever differs between runs therefore differs between rounds too, and the interval of
 * a row, which is taken over rounds, holds from one run to the next. Rows are ready after the last
 * round. */
#ifndef PLX_BENCH_BENCH_H
#define PLX_BENCH_BENCH_H

#include "parallax_learn.h"

typedef enum plx_bench_size {
    PLX_BENCH_QUICK = 0, /* seconds, for CI */
    PLX_BENCH_DEFAULT,
    PLX_BENCH_FULL, /* everything, takes minutes */
} plx_bench_size;

typedef struct plx_bench_options {
    const char *suites; /* names separated by commas; NULL or "": all */
    const char *cases;  /* texts separated by commas: only cases whose name contains one; NULL or
                         * "": all. If each text ends with a newline instead, one with a comma is a
                         * case's whole name */
    const char *const *only; /* names such as "gemm: 256 x 256 x 256", ended by NULL: only these
                              * cases; NULL: all */
    plx_bench_size size;
    uint64_t seed;  /* for data, weights and the order of cases */
    double seconds; /* of measuring per case; 0: the size's own */
    int rounds;     /* how many the run is split into, 32 at most; 0: the size's own */
    const plx_learning_digits *digits; /* NULL: seeded noise stands in for them, and rows say so */
} plx_bench_options;

plx_bench_options plx_bench_default(void);

/* Name of suite i, and one sentence about it; NULL past the last. */
const char *plx_bench_suite_name(int i);
const char *plx_bench_suite_description(int i);

typedef struct plx_bench plx_bench;

/* PLX_ERR_ARGUMENT for a suite that does not exist (the message lists those that do), for a
 * negative or too large number of rounds, and for labels above 9; PLX_ERR_SHAPE for digits that are
 * not 28 x 28, fewer than 5, or not as many as labels. Options and what they point to must stay
 * valid until plx_bench_free. */
plx_status plx_bench_new(plx_ctx *ctx, const plx_bench_options *options, plx_bench **out);
void plx_bench_free(plx_bench *bench);

typedef struct plx_bench_progress {
    const char *suite, *name; /* of the current case; "" before the first and after the last */
    double fraction;          /* share of the whole that is done, 0 to 1 */
    int round, rounds;        /* the current one, from 1 */
    int64_t left_ns;          /* estimate for the rest */
    bool done;
} plx_bench_progress;

/* Estimate of the whole run's time, from the cases that were chosen. */
int64_t plx_bench_expected_ns(const plx_bench *bench);

/* A case that gives rows. Results that a suite derives from all its cases, such as a growth, are
 * not cases. */
typedef struct plx_bench_case {
    const char *suite, *name; /* NULL past the last */
    int64_t expected_ns;      /* estimate of its part of the whole run */
} plx_bench_case;
plx_bench_case plx_bench_case_at(const plx_bench *bench, int i);

/* Measures for about slice_ns, at least one sample's worth. On failure the failing case is dropped,
 * the rows measured so far stay, and the bench can be advanced further. */
plx_status plx_bench_advance(plx_bench *bench, int64_t slice_ns, plx_bench_progress *progress);

/* Ends measuring: cases whose first visit is over give rows from the rounds they had, the others
 * none. */
void plx_bench_stop(plx_bench *bench);

typedef enum plx_field_kind {
    PLX_FIELD_TEXT = 0,
    PLX_FIELD_NUMBER,
    PLX_FIELD_BOOLEAN, /* 0 or 1 if it is a number */
    PLX_FIELD_NUMBERS,
} plx_field_kind;

/* One value of a row, named by its path in results.schema.json, such as "samples.median". */
typedef struct plx_field {
    char path[48];
    plx_field_kind kind;
    const char *text;
    double number;
    const double *numbers;
    int count; /* of numbers */
} plx_field;

/* Takes the next finished row: returns its number of fields, or 0 when there is none yet. Fields
 * that only the front end knows (engine.kind, machine, compiler, commit, date) are not included. */
int plx_bench_take_row(plx_bench *bench);
/* Field i of the row taken last; valid until the next call that takes a row or advances the
 * bench. */
const plx_field *plx_bench_field(const plx_bench *bench, int i);

#endif
