/* The arithmetic that bounds every kernel, with nothing else to wait for. Twelve accumulators are
 * more than latency times pipes on any core met so far, and fit the 16 registers of x86 beside the
 * two constants. Without FMA, multiplications and additions are separate chains: cores have pipes
 * for each. */
static plx_real k_peak(int64_t rounds, plx_real one, plx_real zero) {
    enum { CHAINS = 12 };
    const vf x = v_splat(one), y = v_splat(zero);
    vf chain[CHAINS];
    UNROLL
    for (int i = 0; i < CHAINS; ++i) chain[i] = x;
    for (int64_t r = 0; r < rounds; ++r) {
        UNROLL
        for (int i = 0; i < CHAINS; ++i) {
            if (FMA)
                chain[i] = v_fma(chain[i], x, y);
            else if (i % 2)
                chain[i] = chain[i] * x;
            else
                chain[i] = chain[i] + y;
        }
    }
    vf sum = chain[0];
    UNROLL
    for (int i = 1; i < CHAINS; ++i) sum += chain[i];
    return sum[0];
}
