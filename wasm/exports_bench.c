/* Benchmark suites for JavaScript; see exports.c for the conventions. */
#include "exports.h"

#include "bench/bench.h"
#include "build_info.h"

/* One benchmark runs at a time; its options and what they point to must outlive it, so JavaScript
 * keeps the texts and the files until plx_js_bench_free. */
static plx_bench *bench;
static plx_bench_options options;
static plx_learning_digits digits;

EXPORT const char *plx_js_build_commit(void) {
    return PLX_BUILD_COMMIT;
}

EXPORT const char *plx_js_build_compiler(void) {
    return PLX_BUILD_COMPILER;
}

/* Return the name and the description of suite i; 0 past the last. */
EXPORT const char *plx_js_suite_name(int i) {
    return plx_bench_suite_name(i);
}

EXPORT const char *plx_js_suite_description(int i) {
    return plx_bench_suite_description(i);
}

EXPORT void plx_js_bench_free(void) {
    plx_bench_free(bench);
    bench = NULL;
    digits = (plx_learning_digits){0};
}

/* Sets the two uncompressed files of handwritten digits for the next benchmark. */
EXPORT int plx_js_bench_digits(const void *images, double image_bytes, const void *labels,
                               double label_bytes, const char *source) {
    plx_ctx *context = plx__js_context();
    plx_learning_digits given = {.source = source};
    plx_status status = plx_idx_parse(context, images, (size_t)image_bytes, &given.images);
    if (status == PLX_OK)
        status = plx_idx_parse(context, labels, (size_t)label_bytes, &given.labels);
    if (status == PLX_OK) digits = given;
    return status;
}

/* Creates a benchmark. suites, cases: comma-separated names, or empty for all. seconds, rounds: 0
 * for the values of the size. */
EXPORT int plx_js_bench_new(const char *suites, const char *cases, int size, double seed,
                            double seconds, int rounds) {
    options = plx_bench_default();
    options.suites = suites;
    options.cases = cases;
    options.size = (plx_bench_size)size;
    options.seed = (uint64_t)seed;
    options.seconds = seconds;
    options.rounds = rounds;
    options.digits = digits.source ? &digits : NULL;
    return plx_bench_new(plx__js_context(), &options, &bench);
}

/* Estimates how long the whole benchmark takes. */
EXPORT double plx_js_bench_expected_ms(void) {
    return (double)plx_bench_expected_ns(bench) * 1e-6;
}

/* Results: bench, also after a failure, which drops the case; the benchmark can then continue. */
EXPORT int plx_js_bench_advance(double slice_ns) {
    plx_bench_progress progress = {.suite = "", .name = ""};
    const plx_status status = plx_bench_advance(bench, (int64_t)slice_ns, &progress);
    plx__js_left.bench = (plx__left_bench){
        .fraction = progress.fraction,
        .done = progress.done,
        .suite = plx__js_address(progress.suite),
        .name = plx__js_address(progress.name),
        .round = progress.round,
        .rounds = progress.rounds,
        .milliseconds_left = (double)progress.left_ns * 1e-6,
    };
    return status;
}

EXPORT void plx_js_bench_stop(void) {
    plx_bench_stop(bench);
}

/* Returns the number of fields of the next finished row; 0 if there is none yet. */
EXPORT int plx_js_bench_take_row(void) {
    return plx_bench_take_row(bench);
}

/* Results: field. */
EXPORT void plx_js_bench_field(int i) {
    const plx_field *field = plx_bench_field(bench, i);
    plx__js_left.field = (plx__left_field){
        .kind = field->kind,
        .number = field->number,
        .count = field->count,
        .path = plx__js_address(field->path),
        .text = plx__js_address(field->text),
        .numbers = plx__js_address(field->numbers),
    };
}
