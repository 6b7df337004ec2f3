/* The part of the suite bits about operations. */
#ifndef PLX_BENCH_BITS_OPERATIONS_H
#define PLX_BENCH_BITS_OPERATIONS_H

#include "bench/harness.h"

/* Adds the case to this group. */
void plx__bits_operations(plx_bench *bench, int group);

#endif
