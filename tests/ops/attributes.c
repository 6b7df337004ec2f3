/* Attributes by name: the tables of all families, and the samples of all ops, which are written
 * with those names. */
#include "check.h"

#include "ops/op.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct family {
    const char *name, *fields;
    size_t bytes;
} family;

static const family families[] = {
#define FAMILY(name, fields) {#name, plx__##name##_fields, sizeof(plx__##name##_attrs)},
#include "ops/attrs.def"
};
enum { FAMILIES = sizeof families / sizeof families[0] };

static bool is_name(const char *text) {
    bool fit = islower((unsigned char)text[0]);
    for (; *text; ++text)
        fit &= islower((unsigned char)*text) || isdigit((unsigned char)*text) || *text == '_';
    return fit;
}

/* The values of a table are those of the struct, in order and without gaps. */
static void check_family(plx_check *t, const family *f) {
    plx__attribute a, same;
    int values = 0;
    for (int i = 0; plx__attribute_at(f->fields, i, &a); ++i) {
        CHECK(t, is_name(a.name), "%s: \"%s\" is not a valid name", f->name, a.name);
        CHECK(t, a.count > 0 && (size_t)(a.place + a.count) * 8 <= f->bytes,
              "%s: values %d to %d of %s are outside of %zu bytes", f->name, a.place,
              a.place + a.count, a.name, f->bytes);
        CHECK(t,
              plx__attribute_named(f->fields, a.name, strlen(a.name), &same) &&
                  same.place == a.place,
              "%s: %s occurs twice", f->name, a.name);
        values += a.count;
    }
    CHECK(t, (size_t)values * 8 == f->bytes, "%s: %d values in %zu bytes", f->name, values,
          f->bytes);
}

/* An attribute has the same value by name and by field. */
static void check_values(plx_check *t) {
    plx__attrs attrs = {
        .conv = {.padding = {1, 2, 3, 4}, .groups = 5, .alpha = 0.5, .target = {6, 7}}};
    plx__attribute a;
    const char *fields = plx__conv_fields;
    CHECK(t,
          plx__attribute_named(fields, "padding 9", 7, &a) &&
              plx__attribute_whole(&attrs, &a, 3) == 4,
          "padding");
    CHECK(t,
          plx__attribute_named(fields, "alpha", 5, &a) &&
              plx__attribute_value(&attrs, &a, 0) == 0.5,
          "alpha");
    CHECK(t,
          plx__attribute_named(fields, "target", 6, &a) && plx__attribute_value(&attrs, &a, 1) == 7,
          "target");
    plx__attribute_set(&attrs, &a, 1, -8);
    CHECK(t, attrs.conv.target[1] == -8 && attrs.conv.target[0] == 6,
          "target does not have the value that was set");
    CHECK(t,
          !plx__attribute_named(fields, "pad", 3, &a) &&
              !plx__attribute_named(NULL, "pad", 3, &a) && !plx__attribute_at(NULL, 0, &a),
          "found an attribute that does not exist");
    CHECK(t,
          plx__attrs_activate(fields, &attrs, PLX_ELU, 2) && attrs.conv.activation == PLX_ELU &&
              attrs.conv.alpha == 2 && plx__attrs_activation(fields, &attrs) == PLX_ELU,
          "conv: activation");
    CHECK(t,
          !plx__attrs_activate(plx__pool_fields, &attrs, PLX_RELU, 0) &&
              plx__attrs_activation(NULL, &attrs) == PLX_LINEAR,
          "pool: activation");
}

/* ---- Samples --------------------------------------------------------------------------------- */

/* Compares attributes as they are written in samples, such as ". : stride 2 2". */
static void write_attributes(const plx_op *op, const plx__attrs *attrs, char *text, size_t bytes) {
    plx__attribute a;
    size_t used = (size_t)snprintf(text, bytes, ". :");
    for (int i = 0; plx__attribute_at(op->attrs, i, &a); ++i) {
        used += (size_t)snprintf(text + used, bytes - used, " %s", a.name);
        for (int k = 0; k < a.count; ++k)
            used += (size_t)snprintf(text + used, bytes - used, " %.*f", a.real ? 9 : 0,
                                     plx__attribute_value(attrs, &a, k));
    }
}

static int check_samples(plx_check *t, const plx_op *op) {
    const char *at = op->samples;
    plx__sample sample, again;
    int count = 0;
    for (; at && plx__sample_read(op, &at, &sample); ++count) {
        char text[640];
        if (!CHECK(t, !sample.wrong,
                   "%s, sample %d: no such attribute, or not so many values: %.40s", op->name,
                   count, sample.wrong))
            continue;
        write_attributes(op, &sample.attrs, text, sizeof text);
        const char *from = text;
        CHECK(t, plx__sample_read(op, &from, &again) && !again.wrong && !*from,
              "%s, sample %d: %s is not parsed", op->name, count, text);
        again.attrs.rank = sample.attrs.rank;
        memcpy(again.attrs.dims, sample.attrs.dims, sizeof again.attrs.dims);
        CHECK(t, !memcmp(&sample.attrs, &again.attrs, sizeof sample.attrs),
              "%s, sample %d: %s has another value", op->name, count, text);
    }
    return count;
}

static void check_rows(plx_check *t) {
    int count, samples = 0;
    const plx_op *const *ops = plx__ops(&count);
    for (int i = 0; i < count; ++i) {
        bool known = !ops[i]->attrs;
        for (int k = 0; k < FAMILIES; ++k) known |= ops[i]->attrs == families[k].fields;
        CHECK(t, known, "%s: its attributes belong to no family", ops[i]->name);
        samples += check_samples(t, ops[i]);
    }
    CHECK(t, samples > 400, "%d samples", samples);
}

/* An error in the first of two samples is reported, and the second is still parsed. */
static void check_wrong(plx_check *t) {
    static const char *const texts[] = {
        "3x4 : strid 1 1; 5", "3x4 : stride 1 1 i 3; 5", "3x4 : stride; 5", "3x4 : stride 1 1 1; 5",
        "3x4 : 7; 5",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
        const char *at = texts[i];
        plx__sample sample;
        CHECK(t, plx__sample_read(&plx__op_conv2d, &at, &sample) && sample.wrong, "%s: passed",
              texts[i]);
        CHECK(t,
              plx__sample_read(&plx__op_conv2d, &at, &sample) && !sample.wrong &&
                  sample.inputs[0].dims[0] == 5,
              "%s: the second", texts[i]);
    }
}

void plx_test_ops_attributes(plx_check *t) {
    for (int i = 0; i < FAMILIES; ++i) check_family(t, &families[i]);
    check_values(t);
    check_rows(t);
    check_wrong(t);
}
