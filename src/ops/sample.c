/* Samples as text, which takes a twentieth of the bytes of structures in a module. */
#include "ops/op.h"

#include <string.h>

static void skip_spaces(const char **at) {
    while (**at == ' ') *at += 1;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Reads a decimal number without an exponent. */
static double read_number(const char **at) {
    skip_spaces(at);
    const bool negative = **at == '-';
    double value = 0, place = 1;
    *at += negative;
    for (; is_digit(**at); *at += 1) value = 10 * value + (**at - '0');
    if (**at == '.')
        for (*at += 1; is_digit(**at); *at += 1) value += (**at - '0') * (place /= 10);
    return negative ? -value : value;
}

/* Reads "3x4", or "." for a scalar. */
static int read_dims(const char **at, int64_t *dims) {
    int rank = 0;
    if (**at == '.') {
        *at += 1;
        return 0;
    }
    for (;; *at += 1) {
        dims[rank++] = (int64_t)read_number(at);
        if (**at != 'x' || rank == PLX_MAX_RANK) return rank;
    }
}

static void read_input(const char **at, plx__sample *sample) {
    const int k = sample->inputs_count++;
    sample->inputs[k].rank = read_dims(at, sample->inputs[k].dims);
    if (**at != '~') return;
    *at += 1;
    sample->inputs[k].low = read_number(at);
    *at += 1;
    sample->inputs[k].high = read_number(at);
}

static bool begins_number(const char *at) {
    return *at == '-' || is_digit(*at);
}

/* "stride 2 3 padding 1 >3x4": reads attributes by name, where a single value stands for all values
 * of an attribute, and a target shape. False for a name that the op lacks, or that has no value or
 * too many. */
static bool read_attrs(const char **at, const plx_op *op, plx__attrs *attrs) {
    for (skip_spaces(at); **at && **at != ';'; skip_spaces(at)) {
        if (**at == '>') {
            *at += 1;
            attrs->rank = read_dims(at, attrs->dims);
            continue;
        }
        const size_t length = strcspn(*at, " ;");
        plx__attribute attribute;
        if (!plx__attribute_named(op->attrs, *at, length, &attribute)) return false;
        *at += length;
        double value = 0;
        int count = 0;
        for (skip_spaces(at); begins_number(*at); ++count, skip_spaces(at)) {
            value = read_number(at);
            if (count < attribute.count) plx__attribute_set(attrs, &attribute, count, value);
        }
        if (!count || count > attribute.count) return false;
        for (int k = 1; count == 1 && k < attribute.count; ++k)
            plx__attribute_set(attrs, &attribute, k, value);
    }
    return true;
}

bool plx__sample_read(const plx_op *op, const char **text, plx__sample *out) {
    const char *at = *text;
    memset(out, 0, sizeof *out);
    skip_spaces(&at);
    if (!*at) return false;
    for (; *at && *at != ';' && *at != ':'; skip_spaces(&at)) read_input(&at, out);
    if (*at == ':') {
        at += 1;
        if (!read_attrs(&at, op, &out->attrs)) out->wrong = at;
        at += strcspn(at, ";");
    }
    *text = at + (*at == ';');
    return true;
}
