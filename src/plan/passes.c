/* The table of passes. */
#include "plan/plan_internal.h"

enum { NODES = false, STEPS = true };

#define PASS(flag, function, bit, stage, without)                                                  \
    {{#function, PLX_PASS_##flag, without}, stage, plx__pass_##function},
static const plx__pass rows[] = {PLX_PASSES(PASS)};
#undef PASS

const plx__pass *plx__passes(int *count) {
    *count = (int)(sizeof rows / sizeof rows[0]);
    return rows;
}

const plx_pass_info *plx_pass_at(int i) {
    int count;
    const plx__pass *passes = plx__passes(&count);
    return i >= 0 && i < count ? &passes[i].info : NULL;
}
