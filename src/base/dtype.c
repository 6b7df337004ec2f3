#include "base/dtype.h"

#include <string.h>

size_t plx__element_bytes(plx_dtype dtype) {
#define BYTES(name, value, type, text) [value] = sizeof(type),
    static const uint8_t bytes[] = {PLX_DTYPE_LIST(BYTES)};
#undef BYTES
    return bytes[dtype];
}

const char *plx__dtype_name(plx_dtype dtype) {
    switch (dtype) {
#define NAME(name, value, type, text)                                                              \
    case value: return text;
        PLX_DTYPE_LIST(NAME)
#undef NAME
    default: return "?";
    }
}

/* ---- Numbers of 16 bits ---------------------------------------------------------------------- */

/* A format with sign, exponent and mantissa bits. Conversions use integer arithmetic, so that every
 * target gives the same bits. */
typedef struct format {
    int mantissa, bias;
} format;

static const format bf16 = {7, 127}, f16 = {10, 15};

enum { DOUBLE_MANTISSA = 52, DOUBLE_BIAS = 1023 };

static uint16_t narrow(format to, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    const uint32_t infinity = (uint32_t)(2 * to.bias + 1) << to.mantissa;
    if (value != value) return (uint16_t)(sign | infinity | 1U << (to.mantissa - 1));
    const uint64_t one = UINT64_C(1) << DOUBLE_MANTISSA;
    const uint64_t whole = (bits & (one - 1)) | one;
    /* How far the exponent is above that of the smallest normal number; below it, more bits are
     * dropped. */
    const int above = (int)(bits >> DOUBLE_MANTISSA & 0x7ff) - DOUBLE_BIAS + to.bias - 1;
    int dropped = DOUBLE_MANTISSA - to.mantissa - (above < 0 ? above : 0);
    if (dropped > DOUBLE_MANTISSA + 2) dropped = DOUBLE_MANTISSA + 2; /* below half the least */
    const uint64_t half = UINT64_C(1) << (dropped - 1), rest = whole & (2 * half - 1);
    uint64_t kept = whole >> dropped;
    kept += rest > half || (rest == half && (kept & 1));
    kept += (uint64_t)(above > 0 ? above : 0) << to.mantissa;
    return (uint16_t)(sign | (kept < infinity ? kept : infinity));
}

static double widen(format from, uint16_t value) {
    const int top = 2 * from.bias + 1, exponent = (value & 0x7fff) >> from.mantissa;
    const uint64_t mantissa = value & ((1U << from.mantissa) - 1);
    uint64_t bits = (uint64_t)(value >> 15) << 63 | mantissa << (DOUBLE_MANTISSA - from.mantissa);
    if (exponent == 0) { /* a multiple of the smallest: 2^(1 - bias - mantissa) */
        const double whole = value >> 15 ? -(double)mantissa : (double)mantissa;
        bits = (uint64_t)(DOUBLE_BIAS + 1 - from.bias - from.mantissa) << DOUBLE_MANTISSA;
        double least;
        memcpy(&least, &bits, sizeof least);
        return whole * least;
    }
    bits |= (uint64_t)(exponent == top ? 0x7ff : exponent - from.bias + DOUBLE_BIAS)
            << DOUBLE_MANTISSA;
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static double within(double value, double low, double high) {
    return value != value ? 0 : value < low ? low : value > high ? high : value;
}

#define DECODE(type, expression)                                                                   \
    {                                                                                              \
        const type *from = x;                                                                      \
        for (int64_t i = 0; i < n; ++i) y[i] = (expression);                                       \
        return;                                                                                    \
    }

void plx__decode(plx_dtype dtype, int64_t n, const void *x, double *y) {
    switch (dtype) {
    case PLX_DTYPE_I32: DECODE(int32_t, from[i])
    case PLX_DTYPE_BF16: DECODE(uint16_t, widen(bf16, from[i]))
    case PLX_DTYPE_F16: DECODE(uint16_t, widen(f16, from[i]))
    case PLX_DTYPE_I8: DECODE(int8_t, from[i])
    case PLX_DTYPE_U8: DECODE(uint8_t, from[i])
    default: DECODE(plx_real, (double)from[i])
    }
}

#define ENCODE(type, expression)                                                                   \
    {                                                                                              \
        type *to = y;                                                                              \
        for (int64_t i = 0; i < n; ++i) to[i] = (type)(expression);                                \
        return;                                                                                    \
    }

void plx__encode(plx_dtype dtype, int64_t n, const double *x, void *y) {
    switch (dtype) {
    case PLX_DTYPE_I32: ENCODE(int32_t, within(x[i], INT32_MIN, INT32_MAX))
    case PLX_DTYPE_BF16: ENCODE(uint16_t, narrow(bf16, x[i]))
    case PLX_DTYPE_F16: ENCODE(uint16_t, narrow(f16, x[i]))
    case PLX_DTYPE_I8: ENCODE(int8_t, within(x[i], INT8_MIN, INT8_MAX))
    case PLX_DTYPE_U8: ENCODE(uint8_t, within(x[i], 0, UINT8_MAX))
    default: ENCODE(plx_real, x[i])
    }
}
