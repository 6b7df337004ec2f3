/*
 * Networks: weights, layers, models, training; on top of parallax.h, whose conventions hold here.
 *
 * Reading order: weights, layers, models, data, trainer, generation, hypercausal.
 */
#ifndef PARALLAX_NN_H
#define PARALLAX_NN_H

#include "parallax_files.h"

#ifdef __cplusplus
extern "C" {
#endif

PLX_BEGIN_EXPORTS

/* ---- Weights --------------------------------------------------------------------------------- */

typedef enum plx_weight_role {
    PLX_WEIGHT_DECAYED = 0, /* matrices, kernels, tables: trained with weight decay */
    PLX_WEIGHT_PLAIN,       /* biases, scales and shifts: trained without weight decay */
    PLX_WEIGHT_STATE,       /* running statistics: written by layers, not trained */
} plx_weight_role;

/* Tensors by name: created when a layer first asks for them, and shared with every later graph. A
 * weight's initial values depend on the seed, its name and its shape alone. */
typedef struct plx_weights plx_weights;

plx_status plx_weights_new(plx_ctx *ctx, uint64_t seed, plx_weights **out);
void plx_weights_free(plx_weights *weights);
int plx_weights_count(const plx_weights *weights);
/* Weight i in order of creation, NULL past the last; name and role may be NULL and stay as they are
 * then. The weights own it. */
plx_tensor *plx_weights_at(const plx_weights *weights, int i, const char **name,
                           plx_weight_role *role);
/* NULL if no weight has that name. */
plx_tensor *plx_weights_find(const plx_weights *weights, const char *name);

/* Writes all weights and the metadata as a safetensors file: the header, then each weight's own
 * memory, so that nothing is held twice. The same weights give the same bytes. PLX_ERR_IO if write
 * failed; then what was written is no whole file. */
plx_status plx_weights_save(const plx_weights *weights, int count, const plx_metadata *metadata,
                            plx_write *write, void *user);
/* Takes all values from a file that has exactly these weights, by name and shape; values of other
 * dtypes must be ones that plx_real holds. On failure the weights are unchanged, and the message
 * names the first that differs: PLX_ERR_SHAPE for a name or a shape, PLX_ERR_FORMAT for a value,
 * PLX_ERR_UNSUPPORTED for a dtype. */
plx_status plx_weights_load(plx_weights *weights, const plx_safetensors *file);

enum { PLX_NAME = 96 };

/* Where layers are added: a graph, the weights they use, and the prefix of their names. A plain
 * value. */
typedef struct plx_scope {
    plx_weights *weights;
    plx_graph *graph;
    bool training; /* dropout is on, batch norm uses the statistics of the batch */
    bool frozen;   /* trainers leave new weights as they are */
    double l1, l2; /* penalties of new weights PLX_WEIGHT_DECAYED in a trainer's loss, l1 sum |w| +
                      l2 sum w^2 */
    /* Of sequences with padding, else invalid: the mask for attention [batch, 1, length], and 0 for
     * padding, 1 for all else [batch, length, 1]. */
    plx_node mask, counted;
    char path[PLX_NAME];
} plx_scope;

plx_scope plx_scope_new(plx_weights *weights, plx_graph *graph, bool training);
/* The scope below name: "block_0" within "text" is "text.block_0". */
plx_scope plx_scope_in(const plx_scope *scope, const char *name);

/* The node of the scope's weight of that name; a shape other than the one it was created with is
 * PLX_ERR_SHAPE. */
plx_node plx_weight(const plx_scope *scope, const char *name, int rank, const int64_t *dims,
                    plx_init init, double value, plx_weight_role role);

/* ---- Layers ---------------------------------------------------------------------------------- */

/* PLX_LAYER_DENSE, PLX_LAYER_ACTIVATION and so on: parallax.def lists them and says what they do.
 */
typedef enum plx_layer_kind {
#define PLX_LAYER(NAME, name, input, about) PLX_LAYER_##NAME,
#include "parallax.def"
    PLX_LAYERS_
} plx_layer_kind;

/* "dense"; NULL past the last. */
const char *plx_layer_name(plx_layer_kind kind);
/* PLX_LAYERS_ if no layer has that name. */
plx_layer_kind plx_layer_from_name(const char *name);

/* How the kernel of a layer starts: PLX_START_GLOROT_UNIFORM and so on: parallax.def lists them. */
typedef enum plx_start {
    PLX_START_DEFAULT = 0, /* by the activation: He et al. or Glorot and Bengio */
#define PLX_START(NAME, name, value, about) PLX_START_##NAME,
#include "parallax.def"
    PLX_STARTS_
} plx_start;

/* "glorotUniform"; NULL for the default and past the last. */
const char *plx_start_name(plx_start start);

/* A layer of any kind. A kind uses the fields whose comments name it; 0 means the default. */
typedef struct plx_layer {
    plx_layer_kind kind;
    const char *name; /* NULL: its kind and a number, "dense_1"; at most PLX_LAYER_NAME_BYTES - 1
                         characters, without dots, unique among its siblings */
    plx_activation activation; /* dense, convolutions, activation; blocks (default gelu), but not
                                  gated ones */
    plx_real p;                /* of an activation that has a parameter; 0: its default */
    int rank;                  /* reshape: of one sample */
    int64_t dims[PLX_MAX_RANK];
    int layers_count; /* residual, chain, add, concatenate: the layers inside; bidirectional: one */
    const struct plx_layer *layers;
/* units, size, no_bias, rate and so on: parallax.def lists them and which kinds use them. */
#define PLX_LAYER_COUNT(name, needed) int64_t name;
#define PLX_LAYER_PAIR(name, needed) int64_t name[2];
#define PLX_LAYER_FLAG(name) bool name;
#define PLX_LAYER_REAL(name, valid, message) double name;
#include "parallax.def"
} plx_layer;

enum { PLX_LAYER_NAME_BYTES = 32 }; /* of a name, with the 0 that ends it */

/* Applies a layer to x [batch, ...]; embedding takes i32 ids [batch, ...]. */
plx_node plx_layer_apply(const plx_scope *scope, const plx_layer *layer, plx_node x);

/* ---- Models ---------------------------------------------------------------------------------- */

enum { PLX_PORTS = 4 };

/* An input or an output of a model: the shape of one sample, without the batch. */
typedef struct plx_port {
    const char *name;
    plx_dtype dtype;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int64_t classes; /* for i32: values are 0 to classes - 1; 0: not checked */
} plx_port;

/* Layers with their weights. */
typedef struct plx_model plx_model;

/* An empty stack of layers; dims: the shape of one sample. The seed fixes initialisation and
 * dropout. */
plx_status plx_model_new(plx_ctx *ctx, int rank, const int64_t *dims, uint64_t seed,
                         plx_model **out);
/* The same on i32 ids below vocabulary; the first layer must be an embedding. */
plx_status plx_model_new_ids(plx_ctx *ctx, int rank, const int64_t *dims, int64_t vocabulary,
                             uint64_t seed, plx_model **out);
/* Adds a layer to a stack. On failure the model is unchanged. PLX_ERR_STATE while a trainer of the
 * model exists. */
plx_status plx_model_add(plx_model *model, const plx_layer *layer);

/* A predefined model by its name and, after a colon, the settings that differ: "gpt2-nano",
 * "gpt2-nano:layers=6,width=192", "mlp:784-200-10", "mlp:5-64-1:tanh". The error message for an
 * unknown name lists the names. */
plx_status plx_model_from_name(plx_ctx *ctx, const char *name, uint64_t seed, plx_model **out);
void plx_model_free(plx_model *model);

/* Writes name i of those that plx_model_from_name knows, "gpt2-nano", into text; false past the
 * last. */
bool plx_model_name(int i, char *text, size_t text_bytes);
/* The value of a setting by its key ("width", "dropout"); -1 if the model's family has no such
 * setting. */
double plx_model_setting(const plx_model *model, const char *key);

int plx_model_inputs(const plx_model *model);
int plx_model_outputs(const plx_model *model);
/* All 0 and "" past the last. */
plx_port plx_model_input(const plx_model *model, int i);
plx_port plx_model_output(const plx_model *model, int i);

typedef struct plx_layer_info {
    const char *kind; /* "dense" */
    const char *name; /* "dense_1" */
    int rank;
    int64_t dims[PLX_MAX_RANK]; /* output of one sample */
    int64_t parameters;         /* trained values */
    double flops;               /* forward, one sample */
} plx_layer_info;
int plx_model_layers(const plx_model *model);
/* All 0 and "" past the last. Strings live as long as the model. */
plx_layer_info plx_model_layer(const plx_model *model, int layer);

plx_weights *plx_model_weights(const plx_model *model);
/* Copies the values of every weight that both models have with the same name and shape; returns how
 * many. */
int plx_model_copy_weights(plx_model *to, const plx_model *from);

/* Adds the model to a graph: applied to inputs [batch, ...] it gives outputs; there are
 * plx_model_inputs and plx_model_outputs of them. */
plx_status plx_model_forward(plx_model *model, plx_graph *graph, const plx_node *inputs,
                             bool training, plx_node *outputs);

/* Whether the model defines a loss of its own: PLX_LOSS_OWN. */
bool plx_model_has_loss(const plx_model *model);

/* ---- Data ------------------------------------------------------------------------------------ */

/* n samples: inputs[i] [n, ...] of a model's port i, and targets[i] for its output i: i32 labels
 * [n, ...] of its last axis for cross-entropy (PLX_IGNORED_LABEL: not counted), values like the
 * output for other losses (0 to 1 for binary cross-entropy). Strides, 0 or more, are the number of
 * elements from one sample to the next; 0: contiguous samples. Stride 1 gives the overlapping
 * windows of a text. weights [n], finite and not negative, multiply the loss of each sample, which
 * stays a mean over the samples (it is not divided by their sum); NULL: all 1. */
typedef struct plx_dataset {
    int64_t n;
    const void *inputs[PLX_PORTS], *targets[PLX_PORTS];
    int64_t input_strides[PLX_PORTS], target_strides[PLX_PORTS];
    const plx_real *weights;
} plx_dataset;

/* Stores the model's output i in outputs[i] [n, ...] (NULL: not wanted), working in batches of at
 * most batch samples (0: a size that fits the caches). Targets are not read. If a batch fails, the
 * outputs of earlier ones are kept; ids outside their vocabulary are rejected before the first. */
plx_status plx_model_predict(plx_model *model, const plx_dataset *data, int64_t batch,
                             plx_real *const *outputs);

/* Memory of the plans that plx_model_predict keeps for its latest batch sizes. */
plx_memory plx_model_predict_memory(const plx_model *model);

/* PLX_LOSS_MSE, PLX_LOSS_CROSS_ENTROPY and so on: parallax.def lists them. */
typedef enum plx_loss {
#define PLX_LOSS(NAME, name, about) PLX_LOSS_##NAME,
#include "parallax.def"
    PLX_LOSSES_
} plx_loss;

/* "mse", "crossentropy", "own"; NULL past the last. */
const char *plx_loss_name(plx_loss loss);
/* PLX_LOSSES_ if no loss has that name. */
plx_loss plx_loss_from_name(const char *name);

/* Adds the loss of a model's outputs for batch samples to the graph; the losses of several outputs
 * are summed. targets are set to new inputs of the graph, one per output, laid out as in
 * plx_dataset (PLX_LOSS_OWN: none; may be NULL). p: the parameter of the loss: label smoothing of
 * cross-entropy (see plx_cross_entropy_smooth), delta of Huber (0: 1). Cross-entropy of a model
 * that ends in a softmax layer, and binary cross-entropy of one whose last layer has the activation
 * sigmoid, are computed from the values below it, as they include it. */
plx_status plx_model_loss(plx_model *model, plx_graph *graph, plx_loss loss, double p,
                          int64_t batch, const plx_node *outputs, plx_node *targets, plx_node *out);

/* What a loss does not define is NaN. Weights of samples count in the loss alone. */
typedef struct plx_metrics {
    double loss;     /* mean over samples (labels, where a sample has several) of the loss times the
                        sample's weight, and the penalties of weights */
    double accuracy; /* cross-entropy: share of labels with the largest logit; binary
                        cross-entropy: of values on their target's side of 1/2 */
    double top5;     /* cross-entropy: share of labels among the five largest */
    double perplexity; /* cross-entropy: its exponential */
    double rmse, r2; /* not for cross-entropies; r2 is 1 - residual / variance, over all outputs */
    double mae;      /* not for cross-entropies: the mean absolute error */
    int64_t counted; /* labels, or values */
} plx_metrics;

/* Evaluates one output; for cross-entropies it gives logits, or ends in the softmax or sigmoid that
 * they include. confusion: classes x classes counts [label][prediction], or NULL. */
plx_status plx_model_evaluate(plx_model *model, int output, plx_loss loss, const plx_dataset *data,
                              plx_metrics *metrics, int64_t *confusion);
/* The same with the parameter of the loss: delta of Huber (0: 1). */
plx_status plx_model_evaluate_with(plx_model *model, int output, plx_loss loss, double p,
                                   const plx_dataset *data, plx_metrics *metrics,
                                   int64_t *confusion);

/* ---- Trainer --------------------------------------------------------------------------------- */

/* How the learning rate changes from step to step; the optimizer's rate is the highest.
 * PLX_SCHEDULE_CONSTANT, PLX_SCHEDULE_STEP and so on: parallax.def lists them. */
typedef enum plx_schedule_kind {
#define PLX_SCHEDULE(NAME, name, options, about) PLX_SCHEDULE_##NAME,
#include "parallax.def"
    PLX_SCHEDULES_
} plx_schedule_kind;

/* "constant", "step", "cosine", "linear", "one-cycle"; NULL past the last. */
const char *plx_schedule_name(plx_schedule_kind kind);
/* PLX_SCHEDULES_ if no schedule has that name. */
plx_schedule_kind plx_schedule_from_name(const char *name);

/* Of steps 0 to n - 1, the first w = warmup use the share (step + 1) / w of the highest rate; then
 * q = (step - w) / (n - w) goes from 0 to just below 1: cosine uses floor + (1 - floor) (1 + cos(pi
 * q)) / 2, linear 1 - (1 - floor) q, step factor^((step - w) / every) but at least floor. */
typedef struct plx_schedule { /* all 0: constant */
    plx_schedule_kind kind;
    int64_t warmup; /* steps of linear growth at the start: Goyal et al., 2017 */
    double floor;   /* the lowest rate, as a share of the highest */
    int64_t every;  /* step: the number of steps between changes */
    double factor;  /* step: multiplies the rate; above 0, at most 1 */
} plx_schedule;

/* The share of the highest rate that a step (counted from 0) of all the steps uses. */
double plx_schedule_share(const plx_schedule *schedule, int64_t step, int64_t steps);

enum { PLX_OWN_METRICS = 8, PLX_OWN_LOSS = -1 };

/* Adds scalar number i to a graph, given an output [rows, ...] of the model and its target, laid
 * out as in plx_dataset. It is called for each number of rows that is trained on at once. self is
 * the pointer given with it. */
typedef plx_node plx_scalar_function(void *self, plx_graph *graph, int i, plx_node output,
                                     plx_node target);

typedef struct plx_trainer_options {
    plx_loss loss;                   /* of every output; the losses of several are summed */
    plx_optimizer_options optimizer; /* weight decay applies to PLX_WEIGHT_DECAYED alone */
    /* NULL: a new optimizer. Else one from plx_model_optimizer, whose moments carry over from
     * trainer to trainer and whose options replace those above; one trainer at a time. Settings
     * made while a trainer uses it, including the schedule's rate, hold for that trainer only. */
    plx_optimizer *state;
    plx_schedule schedule;  /* over all steps; default constant */
    double clip_norm;       /* gradients are scaled so that their joint norm is at most this; 0: no
                               clipping */
    double label_smoothing; /* cross-entropy: 0 to below 1; Szegedy et al., CVPR 2016 */
    double huber_delta;     /* Huber: above 0; 0 means 1 */
    int64_t accumulate; /* batches whose gradients are averaged for one step, as if they were one
                           large batch (each weighted by its samples, or its labels that count);
                           fewer at the end of an epoch; 0 means 1 */
    int64_t batch;      /* 1..n; the last batch of an epoch may be smaller */
    int64_t epochs;     /* over the data */
    int64_t steps;      /* upper limit; 0: as many as the epochs have */
    bool shuffle;
    uint64_t seed; /* of the shuffle */
    /* Early stopping: the loss on validation (borrowed with its data; NULL: none) is computed,
     * without smoothing, after every epoch and after the last step. Training ends after patience
     * epochs (0: never) in which the loss did not fall by more than min_improvement. With a
     * patience, the weights of the epoch with the lowest loss are restored when training ends,
     * early or not. */
    const plx_dataset *validation;
    int64_t patience;
    double min_improvement;
    bool metrics; /* whether plx_progress.training is computed: the plan then keeps the output */
    /* Scalars of the caller's own, of the first output. Those numbered 0 to own_metrics - 1 are
     * reported as means over batches, weighted by their samples. With own_loss, number PLX_OWN_LOSS
     * is the loss of training and validation; loss then says what targets and metrics are. */
    plx_scalar_function *function;
    void *self;
    int own_metrics;
    bool own_loss;
    plx_plan_options plan;
} plx_trainer_options;

/* Mean squared error, Adam with plx_optimizer_default, batches of 32, one epoch, shuffled; the plan
 * is plx_plan_default, all else is 0. */
plx_trainer_options plx_trainer_default(void);

/* The position of training in its streams of random numbers. Each trainer of a model continues
 * where the one before it stopped, so that neither dropout masks nor sample orders repeat. All 0 in
 * a new model. If it is saved with the weights and restored, training continues with the same
 * random numbers as without the interruption. */
typedef struct plx_training_position {
    uint64_t batches; /* for which dropout has drawn masks */
    uint64_t order;   /* words drawn for sample orders from the stream of a trainer's seed */
} plx_training_position;

plx_training_position plx_model_position(const plx_model *model);
/* Takes effect from the next batch on. */
void plx_model_set_position(plx_model *model, plx_training_position position);

/* An optimizer for plx_trainer_options.state: of all trained weights of a model, with weight decay
 * by role. Add no layers afterwards. Free it with plx_optimizer_free, after the trainers that use
 * it. */
plx_status plx_model_optimizer(const plx_model *model, const plx_optimizer_options *options,
                               plx_optimizer **out);

/* A resumable training run: the caller decides how many steps to run at a time, so it can show
 * progress, pause and stop without threads. The data is borrowed until the trainer is freed. */
typedef struct plx_trainer plx_trainer;

/* Checks the data: a value that is not finite or a label outside the classes is
 * PLX_ERR_ARGUMENT, with its row. */
plx_status plx_trainer_new(plx_model *model, const plx_trainer_options *options,
                           const plx_dataset *data, plx_trainer **out);
void plx_trainer_free(plx_trainer *trainer);

/* Saves the state of a run between two calls of plx_trainer_run as a safetensors file: weights,
 * moments of the optimizer, the best weights so far, the losses, and where it is in its data,
 * schedule and streams of random numbers. Functions and data are not in it. PLX_ERR_STATE after
 * divergence; PLX_ERR_IO if write failed, and then what was written is no whole file. */
plx_status plx_trainer_save(const plx_trainer *trainer, int count, const plx_metadata *metadata,
                            plx_write *write, void *user);
/* Continues in a new trainer of the same model, options and data where another was saved: on the
 * exact targets its losses have the bits of a run that was never interrupted, on any platform.
 * PLX_ERR_FORMAT for a file that is damaged, which its checksum tells; PLX_ERR_ARGUMENT names the
 * first option that differs, PLX_ERR_SHAPE the first tensor. On failure nothing changes. */
plx_status plx_trainer_load(plx_trainer *trainer, const plx_safetensors *file);

typedef struct plx_progress {
    int64_t step, steps;   /* done, and in all */
    int64_t epoch, epochs; /* finished, and in all */
    plx_real loss;         /* of the last step */
    double epoch_loss;     /* mean over the samples, or labels that count, of the current or just
                              finished epoch: like plx_metrics.loss, for each output */
    bool done;
    double rate;            /* of the last step; before any step, of the first */
    double gradient_norm;   /* of the last step, before clipping; NaN without clip_norm */
    double validation_loss; /* the latest, of all outputs; NaN before there is one */
    plx_metrics validation; /* of output 0; counted is 0 for PLX_LOSS_OWN, or before the first */
    plx_metrics training;   /* of output 0 in the current or just finished epoch, with the option
                               metrics; each batch by the weights before its step, with dropout */
    double own[PLX_OWN_METRICS], validation_own[PLX_OWN_METRICS]; /* likewise: own metrics */
    double validation_ns;                                         /* spent on validation so far */
    int64_t best_epoch; /* of the lowest validation loss; 0: none yet */
    bool stopped_early;
} plx_progress;

/* Runs at most max_steps further steps, stopping early at the end of an epoch, and fills *progress;
 * on failure, with what was done before it.
 *
 * A loss that is not finite is PLX_ERR_DIVERGED, naming the step; so are running statistics that
 * are not finite. That step is not taken, and the weights (and running statistics) of the last step
 * whose loss and statistics were finite are restored, as they were when that loss was computed; if
 * there is none, those from the start. The same holds if the validation loss, or a weight after the
 * last step, is not finite, and if a gradient, its square (for optimizers that use it) or the joint
 * norm is not: that step is not taken either. The trainer then takes no more steps: all further
 * calls are PLX_ERR_DIVERGED. */
plx_status plx_trainer_run(plx_trainer *trainer, int64_t max_steps, plx_progress *progress);
/* Receives the progress of training; self is the pointer given to plx_trainer_fit. Returns whether
 * to continue. */
typedef bool plx_fit_watch(void *self, const plx_progress *progress);
/* Runs all remaining steps. watch (may be NULL) is called after every so many steps (0: none) and
 * at the end of each epoch; it may query the trainer and set its rate, but must not run or free it.
 * If it returns false while steps remain, the result is PLX_ERR_CANCELLED, and another call
 * continues from there. Fails as plx_trainer_run does. progress (may be NULL) receives the last
 * progress. */
plx_status plx_trainer_fit(plx_trainer *trainer, int64_t every, plx_fit_watch *watch, void *self,
                           plx_progress *progress);
/* Ends training: progress.done is true from now on. With a patience, restores the weights of the
 * best epoch, as at any end. */
void plx_trainer_stop(plx_trainer *trainer);
/* The losses of all steps so far. */
const plx_real *plx_trainer_losses(const plx_trainer *trainer, int64_t *count);
/* Sets the schedule's highest rate from the next step on: 0 to below 1e30, else PLX_ERR_ARGUMENT.
 */
plx_status plx_trainer_set_rate(plx_trainer *trainer, double rate);
/* The rate, as in plx_progress.rate. */
double plx_trainer_rate(const plx_trainer *trainer);
plx_memory plx_trainer_memory(const plx_trainer *trainer);
/* The plan of full batches, to inspect its steps. Owned by the trainer. Its profile leaves out the
 * rest of training: gathering batches and shuffling, the smaller last batch of an epoch, the
 * optimizer's step when batches accumulate, validation. The time of plx_trainer_run includes
 * everything. */
plx_plan *plx_trainer_plan(plx_trainer *trainer);

/* ---- Generation ------------------------------------------------------------------------------ */

/* Continues sequences of tokens with a model from ids [context] to logits [context, vocabulary]
 * (gpt2, transformer). Keys and values of the tokens so far are cached, so that one more token
 * costs the work of one position. When the context is full, its second half is re-encoded as the
 * new context. */
typedef struct plx_generator plx_generator;

/* All 0: always the most likely token. */
typedef struct plx_sampling {
    double temperature; /* of the softmax that tokens are drawn from; 0: always the most likely */
    int64_t top_k;      /* draw among the k most likely; 0: all */
} plx_sampling;

/* PLX_ERR_UNSUPPORTED for a model of another kind. Weights may change between tokens. The seed is
 * for drawing tokens. */
plx_status plx_generator_new(plx_model *model, uint64_t seed, plx_generator **out);
void plx_generator_free(plx_generator *generator);
/* Appends tokens to the context; an id outside the vocabulary is PLX_ERR_ARGUMENT. */
plx_status plx_generator_feed(plx_generator *generator, int64_t count, const int32_t *ids);
/* Logits [vocabulary] of the next token; NULL before the first was fed. */
const plx_real *plx_generator_logits(const plx_generator *generator);
/* Draws the next token, and feeds it. PLX_ERR_STATE before the first was fed. */
plx_status plx_generator_next(plx_generator *generator, const plx_sampling *sampling, int32_t *id);
/* Forgets all tokens. */
void plx_generator_reset(plx_generator *generator);

/* ---- Hypercausal ----------------------------------------------------------------------------- */

/* How the futures of a state are summarised. */
typedef enum plx_future_policy {
    PLX_FUTURE_MEAN = 0,
    PLX_FUTURE_MEDIAN,     /* of each element; the mean of the middle two if futures is even */
    PLX_FUTURE_LEAST_RISK, /* for each row (last axis), the future with the least sum of squares
                              over the row; ties go to the first */
    PLX_FUTURES_
} plx_future_policy;

/* "mean", "median", "min-risk"; NULL past the last. */
const char *plx_future_policy_name(plx_future_policy policy);

/* A node: its state S starts as its input and becomes tanh(w S + b), depth times; its futures are
 * tanh(S + delta) for deltas evenly spaced on [-p, p], p = max(0.08, span / (1 + 0.3 (depth - 1))).
 */
typedef struct plx_hypercausal_options {
    int64_t depth;   /* >= 1 */
    int64_t futures; /* how many, >= 2 */
    double span;     /* 0 to 4 */
    plx_future_policy policy;
    double w, b; /* initial values of the weights, if the node creates them */
} plx_hypercausal_options;

/* Depth 1, 3 futures, span 0.25, their mean, w 1 and b 0. */
plx_hypercausal_options plx_hypercausal_default(void);

/* The outputs of a node, all elementwise in x [..., channels]: a whole sequence [time, channels] is
 * one tensor, and nodes form chains and graphs like any other ops. */
typedef struct plx_hypercausal {
    plx_node state;  /* like x */
    plx_node future; /* like x: the futures summarised by the policy */
    plx_node spread; /* a scalar: the mean over elements and futures of the squared deviation from
                        the futures' mean, whatever the policy */
} plx_hypercausal;

/* The arithmetic of a node, given its weights w and b of one value each. */
plx_status plx_hypercausal_emit(plx_graph *graph, plx_node x, plx_node w, plx_node b,
                                const plx_hypercausal_options *options, plx_hypercausal *out);
/* A node with the weights "w" and "b" below its name. Its input is the mean of the states of its
 * count parents, count >= 1. */
plx_status plx_hypercausal_node(const plx_scope *scope, const char *name, int count,
                                const plx_node *parents, const plx_hypercausal_options *options,
                                plx_hypercausal *out);

typedef struct plx_hypercausal_loss_options {
    double drift, forecast;        /* weights of the parts of the consistency */
    double consistency, coherence; /* their weights in the total */
} plx_hypercausal_loss_options;

/* Drift 0.8, forecast 1.2, consistency 0.5, coherence 0.3. */
plx_hypercausal_loss_options plx_hypercausal_loss_default(void);

/* Scalars. task: mean of (state - target)^2. consistency: mean over all times but the first of
 * drift (state - previous state)^2 + forecast (state - future)^2. coherence: mean of the spreads.
 * total = task + options.consistency consistency + options.coherence coherence. */
typedef struct plx_hypercausal_parts {
    plx_node total, task, consistency, coherence;
} plx_hypercausal_parts;

/* The loss of count nodes, the last of which gives the prediction; states and target [..., time,
 * channels]. No gradient flows into the target. options may be NULL. */
plx_status plx_hypercausal_loss(plx_graph *graph, int count, const plx_hypercausal *nodes,
                                plx_node target, const plx_hypercausal_loss_options *options,
                                plx_hypercausal_parts *out);

PLX_END_EXPORTS

#ifdef __cplusplus
}
#endif

#endif
