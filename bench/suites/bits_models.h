#ifndef PLX_BENCH_BITS_MODELS_H
#define PLX_BENCH_BITS_MODELS_H

#include "bench/harness.h"

/* Adds a case for each learning task that has no suite of its own, in groups from group on: its
 * losses over 50 steps, as checks.loss_bits. */
void plx__bits_models(plx_bench *bench, int group);

#endif
