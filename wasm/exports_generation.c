/* Generation for JavaScript; see exports.c for the conventions. */
#include "exports.h"

/* Creates a generator. Results: made. Freed by plx_js_generator_free, before its model. */
EXPORT int plx_js_generator_new(plx_model *model, double seed) {
    plx_generator *generator = NULL;
    const plx_status status = plx_generator_new(model, (uint64_t)seed, &generator);
    plx__js_made(generator);
    return status;
}

EXPORT void plx_js_generator_free(plx_generator *generator) {
    plx_generator_free(generator);
}

EXPORT int plx_js_generator_feed(plx_generator *generator, double count, const int32_t *ids) {
    return plx_generator_feed(generator, (int64_t)count, ids);
}

/* Returns 0 before the first id is fed. */
EXPORT const plx_real *plx_js_generator_logits(const plx_generator *generator) {
    return plx_generator_logits(generator);
}

/* Results: token. */
EXPORT int plx_js_generator_next(plx_generator *generator, double temperature, double top_k) {
    const plx_sampling sampling = {.temperature = temperature, .top_k = (int64_t)top_k};
    int32_t id = -1;
    const plx_status status = plx_generator_next(generator, &sampling, &id);
    plx__js_left.token.id = id;
    return status;
}

EXPORT void plx_js_generator_reset(plx_generator *generator) {
    plx_generator_reset(generator);
}
