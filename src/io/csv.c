/* Comma-separated numbers. The text is untrusted and need not end in a zero. */
#include "base/context.h"

#include "base/platform.h"

#include <string.h>

enum { CELL_BYTES = 64 };

typedef struct reader {
    plx__message *message;
    const char *at, *end;
    int64_t line;
} reader;

/* The next cell without blanks and quotes around it, cut to a sensible length. Returns its
 * separator: ',', '\n', or 0 at the end of the text. */
static char next_cell(reader *r, char *cell) {
    const char *first = r->at;
    while (r->at < r->end && *r->at != ',' && *r->at != '\n') r->at += 1;
    const char *last = r->at;
    while (first < last && strchr(" \t\"", *first)) first += 1;
    while (first < last && strchr(" \t\r\"", last[-1])) last -= 1;
    size_t length = (size_t)(last - first);
    if (length > CELL_BYTES - 1) length = CELL_BYTES - 1;
    memcpy(cell, first, length);
    cell[length] = 0;
    if (r->at == r->end) return 0;
    return *r->at++;
}

static bool parse_number(const char *cell, plx_real *value) {
    double number;
    if (!plx_platform_number(cell, &number)) return false;
    *value = (plx_real)number;
    return *value - *value == 0;
}

/* A first line in which no cell is a number names the columns. */
static bool is_header(reader r) {
    char cell[CELL_BYTES];
    char separator;
    do {
        plx_real value;
        separator = next_cell(&r, cell);
        if (parse_number(cell, &value)) return false;
    } while (separator == ',');
    return true;
}

static void skip_line(reader *r) {
    while (r->at < r->end && *r->at != '\n') r->at += 1;
    if (r->at < r->end) r->at += 1;
    r->line += 1;
}

static bool blank_line(const reader *r) {
    for (const char *c = r->at; c < r->end && *c != '\n'; ++c)
        if (!strchr(" \t\r", *c)) return false;
    return true;
}

/* Reads one row into values (NULL: only counts). Returns the number of cells, or -1. */
static int64_t read_row(reader *r, int64_t columns, plx_real *values) {
    char cell[CELL_BYTES];
    int64_t count = 0;
    char separator;
    do {
        plx_real value = 0;
        separator = next_cell(r, cell);
        if (values && count < columns) {
            if (!parse_number(cell, &value)) {
                plx__fail(r->message, PLX_ERR_FORMAT,
                          "csv: line %lld, column %lld: \"%s\" is not a finite number",
                          (long long)r->line, (long long)count + 1, cell);
                return -1;
            }
            values[count] = value;
        }
        count += 1;
    } while (separator == ',');
    if (columns && count != columns) {
        plx__fail(r->message, PLX_ERR_FORMAT,
                  "csv: line %lld has %lld cells, the lines before it %lld", (long long)r->line,
                  (long long)count, (long long)columns);
        return -1;
    }
    r->line += 1;
    return count;
}

/* Walks all rows; fills values when it is not NULL. */
static plx_status read_rows(reader r, plx_csv *csv, plx_real *values) {
    csv->rows = 0;
    if (is_header(r)) skip_line(&r);
    while (r.at < r.end) {
        if (blank_line(&r)) {
            skip_line(&r);
            continue;
        }
        plx_real *row = values ? values + csv->rows * csv->columns : NULL;
        const int64_t cells = read_row(&r, csv->columns, row);
        if (cells < 0) return PLX_ERR_FORMAT;
        csv->columns = cells;
        csv->rows += 1;
    }
    return PLX_OK;
}

plx_status plx_csv_parse(plx_ctx *ctx, const char *text, size_t size, plx_csv *out) {
    if (size) PLX_TRY(plx__need(&ctx->message, "csv", "text", text));
    PLX_TRY(plx__need(&ctx->message, "csv", "out", out));
    const reader r = {&ctx->message, text, text ? text + size : NULL, 1};
    plx_csv csv = {0};
    PLX_TRY(read_rows(r, &csv, NULL));
    if (!csv.rows)
        return plx__fail(&ctx->message, PLX_ERR_FORMAT, "csv: there is no line of numbers in it");
    csv.values = plx_platform_alloc((size_t)(csv.rows * csv.columns) * sizeof *csv.values);
    if (!csv.values)
        return plx__fail(&ctx->message, PLX_ERR_MEMORY, "csv: no memory for %lld x %lld values",
                         (long long)csv.rows, (long long)csv.columns);
    const plx_status status = read_rows(r, &csv, csv.values);
    if (status != PLX_OK) {
        plx_csv_free(&csv);
        return status;
    }
    *out = csv;
    return PLX_OK;
}

void plx_csv_free(plx_csv *csv) {
    if (!csv) return;
    plx_platform_free(csv->values);
    csv->values = NULL;
}
