/* parallax run */
#include "command.h"
#include "model_arrays.h"

#ifdef PLX_HAVE_ONNX
#include "native/onnx/onnx_file.h"
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct run_arguments {
    const char *file, *output;
    char **inputs, **binds; /* NULL, or "NAME=..." up to a NULL */
    int list, operators;
} run_arguments;

#ifdef PLX_HAVE_ONNX

typedef struct model_run {
    plx_ctx *ctx;
    onnx_file *file;
    const plx_onnx_graph *graph;
    int inputs_count, values_count, sizes_count;
    model_array *inputs, *values;
    plx_onnx_binding *sizes;
    plx_onnx *onnx;
    plx_plan *plan;
} model_run;

static int count_of(char *const *list) {
    int count = 0;
    while (list && list[count]) ++count;
    return count;
}

/* ---- What a model takes and gives ------------------------------------------------------------ */

static void print_port(const plx_onnx_port *port) {
    const char *type = plx_onnx_type_name(port->type);
    printf("  %s  %s [", port->name, type ? type : "of a type that is not available");
    for (int i = 0; i < port->rank; ++i) {
        const plx_onnx_dim *dim = &port->dims[i];
        if (dim->size >= 0)
            printf("%s%lld", i ? ", " : "", (long long)dim->size);
        else
            printf("%s%s", i ? ", " : "", *dim->name ? dim->name : "?");
    }
    puts(port->rank < 0 ? "of any shape]" : "]");
}

/* Whether an initializer gives an input its value. */
static bool has_default(const plx_onnx_graph *graph, const char *name) {
    for (int i = 0; i < graph->initializers_count; ++i)
        if (!strcmp(graph->initializers[i].name, name)) return true;
    return false;
}

static void print_ports(const model_run *r) {
    const plx_onnx_model *model = onnx_file_model(r->file);
    puts("inputs");
    for (int i = 0; i < r->graph->inputs_count; ++i)
        if (!has_default(r->graph, r->graph->inputs[i].name)) print_port(&r->graph->inputs[i]);
    puts("outputs");
    for (int i = 0; i < r->graph->outputs_count; ++i) print_port(&r->graph->outputs[i]);
    printf("%d nodes, format %lld", r->graph->nodes_count, (long long)model->ir_version);
    for (int i = 0; i < model->opsets_count; ++i)
        printf(", operators%s%s %lld", *model->opsets[i].domain ? " of " : "",
               model->opsets[i].domain, (long long)model->opsets[i].version);
    puts("");
}

static const plx_onnx_port *find_port(const model_run *r, const char *name, size_t length) {
    for (int i = 0; i < r->graph->inputs_count; ++i) {
        const plx_onnx_port *port = &r->graph->inputs[i];
        if (strlen(port->name) == length && !memcmp(port->name, name, length)) return port;
    }
    return NULL;
}

static int no_such_input(const model_run *r, const char *option, const char *given) {
    char *names = NULL;
    for (int i = 0; i < r->graph->inputs_count; ++i)
        text_add(&names, "%s\"%s\"", i ? ", " : "", r->graph->inputs[i].name);
    const int code = wrong_usage("run", "%s %s: the model has no such input; it has %s.", option,
                                 given, names ? names : "none");
    free(names);
    return code;
}

/* ---- Arguments of the model ------------------------------------------------------------------ */

static int read_inputs(model_run *r, char *const *list) {
    r->inputs = calloc((size_t)count_of(list) + 1, sizeof *r->inputs);
    if (!r->inputs) return report(EXIT_FAILED, "there is not enough memory.");
    for (; list && *list; ++list) {
        const char *equals = strchr(*list, '=');
        if (!equals || equals == *list)
            return wrong_usage("run", "--input takes NAME=FILE.npy, not \"%s\".", *list);
        const plx_onnx_port *port = find_port(r, *list, (size_t)(equals - *list));
        if (!port) return no_such_input(r, "--input", *list);
        for (int i = 0; i < r->inputs_count; ++i)
            if (r->inputs[i].tensor.name == port->name)
                return wrong_usage("run", "the input \"%s\" is given twice.", port->name);
        if (!model_array_read(r->ctx, port, equals + 1, &r->inputs[r->inputs_count]))
            return EXIT_FAILED;
        r->inputs_count += 1;
    }
    return EXIT_DONE;
}

static bool names_dimension(const model_run *r, const char *name) {
    for (int i = 0; i < r->graph->inputs_count; ++i)
        for (int axis = 0; axis < r->graph->inputs[i].rank; ++axis)
            if (!strcmp(r->graph->inputs[i].dims[axis].name, name)) return true;
    return false;
}

static bool ends_in(const char *text, const char *end) {
    const size_t length = strlen(text), ending = strlen(end);
    return length >= ending && !strcmp(text + length - ending, end);
}

/* name is a copy of the name, which the binding keeps. */
static int bind_size(model_run *r, char *name, const char *value) {
    char *end = NULL;
    errno = 0;
    const long long size = strtoll(value, &end, 10);
    r->sizes[r->sizes_count++] = (plx_onnx_binding){name, size};
    if (!*value || *end || errno || size < 0)
        return wrong_usage("run", "--bind %s=%s: the size of a dimension is a whole number.", name,
                           value);
    return EXIT_DONE;
}

static int read_binds(model_run *r, char *const *list) {
    r->values = calloc((size_t)count_of(list) + 1, sizeof *r->values);
    r->sizes = calloc((size_t)count_of(list) + 1, sizeof *r->sizes);
    if (!r->values || !r->sizes) return report(EXIT_FAILED, "there is not enough memory.");
    for (; list && *list; ++list) {
        const char *equals = strchr(*list, '=');
        if (!equals || equals == *list)
            return wrong_usage("run", "--bind takes NAME=NUMBER or NAME=FILE.npy, not \"%s\".",
                               *list);
        const plx_onnx_port *port = find_port(r, *list, (size_t)(equals - *list));
        if (port) {
            model_array *out = &r->values[r->values_count];
            const bool read = ends_in(equals, ".npy")
                                  ? model_array_read(r->ctx, port, equals + 1, out)
                                  : model_array_number(port, equals + 1, out);
            if (!read) return EXIT_FAILED;
            r->values_count += 1;
            continue;
        }
        char *name = strndup(*list, (size_t)(equals - *list));
        if (!name) return report(EXIT_FAILED, "there is not enough memory.");
        if (!names_dimension(r, name)) {
            free(name);
            return wrong_usage("run",
                               "--bind %s: the model has neither an input nor a dimension of that "
                               "name; --list shows them.",
                               *list);
        }
        const int code = bind_size(r, name, equals + 1);
        if (code != EXIT_DONE) return code;
    }
    return EXIT_DONE;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Every input that stays must have its data. */
static int check_inputs(const model_run *r) {
    bool missing = false;
    for (int i = 0; i < r->graph->inputs_count; ++i) {
        const char *name = r->graph->inputs[i].name;
        bool found = has_default(r->graph, name);
        for (int k = 0; k < r->inputs_count; ++k) found |= r->inputs[k].tensor.name == name;
        for (int k = 0; k < r->values_count; ++k) found |= r->values[k].tensor.name == name;
        if (!found)
            report(EXIT_FAILED, "input \"%s\" is missing: give --input %s=FILE.npy.", name, name);
        missing |= !found;
    }
    if (missing) print_ports(r);
    return missing ? EXIT_USAGE : EXIT_DONE;
}

static int import(model_run *r, const char *name) {
    plx_onnx_options options = {.sizes_count = r->sizes_count,
                                .sizes = r->sizes,
                                .shapes_count = r->inputs_count,
                                .values_count = r->values_count};
    plx_onnx_tensor *tensors =
        calloc((size_t)r->inputs_count + (size_t)r->values_count + 1, sizeof *tensors);
    if (!tensors) return report(EXIT_FAILED, "there is not enough memory.");
    for (int i = 0; i < r->inputs_count; ++i) tensors[i] = r->inputs[i].tensor;
    for (int i = 0; i < r->values_count; ++i) tensors[r->inputs_count + i] = r->values[i].tensor;
    options.shapes = tensors;
    options.values = tensors + r->inputs_count;
    const plx_status status = plx_onnx_import(r->ctx, onnx_file_model(r->file), &options, &r->onnx);
    free(tensors);
    if (status == PLX_OK) return EXIT_DONE;
    return report(EXIT_FAILED, "\"%s\": %s.", name, plx_message(r->ctx));
}

static int outputs_of(const plx_onnx *onnx) {
    int count = 0;
    while (plx_onnx_output(onnx, count).name) ++count;
    return count;
}

static int compute(model_run *r) {
    plx_plan_options options = plx_plan_default();
    const int count = outputs_of(r->onnx);
    plx_node *nodes = calloc((size_t)count + 1, sizeof *nodes);
    if (!nodes) return report(EXIT_FAILED, "there is not enough memory.");
    for (int i = 0; i < count; ++i) nodes[i] = plx_onnx_output(r->onnx, i).node;
    options.constant_parameters = true;
    plx_status status = plx_compile(plx_onnx_graph_of(r->onnx), count, nodes, &options, &r->plan);
    free(nodes);
    for (int i = 0; status == PLX_OK && plx_onnx_input(r->onnx, i).name; ++i) {
        const plx_onnx_value input = plx_onnx_input(r->onnx, i);
        for (int k = 0; k < r->inputs_count; ++k) {
            if (strcmp(r->inputs[k].tensor.name, input.name) != 0) continue;
            if (!model_array_bind(&r->inputs[k])) return EXIT_FAILED;
            status = plx_plan_bind(r->plan, input.node, r->inputs[k].data);
        }
    }
    if (status == PLX_OK) status = plx_plan_run(r->plan);
    return status == PLX_OK ? EXIT_DONE : report(EXIT_FAILED, "%s.", plx_message(r->ctx));
}

/* ---- Outputs --------------------------------------------------------------------------------- */

enum { SHOWN = 6 };

static void print_values(const plx_onnx_value *value, const void *data) {
    int64_t size = 1;
    for (int i = 0; i < value->rank; ++i) size *= value->dims[i];
    for (int64_t i = 0; i < size && i < SHOWN; ++i) printf(" %.9g", model_array_at(value, data, i));
    puts(size > SHOWN ? " ..." : "");
}

static int give_outputs(const model_run *r, const char *folder) {
    if (folder && mkdir(folder, 0777) != 0 && errno != EEXIST)
        return report(EXIT_FAILED, "cannot make the folder \"%s\": %s.", folder, strerror(errno));
    for (int i = 0; plx_onnx_output(r->onnx, i).name; ++i) {
        const plx_onnx_value value = plx_onnx_output(r->onnx, i);
        const plx_dtype dtype = plx_node_dtype(plx_onnx_graph_of(r->onnx), value.node);
        const void *data = plx_plan_output_as(r->plan, value.node, dtype);
        char *path = NULL;
        if (!data) return report(EXIT_FAILED, "output \"%s\" has no values.", value.name);
        printf("%s  %s [", value.name, plx_onnx_type_name(value.type));
        for (int axis = 0; axis < value.rank; ++axis)
            printf("%s%lld", axis ? ", " : "", (long long)value.dims[axis]);
        fputs("] ", stdout);
        if (folder && !model_array_write(r->ctx, &value, data, folder, &path)) return EXIT_FAILED;
        if (path)
            printf(" %s\n", path);
        else
            print_values(&value, data);
        free(path);
    }
    return EXIT_DONE;
}

static int run(const run_arguments *a) {
    char message[1024];
    model_run r = {.file = onnx_file_open(a->file, message, sizeof message)};
    if (!r.file) return report(EXIT_FAILED, "cannot read \"%s\": %s.", a->file, message);
    r.graph = &onnx_file_model(r.file)->graph;
    int code = EXIT_DONE;
    if (a->list) {
        print_ports(&r);
    } else {
        code = open_context(&r.ctx);
        if (code == EXIT_DONE) code = read_inputs(&r, a->inputs);
        if (code == EXIT_DONE) code = read_binds(&r, a->binds);
        if (code == EXIT_DONE) code = check_inputs(&r);
        if (code == EXIT_DONE) code = import(&r, a->file);
        if (code == EXIT_DONE) code = compute(&r);
        if (code == EXIT_DONE) code = give_outputs(&r, a->output);
    }
    plx_plan_free(r.plan);
    plx_onnx_free(r.onnx);
    for (int i = 0; i < r.inputs_count; ++i) model_array_free(&r.inputs[i]);
    for (int i = 0; i < r.values_count; ++i) model_array_free(&r.values[i]);
    for (int i = 0; i < r.sizes_count; ++i) free_texts(1, &r.sizes[i].name);
    free(r.inputs);
    free(r.values);
    free(r.sizes);
    onnx_file_free(r.file);
    plx_ctx_free(r.ctx);
    return code;
}

#else

static int run(const run_arguments *a) {
    return report(EXIT_FAILED,
                  "cannot read \"%s\": this build has no protobuf-c, which reads such files; "
                  "install it (scripts/setup) and build again.",
                  a->file);
}

#endif

/* ---- The command ----------------------------------------------------------------------------- */

static int print_operators(void) {
    const char *name;
    int first = 0, last = 0;
    for (int i = 0; (name = plx_onnx_operator(i, &first, &last)); ++i)
        printf("%s %d-%d\n", name, first, last);
    return EXIT_DONE;
}

static int check_arguments(run_arguments *a, poptContext parsed) {
    a->file = poptGetArg(parsed);
    const char *more = poptGetArg(parsed);
    if (!a->file && !a->operators) return wrong_usage("run", "needs a file, MODEL.onnx.");
    if (more) return wrong_usage("run", "takes one file, but also got \"%s\".", more);
    return EXIT_DONE;
}

static void free_list(char **list) {
    for (int i = 0; list && list[i]; ++i) free(list[i]);
    free((void *)list);
}

int cmd_run(int argc, const char **argv) {
    run_arguments a = {0};
    const struct poptOption options[] = {
        {"input", 'i', POPT_ARG_ARGV, (void *)&a.inputs, 0,
         "an input of the model, from an array of NumPy; give one for each", "NAME=FILE.npy"},
        {"bind", 'b', POPT_ARG_ARGV, (void *)&a.binds, 0,
         "a size that the model only names, or an input that becomes part of the model (a number, "
         "or FILE.npy): shapes, axes and switches must be",
         "NAME=VALUE"},
        {"output", 'o', POPT_ARG_STRING, &a.output, 0,
         "write each output to FOLDER/NAME.npy (default: print the first values)", "FOLDER"},
        {"list", 'l', POPT_ARG_NONE, &a.list, 0, "only say which inputs and outputs the model has",
         NULL},
        {"operators", 0, POPT_ARG_NONE, &a.operators, 0,
         "list the operators that can be imported, with their versions", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed =
        parse_arguments(argc, argv, options, "MODEL.onnx [OPTIONS]",
                        "Runs an ONNX model on arrays of NumPy. Tensors outside the file are read "
                        "from its folder.",
                        &code);
    if (!parsed) return code;
    code = check_arguments(&a, parsed);
    if (code == EXIT_DONE) code = a.operators ? print_operators() : run(&a);
    free_texts(1, (const char *[]){a.output});
    free_list(a.inputs);
    free_list(a.binds);
    poptFreeContext(parsed);
    return code;
}
