#include "base/rng.h"

#include "check.h"

#include <math.h>
#include <stdio.h>

/* Known answers of Philox4x32-10 from its authors' Random123 distribution (kat_vectors). */
static void known_answers(plx_check *t) {
    uint32_t zero[4], ones[4];
    plx__philox(0, 0, zero);
    CHECK(t,
          zero[0] == 0x6627e8d5 && zero[1] == 0xe169c58d && zero[2] == 0xbc57ac4c &&
              zero[3] == 0x9b00dbd8,
          "block 0 of key 0 is %08x %08x %08x %08x", zero[0], zero[1], zero[2], zero[3]);
    plx__philox(1, 0, ones);
    CHECK(t, zero[0] != ones[0], "the key has no effect");
}

static void moments(plx_check *t) {
    enum { N = 100000 };
    plx_rng rng = plx_rng_new(1, 2);
    double uniform = 0, normal = 0, squares = 0;
    for (int i = 0; i < N; ++i) {
        const double u = plx_rng_uniform(&rng), z = plx_rng_normal(&rng);
        CHECK(t, u >= 0 && u < 1, "uniform %g", u);
        uniform += u / N;
        normal += z / N;
        squares += z * z / N;
    }
    /* Five standard errors: 1/sqrt(12 N), 1/sqrt(N), sqrt(2/N). */
    CHECK(t, fabs(uniform - 0.5) < 5 / sqrt(12.0 * N), "mean of uniforms %g", uniform);
    CHECK(t, fabs(normal) < 5 / sqrt((double)N), "mean of normals %g", normal);
    CHECK(t, fabs(squares - 1) < 5 * sqrt(2.0 / N), "variance of normals %g", squares);
}

/* Batches of any length from any position in the stream equal single draws. */
static void batches(plx_check *t) {
    enum { N = 5000 };
    static double values[N];
    for (uint64_t first = 0; first < 5; ++first)
        for (int normal = 0; normal < 2; ++normal) {
            plx_rng batch = plx_rng_new(3, 2), one = batch;
            batch.next = one.next = first;
            int64_t n = N;
            if (normal)
                plx__rng_normals(&batch, n, values);
            else
                plx__rng_uniforms(&batch, n, values);
            int64_t other = 0;
            for (int64_t i = 0; i < n; ++i)
                other += values[i] != (normal ? plx_rng_normal(&one) : plx_rng_uniform(&one));
            CHECK(t, !other && batch.next == one.next, "from word %d: %lld of %lld draws differ",
                  (int)first, (long long)other, (long long)n);
        }
}

void plx_test_unit_rng(plx_check *t) {
    known_answers(t);
    batches(t);
    moments(t);
    plx_rng a = plx_rng_new(5, 0), b = plx_rng_new(5, 0), c = plx_rng_new(5, 1);
    const uint32_t first = plx_rng_u32(&a);
    CHECK(t, first == plx_rng_u32(&b), "the same seed gave another stream");
    CHECK(t, first != plx_rng_u32(&c), "streams of one seed start alike");
    int64_t order[100], seen[100] = {0};
    plx_rng_permute(&a, 100, order);
    for (int i = 0; i < 100; ++i) seen[order[i]] += 1;
    for (int i = 0; i < 100; ++i) CHECK(t, seen[i] == 1, "%d appears %d times", i, (int)seen[i]);
    int64_t counts[3] = {0};
    for (int i = 0; i < 30000; ++i) counts[plx_rng_below(&a, 3)] += 1;
    for (int i = 0; i < 3; ++i)
        CHECK(t, fabs((double)counts[i] - 10000) < 5 * sqrt(30000 * 2.0 / 9),
              "below(3): %d is drawn %d times", i, (int)counts[i]);
}
