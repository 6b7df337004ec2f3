#include "bench/tasks/stories.h"

#include <stdio.h>
#include <string.h>

/* What a story draws once and recalls later; she and her follow the hero. */
typedef enum slot {
    HERO_KIND,
    HERO,
    FRIEND,
    NATURE,
    HOME,
    AWAY,
    ANIMAL,
    COLOUR,
    THING,
    TIME,
    FEELING,
    SLOTS,
    SHE = SLOTS,
    HER,
} slot;

/* Ordered by the letter that templates use: "@o" draws a thing, "$o" recalls it. */
static const char slot_letters[] = "ghfapqkcotesr";

/* In a template, "{a|b}" stands for one of several continuations, equally likely, which begin with
 * different words. */
static const char story_template[] =
    "once there was a @a @g named @h . $s lived in the @p with "
    "{ a @k . one @t $s found a @c @o near the @q . the $k { wanted | liked | feared | hid } the "
    "$o . { \" we must { keep | sell | hide } the $c $o \" said $h . | $h laughed and { took | "
    "dropped | washed } it . } in the end $s was @e and the $k slept in the $p . "
    "| $r friend @f . one @t $f lost a @c @o near the @q . { \" where is the $o ? \" asked $h . | "
    "$h was @e . } they looked in the $q and the $p . { at last $h saw the $c $o . | nobody found "
    "the $o . } $s was @e . "
    "| nobody . one @t $s met a @k who had a @c @o . \" { bring | take | send } me to the @q \" "
    "said the $k . so $h and the $k went to the $q . there $s got the $c $o . }";

/* The richer, the more words: richness r takes the first taken[r] of them. */
typedef struct word_list {
    int taken[3];
    const char *words;
} word_list;

static const word_list lists[SLOTS] = {
    [HERO_KIND] = {{2, 2, 2}, "girl boy"},
    [NATURE] = {{3, 12, 24},
                "little kind brave clever shy merry gentle curious quiet lucky modest hungry proud "
                "silly patient lonely cheerful careful stubborn sleepy noisy polite nimble humble"},
    [HOME] = {{3, 16, 32},
              "forest village garden castle harbour valley market tower meadow cave mill lake "
              "bridge palace desert swamp bakery temple station library canyon chapel farm lagoon "
              "quarry stable theatre vineyard workshop glacier museum lighthouse"},
    [ANIMAL] =
        {{3, 16, 32},
         "cat dog fox pig bear goat mouse horse rabbit duck frog wolf hen deer crow hedgehog "
         "badger beaver camel donkey gull falcon heron lizard mole parrot pigeon raven "
         "squirrel swan turtle weasel"},
    [COLOUR] = {{3, 8, 12},
                "red blue golden green white black silver yellow purple brown grey pink"},
    [THING] = {{3, 24, 48},
               "ball key book lamp coin hat ring drum boat bell kite map spoon mirror basket flute "
               "ladder candle button crown feather lantern marble needle blanket bottle bracelet "
               "bucket carpet compass cushion dagger diary hammer kettle locket mask necklace rope "
               "pebble pillow quilt ribbon saddle shield slipper trumpet whistle"},
    [TIME] = {{2, 4, 6}, "day morning evening night winter summer"},
    [FEELING] = {{3, 8, 12},
                 "happy sad tired glad angry calm afraid pleased sorry worried grateful amused"},
};

/* Names are two syllables; girls' names end in different ones than boys'. */
static const word_list beginnings = {{2, 8, 16}, "Mi To La Ru Be Na Ka So Vi Da El Fe Jo Pa Te Zo"};
static const word_list girls_ends = {{1, 4, 8}, "ra na lia sa ta nia la mi"};
static const word_list boys_ends = {{1, 4, 8}, "mo bin ko ren dor lo tus vik"};

enum { MOST_WORDS = 1024, MOST_LETTERS = 16, MOST_ITEMS = 512 };

/* Items of the compiled template: words are represented by their numbers. */
enum { OPEN = -1, OR = -2, CLOSE = -3, DRAW = -100, RECALL = -200 };

struct plx_stories {
    int count;
    char words[MOST_WORDS][MOST_LETTERS];
    int first[SLOTS], size[SLOTS]; /* for HERO and FRIEND: names, girls before boys */
    int32_t she[2][2];             /* [she, her][girl, boy] */
    int items_count;
    int32_t items[MOST_ITEMS];
};

/* ---- Vocabulary ------------------------------------------------------------------------------ */

static int32_t word_number(plx_stories *s, const char *word, size_t length) {
    for (int i = 0; i < s->count; ++i)
        if (strlen(s->words[i]) == length && !memcmp(s->words[i], word, length)) return i;
    if (s->count == MOST_WORDS || length >= MOST_LETTERS) return 0;
    memcpy(s->words[s->count], word, length);
    s->words[s->count][length] = '\0';
    return s->count++;
}

/* Word i of text; its length into *length. */
static const char *word_at(const char *text, int i, size_t *length) {
    for (; i > 0; --i) text += strcspn(text, " ") + 1;
    *length = strcspn(text, " ");
    return text;
}

static void add_list(plx_stories *s, slot which, int richness) {
    s->first[which] = s->count;
    s->size[which] = lists[which].taken[richness];
    for (int i = 0; i < s->size[which]; ++i) {
        size_t length;
        const char *word = word_at(lists[which].words, i, &length);
        word_number(s, word, length);
    }
}

static void add_names(plx_stories *s, const word_list *ends, int richness) {
    for (int i = 0; i < beginnings.taken[richness]; ++i)
        for (int k = 0; k < ends->taken[richness]; ++k) {
            size_t first, second;
            const char *beginning = word_at(beginnings.words, i, &first);
            const char *end = word_at(ends->words, k, &second);
            char name[MOST_LETTERS];
            const int length =
                snprintf(name, sizeof name, "%.*s%.*s", (int)first, beginning, (int)second, end);
            word_number(s, name, (size_t)length);
        }
}

static slot slot_of(char letter) {
    return (slot)(strchr(slot_letters, letter) - slot_letters);
}

static int32_t item_of(plx_stories *s, const char *word, size_t length) {
    if (length == 1 && *word == '{') return OPEN;
    if (length == 1 && *word == '|') return OR;
    if (length == 1 && *word == '}') return CLOSE;
    if (length == 2 && *word == '@') return DRAW - (int32_t)slot_of(word[1]);
    if (length == 2 && *word == '$') return RECALL - (int32_t)slot_of(word[1]);
    return word_number(s, word, length);
}

static void compile_template(plx_stories *s) {
    for (const char *at = story_template; *at;) {
        const size_t length = strcspn(at, " ");
        s->items[s->items_count++] = item_of(s, at, length);
        at += length + (at[length] != '\0');
    }
}

plx_stories *plx_stories_new(int richness) {
    plx_stories *s = plx_alloc(sizeof *s);
    if (!s) return NULL;
    memset(s, 0, sizeof *s);
    word_number(s, "<story>", 7);
    compile_template(s);
    static const char *const pronouns[2][2] = {{"she", "he"}, {"her", "his"}};
    for (int i = 0; i < 2; ++i)
        for (int k = 0; k < 2; ++k)
            s->she[i][k] = word_number(s, pronouns[i][k], strlen(pronouns[i][k]));
    for (int i = 0; i < SLOTS; ++i)
        if (lists[i].words) add_list(s, (slot)i, richness);
    s->first[HERO] = s->count;
    add_names(s, &girls_ends, richness);
    add_names(s, &boys_ends, richness);
    s->size[HERO] = s->count - s->first[HERO];
    s->first[FRIEND] = s->first[HERO];
    s->size[FRIEND] = s->size[HERO];
    s->first[AWAY] = s->first[HOME];
    s->size[AWAY] = s->size[HOME];
    return s;
}

void plx_stories_free(plx_stories *stories) {
    plx_free(stories);
}

int plx_stories_vocabulary(const plx_stories *stories) {
    return stories->count;
}

const char *plx_stories_word(const plx_stories *stories, int32_t id) {
    return stories->words[id];
}

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct author {
    const plx_stories *s;
    plx_rng *rng;
    int32_t values[SLOTS];
    double pending; /* cost of choices that the next word reveals */
    int64_t written, count, clashes;
    int32_t *ids;
    double *costs;
} author;

static void write_word(author *a, int32_t id) {
    if (a->written < a->count) {
        a->ids[a->written] = id;
        a->costs[a->written] = a->pending;
    }
    a->written += 1;
    a->pending = 0;
}

static int64_t choose(author *a, int64_t n) {
    a->pending += plx_math_log((double)n);
    return plx_rng_below(a->rng, n);
}

static bool is_boy(const author *a) {
    return a->values[HERO_KIND] != a->s->first[HERO_KIND];
}

/* From a list, excluding the word that must differ. */
static int32_t choose_other(author *a, slot which, int32_t other) {
    int32_t id = a->s->first[which] + (int32_t)choose(a, a->s->size[which] - 1);
    return id + (id >= other);
}

static int32_t draw_value(author *a, slot which) {
    if (which == FRIEND) return choose_other(a, FRIEND, a->values[HERO]);
    if (which == AWAY) return choose_other(a, AWAY, a->values[HOME]);
    if (which != HERO) return a->s->first[which] + (int32_t)choose(a, a->s->size[which]);
    const int half = a->s->size[HERO] / 2;
    return a->s->first[HERO] + (is_boy(a) ? half : 0) + (int32_t)choose(a, half);
}

static int32_t recall(const author *a, int which) {
    return which >= SLOTS ? a->s->she[which - SLOTS][is_boy(a)] : a->values[which];
}

/* The item after the group that opens at item i, or, if an alternative is wanted, the first item of
 * the next one; -1 if there is none. */
static int after(const plx_stories *s, int i, bool alternative) {
    int depth = 0;
    for (; i < s->items_count; ++i) {
        depth += (s->items[i] == OPEN) - (s->items[i] == CLOSE);
        if (alternative && depth == 0 && s->items[i] == OR) return i + 1;
        if (depth < 0) return alternative ? -1 : i + 1;
    }
    return -1;
}

/* The word that an alternative begins with; -1: a drawn one. */
static int32_t first_word(const author *a, int i) {
    const int32_t item = a->s->items[i];
    if (item <= RECALL) return recall(a, RECALL - item);
    return item <= DRAW ? -1 : item;
}

static void count_clashes(author *a, const int *starts, int n) {
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < i; ++k) {
            const int32_t left = first_word(a, starts[i]), right = first_word(a, starts[k]);
            a->clashes += left < 0 || right < 0 || left == right;
        }
}

static void tell(author *a, int i) {
    enum { MOST_ALTERNATIVES = 8, MOST_DEPTH = 8 };
    const plx_stories *s = a->s;
    int back[MOST_DEPTH] = {0}, depth = 0; /* where to continue after each open group */
    while (i < s->items_count) {
        const int32_t item = s->items[i++];
        if (item == OPEN) {
            int starts[MOST_ALTERNATIVES] = {0}, n = 0;
            for (int at = i; at >= 0 && n < MOST_ALTERNATIVES; at = after(s, at, true))
                starts[n++] = at;
            count_clashes(a, starts, n);
            back[depth++] = after(s, i, false);
            i = starts[choose(a, n)];
        } else if (item == OR || item == CLOSE) {
            i = back[--depth];
        } else if (item <= RECALL) {
            write_word(a, recall(a, RECALL - item));
        } else if (item <= DRAW) {
            const int which = DRAW - item;
            a->values[which] = draw_value(a, (slot)which);
            write_word(a, a->values[which]);
        } else {
            write_word(a, item);
        }
    }
}

int64_t plx_stories_write(const plx_stories *stories, plx_rng *rng, int64_t count, int32_t *ids,
                          double *costs) {
    author a = {.s = stories, .rng = rng, .count = count, .ids = ids, .costs = costs};
    while (a.written < count) {
        write_word(&a, 0);
        tell(&a, 0);
    }
    return a.clashes;
}

/* ---- In print -------------------------------------------------------------------------------- */

void plx_stories_text(const plx_stories *stories, int64_t count, const int32_t *ids, char *text,
                      size_t bytes) {
    size_t used = 0;
    bool glued = true, quoted = false; /* no space before the next word; within quotation marks */
    for (int64_t i = 0; i < count; ++i) {
        const char *word = ids[i] ? stories->words[ids[i]] : i ? "\n" : "";
        const bool mark = *word == '"', ends = mark && quoted;
        const char *space = glued || ends || !*word || strchr(".?\n", *word) ? "" : " ";
        const size_t length = strlen(space) + strlen(word);
        if (used + length + 1 > bytes) break;
        snprintf(text + used, bytes - used, "%s%s", space, word);
        used += length;
        quoted = ids[i] && quoted != mark;
        glued = !ids[i] || (mark && quoted);
    }
    if (bytes) text[used] = '\0';
}
