/* safetensors files: what is read and what is refused, and weights that go through a file. */
#include "check.h"
#include "parallax_nn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of this header, with as many bytes 1, 2, 3 ... behind it. */
static size_t make_file(const char *header, size_t data, uint8_t *out) {
    const size_t length = strlen(header);
    for (int i = 0; i < 8; ++i) out[i] = (uint8_t)(length >> 8 * i);
    for (size_t i = 0; i < length; ++i) out[8 + i] = (uint8_t)header[i];
    for (size_t i = 0; i < data; ++i) out[8 + length + i] = (uint8_t)(i + 1);
    return 8 + length + data;
}

enum { ROOM = 1024 };

typedef struct header {
    const char *text;
    size_t data;
    const char *expected; /* in the message; NULL: it is read */
} header;

#define F32 "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static const header headers[] = {
    {"{}", 0, NULL},
    {" {\n} \t\r\n", 0, NULL},
    {"{\"a\":" F32 "}", 8, NULL},
    {"{\"a\":" F32 "}   ", 8, NULL},
    {"{\"\":" F32 "}", 8, NULL},
    {"{\"a\":{\"shape\":[],\"data_offsets\":[0,4],\"dtype\":\"F32\"}}", 4, NULL},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0]}}", 0, NULL},
    {"{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[8,10]},\"a\":" F32 "}", 10, NULL},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1, NULL},
    {"{\"__metadata__\":null}", 0, NULL},
    {"{\"__metadata__\":{\"b\":\"\\u00e4\\ud83d\\ude00\",\"a\":\"\\\"\\n\"}}", 0, NULL},
    {"", 0, "byte 8: it ends where '{' must stand"},
    {"[]", 0, "'{' must stand here"},
    {"{\"a\":" F32, 8, "it ends where '}' must stand"},
    {"{\"a\":" F32 "}x", 8, "something follows the object"},
    {"{\"a\":" F32 ",}", 8, "'\"' must stand here"},
    {"{\"a\":" F32 ",\"a\":" F32 "}", 8, "\"a\": it comes twice"},
    {"{\"a\":" F32 ",\"\\u0061\":" F32 "}", 8, "\"a\": it comes twice"},
    {"{\"a\":" F32 ",\"b\":" F32 "}", 8, "those before it end at 8"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "end at 0"},
    {"{\"a\":" F32 "}", 9, "1 bytes follow the data of the last tensor"},
    {"{\"a\":" F32 "}", 7, "beyond the end of the file"},
    {"{}", 1, "1 bytes follow"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
     "\"x\" is none of"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "\"dtype\" comes twice"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "it needs a dtype, a shape and data_offsets"},
    {"{\"a\":{}}", 0, "'\"' must stand here"},
    {"{\"a\":{\"dtype\":\"f32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "no dtype \"f32\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
     "F32 of shape [3] takes 96 bits, but its offsets span 8 bytes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "span -8 bytes"},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, "12 bits"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,2],\"data_offsets\":[0,8]}}", 8,
     "its shape overflows"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}", 8,
     "above 2^63 - 1"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "a whole number"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, "no point"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[02],\"data_offsets\":[0,8]}}", 8, "leading zero"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8,
     "a list of more than 6 numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}}", 8, "needs two numbers"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "'\"' must stand here"},
    {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "the key \"a\" twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ comes twice"},
    {"{\"a\\u0000\":" F32 "}", 8, "a zero character"},
    {"{\"a\\ud800\":" F32 "}", 8, "half of a surrogate pair"},
    {"{\"a\\udc00\":" F32 "}", 8, "four digits of a character"},
    {"{\"a\\u00g0\":" F32 "}", 8, "four digits of a character"},
    {"{\"a\\x\":" F32 "}", 8, "no such escape"},
    {"{\"a\nb\":" F32 "}", 8, "a control character"},
    {"{\"a\xff\":" F32 "}", 8, "not UTF-8"},
    {"{\"a", 0, "it ends within a string"},
    {"{\"a\\", 0, "no such escape"},
};

static plx_status open_text(plx_ctx *ctx, const header *h, size_t cut, uint8_t *bytes) {
    plx_safetensors *file = NULL;
    size_t size = make_file(h->text, h->data, bytes);
    if (cut < size) size = cut;
    /* In a block of its own, so that a sanitizer sees what is read beyond it. */
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) return PLX_ERR_MEMORY;
    memcpy(exact, bytes, size);
    const plx_status status = plx_safetensors_open(ctx, exact, size, &file);
    if (status == PLX_OK) plx_safetensors_free(file);
    free(exact);
    return status;
}

static void reads_and_refuses(plx_check *t, plx_ctx *ctx) {
    uint8_t bytes[ROOM];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; ++i) {
        const header *h = &headers[i];
        const plx_status status = open_text(ctx, h, ROOM, bytes);
        if (!h->expected) {
            CHECK(t, status == PLX_OK, "%s: %s", h->text, plx_message(ctx));
            /* Cut at every byte, none is whole. */
            const size_t size = make_file(h->text, h->data, bytes);
            for (size_t cut = 0; cut < size; ++cut)
                CHECK(t, open_text(ctx, h, cut, bytes) == PLX_ERR_FORMAT, "%s, cut at %d", h->text,
                      (int)cut);
        } else {
            CHECK(t, status == PLX_ERR_FORMAT && strstr(plx_message(ctx), h->expected),
                  "%s: %s, \"%s\"", h->text, plx_status_name(status), plx_message(ctx));
        }
    }
    const uint8_t promising[] = {1, 0xe1, 0xf5, 5, 0, 0, 0, 0, '{', '}'};
    plx_safetensors *file;
    CHECK(t,
          plx_safetensors_open(ctx, promising, sizeof promising, &file) == PLX_ERR_FORMAT &&
              strstr(plx_message(ctx), "at most 100000000"),
          "%s", plx_message(ctx));
    const uint8_t lying[] = {0, 0xe1, 0xf5, 5, 0, 0, 0, 0, '{', '}'};
    CHECK(t,
          plx_safetensors_open(ctx, lying, sizeof lying, &file) == PLX_ERR_FORMAT &&
              strstr(plx_message(ctx), "ends after 2 of them"),
          "%s", plx_message(ctx));
}

static void tells_what_it_has(plx_check *t, plx_ctx *ctx) {
    uint8_t bytes[ROOM];
    plx_safetensors *file = NULL;
    const size_t size =
        make_file("{\"__metadata__\":{\"b\":\"\\u00e4\\ud83d\\ude00\",\"a\":\"x\"},"
                  "\"w\":{\"dtype\":\"BF16\",\"shape\":[1,3],\"data_offsets\":[8,14]},"
                  "\"v\":" F32 "}",
                  14, bytes);
    CHECK(t, plx_safetensors_open(ctx, bytes, size, &file) == PLX_OK, "%s", plx_message(ctx));
    if (!file) return;
    CHECK(t, plx_safetensors_count(file) == 2, "two tensors");
    const plx_file_tensor w = plx_safetensors_at(file, 1);
    CHECK(t,
          !strcmp(w.name, "w") && !strcmp(w.dtype, "BF16") && w.rank == 2 && w.dims[1] == 3 &&
              w.size == 3 && w.bytes == 6 && w.offset == 8 &&
              !memcmp(w.data, "\x9\xa\xb\xc\xd\xe", 6),
          "the second in the order of the data");
    CHECK(t, !*plx_safetensors_at(file, 2).name && !*plx_safetensors_at(file, -1).name, "no more");
    CHECK(t,
          !strcmp(plx_safetensors_metadata(file, 0).key, "a") &&
              !strcmp(plx_safetensors_metadata(file, 1).value, "\xc3\xa4\xf0\x9f\x98\x80") &&
              !plx_safetensors_metadata(file, 2).key,
          "metadata by key");
    plx_safetensors_free(file);
}

/* ---- Weights --------------------------------------------------------------------------------- */

typedef struct memory {
    uint8_t *bytes;
    size_t size, room; /* writing fails beyond it */
} memory;

static bool write_memory(void *user, const void *bytes, size_t size) {
    memory *m = user;
    if (m->size + size > m->room) return false;
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
    return true;
}

static plx_model *new_model(plx_ctx *ctx, const char *name, uint64_t seed) {
    plx_model *model = NULL;
    return plx_model_from_name(ctx, name, seed, &model) == PLX_OK ? model : NULL;
}

static bool same_weights(const plx_model *a, const plx_model *b) {
    const plx_weights *x = plx_model_weights(a), *y = plx_model_weights(b);
    bool same = plx_weights_count(x) == plx_weights_count(y);
    for (int i = 0; same && i < plx_weights_count(x); ++i) {
        const plx_tensor *p = plx_weights_at(x, i, NULL, NULL),
                         *q = plx_weights_at(y, i, NULL, NULL);
        same = plx_tensor_size(p) == plx_tensor_size(q) &&
               !memcmp(plx_tensor_data((plx_tensor *)p), plx_tensor_data((plx_tensor *)q),
                       (size_t)plx_tensor_size(p) * sizeof(plx_real));
    }
    return same;
}

static plx_status load(plx_model *model, plx_ctx *ctx, const memory *m) {
    plx_safetensors *file = NULL;
    plx_status status = plx_safetensors_open(ctx, m->bytes, m->size, &file);
    if (status != PLX_OK) return status;
    status = plx_weights_load(plx_model_weights(model), file);
    plx_safetensors_free(file);
    return status;
}

static void go_through_a_file(plx_check *t, plx_ctx *ctx) {
    static const char *const models[] = {"mlp:3-4-2", "resnet-nano", "gpt2-nano"};
    const plx_metadata metadata[] = {{"version", "1"}, {"model", "a \"name\"\n"}};
    memory m = {.bytes = malloc(16 << 20), .room = 16 << 20};
    for (size_t i = 0; m.bytes && i < sizeof models / sizeof *models; ++i) {
        plx_model *one = new_model(ctx, models[i], 1), *two = new_model(ctx, models[i], 2);
        m.size = 0;
        CHECK(t, plx_weights_save(plx_model_weights(one), 2, metadata, write_memory, &m) == PLX_OK,
              "%s: %s", models[i], plx_message(ctx));
        CHECK(t, !same_weights(one, two), "%s: seeds differ", models[i]);
        CHECK(t, load(two, ctx, &m) == PLX_OK, "%s: %s", models[i], plx_message(ctx));
        CHECK(t, same_weights(one, two), "%s: the same bits", models[i]);
        plx_model_free(one);
        plx_model_free(two);
    }
    free(m.bytes);
}

static void name_what_differs(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *model, *expected;
    } others[] = {
        {"mlp:3-5-2", "has shape [3, 5], but [3, 4] in the file"},
        {"mlp:3-4-2-2", "the file has no \"dense_3.weight\""},
        {"mlp:3-4", "which the model has not"},
    };
    uint8_t bytes[4096];
    memory m = {.bytes = bytes, .room = sizeof bytes};
    plx_model *model = new_model(ctx, "mlp:3-4-2", 1);
    CHECK(t, plx_weights_save(plx_model_weights(model), 0, NULL, write_memory, &m) == PLX_OK, "%s",
          plx_message(ctx));
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        plx_model *other = new_model(ctx, others[i].model, 2),
                  *same = new_model(ctx, others[i].model, 2);
        CHECK(t,
              load(other, ctx, &m) == PLX_ERR_SHAPE && strstr(plx_message(ctx), others[i].expected),
              "%s: \"%s\"", others[i].model, plx_message(ctx));
        CHECK(t, same_weights(other, same), "%s: unchanged", others[i].model);
        plx_model_free(other);
        plx_model_free(same);
    }
    memory small = {.bytes = bytes, .room = 100};
    CHECK(t,
          plx_weights_save(plx_model_weights(model), 0, NULL, write_memory, &small) == PLX_ERR_IO &&
              strstr(plx_message(ctx), "failed"),
          "%s", plx_message(ctx));
    const plx_metadata twice[] = {{"a", "1"}, {"a", "2"}}, none[] = {{"a", NULL}},
                       latin[] = {{"a", "\xe4"}};
    CHECK(t,
          plx_weights_save(plx_model_weights(model), 2, twice, write_memory, &m) ==
              PLX_ERR_ARGUMENT,
          "twice");
    CHECK(t,
          plx_weights_save(plx_model_weights(model), 1, none, write_memory, &m) == PLX_ERR_ARGUMENT,
          "none");
    CHECK(t,
          plx_weights_save(plx_model_weights(model), 1, latin, write_memory, &m) ==
              PLX_ERR_ARGUMENT,
          "latin");
    plx_model_free(model);
}

/* ---- Other dtypes ---------------------------------------------------------------------------- */

typedef struct value {
    const char *dtype;
    int bytes;
    uint64_t bits;
    double expected;
    plx_status status;
} value;

static const value values[] = {
    {"F16", 2, 0x3c00, 1, PLX_OK},
    {"F16", 2, 0x0001, 0x1p-24, PLX_OK},
    {"BF16", 2, 0xc040, -3, PLX_OK},
    {"I8", 1, 0x80, -128, PLX_OK},
    {"U8", 1, 0xff, 255, PLX_OK},
    {"I32", 4, 0xffffffff, -1, PLX_OK},
    {"I32", 4, 1 << 24, 16777216, PLX_OK},
    {"I64", 8, UINT64_MAX - 6, -7, PLX_OK},
    {"I64", 8, (uint64_t)1 << 63, 0, PLX_ERR_FORMAT},
    {"U64", 8, 1 << 24, 16777216, PLX_OK},
    {"U64", 8, UINT64_MAX, 0, PLX_ERR_FORMAT},
    {"I64", 8, ((uint64_t)1 << 53) + 1, 0, PLX_ERR_FORMAT},
    {"BOOL", 1, 1, 0, PLX_ERR_UNSUPPORTED},
    {"C64", 8, 1, 0, PLX_ERR_UNSUPPORTED},
};

/* One weight [1] in a file of its own. */
static void other_dtypes(plx_check *t, plx_ctx *ctx) {
    plx_weights *weights = NULL;
    plx_graph *graph = NULL;
    const int64_t dims[] = {1};
    CHECK(t, plx_weights_new(ctx, 0, &weights) == PLX_OK && plx_graph_new(ctx, &graph) == PLX_OK,
          "new");
    const plx_scope scope = plx_scope_new(weights, graph, false);
    plx_weight(&scope, "w", 1, dims, PLX_INIT_ZERO, 0, PLX_WEIGHT_PLAIN);
    plx_real *w = plx_tensor_data(plx_weights_find(weights, "w"));
    for (size_t i = 0; i < sizeof values / sizeof *values; ++i) {
        const value *v = &values[i];
        uint8_t bytes[ROOM];
        char text[128];
        plx_safetensors *file = NULL;
        snprintf(text, sizeof text,
                 "{\"w\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,%d]}}", v->dtype,
                 v->bytes);
        const size_t size = make_file(text, (size_t)v->bytes, bytes);
        memcpy(bytes + size - v->bytes, &v->bits, (size_t)v->bytes);
        *w = 99;
        CHECK(t, plx_safetensors_open(ctx, bytes, size, &file) == PLX_OK, "%s", plx_message(ctx));
        const plx_status status = plx_weights_load(weights, file);
        CHECK(t, status == v->status && (double)*w == (status == PLX_OK ? v->expected : 99),
              "%s: %s, %g, %s", text, plx_status_name(status), (double)*w, plx_message(ctx));
        plx_safetensors_free(file);
    }
    plx_graph_free(graph);
    plx_weights_free(weights);
}

void plx_test_unit_weight_files(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    reads_and_refuses(t, ctx);
    tells_what_it_has(t, ctx);
    go_through_a_file(t, ctx);
    name_what_differs(t, ctx);
    other_dtypes(t, ctx);
    plx_ctx_free(ctx);
}
