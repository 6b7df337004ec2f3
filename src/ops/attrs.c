#include "ops/attrs.h"

#include <string.h>

#define WHOLE(field) "1" #field "\0"
#define WHOLES(field, count) #count #field "\0"
#define AXES(field) "a" #field "\0"
#define REAL(field) "r" #field "\0"
#define REALS4(field) "f" #field "\0"
#define FAMILY(name, fields) const char plx__##name##_fields[] = fields;
#include "ops/attrs.def"

_Static_assert(sizeof(double) == 8, "all values are eight bytes, so that counts tell places");

bool plx__attribute_at(const char *fields, int i, plx__attribute *out) {
    int place = 0;
    for (const char *f = fields; f && *f; f += strlen(f) + 1) {
        const int count = *f == 'r' ? 1 : *f == 'f' ? 4 : *f == 'a' ? PLX_MAX_RANK : *f - '0';
        if (i-- == 0) {
            *out = (plx__attribute){f + 1, *f == 'r' || *f == 'f', count, place};
            return true;
        }
        place += count;
    }
    return false;
}

bool plx__attribute_named(const char *fields, const char *name, size_t length,
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

double plx__attribute_value(const plx__attrs *attrs, const plx__attribute *attribute, int k) {
    const int64_t whole = plx__attribute_whole(attrs, attribute, k);
    double value;
    memcpy(&value, &whole, sizeof value);
    return attribute->real ? value : (double)whole;
}

void plx__attribute_set(plx__attrs *attrs, const plx__attribute *attribute, int k, double value) {
    const int64_t whole = attribute->real ? 0 : (int64_t)value;
    memcpy((char *)attrs + offset_of(attribute, k),
           attribute->real ? (const void *)&value : (const void *)&whole, sizeof value);
}

/* ---- Activations of fused products ----------------------------------------------------------- */

static bool find_activation(const char *fields, plx__attribute *activation, plx__attribute *alpha) {
    return plx__attribute_named(fields, "activation", strlen("activation"), activation) &&
           plx__attribute_named(fields, "alpha", strlen("alpha"), alpha);
}

plx_activation plx__attrs_activation(const char *fields, const plx__attrs *attrs) {
    plx__attribute activation, alpha;
    if (!find_activation(fields, &activation, &alpha)) return PLX_LINEAR;
    return (plx_activation)plx__attribute_whole(attrs, &activation, 0);
}

bool plx__attrs_activate(const char *fields, plx__attrs *attrs, plx_activation activation,
                         double alpha) {
    plx__attribute own, parameter;
    if (!find_activation(fields, &own, &parameter)) return false;
    plx__attribute_set(attrs, &own, 0, activation);
    plx__attribute_set(attrs, &parameter, 0, alpha);
    return true;
}
