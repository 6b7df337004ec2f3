/* Ops that move elements do so with integers, bit for bit, and what they do to a gradient is said.
 */
#include "ops/walk.h"

#include <stdlib.h>
#include <string.h>

typedef struct integer_walk {
    plx_check *t;
    plx_ctx *ctx;
    int samples;
} integer_walk;

/* Integer n: all 32 bits, every other one a signaling NaN if it were a float. */
static int32_t pattern(int64_t n) {
    const uint32_t bits = n % 2 ? UINT32_C(0x7f800000) + (uint32_t)n : (uint32_t)n * 2654435761U;
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Numbers all elements of all inputs but labels from 1 on: n itself where they are real, else its
 * pattern. */
static void number_inputs(const plx_walk *walk) {
    int64_t n = 1;
    for (int k = 0; k < walk->sample->inputs_count; ++k) {
        plx_tensor *x = walk->inputs[k];
        if (plx__marks(walk->op->labels, k)) continue;
        for (int64_t i = 0; i < plx_tensor_size(x); ++i, ++n)
            if (x->dtype == PLX_DTYPE_I32)
                ((int32_t *)x->data)[i] = pattern(n);
            else
                ((plx_real *)x->data)[i] = (plx_real)n;
    }
}

/* Compiles and runs y: a plan, or NULL. */
static plx_plan *run(plx_check *t, plx_walk *walk) {
    const plx_plan_options all_threads = {.passes = PLX_PASS_MEMORY};
    plx_plan *plan = NULL;
    plx_status status = plx_compile(walk->graph, 1, &walk->y, &all_threads, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    CHECK(t, status == PLX_OK, "%s: %s", walk->op->name, plx_message(walk->ctx));
    return plan;
}

enum { PADDING = -1 };

static void compare(integer_walk *w, const plx_walk *moved, const plx_plan *reals,
                    const plx_walk *whole, const plx_plan *integers, const char *text) {
    const plx_real *from = plx_plan_output(reals, moved->y);
    const int32_t *y = plx_plan_output_i32(integers, whole->y);
    const plx__node *node = plx__at(whole->graph, whole->y);
    CHECK(w->t, node->dtype == PLX_DTYPE_I32, "%s: its result is real", text);
    for (int64_t i = 0; from && y && i < plx__size(node); ++i) {
        const int64_t n = (int64_t)from[i];
        const int32_t expected = n == PADDING ? PADDING : pattern(n);
        if (!CHECK(w->t, y[i] == expected, "%s: element %lld is %d, not %d", text, (long long)i,
                   (int)y[i], (int)expected))
            break;
    }
}

/* Where each element comes from is told by the same op on reals that number them. */
static void check_moves(void *arg, const plx_op *op, const plx__sample *given, const char *text) {
    integer_walk *w = arg;
    plx__sample sample = *given;
    if (!(op->flags & PLX__OP_MOVES)) return;
    if (op == &plx__op_pad) sample.attrs.f[0] = PADDING;
    /* Scaling is for reals alone. */
    if (op == &plx__op_broadcast_to) sample.attrs.f[0] = 1;
    plx_walk reals, integers;
    const bool made = plx_walk_open(w->t, w->ctx, op, &sample, PLX_WALK_PLAIN, &reals);
    if (plx_walk_open(w->t, w->ctx, op, &sample, PLX_WALK_INTEGERS, &integers) && made) {
        number_inputs(&reals);
        number_inputs(&integers);
        plx_plan *a = run(w->t, &reals), *b = run(w->t, &integers);
        if (a && b) compare(w, &reals, a, &integers, b, text);
        plx_plan_free(a);
        plx_plan_free(b);
        w->samples += 1;
    }
    plx_walk_close(&integers);
    plx_walk_close(&reals);
}

/* ---- Gradients ------------------------------------------------------------------------------- */

typedef struct wanted {
    plx_node loss, variable;
    const char *sentence;
} wanted;

static void check_gradients(plx_check *t, plx_ctx *ctx) {
    for (int i = 0; i < 3; ++i) {
        plx_graph *graph = NULL;
        plx_graph_new(ctx, &graph);
        const int64_t size = 4;
        const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 1, &size);
        const plx_node ids = plx_input(graph, "ids", PLX_DTYPE_I32, 1, &size);
        const plx_node taken = plx_gather(graph, x, plx_slice(graph, ids, 0, 0, 4, 2), 0);
        const plx_node loss = plx_reduce_sum(graph, taken, PLX_ALL_AXES);
        const plx_node id = plx_reshape(graph, plx_slice(graph, ids, 0, 0, 1, 1), 0, NULL);
        const wanted cases[] = {
            {loss, ids, "gradients: variable 0 holds 32-bit integers, which have no gradient"},
            {id, ids, "gradients: the loss holds 32-bit integers, which have no gradient"},
            {loss, x, NULL},
        };
        plx_node gradient = plx_none();
        const plx_status status =
            plx_gradients(graph, cases[i].loss, 1, &cases[i].variable, &gradient);
        if (cases[i].sentence)
            CHECK(t, status == PLX_ERR_ARGUMENT && !strcmp(plx_message(ctx), cases[i].sentence),
                  "case %d: %s", i, plx_message(ctx));
        else
            CHECK(t, status == PLX_OK && gradient.id >= 0, "case %d: %s", i, plx_message(ctx));
        plx_graph_free(graph);
    }
}

void plx_test_ops_integers(plx_check *t) {
    for (int i = 0; plx_isa_name(i); ++i) {
        integer_walk walk = {.t = t, .ctx = plx_check_context(t, plx_isa_name(i), 2)};
        if (walk.ctx) {
            plx_walk_ops(check_moves, &walk);
            CHECK(t, walk.samples > 30, "%d samples of ops that move", walk.samples);
            check_gradients(t, walk.ctx);
        }
        plx_ctx_free(walk.ctx);
    }
}
