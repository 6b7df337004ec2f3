/* Synthetic pictures of shapes and textures, drawn from a list of attributes, for models of
 * pictures, and of pictures with captions. */
#ifndef PLX_BENCH_SHAPES_H
#define PLX_BENCH_SHAPES_H

#include "parallax.h"

enum { PLX_PICTURE_SIDE = 32, PLX_PICTURE_CHANNELS = 3 };
enum { PLX_PICTURE_VALUES = PLX_PICTURE_SIDE * PLX_PICTURE_SIDE * PLX_PICTURE_CHANNELS };

enum { PLX_SHAPES = 5, PLX_TEXTURES = 5, PLX_COLOURS = 6, PLX_GROUNDS = 3, PLX_SHAPE_SIZES = 2 };
enum { PLX_PLACES = 5, PLX_KINDS = 10 };

/* One figure on a background; each field counts from 0. */
typedef struct plx__picture {
    int shape;      /* circle, square, triangle, cross, ring */
    int texture;    /* plain, striped (down), barred (across), dotted, checked */
    int colour;     /* red, yellow, green, cyan, blue, purple */
    int background; /* black, dark, grey: darker than every colour */
    int size;       /* small, large */
    int place;      /* middle, left, right, top, bottom */
} plx__picture;

/* The word of an attribute: "circle", "striped", "red", "black", "small", "left"; NULL past the
 * last. */
const char *plx__shape_name(int shape);
const char *plx__texture_name(int texture);
const char *plx__colour_name(int colour);
const char *plx__ground_name(int background);
const char *plx__size_name(int size);
const char *plx__place_name(int place);

/* Draws every attribute at random. */
plx__picture plx__picture_random(plx_rng *rng);

/* Ten of the pairs of shape and texture, for classification: each shape has two textures and each
 * texture two shapes, so neither alone determines the kind. */
const char *plx__kind_name(int kind);
/* The kind of a pair; -1: not one of the ten. */
int plx__picture_kind(const plx__picture *picture);
/* Draws everything but shape and texture at random. */
plx__picture plx__picture_of_kind(int kind, plx_rng *rng);

/* Draws into image [32, 32, 3], with a mean of about 0 and a deviation of about 1. Place, size,
 * slant, hue and the texture's direction vary at random, and every pixel has noise. The number of
 * draws is fixed, so picture n of a stream does not depend on the attributes of those before it. */
void plx__picture_draw(const plx__picture *picture, plx_rng *rng, plx_real *image);

/* An image as light, 0 to 1. */
void plx__picture_to_light(const plx_real *image, plx_real *light);

/* Draws n pictures with their kinds, all kinds equally likely. */
void plx__pictures(int64_t n, uint64_t seed, uint32_t stream, plx_real *images, int32_t *kinds);

#endif
