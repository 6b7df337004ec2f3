/* plx_tests --list | plx_tests [GROUP]: runs one group, or all. The exit code says whether all
 * checks passed; a group without a check fails. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static const struct {
    const char *name;
    void (*run)(plx_check *t);
} groups[] = {
#define GROUP(function, name) {name, plx_test_##function},
#include "groups.def"
#undef GROUP
};

bool plx_check_report(plx_check *t, bool ok, const char *file, int line, const char *format, ...) {
    t->checks += 1;
    if (ok) return true;
    t->failures += 1;
    if (t->quiet || t->failures > 20) return false;
    printf("%s: %s:%d: ", t->group, file, line);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    return false;
}

plx_ctx *plx_check_context(plx_check *t, const char *isa, int threads) {
    plx_ctx_options options = plx_ctx_default();
    options.isa = isa;
    options.threads = threads;
    plx_ctx *ctx = NULL;
    char message[512] = "";
    const plx_status status = plx_ctx_new(&options, &ctx, message, sizeof message);
    CHECK(t, status == PLX_OK, "context: %s", message);
    return ctx;
}

/* Arrays of megabytes are allocated and freed by the thousand. Freed memory is kept: the system
 * would zero every page again, which takes longer than the tests. */
static void keep_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

int main(int argc, char **argv) {
    keep_memory();
    const int count = (int)(sizeof groups / sizeof groups[0]);
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (int i = 0; i < count; ++i) printf("%s\n", groups[i].name);
        return 0;
    }
    int ran = 0, failed = 0;
    for (int i = 0; i < count; ++i) {
        if (argc > 1 && strcmp(argv[1], groups[i].name)) continue;
        plx_check t = {.group = groups[i].name};
        groups[i].run(&t);
        if (!t.checks) t.failures = 1;
        printf("%-28s %6d checks, %d failed\n", t.group, t.checks, t.failures);
        ran += 1;
        failed += t.failures > 0;
    }
    if (!ran) printf("no group named \"%s\"; --list names them\n", argc > 1 ? argv[1] : "");
    return !ran || failed;
}
