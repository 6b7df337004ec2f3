/* What the files of exported functions use of exports.c, without the browser's threads. */
#ifndef PLX_TEST_BORDER_H
#define PLX_TEST_BORDER_H

#include "exports.h"

#include <stdio.h>

plx__js_results plx__js_left;
static plx_ctx *context;

plx_ctx *plx__js_context(void) {
    return context;
}

plx__js_shape plx__js_shape_of(int rank, const int64_t *dims) {
    (void)dims;
    return (plx__js_shape){.rank = rank};
}

void plx__js_dims(int rank, const double *from, int64_t *dims) {
    for (int d = 0; d < rank; d++) dims[d] = (int64_t)from[d];
}

int plx__js_fail(plx_status status, const char *format, ...) {
    fputs(format, stderr);
    return status;
}

plx__left_metrics plx__js_metrics_of(plx_metrics metrics) {
    return (plx__left_metrics){.loss = metrics.loss};
}

#endif
