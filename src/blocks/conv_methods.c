/* The choice of a method for a convolution, and the geometry that the methods share. */
#include "blocks/conv.h"

#include "blocks/conv_methods.h"
#include "blocks/gemm.h"

#include <string.h>

/* ---- Geometry -------------------------------------------------------------------------------- */

int64_t plx__conv_channels(const plx__conv_args *args) {
    return args->kind == PLX__CONV_TRANSPOSE ? args->out : args->in;
}

int64_t plx__conv_targets(const plx__conv_args *args) {
    return args->kind == PLX__CONV_TRANSPOSE ? args->in : args->out;
}

int64_t plx__conv_phases(const plx__conv_args *args, int axis) {
    if (args->kind != PLX__CONV_TRANSPOSE) return 1;
    return plx__least(args->stride[axis], args->image[axis]);
}

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Row i of the image receives from row (i + before - k dilation) / stride of the result through row
 * k of the kernel, where that is a whole number: for the rows of a phase, through every
 * (stride / gcd)-th k. */
static plx__conv_axis transposed_axis(const plx__conv_args *args, int axis, int64_t phase) {
    const int64_t stride = args->stride[axis], dilation = args->dilation[axis];
    const int64_t kernel = args->kernel[axis], divisor = common_divisor(stride, dilation);
    const int64_t kernel_step = stride / divisor, shift = phase + args->before[axis];
    plx__conv_axis a = {.source = args->result[axis],
                        .target = args->image[axis],
                        .count = (args->image[axis] - phase + stride - 1) / stride,
                        .first_target = phase,
                        .target_step = stride,
                        .stride = 1,
                        .source_step = dilation / divisor,
                        .kernel_step = -kernel_step};
    int64_t first = 0;
    while (first < kernel && first < kernel_step && (shift - first * dilation) % stride) ++first;
    if (first >= kernel || first >= kernel_step) return a;
    a.taps = (kernel - 1 - first) / kernel_step + 1;
    a.first_kernel = first + (a.taps - 1) * kernel_step;
    a.first_source = (shift - a.first_kernel * dilation) / stride;
    return a;
}

plx__conv_axis plx__conv_phase(const plx__conv_args *args, int axis, int64_t phase) {
    if (args->kind == PLX__CONV_TRANSPOSE) return transposed_axis(args, axis, phase);
    return (plx__conv_axis){.source = args->image[axis],
                            .target = args->result[axis],
                            .count = args->result[axis],
                            .target_step = 1,
                            .stride = args->stride[axis],
                            .taps = args->kernel[axis],
                            .first_source = -args->before[axis],
                            .source_step = args->dilation[axis],
                            .kernel_step = 1};
}

/* ---- Sums in parts: threads can share a long sum only if its parts are fixed ----------------- */

int64_t plx__conv_parts(int64_t terms, int64_t values) {
    enum { TERMS = 4096, MOST = 16, VALUES = 1 << 20 };
    const int64_t by_terms = plx__least(terms / TERMS, MOST);
    const int64_t parts = plx__least(by_terms, VALUES / (values > 0 ? values : 1));
    return parts > 1 ? parts : 1;
}

typedef struct parts_job {
    const plx_kernels *k;
    int64_t parts, values;
    const plx_real *from;
    plx_real *to;
} parts_job;

static void add_values(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const parts_job *job = arg;
    plx_real *to = job->to + begin;
    memcpy(to, job->from + begin, (size_t)(end - begin) * sizeof *to);
    for (int64_t part = 1; part < job->parts; ++part)
        job->k->add(end - begin, to, 1, job->from + part * job->values + begin, 1, to);
}

void plx__conv_add_parts(plx_ctx *ctx, int64_t parts, int64_t values, const plx_real *from,
                         plx_real *to, int threads) {
    enum { PIECE = 4096 };
    parts_job job = {ctx->kernels, parts, values, from, to};
    plx__parallel_for(ctx->pool, threads, values, PIECE, add_values, &job);
}

/* ---- 1 x 1: pixels are used in place as the rows of a matrix --------------------------------- */

static plx__gemm_args product_args(const plx__conv_args *args) {
    const int64_t pixels = args->n * args->image[0] * args->image[1];
    const bool weights = plx__conv_is_of_weights(args);
    return (plx__gemm_args){
        .m = weights ? args->in : pixels,
        .n = args->kind == PLX__CONV_TRANSPOSE ? args->in : args->out,
        .k = weights ? pixels : plx__conv_channels(args),
        .ta = weights,
        .tb = args->kind == PLX__CONV_TRANSPOSE,
        .alpha = 1,
        .a = args->a,
        .b = args->b,
        .packed_b = args->packed_b,
        .bias = args->bias,
        .c = args->c,
        .lda = plx__conv_channels(args),
        .ldb = args->out,
        .ldc = plx__conv_targets(args),
        .act = args->act,
        .act_param = args->act_param,
    };
}

static size_t product_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    const plx__gemm_args product = product_args(args);
    return plx__gemm_workspace(ctx, &product, threads);
}

static void run_product(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace) {
    const plx__gemm_args product = product_args(args);
    plx__gemm_run(ctx, &product, threads, workspace);
}

/* ---- The choice ------------------------------------------------------------------------------ */

typedef struct method {
    const char *name; /* NULL: that of its product */
    size_t (*workspace)(const plx_ctx *ctx, const plx__conv_args *args, int threads);
    void (*run)(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace);
} method;

static bool is_both(const int64_t *pair, int64_t value) {
    return pair[0] == value && pair[1] == value;
}

static bool is_product(const plx__conv_args *args) {
    return is_both(args->kernel, 1) && is_both(args->stride, 1) && is_both(args->before, 0) &&
           args->image[0] == args->result[0] && args->image[1] == args->result[1] &&
           args->groups == 1;
}

/* With few channels the products are too thin; with few tiles the transform of the weights does not
 * pay off. */
static bool is_for_winograd(const plx__conv_args *args) {
    enum { CHANNELS = 8, PIXELS = 64 };
    return is_both(args->kernel, 3) && is_both(args->stride, 1) && is_both(args->dilation, 1) &&
           args->groups == 1 && args->in >= CHANNELS && args->out >= CHANNELS &&
           args->result[0] > 2 && args->result[1] > 2 &&
           args->n * args->result[0] * args->result[1] >= PIXELS;
}

/* A product for each pixel of the target would leave most lanes empty. Taps are added one after
 * another, so there must be few. */
static bool is_for_scatter(const plx__conv_args *args) {
    enum { TARGETS = 8, CHANNELS = 8, TAPS = 128 };
    return !plx__conv_is_of_weights(args) && args->groups == 1 &&
           args->kernel[0] * args->kernel[1] <= TAPS &&
           (args->kind == PLX__CONV_TRANSPOSE || is_both(args->stride, 1)) &&
           plx__conv_targets(args) <= TARGETS && plx__conv_channels(args) >= CHANNELS;
}

static method choose(const plx__conv_args *args) {
    const bool weights = plx__conv_is_of_weights(args);
    if (is_product(args)) return (method){NULL, product_workspace, run_product};
    if (args->groups > 1 && args->groups == args->in && args->in == args->out)
        return weights ? (method){"depthwise", plx__conv_depthwise_weights_workspace,
                                  plx__conv_depthwise_weights}
                       : (method){"depthwise", plx__conv_depthwise_workspace, plx__conv_depthwise};
    if (is_for_winograd(args))
        return weights ? (method){"winograd", plx__conv_winograd_weights_workspace,
                                  plx__conv_winograd_weights}
                       : (method){"winograd", plx__conv_winograd_workspace, plx__conv_winograd};
    if (is_for_scatter(args))
        return (method){"scatter", plx__conv_scatter_workspace, plx__conv_scatter};
    return weights ? (method){"lowered", plx__conv_lower_weights_workspace, plx__conv_lower_weights}
                   : (method){"lowered", plx__conv_lower_workspace, plx__conv_lower};
}

double plx__conv_direct_flops(const plx__conv_args *args) {
    const int64_t in_of_group = args->in / args->groups;
    return 2.0 * (double)args->n * (double)args->result[0] * (double)args->result[1] *
           (double)args->out * (double)args->kernel[0] * (double)args->kernel[1] *
           (double)in_of_group;
}

double plx__conv_flops(const plx__conv_args *args) {
    const bool winograd = !is_product(args) && args->groups == 1 && is_for_winograd(args);
    return winograd ? plx__conv_winograd_flops(args) : plx__conv_direct_flops(args);
}

static bool is_empty(const plx__conv_args *args) {
    const int64_t *size = args->kind == PLX__CONV_TRANSPOSE ? args->image : args->result;
    if (plx__conv_is_of_weights(args)) return args->in == 0 || args->out == 0;
    return args->n == 0 || size[0] == 0 || size[1] == 0 || plx__conv_targets(args) == 0;
}

/* ---- Weights that stay packed ---------------------------------------------------------------- */

/* The product whose right operand the weights are; m is 0 for other methods. Rows under the kernel
 * are those of a lowered convolution; with many of them packing takes a small part of the run. */
static plx__gemm_args product_of(const plx__conv_args *args) {
    enum { ROWS = 1024 };
    const int64_t rows = args->n * args->result[0] * args->result[1];
    if (is_product(args)) return product_args(args);
    if (args->kind != PLX__CONV_FORWARD || args->groups > 1 || rows > ROWS ||
        choose(args).run != plx__conv_lower)
        return (plx__gemm_args){.m = 0};
    return (plx__gemm_args){.m = rows,
                            .n = args->out,
                            .k = args->kernel[0] * args->kernel[1] * args->in,
                            .b = args->b,
                            .ldb = args->out};
}

int64_t plx__conv_packed_values(const plx_ctx *ctx, const plx__conv_args *args,
                                plx__layout *layout) {
    if (is_empty(args)) return 0;
    if (choose(args).run == plx__conv_winograd) {
        *layout = PLX__PLANES;
        return plx__conv_winograd_packed_values(ctx, args);
    }
    const plx__gemm_args product = product_of(args);
    *layout = product.tb ? PLX__PANELS_TRANSPOSED : PLX__PANELS;
    return plx__gemm_keeps_packed(ctx, &product) ? plx__gemm_packed_values(ctx, &product) : 0;
}

void plx__conv_pack(plx_ctx *ctx, const plx__conv_args *args, int threads, plx_real *to) {
    if (choose(args).run == plx__conv_winograd) {
        plx__conv_winograd_pack(ctx, args, threads, to);
        return;
    }
    const plx__gemm_args product = product_of(args);
    plx__gemm_pack(ctx, &product, threads, to);
}

/* ---- Runs ------------------------------------------------------------------------------------ */

size_t plx__conv_workspace(const plx_ctx *ctx, const plx__conv_args *args, int threads) {
    return is_empty(args) ? 0 : choose(args).workspace(ctx, args, threads);
}

void plx__conv_run(plx_ctx *ctx, const plx__conv_args *args, int threads, void *workspace) {
    if (is_empty(args)) return;
    const method chosen = choose(args);
    ctx->method = chosen.name;
    chosen.run(ctx, args, threads, workspace);
}
