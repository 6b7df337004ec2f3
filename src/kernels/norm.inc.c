/* Normalisation of rows and of channels. Variances are sums of squared deviations from a mean that
 * is known before (Chan et al., "Algorithms for computing the sample variance", 1983), so that a
 * large mean costs no digits. */

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
    vf s0 = v_splat(0), s1 = s0, s2 = s0, s3 = s0;
    int64_t i = 0;
    for (; i + 4 * VL <= n; i += 4 * VL) {
        s0 += squared_deviation(x + i, m);
        s1 += squared_deviation(x + i + VL, m);
        s2 += squared_deviation(x + i + 2 * VL, m);
        s3 += squared_deviation(x + i + 3 * VL, m);
    }
    for (; i + VL <= n; i += VL) s0 += squared_deviation(x + i, m);
    if (i < n) {
        const vf d =
            v_select(v_lanes() < v_splat_int((int)(n - i)), v_load_n(x + i, n - i) - m, v_splat(0));
        s1 += d * d;
    }
    return v_sum((s0 + s1) + (s2 + s3));
}

/* The mean of a row (0 when it is not taken off) and 1 / sqrt(variance + epsilon). */
static plx_real row_scale(int64_t n, const plx_real *x, plx_real epsilon, bool centre,
                          plx_real *mean) {
    *mean = centre ? sum_pairwise(n, x, x) / (plx_real)n : 0;
    return 1 / square_root(squared_deviations(n, x, *mean) / (plx_real)n + epsilon);
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

static void k_row_norm(int64_t n, const plx_real *x, const plx_real *scale, const plx_real *shift,
                       plx_real epsilon, bool centre, plx_real *y) {
    plx_real mean;
    const vf r = v_splat(row_scale(n, x, epsilon, centre, &mean)), m = v_splat(mean);
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
    vf plain[2] = {zero, zero}, moment[2] = {zero, zero};
    int64_t i = 0;
    for (; i + 2 * VL <= n; i += 2 * VL) {
        UNROLL
        for (int v = 0; v < 2; ++v) {
            const vf g = scaled_gradient(gy, scale, i + v * VL, VL);
            plain[v] += g;
            moment[v] += g * (v_load(x + i + v * VL) - m);
        }
    }
    for (; i < n; i += VL) {
        const int64_t lanes = lanes_at(i, n);
        const vf g = scaled_gradient(gy, scale, i, lanes);
        plain[0] += g;
        moment[0] += g * (load_some(x + i, lanes) - m);
    }
    return (gradient_sums){v_sum(plain[0] + plain[1]), v_sum(moment[0] + moment[1])};
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

/* With c = x - mean, r = 1 / sqrt(variance + epsilon) and g = gy scale:
 * gx = r (g - mean(g)) - c r^3 mean(g c). */
static void k_row_norm_grad(int64_t n, const plx_real *x, const plx_real *gy, const plx_real *scale,
                            plx_real epsilon, bool centre, plx_real *gx, plx_real *gscale,
                            plx_real *gshift) {
    plx_real mean;
    const plx_real r = row_scale(n, x, epsilon, centre, &mean);
    const gradient_sums s = sum_gradients(n, x, gy, scale, mean);
    const row_gradient w = {.x = x,
                            .gy = gy,
                            .scale = scale,
                            .gx = gx,
                            .gscale = gscale,
                            .gshift = gshift,
                            .mean = v_splat(mean),
                            .r = v_splat(r),
                            .plain = v_splat(centre ? s.plain / (plx_real)n : 0),
                            .slope = v_splat(-(r * (r * (s.moment / (plx_real)n) * r)))};
    int64_t i = 0;
    for (; i + VL <= n; i += VL) {
        ASK_FOR(x + n + i);
        ASK_FOR(gy + n + i);
        norm_grad_at(&w, i, VL);
    }
    if (i < n) norm_grad_at(&w, i, n - i);
}

/* ---- Channels -------------------------------------------------------------------------------- */

/* As column_strip, of (x - centre) z; z NULL: of the squares. */
INLINE void moment_strip(int vectors, int64_t m, const plx_real *x, const plx_real *z, int64_t ld,
                         const plx_real *centre, plx_real *y, int64_t lanes) {
    vf total[4], sum[4], middle[4];
    UNROLL
    for (int v = 0; v < vectors; ++v) {
        total[v] = v_splat(0);
        middle[v] = load_some(centre + v * VL, lanes);
    }
    for (int64_t block = 0; block < m; block += COLUMN_BLOCK) {
        const int64_t end = block + COLUMN_BLOCK < m ? block + COLUMN_BLOCK : m;
        UNROLL
        for (int v = 0; v < vectors; ++v) sum[v] = v_splat(0);
        for (int64_t i = block; i < end; ++i) {
            UNROLL
            for (int v = 0; v < vectors; ++v) {
                const vf d = load_some(x + i * ld + v * VL, lanes) - middle[v];
                sum[v] += d * (z ? load_some(z + i * ld + v * VL, lanes) : d);
            }
        }
        UNROLL
        for (int v = 0; v < vectors; ++v) total[v] += sum[v];
    }
    UNROLL
    for (int v = 0; v < vectors; ++v) store_some(y + v * VL, total[v], lanes);
}

static void k_column_moment(int64_t m, int64_t n, const plx_real *x, const plx_real *z, int64_t ld,
                            const plx_real *centre, plx_real *y) {
    int64_t j = 0;
    for (; j + 4 * VL <= n; j += 4 * VL)
        moment_strip(4, m, x + j, z ? z + j : NULL, ld, centre + j, y + j, VL);
    for (; j < n; j += VL)
        moment_strip(1, m, x + j, z ? z + j : NULL, ld, centre + j, y + j, lanes_at(j, n));
}

static void k_channel_norm(int64_t m, int64_t n, const plx_real *x, const plx_real *centre,
                           const plx_real *factor, const plx_real *shift, plx_real *y) {
    for (int64_t i = 0; i < m; ++i, x += n, y += n)
        for (int64_t j = 0; j < n; j += VL) {
            const int64_t lanes = lanes_at(j, n);
            const vf d = load_some(x + j, lanes) - load_some(centre + j, lanes);
            store_some(y + j, v_fma(d, load_some(factor + j, lanes), load_some(shift + j, lanes)),
                       lanes);
        }
}

static void k_channel_norm_grad(int64_t m, int64_t n, const plx_real *x, const plx_real *gy,
                                const plx_real *centre, const plx_real *factor,
                                const plx_real *slope, const plx_real *offset, plx_real *gx) {
    for (int64_t i = 0; i < m; ++i, x += n, gy += n, gx += n)
        for (int64_t j = 0; j < n; j += VL) {
            const int64_t lanes = lanes_at(j, n);
            const vf d = load_some(x + j, lanes) - load_some(centre + j, lanes);
            const vf line = v_fma(d, load_some(slope + j, lanes), load_some(offset + j, lanes));
            store_some(gx + j, v_fma(load_some(gy + j, lanes), load_some(factor + j, lanes), line),
                       lanes);
        }
}
