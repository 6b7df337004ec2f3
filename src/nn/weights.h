/* Weights by name, and notes about the layers that use them; shared inside nn/ and above. */
#ifndef PLX_NN_WEIGHTS_H
#define PLX_NN_WEIGHTS_H

#include "base/context.h"
#include "graph/graph.h"
#include "parallax_nn.h"

typedef struct plx__weight {
    plx_tensor *tensor;
    plx_weight_role role;
    bool frozen;   /* not trained, but otherwise like a weight of its role */
    double l1, l2; /* penalties in the loss */
    char name[PLX_NAME];
} plx__weight;

/* A description of a layer, noted when it was added for a batch of one. */
typedef struct plx__layer_note {
    plx_layer_info info;
    char name[PLX_NAME];
} plx__layer_note;

struct plx_weights {
    plx_ctx *ctx;
    uint64_t seed;
    int count, capacity;
    plx__weight *list;
    bool noting; /* layers are being noted */
    int depth;   /* nesting of layers: only the outermost are noted */
    int notes_count, notes_capacity;
    plx__layer_note *notes;
};

/* Drops the weights from number count on. */
void plx__weights_truncate(plx_weights *weights, int count);

/* Remembers how many nodes and weights there are, to return to them after a failure. */
typedef struct plx__scope_mark {
    int32_t nodes;
    int weights;
} plx__scope_mark;
plx__scope_mark plx__scope_here(const plx_scope *scope);
plx_status plx__scope_settle(const plx_scope *scope, plx__scope_mark mark);

/* Called around the code that adds a layer, to note its shape, weights and work; first: the result
 * of begin. */
int32_t plx__layer_begin(const plx_scope *scope);
plx_node plx__layer_end(const plx_scope *scope, const char *kind, const char *name, int32_t first,
                        plx_node y);

/* False after a failure: the name would be too long with the scope's path, and could collide when
 * cut off. */
bool plx__name_fits(const plx_scope *scope, const char *name);

/* The stream of random numbers for the weight of a name. */
uint32_t plx__name_stream(const char *path, const char *name);

#endif
