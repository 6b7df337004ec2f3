/* A model and its layers, shared inside nn/ and above. */
#ifndef PLX_NN_MODEL_H
#define PLX_NN_MODEL_H

#include "base/context.h"

typedef enum plx__layer_kind { PLX__DENSE, PLX__ACTIVATION, PLX__DROPOUT } plx__layer_kind;

typedef struct plx__layer {
    plx__layer_kind kind;
    char name[24];
    plx_activation activation;
    plx_real p;
    double rate;
    plx_tensor *weight, *bias;
    char weight_name[32], bias_name[32];
    int rank;
    int64_t dims[PLX_MAX_RANK]; /* of one sample's output */
} plx__layer;

/* A compiled forward pass for one batch size. */
typedef struct plx__predictor {
    int64_t batch;
    plx_plan *plan;
    plx_node input, output;
} plx__predictor;

enum { PLX__PREDICTORS = 2 }; /* whole batches and the rest */

struct plx_model {
    plx_ctx *ctx;
    uint64_t seed;
    int rank;
    int64_t dims[PLX_MAX_RANK];
    int count, capacity;
    plx__layer *layers;
    plx__predictor predictors[PLX__PREDICTORS];
};

/* Shape of one sample's output; returns the rank. */
int plx__model_output(const plx_model *model, const int64_t **dims);
int64_t plx__model_input_size(const plx_model *model);
int64_t plx__model_output_size(const plx_model *model);
/* An input node of the model's sample shape with batch rows. */
plx_node plx__model_input(const plx_model *model, plx_graph *graph, int64_t batch);
/* Tensors in order, into list of plx_model_parameter_count. */
void plx__model_tensors(const plx_model *model, plx_tensor **list);

#endif
