#include "bench/peers/operation.h"

#include <string.h>

/* The operands that builders take. */
typedef struct source {
    plx_ctx *ctx;
    plx_peer_operation *op;
    const float *data;
    int64_t left;
    struct {
        plx_node node;
        const float *data;
    } inputs[3];
    int inputs_count, weights_count;
    plx_status status;
} source;

#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                       \
        __VA_ARGS__                                                                                \
    }

static const float *take(source *s, int rank, const int64_t *dims, int64_t *size) {
    *size = 1;
    for (int i = 0; i < rank; ++i) *size *= dims[i];
    const float *data = s->data;
    if (*size > s->left) {
        s->status = PLX_ERR_FORMAT;
        return NULL;
    }
    s->data += *size;
    s->left -= *size;
    return data;
}

/* The data passed to every run. */
static plx_node input(source *s, plx_dtype dtype, int rank, const int64_t *dims) {
    int64_t size;
    const float *data = take(s, rank, dims, &size);
    const plx_node node = plx_input(s->op->graph, NULL, dtype, rank, dims);
    s->inputs[s->inputs_count].data = data;
    s->inputs[s->inputs_count++].node = node;
    return node;
}

static plx_node weight(source *s, int rank, const int64_t *dims) {
    int64_t size;
    const float *data = take(s, rank, dims, &size);
    plx_tensor **tensor = &s->op->weights[s->weights_count++];
    const plx_status status = plx_tensor_new(s->ctx, PLX_DTYPE_REAL, rank, dims, tensor);
    if (status != PLX_OK || !data) {
        s->status = status != PLX_OK ? status : s->status;
        return plx_none();
    }
    memcpy(plx_tensor_data(*tensor), data, (size_t)size * sizeof *data);
    return plx_parameter(s->op->graph, NULL, *tensor);
}

static plx_node softmax(source *s, const int64_t *n) {
    return plx_softmax(s->op->graph, input(s, PLX_DTYPE_REAL, SHAPE(n[0], n[1])), -1);
}

static plx_node gelu(source *s, const int64_t *n) {
    return plx_activate(s->op->graph, input(s, PLX_DTYPE_REAL, SHAPE(n[0], n[1])), PLX_GELU, 0);
}

/* n, h, w, in, k, out, stride, padding, groups */
static plx_node conv2d(source *s, const int64_t *n) {
    const plx_node x = input(s, PLX_DTYPE_REAL, SHAPE(n[0], n[1], n[2], n[3]));
    const plx_node weights = weight(s, SHAPE(n[4], n[4], n[3] / n[8], n[5]));
    const plx_node bias = weight(s, SHAPE(n[5]));
    plx_conv2d_options options = plx_conv2d_default();
    for (int i = 0; i < 2; ++i) options.stride[i] = n[6];
    for (int i = 0; i < 4; ++i) options.padding[i] = n[7];
    options.groups = n[8];
    return plx_conv2d(s->op->graph, x, weights, bias, &options);
}

/* batch, length, heads, width per head */
static plx_node attention(source *s, const int64_t *n) {
    plx_node qkv[3];
    for (int i = 0; i < 3; ++i) qkv[i] = input(s, PLX_DTYPE_REAL, SHAPE(n[0], n[1], n[2] * n[3]));
    const plx_attention_options options = {.heads = n[2]};
    return plx_attention(s->op->graph, qkv[0], qkv[1], qkv[2], plx_none(), &options);
}

static plx_node layer_norm(source *s, const int64_t *n) {
    const plx_node x = input(s, PLX_DTYPE_REAL, SHAPE(n[0], n[1]));
    const plx_node scale = weight(s, SHAPE(n[1]));
    const plx_node shift = weight(s, SHAPE(n[1]));
    return plx_layer_norm(s->op->graph, x, scale, shift, 1e-5);
}

/* vocabulary, width, ids */
static plx_node embedding(source *s, const int64_t *n) {
    const plx_node table = weight(s, SHAPE(n[0], n[1]));
    const plx_node ids = input(s, PLX_DTYPE_I32, SHAPE(n[2]));
    return plx_embedding(s->op->graph, table, ids);
}

static const struct {
    const char *name;
    plx_node (*build)(source *s, const int64_t *sizes);
} operations[] = {
    {"softmax", softmax},       {"gelu", gelu},
    {"conv2d", conv2d},         {"attention", attention},
    {"layer_norm", layer_norm}, {"embedding", embedding},
};

enum { COUNT = sizeof operations / sizeof operations[0] };

const char *plx_peer_operation_name(int i) {
    return i < COUNT ? operations[i].name : NULL;
}

static plx_status compile(source *s) {
    plx_peer_operation *op = s->op;
    plx_status status = s->status != PLX_OK ? s->status : plx_graph_status(op->graph);
    if (status == PLX_OK && s->left) status = PLX_ERR_FORMAT;
    if (status == PLX_OK) status = plx_compile(op->graph, 1, &op->y, NULL, &op->plan);
    for (int i = 0; status == PLX_OK && i < s->inputs_count; ++i)
        status = plx_plan_bind(op->plan, s->inputs[i].node, s->inputs[i].data);
    const int64_t *dims;
    const int rank = plx_node_shape(op->graph, op->y, &dims);
    op->size = 1;
    for (int i = 0; i < rank; ++i) op->size *= dims[i];
    return status;
}

plx_status plx_peer_operation_open(plx_ctx *ctx, const char *name, const int64_t *sizes,
                                   const float *data, int64_t count, plx_peer_operation *out) {
    *out = (plx_peer_operation){0};
    source s = {.ctx = ctx, .op = out, .data = data, .left = count};
    for (int i = 0; i < COUNT; ++i) {
        if (strcmp(operations[i].name, name)) continue;
        const plx_status status = plx_graph_new(ctx, &out->graph);
        if (status != PLX_OK) return status;
        out->y = operations[i].build(&s, sizes);
        return compile(&s);
    }
    return PLX_ERR_UNSUPPORTED;
}

void plx_peer_operation_close(plx_peer_operation *operation) {
    plx_plan_free(operation->plan);
    plx_graph_free(operation->graph);
    for (int i = 0; i < PLX_PEER_WEIGHTS; ++i) plx_tensor_free(operation->weights[i]);
    *operation = (plx_peer_operation){0};
}
