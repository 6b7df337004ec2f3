/* A bench: its suites and cases, and what they share. rounds.c measures them. */
#include "bench/harness.h"

#include "base/context.h"
#include "base/platform.h"
#include "bench/datasets.h"
#include "bench/row.h"
#include "bench/statistics.h"

#include <math.h>
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

const plx_suite *plx__suite_at(int i) {
    return i >= 0 && i < SUITES ? suites[i] : NULL;
}

const char *plx_bench_suite_name(int i) {
    return i >= 0 && i < SUITES ? suites[i]->name : NULL;
}

const char *plx_bench_suite_description(int i) {
    return i >= 0 && i < SUITES ? suites[i]->description : NULL;
}

/* ---- Lists of names -------------------------------------------------------------------------- */

/* Returns the next text of a list, trimmed, and advances *list past it. Length 0 ends the list. */
static size_t next_text(const char **list, char separator, const char **text) {
    const char *at = *list;
    while (*at == separator || *at == ' ') at += 1;
    *text = at;
    while (*at && *at != separator) at += 1;
    *list = at;
    while (at > *text && at[-1] == ' ') at -= 1;
    return (size_t)(at - *text);
}

/* A text with a comma is a whole name, or "batch 1" would also select "batch 128". */
static bool has_text(const char *name, const char *text, size_t length) {
    if (memchr(text, ',', length)) return strlen(name) == length && !memcmp(name, text, length);
    for (; *name; ++name)
        if (strncmp(name, text, length) == 0) return true;
    return false;
}

/* "gemm: 256 x 256 x 256", for a case of the current suite. */
static bool named_case(const plx_bench *bench, const char *name) {
    const char *const *only = bench->options.only;
    const char *suite = plx_bench_suite_name(bench->suite);
    if (!only || !suite) return true;
    const size_t length = strlen(suite);
    for (; *only; ++only)
        if (!strncmp(*only, suite, length) && !strncmp(*only + length, ": ", 2) &&
            !strcmp(*only + length + 2, name))
            return true;
    return false;
}

static bool wanted_case(const plx_bench *bench, const char *name) {
    const char *list = bench->options.cases, *text;
    if (!named_case(bench, name)) return false;
    if (!list || !*list) return true;
    const char separator = strchr(list, '\n') ? '\n' : ',';
    for (size_t n; (n = next_text(&list, separator, &text)) > 0;)
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
    for (size_t n; (n = next_text(&list, ',', &text)) > 0;) {
        bool found = false;
        for (int i = 0; i < SUITES; ++i) {
            const bool named = strlen(suites[i]->name) == n && !memcmp(suites[i]->name, text, n);
            if (named || (n == 3 && !memcmp(text, "all", 3))) bench->chosen[i] = found = true;
        }
        if (found) continue;
        char known[160];
        list_suites(known, sizeof known);
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "there is no suite \"%.*s\"; the suites are %s, and all",
                         (int)(n < 60 ? n : 60), text, known);
    }
    return PLX_OK;
}

/* ---- Lifetime -------------------------------------------------------------------------------- */

int64_t plx__clock_step_ns(void) {
    int64_t step = INT64_MAX;
    for (int i = 0; i < 20; ++i) {
        const int64_t start = plx_platform_now_ns();
        int64_t now = start;
        for (int spin = 0; now == start && spin < 1000000; ++spin) now = plx_platform_now_ns();
        if (now > start && now - start < step) step = now - start;
    }
    return step;
}

/* A sample lasts at least a hundred steps of the clock, so its error is below 1%. */
int64_t plx__bench_sample_ns(const plx_bench *bench) {
    const int64_t least = 100 * bench->clock_ns, usual = bench->budget_ns / 40;
    return usual > least ? usual : least;
}

static plx_status take_options(plx_bench *bench, plx_ctx *ctx) {
    static const double seconds[] = {0.1, 0.5, 2};
    static const int rounds[] = {6, 8, 10};
    const plx_bench_options *o = &bench->options;
    if (o->rounds < 0 || o->rounds > PLX_BENCH_ROUNDS)
        return plx__fail(&ctx->message, PLX_ERR_ARGUMENT,
                         "bench: rounds is %d; it must be from 1 to %d, or 0 to choose by the size",
                         o->rounds, PLX_BENCH_ROUNDS);
    bench->rounds = o->rounds ? o->rounds : rounds[o->size];
    bench->budget_ns = (int64_t)(1e9 * (o->seconds > 0 ? o->seconds : seconds[o->size]));
    PLX_TRY(choose_suites(bench, ctx));
    return o->digits ? plx_digits_check(ctx, o->digits) : PLX_OK;
}

static plx_status plan_suites(plx_bench *bench) {
    plx__yardstick_plan(bench);
    for (bench->suite = 0; bench->suite < SUITES; ++bench->suite) {
        if (!bench->chosen[bench->suite]) continue;
        const int before = bench->case_count;
        PLX_TRY(suites[bench->suite]->plan(bench));
        bool any = false;
        for (int i = before; i < bench->case_count; ++i) any |= !bench->cases[i]->silent;
        /* Drops cases that only other, unchosen cases would need. */
        while (!any && bench->case_count > before)
            plx_platform_free(bench->cases[--bench->case_count]);
    }
    if (bench->case_count == 1 && bench->yardstick.c) {
        plx_platform_free(bench->cases[--bench->case_count]);
        bench->yardstick.c = NULL;
    }
    bench->turns = plx_platform_alloc((size_t)bench->case_count * sizeof *bench->turns);
    if (bench->turns || !bench->case_count) return PLX_OK;
    return plx__fail(&bench->ctx->message, PLX_ERR_MEMORY, "bench: no memory for %d cases",
                     bench->case_count);
}

plx_status plx_bench_new(plx_ctx *ctx, const plx_bench_options *options, plx_bench **out) {
    plx_bench *bench = plx_platform_alloc(sizeof *bench);
    *out = NULL;
    if (!bench) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "bench: no memory");
    memset(bench, 0, sizeof *bench);
    bench->ctx = ctx;
    bench->options = options ? *options : plx_bench_default();
    bench->rng = plx_rng_new(bench->options.seed, 900);
    bench->clock_ns = plx__clock_step_ns();
    /* Since the context was made, a browser may have started to run the same code many times
     * faster. */
    plx__machine_renew(ctx);
    plx_status status = take_options(bench, ctx);
    if (status == PLX_OK) status = plan_suites(bench);
    if (status != PLX_OK) {
        plx_bench_free(bench);
        return status;
    }
    *out = bench;
    return PLX_OK;
}

static void free_case(plx_case *c) {
    if (c->opened && c->close) c->close(c);
    for (int i = 0; i < c->metric_count; ++i) plx_platform_free(c->metrics[i].samples.values);
    plx_platform_free(c->times.values);
    plx_platform_free(c);
}

void plx_bench_free(plx_bench *bench) {
    if (!bench) return;
    for (int i = 0; i < bench->case_count; ++i) free_case(bench->cases[i]);
    plx__yardstick_free(bench);
    plx_platform_free(bench->cases);
    plx_platform_free(bench->turns);
    plx_platform_free(bench->spacer);
    plx_platform_free(bench->peaks.values);
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

static bool has_room(plx_bench *bench) {
    if (bench->case_count < bench->case_room) return true;
    const int room = bench->case_room ? 2 * bench->case_room : 64;
    plx_case **cases = plx_platform_alloc((size_t)room * sizeof(plx_case *));
    if (!cases) return false;
    if (bench->case_count)
        memcpy(cases, bench->cases, (size_t)bench->case_count * sizeof(plx_case *));
    plx_platform_free(bench->cases);
    bench->cases = cases;
    bench->case_room = room;
    return true;
}

static plx_case *add_case(plx_bench *bench, int group, bool needed, const char *format,
                          va_list args) {
    enum { NAME = sizeof((plx_case *)0)->name };
    char name[NAME + 1];
    plx__format_list(name, sizeof name, format, args);
    const bool wanted = wanted_case(bench, name);
    if (!wanted && !needed) return NULL;
    plx_case *c = has_room(bench) ? plx_platform_alloc(sizeof *c) : NULL;
    if (!c) return NULL;
    memset(c, 0, sizeof *c);
    memcpy(c->name, name, sizeof c->name);
    /* A cut name could be that of another case. */
    if (strlen(name) == NAME)
        plx__case_void(c, "the name of the case is longer than %d bytes", NAME - 1);
    c->name[NAME - 1] = 0;
    c->suite = bench->suite;
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

plx_case *plx__bench_planned(plx_bench *bench, const char *name) {
    for (int i = 0; i < bench->case_count; ++i)
        if (bench->cases[i]->suite == bench->suite && !strcmp(bench->cases[i]->name, name))
            return bench->cases[i];
    return NULL;
}

plx_case *plx__bench_find(plx_bench *bench, const char *name) {
    plx_case *c = plx__bench_planned(bench, name);
    return c && c->checked && !c->dropped ? c : NULL;
}

plx_summary plx__case_summary(const plx_case *c) {
    double values[PLX_BENCH_SAMPLES], medians[PLX_BENCH_ROUNDS];
    const int count = c->times.count;
    if (!count) return (plx_summary){.median = NAN, .low = NAN, .high = NAN};
    memcpy(values, c->times.values, (size_t)count * sizeof *values);
    return plx__samples_summary(count, values, plx__samples_rounds(&c->times, medians), medians);
}

double plx__case_median_ns(const plx_case *c) {
    return plx__case_summary(c).median;
}
