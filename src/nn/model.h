/* A model and its family, shared inside nn/ and above. */
#ifndef PLX_NN_MODEL_H
#define PLX_NN_MODEL_H

#include "nn/weights.h"

/* A dimension or choice of a family, set by "key=value". */
typedef struct plx__setting {
    const char *key;
    double fallback, least, most;
    bool whole; /* only whole numbers */
} plx__setting;

enum { PLX__SETTINGS = 16 };

struct plx__cache; /* layers.h */

/* "nano", and the settings that differ from their fallbacks: "layers=3,width=128". */
typedef struct plx__model_size {
    const char *name, *settings;
} plx__model_size;

/* One row of models.def: what the models of a family have in common. */
typedef struct plx__family {
    const char *name;
    const plx__setting *settings; /* ends with one without a key */
    const plx__model_size *sizes; /* ends with one without a name */
    /* Checks that the settings are consistent, and sets the input ports from them. */
    plx_status (*ports)(plx_model *model);
    /* Adds the outputs for inputs [batch, ...] to the graph; returns how many. The graph keeps a
     * failure. */
    int (*forward)(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs);
    /* The loss PLX_LOSS_OWN of the outputs; NULL: there is none. */
    plx_node (*loss)(const plx_model *model, const plx_scope *scope, const plx_node *outputs);
    int64_t loss_batch; /* least number of samples that the loss compares; 0: one is enough */
    /* Adds the logits [1, 1, vocabulary] that follow ids [1, 1] at the cache's position; NULL: the
     * model cannot generate. */
    plx_node (*step)(const plx_model *model, const plx_scope *scope, plx_node ids,
                     const struct plx__cache *cache);
} plx__family;

/* A compiled forward pass for one batch size. */
typedef struct plx__predictor {
    int64_t batch;
    bool under; /* the outputs are what goes into the softmax or sigmoid that the model ends in */
    plx_plan *plan;
    plx_node inputs[PLX_PORTS], outputs[PLX_PORTS];
} plx__predictor;

enum { PLX__PREDICTORS = 2 }; /* for whole batches and for the rest */

struct plx_model {
    plx_ctx *ctx;
    int holders; /* number of owners: the caller, trainers, generators */
    uint64_t seed;
    const plx__family *family; /* NULL: a stack */
    double settings[PLX__SETTINGS];
    plx_weights *weights;
    int inputs_count, outputs_count;
    plx_port inputs[PLX_PORTS], outputs[PLX_PORTS];
    int count, capacity; /* layers of a stack */
    plx_layer *layers;   /* with copies of names and inner layers */
    plx__predictor predictors[PLX__PREDICTORS];
    int trainers; /* how many exist */
    plx_training_position position;
};

static inline plx_model *plx__model_hold(plx_model *model) {
    model->holders += 1;
    return model;
}

/* Makes a model of a family; settings are in the order of its table. */
plx_status plx__model_of_family(plx_ctx *ctx, const plx__family *family, const double *settings,
                                uint64_t seed, plx_model **out);
/* Number of values in one sample of a port. */
int64_t plx__port_size(const plx_port *port);
/* Input nodes of the model's ports with batch rows. */
void plx__model_input_nodes(const plx_model *model, plx_graph *graph, int64_t batch,
                            plx_node *nodes);
/* Address of a row of port i of the inputs (targets). */
const void *plx__dataset_input(const plx_model *model, const plx_dataset *data, int i, int64_t row);
const void *plx__dataset_target(const plx_model *model, plx_loss loss, const plx_dataset *data,
                                int i, int64_t row);
/* Number of values in one sample of target i: as many as the output for MSE, without its last axis
 * for cross-entropy. */
int64_t plx__target_size(const plx_model *model, plx_loss loss, int i);
/* Checks that the model can have this loss. who: "fit". */
plx_status plx__check_loss(const plx_model *model, const char *who, plx_loss loss);
/* Checks inputs: PLX_ERR_ARGUMENT, with the row, for missing data, a negative stride, ids outside
 * their vocabulary and, with reals, values that are not finite. */
plx_status plx__check_inputs(const plx_model *model, const char *who, const plx_dataset *data,
                             bool reals);
/* Checks samples: PLX_ERR_ARGUMENT, with the row, for missing data, ids outside their vocabulary,
 * values that are not finite and labels outside the classes. who: "fit". */
plx_status plx__check_dataset(const plx_model *model, const char *who, plx_loss loss,
                              const plx_dataset *data);
/* Number of labels of a row for output i that count, for cross-entropy. */
int64_t plx__counted_labels(const plx_model *model, const plx_dataset *data, int i, int64_t row);
/* Whether the model ends in the softmax, or sigmoid, that the loss includes: the loss is then that
 * of the values below it, where no probability has been rounded to 0 or 1. */
bool plx__loss_is_under(const plx_model *model, plx_loss loss);
/* The node that the loss takes: an output of the model, or what is below it. */
plx_node plx__under(const plx_model *model, const plx_graph *graph, plx_loss loss, plx_node output);
/* Like plx_model_predict, but gives what the loss takes. */
plx_status plx__predict(plx_model *model, plx_loss loss, const plx_dataset *data, int64_t batch,
                        plx_real *const *outputs);

/* losses.c */
/* p, or its default where 0 stands for one. */
double plx__loss_parameter(plx_loss loss, double p);
/* Like plx_model_loss; each sample's part is multiplied by its weight [batch], plx_none(): 1. */
plx_status plx__weighted_loss(plx_model *model, plx_graph *graph, plx_loss loss, double p,
                              int64_t batch, const plx_node *outputs, plx_node weights,
                              plx_node *targets, plx_node *out);
/* The terms that it sums, one per output; for losses with targets. */
plx_status plx__model_losses(const plx_model *model, plx_graph *graph, plx_loss loss, double p,
                             int64_t batch, const plx_node *outputs, plx_node weights,
                             plx_node *targets, plx_node *parts);
/* The loss with the penalties of the model's weights: l1 sum |w| + l2 sum w^2. */
plx_node plx__with_penalties(const plx_model *model, plx_graph *graph, plx_node loss);
/* Their sum. */
double plx__penalty(const plx_model *model);

/* Sums over the predictions of one output. */
typedef struct plx__tally {
    double loss;  /* terms times the weights of their samples */
    double terms; /* the same without weights */
    double squares, sizes, target_sum, target_squares; /* of errors and targets; not of logits */
    int64_t right, among_five, counted;
} plx__tally;

/* Adds rows samples: what plx__predict gives, targets as in plx_dataset and weights (NULL: 1).
 * confusion: counts [label][prediction] to add to, or NULL. */
void plx__tally_add(plx__tally *tally, const plx_port *port, plx_loss loss, double p, int64_t rows,
                    const plx_real *out, const void *targets, const plx_real *weights,
                    int64_t *confusion);
plx_metrics plx__tally_metrics(const plx__tally *tally, plx_loss loss);

#endif
