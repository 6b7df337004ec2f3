#include "repeat.h"

#include "estimate.h"
#include "student.h"

#include <math.h>

repeated repeat_statistics(int count, const double *values) {
    if (count < 2) return (repeated){count ? values[0] : NAN, NAN, NAN, NAN};
    double mean;
    const spread s = spread_of(count, values, &mean);
    const double half = student_quantile(TAIL_95, s.freedom) * sqrt(s.variance);
    return (repeated){mean, sqrt(s.variance * count), mean - half, mean + half};
}
