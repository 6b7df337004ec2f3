/* Resize and Upsample: what they say, as plx_resize takes it. */
#include "onnx/importer.h"

#include <string.h>

/* By the numbers of plx_resizing, plx_coordinates and plx_rounding. */
static const char *const methods[] = {"nearest", "linear", "cubic"};
static const char *const coordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                          "asymmetric", "half_pixel_symmetric"};
static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

static bool choose(const plx__onnx_call *c, const char *attribute, const char *otherwise, int count,
                   const char *const *names, int *out) {
    const char *text = plx__onnx_text(c, attribute, otherwise);
    for (int i = 0; i < count; ++i) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = i;
        return true;
    }
    return plx__onnx_refuse(c, "%s \"%.64s\" is not available", attribute, text);
}

static double floor_of(double x) {
    const double cut = (double)(int64_t)x;
    return cut > x ? cut - 1 : cut;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

typedef struct axis_sizes {
    int64_t out[PLX_MAX_RANK];
    double scales[PLX_MAX_RANK];
} axis_sizes;

/* An input with elements; an empty one is left out. */
static plx__onnx_value *given(const plx__onnx_call *c, int i) {
    plx__onnx_value *v = plx__onnx_in(c, i);
    return v && v->size ? v : NULL;
}

static bool read_scale(const plx__onnx_call *c, int axis, double scale, axis_sizes *sizes) {
    const double out = floor_of((double)c->inputs[0]->dims[axis] * scale);
    if (!(scale > 0) || !(out >= 1) || out > 0x1p31)
        return plx__onnx_wrong(c, "it scales axis %d by %g", axis, scale);
    sizes->scales[axis] = scale;
    sizes->out[axis] = (int64_t)out;
    return true;
}

static bool read_scales(const plx__onnx_call *c, int input, int count, const int64_t *axes,
                        axis_sizes *sizes) {
    const plx_onnx_attribute *a = plx__onnx_attribute(c, "scales");
    const plx__onnx_value *v = a ? NULL : plx__onnx_known(c, input, "scales");
    if (!a && !v) return false;
    if ((a ? a->count : v->size) != count || (a && a->kind != PLX_ONNX_REALS))
        return plx__onnx_wrong(c, "it needs %d scales", count);
    for (int i = 0; i < count; ++i)
        if (!read_scale(c, (int)axes[i], a ? (double)a->reals[i] : plx__onnx_get_real(v, i), sizes))
            return false;
    return true;
}

static bool read_sizes(const plx__onnx_call *c, int count, const int64_t *axes, axis_sizes *sizes) {
    const plx__onnx_value *x = c->inputs[0];
    const char *policy = plx__onnx_text(c, "keep_aspect_ratio_policy", "stretch");
    const bool larger = !strcmp(policy, "not_smaller");
    int64_t wanted[PLX_MAX_RANK];
    int given_count = 0;
    double common = 0;
    if (!plx__onnx_list(c, NULL, 3, PLX_MAX_RANK, wanted, &given_count)) return false;
    if (given_count != count) return plx__onnx_wrong(c, "it needs %d sizes", count);
    for (int i = 0; i < count; ++i) {
        const int64_t in = x->dims[axes[i]];
        if (wanted[i] < 1 || wanted[i] > INT32_MAX || !in)
            return plx__onnx_wrong(c, "size %d is %lld", i, (long long)wanted[i]);
        const double scale = (double)wanted[i] / (double)in;
        if (!i || (larger ? scale > common : scale < common)) common = scale;
        sizes->scales[axes[i]] = scale;
        sizes->out[axes[i]] = wanted[i];
    }
    if (!strcmp(policy, "stretch")) return true;
    for (int i = 0; i < count; ++i) {
        sizes->scales[axes[i]] = common;
        sizes->out[axes[i]] = (int64_t)floor_of(common * (double)x->dims[axes[i]] + 0.5);
    }
    return true;
}

/* scales is input 1 of Upsample and of Resize 10, and input 2 of later ones, behind roi. */
static bool read_all(plx__onnx_call *c, axis_sizes *sizes) {
    const plx__onnx_value *x = c->inputs[0];
    int64_t axes[PLX_MAX_RANK];
    int count = 0;
    if (!plx__onnx_list(c, "axes", PLX__ONNX_ANY, PLX_MAX_RANK, axes, &count)) return false;
    for (int i = 0; i < x->rank; ++i) {
        sizes->out[i] = x->dims[i];
        sizes->scales[i] = 1;
        if (count < 0) axes[i] = i;
    }
    for (int i = 0; i < count; ++i) {
        const int axis = plx__onnx_axis(c, axes[i], x->rank);
        if (axis < 0) return false;
        axes[i] = axis;
    }
    if (count < 0) count = x->rank;
    if (c->version >= 11 && given(c, 3)) return read_sizes(c, count, axes, sizes);
    return read_scales(c, c->version >= 11 ? 2 : 1, count, axes, sizes);
}

/* ---- The operators --------------------------------------------------------------------------- */

static bool read_options(const plx__onnx_call *c, plx_resize_options *o) {
    int method = PLX_RESIZE_NEAREST, where = PLX_ASYMMETRIC, rounding = PLX_FLOOR;
    /* What Upsample called bilinear, too. */
    if (!strcmp(plx__onnx_text(c, "mode", "nearest"), "bilinear"))
        method = PLX_RESIZE_LINEAR;
    else if (!choose(c, "mode", "nearest", 3, methods, &method))
        return false;
    if (c->version >= 11 &&
        (!choose(c, "coordinate_transformation_mode", "half_pixel", 5, coordinates, &where) ||
         !choose(c, "nearest_mode", "round_prefer_floor", 4, roundings, &rounding)))
        return false;
    *o = (plx_resize_options){.method = (plx_resizing)method,
                              .coordinates = (plx_coordinates)where,
                              .rounding = (plx_rounding)rounding,
                              .cubic = plx__onnx_real(c, "cubic_coeff_a", -0.75),
                              .exclude_outside = plx__onnx_int(c, "exclude_outside", 0) != 0,
                              .antialias = plx__onnx_int(c, "antialias", 0) != 0};
    return true;
}

/* Images by whole factors, where pixel i of the result is pixel i / factor. */
static bool repeats_pixels(const plx__onnx_call *c, const plx_resize_options *o,
                           const axis_sizes *sizes, int64_t *factors) {
    const plx__onnx_value *x = c->inputs[0];
    if (x->rank != 4 || x->type != PLX_ONNX_FLOAT || o->method != PLX_RESIZE_NEAREST ||
        o->coordinates != PLX_ASYMMETRIC || o->rounding != PLX_FLOOR || sizes->scales[0] != 1 ||
        sizes->scales[1] != 1)
        return false;
    for (int i = 0; i < 2; ++i) {
        factors[i] = (int64_t)sizes->scales[2 + i];
        if ((double)factors[i] != sizes->scales[2 + i]) return false;
    }
    return true;
}

bool plx__onnx_build_resize(plx__onnx_call *c) {
    plx__onnx_value *x = c->inputs[0];
    axis_sizes sizes = {.out = {0}}, own;
    plx_resize_options options;
    int64_t factors[2];
    if (!read_options(c, &options)) return false;
    if (x->type != PLX_ONNX_FLOAT && options.method != PLX_RESIZE_NEAREST)
        return plx__onnx_refuse(c, "it is available for float32, not %s",
                                plx_onnx_type_name(x->type));
    if (!read_all(c, &sizes)) return false;
    if (repeats_pixels(c, &options, &sizes, factors)) {
        const plx_node image = plx__onnx_last(c, x);
        return plx__onnx_give_last(
            c, 0, plx_upsample2d(c->graph, image, factors[0], factors[1], PLX_NEAREST), x->type);
    }
    const bool last = x->rank >= 3 && plx__onnx_is_last(x);
    for (int i = 0; i < x->rank; ++i) {
        const int at = last ? plx__onnx_last_axis(i, x->rank) : i;
        own.out[at] = sizes.out[i];
        own.scales[at] = sizes.scales[i];
    }
    const plx_node node = last ? plx__onnx_last(c, x) : plx__onnx_plain(c, x);
    const plx_node result = plx_resize(c->graph, node, own.out, own.scales, &options);
    return last ? plx__onnx_give_last(c, 0, result, x->type)
                : plx__onnx_give(c, 0, result, x->type);
}
