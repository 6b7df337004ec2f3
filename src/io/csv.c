/* Tables of numbers in the format of RFC 4180, and as spreadsheets write them. The text is
 * untrusted and need not end in a zero byte. It is read twice: first to count the cells, then, with
 * memory allocated, to read them. */
#include "parallax_files.h"

#include "base/context.h"

#include "base/platform.h"
#include "io/utf8.h"

#include <string.h>

enum { CELL_BYTES = 512, SHOWN_BYTES = 40 };

typedef struct reader {
    plx__message *message;
    const char *at, *end;
    int64_t line;      /* line number of at */
    int64_t first;     /* line of the first row, which may hold names; 0: none yet */
    char delimiter;    /* ',' or ';' */
    char decimal_sign; /* '.' or ','; 0: none yet */
} reader;

/* Points into the text, without surrounding blanks and quotes; quotes inside are still doubled. */
typedef struct cell {
    const char *text;
    size_t length;
    int64_t line, column;
} cell;

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Length of the line ending here: 1 or 2 bytes, or 0 if there is none. */
static size_t line_end(const reader *r) {
    if (r->at == r->end || (*r->at != '\n' && *r->at != '\r')) return 0;
    return *r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n' ? 2 : 1;
}

static plx_status refuse(const reader *r, const cell *c, const char *why) {
    return plx__fail(r->message, PLX_ERR_FORMAT, "csv: line %lld, column %lld: %s",
                     (long long)c->line, (long long)c->column, why);
}

/* Fails with "TEXT" WHY, without control characters or a cut-off character, which would garble the
 * message. */
static plx_status refuse_text(const reader *r, const cell *c, const char *why) {
    char shown[SHOWN_BYTES + 1];
    size_t length = c->length < SHOWN_BYTES ? c->length : SHOWN_BYTES;
    if (length < c->length)
        while (length && ((unsigned char)c->text[length] & 0xc0) == 0x80) --length;
    for (size_t i = 0; i < length; ++i)
        shown[i] = (unsigned char)c->text[i] < ' ' ? ' ' : c->text[i];
    shown[length] = 0;
    return plx__fail(r->message, PLX_ERR_FORMAT, "csv: line %lld, column %lld: \"%s%s\" %s",
                     (long long)c->line, (long long)c->column, shown,
                     length < c->length ? "..." : "", why);
}

/* ---- Cells ----------------------------------------------------------------------------------- */

static void set_text(cell *c, const char *first, const char *last) {
    while (first < last && is_blank(*first)) ++first;
    while (first < last && is_blank(last[-1])) --last;
    c->text = first;
    c->length = (size_t)(last - first);
}

static plx_status refuse_zero(const reader *r, const cell *c) {
    return refuse(r, c,
                  "there is a zero byte, as in UTF-16 and binary files; save the table as UTF-8");
}

/* Reads up to the closing quote and the blanks after it. */
static plx_status quoted_cell(reader *r, cell *c) {
    const char *first = ++r->at;
    while (r->at < r->end && *r->at) {
        const size_t ends = line_end(r);
        if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"')) break;
        r->line += ends != 0;
        r->at += ends ? ends : *r->at == '"' ? 2 : 1;
    }
    if (r->at == r->end) return refuse(r, c, "the quote that begins here is not closed");
    if (!*r->at) return refuse_zero(r, c);
    set_text(c, first, r->at++);
    while (r->at < r->end && is_blank(*r->at)) ++r->at;
    if (r->at == r->end || *r->at == r->delimiter || line_end(r)) return PLX_OK;
    return refuse(r, c, "text follows the closing quote; double a quote within quotes");
}

static plx_status plain_cell(reader *r, cell *c) {
    const char *first = r->at;
    while (r->at < r->end && *r->at && *r->at != r->delimiter && !line_end(r)) ++r->at;
    if (r->at < r->end && !*r->at) return refuse_zero(r, c);
    set_text(c, first, r->at);
    return PLX_OK;
}

/* *last: the row has no further cell, and the line ending has been skipped. */
static plx_status next_cell(reader *r, int64_t column, cell *c, bool *last) {
    while (r->at < r->end && is_blank(*r->at)) ++r->at;
    *c = (cell){.line = r->line, .column = column};
    const bool quoted = r->at < r->end && *r->at == '"';
    PLX_TRY(quoted ? quoted_cell(r, c) : plain_cell(r, c));
    if (!plx__is_utf8(c->text, c->length))
        return refuse(r, c,
                      "there are bytes that are not UTF-8, as in Latin-1; save the table as UTF-8");
    *last = r->at == r->end || *r->at != r->delimiter;
    r->line += line_end(r) != 0;
    r->at += *last ? line_end(r) : 1;
    return PLX_OK;
}

static void skip_blank_lines(reader *r) {
    for (;;) {
        reader ahead = *r;
        while (ahead.at < ahead.end && is_blank(*ahead.at)) ++ahead.at;
        const size_t ends = line_end(&ahead);
        if (ahead.at < ahead.end && !ends) return;
        r->at = ahead.at + ends;
        if (!ends) return;
        r->line += 1;
    }
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Compares ignoring case and a leading sign. */
static bool is_word(const cell *c, const char *word) {
    const size_t sign = c->length && (*c->text == '-' || *c->text == '+'), length = strlen(word);
    if (c->length - sign != length) return false;
    for (size_t i = 0; i < length; ++i)
        if ((c->text[sign + i] | 0x20) != word[i]) return false;
    return true;
}

static bool is_not_finite(const cell *c) {
    return is_word(c, "nan") || is_word(c, "inf") || is_word(c, "infinity");
}

/* The ways in which data tools mark an empty cell. */
static bool is_missing(const cell *c) {
    return !c->length || is_word(c, "na") || is_word(c, "n/a") || is_word(c, "null") ||
           is_word(c, "none");
}

/* Whether the cell was meant as a number, however it is written. */
static bool is_numeric(const cell *c) {
    bool digits = false;
    for (size_t i = 0; i < c->length; ++i) {
        if (!c->text[i] || !strchr("0123456789+-.,eE", c->text[i])) return is_not_finite(c);
        digits |= c->text[i] >= '0' && c->text[i] <= '9';
    }
    return digits || is_not_finite(c);
}

static plx_status refuse_number(const reader *r, const cell *c, bool comma) {
    if (is_missing(c))
        return refuse_text(r, c, "marks a missing value; every cell must hold a number");
    if (is_not_finite(c))
        return refuse_text(r, c, "is not a finite number; replace it, or remove its row");
    if (comma && r->delimiter == ',' && is_numeric(c))
        return refuse_text(
            r, c,
            "has a comma within a number; use a decimal point, or separate cells with semicolons");
    if (memchr(c->text, '\t', c->length))
        return refuse_text(r, c,
                           "is not a finite number; commas or semicolons separate cells, "
                           "tabs do not");
    if (c->line == r->first && !is_numeric(c))
        return refuse_text(
            r, c,
            "is not a finite number; a first line that names the columns must hold no numbers");
    return refuse_text(r, c, "is not a finite number");
}

/* With semicolons the decimal sign may be a comma. It must be the same in the whole table, as
 * "1.234" could mean two numbers. */
static plx_status read_number(reader *r, const cell *c, double *value) {
    char text[CELL_BYTES];
    if (!c->length) return refuse(r, c, "the cell is empty; every cell must hold a number");
    if (c->length >= sizeof text) return refuse_text(r, c, "has too many characters for a number");
    memcpy(text, c->text, c->length);
    text[c->length] = 0;
    char *comma = strchr(text, ','), sign = comma ? ',' : strchr(text, '.') ? '.' : 0;
    if (comma && r->delimiter == ';' && !strchr(text, '.')) *comma = '.';
    if (!plx_platform_number(text, value)) return refuse_number(r, c, comma != NULL);
    if (sign && r->decimal_sign && sign != r->decimal_sign)
        return refuse_text(r, c,
                           sign == '.' ? "has a decimal point after numbers with decimal commas"
                                       : "has a decimal comma after numbers with decimal points");
    if (sign) r->decimal_sign = sign;
    return PLX_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Reads one row into values (NULL: checks how many cells it has). */
static plx_status read_row(reader *r, plx_csv *csv, double *values) {
    const int64_t line = r->line;
    int64_t count = 0;
    for (bool last = false; !last;) {
        cell c;
        PLX_TRY(next_cell(r, ++count, &c, &last));
        if (values) PLX_TRY(read_number(r, &c, &values[count - 1]));
    }
    if (!csv->columns) csv->columns = count;
    if (count == csv->columns) return PLX_OK;
    return plx__fail(r->message, PLX_ERR_FORMAT,
                     "csv: line %lld, column %lld: the row has %lld cell%s, but line %lld has "
                     "%lld; cells are separated by %s",
                     (long long)line, (long long)(count < csv->columns ? count : csv->columns) + 1,
                     (long long)count, count == 1 ? "" : "s", (long long)r->first,
                     (long long)csv->columns, r->delimiter == ',' ? "commas" : "semicolons");
}

/* Whether the first row names the columns: it has no number, and not only missing values. */
static plx_status find_names(reader r, bool *names) {
    bool any = false, numbers = false, last = r.at == r.end;
    for (int64_t column = 1; !last; ++column) {
        cell c;
        PLX_TRY(next_cell(&r, column, &c, &last));
        any |= !is_missing(&c);
        numbers |= is_numeric(&c);
    }
    *names = any && !numbers;
    return PLX_OK;
}

/* A semicolon outside of quotes in the first row makes it the delimiter. */
static char find_delimiter(reader r) {
    bool quoted = false;
    for (; r.at < r.end && (quoted || !line_end(&r)); ++r.at) {
        if (*r.at == '"') quoted = !quoted;
        if (*r.at == ';' && !quoted) return ';';
    }
    return ',';
}

/* A spreadsheet's hint, "sep=;" in a line of its own, sets the delimiter and is skipped. */
static plx_status read_delimiter(reader *r) {
    enum { HINT = 5 };
    const cell hint = {.text = r->at, .length = HINT, .line = r->line, .column = 1};
    const cell key = {.text = r->at, .length = HINT - 1};
    reader ahead = *r;
    r->delimiter = find_delimiter(*r);
    if (r->end - r->at < HINT || !is_word(&key, "sep=") || !plx__is_utf8(hint.text, hint.length))
        return PLX_OK;
    ahead.at += HINT;
    if (ahead.at < ahead.end && !line_end(&ahead)) return PLX_OK;
    if (r->at[HINT - 1] != ',' && r->at[HINT - 1] != ';')
        return refuse_text(r, &hint, "names neither commas nor semicolons");
    ahead.delimiter = r->at[HINT - 1];
    skip_blank_lines(&ahead);
    *r = ahead;
    return PLX_OK;
}

/* Walks all rows; fills values when it is not NULL. */
static plx_status read_rows(reader r, plx_csv *csv, double *values) {
    csv->rows = 0;
    if (csv->names) PLX_TRY(read_row(&r, csv, NULL));
    for (skip_blank_lines(&r); r.at < r.end; skip_blank_lines(&r)) {
        PLX_TRY(read_row(&r, csv, values ? values + csv->rows * csv->columns : NULL));
        csv->rows += 1;
    }
    return PLX_OK;
}

/* Skips the byte order mark of UTF-8. Those of other encodings are rejected by name. */
static plx_status read_mark(reader *r) {
    static const struct {
        const char *bytes, *encoding;
        size_t length;
    } marks[] = {{"\xff\xfe\0\0", "UTF-32 (little-endian)", 4},
                 {"\0\0\xfe\xff", "UTF-32 (big-endian)", 4},
                 {"\xff\xfe", "UTF-16 (little-endian)", 2},
                 {"\xfe\xff", "UTF-16 (big-endian)", 2},
                 {"\xef\xbb\xbf", NULL, 3}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; ++i) {
        if ((size_t)(r->end - r->at) < marks[i].length ||
            memcmp(r->at, marks[i].bytes, marks[i].length) != 0)
            continue;
        if (marks[i].encoding)
            return plx__fail(r->message, PLX_ERR_FORMAT,
                             "csv: line 1, column 1: the byte order mark of %s; save the table as "
                             "UTF-8",
                             marks[i].encoding);
        r->at += marks[i].length;
    }
    return PLX_OK;
}

plx_status plx_csv_parse(plx_ctx *ctx, const char *text, size_t size, plx_csv *out) {
    if (size) PLX_TRY(plx__need(&ctx->message, "csv", "text", text));
    PLX_TRY(plx__need(&ctx->message, "csv", "out", out));
    reader r = {.message = &ctx->message, .at = text, .end = text ? text + size : NULL, .line = 1};
    plx_csv csv = {0};
    PLX_TRY(read_mark(&r));
    skip_blank_lines(&r);
    PLX_TRY(read_delimiter(&r));
    r.first = r.line;
    PLX_TRY(find_names(r, &csv.names));
    PLX_TRY(read_rows(r, &csv, NULL));
    if (!csv.rows)
        return plx__fail(r.message, PLX_ERR_FORMAT, "csv: there are no rows of numbers%s",
                         csv.names ? ", only column names" : "");
    /* Each cell needs a byte of the text, so the product is in range. */
    const uint64_t cells = (uint64_t)csv.rows * (uint64_t)csv.columns;
    csv.values = cells > SIZE_MAX / sizeof *csv.values
                     ? NULL
                     : plx_platform_alloc((size_t)cells * sizeof *csv.values);
    if (!csv.values)
        return plx__fail(r.message, PLX_ERR_MEMORY, "csv: no memory for %lld x %lld values",
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
