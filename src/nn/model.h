/* A model and its family, shared inside nn/ and above. */
#ifndef PLX_NN_MODEL_H
#define PLX_NN_MODEL_H

#include "nn/weights.h"

/* A dimension or choice of a family, set by "key=value". */
typedef struct plx__setting {
    const char *key;
    double fallback, least, most;
    bool whole; /* numbers without fractions only */
} plx__setting;

enum { PLX__SETTINGS = 16 };

struct plx__cache; /* layers.h */

/* "nano" and how it differs from the settings' fallbacks, as "layers=3,width=128". */
typedef struct plx__model_size {
    const char *name, *settings;
} plx__model_size;

/* One row of models.def: what models of a kind have in common. */
typedef struct plx__family {
    const char *name;
    const plx__setting *settings; /* up to one without a key */
    const plx__model_size *sizes; /* up to one without a name */
    /* Sets the input ports from the settings, after checking what does not go together. */
    plx_status (*ports)(plx_model *model);
    /* Emits outputs for inputs [batch, ...]; returns how many. A failure is kept in the graph. */
    int (*forward)(const plx_model *model, const plx_scope *scope, const plx_node *inputs,
                   plx_node *outputs);
    /* The loss PLX_LOSS_OWN of outputs; NULL: there is none. */
    plx_node (*loss)(const plx_model *model, const plx_scope *scope, const plx_node *outputs);
    int64_t loss_batch; /* samples that it compares, at least; 0: one will do */
    /* Emits the logits [1, 1, vocabulary] after ids [1, 1], at the cache's position; NULL: the
     * model continues no sequences. */
    plx_node (*step)(const plx_model *model, const plx_scope *scope, plx_node ids,
                     const struct plx__cache *cache);
} plx__family;

/* A compiled forward pass for one batch size. */
typedef struct plx__predictor {
    int64_t batch;
    plx_plan *plan;
    plx_node inputs[PLX_PORTS], outputs[PLX_PORTS];
} plx__predictor;

enum { PLX__PREDICTORS = 2 }; /* whole batches and the rest */

struct plx_model {
    plx_ctx *ctx;
    int holders; /* the maker, trainers, generators */
    uint64_t seed;
    const plx__family *family; /* NULL: a stack */
    double settings[PLX__SETTINGS];
    plx_weights *weights;
    int inputs_count, outputs_count;
    plx_port inputs[PLX_PORTS], outputs[PLX_PORTS];
    int count, capacity; /* of a stack */
    plx_layer *layers;   /* with copies of names and inner layers */
    plx__predictor predictors[PLX__PREDICTORS];
    int trainers; /* how many live */
    plx_training_position position;
};

static inline plx_model *plx__model_hold(plx_model *model) {
    model->holders += 1;
    return model;
}

/* A model of a family; settings in the order of its table. */
plx_status plx__model_of_family(plx_ctx *ctx, const plx__family *family, const double *settings,
                                uint64_t seed, plx_model **out);
/* Values in one sample of a port. */
int64_t plx__port_size(const plx_port *port);
/* Input nodes of the model's ports with batch rows. */
void plx__model_input_nodes(const plx_model *model, plx_graph *graph, int64_t batch,
                            plx_node *nodes);
/* Where row of port i of inputs (targets) begins. */
const void *plx__dataset_input(const plx_model *model, const plx_dataset *data, int i, int64_t row);
const void *plx__dataset_target(const plx_model *model, plx_loss loss, const plx_dataset *data,
                                int i, int64_t row);
/* Values of one sample of target i: of the output for MSE, without its last axis for
 * cross-entropy. */
int64_t plx__target_size(const plx_model *model, plx_loss loss, int i);
/* Whether the model has a loss of that number. who: "fit". */
plx_status plx__check_loss(const plx_model *model, const char *who, plx_loss loss);
/* Inputs: without data, of a stride below 0, ids outside their vocabulary; reals: values that are
 * not finite too. PLX_ERR_ARGUMENT with the row. */
plx_status plx__check_inputs(const plx_model *model, const char *who, const plx_dataset *data,
                             bool reals);
/* Samples that have no data, ids outside their vocabulary, values that are not finite, labels
 * outside the classes: PLX_ERR_ARGUMENT with the row. who: "fit". */
plx_status plx__check_dataset(const plx_model *model, const char *who, plx_loss loss,
                              const plx_dataset *data);
/* Labels of a row for output i that count, for cross-entropy. */
int64_t plx__counted_labels(const plx_model *model, const plx_dataset *data, int i, int64_t row);
/* The terms that plx_model_loss adds up, one an output; for losses with targets. */
plx_status plx__model_losses(const plx_model *model, plx_graph *graph, plx_loss loss,
                             double smoothing, int64_t batch, const plx_node *outputs,
                             plx_node *targets, plx_node *parts);

#endif
