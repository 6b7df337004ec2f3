/* What a suite is made of: cases, which the harness runs in interleaved order. */
#ifndef PLX_BENCH_HARNESS_H
#define PLX_BENCH_HARNESS_H

#include "bench/bench.h"

enum {
    PLX_BENCH_SAMPLES = 256, /* kept per case */
    PLX_BENCH_PARAMETERS = 8,
    PLX_BENCH_METRICS = 24,
    PLX_BENCH_EXTRAS = 12, /* of all rows of a case */
    PLX_BENCH_SERIES = 2,
};

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
    int count; /* PLX_METRIC_OWN */
    double values[PLX_BENCH_SAMPLES];
    double low, high; /* PLX_METRIC_OWN: an interval of its own, unless low > high */
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

/* A case's life: open, then run (or slice) until it has enough samples, check, close. Only open is
 * called before its group's turn; state is the case's own. */
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
    bool real;                             /* data; else synthetic from the seed, or none */
    const char *data_source, *data_sha256; /* real data; or what the synthetic data is */
    plx_memory memory;                     /* exact bytes by component; has_memory */
    bool has_memory;
    plx_checks checks;

    int64_t size; /* what the suite needs to tell its cases apart */
    int variant;
    void *state;
    plx_status (*open)(plx_bench *bench, plx_case *c);
    /* Timed cases: iterations times the work. */
    plx_status (*run)(plx_bench *bench, plx_case *c, int64_t iterations);
    /* What is to be compared with a timed sample, and records itself right after it; may be NULL.
     */
    plx_status (*beside)(plx_bench *bench, plx_case *c);
    /* Or long work with its own clock: about slice_ns of it; sets *done when a sample is complete,
     * after recording what it measured. */
    plx_status (*slice)(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done);
    int repeats;                                        /* samples that a sliced case gives */
    plx_status (*check)(plx_bench *bench, plx_case *c); /* NULL: nothing to check */
    void (*close)(plx_case *c);

    /* The harness's. */
    bool opened, finished, dropped, emitted, silent;
    int64_t iterations, spent_ns;
    int count;
    double ns[PLX_BENCH_SAMPLES]; /* per iteration */
    double ceiling;               /* GFLOP/s, measured beside; 0: not */
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
/* How long a sample has to last for this clock. */
int64_t plx__bench_sample_ns(const plx_bench *bench);
/* A case that has been measured, by name; NULL if it was not. */
plx_case *plx__bench_find(plx_bench *bench, const char *name);
/* A case that was added, by name; NULL if there is none. */
plx_case *plx__bench_planned(plx_bench *bench, const char *name);
/* Median of nanoseconds per iteration of a timed case. */
double plx__case_median_ns(const plx_case *c);

void plx__case_number(plx_case *c, const char *name, double value);
void plx__case_text(plx_case *c, const char *name, const char *value);
/* Returns the metric's number. */
int plx__case_metric(plx_case *c, const char *name, const char *unit, const char *better,
                     bool primary, plx_metric_kind kind, double factor);
void plx__case_record(plx_case *c, int metric, double value);
/* One figure that is derived, not sampled, with its interval (NAN: none). */
void plx__case_derived(plx_case *c, const char *name, const char *unit, double value, double low,
                       double high);

void plx__case_extra(plx_case *c, int metric, const char *path, double value);
void plx__case_extra_text(plx_case *c, int metric, const char *path, const char *value);
void plx__case_series(plx_case *c, int metric, const char *path, int count, const double *values);

/* Hashes losses into checks.loss_bits and keeps the last one. */
/* A hash of other values, and how many it covers. */
void plx__case_bits(plx_case *c, uint64_t hash, double count);
void plx__case_losses(plx_case *c, const plx_real *losses, int64_t count);
void plx__case_void(plx_case *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* n normal values from a seeded stream. */
void plx__fill_normal(uint64_t seed, uint32_t stream, int64_t n, plx_real *values);

#endif
