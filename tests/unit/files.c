#include "check.h"

#include <locale.h>
#include <string.h>

static void refuse_idx(plx_check *t, plx_ctx *ctx, const char *why, const uint8_t *bytes,
                       size_t size, const char *expected) {
    plx_idx idx;
    const plx_status status = plx_idx_parse(ctx, bytes, size, &idx);
    CHECK(t, status == PLX_ERR_FORMAT && strstr(plx_message(ctx), expected), "idx, %s: %s, \"%s\"",
          why, plx_status_name(status), plx_message(ctx));
}

static void idx(plx_check *t, plx_ctx *ctx) {
    const uint8_t good[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    plx_idx array;
    CHECK(t, plx_idx_parse(ctx, good, sizeof good, &array) == PLX_OK, "good idx: %s",
          plx_message(ctx));
    CHECK(t, array.rank == 2 && array.dims[1] == 3 && array.size == 6 && array.data[5] == 6,
          "its values");
    refuse_idx(t, ctx, "empty", good, 0, "too few");
    refuse_idx(t, ctx, "half a header", good, 9, "fewer than its header");
    refuse_idx(t, ctx, "truncated", good, sizeof good - 1, "truncated");
    const uint8_t longer[] = {0, 0, 8, 1, 0, 0, 0, 1, 7, 0};
    refuse_idx(t, ctx, "with a byte behind it", longer, sizeof longer, "holds 2; it is too long");
    const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0};
    refuse_idx(t, ctx, "compressed", gzip, sizeof gzip, "compressed");
    const uint8_t floats[] = {0, 0, 0x0d, 1, 0, 0, 0, 0};
    refuse_idx(t, ctx, "floats", floats, sizeof floats, "unsigned bytes");
    const uint8_t lying[] = {0,    0,    8,    4,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    refuse_idx(t, ctx, "dimensions that overflow", lying, sizeof lying, "overflow");
    const uint8_t deep[] = {0, 0, 8, 200, 0, 0, 0, 1};
    refuse_idx(t, ctx, "200 dimensions", deep, sizeof deep, "200 dimensions");
}

/* The bytes of a literal, including zeros. */
#define TEXT(literal) literal, sizeof(literal) - 1

typedef struct table {
    const char *what, *text;
    size_t size;
    int64_t rows, columns;
    bool names;
    double values[6];
} table;

static const table tables[] = {
    {"names and blanks", TEXT("a, b\r\n1, 2.5\r\n\n-3e2,\"4\"\r\n"), 2, 2, true, {1, 2.5, -300, 4}},
    {"one number", TEXT("7"), 1, 1, false, {7}},
    {"all cells in quotes", TEXT("\"1\",\"2\"\n\"3\",\"4\"\n"), 2, 2, false, {1, 2, 3, 4}},
    {"names with all that quotes allow",
     TEXT("\"a \"\"b\"\"\",\"c,\r\nd\"\n1,2\n"),
     1,
     2,
     true,
     {1, 2}},
    {"a name with an inch sign, an index without a name",
     TEXT(",5x7\" b\n1,2\n"),
     1,
     2,
     true,
     {1, 2}},
    {"lines that end in CR", TEXT("a,b\r1,2\r3,4"), 2, 2, true, {1, 2, 3, 4}},
    {"blank lines everywhere", TEXT("\n \r\n1,2\n\t\n\n3,4\n\r\n \n"), 2, 2, false, {1, 2, 3, 4}},
    {"the mark of UTF-8 before numbers",
     TEXT("\xef\xbb\xbf"
          "1,2\n"),
     1,
     2,
     false,
     {1, 2}},
    {"the mark of UTF-8 before names", TEXT("\xef\xbb\xbf\"a\",b\n1,2\n"), 1, 2, true, {1, 2}},
    {"semicolons and decimal commas",
     TEXT("x;y\n1,5;-2,5e3\n3;4\n"),
     2,
     2,
     true,
     {1.5, -2500, 3, 4}},
    {"semicolons and decimal points", TEXT("1.5;2\n"), 1, 2, false, {1.5, 2}},
    {"a semicolon within a name", TEXT("\"a;b\",c\n1,2\n"), 1, 2, true, {1, 2}},
    {"years, which are numbers", TEXT("2019,2020\n1,2\n"), 2, 2, false, {2019, 2020, 1, 2}},
    {"seconds since 1970", TEXT("1700000000\n1700000001\n"), 2, 1, false, {1700000000, 1700000001}},
    {"Excel's hint of semicolons", TEXT("sep=;\r\n1,5\r\n2\r\n"), 2, 1, false, {1.5, 2}},
    {"Excel's hint of commas, behind the mark of UTF-8",
     TEXT("\xef\xbb\xbf"
          "SEP=,\n\na;b,c\n1,2\n"),
     1,
     2,
     true,
     {1, 2}},
    {"names that begin as the hint does", TEXT("sep=,b\n1,2\n"), 1, 2, true, {1, 2}},
    {"names of two, three and four bytes a character",
     TEXT("\xc3\xbc,\xe2\x82\xac\xed\x9f\xbf,\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\n1,2,3\n"),
     1,
     3,
     true,
     {1, 2, 3}},
    {"a name that elsewhere is a missing value", TEXT("Na,K\n1,2\n"), 1, 2, true, {1, 2}},
    {"17 digits", TEXT("0.10000000000000001\n"), 1, 1, false, {0.1}},
};

static void read_tables(plx_check *t, plx_ctx *ctx) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; ++i) {
        const table *right = &tables[i];
        plx_csv csv = {0};
        if (!CHECK(t, plx_csv_parse(ctx, right->text, right->size, &csv) == PLX_OK, "%s: %s",
                   right->what, plx_message(ctx)))
            continue;
        CHECK(t,
              csv.rows == right->rows && csv.columns == right->columns && csv.names == right->names,
              "%s: %d x %d, names %d", right->what, (int)csv.rows, (int)csv.columns, csv.names);
        for (int64_t k = 0; k < right->rows * right->columns; ++k)
            CHECK(t, csv.values[k] == right->values[k], "%s: value %d is %.17g", right->what,
                  (int)k, csv.values[k]);
        plx_csv_free(&csv);
    }
}

typedef struct refusal {
    const char *text;
    size_t size;
    const char *expected;
} refusal;

static const refusal refusals[] = {
    {TEXT(""), "csv: there are no rows of numbers"},
    {TEXT("\nx,y\n"), "csv: there are no rows of numbers, only column names"},
    {TEXT("sep=;\n"), "csv: there are no rows of numbers"},
    {TEXT("sep=|\n1|2\n"), "line 1, column 1: \"sep=|\" names neither commas nor semicolons"},
    {TEXT("1,2\n3,x\n"), "line 2, column 2: \"x\" is not a finite number"},
    {TEXT("1,2\n3\n"),
     "line 2, column 2: the row has 1 cell, but line 1 has 2; cells are separated by commas"},
    {TEXT("\na,b\n\n1,2,3\n"), "line 4, column 3: the row has 3 cells, but line 2 has 2"},
    {TEXT("1;2\n1,5\n"),
     "line 2, column 2: the row has 1 cell, but line 1 has 2; cells are separated by semicolons"},
    {TEXT("1,nan\n"), "line 1, column 2: \"nan\" is not a finite number; replace it"},
    {TEXT("-Inf,NaN\n"), "line 1, column 1: \"-Inf\" is not a finite number; replace it"},
    {TEXT("1,\n"), "line 1, column 2: the cell is empty"},
    {TEXT("a,b\n1,\"\"\n"), "line 2, column 2: the cell is empty"},
    {TEXT(",,\n"), "line 1, column 1: the cell is empty"},
    {TEXT("NA,na\n1,2\n"), "line 1, column 1: \"NA\" marks a missing value; every cell"},
    {TEXT(",N/A\n1,2\n"), "line 1, column 1: the cell is empty; every cell"},
    {TEXT("null,None\n1,2\n"), "line 1, column 1: \"null\" marks a missing value"},
    {TEXT("a,b\n1,None\n"), "line 2, column 2: \"None\" marks a missing value"},
    {TEXT("a,b\xfc\n1,2\n"), "line 1, column 2: there are bytes that are not UTF-8"},
    {TEXT("a,\"b\xc3\",c\n1,2,3\n"), "line 1, column 2: there are bytes that are not UTF-8"},
    {TEXT("a\n1\n\xe4\n"), "line 3, column 1: there are bytes that are not UTF-8"},
    {TEXT("\xc0\xaf\n1\n"), "line 1, column 1: there are bytes that are not UTF-8"},
    {TEXT("\xe0\x80\xaf\n1\n"), "line 1, column 1: there are bytes that are not UTF-8"},
    {TEXT("\xed\xa0\x80\n1\n"), "line 1, column 1: there are bytes that are not UTF-8"},
    {TEXT("\xf4\x90\x80\x80\n1\n"), "line 1, column 1: there are bytes that are not UTF-8"},
    {TEXT("\x80\n1\n"), "line 1, column 1: there are bytes that are not UTF-8"},
    {TEXT("1,0x10\n"), "line 1, column 2"},
    {TEXT("1,1e\n"), "line 1, column 2"},
    {TEXT("1,1e999\n"), "not a finite number"},
    {TEXT("name,2019\n"), "column 1: \"name\" is not a finite number; a first line"},
    {TEXT("\"1,5\",\"2,5\"\n"), "line 1, column 1: \"1,5\" has a comma within a number"},
    {TEXT("1.5;2\n3;2,5\n"), "line 2, column 2: \"2,5\" has a decimal comma after"},
    {TEXT("1,5;2\n3;1.234\n"), "line 2, column 2: \"1.234\" has a decimal point after"},
    {TEXT("1;1.234,5\n"), "line 1, column 2: \"1.234,5\" is not a finite number"},
    {TEXT("a\tb\n1\t2\n"), "line 2, column 1: \"1 2\" is not a finite number; commas or"},
    {TEXT("1,2\n3,\"4\n5,6\n"), "line 2, column 2: the quote that begins here is not closed"},
    {TEXT("1,\"2\"3\n"), "line 1, column 2: text follows the closing quote"},
    {TEXT("\"a\nb\",c\n1,x\n"), "line 3, column 2: \"x\""},
    {TEXT("\xff\xfe"
          "1\0,\0"
          "2\0"),
     "mark of UTF-16 (little-endian); save the table as UTF-8"},
    {TEXT("\xfe\xff\0"
          "1"),
     "line 1, column 1: the byte order mark of UTF-16 (big-endian)"},
    {TEXT("\xff\xfe\0\0"
          "1\0\0\0"),
     "UTF-32 (little-endian)"},
    {TEXT("\0\0\xfe\xff\0\0\0"
          "1"),
     "UTF-32 (big-endian)"},
    {TEXT("1\0,\0"
          "2\0\n\0"),
     "line 1, column 1: there is a zero byte, as in UTF-16"},
    {TEXT("a,b\n1,\"2\0\"\n"), "line 2, column 2: there is a zero byte"},
    {TEXT("1,2\n\0\0\0\0"), "line 2, column 1: there is a zero byte"},
};

static void refuse_csv(plx_check *t, plx_ctx *ctx, const refusal *r) {
    plx_csv csv = {.rows = -1};
    const plx_status status = plx_csv_parse(ctx, r->text, r->size, &csv);
    CHECK(t, status == PLX_ERR_FORMAT && strstr(plx_message(ctx), r->expected),
          "csv \"%s\": %s, \"%s\"", r->text, plx_status_name(status), plx_message(ctx));
    CHECK(t, csv.rows == -1, "csv \"%s\": the table was changed", r->text);
}

/* A cell of 600 digits, once truncated to 63 and so another number, is refused; so is a cell of
 * 511 characters that is not a number, quoted by its start. A line may have two million cells. */
static void long_csv(plx_check *t, plx_ctx *ctx) {
    enum { CELLS = 2000000 };
    static char text[2 * CELLS];
    memset(text, '1', 600);
    refuse_csv(t, ctx, &(refusal){text, 600, "1111111111111111...\" has too many characters"});
    memset(text, 'x', 511);
    text[39] = (char)0xc3;
    text[40] = (char)0xa9;
    text[511] = ',';
    text[512] = '1';
    text[513] = '\n';
    refuse_csv(t, ctx, &(refusal){text, 514, "xxx...\" is not a finite number"});
    for (int i = 0; i < CELLS; ++i) {
        text[2 * i] = (char)('0' + i % 10);
        text[2 * i + 1] = i + 1 < CELLS ? ',' : '\n';
    }
    plx_csv csv = {0};
    if (!CHECK(t, plx_csv_parse(ctx, text, sizeof text, &csv) == PLX_OK, "%s", plx_message(ctx)))
        return;
    CHECK(t, csv.rows == 1 && csv.columns == CELLS && csv.values[CELLS - 1] == 9, "%d columns",
          (int)csv.columns);
    plx_csv_free(&csv);
}

void plx_test_unit_files(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    idx(t, ctx);
    /* The language that the environment names; tests/cli/machine.test.mjs sets one with decimal
     * commas. */
    (void)setlocale(LC_NUMERIC, "");
    read_tables(t, ctx);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; ++i)
        refuse_csv(t, ctx, &refusals[i]);
    long_csv(t, ctx);
    (void)setlocale(LC_NUMERIC, "C");
    plx_ctx_free(ctx);
}
