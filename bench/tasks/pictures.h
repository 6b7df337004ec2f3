/* What tasks that tell kinds of pictures apart share: data, measures, exhibits. */
#ifndef PLX_BENCH_PICTURES_H
#define PLX_BENCH_PICTURES_H

#include "parallax_learn.h"

/* Held-out pictures lie behind those that are trained on. */
typedef struct plx__picture_set {
    plx_real *images;
    int32_t *kinds;
} plx__picture_set;

/* Pictures by the seed of the options; fills train, test, data and the loss. A model of the
 * options that takes or gives something else is PLX_ERR_SHAPE. */
plx_status plx__pictures_open(plx_learning *l, plx__picture_set *set);
void plx__pictures_close(plx__picture_set *set);

/* Records top-1 with its goal, top-5 and loss; top1 may be NULL. */
plx_status plx__pictures_measure(plx_learning *l, double goal, double *top1);

/* "confusion"; "pictures": some held-out ones with what the model takes them for. */
plx_status plx__pictures_show(plx_learning *l);
/* A convolution's weights [rows, columns, channels, out] as pictures, each scaled from its least to
 * its largest. Nothing if there is none of that name or its channels are not colours. */
plx_status plx__pictures_show_filters(plx_learning *l, const char *weight);
/* Held-out picture i as light from 0 to 1. */
void plx__picture_light(const plx_learning *l, int64_t i, plx_real *light);
/* The kind of picture i of the labels. */
int plx__picture_label(const plx_learning *l, int64_t i);

#endif
