/* The measuring loop: calibrate, warm up, sample the cases of a group in interleaved order. */
#include "bench/row.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/datasets.h"
#include "bench/statistics.h"

#include <stdarg.h>
#include <string.h>

#define SUITE(name) extern const plx_suite plx__suite_##name;
#include "bench/suites.def"
#undef SUITE

static const plx_suite *const suites[] = {
#define SUITE(name) &plx__suite_##name,
#include "bench/suites.def"
#undef SUITE
};
enum { SUITES = sizeof suites / sizeof *suites };

plx_bench_options plx_bench_default(void) {
    return (plx_bench_options){.size = PLX_BENCH_DEFAULT};
}

const char *plx_bench_suite_name(int i) {
    return i >= 0 && i < SUITES ? suites[i]->name : NULL;
}

const char *plx_bench_suite_description(int i) {
    return i >= 0 && i < SUITES ? suites[i]->description : NULL;
}

/* ---- Names between commas -------------------------------------------------------------------- */

/* The next text of a list, trimmed; advances *list past it. Length 0 ends the list. */
static size_t next_text(const char **list, const char **text) {
    const char *at = *list;
    while (*at == ',' || *at == ' ') at += 1;
    *text = at;
    while (*at && *at != ',') at += 1;
    *list = at;
    while (at > *text && at[-1] == ' ') at -= 1;
    return (size_t)(at - *text);
}

static bool has_text(const char *name, const char *text, size_t length) {
    for (; *name; ++name)
        if (strncmp(name, text, length) == 0) return true;
    return false;
}

static bool wanted_case(const plx_bench *bench, const char *name) {
    const char *list = bench->options.cases, *text;
    if (!list || !*list) return true;
    for (size_t n; (n = next_text(&list, &text)) > 0;)
        if (has_text(name, text, n)) return true;
    return false;
}

static void list_suites(char *text, size_t bytes) {
    size_t at = 0;
    for (int i = 0; i < SUITES && at < bytes; ++i) {
        plx__format(text + at, bytes - at, "%s%s", i ? ", " : "", suites[i]->name);
        at += strlen(text + at);
    }
}

static plx_status choose_suites(plx_bench *bench, plx_ctx *ctx) {
    const char *list = bench->options.suites, *text;
    if (!list || !*list) list = "all";
    for (size_t n; (n = next_text(&list, &text)) > 0;) {
        bool found = false;
        for (int i = 0; i < SUITES; ++i) {
            const bool named = strlen(suites[i]->name) == n && !memcmp(suites[i]->name, text, n);
            if (named || (n == 3 && !memcmp(text, "all", 3))) bench->chosen[i] = found = true;
        }
        if (found) continue;
        char known[160];
        list_suites(known, sizeof known);
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "suite \"%.*s\": there is none of that name; there are %s, and all",
                         (int)(n < 60 ? n : 60), text, known);
    }
    return PLX_OK;
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* The step of the clock: the smallest difference that it shows. Browsers' clocks tick in 5 to 100
 * microseconds. */
static int64_t clock_step_ns(void) {
    int64_t step = INT64_MAX;
    for (int i = 0; i < 20; ++i) {
        const int64_t start = plx_platform_now_ns();
        int64_t now = start;
        for (int spin = 0; now == start && spin < 1000000; ++spin) now = plx_platform_now_ns();
        if (now > start && now - start < step) step = now - start;
    }
    return step;
}

/* A sample lasts a hundred steps of the clock or more, so that it errs by less than 1%. */
static int64_t sample_ns(const plx_bench *bench) {
    const int64_t least = 100 * bench->clock_ns, usual = bench->budget_ns / 40;
    return usual > least ? usual : least;
}

plx_status plx_bench_new(plx_ctx *ctx, const plx_bench_options *options, plx_bench **out) {
    static const double seconds[] = {0.1, 0.5, 2};
    plx_bench *bench = plx_platform_alloc(sizeof *bench);
    *out = NULL;
    if (!bench) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "bench: no memory");
    memset(bench, 0, sizeof *bench);
    bench->ctx = ctx;
    bench->options = options ? *options : plx_bench_default();
    bench->suite = -1;
    bench->rng = plx_rng_new(bench->options.seed, 900);
    const double budget =
        bench->options.seconds > 0 ? bench->options.seconds : seconds[bench->options.size];
    bench->budget_ns = (int64_t)(1e9 * budget);
    plx_status status = choose_suites(bench, ctx);
    if (status == PLX_OK && bench->options.digits)
        status = plx_digits_check(ctx, bench->options.digits);
    if (status != PLX_OK) {
        plx_platform_free(bench);
        return status;
    }
    bench->clock_ns = clock_step_ns();
    *out = bench;
    return PLX_OK;
}

static void close_case(plx_case *c) {
    if (c->opened && c->close) c->close(c);
    c->opened = false;
}

static void close_suite(plx_bench *bench) {
    for (int i = 0; i < bench->case_count; ++i) {
        close_case(bench->cases[i]);
        plx_platform_free(bench->cases[i]);
    }
    bench->case_count = 0;
}

void plx_bench_free(plx_bench *bench) {
    if (!bench) return;
    close_suite(bench);
    plx_platform_free(bench);
}

plx_ctx *plx__bench_ctx(plx_bench *bench) {
    return bench->ctx;
}

const plx_bench_options *plx__bench_options(const plx_bench *bench) {
    return &bench->options;
}

plx_status plx__bench_fail(plx_bench *bench, plx_status status, const char *format, ...) {
    char text[PLX__MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    plx__format_list(text, sizeof text, format, args);
    va_end(args);
    return plx__fail(&bench->ctx->message, status, "%s", text);
}

/* ---- Cases ----------------------------------------------------------------------------------- */

static plx_case *add_case(plx_bench *bench, int group, bool needed, const char *format,
                          va_list args) {
    char name[sizeof((plx_case *)0)->name];
    plx__format_list(name, sizeof name, format, args);
    const bool wanted = wanted_case(bench, name);
    if ((!wanted && !needed) || bench->case_count == PLX_BENCH_CASES) return NULL;
    plx_case *c = plx_platform_alloc(sizeof *c);
    if (!c) return NULL;
    memset(c, 0, sizeof *c);
    memcpy(c->name, name, sizeof name);
    c->group = group;
    c->silent = c->emitted = !wanted;
    bench->cases[bench->case_count++] = c;
    return c;
}

plx_case *plx__bench_add(plx_bench *bench, int group, const char *format, ...) {
    va_list args;
    va_start(args, format);
    plx_case *c = add_case(bench, group, false, format, args);
    va_end(args);
    return c;
}

plx_case *plx__bench_need(plx_bench *bench, int group, const char *format, ...) {
    va_list args;
    va_start(args, format);
    plx_case *c = add_case(bench, group, true, format, args);
    va_end(args);
    return c;
}

int64_t plx__bench_sample_ns(const plx_bench *bench) {
    return sample_ns(bench);
}

plx_case *plx__bench_planned(plx_bench *bench, const char *name) {
    for (int i = 0; i < bench->case_count; ++i)
        if (!strcmp(bench->cases[i]->name, name)) return bench->cases[i];
    return NULL;
}

plx_case *plx__bench_find(plx_bench *bench, const char *name) {
    plx_case *c = plx__bench_planned(bench, name);
    return c && c->count > 0 ? c : NULL;
}

double plx__case_median_ns(const plx_case *c) {
    double sorted[PLX_BENCH_SAMPLES];
    memcpy(sorted, c->ns, (size_t)c->count * sizeof *sorted);
    return plx__summarise(c->count, sorted).median;
}

static int64_t budget_of(const plx_bench *bench, const plx_case *c) {
    return c->share > 0 ? (int64_t)(c->share * (double)bench->budget_ns) : bench->budget_ns;
}

static bool satisfied(const plx_bench *bench, const plx_case *c) {
    if (c->dropped || c->finished) return true;
    if (c->slice) return c->count >= c->repeats;
    if (c->count >= PLX_BENCH_SAMPLES) return true;
    return c->spent_ns >= budget_of(bench, c) && c->count >= 5;
}

static double share_done(const plx_bench *bench, const plx_case *c) {
    if (satisfied(bench, c)) return 1;
    if (c->slice) return (double)c->count / (c->repeats > 0 ? c->repeats : 1);
    const double share = (double)c->spent_ns / (double)budget_of(bench, c);
    return share < 0.99 ? share : 0.99;
}

/* Finds how many iterations a sample takes; doubles as the warm-up. */
static plx_status calibrate(plx_bench *bench, plx_case *c) {
    const int64_t least = sample_ns(bench);
    int64_t iterations = 1;
    for (int round = 0; round < 40; ++round) {
        const int64_t start = plx_platform_now_ns();
        PLX_TRY(c->run(bench, c, iterations));
        const int64_t ns = plx_platform_now_ns() - start;
        if (round > 0 && ns * 10 >= least * 8) break;
        const double grow = ns > bench->clock_ns ? 1.05 * (double)least / (double)ns : 16;
        const double next = (double)iterations * (grow > 16 ? 16 : grow);
        iterations = next > (double)iterations ? (int64_t)next + 1 : iterations;
    }
    c->iterations = iterations;
    return PLX_OK;
}

static plx_status sample_timed(plx_bench *bench, plx_case *c) {
    if (!c->iterations) return calibrate(bench, c);
    const int64_t start = plx_platform_now_ns();
    PLX_TRY(c->run(bench, c, c->iterations));
    const int64_t ns = plx_platform_now_ns() - start;
    c->ns[c->count++] = (double)ns / (double)c->iterations;
    c->spent_ns += ns;
    return c->beside ? c->beside(bench, c) : PLX_OK;
}

/* What a thousandth of a second of pure arithmetic gives, beside the cases that it bounds. */
static void sample_ceiling(plx_bench *bench) {
    int64_t *rounds = &bench->peak_rounds;
    if (bench->peak_count == PLX_BENCH_SAMPLES) return;
    if (!*rounds) {
        const int64_t least = 100 * bench->clock_ns > 1000000 ? 100 * bench->clock_ns : 1000000;
        *rounds = 1000;
        for (;;) {
            const int64_t start = plx_platform_now_ns();
            plx_peak(bench->ctx, *rounds);
            if (plx_platform_now_ns() - start >= least) break;
            *rounds *= 2;
        }
    }
    const int64_t start = plx_platform_now_ns();
    const double operations = plx_peak(bench->ctx, *rounds);
    const int64_t ns = plx_platform_now_ns() - start;
    if (ns > 0) bench->peaks[bench->peak_count++] = operations / (double)ns;
}

/* Interference only slows arithmetic down, so the ceiling is near the top of what was seen. */
static double ceiling(const plx_bench *bench) {
    double sorted[PLX_BENCH_SAMPLES];
    if (!bench->peak_count) return 0;
    memcpy(sorted, bench->peaks, (size_t)bench->peak_count * sizeof *sorted);
    return plx__summarise(bench->peak_count, sorted).p90;
}

static plx_status open_case(plx_bench *bench, plx_case *c) {
    if (c->opened) return PLX_OK;
    c->opened = true;
    return c->open ? c->open(bench, c) : PLX_OK;
}

static plx_status finish_case(plx_bench *bench, plx_case *c) {
    if (c->finished || c->dropped) return PLX_OK;
    c->finished = true;
    c->ceiling = c->flops > 0 ? ceiling(bench) : 0;
    const plx_status status = c->check && c->count > 0 ? c->check(bench, c) : PLX_OK;
    close_case(c);
    return status;
}

static plx_status run_case(plx_bench *bench, plx_case *c, int64_t slice_ns) {
    PLX_TRY(open_case(bench, c));
    if (c->slice) {
        bool done = false;
        PLX_TRY(c->slice(bench, c, slice_ns, &done));
        if (!done) return PLX_OK;
        c->count += 1;
    } else {
        PLX_TRY(sample_timed(bench, c));
    }
    if (c->flops > 0) sample_ceiling(bench);
    bench->turn += 1;
    return satisfied(bench, c) ? finish_case(bench, c) : PLX_OK;
}

/* ---- Groups and suites ----------------------------------------------------------------------- */

/* A new round: the cases of the first group that is not satisfied, in a new order. */
static void deal(plx_bench *bench) {
    int group = 0, count = 0;
    for (int i = 0; i < bench->case_count; ++i) {
        const plx_case *c = bench->cases[i];
        if (satisfied(bench, c) || (count && c->group > group)) continue;
        if (!count || c->group < group) {
            count = 0;
            group = c->group;
        }
        bench->round[count++] = i;
    }
    bench->round_count = count;
    bench->turn = 0;
    for (int i = count - 1; i > 0; --i) {
        const int j = (int)plx_rng_below(&bench->rng, i + 1), swapped = bench->round[i];
        bench->round[i] = bench->round[j];
        bench->round[j] = swapped;
    }
}

static plx_case *next_case(plx_bench *bench) {
    for (int attempt = 0; attempt < 2; ++attempt) {
        for (; bench->turn < bench->round_count; ++bench->turn) {
            plx_case *c = bench->cases[bench->round[bench->turn]];
            if (!satisfied(bench, c)) return c;
        }
        deal(bench);
    }
    return NULL;
}

/* A suite is left when its rows have been taken; then the next chosen one is planned. */
static plx_status next_suite(plx_bench *bench) {
    close_suite(bench);
    bench->round_count = bench->turn = bench->peak_count = 0;
    bench->at = 0;
    bench->suite_finished = false;
    do bench->suite += 1;
    while (bench->suite < SUITES && !bench->chosen[bench->suite]);
    if (bench->suite >= SUITES) return PLX_OK;
    const plx_status status = suites[bench->suite]->plan(bench);
    bool any = false;
    for (int i = 0; i < bench->case_count; ++i) any |= !bench->cases[i]->silent;
    if (!any) close_suite(bench);
    return status;
}

static bool all_taken(const plx_bench *bench) {
    for (int i = 0; i < bench->case_count; ++i) {
        const plx_case *c = bench->cases[i];
        if (c->finished && !c->dropped && !c->emitted) return false;
    }
    return true;
}

static void report(const plx_bench *bench, const plx_case *c, plx_bench_progress *progress) {
    double done = 0, all = 0, here = 0;
    for (int i = 0; i < SUITES; ++i) {
        all += bench->chosen[i];
        done += bench->chosen[i] && i < bench->suite;
    }
    for (int i = 0; i < bench->case_count; ++i) here += share_done(bench, bench->cases[i]);
    if (bench->suite < SUITES && bench->case_count) done += here / bench->case_count;
    *progress = (plx_bench_progress){
        .suite = bench->suite >= 0 && bench->suite < SUITES ? suites[bench->suite]->name : "",
        .name = c ? c->name : "",
        .fraction = all > 0 ? done / all : 1,
        .done = bench->suite >= SUITES,
    };
}

static plx_status finish_suite(plx_bench *bench) {
    bench->suite_finished = true;
    const plx_suite *suite = suites[bench->suite];
    return suite->finish ? suite->finish(bench) : PLX_OK;
}

plx_status plx_bench_advance(plx_bench *bench, int64_t slice_ns, plx_bench_progress *progress) {
    const int64_t start = plx_platform_now_ns();
    plx_status status = PLX_OK;
    plx_case *c = NULL;
    do {
        if (bench->suite >= SUITES) break;
        c = bench->suite >= 0 ? next_case(bench) : NULL;
        if (c) {
            status = run_case(bench, c, slice_ns);
            if (status != PLX_OK) {
                c->dropped = true;
                close_case(c);
            }
        } else if (bench->suite >= 0 && !bench->suite_finished) {
            status = finish_suite(bench);
        } else if (all_taken(bench)) {
            status = next_suite(bench);
        } else {
            break;
        }
    } while (status == PLX_OK && plx_platform_now_ns() - start < slice_ns);
    report(bench, c, progress);
    return status;
}

void plx_bench_stop(plx_bench *bench) {
    for (int i = 0; i < bench->case_count; ++i) {
        plx_case *c = bench->cases[i];
        if (c->finished || c->dropped) continue;
        const bool enough = c->count >= (c->slice ? 1 : 5);
        c->dropped = !enough || finish_case(bench, c) != PLX_OK;
        close_case(c);
    }
    bench->suite_finished = true;
    for (int i = 0; i < SUITES; ++i) bench->chosen[i] = bench->chosen[i] && i <= bench->suite;
}
