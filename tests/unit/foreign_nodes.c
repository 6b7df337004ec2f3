/* Every builder refuses a node of another graph, for each of its operands, and plx_none() unless
 * the operand is optional. */
#include "check.h"

#include <string.h>

enum { MOST = 7 };

/* The nodes and objects given to builders. */
typedef struct call {
    plx_graph *graph;
    plx_tensor *tensors[4]; /* not in the graph */
    plx_optimizer *optimizer;
    plx_weights *weights;
    plx_model *model;
    plx_node x[MOST];
} call;

/* Returns the node for a letter: matrices m [2, 3], w [3, 2], square S [3, 3]; vectors v [3], c
 * [2]; scalar s; ids i [2]; image p [1, 4, 4, 2], kernel k [3, 3, 2, 2]; sequence q [1, 2, 4], mask
 * M [1, 2, 2], its step mask t [1, 2]; recurrent weights W [4, 8], r [2, 8], b [8], of a GRU V [4,
 * 6], g [2, 6], d [6], states h [1, 2]; parameters P, Q [2] and R, the optimizer's, [2, 3]. */
static plx_node node_of(call *c, char letter) {
    static const struct {
        char letter;
        int rank;
        int64_t dims[4];
    } shapes[] = {
        {'m', 2, {2, 3}},       {'w', 2, {3, 2}},    {'S', 2, {3, 3}},    {'v', 1, {3}},
        {'c', 1, {2}},          {'s', 0, {0}},       {'i', 1, {2}},       {'p', 4, {1, 4, 4, 2}},
        {'k', 4, {3, 3, 2, 2}}, {'q', 3, {1, 2, 4}}, {'M', 3, {1, 2, 2}}, {'t', 2, {1, 2}},
        {'W', 2, {4, 8}},       {'r', 2, {2, 8}},    {'b', 1, {8}},       {'V', 2, {4, 6}},
        {'g', 2, {2, 6}},       {'d', 1, {6}},       {'h', 2, {1, 2}}};
    const char *parameter = strchr("PQR", letter);
    if (parameter) return plx_parameter(c->graph, NULL, c->tensors[parameter - "PQR"]);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i)
        if (shapes[i].letter == letter)
            return plx_input(c->graph, NULL, letter == 'i' ? PLX_DTYPE_I32 : PLX_DTYPE_REAL,
                             shapes[i].rank, shapes[i].dims);
    return plx_none();
}

typedef plx_status (*builder)(call *c);
#define BUILD(name, ...)                                                                           \
    static plx_status build_##name(call *c) {                                                      \
        const plx_node *x = c->x;                                                                  \
        (void)(__VA_ARGS__);                                                                       \
        (void)x;                                                                                   \
        return plx_graph_status(c->graph);                                                         \
    }
#define TRIED(name, ...)                                                                           \
    static plx_status build_##name(call *c) {                                                      \
        const plx_node *x = c->x;                                                                  \
        (void)x;                                                                                   \
        return __VA_ARGS__;                                                                        \
    }
#define D(...) ((const int64_t[]){__VA_ARGS__})
#define OUT ((plx_node[4]){{0}})

/* name, letters of its nodes, call */
#define BUILDERS(B, T)                                                                             \
    B(matmul, "mw", plx_matmul(c->graph, x[0], x[1], false, false))                                \
    B(batched_matmul, "Mq", plx_matmul(c->graph, x[0], x[1], true, false))                         \
    B(bias, "mv", plx_bias(c->graph, x[0], x[1]))                                                  \
    B(dense, "mwc", plx_dense(c->graph, x[0], x[1], x[2]))                                         \
    B(linear, "m", plx_activate(c->graph, x[0], PLX_LINEAR, 0))                                    \
    B(relu, "m", plx_activate(c->graph, x[0], PLX_RELU, 0))                                        \
    B(add, "mm", plx_add(c->graph, x[0], x[1]))                                                    \
    B(sub, "mm", plx_sub(c->graph, x[0], x[1]))                                                    \
    B(mul, "mm", plx_mul(c->graph, x[0], x[1]))                                                    \
    B(div, "mm", plx_div(c->graph, x[0], x[1]))                                                    \
    B(max, "mm", plx_max(c->graph, x[0], x[1]))                                                    \
    B(min, "mm", plx_min(c->graph, x[0], x[1]))                                                    \
    B(pow, "mm", plx_pow(c->graph, x[0], x[1]))                                                    \
    B(equal, "mm", plx_equal(c->graph, x[0], x[1]))                                                \
    B(not_equal, "mm", plx_not_equal(c->graph, x[0], x[1]))                                        \
    B(less, "mm", plx_less(c->graph, x[0], x[1]))                                                  \
    B(less_equal, "mm", plx_less_equal(c->graph, x[0], x[1]))                                      \
    B(greater, "mm", plx_greater(c->graph, x[0], x[1]))                                            \
    B(greater_equal, "mm", plx_greater_equal(c->graph, x[0], x[1]))                                \
    B(where, "icc", plx_where(c->graph, x[0], x[1], x[2]))                                         \
    B(cast, "m", plx_cast(c->graph, x[0], PLX_DTYPE_BF16))                                         \
    B(cast_none, "m", plx_cast(c->graph, x[0], PLX_DTYPE_REAL))                                    \
    B(prelu, "ms", plx_prelu(c->graph, x[0], x[1]))                                                \
    B(exp, "m", plx_exp(c->graph, x[0]))                                                           \
    B(log, "m", plx_log(c->graph, x[0]))                                                           \
    B(sqrt, "m", plx_sqrt(c->graph, x[0]))                                                         \
    B(square, "m", plx_square(c->graph, x[0]))                                                     \
    B(abs, "m", plx_abs(c->graph, x[0]))                                                           \
    B(erf, "m", plx_erf(c->graph, x[0]))                                                           \
    B(rsqrt, "m", plx_rsqrt(c->graph, x[0]))                                                       \
    B(sin, "m", plx_sin(c->graph, x[0]))                                                           \
    B(cos, "m", plx_cos(c->graph, x[0]))                                                           \
    B(softmax, "m", plx_softmax(c->graph, x[0], 0))                                                \
    B(log_softmax, "m", plx_log_softmax(c->graph, x[0], 0))                                        \
    B(log_sum_exp, "m", plx_log_sum_exp(c->graph, x[0], 0))                                        \
    B(reduce_sum, "m", plx_reduce_sum(c->graph, x[0], PLX_ALL_AXES))                               \
    B(reduce_mean, "m", plx_reduce_mean(c->graph, x[0], 1))                                        \
    B(reduce_max, "m", plx_reduce_max(c->graph, x[0], 1))                                          \
    B(dropout, "m", plx_dropout(c->graph, x[0], 0.5, 1))                                           \
    B(no_dropout, "m", plx_dropout(c->graph, x[0], 0, 1))                                          \
    B(reshape, "m", plx_reshape(c->graph, x[0], 2, D(3, 2)))                                       \
    B(transpose, "m", plx_transpose(c->graph, x[0], (const int[]){1, 0}))                          \
    B(slice, "m", plx_slice(c->graph, x[0], 0, 0, 1, 1))                                           \
    B(concat_one, "m", plx_concat(c->graph, 1, x, 0))                                              \
    B(concat, "mm", plx_concat(c->graph, 2, x, 0))                                                 \
    T(split, "m", plx_split(c->graph, x[0], 1, 3, NULL, OUT))                                      \
    B(pad, "m", plx_pad(c->graph, x[0], D(0, 1), D(0, 0), 0))                                      \
    B(no_pad, "m", plx_pad(c->graph, x[0], D(0, 0), D(0, 0), 0))                                   \
    B(broadcast, "v", plx_broadcast(c->graph, x[0], 2, D(2, 3)))                                   \
    B(no_broadcast, "v", plx_broadcast(c->graph, x[0], 1, D(3)))                                   \
    B(gather, "mi", plx_gather(c->graph, x[0], x[1], 0))                                           \
    B(take_along, "vi", plx_take_along(c->graph, x[0], x[1], 0))                                   \
    B(scatter_along, "vic", plx_scatter_along(c->graph, x[0], x[1], x[2], 0, PLX_SCATTER_SET))     \
    B(scatter_max, "vic", plx_scatter_along(c->graph, x[0], x[1], x[2], 0, PLX_SCATTER_MAX))       \
    B(trilu, "m", plx_trilu(c->graph, x[0], true, 0))                                              \
    B(one_hot, "i", plx_one_hot(c->graph, x[0], 3, -1))                                            \
    B(reduce_min, "m", plx_reduce_min(c->graph, x[0], 1))                                          \
    B(reduce_prod, "m", plx_reduce_prod(c->graph, x[0], 1))                                        \
    B(cumsum, "m", plx_cumsum(c->graph, x[0], 1, false, false))                                    \
    B(pad_repeat, "m", plx_pad_repeat(c->graph, x[0], D(0, 1), D(0, 0), PLX_PAD_EDGE))             \
    B(no_pad_repeat, "m", plx_pad_repeat(c->graph, x[0], D(0, 0), D(0, 0), PLX_PAD_EDGE))          \
    B(resize, "m", plx_resize(c->graph, x[0], D(2, 5), NULL, NULL))                                \
    B(no_resize, "m", plx_resize(c->graph, x[0], D(2, 3), NULL, NULL))                             \
    B(argmax, "m", plx_argmax(c->graph, x[0], 0))                                                  \
    T(top_k, "m", plx_top_k(c->graph, x[0], 2, OUT, OUT))                                          \
    B(clip, "m", plx_clip(c->graph, x[0], -1, 1))                                                  \
    B(conv2d, "pkc", plx_conv2d(c->graph, x[0], x[1], x[2], NULL))                                 \
    B(conv2d_transpose, "pkc", plx_conv2d_transpose(c->graph, x[0], x[1], x[2], NULL, NULL))       \
    B(max_pool2d, "p",                                                                             \
      plx_max_pool2d(c->graph, x[0], &(plx_pool2d_options){.size = {2, 2}, .stride = {2, 2}}))     \
    B(avg_pool2d, "p",                                                                             \
      plx_avg_pool2d(c->graph, x[0], &(plx_pool2d_options){.size = {2, 2}, .stride = {2, 2}}))     \
    B(global_avg_pool2d, "p", plx_global_avg_pool2d(c->graph, x[0]))                               \
    B(upsample2d, "p", plx_upsample2d(c->graph, x[0], 2, 2, PLX_NEAREST))                          \
    B(layer_norm, "mvv", plx_layer_norm(c->graph, x[0], x[1], x[2], 1e-5))                         \
    B(rms_norm, "mv", plx_rms_norm(c->graph, x[0], x[1], 1e-5))                                    \
    B(group_norm, "pcc", plx_group_norm(c->graph, x[0], 2, x[1], x[2], 1e-5))                      \
    B(batch_norm, "pccPQ",                                                                         \
      plx_batch_norm(c->graph, x[0], x[1], x[2], x[3], x[4], true, 0.1, 1e-5))                     \
    B(batch_norm_inference, "pccPQ",                                                               \
      plx_batch_norm(c->graph, x[0], x[1], x[2], x[3], x[4], false, 0.1, 1e-5))                    \
    B(embedding, "mi", plx_embedding(c->graph, x[0], x[1]))                                        \
    B(attention, "qqqM",                                                                           \
      plx_attention(c->graph, x[0], x[1], x[2], x[3], &(plx_attention_options){.heads = 2}))       \
    B(lstm, "qWrbhht", plx_lstm(c->graph, x[0], x[1], x[2], x[3], x[4], x[5], x[6], false, NULL))  \
    B(gru, "qVgddht", plx_gru(c->graph, x[0], x[1], x[2], x[3], x[4], x[5], x[6], false, true))    \
    B(rope, "q", plx_rope(c->graph, x[0], 2, 10000, 0))                                            \
    B(swiglu, "mm", plx_swiglu(c->graph, x[0], x[1]))                                              \
    B(geglu, "mm", plx_geglu(c->graph, x[0], x[1]))                                                \
    B(l1, "mm", plx_l1(c->graph, x[0], x[1]))                                                      \
    B(huber, "mm", plx_huber(c->graph, x[0], x[1], 1))                                             \
    B(binary_cross_entropy, "mm", plx_binary_cross_entropy(c->graph, x[0], x[1]))                  \
    B(l2_normalize, "m", plx_l2_normalize(c->graph, x[0], 1e-8))                                   \
    B(cosine_loss, "mm", plx_cosine_loss(c->graph, x[0], x[1]))                                    \
    B(info_nce, "mms", plx_info_nce(c->graph, x[0], x[1], x[2]))                                   \
    B(mse, "mm", plx_mse(c->graph, x[0], x[1]))                                                    \
    B(cross_entropy, "mi", plx_cross_entropy(c->graph, x[0], x[1]))                                \
    B(cross_entropy_smooth, "mi", plx_cross_entropy_smooth(c->graph, x[0], x[1], 0.1))             \
    T(gradients_of, "sss", gradients_of_sum(c))                                                    \
    T(clip_by_norm, "mvc", plx_clip_by_norm(c->graph, 3, x, 1, OUT))                               \
    B(update, "R", plx_update(c->graph, c->optimizer, x))                                          \
    T(hypercausal, "mss", plx_hypercausal_emit(c->graph, x[0], x[1], x[2], &usual, &made))         \
    T(hypercausal_loss, "mmms",                                                                    \
      plx_hypercausal_loss(c->graph, 1, &(plx_hypercausal){x[0], x[1], x[3]}, x[2], NULL, &parts)) \
    T(hypercausal_node, "mm", plx_hypercausal_node(&SCOPE, "a", 2, x, &usual, &made))              \
    B(layer, "m",                                                                                  \
      plx_layer_apply(&SCOPE, &(plx_layer){.kind = PLX_LAYER_DENSE, .units = 2}, x[0]))            \
    T(forward, "m", plx_model_forward(c->model, c->graph, x, true, OUT))                           \
    T(loss, "m", plx_model_loss(c->model, c->graph, PLX_LOSS_MSE, 0, 2, x, OUT, OUT))              \
    T(compile, "mmm", compiled(c, 3))

#define SCOPE ((plx_scope){.weights = c->weights, .graph = c->graph, .training = true})
static const plx_hypercausal_options usual = {.depth = 2, .futures = 3, .span = 0.25, .w = 1};
static plx_hypercausal made;
static plx_hypercausal_parts parts;

/* The loss depends on the first three nodes, as far as they are of this graph; a refusal leaves the
 * outputs alone. */
static plx_status gradients_of_sum(call *c) {
    plx_node loss = plx_constant(c->graph, 0), grads[3] = {{7}, {7}, {7}};
    for (int k = 0; k < 3; ++k)
        if (plx_node_shape(c->graph, c->x[k], NULL) >= 0) loss = plx_add(c->graph, loss, c->x[k]);
    const plx_status status = plx_gradients(c->graph, loss, 3, c->x, grads);
    for (int k = 0; k < 3; ++k)
        if ((status == PLX_OK) == (grads[k].id == 7)) return PLX_ERR_UNSUPPORTED;
    return status;
}

static plx_status compiled(call *c, int count) {
    plx_plan *plan = NULL;
    const plx_status status = plx_compile(c->graph, count, c->x, NULL, &plan);
    plx_plan_free(plan);
    return status;
}

#define DEFINE_BUILD(name, letters, ...) BUILD(name, __VA_ARGS__)
#define DEFINE_TRIED(name, letters, ...) TRIED(name, __VA_ARGS__)
BUILDERS(DEFINE_BUILD, DEFINE_TRIED)

static const struct {
    const char *name, *letters;
    builder build;
} rows[] = {
#define ROW(name, letters, ...) {#name, letters, build_##name},
    BUILDERS(ROW, ROW)
#undef ROW
};

static bool open_call(plx_ctx *ctx, call *c) {
    static const int64_t channels = 2, matrix[] = {2, 3}, width = 3;
    *c = (call){0};
    plx_status status = plx_graph_new(ctx, &c->graph);
    for (int i = 0; i < 3 && status == PLX_OK; ++i)
        status = plx_tensor_new(ctx, PLX_DTYPE_REAL, i < 2 ? 1 : 2, i < 2 ? &channels : matrix,
                                &c->tensors[i]);
    const plx_optimizer_options options = plx_optimizer_default(PLX_SGD);
    if (status == PLX_OK)
        status = plx_optimizer_new(ctx, &options, 1, &c->tensors[2], &c->optimizer);
    if (status == PLX_OK) status = plx_weights_new(ctx, 1, &c->weights);
    if (status == PLX_OK) status = plx_model_new(ctx, 1, &width, 1, &c->model);
    const plx_layer layer = {.kind = PLX_LAYER_DENSE, .units = 3};
    return status == PLX_OK && plx_model_add(c->model, &layer) == PLX_OK;
}

static void close_call(call *c) {
    plx_graph_free(c->graph);
    plx_optimizer_free(c->optimizer);
    plx_weights_free(c->weights);
    plx_model_free(c->model);
    for (int i = 0; i < 3; ++i) plx_tensor_free(c->tensors[i]);
}

/* Whether a sentence begins with the builder's own name, rather than that of a node it is made of.
 * Rows of the same builder have names of their own; an update and a layer are known by their
 * kinds. */
static bool names_builder(const char *row, const char *sentence) {
    static const char *const others[][2] = {{"cast_none", "cast"},
                                            {"no_dropout", "dropout"},
                                            {"concat_one", "concat"},
                                            {"no_pad", "pad"},
                                            {"no_pad_repeat", "pad_repeat"},
                                            {"no_resize", "resize"},
                                            {"batched_matmul", "matmul"},
                                            {"scatter_max", "scatter_along"},
                                            {"no_broadcast", "broadcast"},
                                            {"batch_norm_inference", "batch_norm"},
                                            {"cross_entropy_smooth", "cross_entropy"},
                                            {"gradients_of", "gradients"},
                                            {"hypercausal_node", "hypercausal"},
                                            {"hypercausal_loss", "hypercausal"},
                                            {"update", "sgd"},
                                            {"layer", "dense"},
                                            {"forward", "dense_1"},
                                            {"loss", "mse"}};
    const char *name = row;
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
        if (!strcmp(row, others[i][0])) name = others[i][1];
    const size_t length = strlen(name);
    return !strncmp(sentence, name, length) && sentence[length] == ':';
}

/* stranger: index of the node that is plx_none() if none, else of another graph; -1: all fit */
static void check_row(plx_check *t, plx_ctx *ctx, int row, int stranger, bool none) {
    call own, other;
    const bool opened = open_call(ctx, &own), opened_other = open_call(ctx, &other);
    if (CHECK(t, opened && opened_other, "%s", plx_message(ctx))) {
        const int count = (int)strlen(rows[row].letters);
        for (int k = 0; k < count; ++k)
            own.x[k] = node_of(k == stranger ? &other : &own, rows[row].letters[k]);
        if (stranger >= 0 && none) own.x[stranger] = plx_none();
        const plx_status status = rows[row].build(&own);
        if (stranger < 0)
            CHECK(t, status == PLX_OK, "%s: %s", rows[row].name, plx_message(ctx));
        else
            CHECK(t,
                  (none && status == PLX_OK) ||
                      (status == PLX_ERR_ARGUMENT && strstr(plx_message(ctx), "of this graph") &&
                       names_builder(rows[row].name, plx_message(ctx))),
                  "%s: input %d is %s: %s, \"%s\"", rows[row].name, stranger,
                  none ? "none" : "of another graph", plx_status_name(status),
                  status == PLX_OK ? "" : plx_message(ctx));
    }
    close_call(&own);
    close_call(&other);
}

/* A plan accepts the handles of the graph that it was compiled from, and no others. */
static void check_plan(plx_check *t, plx_ctx *ctx) {
    static const plx_real data[6] = {1, 2, 3, 4, 5, 6};
    call own, other;
    plx_plan *plan = NULL;
    if (!open_call(ctx, &own) || !open_call(ctx, &other)) return;
    const plx_node x = node_of(&own, 'm'), stranger = node_of(&other, 'm');
    const plx_node y = plx_exp(own.graph, x), other_y = plx_exp(other.graph, stranger);
    CHECK(t, plx_compile(own.graph, 1, &y, NULL, &plan) == PLX_OK, "%s", plx_message(ctx));
    CHECK(t,
          plx_plan_bind(plan, stranger, data) == PLX_ERR_ARGUMENT &&
              strstr(plx_message(ctx), "the graph that was compiled"),
          "\"%s\"", plx_message(ctx));
    CHECK(t, !plx_plan_output(plan, other_y), "the output of another graph");
    const plx_node first = plx_graph_node(own.graph, 0);
    CHECK(t, first.id == x.id && plx_graph_node(own.graph, 2).id < 0, "nodes by number");
    plx_graph_free(own.graph);
    own.graph = NULL;
    CHECK(t, plx_plan_bind(plan, x, data) == PLX_OK && plx_plan_run(plan) == PLX_OK, "%s",
          plx_message(ctx));
    CHECK(t, plx_plan_output(plan, y) != NULL, "no output after the graph was freed");
    plx_plan_free(plan);
    close_call(&own);
    close_call(&other);
}

void plx_test_unit_foreign(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; ++row)
        for (int k = -1; k < (int)strlen(rows[row].letters); ++k) {
            check_row(t, ctx, (int)row, k, false);
            if (k >= 0) check_row(t, ctx, (int)row, k, true);
        }
    check_plan(t, ctx);
    plx_ctx_free(ctx);
}
