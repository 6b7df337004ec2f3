/* Normalisation of rows and of channels. Variances are sums of squared deviations from a mean
 * computed beforehand (Chan et al., "Algorithms for computing the sample variance", 1983), so that
 * a large mean costs no digits. */

/* Lanes of the vector at element i of n. */
INLINE int64_t lanes_at(int64_t i, int64_t n) {
    return n - i < VL ? n - i : VL;
}

INLINE plx_real square_root(plx_real x) {
    return v_sqrt(v_splat(x))[0];
}

/* ---- Rows ------------------------------------------------------------------------------------ */

INLINE vf squared_deviation(const plx_real *x, vf mean) {
    const vf d = v_load(x) - mean;
    return d * d;
}

static plx_real squared_deviations(int64_t n, const plx_real *x, plx_real mean) {
    if (n > SUM_BLOCK) {
        const int64_t half = (n / SUM_BLOCK + 1) / 2 * SUM_BLOCK;
        return squared_deviations(half, x, mean) + squared_deviations(n - half, x + half, mean);
    }
    const vf m = v_splat(mean);
    vf total = v_splat(0), s0, s1, s2, s3;
    int64_t i = 0;
    while (i + 4 * VL <= n) {
        const int64_t left = (n - i) / (4 * VL), steps = left < SUM_CHAIN ? left : SUM_CHAIN;
        s0 = s1 = s2 = s3 = v_splat(0);
        for (const int64_t end = i + steps * 4 * VL; i < end; i += 4 * VL) {
            s0 += squared_deviation(x + i, m);
            s1 += squared_deviation(x + i + VL, m);
            s2 += squared_deviation(x + i + 2 * VL, m);
            s3 += squared_deviation(x + i + 3 * VL, m);
        }
        total += (s0 + s1) + (s2 + s3);
    }
    for (; i + VL <= n; i += VL) total += squared_deviation(x + i, m);
    if (i < n) {
        const vf d = v_select(v_lanes() < v_splat_int((int)(n - i)), load_tail(x + i, n - i) - m,
                              v_splat(0));
        total += d * d;
    }
    return v_sum(total);
}

/* The normalisation of a row: y = (x by - mean) r. */
typedef struct row_scale {
    double by; /* 1, unless squares leave the range of the type */
    double mean, r;
} row_scale;

SELDOM double largest_magnitude(int64_t n, const plx_real *x) {
    double top = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double magnitude = (double)(x[i] < 0 ? -x[i] : x[i]);
        if (!(magnitude <= top)) top = magnitude;
    }
    return top;
}

/* Like scale_of_row, on the elements divided by the largest of them. */
SELDOM row_scale scale_of_far_row(int64_t n, const plx_real *x, plx_real epsilon, bool centre,
                                  row_scale near) {
    const double top = largest_magnitude(n, x), by = 1 / top;
    const bool usable = by > 0 && by < (double)__builtin_inff(); /* neither 0 nor infinite */
    if (!usable) return near;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) sum += (double)x[i] / top;
    const double mean = centre ? sum / (double)n : 0;
    for (int64_t i = 0; i < n; ++i) {
        const double d = (double)x[i] / top - mean;
        squares += d * d;
    }
    const double variance = squares / (double)n + (double)epsilon * by * by;
    /* An instruction on every target; a call would leave the code of this target. */
    return (row_scale){.by = by, .mean = mean, .r = 1 / __builtin_sqrt(variance)};
}

/* The mean (0 when it is not subtracted) and 1 / sqrt(variance + epsilon). */
static row_scale scale_of_row(int64_t n, const plx_real *x, plx_real epsilon, bool centre) {
    const plx_real least = (plx_real)1e-30, most = (plx_real)1e37;
    const plx_real mean = centre ? sum_pairwise(n, x, x) / real_of(n) : 0;
    const plx_real variance = squared_deviations(n, x, mean) / real_of(n) + epsilon;
    const row_scale near = {
        .by = 1, .mean = (double)mean, .r = (double)(1 / square_root(variance))};
    if (variance > least && variance < most) return near;
    return scale_of_far_row(n, x, epsilon, centre, near);
}

INLINE void norm_at(int64_t i, int64_t lanes, const plx_real *x, const plx_real *scale,
                    const plx_real *shift, vf mean, vf r, plx_real *y) {
    vf a = (load_some(x + i, lanes) - mean) * r;
    if (scale && shift)
        a = v_fma(a, load_some(scale + i, lanes), load_some(shift + i, lanes));
    else if (scale)
        a *= load_some(scale + i, lanes);
    else if (shift)
        a += load_some(shift + i, lanes);
    store_some(y + i, a, lanes);
}

SELDOM void norm_far_row(int64_t n, const plx_real *x, const plx_real *scale, const plx_real *shift,
                         row_scale w, plx_real *y) {
    for (int64_t i = 0; i < n; ++i) {
        const double a = ((double)x[i] * w.by - w.mean) * w.r * (scale ? (double)scale[i] : 1);
        y[i] = (plx_real)(a + (shift ? (double)shift[i] : 0));
    }
}

static void k_row_norm(int64_t n, const plx_real *x, const plx_real *scale, const plx_real *shift,
                       plx_real epsilon, bool centre, plx_real *y) {
    const row_scale w = scale_of_row(n, x, epsilon, centre);
    if (w.by != 1) {
        norm_far_row(n, x, scale, shift, w, y);
        return;
    }
    const vf r = v_splat((plx_real)w.r), m = v_splat((plx_real)w.mean);
    int64_t i = 0;
    for (; i + VL <= n; i += VL) {
        ASK_FOR(x + n + i);
        norm_at(i, VL, x, scale, shift, m, r, y);
    }
    if (i < n) norm_at(i, n - i, x, scale, shift, m, r, y);
}

/* g = gy scale at one vector. */
INLINE vf scaled_gradient(const plx_real *gy, const plx_real *scale, int64_t i, int64_t lanes) {
    const vf g = load_some(gy + i, lanes);
    return scale ? g * load_some(scale + i, lanes) : g;
}

typedef struct gradient_sums {
    plx_real plain, moment; /* of g, and of g (x - mean) */
} gradient_sums;

static gradient_sums sum_gradients(int64_t n, const plx_real *x, const plx_real *gy,
                                   const plx_real *scale, plx_real mean) {
    if (n > SUM_BLOCK) {
        const int64_t half = (n / SUM_BLOCK + 1) / 2 * SUM_BLOCK;
        const gradient_sums a = sum_gradients(half, x, gy, scale, mean);
        const gradient_sums b =
            sum_gradients(n - half, x + half, gy + half, scale ? scale + half : NULL, mean);
        return (gradient_sums){a.plain + b.plain, a.moment + b.moment};
    }
    const vf m = v_splat(mean), zero = v_splat(0);
    vf plain = zero, moment = zero;
    int64_t i = 0;
    while (i + 2 * VL <= n) {
        const int64_t left = (n - i) / (2 * VL), steps = left < SUM_CHAIN ? left : SUM_CHAIN;
        vf p[2] = {zero, zero}, q[2] = {zero, zero};
        for (const int64_t end = i + steps * 2 * VL; i < end; i += 2 * VL) {
            UNROLL
            for (int v = 0; v < 2; ++v) {
                const vf g = scaled_gradient(gy, scale, i + v * VL, VL);
                p[v] += g;
                q[v] += g * (v_load(x + i + v * VL) - m);
            }
        }
        plain += p[0] + p[1];
        moment += q[0] + q[1];
    }
    for (; i < n; i += VL) {
        const int64_t lanes = lanes_at(i, n);
        const vf g = scaled_gradient(gy, scale, i, lanes);
        plain += g;
        moment += g * (load_some(x + i, lanes) - m);
    }
    return (gradient_sums){v_sum(plain), v_sum(moment)};
}

typedef struct row_gradient {
    const plx_real *x, *gy, *scale;
    plx_real *gx, *gscale, *gshift;
    vf mean, r, plain, slope;
} row_gradient;

INLINE void norm_grad_at(const row_gradient *w, int64_t i, int64_t lanes) {
    const vf c = load_some(w->x + i, lanes) - w->mean, gy = load_some(w->gy + i, lanes);
    const vf g = w->scale ? gy * load_some(w->scale + i, lanes) : gy;
    if (w->gscale)
        store_some(w->gscale + i, v_fma(gy, c * w->r, load_some(w->gscale + i, lanes)), lanes);
    if (w->gshift) store_some(w->gshift + i, load_some(w->gshift + i, lanes) + gy, lanes);
    store_some(w->gx + i, v_fma(c, w->slope, w->r * (g - w->plain)), lanes);
}

/* Like k_row_norm_grad, where c and r belong to x by. */
SELDOM void norm_grad_far_row(int64_t n, const plx_real *x, const plx_real *gy,
                              const plx_real *scale, row_scale w, bool centre, plx_real *gx,
                              plx_real *gscale, plx_real *gshift) {
    double plain = 0, moment = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double g = (double)gy[i] * (scale ? (double)scale[i] : 1);
        plain += centre ? g / (double)n : 0;
        moment += g * ((double)x[i] * w.by - w.mean) / (double)n;
    }
    for (int64_t i = 0; i < n; ++i) {
        const double own = (double)gy[i], g = own * (scale ? (double)scale[i] : 1);
        const double c = ((double)x[i] * w.by - w.mean) * w.r;
        if (gscale) gscale[i] += (plx_real)(own * c);
        if (gshift) gshift[i] += gy[i];
        gx[i] = (plx_real)(w.by * w.r * (g - plain - c * (w.r * moment)));
    }
}

/* With c = x - mean, r = 1 / sqrt(variance + epsilon) and g = gy scale:
 * gx = r (g - mean(g)) - c r^3 mean(g c). */
static void k_row_norm_grad(int64_t n, const plx_real *x, const plx_real *gy, const plx_real *scale,
                            plx_real epsilon, bool centre, plx_real *gx, plx_real *gscale,
                            plx_real *gshift) {
    const row_scale of = scale_of_row(n, x, epsilon, centre);
    if (of.by != 1) {
        norm_grad_far_row(n, x, gy, scale, of, centre, gx, gscale, gshift);
        return;
    }
    const plx_real r = (plx_real)of.r, mean = (plx_real)of.mean;
    const gradient_sums s = sum_gradients(n, x, gy, scale, mean);
    const row_gradient w = {.x = x,
                            .gy = gy,
                            .scale = scale,
                            .gx = gx,
                            .gscale = gscale,
                            .gshift = gshift,
                            .mean = v_splat(mean),
                            .r = v_splat(r),
                            .plain = v_splat(centre ? s.plain / real_of(n) : 0),
                            .slope = v_splat(-(r * (r * (s.moment / real_of(n)) * r)))};
    int64_t i = 0;
    for (; i + VL <= n; i += VL) {
        ASK_FOR(x + n + i);
        ASK_FOR(gy + n + i);
        norm_grad_at(&w, i, VL);
    }
    if (i < n) norm_grad_at(&w, i, n - i);
}

/* ---- Channels -------------------------------------------------------------------------------- */

/* Few channels would leave lanes empty, so VL rows at a time form one row of whole vectors, as do
 * VL copies of the values per channel. */
enum { FEW_CHANNELS = 4 * VL };

INLINE bool has_few_channels(int64_t m, int64_t n) {
    return n < FEW_CHANNELS && n % VL != 0 && m >= 2 * VL;
}

static void norm_rows(int64_t m, int64_t n, const plx_real *x, const plx_real *centre,
                      const plx_real *factor, const plx_real *shift, plx_real *y) {
    for (int64_t i = 0; i < m; ++i, x += n, y += n)
        for (int64_t j = 0; j < n; j += VL) {
            const int64_t lanes = lanes_at(j, n);
            const vf d = load_some(x + j, lanes) - load_some(centre + j, lanes);
            store_some(y + j, v_fma(d, load_some(factor + j, lanes), load_some(shift + j, lanes)),
                       lanes);
        }
}

static void k_channel_norm(int64_t m, int64_t n, const plx_real *x, const plx_real *centre,
                           const plx_real *factor, const plx_real *shift, plx_real *y) {
    if (has_few_channels(m, n)) {
        plx_real wide[3][FEW_CHANNELS * VL];
        const int64_t rows = m / VL, done = rows * VL * n;
        repeat_row(VL, n, centre, wide[0]);
        repeat_row(VL, n, factor, wide[1]);
        repeat_row(VL, n, shift, wide[2]);
        norm_rows(rows, VL * n, x, wide[0], wide[1], wide[2], y);
        m %= VL;
        x += done;
        y += done;
    }
    norm_rows(m, n, x, centre, factor, shift, y);
}

static void norm_grad_rows(int64_t m, int64_t n, const plx_real *x, const plx_real *gy,
                           const plx_real *centre, const plx_real *factor, const plx_real *slope,
                           const plx_real *offset, plx_real *gx) {
    for (int64_t i = 0; i < m; ++i, x += n, gy += n, gx += n)
        for (int64_t j = 0; j < n; j += VL) {
            const int64_t lanes = lanes_at(j, n);
            const vf d = load_some(x + j, lanes) - load_some(centre + j, lanes);
            const vf line = v_fma(d, load_some(slope + j, lanes), load_some(offset + j, lanes));
            store_some(gx + j, v_fma(load_some(gy + j, lanes), load_some(factor + j, lanes), line),
                       lanes);
        }
}

static void k_channel_norm_grad(int64_t m, int64_t n, const plx_real *x, const plx_real *gy,
                                const plx_real *centre, const plx_real *factor,
                                const plx_real *slope, const plx_real *offset, plx_real *gx) {
    if (has_few_channels(m, n)) {
        plx_real wide[4][FEW_CHANNELS * VL];
        const int64_t rows = m / VL, done = rows * VL * n;
        repeat_row(VL, n, centre, wide[0]);
        repeat_row(VL, n, factor, wide[1]);
        repeat_row(VL, n, slope, wide[2]);
        repeat_row(VL, n, offset, wide[3]);
        norm_grad_rows(rows, VL * n, x, gy, wide[0], wide[1], wide[2], wide[3], gx);
        m %= VL;
        x += done;
        gy += done;
        gx += done;
    }
    norm_grad_rows(m, n, x, gy, centre, factor, slope, offset, gx);
}
