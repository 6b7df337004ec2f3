/* The grammar of sentences with a sentiment. */
#include "bench/tasks/sentiment.h"

/* ---- Words ----------------------------------------------------------------------------------- */

enum { PLACES = 10, JUDGEMENTS = 5, PEOPLE = 8 };

typedef enum particle {
    IN,
    THE,
    WAS,
    NOT,
    WHATSOEVER,
    NEVER,
    ONCE,
    SURELY,
    INDEED,
    BUT,
    THOUGH,
    THAT,
    MY,
    PARTICLES
} particle;

static const char *const specials[PLX_SENTIMENT_FIRST_WORD] = {"[PAD]", "[CLS]", "[MASK]"};

static const char *const particles[PARTICLES] = {
    [IN] = "in",         [THE] = "the",       [WAS] = "was",       [NOT] = "not",
    [NEVER] = "never",   [ONCE] = "once",     [SURELY] = "surely", [WHATSOEVER] = "whatsoever",
    [INDEED] = "indeed", [THOUGH] = "though", [MY] = "my",         [THAT] = "that",
    [BUT] = "but",
};

/* A place, two things found there, and what people do with them. */
static const char *const places[PLACES][4] = {
    {"cinema", "film", "actor", "watched"},      {"kitchen", "soup", "cook", "tasted"},
    {"library", "novel", "reader", "opened"},    {"garden", "rose", "gardener", "admired"},
    {"garage", "car", "mechanic", "drove"},      {"theatre", "play", "dancer", "reviewed"},
    {"school", "lesson", "teacher", "attended"}, {"hotel", "room", "porter", "booked"},
    {"studio", "song", "singer", "recorded"},    {"museum", "statue", "guide", "visited"},
};

/* An adverb and its adjective. */
static const char *const judgements[PLX_SENTIMENTS][JUDGEMENTS][2] = {
    [PLX_NEGATIVE] = {{"deeply", "boring"},
                      {"simply", "awful"},
                      {"painfully", "slow"},
                      {"utterly", "useless"},
                      {"bitterly", "cold"}},
    [PLX_NEUTRAL] = {{"fairly", "average"},
                     {"quite", "ordinary"},
                     {"mostly", "usual"},
                     {"roughly", "medium"},
                     {"somewhat", "plain"}},
    [PLX_POSITIVE] = {{"highly", "skilled"},
                      {"truly", "great"},
                      {"very", "good"},
                      {"wonderfully", "warm"},
                      {"really", "lovely"}},
};

/* A mood and who is in it: words of sentiment that decide nothing. */
static const char *const people[PEOPLE][2] = {
    {"sad", "uncle"},    {"happy", "aunt"},    {"angry", "cousin"}, {"cheerful", "sister"},
    {"calm", "brother"}, {"gloomy", "friend"}, {"proud", "father"}, {"sleepy", "neighbour"},
};

enum {
    FIRST_PARTICLE = PLX_SENTIMENT_FIRST_WORD,
    FIRST_PLACE = FIRST_PARTICLE + PARTICLES,
    FIRST_JUDGEMENT = FIRST_PLACE + 4 * PLACES,
    FIRST_PERSON = FIRST_JUDGEMENT + 2 * PLX_SENTIMENTS * JUDGEMENTS,
    WORDS = FIRST_PERSON + 2 * PEOPLE
};

int64_t plx__sentiment_vocabulary(void) {
    return WORDS;
}

const char *plx__sentiment_word(int32_t id) {
    if (id < 0 || id >= WORDS) return NULL;
    if (id < FIRST_PARTICLE) return specials[id];
    if (id < FIRST_PLACE) return particles[id - FIRST_PARTICLE];
    if (id < FIRST_JUDGEMENT) return places[(id - FIRST_PLACE) / 4][(id - FIRST_PLACE) % 4];
    if (id < FIRST_PERSON) {
        const int pair = (id - FIRST_JUDGEMENT) / 2;
        return judgements[pair / JUDGEMENTS][pair % JUDGEMENTS][(id - FIRST_JUDGEMENT) % 2];
    }
    return people[(id - FIRST_PERSON) / 2][(id - FIRST_PERSON) % 2];
}

const char *plx__sentiment_name(int sentiment) {
    static const char *const names[] = {"negative", "neutral", "positive"};
    return sentiment >= 0 && sentiment < PLX_SENTIMENTS ? names[sentiment] : NULL;
}

/* ---- Grammar --------------------------------------------------------------------------------- */

typedef struct writer {
    plx_rng *rng;
    int32_t *ids;
    int count, place;
} writer;

static void put(writer *w, int id) {
    w->ids[w->count++] = id;
}

static void say(writer *w, particle word) {
    put(w, FIRST_PARTICLE + (int)word);
}

/* The film that my sad uncle watched. */
static void put_person(writer *w) {
    const int person = (int)plx_rng_below(w->rng, PEOPLE);
    say(w, THAT);
    say(w, MY);
    put(w, FIRST_PERSON + 2 * person);
    put(w, FIRST_PERSON + 2 * person + 1);
    put(w, FIRST_PLACE + 4 * w->place + 3);
}

/* "the film was not deeply boring whatsoever" for a wanted sentiment: four clauses in ten express
 * it by denying the opposite. */
static void put_clause(writer *w, int thing, bool person, int sentiment) {
    const bool denied = plx_rng_uniform(w->rng) < 0.4;
    const bool never = plx_rng_uniform(w->rng) < 0.5;
    const int said = denied ? PLX_POSITIVE - sentiment : sentiment;
    const int pair = said * JUDGEMENTS + (int)plx_rng_below(w->rng, JUDGEMENTS);
    say(w, THE);
    put(w, FIRST_PLACE + 4 * w->place + thing);
    if (person) put_person(w);
    say(w, WAS);
    say(w, !denied ? SURELY : never ? NEVER : NOT);
    put(w, FIRST_JUDGEMENT + 2 * pair);
    put(w, FIRST_JUDGEMENT + 2 * pair + 1);
    say(w, !denied ? INDEED : never ? ONCE : WHATSOEVER);
}

/* The film was surely very good indeed but the actor was surely utterly useless indeed: the second
 * clause has another sentiment, which wins after "but" and loses after "though". */
static void put_two_clauses(writer *w, int sentiment) {
    const bool second_wins = plx_rng_uniform(w->rng) < 0.5;
    const int other = (sentiment + 1 + (int)plx_rng_below(w->rng, 2)) % PLX_SENTIMENTS;
    put_clause(w, 1, false, second_wins ? other : sentiment);
    say(w, second_wins ? BUT : THOUGH);
    put_clause(w, 2, false, second_wins ? sentiment : other);
}

int plx__sentiment_sentence(plx_rng *rng, int32_t *ids) {
    writer w = {.rng = rng, .ids = ids, .place = (int)plx_rng_below(rng, PLACES)};
    const int sentiment = (int)plx_rng_below(rng, PLX_SENTIMENTS);
    const double form = plx_rng_uniform(rng);
    put(&w, PLX_SENTIMENT_CLS);
    if (form < 0.4) {
        put_two_clauses(&w, sentiment);
    } else {
        say(&w, IN);
        say(&w, THE);
        put(&w, FIRST_PLACE + 4 * w.place);
        put_clause(&w, form < 0.85 ? 1 : 2, form < 0.85, sentiment);
    }
    while (w.count < PLX_SENTIMENT_TOKENS) put(&w, PLX_SENTIMENT_PAD);
    return sentiment;
}

/* FNV-1a, mixed by a multiplication, since its lowest bits alone are weak. */
bool plx__sentiment_is_held_out(const int32_t *ids) {
    uint64_t hash = 14695981039346656037U;
    for (int i = 0; i < PLX_SENTIMENT_TOKENS; ++i)
        hash = (hash ^ (uint64_t)ids[i]) * 1099511628211U;
    return (hash * 0x9e3779b97f4a7c15U) >> 61 == 0;
}

/* ---- Masks ----------------------------------------------------------------------------------- */

static int32_t disguise(plx_rng *rng, int32_t id) {
    const double choice = plx_rng_uniform(rng);
    if (choice < 0.8) return PLX_SENTIMENT_MASK;
    if (choice >= 0.9) return id;
    return PLX_SENTIMENT_FIRST_WORD + (int32_t)plx_rng_below(rng, WORDS - PLX_SENTIMENT_FIRST_WORD);
}

void plx__sentiment_mask(plx_rng *rng, const int32_t *ids, int32_t *masked, int32_t *labels) {
    int words = 0;
    for (int i = 0; i < PLX_SENTIMENT_TOKENS; ++i) {
        masked[i] = ids[i];
        labels[i] = PLX_IGNORED_LABEL;
        words += ids[i] >= PLX_SENTIMENT_FIRST_WORD;
    }
    int64_t order[PLX_SENTIMENT_TOKENS];
    plx_rng_permute(rng, words, order);
    /* Rounds to the nearest whole word; words follow [CLS] without a gap. */
    const int hidden = (15 * words + 50) / 100;
    for (int i = 0; i < (hidden ? hidden : 1); ++i) {
        const int64_t at = 1 + order[i];
        labels[at] = ids[at];
        masked[at] = disguise(rng, ids[at]);
    }
}
