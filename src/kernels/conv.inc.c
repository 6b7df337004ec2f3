/* Convolutions: the transforms of Winograd's minimal filtering F(4 x 4, 3 x 3) and the depthwise
 * case. Channels are adjacent in memory, so every lane works on a channel of its own. */

INLINE vf load_part(const plx_real *p, bool whole, int64_t lanes) {
    return whole ? v_load(p) : load_tail(p, lanes);
}

INLINE void store_part(plx_real *p, vf x, bool whole, int64_t lanes) {
    if (whole)
        v_store(p, x);
    else
        store_tail(p, x, lanes);
}

/* ---- Gathering ------------------------------------------------------------------------------- */

static void k_copy_rows(int64_t m, int64_t n, const plx_real *x, int64_t ldx, plx_real *y,
                        int64_t ldy) {
    for (int64_t i = 0; i < m; ++i, x += ldx, y += ldy) {
        int64_t j = 0;
        for (; j + VL <= n; j += VL) v_store(y + j, v_load(x + j));
        if (j < n) store_tail(y + j, load_tail(x + j, n - j), n - j);
    }
}

/* ---- Winograd -------------------------------------------------------------------------------- */

/* Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016: a tile of results
 * is A^T [(G g G^T) (B^T d B)] A, elementwise inside the brackets, with matrices that evaluate and
 * interpolate at 0, 1, -1, 2, -2 and infinity. Each function below is one of the matrices, or the
 * transpose of one for a gradient, times a column. */

/* Multiplies by B^T: 6 to 6. */
INLINE void pass_input(const vf *d, vf *t) {
    const vf four = v_splat(4), five = v_splat(-5), two = v_splat(2);
    const vf even = v_fma(-four, d[2], d[4]), odd = v_fma(-four, d[1], d[3]);
    const vf even2 = d[4] - d[2], odd2 = d[3] - d[1];
    t[0] = v_fma(four, d[0], v_fma(five, d[2], d[4]));
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = v_fma(two, odd2, even2);
    t[4] = v_fma(-two, odd2, even2);
    t[5] = v_fma(four, d[1], v_fma(five, d[3], d[5]));
}

/* Multiplies by G: 3 to 6. */
INLINE void pass_weights(const vf *g, vf *u) {
    const vf sum = C(-1.0 / 6) * (g[0] + g[2]), middle = C(-1.0 / 6) * g[1];
    const vf sum2 = v_fma(v_splat(C(1.0 / 24)), g[0], C(1.0 / 6) * g[2]);
    const vf middle2 = C(1.0 / 12) * g[1];
    u[0] = C(0.25) * g[0];
    u[1] = sum + middle;
    u[2] = sum - middle;
    u[3] = sum2 + middle2;
    u[4] = sum2 - middle2;
    u[5] = g[2];
}

/* Multiplies by A^T: 6 to 4. */
INLINE void pass_output(const vf *m, vf *y) {
    const vf sum = m[1] + m[2], difference = m[1] - m[2];
    const vf sum2 = m[3] + m[4], difference2 = m[3] - m[4];
    y[0] = m[0] + (sum + sum2);
    y[1] = v_fma(v_splat(2), difference2, difference);
    y[2] = v_fma(v_splat(4), sum2, sum);
    y[3] = v_fma(v_splat(8), difference2, difference) + m[5];
}

/* Multiplies by A: 4 to 6. */
INLINE void pass_output_grad(const vf *y, vf *m) {
    const vf even = y[0] + y[2], odd = y[1] + y[3];
    const vf even2 = v_fma(v_splat(4), y[2], y[0]), half = v_fma(v_splat(4), y[3], y[1]);
    m[0] = y[0];
    m[1] = even + odd;
    m[2] = even - odd;
    m[3] = v_fma(v_splat(2), half, even2);
    m[4] = v_fma(v_splat(-2), half, even2);
    m[5] = y[3];
}

/* Multiplies by G^T: 6 to 3. */
INLINE void pass_weights_grad(const vf *u, vf *g) {
    const vf sum = C(-1.0 / 6) * (u[1] + u[2]), difference = C(-1.0 / 6) * (u[1] - u[2]);
    const vf sum2 = u[3] + u[4], difference2 = u[3] - u[4];
    g[0] = v_fma(v_splat(C(0.25)), u[0], v_fma(v_splat(C(1.0 / 24)), sum2, sum));
    g[1] = v_fma(v_splat(C(1.0 / 12)), difference2, difference);
    g[2] = v_fma(v_splat(C(1.0 / 6)), sum2, sum) + u[5];
}

/* M x M^T, columns first. LOAD and STORE take the index of an element; neither loop is unrolled,
 * since their bodies already fill the registers. */
#define BOTH_SIDES(pass, from, to, LOAD, STORE)                                                    \
    do {                                                                                           \
        vf half_[(to) * (from)], line_[6], result_[6];                                             \
        UNROLL_BY(1)                                                                               \
        for (int j_ = 0; j_ < (from); ++j_) {                                                      \
            UNROLL                                                                                 \
            for (int i_ = 0; i_ < (from); ++i_) line_[i_] = LOAD(i_ * (from) + j_);                \
            pass(line_, result_);                                                                  \
            UNROLL                                                                                 \
            for (int i_ = 0; i_ < (to); ++i_) half_[i_ * (from) + j_] = result_[i_];               \
        }                                                                                          \
        UNROLL_BY(1)                                                                               \
        for (int i_ = 0; i_ < (to); ++i_) {                                                        \
            pass(half_ + i_ * (from), result_);                                                    \
            UNROLL                                                                                 \
            for (int j_ = 0; j_ < (to); ++j_) STORE(i_ *(to) + j_, result_[j_]);                   \
        }                                                                                          \
    } while (0)

/* Runs strip(whole, lanes, first channel) over n channels. */
#define OVER_CHANNELS(n, strip, ...)                                                               \
    do {                                                                                           \
        int64_t c_ = 0;                                                                            \
        for (; c_ + VL <= (n); c_ += VL) strip(true, VL, c_, __VA_ARGS__);                         \
        if (c_ < (n)) strip(false, (n) - c_, c_, __VA_ARGS__);                                     \
    } while (0)

#define FROM_POINTERS(k) load_part(x[k] + c, whole, lanes)
#define FROM_PLANES(k) load_part(x + (k) * ldx + c, whole, lanes)
#define TO_PLANES(k, value) store_part(y + (k) * ldy + c, value, whole, lanes)

INLINE void input_strip(bool whole, int64_t lanes, int64_t c, const plx_real *const *x, plx_real *y,
                        int64_t ldy) {
    BOTH_SIDES(pass_input, 6, 6, FROM_POINTERS, TO_PLANES);
}

static void k_winograd_input(int64_t n, const plx_real *const *x, plx_real *v, int64_t ldv) {
    OVER_CHANNELS(n, input_strip, x, v, ldv);
}

INLINE void weights_strip(bool whole, int64_t lanes, int64_t c, const plx_real *x, int64_t ldx,
                          plx_real *y, int64_t ldy) {
    BOTH_SIDES(pass_weights, 3, 6, FROM_PLANES, TO_PLANES);
}

static void k_winograd_weights(int64_t n, const plx_real *w, int64_t ldw, plx_real *u,
                               int64_t ldu) {
    OVER_CHANNELS(n, weights_strip, w, ldw, u, ldu);
}

#define TO_POINTERS(k, value)                                                                      \
    if (y[k]) store_part(y[k] + c, bias ? (value) + b : (value), whole, lanes)

INLINE void output_strip(bool whole, int64_t lanes, int64_t c, const plx_real *x, int64_t ldx,
                         const plx_real *bias, plx_real *const *y) {
    const vf b = bias ? load_part(bias + c, whole, lanes) : v_splat(0);
    BOTH_SIDES(pass_output, 6, 4, FROM_PLANES, TO_POINTERS);
}

static void k_winograd_output(int64_t n, const plx_real *m, int64_t ldm, const plx_real *bias,
                              plx_real *const *y) {
    OVER_CHANNELS(n, output_strip, m, ldm, bias, y);
}

INLINE void output_grad_strip(bool whole, int64_t lanes, int64_t c, const plx_real *const *x,
                              plx_real *y, int64_t ldy) {
    BOTH_SIDES(pass_output_grad, 4, 6, FROM_POINTERS, TO_PLANES);
}

static void k_winograd_output_grad(int64_t n, const plx_real *const *gy, plx_real *gm,
                                   int64_t ldm) {
    OVER_CHANNELS(n, output_grad_strip, gy, gm, ldm);
}

INLINE void weights_grad_strip(bool whole, int64_t lanes, int64_t c, const plx_real *x, int64_t ldx,
                               plx_real *y, int64_t ldy) {
    BOTH_SIDES(pass_weights_grad, 6, 3, FROM_PLANES, TO_PLANES);
}

static void k_winograd_weights_grad(int64_t n, const plx_real *gu, int64_t ldu, plx_real *gw,
                                    int64_t ldw) {
    OVER_CHANNELS(n, weights_grad_strip, gu, ldu, gw, ldw);
}

/* ---- Depthwise ------------------------------------------------------------------------------- */

enum { DEPTHWISE_PIXELS = 4, DEPTHWISE_TAPS = 3, DEPTHWISE_VECTORS = 2 };

/* Neighbouring results share each loaded weight. */
INLINE void depthwise_strip(bool whole, int64_t lanes, int64_t c, int pixels, int64_t taps,
                            const plx_real *const *x, int64_t from, int64_t step,
                            const plx_real *const *w, const plx_real *bias, plx_real *y,
                            int64_t ldy) {
    vf sum[DEPTHWISE_PIXELS];
    UNROLL
    for (int i = 0; i < pixels; ++i) sum[i] = v_splat(0);
    for (int64_t t = 0; t < taps; ++t) {
        const vf weight = load_part(w[t] + c, whole, lanes);
        const plx_real *at = x[t] + from + c;
        UNROLL
        for (int i = 0; i < pixels; ++i)
            sum[i] = v_fma(load_part(at + i * step, whole, lanes), weight, sum[i]);
    }
    const vf b = bias ? load_part(bias + c, whole, lanes) : v_splat(0);
    UNROLL
    for (int i = 0; i < pixels; ++i)
        store_part(y + i * ldy + c, bias ? sum[i] + b : sum[i], whole, lanes);
}

/* For more taps than one chain may have: chains are added with their rounding errors. */
SELDOM void depthwise_long(int64_t m, int64_t n, int64_t taps, const plx_real *const *x,
                           int64_t step, const plx_real *const *w, const plx_real *bias,
                           plx_real *y, int64_t ldy) {
    for (int64_t i = 0; i < m; ++i)
        for (int64_t c = 0; c < n; c += VL) {
            const int64_t lanes = n - c < VL ? n - c : VL;
            vf total = v_splat(0), error = total;
            for (int64_t t = 0; t < taps;) {
                const int64_t end = taps - t > GEMM_CHAIN ? t + GEMM_CHAIN : taps;
                vf sum = v_splat(0);
                for (; t < end; ++t)
                    sum = v_fma(load_some(x[t] + i * step + c, lanes), load_some(w[t] + c, lanes),
                                sum);
                two_sum(&total, &error, sum);
            }
            total += error;
            store_some(y + i * ldy + c, bias ? total + load_some(bias + c, lanes) : total, lanes);
        }
}

static void k_depthwise(int64_t m, int64_t n, int64_t taps, const plx_real *const *x, int64_t step,
                        const plx_real *const *w, const plx_real *bias, plx_real *y, int64_t ldy) {
    if (taps > GEMM_CHAIN) {
        depthwise_long(m, n, taps, x, step, w, bias, y, ldy);
        return;
    }
    int64_t i = 0;
    for (; i + DEPTHWISE_PIXELS <= m; i += DEPTHWISE_PIXELS)
        OVER_CHANNELS(n, depthwise_strip, DEPTHWISE_PIXELS, taps, x, i * step, step, w, bias,
                      y + i * ldy, ldy);
    for (; i < m; ++i)
        OVER_CHANNELS(n, depthwise_strip, 1, taps, x, i * step, step, w, bias, y + i * ldy, ldy);
}

/* Several taps share each loaded gradient; taking one row of taps at a time keeps few cache lines
 * in use. */
INLINE void depthwise_weights_strip(bool whole, int64_t lanes, int64_t c, int vectors, int taps,
                                    int64_t m, const plx_real *const *x, int64_t step,
                                    const plx_real *gy, int64_t ldg, plx_real *const *gw) {
    vf sum[DEPTHWISE_TAPS][DEPTHWISE_VECTORS];
    const plx_real *at[DEPTHWISE_TAPS];
    UNROLL
    for (int t = 0; t < taps; ++t) {
        at[t] = x[t] + c;
        UNROLL
        for (int v = 0; v < vectors; ++v) sum[t][v] = v_splat(0);
    }
    for (int64_t i = 0; i < m; ++i) {
        vf g[DEPTHWISE_VECTORS];
        UNROLL
        for (int v = 0; v < vectors; ++v) g[v] = load_part(gy + i * ldg + c + v * VL, whole, lanes);
        UNROLL
        for (int t = 0; t < taps; ++t) {
            UNROLL
            for (int v = 0; v < vectors; ++v)
                sum[t][v] =
                    v_fma(load_part(at[t] + i * step + v * VL, whole, lanes), g[v], sum[t][v]);
        }
    }
    UNROLL
    for (int t = 0; t < taps; ++t) {
        UNROLL
        for (int v = 0; v < vectors; ++v) {
            plx_real *to = gw[t] + c + v * VL;
            store_part(to, load_part(to, whole, lanes) + sum[t][v], whole, lanes);
        }
    }
}

INLINE void depthwise_weights_taps(int taps, int64_t m, int64_t n, const plx_real *const *x,
                                   int64_t step, const plx_real *gy, int64_t ldg,
                                   plx_real *const *gw) {
    enum { STEP = DEPTHWISE_VECTORS * VL };
    int64_t c = 0;
    for (; c + STEP <= n; c += STEP)
        depthwise_weights_strip(true, VL, c, DEPTHWISE_VECTORS, taps, m, x, step, gy, ldg, gw);
    for (; c < n; c += VL) {
        if (c + VL <= n)
            depthwise_weights_strip(true, VL, c, 1, taps, m, x, step, gy, ldg, gw);
        else
            depthwise_weights_strip(false, n - c, c, 1, taps, m, x, step, gy, ldg, gw);
    }
}

static void k_depthwise_weights(int64_t m, int64_t n, int64_t taps, const plx_real *const *x,
                                int64_t step, const plx_real *gy, int64_t ldg,
                                plx_real *const *gw) {
    int64_t t = 0;
    for (; t + DEPTHWISE_TAPS <= taps; t += DEPTHWISE_TAPS)
        depthwise_weights_taps(DEPTHWISE_TAPS, m, n, x + t, step, gy, ldg, gw + t);
    for (; t < taps; ++t) depthwise_weights_taps(1, m, n, x + t, step, gy, ldg, gw + t);
}
