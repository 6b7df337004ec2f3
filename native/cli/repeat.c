#include "repeat.h"

#include "estimate.h"
#include "student.h"

#include <math.h>
#include <stdbool.h>

/* Two values leave Student's t one degree of freedom and its 95% interval 25 standard errors. */
enum { RUNS_LEAST = 3 };

repeated repeat_statistics(int count, const double *values) {
    if (count < 2) return (repeated){count ? values[0] : NAN, NAN, NAN, NAN};
    double mean, centre, logs[RUNS_MOST];
    spread s = spread_of(count, values, &mean);
    repeated r = {mean, sqrt(s.variance * count), NAN, NAN};
    if (count < RUNS_LEAST) return r;
    bool positive = count <= RUNS_MOST;
    for (int i = 0; i < count && positive; ++i) {
        positive = values[i] > 0;
        if (positive) logs[i] = log(values[i]);
    }
    s = spread_of(count, positive ? logs : values, &centre);
    const double half = student_quantile(TAIL_95, s.freedom) * sqrt(s.variance);
    r.low = fmin(positive ? exp(centre - half) : centre - half, mean);
    r.high = fmax(positive ? exp(centre + half) : centre + half, mean);
    return r;
}
