#include "output.h"

#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdout(const char *name) {
    return !strcmp(name, "-");
}

/* Devices and pipes are written directly: renaming a file would replace them. */
static bool is_direct(const char *name) {
    struct stat status;
    return is_stdout(name) || (stat(name, &status) == 0 && !S_ISREG(status.st_mode));
}

static bool refuse(const char *name, const char *why) {
    report(EXIT_FAILED, "cannot write \"%s\": %s.", name, why);
    return false;
}

static char *part_name(const char *name) {
    char *part = NULL;
    return asprintf(&part, "%s.part", name) < 0 ? NULL : part;
}

static bool open_file(output_file *out) {
    if (out->file) return true;
    if (is_stdout(out->name)) {
        out->file = stdout;
        return true;
    }
    char *part = part_name(out->name);
    if (part) out->file = fopen(is_direct(out->name) ? out->name : part, "w");
    free(part);
    return out->file || refuse(out->name, strerror(errno));
}

/* Whether the file can be written; leaves no trace. */
static bool writable(output_file *out) {
    struct stat status;
    if (!out->name || is_stdout(out->name)) return true;
    const bool there = stat(out->name, &status) == 0;
    if (there && S_ISDIR(status.st_mode)) return refuse(out->name, "it is a folder");
    /* The folder may take new files although the existing file is protected. */
    if (there && access(out->name, W_OK) != 0) return refuse(out->name, strerror(errno));
    if (!open_file(out)) return false;
    if (is_direct(out->name)) return true;
    fclose(out->file);
    out->file = NULL;
    char *part = part_name(out->name);
    if (part) remove(part);
    free(part);
    return true;
}

/* The target of a link, so that the link stays; the name itself if nothing exists yet. */
static char *resolve(const char *name) {
    if (!name) return NULL;
    char *real = is_stdout(name) ? NULL : realpath(name, NULL);
    return real ? real : strdup(name);
}

bool output_open(output *out) {
    *out = (output){.json.name = resolve(arguments.json),
                    .csv.name = resolve(arguments.csv),
                    .tables.name = resolve(arguments.tables)};
    bool ok = writable(&out->json) && writable(&out->tables) && writable(&out->csv);
    if (ok && out->csv.name) ok = output_keep(out);
    if (!ok) output_close(out, false);
    return ok;
}

bool output_keep(output *out) {
    if (!out->rows) out->rows = cJSON_CreateArray();
    return out->rows || !report(EXIT_FAILED, "there is not enough memory for the rows.");
}

FILE *output_tables(const output *out) {
    const bool taken = (out->json.name && is_stdout(out->json.name)) ||
                       (out->csv.name && is_stdout(out->csv.name));
    return taken ? stderr : stdout;
}

FILE *output_tables_file(output *out) {
    if (!out->tables.name || out->failed) return NULL;
    out->failed = !open_file(&out->tables);
    return out->tables.file;
}

static bool write_json(output *out, const cJSON *row) {
    /* After a failure a later, shorter row might still fit, behind the torn one. */
    if (out->failed) return false;
    if (!out->json.file && !open_file(&out->json)) {
        out->failed = true;
        return false;
    }
    FILE *file = out->json.file;
    char *line = cJSON_PrintUnformatted(row);
    /* Flushed, so that a process that is killed leaves the rows it wrote. */
    const bool ok = line && fprintf(file, "%s\n", line) > 0 && !fflush(file);
    cJSON_free(line);
    if (ok) out->json.whole = ftello(file);
    if (!ok) report(EXIT_FAILED, "writing \"%s\" failed: %s.", out->json.name, strerror(errno));
    out->failed |= !ok;
    return ok;
}

/* Drops lists of samples and of points, which only the JSON has: a CSV cell holds one value. */
static void drop_series(cJSON *row) {
    cJSON *samples = cJSON_GetObjectItemCaseSensitive(row, "samples");
    cJSON_DeleteItemFromObjectCaseSensitive(samples, "values");
    cJSON_DeleteItemFromObjectCaseSensitive(samples, "rounds");
    cJSON_DeleteItemFromObjectCaseSensitive(row, "curve");
    cJSON_DeleteItemFromObjectCaseSensitive(row, "histogram");
    cJSON_DeleteItemFromObjectCaseSensitive(row, "scatter");
}

bool output_row(output *out, cJSON *row) {
    const bool ok = row && (!out->json.name || write_json(out, row));
    if (row && out->rows) {
        drop_series(row);
        cJSON_AddItemToArray(out->rows, row);
    } else {
        cJSON_Delete(row);
    }
    return ok;
}

/* ---- CSV --------------------------------------------------------------------------------------*/

/* Puts the leaves of value into flat under dotted names: {"a": {"b": [1, 2]}} becomes a.b.1 and
 * a.b.2. */
static bool flatten(const cJSON *value, const char *path, cJSON *flat) {
    if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
        return cJSON_GetObjectItemCaseSensitive(flat, path) ||
               cJSON_AddItemToObject(flat, path, cJSON_Duplicate(value, true));
    const cJSON *child;
    bool ok = true;
    int place = 0;
    cJSON_ArrayForEach(child, value) {
        char *name = NULL;
        const char *dot = *path ? "." : "";
        const int length = child->string ? asprintf(&name, "%s%s%s", path, dot, child->string)
                                         : asprintf(&name, "%s%s%d", path, dot, ++place);
        if (length < 0) return false;
        ok = flatten(child, name, flat) && ok;
        free(name);
    }
    return ok;
}

/* Quotes text where RFC 4180 asks for it. */
static void write_text(FILE *file, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; ++text) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_cell(FILE *file, const cJSON *value) {
    if (!value || cJSON_IsNull(value)) return;
    if (cJSON_IsString(value)) {
        write_text(file, value->valuestring);
        return;
    }
    char *text = cJSON_PrintUnformatted(value);
    if (text) write_text(file, text);
    cJSON_free(text);
}

static void write_table(FILE *file, const cJSON *columns, const cJSON *rows) {
    const cJSON *row, *column;
    cJSON_ArrayForEach(column, columns) {
        if (column != columns->child) fputc(',', file);
        write_text(file, column->string);
    }
    fputs("\r\n", file);
    cJSON_ArrayForEach(row, rows) {
        cJSON_ArrayForEach(column, columns) {
            if (column != columns->child) fputc(',', file);
            write_cell(file, cJSON_GetObjectItemCaseSensitive(row, column->string));
        }
        fputs("\r\n", file);
    }
}

static bool write_csv(output *out) {
    cJSON *columns = cJSON_CreateObject(), *rows = cJSON_CreateArray();
    const cJSON *row;
    bool ok = columns && rows;
    cJSON_ArrayForEach(row, out->rows) {
        cJSON *flat = cJSON_CreateObject();
        ok = ok && flat && flatten(row, "", flat) && flatten(row, "", columns);
        if (!ok || !cJSON_AddItemToArray(rows, flat)) cJSON_Delete(flat);
    }
    if (!ok) report(EXIT_FAILED, "there is not enough memory for the rows of the CSV.");
    if (ok && !out->csv.file) ok = open_file(&out->csv);
    if (ok) write_table(out->csv.file, columns, rows);
    out->failed |= !ok;
    cJSON_Delete(columns);
    cJSON_Delete(rows);
    return ok && !ferror(out->csv.file);
}

/* ---- The end -------------------------------------------------------------------------------- */

/* told: the failure was already reported. */
static bool finish_part(output_file *out, bool keep, bool told) {
    char *part = part_name(out->name);
    const bool written = part && !ferror(out->file);
    const bool whole = !fclose(out->file) && written;
    const bool done = keep && whole && !rename(part, out->name);
    if (keep && !done && !told)
        report(EXIT_FAILED, "writing \"%s\" failed: %s.", out->name, strerror(errno));
    if (!done && part) remove(part);
    free(part);
    return done || !keep;
}

/* Leaves FILE.part with the rows that could be written: a long run is not lost to a full disk. */
static void salvage(output_file *out) {
    char *part = part_name(out->name);
    fclose(out->file); /* may try again to write the torn row */
    out->file = NULL;
    if (part && !truncate(part, out->whole))
        report(EXIT_FAILED, "the rows before that are in \"%s\".", part);
    free(part);
}

static bool finish(output_file *out, bool keep, bool told) {
    if (!out->name || (!out->file && !keep)) return true;
    /* Without rows the file is empty, but exists. */
    if (!out->file && !open_file(out)) return false;
    if (is_stdout(out->name)) return !fflush(out->file);
    if (!is_direct(out->name)) return finish_part(out, keep, told);
    const bool flushed = !ferror(out->file);
    if (!fclose(out->file) && flushed) return true;
    if (!told) report(EXIT_FAILED, "writing \"%s\" failed: %s.", out->name, strerror(errno));
    return false;
}

bool output_close(output *out, bool keep) {
    bool ok = true;
    if (keep && out->csv.name) ok = write_csv(out);
    ok &= finish(&out->csv, keep && ok, out->failed);
    if (keep && out->failed && out->json.whole > 0 && !is_direct(out->json.name))
        salvage(&out->json);
    ok &= finish(&out->json, keep && !out->failed, out->failed);
    ok &= finish(&out->tables, keep, out->failed);
    ok &= !out->failed;
    cJSON_Delete(out->rows);
    free(out->json.name);
    free(out->csv.name);
    free(out->tables.name);
    *out = (output){0};
    return ok;
}
