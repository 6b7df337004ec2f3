/* parallax verify */
#include "command.h"
#include "output.h"

#include "bench/bench.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Checks products of every transposition against sums in double precision. */
static const int64_t quick_shapes[][3] = {{1, 1, 1},     {3, 5, 7},    {1, 200, 784},
                                          {64, 10, 200}, {17, 33, 65}, {128, 96, 257}};
static const int64_t more_shapes[][3] = {
    {255, 255, 255}, {1, 1000, 1000}, {1000, 1, 300}, {64, 1024, 512}, {384, 384, 384}};

enum { MOST_RUNS = 32 };

/* The bits of each training run's losses. */
typedef struct run_bits {
    int count;
    char names[MOST_RUNS][64], bits[MOST_RUNS][17];
} run_bits;

typedef struct verification {
    output out;
    progress progress;
    int checks, failures;
    run_bits exact;        /* on the first exact target, to compare all others with */
    const char *exact_isa; /* the target's name */
} verification;

typedef struct verdict {
    const char *isa, *what;
    int threads;
    bool passed;
    char detail[160];
} verdict;

static bool record(verification *v, const verdict *found) {
    v->checks += 1;
    v->failures += !found->passed;
    progress_clear(&v->progress);
    fprintf(output_tables(&v->out), "%-9s %2d thread%s  %-22s %-6s %s\n", found->isa,
            found->threads, found->threads == 1 ? " " : "s", found->what,
            found->passed ? "passed" : "FAILED", found->detail);
    cJSON *row = cJSON_CreateObject();
    if (!row) return false;
    cJSON_AddStringToObject(row, "isa", found->isa);
    cJSON_AddNumberToObject(row, "threads", found->threads);
    cJSON_AddStringToObject(row, "check", found->what);
    cJSON_AddBoolToObject(row, "passed", found->passed);
    cJSON_AddStringToObject(row, "detail", found->detail);
    return output_row(&v->out, row);
}

/* ---- Products -------------------------------------------------------------------------------- */

/* The largest error of c as a share of k eps sum |a b|, the bound that plx_gemm promises. */
static double product_error(bool ta, bool tb, const int64_t mnk[3], const float *a, const float *b,
                            const float *c) {
    const int64_t m = mnk[0], n = mnk[1], k = mnk[2];
    double worst = 0;
    for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            double sum = 0, size = 0;
            for (int64_t p = 0; p < k; ++p) {
                const double term =
                    (double)a[ta ? p * m + i : i * k + p] * (double)b[tb ? j * k + p : p * n + j];
                sum += term;
                size += fabs(term);
            }
            const double share =
                fabs((double)c[i * n + j] - sum) / ((double)k * FLT_EPSILON * size + DBL_MIN);
            /* Not "greater", so that NaN is the worst. */
            if (!(share <= worst)) worst = share;
        }
    }
    return worst;
}

static plx_status check_shape(plx_ctx *ctx, const int64_t mnk[3], double *worst) {
    const int64_t m = mnk[0], n = mnk[1], k = mnk[2];
    float *a = calloc((size_t)(m * k), sizeof *a), *b = calloc((size_t)(k * n), sizeof *b);
    float *c = calloc((size_t)(m * n), sizeof *c);
    plx_status status = a && b && c ? PLX_OK : PLX_ERR_MEMORY;
    plx_rng rng = plx_rng_new((uint64_t)arguments.seed, 77);
    for (int64_t i = 0; status == PLX_OK && i < m * k; ++i) a[i] = (float)plx_rng_normal(&rng);
    for (int64_t i = 0; status == PLX_OK && i < k * n; ++i) b[i] = (float)plx_rng_normal(&rng);
    for (int t = 0; status == PLX_OK && t < 4; ++t) {
        const bool ta = t & 1, tb = t & 2;
        status = plx_gemm(ctx, ta, tb, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
        const double error = status == PLX_OK ? product_error(ta, tb, mnk, a, b, c) : 0;
        if (!(error <= *worst)) *worst = error;
    }
    free(a);
    free(b);
    free(c);
    return status;
}

static plx_status check_products(plx_ctx *ctx, verdict *found) {
    double worst = 0;
    plx_status status = PLX_OK;
    int shapes = 0;
    for (size_t i = 0; status == PLX_OK && i < sizeof quick_shapes / sizeof *quick_shapes; ++i) {
        status = check_shape(ctx, quick_shapes[i], &worst);
        shapes += 1;
    }
    const size_t more = arguments.quick ? 0 : sizeof more_shapes / sizeof *more_shapes;
    for (size_t i = 0; status == PLX_OK && i < more; ++i) {
        status = check_shape(ctx, more_shapes[i], &worst);
        shapes += 1;
    }
    found->what = "products";
    found->passed = status == PLX_OK && worst <= 1;
    snprintf(found->detail, sizeof found->detail,
             "%d shapes, 4 transpositions, largest error %.3f of its bound", shapes, worst);
    return status;
}

/* ---- Training -------------------------------------------------------------------------------- */

static void take_bits(const plx_bench *bench, int fields, run_bits *all, char *failure,
                      size_t failure_bytes) {
    const char *name = "", *hash = "", *why = "";
    for (int i = 0; i < fields; ++i) {
        const plx_field *field = plx_bench_field(bench, i);
        if (!strcmp(field->path, "case")) name = field->text;
        if (!strcmp(field->path, "checks.lossBits")) hash = field->text;
        if (!strcmp(field->path, "checks.failure")) why = field->text;
    }
    if (*why) snprintf(failure, failure_bytes, "%s", why);
    if (!*hash) return;
    if (all->count == MOST_RUNS || strlen(name) >= sizeof all->names[0] ||
        strlen(hash) >= sizeof all->bits[0]) {
        snprintf(failure, failure_bytes,
                 "run %d, \"%.40s\", does not fit: at most %d runs with names below %zu bytes do",
                 all->count + 1, name, MOST_RUNS, sizeof all->names[0]);
        return;
    }
    snprintf(all->names[all->count], sizeof all->names[0], "%s", name);
    snprintf(all->bits[all->count++], sizeof all->bits[0], "%s", hash);
}

/* Runs the suite bits; quick: only the two runs that take a second. */
static plx_status training_bits(plx_ctx *ctx, verification *v, run_bits *all, char *failure,
                                size_t failure_bytes) {
    plx_bench_options options = plx_bench_default();
    options.suites = "bits";
    options.cases = arguments.quick ? "interp5d,mnist" : "steps,epochs";
    options.size = PLX_BENCH_QUICK;
    options.seed = (uint64_t)arguments.seed;
    plx_bench *bench = NULL;
    plx_status status = plx_bench_new(ctx, &options, &bench);
    plx_bench_progress at = {0};
    while (status == PLX_OK && !at.done && !interrupted()) {
        status = plx_bench_advance(bench, 50000000, &at);
        progress_show(&v->progress, at.fraction, "%s: training %s", plx_ctx_get_info(ctx).isa,
                      at.name);
        int fields;
        while ((fields = plx_bench_take_row(bench)) > 0)
            take_bits(bench, fields, all, failure, failure_bytes);
    }
    plx_bench_free(bench);
    return status;
}

/* The first run whose bits differ from what they should be; NULL: none. */
static const char *other_bits(const run_bits *a, const run_bits *b) {
    for (int i = 0; i < a->count || i < b->count; ++i)
        if (strcmp(a->names[i], b->names[i]) != 0 || strcmp(a->bits[i], b->bits[i]) != 0)
            return i < a->count ? a->names[i] : b->names[i];
    return NULL;
}

/* Checks that bits are equal for all thread counts, and on all exact targets. */
static void judge_bits(verification *v, bool exact, const run_bits *bits, run_bits *first,
                       verdict *found) {
    found->what = "training, bit by bit";
    if (!first->count) *first = *bits;
    if (exact && !v->exact_isa) {
        v->exact = *bits;
        v->exact_isa = found->isa;
    }
    const bool compared = exact && strcmp(v->exact_isa, found->isa) != 0;
    const char *other = other_bits(bits, first);
    if (!other && exact) other = other_bits(bits, &v->exact);
    found->passed = bits->count > 1 && !other;
    if (other)
        snprintf(found->detail, sizeof found->detail, "%s has different losses", other);
    else
        snprintf(found->detail, sizeof found->detail, "%d runs, losses %s, %s...%s%s", bits->count,
                 bits->bits[0], bits->bits[1], compared ? " as on " : "",
                 compared ? v->exact_isa : "");
}

/* ---- All targets ----------------------------------------------------------------------------- */

/* Checks one target at one number of threads; first has the bits at one thread. */
static int verify_one(verification *v, const char *isa, int threads, run_bits *first) {
    plx_ctx *ctx;
    plx_ctx_options options = plx_ctx_default();
    char message[512];
    options.isa = isa;
    options.threads = threads;
    if (plx_ctx_new(&options, &ctx, message, sizeof message) != PLX_OK)
        return report(EXIT_FAILED, "%s", message);
    const bool exact = plx_ctx_get_info(ctx).exact;
    static run_bits bits;
    char failure[160] = "";
    bits = (run_bits){0};
    verdict products = {.isa = isa, .threads = threads}, training = products;
    plx_status status = check_products(ctx, &products);
    bool written = status != PLX_OK || record(v, &products);
    if (status == PLX_OK) status = training_bits(ctx, v, &bits, failure, sizeof failure);
    if (status == PLX_OK && !interrupted()) {
        judge_bits(v, exact, &bits, first, &training);
        if (*failure) snprintf(training.detail, sizeof training.detail, "%s", failure);
        if (*failure) training.passed = false;
        written = record(v, &training) && written;
    }
    int code = written ? EXIT_DONE : EXIT_FAILED;
    if (status != PLX_OK) code = report(EXIT_FAILED, "%s: %s", isa, plx_message(ctx));
    plx_ctx_free(ctx);
    return code;
}

static int verify_target(verification *v, const char *isa, int most) {
    run_bits first = {0};
    int code = EXIT_DONE;
    for (int threads = 1; threads <= most && code == EXIT_DONE && !interrupted(); threads *= 2)
        code = verify_one(v, isa, threads, &first);
    return code;
}

static int run(void) {
    verification v = {.progress = progress_start()};
    if (!output_open(&v.out)) return EXIT_FAILED;
    /* Refuses a target that does not exist, and lists those that do. */
    plx_ctx *ctx;
    int code = open_context(&ctx);
    if (code == EXIT_DONE) {
        const plx_ctx_info info = plx_ctx_get_info(ctx);
        const int most = arguments.threads ? arguments.threads : info.cpus > 1 ? info.cpus : 2;
        const bool one = arguments.isa || arguments.reproducible || getenv("PARALLAX_ISA");
        for (int i = 0; plx_isa_name(i) && code == EXIT_DONE && !interrupted(); ++i)
            if (!one || !strcmp(plx_isa_name(i), info.isa))
                code = verify_target(&v, plx_isa_name(i), most);
    }
    plx_ctx_free(ctx);
    progress_clear(&v.progress);
    if (code == EXIT_DONE) {
        fprintf(output_tables(&v.out), "%d checks, %d failed\n", v.checks, v.failures);
        if (v.failures) code = EXIT_FAILED;
    }
    if (!output_close(&v.out, v.checks > 0)) code = EXIT_FAILED;
    if (!interrupted()) return code;
    report(code, "stopped after %d check%s.", v.checks, v.checks == 1 ? "" : "s");
    return EXIT_INTERRUPTED;
}

int cmd_verify(int argc, const char **argv) {
    const struct poptOption options[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, size_options, 0, "Size (--quick: fewer products):", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0,
         "Machine (--threads: the most to try, --isa: only this target):", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS]",
        "Checks every kernel target that this processor runs, at 1, 2, 4... threads: matrix\n"
        "products against double precision, within the error bound; and whole training runs,\n"
        "whose losses must have the same bits at any number of threads, and the same on all\n"
        "exact targets.",
        &code);
    if (!parsed) return code;
    if (poptPeekArg(parsed)) {
        code = wrong_usage("verify", "takes no arguments, but got \"%s\".", poptGetArg(parsed));
    } else if (arguments.gemm && strcmp(arguments.gemm, "builtin") != 0) {
        code = wrong_usage("verify", "checks the built-in kernels only; leave out --gemm %s.",
                           arguments.gemm);
    } else {
        catch_interrupts();
        code = run();
    }
    poptFreeContext(parsed);
    return code;
}
