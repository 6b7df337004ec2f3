/* The whole test framework: a group is a function, each check is counted, and a failure prints
 * its sentence. */
#ifndef PLX_TESTS_CHECK_H
#define PLX_TESTS_CHECK_H

#include "parallax_nn.h"

typedef struct plx_check {
    const char *group;
    int checks, failures;
    bool quiet; /* counts failures without printing them, for tests that must see a failure */
} plx_check;

/* Counts one check; if it fails, prints file, line and the sentence. Returns ok. */
bool plx_check_report(plx_check *t, bool ok, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* What messages call the real dtype. */
#define REAL_NAME REAL_NAME_OF(PLX_REAL)
#define REAL_NAME_OF(type) REAL_NAME_(type)
#define REAL_NAME_(type) REAL_NAME_##type
#define REAL_NAME_float "float32"
#define REAL_NAME_double "float64"

#define CHECK(t, ok, ...) plx_check_report((t), (ok), __FILE__, __LINE__, __VA_ARGS__)

/* Makes a context for tests with this many threads on this ISA (NULL: the best); fails the check
 * and returns NULL if that is not possible. */
plx_ctx *plx_check_context(plx_check *t, const char *isa, int threads);

/* Whether this is the float build as it is shipped, run natively. The longest tests are done in
 * full only there; checked builds, Node, the emulator and double precision do less of them. */
#if defined(__x86_64__) && defined(__clang__) && defined(NDEBUG)
enum { PLX_AS_SHIPPED = sizeof(plx_real) == sizeof(float) };
#else
enum { PLX_AS_SHIPPED = 0 };
#endif

#define GROUP(function, name) void plx_test_##function(plx_check *t);
#include "groups.def"
#undef GROUP

#endif
