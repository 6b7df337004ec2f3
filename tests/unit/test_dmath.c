#include "parallax.h"

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
        compare(t, "exp", e, plx_math_exp(e), p, p);
        compare(t, "log", p, plx_math_log(p), log(p), fmax(1, fabs(log(p))));
        compare(t, "sin", a, plx_math_sin(a), sin(a), 1);
        compare(t, "cos", a, plx_math_cos(a), cos(a), 1);
    }
    CHECK(t,
          plx_math_exp(-INFINITY) == 0 && plx_math_exp(INFINITY) == INFINITY &&
              isnan(plx_math_exp(NAN)),
          "exp ends");
    CHECK(t,
          plx_math_log(0) == -INFINITY && isnan(plx_math_log(-1)) &&
              plx_math_log(INFINITY) == INFINITY,
          "log ends");
    CHECK(t, fabs(plx_math_log(5e-324) - log(5e-324)) < 1e-12, "log of the smallest number");
    CHECK(t,
          plx_math_exp(0) == 1 && plx_math_log(1) == 0 && plx_math_sin(0) == 0 &&
              plx_math_cos(0) == 1,
          "exact values");
    CHECK(t, isnan(plx_math_sin(INFINITY)), "sin(infinity)");
}
