#include "row_file.h"

#include "command.h"
#include "estimate.h"
#include "read_file.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rounds must be finite numbers; those of a figure of speed must be above 0. */
static const char *rounds_complaint(const cJSON *row, char *text, size_t size) {
    const cJSON *rounds = row_get(row, "samples.rounds"), *round;
    const bool speed = cJSON_IsTrue(row_get(row, "primary"));
    if (!rounds) return NULL;
    const int count = cJSON_GetArraySize(rounds);
    if (!cJSON_IsArray(rounds) || !count) return "has no numbers in \"samples.rounds\"";
    if (count > ROUNDS_MOST) {
        snprintf(text, size, "has %d numbers in \"samples.rounds\", more than %d", count,
                 ROUNDS_MOST);
        return text;
    }
    int at = 0;
    cJSON_ArrayForEach(round, rounds) {
        const bool finite = cJSON_IsNumber(round) && isfinite(round->valuedouble);
        if (!finite || (speed && !(round->valuedouble > 0))) {
            snprintf(text, size, "has no number%s in \"samples.rounds[%d]\"",
                     finite ? " above 0" : "", at);
            return text;
        }
        ++at;
    }
    return NULL;
}

/* Both ends of the interval must be given, or neither. */
static const char *interval_complaint(const cJSON *row) {
    const double low = row_number(row, "samples.low"), high = row_number(row, "samples.high");
    if (!row_get(row, "samples.low") && !row_get(row, "samples.high")) return NULL;
    if (!isfinite(low)) return "has no number in \"samples.low\"";
    if (!isfinite(high)) return "has no number in \"samples.high\"";
    return low > high ? "has a \"samples.low\" above its \"samples.high\"" : NULL;
}

/* Returns NULL, or what is wrong with a row. */
static const char *complaint(const cJSON *row, char *text, size_t size) {
    if (!cJSON_IsObject(row)) return "is not a JSON object";
    const char *schema = row_text(row, "schema");
    if (strcmp(schema, ROW_SCHEMA) != 0) {
        snprintf(text, size,
                 "has schema \"%.60s\", but this version reads \"" ROW_SCHEMA
                 "\"; measure again with parallax bench --json",
                 schema);
        return text;
    }
    static const char *const texts[] = {"suite", "case", "metric", "unit", "better"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        if (*row_text(row, texts[i])) continue;
        snprintf(text, size, "has no \"%s\"", texts[i]);
        return text;
    }
    /* A void row may have any figures or none: they do not count. */
    if (cJSON_IsFalse(row_get(row, "checks.passed"))) return NULL;
    if (!isfinite(row_number(row, "samples.median"))) return "has no number in \"samples.median\"";
    const char *wrong = rounds_complaint(row, text, size);
    return wrong ? wrong : interval_complaint(row);
}

static bool add_line(cJSON *rows, const char *name, long line, const char *text, size_t length) {
    char why[256];
    cJSON *row = cJSON_ParseWithLength(text, length);
    const char *wrong = row ? complaint(row, why, sizeof why) : "is not JSON";
    if (!wrong && cJSON_AddItemToArray(rows, row)) return true;
    report(EXIT_FAILED, "\"%s\", line %ld: the row %s.", name, line, wrong ? wrong : "is too long");
    cJSON_Delete(row);
    return false;
}

static bool blank(const char *text, size_t length) {
    for (size_t i = 0; i < length; ++i)
        if (!strchr(" \t\r", text[i])) return false;
    return true;
}

cJSON *row_file_read(const char *name) {
    char message[4352], *bytes;
    size_t size;
    if (!read_file(name, &bytes, &size, message, sizeof message)) {
        report(EXIT_FAILED, "%s", message);
        return NULL;
    }
    cJSON *rows = cJSON_CreateArray();
    bool ok = rows != NULL;
    long line = 1;
    for (const char *at = bytes, *end = bytes + size; ok && at < end; ++line) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        const size_t length = (size_t)(stop - at);
        if (!blank(at, length)) ok = add_line(rows, name, line, at, length);
        at = stop + 1;
    }
    free(bytes);
    if (ok && !cJSON_GetArraySize(rows)) {
        report(EXIT_FAILED, "\"%s\" has no rows.", name);
        ok = false;
    }
    if (ok) return rows;
    cJSON_Delete(rows);
    return NULL;
}
