/* Refusals of the builders of attention and rotary embedding. */
#include "check.h"

#include <math.h>
#include <string.h>

static plx_node input(plx_graph *graph, const char *name, int64_t b, int64_t s, int64_t w) {
    const int64_t dims[] = {b, s, w};
    return plx_input(graph, name, PLX_DTYPE_REAL, 3, dims);
}

typedef struct refusal {
    int64_t q[3], k[3], v[3], mask[3]; /* mask[0] is 0: no mask */
    plx_attention_options options;
    const char *sentence;
} refusal;

static const refusal refusals[] = {
    {{2, 3, 8}, {2, 4, 8}, {2, 4, 8}, {0}, {0}, "attention: heads is 0; it must be at least 1"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {0},
     {2, -1, false, 0},
     "attention: kv_heads is -1; it must be at least 1, or 0 for as many as heads"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {0},
     {4, 3, false, 0}, /* which do not divide the width either */
     "attention: 3 key heads do not divide 4 query heads"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {0},
     {3, 0, false, 0},
     "attention: q has width 8, which 3 heads do not divide"},
    {{2, 3, 8},
     {2, 4, 6},
     {2, 4, 6},
     {0},
     {4, 3, false, 0},
     "attention: 3 key heads do not divide 4 query heads"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {0},
     {4, 2, false, 0},
     "attention: heads of q have width 2, those of k 4; they must be equal"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 5, 8},
     {0},
     {2, 0, false, 0},
     "attention: k [2, 4, 8] and v [2, 5, 8] must have the same shape"},
    {{2, 3, 8},
     {3, 4, 8},
     {3, 4, 8},
     {0},
     {2, 0, false, 0},
     "attention: k [3, 4, 8] and q [2, 3, 8] must have the same batch size"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {2, 4, 4},
     {2, 0, false, 0},
     "attention: mask [2, 4, 4] does not broadcast to the scores [2, 3, 4]"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {0},
     {2, 0, false, (double)NAN},
     "attention: scale is nan; it must be above -1e30 and below 1e30"},
    {{2, 3, 8},
     {2, 4, 8},
     {2, 4, 8},
     {0},
     {2, 0, false, 1e35},
     "attention: scale is 1e+35; it must be above -1e30 and below 1e30"},
};

static void check_refusal(plx_check *t, plx_ctx *ctx, const refusal *r) {
    plx_graph *graph = NULL;
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    const plx_node q = input(graph, "q", r->q[0], r->q[1], r->q[2]);
    const plx_node k = input(graph, "k", r->k[0], r->k[1], r->k[2]);
    const plx_node v = input(graph, "v", r->v[0], r->v[1], r->v[2]);
    const plx_node mask =
        r->mask[0] ? input(graph, "mask", r->mask[0], r->mask[1], r->mask[2]) : plx_none();
    plx_attention(graph, q, k, v, mask, &r->options);
    CHECK(t, plx_graph_status(graph) != PLX_OK && strstr(plx_message(ctx), r->sentence),
          "\"%s\" instead of \"%s\"", plx_message(ctx), r->sentence);
    plx_graph_free(graph);
}

static void check_rope(plx_check *t, plx_ctx *ctx, int64_t width, int64_t heads, double base,
                       int64_t first, const char *sentence) {
    plx_graph *graph = NULL;
    if (plx_graph_new(ctx, &graph) != PLX_OK) return;
    plx_rope(graph, input(graph, "x", 1, 2, width), heads, base, first);
    CHECK(t, plx_graph_status(graph) != PLX_OK && strstr(plx_message(ctx), sentence),
          "\"%s\" instead of \"%s\"", plx_message(ctx), sentence);
    plx_graph_free(graph);
}

void plx_test_unit_attention(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; ++i)
        check_refusal(t, ctx, &refusals[i]);
    check_rope(t, ctx, 6, 2, 1e4, 0, "rope: heads have width 3; it must be even");
    check_rope(t, ctx, 8, 3, 1e4, 0, "rope: x has width 8, which 3 heads do not divide");
    check_rope(t, ctx, 8, 2, -1, 0, "base must be above 0 and below 1e30");
    check_rope(t, ctx, 8, 2, 1e31, 0, "base must be above 0 and below 1e30");
    check_rope(t, ctx, 8, 2, 1e4, INT64_MAX, "positions 0 to 2^31");
    plx_ctx_free(ctx);
}
