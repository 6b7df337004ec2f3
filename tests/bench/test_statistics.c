#include "bench/statistics.h"

#include "check.h"

#include <math.h>

static void quantiles(plx_check *t) {
    double values[] = {4, 1, 3, 2};
    const plx_summary s = plx__summarise(4, values);
    CHECK(t, s.median == 2.5, "median of 1 2 3 4 is %g", s.median);
    CHECK(t, fabs(s.p10 - 1.3) < 1e-12 && fabs(s.p90 - 3.7) < 1e-12, "p10 %g, p90 %g", s.p10,
          s.p90);
    CHECK(t, s.low == 1 && s.high == 4, "four samples: the interval is their range, not %g to %g",
          s.low, s.high);
    double one[] = {7};
    const plx_summary single = plx__summarise(1, one);
    CHECK(t, single.median == 7 && single.low == 7 && single.high == 7, "a single sample");
}

/* Ranks of the 95% interval from Conover's table of the binomial distribution. */
static void intervals(plx_check *t) {
    static const struct {
        int count, low, high;
    } known[] = {{6, 1, 6}, {10, 2, 9}, {20, 6, 15}, {25, 8, 18}, {100, 40, 61}};
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
        double values[100];
        for (int k = 0; k < known[i].count; ++k) values[k] = known[i].count - k;
        const plx_summary s = plx__summarise(known[i].count, values);
        CHECK(t, s.low == known[i].low && s.high == known[i].high,
              "%d samples: interval from %g to %g, not from rank %d to %d", known[i].count, s.low,
              s.high, known[i].low, known[i].high);
    }
}

/* The share of 2,000 draws of 15 skewed samples in which the interval holds the true median: at
 * least 95%, minus four standard errors. */
static void coverage(plx_check *t) {
    enum { DRAWS = 2000, SAMPLES = 15 };
    plx_rng rng = plx_rng_new(3, 0);
    int held = 0;
    for (int d = 0; d < DRAWS; ++d) {
        double values[SAMPLES];
        for (int i = 0; i < SAMPLES; ++i) values[i] = exp(plx_rng_normal(&rng));
        const plx_summary s = plx__summarise(SAMPLES, values);
        held += s.low <= 1 && 1 <= s.high;
    }
    CHECK(t, held > DRAWS * (0.95 - 4 * sqrt(0.95 * 0.05 / DRAWS)),
          "the interval held the median in %d of %d draws", held, DRAWS);
}

/* The same for the interval between six rounds, where whole runs, rounds and samples differ: it
 * is to hold the expected median of other runs as long as runs differ no more than rounds do. */
static void rounds_coverage(plx_check *t) {
    enum { DRAWS = 2000, ROUNDS = 6 };
    plx_rng rng = plx_rng_new(4, 0);
    int held = 0;
    double last_low = 0, last_high = 0;
    int overlaps = 0;
    for (int d = 0; d < DRAWS; ++d) {
        double medians[ROUNDS];
        const double run = 0.02 * plx_rng_normal(&rng);
        for (int i = 0; i < ROUNDS; ++i) medians[i] = 7 * exp(run + 0.05 * plx_rng_normal(&rng));
        const plx_summary s = plx__between_rounds(ROUNDS, medians);
        held += s.low <= 7 && 7 <= s.high;
        overlaps += d > 0 && s.low <= last_high && last_low <= s.high;
        last_low = s.low;
        last_high = s.high;
    }
    /* In the spread of a mean of six, sqrt(0.05^2 / 6 + 0.02^2), the run's part cannot be seen. */
    CHECK(t, held > 0.85 * DRAWS, "the interval held the median in %d of %d runs", held, DRAWS);
    CHECK(t, overlaps > 0.95 * (DRAWS - 1), "%d of %d pairs of runs overlap", overlaps, DRAWS - 1);
}

static void rounds_summary(plx_check *t) {
    /* Logarithms 0, 1 and 2 times log 2: mean log 2, standard deviation log 2, t with two
     * degrees of freedom 4.303. */
    const double medians[] = {1, 4, 2}, half = 4.303 * log(2) / sqrt(3);
    const plx_summary s = plx__between_rounds(3, medians);
    CHECK(t, s.median == 2 && s.count == 3, "the median of 1, 4, 2 is %g", s.median);
    CHECK(t, fabs(s.low / (2 * exp(-half)) - 1) < 1e-3 && fabs(s.high / (2 * exp(half)) - 1) < 1e-3,
          "the interval is %g to %g", s.low, s.high);
    const double below[] = {-1, 0, 1};
    const plx_summary b = plx__between_rounds(3, below);
    CHECK(t, b.median == 0 && fabs(b.high - 4.303 / sqrt(3)) < 1e-3 && b.low == -b.high,
          "values below 0: %g to %g", b.low, b.high);
    const double same[] = {3, 3};
    const plx_summary e = plx__between_rounds(2, same);
    CHECK(t, fabs(e.low - 3) < 1e-12 && fabs(e.high - 3) < 1e-12, "equal rounds: %g to %g", e.low,
          e.high);
}

static void exponents(plx_check *t) {
    const double x[] = {1, 2, 4, 8, 16};
    double y[5], noisy[5];
    for (int i = 0; i < 5; ++i) {
        y[i] = 3 * pow(x[i], 1.5);
        noisy[i] = y[i] * (i % 2 ? 1.1 : 0.9);
    }
    const plx_slope exact = plx__exponent(5, x, y), rough = plx__exponent(5, x, noisy);
    CHECK(t, fabs(exact.value - 1.5) < 1e-9 && exact.high - exact.low < 1e-6,
          "exponent %g, from %g to %g", exact.value, exact.low, exact.high);
    CHECK(t, rough.low < 1.5 && 1.5 < rough.high && rough.high - rough.low > 0.1,
          "noise widens the interval: %g to %g", rough.low, rough.high);
    const plx_slope two = plx__exponent(2, x, y);
    CHECK(t, fabs(two.value - 1.5) < 1e-9 && isnan(two.low), "two points have no interval");
}

void plx_test_bench_statistics(plx_check *t) {
    quantiles(t);
    intervals(t);
    coverage(t);
    rounds_summary(t);
    rounds_coverage(t);
    exponents(t);
}
