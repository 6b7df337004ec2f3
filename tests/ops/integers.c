/* Ops that move elements do so bit for bit with every dtype; ops that cannot pass a gradient
 * through integers say so. */
#include "ops/walk.h"

#include <stdlib.h>
#include <string.h>

typedef struct integer_walk {
    plx_check *t;
    plx_ctx *ctx;
    plx_dtype dtype; /* of the elements that are moved */
    int samples;
} integer_walk;

/* Sets element n to a pattern that depends on n: 32-bit ones are distinct, and every other one
 * would be a signaling NaN as a float; smaller ones are the low bytes of those. */
static void set_pattern(size_t bytes, int64_t n, void *element) {
    const uint32_t mixed = (uint32_t)n * 2654435761U;
    const uint32_t bits = n % 2 && bytes == 4 ? UINT32_C(0x7f800000) + (uint32_t)n : mixed;
    memcpy(element, &bits, bytes);
}

/* Numbers all elements of all inputs from 1, except indices and the like: n itself for reals,
 * otherwise the pattern of n. */
static void number_inputs(const plx_walk *walk, plx_dtype dtype) {
    int64_t n = 1;
    const size_t bytes = plx__element_bytes(dtype);
    for (int k = 0; k < walk->sample->inputs_count; ++k) {
        plx_tensor *x = walk->inputs[k];
        const plx__operand_row *row =
            plx__operand_at(walk->op, walk->sample->inputs_count, &walk->sample->attrs, k);
        if (row->role & PLX__CONSTANT) continue;
        for (int64_t i = 0; i < plx_tensor_size(x); ++i, ++n)
            if (dtype == PLX_DTYPE_REAL)
                ((plx_real *)x->data)[i] = (plx_real)n;
            else
                set_pattern(bytes, n, (char *)x->data + (size_t)i * bytes);
    }
}

/* Compiles and runs y; returns the plan, or NULL. */
static plx_plan *run(plx_check *t, plx_walk *walk) {
    const plx_plan_options all_threads = {.passes = PLX_PASS_DEAD_CODE | PLX_PASS_MEMORY};
    plx_plan *plan = NULL;
    plx_status status = plx_compile(walk->graph, 1, &walk->y, &all_threads, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    CHECK(t, status == PLX_OK, "%s: %s", walk->op->name, plx_message(walk->ctx));
    return plan;
}

enum { PADDING = 1000003 }; /* stands for results that are no element of an input */

static void compare(integer_walk *w, const plx_walk *moved, const plx_plan *reals,
                    const plx_walk *whole, const plx_plan *stored, const char *text) {
    const plx_real *from = plx_plan_output(reals, moved->y);
    const char *y = plx_plan_output_as(stored, whole->y, w->dtype);
    const plx__node *node = plx__at(whole->graph, whole->y);
    if (!CHECK(w->t, node->dtype == w->dtype, "%s: its result is %s", text,
               plx__dtype_name(node->dtype)))
        return;
    const size_t bytes = plx__element_bytes(w->dtype);
    const double padding = 1;
    for (int64_t i = 0; from && y && i < plx__size(node); ++i) {
        const int64_t n = (int64_t)from[i];
        char expected[8];
        set_pattern(bytes, n, expected);
        if (n == PADDING) plx__encode(w->dtype, 1, &padding, expected);
        if (!CHECK(w->t, !memcmp(y + (size_t)i * bytes, expected, bytes),
                   "%s of %s: element %lld is not number %lld", text, plx__dtype_name(w->dtype),
                   (long long)i, (long long)n))
            break;
    }
}

/* The same op on reals that number the elements tells where each one comes from. */
static void check_moves(void *arg, const plx_op *op, const plx__sample *given, const char *text) {
    integer_walk *w = arg;
    plx__sample sample = *given, padded = *given;
    if (op->result < PLX__AS(0)) return;
    if (op == &plx__op_pad) {
        sample.attrs.pad.value = PADDING;
        padded.attrs.pad.value = 1;
    }
    /* Scaling is only for reals. */
    if (op == &plx__op_broadcast_to) sample.attrs.sum.factor = padded.attrs.sum.factor = 1;
    plx_walk reals, stored;
    const bool made = plx_walk_open(w->t, w->ctx, op, &sample, PLX_WALK_PLAIN, &reals);
    if (plx_walk_open_as(w->t, w->ctx, op, &padded, PLX_WALK_PLAIN, w->dtype, &stored) && made) {
        number_inputs(&reals, PLX_DTYPE_REAL);
        number_inputs(&stored, w->dtype);
        plx_plan *a = run(w->t, &reals), *b = run(w->t, &stored);
        if (a && b) compare(w, &reals, a, &stored, b, text);
        plx_plan_free(a);
        plx_plan_free(b);
        w->samples += 1;
    }
    plx_walk_close(&stored);
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
            {loss, ids, "gradients: variable 0 must hold " REAL_NAME ", not int32"},
            {id, ids, "gradients: the loss must hold " REAL_NAME ", not int32"},
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
            for (int dtype = PLX_DTYPE_I32; dtype < PLX_DTYPES_; ++dtype) {
                walk.dtype = (plx_dtype)dtype;
                plx_walk_ops(check_moves, &walk);
            }
            CHECK(t, walk.samples > 30 * (PLX_DTYPES_ - 1), "%d samples of ops that move",
                  walk.samples);
            check_gradients(t, walk.ctx);
        }
        plx_ctx_free(walk.ctx);
    }
}
