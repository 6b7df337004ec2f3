/* Arithmetic on sizes. */
#ifndef PLX_BASE_SIZES_H
#define PLX_BASE_SIZES_H

#include <stdint.h>

static inline int64_t plx__least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t plx__most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Rounds value >= 0 up to the next multiple. */
static inline int64_t plx__round_up(int64_t value, int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

#endif
