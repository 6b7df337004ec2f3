/* Refusals of public calls: numbers that are not finite or out of range, NULL, names already
 * taken. Each gives its sentence, and leaves outputs and the graph unchanged. */
#include "check.h"

#include <math.h>
#include <string.h>

/* Every output of the calls, so that any write is detected. */
typedef struct outputs {
    plx_node nodes[4];
    plx_real reals[16];
    int64_t counts[4];
    int32_t token;
    plx_metrics metrics;
    plx_hypercausal node;
    plx_hypercausal_parts parts;
    plx_idx idx;
    plx_csv csv;
    union {
        plx_tensor *tensor;
        plx_plan *plan;
        plx_optimizer *optimizer;
        plx_model *model;
        plx_trainer *trainer;
    } made;
} outputs;

/* The arguments of the calls. */
typedef struct world {
    plx_ctx *ctx;
    plx_graph *graph;
    plx_weights *weights;
    plx_scope scope;
    plx_model *model, *ids, *writer; /* 3 numbers to 2; 4 ids below 5 to 2; gpt2 */
    plx_trainer *trainer;
    plx_generator *generator;
    plx_plan *plan; /* of x alone */
    plx_optimizer *optimizer;
    plx_tensor *tensor, *integers; /* [3] */
    plx_node x, image, q, labels;  /* [2, 3], [1, 4, 4, 2], [1, 2, 4], i32 [2] */
    plx_node loss, argmax;         /* of x: scalars */
    plx_node planned;              /* the plan's x */
    plx_dataset data;
    plx_trainer_options fit;
    outputs out;
} world;

#define D(...) ((const int64_t[]){__VA_ARGS__})
#define SAMPLING(...) (&(plx_sampling){__VA_ARGS__})
#define CONV(...) (&(plx_conv2d_options){__VA_ARGS__})
#define POOL(...) (&(plx_pool2d_options){__VA_ARGS__})
#define OPTIMIZER(...) (&(plx_optimizer_options){__VA_ARGS__})
#define LAYER(...) (&(plx_layer){__VA_ARGS__})

static plx_status fit(world *w, int field, double value) {
    plx_trainer_options o = w->fit;
    int64_t *const wholes[] = {&o.batch, &o.epochs, &o.steps, &o.accumulate, &o.patience};
    double *const reals[] = {&o.clip_norm, &o.label_smoothing, &o.min_improvement,
                             &o.optimizer.rate, &o.schedule.floor};
    if (field < 5) *wholes[field] = (int64_t)value;
    if (field >= 5 && field < 10) *reals[field - 5] = value;
    if (field == 10) o.loss = (plx_loss)value;
    if (field == 11) o.plan.passes = (int)value;
    if (field == 12) o.plan.threads = (int)value;
    if (field == 13) o.schedule.kind = (plx_schedule_kind)value;
    return plx_trainer_new(w->model, &o, &w->data, &w->out.made.trainer);
}

static plx_status predict(world *w, plx_model *model, const void *data, int64_t stride, int64_t n,
                          int64_t batch) {
    const plx_dataset given = {.n = n, .inputs = {data}, .input_strides = {stride}};
    return plx_model_predict(model, &given, batch, (plx_real *[]){w->out.reals});
}

static plx_status evaluate(world *w, int32_t label) {
    static const plx_real x[6] = {1, 2, 3, 4, 5, 6};
    const int32_t labels[] = {1, label};
    const plx_dataset given = {.n = 2, .inputs = {x}, .targets = {labels}};
    return plx_model_evaluate(w->model, 0, PLX_LOSS_CROSS_ENTROPY, &given, &w->out.metrics,
                              w->out.counts);
}

static plx_status twice(world *w) {
    plx_input(w->graph, "name", PLX_DTYPE_REAL, 0, NULL);
    plx_input(w->graph, "name", PLX_DTYPE_REAL, 0, NULL);
    return plx_graph_status(w->graph);
}

static plx_status long_path(world *w) {
    char name[80];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    const plx_scope in = plx_scope_in(&w->scope, name);
    plx_weight(&in, name, 0, NULL, PLX_INIT_ZERO, 0, PLX_WEIGHT_PLAIN);
    return plx_graph_status(w->graph);
}

static const int32_t outside[8] = {0, 1, 2, 3, 4, 4, 9, 0};
static const plx_real numbers[6] = {1, 2, 3, 4, 5, 6};

/* B: returns a handle, and the graph keeps the sentence; T: returns a status. */
#define CALLS(B, T)                                                                                \
    B(activation_nan, plx_activate(G, X, PLX_ELU, (plx_real)NAN), "elu: parameter nan")            \
    B(activation_inf, plx_activate(G, X, PLX_CELU, (plx_real)INFINITY), "celu: parameter inf")     \
    B(dropout_nan, plx_dropout(G, X, NAN, 1), "dropout: rate nan")                                 \
    B(clip_nan, plx_clip(G, X, NAN, 1), "clip: low is nan and high 1; neither may be NaN")         \
    B(huber_inf, plx_huber(G, X, X, INFINITY), "huber: delta inf")                                 \
    B(l2_normalize_nan, plx_l2_normalize(G, X, NAN), "l2_normalize: epsilon nan")                  \
    B(layer_norm_inf, plx_layer_norm(G, X, N, N, INFINITY), "layer_norm: epsilon inf")             \
    B(rms_norm_nan, plx_rms_norm(G, X, N, NAN), "rms_norm: epsilon nan")                           \
    B(group_norm, plx_group_norm(G, w->image, 0, N, N, 1e-5), "group_norm: ")                      \
    B(group_norm_minus, plx_group_norm(G, w->image, -1, N, N, 1e-5), "group_norm: ")               \
    B(batch_norm_nan, plx_batch_norm(G, X, N, N, STATE, STATE, false, NAN, 1e-5),                  \
      "momentum nan must be 0 to 1")                                                               \
    B(conv2d_stride, plx_conv2d(G, w->image, w->image, N, CONV(.groups = 1)),                      \
      "conv2d: stride 0 is outside 1 to 2147483647")                                               \
    B(conv2d_transpose_extra, plx_conv2d_transpose(G, w->image, w->image, N, NULL, D(1, 0)),       \
      "conv2d_transpose: extra is 1; it must be 0 to 0")                                           \
    B(clip_low, plx_clip(G, X, 2, 1), "clip: low is 2 and high 1; low must not be above high")     \
    B(add_none, plx_add(G, X, N), "add: b is not a node of this graph")                            \
    B(cast_none, plx_cast(G, N, PLX_DTYPE_I32), "cast: x is not a node of this graph")             \
    B(slice_step, plx_slice(G, X, 0, 0, 1, 0),                                                     \
      "slice: step is 0; it must be positive or negative")                                         \
    B(concat_two, plx_concat(G, 2, ((plx_node[]){X, N}), 0), "concat: input 1 is not a node")      \
    B(embedding_none, plx_embedding(G, N, w->labels), "embedding: table is not a node")            \
    B(embedding_reals, plx_embedding(G, X, X), "embedding: ids must hold int32, not float")        \
    B(input_long, plx_input(G, "a", PLX_DTYPE_REAL, 7, D(1, 1, 1, 1, 1, 1, 1)),                    \
      "input \"a\": the rank is 7; it must be 0 to 6")                                             \
    B(smoothing_nan, plx_cross_entropy_smooth(G, X, w->labels, NAN), "label smoothing nan")        \
    B(attention_null, plx_attention(G, w->q, w->q, w->q, N, NULL), "attention: options is NULL")   \
    B(attention_scale,                                                                             \
      plx_attention(G, w->q, w->q, w->q, N, &(plx_attention_options){.heads = 1, .scale = NAN}),   \
      "attention: scale is nan")                                                                   \
    B(rope_nan, plx_rope(G, w->q, 2, NAN, 0), "rope: base is nan")                                 \
    B(pool_null, plx_max_pool2d(G, w->image, NULL), "max_pool2d: options is NULL")                 \
    B(average_null, plx_avg_pool2d(G, w->image, NULL), "avg_pool2d: options is NULL")              \
    B(pool_minus, plx_max_pool2d(G, w->image, POOL(.size = {-2, 2}, .stride = {1, 1})),            \
      "max_pool2d")                                                                                \
    B(upsample, plx_upsample2d(G, w->image, -1, 1, PLX_NEAREST), "upsample2d: ")                   \
    B(upsample_method, plx_upsample2d(G, w->image, 2, 2, (plx_upsampling)9), "no method number")   \
    B(input_dtype, plx_input(G, "a", (plx_dtype)7, 0, NULL), "input: there is no dtype number 7")  \
    B(input_null, plx_input(G, "a", PLX_DTYPE_REAL, 2, NULL), "input \"a\": dims is NULL")         \
    B(input_minus, plx_input(G, "a", PLX_DTYPE_REAL, 1, D(-3)), "dimension 0 of [-3] is negative") \
    B(parameter_null, plx_parameter(G, "p", NULL), "parameter: the tensor is NULL")                \
    B(reshape_null, plx_reshape(G, X, 2, NULL), "reshape: dims is NULL")                           \
    B(transpose_null, plx_transpose(G, X, NULL), "transpose: axes is NULL")                        \
    B(concat_null, plx_concat(G, 2, NULL, 0), "concat: x is NULL")                                 \
    B(pad_null, plx_pad(G, X, D(0, 0), NULL, 0), "pad: after is NULL")                             \
    B(take_along_rank, plx_take_along(G, X, w->labels, 0),                                         \
      "take_along: indices [2] must have the rank of x [2, 3], and at most its size")              \
    B(take_along_all, plx_take_along(G, X, w->labels, PLX_ALL_AXES),                               \
      "take_along: it takes one axis")                                                             \
    B(scatter_kind, plx_scatter_along(G, X, w->labels, X, 0, (plx_scatter)5),                      \
      "scatter_along: there is no scatter number 5; it must be 0 to 4")                            \
    B(scatter_integers, plx_scatter_along(G, w->labels, w->labels, w->labels, 0, PLX_SCATTER_ADD), \
      "scatter_along: x must hold float")                                                          \
    B(scatter_updates,                                                                             \
      plx_scatter_along(G, plx_reshape(G, X, 1, D(6)), w->labels, plx_reshape(G, X, 1, D(6)), 0,   \
                        PLX_SCATTER_SET),                                                          \
      "scatter_along: updates [6] must have the shape of indices, [2]")                            \
    B(trilu_rank, plx_trilu(G, LOSS, true, 0), "trilu: x has rank 0; it must be 2 or more")        \
    B(one_hot_minus, plx_one_hot(G, w->labels, -1, -1), "one_hot: depth is -1; it must be 0 to")   \
    B(one_hot_axis, plx_one_hot(G, w->labels, 3, 2),                                               \
      "one_hot: there is no axis 2 in a result of rank 2")                                         \
    B(cumsum_all, plx_cumsum(G, X, PLX_ALL_AXES, false, false), "cumsum: it takes one axis")       \
    B(reduce_min_ids, plx_reduce_min(G, w->labels, 0), "reduce_min: x must hold float")            \
    B(pad_repeat_null, plx_pad_repeat(G, X, NULL, D(0, 0), PLX_PAD_EDGE),                          \
      "pad_repeat: before is NULL")                                                                \
    B(pad_repeat_minus, plx_pad_repeat(G, X, D(0, -1), D(0, 0), PLX_PAD_EDGE),                     \
      "pad_repeat: padding is -1 before and 0 after axis 1; both must be 0 to 2147483647")         \
    B(pad_repeat_kind, plx_pad_repeat(G, X, D(0, 0), D(0, 0), (plx_padding)3),                     \
      "pad_repeat: there is no padding number 3; it must be 0 to 2")                               \
    B(pad_repeat_empty,                                                                            \
      plx_pad_repeat(G, plx_slice(G, X, 0, 0, 0, 1), D(1, 0), D(0, 0), PLX_PAD_EDGE),              \
      "pad_repeat: axis 0 has 0 elements; at least 1 is needed to make others of")                 \
    B(resize_null, plx_resize(G, X, NULL, NULL, NULL), "resize: dims is NULL")                     \
    B(resize_minus, plx_resize(G, X, D(2, -3), NULL, NULL),                                        \
      "resize: axis 1 gets size -3 by scale -1")                                                   \
    B(resize_scale, plx_resize(G, X, D(2, 3), ((const double[]){1, NAN}), NULL),                   \
      "resize: axis 1 gets size 3 by scale nan")                                                   \
    B(resize_method,                                                                               \
      plx_resize(G, X, D(2, 3), NULL, &(plx_resize_options){.method = (plx_resizing)3}),           \
      "resize: there is no method number 3; it must be 0 to 2")                                    \
    B(resize_cubic, plx_resize(G, X, D(2, 3), NULL, &(plx_resize_options){.cubic = INFINITY}),     \
      "resize: cubic is inf; it must be finite")                                                   \
    B(resize_taps,                                                                                 \
      plx_resize(G, X, D(2, 3), ((const double[]){1, 1e-12}),                                      \
                 &(plx_resize_options){.method = PLX_RESIZE_LINEAR, .antialias = true}),           \
      "resize: with antialias, scale 1e-12 must be at least 1e-09")                                \
    B(broadcast_null, plx_broadcast(G, X, 2, NULL), "broadcast: dims is NULL")                     \
    B(update_null, plx_update(G, w->optimizer, NULL), "grads is NULL")                             \
    B(no_optimizer, plx_update(G, NULL, &X), "the optimizer is NULL")                              \
    B(matmul_rank, plx_matmul(G, w->q, w->labels, true, false), "matmul: b must hold float")       \
    B(matmul_inner, plx_matmul(G, w->image, w->image, false, false),                               \
      "matmul: inner sizes differ, 2 vs 4; they must be equal")                                    \
    B(matmul_batch,                                                                                \
      plx_matmul(G, plx_reshape(G, w->image, 3, D(2, 4, 4)),                                       \
                 plx_reshape(G, w->image, 3, D(4, 4, 2)), false, false),                           \
      "matmul: the axes of [2, 4, 4] and [4, 4, 2] before the last two do not broadcast")          \
    B(weight_init, plx_weight(S, "a", 0, NULL, (plx_init)99, 0, PLX_WEIGHT_PLAIN),                 \
      "no initialisation number 99")                                                               \
    B(weight_nan, plx_weight(S, "a", 0, NULL, PLX_INIT_CONSTANT, NAN, PLX_WEIGHT_PLAIN),           \
      "the initial value is nan")                                                                  \
    B(weight_role, plx_weight(S, "a", 0, NULL, PLX_INIT_ZERO, 0, (plx_weight_role)5),              \
      "no role number 5")                                                                          \
    B(weight_name, plx_weight(S, NULL, 0, NULL, PLX_INIT_ZERO, 0, PLX_WEIGHT_PLAIN),               \
      "the name is NULL")                                                                          \
    B(layer_null, plx_layer_apply(S, NULL, X), "the layer is NULL")                                \
    B(layer_kind, plx_layer_apply(S, LAYER(.kind = (plx_layer_kind)999), X), "no kind number")     \
    B(layer_rate, plx_layer_apply(S, LAYER(.kind = PLX_LAYER_DROPOUT, .rate = NAN), X),            \
      "dropout: rate must be 0 to below 1, not nan")                                               \
    T(twice, twice(w), "there is already an input named \"name\"")                                 \
    T(long_path, long_path(w), "longer than 95 characters")                                        \
    T(tensor_dtype, plx_tensor_new(w->ctx, (plx_dtype)7, 0, NULL, &w->out.made.tensor),            \
      "tensor: there is no dtype number 7")                                                        \
    T(tensor_null, plx_tensor_new(w->ctx, PLX_DTYPE_REAL, 1, NULL, &w->out.made.tensor),           \
      "tensor: dims is NULL")                                                                      \
    T(tensor_out, plx_tensor_new(w->ctx, PLX_DTYPE_REAL, 0, NULL, NULL), "tensor: out is NULL")    \
    T(init_kind, plx_tensor_init(w->tensor, (plx_init) - 1, 0, NULL), "no initialisation number")  \
    T(init_nan, plx_tensor_init(w->tensor, PLX_INIT_NORMAL, NAN, NULL),                            \
      "the initial value is nan")                                                                  \
    T(init_rng, plx_tensor_init(w->tensor, PLX_INIT_HE_NORMAL, 0, NULL), "rng is NULL")            \
    T(init_ids, plx_tensor_init(w->integers, PLX_INIT_ZERO, 0, NULL), "holds int32")               \
    T(clip_labels, plx_clip_by_norm(G, 2, ((plx_node[]){X, w->labels}), 1, w->out.nodes),          \
      "clip_by_norm: gradient 1 must hold float")                                                  \
    T(gradients_minus, plx_gradients(G, LOSS, -1, &X, w->out.nodes), "gradients: count is -1")     \
    T(gradients_null, plx_gradients(G, LOSS, 1, NULL, w->out.nodes), "gradients: wrt is NULL")     \
    T(gradients_none, plx_gradients(G, LOSS, 2, ((plx_node[]){X, w->image}), w->out.nodes),        \
      "does not depend on variable 1")                                                             \
    T(gradients_of_argmax, plx_gradients(G, w->argmax, 1, &X, w->out.nodes), ", not int32")        \
    T(gradients_shape, plx_gradients(G, X, 1, &X, w->out.nodes), "it is [2, 3]")                   \
    T(clip_by_norm_inf, plx_clip_by_norm(G, 1, &X, INFINITY, w->out.nodes), "largest norm inf")    \
    T(clip_by_norm_minus, plx_clip_by_norm(G, -1, &X, 1, w->out.nodes),                            \
      "clip_by_norm: count is -1")                                                                 \
    T(clip_by_norm_node, plx_clip_by_norm(G, 2, ((plx_node[]){X, N}), 1, w->out.nodes),            \
      "not a node")                                                                                \
    T(split_minus, plx_split(G, X, 1, 2, D(-1, 4), w->out.nodes),                                  \
      "split: part 0 is -1; it must be 0 or more")                                                 \
    T(split, plx_split(G, X, 1, 2, D(2, 2), w->out.nodes),                                         \
      "split: parts of 2 + 2 do not add up to the axis of size 3")                                 \
    T(top_k, plx_top_k(G, X, -1, w->out.nodes, w->out.nodes + 1),                                  \
      "top_k: k is -1; it must be 0 to 3")                                                         \
    T(hypercausal_node, plx_hypercausal_node(S, "a", 0, &X, NULL, &w->out.node),                   \
      "has no parents; at least one is needed")                                                    \
    T(hypercausal_loss, plx_hypercausal_loss(G, 1, NULL, X, NULL, &w->out.parts),                  \
      "hypercausal: nodes is NULL")                                                                \
    T(hypercausal_null, plx_hypercausal_emit(G, X, X, X, NULL, &w->out.node), "hypercausal: ")     \
    T(compile_minus, plx_compile(G, -1, &X, NULL, &w->out.made.plan),                              \
      "compile: the number of outputs is -1")                                                      \
    T(compile_null, plx_compile(G, 1, NULL, NULL, &w->out.made.plan), "compile: outputs is NULL")  \
    T(compile_none, plx_compile(G, 1, (plx_node[]){N}, NULL, &w->out.made.plan),                   \
      "output 0 is not a node")                                                                    \
    T(passes, plx_compile(G, 1, &X, &(plx_plan_options){.passes = 4096}, &w->out.made.plan),       \
      "compile: passes is 4096")                                                                   \
    T(plan_threads, plx_compile(G, 1, &X, &(plx_plan_options){.threads = -1}, &w->out.made.plan),  \
      "compile: threads is -1")                                                                    \
    T(plan_alignment,                                                                              \
      plx_compile(G, 1, &X, &(plx_plan_options){.alignment = 48}, &w->out.made.plan),              \
      "compile: alignment is 48; it must be a power of two from 16")                               \
    T(plan_largest,                                                                                \
      plx_compile(G, 1, &X, &(plx_plan_options){.largest_buffer = 100}, &w->out.made.plan),        \
      "compile: the largest buffer is 100 bytes")                                                  \
    T(plan_too_small,                                                                              \
      plx_compile(G, 1, &w->image, &(plx_plan_options){.largest_buffer = 64}, &w->out.made.plan),  \
      "the largest buffer has 64")                                                                 \
    T(describe_null, plx_plan_describe(w->plan, NULL), "describe: out is NULL")                    \
    T(bind_none, plx_plan_bind(w->plan, N, numbers), "bind: ")                                     \
    T(bind_strides, plx_plan_bind_strided(w->plan, w->planned, numbers, NULL), "strides is NULL")  \
    T(rate_nan, plx_optimizer_set_rate(w->optimizer, NAN), "learning rate nan")                    \
    T(rate_minus, plx_optimizer_set_rate(w->optimizer, -1), "learning rate -1")                    \
    T(group_nan, plx_optimizer_set_group(w->optimizer, 0, NAN, 0), "rate factor nan")              \
    T(decay_inf, plx_optimizer_set_decay(w->optimizer, 0, INFINITY), "weight decay inf")           \
    T(trainer_rate, plx_trainer_set_rate(w->trainer, NAN), "learning rate nan")                    \
    T(optimizer_null, plx_optimizer_new(w->ctx, NULL, 1, &w->tensor, &w->out.made.optimizer),      \
      "optimizer: options is NULL")                                                                \
    T(optimizer_kind,                                                                              \
      plx_optimizer_new(w->ctx, OPTIMIZER(.kind = (plx_optimizer_kind) - 1), 1, &w->tensor,        \
                        &w->out.made.optimizer),                                                   \
      "no kind number -1")                                                                         \
    T(parameters_null,                                                                             \
      plx_optimizer_new(w->ctx, OPTIMIZER(.rate = 1), 1, NULL, &w->out.made.optimizer),            \
      "must be a tensor of reals, named once")                                                     \
    T(parameters_twice,                                                                            \
      plx_optimizer_new(w->ctx, OPTIMIZER(.rate = 1), 2, (plx_tensor *[]){w->tensor, w->tensor},   \
                        &w->out.made.optimizer),                                                   \
      "must be a tensor of reals, named once")                                                     \
    T(parameters_of_ids,                                                                           \
      plx_optimizer_new(w->ctx, OPTIMIZER(.rate = 1), 1, &w->integers, &w->out.made.optimizer),    \
      "must be a tensor of reals, named once")                                                     \
    T(gemm_null,                                                                                   \
      plx_gemm(w->ctx, false, false, 2, 2, 2, 1, NULL, 2, numbers, 2, 0, w->out.reals, 2),         \
      "gemm: a is NULL")                                                                           \
    T(gemm_minus,                                                                                  \
      plx_gemm(w->ctx, false, false, -1, 1, 1, 1, numbers, 1, numbers, 1, 0, w->out.reals, 1),     \
      "none may be negative")                                                                      \
    T(gemm_stride,                                                                                 \
      plx_gemm(w->ctx, false, false, 3, 1, 1, 1, numbers, INT64_MAX, numbers, 1, 0, w->out.reals,  \
               1),                                                                                 \
      "are more than memory can hold for a")                                                       \
    T(model_null, plx_model_new(w->ctx, 1, NULL, 1, &w->out.made.model), "model: dims is NULL")    \
    T(model_size, plx_model_new(w->ctx, 1, D(0), 1, &w->out.made.model),                           \
      "dimension 0 of a sample")                                                                   \
    T(vocabulary, plx_model_new_ids(w->ctx, 1, D(4), -1, 1, &w->out.made.model),                   \
      "the vocabulary has -1")                                                                     \
    T(model_name, plx_model_from_name(w->ctx, NULL, 1, &w->out.made.model), "the name is NULL")    \
    T(model_add, plx_model_add(w->ids, NULL), "the layer is NULL")                                 \
    T(forward, plx_model_forward(w->model, G, &w->image, false, w->out.nodes), "")                 \
    T(forward_null, plx_model_forward(w->model, G, NULL, false, w->out.nodes), "inputs is NULL")   \
    T(loss, plx_model_loss(w->model, G, (plx_loss)9, 0, 2, &X, w->out.nodes, w->out.nodes + 1),    \
      "no loss number 9")                                                                          \
    T(loss_batch,                                                                                  \
      plx_model_loss(w->model, G, PLX_LOSS_MSE, 0, 0, &X, w->out.nodes, w->out.nodes + 1),         \
      "loss: batch is 0")                                                                          \
    T(loss_shape,                                                                                  \
      plx_model_loss(w->model, G, PLX_LOSS_MSE, 0, 9, &X, w->out.nodes, w->out.nodes + 1),         \
      "must have the same shape")                                                                  \
    T(loss_smoothing,                                                                              \
      plx_model_loss(w->model, G, PLX_LOSS_CROSS_ENTROPY, NAN, 2, &X, w->out.nodes,                \
                     w->out.nodes + 1),                                                            \
      "label smoothing nan")                                                                       \
    T(predict_input, predict(w, w->model, NULL, 0, 2, 0), "predict: no data for input \"x\"")      \
    T(predict_stride, predict(w, w->model, numbers, -3, 2, 0), "the stride of x is -3")            \
    T(predict_n, predict(w, w->model, numbers, 0, -1, 0),                                          \
      "predict: n is -1; it must be 0 or more")                                                    \
    T(predict_batch, predict(w, w->model, numbers, 0, 2, -1),                                      \
      "predict: batch is -1; it must be 0 or more")                                                \
    T(predict_ids, predict(w, w->ids, outside, 0, 2, 1), "9 in row 1 is outside 0 to 4")           \
    T(predict_null, plx_model_predict(w->model, NULL, 0, (plx_real *[]){w->out.reals}),            \
      "the data is NULL")                                                                          \
    T(outputs_null, plx_model_predict(w->model, &w->data, 0, NULL), "outputs is NULL")             \
    T(evaluate_label, evaluate(w, 7), "label 7 in row 1")                                          \
    T(evaluate_loss,                                                                               \
      plx_model_evaluate(w->model, 0, (plx_loss) - 1, &w->data, &w->out.metrics, NULL),            \
      "no loss number -1")                                                                         \
    T(evaluate_null, plx_model_evaluate(w->model, 0, PLX_LOSS_MSE, &w->data, NULL, NULL),          \
      "metrics is NULL")                                                                           \
    T(fit_batch, fit(w, 0, -1), "batch is -1")                                                     \
    T(fit_epochs, fit(w, 1, -1), "epochs is -1")                                                   \
    T(fit_steps, fit(w, 2, -1), "steps is -1")                                                     \
    T(fit_accumulate, fit(w, 3, -1), "accumulate is -1")                                           \
    T(fit_patience, fit(w, 4, -1), "patience is -1")                                               \
    T(fit_clip, fit(w, 5, NAN), "the clip norm is nan")                                            \
    T(fit_smoothing, fit(w, 6, NAN), "smoothing nan")                                              \
    T(fit_improvement, fit(w, 7, INFINITY), "the least improvement is inf")                        \
    T(fit_rate, fit(w, 8, NAN), "learning rate nan")                                               \
    T(fit_floor, fit(w, 9, NAN), "floor is nan")                                                   \
    T(fit_loss, fit(w, 10, 9), "no loss number 9")                                                 \
    T(fit_passes, fit(w, 11, 4096), "passes is 4096")                                              \
    T(fit_threads, fit(w, 12, -1), "threads is -1")                                                \
    T(fit_schedule, fit(w, 13, 77), "no kind number 77")                                           \
    T(fit_null, plx_trainer_new(w->model, NULL, &w->data, &w->out.made.trainer),                   \
      "options is NULL")                                                                           \
    T(fit_data, plx_trainer_new(w->model, &w->fit, NULL, &w->out.made.trainer),                    \
      "the data is NULL")                                                                          \
    T(run, plx_trainer_run(w->trainer, 1, NULL), "run: progress is NULL")                          \
    T(feed, plx_generator_feed(w->generator, 1, NULL), "ids is NULL")                              \
    T(feed_minus, plx_generator_feed(w->generator, -1, outside), "the number of tokens is -1")     \
    T(temperature, plx_generator_next(w->generator, SAMPLING(.temperature = NAN), &w->out.token),  \
      "temperature is nan")                                                                        \
    T(likeliest, plx_generator_next(w->generator, SAMPLING(.top_k = -2), &w->out.token),           \
      "top_k -2")                                                                                  \
    T(sampling, plx_generator_next(w->generator, NULL, &w->out.token), "sampling is NULL")         \
    T(idx, plx_idx_parse(w->ctx, NULL, 8, &w->out.idx), "idx: ")                                   \
    T(csv, plx_csv_parse(w->ctx, NULL, 8, &w->out.csv), "csv: ")

#define G w->graph
#define X w->x
#define S &w->scope
#define N plx_none()
#define LOSS w->loss
#define STATE plx_parameter(G, NULL, w->tensor)

#define BUILD(name, call, words)                                                                   \
    static plx_status call_##name(world *w) {                                                      \
        (void)(call);                                                                              \
        return plx_graph_status(w->graph);                                                         \
    }
#define TRY(name, call, words)                                                                     \
    static plx_status call_##name(world *w) {                                                      \
        return call;                                                                               \
    }
CALLS(BUILD, TRY)

static const struct {
    const char *name;
    plx_status (*call)(world *w);
    bool keeps; /* the graph is unchanged */
    const char *words;
} rows[] = {
#define BUILT(name, call, words) {#name, call_##name, false, words},
#define TRIED(name, call, words) {#name, call_##name, true, words},
    CALLS(BUILT, TRIED)
#undef BUILT
#undef TRIED
};

static plx_status open_nodes(world *w) {
    plx_status status = plx_graph_new(w->ctx, &w->graph);
    if (status != PLX_OK) return status;
    w->x = plx_input(w->graph, NULL, PLX_DTYPE_REAL, 2, D(2, 3));
    w->image = plx_input(w->graph, NULL, PLX_DTYPE_REAL, 4, D(1, 4, 4, 2));
    w->q = plx_input(w->graph, NULL, PLX_DTYPE_REAL, 3, D(1, 2, 4));
    w->labels = plx_input(w->graph, NULL, PLX_DTYPE_I32, 1, D(2));
    w->loss = plx_reduce_sum(w->graph, w->x, PLX_ALL_AXES);
    w->argmax = plx_argmax(w->graph, w->x, PLX_ALL_AXES);
    w->scope = plx_scope_new(w->weights, w->graph, true);
    return plx_graph_status(w->graph);
}

static plx_status open_models(world *w) {
    const plx_layer embedding = {.kind = PLX_LAYER_EMBEDDING, .units = 2, .vocabulary = 5};
    const char *const name = "gpt2-nano:layers=1,heads=1,width=4,vocabulary=5,context=4";
    plx_status status = plx_model_from_name(w->ctx, "mlp:3-2", 1, &w->model);
    if (status == PLX_OK) status = plx_model_new_ids(w->ctx, 1, D(4), 5, 1, &w->ids);
    if (status == PLX_OK) status = plx_model_add(w->ids, &embedding);
    if (status == PLX_OK) status = plx_model_from_name(w->ctx, name, 1, &w->writer);
    if (status == PLX_OK) status = plx_generator_new(w->writer, 1, &w->generator);
    return status;
}

static plx_status open_world(plx_ctx *ctx, world *w) {
    *w = (world){.ctx = ctx, .fit = plx_trainer_default()};
    w->data = (plx_dataset){.n = 2, .inputs = {numbers}, .targets = {numbers}};
    w->fit.batch = 2;
    const plx_optimizer_options sgd = plx_optimizer_default(PLX_SGD);
    plx_status status = plx_weights_new(ctx, 1, &w->weights);
    if (status == PLX_OK) status = open_nodes(w);
    w->planned = w->x;
    if (status == PLX_OK) status = plx_compile(w->graph, 1, &w->x, NULL, &w->plan);
    if (status == PLX_OK) status = open_models(w);
    if (status == PLX_OK) status = plx_trainer_new(w->model, &w->fit, &w->data, &w->trainer);
    if (status == PLX_OK) status = plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, D(3), &w->tensor);
    if (status == PLX_OK) status = plx_tensor_new(ctx, PLX_DTYPE_I32, 1, D(3), &w->integers);
    if (status == PLX_OK) status = plx_optimizer_new(ctx, &sgd, 1, &w->tensor, &w->optimizer);
    return status;
}

static void close_world(world *w) {
    plx_plan_free(w->plan);
    plx_graph_free(w->graph);
    plx_trainer_free(w->trainer);
    plx_generator_free(w->generator);
    plx_model_free(w->model);
    plx_model_free(w->ids);
    plx_model_free(w->writer);
    plx_optimizer_free(w->optimizer);
    plx_tensor_free(w->tensor);
    plx_tensor_free(w->integers);
    plx_weights_free(w->weights);
}

static int nodes_of(const plx_graph *graph) {
    int count = 0;
    while (plx_graph_node(graph, count).id >= 0) ++count;
    return count;
}

static void check_row(plx_check *t, world *w, int row) {
    const char *name = rows[row].name;
    outputs before;
    memset(&before, 0x5a, sizeof before);
    memcpy(&w->out, &before, sizeof before);
    const int nodes = nodes_of(w->graph), weights = plx_weights_count(w->weights);
    const plx_status status = rows[row].call(w);
    CHECK(t, status < 0, "%s: %s", name, plx_status_name(status));
    if (status < 0)
        CHECK(t, strstr(plx_message(w->ctx), rows[row].words), "%s: \"%s\" lacks \"%s\"", name,
              plx_message(w->ctx), rows[row].words);
    CHECK(t, !memcmp(&w->out, &before, sizeof before), "%s: an output was written", name);
    CHECK(t, plx_weights_count(w->weights) == weights, "%s: a weight was added", name);
    if (plx_graph_status(w->graph) != PLX_OK) {
        CHECK(t, !rows[row].keeps || !strcmp(name, "twice") || !strcmp(name, "long_path"),
              "%s: the graph has failed", name);
        plx_graph_free(w->graph);
        w->graph = NULL;
        CHECK(t, open_nodes(w) == PLX_OK, "%s", plx_message(w->ctx));
        return;
    }
    CHECK(t, nodes_of(w->graph) == nodes, "%s: nodes were added", name);
}

static void check_contexts(plx_check *t) {
    static const plx_gemm_provider provider = {.name = "none"};
    plx_ctx_options wrong[4];
    for (int i = 0; i < 4; ++i) wrong[i] = plx_ctx_default();
    wrong[0].threads = -1;
    wrong[1].gemm = (plx_gemm_choice)7;
    wrong[2].provider = &provider;
    wrong[3].isa = "none";
    static const char *const words[] = {"threads is -1", "no gemm choice number 7",
                                        "the provider needs", "there is no ISA \"none\""};
    for (int i = 0; i < 4; ++i) {
        plx_ctx *ctx = NULL;
        char message[512] = "";
        CHECK(t, plx_ctx_new(&wrong[i], &ctx, message, sizeof message) < 0 && !ctx, "%s", words[i]);
        CHECK(t, strstr(message, words[i]), "\"%s\" lacks \"%s\"", message, words[i]);
    }
    char message[64] = "";
    CHECK(t, plx_ctx_new(NULL, NULL, message, sizeof message) == PLX_ERR_ARGUMENT, "no out");
    CHECK(t, strstr(message, "out is NULL"), "\"%s\"", message);
}

/* Calls that return a number have a value for invalid arguments. */
static void check_numbers(plx_check *t, plx_ctx *ctx) {
    plx_real data[48] = {0};
    plx_rng rng = plx_rng_new(1, 0);
    CHECK(t, plx_rng_below(&rng, 0) == 0 && plx_rng_below(&rng, -5) == 0, "below 0");
    CHECK(t, plx_peak(ctx, 1, -1) == 0, "a peak of -1 rounds");
    CHECK(t, plx_bandwidth(ctx, (plx_stream)9, 48, data, 1) == 0, "stream number 9");
    CHECK(t, plx_bandwidth(ctx, PLX_STREAM_READ, 48, NULL, 1) == 0, "a stream of NULL");
    CHECK(t, plx_bandwidth(ctx, PLX_STREAM_ADD, -48, data, 1) == 0, "a stream of -48");
    const plx_schedule steps = {.kind = PLX_SCHEDULE_STEP, .factor = 0.5};
    CHECK(t, plx_schedule_share(&steps, 3, 10) == 1, "a factor after every 0 steps");
    plx_conv2d_options same = plx_conv2d_default();
    plx_conv2d_same(&same, INT64_MAX, 4, INT64_MAX, 3);
    CHECK(t, same.padding[0] == 0 && same.padding[2] == 1, "padding of what is too large");
    CHECK(t,
          !plx_isa_name(-1) && !plx_optimizer_name((plx_optimizer_kind)-1) &&
              !plx_layer_name((plx_layer_kind)-1) && !plx_schedule_name((plx_schedule_kind)-1) &&
              !plx_activation_name((plx_activation)-1) && !plx_loss_name((plx_loss)-1) &&
              !plx_future_policy_name((plx_future_policy)-1),
          "there is a name of number -1");
}

void plx_test_unit_refusals(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    world w;
    if (!ctx) return;
    if (CHECK(t, open_world(ctx, &w) == PLX_OK, "%s", plx_message(ctx)))
        for (size_t row = 0; row < sizeof rows / sizeof *rows; ++row) check_row(t, &w, (int)row);
    close_world(&w);
    check_contexts(t);
    check_numbers(t, ctx);
    plx_ctx_free(ctx);
}
