/* tanh at points around a value, from one exponential. With E = e^(2x) and g = e^(2 delta),
 * tanh(x + delta) = 1 - 2 / (E g + 1), and its distance from tanh(x) is
 * 2 E (g - 1) / ((E + 1) (E g + 1)), without cancellation. Beyond 40, tanh is 1; E g stays finite
 * for |delta| <= 4. */

INLINE vf v_exp_twice(vf x) {
    const vf bounded = v_greater(v_splat(C(-40)), v_less(v_splat(C(40)), x));
    return v_exp(bounded + bounded);
}

static void k_tanh_near(int64_t n, const plx_real *x, plx_real scale, plx_real *y) {
    const vf g = v_splat(scale);
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf e = v_exp_twice(load_some(x + i, lanes));
        store_some(y + i, 1 - 2 / v_fma(e, g, v_splat(1)), lanes);
    }
}

/* With d = tanh(x + delta) - tanh(x) and a the mean of d, the mean is tanh(x) + a, the variance v
 * the mean of d^2 less a^2, and the third central moment that of d^3 - 3 a d^2 + 2 a^3. As the
 * derivative of each tanh is 1 - tanh^2, the moments give the derivatives of mean and variance. */
static void k_futures(int64_t n, int64_t count, const plx_real *x, const plx_real *scale,
                      plx_real *mean, plx_real *variance, plx_real *mean_slope,
                      plx_real *variance_slope) {
    const vf share = v_splat(1 / (plx_real)count), one = v_splat(1);
    for (int64_t i = 0; i < n; i += VL) {
        const int64_t lanes = n - i < VL ? n - i : VL;
        const vf e = v_exp_twice(load_some(x + i, lanes));
        vf s1 = v_splat(0), s2 = s1, s3 = s1;
        for (int64_t k = 0; k < count; ++k) {
            const vf g = v_broadcast(scale + k), part = (g - one) / v_fma(e, g, one);
            const vf square = part * part;
            s1 += part;
            s2 += square;
            s3 = v_fma(square, part, s3);
        }
        const vf inverse = 1 / (e + 1), q = 2 * e * inverse, q2 = q * q;
        const vf a = s1 * share * q, squares = s2 * share * q2, cubes = s3 * share * (q2 * q);
        const vf v = squares - a * a, m = (e - 1) * inverse + a;
        const vf third = cubes - a * (3 * squares - 2 * (a * a));
        store_some(mean + i, m, lanes);
        store_some(variance + i, v, lanes);
        store_some(mean_slope + i, (1 - m * m) - v, lanes);
        store_some(variance_slope + i, -2 * (2 * (m * v) + third), lanes);
    }
}
