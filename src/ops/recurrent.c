/* LSTM (Hochreiter and Schmidhuber, Neural Computation 1997, with the forget gate of Gers et al.,
 * 2000) and GRU (Cho et al., EMNLP 2014). The products of all inputs with their weights come ready,
 * as one matrix product; a step adds those of the state with the recurrent weights, which are
 * packed once for all steps. Threads share samples, each of which goes through all steps alone.
 *
 * A row is what one sample has at one step. What a row keeps for the gradient, in units values
 * each: lstm  the gates i, f, g and o after their activations, and the cell gru   the gates z, r
 * and n after their activations, and q: the state's part of n, before the reset gate multiplies it
 * (reset_after) or the state after it did */
#include "ops/recurrent.h"

#include "base/sizes.h"
#include "ops/op.h"

#include <assert.h>
#include <string.h>

enum { PARTS = 2 };

typedef struct run {
    const plx_kernels *k;
    bool lstm, reverse, reset_after;
    int64_t batch, time, units;
    int64_t gates, kept_units;               /* values of a row of x, and of one of kept */
    const plx_real *x, *r, *h0, *own, *mask; /* own: c0 of lstm, recurrent bias of gru */
    plx_real *kept, *y, *cell;
    plx_real *panels[PARTS]; /* the recurrent weights, or their transpose; see part_of */
    plx_real *h;             /* [batch, units] */
    /* Backward. */
    const plx_real *gy, *gcell;
    plx_real *gx, *gr, *gown; /* h is the gradient of the state, gh0 in the end */
    plx_real *gc;             /* of the cell, [batch, units] */
    plx_real *row_gates;      /* gradients of a step's gates, [batch, gates] */
    plx_real *q;              /* [batch, units]: that of q; scratch of lstm */
    plx_real *before, *all_q; /* states before the steps, and all q, [batch, time, units] */
    void *product_space;
} run;

/* ---- Shapes ---------------------------------------------------------------------------------- */

static bool is_lstm(const plx_op *op) {
    return op == &plx__op_lstm || PLX__IS_GRADIENT(op, lstm);
}

/* The number of gates, and of values that a row keeps for each unit. */
static int64_t gates_of(const plx_op *op) {
    return is_lstm(op) ? 4 : 3;
}

static int64_t kept_by(const plx_op *op) {
    return gates_of(op) + 1;
}

static plx_status refuse(plx_graph *graph, const plx__node *node, const char *what,
                         const plx__node *x, const char *allowed) {
    char shape[96];
    return plx__graph_fail(graph, PLX_ERR_SHAPE, "%s: %s has shape %s; it must be %s",
                           node->op->name, what, plx__shape_text(x->rank, x->dims, shape, 96),
                           allowed);
}

/* Checks an operand against the sizes a and b; b is 0 for a vector. A last axis of 1 more is
 * allowed.
 */
static bool fits(const plx__node *x, int64_t a, int64_t b) {
    const int rank = b ? 2 : 1;
    const bool longer = x->rank == rank + 1 && x->dims[rank] == 1;
    return (x->rank == rank || longer) && x->dims[0] == a && (!b || x->dims[1] == b);
}

/* Operand 0 is the product of x with w. The builder makes the buffer. */
static plx_status infer_forward(plx_graph *graph, plx__node *node) {
    const plx__node *x = plx__input_of(graph, node, 0), *r = plx__input_of(graph, node, 1);
    const plx__node *h0 = plx__input_of(graph, node, 2), *own = plx__input_of(graph, node, 3);
    const plx__node *mask = node->inputs_count > 5 ? plx__input_of(graph, node, 5) : NULL;
    const int64_t count = gates_of(node->op), units = r->rank == 2 ? r->dims[0] : 0;
    const bool lstm = count == 4;
    if (x->rank != 3)
        return plx__graph_fail(graph, PLX_ERR_SHAPE,
                               "%s: x has rank %d; it must be 3 (batch, time, in)", node->op->name,
                               x->rank);
    const int64_t batch = x->dims[0], time = x->dims[1], gates = x->dims[2];
    if (gates % count || gates / count != units || r->dims[1] != gates)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: w has %lld columns, and r has %lld rows of %lld; both must have "
            "%lld columns for each row of r",
            node->op->name, (long long)gates, (long long)units,
            (long long)(r->rank == 2 ? r->dims[1] : 0), (long long)count);
    if (units < 1 || units > PLX__MOST_UNITS || time < 1)
        return plx__graph_fail(
            graph, PLX_ERR_SHAPE,
            "%s: %lld steps of %lld units; there must be at least 1 step, and 1 to "
            "%d units",
            node->op->name, (long long)time, (long long)units, PLX__MOST_UNITS);
    if (!fits(h0, batch, units)) return refuse(graph, node, "h0", h0, "[batch, units]");
    if (!(lstm ? fits(own, batch, units) : fits(own, gates, 0)))
        return refuse(graph, node, lstm ? "c0" : "the recurrent bias", own,
                      lstm ? "[batch, units]" : "[3 units]");
    if (mask && !fits(mask, batch, time))
        return refuse(graph, node, "mask", mask, "[batch, time] or [batch, time, 1]");
    plx__copy_shape(node, x);
    node->dims[2] = units;
    if (!node->attrs.recurrent.cell || !lstm) return PLX_OK;
    node->rank = 1;
    node->dims[0] = (batch * time + batch) * units;
    return PLX_OK;
}

static void set_sizes(run *s, const plx_ctx *ctx, const plx__step *step, const plx__operand *r,
                      const plx__operand *h0, const plx__operand *kept) {
    s->k = ctx->kernels;
    s->lstm = is_lstm(step->op);
    s->reverse = step->attrs.recurrent.reverse;
    s->reset_after = step->attrs.recurrent.reset_after;
    s->batch = h0->dims[0];
    s->units = r->dims[0];
    s->gates = r->dims[1];
    s->kept_units = kept_by(step->op) * s->units;
    s->time = s->batch ? kept->size / s->batch / s->kept_units : 0;
}

/* The columns of the recurrent weights that are multiplied at once: all; or of gru, z and r, then
 * n.
 */
typedef struct part {
    int64_t first, count;
} part;

static part part_of(const run *s, int i) {
    if (s->lstm) return (part){0, i ? 0 : s->gates};
    return i ? (part){2 * s->units, s->units} : (part){0, 2 * s->units};
}

static plx__gemm_args packing_of(const run *s, int i, bool transposed) {
    const part p = part_of(s, i);
    return (plx__gemm_args){.n = transposed ? s->units : p.count,
                            .k = transposed ? p.count : s->units,
                            .tb = transposed,
                            .b = s->r ? s->r + p.first : NULL,
                            .ldb = s->gates};
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Takes the next values of a workspace; base NULL: only counts them. */
static plx_real *take(plx_real *base, int64_t *used, int64_t values) {
    plx_real *at = base ? base + *used : NULL;
    *used += plx__round_up(values, 16);
    return at;
}

static int64_t take_panels(const plx_ctx *ctx, run *s, plx_real *base, bool transposed) {
    int64_t used = 0;
    for (int i = 0; i < PARTS; ++i) {
        const plx__gemm_args args = packing_of(s, i, transposed);
        s->panels[i] = take(base, &used, plx__gemm_packed_values(ctx, &args));
    }
    return used;
}

static void pack(plx_ctx *ctx, const run *s, int threads, bool transposed) {
    for (int i = 0; i < PARTS; ++i) {
        const plx__gemm_args args = packing_of(s, i, transposed);
        if (args.n && args.k) plx__gemm_pack(ctx, &args, threads, s->panels[i]);
    }
}

/* c (+)= a b, where b [depth, columns] is packed and both others have so many rows. */
static void multiply(const plx_kernels *k, int64_t rows, int64_t columns, int64_t depth,
                     const plx_real *a, int64_t lda, const plx_real *b, plx_real *c, int64_t ldc,
                     bool accumulate) {
    const int64_t tiles = (rows + k->mr - 1) / k->mr, height = (rows + tiles - 1) / tiles;
    for (int64_t j = 0; j < columns; j += k->nr)
        for (int64_t i = 0; i < rows; i += height)
            k->gemm(depth, a + i * lda, lda, 1, b + j * depth, k->nr, c + i * ldc + j, ldc,
                    (int)plx__least(height, rows - i), (int)plx__least(k->nr, columns - j),
                    accumulate);
}

static void share_samples(plx_ctx *ctx, int threads, run *s, plx__loop_fn fn) {
    plx__parallel_for(ctx->pool, threads, s->batch, (s->batch + threads - 1) / threads, fn, s);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static int64_t row_of(const run *s, int64_t sample, int64_t t) {
    return sample * s->time + t;
}

/* The step that comes at this number. */
static int64_t step_at(const run *s, int64_t number) {
    return s->reverse ? s->time - 1 - number : number;
}

static plx_real *kept_at(const run *s, int64_t row) {
    return s->kept + row * s->kept_units;
}

/* A row that does not count leaves the state as it is. */
static bool is_hidden(const run *s, int64_t row) {
    return s->mask && !(s->mask[row] > 0);
}

static void mul(const run *s, const plx_real *a, const plx_real *b, plx_real *y) {
    s->k->mul(s->units, a, 1, b, 1, y);
}

static void add(const run *s, const plx_real *a, const plx_real *b, plx_real *y) {
    s->k->add(s->units, a, 1, b, 1, y);
}

static void sub(const run *s, const plx_real *a, const plx_real *b, plx_real *y) {
    s->k->sub(s->units, a, 1, b, 1, y);
}

static void copy(int64_t n, const plx_real *from, plx_real *to) {
    assert(to && from);
    memcpy(to, from, (size_t)n * sizeof *to);
}

static void clear(int64_t n, plx_real *x) {
    memset(x, 0, (size_t)n * sizeof *x);
}

static void multiply_state(const run *s, int i, int64_t begin, int64_t end, int64_t t,
                           const plx_real *a, int64_t lda, int64_t to) {
    const part p = part_of(s, i);
    multiply(s->k, end - begin, p.count, s->units, a, lda, s->panels[i],
             kept_at(s, row_of(s, begin, t)) + to, s->time * s->kept_units, true);
}

/* ---- lstm: c = f c + i g, h = o tanh(c) ------------------------------------------------------ */

static const plx_real *cell_before(const run *s, int64_t sample, int64_t number) {
    if (!number) return s->own + sample * s->units;
    return kept_at(s, row_of(s, sample, step_at(s, number - 1))) + 4 * s->units;
}

static void lstm_row(const run *s, int64_t sample, int64_t number) {
    const plx_kernels *k = s->k;
    const int64_t n = s->units, row = row_of(s, sample, step_at(s, number));
    plx_real *i = kept_at(s, row), *f = i + n, *g = f + n, *o = g + n, *c = o + n;
    plx_real *h = s->h + sample * n;
    const plx_real *before = cell_before(s, sample, number);
    if (is_hidden(s, row)) {
        copy(n, before, c);
    } else {
        k->sigmoid(2 * n, i, i, 0);
        k->tanh(n, g, g, 0);
        k->sigmoid(n, o, o, 0);
        mul(s, f, before, c);
        mul(s, i, g, h);
        add(s, c, h, c);
        k->tanh(n, c, h, 0);
        mul(s, o, h, h);
    }
    copy(n, h, s->y + row * n);
    if (s->cell && number == s->time - 1) copy(n, c, s->cell + sample * n);
}

static void lstm_samples(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const run *s = arg;
    const int64_t n = s->units;
    copy((end - begin) * n, s->h0 + begin * n, s->h + begin * n);
    for (int64_t number = 0; number < s->time; ++number) {
        const int64_t t = step_at(s, number);
        for (int64_t b = begin; b < end; ++b) {
            const int64_t row = row_of(s, b, t);
            copy(s->gates, s->x + row * s->gates, kept_at(s, row));
        }
        multiply_state(s, 0, begin, end, t, s->h + begin * n, n, 0);
        for (int64_t b = begin; b < end; ++b) lstm_row(s, b, number);
    }
}

/* ---- gru: h = n + z (h - n) ------------------------------------------------------------------ */

static void gru_begin(const run *s, int64_t row) {
    const plx_kernels *k = s->k;
    const int64_t n = s->units;
    const plx_real *x = s->x + row * s->gates;
    plx_real *kept = kept_at(s, row);
    k->add((s->reset_after ? 2 : 3) * n, x, 1, s->own, 1, kept);
    if (!s->reset_after) return;
    copy(n, x + 2 * n, kept + 2 * n);
    copy(n, s->own + 2 * n, kept + 3 * n);
}

static void gru_gates(const run *s, int64_t sample, int64_t row) {
    const int64_t n = s->units;
    plx_real *z = kept_at(s, row), *r = z + n, *q = z + 3 * n;
    s->k->sigmoid(2 * n, z, z, 0);
    if (s->reset_after) return;
    if (is_hidden(s, row))
        clear(n, q); /* the gradient multiplies it by 0 */
    else
        mul(s, r, s->h + sample * n, q);
}

static void gru_end(const run *s, int64_t sample, int64_t row) {
    const plx_kernels *k = s->k;
    const int64_t units = s->units;
    plx_real *z = kept_at(s, row), *r = z + units, *n = r + units, *q = n + units;
    plx_real *h = s->h + sample * units, *y = s->y + row * units;
    if (!is_hidden(s, row)) {
        if (s->reset_after) {
            mul(s, r, q, y);
            add(s, n, y, n);
        }
        k->tanh(units, n, n, 0);
        sub(s, h, n, h);
        mul(s, z, h, h);
        add(s, h, n, h);
    }
    copy(units, h, y);
}

static void gru_samples(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const run *s = arg;
    const int64_t n = s->units;
    const plx_real *h = s->h + begin * n;
    copy((end - begin) * n, s->h0 + begin * n, s->h + begin * n);
    for (int64_t number = 0; number < s->time; ++number) {
        const int64_t t = step_at(s, number);
        for (int64_t b = begin; b < end; ++b) gru_begin(s, row_of(s, b, t));
        multiply_state(s, 0, begin, end, t, h, n, 0);
        for (int64_t b = begin; b < end; ++b) gru_gates(s, b, row_of(s, b, t));
        if (s->reset_after)
            multiply_state(s, 1, begin, end, t, h, n, 3 * n);
        else
            multiply_state(s, 1, begin, end, t, kept_at(s, row_of(s, begin, t)) + 3 * n,
                           s->time * s->kept_units, 2 * n);
        for (int64_t b = begin; b < end; ++b) gru_end(s, b, row_of(s, b, t));
    }
}

/* ---- Forward --------------------------------------------------------------------------------- */

/* Returns the number of values. */
static int64_t forward_space(const plx_ctx *ctx, run *s, plx_real *base) {
    int64_t used = take_panels(ctx, s, base, false);
    s->h = take(base, &used, s->batch * s->units);
    return used;
}

static size_t workspace_forward(const plx_ctx *ctx, const plx__step *step) {
    run s = {0};
    set_sizes(&s, ctx, step, &step->in[1], &step->in[2], &step->in[4]);
    return (size_t)forward_space(ctx, &s, NULL) * sizeof(plx_real);
}

static plx_status run_forward(plx_ctx *ctx, const plx__step *step) {
    run s = {.x = PLX_IN(step, 0),
             .r = PLX_IN(step, 1),
             .h0 = PLX_IN(step, 2),
             .own = PLX_IN(step, 3),
             .kept = *step->in[4].slot,
             .mask = step->in_count > 5 ? PLX_IN(step, 5) : NULL,
             .y = PLX_OUT(step)};
    set_sizes(&s, ctx, step, &step->in[1], &step->in[2], &step->in[4]);
    if (!s.batch) return PLX_OK;
    if (step->attrs.recurrent.cell) s.cell = s.y + s.batch * s.time * s.units;
    forward_space(ctx, &s, step->workspace);
    pack(ctx, &s, step->threads, false);
    share_samples(ctx, step->threads, &s, s.lstm ? lstm_samples : gru_samples);
    ctx->method = "samples";
    return PLX_OK;
}

/* The gradients of the first four operands are packed one after another into one value. */
static void gradient_of(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads,
                        const plx_op *op) {
    const plx__node node = *graph->nodes[id];
    const int32_t *in = node.inputs;
    const int32_t inputs[] = {
        in[1], in[2], in[3], id, in[4], gy, node.inputs_count > 5 ? in[5] : -1};
    const int32_t packed = plx__emit(graph, op, node.inputs_count + 1, inputs, &node.attrs);
    int64_t from = 0;
    for (int k = 0; k < 4; ++k) plx__hand_out(graph, &node, k, packed, &from, grads);
}

static void gradient_lstm(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    gradient_of(graph, id, gy, grads, &plx__op_lstm_grad);
}

static void gradient_gru(plx_graph *graph, int32_t id, int32_t gy, int32_t *grads) {
    gradient_of(graph, id, gy, grads, &plx__op_gru_grad);
}

/* products: with each recurrent weight, for each row. Activations are some 15 operations a value.
 */
static plx__cost cost_of(const plx_graph *graph, const plx__node *node, const plx__node *r,
                         const plx__node *kept, double products) {
    const double rows = (double)plx__size(kept) / (double)(kept_by(node->op) * r->dims[0]);
    plx__cost cost = plx__cost_streaming(graph, node, 0, 1);
    cost.flops = rows * (2 * products * (double)plx__size(r) + 15 * (double)r->dims[1]);
    return cost;
}

static plx__cost cost_forward(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, plx__input_of(graph, node, 1), plx__input_of(graph, node, 4), 1);
}

static const char lstm_samples_text[] =
    "1x1x4 1x4 1x1 1x1 1x1x5; 2x3x8 2x8 2x2 2x2 2x3x10; 3x2x12 3x12 3x3 3x3 90 3x2 : reverse 1; "
    "2x4x8 2x8 2x2 2x2 2x4x10 2x4x1 : cell 1; 2x2x8 2x8 2x2 2x2 2x2x10 : reverse 1 cell 1; "
    "5x3x68 17x68~-0.3,0.3 5x17 5x17 5x3x85; 0x3x8 2x8 0x2 0x2 0x3x10; "
    "17x2x132 33x132~-0.2,0.2 17x33 17x33 17x2x165 17x2";
static const char gru_samples_text[] =
    "1x1x3 1x3 1x1 3 1x1x4; 2x3x6 2x6 2x2 6 2x3x8 : reset_after 1; "
    "3x2x9 3x9 3x3 9 72 3x2 : reverse 1; 2x4x6 2x6 2x2 6 2x4x8 2x4x1 : reset_after 1 reverse 1; "
    "5x3x51 17x51~-0.3,0.3 5x17 51 5x3x68; 0x3x6 2x6 0x2 6 0x3x8 : reset_after 1; "
    "17x2x99 33x99~-0.2,0.2 17x33 99 17x2x132 17x2 : reset_after 1";

#define RECURRENT(kind, third)                                                                     \
    const plx_op plx__op_##kind = {                                                                \
        .name = #kind,                                                                             \
        .operands =                                                                                \
            PLX__OPERANDS({"the product with w", PLX__REALS, PLX__VALUE},                          \
                          {"r", PLX__REALS, PLX__VALUE}, {"h0", PLX__REALS, PLX__VALUE},           \
                          {third, PLX__REALS, PLX__VALUE}, {"kept", PLX__REALS, PLX__WRITTEN},     \
                          {"mask", PLX__REALS, PLX__CONSTANT | PLX__OPTIONAL}),                    \
        .infer = infer_forward,                                                                    \
        .gradient = gradient_##kind,                                                               \
        .cost = cost_forward,                                                                      \
        .workspace = workspace_forward,                                                            \
        .run = run_forward,                                                                        \
        .attrs = plx__recurrent_fields,                                                            \
        .samples = kind##_samples_text,                                                            \
    };
RECURRENT(lstm, "c0")
RECURRENT(gru, "recurrent bias")

/* ---- Backward: the states before the steps, and the gradient of the weights ------------------ */

static const plx_real *state_before(const run *s, int64_t sample, int64_t number) {
    const int64_t n = s->units;
    if (!number) return s->h0 + sample * n;
    return s->y + row_of(s, sample, step_at(s, number - 1)) * n;
}

/* What a row of either kind begins with: adds its gradient, and notes the state before it. */
static plx_real *enter_row(const run *s, int64_t sample, int64_t number, int64_t row) {
    const int64_t n = s->units;
    plx_real *g = s->h + sample * n;
    add(s, g, s->gy + row * n, g);
    copy(n, state_before(s, sample, number), s->before + row * n);
    return g;
}

/* The gradient of a part of the recurrent weights: a product over all rows. */
static plx__gemm_args weights_product(const run *s, int i) {
    const part p = part_of(s, i);
    plx__gemm_args args = {.m = s->units,
                           .n = p.count,
                           .k = s->batch * s->time,
                           .ta = true,
                           .alpha = 1,
                           .a = s->before,
                           .lda = s->units,
                           .ldb = s->gates,
                           .ldc = s->gates};
    if (s->gx) {
        args.b = s->gx + p.first;
        args.c = s->gr + p.first;
    }
    if (s->lstm || !i) return args;
    if (s->reset_after) {
        args.b = s->all_q;
        args.ldb = s->units;
    } else {
        args.a = s->kept ? s->kept + 3 * s->units : NULL;
        args.lda = s->kept_units;
    }
    return args;
}

/* The gradient of a part's operand, [rows, columns of the part] times the transposed weights. */
static void multiply_back(const run *s, int i, int64_t begin, int64_t end, const plx_real *a,
                          int64_t lda, plx_real *c, bool accumulate) {
    multiply(s->k, end - begin, s->units, part_of(s, i).count, a + begin * lda, lda, s->panels[i],
             c + begin * s->units, s->units, accumulate);
}

static void lstm_row_back(const run *s, int64_t sample, int64_t number) {
    const plx_kernels *k = s->k;
    const int64_t n = s->units, row = row_of(s, sample, step_at(s, number));
    const plx_real *i = kept_at(s, row), *f = i + n, *g = f + n, *o = g + n, *c = o + n;
    plx_real *gh = enter_row(s, sample, number, row), *gc = s->gc + sample * n;
    plx_real *gi = s->row_gates + sample * s->gates, *gf = gi + n, *gg = gf + n, *go = gg + n;
    plx_real *bent = s->q + sample * n; /* tanh(c) */
    if (is_hidden(s, row)) {
        clear(s->gates, gi);
    } else {
        k->tanh(n, c, bent, 0);
        mul(s, gh, bent, go);
        k->sigmoid_grad(n, o, go, go, 0);
        mul(s, gh, o, gh);
        k->tanh_grad(n, bent, gh, gh, 0);
        add(s, gc, gh, gc);
        mul(s, gc, g, gi);
        mul(s, gc, cell_before(s, sample, number), gf);
        k->sigmoid_grad(2 * n, i, gi, gi, 0);
        mul(s, gc, i, gg);
        k->tanh_grad(n, g, gg, gg, 0);
        mul(s, gc, f, gc);
        clear(n, gh);
    }
    copy(s->gates, gi, s->gx + row * s->gates);
}

static void lstm_samples_back(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const run *s = arg;
    const int64_t n = s->units, values = (end - begin) * n;
    clear(values, s->h + begin * n);
    if (s->gcell)
        copy(values, s->gcell + begin * n, s->gc + begin * n);
    else
        clear(values, s->gc + begin * n);
    for (int64_t number = s->time - 1; number >= 0; --number) {
        for (int64_t b = begin; b < end; ++b) lstm_row_back(s, b, number);
        multiply_back(s, 0, begin, end, s->row_gates, s->gates, s->h, true);
    }
}

/* Up to the product with the weights of n, if the reset gate came before it. */
static void gru_row_back(const run *s, int64_t sample, int64_t number, int64_t row) {
    const plx_kernels *k = s->k;
    const int64_t units = s->units;
    const plx_real *z = kept_at(s, row), *r = z + units, *n = r + units, *q = n + units;
    plx_real *gh = enter_row(s, sample, number, row), *gq = s->q + sample * units;
    plx_real *gz = s->row_gates + sample * s->gates, *gr = gz + units, *gn = gr + units;
    if (is_hidden(s, row)) {
        clear(s->gates, gz);
        clear(units, gq);
        return;
    }
    sub(s, s->before + row * units, n, gz);
    mul(s, gh, gz, gz);
    mul(s, gh, z, gn);
    sub(s, gh, gn, gn);
    k->tanh_grad(units, n, gn, gn, 0);
    mul(s, gh, z, gh);
    if (!s->reset_after) return;
    mul(s, gn, q, gr);
    mul(s, gn, r, gq);
}

static void gru_row_back_end(const run *s, int64_t sample, int64_t row) {
    const plx_kernels *k = s->k;
    const int64_t units = s->units;
    const plx_real *z = kept_at(s, row), *r = z + units;
    plx_real *gh = s->h + sample * units, *gq = s->q + sample * units;
    plx_real *gz = s->row_gates + sample * s->gates, *gr = gz + units;
    if (!is_hidden(s, row)) {
        if (!s->reset_after) {
            mul(s, gq, s->before + row * units, gr);
            mul(s, gq, r, gq);
            add(s, gh, gq, gh);
        }
        k->sigmoid_grad(2 * units, z, gz, gz, 0);
    }
    copy(s->gates, gz, s->gx + row * s->gates);
    if (s->reset_after) copy(units, gq, s->all_q + row * units);
}

static void gru_samples_back(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const run *s = arg;
    const int64_t n = s->units;
    clear((end - begin) * n, s->h + begin * n);
    for (int64_t number = s->time - 1; number >= 0; --number) {
        const int64_t t = step_at(s, number);
        for (int64_t b = begin; b < end; ++b) gru_row_back(s, b, number, row_of(s, b, t));
        if (!s->reset_after)
            multiply_back(s, 1, begin, end, s->row_gates + 2 * n, s->gates, s->q, false);
        for (int64_t b = begin; b < end; ++b) gru_row_back_end(s, b, row_of(s, b, t));
        multiply_back(s, 0, begin, end, s->row_gates, s->gates, s->h, true);
        if (s->reset_after) multiply_back(s, 1, begin, end, s->q, n, s->h, true);
    }
}

/* ---- Gradients ------------------------------------------------------------------------------- */

static int64_t backward_space(const plx_ctx *ctx, run *s, int threads, plx_real *base) {
    const int64_t state = s->batch * s->units, rows = s->batch * s->time;
    int64_t used = take_panels(ctx, s, base, true), most = 0;
    if (s->lstm)
        s->gc = take(base, &used, state);
    else if (s->reset_after)
        s->all_q = take(base, &used, rows * s->units);
    s->h = take(base, &used, state);
    s->q = take(base, &used, state);
    s->row_gates = take(base, &used, s->batch * s->gates);
    s->before = take(base, &used, rows * s->units);
    for (int i = 0; i < PARTS; ++i) {
        const plx__gemm_args args = weights_product(s, i);
        most = plx__most(most, (int64_t)plx__gemm_workspace(ctx, &args, threads));
    }
    s->product_space = take(base, &used, most / (int64_t)sizeof(plx_real));
    return used;
}

static size_t workspace_backward(const plx_ctx *ctx, const plx__step *step) {
    run s = {0};
    set_sizes(&s, ctx, step, &step->in[0], &step->in[1], &step->in[4]);
    return (size_t)backward_space(ctx, &s, step->threads, NULL) * sizeof(plx_real);
}

/* The recurrent bias is added to every row's z, r and q. */
static void sum_bias(const run *s) {
    const int64_t rows = s->batch * s->time, n = s->units;
    s->k->column_sum(rows, 2 * n, s->gx, s->gates, s->gown);
    if (s->reset_after)
        s->k->column_sum(rows, n, s->all_q, n, s->gown + 2 * n);
    else
        s->k->column_sum(rows, n, s->gx + 2 * n, s->gates, s->gown + 2 * n);
}

static plx_status run_backward(plx_ctx *ctx, const plx__step *step) {
    run s = {.r = PLX_IN(step, 0),
             .h0 = PLX_IN(step, 1),
             .own = PLX_IN(step, 2),
             .y = *step->in[3].slot,
             .kept = *step->in[4].slot,
             .gy = PLX_IN(step, 5),
             .mask = step->in_count > 6 ? PLX_IN(step, 6) : NULL,
             .gx = PLX_OUT(step)};
    set_sizes(&s, ctx, step, &step->in[0], &step->in[1], &step->in[4]);
    const int64_t rows = s.batch * s.time, state = s.batch * s.units;
    s.gr = s.gx + rows * s.gates;
    plx_real *gh0 = s.gr + s.units * s.gates;
    s.gown = gh0 + state;
    if (step->attrs.recurrent.cell) s.gcell = s.gy + rows * s.units;
    backward_space(ctx, &s, step->threads, step->workspace);
    pack(ctx, &s, step->threads, true);
    share_samples(ctx, step->threads, &s, s.lstm ? lstm_samples_back : gru_samples_back);
    for (int i = 0; i < PARTS; ++i) {
        const plx__gemm_args args = weights_product(&s, i);
        plx__gemm_run(ctx, &args, step->threads, s.product_space);
    }
    ctx->method = "samples";
    copy(state, s.h, gh0);
    if (s.lstm)
        copy(state, s.gc, s.gown);
    else
        sum_bias(&s);
    return PLX_OK;
}

/* The sizes of its operands follow from the operation that it is the gradient of. */
static plx_status infer_backward(plx_graph *graph, plx__node *node) {
    const plx__node *r = plx__input_of(graph, node, 0), *h0 = plx__input_of(graph, node, 1);
    const plx__node *own = plx__input_of(graph, node, 2), *kept = plx__input_of(graph, node, 4);
    const int64_t rows = plx__size(kept) / (kept_by(node->op) * r->dims[0]);
    node->rank = 1;
    node->dims[0] = rows * r->dims[1] + plx__size(r) + plx__size(h0) + plx__size(own);
    return PLX_OK;
}

static plx__cost cost_backward(const plx_graph *graph, const plx__node *node) {
    return cost_of(graph, node, plx__input_of(graph, node, 0), plx__input_of(graph, node, 4), 2);
}

static const char lstm_grad_samples[] =
    "2x8 2x2 2x2 2x3x2 2x3x10~0,1 2x3x2; 17x68~-0.3,0.3 5x17 5x17 5x3x17 5x3x85~0,1 5x3x17 5x3; "
    "3x12 3x3 3x3 27 3x2x15~0,1 27 : reverse 1 cell 1";
static const char gru_grad_samples[] =
    "2x6 2x2 6 2x3x2 2x3x8~0,1 2x3x2 : reset_after 1; "
    "17x51~-0.3,0.3 5x17 51 5x3x17 5x3x68~0,1 5x3x17 5x3 : reverse 1; "
    "33x99~-0.2,0.2 17x33 99 17x2x33 17x2x132~0,1 17x2x33 17x2 : reset_after 1";

#define RECURRENT_GRAD(kind)                                                                       \
    const plx_op plx__op_##kind##_grad = {                                                         \
        .name = #kind "_grad",                                                                     \
        .operands =                                                                                \
            PLX__OPERANDS({"r", PLX__REALS, PLX__VALUE}, {"h0", PLX__REALS, PLX__VALUE},           \
                          {"own", PLX__REALS, PLX__VALUE}, {"y", PLX__REALS, PLX__VALUE},          \
                          {"kept", PLX__REALS, PLX__VALUE}, {"gy", PLX__REALS, PLX__VALUE},        \
                          {"mask", PLX__REALS, PLX__OPTIONAL}),                                    \
        .flags = PLX__OP_NO_GRADIENT,                                                              \
        .infer = infer_backward,                                                                   \
        .cost = cost_backward,                                                                     \
        .workspace = workspace_backward,                                                           \
        .run = run_backward,                                                                       \
        .attrs = plx__recurrent_fields,                                                            \
        .samples = PLX__TESTED(kind##_grad_samples),                                               \
    };
RECURRENT_GRAD(lstm)
RECURRENT_GRAD(gru)
