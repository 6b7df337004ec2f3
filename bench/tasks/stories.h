/* Little synthetic stories for language models to learn, from a grammar and a seed. Names,
 * pronouns, animals, things and places that were drawn recur throughout a story, so a model has to
 * look back for them. The grammar knows the probability of each word that it writes, which gives
 * the lowest loss that any model of it can reach. */
#ifndef PLX_BENCH_STORIES_H
#define PLX_BENCH_STORIES_H

#include "parallax.h"

typedef struct plx_stories plx_stories;

/* richness: 0 to 2, of the vocabulary. Returns NULL when memory is short. */
plx_stories *plx_stories_new(int richness);
void plx_stories_free(plx_stories *stories);

/* The word with this number; word 0 begins a story. */
int plx_stories_vocabulary(const plx_stories *stories);
const char *plx_stories_word(const plx_stories *stories, int32_t id);

/* Writes stories one after another until there are count words; costs[i] is -log of the probability
 * of word i given all words before it. The last story is cut off. Returns the number of choices
 * between continuations that begin alike, for which the costs would be wrong: 0. */
int64_t plx_stories_write(const plx_stories *stories, plx_rng *rng, int64_t count, int32_t *ids,
                          double *costs);

/* Writes words as text, with spaces as in print, ended by a NUL; leaves out what does not fit in
 * bytes. */
void plx_stories_text(const plx_stories *stories, int64_t count, const int32_t *ids, char *text,
                      size_t bytes);

#endif
