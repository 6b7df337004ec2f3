#include "plan_rows.h"

#include "command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Shapes ---------------------------------------------------------------------------------- */

const char *shape_text(int rank, const int64_t *dims, char text[SHAPE_BYTES]) {
    size_t at = 0;
    text[0] = 0;
    for (int d = 0; d < rank; ++d)
        at += (size_t)snprintf(text + at, SHAPE_BYTES - at, "%s%lld", d ? "x" : "",
                               (long long)dims[d]);
    return rank ? text : "scalar";
}

void add_shape(cJSON *row, int rank, const int64_t *dims) {
    cJSON *shape = cJSON_AddArrayToObject(row, "shape");
    for (int d = 0; d < rank; ++d) cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)dims[d]));
}

/* ---- Passes ---------------------------------------------------------------------------------- */

void pass_names(char *text, size_t text_bytes) {
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; plx_pass_at(i) && at < text_bytes; ++i)
        at += (size_t)snprintf(text + at, text_bytes - at, "%s%s", i ? ", " : "",
                               plx_pass_at(i)->name);
}

static int flag_of(const char *name, size_t length) {
    for (int i = 0; plx_pass_at(i); ++i)
        if (strlen(plx_pass_at(i)->name) == length && !memcmp(plx_pass_at(i)->name, name, length))
            return plx_pass_at(i)->flag;
    return 0;
}

bool leave_out_passes(const char *list, int *passes) {
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const size_t length = strcspn(at, ",");
        const int flag = flag_of(at, length);
        if (!flag) {
            char known[256];
            pass_names(known, sizeof known);
            wrong_usage("explain", "--without: there is no pass \"%.*s\"; the passes are %s.",
                        (int)length, at, known);
            return false;
        }
        *passes &= ~flag;
    }
    return true;
}

bool print_passes(output *out) {
    bool ok = true;
    for (int i = 0; plx_pass_at(i); ++i) {
        const plx_pass_info *pass = plx_pass_at(i);
        cJSON *row = cJSON_CreateObject();
        fprintf(output_tables(out), "%-12s without it: %s\n", pass->name, pass->without);
        cJSON_AddStringToObject(row, "row", "pass");
        cJSON_AddStringToObject(row, "name", pass->name);
        cJSON_AddStringToObject(row, "without", pass->without);
        ok = output_row(out, row) && ok;
    }
    return ok;
}

/* ---- A plan as data -------------------------------------------------------------------------- */

static double value_of(const plx_attribute *attribute, int k) {
    return attribute->real ? attribute->real[k] : (double)attribute->whole[k];
}

cJSON *attributes_of(const plx_step *step) {
    cJSON *object = cJSON_CreateObject();
    for (int i = 0; i < step->attributes_count; ++i) {
        const plx_attribute *attribute = &step->attributes[i];
        if (attribute->count == 1) {
            cJSON_AddNumberToObject(object, attribute->name, value_of(attribute, 0));
            continue;
        }
        cJSON *list = cJSON_AddArrayToObject(object, attribute->name);
        for (int k = 0; k < attribute->count; ++k)
            cJSON_AddItemToArray(list, cJSON_CreateNumber(value_of(attribute, k)));
    }
    return object;
}

_Static_assert(PLX_BUFFER_KINDS_ == 5, "each kind of buffer has a name here");

static const char *kind_name(plx_buffer_kind kind) {
    static const char *const names[PLX_BUFFER_KINDS_] = {
        [PLX_BUFFER_TENSOR] = "tensor",     [PLX_BUFFER_INPUT] = "input",
        [PLX_BUFFER_CONSTANT] = "constant", [PLX_BUFFER_SLAB] = "slab",
        [PLX_BUFFER_KEPT] = "kept",
    };
    return names[kind];
}

static bool print_buffer(output *out, int number, const plx_buffer *buffer) {
    fprintf(output_tables(out), "%5d  %-9s %-32s %14" PRId64 " bytes\n", number,
            kind_name(buffer->kind), buffer->name, buffer->bytes);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "row", "buffer");
    cJSON_AddNumberToObject(row, "buffer", number);
    cJSON_AddStringToObject(row, "kind", kind_name(buffer->kind));
    cJSON_AddStringToObject(row, "name", buffer->name);
    cJSON_AddNumberToObject(row, "bytes", (double)buffer->bytes);
    return output_row(out, row);
}

/* role: "input" or "output"; k: its number. */
static bool print_operand(output *out, int step, const char *role, int k,
                          const plx_operand *operand) {
    FILE *to = output_tables(out);
    fprintf(to, "       %-7s%3d  buffer %d + %" PRId64 ", [", role, k, operand->buffer,
            operand->offset);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "row", "operand");
    cJSON_AddNumberToObject(row, "step", step);
    cJSON_AddStringToObject(row, "role", role);
    cJSON_AddNumberToObject(row, "number", k);
    cJSON_AddNumberToObject(row, "buffer", operand->buffer);
    cJSON_AddNumberToObject(row, "offset", (double)operand->offset);
    cJSON_AddNumberToObject(row, "dtype", operand->dtype);
    cJSON_AddBoolToObject(row, "written", operand->written);
    cJSON *shape = cJSON_AddArrayToObject(row, "shape");
    for (int d = 0; d < operand->rank; ++d) {
        fprintf(to, "%s%" PRId64, d ? ", " : "", operand->dims[d]);
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)operand->dims[d]));
    }
    fprintf(to, "]%s\n", operand->written ? ", also written" : "");
    return output_row(out, row);
}

bool print_operands(output *out, const plx_plan_table *table) {
    FILE *to = output_tables(out);
    bool ok = true;
    fprintf(to, "\nbuffers\n");
    for (int i = 0; i < table->buffers_count; ++i)
        ok = print_buffer(out, i, &table->buffers[i]) && ok;
    fprintf(to, "\nsteps: attributes; operands\n");
    for (int s = 0; s < table->steps_count; ++s) {
        const plx_step *step = &table->steps[s];
        cJSON *attributes = attributes_of(step);
        char *text = cJSON_PrintUnformatted(attributes);
        fprintf(to, "%5d  %s %s\n", s, step->op, text ? text : "");
        cJSON_free(text);
        cJSON_Delete(attributes);
        for (int k = 0; k < step->inputs_count; ++k)
            ok = print_operand(out, s, "input", k, &step->inputs[k]) && ok;
        if (step->output.buffer >= 0) ok = print_operand(out, s, "output", 0, &step->output) && ok;
    }
    fputc('\n', to);
    return ok;
}
