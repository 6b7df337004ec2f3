#ifndef PLX_BENCH_BITS_MODELS_H
#define PLX_BENCH_BITS_MODELS_H

#include "bench/harness.h"

/* Adds a case, in groups from group on, for each learning task without a suite of its own: its
 * losses over 50 steps, as checks.loss_bits. */
void plx__bits_models(plx_bench *bench, int group);

#endif
