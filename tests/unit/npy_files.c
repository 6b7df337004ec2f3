/* Arrays of NumPy: what is read, what is refused, and what is written. */
#include "check.h"

#include <string.h>

/* A file of this version, header and data; returns its size. */
static size_t make(int version, const char *header, const void *data, size_t data_bytes,
                   uint8_t *out) {
    const size_t length = strlen(header);
    size_t at = 8;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (uint8_t)version;
    out[7] = 0;
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out[at++] = (uint8_t)(length >> 8 * i);
    memcpy(out + at, header, length);
    if (data_bytes) memcpy(out + at + length, data, data_bytes);
    return at + length + data_bytes;
}

static void orders(plx_check *t, plx_ctx *ctx) {
    const int32_t rows[] = {0, 1, 2, 3, 4, 5}, columns[] = {0, 3, 1, 4, 2, 5};
    const uint8_t big[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5};
    const struct {
        const char *what, *header;
        const void *data;
        int version;
    } files[] = {
        {"rows", "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }\n", rows, 1},
        {"columns", "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3)}", columns, 2},
        {"big-endian", "{'descr': '>i4', 'fortran_order': False, 'shape': (2, 3), }", big, 3},
        {"other order and quotes", "{\"shape\":(2,3),'fortran_order':False,\"descr\":'<i4'}  \n",
         rows, 1},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
        uint8_t bytes[256];
        int32_t values[6] = {-1, -1, -1, -1, -1, -1};
        plx_npy array;
        const size_t size = make(files[i].version, files[i].header, files[i].data, 24, bytes);
        if (!CHECK(t, plx_npy_parse(ctx, bytes, size, &array) == PLX_OK, "%s: %s", files[i].what,
                   plx_message(ctx)))
            continue;
        CHECK(t, array.kind == 'i' && array.width == 4 && array.rank == 2 && array.dims[1] == 3,
              "%s: its type and shape", files[i].what);
        plx_npy_copy(&array, values);
        CHECK(t, !memcmp(values, rows, sizeof rows), "%s: its values", files[i].what);
        for (size_t cut = 0; cut < size; ++cut)
            CHECK(t, plx_npy_parse(ctx, bytes, cut, &array) == PLX_ERR_FORMAT,
                  "%s, cut after %zu bytes", files[i].what, cut);
    }
}

/* Three axes, of which the order shows. */
static void three_axes(plx_check *t, plx_ctx *ctx) {
    uint8_t data[24], bytes[256], values[24];
    plx_npy array;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 4; ++k) data[i + 2 * (j + 3 * k)] = (uint8_t)(12 * i + 4 * j + k);
    const size_t size =
        make(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", data, 24, bytes);
    if (!CHECK(t, plx_npy_parse(ctx, bytes, size, &array) == PLX_OK, "%s", plx_message(ctx)))
        return;
    plx_npy_copy(&array, values);
    for (int i = 0; i < 24; ++i) CHECK(t, values[i] == i, "element %d is %d", i, values[i]);
}

static void types(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *descr;
        char kind;
        int width;
    } all[] = {{"<f2", 'f', 2}, {"<f4", 'f', 4}, {">f8", 'f', 8}, {"|i1", 'i', 1},
               {"|u1", 'u', 1}, {"=i4", 'i', 4}, {"<i8", 'i', 8}, {"|b1", 'b', 1}};
    const uint8_t zeros[8] = {0};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        char header[96] = "{'descr': '";
        uint8_t bytes[160];
        plx_npy array;
        strcat(header, all[i].descr);
        strcat(header, "', 'fortran_order': False, 'shape': (), }");
        const size_t size = make(1, header, zeros, (size_t)all[i].width, bytes);
        CHECK(t,
              plx_npy_parse(ctx, bytes, size, &array) == PLX_OK && array.kind == all[i].kind &&
                  array.width == all[i].width && array.rank == 0 && array.size == 1,
              "%s: %s", all[i].descr, plx_message(ctx));
    }
}

static void refusals(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *header, *expected;
    } all[] = {
        {"", "needs { at character 0"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (), }", "\"<c8\"; f2, f4"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (), }", "\"|O\""},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (), }", "\"|f4\""},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }", "a type of elements"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (), }", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", "a comma after a single size"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "a size, or the end"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1), }", "more than 6"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }", "a size"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
         "overflow"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693951,), }", "overflow"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
         "promises 8 bytes of elements, but the file holds 4; it is truncated"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 0), }",
         "too long"},
        {"{'descr': '<f4', 'fortran_order': False, }", "descr, fortran_order and shape"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (), }", "once each"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), 'extra': 1}", "once each"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (), }", "once each"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), } x", "nothing more"},
    };
    const float one = 1;
    uint8_t bytes[256];
    plx_npy array;
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        const size_t size = make(1, all[i].header, &one, sizeof one, bytes);
        const plx_status status = plx_npy_parse(ctx, bytes, size, &array);
        CHECK(t, status == PLX_ERR_FORMAT && strstr(plx_message(ctx), all[i].expected),
              "%s: %s, \"%s\"", all[i].header, plx_status_name(status), plx_message(ctx));
    }
    const size_t size = make(4, "", NULL, 0, bytes);
    CHECK(t, plx_npy_parse(ctx, bytes, size, &array) == PLX_ERR_FORMAT, "version 4.0");
    CHECK(t, strstr(plx_message(ctx), "version 4.0"), "%s", plx_message(ctx));
}

typedef struct sink {
    size_t size, room;
    uint8_t bytes[512];
} sink;

static bool keep(void *user, const void *bytes, size_t size) {
    sink *to = user;
    if (size > to->room - to->size) return false;
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    return true;
}

static void written(plx_check *t, plx_ctx *ctx) {
    const double values[] = {1, 2, 3, 4, 5, 6};
    static const struct {
        int rank;
        int64_t dims[3], size;
    } shapes[] = {{0, {0}, 1}, {1, {6}, 6}, {1, {0}, 0}, {3, {1, 2, 3}, 6}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
        plx_npy array = {.kind = 'f', .width = 8, .rank = shapes[i].rank, .size = shapes[i].size};
        sink to = {.room = sizeof to.bytes};
        plx_npy again;
        array.data = values;
        memcpy(array.dims, shapes[i].dims, sizeof shapes[i].dims);
        CHECK(t, plx_npy_write(ctx, &array, keep, &to) == PLX_OK, "%s", plx_message(ctx));
        CHECK(t, (to.size - 8 * (size_t)array.size) % 64 == 0, "the data are aligned");
        if (CHECK(t, plx_npy_parse(ctx, to.bytes, to.size, &again) == PLX_OK, "%s",
                  plx_message(ctx)))
            CHECK(t, again.rank == array.rank && again.size == array.size && again.width == 8,
                  "shape %zu is read again", i);
        for (size_t room = 0; room < to.size; room += 7) {
            sink full = {.room = room};
            CHECK(t, plx_npy_write(ctx, &array, keep, &full) == PLX_ERR_IO, "%zu bytes fit", room);
        }
    }
    const plx_npy wrong = {.kind = 'f', .width = 3, .size = 1, .data = values};
    sink to = {.room = sizeof to.bytes};
    CHECK(t, plx_npy_write(ctx, &wrong, keep, &to) == PLX_ERR_ARGUMENT && !to.size, "3 bytes");
}

void plx_test_unit_npy(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    orders(t, ctx);
    three_axes(t, ctx);
    types(t, ctx);
    refusals(t, ctx);
    written(t, ctx);
    plx_ctx_free(ctx);
}
