/* Walks the nodes of a model and builds each by its operator's row. A branch of an If is walked
 * like the rest, in a frame of its own: there are as many frames as graphs may be nested. */
#include "onnx/importer.h"

#include "base/platform.h"

#include <string.h>

static plx_status fail(plx__onnx_importer *im, plx_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static plx_status fail(plx__onnx_importer *im, plx_status status, const char *format, ...) {
    char text[PLX__MESSAGE_BYTES];
    va_list list;
    va_start(list, format);
    plx__format_list(text, sizeof text, format, list);
    va_end(list);
    plx__fail(&im->ctx->message, status, "onnx: %s", text);
    return im->status = status;
}

static plx_status fail_memory(plx__onnx_importer *im) {
    return fail(im, PLX_ERR_MEMORY, "not enough memory for the model");
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* FNV-1a (Fowler, Noll and Vo). */
static uint64_t hash(const char *name) {
    uint64_t h = 0xcbf29ce484222325U;
    for (; *name; ++name) h = (h ^ (uint8_t)*name) * 0x100000001b3U;
    return h;
}

/* The slot that holds the name, or the free one where it belongs. There is always a free one. */
static plx__onnx_value **slot_of(const plx__onnx_names *names, const char *name) {
    const uint64_t mask = (uint64_t)names->slots_count - 1;
    uint64_t i = hash(name) & mask;
    while (names->slots[i] && strcmp(names->slots[i]->name, name) != 0) i = (i + 1) & mask;
    return &names->slots[i];
}

static bool make_room(plx__onnx_names *names) {
    if (2 * (names->used + 1) <= names->slots_count) return true;
    plx__onnx_names larger = {.slots_count = names->slots_count ? 2 * names->slots_count : 64,
                              .used = names->used};
    const size_t bytes = (size_t)larger.slots_count * sizeof(plx__onnx_value *);
    larger.slots = plx_platform_alloc(bytes);
    if (!larger.slots) return false;
    memset((void *)larger.slots, 0, bytes);
    for (int64_t i = 0; i < names->slots_count; ++i)
        if (names->slots[i]) *slot_of(&larger, names->slots[i]->name) = names->slots[i];
    plx_platform_free((void *)names->slots);
    *names = larger;
    return true;
}

static plx_status define(plx__onnx_importer *im, plx__onnx_frame *frame, plx__onnx_value *value) {
    if (!make_room(&frame->names)) return fail_memory(im);
    plx__onnx_value **slot = slot_of(&frame->names, value->name);
    if (*slot) return fail(im, PLX_ERR_FORMAT, "there are two values named \"%.64s\"", value->name);
    *slot = value;
    frame->names.used += 1;
    return PLX_OK;
}

/* Branches also see the values of the graphs around them. */
static plx__onnx_value *look_up(const plx__onnx_importer *im, const char *name) {
    for (int i = im->depth - 1; i >= 0; --i) {
        plx__onnx_value *found =
            im->frames[i].names.slots_count ? *slot_of(&im->frames[i].names, name) : NULL;
        if (found) return found;
    }
    return NULL;
}

plx__onnx_value *plx__onnx_new_value(plx__onnx_importer *im, const char *name, int type, int rank,
                                     const int64_t *dims, int64_t size) {
    plx__onnx_value *value = plx__arena_take(&im->arena, sizeof *value);
    if (!value) return NULL;
    *value = (plx__onnx_value){.name = name,
                               .type = type,
                               .rank = rank,
                               .size = size,
                               .plain = plx_none(),
                               .last = plx_none()};
    for (int i = 0; i < rank; ++i) value->dims[i] = dims[i];
    return value;
}

/* ---- Initializers and inputs ----------------------------------------------------------------- */

static plx_status check_tensor(plx__onnx_importer *im, const char *what,
                               const plx_onnx_tensor *tensor, int64_t *size) {
    const int width = plx_onnx_type_bytes(tensor->type);
    if (!width)
        return fail(im, PLX_ERR_UNSUPPORTED,
                    "%s \"%.64s\" has elements of type number %d, which cannot be read", what,
                    tensor->name, tensor->type);
    if (tensor->rank < 0 || tensor->rank > PLX_MAX_RANK)
        return fail(im, PLX_ERR_UNSUPPORTED,
                    "%s \"%.64s\" has %d dimensions; at most %d are supported", what, tensor->name,
                    tensor->rank, PLX_MAX_RANK);
    *size = 1;
    for (int i = 0; i < tensor->rank; ++i)
        if (tensor->dims[i] < 0 || __builtin_mul_overflow(*size, tensor->dims[i], size))
            return fail(im, PLX_ERR_FORMAT, "%s \"%.64s\" has an impossible size, %lld", what,
                        tensor->name, (long long)tensor->dims[i]);
    if ((uint64_t)*size > SIZE_MAX / 8 || (size_t)*size * (size_t)width != tensor->bytes)
        return fail(im, PLX_ERR_FORMAT,
                    "%s \"%.64s\" has a shape of %lld elements of %d bytes, but %llu bytes", what,
                    tensor->name, (long long)*size, width, (unsigned long long)tensor->bytes);
    return PLX_OK;
}

/* A tensor of the model as a value; NULL after a failure. what: "initializer". */
static plx__onnx_value *from_tensor(plx__onnx_importer *im, const char *what,
                                    const plx_onnx_tensor *tensor) {
    static const uint8_t nothing;
    int64_t size = 0;
    if (check_tensor(im, what, tensor, &size) != PLX_OK) return NULL;
    plx__onnx_value *value =
        plx__onnx_new_value(im, tensor->name, tensor->type, tensor->rank, tensor->dims, size);
    if (value)
        value->data = tensor->bytes ? tensor->data : &nothing;
    else
        fail_memory(im);
    return value;
}

static plx_status add_initializers(plx__onnx_importer *im, plx__onnx_frame *frame) {
    for (int i = 0; i < frame->graph->initializers_count; ++i) {
        const plx_onnx_tensor *tensor = &frame->graph->initializers[i];
        /* A value that is bound takes the place of an input's default. */
        if (im->depth == 1 && look_up(im, tensor->name)) continue;
        plx__onnx_value *value = from_tensor(im, "initializer", tensor);
        if (!value) return im->status;
        value->stored = true;
        PLX_TRY(define(im, frame, value));
    }
    return PLX_OK;
}

static const plx_onnx_tensor *named(int count, const plx_onnx_tensor *list, const char *name) {
    for (int i = 0; i < count; ++i)
        if (!strcmp(list[i].name, name)) return &list[i];
    return NULL;
}

/* The size that a dimension's name stands for; NULL: none yet. */
static int64_t *size_of(plx__onnx_importer *im, const char *name) {
    for (int i = 0; i < im->sizes_count; ++i)
        if (*name && !strcmp(im->sizes[i].name, name)) return &im->sizes[i].size;
    return NULL;
}

static plx_status fit_shape(plx__onnx_importer *im, const plx_onnx_port *port,
                            const plx_onnx_tensor *given) {
    if (port->rank >= 0 && given->rank != port->rank)
        return fail(im, PLX_ERR_SHAPE, "input \"%.64s\" has rank %d in the model, but is given %d",
                    port->name, port->rank, given->rank);
    for (int axis = 0; axis < port->rank; ++axis) {
        const plx_onnx_dim *dim = &port->dims[axis];
        const int64_t *named_size = dim->size < 0 ? size_of(im, dim->name) : &dim->size;
        if (named_size && *named_size != given->dims[axis])
            return fail(im, PLX_ERR_SHAPE,
                        "input \"%.64s\" has size %lld at axis %d%s%.64s, but is given %lld",
                        port->name, (long long)*named_size, axis, *dim->name ? ", " : "", dim->name,
                        (long long)given->dims[axis]);
        if (!named_size && *dim->name)
            im->sizes[im->sizes_count++] = (plx_onnx_binding){dim->name, given->dims[axis]};
    }
    return PLX_OK;
}

static plx_status input_shape(plx__onnx_importer *im, const plx_onnx_port *port, int *rank,
                              int64_t *dims) {
    const plx_onnx_tensor *given =
        named(im->options->shapes_count, im->options->shapes, port->name);
    *rank = given ? given->rank : port->rank;
    if (*rank < 0)
        return fail(im, PLX_ERR_ARGUMENT,
                    "the model does not say how many dimensions input \"%.64s\" has: its shape "
                    "must be given",
                    port->name);
    if (*rank > PLX_MAX_RANK)
        return fail(im, PLX_ERR_UNSUPPORTED,
                    "input \"%.64s\" has %d dimensions; at most %d are supported", port->name,
                    *rank, PLX_MAX_RANK);
    for (int axis = 0; axis < *rank; ++axis) {
        if (given) {
            dims[axis] = given->dims[axis];
            continue;
        }
        const plx_onnx_dim *dim = &port->dims[axis];
        const int64_t *size = dim->size >= 0 ? &dim->size : size_of(im, dim->name);
        if (!size)
            return fail(im, PLX_ERR_ARGUMENT,
                        "the size of input \"%.64s\" at axis %d is not fixed%s%.64s%s: it must be "
                        "bound, or the input's shape given",
                        port->name, axis, *dim->name ? " but named \"" : "", dim->name,
                        *dim->name ? "\"" : "");
        dims[axis] = *size;
    }
    return PLX_OK;
}

static bool dtype_of(int type, plx_dtype *dtype) {
    switch (type) {
    case PLX_ONNX_FLOAT: *dtype = PLX_DTYPE_REAL; return true;
    case PLX_ONNX_INT32:
    case PLX_ONNX_INT64: *dtype = PLX_DTYPE_I32; return true;
    case PLX_ONNX_BOOL:
    case PLX_ONNX_UINT8: *dtype = PLX_DTYPE_U8; return true;
    case PLX_ONNX_INT8: *dtype = PLX_DTYPE_I8; return true;
    case PLX_ONNX_FLOAT16: *dtype = PLX_DTYPE_F16; return true;
    case PLX_ONNX_BFLOAT16: *dtype = PLX_DTYPE_BF16; return true;
    default: return false;
    }
}

/* Adds an input to the graph, as a value and as a port. */
static plx_status add_input(plx__onnx_importer *im, plx__onnx_frame *frame,
                            const plx_onnx_port *port) {
    plx_onnx_value *out = &im->onnx->inputs[im->onnx->inputs_count];
    plx_dtype dtype = PLX_DTYPE_REAL;
    if (!dtype_of(port->type, &dtype)) {
        const char *type = plx_onnx_type_name(port->type);
        return fail(im, PLX_ERR_UNSUPPORTED,
                    "input \"%.64s\" has elements of type %s (number %d), which no operation here "
                    "takes; it can only be bound to a value",
                    port->name, type ? type : "unknown", port->type);
    }
    *out = (plx_onnx_value){.type = port->type};
    PLX_TRY(input_shape(im, port, &out->rank, out->dims));
    out->name = plx__arena_text(&im->onnx->arena, port->name);
    if (!out->name) return fail_memory(im);
    out->node = plx_input(im->onnx->graph, port->name, dtype, out->rank, out->dims);
    if (plx_graph_status(im->onnx->graph) != PLX_OK) return im->status = PLX_ERR_SHAPE;
    im->onnx->inputs_count += 1;
    int64_t size = 1; /* which the builder has checked */
    for (int i = 0; i < out->rank; ++i) size *= out->dims[i];
    plx__onnx_value *value =
        plx__onnx_new_value(im, out->name, port->type, out->rank, out->dims, size);
    if (!value) return fail_memory(im);
    value->plain = out->node;
    return define(im, frame, value);
}

static plx_status add_inputs(plx__onnx_importer *im, plx__onnx_frame *frame) {
    const plx_onnx_options *options = im->options;
    const plx_onnx_graph *graph = frame->graph;
    const plx_onnx_tensor *given;
    for (int i = 0; i < graph->inputs_count; ++i) {
        const plx_onnx_port *port = &graph->inputs[i];
        if ((given = named(options->values_count, options->values, port->name))) {
            plx__onnx_value *value = from_tensor(im, "the value of input", given);
            if (!value) return im->status;
            PLX_TRY(fit_shape(im, port, given));
            if (port->type && given->type != port->type)
                return fail(im, PLX_ERR_ARGUMENT, "input \"%.64s\" is %s, not %s", port->name,
                            plx_onnx_type_name(port->type) ? plx_onnx_type_name(port->type)
                                                           : "of another type",
                            plx_onnx_type_name(given->type));
            PLX_TRY(define(im, frame, value));
        } else if ((given = named(options->shapes_count, options->shapes, port->name))) {
            PLX_TRY(fit_shape(im, port, given));
        }
    }
    /* Now that all sizes are known which follow from others. An initializer is an input's default.
     */
    for (int i = 0; i < graph->inputs_count; ++i) {
        const plx_onnx_port *port = &graph->inputs[i];
        const bool is_default = named(graph->initializers_count, graph->initializers, port->name) &&
                                !named(options->shapes_count, options->shapes, port->name);
        if (!look_up(im, port->name) && !is_default) PLX_TRY(add_input(im, frame, port));
    }
    return PLX_OK;
}

/* Every name of the options must be one of the model. */
static plx_status check_names(plx__onnx_importer *im) {
    const plx_onnx_options *o = im->options;
    const plx_onnx_graph *graph = &im->model->graph;
    for (int i = 0; i < o->shapes_count + o->values_count; ++i) {
        const char *name =
            i < o->shapes_count ? o->shapes[i].name : o->values[i - o->shapes_count].name;
        int k = 0;
        while (k < graph->inputs_count && strcmp(graph->inputs[k].name, name) != 0) ++k;
        if (k == graph->inputs_count)
            return fail(im, PLX_ERR_ARGUMENT, "the model has no input \"%.64s\"", name);
    }
    for (int i = 0; i < o->sizes_count; ++i) {
        bool found = false;
        for (int k = 0; k < graph->inputs_count && !found; ++k)
            for (int axis = 0; axis < graph->inputs[k].rank && !found; ++axis)
                found = !strcmp(graph->inputs[k].dims[axis].name, o->sizes[i].name);
        if (!found)
            return fail(im, PLX_ERR_ARGUMENT, "no input of the model has a dimension \"%.64s\"",
                        o->sizes[i].name);
        if (o->sizes[i].size < 0)
            return fail(im, PLX_ERR_ARGUMENT, "the size of \"%.64s\" is %lld; it must be 0 or more",
                        o->sizes[i].name, (long long)o->sizes[i].size);
    }
    return PLX_OK;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

bool plx__onnx_enter(plx__onnx_call *c, const plx_onnx_graph *graph) {
    plx__onnx_importer *im = c->importer;
    if (im->depth > PLX_ONNX_DEPTH)
        return plx__onnx_refuse(c, "graphs are nested more than %d deep", PLX_ONNX_DEPTH);
    if (graph->outputs_count != c->node->outputs_count)
        return plx__onnx_wrong(c, "the branch has %d outputs, but the node %d",
                               graph->outputs_count, c->node->outputs_count);
    plx__onnx_frame *frame = &im->frames[im->depth++];
    *frame = (plx__onnx_frame){.graph = graph, .owner = c->node};
    return add_initializers(im, frame) == PLX_OK;
}

/* Whether a list of words has the word. */
static bool has_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]) && length)
            return true;
    return false;
}

static bool check_call(const plx__onnx_call *c, const plx__onnx_operator *op) {
    const plx_onnx_node *node = c->node;
    if (*node->domain && strcmp(node->domain, "ai.onnx") != 0)
        return plx__onnx_refuse(c, "operators of the domain \"%.64s\" are not available",
                                node->domain);
    if (!op) return plx__onnx_refuse(c, "this operator is not available");
    if (c->version < op->first || c->version > op->last)
        return plx__onnx_refuse(c, "the operator is available in versions %d to %d, not in %lld",
                                op->first, op->last, (long long)c->version);
    if (c->inputs_count < op->inputs_least || c->inputs_count > op->inputs_most)
        return plx__onnx_wrong(c, "it has %d inputs; %d to %d are allowed", c->inputs_count,
                               op->inputs_least, op->inputs_most);
    for (int i = 0; i < op->inputs_least; ++i)
        if (!c->inputs[i]) return plx__onnx_wrong(c, "input %d is left out", i);
    if (c->outputs_count > op->outputs_most)
        return plx__onnx_refuse(c, "it has %d outputs; at most %d are available", c->outputs_count,
                                op->outputs_most);
    for (int i = 0; i < node->attributes_count; ++i)
        if (!has_word(op->attributes, node->attributes[i].name))
            return plx__onnx_refuse(c, "the attribute \"%.64s\" is not available",
                                    node->attributes[i].name);
    return true;
}

/* Outputs at the end without a name are not there. */
static int named_outputs(const plx_onnx_node *node) {
    int count = node->outputs_count;
    while (count && !*node->outputs[count - 1]) --count;
    return count;
}

static bool find_inputs(plx__onnx_call *c) {
    const plx_onnx_node *node = c->node;
    for (int i = 0; i < node->inputs_count; ++i) {
        const char *name = node->inputs[i];
        c->inputs[i] = *name ? look_up(c->importer, name) : NULL;
        if (*name && !c->inputs[i])
            return plx__onnx_wrong(c, "it reads \"%.64s\", which no node before it makes", name);
        if (*name) c->inputs_count = i + 1;
    }
    return true;
}

/* Prefixes the graph's own failure by the node. */
static bool check_graph(const plx__onnx_call *c) {
    const plx_status status = plx_graph_status(c->graph);
    char text[PLX__MESSAGE_BYTES];
    if (status == PLX_OK) return true;
    plx__format(text, sizeof text, "%s", c->importer->ctx->message.text);
    plx__onnx_refuse(c, "%s", text);
    c->importer->status = status;
    return false;
}

static bool build_node(plx__onnx_importer *im, plx__onnx_frame *frame, const plx_onnx_node *node) {
    plx__onnx_call c = {.importer = im,
                        .graph = im->onnx->graph,
                        .node = node,
                        .version = im->version,
                        .outputs_count = named_outputs(node)};
    const size_t pointers = (size_t)node->inputs_count + (size_t)c.outputs_count + 1;
    c.inputs = plx__arena_take(&im->arena, pointers * sizeof(plx__onnx_value *));
    if (!c.inputs) return fail_memory(im) == PLX_OK;
    memset((void *)c.inputs, 0, pointers * sizeof(plx__onnx_value *));
    c.outputs = c.inputs + node->inputs_count;
    const int depth = im->depth;
    const plx__onnx_operator *op = plx__onnx_find(node->op);
    if (!find_inputs(&c) || !check_call(&c, op)) return false;
    if (!op->build(&c) || im->status != PLX_OK) return false;
    if (!check_graph(&c)) return false;
    for (int i = 0; i < c.outputs_count && im->depth == depth; ++i) {
        if (!*node->outputs[i]) continue;
        if (!c.outputs[i]) return plx__onnx_refuse(&c, "output %d is not available", i);
        if (define(im, frame, c.outputs[i]) != PLX_OK) return false;
    }
    return true;
}

/* ---- Outputs --------------------------------------------------------------------------------- */

static bool add_output(plx__onnx_importer *im, const char *name, plx__onnx_value *value) {
    plx_onnx_value *out = &im->onnx->outputs[im->onnx->outputs_count];
    const char *const outputs[] = {name};
    const plx_onnx_node node = {
        .name = "", .op = "output", .domain = "", .outputs_count = 1, .outputs = outputs};
    const plx__onnx_call c = {.importer = im, .graph = im->onnx->graph, .node = &node};
    *out = (plx_onnx_value){.type = value->type, .rank = value->rank};
    out->name = plx__arena_text(&im->onnx->arena, name);
    if (!out->name) return fail_memory(im) == PLX_OK;
    for (int i = 0; i < value->rank; ++i) out->dims[i] = value->dims[i];
    out->node = plx__onnx_plain(&c, value);
    if (out->node.id < 0 && im->status != PLX_OK) return false;
    if (!check_graph(&c)) return false;
    im->onnx->outputs_count += 1;
    return true;
}

/* Gives the outputs of the innermost graph to the node that it belongs to, and drops the frame. */
static bool leave(plx__onnx_importer *im) {
    plx__onnx_frame *frame = &im->frames[im->depth - 1];
    const plx_onnx_graph *graph = frame->graph;
    bool ok = true;
    for (int i = 0; ok && i < graph->outputs_count; ++i) {
        const char *name = graph->outputs[i].name;
        plx__onnx_value *value = look_up(im, name);
        if (!value) {
            fail(im, PLX_ERR_FORMAT, "no node makes the output \"%.64s\"", name);
            ok = false;
        } else if (!frame->owner) {
            ok = add_output(im, name, value);
        } else if (*frame->owner->outputs[i]) {
            plx__onnx_value *copy = plx__arena_take(&im->arena, sizeof *copy);
            if (!copy) return fail_memory(im) == PLX_OK;
            *copy = *value;
            copy->name = frame->owner->outputs[i];
            ok = define(im, &im->frames[im->depth - 2], copy) == PLX_OK;
        }
    }
    plx_platform_free((void *)frame->names.slots);
    im->depth -= 1;
    return ok;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static plx_status check_versions(plx__onnx_importer *im) {
    const plx_onnx_model *model = im->model;
    if (model->ir_version < PLX_ONNX_IR_OLDEST || model->ir_version > PLX_ONNX_IR_NEWEST)
        return fail(im, PLX_ERR_UNSUPPORTED,
                    "the model has version %lld of the format; %d to %d can be read",
                    (long long)model->ir_version, PLX_ONNX_IR_OLDEST, PLX_ONNX_IR_NEWEST);
    for (int i = 0; i < model->opsets_count; ++i)
        if (!*model->opsets[i].domain || !strcmp(model->opsets[i].domain, "ai.onnx"))
            im->version = model->opsets[i].version;
    if (!im->version)
        return fail(im, PLX_ERR_FORMAT, "the model does not say which operators it uses");
    if (im->version < PLX_ONNX_OPSET_OLDEST || im->version > PLX_ONNX_OPSET_NEWEST)
        return fail(im, PLX_ERR_UNSUPPORTED,
                    "the model uses version %lld of the operators; %d to %d can be read",
                    (long long)im->version, PLX_ONNX_OPSET_OLDEST, PLX_ONNX_OPSET_NEWEST);
    return PLX_OK;
}

/* What a model may make an import compute: this much, and as much again as four times its own
 * elements. */
static const int64_t FREE_BYTES = (int64_t)64 << 20;

static plx_status prepare(plx__onnx_importer *im) {
    const plx_onnx_graph *graph = &im->model->graph;
    size_t names = (size_t)im->options->sizes_count + 1;
    for (int i = 0; i < graph->inputs_count; ++i)
        if (graph->inputs[i].rank > 0) names += (size_t)graph->inputs[i].rank;
    im->sizes = plx__arena_take(&im->arena, names * sizeof *im->sizes);
    const size_t ports = (size_t)graph->inputs_count + (size_t)graph->outputs_count + 1;
    im->onnx->inputs = plx__arena_take(&im->onnx->arena, ports * sizeof *im->onnx->inputs);
    if (!im->sizes || !im->onnx->inputs) return fail_memory(im);
    im->onnx->outputs = im->onnx->inputs + graph->inputs_count;
    for (int i = 0; i < im->options->sizes_count; ++i)
        im->sizes[im->sizes_count++] = im->options->sizes[i];
    im->budget = FREE_BYTES;
    for (int i = 0; i < graph->initializers_count; ++i)
        im->budget += 4 * (int64_t)(graph->initializers[i].bytes & INT64_MAX >> 4);
    return PLX_OK;
}

static plx_status walk(plx__onnx_importer *im) {
    PLX_TRY(check_versions(im));
    PLX_TRY(check_names(im));
    PLX_TRY(prepare(im));
    im->frames[0] = (plx__onnx_frame){.graph = &im->model->graph};
    im->depth = 1;
    PLX_TRY(add_inputs(im, &im->frames[0]));
    PLX_TRY(add_initializers(im, &im->frames[0]));
    while (im->depth) {
        plx__onnx_frame *frame = &im->frames[im->depth - 1];
        const bool ok = frame->next == frame->graph->nodes_count
                            ? leave(im)
                            : build_node(im, frame, &frame->graph->nodes[frame->next++]);
        if (!ok) return im->status;
    }
    return PLX_OK;
}

plx_status plx_onnx_import(plx_ctx *ctx, const plx_onnx_model *model,
                           const plx_onnx_options *options, plx_onnx **out) {
    static const plx_onnx_options none;
    PLX_TRY(plx__need(&ctx->message, "onnx", "model", model));
    PLX_TRY(plx__need(&ctx->message, "onnx", "out", out));
    plx_onnx *onnx = plx_platform_alloc(sizeof *onnx);
    if (!onnx) return plx__fail(&ctx->message, PLX_ERR_MEMORY, "onnx: no memory");
    *onnx = (plx_onnx){.ctx = plx__ctx_hold(ctx)};
    plx__onnx_importer im = {
        .ctx = ctx, .onnx = onnx, .model = model, .options = options ? options : &none};
    plx_status status = plx_graph_new(ctx, &onnx->graph);
    if (status == PLX_OK) status = walk(&im);
    for (; im.depth; --im.depth) plx_platform_free((void *)im.frames[im.depth - 1].names.slots);
    plx__arena_free(&im.arena);
    if (status == PLX_OK)
        *out = onnx;
    else
        plx_onnx_free(onnx);
    return status;
}

void plx_onnx_free(plx_onnx *onnx) {
    if (!onnx) return;
    for (int i = 0; i < onnx->parameters_count; ++i) plx_tensor_free(onnx->parameters[i].tensor);
    plx_platform_free(onnx->parameters);
    plx_graph_free(onnx->graph);
    plx__arena_free(&onnx->arena);
    plx_ctx_free(onnx->ctx);
    plx_platform_free(onnx);
}

plx_graph *plx_onnx_graph_of(plx_onnx *onnx) {
    return onnx->graph;
}

plx_onnx_value plx_onnx_input(const plx_onnx *onnx, int i) {
    const bool there = i >= 0 && i < onnx->inputs_count;
    return there ? onnx->inputs[i] : (plx_onnx_value){.node = plx_none()};
}

plx_onnx_value plx_onnx_output(const plx_onnx *onnx, int i) {
    const bool there = i >= 0 && i < onnx->outputs_count;
    return there ? onnx->outputs[i] : (plx_onnx_value){.node = plx_none()};
}

plx_tensor *plx_onnx_parameter(const plx_onnx *onnx, int i, const char **name) {
    if (i < 0 || i >= onnx->parameters_count) return NULL;
    if (name) *name = onnx->parameters[i].name;
    return onnx->parameters[i].tensor;
}

bool plx__onnx_keep(plx_onnx *onnx, plx_tensor *tensor, const char *name) {
    const char *own = plx__arena_text(&onnx->arena, name);
    if (onnx->parameters_count == onnx->parameters_room) {
        const int room = onnx->parameters_room ? 2 * onnx->parameters_room : 64;
        plx__onnx_parameter *larger = plx_platform_alloc((size_t)room * sizeof *larger);
        if (larger && onnx->parameters_count)
            memcpy(larger, onnx->parameters, (size_t)onnx->parameters_count * sizeof *larger);
        if (larger) {
            plx_platform_free(onnx->parameters);
            onnx->parameters = larger;
            onnx->parameters_room = room;
        }
    }
    if (!own || onnx->parameters_count == onnx->parameters_room) {
        plx_tensor_free(tensor);
        return false;
    }
    onnx->parameters[onnx->parameters_count++] = (plx__onnx_parameter){tensor, own};
    return true;
}
