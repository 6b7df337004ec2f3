/* Every op with its inputs against protected pages, in an arena filled with NaN: nothing outside
 * an operand is touched, and nothing is read before it is written. */
#include "kernels/guarded.h"
#include "ops/walk.h"

#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct guarded_walk {
    plx_check *t;
    plx_ctx *ctx;
    plx_guards guards;
    bool at_end;
    const char *isa;
} guarded_walk;

/* Puts the input's elements at the end (or start) of a block; NULL if there are too many. */
static void *guarded_copy(guarded_walk *w, const plx_tensor *tensor) {
    const size_t bytes = (size_t)tensor->size * plx__element_bytes(tensor->dtype);
    const size_t values = (bytes + sizeof(plx_real) - 1) / sizeof(plx_real);
    char *block = (char *)plx_guards_take(&w->guards, (int64_t)values);
    if (!block) return NULL;
    if (w->at_end) block += values * sizeof(plx_real) - bytes;
    memcpy(block, tensor->data, bytes);
    return block;
}

typedef struct plan_run {
    plx_plan *plan;
    plx_status status;
} plan_run;

static void run_plan(void *arg) {
    plan_run *run = arg;
    run->status = plx_plan_run(run->plan);
}

static void run_guarded(guarded_walk *w, plx_walk *walk, const plx_real *expected, int64_t size,
                        const char *text) {
    const plx_plan_options options = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};
    plan_run run = {.plan = NULL};
    run.status = plx_compile(walk->graph, 1, &walk->y, &options, &run.plan);
    if (!CHECK(w->t, run.status == PLX_OK, "%s: %s", text, plx_message(w->ctx)) || !run.plan)
        return;
    /* A view of an input has no memory of its own. */
    memset(run.plan->arena, 0xff, (size_t)(run.plan->arena_bytes + run.plan->memory.workspace));
    const bool held = plx_guards_run(run_plan, &run);
    CHECK(w->t, held && run.status == PLX_OK, "%s on %s: %s", text, w->isa,
          held ? plx_message(w->ctx) : "touches a protected page");
    CHECK(w->t, plx_guards_intact(&w->guards), "%s on %s: writes next to an input", text, w->isa);
    const plx__node *y = plx__at(walk->graph, walk->y);
    const void *own = plx_plan_output_as(run.plan, walk->y, y->dtype);
    bool same = held;
    for (int64_t i = 0; same && i < size; ++i) {
        const plx_real value = plx_walk_value(y->dtype, own, i);
        same = !memcmp(&value, &expected[i], sizeof value);
    }
    CHECK(w->t, same, "%s on %s: other bits with an arena full of NaN", text, w->isa);
    plx_plan_free(run.plan);
}

static void check_guarded(void *arg, const plx_op *op, const plx__sample *sample,
                          const char *text) {
    guarded_walk *w = arg;
    const plx_plan_options plain = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};
    plx_walk walk;
    int64_t size = 0;
    plx_real *expected = NULL;
    if (plx_walk_open(w->t, w->ctx, op, sample, PLX_WALK_PLAIN, &walk))
        expected = plx_walk_run(w->t, &walk, &plain, &size);
    plx_walk_close(&walk);
    if (!expected || !plx_walk_open(w->t, w->ctx, op, sample, PLX_WALK_PLAIN, &walk)) return;
    void *kept[PLX__SAMPLE_INPUTS];
    bool fits = true;
    plx_guards_reset(&w->guards, w->at_end);
    for (int k = 0; k < sample->inputs_count; ++k) {
        kept[k] = walk.inputs[k]->data;
        void *copy = fits ? guarded_copy(w, walk.inputs[k]) : NULL;
        fits = fits && copy;
        if (copy) walk.inputs[k]->data = copy;
    }
    CHECK(w->t, fits, "%s: a sample's inputs are larger than the guarded blocks", text);
    if (fits) run_guarded(w, &walk, expected, size, text);
    for (int k = 0; k < sample->inputs_count; ++k) walk.inputs[k]->data = kept[k];
    plx_walk_close(&walk);
    free(expected);
}

void plx_test_ops_guarded(plx_check *t) {
    guarded_walk w = {.t = t};
    if (!CHECK(t, plx_guards_open(&w.guards), "no memory for guarded blocks")) return;
    for (int i = 0; plx_isa_name(i); ++i) {
        w.isa = plx_isa_name(i);
        w.ctx = plx_check_context(t, w.isa, 1);
        for (int end = 0; w.ctx && end < 2; ++end) {
            w.at_end = end;
            plx_walk_ops(check_guarded, &w);
        }
        plx_ctx_free(w.ctx);
    }
    plx_guards_close(&w.guards);
}
