/* What the heads of a language model's first block attend to, computed from its weights in double
 * precision: attention itself keeps no matrix. */
#include "bench/tasks/text_task.h"

#include <stdio.h>
#include <string.h>

enum { TOKENS = 24, MOST_HEADS = 8 };

/* A sample's first tokens after the first block's norm. */
typedef struct block_input {
    plx_weights *weights;
    int64_t width, heads, kv_heads;
    bool modern;   /* RMSNorm, rotary positions */
    double base;   /* of the rotary positions */
    double *x;     /* [TOKENS, width] */
    double *q, *k; /* [TOKENS, width]; keys only as wide as their heads */
} block_input;

/* The values of a weight; NULL if the model does not have it. */
static const plx_real *values_of(const block_input *b, const char *name) {
    plx_tensor *tensor = plx_weights_find(b->weights, name);
    return tensor ? plx_tensor_data(tensor) : NULL;
}

static void embed(block_input *b, const int32_t *ids) {
    const plx_real *tokens = values_of(b, "tokens.table");
    const plx_real *positions = values_of(b, "positions.table");
    for (int64_t i = 0; i < TOKENS; ++i)
        for (int64_t j = 0; j < b->width; ++j)
            b->x[i * b->width + j] = (double)tokens[ids[i] * b->width + j] +
                                     (positions ? (double)positions[i * b->width + j] : 0);
}

static void normalise(block_input *b) {
    const plx_real *scale = values_of(b, "block_0.norm_1.scale");
    const plx_real *shift = values_of(b, "block_0.norm_1.shift");
    const double n = (double)b->width;
    for (double *x = b->x; x < b->x + TOKENS * b->width; x += b->width) {
        double mean = 0, squares = 0;
        for (int64_t j = 0; !b->modern && j < b->width; ++j) mean += x[j] / n;
        for (int64_t j = 0; j < b->width; ++j) squares += (x[j] - mean) * (x[j] - mean) / n;
        const double inverse = 1 / plx_math_sqrt(squares + 1e-5);
        for (int64_t j = 0; j < b->width; ++j)
            x[j] = (x[j] - mean) * inverse * (double)scale[j] + (shift ? (double)shift[j] : 0);
    }
}

/* out [TOKENS, units] = x w + b. */
static void project(const block_input *b, const char *name, int64_t units, double *out) {
    char full[PLX_NAME];
    snprintf(full, sizeof full, "block_0.attention.%s.weight", name);
    const plx_real *weight = values_of(b, full);
    snprintf(full, sizeof full, "block_0.attention.%s.bias", name);
    const plx_real *bias = values_of(b, full);
    for (int64_t i = 0; i < TOKENS; ++i)
        for (int64_t u = 0; u < units; ++u) {
            double sum = bias ? (double)bias[u] : 0;
            for (int64_t j = 0; j < b->width; ++j)
                sum += b->x[i * b->width + j] * (double)weight[j * units + u];
            out[i * units + u] = sum;
        }
}

/* The rotation of plx_rope. */
static void turn(const block_input *b, int64_t heads, double *x) {
    const int64_t size = b->width / b->heads, half = size / 2;
    for (int64_t row = 0; row < TOKENS * heads; ++row, x += size)
        for (int64_t j = 0; j < half; ++j) {
            const int64_t position = row / heads;
            const double angle = (double)position * plx_math_exp(-2 * (double)j / (double)size *
                                                                 plx_math_log(b->base));
            const double c = plx_math_cos(angle), s = plx_math_sin(angle), a = x[j],
                         d = x[j + half];
            x[j] = a * c - d * s;
            x[j + half] = a * s + d * c;
        }
}

/* Row i: how much query i attends to keys 0 to i. */
static void attend(const block_input *b, int64_t head, plx_real *matrix) {
    const int64_t size = b->width / b->heads, kv_head = head / (b->heads / b->kv_heads);
    for (int64_t i = 0; i < TOKENS; ++i) {
        const double *q = b->q + i * b->width + head * size;
        double scores[TOKENS], top = -1e300, sum = 0;
        for (int64_t j = 0; j <= i; ++j) {
            const double *k = b->k + (j * b->kv_heads + kv_head) * size;
            double dot = 0;
            for (int64_t p = 0; p < size; ++p) dot += q[p] * k[p];
            scores[j] = dot / plx_math_sqrt((double)size);
            if (scores[j] > top) top = scores[j];
        }
        for (int64_t j = 0; j <= i; ++j) sum += plx_math_exp(scores[j] - top);
        for (int64_t j = 0; j <= i; ++j)
            matrix[i * TOKENS + j] = (plx_real)(plx_math_exp(scores[j] - top) / sum);
    }
}

static plx_status show_heads(plx_learning *l, const block_input *b, const int32_t *ids) {
    static const char *const names[MOST_HEADS] = {
        "attention of head 1", "attention of head 2", "attention of head 3", "attention of head 4",
        "attention of head 5", "attention of head 6", "attention of head 7", "attention of head 8"};
    for (int64_t head = 0; head < b->heads && head < MOST_HEADS; ++head) {
        plx_exhibit *shown =
            plx_learning_show(l, PLX_EXHIBIT_MATRIX, names[head], 1, TOKENS, TOKENS, 1, TOKENS);
        if (!shown)
            return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for attention", l->task->name);
        attend(b, head, shown->values);
        for (int64_t i = 0; i < TOKENS; ++i)
            plx__text_print(l->state, 1, ids + i, shown->labels[i], PLX_LEARNING_LABEL);
        shown->row_title = "query";
        shown->column_title = "key";
        shown->square = true;
    }
    return PLX_OK;
}

plx_status plx__text_show_attention(plx_learning *l) {
    const plx__text *text = l->state;
    const int32_t *ids = text->ids + text->test_begin;
    const bool modern = plx_model_setting(l->model, "rope_base") > 0;
    block_input b = {.weights = plx_model_weights(l->model),
                     .width = (int64_t)plx_model_setting(l->model, "width"),
                     .heads = (int64_t)plx_model_setting(l->model, "heads"),
                     .modern = modern,
                     .base = plx_model_setting(l->model, "rope_base")};
    plx_tensor *keys = plx_weights_find(b.weights, "block_0.attention.key.weight");
    if (!keys || text->context < TOKENS) return PLX_OK;
    b.kv_heads = plx_tensor_dims(keys)[1] / (b.width / b.heads);
    double *memory = plx_alloc((size_t)(3 * TOKENS * b.width) * sizeof *memory);
    if (!memory)
        return plx_fail(l->ctx, PLX_ERR_MEMORY, "%s: no memory for attention", l->task->name);
    b.x = memory;
    b.q = memory + TOKENS * b.width;
    b.k = memory + 2 * TOKENS * b.width;
    embed(&b, ids);
    normalise(&b);
    project(&b, "query", b.width, b.q);
    project(&b, "key", b.width / b.heads * b.kv_heads, b.k);
    if (modern) {
        turn(&b, b.heads, b.q);
        turn(&b, b.kv_heads, b.k);
    }
    const plx_status status = show_heads(l, &b, ids);
    plx_free(memory);
    return status;
}
