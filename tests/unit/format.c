/* Messages are the same on every platform: where the C library does not format them, each
 * conversion that occurs in src/ and wasm/ must give what its vsnprintf gives. */
#include "base/platform.h"

#include "check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef void formatter(char *text, size_t bytes, const char *format, va_list args);

static void by_library(char *text, size_t bytes, const char *format, va_list args) {
    vsnprintf(text, bytes, format, args);
}

static void format_by(formatter *f, char *text, size_t bytes, const char *format, ...) {
    va_list args;
    va_start(args, format);
    f(text, bytes, format, args);
    va_end(args);
}

#define COMPARE(t, bytes, ...)                                                                     \
    do {                                                                                           \
        char wanted[1200], got[1200];                                                              \
        memset(wanted, '#', sizeof wanted);                                                        \
        memset(got, '#', sizeof got);                                                              \
        format_by(by_library, wanted, bytes, __VA_ARGS__);                                         \
        format_by(plx_platform_format, got, bytes, __VA_ARGS__);                                   \
        wanted[sizeof wanted - 1] = got[sizeof got - 1] = 0;                                       \
        CHECK(t, !memcmp(wanted, got, sizeof got), "\"%s\" instead of \"%s\"", got, wanted);       \
    } while (0)

/* tests/wasm/formats.test.mjs checks that these tables list all conversions of the sources. */
static const char *const reals[] = {"%g", "%.3g", "%.4g", "%.9g", "%.15g"};
static const char *const texts[] = {"%s", "%.20s", "%.40s", "%.60s", "%.64s", "%.80s"};
static const char *const bounded_texts[] = {"%.*s"};
static const char *const ints[] = {"%d", "%c", "%02x"};
static const char *const wide_ints[] = {"%lld", "%llu", "%016llx"};

#define EACH(i, table) for (size_t i = 0; i < sizeof(table) / sizeof *(table); ++i)

static void real_numbers(plx_check *t) {
    /* With ties, which are rounded to even, at each of the precisions, and powers at which the
     * notation changes. */
    static const double values[] = {
        0,           0.1,       0.5,      1,       1.5,        2.5,        100,       123456,
        1234565,     1234575,   999999.5, 999.5,   1000.5,     1e21,       1e-300,    DBL_MAX,
        DBL_MIN,     5e-324,    1e-4,     1e-5,    0.00009999, 0.00012345, 1.125,     1.375,
        0.0625,      0.3125,    1e5,      1e6,     1e15,       1e16,       123456789, 1234567890.5,
        12345678.25, INFINITY,  NAN,      1e22,    1e23,       1.0 / 3,    0.99995,   9.9995,
        99999.5,     2097152.5, 8.5,      0x1p-20, 0x1p60,     1e100,
    };
    EACH(f, reals) EACH(i, values) for (int negative = 0; negative < 2; ++negative) {
        COMPARE(t, 100, reals[f], negative ? -values[i] : values[i]);
    }
    /* Sixteenths from 1/16 are exact and full of ties. */
    EACH(f, reals) for (int i = 1; i < 5000; ++i) COMPARE(t, 100, reals[f], i / 16.0);
}

static void whole_numbers(plx_check *t) {
    static const int values[] = {0, 1, -1, 7, 42, 65, 255, INT32_MAX, INT32_MIN};
    static const long long wide[] = {0,         1,        -1, 1 << 30, 1LL << 53, (1LL << 53) + 1,
                                     INT64_MAX, INT64_MIN};
    EACH(f, ints) EACH(i, values) {
        if (f != 1 || values[i] > 0) COMPARE(t, 100, ints[f], values[i] & (f == 1 ? 127 : -1));
    }
    EACH(f, wide_ints) EACH(i, wide) COMPARE(t, 100, wide_ints[f], wide[i]);
}

static void characters(plx_check *t) {
    static char longest[1000];
    memset(longest, 'x', sizeof longest - 1);
    const char *const values[] = {"", "a", "caf\xc3\xa9 \xe2\x82\xac", longest};
    EACH(i, values) {
        EACH(f, texts) for (size_t bytes = 0; bytes < 12; ++bytes) {
            COMPARE(t, bytes, texts[f], values[i]);
            COMPARE(t, 1100, texts[f], values[i]);
        }
        EACH(f, bounded_texts) for (int most = 0; most < 12; ++most) {
            COMPARE(t, 100, bounded_texts[f], most, values[i]);
        }
    }
}

/* Arguments of different sizes, which lie at multiples of their size, or behind each other. */
static void mixed(plx_check *t) {
    COMPARE(t, 100, "%d%lld", 1, 2LL);
    COMPARE(t, 100, "%d, %g, %s, %lld; %.*s: %d", 1, 2.5, "three", -4LL, 2, "five", 6);
    COMPARE(t, 100, "%lld%d%d%g%c%c%g", -1LL, 2, 3, 0.25, 'a', 'b', 1e30);
    COMPARE(t, 100, "nothing to fill in");
    COMPARE(t, 10, "cut off in %d", 12345);
}

void plx_test_unit_format(plx_check *t) {
    real_numbers(t);
    whole_numbers(t);
    characters(t);
    mixed(t);
}
