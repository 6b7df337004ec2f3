/* What a suite is made of: cases, which the harness runs in interleaved order. */
#ifndef PLX_BENCH_HARNESS_H
#define PLX_BENCH_HARNESS_H

#include "bench/bench.h"

enum {
    PLX_BENCH_SAMPLES = 256, /* most of one metric */
    PLX_BENCH_ROUNDS = 32,   /* most of a run */
    PLX_BENCH_PARAMETERS = 8,
    PLX_BENCH_METRICS = 24,
    PLX_BENCH_EXTRAS = 16, /* of all rows of a case */
    PLX_BENCH_SERIES = 2,
};

/* Values in the order they were taken, and in which round. */
typedef struct plx_samples {
    double *values;
    int count, room;
    int rounds;                 /* the last that gave a value, and those before it */
    int ends[PLX_BENCH_ROUNDS]; /* how many values there were after round i */
} plx_samples;

typedef struct plx_case plx_case;

typedef enum plx_metric_kind {
    PLX_METRIC_TIME = 0, /* factor * nanoseconds per iteration */
    PLX_METRIC_RATE,     /* factor / nanoseconds per iteration */
    PLX_METRIC_TAIL,     /* 99th percentile of the time: one value, no interval */
    PLX_METRIC_OWN,      /* what the case records */
} plx_metric_kind;

typedef struct plx_metric {
    const char *name, *unit;
    const char *better; /* "lower", "higher" or "none" */
    bool primary;       /* the case's figure of speed; one per case */
    plx_metric_kind kind;
    double factor;
    plx_samples samples; /* PLX_METRIC_OWN */
    double low, high;    /* PLX_METRIC_OWN: an interval of its own, unless low > high */
} plx_metric;

typedef struct plx_case_parameter {
    const char *name;
    const char *text; /* NULL: number */
    double number;
} plx_case_parameter;

/* What one row of a case says beyond its samples: a field by its path in results.schema.json. */
typedef struct plx_case_extra {
    int metric;
    const char *path, *text; /* text NULL: number */
    double number;
} plx_case_extra;

typedef struct plx_case_series {
    int metric;
    const char *path;
    int count;
    double values[PLX_BENCH_SAMPLES];
} plx_case_series;

typedef struct plx_checks {
    bool failed;
    char failure[160];  /* why the result is void */
    char loss_bits[17]; /* FNV-1a of all losses' bits, in hexadecimal; "" for none */
    double steps;       /* that it covers */
    double last_loss;
    double error, tolerance; /* largest error, as a share of its bound; tolerance 0: unchecked */
} plx_checks;

/* What an operation takes, once. */
typedef struct plx_work {
    double flops;       /* that are done */
    double direct;      /* by the operation's definition; equal where the method does as many */
    double bytes;       /* each operand read or written once */
    double written;     /* of the bytes */
    double working_set; /* bytes */
} plx_work;

/* A case's life: in each round of the run a visit: open, then run (or slice) until the visit has
 * enough samples, close. The first visit checks before it closes. When the last round is over,
 * conclude. State is the case's own, and ends with the visit. */
struct plx_case {
    char name[64];
    int group; /* cases of a group alternate; groups follow one another */
    plx_case_parameter parameters[PLX_BENCH_PARAMETERS];
    int parameter_count;
    plx_metric metrics[PLX_BENCH_METRICS];
    int metric_count;
    plx_case_extra extras[PLX_BENCH_EXTRAS];
    int extra_count;
    plx_case_series series[PLX_BENCH_SERIES];
    int series_count;
    char shape[160];                       /* text that a parameter may point to */
    double share;                          /* of the time that a case has; 0: all of it */
    double flops;                          /* of one iteration; 0: not compared with the ceiling */
    plx_work work;                         /* of one iteration, for the roofline */
    bool real;                             /* data; else synthetic from the seed, or none */
    const char *data_source, *data_sha256; /* real data; or what the synthetic data is */
    plx_memory memory;                     /* exact bytes by component; has_memory */
    bool has_memory;
    plx_checks checks;

    int64_t size; /* what the suite needs to tell its cases apart */
    int variant;
    void *state;
    plx_ctx *ctx; /* that does the work of this visit; NULL: the bench's */
    plx_status (*open)(plx_bench *bench, plx_case *c);
    /* Timed cases: iterations times the work. */
    plx_status (*run)(plx_bench *bench, plx_case *c, int64_t iterations);
    /* What is to be compared with a timed sample, and records itself right after it; may be NULL.
     */
    plx_status (*beside)(plx_bench *bench, plx_case *c);
    /* Or long work with its own clock: about slice_ns of it; sets *done when a sample is complete,
     * after recording what it measured. */
    plx_status (*slice)(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done);
    int repeats;      /* samples that a visit to a sliced case gives */
    int visits;       /* rounds that it takes part in; 0: all */
    double work_ns;   /* about what one iteration takes, or a visit to a sliced case */
    double making_ns; /* what opening it does */
    double
        first_ns; /* what the first visit takes instead; 0: the same. All for what runs promise */
    plx_status (*check)(plx_bench *bench, plx_case *c); /* NULL: nothing to check */
    void (*close)(plx_case *c);
    void (*conclude)(plx_bench *bench, plx_case *c); /* NULL: nothing to add */

    /* The harness's. */
    int suite;
    bool opened, checked, finished, dropped, emitted, silent;
    bool assumed; /* a plan was made before the costs of threads were measured */
    int64_t iterations;
    int round;          /* of the visit at work, or the next one */
    int visit_count;    /* samples of this visit */
    int64_t visit_ns;   /* measured in this visit */
    int64_t began_ns;   /* when this visit did; 0: not yet */
    double took_ns;     /* the last visit, all in all; 0: none yet */
    int threads_worked; /* most at once */
    plx_samples times;  /* nanoseconds per iteration */
    double ceiling;     /* GFLOP/s, measured beside; 0: not */
};

typedef struct plx_suite {
    const char *name, *description;
    plx_status (*plan)(plx_bench *bench);   /* adds the cases */
    plx_status (*finish)(plx_bench *bench); /* adds what follows from all of them; may be NULL */
} plx_suite;

/* For suites. */
plx_ctx *plx__bench_ctx(plx_bench *bench);
const plx_bench_options *plx__bench_options(const plx_bench *bench);
/* Stores the formatted sentence for plx_message. */
plx_status plx__bench_fail(plx_bench *bench, plx_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A new case, zeroed but for its name; NULL when memory is short, or when options.cases leaves it
 * out and so it need not be filled in. */
plx_case *plx__bench_add(plx_bench *bench, int group, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a case that others rest on: measured even when options.cases leaves it out, without
 * rows then, unless all that is left of the suite are such cases. */
plx_case *plx__bench_need(plx_bench *bench, int group, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* How long a sample lasts, if one iteration does not take longer. */
int64_t plx__bench_sample_ns(const plx_bench *bench);
/* Does the work as often as a sample needs for this clock, and gives nanoseconds of one time. times
 * begins at 0 and is kept from sample to sample; when a sample was too short, as the engine has
 * come to run faster or a disturbance had made it seem long enough, it is taken again.
 * PLX_ERR_UNSUPPORTED when the clock stands still. */
typedef plx_status (*plx_work_fn)(void *arg, int64_t times);
plx_status plx__bench_time(plx_bench *bench, plx_work_fn work, void *arg, int64_t *times,
                           double *ns);
/* A case of the suite at work that has been measured, by name; NULL if it was not. */
plx_case *plx__bench_find(plx_bench *bench, const char *name);
/* A case that was added to it, by name; NULL if there is none. */
plx_case *plx__bench_planned(plx_bench *bench, const char *name);
/* Median of nanoseconds per iteration of a timed case. */
double plx__case_median_ns(const plx_case *c);

void plx__case_number(plx_case *c, const char *name, double value);
void plx__case_text(plx_case *c, const char *name, const char *value);
/* Returns the metric's number. */
int plx__case_metric(plx_case *c, const char *name, const char *unit, const char *better,
                     bool primary, plx_metric_kind kind, double factor);
void plx__case_record(plx_case *c, int metric, double value);
/* About what a visit takes: operations of an iteration (or of all of a sliced case), values that
 * are drawn and bytes that are moved to make it. */
void plx__case_expect(plx_bench *bench, plx_case *c, double operations, double values,
                      double bytes);
/* The same of a first visit that does something else, in operations. */
void plx__case_expect_first(plx_bench *bench, plx_case *c, double operations);
/* For a sliced case that has nothing to do with time: one sample in all, of about so many
 * operations. */
void plx__case_once(plx_bench *bench, plx_case *c, double operations);
/* A sample of a sliced case that took ns for so many iterations. The case is void when that is too
 * short for the clock to tell. */
void plx__case_timed(const plx_bench *bench, plx_case *c, int64_t ns, double iterations);

/* Adds a value of a round; false, and nothing is added, when there is no room or no memory. */
bool plx__samples_add(plx_samples *s, int round, double value);
/* The median of each round into medians [PLX_BENCH_ROUNDS]; returns how many, 0 where a round has
 * no value. */
int plx__samples_rounds(const plx_samples *s, double *medians);
/* One figure that is derived, not sampled, with its interval (NAN: none). */
void plx__case_derived(plx_case *c, const char *name, const char *unit, double value, double low,
                       double high);

void plx__case_extra(plx_case *c, int metric, const char *path, double value);
void plx__case_extra_text(plx_case *c, int metric, const char *path, const char *value);
void plx__case_series(plx_case *c, int metric, const char *path, int count, const double *values);

/* A hash of values, and how many it covers. */
void plx__case_bits(plx_case *c, uint64_t hash, double count);
/* FNV-1a, 64 bits, over the bits of losses as floats. */
uint64_t plx__losses_hash(const plx_real *losses, int64_t count);
/* Hashes losses into checks.loss_bits and keeps the last one. */
void plx__case_losses(plx_case *c, const plx_real *losses, int64_t count);
void plx__case_void(plx_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* n values from a seeded stream: uniform in [-1, 1), which takes a fraction of the time; or normal.
 */
void plx__fill_uniform(uint64_t seed, uint32_t stream, int64_t n, plx_real *values);
void plx__fill_normal(uint64_t seed, uint32_t stream, int64_t n, plx_real *values);

#endif
