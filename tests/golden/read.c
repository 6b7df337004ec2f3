/* Reads arrays and attributes from ops.json. */
#include "golden/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the text of the file, NUL-terminated; NULL if it cannot be read. Free with free(). */
static char *read_text(FILE *file, size_t *size) {
    const bool ended = fseek(file, 0, SEEK_END) == 0;
    const long bytes = ended ? ftell(file) : -1;
    if (bytes <= 0 || fseek(file, 0, SEEK_SET)) return NULL;
    char *text = malloc((size_t)bytes + 1);
    if (!text) return NULL;
    *size = fread(text, 1, (size_t)bytes, file);
    text[*size] = '\0';
    return text;
}

cJSON *golden_read(plx_check *t, const char *path) {
    FILE *file = fopen(path, "rb");
    size_t size = 0;
    char *text = file ? read_text(file, &size) : NULL;
    if (file) fclose(file);
    CHECK(t, text != NULL, "%s cannot be read", path);
    cJSON *json = text ? cJSON_ParseWithLength(text, size) : NULL;
    free(text);
    CHECK(t, json != NULL, "%s is not JSON", path);
    return json;
}

const cJSON *golden_list(const cJSON *json, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(json, name);
}

static int digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool golden_decode(const char *text, int64_t count, void *values) {
    const int64_t bytes = 4 * count;
    uint8_t *out = values;
    uint32_t bits = 0;
    int64_t written = 0;
    for (int64_t i = 0; written < bytes; ++i) {
        const int value = digit(text[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4) out[written++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return true;
}

static int64_t integers(const cJSON *list, int limit, int64_t *values) {
    int count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list) {
        if (count < limit) values[count++] = (int64_t)item->valuedouble;
    }
    return count;
}

bool golden_array_read(plx_check *t, const cJSON *json, golden_array *out) {
    const char *dtype = cJSON_GetStringValue(golden_list(json, "dtype"));
    const char *data = cJSON_GetStringValue(golden_list(json, "data"));
    golden_array array = {.name = cJSON_GetStringValue(golden_list(json, "name")), .size = 1};
    array.rank = (int)integers(golden_list(json, "shape"), PLX_MAX_RANK, array.dims);
    for (int i = 0; i < array.rank; ++i) array.size *= array.dims[i];
    array.dtype = dtype && !strcmp(dtype, "i32") ? PLX_DTYPE_I32 : PLX_DTYPE_REAL;
    array.data = malloc((size_t)array.size * 4 + 1);
    *out = array;
    return CHECK(t, array.name && data && golden_decode(data, array.size, array.data),
                 "an array is incomplete");
}

plx_node golden_input(const golden_case *c, const char *name) {
    for (int i = 0; i < c->inputs_count; ++i)
        if (!strcmp(c->names[i], name)) return c->nodes[i];
    return plx_none();
}

static const cJSON *attribute(const golden_case *c, const char *name) {
    return golden_list(golden_list(c->json, "attributes"), name);
}

double golden_number(const golden_case *c, const char *name) {
    const cJSON *json = attribute(c, name);
    return cJSON_IsBool(json) ? cJSON_IsTrue(json) : cJSON_GetNumberValue(json);
}

const char *golden_text(const golden_case *c, const char *name) {
    return cJSON_GetStringValue(attribute(c, name));
}

int golden_integers(const golden_case *c, const char *name, int64_t *values) {
    return (int)integers(attribute(c, name), PLX_MAX_RANK, values);
}
