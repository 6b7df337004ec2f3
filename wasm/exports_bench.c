/* The suites, as JavaScript calls them; see exports.c for the conventions. */
#include "exports.h"

#include "bench/bench.h"
#include "build_info.h"

/* One bench at a time; its options and what they point to must outlive it, and JavaScript keeps the
 * texts and the files until plx_js_bench_free. */
static plx_bench *bench;
static plx_bench_options options;
static plx_learning_digits digits;

EXPORT const char *plx_js_build_commit(void) {
    return PLX_BUILD_COMMIT;
}

EXPORT const char *plx_js_build_compiler(void) {
    return PLX_BUILD_COMPILER;
}

/* Name, description of suite i; 0 past the last. */
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

/* The two files of handwritten digits that the next bench uses, uncompressed. */
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

/* suites, cases: names between commas, or empty for all. seconds, rounds 0: as the size says. */
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

/* About how long the whole of it takes. */
EXPORT double plx_js_bench_expected_ms(void) {
    return (double)plx_bench_expected_ns(bench) * 1e-6;
}

/* Results: fraction, done, then the strings suite, case, then round (from 1), rounds, milliseconds
 * left. They are there after a failure too: the
 * case is dropped then, and the bench can go on. */
EXPORT int plx_js_bench_advance(double slice_ns) {
    plx_bench_progress progress = {.suite = "", .name = ""};
    const plx_status status = plx_bench_advance(bench, (int64_t)slice_ns, &progress);
    plx__js_result(0, progress.fraction);
    plx__js_result(1, progress.done);
    plx__js_result_address(2, progress.suite);
    plx__js_result_address(3, progress.name);
    plx__js_result(4, progress.round);
    plx__js_result(5, progress.rounds);
    plx__js_result(6, (double)progress.left_ns * 1e-6);
    return status;
}

EXPORT void plx_js_bench_stop(void) {
    plx_bench_stop(bench);
}

/* Fields of the next finished row; 0: none yet. */
EXPORT int plx_js_bench_take_row(void) {
    return plx_bench_take_row(bench);
}

/* Results: kind (plx_field_kind), number, count, then the addresses of path, text, numbers. */
EXPORT void plx_js_bench_field(int i) {
    const plx_field *field = plx_bench_field(bench, i);
    plx__js_result(0, field->kind);
    plx__js_result(1, field->number);
    plx__js_result(2, field->count);
    plx__js_result_address(3, field->path);
    plx__js_result_address(4, field->text);
    plx__js_result_address(5, field->numbers);
}
