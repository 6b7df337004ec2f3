/* Every row of the table of ops is complete; every op refuses operands that its rows do not allow,
 * and names them. */
#include "check.h"

#include "ops/op.h"
#include "ops/optimizer.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 16 };

typedef struct operand_walk {
    plx_check *t;
    plx_ctx *ctx;
    const plx_op *op;
    plx__attrs attrs;
    int rows;
} operand_walk;

/* Returns the error of the op on scalars of these dtypes, "" if there is none. Only the sentence
 * tells whether the op itself was reached. */
static const char *refusal(operand_walk *w, int count, const plx_dtype *dtypes) {
    plx_graph *graph = NULL;
    plx_node inputs[MOST];
    plx_graph_new(w->ctx, &graph);
    for (int k = 0; k < count; ++k) inputs[k] = plx_input(graph, NULL, dtypes[k], 0, NULL);
    plx__build(graph, w->op, count, inputs, &w->attrs);
    const plx_status status = plx_graph_status(graph);
    plx_graph_free(graph);
    CHECK(w->t, status == PLX_ERR_ARGUMENT, "%s with %d operands: status %d", w->op->name, count,
          (int)status);
    return status == PLX_OK ? "" : plx_message(w->ctx);
}

/* One input for each row, as in samples. */
static void usual(const operand_walk *w, plx_dtype *dtypes) {
    for (int k = 0; k < MOST; ++k)
        dtypes[k] = k < w->rows ? plx__usual_dtype(&w->op->operands[k]) : PLX_DTYPE_REAL;
}

static void check_counts(operand_walk *w) {
    int least = 0;
    bool repeats = false;
    for (int k = 0; k < w->rows; ++k) {
        least += !(w->op->operands[k].role & PLX__OPTIONAL);
        repeats |= w->op->operands[k].role & PLX__REPEATED && !w->attrs.object;
    }
    plx_dtype dtypes[MOST];
    usual(w, dtypes);
    for (int count = 0; count <= w->rows + 2; ++count) {
        if (count >= least && (count <= w->rows || repeats)) continue;
        const char *sentence = refusal(w, count, dtypes);
        char begins[96], ends[32];
        snprintf(begins, sizeof begins, "%s: takes ", plx__title(w->op));
        snprintf(ends, sizeof ends, "; %d %s given", count, count == 1 ? "was" : "were");
        CHECK(w->t, !strncmp(sentence, begins, strlen(begins)) && strstr(sentence, ends), "%s",
              sentence);
        for (int k = 0; k < w->rows; ++k)
            CHECK(w->t, strstr(sentence, w->op->operands[k].name), "%s is not in: %s",
                  w->op->operands[k].name, sentence);
    }
}

/* Gives input k every dtype that its row, or the operands before it, do not allow. */
static void check_dtypes(operand_walk *w, int k) {
    const plx__operand_row *row = &w->op->operands[k];
    const char *like = NULL;
    for (int i = 0; i < k && row->role & PLX__ALIKE && !like; ++i)
        if (w->op->operands[i].role & PLX__ALIKE) like = w->op->operands[i].name;
    for (int dtype = 0; dtype < PLX_DTYPES_; ++dtype) {
        plx_dtype dtypes[MOST];
        usual(w, dtypes);
        const bool taken = row->dtypes >> dtype & 1;
        if (taken && (!like || dtypes[k] == (plx_dtype)dtype)) continue;
        dtypes[k] = (plx_dtype)dtype;
        const char *sentence = refusal(w, w->rows, dtypes);
        char begins[96], ends[96], as[64] = "";
        snprintf(begins, sizeof begins, "%s: %s must hold ", plx__title(w->op), row->name);
        if (taken) snprintf(as, sizeof as, " as %s does", like);
        snprintf(ends, sizeof ends, "%s, not %s", as, plx__dtype_name((plx_dtype)dtype));
        CHECK(w->t, !strncmp(sentence, begins, strlen(begins)) && strstr(sentence, ends),
              "\"%s\" and not \"%s...%s\"", sentence, begins, ends);
    }
}

/* Optional operands come last; an op that writes in place has a value to write to. */
static void check_rows(operand_walk *w) {
    bool optional = false, value = false;
    for (int k = 0; k < w->rows; ++k) {
        const plx__operand_row *row = &w->op->operands[k];
        CHECK(w->t, !optional || row->role & PLX__OPTIONAL,
              "%s: %s comes after an optional operand", w->op->name, row->name);
        CHECK(w->t, row->dtypes, "%s: %s accepts no dtype", w->op->name, row->name);
        optional |= row->role & PLX__OPTIONAL;
        value |= !(row->role & (PLX__CONSTANT | PLX__WRITTEN));
    }
    CHECK(w->t, value || !(w->op->flags & PLX__OP_INPLACE), "%s has no value to write over",
          w->op->name);
}

/* The slots that the library calls without looking whether they are there. */
static void check_slots(plx_check *t, const plx_op *op) {
    const bool runs = !(op->flags & (PLX__OP_LEAF | PLX__OP_VIEW));
    CHECK(t, op->infer, "%s has no .infer", op->name);
    CHECK(t, op->cost, "%s has no .cost", op->name);
    CHECK(t, op->run || !runs, "%s has no .run", op->name);
    CHECK(t, op->gradient || op->flags & PLX__OP_NO_GRADIENT,
          "%s has neither .gradient nor the flag PLX__OP_NO_GRADIENT", op->name);
    CHECK(t, op->samples || op->flags & (PLX__OP_LEAF | PLX__OP_EFFECT | PLX__OP_BUFFER),
          "%s has no .samples, so no test runs it", op->name);
}

/* Sentences in full, for the numbers and lists in them. */
static void check_sentences(operand_walk *w) {
    static const struct {
        const plx_op *op;
        int count;
        plx_dtype dtypes[4];
        const char *sentence;
    } cases[] = {
        {&plx__op_matmul, 3, {0}, "matmul: takes 2 operands, a and b; 3 were given"},
        {&plx__op_relu, 0, {0}, "relu: takes 1 operand, x; 0 were given"},
        {&plx__op_dense, 1, {0}, "dense: takes 2 or 3 operands, a, b and bias; 1 was given"},
        {&plx__op_concat, 0, {0}, "concat: takes 1 or more operands, x; 0 were given"},
        {&plx__op_input, 1, {0}, "input: takes 0 operands; 1 was given"},
        {&plx__op_gather, 2, {0}, "gather: indices must hold int32, not " REAL_NAME},
        {&plx__op_where, 3, {0}, "where: condition must hold int32 or uint8, not " REAL_NAME},
        {&plx__op_where,
         3,
         {PLX_DTYPE_U8, PLX_DTYPE_F16, PLX_DTYPE_I8},
         "where: b must hold float16 as a does, not int8"},
        {&plx__op_concat,
         2,
         {PLX_DTYPE_BF16, PLX_DTYPE_U8},
         "concat: x must hold bfloat16 as the first does, not uint8"},
        {&plx__op_less, 2, {PLX_DTYPE_U8}, "less: a must hold " REAL_NAME " or int32, not uint8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        w->op = cases[i].op;
        w->attrs = (plx__attrs){.rank = 0};
        const char *sentence = refusal(w, cases[i].count, cases[i].dtypes);
        CHECK(w->t, !strcmp(sentence, cases[i].sentence), "%s", sentence);
    }
}

void plx_test_ops_operands(plx_check *t) {
    operand_walk w = {.t = t, .ctx = plx_check_context(t, NULL, 1)};
    if (!w.ctx) return;
    int count;
    const plx_op *const *ops = plx__ops(&count);
    plx_optimizer optimizer = {.count = 1}; /* of one parameter */
    for (int i = 0; i < count; ++i) {
        w.op = ops[i];
        check_slots(t, w.op);
        if (!w.op->infer || !w.op->cost) continue;
        w.attrs = (plx__attrs){.object = w.op->flags & PLX__OP_EFFECT ? &optimizer : NULL};
        for (w.rows = 0; w.op->operands && w.op->operands[w.rows].name;) w.rows += 1;
        check_rows(&w);
        check_counts(&w);
        for (int k = 0; k < w.rows; ++k) check_dtypes(&w, k);
    }
    check_sentences(&w);
    plx_ctx_free(w.ctx);
}
