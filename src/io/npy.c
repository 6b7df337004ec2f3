/* NumPy arrays (numpy.lib.format, "The .npy format", versions 1.0 to 3.0): a magic number, two
 * bytes of version, the length of the header, the header as a literal of Python, the elements.
 * Files are untrusted: every size is checked before use. */
#include "parallax_files.h"

#include "base/context.h"

#include <assert.h>
#include <string.h>

enum { MAGIC_BYTES = 6, HEADER_MOST = 10000, ALIGNMENT = 64 };
static const char magic[] = "\x93NUMPY";

/* kind and width of the types that can be read: those that models take. */
static const struct {
    char kind;
    int width;
} types[] = {{'f', 4}, {'f', 8}, {'f', 2}, {'i', 4}, {'i', 8}, {'i', 1}, {'u', 1}, {'b', 1}};
enum { TYPES = sizeof types / sizeof types[0] };

/* ---- The header ------------------------------------------------------------------------------ */

typedef struct header {
    plx__message *message;
    const char *at, *begin, *end;
} header;

static plx_status fail_header(const header *h, const char *wanted) {
    return plx__fail(h->message, PLX_ERR_FORMAT, "npy: the header needs %s at character %lld",
                     wanted, (long long)(h->at - h->begin));
}

static void skip_blanks(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\t' || *h->at == '\n' || *h->at == '\r'))
        ++h->at;
}

static bool take(header *h, const char *text) {
    const size_t length = strlen(text);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, text, length) != 0) return false;
    h->at += length;
    return true;
}

/* A text in quotes without escapes; *length: its length. NULL: there is none. */
static const char *take_text(header *h, size_t *length) {
    skip_blanks(h);
    if (h->at == h->end || (*h->at != '\'' && *h->at != '"')) return NULL;
    const char quote = *h->at, *begin = h->at + 1, *end = begin;
    while (end < h->end && *end != quote && *end != '\\') ++end;
    if (end == h->end || *end != quote) return NULL;
    h->at = end + 1;
    *length = (size_t)(end - begin);
    return begin;
}

static bool is_word(const char *text, size_t length, const char *word) {
    return length == strlen(word) && !memcmp(text, word, length);
}

static bool is_type(char kind, int width) {
    for (int i = 0; i < TYPES; ++i)
        if (types[i].kind == kind && types[i].width == width) return true;
    return false;
}

/* "<f4": byte order, kind, bytes. */
static plx_status read_type(header *h, plx_npy *out) {
    size_t length = 0;
    const char *text = take_text(h, &length);
    if (!text) return fail_header(h, "a type of elements, such as '<f4',");
    const bool known =
        length == 3 && text[2] >= '1' && text[2] <= '9' && is_type(text[1], text[2] - '0') &&
        (*text == '<' || *text == '>' || *text == '=' || (*text == '|' && text[2] == '1'));
    if (!known)
        return plx__fail(h->message, PLX_ERR_FORMAT,
                         "npy: the elements are \"%.*s\"; f2, f4, f8, i1, u1, i4, i8 and b1 can be "
                         "read, behind < or >",
                         (int)(length < 32 ? length : 32), text);
    out->kind = text[1];
    out->width = text[2] - '0';
    out->big_endian = *text == '>';
    return PLX_OK;
}

static plx_status read_order(header *h, plx_npy *out) {
    out->fortran = take(h, "True");
    return out->fortran || take(h, "False") ? PLX_OK : fail_header(h, "True or False");
}

static bool take_size(header *h, int64_t *size) {
    skip_blanks(h);
    const char *begin = h->at;
    *size = 0;
    for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; ++h->at)
        if (__builtin_mul_overflow(*size, 10, size) ||
            __builtin_add_overflow(*size, *h->at - '0', size))
            return false;
    return h->at > begin;
}

static plx_status read_shape(header *h, plx_npy *out) {
    if (!take(h, "(")) return fail_header(h, "a shape in brackets");
    bool comma = true;
    while (!take(h, ")")) {
        int64_t size = 0;
        if (!comma || !take_size(h, &size))
            return fail_header(h, "a size, or the end of the shape");
        if (out->rank == PLX_MAX_RANK)
            return plx__fail(h->message, PLX_ERR_FORMAT,
                             "npy: the shape has more than %d dimensions", PLX_MAX_RANK);
        out->dims[out->rank++] = size;
        comma = take(h, ",");
    }
    /* (3) is a number, not a tuple. */
    return out->rank == 1 && !comma ? fail_header(h, "a comma after a single size") : PLX_OK;
}

static plx_status read_header(header *h, plx_npy *out) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static plx_status (*const readers[])(header *, plx_npy *) = {read_type, read_order, read_shape};
    unsigned seen = 0;
    bool comma = true;
    if (!take(h, "{")) return fail_header(h, "{");
    while (!take(h, "}")) {
        size_t length = 0;
        const char *key = comma ? take_text(h, &length) : NULL;
        int k = 0;
        while (key && k < 3 && !is_word(key, length, keys[k])) ++k;
        if (!key || k == 3 || seen >> k & 1)
            return fail_header(h, "descr, fortran_order and shape, once each,");
        seen |= 1U << k;
        if (!take(h, ":")) return fail_header(h, ":");
        PLX_TRY(readers[k](h, out));
        comma = take(h, ",");
    }
    skip_blanks(h);
    if (seen != 7) return fail_header(h, "descr, fortran_order and shape");
    return h->at == h->end ? PLX_OK : fail_header(h, "nothing more");
}

/* ---- Files ----------------------------------------------------------------------------------- */

static plx_status check_size(plx__message *message, plx_npy *array, uint64_t available) {
    assert(array->width > 0);
    array->size = 1;
    bool empty = false, large = false;
    for (int i = 0; i < array->rank; ++i) {
        empty |= !array->dims[i];
        large |= !empty && __builtin_mul_overflow(array->size, array->dims[i], &array->size);
    }
    if (empty) array->size = 0;
    if (!empty && (large || array->size > INT64_MAX / array->width))
        return plx__fail(message, PLX_ERR_FORMAT, "npy: the dimensions overflow");
    const uint64_t promised = (uint64_t)array->size * (uint64_t)array->width;
    if (promised == available) return PLX_OK;
    return plx__fail(message, PLX_ERR_FORMAT,
                     "npy: the header promises %llu bytes of elements, but the file holds %llu; it "
                     "is %s",
                     (unsigned long long)promised, (unsigned long long)available,
                     promised > available ? "truncated" : "too long");
}

plx_status plx_npy_parse(plx_ctx *ctx, const void *bytes, size_t size, plx_npy *out) {
    plx__message *message = &ctx->message;
    const uint8_t *at = bytes;
    if (size) PLX_TRY(plx__need(message, "npy", "bytes", bytes));
    PLX_TRY(plx__need(message, "npy", "out", out));
    if (size < MAGIC_BYTES + 4 || memcmp(at, magic, MAGIC_BYTES) != 0)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "npy: the file does not start as a NumPy array does");
    const int version = at[MAGIC_BYTES], minor = at[MAGIC_BYTES + 1];
    if (version < 1 || version > 3 || minor)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "npy: the file has version %d.%d; 1.0, 2.0 and 3.0 can be read", version,
                         minor);
    const size_t begin = version == 1 ? MAGIC_BYTES + 4 : MAGIC_BYTES + 6;
    if (size < begin) return plx__fail(message, PLX_ERR_FORMAT, "npy: the file ends in its header");
    size_t length = at[8] | (size_t)at[9] << 8;
    if (version > 1) length |= (size_t)at[10] << 16 | (size_t)at[11] << 24;
    if (length > HEADER_MOST)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "npy: the header has %llu characters; at most %d are allowed",
                         (unsigned long long)length, HEADER_MOST);
    if (length > size - begin)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "npy: the header has %llu characters, but the file ends after %llu",
                         (unsigned long long)length, (unsigned long long)(size - begin));
    const char *text = (const char *)at + begin;
    header h = {message, text, text, text + length};
    plx_npy array = {.data = text + length};
    PLX_TRY(read_header(&h, &array));
    PLX_TRY(check_size(message, &array, size - begin - length));
    *out = array;
    return PLX_OK;
}

/* Copies an element; the reverse order of bytes if swap is set. */
static void copy_element(uint8_t *to, const uint8_t *from, int width, bool swap) {
    if (!swap)
        memcpy(to, from, (size_t)width);
    else
        for (int i = 0; i < width; ++i) to[i] = from[width - 1 - i];
}

void plx_npy_copy(const plx_npy *array, void *out) {
    assert(array->rank >= 0 && array->rank <= PLX_MAX_RANK);
    const uint16_t one = 1;
    const bool swap = array->big_endian == (bool)*(const uint8_t *)&one;
    const uint8_t *from = array->data;
    uint8_t *to = out;
    if (!swap && !array->fortran) {
        if (array->size) memcpy(to, from, (size_t)array->size * (size_t)array->width);
        return;
    }
    int64_t index[PLX_MAX_RANK] = {0}, strides[PLX_MAX_RANK] = {0}, stride = array->width;
    for (int k = 0; k < array->rank; ++k) {
        const int axis = array->fortran ? k : array->rank - 1 - k;
        strides[axis] = stride;
        if (array->size) stride *= array->dims[axis];
    }
    for (int64_t i = 0; i < array->size; ++i) {
        copy_element(to + i * array->width, from, array->width, swap);
        for (int axis = array->rank - 1; axis >= 0; --axis) {
            from += strides[axis];
            if (++index[axis] < array->dims[axis]) break;
            from -= strides[axis] * array->dims[axis];
            index[axis] = 0;
        }
    }
}

plx_status plx_npy_write(plx_ctx *ctx, const plx_npy *array, plx_write *write, void *user) {
    plx__message *message = &ctx->message;
    char text[320];
    PLX_TRY(plx__need(message, "npy", "array", array));
    PLX_TRY(plx__need(message, "npy", "write", write ? message : NULL));
    if (!is_type(array->kind, array->width) || array->rank < 0 || array->rank > PLX_MAX_RANK)
        return plx__fail(message, PLX_ERR_ARGUMENT,
                         "npy: elements of kind %d and %d bytes in rank %d cannot be written",
                         array->kind, array->width, array->rank);
    plx__format(text, sizeof text, "{'descr': '%c%c%d', 'fortran_order': %s, 'shape': (",
                array->width == 1   ? '|'
                : array->big_endian ? '>'
                                    : '<',
                array->kind, array->width, array->fortran ? "True" : "False");
    for (int i = 0; i < array->rank; ++i) {
        const size_t used = strlen(text);
        plx__format(text + used, sizeof text - used, i ? " %lld," : "%lld,",
                    (long long)array->dims[i]);
    }
    /* A tuple of one ends in a comma, others do not. */
    size_t used = strlen(text);
    if (array->rank > 1) used -= 1;
    plx__format(text + used, sizeof text - used, "), }");
    used = strlen(text);
    const size_t header_bytes = MAGIC_BYTES + 4;
    const size_t whole = (header_bytes + used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    const size_t length = whole - header_bytes;
    while (used + 1 < length) text[used++] = ' ';
    text[used++] = '\n';
    uint8_t start[MAGIC_BYTES + 4] = {[6] = 1, [8] = (uint8_t)length, [9] = (uint8_t)(length >> 8)};
    memcpy(start, magic, MAGIC_BYTES);
    const size_t bytes = (size_t)array->size * (size_t)array->width;
    if (!write(user, start, sizeof start) || !write(user, text, length) ||
        (bytes && !write(user, array->data, bytes)))
        return plx__fail(message, PLX_ERR_IO, "npy: writing failed");
    return PLX_OK;
}
