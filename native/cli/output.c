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

/* Devices and pipes are written as they are: there is nothing to put in their place. */
static bool is_direct(const char *name) {
    struct stat status;
    return is_stdout(name) || (stat(name, &status) == 0 && !S_ISREG(status.st_mode));
}

static void part_name(char *text, size_t size, const char *name) {
    snprintf(text, size, "%s.part", name);
}

static FILE *open_part(const char *name) {
    if (is_stdout(name)) return stdout;
    char part[4096];
    part_name(part, sizeof part, name);
    if (strlen(name) + 6 > sizeof part) errno = ENAMETOOLONG;
    FILE *file = strlen(name) + 6 > sizeof part ? NULL : fopen(is_direct(name) ? name : part, "w");
    if (!file) report(EXIT_FAILED, "cannot write \"%s\": %s.", name, strerror(errno));
    return file;
}

static bool writable(const char *name) {
    struct stat status;
    const bool there = !is_stdout(name) && stat(name, &status) == 0;
    if (!there) return true;
    /* The folder may take new files while the old one of this name is protected. */
    if (S_ISDIR(status.st_mode))
        report(EXIT_FAILED, "cannot write \"%s\": it is a folder.", name);
    else if (access(name, W_OK) != 0)
        report(EXIT_FAILED, "cannot write \"%s\": %s.", name, strerror(errno));
    else
        return true;
    return false;
}

/* Where a link leads, so that the link stays; the name itself where nothing is yet. */
static char *resolve(const char *name) {
    if (!name) return NULL;
    char *real = is_stdout(name) ? NULL : realpath(name, NULL);
    return real ? real : strdup(name);
}

bool output_open(output *out) {
    *out = (output){.json = resolve(arguments.json),
                    .csv = resolve(arguments.csv),
                    .tables = resolve(arguments.tables)};
    bool ok = (!out->json || writable(out->json)) && (!out->csv || writable(out->csv)) &&
              (!out->tables || writable(out->tables));
    if (ok && out->json) ok = (out->json_file = open_part(out->json)) != NULL;
    if (ok && out->tables) ok = (out->tables_file = open_part(out->tables)) != NULL;
    if (ok && out->csv) {
        out->rows = cJSON_CreateArray();
        ok = out->rows && (out->csv_file = open_part(out->csv)) != NULL;
    }
    if (!ok) output_close(out, false);
    return ok;
}

FILE *output_tables(const output *out) {
    const bool taken = (out->json && is_stdout(out->json)) || (out->csv && is_stdout(out->csv));
    return taken ? stderr : stdout;
}

static bool write_json(output *out, const cJSON *row) {
    char *line = cJSON_PrintUnformatted(row);
    /* Flushed, so that a process that is killed leaves the rows it had. */
    const bool ok = line && fprintf(out->json_file, "%s\n", line) > 0 && !fflush(out->json_file);
    cJSON_free(line);
    if (!ok && !out->failed)
        report(EXIT_FAILED, "writing \"%s\" failed: %s.", out->json, strerror(errno));
    out->failed |= !ok;
    return ok;
}

bool output_row(output *out, cJSON *row) {
    const bool ok = row && (!out->json_file || write_json(out, row));
    if (row && out->rows)
        cJSON_AddItemToArray(out->rows, row);
    else
        cJSON_Delete(row);
    return ok;
}

/* ---- CSV --------------------------------------------------------------------------------------*/

/* flat gets the leaves of value under dotted names: {"a": {"b": 1}} becomes a.b. */
static void flatten(const cJSON *value, const char *path, cJSON *flat) {
    if (!cJSON_IsObject(value)) {
        if (!cJSON_HasObjectItem(flat, path))
            cJSON_AddItemToObject(flat, path, cJSON_Duplicate(value, true));
        return;
    }
    const cJSON *child;
    cJSON_ArrayForEach(child, value) {
        char name[256];
        snprintf(name, sizeof name, "%s%s%s", path, *path ? "." : "", child->string);
        flatten(child, name, flat);
    }
}

/* Quoted where RFC 4180 asks for it. */
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
    if (cJSON_IsArray(value)) {
        const cJSON *item;
        cJSON_ArrayForEach(item, value) {
            if (item != value->child) fputc(' ', file);
            write_cell(file, item);
        }
        return;
    }
    char *text = cJSON_PrintUnformatted(value);
    if (text) write_text(file, text);
    cJSON_free(text);
}

static bool write_csv(output *out) {
    cJSON *columns = cJSON_CreateObject(), *rows = cJSON_CreateArray();
    const cJSON *row, *column;
    cJSON_ArrayForEach(row, out->rows) {
        cJSON *flat = cJSON_CreateObject();
        flatten(row, "", flat);
        flatten(row, "", columns);
        cJSON_AddItemToArray(rows, flat);
    }
    cJSON_ArrayForEach(column, columns) {
        if (column != columns->child) fputc(',', out->csv_file);
        write_text(out->csv_file, column->string);
    }
    fputs("\r\n", out->csv_file);
    cJSON_ArrayForEach(row, rows) {
        cJSON_ArrayForEach(column, columns) {
            if (column != columns->child) fputc(',', out->csv_file);
            write_cell(out->csv_file, cJSON_GetObjectItemCaseSensitive(row, column->string));
        }
        fputs("\r\n", out->csv_file);
    }
    cJSON_Delete(columns);
    cJSON_Delete(rows);
    return !ferror(out->csv_file);
}

/* ---- The end -------------------------------------------------------------------------------- */

/* told: that it failed is known. */
static bool finish(FILE *file, const char *name, bool keep, bool told) {
    if (!file) return true;
    if (is_stdout(name)) return !fflush(file);
    if (is_direct(name)) {
        const bool flushed = !ferror(file);
        if (!fclose(file) && flushed) return true;
        if (!told) report(EXIT_FAILED, "writing \"%s\" failed: %s.", name, strerror(errno));
        return false;
    }
    char part[4096];
    part_name(part, sizeof part, name);
    const bool written = !ferror(file);
    const bool whole = !fclose(file) && written;
    if (keep && whole && !rename(part, name)) return true;
    if (keep && !told) report(EXIT_FAILED, "writing \"%s\" failed: %s.", name, strerror(errno));
    remove(part);
    return !keep;
}

bool output_close(output *out, bool keep) {
    bool ok = true;
    if (keep && out->csv_file) ok = write_csv(out);
    ok &= finish(out->csv_file, out->csv, keep && ok, out->failed);
    ok &= finish(out->json_file, out->json, keep && !out->failed, out->failed);
    ok &= finish(out->tables_file, out->tables, keep, false);
    cJSON_Delete(out->rows);
    free(out->json);
    free(out->csv);
    free(out->tables);
    *out = (output){0};
    return ok;
}
