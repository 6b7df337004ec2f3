/* Convolutions of images [n, rows, columns, channels] and their gradients: methods, cache blocking
 * and threading. The method depends only on the sizes, and no sum depends on the number of threads.
 */
#ifndef PLX_BLOCKS_CONV_H
#define PLX_BLOCKS_CONV_H

#include "blocks/gemm.h"

typedef enum plx__conv_kind {
    PLX__CONV_FORWARD = 0, /* c = a * b: image, weights, result */
    PLX__CONV_TRANSPOSE,   /* result's gradient, weights, image's gradient */
    PLX__CONV_WEIGHTS,     /* image, result's gradient, weights' gradient */
} plx__conv_kind;

/* Sizes are those of the convolution, whichever of its operands is computed. Pairs are rows and
 * columns. Weights are [kernel rows, kernel columns, in / groups, out]. */
typedef struct plx__conv_args {
    plx__conv_kind kind;
    int64_t n, image[2], in;
    int64_t result[2], out;
    int64_t kernel[2], stride[2], dilation[2], groups;
    int64_t before[2]; /* zeros above and to the left of the image */
    const plx_real *a, *b;
    const plx_real *packed_b; /* b as plx__conv_pack left it, read in its place; NULL: none */
    const plx_real *bias;     /* per channel of c; NULL: none. Not for weights */
    plx_real *c;
    plx_activation act;
    plx_real act_param;
} plx__conv_args;

/* Builds without training have no gradients of weights, and their linker leaves out the code. */
static inline bool plx__conv_is_of_weights(const plx__conv_args *args) {
#ifdef PLX_INFERENCE
    (void)args;
    return false;
#else
    return args->kind == PLX__CONV_WEIGHTS;
#endif
}

/* The number of values of weights in the layout in which plx__conv_run reads them from packed_b,
 * and that layout; 0 where preparing them takes too small a part of the run. Only for b. */
int64_t plx__conv_packed_values(const plx_ctx *ctx, const plx__conv_args *args,
                                plx__layout *layout);
void plx__conv_pack(plx_ctx *ctx, const plx__conv_args *args, int threads, plx_real *to);

/* Bytes of scratch that plx__conv_run needs for these sizes on `threads` threads. */
size_t plx__conv_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads);

/* Floating-point operations by the definition, and those that plx__conv_run executes: Winograd's
 * method needs fewer. */
double plx__conv_direct_flops(const plx__conv_args *args);
double plx__conv_flops(const plx__conv_args *args);

/* Runs a convolution. workspace: 64-byte aligned, plx__conv_workspace bytes. */
void plx__conv_run(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace);

#endif
