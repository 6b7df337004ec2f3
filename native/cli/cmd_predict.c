/* parallax predict */
#include "command.h"
#include "output.h"
#include "read_file.h"
#include "weights_file.h"

#include <stdlib.h>
#include <string.h>

typedef struct predict_arguments {
    const char *weights, *input, *model;
    long long batch;
} predict_arguments;

typedef struct prediction {
    plx_ctx *ctx;
    weights_in in;
    plx_model *model;
    plx_csv table;
    double *scales; /* [inputs + 1, 2]; NULL: values are used as they are */
    plx_real *x, *y;
    int64_t inputs, outputs; /* values of a row */
} prediction;

enum { MOST_ROWS = 1000000000 };

static int64_t values_of(plx_port port) {
    int64_t values = 1;
    for (int i = 0; i < port.rank; ++i) values *= port.dims[i];
    return values;
}

/* ---- The model ------------------------------------------------------------------------------- */

static int open_model(prediction *p, const predict_arguments *a) {
    if (!weights_in_open(&p->in, p->ctx, a->weights)) return EXIT_FAILED;
    char *name = a->model ? strdup(a->model) : weights_in_model(&p->in);
    if (!name)
        return report(EXIT_FAILED,
                      "\"%s\" does not name a model: say which it is of by --model NAME.",
                      a->weights);
    const plx_status status = plx_model_from_name(p->ctx, name, 0, &p->model);
    free(name);
    if (status != PLX_OK)
        return a->model ? report_status(p->ctx, status)
                        : report(EXIT_FAILED, "%s", plx_message(p->ctx));
    if (plx_weights_load(plx_model_weights(p->model), p->in.file) != PLX_OK)
        return report(EXIT_FAILED, "\"%s\": %s", a->weights, plx_message(p->ctx));
    const plx_port port = plx_model_input(p->model, 0);
    if (plx_model_inputs(p->model) > 1 || port.dtype != PLX_DTYPE_REAL)
        return report(EXIT_FAILED, "this model takes %s, and a table has only numbers.",
                      port.dtype == PLX_DTYPE_REAL ? "several inputs" : "ids");
    p->inputs = values_of(port);
    p->outputs = values_of(plx_model_output(p->model, 0));
    return weights_in_scales(&p->in, p->inputs + 1, &p->scales) ? EXIT_DONE : EXIT_FAILED;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static int read_table(prediction *p, const char *name) {
    char message[4352], *bytes;
    size_t size;
    if (!read_file(name, &bytes, &size, message, sizeof message))
        return report(EXIT_FAILED, "%s", message);
    const plx_status status = plx_csv_parse(p->ctx, bytes, size, &p->table);
    free(bytes);
    if (status != PLX_OK) return report(EXIT_FAILED, "\"%s\": %s", name, plx_message(p->ctx));
    if (p->table.columns != p->inputs)
        return report(EXIT_FAILED, "\"%s\" has %lld columns, but the model takes %lld values.",
                      name, (long long)p->table.columns, (long long)p->inputs);
    return EXIT_DONE;
}

static int compute(prediction *p, int64_t batch) {
    const int64_t n = p->table.rows, values = n * p->inputs;
    p->x = calloc((size_t)values + 1, sizeof *p->x);
    p->y = calloc((size_t)(n * p->outputs) + 1, sizeof *p->y);
    if (!p->x || !p->y)
        return report(EXIT_FAILED, "there is not enough memory for %lld rows.", (long long)n);
    for (int64_t i = 0; i < values; ++i) {
        const double *scale = p->scales ? &p->scales[i % p->inputs * 2] : (double[]){0, 1};
        p->x[i] = (plx_real)((p->table.values[i] - scale[0]) / scale[1]);
    }
    const plx_dataset data = {.n = n, .inputs = {p->x}};
    const plx_status status =
        plx_model_predict(p->model, &data, batch, (plx_real *[]){p->y, NULL, NULL, NULL});
    return status == PLX_OK ? EXIT_DONE : report(EXIT_FAILED, "%s", plx_message(p->ctx));
}

/* The outputs of a row, in the units of the table. */
static cJSON *output_values(const prediction *p, int64_t row) {
    const double *scale = p->scales ? &p->scales[p->inputs * 2] : (double[]){0, 1};
    cJSON *values = cJSON_CreateArray();
    for (int64_t k = 0; values && k < p->outputs; ++k)
        cJSON_AddItemToArray(
            values, cJSON_CreateNumber((double)p->y[row * p->outputs + k] * scale[1] + scale[0]));
    return values;
}

/* Nine digits give a float back exactly (IEEE 754-2019, 5.12.2). */
static void print_row(FILE *to, const cJSON *values) {
    const cJSON *value;
    const char *before = "";
    cJSON_ArrayForEach(value, values) {
        fprintf(to, "%s%.9g", before, value->valuedouble);
        before = ",";
    }
    fputc('\n', to);
}

static int print_rows(output *out, const prediction *p) {
    bool ok = true;
    for (int64_t i = 0; i < p->table.rows && ok && !interrupted(); ++i) {
        cJSON *row = cJSON_CreateObject(), *values = output_values(p, i);
        if (!row || !values) return report(EXIT_FAILED, "there is not enough memory for a row.");
        print_row(output_tables(out), values);
        cJSON_AddNumberToObject(row, "row", (double)i);
        cJSON_AddItemToObject(row, "values", values);
        if (arguments.json)
            ok = output_row(out, row);
        else
            cJSON_Delete(row);
    }
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static int run(const predict_arguments *a) {
    prediction p = {0};
    output out;
    if (!output_open(&out)) return EXIT_FAILED;
    int code = open_context(&p.ctx);
    if (code == EXIT_DONE) code = open_model(&p, a);
    if (code == EXIT_DONE) code = read_table(&p, a->input);
    if (code == EXIT_DONE) code = compute(&p, a->batch);
    if (code == EXIT_DONE) code = print_rows(&out, &p);
    if (!output_close(&out, code == EXIT_DONE)) code = EXIT_FAILED;
    free(p.scales);
    free(p.x);
    free(p.y);
    plx_csv_free(&p.table);
    plx_model_free(p.model);
    weights_in_close(&p.in);
    plx_ctx_free(p.ctx);
    return code;
}

static int check_arguments(const predict_arguments *a, const char *more) {
    if (more) return wrong_usage("predict", "takes options only, but got \"%s\".", more);
    if (!a->weights || !a->input)
        return wrong_usage("predict", "needs --weights FILE and --input FILE.");
    const char *const read[] = {a->weights, a->input};
    if (check_outputs("predict", 2, read) != EXIT_DONE) return EXIT_USAGE;
    if (a->batch < 0 || a->batch > MOST_ROWS)
        return wrong_usage("predict", "--batch must be from 1 to %d, or 0 to choose, not %lld.",
                           MOST_ROWS, a->batch);
    return EXIT_DONE;
}

int cmd_predict(int argc, const char **argv) {
    predict_arguments a = {0};
    const struct poptOption options[] = {
        {"weights", 'w', POPT_ARG_STRING, &a.weights, 0,
         "the weights, a safetensors file as train --out writes it", "FILE"},
        {"input", 'i', POPT_ARG_STRING, &a.input, 0,
         "the rows, a table of numbers separated by commas; gzip is read, too", "FILE"},
        {"model", 'm', POPT_ARG_STRING, &a.model, 0, "the model, for files that do not name theirs",
         "NAME"},
        {"batch", 'b', POPT_ARG_LONGLONG, &a.batch, 0,
         "rows at a time (default: what fits the caches)", "N"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, json_option, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS]",
        "Applies a model to the rows of a table, and prints the values of its output, a line for\n"
        "each row, separated by commas.",
        &code);
    if (!parsed) return code;
    code = check_arguments(&a, poptGetArg(parsed));
    catch_interrupts();
    if (code == EXIT_DONE) code = run(&a);
    free_texts(3, (const char *[]){a.weights, a.input, a.model});
    poptFreeContext(parsed);
    return code;
}
