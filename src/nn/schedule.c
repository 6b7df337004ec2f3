/* How the learning rate changes from step to step. */
#include "nn/trainer.h"

#include "parallax.h"

#include <string.h>

static const char *const names[] = {
#define PLX_SCHEDULE(NAME, name, options, about) name,
#include "parallax.def"
};

const char *plx_schedule_name(plx_schedule_kind kind) {
    return (unsigned)kind < PLX_SCHEDULES_ ? names[kind] : NULL;
}

plx_schedule_kind plx_schedule_from_name(const char *name) {
    for (int i = 0; i < PLX_SCHEDULES_; ++i)
        if (!strcmp(names[i], name)) return (plx_schedule_kind)i;
    return PLX_SCHEDULES_;
}

plx_status plx__schedule_check(plx__message *message, const plx_schedule *s, int64_t steps) {
    const char *name = plx_schedule_name(s->kind);
    if (!name)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "schedule: there is no kind number %d; it must be 0 to %d", (int)s->kind,
                         PLX_SCHEDULES_ - 1);
    if (s->warmup < 0 || s->warmup > steps)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "schedule: the warm-up is %lld steps; it must be 0 to %lld, the steps of the training",
            (long long)s->warmup, (long long)steps);
    if (s->warmup && s->kind == PLX_SCHEDULE_ONE_CYCLE)
        return plx__fail(
            message, PLX_ERR_ARGUMENT,
            "schedule: one-cycle has its own warm-up; %lld steps of warm-up cannot be added",
            (long long)s->warmup);
    if (!(s->floor >= 0 && s->floor <= 1))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "schedule: floor is %g; it must be 0 to 1, a share of the rate", s->floor);
    if (s->kind != PLX_SCHEDULE_STEP) return PLX_OK;
    if (s->every < 1)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "schedule: every is %lld steps; it must be at least 1",
                         (long long)s->every);
    if (!(s->factor > 0 && s->factor <= 1))
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "schedule: factor is %g; it must be above 0 and at most 1", s->factor);
    return PLX_OK;
}

/* From 1 at q = 0 to 0 at q = 1. */
static double half_cosine(double q) {
    const double pi = 3.14159265358979323846;
    return (1 + plx_math_cos(pi * q)) / 2;
}

static double power(double base, int64_t exponent) {
    double result = 1;
    for (; exponent; exponent /= 2, base *= base)
        if (exponent % 2) result *= base;
    return result;
}

/* The phases end on steps, as in PyTorch: the last of the climb has the highest rate, the last of
 * all the lowest. */
static double one_cycle(int64_t step, int64_t steps) {
    const double begin = 1.0 / 25, end = begin * 1e-4;
    const double peak = 0.3 * (double)steps - 1, up = peak > 0 ? peak : 0;
    const double at = (double)step;
    if (at <= up) return up > 0 ? 1 - (1 - begin) * half_cosine(at / up) : 1;
    return end + (1 - end) * half_cosine((at - up) / ((double)steps - 1 - up));
}

double plx_schedule_share(const plx_schedule *s, int64_t step, int64_t steps) {
    if (step < s->warmup) return (double)(step + 1) / (double)s->warmup;
    const int64_t since = step - s->warmup;
    const double q = (double)since / (double)(steps - s->warmup);
    switch (s->kind) {
    case PLX_SCHEDULE_COSINE: return s->floor + (1 - s->floor) * half_cosine(q);
    case PLX_SCHEDULE_LINEAR: return 1 - (1 - s->floor) * q;
    case PLX_SCHEDULE_ONE_CYCLE: return one_cycle(step, steps);
    case PLX_SCHEDULE_STEP: {
        if (s->every < 1) return 1;
        const double share = power(s->factor, since / s->every);
        return share > s->floor ? share : s->floor;
    }
    default: return 1;
    }
}
