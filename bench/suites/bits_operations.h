/* A part of the suite bits. */
#ifndef PLX_BENCH_BITS_OPERATIONS_H
#define PLX_BENCH_BITS_OPERATIONS_H

#include "bench/harness.h"

/* Adds the case, of this group. */
void plx__bits_operations(plx_bench *bench, int group);

#endif
