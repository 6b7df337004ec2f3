/* Predicts one sample with a model of one layer, through the functions that JavaScript calls.
 * Arguments: the number of the layer's numbers, these, then the values of the sample. */
#include "border.h"

#include <stdlib.h>

int plx_js_model_new(int rank, const double *dims, double vocabulary, double seed);
int plx_js_model_add(plx_model *model, int count, const double *numbers, const char *names);
int plx_js_predict(plx_model *model, double n, const void *const *inputs, double batch,
                   plx_real *const *out);

/* The predefined models are not linked. */
plx_status plx_model_from_name(plx_ctx *ctx, const char *name, uint64_t seed, plx_model **out) {
    (void)ctx, (void)name, (void)seed, (void)out;
    return PLX_ERR_UNSUPPORTED;
}

bool plx_model_name(int i, char *text, size_t text_bytes) {
    (void)i, (void)text, (void)text_bytes;
    return false;
}

int main(int count, char **given) {
    enum { NUMBERS = 1, FIRST, MOST = 64 };
    double numbers[MOST];
    plx_real values[MOST], result[MOST];
    const int size = count > FIRST ? atoi(given[NUMBERS]) : 0, n = count - FIRST - size;
    if (n < 1 || n > MOST || size < 1 || size > MOST) return 2;
    for (int i = 0; i < size; i++) numbers[i] = atof(given[FIRST + i]);
    for (int i = 0; i < n; i++) values[i] = (plx_real)atof(given[FIRST + size + i]);
    if (plx_ctx_new(NULL, &context, NULL, 0)) return 3;
    const double shape = n;
    if (plx_js_model_new(1, &shape, 0, 1)) return 4;
    plx_model *model = (plx_model *)(uintptr_t)plx__js_left.made.address;
    if (plx_js_model_add(model, size, numbers, "")) return 5;
    if (plx_js_predict(model, 1, (const void *[]){values}, 0, (plx_real *[]){result})) return 6;
    for (int i = 0; i < n; i++) printf("%g ", (double)result[i]);
    plx_model_free(model);
    plx_ctx_free(context);
    return 0;
}
