/* One operation as a plan, for the native engine of scripts/peers. */
#ifndef PLX_BENCH_PEERS_OPERATION_H
#define PLX_BENCH_PEERS_OPERATION_H

#include "parallax.h"

enum { PLX_PEER_SIZES = 9, PLX_PEER_WEIGHTS = 2 };

typedef struct plx_peer_operation {
    plx_graph *graph;
    plx_tensor *weights[PLX_PEER_WEIGHTS];
    plx_plan *plan;
    plx_node y;
    int64_t size; /* of y */
} plx_peer_operation;

/* Name of operation number i that can be opened; NULL past the last. */
const char *plx_peer_operation_name(int i);

/* data holds count 32-bit values, the inputs in the order of operations.mjs, and must stay valid
 * until the operation is closed. On failure the status is returned, and the graph's sentence is the
 * context's message. */
plx_status plx_peer_operation_open(plx_ctx *ctx, const char *name, const int64_t *sizes,
                                   const float *data, int64_t count, plx_peer_operation *out);
void plx_peer_operation_close(plx_peer_operation *operation);

#endif
