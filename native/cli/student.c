#include "student.h"

#include <math.h>

/* The continued fraction of the incomplete beta function, DLMF 8.17.22
 * (https://dlmf.nist.gov/8.17), by Lentz's method; it converges fast for x < (a + 1) / (a + b + 2).
 */
static double beta_fraction(double a, double b, double x) {
    static const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < 1000; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double factor = 1;
        for (int half = 0; half < 2; ++half) {
            const double term = half ? odd : even;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            if (fabs(c) < tiny) c = tiny;
            factor = d * c;
            value *= factor;
        }
        if (fabs(factor - 1) < 1e-15) break;
    }
    return value;
}

/* I_x(a, b), the regularised incomplete beta function. */
static double beta(double a, double b, double x) {
    if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_tail(double t, double freedom) {
    if (isinf(freedom)) return erfc(t / sqrt(2.0)) / 2;
    return beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2;
}

double student_quantile(double tail, double freedom) {
    double low = 0, high = 1;
    while (student_tail(high, freedom) > tail && high < 1e300) high *= 2;
    /* Doubles have 53 bits: more halvings change nothing. */
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        if (student_tail(middle, freedom) > tail)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}
