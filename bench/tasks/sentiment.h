/* Synthetic sentences of a small grammar with their sentiment, and words masked for BERT.
 *
 *   in the cinema the film that my sad uncle watched was not deeply boring whatsoever
 *
 * The sentiment depends on the whole sentence: negation reverses it, what comes after "but" and
 * before "though" wins, and the moods of people do not count. Some words always occur together (a
 * place and its things, an adverb and its adjective, "not" and "whatsoever"), so that most of them
 * can be predicted from the others. */
#ifndef PLX_BENCH_SENTIMENT_H
#define PLX_BENCH_SENTIMENT_H

#include "parallax_nn.h"

/* Tokens in the longest sentence with [CLS] in front; shorter ones end in padding. */
enum { PLX_SENTIMENT_TOKENS = 16 };
enum { PLX_SENTIMENT_PAD = 0, PLX_SENTIMENT_CLS, PLX_SENTIMENT_MASK, PLX_SENTIMENT_FIRST_WORD };
enum { PLX_NEGATIVE = 0, PLX_NEUTRAL, PLX_POSITIVE, PLX_SENTIMENTS };

/* Number of ids. */
int64_t plx__sentiment_vocabulary(void);
/* The word of an id, such as "film" or "[MASK]"; NULL past the last. */
const char *plx__sentiment_word(int32_t id);
/* "negative", "neutral", "positive"; NULL past the last. */
const char *plx__sentiment_name(int sentiment);

/* Draws a sentence into ids [PLX_SENTIMENT_TOKENS]; returns its sentiment. All sentiments are
 * equally likely. */
int plx__sentiment_sentence(plx_rng *rng, int32_t *ids);
/* Whether the sentence is for testing: one in eight is, the same ones whatever the seed. */
bool plx__sentiment_is_held_out(const int32_t *ids);

/* Hides 15% of the words, at least one, as Devlin et al. do: 80% of them become [MASK], 10% a
 * random word, 10% stay. labels [PLX_SENTIMENT_TOKENS] hold the hidden words, and PLX_IGNORED_LABEL
 * elsewhere. */
void plx__sentiment_mask(plx_rng *rng, const int32_t *ids, int32_t *masked, int32_t *labels);

#endif
