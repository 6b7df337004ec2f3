/* Memory that plans share. */
#ifndef PLX_PLAN_SHARED_H
#define PLX_PLAN_SHARED_H

#include "parallax.h"

/* Bytes of packed copies, and of values that stay, which the plan has and none of the others. */
int64_t plx__packed_bytes(const plx_plan *plan, int count, const plx_plan *const *others);
int64_t plx__folded_bytes(const plx_plan *plan, int count, const plx_plan *const *others);

#endif
