/* Einsum: sums of products by the letters of an equation. Two operands at a time: what only one of
 * them has and nothing else needs is summed first, then both become matrices with leading axes. */
#include "onnx/importer.h"

#include <string.h>

enum { LETTERS = 52 };

/* A node, and the letter of each of its axes. */
typedef struct term {
    plx_node node;
    int rank;
    int letters[PLX_MAX_RANK];
} term;

/* The sizes of letters; -1: none yet. */
typedef struct equation {
    int64_t sizes[LETTERS];
    uint64_t later; /* letters of operands that are still to come, and of the result */
} equation;

static uint64_t set_of(const term *t) {
    uint64_t set = 0;
    for (int i = 0; i < t->rank; ++i) set |= UINT64_C(1) << t->letters[i];
    return set;
}

static bool has(uint64_t set, int letter) {
    return set >> letter & 1;
}

static int letter_of(char c) {
    return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' + 26 : -1;
}

/* The letters up to the end of a term; *at moves there. */
static bool read_term(const plx__onnx_call *c, const char **at, term *t) {
    t->rank = 0;
    for (; **at && **at != ',' && **at != '-'; ++*at) {
        const int letter = letter_of(**at);
        if (**at == ' ') continue;
        if (letter < 0 || has(set_of(t), letter))
            return plx__onnx_refuse(c,
                                    "the equation has \"%c\" where a letter that its term has "
                                    "once is needed; ellipses and diagonals are not available",
                                    **at);
        if (t->rank == PLX_MAX_RANK)
            return plx__onnx_refuse(c, "a term has more than %d letters", PLX_MAX_RANK);
        t->letters[t->rank++] = letter;
    }
    return true;
}

/* Without an arrow the result has the letters that occur once, in the order of the alphabet, where
 * capitals come first. */
static bool read_result(const plx__onnx_call *c, const char *at, const term *operands, int count,
                        term *result) {
    uint64_t once = 0, more = 0;
    if (*at == '-') {
        if (at[1] != '>') return plx__onnx_wrong(c, "the equation has \"-\" without an arrow");
        at += 2;
        if (!read_term(c, &at, result)) return false;
        return !*at || plx__onnx_wrong(c, "the equation goes on behind its result");
    }
    for (int i = 0; i < count; ++i) {
        more |= once & set_of(&operands[i]);
        once |= set_of(&operands[i]);
    }
    result->rank = 0;
    for (int i = 0; i < LETTERS; ++i) {
        const int letter = (i + 26) % LETTERS;
        if (!has(once & ~more, letter)) continue;
        if (result->rank == PLX_MAX_RANK)
            return plx__onnx_refuse(c, "the result has more than %d axes", PLX_MAX_RANK);
        result->letters[result->rank++] = letter;
    }
    return true;
}

static bool read_operand(const plx__onnx_call *c, int i, const char **at, equation *e, term *t) {
    plx__onnx_value *v = c->inputs[i];
    if (i && *(*at)++ != ',') return plx__onnx_wrong(c, "the equation has no term %d", i);
    if (!read_term(c, at, t)) return false;
    if (v->type != PLX_ONNX_FLOAT)
        return plx__onnx_refuse(c, "it is available for float32, not %s",
                                plx_onnx_type_name(v->type));
    if (t->rank != v->rank)
        return plx__onnx_wrong(c, "term %d has %d letters for rank %d", i, t->rank, v->rank);
    for (int k = 0; k < t->rank; ++k) {
        int64_t *size = &e->sizes[t->letters[k]];
        if (*size >= 0 && *size != v->dims[k])
            return plx__onnx_refuse(c, "a letter of term %d stands for sizes %lld and %lld", i,
                                    (long long)*size, (long long)v->dims[k]);
        *size = v->dims[k];
    }
    t->node = plx__onnx_plain(c, v);
    return true;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* Sums over the letters that are not in the set. */
static void sum_others(plx_graph *graph, uint64_t set, term *t) {
    for (int i = t->rank - 1; i >= 0; --i) {
        if (has(set, t->letters[i])) continue;
        t->node = plx_reduce_sum(graph, t->node, i);
        for (int k = i + 1; k < t->rank; ++k) t->letters[k - 1] = t->letters[k];
        t->rank -= 1;
    }
}

/* Appends the letters of t that are in the set to order. */
static int append(const term *t, uint64_t set, int count, int *order) {
    for (int i = 0; i < t->rank; ++i)
        if (has(set, t->letters[i])) order[count++] = t->letters[i];
    return count;
}

/* Moves the axes into the order of letters, which are its own. */
static plx_node in_order(plx_graph *graph, const term *t, const int *order) {
    int axes[PLX_MAX_RANK] = {0};
    for (int i = 0; i < t->rank; ++i)
        for (int k = 0; k < t->rank; ++k)
            if (t->letters[k] == order[i]) axes[i] = k;
    return plx_transpose(graph, t->node, axes);
}

/* The number of elements along the letters of a set; false after a failure. */
static bool size_of(const plx__onnx_call *c, const equation *e, const term *t, uint64_t set,
                    int64_t *size) {
    int64_t dims[PLX_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < t->rank; ++i)
        if (has(set, t->letters[i])) dims[rank++] = e->sizes[t->letters[i]];
    return plx__onnx_count(c, rank, dims, size);
}

/* a and b as one: a product of [both, of a alone, summed] and [both, summed, of b alone]. */
static bool multiply(const plx__onnx_call *c, const equation *e, term *a, term *b) {
    plx_graph *g = c->graph;
    sum_others(g, set_of(b) | e->later, a);
    sum_others(g, set_of(a) | e->later, b);
    const uint64_t of_a = set_of(a), of_b = set_of(b), both = of_a & of_b & e->later,
                   summed = of_a & of_b & ~e->later;
    int order[2 * PLX_MAX_RANK];
    int64_t batch = 0, inner = 0, rows = 0, columns = 0, dims[PLX_MAX_RANK];
    if (!size_of(c, e, a, both, &batch) || !size_of(c, e, a, summed, &inner) ||
        !size_of(c, e, a, of_a & ~of_b, &rows) || !size_of(c, e, b, of_b & ~of_a, &columns))
        return false;
    const int leading = append(a, both, 0, order);
    append(a, summed, append(a, of_a & ~of_b, leading, order), order);
    const plx_node x = plx_reshape(g, in_order(g, a, order), 3, (int64_t[]){batch, rows, inner});
    append(b, of_b & ~of_a, append(a, summed, leading, order), order);
    const plx_node y = plx_reshape(g, in_order(g, b, order), 3, (int64_t[]){batch, inner, columns});
    const int count = append(b, of_b & ~of_a, append(a, of_a & ~of_b, leading, order), order);
    if (count > PLX_MAX_RANK)
        return plx__onnx_refuse(c, "a product has %d axes; at most %d are supported", count,
                                PLX_MAX_RANK);
    for (int i = 0; i < count; ++i) dims[i] = e->sizes[order[i]];
    a->node = plx_reshape(g, plx_matmul(g, x, y, false, false), count, dims);
    a->rank = count;
    memcpy(a->letters, order, (size_t)count * sizeof *order);
    return true;
}

/* The letters of the result, and of the operands behind the given one. */
static uint64_t letters_behind(const term *operands, int count, int i, const term *result) {
    uint64_t set = set_of(result);
    for (int k = i + 1; k < count; ++k) set |= set_of(&operands[k]);
    return set;
}

bool plx__onnx_build_einsum(plx__onnx_call *c) {
    enum { OPERANDS_MOST = 8 };
    term operands[OPERANDS_MOST], result = {.rank = 0};
    equation e = {.later = 0};
    const char *at = plx__onnx_text(c, "equation", "");
    const int count = c->inputs_count;
    if (count > OPERANDS_MOST)
        return plx__onnx_refuse(c, "it has %d operands; at most %d are available", count,
                                OPERANDS_MOST);
    for (int i = 0; i < LETTERS; ++i) e.sizes[i] = -1;
    for (int i = 0; i < count; ++i)
        if (!read_operand(c, i, &at, &e, &operands[i])) return false;
    if (!read_result(c, at, operands, count, &result)) return false;
    for (int i = 0; i < result.rank; ++i)
        if (e.sizes[result.letters[i]] < 0)
            return plx__onnx_wrong(c, "the result has a letter that no term has");
    for (int i = 1; i < count; ++i) {
        e.later = letters_behind(operands, count, i, &result);
        if (!multiply(c, &e, &operands[0], &operands[i])) return false;
    }
    sum_others(c->graph, set_of(&result), &operands[0]);
    return plx__onnx_give(c, 0, in_order(c->graph, &operands[0], result.letters), PLX_ONNX_FLOAT);
}
