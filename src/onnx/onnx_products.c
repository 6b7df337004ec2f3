/* Products, convolutions and pools. Images have their channels at the end. */
#include "onnx/importer.h"

#include <string.h>

static bool check_real(const plx__onnx_call *c) {
    for (int i = 0; i < c->inputs_count; ++i)
        if (c->inputs[i] && c->inputs[i]->type != PLX_ONNX_FLOAT)
            return plx__onnx_refuse(c, "it is available for float32, not %s",
                                    plx_onnx_type_name(c->inputs[i]->type));
    return true;
}

/* ---- Matrices -------------------------------------------------------------------------------- */

bool plx__onnx_build_matmul(plx__onnx_call *c) {
    plx__onnx_value *a = c->inputs[0], *b = c->inputs[1];
    const int64_t *found = NULL;
    int64_t dims[PLX_MAX_RANK];
    int rank = 0;
    if (!check_real(c)) return false;
    if (!a->rank || !b->rank) return plx__onnx_wrong(c, "an operand has no axes");
    plx_node x = plx__onnx_plain(c, a), y = plx__onnx_plain(c, b);
    if (a->rank == 1) x = plx_reshape(c->graph, x, 2, (int64_t[]){1, a->dims[0]});
    if (b->rank == 1) y = plx_reshape(c->graph, y, 2, (int64_t[]){b->dims[0], 1});
    plx_node node = plx_matmul(c->graph, x, y, false, false);
    /* Axes that were added go again. */
    const int full = plx_node_shape(c->graph, node, &found);
    for (int i = 0; i < full; ++i)
        if (!(i == full - 2 && a->rank == 1) && !(i == full - 1 && b->rank == 1))
            dims[rank++] = found[i];
    if (rank < full) node = plx_reshape(c->graph, node, rank, dims);
    return plx__onnx_give(c, 0, node, PLX_ONNX_FLOAT);
}

static plx_node scaled(const plx__onnx_call *c, plx_node x, double factor) {
    return factor == 1 ? x : plx_mul(c->graph, x, plx_constant(c->graph, factor));
}

bool plx__onnx_build_gemm(plx__onnx_call *c) {
    static const int swapped[] = {1, 0};
    plx__onnx_value *a = c->inputs[0], *b = c->inputs[1], *more = plx__onnx_in(c, 2);
    const double alpha = plx__onnx_real(c, "alpha", 1), beta = plx__onnx_real(c, "beta", 1);
    if (!check_real(c)) return false;
    if (a->rank != 2 || b->rank != 2)
        return plx__onnx_wrong(c, "its operands have ranks %d and %d; both must be 2", a->rank,
                               b->rank);
    const plx_node x =
        plx__onnx_int(c, "transA", 0) ? plx__onnx_weight(c, a, swapped) : plx__onnx_plain(c, a);
    const plx_node y =
        plx__onnx_int(c, "transB", 0) ? plx__onnx_weight(c, b, swapped) : plx__onnx_plain(c, b);
    plx_node node = scaled(c, plx_matmul(c->graph, x, y, false, false), alpha);
    if (more && beta != 0) {
        const int64_t *dims = NULL;
        const plx_node z = scaled(c, plx__onnx_plain(c, more), beta);
        const bool bias = plx_node_shape(c->graph, node, &dims) == 2 && more->rank == 1 &&
                          more->dims[0] == dims[1];
        node = bias ? plx_bias(c->graph, node, z) : plx_add(c->graph, node, z);
    }
    return plx__onnx_give(c, 0, node, PLX_ONNX_FLOAT);
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* What convolutions and pools have in common. Sequences are images of one row. */
typedef struct window {
    int64_t size[2], stride[2], dilation[2];
    int64_t padding[4]; /* top, bottom, left, right */
} window;

/* Two numbers, of which sequences give only the second. */
static bool read_pair(const plx__onnx_call *c, const char *name, int axes, int64_t *pair) {
    int64_t values[2];
    int count = 0;
    if (!plx__onnx_list(c, name, PLX__ONNX_ANY, 2, values, &count)) return false;
    if (count < 0) return true;
    if (count != axes)
        return plx__onnx_wrong(c, "%s has %d numbers for %d axes", name, count, axes);
    for (int i = 0; i < axes; ++i) {
        if (values[i] < 1 || values[i] > INT32_MAX)
            return plx__onnx_wrong(c, "%s is %lld; it must be 1 or more", name,
                                   (long long)values[i]);
        pair[i + 2 - axes] = values[i];
    }
    return true;
}

/* Padding so that there are ceil(size / stride) results; an odd one goes to the end, or to the
 * start. */
static void pad_same(window *w, int i, int64_t size, bool lower) {
    const int64_t results = (size + w->stride[i] - 1) / w->stride[i];
    const int64_t needed = (results - 1) * w->stride[i] + w->dilation[i] * (w->size[i] - 1) + 1;
    const int64_t all = needed > size ? needed - size : 0;
    w->padding[2 * i] = lower ? all - all / 2 : all / 2;
    w->padding[2 * i + 1] = all - w->padding[2 * i];
}

static bool read_pads(const plx__onnx_call *c, int axes, window *w) {
    int64_t pads[4];
    int count = 0;
    if (!plx__onnx_list(c, "pads", PLX__ONNX_ANY, 4, pads, &count)) return false;
    if (count >= 0 && count != 2 * axes)
        return plx__onnx_wrong(c, "pads has %d numbers for %d axes", count, axes);
    for (int i = 0; i < axes && count >= 0; ++i)
        for (int end = 0; end < 2; ++end) {
            if (pads[i + end * axes] < 0 || pads[i + end * axes] > INT32_MAX)
                return plx__onnx_refuse(c, "padding below 0 is not available");
            w->padding[2 * (i + 2 - axes) + end] = pads[i + end * axes];
        }
    return true;
}

/* kernel: the sizes of the weights; NULL: those of the attribute. */
static bool read_window(const plx__onnx_call *c, const plx__onnx_value *x, const int64_t *kernel,
                        window *w) {
    const int axes = x->rank - 2;
    const char *automatic = plx__onnx_text(c, "auto_pad", "NOTSET");
    int64_t stated[2] = {0, 0};
    *w = (window){.size = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    if (axes < 1 || axes > 2)
        return plx__onnx_refuse(c,
                                "its input has rank %d; images (4) and sequences (3) are "
                                "available",
                                x->rank);
    for (int i = 0; i < axes && kernel; ++i) w->size[i + 2 - axes] = kernel[i];
    memcpy(stated, w->size, sizeof stated);
    if (!read_pair(c, "kernel_shape", axes, stated) || !read_pair(c, "strides", axes, w->stride) ||
        !read_pair(c, "dilations", axes, w->dilation) || !read_pads(c, axes, w))
        return false;
    if (!kernel && !plx__onnx_attribute(c, "kernel_shape"))
        return plx__onnx_wrong(c, "it has no kernel_shape");
    if (kernel && memcmp(stated, w->size, sizeof stated) != 0)
        return plx__onnx_wrong(c, "kernel_shape is not the shape of its weights");
    memcpy(w->size, stated, sizeof stated);
    if (!strcmp(automatic, "NOTSET")) return true;
    memset(w->padding, 0, sizeof w->padding);
    const bool lower = !strcmp(automatic, "SAME_LOWER");
    if (!lower && strcmp(automatic, "SAME_UPPER") != 0)
        return !strcmp(automatic, "VALID") ||
               plx__onnx_wrong(c, "auto_pad is \"%.64s\"", automatic);
    for (int i = 0; i < axes; ++i) {
        if (x->dims[2 + i] > INT32_MAX) return plx__onnx_refuse(c, "its input is too large");
        pad_same(w, i + 2 - axes, x->dims[2 + i], lower);
    }
    return true;
}

/* A sequence [n, length, channels] as an image of one row. */
static plx_node as_image(const plx__onnx_call *c, plx_node node) {
    const int64_t *d = NULL;
    if (plx_node_shape(c->graph, node, &d) != 3) return node;
    return plx_reshape(c->graph, node, 4, (int64_t[]){d[0], 1, d[1], d[2]});
}

static bool give_image(plx__onnx_call *c, plx_node node, int rank) {
    const int64_t *d = NULL;
    if (rank == 3 && plx_node_shape(c->graph, node, &d) == 4)
        node = plx_reshape(c->graph, node, 3, (int64_t[]){d[0], d[2], d[3]});
    return plx__onnx_give_last(c, 0, node, PLX_ONNX_FLOAT);
}

/* ---- Convolution ----------------------------------------------------------------------------- */

/* [out, in, rows, columns] as [rows, columns, in, out]; [out, in, length] as [1, length, in, out].
 */
static plx_node kernel_of(const plx__onnx_call *c, plx__onnx_value *w) {
    static const int image[] = {2, 3, 1, 0}, sequence[] = {2, 1, 0};
    if (w->rank == 4) return plx__onnx_weight(c, w, image);
    const plx_node node = plx__onnx_weight(c, w, sequence);
    const int64_t dims[] = {1, w->dims[2], w->dims[1], w->dims[0]};
    return plx_reshape(c->graph, node, 4, dims);
}

static bool read_conv(const plx__onnx_call *c, plx_conv2d_options *options) {
    const plx__onnx_value *x = c->inputs[0], *weights = c->inputs[1];
    window w;
    if (!check_real(c)) return false;
    if (weights->rank != x->rank)
        return plx__onnx_wrong(c, "its weights have rank %d, but its input %d", weights->rank,
                               x->rank);
    if (!read_window(c, x, weights->dims + 2, &w)) return false;
    *options = plx_conv2d_default();
    memcpy(options->stride, w.stride, sizeof w.stride);
    memcpy(options->dilation, w.dilation, sizeof w.dilation);
    memcpy(options->padding, w.padding, sizeof w.padding);
    options->groups = plx__onnx_int(c, "group", 1);
    return true;
}

static plx_node bias_of(const plx__onnx_call *c) {
    plx__onnx_value *bias = plx__onnx_in(c, 2);
    return bias ? plx__onnx_plain(c, bias) : plx_none();
}

bool plx__onnx_build_conv(plx__onnx_call *c) {
    plx_conv2d_options options;
    if (!read_conv(c, &options)) return false;
    const plx_node x = as_image(c, plx__onnx_last(c, c->inputs[0]));
    const plx_node node = plx_conv2d(c->graph, x, kernel_of(c, c->inputs[1]), bias_of(c), &options);
    return give_image(c, node, c->inputs[0]->rank);
}

/* Padding from the size that the result should have. */
static bool fit_output(const plx__onnx_call *c, const plx__onnx_value *x, const int64_t *kernel,
                       plx_conv2d_options *o, const int64_t *extra) {
    const int axes = x->rank - 2;
    const char *automatic = plx__onnx_text(c, "auto_pad", "NOTSET");
    const bool same = !strncmp(automatic, "SAME", 4), lower = !strcmp(automatic, "SAME_LOWER");
    int64_t shape[2];
    int count = 0;
    if (!plx__onnx_list(c, "output_shape", PLX__ONNX_ANY, 2, shape, &count)) return false;
    if (count < 0 && !same) return true;
    if (count >= 0 && count != axes)
        return plx__onnx_wrong(c, "output_shape has %d numbers for %d axes", count, axes);
    for (int i = 0; i < axes; ++i) {
        const int at = i + 2 - axes;
        const int64_t size = x->dims[2 + i];
        const int64_t wanted = count >= 0 ? shape[i] : size * o->stride[at];
        const int64_t all =
            (size - 1) * o->stride[at] + extra[at] + o->dilation[at] * (kernel[i] - 1) + 1 - wanted;
        if (all < 0)
            return plx__onnx_refuse(c, "an output that is larger than the sum of its windows is "
                                       "not available");
        /* Unless it is SAME_UPPER, the larger half is at the start. */
        const bool upper = same && !lower;
        o->padding[2 * at] = upper ? all / 2 : all - all / 2;
        o->padding[2 * at + 1] = all - o->padding[2 * at];
    }
    return true;
}

bool plx__onnx_build_conv_transpose(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    plx_conv2d_options options;
    int64_t extra[2] = {0, 0}, more[2];
    int count = 0;
    if (!read_conv(c, &options) ||
        !plx__onnx_list(c, "output_padding", PLX__ONNX_ANY, 2, more, &count))
        return false;
    if (count >= 0 && count != x->rank - 2)
        return plx__onnx_wrong(c, "output_padding has %d numbers for %d axes", count, x->rank - 2);
    for (int i = 0; i < count; ++i) extra[i + 2 - count] = more[i];
    if (!fit_output(c, x, c->inputs[1]->dims + 2, &options, extra)) return false;
    const plx_node image = as_image(c, plx__onnx_last(c, x));
    const plx_node node = plx_conv2d_transpose(c->graph, image, kernel_of(c, c->inputs[1]),
                                               bias_of(c), &options, extra);
    return give_image(c, node, x->rank);
}

/* ---- Pools ----------------------------------------------------------------------------------- */

static bool pool(plx__onnx_call *c, bool max) {
    plx__onnx_value *x = c->inputs[0];
    window w;
    if (!check_real(c) || !read_window(c, x, NULL, &w)) return false;
    plx_pool2d_options o = {.ceil = plx__onnx_int(c, "ceil_mode", 0) != 0,
                            .count_padding = plx__onnx_int(c, "count_include_pad", 0) != 0};
    memcpy(o.size, w.size, sizeof w.size);
    memcpy(o.stride, w.stride, sizeof w.stride);
    memcpy(o.dilation, w.dilation, sizeof w.dilation);
    memcpy(o.padding, w.padding, sizeof w.padding);
    const plx_node image = as_image(c, plx__onnx_last(c, x));
    return give_image(
        c, max ? plx_max_pool2d(c->graph, image, &o) : plx_avg_pool2d(c->graph, image, &o),
        x->rank);
}

bool plx__onnx_build_max_pool(plx__onnx_call *c) {
    return pool(c, true);
}

bool plx__onnx_build_average_pool(plx__onnx_call *c) {
    return pool(c, false);
}

/* Over all positions: [n, positions, channels] loses its second axis. */
static bool global_pool(plx__onnx_call *c, bool max) {
    plx__onnx_value *x = c->inputs[0];
    int64_t dims[PLX_MAX_RANK], positions = 1;
    if (!check_real(c)) return false;
    if (x->rank < 3) return plx__onnx_wrong(c, "its input has rank %d", x->rank);
    for (int i = 2; i < x->rank; ++i) positions *= x->dims[i];
    for (int i = 0; i < x->rank; ++i)
        dims[plx__onnx_last_axis(i, x->rank)] = i < 2 ? x->dims[i] : 1;
    const int64_t flat[] = {x->dims[0], positions, x->dims[1]};
    const plx_node node = plx_reshape(c->graph, plx__onnx_last(c, x), 3, flat);
    const plx_node one =
        max ? plx_reduce_max(c->graph, node, 1) : plx_reduce_mean(c->graph, node, 1);
    return plx__onnx_give_last(c, 0, plx_reshape(c->graph, one, x->rank, dims), PLX_ONNX_FLOAT);
}

bool plx__onnx_build_global_max_pool(plx__onnx_call *c) {
    return global_pool(c, true);
}

bool plx__onnx_build_global_average_pool(plx__onnx_call *c) {
    return global_pool(c, false);
}
