#include "bench/tasks/shapes.h"

/* ---- Names ----------------------------------------------------------------------------------- */

static const char *const shapes[] = {"circle", "square", "triangle", "cross", "ring"};
static const char *const textures[] = {"plain", "striped", "barred", "dotted", "checked"};
static const char *const colours[] = {"red", "yellow", "green", "cyan", "blue", "purple"};
static const char *const grounds[] = {"black", "dark", "grey"};
static const char *const sizes[] = {"small", "large"};
static const char *const places[] = {"middle", "left", "right", "top", "bottom"};

enum { CIRCLE, SQUARE, TRIANGLE, CROSS, RING };
enum { PLAIN, STRIPED, BARRED, DOTTED, CHECKED };

static const char *name_of(const char *const *names, int count, int i) {
    return i >= 0 && i < count ? names[i] : NULL;
}

const char *plx__shape_name(int shape) {
    return name_of(shapes, PLX_SHAPES, shape);
}

const char *plx__texture_name(int texture) {
    return name_of(textures, PLX_TEXTURES, texture);
}

const char *plx__colour_name(int colour) {
    return name_of(colours, PLX_COLOURS, colour);
}

const char *plx__ground_name(int background) {
    return name_of(grounds, PLX_GROUNDS, background);
}

const char *plx__size_name(int size) {
    return name_of(sizes, PLX_SHAPE_SIZES, size);
}

const char *plx__place_name(int place) {
    return name_of(places, PLX_PLACES, place);
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

static const struct kind {
    int shape, texture;
    const char *name;
} kinds[PLX_KINDS] = {
    {CIRCLE, PLAIN, "plain circle"},         {CIRCLE, STRIPED, "striped circle"},
    {SQUARE, CHECKED, "checked square"},     {SQUARE, DOTTED, "dotted square"},
    {TRIANGLE, CHECKED, "checked triangle"}, {TRIANGLE, PLAIN, "plain triangle"},
    {CROSS, STRIPED, "striped cross"},       {CROSS, BARRED, "barred cross"},
    {RING, DOTTED, "dotted ring"},           {RING, BARRED, "barred ring"},
};

const char *plx__kind_name(int kind) {
    return kind >= 0 && kind < PLX_KINDS ? kinds[kind].name : NULL;
}

int plx__picture_kind(const plx__picture *picture) {
    for (int i = 0; i < PLX_KINDS; ++i)
        if (kinds[i].shape == picture->shape && kinds[i].texture == picture->texture) return i;
    return -1;
}

plx__picture plx__picture_random(plx_rng *rng) {
    return (plx__picture){
        .shape = (int)plx_rng_below(rng, PLX_SHAPES),
        .texture = (int)plx_rng_below(rng, PLX_TEXTURES),
        .colour = (int)plx_rng_below(rng, PLX_COLOURS),
        .background = (int)plx_rng_below(rng, PLX_GROUNDS),
        .size = (int)plx_rng_below(rng, PLX_SHAPE_SIZES),
        .place = (int)plx_rng_below(rng, PLX_PLACES),
    };
}

plx__picture plx__picture_of_kind(int kind, plx_rng *rng) {
    plx__picture picture = plx__picture_random(rng);
    picture.shape = kinds[kind].shape;
    picture.texture = kinds[kind].texture;
    return picture;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

/* Light of red, green and blue, 0 to 1. */
typedef struct lights {
    double of[PLX_PICTURE_CHANNELS];
} lights;

/* A picture as determined by its attributes and random choices. */
typedef struct figure {
    int shape, texture;
    double row, column, radius;               /* pixels */
    double sine, cosine;                      /* of the slant */
    double stripe_sine, stripe_cosine, phase; /* of the texture */
    lights colour, shade, ground;
} figure;

static const double middle = 0.5 * (PLX_PICTURE_SIDE - 1);

/* Uniform in [-most, most). */
static double jitter(plx_rng *rng, double most) {
    return (2 * plx_rng_uniform(rng) - 1) * most;
}

static lights varied(lights from, plx_rng *rng, double most) {
    for (int c = 0; c < PLX_PICTURE_CHANNELS; ++c) from.of[c] += jitter(rng, most);
    return from;
}

static figure place_figure(const plx__picture *p, plx_rng *rng) {
    static const lights hues[] = {{{0.9, 0.2, 0.2}},   {{0.85, 0.8, 0.15}}, {{0.2, 0.75, 0.25}},
                                  {{0.15, 0.75, 0.8}}, {{0.2, 0.3, 0.9}},   {{0.7, 0.25, 0.8}}};
    static const double greys[] = {0.05, 0.2, 0.35};
    static const double radii[] = {10, 12};
    static const double away = 4; /* from the middle, in pixels */
    static const double down[] = {0, 0, 0, -1, 1}, across[] = {0, -1, 1, 0, 0};
    const double grey = greys[p->background];
    figure f = {.shape = p->shape, .texture = p->texture};
    f.row = middle + away * down[p->place] + jitter(rng, 0.5);
    f.column = middle + away * across[p->place] + jitter(rng, 0.5);
    f.radius = radii[p->size] + jitter(rng, 0.5);
    const double slant = jitter(rng, 0.1), direction = jitter(rng, 0.1);
    f.sine = plx_math_sin(slant);
    f.cosine = plx_math_cos(slant);
    f.stripe_sine = plx_math_sin(direction);
    f.stripe_cosine = plx_math_cos(direction);
    f.phase = jitter(rng, 0.5);
    f.colour = varied(hues[p->colour], rng, 0.1);
    const double strength = 0.3 + jitter(rng, 0.1);
    for (int c = 0; c < PLX_PICTURE_CHANNELS; ++c) f.shade.of[c] = strength * f.colour.of[c];
    f.ground = varied((lights){{grey, grey, grey}}, rng, 0.05);
    return f;
}

static double least(double a, double b) {
    return a < b ? a : b;
}

static double size_of(double x) {
    return x < 0 ? -x : x;
}

/* How far the point (across, down) lies within the shape, in pixels; negative outside. */
static double depth(const figure *f, double across, double down) {
    const double r = f->radius, x = size_of(across), y = size_of(down);
    const double from_centre = plx_math_sqrt(across * across + down * down);
    switch (f->shape) {
    case CIRCLE: return r - from_centre;
    case SQUARE: return 0.85 * r - (x > y ? x : y);
    case TRIANGLE: /* distances from its base, and from its sides at 30 degrees to the vertical */
        return least(0.55 * r - down, 0.55 * r + 0.5 * down - 0.8660254037844386 * x);
    case CROSS: {
        const double upright = least(0.35 * r - x, r - y), lying = least(r - x, 0.35 * r - y);
        return upright > lying ? upright : lying;
    }
    default: return least(r - from_centre, from_centre - 0.5 * r);
    }
}

/* A wave with a period of 4 pixels between -1 and 1, of straight lines. */
static double wave(double x) {
    const double turns = x * 0.25 + 1024; /* positive */
    const double part = turns - (double)(int64_t)turns;
    return part < 0.5 ? 4 * part - 1 : 3 - 4 * part;
}

/* 0: the figure's colour, 1: its shade. The texture is fixed to the picture, not to the figure. */
static double shade_at(const figure *f, double across, double down) {
    const double u = wave(f->stripe_cosine * across + f->stripe_sine * down + f->phase);
    const double v = wave(f->stripe_cosine * down - f->stripe_sine * across - f->phase);
    double level;
    switch (f->texture) {
    case STRIPED: level = 2 * u; break;
    case BARRED: level = 2 * v; break;
    case DOTTED: level = 2 * (u + v - 0.7); break;
    case CHECKED: level = 4 * u * v; break;
    default: return 0;
    }
    return least(1, level < -1 ? 0 : 0.5 + 0.5 * level);
}

/* Three levels of noise in [-0.5, 0.5) from one random word. */
static void noise_of(uint32_t word, double *noise) {
    for (int c = 0; c < PLX_PICTURE_CHANNELS; ++c)
        noise[c] = (double)(word >> 10 * c & 1023) / 1024 - 0.5;
}

static const double mean_light = 0.25, light_deviation = 0.21;

void plx__picture_draw(const plx__picture *picture, plx_rng *rng, plx_real *image) {
    static const double noise_size = 0.2;
    const figure f = place_figure(picture, rng);
    for (int i = 0; i < PLX_PICTURE_SIDE * PLX_PICTURE_SIDE; ++i) {
        const int row = i / PLX_PICTURE_SIDE, column = i % PLX_PICTURE_SIDE;
        const double y = row - f.row, x = column - f.column;
        const double across = f.cosine * x + f.sine * y, down = f.cosine * y - f.sine * x;
        const double within = depth(&f, across, down) + 0.5; /* edges are softened over a pixel */
        const double cover = within < 0 ? 0 : least(1, within);
        const double shade = cover > 0 ? shade_at(&f, column - middle, row - middle) : 0;
        double noise[PLX_PICTURE_CHANNELS];
        noise_of(plx_rng_u32(rng), noise);
        for (int c = 0; c < PLX_PICTURE_CHANNELS; ++c) {
            const double own = f.colour.of[c] + shade * (f.shade.of[c] - f.colour.of[c]);
            const double seen = f.ground.of[c] + cover * (own - f.ground.of[c]);
            image[PLX_PICTURE_CHANNELS * i + c] =
                (plx_real)((seen + noise_size * noise[c] - mean_light) / light_deviation);
        }
    }
}

void plx__picture_to_light(const plx_real *image, plx_real *light) {
    for (int i = 0; i < PLX_PICTURE_VALUES; ++i) {
        const double seen = (double)image[i] * light_deviation + mean_light;
        light[i] = (plx_real)(seen < 0 ? 0 : least(1, seen));
    }
}

void plx__pictures(int64_t n, uint64_t seed, uint32_t stream, plx_real *images, int32_t *labels) {
    plx_rng rng = plx_rng_new(seed, stream);
    for (int64_t i = 0; i < n; ++i) {
        labels[i] = (int32_t)plx_rng_below(&rng, PLX_KINDS);
        const plx__picture picture = plx__picture_of_kind(labels[i], &rng);
        plx__picture_draw(&picture, &rng, images + i * PLX_PICTURE_VALUES);
    }
}
