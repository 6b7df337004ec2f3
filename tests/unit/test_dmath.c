#include "base/dmath.h"

#include "check.h"

#include <math.h>

static void compare(plx_check *t, const char *name, double x, double own, double system,
                    double scale) {
    CHECK(t, fabs(own - system) <= 2e-15 * scale, "%s(%.17g) = %.17g, the system has %.17g", name,
          x, own, system);
}

void plx_test_unit_dmath(plx_check *t) {
    plx_rng rng = plx_rng_new(3, 0);
    for (int i = 0; i < 20000; ++i) {
        const double u = plx_rng_uniform(&rng);
        const double e = (u - 0.5) * 1400, p = exp(e), a = (u - 0.5) * 2e4;
        compare(t, "exp", e, plx__exp(e), p, p);
        compare(t, "log", p, plx__log(p), log(p), fmax(1, fabs(log(p))));
        compare(t, "sin", a, plx__sin(a), sin(a), 1);
        compare(t, "cos", a, plx__cos(a), cos(a), 1);
    }
    CHECK(t, plx__exp(-INFINITY) == 0 && plx__exp(INFINITY) == INFINITY && isnan(plx__exp(NAN)),
          "exp ends");
    CHECK(t, plx__log(0) == -INFINITY && isnan(plx__log(-1)) && plx__log(INFINITY) == INFINITY,
          "log ends");
    CHECK(t, fabs(plx__log(5e-324) - log(5e-324)) < 1e-12, "log of the smallest number");
    CHECK(t, plx__exp(0) == 1 && plx__log(1) == 0 && plx__sin(0) == 0 && plx__cos(0) == 1,
          "exact values");
    CHECK(t, isnan(plx__sin(INFINITY)), "sin(infinity)");
}
