#include "onnx_file.h"

#include "onnx.pb-c.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Memory that lives as long as the file. */
typedef struct block {
    struct block *next;
    max_align_t memory[];
} block;

/* A file beside the model's that is mapped. */
typedef struct mapping {
    struct mapping *next;
    char *name;
    uint8_t *bytes;
    size_t size;
} mapping;

/* A graph inside an attribute that is still to be decoded. */
typedef struct waiting {
    struct waiting *next;
    ProtobufCBinaryData bytes;
    int depth;
    plx_onnx_graph *graph;
} waiting;

/* A graph that protobuf-c has decoded, whose memory the structures point into. */
typedef struct decoded {
    struct decoded *next;
    PlxWire__Graph *graph;
} decoded;

struct onnx_file {
    plx_onnx_model model;
    PlxWire__Model *wire;
    block *blocks;
    mapping *mappings;
    waiting *waiting;
    decoded *decoded;
    char *folder; /* canonical; NULL: none */
    size_t left;  /* bytes that may still be allocated */
    ProtobufCAllocator allocator;
    char *message;
    size_t message_bytes;
};

static bool fail(const onnx_file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(const onnx_file *f, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(f->message, f->message_bytes, format, list);
    va_end(list);
    return false;
}

static bool fail_memory(const onnx_file *f) {
    return fail(f, "it describes more than its size justifies, or there is not enough memory");
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void *allocate(void *user, size_t bytes) {
    onnx_file *f = user;
    if (bytes > f->left) return NULL;
    f->left -= bytes;
    return malloc(bytes ? bytes : 1);
}

static void release(void *user, void *memory) {
    (void)user;
    free(memory);
}

/* Zeroed memory for count elements; NULL after a failure. */
static void *take(onnx_file *f, size_t count, size_t bytes) {
    if (count && bytes > SIZE_MAX / 2 / count) return NULL;
    block *b = allocate(f, sizeof *b + count * bytes);
    if (!b) {
        fail_memory(f);
        return NULL;
    }
    memset(b, 0, sizeof *b + count * bytes);
    b->next = f->blocks;
    f->blocks = b;
    return b->memory;
}

static const char *text_of(const char *text) {
    return text ? text : "";
}

/* ---- Tensors outside the file ---------------------------------------------------------------- */

/* Opens a regular file inside the model's folder, wherever links lead; -1 after a failure. */
static int open_inside(const onnx_file *f, const char *name, struct stat *status) {
    char *path = NULL, *real = NULL;
    int handle = -1;
    const size_t length = strlen(f->folder);
    const bool inside = *name && *name != '/';
    if (asprintf(&path, "%s/%s", f->folder, name) < 0) {
        path = NULL;
        fail(f, "no memory for the path of \"%.256s\"", name);
    } else if (inside && !(real = realpath(path, NULL)))
        fail(f, "cannot read \"%.256s\", which holds its tensors: %s", name, strerror(errno));
    else if (!inside || strncmp(real, f->folder, length) != 0 ||
             (length > 1 && real[length] != '/'))
        fail(f, "tensors are in \"%.256s\", which is outside the model's folder", name);
    else if ((handle = open(real, O_RDONLY | O_NOFOLLOW)) < 0 || fstat(handle, status) != 0 ||
             !S_ISREG(status->st_mode)) {
        fail(f, "cannot read \"%.256s\", which holds its tensors", name);
        if (handle >= 0) close(handle);
        handle = -1;
    }
    free(path);
    free(real);
    return handle;
}

static mapping *map_file(onnx_file *f, const char *name) {
    struct stat status;
    for (mapping *m = f->mappings; m; m = m->next)
        if (!strcmp(m->name, name)) return m;
    if (!f->folder) {
        fail(f, "its tensors are in other files");
        return NULL;
    }
    const int handle = open_inside(f, name, &status);
    if (handle < 0) return NULL;
    mapping *m = calloc(1, sizeof *m);
    if (m) m->name = strdup(name);
    if (m && m->name && status.st_size > 0) {
        m->size = (size_t)status.st_size;
        m->bytes = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, handle, 0);
    }
    close(handle);
    if (!m || !m->name || m->bytes == MAP_FAILED) {
        fail(f, "cannot map \"%.256s\": %s", name, strerror(errno));
        if (m) free(m->name);
        free(m);
        return NULL;
    }
    m->next = f->mappings;
    return f->mappings = m;
}

/* A decimal number without a sign. */
static bool number_of(const char *text, uint64_t *value) {
    char *end = NULL;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool read_external(onnx_file *f, const PlxWire__Tensor *t, plx_onnx_tensor *out) {
    const char *location = "", *name = text_of(t->name);
    uint64_t offset = 0, length = UINT64_MAX;
    for (size_t i = 0; i < t->n_external_data; ++i) {
        const char *key = text_of(t->external_data[i]->key);
        const char *value = text_of(t->external_data[i]->value);
        if (!strcmp(key, "location")) location = value;
        if ((!strcmp(key, "offset") && !number_of(value, &offset)) ||
            (!strcmp(key, "length") && !number_of(value, &length)))
            return fail(f, "tensor \"%.64s\": %s is \"%.64s\", which is no size", name, key, value);
    }
    const mapping *m = map_file(f, location);
    if (!m) return false;
    if (offset > m->size || (length != UINT64_MAX && length > m->size - offset))
        return fail(
            f, "tensor \"%.64s\" is at byte %" PRIu64 " of \"%.256s\", beyond the end of that file",
            name, offset, location);
    out->bytes = length == UINT64_MAX ? m->size - offset : (size_t)length;
    out->data = m->bytes ? m->bytes + offset : (const uint8_t *)"";
    return true;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* Numbers that the file holds in more bytes than their type has. */
static bool narrow(onnx_file *f, size_t count, int bytes, const int32_t *small,
                   const uint64_t *large, plx_onnx_tensor *out) {
    uint8_t *data = take(f, count, (size_t)bytes);
    if (!data) return false;
    assert(small || large || !count);
    for (size_t i = 0; i < count; ++i) {
        const uint64_t value = small ? (uint64_t)small[i] : large[i];
        for (int k = 0; k < bytes; ++k)
            data[i * (size_t)bytes + (size_t)k] = (uint8_t)(value >> 8 * k);
    }
    out->data = data;
    out->bytes = count * (size_t)bytes;
    return true;
}

static bool read_tensor(onnx_file *f, const PlxWire__Tensor *t, plx_onnx_tensor *out) {
    enum { EXTERNAL = 1 };
    if (t->n_dims > INT_MAX) return fail_memory(f);
    *out = (plx_onnx_tensor){.name = text_of(t->name),
                             .type = t->has_data_type ? t->data_type : 0,
                             .rank = (int)t->n_dims,
                             .dims = t->dims};
    if (t->data_location == EXTERNAL) return read_external(f, t, out);
    if (t->has_raw_data) {
        out->data = t->raw_data.data;
        out->bytes = t->raw_data.len;
        return true;
    }
    switch (out->type) {
    case PLX_ONNX_FLOAT:
        out->data = t->float_data;
        out->bytes = t->n_float_data * sizeof(float);
        return true;
    case PLX_ONNX_DOUBLE:
        out->data = t->double_data;
        out->bytes = t->n_double_data * sizeof(double);
        return true;
    case PLX_ONNX_INT32:
        out->data = t->int32_data;
        out->bytes = t->n_int32_data * sizeof(int32_t);
        return true;
    case PLX_ONNX_INT64:
        out->data = t->int64_data;
        out->bytes = t->n_int64_data * sizeof(int64_t);
        return true;
    case PLX_ONNX_UINT64:
        out->data = t->uint64_data;
        out->bytes = t->n_uint64_data * sizeof(uint64_t);
        return true;
    case PLX_ONNX_UINT32: return narrow(f, t->n_uint64_data, 4, NULL, t->uint64_data, out);
    default: {
        const int bytes = plx_onnx_type_bytes(out->type);
        return !bytes || narrow(f, t->n_int32_data, bytes, t->int32_data, NULL, out);
    }
    }
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

static bool wait_for(onnx_file *f, const ProtobufCBinaryData *bytes, int depth,
                     const plx_onnx_graph **out) {
    waiting *w = take(f, 1, sizeof *w);
    plx_onnx_graph *graph = take(f, 1, sizeof *graph);
    if (!w || !graph) return false;
    if (depth > PLX_ONNX_DEPTH)
        return fail(f, "graphs are nested more than %d deep", PLX_ONNX_DEPTH);
    *w = (waiting){.next = f->waiting, .bytes = *bytes, .depth = depth, .graph = graph};
    f->waiting = w;
    *out = graph;
    return true;
}

static bool read_attribute(onnx_file *f, PlxWire__Attribute *a, int depth,
                           plx_onnx_attribute *out) {
    *out = (plx_onnx_attribute){.name = text_of(a->name),
                                .kind = (plx_onnx_attribute_kind)a->type,
                                .count = 1,
                                .ints = &a->i,
                                .reals = &a->f};
    char *text;
    plx_onnx_tensor *tensor;
    switch (a->type) {
    case PLX_ONNX_REAL:
    case PLX_ONNX_INT: return true;
    case PLX_ONNX_STRING:
        if (!(text = take(f, a->s.len + 1, 1))) return false;
        if (a->s.len) memcpy(text, a->s.data, a->s.len);
        out->text = text;
        return true;
    case PLX_ONNX_TENSOR:
        if (!a->t) return fail(f, "the attribute \"%.64s\" has no tensor", out->name);
        out->tensor = tensor = take(f, 1, sizeof *tensor);
        return tensor && read_tensor(f, a->t, tensor);
    case PLX_ONNX_GRAPH: return wait_for(f, &a->g, depth + 1, &out->graph);
    case PLX_ONNX_REALS:
        out->reals = a->floats;
        out->count = (int64_t)a->n_floats;
        return true;
    case PLX_ONNX_INTS:
        out->ints = a->ints;
        out->count = (int64_t)a->n_ints;
        return true;
    default: out->kind = PLX_ONNX_OTHER; return true;
    }
}

/* Strings that are left out are NULL to protobuf-c only outside of lists. */
static bool read_node(onnx_file *f, const PlxWire__Node *n, int depth, plx_onnx_node *out) {
    plx_onnx_attribute *attributes = take(f, n->n_attribute, sizeof *attributes);
    if (!attributes || n->n_input > INT_MAX / 2 || n->n_output > INT_MAX / 2 ||
        n->n_attribute > INT_MAX / 2)
        return false;
    *out = (plx_onnx_node){.name = text_of(n->name),
                           .op = text_of(n->op_type),
                           .domain = text_of(n->domain),
                           .inputs_count = (int)n->n_input,
                           .outputs_count = (int)n->n_output,
                           .attributes_count = (int)n->n_attribute,
                           .inputs = (const char *const *)n->input,
                           .outputs = (const char *const *)n->output,
                           .attributes = attributes};
    for (size_t i = 0; i < n->n_attribute; ++i)
        if (!read_attribute(f, n->attribute[i], depth, &attributes[i])) return false;
    return true;
}

static bool read_port(onnx_file *f, const PlxWire__Port *p, plx_onnx_port *out) {
    const PlxWire__TensorType *type = p->type ? p->type->tensor_type : NULL;
    const PlxWire__Shape *shape = type ? type->shape : NULL;
    *out =
        (plx_onnx_port){.name = text_of(p->name), .type = type ? type->elem_type : 0, .rank = -1};
    if (!shape) return true;
    plx_onnx_dim *dims = take(f, shape->n_dim, sizeof *dims);
    if (!dims || shape->n_dim > INT_MAX) return false;
    for (size_t i = 0; i < shape->n_dim; ++i) {
        const PlxWire__Dim *dim = shape->dim[i];
        /* A size below 0 says that it is not known. */
        const bool known = dim->has_dim_value && dim->dim_value >= 0;
        dims[i] = (plx_onnx_dim){known ? dim->dim_value : -1, text_of(dim->dim_param)};
    }
    out->rank = (int)shape->n_dim;
    out->dims = dims;
    return true;
}

static bool read_ports(onnx_file *f, size_t count, PlxWire__Port *const *ports,
                       plx_onnx_port *out) {
    for (size_t i = 0; i < count; ++i)
        if (!read_port(f, ports[i], &out[i])) return false;
    return true;
}

static bool read_graph(onnx_file *f, const PlxWire__Graph *g, int depth, plx_onnx_graph *out) {
    if (g->n_node > INT_MAX || g->n_initializer > INT_MAX || g->n_input > INT_MAX ||
        g->n_output > INT_MAX)
        return fail_memory(f);
    if (g->n_sparse_initializer)
        return fail(f, "it has sparse initializers, which are not available");
    plx_onnx_node *nodes = take(f, g->n_node, sizeof *nodes);
    plx_onnx_tensor *initializers = take(f, g->n_initializer, sizeof *initializers);
    plx_onnx_port *inputs = take(f, g->n_input, sizeof *inputs);
    plx_onnx_port *outputs = take(f, g->n_output, sizeof *outputs);
    if (!nodes || !initializers || !inputs || !outputs) return false;
    for (size_t i = 0; i < g->n_initializer; ++i)
        if (!read_tensor(f, g->initializer[i], &initializers[i])) return false;
    for (size_t i = 0; i < g->n_node; ++i)
        if (!read_node(f, g->node[i], depth, &nodes[i])) return false;
    *out = (plx_onnx_graph){.nodes_count = (int)g->n_node,
                            .initializers_count = (int)g->n_initializer,
                            .inputs_count = (int)g->n_input,
                            .outputs_count = (int)g->n_output,
                            .nodes = nodes,
                            .initializers = initializers,
                            .inputs = inputs,
                            .outputs = outputs};
    return read_ports(f, g->n_input, g->input, inputs) &&
           read_ports(f, g->n_output, g->output, outputs);
}

/* Graphs in attributes, one after another; each may add others. */
static bool read_waiting(onnx_file *f) {
    while (f->waiting) {
        const waiting w = *f->waiting;
        f->waiting = w.next;
        decoded *d = take(f, 1, sizeof *d);
        if (!d) return false;
        d->graph = plx_wire__graph__unpack(&f->allocator, w.bytes.len, w.bytes.data);
        if (!d->graph)
            return fail(f, "a graph in an attribute is damaged, or there is not enough memory");
        d->next = f->decoded;
        f->decoded = d;
        if (!read_graph(f, d->graph, w.depth, w.graph)) return false;
    }
    return true;
}

static bool read_model(onnx_file *f) {
    const PlxWire__Model *m = f->wire;
    if (!m->has_ir_version || !m->graph) return fail(f, "it is not an ONNX model");
    if (m->n_opset_import > INT_MAX) return fail_memory(f);
    plx_onnx_opset *opsets = take(f, m->n_opset_import, sizeof *opsets);
    if (!opsets) return false;
    for (size_t i = 0; i < m->n_opset_import; ++i)
        opsets[i] =
            (plx_onnx_opset){text_of(m->opset_import[i]->domain), m->opset_import[i]->version};
    f->model = (plx_onnx_model){
        .ir_version = m->ir_version, .opsets_count = (int)m->n_opset_import, .opsets = opsets};
    return read_graph(f, m->graph, 0, &f->model.graph) && read_waiting(f);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static const size_t FREE_BYTES = (size_t)64 << 20;
enum { FACTOR = 8 };

onnx_file *onnx_file_decode(const void *bytes, size_t size, const char *folder, char *message,
                            size_t message_bytes) {
    onnx_file *f = calloc(1, sizeof *f);
    if (!f) {
        snprintf(message, message_bytes, "there is not enough memory");
        return NULL;
    }
    f->allocator = (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = f};
    f->left = size < SIZE_MAX / 2 / FACTOR ? FREE_BYTES + FACTOR * size : 0;
    f->message = message;
    f->message_bytes = message_bytes;
    if (folder) f->folder = realpath(folder, NULL);
    f->wire = plx_wire__model__unpack(&f->allocator, size, bytes);
    if (!f->wire) fail(f, "it is not an ONNX model, it is damaged, or there is not enough memory");
    if (f->wire && read_model(f)) return f;
    onnx_file_free(f);
    return NULL;
}

/* The folder of a path; free it. */
static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

onnx_file *onnx_file_open(const char *path, char *message, size_t message_bytes) {
    struct stat status;
    onnx_file *f = NULL;
    const int handle = open(path, O_RDONLY);
    if (handle < 0 || fstat(handle, &status) != 0) {
        snprintf(message, message_bytes, "%s", strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        snprintf(message, message_bytes,
                 S_ISDIR(status.st_mode) ? "it is a folder" : "it is no regular file");
    } else if (!status.st_size) {
        snprintf(message, message_bytes, "it is empty");
    } else {
        const size_t size = (size_t)status.st_size;
        uint8_t *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, handle, 0);
        char *folder = folder_of(path);
        if (bytes == MAP_FAILED || !folder)
            snprintf(message, message_bytes, "%s", strerror(errno));
        else
            f = onnx_file_decode(bytes, size, folder, message, message_bytes);
        if (bytes != MAP_FAILED) munmap(bytes, size);
        free(folder);
    }
    if (handle >= 0) close(handle);
    return f;
}

void onnx_file_free(onnx_file *f) {
    if (!f) return;
    for (decoded *d = f->decoded; d; d = d->next)
        plx_wire__graph__free_unpacked(d->graph, &f->allocator);
    if (f->wire) plx_wire__model__free_unpacked(f->wire, &f->allocator);
    while (f->mappings) {
        mapping *m = f->mappings;
        f->mappings = m->next;
        if (m->bytes) munmap(m->bytes, m->size);
        free(m->name);
        free(m);
    }
    while (f->blocks) {
        block *b = f->blocks;
        f->blocks = b->next;
        free(b);
    }
    free(f->folder);
    free(f);
}

const plx_onnx_model *onnx_file_model(const onnx_file *file) {
    return &file->model;
}
