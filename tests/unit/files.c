#include "check.h"

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
    refuse_idx(t, ctx, "half a header", good, 9, "inside the header");
    refuse_idx(t, ctx, "truncated", good, sizeof good - 1, "truncated");
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

static void refuse_csv(plx_check *t, plx_ctx *ctx, const char *text, const char *expected) {
    plx_csv csv = {0};
    const plx_status status = plx_csv_parse(ctx, text, strlen(text), &csv);
    CHECK(t, status == PLX_ERR_FORMAT && strstr(plx_message(ctx), expected),
          "csv \"%s\": %s, \"%s\"", text, plx_status_name(status), plx_message(ctx));
    if (status == PLX_OK) plx_csv_free(&csv);
}

static void csv(plx_check *t, plx_ctx *ctx) {
    const char *good = "a, b\r\n1, 2.5\r\n\n-3e2,\"4\"\r\n";
    plx_csv table = {0};
    CHECK(t, plx_csv_parse(ctx, good, strlen(good), &table) == PLX_OK, "good csv: %s",
          plx_message(ctx));
    if (table.values) {
        CHECK(t, table.rows == 2 && table.columns == 2, "%d x %d", (int)table.rows,
              (int)table.columns);
        CHECK(t, table.values[1] == (plx_real)2.5 && table.values[2] == -300, "its values");
    }
    plx_csv_free(&table);
    refuse_csv(t, ctx, "", "no line of numbers");
    refuse_csv(t, ctx, "x,y\n", "no line of numbers");
    refuse_csv(t, ctx, "1,2\n3,x\n", "line 2, column 2: \"x\"");
    refuse_csv(t, ctx, "1,2\n3\n", "line 2 has 1 cells");
    refuse_csv(t, ctx, "1,nan\n", "line 1, column 2");
    refuse_csv(t, ctx, "1,\n", "line 1, column 2");
    refuse_csv(t, ctx, "1,0x10\n", "line 1, column 2");
    refuse_csv(t, ctx, "1,1e\n", "line 1, column 2");
    refuse_csv(t, ctx, "1,1e999\n", "not a finite number");
}

void plx_test_unit_files(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    idx(t, ctx);
    csv(t, ctx);
    plx_ctx_free(ctx);
}
