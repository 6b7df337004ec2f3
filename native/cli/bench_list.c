#include "bench_list.h"

#include <string.h>

enum { SIZES = PLX_BENCH_FULL + 1, NAME = 50 };

static const char *const size_names[SIZES] = {"quick", "default", "full"};

/* "20 s", "3 min"; "-" for none. */
static const char *time_text(int64_t ns, char *text, size_t size) {
    const double seconds = (double)ns * 1e-9;
    if (ns < 0)
        snprintf(text, size, "-");
    else if (seconds < 1)
        snprintf(text, size, "%.1f s", seconds);
    else if (seconds < 100)
        snprintf(text, size, "%.0f s", seconds);
    else if (seconds < 6000)
        snprintf(text, size, "%.0f min", seconds / 60);
    else
        snprintf(text, size, "%.0f h", seconds / 3600);
    return text;
}

static void print_times(FILE *to, const int64_t *ns) {
    char text[32];
    for (int size = 0; size < SIZES; ++size)
        fprintf(to, " %8s", time_text(ns[size], text, sizeof text));
}

/* How long the case takes, or with name NULL the whole suite; -1 if it is not measured. */
static int64_t time_of(const plx_bench *bench, const char *suite, const char *name) {
    int64_t ns = -1;
    for (int i = 0;; ++i) {
        const plx_bench_case c = plx_bench_case_at(bench, i);
        if (!c.name) return ns;
        if (strcmp(c.suite, suite) != 0 || (name && strcmp(c.name, name) != 0)) continue;
        ns = (ns < 0 ? 0 : ns) + c.expected_ns;
    }
}

static void print_line(FILE *to, plx_bench *const *benches, const char *suite, const char *name) {
    int64_t ns[SIZES];
    for (int size = 0; size < SIZES; ++size) ns[size] = time_of(benches[size], suite, name);
    print_times(to, ns);
}

static void print_suite(FILE *to, plx_bench *const *benches, int suite, bool cases) {
    const char *name = plx_bench_suite_name(suite);
    const plx_bench *whole = benches[PLX_BENCH_FULL];
    if (time_of(whole, name, NULL) < 0) return;
    fprintf(to, "%-*s", cases ? NAME + 2 : 12, name);
    print_line(to, benches, name, NULL);
    fprintf(to, "  %s\n", plx_bench_suite_description(suite));
    for (int i = 0; cases; ++i) {
        const plx_bench_case c = plx_bench_case_at(whole, i);
        if (!c.name) return;
        if (strcmp(c.suite, name) != 0) continue;
        fprintf(to, "  %-*s", NAME, c.name);
        print_line(to, benches, name, c.name);
        fputc('\n', to);
    }
}

plx_status list_bench(FILE *to, plx_ctx *ctx, const plx_bench_options *options, bool cases) {
    plx_bench *benches[SIZES] = {NULL};
    plx_status status = PLX_OK;
    for (int size = 0; size < SIZES && status == PLX_OK; ++size) {
        plx_bench_options sized = *options;
        sized.size = (plx_bench_size)size;
        status = plx_bench_new(ctx, &sized, &benches[size]);
    }
    if (status == PLX_OK) {
        fprintf(to, "%-*s", cases ? NAME + 2 : 12, "suite");
        for (int size = 0; size < SIZES; ++size) fprintf(to, " %8s", size_names[size]);
        fputs("  what it measures\n", to);
        for (int i = 0; plx_bench_suite_name(i); ++i) print_suite(to, benches, i, cases);
    }
    for (int size = 0; size < SIZES; ++size) plx_bench_free(benches[size]);
    return status;
}
