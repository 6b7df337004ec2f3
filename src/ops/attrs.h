/* The attributes of a node: one struct for each family in attrs.def, also accessible by name. */
#ifndef PLX_OPS_ATTRS_H
#define PLX_OPS_ATTRS_H

#include "parallax.h"

#define WHOLE(field) int64_t field;
#define WHOLES(field, count) int64_t field[count];
#define AXES(field) int64_t field[PLX_MAX_RANK];
#define REAL(field) double field;
#define REALS4(field) double field[4];
#define FAMILY(name, fields)                                                                       \
    typedef struct plx__##name##_attrs {                                                           \
        fields                                                                                     \
    } plx__##name##_attrs;
#include "ops/attrs.def"

/* Each op names the family it uses in its row (plx_op.attrs) and reads no other. */
typedef struct plx__attrs {
    union {
#define FAMILY(name, fields) plx__##name##_attrs name;
#include "ops/attrs.def"
    };
    int rank; /* rank and dims: a target shape, for ops that need one */
    int64_t dims[PLX_MAX_RANK];
    plx_optimizer *object; /* the optimizer of an update */
} plx__attrs;

/* ---- By name --------------------------------------------------------------------------------- */

/* The table of each family, in the order of its struct. It is text to keep modules small. For each
 * attribute: the number of its values, 'r' for one real value, 'f' for four, or 'a' for one value
 * per axis; its name; and a zero byte. An empty attribute ends the table. */
#define FAMILY(name, fields) extern const char plx__##name##_fields[];
#include "ops/attrs.def"

/* An attribute found by lookup: count values of one kind. */
typedef struct plx__attribute {
    const char *name;
    bool real;
    int count;
    int place; /* of the first value, in units of eight bytes */
} plx__attribute;

/* Attribute number i of a family; false after the last. fields may be NULL: no attributes. */
bool plx__attribute_at(const char *fields, int i, plx__attribute *out);
/* The attribute called name (length characters); false where there is none. */
bool plx__attribute_named(const char *fields, const char *name, size_t length, plx__attribute *out);

/* The values themselves: count doubles or int64_t. */
const void *plx__attribute_data(const plx__attrs *attrs, const plx__attribute *attribute);
/* Value k of an attribute. As a double, whole values are exact up to 2^53. */
int64_t plx__attribute_whole(const plx__attrs *attrs, const plx__attribute *attribute, int k);
double plx__attribute_value(const plx__attrs *attrs, const plx__attribute *attribute, int k);
void plx__attribute_set(plx__attrs *attrs, const plx__attribute *attribute, int k, double value);

/* The activation that a fused product applies; PLX_LINEAR in families that have none. */
plx_activation plx__attrs_activation(const char *fields, const plx__attrs *attrs);
/* Sets the activation and its parameter; false in families that have none. */
bool plx__attrs_activate(const char *fields, plx__attrs *attrs, plx_activation activation,
                         double alpha);

#endif
