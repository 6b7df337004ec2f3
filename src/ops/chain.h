/* Several elementwise operations as one step, run tile by tile so that values in between stay in
 * the first-level cache. Passes make chains; builders do not. */
#ifndef PLX_OPS_CHAIN_H
#define PLX_OPS_CHAIN_H

#include "ops/op.h"

enum { PLX__CHAIN_MOST = 4, PLX__CHAIN_INPUTS = PLX__CHAIN_MOST + 1 };

/* The kind of an operation in attrs.chain.kind; -1: chains cannot have it. */
int plx__chain_kind(const plx_op *op);

bool plx__chain_is_binary(int64_t kind);
/* Such an operation as a chain of one member. */
plx__chain_attrs plx__chain_of(const plx_op *op, const plx__attrs *attrs);

/* Whether a chain on count inputs can give a value like this: each has its shape, one value, or the
 * shape of its last axes, with as many values as any other such input. */
bool plx__chain_fits(const plx__node *like, int count, const plx__node *const *inputs);

/* Elements first to first + n - 1 of the step's dropout. */
void plx__drop(const plx_kernels *kernels, const plx__step *step, double rate, int64_t seed,
               int64_t first, int64_t n, const plx_real *x, plx_real *y);

#endif
