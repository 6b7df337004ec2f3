#include "file_rows.h"

#include "plan_rows.h"

static cJSON *tensor_row(const plx_file_tensor *tensor) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "tensor");
    cJSON_AddStringToObject(row, "name", tensor->name);
    cJSON_AddStringToObject(row, "dtype", tensor->dtype);
    add_shape(row, tensor->rank, tensor->dims);
    cJSON_AddNumberToObject(row, "bytes", (double)tensor->bytes);
    return row;
}

static cJSON *metadata_row(const plx_metadata *pair) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "metadata");
    cJSON_AddStringToObject(row, "name", pair->key);
    cJSON_AddStringToObject(row, "value", pair->value);
    return row;
}

/* A file's texts may hold anything, also what a terminal obeys. Padded to width characters. */
static void print_text(FILE *to, const char *text, int width) {
    for (; *text; ++text, --width)
        fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, to);
    while (width-- > 0) fputc(' ', to);
}

bool print_file(output *out, const char *name, const weights_in *in) {
    FILE *to = output_tables(out);
    plx_metadata pair;
    int64_t values = 0;
    bool ok = true;
    fprintf(to, "%-28s %-12s %-14s %14s\n", "tensor", "dtype", "shape", "bytes");
    const int count = plx_safetensors_count(in->file);
    for (int i = 0; i < count; ++i) {
        const plx_file_tensor tensor = plx_safetensors_at(in->file, i);
        char text[SHAPE_BYTES];
        print_text(to, tensor.name, 28);
        fprintf(to, " %-12s %-14s %14lld\n", tensor.dtype,
                shape_text(tensor.rank, tensor.dims, text), (long long)tensor.bytes);
        values += tensor.size;
        ok = output_row(out, tensor_row(&tensor)) && ok;
    }
    for (int i = 0; (pair = plx_safetensors_metadata(in->file, i)).key; ++i) {
        print_text(to, pair.key, 0);
        fputs(": ", to);
        print_text(to, pair.value, 0);
        fputc('\n', to);
        ok = output_row(out, metadata_row(&pair)) && ok;
    }
    fprintf(to, "%s: %d tensor%s, %lld values, %lld bytes\n", name, count, count == 1 ? "" : "s",
            (long long)values, (long long)in->size);
    return ok;
}
