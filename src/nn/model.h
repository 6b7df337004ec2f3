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
/* The terms that plx_model_loss sums, one per output; for losses with targets. */
plx_status plx__model_losses(const plx_model *model, plx_graph *graph, plx_loss loss,
                             double smoothing, int64_t batch, const plx_node *outputs,
                             plx_node *targets, plx_node *parts);

#endif
