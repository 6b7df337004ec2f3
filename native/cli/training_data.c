#include "training_data.h"

#include "read_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_source(training_data *data, const char *name) {
    const char *slash = strrchr(name, '/');
    snprintf(data->source, sizeof data->source, "%s", slash ? slash + 1 : name);
}

bool training_data_digits(plx_ctx *ctx, training_data *data, plx_learning_options *options,
                          char *message, size_t message_bytes) {
    const digits_found found = digits_load(ctx, &data->digits, message, message_bytes);
    if (found == DIGITS_FOUND) options->digits = &data->digits.digits;
    return found != DIGITS_FAILED;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* The length in bytes of the character that starts with this byte; 0: no character does. */
static size_t length_of(unsigned char first) {
    if (first < 0x80) return first ? 1 : 0;
    if (first < 0xc2 || first > 0xf4) return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Where the text stops being UTF-8, or its size. */
static size_t valid_bytes(const char *text, size_t size) {
    size_t at = 0;
    while (at < size) {
        const size_t length = length_of((unsigned char)text[at]);
        if (!length || length > size - at) return at;
        for (size_t i = 1; i < length; ++i)
            if (((unsigned char)text[at + i] & 0xc0) != 0x80) return at;
        at += length;
    }
    return size;
}

bool training_data_text(training_data *data, const char *name, plx_learning_options *options,
                        char *message, size_t message_bytes) {
    size_t size;
    if (!read_file(name, &data->text, &size, message, message_bytes)) return false;
    const size_t valid = valid_bytes(data->text, size);
    if (valid < size) {
        snprintf(message, message_bytes,
                 "\"%s\" is not a UTF-8 text: byte %zu is 0x%02x, which is invalid there.", name,
                 valid, (unsigned)(unsigned char)data->text[valid]);
        return false;
    }
    name_source(data, name);
    options->text = data->text;
    options->text_bytes = size;
    options->source = data->source;
    return true;
}

/* ---- Table ----------------------------------------------------------------------------------- */

bool training_data_table(plx_ctx *ctx, training_data *data, const char *name,
                         plx_learning_options *options, char *message, size_t message_bytes) {
    char *bytes;
    size_t size;
    if (!read_file(name, &bytes, &size, message, message_bytes)) return false;
    const plx_status status = plx_csv_parse(ctx, bytes, size, &data->table);
    free(bytes);
    if (status != PLX_OK) {
        snprintf(message, message_bytes, "%s: %s", name, plx_message(ctx));
        return false;
    }
    if (data->table.columns < 2) {
        snprintf(message, message_bytes,
                 "\"%s\" has only %lld column: a table needs inputs and, last, the target.", name,
                 (long long)data->table.columns);
        return false;
    }
    name_source(data, name);
    options->table = &data->table;
    options->source = data->source;
    return true;
}

void training_data_free(training_data *data) {
    digits_free(&data->digits);
    free(data->text);
    plx_csv_free(&data->table);
    *data = (training_data){0};
}
