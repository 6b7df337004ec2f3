/* The cases of a suite, which the harness runs in interleaved order. */
#ifndef PLX_BENCH_HARNESS_H
#define PLX_BENCH_HARNESS_H

#include "bench/bench.h"

enum {
    PLX_BENCH_SAMPLES = 256, /* at most, of one metric */
    PLX_BENCH_ROUNDS = 32,   /* at most, of a run */
    PLX_BENCH_PARAMETERS = 8,
    PLX_BENCH_METRICS = 24,
    PLX_BENCH_EXTRAS = 32, /* for all rows of a case */
    PLX_BENCH_SERIES = 2,
};

/* Values in the order in which they were taken, with their rounds. */
typedef struct plx_samples {
    double *values;
    int count, room;
    int rounds;                 /* one more than the last round that gave a value */
    int ends[PLX_BENCH_ROUNDS]; /* number of values after round i */
} plx_samples;

typedef struct plx_case plx_case;

typedef enum plx_metric_kind {
    PLX_METRIC_TIME = 0, /* factor * nanoseconds per iteration */
    PLX_METRIC_RATE,     /* factor / nanoseconds per iteration */
    PLX_METRIC_TAIL,     /* 99th percentile of the time: one value, no interval */
    PLX_METRIC_OWN,      /* values that the case records */
} plx_metric_kind;

typedef struct plx_metric {
    const char *name, *unit;
    const char *better; /* "lower", "higher" or "none" */
    bool primary;       /* the case's figure of speed; one per case */
    plx_metric_kind kind;
    double factor;
    plx_samples samples; /* PLX_METRIC_OWN */
    double low, high;    /* PLX_METRIC_OWN: its own interval, unless low > high */
} plx_metric;

typedef struct plx_case_parameter {
    const char *name;
    const char *text; /* NULL: number */
    double number;
} plx_case_parameter;

/* A further field of one row of a case, by its path in results.schema.json. */
typedef struct plx_case_extra {
    int metric;
    const char *path, *text; /* NULL: a number */
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
    char loss_bits[17]; /* FNV-1a of all losses' bits, in hexadecimal; "": none */
    double steps;       /* number of steps covered */
    double last_loss;
    double error, tolerance; /* largest error, as a share of its bound; tolerance 0: unchecked */
} plx_checks;

/* The work of one execution of an operation. */
typedef struct plx_work {
    double flops;       /* as executed */
    double direct;      /* by the operation's definition; equal unless the method does fewer */
    double bytes;       /* with each operand read or written once */
    double written;     /* part of bytes */
    double working_set; /* in bytes */
} plx_work;

/* The life of a case: each round of the run makes a visit (open, then run or slice until the visit
 * has enough samples, then close). The first visit checks before it closes. After the last round
 * comes conclude. State belongs to the case, and ends with the visit. */
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
    double share;                          /* of a case's usual time; 0: all of it */
    double flops;                          /* per iteration; 0: not compared with the ceiling */
    plx_work work;                         /* per iteration, for the roofline */
    bool real;                             /* real data; else synthetic from the seed, or none */
    const char *data_source, *data_sha256; /* name of the real data, or a description of the
                                            * synthetic data */
    plx_memory memory;                     /* exact bytes by component, if has_memory */
    bool has_memory;
    plx_checks checks;

    int64_t size; /* lets the suite tell its cases apart */
    int variant;
    void *state;
    plx_ctx *ctx; /* does the work of this visit; NULL: the bench's context */
    plx_status (*open)(plx_bench *bench, plx_case *c);
    /* For timed cases: does the work `iterations` times. */
    plx_status (*run)(plx_bench *bench, plx_case *c, int64_t iterations);
    /* Measures something to compare with a timed sample, right after it, and records it; may be
     * NULL. */
    plx_status (*beside)(plx_bench *bench, plx_case *c);
    /* For long work with its own clock: does about slice_ns of it; sets *done when a sample is
     * complete, after recording what it measured. */
    plx_status (*slice)(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done);
    int repeats;      /* samples per visit of a sliced case */
    int visits;       /* number of rounds that it takes part in; 0: all */
    double work_ns;   /* estimate for one iteration, or for a visit to a sliced case */
    double making_ns; /* estimate for opening it */
    double first_ns;  /* estimate for the first visit, if different; 0: the same. Estimates serve to
                       * predict a run's time */
    plx_status (*check)(plx_bench *bench, plx_case *c); /* NULL: nothing to check */
    void (*close)(plx_case *c);
    void (*conclude)(plx_bench *bench, plx_case *c); /* NULL: nothing to add */

    /* Private to the harness. */
    int suite;
    bool opened, checked, finished, dropped, emitted, silent;
    bool assumed; /* a plan was made before the costs of threads were measured */
    int64_t iterations;
    int round;          /* of the current visit, or the next one */
    int visit_count;    /* samples of this visit */
    int64_t visit_ns;   /* time measured in this visit */
    int64_t began_ns;   /* when this visit began; 0: not yet */
    double took_ns;     /* duration of the last visit; 0: none yet */
    int threads_worked; /* at most, at the same time */
    plx_samples times;  /* nanoseconds per iteration */
    double ceiling;     /* GFLOP/s, measured beside the case; 0: not measured */
};

typedef struct plx_suite {
    const char *name, *description;
    plx_status (*plan)(plx_bench *bench);   /* adds the cases */
    plx_status (*finish)(plx_bench *bench); /* adds results derived from all cases; may be NULL */
} plx_suite;

/* Functions for suites. */
plx_ctx *plx__bench_ctx(plx_bench *bench);
const plx_bench_options *plx__bench_options(const plx_bench *bench);
/* Stores the formatted sentence for plx_message. */
plx_status plx__bench_fail(plx_bench *bench, plx_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a case, zeroed but for its name. Returns NULL when memory is short, or when options.cases
 * leaves the case out, which then need not be filled in. */
plx_case *plx__bench_add(plx_bench *bench, int group, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a case that others depend on: measured even if options.cases leaves it out, but then
 * without rows, unless only such cases are left of the suite. */
plx_case *plx__bench_need(plx_bench *bench, int group, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* How long a sample lasts, unless one iteration takes longer. */
int64_t plx__bench_sample_ns(const plx_bench *bench);
/* The step of the clock: the smallest difference it shows. Browser clocks tick in steps of 5 to 100
 * microseconds. */
int64_t plx__clock_step_ns(void);
/* Repeats the work as often as a sample needs with this clock, and gives the nanoseconds of one
 * execution. times begins at 0 and is kept from sample to sample; a sample that turns out too
 * short, because the engine has become faster or a disturbance had made the work seem long enough,
 * is taken again. PLX_ERR_UNSUPPORTED when the clock stands still. */
typedef plx_status (*plx_work_fn)(void *arg, int64_t times);
plx_status plx__bench_time(plx_bench *bench, plx_work_fn work, void *arg, int64_t *times,
                           double *ns);
/* The case of the current suite with this name; NULL if it was not measured. */
plx_case *plx__bench_find(plx_bench *bench, const char *name);
/* The same among all cases added; NULL if there is none. */
plx_case *plx__bench_planned(plx_bench *bench, const char *name);
/* Median of a timed case, in nanoseconds per iteration. */
double plx__case_median_ns(const plx_case *c);

void plx__case_number(plx_case *c, const char *name, double value);
void plx__case_text(plx_case *c, const char *name, const char *value);
/* Returns the metric's number. */
int plx__case_metric(plx_case *c, const char *name, const char *unit, const char *better,
                     bool primary, plx_metric_kind kind, double factor);
void plx__case_record(plx_case *c, int metric, double value);
/* Sets the estimate for a visit: operations of an iteration (or of all of a sliced case), and the
 * number of random values drawn and of bytes moved to set it up. */
void plx__case_expect(plx_bench *bench, plx_case *c, double operations, double values,
                      double bytes);
/* Sets the estimate for a first visit that does something else, in operations. */
void plx__case_expect_first(plx_bench *bench, plx_case *c, double operations);
/* For a sliced case that does not measure time: one sample in all, of about so many operations. */
void plx__case_once(plx_bench *bench, plx_case *c, double operations);
/* Records a sample of a sliced case that took ns for so many iterations. The case is void if that
 * is too short for the clock. */
void plx__case_timed(const plx_bench *bench, plx_case *c, int64_t ns, double iterations);

/* Adds a value of a round; returns false, adding nothing, when there is no room or no memory. */
bool plx__samples_add(plx_samples *s, int round, double value);
/* Puts the median of each round into medians [PLX_BENCH_ROUNDS]; returns their number, or 0 if a
 * round has no value. */
int plx__samples_rounds(const plx_samples *s, double *medians);
/* Adds one figure that is derived, not sampled, with its interval (NAN: none). */
void plx__case_derived(plx_case *c, const char *name, const char *unit, double value, double low,
                       double high);

void plx__case_extra(plx_case *c, int metric, const char *path, double value);
void plx__case_extra_text(plx_case *c, int metric, const char *path, const char *value);
void plx__case_series(plx_case *c, int metric, const char *path, int count, const double *values);

/* Sets a hash of values, and how many it covers. */
void plx__case_bits(plx_case *c, uint64_t hash, double count);
/* FNV-1a, 64 bits, over the bits of losses as floats. */
uint64_t plx__losses_hash(const plx_real *losses, int64_t count);
/* Hashes losses into checks.loss_bits and keeps the last one. */
void plx__case_losses(plx_case *c, const plx_real *losses, int64_t count);
void plx__case_void(plx_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* n values from a seeded stream: uniform in [-1, 1), much faster to make; or normal. */
void plx__fill_uniform(uint64_t seed, uint32_t stream, int64_t n, plx_real *values);
void plx__fill_normal(uint64_t seed, uint32_t stream, int64_t n, plx_real *values);

#endif
