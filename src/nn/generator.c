/* Generation: one plan for one position, with cached keys and values of the positions before it. */
#include "nn/layers.h"
#include "nn/model.h"

#include "base/platform.h"
#include "parallax.h"

#include <string.h>

struct plx_generator {
    plx_model *model;
    plx_rng rng;
    plx_weights *rows; /* keys and values of every block */
    plx_plan *plan;
    plx_node logits;
    int64_t context, vocabulary;
    int32_t id, position; /* what the plan's inputs are bound to */
    int64_t count;        /* number of tokens in the context */
    int32_t *ids;         /* [context] */
    double *weights;      /* [vocabulary]: for drawing */
    int32_t *best;        /* [vocabulary]: the k most likely, as a heap */
};

static plx_status compile_step(plx_generator *g) {
    plx_graph *graph;
    PLX_TRY(plx_graph_new(g->model->ctx, &graph));
    plx_plan_options options = plx_plan_default();
    options.constant_parameters = true;
    const int64_t one[] = {1, 1};
    const plx_node id = plx_input(graph, "id", PLX_DTYPE_I32, 2, one);
    const plx_node position = plx_input(graph, "position", PLX_DTYPE_I32, 1, one);
    const plx__cache cache = {.position = position, .context = g->context, .rows = g->rows};
    const plx_scope scope = plx_scope_new(g->model->weights, graph, false);
    g->logits = g->model->family->step(g->model, &scope, id, &cache);
    plx_status status = plx_compile(graph, 1, &g->logits, &options, &g->plan);
    if (status == PLX_OK) status = plx_plan_bind(g->plan, id, &g->id);
    if (status == PLX_OK) status = plx_plan_bind(g->plan, position, &g->position);
    plx_graph_free(graph);
    return status;
}

static plx_status prepare(plx_generator *g) {
    plx_ctx *ctx = g->model->ctx;
    g->ids = plx_platform_alloc((size_t)g->context * sizeof *g->ids);
    g->weights = plx_platform_alloc((size_t)g->vocabulary * sizeof *g->weights);
    g->best = plx_platform_alloc((size_t)g->vocabulary * sizeof *g->best);
    if (!g->ids || !g->weights || !g->best)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY,
                         "generate: no memory for a context of %lld and a vocabulary of %lld",
                         (long long)g->context, (long long)g->vocabulary);
    PLX_TRY(plx_weights_new(ctx, 0, &g->rows));
    return compile_step(g);
}

plx_status plx_generator_new(plx_model *model, uint64_t seed, plx_generator **out) {
    plx__message *message = &model->ctx->message;
    PLX_TRY(plx__need(message, "generate", "out", out));
    if (!model->family || !model->family->step)
        return plx__fail(message, PLX_ERR_UNSUPPORTED,
                         "generate: %s cannot generate; only gpt2 and transformer models can",
                         model->family ? model->family->name : "a stack of layers");
    plx_generator *g = plx_platform_alloc(sizeof *g);
    if (!g) return plx__fail(message, PLX_ERR_MEMORY, "generate: no memory");
    *g = (plx_generator){.model = plx__model_hold(model),
                         .rng = plx_rng_new(seed, 0x6e65),
                         .context = model->inputs[0].dims[0],
                         .vocabulary = model->inputs[0].classes};
    const plx_status status = prepare(g);
    if (status != PLX_OK) {
        plx_generator_free(g);
        return status;
    }
    *out = g;
    return PLX_OK;
}

void plx_generator_free(plx_generator *g) {
    if (!g) return;
    plx_plan_free(g->plan);
    plx_weights_free(g->rows);
    plx_platform_free(g->ids);
    plx_platform_free(g->weights);
    plx_platform_free(g->best);
    plx_model_free(g->model);
    plx_platform_free(g);
}

void plx_generator_reset(plx_generator *g) {
    g->count = 0;
}

const plx_real *plx_generator_logits(const plx_generator *g) {
    return g->count ? plx_plan_output(g->plan, g->logits) : NULL;
}

/* ---- Taking tokens in ------------------------------------------------------------------------ */

static plx_status run_position(plx_generator *g, int32_t id) {
    g->id = id;
    g->position = (int32_t)g->count;
    PLX_TRY(plx_plan_run(g->plan));
    g->ids[g->count++] = id;
    return PLX_OK;
}

/* Positions are those of the model's context: the tokens that stay move to its beginning, where
 * their keys and values differ and are computed again. */
static plx_status make_room(plx_generator *g) {
    const int64_t kept = g->context / 2;
    memmove(g->ids, g->ids + g->context - kept, (size_t)kept * sizeof *g->ids);
    g->count = 0;
    for (int64_t i = 0; i < kept; ++i) PLX_TRY(run_position(g, g->ids[i]));
    return PLX_OK;
}

plx_status plx_generator_feed(plx_generator *g, int64_t count, const int32_t *ids) {
    plx__message *message = &g->model->ctx->message;
    if (count < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "generate: the number of tokens is %lld; it must not be negative",
                         (long long)count);
    if (count) PLX_TRY(plx__need(message, "generate", "ids", ids));
    for (int64_t i = 0; i < count; ++i)
        if (ids[i] < 0 || ids[i] >= g->vocabulary)
            return plx__fail(message, PLX_ERR_ARGUMENT,
                             "generate: token %d at position %lld is outside the vocabulary, "
                             "0..%lld",
                             (int)ids[i], (long long)i, (long long)g->vocabulary - 1);
    for (int64_t i = 0; i < count; ++i) {
        if (g->count == g->context) PLX_TRY(make_room(g));
        PLX_TRY(run_position(g, ids[i]));
    }
    return PLX_OK;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

/* Whether token a is less likely than b; of equally likely ones the later is. */
static bool is_worse(const plx_real *logits, int32_t a, int32_t b) {
    return logits[a] < logits[b] || (logits[a] == logits[b] && a > b);
}

/* Restores a heap with the worst token on top, from element i down. */
static void sift_down(int32_t *heap, int64_t count, int64_t i, const plx_real *logits) {
    for (;;) {
        int64_t worst = i;
        for (int64_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; ++child)
            if (is_worse(logits, heap[child], heap[worst])) worst = child;
        if (worst == i) return;
        const int32_t moved = heap[i];
        heap[i] = heap[worst];
        heap[worst] = moved;
        i = worst;
    }
}

/* The k most likely of n tokens, in no particular order. */
static void find_best(const plx_real *logits, int64_t n, int64_t k, int32_t *heap) {
    for (int64_t i = 0; i < k; ++i) heap[i] = (int32_t)i;
    for (int64_t i = k / 2; i-- > 0;) sift_down(heap, k, i, logits);
    for (int64_t i = k; i < n; ++i) {
        if (!is_worse(logits, heap[0], (int32_t)i)) continue;
        heap[0] = (int32_t)i;
        sift_down(heap, k, 0, logits);
    }
}

static int32_t likeliest(const plx_real *logits, int64_t n) {
    int32_t best = 0;
    for (int64_t i = 1; i < n; ++i)
        if (logits[i] > logits[best]) best = (int32_t)i;
    return best;
}

/* Draws a token in proportion to exp(logit / temperature) among the k most likely. */
static int32_t draw(plx_generator *g, const plx_real *logits, double temperature, int64_t k) {
    const double top = (double)logits[likeliest(logits, g->vocabulary)];
    memset(g->weights, 0, (size_t)g->vocabulary * sizeof *g->weights);
    find_best(logits, g->vocabulary, k, g->best);
    for (int64_t i = 0; i < k; ++i)
        g->weights[g->best[i]] = plx_math_exp(((double)logits[g->best[i]] - top) / temperature);
    double sum = 0;
    for (int64_t i = 0; i < g->vocabulary; ++i) sum += g->weights[i];
    double left = plx_rng_uniform(&g->rng) * sum;
    int32_t last = 0;
    for (int64_t i = 0; i < g->vocabulary; ++i) {
        if (g->weights[i] <= 0) continue;
        last = (int32_t)i;
        left -= g->weights[i];
        if (left < 0) break;
    }
    return last;
}

static plx_status check_sampling(plx_generator *g, const plx_sampling *s) {
    plx__message *message = &g->model->ctx->message;
    PLX_TRY(plx__need(message, "generate", "sampling", s));
    if (!(s->temperature >= 0 && s->temperature < 1e30) || s->top_k < 0)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "generate: temperature is %g and top_k %lld; temperature must be 0 to "
                         "below 1e30, top_k 0 (all) or more",
                         s->temperature, (long long)s->top_k);
    if (!g->count)
        return plx__fail(message, PLX_ERR_STATE,
                         "generate: there are no tokens to continue; feed at least one first");
    const plx_real *logits = plx_generator_logits(g);
    for (int64_t i = 0; i < g->vocabulary; ++i)
        if (logits[i] - logits[i] != 0)
            return plx__fail(message, PLX_ERR_DIVERGED,
                             "generate: the logit of token %lld is not finite", (long long)i);
    return PLX_OK;
}

plx_status plx_generator_next(plx_generator *g, const plx_sampling *sampling, int32_t *id) {
    PLX_TRY(plx__need(&g->model->ctx->message, "generate", "id", id));
    PLX_TRY(check_sampling(g, sampling));
    const plx_real *logits = plx_generator_logits(g);
    const int64_t k =
        sampling->top_k && sampling->top_k < g->vocabulary ? sampling->top_k : g->vocabulary;
    const int32_t next = sampling->temperature == 0 ? likeliest(logits, g->vocabulary)
                                                    : draw(g, logits, sampling->temperature, k);
    PLX_TRY(plx_generator_feed(g, 1, &next));
    *id = next;
    return PLX_OK;
}
