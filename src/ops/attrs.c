#include "ops/attrs.h"

#include <string.h>

#define WHOLE(field) {#field, false, 1},
#define WHOLES(field, count) {#field, false, count},
#define REAL(field) {#field, true, 1},
#define FAMILY(name, fields) const plx__field plx__##name##_fields[] = {fields{NULL, false, 0}};
#include "ops/attrs.def"

_Static_assert(sizeof(double) == 8,
               "all values are eight bytes, so that places follow from counts");

bool plx__attribute_at(const plx__field *fields, int i, plx__attribute *out) {
    int place = 0;
    for (const plx__field *f = fields; f && f->name; place += f->count, ++f) {
        if (i-- > 0) continue;
        *out = (plx__attribute){f->name, f->real, f->count, place};
        return true;
    }
    return false;
}

bool plx__attribute_named(const plx__field *fields, const char *name, size_t length,
                          plx__attribute *out) {
    for (int i = 0; plx__attribute_at(fields, i, out); ++i)
        if (strlen(out->name) == length && !memcmp(out->name, name, length)) return true;
    return false;
}

static size_t offset_of(const plx__attribute *attribute, int k) {
    return 8 * (size_t)(attribute->place + k);
}

const void *plx__attribute_data(const plx__attrs *attrs, const plx__attribute *attribute) {
    return (const char *)attrs + offset_of(attribute, 0);
}

int64_t plx__attribute_whole(const plx__attrs *attrs, const plx__attribute *attribute, int k) {
    int64_t value;
    memcpy(&value, (const char *)attrs + offset_of(attribute, k), sizeof value);
    return value;
}

double plx__attribute_real(const plx__attrs *attrs, const plx__attribute *attribute, int k) {
    double value;
    memcpy(&value, (const char *)attrs + offset_of(attribute, k), sizeof value);
    return value;
}

double plx__attribute_value(const plx__attrs *attrs, const plx__attribute *attribute, int k) {
    return attribute->real ? plx__attribute_real(attrs, attribute, k)
                           : (double)plx__attribute_whole(attrs, attribute, k);
}

void plx__attribute_set(plx__attrs *attrs, const plx__attribute *attribute, int k, double value) {
    const int64_t whole = (int64_t)value;
    memcpy((char *)attrs + offset_of(attribute, k),
           attribute->real ? (const void *)&value : (const void *)&whole, sizeof value);
}

/* ---- Activations of fused products ----------------------------------------------------------- */

static bool find_activation(const plx__field *fields, plx__attribute *activation,
                            plx__attribute *alpha) {
    return plx__attribute_named(fields, "activation", strlen("activation"), activation) &&
           plx__attribute_named(fields, "alpha", strlen("alpha"), alpha);
}

plx_activation plx__attrs_activation(const plx__field *fields, const plx__attrs *attrs) {
    plx__attribute activation, alpha;
    if (!find_activation(fields, &activation, &alpha)) return PLX_LINEAR;
    return (plx_activation)plx__attribute_whole(attrs, &activation, 0);
}

bool plx__attrs_activate(const plx__field *fields, plx__attrs *attrs, plx_activation activation,
                         double alpha) {
    plx__attribute own, parameter;
    if (!find_activation(fields, &own, &parameter)) return false;
    plx__attribute_set(attrs, &own, 0, activation);
    plx__attribute_set(attrs, &parameter, 0, alpha);
    return true;
}
