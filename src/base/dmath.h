/* Elementary functions in double precision from IEEE operations alone, so that seeded data and
 * hyper-parameters have the same bits wherever they are made: a system's libm differs from the next
 * one's. Errors are below 2e-15 relative (sine and cosine: absolute, for |x| < 1e5). Scalar; the
 * vectorised float versions live in kernels/. */
#ifndef PLX_BASE_DMATH_H
#define PLX_BASE_DMATH_H

double plx__exp(double x);
double plx__log(double x);
double plx__sin(double x);
double plx__cos(double x);
/* Correctly rounded, as IEEE 754 asks. */
double plx__sqrt(double x);

#endif
