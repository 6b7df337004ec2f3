/* Files of named tensors (huggingface/safetensors, README, "Format"): the size of the header as 8
 * bytes, little-endian; the header, a JSON object; the data. Read as strictly as the library of
 * that project does, and keys that it does not know, or that come twice, are refused as well. The
 * bytes are untrusted: memory is taken for what they hold, not for what they promise. */
#include "io/safetensors.h"

#include "base/context.h"
#include "base/dtype.h"
#include "base/platform.h"
#include "base/sizes.h"
#include "io/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PREFIX_BYTES = 8,
    /* The library's own limit. */
    MOST_HEADER_BYTES = 100000000,
    SHOWN_BYTES = 60,
};

/* All dtypes of the format with the bits of an element; what has no reader here is listed as well,
 * so that files which hold such tensors can be looked at. */
typedef struct file_dtype {
    const char *name;
    int bits;
    int read; /* a plx_dtype, or one of the two below, or UNREAD */
} file_dtype;

enum { UNREAD = -1, READ_I64 = PLX_DTYPES_, READ_U64, READ_F32 };

static const file_dtype dtypes[] = {
    {"F32", 32, READ_F32},
    {"F16", 16, PLX_DTYPE_F16},
    {"BF16", 16, PLX_DTYPE_BF16},
    {"I8", 8, PLX_DTYPE_I8},
    {"U8", 8, PLX_DTYPE_U8},
    {"I32", 32, PLX_DTYPE_I32},
    {"I64", 64, READ_I64},
    {"U64", 64, READ_U64},
    {"F64", 64, sizeof(plx_real) == sizeof(double) ? PLX_DTYPE_REAL : UNREAD},
    {"BOOL", 8, UNREAD},
    {"I16", 16, UNREAD},
    {"U16", 16, UNREAD},
    {"U32", 32, UNREAD},
    {"C64", 64, UNREAD},
    {"F8_E5M2", 8, UNREAD},
    {"F8_E4M3", 8, UNREAD},
    {"F8_E8M0", 8, UNREAD},
    {"F8_E4M3FNUZ", 8, UNREAD},
    {"F8_E5M2FNUZ", 8, UNREAD},
    {"F6_E2M3", 6, UNREAD},
    {"F6_E3M2", 6, UNREAD},
    {"F4", 4, UNREAD},
};

static const file_dtype *dtype_named(const char *name) {
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; ++i)
        if (!strcmp(dtypes[i].name, name)) return &dtypes[i];
    return NULL;
}

struct plx_safetensors {
    plx_ctx *ctx;
    int count, capacity;
    plx_file_tensor *tensors; /* in the order of their data */
    int metadata_count, metadata_capacity;
    plx_metadata *metadata;
    char *text; /* all names, keys and values */
};

/* ---- JSON ------------------------------------------------------------------------------------ */

typedef struct reader {
    plx__message *message;
    const uint8_t *bytes; /* of the file */
    const uint8_t *at, *end;
    char *text; /* where the next string goes: never longer than its escaped form in the file */
} reader;

static plx_status refuse(const reader *r, const char *why) {
    return plx__fail(r->message, PLX_ERR_FORMAT, "safetensors: the header, byte %llu: %s",
                     (unsigned long long)(r->at - r->bytes), why);
}

/* RFC 8259, 2. */
static void skip_blanks(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
        ++r->at;
}

/* Whether the next character that is no blank is this one; then it is passed. */
static bool took(reader *r, char c) {
    skip_blanks(r);
    if (r->at == r->end || *r->at != (uint8_t)c) return false;
    r->at += 1;
    return true;
}

static plx_status expect(reader *r, char c) {
    if (took(r, c)) return PLX_OK;
    char why[48];
    plx__format(why, sizeof why,
                r->at == r->end ? "it ends where '%c' must stand" : "'%c' must stand here", c);
    return refuse(r, why);
}

/* Four hexadecimal digits; -1 if there are none. */
static int hex4(const reader *r, const uint8_t *at) {
    int code = 0;
    if (r->end - at < 4) return -1;
    for (int i = 0; i < 4; ++i) {
        const int c = at[i] | 0x20;
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        /* '\x10' | 0x20 is '0'. */
        if (digit < 0 || at[i] < '0') return -1;
        code = code << 4 | digit;
    }
    return code;
}

/* After "\u". */
static plx_status read_code(reader *r) {
    int code = hex4(r, r->at);
    if (code > 0 && code >> 10 == 0x36) {
        const int low =
            r->end - r->at > 6 && r->at[4] == '\\' && r->at[5] == 'u' ? hex4(r, r->at + 6) : -1;
        if (low >> 10 != 0x37) return refuse(r, "half of a surrogate pair");
        code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
        r->at += 6;
    }
    if (code < 0 || code >> 10 == 0x37)
        return refuse(r, "\\u needs the four digits of a character");
    if (!code) return refuse(r, "a zero character in a string");
    r->at += 4;
    r->text += plx__put_utf8((unsigned)code, r->text);
    return PLX_OK;
}

static plx_status read_escape(reader *r) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = r->at < r->end && *r->at ? strchr(from, *r->at) : NULL;
    if (r->at < r->end && *r->at == 'u') {
        r->at += 1;
        return read_code(r);
    }
    if (!found) return refuse(r, "no such escape");
    *r->text++ = to[found - from];
    r->at += 1;
    return PLX_OK;
}

static plx_status read_string(reader *r, const char **out) {
    PLX_TRY(expect(r, '"'));
    *out = r->text;
    while (r->at < r->end && *r->at != '"') {
        if (*r->at < ' ') return refuse(r, "a control character in a string");
        if (*r->at != '\\') {
            *r->text++ = (char)*r->at++;
            continue;
        }
        r->at += 1;
        PLX_TRY(read_escape(r));
    }
    if (r->at == r->end) return refuse(r, "it ends within a string");
    r->at += 1;
    *r->text++ = 0;
    return PLX_OK;
}

static plx_status read_whole(reader *r, int64_t *out) {
    skip_blanks(r);
    const uint8_t *first = r->at;
    int64_t value = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; ++r->at) {
        const int digit = *r->at - '0';
        if (value > (INT64_MAX - digit) / 10) return refuse(r, "the number is above 2^63 - 1");
        value = 10 * value + digit;
    }
    if (r->at == first) return refuse(r, "a whole number, 0 or more, must stand here");
    if (*first == '0' && r->at > first + 1) return refuse(r, "a number with a leading zero");
    if (r->at < r->end && (*r->at == '.' || (*r->at | 0x20) == 'e'))
        return refuse(r, "a whole number must have no point and no exponent");
    *out = value;
    return PLX_OK;
}

/* A list of at most `most` numbers. */
static plx_status read_list(reader *r, int most, int64_t *values, int *count) {
    *count = 0;
    PLX_TRY(expect(r, '['));
    if (took(r, ']')) return PLX_OK;
    do {
        if (*count == most) {
            char why[48];
            plx__format(why, sizeof why, "a list of more than %d numbers", most);
            return refuse(r, why);
        }
        PLX_TRY(read_whole(r, &values[*count]));
        *count += 1;
    } while (took(r, ','));
    return expect(r, ']');
}

/* ---- The header ------------------------------------------------------------------------------ */

static plx_status refuse_named(const reader *r, const char *name, const char *why) {
    return plx__fail(r->message, PLX_ERR_FORMAT, "safetensors: tensor \"%.*s\": %s", SHOWN_BYTES,
                     name, why);
}

/* Doubles a list when it is full; it holds less than what its entries take in the file. */
static plx_status grow(const reader *r, void **list, int count, int *capacity, size_t each) {
    if (count < *capacity) return PLX_OK;
    const int wanted = *capacity ? 2 * *capacity : 16;
    void *larger = plx_platform_alloc((size_t)wanted * each);
    if (!larger) return plx__fail(r->message, PLX_ERR_MEMORY, "safetensors: no memory");
    if (count) memcpy(larger, *list, (size_t)count * each);
    plx_platform_free(*list);
    *list = larger;
    *capacity = wanted;
    return PLX_OK;
}

static plx_status read_metadata(reader *r, plx_safetensors *file) {
    skip_blanks(r);
    if (r->end - r->at >= 4 && !memcmp(r->at, "null", 4)) {
        r->at += 4;
        return PLX_OK;
    }
    PLX_TRY(expect(r, '{'));
    if (took(r, '}')) return PLX_OK;
    do {
        void *list = file->metadata;
        PLX_TRY(
            grow(r, &list, file->metadata_count, &file->metadata_capacity, sizeof *file->metadata));
        file->metadata = list;
        assert(file->metadata);
        plx_metadata *pair = &file->metadata[file->metadata_count];
        PLX_TRY(read_string(r, &pair->key));
        PLX_TRY(expect(r, ':'));
        PLX_TRY(read_string(r, &pair->value));
        file->metadata_count += 1;
    } while (took(r, ','));
    return expect(r, '}');
}

/* The data of a tensor begin and end at these places behind the header. */
typedef struct fields {
    bool dtype, shape, offsets;
    int64_t begin_end[2];
} fields;

static plx_status read_field(reader *r, plx_file_tensor *tensor, fields *have) {
    const char *key;
    int count;
    PLX_TRY(read_string(r, &key));
    PLX_TRY(expect(r, ':'));
    bool *had = !strcmp(key, "dtype")          ? &have->dtype
                : !strcmp(key, "shape")        ? &have->shape
                : !strcmp(key, "data_offsets") ? &have->offsets
                                               : NULL;
    if (!had || *had) {
        char why[128];
        plx__format(why, sizeof why,
                    had ? "\"%s\" comes twice" : "\"%.40s\" is none of dtype, shape, data_offsets",
                    key);
        return refuse_named(r, tensor->name, why);
    }
    *had = true;
    if (had == &have->dtype) return read_string(r, &tensor->dtype);
    if (had == &have->shape) return read_list(r, PLX_MAX_RANK, tensor->dims, &tensor->rank);
    PLX_TRY(read_list(r, 2, have->begin_end, &count));
    return count == 2 ? PLX_OK : refuse_named(r, tensor->name, "data_offsets needs two numbers");
}

/* Bits of a shape's elements, or -1 where that overflows. */
static int64_t bits_of(const plx_file_tensor *tensor, int bits) {
    int64_t product = bits;
    for (int i = 0; i < tensor->rank; ++i)
        if (!tensor->dims[i]) return 0;
    for (int i = 0; i < tensor->rank; ++i) {
        if (product > INT64_MAX / tensor->dims[i]) return -1;
        product *= tensor->dims[i];
    }
    return product;
}

static plx_status check_tensor(const reader *r, plx_file_tensor *tensor, const fields *have) {
    char why[160], shape[96];
    if (!have->dtype || !have->shape || !have->offsets)
        return refuse_named(r, tensor->name, "it needs a dtype, a shape and data_offsets");
    const file_dtype *dtype = dtype_named(tensor->dtype);
    if (!dtype) {
        plx__format(why, sizeof why, "there is no dtype \"%.20s\" in this format", tensor->dtype);
        return refuse_named(r, tensor->name, why);
    }
    const int64_t bits = bits_of(tensor, dtype->bits), begin = have->begin_end[0],
                  bytes = have->begin_end[1] - begin;
    if (bits < 0) return refuse_named(r, tensor->name, "its shape overflows");
    if (bits % 8 || bytes != bits / 8) {
        plx__format(why, sizeof why,
                    "%s of shape %s takes %lld bits, but its offsets span %lld bytes",
                    tensor->dtype, plx__shape_text(tensor->rank, tensor->dims, shape, sizeof shape),
                    (long long)bits, (long long)bytes);
        return refuse_named(r, tensor->name, why);
    }
    tensor->size = bits / dtype->bits;
    tensor->bytes = bytes;
    tensor->offset = begin;
    return PLX_OK;
}

static plx_status read_tensor(reader *r, plx_safetensors *file, const char *name) {
    fields have = {0};
    void *list = file->tensors;
    PLX_TRY(grow(r, &list, file->count, &file->capacity, sizeof *file->tensors));
    file->tensors = list;
    assert(file->tensors);
    plx_file_tensor *tensor = &file->tensors[file->count++];
    *tensor = (plx_file_tensor){.name = name, .dtype = ""};
    PLX_TRY(expect(r, '{'));
    do PLX_TRY(read_field(r, tensor, &have));
    while (took(r, ','));
    PLX_TRY(expect(r, '}'));
    return check_tensor(r, tensor, &have);
}

static plx_status read_header(reader *r, plx_safetensors *file) {
    bool had = false;
    PLX_TRY(expect(r, '{'));
    if (!took(r, '}')) {
        do {
            const char *key;
            PLX_TRY(read_string(r, &key));
            PLX_TRY(expect(r, ':'));
            if (strcmp(key, "__metadata__")) {
                PLX_TRY(read_tensor(r, file, key));
                continue;
            }
            if (had) return refuse(r, "__metadata__ comes twice");
            had = true;
            PLX_TRY(read_metadata(r, file));
        } while (took(r, ','));
        PLX_TRY(expect(r, '}'));
    }
    skip_blanks(r);
    return r->at == r->end ? PLX_OK : refuse(r, "something follows the object");
}

/* ---- Names and places ------------------------------------------------------------------------ */

int plx__metadata_by_key(const void *a, const void *b) {
    return strcmp(((const plx_metadata *)a)->key, ((const plx_metadata *)b)->key);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const plx_file_tensor *)a)->name, ((const plx_file_tensor *)b)->name);
}

static int by_place(const void *a, const void *b) {
    const plx_file_tensor *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;
    return by_name(a, b);
}

static plx_status check_names(const reader *r, plx_safetensors *file) {
    if (file->metadata_count)
        qsort(file->metadata, (size_t)file->metadata_count, sizeof *file->metadata,
              plx__metadata_by_key);
    for (int i = 1; i < file->metadata_count; ++i)
        if (!plx__metadata_by_key(&file->metadata[i - 1], &file->metadata[i]))
            return plx__fail(r->message, PLX_ERR_FORMAT,
                             "safetensors: the metadata has the key \"%.*s\" twice", SHOWN_BYTES,
                             file->metadata[i].key);
    if (file->count) qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, by_name);
    for (int i = 1; i < file->count; ++i)
        if (!by_name(&file->tensors[i - 1], &file->tensors[i]))
            return refuse_named(r, file->tensors[i].name, "it comes twice");
    return PLX_OK;
}

/* The data follow each other without gaps, and fill the file. */
static plx_status check_places(const reader *r, plx_safetensors *file, const uint8_t *data,
                               int64_t bytes) {
    int64_t next = 0;
    if (file->count) qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, by_place);
    for (int i = 0; i < file->count; ++i) {
        plx_file_tensor *tensor = &file->tensors[i];
        if (tensor->offset != next || tensor->bytes > bytes - next) {
            char why[160];
            plx__format(
                why, sizeof why,
                tensor->offset != next
                    ? "its data begin at byte %lld behind the header, but those before it end "
                      "at %lld"
                    : "its data begin at byte %lld and are %lld bytes long: beyond the end of "
                      "the file, which may be truncated",
                (long long)tensor->offset,
                (long long)(tensor->offset != next ? next : tensor->bytes));
            return refuse_named(r, tensor->name, why);
        }
        tensor->data = data + next;
        next += tensor->bytes;
    }
    if (next == bytes) return PLX_OK;
    return plx__fail(r->message, PLX_ERR_FORMAT,
                     "safetensors: %lld bytes follow the data of the last tensor",
                     (long long)(bytes - next));
}

static plx_status parse(reader *r, plx_safetensors *file, const uint8_t *end) {
    const uint8_t *data = r->end;
    PLX_TRY(read_header(r, file));
    PLX_TRY(check_names(r, file));
    return check_places(r, file, data, end - data);
}

/* The size of the header, which the first bytes tell. */
static plx_status header_bytes(plx__message *message, const uint8_t *bytes, size_t size,
                               size_t *out) {
    uint64_t promised = 0;
    if (size < PREFIX_BYTES)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "safetensors: the file has %llu bytes, too few for the size of a header",
                         (unsigned long long)size);
    for (int i = PREFIX_BYTES - 1; i >= 0; --i) promised = promised << 8 | bytes[i];
    if (promised > MOST_HEADER_BYTES)
        return plx__fail(
            message, PLX_ERR_FORMAT,
            "safetensors: the first 8 bytes promise a header of %llu bytes; at most %d "
            "are allowed. Is this a safetensors file?",
            (unsigned long long)promised, MOST_HEADER_BYTES);
    if (promised > size - PREFIX_BYTES)
        return plx__fail(message, PLX_ERR_FORMAT,
                         "safetensors: the header has %llu bytes, but the file ends after %llu of "
                         "them: it is truncated, or no safetensors file",
                         (unsigned long long)promised, (unsigned long long)(size - PREFIX_BYTES));
    if (!plx__is_utf8(bytes + PREFIX_BYTES, (size_t)promised))
        return plx__fail(message, PLX_ERR_FORMAT, "safetensors: the header is not UTF-8");
    *out = (size_t)promised;
    return PLX_OK;
}

plx_status plx_safetensors_open(plx_ctx *ctx, const void *bytes, size_t size,
                                plx_safetensors **out) {
    plx__message *message = &ctx->message;
    size_t header = 0;
    if (size) PLX_TRY(plx__need(message, "safetensors", "bytes", bytes));
    PLX_TRY(plx__need(message, "safetensors", "out", out));
    PLX_TRY(header_bytes(message, bytes, size, &header));
    plx_safetensors *file = plx_platform_alloc(sizeof *file);
    char *text = plx_platform_alloc(header + 1);
    if (!file || !text) {
        plx_platform_free(file);
        plx_platform_free(text);
        return plx__fail(message, PLX_ERR_MEMORY,
                         "safetensors: no memory for a header of %llu bytes",
                         (unsigned long long)header);
    }
    *file = (plx_safetensors){.ctx = plx__ctx_hold(ctx), .text = text};
    const uint8_t *at = bytes;
    reader r = {message, at, at + PREFIX_BYTES, at + PREFIX_BYTES + header, text};
    const plx_status status = parse(&r, file, at + size);
    if (status == PLX_OK)
        *out = file;
    else
        plx_safetensors_free(file);
    return status;
}

void plx_safetensors_free(plx_safetensors *file) {
    if (!file) return;
    plx_ctx_free(file->ctx);
    plx_platform_free(file->tensors);
    plx_platform_free(file->metadata);
    plx_platform_free(file->text);
    plx_platform_free(file);
}

int plx_safetensors_count(const plx_safetensors *file) {
    return file->count;
}

plx_file_tensor plx_safetensors_at(const plx_safetensors *file, int i) {
    if (i >= 0 && i < file->count) return file->tensors[i];
    return (plx_file_tensor){.name = "", .dtype = ""};
}

plx_metadata plx_safetensors_metadata(const plx_safetensors *file, int i) {
    if (i >= 0 && i < file->metadata_count) return file->metadata[i];
    return (plx_metadata){NULL, NULL};
}

/* ---- Values ---------------------------------------------------------------------------------- */

const plx_file_tensor *plx__safetensors_find(const plx_safetensors *file, const char *name) {
    for (int i = 0; i < file->count; ++i)
        if (!strcmp(file->tensors[i].name, name)) return &file->tensors[i];
    return NULL;
}

/* Element i of a tensor as a double; false where a double has too few digits. */
static bool element(const plx_file_tensor *tensor, int read, int64_t i, double *value) {
    const uint8_t *data = tensor->data;
    int64_t whole;
    uint64_t natural;
    float single;
    if (read < PLX_DTYPES_) {
        /* Data may begin anywhere. */
        uint64_t aligned = 0;
        const size_t each = plx__element_bytes((plx_dtype)read);
        memcpy(&aligned, data + (size_t)i * each, each);
        plx__decode((plx_dtype)read, 1, &aligned, value);
        return true;
    }
    switch (read) {
    case READ_F32:
        memcpy(&single, data + 4 * i, sizeof single);
        *value = (double)single;
        return true;
    case READ_I64:
        memcpy(&whole, data + 8 * i, sizeof whole);
        *value = (double)whole;
        return whole >= -((int64_t)1 << 53) && whole <= (int64_t)1 << 53;
    default:
        memcpy(&natural, data + 8 * i, sizeof natural);
        *value = (double)natural;
        return natural <= (uint64_t)1 << 53;
    }
}

plx_status plx__safetensors_read(const plx_safetensors *file, const plx_file_tensor *tensor,
                                 const char *what, plx_real *y) {
    plx__message *message = &file->ctx->message;
    const int read = dtype_named(tensor->dtype)->read;
    if (read == UNREAD)
        return plx__fail(
            message, PLX_ERR_UNSUPPORTED,
            "%s: \"%.*s\" is of dtype %s; F32, F16, BF16, I8, U8, I32, I64 and U64 can "
            "be read",
            what, SHOWN_BYTES, tensor->name, tensor->dtype);
    if (read == READ_F32 && sizeof *y == sizeof(float)) {
        if (y && tensor->bytes) memcpy(y, tensor->data, (size_t)tensor->bytes);
        return PLX_OK;
    }
    for (int64_t i = 0; i < tensor->size; ++i) {
        double value;
        const bool fits = element(tensor, read, i, &value);
        const plx_real rounded = (plx_real)value;
        /* NaN is what it was. */
        if (!fits || (value == value && (double)rounded != value))
            return plx__fail(message, PLX_ERR_FORMAT,
                             "%s: \"%.*s\", value %lld: this %s has more digits than a float holds",
                             what, SHOWN_BYTES, tensor->name, (long long)i, tensor->dtype);
        if (y) y[i] = rounded;
    }
    return PLX_OK;
}
