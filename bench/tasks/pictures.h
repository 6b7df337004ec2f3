/* Data, measures and exhibits shared by tasks that classify pictures. */
#ifndef PLX_BENCH_PICTURES_H
#define PLX_BENCH_PICTURES_H

#include "parallax_learn.h"

/* Held-out pictures come after those trained on. */
typedef struct plx__picture_set {
    plx_real *images;
    int32_t *kinds;
} plx__picture_set;

/* Draws pictures by the seed of the options; fills train, test, data and the loss. PLX_ERR_SHAPE if
 * the model of the options has inputs or outputs of other sizes. */
plx_status plx__pictures_open(plx_learning *l, plx__picture_set *set);
void plx__pictures_close(plx__picture_set *set);

/* Records top-1 with its goal, top-5 and loss; top1 may be NULL. */
plx_status plx__pictures_measure(plx_learning *l, double goal, double *top1);

/* Exhibits "confusion" and "pictures": some held-out ones with the model's answers. */
plx_status plx__pictures_show(plx_learning *l);
/* A convolution's weights [rows, columns, channels, out] as pictures, each scaled from its smallest
 * to its largest value. Does nothing if no weight has that name or its channels are not colours. */
plx_status plx__pictures_show_filters(plx_learning *l, const char *weight);
/* Held-out picture i as light from 0 to 1. */
void plx__picture_light(const plx_learning *l, int64_t i, plx_real *light);
/* The kind of picture i in the labels. */
int plx__picture_label(const plx_learning *l, int64_t i);

#endif
