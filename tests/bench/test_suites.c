/* Walks the suites: each must produce complete rows whose checks pass. */
#include "bench/bench.h"
#include "bench/datasets.h"
#include "bench/row.h"

#include "base/context.h"
#include "check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct tally {
    int rows, placed; /* placed: has a place on the roofline */
    char last_case[80];
    int primary_of_case;
} tally;

static const plx_field *find(plx_bench *bench, int count, const char *path) {
    for (int i = 0; i < count; ++i)
        if (!strcmp(plx_bench_field(bench, i)->path, path)) return plx_bench_field(bench, i);
    return NULL;
}

static void check_row(plx_check *t, plx_bench *bench, int count, tally *all) {
    static const char *const needed[] = {
        "schema",         "suite",     "case",          "metric",         "unit",
        "better",         "primary",   "samples.count", "samples.median", "engine.isa",
        "engine.threads", "data.kind", "checks.passed"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; ++i)
        if (!CHECK(t, find(bench, count, needed[i]), "a row lacks %s", needed[i])) return;
    const char *name = find(bench, count, "case")->text;
    const char *metric = find(bench, count, "metric")->text;
    /* A tail is a single figure of many times, and has neither. */
    const bool spread = find(bench, count, "samples.rounds") || find(bench, count, "samples.low");
    const bool tail = strstr(metric, "percentile") != NULL;
    CHECK(t, spread == !tail, "%s, %s: %s", name, metric, spread ? "a spread" : "no spread");
    CHECK(t, spread == (find(bench, count, "samples.values") != NULL), "%s, %s: values", name,
          metric);
    CHECK(t, spread == (find(bench, count, "samples.mean") != NULL), "%s, %s: mean", name, metric);
    const plx_field *failure = find(bench, count, "checks.failure");
    CHECK(t, find(bench, count, "checks.passed")->number == 1, "%s, %s is void: %s", name, metric,
          failure ? failure->text : "no reason");
    CHECK(t, find(bench, count, "samples.count")->number >= 1, "%s has no samples", name);
    CHECK(t, find(bench, count, "samples.median")->number > -1e300, "%s: no median", name);
    if (strcmp(name, all->last_case) != 0) {
        snprintf(all->last_case, sizeof all->last_case, "%s", name);
        all->primary_of_case = 0;
    }
    all->primary_of_case += find(bench, count, "primary")->number == 1;
    CHECK(t, all->primary_of_case <= 1, "%s has %d primary metrics", name, all->primary_of_case);
    all->rows += 1;
    const plx_field *share = find(bench, count, "roofline.share");
    if (!share) return;
    all->placed += 1;
    CHECK(t, share->number > 0 && find(bench, count, "roofline.level"), "%s: share %g", name,
          share->number);
}

static plx_bench *open_bench(plx_check *t, plx_ctx *ctx, const plx_bench_options *options) {
    plx_bench *bench;
    const plx_status status = plx_bench_new(ctx, options, &bench);
    return CHECK(t, status == PLX_OK, "bench: %s", plx_message(ctx)) ? bench : NULL;
}

static tally walk_suite(plx_check *t, plx_ctx *ctx, const char *suite, const char *cases,
                        plx_bench_size size) {
    plx_bench_options options = plx_bench_default();
    options.suites = suite;
    options.cases = cases;
    options.rounds = 2; /* bench.harness tests figures of six rounds */
    options.size = size;
    options.seconds = 1e-4;
    plx_bench *bench = open_bench(t, ctx, &options);
    tally all = {0};
    if (!bench) return all;
    plx_bench_progress progress = {.done = false};
    double before = 0;
    while (!progress.done) {
        const plx_status status = plx_bench_advance(bench, 20000000, &progress);
        if (!CHECK(t, status == PLX_OK, "%s: %s", suite, plx_message(ctx))) break;
        CHECK(t, progress.fraction >= before - 1e-9 && progress.fraction <= 1,
              "%s: progress went from %g to %g", suite, before, progress.fraction);
        before = progress.fraction;
        for (int count; (count = plx_bench_take_row(bench)) > 0;) check_row(t, bench, count, &all);
    }
    CHECK(t, all.rows > 0, "%s gave no row", suite);
    plx_bench_free(bench);
    return all;
}

/* Every operation has a size of odd numbers, which the quick run leaves out. */
static void check_operations(plx_check *t, plx_ctx *ctx) {
    const tally quick = walk_suite(t, ctx, "ops", NULL, PLX_BENCH_QUICK);
    CHECK(t, quick.placed > 40, "%d ops are on the roofline", quick.placed);
    const tally small = walk_suite(t, ctx, "ops", " small", PLX_BENCH_QUICK);
    const tally odd = walk_suite(t, ctx, "ops", " odd", PLX_BENCH_DEFAULT);
    CHECK(t, odd.rows == small.rows, "%d rows of odd sizes, %d of small ones", odd.rows,
          small.rows);
}

/* ---- A wrong kernel is detected -------------------------------------------------------------- */

static const plx_kernels *right;

/* Off by one unit in the last place, for a single input of the whole range. */
static void wrong_relu(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    right->relu(n, x, y, p);
    for (int64_t i = 0; i < n; ++i)
        if (x[i] == 1) y[i] += (plx_real)0x1p-23;
}

/* Off by three units in the last place. */
static void wrong_tanh(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (right->tanh)(n, x, y, p);
    for (int64_t i = 0; i < n; ++i)
        if (y[i] > (plx_real)0.5 && y[i] < (plx_real)0.75) y[i] += 3 * (plx_real)0x1p-24;
}

/* Turns a NaN into a number. */
static void wrong_exp(int64_t n, const plx_real *x, plx_real *y, plx_real p) {
    (right->exp)(n, x, y, p);
    for (int64_t i = 0; i < n; ++i)
        if (isnan(y[i])) y[i] = 0;
}

/* Off by one percent. */
static void wrong_tanh_grad(int64_t n, const plx_real *y, const plx_real *gy, plx_real *gx,
                            plx_real p) {
    right->tanh_grad(n, y, gy, gx, p);
    for (int64_t i = 0; i < n; ++i) gx[i] *= (plx_real)1.01;
}

/* Sums from left to right. */
static void wrong_softmax(int64_t n, const plx_real *x, plx_real *y) {
    plx_real sum = 0;
    (right->exp)(n, x, y, 0);
    for (int64_t i = 0; i < n; ++i) sum += y[i];
    right->scale(n, 1 / sum, y, y);
}

/* The accuracy check of one case: 1 passed, 0 void, -1 without rows. */
static int verdict(plx_check *t, plx_ctx *ctx, const char *name) {
    plx_bench_options options = plx_bench_default();
    options.suites = "accuracy";
    options.cases = name;
    options.size = PLX_BENCH_QUICK;
    plx_bench *bench = open_bench(t, ctx, &options);
    plx_bench_progress progress = {.done = !bench};
    int result = -1;
    while (!progress.done) {
        CHECK(t, plx_bench_advance(bench, 20000000, &progress) == PLX_OK, "%s", plx_message(ctx));
        for (int count; (count = plx_bench_take_row(bench)) > 0;)
            if (!strcmp(find(bench, count, "case")->text, name))
                result = find(bench, count, "checks.passed")->number == 1;
    }
    plx_bench_free(bench);
    return result;
}

#define WRONG(member, name)                                                                        \
    do {                                                                                           \
        plx_kernels table = *right;                                                                \
        CHECK(t, verdict(t, ctx, name) == 1, "%s is void with the right kernel", name);            \
        table.member = wrong_##member;                                                             \
        ctx->kernels = &table;                                                                     \
        CHECK(t, verdict(t, ctx, name) == 0, "%s passes with a wrong kernel", name);               \
        ctx->kernels = right;                                                                      \
    } while (0)

static void wrong_kernels(plx_check *t, plx_ctx *ctx) {
    right = ctx->kernels;
    WRONG(relu, "relu");
    WRONG(tanh, "tanh");
    WRONG(exp, "exp");
    WRONG(tanh_grad, "gradient of tanh");
    WRONG(softmax, "softmax of 1000");
}

static const plx_case *find_case(const plx_bench *bench, const plx_case *c) {
    for (int i = 0; i < bench->case_count; ++i)
        if (bench->cases[i]->suite == c->suite && !strcmp(bench->cases[i]->name, c->name))
            return bench->cases[i];
    return NULL;
}

static bool same_parameters(const plx_case *c, const plx_case *other) {
    bool same = c->parameter_count == other->parameter_count;
    for (int i = 0; i < c->parameter_count && same; ++i) {
        const plx_case_parameter *a = &c->parameters[i], *b = &other->parameters[i];
        same = !strcmp(a->name, b->name) && a->number == b->number &&
               (a->text ? b->text && !strcmp(a->text, b->text) : !b->text);
    }
    return same;
}

/* The data of the full size take more memory than the tests have in WebAssembly. */
#ifdef __EMSCRIPTEN__
enum { LARGEST = PLX_BENCH_DEFAULT };
#else
enum { LARGEST = PLX_BENCH_FULL };
#endif

/* A larger size has the cases of a smaller one under the same names and with the same
 * parameters, so that rows pair, and --list shows one list. */
static void sizes(plx_check *t, plx_ctx *ctx) {
    plx_bench_options options = plx_bench_default();
    options.size = PLX_BENCH_QUICK;
    plx_bench *smaller = open_bench(t, ctx, &options);
    for (int size = PLX_BENCH_QUICK + 1; size <= LARGEST; ++size) {
        options.size = (plx_bench_size)size;
        plx_bench *larger = open_bench(t, ctx, &options);
        for (int i = 0; smaller && larger && i < smaller->case_count; ++i) {
            const plx_case *c = smaller->cases[i];
            const plx_case *other = find_case(larger, c);
            CHECK(t, other && same_parameters(c, other),
                  "\"%s\" of size %d is not at size %d, or has other parameters", c->name, size - 1,
                  size);
        }
        plx_bench_free(smaller);
        smaller = larger;
    }
    plx_bench_free(smaller);
}

/* Only the named cases, even if other names contain the same text. */
static void only(plx_check *t, plx_ctx *ctx) {
    const char *const names[] = {"gemm: 128 x 128 x 128", "accuracy: exp", "gemm: exp", NULL};
    plx_bench_options options = plx_bench_default();
    options.only = names;
    options.size = PLX_BENCH_QUICK;
    plx_bench *bench = open_bench(t, ctx, &options);
    if (!bench) return;
    for (int i = 0; i < 2; ++i) {
        const plx_bench_case c = plx_bench_case_at(bench, i);
        char name[96] = "none";
        if (c.name) snprintf(name, sizeof name, "%s: %s", c.suite, c.name);
        CHECK(t, !strcmp(name, names[i]) && c.expected_ns > 0, "case %d is %s", i, name);
    }
    CHECK(t, !plx_bench_case_at(bench, 2).name, "there is a third case, though two were named");
    plx_bench_free(bench);
}

/* Texts that commas separate are parts of names. Where newlines end them, one with a comma is a
 * whole name, and selects no case whose name only contains it. */
static void lists_of_cases(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *cases, *names; /* each after a newline */
    } rows[] = {
        {"784-200-10, batch 1\n", "\n784-200-10, batch 1"},
        {"784-200-10, batch 1\n784-200-10, batch 128\n",
         "\n784-200-10, batch 1\n784-200-10, batch 128"},
        {"784-200-10, batch 1\n1024-512-10, batch 32\n", "\n784-200-10, batch 1"},
        {"784-200-10, batch\n", ""},
        {"512-10, batch 8\n", ""},
        {"512-10\n", "\n512-1024-1024-512-10, batch 1\n512-1024-1024-512-10, batch 8"
                     "\n512-1024-1024-512-10, batch 32\n512-1024-1024-512-10, batch 128"},
        {"784-200-10,resnet-nano",
         "\n784-200-10, batch 1\n784-200-10, batch 8\n784-200-10, batch 32\n784-200-10, batch 128"
         "\nresnet-nano, batch 1\nresnet-nano, batch 8\nresnet-nano, batch 32"
         "\nresnet-nano, batch 128"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; ++row) {
        plx_bench_options options = plx_bench_default();
        options.suites = "inference";
        options.cases = rows[row].cases;
        plx_bench *bench = open_bench(t, ctx, &options);
        if (!bench) return;
        char names[512] = "";
        const char *name;
        for (int i = 0; (name = plx_bench_case_at(bench, i).name); ++i) {
            const size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, "\n%s", name);
        }
        CHECK(t, !strcmp(names, rows[row].names), "\"%s\" selects:%s", rows[row].cases, names);
        plx_bench_free(bench);
    }
}

/* Stopping keeps the cases with enough samples, and ends the run. */
static void stop(plx_check *t, plx_ctx *ctx) {
    plx_bench_options options = plx_bench_default();
    options.suites = "gemm, interp5d";
    options.cases = "128 x 128";
    options.seconds = 2;
    plx_bench *bench = open_bench(t, ctx, &options);
    if (!bench) return;
    plx_bench_progress progress;
    for (int i = 0; i < 12; ++i) plx_bench_advance(bench, 1000000, &progress);
    CHECK(t, !progress.done && plx_bench_take_row(bench) == 0, "the run is not done yet");
    plx_bench_stop(bench);
    tally all = {0};
    for (int i = 0; i < 10 && !progress.done; ++i) {
        plx_bench_advance(bench, 1000000, &progress);
        for (int count; (count = plx_bench_take_row(bench)) > 0;) check_row(t, bench, count, &all);
    }
    CHECK(t, progress.done, "a stopped bench ends");
    plx_bench_free(bench);
}

static void bad_input(plx_check *t, plx_ctx *ctx) {
    plx_bench_options options = plx_bench_default();
    plx_bench *bench = (plx_bench *)t;
    options.suites = "gemm,nonesuch";
    CHECK(t, plx_bench_new(ctx, &options, &bench) == PLX_ERR_ARGUMENT && !bench,
          "an unknown suite is refused");
    CHECK(t, strstr(plx_message(ctx), "nonesuch") && strstr(plx_message(ctx), "interp5d"),
          "the sentence names it and those there are: %s", plx_message(ctx));
    static const uint8_t pixels[5 * 4] = {0}, labels[5] = {0};
    plx_learning_digits small = {
        .images = {.rank = 3, .dims = {5, 2, 2}, .data = pixels, .size = 20},
        .labels = {.rank = 1, .dims = {5}, .data = labels, .size = 5},
        .source = "small",
    };
    plx_digits digits;
    CHECK(t, plx_digits_new(ctx, &small, 0, &digits) == PLX_ERR_SHAPE,
          "images of 2 x 2 are refused");
    options.suites = "adaptive";
    options.digits = &small;
    CHECK(t, plx_bench_new(ctx, &options, &bench) == PLX_ERR_SHAPE && !bench,
          "a bench of images of 2 x 2 is refused");
    small.labels.dims[0] = 4;
    CHECK(t, plx_digits_new(ctx, &small, 0, &digits) == PLX_ERR_SHAPE,
          "images without labels are refused");
    plx_regression data;
    const double table[6] = {0};
    CHECK(t, plx_regression_new(ctx, table, 3, 1, 0, &data) == PLX_ERR_SHAPE,
          "three rows are too few");
}

/* The training part is standardised; every row of the table is in exactly one part. */
static void regression(plx_check *t, plx_ctx *ctx) {
    enum { ROWS = 500 };
    static double table[ROWS * 6];
    plx_regression data;
    plx_interp5d_table(ROWS, 4, table);
    if (!CHECK(t, plx_regression_new(ctx, table, ROWS, 5, 4, &data) == PLX_OK, "%s",
               plx_message(ctx)))
        return;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < data.train; ++i) {
        sum += (double)data.y_train[i];
        squares += (double)data.y_train[i] * (double)data.y_train[i];
    }
    const double n = (double)data.train;
    CHECK(t, data.train == 400 && data.test == 100, "%g rows to train on", n);
    CHECK(t, fabs(sum / n) < 1e-5 && fabs(squares / n - 1) < 1e-4, "mean %g, variance %g", sum / n,
          squares / n);
    plx_regression_free(&data);
}

/* Time stamps one second apart are equal in float, so they are centred first. */
static void time_stamps(plx_check *t, plx_ctx *ctx) {
    enum { ROWS = 50 };
    double table[ROWS * 3];
    for (int i = 0; i < ROWS; ++i) {
        table[3 * i] = 1700000000 + i;
        table[3 * i + 1] = 0.1;
        table[3 * i + 2] = 1700000000 + 2 * i;
    }
    plx_regression data;
    if (!CHECK(t, plx_regression_new(ctx, table, ROWS, 2, 0, &data) == PLX_OK, "%s",
               plx_message(ctx)))
        return;
    for (int64_t i = 0; i < data.train; ++i) {
        const double x = (double)data.x_train[2 * i] * data.scales[1] + data.scales[0];
        const double y = (double)data.y_train[i] * data.scales[5] + data.scales[4];
        /* Scaled values below 2 are accurate to 2^-24 in float; deviations are below 30. */
        const double row = x - 1700000000;
        CHECK(t, fabs(row - round(row)) < 1e-5, "row %.9g", row);
        CHECK(t, fabs(y - 1700000000 - 2 * round(row)) < 1e-5, "target %.9g of row %g",
              y - 1700000000, row);
        CHECK(t, data.x_train[2 * i + 1] == 0, "a constant column is 0, not %g",
              (double)data.x_train[2 * i + 1]);
    }
    plx_regression_free(&data);
    for (int i = 0; i < ROWS; ++i) table[3 * i + 1] = i % 2 ? 1e300 : -1e300;
    CHECK(t,
          plx_regression_new(ctx, table, ROWS, 2, 0, &data) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "column 2 cannot be scaled"),
          "a deviation out of range: %s", plx_message(ctx));
}

static void measured(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    for (int i = 0; plx_bench_suite_name(i); ++i)
        if (strcmp(plx_bench_suite_name(i), "ops") != 0)
            walk_suite(t, ctx, plx_bench_suite_name(i), NULL, PLX_BENCH_QUICK);
    check_operations(t, ctx);
    stop(t, ctx);
    plx_ctx_free(ctx);
}

void plx_test_bench_suites(plx_check *t) {
    /* Suites measure floats; the double build would only take longer for the same code. */
    const bool measures = sizeof(plx_real) == sizeof(float);
    if (measures) measured(t);
    /* What is not about time needs no second thread, whose costs every run would measure first. */
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    if (measures) wrong_kernels(t, ctx);
    sizes(t, ctx);
    only(t, ctx);
    lists_of_cases(t, ctx);
    bad_input(t, ctx);
    regression(t, ctx);
    time_stamps(t, ctx);
    plx_ctx_free(ctx);
}
