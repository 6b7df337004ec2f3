/* Peak arithmetic, the bound of every kernel, with as few other delays as possible. */

/* With FMA: more chains than latency times pipes on any core so far (4 x 2), which fit into the 16
 * registers of x86 together with the two constants. */
enum { PEAK_CHAINS = 12 };

/* Without FMA: cores have separate pipes for products and sums, and both must be busy at once. A
 * chain of products would be limited by its latency, so products take loaded values, three new
 * vectors with three fixed ones, and only the sums are chains: nine are more than latency times
 * pipes. */
enum { PEAK_SIDE = 3, PEAK_LINES = 8 };

#define PEAK_FLOPS (2 * VL * (FMA ? PEAK_CHAINS : PEAK_SIDE * PEAK_SIDE))

INLINE plx_real peak_fused(int64_t rounds, plx_real one, plx_real zero) {
    const vf x = v_splat(one), y = v_splat(zero);
    vf chain[PEAK_CHAINS];
    UNROLL
    for (int i = 0; i < PEAK_CHAINS; ++i) chain[i] = x;
    for (int64_t r = 0; r < rounds; ++r) {
        UNROLL
        for (int i = 0; i < PEAK_CHAINS; ++i) chain[i] = v_fma(chain[i], x, y);
    }
    vf sum = chain[0];
    UNROLL
    for (int i = 1; i < PEAK_CHAINS; ++i) sum += chain[i];
    return sum[0];
}

INLINE plx_real peak_apart(int64_t rounds, plx_real one, plx_real zero) {
    plx_real lines[PEAK_LINES * PEAK_SIDE * VL];
    vf stay[PEAK_SIDE], sum[PEAK_SIDE][PEAK_SIDE];
    for (int i = 0; i < PEAK_LINES * PEAK_SIDE * VL; ++i) lines[i] = one;
    UNROLL
    for (int i = 0; i < PEAK_SIDE; ++i) {
        stay[i] = v_load(lines + i * VL);
        UNROLL
        for (int j = 0; j < PEAK_SIDE; ++j) sum[i][j] = v_splat(zero);
    }
    for (int64_t r = 0; r < rounds; ++r) {
        const plx_real *line = lines + r % PEAK_LINES * PEAK_SIDE * VL;
        UNROLL
        for (int i = 0; i < PEAK_SIDE; ++i) {
            const vf x = v_load(line + i * VL);
            UNROLL
            for (int j = 0; j < PEAK_SIDE; ++j) sum[i][j] += x * stay[j];
        }
    }
    vf all = v_splat(zero);
    UNROLL
    for (int i = 0; i < PEAK_SIDE; ++i) {
        UNROLL
        for (int j = 0; j < PEAK_SIDE; ++j) all += sum[i][j];
    }
    return all[0];
}

static plx_real k_peak(int64_t rounds, plx_real one, plx_real zero) {
    return FMA ? peak_fused(rounds, one, zero) : peak_apart(rounds, one, zero);
}
