/* Student's t distribution; the normal distribution if the degrees of freedom are INFINITY. */
#ifndef PLX_CLI_STUDENT_H
#define PLX_CLI_STUDENT_H

/* P(T > t) for t >= 0. freedom > 0 need not be whole. */
double student_tail(double t, double freedom);
/* The t with P(T > t) = tail, 0 < tail <= 1/2. */
double student_quantile(double tail, double freedom);

#endif
