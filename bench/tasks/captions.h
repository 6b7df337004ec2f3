/* Captions of the synthetic pictures of shapes.h: "a large striped red circle on black at the
 * left". */
#ifndef PLX_BENCH_CAPTIONS_H
#define PLX_BENCH_CAPTIONS_H

#include "bench/tasks/shapes.h"

/* Words in the longest caption; shorter ones end in padding, whose id is 0. */
enum { PLX_CAPTION_WORDS = 10 };
/* One per combination of picture attributes: no two are the same. */
enum {
    PLX_CAPTIONS =
        PLX_SHAPES * PLX_TEXTURES * PLX_COLOURS * PLX_GROUNDS * PLX_SHAPE_SIZES * PLX_PLACES
};
enum { PLX_CAPTION_TEXT = 64 };

/* Number of ids, including padding. */
int64_t plx__caption_vocabulary(void);
/* The word of an id, such as "circle"; "" for padding; NULL past the last. */
const char *plx__caption_word(int32_t id);

/* The attributes of caption number i of PLX_CAPTIONS. */
plx__picture plx__caption_picture(int64_t i);
/* Writes the caption as ids [PLX_CAPTION_WORDS]. */
void plx__caption_ids(const plx__picture *picture, int32_t *ids);
/* Writes the caption as text [PLX_CAPTION_TEXT]. */
void plx__caption_text(const plx__picture *picture, char *text);

#endif
