/* Optimizer steps over one run of elements. */

/* v = momentum v + d; p -= rate v, or rate (d + momentum v) with Nesterov's look-ahead. */
static void k_sgd(int64_t n, plx_real *p, const plx_real *g, plx_real *v,
                  const plx__sgd_step *step) {
    const vf rate = v_splat(-step->rate), l2 = v_splat(step->l2);
    const vf momentum = v_splat(step->momentum);
    if (!v) {
        MAP2(n, p, g, p, v_fma(rate, v_fma(l2, a, b), a));
        return;
    }
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf weight = load_some(p + i, lanes);
        const vf d = v_fma(l2, weight, load_some(g + i, lanes));
        const vf velocity = v_fma(momentum, load_some(v + i, lanes), d);
        const vf move = step->nesterov ? v_fma(momentum, velocity, d) : velocity;
        store_some(v + i, velocity, lanes);
        store_some(p + i, v_fma(rate, move, weight), lanes);
    }
}

typedef struct adam_constants {
    vf beta1, beta2, left1, left2, epsilon, rate, correction2, decay, l2;
} adam_constants;

INLINE void adam_lanes(const adam_constants *c, plx_real *p, const plx_real *g, plx_real *m,
                       plx_real *v, int64_t lanes) {
    const vf weight = load_some(p, lanes);
    const vf d = v_fma(c->l2, weight, load_some(g, lanes));
    const vf first = v_fma(c->beta1, load_some(m, lanes), c->left1 * d);
    const vf second = v_fma(c->beta2, load_some(v, lanes), c->left2 * (d * d));
    const vf scale = v_fma(v_sqrt(second), c->correction2, c->epsilon);
    store_some(m, first, lanes);
    store_some(v, second, lanes);
    store_some(p, weight - c->decay * weight - c->rate * first / scale, lanes);
}

static void k_adam(int64_t n, plx_real *p, const plx_real *g, plx_real *m, plx_real *v,
                   const plx__adam_step *step) {
    const adam_constants c = {
        .beta1 = v_splat(step->beta1),
        .beta2 = v_splat(step->beta2),
        .left1 = v_splat(1 - step->beta1),
        .left2 = v_splat(1 - step->beta2),
        .epsilon = v_splat(step->epsilon),
        .rate = v_splat(step->rate),
        .correction2 = v_splat(step->correction2),
        .decay = v_splat(step->decay),
        .l2 = v_splat(step->l2),
    };
    int64_t i = 0;
    for (; i + VL <= n; i += VL) adam_lanes(&c, p + i, g + i, m + i, v + i, VL);
    if (i < n) adam_lanes(&c, p + i, g + i, m + i, v + i, n - i);
}

/* p -= rate sign(beta1 m + (1 - beta1) g) + decay p; m = beta2 m + (1 - beta2) g. The sign of 0 is
 * 0; that of NaN is NaN. */
static void k_lion(int64_t n, plx_real *p, const plx_real *g, plx_real *m,
                   const plx__lion_step *step) {
    const vf beta1 = v_splat(step->beta1), beta2 = v_splat(step->beta2);
    const vf left1 = v_splat(1 - step->beta1), left2 = v_splat(1 - step->beta2);
    const vf rate = v_splat(step->rate), decay = v_splat(step->decay), one = v_splat(1);
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf weight = load_some(p + i, lanes), d = load_some(g + i, lanes);
        const vf old = load_some(m + i, lanes);
        const vf mixed = v_fma(beta1, old, left1 * d);
        const vf unit = v_from_bits(v_bits(one) | v_sign(mixed));
        const vf sign = v_select(v_abs(mixed) > 0, unit, mixed);
        store_some(m + i, v_fma(beta2, old, left2 * d), lanes);
        store_some(p + i, weight - decay * weight - rate * sign, lanes);
    }
}

/* s = alpha s + left d^2; b = momentum b + d / (sqrt(s) + epsilon); p -= rate b. */
static void k_rmsprop(int64_t n, plx_real *p, const plx_real *g, plx_real *s, plx_real *b,
                      const plx__rmsprop_step *step) {
    const vf alpha = v_splat(step->alpha), left = v_splat(step->left);
    const vf epsilon = v_splat(step->epsilon), momentum = v_splat(step->momentum);
    const vf rate = v_splat(-step->rate), l2 = v_splat(step->l2);
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf weight = load_some(p + i, lanes);
        const vf d = v_fma(l2, weight, load_some(g + i, lanes));
        const vf mean = v_fma(alpha, load_some(s + i, lanes), left * (d * d));
        vf move = d / (v_sqrt(mean) + epsilon);
        if (b) {
            move = v_fma(momentum, load_some(b + i, lanes), move);
            store_some(b + i, move, lanes);
        }
        store_some(s + i, mean, lanes);
        store_some(p + i, v_fma(rate, move, weight), lanes);
    }
}
