/* Weights by name, and the layers that were emitted with them; shared inside nn/ and above. */
#ifndef PLX_NN_WEIGHTS_H
#define PLX_NN_WEIGHTS_H

#include "base/context.h"
#include "graph/graph.h"
#include "parallax_nn.h"

typedef struct plx__weight {
    plx_tensor *tensor;
    plx_weight_role role;
    char name[PLX_NAME];
} plx__weight;

/* What a layer was, when it was emitted for a batch of one. */
typedef struct plx__layer_note {
    plx_layer_info info;
    char name[PLX_NAME];
} plx__layer_note;

struct plx_weights {
    plx_ctx *ctx;
    uint64_t seed;
    int count, capacity;
    plx__weight *list;
    bool noting; /* layers are written down */
    int depth;   /* of layers inside layers: only the outermost are noted */
    int notes_count, notes_capacity;
    plx__layer_note *notes;
};

/* Drops the weights from number count on. */
void plx__weights_truncate(plx_weights *weights, int count);

/* As for graphs: how many nodes and weights there are, and back to so many after a failure. */
typedef struct plx__scope_mark {
    int32_t nodes;
    int weights;
} plx__scope_mark;
plx__scope_mark plx__scope_here(const plx_scope *scope);
plx_status plx__scope_settle(const plx_scope *scope, plx__scope_mark mark);

/* Around the emission of a layer, so that its shape, weights and work are noted; first: what begin
 * gave. */
int32_t plx__layer_begin(const plx_scope *scope);
plx_node plx__layer_end(const plx_scope *scope, const char *kind, const char *name, int32_t first,
                        plx_node y);

/* False after a failure: with the scope's path a name would be too long, and cut off another's. */
bool plx__name_fits(const plx_scope *scope, const char *name);

/* A stream of random numbers for what lies at a name. */
uint32_t plx__name_stream(const char *path, const char *name);

#endif
