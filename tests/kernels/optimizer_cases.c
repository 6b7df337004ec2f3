/* Optimizer steps. Bounds: every value is off by half an EPS of the magnitudes that it adds up,
 * and inherits the errors of its operands. */
#include "kernels/kernel_case.h"

/* Squares and quotients of huge values overflow midway, where the formula does not. */
static plx_values without_huge(plx_values values) {
    return values == PLX_VALUES_HUGE ? PLX_VALUES_NORMAL : values;
}

/* ---- SGD: v = momentum v + d; p -= rate v, or rate (d + momentum v) with Nesterov ------------ */

static void check_sgd(plx_case *c, const plx__sgd_step *step, bool has_v) {
    const int64_t n = c->n;
    plx_case_again(c, !has_v ? "" : step->nesterov ? "Nesterov" : "momentum");
    const plx_real *p = plx_case_filled(c, n, -2, 2), *g = plx_case_filled(c, n, -2, 2);
    const plx_real *v = plx_case_filled(c, n, -2, 2);
    plx_real *p1 = plx_case_copy(c, n, p), *v1 = plx_case_copy(c, n, v);
    c->k->sgd(n, p1, g, has_v ? v1 : NULL, step);
    const plx_wide momentum = has_v ? (plx_wide)step->momentum : 0, l2 = (plx_wide)step->l2;
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide w = (plx_wide)p[i], old = has_v ? (plx_wide)v[i] : 0;
        const plx_wide d = l2 * w + (plx_wide)g[i], velocity = has_v ? momentum * old + d : d;
        const plx_wide move = step->nesterov ? d + momentum * velocity : velocity;
        const plx_wide met =
            fabs(l2 * w) + fabs((plx_wide)g[i]) + fabs(momentum * old) + PLX_TINY / PLX_EPS;
        const plx_wide rate = (plx_wide)step->rate, all = 3 * met * (1 + fabs(momentum));
        if (has_v) plx_case_near(c, i, v1[i], velocity, 2 * PLX_EPS * met);
        plx_case_near(c, i, p1[i], w - rate * move,
                      PLX_EPS * (fabs(w) + fabs(rate) * all) + PLX_TINY);
    }
    if (!has_v) plx_case_same(c, n, v1, v);
}

void plx_case_of_sgd(plx_case *c) {
    const plx_real rate = (plx_real)0.1f, momentum = (plx_real)0.9f, l2 = (plx_real)0.01f;
    c->values = without_huge(c->values);
    check_sgd(c, &(plx__sgd_step){.rate = rate}, false);
    check_sgd(c, &(plx__sgd_step){.rate = rate, .l2 = l2}, false);
    check_sgd(c, &(plx__sgd_step){.rate = rate, .momentum = momentum}, true);
    check_sgd(c, &(plx__sgd_step){rate, momentum, l2, true}, true);
}

/* ---- Adam ------------------------------------------------------------------------------------ */

/* A value and the bound on the kernel's distance from it. */
typedef struct inexact {
    plx_wide value, error;
} inexact;

static inexact gradient(const plx__adam_step *s, plx_wide w, plx_wide g) {
    const plx_wide decay = (plx_wide)s->l2 * w;
    return (inexact){g + decay, PLX_EPS * (fabs(g) + fabs(decay))};
}

static inexact first_moment(const plx__adam_step *s, plx_wide m, inexact d) {
    const plx_wide kept = (plx_wide)s->beta1 * m, left = 1 - (plx_wide)s->beta1;
    const plx_wide met = fabs(kept) + fabs(left * d.value);
    return (inexact){kept + left * d.value, left * d.error + 2 * PLX_EPS * met + PLX_TINY};
}

static inexact second_moment(const plx__adam_step *s, plx_wide v, inexact d) {
    const plx_wide kept = (plx_wide)s->beta2 * v, left = 1 - (plx_wide)s->beta2;
    const plx_wide value = kept + left * d.value * d.value;
    const plx_wide error = left * (2 * fabs(d.value) + d.error) * d.error;
    return (inexact){value, error + 3 * PLX_EPS * value + 2 * PLX_TINY};
}

/* rate m / (sqrt(v) correction + epsilon). An error e of v is an error of at most e / sqrt(v),
 * and of at most sqrt(e), in its root. */
static inexact move_of(const plx__adam_step *s, inexact m, inexact v) {
    const plx_wide root = sqrt(v.value), c = (plx_wide)s->correction2;
    const plx_wide below = root * c + (plx_wide)s->epsilon;
    const plx_wide root_error = root > 0 ? fmin(v.error / root, sqrt(v.error)) : sqrt(v.error);
    const plx_wide error = c * root_error + 2 * PLX_EPS * below;
    const plx_wide value = (plx_wide)s->rate * m.value / below;
    const plx_wide least = fmax(below - error, (plx_wide)s->epsilon / 2);
    return (inexact){value, ((plx_wide)s->rate * m.error + PLX_TINY + fabs(value) * error) / least +
                                2 * PLX_EPS * fabs(value)};
}

static void check_adam(plx_case *c, const plx__adam_step *step, const char *variant) {
    const int64_t n = c->n;
    plx_case_again(c, variant);
    const plx_real *p = plx_case_filled(c, n, -2, 2), *g = plx_case_filled(c, n, -2, 2);
    plx_real *p1 = plx_case_copy(c, n, p);
    plx_real *m = plx_case_filled(c, n, -1, 1), *v = plx_case_filled(c, n, 0, 1);
    plx_real *old = plx_case_blank(c, 2 * n);
    for (int64_t i = 0; i < n; ++i) {
        old[i] = m[i];
        old[n + i] = v[i] = fabs(v[i]);
    }
    c->k->adam(n, p1, g, m, v, step);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide w = (plx_wide)p[i];
        const inexact d = gradient(step, w, (plx_wide)g[i]);
        const inexact first = first_moment(step, (plx_wide)old[i], d);
        const inexact second = second_moment(step, (plx_wide)old[n + i], d);
        const inexact move = move_of(step, first, second);
        const plx_wide decay = (plx_wide)step->decay * w;
        plx_case_near(c, i, m[i], first.value, first.error);
        plx_case_near(c, i, v[i], second.value, second.error);
        plx_case_near(c, i, p1[i], w - decay - move.value,
                      move.error + 2 * PLX_EPS * (fabs(w) + fabs(decay) + fabs(move.value)));
    }
}

void plx_case_of_adam(plx_case *c) {
    plx__adam_step step = {.beta1 = (plx_real)0.9f,
                           .beta2 = (plx_real)0.999f,
                           .epsilon = (plx_real)1e-8f,
                           .rate = (plx_real)0.01f,
                           .correction2 = (plx_real)1.5f};
    c->values = without_huge(c->values);
    check_adam(c, &step, "");
    step.l2 = (plx_real)0.01f;
    check_adam(c, &step, "weight decay in the gradient");
    step.l2 = 0;
    step.decay = (plx_real)0.001f;
    check_adam(c, &step, "decoupled weight decay");
}

/* ---- Lion: the sign of beta1 m + (1 - beta1) g ----------------------------------------------- */

static void check_lion(plx_case *c, const plx__lion_step *s, const char *variant) {
    const int64_t n = c->n;
    plx_case_again(c, variant);
    const plx_real *p = plx_case_filled(c, n, -2, 2), *g = plx_case_filled(c, n, -2, 2);
    const plx_real *m = plx_case_filled(c, n, -1, 1);
    plx_real *p1 = plx_case_copy(c, n, p), *m1 = plx_case_copy(c, n, m);
    c->k->lion(n, p1, g, m1, s);
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide w = (plx_wide)p[i], decay = (plx_wide)s->decay * w;
        const inexact d = {(plx_wide)g[i], 0};
        const plx__adam_step mixed = {.beta1 = s->beta1}, kept = {.beta1 = s->beta2};
        const inexact direction = first_moment(&mixed, (plx_wide)m[i], d);
        const inexact next = first_moment(&kept, (plx_wide)m[i], d);
        const plx_wide sign = isnan(direction.value)
                                  ? direction.value
                                  : (direction.value > 0) - (direction.value < 0);
        const plx_wide rate = (plx_wide)s->rate;
        plx_case_near(c, i, m1[i], next.value, next.error);
        /* A sign that rounding can flip is not a mistake. */
        if (direction.value != 0 && fabs(direction.value) <= direction.error)
            plx_case_any(c, p1[i]);
        else
            plx_case_near(c, i, p1[i], w - decay - rate * sign,
                          2 * PLX_EPS * (fabs(w) + fabs(decay) + rate) + PLX_TINY);
    }
}

void plx_case_of_lion(plx_case *c) {
    plx__lion_step step = {
        .beta1 = (plx_real)0.9f, .beta2 = (plx_real)0.99f, .rate = (plx_real)0.01f};
    c->values = without_huge(c->values);
    check_lion(c, &step, "");
    step.decay = (plx_real)0.001f;
    check_lion(c, &step, "decoupled weight decay");
}

/* ---- RMSprop --------------------------------------------------------------------------------- */

static void check_rmsprop(plx_case *c, const plx__rmsprop_step *s, const char *variant) {
    const int64_t n = c->n;
    plx_case_again(c, variant);
    const plx_real *p = plx_case_filled(c, n, -2, 2), *g = plx_case_filled(c, n, -2, 2);
    plx_real *p1 = plx_case_copy(c, n, p);
    plx_real *mean = plx_case_filled(c, n, 0, 1), *old = plx_case_blank(c, n);
    for (int64_t i = 0; i < n; ++i) old[i] = mean[i] = fabs(mean[i]);
    const plx_real *b = plx_case_filled(c, n, -1, 1);
    plx_real *b1 = plx_case_copy(c, n, b);
    c->k->rmsprop(n, p1, g, mean, s->momentum > 0 ? b1 : NULL, s);
    /* The parts that it shares with Adam. */
    const plx__adam_step like = {
        .beta2 = s->alpha, .epsilon = s->epsilon, .rate = 1, .correction2 = 1, .l2 = s->l2};
    for (int64_t i = 0; i < n; ++i) {
        const plx_wide w = (plx_wide)p[i], rate = (plx_wide)s->rate;
        const inexact d = gradient(&like, w, (plx_wide)g[i]);
        const inexact second = second_moment(&like, (plx_wide)old[i], d);
        inexact move = move_of(&like, d, second);
        plx_case_near(c, i, mean[i], second.value, second.error);
        if (s->momentum > 0) {
            const plx_wide carried = (plx_wide)s->momentum * (plx_wide)b[i];
            move.error += 2 * PLX_EPS * (fabs(carried) + fabs(move.value)) + PLX_TINY;
            move.value += carried;
            plx_case_near(c, i, b1[i], move.value, move.error);
        }
        plx_case_near(c, i, p1[i], w - rate * move.value,
                      rate * move.error + 2 * PLX_EPS * (fabs(w) + rate * fabs(move.value)) +
                          PLX_TINY);
    }
    if (!(s->momentum > 0)) plx_case_same(c, n, b1, b);
}

void plx_case_of_rmsprop(plx_case *c) {
    plx__rmsprop_step step = {.alpha = (plx_real)0.99f,
                              .left = 1 - (plx_real)0.99f,
                              .epsilon = (plx_real)1e-8f,
                              .rate = (plx_real)0.01f};
    c->values = without_huge(c->values);
    check_rmsprop(c, &step, "");
    step.l2 = (plx_real)0.01f;
    check_rmsprop(c, &step, "weight decay in the gradient");
    step.momentum = (plx_real)0.9f;
    check_rmsprop(c, &step, "momentum");
}
