/* The methods of convolution, and the geometry that they share. */
#ifndef PLX_BLOCKS_CONV_METHODS_H
#define PLX_BLOCKS_CONV_METHODS_H

#include "base/sizes.h"
#include "blocks/conv.h"
#include "kernels/kernels.h"

/* Rows, or columns, of one phase: result i of the phase is at first_target + i * target_step, and
 * its tap t reads the source at first_source + i * stride + t * source_step with row (column)
 * first_kernel + t * kernel_step of the weights; values outside the source are zero. A convolution
 * is one phase; its transpose is one per row (column) inside a stride, each a convolution of stride
 * 1 with the weights that meet that row, flipped. */
typedef struct plx__conv_axis {
    int64_t source, target; /* sizes */
    int64_t count, first_target, target_step;
    int64_t stride;
    int64_t taps, first_source, source_step, first_kernel, kernel_step;
} plx__conv_axis;

int64_t plx__conv_phases(const plx__conv_args *args, int axis);
plx__conv_axis plx__conv_phase(const plx__conv_args *args, int axis, int64_t phase);

/* Channels of a and of c. */
int64_t plx__conv_channels(const plx__conv_args *args);
int64_t plx__conv_targets(const plx__conv_args *args);

/* Rounds a size in values up, so that each part of a workspace begins on a cache line. */
static inline int64_t plx__conv_aligned(int64_t values) {
    return (values + 15) / 16 * 16;
}

/* a / b rounded up, for b > 0. */
static inline int64_t plx__conv_ceiling(int64_t a, int64_t b) {
    return a > 0 ? (a + b - 1) / b : -(-a / b);
}

typedef struct plx__conv_range {
    int64_t begin, end;
} plx__conv_range;

/* The part of begin..end that lies in 0..count. */
static inline plx__conv_range plx__conv_clip(int64_t begin, int64_t end, int64_t count) {
    plx__conv_range r = {begin < 0 ? 0 : plx__least(begin, count), plx__least(end, count)};
    if (r.end < r.begin) r.end = r.begin;
    return r;
}

/* The number of parts into which a sum over `terms` is split. Each part has its own copy of the
 * `values` results; plx__conv_add_parts adds them up. */
int64_t plx__conv_parts(int64_t terms, int64_t values);
void plx__conv_add_parts(plx_ctx *ctx, int64_t parts, int64_t values, const plx_real *from,
                         plx_real *to, int threads);

/* Implicit GEMM: rows of the image under the kernel, gathered block by block, times the weights. */
size_t plx__conv_lower_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads);
void plx__conv_lower(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace);
size_t plx__conv_lower_weights_workspace(const plx_ctx *ctx, const plx__conv_args *args,
                                         int threads);
void plx__conv_lower_weights(plx_ctx *ctx, const plx__conv_args *args, int threads,
                             void *workspace);

/* The reverse, for few output channels: a product gives what each pixel of the source adds to the
 * target, which is then added up. Stride 1 or transposed, one group. */
size_t plx__conv_scatter_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads);
void plx__conv_scatter(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace);

/* Depthwise: one input channel to one output channel. */
size_t plx__conv_depthwise_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads);
void plx__conv_depthwise(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace);
size_t plx__conv_depthwise_weights_workspace(const plx_ctx *ctx, const plx__conv_args *args,
                                             int threads);
void plx__conv_depthwise_weights(plx_ctx *ctx, const plx__conv_args *args, int threads,
                                 void *workspace);

/* Winograd's method: 3 x 3 with stride 1. */
double plx__conv_winograd_flops(const plx__conv_args *args);
size_t plx__conv_winograd_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads);
void plx__conv_winograd(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace);
/* Transformed weights that stay: their number of values, 0 where the transform is a small part of a
 * run, and the transform. */
int64_t plx__conv_winograd_packed_values(const plx_ctx *ctx, const plx__conv_args *args);
void plx__conv_winograd_pack(plx_ctx *ctx, const plx__conv_args *args, int threads, plx_real *to);
size_t plx__conv_winograd_weights_workspace(const plx_ctx *ctx, const plx__conv_args *args,
                                            int threads);
void plx__conv_winograd_weights(plx_ctx *ctx, const plx__conv_args *args, int threads,
                                void *workspace);

#endif
