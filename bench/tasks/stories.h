/* Little stories for language models to learn: synthetic, from a grammar and a seed. Names,
 * pronouns, animals, things and places that were drawn come back through a story, so that a model
 * has to look back for them. The grammar knows the probability of each word that it writes, which
 * is the least loss that any model of it can have. */
#ifndef PLX_BENCH_STORIES_H
#define PLX_BENCH_STORIES_H

#include "parallax.h"

typedef struct plx_stories plx_stories;

/* richness: 0 to 2, of the vocabulary. NULL when memory is short. */
plx_stories *plx_stories_new(int richness);
void plx_stories_free(plx_stories *stories);

/* Words are numbered from 0; number 0 begins a story. */
int plx_stories_vocabulary(const plx_stories *stories);
const char *plx_stories_word(const plx_stories *stories, int32_t id);

/* Writes stories one after the other until there are count words; costs[i] is -log of the
 * probability of word i after all words before it. The last story is cut off. Returns how many
 * choices there were between continuations that begin alike, where the costs would not be what they
 * are said to be: 0. */
int64_t plx_stories_write(const plx_stories *stories, plx_rng *rng, int64_t count, int32_t *ids,
                          double *costs);

/* Words as text, with spaces as in print, ended by a NUL; what does not fit into bytes is left out.
 */
void plx_stories_text(const plx_stories *stories, int64_t count, const int32_t *ids, char *text,
                      size_t bytes);

#endif
