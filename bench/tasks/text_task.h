/* What the tasks of language models share: stories or the characters of a text, the training
 * recipe, and the exhibits of a trained model. */
#ifndef PLX_BENCH_TEXT_TASK_H
#define PLX_BENCH_TEXT_TASK_H

#include "bench/tasks/stories.h"
#include "parallax_learn.h"

/* The contents of l->state in a language model's task. */
typedef struct plx__text {
    int64_t context, vocabulary, count;
    int32_t *ids;         /* [count], training data first */
    int64_t test_begin;   /* the first held-out id */
    double own_loss;      /* of the grammar on the held-out data, nats per word; NaN for a text */
    plx_stories *stories; /* NULL: characters */
    uint32_t *characters; /* by id */
} plx__text;

/* The functions of a plx_task; model: "gpt2-nano". */
plx_status plx__text_open(plx_learning *learning, const char *model);
plx_status plx__text_evaluate(plx_learning *learning);
plx_status plx__text_exhibit(plx_learning *learning);
void plx__text_close(plx_learning *learning);

/* Writes tokens as text, ended by a NUL; leaves out what does not fit. */
void plx__text_print(const plx__text *text, int64_t count, const int32_t *ids, char *to,
                     size_t bytes);

/* Splits a UTF-8 text into characters: numbers in order of their code points into text->ids, and
 * code points by number into text->characters. Sets count and vocabulary. */
plx_status plx__text_read(plx_learning *learning, plx__text *text);

/* The matrices of the first block: what each head attends to in one held-out sample. */
plx_status plx__text_show_attention(plx_learning *learning);

#endif
