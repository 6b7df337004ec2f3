#include "bench_cases.h"

#include <stdlib.h>
#include <string.h>

/* Whether a text of a list ends here. */
static bool ends(const char *at) {
    at += strspn(at, " ");
    return !*at || *at == ',';
}

/* The length of the longest name of a case that contains commas and that the list begins with. */
static size_t name_at(const plx_bench *bench, const char *list) {
    size_t longest = 0;
    for (int i = 0;; ++i) {
        const char *name = plx_bench_case_at(bench, i).name;
        if (!name) return longest;
        const size_t length = strlen(name);
        if (length > longest && strchr(name, ',') && !strncmp(list, name, length) &&
            ends(list + length))
            longest = length;
    }
}

plx_status split_cases(plx_ctx *ctx, const plx_bench_options *options, char **out) {
    *out = NULL;
    if (!options->cases) return PLX_OK;
    /* The largest size has all names: one that this size lacks is not taken for several texts. */
    plx_bench_options all = *options;
    all.cases = NULL;
    all.size = PLX_BENCH_FULL;
    plx_bench *bench;
    const plx_status status = plx_bench_new(ctx, &all, &bench);
    if (status != PLX_OK) return status;
    for (const char *at = options->cases; *(at += strspn(at, ", "));) {
        size_t length = name_at(bench, at);
        if (!length) length = strcspn(at, ",");
        text_add(out, "%.*s\n", (int)length, at);
        at += length;
    }
    plx_bench_free(bench);
    return PLX_OK;
}
