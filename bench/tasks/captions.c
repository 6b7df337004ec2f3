#include "bench/tasks/captions.h"

#include <stdio.h>
#include <string.h>

typedef enum particle { A, ON, AT, IN, THE, PARTICLES } particle;

static const char *const particles[PARTICLES] = {
    [A] = "a", [ON] = "on", [AT] = "at", [IN] = "in", [THE] = "the"};

/* The words of each attribute follow those of the one before; "plain" is never written. */
enum {
    FIRST_PARTICLE = 1,
    FIRST_SIZE = FIRST_PARTICLE + PARTICLES,
    FIRST_TEXTURE = FIRST_SIZE + PLX_SHAPE_SIZES,
    FIRST_COLOUR = FIRST_TEXTURE + PLX_TEXTURES,
    FIRST_SHAPE = FIRST_COLOUR + PLX_COLOURS,
    FIRST_GROUND = FIRST_SHAPE + PLX_SHAPES,
    FIRST_PLACE = FIRST_GROUND + PLX_GROUNDS,
    WORDS = FIRST_PLACE + PLX_PLACES
};

enum { PLAIN_TEXTURE = 0, MIDDLE = 0 };

int64_t plx__caption_vocabulary(void) {
    return WORDS;
}

const char *plx__caption_word(int32_t id) {
    if (id < 0 || id >= WORDS) return NULL;
    if (id < FIRST_PARTICLE) return "";
    if (id < FIRST_SIZE) return particles[id - FIRST_PARTICLE];
    if (id < FIRST_TEXTURE) return plx__size_name(id - FIRST_SIZE);
    if (id < FIRST_COLOUR) return plx__texture_name(id - FIRST_TEXTURE);
    if (id < FIRST_SHAPE) return plx__colour_name(id - FIRST_COLOUR);
    if (id < FIRST_GROUND) return plx__shape_name(id - FIRST_SHAPE);
    if (id < FIRST_PLACE) return plx__ground_name(id - FIRST_GROUND);
    return plx__place_name(id - FIRST_PLACE);
}

static int digit(int64_t *number, int base) {
    const int value = (int)(*number % base);
    *number /= base;
    return value;
}

plx__picture plx__caption_picture(int64_t i) {
    plx__picture picture;
    picture.shape = digit(&i, PLX_SHAPES);
    picture.texture = digit(&i, PLX_TEXTURES);
    picture.colour = digit(&i, PLX_COLOURS);
    picture.background = digit(&i, PLX_GROUNDS);
    picture.size = digit(&i, PLX_SHAPE_SIZES);
    picture.place = digit(&i, PLX_PLACES);
    return picture;
}

void plx__caption_ids(const plx__picture *picture, int32_t *ids) {
    int n = 0;
    memset(ids, 0, PLX_CAPTION_WORDS * sizeof *ids);
    ids[n++] = FIRST_PARTICLE + A;
    ids[n++] = FIRST_SIZE + picture->size;
    if (picture->texture != PLAIN_TEXTURE) ids[n++] = FIRST_TEXTURE + picture->texture;
    ids[n++] = FIRST_COLOUR + picture->colour;
    ids[n++] = FIRST_SHAPE + picture->shape;
    ids[n++] = FIRST_PARTICLE + ON;
    ids[n++] = FIRST_GROUND + picture->background;
    ids[n++] = FIRST_PARTICLE + (picture->place == MIDDLE ? IN : AT);
    ids[n++] = FIRST_PARTICLE + THE;
    ids[n++] = FIRST_PLACE + picture->place;
}

void plx__caption_text(const plx__picture *picture, char *text) {
    int32_t ids[PLX_CAPTION_WORDS];
    size_t used = 0;
    plx__caption_ids(picture, ids);
    text[0] = '\0';
    for (int i = 0; i < PLX_CAPTION_WORDS && ids[i] && used < PLX_CAPTION_TEXT; ++i) {
        const char *word = plx__caption_word(ids[i]);
        if (!word) break;
        used += (size_t)snprintf(text + used, PLX_CAPTION_TEXT - used, "%s%s", i ? " " : "", word);
    }
}
