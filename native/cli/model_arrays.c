#include "model_arrays.h"

#include "command.h"
#include "read_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The types that both formats have. */
static const struct {
    int type;
    char kind;
    int width;
} types[] = {
    {PLX_ONNX_FLOAT, 'f', 4}, {PLX_ONNX_DOUBLE, 'f', 8}, {PLX_ONNX_FLOAT16, 'f', 2},
    {PLX_ONNX_INT8, 'i', 1},  {PLX_ONNX_UINT8, 'u', 1},  {PLX_ONNX_INT32, 'i', 4},
    {PLX_ONNX_INT64, 'i', 8}, {PLX_ONNX_BOOL, 'b', 1},
};
enum { TYPES = sizeof types / sizeof types[0] };

static const char *name_of(int type) {
    const char *name = plx_onnx_type_name(type);
    return name ? name : "of a type that is not available";
}

/* Fills in the tensor; its data is the array's. */
static void describe(model_array *a, const char *name, int type, int rank) {
    a->tensor = (plx_onnx_tensor){.name = name, .type = type, .rank = rank, .dims = a->dims};
    a->tensor.data = a->data;
    a->tensor.bytes = (size_t)a->size * (size_t)plx_onnx_type_bytes(type);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool fill(const plx_onnx_port *port, const char *name, const plx_npy *array,
                 model_array *out) {
    int type = 0;
    for (int i = 0; i < TYPES; ++i)
        if (types[i].kind == array->kind && types[i].width == array->width) type = types[i].type;
    if (port->type && type != port->type) {
        report(EXIT_FAILED, "\"%s\" holds %s, but input \"%s\" takes %s.", name, name_of(type),
               port->name, name_of(port->type));
        return false;
    }
    /* Room to read an element of any width at any place. */
    out->data = calloc((size_t)array->size + 1, 8);
    if (!out->data) {
        report(EXIT_FAILED, "there is not enough memory for \"%s\".", name);
        return false;
    }
    plx_npy_copy(array, out->data);
    memcpy(out->dims, array->dims, sizeof out->dims);
    out->size = array->size;
    describe(out, port->name, type, array->rank);
    return true;
}

bool model_array_read(plx_ctx *ctx, const plx_onnx_port *port, const char *name, model_array *out) {
    char message[4352], *bytes = NULL;
    size_t size = 0;
    plx_npy array;
    *out = (model_array){.data = NULL};
    if (!read_file(name, &bytes, &size, message, sizeof message)) {
        report(EXIT_FAILED, "%s", message);
        return false;
    }
    bool ok = plx_npy_parse(ctx, bytes, size, &array) == PLX_OK;
    if (ok)
        ok = fill(port, name, &array, out);
    else
        report(EXIT_FAILED, "\"%s\": %s", name, plx_message(ctx));
    free(bytes);
    return ok;
}

bool model_array_number(const plx_onnx_port *port, const char *text, model_array *out) {
    char *end = NULL;
    const double value = strtod(text, &end);
    *out = (model_array){.size = 1, .data = calloc(1, 8)};
    const bool real = port->type == PLX_ONNX_FLOAT;
    if (!*text || *end || (!real && (value != floor(value) || fabs(value) > 0x1p53))) {
        report(EXIT_USAGE,
               "--bind %s=%s: the input \"%s\" takes %s; it is bound to a number of that kind or "
               "to FILE.npy.",
               port->name, text, port->name, name_of(port->type));
        model_array_free(out);
        return false;
    }
    for (int i = 0; i < port->rank && i < PLX_MAX_RANK; ++i) out->dims[i] = 1;
    const float single = (float)value;
    const int64_t whole = real ? 0 : (int64_t)value;
    if (out->data && real) memcpy(out->data, &single, sizeof single);
    /* Little-endian: the lower bytes are those of a narrower type. */
    if (out->data && !real) memcpy(out->data, &whole, sizeof whole);
    describe(out, port->name, port->type ? port->type : PLX_ONNX_INT64,
             port->rank > 0 && port->rank <= PLX_MAX_RANK ? port->rank : 0);
    return out->data;
}

void model_array_free(model_array *array) {
    free(array->data);
    array->data = NULL;
}

bool model_array_bind(model_array *a) {
    if (a->tensor.type != PLX_ONNX_INT64) return true;
    for (int64_t i = 0; i < a->size; ++i) {
        const int64_t value = ((const int64_t *)a->data)[i];
        if (value < INT32_MIN || value > INT32_MAX) {
            report(EXIT_FAILED, "input \"%s\" holds %lld; at run time whole numbers have 32 bits.",
                   a->tensor.name, (long long)value);
            return false;
        }
        /* Behind the element that is read next. */
        ((int32_t *)a->data)[i] = (int32_t)value;
    }
    return true;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static bool write_bytes(void *user, const void *bytes, size_t size) {
    return fwrite(bytes, 1, size, user) == size;
}

/* FOLDER/NAME.npy; the name's own slashes and other characters with a meaning become "_". */
static char *path_of(const char *folder, const char *name) {
    char *path = NULL;
    text_add(&path, "%s/%s.npy", folder, name);
    for (char *c = path + strlen(folder) + 1; *c; ++c)
        if (*c == '/' || *c == '\\' || *c == ':' || (unsigned char)*c < ' ' || *c == 127) *c = '_';
    if (path[strlen(folder) + 1] == '.') path[strlen(folder) + 1] = '_';
    return path;
}

/* Elements of one of the types that were narrowed for the run, in the model's type. */
static void *widen(const plx_onnx_value *value, const void *data, int64_t size) {
    int64_t *wide = calloc((size_t)size + 1, sizeof *wide);
    for (int64_t i = 0; wide && i < size; ++i) wide[i] = ((const int32_t *)data)[i];
    (void)value;
    return wide;
}

static bool write_array(plx_ctx *ctx, const plx_npy *array, const char *path) {
    char *part = NULL;
    text_add(&part, "%s.part", path);
    FILE *file = fopen(part, "wb");
    bool ok = file && plx_npy_write(ctx, array, write_bytes, file) == PLX_OK;
    if (file && fclose(file) != 0) ok = false;
    if (ok) ok = rename(part, path) == 0;
    if (!ok) report(EXIT_FAILED, "cannot write \"%s\": %s.", path, strerror(errno));
    if (!ok && file) remove(part);
    free(part);
    return ok;
}

bool model_array_write(plx_ctx *ctx, const plx_onnx_value *value, const void *data,
                       const char *folder, char **path) {
    plx_npy array = {.kind = 0, .rank = value->rank, .size = 1, .data = data};
    void *wide = NULL;
    for (int i = 0; i < TYPES; ++i)
        if (types[i].type == value->type) {
            array.kind = types[i].kind;
            array.width = types[i].width;
        }
    for (int i = 0; i < value->rank; ++i) {
        array.dims[i] = value->dims[i];
        array.size *= value->dims[i];
    }
    if (!array.kind) {
        report(EXIT_FAILED, "output \"%s\" is %s, which arrays of NumPy do not have.", value->name,
               name_of(value->type));
        return false;
    }
    if (value->type == PLX_ONNX_INT64) array.data = wide = widen(value, data, array.size);
    *path = path_of(folder, value->name);
    const bool ok = array.data && write_array(ctx, &array, *path);
    free(wide);
    if (!ok) free(*path);
    return ok;
}

double model_array_at(const plx_onnx_value *value, const void *data, int64_t i) {
    switch (value->type) {
    case PLX_ONNX_FLOAT: return (double)((const float *)data)[i];
    case PLX_ONNX_INT32:
    case PLX_ONNX_INT64: return (double)((const int32_t *)data)[i];
    case PLX_ONNX_INT8: return (double)((const int8_t *)data)[i];
    case PLX_ONNX_BOOL:
    case PLX_ONNX_UINT8: return (double)((const uint8_t *)data)[i];
    default: return NAN;
    }
}
