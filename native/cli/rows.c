#include "rows.h"

#include "build_info.h"
#include "machine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void row_set(cJSON *row, const char *path, cJSON *value) {
    const char *dot = strchr(path, '.');
    if (!dot) {
        cJSON_DeleteItemFromObjectCaseSensitive(row, path);
        cJSON_AddItemToObject(row, path, value);
        return;
    }
    char name[48];
    snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
    cJSON *object = cJSON_GetObjectItemCaseSensitive(row, name);
    if (!object) object = cJSON_AddObjectToObject(row, name);
    row_set(object, dot + 1, value);
}

const cJSON *row_get(const cJSON *row, const char *path) {
    const char *dot = strchr(path, '.');
    if (!dot) return cJSON_GetObjectItemCaseSensitive(row, path);
    char name[48];
    snprintf(name, sizeof name, "%.*s", (int)(dot - path), path);
    return row_get(cJSON_GetObjectItemCaseSensitive(row, name), dot + 1);
}

const char *row_text(const cJSON *row, const char *path) {
    const char *text = cJSON_GetStringValue(row_get(row, path));
    return text ? text : "";
}

double row_number(const cJSON *row, const char *path) {
    const cJSON *value = row_get(row, path);
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

/* Fields that only this side of the measurement knows. */
static void add_front_end(cJSON *row) {
    char date[32];
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    row_set(row, "engine.kind", cJSON_CreateString("native"));
    row_set(row, "machine.name", cJSON_CreateString(machine_name()));
    row_set(row, "machine.cpus", cJSON_CreateNumber(machine_cpus()));
    if (machine_cpu_quota() > 0)
        row_set(row, "machine.cpuQuota", cJSON_CreateNumber(machine_cpu_quota()));
    row_set(row, "machine.system", cJSON_CreateString(machine_system()));
    if (machine_memory_bytes() > 0)
        row_set(row, "machine.memoryBytes", cJSON_CreateNumber(machine_memory_bytes()));
    row_set(row, "compiler", cJSON_CreateString(PLX_BUILD_COMPILER));
    row_set(row, "commit", cJSON_CreateString(PLX_BUILD_COMMIT));
    row_set(row, "date", cJSON_CreateString(date));
}

static cJSON *field_value(const plx_field *field) {
    switch (field->kind) {
    case PLX_FIELD_TEXT: return cJSON_CreateString(field->text);
    case PLX_FIELD_BOOLEAN: return cJSON_CreateBool(field->number != 0);
    case PLX_FIELD_NUMBERS: return cJSON_CreateDoubleArray(field->numbers, field->count);
    case PLX_FIELD_NUMBER: break;
    }
    return cJSON_CreateNumber(field->number);
}

cJSON *row_from_bench(const plx_bench *bench, int fields) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    for (int i = 0; i < fields; ++i) {
        const plx_field *field = plx_bench_field(bench, i);
        row_set(row, field->path, field_value(field));
    }
    /* The schema requires it, though a case may have none. */
    if (!row_get(row, "parameters")) cJSON_AddObjectToObject(row, "parameters");
    add_front_end(row);
    return row;
}

static void add_engine(cJSON *row, const plx_ctx *ctx) {
    const plx_ctx_info info = plx_ctx_get_info(ctx);
    row_set(row, "engine.name", cJSON_CreateString("parallax"));
    row_set(row, "engine.version", cJSON_CreateString(plx_version()));
    row_set(row, "engine.isa", cJSON_CreateString(info.isa));
    row_set(row, "engine.gemm", cJSON_CreateString(info.gemm));
    row_set(row, "engine.threads", cJSON_CreateNumber(info.threads));
    row_set(row, "engine.vectorBits", cJSON_CreateNumber(info.vector_bits));
    row_set(row, "engine.fma", cJSON_CreateBool(info.fma));
    row_set(row, "engine.exact", cJSON_CreateBool(info.exact));
}

cJSON *row_of_figure(const plx_ctx *ctx, const char *suite, const char *name, const char *metric,
                     const char *unit, const char *better, double value) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "schema", ROW_SCHEMA);
    cJSON_AddStringToObject(row, "suite", suite);
    cJSON_AddStringToObject(row, "case", name);
    cJSON_AddObjectToObject(row, "parameters");
    cJSON_AddStringToObject(row, "metric", metric);
    cJSON_AddStringToObject(row, "unit", unit);
    cJSON_AddStringToObject(row, "better", better);
    cJSON_AddBoolToObject(row, "primary", false);
    row_set(row, "samples.count", cJSON_CreateNumber(1));
    row_set(row, "samples.median", cJSON_CreateNumber(value));
    row_set(row, "samples.p10", cJSON_CreateNumber(value));
    row_set(row, "samples.p90", cJSON_CreateNumber(value));
    add_engine(row, ctx);
    row_set(row, "data.kind", cJSON_CreateString("synthetic"));
    row_set(row, "checks.passed", cJSON_CreateTrue());
    add_front_end(row);
    return row;
}
